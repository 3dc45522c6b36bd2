"""The contract of every engine that turns Word files into PDFs. A new engine is one more line in `ENGINES`."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import docx
import pikepdf
import pytest

from pepforms.convert import Converter
from pepforms.convert.libreoffice import LibreOffice
from pepforms.convert.rdocx import Rdocx
from pepforms.errors import Refused
from pepforms.fill import Template

ENGINES: dict[str, Callable[..., Converter]] = {"rdocx": Rdocx, "libreoffice": LibreOffice}
REPRODUCIBLE = {"rdocx"}
"""Engines that give the same bytes for the same file."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Converter]:
    made = ENGINES[request.param](processes=2)
    yield made
    made.close()


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
    """The tagged text as a screen reader takes it: what a span says of itself goes before its glyphs."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return "\n".join(text for page in pdf.pages for text in tagged(page))


def tagged(page: pikepdf.Page) -> Iterator[str]:
    around: list[str] = []  # of each marked content that is open: whether its glyphs are text
    glyphs, step = dict[int, str](), 2
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "BMC" | "BDC":
                said = operands[1] if len(operands) > 1 and isinstance(operands[1], pikepdf.Dictionary) else {}
                if "/ActualText" in said and "unsaid" not in around:
                    yield str(said["/ActualText"])
                around.append("unsaid" if "/ActualText" in said or str(operands[0]) == "/Artifact" else "text")
            case "EMC":
                around.pop()
            case "Tf":
                font = page.obj.Resources.Font[str(operands[0])]
                glyphs, step = unicode_of(font), 2 if font.Subtype == "/Type0" else 1
            case "TJ" | "Tj" if "text" in around and "unsaid" not in around:
                parts = operands[0] if str(operator) == "TJ" else operands
                codes = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
                yield "".join(glyphs[int.from_bytes(codes[at : at + step])] for at in range(0, len(codes), step))


def unicode_of(font: pikepdf.Object) -> dict[int, str]:
    """What each glyph of a font says (its ToUnicode map)."""
    table: dict[int, str] = {}
    text = font.ToUnicode.read_bytes().decode()
    for kind, body in re.findall(r"begin(bfchar|bfrange)(.*?)end", text, re.DOTALL):
        numbers = [bytes.fromhex(found) for found in re.findall(r"<([0-9A-Fa-f]+)>", body)]
        step = 2 if kind == "bfchar" else 3
        for at in range(0, len(numbers), step):
            *codes, said = numbers[at : at + step]
            for code in range(int.from_bytes(codes[0]), int.from_bytes(codes[-1]) + 1):
                start = said[:-1] + bytes([said[-1] + code - int.from_bytes(codes[0])])
                table[code] = start.decode("utf-16-be")
    return table


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


def test_the_pdf_is_tagged_claims_its_standard_and_embeds_its_fonts(engine: Converter) -> None:
    with pikepdf.open(io.BytesIO(engine.convert(word_file("Words"), about="plan"))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in pdf.Root
        assert pdf.open_metadata().pdfa_status
        for page in pdf.pages:
            for font in page.obj.Resources.Font.values():
                assert "/FontFile2" in font.get("/DescendantFonts", [font])[0].FontDescriptor


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
    for number, pdf in enumerate(pdfs):
        assert f"Document number {number} Target" in " ".join(text_of_pdf(pdf).split())


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
