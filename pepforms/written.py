"""How a value may be written: every form in which people put a name, a day, an address, a number.

A form is letters and digits alone, in lower case and without accents, however they are spaced; one with a space in it
is found with just that space. What is short, or an ordinary word, has forms in company only: `Miss May`, `Hope Street`.
"""

import functools
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pepforms import codes, schema
from pepforms.model import Fact
from pepforms.resources import folder

_WINDOW = 8
"""Words: a longer text is found by any so many of them in a row, on whatever page it breaks."""
_FEWEST_LETTERS = 4

PEOPLE = frozenset(
    {
        "/people/*/name", "/people/*/covers", "/sign_offs/*/name", "/care/collection/emergency/*/name",
        "/meeting/attendees/*/covers", "/views/child/translated_by", "/care/placement/previous/approved_by",
        "/child/also_known_as/*", "/child/legal_name/given", "/child/legal_name/family", "/child/preferred_name",
    }
)  # fmt: skip
_PEOPLE_OR_WORDS = frozenset(
    {
        "/care/parental_responsibility/*/holder", "/care/family_time/*/with", "/transition/support",
        "/care/collection/may_collect/*", "/care/permissions/*/decided_by",
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
_ADDRESSES = frozenset({"/care/placement/address"})
_PLAIN_WORDS = frozenset({"/child/religion", "/care/circumstances/immigration"})
_IN_COMPANY = {
    "/care/sdq/score": ("sdq {}", "score {}", "score of {}"),
    "/care/placement/distance_miles": ("{} miles", "{} mi"),
}
_UNSEARCHED = frozenset({"id", "slug", "pointer", "time", "academic-year", "financial-year"})
"""Formats whose values say nothing by themselves: references within the PEP, a time of day."""

_LONDON = ZoneInfo("Europe/London")


def field_of(fact: Fact) -> schema.Field | None:
    """The field of a fact."""
    return schema.load().at([0 if step == "*" else step for step in fact.field.split("/")[1:]])


def forms(fact: Fact, *, parts: bool) -> Iterator[str]:
    """Every way in which a fact may be written, in letters and digits alone."""
    field, value = field_of(fact), fact.value
    if field is None or isinstance(value, bool) or value is None:
        return
    if isinstance(value, dict):
        yield from _prose_forms(plain(value))
    elif isinstance(value, int | float):
        yield from (_compact(form.format(f"{value:g}")) for form in _IN_COMPANY.get(fact.field, ()))
    elif field.person or field.format in _UNSEARCHED or fact.field.endswith("/pictures/*/data"):
        return
    elif field.codes or field.labels:
        label = _label(field, value)
        telling = field.codes and fact.field.startswith(("/care/", "/child/")) and len(words_of(label)) > 1
        yield from (_compact(label),) if telling else _prose_forms(label)
    elif field.format:
        yield from _formatted(field.format, value, parts=parts)
    elif fact.field in PEOPLE:
        yield from _name_forms(value, parts=parts)
    elif fact.field in _PEOPLE_OR_WORDS:
        names = [name for name in re.split("[,;]", value) if _tells(words_of(name))]
        yield from itertools.chain.from_iterable(_name_forms(name, parts=parts) for name in names)
    elif fact.field in PLACES:
        yield from _place_forms(value, parts=parts)
    elif fact.field in _ADDRESSES:
        yield from _address_forms(value, parts=parts)
    elif fact.field in _PLAIN_WORDS and _tells(words_of(value)):
        yield _compact(value)
    else:
        yield from _prose_forms(value)


def _formatted(kind: str, value: str, *, parts: bool) -> Iterator[str]:
    if kind == "date":
        yield from _dates(date.fromisoformat(value))
    elif kind == "date-time":
        yield from _dates(datetime.fromisoformat(value).astimezone(_LONDON).date())
    elif kind == "money":
        yield _compact(value) if len(value) > len("99.00") else ""
    elif kind == "phone":
        yield from _phones(value, parts=parts)
    elif kind == "email":
        yield _compact(value)
        domain = value.rpartition("@")[2]
        yield from (_compact(domain),) if parts else ()
    elif kind == "digest":
        yield from (value.casefold(), value.casefold()[:16])
    elif len(_compact(value)) >= _FEWEST_LETTERS:
        yield _compact(value)


def _dates(day: date) -> Iterator[str]:
    months = {f"{day:%B}".casefold(), f"{day:%b}".casefold(), *(["sept"] if day.month == 9 else [])}
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    for number, month in itertools.product((f"{day.day}", f"{day.day:02}", f"{day.day}{ending}"), months):
        yield from (f"{number}{month}{day.year}", f"{number}of{month}{day.year}", f"{month}{number}{day.year}")
    for number, month, year in itertools.product(
        (f"{day.day}", f"{day.day:02}"), (f"{day.month}", f"{day.month:02}"), (f"{day.year}", f"{day:%y}")
    ):
        yield f"{number} {month} {year}"  # in three numbers: run together, £608.50 would be 6 August 1950
    yield from (f"{day:%d%m%y}", f"{day:%d%m%Y}", f"{day:%Y%m%d}")


def _phones(value: str, *, parts: bool) -> Iterator[str]:
    digits = re.sub(r"\D", "", value)
    national = "0" + digits[2:].removeprefix("0") if value.lstrip().startswith("+44") else digits
    yield from (national, f"44{national[1:]}", f"440{national[1:]}", f"0044{national[1:]}")
    pieces = re.findall(r"\d+", value)
    if parts and len(pieces) > 1 and pieces[0].startswith("01"):  # the code of a town; 020, 07 and 03 tell none
        yield pieces[0]


def _name_forms(value: str, *, parts: bool) -> Iterator[str]:
    """A person: the whole name; in parts, each of their names, and title with initial (`Mr P`)."""
    for name in re.split(r"[,;]", re.sub(r"\([^)]*\)", "", value)):
        words = words_of(name)
        if len(words) > 1 or (words and _tells(words)):
            yield "".join(words)
        elif words:
            yield from _company(words[0])
        if parts and 0 < len(words) < 5:
            yield from itertools.chain.from_iterable(_part(word) for word in words)
            if len(words) > 1:
                yield from (f"{before} {words[-1][0]}" for before in (*_lists()["titles"][:6], words[0]))


def _place_forms(value: str, *, parts: bool) -> Iterator[str]:
    """A school, an authority, a firm: the whole name; in parts, each telling word, and its initials in company."""
    for name in re.split(r"[,;]", re.sub(r"\([^)]*\)", "", value)):
        words = words_of(name)
        telling = [word for word in words if word not in _generic() and not word.isdigit()]
        if len(words) >= 2 and telling:
            yield "".join(words)
        elif len(words) == 1 and telling:
            yield from _part(words[0])
        if parts and len(words) <= 6:
            yield from itertools.chain.from_iterable(_part(word) for word in telling)
            initials = "".join(word[0] for word in words)
            yield from (f"{initials} {kind}" for kind in _lists()["schools"] if len(initials) > 1)


_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)


def _address_forms(value: str, *, parts: bool) -> Iterator[str]:
    """An address: each line, the street without its number, the postcode; in parts, the town and the district too."""
    for district, rest in _POSTCODE.findall(value):
        yield _compact(district + rest)
        yield from (_compact(district),) if parts and len(district) > 2 else ()
    yield _compact(value)
    for line in re.split(r"[,;\n]", _POSTCODE.sub(",", value)):
        words = words_of(line)
        names = [word for word in words if word not in _generic() and not any(sign.isdigit() for sign in word)]
        if len(words) > 1 and names:
            yield "".join(words)
            yield "".join(word for word in words if not word.isdigit())
        if parts and names:
            yield from itertools.chain.from_iterable(_part(word) for word in names)


def _part(word: str) -> Iterator[str]:
    """A word of a name by itself; in company only, where it is short or ordinary."""
    if len(word) >= _FEWEST_LETTERS and word not in _ordinary() and word not in _generic():
        yield word
    elif word not in _generic():
        yield from _company(word)


def _company(word: str) -> Iterator[str]:
    yield from (f"{title} {word}" for title in _lists()["titles"])
    yield from (f"{word} {kind}" for kind in (*_lists()["streets"], *_lists()["schools"]))


def _prose_forms(value: str) -> Iterator[str]:
    """Free text: as a whole where it is short and telling, else any few words of it in a row."""
    words = words_of(value)
    if len(words) >= _WINDOW:
        yield from ("".join(words[start : start + _WINDOW]) for start in range(len(words) - _WINDOW + 1))
    elif len(words) >= 4 or (words and _tells(words)):
        yield "".join(words)


def _tells(words: list[str]) -> bool:
    """Whether some word of these is not an ordinary one."""
    return any(len(word) >= _FEWEST_LETTERS and word not in _ordinary() and word not in _generic() for word in words)


@functools.cache
def _generic() -> frozenset[str]:
    """Words in names of places that name nothing by themselves."""
    return frozenset(_lists()["generic"])


@functools.cache
def _lists() -> Mapping[str, tuple[str, ...]]:
    """The lists of `schemas/ordinary-words.toml`."""
    lists = tomllib.loads((folder("schemas") / "ordinary-words.toml").read_text(encoding="utf-8"))
    return {name: tuple(words.split()) for name, words in lists.items()}


@functools.cache
def _ordinary() -> frozenset[str]:
    """Ordinary words: a few of our own, and all that the schema uses to say what its fields and codes mean."""
    fields = list(schema.load().root.walk())
    labels = itertools.chain.from_iterable(each.labels.values() for each in fields)
    coded = (code.label for each in fields if each.codes for code in codes.known(each.codes).values())
    said = itertools.chain((each.title for each in fields), (each.description for each in fields), labels, coded)
    return frozenset(_lists()["ordinary"]).union(*(words_of(each) for each in said))


def _label(field: schema.Field, value: str) -> str:
    return (codes.label(field.codes, value) if field.codes else field.labels.get(value)) or value


def plain(value: Any) -> str:
    """A value of a field of free text, or the reason why there is none."""
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if isinstance(part, str))
    return str(value)


_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def words_of(value: str) -> list[str]:
    """The words of a text in letters and digits alone, in lower case and without accents; `Mockford’s` is Mockford."""
    plain = unicodedata.normalize("NFKD", value).casefold()
    plain = re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", plain)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"['’‘ʼ`]s\b", "", plain)
    plain = _IDEOGRAPH.sub(r" \g<0> ", plain)  # which stand in a row without spaces, each a word
    return re.findall(r"[^\W_]+", re.sub(r"['’‘ʼ`]", "", plain))


def _compact(value: str) -> str:
    return "".join(words_of(value))
