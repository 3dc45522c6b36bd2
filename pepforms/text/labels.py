"""The numbers and bullets of a Word file's lists, which stand in no text of it."""

from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


class _Level(NamedTuple):
    """How one level of a list is labelled."""

    start: int
    kind: str
    shape: str


class Labels:
    """Counts the list paragraphs of one document, in their order."""

    def __init__(self, numbering: bytes | None, styles: bytes | None) -> None:
        lists = etree.fromstring(numbering) if numbering else etree.Element("none")
        abstract = {one.get(f"{_W}abstractNumId", ""): _levels(one) for one in lists.iter(f"{_W}abstractNum")}
        self._lists = {
            one.get(f"{_W}numId", ""): (_value(one, "abstractNumId"), abstract.get(_value(one, "abstractNumId"), {}))
            for one in lists.iter(f"{_W}num")
        }
        sheet = etree.fromstring(styles) if styles else etree.Element("none")
        self._styles = {one.get(f"{_W}styleId", ""): one for one in sheet.iter(f"{_W}style")}
        self._places: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}

    def of(self, paragraph: etree._Element) -> str:
        """The label that is drawn before a paragraph; none where it is in no list."""
        properties = paragraph.find(f"{_W}pPr")
        number, depth = self._place(properties)
        _, levels = self._lists.get(number, ("", {}))
        if depth not in levels:
            return ""
        counts = self._counts.setdefault(number, {})
        counts[depth] = counts.get(depth, levels[depth].start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        return _label(levels, depth, counts)

    def _place(self, properties: etree._Element | None) -> tuple[str, int]:
        """The list that a paragraph is in, and how deep: its own word goes before its style's."""
        if properties is None:
            return "", 0
        return _own_place(properties) or self._place_of(_value(properties, "pStyle"))

    def _place_of(self, style: str) -> tuple[str, int]:
        """The list that a style puts its paragraphs in; a style that another is based on passes its own on."""
        if style not in self._places:
            self._places[style] = ("", 0)  # also for one that is based on itself
            sheet = self._styles.get(style)
            if sheet is not None:
                properties = sheet.find(f"{_W}pPr")
                own = _own_place(properties) if properties is not None else None
                self._places[style] = own or self._place_of(_value(sheet, "basedOn"))
        return self._places[style]


def _own_place(properties: etree._Element) -> tuple[str, int] | None:
    own = properties.find(f"{_W}numPr")
    if own is None or not _value(own, "numId"):
        return None
    return _value(own, "numId"), int(_value(own, "ilvl") or 0)


def _levels(abstract: etree._Element) -> dict[int, _Level]:
    return {
        int(level.get(f"{_W}ilvl", "0")): _Level(
            int(_value(level, "start") or 1), _value(level, "numFmt"), _value(level, "lvlText")
        )
        for level in abstract.iter(f"{_W}lvl")
    }


def _label(levels: Mapping[int, _Level], depth: int, counts: Mapping[int, int]) -> str:
    said = levels[depth].shape
    for level, (start, kind, _) in levels.items():
        said = said.replace(f"%{level + 1}", _number(counts.get(level, start), kind))
    return "" if levels[depth].kind == "none" else said


def _number(count: int, kind: str) -> str:
    if kind.endswith("Letter"):
        said = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
    elif kind.endswith("Roman"):
        said = _roman(count)
    else:
        said = str(count)
    return said.upper() if kind.startswith("upper") else said


def _roman(count: int) -> str:
    said = ""
    for value, letters in _ROMAN:
        said += letters * (count // value)
        count %= value
    return said


def _value(parent: etree._Element | None, name: str) -> str:
    child = parent.find(f"{_W}{name}") if parent is not None else None
    return child.get(f"{_W}val", "") if child is not None else ""
