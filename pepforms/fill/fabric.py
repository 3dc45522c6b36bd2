"""What a Word file is made of besides words and tags, as far as it spoils a template: marks of review, old drawings,
what no engine draws or no listener hears.
"""

import itertools
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from pepforms.fill.lengths import twips
from pepforms.fill.tags import Paragraph, Place, W, paragraphs

WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
V = "{urn:schemas-microsoft-com:vml}"
_O = "{urn:schemas-microsoft-com:office:office}"
_PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
_BOX = "{http://schemas.microsoft.com/office/word/2010/wordprocessingShape}txbx"
_DECORATIVE = "{http://schemas.microsoft.com/office/drawing/2017/decorative}decorative"
_DC = "{http://purl.org/dc/elements/1.1/}"
_NONE = etree.Element("none")
"""What stands for a part that a file has not got."""

_DRAWN_BY_BOTH = frozenset(
    ("arial", "times new roman", "courier new", "calibri", "liberation sans", "liberation serif", "liberation mono",
     "carlito", "helvetica", "symbol")
)  # fmt: skip
"""Fonts that both engines have, or have a twin of with letters just as wide."""

_SIGNS = ("wingdings", "wingdings 2", "wingdings 3", "webdings", "zapfdingbats")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_OPENED = re.compile(r"\{\{|\{%")
_FIELD = re.compile(
    r"""\s*(
        MERGE(?:FIELD|REC|SEQ) | NEXT | NEXTIF | SKIPIF | ADDRESSBLOCK | GREETINGLINE | DATABASE | DATA
        | ASK | FILLIN | SET | IF | COMPARE | FORM(?:TEXT|CHECKBOX|DROPDOWN) | MACROBUTTON | GOTOBUTTON | PRINT
        | LINK | DDE | DDEAUTO | INCLUDE\w+ | IMPORT | RD | AUTOTEXT | AUTOTEXTLIST | GLOSSARY | REF\s+_Doc
        | DOCPROPERTY | DOCVARIABLE | INFO | AUTHOR | LASTSAVEDBY | COMMENTS | KEYWORDS | SUBJECT | TEMPLATE
        | FILENAME | FILESIZE | REVNUM | NUMCHARS | NUMWORDS | USER(?:NAME|INITIALS|ADDRESS)
        | DATE | TIME | CREATEDATE | SAVEDATE | PRINTDATE | EDITTIME
    )(?![\w])""",
    re.IGNORECASE | re.VERBOSE,
)
"""Fields that Word would fill from a list, from a question, from the computer or from what it knows of the file."""
_ASKING_ROW = re.compile(r"\{%tr\s+if\b[^%]*%\}")
"""All that a row says which only asks whether those below it stand, and is taken out itself."""
_REVISIONS = tuple(
    f"{W}{name}" for name in (
        "ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "cellMerge", "rPrChange", "pPrChange", "sectPrChange",
        "tblPrChange", "trPrChange", "tcPrChange", "numberingChange", "customXmlInsRangeStart",
        "customXmlDelRangeStart", "customXmlMoveFromRangeStart", "customXmlMoveToRangeStart",
    )
)  # fmt: skip


_WITH_A_TAG = etree.XPath(
    "//*[@*[contains(., '{{') or contains(., '{%')]]"
    " | //*[not(self::w:t or self::w:instrText)][text()[contains(., '{{') or contains(., '{%')]]",
    namespaces={"w": W[1:-1]},
)
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_OUT_OF_REACH = {
    f"{WP}docPr": "a picture’s alternative text",
    f"{W}fldSimple": "a Word field",
    f"{W}delText": "deleted text that Word still keeps",
    f"{W}alias": "a content control’s title",
    f"{W}tag": "a content control’s title",
    f"{W}listItem": "a content control’s choices",
    f"{_M}t": "an equation",
    f"{W}hyperlink": "a link’s address or tip",
}
"""What an author calls the elements that hold a tag where none is filled."""


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

    @cached_property
    def fields(self) -> dict[etree._Element, str]:
        """What each field tells Word to do, by the element that it begins with, however many runs it is spread over."""
        codes: dict[etree._Element, str] = {}
        open_: list[etree._Element] = []
        for element in self.root.iter(f"{W}fldSimple", f"{W}fldChar", f"{W}instrText"):
            kind = element.get(f"{W}fldCharType")
            if element.tag == f"{W}fldSimple":
                codes[element] = element.get(f"{W}instr", "")
            elif kind == "begin":
                open_.append(element)
                codes[element] = ""
            elif kind == "end":
                del open_[-1:]
            elif kind is None:
                begun = open_[-1] if open_ else element
                codes[begun] = codes.get(begun, "") + (element.text or "")
        return codes

    def fault(self, slug: str, element: etree._Element, what: str = "") -> Fault:
        """A fault at the paragraph that holds the element; else at the first one in it, or in what is around it."""
        around = element.iterancestors(f"{W}sdt", f"{W}tc", f"{W}tr", f"{W}tbl")
        nearest = itertools.chain(
            element.iterancestors(f"{W}p"),
            element.iter(f"{W}p"),
            itertools.chain.from_iterable(one.iter(f"{W}p") for one in around),
        )
        for paragraph in [element] if element.tag == f"{W}p" else nearest:
            at = self.paragraphs[paragraph]
            return Fault(slug, at.place, at.text, what)
        return Fault(slug, Place(self.part), "", what)


def faults(story: Story) -> Iterator[Fault]:
    """All that spoils one part, by kind and then in its order."""
    seen: set[Fault] = set()
    looked = (_LOOKS[str(element.tag)](story, element) for element in story.root.iter(*_LOOKS))
    for fault in itertools.chain(itertools.chain.from_iterable(looked), _out_of_reach(story)):
        if fault not in seen or fault.slug == "no-alternative-text":
            seen.add(fault)
            yield fault


def _out_of_reach(story: Story) -> Iterator[Fault]:
    """Tags in what Word keeps beside the text."""
    for holder in _with_a_tag(story.root):
        yield story.fault(
            "tag-out-of-reach", holder, _OUT_OF_REACH.get(str(holder.tag), "what Word keeps beside the text")
        )


def _with_a_tag(root: etree._Element) -> list[etree._Element]:
    found = _WITH_A_TAG(root)
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, etree._Element)]


def links(story: Story, relationships: etree._Element | None) -> Iterator[Fault]:
    """Tags in the addresses that a part links to."""
    for one in relationships if relationships is not None else ():
        if one.get("Type", "").endswith("/hyperlink") and _OPENED.search(urllib.parse.unquote(one.get("Target", ""))):
            place = holding(story, one.get("Id", "")) or Place(story.part)
            yield Fault("tag-out-of-reach", place, "", "a link’s address")


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


def _sign(story: Story, element: etree._Element) -> Iterator[Fault]:
    yield story.fault("sign-of-a-picture-font", element, element.get(f"{W}font", ""))


def _text(story: Story, element: etree._Element) -> Iterator[Fault]:
    if _PRIVATE.search(element.text or ""):
        yield story.fault("sign-of-a-picture-font", element)


def _control(story: Story, element: etree._Element) -> Iterator[Fault]:
    if element.find(f"{W}sdtPr/{W}showingPlcHdr") is not None:
        yield story.fault("placeholder-text", element)


def _word_field(story: Story, element: etree._Element) -> Iterator[Fault]:
    code = story.fields.get(element, "")
    if found := _FIELD.match(code):
        yield story.fault("field-of-word", element, found[1].upper())
    if _OPENED.search(code):
        yield story.fault("tag-out-of-reach", element, "a Word field")


def _object(story: Story, element: etree._Element) -> Iterator[Fault]:
    """What another program made; where it is in the file, its relationship is told of."""
    if not any(str(name).startswith(R) for one in element.iter(f"{_O}OLEObject", f"{W}control") for name in one.attrib):
        yield story.fault("embedded-object", element)


def _hidden(story: Story, element: etree._Element) -> Iterator[Fault]:
    run = next(element.iterancestors(f"{W}r"), None)
    if _on(element) and run is not None and "".join(text.text or "" for text in run.iter(f"{W}t")).strip():
        yield story.fault("hidden-text", element)


def _table(story: Story, element: etree._Element) -> Iterator[Fault]:
    """A table that loops over rows needs a heading row that says so, at its beginning; a row may ask for it before."""
    rows = [row for row in element.iter(f"{W}tr") if _in_table(row) is element]
    says = {row: "".join(t.text or "" for t in row.iter(f"{W}t") if _in_table(t) is element).strip() for row in rows}
    first = next((row for row, said in says.items() if not _ASKING_ROW.fullmatch(said)), None)
    header = first.find(f"{W}trPr/{W}tblHeader") if first is not None else None
    if header is not None and _on(header):
        return
    if any(re.search(r"\{%tr\s+[-+]?\s*for\b", said) for said in says.values()):
        yield story.fault("no-heading-row", rows[0] if first is None else first)


def _in_table(element: etree._Element) -> etree._Element:
    return next(element.iterancestors(f"{W}tbl"))


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
    **dict.fromkeys((f"{W}fldChar", f"{W}instrText", f"{W}fldSimple"), _word_field),
    f"{W}object": _object,
    f"{W}vanish": _hidden,
    f"{W}tbl": _table,
}


def of_whole(stories: list[Story], parts: Mapping[str, etree._Element]) -> Iterator[Fault]:
    """What spoils the file as a whole: no title, no language, marks of review beside the text, what styles do to it."""
    core, styles = parts.get("docProps/core.xml"), parts.get("word/styles.xml")
    if core is None or not (core.findtext(f"{_DC}title") or "").strip():
        yield Fault("no-title", Place("document properties"))
    if not _language(styles):
        yield Fault("no-language", Place("styles"))
    yield from _of_review(stories, parts)
    yield from _in_charts(parts)
    sheet = _Sheet(styles)
    yield from _hidden_by_style(stories, sheet)
    yield from _Fonts(stories, parts, sheet).faults()


def _of_review(stories: list[Story], parts: Mapping[str, etree._Element]) -> Iterator[Fault]:
    """Comments that stand nowhere in the text, and whether Word goes on tracking changes."""
    comments = [root for part, root in parts.items() if re.fullmatch(r"word/comments\d*\.xml", part)]
    standing = {one.get(f"{W}id") for story in stories for one in story.root.iter(f"{W}commentReference")}
    if any(one.get(f"{W}id") not in standing for root in comments for one in root.iter(f"{W}comment")):
        yield Fault("comment-left", Place("comments"))
    if any(_on(tracking) for tracking in parts.get("word/settings.xml", _NONE).iterchildren(f"{W}trackRevisions")):
        yield Fault("tracking-on", Place("settings"))


def _in_charts(parts: Mapping[str, etree._Element]) -> Iterator[Fault]:
    for part, root in parts.items():
        if part.startswith(("word/charts/", "word/diagrams/")) and _with_a_tag(root):
            yield Fault("tag-out-of-reach", Place("charts and diagrams"), what="a chart or diagram")
            return


def _hidden_by_style(stories: list[Story], sheet: "_Sheet") -> Iterator[Fault]:
    """Text that a style of its paragraph or its letters hides, once for each paragraph."""
    hiding = {name for name in sheet.styles if sheet.hides(name)}
    seen: set[etree._Element] = set()
    for story in stories if hiding else ():
        for named in story.root.iter(f"{W}pStyle", f"{W}rStyle"):
            styled = next(named.iterancestors(f"{W}p" if named.tag == f"{W}pStyle" else f"{W}r"), None)
            if named.get(f"{W}val") not in hiding or styled is None:
                continue
            paragraph = next(itertools.chain([styled], styled.iterancestors(f"{W}p")))
            if "".join(text.text or "" for text in styled.iter(f"{W}t")).strip() and paragraph not in seen:
                seen.add(paragraph)
                yield story.fault("hidden-by-style", styled)


def turned(stories: list[Story], orientation: str) -> bool:
    """Whether no page lies as it should: portrait or landscape."""
    sizes = [size for story in stories for size in story.root.iter(f"{W}pgSz")]
    lie = {"landscape" if twips(size.get(f"{W}w")) > twips(size.get(f"{W}h")) else "portrait" for size in sizes}
    return bool(lie) and orientation not in lie


def _language(styles: etree._Element | None) -> bool:
    """Whether the styles say which language the text is in."""
    if styles is None:
        return False
    defaults = styles.findall(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}lang")
    normal = styles.findall(f"{W}style[@{W}default='1']/{W}rPr/{W}lang")
    return any(each.get(f"{W}val") for each in (*defaults, *normal))


class _Sheet:
    """The styles of a Word file, each with those that it is based on."""

    def __init__(self, root: etree._Element | None) -> None:
        self.root = _NONE if root is None else root
        self.styles = {one.get(f"{W}styleId", ""): one for one in self.root.iter(f"{W}style")}
        self.normal = next((one for one in self.styles.values() if one.get(f"{W}default") == "1"), _NONE)

    def upward(self, style: etree._Element | None) -> Iterator[etree._Element]:
        """A style, the one that it is based on, and so on."""
        seen: set[int] = set()
        while style is not None and id(style) not in seen:
            seen.add(id(style))
            yield style
            based = style.find(f"{W}basedOn")
            style = self.styles.get(based.get(f"{W}val", "")) if based is not None else None

    def hides(self, name: str) -> bool:
        """Whether what is set in a style is hidden."""
        said = (one.find(f"{W}rPr/{W}vanish") for one in self.upward(self.styles.get(name)))
        nearest = next((vanish for vanish in said if vanish is not None), None)
        return nearest is not None and _on(nearest)


class _Fonts:
    """The fonts that a template's text is set in."""

    def __init__(self, stories: list[Story], parts: Mapping[str, etree._Element], sheet: _Sheet) -> None:
        self._stories, self._sheet = stories, sheet
        self._defaults = sheet.root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}rFonts")
        self._theme = next((root for part, root in parts.items() if part.startswith("word/theme/theme")), _NONE)
        self._numbering = parts.get("word/numbering.xml", _NONE)
        self._embedded = {
            one.get(f"{W}name", "").lower()
            for one in parts.get("word/fontTable.xml", _NONE)
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
        own = any(self._font(style.find(f"{W}rPr/{W}rFonts")) for style in self._sheet.upward(self._sheet.normal))
        if not own and (font := self._font(self._defaults)):
            yield font, Place("styles"), "Normal"

    def _used(self) -> Iterator[etree._Element]:
        """The styles of the text, and those that they are based on."""
        wanted = {
            one.get(f"{W}val", "")
            for story in self._stories
            for one in story.root.iter(f"{W}pStyle", f"{W}rStyle", f"{W}tblStyle")
        }
        used = {id(each): each for name in sorted(wanted) for each in self._sheet.upward(self._sheet.styles.get(name))}
        used |= {id(each): each for each in self._sheet.upward(self._sheet.normal)}
        yield from used.values()

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
            ways = self._sheet.upward(self._sheet.styles.get(style.get(f"{W}val", "")))
            own = next((found for each in ways if (found := each.find(f"{W}pPr/{W}numPr/{W}numId")) is not None), None)
        return own.get(f"{W}val", "") if own is not None else ""


def holding(story: Story, reference: str) -> Place | None:
    """Where the element stands that uses a relationship of the part."""
    for element in story.root.iter("*"):
        if any(str(name).startswith(R) and value == reference for name, value in element.attrib.items()):
            return story.fault("", element).place
    return None
