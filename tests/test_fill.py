"""Fill: what a Word file holds after PEP data went into it, read back with python-docx, lxml and the converter."""

import base64
import datetime
import hashlib
import io
import json
import posixpath
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docx
import pytest
import rdocx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Inches
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from pepforms import codes, schema
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.fill.tags import W
from pepforms.schema import Field

ROOT = Path(__file__).parents[1]
SAMPLES = sorted((ROOT / "samples" / "valid").glob("*.json"))
TOLD = {
    "title": "PEP, term of 2026/27", "form": "Personal Education Plan", "authority": "Hillingdon", "draft": False,
    "virtual_school": "Hillingdon Virtual School", "marking": "OFFICIAL-SENSITIVE", "notice": "Full copy.",
    "carries_data": False,
}  # fmt: skip
PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill"},
    "people": [{"id": "vso", "name": "Sasha Mockworth", "role": "virtual_school_officer"}],
    "targets": [{"target": "Read", "owner": "vso"}, {"target": "Write", "owner": "vso"}],
}


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def template(*paragraphs: str) -> Template:
    word = docx.Document()
    for text in paragraphs:
        word.add_paragraph(text)
    return Template(saved(word), name="mine.docx")


def opened(filled: bytes) -> Any:
    return docx.Document(io.BytesIO(filled))


def texts(filled: bytes) -> list[str]:
    return [paragraph.text for paragraph in opened(filled).paragraphs]


def filled(text: str, **pep: Any) -> str:
    """What one paragraph of a template prints."""
    return texts(template(text).fill(PEP | pep, TOLD))[0]


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


@pytest.fixture(scope="module")
def pep_docx() -> Template:
    return Template((ROOT / "templates" / "pep.docx").read_bytes(), name="pep.docx")


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda path: path.stem)
def sample(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text())
    return loaded


# --- the template we ship, with every sample -------------------------------------------------------------------------


def words_of(filled: bytes) -> Iterator[str]:
    """The text of every paragraph of every part, titles too."""
    with zipfile.ZipFile(io.BytesIO(filled)) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"word/(document|header\d|footer\d)\.xml", name):
                for paragraph in etree.fromstring(archive.read(name)).iter(f"{W}p"):
                    yield "".join(t.text or "" for t in paragraph.iter(f"{W}t"))
            elif name == "docProps/core.xml":
                yield from etree.fromstring(archive.read(name)).xpath("//*[local-name()='title']/text()")


def held(value: Any, field: Field) -> Iterator[tuple[str, Field]]:
    """Every text of a PEP and its field."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name in field.fields:
                yield from held(below, field.fields[name])
    elif isinstance(value, list) and field.items:
        for below in value:
            yield from held(below, field.items)
    elif isinstance(value, str):
        yield value, field


def vocabulary(*said: str) -> set[str]:
    return set(re.findall(r"[A-Za-z0-9_-]+", "\n".join(said)))


def test_prints_no_iso_date_no_code_no_id_and_no_placeholder(sample: dict[str, Any], pep_docx: Template) -> None:
    words = list(words_of(pep_docx.fill(sample, TOLD)))
    assert not re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|\{\{|\{%|%\}|\}\}|pepforms|object at", "\n".join(words))
    free, raw, labels = [], set(), []
    for text, field in held(sample, schema.load().root):
        if field.codes or field.labels or field.person:
            raw.add(text)
            labels.append(field.labels.get(text) or (field.codes and codes.label(field.codes, text)) or "")
        else:
            free.append(text)
    template_words = words_of((ROOT / "templates" / "pep.docx").read_bytes())
    fair = vocabulary(*free, *labels, *template_words, *map(str, TOLD.values()))
    assert not raw & (vocabulary(*words) - fair)
    assert not raw & set(words) - set(labels) - set(free)


def test_what_is_printed_is_well_formed_word_in_every_eyes(sample: dict[str, Any], pep_docx: Template) -> None:
    made = pep_docx.fill(sample, TOLD)
    assert opened(made).core_properties.title == TOLD["title"]
    assert rdocx.Document.from_bytes(made).to_pdfa_deterministic("pdfa-3b").startswith(b"%PDF-")
    orders_hold(made)


def test_the_same_input_gives_the_same_bytes_from_many_threads_at_once(pep_docx: Template) -> None:
    sample = json.loads(SAMPLES[0].read_text())
    other = sample | {"child": sample["child"] | {"preferred_name": "ሳሻ"}}
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: pep_docx.fill(other if number % 2 else sample, TOLD), range(16)))
    again = Template((ROOT / "templates" / "pep.docx").read_bytes(), name="pep.docx")
    assert set(made[::2]) == {again.fill(sample, TOLD)}
    assert set(made[1::2]) == {again.fill(other, TOLD)}


# --- what Word wants -------------------------------------------------------------------------------------------------

RUN_ORDER = re.findall(
    r"\w+",
    "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid vanish "
    "webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang "
    "eastAsianLayout specVanish oMath rPrChange",
)
PARAGRAPH_ORDER = re.findall(
    r"\w+",
    "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment "
    "textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
)


def orders_hold(made: bytes) -> None:
    """The properties of runs and paragraphs stand in the order of the standard; relationships and types are whole."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        defaults = [entry.get("Extension").lower() for entry in types if entry.get("Extension")]
        overrides = [entry.get("PartName") for entry in types if entry.get("PartName")]
        assert len(defaults) == len(set(defaults))
        assert {override.removeprefix("/") for override in overrides} <= set(names)
        for name in names:
            if name != "[Content_Types].xml":
                assert f"/{name}" in overrides or name.rsplit(".", 1)[-1].lower() in defaults
            if name.endswith(".rels"):
                relations_hold(name, etree.fromstring(archive.read(name)), names)
            if re.fullmatch(r"word/(document|header\d|footer\d)\.xml", name):
                root = etree.fromstring(archive.read(name))
                for tag, order in (("rPr", RUN_ORDER), ("pPr", PARAGRAPH_ORDER)):
                    for properties in root.iter(f"{W}{tag}"):
                        places = [order.index(etree.QName(child).localname) for child in properties]
                        assert places == sorted(set(places))


def relations_hold(name: str, relations: Any, names: list[str]) -> None:
    ids = [relation.get("Id") for relation in relations]
    assert len(ids) == len(set(ids))
    folder = posixpath.dirname(posixpath.dirname(name))
    for relation in relations:
        if relation.get("TargetMode") != "External":
            assert posixpath.normpath(posixpath.join("/", folder, relation.get("Target")))[1:] in names


def test_each_line_of_two_scripts_stands_where_it_begins() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph(style="Quote")
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Inches(0.1)
    paragraph.add_run("{{ meeting.notes }}").bold = True
    said = "مرحبا يا Sam ☐\nI don’t give up!\n... 42\nشكرا"
    made = Template(saved(word), name="mine.docx").fill(PEP | {"meeting": {"notes": said}}, TOLD)
    orders_hold(made)
    found = opened(made).paragraphs
    assert [each.text for each in found] == ["مرحبا يا Sam ☐", "I don’t give up!\n... 42", "شكرا"]
    assert [each._p.pPr.find(qn("w:bidi")) is not None for each in found] == [True, False, True]
    assert {(each.style.name, run.bold) for each in found for run in each.runs if run.text} == {("Quote", True)}
    room = [(each.paragraph_format.space_before, each.paragraph_format.space_after) for each in found]
    assert [(bool(before), bool(after)) for before, after in room] == [(True, False), (False, False), (False, True)]


def test_lines_of_one_script_stay_one_paragraph() -> None:
    word = docx.Document()
    word.add_paragraph("{{ meeting.notes }}")
    for said, turned in (("مرحبا\nشكرا 12\n😀", True), ("Hello ☐\nI am مرحبا", False)):
        made = Template(saved(word), name="mine.docx").fill(PEP | {"meeting": {"notes": said}}, TOLD)
        (paragraph,) = opened(made).paragraphs
        assert paragraph.text == said
        assert (paragraph._p.pPr is not None and paragraph._p.pPr.find(qn("w:bidi")) is not None) == turned


def test_runs_of_every_kind_keep_their_looks_where_they_are_cut() -> None:
    word = docx.Document()
    run = word.add_paragraph(style="Quote").add_run("{{ meeting.notes }}")
    run.style, run.bold, run.italic, run.font.size = "Strong", True, True, Inches(0.3)
    run.font.name = "Cambria"
    made = Template(saved(word), name="mine.docx").fill(PEP | {"meeting": {"notes": "مرحبا hello ☐ 😀"}}, TOLD)
    orders_hold(made)
    paragraph = opened(made).paragraphs[0]
    assert paragraph.text == "مرحبا hello ☐ 😀"
    assert {(run.style.name, run.bold, run.italic, run.font.size) for run in paragraph.runs} == {
        ("Strong", True, True, run.font.size)
    }
    fonts = [run.font.name for run in paragraph.runs]
    assert fonts[0] == "Noto Sans Arabic"
    assert {"Cambria", "Noto Emoji", "Noto Sans Symbols 2"} <= set(fonts)
    assert paragraph._p.pPr.find(f"{W}bidi") is not None
    first = paragraph.runs[0]._r.rPr
    assert [first.find(f"{W}{name}") is not None for name in ("rtl", "bCs", "iCs", "szCs")] == [True] * 4


def test_embedded_fonts_can_be_read_by_the_standards_recipe() -> None:
    made = template("{{ child.preferred_name }}").fill(PEP | {"child": {"preferred_name": "ሳሻ"}}, TOLD)
    table = etree.fromstring(part(made, "word/fontTable.xml"))
    font = next(font for font in table if font.get(f"{W}name") == "Noto Sans Ethiopic")
    embedded = font.find(f"{W}embedRegular")
    key = bytes.fromhex(re.sub("[{}-]", "", embedded.get(f"{W}fontKey")))[::-1]
    relations = etree.fromstring(part(made, "word/_rels/fontTable.xml.rels"))
    target = {relation.get("Id"): relation.get("Target") for relation in relations}
    data = part(
        made, "word/" + target[embedded.values()[0] if embedded.values()[0] in target else embedded.values()[1]]
    )
    plain = bytes(byte ^ key[at % 16] for at, byte in enumerate(data[:32])) + data[32:]
    with TTFont(io.BytesIO(plain)) as read:
        assert {ord(letter) for letter in "ሳሻ Mockworth"} <= read.getBestCmap().keys()
        assert read["name"].getBestFamilyName() == "Noto Sans Ethiopic"
    assert len(plain) < 20_000


def test_a_character_outside_every_paragraph_harms_nothing() -> None:
    word = docx.Document()
    word.add_paragraph("")
    grid = word.add_table(1, 1)
    caption = etree.SubElement(grid._tbl.tblPr, f"{W}tblCaption")
    caption.set(f"{W}val", "☑ ሰላም")
    grid.cell(0, 0).text = "{{ child.preferred_name }} ☑"
    made = Template(saved(word), name="mine.docx").fill(PEP, TOLD)
    assert opened(made).tables[0].cell(0, 0).text == "Quill ☑"


def test_text_boxes_are_filled_and_drawn() -> None:
    word = docx.Document()
    word.add_paragraph("Before")
    box = (
        f'<w:p xmlns:w="{W[1:-1]}" xmlns:v="urn:schemas-microsoft-com:vml"><w:r><w:pict><v:shape><v:textbox>'
        "<w:txbxContent><w:p><w:r><w:t>{{ child.preferred_name }}</w:t></w:r></w:p></w:txbxContent>"
        "</v:textbox></v:shape></w:pict></w:r></w:p>"
    )
    word.element.body.insert(1, etree.fromstring(box))
    made = Template(saved(word), name="mine.docx").fill(PEP | {"child": {"preferred_name": "ሳሻ & ☐"}}, TOLD)
    assert "ሳሻ & ☐" in list(words_of(made))


# --- any text --------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\ufffe\uffff"))
HOLDABLE = TEXTS.map(lambda text: re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text))
ECHO = template("{{ meeting.notes }}")


def breaks(text: str) -> str:
    """Line ends of every kind are Word's line break, which python-docx reads as a line feed."""
    return re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", text)


@given(HOLDABLE | HOLDABLE.map(lambda text: f"a{text}☐{text}b"))
def test_any_text_comes_out_as_it_went_in(text: str) -> None:
    made = texts(ECHO.fill(PEP | {"meeting": {"notes": text}}, TOLD))
    assert "\n".join(made) == breaks(text)  # a paragraph for each stretch of lines of one way


@pytest.mark.parametrize(
    "text",
    [
        "a & b < c > d \"e\" 'f'",
        "]]> <!-- &amp; {{ child }} {% if %}",
        "  two  spaces  ",
        "one\ntwo\r\nthree\tfour",
        "a\u00a0b\u00ad\u200d\u200b",
        "عمره ١٢ (Layla)",
        "e\u0301\u0323",
        "</w:t></w:r>",
        "£1\u2028x\u0085y",
    ],
)
def test_a_text_that_looks_like_something_else_is_a_text(text: str) -> None:
    assert filled("{{ meeting.notes }}", meeting={"notes": text}) == breaks(text)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
@pytest.mark.parametrize("tag", ["{{ meeting.notes }}", "{{r meeting.notes|strong }}", "{{r meeting.notes }}"])
def test_what_no_word_file_can_hold_is_refused_and_never_dropped(tag: str, character: str) -> None:
    with pytest.raises(Refused, match=f"U\\+{ord(character):04X}") as refused:
        filled(tag, meeting={"notes": f"Quill Testchild {character}"})
    assert refused.value.slug == "cannot-hold"
    assert "Testchild" not in str(refused.value)


# --- tags of docxtpl -------------------------------------------------------------------------------------------------


def test_rows_columns_paragraphs_and_runs_repeat() -> None:
    word = docx.Document()
    rows = word.add_table(3, 2)
    rows.cell(0, 0).text, rows.cell(2, 0).text = "{%tr for t in targets %}", "{%tr endfor %}"
    rows.cell(1, 0).text, rows.cell(1, 1).text = "{{ loop.index }}", "{{ t.target }}"
    columns = word.add_table(1, 3)
    for place, text in enumerate(("{%tc for t in targets %}", "{{ t.target }}", "{%tc endfor %}")):
        columns.cell(0, place).text = text
    for text in ("{%p for t in targets %}", "P {{ t.target }}", "{%p endfor %}"):
        word.add_paragraph(text)
    word.add_paragraph("Bold: {{r child.preferred_name|strong }}, {%r if child %}yes{%r endif %}")
    made = opened(Template(saved(word), name="mine.docx").fill(PEP, TOLD))
    first, second = made.tables
    assert [[cell.text for cell in row.cells] for row in first.rows] == [["1", "Read"], ["2", "Write"]]
    assert [cell.text for cell in second.rows[0].cells] == ["Read", "Write"]
    assert len(second._tbl.tblGrid) == 2
    assert [paragraph.text for paragraph in made.paragraphs] == ["P Read", "P Write", "Bold: Quill, yes"]
    assert [run.text for run in made.paragraphs[2].runs if run.bold] == ["Quill"]


def run_of(text: str, looks: str) -> Any:
    return parse_xml(f'<w:r {nsdecls("w")}><w:rPr>{looks}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>')


def test_the_words_beside_a_runs_own_tag_keep_their_looks_and_so_does_what_it_prints() -> None:
    word = docx.Document()
    looks = '<w:rFonts w:ascii="Arial"/><w:i/><w:color w:val="FF0000"/>'
    paragraph = word.add_paragraph()._p
    paragraph.append(run_of("Call {{r child.preferred_", looks))
    paragraph.append(run_of("name|strong }} at once, {{r child.preferred_name }}!", looks))
    made = opened(Template(saved(word), name="mine.docx").fill(PEP, TOLD))
    runs = [run for run in made.paragraphs[0].runs if run.text]
    assert [(run.text, run.bold) for run in runs] == [
        ("Call ", None), ("Quill", True), (" at once, ", None), ("Quill", None), ("!", None),
    ]  # fmt: skip
    assert {(run.italic, str(run.font.color.rgb), run.font.name) for run in runs} == {(True, "FF0000", "Arial")}
    assert [etree.QName(one).localname for one in runs[1]._r.rPr] == ["rFonts", "b", "bCs", "i", "color"]


def test_headers_footers_and_the_title_are_filled() -> None:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = "{{ document.marking }} & {{ child.preferred_name }}"
    word.sections[0].footer.paragraphs[0].text = "{% if not document.draft %}{{ pep.id }}{% endif %}"
    word.core_properties.title = "{{ document.title }}"
    made = opened(Template(saved(word), name="mine.docx").fill(PEP, TOLD | {"title": "A & B\n<C>"}))
    assert made.sections[0].header.paragraphs[0].text == "OFFICIAL-SENSITIVE & Quill"
    assert made.sections[0].footer.paragraphs[0].text == "PEP-1"
    assert made.core_properties.title == "A & B <C>"


# --- pictures --------------------------------------------------------------------------------------------------------


def picture(
    size: tuple[int, int] = (60, 40), mode: str = "RGB", kind: str = "JPEG", description: str = "A fox & a “den”"
) -> dict[str, str]:
    drawn, out = Image.new(mode, size), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SECRET CAMERA"  # turned by a quarter; the maker
    drawn.save(out, kind, **({"exif": exif} if kind == "JPEG" else {}))
    data = base64.b64encode(out.getvalue()).decode()
    return {"media_type": f"image/{kind.lower()}", "description": description, "data": data}


def with_pictures(*pictures: dict[str, str]) -> dict[str, Any]:
    return PEP | {"views": {"child": {"pictures": list(pictures)}}}


def gallery() -> bytes:
    word = docx.Document()
    logo = io.BytesIO()
    Image.new("RGB", (8, 8)).save(logo, "PNG")
    word.sections[0].header.paragraphs[0].text = "{% for p in views.child.pictures %}{{r p }}{% endfor %}"
    for text in ("{%p for picture in views.child.pictures %}", "Look: {{r picture }}", "{%p endfor %}"):
        word.add_paragraph(text)
    word.add_picture(io.BytesIO(logo.getvalue()))
    return saved(word)


def test_pictures_in_the_text_and_in_headers_carry_their_words_and_nothing_else() -> None:
    made = Template(gallery(), name="mine.docx").fill(with_pictures(picture(), picture(description="☑ ሰላም")), TOLD)
    orders_hold(made)
    ids = []
    for name in ("word/document.xml", "word/header1.xml"):
        drawn = etree.fromstring(part(made, name)).xpath("//*[local-name()='docPr']")
        assert [one.get("descr") for one in drawn][:2] == ["A fox & a “den”", "☑ ሰላም"]
        ids += [one.get("id") for one in drawn]
    assert len(ids) == len(set(ids)) == 5
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        media = [name for name in archive.namelist() if "media/pepforms" in name]
        assert len(media) == 4
        for name in media:
            assert b"SECRET" not in archive.read(name)
            with Image.open(io.BytesIO(archive.read(name))) as image:
                assert (image.format, image.mode, image.size, dict(image.getexif())) == ("PNG", "RGB", (40, 60), {})
    assert len(opened(made).inline_shapes) == 3
    assert b"/Figure" in rdocx.Document.from_bytes(made).to_pdfa_deterministic("pdfa-3b")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("CMYK", "JPEG"), ("L", "JPEG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"), ("I;16", "PNG")],
)
def test_pictures_of_every_kind_are_drawn_anew(mode: str, kind: str) -> None:
    made = template("{% for p in views.child.pictures %}{{r p }}{% endfor %}").fill(
        with_pictures(picture(mode=mode, kind=kind)), TOLD
    )
    with Image.open(io.BytesIO(part(made, "word/media/pepforms-document-1.png"))) as image:
        assert image.mode == "RGB"


def test_a_picture_fits_its_box_and_holds_no_more_dots_than_print_shows() -> None:
    made = template("{% for p in views.child.pictures %}{{r p }}{% endfor %}").fill(
        with_pictures(picture(size=(3000, 4000), kind="PNG")), TOLD
    )
    shape = opened(made).inline_shapes[0]
    assert (shape.width, shape.height) == (2_700_000, 3_600_000)
    with Image.open(io.BytesIO(part(made, "word/media/pepforms-document-1.png"))) as image:
        assert image.size == (900, 1200)


@pytest.mark.parametrize("data", ["", "AAAA", "not base64!", base64.b64encode(b"GIF89a").decode()])
def test_a_picture_that_cannot_be_read_is_refused(data: str) -> None:
    with pytest.raises(Refused, match="picture") as refused:
        filled("{% for p in views.child.pictures %}{{r p }}{% endfor %}", **with_pictures(picture() | {"data": data}))
    assert refused.value.slug == "unreadable-picture"


def test_a_picture_of_too_many_dots_is_refused_before_it_is_unpacked() -> None:
    small = base64.b64decode(picture(kind="PNG")["data"])
    for dots in ((100_000).to_bytes(4, "big"), (9_000).to_bytes(4, "big")):
        huge = base64.b64encode(small[:16] + dots * 2 + small[24:]).decode()
        with pytest.raises(Refused) as refused:
            filled(
                "{% for p in views.child.pictures %}{{r p }}{% endfor %}", **with_pictures(picture() | {"data": huge})
            )
        assert refused.value.slug == "unreadable-picture"


@pytest.mark.parametrize("properties", [None, b"<Properties/>"])
def test_a_template_without_usable_properties_still_tells_its_version(properties: bytes | None) -> None:
    with zipfile.ZipFile(io.BytesIO(saved(docx.Document()))) as before:
        parts = {name: before.read(name) for name in before.namelist()}
    del parts["docProps/app.xml"]
    for holder in ("_rels/.rels", "[Content_Types].xml"):
        if properties is None:
            entries = etree.fromstring(parts[holder])
            entries[:] = [one for one in entries if "app.xml" not in (one.get("Target") or one.get("PartName") or "")]
            parts[holder] = etree.tostring(entries)
        else:
            parts["docProps/app.xml"] = properties
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    made = Template(buffer.getvalue(), name="mine.docx").fill(PEP, TOLD)
    orders_hold(made)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    assert f"sha256:{digest}".encode() in part(made, "docProps/app.xml")
    assert opened(made).part.package.rels


# --- the words for values --------------------------------------------------------------------------------------------


def test_absent_facts_say_which_kind_of_absence_it_is() -> None:
    said = {filled(f"{{{{ {path} }}}}") for path in ("meeting.date", "child.also_known_as", "child.uln", "child.uln")}
    assert len(said) == 3
    assert "Not asked at this age" in said


def test_what_is_under_an_absent_group_is_absent_for_the_groups_reason() -> None:
    for path in ("education.no_school", "transition"):
        field = schema.load().at(path.split("."))
        assert field
        pep = PEP | {"pep": PEP["pep"] | {"phase": "primary"}}
        below = next(name for name, one in field.fields.items() if not one.asked_when)
        assert filled(f"{{{{ {path}.{below} }}}}", **pep) in ("Not asked at this age", "Does not apply") or field.asked(
            pep
        )


def test_the_unknown_says_why_and_so_does_all_under_it() -> None:
    religion = {"unknown": "he has not decided"}
    assert filled("{{ child.religion }}", child={"religion": religion}) == "Not known: he has not decided"
    upn = filled("{{ child.upn }}", child={"upn": {"unknown": "UN3"}})
    assert upn.startswith("Not known: ")
    assert "UN3" not in upn
    group = next(field for field in schema.load().root.walk() if field.unknowable and field.fields)
    value: dict[str, Any] = {"unknown": "nobody asked"}
    *above, last = group.pointer.strip("/").split("/")
    for step in reversed([*above, last]):
        value = {step: value}
    path = ".".join([*above, last, next(iter(group.fields))])
    assert filled(f"{{{{ {path} }}}}", **value) == "Not known: nobody asked"


def test_nothing_and_no_are_values() -> None:
    attendance = {"possible": 90, "attended": 0, "late": 0}
    assert (
        filled(
            "{{ education.attendance.attended }} {{ education.attendance|percent }}",
            education={"attendance": attendance},
        )
        == "0 0.0%"
    )
    assert (
        filled(
            "{% if education.attendance.late is known %}{{ education.attendance.late }}{% endif %}",
            education={"attendance": attendance},
        )
        == "0"
    )
    assert filled("{{ care.placement.confidential }}", care={"placement": {"confidential": False}}) == "No"


@pytest.mark.parametrize(
    ("tag", "pep", "said"),
    [
        ("{{ meeting.date }}", {"meeting": {"date": "2026-11-05"}}, "5 November 2026"),
        ("{{ sign_offs[0].at }}", {"sign_offs": [{"at": "2026-07-19T23:30:00Z"}]}, "20 July 2026 at 00:30"),
        ("{{ sign_offs[0].at }}", {"sign_offs": [{"at": "2026-11-19T15:30:00+05:30"}]}, "19 November 2026 at 10:00"),
        ("{{ pupil_premium_plus.lines[0].cost }}", {"pupil_premium_plus": {"lines": [{"cost": "999.5"}]}}, "£999.50"),
        ("{{ targets[0].owner }}", {}, "Sasha Mockworth (Virtual School Officer)"),
        ("{{ targets[0].owner|name }}", {}, "Sasha Mockworth"),
        ("{{ targets[0].owner }}", {"people": []}, "someone not in this PEP"),
        ("{{ targets[9].owner }}", {}, "Not yet recorded"),
        ("{{ care.placement.distance_miles }}", {"care": {"placement": {"distance_miles": 12345.125}}}, "12,345.125"),
        ("{{ care.placement.distance_miles }}", {"care": {"placement": {"distance_miles": 41.0}}}, "41"),
        ("{% if child.sex == 'M' %}{{ child.sex }}{% endif %}", {"child": {"sex": "M"}}, "Male"),
    ],
)  # fmt: skip
def test_values_are_said_in_words(tag: str, pep: dict[str, Any], said: str) -> None:
    assert filled(tag, **pep) == said


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)))
def test_every_date_is_said_as_people_say_it(day: datetime.date) -> None:
    said = texts(DATE.fill(PEP | {"meeting": {"date": day.isoformat()}}, TOLD))[0]
    assert datetime.datetime.strptime(said, "%d %B %Y").date() == day  # noqa: DTZ007  a day has no zone


DATE = template("{{ meeting.date }}")
