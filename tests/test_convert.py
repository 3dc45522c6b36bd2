"""The contract of every engine that turns Word files into PDFs. A new engine is one more line in `ENGINES`."""

import io
import os
import re
import select
import signal
import socket
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import docx
import pikepdf
import pypdfium2
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.shared import Pt
from PIL import Image

from pepforms import loss
from pepforms.archive import stamp
from pepforms.archive.pdfa import Judge
from pepforms.convert import Converter
from pepforms.convert.libreoffice import LibreOffice
from pepforms.convert.rdocx import Rdocx
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.text import pdf

ENGINES: dict[str, Callable[..., Converter]] = {"rdocx": Rdocx, "libreoffice": LibreOffice}
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
REPRODUCIBLE = {"rdocx"}
"""Engines that give the same bytes for the same file."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Converter]:
    made = ENGINES[request.param](processes=2)
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


LONG_WORDS = {
    "an address": "https://eu.example.org/?url=https%3A%2F%2Fwww.example.org%2F" + "captainsoupandtheloudhall" * 6,
    "an e-mail address": "somebody.with.a.very.long.name@children-in-care.many-words.example.org",
    "letters": "a" * 300,
    "capitals": "W" * 120,
    "another script": "Сучасність" * 20,
}


@pytest.mark.parametrize("word", LONG_WORDS.values(), ids=LONG_WORDS)
@pytest.mark.parametrize("size", [8, 14])
def test_a_word_longer_than_its_line_is_broken_within_its_column_and_nothing_of_it_lost(
    engine: Converter, word: str, size: int
) -> None:
    file, buffer = docx.Document(), io.BytesIO()
    file.styles["Normal"].font.name, file.styles["Normal"].font.size = "Arial", Pt(size)
    file.add_paragraph(f"See {word} and then go on").paragraph_format.left_indent = Pt(120)
    cells = file.add_table(1, 4).rows[0].cells
    cells[1].text, cells[2].text = word, "Beside"
    file.save(buffer)
    docx_file = Template(buffer.getvalue(), name="long.docx").fill({"pep": {}, "child": {}}, {})
    made = stamp.finish(engine.convert(docx_file, about="plan"), title="Plan")
    loss.check(docx_file, made, about="plan", facts=lambda: ())
    text = pypdfium2.PdfDocument(made)[0].get_textpage()
    boxes = [text.get_rect(number) for number in range(text.count_rects())]
    beside = next(box for box in boxes if text.get_text_bounded(*box).strip() == "Beside")
    above = [box for box in boxes if box[1] > beside[3]]  # the paragraph; what is beside or below is the table
    assert max(right for _, _, right, _ in above) <= pypdfium2.PdfDocument(made)[0].get_width() - 90
    inside = [box for box in boxes if box not in above and box[0] < beside[0]]
    assert max(right for _, _, right, _ in inside) <= beside[0]


def table_below(lines: int) -> bytes:
    """So many lines of text, then a heading and a table whose first row is its heading row."""
    file, buffer = docx.Document(), io.BytesIO()
    file.styles["Normal"].font.name = "Arial"
    for number in range(lines):
        file.add_paragraph(f"Line {number}").paragraph_format.space_after = Pt(0)
    file.add_heading("Announced", 2)
    table = file.add_table(0, 2)
    for number in range(8):
        for cell, words in zip(
            table.add_row().cells, ("Headingrow", "What") if number == 0 else (f"Row{number}", "x"), strict=True
        ):
            cell.text = words
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    file.save(buffer)
    return Template(buffer.getvalue(), name="table.docx").fill({"pep": {}, "child": {}}, {})


def test_a_heading_row_never_stands_alone_at_the_foot_of_a_page(engine: Converter) -> None:
    cut = 0
    for lines in range(39, 50):
        pages = pdf.seen(engine.convert(table_below(lines), about="plan"))
        first = next(page for page in pages if "Headingrow" in page)
        assert "Row1" in first, lines
        assert "Announced" in first, lines
        cut += len([page for page in pages if "Headingrow" in page]) > 1
    assert cut  # some of these tables do run over two pages


def bottoms(data: bytes, letter: str) -> list[float]:
    """How high a letter stands above the foot of the first page, wherever it stands."""
    text = pypdfium2.PdfDocument(data)[0].get_textpage()
    return [text.get_charbox(at)[1] for at in range(text.count_chars()) if text.get_text_range(at, 1) == letter]


@pytest.mark.parametrize("sign", ["☺", "★"])
def test_a_sign_does_not_sink_its_line(engine: Converter, sign: str) -> None:
    word, buffer = docx.Document(), io.BytesIO()
    words = word.add_paragraph(f"H\nH {sign}\nH")
    words.runs[0].font.name, words.paragraph_format.line_spacing = "Arial", Pt(16)
    word.save(buffer)
    data = Template(buffer.getvalue(), name="signs.docx").fill({"pep": {}, "child": {}}, {})
    first, second, third = bottoms(engine.convert(data, about="signs"), "H")
    assert (first - second, second - third) == pytest.approx((16, 16), abs=2)


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
    for number, made in enumerate(pdfs):
        assert f"Document number {number} Target" in " ".join(text_of_pdf(made).split())


def test_a_closed_engine_starts_again(engine: Converter) -> None:
    engine.close()
    assert engine.convert(word_file("Words"), about="plan").startswith(b"%PDF-")


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_a_document_that_takes_too_long_is_refused_by_its_name(make: Callable[..., Converter]) -> None:
    engine = make(processes=1, deadline=0.001)
    try:
        with pytest.raises(Refused, match=r"^plan 7: .* did not finish") as refused:
            engine.convert(word_file(*["Words"] * 200), about="plan 7")
        assert refused.value.slug == "worker-lost"
    finally:
        engine.close()


def worker(engine: Converter) -> Any:
    """The one process of an engine, None between two."""
    return next(iter(engine._pool._running), None)  # type: ignore[attr-defined]


def stop(engine: Converter) -> None:
    """Stop the engine's process: it takes the next job into its pipe and never answers."""
    os.kill(worker(engine)._process.pid, signal.SIGSTOP)


@contextmanager
def killing(engine: Converter, *, times: int) -> Iterator[None]:
    """Kill the engine's process in the middle of the next job, and again the one that takes its place."""
    stop(engine)  # so that the first kill cannot come too late
    first = worker(engine)

    def strike(jobs: int, struck: Any = None) -> None:
        for _ in range(times):
            while (now := worker(engine)) in (None, struck) or now.jobs == jobs:
                time.sleep(0.001)
            os.kill(now._process.pid, signal.SIGKILL)
            jobs, struck = 0, now

    killer = threading.Thread(target=strike, args=(first.jobs,), daemon=True)
    killer.start()
    yield
    killer.join(20)
    assert not killer.is_alive()


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_twenty_documents_of_which_one_hangs_its_engine_once_one_kills_it_once_and_one_every_time(
    make: Callable[..., Converter],
) -> None:
    words = [word_file(f"Document number {number}") for number in range(20)]
    words[11] = word_file(*[f"Paragraph {number}, long enough to be at it for a while. " * 9 for number in range(600)])
    engine, made = make(processes=1, deadline=4), {}
    try:
        for number, word in enumerate(words):
            if number == 3:
                stop(engine)
            with killing(engine, times={7: 1, 11: 2}[number]) if number in (7, 11) else nullcontext():
                if number == 11:
                    with pytest.raises(Refused, match=r"^plan 11: .* did not finish .*, or died, twice over\."):
                        engine.convert(word, about="plan 11")
                else:
                    made[number] = engine.convert(word, about=f"plan {number}")
    finally:
        engine.close()
    assert [*made] == [number for number in range(20) if number != 11]
    for number, plan in made.items():
        assert f"Document number {number} Target" in " ".join(text_of_pdf(plan).split())


NAMESPACES = """\
xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"
xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"
xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office\""""
PICTURE = """\
<w:p {ns}><w:r><w:drawing><wp:inline><wp:extent cx="952500" cy="952500"/><wp:docPr id="1" name="p" descr="p"/>
<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>
<pic:nvPicPr><pic:cNvPr id="0" name="p"/><pic:cNvPicPr/></pic:nvPicPr>
<pic:blipFill><a:blip r:link="{id}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>
<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="952500" cy="952500"/></a:xfrm>
<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>
</wp:inline></w:drawing></w:r></w:p>"""
SHAPE = '<v:shape id="s" style="width:75pt;height:75pt"><v:imagedata r:id="{id}"/></v:shape>'
OLD_PICTURE = f"<w:p {{ns}}><w:r><w:pict>{SHAPE}</w:pict></w:r></w:p>"
OBJECT = f"""\
<w:p {{ns}}><w:r><w:object>{SHAPE}<o:OLEObject Type="Link" ProgID="Word.Document.12" ShapeID="s"
DrawAspect="Content" r:id="{{id}}" UpdateMode="Always"/></w:object></w:r></w:p>"""
REFERRING = [
    (RELATIONSHIP_TYPE.IMAGE, PICTURE),
    (RELATIONSHIP_TYPE.IMAGE, OLD_PICTURE),
    (RELATIONSHIP_TYPE.OLE_OBJECT, OBJECT),
    (RELATIONSHIP_TYPE.A_F_CHUNK, '<w:altChunk {ns} r:id="{id}"/>'),
]
"""How a Word file shows what lies elsewhere: the kind of relationship, and the XML that shows it."""

FIELDS = ('INCLUDEPICTURE "{}" \\d', 'INCLUDETEXT "{}"', 'DDEAUTO "{}" x', 'LINK Word.Document.12 "{}" \\a')
FIELD = (
    '<w:p {ns}><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    '<w:r><w:instrText xml:space="preserve"> {said} </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>shown</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
)
ATTACHED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"


def referring_file(folder: str, picture: str) -> bytes:
    """A Word file that refers, in every way there is, to files in a folder: a URL that ends with a stroke."""
    word, buffer = docx.Document(), io.BytesIO()
    word.add_paragraph("Before")
    end = word.element.body[-1]
    for relationship, xml in REFERRING:
        identity = word.part.relate_to(folder + picture, relationship, is_external=True)
        end.addprevious(parse_xml(xml.format(ns=NAMESPACES, id=identity)))
    for field in FIELDS:
        end.addprevious(parse_xml(FIELD.format(ns=NAMESPACES, said=field.format(folder + picture))))
    settings = word.part._settings_part
    identity = settings.relate_to(f"{folder}template.dotx", ATTACHED, is_external=True)
    settings.element.insert(0, parse_xml(f'<w:attachedTemplate {NAMESPACES} r:id="{identity}"/>'))
    word.save(buffer)
    return buffer.getvalue()


def test_nothing_that_a_word_file_refers_to_on_the_network_is_asked_for(engine: Converter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        word = referring_file(f"http://127.0.0.1:{listening.getsockname()[1]}/", "picture.png")
        with suppress(Refused):  # an engine may say that it cannot convert such a file
            engine.convert(word, about="plan")
        assert not select.select([listening], [], [], 0.2)[0]


def test_no_file_of_this_machine_that_a_word_file_refers_to_is_shown(engine: Converter, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), "red").save(tmp_path / "picture.png")
    made = b""
    with suppress(Refused):
        made = engine.convert(referring_file(f"{tmp_path.as_uri()}/", "picture.png"), about="plan")
    if made:
        with pikepdf.open(io.BytesIO(made)) as document:
            assert not [page for page in document.pages if [*page.get_images()]]
