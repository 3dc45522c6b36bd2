"""What batches work with; `wiring` provides it."""

from typing import Protocol

from pepforms import pipeline
from pepforms.forms import Form
from pepforms.register.store import Register


class Workshop(pipeline.Workshop, Protocol):
    """What the recipe works with, the register, the forms, and which engine makes the PDFs."""

    @property
    def register(self) -> Register:
        """The register, up to date."""
        ...

    @property
    def engine(self) -> str:
        """The engine that makes PDFs, by its name and version."""
        ...

    def form(self, name: str) -> Form:
        """The form of that name; Refused where there is none."""
        ...
