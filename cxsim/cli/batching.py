"""Names of scenarios and valuations typed in a terminal in; one report, many reports or a sweep of studies out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cxsim.cli.progress import batch_of, waiting
from cxsim.cli.terminal import console, plain
from cxsim.errors import ReportError

if TYPE_CHECKING:
    from cxsim.batch import Outcome, Task
    from cxsim.report.render import Code
    from cxsim.scenario import Scenario

_STATES = {"made": "green", "skipped": "dim", "failed": "bold red"}
_WORDS = {"made": "made", "skipped": "skipped: nothing has changed", "failed": "failed"}

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Names under params/scenarios or params/valuations, or YAML files."),
]
Every = Annotated[bool, typer.Option("--all", help="All scenarios and valuations under params/.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A number set by hand, such as economics.gross_margin=0.5."),
]
Over = Annotated[
    list[str],
    typer.Option("--over", metavar="KEY=VALUE,...", help="A number and its values, such as draws=40,80."),
]
Jobs = Annotated[int | None, typer.Option(min=1, help="How many at once; else one per processor, at most four.")]
Force = Annotated[bool, typer.Option("--force", help="Make all anew, also where nothing has changed.")]
ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]


def report(
    names: Names = None,
    every: Every = False,
    changes: Set = None,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; for several, their folder. Else in reports/.")
    ] = None,
    show_code: Annotated[bool, typer.Option("--show-code", help="Show the notebook's code to readers.")] = False,
    jobs: Jobs = None,
    force: Force = False,
) -> None:
    """Run scenarios or valuations through their notebooks into HTML files that need no network.

    One name makes its report anew. Several names, or --all, make side by side those reports whose inputs have changed,
    and index.html about all reports in their folder; started again after a stop, they make what is missing.
    """
    given = names or []
    if every == bool(given):
        raise typer.BadParameter("name at least one scenario or valuation, or say --all; not both.")
    one = len(given) == 1
    if one and (jobs is not None or force):
        raise typer.BadParameter("--jobs and --force belong to several reports; one alone is always made anew.")
    if changes and not one:
        raise typer.BadParameter("--set belongs to one report; `cxsim sweep` plays out many changes of a scenario.")
    code: Code = "shown" if show_code else "hidden"
    if one:
        _report_one(given[0], "; ".join(changes or []), out, code)
    else:
        _report_many(given, out, code, jobs=jobs, force=force)


def sweep(
    scenario: ScenarioName,
    over: Over,
    out: Annotated[Path | None, typer.Option(help="Folder; else reports/sweeps/SCENARIO.")] = None,
    jobs: Jobs = None,
    reports: Annotated[bool, typer.Option("--reports", help="Write the whole report of each point too.")] = False,
    force: Force = False,
) -> None:
    """Play out a scenario for all combinations of some of its numbers; write sweep.csv and index.html."""
    from cxsim.batch import sweep as swept

    with batch_of("Sweeping") as watch:
        found = swept(
            scenario,
            over,
            out=out,
            wanted="reports" if reports else "returns",
            jobs=jobs,
            again="all" if force else "changed",
            watch=watch,
        )
    _print_outcomes(found.outcomes)
    _say(f"Written: {found.table.name} and {found.index.name} in {found.index.parent}")
    _require_no_failure(found.outcomes)


def _report_one(given: str, changes: str, out: Path | None, code: Code) -> None:
    from cxsim.batch import carry_out, report_task
    from cxsim.scenario import Scenario, load_case

    task = report_task(given, changes=changes, out=out and _page(out), code=code)
    with waiting("Writing the report") as say:
        carry_out(task, say)
    case = load_case(given, changes)
    if isinstance(case, Scenario):
        _print_found(case, task.folder)
    tables = len(list(task.folder.glob("*.csv")))
    page = out or task.page
    _say(f"Written: {page} ({page.stat().st_size / 1e6:.1f} MB) and {tables} tables beside it")


def _page(out: Path) -> Path:
    """Return the file of a single report; a folder is for several."""
    if out.suffix != ".html":
        raise ReportError(f"{out}: a report's name must end with .html.")
    return out


def _report_many(given: Sequence[str], out: Path | None, code: Code, *, jobs: int | None, force: bool) -> None:
    from cxsim.batch import Outcome, every_case, make_all, report_task, write_reports_index
    from cxsim.errors import CxsimError
    from cxsim.params import root
    from cxsim.scenario.cases import case_of

    if out is not None and out.suffix == ".html":
        raise ReportError(f"{out}: several reports go to a folder, not to one file.")
    folder = root() / "reports" if out is None else out
    for name in given:
        case_of(name)  # an unknown name is a slip of the finger, told before anything is made
    tasks: list[Task] = []
    unsound: list[Outcome] = []
    for name in given or every_case():
        try:
            tasks.append(report_task(name, out=folder, code=code))
        except CxsimError as error:
            unsound.append(Outcome(task=name, state="failed", reason=str(error)))
    with batch_of("Writing reports") as watch:
        made = make_all(tasks, jobs=jobs, again="all" if force else "changed", watch=watch)
    outcomes = (*made, *unsound)
    _print_outcomes(outcomes)
    _say(f"Written: {write_reports_index(folder)}")
    _require_no_failure(outcomes)


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    table = Table()
    for heading in ("report", "what became of it", "reason"):
        table.add_column(heading)
    for one in outcomes:
        table.add_row(plain(one.task), plain(_WORDS[one.state], style=_STATES[one.state]), plain(one.reason))
    console().print(table)


def _require_no_failure(outcomes: Sequence[Outcome]) -> None:
    failed = [one.task for one in outcomes if one.state == "failed"]
    if failed:
        raise ReportError(f"{len(failed)} of {len(outcomes)} could not be made: {', '.join(failed)}.")


def _print_found(case: Scenario, folder: Path) -> None:
    from cxsim.cli.results import print_break_even, read_break_even
    from cxsim.cli.showing import print_returns
    from cxsim.valuation import read_returns

    currency = case.economics.currency
    if case.believed:
        print_returns(read_returns(folder / "returns.csv"), currency, case.title)
    else:
        print_break_even(read_break_even(folder / "break-even.csv"), currency, case.title)


def _say(line: str) -> None:
    console().print(plain(line), soft_wrap=True)
