"""The letterhead: what is changed in one Word file, or in the profile, is changed in every document."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from PIL import Image

from pepforms import forms, pipeline, profile, settings
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, Refused
from pepforms.fill import Letterhead, Template
from pepforms.resources import folder
from pepforms.wiring import Wiring

PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill"},
}
SAMPLE = folder("samples") / "valid" / "year-5-review.json"


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def head(change: Callable[[Any], Any] = lambda _: None) -> bytes:
    """A letterhead with a header for the first page and one for the others, and a line of text."""
    word = docx.Document()
    section = word.sections[0]
    section.different_first_page_header_footer = True
    section.first_page_header.paragraphs[0].text = "First page of {{ document.authority }}"
    section.header.paragraphs[0].text = "{{ document.notice }}"
    section.top_margin = Pt(110)
    word.styles["Title"].font.color.rgb = RGBColor(0x11, 0x22, 0x33)
    word.styles["Heading 1"].font.color.rgb = RGBColor(0x11, 0x22, 0x33)
    word.styles["Heading 1"].font.size = Pt(19)
    word.add_paragraph("From {{ document.virtual_school }}")
    change(word)
    return saved(word)


def letter(change: Callable[[Any], Any] = lambda _: None) -> bytes:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = "A header of its own"
    word.add_heading("For {{ child.preferred_name }}", 1)
    word.add_paragraph("One", style="List Bullet")
    change(word)
    return saved(word)


def filled(template: bytes, letterhead: Letterhead) -> Any:
    made = Template(template, name="letter.docx", letterhead=letterhead)
    told = {"authority": "Example-shire", "virtual_school": "Example College", "notice": "For you."}
    return docx.Document(io.BytesIO(made.fill(PEP, told)))


def test_a_document_takes_the_letterheads_styles_headers_margins_and_text() -> None:
    word = filled(letter(), Letterhead(head(), "head.docx"))
    section = word.sections[0]
    assert [each.text for each in word.paragraphs] == ["From Example College", "For Quill", "One"]
    assert section.header.paragraphs[0].text == "For you."
    assert section.first_page_header.paragraphs[0].text == "First page of Example-shire"
    assert section.different_first_page_header_footer
    assert section.top_margin == Pt(110)
    assert word.styles["Heading 1"].font.size == Pt(19)


def test_a_template_keeps_what_the_letterhead_lacks() -> None:
    def change(word: Any) -> None:
        word.styles.add_style("Large words", 1).font.size = Pt(16)
        word.add_paragraph("Large", style="Large words")
        word.sections[0].left_margin = Pt(140)

    word = filled(letter(change), Letterhead(head(), "head.docx"))
    assert word.styles["Large words"].font.size == Pt(16)
    assert word.sections[0].left_margin == Pt(140)
    bullet = word.paragraphs[2].style.element.find(f".//{qn('w:numId')}")
    assert bullet.get(qn("w:val")) == docx.Document(io.BytesIO(letter())).styles["List Bullet"].element.find(
        f".//{qn('w:numId')}"
    ).get(qn("w:val"))


def test_what_has_the_colour_of_the_title_takes_the_authoritys() -> None:
    def change(word: Any) -> None:
        word.add_paragraph().add_run("As the title").font.color.rgb = RGBColor(0x11, 0x22, 0x33)
        word.add_paragraph().add_run("Red").font.color.rgb = RGBColor(0xCC, 0, 0)

    word = filled(letter(change), Letterhead(head(), "head.docx", "00573F"))
    assert word.styles["Heading 1"].font.color.rgb == RGBColor(0, 0x57, 0x3F)
    assert word.paragraphs[3].runs[0].font.color.rgb == RGBColor(0, 0x57, 0x3F)
    assert word.paragraphs[4].runs[0].font.color.rgb == RGBColor(0xCC, 0, 0)


def test_tabs_at_the_right_stand_where_a_landscape_page_ends() -> None:
    def tab(word: Any) -> None:
        word.sections[0].header.paragraphs[0].paragraph_format.tab_stops.add_tab_stop(Cm(15), 2)

    def turn(word: Any) -> None:
        section = word.sections[0]
        section.page_width, section.page_height = section.page_height, section.page_width

    upright, turned = (filled(letter(each), Letterhead(head(tab), "head.docx")) for each in (lambda _: None, turn))
    wider = turned.sections[0].page_width - upright.sections[0].page_width
    stops = [each.sections[0].header.paragraphs[0].paragraph_format.tab_stops[0].position for each in (upright, turned)]
    assert stops[1] - stops[0] == pytest.approx(wider, abs=700)  # Word counts in twentieths of a point


def test_a_picture_in_the_letterheads_header_comes_along() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "navy").save(picture, "png")

    def change(word: Any) -> None:
        word.sections[0].header.paragraphs[0].add_run().add_picture(io.BytesIO(picture.getvalue()))

    data = Template(letter(), name="letter.docx", letterhead=Letterhead(head(change), "head.docx")).fill(PEP, {})
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        (image,) = [name for name in parts.namelist() if name.startswith("word/media/")]
        assert parts.read(image) == picture.getvalue()
        assert b"image/png" in parts.read("[Content_Types].xml")


def test_a_place_is_that_of_the_authors_file_without_the_letterheads_text_above_it() -> None:
    word = docx.Document()
    word.add_paragraph("{{ child.preferred_name|date }}")
    word.add_table(1, 1).cell(0, 0).text = "{{ child.legal_name }}"
    for at, pep in (("text, paragraph 1", PEP), ("text, table 1, row 1, cell 1", {"child": {"legal_name": {}}})):
        made = Template(saved(word), name="letter.docx", letterhead=Letterhead(head(), "head.docx"))
        with pytest.raises(Refused, match=f"{at}: the tag"):
            made.fill(PEP | pep, {})


def test_the_version_names_template_and_letterhead() -> None:
    template, above = letter(), head()
    made = Template(template, name="letter.docx", letterhead=Letterhead(above, "head.docx"))
    assert made.version == f"sha256:{sha256(template)}, letterhead sha256:{sha256(above)}"


def test_a_letterhead_that_is_no_word_file_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"head\.docx is not a Word file"):
        Template(letter(), name="letter.docx", letterhead=Letterhead(b"junk", "head.docx"))


def test_every_form_of_ours_stands_under_the_letterhead() -> None:
    assert {form.letterhead for form in forms.catalogue().values()} == {folder("templates") / "letterhead.docx"}


PROFILE = (folder("schemas") / "profiles" / "example-shire.toml").read_text("utf-8")


def authority(tmp_path: Path, *changes: tuple[str, str], logo: bytes | None = None) -> str:
    text = PROFILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    shipped = folder("schemas") / "profiles" / "example-shire.png"
    (tmp_path / "example-shire.png").write_bytes(shipped.read_bytes() if logo is None else logo)
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    return str(tmp_path / "mine.toml")


def test_logo_colour_and_contact_of_the_profile_stand_in_every_form(tmp_path: Path) -> None:
    wiring = Wiring(settings.load({"PEPFORMS_PROFILE": authority(tmp_path), "PEPFORMS_HOME": str(tmp_path)}))
    for form in wiring.forms().values():
        pep, _ = pipeline.checked(SAMPLE.read_bytes(), form.stage, wiring.profile)
        audience = form.audiences[0]
        person = pipeline.readers(pep, form, audience, "mum" if audience == "parent" else None)[0]
        made = pipeline.render(pep, form, audience, "docx", wiring, person=person)
        with zipfile.ZipFile(io.BytesIO(made.data)) as parts:
            text = parts.read("word/document.xml").decode()
            assert "Invented House, 1 Example Street" in text
            assert 'descr="Example-shire"' in text
            assert "2E5E3E" in parts.read("word/styles.xml").decode()
            assert "1B3A5C" not in parts.read("word/styles.xml").decode()


@pytest.mark.parametrize("record", [True, False])
def test_the_first_page_bears_the_reference_but_where_a_record_is_stamped(record: bool, tmp_path: Path) -> None:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path)}))
    form, pep = wiring.form("pep"), json.loads(SAMPLE.read_bytes())
    filled = wiring.template(form).fill(pep, pipeline.told(pep, form, "authority", wiring.profile, record=record))
    (section,) = docx.Document(io.BytesIO(filled)).sections
    first, others = (foot.paragraphs[0].text for foot in (section.first_page_footer, section.footer))
    assert f"Reference {pep['pep']['id']}, version {pep['pep']['version']}" in others
    assert first.strip() == ("" if record else others)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('colour = "#2E5E3E"', 'colour = "#2E5E3"'), "letterhead.colour: write it as #1B3A5C"),
        (('colour = "#2E5E3E"', 'colour = "#FFEE00"'), "letterhead.colour: take a darker colour"),
        (('logo_says = "Example-shire"\n', ""), "letterhead.logo_says: say what the logo shows"),
        (('"example-shire.png"', '"nowhere.png"'), "letterhead.logo: this file cannot be read"),
        (('"example-shire.png"', '"mine.toml"'), "letterhead.logo: give a PNG or JPEG file of 1 MB at most"),
    ],
)
def test_a_letterhead_that_cannot_be_is_refused_by_its_key(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        profile.load(authority(tmp_path, change))


@pytest.mark.parametrize("change", ["no list of its parts", "pages measured in points"])
def test_a_template_as_other_programs_write_it_takes_the_letterhead_too(change: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(letter())) as package, zipfile.ZipFile(buffer, "w") as out:
        for name in package.namelist():
            data = package.read(name)
            if name == "word/_rels/document.xml.rels" and change.startswith("no list"):
                continue
            if name == "word/document.xml" and change.startswith("pages"):
                data = data.replace(b'w:w="12240" w:h="15840"', b'w:w="612.0pt" w:h="11in"')
            if name == "word/document.xml" and change.startswith("no list"):
                data = re.sub(rb"<w:(?:header|footer)Reference [^>]*/>", b"", data)
            out.writestr(name, data)
    word = filled(buffer.getvalue(), Letterhead(head(), "letterhead.docx"))
    assert "For Quill" in [one.text for one in word.paragraphs]
    assert word.sections[0].header.paragraphs[0].text == "For you."


def test_a_logo_that_cannot_be_drawn_is_the_profiles_own_fault(tmp_path: Path) -> None:
    whole = (folder("schemas") / "profiles" / "example-shire.png").read_bytes()
    with pytest.raises(Misconfigured, match=r"letterhead\.logo: this picture is damaged"):
        profile.load(authority(tmp_path, logo=whole[: len(whole) // 2]))
