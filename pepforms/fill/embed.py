"""What a filled document carries beside its text: embedded fonts and pictures, with their relationships and types; and
which version of the template made it.
"""

import functools
import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from pepforms.fill.package import Part
from pepforms.fill.pictures import Made
from pepforms.fonts import FACES, Face, cut, masked

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FONT_TABLE = "word/fontTable.xml"
_FONT_TABLE_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.fontTable+xml"
_OBFUSCATED_TYPE = "application/vnd.openxmlformats-officedocument.obfuscatedFont"
_EXTENDED = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
_PROPERTIES = "docProps/app.xml"
_PROPERTIES_TYPE = "application/vnd.openxmlformats-officedocument.extended-properties+xml"
_EMPTY_PROPERTIES = f'<Properties xmlns="{_EXTENDED}"/>'.encode()
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)
_LETTERS = frozenset(map(chr, range(0x20, 0x7F)))
_EMPTY_FONT_TABLE = f'<w:fonts xmlns:w="{_W[1:-1]}" xmlns:r="{_OFFICE}"/>'.encode()
_EMPTY_RELATIONSHIPS = f'<Relationships xmlns="{_RELATIONSHIPS}"/>'.encode()


def version(template: dict[str, bytes], parts: dict[str, Part], of: str) -> None:
    """Write the template's version where Word keeps the name of a document's template (File, Info, Advanced)."""
    if _PROPERTIES not in template:
        _relate(template, parts, "", "pepformsProperties", "extended-properties", _PROPERTIES)
        _type(template, parts, "Override", {"PartName": f"/{_PROPERTIES}", "ContentType": _PROPERTIES_TYPE})
    try:
        root = etree.fromstring(template.get(_PROPERTIES, _EMPTY_PROPERTIES), _STRICT)
    except etree.XMLSyntaxError:  # nothing in there is of use to a reader
        root = etree.fromstring(_EMPTY_PROPERTIES)
    named = root.find(f"{{{_EXTENDED}}}Template")
    if named is None:
        named = etree.Element(f"{{{_EXTENDED}}}Template")
        root.insert(0, named)
    named.text = of
    _keep(template, parts, _PROPERTIES, root)


def pictures(template: dict[str, bytes], parts: dict[str, Part], part: str, made: Made) -> None:
    """Add the pictures that a part has printed."""
    if not made.pictures:
        return
    stem = part.rsplit("/", 1)[-1].removesuffix(".xml")
    for number, png in enumerate(made.pictures, 1):
        name = f"media/pepforms-{stem}-{number}.png"
        parts[f"word/{name}"] = Part.of(png, level=0)
        _relate(template, parts, part, f"pepforms{number}", "image", name)
    _type(template, parts, "Default", {"Extension": "png", "ContentType": "image/png"})


def fonts(template: dict[str, bytes], parts: dict[str, Part], drawn: Mapping[Face, set[str]]) -> None:
    """Embed of each face what draws these characters, and plain letters to go on writing with."""
    if _FONT_TABLE not in template:
        _relate(template, parts, "word/document.xml", "pepformsFonts", "fontTable", "fontTable.xml")
        _type(template, parts, "Override", {"PartName": f"/{_FONT_TABLE}", "ContentType": _FONT_TABLE_TYPE})
    table = etree.fromstring(template.get(_FONT_TABLE, _EMPTY_FONT_TABLE))
    for face in (face for face in FACES if face in drawn):
        for old in [font for font in table if font.get(f"{_W}name") == face.family]:
            table.remove(old)
        font = etree.SubElement(table, f"{_W}font", {f"{_W}name": face.family})
        for kind, file in (("embedRegular", face.regular), ("embedBold", face.bold)):
            if file is None:
                continue
            key, obfuscated = _obfuscated(file, frozenset(drawn[face]))
            identity = f"pepforms-{file.stem}"
            parts[f"word/fonts/{file.stem}.odttf"] = obfuscated
            _relate(template, parts, _FONT_TABLE, identity, "font", f"fonts/{file.stem}.odttf")
            etree.SubElement(font, f"{_W}{kind}", {f"{{{_OFFICE}}}id": identity, f"{_W}fontKey": key})
    _keep(template, parts, _FONT_TABLE, table)
    _type(template, parts, "Default", {"Extension": "odttf", "ContentType": _OBFUSCATED_TYPE})


@functools.lru_cache(maxsize=32)
def _obfuscated(file: Path, characters: frozenset[str]) -> tuple[str, Part]:
    """A font's key and its bytes masked by it; the key comes from the font: same font, same bytes."""
    data = cut(file, characters | _LETTERS)
    key = uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])
    return f"{{{str(key).upper()}}}", Part.of(masked(data, key), level=1)


def _relate(
    template: dict[str, bytes], parts: dict[str, Part], part: str, identity: str, kind: str, target: str
) -> None:
    folder, _, name = part.rpartition("/")
    path = f"{folder}/_rels/{name}.rels".lstrip("/")
    root = etree.fromstring(template.get(path, _EMPTY_RELATIONSHIPS))
    attributes = {"Id": identity, "Type": f"{_OFFICE}/{kind}", "Target": target}
    etree.SubElement(root, f"{{{_RELATIONSHIPS}}}Relationship", attributes)
    _keep(template, parts, path, root)


def _type(template: dict[str, bytes], parts: dict[str, Part], kind: str, attributes: dict[str, str]) -> None:
    root = etree.fromstring(template["[Content_Types].xml"])
    named = next(iter(attributes))  # one entry for each extension or part, whatever type it gives
    if not any((known.get(named) or "").lower() == attributes[named].lower() for known in root):
        root.insert(0, etree.Element(f"{_TYPES}{kind}", attributes))
        _keep(template, parts, "[Content_Types].xml", root)


def _keep(template: dict[str, bytes], parts: dict[str, Part], path: str, root: etree._Element) -> None:
    template[path] = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
    parts[path] = Part.of(template[path], level=1)
