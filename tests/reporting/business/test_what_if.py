"""The sliders show what Python computes, to the printed digits; checked without a browser."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest
import vl_convert

from cxsim.errors import TableError
from cxsim.reporting.business.what_if import what_if
from tests.grids import by_hand, centre, lively, npv_at

# A whole unit is printed, so half of one is lost. Stored amounts are rounded too: three sums to a twentieth, one of
# them times a margin of at most 1 and one times a cost factor of at most 2, and two balances to a tenth, one of them
# times that factor: 0.025 * (1 + 1 + 2) + 0.05 * (1 + 2) = 0.25.
TOLERANCE = 0.5 + 0.25
START = {"x": 0.95, "y": 0.4, "margin": 0.45, "rate": 0.1, "horizon": 36, "cost": 1.0}
HAND = {"x": 2.0, "y": 0.4, "margin": 0.5, "rate": 0.1, "horizon": 2, "cost": 1.0}
_NAMES = {"x": "x_value", "y": "y_value"}


def _spec(grid, start) -> dict:
    (chart,) = what_if(grid, start, "USD")
    return chart.to_dict()


def _words(spec: dict, version: str = "6.4", written: str = "+,.3r", **values: float) -> str:
    """Return what the drawing prints with the sliders at these values; `written` is the format of the NPV."""
    moved = {_NAMES.get(name, name): value for name, value in values.items()}
    params = [{**param, "value": moved.get(param["name"], param["value"])} for param in spec["params"]]
    drawn = json.dumps({**spec, "params": params})
    assert drawn.count("'+,.3r'") == 1
    svg = vl_convert.vegalite_to_svg(drawn.replace("'+,.3r'", f"'{written}'"), vl_version=version)
    (words,) = re.findall(r">(NPV USD [^<]*)<", svg)
    return words


def _npv(spec: dict, **values: float) -> float:
    # In whole units, which show more of the arithmetic than the three digits that a reader sees.
    figure = re.match(r"NPV USD ([+\u2212]?[\d,]+) over", _words(spec, written="+,.0f", **values))[1]
    return float(figure.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def _bytes(spec: dict) -> int:
    return len(json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.fixture(scope="module")
def hand() -> dict:
    return _spec(by_hand(), centre(x=2.0, gross_margin=0.5, horizon_months=2))


@pytest.fixture(scope="module")
def spec() -> dict:
    return _spec(lively(), centre())


@pytest.mark.parametrize(
    ("moved", "npv"),
    [
        # Month 1: 300 + 0.5 * 900 - 1000 = -250. Month 2: 0.5 * 3300 - 110 + (-22 + 11) = 1529, and 1529 / 1.1 = 1390.
        ({}, 1140),
        # -250 - 40, on the first day: later months drop out, and it settles at its own end.
        ({"horizon": 1}, -290),
        # 300 + 450 - 2000 = -1250; 1650 - 220 - 22 + 22 = 1430, and 1430 / 1.1 = 1300.
        ({"cost": 2.0}, 50),
        ({"rate": 0.0}, 1279),  # -250 + 1529
        # 300 + 0.2 * 900 - 1000 = -520; 0.2 * 3300 - 110 - 11 = 539, and 539 / 1.1 = 490.
        ({"margin": 0.2}, -30),
        # Only month 1 differs between nodes: 0, 100, 0 + 0.5 * 500 = 250, 300 + 0.5 * 900 = 750.
        ({"x": 1.5, "y": 0.3}, 665),  # (0 + 100 + 250 + 750) / 4 - 1000 + 1390
    ],
)
def test_the_drawing_and_python_give_what_is_worked_out_by_hand(hand, moved, npv):
    assert _npv(hand, **HAND | moved) == npv
    assert npv_at(by_hand(), **HAND | moved) == pytest.approx(npv, abs=1e-9)


@pytest.mark.parametrize(
    "moved",
    [
        {},
        # nodes: corners, an edge, the middle
        {"x": 0.85, "y": 0.2},
        {"x": 1.05, "y": 0.6},
        {"x": 0.85, "y": 0.6},
        {"x": 0.9, "y": 0.5},
        # between nodes
        {"x": 0.873, "y": 0.4},
        {"x": 0.955, "y": 0.21},
        {"x": 1.0321, "y": 0.5678},
        # horizons, prices
        {"horizon": 1},
        {"horizon": 2, "cost": 2.0},
        {"horizon": 35, "x": 0.94},
        {"margin": 0.22},
        {"margin": 0.68, "y": 0.33},
        {"margin": 1.0, "cost": 2.0, "rate": 0.0},
        {"rate": 0.0},
        {"rate": 0.3, "horizon": 20},
        {"cost": 0.0},
        {"cost": 1.35, "x": 0.86, "y": 0.59, "margin": 0.515, "rate": 0.145, "horizon": 29},
    ],
)
def test_the_drawing_prints_what_python_computes(spec, moved):
    values = START | moved
    assert _npv(spec, **values) == pytest.approx(npv_at(lively(), **values), abs=TOLERANCE)


def test_the_sliders_start_where_the_base_case_stands(spec):
    assert _words(spec) == _words(spec, **START)


def test_a_gain_a_loss_and_neither_are_said_in_words(hand):
    assert _words(hand) == "NPV USD +1,140 over 2 months"
    assert _words(hand, horizon=1) == "NPV USD \N{MINUS SIGN}290 over 1 month"
    # 300 + 900 * 7/9 - 1000 - 40 * 0 would be 0; with the settlement of 40, 740 / 900 of margin are needed.
    assert _words(hand, horizon=1, margin=740 / 900) == "NPV USD 0 over 1 month"


def test_huge_amounts_are_printed_to_six_digits_and_stay_small():
    parts = ["rest", "per_margin", "programme", "settled", "settled_programme"]
    huge = lively().with_columns(pl.col(parts) * 1e5)
    spec = _spec(huge, centre())
    # The largest sum is below 1e11, of which six digits end at 1e5.
    assert _npv(spec, **START) == pytest.approx(npv_at(huge, **START), abs=TOLERANCE * 1e5)
    assert _npv(spec, **START) % 1e5 == 0
    assert _bytes(spec) < 35_000


def test_a_full_grid_of_three_years_takes_less_than_35_kilobytes(spec):
    assert _bytes(spec) < 35_000


def test_columns_without_amounts_are_not_stored():
    bare = lively().with_columns(settled=pl.lit(0.0), settled_programme=pl.lit(0.0))
    spec = _spec(bare, centre())
    rows = next(rows for rows in spec["datasets"].values() if "x" in rows[0])
    assert set(rows[0]) == {"x", "y", "a", "b", "c"}
    assert "outstanding" not in spec["description"]
    assert _npv(spec, **START) == pytest.approx(npv_at(bare, **START), abs=TOLERANCE)


def test_every_slider_has_a_label_and_its_value_is_written_with_its_unit(spec):
    labels = {param["name"]: param["bind"]["name"] for param in spec["params"]}
    assert labels == {
        "x_value": "Members' chance of leaving, against without",
        "y_value": "Share of customers who join",
        "cost": "All costs of the programme, multiple of plan",
        "margin": "Gross margin",
        "rate": "Discount rate",
        "horizon": "Horizon",
    }
    writings = spec["usermeta"]["sliders"]
    assert list(writings) == list(labels)
    assert writings["x_value"] == {"scale": 1, "decimals": 3, "unit": "times"}
    assert writings["rate"] == {"scale": 100, "decimals": 1, "unit": "% per year"}


def test_every_slider_reaches_its_start_and_its_nodes_in_whole_steps(spec):
    for param in spec["params"]:
        bind = param["bind"]
        steps = (param["value"] - bind["min"]) / bind["step"], (bind["max"] - bind["min"]) / bind["step"]
        assert all(step == pytest.approx(round(step), abs=1e-6) for step in steps)
    x = spec["params"][0]["bind"]
    assert (x["min"], x["max"], x["step"]) == (0.85, 1.05, 0.005)


def test_a_strategy_with_one_number_has_no_slider_for_the_other():
    one = lively(ys=[0.0]).with_columns(y_id=pl.lit(""), y_description=pl.lit(""), y_unit=pl.lit(""))
    spec = _spec(one, centre(y=0.0))
    assert [param["name"] for param in spec["params"]] == ["x_value", "cost", "margin", "rate", "horizon"]
    values = START | {"x": 0.97}
    shown = {name: value for name, value in values.items() if name != "y"}
    assert _npv(spec, **shown) == pytest.approx(npv_at(one, **values | {"y": 0.0}), abs=TOLERANCE)


def test_the_title_tells_the_base_case_and_the_subtitle_what_the_decision_rests_on(spec):
    assert " ".join(spec["title"]["text"]) == (
        "What if: base-case NPV of Points programme is USD\N{NO-BREAK SPACE}12,300"
    )
    subtitle = " ".join(spec["title"]["subtitle"])
    assert "NPV, after settling outstanding points and working capital." in subtitle
    assert "assumptions without a slider stay at central values" in subtitle
    assert "The decision rests on the mean over all draws." in subtitle


@pytest.mark.parametrize("version", ["5.8", "6.4"])
def test_the_report_and_jupyterlab_print_the_same(spec, version):
    assert _words(spec, version=version, x=0.9, horizon=24) == _words(spec, x=0.9, horizon=24)


def test_each_strategy_has_its_own_chart_in_the_order_and_colour_of_the_scenario():
    other = lively().with_columns(strategy=pl.lit("free-delivery"), title=pl.lit("Free delivery"))
    starts = pl.concat([centre(strategy="free-delivery"), centre()])
    first, second = (chart.to_dict() for chart in what_if(pl.concat([lively(), other]), starts, "USD"))
    assert "Free delivery" in first["description"]
    assert "Points programme" in second["description"]
    assert first["layer"][0]["mark"]["color"] != second["layer"][0]["mark"]["color"]


def test_the_order_of_the_rows_does_not_matter(spec):
    assert _spec(lively().sample(fraction=1.0, shuffle=True, seed=5), centre()) == spec


def test_a_strategy_without_a_grid_is_refused():
    with pytest.raises(TableError, match="GRID: no strategy 'points-program'; did you mean 'points-programme'"):
        what_if(lively(), centre(strategy="points-program"), "USD")


def test_a_grid_that_is_not_even_is_refused():
    with pytest.raises(
        TableError, match=r"'points-programme' has y at \[0.2, 0.3, 0.5\]; its nodes must be evenly spaced"
    ):
        what_if(lively(ys=[0.2, 0.3, 0.5]), centre(), "USD")


def test_a_grid_that_misses_a_month_is_refused():
    with pytest.raises(TableError, match="'points-programme' has 899 rows; it must have each month once at each node"):
        what_if(lively().head(899), centre(), "USD")


def test_a_centre_under_another_contract_is_refused():
    with pytest.raises(TableError, match="GRID_CENTRE: no column 'npv'"):
        what_if(lively(), centre().drop("npv"), "USD")
