"""Reports are compared by the tables that they carry; a sweep simulates every combination once."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from cxsim.errors import ParamError, ReportError
from cxsim.reporting.build import page_name, report_task
from cxsim.reporting.comparison import AssumptionMove, ResultMove, TableMove, compare
from cxsim.reporting.sweep import PointReturns, grid, sweep_csv, sweep_page
from cxsim.reporting.twins import Twin, embedded
from cxsim.tables import RETURNS as RETURNS_CONTRACT
from tests.reporting.conftest import ROW, require_offline

HEAD = '<!DOCTYPE html><meta name="generator" content="cxsim">'
RETURNS = ("strategy", "title", "decision", "incremental_npv", "npv_mc_error", "roi", "roi_mc_error", "draws")
POINTS = ("points", "Points", "reject", 100.0, 4.0, 0.5, 0.0625, 40)
COUPON = ("coupon", "Coupon", "fund", -5.0, 1.0, None, None, 40)
ASSUMED = ("id", "belongs_to", "description", "unit", "value", "low", "high", "evidence", "source")
MARGIN = ("shop/margin", "Shop", "Margin", "share", 0.4, 0.3, 0.5, "assumed", None)
FEE = ("shop/fee", "Shop", "Fee", "money", 2.0, 2.0, 2.0, "measured", None)


def _twin(name, columns, *rows):
    return Twin(id=name, title=name.capitalize(), columns=columns, rows=rows)


def _report(path, *twins, **provenance):
    entries = {"seed": 7, "versions": {"polars": "1"}, **provenance}
    tables = f'<script id="tables" type="application/json">{embedded(twins)}</script>' if twins else ""
    text = f'{HEAD}<script id="provenance" type="application/json">{json.dumps(entries)}</script>{tables}'
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def pair(tmp_path):
    def made(before, after, **changes):
        return compare(_report(tmp_path / "a.html", *before), _report(tmp_path / "b.html", *after, **changes))

    return made


def test_the_same_report_twice_is_identical_and_nothing_moved(pair):
    tables = [_twin("returns", RETURNS, POINTS), _twin("assumptions", ASSUMED, MARGIN)]
    found = pair(tables, tables)
    assert (found.identical, found.moved, found.ingredients) == (True, False, ())


def test_another_seed_and_version_are_ingredients_and_move_nothing_by_themselves(tmp_path):
    table = _twin("returns", RETURNS, POINTS)
    old = {"tables_sha256": {"returns.csv": "0"}, "report": {"page": "a.html", "paths_outside": []}}
    new = {"tables_sha256": {"returns.csv": "1"}, "report": {"page": "b.html", "paths_outside": ["shop"]}}
    before = _report(tmp_path / "a.html", table, **old)
    found = compare(before, _report(tmp_path / "b.html", table, seed=8, versions={"polars": "2"}, **new))
    assert [(one.where, one.before, one.after, one.about) for one in found.ingredients] == [
        ("seed", "7", "8", "content"), ("versions.polars", "1", "2", "program"),
    ]  # fmt: skip
    assert (found.identical, found.moved) == (False, False)


def test_assumptions_are_changed_removed_and_added_field_by_field(pair):
    changed = (*MARGIN[:5], 0.35, 0.5, "published", "fisher-2019")
    new = ("shop/gift", "Shop", "Gift", "money", 1.5, 1.0, 2.0, "assumed", None)
    found = pair([_twin("assumptions", ASSUMED, MARGIN, FEE)], [_twin("assumptions", ASSUMED, new, changed)])
    sentence = {"belongs_to": "Shop", "description": "Margin", "unit": "share", "id": "shop/margin", "how": "changed"}
    assert found.assumptions[:3] == (
        AssumptionMove(**sentence, field="low", before=0.3, after=0.35),
        AssumptionMove(**sentence, field="evidence", before="assumed", after="published"),
        AssumptionMove(**sentence, field="source", before=None, after="fisher-2019"),
    )
    assert [(one.how, one.id, one.before, one.after) for one in found.assumptions[3:]] == [
        ("removed", "shop/fee", 2.0, None), ("added", "shop/gift", None, 1.5),
    ]  # fmt: skip
    assert found.moved


def test_the_register_tells_a_change_of_owner(pair):
    columns = (*ASSUMED, "owner")
    found = pair(
        [_twin("register", columns, (*MARGIN, "Ann")), _twin("assumptions", ASSUMED, MARGIN)],
        [_twin("register", columns, (*MARGIN, "Ben")), _twin("assumptions", ASSUMED, MARGIN)],
    )
    assert [(one.field, one.before, one.after) for one in found.assumptions] == [("owner", "Ann", "Ben")]


def test_a_result_that_moved_by_more_than_both_errors_is_listed_apart_from_one_that_did_not(pair):
    # Both errors of the value: 4 + 3 = 7, and it moved by 8; of the return: 1/16 + 1/16 = 1/8, and it moved by 1/8.
    after = ("points", "Points", "fund", 108.0, 3.0, 0.625, 0.0625, 80)
    found = pair([_twin("returns", RETURNS, POINTS)], [_twin("returns", RETURNS, after)])
    sentence = {"table": "returns", "strategy": "points", "title": "Points"}
    assert found.results == (
        ResultMove(**sentence, figure="decision", before="reject", after="fund", errors=None, against="no error known"),
        ResultMove(**sentence, figure="incremental_npv", before=100.0, after=108.0, errors=7.0, against="beyond error"),
        ResultMove(**sentence, figure="roi", before=0.5, after=0.625, errors=0.125, against="within error"),
        ResultMove(**sentence, figure="draws", before=40, after=80, errors=None, against="no error known"),
    )


def test_a_strategy_that_only_one_report_has_is_listed_once(pair):
    found = pair([_twin("returns", RETURNS, POINTS)], [_twin("returns", RETURNS, COUPON)])
    assert [(one.strategy, one.figure, one.before, one.after) for one in found.results] == [
        ("points", "strategy", "points", None), ("coupon", "strategy", None, "coupon"),
    ]  # fmt: skip


def test_a_figure_that_is_gone_has_moved_without_a_known_error(pair):
    (move,) = pair(
        [_twin("returns", RETURNS, (*COUPON[:5], 0.2, 0.1, 40))], [_twin("returns", RETURNS, COUPON)]
    ).results
    assert (move.figure, move.before, move.after, move.against) == ("roi", 0.2, None, "no error known")


def test_a_decision_that_stands_in_two_tables_is_listed_once(pair):
    def tables(word):
        row = (*POINTS[:2], word, *POINTS[3:])
        best = ("portfolio", "Best", word)
        decision = _twin("decision", ("strategy", "title", "decision"), row[:3], best)
        return [_twin("returns", RETURNS, row), decision]

    found = pair(tables("reject"), tables("pilot"))
    assert [(one.table, one.strategy) for one in found.results] == [("returns", "points"), ("decision", "portfolio")]


def test_what_a_register_says_beside_the_assumptions_is_listed_as_a_table(pair):
    columns = (*ASSUMED, "swing")
    found = pair(
        [_twin("register", columns, (*MARGIN, 10.0), (*FEE, 1.0))],
        [_twin("register", columns, (*MARGIN[:4], 0.5, *MARGIN[5:], 12.0))],
    )
    assert [(one.how, one.id) for one in found.assumptions] == [("changed", "shop/margin"), ("removed", "shop/fee")]
    assert found.tables == (
        TableMove(id="register", title="Register", what="1 cell", first="register, row shop/margin, column swing"),
    )


def test_further_tables_are_listed_with_how_much_of_them_differs(pair):
    old = [_twin("worth", ("who", "clv"), ("a", 1.0), ("b", 2.0)), _twin("gone", ("a",), (1,)), _twin("longer", ("a",))]
    new = [
        _twin("worth", ("who", "clv"), ("a", 1.5), ("b", 2.0)),
        _twin("new", ("a",), (1,)),
        _twin("longer", ("a",), ("b",)),
    ]
    assert pair(old, new).tables == (
        TableMove(id="gone", title="Gone", what="only in the first report", first=""),
        TableMove(id="longer", title="Longer", what="1 row in one report only", first="longer, row b"),
        TableMove(id="new", title="New", what="only in the second report", first=""),
        TableMove(id="worth", title="Worth", what="1 cell", first="worth, row a, column clv"),
    )


def test_a_table_that_no_page_carries_is_compared_by_its_hash(tmp_path):
    pages = [
        _report(tmp_path / f"{name}.html", _twin("returns", RETURNS, POINTS), tables_sha256={"long.csv": name})
        for name in ("a", "b")
    ]
    assert compare(*pages).tables == (
        TableMove(id="long", title="", what="differs; not embedded in both pages", first=""),
    )
    assert compare(pages[0], pages[0]).tables == ()


def test_a_page_without_tables_and_tables_that_were_not_written_by_the_report_are_refused(tmp_path):
    bare = _report(tmp_path / "b.html", command="cxsim report x")
    with pytest.raises(ReportError, match=r"the page carries no tables, .* rebuild it with cxsim report x"):
        compare(bare, bare)
    page = _report(tmp_path / "a.html", _twin("returns", RETURNS, POINTS))
    page.write_text(page.read_text(encoding="utf-8").replace('"columns"', '"heads"'), encoding="utf-8")
    with pytest.raises(ReportError, match=r"a\.html: the tables inside the page are not what"):
        compare(page, page)


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
        (["draws=2,02"], "'draws=2,02': a value is listed twice"),
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
    with pytest.raises(ParamError, match="the effects of one have no prior"):
        grid("one", ["draws=2"])


def test_a_file_is_called_after_the_case_and_its_changes_and_names_that_are_too_long_stay_apart(shop):
    assert report_task("one").page == shop.reports / "one.html"
    changed = report_task("one", changes="economics.gross_margin=0.5; draws=3")
    assert changed.page == shop.reports / "one,draws=3,economics.gross_margin=0.5.html"
    assert changed.folder == shop.reports / "one,draws=3,economics.gross_margin=0.5"
    assert dict(changed.work.parameters) == {"scenario": "one", "changes": "draws=3; economics.gross_margin=0.5"}
    assert dict(report_task("one").work.parameters) == {"scenario": "one"}
    names = {page_name("s", "; ".join(f"{key * 50}={value}" for key in "abc")) for value in (1, 2)}
    assert len(names) == 2
    assert all(len(name) < 160 for name in names)


def test_a_case_of_the_name_of_the_index_is_refused(shop):
    file = shop.folder / "params" / "scenarios" / "one.yaml"
    file.rename(file.with_name("index.yaml"))
    with pytest.raises(ParamError, match="'index' would overwrite the index of all reports"):
        report_task("index")


_SCHEMA = {name: kinds[0] for name, kinds in RETURNS_CONTRACT.columns.items()}


def _point(value, *rows):
    table = pl.DataFrame([{**ROW, **row} for row in rows], schema=_SCHEMA)
    values = (("economics.gross_margin", value), ("dropout", "bgnbd"))
    files = {"Returns": f"dropout=bgnbd,economics.gross_margin={value}/returns.csv"}
    return PointReturns(values=values, returns=table, files=files)


def test_a_sweep_shows_points_against_strategies_and_marks_the_highest_by_a_word():
    points = [
        _point("0.3", {}, {"strategy": "coupon", "title": "Coupon", "incremental_npv": 2_000.0, "decision": "fund"}),
        _point("0.4", {}, {"strategy": "coupon", "title": "Coupon", "incremental_npv": 1_000.0, "decision": "reject"}),
    ]
    text = sweep_page("Q <script>", "USD", keys=["economics.gross_margin", "dropout"], points=points, missing=1)
    require_offline(text)
    assert "<h1>Q &lt;script&gt;</h1>" in text
    first, second = (row for row in text.split("<tr>") if "bgnbd" in row)
    assert re.search(r"<strong>1,230</strong>(?! \(highest\)).*<strong>2,000</strong> \(highest\)", first, re.DOTALL)
    assert re.search(r"<strong>1,230</strong> \(highest\).*<strong>1,000</strong>(?! \(highest\))", second, re.DOTALL)
    assert "Fund" in first
    assert "Do not fund" in second
    assert 'href="./dropout%3Dbgnbd%2Ceconomics.gross_margin%3D0.3/returns.csv"' in first
    assert "One combination could not be simulated and were left out." in text
    # One strategy alone is not called the highest.
    alone = sweep_page("Q", "USD", keys=["a", "dropout"], points=[_point("0.3", {})], missing=0)
    assert "(highest)" not in alone
    assert "left out" not in alone


def test_the_table_of_a_sweep_has_the_swept_values_before_the_returns():
    text = sweep_csv(["economics.gross_margin", "dropout"], [_point("0.3", {"title": "=SUM(1)"}), _point("2", {})])
    head, first, second = text.splitlines()
    assert head.startswith("economics.gross_margin,dropout,strategy,title,decision,investment,incremental_npv,")
    assert first.startswith("0.3,bgnbd,points,'=SUM(1),pilot,100.0,1234.0,-210.0,2500.0,1.0,0.8,0.1,12.34,,")
    assert second.startswith("2,bgnbd,points,")
