"""A study in; what customer-experience figures do with each strategy and without it, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.statement import HIGH, LOW
from cxsim.metrics.catalogue import metric_named
from cxsim.params import CENTS
from cxsim.simulation.counts import N_COUNT_KINDS, N_REACH_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.study.result import Study
from cxsim.tables import REAL, TEXT, Contract, table_of

Worlds = npt.NDArray[np.float64]

# What customer-experience figures do with the strategy and without it: means over draws, with the interval of the
# difference. direction: `up` or `down` is better, or `none`.
KPIS = Contract(
    name="KPIS",
    columns={
        "strategy": TEXT,
        "title": TEXT,
        "kpi": TEXT,
        "label": TEXT,
        "definition": TEXT,
        "unit": TEXT,
        "direction": TEXT,
        "baseline": REAL,
        "treated": REAL,
        "difference": REAL,
        "low": REAL,
        "high": REAL,
    },
)
_DIRECTIONS = {"higher": "up", "lower": "down", "neither": "none"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sums:
    """What was counted over the whole horizon in one arm, and how many customers were there before the start."""

    # Shape (worlds, counts).
    counts: npt.NDArray[np.int64]
    existing: int

    def of(self, count_kind: CountKind | ReachCountKind) -> Worlds:
        """Return a count by world; that of all reaches together where each has its own."""
        first = place(count_kind)
        step = self.counts.shape[1] if first < N_COUNT_KINDS else N_REACH_COUNT_KINDS
        counted: Worlds = self.counts[:, first::step].sum(axis=1).astype(np.float64)
        return counted

    @property
    def new(self) -> Worlds:
        """New customers, whoever brought them."""
        return self.of(CountKind.ARRIVALS) + self.of(ReachCountKind.ATTRACTED) + self.of(CountKind.REFERRED)

    @property
    def customers(self) -> Worlds:
        """Customers, existing and new."""
        return self.existing + self.new

    @property
    def paid(self) -> Worlds:
        """What was paid for orders, in units of the currency."""
        return (self.of(CountKind.LIST) - self.of(CountKind.MARKDOWN) - self.of(CountKind.REWARD)) / CENTS


Counted = Callable[[_Sums], Worlds]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kpi:
    """A figure: one sum over another, times a factor; a sum alone where `per` is None."""

    name: str
    label: str
    definition: str
    unit: str
    direction: str
    over: Counted
    per: Counted | None = None
    factor: float = 1.0

    def values(self, sums: _Sums) -> Worlds:
        """Return the figure by world; none (NaN) where it would be over nothing."""
        above = self.factor * self.over(sums)
        if self.per is None:
            return above
        below = self.per(sums)
        return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)


def kpis(study: Study) -> pl.DataFrame:
    """Return figures of customer experience with each strategy and without it, over the whole horizon.

    They follow from the simulation and show by which way money comes; they are no forecast of scores.
    """
    existing = study.replay.population.base.height
    baseline, *arms = (_Sums(counts=counts.sum(axis=1), existing=existing) for counts in study.replay.counts)
    titles = study.scenario.titles
    rows = [
        {"strategy": name, "title": titles[name], **row}
        for kpi in _KPIS
        for name, treated in zip(study.scenario.arms[1:], arms, strict=True)
        for row in _compared(kpi, baseline, treated)
    ]
    return table_of(rows, KPIS)


def _compared(kpi: _Kpi, baseline: _Sums, treated: _Sums) -> Iterator[dict[str, str | float]]:
    """Yield the row of a figure, if there is anything to compare."""
    before, after = kpi.values(baseline), kpi.values(treated)
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    if not (before.any() or after.any()):
        return
    low, high = np.quantile(after - before, (LOW, HIGH))
    yield {
        "kpi": kpi.name,
        "label": kpi.label,
        "definition": kpi.definition,
        "unit": kpi.unit,
        "direction": kpi.direction,
        "baseline": float(before.mean()),
        "treated": float(after.mean()),
        "difference": float((after - before).mean()),
        "low": float(low),
        "high": float(high),
    }


def _count(count_kind: CountKind | ReachCountKind) -> Counted:
    return lambda sums: sums.of(count_kind)


def _money(count_kind: CountKind) -> Counted:
    return lambda sums: sums.of(count_kind) / CENTS


def _as_measured(name: str, over: Counted, per: Counted | None = None, factor: float = 1.0) -> _Kpi:
    """Return a figure that is defined as a metric of the catalogue is."""
    metric = metric_named(name)
    return _Kpi(
        name=name,
        label=metric.title,
        definition=metric.definition,
        unit=metric.unit,
        direction=_DIRECTIONS[metric.direction],
        over=over,
        per=per,
        factor=factor,
    )


def _net_promoters(sums: _Sums) -> Worlds:
    return sums.of(CountKind.PROMOTERS) - sums.of(CountKind.DETRACTORS)


_ORDERS = _count(CountKind.ORDERS)
_KPIS = (
    _Kpi(
        name="orders_per_customer",
        label="Orders per customer",
        definition="How many orders come on a customer who was there or came within the horizon.",
        unit="ratio",
        direction="up",
        over=_ORDERS,
        per=lambda sums: sums.customers,
    ),
    _as_measured("aov_gross", _money(CountKind.LIST), _ORDERS),
    _as_measured("aov_net", lambda sums: sums.paid, _ORDERS),
    _as_measured("discount_share", _count(CountKind.MARKDOWN), _count(CountKind.LIST)),
    _Kpi(
        name="reward_share",
        label="Rewards, share of goods at list prices",
        definition="How much of the list price was given away as rewards for points.",
        unit="share",
        direction="down",
        over=_count(CountKind.REWARD),
        per=_count(CountKind.LIST),
    ),
    _as_measured("new_customers", lambda sums: sums.new),
    _Kpi(
        name="referred_customers",
        label="Referred customers",
        definition="How many of the new customers another customer brought.",
        unit="count",
        direction="up",
        over=_count(CountKind.REFERRED),
    ),
    _Kpi(
        name="member_months",
        label="Member months",
        definition="How many months customers take part in the programme, added up over customers and programmes.",
        unit="count",
        direction="none",
        over=_count(ReachCountKind.MEMBER_MONTHS),
    ),
    _Kpi(
        name="revived",
        label="Customers won back",
        definition="How often a customer who had left for good came back through the programme.",
        unit="count",
        direction="up",
        over=_count(CountKind.REVIVED),
    ),
    _Kpi(
        name="unsubscribed",
        label="Unsubscribed",
        definition="How many customers asked not to be written to any more.",
        unit="count",
        direction="down",
        over=_count(CountKind.UNSUBSCRIBED),
    ),
    _as_measured("incident_share", _count(CountKind.INCIDENTS), _ORDERS),
    _as_measured("tickets_per_order", _count(CountKind.TICKETS), _ORDERS),
    _Kpi(
        name="compensation_per_order",
        label="Compensation per order",
        definition="What was paid or credited to customers to make good, per order.",
        unit="money",
        direction="down",
        over=_money(CountKind.COMPENSATION),
        per=_ORDERS,
    ),
    _Kpi(
        name="returns_per_order",
        label="Orders sent back, whenever",
        definition="Share of orders from which something came back within the horizon.",
        unit="share",
        direction="down",
        over=_count(CountKind.RETURNS),
        per=_ORDERS,
    ),
    _as_measured("response_rate", _count(CountKind.ANSWERED), _count(CountKind.SURVEYED)),
    _as_measured("nps", _net_promoters, _count(CountKind.ANSWERED), factor=100.0),
)
