"""A report is written whole or not at all."""

from __future__ import annotations

import hashlib
import json

import pytest

from cxsim.errors import ReportError
from cxsim.report import make
from tests.report.conftest import HOSTILE, MANIFEST, write_notebook


def _make(notebook, out, **changes):
    return make(notebook, **{"parameters": {}, "title": "T", "out": out, **changes})


def _everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_outputs_give_the_same_bytes(made):
    before = _everything(made.files.html.parent)
    title = f"Business case {HOSTILE}"
    _make(made.notebook, made.files.html, parameters={"scenario": "first_year"}, title=title)
    assert _everything(made.files.html.parent) == before


def test_the_tables_lie_beside_the_page_with_a_manifest_of_all_files(made):
    (table,) = made.files.tables
    assert table == made.files.html.parent / "first year" / "returns.csv"
    assert table.read_bytes() == b"strategy,npv\n'=HYPERLINK(1),0.1\ncoupon,\n"
    record = json.loads((table.parent / "manifest.json").read_text(encoding="utf-8"))
    assert record.pop("files") == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.files.html, table)
    }
    assert record == MANIFEST


def test_progress_names_each_cell_and_then_the_page(made):
    assert made.said[0] == "cell 1 of 8"
    assert made.said[-2:] == ("cell 8 of 8", "tables and charts")


@pytest.mark.parametrize("source", ["1 / 0", 'display({"application/x-unknown": 1}, raw=True)'])
def test_a_failure_leaves_the_older_report_and_nothing_else(tmp_path, source):
    out = tmp_path / "reports" / "r.html"
    _make(write_notebook(tmp_path / "n.ipynb", "print(1)"), out)
    before = _everything(out.parent)
    bad = write_notebook(tmp_path / "bad.ipynb", source)
    with pytest.raises(ReportError, match="cell 2"):
        _make(bad, out)
    assert _everything(out.parent) == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["r", "r.html"]
    with pytest.raises(ReportError):
        _make(bad, tmp_path / "other" / "deep" / "r.html")
    assert not (tmp_path / "other").exists()
