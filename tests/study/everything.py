"""A scenario in which everything happens that can: every mechanism, each strategy alone, and all of them together."""

from __future__ import annotations

from dataclasses import replace

from cxsim.params import Unit
from cxsim.strategies.strategy import load_strategy
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import Combination, NewCustomers
from tests.simulated import assumed

MORE = (
    "paid-membership",
    "referral-programme",
    "e-mail-cadence",
    "first-order-discount",
    "win-back-reactivation",
    "vip-tiers",
)
TOGETHER = "all-together"


def with_prior(name):
    """Return a strategy as if its effects were known."""
    return replace(load_strategy(name), mode="prior", searches=None)


def service(**changes):
    """Return the bundled service scenario on the sample, with 240 new customers over two years and two draws."""
    written = {
        "orders": "cdnow-sample",
        "new_customers": NewCustomers(per_month=60, months=4),
        "horizon_months": 24,
        "draws": 2,
        "dropout": "bgnbd",
    }
    return replace(load_scenario("cdnow-service"), **written | changes)


def combined(scenario, *names, name=TOGETHER, stacking=0.6):
    """Return the scenario with its strategies, or some of them, together as one more arm."""
    strategies = names or tuple(one.name for one in scenario.strategies)
    return replace(
        scenario,
        combinations=(*scenario.combinations, Combination(name=name, title="Together", strategies=strategies)),
        stacking=assumed(stacking, Unit.SHARE),
    )


def everything():
    """Return the service scenario with every mechanism that the simulator has."""
    plain = service(combinations=(), stacking=None)
    strategies = (*plain.strategies, *(with_prior(name) for name in MORE))
    return combined(replace(plain, strategies=strategies))
