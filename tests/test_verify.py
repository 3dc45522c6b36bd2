"""Verifying: the facts about a record, and that no byte of it can change unnoticed."""

import datetime as dt
import io
import json
import random
import re
from pathlib import Path
from typing import Any

import docx
import pikepdf
import pytest
import rdocx
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from pepforms.archive import seal
from pepforms.archive.seal import Sealer, make_demonstration_key
from pepforms.archive.stamp import Embedded, Stamp, finish
from pepforms.archive.verify import Facts, explain, verify
from pepforms.digest import canonical, pep_digest

PASSPHRASE = b"open sesame"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def signed_pep() -> dict[str, Any]:
    """A PEP signed off by one person; only what a record needs."""
    pep: dict[str, Any] = {"pep": {"id": "PEP-2026-0042", "version": 2}, "child": {"lcs_person_id": "L-1234"}}
    pep["sign_offs"] = [{"role": "virtual_school_officer", "name": "Sasha Mockworth", "digest": pep_digest(pep)}]
    return pep


def embedded(data: bytes) -> Embedded:
    return Embedded("pep.json", data, "application/json", "The Personal Education Plan as data")


@pytest.fixture(scope="module")
def converted() -> bytes:
    """A tagged PDF as the converter makes it."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading("Personal Education Plan", 1)
    word.add_paragraph("An invented plan.")
    word.save(buffer)
    return bytes(rdocx.Document.from_bytes(buffer.getvalue()).to_pdfa_deterministic("pdfa-3b"))


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    path = tmp_path_factory.mktemp("key") / "seal.p12"
    make_demonstration_key(path, PASSPHRASE)
    return Sealer.load(path, PASSPHRASE)


@pytest.fixture(scope="module")
def finished(converted: bytes) -> bytes:
    stamp = Stamp(
        "Signed off by the Virtual School on 19 November 2026", ("Sasha Mockworth", "PEP-2026-0042, version 2")
    )
    return finish(converted, title="PEP", stamp=stamp, embedded=embedded(canonical(signed_pep())))


@pytest.fixture(scope="module")
def record(finished: bytes, sealer: Sealer) -> bytes:
    """A sealed record that holds."""
    return sealer.seal(finished, at=NOW)


def verified(data: bytes, sealer: Sealer) -> Facts:
    return verify(data, trust=[sealer.certificate_pem])


def contents(record: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the seal's container begin and end."""
    found = re.search(rb"/Contents <([0-9A-F]+)>", record)
    assert found
    return found.span(1)


def assert_falls(data: bytes, sealer: Sealer) -> None:
    facts = verified(data, sealer)
    assert not facts.holds
    assert explain(facts), "no fact was named"


def test_a_record_holds_and_every_fact_is_told(record: bytes, sealer: Sealer) -> None:
    facts = verified(record, sealer).as_json()
    assert len(facts.pop("sha256")) == 64
    assert facts == {
        "problem": None,
        "pages": 1,
        "pdfa": {"claims": "PDF/A-3a", "conforms": None},
        "pdfua": {"claims": "PDF/UA-1", "conforms": None},
        "validated_by": None,
        "seal": {
            "present": True,
            "intact": True,
            "valid": True,
            "trusted": True,
            "time_proven": None,
            "covers_whole_document": True,
            "signer": "pepforms demonstration, not a real seal",
            "at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        },
        "data": {"embedded": True, "digest_matches_sign_off": True},
        "child": {"lcs_person_id": "L-1234"},
        "pep": {"id": "PEP-2026-0042", "version": 2},
        "holds": True,
    }
    assert explain(verified(record, sealer)) == []
    assert verify(record, trust=[sealer.certificate]).holds, "a certificate object is as good as PEM"


def test_no_single_byte_can_change_unnoticed(record: bytes, sealer: Sealer) -> None:
    chance = random.Random(20261119)
    for place in chance.sample(range(len(record)), 150):
        changed = bytearray(record)
        changed[place] ^= 1 << chance.randrange(8)
        assert_falls(bytes(changed), sealer)


def test_no_digit_of_the_container_can_change_unnoticed(record: bytes, sealer: Sealer) -> None:
    begin, end = contents(record)
    chance = random.Random(7)
    for place in [*chance.sample(range(begin, end), 100), begin - 1, begin, end - 2, end - 1, end]:
        changed = bytearray(record)
        changed[place] = ord(chance.choice([digit for digit in "0123456789ABCDEF" if ord(digit) != changed[place]]))
        assert_falls(bytes(changed), sealer)


def test_another_way_to_write_the_same_container_is_seen(record: bytes, sealer: Sealer) -> None:
    begin, end = contents(record)
    digits = record[begin:end]
    letter = next(place for place, digit in enumerate(digits) if digit in b"ABCDEF")
    for other in (
        digits.lower(),
        digits[:letter] + digits[letter : letter + 1].lower() + digits[letter + 1 :],
        digits[:-1] + b" ",
        digits[:-2] + b"01",
    ):
        facts = verified(record[:begin] + other + record[end:], sealer)
        assert facts.seal.intact is False
        assert not facts.holds


def reassembled(record: bytes, change: str) -> bytes:
    """The record with something that the signature does not cover changed inside its container, sizes kept."""
    begin, end = contents(record)
    whole = cms.ContentInfo.load(bytes.fromhex(record[begin:end].decode()))
    data = whole["content"]
    match change:
        case "version":
            data["version"] = "v3"
        case "signer version":
            data["signer_infos"][0]["version"] = "v3"
        case "digest algorithms":
            data["digest_algorithms"] = [{"algorithm": "sha512"}]
    digits: bytes = whole.dump(force=True).hex().upper().encode()
    return record[:begin] + digits.ljust(end - begin, b"0") + record[end:]


@pytest.mark.parametrize("change", ["version", "signer version", "digest algorithms"])
def test_what_the_signature_leaves_open_in_the_container_cannot_change(
    record: bytes, sealer: Sealer, change: str
) -> None:
    facts = verified(reassembled(record, change), sealer)
    assert (facts.seal.intact, facts.holds) == (False, False)
    assert verified(reassembled(record, "nothing"), sealer).holds


def test_appended_bytes_and_later_revisions_are_seen(record: bytes, sealer: Sealer) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(record))
    writer.root["/Lang"] = pdf_string("cy-GB")
    writer.update_root()  # type: ignore[no-untyped-call]
    later = io.BytesIO()
    writer.write(later)  # type: ignore[no-untyped-call]
    for longer in (record + b"\n", record + b"% a comment", later.getvalue()):
        facts = verified(longer, sealer)
        assert facts.seal.covers_whole_document is False
        assert "something was added" in explain(facts)[-1]


def test_the_seal_of_another_authority_is_not_trusted(finished: bytes, sealer: Sealer, tmp_path: Path) -> None:
    make_demonstration_key(tmp_path / "other.p12", PASSPHRASE)
    other = Sealer.load(tmp_path / "other.p12", PASSPHRASE).seal(finished)
    facts = verified(other, sealer)
    assert (facts.seal.intact, facts.seal.valid, facts.seal.trusted, facts.holds) == (True, True, False, False)
    assert explain(facts)[0].startswith("The seal is not trusted")
    assert verify(other).seal.trusted is False, "who trusts nobody trusts no seal"


class Authority:
    """A certification authority of three levels and its sealing key; `valid` is for the leaf, in days from now."""

    def __init__(self, valid: tuple[int, int] = (-10, 10)) -> None:
        self.root_key, self.issuer_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = self.certificate("Root", self.root_key, "Root", self.root_key, (-100, 100))
        self.issuer = self.certificate("Issuer", self.issuer_key, "Root", self.root_key, (-100, 100))
        self.leaf = self.certificate("London Borough of Testing", self.key, "Issuer", self.issuer_key, valid)

    def certificate(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        signed_by: ec.EllipticCurvePrivateKey,
        days: tuple[int, int],
    ) -> x509.Certificate:
        authority = key is not getattr(self, "key", None)
        usage = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement"), False)
        usage |= {"encipher_only": False, "decipher_only": False, "digital_signature": not authority}
        usage |= {"content_commitment": not authority, "key_cert_sign": authority, "crl_sign": authority}
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + dt.timedelta(days=days[0]))
            .not_valid_after(NOW + dt.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
            .add_extension(x509.KeyUsage(**usage), True)
            .sign(signed_by, hashes.SHA256())
        )

    def sealer(self, path: Path) -> Sealer:
        chain = [self.issuer, self.root]
        protection = BestAvailableEncryption(PASSPHRASE)
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"s", self.key, self.leaf, chain, protection))
        return Sealer.load(path, PASSPHRASE)


def test_a_chain_is_trusted_from_its_root_from_its_issuer_and_from_the_seal_itself(
    finished: bytes, tmp_path: Path
) -> None:
    authority = Authority()
    sealed = authority.sealer(tmp_path / "seal.p12").seal(finished)
    for anchor in (authority.root, authority.issuer, authority.leaf):
        facts = verify(sealed, trust=[anchor])
        assert facts.holds, anchor.subject
        assert facts.seal.signer == "London Borough of Testing"
    assert verify(sealed, trust=[Authority().root]).seal.trusted is False


def test_the_certificates_above_the_seal_cannot_change_unnoticed(finished: bytes, tmp_path: Path) -> None:
    authority = Authority()
    sealed = authority.sealer(tmp_path / "seal.p12").seal(finished)
    begin, _ = contents(sealed)
    issuer = authority.issuer.public_bytes(Encoding.DER)
    start = sealed.index(issuer.hex().upper().encode(), begin)
    for place in range(start, start + 2 * len(issuer), 40):
        changed = bytearray(sealed)
        changed[place] = ord("1") if changed[place] != ord("1") else ord("2")
        assert not verify(bytes(changed), trust=[authority.leaf]).holds


def test_a_seal_made_when_its_certificate_was_not_valid_is_not_trusted(finished: bytes, tmp_path: Path) -> None:
    expired = Authority(valid=(-20, -10))
    sealer = Sealer(expired.leaf, (expired.issuer,), expired.key, tmp_path)
    in_time = sealer.seal(finished, at=NOW - dt.timedelta(days=15))
    too_late = seal._sealed(finished, sealer, NOW, None, None)  # `Sealer.seal` refuses to claim such a time
    for anchor in (expired.root, expired.leaf):
        assert verify(in_time, trust=[anchor]).holds, "valid then is valid for good"
        facts = verify(too_late, trust=[anchor])
        assert (facts.seal.intact, facts.seal.valid, facts.seal.trusted) == (True, True, False)


def test_a_file_without_a_seal_is_no_record(finished: bytes, sealer: Sealer) -> None:
    facts = verified(finished, sealer)
    assert (facts.seal.present, facts.seal.intact, facts.holds) == (False, None, False)
    assert explain(facts) == ["The file has no seal: it is not a record, or its seal was taken away."]


def test_a_file_that_cannot_be_read_is_a_problem_and_no_exception(record: bytes, sealer: Sealer) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(record)) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="o", user="u"))
    cases = {
        "not-a-pdf": [b"", b"PK\x03\x04", b"{}"],
        "damaged-pdf": [b"%PDF-1.7\n", record[: len(record) // 2], record[:-700], b"%PDF-1.7\n%%EOF"],
        "encrypted-pdf": [locked.getvalue()],
    }
    for slug, files in cases.items():
        for data in files:
            facts = verified(data, sealer)
            assert facts.problem is not None
            assert facts.problem.slug == slug
            assert (facts.pages, facts.seal.present, facts.data.embedded, facts.holds) == (None, None, None, False)
            assert explain(facts) == [facts.problem.message]


def test_random_bytes_and_random_cuts_never_raise(record: bytes, sealer: Sealer) -> None:
    chance = random.Random(3)
    for _ in range(40):
        begin, end = sorted(chance.sample(range(len(record)), 2))
        assert not verified(record[:begin] + chance.randbytes(20) + record[end:], sealer).holds


def changed_after_sign_off() -> bytes:
    pep = signed_pep()
    pep["pep"]["version"] = 3
    return canonical(pep)


@pytest.mark.parametrize(
    "data",
    [
        changed_after_sign_off(),
        canonical({**signed_pep(), "sign_offs": []}),
        canonical({**signed_pep(), "sign_offs": [*signed_pep()["sign_offs"], {"digest": "0" * 64}]}),
        canonical(signed_pep()).replace(b'{"child"', b'{"child":{"lcs_person_id":"L-9"},"child"'),
        b'{"pep": NaN}',
        b"[]",
        b"no JSON",
        b"[" * 100_000,
    ],
    ids=["changed", "nobody signed", "one did not", "a key twice", "NaN", "no object", "no JSON", "too deep"],
)
def test_data_that_is_not_what_was_signed_is_seen(converted: bytes, sealer: Sealer, data: bytes) -> None:
    facts = verified(sealer.seal(finish(converted, title="PEP", embedded=embedded(data))), sealer)
    assert (facts.seal.intact, facts.data.embedded, facts.data.digest_matches_sign_off) == (True, True, False)
    assert not facts.holds
    assert len(explain(facts)) == 1


def test_data_is_missed_only_in_a_file_that_claims_to_carry_it(converted: bytes, sealer: Sealer) -> None:
    copy = finish(converted, title="PEP")
    assert verified(sealer.seal(copy), sealer).holds, "PDF/A-2: nothing was to be embedded"
    claims_more = copy.replace(b"<pdfaid:part>2<", b"<pdfaid:part>3<")
    facts = verified(sealer.seal(claims_more), sealer)
    assert (facts.data.embedded, facts.data.digest_matches_sign_off, facts.holds) == (False, None, False)
    assert "does not carry the PEP" in explain(facts)[0]


def test_identifiers_that_are_none_are_not_passed_on(converted: bytes, sealer: Sealer) -> None:
    pep = {"pep": {"id": "=cmd()", "version": True}, "child": {"lcs_person_id": "\x1b[2J"}, "sign_offs": []}
    facts = verified(finish(converted, title="PEP", embedded=embedded(json.dumps(pep).encode())), sealer)
    assert (facts.child.lcs_person_id, facts.pep.id, facts.pep.version) == (None, None, None)
