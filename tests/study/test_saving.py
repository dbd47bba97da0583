from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.errors import ReportError
from cxsim.study.run import require_writable, save_study


def test_the_tables_come_back_as_they_were(study, tmp_path):
    written = save_study(study, tmp_path / "deep" / "tables")
    assert [path.name for path in written] == ["returns.parquet", "statement.parquet", "manifest.json"]
    assert pl.read_parquet(written[0]).equals(study.returns)
    assert pl.read_parquet(written[1]).equals(study.statement)
    assert json.loads(written[2].read_text(encoding="utf-8")) == study.manifest


def test_an_older_study_is_replaced_and_nothing_else_touched(study, tmp_path):
    (tmp_path / "returns.parquet").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    save_study(study, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json", "notes.txt", "returns.parquet", "statement.parquet",
    ]  # fmt: skip
    assert pl.read_parquet(tmp_path / "returns.parquet").equals(study.returns)


def test_where_one_file_cannot_be_written_no_older_one_is_lost(study, tmp_path):
    (tmp_path / "returns.parquet").write_text("old")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ReportError, match="this is a folder, not a file"):
        save_study(study, tmp_path)
    assert (tmp_path / "returns.parquet").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "returns.parquet"]


def test_a_folder_that_does_not_exist_yet_is_fine_and_is_not_made(tmp_path):
    require_writable(tmp_path / "deep" / "tables")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ReportError, match="cannot be written to"):
        require_writable(tmp_path / "taken" / "tables")
