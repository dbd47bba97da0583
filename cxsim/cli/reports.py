"""Names of scenarios and reports in; reports made, made again or compared, and tables of what became of them, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Exit, Option

from cxsim.cli.printing import (
    AsJson,
    ScenarioName,
    batch_of,
    completed,
    console,
    counted,
    finish,
    grid,
    plain,
    print_break_even,
    print_grid,
    print_line,
    print_returns,
    print_text,
    print_written,
    waiting,
)
from cxsim.errors import CxsimError, ReportError

if TYPE_CHECKING:
    from cxsim.reporting.build import Event, Task
    from cxsim.reporting.comparison import Comparison
    from cxsim.reporting.render import Code

_MOST_PLACES = 20
# What is printed of each strategy; JSON has every figure of every table.
_HEADLINE = frozenset(
    [
        *("strategy", "decision", "investment", "incremental_npv", "npv_low", "npv_high", "prob_npv_positive", "roi"),
        *("roi_low", "roi_high", "payback_months", "payback_months_late", "cvar", "irr", "peak_funding", "chosen"),
        *("changer", "customers", "draws", "npv"),
    ]
)
_BEYOND = {"beyond error": "yes", "within error": "no", "no error known": ""}
_STATES = {
    "made": plain("made", style="green"),
    "skipped": plain("skipped: nothing has changed", style="dim"),
    "failed": plain("failed", style="bold red"),
}

Jobs = Annotated[int | None, Option(min=1, help="Reports in parallel; default: one per processor, at most four.")]
Force = Annotated[bool, Option("--force", help="Rebuild all, even where nothing has changed.")]


def report(
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="NAME",
            help="Names under params/scenarios or params/valuations, or YAML files.",
            autocompletion=completed("scenarios", "valuations"),
        ),
    ] = None,
    every: Annotated[bool, Option("--all", help="All scenarios and valuations under params/.")] = False,
    changes: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="Set a number, such as economics.gross_margin=0.5."),
    ] = None,
    out: Annotated[Path | None, Option(help="The HTML file, or the folder for several; default: reports/.")] = None,
    show_code: Annotated[bool, Option("--show-code", help="Show the notebook's code to readers.")] = False,
    jobs: Jobs = None,
    force: Force = False,
    _: AsJson = False,
) -> None:
    """Write scenarios or valuations as HTML reports that need no network.

    One name always rebuilds its report. Several names, or --all, rebuild in
    parallel the reports whose inputs have changed, and write an index.html;
    called again after an interruption, they build what is missing.
    """
    given = names or []
    if every == bool(given):
        raise BadParameter("name at least one scenario or valuation, or use --all; not both.")
    code: Code = "shown" if show_code else "hidden"
    if len(given) == 1:
        if jobs is not None or force:
            raise BadParameter("--jobs and --force apply to several reports; a single report is always rebuilt.")
        page = report_one(given[0], "; ".join(changes or []), out, code)
        returns = page.with_suffix("") / "tables.json"
        finish({"written": page, "tables": returns}, f"open {quote(str(page))} in a browser; cxsim verify rebuilds it")
    elif changes:
        raise BadParameter("--set applies to one report; use `cxsim sweep` for many changes of a scenario.")
    else:
        _report_many(given, out, code, jobs=jobs, force=force)


def sweep(
    scenario: ScenarioName,
    over: Annotated[
        list[str], Option("--over", metavar="KEY=VALUE,...", help="A number and its values, such as draws=40,80.")
    ],
    out: Annotated[Path | None, Option(help="Folder; default: reports/sweeps/SCENARIO.")] = None,
    jobs: Jobs = None,
    reports: Annotated[bool, Option("--reports", help="Also write the full report of each point.")] = False,
    force: Force = False,
    _: AsJson = False,
) -> None:
    """Simulate a scenario for all combinations of some of its numbers; write sweep.csv and index.html."""
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
    _close(found.outcomes, found.page, f"{found.table.name} and {found.page.name} in {found.page.parent}")


def verify(
    report: Annotated[Path, Argument(metavar="REPORT", help="The HTML file of a report.")],
    numbers: Annotated[
        bool, Option("--numbers", help="Also pass if only the commit or package versions differ.")
    ] = False,
    _: AsJson = False,
) -> None:
    """Rebuild a report and compare every byte; list all differences and exit with 1 if there are any."""
    from cxsim.reporting.verify import verify as verified

    with waiting("Rebuilding the report") as say:
        verdict = verified(report, progress=say)
    words = {
        "bytes": "all numbers and bytes agree.",
        "numbers": "all numbers agree; the commit or package versions differ.",
        "neither": f"not identical; {counted(len(verdict.places), 'place differs', 'places differ')}.",
    }
    beside = f" and {verdict.files} accompanying files" if verdict.files else ""
    print_line(f"{verdict.report.name}{beside}: rebuilt; {words[verdict.agreement]}")
    _print_list("Its inputs differ here:", [one.sentence("here") for one in verdict.ingredients])
    places, inputs = [one.sentence() for one in verdict.places], [one.sentence("here") for one in verdict.ingredients]
    _print_list("Differences:", places)
    finish(
        {"agreement": verdict.agreement, "files": verdict.files, "inputs": inputs, "differences": places},
        f"cxsim compare {quote(str(report))} OTHER.html shows what changed between two reports",
    )
    if verdict.agreement == "neither" or (verdict.agreement == "numbers" and not numbers):
        raise Exit(1)


def compare(
    before: Annotated[Path, Argument(metavar="BEFORE", help="The HTML file of a report.")],
    after: Annotated[Path, Argument(metavar="AFTER", help="The HTML file of another report.")],
    _: AsJson = False,
    exit_code: Annotated[
        bool, Option("--exit-code", help="Exit with 1 if an assumption, a result or a table changed.")
    ] = False,
) -> None:
    """Show which assumptions and results changed between two reports, and whether by more than simulation error."""
    from cxsim.reporting.comparison import compare as compared

    found = compared(before, after)
    _print_comparison(found)
    content = dataclasses.asdict(found) | {"moved": found.moved}
    for one in content["ingredients"]:
        one["what"] = one.pop("where")
    finish(content, f"cxsim verify {quote(str(after))}")
    if exit_code and found.moved:
        raise Exit(1)


def report_one(given: str, changes: str = "", out: Path | None = None, code: Code = "hidden") -> Path:
    """Write one report, print its headline, and return its page."""
    import polars as pl

    from cxsim.finance.returns import read_returns
    from cxsim.reporting.build import carry_out, report_task
    from cxsim.study.loading import load_case
    from cxsim.study.scenario import Scenario
    from cxsim.tables import BREAK_EVEN, check, empty

    if out is not None and out.suffix != ".html":
        raise ReportError(f"{out}: a report's name must end with .html.")
    task = report_task(given, changes=changes, out=out, code=code)
    with waiting("Writing the report") as say:
        carry_out(task, say)
    case = load_case(given, changes)
    if isinstance(case, Scenario) and case.with_prior:
        print_returns(read_returns(task.folder / "returns.csv"), case.economics.currency, case.title)
    elif isinstance(case, Scenario):
        found = pl.read_csv(task.folder / "break-even.csv", schema_overrides=empty(BREAK_EVEN).schema)
        print_break_even(check(found, BREAK_EVEN), case.economics.currency, case.title)
    print_written(task.page, len(list(task.folder.glob("*.csv"))), name=out)
    return task.page


def _report_many(given: Sequence[str], out: Path | None, code: Code, *, jobs: int | None, force: bool) -> None:
    from cxsim.library import own_names, root
    from cxsim.reporting.build import Event, make_all, report_task
    from cxsim.reporting.sweep import write_reports_index
    from cxsim.study.loading import case_of

    if out is not None and out.suffix == ".html":
        raise ReportError(f"{out}: several reports need a folder, not a file.")
    folder = root() / "reports" if out is None else out
    for name in given:
        case_of(name)  # an unknown name is a slip of the finger, refused before anything is made
    tasks: list[Task] = []
    unsound: list[Event] = []
    for name in given or (*own_names("scenarios"), *own_names("valuations")):
        try:
            tasks.append(report_task(name, out=folder, code=code))
        except CxsimError as error:
            unsound.append(Event(task=name, kind="failed", words=str(error)))
    with batch_of("Writing reports") as watch:
        made = make_all(tasks, jobs=jobs, again="all" if force else "changed", watch=watch)
    outcomes = (*made, *unsound)
    _close(outcomes, write_reports_index(folder))


def _close(outcomes: Sequence[Event], page: Path, written: str = "") -> None:
    """Print what became of each report and what was written; refuse to end well where one could not be made."""
    rows = ((one.task, _STATES[one.kind], one.words) for one in outcomes)
    console().print(grid(("report", "status", "reason"), rows))
    print_line(f"Written: {written or page}")
    states = [{"report": one.task, "status": one.kind, "reason": one.words} for one in outcomes]
    failed = [one.task for one in outcomes if one.kind == "failed"]
    finish(
        {"reports": states, "written": written or str(page)}, "" if failed else f"open {quote(str(page))} in a browser"
    )
    if failed:
        raise ReportError(f"{len(failed)} of {len(outcomes)} could not be built: {', '.join(failed)}.")


def _print_list(title: str, sentences: Sequence[str]) -> None:
    if sentences:
        print_line("\n".join([title, *(f"- {sentence}" for sentence in sentences[:_MOST_PLACES])]))
    if len(sentences) > _MOST_PLACES:
        print_line(f"- and {len(sentences) - _MOST_PLACES:,} more.")


def _print_comparison(found: Comparison) -> None:
    if found.identical:
        print_line(f"{found.before.name} and {found.after.name} are identical.")
        return
    print_line(f"{found.before.name} → {found.after.name}")
    made_from = [(one.where, _short(one.before), _short(one.after)) for one in found.ingredients]
    assumptions = [
        (
            *(one.belongs_to, one.description or one.id, one.field if one.how == "changed" else one.how),
            *(_cell(one.before), _cell(one.after), one.unit),
        )
        for one in found.assumptions
    ]
    tables = [(one.id, one.what, one.first) for one in found.tables]
    for title, heads, rows, count in (
        ("Inputs", ("input", "before", "after"), made_from[:_MOST_PLACES], len(made_from)),
        ("Assumptions", ("belongs to", "assumption", "what", "before", "after", "unit"), assumptions, len(assumptions)),
        (
            "Results; ‘beyond error’: changed by more than both simulation errors together",
            ("strategy", "figure", "before", "after", "both errors", "beyond error"),
            [
                (
                    *(one.title, one.figure.replace("_", " "), _cell(one.before), _cell(one.after)),
                    *(_cell(one.errors), _BEYOND[one.against]),
                )
                for one in found.results
                if one.figure in _HEADLINE
            ],
            len(found.results),
        ),
        ("Other tables", ("table", "difference", "first"), tables, len(tables)),
    ):
        if count:
            print_grid(title, heads, rows, right=("before", "after", "both errors"))
        if count > len(rows):
            print_text(f"and {count - len(rows):,} more; --json lists all.")
    if not found.moved:
        print_line("No assumption, result or table changed.")


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return value


def _short(text: str | None) -> str | None:
    return f"{text[:40]}…" if text and len(text) > 44 else text


def lab(
    port: Annotated[int | None, Option(min=1, max=65_535, help="Port of the server; default: a free one.")] = None,
    no_browser: Annotated[bool, Option("--no-browser", help="Print the address instead of opening a browser.")] = False,
) -> None:
    """Open JupyterLab on the project's notebooks."""
    import os
    from importlib.util import find_spec

    from cxsim.library import root

    folder = root() / "notebooks"
    if find_spec("jupyterlab") is None:
        raise ReportError("JupyterLab is not installed; install it with: python -m pip install jupyterlab")
    if not any(folder.glob("*.ipynb")):
        raise ReportError(f"{folder}: there are no notebooks; `cxsim start FOLDER` makes a project with one.")
    from jupyterlab.labapp import main

    options = [f"--ServerApp.root_dir={folder}"]
    options += [f"--port={port}"] if port else []
    options += ["--no-browser"] if no_browser else []
    # A container has no other user; the server listens on this machine alone, and asks for its token.
    options += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    main(options)
