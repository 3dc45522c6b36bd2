"""Rules about numbers that others gave: the pupil's, the learner's and the school's."""

from collections.abc import Iterator

from pepforms import codes
from pepforms.check.rules import Case, Found, rule

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 letters of a UPN: no I, O or S."""
_DIGITS = {"urn": (6, "a URN has six digits"), "laestab": (7, "a LAESTAB has seven digits, such as 9994001")}
_GIAS = "Get Information about Schools"


@rule("wrong-upn", source="DfE, Unique Pupil Numbers: check letter", stage="draft")
def wrong_upn(case: Case) -> Iterator[Found]:
    """The check letter of the UPN fits its other characters."""
    upn = case.value("child", "upn")
    if isinstance(upn, str) and upn[0] != upn_check_letter(upn):
        message = (
            "This UPN cannot be right (a digit or letter is mistyped). Copy it from the school’s system, or say why "
            "there is none."
        )
        yield Found(("child", "upn"), message)


def upn_check_letter(upn: str) -> str:
    """The letter that a UPN must begin with: positions 2 to 13, each times its position, modulo 23.

    The last character of a temporary UPN is a letter, worth its place in the alphabet of 23.
    """
    values = [int(c) if c.isdigit() else _LETTERS.index(c) for c in upn[1:]]
    return _LETTERS[sum(value * place for place, value in enumerate(values, start=2)) % 23]


@rule("wrong-uln", source="Learning Records Service: ULN check digit", stage="draft")
def wrong_uln(case: Case) -> Iterator[Found]:
    """The ten digits of the ULN fit together: weighed 10 to 1 they leave 10 when divided by 11."""
    uln = case.value("child", "uln")
    if (
        isinstance(uln, str)
        and sum(int(c) * weight for c, weight in zip(uln, range(10, 0, -1), strict=True)) % 11 != 10
    ):
        message = "This ULN cannot be right (a digit is mistyped). Copy it from the Learning Records Service."
        yield Found(("child", "uln"), message)


@rule("upn-authority", source="DfE, Unique Pupil Numbers: local authority prefix", severity="warns", stage="draft")
def upn_authority(case: Case) -> Iterator[Found]:
    """The authority that gave the UPN is known; a new one may not be yet, so this only warns."""
    upn = case.text("child", "upn")
    if upn and upn[1:4] not in codes.known("local_authority"):
        message = (
            f"{case.place('child', 'upn')}: its second to fourth characters, {upn[1:4]}, are no authority that we "
            "know. Check it against the school’s system; a new authority is no mistake."
        )
        yield Found(("child", "upn"), message)


@rule("school-number", source=_GIAS, severity="warns", stage="draft")
def school_number(case: Case) -> Iterator[Found]:
    """A URN has six digits and a LAESTAB seven."""
    for field, value, steps in case.leaves:
        if field.format in _DIGITS and isinstance(value, str):
            count, said = _DIGITS[field.format]
            digits = value.replace("/", "", 1) if field.format == "laestab" else value
            if not (len(digits) == count and digits.isascii() and digits.isdigit()):
                yield Found(steps, f"{case.place(*steps)}: {said}. Look it up at {_GIAS}.")
