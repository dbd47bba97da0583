"""A shop's exports or a scenario in; receipts and dashboard, definitions, JSON, a table or a report, out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from rich.table import Table
from rich.text import Text
from typer import Argument, BadParameter, Option

from cxsim.cli.printing import (
    DAY_FORMAT,
    AsJson,
    console,
    finish,
    grid,
    plain,
    print_line,
    print_parts,
    print_reading,
    print_text,
    print_written,
    require_table_file,
    waiting,
    write_table,
)
from cxsim.wording import in_terminal

if TYPE_CHECKING:
    import polars as pl

    from cxsim.data.orders import Transactions
    from cxsim.data.shop import Every, Shop
    from cxsim.metrics.catalogue import Metric
    from cxsim.metrics.dashboard import Dashboard

NOTEBOOK = "05-cx-dashboard.ipynb"
# What a shop's files cannot say by themselves; several commands ask for it.
CustomerColumn = Annotated[str | None, Option(help="Column with the customer, if not recognised.")]
DateColumn = Annotated[str | None, Option(help="Column with dates or timestamps.")]
AmountColumn = Annotated[str | None, Option(help="Column with amounts.")]
OrderColumn = Annotated[str | None, Option(help="Column with order numbers, if rows are order lines.")]
QuantityColumn = Annotated[str | None, Option(help="Column with quantities of order lines.")]
PriceColumn = Annotated[str | None, Option(help="Column with unit prices.")]
NamedColumns = Annotated[
    list[str] | None,
    Option("--column", metavar="KEY=NAME", help="A column that is not recognised, such as customer_id=Kunde."),
]
PolicyChanges = Annotated[
    list[str] | None,
    Option("--policy", metavar="KEY=VALUE", help="How to read files, such as cancelled=Avbruten or value=charged."),
]
Unreadable = Annotated[
    str | None, Option(metavar="refuse|missing", help="Whether unreadable cells stop the run or count as missing.")
]
LastDay = Annotated[
    datetime | None,
    Option(metavar="YYYY-MM-DD", formats=[DAY_FORMAT], help="Last day of observation; default: from the files."),
]
# Columns of orders, by our names, and the options by which `fit` and `value` take them.
_ORDER_COLUMNS = {
    "customer_id": "--customer-id",
    "ordered_at": "--ordered-at",
    "amount": "--amount",
    "order_id": "--order-id",
    "units": "--quantity",
    "line_price": "--price",
}
_NO_SHOP = "it defines metrics without measuring a shop; leave out SHOP, --out and --report."
_ALERTS = {"above": "above usual", "below": "below usual"}
_COLOURS = {"(better)": "green", "(worse)": "red"}


def metrics(
    shop: Annotated[
        str | None,
        Argument(metavar="SHOP", help="Folder or file of exports, or a scenario to simulate."),
    ] = None,
    every: Annotated[str, Option(metavar="week|month", help="Length of a period; weeks begin on Monday.")] = "week",
    until: LastDay = None,
    currency: Annotated[str, Option(help="Currency code, if missing or ambiguous in the files, such as EUR.")] = "",
    column: NamedColumns = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
    _: AsJson = False,
    out: Annotated[Path | None, Option(help="Write the dashboard as a table: .csv or .parquet.")] = None,
    report: Annotated[Path | None, Option(help="Write an HTML report with its tables instead.")] = None,
    listed: Annotated[bool, Option("--list", help="List all metrics; needs no shop.")] = False,
    explain: Annotated[
        str | None, Option("--explain", metavar="METRIC", help="Define one metric, such as aov_net.")
    ] = None,
) -> None:
    """Measure customer experience from a shop's exports: an account of every row, then all metrics."""
    if listed or explain is not None:
        _refuse("--list" if listed else "--explain", (shop, out, report) != (None, None, None), _NO_SHOP)
        _refuse("--list", listed and explain is not None, "choose all metrics or one, not both.")
        return _define(explain)
    if shop is None:
        raise BadParameter("name a folder or file of exports, or a scenario; or ask for --list.", param_hint="'SHOP'")
    _refuse(
        "--report", report is not None and out is not None, "the report includes its tables as CSV; leave out --out."
    )
    _refuse("--every", every not in ("week", "month"), f"'{every}' is neither week nor month.")
    reading = Reading.of(shop, named_columns(column), (policy, unreadable), until)
    if report is not None:
        settings = {"every": every, "until": str(reading.until or ""), "currency": currency}
        settings |= {"policy": "; ".join(reading.policy), "columns": "; ".join(column or ())}
        return _write_report(shop, report, settings)
    return _measure(reading, currency, cast("Every", every), out=out)


def named_columns(texts: Sequence[str] | None) -> dict[str, str]:
    """Return the columns that somebody names, from texts such as `customer_id=Kunde`."""
    found = {}
    for text in texts or ():
        ours, sign, theirs = (part.strip() for part in text.partition("="))
        _refuse("--column", not (ours and sign and theirs), f"{text!r} must be KEY=NAME, such as customer_id=Kunde.")
        found[ours] = theirs
    return found


def order_columns(*theirs: str | None) -> dict[str, str]:
    """Return the columns that options name: customer, date, amount, order number, quantity and unit price."""
    return {ours: name for ours, name in zip(_ORDER_COLUMNS, theirs, strict=True) if name is not None}


@dataclass(frozen=True)
class Reading:
    """A shop that a user names, and how the options of a command say that its files are read."""

    name: str
    columns: Mapping[str, str]
    policy: Sequence[str]
    until: date | None

    @classmethod
    def of(
        cls,
        name: str,
        columns: Mapping[str, str],
        policy: tuple[Sequence[str] | None, str | None],
        until: datetime | None,
    ) -> Self:
        """Return it from options; `policy`: changes of it, and what becomes of unreadable cells."""
        changes, unreadable = policy
        texts = [*(changes or ()), *([f"unreadable={unreadable}"] if unreadable else [])]
        return cls(name, columns, texts, until and until.date())

    def shop(self, *, currency: str = "", tables: Literal["all", "orders"] = "all") -> Shop:
        """Return the shop."""
        from cxsim.data.shop import policy_changes
        from cxsim.study.sources import load_shop

        changes = policy_changes(self.policy)
        return load_shop(
            self.name, columns=self.columns, policy=changes, until=self.until, currency=currency, tables=tables
        )

    def next(self, command: Literal["start", "value"]) -> str:
        """Return the call of another command that reads the same files in the same way."""
        words = ["cxsim", command, self.name]
        for ours, theirs in self.columns.items():
            if command == "start":
                words += ["--column", f"{ours}={theirs}"]
            elif ours in _ORDER_COLUMNS:
                words += [_ORDER_COLUMNS[ours], theirs]
        for change in self.policy:
            words += ["--policy", change]
        if self.until is not None:
            words += ["--until", str(self.until)]
        return join([*words, *(["--out", "values.csv"] if command == "value" else [])])


def _refuse(option: str, wrong: bool, why: str) -> None:
    if wrong:
        raise BadParameter(why, param_hint=f"'{option}'")


def _measure(reading: Reading, currency: str, every: Every, *, out: Path | None) -> None:
    from cxsim.metrics.dashboard import dashboard

    if out is not None:
        require_table_file(out)
    with waiting("Reading the shop"):
        shop = reading.shop(currency=currency)
    orders = orders_in(shop)
    # Before anything is measured: where nothing can be, what became of the rows is most often the reason.
    print_reading(shop, orders)
    with waiting("Measuring") as say:
        found = dashboard(shop, every=every, progress=say)
    _print_dashboard(found.table, shop.currency)
    if out is not None:
        write_table(found.table, out)
        print_line(f"Written: {out}")
    finish(_content(shop, orders, found) | {"written": out}, reading.next("value") if orders else "")


def orders_in(shop: Shop) -> Transactions | None:
    """Return the orders of a shop whose customers are known; None where it has none."""
    from cxsim.data.orders import transactions_of
    from cxsim.errors import DataError

    try:
        return transactions_of(shop) if shop.missing("orders") is None else None
    except DataError:
        return None


def _write_report(name: str, out: Path, settings: dict[str, str]) -> None:
    from cxsim.library import at
    from cxsim.reporting.page import make

    path = Path(name)
    # The notebook runs in its own folder, from which a path of here leads nowhere.
    shop = str(path.resolve()) if path.exists() else name
    with waiting("Writing the report") as say:
        tables = make(
            at(f"notebooks/{NOTEBOOK}"),
            parameters={"shop": shop, **settings},
            title=f"Customer experience: {path.stem or name}",
            out=out,
            progress=say,
        )
    print_written(out.absolute(), len(tables))
    finish({"written": out.absolute(), "tables": len(tables)}, f"open {quote(str(out))} in a browser")


def _define(name: str | None) -> None:
    from cxsim.metrics.catalogue import load_metrics, metric_named
    from cxsim.reporting.shop_page import definitions

    chosen = list(load_metrics().values()) if name is None else [metric_named(name)]
    if name is None:
        _print_catalogue(chosen)
    else:
        _print_metric(chosen[0])
    then = f"cxsim metrics --explain {chosen[0].name}" if name is None else "cxsim metrics FOLDER measures it"
    finish(definitions(chosen).to_dicts(), then)


def _content(shop: Shop, orders: Transactions | None, found: Dashboard) -> dict[str, object]:
    return {
        "shop": shop.name,
        "currency": shop.currency,
        "since": shop.since,
        "until": shop.until,
        **reading_content(shop, orders),
        "metrics": found.table.to_dicts(),
    }


def reading_content(shop: Shop, orders: Transactions | None) -> dict[str, object]:
    """Return what became of the rows of each file, by which policy, what counts, and what was found, for JSON."""
    from cxsim.data.shop import findings_table

    names = ("file", "table", "recognised", "rows_read", "rows_kept")
    return {
        "policy": shop.policy.sentence(),
        "receipts": [
            {name: getattr(receipt, name) for name in names}
            | {"lines": [asdict(line) for line in receipt.lines], "facts": dict(receipt.facts)}
            for receipt in shop.receipts
        ],
        "orders": orders and orders.totals._asdict(),
        "findings": findings_table(shop.findings).to_dicts(),
    }


def _print_dashboard(table: pl.DataFrame, currency: str) -> None:
    """Print the metrics that are measured, under their families, and those that are not, with the reasons."""
    import polars as pl

    from cxsim.reporting.shop.dashboard import period

    there, missing = (table.filter(pl.col("value").is_null() == absent) for absent in (False, True))
    if there.is_empty():
        print_text("No metric can be measured: the shop's tables hold no data for this period.")
    else:
        print_text()
        days = period(*there.select("period_start", "period_end").row(0))
        print_text(f"{days}, compared with the previous period; 95 % intervals")
        console().print(_measured(there.with_columns(currency=pl.lit(currency))))
    for caution, titles in _titles_by(there.filter(pl.col("caution") != ""), pl.col("caution")):
        print_text("Caution,", f"{titles}: {caution}", style="yellow")
    if not missing.is_empty():
        print_text()
        print_text("Not measured")
        for reason, titles in _titles_by(missing, pl.coalesce("missing", "caution")):
            print_text(f"  {titles}: {reason or 'no cases'}")


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


def _print_metric(metric: Metric) -> None:
    """Print the definition of one metric."""
    better = "neither way" if metric.direction == "neither" else metric.direction
    parts = {
        "Formula": _formula(metric),
        "Unit": f"{metric.unit}; better: {better}",
        "Period": metric.window,
        "Scale": metric.scale,
        "Interval": metric.interval,
        "Pitfalls": metric.pitfalls,
        "Other definitions in use": metric.variant,
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


def _measured(table: pl.DataFrame) -> Table:
    numbers = ("value", "interval", "previous", "change", "interval of change")
    return _by_family(
        ("metric", *numbers, "assessment", "alert"),
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
            # A number and its unit stay on one line.
            table.add_row(*(cell if isinstance(cell, Text) else Text(in_terminal(cell)) for cell in cells))
    return table


def _cells(row: Mapping[str, Any]) -> list[Any]:
    from cxsim.reporting.shop.dashboard import MEASURED

    *numbers, words = (column.cell(row, name) for name, column in MEASURED.items())
    style = next((colour for word, colour in _COLOURS.items() if words.endswith(word)), "")
    return [*numbers, plain(words, style)]


def _formula(metric: Metric) -> str:
    return metric.numerator if metric.kind == "total" else f"{metric.numerator} ÷ {metric.denominator}"
