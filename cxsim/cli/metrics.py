"""A shop's exports or a scenario in; receipts and dashboard, definitions, JSON, a table or a report, out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from rich.table import Table
from typer import Argument, BadParameter, Option

from cxsim.cli.printing import (
    DAY_FORMAT,
    AsJson,
    console,
    grid,
    plain,
    print_json,
    print_line,
    print_parts,
    print_text,
    print_written,
    require_table_file,
    waiting,
    write_table,
)

if TYPE_CHECKING:
    import polars as pl

    from cxsim.data.shop import Every, Receipt, Shop
    from cxsim.metrics.catalogue import Metric
    from cxsim.metrics.dashboard import Dashboard

NOTEBOOK = "05-cx-dashboard.ipynb"
_ALERTS = {"above": "above usual", "below": "below usual"}
_COLOURS = {"(better)": "green", "(worse)": "red"}


def metrics(
    shop: Annotated[
        str | None,
        Argument(metavar="[SHOP]", help="Folder or file of exports, or a scenario, which is simulated first."),
    ] = None,
    every: Annotated[str, Option(metavar="week|month", help="Length of a period; weeks begin on Monday.")] = "week",
    until: Annotated[
        datetime | None, Option(formats=[DAY_FORMAT], help="Last day of observation; else the files'.")
    ] = None,
    currency: Annotated[str, Option(help="Code, where no file says it or several do, such as EUR.")] = "",
    as_json: AsJson = False,
    out: Annotated[Path | None, Option(help="Write the dashboard as a table: .csv or .parquet.")] = None,
    report: Annotated[
        Path | None, Option(help="Write one HTML file with everything, its tables beside it, instead.")
    ] = None,
    listed: Annotated[bool, Option("--list", help="List all metrics; needs no shop.")] = False,
    explain: Annotated[
        str | None, Option("--explain", metavar="METRIC", help="Define one metric, such as aov_net.")
    ] = None,
) -> None:
    """Measure customer experience in a shop's own exports: what became of every row, then every metric there is."""
    if listed or explain is not None:
        _refuse("--list", listed and explain is not None, "either all metrics or one, not both.")
        words = "it defines metrics and measures no shop; leave out SHOP, --out and --report."
        _refuse("--list" if listed else "--explain", (shop, out, report) != (None, None, None), words)
        _define(explain, as_json=as_json)
        return
    if shop is None:
        raise BadParameter("name a folder or file of exports, or a scenario; or ask for --list.", param_hint="'SHOP'")
    words = "it brings its tables as CSV beside it; leave out --json and --out."
    _refuse("--report", report is not None and (as_json or out is not None), words)
    _refuse("--every", every not in ("week", "month"), f"'{every}' is neither week nor month.")
    if report is None:
        _measure(shop, cast("Every", every), until and until.date(), currency=currency, as_json=as_json, out=out)
    else:
        _write_report(shop, report, {"every": every, "until": str(until or "")[:10], "currency": currency})


def _refuse(option: str, wrong: bool, why: str) -> None:
    if wrong:
        raise BadParameter(why, param_hint=f"'{option}'")


def _measure(name: str, every: Every, until: date | None, *, currency: str, as_json: bool, out: Path | None) -> None:
    from cxsim.metrics.dashboard import dashboard
    from cxsim.reporting.shop_page import load_shop

    if out is not None:
        require_table_file(out)
    with waiting("Reading the shop"):
        shop = load_shop(name, until=until, currency=currency)
    if not as_json:
        # Before anything is measured: where nothing can be, what became of the rows is most often the reason.
        for receipt in shop.receipts:
            print_line(_short(receipt))
        if not shop.receipts:
            print_line(f"{shop.name}: simulated, hence no file was read.")
        print_line(shop.policy.sentence())
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
        files = make(
            root() / "notebooks" / NOTEBOOK,
            parameters={"shop": shop, **settings},
            title=f"Customer experience: {path.stem or name}",
            out=out,
            progress=say,
        )
    print_written(files.html, len(files.tables))


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
            {name: getattr(receipt, name) for name in ("file", "table", "recognised", "rows_read", "rows_kept")}
            | {"lines": [asdict(line) for line in receipt.lines], "facts": dict(receipt.facts)}
            for receipt in shop.receipts
        ],
        "metrics": found.table.to_dicts(),
    }


def _print_dashboard(table: pl.DataFrame, currency: str) -> None:
    """Print the metrics that are measured, under their families, and those that are not, with the reasons."""
    import polars as pl

    from cxsim.reporting.shop.dashboard import period

    there, missing = (table.filter(pl.col("value").is_null() == absent) for absent in (False, True))
    if there.is_empty():
        print_text("Nothing is measured: the tables of this shop say nothing of this period.")
    else:
        print_text()
        days = period(*there.select("period_start", "period_end").row(0))
        print_text(f"{days}, beside the period before; 95 % intervals")
        console().print(_measured(there.with_columns(currency=pl.lit(currency))))
    for caution, titles in _titles_by(there.filter(pl.col("caution") != ""), pl.col("caution")):
        print_text("Caution,", f"{titles}: {caution}", style="yellow")
    if not missing.is_empty():
        print_text()
        print_text("Not measured")
        for reason, titles in _titles_by(missing, pl.coalesce("missing", "caution")):
            print_text(f"  {titles}: {reason or 'nothing to measure'}")


def _print_catalogue(metrics: Sequence[Metric]) -> None:
    """Print all metrics, under their families."""
    console().print(
        _by_family(
            ("name", "metric", "unit", "better", "formula"),
            [
                (
                    metric.family,
                    *(metric.name, plain(metric.title), metric.unit),
                    *("" if metric.direction == "neither" else metric.direction, plain(_formula(metric))),
                )
                for metric in metrics
            ],
            indent=1,
        )
    )
    print_text(f"One in full: cxsim metrics --explain {metrics[0].name}")


def _print_metric(metric: Metric) -> None:
    """Print the definition of one metric."""
    better = "neither way" if metric.direction == "neither" else metric.direction
    parts = {
        "Formula": _formula(metric),
        "Unit": f"{metric.unit}; better: {better}",
        "What belongs to a period": metric.window,
        "Scale": metric.scale,
        "Interval": metric.interval,
        "What to be careful about": metric.pitfalls,
        "Another formula in use": metric.variant,
    }
    print_parts(
        f"{metric.title} ({metric.name})",
        metric.definition,
        {heading: [text] for heading, text in parts.items() if text},
    )


def _titles_by(table: pl.DataFrame, text: pl.Expr) -> list[tuple[str, str]]:
    """Return each text once, with the titles that it is about."""
    return [
        (words, "; ".join(titles))
        for words, titles in table.group_by(text.alias("text"), maintain_order=True).agg("title").iter_rows()
    ]


def _short(receipt: Receipt) -> str:
    head = str(receipt).splitlines()[0]
    counts = {
        action: sum(line.rows for line in receipt.lines if line.action == action) for action in ("merged", "dropped")
    }
    sentence = ", ".join(f"{rows:,} {action}" for action, rows in counts.items() if rows)
    return f"{head} {sentence}." if sentence else head


def _measured(table: pl.DataFrame) -> Table:
    numbers = ("value", "interval", "before", "change", "its interval")
    return _by_family(
        ("metric", *numbers, "in words", "alert"),
        [
            (row["family"], plain(row["title"]), *_cells(row), plain(_ALERTS.get(row["alert"], ""), "bold yellow"))
            for row in table.iter_rows(named=True)
        ],
        right=numbers,
    )


def _by_family(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], *, indent: int = 0, right: Collection[str] = ()
) -> Table:
    """Return a table of rows under their families, each of which stands first in its rows."""
    table = grid(heads, (), right=right)
    for family, inside in groupby(rows, key=lambda row: row[0]):
        table.add_section()
        table.add_row(*[""] * indent, plain(family, style="bold"))
        for _, *cells in inside:
            table.add_row(*cells)
    return table


def _cells(row: Mapping[str, Any]) -> list[Any]:
    from cxsim.reporting.shop.dashboard import MEASURED

    *numbers, words = (column.cell(row, name) for name, column in MEASURED.items())
    style = next((colour for word, colour in _COLOURS.items() if words.endswith(word)), "")
    return [*numbers, plain(words, style)]


def _formula(metric: Metric) -> str:
    return metric.numerator if metric.kind == "total" else f"{metric.numerator} ÷ {metric.denominator}"
