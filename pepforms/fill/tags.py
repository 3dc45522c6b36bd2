"""The tags of a template and where they stand, so that an error can name the cell an author must open in Word.

The tags are found in the Word file in document order before docxtpl's patching moves XML about. Patching keeps their
order, and one newline put inside each tag afterwards makes Jinja's line number the ordinal of the tag.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_END = re.compile(r"-?[%}#]\}$")
_STRAY = re.compile(r"\{[{%#]?|[}%#]?\}")
_WORDY = re.compile(r"^(\{[{%#])(?:tr|tc|p|r)?[\s-]|\s+")
_NOT_OURS = re.compile(r"\{%[-+]?\s*(?:vm|hm|colspan|cellbg|raw|endraw)\b|\{\{(?:tr|tc|p)\s")
_LEVEL = re.compile(r"\{[%#](tr|tc|p)\s")
_NOT_OF_A_FACT = re.compile(r"\{[{%#](?:tr|tc|p|r)\s")
_UNREAD = re.compile(r"\{[{%](?:tr|tc|p|r)\s.*[}%].*[}%]\}|\{#(?:tr|tc|p)\s.*[}#].*#\}", re.DOTALL)
"""Tags that docxtpl's patching does not find, since it looks for their end at the first such sign."""
_DASH = re.compile(r"\{[{%#]-|-[}%#]\}\Z")
_STATEMENT = re.compile(r"\{%(?:(?P<level>tr|tc|p|r)\s)?[-+]?\s*(?P<word>\w+)")
_ALONE_IN = {"tr": "row", "tc": "cell", "p": "paragraph"}
_TOGETHER = {"tr": "in a row of the same table", "tc": "in a cell of the same row"}
_HOLDS_MORE = tuple(
    f"{W}{name}" for name in (
        "drawing", "pict", "object", "tbl", "sectPr", "fldChar", "footnoteReference", "endnoteReference",
        "commentReference", "sym",
    )
)  # fmt: skip
"""What would be lost without a word with the row, cell or paragraph of a tag."""
_HOLDERS = {f"{W}tbl": "", f"{W}tr": f"{W}tbl", f"{W}tc": f"{W}tr", f"{W}p": f"{W}tc"}
_CHOICES, _FALLBACK = (
    f"{{http://schemas.openxmlformats.org/markup-compatibility/2006}}{name}"
    for name in ("AlternateContent", "Fallback")
)
_QUOTES = str.maketrans("“”‘’", "\"\"''")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, in Word's terms; `paragraph` counts within the cell, else within the part."""

    part: str
    table: int | None = None
    row: int | None = None
    cell: int | None = None
    paragraph: int | None = None

    def __str__(self) -> str:
        if self.table is not None:
            return f"{self.part}, table {self.table}, row {self.row}, cell {self.cell}"
        return self.part if self.paragraph is None else f"{self.part}, paragraph {self.paragraph}"


class Misused(Exception):
    """A tag that cannot be used where it stands: its place, its text and the reason; `slug` says of which kind."""

    def __init__(self, place: Place, tag: str, reason: str, *, slug: str, around: str = "") -> None:
        super().__init__(place, tag, reason)
        self.slug, self.around = slug, around


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as its author sees it, the place where it stands, and the text of its paragraph."""

    text: str
    place: Place
    around: str = ""


_Container = tuple[etree._Element | None, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and its place."""

    element: etree._Element
    place: Place

    @property
    def text(self) -> str:
        """Its own text, without that of text boxes that hang on it."""
        return "".join(t.text or "" for t in self.texts())

    def texts(self) -> Iterator[etree._Element]:
        """The elements that hold its text."""
        return (t for t in self.element.iter(f"{W}t") if next(t.iterancestors(f"{W}p")) is self.element)

    def container(self, level: str | None, tag: re.Match[str], /) -> _Container:
        """What holds the row, cell or paragraph that a tag of this level stands for, or the tag itself."""
        if level in ("tr", "tc"):
            return (next((around.getparent() for around in self.element.iterancestors(f"{W}{level}")), None),)
        if level == "p":
            return (self.element.getparent(),)
        first = self.stretches(tag)[0][0]
        run = first.getparent()
        holder = run.getparent() if run is not None else None
        return self.element.getparent(), None if holder is self.element else holder, self._field_around(first)

    def stretches(self, tag: re.Match[str]) -> list[tuple[etree._Element, int, int]]:
        """The elements that hold the text of a tag, each with where the tag begins and ends in its text."""
        held, at = [], 0
        for text in self.texts():
            end = at + len(text.text or "")
            if end > tag.start() and at < tag.end():
                held.append((text, max(tag.start() - at, 0), min(tag.end(), end) - at))
            at = end
        return held

    def _field_around(self, text: etree._Element) -> etree._Element | None:
        """The mark at which that field of Word begins in the paragraph in which a text stands."""
        begun: list[etree._Element] = []
        for element in self.element.iter(f"{W}fldChar", f"{W}t"):
            if element is text:
                break
            if element.get(f"{W}fldCharType") == "begin":
                begun.append(element)
            elif element.get(f"{W}fldCharType") == "end" and begun:
                begun.pop()
        return begun[-1] if begun else None


class Fact(Paragraph):
    """A document property, which has a text and no runs."""

    def texts(self) -> Iterator[etree._Element]:
        """The property itself."""
        yield self.element

    def container(self, _level: str | None, _tag: re.Match[str], /) -> _Container:
        """The property: what begins in it ends in it."""
        return (self.element,)


def found(part: str, root: etree._Element) -> list[Tag]:
    """The tags of a part in document order; Misused where one could not work where it stands."""
    tags, misused = survey(part, root)
    if misused:
        raise misused[0]
    return tags


def survey(part: str, root: etree._Element) -> tuple[list[Tag], list[Misused]]:
    """The tags of a part in document order, and all that could not work where they stand."""
    placed: list[tuple[Paragraph, Tag, re.Match[str]]] = []
    misused: list[Misused] = []
    for paragraph in _facts(part, root) if root.tag.endswith("}coreProperties") else paragraphs(part, root):
        text = paragraph.text
        if "{" in text or "}" in text:
            placed += ((paragraph, Tag(tag.group(), paragraph.place, text), tag) for tag in TAG.finditer(text))
            misused += _misused_in(paragraph, text)
    misused += _unbalanced(placed)
    return [tag for _, tag, _ in placed], misused


def _facts(part: str, root: etree._Element) -> Iterator[Paragraph]:
    return (Fact(fact, Place(f"{part}, {etree.QName(fact).localname}")) for fact in root.iterchildren("*"))


def _misused_in(paragraph: Paragraph, text: str) -> Iterator[Misused]:
    """The tags of one paragraph that do not work there."""
    stray = _STRAY.search(TAG.sub("", text))
    if stray:
        half = "it is opened or closed without its other half" if len(stray.group()) > 1 else "it has one brace of two"
        yield Misused(
            paragraph.place,
            stray.group(),
            f"{half} in “{text[:80]}”; write each tag whole, in one paragraph",
            slug="split-tag",
            around=text,
        )
    for match in TAG.finditer(text):
        tag = match.group()
        if fault := _misuse_of(paragraph, match):
            yield Misused(paragraph.place, tag, fault[1], slug=fault[0], around=text)


def _misuse_of(paragraph: Paragraph, match: re.Match[str]) -> tuple[str, str] | None:
    """Of which kind a tag's fault is, and why it cannot stand as it does."""
    tag = match.group()
    level = _LEVEL.match(tag)
    if _DASH.search(tag):
        return "unreadable-tag", "its dash would take the words beside it away; leave the dash out"
    if isinstance(paragraph, Fact):
        why = "a document property has no rows, paragraphs or runs; let it begin with {{ or {% alone"
        return ("unreadable-tag", why) if _NOT_OF_A_FACT.match(tag) else None
    if _NOT_OURS.match(tag):
        return "tag-not-filled", "this kind of tag is not filled here; merge or colour cells in Word"
    if _UNREAD.fullmatch(tag):
        return "unreadable-tag", "a tag that begins with tr, tc, p or r may hold no brace and no percent sign"
    if level and not _alone(paragraph, tag, level[1]):
        kind = _ALONE_IN[level[1]]
        return (
            "misplaced-tag",
            f"its {kind} is taken out with it, so it must stand alone in a {kind}, without a picture, break or note",
        )
    if not _in_one_holder(paragraph, match):
        return "split-tag", "a link or a mark of Word’s holds one end of it alone; type it anew"
    return None


def _in_one_holder(paragraph: Paragraph, tag: re.Match[str]) -> bool:
    """Whether the text of a tag begins and ends in runs of the same link, content control or paragraph."""
    runs = [text.getparent() for text, _, _ in paragraph.stretches(tag)]
    holders = [run.getparent() if run is not None else None for run in runs]
    return holders[0] is holders[-1]


def _alone(paragraph: Paragraph, tag: str, level: str) -> bool:
    around = next(paragraph.element.iterancestors(f"{W}{level}"), None) if level != "p" else paragraph.element
    if around is None or any(True for _ in around.iter(*_HOLDS_MORE)):
        return False
    if any(mark.get(f"{W}type") in ("page", "column") for mark in around.iter(f"{W}br")):
        return False
    return "".join(t.text or "" for t in around.iter(f"{W}t")).strip() == tag


@dataclass(slots=True)
class _Opened:
    """A `for` or `if` that nothing has closed yet, and whether its `else` has been."""

    word: str
    level: str | None
    container: _Container
    tag: Tag
    has_else: bool = False

    def unclosed(self) -> Misused:
        return _misuse(self.tag, f"no end{self.word} closes it")

    def closed_by(self, word: str, level: str | None, container: _Container) -> bool:
        return word == f"end{self.word}" and level == self.level and container == self.container

    def gone_on_with(self, word: str) -> str | None:
        """Why an `else` or `elif` cannot go on with it."""
        if self.has_else and word in ("else", "elif"):
            return f"an else of {self.tag.text} stands before it, after which there is only an end{self.word}"
        self.has_else |= word == "else"
        return "a loop has an else, but no elif" if word == "elif" and self.word == "for" else None


def _unbalanced(placed: list[tuple[Paragraph, Tag, re.Match[str]]]) -> list[Misused]:
    """Every `for` and `if` is closed, by a tag of its own kind and within what holds its row, cell or paragraph."""
    open_: list[_Opened] = []
    misused: list[Misused] = []
    for paragraph, tag, match in placed:
        statement = _STATEMENT.match(tag.text)
        if not statement:
            continue
        word, level = statement["word"], statement["level"]
        if word in ("for", "if"):
            open_.append(_Opened(word, level, paragraph.container(level, match), tag))
        elif word in ("else", "elif", "endfor", "endif"):
            misused += _fitted(open_, word, level, paragraph.container(level, match), tag)
    return misused + [opened.unclosed() for opened in reversed(open_)]


def _fitted(open_: list[_Opened], word: str, level: str | None, container: _Container, tag: Tag) -> Iterator[Misused]:
    """What is wrong with a tag that goes on with or closes another; what it closes is open no longer."""
    meant = [opened for opened in open_ if opened.closed_by(word, level, container)]
    while meant and open_[-1] is not meant[-1]:  # what was opened since, nothing closes
        yield open_.pop().unclosed()
    if not open_ or (word.startswith("end") and word != f"end{open_[-1].word}"):
        yield _misuse(tag, "it closes nothing that stands open before it")
        return
    opened = open_[-1]
    if level != opened.level or container != opened.container:
        together = _TOGETHER.get(opened.level or "", "in the same cell or text")
        yield _misuse(
            tag,
            f"it belongs to {opened.tag.text} ({opened.tag.place}), so it must begin like it, and stand {together}"
            f"{_held_apart(container, opened)}",
        )
    elif reason := opened.gone_on_with(word):
        yield _misuse(tag, reason)
    if word.startswith("end"):
        open_.pop()


def _held_apart(container: _Container, opened: _Opened) -> str:
    """What of Word’s stands between two tags that belong together."""
    ours, theirs = ({*map(_name, one)} for one in (container, opened.container))
    if "sdtContent" in ours ^ theirs:
        return "; one of them is in a content control: right-click it and choose Remove Content Control"
    return "; a link or a field of Word’s holds one of them apart" if len(container) > 1 and ours != theirs else ""


def _name(element: etree._Element | None) -> str:
    return etree.QName(element).localname if element is not None else ""


def _misuse(tag: Tag, reason: str) -> Misused:
    return Misused(tag.place, tag.text, reason, slug="unbalanced-tag", around=tag.around)


def paragraphs(part: str, root: etree._Element) -> Iterator[Paragraph]:
    """Every paragraph, in document order, with its address in Word's terms."""
    ordinals: dict[etree._Element, int] = {}  # of each table in the part, row in its table, cell in its row
    counts: Counter[tuple[etree._Element | None, str]] = Counter()
    before: dict[etree._Element | None, Counter[tuple[etree._Element | None, str]]] = {}
    for element in root.iter(*_HOLDERS, _CHOICES, _FALLBACK):
        tag = str(element.tag)
        if tag == _CHOICES:
            before[element] = counts.copy()
        elif tag == _FALLBACK:  # the same once more, for older programs
            counts = before.get(element.getparent(), counts)
        if tag not in _HOLDERS:
            continue
        holder = next(element.iterancestors(_HOLDERS[tag]), None) if _HOLDERS[tag] else None
        counts[holder, tag] += 1
        ordinals[element] = counts[holder, tag]
        if tag != f"{W}p":
            continue
        counts[None, tag] += holder is not None
        if holder is None:
            yield Paragraph(element, Place(part, paragraph=counts[None, tag]))
            continue
        row = next(holder.iterancestors(f"{W}tr"))
        table = next(row.iterancestors(f"{W}tbl"))
        yield Paragraph(element, Place(part, ordinals[table], ordinals[row], ordinals[holder], counts[holder, tag]))


def numbered(patched: str, tags: list[Tag], part: str) -> str:
    """The patched source with a newline inside each tag: tag n then stands on line n, counted from 1."""
    patched = patched.replace("\n", " ")
    texts = TAG.findall(patched)
    for ours, theirs in itertools.zip_longest(tags, texts):
        if ours is None or theirs is None or _bare(ours.text) != _bare(theirs):
            raise Misused(
                ours.place if ours else Place(part),
                ours.text if ours else theirs,
                "it could not be read in its order; no tag may stand in a picture’s alternative text or a Word field, "
                "nor beside a text box in the paragraph that holds the box",
                slug="tag-out-of-reach",
            )
    return TAG.sub(lambda tag: _END.sub(r"\n\g<0>", tag.group()).replace("&amp;", "&"), patched)


def in_plain_quotes(tag: str) -> str:
    """The tag with the quotes that Word has curled made straight, as patching does."""
    return tag.translate(_QUOTES)


def _bare(tag: str) -> str:
    """The tag without what patching may change in it."""
    plain = in_plain_quotes(tag.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return _WORDY.sub(lambda match: match.group(1) or "", plain)
