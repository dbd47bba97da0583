"""The same bits from every executor, and neither more customers nor more strategies move anybody's luck."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError
from cxsim.simulation import engine
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import customer_values, simulate
from cxsim.simulation.world import Calendar, Population
from tests.simulated import orders
from tests.simulation.worlds import (
    Serial,
    basket,
    buying,
    coupon,
    existing,
    inputs,
    leaving,
    newcomers,
    past_customers,
    play,
    points,
    programme,
)

PASTS = past_customers([(2, 213, 272, 22.0), (0, 0, 272, None), (12, 260, 272, 55.0)], 3_000)
BUSY = [programme(buying(1.1), leaving(0.8), basket(1.05), points(), uptake=0.6, ramp_days=90.0)]
WIN_BACK = [programme(buying(1.4), coupon(5.0, 0.3), idle=(60.0, 30.0))]


@pytest.fixture(scope="module")
def crowd():
    """Seven and a bit blocks of existing and new customers: no power of two, and the last block is not full."""
    arrivals = (7_000, 8_000, 5_999)
    return Population(base=PASTS, arrivals=arrivals, calendar=Calendar(starts_on=date(1998, 7, 1), months=12))


@pytest.fixture(scope="module")
def ready(crowd):
    alive = np.linspace(0.0, 1.0, PASTS.height)
    return [inputs(crowd, [], BUSY, WIN_BACK, draw=draw, prob_alive=alive) for draw in (0, 1)]


def counted(crowd, ready, executor):
    return simulate(crowd, [lambda one=one: one for one in ready], seed=7, executor=executor)


@pytest.fixture(scope="module")
def reference(crowd, ready):
    return counted(crowd, ready, Serial())


def assert_same(left, right):
    assert len(left) == len(right)
    for mine, theirs in zip(left, right, strict=True):
        assert mine.customers == theirs.customers
        assert mine.paired.tobytes() == theirs.paired.tobytes()
        assert [arm.tobytes() for arm in mine.by_arm] == [arm.tobytes() for arm in theirs.by_arm]


@pytest.mark.parametrize("blocks", [1, 2, 8, 32])
@pytest.mark.parametrize("workers", [1, 2])
def test_threads_and_sizes_of_tasks_change_no_bit(monkeypatch, crowd, ready, reference, workers, blocks):
    monkeypatch.setattr(engine, "BLOCKS_PER_TASK", blocks)
    with ThreadPoolExecutor(workers) as threads:
        assert_same(counted(crowd, ready, threads), reference)


def test_other_processes_change_no_bit(crowd, ready, reference):
    # Spawned, not forked: the processes share nothing with this one, as on a cluster.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert_same(counted(crowd, ready, processes), reference)


def test_draws_differ(reference):
    assert (reference[0].by_arm[0] != reference[1].by_arm[0]).any()


def test_each_draw_is_the_same_whichever_others_are_made(crowd, ready, reference):
    assert_same(counted(crowd, ready[1:], Serial()), reference[1:])


def test_progress_counts_every_task_of_every_draw(monkeypatch, crowd, ready):
    monkeypatch.setattr(engine, "BLOCKS_PER_TASK", 4)
    seen = []
    simulate(
        crowd,
        [lambda one=one: one for one in ready],
        seed=7,
        executor=Serial(),
        progress=lambda done, of: seen.append((done, of)),
    )
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


def test_a_worker_without_answer_is_given_up_with_advice(crowd, ready):
    with pytest.raises(SimulationError, match=r"no answer from a worker for 600 seconds; .* memory\? Fewer customers"):
        counted(crowd, ready, Silent())


def test_a_block_that_is_not_full_holds_only_its_customers():
    counts = play(newcomers(10, months=2), [])
    assert counts.customers == 10
    assert counts.by_arm[0][:, :, place(CountKind.ARRIVALS)].sum() == 10


def test_more_customers_change_no_order_of_those_who_were_there():
    few, many = existing(PASTS), existing(PASTS, arrivals=(500, 500))
    before, after = (orders(one, inputs(one, BUSY), seed=7) for one in (few, many))
    assert after.filter(pl.col("customer") < PASTS.height).equals(before)


def test_a_larger_base_changes_no_order_of_new_customers():
    small, large = (existing(PASTS.head(rows), arrivals=(500, 500)) for rows in (100, 5_000))
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
        assert (
            cents
            == count_kinds[place(CountKind.LIST)]
            - count_kinds[place(CountKind.MARKDOWN)]
            - count_kinds[place(CountKind.REWARD)]
        )


def test_customers_values_add_up_to_the_worth_of_the_counts(crowd, ready):
    for arm in range(3):
        values = customer_values(crowd, ready[0], seed=7, arm=arm)
        worth = (
            play(crowd, [], BUSY, WIN_BACK, seed=7, prob_alive=ready[0].prob_alive).by_arm[arm]
            @ ready[0].unit_values[arm]
        )
        assert values.sum() == worth.sum()
