"""Strategies and a scenario made by hand, for what a scenario accepts and says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from cxsim.finance.economics import load_economics
from cxsim.library import root
from cxsim.params import Unit, read
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.effects import Markdown, PurchaseRate, Reach
from cxsim.strategies.mechanisms import Referral, Returns, Tickets
from cxsim.strategies.strategy import Strategy
from cxsim.study.scenario import Combination, Scenario
from tests.simulated import assumed

SHOP = read(root() / "params" / "behaviour" / "online-shop.yaml", Behaviour)


def share(value):
    return assumed(value, Unit.SHARE)


def ratio(value, ends=None):
    return assumed(value, Unit.RATIO, range=ends)


def reach(**when):
    return Reach(who="everyone", uptake=share(1.0), ramp_days=assumed(0.0, Unit.DAYS), **when)


def plan(name, *effects, when=None, **more):
    """Return a strategy for everyone; `when` is what else its reach says."""
    return Strategy(name=name, title=name, description="d", reach=reach(**when or {}), effects=effects, **more)


FASTER = PurchaseRate(ratio=ratio(1.1))
FEWER_TICKETS, FEWER_RETURNS = Tickets(ratio=ratio(0.9)), Returns(ratio=ratio(0.9))
TEN_OFF = Markdown(depth=share(0.1), redemption=share(0.5), elasticity=assumed(-2.0, Unit.ELASTICITY))


def referring(per_year):
    return Referral(
        per_year=assumed(per_year, Unit.PER_YEAR),
        success=share(0.5),
        anyway=share(0.2),
        dropout=ratio(1.0),
        premium=ratio(1.0),
        premium_half_life_days=assumed(100.0, Unit.DAYS),
    )


def combination(*names, name="both"):
    return Combination(name=name, title="Both", strategies=names)


MADE = Scenario(
    name="made",
    title="What would a plan bring?",
    description="d",
    orders="cdnow-sample",
    observed_until=date(1998, 6, 30),
    economics=load_economics("cdnow-service"),
    behaviour=SHOP,
    strategies=(plan("plan", FASTER),),
    horizon_months=12,
    dropout="bgnbd",
    seed=7,
)


def made(*strategies, **changes):
    """Return the scenario with other strategies."""
    return replace(MADE, strategies=strategies or MADE.strategies, **changes)
