"""YAML text is written so that it says the same when it is read, and read so that nothing passes in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.params import content_of, text_of

TEXT = st.text(max_size=200)
NUMBER = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    TEXT | NUMBER | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_what_is_written_is_read_again_as_it_was(content):
    assert content_of(text_of(content)) == content


def test_keys_keep_their_order_and_numbers_stand_on_one_line():
    assert (
        text_of({"value": 0.5, "range": [0.1, 0.9], "as": [{"b": 1}]}) == "value: 0.5\nrange: [0.1, 0.9]\nas:\n- b: 1\n"
    )


def test_the_same_part_twice_is_written_twice():
    part = {"a": [1, 2]}
    assert text_of({"one": part, "other": part}) == "one:\n  a: [1, 2]\nother:\n  a: [1, 2]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"line 2: not readable as YAML: key 'a' is written twice\."),
        ("on: 1\n", r"line 1: not readable as YAML: the key True is not text\."),
        ("a: &x 1\nb: *x\n", r"line 2: not readable as YAML: a reference \(\*\); write it out\."),
        ("a: 2024-02-30\n", "not readable as YAML: day is out of range for month"),
        ("a: [1\n", "not readable as YAML"),
    ],
)
def test_what_yaml_would_let_pass_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        content_of(text)
