"""What goes into Word's XML for a value, by where it is printed: in a text, where runs stand, or in a plain fact."""

import re
from typing import Any

from jinja2 import StrictUndefined
from markupsafe import Markup, escape

from pepforms.errors import Refused
from pepforms.fill.kinds import Kind, takes
from pepforms.fill.values import Misuse
from pepforms.fill.words import said

_LINE = '</w:t><w:br/><w:t xml:space="preserve">'
_TAB = '</w:t><w:tab/><w:t xml:space="preserve">'
_BREAKS = {
    ord("\n"): _LINE, ord("\u0085"): _LINE, ord("\u2028"): _LINE, ord("\u2029"): _LINE, ord("\r"): _LINE,
    ord("\t"): _TAB,
}  # fmt: skip
_BOLD = re.compile(r"<w:b(?:Cs)?(?: [^>]*)?/>")
_BEFORE_BOLD = re.compile(r"(?:<w:rStyle [^>]*/>)?(?:<w:rFonts [^>]*/>)?")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""The characters that no Word file can hold."""


class Run(Markup):
    """A text in bold that a filter made: it can stand where runs do, not inside a text."""


def printed(value: Any) -> str:
    """Inside a text: the words for any value (Jinja escapes them), with Word's line breaks and tabs."""
    if isinstance(value, Markup):
        if isinstance(value, Run):
            raise Misuse("it makes a run of words; write {{r and a space at its beginning")
        return value
    if isinstance(value, StrictUndefined):
        str(value)  # raises, with the name
    words = said(value)
    if words.isprintable():  # line ends and tabs are not: most values need no more work
        return words
    return Markup(str(escape(holdable(words))).replace("\r\n", "\n").translate(_BREAKS))  # noqa: S704  escaped just here


def run(value: Any, plain: str, bold: str) -> Markup:
    """Where runs stand: a run of its own, which looks as the author's run does, or so in bold."""
    text, looks = (Markup("%s") % value, bold) if isinstance(value, Run) else (_text(value), plain)
    return Markup("<w:r>%s%s</w:r>") % (Markup(looks), text)  # noqa: S704  the template's own, read when compiled


def in_bold(looks: str) -> str:
    """The properties of a run (`<w:rPr>…</w:rPr>`, or nothing), with bold in the place that the standard gives it."""
    inner = _BOLD.sub("", looks.removeprefix("<w:rPr>").removesuffix("</w:rPr>"))
    before = _BEFORE_BOLD.match(inner)
    at = before.end() if before else 0
    return f"<w:rPr>{inner[:at]}<w:b/><w:bCs/>{inner[at:]}</w:rPr>"


def fact(value: Any) -> str:
    """In a document property, which has no lines: the words, on one line."""
    if isinstance(value, Run):
        raise Misuse("a document property has no bold; take the filter out")
    if isinstance(value, StrictUndefined):
        str(value)
    return " ".join(holdable(said(value)).split())


@takes(Kind.FACT, Kind.RUN)
def strong(value: Any) -> Run:
    """`{{r child.preferred_name|strong }}`: the words in bold, as a run of their own."""
    return Run(_text(value))


def holdable(words: str) -> str:
    """The words as they are; Refused where XML cannot hold one of their characters, since none may vanish."""
    cannot = NOT_IN_XML.search(words)
    if cannot:
        raise Refused(
            f"A text in this PEP holds a character that Word cannot, U+{ord(cannot.group()):04X}. Take it out.",
            slug="cannot-hold",
        )
    return words


def _text(value: Any) -> Markup:
    return Markup('<w:t xml:space="preserve">%s</w:t>') % printed(value)
