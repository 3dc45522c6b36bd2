"""Entries of lists that a reader does not see, or sees a part of."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pepforms.audience.case import Case, holds
from pepforms.audience.people import hidden_of
from pepforms.model import Json

_CUSTODY = re.compile(
    r"\b(custody|custodial|remand(ed)?|prison|HMP|YOI|HMYOI|STC|young offenders?|youth detention|"
    r"secure (training|children.?s|school|unit|college))\b",
    re.IGNORECASE,
)


def _keeps_holder(case: Case, row: Mapping[str, Any]) -> bool:
    """*Parental responsibility: P own row*."""
    return case.audience != "parent" or row.get("person") == case.person


def _keeps_permission(case: Case, row: Mapping[str, Any]) -> bool:
    """*Who decides what: P own row*: what this parent decides, by name."""
    return case.audience != "parent" or holds(str(row.get("decided_by", "")), case.own_name)


def _keeps_view(case: Case, row: Mapping[str, Any]) -> bool:
    """*A parent's views: S if the parent agrees; P own only*."""
    own = case.audience == "parent" and row.get("person") == case.person
    return own or case.audience in row.get("share_with", ())


def _keeps_action(case: Case, row: Mapping[str, Any]) -> bool:
    """*Actions: own and the child's*."""
    if case.audience not in ("parent", "child"):
        return True
    return case.is_child(row.get("owner")) or (case.person is not None and row.get("owner") == case.person)


def _keeps_earlier_school(case: Case, row: Mapping[str, Any]) -> bool:
    """*History of schools: no custody; Pc up to the day the placement began*."""
    if _CUSTODY.search(" ".join(str(value) for value in row.values())):
        return False
    began, left = _day(case.placement.get("start")), _day(row.get("to"))
    return not case.hides_home or (began is not None and left is not None and left <= began)


def _keeps_setting(case: Case, row: Mapping[str, Any]) -> bool:
    """Custody is for the authority only, in the current setting as in the history."""
    return not (case.in_custody or _CUSTODY.search(" ".join(str(value) for value in row.values())))


ROWS: Mapping[str, Callable[[Case, Mapping[str, Any]], bool]] = {
    "/care/parental_responsibility": _keeps_holder,
    "/care/permissions": _keeps_permission,
    "/views/parent": _keeps_view,
    "/actions": _keeps_action,
    "/previous_actions": _keeps_action,
    "/education/history": _keeps_earlier_school,
    "/education/settings": _keeps_setting,
}


def _hidden_in_emergency(case: Case, row: Mapping[str, Any]) -> frozenset[str]:
    """*Placement telephone: S –*: whoever lives with the child is reached by way of the social worker."""
    carers = [each for each in case.pep.get("people", ()) if each.get("role") == "carer"]
    at_home = {_digits(each.get("phone")) for each in (case.placement, *carers)} - {""}
    return frozenset({"phone"}) if case.audience == "school" and _digits(row.get("phone")) in at_home else frozenset()


HIDDEN_IN_ROWS: Mapping[str, Callable[[Case, Mapping[str, Any]], frozenset[str] | None]] = {
    "/people": hidden_of,
    "/care/collection/emergency": _hidden_in_emergency,
}


def _day(value: Json) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _digits(value: Json) -> str:
    return re.sub(r"\D", "", value) if isinstance(value, str) else ""
