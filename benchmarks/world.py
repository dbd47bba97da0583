"""The customers that every benchmark simulates: new ones, with the published CDNOW parameters, for three years."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from cxsim.scenario import load_scenario
from cxsim.simulation import Calendar, Inputs, Latents, Population, compile_plan, empty_base, reached_by, tallies_of
from cxsim.strategies import Strategy

# Fader, Hardie & Lee (2005) in weeks, and Fader & Hardie (2013) for spend; alpha here in days.
R, ALPHA_DAYS, A, B = 0.2425945, 4.4136020 * 7, 0.7929220, 2.4259068
P, Q, V = 6.2495723, 3.7442247, 15.4435210
MONTHS = 36
CALENDAR = Calendar(starts_on=date(1998, 7, 1), months=MONTHS)
SEED = 1


def population(customers: int) -> Population:
    """Return so many new customers, all arriving in the first month."""
    return Population(base=empty_base(), arrivals=(customers,), calendar=CALENDAR)


def baseline(people: Population) -> Callable[[], Inputs]:
    """Return a function that makes the inputs of one draw with the baseline alone."""
    return _inputs(people, ())


def full_arm() -> tuple[Strategy, ...]:
    """Return every strategy of the bundled scenario, to be run together in one arm."""
    return load_scenario("cdnow-programmes").strategies


def full(people: Population) -> Callable[[], Inputs]:
    """Return a function that makes the inputs of one draw with one arm, in which all three programmes run at once."""
    return _inputs(people, full_arm())


def _inputs(people: Population, strategies: tuple[Strategy, ...]) -> Callable[[], Inputs]:
    programmes = [strategy.programme() for strategy in strategies]
    plan = compile_plan(programmes, CALENDAR)
    ready = Inputs(
        draw=0,
        latents=Latents(R, ALPHA_DAYS, A, B, 0.0, 1.0, 0, P, Q, V),
        prob_alive=np.empty(0),
        plans=(plan,),
        reached=(reached_by(people, [programme.reach.who for programme in programmes]),),
        worths=(np.ones(tallies_of(plan), np.int64),),
    )
    return lambda: ready
