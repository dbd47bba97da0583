"""The profit and loss of each strategy against the baseline: its sums, and the volumes and prices behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.finance.statement import COHORT_MONEY, PERIODS
from cxsim.params import CENTS, Unit
from cxsim.reporting.tables import (
    CENTRAL,
    CURRENCY,
    MEAN,
    RESULT,
    SUBTOTALS,
    Column,
    Row,
    Table,
    TableSpec,
    amounts_as_text,
    as_written,
    capitalised,
    headed,
    share_to,
    strategy_name,
    with_amounts,
)
from cxsim.reporting.theme import (
    COLUMN,
    INK,
    Figure,
    balanced,
    distinct,
    either,
    framed,
    in_chart,
    in_order,
    largest,
    least_and_most,
    lines_beside,
    money_axis,
    named,
    names_of,
    read_out_by_name,
    rimmed,
    rounded,
    strategy_colour,
    strategy_panels,
    subject,
    tooltips,
    with_texts,
    zero_rule,
)
from cxsim.study.business.base_case import MONEY, PRICES, VOLUMES
from cxsim.study.business.pathways import PATHWAYS
from cxsim.tables import TOTALS, WHOLE_HORIZON, check
from cxsim.wording import (
    INTERVAL,
    NBSP,
    figure,
    figure_against,
    joined,
    labelled,
    money,
    number,
    precision,
    priced,
)

_SIDES = ("baseline", "treated", "incremental")
_HEADS = ("No programme", "With the programme", "Difference")
# Rows below the ladder, about the difference in its last line.
_BELOW = {
    "discounted": "Difference in cash, present value",
    "cumulative": "Difference in cash, cumulative",
    "cumulative_discounted": "Difference in cash, cumulative present value",
}
_COHORTS = {
    "existing": "Existing customers",
    "referred": "Referred customers",
    "shared": "Costs not allocated to a cohort",
    "all": "Total",
}
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# The year of the first month, where the last month has the same.
_SAME_YEAR, _ONCE = re.compile(r" (\d{4})( to \w+ \1)"), r"\2"
# Not strftime: its names of the months follow the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CHARACTERS = 38
_ROW = 30
# Width for the amount beside a bar, in pixels.
_ENDS = 54
# Each sum of a waterfall, and the kinds that lead to it.
_ESTIMATORS = {"base": CENTRAL, "mean": MEAN}
_LEADS_TO = {"base": ("gives", "takes"), "mean": ("base", "uncertainty")}
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
    years = distinct(check(totals, TOTALS), "period")
    years.remove(WHOLE_HORIZON)
    difference = dict(zip(years, years, strict=True)) | {"incremental": WHOLE_HORIZON}
    heads = dict(zip(_SIDES, _HEADS, strict=True)) | difference | {"low": "from", "high": "to"}
    spanners = {_HEADS[-1]: list(difference), INTERVAL.capitalize(): ["low", "high"]}
    return replace(_STATEMENT, columns=headed(heads), spanners=spanners).render(totals, currency)


def periods_table(periods: pl.DataFrame, currency: str) -> Table:
    """Lay out the statement without each strategy, with it, and the difference, by year and in total.

    Parameters
    ----------
    periods
        Table under `PERIODS`; strategies, periods and lines in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One column per year and one for the total: subtotals of the ladder, and below them, of the difference in cash,
        its present value and both cumulative sums. A page links to its twin alone, which holds every account, months
        and quarters too, with the interval of each line.
    """
    labels = _labels(check(periods, PERIODS))
    return replace(_PERIODS, columns=headed(dict(zip(labels, labels, strict=True)))).render(periods, currency)


def quarters_table(periods: pl.DataFrame, currency: str) -> Table:
    """Lay out the difference that each strategy makes quarter by quarter.

    Parameters
    ----------
    periods, currency
        As in `periods_table`.

    Returns
    -------
    Table
        One row per strategy and quarter, folded under its title: cash with its interval, its present value and its sum
        so far. The twin holds every subtotal, without and with the strategy too.
    """
    subtotals = pl.col("line").is_in(SUBTOTALS)
    return _QUARTERS.render(check(periods, PERIODS).filter(subtotals, grain="quarter"), currency)


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
        and with it, and the difference with its interval. A page links to its twin alone, which holds every account of
        every cohort.
    """
    return _COHORT_MONEY.render(cohort_money, currency)


def volumes_table(volumes: pl.DataFrame, currency: str) -> Table:
    """Lay out what happens in the base case without each strategy and with it, as far as money depends on it.

    Parameters
    ----------
    volumes
        Table under `VOLUMES`, the baseline first.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and volume: sums over the horizon, means over worlds. A page links to its twin alone, which
        holds every month, as sums over the worlds.
    """
    return _VOLUMES.render(volumes, currency)


def prices_table(prices: pl.DataFrame, currency: str) -> Table:
    """Lay out what one of each volume of the base case adds to which account.

    Parameters
    ----------
    prices
        Table under `PRICES`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per account and volume. A page links to its twin alone, which names the numbers of the register from
        which a price is worked out.
    """
    return _PRICES.render(prices, currency)


def benefit_waterfall(pathways: pl.DataFrame, currency: str) -> Figure:
    """Draw the gross benefit of each strategy by pathway, its costs and rewards, and its net present value.

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
    owns = in_order(table, "name", ["step"]).partition_by("name", maintain_order=True)
    steps = rounded(pl.concat(_steps(own, currency) for own in owns))
    shown = (
        f"Present values against the baseline, {currency}. Full bars add, hollow bars subtract, dark bars are totals: "
        "the base case and the mean, whose interval is in the cards. Rewards include outstanding points."
    )
    drawn = strategy_panels(_layers(steps, currency), steps, height=alt.Step(_ROW))
    return framed(
        drawn,
        finding=_benefits_finding(table),
        shown=shown,
        alt_text=read_out_by_name(steps, "{label} {_written}"),
        measures=("npv_by_pathway", CENTRAL),
    )


def _statement_finding(totals: pl.DataFrame) -> str:
    """Return by how much each strategy changes the cash contribution, written as in the table."""
    write = amounts_as_text([largest(totals, _SIDES)])
    cash = named(totals.filter(line=RESULT, period=WHOLE_HORIZON))["name", "incremental"].rows()
    parts = [f"{priced(write(amount), CURRENCY)} with {name}" for name, amount in cash]
    return f"Change in expected cash contribution: {joined(parts)}"


def _ladder(totals: pl.DataFrame) -> Sequence[Row]:
    """Return one row per strategy and line, with the difference of each year beside the total."""
    key, amounts = ["strategy", "line"], [*_SIDES, "low", "high"]
    years = totals.filter(pl.col("period") != WHOLE_HORIZON).pivot("period", index=key, values="incremental")
    rows = named(totals.filter(_HAS_ENTRY, period=WHOLE_HORIZON)).join(years, on=key, how="left", maintain_order="left")
    return with_amounts(rows.rows(named=True), [*amounts, *years.columns[len(key) :]])


# Accounts without any entry are left out.
_HAS_ENTRY = pl.col("line").is_in(SUBTOTALS) | pl.any_horizontal(pl.col(*_SIDES) != 0.0)
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
        "Costs are negative. Each subtotal, in bold, includes all lines above it.",
        "Points still outstanding are settled in the last month.",
    ),
)


def _labels(periods: pl.DataFrame) -> list[str]:
    """Return the labels of the years, and that of the total at the end; a single year is the total."""
    labels = distinct(periods.filter(_YEARLY), "label")
    return labels if len(labels) > 2 else labels[-1:]


def _written(table: pl.DataFrame, columns: Sequence[str], of: Sequence[str]) -> pl.DataFrame:
    """Return the table with amounts in text, in whole units where the largest of some allows it, and their `span`."""
    write = amounts_as_text([largest(table, of)])
    texts = table.with_columns(pl.col(*columns, "low", "high").map_elements(write, return_dtype=pl.String))
    return texts.with_columns(span=pl.format("{} to {}", "low", "high"))


def _subtotals(periods: pl.DataFrame) -> list[dict[str, str]]:
    """Return of each strategy the cash without it and with it, and the differences in the subtotals."""
    texts = named(_written(periods.filter(_YEARLY), [*_SIDES, *_BELOW], _SIDES))
    rows = []
    for own in texts.filter(pl.col("label").is_in(_labels(periods))).partition_by("name", maintain_order=True):
        for line, measure, words in _OVERVIEW:
            cells = own.filter(line=line)["label", measure].rows()
            rows.append({"group": own["name"][0], "line": words, **dict(cells)})
    return rows


# Line, measure and words of each row of the overview.
_OVERVIEW = (
    (RESULT, "baseline", "Cash contribution, no programme"),
    (RESULT, "treated", "Cash contribution with the programme"),
    *((line, "incremental", f"Difference in {line}") for line in SUBTOTALS),
    (RESULT, "span", f"Difference in {RESULT}, {INTERVAL}"),
    *((RESULT, measure, words) for measure, words in _BELOW.items()),
)
_YEARLY = pl.col("grain").is_in(["year", "total"])


def _periods_finding(periods: pl.DataFrame) -> str:
    """Return by how much each strategy changes the present value of cash."""
    years = named(periods.filter(line=RESULT, grain="year"))
    ends = years.group_by("name", maintain_order=True).agg(pl.col("cumulative_discounted").last()).rows()
    parts = [f"{money(end, CURRENCY)} with {name}" for name, end in ends]
    return f"Change in the present value of cash: {joined(parts)}"


_PERIODS = TableSpec(
    id="periods",
    title=_periods_finding,
    subtitle=f"{{currency}}, not discounted unless stated; means over all draws, and {INTERVAL}s",
    # One column per year, and one for the total.
    columns={},
    rows=_subtotals,
    group="group",
    line="line",
    bold=lambda row: row["line"] == f"Difference in {RESULT}",
    notes=("Costs are negative. The statement shows the accounts behind each subtotal.",),
    fold="linked",
)


_QUARTERS = TableSpec(
    id="quarters",
    title="Cash contribution by quarter",
    subtitle="{currency}, difference from the baseline; quarters are three months from the start",
    rows=lambda table: _written(table.filter(line=RESULT), ["incremental", *_BELOW], list(_BELOW)).rows(named=True),
    group=strategy_name,
    line="label",
    columns=headed(
        {
            "incremental": "Cash contribution",
            "span": INTERVAL.capitalize(),
            "discounted": "Present value",
            "cumulative": "Cumulative",
        }
    ),
    fold="folded",
)


def _cash(cohort_money: pl.DataFrame) -> pl.DataFrame:
    """Return the cash of each cohort, but of those where all is zero, as customers who are referred where nobody is."""
    amounts = pl.any_horizontal(pl.col("customers", *_SIDES, "low", "high") != 0.0)
    return named(cohort_money.filter(line=RESULT).filter(amounts))


def _by_cohort(cohort_money: pl.DataFrame) -> Sequence[Row]:
    """Return one row per strategy and cohort, and the sum over cohorts below them."""
    cash = _cash(cohort_money)
    sums = cash.group_by("strategy", "name", maintain_order=True).agg(pl.col("customers", *_SIDES).sum())
    rows = pl.concat([cash, sums.with_columns(cohort=pl.lit("all"))], how="diagonal")
    people = pl.when(pl.col("customers") > 0.0).then("customers")
    rows = rows.with_columns(customers=people, each=pl.col("incremental") / people)
    each = precision(rows.filter(pl.col("cohort") != "all")["each"].drop_nulls().to_list() or [0.0])
    texts = in_order(rows, "strategy").with_columns(pl.col("each").map_elements(each.text, return_dtype=pl.String))
    return _written(texts, _SIDES, _SIDES).rows(named=True)


def _cohort(cohort: str) -> str:
    """Return a cohort in words; its months, the first and the last of some, as `Jul to Sep 1998`, break nowhere."""
    if cohort in _COHORTS:
        return _COHORTS[cohort]
    months = _MONTH.sub(lambda found: f"{_MONTHS[int(found[2]) - 1]} {found[1]}", cohort)
    return f"New in {_SAME_YEAR.sub(_ONCE, months).replace(' ', NBSP)}"


def _cohort_finding(cohort_money: pl.DataFrame) -> str:
    """Return whose cash each strategy changes for the better most, strategies with the same answer together."""
    kinds = {"existing": "existing customers", "referred": "referred customers"}
    kind = pl.col("cohort").replace_strict(kinds, default="new customers")
    cash = _cash(cohort_money).filter(pl.col("cohort") != "shared").with_columns(kind=kind)
    sums = cash.group_by("strategy", "name", "kind", maintain_order=True).agg(pl.col("incremental").sum())
    best = sums.group_by("strategy", maintain_order=True).agg(pl.all().get(pl.col("incremental").arg_max()))
    gains = pl.col("incremental") > 0.0
    answers = best.filter(gains).group_by("kind", maintain_order=True).agg("name").rows()
    parts = [f"{kind} contribute the largest cash gain with {joined(names)}" for kind, names in answers]
    if none := names_of(best.filter(~gains)):
        parts.append(f"with {joined(none)}, no customer group has a positive cash difference")
    return capitalised("; ".join(parts))


_COHORT_MONEY = TableSpec(
    id="cohort-money",
    contract=COHORT_MONEY,
    title=_cohort_finding,
    subtitle="Cash contribution in {currency}, not discounted, over the whole horizon; means over all draws",
    rows=_by_cohort,
    group="name",
    line=lambda row: _cohort(row["cohort"]),
    columns={"customers": Column("Customers", write=figure)}
    | headed(dict(zip(_SIDES, _HEADS, strict=True)))
    | headed({"span": INTERVAL.capitalize(), "each": "Difference per customer"}),
    spanners={"Cash contribution": list(_SIDES)},
    notes=(
        (
            "Cohort: existing customers, or new customers of the same months. Customers: their number without any "
            "programme."
        ),
        "The interval of the total is in the statement.",
    ),
    fold="linked",
)


def _volumes(volumes: pl.DataFrame) -> Sequence[Row]:
    """Return one row per strategy and volume: what it comes to over the horizon, without the strategy and with it."""
    per_unit = pl.when(unit=MONEY).then(CENTS).otherwise(1)
    sums = volumes.group_by("arm", "volume", "unit", maintain_order=True).agg(
        amount=(pl.col("total") / pl.col("worlds") / per_unit).sum()
    )
    arms, amounts = distinct(sums, "arm"), {(arm, volume): amount for arm, volume, _, amount in sums.rows()}
    rows = []
    for strategy, volume, unit, treated in sums.filter(pl.col("arm") != arms[0]).rows():
        baseline = amounts.get((arms[0], volume), 0.0)
        row = {"strategy": strategy, "volume": volume, "unit": unit, "baseline": baseline, "treated": treated}
        if baseline or treated:
            rows.append(row | {"incremental": treated - baseline})
    return with_amounts(rows, _SIDES)


def _price(row: Row) -> str:
    signed = row["sign"] * row["amount"]
    return share_to(2)(signed) if row["unit"] == MONEY else as_written(signed, Unit.MONEY, currency=row["currency"])


_VOLUMES = TableSpec(
    id="model-volumes",
    title="Base-case volumes with each programme and without",
    subtitle="Totals over the horizon; means over the runs of the base case. Money in {currency}",
    contract=VOLUMES,
    rows=_volumes,
    group=strategy_name,
    line="volume",
    columns={"unit": Column("Unit", lambda row: row["currency"] if row["unit"] == MONEY else "", align="text")}
    | headed(dict(zip(_SIDES, _HEADS, strict=True))),
    notes=("A volume that names a programme counts that programme alone.",),
    fold="linked",
)
_PRICES = TableSpec(
    id="model-prices",
    title="Base-case unit prices: what each volume adds to an account",
    subtitle="{currency} per unit, or a share of a volume in {currency}; costs are negative",
    contract=PRICES,
    group=lambda row: capitalised(row["account"]),
    line="volume",
    columns={"amount": Column("Price", _price)},
    notes=("Volumes times prices give the accounts of the base case.",),
    fold="linked",
)


def _steps(own: pl.DataFrame, currency: str) -> pl.DataFrame:
    total, amount = pl.col("kind").is_in(_LEADS_TO), pl.col("amount")
    moved = pl.when(total).then(0.0).otherwise("amount")
    kind = pl.when(total).then(pl.lit("sum")).when(amount > 0.0).then(pl.lit("adds")).otherwise(pl.lit("subtracts"))
    start = pl.when(total).then(0.0).otherwise(moved.cum_sum() - moved)
    steps = own.filter((amount != 0.0) | total)
    steps = steps.with_columns(kind=kind, leads_to="kind", _start=start, _end=start + amount)
    texts = with_texts(
        steps,
        {
            "_written": _amount,
            "_label": lambda row: "\n".join(balanced(row["label"], _CHARACTERS)),
        },
    )
    return texts.select(
        "name",
        pl.int_range(1, pl.len() + 1).alias("step"),
        *("label", "kind", "amount", "_written", "_label", "_start", "_end"),
        _edge=pl.max_horizontal("_start", "_end"),
        _note=pl.lit(
            in_chart(f"Expected NPV: {labelled(money(_mean(own), currency), 'npv', own['strategy'][0], MEAN)}")
        ),
    )


def _amount(row: Row) -> str:
    if row["leads_to"] in _ESTIMATORS:
        return in_chart(labelled(number(row["amount"]), "npv", row["strategy"], _ESTIMATORS[row["leads_to"]]))
    return f"{'+' if row['kind'] == 'adds' else ''}{number(row['amount'])}"


def _mean(own: pl.DataFrame) -> float:
    """Return the mean, after making sure that the parts lead to the base case, and that to the mean."""
    name, kind = own["name"][0], pl.col("kind")
    for leads_to, parts in _LEADS_TO.items():
        sums = own.filter(kind == leads_to)["amount"]
        if len(sums) != 1:
            raise TableError(f"PATHWAYS: '{name}' has {len(sums)} rows of kind '{leads_to}'; one is needed.")
        reached = float(own.filter(kind.is_in(parts))["amount"].sum())
        if abs(reached - sums[0]) > _ROUNDING * largest(own, ["amount"]):
            raise TableError(
                f"PATHWAYS: the parts of '{name}' add up to {reached:,.2f}; its {leads_to} is {sums[0]:,.2f}."
            )
    return float(sums[0])


def _layers(steps: pl.DataFrame, currency: str) -> list[alt.Chart]:
    title = f"Present value, {currency}"
    axis = money_axis(title, largest=largest(steps, ("_start", "_end")))
    x = alt.X("_start:Q", axis=axis, scale=alt.Scale(padding=_ENDS, nice=False))
    tips = {"name:N": "Programme", "step:I": "Step", "label:N": "Part", "kind:N": "Kind", "amount:Q": title}
    drawn = alt.Chart().encode(y=alt.Y("step:O", axis=None))
    hollow = either("datum.kind === 'subtracts'", 0.0, 1.0)
    fill = alt.condition("datum.kind === 'sum'", alt.value(INK), strategy_colour(names_of(steps)))
    bar = drawn.mark_bar(height=17, strokeWidth=1.6, aria=False).encode(x=x, x2="_end:Q", tooltip=tooltips(tips))
    amounts = drawn.encode(x=alt.X("_edge:Q", title=title), text="_written:N")
    return [
        bar.encode(fill=fill, stroke=fill, fillOpacity=hollow),
        zero_rule("x"),
        lines_beside(drawn, indent=COLUMN),
        *rimmed(amounts, align="left", gap=6),
    ]


def _benefits_finding(pathways: pl.DataFrame) -> str:
    """Return which share of the gross benefit of each strategy costs and rewards take."""
    gives, takes = (pl.col("amount").filter(kind=kind).sum() for kind in ("gives", "takes"))
    share = pl.when(gives > 0.0).then(-takes / gives)
    shares = pathways.group_by("strategy", "name", maintain_order=True).agg(share=share)
    taken = shares.drop_nulls()

    def said(strategy: str, share: float) -> str:
        words = f"{figure_against(100.0 * share, 100.0)}{NBSP}%"
        return labelled(words, "share_of_gross_benefit", strategy, CENTRAL)

    if taken.is_empty():
        return f"{subject(names_of(shares), 'has', 'have')} no positive effects"
    if shares.height > _NAMED:
        (one, first, least), (other, last, most) = least_and_most(taken, "share")
        ends = f"{said(one, least)} ({first}) to {said(other, most)} ({last})"
        return f"In the base case, costs, rewards, discounts and negative effects equal {ends} of the positive effects"
    parts = [f"{said(strategy, share)} for {name}" for strategy, name, share in taken.rows()]
    opening = "In the base case, costs, rewards, discounts and negative effects equal"
    return f"{opening} {joined(parts)}".replace(" for ", " of the positive effects for ", 1)
