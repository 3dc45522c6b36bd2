"""Run-level values: what `{{r … }}` prints, a picture of the child's above all.

A picture is drawn anew before it goes in (RGB, upright, nothing but pixels), so that no camera's data travels along
and no colour space breaks PDF/A.
"""

import base64
import functools
import io
from dataclasses import dataclass, field
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from pepforms.errors import Refused
from pepforms.fill.printing import holdable, in_bold, run
from pepforms.fill.values import Node
from pepforms.fill.words import said

_EMU_A_PIXEL = 9525
_BOX = (5_400_000, 3_600_000)
"""The box that a picture is fitted into, in English Metric Units: 15 by 10 centimetres."""
_BOXES = {"/document/logo": (2_160_000, 576_000)}
"""The boxes of other pictures, by their field: 6 by 1.6 centimetres for a logo."""
_MOST_DOTS = (1_800, 1_200)
"""The same box at 300 dots an inch: more makes files larger and no page better."""
MOST_PIXELS = 40_000_000


@dataclass(slots=True)
class Made:
    """What the filling of one part has made beside its text: pictures, in order, and a count of the rows looped over.

    The pictures' relationships are named `pepforms1` and so on.
    """

    pictures: list[bytes] = field(default_factory=list)
    rows: int = 0

    def add(self, png: bytes) -> str:
        """Keep a picture and name its relationship."""
        self.pictures.append(png)
        return f"pepforms{len(self.pictures)}"


MADE = "made_"
"""The name under which a template's context holds it, out of reach of the template's author."""


@pass_context
def as_run(context: Context, value: Any, plain: str = "", bold: str = in_bold("")) -> Markup:
    """A run of its own for a value that stands where runs do: a picture, or words that look so."""
    if isinstance(value, Node) and {"media_type", "data"} <= value.field.fields.keys():
        return _drawing(value, context[MADE])
    return run(value, plain, bold)


def _drawing(picture: Node, made: Made) -> Markup:
    png, width, height = _redrawn(picture.value["data"])
    widest, highest = _BOXES.get(picture.field.pointer, _BOX)
    scale = min(1.0, widest / (width * _EMU_A_PIXEL), highest / (height * _EMU_A_PIXEL))
    relationship = made.add(png)
    return _DRAWING % {
        "cx": round(width * _EMU_A_PIXEL * scale),
        "cy": round(height * _EMU_A_PIXEL * scale),
        "id": len(made.pictures),
        "rel": relationship,
        "words": holdable(said(picture.item("description"))),
    }


@functools.lru_cache(maxsize=4)  # the logo, which every document bears
def _redrawn(encoded: str) -> tuple[bytes, int, int]:
    """The picture as PNG, and its size in pixels before what no printer can show was taken out."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded)), formats=["PNG", "JPEG"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused("A picture in this PEP has too many pixels. Make it smaller.", slug="unreadable-picture")
            upright = ImageOps.exif_transpose(opened)
            seen = upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB")
    except Exception as error:  # whatever a damaged picture does to its reader
        if isinstance(error, Refused):
            raise
        raise Refused("A picture in this PEP cannot be read. Send it again.", slug="unreadable-picture") from error
    width, height = seen.size
    seen.thumbnail(_MOST_DOTS)
    paper = Image.new("RGB", seen.size, "white")
    paper.paste(seen, mask=seen.getchannel("A") if seen.mode == "RGBA" else None)
    out = io.BytesIO()
    paper.save(out, "PNG")
    return out.getvalue(), width, height


_DRAWING = Markup(
    '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'distT="0" distB="0" distL="0" distR="0"><wp:extent cx="%(cx)d" cy="%(cy)d"/>'
    '<wp:docPr id="%(id)d" name="Picture %(id)d" descr="%(words)s"/>'
    '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
    '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture">'
    '<pic:nvPicPr><pic:cNvPr id="%(id)d" name="Picture %(id)d" descr="%(words)s"/><pic:cNvPicPr/></pic:nvPicPr>'
    '<pic:blipFill><a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'r:embed="%(rel)s"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
    '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="%(cx)d" cy="%(cy)d"/></a:xfrm>'
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
    "</w:drawing></w:r>"
)
