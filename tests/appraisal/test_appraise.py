"""An appraisal of the sample says the same every time, and its parts belong together."""

from __future__ import annotations

import dataclasses
from datetime import date

import polars as pl
import pytest

from cxsim.clv.validation.holdout import captures, decile_values, missed, with_deciles
from cxsim.study.scenario import load_valuation
from cxsim.study.valuation import value_customers

CASE = dataclasses.replace(load_valuation("cdnow-value-quick"), models=("bgnbd", "mbgnbd"), draws=40)


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def found(said):
    return value_customers(CASE, progress=said.append)


def test_every_step_is_sentence(found, said):
    assert found.valuation is CASE
    assert said[0] == "orders"
    assert said[-1] == "all orders: value"


def test_the_models_missed_the_orders_after_the_fit_by_what_the_literature_says(found):
    # Orders expected in the 39 weeks after calibration against the 1,882 that came: BG/NBD 12.1 %, MBG/NBD 16.2 % too
    # few; computed from the published maximum-likelihood estimates.
    bias = dict(found.tested.biases.select("model", "bias").iter_rows())
    assert bias["BG/NBD"] == pytest.approx(-0.1215, abs=5e-4)
    assert bias["MBG/NBD"] == pytest.approx(-0.1622, abs=5e-4)
    assert bias["Own rate goes on"] == pytest.approx(0.557, abs=5e-4)


def test_the_forecasts_end_where_the_biases_begin(found):
    again = missed(found.tested.forecasts, CASE.calibration_end)
    assert again.equals(found.tested.biases.head(2))
    last = found.tested.forecasts.filter(pl.col("day") == CASE.observed_until)
    assert last["observed"].to_list() == [4_339.0, 4_339.0]  # repeat orders of the sample by 30 June 1998
    fitted = found.tested.forecasts.filter(pl.col("day") <= CASE.calibration_end)
    assert fitted["low"].null_count() == fitted.height
    later = found.tested.forecasts.filter(pl.col("day") > CASE.calibration_end)
    assert later.select((pl.col("low") < pl.col("expected")).all() & (pl.col("expected") < pl.col("high")).all()).item()


def test_the_totals_of_all_tables_are_the_same(found):
    value = found.values.table["value"].sum()
    headline = found.worth.filter(pl.col("quantity").str.starts_with("Value, today"))
    assert headline["mean"].item() == pytest.approx(value, rel=1e-12)
    assert found.deciles["expected"].sum() == pytest.approx(value, rel=1e-12)
    assert found.deciles["customers"].sum() == found.customers.height == 2_357
    assert "the 2,357 customers are worth USD" in found.headline


def test_what_the_intervals_do_not_cover_is_said_with_its_figure(found):
    assert found.caveat.endswith("MBG/NBD expected 16\N{NO-BREAK SPACE}% fewer orders than came then.")


def test_the_range_of_the_margin_widens_the_interval_of_value_alone(found):
    rows = {row["quantity"].split(":")[0]: row for row in found.worth.iter_rows(named=True)}
    revenue = next(row for name, row in rows.items() if name.startswith("Revenue"))
    value = rows["Value, today"]
    assert value["mean"] / revenue["mean"] == pytest.approx(0.25, rel=1e-12)
    assert (value["high"] - value["low"]) / value["mean"] > 1.5 * (revenue["high"] - revenue["low"]) / revenue["mean"]


def test_bg_nbd_takes_one_time_buyers_for_alive_and_is_therefore_not_chosen(found):
    alive = {(model, group): share for model, group, share in found.alive.select("model", "group", "alive").iter_rows()}
    assert alive["BG/NBD", "one-time buyers"] == 1.0
    assert alive["MBG/NBD", "one-time buyers"] < 0.5
    assert found.purchases.title == "MBG/NBD"


def test_the_most_valuable_customers_come_first(found):
    assert found.customers["value"].is_sorted(descending=True)
    assert found.at_risk["customer_id"].is_in(found.customers["customer_id"].to_list()).all()


def test_a_case_that_no_file_gives_has_no_command_to_make_it_again(found):
    assert found.manifest["valuation"] == "cdnow-value-quick"
    assert "command" not in found.manifest
    assert found.manifest["draws"] == 40


def test_the_same_case_gives_the_same_values(found):
    again = value_customers(CASE)
    assert again.manifest["values_sha256"] == found.manifest["values_sha256"]
    assert again.tested.forecasts.equals(found.tested.forecasts)
    assert again.worth.equals(found.worth)


def test_tenths_differ_by_one_customer_and_ties_go_by_customer_id():
    customers = pl.DataFrame({"customer_id": range(25, 0, -1)})
    tenths = with_deciles(customers, pl.Series([1.0] * 25))
    sizes = tenths.group_by("decile").len().sort("decile")["len"].to_list()
    assert (min(sizes), max(sizes), sum(sizes)) == (2, 3, 25)
    assert tenths.filter(pl.col("customer_id") <= 3)["decile"].to_list() == [1, 1, 1]


def test_tenths_have_what_their_customers_brought_or_nothing_where_that_is_not_known():
    customers = pl.DataFrame({"customer_id": [1, 2, 3], "decile": [1, 1, 2]})
    totals = pl.DataFrame(
        {"decile": [1, 2], "quantity": ["value"] * 2, "mean": [30.0, 5.0], "low": [20.0, 1.0], "high": [40.0, 9.0]}
    )
    came = pl.DataFrame({"customer_id": [1, 2, 3], "realised": [10.0, 15.0, 0.0]})
    assert decile_values(customers, totals, came)["realised"].to_list() == [25.0, 0.0]
    assert decile_values(customers, totals)["realised"].to_list() == [None, None]
    assert decile_values(customers, totals)["customers"].to_list() == [2, 1]


def test_a_perfect_order_of_two_customers_catches_all_with_the_first_half():
    found = captures({"perfect": pl.Series([2, 1])}, pl.Series([7.0, 0.0]))
    half = found.filter(pl.col("customers") == 0.5)
    assert half["value"].to_list() == [1.0]


def test_where_nothing_came_there_is_no_bias_to_tell():
    orders = pl.DataFrame(
        {
            "model": ["NBD"] * 2,
            "day": [date(2024, 1, 1), date(2024, 1, 2)],
            "observed": [3.0, 3.0],
            "expected": [3.0, 4.0],
            "low": [None, 3.0],
            "high": [None, 5.0],
        }
    )
    assert missed(orders, date(2024, 1, 1)).is_empty()
