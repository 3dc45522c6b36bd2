"""Nothing leaked: every withheld value is looked for again, in all that a copy says and in all that it hides.

A value is looked for in every way it may be written (`written.py`). Where the child's home is hidden from the reader,
its parts count too: a first name, a town, the domain of an e-mail address, a dialling code. Words are matched whole.
What is found is told by field and place, never by value.
"""

import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pepforms import written
from pepforms.audience import Copy
from pepforms.errors import Refused
from pepforms.model import Fact, Problem
from pepforms.text import pdf as pdf_text

_OF_WORK = frozenset(
    {
        "/people/*/organisation", "/people/*/covers", "/meeting/venue", "/meeting/attendees/*/covers",
        "/sign_offs/*/at", "/sign_offs/*/method", "/transition/support",
    }
)  # fmt: skip
"""What tells nothing by itself as long as the child's home need not be hidden: where and with whom people work."""
_UNTELLING = frozenset(
    {
        "/actions/*/due", "/previous_spend/*/spent", "/education/attainment/*/method", "/education/attainment/*/date",
        "/education/attainment/*/prior", "/education/attainment/*/current", "/education/attainment/*/predicted",
        "/views/carer/date", "/views/parent/*/date", "/distribution/*/sent", "/distribution/*/channel",
        "/pupil_premium_plus/lines/*/date", "/education/sen/ehcp/issued", "/child/first_language", "/people/*/relation",
        "/targets/*/need", "/targets/*/baseline", "/previous_targets/*/evidence", "/education/needs/barriers/*",
        *(f"/distribution/*/decisions/*/{name}" for name in ("pointer", "about", "words", "reason", "on")),
    }
)  # fmt: skip
"""What is withheld to keep a copy plain and short: its words may be said elsewhere in their own right."""


@dataclass(frozen=True, slots=True)
class Said:
    """Text that a document holds: where it stands, in words that follow “it stands”, and what it says."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: each written form, with the withheld facts that it would tell."""

    forms: Mapping[str, tuple[Fact, ...]]
    shown: tuple[Fact, ...]

    def through(self, docx: bytes, pdf: bytes | None = None) -> None:
        """Refused (slug `leak`) where a Word file, or the PDF made of it, says something withheld, seen or unseen."""
        if not self.forms:  # the full copy
            return
        hits: dict[str, list[str]] = {}
        for said in itertools.chain(in_word(docx), in_pdf(pdf) if pdf else ()):
            for form in _found(self.forms, said.text):
                hits.setdefault(form, []).append(said.where)
        if hits:
            raise _leak(self, hits)


def search(copy: Copy, open_words: str) -> Search:
    """What to look for in a copy; `open_words` are what the document says of itself, to every reader.

    Where the child's home is hidden, a part of a name, a place or an address counts as well as the whole. What stands
    in words that a named person lets stand as not identifying is not looked for.
    """
    parts = copy.hides_home
    open_ = {
        form
        for fact in copy.shown
        if _is_open(fact, parts)
        for form in written.forms(fact, parts=True)
        if " " not in form
    }
    wanted: dict[str, list[Fact]] = {}
    reworded = {fact.pointer for fact in copy.shown}
    for fact in copy.left_out:
        if fact.field in _UNTELLING or (fact.field in _OF_WORK and not parts) or fact.pointer in reworded:
            continue
        for form in written.forms(fact, parts=parts):
            if form and form not in open_:
                wanted.setdefault(form, []).append(fact)
    for form in set(_found(wanted, open_words)):
        del wanted[form]
    for fact in copy.shown:
        if fact.pointer in copy.accepted:
            for form in set(_found(wanted, written.plain(fact.value))):
                del wanted[form]
    return Search({form: tuple(facts) for form, facts in wanted.items()}, copy.shown)


def _leak(search: Search, hits: Mapping[str, list[str]]) -> Refused:
    """The refusal: each withheld field once, where it stands, and in which field's words."""
    problems: dict[tuple[str, str], Problem] = {}
    for form, places in hits.items():
        fact = search.forms[form][0]
        sources = [(each.pointer, f"in the words of “{each.title}”") for each in search.shown if _says(form, each)]
        for pointer, words in sources or [(fact.pointer, "in what the template or the program says")]:
            problem = _problem(fact, pointer, f"{_listed(places)}, {words}")
            problems.setdefault((fact.field, pointer), problem)
    count = f"{len(problems)} place" if len(problems) == 1 else f"{len(problems)} places"
    return Refused(
        f"This copy is not made: {count} in it would tell its reader what they may not see.",
        slug="leak",
        problems=tuple(problems.values()),
    )


def _says(form: str, fact: Fact) -> bool:
    return any(True for _ in _found([form], written.plain(fact.value)))


def _problem(fact: Fact, pointer: str, where: str) -> Problem:
    return Problem(
        slug="leak",
        severity="blocks",
        pointer=pointer,
        message=f"This copy would tell “{fact.title}”: {where}. Leave the words out, say them in other words, or "
        "record why they are safe, under distribution, decisions.",
        source="Who sees what",
    )


def _listed(places: list[str]) -> str:
    """The places, those on pages before and instead of the text that the pages were made of."""
    on_pages = [place for place in places if place.startswith("on page")]
    others = [place for place in places if place not in on_pages and not (on_pages and place in (_BODY, _BETWEEN))]
    return ", ".join(dict.fromkeys([*on_pages, *others]))


def _is_open(fact: Fact, home_hidden: bool) -> bool:
    """Whether a fact that is shown is no secret elsewhere: a person who is named, a day, a sum, a school.

    Where the home is hidden, a place that is shown may be the very one that must not be.
    """
    field = written.field_of(fact)
    if fact.field in written.PLACES:
        return not home_hidden
    return fact.field in written.PEOPLE or bool(field and (field.format or field.codes or field.labels))


def _found(forms: Iterable[str], said: str) -> Iterator[str]:
    """The forms that a text holds, from the beginning of a word to the end of one."""
    words = written.words_of(said)
    whole, spaced = "".join(words), f" {' '.join(words)} "
    edges = {0, *itertools.accumulate(map(len, words))}
    for form in forms:
        if " " in form and f" {form} " in spaced:
            yield form
        start = whole.find(form)
        while start >= 0:
            if start in edges and start + len(form) in edges:
                yield form
                break
            start = whole.find(form, start + 1)


_BODY, _BETWEEN = "in the text of the Word file", "from one page to the next"


def in_word(docx: bytes) -> Iterator[Said]:
    """All that a Word file says: text seen and hidden, deleted and commented, alternative texts, properties, names."""
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(docx)) as parts:
        yield Said("in the names of the Word file’s parts", "\n".join(parts.namelist()))
        for name in parts.namelist():
            content = parts.read(name)
            if name.startswith("word/theme/") or name in _LOOKS:
                continue
            if name.endswith((".xml", ".rels")):
                root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
                where = _BODY if name == "word/document.xml" else f"in the Word file, {name}"
                yield Said(where, "".join(_of_xml(root)))
                yield Said(f"in the Word file, what {name} does not print", "\n|\n".join(sorted(_unprinted(root))))
            elif not name.endswith((".png", ".jpg", ".jpeg", ".odttf")):
                yield Said(f"in the Word file, {name}", content.decode("utf-8", "replace"))


_LOOKS = ("word/fontTable.xml", "word/styles.xml", "word/numbering.xml")
"""Parts that say how a page looks and nothing else."""
_FONTS_AND_LANGUAGES = ("rFonts", "lang")


def _unprinted(root: Any) -> set[str]:
    """What the attributes of a part say: alternative texts, names, authors, tags; all that has a word in it."""
    elements = (each for each in root.iter("*") if each.tag.rpartition("}")[2] not in _FONTS_AND_LANGUAGES)
    values = {str(value) for each in elements for value in each.attrib.values()}
    return {value for value in values if re.search(r"[^\W\d_]{2}", value)}


def _of_xml(root: Any) -> Iterator[str]:
    """The text of a part, a break after each paragraph and property."""
    runs = ("t", "delText", "instrText")
    for each in root.iter():
        if not isinstance(each.tag, str):
            yield f"\n|{each.text or ''}|\n"
            continue
        kind = each.tag.rpartition("}")[2]
        if kind in ("p", "br", "tab", "cr"):
            yield "\n"
        yield (each.text or "") if kind in runs else f"\n{each.text}\n" if (each.text or "").strip() else ""


def in_pdf(pdf: bytes) -> Iterator[Said]:
    """All that a PDF says: its pages, metadata, bookmarks, alternative texts, comments, attachments, names."""
    import pikepdf

    pages = pdf_text.seen(pdf)
    for number, page in enumerate(pages, 1):
        yield Said(f"on page {number}", page)
    yield from _over_pages(pages)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        yield Said("in the PDF’s unseen texts", "\n|\n".join(sorted(set(_strings(document)))))
        yield Said("in the spoken words of the PDF", "\n|\n".join(_spoken(document)))
        for each in document.objects:
            if isinstance(each, pikepdf.Stream) and str(each.get("/Type", "")) in ("/Metadata", "/EmbeddedFile"):
                kind = "metadata" if each.get("/Type") == "/Metadata" else "attachment"
                content = each.read_bytes().decode("utf-8", "replace")
                yield Said(f"in the PDF’s {kind}", re.sub(r"<[^>]*>", " ", content) + content)


def _over_pages(pages: list[str]) -> Iterator[Said]:
    """The end of each page with the beginning of the next."""
    for before, after in itertools.pairwise(pages):
        yield Said(_BETWEEN, f"{before[-400:]} {after[:400]}")


def _strings(document: Any) -> Iterator[str]:
    """Every text in the objects of a PDF: titles, alternative texts, notes, names of files."""
    import pikepdf

    waiting = list(document.objects)
    while waiting:
        each = waiting.pop()
        if isinstance(each, pikepdf.String):
            yield str(each)
        elif isinstance(each, pikepdf.Array):
            waiting += [part for part in each if not getattr(part, "is_indirect", False)]
        elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            waiting += [part for _, part in each.items() if not getattr(part, "is_indirect", False)]


_SPOKEN = re.compile(rb"/(?:ActualText|Alt|E)\s*(\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>)", re.DOTALL)


def _spoken(document: Any) -> Iterator[str]:
    """What page contents have a screen reader say in place of what is drawn."""
    import pikepdf

    for page in document.pages:
        page.contents_coalesce()
        for spoken in _SPOKEN.findall(page.Contents.read_bytes()) if "/Contents" in page else ():
            yield str(pikepdf.Object.parse(spoken))
