"""Numbers that a question is asked with in; nothing, or a refusal that says what was found and what is possible out."""

from __future__ import annotations

import math

import numpy as np

from cxsim.errors import EstimationError


def require_days(name: str, days: float) -> None:
    """Refuse a number of days that is negative or not finite."""
    if not (math.isfinite(days) and days >= 0.0):
        raise EstimationError(f"{name} must be finite and not negative; found {days}.")


def require_level(level: float) -> None:
    """Refuse the level of an interval that is no share between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise EstimationError(f"level must be above 0 and below 1; found {level}.")


def require_margin(margin: float) -> None:
    """Refuse a contribution margin that is no share of revenue."""
    if not 0.0 <= margin <= 1.0:
        raise EstimationError(f"margin must be a share from 0 to 1; found {margin}.")


def is_count(number: float, *, least: int) -> bool:
    """Return whether a number is a whole one of at least `least`, and no truth value."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool) and number >= least
