"""What waits for somebody's word: copies that are not made without it, and facts that are shown one by one."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pepforms.audience.case import Case, holds, under
from pepforms.errors import Refused
from pepforms.letters import words_of
from pepforms.model import Audience

MAY_DECIDE = ("social_worker", "team_manager", "virtual_school_officer", "virtual_school_head")
"""Those of the authority who may release a copy and decide what it says; never its reader."""
WHO_MAY = "the social worker, their team manager, the Virtual School Officer or the Virtual School Head"


def refuse_unnamed(case: Case) -> None:
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


def refuse_unreleased(case: Case) -> None:
    """None for a parent of a child placed for adoption, remanded or restricted, unless the social worker allows it."""
    if case.audience != "parent":
        return
    if case.restricted:
        wait(case, f"because of what stands under {case.restricted[0]}", ("social_worker",))
    if any(_may_mean(case, each) for each in under(case.pep, "care", "collection").get("must_not_be_told", ())):
        wait(case, "the plan may mean this person among those who must not be told", ("social_worker",))


_MOTHER = frozenset(("mother", "mothers", "mum", "mums", "mummy", "mam", "mom", "mama", "ma"))
_FATHER = frozenset(("father", "fathers", "dad", "dads", "daddy"))
_EITHER = frozenset(("parent", "parents", "family"))
_CLAIMED = re.compile(r"\bsay(?:s|ing)? they are family\b", re.IGNORECASE)
"""Strangers on the telephone, of whom no parent is meant."""
_TITLES = frozenset(("mr", "mrs", "ms", "miss", "mx", "dr"))


def _may_mean(case: Case, entry: str) -> bool:
    """Whether who must not be told may be this parent: by name or its initial, by their reference, or as a parent."""
    own = case.own_row
    relation = {*words_of(re.split("[;,(]", own.get("relation", ""))[0])}  # *Mother; Pip lives with her*
    names = {word for word in words_of(case.own_name) if len(word) > 1}
    as_parent = _EITHER | (_MOTHER if relation.isdisjoint(_FATHER) else frozenset())
    as_parent |= _FATHER if relation.isdisjoint(_MOTHER) else frozenset()
    said = words_of(_CLAIMED.sub("", entry))
    named = not (names | relation | as_parent).isdisjoint(said)
    return named or _by_initial(said, names) or holds(entry, str(case.person))


def _by_initial(said: Sequence[str], names: Iterable[str]) -> bool:
    """Whether somebody is called by a title and the initial of one of these names: `Mrs T`."""
    initials = {name[0] for name in names}
    return any(title in _TITLES and word in initials for title, word in itertools.pairwise(said))


def wait(case: Case, why: str, roles: tuple[str, ...]) -> None:
    """Refused, until somebody in the PEP who has one of the roles has released this very copy."""
    for row in case.rows:
        if row.get("released_on") and case.role_of.get(row.get("released_by")) in roles:
            return
    raise Refused(
        f"This copy waits until {WHO_MAY if roles == MAY_DECIDE else 'the social worker'} releases it: {why}. Once "
        "they have, note it under distribution, with the audience, the person whom it is for, released_by and "
        "released_on.",
        slug="not-released",
    )


RELEASABLE: Mapping[str, tuple[Audience, ...]] = {
    "/care/health_affecting_learning": ("parent",),
    "/care/circumstances/youth_justice": ("school", "carer", "parent"),
    "/care/circumstances/immigration": ("school", "carer", "parent"),
    "/child/date_of_birth_status": ("school", "carer", "parent"),
    "/education/attainment": ("child",),
}
"""What may be shown by a decision: *health: P as the SW decides*; *released one by one by the SW*; *K without grades
unless the child wants them*."""


def released(case: Case) -> Iterator[str]:
    """The places that somebody who may has decided to show; refused (slug `decision-not-possible`) where nobody may."""
    for place, made in case.decisions.items():
        if made["decision"] != "show":
            continue
        if case.audience not in RELEASABLE.get(place, ()):
            raise impossible(place, "it cannot be released to this reader. Take the decision out")
        if case.audience != "child" and case.role_of.get(made["by"]) != "social_worker":
            raise impossible(place, "only the social worker may decide to show this")
        if case.role_of.get(made["by"]) not in MAY_DECIDE:
            raise impossible(place, f"only {WHO_MAY} may decide this")
        yield place


def impossible(place: str, why: str) -> Refused:
    """The refusal of a copy for which something was decided that cannot be."""
    return Refused(
        f"What was decided for this copy about {place or 'the whole PEP'} cannot be done: {why}.",
        slug="decision-not-possible",
    )
