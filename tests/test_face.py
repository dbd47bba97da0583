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
    with pytest.raises(AttributeError, match=r"cxsim has no 'runn'; did you mean 'run'\? All [0-9]+: dir"):
        cxsim.runn  # noqa: B018 - the look-up is the test


def test_the_nearest_name_comes_first_and_all_that_is_possible_behind_it():
    assert choices("wekly", ["daily", "weekly"]) == "did you mean 'weekly'? Possible: daily, weekly."


def test_a_name_that_resembles_none_is_not_guessed():
    assert choices("xyz", ["daily", "weekly"]) == "possible: daily, weekly."


def test_where_nothing_is_possible_the_message_says_so():
    assert choices("xyz", []) == "possible: none."


MANY = [f"source-{number}" for number in range(90)] + ["gross-margin"]


def test_of_many_names_a_message_has_only_the_nearest_and_says_where_all_are():
    assert choices("gros-margin", MANY, all_in="params/sources.yaml") == (
        "did you mean 'gross-margin'? All 91: params/sources.yaml."
    )
    assert choices("gros-margin", MANY) == "did you mean 'gross-margin'? 91 are possible."
    assert choices("source-777", MANY, all_in="`list`") == "did you mean 'source-77' or 'source-7'? All 91: `list`."
    assert choices("margin", MANY, all_in="`list`") == "did you mean 'gross-margin'? All 91: `list`."


def test_where_none_of_many_names_is_near_a_few_show_what_they_look_like():
    few = "none is near; possible are source-0, source-1, source-2"
    assert choices("xyz", MANY, all_in="`list`") == f"{few}; all 91: `list`."
    assert choices("", MANY) == f"{few} and 88 more."


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_every_mistake_can_be_caught_at_the_root(name):
    assert issubclass(getattr(errors, name), CxsimError)


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        (cxsim.run, "it must be a scenario, such as cxsim.scenario('cdnow-quick')."),
        (cxsim.business_case, "it must be a study: cxsim.run(scenario)."),
        (cxsim.explore, "it must be a business case: cxsim.business_case(cxsim.run(scenario))."),
        (cxsim.scenario, "it must be what cxsim.start returned, or the name of a scenario."),
        (cxsim.report, "it must be a name, a scenario, a business case, or what cxsim.start returned."),
    ],
)
def test_whoever_skips_a_step_is_told_the_call_that_is_missing(call, needed):
    with pytest.raises(CxsimError) as refused:
        call(17)
    assert str(refused.value) == f"found 17 of type int; {needed}"
