"""What a PDF draws, as two engines draw it: everything that one of them loses is seen, and nothing else alarms."""

import functools
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import docx
import pypdfium2
import pytest
from docx.shared import Cm
from PIL import Image
from pypdfium2 import raw

from pepforms import drawn, forms, pipeline, profile
from pepforms.convert import Converter
from pepforms.convert.libreoffice import LibreOffice
from pepforms.convert.rdocx import Rdocx
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.resources import folder

NAMES = ("rdocx", "libreoffice")
Engines = tuple[Converter, Converter]
Bounds = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    pair = (Rdocx(processes=1), LibreOffice(processes=1))
    yield pair
    for engine in pair:
        engine.close()


@pytest.fixture(scope="module")
def both(engines: Engines) -> tuple[bytes, bytes]:
    """A PEP of many tables with a picture, by rdocx and by LibreOffice."""
    form, ours = forms.named("pep"), profile.load("hillingdon")
    (path,) = [path for path in (folder("samples") / "valid").glob("*.json") if '"pictures": [' in path.read_text()]
    pep = json.loads(path.read_text())
    told = pipeline.told(pep, form, "authority", ours)
    word = Template(form.template.read_bytes(), name="pep.docx").fill(pep, told)
    return engines[0].convert(word, about="plan"), engines[1].convert(word, about="plan")


read = functools.lru_cache(maxsize=4)(drawn.read)
"""Of two PDFs that are compared, one is the same each time."""


def told(one: bytes, other: bytes) -> list[str]:
    return [*drawn.differences(read(one), read(other), NAMES)]


def things(pdf: bytes) -> list[tuple[int, int, Bounds]]:
    """Everything that is drawn besides text: its page, its kind and where it is. What lies on each other is one."""
    document = pypdfium2.PdfDocument(pdf)
    found = [
        (number, thing.type, thing.get_bounds())
        for number, page in enumerate(document)
        for thing in page.get_objects()
        if thing.type in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE)
    ]
    document.close()
    return [*{(number, kind, *map(round, bounds)): (number, kind, bounds) for number, kind, bounds in found}.values()]


def without(pdf: bytes, page: int, kind: int, lost: Callable[[Bounds], bool]) -> bytes:
    """The PDF without what is drawn on a page where `lost` says so."""
    document, buffer = pypdfium2.PdfDocument(pdf), io.BytesIO()
    sheet = document[page]
    for thing in [thing for thing in sheet.get_objects() if thing.type == kind and lost(thing.get_bounds())]:
        sheet.remove_obj(thing)
    sheet.gen_content()
    document.save(buffer)
    return buffer.getvalue()


def at(place: Bounds) -> Callable[[Bounds], bool]:
    return lambda bounds: all(abs(here - there) < 1 for here, there in zip(bounds, place, strict=True))


def test_the_engines_draw_the_same_and_saving_alone_changes_nothing(both: tuple[bytes, bytes]) -> None:
    rdocx, libreoffice = both
    assert told(rdocx, libreoffice) == []
    assert told(without(rdocx, 0, raw.FPDF_PAGEOBJ_PATH, lambda _: False), libreoffice) == []
    found = read(rdocx)
    assert len(found.pictures) == 1
    assert len(found.rows) > 40
    assert found.lines > 60


def sheets(pdf: bytes) -> list[drawn.Sheet]:
    document = pypdfium2.PdfDocument(pdf)
    found = [drawn.Sheet(page, number) for number, page in enumerate(document)]
    document.close()
    return found


def of_headings_drawn_twice(pdf: bytes) -> Callable[[int, Bounds], bool]:
    """Whether something belongs to the heading row of a table that runs over pages: what one lacks the other has."""
    tops = [(sheet.number, place[3], rows[0].told) for sheet in sheets(pdf) for place, rows in sheet.frames]
    often = [(page, top) for page, top, heading in tops if [one[2] for one in tops].count(heading) > 1]
    return lambda page, bounds: any(page == there and top - 60 < bounds[3] < top + 2 for there, top in often)


@pytest.mark.parametrize("engine", [0, 1], ids=NAMES)
def test_every_line_area_and_picture_that_one_engine_loses_is_seen(both: tuple[bytes, bytes], engine: int) -> None:
    twice = of_headings_drawn_twice(both[engine])
    all_of_it = [thing for thing in things(both[engine]) if not twice(thing[0], thing[2])]
    pictures = [thing for thing in all_of_it if thing[1] == raw.FPDF_PAGEOBJ_IMAGE]
    assert pictures
    for page, kind, bounds in [*all_of_it[:: len(all_of_it) // 25], *pictures]:
        spoilt = [*both]
        spoilt[engine] = without(both[engine], page, kind, at(bounds))
        assert told(*spoilt), f"lost on page {page + 1}: {bounds}"


@pytest.mark.parametrize("engine", [0, 1], ids=NAMES)
def test_every_table_that_one_engine_loses_is_seen(both: tuple[bytes, bytes], engine: int) -> None:
    """A table's lines, all of them: its words may stand there still."""
    tables = [(sheet.number, place) for sheet in sheets(both[engine]) for place, rows in sheet.frames if len(rows) > 1]
    assert len(tables) > 10
    for page, (left, bottom, right, top) in tables:

        def inside(thing: Bounds, edges: Bounds = (left - 2, bottom - 2, right + 2, top + 2)) -> bool:
            return edges[0] <= thing[0] and edges[1] <= thing[1] and thing[2] <= edges[2] and thing[3] <= edges[3]

        spoilt = [*both]
        spoilt[engine] = without(both[engine], page, raw.FPDF_PAGEOBJ_PATH, inside)
        (sentence, *_) = told(*spoilt)
        assert "rows, boxes or bars" in sentence


def paper(*, rows: int, before: int, height: float = 1.0, header: bool = False, picture: bool = False) -> bytes:
    """A Word file: lines of text, a table with a heading row, some of its rows tall, under a header ruled and drawn."""
    word, buffer = docx.Document(), io.BytesIO()
    if header:
        ruled = word.sections[0].header.add_table(1, 2, word.sections[0].page_width)
        ruled.style = "Table Grid"
        ruled.cell(0, 0).text = "On every page"
    for number in range(before):
        word.add_paragraph(f"Line {number}")
    table = word.add_table(rows, 2, "Table Grid")
    for number, row in enumerate(table.rows):
        row.cells[0].text, row.cells[1].text = f"Row {number}", "Words and more words " * int(20 * height)
    table.rows[0]._tr.get_or_add_trPr().append(docx.oxml.parse_xml(HEADING))
    if picture:
        word.add_picture(picture_of("red"))
    word.save(buffer)
    return buffer.getvalue()


HEADING = '<w:tblHeader xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'


@pytest.mark.parametrize("before", [0, 9, 22], ids=lambda lines: f"{lines} lines before")
@pytest.mark.parametrize(
    "more",
    [{"rows": 70, "height": 0.1}, {"rows": 30, "height": 0.5}, {"rows": 60, "height": 0.1, "header": True}],
    ids=["a heading row drawn again", "rows cut by the page", "a table in the header"],
)
def test_where_a_page_ends_makes_no_difference(engines: Engines, before: int, more: dict[str, Any]) -> None:
    """The same table with other text before it breaks at other rows: only the text beside it differs."""
    one, other = (drawn.read(engines[1].convert(paper(before=lines, **more), about="x")) for lines in (before, 3))
    assert [*drawn.differences(one, other, NAMES)] == []
    assert one.pages > 1


def test_lines_at_the_same_place_of_many_pages_are_no_header_below_the_margin(engines: Engines) -> None:
    word, buffer = docx.Document(), io.BytesIO()
    for _ in range(3):
        word.add_paragraph().paragraph_format.page_break_before = True
        word.add_paragraph("Over a line")._p.get_or_add_pPr().append(docx.oxml.parse_xml(RULED))
    word.save(buffer)
    assert [drawn.read(engine.convert(buffer.getvalue(), about="x")).lines for engine in engines] == [3, 3]


RULED = (
    '<w:pBdr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:bottom w:val="single" w:sz="4" w:space="1" w:color="000000"/></w:pBdr>'
)


def picture_of(colour: str) -> io.BytesIO:
    image = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(image, "png")
    return io.BytesIO(image.getvalue())


@pytest.mark.parametrize("pages", [2, 3])
def test_a_logo_in_the_header_is_one_picture_on_however_many_pages(engines: Engines, pages: int) -> None:
    word, buffer = docx.Document(), io.BytesIO()
    word.sections[0].header.paragraphs[0].add_run().add_picture(picture_of("green"), height=Cm(4))
    for number in range(pages):
        word.add_paragraph(f"Page {number}").paragraph_format.page_break_before = number > 0
    word.save(buffer)
    found = [drawn.read(engine.convert(buffer.getvalue(), about="x")) for engine in engines]
    assert [(one.pages, len(one.pictures)) for one in found] == [(pages, 1), (pages, 1)]


def test_other_pictures_at_the_same_place_of_the_next_page_are_counted(engines: Engines) -> None:
    word, buffer = docx.Document(), io.BytesIO()
    for colour in ("red", "blue"):
        paragraph = word.add_paragraph()
        paragraph.paragraph_format.page_break_before = True
        paragraph.add_run().add_picture(picture_of(colour))
    word.save(buffer)
    assert [len(drawn.read(engine.convert(buffer.getvalue(), about="x")).pictures) for engine in engines] == [2, 2]


def test_pictures_of_another_size_and_many_pages_more_are_differences() -> None:
    small, large = drawn.Drawn(3, pictures=[900.0]), drawn.Drawn(5, pictures=[1600.0])
    assert [*drawn.differences(small, large, NAMES)] == [
        "rdocx makes 3 pages, libreoffice 5",
        "rdocx draws 1 pictures of 900 square points, libreoffice 1 pictures of 1600 square points",
    ]
    assert [*drawn.differences(small, drawn.Drawn(4, pictures=[950.0]), NAMES)] == []


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(Refused, match="This is not a PDF"):
        drawn.read(b"junk")
