"""What to know before believing single results: a table under CAUTIONS in, a list by strategy out."""

from __future__ import annotations

import polars as pl

from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import retold
from cxsim.tables import CAUTIONS, check
from cxsim.wording import counted, joined


def cautions_table(cautions: pl.DataFrame) -> Table | Prose:
    """List what to know before believing the results of a strategy.

    Parameters
    ----------
    cautions
        Table under `CAUTIONS`.

    Returns
    -------
    Table or Prose
        One row per caution, with the strategies that it is about; one sentence where there is none.

    Raises
    ------
    TableError
        For a table that is not under `CAUTIONS`.
    """
    table = check(cautions, CAUTIONS)
    if table.is_empty():
        return remark(
            "No strategy here needs a caution of its own.",
        )
    number = table["strategy"].n_unique()
    title = f"{counted(number).capitalize()} {'strategy needs' if number == 1 else 'strategies need'} a word of caution"
    together = table.group_by("caution", maintain_order=True).agg("title")
    layout = laid_out(
        together.select(
            line=pl.Series([joined(titles) for titles in together["title"]], dtype=pl.String),
            caution=pl.Series([retold(text.replace("`", "")) for text in together["caution"]], dtype=pl.String),
        ),
        title=title,
        subtitle="What to know before believing the results",
        heads={"caution": "Caution"},
        text=("caution",),
    )
    return Table(id="cautions", title=title, layout=layout, twin=table)
