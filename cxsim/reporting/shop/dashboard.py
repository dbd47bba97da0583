"""A few metrics over time: a table under SERIES in; small multiples, each with its usual range, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import altair as alt
import polars as pl

from cxsim.data.exports.format import Policy, Receipt
from cxsim.errors import TableError, choices
from cxsim.metrics.contracts import DASHBOARD, SERIES
from cxsim.reporting.tables import Prose, Table, laid_out, remark
from cxsim.reporting.theme import GRID, INK, STRATEGIES, WIDTH, Figure, day_in_words, framed, rounded
from cxsim.tables import Contract, check
from cxsim.wording import MISSING, NBSP, compared, counted, joined, localise, measured, measured_span

_ACROSS = 2
_GAP = 44
_HEIGHT = 110
_LABEL_WIDTH = 38
_NUMBERS = ("value", "low", "high", "usual_low", "usual_high")
_INTERVAL = f"95{NBSP}% interval"
# How the axis of a panel is read; money takes the currency.
_UNITS = {"share": "%", "money": "{}", "hours": "hours", "days": "days", "months": "months"}
_LABELS = "abs(datum.value) >= 10000 ? replace(format(datum.value, '~s'), 'G', 'bn') : format(datum.value, ',~r')"


def weekly(series: pl.DataFrame, *, metrics: Sequence[str], currency: str) -> Figure:
    """Draw a few metrics over complete periods, each beside the range in which it usually lies."""
    table = _chosen(check(series, SERIES), metrics)
    shown = (
        "One value per complete period. Band: the usual range, by the periods before it, which holds chance too. Ring: "
        f"the value lies outside it. The {_INTERVAL} of a value is in its tooltip."
    )
    rows = rounded(_rows(table, currency))
    drawn = (
        alt.layer(*_marks(), data=rows)
        .properties(width=(WIDTH - _GAP) // _ACROSS, height=_HEIGHT)
        .facet(
            facet=alt.Facet(
                "panel:N",
                sort=rows["panel"].unique(maintain_order=True).to_list(),
                title=None,
                header=alt.Header(labelAnchor="start", labelPadding=4),
            ),
            columns=_ACROSS,
            spacing={"row": 16, "column": _GAP},
        )
        .resolve_scale(y="independent")
    )
    return framed(drawn, finding=_finding(table), shown=shown, alt_text=_alt_text(table, currency))


def _chosen(table: pl.DataFrame, metrics: Sequence[str]) -> pl.DataFrame:
    known = table["metric"].unique(maintain_order=True).to_list()
    for name in metrics:
        if name not in known:
            raise TableError(f"SERIES: no metric '{name}'; {choices(name, known)}")
    parts = [table.filter(pl.col("metric") == name).sort("period_start") for name in metrics]
    parts = [part for part in parts if part["value"].count()]
    if not parts:
        raise TableError(f"SERIES: nothing to draw; {', '.join(metrics) or 'no metric'}: no value in any period.")
    return pl.concat(parts)


def _rows(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    scale = pl.when(pl.col("unit") == "share").then(100.0).otherwise(1.0)
    heads = {unit: f", {words}".format(currency) for unit, words in _UNITS.items()}
    unit = pl.col("unit").replace_strict(heads, default="", return_dtype=pl.String)
    # "Hours to the first answer" say their unit themselves.
    said = pl.col("title").str.to_lowercase().str.contains(pl.col("unit"), literal=True)
    last = pl.col("period_end").dt.offset_by("-1us").dt.date()
    return table.select(
        *(pl.col(name) * scale for name in _NUMBERS),
        panel=pl.when(said).then("title").otherwise(pl.col("title") + unit),
        start=pl.col("period_start").dt.date(),
        last=last,
        alert=pl.format("{} its usual range", "alert"),
    )


def _marks() -> list[alt.Chart]:
    when = alt.X("start:T", title=None, axis=alt.Axis(format="%b %y", tickCount=5, labelFlush=False))
    # Room for the widest labels keeps the panels below each other.
    axis = alt.Axis(tickCount=4, labelExpr=_LABELS, minExtent=_LABEL_WIDTH)
    scale = alt.Scale(zero=False, nice=True)
    tooltip = [
        alt.Tooltip("panel:N", title="Metric"),
        alt.Tooltip("start:T", title="From", format="%-d %B %Y"),
        alt.Tooltip("last:T", title="To", format="%-d %B %Y"),
        alt.Tooltip("value:Q", title="Value", format=",.4~r"),
        alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=",.4~r"),
        alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=",.4~r"),
        alt.Tooltip("usual_low:Q", title="Usual range, low", format=",.4~r"),
        alt.Tooltip("usual_high:Q", title="Usual range, high", format=",.4~r"),
    ]
    value = alt.Y("value:Q", title=None, axis=axis, scale=scale)
    drawn = alt.Chart().encode(x=when, y=value)
    band = alt.Chart().mark_area(color=GRID, opacity=0.9)
    return [
        band.encode(x=when, y=alt.Y("usual_low:Q", title=None, axis=axis, scale=scale), y2="usual_high:Q"),
        drawn.mark_line(color=INK, strokeWidth=1.8),
        drawn.mark_point(filled=True, color=INK, size=22, opacity=1).encode(tooltip=tooltip),
        drawn.transform_filter("isValid(datum.alert)").mark_point(
            filled=False, color=STRATEGIES[1], size=140, strokeWidth=2.5, opacity=1
        ),
    ]


def _latest(table: pl.DataFrame) -> pl.DataFrame:
    """Return the row of each metric for the last period of the table, if it has a value there."""
    return table.filter(pl.col("period_start") == pl.col("period_start").max(), pl.col("value").is_not_null())


def _finding(table: pl.DataFrame) -> str:
    latest = _latest(table)
    if latest.is_empty():
        return "In the last period, none of these metrics has a value"
    alerted = latest.filter(pl.col("alert").is_not_null())["title"].to_list()
    period = f"In the period from {day_in_words(latest['period_start'].dt.date().item(0))}"
    if not alerted:
        return f"{period}, none of these metrics lies outside its usual range"
    if len(alerted) <= _NAMED:
        lies = "lies outside its" if len(alerted) == 1 else "lie outside their"
        return f"{period}, {joined(alerted)} {lies} usual range"
    return f"{period}, {counted(len(alerted))} of {counted(latest.height)} metrics lie outside their usual range"


def _alt_text(table: pl.DataFrame, currency: str) -> str:
    values = [
        f"{title}: {measured(value, unit, currency)}"
        for title, value, unit in _latest(table).select("title", "value", "unit").iter_rows()
    ]
    return f"{'; '.join(values)}." if values else ""


# So many titles fit beside each other in a headline.
_NAMED = 2


_HEADS = {
    "value": "Value",
    "interval": f"95{NBSP}% interval",
    "previous": "Period before",
    "change": "Change",
    "span": f"Its 95{NBSP}% interval",
    "verdict": "In words",
    "mark": "Alert",
}
_ALERTS = {"above": "▲ above", "below": "▼ below"}


def dashboard_table(dashboard: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out every metric that is measured, under its family, with its change against the period before.

    Parameters
    ----------
    dashboard
        Table under `DASHBOARD` of `cxsim.metrics.contracts`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per metric that is measured; one sentence where none is. The title says what lies outside its usual
        range, the notes what to be careful about.

    Raises
    ------
    TableError
        For a table that is not under `DASHBOARD`.
    """
    table = check(dashboard, DASHBOARD).filter(pl.col("value").is_not_null())
    if table.is_empty():
        return remark("Nothing is measured here: the tables of this shop say nothing of this period.")
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("group", "line", *_HEADS), pl.String),
    )
    title = _dashboard_finding(table)
    # Where nothing is marked, a column for marks would only take room.
    marks = ("mark",) if table["alert"].count() else ()
    heads = {name: words for name, words in _HEADS.items() if name != "mark" or marks}
    layout = laid_out(
        cells.select("group", "line", *heads),
        title=title,
        subtitle=f"{_periods(table)}, beside the period before",
        heads=heads,
        text=("verdict",),
        badges=marks,
        notes=(*_NOTES, *_cautions(table)),
    )
    return Table(id="dashboard", title=title, layout=layout, twin=table)


def not_measured_table(dashboard: pl.DataFrame) -> Table | Prose:
    """List the metrics that have no value, each with the reason; it opens by its title.

    Parameters
    ----------
    dashboard
        Table under `DASHBOARD` of `cxsim.metrics.contracts`.

    Returns
    -------
    Table or Prose
        One row per metric that is not measured; one sentence where all are.

    Raises
    ------
    TableError
        For a table that is not under `DASHBOARD`.
    """
    table = check(dashboard, DASHBOARD)
    reason = pl.coalesce("missing", pl.when(pl.col("caution") != "").then("caution"), pl.lit("nothing to measure"))
    missing = table.filter(pl.col("value").is_null()).select("metric", "title", "family", missing=reason)
    if missing.is_empty():
        return remark("Every metric of the catalogue is measured.")
    title = f"{counted(missing.height)} of {counted(table.height)} metrics are not measured".capitalize()
    if missing.height == 1:
        title = title.replace(" are ", " is ")
    layout = laid_out(
        missing.select(group="family", line="title", missing="missing"),
        title=title,
        subtitle="Nothing is guessed: what the tables of the shop do not say, or say of too few, is left out",
        heads={"missing": "Why"},
        text=("missing",),
    )
    return Table(id="not-measured", title=title, layout=layout, twin=missing, fold="folded")


def _dashboard_finding(table: pl.DataFrame) -> str:
    alerted = table.filter(pl.col("alert").is_not_null())["title"].to_list()
    if not alerted:
        return f"None of {counted(table.height)} metrics lies outside its usual range"
    lie = "lies outside its" if len(alerted) == 1 else "lie outside their"
    head = f"{counted(len(alerted))} of {counted(table.height)} metrics {lie} usual range".capitalize()
    return f"{head}: {_listed(alerted)}" if len(alerted) <= _DASHBOARD_NAMED else head


def _listed(titles: Sequence[str]) -> str:
    """Return titles as a list; many have commas of their own."""
    return "; ".join(titles)


def _periods(table: pl.DataFrame) -> str:
    found = table.select("period_start", "period_end").unique().sort("period_start", "period_end")
    return joined([_span(start, end) for start, end in found.iter_rows()])


def _span(start: datetime, end: datetime) -> str:
    # The end is no part of the period; its last day is the day before.
    return f"{start.date().isoformat()} to {(end - timedelta(microseconds=1)).date().isoformat()}"


def _cells(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    unit, beside, ends = row["unit"], (row["low"], row["high"]), (row["change_low"], row["change_high"])
    return {
        "group": row["family"],
        "line": row["title"],
        "value": measured(row["value"], unit, currency, beside=beside),
        "interval": measured_span(row["low"], row["high"], unit),
        "previous": MISSING if row["previous"] is None else measured(row["previous"], unit, currency, beside=beside),
        "change": MISSING
        if row["change"] is None
        else measured(row["change"], unit, currency, of="change", beside=ends),
        "span": measured_span(*ends, unit, of="change"),
        "verdict": compared(*ends, row["direction"]),
        "mark": _ALERTS.get(row["alert"], ""),
    }


def _cautions(table: pl.DataFrame) -> list[str]:
    """Return each caution once, after the metrics that it is about."""
    said = table.filter(pl.col("caution") != "").group_by("caution", maintain_order=True).agg("title")
    return [f"{_listed(titles)}: {caution}" for caution, titles in said.iter_rows()]


# So many titles fit beside each other in a headline.
_DASHBOARD_NAMED = 3
_NOTES = (
    "An interval holds the luck of which customers there happen to be; it holds no bias of what was recorded.",
    "A change is clear where its interval does not hold zero; pp: percentage points.",
    "An alert: the value lies outside its usual range in this shop, which comes from the periods before.",
)


_TEXT = (pl.String,)
METRICS = Contract(
    name="METRICS",
    columns=dict.fromkeys(
        (
            "name",
            "title",
            "family",
            "definition",
            "numerator",
            "denominator",
            "unit",
            "direction",
            "window",
            "scale",
            "interval",
            "pitfalls",
            "variant",
        ),
        _TEXT,
    ),
)
_METRIC_REGISTER_HEADS = {
    "definition": "What it says",
    "formula": "Formula",
    "window": "What belongs to a period",
    "scale": "Scale",
    "interval": "Interval",
    "pitfalls": "What to be careful about",
    "variant": "Another formula in use",
}
_BETTER = {"higher": "; higher is better", "lower": "; lower is better", "neither": ""}


def metric_register(metrics: pl.DataFrame, *, fold: Literal["open", "folded"] = "folded") -> Table:
    """List the definition of every metric.

    Parameters
    ----------
    metrics
        One row per metric under `METRICS`: all text.
    fold
        Whether a reader sees it at once, or after opening it by its title.

    Returns
    -------
    Table
        One row per metric, under its family.

    Raises
    ------
    TableError
        For a table that is not under `METRICS`.
    """
    table = check(metrics, METRICS)
    title = f"How {counted(table.height)} metrics are defined"
    formula = (
        pl.when(pl.col("denominator") == "")
        .then(pl.col("numerator"))
        .otherwise(pl.format("{} ÷ {}", "numerator", "denominator"))
    )
    layout = laid_out(
        table.select(
            "definition",
            formula.alias("formula"),
            "window",
            pl.concat_str("scale", pl.col("direction").replace(_BETTER)),
            "interval",
            "pitfalls",
            "variant",
            group="family",
            line="title",
        ),
        title=title,
        subtitle="The same word often stands for different numbers; these are the ones that are shown here",
        heads=_METRIC_REGISTER_HEADS,
        text=tuple(_METRIC_REGISTER_HEADS),
    )
    return Table(id="metrics", title=title, layout=layout, twin=table, fold=fold)


def receipts_table(receipts: Sequence[Receipt], policy: Policy) -> Table | Prose:
    """Lay out, file by file, how many rows were read, what was noticed, and how many became rows of the shop.

    Parameters
    ----------
    receipts
        Those of a `Shop`.
    policy
        What counts as an order, as its value and as its day.

    Returns
    -------
    Table or Prose
        For each file and table that it fills: rows read, one row per thing that was noticed, rows kept. The policy and
        further facts are notes. Two sentences where no file was read.
    """
    if not receipts:
        return remark(
            f"No file was read: these tables are simulated, so every row is as it was made. {policy.sentence()}"
        )
    twin = pl.DataFrame([row for receipt in receipts for row in _receipts_rows(receipt)], schema=_SCHEMA, orient="row")
    title = _receipts_finding(receipts)
    layout = laid_out(
        twin.select(
            group=pl.format("{} as {}: {}", "file", "recognised", "table"),
            line="reason",
            action="action",
            rows=pl.Series([localise(f"{rows:,}") for rows in twin["rows"]], dtype=pl.String),
        ),
        title=title,
        subtitle="Rows of the files that were handed in; a row is merged or dropped for one reason at most",
        heads={"action": "What happened", "rows": "Rows"},
        text=("action",),
        notes=(policy.sentence(), *(note for receipt in receipts for note in _facts(receipt))),
    )
    return Table(id="receipts", title=title, layout=layout, twin=twin)


def _receipts_rows(receipt: Receipt) -> Iterator[tuple[str, str, str, str, str, int]]:
    found, possible = receipt.columns
    head = (receipt.file, f"{receipt.recognised} ({found} of {possible} columns)", receipt.table)
    yield (*head, "rows of the file", "read", receipt.rows_read)
    for line in receipt.lines:
        if line.rows:
            yield (*head, line.reason, line.action, line.rows)
    yield (*head, f"rows of {receipt.table}", "kept in all", receipt.rows_kept)


def _facts(receipt: Receipt) -> list[str]:
    return [f"{receipt.file}, {name}: {text}" for name, text in receipt.facts]


def _receipts_finding(receipts: Sequence[Receipt]) -> str:
    files = len({receipt.file for receipt in receipts})
    alt_text = "One file was read" if files == 1 else f"{counted(files).capitalize()} files were read"
    dropped = sum(line.rows for receipt in receipts for line in receipt.lines if line.action == "dropped")
    if dropped == 0:
        return f"{alt_text}, and no row was dropped"
    rows = "1 row was dropped" if dropped == 1 else f"{dropped:,} rows were dropped"
    return f"{alt_text}, and {rows}, each for a reason"


_SCHEMA = {
    "file": pl.String,
    "recognised": pl.String,
    "table": pl.String,
    "reason": pl.String,
    "action": pl.String,
    "rows": pl.Int64,
}
