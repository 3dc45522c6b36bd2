"""The CMS container of a seal, in the one form that pepforms writes.

CMS leaves much open that a signature does not cover: version numbers, optional parameters, further certificates,
attributes added later. A container written here has no such freedom: everything in it is either covered by the
signature or fixed. So `assemble` of what a container holds gives the container again, byte for byte, or the container
was changed (or is not ours).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parts:
    """What a container holds: the signer's certificate first, the signed attributes (a DER SET), the signature."""

    certificates: tuple[bytes, ...]
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
    signature_algorithm = {"rsa": "sha256_rsa", "ec": "sha256_ecdsa"}[signer.public_key.algorithm]
    information = cms.SignerInfo({
        "version": "v1",
        "sid": {"issuer_and_serial_number": {"issuer": signer.issuer, "serial_number": signer.serial_number}},
        "digest_algorithm": digest_algorithm,
        "signed_attrs": cms.CMSAttributes.load(parts.signed_attributes),
        "signature_algorithm": {"algorithm": signature_algorithm},
        "signature": parts.signature,
    })  # fmt: skip
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
        return carried == named and assemble(parts) == der
    except (ValueError, LookupError, TypeError, AttributeError):  # how asn1crypto says that it is no such thing
        return False


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
    return Parts(ordered, attributes.dump(), information["signature"].native), {first, *others}
