"""`cxsim sweep` plays out every combination, keeps each in a folder, and writes one table and one page."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.study.loading import load_scenario
from cxsim.study.run import run


def test_every_combination_is_played_out_once_and_only_what_changed_again(project):
    words = ("sweep", "tiny", "--over", "economics.gross_margin=0.3,0.5", "--jobs", "1")
    sentence = project(*words)
    assert (sentence.code, sentence.err) == (0, "")
    folder = project.folder / "reports" / "sweeps" / "tiny"
    assert f"Written: sweep.csv and index.html in {folder}" in sentence.out
    table = pl.read_csv(folder / "sweep.csv")
    assert table["economics.gross_margin"].to_list() == [0.3, 0.3, 0.5, 0.5]
    assert table["strategy"].to_list() == ["points-programme", "win-back-coupon"] * 2
    # What is written to ten digits is what the study by itself finds.
    alone = run(load_scenario("tiny", "economics.gross_margin=0.5")).returns
    found = table.filter(pl.col("economics.gross_margin") == 0.5)
    assert found["incremental_npv"].to_list() == pytest.approx(alone["incremental_npv"].to_list(), rel=1e-9)
    manifest = json.loads((folder / "economics.gross_margin=0.5" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report tiny --set economics.gross_margin=0.5"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "2 combinations of economics.gross_margin" in page
    assert "Points programme" in page
    before = project.files()
    again = project(*words)
    assert again.out.count("skipped: nothing has changed") == 2
    assert project.files() == before
    # A point that is gone is made again, to the byte.
    (folder / "economics.gross_margin=0.3" / "returns.csv").unlink()
    once = project(*words)
    assert (once.out.count("skipped"), once.out.count("made")) == (1, 1)
    assert project.files() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "draws=2,1"], "tiny with draws=1: draws must be 2 to 10,000; found 1"),
        (["--over", "drws=2"], "did you mean 'draws'?"),
        (["--over", "draws"], "'draws': it must be KEY=VALUE,VALUE,..., such as"),
    ],
)
def test_mistakes_of_a_grid_are_sentence_before_anything_is_played_out(project, words, said):
    assert said in project("sweep", "tiny", *words).error
    assert not (project.folder / "reports").exists()


def test_a_sweep_over_nothing_is_a_mistake_of_usage(project):
    assert project("sweep", "tiny").code == 2
