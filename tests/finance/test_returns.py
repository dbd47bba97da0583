"""Returns and investment figures of a strategy, by hand on flows that are small enough for it, and published cases."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from cxsim.finance.returns import (
    INVESTMENT,
    Outcome,
    Rule,
    internal_rate,
    investment,
    modified_internal_rate,
    net_present_value,
    npv_by_draw,
    payback_months,
    read_returns,
    returns,
    worst_tenth,
)
from cxsim.params import Unit
from cxsim.tables import RETURNS, check
from tests.simulated import assumed

RULE = Rule(fund=0.9)
TITLES = {"plan": "A plan"}
YEAR = 365.25
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

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
    ("npv", "error", "prob", "prob_error", "test", "decision"),
    [
        # The chance alone would fund the first and reject the second.
        (-3_820.0, 500.0, 0.92, 0.005, 0.0, "reject"),
        (17_733.0, 500.0, 0.22, 0.005, 0.0, "pilot"),
        (17_733.0, 500.0, 0.95, 0.005, 0.0, "fund"),
        # Within two errors of zero, or of the limit, nothing is settled.
        (900.0, 500.0, 0.95, 0.005, 0.0, "pilot"),
        (-900.0, 500.0, 0.3, 0.005, 0.0, "pilot"),
        (17_733.0, 500.0, 0.905, 0.005, 0.0, "pilot"),
        # At the limit without any error.
        (1.0, 0.0, 0.9, 0.0, 0.0, "fund"),
        # A test that is worth more than it costs.
        (-3_820.0, 500.0, 0.3, 0.005, 1.0, "pilot"),
        (-3_820.0, 500.0, 0.3, 0.005, -1.0, "reject"),
        # What changes nothing in any draw.
        (0.0, 0.0, 0.0, 0.005, 0.0, "reject"),
    ],
)
def test_the_rule_asks_for_the_expected_npv_and_its_chance_beyond_their_errors(
    npv, error, prob, prob_error, test, decision
):
    outcome = Outcome(npv=npv, npv_error=error, prob=prob, prob_error=prob_error, test=test)
    assert RULE.decision(outcome) == decision


# Ten draws of one month: gains of 90 to 180 for a cost of 100, so NPVs of -10 to 80.
GAIN = np.arange(90.0, 190.0, 10.0)[:, None]
COST = np.full((10, 1), 100.0)


def test_returns_are_what_the_draws_say(flows_of):
    found = _returns(flows_of(GAIN, COST))
    npv = GAIN[:, 0] - 100.0
    assert found["investment"] == 100.0
    assert found["incremental_npv"] == 35.0
    assert (found["npv_low"], found["npv_high"]) == tuple(np.quantile(npv, [0.05, 0.95]))
    assert found["prob_npv_positive"] == 0.8  # a draw of exactly zero is no gain
    assert found["decision"] == "pilot"
    assert found["roi"] == 0.35
    assert (found["roi_low"], found["roi_high"]) == pytest.approx(
        tuple(np.quantile(npv / 100, [0.05, 0.95])), rel=1e-12
    )
    assert (found["customers"], found["draws"], found["title"]) == (7, 10, "A plan")


def test_the_profitability_index_is_benefits_over_investment_and_the_factor_by_which_that_could_grow(flows_of):
    index = _returns(flows_of(GAIN, COST))["profitability_index"]
    assert index == 1.35  # benefits of 90 to 180, 135 on average, over 100
    assert _returns(flows_of(GAIN, COST * index))["incremental_npv"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("cost", [0.0, -5.0], ids=["nothing is spent", "something is saved"])
def test_without_investment_there_is_no_return_on_it(flows_of, cost):
    found = _returns(flows_of(GAIN, COST * 0.0 + cost))
    names = ("roi", "roi_low", "roi_high", "roi_mc_error", "profitability_index")
    assert [found[name] for name in names] == [None] * 5
    assert found["incremental_npv"] == 135.0 - cost


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
    generator = np.random.default_rng(5)
    studies = [
        flows_of(generator.normal(120.0, 30.0, (200, 1)), generator.uniform(80.0, 120.0, (200, 1))) for _ in range(400)
    ]
    found = pl.DataFrame([_returns(study) for study in studies])
    for name, error in [
        ("incremental_npv", "npv_mc_error"), ("prob_npv_positive", "prob_mc_error"), ("roi", "roi_mc_error"),
    ]:  # fmt: skip
        # The spread of 400 studies is itself known to 1 / sqrt(800) = 3.5 %; four standard errors of it.
        assert found[error].mean() == pytest.approx(found[name].std(), rel=0.14)


def test_the_error_of_the_median_payback_is_the_spread_over_many_studies(flows_of):
    generator = np.random.default_rng(5)
    shape = (200, 12)
    studies = [
        flows_of(generator.uniform(5.0, 25.0, shape), np.eye(1, 12) * generator.uniform(40.0, 80.0, (200, 1)))
        for _ in range(400)
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


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.just(1)), elements=st.floats(-1e6, 1e6)))
def test_no_figure_is_infinite_or_not_a_number(flows_of, gain):
    found = _returns(flows_of(gain, np.ones_like(gain)))
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))


def test_npv_by_draw_are_the_draws_behind_the_returns(flows_of):
    flows = flows_of(GAIN, COST)
    each, found = npv_by_draw(flows, np.ones((10, 1))), _returns(flows)
    assert each["draw"].to_list() == list(range(10))
    assert each["npv"].mean() == found["incremental_npv"]
    assert each["investment"].mean() == found["investment"]
    assert each["payback_months"].null_count() == 1  # the draw that gains 90 for 100


def test_returns_come_back_from_a_csv_file_as_they_were(flows_of, tmp_path):
    table = returns(flows_of(COST * 0.0, COST * 0.0), np.ones((10, 1)), RULE, titles=TITLES, customers=7)
    table.write_csv(tmp_path / "returns.csv")
    assert check(read_returns(tmp_path / "returns.csv"), RETURNS).equals(table)


# Of 20 draws two: (0 + 1) / 2. Of 25 two and half of a third: (-10 - 6 + 0.5 * 4) / 2.5 = -5.6.
@pytest.mark.parametrize(
    ("draws", "mean"), [(np.arange(20.0)[::-1], 0.5), (np.array([4.0, *np.full(22, 50.0), -10.0, -6.0]), -5.6)]
)
def test_a_draw_counts_in_part_where_a_tenth_is_no_whole_number(draws, mean):
    assert worst_tenth(draws)[0] == pytest.approx(mean, abs=1e-13)


def test_the_error_is_how_much_repeated_simulations_scatter():
    # 4,000 simulations of 500 normal draws. The scatter of a standard deviation over n repetitions is about
    # sd / root of 2 n = 1.1 %, of which four; the error itself is right to first order in 1 / 50 draws, 2 %.
    found = [worst_tenth(draws) for draws in np.random.default_rng(8).normal(size=(4_000, 500))]
    scatter = np.std([mean for mean, _ in found], ddof=1)
    assert np.sqrt(np.mean([error**2 for _, error in found])) == pytest.approx(scatter, rel=4 * 0.011 + 0.02)


def test_the_mean_of_the_worst_tenth_of_normal_draws_is_known():
    # -phi(z) / 0.1 with z the tenth-quantile -1.28155: density 0.1754983, so -1.754983; within four errors.
    mean, error = worst_tenth(np.random.default_rng(9).normal(size=100_000))
    assert abs(mean + 1.754983) < 4 * error
    assert error < 0.01


def _asking(shop, rate=0.0, hurdle=0.2, benefit_haircut=0.2, cost_uplift=0.1):
    """Return the shop with another discount rate and what it asks of an investment."""
    return dataclasses.replace(
        shop,
        annual_discount_rate=assumed(rate, Unit.SHARE_PER_YEAR),
        roi_hurdle=assumed(hurdle, Unit.SHARE),
        benefit_haircut=assumed(benefit_haircut, Unit.SHARE),
        cost_uplift=assumed(cost_uplift, Unit.SHARE),
    )


@pytest.fixture
def row_of(flows_of, shop):
    """Return a function of gain, cost and what is asked: the one row; each month is a year long."""

    def make(gain, cost, rate=0.0, **asked):
        draws, months = np.shape(gain)
        days = np.arange(months) * YEAR
        table = investment(
            flows_of(gain, cost),
            np.tile((1.0 + rate) ** -(days / YEAR), (draws, 1)),
            _asking(shop, rate, **asked),
            retained={"plan": np.arange(float(draws))},
            retained_rule="excluded",
            titles={"plan": "Plan"},
            customers=40,
            days=days,
            structures=1,
        )
        return check(table, INVESTMENT).row(0, named=True)

    return make


# -100, then +230 - 120 = 110, in two draws that are equal.
CASH_IN, CASH_OUT = [[0.0, 230.0]] * 2, [[100.0, 120.0]] * 2


def test_benefits_and_costs_are_present_values_that_make_up_the_npv(row_of):
    row = row_of(CASH_IN, CASH_OUT, rate=0.15)
    # Costs 100 + 120 / 1.15 = 204.347826; benefits 230 / 1.15 = 200; NPV 110 / 1.15 - 100 = -4.347826.
    assert row["costs_pv"] == pytest.approx(204.347826, abs=1e-6)
    assert row["benefits_pv"] == pytest.approx(200.0, abs=1e-9)
    # 200 * 0.8 - 204.347826 * 1.1 = 160 - 224.782609 = -64.782609; over 224.782609: -0.288201
    assert row["risk_adjusted_npv"] == pytest.approx(-64.782609, abs=1e-6)
    assert row["risk_adjusted_roi"] == pytest.approx(-0.288201, abs=1e-6)
    assert row["npv_per_customer"] == pytest.approx(-4.347826 / 40, abs=1e-8)


@pytest.mark.parametrize(
    ("gain", "cost", "npv", "roi"),
    [
        # A haircut makes harm worse: benefits -50, costs 10: -50 * 1.2 - 10 * 1.1 = -71
        (-50.0, 10.0, -71.0, -71.0 / 11.0),
        # An uplift cuts what is saved: benefits 20, costs -10, a saving: 20 * 0.8 + 10 * 0.9 = 25
        (20.0, -10.0, 25.0, None),
    ],
)
def test_caution_makes_nothing_better(row_of, gain, cost, npv, roi):
    row = row_of([[gain]] * 2, [[cost]] * 2)
    assert row["risk_adjusted_npv"] == pytest.approx(npv, abs=1e-12)
    assert row["risk_adjusted_roi"] == (None if roi is None else pytest.approx(roi, abs=1e-12))


def test_rates_are_those_of_mean_cash(row_of):
    # Mean cash -100 and 110, from draws of 100 and 120.
    row = row_of([[0.0, 100.0], [0.0, 120.0]], [[100.0, 0.0]] * 2, rate=0.05)
    assert row["irr"] == pytest.approx(0.10, abs=1e-12)
    assert row["irr_remark"] == "one rate"
    assert row["mirr"] == pytest.approx(0.10, abs=1e-12)  # one outflow first, one inflow last: the same


def test_discounted_payback_is_later_than_payback_or_never(row_of):
    # -100, 60, 60 at 25 %: -100, 48, 38.4: never; at 0 %: 2 + 40 / 60 months.
    gain, cost = [[0.0, 60.0, 60.0]] * 2, [[100.0, 0.0, 0.0]] * 2
    assert row_of(gain, cost, rate=0.25)["discounted_payback_months"] is None
    assert row_of(gain, cost, rate=0.0)["discounted_payback_months"] == pytest.approx(2 + 40 / 60, abs=1e-12)
    # At 10 %: -100, 54.545455, 49.586777: 2 + 45.454545 / 49.586777 = 2.916667
    assert row_of(gain, cost, rate=0.10)["discounted_payback_months"] == pytest.approx(2.916667, abs=1e-6)


def test_peak_funding_is_the_lowest_point_of_cumulative_mean_cash(row_of):
    # -10, -30, 25, -20, 60: sums -10, -40, -15, -35, 25.
    row = row_of([[0.0, 0.0, 25.0, 0.0, 60.0]] * 2, [[10.0, 30.0, 0.0, 20.0, 0.0]] * 2)
    assert row["peak_funding"] == pytest.approx(40.0, abs=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.095, 0.105, 0.3])
def test_the_index_is_above_one_just_where_the_npv_is_above_zero(flows_of, rate):
    present = np.tile((1.0 + rate) ** -np.arange(2.0), (2, 1))
    found = _returns(flows_of(np.array(CASH_IN), np.array(CASH_OUT)), present=present)
    assert (found["profitability_index"] > 1.0) == (110 / (1 + rate) - 100 > 0.0)


def test_the_chance_to_pass_the_hurdle_is_by_draw(row_of):
    # Returns on 100: 10 %, 20 %, 30 % and 40 %: two above 20 %, none that equals it counts.
    gain = [[110.0], [120.0], [130.0], [140.0]]
    assert row_of(gain, [[100.0]] * 4)["prob_above_hurdle"] == 0.5
    assert row_of(gain, [[100.0]] * 4, hurdle=0.0)["prob_above_hurdle"] == 1.0
    assert row_of(gain, [[100.0]] * 3 + [[0.0]])["prob_above_hurdle"] is None


def test_the_interval_holds_the_central_eighty_percent_and_the_worst_tenth_lies_below(row_of):
    # NPVs 0 to 20: quantiles 2 and 18; worst 2.1 draws: (0 + 1 + 0.1 * 2) / 2.1
    row = row_of(np.arange(21.0)[:, None], np.zeros((21, 1)))
    assert (row["npv_low_80"], row["npv_high_80"]) == pytest.approx((2.0, 18.0), abs=1e-12)
    assert row["cvar"] == pytest.approx(1.2 / 2.1, abs=1e-12)
    assert row["cvar_mc_error"] > 0.0


def _yearly(*amounts):
    return np.array(amounts, float), np.arange(len(amounts)) * YEAR


def _found(*amounts):
    return internal_rate(*_yearly(*amounts))


# Microsoft's example of IRR, printed as 8.7 % after five years and -2.1 % after four.
@pytest.mark.parametrize(("years", "printed"), [(5, 0.087), (4, -0.021)])
def test_a_published_case_is_met_to_its_printed_digits(years, printed):
    assert _found(*(-70e3, 12e3, 15e3, 18e3, 21e3, 26e3)[: years + 1])[0] == pytest.approx(printed, abs=5e-4)


# The root is found to 1e-14 in ln(1 + rate), and the sum of a few terms keeps as much. v is 1 + rate.
@pytest.mark.parametrize(
    ("amounts", "rate", "remark"),
    [
        ((-100.0, 110.0), 0.10, "one rate"),
        # Zeros at 1.1 and 1.2: -100 (v - 1.1) (v - 1.2)
        ((-100.0, 230.0, -132.0), None, f"several rates possible: 10.0{NBSP}% and 20.0{NBSP}%"),
        # -1e6 (v - 1.104) (v - 1.106): the ratio of the roots is 1.002, that of two steps of the search is 1.009.
        ((-1e6, 2.21e6, -1.104 * 1.106 * 1e6), None, f"several rates possible: 10.4{NBSP}% and 10.6{NBSP}%"),
        # A double zero: -100 (v - 1.1)^2
        ((-100.0, 220.0, -121.0), None, "no single rate: the present value touches zero without crossing it"),
        # 100 v^2 - 200 v + 150 has the discriminant 40,000 - 60,000 < 0.
        ((100.0, -200.0, 150.0), None, "no rate: the present value is above zero at every rate"),
        ((-100.0, 200.0, -150.0), None, "no rate: the present value is below zero at every rate"),
        # v^2 + 1 is never zero: -(v - 1.1)(v^2 + 1) = -v^3 + 1.1 v^2 - v + 1.1
        ((-1e3, 1.1e3, -1e3, 1.1e3), 0.10, "one rate, although cash changes sign 3 times"),
        ((100.0, -110.0), 0.10, "one rate, as for a loan: cash comes in first"),
        # Less than a millionth is no change of sign: -100 v^3 + 121.
        ((-100.0, 1e-9, -1e-9, 121.0), 1.21 ** (1 / 3) - 1, "one rate"),
        # Both are above -90 %, so both are named: -(v - 1.1)(v - 20,000) = -v^2 + 20,001.1 v - 22,000
        ((-1.0, 20_001.1, -22_000.0), None, f"several rates possible: 10.0{NBSP}% and more than 1,000,000{NBSP}%"),
        # Only 1.1 is above 0.1: -1e4 (v - 1.1)(v - 0.05), and of -(v - 1.1)(v - 0.05)(v - 0.00002) another is unstated.
        (
            (-1e4, 11.5e3, -550.0),
            0.10,
            f"one rate above {MINUS}90{NBSP}% a year; roots below it are left aside: {MINUS}95.0{NBSP}%",
        ),
        (
            (-1e9, 1.15002e9, -55_023_000.0, 1_100.0),
            0.10,
            f"one rate above {MINUS}90{NBSP}% a year; roots below it are left aside: below {MINUS}99.99{NBSP}% and",
        ),
        # None above 0.1, and one alone is a rate wherever it lies: -(v - 0.05), -1e6 (v - 0.05)(v - 0.02).
        ((-1e3, 50.0), -0.95, "one rate"),
        ((-1e6, 7e4, -1e3), None, f"several rates possible: {MINUS}98.0{NBSP}% and {MINUS}95.0{NBSP}%"),
        ((1.0, 0.0, 2.0), None, "no outflow"),
        ((-1.0, -2.0), None, "no positive cash flow"),
        ((0.0, 0.0), None, "no cash flows"),
        ((), None, "no cash flows"),
        ((-1.0, 1e5), None, f"more than 1,000,000{NBSP}% a year"),
        ((-1.0, 9e-5), None, f"below {MINUS}99.99{NBSP}% a year"),
        ((1.0, -1e5), None, f"more than 1,000,000{NBSP}% a year"),
    ],
)
def test_there_is_one_rate_or_it_is_said_why_not(amounts, rate, remark):
    found = _found(*amounts)
    assert found[0] == (None if rate is None else pytest.approx(rate, abs=1e-12))
    assert found[1] == remark if remark == "one rate" else found[1].startswith(remark)


def test_a_late_small_cost_does_not_hide_the_rate_of_a_programme():
    # 8,000, then 34 months of 400, then 50 more to pay: 3.4 % a month, and a second zero where nothing is left.
    amounts = np.array([-8_000.0, *[400.0] * 34, -50.0])
    rate, remark = internal_rate(amounts, np.arange(36) * MONTH)
    monthly = (1.0 + rate) ** (-1 / 12)
    assert float(np.polyval(amounts[::-1], monthly)) == pytest.approx(0.0, abs=1e-8)  # of 8,000, to twelve digits
    assert rate == pytest.approx(0.4896, abs=5e-5)
    assert remark.endswith(f"left aside: below {MINUS}99.99{NBSP}%")


MONTH = YEAR / 12


def _cash_of_a_programme(number, generator):
    """Return whole amounts by month: paid back evenly, with a late cost, with any signs, or with a cost in between."""
    gains = generator.integers(0, 1_000, generator.integers(3, 37)).astype(float)
    match number % 4:
        case 1:
            gains[-1] = -generator.integers(1, 500)
        case 2:
            gains = generator.integers(-500, 1_000, len(gains)).astype(float)
        case 3:
            gains[generator.integers(0, len(gains))] = -generator.integers(1, 5_000)
    return np.array([-float(generator.integers(100, 10_000)), *gains])


def test_of_a_thousand_cash_flows_every_rate_is_the_one_root_that_counts_and_none_is_withheld_without_need():
    generator, withheld = np.random.default_rng(7), 0
    for number in range(1_000):
        amounts = _cash_of_a_programme(number, generator)
        # An independent solver: evenly spaced cash is a polynomial in x = (1 + rate) ** (-1 / 12), whose roots are the
        # eigenvalues of its companion matrix. Simple ones are real to 1e-7 of their size, and no other comes so near.
        roots = np.roots(amounts[::-1])
        real = roots[(np.abs(roots.imag) < 1e-7 * np.abs(roots)) & (roots.real > 0.0)].real
        rates = np.expm1(-12.0 * np.log(real))
        above = rates[rates > -0.9]
        counting = above if len(above) else rates
        stated = len(counting) == 1 and -0.9999 <= counting[0] <= 1e4
        found, remark = internal_rate(amounts, np.arange(len(amounts)) * MONTH)
        # Of sixteen digits a root of 37 terms keeps thirteen, times twelve months.
        assert found == (pytest.approx(counting[0], rel=1e-10, abs=1e-10) if stated else None), (amounts, remark)
        withheld += not stated
    # Those without a root, with two above -90 %, or with one that says nothing. If any second root withheld: 401.
    assert withheld == 108


def test_amounts_of_the_same_day_are_one_amount():
    found = internal_rate(np.array([-300.0, 200.0, 110.0]), np.array([0.0, 0.0, YEAR]))
    assert found == (pytest.approx(0.10, abs=1e-12), "one rate")


@settings(max_examples=40)
@given(
    # In whole cents: amounts are taken to a millionth.
    cost=st.integers(100, 10**8).map(lambda cents: cents / 100),
    gains=st.lists(st.integers(0, 10**8).map(lambda cents: cents / 100), min_size=1, max_size=40),
    step=st.floats(1.0, 400.0),
)
def test_an_investment_has_one_rate_at_which_its_present_value_is_zero(cost, gains, step):
    amounts, days = np.array([-cost, *gains]), np.arange(len(gains) + 1) * step
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = internal_rate(amounts, days)
    if found[0] is None:
        assert found[1].startswith(("more than", "below", "no positive"))
        return
    discounted = amounts * (1.0 + found[0]) ** (-days / YEAR)
    # A relative error of 1e-14 * 40 years of days at most, in the sum of 41 terms.
    assert abs(discounted.sum()) <= 1e-10 * np.abs(discounted).sum()


# Microsoft's example of MIRR: 120,000 borrowed at 10 %, income invested at 12 % or 14 %, printed in whole percents:
# 13 % after five years, -5 % after three, 13 % at 14 %. The formula gives 12.61 %, -4.80 % and 13.48 %.
@pytest.mark.parametrize(("years", "reinvested", "printed"), [(5, 0.12, 0.1261), (3, 0.12, -0.0480), (5, 0.14, 0.1348)])
def test_a_published_modified_rate_is_met(years, reinvested, printed):
    amounts, days = _yearly(*(-120e3, 39e3, 30e3, 21e3, 37e3, 46e3)[: years + 1])
    found = modified_internal_rate(amounts, days, finance_rate=0.10, reinvestment_rate=reinvested)
    assert found == pytest.approx(printed, abs=5e-5)
