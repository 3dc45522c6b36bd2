"""Lengths as Word files give them."""

import re

_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(mm|cm|in|pt|pc|pi)?")
_TWIPS = {"mm": 1440 / 25.4, "cm": 1440 / 2.54, "in": 1440, "pt": 20, "pc": 240, "pi": 240}
"""Twentieths of a point in each unit (ECMA-376, part 1, 22.9.2.15)."""


def twips(length: str | None) -> int:
    """A length in twentieths of a point, which it counts in where it names no unit; 0 for what is none."""
    if not (found := _LENGTH.fullmatch((length or "").strip())):
        return 0
    return round(float(found[1]) * _TWIPS.get(found[2] or "", 1))
