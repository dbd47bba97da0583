"""Where a strategy's worth comes from: a table under PATHWAYS goes in, one waterfall per strategy comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import PATHWAYS
from cxsim.charts.frame import WIDTH, Figure, balanced, framed, money_axis, names_of, rounded
from cxsim.charts.palette import INK, colours
from cxsim.charts.panels import headings, lines_beside, panels, rimmed
from cxsim.errors import TableError
from cxsim.tables import check
from cxsim.wording import NBSP, joined, money, number

_COLUMN = 232
_CHARACTERS = 38
_ROW = 30
# Room for the amount beside a bar, in pixels.
_ENDS = 54
_FIRST = "datum._first"
_PARTS = ("gives", "takes")
# Sums of floating numbers differ from their sum by this share of the largest of them at most.
_ROUNDING = 1e-6
# So many strategies are told one by one in a title; of more, the one with the most is.
_TOLD = 3


def benefit_waterfall(pathways: pl.DataFrame, currency: str) -> Figure:
    """Draw by which ways each strategy gains and what it gives away, down to its net present value.

    Parameters
    ----------
    pathways
        Table under `PATHWAYS`, strategies in the order of the scenario; what gives and takes adds up to the base case,
        and the base case and what uncertainty adds to the mean.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy, one bar per part that is not zero: full bars add, hollow bars take away, dark bars are
        sums.

    Raises
    ------
    TableError
        For a table that is not under `PATHWAYS`, whose parts do not add up, or that lacks a sum.
    """
    table = check(pathways, PATHWAYS).rename({"title": "name"}).sort("step", maintain_order=True)
    names = pathways["title"].unique(maintain_order=True).to_list()
    owns = [table.filter(name=name) for name in names]
    steps = rounded(pl.concat(_steps(own, currency) for own in owns))
    shown = (
        f"Present values over doing nothing, {currency}. Full bars add, hollow bars take away, dark bars are sums: the "
        "base case, with every number at its central value, and the mean over all draws. "
        "The interval of the mean stands with the decisions."
    )
    drawn = panels(_layers(steps, currency), steps, width=WIDTH - _COLUMN, height=alt.Step(_ROW))
    return framed(drawn, finding=_finding(owns), shown=shown, told=_told(steps))


def _steps(own: pl.DataFrame, currency: str) -> pl.DataFrame:
    base, mean = _added_up(own)
    kept = own.filter((pl.col("amount") != 0.0) | pl.col("kind").is_in(["base", "mean"]))
    part = pl.col("kind").is_in(_PARTS)
    sofar = pl.when(part).then(pl.col("amount")).otherwise(0.0).cum_sum()
    start = pl.when(part).then(sofar - pl.col("amount")).when(pl.col("kind") == "uncertainty").then(base).otherwise(0.0)
    written = [number(amount) for amount in kept["amount"]]
    signs = [
        "+" if amount > 0.0 and kind not in ("base", "mean") else "" for amount, kind in kept["amount", "kind"].rows()
    ]
    kinds = pl.when(pl.col("kind").is_in(["base", "mean"])).then(pl.lit("sum")).when(pl.col("amount") > 0.0)
    drawn = kept.select(
        "name",
        pl.int_range(1, pl.len() + 1).alias("step"),
        "label",
        kinds.then(pl.lit("adds")).otherwise(pl.lit("takes away")).alias("kind"),
        "amount",
        pl.Series("_written", [f"{sign}{text}" for sign, text in zip(signs, written, strict=True)], dtype=pl.String),
        pl.Series("_label", ["\n".join(balanced(label, _CHARACTERS)) for label in kept["label"]], dtype=pl.String),
        _start=start,
        _end=start + pl.col("amount"),
        _edge=pl.max_horizontal(start, start + pl.col("amount")),
        _first=pl.int_range(pl.len()) == 0,
        _note=pl.lit(""),
    )
    note = f"Mean: {money(mean, currency)}"
    return drawn.with_columns(_note=pl.when("_first").then(pl.lit(note)).otherwise(pl.lit("")))


def _added_up(own: pl.DataFrame) -> tuple[float, float]:
    """Return base case and mean, after making sure that the parts lead to them."""
    name = own["name"][0]
    sums = dict(own.group_by("kind").agg(pl.col("amount").sum()).iter_rows())
    for kind in ("base", "mean"):
        if own.filter(kind=kind).height != 1:
            raise TableError(
                f"PATHWAYS: '{name}' has {own.filter(kind=kind).height} rows of kind '{kind}'; one is needed."
            )
    parts = sums.get("gives", 0.0) + sums.get("takes", 0.0)
    allowed = _ROUNDING * float(own["amount"].abs().to_numpy().max())
    for kind, reached in (("base", parts), ("mean", sums["base"] + sums.get("uncertainty", 0.0))):
        if abs(reached - sums[kind]) > allowed:
            raise TableError(
                f"PATHWAYS: the parts of '{name}' add up to {reached:,.2f}; its {kind} is {sums[kind]:,.2f}."
            )
    return sums["base"], sums["mean"]


def _layers(steps: pl.DataFrame, currency: str) -> list[alt.Chart]:
    largest = float(steps.select(pl.max_horizontal(pl.col("_start", "_end").abs()).max()).item())
    title = f"Present value, {currency}"
    x = alt.X("_start:Q", axis=money_axis(title, largest=largest), scale=alt.Scale(padding=_ENDS, nice=False))
    names = names_of(steps)
    scale = colours(names)
    drawn = alt.Chart().encode(y=alt.Y("step:O", axis=None))
    hollow = alt.condition("datum.kind === 'takes away'", alt.value(0.0), alt.value(1.0))
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("step:Q", title="Step"),
        alt.Tooltip("label:N", title="Part"),
        alt.Tooltip("kind:N", title="Kind"),
        alt.Tooltip("amount:Q", title=title, format=",.3~r"),
    ]
    shape = drawn.mark_bar(height=17, strokeWidth=1.6, aria=False).encode(x=x, x2="_end:Q", tooltip=tooltip)
    of_strategy = {"field": "name", "type": "nominal", "scale": scale, "legend": None}
    total = alt.condition("datum.kind === 'sum'", alt.value(INK), of_strategy)
    zero = alt.Chart().transform_filter(_FIRST).mark_rule(color=INK, aria=False).encode(x=alt.datum(0))
    return [
        shape.encode(fill=total, stroke=total, fillOpacity=hollow),
        zero,
        *_words(drawn, title),
        *headings(_FIRST, alt.Color("name:N", scale=scale, legend=None), indent=_COLUMN),
    ]


def _words(drawn: alt.Chart, title: str) -> tuple[alt.Chart, ...]:
    beside = drawn.encode(x=alt.X("_edge:Q", title=title), text="_written:N")
    return lines_beside(drawn, indent=_COLUMN), *rimmed(beside, align="left", gap=6)


def _finding(owns: list[pl.DataFrame]) -> str:
    """Return how much of the gains of each strategy its takers eat up."""
    shares = {own["name"][0]: _eaten(own) for own in owns}
    eaten = sorted(((share, name) for name, share in shares.items() if share is not None), key=lambda pair: pair[0])
    if not eaten:
        return "No strategy gains by any way" if len(owns) > 1 else f"{next(iter(shares))} gains by no way"
    if len(owns) > _TOLD:
        (least, first), (most, last) = eaten[0], eaten[-1]
        return f"Costs and giveaways eat up from {_share(least)} of the gains ({first}) to {_share(most)} ({last})"
    told = [f"{_share(share)} for {name}" for name, share in shares.items() if share is not None]
    told[0] = told[0].replace(" for ", " of the gains for ", 1)
    return f"Costs and giveaways eat up {joined(told)}"


def _eaten(own: pl.DataFrame) -> float | None:
    gives, takes = (float(own.filter(kind=kind)["amount"].sum()) for kind in _PARTS)
    return -takes / gives if gives > 0.0 else None


def _share(share: float) -> str:
    return f"{100 * share:.0f}{NBSP}%"


def _told(steps: pl.DataFrame) -> str:
    told = []
    for name, own in steps.group_by("name", maintain_order=True):
        parts = "; ".join(f"{label} {written}" for label, written in own["label", "_written"].rows())
        told.append(f"{name[0]}: {parts}.")
    return " ".join(told)
