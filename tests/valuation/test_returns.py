from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from cxsim.finance.returns import Rule, net_present_value, npv_by_draw, payback_months, read_returns, returns
from cxsim.tables import RETURNS, check

RULE = Rule(fund=0.9, reject=0.25)
TITLES = {"plan": "A plan"}

monthly_cash = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 24)),
    elements=st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
)


def _returns(flows, *, present=None, rule=RULE):
    weights = np.ones(flows.amounts.shape[::2][:2]) if present is None else present
    return returns(flows, weights, rule, titles=TITLES, customers=7).row(0, named=True)


# Forrester, The Total Economic Impact of Intellum: cash at the ends of three years, 10 %. The present values are those
# of the study's own rows; of the second it prints 6,675,324, one dollar less than its rows give.
@pytest.mark.parametrize(
    ("yearly", "present_value"),
    [((0.0, 4_224_000.0, 8_719_488.0), 10_041_989), ((1_563_513.0, 3_260_364.0, 3_406_606.0), 6_675_325)],
)
def test_a_published_business_case_comes_out_to_the_dollar(yearly, present_value):
    at_year_ends = 1.10 ** -np.arange(1.0, 4.0)
    assert round(net_present_value(np.array([yearly]), at_year_ends[None, :]).item()) == present_value


@pytest.mark.parametrize(
    ("monthly", "months"),
    [
        ([1.0, 2.0, 3.0], 0.0),  # never below zero
        ([0.0, 0.0, 0.0], 0.0),  # nothing spent, nothing gained
        ([-1.0, 0.0, 0.0], np.inf),  # never back
        ([-100.0, 50.0, 50.0], 3.0),  # exactly zero at the end counts as back
        ([-100.0, 100.0, 0.0], 2.0),
        ([-100.0, 50.0, 100.0], 2.5),  # half of the third month's cash was needed
        ([-100.0, 150.0, -100.0, 200.0], 3.25),  # back, below again, and back for good: 50 of 200
        ([-100.0, 150.0, -100.0, 10.0], np.inf),  # back, and below again at the horizon
        ([5.0, -10.0, 20.0], 2.25),  # early gains do not count if they are lost again
        ([-1.0], np.inf),
        ([1.0], 0.0),
        ([-0.1, -0.2, 0.3], 3.0),  # whose sum as floats is 2.8e-17 below zero
    ],
)
def test_payback_is_the_time_from_which_cash_stays_at_or_above_zero(monthly, months):
    assert payback_months(np.array([monthly])).tolist() == [months]


@given(monthly_cash)
def test_after_payback_no_month_ends_below_zero_and_before_it_one_does(monthly):
    cumulative = monthly.cumsum(axis=1).round(6)
    for row, months in zip(cumulative, payback_months(monthly), strict=True):
        last_below = max((place for place, cash in enumerate(row) if cash < 0), default=None)
        if last_below is None:
            assert months == 0.0
        elif last_below == len(row) - 1:
            assert months == np.inf
        else:
            assert last_below + 1 < months <= last_below + 2


@given(monthly_cash, st.integers(1, 10**6))
def test_payback_does_not_depend_on_the_currency(monthly, rate):
    assert payback_months(monthly * rate) == pytest.approx(payback_months(monthly), rel=1e-9)


@pytest.mark.parametrize(
    ("prob", "decision"),
    [(1.0, "fund"), (0.9, "fund"), (0.8999, "pilot"), (0.25, "pilot"), (0.2499, "reject"), (0.0, "reject")],
)
def test_the_rule_funds_at_or_above_one_chance_and_rejects_below_another(prob, decision):
    assert RULE.decision(prob) == decision


def test_where_both_chances_are_the_same_nothing_is_piloted():
    assert [Rule(fund=0.5, reject=0.5).decision(prob) for prob in (0.49, 0.5)] == ["reject", "fund"]


# Ten draws of one month: gains of 90 to 180 for a cost of 100, so NPVs of -10 to 80.
GAIN = np.arange(90.0, 190.0, 10.0)[:, None]
COST = np.full((10, 1), 100.0)


def test_returns_are_what_the_draws_say(flows_of):
    found = _returns(flows_of(GAIN, COST))
    npv = GAIN[:, 0] - 100.0
    assert found["outlay"] == 100.0
    assert found["incremental_npv"] == 35.0
    assert (found["npv_low"], found["npv_high"]) == tuple(np.quantile(npv, [0.05, 0.95]))
    assert found["prob_npv_positive"] == 0.8  # a draw of exactly zero is no gain
    assert found["decision"] == "pilot"
    assert found["roi"] == 0.35
    assert (found["roi_low"], found["roi_high"]) == pytest.approx(
        tuple(np.quantile(npv / 100, [0.05, 0.95])), rel=1e-12
    )
    assert (found["customers"], found["draws"], found["title"]) == (7, 10, "A plan")


def test_the_outlay_could_be_multiplied_by_the_break_even_scale(flows_of):
    scale = _returns(flows_of(GAIN, COST))["break_even_scale"]
    assert scale == 1.35
    assert _returns(flows_of(GAIN, COST * scale))["incremental_npv"] == pytest.approx(0.0, abs=1e-9)


def test_money_tomorrow_counts_less(flows_of):
    present = np.tile([1.0, 0.5], (3, 1))
    found = _returns(flows_of(np.tile([0.0, 300.0], (3, 1)), np.tile([100.0, 20.0], (3, 1))), present=present)
    assert (found["outlay"], found["incremental_npv"]) == (110.0, 40.0)
    # Payback is not discounted: 100 out, then 280 in.
    assert found["payback_months"] == pytest.approx(1 + 100 / 280, rel=1e-12)


@pytest.mark.parametrize("cost", [0.0, -5.0], ids=["nothing is spent", "something is saved"])
def test_without_outlay_there_is_no_return_on_it(flows_of, cost):
    found = _returns(flows_of(GAIN, COST * 0.0 + cost))
    names = ("roi", "roi_low", "roi_high", "roi_mc_error", "break_even_scale")
    assert [found[name] for name in names] == [None] * 5
    assert found["incremental_npv"] == 135.0 - cost


def test_a_single_draw_without_outlay_is_enough_for_no_return(flows_of):
    cost = COST.copy()
    cost[3] = 0.0
    assert _returns(flows_of(GAIN, cost))["roi"] is None


def test_a_chance_is_not_certain_because_all_draws_agree(flows_of):
    found = _returns(flows_of(COST * 0.0, COST))
    draws = len(COST)
    # Laplace's rule of succession: none of `draws` gained, so (0 + 1) / (draws + 2), and its standard error.
    share = 1 / (draws + 2)
    assert found["prob_mc_error"] == pytest.approx((share * (1 - share) / (draws + 2)) ** 0.5, rel=1e-12)


def test_a_strategy_without_effect_and_cost_gains_nothing_and_is_not_funded(flows_of):
    found = _returns(flows_of(COST * 0.0, COST * 0.0))
    assert (found["incremental_npv"], found["prob_npv_positive"], found["payback_months"]) == (0.0, 0.0, 0.0)
    assert found["decision"] == "reject"


def test_monte_carlo_errors_are_the_spread_over_many_studies(flows_of):
    luck = np.random.default_rng(5)
    studies = [flows_of(luck.normal(120.0, 30.0, (200, 1)), luck.uniform(80.0, 120.0, (200, 1))) for _ in range(400)]
    found = pl.DataFrame([_returns(study) for study in studies])
    for name, error in [
        ("incremental_npv", "npv_mc_error"), ("prob_npv_positive", "prob_mc_error"), ("roi", "roi_mc_error"),
    ]:  # fmt: skip
        # The spread of 400 studies is itself known to 1 / sqrt(800) = 3.5 %; four standard errors of it.
        assert found[error].mean() == pytest.approx(found[name].std(), rel=0.14)


def test_the_error_of_the_median_payback_is_the_spread_over_many_studies(flows_of):
    luck = np.random.default_rng(5)
    shape = (200, 12)
    studies = [
        flows_of(luck.uniform(5.0, 25.0, shape), np.eye(1, 12) * luck.uniform(40.0, 80.0, (200, 1))) for _ in range(400)
    ]
    found = pl.DataFrame([_returns(study) for study in studies])
    # The error is read off two order statistics, which overstates it by some percent; four standard errors and that.
    assert found["payback_mc_error"].mean() == pytest.approx(found["payback_months"].std(), rel=0.2)


def test_draws_without_payback_count_as_later_than_the_horizon(flows_of):
    gain = np.tile([0.0, 150.0], (10, 1))
    gain[6:] = 0.0
    found = _returns(flows_of(gain, np.tile([100.0, 0.0], (10, 1))))
    assert found["prob_payback"] == 0.6
    assert found["payback_months"] == pytest.approx(1 + 100 / 150, rel=1e-12)
    assert found["payback_months_late"] is None
    assert found["payback_mc_error"] is None  # one of the two order statistics lies beyond the horizon


def test_payback_of_no_draw_is_no_number(flows_of):
    found = _returns(flows_of(COST * 0.0, COST))
    assert (found["prob_payback"], found["payback_months"], found["payback_mc_error"]) == (0.0, None, None)


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.just(1)), elements=st.floats(-1e6, 1e6)))
def test_no_figure_is_infinite_or_not_a_number(flows_of, gain):
    found = _returns(flows_of(gain, np.ones_like(gain)))
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))


def test_npv_by_draw_are_the_draws_behind_the_returns(flows_of):
    flows = flows_of(GAIN, COST)
    each, found = npv_by_draw(flows, np.ones((10, 1))), _returns(flows)
    assert each["draw"].to_list() == list(range(10))
    assert each["npv"].mean() == found["incremental_npv"]
    assert each["outlay"].mean() == found["outlay"]
    assert each["payback_months"].null_count() == 1  # the draw that gains 90 for 100


def test_returns_come_back_from_a_csv_file_as_they_were(flows_of, tmp_path):
    table = returns(flows_of(COST * 0.0, COST * 0.0), np.ones((10, 1)), RULE, titles=TITLES, customers=7)
    table.write_csv(tmp_path / "returns.csv")
    assert check(read_returns(tmp_path / "returns.csv"), RETURNS).equals(table)
