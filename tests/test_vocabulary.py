"""Which words give something away: the lists are in order, and each of their words is meant."""

import tomllib

import pytest

from pepforms import codes, schema, vocabulary
from pepforms.resources import folder

FILE = tomllib.loads((folder("schemas") / "telling-words.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("group", FILE["ordinary"])
def test_each_group_of_ordinary_words_is_in_order(group: str) -> None:
    words = FILE["ordinary"][group].split()
    assert words == sorted(set(words))


@pytest.mark.parametrize("field", FILE["told_by"])
def test_what_tells_a_field_is_told_of_values_that_it_may_have(field: str) -> None:
    known = schema.load().at([0 if step == "*" else step for step in field.split("/")[1:]])
    assert known is not None
    values = {"true"} if known.type == "boolean" else codes.known(known.codes) if known.codes else known.labels
    assert vocabulary.told_by(field).keys() <= {"*", *values}


def test_a_word_of_an_ethnicity_is_not_ordinary_because_a_code_has_it() -> None:
    assert not vocabulary.is_ordinary("bangladeshis")
    assert vocabulary.is_ordinary("attendance")
