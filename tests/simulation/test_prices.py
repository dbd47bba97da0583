"""Markdowns and coupons: what they take off an order, to the last cent."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, place
from tests.simulated import orders
from tests.simulation.worlds import (
    LOYAL,
    buying,
    coupon,
    inputs,
    markdown,
    newcomers,
    orders_of_each,
    play,
    programme,
    total,
)

SHOPPERS = newcomers(500, months=12)


def test_a_markdown_raises_the_order_rate_by_the_elasticity_of_the_mean_price():
    # 20 % off every second order is a mean price of 0.9; with an elasticity of -2 the rate rises by 0.9 ** -2.
    cheaper, faster = programme(markdown(0.2, 0.5, -2.0)), programme(buying(0.9**-2))
    population = newcomers(5_000)
    ready = inputs(population, [cheaper], [faster])
    np.testing.assert_array_equal(*(orders_of_each(population, ready, arm=arm) for arm in (0, 1)))


def test_a_markdown_takes_its_depth_off_the_share_of_orders_that_redeem_it():
    counts = play(newcomers(5_000), [], [programme(markdown(0.2, 0.5, 0.0))])
    listed, off = (total(counts, 1, place(count_kind)) for count_kind in (CountKind.LIST, CountKind.MARKDOWN))
    # Half of some twenty thousand orders, whose amounts vary by 90 % of their mean: 1 % is four standard errors.
    assert off / listed == pytest.approx(0.1, rel=0.05)


def test_a_coupon_takes_its_face_value_off():
    counts = play(SHOPPERS, [], [programme(coupon(3.0, 1.0))], latents=LOYAL)
    assert total(counts, 1, place(CountKind.MARKDOWN)) == 300 * total(counts, 1, place(CountKind.ORDERS))


def test_a_coupon_never_exceeds_the_order():
    population = newcomers(2_000)
    log = orders(population, inputs(population, [], [programme(coupon(1e6, 1.0))]), seed=5, arm=1)
    assert log["amount"].unique().to_list() == [0.0]
