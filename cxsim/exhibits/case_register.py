"""The assumptions of a business case in; one table of them with evidence, owner and weight, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.business_tables import REGISTER
from cxsim.exhibits.in_units import as_written, first_sentence, in_unit, lowered, span
from cxsim.exhibits.showing import Table, laid_out
from cxsim.tables import check
from cxsim.wording import MISSING, NBSP, counted, number

# So many numbers are named in the title.
_NAMED = 3
# Keeps the name of a distribution in one line.
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_NOTES = (
    (
        "Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first. Grades: A, "
        "several experiments or a meta-analysis; B, one strong experiment or natural experiment; C, observations "
        "with controls; D, survey or vendor; E, no source for this size. A fixed number is a choice, such as a fee, "
        "and has no grade."
    ),
    (
        "Spread: two half normals on the scale of a logarithm (log-normal, for what is multiplied), of a logit "
        "(logit-normal, for shares) or as it is (normal). They meet at the value, the median; one chance in "
        "twenty lies beyond each end of the range."
    ),
    (
        "Place: by how far the number alone moves the net present value of the strategy that it moves most, "
        "from the low to the high end of its 80 % interval, and by how much. A dash: not moved, because it is fixed, "
        "is only searched, or went along least with the result over the draws."
    ),
)


def register_table(register: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its spread, evidence, source and weight.

    Parameters
    ----------
    register
        Table under `REGISTER`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per number, under what it belongs to, whose head says who answers for it; the title says how many are
        assumed and which matter most.

    Raises
    ------
    TableError
        For a table that is not under `REGISTER`.
    """
    table = check(register, REGISTER)
    heads = {
        "value": f"Value (90{NBSP}% range)",
        "spread": "Spread",
        "evidence": "Evidence",
        "source": "Source",
        "weight": f"Place: swing, {currency}",
    }
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame(
            [_cells(row, currency) for row in table.rows(named=True)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="Value: the middle of what is believed; range: nine chances in ten",
        heads=heads,
        text=("value", "spread", "source"),
        badges=("evidence",),
        notes=_NOTES,
    )
    return Table(id="register", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    return [
        _head(row),
        row["description"],
        _value(row, currency),
        row["distribution"].replace("-", _HYPHEN),
        row["evidence"],
        _source(row),
        MISSING if row["rank"] is None else f"{row['rank']}: {number(row['swing'])}",
    ]


def _value(row: Mapping[str, Any], currency: str) -> str:
    """Return the value with its range; a unit that is no part of the number is told behind the range."""
    low, high, unit = row["low"], row["high"], row["unit"]
    value = in_unit(row["value"], unit, currency)
    believed = value if low == high else f"{value} ({span(low, high, unit, currency=currency).replace(' ', NBSP)})"
    return (
        f"{believed}, {unit}"
        if value == as_written(row["value"], unit, currency=currency) and not unit.startswith("share")
        else believed
    )


def _source(row: Mapping[str, Any]) -> str:
    if row["grade"] is None:
        return row["source"] or MISSING
    grade = f"; grade {row['grade']}"
    return f"{(row['source'] or 'none').removesuffix(grade)}{grade}"


def _head(row: Mapping[str, Any]) -> str:
    """Return what a number belongs to, its file, and who answers for it since when."""
    file = "/".join(row["id"].split("/")[:2])
    owner = "nobody named" if row["owner"] is None else row["owner"]
    reviewed = "never reviewed" if row["reviewed_on"] is None else f"reviewed {row['reviewed_on'].isoformat()}"
    return f"{row['belongs_to']} · {file} · answers for it: {owner} · {reviewed}"


def _finding(table: pl.DataFrame) -> str:
    bare = table.filter(pl.col("evidence") == "assumed")
    fixed = bare.filter(pl.col("low") == pl.col("high")).height
    chosen = f", {fixed} of them by choice" if fixed else ""
    opening = f"{bare.height} of {table.height} numbers are assumed{chosen}"
    ranked = table.filter(pl.col("rank").is_not_null()).sort("rank").head(_NAMED)
    if ranked.is_empty():
        return f"{opening}, without evidence from this shop or another"
    named = "; ".join(lowered(first_sentence(description)) for description in ranked["description"])
    these = "this one moves" if ranked.height == 1 else f"these {counted(ranked.height)} move"
    return f"{opening}; {these} the result most: {named}"
