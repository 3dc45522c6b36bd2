"""Convert: a Word file into a tagged PDF. One port, one verb; each engine is a module."""

from typing import Protocol


class Converter(Protocol):
    """An engine that turns Word files into tagged PDFs which claim PDF/A and pass PDF/UA-1."""

    name: str

    def convert(self, docx: bytes, *, about: str) -> bytes:
        """The PDF; `about` names the document in an error and holds no personal data.

        Refused when the engine dies or overruns twice on this document, Unavailable when it cannot start.
        """
        ...

    def close(self) -> None:
        """End the engine's processes."""
        ...
