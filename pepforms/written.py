"""How a value may be written: every form in which people put a name, a day, an address, a number.

A form is words of letters and digits alone, in lower case and without accents (`matching.Form`). What is short, or an
ordinary word, has forms in company only: `Miss May`, `Hope Street`.
"""

import functools
import itertools
import math
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pepforms import codes, schema, vocabulary
from pepforms.letters import words_of
from pepforms.matching import Form, How, free, spaced
from pepforms.model import Fact

_WINDOW = 8
"""Words: a longer text is found by any so many of them in a row, on whatever page it breaks."""
_FAR = 10
"""Miles: so far, a distance tells as much without its decimals; less far, everybody walks and runs."""
_MANY = 6
"""Words: a longer text in a field of names is a sentence, and its names are what has a capital."""

PEOPLE = frozenset(
    {
        "/people/*/name", "/sign_offs/*/name", "/care/collection/emergency/*/name", "/views/child/translated_by",
        "/care/placement/previous/approved_by",
        "/child/also_known_as/*", "/child/legal_name/given", "/child/legal_name/family", "/child/preferred_name",
    }
)  # fmt: skip
_PEOPLE_OR_WORDS = frozenset(
    {
        "/care/parental_responsibility/*/holder", "/care/family_time/*/with", "/transition/support",
        "/care/collection/may_collect/*", "/care/permissions/*/decided_by", "/people/*/covers",
        "/meeting/attendees/*/covers",
    }
)  # fmt: skip
"""Fields that hold a name, or say “Social worker”."""
PLACES = frozenset(
    {
        "/care/placement/authority", "/people/*/organisation", "/education/settings/*/name",
        "/education/history/*/name", "/education/exclusions/*/school", "/education/sen/ehcp/maintaining_authority",
        "/education/post_16/employer", "/education/needs/tuition", "/education/no_school/interim",
        "/pupil_premium_plus/lines/*/provider", "/transition/next_setting", "/transition/application",
        "/transition/offer", "/meeting/venue", "/distribution/*/recipient",
    }
)  # fmt: skip
ADDRESS = "/care/placement/address"
_AUTHORITY = "/care/placement/authority"
_PLAIN_WORDS = frozenset({"/child/religion", "/care/circumstances/immigration"})
_PICTURE = "/views/child/pictures/*/data"
_ETHNICITY = "/child/ethnicity"
_OTHER_NAMES = "/child/also_known_as/*"
_DAYS_OF_THE_HOME = frozenset(
    {
        "/care/placement/start", "/care/placement/previous/ended", "/education/settings/*/from",
        "/education/settings/*/to",
    }
)  # fmt: skip
"""Days that tell by themselves, without a year, when the child moved."""
_UNSEARCHED = frozenset({"id", "slug", "pointer", "time", "academic-year", "financial-year"})
"""Formats whose values say nothing by themselves: references within the PEP, a time of day."""

_LONDON = ZoneInfo("Europe/London")


def days(fact: Fact) -> Iterator[Form]:
    """A day without its year; none of another fact."""
    field = field_of(fact)
    if field and field.format == "date" and isinstance(fact.value, str):
        yield from _days(date.fromisoformat(fact.value))


def field_of(fact: Fact) -> schema.Field | None:
    """The field of a fact."""
    return schema.load().at([0 if step == "*" else step for step in fact.field.split("/")[1:]])


def forms(fact: Fact, *, parts: bool) -> Iterator[Form]:
    """Every way in which a fact may be written; in parts, also of a part of it."""
    field, value = field_of(fact), fact.value
    if field is None or value is None:
        return
    yield from _told_by(fact)
    if isinstance(value, dict):
        yield from _prose_forms(plain(value))
    elif not isinstance(value, str) or field.person or field.format in _UNSEARCHED or fact.field == _PICTURE:
        return
    elif field.codes or field.labels:
        yield from _coded(fact, field, value)
    elif field.format:
        yield from _formatted(field.format, value, parts=parts)
        if parts and fact.field in _DAYS_OF_THE_HOME:
            yield from _days(date.fromisoformat(value))
    else:
        yield from _worded(fact, value, parts=parts)


def _worded(fact: Fact, value: str, *, parts: bool) -> Iterator[Form]:
    """A value in words: a name, a place, an address, or free text."""
    if fact.field in PEOPLE:
        yield from _name_forms(value, parts=parts or fact.field == _OTHER_NAMES)
    elif fact.field in _PEOPLE_OR_WORDS:
        yield from _name_or_words(value, parts=parts)
    elif fact.field == _AUTHORITY and not parts and _is_of_one_telling_word(value):
        yield Form(tuple(words_of(value)), "authority")
    elif fact.field in PLACES:
        yield from _place_forms(value, parts=parts)
    elif fact.field == ADDRESS:
        yield from _address_forms(value, parts=parts)
    elif fact.field in _PLAIN_WORDS and vocabulary.tells(words_of(value)):
        yield free(words_of(value))
    else:
        yield from _prose_forms(value)


def _told_by(fact: Fact) -> Iterator[Form]:
    """What tells a fact besides its own words: `youth offending team`, `SDQ of 19`."""
    told = vocabulary.told_by(fact.field)
    if not told or isinstance(fact.value, dict):
        return
    value = str(fact.value).lower() if isinstance(fact.value, bool) else fact.value
    said = f"{value:g}" if isinstance(value, int | float) else str(value)
    rounded = {math.floor(value), math.ceil(value)} if isinstance(value, float) and value >= _FAR else ()
    for phrase in (*told.get(said, ()), *told.get("*", ())):
        yield from (spaced(phrase.format(" ".join(words_of(each)))) for each in (said, *map(str, rounded)))


def _coded(fact: Fact, field: schema.Field, value: str) -> Iterator[Form]:
    """A code: what its list calls it, by label and by other names; one of our own by its label."""
    code = codes.known(field.codes).get(value) if field.codes else None
    if code is None or not fact.field.startswith(("/care/", "/child/")):
        yield from _prose_forms(code.label if code else field.labels.get(value, value))
        return
    for saying in (code.label, *code.aliases):
        words = words_of(saying)
        if " ".join(words) in vocabulary.phrases("untelling"):
            continue
        if len(words) > 1:
            yield free(words)
        elif fact.field != _ETHNICITY:
            yield from _prose_forms(saying)
    if fact.field == _ETHNICITY:
        telling = set(words_of(code.label)) - set(vocabulary.words("any_heritage"))
        yield from (spaced(phrase.format(word)) for word in telling for phrase in vocabulary.phrases("heritage"))


def _formatted(kind: str, value: str, *, parts: bool) -> Iterator[Form]:
    if kind == "date":
        yield from _dates(date.fromisoformat(value))
    elif kind == "date-time":
        yield from _dates(datetime.fromisoformat(value).astimezone(_LONDON).date())
    elif kind == "money":
        yield from _sums(value)
    elif kind == "phone":
        yield from _phones(value, parts=parts)
    elif kind == "email":
        yield free(words_of(value))
        yield from (free(words_of(value.rpartition("@")[2])),) if parts else ()
    elif kind == "digest":
        yield from (free([value.casefold()]), free([value.casefold()[:16]]))
    elif len("".join(words_of(value))) >= vocabulary.FEWEST_LETTERS:
        yield free(words_of(value))


def _sums(value: str) -> Iterator[Form]:
    """A sum with its sign, for 426 is a number like others; a small round one as what something cost."""
    with_sign = words_of(f"£{value}")
    if len(value) > len("99.00"):
        yield from (free(with_sign), free(words_of(value)))
    elif value.endswith(".00"):
        yield from (spaced(phrase.format(*with_sign)) for phrase in vocabulary.phrases("of_sum"))
    else:
        yield free(with_sign)


_UNITS = (
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
)  # fmt: skip
_COUNTED = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip


def _day_numbers(day: date) -> list[str]:
    """A day of the month, in figures and in words: `1`, `01`, `1st`, `first`, `one`."""
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    tens, unit = divmod(day.day, 10)
    if day.day < len(_UNITS):
        words = [_UNITS[day.day], _COUNTED[day.day]]
    elif unit == 0:
        words = [["twentieth", "thirtieth"][tens - 2], ["twenty", "thirty"][tens - 2]]
    else:
        words = [f"{['twenty', 'thirty'][tens - 2]} {last}" for last in (_UNITS[unit], _COUNTED[unit])]
    return [*dict.fromkeys((f"{day.day}", f"{day.day:02}", f"{day.day}{ending}")), *words]


def _month_names(day: date) -> list[str]:
    return [*{f"{day:%B}".casefold(), f"{day:%b}".casefold(), *(["sept"] if day.month == 9 else [])}]


@functools.lru_cache(maxsize=4096)
def _dates(day: date) -> tuple[Form, ...]:
    """A day with its year, in words and in figures."""
    found = []
    for number, month, year in itertools.product(_day_numbers(day), _month_names(day), (f"{day.year}", f"{day:%y}")):
        orders = [f"{number} {month} {year}", f"{number} of {month} {year}", f"{month} the {number} {year}"]
        orders += [f"{month} {number} {year}"] if len(year) > 2 else []
        found += [free(order.split()) for order in orders]
    for number, month in itertools.product(_day_numbers(day), _month_names(day)):
        found.append(spaced(f"{month} {number} {day:%y}"))  # run together, January 20, 27 would be January 2027
    months, years = (f"{day.month}", f"{day.month:02}"), (f"{day.year}", f"{day:%y}")
    for number, month in itertools.product((f"{day.day}", f"{day.day:02}"), months):
        # in three numbers: run together, £608.50 would be 6 August 1950
        found += [spaced(f"{number} {month} {year}") for year in years]
        found.append(spaced(f"{day.year} {month} {number}"))
        if day.day > 12:  # a lower one would be the month
            found += [spaced(f"{month} {number} {year}") for year in years]
    found += [free([f"{day:{order}}"]) for order in ("%d%m%y", "%d%m%Y", "%Y%m%d")]
    return tuple(dict.fromkeys(found))


@functools.lru_cache(maxsize=4096)
def _days(day: date) -> tuple[Form, ...]:
    """A day without its year, in words; in figures, where a move is spoken of: `3/4` may be a part of a cake."""
    in_words = (
        order
        for number, month in itertools.product(_day_numbers(day), _month_names(day))
        for order in (f"{number} {month}", f"{number} of {month}", f"{month} {number}", f"{month} the {number}")
    )
    before = ("moved", "moved on", "moved in", "moved in on", "moved out on", "since")
    in_figures = (
        f"{move} {number} {month}"
        for move in (*before, *(("from", "on") if day.day > day.month else ()))
        for number, month in itertools.product((f"{day.day}", f"{day.day:02}"), (f"{day.month}", f"{day.month:02}"))
    )
    return tuple(Form(tuple(order.split()), "undated") for order in (*in_words, *in_figures))


_LOCAL = 6
"""Digits: a shorter number within a town may be any other."""
_OUR_NUMBER = re.compile(r"^(?:00440?|440?(?=\d{10}$)|0)(?=[1-9])")


def _phones(value: str, *, parts: bool) -> Iterator[Form]:
    """A number as it is rung from near and far; in parts, the code of its town and what is rung within the town."""
    digits = re.sub(r"\D", "", value)
    number = _OUR_NUMBER.sub("", "00" + digits if value.lstrip().startswith("+") else digits)
    yield from (free([f"{before}{number}"]) for before in ("0", "44", "440", "0044", "00440"))
    if len(number) < 9:
        return
    yield free([number])
    if parts:
        code = _dialling_code(number, value)
        yield from (free([f"0{code}"]),) if code[0] in "12" and code != "20" else ()  # 020, 07 and 03 tell none
        yield from (free([local]),) if len(local := number[len(code) :]) >= _LOCAL else ()


def _dialling_code(number: str, value: str) -> str:
    """The code within a number, without its 0: as it is written apart, else as long as such codes are."""
    apart = (piece.lstrip("0") for piece in re.split(r"\D+", value))
    written = next((code for code in apart if 2 <= len(code) <= 5 and code != "44" and number.startswith(code)), None)
    if written:
        return written
    if number[0] == "1" and "1" not in number[1:3]:
        return number[:4]
    return number[:2] if number[0] == "2" else number[:3] if number[0] in "13" else number[:4]


_BESIDE = re.compile(r"\(([^)]*)\)|[“\"]([^”\"]*)[”\"]")


def _name_forms(value: str, *, parts: bool) -> Iterator[Form]:
    """People: each by the whole name; with what stands in brackets in place of the first name."""
    for name in _each(_BESIDE.sub(" ", value)):
        yield from _spelt(name, parts=parts)
    for found in _BESIDE.finditer(value):
        other, last = found[1] or found[2] or "", value[: found.start()] + value[found.end() :]
        if other[:1].isupper() and last.split():
            yield from _spelt(f"{other} {last.split()[-1]}", parts=parts)


def _name_or_words(value: str, *, parts: bool) -> Iterator[Form]:
    """Names among words: “Renée Mockington, mother”."""
    for piece in _each(_BESIDE.sub(" ", value)):
        words = words_of(piece)
        if not vocabulary.tells(words):
            continue
        if len(words) > _MANY:
            yield free(words)
        for name in _capitals(piece) if len(words) > _MANY else (piece,):
            if vocabulary.tells(words_of(name)):
                yield from _spelt(name, parts=parts)


def _each(value: str) -> list[str]:
    return [name for name in re.split(r"[,;]", value) if words_of(name)]


def _capitals(value: str) -> list[str]:
    """What has capitals in a sentence, word after word."""
    runs = itertools.groupby(value.split(), lambda word: not word.lstrip("“‘'\"(")[:1].islower())
    return [" ".join(run) for is_capital, run in runs if is_capital]


_UMLAUTS = str.maketrans({"ü": "ue", "ö": "oe", "ä": "ae", "å": "aa", "ø": "oe", "Ü": "Ue", "Ö": "Oe", "Ä": "Ae",
                          "Å": "Aa", "Ø": "Oe"})  # fmt: skip


def _spelt(name: str, *, parts: bool) -> Iterator[Form]:
    """A name in each spelling of letters with two: `Müller` is written Muller and Mueller, and Mueller Müller."""
    name = unicodedata.normalize("NFC", name)
    bare = re.sub("(?<=[UuOoAa])e|(?<=[Aa])a", "", name)
    rings = name.replace("å", "aa").replace("Å", "Aa")
    for spelling in dict.fromkeys((name, name.translate(_UMLAUTS), rings, bare)):
        yield from _one_name(spelling, parts=parts)


def _one_name(name: str, *, parts: bool) -> Iterator[Form]:
    """A person: the whole name, turned round, with initials; in parts, each of their names, and title with initial."""
    titles = (*vocabulary.words("titles"), *vocabulary.words("other_titles"))
    units = [words for each in name.split() if (words := words_of(each))]
    while len(units) > 1 and units[0][0] in titles:
        units = units[1:]
    *first, last = units
    words = list(itertools.chain.from_iterable(units))
    if len(words) == 1:
        yield from (*_part(words[0], of_person=True), *_short(words[0]))
    else:
        given = list(itertools.chain.from_iterable(first))
        yield from (_as_name(words), _as_name([*last, *given]))
        yield from _in_small_letters(_as_name(words), "of_people")
    if first:
        initials = [each[0][0] for each in first]
        yield from (_as_name([initials[0], *last], short=True), _as_name([*initials, *last], short=True))
    if parts and len(words) > 1:
        yield from itertools.chain.from_iterable(_part(word, of_person=True) for word in words)
        yield from itertools.chain.from_iterable(
            _short(word) for word in words if word == words[0] or word not in vocabulary.words("particles")
        )
        yield from (_as_name(unit) for unit in units if len(unit) > 1)
        yield from _initials(words[0], last)


def _short(word: str) -> Iterator[Form]:
    """A name of two or three letters by itself, with its capital: Ama, Tom."""
    if 1 < len(word) < vocabulary.FEWEST_LETTERS and not vocabulary.says_nothing(word):
        yield Form((word,), "named")


def _initials(first: str, last: list[str]) -> Iterator[Form]:
    """A title, or a telling first name, with the initial of the last: `Mr P`, `Ms F-H`, `Ama I`."""
    initials = [word[0] for word in last]
    for initial in dict.fromkeys((initials[0], initials[-1], " ".join(initials), "".join(initials))):
        yield from (spaced(f"{title} {initial}") for title in vocabulary.words("titles"))
        yield Form(("miss", *initial.split()), "named")
        if not vocabulary.says_nothing(first):
            yield spaced(f"{first} {initial}")


def _as_name(words: list[str], *, short: bool = False) -> Form:
    """Words that make a name: where a sentence may have them all as they are, with capitals only."""
    known = words[1:] if short and words[0] not in ("a", "i") else words[:1] if short else words
    return Form(tuple(words), "named" if all(vocabulary.says_nothing(word) for word in known) else "free")


def _in_small_letters(name: Form, how_said: str) -> Iterator[Form]:
    """A name of ordinary words where the words about it show that it is one: “i live with rose may”."""
    if name.how == "named" and name.words[0] not in vocabulary.words("in_names"):
        yield from (spaced(phrase.format(" ".join(name.words))) for phrase in vocabulary.phrases(how_said))


def _place_forms(value: str, *, parts: bool) -> Iterator[Form]:
    """A school, an authority, a firm: the whole name; in parts, each telling word, and its initials in company."""
    for name in _each(re.sub(r"\([^)]*\)", "", value)):
        words = words_of(name)
        telling = _telling(words)
        if len(words) >= 2 and telling:
            yield _as_name(words)
        elif telling:
            yield from _part(words[0])
        elif len(words) >= 2 and _has_capitals(name):
            yield Form(tuple(words), "named")
        if parts:
            names = (
                words if len(words) <= _MANY else list(itertools.chain.from_iterable(map(words_of, _capitals(name))))
            )
            yield from itertools.chain.from_iterable(_part(word, of_person=True) for word in _telling(names))
            initials = "".join(word[0] for word in words)
            yield from (spaced(f"{initials} {kind}") for kind in vocabulary.words("schools") if 1 < len(initials) <= 9)


def _is_of_one_telling_word(name: str) -> bool:
    """Whether a name is one word that no sentence has in another sense: Kent, not Reading."""
    return len(words := words_of(name)) == 1 and not vocabulary.says_nothing(words[0])


def _has_capitals(name: str) -> bool:
    """Whether a place is written as a name: “London Academy”, not “Secondary school”."""
    return all(word[0].isupper() for word in name.split() if word not in vocabulary.words("in_names"))


def _telling(words: list[str]) -> list[str]:
    """The words of a place that are neither numbers nor what all places are called."""
    return [word for word in words if word not in vocabulary.generic() and not word[0].isdigit()]


_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)


def _address_forms(value: str, *, parts: bool) -> Iterator[Form]:
    """An address: each line, the street without its number, the postcode; in parts, the town and the district too."""
    for district, rest in _POSTCODE.findall(value):
        yield free(words_of(district + rest))
        yield from (free(words_of(district)),) if parts and len(district) > 2 else ()
    yield free(words_of(value))
    for line in re.split(r"[,;\n]", _POSTCODE.sub(",", value)):
        for words in _streets(words_of(line)):
            yield from _street_forms(words)
            if parts:
                yield from itertools.chain.from_iterable(map(_town, _telling(words)))


def _streets(words: list[str]) -> Iterator[list[str]]:
    """A line of an address, cut after what a street is called, where no comma does it."""
    line: list[str] = []
    for number, word in enumerate(words):
        line.append(word)
        after = words[number + 1] if number + 1 < len(words) else word
        if word in vocabulary.streets() and after not in vocabulary.streets() and _is_street(line):
            yield line
            line = []
    yield line


def _street_forms(words: list[str]) -> Iterator[Form]:
    """A street with and without its number, in each way to write what it is called."""
    numbers = [place for place, word in enumerate(words) if word[0].isdigit()]
    bare = words[numbers[-1] + 1 :] if numbers else words
    bare = bare if _telling(bare) or _is_street(bare) else [word for word in words if not word[0].isdigit()]
    for each in (words, bare) if words != bare else (words,):
        if len(each) > 1 and (_telling(each) or _is_street(each)):
            for kind in vocabulary.streets().get(each[-1], (each[-1],)):
                name = _as_name([*each[:-1], kind])
                yield from (name, *_in_small_letters(name, "in_street"))


def _is_street(words: list[str]) -> bool:
    """Whether words end in what a street or a house is called, after some name: “Church Road”, not “Flat 3”."""
    *name, kind = words or [""]
    named = [word for word in name if word not in vocabulary.words("dwellings") and not word[0].isdigit()]
    return bool(named) and (kind in vocabulary.streets() or kind in vocabulary.words("places"))


def _town(word: str) -> Iterator[Form]:
    """A word of an address; of a town whose team is spoken of, where somebody lives or goes there."""
    if word in vocabulary.teams():
        yield from (spaced(phrase.format(word)) for phrase in vocabulary.phrases("in_town"))
    yield from _part(word)


def _part(word: str, *, of_person: bool = False) -> Iterator[Form]:
    """A word of a name by itself, and of a family; in company only, where it is short or ordinary."""
    alone = len(word) >= vocabulary.FEWEST_LETTERS and word not in vocabulary.teams()
    if alone and not vocabulary.says_nothing(word):
        yield free([word])
        if of_person:
            plurals = (f"{word}s", f"{word}es") if word[-1] in "sxzh" else (f"{word}s",)
            yield from (free([plural]) for plural in plurals if not vocabulary.says_nothing(plural))
    elif word not in vocabulary.generic():
        yield from _company(word)
        yield from _beside_titles(f"{word}s") if of_person and len(word) > 1 else ()


def _company(word: str) -> Iterator[Form]:
    """A short or ordinary word beside others that make a name of it."""
    yield from _beside_titles(word)
    if len(word) > 1:
        places = (*vocabulary.words("places"), *vocabulary.words("schools"))
        yield from (Form((word, kind), _beside(word)) for kind in places)
        yield from (spaced(f"{word} {kind}") for kind in vocabulary.streets() if kind not in places)


def _beside_titles(word: str) -> Iterator[Form]:
    yield from (spaced(f"{title} {word}") for title in vocabulary.words("titles"))
    for title in vocabulary.words("other_titles"):
        yield Form((title, word), _beside(word))
        yield from _in_small_letters(Form((title, word), _beside(word)), "of_people")


def _beside(word: str) -> How:
    """How a word is found beside one that makes a name of it, and stands in sentences too."""
    return "named" if vocabulary.is_ordinary(word) else "spaced"


def _prose_forms(value: str) -> Iterator[Form]:
    """Free text: as a whole where it is short and telling, else any few words of it in a row."""
    words = words_of(value)
    if len(words) >= _WINDOW:
        yield from (free(words[start : start + _WINDOW]) for start in range(len(words) - _WINDOW + 1))
    elif len(words) >= 4 or (words and vocabulary.tells(words)):
        yield free(words)


def plain(value: Any) -> str:
    """A value of a field of free text, or the reason why there is none."""
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if isinstance(part, str))
    return str(value)
