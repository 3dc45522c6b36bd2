"""The rule about what was carried over from the last PEP: somebody says that it still holds."""

from collections.abc import Iterator

from pepforms.check.rules import PRACTICE, Case, Found, rule


@rule("not-confirmed", source="Nothing of the last PEP is taken to be true still; " + PRACTICE)
def not_confirmed(case: Case) -> Iterator[Found]:
    """Every section carried over from the last PEP has been confirmed by a named person."""
    marks = case.value("confirmations") or {}
    for section in (name for name in marks if case.value("confirmations", name, "state") == "to_confirm"):
        if case.value(section):
            message = (
                f"{case.place(section)}: this was carried over from the last PEP, and nobody has said yet that it "
                "still holds. Read it, put right what has changed, and confirm it."
            )
            yield Found(("confirmations", section), message)
