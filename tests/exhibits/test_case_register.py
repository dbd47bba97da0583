"""The register of a business case says of each number what is believed, on what ground, and how much depends on it."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.reporting.register import register_table
from cxsim.study.business.checklist import REGISTER
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_DROPOUT = {
    "id": "strategies/points/effects.dropout_1.ratio",
    "belongs_to": "Points",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "unit": "ratio",
    "value": 0.85,
    "low": 0.7,
    "high": 1.0,
    "distribution": "log-normal, wider below",
    "owner": "Head of loyalty",
    "evidence": "published",
    "grade": "B",
    "source": "Somebody (2021), Journal 40(3); grade B",
    "reviewed_on": date(2026, 11, 24),
    "swing": 12_345.0,
    "rank": 1,
    "worth": None,
}
_FEE = _DROPOUT | {
    "id": "strategies/points/effects.points_2.fee",
    "description": "Fee <now>",
    "unit": "money per order",
    **dict.fromkeys(("value", "low", "high"), 3.5),
    "distribution": "fixed",
    "evidence": "assumed",
    **dict.fromkeys(("grade", "source", "swing", "rank")),
}
_SHARE = _DROPOUT | {
    "id": "economics/shop/gross_margin",
    "belongs_to": "A shop",
    "description": "Share of the list price",
    "unit": "share",
    "value": 0.4,
    "low": 0.34,
    "high": 0.46,
    "evidence": "assumed",
    "grade": "E",
    **dict.fromkeys(("owner", "source", "reviewed_on")),
    "swing": 800.0,
    "rank": 2,
}


def _table(*rows):
    return register_table(pl.DataFrame(list(rows), schema=empty(REGISTER).schema), "USD")


def _html(*rows):
    return _table(*rows).html().replace(NBSP, " ").replace("\N{NON-BREAKING HYPHEN}", "-")


def test_the_title_counts_what_is_assumed_and_names_what_matters():
    assert _table(_SHARE, _FEE, _DROPOUT).title == (
        "2 of 3 numbers are assumed, 1 of them by choice; these two move the result most: members' chance of leaving; "
        "share of the list price"
    )
    assert (
        _table(_FEE).title
        == "1 of 1 numbers are assumed, 1 of them by choice, without evidence from this shop or another"
    )


def test_a_number_stands_with_its_range_its_spread_and_its_weight():
    html = _html(_DROPOUT, _SHARE)
    for cell in ("0.85 (0.7 to 1), ratio", "log-normal, wider below", "1: 12,300", "40 % (34 to 46 %)", "2: 800"):
        assert f">{cell}<" in html


def test_a_fixed_number_has_no_range_no_grade_and_no_weight():
    html = _html(_FEE)
    assert ">USD 3.50 per order<" in html
    assert html.count(">–<") == 2


def test_a_grade_is_said_once():
    assert ">Somebody (2021), Journal 40(3); grade B<" in _html(_DROPOUT)
    assert ">none; grade E<" in _html(_SHARE)


def test_the_head_says_which_file_who_answers_and_since_when():
    assert ">Points · strategies/points · answers for it: Head of loyalty · reviewed 2026-11-24<" in _html(_DROPOUT)
    assert ">A shop · economics/shop · answers for it: nobody named · never reviewed<" in _html(_SHARE)


def test_text_stays_text_and_the_twin_is_complete():
    assert "Fee &lt;now&gt;" in _html(_FEE)
    assert _table(_FEE).machine()["columns"] == list(REGISTER.columns)


def test_a_hundred_numbers_fit_into_sixty_kilobytes():
    # A description of an assumption in the bundled files has 82 characters on average, and seldom more than 200.
    rows = [_DROPOUT | {"id": f"strategies/points/{n}", "description": "x" * 120} for n in range(100)]
    assert len(_table(*rows).html().encode()) < 60_000
