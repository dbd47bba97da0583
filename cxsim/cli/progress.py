"""What a terminal shows while it waits; nothing at all where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cxsim.cli.terminal import console


@contextmanager
def counting(task: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of done and total that draws a bar."""
    with _bars(BarColumn(), MofNCompleteColumn()) as bars:
        number = bars.add_task(task, total=None)

        def show(done: int, total: int) -> None:
            bars.update(number, completed=done, total=total)

        yield show


@contextmanager
def waiting(task: str) -> Iterator[Callable[[str], None]]:
    """Yield a function of a short line that is shown beside a spinner and the time."""
    with _bars() as bars:
        number = bars.add_task(task, total=None)

        def say(line: str) -> None:
            bars.update(number, description=f"{task}: {line}")

        yield say


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
