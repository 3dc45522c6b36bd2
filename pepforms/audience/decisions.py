"""What named persons decided about words for one copy: left out, said otherwise or let stand, as long as they stand."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pepforms import schema
from pepforms.audience.case import Case, holds
from pepforms.audience.release import MAY_DECIDE, WHO_MAY, impossible
from pepforms.model import Json
from pepforms.schema import Field


def refuse_misplaced(case: Case) -> None:
    """Refused (slug `decision-not-possible`) where something was decided about a place at which nothing stands."""
    for place in case.decisions:
        if not _stands(case.pep, schema.load().root, place.split("/")[1:]):
            raise impossible(place, "nothing stands there in this PEP. Correct the place, or take the decision out")


def _stands(value: Json, each: Field | None, steps: list[str]) -> bool:
    """Whether a field of the schema stands at the end of a way of unescaped steps (no name in a PEP needs escaping)."""
    if each is None or not steps:
        return each is not None
    step, *rest = steps
    if isinstance(value, list):
        there = re.fullmatch("0|[1-9][0-9]{0,8}", step) and int(step) < len(value)
        return bool(there) and _stands(value[int(step)], each.items, rest)
    return isinstance(value, dict) and step in value and _stands(value[step], each.fields.get(step), rest)


_NEEDED = frozenset({"", "/pep", "/people", "/people/*/id", "/people/*/role"})
"""What no document can be made without: which plan it is, and who its people are; a whole person can be left out."""


def decided(case: Case, value: Json, each: Field, place: str) -> Mapping[str, Any]:
    """What was decided about the words at a place that the reader would see; empty where nothing was.

    Refused (slug `decision-not-possible`) where it was decided by one who may not, about other words than those that
    stand there now, or cannot be done with what stands there.
    """
    made = case.decisions.get(place)
    if made is None or made["decision"] == "show":
        return {}
    said = " ".join(words_in(value))
    for one in case.made_at(place):
        if case.role_of.get(one["by"]) not in MAY_DECIDE:
            raise impossible(place, f"only {WHO_MAY} may decide this")
        if not holds(said, one["about"]):
            raise impossible(place, "the words there have changed since. Look at it again, and decide about them anew")
    if made["decision"] == "leave_out" and each.pointer in _NEEDED:
        raise impossible(place, "no document can be made without it. Leave out something that lies in it, or reword it")
    if made["decision"] == "reword" and not (_is_reason(value, each) or (isinstance(value, str) and _is_free(each))):
        raise impossible(place, "only words can be said in other words. Decide about each text by itself")
    if made["decision"] == "accept" and not (_is_reason(value, each) or isinstance(value, str)):
        raise impossible(place, "only words can be let stand. Decide about each text by itself")
    return made


def words_in(value: Json) -> Iterator[str]:
    """The words of a value, one after the other."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from words_in(part)
    else:
        yield str(value)


def _is_reason(value: Json, each: Field) -> bool:
    """Whether a value says in words why there is none: not known, or none."""
    return isinstance(value, dict) and not each.fields


def _is_free(each: Field) -> bool:
    return not (each.format or each.codes or each.labels)
