"""A notebook and its parameters go in, the executed notebook comes out; a failing cell becomes one plain sentence."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillException, PapermillExecutionError

from cxsim.errors import ReportError, choices
from cxsim.report.kernel import OwnKernel, kernel_settings
from cxsim.report.nodes import fresh_copy, read_notebook
from cxsim.report.watching import watch

Parameter = str | int | float

_INJECTED = "injected-parameters"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Without a handler of its own, logging would print papermill's remarks to the terminal.
logging.getLogger("papermill").addHandler(logging.NullHandler())


def execute(
    notebook: Path, parameters: Mapping[str, Parameter], *, progress: Callable[[str], None] | None = None
) -> NotebookNode:
    """Execute a notebook in its own folder, by this interpreter."""
    source = read_notebook(notebook)
    _require_known(notebook, source, parameters)
    at: list[str] = []

    def say(line: str) -> None:
        if progress is not None:
            progress(f"{at[-1]}, {line[:1].lower()}{line[1:]}")

    def starts(cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG001 - nbclient names its arguments
        if cell.cell_type == "code" and _INJECTED not in cell.metadata.get("tags", []):
            at.append(_number(source, cell.id))
            if progress is not None:
                progress(at[-1])

    try:
        settings = {"on_cell_start": starts, **watch(say)}
        return _run(fresh_copy(source), parameters, notebook.resolve().parent, settings)
    except PapermillExecutionError as error:
        raise ReportError(f"{notebook.name}: {_failure(source, error)}") from error
    except nbformat.ValidationError as error:
        raise ReportError(
            f"{notebook.name}: {at[-1]} shows an output that is not plain JSON of a known kind."
        ) from error
    except (DeadKernelError, PapermillException, RuntimeError) as error:
        where = f"in {at[-1]}" if at else "before its first cell"
        raise ReportError(f"{notebook.name}: the notebook's process ended {where}: {_plain(str(error))}") from error
    finally:
        _end_tasks()


def defaults(notebook: NotebookNode) -> dict[str, object]:
    """Return the names in the cell tagged `parameters`, with their literal defaults."""
    found: dict[str, object] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            for node in ast.parse(cell.source).body:
                found.update(_assigned(node))
    return found


def _run(
    notebook: NotebookNode, parameters: Mapping[str, Parameter], cwd: Path, settings: Mapping[str, object]
) -> NotebookNode:
    with tempfile.TemporaryDirectory(prefix="cxsim-", ignore_cleanup_errors=True) as folder:
        executed: NotebookNode = papermill.execute_notebook(
            notebook,
            None,
            parameters=dict(parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=120,
            kernel_manager_class=OwnKernel,
            config=kernel_settings(Path(folder)),
            shutdown_kernel="immediate",  # all outputs are in; its threads would take seconds to say good-bye
            resources={"metadata": {"path": str(cwd)}},
            **settings,
        )
    return executed


def _end_tasks() -> None:
    """End what nbclient leaves in its event loop after a failure; it would complain during the next execution."""
    loop = ensure_event_loop()
    if not loop.is_running():
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(_settled(tasks))


async def _settled(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _assigned(node: ast.stmt) -> dict[str, object]:
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return {}
    try:
        literal = ast.literal_eval(value)
    except ValueError:
        literal = None
    return {target.id: literal for target in targets if isinstance(target, ast.Name)}


def _require_known(path: Path, notebook: NotebookNode, parameters: Mapping[str, Parameter]) -> None:
    known = defaults(notebook)
    for name, value in parameters.items():
        if name not in known:
            raise ReportError(f"{path.name}: the notebook has no parameter '{name}'; {choices(name, sorted(known))}")
        if not _same_kind(known[name], value):
            expected, actual = type(known[name]).__name__, type(value).__name__
            raise ReportError(
                f"{path.name}: parameter '{name}' is {value!r}, of type {actual}; "
                f"its default {known[name]!r} is of type {expected}."
            )


def _same_kind(default: object, value: Parameter) -> bool:
    if default is None:
        return True
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(default) is type(value)


def _number(notebook: NotebookNode, cell_id: str) -> str:
    """Return the position among the code cells, as a reader counts them in JupyterLab."""
    code = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    return f"cell {code.index(cell_id) + 1} of {len(code)}"


def _failure(source: NotebookNode, error: PapermillExecutionError) -> str:
    ids = [cell.id for cell in source.cells if cell.source == error.source and cell.cell_type == "code"]
    where = _number(source, ids[0]) if ids else "the cell of parameters"
    return f"{where} failed with {error.ename}: {_plain(str(error.evalue))}"


def _plain(message: str) -> str:
    return _ANSI.sub("", message).strip() or "no message."
