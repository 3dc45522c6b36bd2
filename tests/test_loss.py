"""Nothing lost: no good document is stopped, and whatever is taken from a PDF, or put in, is found."""

import functools
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docx
import pikepdf
import pytest
import rdocx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from pepforms import fonts, forms, loss, pipeline, profile, schema
from pepforms.archive import stamp
from pepforms.convert.rdocx import start
from pepforms.errors import Broken
from pepforms.fill import Template, words
from pepforms.resources import folder
from pepforms.text import pdf as pdf_text

SAMPLES = sorted((folder("samples") / "valid").glob("*.json"))
CONVERT = start()
LOST = "was made, but the PDF does not show just what the Word file says: "


@dataclass(frozen=True)
class Made:
    pep: dict[str, Any]
    word: bytes
    pdf: bytes

    def losses(self, *, word: bytes | None = None, pdf: bytes | None = None) -> str:
        """What the check says of the two; nothing where it lets them pass."""
        try:
            loss.check(
                word or self.word,
                pdf or self.pdf,
                about="plan",
                facts=lambda: words.facts(self.pep, schema.load().root),
            )
        except Broken as broken:
            return f"{broken.slug}: {broken}"
        return ""


def converted(word: bytes) -> bytes:
    return stamp.finish(CONVERT(word), title="Plan")


@functools.cache
def sample(name: str) -> Made:
    form = forms.named("pep")
    pep = json.loads((folder("samples") / "valid" / f"{name}.json").read_text())
    told = pipeline.told(pep, form, "authority", profile.load("hillingdon"))
    word = Template(form.template.read_bytes(), name="pep.docx").fill(pep, told)
    return Made(pep, word, converted(word))


def samples() -> list[Made]:
    return [sample(path.stem) for path in SAMPLES]


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


@functools.cache
def notes() -> Template:
    """Prints the notes in a header, in the text, in the midst of a line, and in a table."""
    word = docx.Document()
    word.styles["Normal"].font.name = "Arial"
    word.sections[0].header.paragraphs[0].text = "Notes {{ pep.id }}"
    word.add_paragraph("{{ meeting.notes }}")
    word.add_paragraph().add_run("Notes: {{ meeting.notes }} (end)").bold = True
    word.add_table(1, 2).cell(0, 1).text = "{{ meeting.notes }}"
    return Template(saved(word), name="notes.docx")


def noted(text: str) -> Made:
    pep = {"pep": {"id": "PEP-1", "version": 1}, "child": {}, "meeting": {"notes": text}}
    word = notes().fill(pep, {})
    return Made(pep, word, converted(word))


# --- no false alarm --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_every_sample_passes(name: str) -> None:
    assert sample(name).losses() == ""


@settings(max_examples=40)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=150))
def test_any_text_that_the_check_lets_through_passes(text: str) -> None:
    drawable = "".join(character for character in text if not fonts.undrawable(character))
    assert noted(drawable).losses() == ""


@settings(max_examples=40)
@given(
    st.lists(
        st.text("abcABC ÄÖŵŷłșé.,:;!?()-–’“”0123456789£%/@&<>\n\t😀☑ሳליلاа人", max_size=200), min_size=1, max_size=6
    )
)
def test_any_mixture_of_what_people_write_passes(lines: list[str]) -> None:
    assert noted("\n".join(lines)).losses() == ""


def test_tables_over_pages_lists_breaks_capitals_and_long_words_pass() -> None:
    word = docx.Document()
    word.styles["Normal"].font.name = "Arial"
    word.sections[0].footer.paragraphs[0].text = "Plan"
    for style in ("List Bullet", "List Number", "List Number", "List Number 2", "List Bullet"):
        word.add_paragraph("entry", style=style)
    run = word.add_paragraph("co\u00adoperate").add_run("office small")
    run.font.all_caps = True
    run.add_break()
    word.add_paragraph("Averylongwordwithoutanyplacetobreak" * 9)
    word.add_paragraph("well-known follow-up " * 60)
    word.add_paragraph().add_run("hidden").font.hidden = True
    table = word.add_table(50, 2)
    table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    for number, row in enumerate(table.rows):
        row.cells[0].text, row.cells[1].text = f"Row {number}", "reads every day " * (number % 7 * 5)
    data = saved(word)
    assert Made({}, data, converted(data)).losses() == ""


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("lowerLetter", "b. c. d."),
        ("upperRoman", "II. III. IV."),
        ("decimal", "2. 3. 4."),
        ("none", ""),
        ("bullet", "• • •"),
    ],
)
def test_the_labels_of_lists_are_drawn_as_word_counts_them(kind: str, labels: str) -> None:
    word = docx.Document()
    shape = "•" if kind == "bullet" else "%1."
    numbering = word.part.numbering_part.element
    level = f'<w:lvl w:ilvl="0"><w:start w:val="2"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{shape}"/></w:lvl>'
    numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{level}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    for _ in range(3):
        properties = word.add_paragraph("entry")._p.get_or_add_pPr()
        properties.append(parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="0"/><w:numId w:val="90"/></w:numPr>'))
    made = Made({}, saved(word), converted(saved(word)))
    assert made.losses() == ""
    said = " ".join("".join(pdf_text.read(made.pdf).pages[0].said).split())
    assert said == " ".join(f"{label} entry" for label in labels.split()) or (said, labels) == ("entry entry entry", "")


# --- whatever is lost is found ---------------------------------------------------------------------------------------


@functools.cache
def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


@functools.cache
def operators(pdf: bytes, page: int) -> tuple[list[Any], list[int]]:
    """The operators of a page, and the places of those that draw something to be seen."""
    shown = opened(pdf).pages[page]
    instructions = list(pikepdf.parse_content_stream(shown))
    known: dict[str, pdf_text._Font] = {}
    font = None
    seen = []
    for place, (operands, operator) in enumerate(instructions):
        if str(operator) == "Tf":
            name = str(operands[0])
            font = known.get(name) or known.setdefault(name, pdf_text._Font(shown.obj.Resources.Font[name]))
        elif str(operator) in ("Tj", "TJ"):
            assert font
            parts = operands[0] if str(operator) == "TJ" else operands
            codes = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
            if any(font._glyph(number) for number in font._numbers(codes)):
                seen.append(place)
    return instructions, seen


def changed(pdf: bytes, change: Callable[[list[Any], int], None], page: int, place: int) -> bytes:
    """The PDF with one of a page's text operators changed."""
    instructions = list(operators(pdf, page)[0])
    change(instructions, place)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.pages[page].Contents = document.make_stream(pikepdf.unparse_content_stream(instructions))
        buffer = io.BytesIO()
        document.save(buffer, compress_streams=False)
        return buffer.getvalue()


def deleted(instructions: list[Any], place: int) -> None:
    del instructions[place]


def doubled(instructions: list[Any], place: int) -> None:
    instructions.insert(place, instructions[place])


def a_box(instructions: list[Any], place: int) -> None:
    instructions[place] = ([pikepdf.String(b"\0\0")], pikepdf.Operator("Tj"))


@pytest.mark.parametrize(
    ("change", "times"), [(deleted, 40), pytest.param(deleted, 200, marks=pytest.mark.slow), (doubled, 10), (a_box, 10)]
)
def test_each_of_many_random_changes_to_what_is_drawn_is_found(change: Callable[..., None], times: int) -> None:
    """Headers, footers and heading rows drawn again are among them, and letters that only their span speaks for."""
    chance = random.Random(20261119)
    pages = [(made.pdf, chance.randrange(len(opened(made.pdf).pages))) for made in samples() for _ in range(2)]
    for number in range(times):
        pdf, page = pages[number % len(pages)]
        made = next(made for made in samples() if made.pdf is pdf)
        place = chance.choice(operators(pdf, page)[1])
        assert made.losses(pdf=changed(pdf, change, page, place)), f"change {number}, page {page}, operator {place}"


@pytest.mark.parametrize(
    "text", ["اسمي ليلى (Layla)، عمري ١٢ سنة.", "שלום, שמי דוד (David) בְּרֵאשִׁית", "x\u0304 12 ☑ স্ত্রী 😀"]
)
def test_each_operator_that_draws_joined_letters_or_marks_is_missed(text: str) -> None:
    made = noted(text)
    for place in operators(made.pdf, 0)[1]:
        assert made.losses(pdf=changed(made.pdf, deleted, 0, place)), place


def without_run(word: bytes, text: str) -> bytes:
    """The Word file with one run emptied, before an engine sees it."""
    opened = docx.Document(io.BytesIO(word))
    run = next(run for run in opened.element.body.iter("{*}t") if text in (run.text or ""))
    run.text = run.text.replace(text, "")
    return saved(opened)


def test_what_is_lost_before_the_engine_is_named_by_its_field_and_never_quoted() -> None:
    made = sample("year-8-confidential-placement")
    strategy = made.pep["targets"][0]["strategy"]
    lost = made.losses(pdf=converted(without_run(made.word, strategy)))
    assert lost.startswith(f"text-lost: plan {LOST}")
    assert "words missing, of what is printed for ‘" in lost
    assert "(/targets/0/strategy, " in lost
    assert not [word for word in strategy.split() if len(word) > 6 and word in lost]


def test_what_is_too_much_is_named_too() -> None:
    made = sample("year-5-review")
    assert "too many, of what is printed for" in made.losses(
        word=without_run(made.word, made.pep["targets"][0]["target"])
    )


def test_a_header_that_says_something_else_is_found() -> None:
    made = noted("x")
    assert made.losses(word=made.word) == ""
    other = notes().fill({**made.pep, "pep": {"id": "PEP-2", "version": 1}}, {})
    assert "the header or footer of page 1 is not whole" in made.losses(word=other)


def test_a_picture_whose_description_is_lost_is_found() -> None:
    made = sample("year-5-review")
    with pikepdf.open(io.BytesIO(made.pdf)) as document:
        for thing in document.objects:
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/S") == "/Figure":
                del thing["/Alt"]
        buffer = io.BytesIO()
        document.save(buffer)
    assert "0 of 1 pictures are described" in made.losses(pdf=buffer.getvalue())


def test_text_that_runs_off_the_paper_is_lost() -> None:
    word = docx.Document()
    word.add_paragraph("whateverelse" * 30)
    unbroken = rdocx.Document.from_bytes(saved(word)).to_pdfa_deterministic("pdfa-3b")
    with pytest.raises(Broken, match="text on page 1 runs off the paper"):
        loss.check(saved(word), stamp.finish(unbroken, title="Plan"), about="plan", facts=lambda: ())


def test_a_document_that_lost_something_is_never_handed_out() -> None:
    class Lossy:
        """A workshop whose engine loses how a target shall be reached."""

        profile = profile.load("hillingdon")
        carries_data = True

        def template(self, form: forms.Form) -> Template:
            return Template(form.template.read_bytes(), name="pep.docx")

        def convert(self, word: bytes, *, about: str) -> bytes:
            made: bytes = CONVERT(without_run(word, pep["targets"][0]["strategy"]))
            return made

        def seal(self, pdf: bytes) -> bytes:
            raise AssertionError("nothing lossy is sealed")

        verify = seal

    pep = sample("year-8-confidential-placement").pep
    with pytest.raises(Broken, match="missing"):
        pipeline.render(pep, forms.named("pep"), "authority", "pdf", Lossy())
    with pytest.raises(Broken, match="missing"):
        pipeline.archive(pep, forms.named("pep"), Lossy())
