"""Digests: RFC 8785 canonical JSON and SHA-256, so that the same PEP has the same digest everywhere."""

import hashlib

import rfc8785

from pepforms.model import Json, Pep

NOT_SIGNED = ("sign_offs", "quality", "distribution", "follow_up")
"""Top-level keys that a sign-off does not cover: they are written after it."""


def canonical(value: Json) -> bytes:
    """The RFC 8785 bytes of a JSON value (integers beyond 2**53 and NaN have been refused on reading)."""
    return rfc8785.dumps(value)


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def pep_digest(pep: Pep) -> str:
    """What a sign-off signs: the digest of the PEP without the parts written after sign-off."""
    return sha256(canonical({key: value for key, value in pep.items() if key not in NOT_SIGNED}))
