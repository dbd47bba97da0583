"""What a customer cost and brings so far, by month, in; when the cost is back, and how often, out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cxsim.errors import DataError


def payback(cac: float, margin_so_far: Sequence[float | None]) -> float | None:
    """Return the month in which a customer has brought back what winning one cost.

    Between two months, the margin is taken to come evenly.

    Parameters
    ----------
    cac
        Cost of winning one customer, above 0.
    margin_so_far
        Cumulative margin, never revenue, per customer at month 0, 1, 2 and so on; what follows a missing value is not
        looked at.

    Returns
    -------
    float | None
        Month, counted as in `margin_so_far`: 0 where the first value is enough; None where none is.

    Raises
    ------
    DataError
        When the cost is not above 0 or a margin is not finite.

    Examples
    --------
    >>> round(payback(30.0, [24.0, 27.6, 30.6, 33.0]), 6)
    1.8
    """
    _refuse_cost(cac)
    before: float | None = None
    for month, margin in enumerate(margin_so_far):
        if margin is None:
            return None
        if not math.isfinite(margin):
            raise DataError(
                f"the margin at month {month} is {margin}; it must be finite, or None where it is not known."
            )
        if margin >= cac:
            return float(month) if before is None else month - 1 + (cac - before) / (margin - before)
        before = margin
    return None


def worth_per_cost(cac: float, worth: float) -> float:
    """Return how often the value of a customer covers what winning one cost; LTV:CAC, on what `worth` holds.

    Parameters
    ----------
    cac
        Cost of winning one customer, above 0.
    worth
        Value per customer so far. On margin it says whether the customer pays; on revenue it does not.

    Raises
    ------
    DataError
        When the cost is not above 0.

    Examples
    --------
    >>> worth_per_cost(30.0, 33.0), round(worth_per_cost(30.0, 55.0), 2)
    (1.1, 1.83)
    """
    _refuse_cost(cac)
    return worth / cac


def _refuse_cost(cac: float) -> None:
    if not (math.isfinite(cac) and cac > 0):
        raise DataError(f"the cost of winning a customer is {cac}; it must be above 0.")
