"""When in the year customers order and arrive, and how cohorts change from year to year."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit

_MONTHS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Season:
    """A yearly pattern: the level of each calendar month, January first, relative to the year's mean of 1.

    Month m counts ``1 + amplitude * (pattern[m] - 1)``.

    Attributes
    ----------
    pattern
        Twelve levels above 0, whose mean is 1.
    amplitude
        How strong the pattern is; carries its evidence and its spread. 1 as it is written, and near 0
        hardly any.
    """

    pattern: tuple[float, ...]
    amplitude: Quantity

    def __post_init__(self) -> None:
        self.amplitude.require(Unit.RATIO, "season.amplitude")
        if len(self.pattern) != _MONTHS or not all(math.isfinite(level) for level in self.pattern):
            raise ParamError(f"season.pattern must be 12 numbers, January first; found {len(self.pattern)}.")
        mean = sum(self.pattern) / _MONTHS
        if abs(mean - 1.0) > 0.005:  # levels are written with two decimals
            raise ParamError(f"season.pattern must have a mean of 1; found {mean:.4f}. Divide every level by it.")
        least = 1.0 + self.amplitude.range[1] * (min(self.pattern) - 1.0)
        if least <= 0.0:
            raise ParamError(
                f"season: with an amplitude of {self.amplitude.range[1]:g} the lowest month falls to {least:g}; it "
                "must stay above 0."
            )

    def levels(self) -> tuple[float, ...]:
        """Return the level of each calendar month, January first, with a mean of exactly 1."""
        mean = sum(self.pattern) / _MONTHS
        return tuple(1.0 + self.amplitude.value * (level / mean - 1.0) for level in self.pattern)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """How new customers change with the date of their arrival: growing shops win less eager customers.

    Attributes
    ----------
    purchase_rate, dropout
        Ratio on order rate and on the chance of leaving, for one year of later arrival.
    """

    purchase_rate: Quantity
    dropout: Quantity

    def __post_init__(self) -> None:
        require_units(self, {"purchase_rate": Unit.RATIO, "dropout": Unit.RATIO}, "drift")
