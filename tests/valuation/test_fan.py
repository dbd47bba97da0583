from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from cxsim.finance.contracts import FAN
from cxsim.finance.returns import fan
from cxsim.finance.statement import cash
from cxsim.tables import check

ENDS = [date(1998, 7, 31), date(1998, 8, 31)]
TITLES = {"plan": "A plan"}


def test_quantiles_are_of_cumulative_cash_at_the_end_of_each_month(flows_of):
    # 101 draws of 0 to 100 in the first month, and as much again in the second: the q-quantile is 100 q, then 200 q.
    gain = np.arange(101.0)[::-1, None].repeat(2, axis=1)
    found = check(fan(flows_of(gain, np.zeros_like(gain)), ENDS, TITLES), FAN)
    levels = [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0]
    assert found.select("q05", "q10", "q25", "q50", "q75", "q90", "q95").row(0) == pytest.approx(levels, abs=1e-12)
    assert found.row(1, named=True)["q90"] == pytest.approx(180.0, abs=1e-12)
    assert found["mean"].to_list() == pytest.approx([50.0, 100.0], abs=1e-12)


def test_months_count_from_zero_and_have_their_last_day_and_title(flows_of):
    found = fan(flows_of([[1.0, 2.0]], [[0.0, 0.0]]), ENDS, TITLES)
    assert found["month"].to_list() == [0, 1]
    assert found["ends_on"].to_list() == ENDS
    assert found["title"].to_list() == ["A plan"] * 2


def test_the_fan_agrees_with_the_cash_of_the_study(flows_of):
    gain = np.random.default_rng(5).normal(size=(50, 2))
    flows = flows_of(gain, np.ones_like(gain))
    known, found = cash(flows, ENDS), fan(flows, ENDS, TITLES)
    assert found["q05"].to_list() == pytest.approx(known["low"].to_list(), abs=1e-12)
    assert found["q95"].to_list() == pytest.approx(known["high"].to_list(), abs=1e-12)
