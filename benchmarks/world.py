"""The customers that every benchmark simulates: new ones, with the published CDNOW parameters, for three years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.mechanisms import STACKING, every_mechanism
from cxsim.params import read
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.simulation.engine import Inputs
from cxsim.simulation.plan import arrivals_of, compile_plan, count_kinds_of
from cxsim.simulation.state import Latents
from cxsim.simulation.world import Calendar, Population, compile_world, empty_base, reached_by
from cxsim.strategies.behaviour import PLAIN, Behaviour
from cxsim.strategies.effects import Programme
from cxsim.study.loading import load_scenario

# Fader, Hardie & Lee (2005) in weeks, and Fader & Hardie (2013) for spend; alpha here in days.
R, ALPHA_DAYS, A, B = 0.2425945, 4.4136020 * 7, 0.7929220, 2.4259068
P, Q, V = 6.2495723, 3.7442247, 15.4435210
MONTHS = 36
CALENDAR = Calendar(starts_on=date(1998, 7, 1), months=MONTHS)
SEED = 1
# Of every mechanism: one to which programmes attract nobody, and one to which they do.
ARMS = 2
_BEHAVIOUR = Path(__file__).parents[1] / "params" / "behaviour" / "online-shop.yaml"

Ready = Callable[[], Inputs]


def baseline(customers: int) -> tuple[Population, Ready]:
    """Return customers, and a function that makes the inputs of one draw with the baseline alone."""
    people = Population(base=empty_base(), arrivals=(customers,), calendar=CALENDAR)
    return people, _ready(people, (), PLAIN, stacking=1.0, arms=1)


def full(customers: int) -> tuple[Population, Ready]:
    """Return the same with one arm, in which all strategies of the bundled scenario run at once in a plain world."""
    people = Population(base=empty_base(), arrivals=(customers,), calendar=CALENDAR)
    programmes = [strategy.programme() for strategy in load_scenario("cdnow-programmes").strategies]
    return people, _ready(people, programmes, PLAIN, stacking=1.0, arms=1)


def everything(customers: int, programmes: Sequence[Programme] | None = None) -> tuple[Population, Ready]:
    """Return the same with two arms in which every mechanism is on; to the second, programmes attract customers."""
    programmes, usual = programmes or every_mechanism(), (customers,)
    most = arrivals_of(programmes, usual, CALENDAR, stacking=STACKING)
    people = Population(base=empty_base(), arrivals=usual, calendar=CALENDAR, most_arrivals=most)
    return people, _ready(people, programmes, behaviour(), stacking=STACKING, arms=ARMS)


def behaviour() -> Behaviour:
    """Return how customers behave where every mechanism is on."""
    return read(_BEHAVIOUR, Behaviour)


def _ready(
    people: Population, programmes: Sequence[Programme], around: Behaviour, *, stacking: float, arms: int
) -> Ready:
    plan = compile_plan(programmes, CALENDAR, incidents=around.incidents, stacking=stacking)
    ready = Inputs(
        draw=0,
        latents=Latents(R, ALPHA_DAYS, A, B, 0.0, 1.0, 0, P, Q, V),
        prob_alive=np.empty(0),
        world=compile_world(around, CALENDAR),
        plans=(plan,) * arms,
        arrivals=(people.arrivals, people.most_arrivals)[:arms],
        reached=(reached_by(people, [programme.reach.who for programme in programmes]),) * arms,
        unit_values=(np.ones(count_kinds_of(plan), np.int64),) * arms,
        later=np.zeros((YEARS_AFTER, 2), np.int64),
    )
    return lambda: ready
