"""A number that was read from a sample, with its interval and what to know before leaning on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value
        The estimate; None where there are too few units to say one.
    low, high
        Ends of the interval; None where the sample cannot say one, as a median that was not reached.
    units
        How many independent units were observed: customers, mostly.
    method
        How the interval was made, such as "Wilson".
    level
        Probability with which such intervals hold the truth.
    caution
        What to know before leaning on it, such as "indicative: 12 customers"; empty where there is nothing.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    method: str
    level: float = 0.95
    caution: str = ""
