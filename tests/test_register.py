"""PEPs in the register: every state kept, nothing that was signed changed; on SQLite as on PostgreSQL."""

import copy
import json
import threading
from typing import Any

import pytest
from sqlalchemy import select

from pepforms import profile, resources
from pepforms.digest import canonical, pep_digest, sha256
from pepforms.errors import Refused
from pepforms.register import audit, peps
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Child, Revision, SectionState, SignOff, Version

SAMPLES = resources.folder("samples") / "valid"
PROFILE = profile.load("hillingdon")


def sample(name: str) -> dict[str, Any]:
    pep: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return pep


def changed(pep: dict[str, Any], action: str = "Another action than was agreed") -> dict[str, Any]:
    other = copy.deepcopy(pep)
    other["actions"][0]["action"] = action
    return other


def unsigned(pep: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in pep.items() if key != "sign_offs"}


def keep(register: Register, pep: dict[str, Any], **more: Any) -> peps.Kept:
    return peps.keep(register, pep, PROFILE, by="officer", **more)


def revisions(register: Register) -> list[bytes]:
    with register.reading() as session:
        return list(session.scalars(select(Revision.content).order_by(Revision.id)))


SIGNED, DRAFT = sample("year-5-review"), unsigned(sample("year-5-review"))


def test_keeps_a_pep_as_it_came_with_its_child_its_sections_and_its_sign_offs(register: Register) -> None:
    kept = keep(register, SIGNED)
    assert (kept.state, kept.pep_id, kept.version, kept.number, kept.signed_off) == ("new", "PEP-0005-A26", 1, 1, True)
    with register.reading() as session:
        version = session.get_one(Version, ("PEP-0005-A26", 1))
        revision = session.get_one(Revision, kept.revision_id)
        assert peps.read(revision) == SIGNED
        assert (revision.content, revision.sha256) == (canonical(SIGNED), sha256(canonical(SIGNED)))
        assert version.signed_digest == revision.digest == pep_digest(SIGNED)
        assert version.signed_off_at is not None
        assert version.signed_off_at.isoformat() == "2026-11-12T11:20:00+00:00"
        assert session.get_one(Child, "900005").former_lcs_person_id is None
        states = {row.section: row.state for row in session.scalars(select(SectionState))}
        assert states["targets"] == "complete"
        (signature,) = session.scalars(select(SignOff))
        assert (signature.role, signature.holds) == ("virtual_school_officer", True)


def test_the_same_pep_is_kept_once_however_its_keys_are_ordered(register: Register) -> None:
    first = keep(register, SIGNED)
    again = keep(register, dict(reversed(SIGNED.items())))
    assert (again.state, again.revision_id) == ("same", first.revision_id)
    assert len(revisions(register)) == 1


def test_every_state_of_a_draft_is_kept(register: Register) -> None:
    states = [changed(DRAFT, action) for action in ("One", "Two", "Three")]
    assert [keep(register, state).state for state in states] == ["new", "changed", "changed"]
    assert revisions(register) == [canonical(state) for state in states]


def test_an_old_file_after_a_newer_one_changes_nothing(register: Register) -> None:
    keep(register, changed(DRAFT, "One"))
    keep(register, changed(DRAFT, "Two"))
    assert (keep(register, changed(DRAFT, "One")).state, len(revisions(register))) == ("same", 2)


def test_an_editor_may_go_back_to_an_earlier_state(register: Register) -> None:
    for over, action in enumerate(("One", "Two", "One")):
        assert keep(register, changed(DRAFT, action), over=over).number == over + 1
    assert len(revisions(register)) == 3


def test_refuses_an_edit_of_what_was_changed_meanwhile(register: Register) -> None:
    keep(register, changed(DRAFT, "One"))
    keep(register, changed(DRAFT, "Two"), over=1)
    with pytest.raises(Refused, match="Look at it again") as refused:
        keep(register, changed(DRAFT, "Three"), over=1)
    assert refused.value.slug == "changed-meanwhile"
    assert len(revisions(register)) == 2


def test_refuses_to_change_what_was_signed_and_says_which_version_is_next(register: Register) -> None:
    keep(register, SIGNED)
    for other in (changed(SIGNED), changed(DRAFT)):
        with pytest.raises(Refused, match="Give it the next version, 2,") as refused:
            keep(register, other)
        assert refused.value.slug == "signed-off"
    assert revisions(register) == [canonical(SIGNED)]
    next_version = changed(DRAFT)
    next_version["pep"]["version"] = 2
    assert keep(register, next_version).state == "new"


@pytest.mark.parametrize(
    "after",
    [
        {"follow_up": {"died_on": "2027-01-05"}},
        {"distribution": {}},
        {"quality": {}},
        {"sign_offs": [*SIGNED["sign_offs"], {**SIGNED["sign_offs"][0], "role": "social_worker", "name": "Ines F."}]},
    ],
)
def test_what_happens_after_sign_off_goes_into_further_revisions(register: Register, after: dict[str, Any]) -> None:
    keep(register, SIGNED)
    kept = keep(register, {**SIGNED, **after})
    assert (kept.state, kept.number, kept.signed_off) == ("changed", 2, True)
    with pytest.raises(Refused):
        keep(register, changed({**SIGNED, **after}))


def resigned(**other: str) -> dict[str, Any]:
    return {**SIGNED, "sign_offs": [{**SIGNED["sign_offs"][0], **other}]}


@pytest.mark.parametrize(
    "stripped",
    [
        DRAFT,
        {**SIGNED, "sign_offs": []},
        resigned(name="Somebody Else"),
        resigned(at="2026-11-13T11:20:00+00:00"),
        resigned(role="social_worker"),
    ],
)
def test_refuses_to_take_a_signature_away_or_to_change_it(register: Register, stripped: dict[str, Any]) -> None:
    keep(register, SIGNED)
    with pytest.raises(Refused, match=r"lacks a sign-off .* next version, 2,") as refused:
        keep(register, stripped)
    assert refused.value.slug == "signed-off"
    assert revisions(register) == [canonical(SIGNED)]


def test_a_draft_from_before_it_was_signed_is_the_same_and_takes_no_signature_away(register: Register) -> None:
    keep(register, DRAFT)
    keep(register, SIGNED)
    assert keep(register, DRAFT).state == "same"
    with pytest.raises(Refused, match="lacks a sign-off"):
        keep(register, DRAFT, over=2)
    with register.reading() as session:
        assert peps.read(peps.revision(session, session.get_one(Version, ("PEP-0005-A26", 1)))) == SIGNED


def test_a_signed_pep_that_lost_its_signatures_gets_them_back_from_its_file(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(register, SIGNED)
    with monkeypatch.context() as as_it_was_once:
        as_it_was_once.setattr(peps, "_refuse_lost_sign_offs", lambda *_: None)
        keep(register, DRAFT)
    kept = keep(register, SIGNED)
    assert (kept.state, kept.number, kept.signed_off) == ("changed", 3, True)
    with register.reading() as session:
        assert [row.holds for row in session.scalars(select(SignOff))] == [True]


def test_a_draft_that_somebody_signs_becomes_signed_off_and_a_stale_signature_does_not_count(
    register: Register,
) -> None:
    stale = changed(SIGNED)
    assert not keep(register, stale).signed_off
    with register.reading() as session:
        assert [row.holds for row in session.scalars(select(SignOff))] == [False]
    kept = keep(register, SIGNED)
    assert (kept.number, kept.signed_off) == (2, True)
    with register.reading() as session:
        assert [row.holds for row in session.scalars(select(SignOff))] == [True]


def test_refuses_a_reference_that_is_another_childs(register: Register) -> None:
    keep(register, DRAFT)
    other = copy.deepcopy(DRAFT)
    other["child"]["lcs_person_id"] = "900999"
    for version in (1, 2):
        other["pep"]["version"] = version
        with pytest.raises(Refused, match="another child’s") as refused:
            keep(register, other)
        assert refused.value.slug == "another-childs-pep"
    other["child"]["former_lcs_person_id"] = "900005"
    assert keep(register, other).state == "new"


def test_a_child_without_a_number_is_kept_and_gets_it_later(register: Register) -> None:
    nobody = copy.deepcopy(DRAFT)
    del nobody["child"]["lcs_person_id"]
    keep(register, nobody)
    keep(register, DRAFT)
    with register.reading() as session:
        assert session.get_one(Version, ("PEP-0005-A26", 1)).lcs_person_id == "900005"


def test_eight_at_once_keep_one_pep_once_and_eight_states_as_eight_revisions(register: Register) -> None:
    found: list[peps.Kept] = []

    def at_once(states: list[dict[str, Any]]) -> None:
        threads = [threading.Thread(target=lambda pep=pep: found.append(keep(register, pep))) for pep in states]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    at_once([DRAFT] * 8)
    assert sorted(kept.state for kept in found) == ["new", *["same"] * 7]
    found.clear()
    at_once([changed(DRAFT, f"Action {number}") for number in range(8)])
    assert sorted(kept.number for kept in found) == [*range(2, 10)]
    with register.reading() as session:
        assert list(audit.faults(session)) == []


def test_the_audit_says_who_did_what_and_nothing_of_the_child(register: Register) -> None:
    keep(register, DRAFT)
    keep(register, SIGNED)
    with register.reading() as session:
        rows = list(session.scalars(select(Audit).order_by(Audit.sequence)))
        assert [(row.actor, row.action, row.subject) for row in rows] == [
            ("officer", "pep-kept", "PEP-0005-A26 version 1"),
            ("officer", "pep-kept", "PEP-0005-A26 version 1"),
            ("officer", "pep-signed-off", "PEP-0005-A26 version 1"),
        ]
        written = json.dumps([(row.subject, row.detail) for row in rows])
    for personal in ("Ottoline", "Mockington", "2016-11-02", "U312999916005", "Pretend Crescent"):
        assert personal not in written
