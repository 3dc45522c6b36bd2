"""Every character is drawn: what the PDF shows is read glyph by glyph, and none is the empty box."""

import io
import re
import time
import unicodedata
from collections.abc import Iterator
from typing import Any

import docx
import pikepdf
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from pepforms import fonts
from pepforms.convert.rdocx import start
from pepforms.fill import Template
from pepforms.text import pdf as pdf_text

PEP: dict[str, Any] = {"pep": {"id": "PEP-1", "version": 1}, "child": {}}

BASE = [chr(code) for code in range(0x20, 0x3000) if re.match(f"[{fonts.BASE}]", chr(code))]


CONVERT = start()


def converted(word: bytes) -> bytes:
    pdf: bytes = CONVERT(word)
    return pdf


def shown(pdf: bytes) -> Iterator[tuple[str, int]]:
    """Font and glyph of everything that the PDF shows."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            font = ""
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    font = str(page.obj.Resources.Font[str(operands[0])].BaseFont)
                for part in operands[0] if str(operator) == "TJ" else operands if str(operator) == "Tj" else ():
                    codes = bytes(part) if isinstance(part, pikepdf.String) else b""
                    yield from ((font, int.from_bytes(codes[at : at + 2])) for at in range(0, len(codes), 2))


def boxes(pdf: bytes) -> int:
    """How often glyph 0, the empty box, is shown."""
    return sum(page.boxes for page in pdf_text.read(pdf).pages)


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def template(font: str) -> Template:
    """Prints the notes in a header, in the text, in bold, in the midst of other words, and in a cell."""
    word = docx.Document()
    word.styles["Normal"].font.name = font
    word.sections[0].header.paragraphs[0].text = "{{ meeting.notes }}"
    word.add_paragraph("{{ meeting.notes }}")
    word.add_paragraph().add_run("Notes: {{ meeting.notes }} (end)").bold = True
    word.add_table(1, 1).cell(0, 0).text = "{{ meeting.notes }}"
    return Template(saved(word), name=f"{font}.docx")


TEMPLATES = {font: template(font) for font in ("Arial", "Calibri", "Cambria")}


def filled(text: str, font: str = "Arial") -> bytes:
    return TEMPLATES[font].fill({**PEP, "meeting": {"notes": text}}, {})


@pytest.mark.parametrize(
    "font",
    ["Arial", "Calibri", "Times New Roman", "Cambria", "Courier New", "Verdana", "Georgia", "Segoe UI", "Unheard Of"],
)
def test_every_character_of_base_is_drawn_by_the_fonts_that_templates_name(font: str) -> None:
    """Each stands between letters in a run of its own: none may send its run to another font."""
    word = docx.Document()
    for bold, italic in ((False, False), (True, False), (False, True), (True, True)):
        for text in BASE:
            run = word.add_paragraph().add_run(f"a{text}b")
            run.bold, run.italic = bold, italic
            named = run._r.get_or_add_rPr().get_or_add_rFonts()
            for script in ("ascii", "hAnsi", "cs", "eastAsia"):
                named.set(qn(f"w:{script}"), font)
    pdf = converted(saved(word))
    assert boxes(pdf) == 0
    if font != "Segoe UI":  # whose twin lacks ≤ and its like: another font draws them, and all that is around them
        assert len({used for used, _ in shown(pdf)}) == 4


@pytest.mark.parametrize("font", TEMPLATES)
@pytest.mark.parametrize(
    "text",
    [
        "Siân Ŵyn-Ffŷdd, Seán Ó Súilleabháin, Zoë, Łukasz, Źdźbło, Şükrü, Ğ, Đorđe, Žiga, Ħal, Ĳ, Ĉu, kʼa, nº 1ª",
        "★★★★★ ☐ No ☑ Yes ✓ ✗ ☒ → ≥ ½ ⅓ № ♥ 😀",
        "🇬🇧 👨‍👩‍👧‍👦 👍🏽 3️⃣ #️⃣ ❤️ ☹️ 🏴󠁧󠁢󠁷󠁬󠁳󠁿 🧑🏿‍🦽 ok",
        "اسمي ليلى، عمري ١٢ سنة (Layla) ولدي أخ.",
        "שלום, שמי דוד (David) ואני בן 12.",
        "ሳሻ ሞክዎርዝ፣ ዕድሜዬ 12 ነው።",
        "Γειά σου Κόσμε· Привет, Олександр Їжак",
        "Nguyễn Thị Phương Thảo; Đặng Hữu Phước",
        "আমার নাম রহিম। ਮੇਰਾ ਨਾਮ ਗੁਰਪ੍ਰੀਤ ਹੈ। என் பெயர் தமிழ்",
        "a\ufe0f letter with an emoji’s selector 😀, and a \ufe0f 😀",
        "combining: e\u0301 a\u0308 o\u0302\u0323 x\u0304 \u0301 ŵ́",
        "co\u00adoperate, no\u00a0break, zero\u200bwidth, می\u200cخواهم, \u2066iso\u2069, \ufeffbom, word\u2060joiner",
        "Łódź — “Good” ሰላም 😀 مرحبا ☑ done\n☐ next\tline",
    ],
    ids=lambda text: text.split()[0],
)
def test_every_character_is_drawn(text: str, font: str) -> None:
    assert fonts.undrawable(text) == ""
    assert boxes(converted(filled(text, font))) == 0


def test_every_character_that_our_faces_claim_is_drawn() -> None:
    """The 40,000 of them, a sample of every block each time."""
    claimed = sorted(set().union(*(fonts._characters(face.regular) for face in fonts.FACES)))
    held = [text for text in claimed if unicodedata.category(text) not in ("Cc", "Cs", "Cn")]
    assert boxes(converted(filled("\n".join(f"a{text}b" for text in held[::40])))) == 0


def test_bold_faces_draw_what_regular_ones_do() -> None:
    for face in fonts.FACES:
        if face.bold:
            assert fonts._characters(face.bold) >= fonts._characters(face.regular)


def test_what_shows_as_a_box_in_a_file_of_one_font_is_found_by_this_test_too() -> None:
    word = docx.Document()
    word.add_paragraph("\U0001f600 and \u4eba")
    assert boxes(converted(saved(word))) > 0


def test_the_words_of_the_template_itself_are_drawn_where_nothing_is_filled_in() -> None:
    word = docx.Document()
    word.sections[0].footer.paragraphs[0].text = "☑ ሰላም 😀"
    word.add_paragraph("{{ meeting.notes }} ☐ ሰላም")
    made = Template(saved(word), name="signs.docx").fill({**PEP, "meeting": {"notes": "x"}}, {})
    assert boxes(converted(made)) == 0


def test_names_what_no_font_draws_each_once() -> None:
    assert fonts.undrawable("Plain, Łódź, 👨‍👩‍👧 and ☑") == ""
    assert fonts.undrawable("한 and 글 and 한, but 人口") == "한글"
    assert fonts.undrawable("\U0010fffd\u3164") == "\U0010fffd\u3164"


@given(st.text(alphabet=st.characters(codec=None)))
def test_naming_what_no_font_draws_never_fails(text: str) -> None:
    missing = fonts.undrawable(text)
    assert len(set(missing)) == len(missing)
    assert set(missing) <= set(text)


@given(st.text(alphabet=st.characters(codec=None)))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    pieces = list(fonts.pieces(text))
    assert "".join(piece for piece, _ in pieces) == text
    for piece, face in pieces:
        assert (fonts.BEYOND_BASE.search(piece) is None) if face is None and not fonts.undrawable(piece) else True


def test_plain_text_costs_next_to_nothing() -> None:
    text = "A target that is specific, measurable and Łukasz’s own. " * 1000
    begun = time.perf_counter()
    for _ in range(20):
        fonts.undrawable(text)
    assert (time.perf_counter() - begun) / 20 < 0.01


@settings(max_examples=15)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=200))
def test_no_text_that_the_check_lets_through_shows_a_box(text: str) -> None:
    drawable = "".join(set(text) - set(fonts.undrawable(text)))
    assert boxes(converted(filled(drawable))) == 0


def test_a_letter_is_never_parted_from_its_marks() -> None:
    assert [piece for piece, _ in fonts.pieces("1x\u03042")] == ["1", "x\u03042"]
    family = "👨‍👩‍👧‍👦"
    assert [piece for piece, _ in fonts.pieces(f"we {family}!")] == ["we ", family, "!"]


def test_a_word_is_drawn_in_one_font_where_one_can() -> None:
    assert [piece for piece, _ in fonts.pieces("Hữu Phước Smith, Ștefan")] == ["Hữu Phước ", "Smith, ", "Ștefan"]


@pytest.mark.parametrize(
    ("text", "own_font"),
    [
        ("عمري ١٢ سنة (Layla) ولدي أخ.", [" (Layla) "]),
        ("סוף 12 (Layla)!", [" (Layla)!"]),
        ("He said شكرا. Twice (שלום).", ["He said ", ". Twice (", ")."]),
        ("שלום, אני בן 12.", []),
    ],
)
def test_brackets_and_stops_go_with_the_script_they_belong_to(text: str, own_font: list[str]) -> None:
    """A bracket marked as right-to-left beside Latin is drawn the wrong way round."""
    assert [piece for piece, face in fonts.pieces(text) if face is None] == own_font


def test_cutting_takes_time_in_proportion_to_the_text() -> None:
    begun = time.perf_counter()
    assert "".join(piece for piece, _ in fonts.pieces("ا" + "." * 50_000 + "a")) == "ا" + "." * 50_000 + "a"
    assert time.perf_counter() - begun < 1
