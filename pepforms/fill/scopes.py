"""What the tags of a template name, loop by loop: every placeholder as a field of the schema, or why it is none.

The tags are read one by one in their order, each as Jinja reads it, so that one that cannot be read hides no other.
"""

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, nodes

from pepforms import codes, schema
from pepforms.fill import kinds
from pepforms.fill.kinds import Each, Kind, Way
from pepforms.fill.language import OF_A_LOOP, TESTS, Environment, close, refusals
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

_INSTEAD = {"elseif": "elif", "elsif": "elif", "elsefor": "else", "end": "endif or endfor"}
"""What authors write who know another language of templates."""
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!="}
"""What Word makes of two signs that are typed one after the other."""
_AMOUNT = re.compile(r"-?\d+\.\d\d")
_ORDER = ("lt", "lteq", "gt", "gteq")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one tag, and of which kind it is."""

    slug: str
    tag: Tag
    reason: str


@dataclass(frozen=True, slots=True)
class _Named:
    """Names that are no fields: those of a loop."""

    names: Mapping[str, Kind]


_Shape = Field | Kind | _Named | None
"""What an expression stands for; None where it cannot be said, since something in it is at fault already."""


_Path = tuple[str | int, ...]
"""How an author names a fact, step by step: the entry of a loop and its fact, say."""


@dataclass(slots=True)
class _Block:
    """A `for` or `if` that stands open: the names that it makes, and what is surely not there, by how it is named.

    `denied` are those that were not there in any question before this `else` or `elif`.
    """

    word: str
    names: dict[str, _Shape] = field(default_factory=dict)
    denied: set[_Path] = field(default_factory=set)
    absent: set[_Path] = field(default_factory=set)


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
        tree, refused = self._parsed(_alone(tag.text, word), word)
        yield from (Fault(slug, tag, reason) for slug, reason in refused)
        if word in ("for", "if"):
            open_.append(_Block(word))
        if word in ("endfor", "endif"):
            _close(open_, word.removeprefix("end"))
        elif word == "for" and refused:
            open_[-1].names = _silent(tree)
        elif not refused:
            if word in ("elif", "else") and open_:
                open_[-1].absent = {*open_[-1].denied}
                open_[-1].names = {}
            reading = _Reading(self, tag, open_)
            try:
                for node in tree.body if word != "else" else ():
                    reading.statement(node, word)
            except RecursionError:
                reading.faults = [Fault("unreadable-tag", tag, "it says too much to be read; say less in one tag")]
            yield from reading.faults

    def _parsed(self, text: str, word: str) -> tuple[nodes.Template, list[tuple[str, str]]]:
        """A tag as Jinja reads it, and the kind and reason of all for which it is refused; each wording read once."""
        if text not in self._trees:
            try:
                tree = self._environment.parse(text)
                refused = [*{slug: (slug, reason) for _, slug, reason in reversed([*refusals(tree)])}.values()]
            except (TemplateSyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
                why = _meant(text, word, error) or f"it cannot be read ({_why(error)})"
                tree, refused = nodes.Template([]), [("unreadable-tag", why)]
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
                self.open_[-1].denied |= {*_absent(asked, so=False)}
                self.open_[-1].absent |= {*_absent(asked, so=True)}
        elif isinstance(node, nodes.Output):
            for printed in node.nodes:
                self._prints(printed)

    def _loop(self, node: nodes.For) -> None:
        over = self._value(node.iter)
        inside: _Shape = over.items if isinstance(over, Field) else None
        if (over is not None and inside is None) or not _is_name(node.iter):
            self._fault("not-a-list", "it loops over something that is not a list")
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        if target == "loop":
            self._fault("unreadable-tag", "each entry cannot be called “loop”, which counts them; choose another word")
        block = self.open_[-1]
        block.names = {target: inside}
        if node.test:
            self._asks(node.test)
        elif path := _path(node.iter):
            block.denied = {path}
        block.names = {target: inside, "loop": _Named(OF_A_LOOP)}

    def _prints(self, node: nodes.Node) -> None:
        """Something that comes to stand on the page."""
        for one in self._outcomes(node):
            shape = self._filtered(one, printed=True) if isinstance(one, nodes.Filter) else self._value(one)
            if shape is Kind.RUN:
                self._as_a_run()
            elif isinstance(shape, Field) and self._is_picture(shape):
                self._tells(shape)
            elif shape is not None and not self._fits(one, shape, Kind.FACT):
                self._fault("prints-a-group", _GROUP)
            elif isinstance(shape, Field) and not isinstance(one, nodes.Filter):
                self._tells(shape)

    def _outcomes(self, node: nodes.Node) -> Iterator[nodes.Node]:
        """What an expression may come out as: either side of an `or`, an `and` or an `if`."""
        if isinstance(node, nodes.CondExpr):
            self._asks(node.test)
            yield from self._outcomes(node.expr1)
            if node.expr2 is None:
                self._fault("unreadable-tag", "it does not say what to print if not; write else and a text in quotes")
            else:
                yield from self._outcomes(node.expr2)
        elif isinstance(node, nodes.And | nodes.Or):
            yield from self._outcomes(node.left)
            yield from self._outcomes(node.right)
        else:
            yield node

    def _value(self, node: nodes.Node) -> _Shape:
        """What an expression without a choice stands for."""
        if _is_name(node):
            return self._shape(node)
        if isinstance(node, nodes.Filter):
            return self._filtered(node)
        if isinstance(node, nodes.Const):
            return kinds.of_constant(node.value)
        self._asks(node)
        return Kind.ONE

    def _as_a_run(self) -> None:
        if self.tag.place.paragraph is None:
            self._fault("unreadable-tag", "a document property has no bold; take the filter out")
        elif not self.tag.text.startswith("{{r"):
            self._fault("needs-run-tag", "it makes a run of words; write {{r and a space at its beginning")

    def _filtered(self, node: nodes.Filter, *, printed: bool = False) -> _Shape:
        """What a filter makes; what does not fit it is a fault, and what it prints is told."""
        found = kinds.bound(node.name, node.args, [(str(one.key), one.value) for one in node.kwargs])
        if found is None:
            self._unfit(node, "too much or too little stands in the brackets")
            return None
        way, given = found
        before = [(one, self._inner(one, printed=printed)) for one in self._outcomes(node.node or nodes.Const(None))]
        over = before[0][1]
        for one, shape in before:
            if shape is not None and not self._fits(one, shape, way.of):
                self._unfit(node, f"{_called(shape)} does not fit", of=None if shape is Kind.RUN else way.of)
                return None
            if isinstance(shape, Field):
                self._tells_of(shape, way, printed=printed)
        if any(isinstance(kind, Each) for kind in way.given.values()) and any(one is not over for _, one in before):
            self._unfit(node, "a choice between lists does not fit")
            return None
        fact: Field | None = None
        for name, kind in way.given.items():
            if isinstance(kind, Each):
                fact = self._of_entries(node, given[name], over, kind.kind)
            else:
                self._fills(node, given[name], kind, fact)
        if any(shape is None for _, shape in before):
            return None
        return over if way.gives is None else way.gives

    def _inner(self, node: nodes.Node, *, printed: bool) -> _Shape:
        return self._filtered(node, printed=printed) if isinstance(node, nodes.Filter) else self._value(node)

    def _fills(self, node: nodes.Filter, given: nodes.Node, kind: Kind, fact: Field | None) -> None:
        """What stands in the brackets of a filter, of a kind; what a fact is held against, it may be."""
        for one in self._outcomes(given):
            shape = self._value(one)
            if shape is not None and not self._fits(one, shape, kind):
                self._unfit(node, f"{_called(shape)} in the brackets is not {kind}")
            elif kind is Kind.LIKE and isinstance(fact, Field):
                self._may_be(fact, one)

    def _fits(self, node: nodes.Node, shape: _Shape, kind: Kind) -> bool:
        if isinstance(shape, Field | Kind):
            return kinds.fits(shape, kind) or (kind is Kind.FACT and self._is_absent(node))
        return False

    def _unfit(self, node: nodes.Filter, why: str, of: Kind | None = None) -> None:
        if of is Kind.FACT:
            self._fault("prints-a-group", _GROUP)
        elif of is Kind.LIST:
            self._fault("not-a-list", f"{why}, since “{node.name}” takes a list")
        else:
            ways = "; or ".join(map(str, kinds.WAYS[node.name]))
            self._fault("wrong-filter", f"{why}; “{node.name}” takes {ways}")

    def _tells_of(self, shape: Field, way: Way, *, printed: bool) -> None:
        """What a filter says of a field, which some reader must be allowed to see."""
        if way.tells is None or not shape.fields:
            told = [shape] if way.tells is None else []
        else:
            told = [shape.fields[name] for name in way.tells]
            for one in told:
                self._may_be_seen(one)
        for one in told if printed else ():
            self._tells(one)

    def _of_entries(self, node: nodes.Filter, name: nodes.Node, over: _Shape, kind: Kind) -> Field | None:
        """A fact of the entries of a list, named in quotation marks: there must be one, of a kind."""
        if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
            self._asks(name)
            self._unfit(node, "the brackets hold no name in quotation marks")
            return None
        if not isinstance(over, Field):
            return None
        known = over.items.fields if over.items else {}
        if name.value not in known:
            near = close(name.value, [*known])
            self._fault("unknown-field", f"there is no “{name.value}” in the entries of the list{near}")
            return None
        fact = known[name.value]
        if self._is_seen(over):
            self._may_be_seen(fact)
        if not kinds.fits(fact, kind):
            self._unfit(node, f"“{fact.title}” of its entries is not {kind}")
        return fact

    def _asks(self, node: nodes.Node) -> None:
        """Something that is only asked or compared: a yes or no, and what is compared, is told by the words around."""
        if _is_name(node) or isinstance(node, nodes.Filter):
            shape = self._value(node)
            if isinstance(shape, Field) and shape.type == "boolean":
                self._tells(shape)
        elif isinstance(node, nodes.Compare):
            self._compares(node)
        elif isinstance(node, nodes.CondExpr):
            for one in self._outcomes(node):
                self._asks(one)
        elif isinstance(node, nodes.Test):
            if node.name in TESTS and (node.args or node.kwargs):
                self._fault("unreadable-tag", f"“is {node.name}” takes no brackets")
            self._asks(node.node)
        else:
            for child in node.iter_child_nodes():
                self._asks(child)

    def _compares(self, node: nodes.Compare) -> None:
        sides = [[(one, self._value(one)) for one in self._outcomes(side)] for side in _sides(node)]
        for one, shape in itertools.chain(*sides):
            if isinstance(shape, Field) and _is_name(one):
                self._tells(shape)
        for operand, (lefts, rights) in zip(node.ops, itertools.pairwise(sides), strict=True):
            for (left, fact), (right, other) in itertools.product(lefts, rights):
                if operand.op in _ORDER:
                    self._in_order(fact, other)
                    continue
                for shape, held_against in ((fact, right), (other, left)):
                    if isinstance(shape, Field) or shape is _NUMBER:
                        self._may_be(shape, held_against)

    def _in_order(self, one: _Shape, other: _Shape) -> None:
        """Numbers are more or less than numbers, and days than days: all else is held as words, 80.00 above 700.00."""
        pair = [shape for shape in (one, other) if shape is not None]
        if not any(all(isinstance(s, Field | Kind) and kinds.fits(s, k) for s in pair) for k in (_NUMBER, _DAY)):
            self._fault("wrong-comparison", "it asks for more or less of what is not two numbers or two dates")

    def _may_be(self, fact: Field | Kind, node: nodes.Node) -> None:
        """What a fact, or a number that a filter makes, is held against must be something that it may be."""
        if isinstance(node, nodes.Const) and (why := _never(fact, node.value)):
            self._fault("wrong-comparison", why)

    def _is_picture(self, shape: Field) -> bool:
        return self.tag.text.startswith("{{r") and {"media_type", "data"} <= shape.fields.keys()

    def _is_absent(self, node: nodes.Node) -> bool:
        """Whether a fact is surely not there, so that its name prints why."""
        path = _path(node)
        for block in reversed(self.open_ if path else []):
            if path in block.absent:
                return True
            if path and path[0] in block.names:
                return False
        return False

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
                near = close(node.name.lower(), [*names]) or self.reader.elsewhere(node.name)
                only = " but between for and else or endfor" if node.name == "loop" else ""
                self._fault("unknown-field", f"it names “{node.name}”, which does not exist{only or near}")
            return names.get(node.name)
        if isinstance(node, nodes.Getattr):
            return self._under(self._resolved(node.node), node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            return self._under(self._resolved(node.node), node.arg.value)
        if isinstance(node, nodes.Filter):
            return self._filtered(node)
        self._fault("unreadable-tag", "it asks for a fact of what is no name; name each fact in full")
        return None

    def _under(self, holder: _Shape, name: str | int) -> _Shape:
        if holder is None:
            return None
        if isinstance(holder, _Named):
            if name not in holder.names:
                self._fault("unknown-field", _missing(name, holder.names))
            return holder.names.get(str(name))
        if isinstance(holder, Kind):
            self._fault("unknown-field", f"it names “{name}”, which does not exist here")
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


_GROUP = "it prints a group of facts; name one of them"
_NUMBER, _DAY = Kind.NUMBER, Kind.DAY


def _path(node: nodes.Node | None) -> _Path:
    """How a fact is named, step by step; nothing where it is more than a name."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr) and (above := _path(node.node)):
        return (*above, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and (above := _path(node.node)):
        return (*above, node.arg.value)
    return ()


def _absent(node: nodes.Node, *, so: bool) -> Iterator[_Path]:
    """What is surely not there where the answer to a question is yes, or no: a list that is there may be empty too."""
    if isinstance(node, nodes.Not):
        yield from _absent(node.node, so=not so)
    elif isinstance(node, nodes.And if so else nodes.Or):
        yield from _absent(node.left, so=so)
        yield from _absent(node.right, so=so)
    elif isinstance(node, nodes.Test) and so is (node.name == "unknown"):
        yield _path(node.node)
    elif not so:
        yield _path(node.node if isinstance(node, nodes.Filter) and node.name == "count" else node)


def _sides(node: nodes.Compare) -> list[nodes.Node]:
    return [node.expr, *(operand.expr for operand in node.ops)]


def _called(shape: _Shape) -> str:
    if isinstance(shape, Field):
        return f"“{shape.title}”"
    return "what is bold already" if shape is Kind.RUN else "what stands there"


def _never(fact: Field | Kind, value: object) -> str | None:
    """Why a fact, or a number, is never what the author writes out."""
    is_number = kinds.of_constant(value) is _NUMBER
    if isinstance(fact, Kind):
        return None if is_number else f"a number is never “{value}”; write the number without quotation marks"
    said = f"“{fact.title}” is never “{value}”"
    known = {code: one.label for code, one in codes.known(fact.codes).items()} if fact.codes else fact.labels
    if fact.type == "boolean":
        return None if isinstance(value, bool) else f"{said}; write true or false, without quotation marks"
    if fact.type in ("integer", "number"):
        return None if is_number else f"{said}; write a number, without quotation marks"
    if fact.fields or fact.items or not isinstance(value, str):
        return said
    if known and value not in known:
        meant = next((code for code, label in known.items() if value.lower() in (code.lower(), label.lower())), None)
        return f"{said}; did its author mean “{meant}”?" if meant else f"{said}{close(value, [*known])}"
    return f"{said}; {meant}" if (meant := _meant_as_held(fact, value)) else None


def _meant_as_held(fact: Field, value: str) -> str | None:
    """How the PEP holds a fact of a kind, where it holds none as the author writes it."""
    if fact.format == "date" and kinds.of_constant(value) is not _DAY:
        return "write the date as 2026-11-30"
    if fact.format == "money" and not _AMOUNT.fullmatch(value):
        return "write the amount as 700.00"
    if fact.person and " " in value:
        return "a person is held by their reference, which people[].id tells"
    return None


def _alone(text: str, word: str) -> str:
    """A tag as Jinja reads it by itself."""
    plain = _LEVEL.sub(r"\1 ", in_plain_quotes(text))
    return _WHOLE[word] % plain if word else plain


def _why(error: BaseException) -> str:
    return error.message or "" if isinstance(error, TemplateSyntaxError) else type(error).__name__


def _meant(text: str, word: str, error: BaseException) -> str | None:
    """What an author may have meant, where it is well known."""
    if unseen := _UNSEEN.search(text):
        return f"there is a sign in it that nobody sees (U+{ord(unseen.group()):04X})"
    if word == "else" and " if " in text.partition("{% if 1 %}")[2].partition("%}")[0]:
        return "for “else if”, write elif"
    for sign, meant in _SIGNS.items():
        if sign in text and "unexpected char" in _why(error):
            return f"for {sign}, write {meant}"
    return "to compare, write ==" if _why(error).endswith("got '='") else None


def _silent(tree: nodes.Template) -> dict[str, _Shape]:
    """The names of a loop that is refused: what lies under them cannot be judged."""
    made = (name for name in tree.find_all(nodes.Name) if name.ctx == "store")
    return {"loop": _Named(OF_A_LOOP), **{name.name: None for name in made}}


def _close(open_: list[_Block], word: str) -> None:
    """End the nearest block of that kind, and what was left open in it."""
    while any(block.word == word for block in open_):
        if open_.pop().word == word:
            return


def _no_statement(word: str) -> str:
    if not word:
        return "it says nothing"
    if word in _INSTEAD:
        return f"for “{word}”, write {_INSTEAD[word]}"
    return f"there is no “{word}”{close(word, [*_WHOLE])}; templates may say {', '.join(_WHOLE)}"


def _missing(name: str | int, known: Collection[str]) -> str:
    return f"it names “{name}”, which does not exist here{close(str(name), [*known])}"


def _near(name: str | int, fields: Mapping[str, Field]) -> str:
    return close(str(name).lower(), [*fields])


def _beneath(pointer: str, above: str) -> bool:
    return pointer == above or pointer.startswith(f"{above}/") or above.startswith(f"{pointer}/")
