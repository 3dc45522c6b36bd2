"""The lint of a Word template: each fault is named once, by its kind and its cell, and a good template has none."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Inches
from lxml import etree
from PIL import Image

from pepforms import forms, report, settings, trial
from pepforms.fill import Template
from pepforms.fill.lint import KINDS, Finding, lint
from pepforms.forms import Form
from pepforms.resources import folder
from pepforms.wiring import Wiring

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = f"""\
xmlns:w="{W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"
xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"
xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:o="urn:schemas-microsoft-com:office:office\""""
LETTER = Form("letter", "Letter to the school", Path("letter.docx"), ("school",))
PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill", "upn": "K999999914001"},
    "targets": [{"id": "t1", "target": "Read"}, {"id": "t2", "target": "Write"}],
}
HERE = "text, paragraph 13"
"""Where the first paragraph stands that a test adds."""


def good() -> Any:
    """A small template with nothing wrong: a heading, a sentence, a table that loops, a paragraph after it."""
    word = docx.Document()
    word.styles["Normal"].font.name = "Arial"
    word.core_properties.title = "{{ document.title }}"
    word.add_heading("Targets", 1)
    word.add_paragraph("For {{ child.preferred_name }}, UPN {{ child.upn }}")
    table = word.add_table(4, 2)
    texts = (
        ("Target", "How we will know"),
        ("{%tr for target in targets %}", ""),
        ("{{ target.target }}", "{{ target.success_measure }}"),
        ("{%tr endfor %}", ""),
    )
    for row, cells in zip(table.rows, texts, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {NAMESPACES}/>"))
    word.add_paragraph("{% if pep.type %}{{ pep.type }}{% endif %}")
    word.add_paragraph("The end.")
    return word


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def findings(word: Any, form: Form = LETTER) -> list[Finding]:
    data = word if isinstance(word, bytes) else saved(word)
    return lint(data, "mine.docx", form, [*report.OF_THE_DOCUMENT])


def changed(word: Any, change: Callable[[dict[str, bytes]], Any]) -> bytes:
    """The Word file with its parts changed as no python-docx would."""
    with zipfile.ZipFile(io.BytesIO(saved(word))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change(parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in parts.items():
            out.writestr(name, data)
    return buffer.getvalue()


Break = Callable[[Any], Any]
"""Puts one fault into a template; what it returns, if anything, is the Word file."""


def text(*paragraphs: str) -> Break:
    def add(word: Any) -> None:
        for each in paragraphs:
            word.add_paragraph(each)

    return add


def xml(source: str) -> Break:
    """A paragraph, table or content control as Word writes it."""

    def add(word: Any) -> None:
        tag = re.match(r"<[\w:]+", source)
        assert tag
        word.element.body[-1].addprevious(parse_xml(f"{tag.group()} {NAMESPACES}{source[tag.end() :]}"))

    return add


def in_a_run(source: str) -> Break:
    return xml(f"<w:p><w:r>{source}</w:r></w:p>")


def cell(row: int, column: int, content: str) -> Break:
    def write(word: Any) -> None:
        word.tables[0].cell(row, column).text = content

    return write


def without_row(number: int) -> Break:
    def take(word: Any) -> None:
        row = word.tables[0].rows[number]._tr
        row.getparent().remove(row)

    return take


def picture(described: str = "", *, at: Callable[[Any], Any] = lambda word: word.add_paragraph()) -> Break:
    def paste(word: Any) -> None:
        image = io.BytesIO()
        Image.new("RGB", (60, 40), "red").save(image, "png")
        shape = at(word).add_run().add_picture(image, width=Inches(1))
        shape._inline.docPr.set("descr", described)

    return paste


def not_a_heading(word: Any) -> None:
    properties = word.tables[0].rows[0]._tr.trPr
    properties.remove(properties.find(qn("w:tblHeader")))


def heading_switched_off(word: Any) -> None:
    word.tables[0].rows[0]._tr.trPr.find(qn("w:tblHeader")).set(qn("w:val"), "0")


def without_title(word: Any) -> None:
    word.core_properties.title = ""


def without_language(word: Any) -> None:
    for language in [*word.styles.element.iter(qn("w:lang"))]:
        language.getparent().remove(language)


def font(name: str) -> Break:
    def choose(word: Any) -> None:
        word.add_paragraph().add_run("In another hand").font.name = name

    return choose


def style_font(word: Any) -> None:
    word.styles["Normal"].font.name = "Gill Sans MT"


def theme_font(word: Any) -> None:
    fonts = word.styles["Normal"].element.rPr.find(qn("w:rFonts"))
    fonts.getparent().remove(fonts)


def commented(word: Any) -> None:
    word.add_comment(word.add_paragraph("Ask Sasha").runs, text="Is this still so?", author="A", initials="A")


def in_the_header(content: str) -> Break:
    def write(word: Any) -> None:
        word.sections[0].header.paragraphs[0].text = content

    return write


def in_the_properties(word: Any) -> None:
    word.core_properties.subject = "{{ child.prefered_name }}"


def bullet(sign: str, of: str) -> Break:
    def choose(word: Any) -> None:
        for level in word.part.numbering_part.element.iter(qn("w:lvl")):
            if (told := level.find(qn("w:lvlText"))).get(qn("w:val")) == "\uf0b7":
                told.set(qn("w:val"), sign)
                for one in ("ascii", "hAnsi"):
                    level.find(f".//{qn('w:rFonts')}").set(qn(f"w:{one}"), of)
        word.add_paragraph("One thing", style="List Bullet")

    return choose


def related(kind: str, target: str = "file:///C:/elsewhere", *, outside: bool = True, used: str = "") -> Break:
    def relate(word: Any) -> None:
        base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
        if outside:
            identity = word.part.rels.get_or_add_ext_rel(base + kind, target)
        else:
            from docx.opc.packuri import PackURI
            from docx.opc.part import Part

            part = Part(PackURI("/word/embeddings/one.bin"), "application/octet-stream", b"?", word.part.package)
            identity = word.part.relate_to(part, base + kind)
        if used:
            in_a_run(used.format(id=identity))(word)

    return relate


def with_macros(word: Any) -> bytes:
    return changed(word, lambda parts: parts.update({"word/vbaProject.bin": b"?"}))


def damaged(word: Any) -> bytes:
    return changed(word, lambda parts: parts.update({"word/styles.xml": b"<w:styles"}))


def with_a_password(_: Any) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)


def of_before_2007(_: Any) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000)


def of_libre_office(_: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    return buffer.getvalue()


BOX = """<w:drawing><wp:inline><wp:extent cx="9" cy="9"/><wp:docPr id="9" name="b" descr="A box"/><a:graphic>
<a:graphicData uri="x"><wps:wsp><wps:txbx><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent>
</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"""
CHART = """<w:drawing><wp:inline><wp:extent cx="9" cy="9"/><wp:docPr id="9" name="c" descr="A chart"/><a:graphic>
<a:graphicData uri="x"/></a:graphic></wp:inline></w:drawing>"""
LINK = '<w:hyperlink w:anchor="x"><w:r><w:t>%s</w:t></w:r></w:hyperlink>'

FAULTS: dict[str, tuple[Break, str, str]] = {
    # what a tag names
    "a section misspelt": (text("{{ chld.upn }}"), "unknown-field", HERE),
    "a field misspelt": (text("{{ child.unp }}"), "unknown-field", HERE),
    "a capital that Word put in": (cell(2, 0, "{{ Target.target }}"), "unknown-field", "text, table 1, row 3, cell 1"),
    "a field of another section": (text("{{ meeting.upn }}"), "unknown-field", HERE),
    "a field of the row misspelt": (cell(2, 1, "{{ target.sucess }}"), "unknown-field", "text, table 1, row 3, cell 2"),
    "a row's name after its loop": (text("{{ target.target }}"), "unknown-field", HERE),
    "a list where one entry is meant": (text("{{ targets.target }}"), "unknown-field", HERE),
    "a fact that the document lacks": (text("{{ document.name }}"), "unknown-field", HERE),
    "a fact that a loop lacks": (text("{% for t in targets %}{{ loop.cycle }}{% endfor %}"), "unknown-field", HERE),
    "loop outside a loop": (text("{{ loop.index }}"), "unknown-field", HERE),
    "a sum over nothing": (text('{{ pupil_premium_plus.lines|total("price") }}'), "unknown-field", HERE),
    "misspelt in an if": (text("{% if child.unp %}{% endif %}"), "unknown-field", HERE),
    "misspelt in an elif": (text("{% if child.upn %}{% elif child.unp %}{% endif %}"), "unknown-field", HERE),
    "misspelt in a loop's condition": (
        text("{% for t in targets if t.stat %}{% endfor %}"), "unknown-field", HERE,
    ),
    "misspelt in the header": (in_the_header("{{ child.unp }}"), "unknown-field", "header 1, paragraph 1"),
    "misspelt in the properties": (in_the_properties, "unknown-field", "document properties, subject"),
    "the address, to the school": (text("{{ care.placement.address }}"), "withheld-field", HERE),
    "the address, only asked": (text("{% if care.placement.address %}{% endif %}"), "withheld-field", HERE),
    "a loop over a fact": (text("{% for l in child.upn %}{{ l }}{% endfor %}"), "not-a-list", HERE),
    "a loop over a section": (text("{% for f in child %}{% endfor %}"), "not-a-list", HERE),
    "a group printed": (text("{{ child.legal_name }}"), "prints-a-group", HERE),
    "a group printed where it is there": (
        text("{% if targets %}{{ targets }}{% endif %}"), "prints-a-group", HERE,
    ),
    # how a tag is written
    "a filter misspelt": (text("{{ child.upn|dat }}"), "unknown-filter", HERE),
    "a test misspelt": (text("{% if child.upn is knwon %}{% endif %}"), "unknown-test", HERE),
    "a statement misspelt": (text("{% fi child.upn %}"), "unknown-statement", HERE),
    "set": (text("{% set x = 1 %}"), "unknown-statement", HERE),
    "a call": (text("{{ targets.clear() }}"), "unsafe-tag", HERE),
    "reckoning": (text("{{ 'x' * 300000000 }}"), "unsafe-tag", HERE),
    "an attribute of Python": (text("{{ child.__class__ }}"), "unsafe-tag", HERE),
    "bold without a run of its own": (text("{{ child.upn|strong }}"), "needs-run-tag", HERE),
    "no name after the dot": (text("{{ child. }}"), "unreadable-tag", HERE),
    "quotes of another language": (
        text("{{ pupil_premium_plus.lines|total(„cost“) }}"), "unreadable-tag", HERE,
    ),
    "one brace deleted": (text("{{ child.upn }"), "split-tag", HERE),
    "a tag over two paragraphs": (text("{{ child.", "upn }}"), "split-tag", HERE),
    "a tag half in a link": (
        xml(f"<w:p><w:r><w:t>{{{{ child.</w:t></w:r>{LINK % 'upn }}'}</w:p>"), "split-tag", HERE,
    ),
    "a colour for the cell": (text("{% cellbg child.upn %}"), "tag-not-filled", HERE),
    "a row tag beside words": (cell(1, 1, "see below"), "misplaced-tag", "text, table 1, row 2, cell 1"),
    "a row tag outside tables": (text("{#tr only a note #}"), "misplaced-tag", HERE),
    "the row that ends the loop deleted": (without_row(3), "unbalanced-tag", "text, table 1, row 2, cell 1"),
    "an if that nothing ends": (text("{% if child.upn %}"), "unbalanced-tag", HERE),
    "an end too many": (text("{% endif %}"), "unbalanced-tag", HERE),
    "a paragraph's if ended in a text": (text("{%p if child.upn %}", "{% endif %}"), "unbalanced-tag", "text, paragraph 14"),
    "a tag in alternative text": (picture("{{ child.upn }}"), "tag-out-of-reach", HERE),
    "a tag in a field": (xml('<w:p><w:fldSimple w:instr="TITLE {{ x }}"/></w:p>'), "tag-out-of-reach", HERE),
    # what else is in the file
    "a heading row that does not say so": (not_a_heading, "no-heading-row", "text, table 1, row 1, cell 1"),
    "a heading row switched off": (heading_switched_off, "no-heading-row", "text, table 1, row 1, cell 1"),
    "a picture without words": (picture(), "no-alternative-text", HERE),
    "no title": (without_title, "no-title", "document properties"),
    "no language": (without_language, "no-language", "styles"),
    "a font that nobody has": (font("Gill Sans MT"), "font-not-drawn", HERE),
    "a font that nobody has, in a style": (style_font, "font-not-drawn", "styles"),
    "a font that nobody has, in the theme": (theme_font, "font-not-drawn", "styles"),
    "words inserted": (
        xml('<w:p><w:ins w:id="1" w:author="A"><w:r><w:t>New</w:t></w:r></w:ins></w:p>'), "tracked-change", HERE,
    ),
    "words deleted": (
        xml('<w:p><w:del w:id="1" w:author="A"><w:r><w:delText>Old</w:delText></w:r></w:del></w:p>'),
        "tracked-change", HERE,
    ),
    "a comment": (commented, "comment-left", HERE),
    "a footnote": (in_a_run('<w:footnoteReference w:id="2"/>'), "note-not-read", HERE),
    "a non-breaking hyphen": (in_a_run("<w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t>"), "unbreakable-hyphen", HERE),
    "a rule of before 2007": (in_a_run('<w:pict><v:rect style="height:1pt"/></w:pict>'), "old-drawing", HERE),
    "a text box": (in_a_run(BOX), "text-box", HERE),
    "a text box of before 2007": (
        in_a_run("<w:pict><v:shape><v:textbox><w:txbxContent/></v:textbox></v:shape></w:pict>"), "text-box", HERE,
    ),
    "a chart": (in_a_run(CHART), "shape-or-chart", HERE),
    "a tick of Wingdings": (in_a_run('<w:sym w:font="Wingdings" w:char="F0FC"/>'), "sign-of-a-picture-font", HERE),
    "a bullet of Wingdings": (bullet("\uf0a7", "Wingdings"), "picture-font-bullet", HERE),
    "a content control to be filled in": (
        xml("<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>Click here</w:t></w:r></w:p>"
            "</w:sdtContent></w:sdt>"), "placeholder-text", HERE,
    ),
    "a field of a mail merge": (
        xml('<w:p><w:fldSimple w:instr=" MERGEFIELD Name "><w:r><w:t>«Name»</w:t></w:r></w:fldSimple></w:p>'),
        "field-of-word", HERE,
    ),
    "hidden words": (in_a_run("<w:rPr><w:vanish/></w:rPr><w:t>Not for you</w:t>"), "hidden-text", HERE),
    # what the file is
    "a picture from outside": (
        related("image", used='<w:drawing><a:blip r:link="{id}"/></w:drawing>'), "outside-target", HERE,
    ),
    "styles from outside": (related("attachedTemplate"), "outside-target", "the whole file"),
    "an object of another program": (
        related("oleObject", outside=False, used='<w:object><o:OLEObject r:id="{id}"/></w:object>'),
        "embedded-object", HERE,
    ),
    "macros": (with_macros, "macros", "the whole file"),
    "a damaged part": (damaged, "not-a-word-file", "the whole file"),
    "a password": (with_a_password, "not-a-word-file", "the whole file"),
    "a document of before 2007": (of_before_2007, "not-a-word-file", "the whole file"),
    "a document of LibreOffice": (of_libre_office, "not-a-word-file", "the whole file"),
}  # fmt: skip


def broken(name: str) -> list[Finding]:
    word = good()
    made = FAULTS[name][0](word)
    return findings(word if made is None else made)


def test_a_good_template_has_no_finding() -> None:
    assert findings(good()) == []


@pytest.mark.parametrize("name", [path.stem for path in folder("templates").glob("*.docx")])
def test_no_template_of_ours_has_a_finding(name: str) -> None:
    for form in forms.catalogue().values():
        if form.template.stem == name:
            assert findings(form.template.read_bytes(), form) == []


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_one_finding_at_its_place(name: str) -> None:
    _, slug, place = FAULTS[name]
    first, *others = broken(name)
    assert (first.slug, str(first.place)) == (slug, place)
    assert [one.slug for one in others] == ([slug] if name == "a tag over two paragraphs" else [])
