"""`cxsim tables` writes what a shop would have of one draw."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.data.contracts import LIVES, ORDERS
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.shop_tables import SHOP_FILES
from cxsim.tables import check


def test_every_table_is_written_under_its_contract(project):
    sentence = project("tables", "tiny", "--arm", "points-programme", "--draw", "1", "--out", "shop")
    assert (sentence.code, sentence.err) == (0, "")
    assert {path.name for path in (project.folder / "shop").iterdir()} == set(SHOP_FILES)
    assert check(pl.read_parquet(project.folder / "shop" / "orders.parquet"), ORDERS).height > 0
    check(pl.read_parquet(project.folder / "shop" / "lives.parquet"), LIVES)
    assert "points-programme, draw 1" in sentence.out
    assert all(name in sentence.out for name in SHOP_FILES)


def test_they_are_the_tables_of_the_whole_study(project):
    project("tables", "tiny", "--arm", "win-back-coupon", "--draw", "1", "--out", "shop")
    whole = run(load_scenario("tiny")).tables("win-back-coupon", draw=1)
    for name in SHOP_FILES:
        assert pl.read_parquet(project.folder / "shop" / name).equals(getattr(whole, name.removesuffix(".parquet")))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--arm", "points-program"], "no arm 'points-program' in scenario 'tiny'; did you mean 'points-programme'?"),
        (["--draw", "2"], "no draw 2; possible: 0 to 1."),
    ],
)
def test_an_unknown_arm_or_draw_is_refused_and_nothing_written(project, words, message):
    before = project.files()
    assert message in project("tables", "tiny", *words, "--out", "shop").error
    assert project.files() == before


@pytest.mark.parametrize(
    "words", [["tiny"], ["tiny", "--draw", "-1", "--out", "x"], ["tiny", "--draw", "a", "--out", "x"]]
)
def test_usage_errors_have_a_code_of_their_own(project, words):
    sentence = project("tables", *words)
    assert (sentence.code, sentence.out) == (2, "")


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_played(project, monkeypatch):
    monkeypatch.setattr("cxsim.study.shop_tables", None)
    (project.folder / "taken").write_text("", encoding="utf-8")
    assert "taken" in project("tables", "tiny", "--out", "taken").error
    (project.folder / "shop" / "orders.parquet").mkdir(parents=True)
    assert "this is a folder, not a file" in project("tables", "tiny", "--out", "shop").error
