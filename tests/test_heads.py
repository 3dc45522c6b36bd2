"""The marks on every page, and the title: what a letterhead, or a form without one, must bring along."""

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from pepforms import forms
from pepforms.fill import Letterhead, Template
from pepforms.fill.lint import lint
from pepforms.forms import LETTERHEAD, Form
from pepforms.resources import folder

MARKS = "{{ document.marking }}{% if document.draft %} · Draft{% endif %}{{ document.notice }}"
SHIPPED = folder("templates") / "letterhead.docx"


def saved(word: Any) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def head(text: str = MARKS, change: Callable[[Any], Any] = lambda _: None) -> bytes:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = text
    change(word)
    return saved(word)


def unmarked(data: bytes, form: Form = LETTERHEAD) -> list[str]:
    return [one.message.split(" lack ")[0] for one in lint(data, "head.docx", form) if one.slug == "page-not-marked"]


def untitled(data: bytes) -> bool:
    return any(one.slug == "title-no-heading" for one in lint(data, "head.docx", LETTERHEAD))


EVERY = "The header and footer of every page"


@pytest.mark.parametrize(
    "text",
    [
        MARKS,
        "{%- if document.draft -%}Draft{%- endif -%} {{document.notice|phrase}} {{r document.marking }}",
        "{% if document.notice %}{{ document.notice }}{% endif %}" + MARKS.replace("{{ document.notice }}", ""),
        "{% if not document.draft %}Signed{% else %}Draft{% endif %} {{ document.notice }} {{ document.marking }}",
    ],
)
def test_a_letterhead_that_prints_the_marks_on_every_page_is_taken(text: str) -> None:
    assert unmarked(head(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Example-shire Council",
        MARKS.replace("{{ document.notice }}", ""),
        MARKS.replace("document.marking", "document.title"),
        MARKS.replace("document.draft", "document.carries_data"),
        MARKS.replace("if document.draft", "if not document.draft"),
        "{% if document.draft %}" + MARKS + "{% endif %}",
        "{% if document.draft %}{{ document.marking }}{% else %}{{ document.notice }}{% endif %}",
        "{% for target in targets %}" + MARKS + "{% endfor %}",
        "{{ document.marking }} {{ document.notice }} {{ document.draft }}",
        MARKS.replace(" · Draft", " "),
        MARKS.replace(" · Draft", "{# Draft #}{{ document.title }}"),
        MARKS.replace(" · Draft", "{% else %}Signed off"),
    ],
)
def test_a_letterhead_that_does_not_always_print_a_mark_is_refused(text: str) -> None:
    assert unmarked(head(text)) == [EVERY]


def test_what_a_page_lacks_is_told_as_it_is_typed_and_is_taken_so() -> None:
    (found,) = [one for one in lint(head(""), "head.docx", LETTERHEAD) if one.slug == "page-not-marked"]
    typed = found.message.split(" lack ")[1].split(", so ")[0]
    assert unmarked(head(typed)) == []


@pytest.mark.parametrize("hidden", ["{{ document.marking }}", "{{ document.notice }}", " · Draft"])
def test_a_mark_that_is_hidden_is_on_no_page(hidden: str) -> None:
    def change(word: Any) -> None:
        line = word.sections[0].header.paragraphs[0]
        before, after = line.text.split(hidden)
        line.text = before
        line.add_run(hidden).font.hidden = True
        line.add_run(after)

    assert unmarked(head(MARKS, change)) == [EVERY]


def test_a_question_that_is_hidden_is_asked_all_the_same() -> None:
    def change(word: Any) -> None:
        line = word.sections[0].header.paragraphs[0]
        line.text = ""
        line.add_run("{% if pep.type %}").font.hidden = True
        line.add_run(MARKS + "{% endif %}")

    assert unmarked(head("", change)) == [EVERY]


def test_marks_in_the_text_are_on_no_page_but_the_first_and_do_not_count() -> None:
    assert unmarked(head("", lambda word: word.add_paragraph(MARKS))) == [EVERY]


def first_page(word: Any) -> None:
    word.sections[0].different_first_page_header_footer = True


def even_pages(word: Any) -> None:
    word.settings.odd_and_even_pages_header_footer = True


@pytest.mark.parametrize(("change", "pages"), [(first_page, "the first page"), (even_pages, "even pages")])
def test_pages_with_a_header_of_their_own_bear_the_marks_there_too(change: Callable[[Any], Any], pages: str) -> None:
    assert unmarked(head(MARKS, change)) == [f"The header and footer of {pages}"]


def test_header_and_footer_together_are_enough() -> None:
    def change(word: Any) -> None:
        first_page(word)
        word.sections[0].first_page_header.paragraphs[0].text = "{{ document.notice }}"
        word.sections[0].first_page_footer.paragraphs[0].text = MARKS.replace("{{ document.notice }}", "")

    assert unmarked(head(MARKS, change)) == []


def test_a_section_that_breaks_with_the_one_before_bears_them_too() -> None:
    def change(word: Any) -> None:
        word.add_section().header.is_linked_to_previous = False

    assert unmarked(head(MARKS, lambda word: word.add_section())) == []
    assert unmarked(head(MARKS, change)) == [EVERY]


def test_the_letterhead_that_pepforms_brings_along_has_all_that_it_needs() -> None:
    assert [one for one in lint(SHIPPED.read_bytes(), "letterhead.docx", LETTERHEAD) if one.severity == "blocks"] == []


def test_a_form_owes_the_marks_itself_only_where_it_stands_under_no_letterhead() -> None:
    under = Form(name="ours", title="Ours", template=Path("ours.docx"), audiences=("school",), letterhead=SHIPPED)
    assert unmarked(head("Ours"), under) == []
    assert unmarked(head("Ours"), dataclasses.replace(under, letterhead=None)) == [EVERY]


def test_a_form_that_is_made_of_records_alone_is_never_a_draft() -> None:
    form = Form(name="ours", title="Ours", template=Path("ours.docx"), audiences=("school",), stages=("record",))
    assert unmarked(head("{{ document.marking }} {{ document.notice }}"), form) == []


def test_a_template_with_even_pages_of_its_own_takes_the_letterheads_one_header_on_all() -> None:
    form = forms.named("pep")
    word = docx.Document(form.template)
    even_pages(word)
    made = Template(saved(word), name="pep.docx", letterhead=Letterhead(SHIPPED.read_bytes(), "letterhead.docx"))
    filled = made.fill({"pep": {"id": "PEP-1", "version": 1, "phase": "primary", "provision_state": "on_roll"}}, {})
    assert not docx.Document(io.BytesIO(filled)).settings.odd_and_even_pages_header_footer


def levelled(style: str, level: str) -> Callable[[Any], Any]:
    def change(word: Any) -> None:
        outline = OxmlElement("w:outlineLvl")
        outline.set(qn("w:val"), level)
        word.styles[style].element.get_or_add_pPr().append(outline)

    return change


def test_the_title_of_a_letterhead_is_a_heading_of_the_first_level() -> None:
    assert untitled(head())  # Word's own Title is none
    assert untitled(head(MARKS, levelled("Title", "1")))
    assert not untitled(head(MARKS, levelled("Title", "0")))


def test_the_title_may_take_its_level_from_the_style_it_is_based_on() -> None:
    def change(word: Any) -> None:
        word.styles["Title"].base_style = word.styles["Heading 1"]

    assert not untitled(head(MARKS, change))


def test_a_letterhead_without_the_style_leaves_the_title_to_each_template() -> None:
    assert not untitled(head(MARKS, lambda word: word.styles["Title"].delete()))
