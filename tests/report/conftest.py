"""A small notebook with each kind of output, and the report made from it, once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from cxsim.reporting.page import ReportFiles, make

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
    files: ReportFiles
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
    files = make(
        notebook,
        parameters={"scenario": "first_year"},
        title=f"Business case {HOSTILE}",
        out=folder / "new" / "first year.html",
        progress=said.append,
    )
    return Made(notebook=notebook, files=files, html=files.html.read_text(encoding="utf-8"), said=tuple(said))
