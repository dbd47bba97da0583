"""params/metrics.yaml in; the metrics of a shop, checked, in the order in which they are shown, out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from cxsim.data.shop import TABLES
from cxsim.errors import ParamError, choices
from cxsim.library import METRICS_FILE
from cxsim.metrics.views import VIEWS, WAITS
from cxsim.params import entries, entries_of

Family = Literal[
    "Orders",
    "Retention",
    "Customer value",
    "Satisfaction",
    "Support",
    "Returns",
    "Visits",
    "Acquisition",
]
Unit = Literal["share", "money", "score", "hours", "days", "ratio", "months", "count"]
Direction = Literal["higher", "lower", "neither"]
Kind = Literal[
    "share", "ratio", "mean", "score", "total", "median wait", "answered in time", "cost", "efficiency", "payback"
]
INTERVALS: dict[Kind, str] = {
    "share": "Wilson; effective number of customers where one customer counts several times",
    "ratio": "delta method over customers, Student's t",
    "mean": "Student's t over customers",
    "score": "adjusted Wald; by the delta method over customers where one customer answers several times",
    "total": "Garwood's limits of a count; compound Poisson where one customer counts several times",
    "median wait": "Kaplan-Meier with log-log limits, read at one half (Brookmeyer and Crowley)",
    "answered in time": "Kaplan-Meier with log-log limits",
    "cost": "Garwood's limits of the number of new customers",
    "efficiency": "compound Poisson over customers",
    "payback": "from the interval ends of cost and margins",
}
WAITING: frozenset[Kind] = frozenset({"median wait", "answered in time"})
SPENDING: frozenset[Kind] = frozenset({"cost", "efficiency", "payback"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric of the catalogue; params/metrics.yaml explains its keys."""

    title: str
    family: Family
    definition: str
    numerator: str
    denominator: str
    unit: Unit
    direction: Direction
    window: str
    scale: str
    pitfalls: str
    variant: str
    kind: Kind
    view: str = ""
    over: str = ""
    per: str = ""
    factor: float = 1.0
    needs: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        for key in ("title", "definition", "numerator", "denominator", "window", "scale", "pitfalls", "variant"):
            if not getattr(self, key).strip():
                raise ParamError(f"{key}: empty; write it.")
        for need in self.needs:
            if need.partition(".")[0] not in TABLES:
                raise ParamError(f"needs: no table '{need}'; {choices(need, TABLES)}")
        if self.kind in WAITING | SPENDING:
            views = list(WAITS) if self.kind in WAITING else [""]
            if self.view not in views or self.over or self.per:
                raise ParamError(f"a metric of kind '{self.kind}' has view '{' or '.join(views)}', no over and no per.")
        else:
            self._check_columns()

    def _check_columns(self) -> None:
        if self.view not in VIEWS:
            raise ParamError(f"view: no '{self.view}'; {choices(self.view, VIEWS)}")
        for key in ("over", "per"):
            for column in columns_of(getattr(self, key)):
                if column not in VIEWS[self.view]:
                    possible = choices(column, VIEWS[self.view])
                    raise ParamError(f"{key}: the view '{self.view}' has no column '{column}'; {possible}")

    @property
    def interval(self) -> str:
        """How its interval is made."""
        return INTERVALS[self.kind]


def columns_of(expression: str) -> list[str]:
    """Return the columns that an expression in SQL is made of."""
    try:
        columns = pl.sql_expr(expression).meta.root_names()
    except pl.exceptions.PolarsError as cause:
        raise ParamError(
            f"'{expression}' is not an expression over columns; write one such as revenue > 10000."
        ) from cause
    if not columns:
        raise ParamError(f"'{expression}' names no column of the view; write one such as revenue > 10000.")
    return columns


def load_metrics(path: Path | None = None) -> dict[str, Metric]:
    """Return all metrics by their names, or those of one file."""
    metrics = entries_of(METRICS_FILE, Metric) if path is None else entries(path, Metric)
    named = [name for name, metric in metrics.items() if metric.name]
    if named:
        raise ParamError(f"params/{METRICS_FILE}: {named[0]}.name: unknown key; the name is the entry's own.")
    return {name: dataclasses.replace(metric, name=name) for name, metric in metrics.items()}


def metric_named(name: str) -> Metric:
    """Return a metric of the catalogue."""
    metrics = load_metrics()
    if name not in metrics:
        raise ParamError(f"no metric '{name}'; {choices(name, metrics, all_in='`cxsim metrics --list`')}")
    return metrics[name]
