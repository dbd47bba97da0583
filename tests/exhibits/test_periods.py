"""Years stand side by side, without, with and the difference below each other; quarters are folded."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.statement import periods_table, quarters_table
from tests.ladder import CHANGES

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


@pytest.fixture
def periods():
    return _made({"free_delivery": 1.0, "points_programme": -1.0})


def _rows(html, name):
    lines = [row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]


def test_the_overview_has_subtotals_of_every_strategy_by_year_and_in_total(periods):
    html = periods_table(periods, "USD").html()
    # 750 a month, 12, 2 and 14 of them; ten times as much without.
    assert _rows(html, "Cash contribution without the strategy")[0] == ["90,000", "15,000", "105,000"]
    assert _rows(html, "Cash contribution with the strategy")[1] == ["81,000", "13,500", "94,500"]
    assert _rows(html, "Difference in cash contribution") == [
        ["9,000", "1,500", "10,500"],
        ["−9,000", "−1,500", "−10,500"],
    ]
    assert _rows(html, f"Its 90{NBSP}% interval")[0] == ["8,000 to 10,000", "500 to 2,500", "9,500 to 11,500"]
    assert "Gross sales" not in html


def test_present_value_and_sums_so_far_stand_below(periods):
    html = periods_table(periods, "USD").html()
    assert _rows(html, "Difference in cash, at present value")[0] == ["8,100", "1,350", "9,450"]
    assert _rows(html, "Difference in cash so far")[0] == ["9,000", "10,500", "10,500"]
    assert _rows(html, "Difference in cash so far, at present value")[0] == ["8,100", "9,450", "9,450"]


def test_one_strategy_shows_its_accounts_without_with_and_the_difference(periods):
    table = periods_table(periods, "USD", "points_programme")
    html = table.html()
    assert re.findall(r'class="gt_group_heading"[^>]*>(.*?)<', html) == [
        "Without the strategy",
        "With the strategy",
        "Difference",
    ]
    assert [row[0] for row in _rows(html, "Gross sales")] == ["600,000", "540,000", "−60,000"]
    assert table.id == "periods-points-programme"
    assert table.twin["strategy"].unique().to_list() == ["points_programme"]


def test_every_subtotal_of_the_difference_has_its_interval(periods):
    html = periods_table(periods, "USD", "free_delivery").html()
    assert len(_rows(html, f"Its 90{NBSP}% interval")) == 5


def test_accounts_without_an_entry_are_left_out_and_subtotals_stay(periods):
    none = periods.with_columns(pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental"))
    html = periods_table(none, "USD", "free_delivery").html()
    assert "Gross sales" not in html
    assert len(_rows(html, "Net revenue")) == 3
    assert ">Support<" not in periods_table(periods, "USD", "free_delivery").html()


def test_subtotals_are_bold(periods):
    html = periods_table(periods, "USD", "free_delivery").html()
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>(.*?)</th>', html)
    assert bold == ["Net revenue", *(f"Contribution margin {rung}" for rung in (1, 2, 3)), "Cash contribution"] * 3


def test_a_horizon_of_one_year_has_a_total_only(periods):
    short = periods.filter((pl.col("grain") != "year") | (pl.col("period") == 0))
    assert "Year" not in periods_table(short, "USD").html()


def test_small_amounts_keep_their_cents(periods):
    small = periods.with_columns(pl.col("baseline", "treated", "incremental", "low", "high") / 1_000)
    html = periods_table(small, "USD").html()
    assert _rows(html, "Difference in cash contribution")[0] == ["9.00", "1.50", "10.50"]


def test_the_title_says_who_is_ahead_at_present_value(periods):
    title = periods_table(periods, "USD").title
    assert title == "At present value Free delivery brings more cash than doing nothing; Points programme does not"
    both = _made({"free_delivery": 1.0, "points_programme": 1.0})
    title = periods_table(both, "USD").title
    assert title == "At present value Free delivery and Points programme bring more cash than doing nothing"
    none = _made({"free_delivery": -1.0, "points_programme": -1.0})
    assert periods_table(none, "USD").title == "At present value no strategy brings more cash than doing nothing"


def test_the_title_of_one_strategy_says_since_when(periods):
    late = periods.with_columns(
        cumulative_discounted=pl.when((pl.col("grain") == "year") & (pl.col("period") == 0))
        .then(-1.0)
        .otherwise("cumulative_discounted")
    )
    title = periods_table(late, "USD", "free_delivery").title
    assert title == "Free delivery is ahead of doing nothing, at present value, from year 2 on"
    title = periods_table(periods, "USD", "points_programme").title
    assert title == "At present value Points programme brings no more cash than doing nothing"


def test_months_and_quarters_stay_in_the_twin(periods):
    twin = periods_table(periods, "USD").twin
    assert twin.equals(periods)


def test_quarters_are_folded_and_alt_text_by_cash_with_its_interval(periods):
    html = quarters_table(periods, "USD").html()
    assert html.startswith("<details><summary>Difference quarter by quarter</summary>")
    # Net revenue 4,600, margin 3 of 1,350 and cash of 750 a month, three months; nine tenths; so far twice as much.
    assert _rows(html, "Quarter 2")[0] == [
        "13,800",
        "4,050",
        "2,250",
        "1,250 to 3,250",
        "2,025",
        "4,500",
        "4,050",
    ]
    assert _rows(html, r"Quarter 5 (2 months)")[1][2] == "−1,500"


def test_quarters_of_one_strategy_carry_its_name(periods):
    table = quarters_table(periods, "USD", "free_delivery")
    assert (table.id, table.title) == ("quarters-free-delivery", "Free delivery, quarter by quarter")
    # Five quarters, and the five subtotals of the ladder; accounts are in the table of periods.
    assert table.twin.height == 5 * 5


def test_the_margins_are_explained_below(periods):
    for table in (periods_table(periods, "USD"), quarters_table(periods, "USD")):
        notes = table.html().split('class="gt_sourcenote"', maxsplit=1)[1]
        assert all(word in notes for word in ("CM1", "CM2", "CM3", "Present value", "So far", "Cash contribution"))


def test_tables_are_light(periods):
    for table in (periods_table(periods, "USD"), quarters_table(periods, "USD")):
        assert len(table.html().encode()) < 25_000


def test_an_unknown_strategy_is_refused(periods):
    with pytest.raises(TableError, match="PERIODS: no strategy 'free_delivry'; did you mean 'free_delivery'"):
        periods_table(periods, "USD", "free_delivry")
    with pytest.raises(TableError, match="PERIODS: no strategy"):
        quarters_table(periods, "USD", "zzz")


def test_a_table_without_labels_is_refused(periods):
    with pytest.raises(TableError, match="PERIODS: no column 'label'"):
        periods_table(periods.drop("label"), "USD")
