"""Reports in; whether one can be made again, and what moved between two, as tables for a terminal or JSON, out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cxsim.cli.progress import waiting
from cxsim.cli.terminal import console, plain

if TYPE_CHECKING:
    from rich.text import Text

    from cxsim.audit import AssumptionMove, Comparison, Difference, ResultMove, TableMove, Verdict

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
    from cxsim.audit import verify as verified

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
    from cxsim.audit import compare as compared

    found = compared(before, after)
    if as_json:
        print(json.dumps(_content(found), indent=1, ensure_ascii=False))  # noqa: T201 - the command's result
    else:
        _print_comparison(found)
    if exit_code and found.moved:
        raise typer.Exit(1)


def _print_verdict(verdict: Verdict) -> None:
    beside = f" and {verdict.files} files beside it" if verdict.files else ""
    told = f"{verdict.report.name}{beside}: made again,"
    if verdict.agreement == "bytes":
        _say(f"{told} every number and every byte agrees.")
    elif verdict.agreement == "numbers":
        _say(f"{told} every number agrees; the commit or versions of packages do not.")
    else:
        count = "1 place differs" if len(verdict.places) == 1 else f"{len(verdict.places):,} places differ"
        _say(f"{told} it is not the same; {count}.")
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
