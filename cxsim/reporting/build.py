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
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Literal, cast

from cxsim.errors import CxsimError, ParamError, ReportError
from cxsim.params import names, root
from cxsim.reporting.execute import remove_leftovers
from cxsim.reporting.page import make, publish, staging
from cxsim.reporting.render import Code, manifest_json
from cxsim.reporting.tables import machine_readable
from cxsim.reporting.workbook import csv_text, twin_from
from cxsim.study.loading import canonical, case_files, load_case, load_scenario, parsed_changes
from cxsim.study.result import Study
from cxsim.study.run import run
from cxsim.study.scenario import Scenario, Valuation

State = Literal["made", "skipped", "failed"]
Again = Literal["changed", "all"]
Say = Callable[[str], None]

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportWork:
    """A notebook to be made into a page, with values for its parameters."""

    notebook: Path
    parameters: Mapping[str, str]
    title: str
    code: Code = "hidden"


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyWork:
    """A scenario, by name or path, to be simulated, of which only the returns are kept; `changes` are set by hand."""

    scenario: str
    changes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to a task, or to all."""

    task: str  # its name; empty where it is about all
    kind: Literal["wanted", "begun", "step", "made", "skipped", "failed"]
    words: str = ""  # the step, or the reason
    wanted: int = 0  # how many tasks there are, where that is the event


Watch = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a task: it was made; skipped, because nothing has changed; or it failed, with the reason."""

    task: str  # its name; empty where it is about all
    state: State
    reason: str = ""


def make_all(
    tasks: Sequence[Task], *, jobs: int | None = None, again: Again = "changed", watch: Watch | None = None
) -> tuple[Outcome, ...]:
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
    folders = sorted({task.page.parent for task in tasks})
    for folder in folders:
        remove_leftovers(folder)
    report(Event(task="", kind="wanted", wanted=len(tasks)))
    found = {
        task.name: Outcome(task=task.name, state="skipped") for task in tasks if again == "changed" and is_current(task)
    }
    for name in found:
        report(Event(task=name, kind="skipped"))
    wanted = [task for task in tasks if task.name not in found]
    try:
        with contextlib.closing(_work_off(wanted, jobs=at_once, watch=report)) as ended:
            for task, state, reason in ended:
                found[task.name] = Outcome(task=task.name, state=state, reason=reason)
    finally:
        # What a worker that had to be killed has left.
        for folder in folders:
            remove_leftovers(folder)
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
    say("reading the orders and fitting")
    scenario = load_scenario(work.scenario, work.changes)
    study = run(scenario, progress=lambda done, total: say(f"simulated {done:,} of {total:,}"))
    write_study(study, task.page, stamp=stamp)


def write_study(study: Study, page: Path, *, stamp: Mapping[str, str]) -> None:
    """Write returns.csv and manifest.json where a report of the same name would have them."""
    text = csv_text(twin_from(machine_readable("returns", "Returns", study.returns)))
    digests = {RETURNS_FILE: hashlib.sha256(text.encode()).hexdigest()}
    record = manifest_json({**study.manifest, **stamp, "files": digests}, indent=2) + "\n"
    with staging(page) as folder:
        publish(folder, page, page=None, files={RETURNS_FILE: text, "manifest.json": record})


def every_case() -> tuple[str, ...]:
    """Return the names of all scenarios and valuations under params/: scenarios first, each kind sorted."""
    return (*names("scenarios"), *names("valuations"))


def report_task(given: str, *, changes: str = "", out: Path | None = None, code: Code = "hidden") -> Task:
    """Return the task of making a report."""
    case, written = load_case(given, changes), canonical(changes)
    folder = root() / "reports" if out is None else out
    one_file = folder.suffix == ".html"
    page = folder if one_file else folder / page_name(case.name, written)
    if page.name == INDEX and page != out:
        raise ParamError(f"'{case.name}' would be written over the index of all reports; name the file otherwise.")
    notebook = root() / "notebooks" / notebook_of(case)
    parameters = {"scenario" if isinstance(case, Scenario) else "valuation": place_of(given)}
    return Task(
        name=case.name if one_file else page.stem,
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


def place_of(given: str) -> str:
    """Return a scenario's name or path as a notebook finds it, which runs in a folder of its own."""
    return str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given


def page_name(case: str, changes: str) -> str:
    """Return the name of a report's file, in which the changes can be read."""
    parts = [case, *(f"{key}={value}" for key, value in parsed_changes(changes).items())]
    stem = _UNSAFE.sub("_", ",".join(part for part in parts if part))
    if len(stem) > _LONGEST:
        stem = f"{stem[:_LONGEST]},{hashlib.sha256(stem.encode()).hexdigest()[:10]}"
    return f"{stem}.html"


def notebook_of(case: Scenario | Valuation) -> str:
    """Return the notebook of a valuation, of a scenario with returns, or of one that only searches."""
    if not isinstance(case, Scenario):
        return CUSTOMER_VALUE
    return COMPARISON if case.with_prior else BREAK_EVEN


def report_inputs(case: Scenario | Valuation, given: str, *, notebook: Path, code: Code) -> str:
    """Return the hash of everything that a report depends on.

    The commit of the project is not part of it: whether a report is still right depends on files, not on their history.
    """
    return _hash({**_of_case(case, given), "kind": "report", "notebook": _file_hash(notebook), "code": code})


def study_inputs(case: Scenario, given: str) -> str:
    """Return the hash of everything that the returns of a scenario depend on; arguments as in `report_inputs`."""
    return _hash({**_of_case(case, given), "kind": "study"})


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


def _refuse_collisions(tasks: Sequence[Task]) -> None:
    named, pages = [task.name for task in tasks], [task.page for task in tasks]
    for task in tasks:
        if named.count(task.name) > 1 or pages.count(task.page) > 1:
            raise ReportError(f"{task.name}: two reports would be written to {task.page}; name it once.")


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


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


@dataclass(kw_only=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None  # its name; empty where it is about all


def _work_off(tasks: Sequence[Task], *, jobs: int, watch: Watch) -> Generator[tuple[Task, State, str]]:
    """Carry out tasks side by side, each in the first worker that is free."""
    waiting, workers = deque(tasks), list[_Worker]()
    with tempfile.TemporaryDirectory(prefix="cxsim-", ignore_cleanup_errors=True) as scratch:
        try:
            while True:
                busy = [worker for worker in workers if worker.task]
                if waiting and len(busy) < min(jobs, len(tasks)):
                    _hand_out(waiting.popleft(), workers, scratch, watch)
                    continue
                if not busy:
                    return
                ready = wait([worker.pipe for worker in busy])
                for worker in [worker for worker in busy if worker.pipe in ready]:
                    ended = _listen(worker, watch)
                    if ended is not None:
                        yield ended
                    if not worker.process.is_alive() and worker.task is None:
                        workers.remove(worker)
        finally:
            _end(workers)


def _hand_out(task: Task, workers: list[_Worker], scratch: str, watch: Watch) -> None:
    for worker in [worker for worker in workers if worker.task is None]:
        with contextlib.suppress(OSError):
            worker.pipe.send(task)
            worker.task = task
            break
        workers.remove(worker)
    else:
        spawning = multiprocessing.get_context("spawn")
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_serve, args=(theirs, scratch), name="cxsim worker")
        process.start()
        theirs.close()
        workers.append(_Worker(process=process, pipe=ours, task=task))
        with contextlib.suppress(OSError):  # it died at once, which is noticed when its pipe is read
            ours.send(task)
    watch(Event(task=task.name, kind="begun"))


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
        # Who waits for work sees that the pipe is closed; who works must be stopped.
        if worker.task is not None:
            worker.process.terminate()
    until = time.monotonic() + _GRACE
    for worker in workers:
        worker.process.join(max(until - time.monotonic(), 0.0))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


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


def _outcome(task: Task, say: Say) -> tuple[State, str]:
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
