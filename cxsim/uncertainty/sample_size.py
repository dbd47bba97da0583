"""A spread and a difference in; how many customers a randomised test needs to see it, and the reverse, out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from cxsim.errors import ParamError


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is asked of a test.

    Attributes
    ----------
    alpha
        Chance, between 0 and 1, of seeing a difference to either side where there is none.
    power
        Chance of seeing the difference where there is one: above alpha, below 1.
    ratio
        Customers in the second group for each in the first, above 0.
    """

    alpha: float = 0.05
    power: float = 0.8
    ratio: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < self.power < 1.0:
            raise ParamError(
                f"alpha and power must satisfy 0 < alpha < power < 1; found alpha {self.alpha:g}, power {self.power:g}."
            )
        if not (math.isfinite(self.ratio) and self.ratio > 0.0):
            raise ParamError(f"ratio must be a finite number above 0; found {self.ratio:g}.")

    @property
    def distance(self) -> float:
        """By how many standard errors a difference must be away from zero to be seen with that power."""
        normal = NormalDist()
        return normal.inv_cdf(1.0 - self.alpha / 2.0) + normal.inv_cdf(self.power)


STANDARD = Asked()


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Customers in both groups of a test.

    Attributes
    ----------
    first, second
        How many.
    """

    first: int
    second: int


def groups(sd: float, difference: float, asked: Asked = STANDARD) -> Groups:
    """Return how many customers a test of a difference of means needs.

    n = (1 + 1/ratio) ((z(1 - alpha/2) + z(power)) sd / difference)**2 in the first group, by the normal
    approximation.
    """
    _refuse(sd)
    if not math.isfinite(difference) or difference == 0.0:
        raise ParamError(f"difference must be a finite number other than 0; found {difference:g}.")
    needed = (1.0 + 1.0 / asked.ratio) * (asked.distance * sd / difference) ** 2
    first = max(2, math.ceil(needed))
    return Groups(first=first, second=max(2, math.ceil(needed * asked.ratio)))


def smallest_difference(sd: float, customers: Groups, asked: Asked = STANDARD) -> float:
    """Return the smallest true difference of means that a test with so many customers sees."""
    _refuse(sd)
    if min(customers.first, customers.second) < 1:
        raise ParamError(f"both groups need a customer or more; found {customers.first:,} and {customers.second:,}.")
    return asked.distance * sd * math.sqrt(1.0 / customers.first + 1.0 / customers.second)


def _refuse(sd: float) -> None:
    if not (math.isfinite(sd) and sd >= 0.0):
        raise ParamError(f"sd must be a finite number of 0 or more; found {sd:g}.")
