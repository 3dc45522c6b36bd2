"""The lint of a Word template: each fault is named once, by its kind and its cell, and a good template has none."""

import functools
import io
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Inches
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from pepforms import forms, settings, trial
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.fill.annotate import annotated
from pepforms.fill.lint import KINDS, Finding, lint
from pepforms.forms import Form
from pepforms.resources import folder
from pepforms.wiring import Wiring
from pepforms.workers import Pool, calls

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = f"""\
xmlns:w="{W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"
xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"
xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"
xmlns:o="urn:schemas-microsoft-com:office:office\""""
HEAD = Path("head.docx")
LETTER = Form(
    name="letter",
    title="Letter to the school",
    template=Path("letter.docx"),
    audiences=("school",),
    letterhead=HEAD,
    orientation="portrait",
)
UNHEADED = replace(LETTER, letterhead=None)
"""The same under no letterhead, so that its own header stands and is judged."""
MARKS = "{{ document.marking }} {{ document.notice }} {% if document.draft %}Draft{% endif %}"
PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill", "upn": "K999999914001"},
    "targets": [{"id": "t1", "target": "Read"}, {"id": "t2", "target": "Write"}],
}
HERE = "text, paragraph 13"
"""Where the first paragraph stands that a test adds."""


@functools.cache
def _good() -> bytes:
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
    return saved(word)


def good() -> Any:
    """A small template with nothing wrong: a heading, a sentence, a table that loops, a paragraph after it."""
    return docx.Document(io.BytesIO(_good()))


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def findings(word: Any, form: Form = LETTER) -> list[Finding]:
    data = word if isinstance(word, bytes) else saved(word)
    return lint(data, "mine.docx", form)


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


def looped_heading(word: Any) -> None:
    loop, heading = word.tables[0].rows[1]._tr, word.tables[0].rows[0]._tr
    heading.addprevious(loop)


def turned(word: Any) -> None:
    (section,) = word.sections
    section.page_width, section.page_height = section.page_height, section.page_width


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


def titled(title: str) -> Break:
    def write(word: Any) -> None:
        word.core_properties.title = title

    return write


def cell_tags(begin: str, end: str) -> Break:
    """The tags of the rows that begin and end the loop of the good template, in other words."""

    def write(word: Any) -> None:
        cell(1, 0, begin)(word)
        cell(3, 0, end)(word)

    return write


def row_in_a_control(word: Any) -> None:
    """The row that begins the loop, made a content control."""
    row = word.tables[0].rows[1]._tr
    control = parse_xml(f"<w:sdt {NAMESPACES}><w:sdtPr/><w:sdtContent/></w:sdt>")
    row.addprevious(control)
    control[1].append(row)


def held(holder: str, *, then: str) -> Break:
    """A paragraph that begins with what Word holds apart, and goes on with a text."""
    return xml(f'<w:p>{holder}<w:r><w:t xml:space="preserve">{then}</w:t></w:r></w:p>')


def beside(tag: str, mark: str) -> Break:
    """A paragraph's own tag, with a mark of Word's in the same paragraph, and the end of its question."""

    def add(word: Any) -> None:
        xml(f"<w:p><w:r><w:t>{tag}</w:t></w:r><w:r>{mark}</w:r></w:p>")(word)
        text("{%p endif %}")(word)

    return add


PAGE_BREAK = '<w:br w:type="page"/>'


def twice_in_a_box(words: str) -> Break:
    """A text box as Word writes it: once for itself, and once more for older programs."""
    inside = f"<w:txbxContent><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:txbxContent>"
    old = f"<w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape></w:pict>"
    new = re.sub("<w:txbxContent>.*</w:txbxContent>", inside, BOX, flags=re.DOTALL)
    return xml(
        '<w:p xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><mc:AlternateContent>'
        f'<mc:Choice Requires="wps">{new}</mc:Choice><mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></w:r></w:p>'
    )


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
LINKED = """<w:drawing><wp:inline><wp:docPr id="9" name="p" descr="A picture"/><a:graphic><a:graphicData><pic:pic>
<pic:blipFill><a:blip r:link="{id}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"""
LINK = '<w:hyperlink w:anchor="x"><w:r><w:t>%s</w:t></w:r></w:hyperlink>'


def replaced(part: str, old: str, new: str) -> Break:
    """A part in which something is written otherwise."""

    def write(word: Any) -> bytes:
        return changed(word, lambda parts: parts.update({part: parts[part].replace(old.encode(), new.encode())}))

    return write


def as_it_is(part: str, content: str) -> Break:
    return lambda word: changed(word, lambda parts: parts.update({part: content.encode()}))


def without_a_list_of_parts(word: Any) -> bytes:
    return changed(word, lambda parts: parts.pop("_rels/.rels"))


def by_word_in_a_browser(word: Any) -> bytes:
    return changed(word, lambda parts: parts.update({"word/document2.xml": parts.pop("word/document.xml")}))


def strict(word: Any) -> bytes:
    return replaced("word/document.xml", W, "http://purl.oclc.org/ooxml/wordprocessingml/main")(word)


def by_another_program(word: Any) -> bytes:
    def write(parts: dict[str, bytes]) -> None:
        prefixed = re.sub(rb"(</?)w:", rb"\1ns0:", parts["word/document.xml"]).replace(b"xmlns:w=", b"xmlns:ns0=")
        parts["word/document.xml"] = re.sub(rb" w:(\w+)=", rb" ns0:\1=", prefixed)

    return changed(word, write)


def with_a_chart_and_its_workbook(word: Any) -> bytes:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/package"
    relationships = f'<Relationship Id="rId1" Type="{kind}" Target="../embeddings/one.xlsx"/>'
    return changed(
        word,
        lambda parts: parts.update(
            {
                "word/charts/chart1.xml": b"<chart/>",
                "word/charts/_rels/chart1.xml.rels": f"<Relationships>{relationships}</Relationships>".encode(),
                "word/embeddings/one.xlsx": b"?",
            }
        ),
    )


def commented_on_nothing(word: Any) -> None:
    commented(word)
    for mark in [*word.element.iter(qn("w:commentReference"))]:
        mark.getparent().remove(mark)


def tracking(word: Any) -> None:
    word.settings.element.insert(0, parse_xml(f"<w:trackRevisions {NAMESPACES}/>"))


def hidden_by(kind: int, based_on: str = "") -> Break:
    """Words in a style, of paragraphs or of letters, that is hidden."""

    def write(word: Any) -> None:
        style = word.styles.add_style("Unseen", kind)
        style.font.hidden = True
        if based_on:
            of_it = word.styles.add_style(based_on, kind)
            of_it.base_style, style = style, of_it
        word.add_paragraph(style=style if kind == 1 else None).add_run(
            "Not for you", style=style if kind == 2 else None
        )

    return write


def field(*codes: str) -> Break:
    """A field of Word as Word writes it, what it is told spread over runs."""
    told = "".join(f"<w:r><w:instrText>{code}</w:instrText></w:r>" for code in codes)
    begin, apart, end = (f'<w:r><w:fldChar w:fldCharType="{one}"/></w:r>' for one in ("begin", "separate", "end"))
    return xml(f"<w:p>{begin}{told}{apart}<w:r><w:t>Old</w:t></w:r>{end}</w:p>")


def control(properties: str) -> Break:
    return xml(
        f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent><w:p><w:r><w:t>Here</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )


def table(row: str = "", cell: str = "", of: str = "") -> Break:
    """A table of one cell, with properties of its row, its cell and its own."""
    return xml(
        f"<w:tbl><w:tblPr>{of}</w:tblPr><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:trPr>{row}</w:trPr><w:tc>"
        f"<w:tcPr>{cell}</w:tcPr><w:p><w:r><w:t>One</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )


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
    "a list of something that entries lack": (text('{{ targets|listed("domian") }}'), "unknown-field", HERE),
    "entries by something that they lack": (
        text('{{ pupil_premium_plus.lines|where("target", "T1")|total("cost") }}'), "unknown-field", HERE,
    ),
    "entries by a fact misspelt": (
        text('{% for t in targets %}{% if targets|where("id", t.idd)|count %}{% endif %}{% endfor %}'),
        "unknown-field", HERE,
    ),
    "a loop over entries by something that they lack": (
        text('{% for t in targets|where("idd", "T1") %}{{ t.target }}{% endfor %}'), "unknown-field", HERE,
    ),
    "a field of some entries misspelt": (
        text('{% for t in targets|where("id", "T1") %}{{ t.tarket }}{% endfor %}'), "unknown-field", HERE,
    ),
    "a sum over something that some entries lack": (
        text('{{ pupil_premium_plus.lines|where("id", "L1")|total("price") }}'), "unknown-field", HERE,
    ),
    "what a filter is given misspelt": (text("{{ child.date_of_birth|age(meeting.dat) }}"), "unknown-field", HERE),
    "misspelt in an if": (text("{% if child.unp %}{% endif %}"), "unknown-field", HERE),
    "misspelt in an elif": (text("{% if child.upn %}{% elif child.unp %}{% endif %}"), "unknown-field", HERE),
    "misspelt in a loop's condition": (
        text("{% for t in targets if t.stat %}{% endfor %}"), "unknown-field", HERE,
    ),
    "misspelt in the properties": (in_the_properties, "unknown-field", "document properties, subject"),
    "the address, to the school": (text("{{ care.placement.address }}"), "withheld-field", HERE),
    "the address, only asked": (text("{% if care.placement.address %}{% endif %}"), "withheld-field", HERE),
    "what others pay, to the school": (
        text('{{ pupil_premium_plus.other_funding|where("source", "Bursary")|total("amount") }}'),
        "withheld-field", HERE,
    ),
    "entries by what the school may not see": (
        text('{{ care.parental_responsibility|where("note", "Shared")|listed("holder") }}'), "withheld-field", HERE,
    ),
    "a list of what the school may not see": (
        text('{{ care.parental_responsibility|listed("note") }}'), "withheld-field", HERE,
    ),
    "a loop over a fact": (text("{% for l in child.upn %}{{ l }}{% endfor %}"), "not-a-list", HERE),
    "a loop over a section": (text("{% for f in child %}{% endfor %}"), "not-a-list", HERE),
    "a group printed": (text("{{ child.legal_name }}"), "prints-a-group", HERE),
    "a group printed where it is there": (
        text("{% if targets %}{{ targets }}{% endif %}"), "prints-a-group", HERE,
    ),
    "some of what is no list": (text('{% for l in child.upn|where("a", "b") %}{% endfor %}'), "not-a-list", HERE),
    "some entries printed": (text('{{ targets|where("id", "T1") }}'), "prints-a-group", HERE),
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
    "some entries, nobody knows which": (text('{{ targets|where("id")|count }}'), "wrong-filter", HERE),
    "an if without its else": (text("{{ child.upn if child.upn is known }}"), "unreadable-tag", HERE),
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
    "a paragraph's if ended in a text": (
        text("{%p if child.upn %}", "{% endif %}"), "unbalanced-tag", "text, paragraph 14",
    ),
    "a tag in alternative text": (picture("{{ child.upn }}"), "tag-out-of-reach", HERE),
    "a tag in a field": (xml('<w:p><w:fldSimple w:instr="TITLE {{ x }}"/></w:p>'), "tag-out-of-reach", HERE),
    "a tag in a link's address": (
        related("hyperlink", "mailto:{{ child.upn }}", used='<w:hyperlink r:id="{id}"/>'), "tag-out-of-reach", HERE,
    ),
    "a tag in an address as Word keeps it": (
        related("hyperlink", "https://a.example/%7B%7B%20child.upn%20%7D%7D", used='<w:hyperlink r:id="{id}"/>'),
        "tag-out-of-reach", HERE,
    ),
    "a tag in a control's title": (control('<w:alias w:val="{{ child.upn }}"/>'), "tag-out-of-reach", HERE),
    "a tag in a control's choices": (
        control('<w:dropDownList><w:listItem w:displayText="{% if x %}"/></w:dropDownList>'), "tag-out-of-reach", HERE,
    ),
    "a tag in an equation": (
        xml('<w:p><m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:r>'
            "<m:t>{{ child.upn }}</m:t></m:r></m:oMath></w:p>"), "tag-out-of-reach", HERE,
    ),
    "a tag in a chart": (
        as_it_is("word/charts/chart1.xml", "<title>{{ child.upn }}</title>"), "tag-out-of-reach", "charts and diagrams",
    ),
    # what a filter takes, and what is compared
    "an age on no day": (text("{{ child.date_of_birth|age }}"), "wrong-filter", HERE),
    "a date with something in brackets": (text("{{ meeting.date|long_date(1) }}"), "wrong-filter", HERE),
    "a sum of nothing": (text("{{ previous_spend|total }}"), "wrong-filter", HERE),
    "the date of a name": (text("{{ child.preferred_name|date }}"), "wrong-filter", HERE),
    "a name as money": (text("{{ child.preferred_name|money }}"), "wrong-filter", HERE),
    "the role of a name": (text("{{ child.preferred_name|role }}"), "wrong-filter", HERE),
    "a percentage of a name": (text("{{ child.preferred_name|percent }}"), "wrong-filter", HERE),
    "a list that is none": (text("{{ child.upn|listed }}"), "wrong-filter", HERE),
    "a list of groups": (text("{{ targets|listed }}"), "wrong-filter", HERE),
    "how many of no list": (text("{{ child.upn|count }}"), "not-a-list", HERE),
    "a group as a phrase": (text("{{ child.legal_name|phrase }}"), "prints-a-group", HERE),
    "a group in bold": (text("{{r child.legal_name|strong }}"), "prints-a-group", HERE),
    "what is left of a section": (text("{{ child|remaining }}"), "wrong-filter", HERE),
    "a sum of words": (text("{{ targets|total('target') }}"), "wrong-filter", HERE),
    "the people of words": (text("{{ targets|names('target') }}"), "wrong-filter", HERE),
    "a list of what is no name": (text("{{ targets|listed(child.upn) }}"), "wrong-filter", HERE),
    "a date of a date": (text("{{ meeting.date|date|long_date }}"), "wrong-filter", HERE),
    "bold twice": (text("{{r child.upn|strong|strong }}"), "wrong-filter", HERE),
    "a filter behind one that does not fit": (text("{{ child.upn|date|date }}"), "wrong-filter", HERE),
    "a character that Word cannot hold": (text('{{ child["\\ud800"] }}'), "unsafe-tag", HERE),
    "an if without its else, behind a filter": (text("{{ (child.upn if targets)|phrase }}"), "unreadable-tag", HERE),
    "an if without its else, asked": (text("{% if (child.upn if targets) %}{% endif %}"), "unreadable-tag", HERE),
    "a fact of one group or another": (text("{{ (child or care).upn }}"), "unreadable-tag", HERE),
    "one list or another": (text('{{ (targets or actions)|listed("target") }}'), "wrong-filter", HERE),
    "a number beyond all measure": (text("{{ 1e999 }}"), "unsafe-tag", HERE),
    "nothing said": (text("{%%}"), "unknown-statement", HERE),
    "brackets behind known": (text("{% if child.upn is known(1) %}{% endif %}"), "unreadable-tag", HERE),
    "a word in brackets twice": (text("{{ targets|count|percent(of=1, of=2) }}"), "wrong-filter", HERE),
    "a star": (text("{{ targets|listed(*chld.upn) }}"), "unsafe-tag", HERE),
    "one of many": (text('{% if child.sex in ["F"] %}{% endif %}'), "unsafe-tag", HERE),
    "an entry from behind": (text("{{ targets[-1].target }}"), "unsafe-tag", HERE),
    "some entries by their places": (text("{{ targets[0:2] }}"), "unsafe-tag", HERE),
    "a group or nothing": (text("{{ targets or 'none' }}"), "prints-a-group", HERE),
    "a group where only another fact is missing": (
        text("{% if targets and child.upn %}{% else %}{{ targets }}{% endif %}"), "prints-a-group", HERE,
    ),
    "a group where only some of it is missing": (
        text('{% if targets|where("id", "t9") %}{% else %}{{ targets }}{% endif %}'), "prints-a-group", HERE,
    ),
    "a date above a number": (text("{% if child.date_of_birth > 5 %}{% endif %}"), "wrong-comparison", HERE),
    "money above money, as words": (
        text("{% if previous_spend[0].cost < previous_spend[0].spent %}{% endif %}"), "wrong-comparison", HERE,
    ),
    "the words of a code": (text('{% if pep.phase == "Secondary" %}{% endif %}'), "wrong-comparison", HERE),
    "a yes in quotation marks": (
        text('{{ meeting.attendees|where("invited", "true")|count }}'), "wrong-comparison", HERE,
    ),
    "a day in words": (text('{% if meeting.date == "12 November 2026" %}{% endif %}'), "wrong-comparison", HERE),
    "a role in words": (text('{{ people|where("role", "Social worker")|count }}'), "wrong-comparison", HERE),
    "an age in quotation marks": (
        text('{% if child.date_of_birth|age(meeting.date) == "10" %}{% endif %}'), "wrong-comparison", HERE,
    ),
    "a count in quotation marks": (text('{% if "2" == targets|count %}{% endif %}'), "wrong-comparison", HERE),
    "a number that is no name": (text("{% if 5 == child.upn %}{% endif %}"), "wrong-comparison", HERE),
    "an amount without pence": (
        text('{% if pupil_premium_plus.allocation == "700" %}{% endif %}'), "wrong-comparison", HERE,
    ),
    "an amount with its sign": (
        text('{{ pupil_premium_plus.lines|where("cost", "£700.00")|count }}'), "wrong-comparison", HERE,
    ),
    "a person by name": (text('{{ targets|where("owner", "Callum Imagine")|count }}'), "wrong-comparison", HERE),
    "a row's name where there is no row": (
        text("{% for t in targets %}{% else %}{{ t.target }}{% endfor %}"), "unknown-field", HERE,
    ),
    "the number of a row where there is no row": (
        text("{% for t in targets %}{% else %}{{ loop.index }}{% endfor %}"), "unknown-field", HERE,
    ),
    "the number of a row in its own question": (
        text("{% for t in targets if loop.first %}{% endfor %}"), "unknown-field", HERE,
    ),
    "a row called loop": (text("{% for loop in targets %}{% endfor %}"), "unreadable-tag", HERE),
    # how a tag is written, once more
    "two elses": (text("{% if child.upn %}{% else %}{% else %}{% endif %}"), "unbalanced-tag", HERE),
    "an elif after the else": (
        text("{% if child.upn %}{% else %}{% elif pep.type %}{% endif %}"), "unbalanced-tag", HERE,
    ),
    "an elif in a loop": (text("{% for t in targets %}{% elif pep.type %}{% endfor %}"), "unbalanced-tag", HERE),
    "elseif": (text("{% elseif child.upn %}"), "unknown-statement", HERE),
    "else if": (text("{% if child.upn %}{% else if pep.type %}{% endif %}"), "unreadable-tag", HERE),
    "one sign for equal": (text("{% if child.upn = 'A' %}{% endif %}"), "unreadable-tag", HERE),
    "a space that nobody sees": (text("{{ child.\u200bupn }}"), "unreadable-tag", HERE),
    "a dash that takes words away": (text("Alpha {%- if child.upn %} beta{% endif %}"), "unreadable-tag", HERE),
    "a dash at the end of a tag": (text("{{ child.upn -}} beta"), "unreadable-tag", HERE),
    "one brace on either side": (text("{child.preferred_name}"), "split-tag", HERE),
    "a brace and a space": (text("{ % if child.upn % }"), "split-tag", HERE),
    "a brace too many": (text("{{ child.upn }}}"), "split-tag", HERE),
    "half a tag in the title": (titled("{{ document.title }"), "split-tag", "document properties, title"),
    "a run's tag in the title": (titled("{{r document.title }}"), "unreadable-tag", "document properties, title"),
    "a paragraph's tag in the title": (
        titled("{{ document.title }}{#p only a note #}"), "unreadable-tag", "document properties, title",
    ),
    "an if in the title that nothing ends": (
        titled("{% if document.draft %}Draft"), "unbalanced-tag", "document properties, title",
    ),
    "bold in the title": (titled("{{ document.title|strong }}"), "unreadable-tag", "document properties, title"),
    "a percent sign in a row's tag": (
        cell_tags('{%tr for target in targets if target.target != "100%" %}', "{%tr endfor %}"), "unreadable-tag",
        "text, table 1, row 2, cell 1",
    ),
    "a brace in a paragraph's tag": (text('{%p if child.upn != "}" %}', "{%p endif %}"), "unreadable-tag", HERE),
    "a page break in a tag's paragraph": (beside("{%p if child.upn %}", PAGE_BREAK), "misplaced-tag", HERE),
    "a field in a tag's paragraph": (
        beside("{%p if child.upn %}", '<w:fldChar w:fldCharType="begin"/>'), "misplaced-tag", HERE,
    ),
    "an if that begins in a link": (held(LINK % "{% if child.upn %}x", then="{% endif %}"), "unbalanced-tag", HERE),
    "an if that begins in a content control": (
        held("<w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t>{% if child.upn %}x</w:t></w:r></w:sdtContent></w:sdt>",
             then="{% endif %}"), "unbalanced-tag", HERE,
    ),
    "an if that ends in a field": (
        held('<w:r><w:t>{% if child.upn %}</w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>'
             ' PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1{% endif %}</w:t>'
             '</w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>', then=""), "unbalanced-tag", HERE,
    ),
    "a row in a content control": (row_in_a_control, "unbalanced-tag", "text, table 1, row 4, cell 1"),
    # what else is in the file
    "a heading row that does not say so": (not_a_heading, "no-heading-row", "text, table 1, row 1, cell 1"),
    "a heading row switched off": (heading_switched_off, "no-heading-row", "text, table 1, row 1, cell 1"),
    "a heading row within the loop": (looped_heading, "no-heading-row", "text, table 1, row 1, cell 1"),
    "a picture without words": (picture(), "no-alternative-text", HERE),
    "no title": (without_title, "no-title", "document properties"),
    "all pages turned": (turned, "wrong-orientation", "the whole file"),
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
    "a row inserted": (
        table(row='<w:ins w:id="1" w:author="A"/>'), "tracked-change", "text, table 2, row 1, cell 1",
    ),
    "a row deleted": (table(row='<w:del w:id="1" w:author="A"/>'), "tracked-change", "text, table 2, row 1, cell 1"),
    "a cell inserted": (
        table(cell='<w:cellIns w:id="1" w:author="A"/>'), "tracked-change", "text, table 2, row 1, cell 1",
    ),
    "a table's looks changed": (
        table(of='<w:tblPrChange w:id="1" w:author="A"/>'), "tracked-change", "text, table 2, row 1, cell 1",
    ),
    "a mark-up inserted": (
        xml('<w:p><w:customXmlInsRangeStart w:id="1" w:author="A"/></w:p>'), "tracked-change", HERE,
    ),
    "tracking switched on": (tracking, "tracking-on", "settings"),
    "a comment that stands nowhere": (commented_on_nothing, "comment-left", "comments"),
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
    "a field in pieces": (field(" MERGE", "FIELD Na", "me "), "field-of-word", HERE),
    "words hidden by their style": (hidden_by(1), "hidden-by-style", HERE),
    "letters hidden by their style": (hidden_by(2), "hidden-by-style", HERE),
    "words hidden by what their style is based on": (hidden_by(1, "Seen"), "hidden-by-style", HERE),
    "hidden words": (in_a_run("<w:rPr><w:vanish/></w:rPr><w:t>Not for you</w:t>"), "hidden-text", HERE),
    # what the file is
    "a picture from outside": (
        related("image", used=LINKED), "outside-target", HERE,
    ),
    "styles from outside": (related("attachedTemplate"), "outside-target", "the whole file"),
    "an object of another program": (
        related("oleObject", outside=False, used='<w:object><o:OLEObject r:id="{id}"/></w:object>'),
        "embedded-object", HERE,
    ),
    "a sheet of Excel": (
        related("package", outside=False, used='<w:object><o:OLEObject r:id="{id}"/></w:object>'),
        "embedded-object", HERE,
    ),
    "an object that is not in the file": (in_a_run("<w:object><v:shape/></w:object>"), "embedded-object", HERE),
    "a chart with its workbook": (with_a_chart_and_its_workbook, "embedded-object", "the whole file"),
    "names for a mail merge": (related("mailMergeSource"), "outside-target", "the whole file"),
    "a picture that is lost": (related("image", "../NULL", used=LINKED), "not-a-word-file", HERE),
    "a template of Word's own": (
        replaced("[Content_Types].xml", "document.main+xml", "template.main+xml"), "not-a-word-file", "the whole file",
    ),
    "another prefix": (by_another_program, "not-a-word-file", "the whole file"),
    "Strict Open XML": (strict, "not-a-word-file", "the whole file"),
    "a document of Word in a browser": (by_word_in_a_browser, "not-a-word-file", "the whole file"),
    "damaged settings": (as_it_is("word/settings.xml", "<w:settings"), "not-a-word-file", "the whole file"),
    "settings that swell": (
        as_it_is("word/settings.xml", "<!DOCTYPE x [<!ENTITY a 'a'>]><x/>"), "not-a-word-file", "the whole file",
    ),
    "a damaged list of parts": (as_it_is("[Content_Types].xml", "<Types"), "not-a-word-file", "the whole file"),
    "no list of parts": (without_a_list_of_parts, "not-a-word-file", "the whole file"),
    "a cell outside tables": (
        replaced("word/document.xml", "<w:body>", "<w:body><w:tc><w:p/></w:tc>"), "not-a-word-file", "the whole file",
    ),
    "macros": (with_macros, "macros", "the whole file"),
    "a damaged part": (damaged, "not-a-word-file", "the whole file"),
    "a password": (with_a_password, "not-a-word-file", "the whole file"),
    "a document of before 2007": (of_before_2007, "not-a-word-file", "the whole file"),
    "a document of LibreOffice": (of_libre_office, "not-a-word-file", "the whole file"),
}  # fmt: skip


@functools.cache
def broken(name: str) -> list[Finding]:
    word = good()
    made = FAULTS[name][0](word)
    return findings(word if made is None else made)


def test_a_good_template_has_no_finding() -> None:
    assert findings(good()) == []


@pytest.mark.parametrize("form", forms.catalogue().values(), ids=lambda form: form.name)
def test_no_template_of_ours_has_a_finding(form: Form) -> None:
    assert findings(form.template.read_bytes(), form) == []


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_one_finding_at_its_place(name: str) -> None:
    _, slug, place = FAULTS[name]
    first, *others = broken(name)
    assert (first.slug, str(first.place)) == (slug, place)
    assert [one.slug for one in others] == ([slug] if name == "a tag over two paragraphs" else [])


@pytest.mark.parametrize("name", FAULTS)
def test_a_message_says_what_to_do_without_jargon(name: str) -> None:
    for one in broken(name):
        assert one.message.endswith((".", "?", ")"))
        assert len(one.message) < 400
        for jargon in ("XML", "Jinja", "slug", "None", "Exception", "w:", "{{{{"):
            assert jargon not in one.message


def test_a_fault_in_a_text_box_is_told_once_though_word_writes_it_twice() -> None:
    word = good()
    twice_in_a_box("{{ chld.upn }}")(word)
    text("{{ chld.upn }}")(word)
    assert [(one.slug, str(one.place)) for one in findings(word)] == [
        ("text-box", HERE),
        ("unknown-field", "text, paragraph 14"),
        ("unknown-field", "text, paragraph 15"),
    ]


@pytest.mark.parametrize("tag", ["{{ pupil_premium_plus|remaining }}", "{{ pupil_premium_plus|remaining(follow_up) }}"])
def test_what_a_filter_says_of_a_group_its_readers_must_be_allowed_to_see(tag: str) -> None:
    word = good()
    text(tag)(word)
    found = findings(word, Form(name="note", title="Note", template=Path("note.docx"), audiences=("parent",)))
    assert {one.slug for one in found if one.tag == tag} == {"withheld-field"}


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("{% if child.upn = 'A' %}", "to compare, write =="),
        ("{% if targets|count ≥ 2 %}", "for ≥, write >="),
        ("{% elseif child.upn %}", "for “elseif”, write elif"),
        ("{% else if child.upn %}", "for “else if”, write elif"),
        ("{{ child.\u200bupn }}", "there is a sign in it that nobody sees (U+200B)"),
        ("{{ loop.index }}", "it names “loop”, which does not exist but between for and else or endfor"),
        ('{% if pep.phase == "Secondary" %}', "did its author mean “secondary”?"),
        ('{{ people|where("role", "Social worker")|count }}', "did its author mean “social_worker”?"),
        ("{{ child.date_of_birth|age }}", "“age” takes a date, and in brackets a date"),
        ("{{ child.upn|date }}", "“Unique pupil number (UPN)” does not fit; “date” takes a date"),
        ("{{ targets|listed(child.upn) }}", "the brackets hold no name in quotation marks"),
    ],
)
def test_what_its_author_may_have_meant_is_told(tag: str, says: str) -> None:
    word = good()
    text(tag)(word)
    assert any(says in one.message for one in findings(word) if one.slug != "unbalanced-tag")


def test_a_row_in_a_content_control_is_told_to_take_the_control_away() -> None:
    (found,) = broken("a row in a content control")
    assert "right-click it and choose Remove Content Control" in found.message


def test_all_faults_are_told_at_once_as_they_stand_in_the_file() -> None:
    word = good()
    text("{{ chld.upn }} and {{ child.upn|dat }}", "{{ child.")(word)
    cell(2, 1, "{{ target.sucess }}")(word)
    in_the_header(f"{MARKS} {{{{ child.unp }}}}")(word)
    assert [(one.slug, str(one.place), one.tag) for one in findings(word, UNHEADED)] == [
        ("unknown-field", "text, table 1, row 3, cell 2", "{{ target.sucess }}"),
        ("unknown-field", "text, paragraph 13", "{{ chld.upn }}"),
        ("unknown-filter", "text, paragraph 13", "{{ child.upn|dat }}"),
        ("split-tag", "text, paragraph 14", "{{"),
        ("unknown-field", "header 1, paragraph 1", "{{ child.unp }}"),
    ]


@pytest.mark.parametrize(
    ("tag", "near"),
    [
        ("{{ chld.upn }}", "“child”?"),
        ("{{ child.unp }}", "“upn”?"),
        ("{{ Child.upn }}", "“child”?"),
        ("{{ meeting.upn }}", "“child.upn”?"),
        ("{{ upn }}", "“child.upn”?"),
        ("{{ targets.target }}", "“Targets” is a list: loop over it"),
        ("{{ document.titel }}", "“title”?"),
        ("{{ targets|where('idd', 'T1')|count }}", "“id”?"),
        ("{% for t in targets|where('id', 'T1') %}{{ t.tarket }}{% endfor %}", "“target”?"),
        ("{% edif %}", "“endif”?"),
    ],
)
def test_the_nearest_name_is_told(tag: str, near: str) -> None:
    word = good()
    text(tag)(word)
    (found,) = findings(word)
    assert near in found.message


@pytest.mark.parametrize("filters", [500, 5000])
def test_a_tag_that_says_too_much_to_be_read_is_told(filters: int) -> None:
    word = good()
    text(f"{{{{ child.upn{'|phrase' * filters} }}}}")(word)
    assert [(one.slug, str(one.place)) for one in findings(word)] == [("unreadable-tag", HERE)]


@pytest.mark.parametrize(
    "tags",
    [
        "{{ pupil_premium_plus.lines|total(“cost”) }}",
        "{% if targets %}{% else %}{{ targets }}{% endif %}",
        "{% if not targets %}{{ targets }}{% endif %}",
        "{% for t in targets %}{{ t.target }}{% else %}{{ targets }}{% endfor %}",
        "{% for t in targets %}{% for l in targets %}{{ l.id if l == t else 'no' }}{% endfor %}{% endfor %}",
        "{{ targets[0].target }}, {{ child['upn'] }}",
        "{{ child.upn if child.upn is known else 'none' }}",
        "{{ child.upn or 'none' }}",
        "{% if not targets and not child.upn %}{{ targets|phrase }}{% endif %}",
        "{% if targets is known %}{{ targets|count }}{% elif child.upn %}{{ targets|phrase }}{% endif %}",
        "{% if child.date_of_birth < meeting.date and meeting.date >= '2026-09-01' %}{% endif %}",
        "{% for t in targets %}{% for u in targets if loop.last %}{{ loop.index }}{% endfor %}{% endfor %}",
        "{{\u00a0child.upn\u00a0}}, {{r\u00a0child.preferred_name|strong }}",
        "{% if targets|count == 2 and 2 == targets|count and child.date_of_birth|age(meeting.date) != 10 %}{% endif %}",
        "{% if pupil_premium_plus.allocation == '-700.00' %}{{ targets|where('owner', 'p1')|count }}{% endif %}",
        "{# only a note #}",
        "{% if child.upn %}{{ child.legal_name|name }}{% endif %}",
        "{{r child.preferred_name|strong }}",
    ],
)
def test_what_a_template_may_say_is_no_finding(tags: str) -> None:
    word = good()
    text(tags)(word)
    assert findings(word) == []
    assert Template(saved(word), name="mine.docx").fill(PEP, {"title": "Letter"})


def test_a_tag_that_word_has_split_over_runs_is_no_finding() -> None:
    word = good()
    proofed = (
        "<w:r><w:t>{{ ch</w:t></w:r><w:proofErr w:type='spellStart'/><w:r><w:rPr><w:b/></w:rPr><w:t>ild.u</w:t></w:r>"
    )
    xml(f"<w:p>{proofed}<w:r><w:t>pn }}}}</w:t></w:r></w:p>")(word)
    assert findings(word) == []


@pytest.mark.parametrize(
    "code",
    ["ADDRESSBLOCK \\f x", "GREETINGLINE", "MERGESEQ", "NEXTIF a = b", "DATABASE", "DOCVARIABLE x", "FORMTEXT",
     "IF a = b", 'DATE \\@ "d MMMM"', "FILENAME \\p", "USERNAME", "nextif a = b"],
)  # fmt: skip
def test_what_word_fills_itself_is_told_by_the_name_of_its_field(code: str) -> None:
    word = good()
    field(f" {code} ")(word)
    (found,) = findings(word)
    assert (found.slug, str(found.place)) == ("field-of-word", HERE)
    assert f"({code.split()[0].upper()})" in found.message


def test_whoever_finds_no_tag_for_a_date_of_words_is_told_what_to_write() -> None:
    word = good()
    field(" SAVEDATE ")(word)
    (found,) = findings(word)
    (instead,) = re.findall(r"\{\{ \S.*? \}\}", found.message.partition("type the date")[2])
    word = good()
    text(instead)(word)
    assert findings(word) == []


@pytest.mark.parametrize("code", ["PAGE", "NUMPAGES", "TOC \\o", "PAGEREF _Toc1", "HYPERLINK x", "STYLEREF x", "DATES"])
def test_what_every_document_counts_anew_is_no_finding(code: str) -> None:
    word = good()
    field(f" {code} ")(word)
    assert findings(word) == []


def test_three_rows_inserted_are_three_findings_at_their_rows() -> None:
    word = good()
    for _ in range(3):
        table(row='<w:ins w:id="1" w:author="A"/>')(word)
        word.add_paragraph()
    assert [str(one.place) for one in findings(word)] == [f"text, table {n}, row 1, cell 1" for n in (2, 3, 4)]


def test_a_table_for_layout_needs_no_heading_where_the_table_within_has_one() -> None:
    word = good()
    loop = word.tables[0]._tbl
    around = word.add_table(1, 1).cell(0, 0)
    around._tc.insert(1, loop)
    assert findings(word) == []


def test_a_heading_row_may_be_asked_for_in_a_row_before_it() -> None:
    def asked() -> Any:
        word = good()
        table = word.tables[0]
        question, answered = table.add_row(), table.add_row()
        question.cells[0].text, answered.cells[0].text = "{%tr if targets %}", "{%tr endif %}"
        table.rows[0]._tr.addprevious(question._tr)
        return word

    assert findings(asked()) == []
    word = asked()
    heading = word.tables[0].rows[1]._tr.trPr
    heading.remove(heading.find(qn("w:tblHeader")))
    assert [(one.slug, str(one.place)) for one in findings(word)] == [
        ("no-heading-row", "text, table 1, row 2, cell 1")
    ]


@pytest.mark.parametrize("width", ["595.3pt", "12240.0", "210mm", "8.5in"])
def test_pages_may_be_measured_in_any_unit(width: str) -> None:
    word = replaced("word/document.xml", 'w:pgSz w:w="12240" w:h="15840"', f'w:pgSz w:w="{width}" w:h="900pt"')(good())
    assert findings(word) == []
    assert [one.slug for one in findings(word, replace(LETTER, orientation="landscape"))] == ["wrong-orientation"]


def test_automatic_hyphenation_is_no_finding_and_is_switched_off_in_documents() -> None:
    word = good()
    word.settings.element.insert(0, parse_xml(f'<w:autoHyphenation {NAMESPACES} w:val="true"/>'))
    assert [*filled(word).settings.element.iter(qn("w:autoHyphenation"))] == []


def test_a_tag_in_a_text_box_is_told_once() -> None:
    word = good()
    misspelt = "<w:txbxContent><w:p><w:r><w:t>{{ child.unp }}</w:t></w:r></w:p></w:txbxContent>"
    within = re.sub("<w:txbxContent>.*</w:txbxContent>", misspelt, BOX, flags=re.DOTALL)
    older = f"<w:pict><v:shape><v:textbox>{misspelt}</v:textbox></v:shape></w:pict>"
    in_a_run(
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice Requires="wps">{within}</mc:Choice><mc:Fallback>{older}</mc:Fallback></mc:AlternateContent>'
    )(word)
    assert [one.slug for one in findings(word)] == ["text-box", "unknown-field"]


UNDER_LETTERHEAD = replace(LETTER, letterhead=folder("templates") / "letterhead.docx")


def test_under_a_letterhead_a_header_of_ones_own_is_told_once_and_not_judged() -> None:
    word = good()
    in_the_header(f"{MARKS} Our own school {{{{ child.unp }}}}")(word)
    word.sections[0].footer.paragraphs[0].text = "Page {{ x }}"
    assert [one.slug for one in findings(word, UNHEADED)] == ["unknown-field", "unknown-field"]
    (found,) = findings(word, UNDER_LETTERHEAD)
    assert (found.slug, found.severity) == ("own-header", "warns")
    assert found.text.startswith(("{{ document.marking }}", "Page {{ x }}"))


def untold_findings() -> list[Finding]:
    """Of pep.docx without the birth date."""
    word = docx.Document(str(folder("templates") / "pep.docx"))
    for paragraph in word.paragraphs:
        if "{{ child.date_of_birth" in paragraph.text:
            paragraph._p.getparent().remove(paragraph._p)
    return findings(word, forms.named("pep"))


def test_what_one_side_of_an_or_prints_is_printed() -> None:
    word = docx.Document(str(folder("templates") / "pep.docx"))
    for paragraph in word.paragraphs:
        if "{{ child.date_of_birth" in paragraph.text:
            paragraph.text = '{{ child.date_of_birth or "no birth date" }}'
    assert findings(word, forms.named("pep")) == []


def test_a_needed_fact_that_no_tag_prints_is_told_for_the_form_of_the_whole_pep() -> None:
    (found,) = untold_findings()
    assert (found.slug, found.severity, str(found.place)) == ("needed-not-printed", "warns", "the whole file")
    assert "child.date_of_birth (Date of birth)" in found.message


SNIPPETS = (
    "{{ child.upn }}", "{{ child.upn|nosuch }}", "{{ child.", "upn }}", "{% if child.upn %}", "{% endif %}",
    "{% else %}", "{%- if child.upn -%}",
    "{% elif pep.type %}", "{% for t in targets %}", "{% endfor %}", "{%p if child.upn %}", "{%p endif %}", "words",
    "{% set x = 1 %}", "{{ x() }}", "{% raw %}", "{{ 1 +", "{# note #}", "{{ t.target }}", "{%tr endfor %}",
    "}}{{", "{{}}",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(SNIPPETS), max_size=4), max_size=5))
@hypothesis_settings(max_examples=50)
def test_what_cannot_be_compiled_never_passes(paragraphs: list[list[str]]) -> None:
    word = good()
    text(*map("".join, paragraphs))(word)
    try:
        Template(saved(word), name="mine.docx")
    except Refused:
        assert any(one.severity == "blocks" for one in findings(word))


# ten faults put into pep.docx as Word puts them in


def place_of(word: Any, tag: str) -> tuple[Any, str]:
    """The cell of pep.docx that begins with a tag, and its place."""
    for number, table in enumerate(word.tables, 1):
        for row, cells in enumerate(table.rows, 1):
            for column, one in enumerate(cells.cells, 1):
                if one.text.startswith(tag):
                    return one, f"text, table {number}, row {row}, cell {column}"
    raise AssertionError(tag)


def enter_pressed(one: Any) -> None:
    paragraph = one.paragraphs[0]
    paragraph._p.addnext(deepcopy(paragraph._p))
    halves = one.paragraphs[0].text.split(".", 1)
    for half, words in zip(one.paragraphs, (halves[0] + ".", halves[1]), strict=True):
        half.text = words


def rewritten(old: str, new: str) -> Callable[[Any], None]:
    def write(one: Any) -> None:
        paragraph = one.paragraphs[0]
        paragraph.text = paragraph.text.replace(old, new)

    return write


def next_row_deleted(one: Any) -> None:
    row = one._tc.getparent().getnext().getnext()
    row.getparent().remove(row)


def no_heading(one: Any) -> None:
    for mark in [*one._tc.getparent().iter(qn("w:tblHeader"))]:
        mark.getparent().remove(mark)


def linked(one: Any) -> None:
    """Word made a link of what it took for an address."""
    words = one.text
    one.paragraphs[0].text = words[:10]
    link = parse_xml(
        f"<w:hyperlink {NAMESPACES} w:anchor='x'><w:r><w:t xml:space='preserve'>x</w:t></w:r></w:hyperlink>"
    )
    link[0][-1].text = words[10:]
    one.paragraphs[0]._p.append(link)


def tracked(one: Any) -> None:
    run = one.paragraphs[0].runs[0]._r
    inserted = parse_xml(f"<w:ins {NAMESPACES} w:id='7' w:author='Sasha Mockworth'/>")
    run.addprevious(inserted)
    inserted.append(run)


def hyphened(one: Any) -> None:
    one.paragraphs[0].runs[0]._r.append(parse_xml(f"<w:noBreakHyphen {NAMESPACES}/>"))


TEN: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("no-heading-row", "With", no_heading),
    ("unknown-field", "{{ holder.holder }}", rewritten("holder.holder", "Holder.holder")),
    ("unbalanced-tag", "{%tr for permission", next_row_deleted),
    ("split-tag", "{{ person.role }}", linked),
    ("no-alternative-text", "{{ support.when }}", picture(at=lambda one: one.paragraphs[0])),
    ("tracked-change", "{{ exclusion.reasons }}", tracked),
    ("split-tag", "{{ target.strategy }}", enter_pressed),
    ("unreadable-tag", "{{ pupil_premium_plus.lines|total", rewritten('"cost"', "„cost“")),
    ("unbreakable-hyphen", "{{ fund.source }}", hyphened),
    (
        "comment-left",
        "{{ exception.reason }}",
        lambda one: one.part.document.add_comment(one.paragraphs[0].runs, text="Ask", author="A", initials="A"),
    ),
)


def with_ten_faults() -> tuple[Any, list[tuple[str, str]]]:
    word = docx.Document(str(folder("templates") / "pep.docx"))
    expected = [(slug, place_of(word, tag)[1]) for slug, tag, _ in TEN]
    for _, tag, spoil in TEN:
        spoil(place_of(word, tag)[0])
    return word, expected


def test_ten_faults_put_into_our_template_are_all_named_with_their_cells() -> None:
    word, expected = with_ten_faults()
    found = [(one.slug, str(one.place)) for one in findings(word, forms.named("pep"))]
    assert list(dict.fromkeys(found)) == expected


def test_the_findings_stand_in_a_copy_as_comments_of_word_at_their_paragraphs() -> None:
    word, expected = with_ten_faults()
    in_the_header(f"{MARKS} {{{{ chld.upn }}}}")(word)
    data = saved(word)
    found = findings(data, replace(forms.named("pep"), letterhead=None))
    copy = docx.Document(io.BytesIO(annotated(data, "mine.docx", found)))
    said = [one.text for one in copy.comments if one.author == "pepforms"]
    assert len(said) == len(found) > len(expected)
    for finding, words in zip(found, said, strict=True):
        assert words.startswith("Put right. ")
        assert words.endswith(finding.message)
    assert "Header" in said[-1]
    cell_of_the_holder, _ = place_of(copy, "{{ Holder.holder }}")
    (marked,) = [*cell_of_the_holder._tc.iter(qn("w:commentRangeStart"))]
    (comment,) = [one for one in copy.comments if one.comment_id == int(marked.get(qn("w:id")))]
    assert "did its author mean “holder”?" in comment.text
    assert [one.text for one in copy.paragraphs] == [one.text for one in word.paragraphs]


# the words of a template

CHILDS = Form(name="my-letter", title="My letter", template=HEAD, audiences=("child",), letterhead=HEAD)
CARERS = Form(name="note", title="Note", template=HEAD, audiences=("authority", "carer"), letterhead=HEAD)


def worded(*paragraphs: str, form: Form = CHILDS) -> list[Finding]:
    """What is found in a template that says just this."""
    word = docx.Document()
    word.styles["Normal"].font.name = "Arial"
    word.core_properties.title = "{{ document.title }}"
    text(*paragraphs)(word)
    return findings(word, form)


HARD = "The school will consider your views before anybody makes a decision about additional support. " * 4
UNPLAIN = {
    "not-plain-words": ("You see your siblings on Sunday.", CHILDS),
    "never-said": ("The LAC team writes to you.", CARERS),
    "hard-to-read": (HARD, CHILDS),
}
"""Words that their readers should be spared, and the form that says them."""


@pytest.mark.parametrize("slug", UNPLAIN)
def test_words_that_a_reader_should_be_spared_are_one_finding(slug: str) -> None:
    words, form = UNPLAIN[slug]
    (found,) = worded(words, form=form)
    assert found.slug == slug
    assert found.message.endswith(".")


def test_a_word_of_the_trade_in_a_childs_template_is_told_with_what_to_say_instead() -> None:
    (found,) = worded("Hello.", "Your Placement{# for a placement #} is near.")
    assert (found.slug, found.severity, str(found.place)) == ("not-plain-words", "warns", "text, paragraph 2")
    assert found.message == "Only the child reads this, and it says “Placement”; say instead: home."


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Contacts with your brother", ["Contacts"]),
        ("A SMART target, and a smart coat", ["SMART"]),
        ("Ask the designated  teacher about the EHC plan", ["designated  teacher", "EHC plan"]),
        ("Your PP+ and your PEPs", ["PP+", "PEPs"]),
        ("You can contract a reviewer for a replacement", []),
        ("{{ meeting.date }} {# placement #}", []),
    ],
)
def test_words_are_found_whole_in_any_case_and_in_the_plural(said: str, words: list[str]) -> None:
    assert [re.search("“(.*)”", one.message)[1] for one in worded(said)] == words  # type: ignore[index]


@pytest.mark.parametrize(
    ("audiences", "found"),
    [(("child",), True), (("parent", "authority"), True), (("carer",), True), (("authority", "school"), False)],
)
def test_nobody_is_called_lac_where_a_child_carer_or_parent_reads(audiences: Any, found: bool) -> None:
    form = Form(name="note", title="Note", template=HEAD, audiences=audiences, letterhead=HEAD)
    found_there = worded("The LAC nurse comes.", form=form)
    assert [(one.slug, one.severity) for one in found_there] == [("never-said", "blocks")] * found


def test_words_of_the_trade_are_let_be_where_others_read_too() -> None:
    assert worded("The placement review is in March.", form=CARERS) == []
    assert worded(HARD, form=CARERS) == []


def test_long_sentences_of_long_words_are_told_of_a_childs_template() -> None:
    (found,) = worded(HARD)
    assert (found.slug, found.severity, str(found.place)) == ("hard-to-read", "warns", "the whole file")
    assert worded("I like to read a book. " * 20) == []


# the command


def check(*arguments: str | Path) -> tuple[int, str, str]:
    command = [Path(sys.executable).with_name("pepforms"), "template", "check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, str, str]]:
    """What the command says, as JSON, of a template with ten faults, and the copy with comments."""
    here = tmp_path_factory.mktemp("ten")
    with_ten_faults()[0].save(str(here / "ten.docx"))
    return here, check(here / "ten.docx", "--format", "json", "--annotate", here / "out.docx")


def test_the_command_tells_the_findings_as_json_and_exits_65(told: tuple[Path, tuple[int, str, str]]) -> None:
    _, (code, said, complaints) = told
    assert (code, complaints) == (65, "")
    (entry,) = json.loads(said)["results"]
    assert {key: entry[key] for key in ("source", "form", "valid")} == {
        "source": "ten.docx", "form": "pep", "valid": False,
    }  # fmt: skip
    first = entry["findings"][0]
    assert list(first) == ["slug", "severity", "part", "table", "row", "cell", "paragraph", "tag", "text", "message"]
    assert [first[key] for key in ("slug", "severity", "part", "table", "row", "cell", "paragraph", "text")] == [
        "no-heading-row", "blocks", "text", 1, 1, 1, 1, "With",
    ]  # fmt: skip


def test_the_command_writes_the_copy_with_comments(told: tuple[Path, tuple[int, str, str]]) -> None:
    here, (_, said, _) = told
    (entry,) = json.loads(said)["results"]
    assert len([*docx.Document(str(here / "out.docx")).comments]) == len(entry["findings"]) + 1  # and the one left in


def test_the_command_groups_the_findings_by_their_place(tmp_path: Path) -> None:
    word = good()
    text("{{ chld.upn }} and {{ child.upn|dat }}")(word)
    style_font(word)
    word.save(str(tmp_path / "mine.docx"))
    code, said, _ = check(tmp_path / "mine.docx", "--form", "pep")
    assert code == 65
    lines = said.splitlines()
    assert re.fullmatch(r"mine\.docx: 2 to put right, \d+ to check", lines[0])
    assert lines[1] == "  text, paragraph 13: “{{ chld.upn }} and {{ child.upn|dat }}”"
    assert [line for line in lines if "paragraph 13" in line] == [lines[1]]
    assert "(unknown-field)" in said
    assert "Please check: The font Gill Sans MT" in said


def test_the_command_refuses_a_form_that_is_not_and_two_files_to_annotate(tmp_path: Path) -> None:
    good().save(str(tmp_path / "mine.docx"))
    assert check(tmp_path / "mine.docx", "--form", "nosuch")[0] == 65
    assert check(tmp_path / "mine.docx", tmp_path / "mine.docx", "--annotate", tmp_path / "out.docx")[0] == 64


def slugs(*arguments: str | Path) -> set[str]:
    (entry,) = json.loads(check(*arguments, "--format", "json")[1])["results"]
    return {one["slug"] for one in entry["findings"]}


def test_a_file_of_a_pack_is_checked_as_what_its_row_says(tmp_path: Path) -> None:
    letter, head, rows = (tmp_path / name for name in ("letter.docx", "head.docx", "forms.toml"))
    word = good()
    text("{{ child.unp }}")(word)  # so that nothing is tried
    for path in (letter, head):
        word.save(str(path))
    row = '[letter]\ntitle = "Letter"\ntemplate = "letter.docx"\naudiences = ["school"]\n'
    rows.write_text(row)
    assert slugs(letter) == {"unknown-field", "page-not-marked"}
    rows.write_text(f'letterhead = "head.docx"\n{row}letterhead = true\n')
    assert slugs(letter) == {"unknown-field"}
    assert slugs(head) == {"unknown-field", "page-not-marked", "title-no-heading"}


def test_only_what_is_meant_for_a_whole_pep_owes_what_is_needed_at_sign_off(tmp_path: Path) -> None:
    word = good()
    text("{{ child.unp }}")(word)
    word.save(str(tmp_path / "mine.docx"))
    assert slugs(tmp_path / "mine.docx") == {"unknown-field"}
    assert slugs(tmp_path / "mine.docx", "--form", "pep") == {"unknown-field", "needed-not-printed"}


def test_the_copy_with_comments_never_takes_the_place_of_the_template(tmp_path: Path) -> None:
    mine = tmp_path / "mine.docx"
    good().save(str(mine))
    before = mine.read_bytes()
    code, _, complaints = check(mine, "--annotate", tmp_path / "." / "mine.docx", "--force")
    assert (code, mine.read_bytes()) == (64, before)
    assert "Name another file for the copy" in complaints


def test_what_no_word_file_can_hold_is_shown_escaped_in_comments_too() -> None:
    word = good()
    text('{{ child["\\ud800\\x00"] }}')(word)
    found = findings(word)
    assert all(one.message.isprintable() for one in found)
    comments = docx.Document(io.BytesIO(annotated(saved(word), "mine.docx", found))).comments
    assert [one.text for one in comments] == [f"Put right. {one.message}" for one in found] != []


def test_the_letterhead_is_checked_as_a_letterhead() -> None:
    code, said, _ = check(folder("templates") / "letterhead.docx", "--format", "json")
    (entry,) = json.loads(said)["results"]
    assert (code, entry["form"], entry["findings"]) == (0, "letterhead", [])


def test_where_no_copy_can_be_written_the_findings_are_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "old.docx").write_bytes(of_before_2007(None))
    code, said, complaints = check(tmp_path / "old.docx", "--format", "json", "--annotate", tmp_path / "out.docx")
    assert code == 65
    assert [one["slug"] for one in json.loads(said)["results"][0]["findings"]] == ["not-a-word-file"]
    assert "cannot be opened, so its findings cannot be written into it" in complaints
    assert not (tmp_path / "out.docx").exists()


# what Word and LibreOffice hand in


def filled(word: Any) -> Any:
    assert findings(word) == []
    return docx.Document(io.BytesIO(Template(saved(word), name="mine.docx").fill(PEP, {"title": "Letter"})))


def test_a_filled_in_content_control_works() -> None:
    word = good()
    xml("<w:sdt><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>{{ child.upn }}</w:t></w:r></w:p></w:sdtContent></w:sdt>")(word)
    assert "K999999914001" in "".join(one.text or "" for one in filled(word).element.iter(qn("w:t")))


def test_tables_in_tables_work_and_are_counted() -> None:
    word = good()
    inner = word.add_table(2, 2).cell(1, 1).add_table(1, 1).cell(0, 0)
    inner.text = "{{ child.upn }}"
    assert filled(word).tables[1].cell(1, 1).tables[0].cell(0, 0).text == "K999999914001"
    inner.text = "{{ child.unp }}"
    assert [str(one.place) for one in findings(word)] == ["text, table 3, row 1, cell 1"]


def test_a_no_break_space_in_a_rows_tag_works() -> None:
    word = good()
    cell_tags("{%tr\u00a0for target in targets %}", "{%tr\u00a0endfor %}")(word)
    text("{%p\u00a0if child.upn %}", "a\u00a0b", "{%p\u00a0endif %}")(word)
    made = filled(word)
    assert [row.cells[0].text for row in made.tables[0].rows] == ["Target", "Read", "Write"]
    assert made.paragraphs[-1].text == "a\u00a0b"


def test_sections_and_landscape_pages_work() -> None:
    word = good()
    section = word.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    word.add_paragraph("{{ child.upn }}")
    assert [one.orientation for one in filled(word).sections] == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE]


def test_a_link_to_a_web_page_works() -> None:
    word = good()
    related("hyperlink", "https://www.gov.uk/")(word)
    filled(word)


def test_five_hundred_pages_work_in_a_process_apart() -> None:
    word = good()
    table, last = word.tables[0]._tbl, word.element.body[-1]
    page = parse_xml(f"<w:p {NAMESPACES}><w:r><w:br w:type='page'/><w:t>{{{{ child.upn }}}}</w:t></w:r></w:p>")
    for _ in range(500):
        last.addprevious(deepcopy(page))
        last.addprevious(deepcopy(table))
    cell_of_the_last = word.tables[-1].cell(2, 1)
    cell_of_the_last.text = "{{ target.sucess }}"
    (found,) = trial.lint(saved(word), "mine.docx", LETTER, Wiring(settings.load()))
    assert (found.slug, str(found.place)) == ("unknown-field", "text, table 501, row 3, cell 2")


def test_a_file_that_costs_too_much_to_read_is_a_finding_that_says_what_to_do() -> None:
    hasty = Wiring(settings.load())
    hasty._reader = Pool(calls, name="Reading", size=1, deadline=0.001)
    (found,) = trial.lint(saved(good()), "mine.docx", LETTER, hasty)
    assert found.slug == "worker-lost"
    assert "Take out what makes it so large." in found.message


def test_our_template_saved_by_libreoffice_has_no_finding(tmp_path: Path) -> None:
    home = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", home, "--headless", "--convert-to", "docx", "--outdir", tmp_path]
    subprocess.run([*command, folder("templates") / "pep.docx"], check=True, capture_output=True, timeout=120)
    assert findings((tmp_path / "pep.docx").read_bytes(), forms.named("pep")) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("macros", "Save it as an ordinary .docx."),
        ("a password", "take the password out"),
        ("a document of before 2007", "save it as .docx"),
        ("a document of LibreOffice", "save it as Word (.docx)"),
        ("a picture from outside", "Put the picture itself into the file (Insert, Pictures)."),
        ("styles from outside", "Choose Normal instead"),
        ("an object of another program", "Paste what it shows as a table or as a picture."),
        ("a sheet of Excel", "Paste what it shows as a table or as a picture."),
        ("a chart with its workbook", "Paste the chart as a picture."),
        ("names for a mail merge", "Choose Mailings, Start Mail Merge, Normal Word Document."),
        ("a picture that is lost", "insert it anew"),
        ("a template of Word's own", "Save it as Word Document (.docx)."),
        ("Strict Open XML", "save it as Word Document (.docx), not Strict."),
        ("another prefix", "Open it in Word, and save it again."),
        ("a document of Word in a browser", "Open it in Word on a computer, and choose File, Save As"),
        ("damaged settings", "damaged in its settings. Save it again in Word."),
        ("no list of parts", "damaged in its list of parts. Save it again in Word."),
        ("a tag in a link's address", "A tag stands in a link’s address, where none is filled."),
        ("a tag in a control's title", "a content control’s title"),
        ("a tag in a control's choices", "a content control’s choices"),
        ("a tag in an equation", "an equation"),
        ("a field in pieces", "(MERGEFIELD)"),
        ("words deleted", "Accept All Changes and Stop Tracking"),
        ("a text box", "Put its words into the text or a table."),
        ("a footnote", "Put its words into the text."),
    ],
)
def test_what_cannot_be_used_says_what_to_do_in_word(name: str, says: str) -> None:
    (found,) = broken(name)
    assert says in found.message


# docs/templates.md

TEMPLATES = Path(__file__).parent.parent / "docs" / "templates.md"
BEGIN, END = "<!-- findings -->\n", "<!-- end of findings -->\n"


OF_THE_TRIAL = {
    "too-large", "template-refused", "engines-differ", "not-convertible", "engine-failed", "worker-lost",
    "too-much-memory",
}  # fmt: skip
"""What comes of opening, filling and converting a template."""


def headless() -> list[Finding]:
    """What is found where the good template is taken for a letterhead."""
    return findings(good(), forms.LETTERHEAD)


def table_of_findings() -> str:
    word = good()
    in_the_header("Our own school")(word)
    found = [*untold_findings(), *findings(word, UNDER_LETTERHEAD), *headless()]
    said = {one.slug: one.message for one in reversed(found)}
    for one in itertools.chain(*map(broken, FAULTS), *(worded(words, form=form) for words, form in UNPLAIN.values())):
        said.setdefault(one.slug, one.message)
    shown = {slug: message.replace("|", "\\|") for slug, message in said.items()}
    rows = [f"| `{slug}` | {shown[slug]} | {_does(kind.severity)} |" for slug, kind in KINDS.items() if slug in shown]
    return "\n".join(("| Finding | What it says, for example | Then |", "|---|---|---|", *rows, ""))


def _does(severity: str) -> str:
    return "put right first" if severity == "blocks" else "please check"


def test_every_finding_is_documented() -> None:
    before, rest = TEMPLATES.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    made = f"{before}{BEGIN}{table_of_findings()}{END}{after}"
    if os.environ.get("WRITE_DOCS"):
        TEMPLATES.write_text(made, encoding="utf-8")
    assert TEMPLATES.read_text(encoding="utf-8") == made, (
        "WRITE_DOCS=1 python -m pytest tests/test_lint.py -k documented"
    )


def test_every_kind_of_finding_is_found_by_a_test() -> None:
    found = {*UNPLAIN, *(slug for _, slug, _ in FAULTS.values()), *(one.slug for one in headless())}
    assert found | OF_THE_TRIAL | {"own-header", "needed-not-printed"} == {*KINDS}


def test_what_the_trial_finds_is_documented() -> None:
    text = TEMPLATES.read_text(encoding="utf-8")
    assert [slug for slug in sorted(OF_THE_TRIAL) if f"| `{slug}` |" not in text] == []
