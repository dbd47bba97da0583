"""Words typed in a terminal in, calls of the package and readable tables out.

Exit codes: 0 done; 1 the input is wrong, and the message says what, what was found and what is possible; 2 usage.
Rooms are imported inside the commands, so that `cxsim --help` answers at once.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cxsim.cli.progress import counting, waiting
from cxsim.cli.terminal import console, plain
from cxsim.errors import CxsimError, ParamError

app = typer.Typer(
    help="Simulate what customer-experience programmes bring back, with honest intervals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMPARISON = "02-compare-strategies.ipynb"

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]


@app.command()
def fit(
    orders: Annotated[
        str, typer.Argument(metavar="ORDERS.csv", help="Order lines, CSV or Parquet; or cdnow, cdnow-sample.")
    ],
    customer_id: Annotated[str, typer.Option(help="The file's column of customers.")] = "customer_id",
    ordered_at: Annotated[str, typer.Option(help="The file's column of dates or timestamps.")] = "ordered_at",
    amount: Annotated[str, typer.Option(help="The file's column of amounts.")] = "amount",
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of observation; else the last order's.")
    ] = None,
    horizon_days: Annotated[int, typer.Option(min=1, help="Days over which customers are valued.")] = 365,
    annual_discount_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Effective per year.")] = 0.10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
) -> None:
    """Fit BG/NBD and Gamma-Gamma to a shop's orders, and show what its customers are worth."""
    from cxsim.cli.fitting import fitted
    from cxsim.cli.showing import print_fit, print_hygiene, print_json
    from cxsim.data import named_orders

    columns = {"customer_id": customer_id, "ordered_at": ordered_at, "amount": amount}
    with waiting("Reading the orders"):
        end = until.date() if until else None
        transactions = named_orders(orders, columns=columns, until=end, folder=Path())
    if not json:
        # Before the fit: where no model can be fitted, what became of the rows is most often the reason.
        print_hygiene(transactions)
    with waiting("Fitting"):
        found = fitted(transactions, end, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate)
    if json:
        print_json(found)
    else:
        print_fit(found)


@app.command()
def simulate(
    scenario: ScenarioName,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables; else reports/SCENARIO-tables.")] = None,
) -> None:
    """Run a scenario, write returns.parquet, statement.parquet and manifest.json, and print the returns."""
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
    _say(f"Written: {', '.join(path.name for path in written)} in {folder}")


@app.command()
def report(
    scenario: ScenarioName,
    out: Annotated[Path | None, typer.Option(help="The HTML file; else reports/SCENARIO.html.")] = None,
    show_code: Annotated[bool, typer.Option("--show-code", help="Show the notebook's code to readers.")] = False,
) -> None:
    """Run a scenario through its notebook into one HTML file that needs no network."""
    from cxsim.cli.showing import print_returns
    from cxsim.params import root
    from cxsim.report import make
    from cxsim.scenario import load_scenario
    from cxsim.valuation import read_returns

    loaded = load_scenario(scenario)
    page = out or root() / "reports" / f"{loaded.name}.html"
    given = str(Path(scenario).resolve()) if scenario.endswith((".yaml", ".yml")) else scenario
    with waiting("Writing the report") as say:
        files = make(
            root() / "notebooks" / COMPARISON,
            parameters={"scenario": given},
            title=loaded.title,
            out=page,
            code="shown" if show_code else "hidden",
            progress=say,
        )
    print_returns(read_returns(files.html.with_suffix("") / "returns.csv"), loaded.economics.currency, loaded.title)
    _say(f"Written: {files.html} ({files.html.stat().st_size / 1e6:.1f} MB) and {len(files.tables)} tables beside it")


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
    name: Annotated[str, typer.Argument(help="Name of the new scenario: small letters, digits and hyphens.")],
    source: Annotated[str, typer.Option("--from", metavar="SCENARIO", help="The scenario to start from.")],
) -> None:
    """Copy a scenario into params/scenarios for you to edit."""
    from cxsim.scenario import copy_scenario

    written = copy_scenario(name, source)
    _say(f"Written: {written}. Edit it, then: cxsim report {name}")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def main() -> None:
    """Run the command line; a mistake in the input becomes one message and exit code 1."""
    try:
        app()
    except CxsimError as error:
        console("stderr").print(plain("Error:", style="bold red"), plain(error), soft_wrap=True)
        sys.exit(1)


def _say(line: str) -> None:
    console().print(plain(line), soft_wrap=True)
