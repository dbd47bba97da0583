"""Yearly amounts and an annual rate in; their present value, and the rate of a shorter period, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from cxsim.errors import ParamError, choices

Timing = Literal["start", "mid", "end"]
_SHARES: dict[str, float] = {"start": 0.0, "mid": 0.5, "end": 1.0}


def present_value(
    amounts: Sequence[float], annual_rate: float, *, timing: Timing = "end", initial: float = 0.0
) -> float:
    """Return what yearly amounts are worth today.

    Parameters
    ----------
    amounts
        One amount for each year, in units of the currency; the first year begins today.
    annual_rate
        Effective per year, above -1: 0.10 makes 110 in a year worth 100 today.
    timing
        When in its year an amount flows: start, mid or end.
    initial
        An amount that flows today, and is not discounted.

    Returns
    -------
    float
        initial + sum of amount_y / (1 + r) ** (y - 1 + s), with s of 0, 1/2 or 1; not rounded.

    Raises
    ------
    ParamError
        For an unknown timing, or a rate that is not a number above -1.

    Examples
    --------
    >>> round(present_value([0.0, 4_224_000.0, 8_719_488.0], 0.10))
    10041989
    """
    if timing not in _SHARES:
        raise ParamError(f"timing: no '{timing}'; {choices(str(timing), get_args(Timing))}")
    _require_rate(annual_rate)
    share = _SHARES[timing]
    return initial + math.fsum(amount / (1.0 + annual_rate) ** (year + share) for year, amount in enumerate(amounts))


def period_rate(annual_rate: float, *, per_year: int = 12) -> float:
    """Return the effective rate of a part of a year that compounds to the annual rate.

    Parameters
    ----------
    annual_rate
        Effective per year, above -1.
    per_year
        How many such parts a year has: 12 for a month; at least 1.

    Returns
    -------
    float
        (1 + r) ** (1 / n) - 1, which is less than r / n for a positive rate.

    Raises
    ------
    ParamError
        For a rate that is not a number above -1, or less than one part.

    Examples
    --------
    >>> round(period_rate(0.10), 8)
    0.00797414
    """
    _require_rate(annual_rate)
    if per_year < 1:
        raise ParamError(f"per_year: found {per_year}; a year has at least 1 period.")
    return float(math.expm1(math.log1p(annual_rate) / per_year))


def _require_rate(annual_rate: float) -> None:
    if not (math.isfinite(annual_rate) and annual_rate > -1.0):
        raise ParamError(f"annual_rate: found {annual_rate}; it must be a finite number above -1, such as 0.10.")
