from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import LADDER
from cxsim.finance.statement import Flows, cash, statement
from cxsim.tables import CASH, STATEMENT, check

STARTS = [date(1998, 7, 1), date(1998, 8, 1), date(1998, 9, 1)]
ENDS = [date(1998, 7, 31), date(1998, 8, 31), date(1998, 9, 30)]
DRAWS = 9
# Whole cents of any account, for two strategies.
LUCK = np.random.default_rng(3)
FLOWS = Flows(
    arms=("baseline", "points", "coupon"),
    amounts=LUCK.integers(-(10**6), 10**6, (DRAWS, 3, len(STARTS), len(ACCOUNTS))) / 100.0,
)


@pytest.fixture(scope="module")
def lines():
    return check(statement(FLOWS, STARTS), STATEMENT)


def test_lines_stand_in_the_order_of_the_ladder(lines):
    expected = [name for subtotal, accounts in LADDER for name in (*map(str, accounts), subtotal)]
    for month in lines.partition_by("strategy", "month"):
        assert month["line"].to_list() == expected


def test_every_strategy_and_month_stands_once_in_order(lines):
    found = lines.select("strategy", "month", "starts_on").unique(maintain_order=True).rows()
    assert found == [(name, month, start) for name in FLOWS.arms[1:] for month, start in enumerate(STARTS)]


# Sums of a dozen amounts below 10,000 with two decimals lose less than 1e-9.
@pytest.mark.parametrize("column", ["baseline", "treated", "incremental"])
def test_a_subtotal_is_the_sum_of_all_accounts_above_it(lines, column):
    for month in lines.partition_by("strategy", "month"):
        amounts = dict(month.select("line", column).iter_rows())
        above = 0.0
        for subtotal, accounts in LADDER:
            above += sum(amounts[str(account)] for account in accounts)
            assert amounts[subtotal] == pytest.approx(above, abs=1e-9)


def test_the_increment_is_treated_less_baseline(lines):
    assert lines["incremental"].to_list() == pytest.approx((lines["treated"] - lines["baseline"]).to_list(), abs=1e-9)


def test_the_baseline_is_the_same_beside_every_strategy(lines):
    points, coupon = lines.partition_by("strategy")
    assert points["baseline"].to_list() == coupon["baseline"].to_list()


def test_the_interval_is_that_of_the_draws(lines):
    increments = FLOWS.amounts[:, 2, 1].sum(axis=1) - FLOWS.amounts[:, 0, 1].sum(axis=1)
    row = lines.filter(strategy="coupon", month=1, line="cash contribution").row(0, named=True)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(increments, [0.05, 0.95])), abs=1e-9)
    assert row["incremental"] == pytest.approx(increments.mean(), abs=1e-9)


def test_cumulative_cash_adds_up_the_last_line_of_the_statement(lines):
    found = check(cash(FLOWS, ENDS), CASH)
    last = lines.filter(line="cash contribution").with_columns(pl.col("incremental").cum_sum().over("strategy"))
    assert found["strategy"].to_list() == last["strategy"].to_list()
    assert found["mean"].to_list() == pytest.approx(last["incremental"].to_list(), abs=1e-9)


def test_the_interval_of_cumulative_cash_is_that_of_the_cumulated_draws():
    found = cash(FLOWS, ENDS).filter(strategy="points")
    cumulated = (FLOWS.amounts[:, 1] - FLOWS.amounts[:, 0]).sum(axis=2).cumsum(axis=1)
    assert found["low"].to_list() == pytest.approx(np.quantile(cumulated, 0.05, axis=0).tolist(), abs=1e-9)
    assert found["high"].to_list() == pytest.approx(np.quantile(cumulated, 0.95, axis=0).tolist(), abs=1e-9)
    assert found["ends_on"].to_list() == ENDS
