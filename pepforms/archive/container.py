"""The CMS container of a seal, in the one form that pepforms writes.

CMS leaves much open that a signature does not cover: version numbers, optional parameters, further certificates,
attributes added later, the sign of an ECDSA signature. A container written here has no such freedom: everything in it
is either covered by a signature or fixed. So `assemble` of what a container holds gives the container again, byte for
byte, or the container was changed (or is not ours).

The timestamp is an attribute that the seal's signature cannot cover, for it is made over that signature. An authority
writes its token as it likes; what its own signature does not cover is therefore written anew, in the same manner, when
the token is taken in (`as_we_write`). What remains open then are the certificates above the authority's own: each is
covered by the signature of the next, and the last by an anchor of trust, which `timestamp.py` demands.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asn1crypto import x509

_HASHES = {32: "sha256", 48: "sha384", 64: "sha512"}
"""The hash that an authority used, by the length of the digest in what it signed."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""How asn1crypto says that bytes are no such thing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a container holds: the signer's certificate first, the signed attributes (a DER SET), the signature."""

    certificates: tuple[bytes, ...]
    signed_attributes: bytes
    signature: bytes
    timestamp: bytes | None = None
    """The token of a time-stamp authority, as `as_we_write` makes it."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a timestamp token holds: the authority's certificate first and each one's issuer after it, what it says
    (a TSTInfo), the signed attributes (a DER SET) and the signature."""

    certificates: tuple[bytes, ...]
    said: bytes
    signed_attributes: bytes
    signature: bytes


def signed_attributes(digest: bytes, certificates: Sequence[bytes]) -> bytes:
    """The DER bytes that are signed: SHA-256 of the document, and of each certificate that the container carries."""
    from asn1crypto import algos, cms, tsp, x509

    named = tsp.SigningCertificateV2({"certs": [
        tsp.ESSCertIDv2({
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "cert_hash": hashlib.sha256(der).digest(),
            "issuer_serial": tsp.IssuerSerial({
                "issuer": [x509.GeneralName({"directory_name": certificate.issuer})],
                "serial_number": certificate.serial_number,
            }),
        })
        for der, certificate in ((der, x509.Certificate.load(der)) for der in certificates)
    ]})  # fmt: skip
    attributes = cms.CMSAttributes(
        cms.CMSAttribute({"type": kind, "values": [value]})
        for kind, value in (
            ("content_type", cms.ContentType("data")),
            ("message_digest", digest),
            ("signing_certificate_v2", named),
        )
    )
    data: bytes = attributes.dump()
    return data


def assemble(parts: Parts) -> bytes:
    """The DER bytes of the container."""
    from asn1crypto import cms, x509

    certificates = [x509.Certificate.load(der) for der in parts.certificates]
    signer, digest_algorithm = certificates[0], {"algorithm": "sha256"}
    information = cms.SignerInfo({
        "version": "v1",
        "sid": {"issuer_and_serial_number": {"issuer": signer.issuer, "serial_number": signer.serial_number}},
        "digest_algorithm": digest_algorithm,
        "signed_attrs": cms.CMSAttributes.load(parts.signed_attributes),
        "signature_algorithm": {"algorithm": f"sha256_{_kind(signer)}"},
        "signature": parts.signature,
    })  # fmt: skip
    if parts.timestamp is not None:
        token = cms.ContentInfo.load(parts.timestamp)
        information["unsigned_attrs"] = [{"type": "signature_time_stamp_token", "values": [token]}]
    content = cms.SignedData({
        "version": "v1",
        "digest_algorithms": [digest_algorithm],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices("certificate", value=certificate) for certificate in certificates],
        "signer_infos": [information],
    })  # fmt: skip
    data: bytes = cms.ContentInfo({"content_type": "signed_data", "content": content}).dump()
    return data


def is_as_written(der: bytes) -> bool:
    """Whether the container is in the form that pepforms writes and carries only certificates that its signer named."""
    try:
        parts, named = _taken_apart(der)
        carried = {hashlib.sha256(certificate).digest() for certificate in parts.certificates}
        return (
            carried == named
            and lower(parts.signature, parts.certificates[0]) == parts.signature
            and (parts.timestamp is None or as_we_write(parts.timestamp) == parts.timestamp)
            and assemble(parts) == der
        )
    except UNREADABLE:
        return False


def lower(signature: bytes, certificate: bytes) -> bytes:
    """The signature, of ECDSA's two equally good ones the one with the lower number; any other kind as it is."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return signature
    r, s = utils.decode_dss_signature(signature)
    return utils.encode_dss_signature(r, min(s, key.curve.group_order - s))


def timestamp(der: bytes) -> tuple[bytes, bytes] | None:
    """The first timestamp token of a container, and the signature that it is to be of; None if it carries none."""
    from asn1crypto import cms

    (information,) = cms.ContentInfo.load(der)["content"]["signer_infos"]
    tokens = (
        attribute["values"][0].dump()
        for attribute in information["unsigned_attrs"]
        if attribute["type"].native == "signature_time_stamp_token"
    )
    token = next(tokens, None)
    return None if token is None else (token, information["signature"].native)


def as_we_write(token: bytes) -> bytes:
    """The timestamp token with all that its signature does not cover written anew, in one fixed form."""
    return written(take_apart(token))


def take_apart(token: bytes) -> Token:
    """What a timestamp token holds; certificates that lead nowhere, and roots, are left out."""
    from asn1crypto import cms

    content = cms.ContentInfo.load(token, strict=True)["content"]
    (information,) = content["signer_infos"]
    certificates = [one.chosen for one in content["certificates"] if one.name == "certificate"]
    (signer,) = (one for one in certificates if _is_named(one, information["sid"].chosen))
    return Token(
        tuple(_plain(one) for one in _upwards(signer, certificates)),
        bytes(content["encap_content_info"]["content"]),
        information["signed_attrs"].untag().dump(),
        lower(information["signature"].native, signer.dump()),
    )


def written(token: Token) -> bytes:
    """The DER bytes of a timestamp token, written here by hand: what was signed must not be touched by a library."""
    from asn1crypto import algos, cms, x509

    signer = x509.Certificate.load(token.certificates[0])
    attributes = cms.CMSAttributes.load(token.signed_attributes)
    (digest,) = (one["values"][0].native for one in attributes if one["type"].native == "message_digest")
    name = _HASHES[len(digest)]
    digest_algorithm = _der(0x30, algos.DigestAlgorithmId(name).dump())
    information = _der(
        0x30,
        _der(0x02, b"\x01"),
        _der(0x30, signer.issuer.dump(), signer["tbs_certificate"]["serial_number"].dump()),
        digest_algorithm,
        _der(0xA0, attributes.contents),
        algos.SignedDigestAlgorithm({"algorithm": f"{name}_{_kind(signer)}"}).dump(),
        _der(0x04, token.signature),
    )
    content = _der(
        0x30,
        _der(0x02, b"\x03"),
        _der(0x31, digest_algorithm),
        _der(0x30, cms.ContentType("tst_info").dump(), _der(0xA0, _der(0x04, token.said))),
        _der(0xA0, *sorted(token.certificates)),
        _der(0x31, information),
    )
    return _der(0x30, cms.ContentType("signed_data").dump(), _der(0xA0, content))


def _taken_apart(der: bytes) -> tuple[Parts, set[bytes]]:
    """The parts, and the SHA-256 of each certificate that the signed attributes name."""
    from asn1crypto import cms

    content = cms.ContentInfo.load(der, strict=True)["content"]
    (information,) = content["signer_infos"]
    attributes = information["signed_attrs"].untag()
    (named,) = (one["values"][0] for one in attributes if one["type"].native == "signing_certificate_v2")
    first, *others = (one["cert_hash"].native for one in named["certs"])
    certificates = {hashlib.sha256(one.dump()).digest(): one.dump() for one in content["certificates"]}
    ordered = (certificates.pop(first), *certificates.values())
    token, _ = timestamp(der) or (None, None)
    return Parts(ordered, attributes.dump(), information["signature"].native, token), {first, *others}


def _kind(certificate: "x509.Certificate") -> str:
    return {"rsa": "rsa", "ec": "ecdsa"}[certificate.public_key.algorithm]


def _is_named(certificate: "x509.Certificate", name: Any) -> bool:
    """Whether a signer's name in a container, issuer and number or key identifier, is that of the certificate."""
    from asn1crypto import cms

    if isinstance(name, cms.IssuerAndSerialNumber):
        return bool((name["issuer"], name["serial_number"].native) == (certificate.issuer, certificate.serial_number))
    return bool(name.native == certificate.key_identifier)


def _upwards(signer: "x509.Certificate", certificates: "list[x509.Certificate]") -> "Iterator[x509.Certificate]":
    """The signer's certificate and those above it, up to a root, which is left out: the reader holds it or not."""
    one: x509.Certificate | None = signer
    left = [other for other in certificates if other is not signer]
    while one is not None:
        yield one
        issuer = one.issuer
        one = next((other for other in left if other.subject == issuer and other.issuer != other.subject), None)
        left = [other for other in left if other is not one]


def _plain(certificate: "x509.Certificate") -> bytes:
    """The certificate without what its issuer's signature leaves open: its outer layers written anew."""
    from asn1crypto import x509

    inner = certificate["tbs_certificate"]
    parts = {"tbs_certificate": inner, "signature_algorithm": inner["signature"]}
    data: bytes = x509.Certificate({**parts, "signature_value": certificate["signature_value"]}).dump()
    return data


def _der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(length))) + length + body
