"""The statement of an account of the ledger: the form of its newest PEP, and what all PEPs of the year come to."""

from dataclasses import replace

from pepforms import naming, pipeline
from pepforms.caseload import plans
from pepforms.caseload.ledger import Account
from pepforms.forms import Form
from pepforms.pipeline import Document, Workshop
from pepforms.register.store import Register
from pepforms.register.tables import Version

FORM = "pp-plus-statement"


def statement(account: Account, year: str, register: Register, form: Form, workshop: Workshop) -> Document:
    """The authority's copy of the statement, as PDF: a school's may not tell what other PEPs than its own say.

    Its name tells of which PEP it is: a child of two streams has two accounts, and their PEPs may be of one term.
    """
    with register.reading() as session:
        pep = plans.read(session, session.get_one(Version, account.newest)).pep
    ledger = {"year": year, **account.sums.as_json(), "peps": [*account.peps]}
    made = pipeline.render(pep, form, "authority", "pdf", workshop, more={"ledger": ledger})
    return replace(made, name=naming.of_pep(made.name, pep))
