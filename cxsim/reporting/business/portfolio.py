"""What more risk would buy: a table under PORTFOLIO goes in, all sets of strategies by risk and value come out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.tables import Column, Row, Table, TableSpec, amount, interval, strategy_name
from cxsim.reporting.theme import (
    BASELINE,
    INK,
    QUIET,
    WIDTH,
    Dot,
    Figure,
    beside,
    colours,
    framed,
    largest,
    money_axis,
    rounded,
    tooltips,
)
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.tables import check
from cxsim.wording import INTERVAL, counted, figure, joined, money, number, percent

_INDENT = 70
_HEIGHT = 340
# Margin around the points, as a share of their span.
_MARGIN = 0.09
_KEY_TOP, _KEY_ROW = 66, 20
# Of more sets than this only those that matter most have words; all have a tooltip.
_WORDED = 16
_BETWEEN = re.compile(r"[\s,;+&|]+")
# So many simulation errors apart, two sets are distinguished: by chance alone that happens once in twenty times.
_APART = 2.0


def efficient_frontier(portfolio: pl.DataFrame, currency: str) -> Figure:
    """Draw every set of strategies by what it brings on average and by what it brings in bad cases.

    Parameters
    ----------
    portfolio
        Table under `PORTFOLIO`, with at least one set; `members` are identifiers of strategies with a comma, a plus
        sign or a space between them, and none for doing nothing. Each strategy has its letter and its colour by its
        `place`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One point per set, with two simulation errors to both sides: large where nothing is better in both respects,
        which a line joins; hollow where the budget does not allow it; a ring around the chosen one.

    Raises
    ------
    TableError
        For a table that is not under `PORTFOLIO`, in which not exactly one set is chosen, or in which a set has a
        member that has no place.
    """
    chosen = _chosen(portfolio)
    letters = _letters(portfolio)
    points = rounded(_placed(_points(portfolio, letters)))
    few = f" Of {portfolio.height} sets, those on the line and single strategies are named."
    shown = (
        f"Upwards: expected net present value, the mean of all draws, over doing nothing, {currency}; strokes: two "
        "standard errors of the simulation. To the right: mean of the worst tenth of the draws, which tells more of "
        "risk than an interval. Line: sets that no other beats in both. Hollow: over the budget. Ring: the "
        f"choice.{few if portfolio.height > _WORDED else ''}"
    )
    return framed(
        alt.layer(*_axes(points, currency), *_marks(points), *_key(portfolio, letters)),
        finding=_frontier_finding(portfolio, chosen, currency),
        shown=shown,
        alt_text=_alt_text(portfolio, currency),
        width=WIDTH - _INDENT,
        height=_HEIGHT,
    )


def portfolio_table(portfolio: pl.DataFrame, currency: str, budget: float | None = None) -> Table:
    """Lay out what sets of strategies bring together, beside doing nothing, and say how sure the choice is.

    Parameters
    ----------
    portfolio
        Table under `PORTFOLIO`, in the order in which it is read; one set is chosen.
    currency
        Code of the currency, as "USD".
    budget
        The most that may be spent, as a present value in `currency`, for the reader; which sets are beyond it the
        table says itself.

    Returns
    -------
    Table
        One row per set. Two sets are distinguished when their difference in the same draws is larger than two
        simulation errors.

    Raises
    ------
    TableError
        For a table that is not under `PORTFOLIO`, or in which not exactly one set is chosen.
    """
    chosen = _chosen(portfolio)
    limited = budget is not None or not portfolio["affordable"].all()
    limit = "" if budget is None else f"; budget {money(budget, currency)}, as a present value"
    spec = replace(
        _PORTFOLIO, title=_table_finding(portfolio, chosen, limited=limited), subtitle=f"{_PORTFOLIO.subtitle}{limit}"
    )
    return spec.render(portfolio, currency)


def _chosen(portfolio: pl.DataFrame) -> Row:
    chosen = check(portfolio, PORTFOLIO).filter("chosen").rows(named=True)
    if len(chosen) != 1:
        raise TableError(f"PORTFOLIO: {len(chosen)} of {portfolio.height} sets are chosen; it must be one.")
    return chosen[0]


def _split(members: str) -> list[str]:
    return [member for member in _BETWEEN.split(members) if member]


def _letters(table: pl.DataFrame) -> dict[str, str]:
    """Return a letter for each strategy, in the order of the scenario."""
    known = table.filter(pl.col("place").is_not_null()).sort("place")["members"].to_list()
    for member in (member for members in table["members"] for member in _split(members)):
        if member not in known:
            raise TableError(f"PORTFOLIO: strategy '{member}' has no place of its own; {choices(member, known)}")
    return {member: ascii_uppercase[n % 26] + (str(n // 26) if n >= 26 else "") for n, member in enumerate(known)}


def _points(table: pl.DataFrame, letters: Mapping[str, str]) -> pl.DataFrame:
    scale = dict(zip(letters, colours(list(letters))["range"], strict=True))
    sets = [_split(members) for members in table["members"]]
    matters = (table["efficient"] | table["chosen"]).to_list() if table.height > _WORDED else [True] * table.height
    words = [
        (" + ".join(letters[member] for member in own) or "Doing nothing") if shown or len(own) < 2 else ""
        for own, shown in zip(sets, matters, strict=True)
    ]
    single = [scale[own[0]] if len(own) == 1 else INK if own else BASELINE for own in sets]
    return table.select(
        pl.col("title").alias("set"),
        "cvar",
        "npv",
        (2.0 * pl.col("npv_mc_error")).alias("error"),
        "outlay",
        "efficient",
        "affordable",
        "chosen",
        pl.Series("_label", words, dtype=pl.String),
        pl.Series("_colour", single, dtype=pl.String),
        _low=pl.col("npv") - 2.0 * pl.col("npv_mc_error"),
        _high=pl.col("npv") + 2.0 * pl.col("npv_mc_error"),
    )


def _domains(points: pl.DataFrame) -> list[list[float]]:
    """Return the ends of both scales; zero, where doing nothing is, lies always between them."""
    lows, highs = points[["cvar", "_low"]].min().row(0), points[["cvar", "_high"]].max().row(0)
    domains = []
    for low, high in zip(lows, highs, strict=True):
        least, most = min(low, 0.0), max(high, 0.0)
        margin = _MARGIN * (most - least) or 1.0
        domains.append([least - margin, most + margin])
    return domains


def _placed(points: pl.DataFrame) -> pl.DataFrame:
    """Return the points with a place for the letters of each, clear of the other points and of each other's letters."""
    (left, right), (bottom, top) = _domains(points)
    across, down = (WIDTH - _INDENT) / (right - left), _HEIGHT / (top - bottom)
    dots = [
        Dot(x=(x - left) * across, y=(top - y) * down, reach=error * down, label=label)
        for x, y, error, label in points["cvar", "npv", "error", "_label"].rows()
    ]
    places = beside(dots, width=WIDTH - _INDENT, height=_HEIGHT, lines=(-left * across, top * down))
    return points.with_columns(
        pl.Series(name, [round(place[axis], 1) for place in places], dtype=pl.Float64)
        for axis, name in enumerate(("_x", "_y"))
    )


def _axes(points: pl.DataFrame, currency: str) -> list[alt.Chart]:
    most = largest(points, ("cvar", "_low", "_high"))
    xs, ys = (alt.Scale(domain=ends, nice=False) for ends in _domains(points))
    worst = f"Mean of the worst tenth of the draws (right is safer), {currency}"
    expected = f"Expected net present value, {currency}"
    x = alt.X("cvar:Q", axis=money_axis(worst, largest=most), scale=xs)
    y = alt.Y("npv:Q", axis=money_axis(expected, largest=most), scale=ys)
    frontier = alt.Chart(points).transform_filter("datum.efficient")
    line = frontier.mark_line(color=BASELINE, opacity=0.4, strokeWidth=4, aria=False)
    zero = alt.Chart(pl.DataFrame({"_zero": [0]})).mark_rule(color=BASELINE, aria=False)
    return [
        line.encode(x=x, y=y, order=alt.Order("cvar:Q")),
        zero.encode(x=alt.X("_zero:Q", title=worst)),
        zero.encode(y=alt.Y("_zero:Q", title=expected)),
    ]


def _marks(points: pl.DataFrame) -> list[alt.Chart]:
    drawn = alt.Chart(points).encode(x="cvar:Q", y="npv:Q")
    stroke = alt.Stroke("_colour:N", scale=None)
    tips = {
        "set:N": "Set",
        "npv:Q": "Expected net present value",
        "error:Q": "Two standard errors",
        "cvar:Q": "Mean of the worst tenth",
        "outlay:Q": "Outlay",
    }
    dot = drawn.mark_point(strokeWidth=2, opacity=1, aria=False).encode(
        fill=alt.condition("datum.affordable", alt.Fill("_colour:N", scale=None), alt.value("#FFFFFF")),
        stroke=stroke,
        size=alt.condition("datum.efficient", alt.value(150), alt.value(60)),
        tooltip=tooltips(tips),
    )
    text = alt.Chart(points).encode(x=alt.X("_x:Q", scale=None), y=alt.Y("_y:Q", scale=None), text="_label:N")
    return [
        drawn.mark_rule(strokeWidth=2, aria=False).encode(y="_low:Q", y2="_high:Q", stroke=stroke),
        drawn.transform_filter("datum.chosen").mark_point(size=420, stroke=INK, strokeWidth=1.6, aria=False),
        dot,
        text.mark_text(stroke="#FFFFFF", strokeWidth=4, fontSize=12, fontWeight="bold", aria=False),
        text.mark_text(color=INK, fontSize=12, fontWeight="bold", aria=False),
    ]


def _key(table: pl.DataFrame, letters: Mapping[str, str]) -> Sequence[alt.Chart]:
    """Return what each letter stands for, below the figure."""
    titles = {members: title for members, title in table["members", "title"].rows() if len(_split(members)) == 1}
    names = [titles.get(member) or strategy_name({"strategy": member}) for member in letters]
    key = {
        "letter": list(letters.values()),
        "strategy": names,
        "_colour": colours(names)["range"],
        "_rise": [_HEIGHT + _KEY_TOP + _KEY_ROW * place for place in range(len(names))],
    }
    schema = {"letter": pl.String, "strategy": pl.String, "_colour": pl.String, "_rise": pl.Int64}
    drawn = alt.Chart(pl.DataFrame(key, schema=schema)).encode(y=alt.Y("_rise:Q", scale=None))
    dot = drawn.mark_point(filled=True, size=90, opacity=1, aria=False)
    letter = drawn.mark_text(align="left", baseline="middle", fontWeight="bold", aria=False)
    text = drawn.mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    return (
        dot.encode(x=alt.value(6), color=alt.Color("_colour:N", scale=None)),
        letter.encode(x=alt.value(18), text="letter:N"),
        text.encode(x=alt.value(38), text="strategy:N"),
    )


def _frontier_finding(table: pl.DataFrame, best: Row, currency: str) -> str:
    if not _split(best["members"]):
        return "No set of strategies is expected to bring more than doing nothing"
    within = "" if table["affordable"].all() else " within the budget"
    subject = f"Best{within}: {best['title']}, {money(best['npv'], currency)}"
    others = table.filter(~pl.col("chosen") & pl.col("affordable"))
    near = others.filter(pl.col("gap") <= _APART * pl.col("gap_mc_error")).height
    if near:
        return f"{subject}; {counted(near)} other {'set is' if near == 1 else 'sets are'} too near to tell apart"
    return f"{subject}; clearly more than any other" if others.height else subject


def _alt_text(table: pl.DataFrame, currency: str) -> str:
    efficient = table.filter("efficient").sort("cvar", descending=True)["title", "npv", "cvar"].rows()
    sets = [
        f"{title}: {money(npv, currency)} expected, {money(cvar, currency)} in the worst tenth"
        for title, npv, cvar in efficient
    ]
    over = table.filter(~pl.col("affordable"))["title"].to_list()
    rest = f" Over the budget: {joined(over)}." if over else ""
    return f"Sets that no other beats in both, from the safest on. {'; '.join(sets)}.{rest}"


def _apart(row: Row) -> bool:
    return float(row["gap"]) > _APART * float(row["gap_mc_error"])


def _table_finding(portfolio: pl.DataFrame, best: Row, *, limited: bool) -> str:
    within = " within the budget" if limited else ""
    others = portfolio.filter(pl.col("affordable") & ~pl.col("chosen")).sort("gap", "name").rows(named=True)
    opening = f"{best['title']} {'brings' if best['members'] else 'is expected to bring'} most{within}"
    if not others:
        return f"{opening}; there is no other set to compare it with"
    following = others[0]["title"]
    if _apart(others[0]):
        return f"{opening}, more than two simulation errors ahead of the next, {following}"
    near = sum(not _apart(row) for row in others)
    return f"{opening}, but the draws do not tell it apart from {following if near == 1 else f'{near} other sets'}"


def _remarks(row: Row) -> str:
    near = row["affordable"] and not row["chosen"] and not _apart(row)
    remarks = {
        "best": row["chosen"],
        "over budget": not row["affordable"],
        "not distinguished": near,
        "efficient": row["efficient"],
    }
    return "; ".join(remark for remark, holds in remarks.items() if holds)


_VALUES = ("npv", "low", "high", "cvar")


def _notes(portfolio: pl.DataFrame) -> tuple[str, ...]:
    return (
        (
            f"All sets are compared in the same {figure(portfolio['draws'][0])} draws, so that the chance they share "
            "does not count; ±: simulation error of a mean or of a difference of means. A difference of more than two "
            "of its errors tells sets apart."
        ),
        (
            "Mean of the worst tenth: what a set brings on average in the tenth of draws in which it brings least. "
            "Efficient: no other set both brings more and does better in its worst tenth."
        ),
        (
            "More than its parts alone: net present value of the set less the sum of those of its parts; below zero, "
            "they work on the same customers or the same orders. A set counts as over budget by its mean spend."
        ),
    )


_PORTFOLIO = TableSpec(
    id="portfolio",
    contract=PORTFOLIO,
    title="",
    subtitle="Each set simulated together, against doing nothing; in today's {currency}",
    line="title",
    columns={
        "outlay": Column("Spend, {currency}"),
        "npv": Column(
            "Net present value, {currency}",
            lambda row: (
                f"{amount(_VALUES[0], _VALUES[1:])(row)} ± {number(row['npv_mc_error'])}" if row["members"] else "0"
            ),
        ),
        "interval": Column(INTERVAL, lambda row: interval("low", "high", _VALUES)(row) if row["members"] else ""),
        "worst": Column("Mean of the worst tenth", lambda row: amount("cvar", _VALUES)(row) if row["members"] else ""),
        "chance": Column("Chance of a gain", lambda row: percent(row["prob_npv_positive"]) if row["members"] else ""),
        "interaction": Column(
            "More than its parts alone", lambda row: number(row["interaction"]) if "," in row["members"] else ""
        ),
        "gap": Column(
            "Less than the best, same draws",
            lambda row: "" if row["chosen"] else f"{number(row['gap'])} ± {number(row['gap_mc_error'])}",
        ),
        "remark": Column("Remark", _remarks, align="text"),
    },
    notes=_notes,
)
