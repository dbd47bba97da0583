"""Notebooks in; those that hold logic, several questions, stale outputs or a path of one machine out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CODE_CELLS = 8
LINES_IN_A_CELL = 6
LOGIC = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Lambda,
)
# A quoted path from the root or from a drive, or a folder that only one machine has, in a source or an output.
ABSOLUTE = re.compile(
    r"""["'](?:/\w|[A-Za-z]:\\)|(?<![\w.])/(?:home|root|Users|tmp|mnt|opt|srv)/\w""",
)


def problems(root: Path) -> list[str]:
    """Return what is wrong with the notebooks as they are stored."""
    return [
        f"{path.relative_to(root).as_posix()}: {fault}"
        for path in sorted((root / "notebooks").glob("*.ipynb"))
        for fault in _faults(json.loads(path.read_text(encoding="utf-8")))
    ]


# A notebook is JSON, so this is the one place where a dict of anything is what it is.
def _faults(notebook: dict[str, Any]) -> Iterator[str]:
    cells = notebook["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    yield from _title_faults(cells)
    yield from _parameter_faults(code)
    if len(code) > CODE_CELLS:
        yield f"{len(code)} code cells; at most {CODE_CELLS}."
    counts = [cell.get("execution_count") for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"executed in the order {counts}; run it from top to bottom (make notebooks)."
    for place, cell in enumerate(code, start=1):
        for fault in _cell_faults(cell):
            yield f"code cell {place}: {fault}"


def _title_faults(cells: list[dict[str, Any]]) -> Iterator[str]:
    prose = [_text(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    titles = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    if len(titles) != 1:
        yield f"{len(titles)} titles; one question, one title."
    if not (cells and cells[0]["cell_type"] == "markdown" and _text(cells[0]["source"]).startswith("# ")):
        yield "the first cell is not the title."


def _parameter_faults(code: list[dict[str, Any]]) -> Iterator[str]:
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        yield f"{len(tagged)} cells tagged `parameters`; one holds all of them."
    for cell in tagged:
        for node in ast.parse(_text(cell["source"])).body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if value is None or not _is_literal(value):
                yield f"the parameters cell computes: {ast.unparse(node)}"


def _cell_faults(cell: dict[str, Any]) -> Iterator[str]:
    source = _text(cell["source"])
    lines = len(source.strip().splitlines())
    if lines > LINES_IN_A_CELL:
        yield f"{lines} lines; at most {LINES_IN_A_CELL}."
    if any(isinstance(node, LOGIC) for node in ast.walk(ast.parse(source))):
        yield "holds a function, a class or a loop; it belongs into cxsim."
    for output in cell["outputs"]:
        if output["output_type"] == "error" or output.get("name") == "stderr":
            yield "its stored output is an error or a warning."
    path = ABSOLUTE.search(source) or ABSOLUTE.search(_outputs(cell))
    if path:
        yield f"names a path of one machine: {path.group()}"


def _outputs(cell: dict[str, Any]) -> str:
    """Return what a reader sees of the outputs as text; bundles of data are not read as prose."""
    shown = []
    for output in cell["outputs"]:
        shown.append(_text(output.get("text", "")))
        shown += [_text(value) for kind, value in output.get("data", {}).items() if kind == "text/plain"]
    return "\n".join(shown)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)
