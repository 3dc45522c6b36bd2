"""What a letterhead, or a form that stands under none, owes every document: its marks on each page, a title for a
heading.

The marks are the protective marking, whose copy it is, and that a draft is one. They stand in the header or the footer
of every page, also of a first page and of even pages where these have their own.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from pepforms.fill.fabric import Fault
from pepforms.fill.tags import TAG, Place, W, paragraphs
from pepforms.forms import LETTERHEAD, Form

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TEXT, _STYLES, _SETTINGS = "word/document.xml", "word/styles.xml", "word/settings.xml"
_RELATIONS = "word/_rels/document.xml.rels"

_DRAFT = "document.draft"
_MARKS = {
    "document.marking": "{{ document.marking }}",
    "document.notice": "{{ document.notice }}",
    _DRAFT: "{% if document.draft %}Draft: not signed off{% endif %}",
}
"""What a page must say, and what an author types for it."""

_PAGES = {"default": "every page", "first": "the first page", "even": "even pages"}
_STATEMENT = re.compile(r"\{%(?:tr|tc|p|r)?[-+]?\s*(?P<word>\w+)\s*(?P<asked>.*?)\s*[-+]?%\}", re.DOTALL)
_PRINTED = re.compile(r"\{\{(?:r\s)?[-+]?\s*(document\.\w+)\b")
_PIECE = re.compile(rf"{TAG.pattern}|.+?(?=\{{[{{%#]|\Z)", re.DOTALL)
"""A tag, or the words up to the next one."""


def faults(parts: Mapping[str, etree._Element], form: Form) -> Iterator[Fault]:
    """What a template lacks that stands under no letterhead, or is one."""
    if form.letterhead is None:
        yield from _unmarked(parts, [mark for mark in _MARKS if mark != _DRAFT or form.stage != "record"])
    if form == LETTERHEAD and not _is_a_heading("Title", parts.get(_STYLES)):
        yield Fault("title-no-heading", Place("styles"))


def _unmarked(parts: Mapping[str, etree._Element], wanted: list[str]) -> Iterator[Fault]:
    """The pages whose header and footer lack a mark, each kind of page once."""
    told: set[str] = set()
    for pages, standing in _headed(parts):
        said = {mark for part in standing if part in parts for mark in _said(part, parts[part])}
        missing = [_MARKS[mark] for mark in wanted if mark not in said]
        if missing and pages not in told:
            told.add(pages)
            yield Fault("page-not-marked", Place("the whole file"), what=f"{_PAGES[pages]} lack {', '.join(missing)}")


def _headed(parts: Mapping[str, etree._Element]) -> Iterator[tuple[str, list[str]]]:
    """Each kind of page of each section, and the parts that stand on it: its own, else those of the section before."""
    targets = {
        one.get("Id", ""): posixpath.normpath(posixpath.join("/word", one.get("Target", ""))).lstrip("/")
        for one in parts.get(_RELATIONS, ())
    }
    even = _is_on(parts.get(_SETTINGS), "evenAndOddHeaders")
    standing: dict[tuple[str, str], str] = {}
    for section in parts[_TEXT].iter(f"{W}sectPr"):
        for one in section.iterchildren(f"{W}headerReference", f"{W}footerReference"):
            standing[one.get(f"{W}type", "default"), str(one.tag)] = targets.get(one.get(f"{_R}id", ""), "")
        there = {"default": True, "first": _is_on(section, "titlePg"), "even": even}
        for pages in (pages for pages, is_there in there.items() if is_there):
            yield pages, [part for (kind, _), part in standing.items() if kind == pages]


def _said(part: str, root: etree._Element) -> Iterator[str]:
    """The marks that a header or footer prints whatever else is so; that of a draft, where it has words for one."""
    open_: list[str] = []
    texts = [text for paragraph in paragraphs(part, root) for text in paragraph.texts()]
    says = "".join(text.text or "" for text in texts)
    seen = "".join(" " * len(text.text or "") if _is_hidden(text) else text.text or "" for text in texts)
    for found in _PIECE.finditer(says):
        piece, drawn = found.group(), seen[found.start() : found.end()]
        statement, printed = _STATEMENT.match(piece), _PRINTED.match(drawn)
        if statement:
            _step(open_, statement["word"], statement["asked"])
        elif printed and printed[1] != _DRAFT and all(asked == printed[1] for asked in open_):
            yield printed[1]
        elif open_ == [_DRAFT] and drawn.strip() and not TAG.match(piece):
            yield _DRAFT


def _is_hidden(text: etree._Element) -> bool:
    run = text.getparent()
    return _is_on(run.find(f"{W}rPr") if run is not None else None, "vanish")


def _step(open_: list[str], word: str, asked: str) -> None:
    """Go on by one statement, with what each `if` and `for` that stands open asks."""
    if word in ("if", "for"):
        open_.append(asked)
    elif word in ("endif", "endfor"):
        del open_[-1:]
    elif open_:
        before = open_.pop()
        open_.append(before.removeprefix("not ") if word == "else" and before.startswith("not ") else f"else {asked}")


def _is_a_heading(name: str, styles: etree._Element | None) -> bool:
    """Whether a style, or one that it is based on, has the outline level of a first heading; so if there is none."""
    known = {one.get(f"{W}styleId"): one for one in styles.iter(f"{W}style")} if styles is not None else {}
    style = known.pop(name, None)
    if style is None:
        return True
    while style is not None:
        level, based = style.find(f"{W}pPr/{W}outlineLvl"), style.find(f"{W}basedOn")
        if level is not None:
            return level.get(f"{W}val") == "0"
        style = known.pop(based.get(f"{W}val"), None) if based is not None else None
    return False


def _is_on(above: etree._Element | None, name: str) -> bool:
    found = above.find(f"{W}{name}") if above is not None else None
    return found is not None and found.get(f"{W}val", "1") not in ("0", "false", "off")
