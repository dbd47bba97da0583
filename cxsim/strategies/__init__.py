"""Strategies as data: who, when, effects, costs and their evidence."""

from __future__ import annotations

from cxsim.strategies.segments import SEGMENTS, condition
from cxsim.strategies.strategy import COST_UNITS, Cost, CostKind, Strategy, load_strategy

__all__ = ["COST_UNITS", "SEGMENTS", "Cost", "CostKind", "Strategy", "condition", "load_strategy"]
