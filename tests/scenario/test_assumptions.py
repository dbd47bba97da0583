from __future__ import annotations

import pytest

from cxsim.errors import ParamError
from cxsim.study.assumptions import assumptions, register, source_table, with_assumptions
from cxsim.study.loading import load_scenario
from cxsim.tables import ASSUMPTIONS, check

QUICK = load_scenario("cdnow-quick")


def test_every_number_of_shop_and_strategies_is_listed_once():
    identifiers = [identifier for identifier, _, _ in assumptions(QUICK)]
    assert len(set(identifiers)) == len(identifiers)
    assert identifiers[0] == "economics/cdnow/gross_margin"
    assert "strategies/points-programme/effects.dropout_1.ratio" in identifiers
    assert "strategies/win-back-coupon/reach.after_idle_days" in identifiers
    assert "strategies/faster-delivery/costs.per_order_2.amount" in identifiers


def test_values_put_in_are_known_and_all_others_stay():
    changed = with_assumptions(QUICK, {"economics/cdnow/gross_margin": 0.5})
    before = {identifier: quantity for identifier, _, quantity in assumptions(QUICK)}
    after = {identifier: quantity for identifier, _, quantity in assumptions(changed)}
    assert [name for name in before if before[name] != after[name]] == ["economics/cdnow/gross_margin"]
    assert after["economics/cdnow/gross_margin"].range == (0.5, 0.5)


def test_values_of_their_own_change_nothing_but_the_spread():
    values = {identifier: quantity.value for identifier, _, quantity in assumptions(QUICK)}
    changed = with_assumptions(QUICK, values)
    assert {identifier: quantity.value for identifier, _, quantity in assumptions(changed)} == values


def test_an_assumption_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match="did you mean 'economics/cdnow/gross_margin'"):
        with_assumptions(QUICK, {"economics/cdnow/gros_margin": 0.5})


def test_the_register_shows_range_evidence_and_the_source_in_words():
    table = check(register(QUICK), ASSUMPTIONS)
    assert table.height == len(list(assumptions(QUICK)))
    row = table.filter(id="strategies/points-programme/effects.dropout_1.ratio").row(0, named=True)
    assert (row["low"], row["value"], row["high"]) == (0.7, 0.85, 1.0)
    assert row["evidence"] == "published"
    assert row["source"].startswith("Gopalakrishnan, Jiang, Nevskaya and Thomadsen (2021), ")
    assert row["source"].endswith("grade B")
    assert table.filter(evidence="assumed")["source"].null_count() == table.filter(evidence="assumed").height


def test_the_sources_are_those_cited_and_no_others():
    cited = {quantity.source for _, _, quantity in assumptions(QUICK)} - {None}
    assert source_table(QUICK)["id"].to_list() == sorted(cited)
