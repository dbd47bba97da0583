"""Metrics of the catalogue in; their definitions as a table of texts out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cxsim.metrics import CATALOGUE, Metric

_TEXTS = (
    "name",
    "title",
    "family",
    "definition",
    "numerator",
    "denominator",
    "unit",
    "direction",
    "window",
    "scale",
    "interval",
    "pitfalls",
    "variant",
)


def definitions(metrics: Sequence[Metric] = CATALOGUE) -> pl.DataFrame:
    """Return how metrics are defined, for `exhibits.metric_register` and other readers."""
    rows = [{name: getattr(metric, name) for name in _TEXTS} for metric in metrics]
    total = [metric.kind == "total" for metric in metrics]
    return pl.DataFrame(rows, schema=dict.fromkeys(_TEXTS, pl.String)).with_columns(
        denominator=pl.when(pl.Series(total)).then(pl.lit("")).otherwise("denominator")
    )
