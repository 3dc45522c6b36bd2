"""The tags of a template and where they stand, so that an error can name the cell an author must open in Word.

The tags are found in the Word file in document order before docxtpl's patching moves XML about. Patching keeps their
order, and one newline put inside each tag afterwards makes Jinja's line number the ordinal of the tag.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pepforms.errors import Refused

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_STRAY = re.compile(r"\{\{|\{%|\{#|%\}|\}\}")
_WORDY = re.compile(r"^(\{[{%#])(?:tr|tc|p|r)?[\s-]|\s+")
_NOT_OURS = re.compile(r"\{%-?\s*(vm|hm|colspan|cellbg)\b")
_QUOTES = str.maketrans("“”‘’", "\"\"''")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as its author sees it, and the place where it stands."""

    text: str
    place: str


def found(part: str, root: etree._Element) -> list[Tag]:
    """The tags of a part in document order; one that is opened and not closed in its paragraph is refused."""
    if root.tag.endswith("coreProperties"):
        return [
            Tag(text, f"{part}, {etree.QName(fact).localname}")
            for fact in root
            for text in TAG.findall(fact.text or "")
        ]
    return [Tag(text, place) for paragraph, place in _places(part, root) for text in _in_paragraph(paragraph, place)]


def _in_paragraph(paragraph: etree._Element, place: str) -> list[str]:
    text = "".join(t.text or "" for t in paragraph.iter(f"{W}t") if next(t.iterancestors(f"{W}p")) is paragraph)
    stray = _STRAY.search(TAG.sub("", text))
    if stray:
        raise Refused(
            f"{place}: a tag is opened or closed without its other half ({stray.group()}) in “{text[:80]}”. "
            "Write each tag whole, in one paragraph.",
            slug="template-broken-tag",
        )
    texts = TAG.findall(text)
    for tag in texts:
        unsupported = _NOT_OURS.match(tag)
        if unsupported:
            raise Refused(
                f"{place}: the tag {tag} is not one that pepforms fills. Merge the cells in Word instead.",
                slug="template-unsupported-tag",
            )
    return texts


def _places(part: str, root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Every paragraph, in document order, with its address in Word's terms."""
    tables = {table: number for number, table in enumerate(root.iter(f"{W}tbl"), 1)}
    for number, paragraph in enumerate(root.iter(f"{W}p"), 1):
        cell = next(paragraph.iterancestors(f"{W}tc"), None)
        if cell is None:
            yield paragraph, f"{part}, paragraph {number}"
            continue
        row = next(cell.iterancestors(f"{W}tr"))
        table = next(row.iterancestors(f"{W}tbl"))
        yield paragraph, f"{part}, table {tables[table]}, row {_ordinal(row)}, cell {_ordinal(cell)}"


def _ordinal(element: etree._Element) -> int:
    return 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))


def numbered(part: str, patched: str, tags: list[Tag]) -> str:
    """The patched source with a newline inside each tag: tag n then stands on line n, counted from 1."""
    patched = patched.replace("\n", " ")
    texts = TAG.findall(patched)
    if [_bare(text) for text in texts] != [_bare(tag.text) for tag in tags]:
        raise Refused(
            f"{part}: its tags could not be read in order. A row, cell or paragraph tag ({{%tr, {{%tc, {{%p) must stand "
            "alone in its row, cell or paragraph, and no tag may stand in a picture's alternative text.",
            slug="template-misplaced-tag",
        )
    return TAG.sub(lambda tag: f"{tag.group()[:-2]}\n{tag.group()[-2:]}", patched)


def _bare(tag: str) -> str:
    """The tag without what patching may change in it."""
    plain = tag.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").translate(_QUOTES)
    return _WORDY.sub(lambda match: match.group(1) or "", plain)
