"""The language of templates: Jinja without its powers.

A template may name facts, loop over lists, ask `if`, compare, and use our filters and tests. Everything else (calls,
arithmetic, assignment, Python attributes) is refused when the template is compiled, because a sandbox alone still
lets `targets.clear()` and `'x' * 300000000` through.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import StrictUndefined, UndefinedError, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pepforms import schema
from pepforms.fill import pictures, printing
from pepforms.fill.kinds import FILTERS, Kind
from pepforms.fill.values import MISSING, Absent, Items, Misuse, Node, Unknown, Withheld

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.For,
    nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test,
    nodes.Keyword,
)  # fmt: skip
"""The parts of Jinja's syntax that a template may use."""

_HOLDS_ITEMS = (Node, Items, Absent)
OF_A_LOOP = {"index": Kind.NUMBER, "first": Kind.ONE, "last": Kind.ONE, "length": Kind.NUMBER}

TESTS: dict[str, Callable[[Any], bool]] = {
    "known": lambda value: not isinstance(value, Absent),
    "shown": lambda value: not isinstance(value, Withheld),
    "unknown": lambda value: isinstance(value, Unknown),
}
"""The tests that a template may use: `{% if child.upn is known %}`; `{% if care.need is shown %}`, whether this copy's
reader may see it, so that no heading stands over nothing."""

_RUN, _FACT, _ROWS = "run_", "fact_", "rows_"
_TEXT = re.compile(r"<(/?)w:t[ >]")
_LOOKS = re.compile(r"(<w:rPr>(?:(?!<w:rPr>).)*</w:rPr>)<w:t(?: [^>]*)?></w:t></w:r>\Z", re.DOTALL)
"""The end of what patching leaves of the run that a tag takes the place of."""
MOST_ROWS = 5_000
"""Beyond a hundred pages: a template that loops more often in one part is a mistake or a bomb."""


class Misspelt(StrictUndefined):
    """A name that neither the PEP nor the template's loops know."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name = str(self._undefined_name)
        return f"it names “{name}”, which does not exist{close(name, [*schema.load().root.fields, 'document', 'loop'])}"


class Environment(ImmutableSandboxedEnvironment):
    """Jinja as templates of ours know it: names are items of the PEP, and everything printed is escaped."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=Misspelt, finalize=_finalized)
        self.filters = {**FILTERS, _RUN: pictures.as_run, _FACT: printing.fact, _ROWS: _rows}
        self.tests = dict(TESTS)
        self.globals = {}

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The item of that name or place, never an attribute of Python; a name that the schema lacks is an error."""
        if isinstance(obj, _HOLDS_ITEMS):
            value = obj.item(argument)
            if value is not MISSING:
                return value
        elif isinstance(obj, LoopContext) and argument in OF_A_LOOP:
            return getattr(obj, argument)
        elif isinstance(obj, Misspelt):
            str(obj)  # raises: the name at fault is the one before the dot
        raise UndefinedError(f"it names “{argument}”, which does not exist here{_nearest(obj, argument)}")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The same, as a dot asks for it."""
        return self.getitem(obj, attribute)


def refusals(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    """Line, kind and reason of everything in a parsed template that templates may not use."""
    for node in tree.find_all(nodes.Node):
        if reason := _unknown(node):
            yield node.lineno, f"unknown-{type(node).__name__.lower()}", reason
        elif reason := _unsafe(node):
            yield node.lineno, "unsafe-tag", reason


def fit(tree: nodes.Template, *, in_word: bool) -> None:
    """Have every value printed as its place needs (in a text, where runs stand, in a plain fact), and loops counted."""
    inside, looks = False, ""
    for output in list(tree.find_all(nodes.Output)):
        for position, node in enumerate(output.nodes):
            if isinstance(node, nodes.TemplateData):
                marks = _TEXT.findall(node.data)
                inside = marks[-1] == "" if marks else inside
                run = _LOOKS.search(node.data)
                looks = run[1] if run else ""
            elif not in_word:
                output.nodes[position] = _through(_FACT, node)
            elif not inside:
                output.nodes[position] = _through(_RUN, node, looks, printing.in_bold(looks))
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = _through(_ROWS, loop.iter)


def _through(name: str, node: nodes.Node, *given: str) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    args = [nodes.Const(one) for one in given]
    return nodes.Filter(node, name, args, [], None, None, lineno=node.lineno, environment=node.environment)


@pass_context  # which keeps Jinja from printing constants in its own way, as `None` and `True`, when it compiles
def _finalized(_context: Context, value: Any) -> str:
    return printing.printed(value)


@pass_context
def _rows(context: Context, value: Any) -> Any:
    """What a loop may go over: lists of the PEP, each row counted."""
    if not isinstance(value, Items | Absent):
        raise Misuse("it loops over something that is not a list")
    made: pictures.Made = context[pictures.MADE]
    if isinstance(value, Items):
        made.rows += len(value)
        if made.rows > MOST_ROWS:
            raise Misuse(f"its loops go round more than {MOST_ROWS:,} times")
    return value


_SPOKEN = {
    "call": "a call", "assign": "set", "assignblock": "set", "callblock": "call", "filterblock": "a filter block",
    "list": "a list of its own", "tuple": "several values at once", "dict": "a dictionary", "slice": "a slice",
    "concat": "~", "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "neg": "-", "pos": "+", "evalcontextmodifier": "autoescape", "scopedevalcontextmodifier": "autoescape",
    "fromimport": "import",
}  # fmt: skip


def _unsafe(node: nodes.Node) -> str | None:
    if not isinstance(node, ALLOWED):
        kind = type(node).__name__.lower()
        return f"it uses {_SPOKEN.get(kind, kind)}, which templates may not"
    if isinstance(node, nodes.Name) and node.name.startswith("_"):
        return f"it uses the name {node.name}, which templates may not"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"it reaches for {node.attr}, which templates may not"
    if isinstance(node, nodes.Filter | nodes.Test) and (node.dyn_args or node.dyn_kwargs):
        return "it uses *, which templates may not"
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and printing.NOT_IN_XML.search(node.value):
        return "it holds a character that Word cannot"
    if isinstance(node, nodes.Const) and node.value in (math.inf, -math.inf):
        return "it holds a number beyond all measure"
    if isinstance(node, nodes.Compare) and any(operand.op in ("in", "notin") for operand in node.ops):
        return "it uses in, which templates may not"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, ALLOWED) and not isinstance(node.arg, nodes.Const):
        return "it looks a fact up by something other than its name"
    if isinstance(node, nodes.For) and node.recursive:
        return "it loops recursively, which templates may not"
    return None


def _unknown(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"there is no filter “{node.name}”{close(node.name, list(FILTERS))}"
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"there is no test “{node.name}”{close(node.name, list(TESTS))}"
    return None


def _nearest(obj: Any, name: Any) -> str:
    known = list(obj.field.fields) if isinstance(obj, Node | Absent) else []
    return close(str(name), known)


def close(name: str, known: list[str]) -> str:
    """“; did its author mean …?”, where one of the known names is near."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did its author mean “{near[0]}”?" if near else ""
