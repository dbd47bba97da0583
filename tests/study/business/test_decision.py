"""The decision on a strategy, on the best set and what it is worth to learn more never contradict each other."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from cxsim.finance.information import evpi
from cxsim.finance.returns import Outcome, Rule, share_error, standard_error
from cxsim.reporting import decision_box
from cxsim.study.business.base_case import base_case
from cxsim.study.business.decision import DECISION, PORTFOLIO_ROW, additions, decision, of_best_set, reason_of
from cxsim.study.business.experiments import TEST_PLAN
from cxsim.study.business.portfolio import StrategySet, compared_sets
from cxsim.study.business.sensitivity import BREAK_EVENS
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
RULE = Rule(fund=0.9)
TITLES = {"a": "Offer A", "b": "Offer B", "c": "Offer C"}
# In each of four tests, which processes share.
TABLES = 2_500


def _rules(case, sets, plan=None, **changed):
    """Return the rule of each row, by strategy, with some columns of the returns changed."""
    study = case.study
    returns = study.returns.with_columns(**changed)
    table = decision(
        replace(study, returns=returns, test_plan=empty(TEST_PLAN) if plan is None else plan),
        base_case(study),
        empty(BREAK_EVENS),
        sets,
    )
    texts = table.select("strategy", pl.concat_str("rule", "learn", separator=" ").str.strip_chars())
    return {name: text.replace(NBSP, " ") for name, text in texts.iter_rows()}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ((5.0, 1.0, 0.95, 0.01), "95 % chance of a positive NPV; policy: fund from 90 %."),
        ((5.0, 1.0, 0.44, 0.01), "44 % chance of a positive NPV; policy: fund from 90 %."),
        # Rounded to the nearest per cent it would read 90 %.
        ((5.0, 1.0, 0.8967, 0.001), "89 % chance of a positive NPV; policy: fund from 90 %."),
        (
            (5.0, 1.0, 0.91, 0.01),
            (
                "91 % chance of a positive NPV; policy: fund from 90 %. The chance is within simulation error of that "
                "level; more draws would settle it."
            ),
        ),
        (
            (1.0, 1.0, 0.95, 0.01),
            "Expected NPV is less than two simulation errors from zero; more draws may settle its sign.",
        ),
        ((-5.0, 1.0, 0.92, 0.01), "Expected NPV is negative, and no test is worth running."),
        ((-5.0, 1.0, 0.92, 0.01, 3.0), "Expected NPV is negative, but a test is worth more than it costs."),
        ((0.0, 0.0, 0.0, 0.01), "Expected NPV is zero in every draw."),
    ],
)
def test_the_reason_is_what_the_rule_looks_at(outcome, reason):
    names = ("npv", "npv_error", "prob", "prob_error", "test")
    given = Outcome(**dict(zip(names, outcome, strict=False)))
    assert reason_of(given, RULE).replace(NBSP, " ") == reason


def test_where_no_set_gains_the_best_is_none_and_a_pilot_is_for_what_it_teaches(case):
    nothing = case.portfolio.with_columns(chosen=pl.col("members") == "")
    sentence = _rules(case, nothing, decision=pl.lit("reject"))[PORTFOLIO_ROW]
    assert sentence == "No set of programmes within the budget of USD 40,000 has a positive expected NPV."
    piloted = _rules(case, nothing, decision=pl.lit("pilot"))[PORTFOLIO_ROW]
    assert piloted == f"{sentence} A pilot is run for information; its own NPV may be negative."


def test_the_best_set_is_judged_like_a_strategy_and_its_members_first(case):
    sets = case.portfolio.with_columns(
        chosen=pl.col("name") == "points-programme+faster-delivery",
        npv=pl.lit(9.0),
        npv_mc_error=pl.lit(1.0),
        prob_npv_positive=pl.lit(0.99),
        prob_mc_error=pl.lit(0.01),
    )
    opening = "Highest expected NPV of all sets within the budget of USD 40,000. 99 % chance of a positive NPV;"
    assert _rules(case, sets, decision=pl.lit("fund"))[PORTFOLIO_ROW] == (
        f"{opening} policy: fund from 90 %. Win-back coupon would pay alone, but not within the budget or beside these."
    )
    assert _rules(case, sets, decision=pl.lit("pilot"))[PORTFOLIO_ROW] == (
        f"{opening} policy: fund from 90 %. Not to be funded yet: Points programme and Faster delivery."
    )


def test_what_a_strategy_adds_to_the_best_set_is_the_difference_of_two_sets():
    sets = pl.DataFrame(
        {
            "members": ["a", "a, b", "b", "", "a, b, c"],
            "title": ["Offer A", "Offer A + Offer B", "Offer B", "No programme", "All"],
            "chosen": [True, False, False, False, False],
            "gap": [0.0, 512.0, 900.0, 1_000.0, 700.0],
            "gap_mc_error": [0.0, 300.0, 90.0, 95.0, 310.0],
        }
    )
    # Of c alone beside a nothing is known.
    assert additions(sets).rows() == [("b", "Offer A", -512.0, 300.0)]
    assert additions(sets.with_columns(chosen=pl.col("members") == "")).is_empty()


@pytest.mark.parametrize(
    ("weeks", "sentence"),
    [
        (
            40.0,
            (
                "The pilot must show an extra contribution of at least USD 1.50 per customer, before what the "
                "programme spends, within 91 days: 1,234 customers in each of two groups, 40 weeks."
            ),
        ),
        (
            None,
            (
                "The pilot must show what the programme costs and how many customers take part. A test on contribution "
                "alone cannot show whether NPV is positive: it needs 1,234 customers in each of two groups, and only "
                "150 are available."
            ),
        ),
    ],
)
def test_a_pilot_states_what_it_must_show(case, weeks, sentence):
    row = {"strategy": "points-programme", "follow_up_days": 91, "difference": 1.5, "per_group": 1234}
    plan = pl.DataFrame([row | {"available": 150, "weeks": weeks, "chosen": True}], schema=empty(TEST_PLAN).schema)
    rules = _rules(case, case.portfolio, plan, decision=pl.lit("pilot"))
    assert rules["points-programme"].endswith(sentence)
    assert "each of two groups" not in rules["faster-delivery"]


def _drawn(random):
    """Return the sets of a shop with one to three strategies: gains with all kinds of skew, and what they add up to."""
    structures, draws = (int(random.integers(*ends)) for ends in ((1, 4), (8, 60)))
    count = int(random.choice((1, 2, 3), p=(0.4, 0.4, 0.2)))
    shape = (structures, draws)
    singles = []
    for name in [*TITLES][:count]:
        npv = random.normal(random.normal(0.0, 1.0), random.uniform(0.05, 2.0), shape)
        npv += random.choice((-1.0, 1.0)) * random.uniform(0.0, 30.0) * (random.random(shape) < 0.08)
        npv = np.zeros(shape) if random.random() < 0.02 else 1_000.0 * npv
        spend = random.uniform(1.0, 2_000.0) * random.uniform(0.5, 1.5, shape)
        singles.append(_set((name,), npv, spend, [npv], [spend]))
    some = int(random.integers(8, draws + 1))
    sets = [_set((), *[np.zeros(shape)] * 2, [np.zeros(shape)], [np.zeros(shape)]), *singles]
    for size in range(2, count + 1):
        for parts in combinations(singles, size):
            npvs, spends = [one.npv for one in parts], [one.investment for one in parts]
            npv = sum(npvs)[:, :some] + random.normal(random.normal(0.0, 500.0), 100.0, (structures, some))
            members = tuple(one.members[0] for one in parts)
            sets.append(_set(members, npv, sum(spends)[:, :some], npvs, spends))
    return sets, singles


def _set(members, npv, spend, npvs, spends):
    return StrategySet(
        members=members,
        npv=npv,
        investment=spend,
        payback=np.full(npv.shape, 12.0),
        parts_npv=sum(npvs),
        parts_investment=sum(spends),
    )


def _outcome(one, random):
    npv, structures = one.npv, len(one.npv)
    gains = npv.ravel() > 0.0
    return Outcome(
        npv=float(npv.mean()),
        npv_error=standard_error(npv.ravel(), structures),
        prob=float(gains.mean()),
        prob_error=share_error(gains, structures),
        # A test is worth no more than perfect information, less what it costs.
        test=_perfect([one]) * random.random() - random.choice((0.0, 200.0)),
    )


def _perfect(singles):
    npvs = [one.npv.ravel() for one in singles]
    return evpi(np.column_stack([np.zeros_like(npvs[0]), *npvs]), worlds_per_draw=len(singles[0].npv)).value


@pytest.mark.parametrize("seed", range(4))
def test_cards_sets_information_and_sentences_never_contradict_each_other(seed):
    random = np.random.default_rng(seed)
    seen = {"fund": 0, "pilot": 0, "reject": 0}
    for number in range(TABLES):
        sets, singles = _drawn(random)
        budget = random.choice((np.inf, random.uniform(0.0, 4_000.0)))
        titles = {one.members[0]: TITLES[one.members[0]] for one in singles}
        outcomes = {one.members[0]: _outcome(one, random) for one in singles}
        cards = {name: RULE.decision(outcome) for name, outcome in outcomes.items()}
        spends = {one.members[0]: one.spend for one in singles}
        for name, outcome in outcomes.items():
            seen[cards[name]] += 1
            _agree(cards[name], outcome, reason_of(outcome, RULE).replace(NBSP, " "))
        table = compared_sets(sets, titles, most=float(budget))
        best = table.filter("chosen").row(0, named=True)
        found, reason = of_best_set(best, cards, titles, RULE)
        members = set(best["members"].split(", ")) - {""}
        # One strategy has one NPV, wherever it stands.
        for row in table.filter(pl.col("place").is_not_null()).iter_rows(named=True):
            outcome = outcomes[row["name"]]
            assert row["npv"] == pytest.approx(outcome.npv, abs=1e-9)
            assert (row["npv_mc_error"], row["prob_npv_positive"]) == pytest.approx((outcome.npv_error, outcome.prob))
        for name, card in cards.items():
            if card == "fund" and spends[name] <= budget:
                assert best["npv"] >= outcomes[name].npv > 0.0
            if card == "fund" and name not in members:
                assert f"{titles[name]}" in reason.split("would pay alone")[0]
        assert (found == "reject") == (not members)
        if found == "fund":
            assert all(cards[name] == "fund" for name in members)
            assert best["npv"] > 0.0
            assert best["prob_npv_positive"] >= RULE.fund
        # Where perfect information is worth nothing, one choice is best in every draw, and it is the one made now.
        if _perfect(singles) == 0.0 and all(one.spend <= budget for one in singles) and len(singles) == 1:
            npv = singles[0].npv
            assert (npv >= 0.0).all() if members else (npv <= 0.0).all()
        if number % 50 == 0:
            _box_agrees(cards, outcomes, titles, spends, best | {"decision": found, "rule": reason})
    # Every verdict was met often enough to have been tried.
    assert min(seen.values()) > TABLES / 20


def _agree(card, outcome, reason):
    """Hold a decision to its outcome and to the sentence beside it."""
    if card == "fund":
        assert outcome.npv > 0.0
        assert outcome.prob >= RULE.fund
    if card == "reject":
        assert outcome.npv <= 0.0
        assert outcome.test <= 0.0
    assert ("negative" in reason) == (outcome.sign < 0)
    written = re.search(r"([\d.]+) % chance", reason)
    if written is not None and "than" not in reason.split("chance")[0]:
        assert (float(written[1]) < 100.0 * RULE.fund) == (outcome.prob < RULE.fund)
        assert outcome.npv > 0.0


def _box_agrees(cards, outcomes, titles, spends, best):
    """Hold the sentence that a reader takes away, and the title of each card, to the decisions."""
    rows = [
        {
            "strategy": name,
            "title": titles[name],
            "kind": "strategy",
            "decision": cards[name],
            "rule": reason_of(outcome, RULE),
            "learn": "",
            "npv": outcome.npv,
            "npv_mc_error": outcome.npv_error,
            "prob_npv_positive": outcome.prob,
            "prob_mc_error": outcome.prob_error,
            "investment": spends[name],
        }
        for name, outcome in outcomes.items()
    ]
    known = {name: best[name] for name in ("title", "decision", "rule", "npv", "npv_mc_error", "investment")}
    rows.append(
        known
        | {
            "strategy": PORTFOLIO_ROW,
            "kind": PORTFOLIO_ROW,
            "learn": "",
            "prob_npv_positive": best["prob_npv_positive"],
        }
    )
    schema = empty(DECISION).schema
    filled = pl.DataFrame(rows, schema=schema).with_columns(
        pl.col("prob_mc_error", "low", "high", "benefits").fill_null(0.0),
        pl.col("horizon_months", "annual_discount_rate", "revenue", "orders_per_year").fill_null(1.0),
        pl.col("customers", "draws", "new_customers", "new_customer_months", "models").fill_null(1),
        fund_probability=pl.lit(RULE.fund),
    )
    lead, _, *parts = decision_box(filled, "USD").text.splitlines()
    badges = {"fund": "Fund", "pilot": "Pilot first", "reject": "Do not fund"}
    # Of one strategy there are no sets to choose from.
    for row, text in zip(rows if len(cards) > 1 else rows[:1], parts, strict=False):
        badge = "Fund none" if row["strategy"] == PORTFOLIO_ROW and not best["members"] else badges[row["decision"]]
        assert text.startswith(f"{badge}: ")
    words = {"fund": "Fund", "pilot": "Pilot", "reject": "Do not fund"}
    for name, card in cards.items():
        assert re.search(rf"(^|\. ){words[card]} [^.]*{titles[name]}", lead)
