"""`cxsim compare` prints what moved between two reports, for readers and as JSON."""

from __future__ import annotations

import json

import pytest

from tests.audit.test_comparing import ASSUMED, FEE, MARGIN, POINTS, RETURNS, _report, _twin


@pytest.fixture
def pair(project):
    moved = ("points", "Points", "fund", 108.0, 3.0, 0.625, 0.0625, 40)
    one = _report(project.folder / "a.html", _twin("returns", RETURNS, POINTS), _twin("assumptions", ASSUMED, MARGIN))
    other = _report(
        project.folder / "b.html",
        _twin("returns", RETURNS, moved),
        _twin("assumptions", ASSUMED, (*MARGIN[:4], 0.45, *MARGIN[5:]), FEE),
        _twin("worth", ("who",), ("a",)),
        seed=8,
    )
    return one, other


def test_identical_reports_are_said_to_be_so(project, pair):
    sentence = project("compare", "--exit-code", pair[0], pair[0])
    assert (sentence.code, sentence.out) == (0, "a.html and a.html are the same, to the byte.\n")


def test_what_moved_is_sentence_table_by_table(project, pair):
    sentence = project("compare", *pair)
    assert (sentence.code, sentence.err) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in sentence.out.splitlines()]
    assert "a.html → b.html" in lines
    assert "seed 7 8" in lines
    assert "Shop Margin value 0.4 0.45 share" in lines
    assert "Shop Fee added – 2 money" in lines
    assert "Points decision reject fund –" in lines
    assert "Points incremental npv 100 108 7 yes" in lines
    assert "Points roi 0.5 0.625 0.125 no" in lines
    assert "worth only in the second report" in lines


def test_the_exit_code_tells_whether_anything_moved_only_when_asked(project, pair):
    assert project("compare", "--exit-code", *pair).code == 1
    same = _report(project.folder / "c.html", _twin("returns", RETURNS, POINTS), seed=9)
    again = _report(project.folder / "d.html", _twin("returns", RETURNS, POINTS), seed=8)
    sentence = project("compare", "--exit-code", same, again)
    assert sentence.code == 0
    assert sentence.out.endswith("No assumption, no result and no table moved.\n")


def test_json_holds_everything_with_all_digits(project, pair):
    sentence = project("compare", "--json", *pair)
    content = json.loads(sentence.out)
    assert (content["identical"], content["moved"]) == (False, True)
    assert content["ingredients"] == [{"what": "seed", "before": "7", "after": "8", "about": "content"}]
    assert content["results"][1] == {
        "table": "returns",
        "strategy": "points",
        "title": "Points",
        "figure": "incremental_npv",
        "before": 100.0,
        "after": 108.0,
        "errors": 7.0,
        "against": "beyond error",
    }
    assert [one["how"] for one in content["assumptions"]] == ["changed", "added"]


def test_what_is_no_report_is_refused(project, pair):
    page = project.folder / "other.html"
    page.write_text("<html></html>", encoding="utf-8")
    assert "other.html: this is no report of cxsim" in project("compare", pair[0], page).error
