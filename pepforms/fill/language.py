"""The language of templates: Jinja without its powers.

A template may name facts, loop over lists, ask `if`, compare, and use our filters and tests. Everything else (calls,
arithmetic, assignment, Python attributes) is refused when the template is compiled, because a sandbox alone still
lets `targets.clear()` and `'x' * 300000000` through.
"""

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import StrictUndefined, UndefinedError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from pepforms.fill import pictures
from pepforms.fill.values import MISSING, Absent, Facts, Items, Node, Unknown
from pepforms.fill.words import FILTERS, said

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.For,
    nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test,
    nodes.Keyword,
)  # fmt: skip
"""The parts of Jinja's syntax that a template may use."""

_OF_A_LOOP = ("index", "first", "last", "length")

TESTS: dict[str, Callable[[Any], bool]] = {
    "known": lambda value: not isinstance(value, Absent),
    "unknown": lambda value: isinstance(value, Unknown),
}
"""`{% if child.upn is known %}`: the tests that a template may use."""

_LINE = '</w:t><w:br/><w:t xml:space="preserve">'
_TAB = '</w:t><w:tab/><w:t xml:space="preserve">'
_BREAKS = {
    ord("\n"): _LINE, ord("\u0085"): _LINE, ord("\u2028"): _LINE, ord("\u2029"): _LINE, ord("\r"): _LINE,
    ord("\t"): _TAB,
}  # fmt: skip
AS_RUN = "run_"


class Environment(ImmutableSandboxedEnvironment):
    """Jinja as templates of ours know it: names are items of the PEP, and everything printed is escaped."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined, finalize=printed)
        self.filters = {**FILTERS, "strong": strong, AS_RUN: pictures.as_run}
        self.tests = dict(TESTS)
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The item of that name; never an attribute of Python."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The item of that name or place; a name that the schema lacks is an error at once."""
        if isinstance(obj, LoopContext) and argument in _OF_A_LOOP:
            return getattr(obj, argument)
        value = obj.item(argument) if isinstance(obj, Node | Items | Absent | Facts) else MISSING
        if value is MISSING:
            raise UndefinedError(f"it names “{argument}”, which does not exist here{_nearest(obj, argument)}")
        return value


def printed(value: Any) -> str:
    """What goes into a Word text for any value: its words (Jinja escapes them), with Word's line breaks and tabs."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, StrictUndefined):
        str(value)  # raises, with the name
    text = said(value)
    if text.isprintable():  # line ends and tabs are not: most values need no more work
        return text
    return Markup(str(escape(text)).replace("\r\n", "\n").translate(_BREAKS))  # noqa: S704  it is escaped just here


def strong(value: Any) -> Markup:
    """`{{r child.preferred_name|strong }}`: the words in bold, as a run of their own."""
    return Markup("<w:r><w:rPr><w:b/><w:bCs/></w:rPr>%s</w:r>") % pictures.text(printed(value))


def refusals(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in a parsed template that templates may not use."""
    for node in tree.find_all(nodes.Node):
        reason = _refusal(node)
        if reason:
            yield node.lineno, reason


def _refusal(node: nodes.Node) -> str | None:
    if not isinstance(node, ALLOWED):
        return f"it uses {type(node).__name__.lower()}, which templates may not"
    if isinstance(node, nodes.Name) and node.name.startswith("_"):
        return f"it uses the name {node.name}, which templates may not"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"it reaches for {node.attr}, which templates may not"
    if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        return "it looks a fact up by something other than its name"
    if isinstance(node, nodes.Filter) and node.name not in (*FILTERS, "strong", AS_RUN):
        return f"there is no filter “{node.name}”{_close(node.name, [*FILTERS, 'strong'])}"
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"there is no test “{node.name}”{_close(node.name, list(TESTS))}"
    if isinstance(node, nodes.For) and node.recursive:
        return "it loops recursively, which templates may not"
    return None


def _nearest(obj: Any, name: Any) -> str:
    known = list(obj.field.fields) if isinstance(obj, Node | Absent) else list(obj) if isinstance(obj, Facts) else []
    return _close(str(name), known)


def _close(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did its author mean “{near[0]}”?" if near else ""
