"""Where the money goes: a table under STATEMENT goes in, one strategy's way from sales to cash comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, money_axis, named, names_of, rounded
from cxsim.charts.palette import GRID, INK, STRATEGIES
from cxsim.errors import TableError, choices
from cxsim.ledger import LADDER, Account
from cxsim.tables import STATEMENT, check
from cxsim.wording import money, number

_BAND = 30
_TOTAL = "Extra cash"


def waterfall(statement: pl.DataFrame, strategy: str, currency: str) -> Figure:
    """Draw how the extra sales of one strategy become extra cash, account by account.

    Parameters
    ----------
    statement
        Table under `STATEMENT`, with all strategies of the scenario in their order.
    strategy
        Identifier of the strategy to draw.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One bar per account that changes: full bars add, hollow bars take away; sums over all months, not discounted.

    Raises
    ------
    TableError
        If the table is not under `STATEMENT` or does not hold the strategy.
    """
    table = named(check(statement, STATEMENT))
    known = table["strategy"].unique(maintain_order=True).to_list()
    if strategy not in known:
        raise TableError(f"STATEMENT: no strategy '{strategy}'; {choices(strategy, known)}")
    place = known.index(strategy)
    name = names_of(table)[place]
    steps = rounded(_steps(table.filter(strategy=strategy)))
    sales = float(table.filter(strategy=strategy, line=Account.GROSS_SALES)["incremental"].sum())
    finding = f"{name}: extra sales of {money(sales, currency)} become extra cash of {money(_total(steps), currency)}"
    shown = (
        f"Change against doing nothing over the whole horizon, not discounted, {currency}; mean of all draws. "
        "Full bars add, hollow bars take away. The curve of cumulative cash shows the interval of the result."
    )
    told = " ".join(f"{account}: {label}." for account, label in steps.select("account", "label").iter_rows())
    drawn = alt.layer(*_layers(steps, currency, STRATEGIES[place % len(STRATEGIES)]))
    return framed(drawn, finding=finding, shown=shown, told=told, width=WIDTH - 150, height=_BAND * steps.height)


def _steps(statement: pl.DataFrame) -> pl.DataFrame:
    order = [str(account) for _, accounts in LADDER for account in accounts]
    amounts = (
        statement.filter(pl.col("line").is_in(order))
        .group_by("line")
        .agg(amount=pl.col("incremental").sum())
        .filter(pl.col("amount").abs() > 0.0)
        .sort(pl.col("line").cast(pl.Enum(order)))
        .select("amount", account=_capital(pl.col("line")), end=pl.col("amount").cum_sum())
        .with_columns(start=pl.col("end").shift(1, fill_value=0.0))
    )
    total = float(amounts["amount"].sum())
    result = pl.DataFrame({"account": [_TOTAL], "amount": [total], "start": [0.0], "end": [total]})
    steps = pl.concat([amounts.select(result.columns), result])
    labels = [("+" if amount > 0.0 else "") + number(amount) for amount in steps["amount"]]
    return steps.with_columns(
        label=pl.Series([*labels[:-1], number(total)], dtype=pl.String),
        kind=pl.when(pl.col("account") == _TOTAL)
        .then(pl.lit("result"))
        .when(pl.col("amount") > 0.0)
        .then(pl.lit("adds"))
        .otherwise(pl.lit("takes away")),
        edge=pl.max_horizontal("start", "end"),
    )


def _capital(line: pl.Expr) -> pl.Expr:
    return line.str.slice(0, 1).str.to_uppercase() + line.str.slice(1)


def _total(steps: pl.DataFrame) -> float:
    return float(steps.filter(pl.col("kind") == "result")["amount"].item())


def _layers(steps: pl.DataFrame, currency: str, colour: str) -> tuple[alt.Chart, ...]:
    largest = float(steps.select(pl.max_horizontal(pl.col("start").abs(), pl.col("end").abs()).max()).item())
    amounts = money_axis(f"Change against doing nothing, {currency}", largest=largest)
    accounts = alt.Axis(labelColor=INK, labelLimit=180)
    rows = alt.Y("account:N", sort=steps["account"].to_list(), title=None, axis=accounts)
    kinds = ["adds", "takes away", "result"]
    drawn = alt.Chart(steps).encode(
        y=rows,
        tooltip=[alt.Tooltip("account:N", title="Account"), alt.Tooltip("label:N", title="Change")],
    )
    bars = drawn.mark_bar(height=18, strokeWidth=1.5).encode(
        x=alt.X("start:Q", axis=amounts),
        x2="end:Q",
        fill=alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=[colour, "#FFFFFF", INK]), legend=None),
        stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=kinds, range=[colour, colour, INK]), legend=None),
    )
    label = drawn.mark_text(align="left", dx=6).encode(x="edge:Q", text="label:N")
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=GRID, strokeWidth=1.5).encode(x="zero:Q")
    return zero, bars, label
