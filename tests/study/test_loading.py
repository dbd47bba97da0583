"""Numbers that are set by hand: what is possible, what the register then says, and the way back to the text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cxsim.errors import ParamError
from cxsim.library import names
from cxsim.params import Unit
from cxsim.study.assumptions import assumptions, register, with_assumptions
from cxsim.study.loading import canonical, case_files, changed, changes_between, load_case, load_scenario
from cxsim.study.provenance import scenario_hash
from tests.simulated import assumed
from tests.study.plans import MADE, combination, made, plan, ratio, share

RATIO = "strategies.points-programme.effects.dropout_1.ratio"


def _numbers(scenario):
    return {identifier: quantity for identifier, _, quantity in assumptions(scenario)}


def test_a_number_becomes_known_and_every_other_stays():
    before, after = load_scenario("cdnow-quick"), load_scenario("cdnow-quick", "economics.gross_margin=0.5; draws=7")
    assert (after.draws, before.draws) == (7, 40)
    assert (after.economics.gross_margin.value, after.economics.gross_margin.range) == (0.5, (0.5, 0.5))
    old, new = _numbers(before), _numbers(after)
    assert [name for name in old if old[name] != new[name]] == ["economics/cdnow/gross_margin"]


def test_a_number_that_was_published_claims_no_publication_any_more():
    rows = {row["id"]: row for row in register(load_scenario("cdnow-quick", f"{RATIO}=0.9")).to_dicts()}
    row = rows["strategies/points-programme/effects.dropout_1.ratio"]
    assert (row["value"], row["low"], row["high"], row["evidence"], row["source"]) == (0.9, 0.9, 0.9, "assumed", None)
    assert row["description"].endswith(
        "Set by hand; the file has 0.85, 90 % range 0.7 to 1, published (gopalakrishnan-2021)."
    )


def test_settings_of_a_study_can_be_changed():
    text = "draws=7; horizon_months=12; seed=5; dropout=all; new_customers.per_month=9"
    found = load_scenario("cdnow-quick", text)
    assert (found.draws, found.horizon_months, found.seed, found.dropout) == (7, 12, 5, "all")
    assert found.new_customers.per_month == 9


def test_the_reason_for_one_model_of_leaving_is_that_of_the_file_or_the_hand():
    in_file = load_scenario("cdnow-quick")
    assert (in_file.dropout, bool(in_file.dropout_reason)) == ("bgnbd", True)
    by_hand = load_scenario("cdnow-quick", "dropout=paretonbd")
    assert (by_hand.dropout, by_hand.dropout_reason) == ("paretonbd", "Set by hand.")
    assert changes_between(in_file, by_hand) == "dropout=paretonbd"
    assert load_scenario("cdnow-quick", "dropout=all").dropout_reason == ""


def test_every_bundled_scenario_shows_three_models_of_leaving_or_says_why_not():
    for name in names("scenarios"):
        scenario = load_scenario(name)
        assert (scenario.dropout == "all") != bool(scenario.dropout_reason)


def test_behaviour_stacking_and_budget_can_be_changed():
    both = (plan("one", *MADE.strategies[0].effects), plan("two", *MADE.strategies[0].effects))
    scenario = made(*both, combinations=(combination("one", "two"),), stacking=share(0.5))
    path = next(name for name in _numbers(scenario) if name.startswith("behaviour/")).split("/")[2]
    after = changed(scenario, f"stacking=0.25; behaviour.{path}=0.125")
    assert after.stacking.value == 0.25
    assert _numbers(after)[f"behaviour/online-shop/{path}"].range == (0.125, 0.125)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("draws", r"change 'draws': it must be KEY=VALUE"),
        ("=3", r"change '=3': it must be KEY=VALUE"),
        ("draws=3; draws=4", "change 'draws': it is written twice, as 3 and as 4"),
        ("draws=3.5", "change 'draws': must be a whole number, such as 40; found '3.5'"),
        ("draws=1", "cdnow-quick with draws=1: draws must be 2 to 10,000; found 1"),
        ("dropout=bgnb", r"change 'dropout': 'bgnb' is not possible; did you mean 'bgnbd'\?"),
        ("economics.gross_margin=0,5", r"must be a number with a point, such as 0.4; found '0,5'"),
        ("economics.gross_margin=nan", r"must be a number with a point, such as 0.4; found 'nan'"),
        ("economics.gross_margin=1e999", r"value and range must be finite numbers"),
        ("economics.gross_margin=1.5", r"change 'economics.gross_margin=1.5': .* outside what the unit 'share' allows"),
        ("economics.gros_margin=0.5", r"no such number; did you mean 'economics.gross_margin'\? All 13: its files"),
        (RATIO.replace("ratio", "ratoi") + "=1", rf"did you mean '{RATIO}'\?"),
        ("strategies.points-program.uptake=1", r"did you mean 'strategies.points-programme.reach.uptake'\?"),
        ("margin=0.5", r"change 'margin': cdnow-quick has no such number; did you mean 'economics.gross_margin'"),
        ("new_customers.per_month=0", r"change 'new_customers.per_month=0': per_month must be 1 or more"),
        ("horizon_months=6", r"new_customers.months \(12\) is beyond the horizon"),
    ],
)
def test_a_change_is_refused_when(text, words):
    with pytest.raises(ParamError, match=words):
        load_scenario("cdnow-quick", text)


SEARCHED = load_scenario("cdnow-vip-tiers")


@pytest.mark.parametrize(
    ("scenario", "text", "words"),
    [
        (MADE, "new_customers.per_month=5", "made has no new customers; write new_customers in its file"),
        (MADE, "stacking=0.5", r"change 'stacking': made has no such number; none is near; possible are economics\."),
        (
            SEARCHED,
            f"strategies.{SEARCHED.searched[0].name}.{SEARCHED.searched[0].searches}=0.9",
            r"it has no prior \(mode: break-even\)",
        ),
    ],
    ids=["no arrivals", "not written", "searched"],
)
def test_a_number_that_the_scenario_does_not_assume_cannot_be_set(scenario, text, words):
    with pytest.raises(ParamError, match=words):
        changed(scenario, text)


def test_a_valuation_is_not_changed_so():
    with pytest.raises(ParamError, match="cdnow-value is a valuation, and only the numbers of a scenario"):
        load_case("cdnow-value", "draws=40")
    assert load_case("cdnow-quick", "draws=7").draws == 7


@pytest.mark.parametrize(
    ("text", "one_spelling"),
    [
        ("economics.gross_margin=.50;draws=+040", "draws=40; economics.gross_margin=0.5"),
        ("behaviour.x=1e3; a.b=-0.0", "a.b=0; behaviour.x=1000"),
        ("dropout=all", "dropout=all"),
        ("", ""),
    ],
)
def test_changes_have_one_spelling(text, one_spelling):
    assert canonical(text) == canonical(canonical(text)) == one_spelling


def test_changes_are_found_again_from_the_scenario():
    before = load_scenario("cdnow-quick")
    text = f"draws=7; dropout=all; economics.gross_margin=0.123456789; {RATIO}=0.9"
    after = changed(before, text)
    assert changes_between(before, after) == text
    assert changes_between(before, before) == ""
    # Setting a number to what stands there is a change: its range is gone.
    assert changes_between(before, changed(before, "economics.gross_margin=0.4")) == "economics.gross_margin=0.4"


@pytest.mark.parametrize(
    "after",
    [
        replace(MADE, title="Another"),
        made(plan("other", *MADE.strategies[0].effects)),
        with_assumptions(MADE, {"economics/cdnow-service/gross_margin": 0.5}),
        replace(MADE, budget=assumed(5.0, Unit.MONEY)),
        made(plan("plan", replace(MADE.strategies[0].effects[0], ratio=ratio(1.2, (1.1, 1.3))))),
    ],
    ids=["title", "strategy", "by a function", "budget", "range"],
)
def test_what_no_change_can_make_has_none(after):
    assert changes_between(MADE, after) is None


def test_the_hash_of_a_scenario_knows_its_changes():
    hashes = {
        scenario_hash(load_scenario("cdnow-quick", text)) for text in ("", "draws=7", "economics.gross_margin=0.4")
    }
    assert len(hashes) == 3


def test_the_files_of_a_case_are_its_own_and_those_it_names():
    names = {f"{path.parent.name}/{path.name}" for path in case_files("cdnow-service")}
    assert {"scenarios/cdnow-service.yaml", "params/sources.yaml", "economics/cdnow-service.yaml"} < names
    assert "behaviour/online-shop.yaml" in names
    assert [path.name for path in case_files("cdnow-value")] == ["cdnow-value.yaml", "sources.yaml"]
    # Where the orders are simulated, their shop's file moves the result too.
    assert "shops" in {path.parent.name for path in case_files("skin-care-programmes")}
