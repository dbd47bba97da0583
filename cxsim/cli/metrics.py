"""A shop's exports or a scenario in; receipts and dashboard, definitions, JSON, a table or a report, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.table import Table

from cxsim.cli.printing import (
    AsJson,
    console,
    grid,
    plain,
    print_json,
    print_line,
    require_table_file,
    waiting,
    write_table,
)
from cxsim.wording import MISSING, compared, measured, measured_span

if TYPE_CHECKING:
    import polars as pl

    from cxsim.data.shop import Every, Receipt, Shop
    from cxsim.metrics.catalogue import Metric
    from cxsim.metrics.dashboard import Dashboard

NOTEBOOK = "05-cx-dashboard.ipynb"
_DAY = "%Y-%m-%d"
_ALERTS = {"above": "above usual", "below": "below usual"}
_COLOURS = {"(better)": "green", "(worse)": "red"}

ShopName = Annotated[
    str | None,
    typer.Argument(metavar="[SHOP]", help="Folder or file of exports, or a scenario, which is simulated first."),
]
EveryOption = Annotated[str, typer.Option(metavar="week|month", help="Length of a period; weeks begin on Monday.")]
Until = Annotated[datetime | None, typer.Option(formats=[_DAY], help="Last day of observation; else the files'.")]
Currency = Annotated[str, typer.Option(help="Code, where no file says it or several do, such as EUR.")]
Out = Annotated[Path | None, typer.Option(help="Write the dashboard as a table: .csv or .parquet.")]
Report = Annotated[
    Path | None, typer.Option(help="Write one HTML file with everything, its tables beside it, instead.")
]
Listed = Annotated[bool, typer.Option("--list", help="List all metrics; needs no shop.")]
Explained = Annotated[
    str | None, typer.Option("--explain", metavar="METRIC", help="Define one metric, such as aov_net.")
]


def metrics(
    shop: ShopName = None,
    every: EveryOption = "week",
    until: Until = None,
    currency: Currency = "",
    as_json: AsJson = False,
    out: Out = None,
    report: Report = None,
    listed: Listed = False,
    explain: Explained = None,
) -> None:
    """Measure customer experience in a shop's own exports: what became of every row, then every metric there is."""
    given = {"--json": as_json, "--out": out, "--report": report}
    _refuse_mixtures(shop, given, listed=listed, explain=explain)
    if listed or explain is not None:
        _define(explain, as_json=as_json)
        return
    name, period = cast("str", shop), _every(every)
    if report is not None:
        _write_report(
            name, report, {"every": period, "until": f"{until:{_DAY}}" if until else "", "currency": currency}
        )
        return
    _measure(name, period, until, currency=currency, as_json=as_json, out=out)


def _refuse_mixtures(shop: str | None, given: Mapping[str, object], *, listed: bool, explain: str | None) -> None:
    if listed and explain is not None:
        raise typer.BadParameter("either all metrics or one, not both.", param_hint="'--list'")
    defines = "--list" if listed else "--explain" if explain is not None else ""
    if defines and (shop is not None or given["--out"] or given["--report"]):
        raise typer.BadParameter(
            "it defines metrics and measures no shop; leave out SHOP, --out and --report.", param_hint=f"'{defines}'"
        )
    if not defines and shop is None:
        raise typer.BadParameter(
            "name a folder or file of exports, or a scenario; or ask for --list.", param_hint="'SHOP'"
        )
    if given["--report"] and (given["--json"] or given["--out"]):
        raise typer.BadParameter(
            "it brings its tables as CSV beside it; leave out --json and --out.", param_hint="'--report'"
        )


def _every(word: str) -> Every:
    if word not in ("week", "month"):
        raise typer.BadParameter(f"'{word}' is neither week nor month.", param_hint="'--every'")
    return cast("Every", word)


def _measure(
    name: str, every: Every, until: datetime | None, *, currency: str, as_json: bool, out: Path | None
) -> None:
    from cxsim.metrics.dashboard import dashboard
    from cxsim.reporting.shop_page import load_shop

    if out is not None:
        require_table_file(out)
    with waiting("Reading the shop"):
        shop = load_shop(name, until=until.date() if until else None, currency=currency)
    if not as_json:
        # Before anything is measured: where nothing can be, what became of the rows is most often the reason.
        _print_receipts(shop)
    with waiting("Measuring") as say:
        found = dashboard(shop, every=every, progress=say)
    if as_json:
        print_json(_content(shop, found))
    else:
        _print_dashboard(found.table, shop.currency)
    if out is not None:
        write_table(found.table, out)
        print_line(f"Written: {out}", "stderr" if as_json else "stdout")


def _write_report(name: str, out: Path, settings: dict[str, str]) -> None:
    from cxsim.params import root
    from cxsim.reporting.page import make

    path = Path(name)
    # The notebook runs in its own folder, from which a path of here leads nowhere.
    shop = str(path.resolve()) if path.exists() else name
    with waiting("Writing the report") as say:
        tables = make(
            root() / "notebooks" / NOTEBOOK,
            parameters={"shop": shop, **settings},
            title=f"Customer experience: {path.stem or name}",
            out=out,
            progress=say,
        )
    size = out.stat().st_size / 1e6
    print_line(f"Written: {out.absolute()} ({size:.1f} MB) and {len(tables)} tables beside it")


def _define(name: str | None, *, as_json: bool) -> None:
    from cxsim.metrics.catalogue import load_metrics, metric_named
    from cxsim.reporting.shop_page import definitions

    chosen = list(load_metrics().values()) if name is None else [metric_named(name)]
    if as_json:
        print_json(definitions(chosen).to_dicts())
    elif name is None:
        _print_catalogue(chosen)
    else:
        _print_metric(chosen[0])


def _content(shop: Shop, found: Dashboard) -> dict[str, object]:
    return {
        "shop": shop.name,
        "currency": shop.currency,
        "since": shop.since,
        "until": shop.until,
        "policy": shop.policy.sentence(),
        "receipts": [
            {
                "file": receipt.file,
                "table": receipt.table,
                "recognised": receipt.recognised,
                "rows_read": receipt.rows_read,
                "rows_kept": receipt.rows_kept,
                "lines": [{"reason": line.reason, "action": line.action, "rows": line.rows} for line in receipt.lines],
                "facts": dict(receipt.facts),
            }
            for receipt in shop.receipts
        ],
        "metrics": found.table.to_dicts(),
    }


def _print_receipts(shop: Shop) -> None:
    """Print what became of the rows of each file, one line a file, and what counts as an order."""
    for receipt in shop.receipts:
        print_line(_short(receipt))
    if not shop.receipts:
        print_line(f"{shop.name}: simulated, hence no file was read.")
    print_line(shop.policy.sentence())


def _print_dashboard(table: pl.DataFrame, currency: str) -> None:
    """Print the metrics that are measured, under their families, and those that are not, with the reasons."""
    import polars as pl

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


def _print_catalogue(metrics: Sequence[Metric]) -> None:
    """Print all metrics, under their families."""
    table = grid(("name", "metric", "unit", "better", "formula"))
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


def _print_metric(metric: Metric) -> None:
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
    import polars as pl

    if table.is_empty():
        return
    out = console()
    out.print()
    out.print(plain("Not measured"))
    for reason, titles in _cautions(table.with_columns(reason=pl.coalesce("missing", "caution")), "reason"):
        out.print(plain(f"  {titles}: {reason or 'nothing to measure'}"))


def _cautions(table: pl.DataFrame, column: str) -> Iterator[tuple[str, str]]:
    """Yield each text of a column once, with the titles that it is about."""
    import polars as pl

    listed = (
        table.filter((pl.col(column) != "") | (column == "reason")).group_by(column, maintain_order=True).agg("title")
    )
    for text, titles in listed.iter_rows():
        yield text, "; ".join(titles)


def _short(receipt: Receipt) -> str:
    head = str(receipt).splitlines()[0]
    counts = {
        action: sum(line.rows for line in receipt.lines if line.action == action) for action in ("merged", "dropped")
    }
    sentence = ", ".join(f"{rows:,} {action}" for action, rows in counts.items() if rows)
    return f"{head} {sentence[0].upper()}{sentence[1:]}." if sentence else head


def _period(table: pl.DataFrame) -> str:
    start, end = (table[name].item(0) for name in ("period_start", "period_end"))
    last = end - timedelta(microseconds=1)
    return f"{start.date().isoformat()} to {last.date().isoformat()}, beside the period before; 95 % intervals"


def _measured(table: pl.DataFrame, currency: str) -> Table:
    numbers = ("value", "interval", "before", "change", "its interval")
    shown = grid(("metric", *numbers, "in words", "alert"), right=numbers)
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
