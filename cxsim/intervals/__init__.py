"""Counts, sums and waiting times in; estimates with proper intervals out."""

from __future__ import annotations

from cxsim.intervals.estimate import Estimate

__all__ = ["Estimate"]
