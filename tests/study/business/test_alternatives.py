"""What sliders answer at once is what simulating the changed scenario gives, as far as it is said to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cxsim.errors import ParamError
from cxsim.study.business.alternatives import Answer, Setting, alternatives, simulated

# Amounts of a few thousand are sums over millionths, rounded once more where goods are sold again.
MICRO = 1e-3
RETURNS = ("incremental_npv", "npv_mc_error", "npv_low", "npv_high", "prob_npv_positive", "prob_mc_error")


@pytest.fixture(scope="module")
def found(case):
    return {name: alternatives(case, name) for name in case.grid_centre["strategy"]}


def test_with_nothing_set_it_answers_as_the_page_does(case, found):
    for name, one in found.items():
        row = case.study.returns.filter(strategy=name).select(RETURNS).row(0)
        assert one.answer(Setting()) == pytest.approx(row, abs=MICRO)
        assert one.of_base_case(Setting()) == pytest.approx(one.start["npv"], abs=MICRO)


@pytest.mark.parametrize(
    "setting", [Setting(margin=0.5), Setting(cost=0.5), Setting(rate=0.0), Setting(margin=0.3, cost=1.5, rate=0.2)]
)
def test_prices_that_are_set_give_at_once_what_simulating_gives(found, setting):
    for one in found.values():
        assert one.answer(setting) == pytest.approx(simulated(one, setting), abs=MICRO)


def test_a_shorter_horizon_gives_at_once_what_simulating_gives_where_no_points_are_open(found):
    one = found["win-back-coupon"]
    for setting in (Setting(horizon=7), Setting(horizon=2), Setting(horizon=7, margin=0.5, cost=2.0)):
        assert one.answer(setting) == pytest.approx(simulated(one, setting), abs=MICRO)


@pytest.mark.parametrize("strategy", ["points-programme", "win-back-coupon", "faster-delivery"])
def test_what_customers_do_is_answered_to_a_fraction_of_the_simulation_error(found, strategy):
    one = found[strategy]
    ends = [(nodes[0], nodes[-1]) for nodes in one.axes.values()]
    for setting in (Setting(x=ends[0][0]), Setting(x=ends[0][1]), Setting(y=ends[1][0]), Setting(y=ends[1][1])):
        shown, exact = one.answer(setting), simulated(one, setting)
        assert abs(shown.npv - exact.npv) < exact.error


def test_the_base_case_is_that_of_the_grid_at_its_nodes(case, found):
    for row in case.heat.iter_rows(named=True):
        shown = found[row["strategy"]].of_base_case(Setting(x=row["x"], y=row["y"]))
        assert shown == pytest.approx(row["npv"], abs=MICRO)


def test_a_case_with_all_kinds_of_effects_and_returns_answers_with_nothing_set(busy_case):
    study = busy_case.study
    for name in busy_case.grid_centre["strategy"]:
        row = study.returns.filter(strategy=name).select(RETURNS).row(0)
        # Goods that are sold again have a price of their own, rounded to a hundredth of a per cent.
        assert alternatives(busy_case, name).answer(Setting()) == pytest.approx(row, rel=1e-4, abs=MICRO)


def test_a_number_that_is_not_possible_is_refused_with_its_reason(found):
    one = replace(found["win-back-coupon"], paths={"x": "effects.nothing", "y": ""})
    with pytest.raises(ParamError, match="has no such number"):
        simulated(one, Setting(x=2.0))


def test_an_answer_has_its_interval_around_it(found):
    for one in found.values():
        answer = one.answer(Setting(cost=0.0))
        assert isinstance(answer, Answer)
        assert answer.low <= answer.npv <= answer.high
