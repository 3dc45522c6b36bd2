"""The command `stamp`: a folder of PDFs of foreign make and a list become records, or wait for a person."""

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pikepdf
import pypdfium2
import pytest
from click.testing import CliRunner, Result
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from pepforms import digest, resources, settings
from pepforms.archive import foreign
from pepforms.archive.seal import make_demonstration_key
from pepforms.cli import commands
from pepforms.wiring import Wiring

PEPFORMS = Path(sys.executable).with_name("pepforms")
SIGNED = resources.folder("samples") / "valid" / "year-8-confidential-placement.json"


@dataclass
class Desk:
    """A folder to put PDFs in, a list, and what came of them."""

    folder: Path
    environment: dict[str, str]
    elsewhere: ModuleType

    def __post_init__(self) -> None:
        self.inbox, self.out, self.list = self.folder / "in", self.folder / "out", self.folder / "cards.csv"
        self.inbox.mkdir()

    def put(self, *pdfs: bytes) -> list[str]:
        names = [f"export-{number}.pdf" for number in range(1, len(pdfs) + 1)]
        for name, pdf in zip(names, pdfs, strict=True):
            (self.inbox / name).write_bytes(pdf)
        return names

    def stamp(self, *words: object) -> Result:
        given = words or (self.inbox, "--cards", self.list)
        result = CliRunner().invoke(
            commands, ["stamp", *map(str, given), "--out", str(self.out)], env=self.environment, standalone_mode=False
        )
        assert "Traceback" not in result.output
        return result

    def records(self) -> list[Path]:
        return sorted(self.out.glob("*.pdf"))

    def held(self) -> list[dict[str, str]]:
        path = self.out / "held.csv"
        return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))) if path.exists() else []

    def rows(self) -> list[dict[str, str]]:
        with (self.out / "manifest.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def file_one(self, pdf: bytes, **more: Sequence[str]) -> Result:
        """One child's PDF and its card."""
        names = self.put(pdf)
        self.list.write_text(self.elsewhere.cards(self.elsewhere.children(1), names, **more))
        return self.stamp()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "seal.p12"
    make_demonstration_key(path, b"open sesame")
    path.with_suffix(".txt").write_bytes(b"open sesame\n")
    return path


def environment(key: Path, **more: str) -> dict[str, str]:
    return {"PEPFORMS_SEAL_KEY_FILE": str(key), "PEPFORMS_SEAL_PASSPHRASE_FILE": str(key.with_suffix(".txt")), **more}


@pytest.fixture
def desk(tmp_path: Path, key: Path, elsewhere: ModuleType) -> Desk:
    """Without veraPDF, which takes 2 s to start."""
    return Desk(tmp_path, environment(key, PEPFORMS_ARCHIVE_VALIDATE="off"), elsewhere)


@pytest.fixture
def plan(elsewhere: ModuleType) -> bytes:
    made: bytes = elsewhere.old_epep(elsewhere.lines(elsewhere.children(1)[0]))
    return made


def code_of(result: Result) -> int:
    if result.exception:
        raise result.exception
    return int(result.return_value)


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], Any]) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        document.save(buffer)
    return buffer.getvalue()


# --- thirty PDFs of foreign make -------------------------------------------------------------------------------------


def of_five_makes(elsewhere: ModuleType, wanted: Sequence[int]) -> dict[int, bytes]:
    """Of thirty children eight by LibreOffice, four by Chromium, eight like Word's, nine of an old ePEP, and a scan."""
    texts = {number: elsewhere.lines(child) for number, child in enumerate(elsewhere.children(30)) if number in wanted}
    made: dict[int, bytes] = {}
    for first, end, make in ((0, 8, elsewhere.libreoffice), (8, 12, elsewhere.chromium)):
        numbers = [number for number in texts if first <= number < end]
        made |= zip(numbers, make([texts[number] for number in numbers]), strict=True)
    for number, text in texts.items():
        if 12 <= number < 20:
            made[number] = elsewhere.word_like(text)
        elif 20 <= number < 29:
            made[number] = elsewhere.old_epep(text, foot=bool(number % 2))
        elif number == 29:
            made[number] = elsewhere.scan(elsewhere.old_epep(text))
    return made


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param((0, 5, 6, 8, 12, 20, 21, 29), id="of each make"),
        pytest.param(range(30), id="thirty", marks=pytest.mark.slow),
    ],
)
def test_of_pdfs_of_five_makes_two_swapped_ones_and_a_scan_are_held_and_the_rest_filed_and_hold(
    tmp_path: Path, key: Path, elsewhere: ModuleType, wanted: Sequence[int]
) -> None:
    desk = Desk(tmp_path, environment(key), elsewhere)
    made = of_five_makes(elsewhere, wanted)
    files = dict(zip(made, desk.put(*made.values()), strict=True))
    files[5], files[6] = files[6], files[5]  # the two Testchildren, each with the other's PDF
    children = elsewhere.children(30)
    desk.list.write_text(elsewhere.cards([children[number] for number in files], [*files.values()]))
    result = desk.stamp()
    assert code_of(result) == 65
    rows = {number: str(row) for row, number in enumerate(files, 2)}
    assert [(row["row"], row["lcs_person_id"]) for row in desk.held()] == [
        (rows[5], "LCS-1006"), (rows[6], "LCS-1007"), (rows[29], "LCS-1030")]  # fmt: skip
    assert len(desk.records()) == len(made) - 3
    # Filing has every claim judged; here one of each make is judged again.
    unjudged = settings.load(desk.environment | {"HOME": str(tmp_path), "PEPFORMS_ARCHIVE_VALIDATE": "off"})
    quick, standards = Wiring(unjudged), {}
    for path in desk.records():
        facts = quick.verify(path.read_bytes())
        assert facts.holds
        assert facts.data.embedded is False
        standards[path.name.partition("_")[0]] = facts.pdfa.claims, facts.pdfua.claims
    assert [standards[f"LCS-{1001 + number}"] for number in (0, 8, 12, 20)] == [
        ("PDF/A-2u", None), ("PDF/A-2a", "PDF/UA-1"), ("PDF/A-2a", "PDF/UA-1"), (None, None)]  # fmt: skip
    wiring = Wiring(settings.load(desk.environment | {"HOME": str(tmp_path)}))
    for number in (0, 8, 12):
        (path,) = desk.out.glob(f"LCS-{1001 + number}_*.pdf")
        facts = wiring.verify(path.read_bytes())
        assert (facts.holds, facts.pdfa.conforms) == (True, True)
    assert {row["pdf_standard"] for row in desk.rows()} == {"PDF/A-2u", "PDF/A-2a, PDF/UA-1", "not PDF/A"}
    assert_nothing_is_lost(desk, made)
    assert not any(name in result.output for child in children for name in child.name.split())


def assert_nothing_is_lost(desk: Desk, made: dict[int, bytes]) -> None:
    """Every word of every page is there, in its order, and the stamp's on the first; filing has compared pictures."""
    for row in desk.rows():
        pdf = made[int(row["lcs_person_id"][4:]) - 1001]
        record = (desk.out / row["filename"]).read_bytes()
        before, after = (foreign.text(data, 0, 99) for data in (pdf, record))
        assert [page.seen.split() for page in after[1:]] == [page.seen.split() for page in before[1:]]
        first = after[0].seen.split()
        start = first.index("Signed")
        assert first[:start] + first[start + len(first) - len(before[0].seen.split()) :] == before[0].seen.split()


# --- what a record says ----------------------------------------------------------------------------------------------


def test_a_record_says_who_signed_off_where_and_who_filed_it_and_claims_nothing_of_data(
    desk: Desk, plan: bytes
) -> None:
    result = desk.file_one(plan)
    assert code_of(result) == 0
    (path,) = desk.records()
    code = digest.sha256(plan)
    assert path.name == f"LCS-1001_PEP_2026-27_AUT_2026-11-04_{code[:12]}_v1.pdf"
    seen = " ".join(foreign.text(path.read_bytes(), 0, 1)[0].seen.split())
    assert "Signed off in eGov ePEP by Sasha Mockworth, Virtual School Officer, on 11 November 2026" in seen
    assert "filed by Hillingdon Virtual School" in seen
    assert f"SHA-256 as received {code[:16]}" in seen
    (row,) = desk.rows()
    assert row == {
        "lcs_person_id": "LCS-1001",
        "pep_id": code[:12],
        "version": "1",
        "document_type": "PEP",
        "audience": "authority",
        "title": "Personal Education Plan, autumn term 2026/27",
        "meeting_date": "2026-11-04",
        "signed_off_at": "2026-11-11T15:30:00Z",
        "social_worker": "Dana Pretend",
        "team": "Looked After Team 2",
        "protective_marking": "OFFICIAL-SENSITIVE",
        "retention_until": "2085-03-01",
        "source": "eGov ePEP",
        "pdf_standard": "not PDF/A",
        "filename": path.name,
        "bytes": str(path.stat().st_size),
        "pages": "3",
        "sha256": digest.sha256(path.read_bytes()),
        "supersedes": "",
    }
    assert (desk.out / "SHA256SUMS").read_text() == f"{row['sha256']}  {path.name}\n"
    with pikepdf.open(path) as document:
        assert not document.attachments
        assert "Quill" not in str(document.docinfo) + document.Root.Metadata.read_bytes().decode()


def test_a_second_run_leaves_what_is_there_and_holds(desk: Desk, plan: bytes) -> None:
    assert code_of(desk.file_one(plan)) == 0
    (path,) = desk.records()
    before = path.read_bytes()
    assert code_of(desk.stamp()) == 0
    assert path.read_bytes() == before


def test_a_card_corrected_after_filing_never_replaces_the_record_by_itself(desk: Desk, plan: bytes) -> None:
    assert code_of(desk.file_one(plan)) == 0
    desk.list.write_text(desk.list.read_text().replace("Sasha Mockworth", "Pat Mockworth"))
    assert code_of(desk.stamp()) == 65
    assert "there already and is another record" in desk.held()[0]["reason"]
    assert code_of(desk.stamp(desk.inbox, "--cards", desk.list, "--force")) == 0
    assert "Pat Mockworth" in " ".join(foreign.text(desk.records()[0].read_bytes(), 0, 1)[0].seen.split())
    assert not desk.held()


def test_a_corrected_pdf_supersedes_only_where_the_card_says_which_pep_it_is(desk: Desk, plan: bytes) -> None:
    corrected = changed(plan, lambda document: document.add_blank_page())
    assert code_of(desk.file_one(plan, pep_id=["EP-77"], version=["1"])) == 0
    assert code_of(desk.file_one(corrected, pep_id=["EP-77"], version=["2"])) == 0
    assert code_of(desk.file_one(corrected)) == 0
    superseded = {row["pep_id"] + row["version"]: row["supersedes"] for row in desk.rows()}
    assert superseded == {
        "EP-771": "",
        "EP-772": "LCS-1001_PEP_2026-27_AUT_2026-11-04_EP-77_v1.pdf",
        f"{digest.sha256(corrected)[:12]}1": "",
    }


def test_a_pdf_whose_pep_is_at_hand_is_stamped_with_it(desk: Desk) -> None:
    text = desk.elsewhere.lines(desk.elsewhere.children(1)[0])
    pep = json.loads(SIGNED.read_text())
    name, born = pep["child"]["legal_name"], dt.date.fromisoformat(pep["child"]["date_of_birth"])
    text[1:3] = [f"Name of child: {name['given']} {name['family']}", f"Date of birth: {born:%d/%m/%Y}"]
    desk.put(desk.elsewhere.old_epep(text))
    assert code_of(desk.stamp(desk.inbox, "--pep", SIGNED)) == 0
    (row,) = desk.rows()
    assert (row["pep_id"], row["lcs_person_id"]) == (pep["pep"]["id"], pep["child"]["lcs_person_id"])
    desk.put(desk.elsewhere.old_epep(desk.elsewhere.lines(desk.elsewhere.children(1)[0])))
    assert code_of(desk.stamp(desk.inbox, "--pep", SIGNED)) == 65


def test_a_scan_whose_pep_is_at_hand_is_filed_once_a_named_person_has_confirmed_it(desk: Desk, plan: bytes) -> None:
    desk.put(desk.elsewhere.scan(plan))
    assert code_of(desk.stamp(desk.inbox, "--pep", SIGNED)) == 65
    (held,) = desk.held()
    assert run(desk, desk.inbox, "--pep", SIGNED, "--confirmed-by", "Sasha Mockworth").returncode == 65
    for words, code in (("Sasha Mockworth 00000000", 65), (f"Sasha Mockworth {held['code']}", 0)):
        assert code_of(desk.stamp(desk.inbox, "--pep", SIGNED, "--confirmed-by", words)) == code
    assert len(desk.records()) == 1


# --- what is held ----------------------------------------------------------------------------------------------------


def test_a_scan_is_filed_once_a_named_person_has_confirmed_that_very_pdf(desk: Desk, plan: bytes) -> None:
    scan = desk.elsewhere.scan(plan)
    assert code_of(desk.file_one(scan)) == 65
    (held,) = desk.held()
    assert held["code"] in held["reason"]
    assert code_of(desk.file_one(scan, child_confirmed_by=["Pat Mockworth 00000000"])) == 65
    assert "of another PDF or another child" in desk.held()[0]["reason"]
    assert code_of(desk.file_one(scan + b"\n", child_confirmed_by=[f"Pat Mockworth {held['code']}"])) == 65
    confirmed = desk.elsewhere.cards(desk.elsewhere.children(1), ["export-1.pdf"],
                                     child_confirmed_by=[f"Pat Mockworth {held['code']}"])  # fmt: skip
    desk.put(scan)
    desk.list.write_text(confirmed.replace("LCS-1001", "LCS-1002"))
    assert code_of(desk.stamp()) == 65
    assert code_of(desk.file_one(scan, child_confirmed_by=[f"Pat Mockworth {held['code']}"])) == 0
    assert not desk.held()
    seen = " ".join(foreign.text(desk.records()[0].read_bytes(), 0, 1)[0].seen.split())
    assert "Child confirmed by Pat Mockworth" in seen


def test_nobody_can_confirm_a_mismatch_away(desk: Desk) -> None:
    theirs = desk.elsewhere.old_epep(desk.elsewhere.lines(desk.elsewhere.children(2)[1]))
    code = digest.sha256(f"{digest.sha256(theirs)} LCS-1001".encode())[:8]
    assert code_of(desk.file_one(theirs, child_confirmed_by=[f"Pat Mockworth {code}"])) == 65
    (held,) = desk.held()
    assert "another child's" in held["reason"]
    assert held["code"] == ""
    assert not desk.records()


def with_an_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["report.txt"] = b"something else"


def with_the_name_in_its_properties_alone(document: pikepdf.Pdf) -> None:
    content = document.pages[0].obj.Contents.read_bytes()
    document.pages[0].obj.Contents = document.make_stream(content.replace(b"Quill Mockworth", b"see the cover"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [(with_an_attachment, "attached files"), (with_the_name_in_its_properties_alone, "name on the card is not in")],
)
def test_what_cannot_be_compared_is_held(
    desk: Desk, plan: bytes, change: Callable[[pikepdf.Pdf], None], reason: str
) -> None:
    assert code_of(desk.file_one(changed(plan, change))) == 65
    assert reason in desk.held()[0]["reason"]


def test_a_page_of_another_childs_plan_merged_in_is_held(desk: Desk, plan: bytes) -> None:
    other = desk.elsewhere.old_epep(desk.elsewhere.lines(desk.elsewhere.children(3)[2]))

    def merged(document: pikepdf.Pdf) -> None:
        with pikepdf.open(io.BytesIO(other)) as theirs:
            document.pages.append(theirs.pages[0])

    assert code_of(desk.file_one(changed(plan, merged))) == 65
    assert "more than one date of birth" in desk.held()[0]["reason"]


def test_rows_without_a_file_and_files_without_a_row_and_all_that_is_twice_are_listed(desk: Desk) -> None:
    children = desk.elsewhere.children(9)
    pdfs = [desk.elsewhere.old_epep(desk.elsewhere.lines(child)) for child in children[:7]]
    names = desk.put(*pdfs)
    (desk.inbox / "again").mkdir()
    (desk.inbox / "again" / names[1]).write_bytes(pdfs[1] + b"\n")  # two files of one name
    (desk.inbox / "copy of three.PDF").write_bytes(pdfs[2])  # one content, two names
    rows = [*children[:4], children[3], children[4], children[5], children[7]]
    files = [*names[:4], names[5], names[4], names[4], "gone.pdf"]  # a PEP in two rows, a file in two rows
    desk.list.write_text(desk.elsewhere.cards(rows, files).replace("11/11/2026 15:30", "soon", 1))
    assert code_of(desk.stamp()) == 65
    reasons = {(row["row"], row["file"]): row["reason"] for row in desk.held()}
    assert {place: reason.split(":")[0].split(".")[0] for place, reason in reasons.items()} == {
        ("2", "export-1.pdf"): "Row 2, column signed_off_at",
        ("", "copy of three.PDF"): "No row names this PDF",
        ("", "export-7.pdf"): "No row names this PDF",
        ("3", "export-2.pdf"): "Two PDFs have that name, in different folders",
        ("4", "export-3.pdf"): "Another PDF has exactly the same content",
        ("5", "export-4.pdf"): "Another row gives the same PEP (same child, term and meeting)",
        ("6", "export-6.pdf"): "Another row gives the same PEP (same child, term and meeting)",
        ("7", "export-5.pdf"): "Another row names the same file",
        ("8", "export-5.pdf"): "Another row names the same file",
        ("9", "gone.pdf"): "No PDF of that name was given",
    }
    assert not desk.records()


def test_a_pdf_filed_before_under_another_number_is_held(desk: Desk, plan: bytes) -> None:
    assert code_of(desk.file_one(plan)) == 0
    desk.list.write_text(desk.list.read_text().replace("LCS-1001", "LCS-2002"))
    assert code_of(desk.stamp()) == 65
    assert "under another LCS number" in desk.held()[0]["reason"]
    (record,) = desk.records()
    record.unlink()
    assert code_of(desk.stamp()) == 0


def test_two_peps_of_one_child_that_are_swapped_are_held(desk: Desk) -> None:
    (child,) = desk.elsewhere.children(1)
    autumn = desk.elsewhere.lines(child)
    spring = [line.replace("4 November 2026", "3 March 2027") for line in autumn]
    names = desk.put(desk.elsewhere.old_epep(spring), desk.elsewhere.old_epep(autumn))
    autumn_first = desk.elsewhere.cards([child, child], names)
    head, first, second = autumn_first.splitlines()
    second = second.replace("autumn,04/11/2026,11/11/2026", "spring,03/03/2027,10/03/2027")
    desk.list.write_text("\n".join([head, first, second]))
    assert code_of(desk.stamp()) == 65
    assert ["the meeting of another row" in row["reason"] for row in desk.held()] == [True, True]


def test_records_of_an_earlier_run_inside_the_folder_are_no_new_pdfs(desk: Desk, plan: bytes) -> None:
    desk.out = desk.inbox / "out"
    assert code_of(desk.file_one(plan)) == 0
    assert code_of(desk.stamp()) == 0


def test_nothing_on_the_screen_or_in_the_held_list_says_who_the_child_is(desk: Desk, plan: bytes) -> None:
    (desk.inbox / "Quill Mockworth.pdf").write_bytes(plan)
    desk.list.write_text(desk.elsewhere.cards(desk.elsewhere.children(1), ["=Quill.pdf"]))
    result = desk.stamp()
    assert code_of(result) == 65
    assert not any(word in result.output for word in ("Quill", "Mockworth", "2010"))
    (desk.inbox / "@sum.pdf").write_bytes(plan)
    desk.stamp()
    assert "'@sum.pdf" in {row["file"] for row in desk.held()}


# --- signed, hostile and large ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> signers.SimpleSigner:
    """Somebody else's signature."""
    path = tmp_path_factory.mktemp("theirs") / "theirs.p12"
    make_demonstration_key(path, b"theirs")
    loaded = signers.SimpleSigner.load_pkcs12(path, passphrase=b"theirs")
    assert loaded is not None
    return loaded


def signed(pdf: bytes, signer: signers.SimpleSigner, permits: MDPPerm | None = None) -> bytes:
    buffer = io.BytesIO()
    about = signers.PdfSignatureMetadata(
        field_name="Theirs", certify=permits is not None, docmdp_permissions=permits or MDPPerm.FILL_FORMS
    )
    signers.PdfSigner(about, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("permits", [None, MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE])
def test_a_signed_pdf_is_sealed_on_top_and_its_signature_stays_valid(
    desk: Desk, plan: bytes, signer: signers.SimpleSigner, permits: MDPPerm | None
) -> None:
    pdf = signed(plan, signer, permits)
    result = desk.file_one(pdf)
    assert code_of(result) == 0
    assert "sealed on top and not stamped" in result.output
    (path,) = desk.records()
    record = path.read_bytes()
    assert record.startswith(pdf)
    theirs, ours = PdfFileReader(io.BytesIO(record)).embedded_signatures
    status = validate_pdf_signature(theirs, ValidationContext(trust_roots=[theirs.signer_cert], allow_fetching=False))
    assert (status.intact, status.valid, status.docmdp_ok) == (True, True, True)
    assert (theirs.field_name, ours.field_name) == ("Theirs", "Seal")
    told = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True).stdout
    assert told.count("Signature is Valid") == 2
    assert code_of(desk.stamp()) == 0
    assert path.read_bytes() == record


def test_a_signed_form_is_read_with_what_was_filled_in(desk: Desk, plan: bytes, signer: signers.SimpleSigner) -> None:
    def filled(document: pikepdf.Pdf) -> None:
        with_the_name_in_its_properties_alone(document)
        font = document.pages[0].obj.Resources.Font
        look = document.make_stream(b"BT /F1 12 Tf 4 9 Td (Quill Mockworth) Tj ET", Subtype=Name.Form,
                                    BBox=Array([0, 0, 340, 30]), Resources=Dictionary(Font=font))  # fmt: skip
        field = document.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("child"), F=4,
                       V=String("Quill Mockworth"), Rect=Array([60, 90, 400, 120]), AP=Dictionary(N=look)))  # fmt: skip
        document.pages[0].obj.Annots = Array([field])
        document.Root.AcroForm = Dictionary(Fields=Array([field]))

    assert code_of(desk.file_one(signed(changed(plan, filled), signer))) == 0, desk.held()
    assert desk.records()[0].read_bytes().startswith(signed(changed(plan, filled), signer)[:1000])


def test_a_signature_that_permits_no_other_is_refused_by_name(
    desk: Desk, plan: bytes, signer: signers.SimpleSigner
) -> None:
    assert code_of(desk.file_one(signed(plan, signer, MDPPerm.NO_CHANGES))) == 65
    assert "permits no other on top" in desk.held()[0]["reason"]


def test_a_record_of_ours_is_not_filed_again(desk: Desk, plan: bytes) -> None:
    assert code_of(desk.file_one(plan)) == 0
    (path,) = desk.records()
    assert code_of(desk.file_one(path.read_bytes())) == 65
    assert "permits no other on top" in desk.held()[0]["reason"]


def test_a_file_that_costs_more_than_any_document_is_held_and_the_others_are_filed(desk: Desk, plan: bytes) -> None:
    def bomb(document: pikepdf.Pdf) -> None:
        packer = zlib.compressobj()
        first, more = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
        packed = first + 700 * more  # 701 MB, without packing them all
        content = document.make_stream(zlib.compress(packed), Filter=Array([Name.FlateDecode, Name.FlateDecode]))
        document.pages[0].obj.Contents = Array([document.pages[0].obj.Contents, content])

    children = desk.elsewhere.children(2)
    names = desk.put(changed(plan, bomb), desk.elsewhere.old_epep(desk.elsewhere.lines(children[1])))
    desk.list.write_text(desk.elsewhere.cards(children, names))
    assert code_of(desk.stamp()) == 65
    assert [row["row"] for row in desk.held()] == ["2"]
    assert len(desk.records()) == 1


@pytest.mark.parametrize("most", [250, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_plan_of_many_pages_is_filed(desk: Desk, most: int) -> None:
    (child,) = desk.elsewhere.children(1)
    long = desk.elsewhere.old_epep(desk.elsewhere.lines(child, pages=10), per_page=1)
    pdf = changed(long, lambda document: [document.pages.extend(document.pages[1:200]) for _ in range(most // 200)])
    assert len(pypdfium2.PdfDocument(pdf)) > most
    assert code_of(desk.file_one(pdf)) == 0, desk.held()
    assert int(desk.rows()[0]["pages"]) > most


# --- the command -----------------------------------------------------------------------------------------------------


def run(desk: Desk, *words: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [PEPFORMS, "stamp", *map(str, words), "--out", str(desk.out)],
        env={"PATH": os.environ["PATH"], "HOME": str(desk.folder), **desk.environment},
        capture_output=True,
        timeout=120,
    )


def test_of_two_runs_at_once_neither_holds_what_the_other_files(desk: Desk, plan: bytes) -> None:
    names = desk.put(plan)
    desk.list.write_text(desk.elsewhere.cards(desk.elsewhere.children(1), names))
    with ThreadPoolExecutor(2) as pool:
        runs = [*pool.map(lambda _: run(desk, desk.inbox, "--cards", desk.list), range(2))]
    assert [each.returncode for each in runs] == [0, 0]
    assert runs[0].stdout == runs[1].stdout
    assert len(desk.rows()) == 1


def test_why_a_pep_cannot_give_the_card_is_said_in_full(desk: Desk, plan: bytes) -> None:
    desk.put(plan)
    unsigned = desk.folder / "unsigned.json"
    unsigned.write_text(json.dumps({**json.loads(SIGNED.read_text()), "sign_offs": []}))
    told = run(desk, desk.inbox, "--pep", unsigned)
    assert told.returncode == 65
    assert b"has not signed this PEP" in told.stderr


def test_the_console_script_says_who_must_act(desk: Desk, plan: bytes) -> None:
    desk.put(plan)
    desk.list.write_text("file,term\n")
    assert run(desk, desk.inbox).returncode == 64
    assert run(desk, desk.inbox, "--cards", desk.list, "--pep", SIGNED).returncode == 64
    missing = run(desk, desk.inbox, "--cards", desk.folder / "none.csv")
    assert (missing.returncode, b"none.csv cannot be read" in missing.stderr) == (66, True)
    bad = run(desk, desk.inbox, "--cards", desk.list)
    assert bad.returncode == 65
    assert b"has no column" in bad.stderr
    empty = desk.folder / "empty"
    empty.mkdir()
    assert run(desk, empty, "--cards", desk.list).returncode == 66
    desk.environment.pop("PEPFORMS_SEAL_KEY_FILE")
    assert run(desk, desk.inbox, "--cards", desk.list).returncode == 78
