"""Rows in; tables and sentences for the eye, for a machine and for whatever theme a notebook has, out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl
import polars.selectors as cs
from great_tables import GT, html as trusted, loc, style

from cxsim.finance.economics import LADDER
from cxsim.params import Unit
from cxsim.tables import Contract, check
from cxsim.wording import (
    MISSING,
    NBSP,
    between,
    chance_and_error,
    figure,
    figure_against,
    in_html,
    in_terminal,
    labelled,
    minor_digits,
    number,
    priced,
    unlabelled,
)

# JupyterLab 4 and VS Code draw this one natively and without a network; altair 6's own name is drawn by neither.
CHART = "application/vnd.vegalite.v5+json"
# {"id": str, "title": str, "columns": [str, ...], "rows": [[value, ...], ...]}: the machine-readable twin of a table.
TABLE = "application/vnd.cxsim.table+json"
# The manifest of a study: plain values that say how to make it again; a report shows it as its audit trail.
MANIFEST = "application/vnd.cxsim.manifest+json"
# `all` in the kernel of a report, which needs whole tables; in a notebook an output carries the first rows alone.
ROWS = "CXSIM_ROWS_OF_OUTPUTS"
_FIRST_ROWS = 10
Plain = dict[str, Any]
Fold = Literal["open", "folded", "linked"]


# How a number of a page was found, as its cells and sentences say.
MEAN, SHARE, QUANTILES = "mean-of-draws", "share-of-draws", "quantiles-of-draws"
ERROR, CENTRAL, TAIL = "simulation-error", "base-case", "worst-tenth-of-draws"
# Stands for the code of the currency in words that are computed, which may hold somebody's own braces: a character that
# Unicode leaves to private use.
CURRENCY = "\ue000"
_DIGITS = 10
_STYLE = re.compile(r"<style>.*?</style>", flags=re.DOTALL)
_HEADERS = re.compile(r'(<td(?: style="[^"]*")?) headers="[^"]*"|(<th(?: style="[^"]*")? scope="row") id="[^"]*"')
_INDENTS = re.compile(r"\n[ ]+")
# By what a page, which is light, has: what a notebook takes from the theme of JupyterLab, or else of VS Code.
THEMED = {
    "#1f2933": "var(--jp-content-font-color1,var(--vscode-foreground,#1f2933))",
    "#52606d": "var(--jp-content-font-color2,var(--vscode-descriptionForeground,#52606d))",
    "#e4e7eb": "var(--jp-border-color2,var(--vscode-widget-border,#e4e7eb))",
    "#ffffff": "var(--jp-layout-color0,var(--vscode-editor-background,#ffffff))",
}
_INK, _, _LINE, _ = THEMED.values()
# What a card needs where its sheet is not shown: its badge apart from its title, a name beside its own figure.
_INLINE = {
    '<span class="cx-badge">': '<span class="cx-badge" style="border:1px solid;padding:0 .5em">',
    "<div><dt>": '<div style="clear:both;overflow:hidden"><dt>',
}
_RULES = re.compile(r"(?<![-\w])(color|background):#([0-9a-f]{6})|#(?:9aa5b1|cbd2d9|eef1f4|e4e7eb)")
_CELLS = re.compile(r'(<t[dh]\b[^>]*?class="[^"]*?\bgt_(left|right|center|title|subtitle|source\w+|group\w+)\b[^>]*)>')


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table for the eye and its twin for a machine.

    Attributes
    ----------
    id
        Fixed name, from which the markup and the twin's file take theirs.
    title
        What the table shows.
    layout
        The cells as they are read.
    twin
        The numbers behind them, unrounded, one column per quantity.
    fold
        Whether a reader sees it at once, after opening it by its title, or in the file beside the page alone.
    """

    id: str
    title: str
    layout: GT
    twin: pl.DataFrame
    fold: Fold = "open"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Plain:  # noqa: ARG002
        return {"text/html": _as_shown(self.html()), TABLE: _shortened(self.machine()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        """Return one line; the layout's own is long and holds addresses."""
        return in_terminal(f"<table: {self.title}>")

    def html(self) -> str:
        """Return the markup, with a style sheet that holds for this table only."""
        # A notebook has no file beside it, so there the cells can be opened.
        if self.fold == "linked" and in_report():
            return f"<p><strong>{in_html(self.title)}</strong></p>"
        # The library's own sheet is 8 kB, and some of its rules reach every table of the page.
        styled = f"<style>{_SHEET.replace('#id', f'#{self.id}')}</style>"
        markup = _STYLE.sub(lambda _: styled, _light(self.layout.with_id(self.id).as_raw_html()), count=1)
        if self.fold == "open":
            return markup
        return f"<details><summary>{in_html(self.title)}</summary>{markup}</details>"

    def machine(self) -> Plain:
        """Return the twin under `cxsim.reporting.tables.TABLE`."""
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

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Plain:  # noqa: ARG002
        numbers = {} if self.twin is None else {TABLE: _shortened(self.twin)}
        return {"text/html": _as_shown(self.markup), **numbers, "text/plain": repr(self)}

    def __repr__(self) -> str:
        """Return the sentences without markup, and without what would act on a terminal."""
        return in_terminal(self.text)


def machine_readable(name: str, title: str, numbers: pl.DataFrame) -> Plain:
    """Return a table as plain values under `cxsim.reporting.tables.TABLE`."""
    finite = pl.when(cs.float().is_finite()).then(cs.float().round_sig_figs(_DIGITS))
    rows = numbers.with_columns(finite).rows()
    return {
        "id": name,
        "title": title,
        "columns": numbers.columns,
        "rows": [[_plain(value) for value in row] for row in rows],
    }


def _shortened(twin: Mapping[str, Any]) -> Plain:
    """Return a twin as an output carries it; one without its last rows says how many it has in all."""
    rows = twin["rows"]
    if in_report() or len(rows) <= _FIRST_ROWS:
        return dict(twin)
    return {**twin, "rows": rows[:_FIRST_ROWS], "rows_in_all": len(rows)}


def remark(sentence: str) -> Prose:
    """Return a plain sentence that stands where there is nothing to tabulate."""
    return Prose(markup=f'<p class="cx-remark">{in_html(sentence)}</p>', text=sentence)


Row = Mapping[str, Any]
# A field of a row by its name, or what is computed of the row.
Of = str | Callable[[Row], Any]


def plain(value: str | float) -> str:
    """Return a value by its type: text as it is, a count with its thousands, an amount to three significant digits."""
    if isinstance(value, str):
        return value
    return figure(value) if isinstance(value, int) else number(value)


@dataclass(frozen=True, slots=True)
class Column:
    """How one quantity of a table is written; a missing value is a dash, an empty text stays empty.

    Attributes
    ----------
    head
        Words above it, or beside it in a table that runs across.
    of
        The field or the function of a row; without it, the field of the column's own name.
    write
        From the value to its text.
    error
        Field of the standard error, which follows after ±.
    align
        Numbers stand at the right, text at the left; a badge is a word with a rim.
    group
        Of the line, in a table that runs across.
    estimator
        How its numbers were found, where that is not what its table says; they measure what the column's name says.
    """

    head: str
    of: Of = ""
    write: Callable[[Any], str] = plain
    error: str = ""
    align: Literal["number", "text", "badge"] = "number"
    group: str = ""
    estimator: str = ""

    def cell(self, row: Row, name: str, estimator: str = "") -> str:
        """Return the text of a row, in which nothing but a badge is taken for markup."""
        value = _of(row, self.of or name)
        text = MISSING if value is None else self.write(value)
        around = row[self.error] if self.error and value is not None else None
        error = "" if around is None else f" ± {number(around)}"
        if estimator:
            strategy = row.get("strategy") or row.get("members", "")
            text = labelled(text, name, strategy, self.estimator or estimator)
            error = labelled(error, f"{name}_error", strategy, ERROR)
        text = in_html(text + error)
        badge = text and self.align == "badge"
        return f'<span class="cx-badge" data-word="{text}">{text}</span>' if badge else text


def interval(low: str, high: str) -> Callable[[Row], str | None]:
    """Return how an interval is written, where there is one."""
    return lambda row: None if row[low] is None or row[high] is None else between(row[low], row[high])


def amounts_as_text(amounts: Iterable[float]) -> Callable[[float], str]:
    """Return how amounts are written that are read together: in whole units where the largest of them allows it."""
    spec = ",.0f" if max(abs(each) for each in amounts) >= _WHOLE else ",.2f"
    return lambda each: figure(each, spec)


def with_amounts(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """Return rows with their amounts as text, in whole units where the largest of them allows it."""
    text = amounts_as_text(row[name] for row in rows for name in names)
    return [{**row, **{name: text(row[name]) for name in names}} for row in rows]


def share_to(decimals: int) -> Callable[[float], str]:
    """Return how a share is written as a percentage, to so many decimals, or more where these would be zero."""
    return lambda share: f"{figure_against(100.0 * share, 0.0, decimals)}{NBSP}%"


def _of(row: Row, of: Of) -> Any:
    return row[of] if isinstance(of, str) else of(row)


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSpec:
    """What a table shows and how: its words, its columns and what of each row they show.

    `{currency}` in title, subtitle, heads and notes stands for the code of the currency, CURRENCY in what a function
    gives. A function of words or rows takes the whole table.

    Attributes
    ----------
    id
        Fixed name, from which the markup and the twin's file take theirs.
    title
        What the table shows; a finding is computed from its rows.
    subtitle, notes
        Words below the title, and below the table.
    columns
        By name, in the order in which they are shown.
    line, group
        Names a row, and the rows below a heading.
    contract
        What the table must keep.
    rows
        From the table to the rows that are shown, where these are not its own.
    empty
        Sentence that stands instead of a table without rows.
    stub
        Words above the names of the rows.
    spanners
        Words above several columns.
    bold
        Whether a row is a sum.
    across
        Where the columns run across as lines: prefix of the names of the columns that stand there, one per row under
        its `line`.
    fold
        As in `Table`.
    estimator
        How the numbers were found of a table whose cells say what they measure, of which strategy.
    """

    id: str
    title: str | Callable[[pl.DataFrame], str]
    subtitle: str | Callable[[pl.DataFrame], str]
    columns: Mapping[str, Column]
    line: Of = ""
    group: Of = ""
    contract: Contract | None = None
    rows: Callable[[pl.DataFrame], Iterable[Row]] | None = None
    notes: Sequence[str] | Callable[[pl.DataFrame], Sequence[str]] = ()
    empty: str = ""
    stub: str = ""
    spanners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bold: Callable[[Row], bool] | None = None
    across: str = ""
    fold: Fold = "open"
    estimator: str = ""

    def render(self, table: pl.DataFrame, currency: str = "") -> Table:
        """Return the table, whose twin is the table that went in; rows find the code of the currency as `currency`."""
        if self.contract:
            check(table, self.contract)
        rows = [{**row, "currency": currency} for row in (self.rows(table) if self.rows else table.rows(named=True))]
        title, subtitle = (
            words(table).replace(CURRENCY, currency) if callable(words) else words.replace("{currency}", currency)
            for words in (self.title, self.subtitle)
        )
        fixed = () if callable(self.notes) else [note.replace("{currency}", currency) for note in self.notes]
        notes = self.notes(table) if callable(self.notes) else fixed
        cells, heads = self._cells(rows, currency)
        left = [name for name in heads if not self.across and self.columns[name].align != "number"]
        line, group = (name if name in cells.columns else None for name in ("line", "group"))
        layout = GT(cells, line, group).tab_header(title=_label(title), subtitle=_label(subtitle))
        layout = layout.cols_label({name: _label(head) for name, head in heads.items()})
        # Cells are escaped already, names of rows and groups with them.
        layout = layout.fmt_passthrough(columns=cells.columns, escape=False).cols_align("left", columns=left)
        layout = layout.cols_align("right", columns=[name for name in heads if name not in left])
        for note in notes:
            layout = layout.tab_source_note(_label(note))
        for words, names in self.spanners.items():
            layout = layout.tab_spanner(_label(words), columns=list(names))
        if self.stub:
            layout = layout.tab_stubhead(_label(self.stub))
        if self.bold is not None:
            sums = [place for place, row in enumerate(rows) if self.bold(row)]
            layout = layout.tab_style(style.text(weight="bold"), [loc.body(rows=sums), loc.stub(rows=sums)])
        return Table(id=self.id, title=unlabelled(title), layout=layout, twin=table, fold=self.fold)

    def render_or_remark(self, table: pl.DataFrame, currency: str = "") -> Table | Prose:
        """Return the table, or the sentence that stands instead of one without rows."""
        if self.contract:
            check(table, self.contract)
        return remark(self.empty) if table.is_empty() else self.render(table, currency)

    def _cells(self, rows: Sequence[Row], currency: str) -> tuple[pl.DataFrame, dict[str, str]]:
        """Return the cells as markup and the heads of their columns; across, each column fills a row."""
        heads = {name: column.head.replace("{currency}", currency) for name, column in self.columns.items()}
        cells = {
            name: [column.cell(row, name, self.estimator) for row in rows] for name, column in self.columns.items()
        }
        stubs = {
            name: [str(_of(row, of)) for row in rows]
            for name, of in {"group": self.group, "line": self.line}.items()
            if of
        }
        if self.across:
            names = {f"{self.across}_{place}": line for place, line in enumerate(stubs["line"], start=1)}
            groups = [column.group for column in self.columns.values()]
            stubs = ({"group": groups} if any(groups) else {}) | {"line": list(heads.values())}
            heads, cells = names, dict(zip(names, map(list, zip(*cells.values(), strict=True)), strict=True))
        shown = {name: list(map(in_html, texts)) for name, texts in stubs.items()} | cells
        return pl.DataFrame(shown, schema=dict.fromkeys(shown, pl.String)), heads


def _as_shown(markup: str) -> str:
    """Return the markup as an output carries it: that of a page, or one that is read in whatever theme a notebook has.

    JupyterLab shows a notebook that did not run there without its style sheets, and aligns every cell at the right; so
    each cell of a notebook says by itself where it is aligned.
    """
    if in_report():
        return markup
    themed = _STYLE.sub(lambda sheet: _RULES.sub(_themed, sheet[0]), markup)
    for bare, styled in _INLINE.items():
        themed = themed.replace(bare, styled)
    return _CELLS.sub(_aligned, themed)


def in_report() -> bool:
    """Return whether outputs are those of a report, which has tables whole and is read on a light ground."""
    return os.environ.get(ROWS) == "all"


def _themed(rule: re.Match[str]) -> str:
    if rule[1] is None:
        return _LINE
    return f"color:{THEMED.get(f'#{rule[2]}', _INK)}" if rule[1] == "color" else "background:none"


def _aligned(cell: re.Match[str]) -> str:
    side = cell[2] if cell[2] in ("right", "center") else "left"
    side += ";font-weight:bold" if cell[2] == "title" else ""
    tag, style_of, given = cell[1].partition(' style="')
    return f'{tag} style="text-align:{side};{given}>' if style_of else f'{tag} style="text-align:{side}">'


def _label(text: str) -> Any:
    """Return words of a table as the library takes them for escaped, whatever its version makes of bare text."""
    # It reads a unit of measurement in double braces.
    return trusted(in_html(text).replace("{", "&#123;"))


def _light(markup: str) -> str:
    """Return the library's markup without what it repeats in each cell: two thirds of it.

    A cell's heads are known from the scope of their own cells; text from data holds no tag, so it is left alone.
    """
    return _INDENTS.sub("\n", _HEADERS.sub(r"\1\2", markup))


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


_WHOLE = 1_000.0
_SHARES = (Unit.SHARE, Unit.SHARE_PER_YEAR)
# Units that say nothing beside a number in running text: its description says what it compares.
_BARE = (Unit.RATIO, Unit.ELASTICITY, Unit.CORRELATION, Unit.EXPONENT, Unit.SCORE)


def as_written(value: float, unit: str, *, currency: str = "") -> str:
    r"""Return a number as it was put in, to four significant digits, without its unit; a share as a percentage."""
    if unit in _SHARES:
        return f"{figure(100 * value, '.4g')}{NBSP}%"
    if unit.startswith("money"):
        return _amount(value, minor_digits(currency))
    return figure(value, ",.0f" if abs(value) >= _WHOLE else ".4g")


def in_unit(value: float, unit: str, currency: str) -> str:
    r"""Return a number with its unit, for running text."""
    written = as_written(value, unit, currency=currency)
    if unit in _SHARES:
        return f"{written}{unit.removeprefix('share')}"
    if unit.startswith("money"):
        return f"{priced(written, currency)}{unit.removeprefix('money')}"
    if unit in _BARE:
        return written
    return f"{written}{NBSP}{unit.replace('unit of money', currency)}"


def span(low: float, high: float, unit: str, *, currency: str = "") -> str:
    r"""Return two ends as a range without its unit, but for the sign of a percentage."""
    first, last = (as_written(end, unit, currency=currency) for end in (low, high))
    return f"{first.removesuffix(f'{NBSP}%')} to {last}"


def unit_in_words(unit: str, currency: str) -> str:
    """Return a unit with the code of the currency in it."""
    return unit.replace("unit of money", "money").replace("money", currency)


def found(value: float, digits: int = 3) -> float:
    """Return what a search found to the significant digits that it can claim."""
    return float(f"{value:.{digits}g}")


def chance_of_positive_npv(row: Row) -> str:
    """Return the chance with its simulation error, in percentage points; a chance at an end of the scale has none."""
    likely, error = chance_and_error(row["prob_npv_positive"], row["prob_mc_error"])
    strategy = row.get("strategy") or row["members"]
    text = labelled(likely, "prob_npv_positive", strategy, SHARE)
    return f"{text} ± {labelled(error, 'prob_npv_positive_error', strategy, ERROR)}" if error else text


def _amount(value: float, digits: int) -> str:
    """Return money as it is written on a bill: whole, or with cents, or with what is finer than a cent."""
    if value == round(value):
        return figure(value)
    return figure(value, f",.{digits}f" if round(value, digits) == value else ".4g")


SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
RESULT = SUBTOTALS[-1]


def capitalised(words: str) -> str:
    """Return words that open a line, with their first letter as a capital."""
    return words[:1].upper() + words[1:]


def strategy_name(row: Row) -> str:
    """Return the title of a strategy, or its identifier in words."""
    return str(row["title"]) if "title" in row else capitalised(re.sub("[-_]", " ", row["strategy"]))


def headed(heads: Mapping[str, str]) -> dict[str, Column]:
    """Return columns that show fields as they are, each under its head."""
    return {name: Column(head) for name, head in heads.items()}
