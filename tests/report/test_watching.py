"""What a bar of progress says in a running cell is told while it runs, and leaves no trace."""

from __future__ import annotations

import nbformat

from cxsim.reporting.execute import execute

SOURCE = """
from cxsim.study.worlds import notebook_bar
show = notebook_bar("Simulating")
for done in range(1, 4):
    show(done, 3)
print("done")
"""


def _execute(tmp_path, progress):
    path = tmp_path / "watched.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)]), path)
    return execute(path, {}, progress=progress)


def test_a_bar_is_alt_text_line_by_line(tmp_path):
    lines = []
    _execute(tmp_path, lines.append)
    assert lines == ["cell 1 of 1", "cell 1 of 1, simulating: 1 of 3", "cell 1 of 1, simulating: 2 of 3"]


def test_watching_changes_no_output(tmp_path):
    follow_up = _execute(tmp_path, lambda _: None).cells[0].outputs
    unwatched = _execute(tmp_path, None).cells[0].outputs
    assert follow_up == unwatched
    assert [output.output_type for output in follow_up] == ["display_data", "stream"]
