"""The words of a text in letters and digits alone, however it is spelt and decorated: by these it is compared."""

import functools
import html
import itertools
import re
import unicodedata
from collections.abc import Mapping

BREAK = "\x1f"
"""Stands between texts that have nothing to do with one another: a word of its own, which no name has."""

_APOSTROPHES = "'’‘ʼ`"
_POSSESSIVE = re.compile(f"[{_APOSTROPHES}][sS]\\b")
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_POUNDS = re.compile(r"£\s?(\d[\d,]*)(?:\.(\d\d))?(?!\d)")
_WORD = re.compile(f"£?[^\\W_]+|{BREAK}")
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5",
    *(map(chr, itertools.chain(range(0x180B, 0x1810), range(0x200B, 0x2010), range(0x202A, 0x202F)))),
    *(map(chr, itertools.chain(range(0x2060, 0x2070), range(0xFE00, 0xFE10), (0xFEFF,)))),
)
_ALONE = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "ħ": "h", "ŧ": "t",
    "ŋ": "n", "ɓ": "b", "ɖ": "d", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ɛ": "e", "ɔ": "o", "ə": "a",
}  # fmt: skip
"""Letters that no accent makes, as people write them who have no such key."""


def words_of(value: str) -> list[str]:
    """The words of a text in letters and digits alone, in lower case and without accents; `Mockford’s` is Mockford.

    A sum in pounds is one word, with its sign and its pence: `£426` and `£426.00` are the same.
    """
    return _WORD.findall(_plain(value).casefold())


def seen(value: str) -> str:
    """A text without the signs in it that nobody sees, such as a soft hyphen."""
    return value.translate(dict.fromkeys(map(ord, "".join(_UNSEEN))))


class Text:
    """The words of a text in a row, and how they stand there."""

    def __init__(self, value: str) -> None:
        self._value = value
        self.words = words_of(value)
        self.letters = "".join(self.words)
        self.starts = [0, *itertools.accumulate(map(len, self.words))]
        self.number_at = {start: number for number, start in enumerate(self.starts)}

    @functools.cached_property
    def _spans(self) -> tuple[str, list[tuple[int, int]]]:
        plain = _plain(self._value)
        return plain, [found.span() for found in _WORD.finditer(plain)]

    def without(self, words: list[str]) -> str:
        """The text with a break wherever these words stand in a row, however they are spaced and accented there."""
        plain, spans = self._spans
        kept, behind, at = list[str](), 0, 0
        while words and at + len(words) <= len(self.words):
            if self.words[at : at + len(words)] == words:
                kept += [plain[behind : spans[at][0]], BREAK]
                at += len(words)
                behind = spans[at - 1][1]
            else:
                at += 1
        return "".join([*kept, plain[behind:]])

    def begins_as_a_name(self, number: int) -> bool:
        """Whether a word has a capital, or is of a script that has none."""
        plain, spans = self._spans
        return not plain[spans[number][0]].islower()

    def hangs_together(self, number: int) -> bool:
        """Whether no space, or no more than a line’s end after a hyphen, parts a word from the one before it."""
        plain, spans = self._spans
        between = plain[spans[number - 1][1] : spans[number][0]]
        return not re.search(r"\s", between) or bool(re.fullmatch(r"[-‐‑]\s*\n\s*", between))


def _plain(value: str) -> str:
    """A text in the letters that words are told apart by, still with its capitals, signs and spaces."""
    if "&" in value:
        value = html.unescape(html.unescape(value))
    if value.isascii():
        plain = _POSSESSIVE.sub("", value).translate(_ascii())
    else:
        plain = unicodedata.normalize("NFKD", value)
        plain = _POSSESSIVE.sub("", plain).translate(_folds())
        if _IDEOGRAPH.search(plain):  # which stand in a row without spaces, each a word
            plain = _IDEOGRAPH.sub(r" \g<0> ", plain)
    return _POUNDS.sub(_pounds, plain) if "£" in plain else plain


def _pounds(sum_: re.Match[str]) -> str:
    return f" £{sum_[1].replace(',', '')}{sum_[2] or '00'} "


def _ascii() -> Mapping[int, None]:
    return {ord("'"): None, ord("`"): None}


@functools.cache
def _folds() -> Mapping[int, str | None]:
    """What becomes of signs: accents, apostrophes and what cannot be seen go, letters of their own are spelt out."""
    accents = (code for code in range(0x300, 0x20000) if unicodedata.combining(chr(code)))
    gone = dict.fromkeys(itertools.chain(accents, map(ord, "".join(_UNSEEN)), map(ord, _APOSTROPHES)))
    spelt = {ord(letter): plain for letter, plain in _ALONE.items()}
    capitals = {ord(letter.upper()): plain.title() for letter, plain in _ALONE.items() if len(letter.upper()) == 1}
    return gone | capitals | spelt | {ord("ẞ"): "SS"}
