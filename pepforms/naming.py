"""File names: no name, date of birth, UPN or address ever stands in one."""

import re

from pepforms.model import Audience, Pep

_TERMS = {"autumn": "AUT", "spring": "SPR", "summer": "SUM"}


def term(pep: Pep) -> str:
    """The academic year and term as file names have them: `2026-27_AUT`."""
    return f"{pep['pep']['academic_year'].replace('/', '-')}_{_TERMS[pep['pep']['term']]}"


def document(pep: Pep, form: str, audience: Audience, to: str, *, person: str | None = None) -> str:
    """The name of a copy: `LCS-1234_pep_authority_2026-27_AUT_v1.pdf`.

    Where it is one person's, their role stands in it, never a name: `action-sheet-carer-2` is the second carer's.
    """
    whose = f"-{_role(pep, person)}" if person else ""
    return f"{_child(pep)}_{form}{whose}_{audience}_{term(pep)}_v{pep['pep']['version']}.{to}"


def _role(pep: Pep, person: str) -> str:
    roles = {each["id"]: each["role"] for each in pep["people"] if {"id", "role"} <= each.keys()}
    same = [id_ for id_, role in roles.items() if role == roles[person]]
    number = f"-{same.index(person) + 1}" if len(same) > 1 else ""
    return f"{_safe(roles[person])}{number}"


def of_pep(document: str, pep: Pep) -> str:
    """The name of a copy that tells which PEP of the term it is of: `LCS-1234_pep_school_2026-27_AUT_v1_PEP-77.pdf`."""
    stem, _, kind = document.rpartition(".")
    return f"{stem}_{_safe(pep['pep']['id'])}.{kind}"


def page(document: str, number: int) -> str:
    """The name of the picture of a page: `LCS-1234_pep_authority_2026-27_AUT_v1_p01.png`."""
    return f"{document.rpartition('.')[0]}_p{number:02}.png"


def record(pep: Pep) -> str:
    """The name of a record: `LCS-1234_PEP_2026-27_AUT_2026-11-12_PEP-77_v1.pdf`."""
    head = pep["pep"]
    return f"{_child(pep)}_PEP_{term(pep)}_{pep['meeting']['date']}_{_safe(head['id'])}_v{head['version']}.pdf"


def report(record: str) -> str:
    """The name of the judge's report on a record, beside it."""
    return f"{record.removesuffix('.pdf')}.verapdf.json"


def data(record: str) -> str:
    """The name of the data of a record that does not carry it, beside it."""
    return f"{record.removesuffix('.pdf')}.json"


def _child(pep: Pep) -> str:
    known = pep["child"].get("lcs_person_id")
    return _safe(known if isinstance(known, str) else pep["pep"]["id"])


def _safe(identifier: str) -> str:
    # The schema holds identifiers to these characters already; a file name must not rest on that alone.
    return re.sub(r"[^A-Za-z0-9-]", "-", identifier)
