"""Notebooks run in their folder, by this interpreter, with checked parameters; failures are one plain sentence."""

from __future__ import annotations

import json
import os
import sys

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.execute import defaults, execute, kernel_settings
from cxsim.reporting.render import read_notebook
from tests.report.conftest import write_notebook


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


def test_defaults_are_read_without_running_the_notebook(tmp_path):
    assert defaults(read_notebook(write_notebook(tmp_path / "n.ipynb"))) == {"scenario": "none", "years": 3}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no Unix sockets.")
def test_a_folder_too_deep_for_a_socket_falls_back_to_tcp(tmp_path):
    short, deep = kernel_settings(tmp_path.parent.parent), kernel_settings(tmp_path / ("d" * 100))
    assert (short.OwnKernel.transport, deep.OwnKernel.transport) == ("ipc", "tcp")
