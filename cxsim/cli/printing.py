"""Tables and texts in; a terminal's output, progress on its screen, JSON or a file, out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from cxsim.errors import ReportError
from cxsim.wording import (
    BADGES,
    FORMULAS,
    INTERVAL,
    MODELS,
    NBSP,
    between,
    chance,
    chance_and_error,
    figure_against,
    in_csv,
    in_terminal,
    months,
    number,
    searched,
    sized,
)

if TYPE_CHECKING:
    import polars as pl

    from cxsim.data.orders import Transactions
    from cxsim.data.shop import Receipt, Shop
    from cxsim.library import Kind
    from cxsim.reporting.build import Event

DAY_FORMAT = "%Y-%m-%d"
# What a call prints: text, notes and progress; text alone; or nothing but JSON.
Output = Literal["all", "quiet", "json"]
_OUTPUT: ContextVar[Output] = ContextVar("output", default="all")


# Options that several commands share.
def _only_json(wanted: bool) -> None:
    if wanted:
        _OUTPUT.set("json")


AsJson = Annotated[
    bool, Option("--json", help="Print JSON for other programs.", callback=_only_json, expose_value=False)
]


def completed(*kinds: Kind) -> Callable[[str], list[str]]:
    """Return a function that completes the name of a file of these kinds for a shell."""

    def complete(begun: str) -> list[str]:
        from cxsim.library import names

        return [name for kind in kinds for name in names(kind) if name.startswith(begun)]

    return complete


ScenarioName = Annotated[
    str,
    Argument(
        metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.", autocompletion=completed("scenarios")
    ),
]

# A file or a pipe has no width of its own; at this one no table has to cut its words.
_WIDTH = 140
_DECISIONS = {"fund": "green", "pilot": "yellow", "reject": "red"}
_SEVERITIES = {"stop": "bold red", "caution": "yellow", "note": "dim"}
_ENDINGS = (".csv", ".parquet")
# All that an expected number can mean; a file for ten million customers is then a third smaller.
_DIGITS = 6


def console(stream: Literal["stdout", "stderr"] = "stdout") -> Console:
    """Return a console as wide as the terminal or COLUMNS say, or wide enough for every table where neither does."""
    made = Console(stderr=stream == "stderr", highlight=False, quiet=stream == "stdout" and _OUTPUT.get() == "json")
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH
    return made


def plain(content: object, style: str = "") -> Text:
    """Return text in which rich reads no markup, and which sends no control character to a terminal."""
    return Text(in_terminal(str(content).replace(NBSP, " ")), style=style)


def counted(number: int, one: str, more: str = "") -> str:
    """Return so many things in digits."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def print_line(text: object = "", stream: Literal["stdout", "stderr"] = "stdout") -> None:
    """Print plain text, which the terminal alone may break."""
    console(stream).print(plain(text), soft_wrap=True)


def print_text(text: object = "", *more: object, style: str = "") -> None:
    """Print plain text, broken at the width of the terminal; the first part of it in its style."""
    console().print(plain(text, style), *map(plain, more))


def print_parts(title: str, description: str, parts: Mapping[str, Sequence[str]]) -> None:
    """Print what is known of one thing, under headings."""
    print_text(title, style="bold")
    print_text(description)
    for heading, lines in parts.items():
        print_text()
        print_text(heading, style="bold")
        for line in lines:
            print_text(line)


def print_written(page: Path, tables: int, name: Path | None = None) -> None:
    """Print where a report is, how large it is, and how many tables lie beside it."""
    print_line(f"Written: {name or page} ({page.stat().st_size / 1e6:.1f} MB) with {tables} tables")


def print_files(files: Iterable[Path], folder: Path) -> None:
    """Print which files were written to a folder."""
    print_line(f"Written: {', '.join(file.name for file in files)} in {folder}")


def set_output(output: Output) -> None:
    """Choose what this call prints."""
    _OUTPUT.set(output)


def finish(content: object, then: str = "") -> None:
    """Print a result as JSON with all digits where that is asked, and otherwise what to do next, as a note.

    What would act on a terminal is written as JSON writes it in letters.
    """
    if _OUTPUT.get() == "json":
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=_plain_value)
        print(in_terminal(text, lambda letter: json.dumps(letter)[1:-1]))  # noqa: T201 - the command's result
    elif then and _OUTPUT.get() == "all":
        print_line(f"Next: {then}", "stderr")


def _plain_value(value: object) -> str:
    if isinstance(value, (datetime, Path)):
        return value.isoformat() if isinstance(value, datetime) else str(value)
    raise TypeError(f"no JSON for {type(value).__name__}.")


def grid(
    heads: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    right: Collection[str] = (),
    widths: Mapping[str, int] | None = None,
) -> Table:
    """Return a table with these heads; columns of numbers stand at the right, and what is missing is a dash."""
    table = Table()
    for head in heads:
        table.add_column(plain(head), justify="right" if head in right else "left", min_width=(widths or {}).get(head))
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else plain("–" if cell is None else cell) for cell in row))
    return table


def print_grid(title: str, *content: Iterable[Any], right: Collection[str] = ()) -> None:
    """Print a table of heads and rows below its title."""
    print_text()
    print_text(title)
    console().print(grid(*content, right=right))


def print_frame(title: str, content: pl.DataFrame, digits: int = 3) -> None:
    """Print a table of data, its numbers with at most so many decimals."""
    heads = {name.replace("_", " "): kind for name, kind in content.schema.items()}
    print_grid(
        title,
        [*heads],
        (
            [f"{round(cell, digits):,}" if isinstance(cell, float) else cell for cell in row]
            for row in content.iter_rows()
        ),
        right=[head for head, kind in heads.items() if kind.is_numeric()],
    )


def print_returns(returns: pl.DataFrame, currency: str, title: str) -> None:
    """Print the headline: one row per strategy."""
    numbers = ("investment", "expected NPV", INTERVAL, "chance of a positive NPV", "ROI", "median payback")
    print_text(title)
    console().print(
        grid(
            ("programme", "recommendation", *numbers),
            (
                (
                    *(row["title"], _decision(row), number(row["investment"])),
                    f"{number(row['incremental_npv'])} ± {number(row['npv_mc_error'])}",
                    between(row["npv_low"], row["npv_high"]),
                    " ± ".join(filter(None, chance_and_error(row["prob_npv_positive"], row["prob_mc_error"]))),
                    None if row["roi"] is None else f"{figure_against(100.0 * row['roi'], 0.0)}{NBSP}%",
                    "beyond the horizon" if row["payback_months"] is None else months(row["payback_months"]),
                )
                for row in returns.iter_rows(named=True)
            ),
            right=numbers,
        )
    )
    print_text(
        f"Expected present values in {currency}. ±: one standard error of the simulation; pp: percentage points."
    )


def _decision(row: Mapping[str, Any]) -> Text:
    return plain(BADGES[row["decision"]], _DECISIONS[row["decision"]])


def print_structures(structures: pl.DataFrame) -> None:
    """Print the returns under each dropout model, where there is more than one."""
    if structures["structure"].n_unique() < 2:
        return
    numbers = ("expected NPV", INTERVAL, "chance of a positive NPV")
    print_grid(
        "Results by dropout model",
        ("programme", "dropout model", "recommendation", *numbers),
        (
            (
                "" if place else row["title"],
                *(MODELS.get(row["structure"], row["structure"]), _decision(row), number(row["incremental_npv"])),
                *(between(row["npv_low"], row["npv_high"]), chance(row["prob_npv_positive"])),
            )
            for part in structures.partition_by("strategy", maintain_order=True)
            for place, row in enumerate(part.iter_rows(named=True))
        ),
        right=numbers,
    )


def print_break_even(found: pl.DataFrame, currency: str, title: str) -> None:
    """Print how large each effect must be, where any was searched."""
    if found.is_empty():
        return
    numbers = ("range tested", "NPV at its ends")
    print_grid(
        title,
        ("programme", "unknown effect", "breaks even at", *numbers),
        (
            (
                *(row["title"], searched(row["description"]), _answer(row)),
                f"{_size(row, 'searched_low')} to {_size(row, 'searched_high')}",
                f"{number(row['npv_low'])}, {number(row['npv_high'])}",
            )
            for row in found.iter_rows(named=True)
        ),
        right=numbers,
    )
    print_text(f"Amounts in {currency}. These effects have not been measured; only a test can show their size.")


def print_reading(shop: Shop, orders: Transactions | None) -> None:
    """Print what became of the rows of each file, by which policy, what counts, and what was found in it."""
    from cxsim.data.orders import UNCOUNTED
    from cxsim.data.shop import findings_table

    for receipt in shop.receipts:
        print_line(brief(receipt))
    if not shop.receipts:
        print_line(f"{shop.name}: simulated; no files were read.")
    print_line(shop.policy.sentence())
    if orders is not None:
        customers, count, revenue = orders.totals
        stated = "after" if shop.missing("orders.refunded") is None else "before"
        print_line(
            f"Orders: {count:,} of {counted(customers, 'customer')} until {orders.until}, "
            f"{f'{orders.currency} {revenue:,.2f}'.strip()} {stated} refunds."
        )
        for line in orders.hygiene.lines:
            if line.rows and line.reason in UNCOUNTED:
                print_line(f"  not counted: {line.rows:,} {line.reason}")
    if shop.receipts:
        print_findings(findings_table(shop.findings), "No issues found in the orders.")


def brief(receipt: Receipt) -> str:
    """Return a receipt in a few lines: what was recognised, what became of its rows and why, and its statuses."""
    head, *rest = str(receipt).splitlines()
    shown = ("  dropped", "  merged", "  status", "  passed over")
    return "\n".join([head, *(line for line in rest if line.startswith(shown) or receipt.recognised == "nothing")])


def print_findings(findings: pl.DataFrame, nothing: str) -> None:
    """Print findings, the gravest first, or that there are none."""
    print_text()
    for severity, sentence, advice in findings.select("severity", "sentence", "advice").iter_rows():
        print_text(f"{severity.capitalize()}:", f"{sentence} {advice}", style=_SEVERITIES[severity])
    if findings.is_empty():
        print_text(nothing)


def print_engines(engines: pl.DataFrame) -> None:
    """Print what both engines found, if they were compared."""
    if not engines.is_empty():
        print_grid(
            "Both engines side by side; difference as a share of native",
            engines.columns,
            (
                (*names, *(f"{number:,.10g}" for number in found), f"{gap:.0e}")
                for *names, found, gap in ((*row[:2], row[2:4], row[4]) for row in engines.iter_rows())
            ),
            right=engines.columns[2:],
        )


def require_table_file(path: Path) -> None:
    """Refuse, before anything is computed, a file that a table cannot be written to."""
    if path.suffix.lower() not in _ENDINGS:
        raise ReportError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(_ENDINGS)}.")
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; name a file.")
    if not path.absolute().parent.is_dir():
        raise ReportError(f"{path}: there is no folder {path.parent}; create it or choose another.")


def write_table(table: pl.DataFrame, path: Path, *, exact: Sequence[str] = ()) -> None:
    """Write a table into a file, whole or not at all; estimates to six digits in text, `exact` columns to the last."""
    import polars.selectors as cs

    from cxsim.params import written_whole

    try:
        with written_whole(path) as half:
            if path.suffix.lower() == ".csv":
                texts = [_cells(column) for column in table.select(cs.string())]
                rounded = (cs.float() - cs.by_name(*exact)).round_sig_figs(_DIGITS)
                table.with_columns(*texts, rounded).write_csv(half)
            else:
                table.write_parquet(half)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror or error}).") from error


def _cells(texts: pl.Series) -> pl.Series:
    """Return texts as cells; only the few that could begin a formula are looked at one by one."""
    found = texts.filter(texts.str.contains(FORMULAS)).unique().to_list()
    return texts.replace(found, list(map(in_csv, found))) if found else texts


@contextmanager
def counting(task: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of done and total that draws a bar."""
    with _bars(BarColumn(), MofNCompleteColumn()) as bars:
        number = bars.add_task(task, total=None)
        yield lambda done, total: bars.update(number, completed=done, total=total)


@contextmanager
def waiting(task: str) -> Iterator[Callable[[str], None]]:
    """Yield a function of a short line that is shown beside a spinner and the time."""
    with _bars() as bars:
        number = bars.add_task(task, total=None)
        yield lambda line: bars.update(number, description=in_terminal(f"{task}: {line}"))


@contextmanager
def batch_of(task: str) -> Iterator[Callable[[Event], None]]:
    """Yield a function of events that draws a bar of what is done, and a line for each task at work."""
    total, steps = _bars(BarColumn(), MofNCompleteColumn()), _bars()
    number = total.add_task(task, total=None)
    lines: dict[str, TaskID] = {}

    def watch(event: Event) -> None:
        if event.kind == "wanted":
            total.update(number, total=event.wanted)
        elif event.kind in {"begun", "step"}:
            if event.task not in lines:
                lines[event.task] = steps.add_task("", total=None)
            steps.update(lines[event.task], description=in_terminal(f"  {event.task}: {event.words or 'begun'}"))
        else:
            total.advance(number)
            if event.task in lines:
                steps.remove_task(lines.pop(event.task))

    screen = console("stderr")
    drawn = screen.is_terminal and _OUTPUT.get() == "all"
    with Live(Group(total, steps), console=screen, transient=True) if drawn else nullcontext():
        yield watch


def _bars(*columns: BarColumn | MofNCompleteColumn) -> Progress:
    screen = console("stderr")
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal or _OUTPUT.get() != "all",
    )


def _answer(row: Mapping[str, Any]) -> str:
    low, high = row["npv_low"], row["npv_high"]
    if row["break_even"] is None:
        return "both ends" if low > 0.0 else "neither end"
    return f"{_size(row, 'break_even')} or {'more' if high > low else 'less'} ({row['unit']})"


def _size(row: Mapping[str, Any], name: str) -> str:
    return sized(row[name], row["unit"], row["searched_high"] - row["searched_low"])
