from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.statement import cohort_table
from tests.ladder import CHANGES

NBSP = "\N{NO-BREAK SPACE}"
COHORTS = {"existing": 500.0, "2025-01 to 2025-03": 120.0, "2025-04": 40.0, "referred": 0.0, "shared": 0.0}


def _made(gains):
    """Return a table in which the line `cash contribution` of a cohort changes by its gain, per strategy."""
    return pl.DataFrame(
        [
            {
                "strategy": strategy,
                "cohort": cohort,
                "customers": COHORTS[cohort],
                "line": line,
                "baseline": 10_000.0,
                "treated": 10_000.0 + gain,
                "incremental": gain,
                "low": gain - 50.0,
                "high": gain + 50.0,
                "title": strategy.capitalize(),
            }
            for strategy, by_cohort in gains.items()
            for cohort, gain in zip(COHORTS, by_cohort, strict=True)
            for line in CHANGES
        ]
    )


@pytest.fixture
def money():
    return _made({"points": (900.0, 300.0, 200.0, 0.0, -400.0), "coupon": (-90.0, 60.0, 20.0, 0.0, -100.0)})


def _rows(html, name):
    lines = [row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]


def test_each_cohort_has_customers_cash_interval_and_gain_per_customer(money):
    html = cohort_table(money, "USD").html()
    assert _rows(html, "Existing customers")[0] == ["500", "10,000", "10,900", "900", "850 to 950", "1.80"]
    assert _rows(html, f"New in Jan{NBSP}to{NBSP}Mar{NBSP}2025")[0] == [
        "120",
        "10,000",
        "10,300",
        "300",
        "250 to 350",
        "2.50",
    ]
    assert _rows(html, f"New in Apr{NBSP}2025")[1] == ["40", "10,000", "10,020", "20", "−30 to 70", "0.50"]


def test_a_cohort_without_customers_has_a_dash_for_them(money):
    html = cohort_table(money, "USD").html()
    assert _rows(html, "Referred by other customers")[0] == ["–", "10,000", "10,000", "0", "−50 to 50", "–"]
    assert _rows(html, "Costs that belong to no cohort")[0] == ["–", "10,000", "9,600", "−400", "−450 to −350", "–"]


def test_a_cohort_over_the_turn_of_the_year_names_both_years(money):
    over = money.with_columns(pl.col("cohort").replace("2025-04", "2025-12 to 2026-02"))
    assert f"New in Dec{NBSP}2025{NBSP}to{NBSP}Feb{NBSP}2026" in cohort_table(over, "USD").html()


def test_a_cohort_that_is_zero_everywhere_has_no_row_but_stays_in_the_twin(money):
    nothing = [pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental", "low", "high")]
    empty = pl.concat(
        [money.filter(pl.col("cohort") != "referred"), money.filter(cohort="referred").with_columns(nothing)]
    )
    table = cohort_table(empty, "USD")
    assert _rows(table.html(), "Referred by other customers") == []
    assert table.twin.equals(empty)


def test_the_last_row_is_the_sum_without_an_interval(money):
    # 900 + 300 + 200 - 400 = 1,000 over 660 customers: 1.52
    html = cohort_table(money, "USD").html()
    assert _rows(html, "All together")[0] == ["660", "50,000", "51,000", "1,000", "–", "1.52"]


def test_the_title_says_whose_cash_changes_most(money):
    title = cohort_table(money, "USD").title
    assert title == "Existing customers bring most for Points; new customers bring most for Coupon"


def test_the_title_says_so_where_no_cohort_gains():
    losses = _made({"points": (-1.0, -2.0, -3.0, 0.0, 5.0), "coupon": (0.0, 0.0, 0.0, 4.0, 0.0)})
    title = cohort_table(losses, "USD").title
    assert title == "Referred customers bring most for Coupon; no cohort brings more with Points"


def test_a_title_column_names_the_strategies(money):
    named = money.with_columns(title=pl.lit("Points <b>"))
    html = cohort_table(named, "USD").html()
    assert "Points &lt;b&gt;" in html
    assert "<b>" not in html


def test_the_twin_holds_every_account_and_the_table_is_light(money):
    table = cohort_table(money, "USD")
    assert table.twin.equals(money)
    assert len(table.html().encode()) < 25_000


def test_terms_are_explained_below(money):
    notes = cohort_table(money, "USD").html().split('class="gt_sourcenote"', maxsplit=1)[1]
    assert all(word in notes for word in ("Cash contribution", "Cohort", "Customers", "All together"))


def test_a_table_without_customers_is_refused(money):
    with pytest.raises(TableError, match="COHORT_MONEY: no column 'customers'"):
        cohort_table(money.drop("customers"), "USD")
