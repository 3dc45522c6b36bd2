"""What worker processes do in tests with files that others made."""

from pepforms.fill import Template


def template(data: bytes) -> str:
    """A Word file taken as a template."""
    Template(data, name="sent.docx")
    return "taken"


def swallow(size: int) -> int:
    """Take so many bytes of memory."""
    return len(bytearray(size))
