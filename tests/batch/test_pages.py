"""The page about many reports says their questions and decisions, loads nothing, runs nothing, and escapes all text."""

from __future__ import annotations

import html
import re

import polars as pl
import pytest

from cxsim.reporting.sweep import PointReturns, size, sweep_csv, sweep_page, write_reports_index
from cxsim.tables import RETURNS
from tests.batch.conftest import ROW

_SCHEMA = {name: kinds[0] for name, kinds in RETURNS.columns.items()}


def _point(value, *rows):
    table = pl.DataFrame([{**ROW, **row} for row in rows], schema=_SCHEMA)
    values = (("economics.gross_margin", value), ("dropout", "bgnbd"))
    return PointReturns(values=values, returns=table, page=None, folder=f"dropout=bgnbd,economics.gross_margin={value}")


def _require_offline(page):
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"\son\w+=|https?:|src=|@import", page.replace("http-equiv", ""))


def test_the_index_lists_question_decision_interval_page_tables_and_size(made):
    (made.reports / "notes.html").write_text("my own")
    text = write_reports_index(made.reports).read_text(encoding="utf-8")
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


def test_the_index_is_the_same_bytes_and_leaves_out_what_is_not_whole(made):
    first = write_reports_index(made.reports).read_bytes()
    assert write_reports_index(made.reports).read_bytes() == first
    (made.reports / "one" / "returns.csv").write_text("torn")
    text = write_reports_index(made.reports).read_text(encoding="utf-8")
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
    assert "One combination could not be played out and is left out." in text


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


@pytest.mark.parametrize(("number", "words"), [(0, "1 kB"), (1_499, "1 kB"), (949_999, "950 kB"), (950_000, "0.9 MB")])
def test_a_size_is_in_words(number, words):
    assert size(number).replace("\N{NO-BREAK SPACE}", " ") == words
