"""Mappings: what the columns of a weekly list are called, how it writes days, which words mean yes.

A mapping is a file `NAME.toml`: the authority's own in `mappings` of the home folder, or one that pepforms carries
(`schemas/mappings`). The authority's own goes before one of the same name.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pepforms import codes
from pepforms.caseload.facts import TITLES
from pepforms.errors import Misconfigured, Refused
from pepforms.resources import folder

NUMBER, FORMER = "lcs_person_id", "former_lcs_person_id"
CODED: Mapping[str, str] = {"legal_status": "legal_status", "placement_type": "placement_type"}
"""The facts that are codes, and the list that each is of."""
_ANY_DAY = dt.date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class ListMapping:
    """How to read a list: its columns by our name of what they hold, its formats of days, its words.

    Only `former_lcs_person_id` may stand in more than one column. Without `formats` days are read as people write
    them, the day first. `yes` and `no` are in lower case; `codes` gives, by fact, the code that a word of theirs means.
    """

    columns: Mapping[str, tuple[str, ...]]
    formats: tuple[str, ...]
    yes: frozenset[str]
    no: frozenset[str]
    codes: Mapping[str, Mapping[str, str]]


def load(name: str, own: Path) -> ListMapping:
    """The mapping of that name, from the folder `own` or ours; Refused where there is none, Misconfigured if faulty."""
    for place in _folders(own):
        path = place / f"{name}.toml"
        if re.fullmatch("[A-Za-z0-9_-]+", name) and path.is_file():
            return _mapping(path)
    there = ", ".join(names(own)) or "none"
    raise Refused(
        f"There is no mapping of that name. There are: {there}. Write one of your own into {own}.",
        slug="no-such-mapping",
    )


def names(own: Path) -> list[str]:
    """The mappings that there are."""
    return sorted({path.stem for place in _folders(own) for path in place.glob("*.toml")})


def _folders(own: Path) -> tuple[Path, Path]:
    return own, folder("schemas") / "mappings"


def _mapping(path: Path) -> ListMapping:
    tables = _read(path)
    if faults := list(_faults(tables)):
        raise Misconfigured("\n".join(f"The mapping {path}, {fault}." for fault in faults), slug="bad-mapping")
    words = tables.get("words", {})
    columns = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in tables["columns"].items()}
    return ListMapping(
        columns=MappingProxyType(columns),
        formats=tuple(tables.get("dates", {}).get("formats", ())),
        yes=_lower(words.get("yes", ("yes",))),
        no=_lower(words.get("no", ("no",))),
        codes=MappingProxyType({name: _words(given) for name, given in tables.get("codes", {}).items()}),
    )


def _lower(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in words)


def _words(given: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({word.strip().casefold(): code for word, code in given.items()})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The mapping {path} cannot be read: {error}.", slug="bad-mapping") from error


# --- what may be wrong with one --------------------------------------------------------------------------------------


def _faults(tables: Mapping[str, Any]) -> Iterator[str]:
    known = {"columns", "dates", "words", "codes"}
    yield from (f"[{name}]: there is no such table; there are {_listed(known)}" for name in tables.keys() - known)
    if flat := sorted(name for name in tables.keys() & known if not isinstance(tables[name], dict)):
        yield f"[{flat[0]}]: it must be a table"
        return
    yield from _column_faults(tables.get("columns", {}))
    yield from _date_faults(tables.get("dates", {}))
    yield from _word_faults(tables.get("words", {}))
    yield from _code_faults(tables.get("codes", {}))


def _column_faults(columns: Mapping[str, Any]) -> Iterator[str]:
    known = {NUMBER, FORMER, *TITLES}
    for key, value in columns.items():
        if key not in known:
            yield f"[columns] {key}: there is no such fact; there are {_listed(known)}"
        elif not _is_text(value) and not (key == FORMER and _are_texts(value) and value):
            yield f"[columns] {key}: it must be the name of a column, in quotation marks"
    if NUMBER not in columns:
        yield f"[columns] {NUMBER}: say which column holds the child’s LCS number"


def _date_faults(dates: Mapping[str, Any]) -> Iterator[str]:
    yield from _strange("dates", dates, {"formats"})
    formats = dates.get("formats", [])
    if not _are_texts(formats):
        yield "[dates] formats: it must be a list of formats, such as [“%d/%m/%Y”]"
        return
    for each in formats:
        if not _reads_days(each):
            yield f"[dates] formats: “{each}” does not tell a day; write %d, %m (or %b, %B) and %Y as in “%d/%m/%Y”"


def _reads_days(format_: str) -> bool:
    try:
        read = dt.datetime.strptime(_ANY_DAY.strftime(format_), format_)  # noqa: DTZ007  a day has no zone
    except ValueError:
        return False
    return read.date() == _ANY_DAY


def _word_faults(words: Mapping[str, Any]) -> Iterator[str]:
    yield from _strange("words", words, {"yes", "no"})
    for key in ("yes", "no"):
        if not _are_texts(words.get(key, [])):
            yield f"[words] {key}: it must be a list of words, in quotation marks"
            return
    if both := _lower(words.get("yes", ())) & _lower(words.get("no", ())):
        yield f"[words]: “{min(both)}” cannot mean both yes and no"


def _code_faults(tables: Mapping[str, Any]) -> Iterator[str]:
    yield from _strange("codes", tables, set(CODED))
    for name in tables.keys() & CODED.keys():
        given = tables[name] if isinstance(tables[name], dict) else {"": None}
        for word, code in given.items():
            if code not in codes.known(CODED[name]):
                yield f"[codes.{name}] {word}: its code is not one of the list {CODED[name]}"


def _strange(table: str, given: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for key in sorted(given.keys() - known):
        yield f"[{table}] {key}: there is no such key; there are {_listed(known)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _listed(known: Iterable[str]) -> str:
    return ", ".join(sorted(known))
