"""Mend the tags of a PDF that LibreOffice made, where they fall short of PDF/A-2a and PDF/UA-1.

Three faults stand in the files of its version 7.4: the lines of tables are drawn outside all tags, a paragraph style
whose name is a standard tag (“Note”) is mapped to another, and glyphs that only join with others say no
character. The words themselves are never touched: text outside all tags stays a fault for the judge to find.
"""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pikepdf

    Instruction = pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage

_PAINTS_PATHS = frozenset(("S", "s", "f", "F", "f*", "B", "B*", "b", "b*"))
_PAINTS_OTHER = frozenset(("Tj", "TJ", "'", '"', "Do", "sh", "INLINE IMAGE"))

_JOINS = "2060"
"""U+2060, the word joiner: it shows nothing and is nobody's letter. The characters are said by the span around."""


def mend(pdf: bytes) -> bytes:
    """The PDF with its lines marked as artifacts, its standard tags used as such, and a character for every glyph."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            content = pikepdf.unparse_content_stream([*_marked(pikepdf.parse_content_stream(page))])
            page.obj.Contents = document.make_stream(content)
        for font in document.objects:
            if isinstance(font, pikepdf.Dictionary) and "/ToUnicode" in font and "/FirstChar" in font:
                _complete(font)
        _use_standard_tags(document)
        mended = io.BytesIO()
        document.save(mended)
        return mended.getvalue()


def _marked(content: "list[Instruction]") -> "Iterator[Instruction]":
    """The content, with an artifact around each stretch between tags that draws lines or areas and nothing else."""
    depth = 0
    outside: list[Instruction] = []
    for instruction in content:
        operator = str(instruction.operator)
        opens = operator in ("BDC", "BMC")
        if opens and not depth:
            yield from _artifact(outside)
            outside = []
        depth += opens
        if depth:
            yield instruction
        else:
            outside.append(instruction)
        depth -= operator == "EMC"
    yield from _artifact(outside)


def _artifact(content: "list[Instruction]") -> "list[Instruction]":
    from pikepdf import ContentStreamInstruction, Name, Operator

    operators = {str(instruction.operator) for instruction in content}
    if operators.isdisjoint(_PAINTS_PATHS) or not operators.isdisjoint(_PAINTS_OTHER):
        return content
    begin = ContentStreamInstruction([Name.Artifact], Operator("BMC"))
    return [begin, *content, ContentStreamInstruction([], Operator("EMC"))]


def _complete(font: "pikepdf.Object") -> None:
    """Give the glyphs that say no character one that shows nothing; PDF/A-2a asks for one, even inside a span."""
    table = font.ToUnicode.read_bytes()
    said = {int(code, 16) for code in re.findall(rb"^<([0-9A-F]{2})> <", table, re.MULTILINE)}
    silent = [code for code in range(1, int(font.LastChar) + 1) if code not in said]  # 0 is drawn for no character
    added = "".join(f"1 beginbfchar\n<{code:02X}> <{_JOINS}>\nendbfchar\n" for code in silent)
    font.ToUnicode.write(table.replace(b"endcmap", added.encode() + b"endcmap"))


def _use_standard_tags(document: "pikepdf.Pdf") -> None:
    """Tag each paragraph as what the name of its style is mapped to, and map nothing any more."""
    import pikepdf

    roles = document.Root.StructTreeRoot.get("/RoleMap", pikepdf.Dictionary())
    for element in document.objects:
        if isinstance(element, pikepdf.Dictionary) and "/P" in element and str(element.get("/S")) in roles:
            element.S = roles[str(element.S)]
    if "/RoleMap" in document.Root.StructTreeRoot:
        del document.Root.StructTreeRoot["/RoleMap"]
