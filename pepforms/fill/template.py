"""A Word template, compiled once and filled many times.

docxtpl's own patching turns Word's XML into Jinja source; each part with tags becomes one compiled Jinja template, and
the parts without are deflated once. What comes out is parsed again, strictly, before it is handed on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from xml.parsers import expat

import docxtpl
import jinja2
from lxml import etree

from pepforms import fonts, schema
from pepforms.digest import sha256
from pepforms.errors import Broken, PepformsError, Refused
from pepforms.fill import embed, package, runs
from pepforms.fill.language import AS_RUN, Environment, refusals
from pepforms.fill.package import Part
from pepforms.fill.pictures import Media
from pepforms.fill.tags import Tag, found, numbered
from pepforms.fill.values import context
from pepforms.model import Pep

_FILLED = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml|docProps/core\.xml")
_NAMES = {"document": "text", "core": "document properties"}
_TEXT_OR_TAG = re.compile(r"<w:t[ >]|</w:t>|\{\{(?P<value>[^}]*)\}\}")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One part with tags: its Jinja template, and where each of its tags stands in Word."""

    jinja: jinja2.Template
    tags: list[Tag]
    mends_tables: bool


class Template:
    """A compiled Word template. `digest` is that of the Word file; filling is safe from several threads at once."""

    def __init__(self, data: bytes, *, name: str) -> None:
        """Compile; Refused with part, table, row and cell where the template cannot be."""
        self.name, self.digest = name, sha256(data)
        self._parts = package.read(data)
        self._environment = Environment()
        self._static: dict[str, Part] = {}
        self._compiled: dict[str, _Compiled] = {}
        for part, content in self._parts.items():
            tags = found(_title(part), self._parsed(part, content)) if _FILLED.fullmatch(part) else []
            if tags:
                self._compiled[part] = self._compile(part, content, tags)
            self._static[part] = Part.of(content)

    def fill(self, pep: Pep, document: Mapping[str, Any]) -> bytes:
        """The filled Word file. `pep` has passed the check; `document` says what the document is and for whom."""
        names = context(pep, schema.load().root, document)
        contents, parts = dict(self._parts), dict(self._static)
        faces: set[fonts.Face] = set()
        for part, compiled in self._compiled.items():
            media = Media()
            xml, used = self._finished(part, compiled, self._rendered(compiled, {**names, "media_": media}))
            parts[part] = Part.of(xml, level=1)
            embed.pictures(contents, parts, part, media)
            faces |= used
        if faces:
            embed.fonts(contents, parts, faces)
        return package.write(parts)

    def _parsed(self, part: str, content: bytes) -> etree._Element:
        try:
            return etree.fromstring(content, _STRICT)
        except etree.XMLSyntaxError as error:
            raise Refused(
                f"The template {self.name} is damaged in its {_title(part)}. Save it again in Word.",
                slug="not-a-word-file",
            ) from error

    def _compile(self, part: str, content: bytes, tags: list[Tag]) -> _Compiled:
        patched = docxtpl.DocxTemplate.patch_xml(None, content.decode())
        source = numbered(_title(part), patched, tags)
        if part.startswith("word/"):
            source = _runs_marked(source)
        try:
            tree = self._environment.parse(source)
            for line, reason in refusals(tree):
                raise self._refused(tags, line, reason)
            code = self._environment.compile(tree, filename=part)
        except jinja2.TemplateSyntaxError as error:
            raise self._refused(tags, error.lineno, f"it cannot be read ({error.message})") from error
        jinja = jinja2.Template.from_code(self._environment, code, {})
        return _Compiled(jinja, tags, any(tag.text.startswith("{%tc") for tag in tags))

    def _rendered(self, compiled: _Compiled, names: dict[str, Any]) -> str:
        try:
            return "".join(compiled.jinja.root_render_func(compiled.jinja.new_context(names)))
        except PepformsError:
            raise
        except Exception as error:  # whatever a template's expression met; told with the cell it stands in
            line = _line(compiled.jinja, error.__traceback__)
            raise self._refused(compiled.tags, line, _reason(error)) from error

    def _finished(self, part: str, compiled: _Compiled, xml: str) -> tuple[bytes, set[fonts.Face]]:
        """The part as bytes, proved to be XML, with a font for every character."""
        try:
            encoded = xml.encode()
            expat.ParserCreate(namespace_separator=" ").Parse(encoded, True)
        except (UnicodeEncodeError, expat.ExpatError) as error:
            raise Broken(
                f"The template {self.name} made a damaged {_title(part)}: a tag stands where Word does not allow it.",
                slug="template-made-bad-xml",
            ) from error
        faces: set[fonts.Face] = set()
        if part.startswith("word/") and fonts.BEYOND_BASE.search(xml):
            xml, faces = runs.give_fonts(xml)
            encoded = xml.encode()
        if compiled.mends_tables:
            root = docxtpl.DocxTemplate.fix_tables(None, encoded)
            encoded = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
        return encoded, faces

    def _refused(self, tags: list[Tag], line: int, reason: str) -> Refused:
        tag = tags[min(max(line, 1), len(tags)) - 1]
        return Refused(
            f"The template {self.name} cannot be used. {tag.place}: the tag {tag.text}: {reason}.",
            slug="template-refused",
        )


_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _title(part: str) -> str:
    """What an author calls a part: text, header 1, footer 2, document properties."""
    stem = part.rsplit("/", 1)[-1].removesuffix(".xml")
    return _NAMES.get(stem) or re.sub(r"(\D)(\d)", r"\1 \2", stem)


def _runs_marked(source: str) -> str:
    """Send every value that stands outside a text element (`{{r … }}`) through the filter that makes it a run."""
    inside = False

    def mark(match: re.Match[str]) -> str:
        nonlocal inside
        if match["value"] is None:
            inside = not match.group().startswith("</")
            return match.group()
        return match.group() if inside else f"{{{{ ({match['value']}) | {AS_RUN} }}}}"

    return _TEXT_OR_TAG.sub(mark, source)


def _line(template: jinja2.Template, trace: TracebackType | None) -> int:
    """The line of the template's source at which its compiled code stopped."""
    line = 1
    while trace:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, jinja2.UndefinedError | TypeError):
        return str(error.args[0]) if error.args else "it cannot be worked out"
    return f"it cannot be worked out ({type(error).__name__})"
