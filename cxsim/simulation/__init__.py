"""Customers and effects in; what happens, counted, out: population, plan, compiled kernel, engine."""

from __future__ import annotations

from cxsim.simulation.calendar import Calendar
from cxsim.simulation.engine import Counts, Executor, Inputs, Progress, customer_values, orders, simulate
from cxsim.simulation.plan import Plan, compile_plan, rounded, tallies_of
from cxsim.simulation.population import Latents, Population, empty_base, existing_customers, reached_by

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
    "rounded",
    "reached_by",
    "simulate",
    "tallies_of",
]
