from __future__ import annotations

import numpy as np
import pytest

from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.statement import Flows, totals
from cxsim.tables import TOTALS, check

LUCK = np.random.default_rng(4)


def _flows(months):
    return Flows(arms=("baseline", "plan"), amounts=LUCK.integers(-(10**6), 10**6, (9, 2, months, len(ACCOUNTS))) / 100)


@pytest.mark.parametrize(
    ("months", "periods"),
    [
        (1, ["Total"]),
        (12, ["Total"]),
        (13, ["Year 1", "Year 2 (1 month)", "Total"]),
        (36, ["Year 1", "Year 2", "Year 3", "Total"]),
    ],
)
def test_years_are_those_of_the_scenario_and_the_total_comes_last(months, periods):
    found = check(totals(_flows(months)), TOTALS).filter(line="cash contribution")
    assert found["period"].to_list() == periods


def test_years_add_up_to_the_total():
    found = totals(_flows(30))
    for line in found.partition_by("line"):
        *years, total = line["incremental"].to_list()
        # Sums of hundreds of amounts below 10,000 with two decimals lose less than 1e-8.
        assert sum(years) == pytest.approx(total, abs=1e-8)


def test_the_interval_of_a_year_is_that_of_the_sums_of_each_draw():
    flows = _flows(24)
    row = totals(flows).filter(line="cash contribution", period="Year 2").row(0, named=True)
    sums = (flows.amounts[:, 1, 12:] - flows.amounts[:, 0, 12:]).sum(axis=(1, 2))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(sums, (0.05, 0.95))), abs=1e-8)
    assert row["treated"] - row["baseline"] == pytest.approx(sums.mean(), abs=1e-8)
