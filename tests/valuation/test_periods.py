"""Months, quarters, years and the total tell the same story."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.errors import ParamError
from cxsim.finance.contracts import PERIODS
from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import LADDER
from cxsim.finance.returns import Rule, returns
from cxsim.finance.statement import Flows, periods, totals
from cxsim.tables import check

RESULT = LADDER[-1][0]
MEANS = ("baseline", "treated", "incremental", "discounted")
# Means of whole cents over a few draws, at most a million each: double precision keeps a hundred-thousandth of a cent.
CENT = 1e-7


def _starts(months):
    return [date(1998 + (6 + month) // 12, (6 + month) % 12 + 1, 1) for month in range(months)]


def _periods(flows, weights, starts):
    # Every month's cash on its fifteenth day, each month of thirty.
    days = 30.0 * np.arange(flows.amounts.shape[2]) + 14.5
    return periods(flows, weights, starts, days=days, titles={name: name.upper() for name in flows.arms[1:]})


def _made(months, seed=4, draws=5):
    luck = np.random.default_rng(seed)
    amounts = luck.integers(-(10**8), 10**8, (draws, 3, months, len(ACCOUNTS))) / 100
    weights = luck.uniform(0.5, 1.0, (draws, months))
    return Flows(arms=("baseline", "a", "b"), amounts=amounts), weights


@given(months=st.integers(1, 40), seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_months_quarters_and_years_add_up_to_the_total(months, seed):
    flows, weights = _made(months, seed)
    found = check(_periods(flows, weights, _starts(months)), PERIODS)
    sums = found.group_by("strategy", "line", "grain", maintain_order=True).agg(pl.col(MEANS).sum())
    total = sums.filter(grain="total").drop("grain")
    for grain in ("month", "quarter", "year"):
        both = sums.filter(grain=grain).join(total, on=["strategy", "line"], suffix="_total")
        assert both.height == total.height == 2 * 28
        for name in MEANS:
            assert float((both[name] - both[f"{name}_total"]).abs().max()) < CENT


@given(months=st.integers(1, 40), seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_subtotal_is_the_sum_of_the_accounts_above_it(months, seed):
    flows, weights = _made(months, seed)
    found = _periods(flows, weights, _starts(months))
    above = []
    for subtotal, accounts in LADDER:
        above += [str(account) for account in accounts]
        keys = ["strategy", "grain", "period"]
        summed = found.filter(pl.col("line").is_in(above)).group_by(keys, maintain_order=True).agg(pl.col(MEANS).sum())
        sentence = found.filter(line=subtotal)
        for name in MEANS:
            assert np.abs((summed[name] - sentence[name]).to_numpy()).max() < CENT


def test_the_last_cumulative_present_value_is_the_npv():
    flows, weights = _made(30)
    found = _periods(flows, weights, _starts(30))
    npv = returns(flows, weights, Rule(fund=0.9, reject=0.2), titles={"a": "A", "b": "B"}, customers=1)
    last = found.filter(line=RESULT).group_by("strategy", "grain", maintain_order=True).last()
    for grain in ("month", "quarter", "year", "total"):
        sentence = last.filter(grain=grain)["cumulative_discounted"].to_numpy()
        assert np.abs(sentence - npv["incremental_npv"].to_numpy()).max() < CENT


def test_years_and_total_are_those_of_totals_with_their_intervals():
    flows, weights = _made(26)
    found = _periods(flows, weights, _starts(26)).filter(pl.col("grain").is_in(["year", "total"]))
    known = totals(flows)
    both = known.join(found, left_on=["strategy", "period", "line"], right_on=["strategy", "label", "line"])
    assert both.height == known.height == 2 * 28 * 4
    for name in ("baseline", "treated", "incremental", "low", "high"):
        assert float((both[name] - both[f"{name}_right"]).abs().max()) < CENT


def test_sums_so_far_start_anew_in_each_strategy_grain_and_line(flows_of):
    # Gain 10, 20, 30, 40 less cost 5 each month: 5, 15, 25, 35; quarters 45 and 35; worth a half each.
    flows = flows_of([[10.0, 20.0, 30.0, 40.0]] * 2, [[5.0] * 4] * 2)
    found = _periods(flows, np.full((2, 4), 0.5), _starts(4)).filter(line=RESULT)
    assert found.filter(grain="month")["cumulative"].to_list() == [5.0, 20.0, 45.0, 80.0]
    assert found.filter(grain="quarter")["incremental"].to_list() == [45.0, 35.0]
    assert found.filter(grain="quarter")["cumulative"].to_list() == [45.0, 80.0]
    assert found.filter(grain="quarter")["cumulative_discounted"].to_list() == [22.5, 40.0]
    assert found.filter(grain="total").row(0, named=True)["cumulative"] == 80.0


def test_the_interval_of_a_quarter_is_that_of_the_sums_of_each_draw(flows_of):
    # Two draws whose months cancel: 10 - 10 + 0, so the quarter is certain although no month is.
    flows = flows_of([[10.0, -10.0, 0.0], [-10.0, 10.0, 0.0]], np.zeros((2, 3)))
    row = _periods(flows, np.ones((2, 3)), _starts(3)).filter(line=RESULT, grain="quarter").row(0, named=True)
    assert (row["low"], row["high"]) == (0.0, 0.0)


def test_every_draw_is_discounted_by_its_own_weights(flows_of):
    # Draws of 100 and 200, worth 0.5 and 1 each: mean of 50 and 200 is 125, not 150 * 0.75.
    flows = flows_of([[100.0], [200.0]], np.zeros((2, 1)))
    found = _periods(flows, np.array([[0.5], [1.0]]), _starts(1)).filter(line=RESULT)
    assert found["discounted"].to_list() == [125.0] * 4


def test_periods_are_named_and_a_short_one_says_how_long_it_is():
    found = _periods(*_made(14), _starts(14)).filter(line=RESULT, strategy="a")
    labels = {grain: part["label"].to_list() for (grain,), part in found.group_by("grain", maintain_order=True)}
    assert labels["month"][:2] == ["1998-07", "1998-08"]
    assert labels["quarter"][-2:] == ["Quarter 4", "Quarter 5 (2 months)"]
    assert labels["year"] == ["Year 1", "Year 2 (2 months)"]
    assert labels["total"] == ["Total"]
    assert found.filter(grain="quarter")["starts_on"].to_list()[:2] == [date(1998, 7, 1), date(1998, 10, 1)]
    assert found.filter(grain="quarter")["period"].to_list() == [0, 1, 2, 3, 4]


def test_a_last_period_of_one_month_is_in_the_singular():
    labels = _periods(*_made(13), _starts(13))["label"]
    assert {"Quarter 5 (1 month)", "Year 2 (1 month)"} <= set(labels)


def test_lines_come_in_the_order_of_the_ladder_within_each_period():
    found = _periods(*_made(2), _starts(2))
    assert found["line"].to_list()[:5] == ["gross sales", "membership fees", "markdown", "refunds", "net revenue"]
    assert found["grain"].unique(maintain_order=True).to_list() == ["month", "quarter", "year", "total"]


def test_a_month_says_on_which_day_its_cash_flows_and_no_other_grain_does():
    found = _periods(*_made(3), _starts(3)).filter(line=RESULT, strategy="b")
    assert found["day"].to_list() == [14.5, 44.5, 74.5, None, None, None]
    assert found["title"].unique().to_list() == ["B"]


def test_months_that_do_not_match_are_refused():
    flows, weights = _made(4)
    with pytest.raises(ParamError, match=r"flows of 5 draws and 4 months, .* 3 first days and"):
        _periods(flows, weights, _starts(3))
    with pytest.raises(ParamError, match=r"weights of shape \(5, 3\)"):
        _periods(flows, weights[:, :3], _starts(4))
    with pytest.raises(ParamError, match=r"and days of shape \(3,\)"):
        periods(flows, weights, _starts(4), days=np.zeros(3), titles={"a": "A", "b": "B"})
