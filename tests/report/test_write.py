"""A place where a report cannot be written is refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.page import publish, staging


def _publish(out, page="new", files=None):
    with staging(out) as folder:
        return publish(folder, out, page=page, files=files or {"a.csv": "a\n", "manifest.json": "{}"})


def test_a_parent_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written into"), staging(tmp_path / "file" / "r.html"):
        pytest.fail("opened")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="Permissions do not bind this user.")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReportError, match="Permission denied"), staging(tmp_path / "r.html"):
        pytest.fail("opened")


def test_a_folder_in_the_place_of_the_page_is_refused(tmp_path):
    (tmp_path / "r.html").mkdir()
    with pytest.raises(ReportError, match="this is a folder"), staging(tmp_path / "r.html"):
        pytest.fail("opened")


def test_a_name_that_is_not_a_page_is_refused(tmp_path):
    with pytest.raises(ReportError, match=r"must end with \.html"), staging(tmp_path / "r.pdf"):
        pytest.fail("opened")


def test_somebody_elses_folder_is_never_replaced(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("dear")
    with pytest.raises(ReportError, match="this is no folder of tables"), staging(tmp_path / "r.html"):
        pytest.fail("opened")
    assert (tmp_path / "r" / "thesis.txt").read_text() == "dear"


def test_a_new_report_replaces_the_older_one_with_all_its_tables(tmp_path):
    out = tmp_path / "r.html"
    _publish(out, "old", {"old.csv": "1\n", "manifest.json": "{}"})
    assert _publish(out) == (tmp_path / "r" / "a.csv", tmp_path / "r" / "manifest.json")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.csv", "manifest.json", "r", "r.html"]


def test_bytes_are_written_as_they_are_and_text_with_line_feeds(tmp_path):
    _publish(tmp_path / "r.html", "é\n", {"workbook.xlsx": b"PK\x03\r\n", "report.md": "é\n", "manifest.json": "{}"})
    assert (tmp_path / "r" / "workbook.xlsx").read_bytes() == b"PK\x03\r\n"
    assert (tmp_path / "r" / "report.md").read_bytes() == (tmp_path / "r.html").read_bytes() == b"\xc3\xa9\n"


def test_a_report_with_a_workbook_and_markdown_is_known_as_one_and_replaced(tmp_path):
    files = {"a.csv": "1\n", "tables.json": "{}", "workbook.xlsx": b"PK", "report.md": "x\n", "manifest.json": "{}"}
    _publish(tmp_path / "r.html", "old", files)
    _publish(tmp_path / "r.html")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["a.csv", "manifest.json"]


@pytest.mark.parametrize("name", ["notes.md", "budget.xlsx"])
def test_somebody_elses_workbook_or_text_is_never_replaced(tmp_path, name):
    _publish(tmp_path / "r.html", "old")
    (tmp_path / "r" / name).write_text("dear")
    with pytest.raises(ReportError, match="this is no folder of tables"):
        _publish(tmp_path / "r.html")
    assert (tmp_path / "r" / name).read_text() == "dear"


def test_a_disk_that_refuses_the_last_step_leaves_the_older_report(tmp_path, monkeypatch):
    out = tmp_path / "r.html"
    _publish(out, "old", {"old.csv": "1\n", "manifest.json": "{}"})

    def full(page, target):
        raise OSError(28, "No space left on device", str(page), None, str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match="No space left"):
        _publish(out)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["manifest.json", "old.csv", "r", "r.html"]
