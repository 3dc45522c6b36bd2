"""Strict reading of JSON: whatever two programs could read differently, or a Word file cannot hold, is a finding."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pepforms.check.finding import Finding, Steps
from pepforms.model import Json

LARGEST = 20_000_000
"""Bytes of a PEP, its pictures among them."""
DEEPEST = 200
"""Levels of lists and objects inside each other."""
_LARGEST_WHOLE = 2**53 - 1
_READING = "JSON as every program reads it (RFC 8259, RFC 7493)"
_XML = "Characters that a Word file can hold (XML 1.0, section 2.2)"
SLUGS = {
    "too-large": _READING,
    "bad-encoding": _READING,
    "not-json": _READING,
    "not-an-object": _READING,
    "too-deep": _READING,
    "duplicate-key": _READING,
    "not-a-number": _READING,
    "number-too-large": _READING,
    "lone-surrogate": _READING,
    "unprintable-character": _XML,
}
"""Every problem of reading, with its source."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class _NotANumber:
    """Stands for NaN, Infinity or a number too large for its kind, until its place is known."""

    def __init__(self, written: str) -> None:
        self.slug, self.what = _what_is_wrong(written)


class _Doubled(dict[str, Any]):
    """An object in which some key stood more than once; the last one counts until it is put right."""

    doubled: frozenset[str] = frozenset()


def read(data: bytes) -> tuple[Json, list[Finding]]:
    """The JSON value, and all that is wrong with the way it is written.

    What cannot be used is replaced by None in the value. Where nothing could be read at all the value is None. What is
    said of one place reads on after its name.
    """
    if len(data) > LARGEST:
        message = "This file is larger than 20 MB, the most that a PEP may have. Make its pictures smaller."
        return None, [_whole("too-large", message, _READING)]
    try:
        text = _decoded(data)
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_NotANumber, parse_float=_float, parse_int=_int
        )
    except _NotUtf8 as error:
        return None, [_whole("bad-encoding", str(error), _READING)]
    except json.JSONDecodeError as error:
        message = f"This is not JSON: line {error.lineno}, column {error.colno} cannot be read. Export it again."
        return None, [_whole("not-json", message, _READING)]
    except RecursionError:
        return None, [_too_deep(())]
    found: list[Finding] = []
    try:
        clean = _clean(value, (), found)
    except _TooDeep as error:
        return None, [_too_deep(error.steps[:1])]
    if not isinstance(clean, dict) and not found:
        found.append(_whole("not-an-object", "This is JSON, but not a PEP: a PEP is one object in braces.", _READING))
    return clean, found


class _NotUtf8(Exception):
    pass


class _TooDeep(Exception):
    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self.steps = steps


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]:
        raise _NotUtf8("This file is saved as UTF-16 or UTF-32. Save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")  # a byte order mark does no harm: Windows programs write one
    except UnicodeDecodeError as error:
        message = f"This file is not UTF-8: byte {error.start + 1:,} belongs to another encoding. Save it as UTF-8."
        raise _NotUtf8(message) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Doubled(found)
    twice.doubled = frozenset(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
    return twice


def _float(written: str) -> float | _NotANumber:
    number = float(written)
    if not math.isfinite(number):
        return _NotANumber(written)
    # 12.0 and 12 are the same number in JSON, and the same bytes when signed; people expect to read 12.
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_WHOLE else number


def _int(written: str) -> int | _NotANumber:
    # Python refuses to read thousands of digits at once; 17 are enough to know.
    if len(written) > 17 or abs(int(written)) > _LARGEST_WHOLE:
        return _NotANumber(written)
    return int(written)


def _what_is_wrong(written: str) -> tuple[str, str]:
    if written.lstrip("-")[:1].isdigit():
        return "number-too-large", "this number is too large to be kept exactly"
    return "not-a-number", f"{written} is not a number in JSON"


def _clean(value: Any, steps: Steps, found: list[Finding]) -> Json:
    """The value without what cannot be used; a finding for each of those."""
    if isinstance(value, str):
        return _text(value, steps, found)
    if isinstance(value, _NotANumber):
        found.append(_at(value.slug, steps, f"{value.what}. Correct it.", _READING))
        return None
    if not isinstance(value, dict | list):
        return value
    if len(steps) >= DEEPEST:
        raise _TooDeep(steps)
    if isinstance(value, list):
        return [_clean(item, (*steps, place), found) for place, item in enumerate(value)]
    return dict(_members(value, steps, found))


def _members(value: dict[str, Any], steps: Steps, found: list[Finding]) -> Iterator[tuple[str, Json]]:
    doubled = value.doubled if isinstance(value, _Doubled) else frozenset()
    for key, item in value.items():
        if _text(key, steps, found) is None:
            continue
        if key in doubled:
            found.append(_at("duplicate-key", (*steps, key), "this stands here twice. Keep one of them.", _READING))
        yield key, _clean(item, (*steps, key), found)


def _text(value: str, steps: Steps, found: list[Finding]) -> str | None:
    if value.isascii() and value.isprintable():
        return value
    if _SURROGATE.search(value):
        message = "half a character stands here (a lone surrogate), as when a text was cut in the middle of an emoji."
        found.append(_at("lone-surrogate", steps, f"{message} Enter the text again.", _READING))
        return None
    bad = _UNPRINTABLE.search(value)
    if bad:
        which = f"character {bad.start() + 1} is a control character (U+{ord(bad[0]):04X})"
        message = f"this text cannot be printed: {which}. Delete it, or paste the text again as plain text."
        found.append(_at("unprintable-character", steps, message, _XML))
        return None
    return value


def _too_deep(steps: Steps) -> Finding:
    message = f"lists and objects lie more than {DEEPEST} levels inside each other. This is not a PEP."
    return _at("too-deep", steps, message, _READING)


def _whole(slug: str, message: str, source: str) -> Finding:
    return Finding(slug, (), message, source=source)


def _at(slug: str, steps: Steps, message: str, source: str) -> Finding:
    return Finding(slug, steps, message, source=source)
