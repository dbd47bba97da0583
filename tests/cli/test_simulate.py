"""`cxsim simulate` writes the tables of a study and prints its headline."""

from __future__ import annotations

import json

import polars as pl

from cxsim.tables import RETURNS, STATEMENT, check

WRITTEN = [
    "reports/tiny-tables/manifest.json",
    "reports/tiny-tables/returns.parquet",
    "reports/tiny-tables/statement.parquet",
]


def test_tables_and_manifest_are_written_and_the_returns_printed(project):
    before = set(project.files())
    sentence = project("simulate", "tiny")
    assert (sentence.code, sentence.err) == (0, "")
    assert sorted(set(project.files()) - before) == WRITTEN
    folder = project.folder / "reports" / "tiny-tables"
    returns = check(pl.read_parquet(folder / "returns.parquet"), RETURNS)
    assert returns["strategy"].to_list() == ["points-programme", "win-back-coupon"]
    assert check(pl.read_parquet(folder / "statement.parquet"), STATEMENT)["month"].n_unique() == 3
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report tiny"
    for title in ("What would two programmes bring?", "Points programme", "Win-back coupon"):
        assert title in sentence.out
    assert all(path.split("/")[-1] in sentence.out for path in WRITTEN)


def test_the_same_scenario_writes_the_same_bytes(project):
    project("simulate", "tiny", "--out", "one")
    project("simulate", "tiny", "--out", "two")
    files = project.files()
    for name in ("manifest.json", "returns.parquet", "statement.parquet"):
        assert files[f"one/{name}"] == files[f"two/{name}"]


def test_a_file_of_two_lines_is_as_wide_as_its_table_and_no_word_is_cut(project):
    out = project("simulate", "tiny", "--out", "tables").out
    header = next(line for line in out.splitlines() if "strategy" in line)
    for name in ("decision", "outlay", "incremental NPV", "90 % interval", "P(NPV > 0)", "ROI", "payback"):
        assert name in header
    assert "…" not in out


def test_titles_send_no_markup_and_no_control_character_to_the_terminal(project):
    title = r"[red]A[/] :bee: \u001b[2J\u202e"
    project.edit("strategies/points-programme.yaml", "title: Points programme", f'title: "{title}"')
    out = project("simulate", "tiny", "--out", "tables").out
    assert "[red]A[/] :bee: ?[2J?" in out


def test_a_scenario_elsewhere_runs_and_claims_no_command_that_makes_it_again(project, tmp_path):
    text = (project.folder / "params" / "scenarios" / "tiny.yaml").read_text(encoding="utf-8")
    text = text.replace("seed: 7", "seed: 8").replace("title: What", "title: Elsewhere, what")
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    assert project("simulate", tmp_path / "tiny.yaml", "--out", "tables").code == 0
    manifest = json.loads((project.folder / "tables" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 8
    assert "command" not in manifest
    assert "parameters_sha256" not in manifest
