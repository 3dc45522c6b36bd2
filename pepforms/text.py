"""The text of a PDF, as a reader copies it from the page."""

from typing import Any


def of_pdf(pdf: bytes) -> list[str]:
    """The visible text of each page, artifacts included, in the order of the page's content."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_of_page(page) for page in document]
    finally:
        document.close()


def _of_page(page: Any) -> str:
    text = page.get_textpage()
    try:
        said: str = text.get_text_range()
        return said
    finally:
        text.close()
        page.close()
