"""File names: no name, date of birth, UPN or address ever stands in one."""

import re
from typing import Literal

from pepforms.digest import sha256
from pepforms.model import Audience, Pep

By = Literal["social-worker", "team"]
"""Whose folder a record goes into: that of the social worker who answers for the upload, or of their team."""
NOBODY = "nobody-named"
"""The folder of records whose PEP names no social worker, or no team: somebody must find out whose they are."""

_TERMS = {"autumn": "AUT", "spring": "SPR", "summer": "SUM"}


def term(pep: Pep) -> str:
    """The academic year and term as file names have them: `2026-27_AUT`."""
    return f"{pep['pep']['academic_year'].replace('/', '-')}_{_TERMS[pep['pep']['term']]}"


def document(pep: Pep, form: str, audience: Audience, to: str) -> str:
    """The name of a copy: `LCS-1234_pep_authority_2026-27_AUT_v1.pdf`."""
    return f"{_child(pep)}_{form}_{audience}_{term(pep)}_v{pep['pep']['version']}.{to}"


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


def folder(by: By, *, social_worker: str, team: str) -> str:
    """`Children-in-Care-Team-2`; `DM-3fa2` for a social worker: two of the same initials are told apart by the mark."""
    if by == "team":
        return re.sub(r"[^A-Za-z0-9]+", "-", team).strip("-") or NOBODY
    if not social_worker:
        return NOBODY
    initials = "".join(word[0].upper() for word in social_worker.split() if word[0].isascii() and word[0].isalpha())
    mark = sha256(f"{social_worker}, {team}".encode())[:4]
    return f"{initials or 'X'}-{mark}"


def _child(pep: Pep) -> str:
    known = pep["child"].get("lcs_person_id")
    return _safe(known if isinstance(known, str) else pep["pep"]["id"])


def _safe(identifier: str) -> str:
    # The schema holds identifiers to these characters already; a file name must not rest on that alone.
    return re.sub(r"[^A-Za-z0-9-]", "-", identifier)
