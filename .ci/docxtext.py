"""Prints the text of a Word file, so that git shows a template's change as lines.

`make setup` names this to git: git config diff.docx.textconv '.venv/bin/python .ci/docxtext.py'
"""

import sys
from collections.abc import Iterator

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph


def lines(story: object, indent: str = "") -> Iterator[str]:
    """The paragraphs and tables of a body, header, footer or cell, in order; a table row is one line a cell."""
    for item in story.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(item, Paragraph):
            style = item.style.name if item.style is not None else "Normal"
            if item.text.strip():
                yield f"{indent}{'' if style == 'Normal' else f'[{style}] '}{item.text}"
        elif isinstance(item, Table):
            for number, row in enumerate(item.rows, 1):
                for letter, cell in enumerate(row.cells, 1):
                    if letter > 1 and cell._tc is row.cells[letter - 2]._tc:
                        continue  # a merged cell is told once
                    yield f"{indent}| row {number} cell {letter}"
                    yield from lines(cell, indent + "|   ")


def main() -> None:
    """Print headers, body and footers."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        document = Document(sys.argv[1])
    except (PackageNotFoundError, KeyError, ValueError) as error:
        print(f"not a Word file that can be read: {error}")
        return
    for number, section in enumerate(document.sections, 1):
        for name in ("header", "first_page_header", "footer", "first_page_footer"):
            part = getattr(section, name)
            if not part.is_linked_to_previous:
                print(f"--- section {number} {name.replace('_', ' ')}")
                print(*lines(part), sep="\n")
    print("--- body")
    print(*lines(document), sep="\n")


main()
