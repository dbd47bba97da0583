from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.tornado import rates_table

NBSP = "\N{NO-BREAK SPACE}"


def _made(worths):
    """Return a table of two rates and two horizons, 12 and 36 months, rates first."""
    places = [(0.05, 12), (0.05, 36), (0.125, 12), (0.125, 36)]
    return pl.DataFrame(
        [
            {
                "strategy": name.lower(),
                "title": name,
                "annual_discount_rate": rate,
                "horizon_months": horizon,
                "npv": npv,
                "low": npv - 2_000.0,
                "high": npv + 2_000.0,
                "prob_npv_positive": 0.5,
            }
            for name, npvs in worths.items()
            for (rate, horizon), npv in zip(places, npvs, strict=True)
        ]
    )


@pytest.fixture
def rates():
    return _made({"Points": (-500.0, 4_000.0, -700.0, 3_000.0), "Coupon": (-1.0, -2.0, -3.0, -4.0)})


def _rows(html, name):
    lines = [row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]


def test_rates_go_down_and_horizons_across_with_the_interval_in_each_cell(rates):
    html = rates_table(rates, "USD").html()
    # Rounded together: the largest end of an interval is 6,000.
    assert _rows(html, f"5{NBSP}% a year")[0] == ["−500 (−2,500 to 1,500)", "4,000 (2,000 to 6,000)"]
    assert _rows(html, f"12.5{NBSP}% a year")[0] == ["−700 (−2,700 to 1,300)", "3,000 (1,000 to 5,000)"]
    assert html.index(f">12{NBSP}months<") < html.index(f">36{NBSP}months<")


def test_the_order_of_the_rows_does_not_matter_within_a_strategy(rates):
    mixed = pl.concat(part.reverse() for part in rates.partition_by("strategy", maintain_order=True))
    assert rates_table(mixed, "USD").html() == rates_table(rates, "USD").html()


def test_a_combination_that_was_not_computed_is_a_dash(rates):
    html = rates_table(rates.slice(1), "USD").html()
    assert _rows(html, f"5{NBSP}% a year")[0] == ["–", "4,000 (2,000 to 6,000)"]


@pytest.mark.parametrize(
    ("worths", "title"),
    [
        (
            {"A": (1.0, 1.0, 1.0, 1.0), "B": (1.0, -1.0, 1.0, 1.0), "C": (-1.0,) * 4},
            (
                "On average A pays at every discount rate and horizon; "
                "B pays at some discount rates and horizons only; "
                "C pays at none"
            ),
        ),
        ({"A": (1.0,) * 4, "B": (2.0,) * 4}, "On average A and B pay at every discount rate and horizon"),
        ({"A": (-1.0,) * 4, "B": (0.0,) * 4}, "On average no strategy pays at any discount rate and horizon"),
    ],
)
def test_the_title_says_where_each_strategy_pays(worths, title):
    assert rates_table(_made(worths), "USD").title == title


def test_terms_are_explained_and_the_table_is_light(rates):
    html = rates_table(rates, "USD").html()
    notes = html.split('class="gt_sourcenote"', maxsplit=1)[1]
    assert "Discount rate" in notes
    assert "Horizon" in notes
    assert len(html.encode()) < 25_000


def test_the_twin_holds_the_chances_too(rates):
    assert rates_table(rates, "USD").twin.equals(rates)


def test_a_table_without_horizons_is_refused(rates):
    with pytest.raises(TableError, match="RATES: no column 'horizon_months'"):
        rates_table(rates.drop("horizon_months"), "USD")
