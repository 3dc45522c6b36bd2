"""The authority's seal: an invisible PAdES signature that certifies the record and permits no change.

The key comes from a PKCS#12 or a PEM file and stays in memory as a ready key object: pyHanko's own signer parses and
checks an RSA key anew at every signature, 300 ms each. Where a time-stamp authority is set, the seal carries its proof
of the time (PAdES-B-T).
"""

import datetime as dt
import functools
import io
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pepforms.archive import container, timestamp
from pepforms.archive.trust import may_seal
from pepforms.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

DEMONSTRATION = "pepforms demonstration, not a real seal"
"""The subject of the throwaway key: nobody shall take its seal for an authority's."""

_FIELD = "Seal"
_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Sealer:
    """A loaded key with its certificate and the chain above it; `seal` may be called as often as wanted."""

    certificate: "x509.Certificate"
    chain: "tuple[x509.Certificate, ...]" = field(repr=False)
    _key: "Key" = field(repr=False)
    _file: Path = field(repr=False)
    _clock: timestamp.Authority | None = field(default=None, repr=False)

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None, clock: timestamp.Authority | None = None) -> "Sealer":
        """The seal of a key file, fit to seal now; what is wrong with it is Misconfigured.

        The file is PKCS#12 (`.p12`, `.pfx`), or PEM with the key, its certificate and those above it.
        """
        sealer = cls.read(path, passphrase, clock)
        sealer.check_usable(dt.datetime.now(dt.UTC))
        return sealer

    @classmethod
    def read(cls, path: Path, passphrase: bytes | None, clock: timestamp.Authority | None = None) -> "Sealer":
        """The same, be its certificate expired or not: what it has sealed is verified for good."""
        key, certificate, chain = _checked(path, *_opened(path, passphrase))
        return cls(certificate, chain, key, path, clock)

    def __reduce__(self) -> NoReturn:
        """Never pickled: the key stays in the process that read it."""
        raise TypeError("a seal is not pickled")

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as an anchor of trust for `verify`; it holds no secret."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The certificate's SHA-256 in lower-case hex, to compare with what the authority published."""
        from cryptography.hazmat.primitives.hashes import SHA256

        return self.certificate.fingerprint(SHA256()).hex()

    def seal(
        self,
        pdf: bytes,
        *,
        at: dt.datetime | None = None,
        reason: str | None = None,
        location: str | None = None,
        on_top: bool = False,
    ) -> bytes:
        """The PDF with the seal appended; its own bytes are not touched. `at` is the time that the seal claims.

        `on_top` of somebody else's signature the seal approves and certifies nothing, so that the first stays valid.
        """
        from pyhanko.pdf_utils.misc import PdfError

        moment = (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).replace(microsecond=0)
        self.check_usable(moment)
        try:
            return _sealed(pdf, self, moment, reason, location, on_top=on_top)
        except (PdfError, OSError, ValueError) as failed:
            raise Refused(
                f"The PDF could not be sealed ({type(failed).__name__}): it is no PDF or a damaged one. Make it again.",
                slug="unsealable-pdf",
            ) from None

    def check_usable(self, moment: dt.datetime) -> None:
        """Misconfigured where the certificate is not valid at that moment."""
        start, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        if moment > end:
            raise _misconfigured(
                self._file,
                f"holds a certificate that expired on {end:%d %B %Y}. Ask the authority's certificate holder for the "
                "new one and put it in this place",
                "seal-key-expired",
            )
        if moment < start:
            raise _misconfigured(
                self._file,
                f"holds a certificate that is valid only from {start:%d %B %Y %H:%M} UTC. "
                "Check this computer's clock, or use the earlier key",
                "seal-key-not-yet-valid",
            )

    def _container(self, digest: bytes, moment: dt.datetime) -> bytes:
        attributes = container.signed_attributes(digest, self._certificates)
        signature = self._signed(attributes)
        token = self._clock.stamp(signature, moment) if self._clock else None
        return container.assemble(container.Parts(self._certificates, attributes, signature, token))

    def _room(self) -> int:
        """Bytes that the container takes at most."""
        without_time = _longest_container(self._certificates, _longest_signature(self._key))
        return without_time + (timestamp.LARGEST if self._clock else 0)

    @property
    def _certificates(self) -> tuple[bytes, ...]:
        from cryptography.hazmat.primitives.serialization import Encoding

        return tuple(one.public_bytes(Encoding.DER) for one in (self.certificate, *self.chain))

    def _signed(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256

        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), SHA256())
        return container.lower(self._key.sign(data, ec.ECDSA(SHA256())), self._certificates[0])


def make_demonstration_key(path: Path, passphrase: bytes) -> None:
    """Write a throwaway key (ECDSA P-256, self-signed, ten years) that only its owner can read; never over a file."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key).sign(key, hashes.SHA256())
    data = pkcs12.serialize_key_and_certificates(
        b"pepforms demonstration", key, certificate, None, BestAvailableEncryption(passphrase)
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as failed:
        raise _misconfigured(
            path,
            f"could not be written ({failed.strerror}). Choose a new name in your own folder",
            "seal-key-unwritable",
        ) from None


def _self_signed(key: "ec.EllipticCurvePrivateKey") -> "x509.CertificateBuilder":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEMONSTRATION)])
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    usage = {"digital_signature": True, "content_commitment": True}
    others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    # Valid from yesterday: hosts whose clocks differ a little must all find their own seals in time.
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3652))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(**usage, **dict.fromkeys((*others, "encipher_only", "decipher_only"), False)), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


# --- the key file ----------------------------------------------------------------------------------------------------


def _opened(path: Path, passphrase: bytes | None) -> "tuple[Any, x509.Certificate | None, list[x509.Certificate]]":
    """The key of a file, the certificate that is the key's, and the other certificates."""
    data = _read(path)
    pem = b"-----BEGIN " in data
    try:
        return (_opened_pem if pem else _opened_pkcs12)(data, passphrase or None)
    except (ValueError, TypeError):  # one error for a wrong passphrase and for a file that is no such thing
        kind = "PEM" if pem else "PKCS#12 (.p12, .pfx) or PEM"
        raise _misconfigured(
            path,
            f"could not be opened: the passphrase is wrong, or it is no {kind} file. "
            "Check PEPFORMS_SEAL_KEY_FILE and PEPFORMS_SEAL_PASSPHRASE_FILE",
            "seal-key-locked",
        ) from None


def _opened_pkcs12(
    data: bytes, passphrase: bytes | None
) -> "tuple[Any, x509.Certificate | None, list[x509.Certificate]]":
    from cryptography.hazmat.primitives.serialization import pkcs12

    return pkcs12.load_key_and_certificates(data, passphrase)


def _opened_pem(data: bytes, passphrase: bytes | None) -> "tuple[Any, x509.Certificate | None, list[x509.Certificate]]":
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = re.search(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", data, re.DOTALL)
    if not found:
        return None, None, []
    written = found.group()
    # A passphrase for a key that is not locked is no fault of the file's: both may come from one set-up.
    key = load_pem_private_key(written, passphrase if b"ENCRYPTED" in written else None)
    certificates = x509.load_pem_x509_certificates(data) if b"-----BEGIN CERTIFICATE-----" in data else []
    own = next((one for one in certificates if one.public_key() == key.public_key()), None)
    return key, own, [one for one in certificates if one is not own]


def _checked(
    path: Path, key: Any, certificate: "x509.Certificate | None", others: "list[x509.Certificate]"
) -> "tuple[Key, x509.Certificate, tuple[x509.Certificate, ...]]":
    """What was found in a key file, if a seal can be made with it."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if key is None or certificate is None:
        raise _misconfigured(path, "holds no key with its certificate. Export both into it", "seal-key-incomplete")
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise _misconfigured(path, "holds neither an RSA nor an ECDSA key. Use one of these", "seal-key-unsuitable")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _SMALLEST_RSA:
        raise _misconfigured(path, f"holds an RSA key below {_SMALLEST_RSA} bits. Use a longer one", "seal-key-weak")
    if key.public_key() != certificate.public_key():
        raise _misconfigured(path, "holds a certificate of another key. Export both anew", "seal-key-incomplete")
    _check_purpose(path, certificate)
    # A root is trusted because the reader holds it, not because the file brings it along.
    chain = tuple(other for other in others if other.issuer != other.subject)
    return key, certificate, chain


def _check_purpose(path: Path, certificate: "x509.Certificate") -> None:
    from cryptography import x509

    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        signs = usage.digital_signature or usage.content_commitment
    except x509.ExtensionNotFound:
        signs = True
    if not signs or not may_seal(certificate):
        raise _misconfigured(
            path, "holds a certificate not meant for signing documents. Ask for a sealing certificate",
            "seal-key-unsuitable",
        )  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failed:
        raise _misconfigured(
            path,
            f"could not be read ({failed.strerror}). Set PEPFORMS_SEAL_KEY_FILE to the PKCS#12 or PEM file of the seal",
            "seal-key-unreadable",
        ) from None


def _misconfigured(path: Path, what: str, slug: str) -> Misconfigured:
    return Misconfigured(f"The seal's key file {path} {what}.", slug=slug)


# --- the signature ---------------------------------------------------------------------------------------------------


def _sealed(
    pdf: bytes, sealer: Sealer, moment: dt.datetime, reason: str | None, location: str | None, *, on_top: bool = False
) -> bytes:
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers import constants
    from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
    from pyhanko.sign.signers.pdf_byterange import SignatureObject

    writer = _appender(pdf)
    if writer.prev.embedded_signatures and not on_top:
        raise Refused("The PDF is sealed already: a second seal would break the first.", slug="already-sealed")
    writer.ensure_output_version(version=(1, 7))  # type: ignore[no-untyped-call]
    writer.register_extension(constants.ESIC_EXTENSION_1)  # says that the file uses PAdES, as ETSI EN 319 142-1 asks
    # pyHanko's own PdfSigner would take the time from the clock alone and the key from an encoding parsed every time.
    taken = {signature.field_name for signature in writer.prev.embedded_signatures}
    name = next(name for name in (_FIELD, *(f"{_FIELD} {n}" for n in range(2, len(taken) + 3))) if name not in taken)
    embedding = PdfCMSEmbedder(SigFieldSpec(name)).write_cms(name, writer)
    next(embedding)
    placeholder = SignatureObject(
        timestamp=moment,
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * sealer._room(),
        reason=reason,
        location=location,
    )
    permissions = SigMDPSetup(md_algorithm="sha256", certify=not on_top, docmdp_perms=MDPPerm.NO_CHANGES)
    embedding.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=permissions))
    prepared, output = embedding.send(SigIOSetup(md_algorithm="sha256", output=io.BytesIO()))
    embedding.send(sealer._container(prepared.document_digest, moment))
    sealed: bytes = output.getvalue()
    return sealed


def _appender(pdf: bytes) -> "IncrementalPdfFileWriter":
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    class Appender(IncrementalPdfFileWriter):
        def _update_meta(self) -> None:
            """Write no metadata: pyHanko would add its own name and the time of day to what the stamp wrote."""

    return Appender(io.BytesIO(pdf))


@functools.lru_cache(maxsize=4)
def _longest_container(certificates: tuple[bytes, ...], signature: bytes) -> int:
    attributes = container.signed_attributes(bytes(32), certificates)
    return len(container.assemble(container.Parts(certificates, attributes, signature)))


def _longest_signature(key: "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey") -> bytes:
    """A stand-in as long as a signature of the key can be: ECDSA writes two integers, each with a header and a sign."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    octets = (key.key_size + 7) // 8
    return bytes(octets if isinstance(key, rsa.RSAPrivateKey) else 2 * (octets + 3) + 3)
