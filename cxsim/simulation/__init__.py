"""Customers and effects in; what happens, counted, out: population, plan, compiled kernel, engine."""

from __future__ import annotations

from cxsim.simulation.blocks import Latents
from cxsim.simulation.calendar import Calendar
from cxsim.simulation.engine import Executor, Progress, simulate
from cxsim.simulation.journal import KINDS as EVENTS
from cxsim.simulation.plan import Plan, arrivals_of, compile_plan, tallies_of
from cxsim.simulation.playing import Counts, Inputs, customer_values, events
from cxsim.simulation.population import Population, empty_base, existing_customers, reached_by
from cxsim.simulation.portable import rounded
from cxsim.simulation.visits import visits
from cxsim.simulation.world import World, compile_world, season_levels

__all__ = [
    "EVENTS",
    "Calendar",
    "Counts",
    "Executor",
    "Inputs",
    "Latents",
    "Plan",
    "Population",
    "Progress",
    "World",
    "arrivals_of",
    "compile_plan",
    "compile_world",
    "customer_values",
    "empty_base",
    "events",
    "existing_customers",
    "reached_by",
    "rounded",
    "season_levels",
    "simulate",
    "tallies_of",
    "visits",
]
