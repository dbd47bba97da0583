"""Strategies as investments: tables under RETURNS, INVESTMENT, FAN and LIABILITIES in; returns, cash and debts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.finance.returns import BEYOND, INVESTMENT
from cxsim.finance.statement import FAN
from cxsim.reporting.tables import (
    CURRENCY,
    ERROR,
    MEAN,
    QUANTILES,
    SHARE,
    TAIL,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    chance_of_positive_npv,
    headed,
    interval,
    share_to,
    with_amounts,
)
from cxsim.reporting.theme import (
    FIRST,
    GROUND,
    INK,
    MONTHS,
    Figure,
    by_interval,
    distinct,
    either,
    framed,
    largest,
    least_and_most,
    money_axis,
    months_across,
    named,
    strategy_panels,
    tooltips,
    zero_rule,
)
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.study.business.liabilities import LIABILITIES
from cxsim.tables import RETURNS, WHOLE_HORIZON, check
from cxsim.wording import (
    BADGES,
    INTERVAL,
    MISSING,
    NBSP,
    WORST,
    chance,
    counted,
    figure,
    figure_against,
    in_words,
    joined,
    labelled,
    money,
)

_HEIGHT = 150
_INDENT = 62
# A band is as high as a hand at most: a fourth digit could not be seen.
_DIGITS = 4
# So many points make a curve, and few enough rows to be read out.
_POINTS = 12
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
_BANDS = (("q05", "q95", 0.16), ("q10", "q90", 0.2), ("q25", "q75", 0.28))
# So many strategies are named one by one in a title; of more, their number is.
_NAMED = 3


def investment_table(returns: pl.DataFrame, investment: pl.DataFrame, currency: str) -> Table:
    """Lay out value, chance, return, payback, funding and the risk-adjusted case, one column per strategy.

    Parameters
    ----------
    returns
        Table under `RETURNS`, in the order of the scenario.
    investment
        Table under `INVESTMENT`, with the same strategies in the same order.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        A dash where a figure does not exist; why an internal rate does not is said below. The risk-adjusted case is
        left out where neither benefits nor costs are adjusted. Its twin has one row per strategy.

    Raises
    ------
    TableError
        For tables that are not under `RETURNS` and `INVESTMENT` or not of the same strategies, or rules that differ
        between strategies.
    """
    names = check(returns, RETURNS)["strategy"].to_list()
    others = check(investment, INVESTMENT)["strategy"].to_list()
    if names != others or not names:
        raise TableError(
            f"RETURNS has the strategies {names}, INVESTMENT {others}; they must be the same, at least one."
        )
    twin = returns.hstack(investment.drop("strategy", "title"))
    rules = {name: _rule(twin, name) for name in ("hurdle", "benefit_haircut", "cost_uplift")}
    hurdle = Column(f"Chance of an ROI above {_whole(rules['hurdle'])}", write=chance, group="Risk", estimator=SHARE)
    adjusted = _RISK_ADJUSTED if _adjusts(rules) else {}
    columns = {**_INVESTMENT.columns, "prob_above_hurdle": hurdle, **adjusted}
    return replace(_INVESTMENT, columns=columns).render(twin, currency)


def cash_fan(fan: pl.DataFrame, currency: str) -> Figure:
    """Draw how far the cumulative cash of each strategy spreads, month by month.

    Parameters
    ----------
    fan
        Table under `FAN`, strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy: bands for the 50, 80 and 90 % intervals, mean, median and a rule at zero; not
        discounted.
    """
    month = (pl.col("month") - pl.col("month").min() + 1).cast(pl.Int64)
    months = named(check(fan, FAN)).select("name", "mean", *_QUANTILES, month=month)
    end = max(months["month"])
    # The first month from which the mean stays at or above zero, if any.
    last = pl.col("month").filter(pl.col("mean") < 0.0).max().over("name").fill_null(0)
    months = months.with_columns(back=pl.when(last < end).then(last + 1))
    ring = " Ring: month from which the mean stays above zero." if months["back"].is_not_null().any() else ""
    shown = (
        f"Cumulative cash against the baseline, not discounted, {currency}. Solid line: mean; dashed: median; bands, "
        f"dark to pale: 50, 80 and 90{NBSP}% intervals over all draws.{ring}"
        f"{' Scales differ between panels.' if months['name'].n_unique() > 1 else ''}"
    )
    texts = []
    for name, back, *ends in months.filter(month=end)["name", "back", "mean", "q05", "q95"].rows():
        paid = f"the mean stays above zero from month {back}" if back else "the mean does not stay above zero"
        texts.append(f"{name}: {in_words(*ends, currency=currency)} at the end; {paid}.")
    table = _noted(months, end)
    drawn = strategy_panels(_layers(table, currency, end), table, indent=_INDENT, height=_HEIGHT, x="shared")
    return framed(
        drawn, finding=_fan_finding(months, end), shown=shown, alt_text=" ".join(texts), measures=("cash", QUANTILES)
    )


def liabilities_table(liabilities: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out what the shop owes its customers in points and prepaid fees, rolled forward, and revenue in both views.

    Parameters
    ----------
    liabilities
        Table under `LIABILITIES`; strategies and periods in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One group of lines per strategy and kind, one column per year and one for the whole horizon. The title says
        what is owed at the end. One sentence where no strategy gives points or takes a fee.
    """
    periods = distinct(check(liabilities, LIABILITIES), "period")
    spec = replace(_LIABILITIES, columns=headed(dict(zip(periods, periods, strict=True))))
    return spec.render_or_remark(liabilities, currency)


# A share in whole percent.
_whole = share_to(0)


def _rule(twin: pl.DataFrame, name: str) -> float:
    first, *others = twin[name].unique().sort()
    if others:
        raise TableError(f"INVESTMENT: found several values of {name}: {joined([f'{v:g}' for v in (first, *others)])}.")
    return float(first)


def _adjusts(rules: Row) -> bool:
    return bool(rules["benefit_haircut"] > 0.0 or rules["cost_uplift"] > 0.0)


def _adjustment(rules: Row) -> str:
    cut, rise = _whole(rules["benefit_haircut"]), _whole(rules["cost_uplift"])
    return f"benefits cut by {cut} and costs raised by {rise}"


def _investment_finding(twin: pl.DataFrame) -> str:
    npv, near = pl.col("incremental_npv"), BEYOND * pl.col("npv_mc_error")
    signs = {"clearly positive": npv > near, "clearly negative": npv < -near, "without a clear sign": npv.abs() <= near}
    groups = {words: twin.filter(own)["title"].to_list() for words, own in signs.items()}
    parts = ", ".join(f"{words} for {joined(titles)}" for words, titles in groups.items() if titles)
    finding, rules = f"Expected NPV is {parts}", twin.row(0, named=True)
    if not _adjusts(rules):
        return finding
    holds = joined(twin.filter(pl.col("risk_adjusted_npv") > 0.0)["title"].to_list()) or "none"
    return f"{finding}; with {_adjustment(rules)}, it is positive for {holds}"


def _investment_notes(twin: pl.DataFrame) -> list[str]:
    """Return what a finance reader cannot know of the figures, and why internal rates are missing."""
    rules = twin.row(0, named=True)
    adjusted = "No risk-adjusted case: the shop's economics set neither a cut of benefits nor a rise of costs."
    if _adjusts(rules):
        adjusted = (
            f"Risk-adjusted: mean {_adjustment(rules)}, by the shop's own rule; negative benefits and savings "
            "get worse by the same shares."
        )
    unusual = twin.filter(pl.col("irr_remark") != "one rate").group_by("irr_remark", maintain_order=True).agg("title")
    remarks = [f"IRR of {joined(titles)}: {remark}." for remark, titles in unusual.rows()]
    retained = (
        f"Retained customers: expected value against the baseline in up to {counted(YEARS_AFTER)} years after the "
        f"horizon, when no programme runs; {_COUNTED[rules['after_horizon_rule']]}."
    )
    return [*_NOTES, retained, adjusted, *remarks]


_COUNTED = {"excluded": "not included in any other figure", "included": "included in all other figures"}


_NOTES = (
    (
        "Investment: what the programme spends, including rewards; benefits: NPV plus investment. "
        f"{MISSING}: none, or beyond the horizon."
    ),
    "MIRR: inflows are reinvested at the discount rate.",
    (
        "Payback: the month from which cumulative cash stays at or above zero. Discounted payback and peak funding "
        "need (the lowest cumulative cash, not discounted) rest on mean cash."
    ),
    "±: one standard error of the simulation; pp: percentage points.",
)


def _with_error(
    name: str, write: Callable[[float], str], error: str, write_error: Callable[[float], str], estimator: str
) -> Callable[[Row], str | None]:
    """Return how a figure is written with its simulation error; what it measures is its name without a unit."""
    measured = name.removesuffix("_months")

    def written(row: Row) -> str | None:
        if row[name] is None:
            return None
        text = labelled(write(row[name]), measured, row["strategy"], estimator)
        if row[error] is None:
            return text
        return f"{text} ± {labelled(write_error(row[error]), f'{measured}_error', row['strategy'], ERROR)}"

    return written


def _points(share: float) -> str:
    return f"{figure(100.0 * share, '.1f')}{NBSP}pp"


def _yearly(rate: float) -> str:
    return share_to(1 if abs(rate) < 1.0 else 0)(rate)


_INVESTMENT = TableSpec(
    id="returns",
    title=_investment_finding,
    subtitle="Against the baseline; present values in today's {currency}",
    across="strategy",
    line="title",
    columns={
        "decision": Column("Recommendation", write=BADGES.__getitem__, group="Value"),
        "npv": Column("Expected NPV, {currency}", "incremental_npv", error="npv_mc_error", group="Value"),
        "npv_interval": Column(f"NPV, {INTERVAL}", interval("npv_low", "npv_high"), group="Value", estimator=QUANTILES),
        "benefits": Column("Benefits, {currency}", "benefits_pv", group="Value"),
        "investment": Column("Investment, {currency}", group="Value"),
        "after_horizon": Column("Retained customers, {currency}", group="After the horizon"),
        "after_horizon_interval": Column(
            INTERVAL.capitalize(),
            interval("after_horizon_low", "after_horizon_high"),
            group="After the horizon",
            estimator=QUANTILES,
        ),
        "prob_npv_positive": Column("Chance of a positive NPV", chance_of_positive_npv, group="Risk"),
        # Its head names the hurdle.
        "prob_above_hurdle": Column("", group="Risk"),
        "prob_payback": Column("Chance of payback within the horizon", write=chance, group="Risk", estimator=SHARE),
        "cvar": Column(
            f"Expected NPV in the {WORST} (CVaR), {{currency}}", error="cvar_mc_error", group="Risk", estimator=TAIL
        ),
        "peak_funding": Column("Peak funding need, {currency}", group="Risk"),
        "roi": Column(
            "Return on investment (ROI)", _with_error("roi", _whole, "roi_mc_error", _points, MEAN), group="Return"
        ),
        "roi_interval": Column(
            f"ROI, {INTERVAL}",
            lambda row: None if row["roi"] is None else " to ".join(map(_whole, (row["roi_low"], row["roi_high"]))),
            group="Return",
            estimator=QUANTILES,
        ),
        "benefits_per_investment": Column(
            "Profitability index (benefits / investment)",
            "profitability_index",
            lambda index: figure_against(index, 1.0, 2),
            group="Return",
        ),
        "irr": Column("IRR, per year", write=_yearly, group="Return"),
        "mirr": Column("Modified IRR (MIRR), per year", write=_yearly, group="Return"),
        "payback": Column(
            "Median payback, months",
            _with_error("payback_months", figure, "payback_mc_error", lambda error: figure(error, ".1f"), "median"),
            group="Payback",
        ),
        "payback_months_late": Column(
            f"Payback in 90{NBSP}% of draws, months", write=figure, group="Payback", estimator=QUANTILES
        ),
        "discounted_payback_months": Column("Discounted payback, months", write=figure, group="Payback"),
    },
    notes=_investment_notes,
    estimator=MEAN,
)
_RISK_ADJUSTED = {
    "risk_adjusted_npv": Column("Risk-adjusted NPV, {currency}", group="Risk-adjusted", estimator="rule"),
    "risk_adjusted_roi": Column("Risk-adjusted ROI", write=_whole, group="Risk-adjusted", estimator="rule"),
}


def _noted(months: pl.DataFrame, end: int) -> pl.DataFrame:
    """Return what is drawn: months as a listener can follow, the words of each heading, the mark of the payback.

    Kept are every few months, those of the ends, that of the least mean and that of the payback.
    """
    paid = pl.col("month").eq_missing(pl.col("back"))
    least = pl.col("mean") == pl.col("mean").min().over("name")
    every = (pl.col("month") % -(-end // _POINTS) == 0) | pl.col("month").is_in([1, end])
    never, not_yet = pl.lit("Mean is never below zero"), pl.lit(f"Mean does not stay above zero within {end} months")
    note = pl.coalesce(pl.when(back=1).then(never), pl.format("Mean stays above zero from month {}", "back"), not_yet)
    return (
        months.filter(every | least | paid)
        .with_columns(pl.col("mean", *_QUANTILES).round_sig_figs(_DIGITS), _note=note, _back=paid)
        .drop("back")
    )


def _layers(drawn: pl.DataFrame, currency: str, end: int) -> list[alt.Chart]:
    title = f"Cumulative cash, {currency}"
    months, amounts = months_across(end), money_axis(title, largest=largest(drawn, ("q05", "q95")))
    amounts.tickCount = 4

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", axis=alt.Axis(title=title))

    # Axes are set once, by the first layer, and colours by the headings; the others share them.
    curve = alt.Chart().encode(x=alt.X("month:Q", title=MONTHS))
    coloured = curve.encode(color=alt.Color("name:N", legend=None))
    widest, *bands = (
        coloured.mark_area(opacity=opacity, aria=False).encode(y=y(low), y2=f"{high}:Q")
        for low, high, opacity in _BANDS
    )
    mean = coloured.encode(y=y("mean"))
    median = curve.mark_line(color=INK, strokeWidth=1.2, strokeDash=[5, 3], aria=False)
    # The table of the figure's data takes its heads from here.
    tips = {"name:N": "Programme", "month:I": "Month", "mean:Q": "Mean"}
    tips |= {f"{name}:Q": "Median" if name == "q50" else f"{int(name[1:])}{NBSP}% quantile" for name in _QUANTILES}
    # The first month is kept, unseen: of a layer without rows, whose scale has no extent, browsers complain.
    back = curve.encode(y=y("mean")).transform_filter(f"datum._back || {FIRST}")
    ring = back.mark_point(size=90, fill=GROUND, stroke=INK, strokeWidth=2, aria=False)
    return [
        widest.encode(x=months, y=alt.Y("q05:Q", axis=amounts)),
        *bands,
        zero_rule("y"),
        median.encode(y=y("q50")),
        mean.mark_line(strokeWidth=2.5, aria=False),
        mean.mark_point(filled=True, size=18, opacity=1, aria=False).encode(tooltip=tooltips(tips)),
        ring.encode(opacity=either("datum._back", 1.0, 0.0)),
    ]


def _fan_finding(months: pl.DataFrame, end: int) -> str:
    last = months.filter(month=end).select("name", low="q05", high="q95")
    states = by_interval(last, ("above zero", "includes zero", "below zero"), _NAMED)
    places = "; ".join(f"{state} for {who}" for state, who in states)
    return f"Cumulative cash after {labelled(figure(end), 'horizon')} months, {INTERVAL}: {places}"


# Columns by the lines that show them.
_LINES = {
    "points": {
        "Points at face value: opening balance": "opening",
        "Issued": "issued",
        "Redeemed": "redeemed",
        "Expired": "expired",
        "Points at face value: closing balance": "closing",
        "Number of points outstanding": "points_outstanding",
        "Contract liability: opening balance": "contract_opening",
        "Revenue deferred": "contract_deferred",
        "Revenue recognised": "contract_recognised",
        "Contract liability: closing balance": "contract_closing",
        "Members' payments less refunds (cash view)": "cash_revenue",
        "Members' revenue (accrual view)": "accrual_revenue",
    },
    "fees": {
        "Contract liability: opening balance": "contract_opening",
        "Fees received": "contract_deferred",
        "Revenue recognised": "contract_recognised",
        "Contract liability: closing balance": "contract_closing",
        "Fees received (cash view)": "cash_revenue",
        "Revenue from fees (accrual view)": "accrual_revenue",
    },
}
# What leaves a balance is shown below zero; balances and results are in bold.
_LEAVING = ("redeemed", "expired", "contract_recognised")
_BALANCES = ("closing", "contract_closing", "accrual_revenue")
_KINDS = {"points": "points", "fees": "prepaid fees"}


def _lines(liabilities: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield one row per strategy, kind and line, with one amount per period."""
    for (_, kind), part in liabilities.group_by("strategy", "kind", maintain_order=True):
        group = f"{part['title'][0]}: {_KINDS[str(kind)]}"
        for line, column in _LINES[str(kind)].items():
            amounts = part[column] * (-1.0 if column in _LEAVING else 1.0)
            yield {"group": group, "line": line, "column": column, **dict(zip(part["period"], amounts, strict=True))}


def _liabilities_finding(liabilities: pl.DataFrame) -> str:
    end = liabilities.filter(period=WHOLE_HORIZON).group_by("strategy", "title", maintain_order=True)
    owed = end.agg(pl.col("contract_closing", "closing").sum()).drop("strategy")
    most = least_and_most(owed, "contract_closing")[1]
    few = owed.height <= _NAMED
    shown = owed.rows() if few else [most]
    words = joined([f"{money(amount, CURRENCY)} with {title}" for title, amount, _ in shown])
    at_most = ""
    if owed.height == 1 and "points" in liabilities["kind"]:
        at_most = f" ({money(most[2], CURRENCY)} if every point is redeemed)"
    opening = "Contract liability" if few else "Largest contract liability"
    return f"{opening} at the end of the horizon (IFRS 15): {words}{at_most}"


def _liabilities_notes(liabilities: pl.DataFrame) -> list[str]:
    """Return what to know of the kinds of debt that there are, and of both views."""
    return [
        (
            "Contract liability: what customers have already paid for goods and services still to be delivered (IFRS "
            "15; in the United States ASC 606)."
        ),
        *(note for kind, note in _OF_KIND.items() if kind in liabilities["kind"]),
        "The two views differ in timing only; NPV rests on cash.",
    ]


_OF_KIND = {
    "points": (
        "The liability excludes points expected to expire (breakage). It defers the share of each payment allocated to "
        "points, by relative stand-alone prices, until redemption. Face value: what all points would take off orders."
    ),
    "fees": "Fees become revenue evenly over the period that they cover.",
}


_LIABILITIES = TableSpec(
    id="liabilities",
    title=_liabilities_finding,
    subtitle=lambda table: (
        f"{CURRENCY}{', except the number of points' if 'points' in table['kind'] else ''}, not discounted; "
        "means over all draws"
    ),
    # One column per period.
    columns={},
    rows=lambda table: with_amounts(list(_lines(table)), distinct(table, "period")),
    group="group",
    line="line",
    bold=lambda row: row["column"] in _BALANCES,
    notes=_liabilities_notes,
    empty=(
        "None of the programmes issues points or takes fees in advance: there is no liability to customers, and "
        "revenue is the same in the cash view and the accrual view."
    ),
)
