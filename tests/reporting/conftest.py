"""Reports that many tests look at, each made once: of every kind of output, one to verify, two made side by side."""

from __future__ import annotations

import html
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from cxsim.library import root
from cxsim.reporting.build import is_current, make_all, report_task
from cxsim.reporting.page import make
from cxsim.reporting.verify import verify
from cxsim.tables import RETURNS as RETURNS_CONTRACT
from tests.cli.conftest import TINY

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
MANIFEST = {
    "scenario": "first_year",
    "remark": HOSTILE,
    "scenario_hash": "9f2c" * 16,
    "parameter_files": {"params/levers.yaml": "0123" * 16},
    "seed": 7,
    "command": "cxsim report first_year",
}
AUDIT = f'display({{"application/vnd.cxsim.manifest+json": {MANIFEST!r}, "text/plain": "not shown"}}, raw=True)'
SETUP = """
from IPython.display import HTML, Markdown, display
CHART = "application/vnd.vegalite.v5+json"
TABLE = "application/vnd.cxsim.table+json"
cash = [{"month": month, "cash": 10.5 * month - 20} for month in range(5)]
bars = {"mark": "bar", "encoding": {"x": {"field": "month"}, "y": {"field": "cash", "title": "Cash, EUR"}}}
"""
BARS = 'display({CHART: {**bars, "title": "Cash </script>", "data": {"values": cash}}, "text/plain": "-"}, raw=True)'
SLIDER = """
spec = {"description": "What if?", "data": {"sequence": {"start": 0, "stop": 9, "as": "t"}}, "mark": "line",
        "params": [{"name": "up", "value": 2, "bind": {"input": "range", "min": 0, "max": 5, "name": "Uplift "}}],
        "transform": [{"calculate": "up * datum.t", "as": "y"}],
        "encoding": {"x": {"field": "t", "type": "quantitative"},
                     "y": {"field": "y", "type": "quantitative", "scale": {"domain": [0, 50]}}}}
display({CHART: spec, "text/plain": "-"}, raw=True)
"""
RETURNS = """
twin = {"id": "returns", "title": "Returns & more", "columns": ["strategy", "npv"],
        "rows": [["=HYPERLINK(1)", 0.1], ["coupon", None]]}
html = "<table><thead><tr><th>Strategy</th></tr></thead><tbody><tr><td>a &lt;script&gt;</td></tr></tbody></table>"
display({TABLE: twin, "text/html": html, "text/plain": "-"}, raw=True)
"""
PROSE = 'Markdown("A coupon of **$5**, a refund of **$7**; see [the source](https://example.org/a).")'
FRUIT = 'import sys; sys.stderr.write("careful!"); print("scenario:", scenario)'


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A report, with the notebook that it was made from."""

    notebook: Path
    page: Path
    tables: tuple[str, ...]
    html: str
    said: tuple[str, ...]


def write_notebook(path: Path, *sources: str) -> Path:
    """Write a notebook: a text that begins with # is prose, any other is code; the first code cell has parameters."""
    cells = [nbformat.v4.new_markdown_cell("# Does it pay?")]
    cells.append(nbformat.v4.new_code_cell('scenario = "none"\nyears = 3', metadata={"tags": ["parameters"]}))
    for source in sources:
        new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        cells.append(new(source.strip()))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("report {1}")
    sections = ("## Cash", BARS, "## Cash", SLIDER, "## Returns", RETURNS, PROSE, FRUIT, AUDIT)
    notebook = write_notebook(folder / "business case.ipynb", SETUP, *sections)
    said: list[str] = []
    page, title = folder / "new" / "first year.html", f"Business case {HOSTILE}"
    tables = make(notebook, parameters={"scenario": "first_year"}, title=title, out=page, progress=said.append)
    html = page.read_text(encoding="utf-8")
    return Made(notebook=notebook, page=page, tables=tables, html=html, said=tuple(said))


# A project with a report that is verified.
CASE_SETUP = f'{SETUP}MANIFEST = "application/vnd.cxsim.manifest+json"'
CASH = BARS.replace("Cash </script>", "Cash by month")
CASE_RETURNS = """
rows = [["points", "Points", "fund", 1234.5, 40.25], ["coupon", "Coupon", "reject", -70.0, 3.5]]
body = "".join(f"<tr><th>{title}</th><td>{npv:,.1f}</td><td>{word}</td></tr>" for _, title, word, npv, _ in rows)
head = "<thead><tr><th>Strategy</th><th>Worth, EUR</th><th>Decision</th></tr></thead>"
html = f"<table><caption>What it returns</caption>{head}<tbody>{body}</tbody></table>"
twin = {"id": "returns", "title": "What it returns", "rows": rows,
        "columns": ["strategy", "title", "decision", "incremental_npv", "npv_mc_error"]}
display({TABLE: twin, "text/html": html, "text/plain": "-"}, raw=True)
"""
CASE_PROSE = 'Markdown(f"Points are worth more than their price. The coupon loses **70 EUR** in {years} years.")'
CASE_AUDIT = """
from pathlib import Path
import hashlib
stored = hashlib.sha256(Path("../params/scenarios/tiny.yaml").read_bytes()).hexdigest()
manifest = {"scenario": Path(scenario).stem, "seed": 7, "customers_sha256": "ab" * 32, "commit": "1234567890abcdef",
            "parameters_sha256": {"scenarios/tiny.yaml": stored}, "versions": {"polars": "0.0.1"},
            "command": "cxsim report tiny"}
display({MANIFEST: manifest, "text/plain": "-"}, raw=True)
"""
SECTIONS = ("## Cash", CASH, "## Returns", CASE_RETURNS, CASE_PROSE, "## Making", CASE_AUDIT)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A folder with a notebook, and a report that was made there."""

    folder: Path
    notebook: Path
    html: Path

    @property
    def page(self):
        return self.html.read_text(encoding="utf-8")

    def copy(self, folder):
        """Copy the report and the folder beside it; return the copy."""
        shutil.copytree(self.html.with_suffix(""), folder / self.html.stem)
        return Path(shutil.copy(self.html, folder))


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "params" / "scenarios").mkdir(parents=True)
    (folder / "params" / "scenarios" / "tiny.yaml").write_text("draws: 2\n", encoding="utf-8")
    (folder / "notebooks").mkdir()
    notebook = write_notebook(folder / "notebooks" / "case.ipynb", CASE_SETUP, *SECTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        given = str(folder / "params" / "scenarios" / "tiny.yaml")
        out = folder / "reports" / "tiny case.html"
        make(notebook, parameters={"scenario": given, "years": 4}, title="Tiny <case>", out=out)
    return Reported(folder=folder, notebook=notebook, html=out)


@pytest.fixture
def project(whole, monkeypatch):
    """The project, in which the test works; nothing in it may be changed."""
    monkeypatch.chdir(whole.folder)
    return whole


@pytest.fixture
def altered(project, tmp_path, monkeypatch):
    """Verify a copy of the report in which a text was altered, without running the notebook once more for each test."""

    def make_again(_, *, out, **_more):
        shutil.copy(project.html, out)
        shutil.copytree(project.html.with_suffix(""), out.with_suffix(""))

    def run(old, new, *, file=None):
        html = project.copy(tmp_path)
        path = html if file is None else html.with_suffix("") / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) >= 1
        path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
        monkeypatch.setattr("cxsim.reporting.verify.make", make_again)
        return verify(html)

    return run


# A project whose notebook takes a moment instead of simulating.
_PARAMS = root() / "params"
STRANGE = "</td><script>alert(1)</script>"
ROW = dict.fromkeys(RETURNS_CONTRACT.columns) | {
    "strategy": "points", "title": f"Points {STRANGE}", "decision": "pilot", "investment": 100.0,
    "incremental_npv": 1_234.0, "npv_low": -210.0, "npv_high": 2_500.0, "npv_mc_error": 1.0,
    "prob_npv_positive": 0.8, "prob_mc_error": 0.1, "roi": 12.34, "prob_payback": 0.7, "customers": 10, "draws": 2,
}  # fmt: skip
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
manifest = {{"scenario": scenario, "title": f"What of {{scenario}}? {STRANGE}", "changes": changes, "currency": "EUR"}}
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
        return {outcome.task: outcome.words or outcome.kind for outcome in outcomes}

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
def made_shop(_made, tmp_path, monkeypatch):
    """The same with both reports, made once; processes start slowly."""
    shutil.copytree(_made[0], tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return Shop(tmp_path / "shop")


@pytest.fixture
def heard(_made):
    """What was heard while they were made."""
    return _made[1]


def require_offline(page):
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"\son\w+=|https?:|src=|@import", page.replace("http-equiv", ""))
