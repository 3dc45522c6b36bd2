"""The letterhead: one Word file whose styles, headers and footers every document takes, in the authority's colour.

What stands in its text stands at the head of every document's text. What is changed there is changed everywhere. A
template keeps what is its own: its text, its lists, the styles that the letterhead lacks, the width of its pages.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pepforms.fill import package
from pepforms.fill.lengths import twips

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)
_STYLES, _TEXT, _TYPES = "word/styles.xml", "word/document.xml", "[Content_Types].xml"
_PAGE_PART = re.compile(r"word/(header|footer)\d*\.xml")
_SETTINGS = "word/settings.xml"
_TEXT_RELATIONS = "word/_rels/document.xml.rels"
_NO_RELATIONS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_MARGINS = ("top", "bottom", "header", "footer")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """A Word file, by its bytes and name, and the colour (`1B3A5C`) that takes the place of its title's; None: none."""

    data: bytes
    name: str
    colour: str | None = None

    def dress(self, template: dict[str, bytes]) -> dict[str, bytes]:
        """The parts of a template under this letterhead; Refused where the letterhead is no Word file."""
        head = package.read(self.data, self.name)
        text, above = etree.fromstring(template[_TEXT], _STRICT), etree.fromstring(head[_TEXT], _STRICT)
        sections = list(text.iter(f"{_W}sectPr"))
        model = next(above.iter(f"{_W}sectPr"))
        shift = _width(sections[-1]) - _width(model) if sections else 0
        dressed = {name: part for name, part in template.items() if not is_of_pages(name)}
        dressed |= {name: _shifted(part, shift) for name, part in head.items() if is_of_pages(name)}
        dressed |= {name: part for name, part in head.items() if name.startswith("word/media/")}
        references = [*_references(head, model)]
        for section in sections:
            _head(section, model, references)
        text[0][:0] = [part for part in above[0] if part.tag != f"{_W}sectPr"]
        dressed[_TEXT] = _written(text)
        dressed[_STYLES] = _styles(template.get(_STYLES), _shifted(head[_STYLES], shift))
        if _SETTINGS in template:
            dressed[_SETTINGS] = _settings(template[_SETTINGS], head.get(_SETTINGS, b""))
        dressed[_TEXT_RELATIONS] = _relations(template.get(_TEXT_RELATIONS, _NO_RELATIONS), references)
        dressed[_TYPES] = _types(template[_TYPES], head[_TYPES])
        return self._coloured(dressed, head[_STYLES])

    def _coloured(self, parts: dict[str, bytes], styles: bytes) -> dict[str, bytes]:
        """Whatever has the colour of the letterhead's title, in the authority's colour."""
        title = re.search(rb'w:styleId="Title".*?<w:color w:val="([0-9A-Fa-f]{6})"', styles, re.DOTALL)
        if not self.colour or not title:
            return parts
        old, new = re.compile(rb'(?<==")' + title[1] + rb'(?=")', re.IGNORECASE), self.colour.encode()
        return {
            name: old.sub(new, part) if name.startswith("word/") and name.endswith(".xml") else part
            for name, part in parts.items()
        }


@dataclass(frozen=True, slots=True)
class _Reference:
    """A header or footer: its element's kind, on which pages it stands, its part, the id that it is given."""

    element: str
    pages: str
    part: str
    identity: str


def is_of_pages(name: str) -> bool:
    """Whether a part is a header or a footer, or what belongs to one."""
    holder = name.replace("/_rels/", "/").removesuffix(".rels")
    return bool(_PAGE_PART.fullmatch(holder))


def _references(head: dict[str, bytes], model: etree._Element) -> Iterator[_Reference]:
    """The headers and footers of a letterhead, in their order."""
    targets = {one.get("Id"): one.get("Target", "") for one in etree.fromstring(head[_TEXT_RELATIONS], _STRICT)}
    found = model.iterchildren(f"{_W}headerReference", f"{_W}footerReference")
    for number, one in enumerate(found, 1):
        part = posixpath.normpath(posixpath.join("word", targets[one.get(f"{_R}id")]))
        yield _Reference(str(one.tag), one.get(f"{_W}type", "default"), part, f"letterhead{number}")


def _head(section: etree._Element, model: etree._Element, references: list[_Reference]) -> None:
    """Give a section the letterhead's headers and footers, and the room for them."""
    for old in [*section.iterchildren(f"{_W}headerReference", f"{_W}footerReference", f"{_W}titlePg")]:
        section.remove(old)
    for place, one in enumerate(references):
        attributes = {f"{_W}type": one.pages, f"{_R}id": one.identity}
        section.insert(place, section.makeelement(one.element, attributes))
    ours, theirs = section.find(f"{_W}pgMar"), model.find(f"{_W}pgMar")
    if ours is not None and theirs is not None:
        for side in _MARGINS:
            ours.set(f"{_W}{side}", theirs.get(f"{_W}{side}", "0"))
    own = model.find(f"{_W}titlePg")
    if own is not None and own.get(f"{_W}val", "1") not in _OFF:
        after = [one for one in section if etree.QName(one).localname in _BEFORE_TITLE_PAGE]
        section.insert(section.index(after[-1]) + 1 if after else len(section), section.makeelement(f"{_W}titlePg"))


_BEFORE_TITLE_PAGE = (
    "headerReference", "footerReference", "footnotePr", "endnotePr", "type", "pgSz", "pgMar", "paperSrc", "pgBorders",
    "lnNumType", "pgNumType", "cols", "formProt", "vAlign", "noEndnote",
)  # fmt: skip
"""What stands before `titlePg` in a section (ECMA-376, part 1, 17.6.17)."""


_OFF = ("0", "false", "off")


def _settings(template: bytes, head: bytes) -> bytes:
    """A template's settings; its even pages have headers of their own only where the letterhead's have."""
    root = etree.fromstring(template, _STRICT)
    for own in root.findall(f"{_W}evenAndOddHeaders"):
        if b"evenAndOddHeaders" not in head:
            root.remove(own)
    return _written(root)


def _width(section: etree._Element) -> int:
    """The room between the margins, in twentieths of a point."""
    size, margins = section.find(f"{_W}pgSz"), section.find(f"{_W}pgMar")
    if size is None or margins is None:
        return 0
    return twips(size.get(f"{_W}w")) - twips(margins.get(f"{_W}left")) - twips(margins.get(f"{_W}right"))


def _shifted(part: bytes, shift: int) -> bytes:
    """A part whose right-hand tabs stand where a wider or narrower page ends."""
    if not shift or b"<w:tab " not in part:
        return part
    root = etree.fromstring(part, _STRICT)
    for tab in root.iter(f"{_W}tab"):
        if tab.get(f"{_W}val") == "right":
            tab.set(f"{_W}pos", str(twips(tab.get(f"{_W}pos")) + shift))
    return _written(root)


def _styles(template: bytes | None, head: bytes) -> bytes:
    """The letterhead's styles, and those of the template that it lacks; a style's list stays the template's own."""
    ours = etree.fromstring(head, _STRICT)
    theirs = etree.fromstring(template, _STRICT) if template else ours
    known = {one.get(f"{_W}styleId"): one for one in ours.iter(f"{_W}style")}
    for style in theirs.iter(f"{_W}style"):
        named = known.get(style.get(f"{_W}styleId"))
        if named is None:
            ours.append(_copied(style))
        elif style is not named:
            _keep_list(style, named)
    return _written(ours)


def _keep_list(style: etree._Element, named: etree._Element) -> None:
    lists, old = style.find(f"{_W}pPr/{_W}numPr"), named.find(f"{_W}pPr/{_W}numPr")
    if old is not None:
        parent = old.getparent()
        assert parent is not None
        if lists is not None:
            parent.replace(old, _copied(lists))
        else:
            parent.remove(old)


def _copied(element: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(element), _STRICT)


def _relations(template: bytes, references: list[_Reference]) -> bytes:
    root = etree.fromstring(template, _STRICT)
    for one in [one for one in root if one.get("Type", "").endswith(("/header", "/footer"))]:
        root.remove(one)
    for reference in references:
        kind = f"{_R[1:-1]}/{etree.QName(reference.element).localname.removesuffix('Reference')}"
        attributes = {"Id": reference.identity, "Type": kind, "Target": posixpath.relpath(reference.part, "word")}
        etree.SubElement(root, root.tag.replace("Relationships", "Relationship"), attributes)
    return _written(root)


def _types(template: bytes, head: bytes) -> bytes:
    """The kinds of all parts that there are now."""
    root = etree.fromstring(template, _STRICT)
    for one in [one for one in root if is_of_pages(one.get("PartName", "").lstrip("/"))]:
        root.remove(one)
    known = {_typed(one) for one in root}
    for one in etree.fromstring(head, _STRICT):
        if _typed(one) not in known and (one.get("Extension") or is_of_pages(_typed(one).lstrip("/"))):
            root.append(_copied(one))
    return _written(root)


def _typed(entry: etree._Element) -> str:
    return (entry.get("PartName") or entry.get("Extension") or "").lower()


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
