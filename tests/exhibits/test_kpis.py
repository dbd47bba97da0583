"""Figures of customer experience stand side by side with their definitions, and promise nothing."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.decision import kpis_table
from cxsim.study.business.kpis import KPIS
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"


def _row(strategy, kpi, unit, direction, numbers):
    baseline, treated, low, high = numbers
    return {
        "strategy": strategy,
        "title": f"The <{strategy}>",
        "kpi": kpi,
        "label": f"Label of {kpi}",
        "definition": "How many <there> are.",
        "unit": unit,
        "direction": direction,
        "baseline": baseline,
        "treated": treated,
        "difference": treated - baseline,
        "low": low,
        "high": high,
    }


@pytest.fixture
def figures():
    """Every unit once, and the leading figure with three strategies."""
    return pl.DataFrame(
        [
            _row("points", "orders_per_customer", "ratio", "up", (3.125, 3.25, 0.05, 0.20)),
            _row("sale", "orders_per_customer", "ratio", "up", (3.125, 3.0, -0.15, -0.10)),
            _row("mail", "orders_per_customer", "ratio", "up", (3.125, 3.1, -0.05, 0.01)),
            _row("points", "aov_net", "money", "up", (37.004, 36.954, -0.0612, 0.0012)),
            _row("points", "discount_share", "share", "down", (0.10, 0.125, 0.02, 0.03)),
            _row("points", "nps", "score", "up", (20.0, 21.5, -1.0, 4.0)),
            _row("points", "member_months", "count", "none", (0.0, 1_234.4, 1_000.0, 1_500.0)),
        ],
        schema=empty(KPIS).schema,
    )


def _cells(html, label, title="The &lt;points&gt;"):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, flags=re.DOTALL)
    heading = next(place for place, row in enumerate(rows) if label in row)
    row = next(row for row in rows[heading + 1 :] if title in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", row)


def test_each_unit_is_written_as_it_is_read(figures):
    html = kpis_table(figures, "USD").html()
    assert _cells(html, "orders_per_customer") == [
        "3.12", "3.25", "+0.125", "+0.050 to +0.200", "higher, clearly (better)",
    ]  # fmt: skip
    # Less than a cent is not told.
    assert _cells(html, "aov_net") == [
        f"USD{NBSP}37.0", f"USD{NBSP}37.0", f"USD{NBSP}−0.05", "−0.06 to 0.00", f"no{NBSP}clear{NBSP}change",
    ]  # fmt: skip
    assert _cells(html, "discount_share") == [
        f"10.0{NBSP}%", f"12.5{NBSP}%", f"+2.5{NBSP}pp", f"+2.0 to +3.0{NBSP}pp", "higher, clearly (worse)",
    ]  # fmt: skip
    assert _cells(html, "nps") == ["20.0", "21.5", "+1.5", "−1.0 to +4.0", f"no{NBSP}clear{NBSP}change"]
    assert _cells(html, "member_months") == ["0", "1,234", "+1,234", "+1,000 to +1,500", "higher, clearly"]


def test_each_figure_is_headed_by_its_definition_and_holds_all_strategies(figures):
    html = kpis_table(figures, "USD").html()
    assert html.count("Label of orders_per_customer: how many &lt;there&gt; are.") == 1
    changes = [_cells(html, "orders_per_customer", f"The &lt;{name}&gt;")[2] for name in ("points", "sale", "mail")]
    assert changes == ["+0.125", "−0.125", "−0.0250"]


def test_the_title_says_how_much_the_number_of_orders_changes(figures):
    # 0.125 of 3.125 is 4 %; the third interval holds zero.
    assert kpis_table(figures, "USD").title == (
        f"Orders per customer change by +4.0{NBSP}% with The <points> and −4.0{NBSP}% with The <sale>"
    )


def test_a_title_names_three_strategies_and_counts_the_others(figures):
    clear = [
        _row(name, "orders_per_customer", "ratio", "up", (2.0, 2.0 + gain, 0.5 * gain, 2.0 * gain))
        for name, gain in (("a-1", 0.02), ("b", 0.08), ("c", 0.04), ("d", 0.06), ("e", 0.01))
    ]
    title = kpis_table(pl.DataFrame(clear, schema=figures.schema), "USD").title
    assert title == (
        f"Orders per customer change by +4.0{NBSP}% with The <b>, +3.0{NBSP}% with The <d> and +2.0{NBSP}% with The "
        "<c>, and clearly with two more"
    )


def test_a_hyphen_in_a_title_stays_one(figures):
    one = _row("win-back", "orders_per_customer", "ratio", "up", (2.0, 2.1, 0.05, 0.15))
    title = kpis_table(pl.DataFrame([one], schema=figures.schema), "USD").title
    assert title == f"Orders per customer change by +5.0{NBSP}% with The <win-back>"


def test_where_no_interval_leaves_zero_out_the_title_says_so(figures):
    table = kpis_table(figures.filter(strategy="mail"), "USD")
    assert table.title == "No strategy clearly changes how often customers order"


def test_it_says_that_it_is_no_forecast_of_scores(figures):
    html = kpis_table(figures, "USD").html()
    assert "Follows from the simulation: it shows by which way the money comes, and is no forecast of scores." in html


def test_names_and_definitions_are_text_and_no_markup(figures):
    html = kpis_table(figures, "USD").html()
    assert "<there>" not in html
    assert "<points>" not in html


def test_without_figures_a_sentence_says_why():
    assert kpis_table(empty(KPIS), "USD").text == (
        "There are no figures to compare: no strategy here is believed, so none was played against doing nothing."
    )


def test_the_twin_keeps_the_numbers(figures):
    assert kpis_table(figures, "USD").twin.equals(figures)


def test_another_table_is_refused(figures):
    with pytest.raises(TableError, match=r"^KPIS: no column 'low'"):
        kpis_table(figures.drop("low"), "USD")
