"""The archival PDF as a whole: stamped, sealed and judged by veraPDF with no failure tolerated."""

import io
import os
import signal
from collections.abc import Callable
from typing import Any

import docx
import pikepdf
import pytest
import rdocx
from pikepdf import Name

from pepforms.archive.pdfa import NAME, Judge, Verdict
from pepforms.archive.seal import Sealer, make_demonstration_key
from pepforms.archive.stamp import Embedded, Stamp, finish
from pepforms.archive.verify import explain, verify
from pepforms.digest import canonical, pep_digest
from pepforms.errors import Unavailable

STAMP = Stamp(
    "Signed off by the Virtual School on 19 November 2026 as the record of the meeting of 12 November 2026",
    ("Łucja Mockworth and ሳሻ ሞክዎርዝ, Virtual School Officers", "PEP-2026-0042, version 2 · SHA-256 9f86d081884c7d65"),
)


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    path = tmp_path_factory.mktemp("key") / "seal.p12"
    make_demonstration_key(path, b"open sesame")
    return Sealer.load(path, b"open sesame")


@pytest.fixture(scope="module")
def converted() -> bytes:
    """A tagged PDF as the converter makes it: a heading, text, a table."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading("Personal Education Plan", 1)
    word.add_paragraph("An invented plan.")
    table = word.add_table(2, 2)
    table.cell(0, 0).text, table.cell(1, 1).text = "Target", "Read every day"
    for _ in range(50):
        word.add_paragraph("More of it.")
    word.save(buffer)
    return bytes(rdocx.Document.from_bytes(buffer.getvalue()).to_pdfa_deterministic("pdfa-3b"))


@pytest.fixture(scope="module")
def finished(converted: bytes) -> bytes:
    pep: dict[str, Any] = {"pep": {"id": "PEP-2026-0042", "version": 2}, "child": {"lcs_person_id": "L-1234"}}
    pep["sign_offs"] = [{"role": "virtual_school_officer", "digest": pep_digest(pep)}]
    data = Embedded("pep.json", canonical(pep), "application/json", "The Personal Education Plan as data")
    return finish(converted, title="PEP", stamp=STAMP, embedded=data)


@pytest.fixture(scope="module")
def record(finished: bytes, sealer: Sealer) -> bytes:
    return sealer.seal(finished)


def test_a_sealed_record_is_pdfa_3a_and_pdfua_1_without_one_failure(
    record: bytes, sealer: Sealer, judge: Judge
) -> None:
    assert judge.judge(record, "3a") == Verdict(conforms=True)
    assert judge.judge(record, "ua1") == Verdict(conforms=True)
    facts = verify(record, trust=[sealer.certificate], judge=judge)
    assert (facts.pdfa.conforms, facts.pdfua.conforms, facts.validated_by, facts.holds) == (True, True, NAME, True)


@pytest.mark.parametrize("stamp", [STAMP, None], ids=["stamped", "plain"])
def test_a_copy_is_pdfa_2a_and_pdfua_1_without_one_failure(converted: bytes, judge: Judge, stamp: Stamp | None) -> None:
    copy = finish(converted, title="PEP", stamp=stamp)
    assert judge.judge(copy, "2a") == Verdict(conforms=True)
    assert judge.judge(copy, "ua1") == Verdict(conforms=True)


def without_output_intent(document: pikepdf.Pdf) -> None:
    del document.Root.OutputIntents


def with_a_font_not_embedded(document: pikepdf.Pdf) -> None:
    for font in document.pages[0].obj.Resources.Font.values():
        del font.DescendantFonts[0].FontDescriptor["/FontFile2"]


def with_unmarked_content(document: pikepdf.Pdf) -> None:
    document.pages[0].contents_add(document.make_stream(b"q 0 0 9 9 re f Q"))


def with_a_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(S=Name.JavaScript, JS="app.alert(1)")


def without_tab_order(document: pikepdf.Pdf) -> None:
    for page in document.pages:
        del page.obj["/Tabs"]


def without_a_title(document: pikepdf.Pdf) -> None:
    packet = document.Root.Metadata.read_bytes()
    begin, end = packet.index(b"<dc:title>"), packet.index(b"</dc:title>") + len(b"</dc:title>")
    document.Root.Metadata.write(packet[:begin] + packet[end:])


@pytest.mark.parametrize(
    ("spoil", "fact", "clause"),
    [
        (without_output_intent, "pdfa", "6.2.4.3-2"),
        (with_a_font_not_embedded, "pdfa", "6.2.11.4.1-1"),
        (with_a_script, "pdfa", "6.5.1-1"),
        (with_unmarked_content, "pdfua", "7.1-3"),
        (without_tab_order, "pdfua", "7.18.3-1"),
        (without_a_title, "pdfua", "7.1-9"),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_spoilt_record_fails_for_its_reason_and_no_other(
    finished: bytes, sealer: Sealer, judge: Judge, spoil: Callable[[pikepdf.Pdf], None], fact: str, clause: str
) -> None:
    spoilt = io.BytesIO()
    with pikepdf.open(io.BytesIO(finished)) as document:
        spoil(document)
        document.save(spoilt, fix_metadata_version=False)
    sealed = sealer.seal(spoilt.getvalue())
    verdict = judge.judge(sealed, {"pdfa": "3a", "pdfua": "ua1"}[fact])
    assert [failed for failed, _, _ in verdict.failures] == [clause]
    facts = verify(sealed, trust=[sealer.certificate], judge=judge)
    assert getattr(facts, fact).conforms is False
    assert (facts.seal.intact, facts.seal.trusted, facts.holds) == (True, True, False)
    assert all(sentence.startswith("The file claims PDF/") for sentence in explain(facts))


def test_an_encrypted_file_is_no_archive_and_no_record(record: bytes, judge: Judge) -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(record)) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="o", user=""))
    assert "6.1.3-2" in [clause for clause, _, _ in judge.judge(locked.getvalue(), "3a").failures]
    assert verify(locked.getvalue(), judge=judge).problem is not None


def test_a_record_that_does_not_conform_does_not_hold(converted: bytes, sealer: Sealer, judge: Judge) -> None:
    boastful = finish(converted, title="PEP").replace(b"<pdfaid:part>2<", b"<pdfaid:part>9<")
    facts = verify(sealer.seal(boastful), trust=[sealer.certificate], judge=judge)
    assert (facts.pdfa.claims, facts.pdfa.conforms, facts.holds) == ("PDF/A-9a", False, False)
    assert explain(facts) == [
        f"The file claims PDF/A-9a but {NAME} finds that it does not conform (9a is no standard that {NAME} knows)."
    ]


def test_what_cannot_be_read_does_not_conform(record: bytes, judge: Judge) -> None:
    for data in (b"", b"no PDF", record[:4000], b"%PDF-1.7\n%%EOF"):
        assert not judge.judge(data, "3a").conforms


def test_a_judge_that_was_killed_is_replaced(record: bytes) -> None:
    judge = Judge()
    assert judge.judge(record, "3a").conforms
    (process,) = judge._pool._running
    assert process._process.pid is not None
    os.kill(process._process.pid, signal.SIGKILL)
    assert judge.judge(record, "3a").conforms
    judge.close()


def test_a_judge_that_does_not_finish_is_unavailable_and_says_nothing_of_the_file(record: bytes) -> None:
    judge = Judge(deadline=0.001)
    with pytest.raises(Unavailable, match="did not finish"):
        judge.judge(record, "3a")
    judge.close()
