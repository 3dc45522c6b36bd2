"""What Word demands of a file, put right where an author or the tags have left it otherwise."""

import re
from collections.abc import Mapping

from lxml import etree

from pepforms.fill.tags import W

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_ENDS = {
    **dict.fromkeys(("tc", "hdr", "ftr", "footnote", "endnote"), ("</w:p>", "<w:p/>")),
    "tbl": ("</w:tr>",),
    "tr": ("</w:tc>",),
}
"""How what holds paragraphs, rows or cells ends where it lacks none."""
_LACKING = re.compile(  # it looks back from the end, since looking back from everywhere takes ten times as long
    "|".join(f"</w:{name}>" + "".join(f"(?<!{end}</w:{name}>)" for end in ends) for name, ends in _ENDS.items())
)
"""What may lack something: most documents lack nothing, and are not read for it."""
_HYPHENATION = re.compile(rb"<w:autoHyphenation\b[^>]*(?:/>|></w:autoHyphenation>)")
_SETTINGS = "word/settings.xml"


def blocks(xml: str) -> str:
    """A part of which tags may have taken all that a row, a table, a cell, a header or a note held.

    Word opens no cell and no header without a paragraph, and no table without a row: the one gets an empty paragraph,
    the other goes.
    """
    if not _LACKING.search(xml):
        return xml
    root = etree.fromstring(xml.encode(), _STRICT)
    for of, needs in ((f"{W}tr", f"{W}tc"), (f"{W}tbl", f"{W}tr")):
        for empty in [one for one in root.iter(of) if next(one.iter(needs), None) is None]:
            around = empty.getparent()
            if around is not None:
                around.remove(empty)
    for holder in root.iter(f"{W}tc", f"{W}hdr", f"{W}ftr", f"{W}footnote", f"{W}endnote"):
        _close(holder, last=holder.tag == f"{W}tc")
    return etree.tostring(root, encoding="unicode")


def _close(holder: etree._Element, *, last: bool) -> None:
    """Give a holder the paragraph that it lacks: of a cell it must be the last thing."""
    held = [*holder.iterchildren(f"{W}p", f"{W}tbl", f"{W}sdt")]
    content = held[-1].find(f"{W}sdtContent") if held else None
    if content is not None:
        _close(content, last=last)
    elif not held or (last and held[-1].tag == f"{W}tbl"):
        holder.append(holder.makeelement(f"{W}p"))


def settings(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The parts of a template without automatic hyphenation, which would put hyphens into names and words."""
    written = parts.get(_SETTINGS)
    return {**parts, _SETTINGS: _HYPHENATION.sub(b"", written)} if written else dict(parts)
