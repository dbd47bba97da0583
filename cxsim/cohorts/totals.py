"""A table of cohorts in; one line over all cohorts that were watched completely, out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from cxsim.cohorts.cohort_value import LEVEL, NOTHING, Reading
from cxsim.cohorts.groups import ALL
from cxsim.intervals import student_quantile, wilson
from cxsim.measured import COHORTS
from cxsim.tables import check, empty


def weighted_total(table: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over cohorts at each age, each cohort with the weight of its customers.

    Only complete cells with a value count: a cohort that is not over would be taken for one that does not come back,
    and a cohort of which nobody came back counts in full. Cells of too few customers have no value and are left out;
    `at_risk` says over whom the total is taken, and a table with `least=1` leaves out none.

    Parameters
    ----------
    table
        Under COHORTS of `cxsim.measured`.

    Returns
    -------
    pl.DataFrame
        Under COHORTS: one cohort, `all`, by measure and age. `customers`: of all cohorts; complete where all are in.
        Wilson's interval for retention; for means, whose cohorts are independent, errors are added in squares and the
        t quantile has the degrees of freedom of all cohorts together.

    Raises
    ------
    TableError
        For a table that is not under COHORTS.

    Examples
    --------
    >>> cells = {"measure": "retention", "age": 1, "low": None, "high": None, "caution": ""}
    >>> months = [("2024-01", 10, 0.2, True), ("2024-02", 100, 0.0, True), ("2024-03", 50, 0.1, False)]
    >>> table = pl.DataFrame(
    ...     [
    ...         cells | {"cohort": name, "customers": n, "at_risk": n, "value": value, "complete": complete}
    ...         for name, n, value, complete in months
    ...     ],
    ...     schema=empty(COHORTS).schema,
    ... )
    >>> weighted_total(table).select("customers", "at_risk", pl.col("value", "low", "high").round(5)).row(0)
    (160, 110, 0.01818, 0.005, 0.06388)
    """
    cells = check(table, COHORTS)
    order = cells.select("measure", "age").unique(maintain_order=True).rows()
    parts = cells.partition_by("measure", "age", as_dict=True)
    rows = [_total(parts[key], *key) for key in order]
    return check(pl.DataFrame(rows, schema=empty(COHORTS).schema, orient="row"), COHORTS)


def _total(cells: pl.DataFrame, measure: str, age: int) -> tuple[object, ...]:
    counted = cells.filter("complete").drop_nulls("value")
    customers, at_risk = int(cells["customers"].sum()), int(counted["at_risk"].sum())
    caution = "; ".join(counted.filter(pl.col("caution") != "")["caution"].unique().sort())
    reading = _share(counted) if measure == "retention" else _mean(counted)
    return ALL, measure, age, customers, at_risk, *reading, at_risk == customers, caution


def _share(counted: pl.DataFrame) -> Reading:
    sizes, values = counted["at_risk"].to_list(), counted["value"].to_list()
    found = wilson(sum(round(n * value) for n, value in zip(sizes, values, strict=True)), sum(sizes))
    return found.value, found.low, found.high


def _mean(counted: pl.DataFrame) -> Reading:
    sizes: Sequence[int] = counted["at_risk"].to_list()
    total = sum(sizes)
    if total == 0:
        return NOTHING
    value = math.fsum(n * mean for n, mean in zip(sizes, counted["value"], strict=True)) / total
    if counted["low"].null_count():
        return value, None, None
    halves = ((counted["high"] - counted["low"]) / 2).to_list()
    errors = [n / total * half / student_quantile(LEVEL, n - 1) for n, half in zip(sizes, halves, strict=True)]
    half = student_quantile(LEVEL, total - len(sizes)) * math.sqrt(math.fsum(error**2 for error in errors))
    return value, value - half, value + half
