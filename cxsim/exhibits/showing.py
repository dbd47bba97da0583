"""What Jupyter stores of an exhibit: cells or sentences go in, outputs that never change by themselves come out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Literal

import polars as pl
import polars.selectors as cs
from great_tables import GT

from cxsim import mimes
from cxsim.number_style import retold

_DIGITS = 10
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_STYLE = re.compile(r"<style>.*?</style>", flags=re.DOTALL)
_HEADERS = re.compile(r'(<td(?: style="[^"]*")?) headers="[^"]*"|(<th(?: style="[^"]*")? scope="row") id="[^"]*"')
_INDENTS = re.compile(r"\n[ ]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table for the eye and its twin for a machine.

    Attributes
    ----------
    id
        Fixed name, from which the markup and the twin's file take theirs.
    title
        What the table shows, its numbers in English, as the twin carries it.
    layout
        The cells as they are read.
    twin
        The numbers behind them, unrounded, one column per quantity.
    fold
        Whether a reader sees it at once, or after opening it by its title.
    """

    id: str
    title: str
    layout: GT
    twin: pl.DataFrame
    fold: Literal["open", "folded"] = "open"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return {"text/html": self.html(), mimes.TABLE: self.machine(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        """Return one line; the layout's own is long and holds addresses."""
        return f"<table: {self.title}>"

    def html(self) -> str:
        """Return the markup, with a style sheet that holds for this table only."""
        # The library's own sheet is 8 kB, and some of its rules reach every table of the page.
        styled = f"<style>{_SHEET.replace('#id', f'#{self.id}')}</style>"
        markup = _STYLE.sub(lambda _: styled, _light(self.layout.with_id(self.id).as_raw_html()), count=1)
        if self.fold == "open":
            return markup
        return f"<details><summary>{escape(retold(self.title))}</summary>{markup}</details>"

    def machine(self) -> dict[str, object]:
        """Return the twin under `cxsim.mimes.TABLE`."""
        return machine_readable(self.id, self.title, self.twin)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prose:
    """Sentences with light markup.

    Attributes
    ----------
    markup
        HTML in which all text from data is escaped.
    text
        The same sentences without markup.
    twin
        From `machine_readable`, where the sentences tell the numbers of a table.
    """

    markup: str
    text: str
    twin: Mapping[str, object] | None = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        numbers = {} if self.twin is None else {mimes.TABLE: dict(self.twin)}
        return {"text/html": self.markup, **numbers, "text/plain": self.text}

    def __repr__(self) -> str:
        """Return the sentences without markup."""
        return self.text


def machine_readable(name: str, title: str, numbers: pl.DataFrame) -> dict[str, object]:
    """Return a table as plain values under `cxsim.mimes.TABLE`."""
    finite = pl.when(cs.float().is_finite()).then(cs.float().round_sig_figs(_DIGITS))
    rows = numbers.with_columns(finite).rows()
    return {
        "id": name,
        "title": title,
        "columns": numbers.columns,
        "rows": [[_plain(value) for value in row] for row in rows],
    }


def remark(sentence: str) -> Prose:
    """Return a plain sentence that stands where there is nothing to tabulate."""
    return Prose(markup=f'<p class="cx-remark">{escape(sentence)}</p>', text=sentence)


def laid_out(
    cells: pl.DataFrame,
    *,
    title: str,
    subtitle: str,
    heads: Mapping[str, str],
    text: Sequence[str] = (),
    badges: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> GT:
    """Return cells of text as a table in which nothing but a badge is taken for markup."""
    layout = GT(
        cells.with_columns(_badge(name) for name in badges),
        rowname_col="line" if "line" in cells.columns else None,
        groupname_col="group" if "group" in cells.columns else None,
    )
    plain = [name for name in heads if name not in badges]
    layout = (
        layout.tab_header(title=retold(title), subtitle=subtitle)
        .cols_label(dict(heads))
        .cols_align("left", columns=[*text, *badges])
        .cols_align("right", columns=[name for name in plain if name not in text])
        .fmt_passthrough(columns=plain, escape=True)
        .fmt_passthrough(columns=list(badges), escape=False)
    )
    for note in notes:
        layout = layout.tab_source_note(note)
    return layout


def _light(markup: str) -> str:
    """Return the library's markup without what it repeats in each cell: two thirds of it.

    A cell's heads are known from the scope of their own cells; text from data holds no tag, so it is left alone.
    """
    return _INDENTS.sub("\n", _HEADERS.sub(r"\1\2", markup))


def _badge(name: str) -> pl.Expr:
    word = pl.col(name).str.replace_many(_ESCAPES)
    badge = pl.format('<span class="cx-badge" data-word="{}">{}</span>', word, word)
    return pl.when(pl.col(name) == "").then(pl.lit("")).otherwise(badge).alias(name)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


_SHEET = (
    "#id{overflow-x:auto;margin:1rem 0;color:#1f2933}"
    "#id table.gt_table{border-collapse:collapse;font-size:13.5px;line-height:1.4;width:auto;margin:0}"
    "#id :is(td,th){border:0;background:none;padding:.32rem .6rem;vertical-align:top;white-space:normal}"
    "#id tr{background:none;border:0;break-inside:avoid}"
    "#id :is(td,th):first-child{padding-left:0}"
    "#id .gt_title{font-size:1.1rem;font-weight:700;text-align:left;padding:.2rem .6rem 0}"
    "#id .gt_subtitle{color:#52606d;text-align:left;padding:0 .6rem .6rem}"
    "#id :is(.gt_col_heading,.gt_column_spanner_outer){color:#52606d;font-weight:600;vertical-align:bottom;"
    "border-bottom:1px solid #9aa5b1}"
    "#id .gt_spanner_row .gt_column_spanner_outer{border-bottom:0}"
    "#id .gt_column_spanner{display:block;border-bottom:1px solid #cbd2d9;padding-bottom:.2rem}"
    "#id .gt_left{text-align:left}#id .gt_center{text-align:center}"
    "#id .gt_right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "#id th.gt_col_heading{white-space:normal;min-width:3.5rem}"
    "#id tbody tr+tr :is(td,th){border-top:1px solid #eef1f4}"
    "#id .gt_stub{font-weight:400;text-align:left;min-width:7rem}"
    "#id .gt_group_heading{font-weight:700;text-align:left;padding-top:1.1rem;border-bottom:1px solid #9aa5b1}"
    "#id tbody{border-bottom:1px solid #9aa5b1}"
    "#id .gt_sourcenote{color:#52606d;font-size:.85em;text-align:left;max-width:46rem;"
    "padding-top:.15rem;padding-bottom:.15rem}"
    "#id .cx-badge{border:1px solid #9aa5b1;border-radius:1rem;padding:.05rem .5rem;font-size:.85em;white-space:nowrap}"
    "#id .cx-badge:is([data-word=measured],[data-word=yes]){border-color:#00684a;color:#00684a}"
    "#id .cx-badge[data-word=published]{border-color:#0b5394;color:#0b5394}"
    "#id .cx-badge:is([data-word=assumed],[data-word=caution],[data-word=partly]){border-color:#b45f06;color:#8a4b00}"
    "#id .cx-badge:is([data-word=stop],[data-word=no]){border-color:#9b1c1c;color:#9b1c1c}"
)
