"""Figures with a strategy and without it: ratios of sums in each world, named as the catalogue names them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxsim.metrics.catalogue import metric_named
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.study.business.kpis import kpis
from tests.study.everything import TOGETHER


def counted(study, arm, worlds):
    """Return the study with these sums by arm and world, and nothing else."""
    counts = [np.zeros((len(worlds), 12, one.shape[2]), np.int64) for one in study.counts]
    for world, (baseline, treated) in enumerate(worlds):
        for where, sums in ((0, baseline), (study.scenario.arms.index(arm), treated)):
            for count_kind, number in sums:
                # In two months, so that sums over months are needed.
                counts[where][world, 3, place(count_kind)] = number - number // 3
                counts[where][world, 7, place(count_kind)] = number // 3
    return replace(study, counts=tuple(counts))


@pytest.fixture
def two_worlds(study):
    """A points programme in two worlds; in the second one nobody answers without it."""
    kind, reach = CountKind, ReachCountKind
    first = (
        [
            (kind.ORDERS, 200), (kind.LIST, 1_000_000), (kind.MARKDOWN, 50_000), (kind.ARRIVALS, 80),
            (kind.SURVEYED, 40), (kind.ANSWERED, 10), (kind.PROMOTERS, 5), (kind.DETRACTORS, 2),
        ],
        [
            (kind.ORDERS, 250), (kind.LIST, 1_250_000), (kind.MARKDOWN, 62_500), (kind.REWARD, 12_500),
            (kind.ARRIVALS, 80), (reach.ATTRACTED, 15), (kind.REFERRED, 5), (reach.MEMBER_MONTHS, 600),
            (kind.SURVEYED, 50), (kind.ANSWERED, 20), (kind.PROMOTERS, 8), (kind.DETRACTORS, 6),
        ],
    )  # fmt: skip
    second = (
        [(kind.ORDERS, 100), (kind.LIST, 400_000), (kind.ARRIVALS, 80)],
        [
            (kind.ORDERS, 100), (kind.LIST, 440_000), (kind.REWARD, 4_400), (kind.ARRIVALS, 80),
            (reach.MEMBER_MONTHS, 400), (kind.SURVEYED, 10), (kind.ANSWERED, 5), (kind.PROMOTERS, 5),
        ],
    )  # fmt: skip
    return kpis(counted(study, "points-programme", [first, second])).filter(strategy="points-programme")


def figures(table, kpi):
    row = table.filter(kpi=kpi).row(0, named=True)
    return [row[name] for name in ("baseline", "treated", "difference", "low", "high")]


def test_order_values_are_ratios_of_sums_in_each_world(two_worlds):
    # 10,000 / 200 = 50 and 4,000 / 100 = 40; 12,500 / 250 = 50 and 4,400 / 100 = 44. Differences 0 and 4, whose 5 %
    # and 95 % quantiles lie 0.05 and 0.95 of the way between: 0.2 and 3.8.
    assert figures(two_worlds, "aov_gross") == pytest.approx([45.0, 47.0, 2.0, 0.2, 3.8], rel=1e-12)
    # Paid: 9,500 / 200 = 47.50 and 40; (12,500 - 625 - 125) / 250 = 47.00 and (4,400 - 44) / 100 = 43.56.
    # Differences -0.50 and 3.56: mean 1.53, quantiles -0.50 + 0.05 * 4.06 = -0.297 and 3.357.
    assert figures(two_worlds, "aov_net") == pytest.approx([43.75, 45.28, 1.53, -0.297, 3.357], rel=1e-12)


def test_what_is_taken_off_is_shown_apart(two_worlds):
    # Markdown 500 of 10,000 and 625 of 12,500, none in the second world; rewards are 1 % in both.
    assert figures(two_worlds, "discount_share") == pytest.approx([0.025, 0.025, 0.0, 0.0, 0.0], abs=1e-15)
    assert figures(two_worlds, "reward_share") == pytest.approx([0.0, 0.01, 0.01, 0.01, 0.01], rel=1e-12)


def test_new_customers_are_counted_whoever_brought_them(two_worlds):
    # 80 come by themselves; in the first world 15 more are attracted and 5 referred: 100.
    assert figures(two_worlds, "new_customers") == pytest.approx([80.0, 90.0, 10.0, 1.0, 19.0], rel=1e-12)
    assert figures(two_worlds, "referred_customers") == pytest.approx([0.0, 2.5, 2.5, 0.25, 4.75], rel=1e-12)
    # Nobody was there before. 200 / 80 = 2.5 and 100 / 80 = 1.25; 250 / 100 = 2.5 and 1.25 again.
    assert figures(two_worlds, "orders_per_customer") == pytest.approx([1.875, 1.875, 0.0, 0.0, 0.0], abs=1e-15)
    assert figures(two_worlds, "member_months") == pytest.approx([0.0, 500.0, 500.0, 410.0, 590.0], rel=1e-12)


def test_a_world_in_which_nobody_is_asked_has_no_part_in_a_score(two_worlds):
    # First world: 100 * (5 - 2) / 10 = 30 and 100 * (8 - 6) / 20 = 10. The second has no score without the strategy.
    assert figures(two_worlds, "nps") == pytest.approx([30.0, 10.0, -20.0, -20.0, -20.0], rel=1e-12)
    assert figures(two_worlds, "response_rate") == pytest.approx([0.25, 0.4, 0.15, 0.15, 0.15], rel=1e-12)


def test_figures_of_the_catalogue_have_its_words(busy_case):
    table = busy_case.kpis
    shared = ("aov_gross", "aov_net", "new_customers", "incident_share", "tickets_per_order", "response_rate", "nps")
    ways = {"higher": "up", "lower": "down", "neither": "none"}
    for name in shared:
        row = table.filter(kpi=name).row(0, named=True)
        metric = metric_named(name)
        assert (row["label"], row["definition"], row["unit"]) == (metric.title, metric.definition, metric.unit)
        assert row["direction"] == ways[metric.direction]


def test_figures_are_those_that_the_shop_would_measure_in_its_own_tables(busy):
    orders, tickets = busy.tables(TOGETHER, draw=0).orders, busy.tables(TOGETHER, draw=0).tickets
    alone = tuple(counts[:1] for counts in busy.counts)
    worlds = replace(busy.worlds, draws=busy.worlds.draws[:1])
    first = replace(busy, worlds=worlds, counts=alone)
    found = kpis(first).filter(strategy=TOGETHER)
    assert figures(found, "aov_net")[1] == pytest.approx(orders["amount"].mean(), rel=1e-9)
    assert figures(found, "tickets_per_order")[1] == pytest.approx(tickets.height / orders.height, rel=1e-12)
