"""How large effects must be that nobody has measured: tables under BREAK_EVEN in; sentences and a table out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.tables import Card, Prose, Table, Tone, in_cards, laid_out, remark
from cxsim.reporting.theme import INK, QUIET, WIDTH, Figure, balanced, colours, framed, money_axis, rounded
from cxsim.tables import BREAK_EVEN, CURVE, check
from cxsim.wording import (
    INTERVAL,
    NBSP,
    counted,
    figure,
    in_words,
    joined,
    localise,
    money,
    number,
    percent,
    searched,
    sized,
)

Verdict = Literal["from a size on", "nowhere", "everywhere"]
_ALT_TEXT = 3
_UNMEASURED = "Nobody has measured this effect; only a test can say how large it is."
_LOOKS: Mapping[Verdict, tuple[Tone, str]] = {
    "from a size on": ("pilot", "Test first"),
    "nowhere": ("reject", "Does not pay"),
    "everywhere": ("fund", "Pays at every size"),
}


def must_be_true(break_even: pl.DataFrame, currency: str) -> Prose:
    """Say in words what must be true for each strategy to pay.

    Parameters
    ----------
    break_even
        Table under `BREAK_EVEN`, with at least one row.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A lead sentence, one paragraph with a badge per strategy, and one line on how to read them.

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVEN`, or is empty.
    """
    rows = check(break_even, BREAK_EVEN).rows(named=True)
    if not rows:
        raise TableError("BREAK_EVEN: no strategy; a search needs at least one row.")
    cards = [Card(*_LOOKS[_verdict(row)], row["title"], _sentences(row, currency)) for row in rows]
    lead = f"{_pays(rows[0])}. Nobody has measured whether it is." if len(rows) == 1 else f"{_finding(break_even)}."
    return in_cards(lead, cards, _aid(rows[0]["draws"], currency))


def break_even_table(break_even: pl.DataFrame, currency: str) -> Table | Prose:
    """List what must be true for strategies to pay whose effect nobody has measured.

    Parameters
    ----------
    break_even
        Table under `BREAK_EVEN`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per strategy; one sentence where no effect was searched.

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVEN`.
    """
    table = check(break_even, BREAK_EVEN)
    if table.is_empty():
        return remark(
            "No effect was only searched here: each is believed within a range, which the assumptions below name."
        )
    heads = {
        "pays": "Pays at",
        "effect": "What is searched",
        "unit": "Unit",
        "range": "Searched between",
        "low": f"NPV at the first, {currency}",
        "high": f"NPV at the second, {currency}",
    }
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame(
            [_cells(row, currency) for row in table.rows(named=True)],
            schema=dict.fromkeys(["line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="Nobody has measured these effects: this is what must be true, not what is believed",
        heads=heads,
        text=("effect", "unit", "pays"),
        notes=(
            f"NPV: net present value over doing nothing, in today's {currency}; mean over all else that is uncertain.",
            (
                f"A ratio compares with doing nothing: 1 is no effect, {figure(0.9, 'g')} is ten per cent less, "
                f"{figure(1.1, 'g')} ten per cent more."
            ),
        ),
    )
    return Table(id="break-even", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    return [
        row["title"],
        _answer(row),
        searched(row["description"]),
        row["unit"].replace("money", currency),
        f"{low} and {high}",
        number(row["npv_low"]),
        number(row["npv_high"]),
    ]


def _answer(row: Mapping[str, Any]) -> str:
    match _verdict(row):
        case "from a size on":
            size = f"{_bare(row, row['break_even'])} {_side(row)}"
            return f"{size}: {_how_large(row)}" if row["unit"] == "ratio" else size
        case "nowhere":
            return "neither end"
        case "everywhere":
            return "both ends"


def _sentences(row: Mapping[str, Any], currency: str) -> str:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    ends = (
        f"At {low} it brings {money(row['npv_low'], currency)}, at {high} {money(row['npv_high'], currency)}, on "
        "average over all else that is uncertain."
    )
    what = f"{searched(row['description'])} ({row['unit']}, {low} to {high})"
    return f"Searched: {what}. Pays at {_answer(row)}. {ends} {_UNMEASURED}"


def _pays(row: Mapping[str, Any]) -> str:
    low, high = (_bare(row, row[name]) for name in ("searched_low", "searched_high"))
    match _verdict(row):
        case "from a size on":
            return f"{row['title']} pays if this is {_how_large(row)}: {_lowered(searched(row['description']))}"
        case "nowhere":
            return f"{row['title']} pays at neither end of what was searched, {low} to {high}"
        case "everywhere":
            return f"{row['title']} pays at both ends of what was searched, {low} to {high}"


def _finding(table: pl.DataFrame) -> str:
    rows = table.rows(named=True)
    if len(rows) == 1:
        return _pays(rows[0])
    groups: dict[Verdict, list[str]] = {}
    for row in rows:
        groups.setdefault(_verdict(row), []).append(row["title"])
    words: Mapping[Verdict, str] = {
        "from a size on": "pays if the effect is large enough",
        "everywhere": "pays at both ends of what was searched",
        "nowhere": "pays at neither end of what was searched",
    }
    alt_text = [
        f"{_named(groups[verdict])} {_plural(verb, groups[verdict])}"
        for verdict, verb in words.items()
        if verdict in groups
    ]
    return "; ".join(alt_text)


def _named(titles: list[str]) -> str:
    return joined(titles) if len(titles) <= _ALT_TEXT else f"{counted(len(titles)).capitalize()} strategies"


def _plural(verb: str, titles: list[str]) -> str:
    return verb if len(titles) == 1 else verb.replace("pays", "pay", 1)


def _verdict(row: Mapping[str, Any]) -> Verdict:
    if row["break_even"] is not None:
        return "from a size on"
    return "everywhere" if row["npv_low"] > 0.0 else "nowhere"


def _side(row: Mapping[str, Any]) -> str:
    return "or more" if row["npv_high"] > row["npv_low"] else "or less"


def _bare(row: Mapping[str, Any], size: float) -> str:
    return sized(size, row["unit"], row["searched_high"] - row["searched_low"])


def _unit(row: Mapping[str, Any]) -> str:
    plain = row["unit"] in {"ratio", "exponent"} or row["unit"].startswith("share")
    return "" if plain else f"{NBSP}{row['unit']}"


def _how_large(row: Mapping[str, Any]) -> str:
    """Return from which size on it pays; a ratio as a difference in per cent, as readers think of it."""
    change = 100.0 * (row["break_even"] - 1.0)
    if row["unit"] != "ratio":
        return f"{_bare(row, row['break_even'])}{_unit(row)} {_side(row)}"
    size = localise(f"{abs(change):.0f}" if abs(change) >= 10.0 else f"{abs(change):.1f}")
    better = (change > 0.0) == (_side(row) == "or more")
    return f"{'at least' if better else 'at most'} {size}{NBSP}% {'higher' if change > 0.0 else 'lower'}"


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _aid(draws: int, currency: str) -> str:
    return (
        "How to read this: the strategy is compared with doing nothing, for the same customers and under the same "
        f"luck, in {localise(f'{draws:,}')} draws of all else that is uncertain under each model of leaving; only the "
        f"searched number is set by hand. Amounts are in today's {currency}."
    )


_HEIGHT = 220
# Columns of the words at the break-even, of which one is filled; from so far to the right on, they stand to its left.
_SIDES = ("_left", "_right")
_ROOM = 0.6
_HEAD_CHARACTERS = 92
# The head of a panel has a line for the strategy and one or two for its effect.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_LINES = f"split(datum.label, '{_BREAK}')"


def npv_by_size(curve: pl.DataFrame, break_even: pl.DataFrame, currency: str) -> Figure:
    """Draw the net present value of each strategy over the size of its effect, and the size from which it pays.

    Parameters
    ----------
    curve
        Table under `CURVE`, with at least one strategy.
    break_even
        Table under `BREAK_EVEN`, of the same strategies.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy: the mean with its 90 % interval, a rule at zero, and one at the break-even, if any.

    Raises
    ------
    TableError
        For tables that are not under `CURVE` and `BREAK_EVEN`.
    """
    known = {str(row["strategy"]): row for row in check(break_even, BREAK_EVEN).rows(named=True)}
    points = rounded(_points(check(curve, CURVE), known, currency))
    alt_text = " ".join(
        f"{name}, at {size}: {value}." for name, size, value in points.select("name", "at", "value").iter_rows()
    )
    shown = (
        f"Net present value over doing nothing, {currency}, if the effect had that size. Line: mean over draws of all "
        f"else that is uncertain; band: {INTERVAL}. Nobody has measured the effect."
    )
    finding = _by_size_finding(list(known.values()))
    return framed(_panels(points, currency), finding=finding, shown=shown, alt_text=alt_text)


def _points(curve: pl.DataFrame, known: Mapping[str, Mapping[str, Any]], currency: str) -> pl.DataFrame:
    """Return the curve with a head for each panel, values in words, and words at the break-even of each strategy."""
    alt_text: list[dict[str, str]] = []
    for row in curve.rows(named=True):
        search = known[row["strategy"]]
        effect = f"{searched(row['description'])} ({row['unit']})"
        marks = dict.fromkeys(_SIDES, "")
        if row["size"] == search["break_even"]:
            marks[_by_size_side(search)] = f"Pays {_from(search)}"
        alt_text.append(
            {
                **marks,
                "_head": _BREAK.join([row["title"], *balanced(effect, _HEAD_CHARACTERS)]),
                "value": in_words(row["npv"], row["low"], row["high"], currency=currency),
                "at": sized(row["size"], row["unit"], search["searched_high"] - search["searched_low"]),
            }
        )
    words = pl.DataFrame(alt_text, schema=dict.fromkeys(("_head", "value", "at", *_SIDES), pl.String))
    shown = curve.select("strategy", "size", "npv", "low", "high", name="title")
    return pl.concat([shown, words], how="horizontal")


def _by_size_finding(rows: Sequence[Mapping[str, Any]]) -> str:
    pays = [row for row in rows if row["break_even"] is not None]
    if not pays:
        both = all(row["npv_low"] > 0.0 for row in rows)
        return "Pays at both ends of what was searched" if both else "No break-even within what was searched"
    if len(rows) <= _ALT_TEXT:
        return joined([f"{row['title']}: pays {_from(row)}" for row in pays])
    return f"{len(pays)} of {len(rows)} strategies pay from a size on that was searched"


def _from(search: Mapping[str, Any]) -> str:
    size = sized(search["break_even"], search["unit"], search["searched_high"] - search["searched_low"])
    return f"at {size} or {'more' if search['npv_high'] > search['npv_low'] else 'less'}"


def _panels(points: pl.DataFrame, currency: str) -> Figure:
    names = points["name"].unique(maintain_order=True).to_list()
    heads = points["_head"].unique(maintain_order=True).to_list()
    largest = float(points.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest)
    sizes = alt.X(
        "size:Q", title="Size of the effect", axis=alt.Axis(tickCount=6), scale=alt.Scale(zero=False, nice=False)
    )
    colour = alt.Color("name:N", scale=colours(names), legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("at:N", title="Size"),
        alt.Tooltip("value:N", title=f"Mean ({INTERVAL})"),
    ]
    drawn = alt.Chart().encode(x=sizes, color=colour)
    band = drawn.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", axis=amounts), y2="high:Q")
    line = drawn.mark_line(strokeWidth=2.5).encode(y=alt.Y("npv:Q", axis=amounts))
    point = drawn.mark_point(filled=True, size=70, opacity=1).encode(y=alt.Y("npv:Q", axis=amounts), tooltip=tooltip)
    zero = alt.Chart().mark_rule(color=INK).encode(y=alt.datum(0))
    marks = [part for side in _SIDES for part in _marked(side, sizes)]
    header = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4, labelLimit=WIDTH, labelExpr=_LINES)
    rows = alt.Row("_head:N", sort=heads, title=None, header=header)
    layers = alt.layer(band, zero, line, point, *marks, data=points).properties(width=WIDTH, height=_HEIGHT)
    panels: Figure = layers.facet(row=rows, spacing=24).resolve_scale(x="independent", y="independent")
    return panels


def _marked(side: str, sizes: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """Return the stroke at the break-even, and the words on the side of it where there is room for them."""
    # No row is filtered out: a layer without rows would have no extent, of which browsers complain.
    stroke = alt.Chart().mark_rule(color=QUIET, strokeDash=[4, 3])
    seen = alt.condition(f"datum.{side} !== ''", alt.value(1.0), alt.value(0.0))
    align: Literal["left", "right"] = "left" if side == "_right" else "right"
    words = alt.Chart().mark_text(align=align, baseline="top", dx=6 if align == "left" else -6, dy=2, fontWeight="bold")
    return stroke.encode(x=sizes, opacity=seen), words.encode(x=sizes, y=alt.value(0), text=f"{side}:N")


def _by_size_side(search: Mapping[str, Any]) -> str:
    low, high, root = search["searched_low"], search["searched_high"], search["break_even"]
    return "_left" if root > low + _ROOM * (high - low) else "_right"


# The ends of a 90 % range, and of the 98 % range within which break-evens are searched.
_WITHIN, _EDGE = 1.6448536269514722, 2.3263478740408408


def plausible(score: float | None) -> str:
    r"""Return how plausible a value is, with the chance that the truth lies there or farther out."""
    if score is None:
        return "nowhere within what is believed"
    chance = percent(0.5 * math.erfc(abs(score) / math.sqrt(2.0)))
    if abs(score) <= _WITHIN:
        return f"within what is believed ({chance} chance)"
    where = "at the edge of what is believed" if abs(score) <= _EDGE else "beyond what is believed"
    return f"{where} ({chance} chance)"
