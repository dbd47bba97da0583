"""What all figures share: their frame, colours and marks, numbers in few characters, and the theme of a session."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from typing import Any, Literal

import altair as alt
import polars as pl
import polars.selectors as cs

from cxsim.params import Unit
from cxsim.reporting.tables import CHART
from cxsim.wording import ENGLISH, MINUS, NBSP, Locale, counted, figure, minor_digits, priced, style, write_as

_SCALES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
# Units that a printed number carries; a number in any other unit stands bare, and what it counts stands beside it.
_SUFFIXES = {
    Unit.SHARE: f"{NBSP}%",
    Unit.SHARE_PER_YEAR: f"{NBSP}% a year",
    Unit.DAYS: f"{NBSP}days",
    Unit.HOURS: f"{NBSP}hours",
    Unit.PER_YEAR: f"{NBSP}a year",
    Unit.PER_MONTH: f"{NBSP}a month",
    Unit.POINTS: f"{NBSP}points",
}
_PERCENT = (Unit.SHARE, Unit.SHARE_PER_YEAR)
_SEPARATORS = (". ", "; ", ": ", ", ")
Figure = alt.LayerChart | alt.FacetChart
WIDTH = 640
HEIGHT = 300
# So many characters fill the width of a figure at the size of the title and of the subtitle.
_TITLE_CHARACTERS = 76
_SUBTITLE_CHARACTERS = 114
_DIGITS = 6
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# Sizes in pixels of the bold words of a figure.
_LETTER, _LINE = 7.2, 14.0
_POINT = 9.0
# Directions that are tried, the most readable first, and how far out.
_WAYS = ((1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1))
_STEPS = (12.0, 20.0, 30.0, 44.0)
_Box = tuple[float, float, float, float]
INK = "#1F2933"
QUIET = "#52606D"
GRID = "#E4E7EB"
# Doing nothing is grey in every figure.
BASELINE = "#7B8794"
# Okabe & Ito (2008), "Color universal design": distinguished under every common colour blindness. Their black is our
# ink, and their yellow comes last, being hard to see on white.
STRATEGIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
# A model has its colour in every figure, whichever others stand beside it.
_MODELS = {"BG/NBD": 0, "MBG/NBD": 1, "Pareto/NBD": 2, "BG/CNBD": 3, "MBG/CNBD": 4}
_OTHERS = (QUIET, "#9AA5B1", INK)
# By kind of field: whole numbers as they are, amounts to three digits, shares as percentages.
_FORMATS = {"N": (), "I": (), "Q": (",.3~r",), "P": (".1%",)}
# Room for a heading between two panels.
_SPACING = 36
_RISE = -16
NAME = "cxsim"
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_EMBED = {"embed_options": {"renderer": "svg", "actions": False}}


def enable(locale: Locale = "en") -> None:
    """Register and enable the theme and the renderer of cxsim for this session, and how numbers are written in it.

    The renderer stores one output per chart that JupyterLab draws without a network and that does not change from
    run to run: the specification, and one line of text.

    Parameters
    ----------
    locale
        How figures, tables and sentences write numbers from now on, as `locale` of a scenario's economics; words stay
        English, and the numbers of a table's twin stay numbers.

    Raises
    ------
    ParamError
        For a locale other than en, de, fr and ch.
    """
    write_as(locale)
    alt.theme.register(NAME, enable=True)(_theme)
    alt.renderers.register(NAME, _bundle)
    alt.renderers.enable(NAME)


def short(amount: float) -> str:
    """Return an amount in at most five characters and its sign, to two or three significant digits.

    >>> short(12_340.0), short(-3_210.0), short(1_250_000.0), short(-0.2), short(87.3)
    ('12k', '−3.2k', '1.2M', '0', '87')
    """
    size = abs(amount)
    # The next scale begins where rounding would reach it: 999.6 is 1k.
    divisor, letter = next(((d, letter) for d, letter in _SCALES if size >= 0.9995 * d), (1.0, ""))
    scaled = round(size / divisor, 1 if letter and size / divisor < 9.95 else 0)
    text = figure(scaled, ".0f" if scaled.is_integer() else ".1f")
    return f"{MINUS if amount < 0.0 and text != '0' else ''}{text}{letter}"


def distinguishable(values: Sequence[float], unit: str, currency: str) -> list[str]:
    r"""Return values of one assumption with as many decimals as it takes to tell the nearest two clearly apart."""
    scale = 100.0 if unit in _PERCENT else 1.0
    scaled = sorted({scale * value for value in values})
    gap = min((b - a for a, b in itertools.pairwise(scaled)), default=abs(scaled[0]))
    decimals = _decimals(gap, max(abs(scaled[0]), abs(scaled[-1])))
    while decimals > 0 and all(round(value, decimals) == round(value, decimals - 1) for value in scaled):
        decimals -= 1
    return [_written(scale * value, decimals, unit, currency) for value in values]


def shortened(text: str, characters: int) -> str:
    """Return as many whole clauses of a description as fit; of a clause that is too long by itself, its first words.

    >>> shortened("Order rate, against before; searched, not assumed.", 30)
    'Order rate, against before'
    """
    whole = text.strip().removesuffix(".")
    if len(whole) <= characters:
        return whole
    ends = [place for place in range(characters + 1) if whole.startswith(_SEPARATORS, place)]
    if ends:
        return whole[: max(ends)]
    return f"{whole[:characters].rsplit(' ', 1)[0]}…"


def framed(
    drawn: Figure, *, finding: str, shown: str, alt_text: str = "", width: int = WIDTH, height: int = HEIGHT
) -> Figure:
    """Return the figure with its size, its title and the text for those who cannot see it."""
    title = alt.TitleParams(
        text=balanced(finding, _TITLE_CHARACTERS),
        subtitle=balanced(shown, _SUBTITLE_CHARACTERS),
    )
    description = f"{finding}. {shown} {alt_text}".strip()
    entitled: Figure = drawn.properties(title=title, description=description)
    # The parts of a facet have sizes of their own.
    return entitled.properties(width=width, height=height) if isinstance(entitled, alt.LayerChart) else entitled


def balanced(text: str, characters: int) -> list[str]:
    """Return the text in as few lines as it needs, none of them much shorter than the others.

    >>> balanced("Points pay back in month 14", 24)
    ['Points pay back', 'in month 14']
    """
    lines = _wrapped(text, characters)
    widths = range(characters // 2, characters + 1)
    return next(tried for width in widths if len(tried := _wrapped(text, width)) == len(lines))


def rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with its real numbers held to six significant digits, all that a figure can show."""
    return table.with_columns(cs.float().round_sig_figs(_DIGITS))


def day_in_words(day: date) -> str:
    r"""Return a day as it is read aloud.

    >>> day_in_words(date(1997, 9, 30))
    '30\xa0September\xa01997'
    """
    # Not strftime or calendar: their names of the months follow the machine's locale.
    return f"{day.day}{NBSP}{_MONTHS[day.month - 1]}{NBSP}{day.year}"


def tooltip(fields: Sequence[tuple[str, ...]]) -> list[alt.Tooltip]:
    """Return what appears beside a mark: fields, their titles and, of numbers, their formats."""
    return [
        alt.Tooltip(field, title=title, format=pattern[0] if pattern else alt.Undefined)
        for field, title, *pattern in fields
    ]


def error_bar(drawn: alt.Chart, colour: str | None = None, *, opacity: float = 0.5) -> alt.Chart:
    """Return the line of an interval."""
    line: alt.Chart = drawn.mark_rule(color=colour or alt.Undefined, strokeWidth=3, opacity=opacity)
    return line


def points(drawn: alt.Chart, colour: str | None = None, *, size: int = 80) -> alt.Chart:
    """Return full points."""
    dots: alt.Chart = drawn.mark_point(color=colour or alt.Undefined, filled=True, size=size, opacity=1)
    return dots


def marked_day(day: date, words: str, *, align: Literal["left", "right"]) -> tuple[alt.Chart, alt.Chart]:
    """Return a dotted rule at a day, and words beside it."""
    drawn = alt.Chart(pl.DataFrame({"day": [day], "label": [words]})).encode(x="day:T")
    label = drawn.mark_text(align=align, dx=6 if align == "left" else -6, color=QUIET)
    return drawn.mark_rule(color=QUIET, strokeDash=[2, 3]), label.encode(y=alt.value(8), text="label:N")


def named(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with a column `name`: the title of a strategy, or else its identifier in words."""
    if "title" in table.columns:
        return table.with_columns(name=pl.col("title"))
    words = pl.col("strategy").str.replace_all("[-_]", " ")
    return table.with_columns(name=words.str.slice(0, 1).str.to_uppercase() + words.str.slice(1))


def names_of(table: pl.DataFrame) -> list[str]:
    """Return the names of the strategies in the order in which the table brings them."""
    return distinct(table, "name")


def distinct(table: pl.DataFrame, column: str) -> list[str]:
    """Return the distinct values of a column in the order in which the table brings them."""
    return table[column].unique(maintain_order=True).to_list()


def coloured(
    field: str, names: Sequence[str], shades: Sequence[str], legend: Mapping[str, Any] | None = None
) -> alt.Color:
    """Return the colour of each name, and its legend, which has no title."""
    scale = alt.Scale(domain=list(names), range=list(shades))
    return alt.Color(field, scale=scale, legend=alt.Legend(title=None, **(legend or {})))


def money_axis(title: str, *, largest: float, grid: Literal["lines", "none"] = "lines") -> alt.Axis:
    """Return an axis of money whose labels are short: 20k, 1.5M, 2bn."""
    pattern = "~s" if largest >= 10_000 else ",.0f" if largest >= 10 else ",.2f"
    return alt.Axis(
        title=title,
        labelExpr=f"replace(format(datum.value, '{pattern}'), 'G', 'bn')",
        tickCount=6,
        grid=grid == "lines",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """A point with its words.

    Attributes
    ----------
    x, y
        In pixels from the left and from the top.
    reach
        How far its error bar reaches up and down, in pixels.
    label
        Words in one line.
    """

    x: float
    y: float
    reach: float
    label: str


def beside(
    dots: Sequence[Dot], *, width: float, height: float, lines: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the middle of the words of each dot, chosen one after the other."""
    upright, level = lines
    crossing = [(upright - 1.0, 0.0, upright + 1.0, height), (0.0, level - 1.0, width, level + 1.0)]
    taken = [*crossing, *map(_around, dots)]
    places: list[tuple[float, float]] = []
    for dot in dots:
        tried = [_box(dot, way, step) for step in _STEPS for way in _WAYS]
        least = min(tried, key=lambda box: sum(_shared(box, other) for other in taken) + _outside(box, width, height))
        taken.append(least)
        places.append(((least[0] + least[2]) / 2.0, (least[1] + least[3]) / 2.0))
    return places


def model_colours(names: Sequence[str]) -> list[str]:
    """Return the colour of each model; what is no model, such as a rule of thumb, is grey."""
    greys = cycle(_OTHERS)
    places = (_MODELS.get(name.split("-")[0]) for name in names)
    return [next(greys) if place is None else STRATEGIES[place] for place in places]


def colours(names: Sequence[str]) -> alt.Scale:
    """Return the scale that gives each strategy the colour of its place in the scenario."""
    return alt.Scale(domain=list(names), range=list(islice(cycle(STRATEGIES), len(names))))


def tooltips(heads: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return tooltips by `field:kind`: N is text, I a whole number, Q an amount, P a share."""
    parts = [(*field.split(":"), title) for field, title in heads.items()]
    return tooltip([(f"{field}:{'N' if kind == 'N' else 'Q'}", title, *_FORMATS[kind]) for field, kind, title in parts])


def strategy_colour(names: Sequence[str]) -> alt.Color:
    """Return the colour of each strategy by its `name`, without a legend."""
    return alt.Color("name:N", scale=colours(names), legend=None)


def largest(table: pl.DataFrame, columns: Sequence[str]) -> float:
    """Return the largest amount of some columns, whatever its sign."""
    return float(table.select(pl.max_horizontal(pl.col(columns).abs().max())).item())


def with_texts(table: pl.DataFrame, texts: Mapping[str, Callable[[Mapping[str, Any]], str]]) -> pl.DataFrame:
    """Return the table with columns of text, each computed from a row."""
    rows = table.rows(named=True)

    return table.with_columns(
        pl.Series(name, [text(row) for row in rows], dtype=pl.String) for name, text in texts.items()
    )


def panels(
    layers: Sequence[alt.Chart],
    table: pl.DataFrame,
    *,
    width: int,
    height: int | alt.Step,
    x: Literal["shared", "independent"] = "independent",
) -> Figure:
    """Return one panel per strategy, in the order of the table; each panel has a vertical scale of its own."""
    names = table["name"].unique(maintain_order=True).to_list()
    row = alt.Row("name:N", sort=names, title=None, header=alt.Header(labels=False, labelPadding=0))
    drawn = alt.layer(*layers, data=table).properties(width=width, height=height)
    facets: Figure = drawn.facet(row=row, spacing=_SPACING).resolve_scale(x=x, y="independent")
    return facets


def headings(first: str, colour: alt.Color, *, indent: int, rise: int = _RISE) -> tuple[alt.Chart, ...]:
    """Return the heading of each panel: a square in the colour of the strategy, its name, and a remark at the right."""
    drawn = alt.Chart().transform_filter(first)
    square = drawn.mark_point(shape="square", filled=True, size=110, opacity=1, aria=False).encode(
        x=alt.value(6 - indent), y=alt.value(rise), color=colour
    )
    name = drawn.mark_text(align="left", baseline="middle", fontSize=13, fontWeight="bold", aria=False).encode(
        x=alt.value(18 - indent), y=alt.value(rise + 1), text="name:N"
    )
    note = drawn.mark_text(align="right", baseline="middle", color=QUIET, aria=False).encode(
        x=alt.value(WIDTH - indent), y=alt.value(rise + 1), text="_note:N"
    )
    return square, name, note


def lines_beside(drawn: alt.Chart, *, indent: int) -> alt.Chart:
    """Return the words at the left of each row, from its `_label`, whose lines are parted by line feeds."""
    # Lines hang from the first one; half of them must rise above the middle of the row.
    middle = alt.expr("-7 * (length(split(datum._label, '\\n')) - 1)")
    text = drawn.mark_text(align="left", lineBreak="\n", lineHeight=14, fontSize=12, dy=middle, aria=False)
    encoded: alt.Chart = text.encode(x=alt.value(-indent), text="_label:N")
    return encoded


def rimmed(drawn: alt.Chart, *, align: Literal["left", "right"], gap: int) -> tuple[alt.Chart, alt.Chart]:
    """Return words at one side of their place, kept by a white rim from lines that cross them."""
    across = gap if align == "left" else -gap
    rim = drawn.mark_text(align=align, dx=across, fontSize=12, stroke="#FFFFFF", strokeWidth=5, aria=False)
    return rim, drawn.mark_text(align=align, dx=across, fontSize=12, color=QUIET, aria=False)


def _decimals(gap: float, largest: float) -> int:
    """Return decimals that make the gap four units of the last digit, and leave three digits of the largest."""
    if gap <= 0.0:
        return 0
    whole = min(0, 2 - math.floor(math.log10(largest)))
    return max(math.ceil(math.log10(4.0 / gap)), whole)


def _written(value: float, decimals: int, unit: str, currency: str) -> str:
    money = unit.startswith("money")
    # A bill that has decimals at all has all those of its currency.
    if money and 0 < decimals < minor_digits(currency):
        decimals = minor_digits(currency)
    text = figure(round(value, decimals), f",.{max(decimals, 0)}f")
    if money:
        return priced(text, currency)
    return f"{text}{_SUFFIXES.get(Unit(unit), '')}"


def _wrapped(text: str, characters: int) -> list[str]:
    return textwrap.wrap(text, characters, break_long_words=False, break_on_hyphens=False)


def _around(dot: Dot) -> _Box:
    reach = max(dot.reach, _POINT)
    return dot.x - _POINT, dot.y - reach, dot.x + _POINT, dot.y + reach


def _box(dot: Dot, way: tuple[int, int], step: float) -> _Box:
    half, (across, down) = _LETTER * len(dot.label) / 2.0, way
    x = dot.x + across * (step + half)
    y = dot.y + down * (step + (_LINE / 2.0 if not across else 0.0))
    return x - half, y - _LINE / 2.0, x + half, y + _LINE / 2.0


def _shared(one: _Box, other: _Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0.0 and down > 0.0 else 0.0


def _outside(box: _Box, width: float, height: float) -> float:
    inside = _shared(box, (0.0, 0.0, width, height))
    return (box[2] - box[0]) * (box[3] - box[1]) - inside


def _bundle(spec: dict[str, Any], **_metadata: object) -> tuple[dict[str, Any], dict[str, Any]]:
    # The schema's address would make JupyterLab warn that its own Vega-Lite is older; it is no part of the figure.
    stored = {key: value for key, value in spec.items() if key != "$schema"}
    return {CHART: stored, "text/plain": f"<chart: {_label(spec)}>"}, {CHART: _EMBED}


def _label(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _theme() -> alt.theme.ThemeConfig:
    theme, now = _look(), style()
    if now != ENGLISH:
        # The code of a currency stands in titles; a number on an axis carries none.
        theme["config"]["locale"] = {
            "number": {"decimal": now.decimal, "thousands": now.group, "grouping": [3], "currency": ["", ""]}
        }
    return theme


def _look() -> alt.theme.ThemeConfig:
    return {
        "config": {
            "font": FONT,
            "background": "#FFFFFF",
            "padding": {"left": 4, "right": 12, "top": 8, "bottom": 8},
            "view": {"stroke": None},
            "title": {
                "anchor": "start",
                "frame": "bounds",
                "color": INK,
                "fontSize": 17,
                "fontWeight": "bold",
                "lineHeight": 22,
                "subtitleColor": QUIET,
                "subtitleFontSize": 12.5,
                "subtitleLineHeight": 17,
                "subtitlePadding": 6,
                "offset": 18,
            },
            "axis": {
                "labelColor": QUIET,
                "labelFontSize": 12,
                "titleColor": QUIET,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "titlePadding": 10,
                "gridColor": GRID,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
            "axisX": {"grid": False, "ticks": True, "tickColor": GRID, "tickSize": 5, "labelPadding": 3},
            "header": {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "bold"},
            "legend": {"labelColor": INK, "labelFontSize": 12.5, "titleColor": QUIET, "symbolStrokeWidth": 3},
            "text": {"color": INK, "fontSize": 12.5},
        }
    }


Channel = alt.X | alt.Y | alt.Color | alt.XOffset | alt.YOffset
# The legend above a figure, and the one inside it beside lines that rise.
ABOVE = {"orient": "top", "symbolSize": 120}
TOP_LEFT = {"orient": "top-left", "symbolSize": 400, "labelLimit": 240, "rowPadding": 4}


def hover(titles: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return what appears beside a mark: by field and, after a space, format of a number, its title."""
    parts = [(*field.partition(" "), title) for field, title in titles.items()]
    return [alt.Tooltip(field, title=title, format=pattern or alt.Undefined) for field, _, pattern, title in parts]


def detailed(
    titles: Mapping[str, str], table: pl.DataFrame | None = None, channels: Sequence[Channel] = ()
) -> alt.Chart:
    """Return a chart of a table, or of that of its facets, with what appears beside its marks as in `hover`."""
    drawn: alt.Chart = alt.Chart(alt.Undefined if table is None else table).encode(*channels, tooltip=hover(titles))
    return drawn


def ends(words: str, pattern: str) -> dict[str, str]:
    """Return the fields of the ends of an interval with their format, for `hover`."""
    return {f"{end}:Q {pattern}": f"{words}, {end}" for end in ("low", "high")}


def point_and_interval(
    drawn: alt.Chart, low: alt.X | alt.Y, mean: alt.X | alt.Y, colour: str | None = None, *, size: int = 80
) -> tuple[alt.Chart, alt.Chart]:
    """Return full points at their mean, and below them the line from `low` to `high`; beside ink it is paler."""
    line = error_bar(drawn, colour, opacity=0.45 if colour == INK else 0.5)
    high = alt.X2("high:Q") if isinstance(low, alt.X) else alt.Y2("high:Q")
    return line.encode(low, high), points(drawn, colour, size=size).encode(mean)


def classes_across(field: str, order: Sequence[str], title: str) -> alt.X:
    """Return the horizontal axis of classes in their order, with upright labels."""
    return alt.X(field, sort=order, title=title, axis={"labelAngle": 0})


def listed(rows: pl.DataFrame, words: Callable[..., str]) -> str:
    """Return what is said of each row, in the order of its columns, for those who cannot see the figure."""
    said = "; ".join(words(*row) for row in rows.iter_rows())
    return f"{said}." if said else ""


def some_of(count: int, whole: int, words: str) -> str:
    """Return a finding about so many of all, as the beginning of a sentence."""
    return f"{counted(count)} of {counted(whole)} {words}".capitalize()
