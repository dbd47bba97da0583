"""How long the tickets of each period waited in; medians and shares answered in time out, open tickets counted."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.intervals import Estimate, Survival, answered_within, median, survival_from_counts
from cxsim.metrics.metric import Metric

HOUR = 3600.0
# An answer within this many hours is in time.
IN_TIME = 24.0


def waited(waits: pl.LazyFrame) -> dict[int, Survival]:
    """Return for each period, by its place, what share of its tickets still waited after how many hours."""
    counted = waits.collect(engine="streaming").sort("period", "seconds")
    found = {}
    for (place,), rows in counted.group_by("period", maintain_order=True):
        ended = pl.when("ended").then("tickets").otherwise(0)
        open_ = pl.when("ended").then(0).otherwise("tickets")
        at = rows.group_by("seconds", maintain_order=True).agg(ended=ended.sum(), waiting=open_.sum())
        hours = at["seconds"].to_numpy() / HOUR
        found[int(place)] = survival_from_counts(hours, at["ended"].to_numpy(), at["waiting"].to_numpy())
    return found


def estimated_waits(metric: Metric, waits: Mapping[int, Survival], place: int) -> Estimate:
    """Return the median wait, or the share answered in time, of the tickets of one period."""
    if place not in waits:
        return Estimate(value=None, low=None, high=None, units=0, method="", caution="nobody")
    if metric.kind == "median wait":
        return median(waits[place])
    return answered_within(waits[place], IN_TIME)
