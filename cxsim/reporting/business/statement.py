"""The profit and loss of each strategy against doing nothing: a table under TOTALS in, its ladder by year out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.finance.statement import COHORT_MONEY, PERIODS
from cxsim.reporting.tables import RESULT, SUBTOTALS, Table, bold, grouped, laid_out, written
from cxsim.reporting.theme import (
    INK,
    WIDTH,
    Figure,
    balanced,
    colours,
    framed,
    headings,
    lines_beside,
    money_axis,
    names_of,
    panels,
    rimmed,
    rounded,
)
from cxsim.study.business.pathways import PATHWAYS
from cxsim.tables import TOTALS, WHOLE_HORIZON, check
from cxsim.wording import INTERVAL, MINUS, MISSING, NBSP, joined, localise, money, number, precision


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

    Raises
    ------
    TableError
        For a table that is not under `TOTALS`.
    """
    rows = grouped(check(totals, TOTALS))
    years = [period for period in rows["period"].unique(maintain_order=True) if period != WHOLE_HORIZON]
    ladder = _ladder(rows, years)
    heads = {
        "baseline": "Doing nothing",
        "treated": "With the strategy",
        **{year: year for year in years},
        "incremental": WHOLE_HORIZON,
        "low": "from",
        "high": "to",
    }
    title = _finding(rows)
    layout = laid_out(
        written(ladder, list(heads)),
        title=title,
        subtitle=f"{currency}, not discounted, over the whole horizon; means over all draws",
        heads=heads,
        notes=(
            "Costs are negative. Subtotals, in bold, are sums of all lines above them.",
            "Accounts without any entry are left out.",
        ),
    )
    layout = layout.tab_spanner("Difference", columns=[*years, "incremental"]).tab_spanner(
        f"Its {INTERVAL}", columns=["low", "high"]
    )
    return Table(id="statement", title=title, layout=bold(layout, ladder), twin=rows.drop("group"))


def _ladder(rows: pl.DataFrame, years: list[str]) -> pl.DataFrame:
    """Return one row per strategy and line, with the difference of each year beside the total."""
    of_all = pl.col("period") == WHOLE_HORIZON
    amounts = ("baseline", "treated", "incremental")
    return (
        rows.group_by("group", "strategy", "line", maintain_order=True)
        .agg(
            *(pl.col(name).filter(of_all).first() for name in (*amounts, "low", "high")),
            *(pl.col("incremental").filter(pl.col("period") == year).first().alias(year) for year in years),
        )
        .filter(pl.col("line").is_in(SUBTOTALS) | pl.any_horizontal(pl.col(amounts) != 0.0))
    )


def _finding(rows: pl.DataFrame) -> str:
    cash = rows.filter((pl.col("line") == RESULT) & (pl.col("period") == WHOLE_HORIZON))
    more = cash.filter(pl.col("incremental") > 0.0)["group"].to_list()
    less = cash.filter(pl.col("incremental") <= 0.0)["group"].to_list()
    if not more:
        return "On average no strategy brings more cash than it costs"
    brings = f"On average {joined(more)} bring{'s' if len(more) == 1 else ''} more cash than doing nothing"
    return f"{brings}; {joined(less)} {'does' if len(less) == 1 else 'do'} not" if less else brings


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
_LEFT_OUT = "Accounts without any entry are left out."
_ONLY_SUBTOTALS = "Subtotals alone; the table's file holds every account, with an interval for each."
_SIDES = {"baseline": "Without the strategy", "treated": "With the strategy", "incremental": "Difference"}
# Rows below the ladder, about the difference in its last line.
_BELOW = {
    "discounted": "Difference in cash, at present value",
    "cumulative": "Difference in cash so far",
    "cumulative_discounted": "Difference in cash so far, at present value",
}
# The subtotals that a quarter is told by.
_BRIEFLY = (SUBTOTALS[0], *SUBTOTALS[-2:])
# From so large an amount on, a statement is read in whole units of the currency.
_WHOLE = 1_000.0

Cell = dict[str, Any]
Written = Callable[[float], str]


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
    shown = rows.filter(pl.col("grain").is_in(["year", "total"]))
    labels = _years(shown)
    written = amounts_as_text(shown, list(_SIDES))
    parts = shown.filter(pl.col("label").is_in(labels)).partition_by("strategy", maintain_order=True)
    alt_text = [row for part in parts for row in (_subtotals if strategy is None else _accounts)(part, written)]
    heads = {f"period_{place}": label for place, label in enumerate(labels)}
    cells = pl.DataFrame(alt_text, schema=dict.fromkeys(["mark", "group", "line", *heads], pl.String), orient="row")
    title = _periods_finding(rows)
    layout = laid_out(
        cells.drop("mark"),
        title=title,
        subtitle=f"{currency}, not discounted but where it says so; means over all draws, and {INTERVAL}s",
        heads=heads,
        notes=[LADDER_NOTE, _SUMS_NOTE, _LEFT_OUT if strategy else _ONLY_SUBTOTALS],
    )
    name = "periods" if strategy is None else f"periods-{strategy.replace('_', '-')}"
    layout = bold(layout, cells.select(line="mark"))
    return Table(id=name, title=title, layout=layout, twin=rows.drop("group"))


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
    rows = _chosen(periods, strategy).filter(pl.col("grain") == "quarter")
    result = rows.filter(pl.col("line") == RESULT)
    margins = {f"margin_{place}": rows.filter(line=name)["incremental"] for place, name in enumerate(_BRIEFLY)}
    sums = {"discounted": "At present value", "cumulative": "So far", "cumulative_discounted": "So far, present value"}
    heads = {short: name.capitalize() for short, name in zip(margins, _BRIEFLY, strict=True)}
    heads |= {"span": f"Its {INTERVAL}"} | sums
    written = amounts_as_text(result, list(sums))
    amounts = result.with_columns(**margins)
    cells = result.select("group", line="label").with_columns(
        pl.Series("span", [f"{written(low)} to {written(high)}" for low, high in result.select("low", "high").rows()]),
        *(pl.Series(name, [written(amount) for amount in amounts[name]]) for name in (*margins, *sums)),
    )
    title = f"{result['group'][0]}, quarter by quarter" if strategy else "Difference quarter by quarter"
    layout = laid_out(
        cells.select("group", "line", *heads),
        title=title,
        subtitle=f"{currency}, with the strategy less without it; quarters are three months from the start",
        heads=heads,
        notes=[LADDER_NOTE, f"Interval, present value and sums so far: of the cash contribution. {_SUMS_NOTE}"],
    )
    name = "quarters" if strategy is None else f"quarters-{strategy.replace('_', '-')}"
    subtotals_alone = rows.filter(pl.col("line").is_in(SUBTOTALS)).drop("group")
    return Table(id=name, title=title, layout=layout, twin=subtotals_alone, fold="folded")


def amounts_as_text(rows: pl.DataFrame, amounts: Sequence[str]) -> Written:
    """Return how amounts are written: in whole units of the currency where the largest of them allows it."""
    largest = max(float(abs(amount)) for name in amounts for amount in rows[name].drop_nulls())
    decimals = 0 if largest >= _WHOLE else 2
    # The added zero takes the sign off an amount that is rounded to nothing.
    return lambda amount: localise(f"{round(amount, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS))


def _chosen(periods: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    rows = grouped(check(periods, PERIODS))
    if strategy is None:
        return rows
    known = rows["strategy"].unique(maintain_order=True).to_list()
    if strategy not in known:
        raise TableError(f"PERIODS: no strategy '{strategy}'; {choices(strategy, known)}")
    return rows.filter(pl.col("strategy") == strategy)


def _years(shown: pl.DataFrame) -> list[str]:
    """Return the labels of the years, and that of the total at the end; a single year is the total."""
    labels: list[str] = shown["label"].unique(maintain_order=True).to_list()
    return labels if len(labels) > 2 else labels[-1:]


def _by_line(part: pl.DataFrame) -> dict[str, list[Cell]]:
    """Return the periods of each line."""
    parts = part.partition_by("line", maintain_order=True)
    return {str(one["line"][0]): one.rows(named=True) for one in parts}


def _subtotals(part: pl.DataFrame, written: Written) -> list[list[str]]:
    """Return the rows of one strategy: what is in bold, group, line and one cell per period."""
    lines, group = _by_line(part), str(part["group"][0])
    cash = lines[RESULT]
    rows = [
        ["", group, f"Cash contribution {words.lower()}", *(written(cell[side]) for cell in cash)]
        for side, words in list(_SIDES.items())[:2]
    ]
    for name in SUBTOTALS:
        mark = name if name == RESULT else ""
        rows.append([mark, group, f"Difference in {name}", *(written(cell["incremental"]) for cell in lines[name])])
    return [*rows, _interval(group, cash, written), *_below(group, cash, written)]


def _accounts(part: pl.DataFrame, written: Written) -> list[list[str]]:
    """Return the same with all accounts that have an entry: without the strategy, with it, and the difference."""
    rows = []
    for side, group in _SIDES.items():
        for name, cells in _by_line(part).items():
            if name not in SUBTOTALS and all(cell[any_side] == 0.0 for cell in cells for any_side in _SIDES):
                continue
            rows.append([name, group, name[0].upper() + name[1:], *(written(cell[side]) for cell in cells)])
            if side == "incremental" and name in SUBTOTALS:
                rows.append(_interval(group, cells, written))
    return [*rows, *_below(_SIDES["incremental"], _by_line(part)[RESULT], written)]


def _interval(group: str, cells: Sequence[Cell], written: Written) -> list[str]:
    return ["", group, f"Its {INTERVAL}", *(f"{written(cell['low'])} to {written(cell['high'])}" for cell in cells)]


def _below(group: str, cash: Sequence[Cell], written: Written) -> list[list[str]]:
    """Return present value and sums so far of the difference in cash."""
    return [["", group, words, *(written(cell[name]) for cell in cash)] for name, words in _BELOW.items()]


def _periods_finding(rows: pl.DataFrame) -> str:
    """Return who is ahead at the end; for a single strategy, since when."""
    years = rows.filter((pl.col("line") == RESULT) & (pl.col("grain") == "year"))
    ends = years.group_by("group", maintain_order=True).agg(pl.col("cumulative_discounted").last())
    ahead = ends.filter(pl.col("cumulative_discounted") > 0.0)["group"].to_list()
    behind = ends.filter(pl.col("cumulative_discounted") <= 0.0)["group"].to_list()
    if not ahead:
        nobody = joined(behind) if ends.height == 1 else "no strategy"
        return f"At present value {nobody} brings {'no ' if ends.height == 1 else ''}more cash than doing nothing"
    if ends.height == 1:
        late = years.with_row_index("year", offset=1).filter(pl.col("cumulative_discounted") <= 0.0)["year"].to_list()
        return f"{ahead[0]} is ahead of doing nothing, at present value, from year {max(late, default=0) + 1} on"
    alt_text = f"At present value {joined(ahead)} bring{'s' if len(ahead) == 1 else ''} more cash than doing nothing"
    return f"{alt_text}; {joined(behind)} {'does' if len(behind) == 1 else 'do'} not" if behind else alt_text


_NAMES = {
    "existing": "Existing customers",
    "referred": "Referred by other customers",
    "shared": "Costs that belong to no cohort",
}
_ALL = "All together"
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# Not strftime: its names of the months follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COHORT_MONEY_SIDES = {"baseline": "Without", "treated": "With", "incremental": "Difference"}
# A cohort in which all of these are zero, as customers who are referred where nobody is, is not shown.
_AMOUNTS = ("customers", *_COHORT_MONEY_SIDES, "low", "high")
_HEADS = {
    "customers": "Customers",
    **_COHORT_MONEY_SIDES,
    "interval": f"Its {INTERVAL}",
    "each": "Difference per customer",
}


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

    Raises
    ------
    TableError
        For a table that is not under `COHORT_MONEY`.
    """
    rows = grouped(check(cohort_money, COHORT_MONEY))
    cash = rows.filter(pl.col("line") == RESULT).filter(pl.any_horizontal(pl.col(_AMOUNTS) != 0.0))
    title = _cohort_money_finding(cash)
    layout = laid_out(
        _cells(cash),
        title=title,
        subtitle=f"Cash contribution in {currency}, not discounted, over the whole horizon; means over all draws",
        heads=_HEADS,
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
    ).tab_spanner("Cash contribution", columns=list(_COHORT_MONEY_SIDES))
    return Table(id="cohort-money", title=title, layout=layout, twin=rows.drop("group"))


def _cells(cash: pl.DataFrame) -> pl.DataFrame:
    """Return one row of text per strategy and cohort, and the sum over cohorts below them."""
    written = amounts_as_text(cash, list(_COHORT_MONEY_SIDES))
    each = _each(cash)
    names = ["group", "line", *_HEADS]
    alt_text = []
    for part in cash.partition_by("strategy", maintain_order=True):
        group, people = str(part["group"][0]), float(part["customers"].sum())
        for row in part.rows(named=True):
            sides = (written(row[side]) for side in _COHORT_MONEY_SIDES)
            span = f"{written(row['low'])} to {written(row['high'])}"
            share = each(row["incremental"], row["customers"])
            alt_text.append([group, _name(row["cohort"]), _people(row["customers"]), *sides, span, share])
        sums = {side: float(part[side].sum()) for side in _COHORT_MONEY_SIDES}
        share = each(sums["incremental"], people)
        alt_text.append([group, _ALL, _people(people), *(written(amount) for amount in sums.values()), MISSING, share])
    return pl.DataFrame(alt_text, schema=dict.fromkeys(names, pl.String), orient="row")


def _people(count: float) -> str:
    return localise(f"{count:,.0f}") if count > 0.0 else MISSING


def _each(cash: pl.DataFrame) -> Callable[[float, float], str]:
    """Return how a gain is written per customer, with the same decimals everywhere."""
    found = cash.filter(pl.col("customers") > 0.0).select(pl.col("incremental") / pl.col("customers"))
    together = precision(found.to_series().to_list() or [0.0])
    return lambda gain, people: together.text(gain / people) if people > 0.0 else MISSING


def _name(cohort: str) -> str:
    return _NAMES.get(cohort) or f"New in {_in_words(cohort)}"


def _in_words(months: str) -> str:
    """Return a month, or the first and the last of some, as `Jul to Sep 1998`, which breaks nowhere."""
    found = [(year, _MONTHS[int(month) - 1]) for year, month in _MONTH.findall(months)]
    if not found:
        return months
    *before, (last, end) = found
    starts = [begin if year == last else f"{begin} {year}" for year, begin in before]
    return " to ".join([*starts, f"{end} {last}"]).replace(" ", NBSP)


def _kind(cohort: str) -> str:
    return {"existing": "existing customers", "referred": "referred customers"}.get(cohort, "new customers")


def _cohort_money_finding(cash: pl.DataFrame) -> str:
    """Return whose cash each strategy changes for the better most, strategies with the same answer together."""
    alt_text: dict[str, list[str]] = {}
    for part in cash.filter(pl.col("cohort") != "shared").partition_by("strategy", maintain_order=True):
        sums: dict[str, float] = {}
        for cohort, gain in part.select("cohort", "incremental").iter_rows():
            sums[_kind(cohort)] = sums.get(_kind(cohort), 0.0) + gain
        best = max(sums, key=lambda kind: sums[kind])
        alt_text.setdefault(best if sums[best] > 0.0 else "", []).append(str(part["group"][0]))
    parts = [f"{kind} bring most for {joined(names)}" for kind, names in alt_text.items() if kind]
    if "" in alt_text:
        parts.append(f"no cohort brings more with {joined(alt_text[''])}")
    finding = "; ".join(parts)
    return f"{finding[0].upper()}{finding[1:]}"


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
_ALT_TEXT = 3


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
    return framed(drawn, finding=_benefits_finding(owns), shown=shown, alt_text=_alt_text(steps))


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


def _benefits_finding(owns: list[pl.DataFrame]) -> str:
    """Return how much of the gains of each strategy its takers eat up."""
    shares = {own["name"][0]: _eaten(own) for own in owns}
    eaten = sorted(((share, name) for name, share in shares.items() if share is not None), key=lambda pair: pair[0])
    if not eaten:
        return "No strategy gains by any way" if len(owns) > 1 else f"{next(iter(shares))} gains by no way"
    if len(owns) > _ALT_TEXT:
        (least, first), (most, last) = eaten[0], eaten[-1]
        return f"Costs and giveaways eat up from {_share(least)} of the gains ({first}) to {_share(most)} ({last})"
    alt_text = [f"{_share(share)} for {name}" for name, share in shares.items() if share is not None]
    alt_text[0] = alt_text[0].replace(" for ", " of the gains for ", 1)
    return f"Costs and giveaways eat up {joined(alt_text)}"


def _eaten(own: pl.DataFrame) -> float | None:
    gives, takes = (float(own.filter(kind=kind)["amount"].sum()) for kind in _PARTS)
    return -takes / gives if gives > 0.0 else None


def _share(share: float) -> str:
    return f"{100 * share:.0f}{NBSP}%"


def _alt_text(steps: pl.DataFrame) -> str:
    alt_text = []
    for name, own in steps.group_by("name", maintain_order=True):
        parts = "; ".join(f"{label} {written}" for label, written in own["label", "_written"].rows())
        alt_text.append(f"{name[0]}: {parts}.")
    return " ".join(alt_text)
