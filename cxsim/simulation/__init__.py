"""Customers and effects in; what happens, counted, out: population, plan, compiled kernel, engine."""

from __future__ import annotations

from cxsim.simulation.blocks import Latents
from cxsim.simulation.calendar import Calendar
from cxsim.simulation.engine import Executor, Progress, simulate
from cxsim.simulation.plan import Plan, compile_plan, rounded, tallies_of
from cxsim.simulation.playing import Counts, Inputs, customer_values, orders
from cxsim.simulation.population import Population, empty_base, existing_customers, reached_by

__all__ = [
    "Calendar",
    "Counts",
    "Executor",
    "Inputs",
    "Latents",
    "Plan",
    "Population",
    "Progress",
    "compile_plan",
    "customer_values",
    "empty_base",
    "existing_customers",
    "orders",
    "reached_by",
    "rounded",
    "simulate",
    "tallies_of",
]
