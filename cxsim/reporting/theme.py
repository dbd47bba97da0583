"""What all figures share: their frame, colours and marks, numbers in few characters, and the theme of a session."""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import cycle, islice
from operator import itemgetter
from typing import Any, Literal

import altair as alt
import polars as pl
import polars.selectors as cs

from cxsim.errors import TableError, choices
from cxsim.params import Unit
from cxsim.reporting.tables import CHART, THEMED, in_report, strategy_name
from cxsim.tables import Contract
from cxsim.wording import (
    ENGLISH,
    LABELLED,
    MINUS,
    NBSP,
    Locale,
    counted,
    figure,
    in_terminal,
    joined,
    minor_digits,
    priced,
    searched,
    style,
    unlabelled,
    write_as,
)

_SCALES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
# Units that a printed number carries; a number in any other unit stands bare, and what it counts stands beside it.
_SUFFIXES = {
    Unit.SHARE: "%",
    Unit.SHARE_PER_YEAR: "% a year",
    Unit.DAYS: "days",
    Unit.HOURS: "hours",
    Unit.PER_YEAR: "a year",
    Unit.PER_MONTH: "a month",
    Unit.POINTS: "points",
}
_PERCENT = (Unit.SHARE, Unit.SHARE_PER_YEAR)
# Holds the place of a space at which no line ends.
_INSIDE = "\x1f"
_SEPARATORS = (". ", "; ", ": ", ", ")
Figure = alt.LayerChart | alt.FacetChart
Texts = Sequence[str]
Spec = dict[str, Any]
WIDTH = 640
HEIGHT = 300
# So many characters fill the width of a figure at the size of the title and of the subtitle.
_TITLE_CHARACTERS = 76
_SUBTITLE_CHARACTERS = 114
_DIGITS = 6
# A notebook has its own theme's ink and ground for these; in small letters they stay, on a ground of colour.
INK = "#1F2933"
QUIET = "#52606D"
GRID = "#E4E7EB"
GROUND = "#FFFFFF"
ON_DARK, ON_PALE = GROUND.lower(), INK.lower()
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
    drawn: Figure,
    *,
    finding: str,
    shown: str,
    alt_text: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
    measures: tuple[str, str] | None = None,
) -> Figure:
    """Return the figure with its size, its title and the text for those who cannot see it.

    `measures` is the quantity that its marks show of each strategy, and how that was found.
    """
    lines = balanced(in_chart(finding), _TITLE_CHARACTERS)
    title = alt.TitleParams(lines, subtitle=balanced(in_chart(shown), _SUBTITLE_CHARACTERS))
    # The parts of a facet have sizes of their own.
    sizes = {"width": width, "height": height} if isinstance(drawn, alt.LayerChart) else {}
    meta = {"usermeta": dict(zip(("quantity", "estimator"), measures, strict=True))} if measures else {}
    entitled: Figure = drawn.properties(
        title=title, **meta, description=unlabelled(f"{finding}. {shown} {alt_text}".strip()), **sizes
    )
    return entitled


def in_chart(text: str) -> str:
    """Return words of a chart: a report draws its labels apart, elsewhere nothing would."""
    return text if in_report() else unlabelled(text)


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


def error_bar(drawn: alt.Chart, colour: str | None = None, *, opacity: float = 0.5) -> alt.Chart:
    """Return the line of an interval."""
    return drawn.mark_rule(color=colour or alt.Undefined, strokeWidth=3, opacity=opacity)  # type: ignore[no-any-return]


def points(drawn: alt.Chart, colour: str | None = None, *, size: int = 80) -> alt.Chart:
    """Return full points."""
    return drawn.mark_point(color=colour or alt.Undefined, filled=True, size=size, opacity=1)  # type: ignore[no-any-return]


def marked_day(day: date, words: str, *, align: Literal["left", "right"]) -> tuple[alt.Chart, alt.Chart]:
    """Return a dotted rule at a day, and words beside it."""
    drawn = alt.Chart(pl.DataFrame({"day": [day], "label": [words]})).encode(x="day:T")
    label = drawn.mark_text(align=align, dx=6 if align == "left" else -6, color=QUIET)
    return drawn.mark_rule(color=QUIET, strokeDash=[2, 3]), label.encode(y=alt.value(8), text="label:N")


def named(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with a column `name`: the title of a strategy, or else its identifier in words."""
    return with_texts(table, {"name": strategy_name})


def names_of(table: pl.DataFrame) -> list[str]:
    """Return the names of the strategies in the order in which the table brings them."""
    return distinct(table, "name")


def distinct(table: pl.DataFrame, column: str) -> list[str]:
    """Return the distinct values of a column in the order in which the table brings them."""
    return table[column].unique(maintain_order=True).to_list()


def coloured(field: str, names: Texts, shades: Texts, legend: Mapping[str, Any] | None = None) -> alt.Color:
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


def model_colours(names: Texts) -> list[str]:
    """Return the colour of each model; what is no model, such as a rule of thumb, is grey."""
    greys = cycle(_OTHERS)
    places = (_MODELS.get(name.split("-")[0]) for name in names)
    return [next(greys) if place is None else STRATEGIES[place] for place in places]


def colours(names: Texts) -> alt.Scale:
    """Return the scale that gives each strategy the colour of its place in the scenario."""
    return alt.Scale(domain=list(names), range=list(islice(cycle(STRATEGIES), len(names))))


def tooltips(heads: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return tooltips by `field:kind`: N is text, I a whole number, Q an amount, P a share."""
    parts = [(*field.split(":"), title) for field, title in heads.items()]
    return [
        alt.Tooltip(
            f"{field}:{'N' if kind == 'N' else 'Q'}", title=title, format=next(iter(_FORMATS[kind]), alt.Undefined)
        )
        for field, kind, title in parts
    ]


def strategy_colour(names: Texts) -> alt.Color:
    """Return the colour of each strategy by its `name`, without a legend."""
    return alt.Color("name:N", scale=colours(names), legend=None)


def largest(table: pl.DataFrame, columns: Texts) -> float:
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
    row = alt.Row("name:N", sort=names_of(table), title=None, header=alt.Header(labels=False, labelPadding=0))
    drawn = alt.layer(*layers, data=table).properties(width=width, height=height)
    return drawn.facet(row=row, spacing=_SPACING).resolve_scale(x=x, y="independent")  # type: ignore[no-any-return]


def headings(first: str, colour: alt.Color, *, indent: int, rise: int = _RISE) -> tuple[alt.Chart, ...]:
    """Return the heading of each panel: a square in the colour of the strategy, its name, and a remark at the right."""
    drawn = alt.Chart().transform_filter(first)
    square = drawn.mark_point(shape="square", filled=True, size=110, opacity=1, aria=False).encode(color=colour)
    name = drawn.mark_text(align="left", baseline="middle", fontSize=13, fontWeight="bold", aria=False)
    note = drawn.mark_text(align="right", baseline="middle", color=QUIET, aria=False)
    parts = (
        (square, 6, rise),
        (name.encode(text="name:N"), 18, rise + 1),
        (note.encode(text="_note:N"), WIDTH, rise + 1),
    )
    return tuple(part.encode(x=alt.value(x - indent), y=alt.value(y)) for part, x, y in parts)


def lines_beside(drawn: alt.Chart, *, indent: int) -> alt.Chart:
    """Return the words at the left of each row, from its `_label`, whose lines are parted by line feeds."""
    # Lines hang from the first one; half of them must rise above the middle of the row.
    middle = alt.expr("-7 * (length(split(datum._label, '\\n')) - 1)")
    text = drawn.mark_text(align="left", lineBreak="\n", lineHeight=14, fontSize=12, dy=middle, aria=False)
    return text.encode(x=alt.value(-indent), text="_label:N")  # type: ignore[no-any-return]


def rimmed(drawn: alt.Chart, *, align: Literal["left", "right"], gap: int) -> tuple[alt.Chart, alt.Chart]:
    """Return words at one side of their place, kept by a white rim from lines that cross them."""
    text = partial(drawn.mark_text, align=align, dx=gap if align == "left" else -gap, fontSize=12, aria=False)
    return text(stroke=GROUND, strokeWidth=5), text(color=QUIET)


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
    suffix = _SUFFIXES.get(Unit(unit))
    return f"{text}{NBSP}{suffix}" if suffix else text


def _wrapped(text: str, characters: int) -> list[str]:
    """Return the text in lines of so many characters as it is read; no line ends inside a labelled number."""
    whole = LABELLED.sub(lambda found: found[0].replace(" ", _INSIDE), text)
    lines = textwrap.wrap(unlabelled(whole), characters, break_long_words=False, break_on_hyphens=False)
    words = iter(re.split("[ \n]+", whole))
    return [" ".join(islice(words, len(line.split(" ")))).replace(_INSIDE, " ") for line in lines]


def _bundle(spec: Spec, **_metadata: object) -> tuple[Spec, Spec]:
    # The schema's address would make JupyterLab warn that its own Vega-Lite is older; it is no part of the figure.
    stored = {key: value if in_report() else _themed(value, key) for key, value in spec.items() if key != "$schema"}
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    label = unlabelled(" ".join(text) if isinstance(text, list) else text)
    return {CHART: stored, "text/plain": in_terminal(f"<chart: {label}>")}, {CHART: _EMBED}


def _themed(part: Any, key: str = "") -> Any:
    """Return a part of a specification with the colours of whatever theme shows it, but for its data's own."""
    if key == "datasets":
        return {
            name: [row | {one: _themed(row[one]) for one in row if one == "_colour"} for row in part[name]]
            for name in part
        }
    if isinstance(part, dict):
        return {name: _themed(value, name) for name, value in part.items()}
    if isinstance(part, list):
        return [_themed(value) for value in part]
    return THEMED[part.lower()] if part in (INK, QUIET, GRID, GROUND) else part


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
            "background": GROUND if in_report() else "transparent",
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


# Of figures with one panel per strategy: its first row, from which its heading is drawn, and room for words beside it.
FIRST = "datum._first"
COLUMN = 232


def strategy_panels(
    layers: Sequence[alt.Chart],
    table: pl.DataFrame,
    *,
    height: int | alt.Step,
    indent: int = COLUMN,
    x: Literal["shared", "independent"] = "independent",
    names: Sequence[str] = (),
) -> Figure:
    """Return a panel per strategy below its heading, with its `_note`; colours go by place among all the names."""
    first = pl.col("name").is_first_distinct()
    note = pl.when(first).then("_note").otherwise(pl.lit(""))
    heads = headings(FIRST, strategy_colour(names or names_of(table)), indent=indent)
    return panels(
        [*layers, *heads], table.with_columns(_first=first, _note=note), width=WIDTH - indent, height=height, x=x
    )


def zero_rule(axis: Literal["x", "y"], width: float | None = None) -> alt.Chart:
    """Return the rule at zero of each panel."""
    rule = alt.Chart().transform_filter(FIRST).mark_rule(color=INK, strokeWidth=width or alt.Undefined, aria=False)
    encoded: alt.Chart = rule.encode(**{axis: alt.datum(0)})
    return encoded


def in_column(description: str) -> str:
    """Return what a number means in two lines at most of the words beside rows."""
    return "\n".join(balanced(shortened(searched(description), 80), 40))


def in_order(table: pl.DataFrame, column: str, by: Sequence[str | pl.Expr] = ()) -> pl.DataFrame:
    """Return the table with the rows of each strategy together, in the order in which strategies come first."""
    order = pl.Enum(distinct(table, column))
    return table.sort(pl.col(column).cast(order), *by, maintain_order=True)


MONTHS = "Months since the start"


def months_across(end: int) -> alt.X:
    """Return the scale of months from the first to the last, with as many labels as are readable."""
    every = 1 if end <= 12 else 3 if end <= 36 else 12
    labels = alt.Axis(values=[1, *range(max(every, 2), end + 1, every)], format="d")
    scale = alt.Scale(domain=[1, max(end, 2)], nice=False)
    return alt.X("month:Q", title=MONTHS, scale=scale, axis=labels)


def subject(names: Sequence[str], singular: str, plural: str) -> str:
    """Return the names as a list and the verb that goes with so many.

    >>> subject(["A"], "pays", "pay"), subject(["A", "B"], "pays", "pay")
    ('A pays', 'A and B pay')
    """
    return f"{joined(names)} {singular if len(names) == 1 else plural}"


def by_interval(table: pl.DataFrame, words: tuple[str, str, str], most: int) -> list[tuple[str, str]]:
    """Return who is surely above zero, who may be on either side and who is surely below, after words for each.

    Strategies are named one by one while there are no more of them than `most`, else counted.
    """
    gain, loss = pl.col("low") > 0.0, pl.col("high") < 0.0
    groups = [table.filter(which)["name"].to_list() for which in (gain, ~gain & ~loss, ~gain & loss)]
    return [
        (word, joined(names) if table.height <= most else f"{len(names)} of {table.height} strategies")
        for word, names in zip(words, groups, strict=True)
        if names
    ]


def read_out(table: pl.DataFrame, pattern: str, between: str = " ") -> str:
    """Return a text per row, its fields set into a pattern."""
    return between.join(map(pattern.format_map, table.rows(named=True)))


def read_out_by_name(table: pl.DataFrame, pattern: str) -> str:
    """Return a sentence per strategy, `name: one; two; three.`, each part from a row."""
    parts = table.partition_by("name", maintain_order=True)
    return " ".join(f"{own['name'][0]}: {read_out(own, pattern, '; ')}." for own in parts)


def least_and_most(table: pl.DataFrame, column: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the first row with the least value of a column and the first with the largest."""
    place = itemgetter(table.columns.index(column))
    return min(table.rows(), key=place), max(table.rows(), key=place)


def rows_of(table: pl.DataFrame, contract: Contract, name: str, *, by: str = "strategy") -> pl.DataFrame:
    """Return the rows of one strategy, or of what else a column names, after making sure that there are some."""
    require_known(contract, by, name, distinct(table, by))
    return table.filter(pl.col(by) == name)


def require_known(contract: Contract, what: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of those known."""
    names = list(known)
    if name not in names:
        raise TableError(f"{contract.name}: no {what} '{name}'; {choices(name, names)}")


def either(test: str, yes: float | str, no: float | str) -> Any:
    """Return how marks look where a test holds, and how elsewhere."""
    return alt.condition(test, alt.value(yes), alt.value(no))


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
