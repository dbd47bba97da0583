"""The same bits from every executor, and neither more customers nor more strategies move anybody's luck."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError
from cxsim.simulation import engine
from cxsim.simulation.counts import CountKind, ReachCountKind, place, width
from cxsim.simulation.engine import customer_values, events, simulate
from cxsim.simulation.kernel import run_block, run_plain_block
from cxsim.strategies.behaviour import PLAIN
from tests.simulated import orders
from tests.simulation.busy import everyone, everything
from tests.simulation.shops import FULL
from tests.simulation.worlds import (
    CDNOW,
    COMPETING,
    MBG,
    MODELS,
    Serial,
    basket,
    buying,
    coupon,
    existing,
    inputs,
    leaving,
    newcomers,
    orders_of_each,
    past_customers,
    play,
    points,
    programme,
)

BUSY = [programme(buying(1.1), leaving(0.8), basket(1.05), points(), uptake=0.6, ramp_days=90.0)]
WIN_BACK = [programme(buying(1.4), coupon(5.0, 0.3), idle=(60.0, 30.0))]
# With every mechanism on. Three blocks and a bit; the last one is not full.
CROWD = everyone(copies=3_000, months=12)


@pytest.fixture(scope="module")
def ready():
    alive = np.linspace(0.0, 1.0, CROWD.base.height)
    arms = ([], everything(), everything()[:3])
    return [inputs(CROWD, *arms, latents=COMPETING, behaviour=FULL, prob_alive=alive, draw=draw) for draw in (0, 1)]


def counted(ready, executor, **more):
    return simulate(CROWD, [lambda one=one: one for one in ready], seed=7, executor=executor, **more)


def test_progress_counts_every_task_of_every_draw(monkeypatch, ready):
    monkeypatch.setattr(engine, "BLOCKS_PER_TASK", 2)
    seen = []
    counted(ready, Serial(), progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


class Silent:
    """A worker that never answers."""

    def submit(self, work, task, /):  # noqa: ARG002 - it does nothing with them, that is the point
        return self

    def result(self, timeout):
        assert timeout == 600.0
        raise TimeoutError

    def cancel(self):
        return True


def test_a_worker_without_answer_is_given_up_with_advice(ready):
    with pytest.raises(SimulationError, match=r"no answer from a worker for 600 seconds; .* memory\? Fewer customers"):
        counted(ready, Silent())


def test_a_block_that_is_not_full_holds_only_its_customers():
    counts = play(newcomers(10, months=2), [])
    assert counts.customers == 10
    assert counts.by_arm[0][:, :, place(CountKind.ARRIVALS)].sum() == 10


def test_a_larger_base_changes_no_order_of_new_customers():
    small, large = (existing(CROWD.base.head(rows), arrivals=(500, 500)) for rows in (100, 5_000))
    fewer, more = (
        orders(one, inputs(one, BUSY), seed=7).with_columns(pl.col("customer") - one.base.height)
        for one in (small, large)
    )
    assert more.filter(pl.col("customer") >= 0).equals(fewer.filter(pl.col("customer") >= 0))


def test_a_customers_luck_does_not_depend_on_the_other_strategies():
    population = newcomers(5_000, months=12)
    alone = play(population, [], WIN_BACK)
    among = play(population, [], BUSY, WIN_BACK)
    np.testing.assert_array_equal(among.by_arm[0], alone.by_arm[0])
    np.testing.assert_array_equal(among.by_arm[2], alone.by_arm[1])


def test_the_orders_of_a_draw_add_up_to_its_counts():
    population = newcomers(5_000, months=12)
    ready = inputs(population, [], BUSY)
    counts = play(population, [], BUSY, seed=7)
    for arm in (0, 1):
        log, count_kinds = orders(population, ready, seed=7, arm=arm), counts.by_arm[arm].sum(axis=(0, 1))
        assert log.height == count_kinds[place(CountKind.ORDERS)]
        cents = log.select((pl.col("amount") * 100).round().cast(pl.Int64).sum()).item()
        listed, off, reward = count_kinds[[CountKind.LIST, CountKind.MARKDOWN, CountKind.REWARD]]
        assert cents == listed - off - reward


# The same bits from every executor, and nobody's random numbers moved by others: fact F27.


def bits(ready, executor):
    return [(one.paired.tobytes(), [arm.tobytes() for arm in one.by_arm]) for one in counted(ready, executor)]


@pytest.fixture(scope="module")
def reference(ready):
    return bits(ready, Serial())


@pytest.mark.parametrize(("workers", "blocks"), [(1, 1), (2, 1), (2, 4)])
def test_threads_and_sizes_of_tasks_change_no_bit_of_a_full_shop_f27(monkeypatch, ready, reference, workers, blocks):
    monkeypatch.setattr(engine, "BLOCKS_PER_TASK", blocks)
    with ThreadPoolExecutor(workers) as threads:
        assert bits(ready, threads) == reference


def test_other_processes_change_no_bit_of_a_full_shop_f27(ready, reference):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert bits(ready, processes) == reference


def test_the_order_of_programmes_in_an_arm_changes_no_count_f27():
    # Money off one order is taken in the order of the programmes only where it is more than the whole order.
    ways = [everything()[:5], everything()[:5][::-1]]
    counts = play(CROWD, *ways, latents=COMPETING, behaviour=FULL)
    common = slice(0, len(CountKind))
    np.testing.assert_array_equal(counts.by_arm[0][:, :, common], counts.by_arm[1][:, :, common])


def test_more_new_customers_change_nothing_that_happens_to_those_of_the_base_f27():
    arm = everything()
    few, many = existing(CROWD.base), existing(CROWD.base, arrivals=(500, 500))
    before, after = (
        events(one, inputs(one, arm, latents=COMPETING, behaviour=FULL), seed=7).filter(
            pl.col("customer") < CROWD.base.height
        )
        for one in (few, many)
    )
    assert after.equals(before)


def test_customers_values_add_up_to_the_worth_of_every_count_f27():
    worth = {count_kind: 1 + int(count_kind) for count_kind in CountKind}
    for arm in ([], everything()):
        valued = inputs(CROWD, arm, latents=COMPETING, behaviour=FULL, worth=worth)
        counts = play(CROWD, arm, latents=COMPETING, behaviour=FULL, seed=7)
        assert customer_values(CROWD, valued, seed=7).sum() == (counts.by_arm[0] @ valued.unit_values[0]).sum()


def test_cohorts_add_up_to_the_whole_and_each_arrives_in_its_month_f27():
    counts = play(CROWD, [], everything(), latents=COMPETING, behaviour=FULL)
    for arm in counts.by_arm:
        arrived = arm[:, :, place(CountKind.ARRIVALS)]
        assert arrived.sum(axis=1).tolist() == [0, *CROWD.arrivals, 0]
        assert [arrived[1 + month, month] for month in range(len(CROWD.arrivals))] == list(CROWD.arrivals)


# The kernel is compiled once, whatever it plays: no parameter, model, behaviour or number of programmes costs more.


@pytest.mark.parametrize("kernel", [run_block, run_plain_block], ids=["long loop", "short loop"])
def test_a_kernel_has_one_signature_whatever_it_plays(kernel):
    population = everyone(copies=5, months=3)
    # The service changes incidents, which only a full shop has.
    few, most = [[], everything()[:1], everything()[:3]], everything()
    for latents in MODELS.values():
        play(population, *few, latents=latents, behaviour=PLAIN)
        play(population, *few, most, latents=latents, behaviour=FULL)
    assert len(kernel.signatures) == 1


# Rates and chances at their ends: what is certain happens, and nothing is divided by nothing.


def test_a_chance_of_leaving_beyond_one_is_certain():
    even = CDNOW._replace(r=1e3, alpha=1e3, a=1e6, b=1e6)  # one order a day, and half of the customers leave after each
    population = newcomers(1_000, months=3)
    placed = orders_of_each(population, inputs(population, [programme(leaving(100.0))], latents=even))
    assert (placed <= 2).all()


def test_customers_with_hardly_any_purchase_rate_never_order_again():
    # For most, the rate is too small for a double: it is 0, and nothing may be divided by it.
    population = newcomers(1_000)
    never = CDNOW._replace(r=1e-6)
    placed = orders_of_each(population, inputs(population, [programme(buying(0.01), leaving(0.5))], latents=never))
    assert (placed == 1).all()


def test_those_who_survived_orders_under_mbg_are_loyal_after_one_more_than_they_repeated():
    # Alive after x repeats, a customer has stayed after x + 1 orders: P(leave) ~ Beta(a, b + x + 1).
    repeats, customers = 4, 40_000
    quick = MBG._replace(r=1e6, alpha=1e6)  # one order a day, so that all meet their next order
    population = existing(past_customers([(repeats, 90, 100, 20.0)], customers), months=2)
    placed = orders_of_each(population, inputs(population, [], latents=quick))
    chance = MBG.a / (MBG.a + MBG.b + repeats + 1)
    assert abs((placed == 1).mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / customers)


@pytest.mark.parametrize("reaches", [0, 1, 3])
def test_every_place_of_an_arm_belongs_to_one_tally(reaches):
    places = [place(count_kind) for count_kind in CountKind]
    places += [place(count_kind, reach) for reach in range(reaches) for count_kind in ReachCountKind]
    assert sorted(places) == list(range(width(reaches)))
