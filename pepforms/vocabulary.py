"""Which words give something away and which do not: the lists of `schemas/telling-words.toml`, and the schema’s own."""

import functools
import itertools
import tomllib
from collections.abc import Mapping
from typing import Any

from pepforms import codes, schema
from pepforms.letters import words_of
from pepforms.resources import folder

FEWEST_LETTERS = 4
"""A shorter word of a name tells nothing by itself."""


@functools.cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((folder("schemas") / "telling-words.toml").read_text(encoding="utf-8"))


@functools.cache
def words(name: str) -> tuple[str, ...]:
    """A list of single words: `titles`, `places`, `schools`."""
    return tuple(_file()[name].split())


@functools.cache
def phrases(name: str) -> tuple[str, ...]:
    """A list of phrases, each in letters and digits alone; `{}` stands for what they are about."""
    return tuple(_letters(phrase) for phrase in _file()[name])


@functools.cache
def told_by(field: str) -> Mapping[str, tuple[str, ...]]:
    """What tells of a field besides its own words: phrases by the value that stands there, or `*` for any."""
    told: Mapping[str, list[str]] = _file()["told_by"].get(field, {})
    return {value: tuple(map(_letters, sayings)) for values, sayings in told.items() for value in values.split()}


def _letters(phrase: str) -> str:
    return " ".join("{}" if part == "{}" else " ".join(words_of(part)) for part in phrase.split())


@functools.cache
def streets() -> Mapping[str, tuple[str, ...]]:
    """The ways to write what a street is called, by each of them: `road` and `rd` both have `road`, `rd`."""
    lines = (line.split() for line in _file()["streets"].splitlines())
    return {kind: tuple(kinds) for kinds in lines for kind in kinds}


@functools.cache
def generic() -> frozenset[str]:
    """Words in names of places that name nothing by themselves."""
    return frozenset(words("generic"))


@functools.cache
def teams() -> frozenset[str]:
    """Towns that are spoken of for their teams."""
    return frozenset(words("teams"))


@functools.cache
def _ordinary() -> frozenset[str]:
    """Our own lists, and the words of the schema and its codes, but for those of ethnicities and authorities."""
    fields = list(schema.load().root.walk())
    labels = itertools.chain.from_iterable(each.labels.values() for each in fields)
    lists = {each.codes for each in fields if each.codes} - {"ethnicity", "local_authority"}
    coded = (code.label for name in lists for code in codes.known(name).values())
    said = itertools.chain((each.title for each in fields), (each.description for each in fields), labels, coded)
    return frozenset().union(
        *(group.split() for group in _file()["ordinary"].values()), *(words_of(each) for each in said)
    )


def is_ordinary(word: str) -> bool:
    """Whether a word stands in sentences that name nobody: one of the lists, or a single letter; no number."""
    return (len(word) == 1 and word.isalpha()) or (word in _ordinary() and not word[0].isdigit())


def says_nothing(word: str) -> bool:
    """Whether a word alone names nobody and nothing."""
    return is_ordinary(word) or word in generic()


def tells(sought: list[str]) -> bool:
    """Whether some word of these names something by itself."""
    return any(len(word) >= FEWEST_LETTERS and not says_nothing(word) and word not in teams() for word in sought)
