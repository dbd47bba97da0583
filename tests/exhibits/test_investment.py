"""Strategies as investments stand side by side, the risk-adjusted case below the simulated one."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.finance.returns import INVESTMENT
from cxsim.reporting.business.investment import investment_table
from cxsim.tables import check

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
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
            "profitability_index": [1.62, 1.04, -0.001],
            "peak_funding": [66_500.0, 31_200.0, 18_000.0],
            "npv_per_customer": [2.06, 0.306, -0.474],
            "benefits_pv": [162_574.5, 70_330.0, 9_270.0],
            "costs_pv": [121_340.0, 64_210.0, 18_750.0],
            "benefit_haircut": [0.2] * 3,
            "cost_uplift": [0.1] * 3,
            "risk_adjusted_npv": [2_414.0, -14_367.0, -13_209.0],
            "risk_adjusted_roi": [0.018, -0.203, None],
        }
    )
    return check(table, INVESTMENT)


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return [cell.replace(NBSP, " ") for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]


def _html(returns, investment):
    return investment_table(returns, investment, "USD").html()


def test_figures_stand_in_groups_in_the_order_of_the_question(returns, investment):
    groups = re.findall(r'class="gt_group_heading"[^>]*>(.*?)<', _html(returns, investment))
    assert groups == ["Decision", "Worth", "Chance", "Return", "Time", "Money tied up", "Risk-adjusted"]


def test_worth_has_both_intervals_and_the_mean_of_the_worst_tenth(returns, investment):
    html = _html(returns, investment)
    assert _row(html, "Net present value, USD")[0] == "41,000 ± 1,210"
    assert _row(html, f"Its 80{NBSP}% interval")[0] == "15,000 to 80,000"
    assert _row(html, f"Its 90{NBSP}% interval")[0] == "8,000 to 92,000"
    assert _row(html, "Mean of the worst tenth, USD")[1] == "−27,000 ± 1,500"
    assert _row(html, "Net present value per customer, USD") == ["2.06", "0.306", "−0.474"]


def test_every_figure_of_the_returns_is_there(returns, investment):
    html = _html(returns, investment)
    assert _row(html, "What the rule says") == ["Fund", "Pilot first", "Do not fund"]
    assert _row(html, "Of a gain") == ["97 % ± 1", "62 % ± 3", "less than 0.5 % ± 0.0"]
    assert _row(html, "On outlay") == ["34 % ± 1", "10 % ± 1", "−51 % ± 1"]
    assert _row(html, f"On outlay, 90{NBSP}% interval") == ["7 % to 76 %", "−33 % to 55 %", "−80 % to −16 %"]
    assert _row(html, "Breaks even at, of the planned outlay") == ["134 %", "110 %", "49 %"]
    assert _row(html, "Payback in half of the draws, months") == ["14 ± 0.4", "28 ± 1", "–"]
    assert _row(html, "Payback in nine draws of ten, months") == ["31", "–", "–"]
    assert _row(html, "Of payback within the horizon") == ["95 %", "55 %", "2 %"]


def test_the_hurdle_is_alt_text_beside_its_chance(returns, investment):
    assert _row(_html(returns, investment), f"Of a return on outlay above 15{NBSP}%") == ["81 %", "42 %", "–"]


def test_rates_have_a_decimal_and_what_does_not_exist_is_a_dash(returns, investment):
    html = _html(returns, investment)
    assert _row(html, "Internal rate (IRR), per year") == ["34.6 %", "–", "–"]
    assert _row(html, "Modified internal rate (MIRR), per year") == ["22.4 %", "5.0 %", "−12.3 %"]
    assert _row(html, "Profitability index") == ["1.62", "1.04", "0.00"]
    assert _row(html, "Discounted payback, months") == ["15", "33", "–"]


def test_rates_near_zero_have_no_sign_and_large_ones_no_decimal(returns, investment):
    other = investment.with_columns(irr=pl.Series([-1e-14, 12.345, None]))
    assert _row(_html(returns, other), "Internal rate (IRR), per year") == ["0.0 %", "1,234 %", "–"]


def test_why_there_is_no_internal_rate_is_said_below_and_nothing_of_the_others(returns, investment):
    html = _html(returns, investment)
    alt_text = "Internal rate of Points &lt;b&gt;&amp; more&lt;/b&gt;: several rates possible: 10 % and 20 %."
    assert alt_text in html
    assert "Internal rate of Win-back coupon: no inflow: nothing comes back." in html
    assert "Internal rate of Free delivery" not in html


def test_the_adjusted_case_stands_below_the_simulated_one(returns, investment):
    html = _html(returns, investment)
    assert _row(html, "Net present value as simulated, USD") == ["41,200", "6,100", "−9,500"]
    assert _row(html, "Net present value, risk-adjusted, USD") == ["2,400", "−14,400", "−13,200"]
    assert _row(html, "Return on outlay, risk-adjusted") == ["2 %", "−20 %", "–"]
    assert f"benefits cut by 20{NBSP}% and costs raised by 10{NBSP}%" in html


def test_without_a_rule_there_is_no_adjusted_case(returns, investment):
    plain = investment.with_columns(benefit_haircut=0.0, cost_uplift=0.0)
    table = investment_table(returns, plain, "USD")
    assert table.title == "On average Free delivery and Points <b>& more</b> bring more than doing nothing"
    assert "Risk-adjusted" not in table.html()
    assert "No risk-adjusted case" in table.html()


def test_the_title_says_which_hold_even_after_adjustment(returns, investment):
    title = investment_table(returns, investment, "USD").title.replace(NBSP, " ")
    assert title == (
        "Even with benefits cut by 20 % and costs raised by 10 %, Free delivery brings more than doing nothing"
    )
    none = investment.with_columns(risk_adjusted_npv=-1.0)
    title = investment_table(returns, none, "USD").title.replace(NBSP, " ")
    assert title == "With benefits cut by 20 % and costs raised by 10 %, no strategy brings more than doing nothing"


def test_the_title_says_so_when_nothing_pays(returns, investment):
    losses = returns.with_columns(incremental_npv=-pl.col("incremental_npv").abs())
    title = investment_table(losses, investment, "USD").title
    assert title == "On average no strategy earns back its outlay"


@pytest.mark.parametrize("word", ["IRR", "MIRR", "CVaR", "Profitability index", "Outlay", "Payback", "Money tied up"])
def test_every_term_is_explained_below(returns, investment, word):
    notes = _html(returns, investment).split('class="gt_sourcenote"', maxsplit=1)[1]
    assert word in notes


def test_a_title_with_markup_stays_text_and_the_table_is_light(returns, investment):
    html = _html(returns, investment)
    assert "<b>&" not in html
    assert len(html.encode()) < 25_000


def test_the_twin_has_one_row_per_strategy_and_every_number_of_both(returns, investment):
    twin = investment_table(returns, investment, "USD").twin
    assert twin.height == 3
    assert set(returns.columns) | set(investment.columns) == set(twin.columns)


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
