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
_STRAY = re.compile(r"\{\{|\{%|\{#|%\}|\}\}|#\}")
_WORDY = re.compile(r"^(\{[{%#])(?:tr|tc|p|r)?[\s-]|\s+")
_NOT_OURS = re.compile(r"\{%[-+]?\s*(?:vm|hm|colspan|cellbg|raw|endraw)\b|\{\{(?:tr|tc|p)\s")
_LEVEL = re.compile(r"\{[%#](tr|tc|p)\s")
_STATEMENT = re.compile(r"\{%(?:(?P<level>tr|tc|p|r)\s)?[-+]?\s*(?P<word>\w+)")
_ALONE_IN = {"tr": "row", "tc": "cell", "p": "paragraph"}
_TOGETHER = {"tr": "in a row of the same table", "tc": "in a cell of the same row"}
_HOLDS_MORE = tuple(f"{W}{name}" for name in ("drawing", "pict", "object", "tbl"))
_HOLDERS = {f"{W}tbl": "", f"{W}tr": f"{W}tbl", f"{W}tc": f"{W}tr", f"{W}p": f"{W}tc"}
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

    def container(self, level: str | None) -> etree._Element | None:
        """What holds the row, cell or paragraph that a tag of this level stands for."""
        if level in ("tr", "tc"):
            return next((around.getparent() for around in self.element.iterancestors(f"{W}{level}")), None)
        return self.element.getparent()


def found(part: str, root: etree._Element) -> list[Tag]:
    """The tags of a part in document order; Misused where one could not work where it stands."""
    tags, misused = survey(part, root)
    if misused:
        raise misused[0]
    return tags


def survey(part: str, root: etree._Element) -> tuple[list[Tag], list[Misused]]:
    """The tags of a part in document order, and all that could not work where they stand."""
    if root.tag.endswith("}coreProperties"):
        facts = ((fact, Place(f"{part}, {etree.QName(fact).localname}")) for fact in root.iterchildren("*"))
        return [Tag(text, place, fact.text or "") for fact, place in facts for text in TAG.findall(fact.text or "")], []
    placed: list[tuple[Paragraph, Tag]] = []
    misused: list[Misused] = []
    for paragraph in paragraphs(part, root):
        text = paragraph.text
        if "{" in text or "}" in text:
            placed += ((paragraph, Tag(tag, paragraph.place, text)) for tag in TAG.findall(text))
            misused += _misused_in(paragraph, text)
    misused += _unbalanced(placed)
    return [tag for _, tag in placed], misused


def _misused_in(paragraph: Paragraph, text: str) -> Iterator[Misused]:
    """The tags of one paragraph that do not work there."""
    stray = _STRAY.search(TAG.sub("", text))
    if stray:
        yield Misused(
            paragraph.place,
            stray.group(),
            f"it is opened or closed without its other half in “{text[:80]}”; write each tag whole, in one paragraph",
            slug="split-tag",
            around=text,
        )
    for match in TAG.finditer(text):
        tag = match.group()
        level = _LEVEL.match(tag)
        if _NOT_OURS.match(tag):
            slug, reason = "tag-not-filled", "this kind of tag is not filled here; merge or colour cells in Word"
        elif level and not _alone(paragraph, tag, level[1]):
            kind = _ALONE_IN[level[1]]
            slug, reason = "misplaced-tag", f"its {kind} is taken out with it, so it must stand alone in a {kind}"
        elif not _in_one_holder(paragraph, match):
            slug, reason = "split-tag", "a link or a mark of Word’s holds one end of it alone; type it anew"
        else:
            continue
        yield Misused(paragraph.place, tag, reason, slug=slug, around=text)


def _in_one_holder(paragraph: Paragraph, tag: re.Match[str]) -> bool:
    """Whether the text of a tag begins and ends in runs of the same link, content control or paragraph."""
    holders, at = [], 0
    for text in paragraph.texts():
        end = at + len(text.text or "")
        if end > tag.start() and at < tag.end():
            run = text.getparent()
            holders.append(run.getparent() if run is not None else None)
        at = end
    return holders[0] is holders[-1]


def _alone(paragraph: Paragraph, tag: str, level: str) -> bool:
    around = next(paragraph.element.iterancestors(f"{W}{level}"), None) if level != "p" else paragraph.element
    if around is None or any(True for _ in around.iter(*_HOLDS_MORE)):
        return False
    return "".join(t.text or "" for t in around.iter(f"{W}t")).strip() == tag


@dataclass(frozen=True, slots=True)
class _Opened:
    """A `for` or `if` that nothing has closed yet."""

    word: str
    level: str | None
    container: etree._Element | None
    tag: Tag

    def unclosed(self) -> Misused:
        return _misuse(self.tag, f"no end{self.word} closes it")

    def closed_by(self, word: str, level: str | None, container: etree._Element | None) -> bool:
        return word == f"end{self.word}" and level == self.level and container is self.container


def _unbalanced(placed: list[tuple[Paragraph, Tag]]) -> list[Misused]:
    """Every `for` and `if` is closed, by a tag of its own kind and within what holds its row, cell or paragraph."""
    open_: list[_Opened] = []
    misused: list[Misused] = []
    for paragraph, tag in placed:
        statement = _STATEMENT.match(tag.text)
        if not statement:
            continue
        word, level = statement["word"], statement["level"]
        if word in ("for", "if"):
            open_.append(_Opened(word, level, paragraph.container(level), tag))
        elif word in ("else", "elif", "endfor", "endif"):
            misused += _fitted(open_, word, level, paragraph, tag)
    return misused + [opened.unclosed() for opened in reversed(open_)]


def _fitted(open_: list[_Opened], word: str, level: str | None, paragraph: Paragraph, tag: Tag) -> Iterator[Misused]:
    """What is wrong with a tag that goes on with or closes another; what it closes is open no longer."""
    container = paragraph.container(level)
    meant = [opened for opened in open_ if opened.closed_by(word, level, container)]
    while meant and open_[-1] is not meant[-1]:  # what was opened since, nothing closes
        yield open_.pop().unclosed()
    if not open_ or (word.startswith("end") and word != f"end{open_[-1].word}"):
        yield _misuse(tag, "it closes nothing that stands open before it")
        return
    opened = open_[-1]
    if level != opened.level or container is not opened.container:
        yield _misuse(
            tag,
            f"it belongs to {opened.tag.text} ({opened.tag.place}), so it must begin like it, "
            f"and stand {_TOGETHER.get(opened.level or '', 'in the same cell or text')}",
        )
    if word.startswith("end"):
        open_.pop()


def _misuse(tag: Tag, reason: str) -> Misused:
    return Misused(tag.place, tag.text, reason, slug="unbalanced-tag", around=tag.around)


def paragraphs(part: str, root: etree._Element) -> Iterator[Paragraph]:
    """Every paragraph, in document order, with its address in Word's terms."""
    ordinals: dict[etree._Element, int] = {}  # of each table in the part, row in its table, cell in its row
    counts: Counter[tuple[etree._Element | None, str]] = Counter()
    for element in root.iter(*_HOLDERS):
        tag = str(element.tag)
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
