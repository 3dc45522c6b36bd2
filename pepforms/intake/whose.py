"""Whose PEP a PDF is: what it says of its child, against the card that says whose it should be and all other cards.

The worst that filing can do is to put one child's plan on another's record, so this only ever says *certain* where two
things agree that no other child shares, and nothing speaks against it. All else waits for a person:

* a **mismatch** says that the card and the PDF disagree; nobody can confirm it away, the card must be put right;
* a **doubt** says that a program cannot know; a person who looks at the PDF can, and confirms it by name.
"""

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pepforms.intake.cards import Child

_Words = tuple[str, ...]


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MOST_MIDDLE = 3  # middle names between a given and a family name
_EDGE = 200  # characters at the beginning and at the end of a page: its head and foot
_SIBLINGS = dt.timedelta(8 * 365)  # between the birth dates of children who may be named in one plan
_FEWEST_WORDS = 10  # fewer in a whole PDF are no text of a PEP
_ENOUGH_TO_TELL = 30  # words on a page: without one common word among them they are not English but a broken text layer
_COMMON = _set_of(
    "a about and are at be been by date for from has have he her his i in is it me meeting my name no not of on or pep "
    "plan school she that the their they this to was we will with yes you"
)
_LABELS = _set_of(
    "christian family first forename forenames full given known last legal middle name names preferred surname"
)
"""Words that forms print between the parts of a name."""

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Said:
    """What a PDF says: by page what can be seen, the pages of which nothing can be read, and all text nobody sees."""

    seen: tuple[str, ...]
    pictures: tuple[int, ...] = ()
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the PDF may not be filed under this card: a doubt that a person may settle, or a mismatch."""

    why: str
    doubt: bool


def objection(child: Child, others: Sequence[Child], said: Said) -> Objection | None:
    """What speaks against this PDF being this child's; None where it is certain. No answer repeats personal data.

    `others` are all children of the list; those with the same LCS number are this child.
    """
    others = [other for other in others if other.lcs_person_id != child.lcs_person_id]
    seen, everything = _Text("\n".join(said.seen)), _Text("\n".join((*said.seen, said.unseen)))
    if not _readable(seen):
        return Objection("its text cannot be read (a scan, or a broken text layer)", doubt=True)
    mismatch = "; ".join(_mismatches(child, seen, everything))
    if mismatch:
        return Objection(mismatch, doubt=False)
    doubts = [*_too_little(child, seen), *_others_named(child, others, everything), *_odd_pages(child, said)]
    doubts += [*_second_child(child, everything), *_named_otherwise(child, seen)]
    return Objection("; ".join(doubts), doubt=True) if doubts else None


def dates(text: str) -> frozenset[dt.date]:
    """Every date in a text, however it is written; the day goes before the month."""
    return frozenset(_dates(_composed(text)))


# --- what speaks against ---------------------------------------------------------------------------------------------


def _mismatches(child: Child, seen: "_Text", everything: "_Text") -> Iterator[str]:
    if child.name and not seen.names(child.name):
        yield "the child's name on the card is not in the PDF"
    if child.date_of_birth and child.date_of_birth not in seen.dates:
        yield "the date of birth on the card is not in the PDF"
    if child.upn and everything.labelled_upns and child.upn not in everything.upns:
        yield "the PDF gives another UPN than the card"
    if everything.lcs_numbers and child.lcs_person_id.casefold() not in everything.lcs_numbers:
        yield "the PDF gives another LCS number than the card"


def _too_little(child: Child, seen: "_Text") -> Iterator[str]:
    by_name = bool(child.name and child.date_of_birth)
    by_number = (child.upn and child.upn in seen.upns) or seen.gives_lcs_number(child.lcs_person_id)
    if not by_name and not by_number:
        yield (
            "the card gives too little to compare with the PDF (it needs the child's name and date of birth, or a UPN "
            "that the PDF gives too)"
        )


def _others_named(child: Child, others: Sequence[Child], everything: "_Text") -> Iterator[str]:
    apart = everything.without(child.name) if child.name else everything
    if any(_is_named(other, child, everything, apart) for other in others):
        yield "another child of the list is named in the PDF"


def _is_named(other: Child, child: Child, everything: "_Text", apart: "_Text") -> bool:
    if other.upn and other.upn != child.upn and other.upn in everything.upns:
        return True
    if everything.gives_lcs_number(other.lcs_person_id):
        return True
    if not other.name:
        return False
    born = bool(other.date_of_birth and other.date_of_birth != child.date_of_birth)
    if born and other.date_of_birth in everything.dates and everything.names(other.name, loosely=True):
        return True
    # A name of one word (unaccompanied children have them) may stand for anything; a shared one names this child.
    return len(_name_words(other.name)) > 1 and apart.names(other.name, loosely=True)


def _odd_pages(child: Child, said: Said) -> Iterator[str]:
    garbled = (number for number, page in enumerate(said.seen, 1) if _is_garbled(page))
    unread = sorted({*said.pictures, *garbled})
    if unread:
        several = f"pages {', '.join(map(str, unread[:5]))}{' and more' if len(unread) > 5 else ''}"
        yield f"page {unread[0]} cannot be read" if len(unread) == 1 else f"{several} cannot be read"

    odd = _pages_without_heading(child, said.seen)
    if odd:
        yield f"page {odd[0]} does not name the child at its head or foot as the other pages do"


def _pages_without_heading(child: Child, pages: Sequence[str]) -> list[int]:
    """The pages that lack the child's name where nearly all pages have it, the first page apart."""
    if not child.name:
        return []
    edges = ((number, f"{page[:_EDGE]}\n{page[-_EDGE:]}") for number, page in enumerate(pages[1:], 2) if page.strip())
    headed = {number: _Text(edge).names(child.name) for number, edge in edges}
    without = [number for number, has in headed.items() if not has]
    return without if len(headed) - len(without) >= max(2, 3 * len(without)) else []


def _second_child(child: Child, everything: "_Text") -> Iterator[str]:
    known = {child.date_of_birth} if child.date_of_birth else set()
    if len(everything.births | known) > 1:
        yield "the PDF gives more than one date of birth"
    if child.date_of_birth and not everything.births and not _comes_first(child.date_of_birth, everything):
        yield "the date of birth is not called so, and a date before it may be another child's"
    if len(everything.labelled_upns | ({child.upn} - {""})) > 1:
        yield "the PDF gives more than one UPN"
    if len(everything.lcs_numbers | {child.lcs_person_id.casefold()}) > 1:
        yield "the PDF gives more than one LCS number"


def _comes_first(born: dt.date, everything: "_Text") -> bool:
    """Whether no date that could be another child's birth stands before this one."""
    near = (date for date in _dates(everything.text) if abs(date - born) < _SIBLINGS)
    return next(near, born) == born


def _named_otherwise(child: Child, seen: "_Text") -> Iterator[str]:
    if not child.name:
        return
    if any(not named.names(child.name) for named in seen.labelled_names):
        yield "the PDF gives another name as the child's in one place"
    elif not seen.names_first_of_family(child.name):
        yield "another person with the child's family name stands before the child in the PDF"


# --- what a text says ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Word:
    folded: str
    capital: bool
    comma: bool = False


class _Text:
    """A text, and what it says of children: names, dates, numbers."""

    def __init__(self, text: str, words: Sequence[_Word] | None = None) -> None:
        self.text = _composed(text)
        self.words = list(_words(self.text)) if words is None else list(words)
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            self._places.setdefault(word.folded, []).append(place)
        self.dates = frozenset(_dates(self.text))
        self.births = frozenset(_births(self.text))
        self.upns = frozenset(map(_upn, _UPN.findall(self.text)))
        self.labelled_upns = frozenset(map(_upn, _LABELLED_UPN.findall(self.text)))
        self.lcs_numbers = frozenset(found.casefold() for found in _LCS.findall(self.text))
        self._numbers = frozenset(found.casefold() for found in re.findall(r"[\w-]*\d[\w-]*", self.text))

    @property
    def labelled_names(self) -> "Iterator[_Text]":
        """What stands after words such as *Name of child*, where it looks like a name."""
        for found in _CHILDS_NAME.finditer(self.text):
            line, below = [*self.text[found.end() : found.end() + 200].split("\n", 2), ""][:2]
            value = _Text(line if any(character.isalpha() for character in line) else below)
            words = [word for word in value.words[:4] if word.folded not in _LABELS]
            if len(words) > 1 and words[0].capital and words[1].capital and not _HEADINGS & {w.folded for w in words}:
                yield _Text(f"{line}\n{below}")

    def gives_lcs_number(self, number: str) -> bool:
        """Whether the number stands there as an LCS number; a short or plain number must be labelled as one."""
        if number.casefold() in self.lcs_numbers:
            return True
        unmistakable = len(number) >= 5 and not number.isdigit() and any(c.isdigit() for c in number)
        return unmistakable and number.casefold() in self._numbers

    def names(self, name: str, *, loosely: bool = False) -> bool:
        """Whether the name stands there, in whichever order and with or without its middle names.

        `loosely` takes whatever stands between given and family name for a middle name.
        """
        return next(self._spans(name, loosely=loosely), None) is not None

    def without(self, name: str) -> "_Text":
        """The text with every mention of the name taken out."""
        words = list(self.words)
        for start, end in self._spans(name, loosely=False):
            words[start:end] = [_BREAK] * (end - start)
        return _Text(self.text, words)

    def names_first_of_family(self, name: str) -> bool:
        """Whether the first who is named in full with this family name is the child."""
        family = next(_readings(name))[2]
        if not family:
            return True
        mine = {place for start, end in self._spans(name, loosely=False) for place in range(start, end)}
        for place in self._places.get(family[0], ()):
            if place in mine:
                return True
            if self._is_somebody(place):
                return False
        return True

    def _is_somebody(self, place: int) -> bool:
        """Whether the family name that stands there has a given name before it, or after it where a form has it so."""
        behind = place - 1
        while self._word(behind).folded in _LABELS:
            behind -= 1
        ahead = place + 1
        while self._word(ahead).folded in _LABELS:
            ahead += 1
        labelled = ahead > place + 1 or self.words[place].comma
        given = (self._word(behind), self._word(ahead) if labelled else _BREAK)
        return self.words[place].capital and any(word.capital and word.folded not in _HEADINGS for word in given)

    def _word(self, place: int) -> _Word:
        return self.words[place] if 0 <= place < len(self.words) else _BREAK

    def _spans(self, name: str, *, loosely: bool) -> Iterator[tuple[int, int]]:
        """From which word to which the name stands there."""
        for given, middle, family in _readings(name):
            for start in self._places.get(given[0], ()):
                after = self._after(start, given)
                if not after:
                    continue
                for end in self._family_after(after, middle, family, loosely=loosely):
                    yield start, end
            if not family:
                continue
            for start in self._places.get(family[0], ()):
                behind = self._after(start, family)
                full = self._after(self._past_labels(behind, given), given) if behind else None
                if full:
                    yield start, self._past_middle(full, middle)

    def _family_after(self, place: int, middle: _Words, family: _Words, *, loosely: bool) -> Iterator[int]:
        if not family:
            yield place
            return
        for _ in range(_MOST_MIDDLE + 1):
            place = self._past_labels(place, family)
            end = self._after(place, family)
            if end:
                yield end
                return
            if place >= len(self.words) or not (loosely or _may_be_middle(self.words[place], middle)):
                return
            place += 1

    def _after(self, place: int, words: Sequence[str]) -> int | None:
        """The place after these words, if they stand at this one."""
        end = place + len(words)
        return end if [word.folded for word in self.words[place:end]] == list(words) else None

    def _past_labels(self, place: int, wanted: _Words) -> int:
        """The place after such words as *First name*; Christian may be the name that is wanted."""
        while self._word(place).folded in _LABELS - {wanted[0]}:
            place += 1
        return place

    def _past_middle(self, place: int, middle: _Words) -> int:
        for _ in range(len(middle)):
            if place < len(self.words) and self.words[place].folded in middle:
                place += 1
        return place


_BREAK = _Word("", capital=False)


def _composed(text: str) -> str:
    """Ligatures and wide letters as plain ones; what has no shape of its own and joins lines goes."""
    return unicodedata.normalize("NFKC", text).replace("\u00ad", "").replace("\ufffe", "").replace("\r", "\n")


def _words(text: str) -> Iterator[_Word]:
    for found in _WORD.finditer(re.sub("['’‘ʼ`´]", "", text)):
        word = found.group(1)
        yield _Word(_folded(word), capital=not word[0].islower(), comma=bool(found.group(2)))


@functools.lru_cache(20_000)
def _folded(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold().translate(_LETTERS))
    return "".join(character for character in apart if not unicodedata.combining(character)).translate(_LETTERS)


_WORD = re.compile(r"([^\W\d_]+(?:[\u0300-\u036f][^\W\d_]*)*)(\s*,)?")


def _name_words(name: str) -> list[str]:
    return [word.folded for word in _words(_composed(name))]


def _readings(name: str) -> Iterator[tuple[_Words, _Words, _Words]]:
    """Every way to take a name apart: the first given name, middle names, the family name.

    `Family, Given Middle`, `Given Middle Family`; a name in brackets or quotation marks is another given name.
    """
    also = re.findall(r"[(\"“]([^)\"”]+)[)\"”]", name)
    plain = re.sub(r"[(\"“][^)\"”]*[)\"”]", " ", name)
    for given, family in _splits(plain):
        for first in (given[:1], *(tuple(_name_words(other))[:1] for other in also)):
            if first:
                yield first, given[1:], family


def _splits(name: str) -> list[tuple[_Words, _Words]]:
    """Given names and family name, the likeliest first."""
    if "," in name:
        family, _, given = name.partition(",")
        return [(tuple(_name_words(given)), tuple(_name_words(family)))]
    words = tuple(_name_words(name))
    return [(words[:cut], words[cut:]) for cut in range(len(words) - 1, 0, -1)] or [(words, ())]


def _may_be_middle(word: _Word, middle: _Words) -> bool:
    """Whether the word may stand between: one of the middle names or its initial; any, where none is known."""
    if not word.capital or word.folded in _HEADINGS:
        return False
    return not middle or word.folded in middle or any(len(word.folded) == 1 and m[0] == word.folded for m in middle)


# --- dates and numbers -----------------------------------------------------------------------------------------------

_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTHS = _MONTH.split("|")
_DATE = re.compile(
    rf"""(?<![\d/.-])(?:
      (?P<y1>\d{{4}})\s?[-/.]\s?(?P<m1>\d{{1,2}})\s?[-/.]\s?(?P<d1>\d{{1,2}})
    | (?P<d2>\d{{1,2}})\s?[-/.]\s?(?P<m2>\d{{1,2}})\s?[-/.]\s?(?P<y2>\d{{4}}|\d{{2}})
    | (?P<d3>\d{{1,2}})\s?(?:st|nd|rd|th)?(?:\s+of)?[\s./-]{{1,3}}(?P<m3>{_MONTH})[a-z]{{0,6}}
      [\s,./-]{{1,3}}(?P<y3>\d{{4}}|\d{{2}})
    )(?!\d)
    | \b(?P<m4>{_MONTH})[a-z]{{0,6}}\.?\s{{1,3}}(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s?,?\s{{1,3}}(?P<y4>\d{{4}})(?!\d)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BIRTH = re.compile(r"(?:date\s+of\s+birth|birth\s?date|\bd\.?\s?o\.?\s?b\b\.?|\bborn(?:\s+on)?)", re.IGNORECASE)
_UPN = re.compile(r"\b[A-Z](?:[ -]?\d){11}[ -]?[0-9A-Z]\b")
_LABELLED_UPN = re.compile(
    r"(?:\bUPN\b|unique\s+pupil\s+number)[\s.:#]{0,5}(?-i:([A-Z](?:[ -]?\d){11}[ -]?[0-9A-Z]))\b", re.IGNORECASE
)
_LCS = re.compile(
    r"\b(?:(?:LCS|Liquid\s?logic|Mosaic|social\s+care)\b[^\n:]{0,20}?\b(?:ID|no|number|ref|reference)\b[\s.:#]{1,5}"
    r"|LCS\s?[:#]\s?)(?=[A-Z-]{0,12}\d)([A-Z0-9][A-Z0-9-]{2,39})\b(?![/.]\d)",
    re.IGNORECASE,
)
_CHILDS_NAME = re.compile(
    r"(?:(?:child|pupil|student|learner|young\s+person)(?:['’]?s)?[ ]+(?:full[ ]+|legal[ ]+)?name\b"
    r"|name[ ]+of[ ]+(?:the[ ]+)?(?:child|pupil|student|learner|young\s+person)\b)[ ]*[:.–-]?[ ]*",
    re.IGNORECASE,
)
_HEADINGS = _set_of(
    "address age attendance birth born carer class date dob gender meeting number of pep plan school sex term upn year"
)
"""Words that are the next heading of a form rather than part of a name."""


def _upn(found: str) -> str:
    return re.sub(r"[ -]", "", found).upper()


def _dates(text: str) -> Iterator[dt.date]:
    for found in _DATE.finditer(text):
        parts = {key[0]: value for key, value in found.groupdict().items() if value}
        month = parts["m"].lower()
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
        year = int(parts["y"])
        if year < 100:
            year += 2000 if year < 60 else 1900
        try:
            yield dt.date(year, number, int(parts["d"]))
        except ValueError:
            continue


def _births(text: str) -> Iterator[dt.date]:
    """Dates that stand right after words for a date of birth."""
    for found in _BIRTH.finditer(text):
        near = text[found.end() : found.end() + 40]
        date = _DATE.search(near)
        if date and not any(character.isalpha() for character in near[: date.start()]):
            yield from _dates(date.group())


# --- whether a text can be read --------------------------------------------------------------------------------------


def _readable(text: _Text) -> bool:
    return len(text.words) >= _FEWEST_WORDS and not _is_garbled(text.text)


def _is_garbled(page: str) -> bool:
    """Whether the text layer is broken: signs without meaning, or Latin letters that make no English word."""
    shown = [character for character in page if not character.isspace()]
    meaningless = sum(
        unicodedata.category(character) in ("Co", "Cn", "Cc") or character == "\ufffd" for character in shown
    )
    if meaningless > len(shown) / 10:
        return True
    words = [word.folded for word in _words(page) if word.folded.isascii()]
    return len(words) >= _ENOUGH_TO_TELL and not _COMMON & set(words)
