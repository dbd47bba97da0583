"""On what terms customers are valued: horizon, rate, margin, and how surely; checked numbers in, one object out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cxsim.errors import EstimationError

# Customers times draws that are played at most: a minute or so for millions of customers on two processors.
_MOST_PLAYED = 200_000_000
_MOST_DRAWS, _FEWEST_DRAWS = 400, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On what terms customers are valued.

    Attributes
    ----------
    horizon_days
        Days from the end of observation on in which orders count, above 0.
    annual_discount_rate
        Effective per year, >= 0.
    margin
        Share of what customers pay that counts as value, 0 to 1.
    level
        Probability of each interval, above 0 and below 1.
    draws
        Draws of parameters and luck; at least 2 / (1 - level) - 1.
    seed
        Seed of all luck, 0 or larger.
    """

    horizon_days: float = 365.0
    annual_discount_rate: float = 0.10
    margin: float = 1.0
    level: float = 0.9
    draws: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.horizon_days) and self.horizon_days > 0.0):
            raise EstimationError(f"horizon_days must be finite and above 0; found {self.horizon_days}.")
        if not (math.isfinite(self.annual_discount_rate) and self.annual_discount_rate >= 0.0):
            raise EstimationError(
                f"annual_discount_rate must be finite and not negative; found {self.annual_discount_rate}."
            )
        if not 0.0 <= self.margin <= 1.0:
            raise EstimationError(f"margin must be a share from 0 to 1; found {self.margin}.")
        if not 0.0 < self.level < 1.0:
            raise EstimationError(f"level must be above 0 and below 1; found {self.level}.")
        fewest = math.ceil(2.0 / (1.0 - self.level) - 1.0 - 1e-9)
        if self.draws < fewest:
            raise EstimationError(
                f"an interval of level {self.level:g} takes at least {fewest:,} draws; found {self.draws:,}."
            )


def draws_for(customers: int, level: float) -> int:
    """Return how many draws so many customers are played in, where nobody says otherwise."""
    wanted = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_PLAYED // max(customers, 1)))
    return max(wanted, math.ceil(2.0 / (1.0 - level) - 1.0 - 1e-9)) if 0.0 < level < 1.0 else wanted
