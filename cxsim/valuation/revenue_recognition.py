"""What customers paid for points or in advance in; what of it is owed as a service and what is revenue by now, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.errors import ParamError

Amounts = npt.NDArray[np.float64]
# Expected redemption is worked out with shares in doubles, and may come out a hair below what was redeemed.
_HAIR = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Allocation:
    """A price that was paid for goods and points together, taken apart.

    Attributes
    ----------
    goods
        Revenue at once.
    points
        Deferred until the points are redeemed: the contract liability when they are given.
    """

    goods: Amounts
    points: Amounts


def stand_alone_price(points: npt.ArrayLike, value: npt.ArrayLike, redemption: npt.ArrayLike) -> Amounts:
    """Return what points would cost by themselves.

    points * value * redemption. IFRS 15.B42 and ASC 606-10-55-44: the discount that the customer would get, adjusted
    for the likelihood that it is used.
    """
    share = _positive("redemption", redemption)
    if np.any(share > 1.0):
        raise ParamError(f"redemption must be a share from 0 to 1; found {float(share.max()):g}.")
    price: Amounts = _positive("points", points) * _positive("value", value) * share
    return price


def allocate(price: npt.ArrayLike, *, goods: npt.ArrayLike, points: npt.ArrayLike) -> Allocation:
    """Return a transaction price allocated to goods and points by their relative stand-alone prices.

    price * points / (goods + points) to the points, the rest to the goods. IFRS 15.74-76, ASC 606-10-32-31.
    """
    paid, alone, earned = (_positive(*one) for one in (("price", price), ("goods", goods), ("points", points)))
    for_points = paid * _ratio(earned, alone + earned, where_nothing=0.0)
    return Allocation(goods=paid - for_points, points=for_points)


def recognised(allocated: npt.ArrayLike, redeemed: npt.ArrayLike, expected: npt.ArrayLike) -> Amounts:
    """Return the revenue from points recognised by each date, since the first point was given.

    allocated * redeemed / expected. A new estimate holds from its date on: what it changes in the past is caught up
    in the period in which it is made (`by_period`). Breakage is thereby recognised in proportion to redemption. IFRS
    15.B44-B47 and illustrative example 52, ASC 606-10-55-46 to 55-49.
    """
    price = _positive("allocated", allocated)
    used, ultimate = _positive("redeemed", redeemed), _positive("expected", expected)
    if np.any(used > ultimate * (1.0 + _HAIR)):
        most, estimate = (float(one[used > ultimate * (1.0 + _HAIR)][0]) for one in np.broadcast_arrays(used, ultimate))
        raise ParamError(
            f"redeemed: {most:,g} points were redeemed, but {estimate:,g} were expected ever to be; estimate again, "
            "from this date on at least what was redeemed."
        )
    return price * np.minimum(_ratio(used, ultimate, where_nothing=1.0), 1.0)


def by_period(cumulative: npt.ArrayLike) -> Amounts:
    """Return what each period adds to a sum since the start."""
    return np.diff(np.asarray(cumulative, np.float64), prepend=0.0, axis=-1)


def straight_line(fee: npt.ArrayLike, *, elapsed_days: npt.ArrayLike, period_days: npt.ArrayLike) -> Amounts:
    """Return how much of a fee paid in advance is revenue by now; the rest is owed as membership.

    fee * elapsed_days / period_days: a service of standing ready is given evenly over time. IFRS 15.B18, ASC
    606-10-55-20.
    """
    period = np.asarray(period_days, np.float64)
    if not np.all(period > 0.0):
        raise ParamError(f"period_days must be above 0; found {float(period.min()):g}.")
    served: Amounts = _positive("fee", fee) * np.clip(np.asarray(elapsed_days, np.float64) / period, 0.0, 1.0)
    return served


def _positive(name: str, numbers: npt.ArrayLike) -> Amounts:
    found = np.asarray(numbers, np.float64)
    if not np.all(found >= 0.0):
        raise ParamError(f"{name} must be 0 or more; found {float(found.min()):g}.")
    return found


def _ratio(above: Amounts, below: Amounts, *, where_nothing: float) -> Amounts:
    above, below = np.broadcast_arrays(above, below)
    found: Amounts = np.divide(above, below, out=np.full(below.shape, where_nothing), where=below > 0.0)
    return found
