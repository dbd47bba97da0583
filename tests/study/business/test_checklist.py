"""The checklist judges each item by the facts of the study; the register gives each assumption owner and weight."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from cxsim.library import root
from cxsim.params import Unit
from cxsim.study.business.checklist import CHECKLIST, case_register, checklist, in_words
from cxsim.study.business.information import INFORMATION
from cxsim.study.business.sensitivity import TORNADO
from cxsim.tables import empty
from tests.simulated import assumed
from tests.study.conftest import small

DROPOUT = "strategies/points-programme/effects.dropout_1.ratio"
MARGIN = "economics/cdnow/gross_margin"
FIXED = "strategies/points-programme/effects.points_3.reward"


def _item(study, number):
    return checklist(study).row(number - 1, named=True)


def _with(study, **changes):
    return replace(study, scenario=replace(study.scenario, **changes))


def _measured(quantity):
    return replace(quantity, evidence="measured", source="books of 2026")


def test_there_are_28_items_and_not_all_of_them_are_here(study, snapshot):
    table = checklist(study)
    texts = (f"{number}. {item}: {state}. {answer} ({where})" for number, _, item, state, answer, where in table.rows())
    assert "\n".join(texts) == snapshot
    assert table.columns == list(CHECKLIST.columns)
    assert table["number"].to_list() == list(range(1, 29))
    assert set(table["state"]) == {"yes", "partly", "no"}


def test_the_discount_rate_needs_a_source(study):
    assert _item(study, 10)["state"] == "partly"
    economics = study.scenario.economics
    sourced = replace(economics, annual_discount_rate=_measured(economics.annual_discount_rate))
    assert _item(_with(study, economics=sourced), 10)["state"] == "yes"


def test_effects_that_are_all_assumed_are_not_measured(study):
    bare = tuple(
        replace(one, effects=tuple(_assumed(effect) for effect in one.effects)) for one in study.scenario.strategies
    )
    assert _item(_with(study, strategies=bare), 12)["state"] == "no"


def _assumed(effect):
    if not hasattr(effect, "ratio"):
        return effect
    return replace(effect, ratio=replace(effect.ratio, evidence="assumed"))


@pytest.mark.parametrize(
    ("reviewed_on", "state"), [(None, "partly"), (date(1999, 1, 1), "yes"), (date(2026, 11, 24), "partly")]
)
def test_prices_must_be_dated_and_of_the_time_of_the_orders(study, reviewed_on, state):
    # Orders end in June 1998; two years apart at most.
    economics = replace(study.scenario.economics, reviewed_on=reviewed_on)
    assert _item(_with(study, economics=economics), 15)["state"] == state


def test_one_dropout_model_is_part_of_the_uncertainty_only(study):
    several = _with(study, dropout="all")
    for number in (16, 20):
        assert (_item(study, number)["state"], _item(several, number)["state"]) == ("partly", "yes")
    assert _item(several, 20)["answer"].endswith("three dropout models with equal weight.")


def test_numbers_need_an_owner_and_one_that_is_measured(study):
    assert _item(study, 22)["state"] == "partly"
    assert _item(study, 22)["answer"].endswith("Not all have an owner.")
    scenario = study.scenario
    strategies = tuple(replace(one, owner="Head of loyalty") for one in scenario.strategies)
    economics = replace(scenario.economics, owner="Head of finance")
    owned = _with(study, strategies=strategies, economics=economics)
    assert _item(owned, 22)["answer"].endswith("All have an owner.")
    assert _item(owned, 22)["state"] == "partly"
    measured = replace(economics, gross_margin=_measured(economics.gross_margin))
    assert _item(_with(owned, economics=measured), 22)["state"] == "yes"


def test_a_scenario_made_by_hand_has_no_plan_that_can_be_found(study):
    assert _item(study, 4)["state"] == "no"
    stored = replace(study, manifest={"command": "cxsim report x", "commit": "0123456789abcdef with changes"})
    assert _item(stored, 4)["state"] == "partly"
    # Not the commit itself: a stored notebook would differ with every one.
    assert "the audit trail names the commit." in _item(stored, 4)["answer"]
    assert "0123456789" not in _item(stored, 4)["answer"]


def test_every_section_that_is_named_stands_in_the_report(study):
    notebook = json.loads((root() / "notebooks" / "02-compare-strategies.ipynb").read_text(encoding="utf-8"))
    lines = [line.strip() for cell in notebook["cells"] if cell["cell_type"] == "markdown" for line in cell["source"]]
    heads = {line.lstrip("# ") for line in lines if line.startswith("#")}
    # The audit trail is added to every report.
    assert set(checklist(study)["where"]) - heads == {"Appendix: audit trail", "Not reported"}


def _moved(*swings):
    """Return a table under TORNADO of numbers and swings; the rest of it does not matter here."""
    rows = [{"id": name, "swing": swing} for name, swing in swings]
    return pl.DataFrame(rows, schema=empty(TORNADO).schema)


def _by_id(register, name):
    return register.row(by_predicate=pl.col("id") == name, named=True)


def test_the_register_has_the_largest_swing_and_value_of_a_number_and_the_grade_of_its_source(study):
    tornado = _moved((MARGIN, 40.0), (MARGIN, 90.0), (DROPOUT, 70.0))
    worth = [{"id": DROPOUT, "worth": 5.0}, {"id": DROPOUT, "worth": 8.0}]
    register = case_register(study, tornado, pl.DataFrame(worth, schema=empty(INFORMATION).schema))
    found = {name: _by_id(register, name) for name in (MARGIN, DROPOUT, FIXED)}
    # The larger of 40 and 90 is ahead of 70. DROPOUT is of Gopalakrishnan et al. (2021), the margin is assumed.
    assert [found[MARGIN][name] for name in ("swing", "rank", "worth", "grade")] == [90.0, 1, None, "E"]
    assert [found[DROPOUT][name] for name in ("swing", "rank", "worth", "grade")] == [70.0, 2, 8.0, "B"]
    assert (found[FIXED]["rank"], found[FIXED]["grade"]) == (None, None)


def test_owner_and_day_are_those_of_the_file(study):
    scenario = study.scenario
    owned = replace(scenario.economics, owner="Head of finance", reviewed_on=date(2024, 2, 29))
    nobody = replace(scenario.strategies[0], owner=None, reviewed_on=None)
    changed = replace(scenario, economics=owned, strategies=(nobody, *scenario.strategies[1:]))
    register = case_register(replace(study, scenario=changed), _moved(), empty(INFORMATION))
    margin, dropout = _by_id(register, MARGIN), _by_id(register, DROPOUT)
    assert (margin["owner"], margin["reviewed_on"]) == ("Head of finance", date(2024, 2, 29))
    assert (dropout["owner"], dropout["reviewed_on"]) == (None, None)
    # The number stands in the scenario's own file, which has no owner.
    assert _by_id(register, "scenarios/cdnow-quick/stacking")["owner"] is None


def test_what_is_only_searched_is_not_shown_as_a_prior(study):
    first = small().strategies[0]
    searched = replace(first, mode="break-even", searches="effects.dropout_1.ratio")
    scenario = replace(study.scenario, strategies=(searched, *study.scenario.strategies[1:]))
    register = case_register(replace(study, scenario=scenario), _moved(), empty(INFORMATION))
    assert _by_id(register, DROPOUT)["distribution"] == "searched, no prior"


@pytest.mark.parametrize(
    ("unit", "value", "ends", "words"),
    [
        # ln(2) on both sides.
        (Unit.RATIO, 1.0, (0.5, 2.0), "log-normal"),
        # ln(0.3/0.2) = 0.405 below, ln(0.4/0.3) = 0.288 above.
        (Unit.MONEY_PER_ORDER, 0.3, (0.2, 0.4), "log-normal, wider below"),
        # Logits -1.735, -0.847 and -0.405: 0.888 below, 0.442 above.
        (Unit.SHARE, 0.3, (0.15, 0.4), "logit-normal, wider below"),
        # Logits -0.6633, -0.4055 and -0.1603: 0.2578 below, 0.2451 above, which differ by 4.9 % of the wider one.
        (Unit.SHARE, 0.4, (0.34, 0.46), "logit-normal"),
        (Unit.CORRELATION, 0.1, (0.0, 0.2), "normal"),
        (Unit.DEVIATIONS, -0.3, (-0.6, -0.05), "normal, wider below"),
        (Unit.RATIO, 1.0, (1.0, 1.3), "log-normal, above only"),
        (Unit.RATIO, 1.3, (1.0, 1.3), "log-normal, below only"),
        (Unit.SHARE, 0.0, (0.0, 0.0), "fixed"),
    ],
)
def test_a_distribution_is_named_by_its_scale_and_its_wider_side(unit, value, ends, words):
    assert in_words(assumed(value, unit, range=ends)) == words
