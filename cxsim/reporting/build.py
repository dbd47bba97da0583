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
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from cxsim.errors import CxsimError, ParamError, ReportError
from cxsim.params import names, root
from cxsim.reporting.business.returns import returns_table
from cxsim.reporting.execute import remove_leftovers
from cxsim.reporting.page import make, staging
from cxsim.reporting.render import Code, manifest_json
from cxsim.reporting.tables import TABLE
from cxsim.reporting.workbook import csv_text, twin_of
from cxsim.study.loading import canonical, case_files, load_case, load_scenario, parsed_changes
from cxsim.study.result import Study
from cxsim.study.run import run
from cxsim.study.scenario import Scenario, Valuation

if TYPE_CHECKING:
    from nbformat import NotebookNode

RETURNS_FILE = "returns.csv"


def write_study(study: Study, page: Path, *, stamp: Mapping[str, str]) -> Path:
    """Write returns.csv and manifest.json where a report of the same name would have them."""
    shown = returns_table(study.returns, study.currency)
    twin = twin_of(cast("NotebookNode", {"data": {TABLE: shown.machine()}}))
    text = "" if twin is None else csv_text(twin)
    digests = {RETURNS_FILE: hashlib.sha256(text.encode()).hexdigest()}
    record = manifest_json({**study.manifest, **stamp, "files": digests}, indent=2) + "\n"
    with staging(page) as staged:
        try:
            _swap(staged, page, {RETURNS_FILE: text, "manifest.json": record})
        except OSError as cause:
            raise ReportError(f"{page.with_suffix('')}: cannot be written ({cause.strerror}).") from cause
    return page.with_suffix("")


def _swap(staged: Path, page: Path, files: Mapping[str, str]) -> None:
    tables, folder = staged / "tables", page.with_suffix("")
    tables.mkdir()
    for name, text in files.items():
        (tables / name).write_text(text, encoding="utf-8", newline="\n")
    if folder.exists():
        folder.rename(staged / "old")
    tables.rename(folder)
    page.unlink(missing_ok=True)


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


State = Literal["made", "skipped", "failed"]
# Seconds that a worker has to end its notebook and to remove what is half-written; the kernel of one that has to be
# killed ends by itself when it misses it, and the parent removes the rest.
_GRACE = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to a task.

    Attributes
    ----------
    task
        Name of the task; empty where it is about all.
    kind
        So many are wanted; or one was begun, is at a step, or was made, skipped or failed.
    words
        The step, or the reason.
    wanted
        How many tasks there are, where that is the event.
    """

    task: str
    kind: Literal["wanted", "begun", "step", "made", "skipped", "failed"]
    words: str = ""
    wanted: int = 0


Watch = Callable[[Event], None]


@dataclass(kw_only=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None


def work_off(tasks: Sequence[Task], *, jobs: int, watch: Watch) -> Generator[tuple[Task, State, str]]:
    """Carry out tasks side by side."""
    waiting, workers = deque(tasks), list[_Worker]()
    with tempfile.TemporaryDirectory(prefix="cxsim-", ignore_cleanup_errors=True) as scratch:
        try:
            while waiting or any(worker.task for worker in workers):
                while waiting and len(_busy(workers)) < min(jobs, len(tasks)):
                    _hand_out(waiting.popleft(), workers, scratch, watch)
                for worker in _heard(workers):
                    ended = _listen(worker, watch)
                    if ended is not None:
                        yield ended
                    if not worker.process.is_alive() and worker.task is None:
                        workers.remove(worker)
        finally:
            _end(workers)


def _busy(workers: list[_Worker]) -> list[_Worker]:
    return [worker for worker in workers if worker.task is not None]


def _heard(workers: list[_Worker]) -> list[_Worker]:
    ready = wait([worker.pipe for worker in _busy(workers)])
    return [worker for worker in workers if worker.pipe in ready]


def _hand_out(task: Task, workers: list[_Worker], scratch: str, watch: Watch) -> None:
    for worker in [worker for worker in workers if worker.task is None]:
        with contextlib.suppress(OSError):
            worker.pipe.send(task)
            worker.task = task
            break
        workers.remove(worker)
    else:
        workers.append(_started(task, scratch))
    watch(Event(task=task.name, kind="begun"))


def _started(task: Task, scratch: str) -> _Worker:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs, scratch), name="cxsim worker")
    process.start()
    theirs.close()
    worker = _Worker(process=process, pipe=ours, task=task)
    with contextlib.suppress(OSError):  # it died at once, which is heard when it is listened to
        ours.send(task)
    return worker


def _listen(worker: _Worker, watch: Watch) -> tuple[Task, State, str] | None:
    task = cast("Task", worker.task)
    try:
        kind, words = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(_GRACE)
        kind, words = "failed", f"its process ended with code {worker.process.exitcode} before it was done."
    watch(Event(task=task.name, kind=kind, words=words))
    if kind == "step":
        return None
    worker.task = None
    return task, kind, words


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        # Who waits for work sees that the pipe is closed; who works must be told.
        if worker.task is not None:
            worker.process.terminate()
    until = time.monotonic() + _GRACE
    for worker in workers:
        worker.process.join(max(until - time.monotonic(), 0.0))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(pipe: Connection, scratch: str) -> None:
    """Carry out tasks until the pipe is closed."""
    _stand_alone()
    tempfile.tempdir = str(Path(scratch))
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            task = pipe.recv()
            kind, words = _outcome(task, lambda line: pipe.send(("step", line)))
            pipe.send((kind, words))


def _outcome(task: Task, say: Callable[[str], None]) -> tuple[State, str]:
    try:
        carry_out(task, say)
    except CxsimError as error:
        return "failed", str(error)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other tasks go on
        return "failed", f"{type(error).__name__}: {error}"
    return "made", ""


def _stand_alone() -> None:
    """Take no Ctrl-C from the terminal, which the parent answers, and end when the parent does, however it ends."""
    if os.name == "posix":
        os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - called by the system
    raise KeyboardInterrupt


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
        os._exit(1)


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


_PACKAGE = Path(__file__).resolve().parent.parent
_REQUIRED = re.compile(r"[A-Za-z0-9._-]+")


def report_inputs(case: Scenario | Valuation, given: str, *, notebook: Path, code: Code) -> str:
    """Return the hash of everything that a report depends on.

    The commit of the project is not part of it: whether a report is still right depends on files, not on their history.
    """
    return _hash({**_of_case(case, given), "kind": "report", "notebook": _file_hash(notebook), "code": code})


def study_inputs(case: Scenario, given: str) -> str:
    """Return the hash of everything that the returns of a scenario depend on; arguments as in `report_inputs`."""
    return _hash({**_of_case(case, given), "kind": "study"})


def _of_case(case: Scenario | Valuation, given: str) -> dict[str, object]:
    return {
        "case": json.dumps(dataclasses.asdict(case), sort_keys=True, default=str),
        # A file's bytes too: the audit trail of a report names their hashes.
        "params": {f"{path.parent.name}/{path.name}": _file_hash(path) for path in case_files(given)},
        # The bundled orders are files of the package.
        "orders": _file_hash(root() / case.orders),
        "package": _package_hash(),
        "versions": _versions(),
    }


def _hash(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _file_hash(path: Path) -> str | None:
    """Return the hash of a file; None where there is none, which whoever reads it will tell."""
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
    files = {path.relative_to(_PACKAGE).as_posix(): _file_hash(path) for path in sorted(_own(_PACKAGE.rglob("*")))}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _own(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"]


@functools.cache
def _versions() -> dict[str, str]:
    """Return the version of Python, and of every package that cxsim asks for itself."""
    asked = [entry for entry in importlib.metadata.requires("cxsim") or [] if "extra ==" not in entry]
    names = sorted({found[0] for entry in asked if (found := _REQUIRED.match(entry))})
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in names}


INDEX = "index.html"


def write_text(path: Path, text: str) -> None:
    """Write a text under another name first, so that nobody ever reads half of it."""
    half = path.with_name(f".{path.name}.half-written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as cause:
        raise ReportError(f"{path}: cannot be written ({cause.strerror}).") from cause
    finally:
        if half.parent.is_dir():
            half.unlink(missing_ok=True)


COMPARISON = "02-compare-strategies.ipynb"
CUSTOMER_VALUE = "03-customer-value.ipynb"
BREAK_EVEN = "06-how-large-must-it-be.ipynb"

# File systems allow 255 bytes for a name; what is put before and after it is shorter than the rest.
_LONGEST = 140
_SAFE = re.compile(r"[^A-Za-z0-9._=,+-]")


def every_case() -> tuple[str, ...]:
    """Return the names of all scenarios and valuations under params/: scenarios first, each kind sorted."""
    return (*names("scenarios"), *names("valuations"))


def report_task(given: str, *, changes: str = "", out: Path | None = None, code: Code = "hidden") -> Task:
    """Return the task of making a report."""
    case, written = load_case(given, changes), canonical(changes)
    place = str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given
    folder = root() / "reports" if out is None else out
    page = folder if folder.suffix == ".html" else folder / page_name(case.name, written)
    if page.name == INDEX and page != out:
        raise ParamError(f"'{case.name}' would be written over the index of all reports; name the file otherwise.")
    notebook = root() / "notebooks" / notebook_of(case)
    parameters = {"scenario" if isinstance(case, Scenario) else "valuation": place}
    return Task(
        name=page.stem if out is None or out.suffix != ".html" else case.name,
        page=page.absolute(),
        inputs=report_inputs(case, given, notebook=notebook, code=code),
        work=ReportWork(
            notebook=notebook,
            # Notebooks without changes need not know the parameter.
            parameters=parameters | ({"changes": written} if written else {}),
            title=case.title,
            code=code,
        ),
    )


def page_name(case: str, changes: str) -> str:
    """Return the name of a report's file, which tells what was changed."""
    parts = [case, *(f"{key}={value}" for key, value in parsed_changes(changes).items())]
    stem = _SAFE.sub("_", ",".join(part for part in parts if part))
    if len(stem) > _LONGEST:
        stem = f"{stem[:_LONGEST]},{_short_hash(stem)}"
    return f"{stem}.html"


def notebook_of(case: Scenario | Valuation) -> str:
    """Return the notebook of a valuation, of a scenario with returns, or of one that only searches."""
    if not isinstance(case, Scenario):
        return CUSTOMER_VALUE
    return COMPARISON if case.with_prior else BREAK_EVEN


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
