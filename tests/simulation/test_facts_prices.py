"""What markdowns do to orders now, later and at full price: facts F11, F12, F13 and F15 of the field."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.world import Population
from cxsim.strategies.effects import Dropout, Markdown, PurchaseRate
from tests.simulation.mechanisms import made
from tests.simulation.regulars import moments, regulars, side_by_side
from tests.simulation.worlds import (
    LOYAL,
    PARETO,
    coupon,
    existing,
    inputs,
    markdown,
    past_customers,
    play,
    programme,
    total,
)

# 20 % off at an elasticity of -2.62 (Bijmolt, van Heerde & Pieters 2005), in September and October.
DEPTH, ELASTICITY, WINDOW = 0.2, -2.62, (2, 4)
GAIN = (1.0 - DEPTH) ** ELASTICITY


def storing(forward_buying, dip_depth=0.25, depth=DEPTH, elasticity=ELASTICITY):
    return made(
        Markdown,
        depth=depth,
        redemption=1.0,
        elasticity=elasticity,
        forward_buying=forward_buying,
        dip_depth=dip_depth,
    )


REGULARS = regulars(300, months=24)
STARTS = REGULARS.calendar.month_starts
BEGINS, ENDS = (float(STARTS[month]) for month in WINDOW)
UPLIFT = (GAIN - 1.0) * (ENDS - BEGINS)  # extra orders, in days of usual ordering


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_of_the_extra_orders_of_a_markdown_the_stored_share_is_missing_later_f11(share):
    # Macé & Neslin (2004). Once the stock is used up, each order comes earlier by the part that is not given back.
    ready = inputs(REGULARS, [], [programme(storing(share), months=WINDOW)], latents=LOYAL)
    both = side_by_side(REGULARS, ready)
    used_up = ENDS + share * UPLIFT / 0.25
    after = both.filter(pl.col("day") > used_up + 1e-3)
    ahead = (after["usual"] - after["day"]).to_numpy()
    # Moments are cut to whole seconds, 1.2e-5 days, and the mean of the cuts of some thousand pairs is far smaller.
    np.testing.assert_allclose(ahead, (1.0 - share) * UPLIFT, atol=2.4e-5)
    assert abs(ahead.mean() - (1.0 - share) * UPLIFT) <= 1e-6 * UPLIFT
    assert after.height > 5_000


def test_between_the_markdown_and_the_end_of_the_dip_every_order_is_where_the_arithmetic_puts_it_f11():
    share, dip = 0.5, 0.25
    both = side_by_side(REGULARS, inputs(REGULARS, [], [programme(storing(share, dip), months=WINDOW)], latents=LOYAL))
    day = both["day"].to_numpy()
    used_up = ENDS + share * UPLIFT / dip
    passed = np.interp(
        day,
        [0.0, BEGINS, ENDS, used_up, 1e4],
        [0.0, BEGINS, BEGINS + GAIN * (ENDS - BEGINS), ENDS + UPLIFT * (1 - share) + share * UPLIFT / dip, 0.0],
    )
    inside = day < used_up
    # A second in the window counts GAIN seconds of usual ordering.
    np.testing.assert_allclose(both["usual"].to_numpy()[inside], passed[inside], atol=2.4e-5 * GAIN)


def test_with_everything_stored_every_customer_has_the_usual_number_of_orders_in_the_end_f11():
    ready = inputs(REGULARS, [], [programme(storing(1.0), months=WINDOW)], latents=LOYAL)
    usual, promoted = (moments(REGULARS, ready, arm=arm) for arm in (0, 1))
    counted = [log.group_by("customer").len().sort("customer")["len"].to_list() for log in (usual, promoted)]
    assert counted[0] == counted[1]


def test_a_markdown_makes_a_bump_then_a_dip_and_never_a_loss_of_volume_f11():
    arms = [[programme(storing(share), months=WINDOW)] for share in (0.3, 0.6, 1.0)]
    counts = play(regulars(3_000, months=24), [], *arms, latents=LOYAL)
    usual, *promoted = (arm[:, :, place(CountKind.ORDERS)].sum(axis=0) for arm in counts.by_arm)
    for monthly in promoted:
        more = monthly - usual
        error = np.sqrt(monthly + usual)
        assert (more[2:4] > 4 * error[2:4]).all(), "the bump"
        assert more[4] < -4 * error[4], "the dip"
        assert (more[:2] == 0).all(), "nothing before"
        assert more.sum() >= 0
    assert promoted[0].sum() > promoted[1].sum() > promoted[2].sum() == usual.sum()


def at_full_price(effects):
    """Return the orders between the windows of a programme that comes every eight weeks for two, and usual ones."""
    population = regulars(3_000, months=24)
    ready = inputs(population, [], [programme(*effects, every=(56.0, 14.0))], latents=LOYAL)
    logs = [moments(population, ready, arm=arm) for arm in (0, 1)]
    usual, now = (log.filter((pl.col("day") % 56.0) >= 14.0).height for log in logs)
    return usual, now


REMEMBERED = made(
    Markdown,
    depth=DEPTH,
    redemption=1.0,
    elasticity=ELASTICITY,
    reference_half_life_days=60.0,
    loss_aversion=2.0,
)


def test_repeated_markdowns_lower_the_demand_at_full_price_f12():
    # Kalyanaram & Winer (1995): the reference price falls, and full price is a loss.
    usual, now = at_full_price([REMEMBERED])
    assert usual - now > 4 * np.sqrt(usual + now)


def test_gifts_of_the_same_value_and_effect_leave_the_demand_at_full_price_as_it_was_f12():
    # A coupon of a fifth of an order of 10.00, and as many more orders while it runs.
    usual, now = at_full_price([coupon(2.0, 1.0), made(PurchaseRate, ratio=GAIN)])
    assert abs(now - usual) < 4 * np.sqrt(usual + now)


def test_a_deep_markdown_can_cost_orders_of_established_customers_and_bring_orders_of_new_ones_f13():
    # Anderson & Simester (2004) found both signs. Orders of the ten months after the markdown, customer by customer.
    base = past_customers([(10, 300, 310, 20.0)], 5_000)
    shop = existing(base, months=14)
    population = Population(base=base, arrivals=(20_000,), calendar=shop.calendar)
    deep = made(
        Markdown,
        depth=0.4,
        redemption=1.0,
        elasticity=-1.0,
        reference_half_life_days=90.0,
        loss_aversion=2.0,
        forward_buying=0.3,
        dip_depth=0.3,
    )
    known = programme(deep, who="origin = 'existing'", months=(0, 4), name="established")
    new = programme(markdown(0.4, 1.0, -1.0), made(Dropout, ratio=0.6), who="origin = 'new'", months=(0, 4), name="new")
    ready = inputs(population, [], [known, new], latents=PARETO)
    since = float(population.calendar.month_starts[4])
    later = [moments(population, ready, arm=arm).filter(pl.col("day") >= since) for arm in (0, 1)]
    placed = [np.bincount(log["customer"].to_numpy(), minlength=population.size) for log in later]
    gain = placed[1] - placed[0]
    established, fresh = gain[: base.height], gain[base.height :]
    assert established.mean() < -4 * established.std() / np.sqrt(established.size)
    assert fresh.mean() > 4 * fresh.std() / np.sqrt(fresh.size)


def test_a_small_markdown_pays_where_the_unit_margin_is_above_one_over_the_elasticity_f15():
    # First order in the depth d: (1 - d) ** e * (m - d) - m = (-e m - 1) d + ..., which is 0 at m = 1 / 2.62 = 0.382.
    depth = 0.001
    ready = inputs(REGULARS, [], [programme(markdown(depth, 1.0, ELASTICITY))], latents=LOYAL)
    last = side_by_side(REGULARS, ready).group_by("customer").last()
    gain = last["usual"].sum() / last["day"].sum()  # orders with it over orders without it
    break_even = depth * gain / (gain - 1.0)
    # The next term of the depth is (2.62 - 1) / 2 * 0.001 = 0.08 % of it; seconds that are cut off are 0.001 %.
    assert break_even == pytest.approx(1.0 / 2.62, rel=0.001)
    assert round(break_even, 3) == 0.382


@pytest.mark.parametrize(("margin", "sign"), [(0.36, -1), (0.41, 1)])
def test_the_profit_of_a_small_markdown_changes_its_sign_f15(margin, sign):
    counts = play(regulars(20_000), [], [programme(markdown(0.01, 1.0, ELASTICITY))], latents=LOYAL)
    usual, listed = (total(counts, arm, place(CountKind.LIST)) for arm in (0, 1))
    profit = margin * (listed - usual) - total(counts, 1, place(CountKind.MARKDOWN))
    # Extra orders, about 10.00 each, are a Poisson number.
    error = (
        margin * 1_000 * np.sqrt(total(counts, 1, place(CountKind.ORDERS)) - total(counts, 0, place(CountKind.ORDERS)))
    )
    assert sign * profit > 4 * error
