"""A sweep simulates every combination once; its page and its table say what came out."""

from __future__ import annotations

import html
import re

import polars as pl
import pytest

from cxsim.errors import ParamError
from cxsim.reporting.build import page_name, report_task
from cxsim.reporting.sweep import PointReturns, grid, sweep_csv, sweep_page, write_reports_index
from cxsim.tables import RETURNS
from tests.reporting.conftest import ROW


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
    with pytest.raises(ParamError, match="the effects of one are searched and have no prior"):
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


_SCHEMA = {name: kinds[0] for name, kinds in RETURNS.columns.items()}


def _point(value, *rows):
    table = pl.DataFrame([{**ROW, **row} for row in rows], schema=_SCHEMA)
    values = (("economics.gross_margin", value), ("dropout", "bgnbd"))
    return PointReturns(values=values, returns=table, page=None, folder=f"dropout=bgnbd,economics.gross_margin={value}")


def _require_offline(page):
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"\son\w+=|https?:|src=|@import", page.replace("http-equiv", ""))


def test_the_index_lists_question_decision_interval_page_tables_and_size(made_shop):
    (made_shop.reports / "notes.html").write_text("my own")
    text = write_reports_index(made_shop.reports).read_text(encoding="utf-8")
    _require_offline(text)
    assert "2 reports." in text
    # The question and the strategy's title both hold a script.
    assert text.count("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 4
    decision = '<span class="cx-pilot">Pilot first</span>'
    for words in (
        "What of one?",
        "<caption>Amounts in EUR</caption>",
        decision,
        ">1,230<",
        ">−210 to 2,500<",
        "\N{NO-BREAK SPACE}kB",
    ):
        assert words in text
    assert 'href="./one.html"' in text
    assert 'href="./two/returns.csv"' in text
    assert "notes.html" not in text


def test_the_index_is_the_same_bytes_and_leaves_out_what_is_not_whole(made_shop):
    first = write_reports_index(made_shop.reports).read_bytes()
    assert write_reports_index(made_shop.reports).read_bytes() == first
    (made_shop.reports / "one" / "returns.csv").write_text("torn")
    text = write_reports_index(made_shop.reports).read_text(encoding="utf-8")
    assert "One report." in text
    assert "one.html" not in text


def test_an_empty_folder_has_an_index_too(tmp_path):
    assert "0 reports." in write_reports_index(tmp_path).read_text(encoding="utf-8")


def test_a_sweep_shows_points_against_strategies_and_marks_the_highest_by_a_word():
    points = [
        _point("0.3", {}, {"strategy": "coupon", "title": "Coupon", "incremental_npv": 2_000.0, "decision": "fund"}),
        _point("0.4", {}, {"strategy": "coupon", "title": "Coupon", "incremental_npv": 1_000.0, "decision": "reject"}),
    ]
    text = sweep_page("Q <script>", "USD", keys=["economics.gross_margin", "dropout"], points=points, missing=1)
    _require_offline(text)
    assert "<h1>Q &lt;script&gt;</h1>" in text
    first, second = (row for row in text.split("<tr>") if "bgnbd" in row)
    assert re.search(r"<strong>1,230</strong>(?! \(highest\)).*<strong>2,000</strong> \(highest\)", first, re.DOTALL)
    assert re.search(r"<strong>1,230</strong> \(highest\).*<strong>1,000</strong>(?! \(highest\))", second, re.DOTALL)
    assert "Fund" in first
    assert "Do not fund" in second
    assert 'href="./dropout%3Dbgnbd%2Ceconomics.gross_margin%3D0.3/returns.csv"' in first
    assert "One combination could not be simulated and is left out." in text


def test_one_strategy_alone_is_not_called_the_highest():
    text = sweep_page("Q", "USD", keys=["a", "dropout"], points=[_point("0.3", {})], missing=0)
    assert "(highest)" not in text
    assert "left out" not in text


def test_the_table_of_a_sweep_has_the_swept_values_before_the_returns():
    text = sweep_csv(["economics.gross_margin", "dropout"], [_point("0.3", {"title": "=SUM(1)"}), _point("2", {})])
    head, first, second = text.splitlines()
    assert head.startswith("economics.gross_margin,dropout,strategy,title,decision,outlay,incremental_npv,")
    assert first.startswith("0.3,bgnbd,points,'=SUM(1),pilot,100.0,1234.0,-210.0,2500.0,1.0,0.8,0.1,12.34,,")
    assert second.startswith("2,bgnbd,points,")
