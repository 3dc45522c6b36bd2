"""What must be there before sign-off: one rule that reads the schema's own `x-needed`, `x-asked` and `x-unknowable`."""

from collections.abc import Iterator
from typing import Any

from pepforms.check.finding import Steps
from pepforms.check.rules import LAW, NEEDED, Case, Found, rule
from pepforms.model import Severity
from pepforms.schema import Field


@rule(NEEDED, source=f"{LAW}, regulation 5 and Schedule 1 paragraph 2; the form (schemas/)")
def needed(case: Case) -> Iterator[Found]:
    """Everything that is asked of this child is there, or somebody says why it cannot be known."""
    yield from _in(case, case.schema.root, case.accepted, ())


def _in(case: Case, field: Field, value: Any, steps: Steps) -> Iterator[Found]:
    if isinstance(value, list) and field.items:
        for position, item in enumerate(value):
            yield from _in(case, field.items, item, (*steps, position))
    elif isinstance(value, dict) and not value.keys() & {"unknown", "none"} - field.fields.keys():
        for name, part in field.fields.items():
            yield from _of(case, part, value.get(name), (*steps, name))


def _of(case: Case, field: Field, value: Any, steps: Steps) -> Iterator[Found]:
    if not field.asked(case.accepted):
        return
    if value is None or value == [] or value == {}:
        if field.needed:
            severity: Severity = "blocks" if field.needed == "blocks" else "warns"
            yield Found(steps, _message(case, field, steps), severity, field.explainable)
    else:
        yield from _in(case, field, value, steps)


def _message(case: Case, field: Field, steps: Steps) -> str:
    ways = ["Fill it in"]
    if field.unknowable:
        ways.append("say why it is not known")
    if field.explainable:
        ways.append("explain it under Exceptions")
    if field.needed == "warns" and not field.explainable:
        ways.append("leave it if there is nothing to say")
    what = "this is asked and not filled in" if field.needed == "warns" else "this is needed before sign-off"
    return f"{case.place(*steps)}: {what}. {', or '.join(ways)}."
