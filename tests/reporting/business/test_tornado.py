"""What the result depends on: one assumption or two are moved."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.tornado import break_evens_table, heat_map, rates_table, tornado
from cxsim.study.business.sensitivity import BREAK_EVENS, TORNADO
from cxsim.tables import empty
from tests.reporting.business.cases import STRATEGIES, heat, tornado as cases_tornado

NBSP = "\N{NO-BREAK SPACE}"
OWN = 0.05
_NEAR = {
    "strategy": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "belongs_to": "Points",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "unit": "ratio",
    "value": 0.85,
    "low": 0.64561,
    "high": 1.0681,
    "break_even": 0.90009,
    "score": 0.5,
    "mc_error": 321.4,
    "evaluations": 7,
    "method": "simulated",
    "npv": -500.0,
}
_FAR = _NEAR | {"description": "Fee", "unit": "money per order", "break_even": 3.456, "score": -2.0, "method": "booked"}
_NEVER = _NEAR | {"description": "Share", "break_even": None, "score": None}


def _table(*rows):
    return break_evens_table(pl.DataFrame(list(rows), schema=empty(BREAK_EVENS).schema), "USD")


def _html(*rows):
    return _table(*rows).html().replace(NBSP, " ")


def test_a_break_even_claims_four_digits_and_its_plausibility(as_text, snapshot):
    html = _html(_NEAR, _FAR)
    # A normal score of 0.5 leaves 30.85 % beyond it.
    for cell in ("above about 0.9001", "within its plausible range (31 % chance of reaching it)", "above about 3.456"):
        assert f">{cell}<" in html
    assert as_text(_table(_NEAR, _FAR, _NEVER, _NEVER)) == snapshot


def test_the_side_on_which_it_pays_is_that_of_the_plan_where_the_plan_pays():
    # The break-even, 0.9, lies above the plan, 0.85, which pays.
    assert ">below about 0.9001<" in _html(_NEAR | {"npv": 500.0})


def test_numbers_that_change_nothing_are_counted_in_one_row():
    assert ">Two other assumptions: no break-even within their 98 % range<" in _html(_NEAR, _NEVER, _NEVER)
    assert ">One assumption: no break-even within its 98 % range<" in _html(_NEVER)
    assert len(_table(_NEAR, _NEVER, _NEVER).machine()["rows"]) == 3


def test_the_title_names_strategies_whose_sign_one_believed_number_turns():
    other = {"strategy": "coupon", "title": "Coupon"}
    assert _table(_NEAR, _FAR | other).title == (
        "Some assumptions, each alone and within its plausible range, change the sign of NPV for Points"
    )
    assert _table(_FAR, _NEVER | other).title == (
        "No single assumption, within its plausible range, changes the sign of NPV"
    )


def test_without_a_spread_there_is_a_sentence():
    assert "there is no break-even" in _table().text


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


@pytest.fixture(scope="module")
def rates():
    return _made({"Points": (-500.0, 4_000.0, -700.0, 3_000.0), "Coupon": (-1.0, -2.0, -3.0, -4.0)})


def _rows(html, name):
    lines = [row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row]
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]


def test_rates_go_down_and_horizons_across_with_the_interval_in_each_cell(rates, as_text, snapshot):
    table = rates_table(rates, "USD", OWN)
    # Rounded together: the largest end of an interval is 6,000.
    assert _rows(table.html(), f"5{NBSP}% a year")[0] == ["−500 (−2,500 to 1,500)", "4,000 (2,000 to 6,000)"]
    assert table.twin.equals(rates)
    assert as_text(table) == snapshot


def test_the_order_of_the_rows_does_not_matter_within_a_strategy(rates):
    mixed = pl.concat(part.reverse() for part in rates.partition_by("strategy", maintain_order=True))
    assert rates_table(mixed, "USD", OWN).html() == rates_table(rates, "USD", OWN).html()


def test_of_five_rates_the_lowest_that_of_the_scenario_and_the_highest_are_shown(rates):
    every = pl.concat(rates.head(2).with_columns(annual_discount_rate=rate) for rate in (0.0, 0.05, 0.1, 0.15, 0.2))
    table = rates_table(every, "USD", 0.15)
    shown = re.findall(r"<th[^>]*gt_stub[^>]*>(.*?)</th>", table.html())
    assert shown == [f"{rate}{NBSP}% a year" for rate in (0, 15, 20)]
    assert table.twin.height == every.height


def test_a_combination_that_was_not_computed_is_a_dash(rates):
    html = rates_table(rates.slice(1), "USD", OWN).html()
    assert _rows(html, f"5{NBSP}% a year")[0] == ["–", "4,000 (2,000 to 6,000)"]


@pytest.mark.parametrize(
    ("worths", "title"),
    [
        (
            {"A": (1.0, 1.0, 1.0, 1.0), "B": (1.0, -1.0, 1.0, 1.0), "C": (-1.0,) * 4},
            (
                "Expected NPV is positive at every discount rate and horizon for A; "
                "at some discount rates and horizons for B; at no combination for C"
            ),
        ),
        ({"A": (1.0,) * 4, "B": (2.0,) * 4}, "Expected NPV is positive at every discount rate and horizon for A and B"),
        ({"A": (-1.0,) * 4, "B": (0.0,) * 4}, "Expected NPV is positive at no combination for A and B"),
    ],
)
def test_the_title_says_where_each_strategy_pays(worths, title):
    assert rates_table(_made(worths), "USD", OWN).title == title


def test_a_table_without_horizons_is_refused(rates):
    with pytest.raises(TableError, match="RATES: no column 'horizon_months'"):
        rates_table(rates.drop("horizon_months"), "USD", OWN)


def _figure(table):
    return tornado(table, "USD").to_dict()


def _rows_tornado(figure):
    return pl.DataFrame(max(figure["datasets"].values(), key=len), infer_schema_length=None)


def _finding(figure):
    return " ".join(figure["title"]["text"])


@pytest.fixture(scope="module")
def bars(specs):
    return _rows_tornado(specs["tornado"])


def test_the_title_counts_the_numbers_that_alone_turn_the_sign(specs):
    assert _finding(specs["tornado"]) == (
        "Assumptions that alone change the sign of NPV: none of six for Free shipping from a threshold on, one of "
        "four for Points programme and none of two for Win-back coupon"
    )


def test_where_no_number_turns_the_sign_the_title_says_so():
    one = cases_tornado().filter(strategy="coupon")
    assert _finding(_figure(one)) == "No single assumption changes the sign of NPV"


def test_the_largest_swing_stands_first_whatever_the_order_of_rows():
    rows = _rows_tornado(_figure(cases_tornado().reverse()))
    assert rows.filter(name="Points programme")["rank"].to_list() == [1, 2, 3, 4]


def test_the_value_at_the_lower_result_stands_to_the_left_and_ends_have_their_unit(bars):
    points = bars.filter(name="Points programme")
    # A lower chance of leaving brings more: its low end, 0.74, is at the right.
    assert points.select("_left", "_right").row(0) == ("0.97", "0.74")
    assert points["low"].to_list() == ["0.74", f"55{NBSP}%", f"USD{NBSP}170", f"55{NBSP}days"]
    assert all(label.count("\n") <= 1 for label in bars["_label"])


def test_of_more_than_three_strategies_those_that_move_most_keep_their_colours():
    small = (
        cases_tornado()
        .filter(strategy="coupon")
        .with_columns(strategy=pl.lit("small"), title=pl.lit("Small one"), swing=pl.lit(1.0))
    )
    figure = _figure(pl.concat([small, cases_tornado()]))
    assert _rows_tornado(figure)["name"].unique(maintain_order=True).to_list() == list(STRATEGIES.values())
    assert "Shown: the three of four programmes whose NPV moves most" in " ".join(figure["title"]["subtitle"])
    # The one that is not drawn has the first colour.
    assert figure["spec"]["layer"][0]["encoding"]["color"]["scale"]["domain"][0] == "Small one"


def test_the_description_reads_the_largest_swings(specs):
    assert (
        f"Points programme, base case: USD{NBSP}6,100. Members' chance of leaving against what it would be; "
        "read from a published rise in lifetime value: 27,500 at 0.74, −14,000 at 0.97"
    ) in specs["tornado"]["description"]


def test_an_empty_table_is_refused():
    with pytest.raises(TableError, match="TORNADO: the table is empty"):
        tornado(empty(TORNADO), "USD")


def _rows_heat(figure):
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


@pytest.fixture(scope="module")
def cells(specs):
    return _rows_heat(specs["heat_map"])


def test_the_title_counts_the_nodes_that_pay(specs):
    # Points: 3.1 - 11.2 i - 2.9 j with i, j from -2 to 2 is above zero at all ten nodes of i < 0, and at i = 0 for
    # j <= 1, four of five.
    assert _finding(specs["heat_map"]) == (
        "Pairs of values with a positive NPV: 12 of 25 for Free shipping from a threshold on, 14 of 25 for Points "
        "programme and none of 5 for Win-back coupon"
    )


def test_of_more_than_three_strategies_the_least_and_the_most_are_alt_text():
    more = heat().filter(strategy="coupon").with_columns(title=pl.lit("Coupon again"))
    assert _finding(heat_map(pl.concat([heat(), more]), "USD").to_dict()) == (
        "Pairs of values with a positive NPV: none of 5 (Win-back coupon) to 14 of 25 (Points programme)"
    )


def test_each_cell_prints_its_value_in_few_characters(cells):
    rows = cells.filter(name="Points programme")
    # Highest licence first: 3.1 + 22.4 - 5.8 = 19.7 thousand at the left.
    assert rows["_cell"].to_list()[:5] == ["20k", "8.5k", "−2.7k", "−14k", "−25k"]


def test_the_scale_is_centred_at_zero(specs):
    low, middle, high = specs["heat_map"]["spec"]["layer"][0]["encoding"]["fill"]["scale"]["domain"]
    # 0.35 + 56 + 26 = 82.35 thousand, the result that is farthest from zero.
    assert (low, middle, high) == (-82_350.0, 0.0, 82_350.0)


def test_the_line_runs_between_gains_and_losses_and_nowhere_else(cells):
    rows = cells.filter(name="Points programme")
    right = rows.filter("_right").select("x", "y").rows()
    # At the highest licence the third cell is a loss; below it the third is a gain and the fourth a loss.
    assert right == [("0.78", f"USD{NBSP}500"), *(("0.85", f"USD{NBSP}{licence}") for licence in (350, 250, 200, 150))]
    assert rows.filter("_below").select("x", "y").rows() == [("0.85", f"USD{NBSP}500")]


def test_the_axes_are_named_in_words_also_where_there_is_only_one(cells):
    first = cells.filter(pl.col("_first")).rows(named=True)[0]
    assert first["_note"] == "Horizontal axis: order rate, against before"
    assert first["_down"] == "Vertical axis: share of the orders that were above the threshold already"
    one = cells.filter(name="Win-back coupon")
    assert one["y"].unique().to_list() == [""]
    assert one["_down"][0] == "It has no second uncertain assumption"


def test_a_strategy_without_any_number_is_one_cell_that_says_so():
    none = heat().filter(strategy="coupon").head(1).with_columns(x_id=pl.lit(""), x=pl.lit(0.0))
    cell = _rows_heat(heat_map(none, "USD").to_dict())
    assert cell.select("x", "y", "_note").row(0) == ("", "", "None of its own assumptions is uncertain")


def test_the_description_gives_the_worst_and_the_best_node(specs):
    worst = f"Win-back coupon: from USD{NBSP}−15,700 at Share of the orders that use it 65{NBSP}% to"
    assert worst in specs["heat_map"]["description"]
