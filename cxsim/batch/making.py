"""Tasks in; those made whose files are not what they should be, and what became of each, out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cxsim.batch.task import Task, is_current
from cxsim.batch.workers import Event, State, Watch, work_off
from cxsim.errors import ReportError
from cxsim.report.leftovers import remove_leftovers

Again = Literal["changed", "all"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    task
        Its name.
    state
        It was made; skipped, because nothing has changed; or it failed.
    reason
        Why it failed; else empty.
    """

    task: str
    state: State
    reason: str = ""


def default_jobs() -> int:
    """Return how many reports are made at once where nobody says: one per processor, at most four.

    A report works on one processor for most of its time, and takes up to half a gigabyte.
    """
    return max(1, min(os.cpu_count() or 1, 4))


def make_all(
    tasks: Sequence[Task], *, jobs: int | None = None, again: Again = "changed", watch: Watch | None = None
) -> tuple[Outcome, ...]:
    """Make reports and studies side by side; one that fails does not stop the others.

    May be stopped at any moment: nothing half-written is left in place, and the next call makes what is missing.
    """
    at_once = default_jobs() if jobs is None else jobs
    if at_once < 1:
        raise ReportError(f"jobs must be 1 or more; found {jobs}.")
    _refuse_collisions(tasks)
    say: Watch = watch if watch is not None else _silent
    for folder in sorted({task.page.parent for task in tasks}):
        remove_leftovers(folder)
    say(Event(task="", kind="wanted", wanted=len(tasks)))
    found: dict[str, Outcome] = {}
    wanted = []
    for task in tasks:
        if again == "changed" and is_current(task):
            found[task.name] = Outcome(task=task.name, state="skipped")
            say(Event(task=task.name, kind="skipped"))
        else:
            wanted.append(task)
    try:
        with contextlib.closing(work_off(wanted, jobs=at_once, watch=say)) as ended:
            for task, state, reason in ended:
                found[task.name] = Outcome(task=task.name, state=state, reason=reason)
    finally:
        # What a worker that had to be killed has left.
        for folder in sorted({task.page.parent for task in wanted}):
            remove_leftovers(folder)
    return tuple(found[task.name] for task in tasks)


def _refuse_collisions(tasks: Sequence[Task]) -> None:
    names, pages = [task.name for task in tasks], [task.page for task in tasks]
    for one, place in zip(names, pages, strict=True):
        if names.count(one) > 1 or pages.count(place) > 1:
            raise ReportError(f"{one}: two reports would be written to {place}; name it once.")


def _silent(event: Event) -> None:
    """Say nothing."""
