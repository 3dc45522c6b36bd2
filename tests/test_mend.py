"""What Word demands of cells, headers and tables is there when the tags have taken what stood in them."""

import io
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from lxml import etree

from pepforms.fill import Template
from pepforms.fill.mend import blocks

PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill"},
}


def filled(word: Any) -> dict[str, etree._Element]:
    """The parts of the filled template that hold text."""
    buffer = io.BytesIO()
    word.save(buffer)
    data = Template(buffer.getvalue(), name="mine.docx").fill(PEP, {"title": "Letter"})
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = [name for name in package.namelist() if name.startswith("word/") and name.endswith(".xml")]
        return {name: etree.fromstring(package.read(name)) for name in names}


def only_if(holder: Any, text: str = "Excluded") -> None:
    """All that a cell or header holds, only if the child has been excluded."""
    holder.paragraphs[0].text = "{%p if education.exclusions %}"
    for each in (text, "{%p endif %}"):
        holder.add_paragraph(each)


def endings(root: etree._Element) -> list[str]:
    return [etree.QName(cell[-1]).localname for cell in root.iter(qn("w:tc"))]


def test_a_cell_of_which_the_tags_take_everything_keeps_an_empty_paragraph() -> None:
    word = docx.Document()
    only_if(word.add_table(1, 2).cell(0, 0))
    text = filled(word)["word/document.xml"]
    assert endings(text) == ["p", "p"]
    assert "Excluded" not in "".join(text.itertext())


def test_a_cell_that_would_end_in_a_table_ends_in_a_paragraph() -> None:
    word = docx.Document()
    cell = word.add_table(1, 1).cell(0, 0)
    cell.paragraphs[0].text = "Before"
    cell.add_table(1, 1).cell(0, 0).text = "Within"
    cell._tc.remove(cell.paragraphs[-1]._p)
    for each in ("{%p if education.exclusions %}", "Excluded", "{%p endif %}"):
        cell.add_paragraph(each)
    text = filled(word)["word/document.xml"]
    assert endings(text)[0] == "p"


def test_a_content_control_in_a_cell_gets_the_paragraph_itself() -> None:
    word = docx.Document()
    cell = word.add_table(1, 1).cell(0, 0)
    only_if(cell)
    control = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent/></w:sdt>")
    for paragraph in cell.paragraphs:
        control[0].append(paragraph._p)
    cell._tc.append(control)
    text = filled(word)["word/document.xml"]
    assert [etree.QName(one).localname for one in next(text.iter(qn("w:sdtContent")))] == ["p"]


@pytest.mark.parametrize("part", ["header", "footer"])
def test_a_header_or_footer_of_which_the_tags_take_everything_keeps_an_empty_paragraph(part: str) -> None:
    word = docx.Document()
    only_if(getattr(word.sections[0], part))
    (root,) = (root for name, root in filled(word).items() if name.startswith(f"word/{part}"))
    assert [etree.QName(one).localname for one in root] == ["p"]


def test_a_table_of_which_the_tags_take_every_row_goes() -> None:
    word = docx.Document()
    table = word.add_table(3, 1)
    for row, text in enumerate(("{%tr if education.exclusions %}", "Excluded", "{%tr endif %}")):
        table.cell(row, 0).text = text
    word.add_paragraph("After")
    text = filled(word)["word/document.xml"]
    assert [*text.iter(qn("w:tbl"))] == []
    assert "".join(text.itertext()).strip() == "After"


def test_a_row_of_which_the_tags_take_every_cell_goes_alone() -> None:
    word = docx.Document()
    table = word.add_table(2, 3)
    for column, text in enumerate(("{%tc if education.exclusions %}", "Excluded", "{%tc endif %}")):
        table.cell(0, column).text = text
    table.cell(1, 0).text = "After"
    text = filled(word)["word/document.xml"]
    assert len([*text.iter(qn("w:tr"))]) == 1


def test_what_lacks_nothing_is_left_as_it_is() -> None:
    xml = f"<w:tbl {nsdecls('w')}><w:tr><w:tc><w:p/></w:tc><w:tc><w:p></w:p></w:tc></w:tr></w:tbl>"
    assert blocks(xml) is xml
    ending_in_a_table = f"<w:hdr {nsdecls('w')}><w:p/>{xml}</w:hdr>"
    assert [etree.QName(one).localname for one in etree.fromstring(blocks(ending_in_a_table))] == ["p", "tbl"]
