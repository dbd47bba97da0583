"""Markdowns and coupons: what they take off an order, to the last cent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.world import Population
from cxsim.strategies.behaviour import PLAIN
from tests.simulated import orders
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, moments, regulars, side_by_side
from tests.simulation.shops import UNMOVED
from tests.simulation.worlds import (
    CDNOW,
    LOYAL,
    PARETO,
    buying,
    coupon,
    existing,
    inputs,
    markdown,
    newcomers,
    orders_of_each,
    past_customers,
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


SUBSCRIPTION = CDNOW._replace(p=1.0, q=1.0, v=1.0, price=9.95)


@pytest.mark.parametrize("behaviour", [PLAIN, UNMOVED])
def test_where_every_order_costs_the_same_every_order_of_the_log_does(behaviour):
    # The short loop where nothing else happens, and the long one where satisfaction goes together with spend too.
    past = past_customers([(3, 200, 300, 9.95), (0, 0, 90, None)], copies=200)
    population = existing(past, arrivals=(100,))
    log = orders(population, inputs(population, [], latents=SUBSCRIPTION, behaviour=behaviour), seed=5)
    assert log.height > 100
    assert (log["amount"] * 100).round().unique().to_list() == [995.0]


def test_a_markdown_of_a_half_takes_exactly_half_of_a_price():
    population = newcomers(500)
    ready = inputs(population, [], [programme(markdown(0.5, 1.0, 0.0))], latents=SUBSCRIPTION._replace(price=9.9))
    assert orders(population, ready, seed=5, arm=1)["amount"].unique().to_list() == [4.95]


# What customers remember of prices: every order of a regular customer against a reckoning by hand.


def remembering(depth, elasticity, half_life, aversion, **more):
    price = {"depth": depth, "redemption": 1.0, "elasticity": elasticity}
    return made("markdown", **price, reference_half_life_days=half_life, loss_aversion=aversion, **more)


DEPTH, ELASTICITY, HALF_LIFE, AVERSION = 0.3, -2.0, 30.0, 1.8
PRICE, FORGET = np.log(1.0 - DEPTH), np.log(2.0) / HALF_LIFE
CROWD = regulars(200)
BEGINS, ENDS = (float(CROWD.calendar.month_starts[month]) for month in (1, 4))
REMEMBERED = remembering(DEPTH, ELASTICITY, HALF_LIFE, AVERSION)


@pytest.fixture(scope="module")
def both():
    ready = inputs(CROWD, [], [programme(REMEMBERED, months=(1, 4))], latents=LOYAL)
    return side_by_side(CROWD, ready)


def by_steps():
    """Reckon step by step: the gap to the reference price with its mean over the step, until it is a thousandth."""
    edges, logs = [0.0, BEGINS], [0.0]
    reference = 0.0
    for level, first, last in ((PRICE, BEGINS, ENDS), (0.0, ENDS, np.inf)):
        day = first
        while day < min(last, 365.0):
            gap = level - reference
            far = abs(gap) >= 1e-3
            fall = min(0.35, FORGET * (last - day))
            until = day + fall / FORGET if far else min(last, 365.0)
            weight = ELASTICITY if gap < 0.0 else ELASTICITY * AVERSION
            logs.append(weight * gap * (1.0 - np.exp(-fall)) / fall if far else 0.0)
            reference = level + gap * -(2.0 ** (-(until - day) / HALF_LIFE)) if far else level
            edges.append(until)
            day = until
    return np.array(edges), np.exp(logs)


def test_orders_come_as_reckoned_step_by_step(both):
    edges, factors = by_steps()
    passed = np.concatenate([[0.0], np.cumsum(factors * np.diff(edges))])
    expected = np.interp(both["day"], edges, passed)
    np.testing.assert_allclose(both["usual"], expected, atol=2 * factors.max() / DAY)


def test_orders_come_as_in_the_continuous_formula(both):
    # A gain while the reference price follows, exp(elasticity * price * 2 ** (-t / half-life)); then a loss.
    grid = np.linspace(0.0, 365.0, 365 * 100 + 1)
    middle = 0.5 * (grid[1:] + grid[:-1])
    inside, after = (middle >= BEGINS) & (middle < ENDS), middle >= ENDS
    reference = PRICE * (1.0 - np.exp(-FORGET * (ENDS - BEGINS)))
    gap = np.where(inside, PRICE * np.exp(-FORGET * (middle - BEGINS)), 0.0)
    gap = np.where(after, -reference * np.exp(-FORGET * (middle - ENDS)), gap)
    factor = np.exp(np.where(gap < 0.0, ELASTICITY, ELASTICITY * AVERSION) * gap)
    passed = np.concatenate([[0.0], np.cumsum(factor * np.diff(grid))])
    expected = np.interp(both["day"], grid, passed)
    # Within a step of 15 days the gap moves by 30 % of itself and the factor by as much of its log, so a moment is off
    # by at most an eighth of a step times 0.30 * 0.71 * exp(0.71), or 0.30 * 1.1 * exp(-1.1) of a loss: 0.82 and 0.21
    # days. Whole steps add a 24th of (0.30 * 0.71) ** 2 of all that is gained, less than 0.09; and the last thousandth
    # of a gap, which is taken for none, 3.6 thousandths times the 43 days that it would take, 0.16.
    usual, day = both["usual"].to_numpy(), both["day"].to_numpy()
    while_on = day < ENDS
    np.testing.assert_allclose(usual[while_on], expected[while_on], rtol=0, atol=0.82 + 0.09)
    np.testing.assert_allclose(usual[~while_on], expected[~while_on], rtol=0, atol=0.21 + 0.09 + 0.16)


def test_without_a_reference_price_the_gain_lasts_as_long_as_the_markdown():
    plain = made("markdown", depth=DEPTH, redemption=1.0, elasticity=ELASTICITY)
    found = side_by_side(CROWD, inputs(CROWD, [], [programme(plain, months=(1, 4))], latents=LOYAL))
    day = found["day"].to_numpy()
    gained = ((1.0 - DEPTH) ** ELASTICITY - 1.0) * (np.clip(day, BEGINS, ENDS) - BEGINS)
    np.testing.assert_allclose(found["usual"], day + gained, atol=5 / DAY)


# What markdowns do to orders now, later and at full price: facts F11, F12, F13 and F15 of the field.

# 20 % off at an elasticity of -2.62 (Bijmolt, van Heerde & Pieters 2005), in September and October.
DEPTH_PRICES, ELASTICITY_PRICES, WINDOW = 0.2, -2.62, (2, 4)
GAIN = (1.0 - DEPTH_PRICES) ** ELASTICITY_PRICES


def storing(forward_buying, dip_depth=0.25, depth=DEPTH_PRICES, elasticity=ELASTICITY_PRICES):
    price = {"depth": depth, "redemption": 1.0, "elasticity": elasticity}
    return made("markdown", **price, forward_buying=forward_buying, dip_depth=dip_depth)


REGULARS = regulars(300, months=24)
STARTS = REGULARS.calendar.month_starts
BEGINS_PRICES, ENDS_PRICES = (float(STARTS[month]) for month in WINDOW)
UPLIFT = (GAIN - 1.0) * (ENDS_PRICES - BEGINS_PRICES)  # extra orders, in days of usual ordering


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_of_the_extra_orders_of_a_markdown_the_stored_share_is_missing_later_f11(share):
    # Macé & Neslin (2004). Once the stock is used up, each order comes earlier by the part that is not given back.
    ready = inputs(REGULARS, [], [programme(storing(share), months=WINDOW)], latents=LOYAL)
    both = side_by_side(REGULARS, ready)
    used_up = ENDS_PRICES + share * UPLIFT / 0.25
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
    used_up = ENDS_PRICES + share * UPLIFT / dip
    passed = np.interp(
        day,
        [0.0, BEGINS_PRICES, ENDS_PRICES, used_up, 1e4],
        [
            0.0,
            BEGINS_PRICES,
            BEGINS_PRICES + GAIN * (ENDS_PRICES - BEGINS_PRICES),
            ENDS_PRICES + UPLIFT * (1 - share) + share * UPLIFT / dip,
            0.0,
        ],
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


def test_repeated_markdowns_lower_the_demand_at_full_price_f12():
    # Kalyanaram & Winer (1995): the reference price falls, and full price is a loss.
    usual, now = at_full_price([remembering(DEPTH_PRICES, ELASTICITY_PRICES, 60.0, 2.0)])
    assert usual - now > 4 * np.sqrt(usual + now)


def test_gifts_of_the_same_value_and_effect_leave_the_demand_at_full_price_as_it_was_f12():
    # A coupon of a fifth of an order of 10.00, and as many more orders while it runs.
    usual, now = at_full_price([coupon(2.0, 1.0), made("purchase_rate", ratio=GAIN)])
    assert abs(now - usual) < 4 * np.sqrt(usual + now)


def test_a_deep_markdown_can_cost_orders_of_established_customers_and_bring_orders_of_new_ones_f13():
    # Anderson & Simester (2004) found both signs. Orders of the ten months after the markdown, customer by customer.
    base = past_customers([(10, 300, 310, 20.0)], 5_000)
    shop = existing(base, months=14)
    population = Population(base=base, arrivals=(20_000,), calendar=shop.calendar)
    deep = remembering(0.4, -1.0, 90.0, 2.0, forward_buying=0.3, dip_depth=0.3)
    known = programme(deep, who="origin = 'existing'", months=(0, 4), name="established")
    new = programme(
        markdown(0.4, 1.0, -1.0), made("dropout", ratio=0.6), who="origin = 'new'", months=(0, 4), name="new"
    )
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
    ready = inputs(REGULARS, [], [programme(markdown(depth, 1.0, ELASTICITY_PRICES))], latents=LOYAL)
    last = side_by_side(REGULARS, ready).group_by("customer").last()
    gain = last["usual"].sum() / last["day"].sum()  # orders with it over orders without it
    break_even = depth * gain / (gain - 1.0)
    # The next term of the depth is (2.62 - 1) / 2 * 0.001 = 0.08 % of it; seconds that are cut off are 0.001 %.
    assert break_even == pytest.approx(1.0 / 2.62, rel=0.001)
    assert round(break_even, 3) == 0.382


@pytest.mark.parametrize(("margin", "sign"), [(0.36, -1), (0.41, 1)])
def test_the_profit_of_a_small_markdown_changes_its_sign_f15(margin, sign):
    counts = play(regulars(20_000), [], [programme(markdown(0.01, 1.0, ELASTICITY_PRICES))], latents=LOYAL)
    usual, listed = (total(counts, arm, place(CountKind.LIST)) for arm in (0, 1))
    profit = margin * (listed - usual) - total(counts, 1, place(CountKind.MARKDOWN))
    # Extra orders, about 10.00 each, are a Poisson number.
    error = (
        margin * 1_000 * np.sqrt(total(counts, 1, place(CountKind.ORDERS)) - total(counts, 0, place(CountKind.ORDERS)))
    )
    assert sign * profit > 4 * error
