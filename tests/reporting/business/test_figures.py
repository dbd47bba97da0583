"""What all figures of a business case have in common: they say what they draw, and stay light."""

from __future__ import annotations

import json

import polars as pl
import pytest
import vl_convert

from cxsim.errors import TableError
from cxsim.reporting.business.information import value_of_information, variance_split
from cxsim.reporting.business.investment import cash_fan
from cxsim.reporting.business.portfolio import efficient_frontier
from cxsim.reporting.business.statement import benefit_waterfall
from cxsim.reporting.business.tornado import heat_map, tornado
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

MONEY = {
    "cash_fan": (cash_fan, fan, "FAN"),
    "tornado": (tornado, cases_tornado, "TORNADO"),
    "heat_map": (heat_map, heat, "HEAT"),
    "benefit_waterfall": (benefit_waterfall, pathways, "PATHWAYS"),
    "efficient_frontier": (efficient_frontier, portfolio, "PORTFOLIO"),
    "worth_of_knowing": (value_of_information, information, "INFORMATION"),
}
PANELS = ("cash_fan", "tornado", "heat_map", "benefit_waterfall", "variance_split")


def _rows(figure):
    return max(figure.to_dict()["datasets"].values(), key=len)


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


def test_a_title_states_a_finding_without_a_full_stop(case_figures):
    for name, figure in case_figures.items():
        assert not " ".join(figure.to_dict()["title"]["text"]).endswith("."), name


def test_a_subtitle_says_which_interval_is_drawn_or_why_there_is_none(case_figures):
    for name, figure in case_figures.items():
        assert "interval" in " ".join(figure.to_dict()["title"]["subtitle"]), name


def test_a_subtitle_of_money_names_the_currency(case_figures):
    for name in MONEY:
        assert "USD" in " ".join(case_figures[name].to_dict()["title"]["subtitle"]), name


def test_each_strategy_has_the_colour_of_its_place_in_the_scenario(case_figures):
    expected = dict(zip(STRATEGIES.values(), ("#0072B2", "#D55E00", "#009E73"), strict=True))
    for name in PANELS:
        found = list(_colours(case_figures[name].to_dict()))
        assert found, name
        assert all(scale == expected for scale in found), name


def test_every_panel_is_headed_by_its_strategy(case_figures):
    for name in PANELS:
        order = pl.DataFrame(_rows(case_figures[name]), infer_schema_length=None)["name"].unique(maintain_order=True)
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


def test_what_is_read_out_does_not_depend_on_the_order_of_rows_within_a_strategy(case_figures):
    for name in ("tornado", "benefit_waterfall"):
        figure, table, _ = MONEY[name]
        localise = pl.concat(own.reverse() for _, own in table().group_by("strategy", maintain_order=True))
        assert figure(localise, "USD").to_dict()["description"] == case_figures[name].to_dict()["description"]
