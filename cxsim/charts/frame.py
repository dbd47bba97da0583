"""What every figure shares: size, title, rounding, names of strategies and the axis of money."""

from __future__ import annotations

import textwrap
from datetime import date
from typing import Literal

import altair as alt
import polars as pl
import polars.selectors as cs

from cxsim.wording import NBSP

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


def framed(
    drawn: Figure, *, finding: str, shown: str, told: str = "", width: int = WIDTH, height: int = HEIGHT
) -> Figure:
    """Return the figure with its size, its title and the text for those who cannot see it."""
    title = alt.TitleParams(
        text=balanced(finding, _TITLE_CHARACTERS),
        subtitle=balanced(shown, _SUBTITLE_CHARACTERS),
    )
    description = f"{finding}. {shown} {told}".strip()
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


def named(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with a column `name`: the title of a strategy, or else its identifier in words."""
    if "title" in table.columns:
        return table.with_columns(name=pl.col("title"))
    words = pl.col("strategy").str.replace_all("[-_]", " ")
    return table.with_columns(name=words.str.slice(0, 1).str.to_uppercase() + words.str.slice(1))


def names_of(table: pl.DataFrame) -> list[str]:
    """Return the names of the strategies in the order in which the table brings them."""
    return table["name"].unique(maintain_order=True).to_list()


def money_axis(title: str, *, largest: float, grid: Literal["lines", "none"] = "lines") -> alt.Axis:
    """Return an axis of money whose labels are short: 20k, 1.5M, 2bn."""
    pattern = "~s" if largest >= 10_000 else ",.0f" if largest >= 10 else ",.2f"
    return alt.Axis(
        title=title,
        labelExpr=f"replace(format(datum.value, '{pattern}'), 'G', 'bn')",
        tickCount=6,
        grid=grid == "lines",
    )


def _wrapped(text: str, characters: int) -> list[str]:
    return textwrap.wrap(text, characters, break_long_words=False, break_on_hyphens=False)
