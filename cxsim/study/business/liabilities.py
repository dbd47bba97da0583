"""A study in; what the shop owes its customers by year, in points and in fees paid in advance, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.finance.statement import years
from cxsim.params import CENTS
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.strategies.mechanisms import Membership, Points
from cxsim.strategies.strategy import Strategy
from cxsim.study.result import Study
from cxsim.tables import REAL, TEXT, WHOLE_HORIZON, Contract, table_of

# Shape (worlds, years), or (worlds, 1) for what holds in all years.
Years = npt.NDArray[np.float64]
Amount = float | Years

# What the shop owes its customers, by year: points or prepaid fees. Mean over draws; closing = opening + issued -
# redeemed - expired. In money at fair value; points are counted in points as well (null for fees). contract_*: the
# contract liability of IFRS 15, with expected breakage taken out. kind: `points` or `fees`; period as in TOTALS.
# cash_revenue: what members pay for orders, less refunds, or the fees; accrual_revenue: the same less what is deferred,
# plus what is recognised.
LIABILITIES = Contract(
    "LIABILITIES",
    TEXT("strategy", "title", "kind", "period"),
    REAL(
        "opening",
        "issued",
        "redeemed",
        "expired",
        "closing",
        "points_issued",
        "points_redeemed",
        "points_expired",
        "points_outstanding",
        "contract_opening",
        "contract_deferred",
        "contract_recognised",
        "contract_closing",
        "cash_revenue",
        "accrual_revenue",
    ),
    nullable=("points_issued", "points_redeemed", "points_expired", "points_outstanding"),
)


class _Arm(NamedTuple):
    """What happens in one arm of every world."""

    name: str
    # Shape (worlds, months, counts).
    counts: npt.NDArray[np.int64]
    # Per world the strategies of the arm at their drawn values, in the order of its reaches.
    drawn: Sequence[tuple[Strategy, ...]]
    # First day of each month and of the one after the last, in days from the start.
    month_starts: npt.NDArray[np.int64]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First month and the one after the last of each year; of the whole where that is a year or less."""
        *single, whole = years(self.counts.shape[1]).values()
        return single or [whole]

    def yearly(self, count_kind: CountKind | ReachCountKind, reach: int = 0) -> Years:
        """Return how many there are in each year; sums of whole numbers, exact."""
        firsts = [first for first, _ in self.spans]
        return np.add.reduceat(self.counts[:, :, place(count_kind, reach)], firsts, axis=1).astype(np.float64)

    def of_points(self, count_kind: ReachCountKind) -> Years:
        """Return how many there are in each year of all programmes that give points."""
        return sum((self.yearly(count_kind, reach) for reach in self.having(Points)), np.zeros(1))

    def having(self, kind: type[Points | Membership]) -> list[int]:
        """Return the reaches whose strategy has an effect of a kind."""
        return [reach for reach, one in enumerate(self.drawn[0]) if any(isinstance(it, kind) for it in one.effects)]


def liabilities(study: Study) -> pl.DataFrame:
    """Return what the shop owes its customers in each year: points, and membership that is paid for in advance.

    A point has the value of the reward over the points that it costs. (Where programmes of a combination give points
    of different value, a point has the mean value of those redeemed or still held in that world.) A customer's balance
    is settled in whole cents, rounded up, in the ledger and not here: the last balance here may be smaller than the
    ledger's by at most a cent for each customer who holds points.  The contract liability is that of IFRS 15 (ASC
    606), from each world's own numbers. The share of points that are ever redeemed is taken to be what was redeemed
    over what was redeemed or lapsed within the horizon, the same for points that are still held at its end, or all
    where none has met either end. What members pay, less its share of the arm's refunds, is allocated by relative
    stand-alone prices, where goods cost what is paid for them. At the end of each year as many of all points are
    expected to be redeemed as were so far, and that share of those still held.  Fees are received in the middle of a
    month and earned evenly over their period; where a combination has several, over the longest. Their balance is the
    same by both views, since membership is used by time alone.  cash_revenue is what members pay, or the fees;
    accrual_revenue is the same less what is deferred, plus what is recognised of this and earlier years.
    """
    titles, month_starts = study.scenario.titles, study.scenario.calendar.month_starts
    rows: list[dict[str, object]] = []
    for number, (name, _) in enumerate(study.scenario.with_prior):
        drawn = [draw.scenario.with_prior[number][1] for draw in study.worlds.draws]
        arm = _Arm(name, study.counts[number + 1], drawn, month_starts)
        for kind, of, account in (("points", Points, _points), ("fees", Membership, _fees)):
            if arm.having(of):
                named = {"strategy": name, "title": titles[name], "kind": kind}
                rows += [named | row for row in _rolled(arm, account(arm))]
    return table_of(rows, LIABILITIES)


def _points(arm: _Arm) -> dict[str, Years]:
    """Return all that flows in or out of the points account, in points, at full value and by IFRS 15."""
    issued, redeemed, expired = map(
        arm.yearly, (CountKind.POINTS_ISSUED, CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED)
    )
    held = (issued - redeemed - expired).cumsum(axis=1)
    _refuse_gap(arm, held[:, -1])
    value, paid = _value(arm), _paid(arm)
    ever = _ratio(*((flow.sum(axis=1, keepdims=True)) for flow in (redeemed, redeemed + expired)), where_nothing=1.0)
    deferred = allocate(paid, goods=paid, points=stand_alone_price(issued, value, ever))
    so_far = redeemed.cumsum(axis=1)
    earned = by_period(recognised(deferred.cumsum(axis=1), so_far, so_far + ever * held))
    return {
        "issued": issued * value,
        "redeemed": redeemed * value,
        "expired": expired * value,
        "points_issued": issued,
        "points_redeemed": redeemed,
        "points_expired": expired,
        "contract_deferred": deferred,
        "contract_recognised": earned,
        "cash_revenue": paid,
        "accrual_revenue": paid - deferred + earned,
    }


def _refuse_gap(arm: _Arm, held: npt.NDArray[np.float64]) -> None:
    outstanding = arm.yearly(CountKind.POINTS_OUTSTANDING).sum(axis=1)
    for world in np.flatnonzero(held != outstanding):
        raise SimulationError(
            f"{arm.name}: in world {world} {held[world]:,.0f} points are neither redeemed nor lapsed, but "
            f"{outstanding[world]:,.0f} are held at the end; both must be the same."
        )


def _value(arm: _Arm) -> Years:
    """Return the value of a point in each world, in units of the currency: shape (worlds, 1)."""
    # Rewards are held in whole cents and cards in whole points, as the simulator has them.
    values = np.array(
        [
            [
                round(it.reward.value * CENTS) / round(it.threshold.value)
                for one in together
                for it in one.effects
                if isinstance(it, Points)
            ]
            for together in arm.drawn
        ]
    )
    value: Years = values[:, :1]
    if np.any(values != value):
        cents = arm.yearly(CountKind.REWARD) + arm.of_points(ReachCountKind.POINTS_VALUE)
        points = arm.yearly(CountKind.POINTS_REDEEMED) + arm.yearly(CountKind.POINTS_OUTSTANDING)
        sums = (each.sum(axis=1, keepdims=True) for each in (cents, points))
        value = _ratio(*sums, where_nothing=values.mean(axis=1, keepdims=True))
    return value / CENTS


def _paid(arm: _Arm) -> Years:
    """Return what is paid for orders that may give points, less their share of all refunds, in units of the currency.

    An order that gives points of two programmes counts twice, but all of them together never for more than is paid.
    """
    of_all = arm.yearly(CountKind.LIST) - arm.yearly(CountKind.MARKDOWN) - arm.yearly(CountKind.REWARD)
    of_members = np.minimum(arm.of_points(ReachCountKind.PAID), of_all)
    kept = _ratio(of_all - np.minimum(arm.yearly(CountKind.REFUNDED), of_all), of_all, where_nothing=1.0)
    return of_members * kept / CENTS


def _fees(arm: _Arm) -> dict[str, Years]:
    """Return all that flows in or out of the account of fees paid in advance."""
    fees, received = arm.counts[:, :, place(CountKind.FEES)] / CENTS, arm.yearly(CountKind.FEES) / CENTS
    middles = 0.5 * (arm.month_starts[:-1] + arm.month_starts[1:])
    longest = [
        [max(it.period_days.value for one in together for it in one.effects if isinstance(it, Membership))]
        for together in arm.drawn
    ]
    ends = [float(arm.month_starts[after]) for _, after in arm.spans]
    so_far = [
        straight_line(fees, elapsed_days=end - middles, period_days=np.array(longest)).sum(axis=1) for end in ends
    ]
    earned = by_period(np.stack(so_far, axis=1))
    return {
        "issued": received,
        "redeemed": earned,
        "expired": np.zeros_like(earned),
        "contract_deferred": received,
        "contract_recognised": earned,
        "cash_revenue": received,
        "accrual_revenue": earned,
    }


def _rolled(arm: _Arm, flows: Mapping[str, Years]) -> Iterator[dict[str, object]]:
    """Yield the account of each year, and of all, as means over worlds; balances follow from what flows."""
    means = {name: flow.mean(axis=0) for name, flow in flows.items()}
    closing = (means["issued"] - means["redeemed"] - means["expired"]).cumsum()
    owed = (means["contract_deferred"] - means["contract_recognised"]).cumsum()
    held = closing
    if "points_issued" in means:
        held = (means["points_issued"] - means["points_redeemed"] - means["points_expired"]).cumsum()
    for year, name in enumerate(years(arm.counts.shape[1])):
        first, last = (0, len(closing)) if name == WHOLE_HORIZON else (year, year + 1)
        yield {
            "period": name,
            **{flow: mean[first:last].sum() for flow, mean in means.items()},
            "opening": closing[first - 1] if first else 0.0,
            "closing": closing[last - 1],
            "points_outstanding": held[last - 1] if "points_issued" in means else None,
            "contract_opening": owed[first - 1] if first else 0.0,
            "contract_closing": owed[last - 1],
        }


def stand_alone_price(points: Amount, value: Amount, redemption: Amount) -> Years:
    """Return what points would cost by themselves.

    points * value * redemption. IFRS 15.B42 and ASC 606-10-55-44: the discount that the customer would get, adjusted
    for the likelihood that it is used.
    """
    return np.asarray(points, np.float64) * value * redemption


def allocate(price: Amount, *, goods: Amount, points: Amount) -> Years:
    """Return what of a transaction price is allocated to points, and deferred, by relative stand-alone prices.

    price * points / (goods + points); the rest is revenue at once. IFRS 15.74-76, ASC 606-10-32-31.
    """
    return price * _ratio(points, goods + np.asarray(points, np.float64), where_nothing=0.0)


def recognised(allocated: Amount, redeemed: Amount, expected: Amount) -> Years:
    """Return the revenue from points recognised by each date, since the first point was given.

    allocated * redeemed / expected. A new estimate holds from its date on: what it changes in the past is caught up
    in the period in which it is made (`by_period`). Breakage is thereby recognised in proportion to redemption. IFRS
    15.B44-B47 and illustrative example 52, ASC 606-10-55-46 to 55-49.
    """
    # Expected redemption is computed with shares in doubles, and may come out a hair below what was redeemed.
    return allocated * np.minimum(_ratio(redeemed, expected, where_nothing=1.0), 1.0)


def by_period(cumulative: Amount) -> Years:
    """Return what each period adds to a sum since the start."""
    return np.diff(np.asarray(cumulative, np.float64), prepend=0.0, axis=-1)


def straight_line(fee: Amount, *, elapsed_days: npt.ArrayLike, period_days: Amount) -> Years:
    """Return how much of a fee paid in advance is revenue by now; the rest is owed as membership.

    fee * elapsed_days / period_days: a service of standing ready is given evenly over time. IFRS 15.B18, ASC
    606-10-55-20.
    """
    return fee * np.clip(np.asarray(elapsed_days, np.float64) / period_days, 0.0, 1.0)


def _ratio(above: Amount, below: Amount, *, where_nothing: Amount) -> Years:
    """Return one over the other, and something else where there is nothing to divide by."""
    above, below, found = np.broadcast_arrays(np.asarray(above, np.float64), below, where_nothing)
    divided: Years = np.divide(above, below, out=found.copy(), where=below > 0.0)
    return divided
