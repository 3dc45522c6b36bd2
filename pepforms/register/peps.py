"""PEPs kept: every stored state a revision that never changes, and of a signed version nothing that was signed."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pepforms import check, days
from pepforms.check import sections
from pepforms.digest import NOT_SIGNED, canonical, pep_digest, sha256
from pepforms.errors import Refused
from pepforms.model import Pep
from pepforms.profile import Profile
from pepforms.register import audit
from pepforms.register.store import Register
from pepforms.register.tables import Child, Revision, SectionState, SignOff, Version

KEPT = "pep-kept"
"""The action in the audit; its subject is that of `subject`, its detail the revision's number and digests."""
SIGNED = "pep-signed-off"
"""The action in the audit that follows on that where a version was signed off by it; its detail is the digest."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of keeping a PEP: the revision that holds it, and whether that is new."""

    state: Literal["new", "changed", "same"]
    pep_id: str
    version: int
    number: int
    revision_id: int
    signed_off: bool


def keep(register: Register, pep: Pep, profile: Profile, *, by: str, over: int | None = None) -> Kept:
    """Keep a PEP that was checked, at stage draft at least, as the newest revision of its version.

    `over` is the number of the revision that an editor began with: Refused (slug `changed-meanwhile`) where it is not
    the newest any more. Without it, a state that the version has been in before is the `same`, and stays as old as it
    is: importing twice, or an old file after a newer one, changes nothing; unless the newest has lost its sign-offs,
    which then come back.

    Refused (`signed-off`) where it would change what was signed or take a signature away, (`another-childs-pep`)
    where the reference is taken.
    """
    content, today = canonical(pep), days.today()
    known = (pep["pep"]["id"], pep["pep"]["version"])
    with register.reading() as session:
        if over is None and (found := _same(session, known, sha256(content), profile)):
            return found
    states = sections.sections(pep, check.check(content, "sign-off", profile).problems, profile, today)
    with register.writing() as session:
        audit.lock(session)  # from here on nobody else writes
        if over is None and (found := _same(session, known, sha256(content), profile)):
            return found
        return _kept(session, pep, _Taken(content, by, over, profile, states))


@dataclass(frozen=True, slots=True)
class _Taken:
    """A PEP to be kept, with all that was found out about it beforehand."""

    content: bytes
    by: str
    over: int | None
    profile: Profile
    states: Sequence[sections.Section]


def _kept(session: Session, pep: Pep, taken: _Taken) -> Kept:
    now, digest = dt.datetime.now(dt.UTC), pep_digest(pep)
    version = session.get(Version, (pep["pep"]["id"], pep["pep"]["version"]))
    _refuse_another_childs(session, pep)
    if version is None:
        state: Literal["new", "changed", "same"] = "new"
        version = Version(pep_id=pep["pep"]["id"], version=pep["pep"]["version"], newest=0, added_at=now)
    else:
        state = "changed"
        _refuse_what_was_signed(session, version, digest)
        _refuse_lost_sign_offs(session, version, pep, taken.profile)
    if taken.over is not None and taken.over != version.newest:
        raise Refused(
            f"PEP {version.pep_id} version {version.version} was changed meanwhile. Look at it again, and make your "
            "change anew.",
            slug="changed-meanwhile",
        )
    if (last := revision(session, version)) and last.sha256 == sha256(taken.content):
        return _as_found(version, last)
    _describe(session, version, pep, now)
    version.newest += 1
    signed_before = version.signed_digest is not None
    if not signed_before:
        version.signed_digest, version.signed_off_at = _signed_off(pep, digest, taken.profile)
    session.add(version)
    session.flush()
    row = Revision(
        pep_id=version.pep_id,
        version=version.version,
        number=version.newest,
        content=taken.content,
        sha256=sha256(taken.content),
        digest=digest,
        by=taken.by,
        at=now,
    )
    session.add(row)
    _find_anew(session, row, pep, taken.states)
    about = {"revision": row.number, "sha256": row.sha256, "digest": digest}
    audit.append(session, taken.by, KEPT, subject(version), about)
    if version.signed_digest and not signed_before:
        audit.append(session, taken.by, SIGNED, subject(version), {"digest": digest})
    return Kept(state, version.pep_id, version.version, row.number, row.id, version.signed_digest is not None)


def subject(version: Version | Revision) -> str:
    """A version as the audit and messages name it."""
    return f"{version.pep_id} version {version.version}"


def revision(session: Session, version: Version) -> Revision | None:
    """The newest revision of a version."""
    return session.scalar(
        select(Revision).where(
            Revision.pep_id == version.pep_id, Revision.version == version.version, Revision.number == version.newest
        )
    )


def read(kept: Revision) -> Pep:
    """The PEP of a revision."""
    pep: Pep = json.loads(kept.content)
    return pep


def _same(session: Session, known: tuple[str, int], content: str, profile: Profile) -> Kept | None:
    """The newest revision of this version with this very content, if there is one that may stay as old as it is."""
    found = session.scalars(
        select(Revision)
        .where(Revision.pep_id == known[0], Revision.version == known[1], Revision.sha256 == content)
        .order_by(Revision.number.desc())
    ).first()
    if found is None:
        return None
    version = session.get_one(Version, known)
    newest = revision(session, version) if found.number < version.newest else None
    if newest and _lost(session, version, read(newest), profile):
        return None
    return _as_found(version, found)


def _as_found(version: Version, there: Revision) -> Kept:
    signed = version.signed_digest is not None
    return Kept("same", version.pep_id, version.version, there.number, there.id, signed)


# --- what is refused -------------------------------------------------------------------------------------------------


def _refuse_what_was_signed(session: Session, version: Version, digest: str) -> None:
    if version.signed_digest in (None, digest):
        return
    raise Refused(
        f"PEP {subject(version)} was signed off, and what was signed does not change any more: only "
        f"{', '.join(NOT_SIGNED[:-1])} and {NOT_SIGNED[-1]} do. Give it the next version, "
        f"{_following(session, version)}, and have that signed.",
        slug="signed-off",
    )


def _following(session: Session, version: Version) -> int:
    """The number of the version that comes next."""
    of_this_pep = select(func.max(Version.version)).where(Version.pep_id == version.pep_id)
    return (session.scalar(of_this_pep) or version.version) + 1


def _refuse_lost_sign_offs(session: Session, version: Version, pep: Pep, profile: Profile) -> None:
    """Whoever signed stays named as they signed; who else signs, or has read it, may be added."""
    if _lost(session, version, pep, profile):
        raise Refused(
            f"PEP {subject(version)} was signed off, and this lacks a sign-off that it was signed off with, or has it "
            "otherwise. Take the signed PEP and put into that what has been added since; if a sign-off was wrong, give "
            f"the PEP its next version, {_following(session, version)}, and have that signed.",
            slug="signed-off",
        )


def _lost(session: Session, version: Version, pep: Pep, profile: Profile) -> bool:
    """Whether a sign-off with which this version was signed off is not in this state of it."""
    if version.signed_digest is None:
        return False
    theirs = _sign_offs(pep)
    return any(row not in theirs for row in _signatures(session, version, profile))


def _signatures(session: Session, version: Version, profile: Profile) -> list[dict[str, Any]]:
    """The sign-offs with which a version was signed off: those of the first state that all who must have signed."""
    states = session.scalars(
        select(Revision)
        .where(Revision.pep_id == version.pep_id, Revision.version == version.version)
        .where(Revision.digest == version.signed_digest)
        .order_by(Revision.number)
    )
    signed: list[dict[str, Any]] = []
    for state in states:
        pep = read(state)
        signed = [row for row in _sign_offs(pep) if row["digest"] == state.digest] or signed
        if _signed_off(pep, state.digest, profile)[0]:
            break
    return signed  # where the profile asks for others by now: the last that had any


def _refuse_another_childs(session: Session, pep: Pep) -> None:
    """A reference is one child's for good; a number that was corrected names the one before."""
    mine = {number_of(pep, "lcs_person_id"), number_of(pep, "former_lcs_person_id")} - {None}
    of_this_pep = select(Version.lcs_person_id).where(Version.pep_id == pep["pep"]["id"]).distinct()
    if mine and {number for number in session.scalars(of_this_pep) if number} - mine:
        raise Refused(
            f"The reference {pep['pep']['id']} is another child’s in the register. Give this PEP a reference of its "
            "own; where the child’s LCS number was corrected, say the one before as the former LCS number.",
            slug="another-childs-pep",
        )


# --- what is found from the content ----------------------------------------------------------------------------------


def _describe(session: Session, version: Version, pep: Pep, now: dt.datetime) -> None:
    """The version's columns as this PEP says them, and its child."""
    number, former = number_of(pep, "lcs_person_id"), number_of(pep, "former_lcs_person_id")
    if number:
        child = session.get(Child, number) or Child(lcs_person_id=number, added_at=now)
        child.former_lcs_person_id = former or child.former_lcs_person_id
        session.add(child)
        session.flush()
    version.lcs_person_id = number or version.lcs_person_id  # which a later state may leave out
    version.academic_year, version.term = pep["pep"]["academic_year"], pep["pep"]["term"]
    version.meeting_date = days.said(pep, "meeting", "date")


def number_of(pep: Pep, name: str) -> str | None:
    """The child’s number of that name in a PEP, where it says one."""
    child = pep.get("child")
    number = child.get(name) if isinstance(child, dict) else None
    return number if isinstance(number, str) else None


def _signed_off(pep: Pep, digest: str, profile: Profile) -> tuple[str | None, dt.datetime | None]:
    """The digest that all who must have signed, and when the last of them did; nothing where one is missing."""
    standing = {**pep, "sign_offs": [row for row in _sign_offs(pep) if row["digest"] == digest]}
    if not standing["sign_offs"] or profile.unsigned(standing):
        return None, None
    roles = profile.binding(standing)
    times = [dt.datetime.fromisoformat(row["at"]) for row in standing["sign_offs"] if row["role"] in roles]
    return (digest, max(times)) if times else (None, None)


def _sign_offs(pep: Pep) -> list[dict[str, Any]]:
    return pep.get("sign_offs") or []


def _find_anew(session: Session, kept: Revision, pep: Pep, states: Sequence[sections.Section]) -> None:
    """The rows about sections and sign-offs as this revision has them, in place of those of the revision before."""
    key = {"pep_id": kept.pep_id, "version": kept.version}
    for table in (SectionState, SignOff):
        session.execute(delete(table).where(table.pep_id == kept.pep_id, table.version == kept.version))
    for section in states:
        session.add(
            SectionState(
                **key,
                section=section.name,
                owner=section.owner,
                state=section.state,
                missing=len(section.missing),
                to_check=len(section.to_check),
                due=section.due,
            )
        )
    for row in sign_offs(pep, kept.digest):
        session.add(SignOff(**key, **dict(zip(SIGN_OFF, row, strict=True))))
    session.flush()


SIGN_OFF = ("ordinal", "role", "name", "method", "at", "digest", "holds")


def sign_offs(pep: Pep, digest: str) -> list[tuple[Any, ...]]:
    """The rows of `sign_off` for a PEP of this digest: what `SIGN_OFF` names, of each."""
    return [
        (
            ordinal,
            *(row[name] for name in ("role", "name", "method")),
            dt.datetime.fromisoformat(row["at"]).astimezone(dt.UTC),
            row["digest"],
            row["digest"] == digest,
        )
        for ordinal, row in enumerate(_sign_offs(pep))
    ]
