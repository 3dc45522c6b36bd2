"""The parts of a foreign PDF that a record may not have, or must: forms, scripts, colours, attachments."""

import functools
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf


def drop(dictionary: Any, key: str) -> None:
    """Take a key out, if it is there."""
    if key in dictionary:
        del dictionary[key]


def fields(form: Any) -> "Iterator[Any]":
    """Every field of a form, those inside others too."""
    waiting = list(form.get("/Fields", ()))
    for _ in range(100_000):  # a form that goes round in circles ends too
        if not waiting:
            return
        field = waiting.pop()
        yield field
        waiting.extend(field.get("/Kids", ()))


def hides_layers(root: Any) -> bool:
    """Whether the document has layers that are switched off."""
    layers = root.OCProperties.get("/D") if "/OCProperties" in root else None
    return layers is not None and len(layers.get("/OFF", ())) > 0


def forbids_more(signature: Any) -> bool:
    """Whether the signature certifies the document and permits no change, not even another signature."""
    for reference in signature.get("/Reference", ()):
        permitted = reference.get("/TransformParams", {})
        if reference.get("/TransformMethod") in ("/DocMDP", "/FieldMDP") and permitted.get("/P", 2) == 1:
            return True
    return False


def attachments(document: "pikepdf.Pdf") -> int:
    """How many files the document carries, those pinned to a page too."""
    pinned = sum(note.get("/Subtype") == "/FileAttachment" for page in document.pages for note in annotations(page))
    return int(len(document.attachments) + pinned)


def annotations(page: "pikepdf.Page") -> "Iterator[Any]":
    """The notes, links and fields of a page."""
    for note in page.obj.get("/Annots", ()):
        if hasattr(note, "keys"):
            yield note


def is_text(value: Any) -> bool:
    """Whether a value of a PDF is a text."""
    import pikepdf

    return isinstance(value, (str, pikepdf.String))


def flatten(document: "pikepdf.Pdf") -> None:
    """Form fields become content of the page, as they look now; a record is read, not filled in."""
    form: Any = document.Root.get("/AcroForm")
    if form is None:
        return
    if any("/V" in field for field in fields(form)) or form.get("/NeedAppearances", False):
        if form.get("/NeedAppearances", False):
            document.generate_appearance_streams()
        document.flatten_annotations("screen")
    drop(document.Root, "/AcroForm")


_HARMLESS = ("/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/Named", "/SubmitForm")
"""Actions that PDF/A permits: they take the reader somewhere and run nothing."""


def drop_actions(document: "pikepdf.Pdf") -> None:
    """Take out what acts by itself; links stay."""
    root = document.Root
    drop(root, "/AA")
    opening: Any = root.get("/OpenAction")
    if hasattr(opening, "keys") and opening.get("/S") not in _HARMLESS:
        del root["/OpenAction"]
    if "/Names" in root:
        drop(root.Names, "/JavaScript")
    for page in document.pages:
        drop(page.obj, "/AA")
        for note in annotations(page):
            drop(note, "/AA")
            if "/A" in note and note["/A"].get("/S") not in _HARMLESS:
                del note["/A"]
            if note.get("/Subtype") == "/Link" and "/F" not in note:
                note["/F"] = 4  # printed, which of a link nobody sees


def font_descriptors(document: "pikepdf.Pdf") -> "Iterator[Any]":
    """What the document says of each of its fonts."""
    for one in document.objects:
        if hasattr(one, "keys") and one.get("/Type") == "/FontDescriptor":
            yield one


def add_output_intent(document: "pikepdf.Pdf") -> None:
    """Say that colours are sRGB, as screens take them to be, where the file does not say."""
    from pikepdf import Array, Dictionary, Name, String

    if any(intent.get("/S") == "/GTS_PDFA1" for intent in document.Root.get("/OutputIntents", ())):
        return
    profile = document.make_stream(srgb(), N=3)
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )
    document.Root.OutputIntents = Array([*document.Root.get("/OutputIntents", ()), document.make_indirect(intent)])


@functools.cache
def srgb() -> bytes:
    """The sRGB profile, without the time of day that it was made at."""
    from PIL import ImageCms

    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = bytes.fromhex("07e60001000100000000" + "0000")  # 1 January 2022
    return bytes(made)


def saved(document: "pikepdf.Pdf") -> bytes:
    """Written anew, streams that PDF/A does not know (LZW) packed as it does; the same input gives the same bytes."""
    import pikepdf

    buffer = io.BytesIO()
    document.save(
        buffer,
        min_version="1.7",
        deterministic_id=True,
        fix_metadata_version=False,
        compress_streams=True,
        stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return buffer.getvalue()
