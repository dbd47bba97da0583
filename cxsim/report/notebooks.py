"""Paths of notebooks go in, the same notebooks freshly executed and normalised come out, in place.

Run as `python -m cxsim.report.notebooks PATH...`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from cxsim.errors import ReportError
from cxsim.report.execute import execute
from cxsim.report.nodes import notebook_text
from cxsim.report.normalise import normalised

# nbval's own tag for such cells.
_NOT_COMPARED = "nbval-ignore-output"


def refresh(notebook: Path) -> None:
    """Execute a notebook with its default parameters and store it without anything that differs from run to run."""
    text = notebook_text(_comparable(normalised(execute(notebook, {}))))
    beside = notebook.with_name(f".{notebook.name}.new")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(notebook)
    except OSError as error:
        raise ReportError(f"{notebook}: the notebook cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)


def _comparable(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without outputs that no run is compared with, such as versions and commits."""
    for cell in notebook.cells:
        if _NOT_COMPARED in cell.metadata.get("tags", []):
            cell.outputs = []
    return notebook


def main(paths: Sequence[str]) -> int:
    """Refresh notebooks one after the other; return 1 if any failed, 2 if none was named."""
    if not paths:
        sys.stderr.write("usage: python -m cxsim.report.notebooks PATH...\n")
        return 2
    failed = 0
    for path in paths:
        begun = time.perf_counter()
        try:
            refresh(Path(path))
        except ReportError as error:
            sys.stderr.write(f"{error}\n")
            failed = 1
        else:
            sys.stdout.write(f"{path}  {time.perf_counter() - begun:.1f} s\n")
            sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
