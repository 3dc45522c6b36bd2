"""What waits for somebody's word: copies that are not made without it, and facts that are shown one by one."""

from collections.abc import Iterator, Mapping

from pepforms import schema
from pepforms.audience.case import Case, is_authority_only, under
from pepforms.errors import Refused
from pepforms.model import Audience


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
    restricted = [each.title for each in schema.load().root.walk() if is_authority_only(case.pep, each)]
    if restricted:
        wait(case, f"because of what stands under {restricted[0]}", ("social_worker",))
    forbidden = " ".join(under(case.pep, "care", "collection").get("must_not_be_told", ()))
    if case.own_name and case.own_name.casefold() in forbidden.casefold():
        wait(case, "the plan names this person among those who must not be told", ("social_worker",))


def wait(case: Case, why: str, roles: tuple[str, ...]) -> None:
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
            raise Refused(
                f"{place} cannot be released to this reader: take the decision out.", slug="decision-not-possible"
            )
        if case.audience != "child" and case.role_of.get(made["by"]) != "social_worker":
            raise Refused(f"Only the social worker may decide to show {place}.", slug="decision-not-possible")
        yield place
