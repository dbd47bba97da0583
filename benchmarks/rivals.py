"""What cxsim is measured against: the field's own generator, and a compiled loop that keeps no books."""

from __future__ import annotations

import warnings

import numpy as np
from numba import njit

from benchmarks.world import ALPHA_DAYS, CALENDAR, A, B, P, Q, R, V

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifetimes.generate_data import beta_geometric_nbd_model


def lifetimes_generator(customers: int) -> None:
    """Generate orders (no spend, no months, no ledger) with lifetimes' Python loop."""
    np.random.seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beta_geometric_nbd_model(float(CALENDAR.days), R, ALPHA_DAYS, A, B, size=customers)


def bare_loop(customers: int) -> None:
    """Simulate the same orders and spends with numba's own generator, adding up two numbers and keeping nothing."""
    _bare(customers, 1, float(CALENDAR.days), R, ALPHA_DAYS, A, B, P, Q, V)


@njit(nogil=True, cache=True)
def _bare(customers, seed, days, r, alpha, a, b, p, q, v):
    np.random.seed(seed)
    orders, money = 0, 0.0
    for _ in range(customers):
        rate = np.random.gamma(r, 1.0 / alpha)
        leaves = np.random.beta(a, b)
        spend = np.random.gamma(q, 1.0 / v)
        now = np.random.random() * 31.0
        money += np.random.gamma(p, 1.0 / spend)
        orders += 1
        while rate > 0.0:
            now += np.random.exponential(1.0 / rate)
            if now >= days:
                break
            orders += 1
            money += np.random.gamma(p, 1.0 / spend)
            if np.random.random() < leaves:
                break
    return orders, money
