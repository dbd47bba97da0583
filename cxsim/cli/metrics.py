"""A shop's exports or a scenario in; receipts and dashboard, definitions, JSON, a table or a report, out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from cxsim.cli.progress import waiting
from cxsim.cli.terminal import console, plain

if TYPE_CHECKING:
    from cxsim.metrics import Dashboard, Metric
    from cxsim.shop import Every, Shop

NOTEBOOK = "05-cx-dashboard.ipynb"
_DAY = "%Y-%m-%d"

ShopName = Annotated[
    str | None,
    typer.Argument(metavar="[SHOP]", help="Folder or file of exports, or a scenario, which is simulated first."),
]
EveryOption = Annotated[str, typer.Option(metavar="week|month", help="Length of a period; weeks begin on Monday.")]
Until = Annotated[datetime | None, typer.Option(formats=[_DAY], help="Last day of observation; else the files'.")]
Currency = Annotated[str, typer.Option(help="Code, where no file says it or several do, such as EUR.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
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
    return cast("Literal['week', 'month']", word)


def _measure(
    name: str, every: Every, until: datetime | None, *, currency: str, as_json: bool, out: Path | None
) -> None:
    from cxsim.cli.metric_tables import print_dashboard, print_receipts
    from cxsim.cli.writing import require_table_file, write_table
    from cxsim.metrics import dashboard
    from cxsim.overview.loading import load_shop

    if out is not None:
        require_table_file(out)
    with waiting("Reading the shop"):
        shop = load_shop(name, until=until.date() if until else None, currency=currency)
    if not as_json:
        # Before anything is measured: where nothing can be, what became of the rows is most often the reason.
        print_receipts(shop)
    with waiting("Measuring") as say:
        found = dashboard(shop, every=every, progress=say)
    if as_json:
        _print_json(_content(shop, found))
    else:
        print_dashboard(found.table, shop.currency)
    if out is not None:
        write_table(found.table, out)
        console("stderr" if as_json else "stdout").print(plain(f"Written: {out}"), soft_wrap=True)


def _write_report(name: str, out: Path, settings: dict[str, str]) -> None:
    from cxsim.params import root
    from cxsim.report import make

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
    console().print(
        plain(
            f"Written: {files.html} ({files.html.stat().st_size / 1e6:.1f} MB) and {len(files.tables)} tables beside it"
        ),
        soft_wrap=True,
    )


def _define(name: str | None, *, as_json: bool) -> None:
    from cxsim.cli.metric_tables import print_catalogue, print_metric
    from cxsim.metrics import CATALOGUE, metric_named

    chosen = CATALOGUE if name is None else (metric_named(name),)
    if as_json:
        _print_json(_definitions(chosen))
    elif name is None:
        print_catalogue(CATALOGUE)
    else:
        print_metric(chosen[0])


def _definitions(chosen: Sequence[Metric]) -> list[dict[str, str]]:
    from cxsim.overview.definitions import definitions

    return definitions(chosen).to_dicts()


def _content(shop: Shop, found: Dashboard) -> dict[str, object]:
    rows = found.table.to_dicts()
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
        "metrics": rows,
    }


def _print_json(content: object) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=_when)
    print(text)  # noqa: T201 - the command's result


def _when(moment: object) -> str:
    if isinstance(moment, datetime):
        return moment.isoformat()
    raise TypeError(f"no JSON for {type(moment).__name__}.")
