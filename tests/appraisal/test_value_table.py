"""What customers are worth: expected numbers by formula, intervals by draws, totals that are sums of the table."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.purchases import prob_alive
from cxsim.clv.posterior import posterior
from cxsim.clv.terms import Terms, drawn_params, draws_for
from cxsim.clv.values import alive_by_group, alive_intervals, at_risk, customer_values
from cxsim.errors import EstimationError

TERMS = Terms(horizon_days=365.0, annual_discount_rate=0.1, margin=0.3, draws=60, seed=7)


@pytest.fixture(scope="module")
def fits(sample):
    return fit(sample, model="mbgnbd"), fit_spend(sample)


@pytest.fixture(scope="module")
def values(sample, fits):
    return customer_values(sample, *fits, TERMS)


def test_expected_numbers_are_those_of_the_fits(sample, fits, values):
    purchases, spend = fits
    ahead = purchases.clv(sample, spend, annual_discount_rate=0.1, horizon_days=365.0, margin=0.3)
    table = values.table
    # The same formulas at the same estimates, added up in another order: to the last digits of a float.
    np.testing.assert_allclose(table["value"], ahead["contribution"], rtol=1e-12)
    np.testing.assert_allclose(table["prob_alive"], ahead["prob_alive"], rtol=1e-12)
    expected = purchases.expected_purchases(sample, 365.0)["expected_purchases"]
    np.testing.assert_allclose(table["expected_orders"], expected, rtol=1e-12)
    assert table["customer_id"].to_list() == sample["customer_id"].to_list()


def test_a_customer_bears_the_same_numbers_in_whatever_row_they_stand(sample, fits, values):
    localise = customer_values(sample.reverse(), *fits, TERMS)
    assert localise.table.sort("customer_id").equals(values.table.sort("customer_id"))
    # Sums over another order of the rows agree to the last digits of a float.
    np.testing.assert_allclose(localise.totals["mean"], values.totals["mean"], rtol=1e-12)


def test_totals_are_the_sums_of_the_table_and_lie_in_their_intervals(values):
    totals = {row["quantity"]: row for row in values.totals.iter_rows(named=True)}
    assert totals["value"]["mean"] == pytest.approx(values.table["value"].sum(), rel=1e-12)
    assert totals["orders"]["mean"] == pytest.approx(values.table["expected_orders"].sum(), rel=1e-12)
    assert all(row["low"] < row["mean"] < row["high"] for row in totals.values())


def test_the_totals_of_groups_add_up_to_those_of_all(sample, fits, values):
    grouped = customer_values(sample.with_columns(half=pl.col("customer_id") % 2), *fits, TERMS, by="half")
    sums = grouped.group_totals.group_by("quantity", maintain_order=True).agg(pl.col("mean").sum())
    both = sums.join(values.totals, on="quantity", suffix="_all")
    np.testing.assert_allclose(both["mean"], both["mean_all"], rtol=1e-12)
    np.testing.assert_allclose(grouped.totals_by_draw["value"], values.totals_by_draw["value"], rtol=1e-12)
    assert grouped.totals_by_draw.drop("value").equals(values.totals_by_draw.drop("value"))


def test_a_longer_horizon_and_a_lower_rate_are_worth_more(sample, fits, values):
    longer = customer_values(sample, *fits, dataclasses.replace(TERMS, horizon_days=730.0)).table["value"]
    cheaper = customer_values(sample, *fits, dataclasses.replace(TERMS, annual_discount_rate=0.0)).table["value"]
    assert (longer > values.table["value"]).all()
    assert (cheaper > values.table["value"]).all()


def test_the_chance_of_being_alive_lies_in_an_interval_of_its_draws(fits):
    # Three draws: the 90 % interval by linear interpolation runs from a tenth to nine tenths of the way.
    draws = [BetaGeometricParams(r=0.24, alpha=31.0, a=a, b=2.4, leaves_after_first=True) for a in (0.6, 0.8, 1.0)]
    past = pl.DataFrame({"frequency": [2], "recency_days": [30], "age_days": [200]})
    chances = sorted(float(prob_alive(one, 2.0, 30.0, 200.0)) for one in draws)
    low, high = alive_intervals(past, draws, 0.9).row(0)
    assert low == pytest.approx(chances[0] + 0.1 * (chances[1] - chances[0]), rel=1e-12)
    assert high == pytest.approx(chances[1] + 0.9 * (chances[2] - chances[1]), rel=1e-12)
    assert fits[0].title == "MBG/NBD"


def test_shares_alive_are_means_over_the_customers_of_a_group(sample, fits):
    alone = {"MBG/NBD": [fits[0].params]}
    found = alive_by_group(sample, alone, 0.9)
    by_hand = (
        fits[0]
        .prob_alive(sample)
        .with_columns(group=pl.when(sample["frequency"] > 0).then(pl.lit("repeat")).otherwise(pl.lit("one-time")))
        .group_by("group")
        .agg(pl.col("prob_alive").mean())
        .sort("group")
    )
    assert found["group"].to_list() == ["one-time buyers", "repeat buyers"]
    np.testing.assert_allclose(found["alive"], by_hand["prob_alive"], rtol=1e-12)


def test_who_is_overdue_has_been_silent_for_longer_than_nine_in_ten_of_those_who_came_back(sample, fits, values):
    found = at_risk(sample, values.table, fits[0])
    assert (found["silent_days"] > found["usual_days"]).all()
    assert (found["prob_alive"] < found["prob_alive_then"]).all()
    one = found.row(0, named=True)
    past = sample.filter(pl.col("customer_id") == one["customer_id"]).with_columns(age_days="recency_days")
    # As seen from the last order, so many days hold nine tenths of the chance that an order ever comes.
    ever = 1.0 - fits[0].days_to_next_purchase(past)["prob_none"].item()
    within = fits[0].purchase_distribution(past, days=one["usual_days"], most=1)["probability"][1]
    assert within == pytest.approx(0.9 * ever, rel=1e-6)


def test_draws_in_which_mean_spend_is_infinite_are_replaced_and_that_is_said(sample, fits, monkeypatch):
    def heavy(fitted, rfm, *, draws, seed):
        found = posterior(fitted, rfm, draws=draws, seed=seed)
        if fitted is fits[0]:
            return found
        logs = np.array(found.log_params)
        logs[::4, 1] = np.log(0.9)  # every fourth q
        return dataclasses.replace(found, log_params=logs)

    monkeypatch.setattr("cxsim.clv.terms.posterior", heavy)
    drawn = drawn_params(sample, *fits, draws=40, seed=1)
    assert min(params.q for params in drawn.spends) > 1.0
    assert len(drawn.purchases) == len(drawn.spends) == 40
    assert "10 of 40 draws had an infinite mean spend and were replaced" in drawn.remarks[0]


def test_where_mean_spend_is_infinite_in_most_draws_that_is_refused(sample, fits, monkeypatch):
    def endless(fitted, rfm, *, draws, seed):
        found = posterior(fitted, rfm, draws=draws, seed=seed)
        return found if fitted is fits[0] else dataclasses.replace(found, log_params=0.0 * found.log_params)

    monkeypatch.setattr("cxsim.clv.terms.posterior", endless)
    with pytest.raises(EstimationError, match="mean spend is infinite in 40 of 40 draws"):
        drawn_params(sample, *fits, draws=40, seed=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"horizon_days": 0.0}, "horizon_days must be finite and above 0; found 0.0"),
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


def test_millions_of_customers_are_played_in_fewer_draws_but_never_too_few():
    assert [draws_for(n, 0.9) for n in (0, 2_357, 1_000_000, 10_000_000)] == [400, 400, 200, 40]
    assert draws_for(10_000_000, 0.99) == 199
