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

from cxsim.cli.auditing import compare, verify
from cxsim.cli.batching import report, sweep
from cxsim.cli.calibrating import calibrate
from cxsim.cli.levers import levers_app
from cxsim.cli.metrics import metrics
from cxsim.cli.progress import counting, waiting
from cxsim.cli.searching import break_even, tables
from cxsim.cli.terminal import console, plain
from cxsim.errors import CxsimError, ParamError
from cxsim.unneeded import leave_out

if TYPE_CHECKING:
    from cxsim.estimation import Model

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
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of observation; else the last order's.")
]
HorizonDays = Annotated[int, typer.Option(min=1, max=36_525, help="Days over which customers are valued.")]
DiscountRate = Annotated[float, typer.Option(min=0.0, max=1.0, help="Effective per year.")]
ModelName = Annotated[str, typer.Option(help="Model of orders and leaving: bgnbd, mbgnbd, paretonbd, bgcnbd, mbgcnbd.")]
ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]


@app.command()
def fit(
    orders: OrdersName,
    customer_id: CustomerColumn = "customer_id",
    ordered_at: DateColumn = "ordered_at",
    amount: AmountColumn = "amount",
    until: Until = None,
    model: ModelName = "bgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Fit models of orders and of spend to a shop's orders; show what they cannot say, and the dearest customers."""
    from cxsim.cli.fitting import fitted
    from cxsim.cli.showing import print_fit, print_hygiene, print_json
    from cxsim.data import named_orders

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
    until: Until = None,
    model: ModelName = "mbgnbd",
    horizon_days: HorizonDays = 365,
    annual_discount_rate: DiscountRate = 0.10,
    margin: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of revenue that counts as value.")] = 1.0,
    level: Annotated[float, typer.Option(min=0.01, max=0.999, help="Probability of the intervals.")] = 0.9,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws; else 400, fewer for millions.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all luck.")] = 0,
) -> None:
    """Write what each customer is worth, and how sure that is; MBG/NBD does not take one-time buyers for alive."""
    from cxsim.cli.showing import print_hygiene, print_values
    from cxsim.cli.valuing import Wanted, valued
    from cxsim.cli.writing import require_table_file, write_table
    from cxsim.data import named_orders

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
    from cxsim.cli.results import print_break_even, print_cautions, print_structures
    from cxsim.cli.showing import print_returns
    from cxsim.params import root
    from cxsim.scenario import load_scenario
    from cxsim.study import require_writable, run, save_study

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
    from cxsim.scenario import check_params, params_files, write_schemas

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
    from cxsim.scenario import copy_scenario

    written = copy_scenario(name, source)
    _say(f"Written: {written}. Edit it, then: cxsim report {name}")


def _model(name: str) -> Model:
    from cxsim.estimation.kinds import kind_of

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
