"""Sets of strategies by risk and value: a table under PORTFOLIO in, a figure and a table out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.finance.returns import BEYOND
from cxsim.reporting.tables import (
    MEAN,
    QUANTILES,
    TAIL,
    Column,
    Row,
    Table,
    TableSpec,
    chance_of_positive_npv,
    interval,
)
from cxsim.reporting.theme import (
    BASELINE,
    GROUND,
    INK,
    QUIET,
    WIDTH,
    Figure,
    colours,
    either,
    framed,
    largest,
    money_axis,
    rounded,
    tooltips,
    with_texts,
)
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.tables import check
from cxsim.wording import INTERVAL, WORST, counted, figure, joined, labelled, money

_INDENT = 70
_WIDE, _HEIGHT = WIDTH - _INDENT, 340
# Margin around the points, as a share of their span.
_MARGIN = 0.09
_KEY_TOP, _KEY_ROW = 66, 20
# Of more sets than this only those that matter most have words; all have a tooltip.
_WORDED = 16
_BETWEEN = re.compile(r"[\s,;+&|]+")
_NEAR = pl.col("gap") <= BEYOND * pl.col("gap_mc_error")
_OTHERS = pl.col("affordable") & ~pl.col("chosen")
# Sizes in pixels of the letters beside points.
_LETTER, _LINE = 7.2, 14.0
_POINT = 9.0
# Directions that are tried, the most readable first, and how far out.
_WAYS = ((1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1))
_STEPS = (12.0, 20.0, 30.0, 44.0)
# Left, top, right and bottom in pixels.
_Box = tuple[float, float, float, float]


def efficient_frontier(portfolio: pl.DataFrame, currency: str) -> Figure:
    """Draw every set of strategies by its expected NPV and its expected NPV in the worst 10 %.

    Parameters
    ----------
    portfolio
        Table under `PORTFOLIO`, with at least one set; `members` are identifiers of strategies with a comma, a plus
        sign or a space between them, and none for no programme. Each strategy has its letter and its colour by its
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
    key = _key(portfolio)
    points = rounded(_placed(_points(portfolio, key)))
    few = f" Of {portfolio.height} sets, those on the line and single strategies are named."
    shown = (
        f"Vertical: expected NPV against the no-programme baseline, {currency}; strokes: two simulation errors. "
        f"Horizontal: expected NPV in the {WORST} (CVaR). Line: efficient sets. Hollow: over the budget. Ring: "
        f"the best set.{few if portfolio.height > _WORDED else ''}"
    )
    return framed(
        alt.layer(*_axes(points, currency), *_marks(points), *_key_marks(key)),
        finding=_frontier_finding(portfolio, chosen, currency),
        shown=shown,
        alt_text=_alt_text(portfolio, currency),
        width=_WIDE,
        height=_HEIGHT,
    )


def portfolio_table(portfolio: pl.DataFrame, currency: str, budget: float | None = None) -> Table:
    """Lay out investment, NPV and risk of sets of strategies, beside no programme, and say how sure the choice is.

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
    limit = "" if budget is None else f"; budget {labelled(money(budget, currency), 'budget')}"
    title = _table_finding(portfolio, chosen, limited=limited)
    spec = replace(_PORTFOLIO, title=lambda _: title, subtitle=f"{_PORTFOLIO.subtitle}{limit}")
    return spec.render(portfolio, currency)


def _chosen(portfolio: pl.DataFrame) -> Row:
    chosen = check(portfolio, PORTFOLIO).filter("chosen").rows(named=True)
    if len(chosen) != 1:
        raise TableError(f"PORTFOLIO: {len(chosen)} of {portfolio.height} sets are chosen; it must be one.")
    return chosen[0]


def _split(members: str) -> list[str]:
    return [member for member in _BETWEEN.split(members) if member]


def _key(table: pl.DataFrame) -> pl.DataFrame:
    """Return the strategies in the order of the scenario, each with its letter and its colour."""
    singles = table.drop_nulls("place").sort("place")
    known = singles["members"].to_list()
    for member in (member for members in table["members"] for member in _split(members)):
        if member not in known:
            raise TableError(f"PORTFOLIO: strategy '{member}' has no place of its own; {choices(member, known)}")
    letters = [ascii_uppercase[n % 26] + (str(n // 26) if n >= 26 else "") for n in range(len(known))]
    return singles.select(
        "members",
        pl.Series("letter", letters, dtype=pl.String),
        strategy="title",
        _colour=pl.Series(colours(known)["range"], dtype=pl.String),
        _rise=_HEIGHT + _KEY_TOP + _KEY_ROW * pl.int_range(pl.len()),
    )


def _points(table: pl.DataFrame, key: pl.DataFrame) -> pl.DataFrame:
    letters, shades = (dict(key["members", column].rows()) for column in ("letter", "_colour"))

    def label(row: Row) -> str:
        own = _split(row["members"])
        if table.height > _WORDED and len(own) > 1 and not (row["efficient"] or row["chosen"]):
            return ""
        return " + ".join(letters[member] for member in own) or "No programme"

    def colour(row: Row) -> str:
        own = _split(row["members"])
        return INK if len(own) > 1 else shades.get("".join(own), BASELINE)

    error = BEYOND * pl.col("npv_mc_error")
    return with_texts(table, {"_label": label, "_colour": colour}).select(
        pl.col("title").alias("set"),
        *("cvar", "npv"),
        error.alias("error"),
        *("investment", "efficient", "affordable", "chosen", "_label", "_colour"),
        _low=pl.col("npv") - error,
        _high=pl.col("npv") + error,
    )


def _domain(points: pl.DataFrame, low: str, high: str) -> list[float]:
    """Return the ends of a scale; zero, where the baseline is, lies always between them."""
    least, most = min(0.0, *points[low]), max(0.0, *points[high])
    margin = _MARGIN * (most - least) or 1.0
    return [least - margin, most + margin]


def _placed(points: pl.DataFrame) -> pl.DataFrame:
    """Return the points with a place for the letters of each, chosen one after the other.

    It is the nearest that is clear of other points, of letters placed before and of the rules at zero.
    """
    (left, right), (bottom, top) = _domain(points, "cvar", "cvar"), _domain(points, "_low", "_high")
    across, down = _WIDE / (right - left), _HEIGHT / (top - bottom)
    dots = [
        ((x - left) * across, (top - y) * down, error * down, label)
        for x, y, error, label in points["cvar", "npv", "error", "_label"].rows()
    ]
    taken = [_box(x, y, _POINT, max(reach, _POINT)) for x, y, reach, _ in dots]
    taken += [_box(-left * across, _HEIGHT / 2.0, 1.0, _HEIGHT / 2.0), _box(_WIDE / 2.0, top * down, _WIDE / 2.0, 1.0)]
    frame = (0.0, 0.0, float(_WIDE), float(_HEIGHT))
    places = []
    for x, y, _, label in dots:
        half = _LETTER * len(label) / 2.0
        tried = [
            _box(x + way * (step + half), y + rise * (step + (0.0 if way else _LINE / 2.0)), half, _LINE / 2.0)
            for step in _STEPS
            for way, rise in _WAYS
        ]
        best = min(tried, key=lambda box: _cover(box, taken) + _cover(box, [box]) - _cover(box, [frame]))
        taken.append(best)
        places.append((round((best[0] + best[2]) / 2.0, 1), round((best[1] + best[3]) / 2.0, 1)))
    return points.with_columns(pl.DataFrame(places, schema={"_x": pl.Float64, "_y": pl.Float64}, orient="row"))


def _box(x: float, y: float, half_width: float, half_height: float) -> _Box:
    return x - half_width, y - half_height, x + half_width, y + half_height


def _cover(box: _Box, others: Sequence[_Box]) -> float:
    """Return how much of a box lies in others."""
    area = 0.0
    for other in others:
        across, down = (min(box[side + 2], other[side + 2]) - max(box[side], other[side]) for side in (0, 1))
        area += max(across, 0.0) * max(down, 0.0)
    return area


def _axes(points: pl.DataFrame, currency: str) -> list[alt.Chart]:
    most = largest(points, ("cvar", "_low", "_high"))
    ends = _domain(points, "cvar", "cvar"), _domain(points, "_low", "_high")
    xs, ys = (alt.Scale(domain=each, nice=False) for each in ends)
    worst = f"Expected NPV in the {WORST} (CVaR), {currency}; lower risk to the right"
    expected = f"Expected NPV, {currency}"
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
        "npv:Q": "Expected NPV",
        "error:Q": "Two standard errors",
        "cvar:Q": f"Expected NPV, {WORST}",
        "investment:Q": "Investment",
    }
    dot = drawn.mark_point(strokeWidth=2, opacity=1, aria=False).encode(
        fill=alt.condition("datum.affordable", alt.Fill("_colour:N", scale=None), alt.value(GROUND)),
        stroke=stroke,
        size=either("datum.efficient", 150, 60),
        tooltip=tooltips(tips),
    )
    text = alt.Chart(points).encode(x=alt.X("_x:Q", scale=None), y=alt.Y("_y:Q", scale=None), text="_label:N")
    return [
        drawn.mark_rule(strokeWidth=2, aria=False).encode(y="_low:Q", y2="_high:Q", stroke=stroke),
        drawn.transform_filter("datum.chosen").mark_point(size=420, stroke=INK, strokeWidth=1.6, aria=False),
        dot,
        text.mark_text(stroke=GROUND, strokeWidth=4, fontSize=12, fontWeight="bold", aria=False),
        text.mark_text(color=INK, fontSize=12, fontWeight="bold", aria=False),
    ]


def _key_marks(key: pl.DataFrame) -> Sequence[alt.Chart]:
    """Return what each letter stands for, below the figure."""
    drawn = alt.Chart(key.drop("members")).encode(y=alt.Y("_rise:Q", scale=None))
    dot = drawn.mark_point(filled=True, size=90, opacity=1, aria=False)
    letter = drawn.mark_text(align="left", baseline="middle", fontWeight="bold", aria=False)
    text = drawn.mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    return (
        dot.encode(x=alt.value(6), color=alt.Color("_colour:N", scale=None)),
        letter.encode(x=alt.value(18), text="letter:N"),
        text.encode(x=alt.value(38), text="strategy:N"),
    )


def _frontier_finding(table: pl.DataFrame, best: Row, currency: str) -> str:
    if not best["members"]:
        return "No set of programmes has a positive expected NPV"
    within = "" if table["affordable"].all() else " within the budget"
    npv = labelled(money(best["npv"], currency), "npv", best["members"], MEAN)
    opening = f"Highest expected NPV{within}: {best['title']}, {npv}"
    others = table.filter(_OTHERS)
    near = others.filter(_NEAR).height
    if near:
        return f"{opening}; no clear difference from {counted(near)} other {'set' if near == 1 else 'sets'}"
    return f"{opening}; clearly higher than any other" if others.height else opening


def _alt_text(table: pl.DataFrame, currency: str) -> str:
    efficient = table.filter("efficient").sort("cvar", descending=True)["title", "npv", "cvar"].rows()
    sets = [
        f"{title}: {money(npv, currency)} expected, {money(cvar, currency)} in the {WORST}"
        for title, npv, cvar in efficient
    ]
    over = table.filter(~pl.col("affordable"))["title"].to_list()
    rest = f" Over the budget: {joined(over)}." if over else ""
    return f"Efficient sets, from the lowest risk up. {'; '.join(sets)}.{rest}"


def _table_finding(portfolio: pl.DataFrame, best: Row, *, limited: bool) -> str:
    within = " within the budget" if limited else ""
    others = portfolio.filter(_OTHERS).sort("gap", "name")
    opening = f"{best['title'] if best['members'] else 'Funding no programme'} has the highest expected NPV{within}"
    if others.is_empty():
        return f"{opening}; there is no other set to compare it with"
    following, near = others["title"][0], others.filter(_NEAR).height
    if not others.select(_NEAR).item(0, 0):
        return f"{opening}, more than two simulation errors above the next, {following}"
    return f"{opening}; no clear difference from {following if near == 1 else f'{counted(near)} other sets'}"


def _notes(portfolio: pl.DataFrame) -> tuple[str, ...]:
    counts = portfolio["draws"].unique().sort(descending=True).to_list()
    draws, *fewer = (labelled(figure(count), f"draws_{place}") for place, count in enumerate(counts))
    of_sets = f", combinations in {joined(fewer)} of them" if fewer else ""
    singles = portfolio["place"].drop_nulls().len()
    over = "" if portfolio["affordable"].all() else " Over budget: its expected investment exceeds the budget."
    left_out = " Combinations far over the budget are not simulated." if portfolio.height < 2**singles else ""
    return (
        (
            f"Programmes are simulated in {draws} draws{of_sets}; differences are taken in the same draws. ±: "
            f"simulation error. A difference is clear when it exceeds two of its own simulation errors.{left_out}"
        ),
        (
            f"Expected NPV in the {WORST} (CVaR): mean NPV of the tenth of draws in which a set does worst. "
            "Efficient: no other set has both a higher expected NPV and a higher CVaR."
        ),
        (
            "Interaction: NPV of the set less the sum of the NPVs of its programmes; negative where they act on the "
            f"same customers or orders.{over}"
        ),
    )


def _in_words(row: Row) -> Row:
    """Return the remarks on a set, and nothing where there is nothing to say."""
    remarks = {"best": row["chosen"], "over budget": not row["affordable"]}
    remarks |= {"no clear difference": row["near"], "efficient": row["efficient"]}
    # Without a programme nothing is spent and nothing is uncertain.
    nothing = {} if row["members"] else dict.fromkeys(("npv_mc_error", "low", "prob_npv_positive"))
    missing = {} if "," in row["members"] else {"interaction": None}
    return {**row, **nothing, **missing, "remark": "; ".join(remark for remark, holds in remarks.items() if holds)}


_PORTFOLIO = TableSpec(
    id="portfolio",
    title="",
    subtitle="Programmes of a set run together, against the no-programme baseline; present values in {currency}",
    rows=lambda portfolio: map(_in_words, portfolio.with_columns(near=_OTHERS & _NEAR).rows(named=True)),
    line="title",
    columns={
        "investment": Column("Investment, {currency}"),
        "npv": Column("Expected NPV, {currency}", error="npv_mc_error"),
        "npv_interval": Column(INTERVAL, interval("low", "high"), estimator=QUANTILES),
        "cvar": Column(f"Expected NPV, {WORST}", estimator=TAIL),
        "prob_npv_positive": Column(
            "Chance of a positive NPV", lambda row: None if row["low"] is None else chance_of_positive_npv(row)
        ),
        "interaction": Column("Interaction"),
        "remark": Column("Remark", align="text"),
    },
    notes=_notes,
    estimator=MEAN,
)
