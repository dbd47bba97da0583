"""What naive methods report beside the truth: a table under NAIVE in, a table to read out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.exports import NAIVE
from cxsim.number_style import retold, turned
from cxsim.tables import check
from cxsim.units import Unit
from cxsim.wording import MINUS, NBSP, counted, number, precision


def naive_table(readings: pl.DataFrame, currency: str, programme: str = "") -> Table | Prose:
    """Lay out what each method reports, how sure it looks, and what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.exports`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".
    programme
        Title of the strategy that they are about, if a reader must be told.

    Returns
    -------
    Table or Prose
        One row per method, with its finding. The title says how many intervals hold the truth. One sentence where no
        method has enough customers.

    Raises
    ------
    TableError
        For a table that is not under `NAIVE`.
    """
    table = check(readings, NAIVE)
    if table.is_empty():
        return remark("No common comparison has enough customers on both sides to be read.")
    title = _finding(table)
    of = f" ({programme})" if programme else ""
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("line", "reading", "interval", "truth", "unit", "finding"), pl.String),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"What a shop would read from its own tables, beside what is true in the same simulated world{of}",
        heads={
            "reading": "Reading",
            "interval": f"Its 95{NBSP}% interval",
            "truth": "Truth",
            "unit": "Unit",
            "finding": "In words",
        },
        text=("unit", "finding"),
        notes=(
            "The interval is what the shop would compute: it holds the luck of who its customers are, and no bias.",
            (
                "Truth of a programme: the same customers with and without it, with the same luck. Truth of a ratio: "
                "what is left of it when satisfaction is kept from moving anything; 1 is nothing."
            ),
        ),
    )
    return Table(id="naive-readings", title=title, layout=layout, twin=table)


def _finding(table: pl.DataFrame) -> str:
    missed = table.filter(~pl.col("truth").is_between("low", "high")).height
    if missed == 0:
        return "Every naive reading holds the truth inside its interval"
    return f"{counted(missed)} of {counted(table.height)} naive readings miss the truth".capitalize()


def _cells(row: Mapping[str, float | str], currency: str) -> dict[str, str]:
    reading, low, high, truth = (float(row[name]) for name in ("reading", "low", "high", "truth"))
    unit = str(row["unit"])
    write = _WRITERS.get(unit, number)
    ends = _WRITERS.get(unit, precision([low, high]).text)
    return {
        "line": str(row["title"]),
        "reading": write(reading),
        "interval": f"{ends(low)} to {ends(high)}",
        "truth": write(truth),
        "unit": _UNITS.get(unit, unit).format(currency),
        "finding": retold(str(row["finding"])),
    }


def _ratio(value: float) -> str:
    return turned(f"{value:.2f}")


def _score(value: float) -> str:
    return turned(f"{value:.1f}".replace("-", MINUS))


_WRITERS: Mapping[str, Callable[[float], str]] = {Unit.RATIO: _ratio, Unit.SCORE: _score}
_UNITS: Mapping[str, str] = {
    Unit.MONEY: "{} per customer",
    Unit.MONEY_PER_MONTH: "{} per customer and month",
    Unit.RATIO: "times",
    Unit.SCORE: f"points, {MINUS}100 to 100",
}
