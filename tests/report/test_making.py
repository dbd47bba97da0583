"""A report is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from cxsim.errors import ReportError
from cxsim.reporting.drawings import tables_in
from cxsim.reporting.page import make, notebook_hash
from tests.report.conftest import HOSTILE, MANIFEST, write_notebook
from tests.report.spreadsheet import sheets


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
    assert [path.name for path in made.files.whole] == ["tables.json", "workbook.xlsx", "report.md"]
    assert record.pop("files") == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.files.html, table, *made.files.whole)
    }
    assert {path.name for path in table.parent.iterdir()} == {
        "returns.csv", "tables.json", "workbook.xlsx", "report.md", "manifest.json",
    }  # fmt: skip
    assert record.pop("tables_sha256") == {table.name: hashlib.sha256(table.read_bytes()).hexdigest()}
    assert record.pop("report")["parameters"] == {"scenario": "first_year"}
    assert record == MANIFEST


def test_the_page_carries_its_tables_and_how_it_was_made(made):
    soup = BeautifulSoup(made.html, "html.parser")
    (table,) = tables_in(soup.find(id="tables").string).values()
    assert (table.title, table.rows) == ("Returns & more", (("=HYPERLINK(1)", 0.1), ("coupon", None)))
    assert json.loads(soup.find(id="provenance").string)["report"] == {
        "page": "first year.html",
        "title": f"Business case {HOSTILE}",
        "code": "hidden",
        "notebook": "business case.ipynb",
        "notebook_sha256": notebook_hash(made.notebook),
        "parameters": {"scenario": "first_year"},
        "paths_in_project": [],
        "paths_outside": ["notebook"],
    }


def test_the_tables_are_the_same_in_one_file_and_in_the_workbook(made):
    tables, book, _ = made.files.whole
    columns = json.loads(tables.read_text(encoding="utf-8"))["tables"][0]["columns"]
    assert [column["values"] for column in columns] == [["=HYPERLINK(1)", "coupon"], [0.1, None]]
    cells = sheets(book.read_bytes())["returns"]
    assert [cells[place].value for place in ("A2", "B2", "A3")] == ["=HYPERLINK(1)", 0.1, "coupon"]
    assert cells["A2"].kind == "s"


def test_the_page_links_to_the_tables_as_a_whole_and_to_its_markdown(made):
    links = BeautifulSoup(made.html, "html.parser").select(".cx-twins a")
    assert [link["href"] for link in links] == [
        "./first%20year/workbook.xlsx", "./first%20year/tables.json", "./first%20year/report.md",
    ]  # fmt: skip
    assert all((made.files.html.parent / unquote(link["href"])).is_file() for link in links)


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
