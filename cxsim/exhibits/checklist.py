"""What a reader of an economic evaluation should find in; a table that says whether it is there, and where, out."""

from __future__ import annotations

import polars as pl

from cxsim.business_tables import CHECKLIST
from cxsim.errors import TableError, choices
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import retold
from cxsim.tables import check
from cxsim.wording import counted, joined

_STATES = ("yes", "partly", "no")


def checklist_table(checklist: pl.DataFrame) -> Table:
    """List what a reader of an economic evaluation should find, whether it is here, and in which section.

    Parameters
    ----------
    checklist
        Table under `CHECKLIST`.

    Returns
    -------
    Table
        One row per item; the title counts what is there.

    Raises
    ------
    TableError
        For a table that is not under `CHECKLIST`, or holds another state than yes, partly and no.
    """
    table = check(checklist, CHECKLIST)
    for state in table["state"].unique().sort():
        if state not in _STATES:
            raise TableError(f"CHECKLIST: no state '{state}'; {choices(state, _STATES)}")
    title = _finding(table)
    layout = laid_out(
        table.select(
            pl.col("topic").alias("group"),
            pl.format("{}. {}", "number", "item").alias("line"),
            "state",
            pl.Series("answer", [retold(answer) for answer in table["answer"]], dtype=pl.String),
            "where",
        ),
        title=title,
        subtitle="After a reporting standard for economic evaluations of health, put in words of a shop",
        heads={"state": "Here", "answer": "In this report", "where": "Section"},
        text=("answer", "where"),
        badges=("state",),
        notes=(
            (
                "Items after Husereau et al. (2022), Consolidated Health Economic Evaluation Reporting Standards "
                "2022, BMJ 376, e067975. Partly: something of it is here, and the answer says what is missing."
            ),
        ),
    )
    return Table(id="checklist", title=title, layout=layout, twin=table)


def _finding(table: pl.DataFrame) -> str:
    counts = {state: table.filter(pl.col("state") == state).height for state in _STATES}
    words = {"yes": "here", "partly": "partly here", "no": "missing"}
    told = [f"{counted(count)} {_are(count)} {words[state]}" for state, count in counts.items() if count]
    return f"Of {table.height} items that an economic evaluation should report, {joined(told)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
