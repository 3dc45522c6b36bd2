"""Every problem that a check can report, for people to look up: the rules, the shape and the reading of a file."""

from collections.abc import Mapping
from dataclasses import dataclass

from pepforms.check import reading, rules, shape, together
from pepforms.check.finding import SCHEMA

READING: Mapping[str, str] = reading.SLUGS
"""Slugs of what cannot be read as it is written, each with its source."""
SHAPE = frozenset(shape.SLUGS)
"""Slugs of what the schema refuses."""
NEWER = "newer-schema-version"
"""The slug of a PEP in a format that is newer than we are."""
_BLOCKS = {"draft": "put right first", "record": "put right before the record"}


@dataclass(frozen=True, slots=True)
class Row:
    """One problem by its slug: what it does to a PEP, whether it can be explained, from which stage, and its source."""

    slug: str
    severity: str
    explainable: bool
    stage: str
    source: str


def rows() -> tuple[Row, ...]:
    """Every problem, by its slug."""
    found = [Row(slug, "blocks", False, "draft", source) for slug, source in READING.items()]
    found += [Row(slug, "blocks", False, "draft", SCHEMA) for slug in SHAPE]
    found.append(Row(NEWER, "blocks", False, "draft", SCHEMA))
    found.append(Row(rules.EXPLAINS_NOTHING, "blocks", False, "sign-off", rules.PRACTICE))
    for rule in (*rules.every(), together.RULE):
        stage = f"{rule.stage} (warns before)" if rule.warns_before else rule.stage
        found.append(Row(rule.slug, rule.severity, rule.explainable, stage, rule.source))
    return tuple(sorted(found, key=lambda row: row.slug))


def table(messages: Mapping[str, str]) -> str:
    """Every problem as a table in Markdown, each with an example of its message."""
    lines = [
        "| Problem | What it says, for example | Then | Explainable | From stage | Source |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows():
        then = "please check" if row.severity == "warns" else _BLOCKS.get(row.stage, "put right before sign-off")
        explainable = "where the form says so" if row.slug == rules.NEEDED else "yes" if row.explainable else "no"
        cells = (f"`{row.slug}`", _cell(messages[row.slug]), then, explainable, row.stage, _cell(row.source))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("\n", " ")
