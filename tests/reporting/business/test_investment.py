"""Strategies as investments: returns, cash over time and debts to customers."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.finance.returns import INVESTMENT
from cxsim.reporting.business.investment import cash_fan, investment_table, liabilities_table
from cxsim.study.business.liabilities import LIABILITIES
from cxsim.tables import check, empty
from tests.reporting.business.cases import fan

NBSP = "\N{NO-BREAK SPACE}"
_SIGNS = (
    "Expected NPV is clearly positive for Free delivery and Points <b>& more</b>, clearly negative for Win-back coupon"
)


@pytest.fixture(scope="module")
def investment(returns):
    """Beside the made-up returns: a sound investment, one with two internal rates, one without any income."""
    table = pl.DataFrame(
        {
            "strategy": returns["strategy"],
            "title": returns["title"],
            "npv_low_80": [15_000.0, -15_000.0, -14_000.0],
            "npv_high_80": [80_000.0, 29_000.0, -4_000.0],
            "cvar": [-4_100.0, -27_000.0, -16_000.0],
            "cvar_mc_error": [2_100.0, 1_500.0, 300.0],
            "hurdle": [0.15] * 3,
            "prob_above_hurdle": [0.81, 0.42, None],
            "discounted_payback_months": [15.2, 33.0, None],
            "irr": [0.346, None, None],
            "irr_remark": ["one rate", "several rates possible: 10 % and 20 %", "no inflow: nothing comes back"],
            "mirr": [0.224, 0.05, -0.123],
            "peak_funding": [66_500.0, 31_200.0, 18_000.0],
            "npv_per_customer": [2.06, 0.306, -0.474],
            "after_horizon": [4_100.0, -800.0, 0.0],
            "after_horizon_low": [900.0, -2_400.0, 0.0],
            "after_horizon_high": [9_300.0, 500.0, 0.0],
            "benefits_pv": [162_574.5, 70_330.0, 9_270.0],
            "costs_pv": [121_340.0, 64_210.0, 18_750.0],
            "benefit_haircut": [0.2] * 3,
            "cost_uplift": [0.1] * 3,
            "risk_adjusted_npv": [2_414.0, -14_367.0, -13_209.0],
            "risk_adjusted_roi": [0.018, -0.203, None],
            "after_horizon_rule": ["excluded"] * 3,
        }
    )
    return check(table, INVESTMENT)


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return [re.sub("<[^>]+>", "", cell).replace(NBSP, " ") for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]


def _html(returns, investment):
    return investment_table(returns, investment, "USD").html()


def test_every_figure_stands_in_its_group_with_its_interval_or_error(returns, investment, as_text, snapshot):
    table = investment_table(returns, investment, "USD")
    html = table.html()
    groups = re.findall(r'class="gt_group_heading"[^>]*>(.*?)<', html)
    assert groups == ["Value", "After the horizon", "Risk", "Return", "Payback", "Risk-adjusted"]
    assert _row(html, "Expected NPV, USD")[0] == "41,200 ± 1,210"
    assert _row(html, f"ROI, 90{NBSP}% interval") == ["7 % to 76 %", "−33 % to 55 %", "−80 % to −16 %"]
    assert _row(html, f"Chance of an ROI above 15{NBSP}%") == ["81 %", "42 %", "–"]
    assert _row(html, "Risk-adjusted ROI") == ["2 %", "−20 %", "–"]
    assert "<b>&" not in html
    assert len(html.encode()) < 25_000
    assert table.twin.height == 3
    assert set(returns.columns) | set(investment.columns) == set(table.twin.columns)
    # Why an internal rate does not exist is said below, and nothing of the others.
    assert as_text(table) == snapshot


def test_rates_near_zero_have_no_sign_and_large_ones_no_decimal(returns, investment):
    other = investment.with_columns(irr=pl.Series([-1e-14, 12.345, None]))
    assert _row(_html(returns, other), "IRR, per year") == ["0.0 %", "1,234 %", "–"]


def test_a_return_on_no_investment_is_a_dash(returns, investment):
    none = returns.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("roi", "roi_low", "roi_high"))
    html = _html(none, investment)
    assert _row(html, "Return on investment (ROI)") == _row(html, f"ROI, 90{NBSP}% interval") == ["–"] * 3


def test_without_a_rule_there_is_no_adjusted_case(returns, investment):
    plain = investment.with_columns(benefit_haircut=0.0, cost_uplift=0.0)
    table = investment_table(returns, plain, "USD")
    assert table.title == _SIGNS
    assert "Risk-adjusted" not in table.html()
    assert "No risk-adjusted case" in table.html()


def test_the_title_says_which_npv_is_clear_and_which_holds_after_adjustment(returns, investment):
    title = investment_table(returns, investment, "USD").title.replace(NBSP, " ")
    adjusted = "with benefits cut by 20 % and costs raised by 10 %, it is positive for"
    assert title == f"{_SIGNS}; {adjusted} Free delivery"
    none = investment.with_columns(risk_adjusted_npv=-1.0)
    assert investment_table(returns, none, "USD").title.replace(NBSP, " ") == f"{_SIGNS}; {adjusted} none"


@pytest.mark.parametrize(
    ("npv", "finding"), [(-2.01, "clearly negative"), (-2.0, "without a clear sign"), (2.01, "clearly positive")]
)
def test_a_sign_is_clear_beyond_two_simulation_errors(returns, investment, npv, finding):
    same = returns.with_columns(incremental_npv=pl.lit(npv), npv_mc_error=pl.lit(1.0))
    title = investment_table(same, investment, "USD").title
    assert title.startswith(f"Expected NPV is {finding} for Free delivery, Points <b>& more</b> and Win-back coupon;")


def test_tables_of_other_strategies_are_refused(returns, investment):
    with pytest.raises(TableError, match="they must be the same, at least one"):
        investment_table(returns, investment.reverse(), "USD")
    with pytest.raises(TableError, match="at least one"):
        investment_table(returns.clear(), investment.clear(), "USD")


def test_rules_that_differ_between_strategies_are_refused(returns, investment):
    mixed = investment.with_columns(hurdle=pl.Series([0.1, 0.1, 0.3]))
    with pytest.raises(TableError, match=r"found several values of hurdle: 0\.1 and 0\.3"):
        investment_table(returns, mixed, "USD")


def test_a_table_without_its_columns_is_refused(returns, investment):
    with pytest.raises(TableError, match="INVESTMENT: no column 'irr'"):
        investment_table(returns, investment.drop("irr"), "USD")


def _account(strategy, title, kind, **columns):
    """Return the rows of two years and their total."""
    nothing = dict.fromkeys(LIABILITIES.columns, (0.0, 0.0, 0.0))
    numbers = {**nothing, **columns}
    return [
        {name: numbers[name][place] for name in LIABILITIES.columns}
        | {"strategy": strategy, "title": title, "kind": kind, "period": period}
        for place, period in enumerate(("Year 1", "Year 2", "Total"))
    ]


@pytest.fixture(scope="module")
def points():
    """Points with markup in the title: 24.00 owed at the end of year 1, 8.00 at the end."""
    return _account(
        "points",
        "Points <b>",
        "points",
        opening=(0.0, 24.0, 0.0),
        issued=(40.0, 0.0, 40.0),
        redeemed=(16.0, 8.0, 24.0),
        expired=(0.0, 8.0, 8.0),
        closing=(24.0, 8.0, 8.0),
        points_issued=(1_000.0, 0.0, 1_000.0),
        points_outstanding=(600.0, 200.0, 200.0),
        contract_opening=(0.0, 15.42, 0.0),
        contract_deferred=(29.13, 0.0, 29.13),
        contract_recognised=(13.71, 9.59, 23.30),
        contract_closing=(15.42, 5.83, 5.83),
        cash_revenue=(900.0, 0.0, 900.0),
        accrual_revenue=(884.58, 9.59, 894.17),
    )


@pytest.fixture(scope="module")
def fees():
    """A fee of 36.50, of which 1.55 is still to be earned in the second year."""
    return _account(
        "membership",
        "Membership",
        "fees",
        points_issued=(None, None, None),
        points_redeemed=(None, None, None),
        points_expired=(None, None, None),
        points_outstanding=(None, None, None),
        issued=(36.50, 0.0, 36.50),
        redeemed=(34.95, 1.55, 36.50),
        closing=(1.55, 0.0, 0.0),
        contract_opening=(0.0, 1.55, 0.0),
        contract_deferred=(36.50, 0.0, 36.50),
        contract_recognised=(34.95, 1.55, 36.50),
        contract_closing=(1.55, 0.0, 0.0),
        cash_revenue=(36.50, 0.0, 36.50),
        accrual_revenue=(34.95, 1.55, 36.50),
    )


def _table(*accounts):
    return pl.DataFrame([row for account in accounts for row in account], schema=empty(LIABILITIES).schema)


def test_points_and_fees_roll_forward_and_revenue_stands_in_both_views(points, fees, as_text, snapshot):
    table = _table(points, fees)
    both = liabilities_table(table, "USD")
    assert both.twin.equals(table)
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>([^<]*)</th>', both.html())
    assert bold == [
        "Points at face value: closing balance", "Contract liability: closing balance",
        "Members&#x27; revenue (accrual view)", "Contract liability: closing balance",
        "Revenue from fees (accrual view)",
    ]  # fmt: skip
    assert as_text(both) == snapshot
    html = liabilities_table(_table(fees), "USD").html()
    assert "oints" not in html
    assert "breakage" not in html


def test_the_title_says_what_is_owed_at_the_end(points, fees):
    assert liabilities_table(_table(points), "USD").title == (
        f"Contract liability at the end of the horizon (IFRS 15): USD{NBSP}5.83 with Points <b> (USD{NBSP}8.00 if "
        "every point is redeemed)"
    )
    assert liabilities_table(_table(points, fees), "USD").title == (
        f"Contract liability at the end of the horizon (IFRS 15): USD{NBSP}5.83 with Points <b> and USD{NBSP}0 with "
        "Membership"
    )


def test_points_and_fees_of_one_combination_are_added_up_in_the_title(points, fees):
    together = [row | {"strategy": "both", "title": "Both"} for row in (*points, *fees)]
    fees_owed = [row | {"contract_closing": 1.55} for row in together[3:]]
    title = liabilities_table(_table(together[:3], fees_owed), "USD").title
    # 5.83 of points and 1.55 of fees.
    assert f"USD{NBSP}7.38 with Both" in title


def test_of_many_strategies_the_title_names_the_one_that_owes_most(fees):
    many = [
        [row | {"strategy": f"s{number}", "title": f"Number {number}", "contract_closing": owed} for row in fees]
        for number, owed in enumerate((1.0, 7.0, 3.0, 2.0))
    ]
    assert liabilities_table(_table(*many), "EUR").title == (
        f"Largest contract liability at the end of the horizon (IFRS 15): EUR{NBSP}7.00 with Number 1"
    )


def test_where_nothing_is_owed_a_sentence_says_why():
    said = liabilities_table(empty(LIABILITIES), "USD")
    assert said.text == (
        "None of the programmes issues points or takes fees in advance: there is no liability to customers, and "
        "revenue is the same in the cash view and the accrual view."
    )


def test_another_table_is_refused(points):
    with pytest.raises(TableError, match=r"^LIABILITIES: no column 'closing'"):
        liabilities_table(_table(points).drop("closing"), "USD")


def _rows_fan(figure):
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


def _drawn(fan):
    return _rows_fan(cash_fan(fan, "USD").to_dict())


def _finding(figure):
    return " ".join(figure["title"]["text"])


def test_the_title_sorts_strategies_by_where_their_interval_ends(specs):
    assert _finding(specs["cash_fan"]) == (
        f"Cumulative cash after 36 months, 90{NBSP}% interval: above zero for Free shipping from a threshold on; "
        "includes zero for Points programme; below zero for Win-back coupon"
    )
    # -20,000 + 1,540 * 35 = 33,900, and 1.64 * 350 * 37 = 21,238 to both sides.
    at_the_end = f"USD{NBSP}33,900 (12,700 to 55,100) at the end; the mean stays above zero from month 14"
    assert at_the_end in specs["cash_fan"]["description"]


def test_more_than_three_strategies_are_counted():
    more = fan().filter(strategy="coupon").with_columns(strategy=pl.lit("again"), title=pl.lit("Coupon again"))
    assert _finding(cash_fan(pl.concat([fan(), more]), "USD").to_dict()) == (
        f"Cumulative cash after 36 months, 90{NBSP}% interval: above zero for 1 of 4 strategies; includes zero "
        "for 1 of 4 strategies; below zero for 2 of 4 strategies"
    )


def test_each_panel_tells_the_month_of_payback_and_rings_it(specs):
    # -20,000 + 1,540 m and -15,000 + 540 m reach zero at m = 13 and m = 28, the fourteenth and the 29th month.
    rows = _rows_fan(specs["cash_fan"])
    assert [note for note in rows["_note"] if note] == [
        "Mean stays above zero from month 14",
        "Mean stays above zero from month 29",
        "Mean does not stay above zero within 36 months",
    ]
    assert rows.filter("_back")["month"].to_list() == [14, 29]


def test_a_mean_that_is_never_below_zero_needs_no_payback():
    ahead = fan().filter(strategy="free-shipping").with_columns(mean=pl.lit(5.0))
    assert _drawn(ahead)["_note"][0] == "Mean is never below zero"


def test_payback_counts_from_the_month_after_which_the_mean_stays_above_zero():
    dip = pl.when(pl.col("month") == 30).then(-1.0).otherwise(pl.col("mean"))
    drawn = _drawn(fan().filter(strategy="free-shipping").with_columns(mean=dip))
    assert drawn.filter("_back")["month"].item() == 32


def test_every_third_month_of_three_years_is_drawn_and_the_trough_and_all_of_a_year():
    low = pl.when(pl.col("month") == 4).then(-99_000.0).otherwise(pl.col("mean"))
    coupon = fan().filter(strategy="coupon")
    assert _drawn(coupon.with_columns(mean=low))["month"].to_list() == [1, 3, 5, *range(6, 37, 3)]
    assert _drawn(coupon.head(12))["month"].to_list() == list(range(1, 13))


def test_the_months_do_not_depend_on_where_counting_starts(specs):
    later = fan().with_columns(month=pl.col("month") + 1)
    assert cash_fan(later, "USD").to_dict() == specs["cash_fan"]
