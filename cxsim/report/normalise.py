"""An executed notebook goes in, the same notebook without anything that differs from run to run comes out."""

from __future__ import annotations

from nbformat import NotebookNode

from cxsim.report.nodes import fresh_copy

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_FROM_THE_RUN = ("execution", "papermill", "widgets")


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without random ids, clock times, versions and the names of kernels."""
    clean = fresh_copy(notebook)
    for index, cell in enumerate(clean.cells):
        cell["id"] = f"c{index:03d}"
        for key in _FROM_THE_RUN:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
    for key in _FROM_THE_RUN:
        clean.metadata.pop(key, None)
    clean.metadata["kernelspec"] = dict(_KERNEL)
    clean.metadata.setdefault("language_info", {"name": "python"}).pop("version", None)
    return clean


def _joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbours, because the kernel cuts a stream where its buffer happens to be flushed."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined
