"""A hash in the manifest that differs says nothing of its own where it is its file's."""

from __future__ import annotations

import hashlib
import json

import pytest

from cxsim.reporting.verify import folder_differences


@pytest.fixture
def folders(tmp_path):
    """Two folders whose Markdown differs in one line, as another commit makes it differ."""
    for name, commit in (("said", "aaa"), ("made", "bbb")):
        (tmp_path / name).mkdir()
        text = f"# Title\n\n- Commit: {commit}\n"
        (tmp_path / name / "report.md").write_text(text, encoding="utf-8")
        _write_record(tmp_path / name, {"report.md": _hash(text), "r.html": commit})
    return tmp_path / "said", tmp_path / "made"


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _write_record(folder, digests):
    (folder / "manifest.json").write_text(json.dumps({"files": digests}), encoding="utf-8")


def _where(folders):
    return [place.where for place in folder_differences(*folders, "r.html")]


def test_a_file_that_differs_is_named_once_by_its_line(folders):
    assert _where(folders) == ["file said/report.md, line 3"]


def test_a_hash_that_is_not_its_files_is_named(folders):
    _write_record(folders[0], {"report.md": "0" * 64, "r.html": "aaa"})
    assert _where(folders) == ["file said/manifest.json, files.report.md", "file said/report.md, line 3"]
