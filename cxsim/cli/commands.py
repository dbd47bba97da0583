"""Words typed in a terminal in, calls of the package and readable tables out.

Exit codes: 0 done; 1 the input is wrong, and the message says what, what was found and what is possible; 2 usage.
Rooms are imported inside the commands, so that `cxsim --help` answers at once.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.table import Table

from cxsim.cli.levers import levers_app
from cxsim.cli.metrics import metrics
from cxsim.cli.printing import console, counting, plain, waiting
from cxsim.cli.reports import compare, report, sweep, verify
from cxsim.clv.likelihood import Model
from cxsim.errors import CxsimError, ParamError
from cxsim.metrics.calibrate import Calibration
from cxsim.simulation.engine import Progress
from cxsim.study.scenario import Scenario

if TYPE_CHECKING:
    from cxsim.metrics.calibrate import Calibration

ShopName = Annotated[
    str, typer.Argument(metavar="DIR|SCENARIO", help="Folder or file of a shop's exports; or a scenario's name.")
]
NewName = Annotated[str, typer.Option(help="Name of the new behaviour: small letters, digits and hyphens.")]
LikeName = Annotated[str, typer.Option(help="Behaviour under params/behaviour whose numbers stand for the rest.")]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of observation; else what the files say.")
]


def calibrate(shop: ShopName, name: NewName, like: LikeName = "online-shop", until: Until = None) -> None:
    """Write a behaviour in which a shop's own numbers stand in the place of what was assumed."""
    from cxsim.metrics.calibrate import calibrate as calibrated, require_new_behaviour, source_yaml, write_behaviour
    from cxsim.params import locate, read, shown
    from cxsim.reporting.shop_page import load_shop
    from cxsim.strategies.behaviour import Behaviour

    require_new_behaviour(name)
    assumed = read(locate("behaviour", like), Behaviour)
    with waiting("Measuring"):
        found = calibrated(load_shop(shop, until=until and until.date()), like=assumed, name=name)
    if found.table["missing"].null_count() == 0:
        raise ParamError(f"{shop}: none of the numbers of a behaviour can be measured there, so nothing is written.")
    file, sources = write_behaviour(found)
    _print_measured(found, like)
    _print_missing(found)
    out = console()
    out.print()
    out.print(plain(f"Added to {shown(sources)}:"))
    out.print(plain(source_yaml(found).rstrip()), soft_wrap=True)
    out.print()
    out.print(plain(f"Written: {shown(file)}; name it in a scenario as behaviour: {name}"), soft_wrap=True)


def _print_measured(found: Calibration, like: str) -> None:
    table = Table()
    for heading in ("number", "assumed", "measured", "90 % interval", "unit"):
        table.add_column(heading, justify="left" if heading in {"number", "unit"} else "right")
    measured = found.table.filter(found.table["missing"].is_null())
    for row in measured.iter_rows(named=True):
        ends = f"{row['low']:.3g} to {row['high']:.3g}"
        table.add_row(plain(row["number"]), f"{row['before']:g}", f"{row['measured']:.3g}", ends, plain(row["unit"]))
    out = console()
    out.print(plain(f"Measured: {measured.height} numbers, beside those of {like}"))
    out.print(table)


def _print_missing(found: Calibration) -> None:
    missing = found.table.filter(found.table["missing"].is_not_null())
    out = console()
    if missing.is_empty():
        return
    out.print()
    out.print(plain(f"Not measured, and kept as assumed: {missing.height} numbers"))
    for reason, rows in missing.group_by("missing", maintain_order=True):
        out.print(plain(f"{', '.join(rows['number'])}: {reason[0]}"), soft_wrap=True)


if TYPE_CHECKING:
    import polars as pl

    from cxsim.simulation.engine import Progress
    from cxsim.study.scenario import Scenario

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]


def break_even(
    scenario: ScenarioName,
    strategy: Annotated[str | None, typer.Option(help="One of its strategies; else all with mode: break-even.")] = None,
    searches: Annotated[
        str | None, typer.Option(help="The number to search, such as effects.dropout_1.ratio; else the strategy's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Say how large an effect must be for its strategy to pay; states no return."""
    from cxsim.cli.printing import print_break_even, print_rows
    from cxsim.study.loading import load_scenario

    if searches is not None and strategy is None:
        raise typer.BadParameter("it needs --strategy: whose number is searched?", param_hint="'--searches'")
    loaded = load_scenario(scenario)
    with counting("Searching") as progress:
        found = _found(loaded, strategy, searches, progress)
    if as_json:
        print_rows(found)
    else:
        print_break_even(found, loaded.economics.currency, loaded.title)


def tables(
    scenario: ScenarioName,
    out: Annotated[Path, typer.Option(help="Folder for orders.parquet, tickets.parquet and so on.")],
    arm: Annotated[str, typer.Option(help="baseline, a strategy or a combination.")] = "baseline",
    draw: Annotated[int, typer.Option(min=0, help="Number of the draw, from 0; models of leaving one by one.")] = 0,
) -> None:
    """Write what one draw would look like in a shop's own tables, as Parquet, without running the whole study."""
    from cxsim.cli.printing import print_files
    from cxsim.study.loading import load_scenario
    from cxsim.study.run import require_writable
    from cxsim.study.shop_tables import SHOP_FILES, shop_tables

    loaded = load_scenario(scenario)
    require_writable(out, SHOP_FILES)
    with waiting("Playing one draw"):
        made = shop_tables(loaded, arm, draw=draw)
    written = made.save(out)
    print_files(made, f"{arm}, draw {draw}")
    console().print(plain(f"Written: {', '.join(path.name for path in written)} in {out}"), soft_wrap=True)


def _found(loaded: Scenario, strategy: str | None, searches: str | None, progress: Progress) -> pl.DataFrame:
    from cxsim.study.break_even import break_even as searched, search

    if strategy is None:
        return search(loaded, progress=progress).break_even
    return searched(loaded, strategy, searches=searches, progress=progress)


# altair and nbformat check their JSON by jsonschema, which, where this package is installed, builds a grammar of web
# addresses for two seconds; no address is checked here.
_GRAMMAR = "rfc3987_syntax"


def leave_out() -> None:
    """Keep this process from loading it; for the command line and the kernels of reports, not for a user's session."""
    sys.modules.setdefault(_GRAMMAR, None)  # type: ignore[arg-type]  # None means that it is not found


if TYPE_CHECKING:
    from cxsim.clv.likelihood import Model

app = typer.Typer(
    help="Simulate what customer-experience programmes bring back, with honest intervals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(levers_app, name="levers")
app.command("break-even")(break_even)
app.command("tables")(tables)
app.command("metrics")(metrics)
app.command("calibrate")(calibrate)
app.command("verify")(verify)
app.command("compare")(compare)
app.command("report")(report)
app.command("sweep")(sweep)

OrdersName = Annotated[
    str, typer.Argument(metavar="ORDERS", help="Order lines, CSV or Parquet; or cdnow, cdnow-sample.")
]
CustomerColumn = Annotated[str, typer.Option(help="The file's column of customers.")]
DateColumn = Annotated[str, typer.Option(help="The file's column of dates or timestamps.")]
AmountColumn = Annotated[str, typer.Option(help="The file's column of amounts.")]
CommandsUntil = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of observation; else the last order's.")
]
HorizonDays = Annotated[int, typer.Option(min=1, max=36_525, help="Days over which customers are valued.")]
DiscountRate = Annotated[float, typer.Option(min=0.0, max=1.0, help="Effective per year.")]
ModelName = Annotated[str, typer.Option(help="Model of orders and leaving: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd.")]


@app.command()
def fit(
    orders: OrdersName,
    customer_id: CustomerColumn = "customer_id",
    ordered_at: DateColumn = "ordered_at",
    amount: AmountColumn = "amount",
    until: CommandsUntil = None,
    model: ModelName = "bgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Fit models of orders and of spend to a shop's orders; show what they cannot say, and the dearest customers."""
    from cxsim.cli.printing import fitted, print_fit, print_hygiene, print_json
    from cxsim.data.cdnow import named_orders

    wanted = _model(model)
    columns = {"customer_id": customer_id, "ordered_at": ordered_at, "amount": amount}
    with waiting("Reading the orders"):
        end = until.date() if until else None
        transactions = named_orders(orders, columns=columns, until=end, folder=Path())
    if not json:
        # Before the fit: where no model can be fitted, what became of the rows is most often the reason.
        print_hygiene(transactions)
    with waiting("Fitting"):
        found = fitted(
            transactions, end, model=wanted, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate
        )
    if json:
        print_json(found)
    else:
        print_fit(found)


@app.command()
def value(
    orders: OrdersName,
    out: Annotated[Path, typer.Option(help="The file to write, one row per customer: .csv or .parquet.")],
    customer_id: CustomerColumn = "customer_id",
    ordered_at: DateColumn = "ordered_at",
    amount: AmountColumn = "amount",
    until: CommandsUntil = None,
    model: ModelName = "mbgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    margin: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of revenue that counts as value.")] = 1.0,
    level: Annotated[float, typer.Option(min=0.01, max=0.999, help="Probability of the intervals.")] = 0.9,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws; else 400, fewer for millions.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all luck.")] = 0,
) -> None:
    """Write what each customer is worth, and how sure that is; MBG/NBD does not take one-time buyers for alive."""
    from cxsim.cli.printing import Wanted, print_hygiene, print_values, require_table_file, valued, write_table
    from cxsim.data.cdnow import named_orders

    wanted = Wanted(
        model=_model(model),
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        level=level,
        draws=draws,
        seed=seed,
    )
    require_table_file(out)
    end, columns = until and until.date(), {"customer_id": customer_id, "ordered_at": ordered_at, "amount": amount}
    with waiting("Valuing the customers") as say:
        transactions = named_orders(orders, columns=columns, until=end, folder=Path())
        print_hygiene(transactions)
        found = valued(transactions, end, wanted, say=say)
        say("writing")
        write_table(found.values.table, out)
    print_values(found)
    _say(f"Written: {out} ({found.customers:,} customers, {out.stat().st_size / 1e6:.1f} MB)")


@app.command()
def simulate(
    scenario: ScenarioName,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables; else reports/SCENARIO-tables.")] = None,
) -> None:
    """Run a scenario, write returns.parquet, statement.parquet and manifest.json, and print the returns."""
    from cxsim.cli.printing import print_break_even, print_cautions, print_returns, print_structures
    from cxsim.params import root
    from cxsim.study.loading import load_scenario
    from cxsim.study.run import require_writable, run, save_study

    loaded = load_scenario(scenario)
    folder = out or root() / "reports" / f"{loaded.name}-tables"
    require_writable(folder)
    with counting("Simulating") as progress:
        study = run(loaded, progress=progress)
    written = save_study(study, folder)
    print_returns(study.returns, study.currency, loaded.title)
    print_structures(study.structures)
    print_break_even(study.break_even, study.currency, "What must be true for the others to pay")
    print_cautions(study.cautions)
    _say(f"Written: {', '.join(path.name for path in written)} in {folder}")


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files or folders; else all of params/.")
    ] = None,
    write_schema: Annotated[bool, typer.Option("--write-schema", help="Write params/schema.json anew first.")] = False,
) -> None:
    """Check everything under params/: keys, units, ranges, evidence and sources."""
    from cxsim.study.loading import check_params, params_files, write_schemas

    if write_schema:
        write_schemas()
    given = paths or []
    problems = check_params(given)
    if problems:
        mistakes = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise ParamError("\n".join([f"{mistakes} in {_files(len(params_files(given)))}.", *problems]))
    _say(f"{_files(len(params_files(given)))} checked; all is well.")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the copy: small letters, digits and hyphens.")],
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="The scenario or valuation to start from.")],
) -> None:
    """Copy a scenario or a valuation under params/ for you to edit."""
    from cxsim.study.loading import copy_scenario

    written = copy_scenario(name, source)
    _say(f"Written: {written}. Edit it, then: cxsim report {name}")


def _model(name: str) -> Model:
    from cxsim.clv.likelihood import kind_of

    return cast("Model", kind_of(name).name)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def main() -> None:
    """Run the command line; a mistake in the input becomes one message and exit code 1."""
    leave_out()
    try:
        app()
    except CxsimError as error:
        console("stderr").print(plain("Error:", style="bold red"), plain(error), soft_wrap=True)
        sys.exit(1)


def _say(line: str) -> None:
    console().print(plain(line), soft_wrap=True)
