"""A notebook and its parameters go in, the executed notebook comes out; a failing cell becomes one plain sentence."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import logging
import os
import re
import shutil
import site
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillException, PapermillExecutionError
from traitlets import Any as AnyTrait, Unicode
from traitlets.config import Config

from cxsim.errors import ReportError, choices, naming
from cxsim.library import library, root
from cxsim.params import written_whole
from cxsim.reporting.render import fresh_copy, normalised, notebook_text, read_notebook
from cxsim.reporting.tables import ROWS

Parameter = str | bool | int | float
Parameters = Mapping[str, Parameter]
Say = Callable[[str], None]
# Whether outputs carry all rows of a table or the first ones alone, as a stored notebook does.
Rows = Literal["all", "first"]

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero; "-5" is appended to the name.
_LONGEST_SOCKET_PATH = 100
_ENGINE = "cxsim"
_NOT_COMPARED = "nbval-ignore-output"  # nbval's own tag
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_STAGING = re.compile(r"\..+-(?P<process>\d+)-[a-z0-9_]{8}", re.ASCII)
_STAGED = frozenset({"page.html", "tables", "old"})
_LAUNCH = (
    "from cxsim.cli.commands import leave_out; leave_out(); "
    "from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)
# Without a handler of its own, logging would print papermill's remarks to the terminal.
logging.getLogger("papermill").addHandler(logging.NullHandler())


def execute(
    notebook: Path,
    parameters: Parameters,
    *,
    rows: Rows = "all",
    progress: Say | None = None,
) -> NotebookNode:
    """Execute a notebook by this interpreter."""
    source = read_notebook(notebook)
    _require_known(notebook, source, parameters)
    report, numbers = progress or (lambda _: None), _numbers(source)
    at = "start-up"

    def starts(cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG001 - nbclient names its arguments
        nonlocal at
        if cell.cell_type == "code":
            at = numbers.get(cell.id, "the parameters cell")
            if cell.id in numbers:
                report(at)

    def follow(line: str) -> None:
        report(f"{at}, {line[:1].lower()}{line[1:]}")

    try:
        return _run(source, parameters, _folder(notebook), rows, {"on_cell_start": starts, "follow": follow})
    except PapermillExecutionError as error:
        raise ReportError(f"{notebook.name}: {at} failed with {error.ename}: {_plain(str(error.evalue))}") from error
    except nbformat.ValidationError as error:
        raise ReportError(
            f"{notebook.name}: {at} produced an output that is not plain JSON of a known kind."
        ) from error
    except (DeadKernelError, PapermillException, RuntimeError) as error:
        raise ReportError(f"{notebook.name}: the notebook's process ended in {at}: {_plain(str(error))}") from error
    finally:
        _end_tasks()


def _folder(notebook: Path) -> Path:
    """Return where a notebook runs: in its own folder, but one of the library in that of the project."""
    project, folder = root().resolve(), notebook.resolve().parent
    return project if folder.is_relative_to(library()) and not folder.is_relative_to(project) else folder


def refresh(notebook: Path) -> None:
    """Execute a notebook with its default parameters and store it without anything that differs from run to run."""
    executed = normalised(execute(notebook, {}, rows="first"))
    for cell in executed.cells:
        if _NOT_COMPARED in cell.metadata.get("tags", []):
            cell.outputs = []
    write_text(notebook, notebook_text(executed))


def write_text(path: Path, text: str) -> None:
    """Write a text into a file, whole or not at all."""
    with naming(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as half:
            half.write_text(text, encoding="utf-8", newline="\n")


def staging_prefix(name: str) -> str:
    """Return how the folder begins in which this process prepares a report; `remove_leftovers` knows it by that."""
    return f".{name}-{os.getpid()}-"


def remove_leftovers(folder: Path) -> None:
    """Remove the folders in which processes that have ended prepared reports."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        found = _STAGING.fullmatch(path.name)
        if found is None or path.is_symlink() or not path.is_dir() or _lives(int(found["process"])):
            continue
        if {inside.name for inside in path.iterdir()} <= _STAGED:
            shutil.rmtree(path, ignore_errors=True)


class OwnKernel(AsyncKernelManager):
    """Start this very interpreter as the kernel, whatever kernels a user has installed."""

    rows = Unicode("all").tag(config=True)

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the command and the environment of the kernel."""
        return KernelSpec(
            argv=[sys.executable, "-Xfrozen_modules=off", "-c", _LAUNCH, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env={
                # No start-up files and no history of the user: they would be an input that the audit trail misses.
                "IPYTHONDIR": str(Path(self.connection_file).parent / "ipython"),
                "PYTHONPATH": _search_path(),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                "TQDM_DISABLE": "1",
                ROWS: str(self.rows),
            },
        )

    async def start_kernel(self, *, extra_arguments: list[str], cwd: str) -> None:  # type: ignore[override]  # as called
        """Start the kernel; what its process says about itself goes to a file, not to the terminal."""
        with Path(self.connection_file).with_suffix(".log").open("wb") as log:
            await super().start_kernel(stdout=log, stderr=log, extra_arguments=extra_arguments, cwd=cwd)


def kernel_settings(folder: Path, rows: Rows = "all") -> Config:
    """Return the settings under which `OwnKernel` keeps its sockets in a folder."""
    sockets = folder / "kernel-ipc-5"
    fits = len(os.fsencode(sockets)) <= _LONGEST_SOCKET_PATH
    transport = "ipc" if os.name == "posix" and fits else "tcp"
    return Config({"OwnKernel": {"connection_file": str(folder / "kernel.json"), "transport": transport, "rows": rows}})


def _search_path() -> str:
    """Let the kernel import this very cxsim when it runs from a checkout that is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    given = os.environ.get("PYTHONPATH")
    # In front of the standard library, a folder of installed packages could hide parts of it.
    installed = root in {*site.getsitepackages(), site.getusersitepackages()}
    return os.pathsep.join(part for part in ("" if installed else root, given) if part)


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill carries no types
    """papermill's client, which also passes on what bars show while a cell runs."""

    follow = AnyTrait()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Pass a message on; a bar's new text first."""
        if msg["msg_type"] == "update_display_data":
            data = msg["content"].get("data", {})
            if str(data.get("text/html", "")).startswith("<progress "):
                self.follow(str(data.get("text/plain", "")))
        output: NotebookNode | None = super().process_message(msg, cell, cell_index)
        return output


class _Engine(NBClientEngine):  # type: ignore[misc]  # papermill carries no types
    """papermill's engine with this client."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
        """Execute with the settings that a client knows."""
        known = {name: value for name, value in settings.items() if name in _Client.class_trait_names()}
        started = settings.get("start_timeout", 60)
        return _Client(nb_man, kernel_name=kernel_name, startup_timeout=started, **known).execute()


def _run(
    source: NotebookNode, parameters: Parameters, cwd: Path, rows: Rows, settings: Mapping[str, object]
) -> NotebookNode:
    papermill_engines.register(_ENGINE, _Engine)
    with tempfile.TemporaryDirectory(prefix="cxsim-", ignore_cleanup_errors=True) as folder:
        executed: NotebookNode = papermill.execute_notebook(
            fresh_copy(source),
            None,
            parameters=dict(parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=120,
            engine_name=_ENGINE,
            kernel_manager_class=OwnKernel,
            config=kernel_settings(Path(folder), rows),
            shutdown_kernel="immediate",  # all outputs are in; its threads would take seconds to end
            resources={"metadata": {"path": str(cwd)}},
            **settings,
        )
    return executed


def _end_tasks() -> None:
    """End what nbclient leaves in its event loop after a failure; it would complain during the next execution."""
    loop = ensure_event_loop()
    tasks = set() if loop.is_running() else asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _defaults(notebook: NotebookNode) -> dict[str, object]:
    """Return the names in the cell tagged `parameters`, with their literal defaults."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell.source for cell in code if "parameters" in cell.metadata.get("tags", [])]
    found: dict[str, object] = {}
    for node in ast.parse("\n".join(tagged)).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            found[name] = None
            with contextlib.suppress(ValueError):
                found[name] = ast.literal_eval(node.value)
    return found


def _require_known(path: Path, notebook: NotebookNode, parameters: Parameters) -> None:
    known = _defaults(notebook)
    for name, value in parameters.items():
        if name not in known:
            raise ReportError(f"{path.name}: the notebook has no parameter '{name}'; {choices(name, sorted(known))}")
        expected, actual = type(known[name]), type(value)
        if known[name] is not None and actual is not expected and (expected, actual) != (float, int):
            raise ReportError(
                f"{path.name}: parameter '{name}' is {value!r}, of type {actual.__name__}; "
                f"its default {known[name]!r} is of type {expected.__name__}."
            )


def _numbers(notebook: NotebookNode) -> dict[str, str]:
    """Return the position of each code cell, by its id, as a reader counts them in JupyterLab."""
    code = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    return {name: f"cell {number} of {len(code)}" for number, name in enumerate(code, start=1)}


def _plain(message: str) -> str:
    return _ANSI.sub("", message).strip() or "no message."


def _lives(process: int) -> bool:
    if os.name != "posix":
        return True  # elsewhere, asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, PermissionError):
        return True
    return True


def main(paths: Sequence[str]) -> int:
    """Refresh notebooks one after the other; return 1 if any failed, 2 if none was named."""
    if not paths:
        sys.stderr.write("usage: python -m cxsim.reporting.execute PATH...\n")
        return 2
    failed = 0
    for path in paths:
        begun = time.perf_counter()
        try:
            refresh(Path(path))
            print(f"{path}  {time.perf_counter() - begun:.1f} s", flush=True)  # noqa: T201 - what the command tells
        except ReportError as error:
            sys.stderr.write(f"{error}\n")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
