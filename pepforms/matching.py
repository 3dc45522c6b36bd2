"""Where a text says something: forms of words, and the texts that hold them."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from pepforms import vocabulary
from pepforms.letters import Text

How = Literal["free", "spaced", "named", "undated", "authority"]
_FIRST_LETTERS = 4
_YEAR = re.compile(r"(19|20)\d\d")


class Form(NamedTuple):
    """One way of writing something, in the words of letters and digits that it has.

    `free` is found however it is spaced; `spaced` with these spaces alone; `named` is of ordinary words and found where
    they are written as a name, with capitals; `undated` is spaced, a day with no year after it;
    `authority` is found where somebody lives in it or where it is spoken of as a council.
    """

    words: tuple[str, ...]
    how: How = "free"


def free(words: Iterable[str]) -> Form:
    """A form that is found however it is spaced."""
    return Form(tuple(words))


def spaced(phrase: str) -> Form:
    """A form that is found with just these spaces."""
    return Form(tuple(phrase.split()), "spaced")


class Forms:
    """Forms that are looked for, by the letters that they begin with: each place in a text is looked at once."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._by_start: dict[str, list[tuple[str, Form]]] = defaultdict(list)
        for form in forms:
            letters = "".join(form.words)
            self._by_start[letters[:_FIRST_LETTERS]].append((letters, form))
        self._sizes = sorted({len(start) for start in self._by_start} - {0})

    def found_in(self, text: Text) -> Iterator[Form]:
        """The forms that a text holds, from the beginning of a word to the end of one."""
        by_start, whole = self._by_start, text.letters
        for size, (first, start) in itertools.product(self._sizes, enumerate(text.starts)):
            beginning = whole[start : start + size]
            if beginning not in by_start:
                continue
            for letters, form in by_start[beginning]:
                if whole.startswith(letters, start):
                    after = text.number_at.get(start + len(letters))
                    if after is not None and _says(text, first, after, form):
                        yield form


def _says(text: Text, first: int, after: int, form: Form) -> bool:
    """Whether the words of a text from one to another, which have the letters of a form, are meant by it.

    A name that only runs over ordinary words is not said by them: Hasan, “he has an”; nor do words make one.
    """
    pieces = text.words[first:after]
    if tuple(pieces) == form.words:
        if form.how == "named":
            return _is_name(text, first, pieces)
        if form.how == "authority":
            return _is_authority(text, first, after)
        return form.how != "undated" or _is_day(text, first, after)
    if form.how in ("spaced", "undated", "authority"):
        return False
    return (
        not all(vocabulary.says_nothing(piece) for piece in pieces)
        or (len(pieces) > 1 and all(len(piece) == 1 for piece in pieces))
        or (len(pieces) > 1 and all(text.hangs_together(number) for number in range(first + 1, after)))
    )


def _is_name(text: Text, first: int, pieces: list[str]) -> bool:
    """Whether each word has a capital, but for titles and other words that stand beside a name or within one."""
    beside = (*vocabulary.words("other_titles"), *vocabulary.words("in_names"))
    return all(text.begins_as_a_name(first + at) for at, piece in enumerate(pieces) if piece not in beside)


def _is_authority(text: Text, first: int, after: int) -> bool:
    """Whether the words about a name show that it is where somebody lives, or an authority; no team, no university."""
    for phrase in (*vocabulary.phrases("in_town"), *vocabulary.phrases("of_authority")):
        before, behind = (part.split() for part in phrase.split("{}"))
        stands = text.words[max(first - len(before), 0) : first], text.words[after : after + len(behind)]
        if stands == (before, behind):
            return True
    return False


def _is_day(text: Text, first: int, after: int) -> bool:
    """Whether words are a day without its year, and not before the verbs “may” and “march”."""
    verbs = [at for at in range(first, after) if text.words[at] in ("mar", "march", "may")]
    in_figures = any(word[0].isdigit() for word in text.words[first:after])
    return not _is_year(text.words[after : after + 2]) and (in_figures or all(map(text.begins_as_a_name, verbs)))


def _is_year(words: list[str]) -> bool:
    """Whether a year follows a day: four digits, or two that are no hour of the day."""
    year, *rest = words or [""]
    hour = bool(rest) and len(rest[0]) == 2 and rest[0].isdigit()
    return bool(_YEAR.fullmatch(year)) or (len(year) == 2 and year.isdigit() and not hour)
