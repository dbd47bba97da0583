"""How long it takes until a report is there: loading, the start of a kernel, and the whole way, cold, out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from benchmarks.measuring import Case, seconds, speed, within
from cxsim.reporting.execute import execute

_CHECKOUT = Path(__file__).parents[1]
_NEEDED = ("cxsim", "params", "notebooks", "pyproject.toml")
_SCENARIO = "cdnow-programmes"
# Two cores, 67 draws of three models of leaving, three strategies and all their sets, to the finished file.
_REPORT_SECONDS = 45.0
_ROUNDS = 5
_COMMAND = "from cxsim.cli import main; main()"
_STUDY = "import cxsim; cxsim.run, cxsim.business_case, cxsim.load_scenario; import cxsim.reporting, cxsim.reporting"


def reporting() -> Iterator[Case]:
    """Yield the cost of loading, the start of a kernel and the time of a report, cold and on a fresh machine."""
    yield speed(
        "import cxsim, a process of its own",
        lambda: _python("import cxsim"),
        1,
        lambda: _python("import lifetimes"),
        1,
        rival_name="import lifetimes",
        target=1.0,
        unit="starts per second",
        rounds=_ROUNDS,
    )
    yield speed(
        "import of all that a business case needs",
        lambda: _python(_STUDY),
        1,
        lambda: _python("import lifetimes, altair, great_tables, polars, numba"),
        1,
        rival_name="import of lifetimes and of the libraries",
        target=None,
        unit="starts per second",
        rounds=_ROUNDS,
    )
    yield speed(
        "warm start of a kernel that runs one empty cell",
        lambda: _kernel("pass"),
        1,
        lambda: _python("import ipykernel.kernelapp, nbclient, papermill"),
        1,
        rival_name="a process that imports the same libraries and ends",
        target=None,
        unit="starts per second",
        rounds=_ROUNDS,
    )
    yield within(
        "report of cdnow-programmes, 67 draws of three models, cold",
        _report(_CHECKOUT),
        _REPORT_SECONDS,
        unit="seconds",
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in _NEEDED:
            _copy(_CHECKOUT / name, Path(folder) / name)
        fresh = _report(Path(folder))
    yield within("the same where nothing is compiled yet", fresh, _REPORT_SECONDS, unit="seconds")


def _python(words: str) -> None:
    subprocess.run([sys.executable, "-c", words], check=True, cwd=_CHECKOUT)  # noqa: S603 - our own words


def _kernel(source: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
        execute(path, {})


def _report(root: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", _COMMAND, "report", _SCENARIO, "--out", f"{folder}/report.html"]
        return seconds(lambda: subprocess.run(words, check=True, cwd=root, stdout=subprocess.DEVNULL))  # noqa: S603


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
