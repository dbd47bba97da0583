"""Tasks in; those made whose files are not what they should be, and what became of each, out."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Literal, NamedTuple

from cxsim.display import notebook_line
from cxsim.errors import CxsimError, ParamError, ReportError, require_kind
from cxsim.library import at, root
from cxsim.reporting.execute import Say, remove_leftovers
from cxsim.reporting.page import make, publish, staging
from cxsim.reporting.render import Code
from cxsim.reporting.tables import machine_readable
from cxsim.reporting.twins import csv_text, digest, twin_from
from cxsim.study.business.case import BusinessCase
from cxsim.study.loading import canonical, case_files, changes_between, load_case, load_scenario, parsed_changes
from cxsim.study.project import Project, working_in
from cxsim.study.provenance import versions
from cxsim.study.result import Study
from cxsim.study.run import run
from cxsim.study.scenario import Scenario, Valuation

Again = Literal["changed", "all"]

INDEX = "index.html"
RETURNS_FILE = "returns.csv"
STAMP = "inputs_sha256"
COMPARISON = "02-compare-strategies.ipynb"
CUSTOMER_VALUE = "03-customer-value.ipynb"
BREAK_EVEN = "06-how-large-must-it-be.ipynb"

# Seconds that a worker has to end its notebook and to remove what is half-written; the kernel of one that has to be
# killed ends by itself when it misses it, and the parent removes the rest.
_GRACE = 1.0
# File systems allow 255 bytes for a name; what is put before and after it is shorter than the rest.
_LONGEST = 140
_UNSAFE = re.compile(r"[^A-Za-z0-9._=,+-]")
_PACKAGE = Path(__file__).resolve().parent.parent
_REQUIRED = re.compile(r"[A-Za-z0-9._-]+")


class ReportWork(NamedTuple):
    """A notebook to be made into a page, with values for its parameters."""

    notebook: Path
    parameters: Mapping[str, str]
    title: str
    code: Code = "hidden"


class StudyWork(NamedTuple):
    """A scenario, by name or path, to be simulated, of which only the returns are kept; `changes` are set by hand."""

    scenario: str
    changes: str


class Task(NamedTuple):
    """One report or study to be made; it can be sent to another process."""

    name: str
    page: Path  # the HTML file; the folder of its tables has the same name without the ending
    inputs: str  # hash of everything that it depends on
    work: ReportWork | StudyWork
    also: tuple[str, ...] = ()  # further hashes under which its files are as good: those of a report for its study

    @property
    def folder(self) -> Path:
        """The folder of its tables."""
        return self.page.with_suffix("")


class Event(NamedTuple):
    """Something that happened to a task, or to all; what became of a task is the last one."""

    task: str  # its name; empty where it is about all
    kind: Literal["wanted", "begun", "step", "made", "skipped", "failed"]
    words: str = ""  # the step, or the reason
    wanted: int = 0  # how many tasks there are, where that is the event


Watch = Callable[[Event], None]


def make_all(
    tasks: Sequence[Task], *, jobs: int | None = None, again: Again = "changed", watch: Watch | None = None
) -> tuple[Event, ...]:
    """Make reports and studies side by side; one that fails does not stop the others.

    May be stopped at any moment: nothing half-written is left in place, and the next call makes what is missing. One
    job works on one processor for most of its time, and takes up to half a gigabyte: by default one per processor, at
    most four.
    """
    at_once = max(1, min(os.cpu_count() or 1, 4)) if jobs is None else jobs
    if at_once < 1:
        raise ReportError(f"jobs must be 1 or more; found {jobs}.")
    _refuse_collisions(tasks)
    report: Watch = watch or (lambda _: None)
    with contextlib.ExitStack() as stack:
        for folder in sorted({task.page.parent for task in tasks}):
            remove_leftovers(folder)
            # What a worker that had to be killed has left.
            stack.callback(remove_leftovers, folder)
        report(Event(task="", kind="wanted", wanted=len(tasks)))
        current = [task for task in tasks if again == "changed" and is_current(task)]
        found = {task.name: Event(task=task.name, kind="skipped") for task in current}
        for event in found.values():
            report(event)
        wanted = [task for task in tasks if task.name not in found]
        found |= {event.task: event for event in _work_off(wanted, at_once, report)}
    return tuple(found[task.name] for task in tasks)


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
    say("reading orders and fitting models")
    scenario = load_scenario(work.scenario, work.changes)
    study = run(scenario, progress=lambda done, total: say(f"simulated {done:,} of {total:,}"))
    write_study(study, task.page, stamp=stamp)


def report(case: str | Scenario | BusinessCase | Project, *, out: str | Path | None = None) -> Path:
    """Write the report of a case as one HTML file that needs no network.

    Beside it lies a folder of the same name with its tables as CSV files, a workbook and the manifest.

    Parameters
    ----------
    case
        Name of a scenario or a valuation, or the path of its file; or a scenario, or its business case, that differs
        from the file of its name in nothing but numbers set by hand; or the project that `start` made.
    out
        The HTML file, or a folder for it; by default the project's folder of reports.

    Returns
    -------
    pathlib.Path
        The HTML file.

    Raises
    ------
    ParamError
        For an unknown name, or a scenario that no file and no change of its numbers gives.
    ReportError
        When the report cannot be written.

    Examples
    --------
    >>> import cxsim
    >>> cxsim.report(cxsim.load_scenario("cdnow-quick"), out="reports/mine.html")  # doctest: +SKIP
    PosixPath('/project/reports/mine.html')
    """
    if isinstance(case, Project):
        with working_in(case.folder):
            return report(case.scenario, out=out)
    given, changes = (case, "") if isinstance(case, str) else _named(case)
    task = report_task(given, changes=changes, out=None if out is None else Path(out))
    with notebook_line("Writing the report") as say:
        carry_out(task, say)
    return task.page


def _named(case: Scenario | BusinessCase) -> tuple[str, str]:
    """Return the name of a scenario and the changes that make it out of its file."""
    if not isinstance(case, Scenario):
        require_kind(case, BusinessCase, "a name, a scenario, a business case, or what cxsim.start returned")
        case = case.study.scenario
    scenario = case
    changes = changes_between(load_scenario(scenario.name), scenario)
    if changes is None:
        raise ParamError(
            f"{scenario.name}: it differs from its file by more than numbers set by hand, so nobody could make its "
            "report again; write it as a file under params/scenarios and pass the name of that file."
        )
    return scenario.name, changes


def write_study(study: Study, page: Path, *, stamp: Mapping[str, str]) -> None:
    """Write returns.csv and manifest.json where a report of the same name would have them."""
    text = csv_text(twin_from(machine_readable("returns", "Returns", study.returns)))
    with staging(page) as folder:
        publish(folder, page, page=None, files={RETURNS_FILE: text}, record={**study.manifest, **stamp})


def report_task(given: str, *, changes: str = "", out: Path | None = None, code: Code = "hidden") -> Task:
    """Return the task of making a report."""
    case, written = load_case(given, changes), canonical(changes)
    place = root() / "reports" if out is None else out
    page = place if place.suffix == ".html" else place / page_name(case.name, written)
    if page.name == INDEX and page != out:
        raise ParamError(f"'{case.name}' would overwrite the index of all reports; choose another name.")
    name = case.name if page is place else page.stem
    return report_of(case, given, written, page=page, name=name, title=case.title, code=code)


def report_of(
    case: Scenario | Valuation, given: str, changes: str, *, page: Path, name: str, title: str, code: Code
) -> Task:
    """Return the task of making the report of a case, with its changes as `canonical` writes them."""
    notebook = at(f"notebooks/{notebook_of(case)}")
    kind = "scenario" if isinstance(case, Scenario) else "valuation"
    # Notebooks without changes need not know the parameter.
    parameters = {kind: place_of(given)} | ({"changes": changes} if changes else {})
    return Task(
        name=name,
        page=page.absolute(),
        inputs=_inputs(case, given, "report", {"notebook": _file_hash(notebook), "code": code}),
        work=ReportWork(notebook=notebook, parameters=parameters, title=title, code=code),
    )


def place_of(given: str) -> str:
    """Return a scenario's name or path as a notebook finds it, which runs in a folder of its own."""
    return str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given


def page_name(case: str, changes: str) -> str:
    """Return the name of a report's file, in which the changes can be read."""
    parts = [case, *(f"{key}={value}" for key, value in parsed_changes(changes).items())]
    stem = _UNSAFE.sub("_", ",".join(part for part in parts if part))
    if len(stem) > _LONGEST:
        stem = f"{stem[:_LONGEST]},{digest(stem)[:10]}"
    return f"{stem}.html"


def notebook_of(case: Scenario | Valuation) -> str:
    """Return the notebook of a valuation, of a scenario with returns, or of one that only searches."""
    if not isinstance(case, Scenario):
        return CUSTOMER_VALUE
    return COMPARISON if case.with_prior else BREAK_EVEN


def study_inputs(case: Scenario, given: str) -> str:
    """Return the hash of everything that the returns of a scenario depend on."""
    return _inputs(case, given, "study", {})


def is_current(task: Task) -> bool:
    """Return whether what is on disk was made from the same inputs, and nobody has touched it since."""
    record = record_of(task.folder)
    if record is None or record.get(STAMP) not in (task.inputs, *task.also):
        return False
    return is_whole(record, task.page, needed=task.page.name if isinstance(task.work, ReportWork) else RETURNS_FILE)


def record_of(folder: Path) -> dict[str, object] | None:
    """Return the content of `manifest.json` in a folder of tables; None where there is none that can be read."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_whole(record: Mapping[str, object], page: Path, *, needed: str) -> bool:
    """Return whether all files that a record names, and the needed one, are there with the content it names."""
    files = record.get("files")
    if not isinstance(files, dict) or needed not in files:
        return False
    folder = page.with_suffix("")
    return all(
        _file_hash(page if name == page.name else folder / Path(name).name) == found for name, found in files.items()
    )


def _refuse_collisions(tasks: Sequence[Task]) -> None:
    for task in tasks:
        if sum(other.name == task.name or other.page == task.page for other in tasks) > 1:
            raise ReportError(f"{task.name}: two reports would be written to {task.page}; name it once.")


def _inputs(case: Scenario | Valuation, given: str, kind: str, more: Mapping[str, str | None]) -> str:
    """Return the hash of everything that a report or a study depends on.

    The commit of the project is not part of it: whether a report is still right depends on files, not on their history.
    """
    content = {
        "kind": kind,
        "case": json.dumps(dataclasses.asdict(case), sort_keys=True, default=str),
        # A file's bytes too: the audit trail of a report names their hashes.
        "params": {f"{path.parent.name}/{path.name}": _file_hash(path) for path in case_files(given)},
        # The bundled orders are files of the package.
        "orders": _file_hash(root() / case.orders),
        "package": _package_hash(),
        "versions": _versions(),
        **more,
    }
    return _hash(content)


def _hash(content: object) -> str:
    return digest(json.dumps(content, sort_keys=True))


def _file_hash(path: Path) -> str | None:
    """Return the hash of a file; None where there is none."""
    try:
        found = path.stat()
        return _content_hash(path, found.st_size, found.st_mtime_ns) if path.is_file() else None
    except OSError:
        return None


@functools.lru_cache(maxsize=4096)
def _content_hash(path: Path, size: int, changed_at: int) -> str:  # noqa: ARG001 - read once while neither changes
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def _package_hash() -> str:
    """Return the hash of the names and contents of cxsim's own files, whatever they are."""
    files = [path for path in sorted(_PACKAGE.rglob("*")) if path.is_file()]
    own = [path for path in files if "__pycache__" not in path.parts and path.suffix != ".pyc"]
    return _hash({path.relative_to(_PACKAGE).as_posix(): _file_hash(path) for path in own})


@functools.cache
def _versions() -> dict[str, str]:
    """Return the version of Python, and of every package that cxsim asks for itself."""
    asked = [entry for entry in importlib.metadata.requires("cxsim") or [] if "extra ==" not in entry]
    packages = sorted({found[0] for entry in asked if (found := _REQUIRED.match(entry))})
    return {"python": platform.python_version()} | versions(packages)


class _Workers:
    """Processes that carry out tasks, one for each thread."""

    def __init__(self, scratch: str, watch: Watch) -> None:
        self._scratch, self._watch, self._over = scratch, watch, False
        self._all, self._mine = list[SpawnProcess](), threading.local()

    def work_off(self, task: Task) -> Event:
        """Carry out a task in the process of this thread."""
        process, pipe = self._worker()
        self._watch(Event(task=task.name, kind="begun"))
        event = Event(task=task.name, kind="step")
        with contextlib.suppress(OSError):  # it died meanwhile, which is noticed when its pipe is read
            pipe.send(task)
        while event.kind == "step":
            try:
                kind, words = pipe.recv()
            except (EOFError, OSError):
                process.join(_GRACE)
                kind, words = "failed", f"its process ended early, with code {process.exitcode}."
            event = Event(task=task.name, kind=kind, words=words)
            if not self._over:
                self._watch(event)
        return event

    def end(self) -> None:
        """End all of them, whatever they are at."""
        self._over = True
        until = time.monotonic() + _GRACE
        for process in self._all:
            process.terminate()
        for process in self._all:
            process.join(max(until - time.monotonic(), 0.0))
            process.kill()
            process.join()

    def _worker(self) -> tuple[SpawnProcess, Connection]:
        """Return the process of this thread and the pipe to it; another one where it has ended."""
        mine = self._mine
        if not hasattr(mine, "process") or not mine.process.is_alive():
            spawning = multiprocessing.get_context("spawn")
            mine.pipe, theirs = spawning.Pipe()
            mine.process = spawning.Process(target=_serve, args=(theirs, self._scratch), name="cxsim worker")
            mine.process.start()
            theirs.close()
            self._all.append(mine.process)
            if self._over:
                mine.process.terminate()
        return mine.process, mine.pipe


def _work_off(tasks: Sequence[Task], jobs: int, watch: Watch) -> list[Event]:
    """Carry out tasks side by side, each in the first worker that is free."""
    with tempfile.TemporaryDirectory(prefix="cxsim-", ignore_cleanup_errors=True) as scratch:
        workers, threads = _Workers(scratch, watch), ThreadPoolExecutor(jobs)
        try:
            ended = [threads.submit(workers.work_off, task) for task in tasks]
            # In short waits, because a long one goes on after Ctrl-C: polars asks the system for that.
            while wait(ended, timeout=0.1).not_done:
                pass
            return [future.result() for future in ended]
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            workers.end()


def _serve(pipe: Connection, scratch: str) -> None:
    """Carry out tasks until the pipe is closed.

    Takes no Ctrl-C from the terminal, which the parent answers, and ends when the parent does, however it ends.
    """
    if os.name == "posix":
        os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_follow_parent, daemon=True).start()
    tempfile.tempdir = scratch
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(_outcome(pipe.recv(), lambda line: pipe.send(("step", line))))


def _outcome(task: Task, say: Say) -> tuple[str, str]:
    try:
        carry_out(task, say)
    except CxsimError as error:
        return "failed", str(error)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
        return "failed", f"{type(error).__name__}: {error}"
    return "made", ""


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - called by the system
    raise KeyboardInterrupt


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
        os._exit(1)
