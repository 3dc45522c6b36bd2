"""Next term's draft from the last PEP: what lasts is carried to be confirmed, what was planned waits for its outcome.

A PEP is a living record: nobody types the last one again, and nothing of it is taken to be true still. So identity,
care, people, education and moving on come along marked `to_confirm`; targets, actions and spending turn into what the
next meeting resolves, with all that was reported since; views, attendance, conduct and the meeting are asked afresh.
"""

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pepforms.digest import sha256
from pepforms.model import Pep

CONFIRMED_AFRESH = ("pep", "child", "care", "people", "education", "transition")
"""Sections carried over, whole or in part (of `pep`: phase and provision state): somebody must look at them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Next term's PEP, and what the person who takes it up must know; a note holds no fact about the child."""

    pep: Pep
    notes: tuple[str, ...]


def next_draft(pep: Pep, *, signed: bool) -> Draft:
    """The draft of the PEP after this one; `signed` says whether this one was signed off by everyone required.

    `pep` is good for stage draft, and stays as it is. The same PEP gives the same draft. Its reference is the old one
    with the term at its end: `PEP-0008-A26` and `PEP-0008-AUT26` become `PEP-0008-SPR27`; one without a term gets it.
    """
    last = copy.deepcopy(pep)
    term = _Term.of(last["pep"]).following()
    education = _education(last, term)
    draft: Pep = {
        "schema_version": last["schema_version"],
        "pep": _head(last["pep"], term),
        **_only(last, "child", "care", "people"),
        **({"education": education} if education else {}),
        **_to_resolve(last),
        **_grant(last, term),
        **_only(last, "transition"),
        **_meeting(last),
    }
    draft["confirmations"] = {section: {"state": "to_confirm"} for section in CONFIRMED_AFRESH if draft.get(section)}
    return Draft(draft, tuple(_notes(pep, draft, term, signed)))


def _only(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: row[key] for key in keys if key in row}


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of an academic year, by the calendar year in which that began."""

    year: int
    name: str

    @classmethod
    def of(cls, head: dict[str, Any]) -> "_Term":
        return cls(int(head["academic_year"][:4]), head["term"])

    def following(self) -> "_Term":
        names = list(_MARKS)
        place = names.index(self.name) + 1
        return _Term(self.year + place // len(names), names[place % len(names)])

    @property
    def academic_year(self) -> str:
        return f"{self.year}/{(self.year + 1) % 100:02d}"

    @property
    def financial_year(self) -> str:
        """The year of the grant, April to March: the summer term falls in the next one."""
        first = self.year + (self.name == "summer")
        return f"{first}-{(first + 1) % 100:02d}"

    @property
    def begins(self) -> date:
        """From when on a setting that has ended is history."""
        month, later = {"autumn": (9, 0), "spring": (1, 1), "summer": (4, 1)}[self.name]
        return date(self.year + later, month, 1)

    @property
    def mark(self) -> str:
        """The term in a reference, with its calendar year: `AUT26`, `SPR27`."""
        return f"{_MARKS[self.name][0]}{self.begins.year % 100:02d}"

    def base(self, reference: str) -> str:
        """A reference without this term at its end."""
        known = "|".join(_MARKS[self.name])
        return re.sub(rf"-(?:{known}){self.begins.year % 100:02d}$", "", reference, flags=re.IGNORECASE)


_MARKS = {"autumn": ("AUT", "A"), "spring": ("SPR", "SP"), "summer": ("SUM", "SU")}
_LONGEST = 40
"""Characters of a reference."""


def _head(head: dict[str, Any], term: _Term) -> dict[str, Any]:
    base = _Term.of(head).base(head["id"])
    room = _LONGEST - len(term.mark) - 1
    if len(base) > room:
        # Cut off, two long references could become one: a few letters of a digest keep them apart.
        base = f"{base[: room - 7]}-{sha256(base.encode())[:6]}"
    carried = _only(head, "phase", "provision_state")
    own = {"id": f"{base}-{term.mark}", "version": 1, "academic_year": term.academic_year, "term": term.name}
    return {**own, "type": "review", **carried}


# Education


def _education(last: Pep, term: _Term) -> dict[str, Any]:
    """School, needs and support as they were; what a period brought is asked afresh."""
    asked_afresh = ("attendance", "behaviour", "exclusions", "attainment")
    education = {key: value for key, value in last.get("education", {}).items() if key not in asked_afresh}
    attainment = last.get("education", {}).get("attainment")
    if isinstance(attainment, list) and attainment:
        education["attainment"] = [_prior(row) for row in attainment]
    ended = _ended(education.get("settings"), term)
    if ended:
        there = [setting for setting in education["settings"] if setting not in ended]
        history = education.get("history")
        before = history if isinstance(history, list) else []
        education |= {"settings": there, "history": [*before, *map(_left, ended)]}
        if not there:
            del education["settings"]
    return education


def _prior(row: dict[str, Any]) -> dict[str, Any]:
    """A subject in the next PEP: what was the latest result is the one before, and a known one is kept."""
    kept = _only(row, "subject", "scale", "prior", "target")
    current = row.get("current")
    return {**kept, "prior": current} if isinstance(current, str) else kept


def _ended(settings: object, term: _Term) -> list[dict[str, Any]]:
    """The settings that the child has left before the term, the earliest first."""
    rows = settings if isinstance(settings, list) else []
    ended = [row for row in rows if "to" in row and date.fromisoformat(row["to"]) < term.begins]
    return sorted(ended, key=lambda row: str(row["to"]))


def _left(setting: dict[str, Any]) -> dict[str, Any]:
    kept = _only(setting, "name", "urn", "laestab", "from", "to")
    if not isinstance(kept.get("urn"), str):
        kept.pop("urn", None)
    return kept


# What the next meeting resolves


def _to_resolve(last: Pep) -> dict[str, Any]:
    """The plans of the last PEP with what is known of them since; what it left open itself comes along."""
    mark = _Term.of(last["pep"]).mark
    targets = [_only(row, "id", "target") for row in last.get("targets", [])]
    set_again = {row["target"] for row in targets if "target" in row}
    going_on = [
        _only(row, "id", "target")
        for row in _rows(last, "previous_targets")
        if row.get("outcome", "carried") == "carried" and row.get("target") not in set_again
    ]
    open_actions = [row for row in _rows(last, "previous_actions") if "outcome" not in row]
    open_spend = [row for row in _rows(last, "previous_spend") if "spent" not in row]
    lists = {
        "previous_targets": _together(targets, going_on, "id", mark),
        "previous_actions": _together(list(_actions(last)), open_actions, "id", mark),
        "previous_spend": _together(list(_spend(last)), open_spend, "line_id", mark),
    }
    return {name: rows for name, rows in lists.items() if rows}


def _rows(last: Pep, name: str) -> list[dict[str, Any]]:
    """The rows of a list; none where the list is not known."""
    found = last.get(name)
    return found if isinstance(found, list) else []


def _actions(last: Pep) -> Iterator[dict[str, Any]]:
    since = {row["action_id"]: row for row in _reported(last, "actions")}
    for row in last.get("actions", []):
        after = since.get(row["id"], {})
        outcome = _OUTCOMES.get(after.get("status", row.get("status")))
        yield {
            **_only(row, "id", "action", "owner"),
            **({"outcome": outcome} if outcome else {}),
            **({"note": after["note"]} if "note" in after else {}),
        }


_OUTCOMES = {"done": "done", "cancelled": "no_longer_needed"}
"""What settles an action; one that is open or in progress waits for the meeting."""


def _spend(last: Pep) -> Iterator[dict[str, Any]]:
    reported = _reported(last, "spend")
    lines = last.get("pupil_premium_plus", {}).get("lines", [])
    for line in (line for line in lines if not line.get("cost", "").startswith("-")):  # a refund buys nothing
        parts = [row for row in reported if row["line_id"] == line["id"]]
        impacts = [row["impact"] for row in parts if "impact" in row]
        yield {
            "line_id": line["id"],
            **_only(line, "item", "cost"),
            **({"spent": str(sum(Decimal(row["spent"]) for row in parts))} if parts else {}),
            **({"impact": impacts[-1]} if impacts else {}),
        }


def _reported(last: Pep, what: str) -> list[dict[str, Any]]:
    """What was reported since sign-off, the latest last; a report without a day counts as the latest."""
    day = {"actions": "on", "spend": "spent_on"}[what]
    return sorted(last.get("follow_up", {}).get(what, []), key=lambda row: str(row.get(day, "9999")))


def _together(
    new: list[dict[str, Any]], left_open: Iterable[dict[str, Any]], key: str, mark: str
) -> list[dict[str, Any]]:
    """Both lists as one in which no two rows have the same reference: an older row whose own is taken gets the term."""
    rows, taken = list(new), {row[key] for row in new}
    for row in left_open:
        reference = _free(row[key], taken, mark)
        taken.add(reference)
        rows.append({**row, key: reference})
    return rows


def _free(reference: str, taken: set[str], mark: str) -> str:
    if reference not in taken:
        return reference
    tries = (f"{reference[:30]}-{mark}{f'-{number}' if number > 1 else ''}" for number in range(1, len(taken) + 2))
    return next(each for each in tries if each not in taken)


# The grant and the meeting


def _grant(last: Pep, term: _Term) -> dict[str, Any]:
    """Pupil Premium Plus of the term's financial year: what is left for the child must be asked for."""
    grant = last.get("pupil_premium_plus")
    if not grant:
        return {}
    return {"pupil_premium_plus": {"financial_year": term.financial_year, **_only(grant, "stream")}}


def _meeting(last: Pep) -> dict[str, Any]:
    """The meeting that was agreed on, with the same chair and recorder until somebody says otherwise."""
    meeting = last.get("meeting", {})
    agreed = meeting.get("next_date")
    proposed = {**({"date": agreed} if isinstance(agreed, str) else {}), **_only(meeting, "chair", "recorder")}
    return {"meeting": proposed} if proposed else {}


# What to tell the person


def _notes(last: Pep, draft: Pep, term: _Term, signed: bool) -> Iterator[str]:
    if not signed:
        yield (
            "The last PEP was never signed off: this draft is made from the newest draft of it. Ask the Virtual School "
            "Officer whether that one will still be signed; its targets and actions may not have been agreed."
        )
    yield from _notes_on_care(last)
    yield from _notes_on_school(last, draft, term)
    waiting = {name: len(draft.get(name, [])) for name in ("previous_targets", "previous_actions", "previous_spend")}
    if any(waiting.values()):
        targets, actions, lines = waiting.values()
        yield (
            f"From the last PEP, to resolve at the meeting: targets {targets}, actions {actions}, lines of Pupil "
            f"Premium Plus {lines}. What was reported since is filled in."
        )
    if "pupil_premium_plus" in draft:
        yield f"Ask for what is left for this child of Pupil Premium Plus in {term.financial_year}."
    if "date" not in draft.get("meeting", {}) and not _ends(last):
        yield "The last PEP gives no day for this meeting: set one."
    sections = len(draft["confirmations"])
    yield f"Confirm or correct what was carried over ({sections} parts); nothing of it counts as looked at yet."


def _ends(last: Pep) -> bool:
    agreed = last.get("meeting", {}).get("next_date")
    return isinstance(agreed, dict) and "none" in agreed


def _notes_on_care(last: Pep) -> Iterator[str]:
    if "died_on" in last.get("follow_up", {}):
        yield "The last PEP says that this child has died. No other PEP is needed: throw this draft away."
    if "ceased_on" in last.get("care", {}):
        yield "The last PEP says that care has ended or ends. Ask the social worker whether another PEP is needed."
    if _ends(last):
        yield "The last PEP says that there is to be no next meeting. Ask whether another PEP is needed."


def _notes_on_school(last: Pep, draft: Pep, term: _Term) -> Iterator[str]:
    before, after = last.get("education", {}), draft.get("education", {})
    if term.name == "autumn":
        yield (
            f"The academic year {term.academic_year} begins: the year group, the phase and the school are still those "
            "of last year. Change them where the child has moved up."
        )
    if before.get("history") != after.get("history"):
        unknown = isinstance(before.get("history"), dict)
        yield (
            "A school or setting has ended and stands under “Schools before” now: say why the child left, and where "
            "the child learns now."
            + (" Which schools came before it was not known: see the last PEP for the reason." if unknown else "")
        )
    start = last.get("transition", {}).get("start")
    if start and date.fromisoformat(start) <= term.begins.replace(day=28):
        yield "The move that was planned falls before or at the start of this term: bring the school up to date."
    replaced = sum("prior" in row and isinstance(row.get("current"), str) for row in _rows(before, "attainment"))
    if replaced:
        yield (
            f"Attainment: the last assessment took the place of an older result under “Prior” in {replaced} of the "
            "subjects. The last PEP has those, such as key stage results: put one back where it says more."
        )
