"""Where the templates, schemas and samples lie: inside the installed package, or beside it in a checkout."""

from pathlib import Path

from pepforms.errors import Broken

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `templates`, `schemas` or `samples`."""
    for root in (_PACKAGE / "data", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise Broken(f"This installation of pepforms lacks its {name}. Install it again.", slug="incomplete-installation")
