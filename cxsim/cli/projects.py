"""A folder of exports in, a project of the shop out; and which file of a project counts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from typer import Abort, Argument, BadParameter, Option, confirm, prompt

from cxsim.cli.metrics import (
    LastDay,
    NamedColumns,
    PolicyChanges,
    Reading,
    Unreadable,
    named_columns,
    orders_in,
    reading_content,
)
from cxsim.cli.printing import (
    AsJson,
    console,
    finish,
    print_grid,
    print_line,
    print_reading,
    print_text,
    waiting,
)
from cxsim.cli.reports import report_one
from cxsim.library import PROJECT, library, root

if TYPE_CHECKING:
    from cxsim.study.answers import Question
    from cxsim.study.project import Project
    from cxsim.study.start import Seen


def start(
    exports: Annotated[Path, Argument(metavar="FOLDER", help="Folder or file with the exports of your shop.")],
    project: Annotated[
        Path | None, Option(help="Folder of the project; default: FOLDER-project, beside FOLDER.")
    ] = None,
    answer: Annotated[
        list[str] | None, Option(metavar="KEY=VALUE", help="An answer in advance, such as gross_margin=0.55.")
    ] = None,
    yes: Annotated[bool, Option("--yes", "-y", help="Ask nothing: take the default of each other answer.")] = False,
    until: LastDay = None,
    column: NamedColumns = None,
    policy: PolicyChanges = None,
    unreadable: Unreadable = None,
    report: Annotated[
        bool | None, Option("--report/--no-report", help="Whether to build the report at once; default: ask.")
    ] = None,
    _: AsJson = False,
) -> None:
    """Make a project from your shop's exports: seven questions, then files of your own and a first business case."""
    from cxsim.study.start import kept_currency, look, start as started

    given = _answers(answer)
    if not (yes or console().is_terminal):
        raise BadParameter("there is no terminal; add --yes, and answers with --answer.", param_hint="'--yes'")
    reading = Reading.of(
        str(exports), named_columns(column), ([*(policy or ()), *kept_currency(given)], unreadable), until
    )
    with waiting("Reading the exports"):
        seen = look(exports, columns=reading.columns, policy=reading.policy, until=reading.until)
    _print_seen(seen)
    with waiting("Writing the project") if yes else nullcontext():  # beside a question it would be in the way
        made = started(seen, project=project, answers=given, ask=None if yes else _ask)
    _print_project(made)
    page = _built(made) if _wanted(report, yes) else None
    rows = reading_content(seen.shop, orders_in(seen.shop))
    then = f"cd {quote(str(made.folder))} && cxsim report {made.scenario}"
    then = f"open {quote(str(page))} in a browser; after edits under params/: {then}" if page else then
    finish(rows | _content(made) | {"report": page}, then)


def where(
    name: Annotated[
        str | None,
        Argument(metavar="NAME", help="Of a strategy, scenario, lever, metric, source, format or notebook."),
    ] = None,
    _: AsJson = False,
) -> None:
    """Show which file counts for a name, the project's own or the library's; `cxsim where strategies` lists all."""
    from cxsim.study.project import where as found

    if name is None:
        print_line(f"Project: {root()}\nLibrary: {library()}")
        return finish({"project": root(), "library": library()}, "cxsim where strategies")
    places = found(name)
    for place in places:
        hidden = f", instead of {place['instead_of']}" if place["instead_of"] else ""
        print_line(f"{place['kind']}: {place['file']} ({place['from']}{hidden})")
    return finish(places, f"cxsim check {quote(places[0]['file'])}" if places[0]["from"] == "project" else "")


def _answers(texts: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts or ():
        key, sign, value = (part.strip() for part in text.partition("="))
        if not (key and sign and value):
            raise BadParameter(f"{text!r} must be KEY=VALUE, such as gross_margin=0.55.", param_hint="'--answer'")
        found[key] = value
    return found


def _wanted(report: bool | None, yes: bool) -> bool:
    if report is not None or yes:
        return report is not False
    with _stopping():
        return confirm("Build the report now?", default=True)


def _built(made: Project) -> Path:
    # The scenario and its files are those of the project, wherever this was called.
    os.environ[PROJECT] = str(made.folder)
    return report_one(made.scenario)


def _print_seen(seen: Seen) -> None:
    print_reading(seen.shop, orders_in(seen.shop))
    months = f"{seen.months:,} complete months, {seen.new_per_month:,} new customers a month"
    print_line(f"Observed from {seen.shop.since:%Y-%m-%d}: {months}.")


def _ask(question: Question) -> str:
    if question.problem:
        print_text(question.problem, style="red")
    elif question.choices:
        rows = [(one.name, one.title) for one in question.choices if not one.against]
        print_grid("Strategies that your data support", ("name", "title"), rows)
        reasons = {one.against for one in question.choices if one.against}
        for reason in sorted(reasons):
            print_text(
                f"Not offered ({reason}):", ", ".join(one.name for one in question.choices if one.against == reason)
            )
    with _stopping():
        text: str = prompt(f"{question.words} ({question.why})", default=question.default)
    return text


@contextmanager
def _stopping() -> Iterator[None]:
    """Treat whoever leaves at a question as one who stops the command."""
    # polars waits for what it computes, and puts off an interrupt; at a question that would be until the next line.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except Abort as cause:
        raise KeyboardInterrupt from cause


def _content(made: Project) -> dict[str, object]:
    return {
        "project": str(made.folder),
        "scenario": made.scenario,
        "answers": made.answers.to_dicts(),
        "costs": made.costs.to_dicts(),
        "written": made.written,
        "kept": made.kept,
        "cautions": made.cautions,
    }


def _print_project(made: Project) -> None:
    print_grid("Answers", made.answers.columns, made.answers.rows())
    shown = [
        (strategy, kind.replace("_", " "), f"{amount:,g}", f"{low:,g} to {high:,g}", unit, evidence)
        for strategy, kind, amount, low, high, unit, evidence in made.costs.iter_rows()
    ]
    heads = ("strategy", "cost", "amount", "90 % range", "unit", "evidence")
    print_grid("Costs of the strategies; edit them in params/strategies", heads, shown, right=heads[2:4])
    for caution in made.cautions:
        print_text("Caution:", caution, style="yellow")
    for name in made.kept:
        print_line(f"Kept, because it was edited: {name}")
    print_line(f"Written: {len(made.written)} files in {made.folder}")
