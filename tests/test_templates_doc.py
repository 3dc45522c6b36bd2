"""docs/templates.md holds: everything that it says an author may write prints what stands beside it."""

import io
import json
import re
from pathlib import Path
from typing import Any

import docx
import pytest

from pepforms import forms, pipeline, settings
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.fill.kinds import FILTERS
from pepforms.fill.language import TESTS
from pepforms.fill.scopes import Reader
from pepforms.fill.tags import TAG, Place, Tag
from pepforms.wiring import Wiring

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "templates.md").read_text()
SECTION = re.split("^## ", TEXT.split("## What a template may say\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
PEP: dict[str, Any] = json.loads((ROOT / "samples/valid/year-5-review.json").read_text())
ROWS = [
    (written.replace(r"\|", "|"), printed)
    for written, printed in re.findall(r"^\| `(.*?)` \| (.*) \|$", SECTION, re.MULTILINE)
]
BLOCKS = re.findall(
    r"^```word( table)?\n(.*?)^```\n\n^```page(?: table)?\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    return pipeline.told(PEP, forms.named("pep"), "authority", wiring.profile)


def filled(word: Any, told: dict[str, Any]) -> Any:
    buffer = io.BytesIO()
    word.save(buffer)
    return docx.Document(io.BytesIO(Template(buffer.getvalue(), name="mine.docx").fill(PEP, told)))


def lines(text: str) -> list[str]:
    return text.strip().split("\n")


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"(?<= )\|(?= |$)", line)] for line in lines(text)]


@pytest.mark.parametrize(("written", "printed"), ROWS, ids=[written for written, _ in ROWS])
def test_what_is_written_on_the_left_prints_what_stands_on_the_right(
    written: str, printed: str, told: dict[str, Any]
) -> None:
    word = docx.Document()
    word.add_paragraph(written)
    if printed.startswith("*refused:* "):
        with pytest.raises(Refused, match=re.escape(printed.removeprefix("*refused:* "))):
            filled(word, told)
    else:
        assert filled(word, told).paragraphs[0].text.rstrip() == printed


@pytest.mark.parametrize(("written", "printed"), [*ROWS, *((written, page) for _, written, page in BLOCKS)])
def test_the_lint_passes_what_prints_and_refuses_what_is_refused(written: str, printed: str) -> None:
    tags = [Tag(tag, Place("text", paragraph=1), written) for tag in TAG.findall(written)]
    found = [fault.reason for fault in Reader(("authority",)).faults(tags)]
    assert bool(found) == printed.startswith("*refused:* "), found


@pytest.mark.parametrize(("table", "written", "printed"), BLOCKS)
def test_what_is_written_in_several_paragraphs_or_rows_prints_the_page_below(
    table: str, written: str, printed: str, told: dict[str, Any]
) -> None:
    word = docx.Document()
    if not table:
        for line in lines(written):
            word.add_paragraph(line)
        assert [paragraph.text for paragraph in filled(word, told).paragraphs] == lines(printed)
        return
    rows = cells(written)
    grid = word.add_table(len(rows), len(rows[0]))
    for row, texts in zip(grid.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    made = filled(word, told).tables[0]
    assert [[cell.text for cell in row.cells] for row in made.rows] == cells(printed)


def test_every_filter_and_every_test_has_its_example() -> None:
    shown = " ".join([*(written for written, _ in ROWS), SECTION])
    assert {name for name in FILTERS if not re.search(rf"\|{name}\b", shown)} == set()
    assert {name for name in TESTS if f" is {name}" not in shown} == set()
    assert (len(ROWS) > 30, len(BLOCKS)) == (True, 5)
