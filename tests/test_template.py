"""A template that cannot be used is refused when it is compiled or filled, naming the place to open in Word."""

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest

from pepforms.errors import Refused
from pepforms.fill import Template

PEP: dict[str, Any] = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "secondary", "provision_state": "on_roll"},
    "child": {"preferred_name": "Quill", "upn": "K999999914001"},
    "targets": [{"id": "t1", "target": "Read"}, {"id": "t2", "target": "Write"}],
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


def table(*rows: tuple[str, ...]) -> bytes:
    """A Word file with text before and after one table."""
    word = docx.Document()
    word.add_paragraph("Before")
    grid = word.add_table(len(rows), len(rows[0]))
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            grid.cell(row, column).text = text
    word.add_paragraph("After")
    return saved(word)


def texts(filled: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(filled)).paragraphs]


def refusal(make: Callable[[], Any]) -> str:
    """The message of a refusal that comes at once: no bomb goes off."""
    begun = time.perf_counter()
    with pytest.raises(Refused) as refused:
        make()
    assert time.perf_counter() - begun < 1
    assert refused.value.slug == "template-refused"
    assert str(refused.value).startswith("The template mine.docx cannot be used. ")
    return str(refused.value)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("{{ child.upn", "without its other half"),
        ("{{ child. }}", "cannot be read"),
        ("{{ child.upn | }}", "cannot be read"),
        ("{% if child.upn %}", "no endif closes it"),
        ("{% endif %}", "closes nothing"),
        ("{% else %}", "closes nothing"),
        ("{{ child.upn|dat }}", "no filter “dat”; did its author mean “date”?"),
        ("{{ child.upn|format }}", "no filter “format”"),
        ("{{ child.upn|attr('x') }}", "no filter “attr”"),
        ("{{ child.upn|run_ }}", "no filter “run_”"),
        ("{{ child.upn is knwon }}", "no test “knwon”; did its author mean “known”?"),
        ("{{ child.upn is defined }}", "no test “defined”"),
        ("{{ ''.__class__.__mro__ }}", "__mro__"),
        ("{{ child['__class__'] }}", "“__class__”, which does not exist"),
        ("{{ targets.clear() }}", "uses a call"),
        ("{% if child.upn in targets %}{% endif %}", "uses in"),
        ("{{ targets|listed(*targets) }}", "uses *"),
        ("{{ child.upn|percent(of=1, of=2) }}", "cannot be read (SyntaxError)"),
        ("{{ child.upn -}} beta", "its dash would take the words beside it away"),
        ("{child.upn}", "one brace of two"),
        ("{{ 'x'*300000000 }}", "uses *"),
        ("{{ 'x' ~ 'y' }}", "uses ~"),
        ("{{ 9**9**9**9 }}", "uses **"),
        ("{{ '1e999999999'|money }}", "not an amount of money"),
        ("{{ 10" + "0" * 5000 + " }}", "cannot be read"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "cannot be read"),
        ("{% set x = 1 %}", "uses set"),
        ("{% include 'x' %}", "uses include"),
        ("{% import 'x' as x %}", "uses import"),
        ("{% extends 'x' %}", "uses extends"),
        ("{% block x %}{% endblock %}", "uses block"),
        ("{% macro m() %}{% endmacro %}", "uses macro"),
        ("{% raw %}{{ x }}{% endraw %}", "not filled here"),
        ("{% hm %}", "not filled here"),
        ("{{p child.upn }}", "not filled here"),
        ("{% for a, b in targets %}{% endfor %}", "several values at once"),
        ("{% for t in targets recursive %}{% endfor %}", "recursively"),
        ("{% for t in targets %}{{ loop.__class__ }}{% endfor %}", "__class__"),
        ("{% for t in targets %}{{ loop.cycle }}{% endfor %}", "“cycle”, which does not exist"),
        ("{% for letter in child.preferred_name %}{{ letter }}{% endfor %}", "not a list"),
        ("{% for fact in child %}{{ fact }}{% endfor %}", "not a list"),
        ("{{ chld.upn }}", "“chld”, which does not exist; did its author mean “child”?"),
        ("{% if chld %}{% endif %}", "“chld”, which does not exist; did its author mean “child”?"),
        ("{{ child.unp }}", "“unp”, which does not exist here; did its author mean “upn”?"),
        ("{{ child.upn.length }}", "“length”, which does not exist"),
        ("{{ child }}", "a group of facts"),
        ("{{ targets }}", "a group of facts"),
        ("{{ none }}", "a group of facts"),
        ("{{ made_ }}", "a group of facts"),
        ("{{ self }}", "a group of facts"),
        ("{% if child.upn > 3 %}{% endif %}", "different kinds"),
        ("{% if child < 3 %}{% endif %}", "different kinds"),
        ("{{ child.upn|date }}", "cannot be worked out"),
        ("{{ child.preferred_name|strong }}", "write {{r"),
        ("{%p if child.upn %} and more", "must stand alone in a paragraph"),
        ("{%tr for t in targets %}", "must stand alone in a row"),
    ],
)
def test_refuses_a_bad_tag_with_its_place(tag: str, reason: str) -> None:
    message = refusal(lambda: template("Fine: {{ child.upn }}", tag).fill(PEP, {}))
    assert "text, paragraph 2" in message or "text: " in message
    assert reason in message


@pytest.mark.parametrize(
    "tag", ["{{ chld.upn }}", "{{ child.upn|nosuch }}", "{{ child.upn", "{{ child + 1 }}", "{% if %}"]
)
def test_names_table_row_and_cell(tag: str) -> None:
    data = table(("Name", "UPN"), ("{{ child.preferred_name }}", f"UPN: {tag}"))
    assert "text, table 1, row 2, cell 2" in refusal(lambda: Template(data, name="mine.docx").fill(PEP, {}))


def test_counts_tables_rows_and_cells_as_a_reader_does_when_tables_nest() -> None:
    word = docx.Document()
    word.add_table(1, 1)
    outer = word.add_table(2, 2)
    inner = outer.cell(1, 1).add_table(2, 1)
    inner.cell(1, 0).text = "{{ chld }}"
    outer.cell(1, 1).add_paragraph("fine")
    message = refusal(lambda: Template(saved(word), name="mine.docx").fill(PEP, {}))
    assert "text, table 3, row 2, cell 1: the tag {{ chld }}" in message


def test_names_the_header() -> None:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = "{{ chld }}"
    assert "header 1, paragraph 1" in refusal(lambda: Template(saved(word), name="mine.docx").fill(PEP, {}))


def test_names_the_document_property() -> None:
    word = docx.Document()
    word.core_properties.title = "{{ chld }}"
    assert "document properties, title" in refusal(lambda: Template(saved(word), name="mine.docx").fill(PEP, {}))


def test_points_at_the_tag_that_nothing_closes_not_at_the_end() -> None:
    rows = (("{%tr for t in targets %}",), ("{{ t.target }}",), ("{{ child.upn }}",))
    message = refusal(lambda: Template(table(*rows), name="mine.docx"))
    assert "table 1, row 1, cell 1: the tag {%tr for t in targets %}: no endfor closes it" in message


@pytest.mark.parametrize(
    "rows",
    [
        (("{%tr for t in targets %}", "{{ t.id }}"), ("{%tr endfor %}", "")),
        (("{%tr for t in targets %}", "some words"), ("{%tr endfor %}", "")),
        (("{%tr for t in targets %}{{ t.id }}", ""), ("{%tr endfor %}", "")),
    ],
)
def test_refuses_a_row_tag_beside_anything_that_would_vanish_with_its_row(rows: Any) -> None:
    assert "must stand alone in a row" in refusal(lambda: Template(table(*rows), name="mine.docx"))


def test_refuses_a_row_tag_beside_a_nested_table() -> None:
    word = docx.Document()
    grid = word.add_table(2, 1)
    grid.cell(0, 0).text, grid.cell(1, 0).text = "{%tr if child %}", "{%tr endif %}"
    grid.cell(0, 0).add_table(1, 1)
    assert "must stand alone in a row" in refusal(lambda: Template(saved(word), name="mine.docx"))


@pytest.mark.parametrize(
    "rows",
    [
        (("{% if child %}",), ("{% endif %}",)),
        (("{%tr if child %}",), ("{% endif %}",)),
        (("{%tr if child %}",), ("{%p endif %}",)),
        (("{%p if child %}",), ("{%p endif %}",)),
        (("{%tr if child %}",), ("{%p else %}",), ("{%tr endif %}",)),
    ],
)
def test_refuses_to_open_in_one_cell_and_close_in_another(rows: Any) -> None:
    assert "it belongs to" in refusal(lambda: Template(table(*rows), name="mine.docx"))


def test_refuses_a_tag_that_is_split_over_paragraphs() -> None:
    message = refusal(lambda: template("Begins {{ child.", "upn }} here"))
    assert "text, paragraph 1" in message
    assert "in one paragraph" in message


def test_refuses_a_tag_in_alternative_text() -> None:
    word = docx.Document()
    word.add_paragraph("{{ child.upn }}")
    data = rewritten(
        saved(word), "word/document.xml", lambda xml: xml.replace(b"<w:body>", b'<w:body w:x="{{ child }}">')
    )
    assert "alternative text" in refusal(lambda: Template(data, name="mine.docx"))


def test_a_tag_that_word_has_split_over_runs_works() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph()
    for number, piece in enumerate(
        ("Name: {", "{ chi", "ld.preferred_", "name }", "} {% if child.u", "pn == ‘K9’ %}no{% endif", " %}!")
    ):
        paragraph.add_run(piece).bold = bool(number % 2)
    assert texts(Template(saved(word), name="mine.docx").fill(PEP, {})) == ["Name: Quill !"]


def test_ampersands_and_angles_in_a_tag_mean_themselves() -> None:
    pep = {**PEP, "meeting": {"notes": "Maths & <Art>"}}
    filled = template("{% if meeting.notes == 'Maths & <Art>' and 1 < 2 %}same{% endif %}").fill(pep, {})
    assert texts(filled) == ["same"]


def test_comments_are_not_printed() -> None:
    assert texts(template("{#p a note to authors #}", "{# and #}Quill").fill(PEP, {})) == ["Quill"]


def test_loops_that_multiply_are_stopped_in_time() -> None:
    pep = {**PEP, "targets": PEP["targets"] * 20}
    loops = [f"{{% for t{depth} in targets %}}" for depth in range(8)]
    bomb = template("".join(loops) + "x" + "{% endfor %}" * 8)
    assert "more than 5,000 times" in refusal(lambda: bomb.fill(pep, {}))


def test_an_absent_fact_is_neither_more_nor_less_than_anything() -> None:
    compared = "care.sdq.score > 16 or care.sdq.score <= 16 or 3 < care.sdq.score"
    assert texts(template(f"{{% if {compared} %}}compared{{% else %}}no score{{% endif %}}").fill(PEP, {})) == [
        "no score"
    ]


def test_compiles_once_and_fills_many() -> None:
    once = template("{% for t in targets %}{{ loop.index }}. {{ t.target }}. {% endfor %}End")
    for count in range(3):
        pep = {**PEP, "targets": PEP["targets"][:count]}
        assert texts(once.fill(pep, {})) == ["".join(("1. Read. ", "2. Write. ")[:count]) + "End"]


# --- files that are no templates -------------------------------------------------------------------------------------


def rewritten(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def a_zip_bomb_that_lies() -> bytes:
    """A part of 200 MB whose directory entry says 10 bytes."""
    true = zipped(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": bytes(200 << 20)})
    return true.replace((200 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))


def with_macros() -> bytes:
    plain = b"wordprocessingml.document.main+xml"
    return rewritten(saved(docx.Document()), "[Content_Types].xml", lambda xml: xml.replace(plain, b"x.macroEnabled"))


def encrypted_zip() -> bytes:
    data = bytearray(saved(docx.Document()))
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(sign)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(sign, at + 1)
    return bytes(data)


def with_a_doctype() -> bytes:
    entity = b'?>\n<!DOCTYPE w:document [<!ENTITY a "boo">]>'
    return rewritten(saved(docx.Document()), "word/document.xml", lambda xml: xml.replace(b"?>", entity, 1))


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "not-a-word-file"),
        (b"%PDF-1.7", "not-a-word-file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), "not-a-word-file"),
        (zipped(**{"hello.txt": b"hello"}), "not-a-word-file"),
        (zipped(**{"[Content_Types].xml": b"", "word/document.xml": b"<broken"}), "not-a-word-file"),
        (zipped(**{"[Content_Types].xml": b"", "word/document.xml": bytes(101 << 20)}), "too-large"),
        (zipped(**{f"{number}": b"" for number in range(2001)}), "too-large"),
        (a_zip_bomb_that_lies(), "not-a-word-file"),
        (encrypted_zip(), "not-a-word-file"),
        (with_macros(), "macros"),
        (with_a_doctype(), "not-a-word-file"),
    ],
    ids=["empty", "pdf", "ole", "zip", "xml", "bomb", "parts", "liar", "password", "macros", "doctype"],
)
def test_refuses_what_is_no_word_file_in_one_clear_message(data: bytes, slug: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(Refused, match=r"mine\.docx") as refused:
        Template(data, name="mine.docx")
    assert refused.value.slug == slug
    assert time.perf_counter() - begun < 1


def test_refuses_a_word_file_that_is_cut_short_or_damaged_anywhere() -> None:
    whole = saved(docx.Document())
    for length in range(0, len(whole) - 1, 997):
        with pytest.raises(Refused):
            Template(whole[:length], name="mine.docx")
    for at in range(0, len(whole), 211):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        try:
            Template(bytes(damaged), name="mine.docx").fill(PEP, {})
        except Refused as refused:
            assert "mine.docx" in str(refused)  # noqa: PT017  that it is refused at all depends on where the damage is
