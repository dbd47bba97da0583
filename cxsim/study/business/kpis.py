"""A study in; what customer-experience figures do with each strategy and without it, out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.statement import HIGH, LOW
from cxsim.metrics.catalogue import metric_named
from cxsim.params import CENTS
from cxsim.simulation.counts import N_REACH_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.study.result import Study
from cxsim.tables import REAL, TEXT, Contract, table_of

Worlds = npt.NDArray[np.float64]

# What customer-experience figures do with the strategy and without it: means over draws, with the interval of the
# difference. direction: `up` or `down` is better, or `none`.
KPIS = Contract(
    "KPIS",
    TEXT("strategy", "title", "kpi", "label", "definition", "unit", "direction"),
    REAL("baseline", "treated", "difference", "low", "high"),
)
_DIRECTIONS = {"higher": "up", "lower": "down", "neither": "none"}
# Each figure is one sum over another; a sum alone where there is no other.
_FIGURES: Mapping[str, tuple[str, str | None]] = {
    "orders_per_customer": ("orders", "customers"),
    "aov_gross": ("list_money", "orders"),
    "aov_net": ("paid_money", "orders"),
    "discount_share": ("markdown", "list"),
    "reward_share": ("reward", "list"),
    "new_customers": ("new", None),
    "referred_customers": ("referred", None),
    "member_months": ("member_months", None),
    "revived": ("revived", None),
    "unsubscribed": ("unsubscribed", None),
    "incident_share": ("incidents", "orders"),
    "tickets_per_order": ("tickets", "orders"),
    "compensation_per_order": ("compensation_money", "orders"),
    "returns_per_order": ("returns", "orders"),
    "response_rate": ("answered", "surveyed"),
    "nps": ("net_promoters", "answered"),
}
# Label, definition, unit and direction of the figures that are not defined as a metric of the catalogue is.
_TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "orders_per_customer": (
        "Orders per customer",
        "Orders per existing or new customer over the horizon.",
        "ratio",
        "up",
    ),
    "reward_share": (
        "Rewards, share of list price",
        "Share of the list price given as rewards for points.",
        "share",
        "down",
    ),
    "referred_customers": (
        "Referred customers",
        "New customers referred by other customers.",
        "count",
        "up",
    ),
    "member_months": (
        "Customer-months in programmes",
        "Months of membership, summed over customers and programmes.",
        "count",
        "none",
    ),
    "revived": (
        "Reactivated customers",
        "Customers who had dropped out and came back through the programme.",
        "count",
        "up",
    ),
    "unsubscribed": ("Unsubscribed", "Customers who opted out of messages.", "count", "down"),
    "compensation_per_order": (
        "Compensation per order",
        "Compensation paid or credited to customers, per order.",
        "money",
        "down",
    ),
    "returns_per_order": (
        "Orders with a return",
        "Share of orders with a return within the horizon.",
        "share",
        "down",
    ),
}


def kpis(study: Study) -> pl.DataFrame:
    """Return figures of customer experience with each strategy and without it, over the whole horizon.

    They follow from the simulation and show by which way money comes; they are no forecast of scores.
    """
    existing, titles = study.worlds.population.base.height, study.scenario.titles
    baseline, *arms = (_sums(counts.sum(axis=1), existing) for counts in study.counts)
    rows = [
        (name, titles[name], kpi, *_described(kpi), *numbers)
        for kpi, figure in _FIGURES.items()
        for name, treated in zip(study.scenario.arms[1:], arms, strict=True)
        if (numbers := _compared(_values(figure, baseline), _values(figure, treated)))
    ]
    return table_of(rows, KPIS)


def _described(kpi: str) -> tuple[str, str, str, str]:
    """Return label, definition, unit and direction of a figure."""
    if kpi in _TEXTS:
        return _TEXTS[kpi]
    metric = metric_named(kpi)
    return metric.title, metric.definition, metric.unit, _DIRECTIONS[metric.direction]


def _compared(before: Worlds, after: Worlds) -> tuple[float, ...]:
    """Return mean without and with a strategy, and the difference with its interval; nothing if there is no figure."""
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    if not (before.any() or after.any()):
        return ()
    gain = after - before
    return (before.mean(), after.mean(), gain.mean(), *np.quantile(gain, (LOW, HIGH)))


def _values(figure: tuple[str, str | None], sums: Mapping[str, Worlds]) -> Worlds:
    """Return a figure by world; none (NaN) where it would be over nothing."""
    over, per = figure
    below = sums[per] if per else np.ones_like(sums[over])
    return np.divide(sums[over], below, out=np.full_like(below, np.nan), where=below > 0.0)


def _sums(counts: npt.NDArray[np.int64], existing: int) -> dict[str, Worlds]:
    """Return what was counted over the whole horizon by world, from counts of shape (worlds, counts)."""

    def of(kind: CountKind | ReachCountKind) -> Worlds:
        """Return a count; that of all reaches together where each has its own."""
        step = counts.shape[1] if isinstance(kind, CountKind) else N_REACH_COUNT_KINDS
        counted: Worlds = counts[:, place(kind) :: step].sum(axis=1).astype(np.float64)
        return counted

    sums = {kind.name.lower(): of(kind) for kind in CountKind}
    new = sums["arrivals"] + of(ReachCountKind.ATTRACTED) + sums["referred"]
    return sums | {
        "member_months": of(ReachCountKind.MEMBER_MONTHS),
        # New customers, whoever brought them.
        "new": new,
        "customers": existing + new,
        "net_promoters": 100.0 * (sums["promoters"] - sums["detractors"]),
        "list_money": sums["list"] / CENTS,
        "paid_money": (sums["list"] - sums["markdown"] - sums["reward"]) / CENTS,
        "compensation_money": sums["compensation"] / CENTS,
    }
