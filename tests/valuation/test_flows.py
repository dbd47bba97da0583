from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import Account
from cxsim.finance.statement import flows, weights
from cxsim.tables import LEDGER

ARMS = ("baseline", "plan")


def _ledger(*rows):
    schema = {name: kinds[0] for name, kinds in LEDGER.columns.items()}
    names = {"arm": pl.String, "cohort": pl.String, "account": pl.String}
    return pl.DataFrame(rows, schema=schema | names, orient="row")


LEDGER_ROWS = [
    (0, "baseline", "existing", 0, "gross sales", 10_000_000),
    (0, "plan", "existing", 0, "gross sales", 12_500_000),
    (0, "plan", "1998-07", 0, "gross sales", 1),
    (1, "plan", "shared", 1, "programme cost", -3_000_000),
    (1, "plan", "existing", 1, "markdown", -500_000),
]


def test_entries_are_summed_over_cohorts_and_missing_ones_are_zero():
    found = flows(_ledger(*LEDGER_ROWS), ARMS, draws=2, months=2)
    assert found.amounts.shape == (2, 2, 2, len(ACCOUNTS))
    # A difference of two amounts of ten digits keeps six of the sixteen.
    assert found.incremental(1)[0, 0, ACCOUNTS.index(Account.GROSS_SALES)] == pytest.approx(2.500001, abs=1e-12)
    assert found.cash(1) == pytest.approx(np.array([[2.500001, 0.0], [0.0, -3.5]]), abs=1e-12)
    assert found.outlay(1).tolist() == [[0.0, 0.0], [0.0, 3.5]]


def test_the_order_of_the_entries_does_not_matter():
    one, other = (flows(_ledger(*rows), ARMS, draws=2, months=2) for rows in (LEDGER_ROWS, LEDGER_ROWS[::-1]))
    assert np.array_equal(one.amounts, other.amounts)


def test_timing_moves_the_cash_within_its_month():
    month = np.array([0, 31, 59])
    rate = np.array([0.10])
    found = {timing: weights(month, timing, rate)[0] for timing in ("start", "mid", "end")}
    # Powers of numpy and of Python may differ in the last digit.
    assert found["start"] == pytest.approx([1.0, 1.1 ** (-31 / 365.25)], rel=1e-15)
    assert found["mid"] == pytest.approx([1.1 ** (-15.5 / 365.25), 1.1 ** (-45 / 365.25)], rel=1e-15)
    assert found["end"] == pytest.approx([1.1 ** (-31 / 365.25), 1.1 ** (-59 / 365.25)], rel=1e-15)


def test_every_draw_has_its_own_rate_and_none_means_no_time_value():
    found = weights(np.array([0, 365]), "end", np.array([0.0, 0.10]))
    assert found[:, 0] == pytest.approx([1.0, 1.1 ** (-365 / 365.25)], rel=1e-15)


def test_a_calendar_year_differs_from_365_and_a_quarter_days_by_its_leap_day_alone():
    days = (date(1999, 7, 1) - date(1998, 7, 1)).days
    found = weights(np.array([0, days]), "end", np.array([0.10])).item()
    assert found == pytest.approx(1 / 1.1, rel=1e-4)  # 0.25 of 365.25 days at 10 % are 0.007 %
