"""What a killed process left is swept away; what a living one prepares, and what is somebody's own, is not."""

from __future__ import annotations

import os
import subprocess
import sys

from cxsim.reporting.execute import remove_leftovers, staging_prefix


def _ended():
    """Return the number of a process that is no more."""
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def test_only_reports_of_dead_processes_are_removed(tmp_path):
    dead = _ended()
    names = (f".r-{dead}-abcd_123", f".q-{dead}-abcd_124", f".r-{os.getpid()}-abcd_125", ".r-abcd_126", "r-1-abcd_127")
    for name in names:
        (tmp_path / name / "tables").mkdir(parents=True)
    (tmp_path / names[1] / "thesis.txt").write_text("dear")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_that_does_not_exist_has_none(tmp_path):
    remove_leftovers(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_the_name_tells_whose_it_is():
    assert staging_prefix("r") == f".r-{os.getpid()}-"
