"""What customers go through, and what they do then: facts F22, F23 and F24 of the field."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import ORDER, SURVEY, TICKET
from cxsim.strategies.mechanisms import Incidents, Recovery, Satisfaction
from tests.simulation.mechanisms import made
from tests.simulation.regulars import regulars
from tests.simulation.shops import EARLY, LATE, experience, incident, shop, surveys
from tests.simulation.worlds import LOYAL, inputs, newcomers, play, programme

ASKING = surveys(after_order=1.0, response=1.0, extremity=0.0)


def test_a_late_parcel_delays_the_next_order_more_than_an_early_one_hastens_it_f22():
    # Quick-commerce study of the field's sources: the two are of the same size in hours, and count two to one.
    behaviour = shop(experience=experience(LATE, EARLY, negativity=2.0, contact=0.0, first_contact=1.0, buying=1.5))
    population = regulars(150_000, months=3)
    log = events(population, inputs(population, [], latents=LOYAL, behaviour=behaviour), seed=20240501)
    orders = log.filter(pl.col("kind") == ORDER).with_columns(next=pl.col("second").shift(-1).over("customer"))
    first = orders.filter(pl.col("order") == 0).drop_nulls()
    # Customers' own satisfaction is what it is; so the means over them of the log of the gap are compared.
    gap = first.with_columns(gap=(pl.col("next") - pl.col("second") + 0.5).log())
    by_kind = gap.group_by("d").agg(pl.col("gap").mean(), error=pl.col("gap").std() / pl.len().sqrt()).sort("d")
    nothing, late, early = by_kind["gap"]
    error = by_kind["error"].to_numpy()
    longer, shorter = late - nothing, nothing - early
    assert longer > 4 * np.hypot(error[0], error[1])
    assert longer - shorter > 4 * np.sqrt(4 * error[0] ** 2 + error[1] ** 2 + error[2] ** 2)
    # Memory 0.3, shocks of 0.6 and twice as much, 1.5 times as many orders for one deviation.
    step = 0.3 * 0.6 * np.log(1.5)
    assert abs(longer - 2 * step) < 4 * np.hypot(error[0], error[1])
    assert abs(shorter - step) < 4 * np.hypot(error[0], error[2])


def test_a_late_parcel_changes_the_same_gap_by_twice_as_much_as_an_early_one_f22():
    # The same order of the same customer, in a shop where it was late, and in one where it was early.
    gaps = []
    for shock in (-0.6, 0.0, 0.6):
        happened = incident("something", 0.5, shock, 0.0)
        going = experience(happened, negativity=2.0, contact=0.0, buying=1.5)
        population = regulars(2_000, months=3)
        ready = inputs(population, [], latents=LOYAL, behaviour=shop(experience=going))
        log = events(population, ready, seed=20240501).filter(pl.col("kind") == ORDER)
        first = log.filter(pl.col("order") <= 1).pivot("order", index="customer", values=["second", "d"])
        affected = first.drop_nulls().filter(pl.col("d_0") == 1)
        # Satisfaction is counted from the shop's usual level, which half of the orders lower or raise: taken out again.
        centre = 0.5 * shock * (2.0 if shock < 0.0 else 1.0)
        level = np.exp(np.log(1.5) * 0.3 * -centre)
        gaps.append(affected.select("customer", gap=(pl.col("second_1") - pl.col("second_0")) * level))
    both = gaps[0].join(gaps[1], on="customer", suffix="_usual").join(gaps[2], on="customer", suffix="_early")
    late, early = both["gap"].log() - both["gap_usual"].log(), both["gap_usual"].log() - both["gap_early"].log()
    sure = both["gap_usual"] > 86_400  # seconds are cut off: for gaps of a day and more, 2e-5 of them
    np.testing.assert_allclose(late.filter(sure), 2 * 0.3 * 0.6 * np.log(1.5), atol=5e-5)
    np.testing.assert_allclose(early.filter(sure), 0.3 * 0.6 * np.log(1.5), atol=5e-5)


def test_a_recovered_failure_can_please_more_than_none_but_never_sells_more_f23():
    # De Matos, Henrique & Rossi (2007): a recovery paradox in satisfaction, none in repurchase.
    failing = dataclasses.replace(
        shop(experience=experience(incident("late", 0.5, -1.0, 1.0), contact=0.0, first_contact=1.0, buying=1.5)),
        surveys=ASKING,
    )
    population = regulars(5_000, months=3)
    amends = programme(made(Recovery, share=1.0, compensation=5.0, repair=0.8, delight=1.0))
    none = programme(made(Incidents, ratio=0.01))
    ready = inputs(population, [none], [amends], latents=LOYAL, behaviour=failing)
    spared, recovered = (events(population, ready, seed=20240501, arm=arm) for arm in (0, 1))
    made_up = recovered.filter((pl.col("kind") == TICKET) & (pl.col("order") == 0) & (pl.col("d") > 0))["customer"]

    def of_first_order(log):
        mine = log.filter(pl.col("customer").is_in(made_up.implode()))
        said = mine.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0))
        times = mine.filter((pl.col("kind") == ORDER) & (pl.col("order") <= 1))
        gap = times.group_by("customer").agg(gap=pl.col("second").max() - pl.col("second").min(), n=pl.len())
        incident_at_first = times.filter(pl.col("order") == 0).select("customer", incident="d")
        return said.select("customer", felt="d").join(gap, on="customer").join(incident_at_first, on="customer")

    both = (
        of_first_order(spared)
        .filter(pl.col("incident") == 0)
        .join(of_first_order(recovered), on="customer", suffix="_recovered")
    )
    both = both.filter((pl.col("n") == 2) & (pl.col("n_recovered") == 2))
    assert both.height > 1_500
    assert (both["felt_recovered"] > both["felt"]).all(), "they say that they are more satisfied"
    assert (both["gap_recovered"] >= both["gap"] - 1).all(), "and come back no sooner"
    assert both["gap_recovered"].sum() > both["gap"].sum()


def test_revenue_rises_with_satisfaction_faster_and_faster_f24():
    # Ho, Park & Zhou (2006): increasing and convex.
    behaviour = shop(experience=experience(memory=1.0, contact=0.0, buying=1.4, leaving=0.8, basket=1.05))
    arms = [[programme(made(Satisfaction, shift=shift))] for shift in (-1.0, 0.0, 1.0)]
    counts = play(newcomers(50_000, months=24), *arms, behaviour=behaviour)
    low, middle, high = (int(arm[:, :, place(CountKind.LIST)].sum()) for arm in counts.by_arm)
    assert low < middle < high
    assert high - middle > middle - low


def test_who_reckons_with_the_mean_satisfaction_expects_too_few_orders_f24():
    # Ho, Park & Zhou (2006): a mixture of customers buys more than as many customers of its mean satisfaction.
    behaviour = dataclasses.replace(shop(experience=experience(memory=0.0, contact=0.0, buying=1.6)), surveys=ASKING)
    population = regulars(40_000, months=6)
    log = events(population, inputs(population, [], latents=LOYAL, behaviour=behaviour), seed=20240501)
    placed = log.filter(pl.col("kind") == ORDER).group_by("customer").len()
    said = (
        log.filter((pl.col("kind") == SURVEY) & (pl.col("a") == 0)).group_by("customer").agg(felt=pl.col("d").first())
    )
    both = placed.join(said, on="customer")
    everyone = both["len"].to_numpy()
    middling = both.filter(pl.col("felt").abs() < 100)["len"].to_numpy()
    error = np.hypot(everyone.std() / np.sqrt(len(everyone)), middling.std() / np.sqrt(len(middling)))
    assert everyone.mean() - middling.mean() > 4 * error
    # In closed form: exp(b S) has the mean exp(b b / 2), and is 1 for mean satisfaction.
    b = np.log(1.6)
    ratio = everyone.mean() / middling.mean()
    assert abs(ratio - np.exp(b * b / 2)) < 4 * error / middling.mean() * ratio
