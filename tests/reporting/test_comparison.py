"""Two reports are compared by the tables that they carry."""

from __future__ import annotations

import json

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.comparison import AssumptionMove, ResultMove, TableMove, compare
from cxsim.reporting.workbook import Twin, embedded

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
    paid = (*COUPON[:5], 0.2, 0.1, 40)
    (move,) = pair([_twin("returns", RETURNS, paid)], [_twin("returns", RETURNS, COUPON)]).results
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
    old = [_twin("worth", ("who", "clv"), ("a", 1.0), ("b", 2.0)), _twin("gone", ("a",), (1,))]
    new = [_twin("worth", ("who", "clv"), ("a", 1.5), ("b", 2.0)), _twin("new", ("a",), (1,))]
    assert pair(old, new).tables == (
        TableMove(id="gone", title="Gone", what="only in the first report", first=""),
        TableMove(id="new", title="New", what="only in the second report", first=""),
        TableMove(id="worth", title="Worth", what="1 cell", first="worth, row a, column clv"),
    )


def test_a_table_with_a_row_more_says_so(pair):
    found = pair([_twin("worth", ("who",), ("a",))], [_twin("worth", ("who",), ("a",), ("b",))])
    assert [(one.what, one.first) for one in found.tables] == [("1 row only in one of them", "worth, row b")]


def test_a_table_that_no_page_carries_is_compared_by_its_hash(tmp_path):
    pages = [
        _report(tmp_path / f"{name}.html", _twin("returns", RETURNS, POINTS), tables_sha256={"long.csv": name})
        for name in ("a", "b")
    ]
    assert compare(*pages).tables == (
        TableMove(id="long", title="", what="it differs; the pages do not both carry it", first=""),
    )
    assert compare(pages[0], pages[0]).tables == ()


def test_a_page_without_tables_is_refused(tmp_path):
    bare = _report(tmp_path / "a.html", command="cxsim report x")
    with pytest.raises(ReportError, match=r"the page carries no tables, .* make it anew with cxsim report x"):
        compare(bare, bare)


def test_tables_that_were_not_written_by_the_report_are_refused(tmp_path):
    page = _report(tmp_path / "a.html", _twin("returns", RETURNS, POINTS))
    page.write_text(page.read_text(encoding="utf-8").replace('"columns"', '"heads"'), encoding="utf-8")
    with pytest.raises(ReportError, match=r"a\.html: the tables inside the page are not what"):
        compare(page, page)


def test_a_report_that_was_really_made_is_identical_to_itself(project):
    assert compare(project.html, project.html).identical
