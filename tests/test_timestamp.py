"""Timestamps and revocation, against authorities that answer on this computer: what proves a time, what does not."""

import datetime as dt
import io
import logging
import pickle
import random
import re
import socket
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import docx
import pytest
import rdocx
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from pepforms.archive import container, seal
from pepforms.archive.seal import Sealer
from pepforms.archive.stamp import finish
from pepforms.archive.timestamp import Authority, judge
from pepforms.archive.trust import Trust
from pepforms.archive.verify import Facts, explain, verify
from pepforms.errors import Misconfigured, PepformsError, Unavailable

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
PASSPHRASE = b"correct horse battery staple"


@pytest.fixture(scope="module")
def pdf() -> bytes:
    """A finished PDF, ready to be sealed."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading("Personal Education Plan", 1)
    word.save(buffer)
    return finish(bytes(rdocx.Document.from_bytes(buffer.getvalue()).to_pdfa_deterministic("pdfa-3b")), title="PEP")


@pytest.fixture(scope="module")
def trust(authorities: Any) -> Trust:
    return Trust((authorities.pem("root"),), (authorities.pem("clocks-root"),))


@pytest.fixture(scope="module")
def proven(authorities: Any, trust: Trust, pdf: bytes) -> bytes:
    """A PDF whose seal carries the proof of its time."""
    return sealer(authorities, trust, "seal", "clock").seal(pdf)


def sealer(authorities: Any, trust: Trust, key: str, clock: str | None = None) -> Sealer:
    return Sealer.read(authorities.key_file(key), None, Authority(authorities.clock(clock), trust) if clock else None)


def verified(data: bytes, trust: Trust, *lists: bytes) -> Facts:
    return verify(data, trust=[*trust.seals, *lists], clocks=trust.clocks)


def gap(record: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the seal's container begin and end."""
    found = re.search(rb"/Contents <([0-9A-F]+)>", record)
    assert found
    return found.span(1)


def reassembled(record: bytes, change: Callable[[cms.SignedData, cms.SignerInfo], None]) -> bytes:
    """The record with its container changed, sizes kept."""
    begin, end = gap(record)
    whole = cms.ContentInfo.load(bytes.fromhex(record[begin:end].decode()))
    change(whole["content"], whole["content"]["signer_infos"][0])
    digits: bytes = whole.dump(force=True).hex().upper().encode()
    assert len(digits) <= end - begin
    return record[:begin] + digits.ljust(end - begin, b"0") + record[end:]


def token_of(record: bytes) -> bytes:
    begin, end = gap(record)
    token, _ = container.timestamp(bytes.fromhex(record[begin:end].decode())) or (b"", b"")
    return token


# --- what proves the time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "clock"), [("seal", "clock-rsa"), ("seal-rsa", "clock")])
def test_a_seal_with_a_timestamp_proves_its_time_to_us_and_is_valid_to_another_program(
    authorities: Any, trust: Trust, pdf: bytes, tmp_path: Path, key: str, clock: str
) -> None:
    asked = Authority(authorities.clock(clock), trust)
    sealed = Sealer.load(authorities.pkcs12(key, PASSPHRASE), PASSPHRASE, asked).seal(pdf)
    facts = verified(sealed, trust)
    assert (facts.seal.time_proven, facts.seal.trusted, facts.holds) == (True, True, True)
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    said = subprocess.run(["pdfsig", "-nocert", "sealed.pdf"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_what_leads_to_another_root_of_the_clock_is_not_kept(authorities: Any, trust: Trust, pdf: bytes) -> None:
    """Authorities send a second certificate of their root, by an elder one, for readers who know only that."""
    sealed = sealer(authorities, trust, "seal", "clock-crossed").seal(pdf)
    assert verified(sealed, trust).holds
    assert len(container.take_apart(token_of(sealed)).certificates) == 2
    elder = Trust(trust.seals, (authorities.pem("elder-root"),))
    kept = sealer(authorities, elder, "seal", "clock-crossed").seal(pdf)
    assert verified(kept, elder).holds
    assert len(container.take_apart(token_of(kept)).certificates) == 3


def test_a_timestamp_of_an_authority_that_nobody_trusts_proves_nothing(proven: bytes, trust: Trust) -> None:
    facts = verified(proven, Trust(trust.seals))
    assert (facts.seal.intact, facts.seal.trusted, facts.seal.time_proven, facts.holds) == (True, True, False, False)
    assert explain(facts)[0].startswith("The time of the seal is not proven")


def test_who_vouches_for_time_vouches_for_no_seal(proven: bytes, trust: Trust) -> None:
    facts = verify(proven, trust=trust.clocks)
    assert (facts.seal.time_proven, facts.seal.trusted) == (True, False)


def test_without_an_authority_the_time_is_neither_proven_nor_disproven(
    authorities: Any, trust: Trust, pdf: bytes
) -> None:
    facts = verified(sealer(authorities, trust, "seal").seal(pdf), trust)
    assert (facts.seal.time_proven, facts.holds) == (None, True)


class Indulgent(Authority):
    """Takes any timestamp in, as another program might."""

    def stamp(self, signature: bytes, claimed: dt.datetime) -> bytes:
        return self._asked(signature)


def indulged(authorities: Any, trust: Trust, key: str, clock: str) -> Sealer:
    return Sealer.read(authorities.key_file(key), None, Indulgent(authorities.clock(clock), trust))


@pytest.mark.parametrize("clock", ["clock-alone", "clock-expired", "no-clock", "seal"])
def test_a_clock_that_is_none_is_not_asked_twice_and_proves_nothing(
    authorities: Any, trust: Trust, pdf: bytes, clock: str
) -> None:
    """Its chain is missing, it has expired, it is not meant for timestamps, or it is the seal itself."""
    trust = Trust((*trust.seals, authorities.pem("seal")), trust.clocks)
    with pytest.raises(Misconfigured) as refused:
        sealer(authorities, trust, "seal", clock).seal(pdf)
    assert refused.value.slug == "timestamp-untrusted"
    facts = verified(indulged(authorities, trust, "seal", clock).seal(pdf), trust)
    assert (facts.seal.intact, facts.seal.time_proven, facts.holds) == (True, False, False)


def test_a_time_far_from_the_one_that_is_claimed_does_not_prove_it(authorities: Any, trust: Trust, pdf: bytes) -> None:
    claimed = NOW - dt.timedelta(days=3)
    with pytest.raises(Misconfigured) as refused:
        sealer(authorities, trust, "seal", "clock").seal(pdf, at=claimed)
    assert refused.value.slug == "clock-wrong"
    assert (
        verified(indulged(authorities, trust, "seal", "clock").seal(pdf, at=claimed), trust).seal.time_proven is False
    )


def test_a_certificate_for_web_sites_or_timestamps_seals_nothing_though_its_root_is_trusted(
    authorities: Any, trust: Trust, pdf: bytes
) -> None:
    everybody = Trust((*trust.seals, *trust.clocks))
    for name, may in (("web-site", False), ("clock", False), ("no-clock", True), ("post", True)):
        path = authorities.key_file(name)
        key = load_pem_private_key(authorities.key(name), None)
        certificates = x509.load_pem_x509_certificates(authorities.pem(name, "clocks-issuer"))
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        sealed = Sealer(certificates[0], tuple(certificates[1:]), key, path).seal(pdf)
        chain = Trust((*everybody.seals, authorities.pem("issuer")))
        assert verified(sealed, chain).seal.trusted is may, name
        if not may:
            with pytest.raises(Misconfigured) as refused:
                Sealer.load(path, None)
            assert refused.value.slug == "seal-key-unsuitable"


# --- revocation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "clock", "lists", "trusted", "time_proven"),
    [
        ("seal-revoked", None, (), True, None),
        ("seal-revoked", None, ("issuer",), False, None),
        ("seal-revoked", "clock", ("issuer",), False, True),
        ("seal-to-be-revoked", "clock", ("issuer",), True, True),
        ("seal-to-be-revoked", None, ("issuer",), False, None),
        ("seal-to-be-revoked", "clock-stolen", ("issuer", "clocks-issuer"), False, False),
        ("seal", "clock-superseded", ("clocks-issuer",), True, True),
        ("seal", "clock-stolen", ("clocks-issuer",), True, False),
        ("seal", "clock", ("issuer", "root", "clocks-issuer", "clocks-root"), True, True),
    ],
    ids=[
        "revoked, but no list says so",
        "revoked before, time only claimed",
        "revoked before, time proven",
        "revoked after a proven time",
        "revoked after a time that is only claimed",
        "the proof itself is revoked",
        "the clock retired later",
        "the clock's key was stolen later",
        "nobody is on a list",
    ],
)
def test_what_a_revocation_takes_away(
    authorities: Any,
    trust: Trust,
    pdf: bytes,
    key: str,
    clock: str | None,
    lists: tuple[str, ...],
    trusted: bool,
    time_proven: bool | None,
) -> None:
    sealed = sealer(authorities, trust, key, clock).seal(pdf)
    facts = verified(sealed, trust, *(authorities.crl(name) for name in lists))
    assert (facts.seal.intact, facts.seal.valid) == (True, True)
    assert (facts.seal.trusted, facts.seal.time_proven) == (trusted, time_proven)


def revocation_list(authorities: Any, number: int, *, signed_by: str, harmed_days_ago: int | None = None) -> bytes:
    """A list in the issuer's name that revokes one certificate tomorrow."""
    issuer = x509.load_pem_x509_certificate(authorities.pem("issuer"))
    entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(NOW + dt.timedelta(days=1))
    if harmed_days_ago is not None:
        entry = entry.add_extension(x509.InvalidityDate(NOW - dt.timedelta(days=harmed_days_ago)), critical=False)
    key = load_pem_private_key(authorities.key(signed_by), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(NOW)
        .next_update(NOW + dt.timedelta(days=2))
        .add_revoked_certificate(entry.build())
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def test_a_revocation_counts_from_the_day_since_when_the_key_may_have_been_stolen(
    authorities: Any, trust: Trust, proven: bytes
) -> None:
    number = x509.load_pem_x509_certificate(authorities.pem("seal")).serial_number
    later = revocation_list(authorities, number, signed_by="issuer")
    stolen = revocation_list(authorities, number, signed_by="issuer", harmed_days_ago=2)
    assert verified(proven, trust, later).seal.trusted is True
    assert verified(proven, trust, stolen).seal.trusted is False
    assert verified(proven, trust, later, stolen).seal.trusted is False


def test_a_list_that_the_issuer_did_not_sign_says_nothing(authorities: Any, trust: Trust, proven: bytes) -> None:
    number = x509.load_pem_x509_certificate(authorities.pem("seal")).serial_number
    forged = revocation_list(authorities, number, signed_by="clocks-issuer", harmed_days_ago=2)
    assert verified(proven, trust, forged).seal.trusted is True


def test_a_seal_counts_at_its_own_time_whether_its_certificate_has_expired_since_or_not(
    authorities: Any, trust: Trust, pdf: bytes
) -> None:
    for key, at, trusted in (
        ("seal-expired", -150, True),
        ("seal-expired", -50, False),
        ("seal-early", 150, True),
        ("seal-early", 50, False),
    ):
        made = sealer(authorities, trust, key)
        moment = NOW + dt.timedelta(days=at)
        sealed = seal._sealed(pdf, made, moment, None, None)  # `Sealer.seal` refuses to claim some of these times
        assert verified(sealed, trust).seal.trusted is trusted


# --- an authority that is away or answers wrongly --------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[bytes], tuple[int, str, bytes]]) -> Iterator[str]:
    """The address of a server that answers with a status, a media type and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


REPLY = "application/timestamp-reply"


def wrong_answers(authorities: Any) -> dict[str, tuple[str, Callable[[bytes], tuple[int, str, bytes]]]]:
    """What an authority may answer wrongly, and the slug that says so."""
    clock = authorities.timestamper("clock")
    kept: list[bytes] = []

    def altered(change: Callable[[tsp.TimeStampReq], None]) -> Callable[[bytes], tuple[int, str, bytes]]:
        def answer(body: bytes) -> tuple[int, str, bytes]:
            request = tsp.TimeStampReq.load(body)
            change(request)
            return 200, REPLY, clock.request_tsa_response(request).dump()

        return answer

    def replayed(body: bytes) -> tuple[int, str, bytes]:
        kept.append(clock.request_tsa_response(tsp.TimeStampReq.load(body)).dump())
        return 200, REPLY, kept[0]

    replayed(tsp.TimeStampReq({"version": 1, "message_imprint": imprint(bytes(32)), "nonce": 7}).dump())
    status = tsp.PKIStatusInfo({"status": "rejection"}).dump()
    rejected = bytes([0x30, len(status)]) + status
    return {
        "not found": ("timestamp-away", lambda _: (404, "text/html", b"<h1>Not here</h1>")),
        "its own fault": ("timestamp-away", lambda _: (500, REPLY, b"")),
        "a page": ("timestamp-away", lambda _: (200, "text/html", b"<h1>Please sign in</h1>")),
        "without end": ("timestamp-away", lambda _: (200, REPLY, bytes(1 << 20))),
        "no ASN.1": ("timestamp-wrong", lambda _: (200, REPLY, b"Dear Sir")),
        "nothing": ("timestamp-wrong", lambda _: (200, REPLY, b"")),
        "refused": ("timestamp-wrong", lambda _: (200, REPLY, rejected)),
        "an old answer": ("timestamp-wrong", replayed),
        "another nonce": ("timestamp-wrong", altered(lambda request: request.__setitem__("nonce", 42))),
        "no nonce": ("timestamp-wrong", altered(lambda request: request.__delitem__("nonce"))),
        "another document": (
            "timestamp-wrong",
            altered(lambda request: request.__setitem__("message_imprint", imprint(bytes(32)))),
        ),
    }


def imprint(digest: bytes) -> tsp.MessageImprint:
    return tsp.MessageImprint({"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest})


def test_an_answer_that_is_no_timestamp_of_this_seal_is_not_taken_in(
    authorities: Any, trust: Trust, pdf: bytes
) -> None:
    for name, (slug, answer) in wrong_answers(authorities).items():
        with answering(answer) as url, pytest.raises(Unavailable) as refused:
            Sealer.read(authorities.key_file("seal"), None, Authority(url, trust)).seal(pdf)
        assert refused.value.slug == slug, name
        assert "127.0.0.1" in str(refused.value)


def test_an_authority_that_is_away_or_never_answers_is_unavailable(authorities: Any, trust: Trust, pdf: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable) as hung:
            Sealer.read(
                authorities.key_file("seal"), None, Authority(f"http://127.0.0.1:{port}", trust, deadline=0.3)
            ).seal(pdf)
    with pytest.raises(Unavailable) as away:
        Sealer.read(authorities.key_file("seal"), None, Authority(f"http://127.0.0.1:{port}", trust)).seal(pdf)
    assert (hung.value.slug, away.value.slug) == ("timestamp-away", "timestamp-away")


@pytest.mark.parametrize("url", ["ftp://clock.example", "clock.example", "https://", "https://me:secret@clock.example"])
def test_an_address_that_is_none_or_holds_a_password_is_misconfigured(url: str, trust: Trust) -> None:
    with pytest.raises(Misconfigured) as refused:
        Authority(url, trust)
    assert refused.value.slug == "bad-timestamp-url"
    assert "secret" not in str(refused.value)


# --- no byte of the token can change ---------------------------------------------------------------------------------


def foreign_certificate() -> cms.CertificateChoices:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Stranger")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return cms.CertificateChoices.load(made.public_bytes(Encoding.DER))


def in_token(change: Callable[[cms.SignedData], None]) -> Callable[[cms.SignedData, cms.SignerInfo], None]:
    def changed(_: cms.SignedData, information: cms.SignerInfo) -> None:
        (attribute,) = information["unsigned_attrs"]
        change(attribute["values"][0]["content"])

    return changed


UNSIGNED: dict[str, Callable[[cms.SignedData, cms.SignerInfo], None]] = {
    "the token's version": in_token(lambda data: data.__setitem__("version", "v1")),
    "the token's digest algorithms": in_token(
        lambda data: data.__setitem__("digest_algorithms", [{"algorithm": "sha512"}])
    ),
    "a parameter of its digest algorithm": in_token(
        lambda data: data["signer_infos"][0]["digest_algorithm"].__setitem__("parameters", {})
    ),
    "its signer's version": in_token(lambda data: data["signer_infos"][0].__setitem__("version", "v3")),
    "its signer's name": in_token(
        lambda data: data["signer_infos"][0].__setitem__(
            "sid", cms.SignerIdentifier("subject_key_identifier", bytes(20))
        )
    ),
    "a further certificate in it": in_token(lambda data: data["certificates"].append(foreign_certificate())),
    "an unsigned attribute in it": in_token(
        lambda data: data["signer_infos"][0].__setitem__(
            "unsigned_attrs", [{"type": "1.2.3.4", "values": [cms.Any(cms.OctetString(b"anything"))]}]
        )
    ),
    "a second token": lambda _, information: information["unsigned_attrs"].append(
        information["unsigned_attrs"][0].copy()
    ),
    "another attribute beside it": lambda _, information: information["unsigned_attrs"].append(
        cms.CMSAttribute({"type": "1.2.3.4", "values": [cms.Any(cms.OctetString(b"anything"))]})
    ),
    "a further certificate beside it": lambda data, _: data["certificates"].append(foreign_certificate()),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_what_no_signature_covers_is_fixed(proven: bytes, trust: Trust, what: str) -> None:
    facts = verified(reassembled(proven, UNSIGNED[what]), trust)
    assert (facts.seal.intact, facts.holds) == (False, False)
    assert verified(reassembled(proven, lambda data, information: None), trust).holds


def test_the_token_of_another_seal_proves_nothing(proven: bytes, authorities: Any, trust: Trust, pdf: bytes) -> None:
    other = sealer(authorities, trust, "seal", "clock").seal(pdf, reason="Another")

    def swap(_: cms.SignedData, information: cms.SignerInfo) -> None:
        information["unsigned_attrs"][0]["values"] = [cms.ContentInfo.load(token_of(other))]

    assert verified(reassembled(proven, swap), trust).seal.time_proven is False


def test_a_token_that_was_taken_away_leaves_the_seal_and_proves_nothing(proven: bytes, trust: Trust) -> None:
    """Whoever strips the proof of the time can claim no other: the seal is judged as one whose time is only claimed."""
    facts = verified(reassembled(proven, lambda _, information: information.__delitem__("unsigned_attrs")), trust)
    assert (facts.seal.intact, facts.seal.time_proven) == (True, None)


def test_the_other_of_two_equally_good_signatures_is_not_as_it_was_written(proven: bytes, trust: Trust) -> None:
    def negated(_: cms.SignedData, information: cms.SignerInfo) -> None:
        r, s = utils.decode_dss_signature(information["signature"].native)
        information["signature"] = utils.encode_dss_signature(r, ec.SECP256R1().group_order - s)

    facts = verified(reassembled(proven, negated), trust)
    assert (facts.seal.intact, facts.seal.valid, facts.holds) == (False, True, False)


def assert_no_byte_can_change(record: bytes, trust: Trust, places: list[int]) -> None:
    begin, end = gap(record)
    chance = random.Random(11)
    for place in places:
        raw = bytearray(bytes.fromhex(record[begin:end].decode()))
        raw[place] ^= 1 << chance.randrange(8)
        facts = verified(record[:begin] + raw.hex().upper().encode() + record[end:], trust)
        assert not facts.holds, place
        assert explain(facts), place


def used(record: bytes) -> int:
    begin, end = gap(record)
    return len(bytes.fromhex(record[begin:end].decode()).rstrip(b"\0"))


def test_no_byte_of_the_token_can_change_unnoticed(proven: bytes, trust: Trust) -> None:
    size = used(proven)
    assert_no_byte_can_change(proven, trust, random.Random(5).sample(range(size - len(token_of(proven)), size + 9), 60))


@pytest.mark.slow
def test_no_byte_of_the_whole_container_can_change_unnoticed(proven: bytes, trust: Trust) -> None:
    """Every byte that is used, and one in forty of the padding."""
    begin, end = gap(proven)
    assert_no_byte_can_change(
        proven, trust, [*range(used(proven) + 40), *range(used(proven) + 40, (end - begin) // 2, 40)]
    )


def test_whatever_stands_for_a_token_is_judged_and_never_raises(proven: bytes, trust: Trust) -> None:
    chance = random.Random(3)
    token = token_of(proven)
    for _ in range(60):
        begin, end = sorted(chance.sample(range(len(token)), 2))
        found = judge(token[:begin] + chance.randbytes(9) + token[end:], b"signature", trust)
        assert not found.proves(NOW)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_a_log_a_repr_a_pickle_an_error_or_a_traceback(
    authorities: Any, trust: Trust, pdf: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = authorities.pkcs12("seal-rsa", PASSPHRASE)
    clock = Authority("http://127.0.0.1:9/", trust, deadline=0.3)
    told: list[str] = []

    def tell(attempt: Callable[[], object]) -> None:
        try:
            told.append(repr(attempt()))
        except (PepformsError, TypeError) as error:
            told.append("".join(traceback.format_exception(error)) + repr(error))
            told.append(repr(pickle.dumps(error)))

    loaded = Sealer.load(path, PASSPHRASE, clock)
    tell(lambda: loaded)
    tell(lambda: pickle.dumps(loaded))
    tell(lambda: loaded.seal(pdf))
    tell(lambda: Sealer.load(path, PASSPHRASE[:-1]))
    tell(lambda: Sealer.load(authorities.key_file("seal-expired"), PASSPHRASE))
    sealed = Sealer.load(path, PASSPHRASE).seal(pdf)
    assert len(told) >= 5
    everything = "\n".join([*told, caplog.text, sealed.decode("latin-1")])
    assert PASSPHRASE[:-1].decode() not in everything
    key = authorities.key("seal-rsa").decode()
    assert not any(line in everything for line in key.splitlines()[1:-1])
    assert str(loaded._key.private_numbers().d) not in everything  # type: ignore[union-attr]
