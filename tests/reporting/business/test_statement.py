"""Statements: the ladder by year, by cohort and by way of gain."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.statement import (
    benefit_waterfall,
    cohort_table,
    periods_table,
    prices_table,
    quarters_table,
    statement_table,
    volumes_table,
)
from cxsim.study.business.base_case import PRICES, VOLUMES
from cxsim.tables import table_of
from tests.grids import CHANGES
from tests.reporting.business.cases import STRATEGIES, pathways


def test_the_ladder_has_years_total_and_interval_side_by_side_without_accounts_that_have_no_entry(
    totals, as_text, snapshot
):
    table = statement_table(totals, "USD")
    assert as_text(table) == snapshot
    assert table.twin.equals(totals)
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>(.*?)</th>', table.html())
    assert (bold[:2], len(bold)) == (["Net revenue", "Contribution margin 1"], 5 * 2)
    assert "Year" not in statement_table(totals.filter(period="Total"), "USD").html()


def test_the_title_says_how_cash_changes_as_the_table_writes_it(totals):
    table = statement_table(totals, "USD")
    amounts = [_rows(table.html(), "Cash contribution")[number][-3] for number in range(2)]
    expected = f"USD {amounts[0]} with Free delivery and USD {amounts[1]} with Points programme"
    assert table.title.replace(NBSP, " ") == f"Change in expected cash contribution: {expected}"


def test_a_subtotal_stays_even_if_it_is_zero(totals):
    nothing = totals.with_columns(pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental"))
    html = statement_table(nothing, "USD").html()
    assert html.count("Contribution margin 2") == 2
    assert "Gross sales" not in html


def test_a_table_without_periods_is_not_taken_for_totals(totals):
    with pytest.raises(TableError, match="no column 'period'"):
        statement_table(totals.drop("period"), "USD")


NBSP = "\N{NO-BREAK SPACE}"
GRAINS = {"month": 1, "quarter": 3, "year": 12, "total": 14}


def _label(grain, number, length):
    if grain in ("month", "total"):
        return "Total" if grain == "total" else f"month {number}"
    part = "" if length == GRAINS[grain] else f" ({length} months)"
    return f"{grain.capitalize()} {number + 1}{part}"


def _made(signs):
    """Fourteen months that are alike; a present value is nine tenths."""
    rows = []
    for strategy, sign in signs.items():
        for grain, step in GRAINS.items():
            for number, first in enumerate(range(0, 14, step)):
                length = min(step, 14 - first)
                for line, change in CHANGES.items():
                    difference, so_far = sign * change * length, sign * change * (first + length)
                    rows.append(
                        {
                            "strategy": strategy,
                            "grain": grain,
                            "period": number,
                            "label": _label(grain, number, length),
                            "starts_on": date(2025 + first // 12, first % 12 + 1, 1),
                            "line": line,
                            "baseline": 10 * change * length,
                            "treated": 10 * change * length + difference,
                            "incremental": difference,
                            "low": difference - 1_000.0,
                            "high": difference + 1_000.0,
                            "discounted": 0.9 * difference,
                            "cumulative": so_far,
                            "cumulative_discounted": 0.9 * so_far,
                            "day": 30.0 * first + 15.0 if grain == "month" else None,
                            "title": strategy.replace("_", " ").capitalize(),
                        }
                    )
    return pl.DataFrame(rows, schema_overrides={"period": pl.Int32})


@pytest.fixture(scope="module")
def periods():
    return _made({"free_delivery": 1.0, "points_programme": -1.0})


def _rows(html, name):
    lines = [row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]


def test_the_overview_has_subtotals_of_every_strategy_by_year_and_sums_below(periods, as_text, snapshot):
    table = periods_table(periods, "USD")
    html = table.html()
    # 750 a month, 12, 2 and 14 of them; ten times as much without; nine tenths at present value.
    assert _rows(html, "Cash contribution, no programme")[0] == ["90,000", "15,000", "105,000"]
    assert _rows(html, "Cash contribution with the programme")[1] == ["81,000", "13,500", "94,500"]
    assert _rows(html, "Difference in cash, cumulative present value")[0] == ["8,100", "9,450", "9,450"]
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>(.*?)</th>', html)
    assert bold == ["Difference in cash contribution"] * 2
    assert table.twin.equals(periods)
    assert as_text(table) == snapshot


def test_a_horizon_of_one_year_has_a_total_only(periods):
    short = periods.filter((pl.col("grain") != "year") | (pl.col("period") == 0))
    assert "Year" not in periods_table(short, "USD").html()


def test_small_amounts_keep_their_cents(periods):
    small = periods.with_columns(pl.col("baseline", "treated", "incremental", "low", "high") / 1_000)
    html = periods_table(small, "USD").html()
    assert _rows(html, "Difference in cash contribution")[0] == ["9.00", "1.50", "10.50"]


def test_the_title_says_how_the_present_value_of_cash_changes(periods):
    # 750 a month, 14 of them, nine tenths of it at present value; the other strategy loses as much.
    title = periods_table(periods, "USD").title.replace(NBSP, " ")
    assert title == (
        "Change in the present value of cash: USD 9,450 with Free delivery and USD −9,450 with Points programme"
    )


def test_quarters_are_folded_with_cash_and_its_interval(periods, as_text, snapshot):
    table = quarters_table(periods, "USD")
    assert table.html().startswith("<details><summary>Cash contribution by quarter</summary>")
    # Cash of 750 a month, three months; nine tenths; so far twice as much.
    cells = ["2,250", "1,250 to 3,250", "2,025", "4,500"]
    assert _rows(table.html(), "Quarter 2")[0] == cells
    assert as_text(table) == snapshot


def test_volumes_are_means_over_worlds_without_each_strategy_and_with_it(as_text, snapshot):
    # Two months in two worlds; money in cents.
    months = {
        ("baseline", "Orders", "number"): (200, 300),
        ("baseline", "Sales <at list price>", "money"): (1_000_000, 1_500_050),
        ("free_delivery", "Orders", "number"): (210, 330),
        ("free_delivery", "Sales <at list price>", "money"): (1_100_000, 1_600_050),
        ("free_delivery", "Start: Free delivery", "number"): (2, 0),
    }
    rows = [(*of, month, total, 2) for of, totals in months.items() for month, total in enumerate(totals)]
    table = volumes_table(table_of(rows, VOLUMES), "USD")
    assert table.html().startswith("<details><summary>Base-case volumes")
    # (200 + 300) / 2 and (210 + 330) / 2; 2,500,050 cents / 2 and 2,700,050 / 2.
    assert _rows(table.html(), "Orders")[0] == ["", "250", "270", "20"]
    assert _rows(table.html(), "Sales &lt;at list price&gt;")[0] == ["USD", "12,500", "13,500", "1,000"]
    assert as_text(table) == snapshot


def test_prices_are_shares_of_money_and_amounts_for_each_of_anything_else(as_text, snapshot):
    rows = [
        ("cost of goods", "Sales at list price", "money", -1, 0.6, "1-economics/shop/gross_margin", None),
        ("payment fees", "Orders", "number", -1, 0.3, "economics/shop/payment_per_order", None),
        ("set-up cost", "Start: Free delivery", "number", -1, 8_000.0, "strategies/free/costs.one_off_1.amount", None),
    ]
    table = prices_table(table_of(rows, PRICES), "USD")
    assert [_rows(table.html(), row[1])[0] for row in rows] == [["−60.00\N{NO-BREAK SPACE}%"], ["−0.30"], ["−8,000"]]
    assert as_text(table) == snapshot


def test_a_table_without_labels_is_refused(periods):
    with pytest.raises(TableError, match="PERIODS: no column 'label'"):
        periods_table(periods.drop("label"), "USD")


COHORTS = {"existing": 500.0, "2025-01 to 2025-03": 120.0, "2025-04": 40.0, "referred": 0.0, "shared": 0.0}


def _made_cohort_money(gains):
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


@pytest.fixture(scope="module")
def money():
    return _made_cohort_money(
        {"points": (900.0, 300.0, 200.0, 0.0, -400.0), "coupon": (-90.0, 60.0, 20.0, 0.0, -100.0)}
    )


def test_each_cohort_has_customers_cash_interval_and_gain_per_customer(money, as_text, snapshot):
    table = cohort_table(money, "USD")
    html = table.html()
    assert _rows(html, "Existing customers")[0] == ["500", "10,000", "10,900", "900", "850 to 950", "1.80"]
    assert _rows(html, f"New in Jan{NBSP}to{NBSP}Mar{NBSP}2025")[0][:1] == ["120"]
    # 900 + 300 + 200 - 400 = 1,000 over 660 customers: 1.52
    assert _rows(html, "Total")[0] == ["660", "50,000", "51,000", "1,000", "–", "1.52"]
    assert table.twin.equals(money)
    assert as_text(table) == snapshot


def test_a_cohort_over_the_turn_of_the_year_names_both_years(money):
    over = money.with_columns(pl.col("cohort").replace("2025-04", "2025-12 to 2026-02"))
    assert f"New in Dec{NBSP}2025{NBSP}to{NBSP}Feb{NBSP}2026" in cohort_table(over, "USD").html()


def test_a_cohort_that_is_zero_everywhere_has_no_row_but_stays_in_the_twin(money):
    nothing = [pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental", "low", "high")]
    empty = pl.concat(
        [money.filter(pl.col("cohort") != "referred"), money.filter(cohort="referred").with_columns(nothing)]
    )
    table = cohort_table(empty, "USD")
    assert _rows(table.html(), "Referred customers") == []
    assert table.twin.equals(empty)


def test_the_title_says_so_where_no_cohort_gains():
    losses = _made_cohort_money({"points": (-1.0, -2.0, -3.0, 0.0, 5.0), "coupon": (0.0, 0.0, 0.0, 4.0, 0.0)})
    assert cohort_table(losses, "USD").title == (
        "Referred customers contribute the largest cash gain with Coupon; "
        "with Points, no customer group has a positive cash difference"
    )


def test_a_title_column_names_the_strategies(money):
    named = money.with_columns(title=pl.lit("Points <b>"))
    html = cohort_table(named, "USD").html()
    assert "Points &lt;b&gt;" in html
    assert "<b>" not in html


def test_a_table_without_customers_is_refused(money):
    with pytest.raises(TableError, match="COHORT_MONEY: no column 'customers'"):
        cohort_table(money.drop("customers"), "USD")


def _rows_benefits(figure):
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


@pytest.fixture(scope="module")
def waterfall(specs):
    return _rows_benefits(specs["benefit_waterfall"])


def _finding(pathways):
    return " ".join(benefit_waterfall(pathways, "USD").to_dict()["title"]["text"]).replace("\N{NO-BREAK SPACE}", " ")


def _moved(kind, amount):
    points = pl.col("strategy") == "points"
    return pathways().with_columns(amount=pl.when(points & (pl.col("kind") == kind)).then(amount).otherwise("amount"))


def test_the_title_tells_which_share_of_the_gross_benefit_costs_and_rewards_take():
    # 36.7 of 77.7, 29.1 of 35.2 and 17.1 of 7.6 thousand.
    assert _finding(pathways()) == (
        "In the base case, costs, rewards, discounts and negative effects equal 47 % of the positive effects for Free "
        "shipping from a threshold on, "
        "83 % for Points programme and 225 % for Win-back coupon"
    )


def test_of_more_than_three_strategies_the_least_and_the_most_are_alt_text():
    more = pathways().filter(strategy="points").with_columns(title=pl.lit("Points again"))
    assert _finding(pl.concat([pathways(), more])) == (
        "In the base case, costs, rewards, discounts and negative effects equal 47 % (Free shipping from a threshold "
        "on) to 225 % (Win-back coupon) of the positive effects"
    )


def test_a_strategy_that_only_takes_has_no_share_of_gains():
    only = pathways().filter((pl.col("strategy") == "coupon") & (pl.col("kind") != "gives"))
    # -11,900 - 2,800 - 2,400.
    summed = pl.col("kind").is_in(["base", "mean"])
    alt_text = only.with_columns(amount=pl.when(summed).then(-17_100.0).otherwise("amount"))
    assert _finding(alt_text) == "Win-back coupon has no positive effects"


def test_each_bar_starts_where_the_one_before_ends_and_sums_at_zero(waterfall):
    for name in STRATEGIES.values():
        parts = waterfall.filter((pl.col("name") == name) & (pl.col("kind") != "sum"))
        assert parts["_start"].to_list() == [0.0, *parts["_end"].to_list()[:-1]]
    sums = waterfall.filter(kind="sum")
    assert sums["_start"].to_list() == [0.0] * 6
    assert sums["_end"].to_list() == [41_000.0, 39_100.0, 6_100.0, 7_500.0, -9_500.0, -9_500.0]


def test_amounts_of_parts_have_a_sign_sums_have_none_and_nothing_is_left_out(waterfall):
    written = waterfall.filter(name="Points programme")["_written"].to_list()
    assert written == ["+31,000", "+4,200", "−14,100", "−15,000", "6,100", "+1,400", "7,500"]
    # The coupon's uncertainty adds nothing.
    assert "What uncertainty adds" not in waterfall.filter(name="Win-back coupon")["label"].to_list()


@pytest.mark.parametrize(
    ("kind", "amount", "words"),
    [
        ("base", 6_101.0, r"the parts of 'Points programme' add up to 6,100\.00; its base is 6,101\.00"),
        ("mean", 7_600.0, r"add up to 7,500\.00; its mean is 7,600\.00"),
    ],
)
def test_parts_that_do_not_lead_to_their_sum_are_refused(kind, amount, words):
    with pytest.raises(TableError, match=words):
        benefit_waterfall(_moved(kind, amount), "USD")


def test_a_strategy_without_its_mean_is_refused():
    missing = "'Free shipping from a threshold on' has 0 rows of kind 'mean'; one is needed"
    with pytest.raises(TableError, match=missing):
        benefit_waterfall(pathways().filter(pl.col("kind") != "mean"), "USD")


def test_the_description_reads_all_parts(specs):
    described = specs["benefit_waterfall"]["description"]
    assert "Points programme: Fewer customers leave +31,000; Customers order more often +4,200;" in described
