"""Requests that have no answer are refused, with what was found and what is possible."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.clv.forecast import customer_numbers, predict
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.errors import EstimationError, TableError

PAST = (2, 213, 272)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": 0.0}, "days must be finite and positive; found 0.0"),
        ({"days": float("nan")}, "days must be finite and positive; found nan"),
        ({"days": float("inf")}, "days must be finite and positive; found inf"),
        ({"level": 1.0}, "level must be above 0 and below 1; found 1.0"),
        ({"level": 0.99}, "level 0.99 takes at least 199 draws of the parameters; found 40"),
        ({"margin": 1.5}, "margin must be from 0 to 1; found 1.5"),
        ({"annual_discount_rate": -0.1}, "annual_discount_rate must be finite and not negative; found -0.1"),
        ({"seed": -1}, "the seed must be from 0 to"),
        ({"draws": 50}, "found 40 draws of the parameters; asked for 50, possible: 1 to 40"),
        ({"draws": 0}, "asked for 0, possible: 1 to 40"),
        ({"by": "frequenzy"}, "totals by column 'frequenzy': did you mean 'frequency'"),
        ({"by": "monetary_value"}, "totals by column 'monetary_value': 5 of 5 values are missing"),
    ],
)
def test_it_says_what_is_possible(models, twins, options, words):
    with pytest.raises(EstimationError, match=words):
        predict(twins(5, *PAST), [models["BG/NBD"]] * 40, **{"days": 30, **options})


def test_just_enough_draws_for_a_level_are_enough(models, twins):
    for level, draws in ((0.5, 3), (0.8, 9), (0.9, 19), (0.95, 39), (0.99, 199)):
        assert predict(twins(2, *PAST), [models["BG/NBD"]] * draws, days=30, level=level).draws == draws
        with pytest.raises(EstimationError, match=f"at least {draws} draws"):
            predict(twins(2, *PAST), [models["BG/NBD"]] * (draws - 1), days=30, level=level)


def test_draws_of_different_models_are_refused(models, spend, twins):
    mixed = [models["BG/NBD"], models["Pareto/NBD"]] * 20
    with pytest.raises(EstimationError, match="must all be of one model of orders; found 2 models"):
        predict(twins(5, *PAST), mixed, days=30)
    with pytest.raises(EstimationError, match="40 draws of the parameters of orders and 39 of those of spend"):
        predict(twins(5, *PAST), [models["BG/NBD"]] * 40, [spend] * 39, days=30)
    with pytest.raises(EstimationError, match="found 0 draws"):
        predict(twins(5, *PAST), [], days=30)


def test_spend_without_a_mean_is_refused(models, twins):
    wild = [GammaGammaParams(p=6.0, q=0.9, v=15.0)] + [GammaGammaParams(p=6.0, q=3.0, v=15.0)] * 39
    with pytest.raises(EstimationError, match="in 1 of 40 draws of the parameters mean spend is infinite"):
        predict(twins(5, *PAST), [models["BG/NBD"]] * 40, wild, days=30)


def test_amounts_too_large_to_be_added_up_are_refused(models, twins):
    rich = GammaGammaParams(p=6.0, q=3.0, v=1e16)
    with pytest.raises(EstimationError, match="count money in a larger unit"):
        predict(twins(50, *PAST), [models["BG/NBD"]] * 40, [rich] * 40, days=3000)


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_amounts_that_are_none_are_refused(models, spend, twins, amount):
    with pytest.raises(EstimationError, match=r"5 of 5 monetary values are negative or not finite"):
        predict(twins(5, *PAST, amount), [models["BG/NBD"]] * 40, [spend] * 40, days=30)


def test_a_name_that_comes_twice_is_refused(models, twins):
    with pytest.raises(EstimationError, match="6 rows, but 3 different customer_id"):
        predict(pl.concat([twins(3, *PAST)] * 2), [models["BG/NBD"]] * 40, days=30)


def test_impossible_pasts_and_tables_are_refused(models, twins):
    with pytest.raises(EstimationError, match="impossible past"):
        predict(twins(3, 2, 300, 272), [models["BG/NBD"]] * 40, days=30)
    with pytest.raises(TableError, match="no column 'age_days'"):
        predict(twins(3, *PAST).drop("age_days"), [models["BG/NBD"]] * 40, days=30)


def test_nobody_and_one_customer_have_a_prediction(model, spend, twins):
    nobody = predict(twins(0, *PAST), [model] * 40, [spend] * 40, days=30)
    assert nobody.customers.is_empty()
    assert nobody.totals["high"].to_list() == [0.0, 0.0, 0.0]
    one = predict(twins(1, 0, 0, 0), [model] * 40, days=30)
    assert one.customers.columns == ["customer_id", "orders_mean", "orders_low", "orders_high", "prob_order"]
    assert one.totals["quantity"].to_list() == ["orders", "buyers"]


def test_nobody_in_groups_has_no_totals(models, twins):
    assert predict(twins(0, *PAST), [models["BG/NBD"]] * 40, days=30, by="frequency").totals.is_empty()


def test_names_have_the_numbers_of_the_published_hash():
    # Fowler, Noll, Vo & Eastlake (2012), appendix C: FNV-1a of 64 bits.
    found = customer_numbers(pl.Series(["", "a", "foobar", "chongo was here!\n"]))
    expected = [0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8, 0x46810940EFF5F915]
    assert found.tolist() == expected


def test_names_are_sentence_apart_by_their_text_alone():
    numbers = pl.Series([7, 70, 123456789012])
    assert customer_numbers(numbers).tolist() == customer_numbers(numbers.cast(pl.String)).tolist()
    text = pl.Series(["", "ä", "", "Ωmega", "b", ""])
    assert customer_numbers(text).tolist() == [customer_numbers(text[i : i + 1]).item() for i in range(6)]
    assert len(set(customer_numbers(pl.int_range(100_000, eager=True)).tolist())) == 100_000
