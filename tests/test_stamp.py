"""Finishing a PDF for the archive: what it claims, what it says of itself, the stamp that people see."""

import io
from datetime import UTC, datetime

import docx
import pikepdf
import pypdfium2
import pytest
import rdocx
from PIL import Image
from pypdf import PdfReader

from pepforms.archive import lettering, stamp
from pepforms.archive.seal import Sealer, make_demonstration_key
from pepforms.archive.stamp import Embedded, Stamp, finish
from pepforms.errors import Refused

HEADING = "Signed off by the Virtual School on 19 November 2026 as the record of the meeting of 12 November 2026"
STAMP = Stamp(
    HEADING, ("Sasha Mockworth, Virtual School Officer", "PEP-2026-0042, version 2 · SHA-256 9f86d081884c7d65")
)
DATA = Embedded("pep.json", b'{"pep": 1}', "application/json", "The Personal Education Plan as data")
SIGNED_OFF_AT = datetime(2026, 11, 19, 15, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def converted() -> bytes:
    """A tagged PDF as the converter makes it, of two pages."""
    word = docx.Document()
    word.add_heading("Personal Education Plan", 1)
    for number in range(50):
        word.add_paragraph(f"Paragraph {number} of an invented plan.")
    buffer = io.BytesIO()
    word.save(buffer)
    return bytes(rdocx.Document.from_bytes(buffer.getvalue()).to_pdfa_deterministic("pdfa-3b"))


def first_page(pdf: bytes) -> Image.Image:
    """The first page as a person sees it, two pixels a point."""
    page: Image.Image = pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil()
    return page.convert("L")


def ink(page: Image.Image, left: float, bottom: float, right: float, top: float) -> int:
    """How many pixels are dark in a part of the page, given in points from its lower left corner."""
    part = page.crop((int(left * 2), page.height - int(top * 2), int(right * 2), page.height - int(bottom * 2)))
    return sum(part.histogram()[:128])


def ink_in_box(pdf: bytes) -> int:
    right, top = stamp.BOX_LEFT + stamp.BOX_WIDTH, stamp.BOX_BOTTOM + stamp.BOX_HEIGHT
    return ink(first_page(pdf), stamp.BOX_LEFT + 8, stamp.BOX_BOTTOM + 3, right - 3, top - 3)


def shown_in_stamp(pdf: bytes) -> list[tuple[str, bytes]]:
    """Each piece of text drawn in a font of the stamp: the tag of the content around it, and its glyph numbers."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        tags, font, shown = [], "", []
        for instruction in pikepdf.parse_content_stream(document.pages[0]):
            operands = instruction.operands
            match str(instruction.operator):
                case "BDC" | "BMC":
                    tags.append(str(operands[0]))
                case "EMC":
                    tags.pop()
                case "Tf":
                    font = str(operands[0])
                case "TJ" if font.startswith("/PepStamp"):
                    codes = b"".join(bytes(part) for part in operands[0] if isinstance(part, pikepdf.String))
                    shown.append((tags[-1], codes))
        return shown


def test_the_stamp_is_seen_at_the_foot_of_the_first_page_only(converted: bytes) -> None:
    stamped = finish(converted, title="PEP", stamp=STAMP)
    assert ink_in_box(finish(converted, title="PEP")) == 0
    assert ink_in_box(stamped) > 2000
    reader = PdfReader(io.BytesIO(stamped))
    assert HEADING in reader.pages[0].extract_text()
    assert HEADING not in reader.pages[1].extract_text()


def test_the_stamp_is_an_artifact_and_no_part_of_the_tagged_text(converted: bytes) -> None:
    shown = shown_in_stamp(finish(converted, title="PEP", stamp=STAMP))
    assert {tag for tag, _ in shown} == {"/Artifact"}


@pytest.mark.parametrize(
    "name", ["Łucja Żółć-Łódź", "ሳሻ ሞክዎርዝ", "עדי בדיקה", "سارة محمد", "Đại Nghĩa", "রিনা", "O’Brien ☑"]
)
def test_a_name_in_any_script_is_drawn_in_real_glyphs(converted: bytes, name: str) -> None:
    stamped = finish(converted, title="PEP", stamp=Stamp("Signed off", (name,)))
    numbers = b"".join(text for _, text in shown_in_stamp(stamped))
    glyphs = {numbers[place : place + 2] for place in range(0, len(numbers), 2)}
    assert b"\0\0" not in glyphs, "the empty box was drawn"
    assert ink_in_box(stamped) > ink_in_box(finish(converted, title="PEP", stamp=Stamp("Signed off", ())))


def test_right_to_left_words_stand_in_their_visual_order_and_numbers_in_their_own() -> None:
    said = "".join(
        letters for part in lettering._stretches("by עדי (12) בן, 2026", "regular") for _, letters in part.glyphs
    )
    assert said == "by ןב )12( ידע, 2026"  # each bracket is drawn as its mirror image
    parts = lettering._stretches("٢٠٢٦ ليلى", "regular")
    assert "".join(letters for part in parts for _, letters in part.glyphs) == "ىليل ٢٠٢٦"


@pytest.mark.parametrize(("name", "glyphs"), [("مح", 2), ("স্ত্রী", 3), ("ஸ்ரீ", 1), ("ਸਿੰ", 3)])
def test_letters_are_joined_and_syllables_stand_together(name: str, glyphs: int) -> None:
    """As many shapes as a reader of the script would count, not as many as there are letters."""
    (part,) = lettering._stretches(name, "regular")
    assert len(part.glyphs) == glyphs


def test_a_character_that_nothing_can_draw_is_refused_by_its_number(converted: bytes) -> None:
    with pytest.raises(Refused, match=r"U\+13000") as refused:
        finish(converted, title="PEP", stamp=Stamp("Signed off", ("\U00013000",)))
    assert refused.value.slug == "undrawable-character"


@pytest.mark.parametrize(
    "long",
    [
        Stamp(HEADING, ("A" * 300, "PEP-2026-0042")),
        Stamp(HEADING, tuple("Sasha Mockworth-Testington, Virtual School Officer; " * 4 for _ in range(6))),
        Stamp(HEADING * 4, ()),
    ],
    ids=["one endless word", "many signers", "long heading"],
)
def test_long_text_stays_inside_the_box(converted: bytes, long: Stamp) -> None:
    page = first_page(finish(converted, title="PEP", stamp=long))
    right, top = stamp.BOX_LEFT + stamp.BOX_WIDTH, stamp.BOX_BOTTOM + stamp.BOX_HEIGHT
    assert ink(page, 0, 0, 612, stamp.BOX_BOTTOM - 1) == 0
    assert ink(page, right + 1, 0, 612, top + 1) == 0
    assert ink(page, stamp.BOX_LEFT, stamp.BOX_BOTTOM, right, top) > 2000


def test_the_reference_stays_even_with_more_signers_than_fit(converted: bytes) -> None:
    crowd = Stamp(HEADING, (*("Sasha Mockworth, Virtual School Officer; " * 5 for _ in range(9)), "PEP-2026-0042"))
    text = PdfReader(io.BytesIO(finish(converted, title="PEP", stamp=crowd))).pages[0].extract_text()
    assert HEADING in text
    assert "PEP-2026-0042" in text
    assert "…" in text


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_stamp_stands_upright_at_the_foot_of_a_turned_page(turn: int) -> None:
    blank = pikepdf.new()
    blank.add_blank_page(page_size=(842, 842)).rotate(turn, relative=False)
    buffer = io.BytesIO()
    blank.save(buffer)
    assert ink_in_box(finish(buffer.getvalue(), title="PEP", stamp=STAMP)) == ink_in_box(
        finish(_blank(), title="PEP", stamp=STAMP)
    )


def _blank() -> bytes:
    blank, buffer = pikepdf.new(), io.BytesIO()
    blank.add_blank_page(page_size=(842, 842))
    blank.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("at", [SIGNED_OFF_AT, None])
def test_the_same_input_gives_the_same_bytes(converted: bytes, at: datetime | None) -> None:
    once = finish(converted, title="PEP", stamp=STAMP, embedded=DATA, at=at)
    assert finish(converted, title="PEP", stamp=STAMP, embedded=DATA, at=at) == once


def test_title_subject_and_time_agree_in_both_places_that_hold_them(converted: bytes) -> None:
    finished = finish(converted, title="PEP of <Quill> & Co\x01", subject="Autumn 2026", at=SIGNED_OFF_AT)
    reader = PdfReader(io.BytesIO(finished))
    xmp, information = reader.xmp_metadata, reader.metadata
    assert xmp
    assert information
    assert xmp.dc_title == {"x-default": information.title} == {"x-default": "PEP of <Quill> & Co "}
    assert xmp.dc_description == {"x-default": information.subject} == {"x-default": "Autumn 2026"}
    assert xmp.xmp_create_date is not None
    assert xmp.xmp_create_date.replace(tzinfo=UTC) == information.creation_date == SIGNED_OFF_AT
    assert information.producer == xmp.pdf_producer
    assert str(information.producer).startswith("pepforms ")


def test_what_readers_with_assistive_technology_need_is_set(converted: bytes) -> None:
    with pikepdf.open(io.BytesIO(finish(converted, title="PEP"))) as document:
        root = document.Root
        assert str(root.Lang) == "en-GB"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert dict(root.MarkInfo) == {"/Marked": True}
        assert [str(page.obj.Tabs) for page in document.pages] == ["/S", "/S"]


def test_embedded_data_comes_out_as_it_went_in_and_says_what_it_is(converted: bytes) -> None:
    reader = PdfReader(io.BytesIO(finish(converted, title="PEP", embedded=DATA, at=SIGNED_OFF_AT)))
    (entry,) = reader.attachment_list
    assert (entry.name, entry.content, entry.subtype) == ("pep.json", DATA.data, "/application/json")
    assert (entry.associated_file_relationship, entry.description) == ("/Data", DATA.description)
    assert entry.modification_date == SIGNED_OFF_AT


def test_a_pdf_made_elsewhere_is_stamped_but_claims_no_standard() -> None:
    finished = finish(_blank(), title="PEP", stamp=STAMP, embedded=DATA)
    assert b"pdfaid:part" not in finished
    assert ink_in_box(finished) > 2000


def test_what_cannot_be_finished_is_refused_with_the_reason(
    converted: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = tmp_path_factory.mktemp("key") / "seal.p12"
    make_demonstration_key(key, b"open sesame")
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(converted)) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="o", user=""))
    cases = {
        "unreadable-pdf": b"PK\x03\x04 no PDF",
        "encrypted-pdf": locked.getvalue(),
        "already-sealed": Sealer.load(key, b"open sesame").seal(finish(converted, title="PEP")),
    }
    for slug, pdf in cases.items():
        with pytest.raises(Refused) as refused:
            finish(pdf, title="PEP")
        assert refused.value.slug == slug
