"""What customers will bring: expected numbers by formula, intervals by draws, totals that are sums of the table."""

from __future__ import annotations

import dataclasses
import math
import sys
from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.clv.customer_value import (
    ValuationTerms,
    _alive_intervals,
    alive_by_group,
    at_risk,
    customer_values,
    draws_for,
    means_outside,
    parameter_draws,
    rows_outside,
)
from cxsim.clv.diagnose import diagnose
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.posterior import posterior
from cxsim.clv.validation.holdout import captures, decile_values, missed, with_deciles
from cxsim.data.shop import Finding
from cxsim.errors import EstimationError
from cxsim.study.loading import load_valuation
from cxsim.study.valuation import _findings, value_customers

TERMS = ValuationTerms(horizon_days=365.0, annual_discount_rate=0.1, margin=0.3, draws=60, seed=7)


@pytest.fixture(scope="module")
def both(fits, spend):
    return fits["sample", "mbgnbd"], spend


@pytest.fixture(scope="module")
def values(sample, both):
    return customer_values(sample, *both, TERMS)


def test_expected_numbers_are_those_of_the_fits(sample, both, values):
    purchases, spend = both
    ahead = purchases.clv(sample, spend, annual_discount_rate=0.1, horizon_days=365.0, margin=0.3)
    table = values.table
    # The same formulas at the same estimates, added up in another order: to the last digits of a float.
    np.testing.assert_allclose(table["value"], ahead["contribution"], rtol=1e-12)
    np.testing.assert_allclose(table["prob_alive"], ahead["prob_alive"], rtol=1e-12)
    expected = purchases.expected_purchases(sample, 365.0)["expected_purchases"]
    np.testing.assert_allclose(table["expected_orders"], expected, rtol=1e-12)
    assert table["customer_id"].to_list() == sample["customer_id"].to_list()


def test_totals_are_the_sums_of_the_table_and_lie_in_their_intervals(values):
    totals = {row["quantity"]: row for row in values.totals.iter_rows(named=True)}
    assert totals["value"]["mean"] == pytest.approx(values.table["value"].sum(), rel=1e-12)
    assert totals["orders"]["mean"] == pytest.approx(values.table["expected_orders"].sum(), rel=1e-12)
    assert all(row["low"] < row["mean"] < row["high"] for row in totals.values())


def test_the_totals_of_groups_add_up_to_those_of_all(sample, both, values):
    grouped = customer_values(sample.with_columns(half=pl.col("customer_id") % 2), *both, TERMS, by="half")
    sums = grouped.group_totals.group_by("quantity", maintain_order=True).agg(pl.col("mean").sum())
    both = sums.join(values.totals, on="quantity", suffix="_all")
    np.testing.assert_allclose(both["mean"], both["mean_all"], rtol=1e-12)
    np.testing.assert_allclose(grouped.totals_by_draw["value"], values.totals_by_draw["value"], rtol=1e-12)
    assert grouped.totals_by_draw.drop("value").equals(values.totals_by_draw.drop("value"))


def test_a_longer_horizon_and_a_lower_rate_bring_more(sample, both, values):
    longer = customer_values(sample, *both, dataclasses.replace(TERMS, horizon_days=730.0)).table["value"]
    cheaper = customer_values(sample, *both, dataclasses.replace(TERMS, annual_discount_rate=0.0)).table["value"]
    assert (longer > values.table["value"]).all()
    assert (cheaper > values.table["value"]).all()


def test_the_chance_of_being_alive_lies_in_an_interval_of_its_draws(both):
    # Three draws: the 90 % interval by linear interpolation runs from a tenth to nine tenths of the way.
    draws = [BetaGeometricParams(r=0.24, alpha=31.0, a=a, b=2.4, leaves_after_first=True) for a in (0.6, 0.8, 1.0)]
    past = pl.DataFrame(
        {"customer_id": [1], "frequency": [2], "recency_days": [30], "age_days": [200], "monetary_value": [9.0]}
    )
    chances = sorted(float(Outlook(one, 2.0, 30.0, 200.0).prob_alive()) for one in draws)
    low, high = _alive_intervals(past, draws, 0.9).row(0)
    assert low == pytest.approx(chances[0] + 0.1 * (chances[1] - chances[0]), rel=1e-12)
    assert high == pytest.approx(chances[1] + 0.9 * (chances[2] - chances[1]), rel=1e-12)
    assert both[0].title == "MBG/NBD"


def test_shares_alive_are_means_over_the_customers_of_a_group(sample, both):
    alone = {"MBG/NBD": [both[0].params]}
    found = alive_by_group(sample, alone, 0.9)
    by_hand = (
        both[0]
        .prob_alive(sample)
        .with_columns(group=pl.when(sample["frequency"] > 0).then(pl.lit("repeat")).otherwise(pl.lit("one-time")))
        .group_by("group")
        .agg(pl.col("prob_alive").mean())
        .sort("group")
    )
    assert found["group"].to_list() == ["one-time buyers", "repeat buyers"]
    np.testing.assert_allclose(found["alive"], by_hand["prob_alive"], rtol=1e-12)


def test_who_is_overdue_has_been_silent_for_longer_than_nine_in_ten_of_those_who_came_back(sample, both, values):
    found = at_risk(sample, values.table, both[0])
    assert (found["silent_days"] > found["usual_days"]).all()
    assert (found["prob_alive"] < found["prob_alive_then"]).all()
    one = found.row(0, named=True)
    past = sample.filter(pl.col("customer_id") == one["customer_id"]).with_columns(age_days="recency_days")
    # As seen from the last order, so many days hold nine tenths of the chance that an order ever comes.
    ever = 1.0 - both[0].days_to_next_purchase(past)["prob_none"].item()
    within = both[0].purchase_distribution(past, days=one["usual_days"], most=1)["probability"][1]
    assert within == pytest.approx(0.9 * ever, rel=1e-6)


def test_an_expected_total_outside_its_interval_is_said_to_be_so_and_why(sample, both, values):
    assert values.outside == ()
    purchases, spend = both
    # Estimates that no draw shares: customers who stay far longer than these did.
    params = dataclasses.replace(purchases.params, b=20.0 * purchases.params.b)
    found = customer_values(sample, dataclasses.replace(purchases, params=params), spend, TERMS)
    totals = {name: ends for name, *ends in found.totals.iter_rows()}
    mean, low, high = totals["orders"]
    assert mean > high
    assert len(found.outside) == 2
    assert found.outside[0] == (
        f"Orders: the expected value of {mean:,.6g} lies above its 90\N{NO-BREAK SPACE}% interval of {low:,.6g} to "
        f"{high:,.6g}: the point estimates, or a few draws, give more than nearly all plausible parameters."
    )


def test_means_at_the_ends_of_their_intervals_are_inside_and_those_below_are_named():
    rows = [("orders", 1.0, 1.0, 2.0), ("buyers", 0.1 + 0.2, 0.0, 0.3), ("value", -3.0, -2.0, 5.0)]
    totals = pl.DataFrame(rows, schema=["quantity", "mean", "low", "high"], orient="row")
    (said,) = means_outside(totals, 0.9)
    assert said.startswith("Value: the expected value of \N{MINUS SIGN}3 lies below its 90")


def test_a_valuation_lists_a_mean_outside_its_interval_among_its_findings(sample, both):
    rows = [
        ("Orders in the next 365 days", "orders", 9.0, 1.0, 8.0),
        ("Customers still active", "customers", 5.0, 4.0, 6.0),
    ]
    worth = pl.DataFrame(rows, schema=["quantity", "unit", "mean", "low", "high"], orient="row")
    outsized = Finding("orders: outsized", "caution", 0.4, "One order makes 40 % of revenue.", "Look at it.")
    every = _findings([outsized], diagnose(sample, *both), ["Rough."], worth)
    assert every.row(0) == ("orders: outsized", "caution", outsized.sentence, outsized.advice)
    found = every.filter(pl.col("about").is_in(["draws", "interval"]))
    assert found["sentence"][0] == "Rough."
    assert found.row(1)[:2] == ("interval", "caution")
    assert found["sentence"][1].startswith("Orders in the next 365 days: the expected value of 9 lies above its 90")
    assert found["advice"][1] == "Rely on the interval, not on the expected value."


def test_customers_whose_expected_orders_lie_outside_their_interval_are_counted(values):
    above = values.table.filter(
        (pl.col("expected_orders") > pl.col("orders_high")) | (pl.col("value") > pl.col("value_high"))
    )
    assert above.height > 0
    said = rows_outside(values.table)[0]
    assert said.startswith(f"{above.height:,} of 2,357 customers have expected orders or an expected value outside")
    one = values.table.head(1).with_columns(prob_alive=0.99, prob_alive_low=0.2, prob_alive_high=0.3)
    assert "1 of 1 customers have a P(alive) outside its interval" in rows_outside(one)[-1]


def test_draws_in_which_mean_spend_is_infinite_are_replaced_or_refused_where_they_are_most(sample, both, monkeypatch):
    def heavy(fitted, rfm, *, draws, seed):
        found = posterior(fitted, rfm, draws=draws, seed=seed)
        if fitted is both[0]:
            return found
        logs = np.array(found.log_params)
        logs[::every, 1] = np.log(0.9)
        return dataclasses.replace(found, log_params=logs)

    monkeypatch.setattr(sys.modules[parameter_draws.__module__], "posterior", heavy)
    every = 4
    drawn = parameter_draws(sample, *both, draws=40, seed=1)
    assert min(params.q for params in drawn.spends) > 1.0
    assert len(drawn.purchases) == len(drawn.spends) == 40
    assert "10 of 40 draws had an infinite mean spend and were replaced" in drawn.remarks[0]
    every = 1
    with pytest.raises(EstimationError, match="mean spend is infinite in 40 of 40 draws"):
        parameter_draws(sample, *both, draws=40, seed=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"horizon_days": 0.0}, "horizon_days must be finite and positive; found 0.0"),
        ({"horizon_days": math.inf}, "horizon_days must be finite"),
        ({"annual_discount_rate": -0.1}, "annual_discount_rate must be finite and not negative"),
        ({"margin": 1.5}, "margin must be a share from 0 to 1; found 1.5"),
        ({"level": 1.0}, "level must be above 0 and below 1"),
        ({"draws": 18}, "an interval of level 0.9 takes at least 19 draws; found 18"),
    ],
)
def test_terms_out_of_range_are_refused_in_words(change, words):
    with pytest.raises(EstimationError, match=words):
        dataclasses.replace(TERMS, **change)


def test_millions_of_customers_are_simulated_in_fewer_draws_but_never_too_few():
    assert [draws_for(n, 0.9) for n in (0, 2_357, 1_000_000, 10_000_000)] == [400, 400, 200, 40]
    assert draws_for(10_000_000, 0.99) == 199


CASE = dataclasses.replace(load_valuation("cdnow-value-quick"), models=("bgnbd", "mbgnbd"), draws=40)


@pytest.fixture(scope="module")
def found():
    return value_customers(CASE)


def test_the_models_missed_the_orders_after_the_fit_by_what_the_literature_says(found):
    # Orders expected in the 39 weeks after calibration against the 1,882 that came: BG/NBD 12.1 %, MBG/NBD 16.2 % too
    # few; computed from the published maximum-likelihood estimates.
    bias = dict(found.tested.biases.select("model", "bias").iter_rows())
    assert bias["BG/NBD"] == pytest.approx(-0.1215, abs=5e-4)
    assert bias["MBG/NBD"] == pytest.approx(-0.1622, abs=5e-4)
    assert bias["Each customer's own rate"] == pytest.approx(0.557, abs=5e-4)


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
    headline = found.worth.filter(pl.col("quantity").str.starts_with("Present value"))
    assert headline["mean"].item() == pytest.approx(value, rel=1e-12)
    assert found.deciles["expected"].sum() == pytest.approx(value, rel=1e-12)
    assert found.deciles["customers"].sum() == found.customers.height == 2_357
    assert "the 2,357 customers are worth USD" in found.headline


def test_the_range_of_the_margin_widens_the_interval_of_value_alone(found):
    rows = {row["quantity"].split(":")[0]: row for row in found.worth.iter_rows(named=True)}
    revenue = next(row for name, row in rows.items() if name.startswith("Discounted revenue"))
    value = next(row for name, row in rows.items() if name.startswith("Present value"))
    assert value["mean"] / revenue["mean"] == pytest.approx(0.25, rel=1e-12)
    assert (value["high"] - value["low"]) / value["mean"] > 1.5 * (revenue["high"] - revenue["low"]) / revenue["mean"]


def test_bg_nbd_takes_one_time_buyers_for_alive_and_is_therefore_not_chosen(found):
    alive = {(model, group): share for model, group, share in found.alive.select("model", "group", "alive").iter_rows()}
    assert alive["BG/NBD", "one-time buyers"] == 1.0
    assert alive["MBG/NBD", "one-time buyers"] < 0.5
    assert found.purchases.title == "MBG/NBD"
    assert found.caveat.endswith("MBG/NBD forecast 16\N{NO-BREAK SPACE}% fewer orders than customers then placed.")
    # A case that no file gives has no command to make it again.
    assert (found.manifest["valuation"], found.manifest["draws"]) == ("cdnow-value-quick", 40)
    assert "command" not in found.manifest


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
    assert found.filter(customers=0.5)["value"].to_list() == [1.0]


def test_where_nothing_came_there_is_no_bias():
    days = {"model": "NBD", "day": [date(2024, 1, 1), date(2024, 1, 2)], "observed": 3.0}
    orders = pl.DataFrame({**days, "expected": [3.0, 4.0], "low": [None, 3.0], "high": [None, 5.0]})
    assert missed(orders, date(2024, 1, 1)).is_empty()
