"""A shop in; every metric of the catalogue, period by period, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cxsim.errors import DataError
from cxsim.intervals import Estimate, RatioSums, Survival, difference
from cxsim.metrics.catalogue import CATALOGUE
from cxsim.metrics.estimating import changed, estimated, suppressed
from cxsim.metrics.life_views import WINDOWS, kept_views, life_views
from cxsim.metrics.metric import Metric
from cxsim.metrics.order_views import member_views, order_views, return_views
from cxsim.metrics.session_views import session_views
from cxsim.metrics.sums import PeriodSums, summed
from cxsim.metrics.survey_views import survey_views
from cxsim.metrics.ticket_views import ticket_views, waits
from cxsim.metrics.view import Views
from cxsim.metrics.waiting import estimated_waits, waited
from cxsim.metrics.winning import acquisition_cost, efficiency, marketing_spend, money_of, payback
from cxsim.shop import Every, Period, Shop, complete_periods

MOST_PERIODS = 60
_VIEWS: dict[str, Views] = {
    "orders": order_views,
    "members": member_views,
    "first days": life_views,
    "keeping": kept_views,
    "returns": return_views,
    "tickets": ticket_views,
    "surveys": survey_views,
    "visits": session_views,
}
_NOBODY = RatioSums(units=0, x=0.0, n=0.0, xx=0.0, nn=0.0, xn=0.0)
_MARGINS = {days: f"margin_{days}" for days in WINDOWS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One metric of a shop.

    Attributes
    ----------
    metric
        What was measured.
    estimates
        Its value in each period, by time; none where it could not be measured.
    change
        The last one less the one before; None where there is none before.
    missing
        Why it could not be measured; None if it was.
    """

    metric: Metric
    estimates: tuple[Estimate, ...] = ()
    change: Estimate | None = None
    missing: str | None = None


def periods_of(shop: Shop, every: Every, most: int) -> tuple[Period, ...]:
    """Return the last complete periods of a shop, at most so many."""
    if not 1 <= most <= MOST_PERIODS:
        raise DataError(f"periods must be 1 to {MOST_PERIODS}; found {most}.")
    found = complete_periods(shop.since, shop.until, every)
    if not found:
        raise DataError(
            f"{shop.name}: no complete {every} between {shop.since:%Y-%m-%d} and {shop.until:%Y-%m-%d}; a {every} is "
            "shown only when it is over."
        )
    return found[-most:]


def measured(
    shop: Shop, periods: Sequence[Period], *, progress: Callable[[str], None] | None = None
) -> tuple[Measured, ...]:
    """Return every metric of the catalogue in every period."""
    say = progress or _silent
    sums = dict(_all_sums(shop, periods, say))
    say("waiting times")
    waiting = {name: waited(rows) for name, rows in waits(shop, periods).items()}
    spent = marketing_spend(shop, periods)
    found: dict[str, Measured] = {}
    for metric in CATALOGUE:
        reason = _missing(shop, metric)
        if reason is not None:
            found[metric.name] = Measured(metric=metric, missing=reason)
        elif metric.kind in {"median wait", "answered in time"}:
            found[metric.name] = _of_waits(metric, waiting[metric.view], len(periods))
        elif metric.kind in {"cost", "efficiency", "payback"}:
            found[metric.name] = _of_spending(metric, spent, sums, found)
        else:
            found[metric.name] = _of_sums(metric, sums.get(metric.name), len(periods))
    return tuple(found[metric.name] for metric in CATALOGUE)


def _all_sums(shop: Shop, periods: Sequence[Period], say: Callable[[str], None]) -> Iterator[tuple[str, PeriodSums]]:
    for step, views in _VIEWS.items():
        say(step)
        for name, view in views(shop, periods).items():
            schema = view.rows.collect_schema()
            pairs = {
                metric.name: (metric.over, metric.per)
                for metric in CATALOGUE
                if metric.view == name and metric.over in schema and metric.per in schema
            }
            if pairs:
                yield from summed(view, pairs, periods=len(periods)).items()


def _missing(shop: Shop, metric: Metric) -> str | None:
    reasons = (shop.missing(need) for need in metric.needs)
    return next((reason for reason in reasons if reason is not None), None)


def _of_sums(metric: Metric, sums: PeriodSums | None, periods: int) -> Measured:
    if sums is None:
        return Measured(metric=metric, missing="it looks further back than the shop was observed.")
    told = [sums.by_period.get(place) for place in range(periods)]
    estimates = tuple(suppressed(metric, estimated(metric, one)) for one in told)
    change = None
    if periods > 1:
        pair = (told[-1] or _NOBODY, told[-2] or _NOBODY)
        change = changed(metric, estimates[-1], estimates[-2], sums=pair, cross=sums.cross)
    return Measured(metric=metric, estimates=estimates, change=change)


def _of_waits(metric: Metric, waiting: Mapping[int, Survival], periods: int) -> Measured:
    estimates = tuple(suppressed(metric, estimated_waits(metric, waiting, place)) for place in range(periods))
    return Measured(metric=metric, estimates=estimates, change=_apart(estimates))


def _of_spending(
    metric: Metric, spent: Mapping[int, float], sums: Mapping[str, PeriodSums], found: Mapping[str, Measured]
) -> Measured:
    periods = len(found["revenue"].estimates)
    estimates = []
    for place in range(periods):
        money = money_of(spent, place)
        new = sums["new_customers"].by_period.get(place, _NOBODY) if "new_customers" in sums else _NOBODY
        cost = acquisition_cost(money, round(new.n))
        if metric.kind == "cost":
            estimates.append(cost)
        elif metric.kind == "efficiency":
            estimates.append(efficiency(found["revenue"].estimates[place], money))
        else:
            known = {days: found[name] for days, name in _MARGINS.items() if found[name].estimates}
            estimates.append(payback(cost, {days: margin.estimates[place] for days, margin in known.items()}))
    return Measured(metric=metric, estimates=tuple(estimates), change=_apart(tuple(estimates)))


def _apart(estimates: tuple[Estimate, ...]) -> Estimate | None:
    """Return the last change between periods that share nobody."""
    return difference(estimates[-1], estimates[-2]) if len(estimates) > 1 else None


def _silent(line: str) -> None:
    """Say nothing."""
