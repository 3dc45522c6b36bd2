"""The errors of pepforms, named for who must act.

    PepformsError
    ├── Refused        the sender must change what was sent        exit 65 · HTTP 422
    │   └── Unreadable the sender named something that is not there  exit 66
    ├── Broken         we must mend pepforms or a template         exit 70 · HTTP 500
    ├── Unavailable    nobody: try again later                     exit 75 · HTTP 503
    └── Misconfigured  the operator must change a setting          exit 78 · will not start

Faces (command line, web) know these alone. A message says what failed, where, why and what to do; it never holds
a child's name, date of birth, UPN or address, nor a secret.
"""

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pepforms.model import Problem


class PepformsError(Exception):
    """Something that a person can be told about: `str(error)` is the sentence, `slug` its stable name."""

    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, slug: str) -> None:
        super().__init__(message)
        self.slug = slug

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross process borders whole, their keyword arguments too."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class Refused(PepformsError):
    """What was sent cannot be used; the sender can mend it. `problems` says where, when it was a PEP."""

    exit_code = 65
    http_status = 422

    def __init__(self, message: str, *, slug: str, problems: "Sequence[Problem]" = ()) -> None:
        super().__init__(message, slug=slug)
        self.problems = tuple(problems)


class Unreadable(Refused):
    """A path that does not exist, cannot be opened or holds nothing to read."""

    exit_code = 66


class Broken(PepformsError):
    """Our own fault, or that of a template we ship."""


class Unavailable(PepformsError):
    """An engine, a disk or a destination that is full, hung or away; the same may go through later."""

    exit_code = 75
    http_status = 503


class Misconfigured(PepformsError):
    """A setting, a key or a folder that the operator must put right."""

    exit_code = 78


def bug(error: Exception) -> Broken:
    """What is told of an error that nobody foresaw: its kind alone, since its text may quote a child's data."""
    return Broken(f"pepforms failed by its own fault ({type(error).__name__}). Please report it.", slug="bug")


def _rebuilt(kind: type[PepformsError], args: tuple[Any, ...], state: dict[str, Any]) -> PepformsError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
