"""Run-level values: what `{{r … }}` prints, a picture of the child's above all.

A picture is drawn anew before it goes in (RGB, upright, nothing but pixels), so that no camera's data travels along
and no colour space breaks PDF/A.
"""

import base64
import io
from dataclasses import dataclass, field
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from pepforms.errors import Refused
from pepforms.fill.values import Node
from pepforms.fill.words import said

_EMU_A_PIXEL = 9525
_WIDEST, _HIGHEST = 5_400_000, 3_600_000
"""The box that a picture is fitted into, in English Metric Units: 15 by 10 centimetres."""
MOST_PIXELS = 40_000_000


@dataclass(slots=True)
class Media:
    """The pictures that one part has printed, in order; their relationships are named `pepforms1` and so on."""

    files: list[bytes] = field(default_factory=list)

    def add(self, png: bytes) -> str:
        """Keep a picture and name its relationship."""
        self.files.append(png)
        return f"pepforms{len(self.files)}"


def text(printed: str) -> Markup:
    """The text element for what `printed` made."""
    return Markup('<w:t xml:space="preserve">%s</w:t>') % printed


@pass_context
def as_run(context: Context, value: Any) -> Markup:
    """A run of its own for a value that stands where runs do: a picture, or words."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, Node) and {"media_type", "data"} <= value.field.fields.keys():
        return _drawing(value, context.resolve("media_"))
    return Markup("<w:r>%s</w:r>") % text(_printed(value))


def _printed(value: Any) -> str:
    from pepforms.fill.language import printed

    return printed(value)


def _drawing(picture: Node, media: Media) -> Markup:
    png, width, height = _redrawn(base64.b64decode(picture.value["data"]))
    scale = min(1.0, _WIDEST / (width * _EMU_A_PIXEL), _HIGHEST / (height * _EMU_A_PIXEL))
    relationship = media.add(png)
    return Markup(_DRAWING) % {
        "cx": round(width * _EMU_A_PIXEL * scale),
        "cy": round(height * _EMU_A_PIXEL * scale),
        "id": 10_000 + len(media.files),
        "rel": relationship,
        "words": escape(said(picture.item("description"))),
    }


def _redrawn(data: bytes) -> tuple[bytes, int, int]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused("A picture in this PEP has too many pixels. Make it smaller.", slug="unreadable-picture")
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Refused("A picture in this PEP cannot be read. Send it again.", slug="unreadable-picture") from error
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    out = io.BytesIO()
    paper.save(out, "PNG")
    return out.getvalue(), *paper.size


_DRAWING = (
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
