"""The authority's seal: which keys it takes, what it writes, and how it says that a key will not do."""

import datetime as dt
import io
import re
import stat
import subprocess
from pathlib import Path

import docx
import pytest
import rdocx
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader

from pepforms.archive.seal import DEMONSTRATION, Sealer, make_demonstration_key
from pepforms.archive.stamp import finish
from pepforms.errors import Misconfigured, Refused

PASSPHRASE = b"correct horse battery staple"
NOW = dt.datetime.now(dt.UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@pytest.fixture(scope="module")
def pdf() -> bytes:
    """A finished PDF, ready to be sealed."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading("Personal Education Plan", 1)
    word.save(buffer)
    return finish(bytes(rdocx.Document.from_bytes(buffer.getvalue()).to_pdfa_deterministic("pdfa-3b")), title="PEP")


def certificate(
    key: Key,
    subject: str,
    *,
    issuer: str = "",
    signed_by: Key | None = None,
    days: tuple[int, int] = (-1, 365),
    **usage: bool,
) -> x509.Certificate:
    """A certificate valid from and until so many days from now."""
    flags = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names = (*flags, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or subject)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + dt.timedelta(days=days[0]))
        .not_valid_after(NOW + dt.timedelta(days=days[1]))
        .add_extension(
            x509.KeyUsage(**{name: (usage or {"digital_signature": True}).get(name, False) for name in names}), True
        )
        .add_extension(x509.BasicConstraints(ca="key_cert_sign" in usage, path_length=None), True)
        .sign(signed_by or key, hashes.SHA256())
    )


def key_file(
    path: Path, key: Key | None, of: x509.Certificate | None, chain: list[x509.Certificate] | None = None
) -> Path:
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"seal", key, of, chain, BestAvailableEncryption(PASSPHRASE))
    )
    return path


def container(sealed: bytes) -> cms.SignedData:
    (digits,) = re.findall(rb"/Contents <([0-9A-F]+)>", sealed)
    return cms.ContentInfo.load(bytes.fromhex(digits.decode()))["content"]


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 3072), ec.generate_private_key(ec.SECP256R1())], ids=["RSA", "ECDSA"]
)
def test_both_kinds_of_key_make_a_seal_that_another_program_finds_valid(pdf: bytes, tmp_path: Path, key: Key) -> None:
    sealer = Sealer.load(
        key_file(tmp_path / "seal.p12", key, certificate(key, "London Borough of Testing")), PASSPHRASE
    )
    (tmp_path / "sealed.pdf").write_bytes(sealer.seal(pdf))
    said = subprocess.run(["pdfsig", "sealed.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    for words in (
        "Signature is Valid",
        "Total document signed",
        "ETSI.CAdES.detached",
        "SHA-256",
        "London Borough of Testing",
    ):
        assert words in said


def test_qpdf_finds_a_sealed_file_sound(pdf: bytes, demonstration: Sealer, tmp_path: Path) -> None:
    (tmp_path / "sealed.pdf").write_bytes(demonstration.seal(pdf))
    assert (
        subprocess.run(["qpdf", "--check", tmp_path / "sealed.pdf"], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    path = tmp_path_factory.mktemp("key") / "demonstration.p12"
    make_demonstration_key(path, PASSPHRASE)
    return Sealer.load(path, PASSPHRASE)


def test_sealing_adds_to_the_file_and_touches_nothing_in_it(pdf: bytes, demonstration: Sealer) -> None:
    sealed = demonstration.seal(pdf, at=NOW - dt.timedelta(hours=1), reason="Signed off", location="Testing")
    assert sealed.startswith(pdf)
    assert b"<?xpacket" not in sealed[len(pdf) :], "what the file says of itself is the stamp's"
    assert b"/DocMDP" in sealed[len(pdf) :]
    assert b"/P 1" in sealed[len(pdf) :], "no change is permitted"
    (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    assert signature.self_reported_timestamp == (NOW - dt.timedelta(hours=1)).replace(microsecond=0)


def test_the_container_carries_the_chain_without_its_root_and_names_all_it_carries(pdf: bytes, tmp_path: Path) -> None:
    root_key, issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = certificate(root_key, "Root", key_cert_sign=True)
    issuer = certificate(issuer_key, "Issuer", issuer="Root", signed_by=root_key, key_cert_sign=True)
    leaf = certificate(key, "Authority", issuer="Issuer", signed_by=issuer_key)
    sealer = Sealer.load(key_file(tmp_path / "seal.p12", key, leaf, [issuer, root]), PASSPHRASE)
    data = container(sealer.seal(pdf))
    assert {one.chosen.subject.native["common_name"] for one in data["certificates"]} == {"Authority", "Issuer"}
    attributes = {one["type"].native: one["values"][0] for one in data["signer_infos"][0]["signed_attrs"]}
    named = [one["cert_hash"].native for one in attributes["signing_certificate_v2"]["certs"]]
    assert named == [leaf.fingerprint(hashes.SHA256()), issuer.fingerprint(hashes.SHA256())]


def test_a_demonstration_key_says_what_it_is_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "demonstration.p12"
    make_demonstration_key(path, PASSPHRASE)
    sealer = Sealer.load(path, PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sealer.certificate.subject.rfc4514_string() == f"CN={DEMONSTRATION}".replace(",", r"\,")
    assert sealer.fingerprint == sealer.certificate.fingerprint(hashes.SHA256()).hex()
    assert x509.load_pem_x509_certificate(sealer.certificate_pem) == sealer.certificate
    with pytest.raises(Misconfigured) as refused:
        make_demonstration_key(path, PASSPHRASE)
    assert refused.value.slug == "seal-key-unwritable"


def test_a_wrong_passphrase_is_misconfigured_and_the_message_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    make_demonstration_key(path, PASSPHRASE)
    with pytest.raises(Misconfigured, match=re.escape(str(path))) as refused:
        Sealer.load(path, b"hunter2 in vain")
    assert refused.value.slug == "seal-key-locked"
    assert "hunter2" not in f"{refused.value!r}{refused.value.__cause__!r}"
    assert PASSPHRASE.decode() not in repr(Sealer.load(path, PASSPHRASE))


def unfit_keys(folder: Path) -> dict[str, Path]:
    """A key file for each thing that can be wrong with one, by the slug that says so."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    weak = rsa.generate_private_key(65537, 1024)
    (folder / "junk.p12").write_bytes(b"no key at all")
    return {
        "seal-key-unreadable": folder / "absent.p12",
        "seal-key-locked": folder / "junk.p12",
        "seal-key-expired": key_file(folder / "old.p12", key, certificate(key, "Old", days=(-20, -10))),
        "seal-key-not-yet-valid": key_file(folder / "early.p12", key, certificate(key, "Early", days=(10, 20))),
        "seal-key-unsuitable": key_file(folder / "web.p12", key, certificate(key, "Web", key_encipherment=True)),
        "seal-key-weak": key_file(folder / "weak.p12", weak, certificate(weak, "Weak")),
        "seal-key-incomplete": key_file(folder / "bare.p12", None, None, [certificate(other, "Other")]),
    }


def test_a_key_that_will_not_do_is_misconfigured_and_named(tmp_path: Path) -> None:
    for slug, path in unfit_keys(tmp_path).items():
        with pytest.raises(Misconfigured, match=re.escape(str(path))) as refused:
            Sealer.load(path, PASSPHRASE)
        assert refused.value.slug == slug


def pem_file(path: Path, key: Key, *parts: x509.Certificate, passphrase: bytes | None, form: PrivateFormat) -> Path:
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    written = key.private_bytes(Encoding.PEM, form, protection)
    path.write_bytes(b"".join(part.public_bytes(Encoding.PEM) for part in parts) + written)
    return path


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS#8", "traditional"])
@pytest.mark.parametrize("passphrase", [PASSPHRASE, None], ids=["locked", "open"])
def test_a_pem_file_is_as_good_in_whatever_order_its_parts_stand(
    pdf: bytes, tmp_path: Path, form: PrivateFormat, passphrase: bytes | None
) -> None:
    issuer_key, key = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    issuer = certificate(issuer_key, "Issuer", issuer="Root", key_cert_sign=True)
    leaf = certificate(key, "Authority", issuer="Issuer", signed_by=issuer_key)
    path = pem_file(tmp_path / "seal.pem", key, issuer, leaf, passphrase=passphrase, form=form)
    sealer = Sealer.load(path, PASSPHRASE)
    assert (sealer.certificate, sealer.chain) == (leaf, (issuer,))
    assert sealer.seal(pdf).startswith(pdf)


def test_a_pem_file_that_will_not_do_is_misconfigured_and_named(tmp_path: Path) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    own, theirs = certificate(key, "Authority"), certificate(other, "Another")
    pkcs8 = PrivateFormat.PKCS8
    (tmp_path / "certificate.pem").write_bytes(own.public_bytes(Encoding.PEM))
    (tmp_path / "damaged.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    cases = {
        pem_file(tmp_path / "locked.pem", key, own, passphrase=b"another one", form=pkcs8): "seal-key-locked",
        pem_file(tmp_path / "alone.pem", key, passphrase=None, form=pkcs8): "seal-key-incomplete",
        pem_file(tmp_path / "theirs.pem", key, theirs, passphrase=None, form=pkcs8): "seal-key-incomplete",
        tmp_path / "certificate.pem": "seal-key-incomplete",
        tmp_path / "damaged.pem": "seal-key-locked",
    }
    for path, slug in cases.items():
        with pytest.raises(Misconfigured, match=re.escape(str(path))) as refused:
            Sealer.load(path, PASSPHRASE)
        assert refused.value.slug == slug, path.name


def test_a_time_at_which_the_certificate_is_not_valid_cannot_be_claimed(pdf: bytes, demonstration: Sealer) -> None:
    with pytest.raises(Misconfigured) as refused:
        demonstration.seal(pdf, at=NOW + dt.timedelta(days=4000))
    assert refused.value.slug == "seal-key-expired"


def test_only_a_sound_pdf_without_a_seal_is_sealed(pdf: bytes, demonstration: Sealer) -> None:
    for slug, data in {"unsealable-pdf": b"no PDF", "already-sealed": demonstration.seal(pdf)}.items():
        with pytest.raises(Refused) as refused:
            demonstration.seal(data)
        assert refused.value.slug == slug
