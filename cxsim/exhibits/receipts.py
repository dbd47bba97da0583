"""What became of every row of every file: receipts and the policy go in, a table that adds up comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import retold, turned
from cxsim.shop import Policy, Receipt
from cxsim.wording import counted


def receipts_table(receipts: Sequence[Receipt], policy: Policy) -> Table | Prose:
    """Lay out, file by file, how many rows were read, what was noticed, and how many became rows of the shop.

    Parameters
    ----------
    receipts
        Those of a `Shop`.
    policy
        What counts as an order, as its value and as its day.

    Returns
    -------
    Table or Prose
        For each file and table that it fills: rows read, one row per thing that was noticed, rows kept. The policy and
        further facts are notes. Two sentences where no file was read.
    """
    if not receipts:
        return remark(
            f"No file was read: these tables are simulated, so every row is as it was made. {policy.sentence()}"
        )
    twin = pl.DataFrame([row for receipt in receipts for row in _rows(receipt)], schema=_SCHEMA, orient="row")
    title = _finding(receipts)
    layout = laid_out(
        twin.select(
            group=pl.format("{} as {}: {}", "file", "recognised", "table"),
            line="reason",
            action="action",
            rows=pl.Series([turned(f"{rows:,}") for rows in twin["rows"]], dtype=pl.String),
        ),
        title=title,
        subtitle="Rows of the files that were handed in; a row is merged or dropped for one reason at most",
        heads={"action": "What happened", "rows": "Rows"},
        text=("action",),
        notes=(policy.sentence(), *(note for receipt in receipts for note in _facts(receipt))),
    )
    return Table(id="receipts", title=title, layout=layout, twin=twin)


def _rows(receipt: Receipt) -> Iterator[tuple[str, str, str, str, str, int]]:
    found, possible = receipt.columns
    head = (receipt.file, f"{receipt.recognised} ({found} of {possible} columns)", receipt.table)
    yield (*head, "rows of the file", "read", receipt.rows_read)
    for line in receipt.lines:
        if line.rows:
            yield (*head, line.reason, line.action, line.rows)
    yield (*head, f"rows of {receipt.table}", "kept in all", receipt.rows_kept)


def _facts(receipt: Receipt) -> list[str]:
    return [f"{receipt.file}, {name}: {retold(text)}" for name, text in receipt.facts]


def _finding(receipts: Sequence[Receipt]) -> str:
    files = len({receipt.file for receipt in receipts})
    told = "One file was read" if files == 1 else f"{counted(files).capitalize()} files were read"
    dropped = sum(line.rows for receipt in receipts for line in receipt.lines if line.action == "dropped")
    if dropped == 0:
        return f"{told}, and no row was dropped"
    rows = "1 row was dropped" if dropped == 1 else f"{dropped:,} rows were dropped"
    return f"{told}, and {rows}, each for a reason"


_SCHEMA = {
    "file": pl.String,
    "recognised": pl.String,
    "table": pl.String,
    "reason": pl.String,
    "action": pl.String,
    "rows": pl.Int64,
}
