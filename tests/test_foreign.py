"""PDFs of other programs: what is in them, PDF/A where nothing is lost, a stamp that hides nothing, what is refused."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from pepforms.archive import foreign, metadata
from pepforms.archive.foreign import Place, parts
from pepforms.archive.pdfa import Judge
from pepforms.archive.stamp import BOX_BOTTOM, BOX_HEIGHT, Stamp
from pepforms.errors import Refused

MARK = Stamp(
    "Signed off in eGov ePEP by Sasha Mockworth, Virtual School Officer, on 11 November 2026",
    (
        "Record of the meeting of 4 November 2026, autumn term 2026/27 · filed by Mock Virtual School",
        "PEP abc, version 1",
    ),
)
ABOUT = metadata.About("Personal Education Plan", "", "", None, None)


@pytest.fixture(scope="module")
def plan(elsewhere: ModuleType) -> bytes:
    """Three pages as an old ePEP exports them, the foot of the first one free."""
    made: bytes = elsewhere.old_epep(elsewhere.lines(elsewhere.children(1)[0]))
    return made


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], Any], **saving: Any) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        document.save(buffer, **saving)
    return buffer.getvalue()


def finished(pdf: bytes, about: metadata.About = ABOUT) -> tuple[bytes, Place]:
    """The PDF as it will be sealed; what can be seen is as it was, on every page."""
    clean = foreign.cleaned(pdf)
    place = foreign.room(clean)
    made = foreign.finished(clean, MARK, place, about)
    assert foreign.changed(pdf, made, place, 0, 100) == []
    return made, place


def stamp_ink(elsewhere: ModuleType, pdf: bytes, place: Place) -> int:
    """How many pixels of the stamp's own blue are on the first page, where the stamp should stand."""
    picture = elsewhere.picture(pdf, scale=2)
    box = (place.x, place.y, place.x + 481 * place.scale, place.y + BOX_HEIGHT * place.scale)
    left, bottom, right, top = (round(2 * edge) for edge in box)
    part = picture.crop((left - 1, picture.height - top - 1, right + 1, picture.height - bottom + 1))
    raw = part.tobytes()
    pixels = zip(raw[::3], raw[1::3], raw[2::3], strict=True)
    return sum(1 for red, green, blue in pixels if red < 60 and green < 90 and 60 < blue < 130)


# --- where the stamp stands ------------------------------------------------------------------------------------------


def test_the_stamp_stands_at_the_foot_where_the_page_is_blank(elsewhere: ModuleType, plan: bytes) -> None:
    made, place = finished(plan)
    assert place == Place(57.0, BOX_BOTTOM, 1.0)
    assert stamp_ink(elsewhere, made, place) > 700


def test_a_page_without_room_gets_a_margin_at_its_foot_and_nothing_is_hidden(
    elsewhere: ModuleType, plan: bytes
) -> None:
    full = elsewhere.old_epep(elsewhere.lines(elsewhere.children(1)[0]), foot=True)
    made, place = finished(full)
    assert place.added
    assert stamp_ink(elsewhere, made, place) > 700
    with pikepdf.open(io.BytesIO(made)) as document:
        assert [float(edge) for edge in document.pages[0].cropbox] == pytest.approx([0, -place.added, 595, 842])
        assert [float(edge) for edge in document.pages[1].mediabox] == [0, 0, 595, 842]


def turned(angle: int) -> Callable[[pikepdf.Pdf], None]:
    def turn(document: pikepdf.Pdf) -> None:
        del document.pages[0].obj["/MediaBox"]
        document.pages[0].obj.Parent.MediaBox = Array([595, 842, 0, 0])  # inherited, the corners the other way round
        document.pages[0].obj.Parent.Rotate = angle

    return turn


def cropped(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.CropBox = Array([40, 60, 560, 800])


def shrunk(document: pikepdf.Pdf) -> None:
    for page in document.pages:
        page.obj.MediaBox = Array([0, 0, 420, 595])


def enlarged(document: pikepdf.Pdf) -> None:
    for page in document.pages:
        page.obj.UserUnit = 2


def unbalanced(document: pikepdf.Pdf) -> None:
    page = document.pages[0]
    page.contents_add(document.make_stream(b"Q Q q 0.5 0 0 0.5 300 300 cm q"))


def shaded(document: pikepdf.Pdf) -> None:
    document.pages[0].contents_add(document.make_stream(b"q 0.4 g 0 0 595 842 re f Q"), prepend=True)


CASES = [turned(0), turned(90), turned(180), turned(270), cropped, shrunk, enlarged, unbalanced, shaded]


@pytest.mark.parametrize("full", [False, True], ids=["with room", "without room"])
@pytest.mark.parametrize("change", CASES, ids=["upright", "90", "180", "270", *(one.__name__ for one in CASES[4:])])
def test_whatever_the_page_the_stamp_is_seen_whole_and_hides_nothing(
    elsewhere: ModuleType, change: Callable[[pikepdf.Pdf], None], full: bool
) -> None:
    pdf = changed(elsewhere.old_epep(elsewhere.lines(elsewhere.children(1)[0]), foot=full), change)
    made, place = finished(pdf)
    assert stamp_ink(elsewhere, made, place) > 350


def test_what_was_cropped_away_stays_cropped_away_under_an_added_margin(elsewhere: ModuleType) -> None:
    pdf = changed(elsewhere.old_epep(elsewhere.lines(elsewhere.children(1)[0]), foot=True), cropped)
    made, place = finished(pdf)
    picture = elsewhere.picture(made)
    margin = picture.crop((0, picture.height - 8, picture.width, picture.height))
    assert place.added
    assert margin.convert("L").getextrema() == (255, 255)


def test_a_page_too_small_for_a_stamp_is_refused(plan: bytes) -> None:
    def tiny(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.MediaBox = Array([0, 0, 90, 90])

    with pytest.raises(Refused, match="too small"):
        foreign.room(changed(plan, tiny))


# --- the standard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["2a", "ua1"])
def test_a_tagged_pdf_with_its_fonts_passes_the_highest_level(elsewhere: ModuleType, judge: Judge, level: str) -> None:
    pdf = elsewhere.word_like(elsewhere.lines(elsewhere.children(1)[0]))
    made, _ = finished(pdf, metadata.About("Personal Education Plan", "", "en-GB", None, 2, "A", pdfua=True))
    assert judge.judge(made, level).conforms


def test_the_same_pdf_gives_the_same_bytes(plan: bytes) -> None:
    assert finished(plan) == finished(plan)


def test_the_childs_name_leaves_the_properties(plan: bytes) -> None:
    assert b"Quill" in plan
    made, _ = finished(plan)
    with pikepdf.open(io.BytesIO(made)) as document:
        assert str(document.docinfo["/Title"]) == "Personal Education Plan"
        assert set(document.docinfo.keys()) == {"/Title", "/Producer", "/Creator"}
        assert b"Quill" not in document.Root.Metadata.read_bytes()


# --- what is in it ---------------------------------------------------------------------------------------------------


def with_a_form(pdf: bytes, *, drawn: bool) -> bytes:
    """A filled form: its value lies in a field, drawn by the file itself or left to the program that shows it."""

    def change(document: pikepdf.Pdf) -> None:
        font = document.pages[0].obj.Resources.Font.F1
        field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("child"), F=4,
                           V=String("Quill Mockworth"), DA=String("/F1 12 Tf 0 g"),
                           Rect=Array([60, 90, 400, 120]))  # fmt: skip
        if drawn:
            box = Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 340, 30]),
                             Resources=Dictionary(Font=Dictionary(F1=font)))  # fmt: skip
            field.AP = Dictionary(N=document.make_stream(b"BT /F1 12 Tf 4 9 Td (Quill Mockworth) Tj ET", box))
        field = document.make_indirect(field)
        document.pages[0].obj.Annots = Array([field])
        document.Root.AcroForm = Dictionary(Fields=Array([field]), DR=Dictionary(Font=Dictionary(F1=font)),
                                            DA=String("/F1 12 Tf 0 g"), NeedAppearances=not drawn)  # fmt: skip

    return changed(pdf, change)


@pytest.mark.parametrize("drawn", [True, False])
def test_a_filled_form_keeps_its_values_as_content_of_the_page(plan: bytes, drawn: bool) -> None:
    clean = foreign.cleaned(with_a_form(plan, drawn=drawn))
    assert foreign.text(clean, 0, 1)[0].seen.count("Quill Mockworth") == 2
    with pikepdf.open(io.BytesIO(clean)) as document:
        assert "/AcroForm" not in document.Root
        assert not list(document.pages[0].obj.get("/Annots", []))


def test_a_form_that_the_file_draws_itself_looks_as_it_did(plan: bytes) -> None:
    finished(with_a_form(plan, drawn=True))


def test_scripts_and_launched_programs_go_and_nothing_seen_changes(plan: bytes) -> None:
    def armed(document: pikepdf.Pdf) -> None:
        script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        document.Root.OpenAction = script
        document.Root.AA = Dictionary(WC=script)
        document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))
        page = document.pages[0].obj
        page.AA = Dictionary(O=script)
        launch = Dictionary(S=Name.Launch, F=String("calc.exe"))
        page.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=launch)])

    made, _ = finished(changed(plan, armed))
    with pikepdf.open(io.BytesIO(made)) as document:
        text = b"".join(one.unparse(resolved=True) for one in document.objects if not isinstance(one, pikepdf.Stream))
    assert not any(word in text for word in (b"JavaScript", b"alert", b"Launch", b"calc"))


def test_text_that_nobody_sees_is_told_apart(plan: bytes) -> None:
    def hidden(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        page.contents_add(document.make_stream(b"q BT /F1 12 Tf 3 Tr 50 60 Td (Invisible Mock) Tj ET Q"))
        page.contents_add(document.make_stream(b"q BT /F1 12 Tf 50 -60 Td (Outside Mock) Tj ET Q"))
        note = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=Array([0, 0, 9, 9]), Contents=String("Note Mock"))
        page.obj.Annots = Array([note])

    pdf = changed(plan, hidden)
    page = foreign.text(pdf, 0, 1)[0]
    assert "Quill" in page.seen
    assert "Mock " not in page.seen.replace("Mock Academy", "")
    assert "Invisible Mock" in page.unseen
    assert "Outside Mock" in page.unseen
    assert "Note Mock" in foreign.notes(pdf)


def test_a_scan_is_a_picture_with_or_without_recognised_text(elsewhere: ModuleType, plan: bytes) -> None:
    scan = elsewhere.scan(plan)
    assert [(page.seen.strip(), page.picture) for page in foreign.text(scan, 0, 9)] == [("", True)] * 3

    def recognised(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        page.obj.Resources.Font = Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        page.contents_add(document.make_stream(b"BT 3 Tr /F1 12 Tf 50 60 Td (Quill Mockworth) Tj ET"))

    page = foreign.text(changed(scan, recognised), 0, 1)[0]
    assert page.picture
    assert not page.seen.strip()
    assert "Quill Mockworth" in page.unseen


def test_an_empty_page_is_no_picture(plan: bytes) -> None:
    def with_an_empty_page(document: pikepdf.Pdf) -> None:
        document.add_blank_page()

    assert not foreign.text(changed(plan, with_an_empty_page), 3, 4)[0].picture


def test_attachments_and_hidden_layers_are_counted(plan: bytes) -> None:
    def loaded(document: pikepdf.Pdf) -> None:
        document.attachments["other.txt"] = b"another child"
        layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("notes")))
        document.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
        pinned = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 9, 9]))
        document.pages[0].obj.Annots = Array([pinned])

    contents = foreign.contents(changed(plan, loaded))
    assert (contents.attachments, contents.hidden_layers) == (2, True)
    assert foreign.contents(plan) == foreign.Contents(pages=3)


# --- refused by name -------------------------------------------------------------------------------------------------


def as_xfa(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), XFA=document.make_stream(b"<xdp/>"))


def as_portfolio(document: pikepdf.Pdf) -> None:
    document.Root.Collection = Dictionary(Type=Name.Collection)


def encrypted(pdf: bytes, user: str) -> bytes:
    return changed(pdf, lambda _: None, encryption=pikepdf.Encryption(owner="owner", user=user, R=6))


@pytest.mark.parametrize(
    ("spoil", "slug"),
    [
        (lambda pdf: changed(pdf, as_xfa), "xfa-form"),
        (lambda pdf: changed(pdf, as_portfolio), "portfolio"),
        (lambda pdf: encrypted(pdf, "secret"), "encrypted-pdf"),
        (lambda pdf: encrypted(pdf, ""), "encrypted-pdf"),
        (lambda pdf: pdf[:200], "unreadable-pdf"),
        (lambda _: b"no PDF at all", "unreadable-pdf"),
    ],
    ids=["xfa", "portfolio", "encrypted", "protected", "cut", "no PDF"],
)
def test_what_can_be_no_record_is_refused_by_name(plan: bytes, spoil: Callable[[bytes], bytes], slug: str) -> None:
    with pytest.raises(Refused) as refused:
        foreign.contents(spoil(plan))
    assert refused.value.slug == slug


def test_a_broken_cross_reference_table_is_mended_and_every_page_is_there(plan: bytes) -> None:
    broken = plan.replace(b"startxref\n", b"startxref\n9")
    assert broken != plan
    assert foreign.contents(broken).pages == 3
    finished(broken)


def test_a_damaged_pdf_is_refused_or_loses_nothing_that_could_be_seen(plan: bytes) -> None:
    chance, outcomes = random.Random(7), set()
    for _ in range(60):
        damaged = bytearray(plan)
        for _ in range(chance.choice((1, 3, 20))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        pdf = bytes(damaged)
        try:
            clean = foreign.tried(foreign.cleaned, pdf)
            place = foreign.tried(foreign.room, clean)
            made = foreign.tried(foreign.finished, clean, MARK, place, ABOUT)
            outcomes.add("changed" if foreign.tried(foreign.changed, pdf, made, place, 0, 9) else "whole")
        except Refused as refused:
            outcomes.add(refused.slug)
    assert {"whole", "unreadable-pdf"} <= outcomes <= {"whole", "changed", "unreadable-pdf", "encrypted-pdf"}


def test_a_page_that_looks_otherwise_is_seen(plan: bytes) -> None:
    def blotted(document: pikepdf.Pdf) -> None:
        document.pages[1].contents_add(document.make_stream(b"1 g 40 700 500 30 re f"))

    made, place = finished(plan)
    assert foreign.changed(plan, changed(made, blotted), place, 0, 9) == [2]


def test_the_colour_profile_is_the_same_every_day(tmp_path: Path) -> None:
    assert parts.srgb()[24:36] == bytes.fromhex("07e600010001000000000000")
