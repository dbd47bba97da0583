"""A search says from which size on a strategy pays whose effect nobody has measured."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.errors import ParamError
from cxsim.strategies.strategy import load_strategy
from cxsim.study.break_even import break_even, search
from cxsim.study.run import run
from cxsim.tables import BREAK_EVEN, CURVE, check
from tests.study.conftest import small


@pytest.fixture(scope="module")
def searched():
    free = dataclasses.replace(load_strategy("packaging-gift"), costs=())
    return small(strategies=(free,), dropout="all", draws=2)


@pytest.fixture(scope="module")
def found(searched):
    return search(searched)


def test_a_gift_that_costs_nothing_pays_until_customers_leave_sooner(found):
    (row,) = check(found.break_even, BREAK_EVEN).rows(named=True)
    assert row["npv_low"] > 0.0 > row["npv_high"]
    # Without any cost it breaks even where the effect does nothing; with so few customers the NPV is 0 near there too.
    assert row["break_even"] == pytest.approx(1.0, abs=0.02)


def test_the_curve_runs_from_end_to_end_and_falls(found):
    curve = check(found.curve, CURVE)
    assert curve["size"].is_sorted()
    assert (curve["size"][0], curve["size"][-1]) == (0.7, 1.05)
    assert curve["npv"].is_sorted(descending=True)
    assert (curve["low"] <= curve["npv"]).all()
    assert found.break_even["break_even"][0] in curve["size"].to_list()


def test_one_strategy_alone_gives_the_same(searched, found):
    assert break_even(searched, "packaging-gift").equals(found.break_even)


def test_the_manifest_says_what_was_found_with_how_many_draws(searched, found):
    assert found.manifest["draws_searched"] == 2
    assert len(str(found.manifest["curve_sha256"])) == 64
    assert "ledger_sha256" not in found.manifest
    assert found.manifest == search(searched).manifest


def test_it_shows_itself_in_one_line_and_in_a_table(found):
    assert repr(found).startswith("Search(cdnow-quick; packaging-gift: ")
    assert "Small gift in every parcel" in found._repr_html_()
    assert found.strategies["strategy"].to_list() == ["packaging-gift"]


def test_progress_ends_at_its_total(searched):
    sentence: list[tuple[int, int]] = []
    search(searched, progress=lambda done, total: sentence.append((done, total)))
    assert sentence[-1][0] == sentence[-1][1]
    assert all(done < total for done, total in sentence[:-1])


def test_a_searched_strategy_beside_a_believed_one_moves_no_return(scenario, study):
    both = dataclasses.replace(scenario, strategies=(*scenario.strategies, load_strategy("packaging-gift")))
    found = run(both)
    assert found.returns.equals(study.returns)
    assert found.break_even["strategy"].to_list() == ["packaging-gift"]


def test_nothing_to_search_is_refused(scenario):
    with pytest.raises(ParamError, match="no strategy with mode: break-even"):
        search(scenario)
