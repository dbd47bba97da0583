"""A study in; what the shop owes its customers by year, in points and in fees paid in advance, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.finance.contracts import LIABILITIES
from cxsim.finance.economics import allocate, by_period, recognised, stand_alone_price, straight_line
from cxsim.finance.statement import years
from cxsim.params import CENTS
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.strategies.mechanisms import Membership, Points
from cxsim.strategies.strategy import Strategy
from cxsim.study.result import Study
from cxsim.tables import WHOLE_HORIZON, check, empty

# Shape (worlds, years), or (worlds, 1) for what holds in all years.
Years = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Arm:
    """What happens in one arm of every world.

    Attributes
    ----------
    name
        Of the strategy or combination.
    counts
        Shape (worlds, months, tallies).
    drawn
        Per world the strategies of the arm at their drawn values, in the order of its reaches.
    month_starts
        First day of each month and of the one after the last, in days from the start.
    """

    name: str
    counts: npt.NDArray[np.int64]
    drawn: Sequence[tuple[Strategy, ...]]
    month_starts: npt.NDArray[np.int64]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First month and the one after the last of each year; of the whole where that is a year or less."""
        named = years(self.counts.shape[1])
        return [span for label, span in named.items() if label != WHOLE_HORIZON] or [named[WHOLE_HORIZON]]

    def yearly(self, count_kind: CountKind | ReachCountKind, reach: int = 0) -> Years:
        """Return how many there are in each year; sums of whole numbers, exact."""
        firsts = [first for first, _ in self.spans]
        return np.add.reduceat(self.counts[:, :, place(count_kind, reach)], firsts, axis=1).astype(np.float64)

    def having(self, kind: type[Points | Membership]) -> list[int]:
        """Return the reaches whose strategy has an effect of a kind."""
        return [reach for reach, one in enumerate(self.drawn[0]) if any(isinstance(it, kind) for it in one.effects)]


def liabilities(study: Study) -> pl.DataFrame:
    """Return what the shop owes its customers in each year: points, and membership that is paid for in advance.

    Points are worth the reward over the points that it costs. (Where several programmes of a combination give points
    of different worth, a point is worth the mean of those redeemed or still held in that world.) A customer's balance
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
    rows: list[dict[str, object]] = []
    for arm in _arms(study):
        for kind, of, account in (("points", Points, _points), ("fees", Membership, _fees)):
            if arm.having(of):
                sentence = {"strategy": arm.name, "title": study.scenario.titles[arm.name], "kind": kind}
                rows += [sentence | row for row in _rolled(arm, account(arm))]
    return check(pl.DataFrame(rows, schema=empty(LIABILITIES).schema), LIABILITIES)


def _arms(study: Study) -> Iterator[_Arm]:
    """Yield the arms but the baseline."""
    played = [draw.scenario.with_prior for draw in study.worlds.draws]
    for number, name in enumerate(study.scenario.arms[1:], start=1):
        yield _Arm(
            name=name,
            counts=study.counts[number],
            drawn=[arms[number - 1][1] for arms in played],
            month_starts=study.scenario.calendar.month_starts,
        )


def _points(arm: _Arm) -> dict[str, Years]:
    """Return all that flows in or out of the points account, in points, at full worth and by IFRS 15."""
    issued, redeemed, expired = (
        arm.yearly(count_kind)
        for count_kind in (CountKind.POINTS_ISSUED, CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED)
    )
    held = (issued - redeemed - expired).cumsum(axis=1)
    _refuse_gap(arm, held[:, -1])
    worth = _worth(arm)
    ended = (redeemed + expired).sum(axis=1, keepdims=True)
    ever = np.divide(redeemed.sum(axis=1, keepdims=True), ended, out=np.ones_like(ended), where=ended > 0.0)
    paid = _paid(arm)
    deferred = allocate(paid, goods=paid, points=stand_alone_price(issued, worth, ever)).points
    so_far = redeemed.cumsum(axis=1)
    earned = by_period(recognised(deferred.cumsum(axis=1), so_far, so_far + ever * held))
    return {
        "issued": issued * worth,
        "redeemed": redeemed * worth,
        "expired": expired * worth,
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
    wrong = np.flatnonzero(held != outstanding)
    if len(wrong):
        world = int(wrong[0])
        raise SimulationError(
            f"{arm.name}: in world {world} {held[world]:,.0f} points are neither redeemed nor lapsed, but "
            f"{outstanding[world]:,.0f} are held at the end; both must be the same."
        )


def _worth(arm: _Arm) -> Years:
    """Return what a point is worth in each world, in units of the currency: shape (worlds, 1)."""
    # Rewards are held in whole cents and cards in whole points, as the simulator has them.
    worths = np.array(
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
    if np.all(worths == worths[:, :1]):
        return worths[:, :1] / CENTS
    worth: Years = worths.mean(axis=1, keepdims=True)
    held = [arm.yearly(ReachCountKind.POINTS_VALUE, reach) for reach in arm.having(Points)]
    cents = (arm.yearly(CountKind.REWARD) + np.stack(held).sum(axis=0)).sum(axis=1, keepdims=True)
    points = (arm.yearly(CountKind.POINTS_REDEEMED) + arm.yearly(CountKind.POINTS_OUTSTANDING)).sum(
        axis=1, keepdims=True
    )
    np.divide(cents, points, out=worth, where=points > 0.0)
    return worth / CENTS


def _paid(arm: _Arm) -> Years:
    """Return what is paid for orders that may give points, less their share of all refunds, in units of the currency.

    An order that gives points of two programmes counts twice, but all of them together never for more than is paid.
    """
    of_all = arm.yearly(CountKind.LIST) - arm.yearly(CountKind.MARKDOWN) - arm.yearly(CountKind.REWARD)
    by_reach = [arm.yearly(ReachCountKind.PAID, reach) for reach in arm.having(Points)]
    of_members: Years = np.minimum(np.stack(by_reach).sum(axis=0), of_all)
    refunded = np.minimum(arm.yearly(CountKind.REFUNDED), of_all)
    kept: Years = np.divide(of_all - refunded, of_all, out=np.ones_like(of_all), where=of_all > 0.0)
    paid: Years = of_members * kept / CENTS
    return paid


def _fees(arm: _Arm) -> dict[str, Years]:
    """Return all that flows in or out of the account of fees paid in advance."""
    fees = arm.counts[:, :, place(CountKind.FEES)] / CENTS
    middles = 0.5 * (arm.month_starts[:-1] + arm.month_starts[1:])
    longest = [
        max(it.period_days.value for one in together for it in one.effects if isinstance(it, Membership))
        for together in arm.drawn
    ]
    period = np.array(longest)[:, None]
    ends = [float(arm.month_starts[after]) for _, after in arm.spans]
    so_far = [straight_line(fees, elapsed_days=end - middles, period_days=period).sum(axis=1) for end in ends]
    earned = by_period(np.stack(so_far, axis=1))
    received = arm.yearly(CountKind.FEES) / CENTS
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
    held = None
    if "points_issued" in means:
        held = (means["points_issued"] - means["points_redeemed"] - means["points_expired"]).cumsum()
    names = list(years(arm.counts.shape[1]))
    for year, name in enumerate(names):
        part = slice(0, len(closing)) if name == WHOLE_HORIZON else slice(year, year + 1)
        yield {
            "period": name,
            **{flow: float(mean[part].sum()) for flow, mean in means.items()},
            "opening": float(closing[part.start - 1]) if part.start else 0.0,
            "closing": float(closing[part.stop - 1]),
            "points_outstanding": None if held is None else float(held[part.stop - 1]),
            "contract_opening": float(owed[part.start - 1]) if part.start else 0.0,
            "contract_closing": float(owed[part.stop - 1]),
        }
