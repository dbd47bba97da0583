"""Tables and figures of a business case are escaped, machine-readable, light, and the same on every run."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import polars as pl
import pytest
import vl_convert

from cxsim.errors import TableError
from cxsim.reporting.business.break_even import Card, in_cards
from cxsim.reporting.business.decision import lead
from cxsim.reporting.business.information import value_of_information, variance_split
from cxsim.reporting.business.investment import cash_fan
from cxsim.reporting.business.portfolio import efficient_frontier
from cxsim.reporting.business.register import assumptions_table
from cxsim.reporting.business.returns import structures_table
from cxsim.reporting.business.statement import benefit_waterfall, statement_table
from cxsim.reporting.business.tornado import heat_map, tornado
from cxsim.reporting.shop.clv_fit import fit_table
from cxsim.reporting.tables import ROWS, TABLE, Column, Prose, TableSpec, machine_readable, remark
from cxsim.wording import NBSP, percent
from tests.reporting.business.cases import (
    STRATEGIES,
    fan,
    heat,
    information,
    pathways,
    portfolio,
    split,
    tornado as cases_tornado,
)


@pytest.fixture(scope="module")
def structures(returns):
    """The returns under two models of leaving."""
    return pl.concat(returns.with_columns(structure=pl.lit(name)) for name in ("bgnbd", "mbgnbd"))


@pytest.fixture(scope="module")
def tables(structures, totals, assumptions):
    return [structures_table(structures, "USD"), statement_table(totals, "USD"), assumptions_table(assumptions, "USD")]


def test_a_table_is_stored_for_the_eye_for_machines_and_as_one_line(tables):
    for table in tables:
        assert set(table._repr_mimebundle_()) == {"text/html", TABLE, "text/plain"}
        assert table._repr_mimebundle_()["text/plain"] == f"<table: {table.title}>"


def test_a_table_is_stored_the_same_way_twice_with_the_unrounded_numbers(tables, structures):
    again = structures_table(structures, "USD")
    assert json.dumps(tables[0]._repr_mimebundle_()) == json.dumps(again._repr_mimebundle_())
    first, _, third = (dict(zip(again.machine()["columns"], row, strict=True)) for row in again.machine()["rows"][:3])
    assert (first["incremental_npv"], first["strategy"]) == (41_234.5, "free_delivery")
    assert third["payback_months"] is None


def test_the_styles_of_a_table_reach_no_other_table(tables):
    assert len({table.id for table in tables}) == len(tables)
    for table in tables:
        sheet = re.search(r"<style>(.*?)</style>", table.html(), flags=re.DOTALL)[1]
        rules = re.findall(r"([^{}]+)\{", sheet)
        assert rules
        assert all(rule.startswith(f"#{table.id}") for rule in rules)


def test_a_linked_table_is_its_title_on_a_page_and_can_be_opened_in_a_notebook(tables, monkeypatch):
    linked = replace(tables[0], fold="linked", title="A <b>")
    assert linked.html().startswith("<details><summary>A &lt;b&gt;</summary><div")
    monkeypatch.setenv(ROWS, "all")
    page = linked._repr_mimebundle_()
    assert page["text/html"] == "<p><strong>A &lt;b&gt;</strong></p>"
    assert page[TABLE]["rows"] == tables[0].machine()["rows"]


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
    columns = {"x": Column("X", align="text")}
    html = TableSpec(id="t", title="T", subtitle="", group="group", line="line", columns=columns).render(cells).html()
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
        (["fund"], "Fund Ann."),
        (["reject"] * 3, "Do not fund Ann, Ben or Cy."),
        (["pilot"] * 2, "Pilot Ann and Ben first."),
        (["pilot", "fund", "reject"], "Fund Ben. Pilot Ann first. Do not fund Cy."),
    ],
)
def test_the_lead_says_what_to_do(decided, sentence):
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


MONEY = {
    "cash_fan": (cash_fan, fan, "FAN"),
    "tornado": (tornado, cases_tornado, "TORNADO"),
    "heat_map": (heat_map, heat, "HEAT"),
    "benefit_waterfall": (benefit_waterfall, pathways, "PATHWAYS"),
    "efficient_frontier": (efficient_frontier, portfolio, "PORTFOLIO"),
    "worth_of_knowing": (value_of_information, information, "INFORMATION"),
}


PANELS = ("cash_fan", "tornado", "heat_map", "benefit_waterfall", "variance_split")


def _rows(spec):
    return max(spec["datasets"].values(), key=len)


def _colours(spec):
    """Yield the ranges of all scales of names of strategies."""
    if isinstance(spec, dict):
        if spec.get("field") == "name" and "scale" in spec:
            yield dict(zip(spec["scale"]["domain"], spec["scale"]["range"], strict=True))
        for key, part in spec.items():
            if key != "datasets":
                yield from _colours(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from _colours(part)


@pytest.mark.parametrize("name", MONEY)
def test_a_table_under_another_contract_is_refused(name):
    figure, table, contract = MONEY[name]
    with pytest.raises(TableError, match=f"{contract}: no column 'title'"):
        figure(table().drop("title"), "USD")


def test_a_split_under_another_contract_is_refused():
    with pytest.raises(TableError, match="SPLIT: no column 'share'"):
        variance_split(split().drop("share"))


def test_a_title_states_a_finding_and_a_subtitle_which_interval_and_currency_is_drawn(specs):
    for name, spec in specs.items():
        title, subtitle = (" ".join(spec["title"][part]) for part in ("text", "subtitle"))
        assert not title.endswith("."), name
        assert re.search("interval|simulation error", subtitle), name
        assert name not in MONEY or "USD" in subtitle, name


def test_each_strategy_has_a_panel_and_the_colour_of_its_place_in_the_scenario(specs):
    expected = dict(zip(STRATEGIES.values(), ("#0072B2", "#D55E00", "#009E73"), strict=True))
    for name in PANELS:
        found = list(_colours(specs[name]))
        assert found, name
        assert all(scale == expected for scale in found), name
        order = pl.DataFrame(_rows(specs[name]), infer_schema_length=None)["name"].unique(maintain_order=True)
        assert order.to_list() == list(STRATEGIES.values()), name


@pytest.mark.usefixtures("enabled")
def test_a_figure_of_three_strategies_is_light_and_no_wider_than_a_page(case_figures):
    # A page holds a dozen figures and must stay below 1.5 MB beside the 0.9 MB of what draws them: 25 + 15 kB each.
    for name, figure in case_figures.items():
        spec = json.dumps(figure.to_dict(), separators=(",", ":"))
        svg = vl_convert.vegalite_to_svg(spec, vl_version="6.4")
        assert len(spec) < 16_000, name
        assert len(svg) < 40_000, name
        # 640 pixels, 16 of padding, and half a label of the last tick.
        assert float(svg.split('width="', 1)[1].split('"', 1)[0]) < 690, name


def test_what_is_read_out_does_not_depend_on_the_order_of_rows_within_a_strategy(specs):
    for name in ("tornado", "benefit_waterfall"):
        figure, table, _ = MONEY[name]
        mixed = pl.concat(own.reverse() for _, own in table().group_by("strategy", maintain_order=True))
        assert figure(mixed, "USD").to_dict()["description"] == specs[name]["description"]
