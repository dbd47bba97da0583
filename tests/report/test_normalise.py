"""Normalised notebooks hold nothing that differs from run to run."""

from __future__ import annotations

import nbformat

from cxsim.reporting.render import normalised, notebook_text


def _executed(run):
    cell = nbformat.v4.new_code_cell("1", execution_count=1, id=f"random-{run}")
    cell.metadata["execution"] = {"iopub.execute_input": f"2024-01-0{run}"}
    cell.metadata["papermill"] = {"duration": run}
    pieces = ["ab", "c"] if run == 1 else ["a", "bc"]
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=piece) for piece in pieces]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.update(
        kernelspec={"name": f"venv{run}", "display_name": f"venv {run}"},
        language_info={"name": "python", "version": f"3.1{run}"},
        papermill={"start_time": run},
        widgets={"state": run},
    )
    return notebook


def test_two_runs_of_a_notebook_are_stored_as_the_same_text():
    assert notebook_text(normalised(_executed(1))) == notebook_text(normalised(_executed(2)))


def test_cells_are_numbered_and_the_order_of_execution_is_kept():
    cell = normalised(_executed(1)).cells[0]
    assert (cell.id, cell.execution_count, cell.outputs[0].text) == ("c000", 1, "abc")


def test_the_notebook_handed_in_is_not_changed():
    notebook = _executed(1)
    normalised(notebook)
    assert notebook == _executed(1)
