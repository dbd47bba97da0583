"""What Jupyter stores of an exhibit is escaped, readable by machines, and the same on every run."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from cxsim.reporting.business.decision import lead
from cxsim.reporting.business.returns import returns_table
from cxsim.reporting.business.statement import statement_table
from cxsim.reporting.register import assumptions_table
from cxsim.reporting.shop.clv_fit import fit_table
from cxsim.reporting.tables import (
    TABLE,
    Card,
    Column,
    Prose,
    Table,
    TableSpec,
    in_cards,
    laid_out,
    machine_readable,
    remark,
)
from cxsim.wording import NBSP, percent


@pytest.fixture
def tables(returns, totals, assumptions):
    return [
        returns_table(returns, "USD"),
        statement_table(totals, "USD"),
        assumptions_table(assumptions, "USD"),
    ]


def test_a_table_is_stored_for_the_eye_for_machines_and_as_one_line(tables):
    for table in tables:
        assert set(table._repr_mimebundle_()) == {"text/html", TABLE, "text/plain"}
        assert table._repr_mimebundle_()["text/plain"] == f"<table: {table.title}>"


def test_a_table_is_stored_the_same_way_twice(returns):
    once, again = (returns_table(returns, "USD")._repr_mimebundle_() for _ in range(2))
    assert json.dumps(once) == json.dumps(again)


def test_markup_in_the_data_is_shown_and_not_obeyed(tables):
    for table in tables:
        for markup in ("<b>", "<cost>"):
            assert markup not in table.html()
    assert "Points &lt;b&gt;&amp; more&lt;/b&gt;" in tables[0].html()
    assert "Running &lt;cost&gt;." in tables[2].html()


def test_the_styles_of_a_table_reach_no_other_table(tables):
    for table in tables:
        sheet = re.search(r"<style>(.*?)</style>", table.html(), flags=re.DOTALL)[1]
        rules = re.findall(r"([^{}]+)\{", sheet)
        assert rules
        assert all(rule.startswith(f"#{table.id}") for rule in rules)


def test_ids_of_tables_differ(tables):
    assert len({table.id for table in tables}) == len(tables)


def test_the_twin_has_the_unrounded_numbers_in_the_order_of_its_columns(returns):
    twin = returns_table(returns, "USD").machine()
    first = dict(zip(twin["columns"], twin["rows"][0], strict=True))
    assert first["incremental_npv"] == 41_234.5
    assert first["strategy"] == "free_delivery"


def test_a_missing_number_is_null_in_the_twin(returns):
    twin = returns_table(returns, "USD").machine()
    assert dict(zip(twin["columns"], twin["rows"][2], strict=True))["payback_months"] is None


def test_numbers_of_the_twin_are_held_to_ten_digits():
    sources = fit_table(pl.DataFrame({"parameter": ["r"], "estimate": [1 / 3], "std_error": [0.01]}), "Fit")
    assert sources.machine()["rows"][0][1] == 0.3333333333


def test_the_twin_is_json(tables):
    for table in tables:
        assert json.loads(json.dumps(table.machine(), allow_nan=False)) == table.machine()


def test_prose_is_stored_with_and_without_markup():
    bundle = in_cards("Do it.", [Card("fund", "Fund", "Points", "It pays.")], "How to read this.")._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "<section" in bundle["text/html"]
    assert "<section" not in bundle["text/plain"]


def test_cells_do_not_repeat_the_names_of_their_heads_and_text_that_looks_so_is_left_alone():
    cells = pl.DataFrame({"line": ["A"], "group": ["G"], "x": ['<td headers="so">\n   <th']})
    layout = laid_out(cells, title="T", subtitle="", heads={"x": "X"}, text=("x",))
    html = Table(id="t", title="T", layout=layout, twin=cells).html()
    assert " headers=" not in html.replace("&lt;td headers", "")
    assert 'scope="row"' in html
    assert 'scope="col"' in html
    assert "&lt;td headers" in html


def test_cells_in_bold_do_not_repeat_the_names_of_their_heads_either():
    spec = TableSpec(
        id="t",
        title="T",
        subtitle="",
        group="group",
        line="line",
        columns={"x": Column("X")},
        bold=lambda row: row["x"] > 1,
    )
    html = spec.render(pl.DataFrame({"line": ["A", "B"], "group": ["G", "G"], "x": [1, 2]})).html()
    assert html.count('style="font-weight: bold;"') == 2
    assert " headers=" not in html
    assert 'id="t-stub' not in html


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        (["fund"], "Ann is worth funding now."),
        (["reject"], "Ann is not worth funding."),
        (["fund", "fund"], "Both strategies are worth funding now."),
        (["reject", "reject"], "Neither strategy is worth funding."),
        (["reject"] * 3, "None of the three strategies is worth funding."),
        (["pilot"] * 3, "All three strategies are worth a pilot first."),
        (
            ["fund", "reject", "reject"],
            "Of three strategies, one is worth funding now (Ann) and two are not worth funding (Ben and Cy).",
        ),
        (
            ["pilot", "fund", "reject"],
            (
                "Of three strategies, one is worth funding now (Ben), one is worth a pilot first (Ann) "
                "and one is not worth funding (Cy)."
            ),
        ),
    ],
)
def test_the_lead_counts_the_decisions(decided, sentence):
    assert lead(list(zip(["Ann", "Ben", "Cy"], decided, strict=False))) == sentence


def test_a_table_that_runs_across_has_one_column_per_row():
    columns = {"x": Column("X, {currency}", group="G"), "share": Column("Share", write=percent, group="G")}
    spec = TableSpec(id="t", title="T", subtitle="", line="name", across="one", columns=columns)
    html = spec.render(pl.DataFrame({"name": ["A", "B"], "x": [1, 2000], "share": [0.5, None]}), "USD").html()
    cells = [text for text in re.split(r"\s*<[^>]*>\s*", html.split("</style>")[1]) if text]
    assert cells == ["T", "A", "B", "G", "X, USD", "1", "2,000", "Share", f"50{NBSP}%", "–"]


def test_sentences_may_carry_a_twin():
    plain = remark("Nothing.")
    assert TABLE not in plain._repr_mimebundle_()
    twin = machine_readable("a", "A", pl.DataFrame({"x": [1.5, None]}))
    alt_text = Prose(markup="<p>A</p>", text="A", twin=twin)._repr_mimebundle_()
    assert alt_text[TABLE] == {"id": "a", "title": "A", "columns": ["x"], "rows": [[1.5], [None]]}
