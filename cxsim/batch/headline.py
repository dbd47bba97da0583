"""A table of returns in; what a list of many reports says of each strategy, in words, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.exhibits.cards import BADGES
from cxsim.wording import precision


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """One strategy in one line.

    Attributes
    ----------
    strategy, title
        Its name and its name for readers.
    decision, word
        The decision, and how a reader is told it.
    npv, interval
        Net present value and its 90 % interval, rounded together.
    highest
        Whether no other strategy of the same table has a higher net present value.
    """

    strategy: str
    title: str
    decision: str
    word: str
    npv: str
    interval: str
    highest: bool


def headlines(returns: pl.DataFrame) -> tuple[Headline, ...]:
    """Return one line per strategy."""
    rows = returns.to_dicts()
    best = max((row["incremental_npv"] for row in rows), default=0.0)
    return tuple(
        _headline(row, highest="yes" if len(rows) > 1 and row["incremental_npv"] == best else "") for row in rows
    )


def _headline(row: Mapping[str, object], highest: str) -> Headline:
    npv, low, high = (float(str(row[name])) for name in ("incremental_npv", "npv_low", "npv_high"))
    together, decision = precision([npv, low, high]), str(row["decision"])
    return Headline(
        strategy=str(row["strategy"]),
        title=str(row["title"]),
        decision=decision if decision in BADGES else "other",
        word=BADGES.get(decision, decision),
        npv=together.text(npv),
        interval=f"{together.bare(low)} to {together.text(high)}",
        highest=bool(highest),
    )
