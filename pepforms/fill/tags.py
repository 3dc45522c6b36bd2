"""The tags of a template and where they stand, so that an error can name the cell an author must open in Word.

The tags are found in the Word file in document order before docxtpl's patching moves XML about. Patching keeps their
order, and one newline put inside each tag afterwards makes Jinja's line number the ordinal of the tag.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_STRAY = re.compile(r"\{\{|\{%|\{#|%\}|\}\}|#\}")
_WORDY = re.compile(r"^(\{[{%#])(?:tr|tc|p|r)?[\s-]|\s+")
_NOT_OURS = re.compile(r"\{%[-+]?\s*(?:vm|hm|colspan|cellbg|raw|endraw)\b|\{\{(?:tr|tc|p)\s")
_LEVEL = re.compile(r"\{[%#](tr|tc|p)\s")
_STATEMENT = re.compile(r"\{%(?:(?P<level>tr|tc|p|r)\s)?[-+]?\s*(?P<word>\w+)")
_ALONE_IN = {"tr": "row", "tc": "cell", "p": "paragraph"}
_TOGETHER = {"tr": "in a row of the same table", "tc": "in a cell of the same row"}
_HOLDS_MORE = tuple(f"{W}{name}" for name in ("drawing", "pict", "object", "tbl"))
_QUOTES = str.maketrans("“”‘’", "\"\"''")


class Misused(Exception):
    """A tag that cannot be used where it stands: `args` are its place, its text and the reason."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as its author sees it, and the place where it stands."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class _Paragraph:
    element: etree._Element
    place: str

    @property
    def text(self) -> str:
        """Its own text, without that of text boxes that hang on it."""
        texts = self.element.iter(f"{W}t")
        return "".join(t.text or "" for t in texts if next(t.iterancestors(f"{W}p")) is self.element)

    def container(self, level: str | None) -> etree._Element | None:
        """What holds the row, cell or paragraph that a tag of this level stands for."""
        if level in ("tr", "tc"):
            return next((around.getparent() for around in self.element.iterancestors(f"{W}{level}")), None)
        return self.element.getparent()


def found(part: str, root: etree._Element) -> list[Tag]:
    """The tags of a part in document order; Misused where one could not work where it stands."""
    if root.tag.endswith("}coreProperties"):
        facts = ((fact, f"{part}, {etree.QName(fact).localname}") for fact in root.iterchildren("*"))
        return [Tag(text, place) for fact, place in facts for text in TAG.findall(fact.text or "")]
    placed = [
        (paragraph, Tag(text, paragraph.place)) for paragraph in _paragraphs(part, root) for text in _in(paragraph)
    ]
    _balance(placed)
    return [tag for _, tag in placed]


def _in(paragraph: _Paragraph) -> list[str]:
    """The tags of one paragraph, each of which works there."""
    text = paragraph.text
    stray = _STRAY.search(TAG.sub("", text))
    if stray:
        raise Misused(
            paragraph.place,
            stray.group(),
            f"it is opened or closed without its other half in “{text[:80]}”; write each tag whole, in one paragraph",
        )
    texts: list[str] = TAG.findall(text)
    for tag in texts:
        if _NOT_OURS.match(tag):
            raise Misused(paragraph.place, tag, "this kind of tag is not filled here; merge or colour cells in Word")
        level = _LEVEL.match(tag)
        if level and not _alone(paragraph, tag, level[1]):
            kind = _ALONE_IN[level[1]]
            raise Misused(paragraph.place, tag, f"its {kind} is taken out with it, so it must stand alone in a {kind}")
    return texts


def _alone(paragraph: _Paragraph, tag: str, level: str) -> bool:
    around = next(paragraph.element.iterancestors(f"{W}{level}"), None) if level != "p" else paragraph.element
    if around is None or any(True for _ in around.iter(*_HOLDS_MORE)):
        return False
    return "".join(t.text or "" for t in around.iter(f"{W}t")).strip() == tag


def _balance(placed: list[tuple[_Paragraph, Tag]]) -> None:
    """Every `for` and `if` is closed, by a tag of its own kind and within what holds its row, cell or paragraph."""
    open_: list[tuple[str, str | None, etree._Element | None, Tag]] = []
    for paragraph, tag in placed:
        statement = _STATEMENT.match(tag.text)
        if not statement:
            continue
        word, level = statement["word"], statement["level"]
        if word in ("for", "if"):
            open_.append((word, level, paragraph.container(level), tag))
        elif word in ("else", "elif", "endfor", "endif"):
            if not open_ or (word.startswith("end") and word != f"end{open_[-1][0]}"):
                raise Misused(tag.place, tag.text, "it closes nothing that stands open before it")
            _, opened, container, opener = open_[-1]
            if level != opened or paragraph.container(level) is not container:
                raise Misused(
                    tag.place,
                    tag.text,
                    f"it belongs to {opener.text} ({opener.place}), so it must begin like it, "
                    f"and stand {_TOGETHER.get(opened or '', 'in the same cell or text')}",
                )
            if word.startswith("end"):
                open_.pop()
    if open_:
        word, *_, tag = open_[-1]
        raise Misused(tag.place, tag.text, f"no end{word} closes it")


def _paragraphs(part: str, root: etree._Element) -> Iterator[_Paragraph]:
    """Every paragraph, in document order, with its address in Word's terms."""
    tables = {table: number for number, table in enumerate(root.iter(f"{W}tbl"), 1)}
    for number, paragraph in enumerate(root.iter(f"{W}p"), 1):
        cell = next(paragraph.iterancestors(f"{W}tc"), None)
        if cell is None:
            yield _Paragraph(paragraph, f"{part}, paragraph {number}")
            continue
        row = next(cell.iterancestors(f"{W}tr"))
        table = next(row.iterancestors(f"{W}tbl"))
        place = f"{part}, table {tables[table]}, row {_ordinal(row, table)}, cell {_ordinal(cell, row)}"
        yield _Paragraph(paragraph, place)


def _ordinal(element: etree._Element, within: etree._Element) -> int:
    """Its number among its like; a content control around some of them does not count anew."""
    like = (other for other in within.iter(element.tag) if next(other.iterancestors(within.tag)) is within)
    return next(number for number, other in enumerate(like, 1) if other is element)


def numbered(patched: str, tags: list[Tag], part: str) -> str:
    """The patched source with a newline inside each tag: tag n then stands on line n, counted from 1."""
    patched = patched.replace("\n", " ")
    texts = TAG.findall(patched)
    for ours, theirs in itertools.zip_longest(tags, texts):
        if ours is None or theirs is None or _bare(ours.text) != _bare(theirs):
            raise Misused(
                ours.place if ours else part,
                ours.text if ours else theirs,
                "it could not be read in its order; no tag may stand in a picture’s alternative text or a Word field, "
                "nor beside a text box in the paragraph that holds the box",
            )
    return TAG.sub(lambda tag: f"{tag.group()[:-2]}\n{tag.group()[-2:]}".replace("&amp;", "&"), patched)


def _bare(tag: str) -> str:
    """The tag without what patching may change in it."""
    plain = tag.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").translate(_QUOTES)
    return _WORDY.sub(lambda match: match.group(1) or "", plain)
