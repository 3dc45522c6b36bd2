"""What the tags of a template name, loop by loop: every placeholder as a field of the schema, or why it is none.

The tags are read one by one in their order, each as Jinja reads it, so that one that cannot be read hides no other.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, nodes

from pepforms import schema
from pepforms.fill.language import OF_A_LOOP, Environment, close, refusals
from pepforms.fill.tags import Tag, in_plain_quotes
from pepforms.model import Audience
from pepforms.schema import Field

_LEVEL = re.compile(r"^(\{[{%])(?:tr|tc|p|r)\s")
_WORD = re.compile(r"\{%(?:(?:tr|tc|p|r)\s)?[-+]?\s*(?P<word>\w*)")
_WHOLE = {
    "for": "%s{%% endfor %%}", "if": "%s{%% endif %%}", "elif": "{%% if 1 %%}%s{%% endif %%}",
    "else": "{%% if 1 %%}%s{%% endif %%}", "endfor": "{%% for x in 1 %%}%s", "endif": "{%% if 1 %%}%s",
}  # fmt: skip
"""What makes a statement whole, so that it can be read alone."""

_TELL_OF = {"percent": ("possible", "attended"), "remaining": ("allocation",), "total": ()}
"""What filters that take a group of facts tell of it, where that is not all."""
_OF_ENTRIES = ("listed", "names", "total", "where")
"""Filters of a list whose first word in quotation marks is the name of a fact of its entries."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one tag, and of which kind it is."""

    slug: str
    tag: Tag
    reason: str


@dataclass(frozen=True, slots=True)
class _Named:
    """Names that are no fields: those of a loop."""

    names: Collection[str]


_Shape = Field | _Named | None
"""What a name stands for; None where it cannot be said, since something in it is at fault already."""


@dataclass(slots=True)
class _Block:
    """A `for` or `if` that stands open: the names that it makes, the facts it asks, and those that are not there."""

    word: str
    names: dict[str, _Shape] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Reader:
    """Reads the tags of a template for readers, some of whom may see each field; keeps which fields it tells."""

    audiences: Collection[Audience]
    told: set[str] = field(default_factory=set)
    _trees: dict[str, tuple[nodes.Template, list[tuple[str, str]]]] = field(default_factory=dict)
    _environment: Environment = field(default_factory=Environment)
    _root: Field = field(default_factory=lambda: schema.load().root)

    def faults(self, tags: list[Tag]) -> Iterator[Fault]:
        """All that is wrong with what the tags of one part say, in their order."""
        open_: list[_Block] = []
        for tag in tags:
            if tag.text.startswith("{#"):
                continue
            word = _WORD.match(tag.text)
            if word and word["word"] not in _WHOLE:
                yield Fault("unknown-statement", tag, _no_statement(word["word"]))
                continue
            yield from self._of_tag(tag, word["word"] if word else "", open_)

    def _of_tag(self, tag: Tag, word: str, open_: list[_Block]) -> Iterator[Fault]:
        tree, refused = self._parsed(_alone(tag.text, word))
        yield from (Fault(slug, tag, reason) for slug, reason in refused)
        if word in ("for", "if"):
            open_.append(_Block(word))
        if word in ("endfor", "endif"):
            _close(open_, word.removeprefix("end"))
        elif word == "for" and refused:
            open_[-1].names = _silent(tree)
        elif not refused:
            if word in ("elif", "else") and open_:
                open_[-1].absent = {*open_[-1].asked}
            reading = _Reading(self, tag, open_)
            for node in tree.body if word != "else" else ():
                reading.statement(node, word)
            yield from reading.faults

    def _parsed(self, text: str) -> tuple[nodes.Template, list[tuple[str, str]]]:
        """A tag as Jinja reads it, and the kind and reason of all for which it is refused; each wording read once."""
        if text not in self._trees:
            try:
                tree = self._environment.parse(text)
                refused = [(slug, reason) for _, slug, reason in refusals(tree)]
            except (TemplateSyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
                tree, refused = nodes.Template([]), [("unreadable-tag", f"it cannot be read ({_why(error)})")]
            self._trees[text] = tree, refused
        return self._trees[text]

    def names(self, open_: list[_Block]) -> dict[str, _Shape]:
        """Every name that a tag inside these loops may begin with."""
        names: dict[str, _Shape] = {**self._root.fields, "document": schema.document()}
        for block in open_:
            names |= block.names
        return names

    def untold(self) -> Iterator[Field]:
        """The fields that must be known at sign-off and that no tag read so far tells.

        What only decides which questions are asked (the phase) is seen in them.
        """
        deciding = {f"/pep/{name}" for one in self._root.walk() for name in one.asked_when}
        for one in self._root.walk():
            told = any(_beneath(pointer, one.pointer) for pointer in self.told)
            if one.needed == "blocks" and not told and one.pointer not in deciding:
                yield one

    def elsewhere(self, name: str) -> str:
        """“; did its author mean …?”, where a field of that name lies in another place."""
        wanted = [one for one in self._root.walk() if one.pointer.rsplit("/", 1)[-1] == name.lower()]
        return f"; did its author mean “{placeholder(wanted[0])}”?" if wanted else ""


@dataclass(slots=True)
class _Reading:
    """One tag on its way: what it names, and what is wrong with it."""

    reader: Reader
    tag: Tag
    open_: list[_Block]
    faults: list[Fault] = field(default_factory=list)

    def statement(self, node: nodes.Node, word: str) -> None:
        """A whole tag: it loops, asks or prints."""
        if isinstance(node, nodes.For):
            self._loop(node)
        elif isinstance(node, nodes.If):
            asked = node.elif_[0].test if word == "elif" else node.test
            self._asks(asked)
            if self.open_:
                self.open_[-1].asked |= self._pointers(asked)
                self.open_[-1].absent |= {one for denied in _denied(asked) for one in self._pointers(denied)}
        elif isinstance(node, nodes.Output):
            for printed in node.nodes:
                self._prints(printed)

    def _loop(self, node: nodes.For) -> None:
        over = self._shape(node.iter)
        self.open_[-1].asked = {over.pointer} if isinstance(over, Field) else set()
        inside: _Shape = over.items if isinstance(over, Field) else None
        if (over is not None and inside is None) or not _is_name(node.iter):
            self._fault("not-a-list", "it loops over something that is not a list")
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        self.open_[-1].names = {target: inside, "loop": _Named(OF_A_LOOP)}
        if node.test:
            self._asks(node.test)

    def _prints(self, node: nodes.Node) -> None:
        """Something that comes to stand on the page."""
        if isinstance(node, nodes.CondExpr):
            self._asks(node.test)
            self._prints(node.expr1)
            if node.expr2 is None:
                self._fault("unreadable-tag", "it does not say what to print if not; write else and a text in quotes")
            else:
                self._prints(node.expr2)
        elif _is_name(node):
            shape = self._shape(node)
            if isinstance(shape, _Named) or (isinstance(shape, Field) and self._unsayable(shape)):
                self._fault("prints-a-group", "it prints a group of facts; name one of them")
            elif isinstance(shape, Field):
                self._tells(shape)
        elif isinstance(node, nodes.Filter):
            self._filtered(node)
        elif isinstance(node, nodes.Const) and node.value is None:
            self._fault("prints-a-group", "it prints nothing; name a fact")
        else:
            self._asks(node)

    def _filtered(self, node: nodes.Filter) -> None:
        within = node.node
        if within is not None and _is_name(within):
            shape = self._shape(within)
            if isinstance(shape, Field):
                told = _TELL_OF.get(node.name) if _is_group(shape) else None
                for one in [shape] if told is None else [shape.fields[name] for name in told if name in shape.fields]:
                    self._tells(one)
                if node.name in _OF_ENTRIES and _given(node):
                    self._of_entries(node, shape)
        elif isinstance(within, nodes.Filter):
            self._filtered(within)
        elif within is not None:
            self._prints(within)
        for given in _given(node):
            self._asks(given)
        if node.name == "strong" and not self.tag.text.startswith("{{r"):
            self._fault("needs-run-tag", "it makes a run of words; write {{r and a space at its beginning")

    def _of_entries(self, node: nodes.Filter, over: Field) -> None:
        """A fact of the entries of a list, named in quotation marks: there must be one."""
        first = _given(node)[0]
        of = str(first.value) if isinstance(first, nodes.Const) else ""
        known = over.items.fields if over.items else {}
        if of in known:
            if self._is_seen(over):
                self._may_be_seen(known[of])
        else:
            near = close(of, [*known])
            self._fault("unknown-field", f"there is no “{of}” in the entries of the list{near}")

    def _parted(self, node: nodes.Filter) -> _Shape:
        """What `where` leaves of a list: its entries are of the same shape."""
        over, given = self._resolved(node.node) if node.node is not None else None, _given(node)
        for one in given:
            self._asks(one)
        if len(given) != 2:
            self._fault(
                "unreadable-tag", "it does not say which entries; write a fact’s name, a comma, and what it must be"
            )
        elif isinstance(over, Field) and not over.items:
            self._fault("not-a-list", "it looks for entries in something that is not a list")
        elif isinstance(over, Field):
            self._of_entries(node, over)
            return over
        return None

    def _asks(self, node: nodes.Node) -> None:
        """Something that is only asked or compared: a yes or no, and what is compared, is told by the words around."""
        compared = isinstance(node, nodes.Compare)
        if _is_name(node):
            shape = self._shape(node)
            if isinstance(shape, Field) and shape.type == "boolean":
                self._tells(shape)
            return
        for child in node.iter_child_nodes():
            if compared and (_is_name(child) or isinstance(child, nodes.Operand)):
                shape = self._shape(child.expr if isinstance(child, nodes.Operand) else child)
                if isinstance(shape, Field):
                    self._tells(shape)
            else:
                self._asks(child)

    def _unsayable(self, shape: Field) -> bool:
        """Whether a tag that names the field alone says nothing: a picture is drawn, what is not there prints why."""
        drawn = self.tag.text.startswith("{{r") and {"media_type", "data"} <= shape.fields.keys()
        absent = any(shape.pointer in block.absent for block in self.open_)
        return _is_group(shape) and not drawn and not absent

    def _pointers(self, node: nodes.Node) -> set[str]:
        """The fields that an expression names, said before whether they are right."""
        quiet = _Reading(self.reader, self.tag, self.open_)
        named = (node, *node.find_all((nodes.Name, nodes.Getattr, nodes.Getitem)))
        return {shape.pointer for one in named if isinstance(shape := quiet._resolved(one), Field)}

    def _tells(self, shape: Field) -> None:
        self.reader.told.add(shape.pointer)

    def _shape(self, node: nodes.Node) -> _Shape:
        """What a name stands for; a field that no reader may see is a fault."""
        shape = self._resolved(node)
        if isinstance(shape, Field):
            self._may_be_seen(shape)
        return shape

    def _is_seen(self, shape: Field) -> bool:
        return bool(shape.audience & {*self.reader.audiences})

    def _may_be_seen(self, shape: Field) -> None:
        if not self._is_seen(shape):
            readers = ", ".join(self.reader.audiences)
            self._fault("withheld-field", f"“{shape.title}” may not be shown to any reader of this form ({readers})")

    def _resolved(self, node: nodes.Node) -> _Shape:
        if isinstance(node, nodes.Name):
            names = self.reader.names(self.open_)
            if node.name not in names:
                near = close(node.name.lower(), [*names, "loop"]) or self.reader.elsewhere(node.name)
                self._fault("unknown-field", f"it names “{node.name}”, which does not exist{near}")
            return names.get(node.name)
        if isinstance(node, nodes.Getattr):
            return self._under(self._resolved(node.node), node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            return self._under(self._resolved(node.node), node.arg.value)
        if isinstance(node, nodes.Filter) and _is_name(node):
            return self._parted(node)
        self._asks(node)
        return None

    def _under(self, holder: _Shape, name: str | int) -> _Shape:
        if holder is None:
            return None
        if isinstance(holder, _Named):
            if name not in holder.names:
                self._fault("unknown-field", _missing(name, holder.names))
            return None
        below = holder.items if isinstance(name, int) else holder.fields.get(name)
        if below is None:
            listed = f"; “{holder.title}” is a list: loop over it" if holder.items and isinstance(name, str) else ""
            near = _near(name, holder.fields) or listed or self.reader.elsewhere(str(name))
            self._fault("unknown-field", f"it names “{name}”, which does not exist here{near}")
        return below

    def _fault(self, slug: str, reason: str) -> None:
        self.faults.append(Fault(slug, self.tag, reason))


def placeholder(of: Field) -> str:
    """A field as an author writes it: `child.upn`; `[]` marks a list to loop over."""
    return of.pointer.removeprefix("/").replace("/*/", "[].").replace("/*", "[]").replace("/", ".")


def _is_name(node: nodes.Node) -> bool:
    """Whether an expression stands for a field, or for some of the entries of one."""
    parted = isinstance(node, nodes.Filter) and node.name == "where"
    return parted or isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem)


def _given(node: nodes.Filter) -> list[nodes.Expr]:
    """What a filter is given between its brackets."""
    return [*node.args, *(keyword.value for keyword in node.kwargs)]


def _alone(text: str, word: str) -> str:
    """A tag as Jinja reads it by itself."""
    plain = _LEVEL.sub(r"\1 ", in_plain_quotes(text))
    return _WHOLE[word] % plain if word else plain


def _why(error: BaseException) -> str:
    return error.message or "" if isinstance(error, TemplateSyntaxError) else type(error).__name__


def _silent(tree: nodes.Template) -> dict[str, _Shape]:
    """The names of a loop that is refused: what lies under them cannot be judged."""
    made = (name for name in tree.find_all(nodes.Name) if name.ctx == "store")
    return {"loop": _Named(OF_A_LOOP), **{name.name: None for name in made}}


def _close(open_: list[_Block], word: str) -> None:
    """End the nearest block of that kind, and what was left open in it."""
    while any(block.word == word for block in open_):
        if open_.pop().word == word:
            return


def _denied(node: nodes.Node) -> Iterator[nodes.Node]:
    """What an expression says is not so."""
    yield from ([node] if isinstance(node, nodes.Not) else [])
    yield from node.find_all(nodes.Not)


def _no_statement(word: str) -> str:
    return f"there is no “{word}”{close(word, [*_WHOLE])}; templates may say {', '.join(_WHOLE)}"


def _missing(name: str | int, known: Collection[str]) -> str:
    return f"it names “{name}”, which does not exist here{close(str(name), [*known])}"


def _near(name: str | int, fields: Mapping[str, Field]) -> str:
    return close(str(name).lower(), [*fields])


def _is_group(shape: Field) -> bool:
    return bool(shape.fields or (shape.items and shape.items.fields))


def _beneath(pointer: str, above: str) -> bool:
    return pointer == above or pointer.startswith(f"{above}/") or above.startswith(f"{pointer}/")
