"""Tables and texts in; a terminal's output, progress on its screen, JSON or a file, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cxsim.errors import ReportError
from cxsim.wording import MODELS, NBSP, searched, sized

if TYPE_CHECKING:
    import polars as pl

    from cxsim.reporting.build import Event

# Options that several commands share.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name under params/scenarios, or a YAML file.")]

# A file or a pipe has no width of its own; at this one no table has to cut its words.
_WIDTH = 140
_DECISIONS = {"fund": "green", "pilot": "yellow", "reject": "red"}
_SEVERITIES = {"stop": "bold red", "caution": "yellow", "note": "dim"}
_ENDINGS = (".csv", ".parquet")
# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection").
_FORMULA = r"^[=+\-@\t\r]"
# All that an expected number can mean; a file for ten million customers is then a third smaller.
_DIGITS = 6


def console(stream: Literal["stdout", "stderr"] = "stdout") -> Console:
    """Return a console as wide as the terminal, or wide enough for every table where there is none."""
    made = Console(stderr=stream == "stderr", highlight=False)
    if not made.is_terminal:
        made.width = _WIDTH
    return made


def plain(content: object, style: str = "") -> Text:
    """Return text in which rich reads no markup, and which sends no control character to a terminal."""
    words = str(content).replace(NBSP, " ")
    letters = (letter if letter.isprintable() or letter == "\n" else "?" for letter in words)
    return Text("".join(letters), style=style)


def print_line(text: object = "", stream: Literal["stdout", "stderr"] = "stdout") -> None:
    """Print plain text, which the terminal alone may break."""
    console(stream).print(plain(text), soft_wrap=True)


def print_json(content: object) -> None:
    """Print JSON with all digits."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=_json_value)
    print(text)  # noqa: T201 - the command's result


def grid(heads: Sequence[str], *, right: Collection[str] = ()) -> Table:
    """Return an empty table with these heads; columns of numbers stand at the right."""
    table = Table()
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left")
    return table


def print_grid(title: str, table: Table) -> None:
    """Print a table below its title."""
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)


def print_frame(title: str, content: pl.DataFrame, digits: int = 3) -> None:
    """Print a table of data, its numbers with at most so many decimals."""
    heads = {name.replace("_", " "): kind for name, kind in content.schema.items()}
    table = grid(list(heads), right=[head for head, kind in heads.items() if kind.is_numeric()])
    for row in content.iter_rows():
        numbers = (f"{round(cell, digits):,}" if isinstance(cell, float) else cell for cell in row)
        table.add_row(*(plain("–" if cell is None else cell) for cell in numbers))
    print_grid(title, table)


def whole(number: float) -> str:
    """Return a rounded number, without the minus sign that a small negative one would leave before its zero."""
    return f"{round(number):,}"


def print_returns(returns: pl.DataFrame, currency: str, title: str) -> None:
    """Print the headline: one row per strategy."""
    numbers = ("outlay", "incremental NPV", "90 % interval", "P(NPV > 0)", "ROI", "payback")
    table = grid(("strategy", "decision", *numbers), right=numbers)
    for row in returns.iter_rows(named=True):
        table.add_row(
            plain(row["title"]),
            plain(row["decision"], style=_DECISIONS[row["decision"]]),
            whole(row["outlay"]),
            f"{whole(row['incremental_npv'])} ± {whole(row['npv_mc_error'])}",
            f"{whole(row['npv_low'])} to {whole(row['npv_high'])}",
            f"{row['prob_npv_positive']:.1%} ± {row['prob_mc_error']:.1%}",
            "–" if row["roi"] is None else f"{whole(100 * row['roi'])} %",
            "not within the horizon" if row["payback_months"] is None else f"{row['payback_months']:.0f} months",
        )
    out = console()
    out.print(plain(title))
    out.print(table)
    out.print(plain(f"Amounts in {currency}; 90 % intervals over draws; ± Monte Carlo error."))


def print_structures(structures: pl.DataFrame) -> None:
    """Print the returns under each model of leaving, where there is more than one."""
    if structures["structure"].n_unique() < 2:
        return
    numbers = ("incremental NPV", "90 % interval", "P(NPV > 0)")
    table = grid(("strategy", "model of leaving", "decision", *numbers), right=numbers)
    for part in structures.partition_by("strategy", maintain_order=True):
        for place, row in enumerate(part.iter_rows(named=True)):
            table.add_row(
                plain(row["title"] if place == 0 else ""),
                plain(MODELS.get(row["structure"], row["structure"])),
                plain(row["decision"], style=_DECISIONS[row["decision"]]),
                whole(row["incremental_npv"]),
                f"{whole(row['npv_low'])} to {whole(row['npv_high'])}",
                f"{row['prob_npv_positive']:.1%}",
            )
    print_grid("Under each model of leaving by itself", table)


def print_break_even(found: pl.DataFrame, currency: str, title: str) -> None:
    """Print how large each effect must be, where any was searched."""
    if found.is_empty():
        return
    numbers = ("searched", "NPV at the ends")
    table = grid(("strategy", "what is searched", "pays at", *numbers), right=numbers)
    for row in found.iter_rows(named=True):
        low, high = (_size(row, row[name]) for name in ("searched_low", "searched_high"))
        table.add_row(
            plain(row["title"]),
            plain(searched(row["description"])),
            plain(_answer(row)),
            f"{low} to {high}",
            f"{whole(row['npv_low'])}, {whole(row['npv_high'])}",
        )
    print_grid(title, table)
    console().print(plain(f"Amounts in {currency}. Nobody has measured these effects; only a test can say their size."))


def print_findings(findings: pl.DataFrame) -> None:
    """Print what the orders cannot say of the fits: severity, sentence and advice, the gravest first."""
    out = console()
    out.print()
    for severity, sentence, advice in findings.select("severity", "sentence", "advice").iter_rows():
        out.print(plain(f"{severity.capitalize()}:", style=_SEVERITIES[severity]), plain(f"{sentence} {advice}"))
    if findings.is_empty():
        out.print("The examination of the fits found nothing to report.")


def require_table_file(path: Path) -> None:
    """Refuse, before anything is computed, a file that a table cannot be written to."""
    if path.suffix.lower() not in _ENDINGS:
        raise ReportError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(_ENDINGS)}.")
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; the table is a file.")
    if not path.absolute().parent.is_dir():
        raise ReportError(f"{path}: there is no folder {path.parent}; make it, or choose another.")


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table under another name first, so that nobody ever reads half of it."""
    half = path.with_name(f".{path.name}.half-written")
    try:
        if path.suffix.lower() == ".csv":
            _for_spreadsheets(table).write_csv(half)
        else:
            table.write_parquet(half)
        half.replace(path)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        half.unlink(missing_ok=True)


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
        yield lambda line: bars.update(number, description=f"{task}: {line}")


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
            words = f"  {event.task}: {event.words or 'begun'}"
            if event.task not in lines:
                lines[event.task] = steps.add_task(words, total=None)
            steps.update(lines[event.task], description=words)
        else:
            total.advance(number)
            if event.task in lines:
                steps.remove_task(lines.pop(event.task))

    screen = console("stderr")
    if screen.is_terminal:
        with Live(Group(total, steps), console=screen, transient=True):
            yield watch
    else:
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
        disable=not screen.is_terminal,
    )


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}.")


def _answer(row: Mapping[str, Any]) -> str:
    low, high = row["npv_low"], row["npv_high"]
    if row["break_even"] is None:
        return "both ends" if low > 0.0 else "neither end"
    return f"{_size(row, row['break_even'])} or {'more' if high > low else 'less'} ({row['unit']})"


def _size(row: Mapping[str, Any], size: float) -> str:
    return sized(size, row["unit"], row["searched_high"] - row["searched_low"])


def _for_spreadsheets(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl
    import polars.selectors as cs

    # One by one: a text and its apostrophe are put together of one column, not of all texts.
    texts = [pl.col(name) for name in table.select(cs.string()).columns]
    escaped = [
        pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()
        for text in texts
    ]
    return table.with_columns(*escaped, cs.float().round_sig_figs(_DIGITS))
