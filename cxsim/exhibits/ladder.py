"""Rows of a statement in; the same rows named for readers and written as text, subtotals in bold, out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from great_tables import GT, loc, style

from cxsim.ledger import LADDER
from cxsim.number_style import turned
from cxsim.wording import MINUS

SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
RESULT = SUBTOTALS[-1]
# From so large an amount on, a statement is read in whole units of the currency.
_WHOLE = 1_000.0


def grouped(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with a column `group`: the title of the strategy or its identifier in words."""
    words = pl.col("strategy").str.replace_all("[-_]", " ")
    name = words.str.slice(0, 1).str.to_uppercase() + words.str.slice(1)
    return rows.with_columns(group=pl.col("title") if "title" in rows.columns else name)


def written(rows: pl.DataFrame, amounts: Sequence[str]) -> pl.DataFrame:
    """Return group, line and the amounts as text, in whole units where the largest amount allows it."""
    largest = float(rows.select(pl.max_horizontal(pl.col(amounts).abs().max())).item())
    decimals = 0 if largest >= _WHOLE else 2
    # The added zero takes the sign off an amount that is rounded to nothing.
    texts = {
        name: [turned(f"{round(amount, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS)) for amount in rows[name]]
        for name in amounts
    }
    line = pl.col("line")
    capital = line.str.slice(0, 1).str.to_uppercase() + line.str.slice(1)
    return rows.select("group", line=capital).with_columns(**{name: pl.Series(text) for name, text in texts.items()})


def bold(layout: GT, rows: pl.DataFrame) -> GT:
    """Return the layout with the subtotals among its rows in bold."""
    places = rows.with_row_index("place").filter(pl.col("line").is_in(SUBTOTALS))["place"].to_list()
    return layout.tab_style(style=style.text(weight="bold"), locations=[loc.body(rows=places), loc.stub(rows=places)])
