"""`import cxsim` shows a dozen names and loads none of the heavy libraries behind them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cxsim
from cxsim import errors
from cxsim.errors import CxsimError, choices

HEAVY = ("altair", "lifetimes", "numba", "numpy", "pandas", "papermill", "polars", "pydantic", "scipy")


def test_the_import_loads_no_heavy_library():
    code = f"import sys, cxsim; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_no_heavy_library():
    code = f"import sys, cxsim.cli.commands; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", cxsim.__all__)
def test_every_name_of_the_face_is_there(name):
    assert getattr(cxsim, name).__name__ == name
    assert name in dir(cxsim)


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match="cxsim has no 'runn'; did you mean 'run'\\? Possible: "):
        cxsim.runn  # noqa: B018 - the look-up is the test


def test_the_nearest_name_comes_first_and_all_that_is_possible_behind_it():
    assert choices("wekly", ["daily", "weekly"]) == "did you mean 'weekly'? Possible: daily, weekly."


def test_a_name_that_resembles_none_is_not_guessed():
    assert choices("xyz", ["daily", "weekly"]) == "possible: daily, weekly."


def test_where_nothing_is_possible_the_message_says_so():
    assert choices("xyz", []) == "possible: none."


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_every_mistake_can_be_caught_at_the_root(name):
    assert issubclass(getattr(errors, name), CxsimError)
