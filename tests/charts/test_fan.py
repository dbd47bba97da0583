"""The fans of cumulative cash say when the money is back, and how sure that is."""

from __future__ import annotations

import polars as pl

from cxsim.reporting.business.investment import cash_fan
from tests.charts.cases import fan

NBSP = "\N{NO-BREAK SPACE}"


def _rows(fan):
    figure = cash_fan(fan, "USD").to_dict()
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


def _finding(fan):
    return " ".join(cash_fan(fan, "USD").to_dict()["title"]["text"])


def test_the_title_sorts_strategies_by_where_their_interval_ends():
    assert _finding(fan()) == (
        "After 36 months: Free shipping from a threshold on ahead; "
        "Points programme either ahead or behind; Win-back coupon behind"
    )


def test_more_than_three_strategies_are_counted():
    more = fan().filter(strategy="coupon").with_columns(strategy=pl.lit("again"), title=pl.lit("Coupon again"))
    assert _finding(pl.concat([fan(), more])) == (
        "After 36 months: 1 of 4 strategies ahead; 1 of 4 strategies either ahead or behind; 2 of 4 strategies behind"
    )


def test_each_panel_tells_the_month_of_payback():
    # -20,000 + 1,540 m and -15,000 + 540 m reach zero at m = 13 and m = 28, the fourteenth and the 29th month.
    notes = [note for note in _rows(fan())["_note"] if note]
    assert notes == [
        "Back in month 14 on average",
        "Back in month 29 on average",
        "Not back within 36 months on average",
    ]


def test_the_ring_stands_in_the_month_of_payback():
    ringed = _rows(fan()).filter("_back")
    assert ringed["month"].to_list() == [14, 29]


def test_a_mean_that_is_never_below_zero_needs_no_payback():
    ahead = fan().filter(strategy="free-shipping").with_columns(mean=pl.lit(5.0))
    assert _rows(ahead)["_note"][0] == "Never below zero on average"


def test_payback_counts_from_the_month_after_which_the_mean_stays_above_zero():
    dip = pl.when(pl.col("month") == 30).then(-1.0).otherwise(pl.col("mean"))
    assert _rows(fan().filter(strategy="free-shipping").with_columns(mean=dip)).filter("_back")["month"].item() == 32


def test_every_third_month_of_three_years_is_drawn_and_the_trough():
    low = pl.when(pl.col("month") == 4).then(-99_000.0).otherwise(pl.col("mean"))
    drawn = _rows(fan().filter(strategy="coupon").with_columns(mean=low))["month"].to_list()
    assert drawn == [1, 3, 5, *range(6, 37, 3)]


def test_all_months_of_a_year_are_drawn():
    assert _rows(fan().filter(strategy="coupon").head(12))["month"].to_list() == list(range(1, 13))


def test_the_months_do_not_depend_on_where_counting_starts():
    later = fan().with_columns(month=pl.col("month") + 1)
    assert cash_fan(later, "USD").to_dict() == cash_fan(fan(), "USD").to_dict()


def test_the_description_gives_mean_and_interval_at_the_end():
    described = cash_fan(fan(), "USD").to_dict()["description"]
    # -20,000 + 1,540 * 35 = 33,900, and 1.64 * 350 * 37 = 21,238 to both sides.
    assert f"USD{NBSP}33,900 (12,700 to 55,100) at the end, back in month 14 on average" in described
