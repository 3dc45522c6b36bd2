"""Older PEPs read as today's: a chain of small steps, each from one version of the format to the next.

What was signed is never rewritten. The digest of an older PEP is that of its data as they came; the migrated PEP is
for checking and printing, and is never stored in place of a signed one.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pepforms.digest import pep_digest
from pepforms.errors import Refused
from pepforms.model import Pep

CURRENT = 1
"""The version of the format that `schemas/` describes: `schema_version` as a number."""

Step = Callable[[Pep], Pep]
"""The PEP of one version as one of the next; a new value, the old one untouched. The chain sets `schema_version`."""

STEPS: Mapping[int, Step] = MappingProxyType({})
"""Each step by the version that it reads. Version 1 is the first, so there is none yet."""


def current(pep: Pep, steps: Mapping[int, Step] = STEPS, newest: int = CURRENT) -> tuple[Pep, str]:
    """The PEP in today's format, and the digest of its data as they came, which is what was signed.

    One of a newer format is `Refused`. Where `schema_version` is missing or malformed, or a step is lacking, the PEP
    comes back as it is, and the check says what is wrong.
    """
    as_signed = pep_digest(pep)
    version = _version(pep)
    if version is None or any(step not in steps for step in range(version, newest)):
        return pep, as_signed
    if version > newest:
        message = (
            f"This PEP is in version {version} of the format, and this pepforms reads version {newest} at most. "
            f"Check it with a newer pepforms, or ask the sender for version {newest}."
        )
        raise Refused(message, slug="newer-schema-version")
    for step in range(version, newest):
        pep = {**steps[step](pep), "schema_version": str(step + 1)}
    return pep, as_signed


def _version(pep: Pep) -> int | None:
    written = pep.get("schema_version")
    return int(written) if isinstance(written, str) and re.fullmatch("0|[1-9][0-9]{0,5}", written) else None
