"""The contract of every engine that turns Word files into PDFs. A new engine is one more line in `ENGINES`."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docx
import pikepdf
import pytest

from pepforms import loss
from pepforms.archive import stamp
from pepforms.archive.pdfa import Judge
from pepforms.convert import Converter
from pepforms.convert.rdocx import Rdocx
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.text import pdf

ENGINES: dict[str, Callable[[], Converter]] = {"rdocx": lambda: Rdocx(processes=2)}
REPRODUCIBLE = {"rdocx"}
"""Engines that give the same bytes for the same file."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Converter]:
    made = ENGINES[request.param]()
    yield made
    made.close()


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[bytes]:
    engine = Rdocx(processes=1)
    yield engine.convert(word_file("Words"), about="plan")
    engine.close()


def word_file(*paragraphs: str, rows: int = 2) -> bytes:
    """A heading, paragraphs and a table, filled so that every character has its font."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading("Personal Education Plan", 1)
    for text in paragraphs:
        word.add_paragraph(text)
    grid = word.add_table(rows, 2)
    for row in grid.rows:
        row.cells[0].text, row.cells[1].text = "Target", "{{ child.preferred_name }} reads every day"
    word.save(buffer)
    return Template(buffer.getvalue(), name="plan.docx").fill({"pep": {}, "child": {"preferred_name": "Łucja 😀"}}, {})


def text_of_word(data: bytes) -> str:
    return "\n".join(text.text or "" for text in docx.Document(io.BytesIO(data)).element.body.iter("{*}t"))


def text_of_pdf(data: bytes) -> str:
    return "".join(piece for page in pdf.read(data).pages for piece in page.said)


def characters(text: str) -> Counter[str]:
    """As a bag: where a line ends, and in which order a right-to-left line is kept, is the reader's matter."""
    return Counter(re.sub(r"[\s\u200b-\u200f\u2060-\u2069\ufe0e\ufe0f\ufeff]", "", unicodedata.normalize("NFKC", text)))


@pytest.mark.parametrize(
    "paragraphs",
    [
        ["One & two <three> “four” – £5.00"],
        ["Zoë Łukasz Nguyễn Олександр Κόσμε", "☐ No ☑ Yes ★★★ 😀 done", "ሳሻ ሞክዎርዝ wrote this"],
        ["شكرا جزيلا", "תודה רבה (thanks)", "She said شكرا twice"],
        [f"Paragraph {number} of many, long enough to run over lines and pages. " * 4 for number in range(60)],
    ],
    ids=["signs", "scripts", "right-to-left", "long"],
)
def test_all_of_the_words_text_and_no_more_is_in_the_pdf(engine: Converter, paragraphs: list[str]) -> None:
    word = word_file(*paragraphs)
    assert characters(text_of_pdf(engine.convert(word, about="plan"))) == characters(text_of_word(word))


SCRIPTS = [
    tuple(cell.strip() for cell in row.split("|")[1:3])
    for row in (Path(__file__).parent.parent / "docs" / "characters.md").read_text("utf-8").splitlines()
    if row.startswith("| ") and not row.startswith("| Script |")
]


@pytest.fixture(scope="module")
def in_every_script() -> bytes:
    """A Word file with every row of docs/characters.md, in a heading, a paragraph, a bold run and a table."""
    word, buffer = docx.Document(), io.BytesIO()
    for style in ("Normal", "Heading 1"):
        word.styles[style].font.name = "Arial"
    word.sections[0].footer.paragraphs[0].text = "سارة, Łucja ሳሻ স্ত্রী"
    grid = word.add_table(0, 2)
    for script, example in SCRIPTS:
        row = grid.add_row()
        row.cells[0].text, row.cells[1].text = script, example
    for _, example in SCRIPTS:
        word.add_heading(example, 1)
        word.add_paragraph(example)
        word.add_paragraph("Notes: ").add_run(f"{example} (end)").bold = True
    word.save(buffer)
    return Template(buffer.getvalue(), name="scripts.docx").fill({"pep": {}, "child": {}}, {})


def test_every_script_is_drawn_said_and_archival(engine: Converter, in_every_script: bytes, judge: Judge) -> None:
    made = stamp.finish(engine.convert(in_every_script, about="scripts"), title="Scripts")
    loss.check(in_every_script, made, about="scripts", facts=tuple)
    for flavour in ("2a", "ua1"):
        assert judge.judge(made, flavour).failures == ()


@pytest.mark.parametrize(("script", "example"), SCRIPTS, ids=[script for script, _ in SCRIPTS])
def test_a_signer_may_have_a_name_in_every_script(script: str, example: str, plain: bytes, judge: Judge) -> None:
    stamped = stamp.finish(plain, title="Plan", stamp=stamp.Stamp("Signed off", (example,)))
    (page,) = pdf.read(stamped).pages
    assert page.boxes == 0
    assert judge.judge(stamped, "2a").failures == ()


def test_the_pdf_is_tagged_claims_its_standard_and_embeds_its_fonts(engine: Converter) -> None:
    with pikepdf.open(io.BytesIO(engine.convert(word_file("Words"), about="plan"))) as made:
        assert made.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in made.Root
        assert made.open_metadata().pdfa_status
        for page in made.pages:
            for font in page.obj.Resources.Font.values():
                assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor


def test_the_same_file_gives_the_same_bytes(engine: Converter) -> None:
    word = word_file("Words", "☑ ሰላም")
    made = {engine.convert(word, about="plan") for _ in range(4)}
    assert len(made) == 1 or engine.name not in REPRODUCIBLE


@pytest.mark.parametrize("broken", [b"", b"junk", word_file("Words")[:3000]], ids=["empty", "junk", "cut short"])
def test_a_broken_word_file_is_refused_and_the_next_one_converted(engine: Converter, broken: bytes) -> None:
    with pytest.raises(Refused) as refused:
        engine.convert(broken, about="plan")
    assert refused.value.slug == "not-convertible"
    assert engine.convert(word_file("Words"), about="plan").startswith(b"%PDF-")


def test_many_at_once_each_get_their_own(engine: Converter) -> None:
    words = [word_file(f"Document number {number}", rows=1 + number % 5) for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        pdfs = list(threads.map(lambda word: engine.convert(word, about="plan"), words))
    for number, made in enumerate(pdfs):
        assert f"Document number {number} Target" in " ".join(text_of_pdf(made).split())


def test_a_closed_engine_starts_again(engine: Converter) -> None:
    engine.close()
    assert engine.convert(word_file("Words"), about="plan").startswith(b"%PDF-")


def test_a_document_that_takes_too_long_is_refused_by_its_name() -> None:
    engine = Rdocx(processes=1, deadline=0.001)
    try:
        with pytest.raises(Refused, match=r"^plan 7: The PDF engine did not finish") as refused:
            engine.convert(word_file(*["Words"] * 200), about="plan 7")
        assert refused.value.slug == "worker-lost"
    finally:
        engine.close()
