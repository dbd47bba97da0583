from __future__ import annotations

import pytest

from cxsim import errors
from cxsim.errors import CxsimError, choices


def test_the_nearest_name_comes_first_and_all_that_is_possible_behind_it():
    assert choices("wekly", ["daily", "weekly"]) == "did you mean 'weekly'? Possible: daily, weekly."


def test_a_name_that_resembles_none_is_not_guessed():
    assert choices("xyz", ["daily", "weekly"]) == "possible: daily, weekly."


def test_where_nothing_is_possible_the_message_says_so():
    assert choices("xyz", []) == "possible: none."


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_every_mistake_can_be_caught_at_the_root(name):
    assert issubclass(getattr(errors, name), CxsimError)
