"""Fields that a reader never sees: as the schema says, for what the PEP says there, and where the home is hidden."""

import functools
from collections.abc import Iterator

from pepforms import schema
from pepforms.audience.case import Case, is_authority_only, under
from pepforms.audience.release import released
from pepforms.model import Audience
from pepforms.schema import Field

_OTHERS_WORDS = ("/views/child/method", "/views/child/translated_by")


def is_childs_own(each: Field) -> bool:
    """Whether a field holds what the child said, and not how the child was asked."""
    return each.pointer.startswith("/views/child/") and each.pointer not in _OTHERS_WORDS


def withheld(case: Case) -> Iterator[str]:
    """The fields that this reader never sees, by the schema and by rule, less those released one by one."""
    shown = tuple(released(case))
    for each in (*_always(case.audience, case.hides_home), *_by_value(case)):
        if not any(each == place or each.startswith(f"{place}/") or place.startswith(f"{each}/") for place in shown):
            yield each


@functools.cache
def _always(audience: Audience, hides_home: bool) -> frozenset[str]:
    fields = list(schema.load().root.walk())
    unseen = {each.pointer for each in fields if audience not in each.audience}
    if hides_home:
        unseen |= {each.pointer for each in fields if each.placement} - HOME_BY_RULE | HOME_COUSINS
    return frozenset(unseen)


HOME_BY_RULE = frozenset(
    {
        "/people/*/name", "/people/*/email", "/people/*/phone", "/people/*/organisation",  # by role: `people.hidden_of`
        "/education/history",  # up to the day the placement began: `rows`
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


def _by_value(case: Case) -> Iterator[str]:
    """Fields withheld for what this PEP says there or elsewhere."""
    for each in schema.load().root.walk():
        if is_authority_only(case.pep, each):
            yield each.pointer
    if case.audience == "parent":
        yield "/care/health_affecting_learning"
    if "carer" not in case.role_of.values():
        yield from ("/care/placement",) if case.audience == "carer" else ()  # *C own home only*
    status = under(case.pep, "care").get("legal_status")
    if isinstance(status, str) and status not in PLAIN_STATUS:
        yield "/care/legal_status"
    shared = under(case.pep, "views", "child").get("share_with")
    if case.audience != "child" and case.audience not in (shared if shared is not None else ("school", "carer")):
        yield "/views/child"  # *child's words: only if the child shares*
