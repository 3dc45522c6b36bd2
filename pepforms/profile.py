"""An authority's profile: everything that differs between authorities, as data.

The profiles that pepforms carries are in `schemas/profiles/`; an authority may point to a file of its own. What a
profile may say is in `schemas/profile.schema.json`. A figure that nobody has given is absent, and asked for
(`Profile.unanswered`); it is never guessed.
"""

import base64
import io
import itertools
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pepforms import days, profile_faults, schema
from pepforms.days import Clock
from pepforms.digest import canonical, sha256
from pepforms.errors import Misconfigured
from pepforms.model import Pep
from pepforms.resources import folder

__all__ = ["TERMS", "Clock", "Letterhead", "Profile", "StandIn", "load", "names"]

Span = tuple[date, date]
"""First and last day."""

TERMS = days.TERMS
_NO_ROWS: Mapping[str, Any] = MappingProxyType({})
_ONE = timedelta(days=1)
_Of = TypeVar("_Of")


def _nothing() -> Mapping[str, Any]:
    return _NO_ROWS


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who takes the place of a role that a child does not have: a role, and what people call whoever does."""

    role: str
    called: str | None = None


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What every document has at its head: `colour` as `1B3A5C`, `logo` as base64 with what it shows, contact lines."""

    colour: str | None = None
    logo: Mapping[str, str] | None = field(default=None, repr=False)
    contact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """How one authority works.

    A *situation* is a phase or a provision state of `pep`; what is given for the state goes before what is given for
    the phase, and that before the rest. `owners` gives the role that answers for a section (`"care"`) or a part of
    one (`"views.carer"`), `owners_there` the same by situation. `stand_ins`, by situation and role, take the place of
    a role that such a child does not have; `deputies` step in for one that does not answer. Each of the roles
    `sign_off_required` must sign a PEP, or somebody who `may_sign_for` it; those of `sign_off_acknowledge` read it.
    `retention_years` count from birth. `targets_at_least` is by area (code list `target_domain`), or `total`;
    `status_no_pep` and `status_modified` are legal statuses; `clocks` holds only those whose figures are known;
    `pp_plus_rates` are pounds a child by financial year, for information; `documents` names documents by form, in the
    order in which the authority lists them; `agenda` is what a meeting goes through.
    `digest` is that of all that the profile says, whatever its comments.
    """

    authority: str
    virtual_school: str
    child_term: str
    protective_marking: str
    retention_years: int
    owners: Mapping[str, str]
    section_letters: Mapping[str, str]
    sign_off_required: tuple[str, ...]
    sign_off_deputy: str | None
    sign_off_acknowledge: tuple[str, ...]
    child_term_plural: str = ""
    owners_there: Mapping[str, Mapping[str, str]] = field(default_factory=_nothing)
    stand_ins: Mapping[str, Mapping[str, StandIn]] = field(default_factory=_nothing)
    deputies: Mapping[str, str] = field(default_factory=_nothing)
    sign_off_there: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=_nothing)
    meeting_expected: tuple[str, ...] = ()
    agenda: tuple[str, ...] = ()
    letterhead: Letterhead = Letterhead()
    targets_at_least: Mapping[str, int] = field(default_factory=_nothing)
    status_no_pep: tuple[str, ...] = ()
    status_modified: tuple[str, ...] = ()
    clocks: Mapping[str, Clock] = field(default_factory=_nothing)
    school_terms: Mapping[str, Mapping[str, tuple[Span, ...]]] = field(default_factory=_nothing)
    pp_plus_rates: Mapping[str, Decimal] = field(default_factory=_nothing)
    documents: Mapping[str, str] = field(default_factory=_nothing)
    digest: str = ""
    _asked: tuple[str, ...] = field(default=(), repr=False)

    def owner(self, section: str | None, otherwise: str | None, pep: Pep | None = None) -> str | None:
        """The role that answers for a section or a part of one (`"views.carer"`), else the schema's own.

        With a PEP, as things stand for that child: the stand-in where the child has nobody of that role.
        """
        there = [rows[section] for rows in self._here(self.owners_there, pep) if section in rows] if section else []
        role = [*there, self.owners.get(section or "", otherwise)][0]
        return self.stand_in(role, pep).role if role else None

    def stand_in(self, role: str, pep: Pep | None) -> StandIn:
        """Who does for this child what a role does: mostly the role itself.

        Without a place at school there is no designated teacher, whoever was one before; in a phase where there mostly
        is none (a nursery, a college), one who is named among the people keeps the place.
        """
        in_state, in_phase = (rows.get(role) for rows in self._here(self.stand_ins, pep))
        if in_state is None and role in _roles_in(pep, "people"):
            return StandIn(role)
        return in_state or in_phase or StandIn(role)

    def called(self, role: str, pep: Pep | None = None) -> str:
        """What people call whoever has a role for this child: `Named tutor`, else `Tutor`."""
        stand_ins = itertools.chain.from_iterable(rows.values() for rows in self._here(self.stand_ins, pep))
        name = next((each.called for each in stand_ins if each.role == role and each.called), None)
        return name or _role_labels().get(role, role)

    def letter(self, section: str) -> str | None:
        """The letter that people see for a section or a part of one; None where the authority has not said."""
        return self.section_letters.get(section) or self.section_letters.get(section.partition(".")[0])

    def required_sign_offs(self, pep: Pep) -> tuple[str, ...]:
        """The roles that must sign this child's PEP."""
        return self._standing(self._sign_off("required", self.sign_off_required, pep), pep)

    def may_sign_for(self, role: str, pep: Pep) -> tuple[str, ...]:
        """The other roles whose signature does for that of a required one: whom it stands in for, and deputies."""
        originals = [
            other
            for other in self._sign_off("required", self.sign_off_required, pep)
            if other != role and self.stand_in(other, pep).role == role
        ]
        deputies = [self.deputies.get(each) for each in (role, *originals)]
        others = dict.fromkeys([*originals, *deputies, self.sign_off_deputy])
        return tuple(other for other in others if other and other != role)

    def acknowledge(self, pep: Pep) -> tuple[str, ...]:
        """The roles that are asked to read this child's PEP once it is signed off; never required, never a signer's."""
        asked = self._standing(self._sign_off("acknowledge", self.sign_off_acknowledge, pep), pep)
        return tuple(role for role in asked if role not in self.required_sign_offs(pep))

    def unsigned(self, pep: Pep) -> tuple[str, ...]:
        """The required roles that nobody has signed for yet."""
        signed = _roles_in(pep, "sign_offs")
        return tuple(
            role for role in self.required_sign_offs(pep) if signed.isdisjoint((role, *self.may_sign_for(role, pep)))
        )

    def binding(self, pep: Pep) -> frozenset[str]:
        """The roles whose signature makes a record of this PEP: the required ones and who may sign for them."""
        required = self.required_sign_offs(pep)
        return frozenset(itertools.chain(required, *(self.may_sign_for(role, pep) for role in required)))

    def expected(self, pep: Pep) -> tuple[str, ...]:
        """The roles that are expected at this child's meeting."""
        return self._standing(self.meeting_expected, pep)

    def term(self, academic_year: str, name: str) -> Span | None:
        """First and last day of a term; the three tile the year from 1 September to 31 August without a gap.

        Spring ends on the Sunday after its last day of teaching, or on Easter Sunday where that day is not known. None
        for what is no academic year (`"2026/27"`) or no term.
        """
        first = days.first_year(academic_year)
        if first is None or name not in TERMS:
            return None
        teaching = self.teaching(academic_year, "spring")
        spring_ends = days.sunday_after(teaching[-1][1]) if teaching else days.easter(first + 1)
        return {
            "autumn": (date(first, 9, 1), date(first, 12, 31)),
            "spring": (date(first + 1, 1, 1), spring_ends),
            "summer": (spring_ends + _ONE, date(first + 1, 8, 31)),
        }[name]

    def term_of(self, day: date) -> tuple[str, str]:
        """The academic year and the term in which a day lies."""
        year = days.academic_year(day)
        spans = ((name, self.term(year, name)) for name in TERMS)
        return year, next(name for name, span in spans if span and span[0] <= day <= span[1])

    def teaching(self, academic_year: str, name: str) -> tuple[Span, ...] | None:
        """The half terms of a term, first and last day of teaching; None where the dates are not known."""
        return self.school_terms.get(academic_year, _NO_ROWS).get(name)

    def school_day(self, day: date) -> bool | None:
        """Whether the authority's schools teach on that day; None where the dates of its year are not known."""
        terms = self.school_terms.get(days.academic_year(day))
        if terms is None:
            return None
        return days.working_day(day) and any(
            first <= day <= last for first, last in itertools.chain.from_iterable(terms.values())
        )

    def unanswered(self, today: date | None = None) -> list[str]:
        """What the authority has not said yet, as questions to ask it."""
        today = today or days.today()
        return [*self._asked, *self._years_unanswered(today)]

    def _years_unanswered(self, today: date) -> Iterator[str]:
        if (year := days.financial_year(today)) not in self.pp_plus_rates:
            yield f"What is the national rate of Pupil Premium Plus for {year}?"
        for year in (days.academic_year(today), days.academic_year(today + timedelta(days=365))):
            if year not in self.school_terms:
                yield f"What are the school terms of {year}?"

    def _sign_off(self, key: str, otherwise: tuple[str, ...], pep: Pep) -> tuple[str, ...]:
        return next((rows[key] for rows in self._here(self.sign_off_there, pep) if key in rows), otherwise)

    def _standing(self, roles: Iterable[str], pep: Pep) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.stand_in(role, pep).role for role in roles))

    def _here(self, by_situation: Mapping[str, Mapping[str, _Of]], pep: Pep | None) -> Iterator[Mapping[str, _Of]]:
        """What is given for this child's provision state, then what is given for the phase."""
        for key in ("provision_state", "phase"):
            yield by_situation.get(_about(pep, key) or "", _NO_ROWS)


def _about(pep: Pep | None, key: str) -> str | None:
    about = (pep or {}).get("pep")
    value = about.get(key) if isinstance(about, dict) else None
    return value if isinstance(value, str) else None


def _roles_in(pep: Pep | None, rows: str) -> set[str]:
    """The roles in the rows of `people` or `sign_offs`."""
    given = (pep or {}).get(rows)
    found = [row.get("role") for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return {role for role in found if isinstance(role, str)}


def load(name_or_path: str) -> Profile:
    """The profile of that name, or in that file; a fault is `Misconfigured` and names the file and the key."""
    path = (
        Path(name_or_path)
        if name_or_path.endswith(".toml")
        else folder("schemas") / "profiles" / f"{name_or_path}.toml"
    )
    rows = _plain(_read(path))
    if faults := profile_faults.faults(rows):
        raise _bad(path, faults)
    profile = _profile(rows, _letterhead(rows.get("letterhead", {}), path))
    if stranded := next(_stranded(profile), None):
        raise _bad(path, {"sign_off.required": stranded})
    return profile


def _bad(path: Path, faults: Mapping[str, str]) -> Misconfigured:
    told = (f"The profile {path}, key {key}: {what}." for key, what in faults.items())
    return Misconfigured("\n".join(told), slug="bad-profile")


def names() -> tuple[str, ...]:
    """The profiles that pepforms carries."""
    return tuple(sorted(path.stem for path in (folder("schemas") / "profiles").glob("*.toml")))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"There is no profile {path}. pepforms carries: {', '.join(names())}."
        raise Misconfigured(message, slug="no-profile") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The profile {path} cannot be read: {error}.", slug="bad-profile") from error


def _plain(value: Any) -> Any:
    """TOML's own days as text, as JSON Schema knows them."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


_MOST_LOGO_BYTES, _MOST_PIXELS = 1 << 20, 40_000_000


def _letterhead(rows: Mapping[str, Any], path: Path) -> Letterhead:
    """The letterhead, its logo read from beside the profile."""
    logo = None
    if "logo" in rows:
        try:
            data = (path.parent / rows["logo"]).read_bytes()
        except OSError as error:
            raise _bad(path, {"letterhead.logo": "this file cannot be read"}) from error
        kind = next((kind for mark, kind in _PICTURES.items() if data.startswith(mark)), None)
        if kind is None or len(data) > _MOST_LOGO_BYTES:
            raise _bad(path, {"letterhead.logo": "give a PNG or JPEG file of 1 MB at most"})
        if not _opens(data):
            raise _bad(path, {"letterhead.logo": "this picture is damaged, or has too many pixels; export it again"})
        logo = {"media_type": kind, "data": base64.b64encode(data).decode(), "description": rows["logo_says"]}
    colour = rows.get("colour")
    return Letterhead(colour.removeprefix("#").upper() if colour else None, logo, tuple(rows.get("contact", ())))


def _opens(picture: bytes) -> bool:
    """Whether a picture can be drawn, every dot of it."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return False
            opened.load()
    except Exception:  # noqa: BLE001  whatever a damaged picture does to its reader
        return False
    return True


_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""The pictures that a logo may be, by how their files begin."""


def _profile(rows: Mapping[str, Any], letterhead: Letterhead) -> Profile:
    sign_off = rows["sign_off"]
    owners = rows.get("owners", {})
    status = rows.get("status", {})
    return Profile(
        **{key: rows[key] for key in ("authority", "virtual_school", "child_term", "protective_marking")},
        retention_years=rows["retention_years"],
        owners=MappingProxyType({key: role for key, role in owners.items() if isinstance(role, str)}),
        section_letters=MappingProxyType(rows.get("section_letters", {})),
        sign_off_required=tuple(sign_off["required"]),
        sign_off_deputy=sign_off.get("deputy"),
        sign_off_acknowledge=tuple(sign_off.get("acknowledge", ())),
        child_term_plural=rows.get("child_term_plural", rows["child_term"]),
        owners_there=_by_situation(owners, lambda there: there),
        stand_ins=_by_situation(
            rows.get("stand_ins", {}), lambda there: {role: StandIn(**each) for role, each in there.items()}
        ),
        deputies=MappingProxyType(rows.get("deputies", {})),
        sign_off_there=_by_situation(sign_off, lambda there: {key: tuple(roles) for key, roles in there.items()}),
        meeting_expected=tuple(rows.get("meeting", {}).get("expected", ())),
        agenda=tuple(rows.get("meeting", {}).get("agenda", ())),
        letterhead=letterhead,
        targets_at_least=MappingProxyType(rows.get("targets", {}).get("at_least", {})),
        status_no_pep=tuple(status.get("no_pep", ())),
        status_modified=tuple(status.get("modified", ())),
        clocks=MappingProxyType(
            {name: _clock(given) for name, given in rows.get("clocks", {}).items() if "days" in given}
        ),
        school_terms=MappingProxyType({year: _terms(given) for year, given in rows.get("school_terms", {}).items()}),
        pp_plus_rates=MappingProxyType(
            {year: Decimal(rate) for year, rate in rows.get("pupil_premium_plus", {}).get("rates", {}).items()}
        ),
        documents=MappingProxyType(rows.get("documents", {})),
        digest=sha256(canonical(rows)),
        _asked=tuple(profile_faults.questions(rows)),
    )


def _by_situation(
    table: Mapping[str, Any], made: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType(
        {key: MappingProxyType(made(value)) for key, value in table.items() if isinstance(value, dict)}
    )


def _clock(given: Mapping[str, Any]) -> Clock:
    return Clock(**{**given, "sections": tuple(given.get("sections", ()))})


def _terms(given: Mapping[str, Any]) -> Mapping[str, tuple[Span, ...]]:
    return MappingProxyType({name: tuple(_spans(given[name])) for name in TERMS})


def _spans(given: Sequence[Sequence[str]]) -> Iterator[Span]:
    for first, last in given:
        yield date.fromisoformat(first), date.fromisoformat(last)


def _stranded(profile: Profile) -> Iterator[str]:
    """The children whose PEP nobody could sign off: those without a place at school have no designated teacher."""
    ours = {"virtual_school_officer", "virtual_school_head", "social_worker", "team_manager"}
    about = schema.load().root.fields["pep"].fields
    for phase, state in itertools.product(about["phase"].labels, about["provision_state"].labels):
        pep = {"pep": {"phase": phase, "provision_state": state}}
        for role in profile.required_sign_offs(pep):
            if ours.isdisjoint((role, *profile.may_sign_for(role, pep))):
                yield (
                    f"a child ({phase}, {state}) may have no {_role_labels()[role]}, so nobody could sign off: name a "
                    "deputy of the authority's own, or a stand-in"
                )


def _role_labels() -> Mapping[str, str]:
    role = schema.load().at(["people", 0, "role"])
    return role.labels if role else {}
