"""What more risk would buy: a table under PORTFOLIO goes in, all sets of strategies by risk and worth come out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.tables import Table, laid_out
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
    money_axis,
    named,
    rounded,
)
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.tables import check
from cxsim.wording import INTERVAL, counted, joined, localise, money, number, percent, precision

_INDENT = 70
_HEIGHT = 340
# Room around the points, as a share of their span.
_MARGIN = 0.09
_KEY_TOP, _KEY_ROW = 66, 20
# Of more sets than this only those that matter most have words; all have a tooltip.
_WORDED = 16
_NOTHING = "Doing nothing"
_BETWEEN = re.compile(r"[\s,;+&|]+")


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
    table = check(portfolio, PORTFOLIO)
    chosen = table.filter("chosen")
    if chosen.height != 1:
        raise TableError(f"PORTFOLIO: {chosen.height} sets are chosen of {table.height}; exactly one must be.")
    letters = _letters(table)
    points = rounded(_placed(_points(table, letters)))
    few = (
        f" Of {table.height} sets, those on the line and single strategies are named." if table.height > _WORDED else ""
    )
    shown = (
        f"Upwards: expected net present value, the mean of all draws, over doing nothing, {currency}; strokes: two "
        "standard errors of the simulation. To the right: mean of the worst tenth of the draws, which tells more of "
        "risk than an interval. Line: sets that no other beats in both. Hollow: over the budget. Ring: the "
        f"choice.{few}"
    )
    key = _key(table, letters)
    drawn = alt.layer(*_axes(points, currency), *_marks(points), *_words(key))
    return framed(
        drawn,
        finding=_finding(table, chosen, currency),
        shown=shown,
        alt_text=_alt_text(table, currency),
        width=WIDTH - _INDENT,
        height=_HEIGHT,
    )


def _split(members: str) -> list[str]:
    return [member for member in _BETWEEN.split(members) if member]


def _letters(table: pl.DataFrame) -> dict[str, str]:
    """Return a letter for each strategy, in the order of the scenario."""
    known = table.filter(pl.col("place").is_not_null()).sort("place")["members"].to_list()
    for member in (member for members in table["members"] for member in _split(members)):
        if member not in known:
            raise TableError(f"PORTFOLIO: strategy '{member}' has no place of its own; {choices(member, known)}")
    return dict(zip(known, _alphabet(len(known)), strict=True))


def _alphabet(count: int) -> list[str]:
    return [ascii_uppercase[n % 26] + (str(n // 26) if n >= 26 else "") for n in range(count)]


def _points(table: pl.DataFrame, letters: Mapping[str, str]) -> pl.DataFrame:
    scale = dict(zip(letters, colours(list(letters))["range"], strict=True))
    sets = [_split(members) for members in table["members"]]
    single = [scale[own[0]] if len(own) == 1 else INK if own else BASELINE for own in sets]
    words = [" + ".join(letters[member] for member in own) or _NOTHING for own in sets]
    if table.height > _WORDED:
        matters = [efficient or chosen or len(own) < 2 for (efficient, chosen), own
                   in zip(table.select("efficient", "chosen").iter_rows(), sets, strict=True)]  # fmt: skip
        words = [text if shown else "" for text, shown in zip(words, matters, strict=True)]
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


def _domain(low: float, high: float) -> tuple[float, float]:
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _domains(points: pl.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of both scales; zero, where doing nothing is, lies always between them."""
    lows, highs = (
        points.select(pl.col("cvar", "_low").min()).row(0),
        points.select(pl.col("cvar", "_high").max()).row(0),
    )
    x, y = (_domain(min(low, 0.0), max(high, 0.0)) for low, high in zip(lows, highs, strict=True))
    return x, y


def _placed(points: pl.DataFrame) -> pl.DataFrame:
    """Return the points with a place for the letters of each, clear of the other points and of each other's letters."""
    (left, right), (bottom, top) = _domains(points)
    across, down = (WIDTH - _INDENT) / (right - left), _HEIGHT / (top - bottom)
    dots = [
        Dot(
            x=(x - left) * across,
            y=(top - y) * down,
            reach=error * down,
            label=label,
        )
        for x, y, error, label in points.select("cvar", "npv", "error", "_label").iter_rows()
    ]
    places = beside(dots, width=WIDTH - _INDENT, height=_HEIGHT, lines=(-left * across, top * down))
    return points.with_columns(
        _x=pl.Series([round(x, 1) for x, _ in places], dtype=pl.Float64),
        _y=pl.Series([round(y, 1) for _, y in places], dtype=pl.Float64),
    )


def _axes(points: pl.DataFrame, currency: str) -> list[alt.Chart]:
    largest = float(points.select(pl.max_horizontal(pl.col("cvar", "_low", "_high").abs()).max()).item())
    xs, ys = (alt.Scale(domain=list(ends), nice=False) for ends in _domains(points))
    worst, expected = (
        f"Mean of the worst tenth of the draws (right is safer), {currency}",
        f"Expected net present value, {currency}",
    )
    x = alt.X("cvar:Q", axis=money_axis(worst, largest=largest), scale=xs)
    y = alt.Y("npv:Q", axis=money_axis(expected, largest=largest), scale=ys)
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
    fill = alt.condition("datum.affordable", alt.Fill("_colour:N", scale=None), alt.value("#FFFFFF"))
    stroke = alt.Stroke("_colour:N", scale=None)
    tooltip = [
        alt.Tooltip("set:N", title="Set"),
        alt.Tooltip("npv:Q", title="Expected net present value", format=",.3~r"),
        alt.Tooltip("error:Q", title="Two standard errors", format=",.3~r"),
        alt.Tooltip("cvar:Q", title="Mean of the worst tenth", format=",.3~r"),
        alt.Tooltip("outlay:Q", title="Outlay", format=",.3~r"),
    ]
    dot = drawn.mark_point(strokeWidth=2, opacity=1, aria=False)
    text = alt.Chart(points).encode(x=alt.X("_x:Q", scale=None), y=alt.Y("_y:Q", scale=None), text="_label:N")
    return [
        drawn.mark_rule(strokeWidth=2, aria=False).encode(y="_low:Q", y2="_high:Q", stroke=stroke),
        drawn.transform_filter("datum.chosen").mark_point(size=420, stroke=INK, strokeWidth=1.6, aria=False),
        dot.encode(
            fill=fill,
            stroke=stroke,
            size=alt.condition("datum.efficient", alt.value(150), alt.value(60)),
            tooltip=tooltip,
        ),
        text.mark_text(stroke="#FFFFFF", strokeWidth=4, fontSize=12, fontWeight="bold", aria=False),
        text.mark_text(color=INK, fontSize=12, fontWeight="bold", aria=False),
    ]


def _key(table: pl.DataFrame, letters: Mapping[str, str]) -> pl.DataFrame:
    """Return what each letter stands for."""
    singles = {own[0]: title for members, title in table.select("members", "title").iter_rows()
               if len(own := _split(members)) == 1}  # fmt: skip
    words = named(pl.DataFrame({"strategy": list(letters)}, schema={"strategy": pl.String}))["name"].to_list()
    names = [singles.get(member, word) for member, word in zip(letters, words, strict=True)]
    return pl.DataFrame(
        {
            "letter": list(letters.values()),
            "strategy": names,
            "_colour": colours(names)["range"],
            "_rise": [_HEIGHT + _KEY_TOP + _KEY_ROW * place for place in range(len(names))],
        },
        schema={"letter": pl.String, "strategy": pl.String, "_colour": pl.String, "_rise": pl.Int64},
    )


def _words(key: pl.DataFrame) -> Sequence[alt.Chart]:
    drawn = alt.Chart(key).encode(y=alt.Y("_rise:Q", scale=None))
    text = drawn.mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    letter = drawn.mark_text(align="left", baseline="middle", fontWeight="bold", aria=False)
    dot = drawn.mark_point(filled=True, size=90, opacity=1, aria=False)
    return (
        dot.encode(x=alt.value(6), color=alt.Color("_colour:N", scale=None)),
        letter.encode(x=alt.value(18), text="letter:N"),
        text.encode(x=alt.value(38), text="strategy:N"),
    )


def _finding(table: pl.DataFrame, chosen: pl.DataFrame, currency: str) -> str:
    best = chosen.row(0, named=True)
    if not _split(best["members"]):
        return "No set of strategies is expected to bring more than doing nothing"
    within = "" if table["affordable"].all() else " within the budget"
    subject = f"Best{within}: {best['title']}, {money(best['npv'], currency)}"
    others = table.filter(~pl.col("chosen") & pl.col("affordable"))
    near = others.filter(pl.col("gap") <= 2.0 * pl.col("gap_mc_error")).height
    if near:
        return f"{subject}; {counted(near)} other {'set is' if near == 1 else 'sets are'} too near to tell apart"
    return f"{subject}; clearly more than any other" if others.height else subject


def _alt_text(table: pl.DataFrame, currency: str) -> str:
    efficient = table.filter("efficient").sort("cvar", descending=True)
    alt_text = [
        f"{title}: {money(npv, currency)} expected, {money(cvar, currency)} in the worst tenth"
        for title, npv, cvar in efficient.select("title", "npv", "cvar").iter_rows()
    ]
    over = table.filter(~pl.col("affordable"))["title"].to_list()
    rest = f" Over the budget: {joined(over)}." if over else ""
    return f"Sets that no other beats in both, from the safest on. {'; '.join(alt_text)}.{rest}"


# So many simulation errors apart, two sets are told apart: by luck alone that happens once in twenty times.
_APART = 2.0


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
        One row per set. Two sets are told apart when their difference in the same draws is larger than two simulation
        errors.

    Raises
    ------
    TableError
        For a table that is not under `PORTFOLIO`, or in which not exactly one set is chosen.
    """
    rows = check(portfolio, PORTFOLIO).rows(named=True)
    chosen = [row for row in rows if row["chosen"]]
    if len(chosen) != 1:
        raise TableError(f"PORTFOLIO: {len(chosen)} of {len(rows)} sets are chosen; it must be one.")
    heads = {
        "outlay": f"Spend, {currency}",
        "npv": f"Net present value, {currency}",
        "interval": INTERVAL,
        "worst": "Mean of the worst tenth",
        "chance": "Chance of a gain",
        "interaction": "More than its parts alone",
        "gap": "Less than the best, same draws",
        "remark": "Remark",
    }
    title = _portfolio_finding(chosen[0], rows, budget is not None or not all(row["affordable"] for row in rows))
    layout = laid_out(
        pl.DataFrame([_cells(row) for row in rows], schema=dict.fromkeys(["line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=_subtitle(currency, budget),
        heads=heads,
        text=("remark",),
        notes=_notes(int(chosen[0]["draws"])),
    )
    return Table(id="portfolio", title=title, layout=layout, twin=portfolio)


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["title"],
        number(row["outlay"]),
        *(_figures(row) if row["members"] else ["0", "", "", ""]),
        number(row["interaction"]) if "," in row["members"] else "",
        "" if row["chosen"] else f"{number(row['gap'])} ± {number(row['gap_mc_error'])}",
        "; ".join(_remarks(row)),
    ]


def _figures(row: Mapping[str, Any]) -> list[str]:
    together = precision([row[name] for name in ("npv", "low", "high", "cvar")])
    return [
        f"{together.text(row['npv'])} ± {number(row['npv_mc_error'])}",
        f"{together.bare(row['low'])} to {together.text(row['high'])}",
        together.text(row["cvar"]),
        percent(row["prob_npv_positive"]),
    ]


def _remarks(row: Mapping[str, Any]) -> list[str]:
    remarks = ["best"] if row["chosen"] else []
    if not row["affordable"]:
        remarks.append("over budget")
    elif not row["chosen"] and not _apart(row):
        remarks.append("not told apart")
    if row["efficient"]:
        remarks.append("efficient")
    return remarks


def _apart(row: Mapping[str, Any]) -> bool:
    return float(row["gap"]) > _APART * float(row["gap_mc_error"])


def _portfolio_finding(best: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], limited: bool) -> str:  # noqa: FBT001 - a fact
    within = " within the budget" if limited else ""
    others = [row for row in rows if row["affordable"] and not row["chosen"]]
    opening = f"{best['title']} {'brings' if best['members'] else 'is expected to bring'} most{within}"
    if not others:
        return f"{opening}; there is no other set to compare it with"
    following = min(others, key=lambda row: (float(row["gap"]), str(row["name"])))
    if _apart(following):
        return f"{opening}, more than two simulation errors ahead of the next, {following['title']}"
    near = sum(not _apart(row) for row in others)
    if near == 1:
        return f"{opening}, but the draws do not tell it apart from {following['title']}"
    return f"{opening}, but the draws do not tell it apart from {near} other sets"


def _subtitle(currency: str, budget: float | None) -> str:
    limit = "" if budget is None else f"; budget {money(budget, currency)}, as a present value"
    return f"Each set played together, against doing nothing; in today's {currency}{limit}"


def _notes(draws: int) -> tuple[str, ...]:
    return (
        (
            f"All sets are compared in the same {localise(f'{draws:,}')} draws, so that the luck they share does not "
            "count; ±: simulation error of a mean or of a difference of means. A difference of more than two of its "
            "errors tells sets apart."
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
