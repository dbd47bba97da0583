"""A small project with a notebook of every kind of output, and the report made from it, once for all tests here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from cxsim.reporting.page import make
from cxsim.reporting.verify import verify

SETUP = """
from IPython.display import HTML, Markdown, display
CHART = "application/vnd.vegalite.v5+json"
TABLE = "application/vnd.cxsim.table+json"
MANIFEST = "application/vnd.cxsim.manifest+json"

def show(id, title, columns, rows, html):
    twin = {"id": id, "title": title, "columns": columns, "rows": rows}
    display({TABLE: twin, "text/html": html, "text/plain": "-"}, raw=True)
"""
CASH = """
cash = [{"month": month, "cash": 10.5 * month - 20} for month in range(5)]
bars = {"mark": "bar", "title": "Cash by month", "data": {"values": cash},
        "encoding": {"x": {"field": "month"}, "y": {"field": "cash", "title": "Cash, EUR"}}}
display({CHART: bars, "text/plain": "-"}, raw=True)
"""
RETURNS = """
rows = [["points", "Points", "fund", 1234.5, 40.25], ["coupon", "Coupon", "reject", -70.0, 3.5]]
body = "".join(f"<tr><th>{title}</th><td>{npv:,.1f}</td><td>{word}</td></tr>" for _, title, word, npv, _ in rows)
head = "<thead><tr><th>Strategy</th><th>Worth, EUR</th><th>Decision</th></tr></thead>"
html = f"<table><caption>What it returns</caption>{head}<tbody>{body}</tbody></table>"
show("returns", "What it returns", ["strategy", "title", "decision", "incremental_npv", "npv_mc_error"], rows, html)
"""
PROSE = 'Markdown(f"Points are worth more than their price. The coupon loses **70 EUR** in {years} years.")'
AUDIT = """
from pathlib import Path
import hashlib
stored = hashlib.sha256(Path("../params/scenarios/tiny.yaml").read_bytes()).hexdigest()
manifest = {"scenario": Path(scenario).stem, "seed": 7, "customers_sha256": "ab" * 32, "commit": "1234567890abcdef",
            "parameters_sha256": {"scenarios/tiny.yaml": stored}, "versions": {"polars": "0.0.1"},
            "command": "cxsim report tiny"}
display({MANIFEST: manifest, "text/plain": "-"}, raw=True)
"""
SECTIONS = ("## Cash", CASH, "## Returns", RETURNS, PROSE, "## Making", AUDIT)


@dataclass(frozen=True, kw_only=True)
class Project:
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


def write_notebook(path, *sources):
    """Write a notebook: a text that begins with # is prose, any other is code; the first code cell has parameters."""
    cells = [nbformat.v4.new_markdown_cell("# Does it pay?")]
    cells.append(nbformat.v4.new_code_cell('scenario = "none"\nyears = 3', metadata={"tags": ["parameters"]}))
    for source in sources:
        new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        cells.append(new(source.strip()))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "params" / "scenarios").mkdir(parents=True)
    (folder / "params" / "scenarios" / "tiny.yaml").write_text("draws: 2\n", encoding="utf-8")
    (folder / "notebooks").mkdir()
    notebook = write_notebook(folder / "notebooks" / "case.ipynb", SETUP, *SECTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        given = str(folder / "params" / "scenarios" / "tiny.yaml")
        out = folder / "reports" / "tiny case.html"
        make(notebook, parameters={"scenario": given, "years": 4}, title="Tiny <case>", out=out)
    return Project(folder=folder, notebook=notebook, html=out)


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
