"""The profit and loss of each strategy against doing nothing: TOTALS, PERIODS, COHORT_MONEY, PATHWAYS in; sums out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.finance.statement import COHORT_MONEY, PERIODS
from cxsim.reporting.tables import (
    RESULT,
    SUBTOTALS,
    Column,
    Row,
    Table,
    TableSpec,
    amounts_as_text,
    capitalised,
    strategy_name,
    with_amounts,
)
from cxsim.reporting.theme import (
    INK,
    WIDTH,
    Figure,
    balanced,
    colours,
    framed,
    headings,
    largest,
    lines_beside,
    money_axis,
    named,
    names_of,
    panels,
    rimmed,
    rounded,
    strategy_colour,
    tooltips,
    with_texts,
)
from cxsim.study.business.pathways import PATHWAYS
from cxsim.tables import TOTALS, WHOLE_HORIZON, check
from cxsim.wording import INTERVAL, MISSING, NBSP, figure, joined, money, number, precision

LADDER_NOTE = (
    "Costs are negative. Net revenue: sales and fees less markdowns and refunds. Contribution margin 1 (CM1): net "
    "revenue less the cost of goods. Margin 2 (CM2): also less payment fees, picking, packing, shipping, returns and "
    "support. Margin 3 (CM3): also less rewards, points still outstanding, compensation and acquisition. Cash "
    "contribution: also less what the programme costs."
)
_SUMS_NOTE = (
    "Present value: later amounts counted for less, at the discount rate of each draw. So far: the sum since the "
    "start. Every amount is a mean over all draws."
)
_SIDES = {"baseline": "Without the strategy", "treated": "With the strategy", "incremental": "Difference"}
# Rows below the ladder, about the difference in its last line.
_BELOW = {
    "discounted": "Difference in cash, at present value",
    "cumulative": "Difference in cash so far",
    "cumulative_discounted": "Difference in cash so far, at present value",
}
# The subtotals that stand for a quarter.
_OF_QUARTER = (SUBTOTALS[0], *SUBTOTALS[-2:])
_COHORTS = {
    "existing": "Existing customers",
    "referred": "Referred by other customers",
    "shared": "Costs that belong to no cohort",
    "all": "All together",
}
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# Not strftime: its names of the months follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COLUMN = 232
_CHARACTERS = 38
_ROW = 30
# Width for the amount beside a bar, in pixels.
_ENDS = 54
_FIRST = "datum._first"
_SUMS = ("base", "mean")
# Sums of floating numbers differ from their sum by this share of the largest of them at most.
_ROUNDING = 1e-6
# So many strategies are named one by one in a title; of more, the one with the most is.
_NAMED = 3


def statement_table(totals: pl.DataFrame, currency: str) -> Table:
    """Lay out the contribution-margin ladder of each strategy: without it, with it, and the difference by year.

    Parameters
    ----------
    totals
        Table under `TOTALS`; strategies, lines and periods in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        Undiscounted means over draws, and the interval of the difference over the whole horizon; accounts without any
        entry are left out. The title says which strategies bring cash.
    """
    years = check(totals, TOTALS)["period"].unique(maintain_order=True).to_list()
    years.remove(WHOLE_HORIZON)
    difference = {year: Column(year) for year in years} | {"incremental": Column(WHOLE_HORIZON)}
    columns = {"baseline": Column("Doing nothing"), "treated": Column("With the strategy"), **difference}
    spec = replace(
        _STATEMENT,
        columns=columns | {"low": Column("from"), "high": Column("to")},
        spanners={"Difference": list(difference), f"Its {INTERVAL}": ["low", "high"]},
    )
    return spec.render(totals, currency)


def periods_table(periods: pl.DataFrame, currency: str, strategy: str | None = None) -> Table:
    """Lay out the statement without a strategy, with it, and the difference, by year and in total.

    Parameters
    ----------
    periods
        Table under `PERIODS`; strategies, periods and lines in the order in which they are shown.
    currency
        Code of the currency, as "USD".
    strategy
        The one whose accounts are shown, all of them that have an entry; without it, the subtotals of all strategies.

    Returns
    -------
    Table
        One column per year and one for the total. Below the ladder, of the difference in cash: its present value and
        both sums so far. The twin holds months and quarters too, with the interval of each line.

    Raises
    ------
    TableError
        For a table that is not under `PERIODS`, or a strategy that is not in it.
    """
    rows = _chosen(periods, strategy)
    columns = {f"period_{place}": Column(label) for place, label in enumerate(_labels(rows))}
    spec = replace(_PERIODS, columns=columns)
    if strategy is None:
        return spec.render(rows, currency)
    left_out = "Accounts without any entry are left out."
    name = f"periods-{strategy.replace('_', '-')}"
    return replace(spec, id=name, rows=_accounts, notes=(LADDER_NOTE, _SUMS_NOTE, left_out)).render(rows, currency)


def quarters_table(periods: pl.DataFrame, currency: str, strategy: str | None = None) -> Table:
    """Lay out the difference that each strategy makes quarter by quarter.

    Parameters
    ----------
    periods, currency
        As in `periods_table`.
    strategy
        The one that is shown; without it, all.

    Returns
    -------
    Table
        One row per strategy and quarter, folded under its title: net revenue, margin 3 and cash, the interval of the
        last, its present value and the sums so far. The twin holds every account, without and with the strategy too.

    Raises
    ------
    TableError
        As `periods_table`.
    """
    rows = _chosen(periods, strategy).filter(pl.col("line").is_in(SUBTOTALS), grain="quarter")
    if strategy is None:
        return _QUARTERS.render(rows, currency)
    title = f"{strategy_name(rows.row(0, named=True))}, quarter by quarter"
    return replace(_QUARTERS, id=f"quarters-{strategy.replace('_', '-')}", title=title).render(rows, currency)


def cohort_table(cohort_money: pl.DataFrame, currency: str) -> Table:
    """Lay out what each strategy changes for each cohort of customers, over the whole horizon.

    Parameters
    ----------
    cohort_money
        Table under `COHORT_MONEY`; strategies and cohorts in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and cohort that has customers or cash, and their sum: customers, cash without the strategy
        and with it, and the difference with its interval. The twin holds every account of every cohort.
    """
    return _COHORT_MONEY.render(cohort_money, currency)


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
    table = check(pathways, PATHWAYS).rename({"title": "name"})
    ordered = table.sort("step", maintain_order=True)
    owns = [ordered.filter(name=name) for name in names_of(table)]
    steps = rounded(pl.concat(_steps(own, currency) for own in owns))
    shown = (
        f"Present values over doing nothing, {currency}. Full bars add, hollow bars take away, dark bars are sums: the "
        "base case, with every number at its central value, and the mean over all draws. "
        "The interval of the mean stands with the decisions."
    )
    texts = []
    for name, own in steps.group_by("name", maintain_order=True):
        parts = "; ".join(f"{label} {written}" for label, written in own["label", "_written"].rows())
        texts.append(f"{name[0]}: {parts}.")
    drawn = panels(_layers(steps, currency), steps, width=WIDTH - _COLUMN, height=alt.Step(_ROW))
    return framed(drawn, finding=_benefits_finding(owns), shown=shown, alt_text=" ".join(texts))


def _statement_finding(totals: pl.DataFrame) -> str:
    cash = named(totals.filter(line=RESULT, period=WHOLE_HORIZON))
    gains = cash.select("name", gains=pl.col("incremental") > 0.0)
    return f"On average {_more_cash(gains)}"


def _more_cash(gains: pl.DataFrame) -> str:
    """Return who brings more cash than doing nothing, and who does not."""
    more, less = (gains.filter(gains=sign)["name"].to_list() for sign in (True, False))
    if not more:
        return "no strategy brings more cash than it costs"
    brings = f"{joined(more)} bring{'s' if len(more) == 1 else ''} more cash than doing nothing"
    return f"{brings}; {joined(less)} {'does' if len(less) == 1 else 'do'} not" if less else brings


def _ladder(totals: pl.DataFrame) -> list[Row]:
    """Return one row per strategy and line, with the difference of each year beside the total."""
    whole = pl.col("period") == WHOLE_HORIZON
    sides, ends = list(_SIDES), ["low", "high"]
    years = [period for period in totals["period"].unique(maintain_order=True) if period != WHOLE_HORIZON]
    ladder = named(totals).group_by("name", "strategy", "line", maintain_order=True)
    rows = ladder.agg(
        pl.col(*sides, *ends).filter(whole).first(),
        *(pl.col("incremental").filter(period=year).first().alias(year) for year in years),
    ).filter(pl.col("line").is_in(SUBTOTALS) | pl.any_horizontal(pl.col(sides) != 0.0))
    return with_amounts(rows.rows(named=True), [*sides, *ends, *years])


_STATEMENT = TableSpec(
    id="statement",
    title=_statement_finding,
    subtitle="{currency}, not discounted, over the whole horizon; means over all draws",
    # The years stand between.
    columns={},
    rows=_ladder,
    group="name",
    line=lambda row: capitalised(row["line"]),
    bold=lambda row: row["line"] in SUBTOTALS,
    notes=(
        "Costs are negative. Subtotals, in bold, are sums of all lines above them.",
        "Accounts without any entry are left out.",
    ),
)


def _chosen(periods: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    known = check(periods, PERIODS)["strategy"].unique(maintain_order=True).to_list()
    if strategy is None:
        return periods
    if strategy not in known:
        raise TableError(f"PERIODS: no strategy '{strategy}'; {choices(strategy, known)}")
    return periods.filter(strategy=strategy)


def _labels(periods: pl.DataFrame) -> list[str]:
    """Return the labels of the years, and that of the total at the end; a single year is the total."""
    labels = periods.filter(pl.col("grain").is_in(["year", "total"]))["label"].unique(maintain_order=True).to_list()
    return labels if len(labels) > 2 else labels[-1:]


def _by_line(periods: pl.DataFrame) -> tuple[list[dict[str, list[dict[str, Any]]]], Callable[[float], str]]:
    """Return the years of each line of each strategy, and how their amounts are written."""
    shown = periods.filter(pl.col("grain").is_in(["year", "total"]))
    write = amounts_as_text(amount for side in _SIDES for amount in shown[side].drop_nulls())
    parts = shown.filter(pl.col("label").is_in(_labels(periods))).partition_by("strategy", maintain_order=True)
    return [
        {str(line): own.rows(named=True) for (line,), own in part.group_by("line", maintain_order=True)}
        for part in parts
    ], write


def _cells(group: str, line: str, texts: Sequence[str], *, mark: str = "") -> dict[str, str]:
    return {"group": group, "line": line, "mark": mark} | {f"period_{n}": text for n, text in enumerate(texts)}


def _interval(group: str, cells: Sequence[Row], write: Callable[[float], str]) -> dict[str, str]:
    return _cells(group, f"Its {INTERVAL}", [f"{write(cell['low'])} to {write(cell['high'])}" for cell in cells])


def _subtotals(periods: pl.DataFrame) -> list[dict[str, str]]:
    """Return of each strategy the cash without it and with it, and the differences in the subtotals."""
    rows = []
    parts, write = _by_line(periods)
    for lines in parts:
        cash = lines[RESULT]
        group = strategy_name(cash[0])
        for side in ("baseline", "treated"):
            words = f"Cash contribution {_SIDES[side].lower()}"
            rows.append(_cells(group, words, [write(cell[side]) for cell in cash]))
        for name in SUBTOTALS:
            texts = [write(cell["incremental"]) for cell in lines[name]]
            rows.append(_cells(group, f"Difference in {name}", texts, mark=name if name == RESULT else ""))
        rows.append(_interval(group, cash, write))
        rows += [_cells(group, words, [write(cell[name]) for cell in cash]) for name, words in _BELOW.items()]
    return rows


def _accounts(periods: pl.DataFrame) -> list[dict[str, str]]:
    """Return the same with all accounts that have an entry: without the strategy, with it, and the difference."""
    rows = []
    (lines, *_), write = _by_line(periods)
    for side, group in _SIDES.items():
        for name, cells in lines.items():
            if name not in SUBTOTALS and all(cell[each] == 0.0 for cell in cells for each in _SIDES):
                continue
            rows.append(_cells(group, capitalised(name), [write(cell[side]) for cell in cells], mark=name))
            if side == "incremental" and name in SUBTOTALS:
                rows.append(_interval(group, cells, write))
    cash, group = lines[RESULT], _SIDES["incremental"]
    return [*rows, *(_cells(group, words, [write(cell[name]) for cell in cash]) for name, words in _BELOW.items())]


def _periods_finding(periods: pl.DataFrame) -> str:
    """Return who is ahead at the end; for a single strategy, since when."""
    years = named(periods.filter(line=RESULT, grain="year"))
    ends = years.group_by("name", maintain_order=True).agg(gains=pl.col("cumulative_discounted").last() > 0.0)
    if ends.height > 1 and ends["gains"].any():
        return f"At present value {_more_cash(ends)}"
    if ends.height > 1:
        return "At present value no strategy brings more cash than doing nothing"
    name, ahead = ends.row(0)
    if not ahead:
        return f"At present value {name} brings no more cash than doing nothing"
    late = years.with_row_index("year", offset=1).filter(pl.col("cumulative_discounted") <= 0.0)["year"].to_list()
    return f"{name} is ahead of doing nothing, at present value, from year {max(late, default=0) + 1} on"


_PERIODS = TableSpec(
    id="periods",
    title=_periods_finding,
    subtitle=f"{{currency}}, not discounted but where it says so; means over all draws, and {INTERVAL}s",
    # One column per year, and one for the total.
    columns={},
    rows=_subtotals,
    group="group",
    line="line",
    bold=lambda row: row["mark"] in SUBTOTALS,
    notes=(
        LADDER_NOTE,
        _SUMS_NOTE,
        "Subtotals alone; the table's file holds every account, with an interval for each.",
    ),
)


def _quarters(periods: pl.DataFrame) -> list[dict[str, Any]]:
    result = periods.filter(line=RESULT)
    sums = list(_BELOW)
    write = amounts_as_text(amount for name in sums for amount in result[name].drop_nulls())
    margins = {f"margin_{n}": periods.filter(line=name)["incremental"] for n, name in enumerate(_OF_QUARTER)}
    return [
        {
            **row,
            **{name: write(row[name]) for name in (*margins, *sums)},
            "span": f"{write(row['low'])} to {write(row['high'])}",
        }
        for row in result.with_columns(**margins).rows(named=True)
    ]


_QUARTERS = TableSpec(
    id="quarters",
    title="Difference quarter by quarter",
    subtitle="{currency}, with the strategy less without it; quarters are three months from the start",
    rows=_quarters,
    group=strategy_name,
    line="label",
    columns={
        **{f"margin_{place}": Column(name.capitalize()) for place, name in enumerate(_OF_QUARTER)},
        "span": Column(f"Its {INTERVAL}"),
        "discounted": Column("At present value"),
        "cumulative": Column("So far"),
        "cumulative_discounted": Column("So far, present value"),
    },
    notes=(LADDER_NOTE, f"Interval, present value and sums so far: of the cash contribution. {_SUMS_NOTE}"),
    fold="folded",
)


def _cash(cohort_money: pl.DataFrame) -> pl.DataFrame:
    """Return the cash of each cohort, but of those where all is zero, as customers who are referred where nobody is."""
    amounts = pl.any_horizontal(pl.col("customers", *_SIDES, "low", "high") != 0.0)
    return named(cohort_money.filter(line=RESULT).filter(amounts))


def _by_cohort(cohort_money: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row per strategy and cohort, and the sum over cohorts below them."""
    cash = _cash(cohort_money)
    write = amounts_as_text(amount for side in _SIDES for amount in cash[side])
    found = cash.filter(pl.col("customers") > 0.0).select(pl.col("incremental") / pl.col("customers"))
    each = precision(found.to_series().to_list() or [0.0])
    rows = []
    for part in cash.partition_by("strategy", maintain_order=True):
        sums = {name: float(part[name].sum()) for name in ("customers", *_SIDES)}
        whole = {"name": part["name"][0], "cohort": "all", "low": None, "high": None}
        for row in [*part.rows(named=True), whole | sums]:
            people, gain = row["customers"], row["incremental"]
            rows.append(
                row
                | {side: write(row[side]) for side in _SIDES}
                | {
                    "customers": figure(people) if people > 0.0 else MISSING,
                    "interval": None if row["low"] is None else f"{write(row['low'])} to {write(row['high'])}",
                    "each": each.text(gain / people) if people > 0.0 else MISSING,
                }
            )
    return rows


def _cohort(cohort: str) -> str:
    """Return a cohort in words; its months, the first and the last of some, as `Jul to Sep 1998`, break nowhere."""
    if cohort in _COHORTS:
        return _COHORTS[cohort]
    found = [(year, _MONTHS[int(month) - 1]) for year, month in _MONTH.findall(cohort)]
    if not found:
        return f"New in {cohort}"
    *before, (last, end) = found
    starts = [begin if year == last else f"{begin} {year}" for year, begin in before]
    return f"New in {' to '.join([*starts, f'{end} {last}']).replace(' ', NBSP)}"


def _cohort_finding(cohort_money: pl.DataFrame) -> str:
    """Return whose cash each strategy changes for the better most, strategies with the same answer together."""
    kinds = {"existing": "existing customers", "referred": "referred customers"}
    kind = pl.col("cohort").replace_strict(kinds, default="new customers")
    cash = _cash(cohort_money).filter(pl.col("cohort") != "shared").with_columns(kind=kind)
    sums = cash.group_by("strategy", "name", "kind", maintain_order=True).agg(pl.col("incremental").sum())
    answers: dict[str, list[str]] = {}
    for part in sums.partition_by("strategy", maintain_order=True):
        best = part.row(part["incremental"].arg_max() or 0, named=True)
        answers.setdefault(best["kind"] if best["incremental"] > 0.0 else "", []).append(best["name"])
    parts = [f"{kind} bring most for {joined(names)}" for kind, names in answers.items() if kind]
    if "" in answers:
        parts.append(f"no cohort brings more with {joined(answers[''])}")
    return capitalised("; ".join(parts))


_COHORT_MONEY = TableSpec(
    id="cohort-money",
    contract=COHORT_MONEY,
    title=_cohort_finding,
    subtitle="Cash contribution in {currency}, not discounted, over the whole horizon; means over all draws",
    rows=_by_cohort,
    group="name",
    line=lambda row: _cohort(row["cohort"]),
    columns={
        "customers": Column("Customers"),
        "baseline": Column("Without"),
        "treated": Column("With"),
        "incremental": Column("Difference"),
        "interval": Column(f"Its {INTERVAL}"),
        "each": Column("Difference per customer"),
    },
    spanners={"Cash contribution": list(_SIDES)},
    notes=(
        "Cash contribution: revenue less all costs, those of the programme too. Costs are negative.",
        (
            "Cohort: customers who enter together, the existing ones or the new ones of some months. Customers: as "
            "many as there are without the strategy."
        ),
        (
            f"{MISSING}: none. All together has no interval here, for that of a sum is not the sum of intervals; "
            "the statement by year has it."
        ),
    ),
)


def _steps(own: pl.DataFrame, currency: str) -> pl.DataFrame:
    base, mean = _added_up(own)
    total, part = pl.col("kind").is_in(_SUMS), pl.col("kind").is_in(["gives", "takes"])
    kept = with_texts(
        own.filter((pl.col("amount") != 0.0) | total),
        {
            "_written": lambda row: (
                f"{'+' if row['amount'] > 0.0 and row['kind'] not in _SUMS else ''}{number(row['amount'])}"
            ),
            "_label": lambda row: "\n".join(balanced(row["label"], _CHARACTERS)),
        },
    )
    sofar = pl.when(part).then(pl.col("amount")).otherwise(0.0).cum_sum()
    start = pl.when(part).then(sofar - pl.col("amount")).when(pl.col("kind") == "uncertainty").then(base).otherwise(0.0)
    kinds = pl.when(total).then(pl.lit("sum")).when(pl.col("amount") > 0.0).then(pl.lit("adds"))
    first = pl.int_range(pl.len()) == 0
    return kept.select(
        "name",
        pl.int_range(1, pl.len() + 1).alias("step"),
        "label",
        kinds.otherwise(pl.lit("takes away")).alias("kind"),
        "amount",
        "_written",
        "_label",
        _start=start,
        _end=start + pl.col("amount"),
        _edge=pl.max_horizontal(start, start + pl.col("amount")),
        _first=first,
        _note=pl.when(first).then(pl.lit(f"Mean: {money(mean, currency)}")).otherwise(pl.lit("")),
    )


def _added_up(own: pl.DataFrame) -> tuple[float, float]:
    """Return base case and mean, after making sure that the parts lead to them."""
    name = own["name"][0]
    sums = dict(own.group_by("kind").agg(pl.col("amount").sum()).iter_rows())
    for kind in _SUMS:
        count = own.filter(kind=kind).height
        if count != 1:
            raise TableError(f"PATHWAYS: '{name}' has {count} rows of kind '{kind}'; one is needed.")
    parts = sums.get("gives", 0.0) + sums.get("takes", 0.0)
    allowed = _ROUNDING * float(own["amount"].abs().to_numpy().max())
    for kind, reached in (("base", parts), ("mean", sums["base"] + sums.get("uncertainty", 0.0))):
        if abs(reached - sums[kind]) > allowed:
            raise TableError(
                f"PATHWAYS: the parts of '{name}' add up to {reached:,.2f}; its {kind} is {sums[kind]:,.2f}."
            )
    return sums["base"], sums["mean"]


def _layers(steps: pl.DataFrame, currency: str) -> list[alt.Chart]:
    title = f"Present value, {currency}"
    axis = money_axis(title, largest=largest(steps, ("_start", "_end")))
    x = alt.X("_start:Q", axis=axis, scale=alt.Scale(padding=_ENDS, nice=False))
    tips = {"name:N": "Strategy", "step:I": "Step", "label:N": "Part", "kind:N": "Kind", "amount:Q": title}
    drawn = alt.Chart().encode(y=alt.Y("step:O", axis=None))
    hollow = alt.condition("datum.kind === 'takes away'", alt.value(0.0), alt.value(1.0))
    scale = colours(names_of(steps))
    of_strategy = {"field": "name", "type": "nominal", "scale": scale, "legend": None}
    fill = alt.condition("datum.kind === 'sum'", alt.value(INK), of_strategy)
    bar = drawn.mark_bar(height=17, strokeWidth=1.6, aria=False).encode(x=x, x2="_end:Q", tooltip=tooltips(tips))
    amounts = drawn.encode(x=alt.X("_edge:Q", title=title), text="_written:N")
    return [
        bar.encode(fill=fill, stroke=fill, fillOpacity=hollow),
        alt.Chart().transform_filter(_FIRST).mark_rule(color=INK, aria=False).encode(x=alt.datum(0)),
        lines_beside(drawn, indent=_COLUMN),
        *rimmed(amounts, align="left", gap=6),
        *headings(_FIRST, strategy_colour(names_of(steps)), indent=_COLUMN),
    ]


def _benefits_finding(owns: Sequence[pl.DataFrame]) -> str:
    """Return how much of the gains of each strategy what takes away eats up."""
    eaten = []
    for own in owns:
        gives, takes = (float(own.filter(kind=kind)["amount"].sum()) for kind in ("gives", "takes"))
        if gives > 0.0:
            eaten.append((-takes / gives, own["name"][0]))
    if not eaten:
        return "No strategy gains by any way" if len(owns) > 1 else f"{owns[0]['name'][0]} gains by no way"
    texts = [(f"{100 * share:.0f}{NBSP}%", name) for share, name in eaten]
    if len(owns) > _NAMED:
        order = sorted(range(len(eaten)), key=lambda place: eaten[place][0])
        (least, first), (most, last) = texts[order[0]], texts[order[-1]]
        return f"Costs and giveaways eat up from {least} of the gains ({first}) to {most} ({last})"
    parts = [f"{share} for {name}" for share, name in texts]
    parts[0] = parts[0].replace(" for ", " of the gains for ", 1)
    return f"Costs and giveaways eat up {joined(parts)}"
