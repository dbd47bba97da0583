"""A small project whose notebook takes a moment instead of simulating, and what lies in its folder of reports."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from cxsim.params import root
from cxsim.reporting.build import is_current, make_all, report_task
from cxsim.tables import RETURNS
from tests.cli.conftest import TINY

_PARAMS = root() / "params"
HOSTILE = "</td><script>alert(1)</script>"
ROW = {
    "strategy": "points",
    "title": f"Points {HOSTILE}",
    "decision": "pilot",
    "outlay": 100.0,
    "incremental_npv": 1_234.0,
    "npv_low": -210.0,
    "npv_high": 2_500.0,
    "npv_mc_error": 1.0,
    "prob_npv_positive": 0.8,
    "prob_mc_error": 0.1,
    "roi": 12.34,
    "roi_low": None,
    "roi_high": None,
    "roi_mc_error": None,
    "prob_payback": 0.7,
    "payback_months": None,
    "payback_months_late": None,
    "payback_mc_error": None,
    "break_even_scale": None,
    "customers": 10,
    "draws": 2,
}
assert list(ROW) == list(RETURNS.columns)
# Beside the notebook may lie a file that makes a case fail, wait, or kill the process that made its kernel.
CELL = f"""
import os, pathlib, signal, time
from IPython.display import display
fate = pathlib.Path(scenario).with_suffix(".txt")
pathlib.Path(scenario).with_suffix(".pid").write_text(f"{{os.getpid()}} {{os.getppid()}}")
if fate.exists():
    match fate.read_text():
        case "fail": raise ValueError("spoilt")
        case "wait": time.sleep(120)
        case "kill": os.kill(os.getppid(), signal.SIGKILL)
row = {ROW!r}
twin = {{"id": "returns", "title": "Returns", "columns": list(row), "rows": [list(row.values())]}}
manifest = {{"scenario": scenario, "title": f"What of {{scenario}}? {HOSTILE}", "changes": changes, "currency": "EUR"}}
display({{"application/vnd.cxsim.manifest+json": manifest, "text/plain": "-"}}, raw=True)
display({{"application/vnd.cxsim.table+json": twin, "text/plain": "-"}}, raw=True)
"""


class Shop:
    """A project of the scenarios `one` and `two`, and what its reports are."""

    def __init__(self, folder: Path):
        self.folder, self.reports = folder, folder / "reports"

    def make(self, *names, **how):
        tasks = [report_task(name) for name in names or ("one", "two")]
        outcomes = make_all(tasks, **{"jobs": 2, **how})
        return {outcome.task: outcome.reason or outcome.state for outcome in outcomes}

    def current(self):
        return {name: is_current(report_task(name)) for name in ("one", "two")}

    def files(self):
        return {
            path.relative_to(self.reports).as_posix(): path.read_bytes()
            for path in sorted(self.reports.rglob("*"))
            if path.is_file()
        }

    def fate(self, name, words):
        (self.folder / "notebooks" / f"{name}.txt").write_text(words)

    def edit(self, place, old, new):
        file = self.folder / "params" / place
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def _written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    shutil.copytree(_PARAMS, folder / "params")
    for kind in ("scenarios", "valuations"):
        for old in (folder / "params" / kind).glob("*.yaml"):
            old.unlink()
    for name in ("one", "two"):
        (folder / "params" / "scenarios" / f"{name}.yaml").write_text(TINY, encoding="utf-8")
    (folder / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_code_cell('scenario = "one"\nchanges = ""', metadata={"tags": ["parameters"]}, id="a"),
        nbformat.v4.new_code_cell(CELL, id="b"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebooks" / "02-compare-strategies.ipynb")
    return folder


@pytest.fixture
def shop(_written, tmp_path, monkeypatch):
    """A project without reports."""
    shutil.copytree(_written, tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return Shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def _made(_written, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shop"
    shutil.copytree(_written, folder)
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert Shop(folder).make(watch=heard.append) == {"one": "made", "two": "made"}
    return folder, heard


@pytest.fixture
def made(_made, tmp_path, monkeypatch):
    """The same with both reports, made once; processes start slowly."""
    shutil.copytree(_made[0], tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return Shop(tmp_path / "shop")


@pytest.fixture
def heard(_made):
    """What was heard while they were made."""
    return _made[1]
