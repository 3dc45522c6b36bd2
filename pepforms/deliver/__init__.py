"""Deliver: a file handed over to where it is fetched from. One port, two verbs; each engine is a module.

A file is *delivered* once its bytes have been read back at the destination. That it is on the child's record only a
person *confirms*, or a list of the system behind the destination (`confirmations.py`).
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pepforms import digest
from pepforms.errors import Refused, Unavailable

Held = Literal["nothing", "same", "another"]
"""What is at a destination under a name already."""

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}"
_NAME = re.compile(f"(?:{_PART}/)?{_PART}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a file's arrival: at that time it was read there, and had these bytes.

    `sent` of its bytes went over this time: none where it was there already, some where half an upload was taken up.
    """

    name: str
    bytes: int
    sha256: str
    sent: int
    at: datetime


class Destination(ABC):
    """An open destination. A `name` is a file's, with one folder before it at most: `DM-3fa2/900005_PEP_….pdf`."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it is, in words for a message."""

    @abstractmethod
    def holds(self, name: str, sha256: str) -> Held:
        """What is there under that name: nothing, the file with that SHA-256, or another one."""

    def put(self, name: str, data: bytes, *, sha256: str) -> Receipt:
        """See to it that the file is there under that name, whole; what is there already stays as it is.

        Refused where another file has the name, or the data is not what its SHA-256 says.
        """
        _check(name, data, sha256)
        held, sent = self.holds(name, sha256), 0
        if held == "nothing":
            went = self._send(name, data, sha256)
            held, sent = (self.holds(name, sha256), 0) if went is None else ("same", went)
        if held != "same":
            raise Refused(
                f"Another file has the name {name} in {self.place} already, and was left alone. Find out which of the "
                "two is right, move the other away, and deliver again.",
                slug="another-there",
            )
        return Receipt(name, len(data), sha256, sent, datetime.now(UTC))

    @abstractmethod
    def _send(self, name: str, data: bytes, sha256: str) -> int | None:
        """Bring the file there under a name of its own, read it back, then give it its name.

        How many bytes went over; None where another process has put a file there meanwhile.
        """

    def _damaged(self, name: str) -> Unavailable:
        return Unavailable(
            f"{name} did not arrive in {self.place} as it was sent, and was taken away again. Try again; if it happens "
            "again, have the disk there looked at.",
            slug="arrived-damaged",
        )


def _check(name: str, data: bytes, sha256: str) -> None:
    if not _NAME.fullmatch(name):  # which is not repeated: a name that is not ours may hold a child's
        raise Refused(
            "A file to deliver must be named with letters, digits, hyphens, dots and underscores, in one folder.",
            slug="bad-name",
        )
    if digest.sha256(data) != sha256:
        raise Refused(
            f"{name} is not the file that its SHA-256 tells of: it was changed since. Make the record again, into "
            "another folder.",
            slug="changed-since",
        )
