"""Notebooks run in their folder, by this interpreter, with checked parameters; failures are one plain sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cxsim.errors import ReportError
from cxsim.reporting.execute import execute, kernel_settings, main
from tests.reporting.conftest import BARS, RETURNS, SETUP, write_notebook


def _printed(notebook):
    return "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []))


def test_the_kernel_is_this_interpreter_in_the_notebooks_folder_whatever_the_user_installed(
    tmp_path, monkeypatch, capfd
):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = write_notebook(
        tmp_path / "where.ipynb", "import os, sys\nprint(sys.executable, os.getcwd(), scenario, years)"
    )
    executed = execute(path, {"scenario": "a {brace}", "years": 5})
    assert _printed(executed) == f"{sys.executable} {tmp_path} a {{brace}} 5\n"
    assert capfd.readouterr() == ("", "")


def test_an_unknown_parameter_is_refused_with_the_known_ones(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb")
    with pytest.raises(
        ReportError, match=r"no parameter 'scenari'; did you mean 'scenario'\? Possible: scenario, years"
    ):
        execute(path, {"scenari": "x"})


@pytest.mark.parametrize("value", ["5", 5.0, True])
def test_a_parameter_of_another_kind_than_its_default_is_refused(tmp_path, value):
    with pytest.raises(ReportError, match=f"'years' is {value!r}, of type {type(value).__name__}; its default 3"):
        execute(write_notebook(tmp_path / "n.ipynb"), {"years": value})


def test_a_failing_cell_is_named_by_number_and_message_without_a_traceback(tmp_path):
    fails = "from cxsim.errors import ParamError\nraise ParamError(\"no lever 'x'; possible: y.\")"
    path = write_notebook(tmp_path / "n.ipynb", "## Prose", "print(1)", fails)
    with pytest.raises(ReportError) as caught:
        execute(path, {"years": 4})
    assert str(caught.value) == "n.ipynb: cell 3 of 3 failed with ParamError: no lever 'x'; possible: y."


def test_a_kernel_that_dies_is_reported(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", "import os\nos._exit(3)")
    with pytest.raises(ReportError, match="process ended in cell 2 of 2"):
        execute(path, {})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "said"), [(None, "there is no such"), ("[1", "not a Jupyter"), ("{}", "not a Jupyter")]
)
def test_a_file_that_is_not_a_notebook_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "n.ipynb").write_text(text)
    with pytest.raises(ReportError, match=said):
        execute(tmp_path / "n.ipynb", {})


@pytest.mark.skipif(os.name != "posix", reason="Windows has no Unix sockets.")
def test_a_folder_too_deep_for_a_socket_falls_back_to_tcp(tmp_path):
    short, deep = kernel_settings(tmp_path.parent.parent), kernel_settings(tmp_path / ("d" * 100))
    assert (short.OwnKernel.transport, deep.OwnKernel.transport) == ("ipc", "tcp")


SANITIZE = Path(__file__).parents[1] / "nbval_sanitize.cfg"
LONG = """
import polars as pl
from cxsim.reporting.tables import Table, laid_out
table = pl.DataFrame({"a": range(30)})
Table(id="long", title="Long", layout=laid_out(table, title="L", subtitle="S", heads={"a": "A"}), twin=table)
"""


def test_a_refreshed_notebook_passes_nbval_in_full_and_a_second_refresh_changes_nothing(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", SETUP, "## Cash", BARS, RETURNS, LONG, "print(years)\nyears")
    assert main([str(path)]) == 0
    stored = path.read_bytes()
    said = capfd.readouterr()
    assert said.out.startswith(f"{path}  ")
    assert said.err == ""
    assert [cell.get("execution_count") for cell in nbformat.read(path, 4).cells] == [None, 1, 2, None, 3, 4, 5, 6]
    # A chart and a table take one line each, and of a long table the first rows are stored.
    assert sum(line.startswith(b'      "application/vnd') and line.count(b"{") > 0 for line in stored.splitlines()) == 3
    assert b'"rows_in_all":30' in stored
    assert main([str(path)]) == 0
    assert path.read_bytes() == stored
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(SANITIZE), "-q", "-p", "no:cacheprovider"]
    nbval = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "6 passed" in nbval.stdout


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", "1 / 0")
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert capfd.readouterr().err == "n.ipynb: cell 2 of 2 failed with ZeroDivisionError: division by zero\n"
    assert [(found, found.read_bytes()) for found in tmp_path.iterdir()] == [(path, before)]


def test_naming_no_notebook_shows_how_to_name_one(capfd):
    assert main([]) == 2
    assert "PATH" in capfd.readouterr().err


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


def test_a_bar_is_followed_line_by_line(tmp_path):
    lines = []
    followed = _execute(tmp_path, lines.append).cells[0].outputs
    assert lines == ["cell 1 of 1", "cell 1 of 1, simulating: 1 of 3", "cell 1 of 1, simulating: 2 of 3"]
    # Who follows a notebook changes no output of it.
    assert followed == _execute(tmp_path, None).cells[0].outputs
    assert [output.output_type for output in followed] == ["display_data", "stream"]
