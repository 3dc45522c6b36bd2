"""Every character drawn: runs are cut where their font must change, and right-to-left paragraphs say so."""

import copy
import itertools
import re

from lxml import etree

from pepforms import fonts
from pepforms.fill.tags import TAG, Paragraph, W, paragraphs

_AFTER_RTL = ("cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath", "rPrChange")
_COMPLEX = (("b", "bCs"), ("i", "iCs"), ("sz", "szCs"))
_AFTER_BIDI = (
    "adjustRightInd", "snapToGrid", "spacing", "ind", "contextualSpacing", "mirrorIndents", "suppressOverlap", "jc",
    "textDirection", "textAlignment", "textboxTightWrap", "outlineLvl", "divId", "cnfStyle", "rPr", "sectPr",
    "pPrChange",
)  # fmt: skip
_AFTER_SPACING = _AFTER_BIDI[_AFTER_BIDI.index("spacing") + 1 :]
_OPENING = re.compile(r"<(?P<name>w:(?:document|hdr|ftr|footnotes|endnotes))\b[^>]*>")
_OF_A_RUN = re.compile(r"\{[{%]r\s")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


Drawn = dict[fonts.Face, set[str]]
"""What each face draws."""


def give_fonts(xml: str) -> tuple[str, Drawn]:
    """The part with every run cut whose font lacks a character, and what the faces draw that the document must embed.

    Only the paragraphs that hold such a character are parsed: most documents hold none or a few.
    """
    wrapper = _OPENING.search(xml)
    if wrapper is None or "<w:txbxContent" in xml:  # paragraphs inside paragraphs: not to be found by their ends
        return _with_fonts(xml)
    drawn: Drawn = {}
    out, done = [], 0
    while beyond := fonts.BEYOND_BASE.search(xml, done):
        start, end = _paragraph_around(xml, done, beyond.start())
        out.append(xml[done:start])
        if start < end:
            cut, more = _with_fonts(f"{wrapper.group()}{xml[start:end]}</{wrapper['name']}>")
            out.append(cut[cut.index(">") + 1 : cut.rindex("<")])
            add(drawn, more)
        done = end
    return "".join([*out, xml[done:]]), drawn


def part_tags(root: etree._Element) -> None:
    """Give each tag that takes the place of a run (`{{r … }}`) a run of its own, so that the words beside it stay.

    In every tag, a no-break space becomes a space, which is what patching looks for.
    """
    for paragraph in paragraphs("", root):
        text = paragraph.text
        for tag in reversed([*TAG.finditer(text)] if "{" in text else []):
            for held, begin, end in paragraph.stretches(tag):
                said = held.text or ""
                held.text = said[:begin] + said[begin:end].replace("\u00a0", " ") + said[end:]
            if _OF_A_RUN.match(tag.group()):
                _part_tag(paragraph, tag)


def _part_tag(paragraph: Paragraph, tag: re.Match[str]) -> None:
    """Cut the run that holds a tag before and behind it."""
    stretches = paragraph.stretches(tag)
    (first, begin, _), (last, _, end) = stretches[0], stretches[-1]
    run = first.getparent()
    assert run is not None
    said, rest = first.text or "", (last.text or "")[end:]
    behind = [*first.itersiblings()]
    for text, _, _ in stretches[1:]:
        text.text = ""
    first.text = said[:begin]
    first.set(_SPACE, "preserve")
    if first is last:
        behind = [_text(rest), *behind]
    else:
        last.text = rest
    run.addnext(_run(run, None, behind))
    run.addnext(_run(run, None, [_text(tag.group().replace("\u00a0", " "))]))


def add(drawn: Drawn, more: Drawn) -> None:
    """Take up what is drawn elsewhere in the same document."""
    for face, characters in more.items():
        drawn.setdefault(face, set()).update(characters)


def _paragraph_around(xml: str, after: int, place: int) -> tuple[int, int]:
    """Where the paragraph begins and ends that holds a place; just behind the place, twice, where none does."""
    start = max(xml.rfind("<w:p ", after, place), xml.rfind("<w:p>", after, place))
    if start < 0 or xml.find("</w:p>", start, place) >= 0 or xml[xml.index(">", start) - 1] == "/":
        return place + 1, place + 1
    return start, xml.index("</w:p>", place) + len("</w:p>")


def _with_fonts(xml: str) -> tuple[str, Drawn]:
    root = etree.fromstring(xml.encode())
    drawn: Drawn = {}
    for run in [run for run in root.iter(f"{W}r") if fonts.BEYOND_BASE.search(_said(run))]:
        add(drawn, _cut(run))
    for paragraph in list(root.iter(f"{W}p")):
        _turn(paragraph)
    return etree.tostring(root, encoding="unicode"), drawn


def _cut(run: etree._Element) -> Drawn:
    """Put one run for each stretch of one font in the place of this run."""
    atoms: list[tuple[etree._Element, fonts.Face | None]] = []
    for child in run:
        if child.tag == f"{W}t":
            atoms += [(_text(piece), face) for piece, face in fonts.pieces(child.text or "")]
        elif child.tag != f"{W}rPr":
            atoms.append((child, atoms[-1][1] if atoms else None))
    parts = [_run(run, face, [atom for atom, _ in group]) for face, group in itertools.groupby(atoms, lambda a: a[1])]
    parent = run.getparent()
    assert parent is not None
    parent[parent.index(run) : parent.index(run) + 1] = parts
    drawn: Drawn = {}
    for atom, face in atoms:
        if face:
            drawn.setdefault(face, set()).update(atom.text or "")
    return drawn


def _said(run: etree._Element) -> str:
    return "".join(text.text or "" for text in run.iterchildren(f"{W}t"))


def _text(piece: str) -> etree._Element:
    text = etree.Element(f"{W}t", {_SPACE: "preserve"})
    text.text = piece
    return text


def _run(like: etree._Element, face: fonts.Face | None, content: list[etree._Element]) -> etree._Element:
    run = etree.Element(f"{W}r")
    run.attrib.update(like.attrib)
    properties = like.find(f"{W}rPr")
    if properties is not None:
        run.append(copy.deepcopy(properties))
    run.extend(content)
    if face:
        _name_font(run, face.family)
        if fonts.RIGHT_TO_LEFT.search(_said(run)):
            _write_right_to_left(_child(run, "rPr"))
    return run


def _name_font(run: etree._Element, family: str) -> None:
    properties = _child(run, "rPr")
    for old in properties.findall(f"{W}rFonts"):
        properties.remove(old)
    named = etree.Element(f"{W}rFonts", {f"{W}{script}": family for script in ("ascii", "hAnsi", "cs", "eastAsia")})
    style = properties.find(f"{W}rStyle")
    properties.insert(0 if style is None else 1, named)


def _write_right_to_left(properties: etree._Element) -> None:
    """Say so, and say bold, italic and size again, which Word keeps twice: such text heeds only the second."""
    _insert(properties, "rtl", _AFTER_RTL)
    for plain, complex_ in _COMPLEX:
        said = properties.find(f"{W}{plain}")
        if said is not None and properties.find(f"{W}{complex_}") is None:
            again = etree.Element(f"{W}{complex_}")
            again.attrib.update(said.attrib)
            said.addnext(again)


def _turn(paragraph: etree._Element) -> None:
    """Mark a paragraph that is written from right to left; one whose lines differ becomes several, each of one way."""
    ways = _ways(paragraph)
    if len({*ways}) < 2 or paragraph.find(f"{W}pPr/{W}sectPr") is not None:
        parts = [(paragraph, ways[0])]
    else:
        parts = _parted(paragraph, ways)
    for part, to_the_left in parts:
        if to_the_left:
            _insert(_child(part, "pPr"), "bidi", _AFTER_BIDI)


def _ways(paragraph: etree._Element) -> list[bool]:
    """Whether each line is written to the left: as its first letter is, or as the line before where it has none."""
    runs = [child for child in paragraph if child.tag == f"{W}r"]
    said = itertools.chain.from_iterable(run.iterchildren(f"{W}t", f"{W}br") for run in runs)
    text = "".join("\n" if each.tag == f"{W}br" else (each.text or "").replace("\n", " ") for each in said)
    first = fonts.STRONG.search(text)
    ways = [bool(first and fonts.RIGHT_TO_LEFT.match(first.group()))]
    for line in text.split("\n"):
        strong = fonts.STRONG.search(line)
        ways.append(bool(fonts.RIGHT_TO_LEFT.match(strong.group())) if strong else ways[-1])
    return ways[1:]


def _parted(paragraph: etree._Element, ways: list[bool]) -> list[tuple[etree._Element, bool]]:
    """Put a paragraph for each stretch of lines of one way in the place of this one, without room between them."""
    parts, line = [(_like(paragraph), ways[0])], 0
    for child in [child for child in paragraph if child.tag != f"{W}pPr"]:
        run = child if child.tag != f"{W}r" else _run(child, None, [])
        for piece in [] if run is child else [piece for piece in child if piece.tag != f"{W}rPr"]:
            line += piece.tag == f"{W}br"
            if piece.tag == f"{W}br" and ways[line] != ways[line - 1]:
                parts[-1][0].append(run)
                parts.append((_like(paragraph), ways[line]))
                run = _run(child, None, [])
            else:
                run.append(piece)
        parts[-1][0].append(run)
    for (above, _), (below, _) in itertools.pairwise(parts):
        _insert(_child(above, "pPr"), "spacing", _AFTER_SPACING).set(f"{W}after", "0")
        _insert(_child(below, "pPr"), "spacing", _AFTER_SPACING).set(f"{W}before", "0")
    for part, _ in parts:
        paragraph.addprevious(part)
    parent = paragraph.getparent()
    assert parent is not None
    parent.remove(paragraph)
    return parts


def _like(paragraph: etree._Element) -> etree._Element:
    """A paragraph of the same looks that holds nothing."""
    new = etree.Element(f"{W}p")
    properties = paragraph.find(f"{W}pPr")
    if properties is not None:
        new.append(copy.deepcopy(properties))
    return new


def _child(parent: etree._Element, name: str) -> etree._Element:
    """The properties element, which stands first."""
    child = parent.find(f"{W}{name}")
    if child is None:
        child = etree.Element(f"{W}{name}")
        parent.insert(0, child)
    return child


def _insert(properties: etree._Element, name: str, successors: tuple[str, ...]) -> etree._Element:
    """The property of that name; where there is none, set in the place that the order of the standard gives it."""
    found = properties.find(f"{W}{name}")
    if found is not None:
        return found
    after = next((child for child in properties if etree.QName(child).localname in successors), None)
    element = etree.Element(f"{W}{name}")
    if after is None:
        properties.append(element)
    else:
        after.addprevious(element)
    return element
