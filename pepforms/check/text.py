"""Rules about what is printed: every character can be drawn, every picture opened."""

import base64
import binascii
import io
from collections.abc import Iterator
from typing import Any

from pepforms import fonts
from pepforms.check.finding import Steps
from pepforms.check.rules import PRACTICE, Case, Found, rule

LARGEST_PICTURE = 2_000_000
"""Bytes of one picture."""
_KINDS = {"image/png": "PNG", "image/jpeg": "JPEG"}


@rule("cannot-draw", source="Every character is drawn: the fonts that pepforms carries", stage="draft")
def cannot_draw(case: Case) -> Iterator[Found]:
    """Every character has a font that draws it, so that none ends as an empty box."""
    for text, steps in _texts(case.accepted, ()):
        bad = fonts.undrawable(text)
        if bad:
            which = ", ".join(f"“{character}” (U+{ord(character):04X})" for character in bad[:5])
            message = f"{case.place(*steps)}: no font here can draw {which}. Write it another way, or ask for the font."
            yield Found(steps, message)


def _texts(value: Any, steps: Steps) -> Iterator[tuple[str, Steps]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, (*steps, key))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _texts(part, (*steps, position))
    elif isinstance(value, str) and not value.isascii():
        yield value, steps


@rule("unreadable-picture", source=PRACTICE, stage="draft")
def unreadable_picture(case: Case) -> Iterator[Found]:
    """A picture of the child's opens, is what it says it is, and has at most 2 MB."""
    for position, row in case.rows("views", "child", "pictures"):
        data, kind = row.get("data"), row.get("media_type")
        if isinstance(data, str) and isinstance(kind, str):
            fault = _fault(data, _KINDS[kind])
            if fault:
                where = ("views", "child", "pictures", position)
                yield Found((*where, "data"), f"{case.place(*where)}: {fault}.")


def _fault(data: str, kind: str) -> str | None:
    try:
        picture = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return "it arrived damaged (not base64). Add the picture again"
    if len(picture) > LARGEST_PICTURE:
        return f"it has {len(picture) / 1e6:.1f} MB; at most 2 MB fit. Make it smaller"
    if not _opens(picture, kind):
        return f"it cannot be opened as {kind}. Save it as PNG or JPEG and add it again"
    return None


def _opens(picture: bytes, kind: str) -> bool:
    from PIL import Image, UnidentifiedImageError

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(picture), formats=[kind]) as image:
            image.verify()
        with Image.open(io.BytesIO(picture), formats=[kind]) as image:  # verify() leaves nothing to load
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, *bombs):
        # Pillow says SyntaxError for a PNG whose parts are damaged.
        return False
    return True
