"""What a Word file says, read from its XML."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pepforms.text.labels import Labels

LINE_END = "\n"

PAGE_NUMBER, PAGE_COUNT = "\ue000", "\ue001"
"""Stand in a header where the page's own number goes, and the number of all."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_ALTERNATIVE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_BREAKS = {f"{_W}{name}": said for name, said in (("tab", " "), ("br", LINE_END), ("cr", LINE_END), ("p", LINE_END))}
_SAID = (f"{_W}t", f"{_W}noBreakHyphen", f"{_W}fldChar", f"{_W}instrText", f"{_W}fldSimple", *_BREAKS)
_READ = re.compile(
    r"word/((document|numbering|styles|settings|(foot|end)notes|header\d*|footer\d*)\.xml|_rels/document\.xml\.rels)"
)
_RELATIONSHIP = re.compile(r"<Relationship\s[^>]*>")


@dataclass(frozen=True, slots=True)
class Word:
    """What a Word file says: its text; its headers and footers by the page they stand on, as paragraphs; its pictures.

    `first` stands on the first page, `others` holds what may stand on a later one: of one section with the same header
    on odd and even pages just one entry. `headings` are the heading rows of tables, which engines draw again on every
    page that the table runs over. `named` is the text of the runs that name a font of their own, by that font.
    """

    body: str
    first: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]
    headings: tuple[str, ...]
    described: Counter[str]
    named: dict[str, list[str]]


def read(docx: bytes) -> Word:
    """What a Word file says, in the order in which it is written."""
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if _READ.fullmatch(name)}
    body = etree.fromstring(parts["word/document.xml"])
    notes = [etree.fromstring(part) for name, part in parts.items() if name.endswith("notes.xml")]
    labels = Labels(parts.get("word/numbering.xml"), parts.get("word/styles.xml"))
    named: dict[str, list[str]] = {}
    said = [_said(root, labels, named) for root in (body, *notes)]
    headings = [_said(row, Labels(None, None), {}) for table in body.iter(f"{_W}tbl") for row in _headings(table)]
    drawn = (picture.get("descr") for picture in body.iter(_DRAWN) if not _hidden(picture))
    first, others = _running(body, parts)
    described = Counter(words for words in drawn if words)
    return Word(LINE_END.join(said), first, others, tuple(dict.fromkeys(headings)), described, named)


def _headings(table: etree._Element) -> Iterator[etree._Element]:
    """The heading rows of a table: those at its beginning that say so."""
    for row in table.iterchildren(f"{_W}tr"):
        if row.find(f"{_W}trPr/{_W}tblHeader") is None:
            return
        yield row


def _targets(relationships: str) -> dict[str, str]:
    elements = map(etree.fromstring, _RELATIONSHIP.findall(relationships))
    return {one.get("Id", ""): one.get("Target", "").removeprefix("/word/") for one in elements}


def _said(root: etree._Element, labels: Labels, named: dict[str, list[str]]) -> str:
    """The text under an element, without what is deleted, hidden or another program's copy of it."""
    out: list[str] = []
    fields: list[str] = []  # of each field that is open: what its result stands for, if not for itself
    watchful = any(next(root.iter(tag), None) is not None for tag in (f"{_W}vanish", _ALTERNATIVE, f"{_W}del"))
    for element in root.iter(*_SAID):
        if watchful and _hidden(element):
            continue
        if element.tag in _BREAKS:
            out.append(_BREAKS[element.tag])
            if element.tag == f"{_W}p" and (label := labels.of(element)):
                out.append(f"{label} ")
        elif element.tag == f"{_W}fldChar":
            _field(element.get(f"{_W}fldCharType", ""), fields, out)
        elif element.tag == f"{_W}instrText":
            fields[-1:] = [_number(element.text or "") or fields[-1]] if fields else []
        elif element.tag == f"{_W}noBreakHyphen":
            out.append("-")
        elif element.tag == f"{_W}t" and not any(fields) and not _in_number(element):
            out.append(element.text or "")
            font = element.find(f"../{_W}rPr/{_W}rFonts")
            if font is not None:
                named.setdefault(font.get(f"{_W}ascii", ""), []).append(out[-1])
        elif element.tag == f"{_W}fldSimple":
            out.append(_number(element.get(f"{_W}instr", "")))
    return "".join(out)


def _field(kind: str, fields: list[str], out: list[str]) -> None:
    if kind == "begin":
        fields.append("")
    elif kind == "end" and fields:
        out.append(fields.pop())


def _number(instruction: str) -> str:
    """What a field's result stands for that an engine counts anew; nothing for another field."""
    words = instruction.split()
    return {"PAGE": PAGE_NUMBER, "NUMPAGES": PAGE_COUNT}.get(words[0].upper() if words else "", "")


def _in_number(text: etree._Element) -> bool:
    around = text.getparent()
    around = around.getparent() if around is not None else None
    return around is not None and around.tag == f"{_W}fldSimple" and bool(_number(around.get(f"{_W}instr", "")))


def _hidden(element: etree._Element) -> bool:
    run = element.find(f"../{_W}rPr/{_W}vanish")
    return run is not None or any(around.tag in (_ALTERNATIVE, f"{_W}del") for around in element.iterancestors())


def _running(body: etree._Element, parts: dict[str, bytes]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The paragraphs of headers and footers on the first page, and those that may stand on another."""
    targets = _targets(parts["word/_rels/document.xml.rels"].decode())
    by_turns = b"<w:evenAndOddHeaders" in parts.get("word/settings.xml", b"")
    lines: dict[tuple[str, str], tuple[str, ...]] = {}  # by header or footer and by page; sections inherit them
    sets: list[tuple[str, ...]] = []
    for section in body.iter(f"{_W}sectPr"):
        for reference in section.iterchildren(f"{_W}headerReference", f"{_W}footerReference"):
            part = parts[f"word/{targets[reference.get(f'{_R}id', '')]}"]
            lines[str(reference.tag), reference.get(f"{_W}type", "")] = _lines(part)
        title = [_on("first", lines)] if section.find(f"{_W}titlePg") is not None else []
        even = [_on("even", lines)] if by_turns else []
        sets += [*title, _on("default", lines), *even] if not sets else [_on("default", lines), *even, *title]
    first, *others = sets or [()]
    return first, tuple(dict.fromkeys(others or [first]))


def _lines(part: bytes) -> tuple[str, ...]:
    said = _said(etree.fromstring(part), Labels(None, None), {})
    return tuple(filter(None, map(str.strip, said.split(LINE_END))))


def _on(page: str, lines: dict[tuple[str, str], tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(line for kind in ("header", "footer") for line in lines.get((f"{_W}{kind}Reference", page), ()))
