"""How large an effect must be: the root is one, no root is none, and nothing is believed that was only searched."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cxsim
from cxsim.errors import ParamError
from cxsim.params import Unit, with_values
from cxsim.strategies.effects import Dropout, PurchaseRate
from cxsim.strategies.strategy import Cost, Strategy, load_strategy
from cxsim.study.break_even import break_even, search
from cxsim.study.run import run
from cxsim.tables import BREAK_EVEN, CURVE, check
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.plans import plan, reach

RATIO = "effects.purchase_rate_1.ratio"


def searched(*, low=1.0, high=2.0, one_off=300.0, **changes):
    """Return a plan for everyone that makes customers order faster, for some money at the start."""
    written = {
        "name": "plan",
        "title": "A plan",
        "description": "Made for a test.",
        "reach": reach(),
        "effects": (PurchaseRate(ratio=assumed((low * high) ** 0.5, Unit.RATIO, range=(low, high))),),
        "costs": (Cost(kind="one_off", amount=assumed(one_off, Unit.MONEY, range=(one_off * 0.9, one_off * 1.1))),),
        "mode": "break-even",
        "searches": RATIO,
    }
    return Strategy(**written | changes)


def scenario(*strategies, **changes):
    return small(strategies=strategies, draws=6, **changes)


def with_prior(strategy, size):
    known = with_values(replace(strategy, mode="prior", searches=None), {RATIO: size})
    return run(scenario(known)).returns.row(0, named=True)


@pytest.fixture(scope="module")
def found():
    table = check(break_even(scenario(searched()), "plan"), BREAK_EVEN)
    assert table.height == 1
    return table.row(0, named=True)


def test_at_the_break_even_the_net_present_value_is_zero_within_its_error(found):
    assert found["searched_low"] < found["break_even"] < found["searched_high"]
    evaluated = with_prior(searched(), found["break_even"])
    assert abs(evaluated["incremental_npv"]) < evaluated["npv_mc_error"]
    assert evaluated["npv_mc_error"] == pytest.approx(found["npv_mc_error"], rel=1e-9)


def test_the_ends_are_those_of_the_range_with_their_values(found):
    assert (found["searched_low"], found["searched_high"], found["unit"]) == (1.0, 2.0, "ratio")
    assert found["npv_low"] < 0 < found["npv_high"]
    for end in ("low", "high"):
        evaluated = with_prior(searched(), found[f"searched_{end}"])
        assert evaluated["incremental_npv"] == pytest.approx(found[f"npv_{end}"], rel=1e-9)


@pytest.mark.parametrize(("one_off", "sign"), [(1e6, -1), (0.0, 1)], ids=["it never pays", "it always pays"])
def test_where_no_end_differs_from_the_other_there_is_no_break_even(one_off, sign):
    strategy = searched(low=1.1, one_off=one_off)
    row = break_even(scenario(strategy), "plan").row(0, named=True)
    assert row["break_even"] is None
    assert row["npv_low"] * sign > 0
    assert row["npv_high"] * sign > 0
    assert row["npv_mc_error"] > 0


def test_a_strategy_that_is_believed_can_be_searched_too(found):
    strategy = searched(mode="prior", searches=None)
    row = break_even(scenario(strategy), "plan", searches=RATIO).row(0, named=True)
    assert row == found


def test_other_strategies_and_combinations_do_not_move_it(found):
    other = replace(load_strategy("points-programme"), name="other")
    assert break_even(scenario(searched(), other), "plan").row(0, named=True) == found


@pytest.mark.parametrize(
    ("strategy", "searches", "words"),
    [
        ("paln", None, "no strategy 'paln' in scenario 'cdnow-quick'; did you mean 'plan'"),
        ("plan", "effects.purchase_rate.ratio", f"is not a number with a range; did you mean '{RATIO}'"),
        ("plan", "reach.uptake", "'reach.uptake' is not a number with a range; possible: "),
    ],
    ids=["strategy", "misspelt", "without a range"],
)
def test_what_is_unknown_is_answered_with_the_nearest(strategy, searches, words):
    with pytest.raises(ParamError, match=words):
        break_even(scenario(searched()), strategy, searches=searches)


def test_a_study_lists_searched_strategies_beside_the_returns_and_not_in_them(found):
    loyal = plan("loyal", Dropout(ratio=assumed(0.9, Unit.RATIO)))
    study = run(scenario(loyal, searched()))
    assert study.returns["strategy"].to_list() == ["loyal"]
    assert study.ledger["arm"].unique().to_list() in (["baseline", "loyal"], ["loyal", "baseline"])
    assert check(study.break_even, BREAK_EVEN).rows(named=True) == [found]
    assert "plan" in study.cautions["strategy"].to_list()
    assert study.strategies["strategy"].to_list() == ["loyal", "plan"]


def test_a_scenario_of_searched_strategies_alone_is_refused_and_sentence_where_to_go():
    with pytest.raises(ParamError, match=r"the effects of plan have no prior.*`cxsim break-even`"):
        cxsim.run(scenario(searched()))


# A search says from which size on a strategy pays whose effect nobody has measured.


@pytest.fixture(scope="module")
def searched_search():
    free = replace(load_strategy("packaging-gift"), costs=())
    return small(strategies=(free,), dropout="all", draws=2)


@pytest.fixture(scope="module")
def progress():
    """What the search reported while it ran."""
    return []


@pytest.fixture(scope="module")
def found_search(searched_search, progress):
    return search(searched_search, progress=lambda done, total: progress.append((done, total)))


def test_a_gift_that_costs_nothing_pays_until_customers_leave_sooner(found_search):
    (row,) = check(found_search.break_even, BREAK_EVEN).rows(named=True)
    assert row["npv_low"] > 0.0 > row["npv_high"]
    # Without any cost it breaks even where the effect does nothing; with so few customers the NPV is 0 near there too.
    assert row["break_even"] == pytest.approx(1.0, abs=0.02)


def test_the_curve_runs_from_end_to_end_and_falls(found_search):
    curve = check(found_search.curve, CURVE)
    assert curve["size"].is_sorted()
    assert (curve["size"][0], curve["size"][-1]) == (0.7, 1.05)
    assert curve["npv"].is_sorted(descending=True)
    assert (curve["low"] <= curve["npv"]).all()
    assert found_search.break_even["break_even"][0] in curve["size"].to_list()


def test_the_manifest_says_what_was_found_with_how_many_draws(searched_search, found_search):
    assert found_search.manifest["draws_searched"] == 2
    assert len(str(found_search.manifest["curve_sha256"])) == 64
    assert "ledger_sha256" not in found_search.manifest
    assert found_search.manifest == search(searched_search).manifest


def test_it_shows_itself_in_one_line_and_in_a_table(found_search):
    assert repr(found_search).startswith("Search(cdnow-quick; packaging-gift: ")
    assert "Gift in every parcel" in found_search._repr_html_()
    assert found_search.strategies["strategy"].to_list() == ["packaging-gift"]


def test_progress_ends_at_its_total(found_search, progress):
    assert found_search is not None
    assert progress[-1][0] == progress[-1][1]
    assert all(done < total for done, total in progress[:-1])


def test_nothing_to_search_is_refused(scenario):
    with pytest.raises(ParamError, match="no strategy with mode: break-even"):
        search(scenario)
