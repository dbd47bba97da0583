"""A sweep is every combination of the values that were typed, or one message before anything is played out."""

from __future__ import annotations

import pytest

from cxsim.errors import ParamError
from cxsim.reporting.build import page_name, report_task
from cxsim.reporting.sweep import grid


@pytest.mark.usefixtures("shop")
def test_the_last_number_changes_fastest_and_each_point_has_its_numbers():
    points = grid("one", ["economics.gross_margin=0.30,0.5", "draws=2,3"])
    assert [point.values for point in points] == [
        (("economics.gross_margin", margin), ("draws", draws)) for margin in ("0.3", "0.5") for draws in ("2", "3")
    ]
    assert [point.changes for point in points][:2] == [
        "draws=2; economics.gross_margin=0.3",
        "draws=3; economics.gross_margin=0.3",
    ]
    assert (points[3].scenario.draws, points[3].scenario.economics.gross_margin.range) == (3, (0.5, 0.5))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("over", "words"),
    [
        ([], "a sweep needs at least one number"),
        (["draws"], r"'draws': it must be KEY=VALUE,VALUE"),
        (["draws=2,,3"], r"'draws=2,,3': it must be KEY=VALUE,VALUE"),
        (["draws=2,02"], "'draws=2,02': a value is named twice"),
        (["draws=2", "draws=3"], "swept twice: draws"),
        (["draws=2,1"], "one with draws=1: draws must be 2 to 10,000; found 1"),
        (["economics.gros_margin=0.3"], "did you mean 'economics.gross_margin'"),
        ([f"seed={','.join(map(str, range(40)))}", f"draws={','.join(map(str, range(2, 32)))}"], "1,200 combinations"),
    ],
)
def test_a_grid_is_refused_when(over, words):
    with pytest.raises(ParamError, match=words):
        grid("one", over)


def test_a_scenario_that_only_searches_has_nothing_to_sweep(shop):
    shop.edit("scenarios/one.yaml", "[points-programme, win-back-coupon]", "[packaging-gift]")
    with pytest.raises(ParamError, match="the effects of one are searched, not believed"):
        grid("one", ["draws=2"])


def test_a_file_is_called_after_the_case_and_its_changes(shop):
    assert report_task("one").page == shop.reports / "one.html"
    changed = report_task("one", changes="economics.gross_margin=0.5; draws=3")
    assert changed.page == shop.reports / "one,draws=3,economics.gross_margin=0.5.html"
    assert changed.folder == shop.reports / "one,draws=3,economics.gross_margin=0.5"
    assert dict(changed.work.parameters) == {"scenario": "one", "changes": "draws=3; economics.gross_margin=0.5"}
    assert dict(report_task("one").work.parameters) == {"scenario": "one"}


def test_names_that_are_too_long_for_a_file_system_stay_apart():
    names = {page_name("s", "; ".join(f"{key * 50}={value}" for key in "abc")) for value in (1, 2)}
    assert len(names) == 2
    assert all(len(name) < 160 for name in names)


def test_a_case_of_the_name_of_the_index_is_refused(shop):
    file = shop.folder / "params" / "scenarios" / "one.yaml"
    file.rename(file.with_name("index.yaml"))
    with pytest.raises(ParamError, match="'index' would be written over the index of all reports"):
        report_task("index")
