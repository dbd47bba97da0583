"""Customers with a past and one set of parameters in; who is still there, and rates of their own, drawn, out; compiled.

References
----------
Fader, Hardie & Lee (2005) and Platzer & Reutterer (2016): given that a customer is alive or left at the last order,
rates and chances are independent, Gamma and Beta distributed. Schmittlein, Morrison & Colombo (1987): given the moment
of leaving, both rates are Gamma distributed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxsim import rng
from cxsim.compiled import lean
from cxsim.estimation.predictive.kernel import Block
from cxsim.estimation.predictive.leaving import odds_of_leaving, phase
from cxsim.estimation.predictive.parameters import Family, Thetas

# What is drawn for a customer, in the order of the columns; `leaving` is a chance or a rate, as the model has it.
LATENTS = ("alive", "purchase_rate", "leaving", "phase", "mean_spend")

_ALIVE, _PURCHASE_RATE = int(rng.Purpose.ALIVE), int(rng.Purpose.PURCHASE_RATE)
_DROPOUT_PROB, _DROPOUT_RATE = int(rng.Purpose.DROPOUT_PROB), int(rng.Purpose.DROPOUT_RATE)
_LIFETIME, _SPEND_RATE = int(rng.Purpose.LIFETIME), int(rng.Purpose.SPEND_RATE)
# Flatter than this over the whole interval, a density is taken for level: numbers are no finer.
_LEVEL = 1e-9


@lean
def draw_latents(
    block: Block, thetas: Thetas, family: Family, seed: int, draw: int, latents: NDArray[np.float64]
) -> None:
    """Draw what is hidden of each customer from its distribution given the past.

    Parameters
    ----------
    block
        Customers.
    thetas, family
        One set of parameters, the first of `thetas`, and the model.
    seed, draw
        Of the luck.
    latents
        Shape (customers, 5), filled: see LATENTS.
    """
    theta = thetas[0]
    for i in range(len(block)):
        x, last, age = block[i].frequency, block[i].last, block[i].age
        key = rng.customer_key(seed, draw, block[i].number)
        used = rng.uniform(rng.purpose_key(key, _ALIVE), 0) * (1.0 + odds_of_leaving(theta, family, x, last, age))
        left, behind = 0.0 if used < 1.0 else 1.0, 0
        if left == 0.0 and family.k > 1:
            behind = phase(theta.r + family.k * x, (age - last) / (theta.alpha + age), family.k, used)
        until = age if left == 0.0 else last
        if left == 1.0 and family.calendar == 1:
            until += _left_after(key, theta, x, last, age)
        shape = theta.r + family.k * x + behind
        stages = rng.gamma(rng.purpose_key(key, _PURCHASE_RATE), 0, shape) / (theta.alpha + until)
        latents[i, 0], latents[i, 1], latents[i, 3] = 1.0 - left, stages / family.k, behind
        latents[i, 2] = _leaving(theta, family, key, x, until, left)
        if family.spends == 1:
            spend = theta.q + theta.p * block[i].paid
            luck = rng.gamma(rng.purpose_key(key, _SPEND_RATE), 0, spend)
            latents[i, 4] = theta.p * (theta.v + block[i].total) / luck


@lean
def _leaving(theta: Any, family: Family, key: np.uint64, x: float, until: float, left: float) -> float:
    """Return the chance of leaving after an order, or the rate of leaving per day; `left` is 1 if it happened."""
    if family.calendar == 1:
        return float(rng.gamma(rng.purpose_key(key, _DROPOUT_RATE), 0, theta.s + left) / (theta.beta + until))
    luck = rng.purpose_key(key, _DROPOUT_PROB)
    leave = rng.gamma(luck, 0, theta.a + left)
    stay = rng.gamma(luck, 1, theta.b + x + family.first - left)
    # Both can be 0 only for absurdly small shapes; the number is then at one of its two ends.
    return float(leave / (leave + stay)) if leave + stay > 0.0 else 0.0


@lean
def _left_after(key: np.uint64, theta: Any, x: float, last: float, age: float) -> float:
    """Return how long after the last order a customer left, for Pareto/NBD: by rejection under a tangent.

    In y = log(1 + u / near), near the smaller of alpha + last and beta + last, the logarithm of the density of the time
    u is concave, so it lies below its tangent at the mode, under which numbers are exponential, cut off at both ends.
    """
    start_a, start_b = theta.alpha + last, theta.beta + last
    near, ratio, on_near, on_far = start_a, start_a / start_b, theta.r + x, theta.s + 1.0
    if start_b < start_a:
        near, ratio, on_near, on_far = start_b, start_b / start_a, theta.s + 1.0, theta.r + x
    length, mode = rng.log(1.0 + (age - last) / near), 0.0
    if on_near < 1.0 and ratio < 1.0:
        top = (1.0 - on_near) * (1.0 - ratio) / (ratio * (on_near + on_far - 1.0))
        mode = min(max(rng.log(top), 0.0), length)
    at_mode = rng.exp(mode)
    slope = 1.0 - on_near - on_far * ratio * at_mode / (1.0 + ratio * (at_mode - 1.0))
    height = (1.0 - on_near) * mode - on_far * rng.log(1.0 + ratio * (at_mode - 1.0))
    luck, step = rng.purpose_key(key, _LIFETIME), 0
    while True:
        y = _cut_exponential(rng.uniform(luck, step), slope, length)
        density = (1.0 - on_near) * y - on_far * rng.log(1.0 + ratio * (rng.exp(y) - 1.0))
        if rng.log(rng.uniform(luck, step + 1)) < density - height - slope * (y - mode):
            return float(near * (rng.exp(y) - 1.0))
        step += 2


@lean
def _cut_exponential(luck: float, slope: float, length: float) -> float:
    """Return a number between 0 and `length` with a density like exp(slope * y)."""
    fall = abs(slope) * length
    if fall < _LEVEL:
        return luck * length
    from_top = -rng.log(1.0 - luck * (1.0 - rng.exp(-fall))) / abs(slope)
    return from_top if slope < 0.0 else length - from_top
