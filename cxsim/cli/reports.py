"""Reports in; whether one can be made again, and what moved between two, as tables for a terminal or JSON, out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cxsim.cli.printing import batch_of, console, plain, waiting
from cxsim.errors import ReportError
from cxsim.reporting.build import Outcome, Task
from cxsim.reporting.comparison import AssumptionMove, Comparison, Difference, ResultMove, TableMove
from cxsim.reporting.render import Code
from cxsim.reporting.verify import Verdict
from cxsim.study.scenario import Scenario

if TYPE_CHECKING:
    from rich.text import Text

    from cxsim.reporting.comparison import AssumptionMove, Comparison, Difference, ResultMove, TableMove
    from cxsim.reporting.verify import Verdict

_MOST_PLACES = 20
# What is printed of each strategy; JSON has every figure of every table.
_HEADLINE = frozenset(
    [
        *("strategy", "decision", "outlay", "incremental_npv", "npv_low", "npv_high", "prob_npv_positive", "roi"),
        *("roi_low", "roi_high", "payback_months", "payback_months_late", "cvar", "irr", "peak_funding", "chosen"),
        *("changer", "customers", "draws", "npv"),
    ]
)
_WORDS = {"beyond error": "yes", "within error": "no", "no error known": ""}

ReportFile = Annotated[Path, typer.Argument(metavar="REPORT", help="The HTML file of a report.")]
Before = Annotated[Path, typer.Argument(metavar="BEFORE", help="The HTML file of a report.")]
After = Annotated[Path, typer.Argument(metavar="AFTER", help="The HTML file of another one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


def verify(
    report: ReportFile,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Pass also where only the commit or versions of packages differ.")
    ] = False,
) -> None:
    """Make a report again and compare every byte; exit with 1 and name the places where anything differs."""
    from cxsim.reporting.verify import verify as verified

    with waiting("Making the report again") as say:
        verdict = verified(report, progress=say)
    _print_verdict(verdict)
    if verdict.agreement == "neither" or (verdict.agreement == "numbers" and not numbers):
        raise typer.Exit(1)


def compare(
    before: Before,
    after: After,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where an assumption, a result or a table moved.")
    ] = False,
) -> None:
    """Say which assumptions and results moved between two reports, and whether by more than simulation error."""
    from cxsim.reporting.comparison import compare as compared

    found = compared(before, after)
    if as_json:
        print(json.dumps(_content(found), indent=1, ensure_ascii=False))  # noqa: T201 - the command's result
    else:
        _print_comparison(found)
    if exit_code and found.moved:
        raise typer.Exit(1)


def _print_verdict(verdict: Verdict) -> None:
    beside = f" and {verdict.files} files beside it" if verdict.files else ""
    sentence = f"{verdict.report.name}{beside}: made again,"
    if verdict.agreement == "bytes":
        _say(f"{sentence} every number and every byte agrees.")
    elif verdict.agreement == "numbers":
        _say(f"{sentence} every number agrees; the commit or versions of packages do not.")
    else:
        count = "1 place differs" if len(verdict.places) == 1 else f"{len(verdict.places):,} places differ"
        _say(f"{sentence} it is not the same; {count}.")
    _list("It was made from what is otherwise here:", [one.sentence("here it is") for one in verdict.ingredients])
    _list("Where it differs:", [one.sentence() for one in verdict.places])


def _list(title: str, sentences: Sequence[str]) -> None:
    if not sentences:
        return
    _say(title)
    for sentence in sentences[:_MOST_PLACES]:
        _say(f"- {sentence}")
    if len(sentences) > _MOST_PLACES:
        _say(f"- and {len(sentences) - _MOST_PLACES:,} more.")


def _print_comparison(found: Comparison) -> None:
    if found.identical:
        _say(f"{found.before.name} and {found.after.name} are the same, to the byte.")
        return
    _say(f"{found.before.name} → {found.after.name}")
    _print_ingredients(found.ingredients)
    _print_assumptions(found.assumptions)
    _print_results(found.results)
    _print_tables(found.tables)
    if not found.moved:
        _say("No assumption, no result and no table moved.")


def _print_ingredients(ingredients: Sequence[Difference]) -> None:
    table = _table(["made from", "before", "after"])
    for one in ingredients[:_MOST_PLACES]:
        table.add_row(plain(one.where), _short(one.said), _short(one.made))
    _print("Made from", table, len(ingredients))


def _print_assumptions(assumptions: Sequence[AssumptionMove]) -> None:
    table = _table(["belongs to", "assumption", "what", "before", "after", "unit"])
    for one in assumptions:
        what = one.field if one.how == "changed" else one.how
        cells = (one.belongs_to, one.description or one.id, what)
        table.add_row(*map(plain, cells), _cell(one.before), _cell(one.after), plain(one.unit))
    _print("Assumptions", table, len(assumptions))


def _print_results(results: Sequence[ResultMove]) -> None:
    table = _table(["strategy", "figure", "before", "after", "both errors", "beyond them"])
    for one in results:
        if one.figure not in _HEADLINE:
            continue
        table.add_row(
            plain(one.title),
            plain(one.figure.replace("_", " ")),
            _cell(one.before),
            _cell(one.after),
            _cell(one.errors),
            plain(_WORDS[one.against]),
        )
    _print("Results; ‘beyond them’: moved by more than both simulation errors together", table, len(results))


def _print_tables(tables: Sequence[TableMove]) -> None:
    table = _table(["table", "what differs", "first"])
    for one in tables:
        table.add_row(plain(one.id), plain(one.what), plain(one.first))
    _print("Further tables", table, len(tables))


def _content(found: Comparison) -> dict[str, object]:
    content = dataclasses.asdict(found) | {"moved": found.moved}
    content["ingredients"] = [
        {"what": one.where, "before": one.said, "after": one.made, "about": one.about} for one in found.ingredients
    ]
    return content | {"before": str(found.before), "after": str(found.after)}


def _table(heads: Sequence[str]) -> Table:
    table = Table()
    for head in heads:
        table.add_column(head, justify="right" if head in {"before", "after", "both errors"} else "left")
    return table


def _print(title: str, table: Table, count: int) -> None:
    if not count:
        return
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)
    if count > table.row_count:
        out.print(plain(f"and {count - table.row_count:,} more; --json lists all."))


def _cell(value: object) -> Text | str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return plain(f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}")
    return plain(value)


def _short(text: str | None) -> Text | str:
    return "–" if text is None else plain(text if len(text) <= 44 else f"{text[:40]}…")


def _say(line: str) -> None:
    console().print(plain(line), soft_wrap=True)


if TYPE_CHECKING:
    from cxsim.reporting.build import Outcome, Task
    from cxsim.reporting.render import Code
    from cxsim.study.scenario import Scenario

_STATES = {"made": "green", "skipped": "dim", "failed": "bold red"}
_BATCHING_WORDS = {"made": "made", "skipped": "skipped: nothing has changed", "failed": "failed"}

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
    from cxsim.reporting.sweep import sweep as swept

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
    _batching_say(f"Written: {found.table.name} and {found.index.name} in {found.index.parent}")
    _require_no_failure(found.outcomes)


def _report_one(given: str, changes: str, out: Path | None, code: Code) -> None:
    from cxsim.reporting.build import carry_out, report_task
    from cxsim.study.loading import load_case
    from cxsim.study.scenario import Scenario

    task = report_task(given, changes=changes, out=out and _page(out), code=code)
    with waiting("Writing the report") as say:
        carry_out(task, say)
    case = load_case(given, changes)
    if isinstance(case, Scenario):
        _print_found(case, task.folder)
    tables = len(list(task.folder.glob("*.csv")))
    page = out or task.page
    _batching_say(f"Written: {page} ({page.stat().st_size / 1e6:.1f} MB) and {tables} tables beside it")


def _page(out: Path) -> Path:
    """Return the file of a single report; a folder is for several."""
    if out.suffix != ".html":
        raise ReportError(f"{out}: a report's name must end with .html.")
    return out


def _report_many(given: Sequence[str], out: Path | None, code: Code, *, jobs: int | None, force: bool) -> None:
    from cxsim.errors import CxsimError
    from cxsim.params import root
    from cxsim.reporting.build import Outcome, every_case, make_all, report_task
    from cxsim.reporting.sweep import write_reports_index
    from cxsim.study.loading import case_of

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
    _batching_say(f"Written: {write_reports_index(folder)}")
    _require_no_failure(outcomes)


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    table = Table()
    for heading in ("report", "what became of it", "reason"):
        table.add_column(heading)
    for one in outcomes:
        table.add_row(plain(one.task), plain(_BATCHING_WORDS[one.state], style=_STATES[one.state]), plain(one.reason))
    console().print(table)


def _require_no_failure(outcomes: Sequence[Outcome]) -> None:
    failed = [one.task for one in outcomes if one.state == "failed"]
    if failed:
        raise ReportError(f"{len(failed)} of {len(outcomes)} could not be made: {', '.join(failed)}.")


def _print_found(case: Scenario, folder: Path) -> None:
    from cxsim.cli.printing import print_break_even, print_returns, read_break_even
    from cxsim.finance.returns import read_returns

    currency = case.economics.currency
    if case.with_prior:
        print_returns(read_returns(folder / "returns.csv"), currency, case.title)
    else:
        print_break_even(read_break_even(folder / "break-even.csv"), currency, case.title)


def _batching_say(line: str) -> None:
    console().print(plain(line), soft_wrap=True)
