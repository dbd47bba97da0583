"""One thing to make in; its files on disk, and whether those on disk are still what would be made, out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cxsim.batch.study_files import write_study
from cxsim.report import make
from cxsim.report.render import Code
from cxsim.scenario import load_scenario
from cxsim.study import run

STAMP = "inputs_sha256"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportWork:
    """A notebook to be made into a page.

    Attributes
    ----------
    notebook
        The file.
    parameters
        Values for its parameters.
    title
        Title of the page.
    code
        Whether a reader sees the notebook's code.
    """

    notebook: Path
    parameters: Mapping[str, str]
    title: str
    code: Code = "hidden"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyWork:
    """A scenario to be played out, of which only the returns are kept.

    Attributes
    ----------
    scenario
        Name or path.
    changes
        Numbers set by hand, as for `load_scenario`.
    """

    scenario: str
    changes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One report or study to be made; it can be sent to another process.

    Attributes
    ----------
    name
        What it is called while it is made.
    page
        The HTML file; the folder of its tables, with `manifest.json`, lies beside it and is called the same without
        the ending. Of a study there is only that folder.
    inputs
        Hash of everything that it depends on.
    also
        Further hashes under which its files are as good: the returns of a report are those of its study.
    work
        What is to be done.
    """

    name: str
    page: Path
    inputs: str
    work: ReportWork | StudyWork
    also: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of its tables."""
        return self.page.with_suffix("")


def carry_out(task: Task, say: Say) -> None:
    """Make what a task asks for, whole or not at all."""
    work, stamp = task.work, {STAMP: task.inputs}
    if isinstance(work, ReportWork):
        make(
            work.notebook,
            parameters=work.parameters,
            title=work.title,
            out=task.page,
            code=work.code,
            stamp=stamp,
            progress=say,
        )
        return
    say("reading the orders and fitting")
    scenario = load_scenario(work.scenario, work.changes)
    study = run(scenario, progress=lambda done, total: say(f"simulated {done:,} of {total:,}"))
    write_study(study, task.page, stamp=stamp)


def is_current(task: Task) -> bool:
    """Return whether what is on disk was made from the same inputs, and nobody has touched it since."""
    record = record_of(task.folder)
    if record is None or record.get(STAMP) not in (task.inputs, *task.also):
        return False
    is_report = isinstance(task.work, ReportWork)
    return is_whole(record, task.page, needed={task.page.name} if is_report else {"returns.csv"})


def record_of(folder: Path) -> dict[str, object] | None:
    """Return what `manifest.json` in a folder of tables says; None where there is none that can be read."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_whole(record: Mapping[str, object], page: Path, *, needed: set[str]) -> bool:
    """Return whether all files that a record names, and those that are needed, are there with the content it names."""
    files = record.get("files")
    if not isinstance(files, dict) or not needed <= set(files):
        return False
    folder = page.with_suffix("")
    return all(
        _digest(page if name == page.name else folder / Path(name).name) == found for name, found in files.items()
    )


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
