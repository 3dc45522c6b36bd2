"""A Word template, compiled once and filled many times.

docxtpl's own patching turns Word's XML into Jinja source; each part with tags becomes one compiled Jinja template, and
the parts without are deflated once. What comes out is parsed again, strictly, before it is handed on.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from xml.parsers import expat

import jinja2
from jinja2 import nodes
from lxml import etree

from pepforms import fonts, schema
from pepforms.digest import sha256
from pepforms.errors import PepformsError, Refused
from pepforms.fill import embed, mend, package, runs
from pepforms.fill.language import Environment, fit, refusals
from pepforms.fill.letterhead import Letterhead
from pepforms.fill.package import Part, title
from pepforms.fill.pictures import MADE, Made
from pepforms.fill.tags import Misused, Place, Tag, found, numbered, paragraphs
from pepforms.fill.values import Misuse, context
from pepforms.model import Pep
from pepforms.schema import Field

FILLED = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml|docProps/core\.xml")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DRAWN = re.compile(r'(?<=<wp:docPr )((?:[^>]*?\s)?id=")(\d+)')


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One part with tags: its Jinja template, and where each of its tags stands in Word."""

    jinja: jinja2.Template
    tags: list[Tag]
    mends_tables: bool


class Template:
    """A compiled Word template. `version` names the bytes of its file; filling is safe from several threads at once."""

    def __init__(self, data: bytes, *, name: str, letterhead: Letterhead | None = None) -> None:
        """Compile, under a letterhead; Refused with part, table, row and cell where the template cannot be."""
        self.name, self.version = name, f"sha256:{sha256(data)}"
        self._parts = mend.settings(package.read(data, name))
        self._own_text = self._parts[_TEXT] if letterhead else b""
        if letterhead:
            self._parts = letterhead.dress(self._parts)
            self.version += f", letterhead sha256:{sha256(letterhead.data)}"
        self._environment = Environment()
        self._static: dict[str, Part] = {}
        self._compiled: dict[str, _Compiled] = {}
        self._drawn: runs.Drawn = {}
        self._named: set[str] = set()
        for part, content in self._parts.items():
            self._static[part] = Part.of(self._taken_up(part, content) if FILLED.fullmatch(part) else content)
        embed.version(self._parts, self._static, self.version)
        still = (self._parts[part] for part in self._parts if part.endswith(".xml") and part not in self._compiled)
        self._taken_ids = {number for xml in still for _, number in _DRAWN.findall(xml.decode(errors="replace"))}

    def names(self, field: str) -> bool:
        """Whether any tag names a field of that name, wherever it lies: `pictures`."""
        return field in self._named

    def fill(self, pep: Pep, document: Mapping[str, Any], fields: Field | None = None) -> bytes:
        """The filled Word file. `pep` has passed the check; `document` says what the document is and for whom.

        `fields` is the tree of fields as this reader's copy has it; without it nothing is withheld.
        """
        names = context(pep, fields or schema.load().root, document)
        contents, parts = dict(self._parts), dict(self._static)
        drawn: runs.Drawn = {}
        runs.add(drawn, self._drawn)
        ids = (number for number in map(str, itertools.count(1)) if number not in self._taken_ids)
        for part, compiled in self._compiled.items():
            made = Made()
            xml, more = self._finished(part, compiled, self._rendered(compiled, {**names, MADE: made}), ids)
            parts[part] = Part.of(xml, level=1)
            embed.pictures(contents, parts, part, made)
            runs.add(drawn, more)
        if drawn:
            embed.fonts(contents, parts, drawn)
        return package.write(parts)

    def _taken_up(self, part: str, content: bytes) -> bytes:
        """Compile a part that may hold tags; what its bytes are as long as nothing is filled in."""
        root = etree.fromstring(content, _STRICT)
        try:
            tags = found(title(part), root)
            runs.part_tags(root)
            xml = _DECLARATION + etree.tostring(root, encoding="unicode")
            if tags:
                self._compiled[part] = self._compile(part, xml, tags)
        except Misused as error:
            raise self._refused(*error.args) from error
        if tags or not part.startswith("word/") or not fonts.BEYOND_BASE.search(xml):
            return content
        xml, drawn = runs.give_fonts(xml)
        runs.add(self._drawn, drawn)
        return xml.encode()

    def _compile(self, part: str, xml: str, tags: list[Tag]) -> _Compiled:
        import docxtpl

        source = numbered(docxtpl.DocxTemplate.patch_xml(None, xml), tags, title(part))
        try:
            tree = self._environment.parse(source)
            for line, _, reason in refusals(tree):
                raise self._refused_at(tags, line, reason)
            self._named |= {each.attr for each in tree.find_all(nodes.Getattr)}
            self._named |= {str(each.value) for each in tree.find_all(nodes.Const)}
            fit(tree, in_word=part.startswith("word/"))
            code = self._environment.compile(tree, filename=part)
        except jinja2.TemplateSyntaxError as error:
            raise self._refused_at(tags, error.lineno, f"it cannot be read ({error.message})") from error
        except _UNREADABLE as error:
            raise self._refused(title(part), "somewhere", f"it cannot be read ({type(error).__name__})") from error
        jinja = jinja2.Template.from_code(self._environment, code, {})
        return _Compiled(jinja, tags, any(tag.text.startswith("{%tc") for tag in tags))

    def _rendered(self, compiled: _Compiled, names: dict[str, Any]) -> str:
        try:
            return "".join(compiled.jinja.root_render_func(compiled.jinja.new_context(names)))
        except PepformsError:
            raise
        except Exception as error:  # whatever a template's expression met; told with the cell it stands in
            line = _line(compiled.jinja, error.__traceback__)
            raise self._refused_at(compiled.tags, line, _reason(error)) from error

    def _finished(self, part: str, compiled: _Compiled, xml: str, ids: Iterator[str]) -> tuple[bytes, runs.Drawn]:
        """The part as bytes, proved to be XML, with a font for every character and a number for every picture."""
        if "<wp:docPr " in xml:
            xml = _DRAWN.sub(lambda drawn: drawn[1] + next(ids), xml)
        encoded = xml.encode()
        try:
            expat.ParserCreate().Parse(encoded, True)  # namespaces are the template's own, read when it was compiled
        except expat.ExpatError as error:
            raise Refused(
                f"The template {self.name} cannot be used. Its {title(part)} came out damaged: a tag opens in one "
                "place and closes in another that Word holds apart, such as inside and outside a link.",
                slug="template-refused",
            ) from error
        whole = mend.blocks(xml)
        if whole is not xml:
            xml, encoded = whole, whole.encode()
        drawn: runs.Drawn = {}
        if part.startswith("word/") and fonts.BEYOND_BASE.search(xml):
            xml, drawn = runs.give_fonts(xml)
            encoded = xml.encode()
        if compiled.mends_tables:
            import docxtpl

            root = docxtpl.DocxTemplate.fix_tables(None, encoded)
            encoded = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
        return encoded, drawn

    def _refused_at(self, tags: list[Tag], line: int, reason: str) -> Refused:
        tag = tags[min(max(line, 1), len(tags)) - 1]
        return self._refused(tag.place, tag.text, reason)

    def _in_the_authors_file(self, place: Place) -> Place:
        """Where a place of the text was before the letterhead's text stood above it."""
        dressed, own = (
            [paragraph.place for paragraph in paragraphs(title(_TEXT), etree.fromstring(text, _STRICT))]
            for text in (self._parts[_TEXT], self._own_text)
        )
        above = len(dressed) - len(own)
        at = dressed.index(place)
        return own[at - above] if at >= above else replace(place, part="letterhead")

    def _refused(self, place: Place | str, tag: str, reason: str) -> Refused:
        if self._own_text and isinstance(place, Place) and place.part == title(_TEXT):
            place = self._in_the_authors_file(place)
        return Refused(
            f"The template {self.name} cannot be used. {place}: the tag {tag}: {reason}.", slug="template-refused"
        )


_TEXT = "word/document.xml"

_UNREADABLE = (ValueError, RecursionError, MemoryError, OverflowError, SyntaxError)
"""What Python says of a number or a nest without measure, and of a word that a filter is given twice."""

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _line(template: jinja2.Template, trace: TracebackType | None) -> int:
    """The line of the template's source at which its compiled code stopped."""
    line = 1
    while trace:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, jinja2.UndefinedError | Misuse):
        return str(error.args[0]) if error.args else "it cannot be worked out"
    if isinstance(error, TypeError):
        return "it compares or joins things of different kinds"
    return f"it cannot be worked out ({type(error).__name__})"
