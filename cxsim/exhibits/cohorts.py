"""Cohorts by age since the first order: a table under COHORTS in, a table to read out."""

from __future__ import annotations

import polars as pl

from cxsim.errors import TableError, choices
from cxsim.exhibits.showing import Table, laid_out
from cxsim.measured import COHORTS
from cxsim.number_style import retold, turned
from cxsim.shop import Every
from cxsim.tables import check
from cxsim.wording import COHORT_MEASURES, MISSING, NBSP, precision

_STEP_DAYS = {"month": 30, "week": 7}
_IN_PART = "*"


def cohorts_table(table: pl.DataFrame, measure: str, currency: str, *, every: Every = "month") -> Table:
    """Lay out one measure of every cohort at every age.

    Parameters
    ----------
    table
        Table under `COHORTS` of `cxsim.measured`.
    measure
        One of its measures.
    currency
        Code of the currency, as "USD".
    every
        Length of its ages: 30 days for `month`, 7 for `week`.

    Returns
    -------
    Table
        One row per cohort, one column per age that has a value. A star marks a value over a part of its cohort; a dash
        stands where too few customers were watched so long. The twin holds the intervals and the customers at risk.

    Raises
    ------
    TableError
        For a table that is not under `COHORTS`, or a measure that it does not hold.
    """
    known = check(table, COHORTS)["measure"].unique(maintain_order=True).to_list()
    if measure not in known:
        raise TableError(f"COHORTS: no measure '{measure}'; {choices(measure, known)}")
    cells = table.filter(pl.col("measure") == measure)
    ages = cells.drop_nulls("value")["age"].unique().sort().to_list()
    title = COHORT_MEASURES.get(measure, measure.replace("_", " ").capitalize())
    unit = {"retention": f"Share of customers, %; {_days(every)}", "orders": f"Orders; {_days(every)}"}
    layout = laid_out(
        _written(cells, ages, measure),
        title=title,
        subtitle=unit.get(measure, f"{currency}; {_days(every)}"),
        heads={"customers": "Customers"} | {f"age{age}": f"Age {age}" for age in ages},
        notes=_notes(cells, measure),
    )
    return Table(id=f"cohorts-{measure.replace('_', '-')}", title=title, layout=layout, twin=cells)


def _days(every: Every) -> str:
    return f"ages in steps of {_STEP_DAYS[every]}{NBSP}days after each customer's own first order"


def _written(cells: pl.DataFrame, ages: list[int], measure: str) -> pl.DataFrame:
    together = precision([0.0, *cells["value"].drop_nulls()])
    rows = []
    for name, part in cells.group_by("cohort", maintain_order=True):
        by_age = {row["age"]: row for row in part.iter_rows(named=True)}
        row = {"line": str(name[0]), "customers": turned(f"{part['customers'][0]:,}")}
        for age in ages:
            cell = by_age.get(age)
            if cell is None or cell["value"] is None:
                row[f"age{age}"] = MISSING
                continue
            value = cell["value"]
            text = turned(f"{100 * value:.1f}") if measure == "retention" else together.text(value)
            row[f"age{age}"] = text if cell["complete"] else text + _IN_PART
        rows.append(row)
    return pl.DataFrame(rows, schema=dict.fromkeys(("line", "customers", *(f"age{age}" for age in ages)), pl.String))


def _notes(cells: pl.DataFrame, measure: str) -> list[str]:
    notes = []
    if cells.drop_nulls("value").filter(~pl.col("complete")).height:
        notes.append(f"{_IN_PART} Only a part of the cohort has been watched so long; the mean is over that part.")
    if cells["value"].null_count():
        notes.append(f"{MISSING} Too few customers have been watched so long; it does not mean that nobody came.")
    if measure == "retention":
        notes.append(
            "Age 0: a second order within the first step. Others: an order in that step, whatever came before."
        )
    doubts = cells.filter(pl.col("caution") != "").group_by("caution", maintain_order=True)
    for caution, part in doubts:
        names = part["cohort"].unique(maintain_order=True).to_list()
        whose = "All cohorts" if len(names) == cells["cohort"].n_unique() else ", ".join(names)
        notes.append(f"{whose}: {retold(str(caution[0]))}.")
    return notes
