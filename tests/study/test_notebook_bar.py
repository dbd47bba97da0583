"""The bar of a notebook shows how far a study is, and leaves the stored notebook as it was."""

from __future__ import annotations

import nbformat
import pytest

from cxsim.reporting.execute import execute
from cxsim.study.worlds import notebook_bar

WATCHED = """
from IPython.display import DisplayHandle
told = []
DisplayHandle.update = lambda self, bundle, **how: told.append(bundle["text/html"])
from cxsim.study.worlds import notebook_bar
show = notebook_bar("Simulating")
for done in range(1, 201):
    show(done, 200)
print(len(told), told[0], told[-1] == "", sep="|")
"""


def _run(tmp_path, source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    path = tmp_path / "bar.ipynb"
    nbformat.write(notebook, path)
    return execute(path, {}).cells[0].outputs


def test_outside_of_a_kernel_there_is_no_bar():
    assert notebook_bar("Simulating") is None


@pytest.fixture(scope="module")
def follow_up(tmp_path_factory):
    return _run(tmp_path_factory.mktemp("bar"), WATCHED)


def test_in_a_notebook_the_bar_moves_in_fifty_steps_and_goes(follow_up):
    printed = "".join(output.text for output in follow_up if output.output_type == "stream")
    assert printed.strip() == '50|<progress value="4" max="200"></progress> Simulating: 4 of 200|True'


def test_the_bar_begins_as_an_empty_output(follow_up):
    shown = next(output for output in follow_up if output.output_type == "display_data")
    assert shown.data == {"text/html": "", "text/plain": ""}


def test_the_stored_notebook_holds_an_empty_output_after_the_bar_is_gone(tmp_path):
    source = 'from cxsim.study.worlds import notebook_bar\nshow = notebook_bar("x")\n[show(k, 9) for k in range(10)];'
    (output,) = _run(tmp_path, source)
    assert output.data == {"text/html": "", "text/plain": ""}
