"""Facts about a PDF that is said to be a record, found by other code than made it.

Each fact is true, false, or None: not judged, or nothing to judge. Reading is pypdf's, the signature pyHanko's, the
standards veraPDF's. Whatever the bytes are, the answer is facts; only a judge that dies over them raises.
"""

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pepforms import naming
from pepforms.archive import container, timestamp
from pepforms.archive.pdfa import Failure, Judge, Verdict
from pepforms.archive.trust import Trust, hush, stands
from pepforms.digest import pep_digest, sha256
from pepforms.model import Pep

if TYPE_CHECKING:
    from cryptography import x509
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko.sign.validation.status import PdfSignatureStatus
    from pypdf import PdfReader

DATA_NAME = "pep.json"
"""What the data that a record carries is called."""

LARGEST_FILE = 100 << 20
"""Bytes of a file that is read at all: a record has a hundredth of it."""

LARGEST_DATA = 20_000_000
"""Bytes of the data that a record carries: the largest PEP there may be."""

_IDENTIFIER = re.compile("[A-Za-z0-9-]{1,40}")
_MOST_FIELDS = 10_000
_CONTAINER = re.compile(rb"<[0-9A-Fa-f\s]+>")
_FILE_NAME = re.compile("[A-Za-z0-9_-]{1,150}")

_NAMED = re.compile(r"\bdigest ([0-9a-f]{64})\b")

_T = TypeVar("_T")
_XMP = {"pdfaid": "http://www.aiim.org/pdfa/ns/id/", "pdfuaid": "http://www.aiim.org/pdfua/ns/id/"}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing could be found out."""

    slug: str
    message: str


@dataclass(frozen=True, slots=True)
class Standard:
    """`claims` is what the file says of itself (`PDF/A-3a`, `PDF/UA-1`), None if it claims nothing.

    `failures` are the judge's: clause and test of the standard, message, how often.
    """

    claims: str | None = None
    conforms: bool | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def reasons(self) -> str:
        """The clauses that failed, the commonest first, for a sentence."""
        named = [message if clause == "-" else f"clause {clause}" for clause, message, _ in self.failures]
        return ", ".join(named[:5]) + (", …" if len(named) > 5 else "")

    def judged(self, verdict: Verdict) -> "Standard":
        """The same, with what the judge found."""
        return replace(self, conforms=verdict.conforms, failures=verdict.failures)

    def as_json(self) -> dict[str, Any]:
        """What every face reports; the failures stand in the judge's report."""
        return {"claims": self.claims, "conforms": self.conforms}


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of the file, or its first signature.

    `intact`: the sealed bytes and the seal's own container are as they were written.
    `valid`: the signature is that of the certificate's key. `trusted`: its chain ends in an anchor, was valid at `at`,
    the time that the seal claims, and is not revoked in a way that matters (`trust.py`). `time_proven`: a trusted
    timestamp proves that time; None if it has none.
    """

    present: bool | None = None
    intact: bool | None = None
    valid: bool | None = None
    trusted: bool | None = None
    time_proven: bool | None = None
    covers_whole_document: bool | None = None
    signer: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """Whether the PEP is embedded, and whether it is the very PEP that every sign-off in it signed."""

    embedded: bool | None = None
    digest_matches_sign_off: bool | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """Whose record it is."""

    lcs_person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Which PEP it is the record of."""

    id: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found out about one PDF."""

    problem: Obstacle | None
    sha256: str
    pages: int | None = None
    pdfa: Standard = Standard()
    pdfua: Standard = Standard()
    validated_by: str | None = None
    seal: Seal = Seal()
    data: Data = Data()
    child: Child = Child()
    pep: Reference = Reference()

    @property
    def holds(self) -> bool:
        """No fact is false, and the seal is present, intact, valid, trusted and covers the whole document.

        That no data is embedded is false only of a PDF/A-3, which is what a record with data claims to be.
        """
        needed = ("present", "intact", "valid", "trusted", "covers_whole_document")
        return self.problem is None and all(getattr(self.seal, fact) for fact in needed) and not _fallen(self)

    def as_json(self) -> dict[str, Any]:
        """The facts as every face reports them."""
        standards = {"pdfa": self.pdfa.as_json(), "pdfua": self.pdfua.as_json()}
        return {**asdict(self), **standards, "holds": self.holds}

    def report(self) -> dict[str, Any]:
        """What the judge found, to be kept beside the record: each standard claimed, and every clause that failed."""
        return {
            "validated_by": self.validated_by,
            "sha256": self.sha256,
            "standards": [
                {
                    **standard.as_json(),
                    "failures": [
                        {"clause": clause, "message": message, "count": count}
                        for clause, message, count in standard.failures
                    ],
                }
                for standard in (self.pdfa, self.pdfua)
                if standard.claims
            ],
        }


def verify(
    data: bytes,
    *,
    trust: "Sequence[bytes | x509.Certificate]" = (),
    clocks: Sequence[bytes] = (),
    judge: Judge | None = None,
) -> Facts:
    """The facts about a PDF; without a judge nothing is found out about its standards.

    `trust` holds the anchors: PEM files as bytes, with revocation lists in them where there are any, or certificates as
    objects of `cryptography`; `clocks` those that vouch for timestamps alone.
    """
    return judged(read(data, Trust(tuple(_pem(one) for one in trust), tuple(clocks))), data, judge)


def read(data: bytes, trust: Trust) -> Facts:
    """All the facts but those of the standards: what is done in a process apart."""
    hush()
    try:
        return _facts(data, trust)
    except _CannotReadError as obstacle:
        return Facts(Obstacle(obstacle.slug, str(obstacle)), sha256(data))


def judged(facts: Facts, data: bytes, judge: Judge | None) -> Facts:
    """The facts with the judge's own, on each standard that the file claims."""
    pdfa, pdfua = facts.pdfa, facts.pdfua
    if judge is None or facts.problem or not (pdfa.claims or pdfua.claims):
        return facts

    def found(standard: Standard, flavour: str) -> Standard:
        if standard.claims is None:
            return standard
        return standard.judged(judge.judge(data, flavour + standard.claims.rpartition("-")[2]))

    return replace(facts, pdfa=found(pdfa, ""), pdfua=found(pdfua, "ua"), validated_by=judge.name)


def nothing_known(slug: str, message: str, data: bytes | None = None) -> Facts:
    """The facts about a file that could not even be fetched or read: none."""
    return Facts(Obstacle(slug, message), "" if data is None else sha256(data))


def record_of(data: bytes) -> str | None:
    """The digest of the PEP that a PDF is the record of: the one that it carries, else the one that it names."""
    hush()
    reader = _read_or(None, lambda: _opened(data)[0])
    if reader is None:
        return None
    if _carried(reader)[0].embedded:
        return _read_or(None, lambda: pep_digest(_readable(reader)))
    named = _read_or(None, lambda: _NAMED.search(str(reader.metadata.subject if reader.metadata else "")))
    return named[1] if named else None


def embedded(data: bytes) -> bytes | None:
    """The bytes of the PEP that a PDF carries; None if it carries none, or what it carries cannot be read."""
    hush()
    try:
        reader, _ = _opened(data)
    except _CannotReadError:
        return None
    return _read_or(None, lambda: _attached(reader))


def extracted(data: bytes) -> tuple[str, bytes] | None:
    """The PEP that a PDF carries, byte for byte, and a file name for it without personal data; None if it has none."""
    found = embedded(data)
    return None if found is None else (_file_name(found), found)


def difference(data: bytes, pep: Pep) -> str | None:
    """Why a PDF is not the record of a PEP, in a sentence; None if it is.

    It is where it carries, or names, the same data as far as a sign-off signs them, and the PEP has every sign-off that
    it carries: the PEP may have been read, acknowledged and followed up since.
    """
    digest = record_of(data)
    if digest is None:
        return "It is not the record of that PEP: it neither carries nor names a PEP that can be read."
    if _read_or(True, lambda: digest != pep_digest(pep)):
        return "It is not the record of that PEP: the PEP that it is of says something else."
    carried = _read_or(None, lambda: _pep(_opened(data)[0]))
    theirs = pep.get("sign_offs", [])
    if carried and not _read_or(False, lambda: all(sign_off in theirs for sign_off in carried["sign_offs"])):
        return "It is not the record of that PEP: the PEP says the same, but lacks a sign-off that the record carries."
    return None


def explain(facts: Facts) -> list[str]:
    """One plain sentence for each fact that fell; nothing if the record holds."""
    if facts.problem:
        return [facts.problem.message]
    return [_SENTENCES[name].format(facts=facts) for name in _fallen(facts)]


_SENTENCES = {
    "seal.present": "The file has no seal: it is not a record, or its seal was taken away.",
    "seal.intact": "The seal is not intact: the file was changed after it was sealed, or another program sealed it.",
    "seal.valid": "The seal is not valid: its signature is not that of the certificate it names.",
    "seal.trusted": "The seal is not trusted: its certificate ({facts.seal.signer}) does not lead to one that is "
    "trusted here, was not valid when the seal was made, or is revoked. Compare it with the authority's certificate.",
    "seal.time_proven": "The time of the seal is not proven: its timestamp is not of this seal or its time, or nobody "
    "trusted here made it.",
    "seal.covers_whole_document": "The seal does not cover the whole file: something was added after it was sealed.",
    "pdfa.conforms": "The file claims {facts.pdfa.claims} but {facts.validated_by} finds that it does not conform "
    "({facts.pdfa.reasons}).",
    "pdfua.conforms": "The file claims {facts.pdfua.claims} but {facts.validated_by} finds that it does not conform "
    "({facts.pdfua.reasons}).",
    "data.embedded": "The file claims {facts.pdfa.claims}, as a record does, but does not carry the PEP as data.",
    "data.digest_matches_sign_off": "The PEP that the file carries cannot be read, or is not what was signed off.",
}


def _fallen(facts: Facts) -> list[str]:
    """The names of the facts that are false."""
    values = {name: getattr(getattr(facts, name.split(".")[0]), name.split(".")[1]) for name in _SENTENCES}
    if not (facts.pdfa.claims or "").startswith("PDF/A-3"):
        del values["data.embedded"]
    return [name for name, value in values.items() if value is False]


class _CannotReadError(Exception):
    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message)
        self.slug = slug


def _pem(anchor: "bytes | x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return anchor if isinstance(anchor, bytes) else anchor.public_bytes(Encoding.PEM)


def _facts(data: bytes, trust: Trust) -> Facts:
    reader, pages = _opened(data)
    claims_pdfa, claims_pdfua = _read_or(("", ""), lambda: _claims(reader))
    carried, child, pep = _carried(reader)
    return Facts(
        problem=None,
        sha256=sha256(data),
        pages=pages,
        pdfa=Standard(f"PDF/A-{claims_pdfa}" if claims_pdfa else None),
        pdfua=Standard(f"PDF/UA-{claims_pdfua}" if claims_pdfua else None),
        seal=_seal(data, trust),
        data=carried,
        child=child,
        pep=pep,
    )


def _read_or(otherwise: _T, read: Callable[[], _T]) -> _T:
    """What `read` finds, or `otherwise` where the bytes make no sense.

    Damaged and hostile files make PDF libraries raise whatever they like (KeyError, RecursionError, zlib's own), so
    nothing narrower than Exception is caught: a file that cannot be read is a finding, not a fault of ours. One that
    takes more memory than there is goes on as that.
    """
    try:
        return read()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001
        return otherwise


# --- the file --------------------------------------------------------------------------------------------------------


def _opened(data: bytes) -> "tuple[PdfReader, int]":
    if b"%PDF-" not in data[:1024]:
        raise _CannotReadError("not-a-pdf", "This is not a PDF.")
    from pypdf import PdfReader

    # pypdf would look for what is left of a file cut short; its end is what every version of a PDF finishes with.
    whole = b"%%EOF" in data[-1024:]
    reader = _read_or(None, lambda: PdfReader(io.BytesIO(data))) if whole else None
    if whole and (b"/Encrypt" in data if reader is None else _read_or(False, lambda: reader.is_encrypted)):
        raise _CannotReadError(
            "encrypted-pdf", "The PDF is encrypted; a record never is. Nothing can be said about it."
        )
    pages = _read_or(0, lambda: len(reader.pages)) if reader is not None else 0
    if reader is None or not pages:
        raise _CannotReadError("damaged-pdf", "The PDF is damaged or cut short: it cannot be read. Fetch it again.")
    return reader, pages


def _claims(reader: "PdfReader") -> tuple[str, str]:
    """The part and level of PDF/A (`3a`) and the part of PDF/UA (`1`) that the metadata claims, or nothing."""
    from lxml import etree

    metadata = reader.root_object.get("/Metadata")
    if metadata is None:
        return "", ""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    packet = etree.fromstring(metadata.get_object().get_data().strip(), parser)

    def said(prefix: str, key: str) -> str:
        name = f"{{{_XMP[prefix]}}}{key}"
        as_attribute = (element.get(name) for element in packet.iter() if element.get(name))
        return str(next(as_attribute, None) or packet.findtext(f".//{name}") or "").strip()

    pdfa, pdfua = said("pdfaid", "part") + said("pdfaid", "conformance").lower(), said("pdfuaid", "part")
    return _plain(pdfa) or "", _plain(pdfua) or ""


# --- the data --------------------------------------------------------------------------------------------------------


def _carried(reader: "PdfReader") -> tuple[Data, Child, Reference]:
    names = _read_or(None, lambda: [entry.name for entry in reader.attachment_list])
    if names is not None and DATA_NAME not in names:
        return Data(embedded=False), Child(), Reference()
    pep = _read_or(None, lambda: _pep(reader))
    if pep is None:  # it is there but cannot be read, or it is there twice
        return Data(embedded=True, digest_matches_sign_off=False), Child(), Reference()
    identity, child = pep.get("pep", {}), pep.get("child", {})
    return (
        Data(embedded=True, digest_matches_sign_off=_read_or(False, lambda: _is_as_signed(pep))),
        _read_or(Child(), lambda: Child(_plain(child.get("lcs_person_id")))),
        _read_or(Reference(), lambda: Reference(_plain(identity.get("id")), _number(identity.get("version")))),
    )


def _plain(value: object) -> str | None:
    """An identifier; anything else in its place is not passed on to screens and manifests."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _attached(reader: "PdfReader") -> bytes:
    (entry,) = (entry for entry in reader.attachment_list if entry.name == DATA_NAME)
    content = entry.content
    if len(content) > LARGEST_DATA:
        raise ValueError("larger than any PEP")
    return content


def _pep(reader: "PdfReader") -> dict[str, Any] | None:
    text = _attached(reader).decode("utf-8")
    pep = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse)
    return pep if isinstance(pep, dict) else None


def _readable(reader: "PdfReader") -> dict[str, Any]:
    pep = _pep(reader)
    if pep is None:
        raise ValueError("no PEP")
    return pep


def _file_name(data: bytes) -> str:
    """The name of the record with `.json`; where the data give no such name, one made of their digest."""
    name = _read_or("", lambda: naming.record(json.loads(data)).removesuffix(".pdf"))
    return f"{name if _FILE_NAME.fullmatch(name) else f'record-{sha256(data)[:16]}'}.json"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands twice another reader may take the other value: such data proves nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_as_signed(pep: dict[str, Any]) -> bool:
    signed = [sign_off["digest"] for sign_off in pep["sign_offs"]]
    return bool(signed) and set(signed) == {pep_digest(pep)}


# --- the seal --------------------------------------------------------------------------------------------------------


def _seal(data: bytes, trust: Trust) -> Seal:
    signatures = _read_or(None, lambda: _signatures(data))
    if signatures:
        return _read_or(Seal(present=True, intact=False), lambda: _judged(data, _the_seal(signatures), trust))
    if signatures is None and b"/ByteRange" in data:  # there was one, in what can no longer be read
        return Seal(present=True, intact=False)
    return Seal(present=False)


def _signatures(data: bytes) -> "list[EmbeddedPdfSignature]":
    from pyhanko.pdf_utils.reader import PdfFileReader

    reader = PdfFileReader(io.BytesIO(data), strict=False)
    if "/AcroForm" in reader.root:
        _check_form(reader.root["/AcroForm"])
    signatures: list[EmbeddedPdfSignature] = reader.embedded_signatures
    return signatures


def _check_form(form: Any) -> None:
    """ValueError where it has more fields than any form: pyHanko would follow those that loop or double for ever."""
    left, seen = [form["/Fields"]] if "/Fields" in form else [], 0
    while left:
        fields = left.pop()
        seen += len(fields)
        if seen > _MOST_FIELDS:
            raise ValueError("more fields than any form has")
        found = (field.get_object() for field in fields)
        left += [field["/Kids"] for field in found if "/Kids" in field]


def _the_seal(signatures: "Sequence[EmbeddedPdfSignature]") -> "EmbeddedPdfSignature":
    """The last that is named as seals are, for a seal may stand on top of somebody else's signature; else the first."""
    seals = [signature for signature in signatures if re.fullmatch(r"Seal( \d+)?", signature.field_name)]
    return seals[-1] if seals else signatures[0]


def _judged(data: bytes, signature: "EmbeddedPdfSignature", trust: Trust) -> Seal:
    claimed = signature.self_reported_timestamp
    covers = _read_or(False, lambda: _covers(data, signature))
    untouched = _read_or(False, lambda: _is_untouched(data, signature))
    proof = _read_or(None, lambda: container.timestamp(signature.pkcs7_content))
    judgement = timestamp.judge(*proof, trust) if proof else None
    proven = judgement.proves(claimed) if judgement else None
    at = judgement.at if judgement and proven else claimed
    seal = Seal(
        present=True,
        intact=False,
        covers_whole_document=covers,
        time_proven=proven,
        signer=_read_or(None, lambda: _name(signature)),
        at=f"{told.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}" if (told := claimed or at) else None,
    )
    status = _read_or(None, lambda: _status(signature, trust, at))
    if status is None:
        return seal
    return replace(
        seal,
        intact=status.intact and untouched,
        valid=status.valid,
        trusted=status.trusted
        and at is not None
        and stands(status.validation_path, status.signing_cert, trust, at, proven=bool(proven)),
    )


def _name(signature: "EmbeddedPdfSignature") -> str:
    subject = signature.signer_cert.subject
    name = subject.native.get("common_name") or subject.human_friendly
    return "".join(character for character in str(name) if character.isprintable())


def _gap(signature: "EmbeddedPdfSignature") -> tuple[int, int, int]:
    """Where the bytes that are not sealed begin and end, and where the sealed bytes after them end."""
    start, length, second_start, second_length = (int(number) for number in signature.byte_range)
    if start != 0 or not 0 < length < second_start:
        raise ValueError("not the byte range of a seal")
    return length, second_start, second_start + second_length


def _covers(data: bytes, signature: "EmbeddedPdfSignature") -> bool:
    """Whether all is sealed but one string of digits, which is where a container stands."""
    begin, end, last = _gap(signature)
    return last == len(data) and _CONTAINER.fullmatch(data, begin, end) is not None


def _is_untouched(data: bytes, signature: "EmbeddedPdfSignature") -> bool:
    """Whether the bytes that are not sealed are what pepforms writes there, to the last digit, and nothing else.

    A signature does not cover its own container, so changes to its padding, to the case of its digits or to what in
    it is not signed would go unnoticed.
    """
    begin, end, _ = _gap(signature)
    written = signature.pkcs7_content
    if data[begin:end] != b"<" + written.hex().upper().encode("ascii") + b">":
        return False
    length = _der_length(written)
    return not any(written[length:]) and container.is_as_written(written[:length])


def _der_length(der: bytes) -> int:
    """How long the DER value is with its header; padding may follow it."""
    if der[1] < 0x80:
        return 2 + der[1]
    octets = der[1] - 0x80
    return 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")


def _status(signature: "EmbeddedPdfSignature", trust: Trust, at: dt.datetime | None) -> "PdfSignatureStatus":
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.settings import KeyUsageConstraints

    context = trust.context(at or dt.datetime.now(dt.UTC))
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    # Without pyHanko's analysis of later changes: a seal permits none, and must cover the whole file.
    return validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True)
