"""Fill: PEP data into an authority's own Word template."""

from pepforms.fill.letterhead import Letterhead
from pepforms.fill.template import Template

__all__ = ["Letterhead", "Template"]
