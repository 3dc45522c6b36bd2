"""Whom a reader trusts, and the rules of time and revocation: all of them stand here.

- A seal is judged **at its time**: the time that a trusted timestamp proves, else the time that the seal claims.
- The seal's certificate may be for anything but web sites, programs, timestamps and revocation answers alone; every
  certificate from it up to the anchor, the anchor among them, was valid at that time.
- **Revocation** is read from the lists (CRLs) that lie beside the anchors, without a network. A list counts if the
  issuer that it names signed it. It never grows old: that a certificate was revoked stays true.
- A revoked certificate vouches for a seal only where a timestamp **proves** that the seal was made before. A time that
  is merely claimed proves nothing: whoever stole the key can claim any.
- The revocation counts from its date, or from the day since when the key may have been in wrong hands (the list's
  invalidity date), whichever is earlier.
- A **time-stamp authority's** certificate must be meant for timestamps alone. Revoked, it vouches for earlier
  timestamps only where the list gives one of the reasons that leave its key unharmed (RFC 3161, section 4).
"""

import datetime as dt
import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asn1crypto import x509 as asn1_x509
    from cryptography import x509
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.path import ValidationPath

_BEGINS_CERTIFICATE, _BEGINS_LIST = b"-----BEGIN CERTIFICATE-----", b"-----BEGIN X509 CRL-----"


@dataclass(frozen=True, slots=True)
class Trust:
    """PEM files, as bytes: certificates, and lists of revoked ones. Those of `clocks` vouch for timestamps alone."""

    seals: tuple[bytes, ...] = ()
    clocks: tuple[bytes, ...] = ()

    def anchors(self, *, of_clocks: bool = False) -> "list[x509.Certificate]":
        """The certificates that vouch for seals, or for timestamps."""
        return [one for pem in self.seals + (self.clocks if of_clocks else ()) for one in read(pem)[0]]

    def lists(self) -> "list[x509.CertificateRevocationList]":
        """Every revocation list."""
        return [one for pem in self.seals + self.clocks for one in read(pem)[1]]

    def context(self, moment: dt.datetime, *, of_clocks: bool = False) -> "ValidationContext":
        """What pyHanko needs to look for a path to an anchor, as of a moment; nothing is fetched."""
        from pyhanko_certvalidator import ValidationContext

        roots = [_as_asn1(anchor) for anchor in self.anchors(of_clocks=of_clocks)]
        return ValidationContext(trust_roots=roots, moment=moment, allow_fetching=False)


@dataclass(frozen=True, slots=True)
class Revocation:
    """Since when a certificate is not to be relied on, and whether its key was unharmed until then."""

    since: dt.datetime
    key_unharmed: bool


@functools.cache
def hush() -> None:
    """What the libraries log about a bad file is a finding here, told once; their words may quote the file."""
    for name in ("pypdf", "pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@functools.lru_cache(64)
def read(pem: bytes) -> "tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]":
    """The certificates and the revocation lists of a PEM file; ValueError if a part cannot be read or there is none."""
    from cryptography import x509

    certificates = x509.load_pem_x509_certificates(pem) if _BEGINS_CERTIFICATE in pem else []
    lists = [x509.load_pem_x509_crl(_BEGINS_LIST + rest) for rest in pem.split(_BEGINS_LIST)[1:]]
    if not certificates and not lists:
        raise ValueError("neither a certificate nor a revocation list")
    return certificates, lists


def stands(
    path: "ValidationPath | None", signer: "asn1_x509.Certificate", trust: Trust, at: dt.datetime, *, proven: bool
) -> bool:
    """Whether the certificates from a seal's up to the anchor vouch for it at its time, which is proven or not."""
    chain = _chain(path, signer)
    return may_seal(chain[0]) and _good(chain, trust, at, lambda revoked: proven and at < revoked.since)


def clock_stands(path: "ValidationPath | None", signer: "asn1_x509.Certificate", trust: Trust, at: dt.datetime) -> bool:
    """Whether the certificates from a time-stamp authority's up to the anchor vouch for a timestamp of that time."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    chain = _chain(path, signer)
    is_clock = _purposes(chain[0]) == {ExtendedKeyUsageOID.TIME_STAMPING}
    return is_clock and _good(chain, trust, at, lambda revoked: revoked.key_unharmed and at < revoked.since)


def _good(
    chain: "list[x509.Certificate]", trust: Trust, at: dt.datetime, is_spared: Callable[[Revocation], bool]
) -> bool:
    """Whether every certificate was valid then, and none was revoked in a way that matters."""
    issuers, lists = [*chain, *trust.anchors(of_clocks=True)], trust.lists()
    revoked = (revocation(one, issuers, lists) for one in chain)
    return all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in chain) and all(
        one is None or is_spared(one) for one in revoked
    )


def may_seal(certificate: "x509.Certificate") -> bool:
    """Whether it may seal documents: below the same root others have certificates for web sites and the like."""
    from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

    purposes = _purposes(certificate)
    others = {Purpose.SERVER_AUTH, Purpose.CODE_SIGNING, Purpose.TIME_STAMPING, Purpose.OCSP_SIGNING}
    return purposes is None or not purposes <= others


def _purposes(certificate: "x509.Certificate") -> "set[x509.ObjectIdentifier] | None":
    """What the certificate is meant for; None where it does not say."""
    from cryptography import x509

    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return None


def revocation(
    certificate: "x509.Certificate",
    issuers: "Sequence[x509.Certificate]",
    lists: "Iterable[x509.CertificateRevocationList]",
) -> Revocation | None:
    """The earliest revocation of a certificate in the lists that its issuer signed; None if there is none."""
    found = [
        _told(entry)
        for one in lists
        if one.issuer == certificate.issuer and _is_signed(one, certificate, issuers)
        if (entry := one.get_revoked_certificate_by_serial_number(certificate.serial_number))
    ]
    return min(found, key=lambda one: one.since) if found else None


def is_issued_by(certificate: "x509.Certificate", issuer: "x509.Certificate") -> bool:
    """Whether the issuer's name and key are those that made the certificate."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_signed(
    one: "x509.CertificateRevocationList", certificate: "x509.Certificate", issuers: "Sequence[x509.Certificate]"
) -> bool:
    keys: list[Any] = [issuer.public_key() for issuer in issuers if is_issued_by(certificate, issuer)]
    return any(one.is_signature_valid(key) for key in keys)


def _told(entry: "x509.RevokedCertificate") -> Revocation:
    from cryptography import x509

    since, reason = entry.revocation_date_utc, x509.ReasonFlags.unspecified
    for extension in entry.extensions:
        if isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date_utc)
        elif isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
    unharmed = (
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    )
    return Revocation(since, reason in unharmed)


def _chain(path: "ValidationPath | None", signer: "asn1_x509.Certificate") -> "list[x509.Certificate]":
    """The certificates from the signer's up to the anchor, each once."""
    from cryptography import x509

    above = reversed([*path.iter_certs(include_root=True)]) if path else ()
    ders = dict.fromkeys(one.dump() for one in (signer, *above))
    return [x509.load_der_x509_certificate(der) for der in ders]


def _as_asn1(certificate: "x509.Certificate") -> "asn1_x509.Certificate":
    from asn1crypto import x509 as asn1_x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
