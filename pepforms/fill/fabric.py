"""What a Word file is made of besides words and tags, as far as it spoils a template: marks of review, old drawings,
what no engine draws or no listener hears.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from pepforms.fill.tags import Paragraph, Place, W, paragraphs

WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
V = "{urn:schemas-microsoft-com:vml}"
_O = "{urn:schemas-microsoft-com:office:office}"
_PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_BOX = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}txbx"
_DECORATIVE = "{http://schemas.microsoft.com/office/drawing/2017/decorative}decorative"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DC = "{http://purl.org/dc/elements/1.1/}"

_DRAWN_BY_BOTH = frozenset(
    ("arial", "times new roman", "courier new", "calibri", "liberation sans", "liberation serif", "liberation mono",
     "carlito", "helvetica", "symbol")
)  # fmt: skip
"""Fonts that both engines have, or have a twin of with letters just as wide."""

_SIGNS = ("wingdings", "wingdings 2", "wingdings 3", "webdings", "zapfdingbats")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_OPENED = re.compile(r"\{\{|\{%")
_FIELD = re.compile(
    r"\s*(MERGEFIELD|MERGEREC|NEXT|ASK|FILLIN|LINK|DDE|DDEAUTO|INCLUDE\w+|DOCPROPERTY|REF\s+_Doc)\b", re.IGNORECASE
)
_REVISIONS = tuple(
    f"{W}{name}" for name in (
        "ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "cellMerge", "rPrChange", "pPrChange", "sectPrChange",
        "tblPrChange", "trPrChange", "tcPrChange", "numberingChange",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that spoils a template: its kind, its place, the text around it, and what the sentence must name."""

    slug: str
    place: Place
    around: str = ""
    what: str = ""


class Story:
    """A part that holds text, with its paragraphs and their places."""

    def __init__(self, part: str, root: etree._Element) -> None:
        self.part, self.root = part, root

    @cached_property
    def paragraphs(self) -> dict[etree._Element, Paragraph]:
        """Every paragraph by its element."""
        return {paragraph.element: paragraph for paragraph in paragraphs(self.part, self.root)}

    def fault(self, slug: str, element: etree._Element, what: str = "") -> Fault:
        """A fault at the paragraph that holds the element, or at the first one in it."""
        nearest = itertools.chain(element.iterancestors(f"{W}p"), element.iter(f"{W}p"))
        for paragraph in [element] if element.tag == f"{W}p" else nearest:
            at = self.paragraphs[paragraph]
            return Fault(slug, at.place, at.text, what)
        return Fault(slug, Place(self.part), "", what)


def faults(story: Story) -> Iterator[Fault]:
    """All that spoils one part, by kind and then in its order."""
    seen: set[tuple[str, Place]] = set()
    for element in story.root.iter(*_LOOKS):
        if next(element.iterancestors(_FALLBACK), None) is not None:
            continue
        for fault in _LOOKS[str(element.tag)](story, element):
            if (fault.slug, fault.place) not in seen or fault.slug == "no-alternative-text":
                seen.add((fault.slug, fault.place))
                yield fault


def _revision(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("tracked-change", element)


def _comment(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("comment-left", element)


def _note(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("note-not-read", element, "footnote" if element.tag == f"{W}footnoteReference" else "endnote")


def _hyphen(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("unbreakable-hyphen", element)


def _old_drawing(story: Story, element: etree._Element) -> Iterator[Fault]:
    if element.find(f".//{V}textbox") is not None:
        yield story.fault("text-box", element)
    elif next(element.iterchildren("*"), None) is not None:
        yield story.fault("old-drawing", element)


def _drawing(story: Story, element: etree._Element) -> Iterator[Fault]:
    if element.find(f".//{_BOX}") is not None:
        yield story.fault("text-box", element)
        return
    if element.find(f".//{_PIC}") is None:
        yield story.fault("shape-or-chart", element)
    for told in element.iter(f"{WP}docPr"):
        if not (told.get("descr") or "").strip() and told.find(f".//{_DECORATIVE}[@val='1']") is None:
            yield story.fault("no-alternative-text", element)
        if any(_OPENED.search(str(value)) for value in told.attrib.values()):
            yield story.fault("tag-out-of-reach", element, "a picture’s alternative text")


def _sign(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("sign-of-a-picture-font", element, element.get(f"{W}font", ""))


def _text(story: Story, element: etree._Element) -> Iterator[Fault]:
    if _PRIVATE.search(element.text or ""):
        yield story.fault("sign-of-a-picture-font", element)


def _control(story: Story, element: etree._Element) -> Iterator[Fault]:
    if element.find(f"{W}sdtPr/{W}showingPlcHdr") is not None:
        yield story.fault("placeholder-text", element)


def _word_field(story: Story, element: etree._Element) -> Iterator[Fault]:
    code = element.get(f"{W}instr") or element.text or ""
    if found := _FIELD.match(code):
        yield story.fault("field-of-word", element, found[1].upper())
    if _OPENED.search(code):
        yield story.fault("tag-out-of-reach", element, "a Word field")


def _deleted(story: Story, element: etree._Element) -> Iterator[Fault]:
    if _OPENED.search(element.text or ""):
        yield story.fault("tag-out-of-reach", element, "deleted text that Word still keeps")


def _hidden(story: Story, element: etree._Element) -> Iterator[Fault]:
    run = next(element.iterancestors(f"{W}r"), None)
    if _on(element) and run is not None and "".join(text.text or "" for text in run.iter(f"{W}t")).strip():
        yield story.fault("hidden-text", element)


def _table(story: Story, element: etree._Element) -> Iterator[Fault]:
    """A table that loops over rows needs a heading row that says so, at its beginning."""
    rows = [row for row in element.iter(f"{W}tr") if next(row.iterancestors(f"{W}tbl")) is element]
    header = rows[0].find(f"{W}trPr/{W}tblHeader") if rows else None
    if header is not None and _on(header):
        return
    for row in rows:
        if re.search(r"\{%tr\s+[-+]?\s*for\b", "".join(text.text or "" for text in row.iter(f"{W}t"))):
            yield story.fault("no-heading-row", rows[0])
            return


def _on(element: etree._Element) -> bool:
    return element.get(f"{W}val", "1") not in ("0", "false", "off")


_LOOKS: Mapping[str, Callable[[Story, etree._Element], Iterator[Fault]]] = {
    **dict.fromkeys(_REVISIONS, _revision),
    f"{W}commentReference": _comment,
    f"{W}footnoteReference": _note,
    f"{W}endnoteReference": _note,
    f"{W}noBreakHyphen": _hyphen,
    f"{W}pict": _old_drawing,
    f"{W}drawing": _drawing,
    f"{W}sym": _sign,
    f"{W}t": _text,
    f"{W}sdt": _control,
    f"{W}instrText": _word_field,
    f"{W}fldSimple": _word_field,
    f"{W}delText": _deleted,
    f"{W}vanish": _hidden,
    f"{W}tbl": _table,
}


def of_whole(stories: list[Story], parts: Mapping[str, etree._Element]) -> Iterator[Fault]:
    """What spoils the file as a whole: no title, no language, fonts that an engine lacks, bullets of a picture font."""
    core, styles = parts.get("docProps/core.xml"), parts.get("word/styles.xml")
    if core is None or not (core.findtext(f"{_DC}title") or "").strip():
        yield Fault("no-title", Place("document properties"))
    if not _language(styles):
        yield Fault("no-language", Place("styles"))
    yield from _Fonts(stories, parts).faults()


def turned(stories: list[Story], orientation: str) -> bool:
    """Whether no page lies as it should: portrait or landscape."""
    sizes = [size for story in stories for size in story.root.iter(f"{W}pgSz")]
    lie = {"landscape" if int(size.get(f"{W}w", 0)) > int(size.get(f"{W}h", 0)) else "portrait" for size in sizes}
    return bool(lie) and orientation not in lie


def _language(styles: etree._Element | None) -> bool:
    """Whether the styles say which language the text is in."""
    if styles is None:
        return False
    defaults = styles.findall(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}lang")
    normal = styles.findall(f"{W}style[@{W}default='1']/{W}rPr/{W}lang")
    return any(each.get(f"{W}val") for each in (*defaults, *normal))


class _Fonts:
    """The fonts that a template's text is set in."""

    def __init__(self, stories: list[Story], parts: Mapping[str, etree._Element]) -> None:
        self._stories = stories
        none = etree.Element("none")
        sheet = parts.get("word/styles.xml", none)
        self._defaults = sheet.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}rFonts")
        self._styles = {one.get(f"{W}styleId", ""): one for one in sheet.iter(f"{W}style")}
        self._normal = next((one for one in self._styles.values() if one.get(f"{W}default") == "1"), none)
        self._theme = next((root for part, root in parts.items() if part.startswith("word/theme/")), none)
        self._numbering = parts.get("word/numbering.xml", none)
        self._embedded = {
            one.get(f"{W}name", "").lower()
            for one in parts.get("word/fontTable.xml", none)
            if one.find(f"{W}embedRegular") is not None
        }

    def faults(self) -> Iterator[Fault]:
        """Every font that an engine lacks, once, where it is first named; every list with a picture font's bullet."""
        told: set[str] = set()
        for font, place, around in self._named():
            if not self._drawn(font) and font not in told:
                told.add(font)
                slug = "sign-of-a-picture-font" if font.lower() in _SIGNS else "font-not-drawn"
                yield Fault(slug, place, around, font)
        yield from self._bullets()

    def _named(self) -> Iterator[tuple[str, Place, str]]:
        """Each font, where it is named, and the text there or the name of the style."""
        for story in self._stories:
            for fonts in story.root.iter(f"{W}rFonts"):
                run = next(fonts.iterancestors(f"{W}r"), None)
                if run is not None and run.find(f"{W}t") is not None and (font := self._font(fonts)):
                    at = story.fault("", fonts)
                    yield font, at.place, at.around
        for style in self._used():
            if font := self._font(style.find(f"{W}rPr/{W}rFonts")):
                name = style.find(f"{W}name")
                yield font, Place("styles"), name.get(f"{W}val", "") if name is not None else ""
        own = any(self._font(style.find(f"{W}rPr/{W}rFonts")) for style in self._upward(self._normal))
        if not own and (font := self._font(self._defaults)):
            yield font, Place("styles"), "Normal"

    def _used(self) -> Iterator[etree._Element]:
        """The styles of the text, and those that they are based on."""
        wanted = {
            one.get(f"{W}val", "")
            for story in self._stories
            for one in story.root.iter(f"{W}pStyle", f"{W}rStyle", f"{W}tblStyle")
        }
        used = {id(each): each for name in sorted(wanted) for each in self._upward(self._styles.get(name))}
        used |= {id(each): each for each in self._upward(self._normal)}
        yield from used.values()

    def _upward(self, style: etree._Element | None) -> Iterator[etree._Element]:
        seen: set[int] = set()
        while style is not None and id(style) not in seen:
            seen.add(id(style))
            yield style
            based = style.find(f"{W}basedOn")
            style = self._styles.get(based.get(f"{W}val", "")) if based is not None else None

    def _font(self, fonts: etree._Element | None) -> str:
        """The font of Latin letters that it names, by itself or by the theme."""
        if fonts is None:
            return ""
        for one in ("ascii", "hAnsi"):
            if by_theme := fonts.get(f"{W}{one}Theme"):
                kind = "majorFont" if by_theme.startswith("major") else "minorFont"
                latin = next(self._theme.iter(f"{A}{kind}"), None)
                named = latin.find(f"{A}latin") if latin is not None else None
                return named.get("typeface", "") if named is not None else ""
            if name := fonts.get(f"{W}{one}"):
                return name
        return ""

    def _drawn(self, font: str) -> bool:
        return font.lower() in _DRAWN_BY_BOTH or font.lower() in self._embedded

    def _bullets(self) -> Iterator[Fault]:
        """The first paragraph of each list whose bullet is a sign of a picture font."""
        signs = {
            one.get(f"{W}abstractNumId", "")
            for one in self._numbering.iter(f"{W}abstractNum")
            if any(
                self._font(level.find(f"{W}rPr/{W}rFonts")).lower() in _SIGNS
                for level in one.findall(f"{W}lvl[@{W}ilvl='0']")
            )
        }
        lists = {
            one.get(f"{W}numId", "")
            for one in self._numbering.iter(f"{W}num")
            if (of := one.find(f"{W}abstractNumId")) is not None and of.get(f"{W}val") in signs
        }
        for story in self._stories:
            for element in story.paragraphs:
                number = self._list_of(element)
                if number in lists:
                    lists.remove(number)
                    yield story.fault("picture-font-bullet", element)

    def _list_of(self, paragraph: etree._Element) -> str:
        own = paragraph.find(f"{W}pPr/{W}numPr/{W}numId")
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        if own is None and style is not None:
            ways = self._upward(self._styles.get(style.get(f"{W}val", "")))
            own = next((found for each in ways if (found := each.find(f"{W}pPr/{W}numPr/{W}numId")) is not None), None)
        return own.get(f"{W}val", "") if own is not None else ""


def holding(story: Story, reference: str) -> Place | None:
    """Where the element stands that uses a relationship of the part."""
    for element in story.root.iter("*"):
        if any(str(name).startswith(R) and value == reference for name, value in element.attrib.items()):
            return story.fault("", element).place
    return None
