"""What each cohort of customers brings; all cohorts together are the statement."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.finance.contracts import COHORT_MONEY
from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.statement import cohort_money, flows, totals
from cxsim.tables import LEDGER, check

ARMS = ("baseline", "plan", "other")
TITLES = {"plan": "The plan", "other": "Another"}
SEVEN = [f"1998-{month:02d}" for month in range(7, 13)] + ["1999-01"]
PEOPLE = {"existing": 100.0, **dict.fromkeys(SEVEN, 10.0), "referred": 0.0}


def _ledger(*rows):
    schema = {name: kinds[0] for name, kinds in LEDGER.columns.items()}
    names = {"arm": pl.String, "cohort": pl.String, "account": pl.String}
    return pl.DataFrame(rows, schema=schema | names, orient="row")


def _made(count=3_000, seed=7):
    luck = np.random.default_rng(seed)
    cohorts = [*PEOPLE, "shared"]
    return pl.DataFrame(
        {
            "draw": luck.integers(0, 4, count).astype(np.int32),
            "arm": pl.Series(luck.choice(ARMS, count)).cast(pl.Enum(ARMS)),
            "cohort": pl.Series(luck.choice(cohorts, count)).cast(pl.Enum(cohorts)),
            "month": luck.integers(0, 9, count).astype(np.int32),
            "account": pl.Series(luck.choice([str(account) for account in ACCOUNTS], count)),
            "amount": luck.integers(-(10**12), 10**12, count),
        }
    )


def _found(ledger, people=PEOPLE):
    return cohort_money(ledger, ARMS, draws=4, months=9, customers=people, titles=TITLES)


def test_the_sum_over_cohorts_is_the_statement():
    ledger = _made()
    found = check(_found(ledger), COHORT_MONEY)
    summed = found.group_by("strategy", "line", maintain_order=True).agg(
        pl.col("baseline", "treated", "incremental").sum()
    )
    known = totals(flows(ledger, ARMS, draws=4, months=9))
    both = summed.join(known, on=["strategy", "line"], suffix="_known")
    assert both.height == 2 * 28
    for name in ("baseline", "treated", "incremental"):
        # Sums of about a hundred amounts of a million keep far more than a cent.
        assert float((both[name] - both[f"{name}_known"]).abs().max()) < 1e-6


def test_each_strategy_has_its_name_for_readers():
    named = _found(_made()).select("strategy", "title").unique(maintain_order=True)
    assert named.rows() == [("plan", "The plan"), ("other", "Another")]


def test_many_months_of_arrival_are_shown_in_threes():
    cohorts = _found(_made())["cohort"].unique(maintain_order=True).to_list()
    assert cohorts == ["existing", "1998-07 to 1998-09", "1998-10 to 1998-12", "1999-01", "referred", "shared"]


def test_few_months_of_arrival_stand_by_themselves():
    few = {"existing": 5.0, **dict.fromkeys(SEVEN[:6], 1.0)}
    cohorts = cohort_money(_ledger(), ARMS, draws=1, months=1, customers=few, titles=TITLES)["cohort"].unique(
        maintain_order=True
    )
    assert cohorts.to_list() == ["existing", *SEVEN[:6], "shared"]


def test_a_gap_in_the_months_does_not_shift_the_threes():
    gaps = dict.fromkeys(["1998-01", "1998-02", "1998-04", "1998-07", "1998-09", "1998-12", "1999-01"], 1.0)
    cohorts = cohort_money(_ledger(), ARMS, draws=1, months=1, customers=gaps, titles=TITLES)["cohort"].unique(
        maintain_order=True
    )
    assert cohorts.to_list() == [
        "1998-01 to 1998-02",
        "1998-04",
        "1998-07 to 1998-09",
        "1998-12",
        "1999-01",
        "shared",
    ]


def test_customers_are_summed_over_the_months_and_shared_costs_have_none():
    found = _found(_made()).filter(strategy="plan", line="net revenue")
    assert found["customers"].to_list() == [100.0, 30.0, 30.0, 10.0, 0.0, 0.0]


def test_amounts_of_a_cohort_are_means_over_all_draws():
    ledger = _ledger(
        (0, "baseline", "existing", 0, "gross sales", 8_000_000),
        (0, "plan", "existing", 1, "gross sales", 20_000_000),
        (1, "plan", "existing", 0, "cost of goods", -4_000_000),
        (3, "plan", "shared", 0, "programme cost", -2_000_000),
    )
    found = _found(ledger).filter(strategy="plan")
    sales = found.filter(cohort="existing", line="gross sales").row(0, named=True)
    assert (sales["baseline"], sales["treated"], sales["incremental"]) == (2.0, 5.0, 3.0)  # 8 / 4, 20 / 4
    result = found.filter(cohort="existing", line="cash contribution").row(0, named=True)
    assert result["incremental"] == 2.0  # (12 - 4) / 4
    # Differences by draw 12, -4, 0, 0: the 5 % quantile lies 0.15 of the way from -4 to 0, the 95 % one 0.85 of that
    # from 0 to 12.
    assert (result["low"], result["high"]) == pytest.approx((-3.4, 10.2), abs=1e-12)
    assert found.filter(cohort="shared", line="cash contribution")["incremental"].item() == -0.5


def test_the_order_of_the_entries_does_not_matter():
    ledger = _made()
    assert _found(ledger).equals(_found(ledger.sample(fraction=1.0, shuffle=True, seed=1)))


def test_a_cohort_whose_customers_nobody_counted_is_refused():
    with pytest.raises(TableError, match="LEDGER: no cohort 'referred' is known; possible: existing, shared"):
        _found(_ledger((0, "plan", "referred", 0, "refunds", -1)), {"existing": 1.0})


def test_an_arm_that_was_not_asked_for_is_refused():
    with pytest.raises(TableError, match="LEDGER: no arm 'plans' is known; did you mean 'plan'"):
        _found(_ledger((0, "plans", "existing", 0, "refunds", -1)))


@pytest.mark.parametrize(
    ("place", "message"),
    [((4, 0), "found draw 4; possible: 0 to 3"), ((0, 9), "found month 9; possible: 0 to 8")],
)
def test_an_entry_beyond_the_study_is_refused(place, message):
    draw, month = place
    with pytest.raises(TableError, match=f"LEDGER: {message}"):
        _found(_ledger((draw, "plan", "existing", month, "refunds", -1)))
