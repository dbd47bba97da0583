"""Strategies as investments: tables under RETURNS and INVESTMENT go in, all their figures side by side come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl
from great_tables import loc, style

from cxsim.errors import TableError
from cxsim.finance.contracts import FAN, INVESTMENT, LIABILITIES
from cxsim.reporting.tables import BADGES, Prose, Table, laid_out, remark, written
from cxsim.reporting.theme import INK, WIDTH, Figure, colours, framed, headings, money_axis, named, names_of, panels
from cxsim.tables import RETURNS, WHOLE_HORIZON, check
from cxsim.wording import (
    INTERVAL,
    MINUS,
    MISSING,
    NBSP,
    Precision,
    in_words,
    joined,
    localise,
    money,
    number,
    percent,
    precision,
)

_INTERVAL_80 = f"80{NBSP}% interval"
_NOTES = (
    (
        "Net present value: all that the strategy changes, later amounts counted for less at the discount rate. "
        "Outlay: what the strategy spends; benefits: the rest. Both at present value."
    ),
    "Mean of the worst tenth: of the tenth of the draws with the lowest net present value; also called CVaR.",
    (
        f"Return on outlay: net present value per unit of outlay. Breaks even: the outlay for which the same gain "
        f"would just pay; {MISSING} without outlay."
    ),
    (
        "Internal rate of return (IRR): the yearly discount rate at which the net present value is zero. Modified rate "
        "(MIRR): the same if income is invested at the discount rate; there is never more than one."
    ),
    (
        "Profitability index: present value of all that comes after the money put in, per unit of it; above 1 where "
        "the net present value is above zero."
    ),
    (
        f"Payback: when cumulative cash is back at zero to stay there; {MISSING} if not within the horizon. Discounted "
        "payback: the same with later cash counted for less, on average over the draws."
    ),
    "Money tied up: how far cumulative cash, on average over the draws and not discounted, ever falls below zero.",
    (
        "±: simulation error, the standard error that comes from the limited number of draws. Figures with neither "
        "± nor interval are exact: counts of draws, or computed from the mean over all draws."
    ),
)


def investment_table(returns: pl.DataFrame, investment: pl.DataFrame, currency: str) -> Table:
    """Lay out worth, chance, return, time, money tied up and the risk-adjusted case, one column per strategy.

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
    rows = twin.rows(named=True)
    rules = {name: _rule(twin, name) for name in ("hurdle", "benefit_haircut", "cost_uplift")}
    heads = {f"strategy_{place}": str(row["title"]) for place, row in enumerate(rows, start=1)}
    columns = [_figures(row, currency, rules) for row in rows]
    cells = pl.DataFrame(
        {
            "group": [group for group, _ in columns[0]],
            "line": [line for _, line in columns[0]],
            **{name: list(column.values()) for name, column in zip(heads, columns, strict=True)},
        }
    )
    title = _finding(rows, rules)
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Against doing nothing; present values in today's {currency}",
        heads=heads,
        notes=[*_NOTES, _of_adjustment(rules), *_remarks(rows)],
    )
    return Table(id="returns", title=title, layout=layout, twin=twin)


def _rule(twin: pl.DataFrame, name: str) -> float:
    values = twin[name].unique().sort().to_list()
    if len(values) > 1:
        raise TableError(f"INVESTMENT: found several values of {name}: {joined([f'{value:g}' for value in values])}.")
    return float(values[0])


def _figures(row: Mapping[str, Any], currency: str, rules: Mapping[str, float]) -> dict[tuple[str, str], str]:
    """Return the cells of one strategy by group and line."""
    groups = {
        "Decision": {"What the rule says": BADGES.get(row["decision"], row["decision"])},
        "Worth": _worth(row, currency),
        "Chance": {
            "Of a gain": f"{percent(row['prob_npv_positive'])} ± {_error(100 * row['prob_mc_error'])}",
            f"Of a return on outlay above {_share(rules['hurdle'])}": _chance(row["prob_above_hurdle"]),
            "Of payback within the horizon": percent(row["prob_payback"]),
        },
        "Return": _return(row),
        "Time": {
            "Payback in half of the draws, months": _with_error(
                _months(row["payback_months"]), row["payback_mc_error"], 1.0
            ),
            "Payback in nine draws of ten, months": _months(row["payback_months_late"]),
            "Discounted payback, months": _months(row["discounted_payback_months"]),
        },
        "Money tied up": {f"At the worst moment, {currency}": number(row["peak_funding"])},
        "Risk-adjusted": _adjusted(row, currency) if _adjusts(rules) else {},
    }
    return {(group, line): text for group, lines in groups.items() for line, text in lines.items()}


def _worth(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    names = ("incremental_npv", "npv_low", "npv_high", "npv_low_80", "npv_high_80", "cvar", "benefits_pv", "costs_pv")
    together = precision([row[name] for name in names])
    return {
        f"Net present value, {currency}": f"{together.text(row['incremental_npv'])} ± {number(row['npv_mc_error'])}",
        f"Its {_INTERVAL_80}": _between(together, row["npv_low_80"], row["npv_high_80"]),
        f"Its {INTERVAL}": _between(together, row["npv_low"], row["npv_high"]),
        f"Mean of the worst tenth, {currency}": f"{together.text(row['cvar'])} ± {number(row['cvar_mc_error'])}",
        f"Benefits, {currency}": together.text(row["benefits_pv"]),
        f"Outlay (costs), {currency}": together.text(row["costs_pv"]),
        f"Net present value per customer, {currency}": number(row["npv_per_customer"]),
    }


def _return(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "On outlay": _with_error(_share(row["roi"]), row["roi_mc_error"], 100.0),
        f"On outlay, {INTERVAL}": _span(row["roi_low"], row["roi_high"]),
        "Breaks even at, of the planned outlay": _share(row["break_even_scale"]),
        "Internal rate (IRR), per year": _yearly(row["irr"]),
        "Modified internal rate (MIRR), per year": _yearly(row["mirr"]),
        "Profitability index": _index(row["profitability_index"]),
    }


def _index(index: float | None) -> str:
    return MISSING if index is None else localise(f"{round(index, 2) + 0.0:,.2f}".replace("-", MINUS))


def _adjusted(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    together = precision([row["incremental_npv"], row["risk_adjusted_npv"]])
    return {
        f"Net present value as simulated, {currency}": together.text(row["incremental_npv"]),
        f"Net present value, risk-adjusted, {currency}": together.text(row["risk_adjusted_npv"]),
        "Return on outlay as simulated": _share(row["roi"]),
        "Return on outlay, risk-adjusted": _share(row["risk_adjusted_roi"]),
    }


def _adjusts(rules: Mapping[str, float]) -> bool:
    return rules["benefit_haircut"] > 0.0 or rules["cost_uplift"] > 0.0


def _adjustment(rules: Mapping[str, float]) -> str:
    return f"benefits cut by {_share(rules['benefit_haircut'])} and costs raised by {_share(rules['cost_uplift'])}"


def _of_adjustment(rules: Mapping[str, float]) -> str:
    if not _adjusts(rules):
        return "No risk-adjusted case: the shop's economics set neither a cut of benefits nor a rise of costs."
    return (
        f"Risk-adjusted: {_adjustment(rules)} by the shop's own rule, without any chance; what is a loss or a saving "
        f"already is taken as so much worse. The simulated figures beside it carry the chances instead."
    )


def _remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why internal rates are missing or to be read with care, strategies with the same reason together."""
    alt_text: dict[str, list[str]] = {}
    for row in rows:
        if row["irr_remark"] != "one rate":
            alt_text.setdefault(row["irr_remark"], []).append(row["title"])
    return [f"Internal rate of {joined(titles)}: {remark}." for remark, titles in alt_text.items()]


def _finding(rows: Sequence[Mapping[str, Any]], rules: Mapping[str, float]) -> str:
    gains = [row["title"] for row in rows if row["incremental_npv"] > 0.0]
    if not gains:
        return "On average no strategy earns back its outlay"
    if not _adjusts(rules):
        return f"On average {joined(gains)} {_brings(gains)} more than doing nothing"
    holds = [row["title"] for row in rows if row["risk_adjusted_npv"] > 0.0]
    if not holds:
        return f"With {_adjustment(rules)}, no strategy brings more than doing nothing"
    return f"Even with {_adjustment(rules)}, {joined(holds)} {_brings(holds)} more than doing nothing"


def _brings(titles: Sequence[str]) -> str:
    return "brings" if len(titles) == 1 else "bring"


def _between(together: Precision, low: float, high: float) -> str:
    return f"{together.bare(low)} to {together.text(high)}"


def _with_error(text: str, error: float | None, scale: float) -> str:
    return text if error is None or text == MISSING else f"{text} ± {_error(scale * error)}"


def _error(error: float) -> str:
    return localise(f"{error:.0f}" if error >= 1.0 else f"{error:.1f}")


def _chance(share: float | None) -> str:
    return MISSING if share is None else percent(share)


def _share(share: float | None) -> str:
    return MISSING if share is None else localise(f"{round(100 * share) + 0:,}{NBSP}%".replace("-", MINUS))


def _yearly(rate: float | None) -> str:
    if rate is None:
        return MISSING
    decimals = 1 if abs(rate) < 1.0 else 0
    return localise(f"{round(100 * rate, decimals) + 0.0:,.{decimals}f}{NBSP}%".replace("-", MINUS))


def _span(low: float | None, high: float | None) -> str:
    return MISSING if low is None or high is None else f"{_share(low)} to {_share(high)}"


def _months(duration: float | None) -> str:
    return MISSING if duration is None else f"{duration:.0f}"


_HEIGHT = 150
_INDENT = 62
# A band is as high as a hand at most: a fourth digit could not be seen.
_DIGITS = 4
# So many points make a curve, and few enough rows to be read out.
_POINTS = 12
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
_BANDS = (("q05", "q95", 0.16), ("q10", "q90", 0.2), ("q25", "q75", 0.28))
_MONTHS = "Months since the start"
_FIRST = "datum.month === 1"
# So many strategies are told one by one in a title; of more, their number is.
_ALT_TEXT = 3


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

    Raises
    ------
    TableError
        For a table that is not under `FAN`.
    """
    months = _by_month(check(fan, FAN))
    back = _back(months)
    end = int(months["month"].to_numpy().max())
    shown = (
        f"Cash gained over doing nothing since the start, not discounted, {currency}. Solid line: mean; dashed line: "
        f"median; bands, from dark to pale: 50, 80 and 90{NBSP}% interval over all draws. "
        f"Ring: from here on the mean stays above zero. Ahead or behind: the whole 90{NBSP}% interval lies on one "
        f"side of zero.{' Each panel has a scale of its own.' if len(back) > 1 else ''}"
    )
    table = _noted(_thinned(months, back), back, end)
    drawn = panels(_layers(table, currency, end), table, width=WIDTH - _INDENT, height=_HEIGHT, x="shared")
    return framed(drawn, finding=_fan_finding(months, end), shown=shown, alt_text=_alt_text(months, back, currency))


def _by_month(fan: pl.DataFrame) -> pl.DataFrame:
    first = pl.col("month").min()
    return named(fan).select(
        "name",
        "mean",
        *_QUANTILES,
        month=(pl.col("month") - first + 1).cast(pl.Int64),
    )


def _back(months: pl.DataFrame) -> dict[str, int | None]:
    """Return for each strategy the first month from which its mean stays at or above zero; None if none does."""
    end = int(months["month"].to_numpy().max())
    below = months.group_by("name", maintain_order=True).agg(last=pl.col("month").filter(pl.col("mean") < 0.0).max())
    starts = {name: 1 if last is None else last + 1 for name, last in below.iter_rows()}
    return {name: month if month <= end else None for name, month in starts.items()}


def _thinned(months: pl.DataFrame, back: dict[str, int | None]) -> pl.DataFrame:
    """Return no more months than a listener can follow: every few, and those of the ends, the trough and payback."""
    end = int(months["month"].to_numpy().max())
    step = -(-end // _POINTS)
    least = pl.col("mean") == pl.col("mean").min().over("name")
    paid = pl.col("month") == pl.col("name").replace_strict(back, return_dtype=pl.Int64)
    kept = (pl.col("month") % step == 0) | pl.col("month").is_in([1, end]) | least | paid.fill_null(value=False)
    return months.filter(kept)


def _noted(months: pl.DataFrame, back: dict[str, int | None], end: int) -> pl.DataFrame:
    """Return what is drawn, with the words of the heading in the first month and a mark in the month of payback."""
    notes = {
        name: "Never below zero on average" if month == 1 else f"Back in month {month} on average"
        if month else f"Not back within {end} months on average"
        for name, month in back.items()
    }  # fmt: skip
    rows = [
        ("" if month > 1 else notes[name], month == back[name])
        for name, month in months.select("name", "month").iter_rows()
    ]
    marks = pl.DataFrame(rows, schema={"_note": pl.String, "_back": pl.Boolean}, orient="row")
    rounded = months.with_columns(pl.col("mean", *_QUANTILES).round_sig_figs(_DIGITS))
    return pl.concat([rounded, marks], how="horizontal")


def _layers(drawn: pl.DataFrame, currency: str, end: int) -> list[alt.Chart]:
    largest = float(drawn.select(pl.max_horizontal(pl.col("q05").abs(), pl.col("q95").abs()).max()).item())
    every = 1 if end <= 12 else 3 if end <= 36 else 12
    x = alt.X(
        "month:Q",
        title=_MONTHS,
        scale=alt.Scale(domain=[1, max(end, 2)], nice=False),
        axis=alt.Axis(values=[month for month in range(1, end + 1) if month == 1 or month % every == 0], format="d"),
    )
    money_title = f"Extra cash, {currency}"
    amounts = money_axis(money_title, largest=largest)
    amounts.tickCount = 4
    colour = alt.Color("name:N", scale=colours(names_of(drawn)), legend=None)
    # Axes and colours are told once, by the first layer; the others share them.
    shown = alt.Color("name:N", legend=None)
    curve = alt.Chart().encode(x=alt.X("month:Q", title=_MONTHS))
    tops = [alt.Y(f"{low}:Q", axis=alt.Axis(title=money_title)) for low, *_ in _BANDS]
    bands = [
        curve.mark_area(opacity=opacity, aria=False).encode(y=top, y2=f"{high}:Q", color=shown)
        for top, (_, high, opacity) in zip(tops, _BANDS, strict=True)
    ]
    bands[0] = bands[0].encode(x=x, y=alt.Y("q05:Q", axis=amounts), color=colour)
    mean = curve.encode(y=alt.Y("mean:Q", axis=alt.Axis(title=money_title)), color=shown)
    median = curve.mark_line(color=INK, strokeWidth=1.2, strokeDash=[5, 3], aria=False)
    return [
        *bands,
        alt.Chart().transform_filter(_FIRST).mark_rule(color=INK, aria=False).encode(y=alt.datum(0)),
        median.encode(y=alt.Y("q50:Q", axis=alt.Axis(title=money_title))),
        mean.mark_line(strokeWidth=2.5, aria=False),
        mean.mark_point(filled=True, size=18, opacity=1, aria=False).encode(tooltip=_tooltip()),
        _ring(curve.encode(y=alt.Y("mean:Q", axis=alt.Axis(title=money_title)))),
        *headings(_FIRST, shown, indent=_INDENT),
    ]


def _tooltip() -> list[alt.Tooltip]:
    # The table of the figure's data takes its heads from here.
    heads = {name: "Median" if name == "q50" else f"{int(name[1:])}{NBSP}% quantile" for name in _QUANTILES}
    quantiles = [alt.Tooltip(f"{name}:Q", title=head, format=",.3~r") for name, head in heads.items()]
    return [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("month:Q", title="Month"),
        alt.Tooltip("mean:Q", title="Mean", format=",.3~r"),
        *quantiles,
    ]


def _ring(mean: alt.Chart) -> alt.Chart:
    # The first month is kept, unseen: of a layer without rows, whose scale has no extent, browsers complain.
    seen = alt.condition("datum._back", alt.value(1.0), alt.value(0.0))
    ring = mean.transform_filter(f"datum._back || {_FIRST}")
    drawn = ring.mark_point(size=90, fill="#FFFFFF", stroke=INK, strokeWidth=2, aria=False)
    encoded: alt.Chart = drawn.encode(opacity=seen)
    return encoded


def _fan_finding(months: pl.DataFrame, end: int) -> str:
    last = months.filter(month=end)
    sure = last.filter(pl.col("q05") > 0.0)["name"].to_list()
    lost = last.filter(pl.col("q95") < 0.0)["name"].to_list()
    open_ = [name for name in last["name"] if name not in {*sure, *lost}]
    alt_text = [
        f"{_who(names, last.height)} {state}"
        for names, state in ((sure, "ahead"), (open_, "either ahead or behind"), (lost, "behind"))
        if names
    ]
    return f"After {end} months: {'; '.join(alt_text)}"


def _who(names: list[str], every: int) -> str:
    return joined(names) if every <= _ALT_TEXT else f"{len(names)} of {every} strategies"


def _alt_text(months: pl.DataFrame, back: dict[str, int | None], currency: str) -> str:
    last = months.filter(month=pl.col("month").max())
    alt_text = []
    for name, *ends in last.select("name", "mean", "q05", "q95").iter_rows():
        paid = f"back in month {back[name]}" if back[name] else "not back"
        alt_text.append(f"{name}: {in_words(*ends, currency=currency)} at the end, {paid} on average.")
    return " ".join(alt_text)


# Line, column, sign and whether it is a balance or a result, in bold.
_LINES: dict[str, tuple[tuple[str, str, float, bool], ...]] = {
    "points": (
        ("points at full worth, at the beginning", "opening", 1.0, False),
        ("given", "issued", 1.0, False),
        ("redeemed", "redeemed", -1.0, False),
        ("lapsed", "expired", -1.0, False),
        ("points at full worth, at the end", "closing", 1.0, True),
        ("number of points held at the end", "points_outstanding", 1.0, False),
        ("contract liability, at the beginning", "contract_opening", 1.0, False),
        ("deferred of what members pay", "contract_deferred", 1.0, False),
        ("recognised as revenue", "contract_recognised", -1.0, False),
        ("contract liability, at the end", "contract_closing", 1.0, True),
        ("paid by members for orders, less refunds: cash view", "cash_revenue", 1.0, False),
        ("their revenue: accrual view", "accrual_revenue", 1.0, True),
    ),
    "fees": (
        ("contract liability, at the beginning", "contract_opening", 1.0, False),
        ("fees received", "contract_deferred", 1.0, False),
        ("earned as time passes", "contract_recognised", -1.0, False),
        ("contract liability, at the end", "contract_closing", 1.0, True),
        ("fees received: cash view", "cash_revenue", 1.0, False),
        ("revenue from fees: accrual view", "accrual_revenue", 1.0, True),
    ),
}
_KINDS = {"points": "points", "fees": "fees paid in advance"}


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

    Raises
    ------
    TableError
        For a table that is not under `LIABILITIES`.
    """
    table = check(liabilities, LIABILITIES)
    if table.is_empty():
        return remark(
            "No strategy here gives points or takes a fee in advance: it leaves the shop no debt to its customers, and "
            "revenue is the same by the cash view and by the accrual view."
        )
    periods = table["period"].unique(maintain_order=True).to_list()
    rows = pl.DataFrame(list(_rows(table)))
    title = _liabilities_finding(table, currency)
    but = ", but for the number of points" if table["kind"].is_in(["points"]).any() else ""
    layout = laid_out(
        written(rows, periods),
        title=title,
        subtitle=f"{currency}{but}, not discounted; means over all draws",
        heads={period: period for period in periods},
        notes=_notes(set(table["kind"])),
    )
    places = rows.with_row_index("place").filter("bold")["place"].to_list()
    layout = layout.tab_style(style=style.text(weight="bold"), locations=[loc.body(rows=places), loc.stub(rows=places)])
    return Table(id="liabilities", title=title, layout=layout, twin=table)


def _rows(table: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Yield one row per strategy, kind and line, with one column per period."""
    for (_, kind), part in table.group_by("strategy", "kind", maintain_order=True):
        group = f"{part['title'][0]}: {_KINDS[str(kind)]}"
        for line, column, sign, bold in _LINES[str(kind)]:
            amounts = {period: sign * amount for period, amount in part.select("period", column).rows()}
            yield {"group": group, "line": line, "bold": bold, **amounts}


def _liabilities_finding(table: pl.DataFrame, currency: str) -> str:
    owed = (
        table.filter(pl.col("period") == WHOLE_HORIZON)
        .group_by("strategy", "title", maintain_order=True)
        .agg(pl.col("contract_closing", "closing").sum())
        .rows(named=True)
    )
    alt_text = [f"{money(one['contract_closing'], currency)} with {one['title']}" for one in owed]
    if len(alt_text) > _ALT_TEXT:
        most = max(range(len(owed)), key=lambda place: float(owed[place]["contract_closing"]))
        return f"At the end the shop owes its customers most, by IFRS 15, {alt_text[most]}"
    full = owed[0]["closing"] if len(alt_text) == 1 and table["kind"].is_in(["points"]).any() else None
    at_most = "" if full is None else f"; {money(full, currency)} if every point were redeemed"
    return f"At the end the shop owes its customers, by IFRS 15, {joined(alt_text)}{at_most}"


def _notes(kinds: set[str]) -> list[str]:
    """Return what to know of the kinds of debt that there are, and of both views."""
    by_kind = {"points": _OF_POINTS, "fees": _OF_FEES}
    alt_text = [note for kind, notes in by_kind.items() if kind in kinds for note in notes]
    return [_OF_ALL, *alt_text, _OF_VIEWS]


_OF_ALL = (
    "Contract liability: what customers have paid already for something still to come, by IFRS 15 (in the United "
    "States ASC 606). It is a debt in goods and services, not in money."
)
_OF_POINTS = (
    (
        "Points at full worth: what all of them would take off orders. The cash statement settles this whole amount at "
        "the end of the horizon, with each customer's balance rounded up to a cent."
    ),
    (
        "Breakage: points that are never redeemed, because they lapse. The contract liability leaves it out: the share "
        "that is ever redeemed is what was redeemed of all that was redeemed or lapsed within the horizon, and at the "
        "end of each year it is applied to the points still held."
    ),
    (
        "Deferred: of each payment the part that goes to points when it is shared between goods and points by what "
        "each would cost by itself. It becomes revenue as points are redeemed."
    ),
)
_OF_FEES = ("Fees become revenue evenly over the period for which they are paid.",)
_OF_VIEWS = (
    "Both views end in the same money and differ in its timing alone; net present value rests on cash. Each amount is "
    "rounded by itself."
)
