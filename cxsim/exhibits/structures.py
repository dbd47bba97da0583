"""Returns under each model of leaving in; a table that says which decisions depend on the model, out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cxsim.exhibits.cards import BADGES
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.tables import STRUCTURES, check
from cxsim.wording import INTERVAL, MODELS, counted, joined, number, percent, precision

# So many strategies are named in a title; of more, their number is told.
_TOLD = 3
_NOTES = (
    (
        "What differs: in BG/NBD a customer can leave only after a repeat order, so that whoever ordered once still "
        "counts as a customer; in MBG/NBD a customer may leave after the first order too; in Pareto/NBD customers "
        "leave as time passes, whether they order or not."
    ),
    (
        "Nobody can observe who has left, so no order log says for certain which of them is right. In all other "
        "sections each counts the same."
    ),
)


def structures_table(structures: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out what each strategy is worth under each model of leaving by itself.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per strategy and model, and their difference; the title says which decisions depend on the model. One
        sentence where there is one model only.

    Raises
    ------
    TableError
        For a table that is not under `STRUCTURES`.
    """
    table = check(structures, STRUCTURES)
    models = table["structure"].unique(maintain_order=True).to_list()
    if len(models) < 2:
        return _single([_known(model) for model in models])
    parts = table.partition_by("strategy", maintain_order=True)
    cells = [row for part in parts for row in _rows(part)]
    heads = {
        "decision": "Decision",
        "npv": f"Net present value, {currency}",
        "interval": INTERVAL,
        "chance": "Chance of a gain",
    }
    title = _finding(parts)
    layout = laid_out(
        pl.DataFrame(cells, schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=f"Against doing nothing, in today's {currency}, under each model by itself",
        heads=heads,
        text=("decision",),
        notes=_NOTES,
    )
    return Table(id="structures", title=title, layout=layout, twin=table)


def _rows(part: pl.DataFrame) -> list[tuple[str, ...]]:
    rows = part.rows(named=True)
    together = precision([row[name] for row in rows for name in ("incremental_npv", "npv_low", "npv_high")])
    told = [
        (
            row["title"],
            _known(row["structure"]),
            BADGES.get(row["decision"], row["decision"]),
            together.text(row["incremental_npv"]),
            f"{together.bare(row['npv_low'])} to {together.text(row['npv_high'])}",
            percent(row["prob_npv_positive"]),
        )
        for row in rows
    ]
    means = part["incremental_npv"]
    spread = number(float(means.max()) - float(means.min()))  # type: ignore[arg-type]
    verdict = "depends on the model" if _depends(part) else "the same"
    return [*told, (rows[0]["title"], "Largest difference", verdict, spread, "", "")]


def _depends(part: pl.DataFrame) -> bool:
    return part["decision"].n_unique() > 1


def _finding(parts: Sequence[pl.DataFrame]) -> str:
    depends = [str(part["title"][0]) for part in parts if _depends(part)]
    if not depends:
        return "No decision depends on the model of leaving"
    if len(depends) <= _TOLD:
        decisions = "decision" if len(depends) == 1 else "decisions"
        verb = "depends" if len(depends) == 1 else "depend"
        return f"The {decisions} on {joined(depends)} {verb} on the model of leaving"
    return f"{counted(len(depends)).capitalize()} of {counted(len(parts))} decisions depend on the model of leaving"


def _single(models: Sequence[str]) -> Prose:
    used = f"Only one model of leaving was used here, {models[0]}. " if models else ""
    return remark(
        f"{used}Other models take other customers for gone, and a decision may depend on that. Whoever writes the "
        "scenario can ask for three of them (dropout: all), each of which is then shown beside the others."
    )


def _known(model: str) -> str:
    return MODELS.get(model, model)
