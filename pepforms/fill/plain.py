"""Plain English: the words that no child should have to read in a template of ours, and how old its words ask a reader
to be.

The words are data (`schemas/plain-words.toml`). The measure is the grade of Flesch and Kincaid (US Navy, 1975), by the
lengths of sentences and of words, and 5 years, the age at which the first grade is begun.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pepforms.fill.tags import TAG
from pepforms.letters import seen
from pepforms.resources import folder

_SENTENCE = re.compile(r"[^.!?\n]+[.!?](?=\s|$)")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeioudty])ed$|(?<=[^aeioucgsxz])es$")
_APART = re.compile(r"[\s-]+")
_BETWEEN = r"[\s‐‑–-]*"
FEWEST_WORDS = 50
"""Fewer tell nothing: one long word would make a scholar of the reader."""


def avoided(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Each word in a text that a group of the list (`child`, `never`) avoids, as it stands there; what to say instead.

    Of two that begin at one place the longer is told. Tags are not read.
    """
    for found in _avoided(group).finditer(TAG.sub(" ", text)):
        word = found.group()
        yield word, next(instead for known, instead in _words(group).items() if _pattern(known).fullmatch(word))


def is_first_told(text: str) -> bool:
    """Whether a text says something that a child should hear from somebody before they read it."""
    return bool(_first_told().search(_not_news().sub(".", seen(text))))


def reading_age(texts: Iterable[str]) -> float | None:
    """How many years old a reader of these texts must be, by their sentences; None where they are too few to tell.

    Headings and labels are no sentences, and short as they are would flatter the text; of a tag nothing is counted.
    """
    read = (_WORD.findall(each) for text in texts for each in _SENTENCE.findall(TAG.sub(" ", text)))
    sentences = [words for words in read if words]
    words = [word for sentence in sentences for word in sentence]
    if len(words) < FEWEST_WORDS:
        return None
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    return grade + 5


def syllables(word: str) -> int:
    """How many syllables a word has, by its groups of vowels: those at its end that nobody says are not counted."""
    return sum(max(1, len(_VOWELS.findall(_SILENT.sub("", part)))) for part in re.split("[’'-]", word.lower()) if part)


def oldest() -> int:
    """The oldest reader whom a child's own document may ask for, in years."""
    return int(_list()["reading_age"])


@functools.cache
def _list() -> Mapping[str, Any]:
    return tomllib.loads((folder("schemas") / "plain-words.toml").read_text(encoding="utf-8"))


def _words(group: str) -> Mapping[str, str]:
    words: Mapping[str, str] = _list()[group]
    return words


@functools.cache
def _avoided(group: str) -> re.Pattern[str]:
    return _any(_words(group))


@functools.cache
def _first_told() -> re.Pattern[str]:
    return _any(_list()["first_told"])


@functools.cache
def _not_news() -> re.Pattern[str]:
    return _any(_list()["not_news"])


def _any(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile("|".join(_pattern(word).pattern for word in longest_first))


@functools.cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word, its parts together or apart, any letters for a star; in any case, unless it begins with a capital.

    A star that is a part by itself stands for a word.
    """
    parts = (r"\w+" if part == "*" else re.escape(part).replace(r"\*", r"\w*") for part in _APART.split(word))
    spelt = _BETWEEN.join(parts).replace("’", "['’]")
    return re.compile(rf"(?<!\w)({'' if word[0].isupper() else '?i:'}{spelt}s?)(?!\w)")
