"""Who sees what: the PEP as one reader may see it, cut before anything is written, and what was left out of it.

The schema says field by field who may see it (`x-audience`); what it does not grant, nobody but the authority sees.
What a reader may see in part, of one field but not of another, is a rule of its own here. Where a fact is withheld, the
tree of fields that goes with the copy says so, and the page has neither the fact nor a word about it.

The source of every rule is the matrix *Who sees what* of the Virtual School; a rule quotes its row in italics.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pepforms import schema
from pepforms.errors import Refused
from pepforms.model import WITHHELD, Audience, Fact, Json, Pep, pointer
from pepforms.schema import Field

SCHOOL_STAFF = ("designated_teacher", "tutor", "school_staff")
_PROFESSIONALS = (
    "social_worker", "team_manager", "virtual_school_officer", "virtual_school_head", "independent_reviewing_officer",
    "personal_adviser",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a copy is for: `person` is the one parent of a parent's copy; `confidential` can only tighten."""

    audience: Audience
    person: str | None = None
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A PEP as one reader may see it.

    `fields` is the tree of fields to fill a template by; `left_out` is what was taken out, for the authority alone, and
    `shown` what was not. `accepted` are the places whose words a named person lets stand; `hides_home` is whether where
    the child lives and learns is kept from this reader.
    """

    pep: Pep
    fields: Field
    left_out: tuple[Fact, ...] = ()
    shown: tuple[Fact, ...] = ()
    accepted: frozenset[str] = frozenset()
    hides_home: bool = False


def cut(pep: Pep, reader: Reader) -> Copy:
    """The copy of a PEP for one reader; the authority's is the PEP itself, its placement confidential if known to be.

    Refused (slug `for-whom`, `not-released` or `decision-not-possible`) where no such copy may be made.
    """
    root, case = schema.load().root, _Case(pep, reader)
    _refuse_unnamed(case)
    if reader.audience == "authority":
        return Copy(_confidential(pep) if reader.confidential else pep, root)
    _refuse_unreleased(case)
    cutting = _Cutting(case, set(_withheld(case)))
    seen = cutting.value(pep, root, ())
    if case.is_confidential and any(fact.field.startswith("/views/child/pictures/") for fact in cutting.shown):
        _wait(case, "a picture cannot be searched for what it gives away", ())
    people = seen.get("people", WITHHELD)
    if cutting.roles:
        by_role = [{"id": reference, "name": words} for reference, words in cutting.roles.items()]
        seen["people"] = by_role if people is WITHHELD else [*people, *by_role]
    return Copy(
        seen,
        schema.without(frozenset(cutting.withheld)),
        tuple(cutting.left_out),
        tuple(cutting.shown),
        frozenset(where for where, made in case.decisions.items() if made["decision"] == "accept"),
        case.hides_home,
    )


def _confidential(pep: Pep) -> Pep:
    """A PEP that says of its placement what is known today."""
    placement = {**_under(pep, "care", "placement"), "confidential": True}
    return {**pep, "care": {**_under(pep, "care"), "placement": placement}}


READS_AS: Mapping[str, Audience] = {
    "designated_teacher": "school", "tutor": "school", "school_staff": "school", "carer": "carer", "parent": "parent",
    "child": "child",
}  # fmt: skip
"""Whose copy a person reads, by role; everybody else works for the authority."""


def owners(pep: Pep, audience: Audience) -> tuple[str, ...]:
    """Those of an audience who answer for a target or an action, in the order of `people`."""
    asked = {row.get("owner") for section in _OWNED for row in pep.get(section, ()) if isinstance(row, dict)}
    return tuple(
        each["id"]
        for each in pep.get("people", ())
        if each.get("id") in asked and READS_AS.get(each.get("role", ""), "authority") == audience
    )


def one_by_one(pep: Pep, audience: Audience, *, for_one: bool) -> tuple[str | None, ...]:
    """Each whom copies are made for one by one: whom a document for one person asks for something, or each parent.

    Of all other copies there is one, for nobody in particular.
    """
    if for_one:
        return owners(pep, audience)
    if audience != "parent":
        return (None,)
    return tuple(each["id"] for each in pep.get("people", ()) if each.get("role") == "parent" and "id" in each)


def theirs(copy: Copy, audience: Audience, person: str) -> Copy:
    """A copy with only the targets and actions that one person answers for.

    Refused (slug `for-whom`) where the person is not in the PEP, or reads another audience's copies.
    """
    role = next((each.get("role", "") for each in copy.pep.get("people", ()) if each.get("id") == person), None)
    if role is None:
        raise Refused(
            f"There is nobody of that reference in this PEP. {_asked_of(copy.pep, audience)}", slug="for-whom"
        )
    reads = READS_AS.get(role, "authority")
    if reads != audience:
        raise Refused(
            f"“{person}” ({_role_label(role)}) reads {_COPIES[reads]}: ask for this document with the audience "
            f"“{reads}”. {_asked_of(copy.pep, audience)}",
            slug="for-whom",
        )
    own = {section: _rows_of(copy.pep[section], person) for section in _OWNED if section in copy.pep}
    return dataclasses.replace(copy, pep=copy.pep | own)


_COPIES: Mapping[Audience, str] = {
    "authority": "the full copy", "school": "the school’s copy", "carer": "the carer’s copy",
    "parent": "the parent’s copy", "child": "the child’s copy",
}  # fmt: skip


def _asked_of(pep: Pep, audience: Audience) -> str:
    """Of whom among the readers of a copy the plan asks something, for whoever named somebody else."""
    roles = {each.get("id"): each.get("role", "") for each in pep.get("people", ())}
    asked = ", ".join(f"{person} ({_role_label(roles[person])})" for person in owners(pep, audience))
    return f"Of those who read {_COPIES[audience]}, this PEP asks something of: {asked or 'nobody'}."


_OWNED = ("targets", "actions")


def _rows_of(rows: Json, person: str) -> Json:
    return [row for row in rows if row.get("owner") == person] if isinstance(rows, list) else rows


class _Case:
    """One reader of one PEP, and what the rules ask about them."""

    def __init__(self, pep: Pep, reader: Reader) -> None:
        self.pep, self.reader = pep, reader
        self.audience, self.person = reader.audience, reader.person
        self.role_of = {each["id"]: each["role"] for each in pep.get("people", ()) if {"id", "role"} <= each.keys()}
        self.placement = _under(pep, "care", "placement")
        told = self.placement.get("confidential")
        self.is_confidential = reader.confidential or told is True or (self.audience == "parent" and told is not False)
        self.hides_home = self.audience == "parent" and self.is_confidential

    @functools.cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """What is noted in `distribution` of the copy that is now made."""
        return [
            row
            for row in self.pep.get("distribution", ())
            if row.get("audience") == self.audience and row.get("person") == self.person
        ]

    @functools.cached_property
    def decisions(self) -> dict[str, Mapping[str, Any]]:
        """What was decided for this copy, by place; the last word counts."""
        return {made["pointer"]: made for row in self.rows for made in row.get("decisions", ())}

    @functools.cached_property
    def own_name(self) -> str:
        """The name of the parent whom the copy is for."""
        people = self.pep.get("people", ())
        return str(next((each.get("name", "") for each in people if each.get("id") == self.person), ""))

    def is_child(self, person: Json) -> bool:
        """Whether a reference is to the child."""
        return self.role_of.get(person) == "child"


def _under(value: Any, *way: str) -> Mapping[str, Any]:
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


# What no copy is made of


def _refuse_unnamed(case: _Case) -> None:
    """A parent's copy is made for one person (*Audiences in use*)."""
    parents = [id_ for id_, role in case.role_of.items() if role == "parent"]
    if case.audience == "parent" and case.person not in parents:
        known = f"There are: {', '.join(parents)}." if parents else "This PEP names no parent among its people."
        raise Refused(
            f"A parent’s copy is made for one parent: say for whom, with their reference in this PEP. {known}",
            slug="for-whom",
        )
    if case.audience != "parent" and case.person is not None:
        raise Refused(
            "Of this form only a parent’s copy is made for one person; make this copy without saying whom.",
            slug="for-whom",
        )


def _refuse_unreleased(case: _Case) -> None:
    """None for a parent of a child placed for adoption, remanded or restricted, unless the social worker allows it."""
    if case.audience != "parent":
        return
    restricted = [each.title for each in schema.load().root.walk() if _is_authority_only(case.pep, each)]
    if restricted:
        _wait(case, f"because of what stands under {restricted[0]}", ("social_worker",))
    forbidden = " ".join(_under(case.pep, "care", "collection").get("must_not_be_told", ()))
    if case.own_name and case.own_name.casefold() in forbidden.casefold():
        _wait(case, "the plan names this person among those who must not be told", ("social_worker",))


def _wait(case: _Case, why: str, roles: tuple[str, ...]) -> None:
    """Refused, until somebody in the PEP (of one of the roles, if any is given) has released this very copy."""
    for row in case.rows:
        role = case.role_of.get(row.get("released_by"))
        if role and row.get("released_on") and (not roles or role in roles):
            return
    who = "the social worker" if roles else "a named person"
    raise Refused(
        f"This copy waits until {who} releases it: {why}. Once they have, note it under distribution, with the "
        "audience, the person whom it is for, released_by and released_on.",
        slug="not-released",
    )


# Fields that are withheld


def _withheld(case: _Case) -> Iterator[str]:
    """The fields that this reader never sees, by the schema and by rule, less those released one by one."""
    shown = tuple(_released(case))
    for each in (*_always(case.audience, case.hides_home), *_by_value(case)):
        if not any(each == place or each.startswith(f"{place}/") or place.startswith(f"{each}/") for place in shown):
            yield each


RELEASABLE: Mapping[str, tuple[Audience, ...]] = {
    "/care/health_affecting_learning": ("parent",),
    "/care/circumstances/youth_justice": ("school", "carer", "parent"),
    "/care/circumstances/immigration": ("school", "carer", "parent"),
    "/child/date_of_birth_status": ("school", "carer", "parent"),
    "/education/attainment": ("child",),
}
"""What may be shown by a decision: *health: P as the SW decides*; *released one by one by the SW*; *K without grades
unless the child wants them*."""


def _released(case: _Case) -> Iterator[str]:
    for place, made in case.decisions.items():
        if made["decision"] != "show":
            continue
        if case.audience not in RELEASABLE.get(place, ()):
            raise Refused(
                f"{place} cannot be released to this reader: take the decision out.", slug="decision-not-possible"
            )
        if case.audience != "child" and case.role_of.get(made["by"]) != "social_worker":
            raise Refused(f"Only the social worker may decide to show {place}.", slug="decision-not-possible")
        yield place


@functools.cache
def _always(audience: Audience, hides_home: bool) -> frozenset[str]:
    fields = list(schema.load().root.walk())
    unseen = {each.pointer for each in fields if audience not in each.audience}
    if hides_home:
        unseen |= {each.pointer for each in fields if each.placement} - HOME_BY_RULE | HOME_COUSINS
    return frozenset(unseen)


HOME_BY_RULE = frozenset(
    {
        "/people/*/name", "/people/*/email", "/people/*/phone", "/people/*/organisation",  # by role: `_person`
        "/education/history",  # up to the day the placement began: `_keeps_earlier_school`
        "/targets/*/owner", "/actions/*/owner", "/previous_actions/*/owner", "/meeting/attendees/*/person",  # as roles
        "/transition",  # its names are marked themselves
    }
)  # fmt: skip
"""Fields marked as revealing where the child lives of which a part is shown all the same."""

HOME_COUSINS = frozenset(
    {
        "/pep/provision_state", "/care/placement", "/education/no_school", "/education/post_16",
        "/education/exclusions/*/provision", "/education/needs/equipment", "/education/needs/homework",
        "/transition/planned_changes", "/transition/mitigation",  # transport, open evenings, exam centre
        "/meeting/time", "/meeting/notes", "/meeting/attendees/*/covers", "/people/*/covers",
        "/sign_offs/*/method", "/sign_offs/*/statement",
    }
)  # fmt: skip
"""What else gives away a confidential school or placement: alternative provision, transport, what the home does."""

PLAIN_STATUS = {
    "C1": "Care order", "C2": "Care order", "V2": "Looked after by agreement", "V3": "Short breaks",
    "V4": "Short breaks",
}  # fmt: skip
"""*Legal status: “care order” in words; no need code*. A status without plain words here is for the authority only."""

PLAIN_NEEDS = {
    "/education/sen/status": {
        "N": "No extra help planned", "K": "Extra help at school", "E": "A plan for extra help (EHC plan)",
    },
    "*": {
        "SPLD": "Reading, writing or numbers", "MLD": "Learning takes longer", "SLD": "Learning takes much longer",
        "PMLD": "Help with nearly everything", "SEMH": "Feelings and getting on with others",
        "SLCN": "Talking and understanding", "HI": "Hearing", "VI": "Seeing", "MSI": "Hearing and seeing",
        "PD": "Moving and using the body", "ASD": "Autism", "DS": "Down syndrome", "OTH": "Something else",
        "NSA": "Still to be found out",
    },
}  # fmt: skip
"""*SEN: K in plain words*."""


def _by_value(case: _Case) -> Iterator[str]:
    """Fields withheld for what this PEP says there or elsewhere."""
    for each in schema.load().root.walk():
        if _is_authority_only(case.pep, each):
            yield each.pointer
    if case.audience == "parent":
        yield "/care/health_affecting_learning"
    if "carer" not in case.role_of.values():
        yield from ("/care/placement",) if case.audience == "carer" else ()  # *C own home only*
    status = _under(case.pep, "care").get("legal_status")
    if isinstance(status, str) and status not in PLAIN_STATUS:
        yield "/care/legal_status"
    shared = _under(case.pep, "views", "child").get("share_with")
    if case.audience != "child" and case.audience not in (shared if shared is not None else ("school", "carer")):
        yield "/views/child"  # *child's words: only if the child shares*


def _is_authority_only(pep: Pep, each: Field) -> bool:
    """Whether the PEP holds here a value that is for the authority only: a remand, a placement for adoption."""
    if not each.authority_only:
        return False
    *way, last = each.pointer.split("/")[1:]
    return _under(pep, *way).get(last) in each.authority_only


# Rows that are withheld

_CUSTODY = re.compile(
    r"\b(custody|custodial|remand(ed)?|prison|HMP|YOI|HMYOI|STC|young offenders?|youth detention|"
    r"secure (training|children.?s|school|unit|college))\b",
    re.IGNORECASE,
)


def _keeps_holder(case: _Case, row: Mapping[str, Any]) -> bool:
    """*Parental responsibility: P own row*."""
    return case.audience != "parent" or row.get("person") == case.person


def _keeps_permission(case: _Case, row: Mapping[str, Any]) -> bool:
    """*Who decides what: P own row*: what this parent decides, by name."""
    named = case.own_name.casefold() in str(row.get("decided_by", "")).casefold()
    return case.audience != "parent" or (bool(case.own_name) and named)


def _keeps_view(case: _Case, row: Mapping[str, Any]) -> bool:
    """*A parent's views: S if the parent agrees; P own only*."""
    own = case.audience == "parent" and row.get("person") == case.person
    return own or case.audience in row.get("share_with", ())


def _keeps_action(case: _Case, row: Mapping[str, Any]) -> bool:
    """*Actions: own and the child's*."""
    if case.audience not in ("parent", "child"):
        return True
    return case.is_child(row.get("owner")) or (case.person is not None and row.get("owner") == case.person)


def _keeps_earlier_school(case: _Case, row: Mapping[str, Any]) -> bool:
    """*History of schools: no custody; Pc up to the day the placement began*."""
    if _CUSTODY.search(" ".join(str(value) for value in row.values())):
        return False
    began, left = _day(case.placement.get("start")), _day(row.get("to"))
    return not case.hides_home or (began is not None and left is not None and left <= began)


def _keeps_setting(case: _Case, row: Mapping[str, Any]) -> bool:
    """Custody is for the authority only, in the current setting as in the history."""
    in_custody = _under(case.pep, "pep").get("provision_state") == "custody"
    return not (in_custody or _CUSTODY.search(" ".join(str(value) for value in row.values())))


_ROWS: Mapping[str, Callable[[_Case, Mapping[str, Any]], bool]] = {
    "/care/parental_responsibility": _keeps_holder,
    "/care/permissions": _keeps_permission,
    "/views/parent": _keeps_view,
    "/actions": _keeps_action,
    "/previous_actions": _keeps_action,
    "/education/history": _keeps_earlier_school,
    "/education/settings": _keeps_setting,
}


def _day(value: Json) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


# People

_CONTACT = frozenset(("email", "phone", "organisation"))
_SEEN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "school": {
        "contact": frozenset((*_PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker")),
        "name": frozenset(("carer", "parent", "child", "other")),
    },
    "carer": {
        "contact": frozenset((*_PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker", "carer")),
        "name": frozenset(("parent", "child", "other")),
    },
    "parent": {
        "contact": frozenset((*_PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker")),
        "name": frozenset(("carer", "child")),
    },
    "parent, home hidden": {"contact": frozenset(_PROFESSIONALS), "name": frozenset(("child",))},
    "child": {
        "contact": frozenset(),
        "name": frozenset((*_PROFESSIONALS, *SCHOOL_STAFF, "sen_caseworker", "carer", "child")),
    },
}
"""*Carers' names*, *SW, VSO, IRO names and contact*, *DT, tutor, school staff*: of whom a reader sees how to reach
them, and of whom the name; of others nothing."""

_AS_ROLE = dict.fromkeys(SCHOOL_STAFF, "The school") | {
    "carer": "The carer", "parent": "A parent", "other": "Somebody else",
}  # fmt: skip
"""Who is named by what they are: *print “school”, “carer”*; the others by the name of their role."""


def _hidden_of_person(case: _Case, row: Mapping[str, Any]) -> frozenset[str] | None:
    """What the reader does not see of a person; None where they see nothing of them."""
    role, rules = row.get("role"), _SEEN["parent, home hidden" if case.hides_home else case.audience]
    if role in rules["contact"] or (case.person is not None and row.get("id") == case.person):
        return frozenset()
    return _CONTACT if role in rules["name"] else None


def _hidden_in_emergency(case: _Case, row: Mapping[str, Any]) -> frozenset[str]:
    """*Placement telephone: S –*: whoever lives with the child is reached by way of the social worker."""
    carers = [each for each in case.pep.get("people", ()) if each.get("role") == "carer"]
    at_home = {_digits(each.get("phone")) for each in (case.placement, *carers)} - {""}
    return frozenset({"phone"}) if case.audience == "school" and _digits(row.get("phone")) in at_home else frozenset()


_HIDDEN_IN_ROWS: Mapping[str, Callable[[_Case, Mapping[str, Any]], frozenset[str] | None]] = {
    "/people": _hidden_of_person,
    "/care/collection/emergency": _hidden_in_emergency,
}


def _role_words(role: str) -> str:
    return _AS_ROLE.get(role) or _role_label(role)


def _role_label(role: str) -> str:
    people = schema.load().root.fields["people"].items
    assert people is not None
    return people.fields["role"].labels.get(role, role)


# The cut itself


@dataclass(slots=True)
class _Cutting:
    """The walk over a PEP that keeps what may be seen. `roles` are people named by what they are, by reference."""

    case: _Case
    withheld: set[str]
    left_out: list[Fact] = field(default_factory=list)
    shown: list[Fact] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)

    def value(self, value: Json, each: Field, at: tuple[str | int, ...]) -> Any:
        """What the reader sees of a value, or `WITHHELD`."""
        decision = self.case.decisions.get(pointer(*at), {}).get("decision")
        if each.pointer in self.withheld or decision == "leave_out":
            self._leave_out(value, each, at)
            return WITHHELD
        if isinstance(value, dict) and each.fields:
            parts = ((name, part, each.fields[name]) for name, part in value.items() if name in each.fields)
            return {name: self.value(part, below, (*at, name)) for name, part, below in parts}
        if isinstance(value, list) and each.items:
            return self._rows(value, each, at)
        return self._leaf(value, each, at, decision)

    def _leaf(self, value: Json, each: Field, at: tuple[str | int, ...], decision: str | None) -> Any:
        place = pointer(*at)
        if each.person and isinstance(value, str):
            value = self._reference(value, each)
        elif decision == "reword" and isinstance(value, str) and not (each.format or each.codes or each.labels):
            self._leave_out(value, each, at)
            value = self.case.decisions[place]["words"]
        elif decision == "reword" and isinstance(value, dict):
            self._leave_out(value, each, at)
            value = dict.fromkeys(value, self.case.decisions[place]["words"])
        elif isinstance(value, str):
            value = self._in_words(value, each, at)
        self.shown.append(_fact(value, each, place))
        return value

    def _in_words(self, value: str, each: Field, at: tuple[str | int, ...]) -> str:
        """A value in the words that this reader is given instead."""
        words = value
        if each.pointer == "/care/legal_status":
            words = PLAIN_STATUS[value]
        elif self.case.audience == "child" and each.codes in ("sen_status", "sen_need"):
            words = (PLAIN_NEEDS.get(each.pointer) or PLAIN_NEEDS["*"]).get(value, "Something else")
        elif self.case.audience == "child" and each.pointer == "/people/*/name" and self._is_childs_row(at):
            words = _under(self.case.pep, "child").get("preferred_name", "You")  # *K preferred name only*
            if words != value:
                self._leave_out(value, each, at)
        return words

    def _is_childs_row(self, at: tuple[str | int, ...]) -> bool:
        return bool(self.case.pep["people"][at[1]].get("role") == "child")

    def _rows(self, rows: list[Json], each: Field, at: tuple[str | int, ...]) -> Any:
        assert each.items is not None
        kept = []
        for number, row in enumerate(rows):
            seen = self._row(row, each, (*at, number))
            if seen is not WITHHELD and not (each.pointer == "/meeting/attendees" and seen in kept):
                kept.append(seen)  # two of one school, named by what they are, are one
        if not kept and (rows or each.pointer in _ROWS):
            self.withheld.add(each.pointer)
            return WITHHELD
        return kept

    def _row(self, row: Json, each: Field, at: tuple[str | int, ...]) -> Any:
        """An entry of a list, or `WITHHELD` where this reader may not see the whole of it."""
        assert each.items is not None
        keeps = _ROWS.get(each.pointer)
        hidden = _HIDDEN_IN_ROWS[each.pointer](self.case, row) if each.pointer in _HIDDEN_IN_ROWS else frozenset()
        if hidden is None or (keeps and not keeps(self.case, row if isinstance(row, dict) else {})):
            self._leave_out(row, each.items, at)
            return WITHHELD
        if not hidden:
            return self.value(row, each.items, at)
        for name in hidden & row.keys():
            self._leave_out(row[name], each.items.fields[name], (*at, name))
        seen = self.value({name: value for name, value in row.items() if name not in hidden}, each.items, at)
        return seen if seen is WITHHELD else seen | dict.fromkeys(hidden, WITHHELD)

    def _reference(self, value: str, each: Field) -> str:
        """A person's reference, or that of what they are to the child where the reader sees no more than that."""
        role = self.case.role_of.get(value)
        if role is None or self.case.is_child(value) or value == self.case.person:
            return value
        as_role = self.case.hides_home or (self.case.audience == "child" and each.pointer.startswith("/meeting/"))
        row = next(row for row in self.case.pep["people"] if row.get("id") == value)
        if not as_role and _hidden_of_person(self.case, row) is not None:
            return value
        words = _role_words(role)
        reference = f"as {words}"  # no reference in a PEP has a space in it
        self.roles[reference] = words
        return reference

    def _leave_out(self, value: Json, each: Field, at: tuple[str | int, ...]) -> None:
        self.left_out += _leaves(value, each, at)


def _leaves(value: Json, each: Field, at: tuple[str | int, ...]) -> Iterable[Fact]:
    """Every fact under a value."""
    if isinstance(value, dict) and each.fields:
        for name, part in value.items():
            if name in each.fields:
                yield from _leaves(part, each.fields[name], (*at, name))
    elif isinstance(value, list) and each.items:
        for number, part in enumerate(value):
            yield from _leaves(part, each.items, (*at, number))
    else:
        yield _fact(value, each, pointer(*at))


def _fact(value: Json, each: Field, place: str) -> Fact:
    section = schema.load().root.fields[each.pointer.split("/")[1]]
    return Fact(place, each.pointer, section.title if section is each else f"{section.title}: {each.title}", value)


def _digits(value: Json) -> str:
    return re.sub(r"\D", "", value) if isinstance(value, str) else ""
