"""Tasks in; each carried out in one of several processes that end with this one, and what became of it, out."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Literal, cast

from cxsim.batch.task import Task, carry_out
from cxsim.errors import CxsimError

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
