"""Digests: the same PEP has the same digest everywhere, and what comes after sign-off does not change it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pepforms.digest import NOT_SIGNED, canonical, pep_digest, sha256


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    # The example of RFC 8785, section 3.2.2, and its result in 3.2.3.
    given_there = (
        '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], '
        '"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false]}'
    )
    result = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical(json.loads(given_there)) == result.encode()


def test_sha_256_is_lower_case_hex() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_order_of_keys_and_the_spaces_between_them_do_not_matter() -> None:
    assert pep_digest(json.loads('{"b": 1, "a": [2]}')) == pep_digest(json.loads('{"a":[2],"b":1.0}'))


@given(st.sampled_from(NOT_SIGNED), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_written_after_sign_off_does_not_change_the_digest(key: str, later: str) -> None:
    assert pep_digest({"child": {"upn": "x"}, key: later}) == pep_digest({"child": {"upn": "x"}})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_other_change_changes_it(words: str) -> None:
    assert (pep_digest({"views": words}) == pep_digest({"views": "mine"})) == (words == "mine")
