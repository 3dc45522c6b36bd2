"""What a reader sees of each person, by their role."""

from collections.abc import Mapping
from typing import Any

from pepforms import schema
from pepforms.audience.case import Case, under

SCHOOL_STAFF = ("designated_teacher", "tutor", "school_staff")
PROFESSIONALS = (
    "social_worker", "team_manager", "virtual_school_officer", "virtual_school_head", "independent_reviewing_officer",
    "personal_adviser",
)  # fmt: skip
_CONTACT = frozenset(("email", "phone", "organisation"))
_SEEN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "school": {
        "contact": frozenset((*PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker")),
        "name": frozenset(("carer", "parent", "child", "other")),
    },
    "carer": {
        "contact": frozenset((*PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker")),
        "name": frozenset(("carer", "parent", "child", "other")),
    },
    "parent": {
        "contact": frozenset((*PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker")),
        "name": frozenset(("carer", "child")),
    },
    "parent, home hidden": {"contact": frozenset(PROFESSIONALS), "name": frozenset(("child",))},
    "child": {
        "contact": frozenset(),
        "name": frozenset((*PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker", "carer", "child")),
    },
}
"""*Carers' names*, *SW, VSO, IRO names and contact*, *DT, tutor, school staff*: of whom a reader sees how to reach
them, and of whom the name; of others nothing."""

_AS_ROLE = dict.fromkeys(SCHOOL_STAFF, "The school") | {
    "carer": "The carer", "parent": "A parent", "other": "Somebody else",
}  # fmt: skip
"""Who is named by what they are: *print “school”, “carer”*; the others by the name of their role."""


def hidden_of(case: Case, row: Mapping[str, Any]) -> frozenset[str] | None:
    """What the reader does not see of a person; None where they see nothing of them."""
    role, rules = row.get("role"), _SEEN["parent, home hidden" if case.hides_home else case.audience]
    if role in rules["contact"] or (case.person is not None and row.get("id") == case.person):
        return _telling(case, row)
    return _CONTACT if role in rules["name"] else None


_TEAMS = ("social_worker", "team_manager", "personal_adviser")


def _telling(case: Case, row: Mapping[str, Any]) -> frozenset[str]:
    """How to reach somebody, as far as it tells what is for the authority only: *Youth Justice*, a secure home."""
    if case.in_custody and row.get("role") in SCHOOL_STAFF:
        return _CONTACT
    told = case.restricted or any(under(case.pep, "care", "circumstances").values())
    return frozenset({"organisation"}) if told and row.get("role") in _TEAMS else frozenset()


def called(case: Case, row: Mapping[str, Any]) -> str:
    """What a person is called whom the reader may know by their role alone, or by that for which they stand in."""
    covers = row.get("covers")
    role = case.role_of.get(covers, covers) if row["role"] == "other" and covers else row["role"]
    if role == "other" and "interpreter" in f"{row.get('name')} {row.get('relation')}".casefold():
        return "Interpreter"
    return _AS_ROLE.get(role) or _labels().get(role, _AS_ROLE["other"])


def role_label(role: str) -> str:
    """The name of a role."""
    return _labels().get(role, role)


def _labels() -> Mapping[str, str]:
    people = schema.load().root.fields["people"].items
    assert people is not None
    return people.fields["role"].labels
