"""Lines as read go in; what becomes of each, and a report that accounts for every one, come out."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from cxsim.data.parsing import finer_than_a_cent
from cxsim.data.repeats import DAY_KEY, alone, shared
from cxsim.errors import DataError

Treatment = Literal["drop", "keep"]
Action = Literal["dropped", "merged", "kept"]

MISSING_CUSTOMER = "missing customer id"
UNPARSEABLE_DATE = "unparseable date"
UNPARSEABLE_AMOUNT = "unparseable amount"
ZERO_AMOUNT = "zero amount"
NEGATIVE_LINE = "credit note or negative line"
EXACT_DUPLICATE = "exact duplicate"
AFTER_THE_END = "after the end of observation"
FINER_THAN_A_CENT = "amount finer than a cent"
SAME_ORDER_DAY = "further line of the same order day"
KEPT = "kept"

FATE = pl.Enum(
    [MISSING_CUSTOMER, UNPARSEABLE_DATE, UNPARSEABLE_AMOUNT, ZERO_AMOUNT, NEGATIVE_LINE, AFTER_THE_END, KEPT]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HygienePolicy:
    """What happens to lines that some shops count and others do not.

    Attributes
    ----------
    zero_amount
        Lines that cost nothing: free samples, or a shop's way to cancel.
    exact_duplicate
        Lines equal to an earlier one in every column of the source: a double export, or two equal purchases.
    """

    zero_amount: Treatment = "drop"
    exact_duplicate: Treatment = "drop"

    def __post_init__(self) -> None:
        for field, found in (("zero_amount", self.zero_amount), ("exact_duplicate", self.exact_duplicate)):
            if found not in ("drop", "keep"):
                raise DataError(f"{field} is {found!r}; possible: drop, keep.")


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneLine:
    """One line of the report.

    Attributes
    ----------
    reason
        What was found.
    action
        `dropped` and `merged` rows are gone; `kept` is said of rows that stay.
    rows
        How many.
    """

    reason: str
    action: Action
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneReport:
    """What became of every row that was read.

    Attributes
    ----------
    rows_read
        Rows of the source; equal to `rows_kept` plus all rows dropped or merged.
    lines
        Reasons in the order in which they are tried; the first that holds counts, so no row is gone twice.
    """

    rows_read: int
    lines: tuple[HygieneLine, ...]

    @property
    def rows_kept(self) -> int:
        """Rows that remain."""
        return self.rows_read - sum(line.rows for line in self.lines if line.action != "kept")

    @property
    def table(self) -> pl.DataFrame:
        """The lines as a table: reason, action, rows."""
        rows = [(line.reason, line.action, line.rows) for line in self.lines]
        return pl.DataFrame(rows, schema={"reason": pl.String, "action": pl.String, "rows": pl.Int64}, orient="row")

    def __str__(self) -> str:
        width = max(len(line.reason) for line in self.lines)
        listed = [f"  {line.reason:<{width}}  {line.action:<7}  {line.rows:>11,}" for line in self.lines]
        return "\n".join([self._headline(), *listed])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(line.reason)}</td><td>{html.escape(line.action)}</td><td>{line.rows:,}</td></tr>"
            for line in self.lines
        )
        head = "<tr><th>reason</th><th>action</th><th>rows</th></tr>"
        caption = html.escape(self._headline())
        return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"

    def _headline(self) -> str:
        return f"{self.rows_read:,} rows read, {self.rows_kept:,} kept"


def judged(rows: pl.LazyFrame, policy: HygienePolicy, until: date | None) -> pl.LazyFrame:
    """Add to each row its `fate`: the first reason to drop it, or `kept`; duplicates are judged later, together."""
    amount = pl.col("amount")
    reasons = [
        (MISSING_CUSTOMER, pl.col("customer_id").is_null()),
        (UNPARSEABLE_DATE, pl.col("ordered_at").is_null()),
        (UNPARSEABLE_AMOUNT, amount.is_null()),
        (ZERO_AMOUNT, (amount == 0) & (policy.zero_amount == "drop")),
        (NEGATIVE_LINE, amount < 0),
    ]
    if until is not None:
        reasons.append((AFTER_THE_END, pl.col("ordered_at").dt.date() > until))
    fate = pl.lit(KEPT, dtype=FATE)
    for reason, holds in reversed(reasons):
        fate = pl.when(holds).then(pl.lit(reason, dtype=FATE)).otherwise(fate)
    return rows.with_columns(fate=fate)


def counted(rows: pl.LazyFrame, policy: HygienePolicy, days: pl.Series | None) -> pl.LazyFrame:
    """Count the judged and keyed rows by fate, in one pass; the table that `report_of` reads.

    Rows that are alone on their day, by `days` of `repeated`, need no comparison, which is most of the work.
    """
    amount = pl.col("amount")
    single = alone(rows, days).select(
        "fate",
        day=pl.col("ordered_at").dt.date(),
        lines=pl.lit(1, dtype=pl.Int64),
        distinct=pl.lit(1, dtype=pl.Int64),
        zeros=(amount == 0).cast(pl.Int64),
        finer=finer_than_a_cent(amount).cast(pl.Int64),
        order_days=pl.lit(1, dtype=pl.Int64),
        copied=pl.lit(None, dtype=pl.UInt64),
    )
    return (
        pl.concat([single, _day_by_day(shared(rows, days), policy)])
        .group_by("fate")
        .agg(
            pl.col("lines", "distinct", "zeros", "finer", "order_days").sum(),
            pl.col("copied").drop_nulls(),
            last_day=pl.col("day").max(),
        )
    )


def _day_by_day(rows: pl.LazyFrame, policy: HygienePolicy) -> pl.LazyFrame:
    """Count the rows of each customer, day and fate; `copied` is the key of a day that holds a row more than once."""
    amount = pl.col("amount")
    return (
        rows.group_by(pl.all())
        .agg(lines=pl.len())
        .with_columns(copies=pl.col("lines") if policy.exact_duplicate == "keep" else pl.lit(1, dtype=pl.UInt32))
        .group_by("customer_id", pl.col("ordered_at").dt.date().alias("day"), "fate")
        .agg(
            lines=pl.col("lines").sum().cast(pl.Int64),
            distinct=pl.len().cast(pl.Int64),
            zeros=pl.col("copies").filter(amount == 0).sum().cast(pl.Int64),
            finer=pl.col("copies").filter(finer_than_a_cent(amount)).sum().cast(pl.Int64),
            key=pl.col(DAY_KEY).first(),
        )
        .select(
            "fate",
            "day",
            "lines",
            "distinct",
            "zeros",
            "finer",
            order_days=pl.lit(1, dtype=pl.Int64),
            copied=pl.when(pl.col("lines") > pl.col("distinct")).then("key"),
        )
    )


def report_of(counts: pl.DataFrame, policy: HygienePolicy) -> HygieneReport:
    """Return the report on rows counted by `counted`."""
    by_fate: Mapping[str, Mapping[str, int]] = {row["fate"]: row for row in counts.iter_rows(named=True)}

    def number(fate: str, what: str) -> int:
        return by_fate[fate][what] if fate in by_fate else 0

    merges = policy.exact_duplicate == "drop"
    remaining = "distinct" if merges else "lines"
    rows_kept = number(KEPT, remaining)
    copies = number(KEPT, "lines") - number(KEPT, "distinct")
    if merges:
        copies += number(AFTER_THE_END, "lines") - number(AFTER_THE_END, "distinct")
    drops_zero = policy.zero_amount == "drop"
    zeros = number(ZERO_AMOUNT, "lines") if drops_zero else number(KEPT, "zeros")
    found: list[tuple[str, Action, int]] = [
        (MISSING_CUSTOMER, "dropped", number(MISSING_CUSTOMER, "lines")),
        (UNPARSEABLE_DATE, "dropped", number(UNPARSEABLE_DATE, "lines")),
        (UNPARSEABLE_AMOUNT, "dropped", number(UNPARSEABLE_AMOUNT, "lines")),
        (ZERO_AMOUNT, "dropped" if drops_zero else "kept", zeros),
        (NEGATIVE_LINE, "dropped", number(NEGATIVE_LINE, "lines")),
        (EXACT_DUPLICATE, "merged" if merges else "kept", copies),
        (AFTER_THE_END, "dropped", number(AFTER_THE_END, remaining)),
        (FINER_THAN_A_CENT, "kept", number(KEPT, "finer")),
        (SAME_ORDER_DAY, "kept", rows_kept - number(KEPT, "order_days")),
    ]
    lines = tuple(HygieneLine(reason=reason, action=action, rows=rows) for reason, action, rows in found)
    return HygieneReport(rows_read=int(counts["lines"].sum()), lines=lines)
