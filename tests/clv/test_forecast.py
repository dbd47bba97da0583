"""Models with known parameters, tables of customers, and a simulator that shares nothing with the package's own."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from cxsim.clv.forecast import customer_numbers, predict
from cxsim.clv.forecast_kernel import ranked
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.posterior import Posterior
from cxsim.errors import EstimationError

# About those of CDNOW, time in days.
MODELS = {
    "BG/NBD": BetaGeometricParams(r=0.25, alpha=31.0, a=0.8, b=2.4),
    "MBG/NBD": BetaGeometricParams(r=0.52, alpha=43.0, a=0.9, b=1.6, leaves_after_first=True),
    "BG/CNBD-3": BetaGeometricParams(r=0.4, alpha=15.0, a=0.8, b=2.4, k=3),
    "MBG/CNBD-2": BetaGeometricParams(r=0.6, alpha=30.0, a=0.9, b=1.9, k=2, leaves_after_first=True),
    "Pareto/NBD": ParetoNbdParams(r=0.55, alpha=74.0, s=0.61, beta=82.0),
}
SPEND = GammaGammaParams(p=6.25, q=3.74, v=15.44)


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture
def twins():
    """Return a function that makes many customers with one past."""

    def make(n, frequency, recency_days, age_days, monetary_value=None):
        past = {"frequency": frequency, "recency_days": recency_days, "age_days": age_days}
        return pl.DataFrame({"customer_id": np.arange(n)}).with_columns(
            **{name: pl.lit(value, pl.Int64) for name, value in past.items()},
            monetary_value=pl.lit(monetary_value, pl.Float64),
        )

    return make


@pytest.fixture
def assert_agrees():
    """Return a function that compares the mean of independent numbers, or shares, with what is expected."""

    def agree(sample, expected, *, trials=None):
        numbers = np.asarray(sample, dtype=np.float64)
        error = np.std(numbers, ddof=1) / math.sqrt(len(numbers))
        # What is rarer than one in the number of trials may not be seen at all, and then shows no spread.
        slack = 4.0 / (trials or len(numbers)) if numbers.max() <= 1.0 else 0.0
        assert abs(numbers.mean() - expected) <= 4 * error + slack

    return agree


def simulated(params, n, *, age, ahead, seed):
    """Return customers as they stand at `age`, with what they order and spend in the time `ahead`."""
    generator = np.random.Generator(np.random.Philox(seed))
    rate = generator.gamma(params.r, 1.0 / params.alpha, n)
    leaves, end = np.zeros(n), np.full(n, np.inf)
    if isinstance(params, ParetoNbdParams):
        end = generator.exponential(1.0, n) / generator.gamma(params.s, 1.0 / params.beta, n)
    else:
        leaves = generator.beta(params.a, params.b, n)
    alive = generator.random(n) >= leaves if getattr(params, "leaves_after_first", False) else np.ones(n, bool)
    now, last, before, after = np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64)
    while alive.any():
        now = now + generator.gamma(params.k, 1.0, n) / rate
        alive &= (now < end) & (now < age + ahead)
        before += alive & (now < age)
        after += alive & (now >= age)
        last = np.where(alive & (now < age), now, last)
        alive &= generator.random(n) >= leaves
    spend_rate = generator.gamma(SPEND.q, 1.0 / SPEND.v, n)
    paid = generator.gamma(SPEND.p * np.maximum(before, 1)) / spend_rate / np.maximum(before, 1)
    value = np.where(after > 0, generator.gamma(SPEND.p * np.maximum(after, 1)) / spend_rate, 0.0)
    rfm = pl.DataFrame(
        {
            "customer_id": np.arange(n),
            "frequency": before,
            # Time passes in so small units that rounding it, which the table asks for, changes nothing.
            "recency_days": np.maximum(np.rint(last), before > 0).astype(np.int64),
            "age_days": np.full(n, age, np.int64),
        }
    ).with_columns(monetary_value=pl.when(pl.col("frequency") > 0).then(pl.Series(paid)))
    return rfm, after, value


DAYS = 273
PASTS = {"one-timer": (0, 0, 272), "repeater": (2, 213, 272), "regular": (26, 216, 217), "silent": (8, 60, 250)}


@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS)
def test_orders_and_value_have_the_expectations_of_the_models(model, assert_agrees, twins, past):
    mean_spend = None if past[0] == 0 else 22.35
    customers = predict(twins(400, *past, mean_spend), [model] * 250, [SPEND] * 250, days=DAYS, seed=1).customers
    orders = float(Outlook(model, *past).expected_purchases(DAYS))
    amount = float(expected_spend(SPEND, past[0], mean_spend or math.nan))
    assert_agrees(customers["orders_mean"], orders)
    assert_agrees(customers["value_mean"], orders * amount)


def test_value_is_discounted_by_the_moment_of_each_order_and_only_its_margin_counts(model, assert_agrees, twins):
    past, amount = (2, 213, 272), float(expected_spend(SPEND, 2, 22.35))
    asked = {"days": 1000, "annual_discount_rate": 0.5, "margin": 0.4}
    found = predict(twins(400, *past, 22.35), [model] * 250, [SPEND] * 250, **asked).customers
    expected = Outlook(model, *past).discounted_purchases(rate=math.log(1.5) / 365.25, horizon=1000)
    assert_agrees(found["value_mean"], 0.4 * amount * float(expected))


@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS)
def test_numbers_of_orders_have_the_probabilities_of_the_models(model, assert_agrees, twins, past):
    by_draw = predict(twins(300, *past), [model] * 250, days=DAYS, seed=3, by="customer_id").totals_by_draw
    orders = by_draw["orders"].to_numpy().reshape(300, 250)
    for count in (0, 1, 2, 5, 20):
        expected = float(Outlook(model, *past).purchase_probability(end=DAYS, counts=count))
        assert_agrees((orders == count).mean(axis=1), expected, trials=orders.size)


def test_every_draw_is_simulated_with_its_own_parameters(twins):
    never = MODELS["BG/NBD"].__class__(r=1e-3, alpha=1e6, a=1.0, b=1.0)
    by_draw = predict(twins(50, 2, 213, 272), [MODELS["BG/NBD"], never] * 50, days=DAYS).totals_by_draw
    simulated_orders = by_draw.group_by(odd=pl.col("draw") % 2, maintain_order=True).agg(pl.col("orders").sum())
    assert simulated_orders["orders"][0] > 1000
    assert simulated_orders["orders"][1] == 0


def test_draws_are_taken_evenly_and_a_posterior_is_asked_for_each(twins):
    never = np.log([1e-3, 1e6, 1.0, 1.0])
    log_params = np.tile(never, (400, 1))
    log_params[::10] = np.log([0.25, 31.0, 0.8, 2.4])
    asked = Posterior(model="bgnbd", log_params=log_params, k_hat=0.1, effective_draws=400.0, proposals=1200)
    every_tenth = predict(twins(50, 2, 213, 272), asked, days=DAYS, draws=40)
    assert every_tenth.totals.equals(predict(twins(50, 2, 213, 272), [MODELS["BG/NBD"]] * 40, days=DAYS).totals)


@pytest.mark.parametrize("past", [(1_000_000, 1_000_000, 1_000_001), (1_000_000, 500_000, 1_000_001)])
def test_a_million_orders_give_finite_numbers(model, twins, past):
    found = predict(twins(2, *past, 10.0), [model] * 40, [SPEND] * 40, days=30)
    assert np.isfinite(found.customers.drop("customer_id").to_numpy()).all()
    if past[1] == 1_000_000:
        # One order a day for ever: thirty of about ten, give or take five standard deviations of chance.
        assert 20 < found.customers["orders_mean"].mean() < 60
    else:
        assert found.totals["mean"].to_list() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("size", [1e-3, 1e6])
def test_tiny_and_huge_parameters_give_finite_numbers(twins, size):
    for params in MODELS.values():
        names = ("r", "alpha", "s", "beta") if hasattr(params, "s") else ("r", "alpha", "a", "b")
        extreme = replace(params, **dict.fromkeys(names, size))
        found = predict(twins(3, 3, 60, 100, 5.0), [extreme] * 40, [SPEND] * 40, days=10)
        assert np.isfinite(found.customers.drop("customer_id").to_numpy()).all()


# Some 13 months, and a year ahead, in hundredths of a day.
STEPS = 100
AGE, AHEAD = 400 * STEPS, 365 * STEPS


def finer(params):
    """Return the parameters with time in hundredths of a day."""
    times = {name: getattr(params, name) * STEPS for name in ("alpha", "beta") if hasattr(params, name)}
    return replace(params, **times)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_of_customers_hold_at_least_as_often_as_they_say(model, level):
    rfm, orders, value = simulated(finer(model), 4000, age=AGE, ahead=AHEAD, seed=11)
    found = predict(rfm, [finer(model)] * 199, [SPEND] * 199, days=AHEAD, level=level, seed=5).customers
    for name, happened in (("orders", orders), ("value", value)):
        low, high = found[f"{name}_low"].to_numpy(), found[f"{name}_high"].to_numpy()
        # Values are compared to twelve digits of a sum.
        covered = (low - 1e-9 <= happened) & (happened <= high + 1e-9)
        assert covered.mean() >= level - 4 * math.sqrt(level * (1 - level) / len(covered))


def test_what_happens_falls_evenly_between_the_draws(model):
    """The randomised probability integral transform is uniform: the rank of the truth among the draws, ties drawn."""
    rfm, orders, _ = simulated(finer(model), 3000, age=AGE, ahead=AHEAD, seed=12)
    by_draw = predict(rfm, [finer(model)] * 99, days=AHEAD, by="customer_id").totals_by_draw
    drawn = by_draw["orders"].to_numpy().reshape(3000, 99)
    below, equal = (drawn < orders[:, None]).sum(axis=1), (drawn == orders[:, None]).sum(axis=1)
    ties = np.random.Generator(np.random.Philox(13)).random(3000)
    # Kolmogorov and Smirnov's test; 1e-4 is about four standard errors.
    assert stats.kstest((below + ties * (equal + 1)) / 100, stats.uniform().cdf).pvalue > 1e-4


def test_intervals_of_totals_hold_as_often_as_they_say(model):
    rfm, orders, value = simulated(finer(model), 200 * 50, age=AGE, ahead=AHEAD, seed=14)
    worlds = rfm.with_columns(world=pl.col("customer_id") % 200)
    found = predict(worlds, [finer(model)] * 99, [SPEND] * 99, days=AHEAD, level=0.8, by="world")
    happened = pl.DataFrame({"world": worlds["world"], "orders": orders, "buyers": orders > 0, "value": value})
    truth = happened.group_by("world").sum().unpivot(index="world", variable_name="quantity", value_name="truth")
    inside = pl.col("truth").is_between("low", "high")
    held = found.totals.join(truth, on=["world", "quantity"]).group_by("quantity").agg(inside.mean(), n=pl.len())
    assert held["n"].to_list() == [200] * 3
    # Continuous totals hold in 80 of 100 worlds; whole numbers, of which the ends count, in some more.
    assert ((held["truth"] - 0.8).abs() <= 4 * math.sqrt(0.8 * 0.2 / 200)).all()


def test_the_interval_s_ends_are_draws_in_order_of_size(twins):
    # floor(100 * 0.05) = 5: the fifth draw from each end.
    found = predict(twins(40, 9, 200, 217), [MODELS["BG/NBD"]] * 99, days=100, by="customer_id", level=0.9)
    drawn = np.sort(found.totals_by_draw["orders"].to_numpy().reshape(40, 99), axis=1)
    assert found.customers["orders_low"].to_list() == drawn[:, 4].tolist()
    assert found.customers["orders_high"].to_list() == drawn[:, -5].tolist()
    assert found.customers["orders_mean"].to_list() == pytest.approx(drawn.mean(axis=1).tolist(), rel=1e-15)
    assert found.totals.filter(quantity="orders")["low"].to_list() == drawn[:, 4].tolist()


def test_unsure_parameters_make_intervals_of_totals_wider(twins):
    sure = MODELS["MBG/NBD"]
    generator = np.random.Generator(np.random.Philox(15)).normal(0.0, 0.8, 200)
    unsure = [replace(sure, r=sure.r * math.exp(z)) for z in generator]
    shop = twins(2000, 2, 213, 272, 30.0)
    narrow = predict(shop, [sure] * 200, [SPEND] * 200, days=365).totals
    wide = predict(shop, unsure, [SPEND] * 200, days=365).totals
    assert ((wide["high"] - wide["low"]) > 1.5 * (narrow["high"] - narrow["low"])).all()


@pytest.fixture
def shop():
    rfm, _, _ = simulated(MODELS["MBG/NBD"], 1500, age=500, ahead=1, seed=21)
    return rfm.with_columns(pl.format("C{}", "customer_id").alias("customer_id"))


def asked(rfm, model, **options):
    return predict(rfm, [model] * 40, [SPEND] * 40, days=200, annual_discount_rate=0.1, **options)


def test_the_order_of_the_rows_changes_no_bit(model, shop):
    mixed = shop.sample(fraction=1.0, shuffle=True, seed=1)
    here, there = asked(shop, model), asked(mixed, model)
    assert_frame_equal(here.totals_by_draw, there.totals_by_draw, check_exact=True)
    assert_frame_equal(here.totals, there.totals, check_exact=True)
    joined = shop.select("customer_id").join(there.customers, on="customer_id", maintain_order="left")
    assert_frame_equal(here.customers, joined, check_exact=True)


def test_other_customers_move_nobody(model, shop):
    few = shop.filter(pl.col("frequency") > 1)
    alone = asked(few, model).customers
    among = few.select("customer_id").join(asked(shop, model).customers, on="customer_id", maintain_order="left")
    assert_frame_equal(alone, among, check_exact=True)


@pytest.mark.parametrize(("block_size", "threads"), [(1, 2), (7, 1), (1000, 3), (4096, 2)])
def test_neither_blocks_nor_threads_change_a_bit(shop, monkeypatch, block_size, threads):
    expected, module = asked(shop.head(300), MODELS["Pareto/NBD"]), sys.modules[predict.__module__]
    monkeypatch.setattr(module, "BLOCK_SIZE", block_size)
    monkeypatch.setattr(module, "cpu_count", lambda: threads)
    found = asked(shop.head(300), MODELS["Pareto/NBD"])
    for table in ("customers", "totals", "totals_by_draw"):
        assert_frame_equal(getattr(found, table), getattr(expected, table), check_exact=True)


def test_another_seed_brings_other_numbers_and_the_same_seed_the_same(shop):
    here, again, other = (asked(shop, MODELS["BG/NBD"], seed=seed) for seed in (1, 1, 2))
    assert_frame_equal(here.customers, again.customers, check_exact=True)
    assert (here.totals_by_draw["orders"] != other.totals_by_draw["orders"]).any()


def test_looking_further_ahead_takes_no_order_away(model, twins):
    shop = twins(100, 2, 213, 272)
    near, far = (predict(shop, [model] * 40, days=days, by="customer_id").totals_by_draw for days in (90, 400))
    assert (near["orders"] <= far["orders"]).all()
    assert near["orders"].sum() < far["orders"].sum()


def test_a_discount_changes_what_orders_are_worth_and_no_order(model, twins):
    shop = twins(100, 2, 213, 272, 30.0)
    now, later = (
        predict(shop, [model] * 40, [SPEND] * 40, days=400, annual_discount_rate=rate).customers for rate in (0.0, 0.2)
    )
    assert now["orders_mean"].to_list() == later["orders_mean"].to_list()
    assert (later["value_mean"] <= now["value_mean"]).all()
    assert (later["value_mean"] >= now["value_mean"] * 1.2 ** -(400 / 365.25)).all()


def test_groups_add_up_to_the_totals_and_stand_in_order(shop):
    grouped = asked(shop, MODELS["BG/NBD"], by="frequency")
    whole = asked(shop, MODELS["BG/NBD"])
    added = grouped.totals_by_draw.group_by("draw").agg(pl.col("orders", "buyers", "value").sum()).sort("draw")
    assert_frame_equal(added, whole.totals_by_draw, rel_tol=1e-13)
    assert grouped.totals["frequency"].is_sorted()
    assert grouped.totals["quantity"].head(3).to_list() == ["orders", "buyers", "value"]
    assert_frame_equal(grouped.customers, whole.customers, check_exact=True)


def test_totals_are_the_sums_of_the_customers(shop):
    found = asked(shop, MODELS["BG/NBD"])
    of_customers = [found.customers[name].sum() for name in ("orders_mean", "prob_order", "value_mean")]
    # Value to 2**-50 of the unit of money, per customer and draw.
    assert found.totals["mean"].to_list() == pytest.approx(of_customers, rel=1e-12)


@pytest.mark.parametrize("amount", [1e-6, 1e9])
def test_value_is_added_up_whatever_the_size_of_the_amounts(twins, amount):
    money = GammaGammaParams(p=6.25, q=3.74, v=amount / 2)
    found = predict(twins(200, 9, 200, 217, amount), [MODELS["BG/NBD"]] * 40, [money] * 40, days=100)
    # A value of 1e-6 is held to 2**-50, a part in 1e9 of it.
    added = math.fsum(found.customers["value_mean"])
    assert found.totals.filter(quantity="value")["mean"].item() == pytest.approx(added, rel=1e-8)


PAST = (2, 213, 272)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": float("nan")}, "days must be finite and not negative; found nan"),
        ({"level": 1.0}, "level must be above 0 and below 1; found 1.0"),
        ({"level": 0.99}, "level 0.99 takes at least 199 draws of the parameters; found 40"),
        ({"margin": 1.5}, "margin must be a share from 0 to 1; found 1.5"),
        ({"annual_discount_rate": -0.1}, "annual_discount_rate must be finite and not negative; found -0.1"),
        ({"seed": -1}, "seed must be from 0 to"),
        ({"draws": 50}, "found 40 draws of the parameters; asked for 50, possible: 1 to 40"),
        ({"draws": 0}, "asked for 0, possible: 1 to 40"),
        ({"by": "frequenzy"}, "totals by column 'frequenzy': did you mean 'frequency'"),
        ({"by": "monetary_value"}, "totals by column 'monetary_value': 5 of 5 values are missing"),
    ],
)
def test_it_says_what_is_possible(twins, options, words):
    with pytest.raises(EstimationError, match=words):
        predict(twins(5, *PAST), [MODELS["BG/NBD"]] * 40, **{"days": 30, **options})


def test_draws_that_do_not_go_together_or_of_endless_or_huge_amounts_are_refused(twins):
    model, of_spend = MODELS["BG/NBD"], {"p": 6.0, "q": 3.0, "v": 15.0}
    wild, rich = GammaGammaParams(**of_spend | {"q": 0.9}), GammaGammaParams(**of_spend | {"v": 1e16})
    for purchases, spend, words in (
        ([model, MODELS["Pareto/NBD"]] * 20, None, "must all be of one model of orders; found 2 models"),
        ([model] * 40, [SPEND] * 39, "40 draws of the parameters of orders and 39 of those of spend"),
        ([], None, "found 0 draws"),
        ([model] * 40, [wild] + [SPEND] * 39, "in 1 of 40 draws of the parameters mean spend is infinite"),
        ([model] * 40, [rich] * 40, "count money in a larger unit"),
    ):
        with pytest.raises(EstimationError, match=words):
            predict(twins(50, *PAST), purchases, spend, days=3000)


def test_nobody_in_groups_has_no_totals(twins):
    assert predict(twins(0, *PAST), [MODELS["BG/NBD"]] * 40, days=30, by="frequency").totals.is_empty()


def test_names_have_the_numbers_of_the_published_hash():
    # Fowler, Noll, Vo & Eastlake (2012), appendix C: FNV-1a of 64 bits.
    found = customer_numbers(pl.Series(["", "a", "foobar", "chongo was here!\n"]))
    expected = [0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8, 0x46810940EFF5F915]
    assert found.tolist() == expected


def test_names_have_numbers_by_their_text_alone():
    numbers = pl.Series([7, 70, 123456789012])
    assert customer_numbers(numbers).tolist() == customer_numbers(numbers.cast(pl.String)).tolist()
    text = pl.Series(["", "ä", "", "Ωmega", "b", ""])
    assert customer_numbers(text).tolist() == [customer_numbers(text[i : i + 1]).item() for i in range(6)]
    assert len(set(customer_numbers(pl.int_range(100_000, eager=True)).tolist())) == 100_000


@given(
    st.lists(st.floats(min_value=0.0, max_value=1e6, exclude_min=True) | st.just(1.0), max_size=40),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_it_is_the_number_at_that_place_of_the_sorted_ones(numbers, zeros, generator):
    everything = sorted([0.0] * zeros + numbers)
    room = np.array([*numbers, np.nan])
    for rank in generator.sample(range(len(everything)), len(everything)):
        assert ranked(room, len(numbers), zeros, rank) == everything[rank]
