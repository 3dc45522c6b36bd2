"""The engine rdocx: native, deterministic, needs no other program. It holds the interpreter lock, hence processes."""

from pepforms.errors import Refused
from pepforms.workers import Handler, Pool, cores

DEADLINE_SECONDS = 60.0
"""Two hundred times what a long PEP takes."""


class Rdocx:
    """As many rdocx processes as there are cores, started when first needed."""

    name = "rdocx"

    def __init__(self, *, processes: int | None = None, deadline: float = DEADLINE_SECONDS) -> None:
        self._pool = Pool(start, name="The PDF engine", size=processes or cores(), deadline=deadline)

    def convert(self, docx: bytes, *, about: str) -> bytes:
        """The PDF of a Word file, the same bytes every time."""
        pdf: bytes = self._pool.do(docx, about=about)
        return pdf

    def close(self) -> None:
        """End the processes."""
        self._pool.close()


def start() -> Handler:
    """What a worker process does: convert one Word file after the other."""
    import rdocx

    from pepforms.convert import mending, paging

    def convert(docx: bytes) -> bytes:
        copy = mending.mended(docx)
        try:
            document = rdocx.Document.from_bytes(copy)
            paging.settle(document, copy)
            return document.to_pdfa_deterministic("pdfa-3b")
        except rdocx.RdocxError as error:
            raise Refused(
                "The PDF engine could not read this Word file. Save the template again in Word and try once more.",
                slug="not-convertible",
            ) from error

    return convert
