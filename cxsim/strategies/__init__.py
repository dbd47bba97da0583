"""Strategies as data: who, when, effects, costs and their evidence."""

from __future__ import annotations

from cxsim.strategies.lever import BREAK_EVEN, NO_EFFECT, PATHWAYS, Lever, Prior
from cxsim.strategies.levers import grouped, load_levers, refuse_unmeasured, search
from cxsim.strategies.segments import SEGMENTS, condition
from cxsim.strategies.strategy import COST_UNITS, Cost, CostKind, Strategy, load_strategy

__all__ = [
    "BREAK_EVEN",
    "COST_UNITS",
    "NO_EFFECT",
    "PATHWAYS",
    "SEGMENTS",
    "Cost",
    "CostKind",
    "Lever",
    "Prior",
    "Strategy",
    "condition",
    "grouped",
    "load_levers",
    "load_strategy",
    "refuse_unmeasured",
    "search",
]
