"""Stored notebooks are executed, and the same from run to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from cxsim.reporting.execute import main
from tests.report.conftest import BARS, RETURNS, SETUP, write_notebook

SANITIZE = Path(__file__).parents[1] / "nbval_sanitize.cfg"


def test_a_refreshed_notebook_passes_nbval_in_full_and_a_second_refresh_changes_nothing(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", SETUP, "## Cash", BARS, RETURNS, "print(years)\nyears")
    assert main([str(path)]) == 0
    stored = path.read_bytes()
    said = capfd.readouterr()
    assert said.out.startswith(f"{path}  ")
    assert said.err == ""
    assert [cell.get("execution_count") for cell in nbformat.read(path, 4).cells] == [None, 1, 2, None, 3, 4, 5]
    assert main([str(path)]) == 0
    assert path.read_bytes() == stored
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(SANITIZE), "-q", "-p", "no:cacheprovider"]
    nbval = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "5 passed" in nbval.stdout


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path, capfd):
    path = write_notebook(tmp_path / "n.ipynb", "1 / 0")
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert capfd.readouterr().err == "n.ipynb: cell 2 of 2 failed with ZeroDivisionError: division by zero\n"
    assert [(found, found.read_bytes()) for found in tmp_path.iterdir()] == [(path, before)]


def test_naming_no_notebook_shows_how_to_name_one(capfd):
    assert main([]) == 2
    assert "PATH" in capfd.readouterr().err
