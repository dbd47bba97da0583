"""What a terminal shows while it waits; nothing at all where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cxsim.cli.terminal import console

if TYPE_CHECKING:
    from cxsim.batch import Event


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


@contextmanager
def batch_of(task: str) -> Iterator[Callable[[Event], None]]:
    """Yield a function of events that draws a bar of what is done, and a line for each task at work."""
    whole, steps = _bars(BarColumn(), MofNCompleteColumn()), _bars()
    number = whole.add_task(task, total=None)
    lines: dict[str, TaskID] = {}

    def watch(event: Event) -> None:
        if event.kind == "wanted":
            whole.update(number, total=event.wanted)
        elif event.kind in {"begun", "step"}:
            words = f"  {event.task}: {event.words or 'begun'}"
            if event.task not in lines:
                lines[event.task] = steps.add_task(words, total=None)
            steps.update(lines[event.task], description=words)
        else:
            whole.advance(number)
            if event.task in lines:
                steps.remove_task(lines.pop(event.task))

    screen = console("stderr")
    if screen.is_terminal:
        with Live(Group(whole, steps), console=screen, transient=True):
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
