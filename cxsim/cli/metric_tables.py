"""A shop's receipts, its dashboard or the catalogue of metrics in; readable tables for a terminal out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from cxsim.cli.terminal import console, plain
from cxsim.wording import MISSING, compared, measured, measured_span

if TYPE_CHECKING:
    from cxsim.metrics import Metric
    from cxsim.shop import Receipt, Shop

_ALERTS = {"above": "above usual", "below": "below usual"}
_COLOURS = {"(better)": "green", "(worse)": "red"}


def print_receipts(shop: Shop) -> None:
    """Print what became of the rows of each file, one line a file, and what counts as an order."""
    out = console()
    for receipt in shop.receipts:
        out.print(plain(_short(receipt)), soft_wrap=True)
    if not shop.receipts:
        out.print(plain(f"{shop.name}: simulated, hence no file was read."), soft_wrap=True)
    out.print(plain(shop.policy.sentence()), soft_wrap=True)


def print_dashboard(table: pl.DataFrame, currency: str) -> None:
    """Print the metrics that are measured, under their families, and those that are not, with the reasons."""
    out = console()
    there = table.filter(pl.col("value").is_not_null())
    if there.is_empty():
        out.print(plain("Nothing is measured: the tables of this shop say nothing of this period."))
    else:
        out.print()
        out.print(plain(_period(there)))
        out.print(_measured(there, currency))
    for caution, titles in _cautions(there, "caution"):
        out.print(plain("Caution,", style="yellow"), plain(f"{titles}: {caution}"))
    _print_missing(table.filter(pl.col("value").is_null()))


def print_catalogue(metrics: Sequence[Metric]) -> None:
    """Print all metrics, under their families."""
    table = Table()
    for name in ("name", "metric", "unit", "better", "formula"):
        table.add_column(name)
    family = ""
    for metric in metrics:
        if metric.family != family:
            family = metric.family
            table.add_section()
            table.add_row("", plain(family, style="bold"))
        better = "" if metric.direction == "neither" else metric.direction
        table.add_row(metric.name, plain(metric.title), metric.unit, better, plain(_formula(metric)))
    out = console()
    out.print(table)
    out.print(plain(f"One in full: cxsim metrics --explain {metrics[0].name}"))


def print_metric(metric: Metric) -> None:
    """Print the definition of one metric."""
    out = console()
    out.print(plain(f"{metric.title} ({metric.name})", style="bold"))
    out.print(plain(metric.definition))
    better = {"neither": "neither way"}.get(metric.direction, metric.direction)
    parts = {
        "Formula": _formula(metric),
        "Unit": f"{metric.unit}; better: {better}",
        "What belongs to a period": metric.window,
        "Scale": metric.scale,
        "Interval": metric.interval,
        "What to be careful about": metric.pitfalls,
        "Another formula in use": metric.variant,
    }
    for heading, text in parts.items():
        if text:
            out.print()
            out.print(plain(heading, style="bold"))
            out.print(plain(text))


def _print_missing(table: pl.DataFrame) -> None:
    """Print what has no value, each reason once."""
    if table.is_empty():
        return
    out = console()
    out.print()
    out.print(plain("Not measured"))
    for reason, titles in _cautions(table.with_columns(reason=pl.coalesce("missing", "caution")), "reason"):
        out.print(plain(f"  {titles}: {reason or 'nothing to measure'}"))


def _cautions(table: pl.DataFrame, column: str) -> Iterator[tuple[str, str]]:
    """Yield each text of a column once, with the titles that it is about."""
    said = (
        table.filter((pl.col(column) != "") | (column == "reason")).group_by(column, maintain_order=True).agg("title")
    )
    for text, titles in said.iter_rows():
        yield text, "; ".join(titles)


def _short(receipt: Receipt) -> str:
    head = str(receipt).splitlines()[0]
    counts = {
        action: sum(line.rows for line in receipt.lines if line.action == action) for action in ("merged", "dropped")
    }
    told = ", ".join(f"{rows:,} {action}" for action, rows in counts.items() if rows)
    return f"{head} {told[0].upper()}{told[1:]}." if told else head


def _period(table: pl.DataFrame) -> str:
    start, end = (table[name].item(0) for name in ("period_start", "period_end"))
    last = end - timedelta(microseconds=1)
    return f"{start.date().isoformat()} to {last.date().isoformat()}, beside the period before; 95 % intervals"


def _measured(table: pl.DataFrame, currency: str) -> Table:
    shown = Table()
    shown.add_column("metric")
    for name in ("value", "interval", "before", "change", "its interval"):
        shown.add_column(name, justify="right")
    shown.add_column("in words")
    shown.add_column("alert")
    family = ""
    for row in table.iter_rows(named=True):
        if row["family"] != family:
            family = row["family"]
            shown.add_section()
            shown.add_row(plain(family, style="bold"))
        shown.add_row(*_cells(row, currency))
    return shown


def _cells(row: Mapping[str, Any], currency: str) -> list[Any]:
    unit, beside, ends = row["unit"], (row["low"], row["high"]), (row["change_low"], row["change_high"])
    words = compared(*ends, row["direction"])
    style = next((colour for word, colour in _COLOURS.items() if words.endswith(word)), "")
    return [
        plain(row["title"]),
        measured(row["value"], unit, currency, beside=beside),
        measured_span(row["low"], row["high"], unit),
        MISSING if row["previous"] is None else measured(row["previous"], unit, currency, beside=beside),
        MISSING if row["change"] is None else measured(row["change"], unit, currency, of="change", beside=ends),
        measured_span(*ends, unit, of="change"),
        plain(words, style=style),
        plain(_ALERTS.get(row["alert"], ""), style="bold yellow"),
    ]


def _formula(metric: Metric) -> str:
    return metric.numerator if metric.kind == "total" else f"{metric.numerator} ÷ {metric.denominator}"
