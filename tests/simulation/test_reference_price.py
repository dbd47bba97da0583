"""What customers remember of prices: every order of a regular customer against a reckoning by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.strategies.effects import Markdown
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars, side_by_side
from tests.simulation.worlds import LOYAL, inputs, programme

DEPTH, ELASTICITY, HALF_LIFE, AVERSION = 0.3, -2.0, 30.0, 1.8
PRICE, FORGET = np.log(1.0 - DEPTH), np.log(2.0) / HALF_LIFE
CROWD = regulars(200)
BEGINS, ENDS = (float(CROWD.calendar.month_starts[month]) for month in (1, 4))
REMEMBERED = made(
    Markdown,
    depth=DEPTH,
    redemption=1.0,
    elasticity=ELASTICITY,
    reference_half_life_days=HALF_LIFE,
    loss_aversion=AVERSION,
)


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
    plain = made(Markdown, depth=DEPTH, redemption=1.0, elasticity=ELASTICITY)
    found = side_by_side(CROWD, inputs(CROWD, [], [programme(plain, months=(1, 4))], latents=LOYAL))
    day = found["day"].to_numpy()
    gained = ((1.0 - DEPTH) ** ELASTICITY - 1.0) * (np.clip(day, BEGINS, ENDS) - BEGINS)
    np.testing.assert_allclose(found["usual"], day + gained, atol=5 / DAY)
