"""What goes into Word's XML for a value, by where it is printed: in a text, where runs stand, or in a plain fact."""

import re
from typing import Any

from jinja2 import StrictUndefined
from markupsafe import Markup, escape

from pepforms.errors import Refused
from pepforms.fill.values import Misuse
from pepforms.fill.words import said

_LINE = '</w:t><w:br/><w:t xml:space="preserve">'
_TAB = '</w:t><w:tab/><w:t xml:space="preserve">'
_BREAKS = {
    ord("\n"): _LINE, ord("\u0085"): _LINE, ord("\u2028"): _LINE, ord("\u2029"): _LINE, ord("\r"): _LINE,
    ord("\t"): _TAB,
}  # fmt: skip
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Run(Markup):
    """A run of words that a filter made: it can stand where runs do, not inside a text."""


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


def run(value: Any) -> Markup:
    """Where runs stand: a run of its own."""
    if isinstance(value, Markup):
        return Markup("%s") % value
    return Markup("<w:r>%s</w:r>") % _text(value)


def fact(value: Any) -> str:
    """In a document property, which has no lines: the words, on one line."""
    if isinstance(value, StrictUndefined):
        str(value)
    return " ".join(holdable(said(value)).split())


def strong(value: Any) -> Run:
    """`{{r child.preferred_name|strong }}`: the words in bold, as a run of their own."""
    return Run(Markup("<w:r><w:rPr><w:b/><w:bCs/></w:rPr>%s</w:r>") % _text(value))


def holdable(words: str) -> str:
    """The words as they are; Refused where XML cannot hold one of their characters, since none may vanish."""
    cannot = _NOT_IN_XML.search(words)
    if cannot:
        raise Refused(
            f"A text in this PEP holds a character that Word cannot, U+{ord(cannot.group()):04X}. Take it out.",
            slug="cannot-hold",
        )
    return words


def _text(value: Any) -> Markup:
    return Markup('<w:t xml:space="preserve">%s</w:t>') % printed(value)
