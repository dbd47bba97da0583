"""A number out of its range, handed to any question, is refused with what was found and what is possible."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.forecast import predict
from cxsim.clv.posterior import posterior
from cxsim.clv.values import customer_value
from cxsim.errors import EstimationError, TableError

RATE = {"annual_discount_rate": 0.1}
NUMBERS = {
    "days": (math.inf, math.nan, -1.0),
    "levels": (0.0, 1.0, 95.0, -0.1, math.nan),
    "counts": (0, -1, 2.5, math.nan, math.inf, True),
    "seeds": (-1, 2.5, math.nan, 1 << 63),
    "horizons": (0.0, -1.0, math.nan),
    "rates": (-0.1, math.nan, math.inf),
    "margins": (2.0, -0.1, math.nan, math.inf),
}


def requests(fitted, beliefs):
    """Return each question that takes a number, by the kind of number, with the words that a refusal must hold."""
    rfm, p, s = fitted
    orders, _ = beliefs
    return [
        ("days", "must be finite and not negative; found", lambda x: p.prob_alive(rfm, x)),
        ("days", "must be finite and not negative; found", lambda x: p.expected_purchases(rfm, x)),
        ("days", "must be finite and not negative; found", lambda x: p.expected_purchases_new([1.0, x])),
        ("days", "0 <= from_days <= days, and finite; found", lambda x: p.purchase_distribution(rfm, days=x)),
        ("days", "0 <= from_days <= days", lambda x: p.purchase_distribution(days=30, from_days=x)),
        ("days", "must be finite and positive; found", lambda x: predict(rfm, orders, days=x)),
        ("days", "must be finite and positive; found", lambda x: customer_value(rfm, p, s, horizon_days=x, **RATE)),
        ("horizons", "must be positive; found", lambda x: p.clv(rfm, s, **RATE, horizon_days=x)),
        ("horizons", "must be positive; found", lambda x: p.clv_new(s, **RATE, horizon_days=x)),
        ("rates", "must be finite and not negative; found", lambda x: p.clv(rfm, s, annual_discount_rate=x)),
        ("rates", "finite and not negative", lambda x: predict(rfm, orders, days=9, annual_discount_rate=x)),
        ("margins", "must be a share from 0 to 1; found", lambda x: p.clv(rfm, s, **RATE, margin=x)),
        ("margins", "must be a share from 0 to 1; found", lambda x: p.clv_new(s, **RATE, margin=x)),
        ("margins", "must be from 0 to 1; found", lambda x: predict(rfm, orders, days=9, margin=x)),
        ("rates", "must be finite and not negative; found", lambda x: p.clv_new(s, **RATE, acquisition_cost=x)),
        ("levels", "above 0 and below 1; found", p.conf_int),
        ("levels", "above 0 and below 1; found", s.conf_int),
        ("levels", "above 0 and below 1; found", orders.interval),
        ("levels", "above 0 and below 1; found", lambda x: p.days_to_next_purchase(rfm, [x])),
        ("levels", "above 0 and below 1; found", lambda x: predict(rfm, orders, days=9, level=x)),
        ("counts", "a whole number, at least 1; found", lambda x: p.purchase_distribution(days=30, most=x)),
        ("counts", "draws must be at least 1", lambda x: posterior(p, rfm, draws=x)),
        ("counts", "possible: 1 to 40", lambda x: predict(rfm, orders, days=9, draws=x)),
        ("counts", "it must be a whole number from 1 to 60", lambda x: fit(rfm, model="bgcnbd", k=x)),
        ("counts", "it must be 1 or None", lambda x: fit(rfm, k=x)),
        ("seeds", "the seed must be from 0 to", lambda x: predict(rfm, orders, days=9, seed=x)),
    ]


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_out_of_range_is_refused_with_what_was_found(healthy, beliefs, kind):
    for of, words, ask in requests(healthy["bgnbd"], beliefs):
        for number in NUMBERS[kind] if of == kind else ():
            with pytest.raises(EstimationError) as refused:
                ask(number)
            assert words in str(refused.value), f"{number}: {refused.value}"
            assert str(number) in str(refused.value), f"{number}: {refused.value}"


def test_an_infinite_horizon_needs_a_rate(healthy):
    rfm, purchases, spend = healthy["paretonbd"]
    for ask in (
        lambda: purchases.clv(rfm, spend, annual_discount_rate=0.0),
        lambda: purchases.clv_new(spend, annual_discount_rate=0),
    ):
        with pytest.raises(EstimationError, match="an infinite horizon needs an annual_discount_rate above 0; found 0"):
            ask()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "bgnb"}, "no model 'bgnb'; did you mean 'bgnbd'"),
        ({"model": None}, "no model 'None'; possible: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd"),
        ({"engine": "lifetime"}, "no engine 'lifetime'; did you mean 'lifetimes'"),
        ({"engine": None}, "no engine 'None'; possible: native, lifetimes"),
        ({"model": "bgcnbd", "k": "2"}, "k is '2'; it must be a whole number from 1 to 60, or None to choose it"),
        ({"model": "bgcnbd", "k": 61}, "k is 61; it must be a whole number from 1 to 60, or None to choose it"),
        ({"model": "paretonbd", "k": 2}, "Pareto/NBD: k is 2; it must be 1 or None"),
    ],
)
def test_what_a_fit_does_not_have_is_refused(healthy, options, words):
    with pytest.raises(EstimationError, match=words):
        fit(healthy["bgnbd"][0], **options)


def test_spend_has_engines_too(healthy):
    with pytest.raises(EstimationError, match="no engine 'R'; possible: native, lifetimes"):
        fit_spend(healthy["bgnbd"][0], engine="R")


@pytest.mark.parametrize("gaps", [math.nan, math.inf, -1.0, 1e300, None])
def test_logarithms_of_gaps_that_cannot_be_are_refused_where_k_is_chosen(healthy, gaps):
    rfm = healthy["bgcnbd"][0]
    with pytest.raises((EstimationError, TableError), match="log_gaps"):
        fit(rfm.with_columns(log_gaps=pl.lit(gaps, pl.Float64)), model="bgcnbd")


def test_without_logarithms_of_gaps_k_is_to_be_given(healthy):
    rfm = healthy["bgcnbd"][0].drop("log_gaps")
    with pytest.raises(EstimationError, match=r"no column 'log_gaps', without which k cannot be chosen; summarise\(\)"):
        fit(rfm, model="bgcnbd")
    assert fit(rfm, model="bgcnbd", k=2).params == healthy["bgcnbd"][1].params
