"""What a shop measures: values, series, definitions and receipts in; small multiples and tables out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import altair as alt
import polars as pl

from cxsim.data.shop import Policy, Receipt, ReceiptLine
from cxsim.errors import TableError, choices
from cxsim.metrics.dashboard import DASHBOARD, SERIES
from cxsim.reporting.tables import Column, Prose, Row, Table, TableSpec, remark
from cxsim.reporting.theme import (
    GRID,
    INK,
    STRATEGIES,
    WIDTH,
    Figure,
    distinct,
    ends,
    framed,
    hover,
    listed,
    points,
    rounded,
    some_of,
    with_texts,
)
from cxsim.tables import TEXT, Contract, check
from cxsim.wording import INTERVAL_95, Of, compared, counted, day_in_words, figure, joined, measured, measured_span

METRICS = Contract(
    "METRICS",
    TEXT(
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
)
_ACROSS = 2
_GAP = 44
_HEIGHT = 110
_LABEL_WIDTH = 38
_NUMBERS = ("value", "low", "high", "usual_low", "usual_high")
# How the axis of a panel is read; money takes the currency.
_UNITS = {"share": "%", "money": "{}", "hours": "hours", "days": "days", "months": "months"}
_LABELS = "abs(datum.value) >= 10000 ? replace(format(datum.value, '~s'), 'G', 'bn') : format(datum.value, ',~r')"
# So many titles fit beside each other in the headline of the figure, and of the table.
_NAMED, _LISTED = 2, 3
_ALERTS = {"above": "▲ above", "below": "▼ below"}
_BETTER = {"higher": "; higher is better", "lower": "; lower is better", "neither": ""}


def weekly(series: pl.DataFrame, *, metrics: Sequence[str], currency: str) -> Figure:
    """Draw a few metrics over complete periods, each beside the range in which it usually lies."""
    known = distinct(check(series, SERIES), "metric")
    for name in metrics:
        if name not in known:
            raise TableError(f"SERIES: no metric '{name}'; {choices(name, known)}")
    table = series.filter(pl.col("metric").is_in(metrics), pl.col("value").count().over("metric") > 0)
    if table.is_empty():
        raise TableError(f"SERIES: nothing to draw; {', '.join(metrics) or 'no metric'}: no value in any period.")
    table = table.sort(pl.col("metric").cast(pl.Enum(metrics)), "period_start")
    rows = rounded(_rows(table, currency))
    header = {"labelAnchor": "start", "labelPadding": 4}
    facet = alt.Facet("panel:N", sort=distinct(rows, "panel"), title=None, header=header)
    drawn = alt.layer(*_marks(), data=rows).properties(width=(WIDTH - _GAP) // _ACROSS, height=_HEIGHT)
    # The last period of the table, for the metrics that have a value there.
    latest = table.filter(pl.col("period_start") == pl.col("period_start").max(), pl.col("value").is_not_null())
    return framed(
        drawn.facet(facet=facet, columns=_ACROSS, spacing={"row": 16, "column": _GAP}).resolve_scale(y="independent"),
        finding=_finding(latest),
        shown=(
            "One value per complete period. Band: usual range, estimated from earlier periods, chance included. "
            f"Ring: value outside that range. The tooltip shows the {INTERVAL_95}."
        ),
        alt_text=listed(
            latest.select("title", "value", "unit"),
            lambda title, value, unit: f"{title}: {measured(value, unit, currency)}",
        ),
    )


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
    """
    table = check(dashboard, DASHBOARD).filter(pl.col("value").is_not_null())
    # Where nothing is marked, a column for marks would only take room.
    return replace(
        _DASHBOARD,
        columns={name: one for name, one in _DASHBOARD.columns.items() if name != "mark" or table["alert"].count()},
    ).render_or_remark(table, currency)


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
    """
    table = check(dashboard, DASHBOARD)
    missing = table.filter(pl.col("value").is_null()).select(
        "metric",
        "title",
        "family",
        missing=pl.coalesce("missing", pl.when(pl.col("caution") != "").then("caution"), pl.lit("no cases")),
    )
    verb = "is" if missing.height == 1 else "are"
    return replace(
        _NOT_MEASURED, title=some_of(missing.height, table.height, f"metrics {verb} not measured")
    ).render_or_remark(missing)


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
    """
    return replace(_METRICS, fold=fold).render(metrics)


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
        return remark(f"No files were read: the tables are simulated. {policy.sentence()}")
    notes = (policy.sentence(), *[f"{one.file}, {name}: {text}" for one in receipts for name, text in one.facts])
    spec = replace(_RECEIPTS, title=_receipts_finding(receipts), notes=lambda _: notes)
    return spec.render(
        pl.DataFrame(
            [row for receipt in receipts for row in _counts(receipt)],
            schema=(dict.fromkeys(("file", "recognised", "table", "reason", "action"), pl.String) | {"rows": pl.Int64}),
            orient="row",
        )
    )


def _rows(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    def panel(row: Row) -> str:
        unit = _UNITS.get(row["unit"], "").format(currency)
        # "Hours to the first answer" name their unit themselves.
        return row["title"] if not unit or row["unit"] in row["title"].lower() else f"{row['title']}, {unit}"

    return with_texts(table, {"panel": panel}).select(
        *(pl.col(name) * pl.when(pl.col("unit") == "share").then(100.0).otherwise(1.0) for name in _NUMBERS),
        "panel",
        start=pl.col("period_start").dt.date(),
        last=pl.col("period_end").dt.offset_by("-1us").dt.date(),
        alert=pl.format("{} its usual range", "alert"),
    )


def _marks() -> list[alt.Chart]:
    when = alt.X("start:T", title=None, axis={"format": "%b %y", "labelFlush": False, "tickCount": 5})
    # Room for the widest labels keeps the panels below each other.
    value, usual = (
        alt.Y(
            f"{name}:Q",
            title=None,
            axis={"labelExpr": _LABELS, "minExtent": _LABEL_WIDTH, "tickCount": 4},
            scale={"nice": True, "zero": False},
        )
        for name in ("value", "usual_low")
    )
    drawn = alt.Chart().encode(x=when, y=value)
    return [
        alt.Chart().mark_area(color=GRID, opacity=0.9).encode(x=when, y=usual, y2="usual_high:Q"),
        drawn.mark_line(color=INK, strokeWidth=1.8),
        points(drawn, INK, size=22).encode(
            tooltip=hover(
                {
                    "panel:N": "Metric",
                    "start:T %-d %B %Y": "From",
                    "last:T %-d %B %Y": "To",
                    "value:Q ,.4~r": "Value",
                    **ends(INTERVAL_95, ",.4~r"),
                    "usual_low:Q ,.4~r": "Usual range, low",
                    "usual_high:Q ,.4~r": "Usual range, high",
                }
            )
        ),
        drawn.transform_filter("isValid(datum.alert)").mark_point(
            filled=False, color=STRATEGIES[1], size=140, strokeWidth=2.5, opacity=1
        ),
    ]


def _finding(latest: pl.DataFrame) -> str:
    if latest.is_empty():
        return "None of these metrics has a value in the last period"
    period = f"In the period from {day_in_words(latest['period_start'].dt.date().item(0))}"
    alerted = latest.drop_nulls("alert")["title"].to_list()
    if not alerted:
        return f"{period}, none of these metrics is outside its usual range"
    which = f"{counted(len(alerted))} of {counted(latest.height)} metrics"
    return f"{period}, {joined(alerted) if len(alerted) <= _NAMED else which} {_lie(alerted)}"


def _lie(titles: Sequence[str]) -> str:
    return f"{'is outside its' if len(titles) == 1 else 'are outside their'} usual range"


def _outside(table: pl.DataFrame) -> str:
    alerted = table.drop_nulls("alert")["title"].to_list()
    if not alerted:
        return f"None of {counted(table.height)} metrics is outside its usual range"
    head = some_of(len(alerted), table.height, f"metrics {_lie(alerted)}")
    # Many titles have commas of their own.
    return f"{head}: {'; '.join(alerted)}" if len(alerted) <= _LISTED else head


def _periods(table: pl.DataFrame) -> str:
    found = table.select("period_start", "period_end").unique().sort("period_start", "period_end")
    return f"{joined([period(*ends) for ends in found.iter_rows()])}, compared with the previous period"


def period(start: datetime, end: datetime) -> str:
    """Return the first and the last day of a period, whose end is no part of it."""
    return " to ".join(moment.date().isoformat() for moment in (start, end - timedelta(microseconds=1)))


def _notes(table: pl.DataFrame) -> list[str]:
    """Return how to read the table, and each caution once, after the metrics that it is about."""
    return [
        "Intervals cover sampling variation across customers, not errors in the recorded data.",
        "A change is clear if its interval excludes zero; pp: percentage points.",
        "Alert: the value is outside its usual range, estimated from earlier periods of this shop.",
        *(
            f"{'; '.join(titles)}: {caution}"
            for caution, titles in table.filter(pl.col("caution") != "")
            .group_by("caution", maintain_order=True)
            .agg("title")
            .iter_rows()
        ),
    ]


def _amount(name: str, of: Of = "value") -> Callable[[Row], str | None]:
    ends = [f"{'change_' if of == 'change' else ''}{end}" for end in ("low", "high")]

    def written(row: Row) -> str | None:
        return (
            None
            if row[name] is None
            else measured(row[name], row["unit"], row["currency"], of=of, beside=[row[end] for end in ends])
        )

    return written


# What is known of a metric and of its change; the alert is marked otherwise on a terminal.
MEASURED = {
    "value": Column("Value", _amount("value")),
    "interval": Column(INTERVAL_95, lambda row: measured_span(row["low"], row["high"], row["unit"])),
    "previous": Column("Previous period", _amount("previous")),
    "change": Column("Change", _amount("change", "change")),
    "span": Column(
        f"{INTERVAL_95} of the change",
        lambda row: measured_span(row["change_low"], row["change_high"], row["unit"], of="change"),
    ),
    "verdict": Column(
        "Assessment", lambda row: compared(row["change_low"], row["change_high"], row["direction"]), align="text"
    ),
}


_DASHBOARD = TableSpec(
    id="dashboard",
    contract=DASHBOARD,
    title=_outside,
    subtitle=_periods,
    group="family",
    line="title",
    columns=MEASURED | {"mark": Column("Alert", lambda row: _ALERTS.get(row["alert"], ""), align="badge")},
    notes=_notes,
    empty="No metric can be measured: the shop's tables hold no data for this period.",
)
_NOT_MEASURED = TableSpec(
    id="not-measured",
    title="",
    subtitle="Metrics without data, or with too few cases, are left out rather than estimated",
    group="family",
    line="title",
    columns={"missing": Column("Reason", align="text")},
    empty="All metrics in the catalogue are measured.",
    fold="folded",
)
_METRICS = TableSpec(
    id="metrics",
    contract=METRICS,
    title=lambda table: f"Definitions of {counted(table.height)} metrics",
    subtitle="The same name is often used for different formulas; this report uses these",
    group="family",
    line="title",
    columns={
        "definition": Column("Definition", align="text"),
        "formula": Column(
            "Formula",
            lambda row: f"{row['numerator']} ÷ {row['denominator']}" if row["denominator"] else row["numerator"],
            align="text",
        ),
        "window": Column("Period", align="text"),
        "scale": Column("Scale", lambda row: row["scale"] + _BETTER[row["direction"]], align="text"),
        "interval": Column("Interval", align="text"),
        "pitfalls": Column("Pitfalls", align="text"),
        "variant": Column("Other definitions in use", align="text"),
    },
)
_RECEIPTS = TableSpec(
    id="receipts",
    title="",
    subtitle="Rows of the input files; each row is merged or dropped for at most one reason",
    group=lambda row: f"{row['file']} as {row['recognised']}: {row['table']}",
    line="reason",
    columns={"action": Column("Action", align="text"), "rows": Column("Rows")},
)


def _noticed(line: ReceiptLine) -> tuple[str, str, int]:
    return line.reason + (f", such as {line.example}" if line.example else ""), line.action, line.rows


def _counts(receipt: Receipt) -> list[tuple[str | int, ...]]:
    found, possible = receipt.columns
    head = (receipt.file, f"{receipt.recognised} ({found} of {possible} columns)", receipt.table)
    return [
        (*head, *line)
        for line in [
            ("rows of the file", "read", receipt.rows_read),
            *(_noticed(line) for line in receipt.lines if line.rows),
            (f"rows of {receipt.table}", "kept in total", receipt.rows_kept),
        ]
    ]


def _receipts_finding(receipts: Sequence[Receipt]) -> str:
    files = len({receipt.file for receipt in receipts})
    read = "One file was read" if files == 1 else f"{counted(files).capitalize()} files were read"
    dropped = sum(line.rows for receipt in receipts for line in receipt.lines if line.action == "dropped")
    if dropped == 0:
        return f"{read}, and no row was dropped"
    rows = "1 row was" if dropped == 1 else f"{figure(dropped)} rows were"
    return f"{read}, and {rows} dropped for the reasons shown"
