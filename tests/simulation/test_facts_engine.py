"""With every mechanism on: the same bits from every executor, and nobody's luck moved by others: fact F27."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from cxsim.simulation import engine
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import customer_values, events, simulate
from tests.simulation.busy import everyone, everything
from tests.simulation.shops import FULL
from tests.simulation.worlds import COMPETING, Serial, existing, inputs, play

# Three blocks and a bit; the last one is not full.
CROWD = everyone(copies=3_000, months=12)


@pytest.fixture(scope="module")
def ready():
    alive = np.linspace(0.0, 1.0, CROWD.base.height)
    arms = ([], everything(), everything()[:3])
    return [inputs(CROWD, *arms, latents=COMPETING, behaviour=FULL, prob_alive=alive, draw=draw) for draw in (0, 1)]


def bits(ready, executor):
    counts = simulate(CROWD, [lambda one=one: one for one in ready], seed=7, executor=executor)
    return [(one.paired.tobytes(), [arm.tobytes() for arm in one.by_arm]) for one in counts]


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


def test_the_order_of_programmes_in_an_arm_changes_no_tally_f27():
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


def test_customers_values_add_up_to_the_worth_of_every_tally_f27():
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
