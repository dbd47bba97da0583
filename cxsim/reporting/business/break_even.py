"""How large effects must be that nobody has measured: tables under BREAK_EVEN in; cards, a table and a figure out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.tables import MEAN, Column, Prose, Row, Table, TableSpec, headed
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    balanced,
    distinct,
    either,
    framed,
    largest,
    money_axis,
    names_of,
    read_out,
    rounded,
    strategy_colour,
    subject,
    tooltips,
    with_texts,
)
from cxsim.tables import BREAK_EVEN, CURVE, check
from cxsim.wording import (
    INTERVAL,
    NBSP,
    counted,
    figure,
    in_html,
    in_words,
    joined,
    labelled,
    lowered,
    money,
    percent,
    searched,
    sized,
    unlabelled,
)

_Verdict = Literal["from a size on", "nowhere", "everywhere"]
# So many strategies are named one by one in a title.
_NAMED = 3
_LOOKS: Mapping[_Verdict, tuple[Tone, str]] = {
    "from a size on": ("pilot", "Test first"),
    "nowhere": ("reject", "Does not pay"),
    "everywhere": ("fund", "Pays at every size"),
}
_HEIGHT = 220
# From so far to the right on, the words at a break-even stand to its left.
_LEFT_FROM = 0.6
_HEAD_CHARACTERS = 92
# The head of a panel has a line for the strategy and one or two for its effect.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
# The ends of a 90 % range, and of the 98 % range within which break-evens are searched.
WITHIN, _EDGE = 1.6448536269514722, 2.3263478740408408


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
    cards = break_even_cards(break_even, currency)
    lead = f"{_pays(rows[0])}. No evidence says whether it is." if len(rows) == 1 else f"{_finding(break_even)}."
    aid = (
        "Each strategy is compared with a no-programme baseline on the same simulated customers, in "
        f"{labelled(figure(rows[0]['draws']), 'draws')} draws of everything else that is uncertain under each dropout "
        f"model. Only the tested effect is set by hand. Amounts are present values in {currency}."
    )
    return in_cards(lead, cards, aid)


def break_even_cards(break_even: pl.DataFrame, currency: str) -> list[Card]:
    """Return one card for each strategy whose effect nobody has measured."""
    rows = check(break_even, BREAK_EVEN).rows(named=True)
    return [Card(*_LOOKS[_verdict(row)], row["title"], _sentences(row, currency)) for row in rows]


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
    """
    return _BREAK_EVEN.render_or_remark(break_even, currency)


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
    """
    points = rounded(_points(check(curve, CURVE), check(break_even, BREAK_EVEN), currency))
    shown = (
        f"NPV against the no-programme baseline, {currency}, if the effect had that size. Line: mean over draws of "
        f"everything else that is uncertain; band: {INTERVAL}. The effect has not been measured."
    )
    finding = _sizes_finding(break_even.rows(named=True))
    alt_text = read_out(points, "{name}, at {at}: {value}.")
    return framed(_panels(points, currency), finding=finding, shown=shown, alt_text=alt_text)


def plausible(score: float | None) -> str:
    """Return how plausible a value is, with the chance that the truth lies there or farther out."""
    if score is None:
        return "nowhere within its plausible range"
    chance = percent(0.5 * math.erfc(abs(score) / math.sqrt(2.0)))
    where = "within" if abs(score) <= WITHIN else "just outside" if abs(score) <= _EDGE else "beyond"
    return f"{where} its plausible range ({chance} chance of reaching it)"


_ENDS: Mapping[_Verdict, str] = {"nowhere": "neither end", "everywhere": "both ends"}


def _verdict(row: Row) -> _Verdict:
    if row["break_even"] is not None:
        return "from a size on"
    return "everywhere" if row["npv_low"] > 0.0 else "nowhere"


def _size(row: Row, name: str) -> str:
    return sized(row[name], row["unit"], row["searched_high"] - row["searched_low"])


def _or(row: Row) -> str:
    """Return the break-even and the side of it on which the strategy pays."""
    return f"{_size(row, 'break_even')} or {'more' if row['npv_high'] > row['npv_low'] else 'less'}"


def _how_large(row: Row) -> str:
    """Return from which size on it pays; a ratio as a difference in per cent, as readers think of it."""
    if row["unit"] != "ratio":
        bare = row["unit"] == "exponent" or row["unit"].startswith("share")
        return _or(row) if bare else _or(row).replace(" or ", f"{NBSP}{row['unit']} or ")
    change = 100.0 * (row["break_even"] - 1.0)
    size = figure(abs(change), ".0f" if abs(change) >= 10.0 else ".1f")
    better = (change > 0.0) == (row["npv_high"] > row["npv_low"])
    return f"{'at least' if better else 'at most'} {size}{NBSP}% {'higher' if change > 0.0 else 'lower'}"


def _answer(row: Row) -> str:
    if row["break_even"] is None:
        return _ENDS[_verdict(row)]
    return f"{_or(row)}: {_how_large(row)}" if row["unit"] == "ratio" else _or(row)


def _sentences(row: Row, currency: str) -> str:
    def said(text: str, quantity: str, estimator: str = MEAN) -> str:
        return labelled(text, quantity, row["strategy"], estimator)

    low, high = (said(_size(row, f"searched_{end}"), f"range_{end}", "given") for end in ("low", "high"))
    answer = said(_answer(row), "break_even")
    needs = f"Needs {answer}" if row["break_even"] is not None else f"Pays at {answer}"
    effect = said(lowered(searched(row["description"])), "assumption", "given")
    return (
        f"{needs} ({effect}). No evidence yet. Range tested: {low}, with an expected NPV of "
        f"{said(money(row['npv_low'], currency), 'npv_at_low')}, to {high}, with "
        f"{said(money(row['npv_high'], currency), 'npv_at_high')}. Only a test can show how large the effect is."
    )


def _pays(row: Row) -> str:
    if row["break_even"] is not None:
        return f"{row['title']} pays if this is {_how_large(row)}: {lowered(searched(row['description']))}"
    low, high = _size(row, "searched_low"), _size(row, "searched_high")
    return f"{row['title']} pays at {_ENDS[_verdict(row)]} of the range tested, {low} to {high}"


def _finding(table: pl.DataFrame) -> str:
    rows = table.rows(named=True)
    if len(rows) == 1:
        return _pays(rows[0])
    where: Mapping[_Verdict, str] = {
        "from a size on": "if the effect is large enough",
        "everywhere": "at both ends of the range tested",
        "nowhere": "at neither end of the range tested",
    }
    parts = []
    for verdict, words in where.items():
        titles = [row["title"] for row in rows if _verdict(row) == verdict]
        if len(titles) > _NAMED:
            parts.append(f"{counted(len(titles)).capitalize()} strategies pay {words}")
        elif titles:
            parts.append(f"{subject(titles, 'pays', 'pay')} {words}")
    return "; ".join(parts)


_BREAK_EVEN = TableSpec(
    id="break-even",
    contract=BREAK_EVEN,
    title=_finding,
    subtitle="No evidence on these effects: what must be true, not what is expected",
    line="title",
    columns={
        "pays": Column("Pays at", _answer, align="text"),
        "effect": Column("Effect", "description", searched, align="text"),
        "unit": Column("Unit", lambda row: row["unit"].replace("money", row["currency"]), align="text"),
        "range": Column("Range tested", lambda row: f"{_size(row, 'searched_low')} to {_size(row, 'searched_high')}"),
        **headed({"npv_low": "NPV at its low end, {currency}", "npv_high": "NPV at its high end, {currency}"}),
    },
    notes=lambda _: (
        "NPV: against the no-programme baseline; mean over draws of everything else that is uncertain.",
        (
            f"A ratio compares with the baseline: 1 is no effect, {figure(0.9, 'g')} is ten per cent less, "
            f"{figure(1.1, 'g')} ten per cent more."
        ),
    ),
    empty="All effects have a plausible range.",
)


def _sizes_finding(rows: Sequence[Row]) -> str:
    pays = [row for row in rows if row["break_even"] is not None]
    if not pays:
        both = all(row["npv_low"] > 0.0 for row in rows)
        return "Pays at both ends of the range tested" if both else "No break-even within the range tested"
    if len(rows) <= _NAMED:
        return joined([f"{row['title']}: pays at {_or(row)}" for row in pays])
    return f"{len(pays)} of {len(rows)} strategies pay from an effect within the range tested"


def _points(curve: pl.DataFrame, break_even: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return the curve with a head for each panel, values in words, and words at the break-even of each strategy."""

    def head(row: Row) -> str:
        effect = balanced(f"{searched(row['description'])} ({row['unit']})", _HEAD_CHARACTERS)
        return _BREAK.join([row["title"], *effect])

    points = with_texts(
        curve.join(break_even.drop("title", "effect", "description", "unit"), on="strategy", maintain_order="left"),
        {
            "_head": head,
            "value": lambda row: in_words(row["npv"], row["low"], row["high"], currency=currency),
            "at": lambda row: _size(row, "size"),
            "_mark": lambda row: f"Pays at {_or(row)}" if row["size"] == row["break_even"] else "",
        },
    )
    low, high = pl.col("searched_low"), pl.col("searched_high")
    at_left = pl.when(pl.col("break_even") > low + _LEFT_FROM * (high - low))
    return points.select(
        *("strategy", "size", "npv", "low", "high"),
        pl.col("title").alias("name"),
        *("_head", "value", "at"),
        _left=at_left.then("_mark").otherwise(pl.lit("")),
        _right=at_left.then(pl.lit("")).otherwise("_mark"),
    )


def _panels(points: pl.DataFrame, currency: str) -> Figure:
    axis = money_axis(f"Net present value, {currency}", largest=largest(points, ("low", "high")))
    scale = alt.Scale(zero=False, nice=False)
    sizes = alt.X("size:Q", title="Size of the effect", axis=alt.Axis(tickCount=6), scale=scale)
    tips = tooltips({"name:N": "Programme", "at:N": "Size", "value:N": f"Mean ({INTERVAL})"})
    mean = alt.Y("npv:Q", axis=axis)
    drawn = alt.Chart().encode(x=sizes, color=strategy_colour(names_of(points)))
    layers = [
        drawn.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", axis=axis), y2="high:Q"),
        alt.Chart().mark_rule(color=INK).encode(y=alt.datum(0)),
        drawn.mark_line(strokeWidth=2.5).encode(y=mean),
        drawn.mark_point(filled=True, size=70, opacity=1).encode(y=mean, tooltip=tips),
        *_marked("left", sizes),
        *_marked("right", sizes),
    ]
    lines = f"split(datum.label, '{_BREAK}')"
    header = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4, labelLimit=WIDTH, labelExpr=lines)
    rows = alt.Row("_head:N", sort=distinct(points, "_head"), title=None, header=header)
    layered = alt.layer(*layers, data=points).properties(width=WIDTH, height=_HEIGHT)
    panels: Figure = layered.facet(row=rows, spacing=24).resolve_scale(x="independent", y="independent")
    return panels


def _marked(side: Literal["left", "right"], sizes: alt.X) -> tuple[alt.Chart, alt.Chart]:
    """Return the stroke at the break-even, and the words on the side of it where there is room for them."""
    # No row is filtered out: a layer without rows would have no extent, of which browsers complain.
    stroke = alt.Chart().mark_rule(color=QUIET, strokeDash=[4, 3])
    seen = either(f"datum._{side} !== ''", 1.0, 0.0)
    align: Literal["left", "right"] = "right" if side == "left" else "left"
    words = alt.Chart().mark_text(align=align, baseline="top", dx=-6 if side == "left" else 6, dy=2, fontWeight="bold")
    return stroke.encode(x=sizes, opacity=seen), words.encode(x=sizes, y=alt.value(0), text=f"_{side}:N")


Tone = Literal["fund", "pilot", "reject"]


class Card(NamedTuple):
    """What is said of one strategy.

    Attributes
    ----------
    tone
        How it looks: as good news, as a question or as bad news.
    badge
        One or two words.
    title
        Name of the strategy.
    sentences
        Plain text.
    facts
        Names and figures, listed below the sentences.
    closing
        Plain text below the figures.
    width
        A wide card has a row for itself.
    """

    tone: Tone
    badge: str
    title: str
    sentences: str
    facts: Sequence[tuple[str, str]] = ()
    closing: str = ""
    width: Literal["narrow", "wide"] = "narrow"


def in_cards(
    lead: str, cards: Sequence[Card], aid: str, twin: Mapping[str, object] | None = None, *, basis: str = ""
) -> Prose:
    """Return a lead sentence, on what basis it stands, the cards and a line on how to read them, all as plain text."""
    articles = "".join(_article(card) for card in cards)
    below = f'<p class="cx-basis">{in_html(basis)}</p>' if basis else ""
    markup = (
        f'<section class="cx-decisions"><style>{_CARDS_SHEET}</style><p class="cx-lead">{in_html(lead)}</p>'
        f'{below}<div class="cx-cards">{articles}</div><p class="cx-aid">{in_html(aid)}</p></section>'
    )
    text = "\n".join([lead, *filter(None, [basis]), *(_alt_text(card) for card in cards), aid])
    return Prose(markup=markup, text=unlabelled(text), twin=twin)


def _article(card: Card) -> str:
    listed = "".join(f"<div><dt>{in_html(name)}</dt><dd>{in_html(figure)}</dd></div>" for name, figure in card.facts)
    facts = f"<dl>{listed}</dl>" if listed else ""
    closing = f"<p>{in_html(card.closing)}</p>" if card.closing else ""
    return (
        f'<article class="cx-decision" data-decision="{card.tone}" data-width="{card.width}">'
        f'<h3>{in_html(card.title)} <span class="cx-badge">{in_html(card.badge)}</span></h3>'
        f"<p>{in_html(card.sentences)}</p>{facts}{closing}</article>"
    )


def _alt_text(card: Card) -> str:
    facts = "; ".join(f"{name}: {figure}" for name, figure in card.facts)
    parts = (f"{card.badge}: {card.title}.", card.sentences, facts and f"{facts}.", card.closing)
    return " ".join(part for part in parts if part)


# The look comes with the sentences, so that JupyterLab shows them as the report does.
_CARDS_SHEET = (
    ".cx-decisions{max-width:60rem;color:#1f2933;font-size:15px;line-height:1.55}"
    ".cx-decisions .cx-lead{font-size:1.3rem;line-height:1.4;font-weight:600;margin:.2rem 0 1.2rem;max-width:46rem}"
    ".cx-cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(16rem,100%),1fr));gap:1rem}"
    ".cx-decision{border:1px solid #e4e7eb;border-top:4px solid #7b8794;border-radius:6px;padding:.9rem 1rem 1rem;"
    "break-inside:avoid}"
    ".cx-decision h3{font-size:1.05rem;font-weight:600;line-height:1.5;margin:0;padding:0;border:0}"
    ".cx-decision p{margin:.5rem 0 0}"
    ".cx-decision[data-width=wide]{grid-column:1/-1}"
    ".cx-decision dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));column-gap:2rem;"
    "margin:.7rem 0 .2rem;font-size:.92rem;line-height:1.4}"
    # A name and its figure side by side, one below the other where the card is narrow.
    ".cx-decision dl>div{display:flex;flex-wrap:wrap;justify-content:space-between;column-gap:.75rem;"
    "border-top:1px solid #eef1f4;padding:.28rem 0}"
    # JupyterLab makes names bold, and leaves them a fifth of the width.
    ".cx-decisions .cx-decision dt{color:#52606d;margin:0;float:none;width:auto;font-weight:400}"
    ".cx-decision dd{margin:0 0 0 auto;text-align:right;font-variant-numeric:tabular-nums}"
    ".cx-decision .cx-badge{font-size:.75rem;font-weight:700;line-height:1.6;border:1px solid;border-radius:1rem;"
    "padding:.05rem .65rem;white-space:nowrap;display:table;margin:.35rem 0 0}"
    ".cx-decision[data-decision=fund]{border-top-color:#00684a}"
    "[data-decision=fund] .cx-badge{color:#00684a;background:#e3f5ee}"
    ".cx-decision[data-decision=pilot]{border-top-color:#b45f06}"
    "[data-decision=pilot] .cx-badge{color:#8a4b00;background:#fdf1dc}"
    ".cx-decision[data-decision=reject]{border-top-color:#9b1c1c}"
    "[data-decision=reject] .cx-badge{color:#9b1c1c;background:#fbe9e9}"
    ".cx-decisions .cx-aid{color:#52606d;font-size:.85rem;margin:1rem 0 0;max-width:46rem}"
)
