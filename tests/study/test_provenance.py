"""A table's hash hangs on what it says alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from cxsim.clv.fit import fit
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise
from cxsim.errors import ParamError
from cxsim.library import root
from cxsim.strategies.effects import Basket, Dropout
from cxsim.study.assumptions import assumptions, cautions, gain_of_faster_orders, register, with_assumptions
from cxsim.study.loading import load_scenario
from cxsim.study.provenance import file_hash, manifest, scenario_hash, table_hash
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from cxsim.tables import ASSUMPTIONS, CAUTIONS, check
from tests.study.plans import FASTER, combination, made, plan, ratio, share

TABLE = pl.DataFrame({"name": ["b", "a", None], "amount": [1.5, None, 0.0], "day": [date(2024, 1, 1)] * 3})


def test_the_same_table_has_the_same_hash_however_it_is_stored():
    halves = pl.concat([TABLE.head(1), TABLE.tail(2)], rechunk=False)
    assert table_hash(halves) == table_hash(TABLE)


def test_another_value_name_order_or_gap_has_another_hash():
    others = [
        TABLE.with_columns(amount=pl.Series([1.5, 0.0, 0.0])),
        TABLE.with_columns(amount=pl.Series([1.5, None, 1.0])),
        TABLE.rename({"amount": "value"}),
        TABLE.reverse(),
    ]
    assert len({table_hash(other) for other in [TABLE, *others]}) == 5


@pytest.fixture(scope="module")
def rfm():
    return pl.DataFrame({"customer_id": ["a", "b", "ä"], "monetary_value": [1.0, None, 3.0]})


def test_two_runs_have_the_same_manifest(study, scenario):
    assert json.dumps(dict(run(scenario).manifest), sort_keys=True) == json.dumps(dict(study.manifest), sort_keys=True)


def test_one_digit_of_one_assumption_is_another_scenario(scenario):
    points, *others = scenario.strategies
    changed = replace(points, reach=replace(points.reach, uptake=points.reach.uptake.at(0.41)))
    assert scenario_hash(replace(scenario, strategies=(changed, *others))) != scenario_hash(scenario)
    assert scenario_hash(replace(scenario)) == scenario_hash(scenario)


def test_a_scenario_of_the_project_names_its_files_and_its_command(study, rfm):
    found = manifest(load_scenario("cdnow-quick"), rfm, study.ledger)
    assert found["command"] == "cxsim report cdnow-quick"
    assert list(found["parameters_sha256"]) == [
        "economics/cdnow.yaml", "sources.yaml", "strategies/points-programme.yaml", "strategies/win-back-coupon.yaml",
        "strategies/faster-delivery.yaml", "scenarios/cdnow-quick.yaml",
    ]  # fmt: skip


def test_a_scenario_that_was_changed_by_hand_claims_no_command_that_makes_it_again(study):
    assert study.scenario.name == "cdnow-quick"
    assert "command" not in study.manifest
    assert "parameters_sha256" not in study.manifest


def test_the_manifest_says_how_money_is_counted(study):
    economics, found = study.scenario.economics, study.manifest
    assert (found["currency"], found["timing"]) == (economics.currency, economics.timing) == ("USD", "mid")
    assert found["annual_discount_rate"] == economics.annual_discount_rate.value
    assert found["horizon_months"] == study.scenario.horizon_months


def test_outside_of_git_there_is_no_commit(study, rfm, tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert manifest(study.scenario, rfm, study.ledger)["commit"] is None


def test_a_change_after_the_commit_is_stated(study, rfm, tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    note = tmp_path / "params" / "note"
    note.write_text("one")
    monkeypatch.chdir(tmp_path)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "m"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    clean = manifest(study.scenario, rfm, study.ledger)["commit"]
    assert len(clean) == 40
    note.write_text("two")
    assert manifest(study.scenario, rfm, study.ledger)["commit"] == f"{clean} with changes"


QUICK = load_scenario("cdnow-quick")


def test_every_number_of_shop_and_strategies_is_listed_once():
    identifiers = [identifier for identifier, _, _ in assumptions(QUICK)]
    assert len(set(identifiers)) == len(identifiers)
    assert identifiers[0] == "economics/cdnow/gross_margin"
    assert "strategies/points-programme/effects.dropout_1.ratio" in identifiers
    assert "strategies/win-back-coupon/reach.after_idle_days" in identifiers
    assert "strategies/faster-delivery/costs.per_order_2.amount" in identifiers


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


STAYING, LARGER = Dropout(ratio=ratio(0.9)), Basket(ratio=ratio(1.1))


def at_once(*plans, **changes):
    """Return a scenario of some strategies, all of them together too."""
    together = combination(*(one.name for one in plans))
    return made(*plans, combinations=(together,), stacking=share(0.5), **changes)


SEARCHED = plan(
    "searched", Dropout(ratio=ratio(0.9, ends=(0.5, 1.0))), mode="break-even", searches="effects.dropout_1.ratio"
)
LOYAL = [plan(f"plan-{place}", STAYING) for place in range(4)]
CAUTIONED = {
    "faster under BG/NBD": (
        made(dropout="bgnbd", horizon_months=36, new_customers=NewCustomers(per_month=1, months=1)),
        ["plan"],
        # From the closed form at the maximum on the CDNOW sample, to which the simulator is held elsewhere.
        (
            "BG/NBD",
            "a 10\N{NO-BREAK SPACE}% higher rate gives 6.3",
            "and 5.2\N{NO-BREAK SPACE}% in 36 months",
            "Pareto/NBD",
            "dropout: all",
        ),
    ),
    "longer": (made(LOYAL[0], dropout="bgnbd"), [], ()),
    "larger": (made(plan("plan", LARGER), dropout="bgnbd"), [], ()),
    "three at once": (at_once(*LOYAL[:3], dropout="all"), [], ()),
    "four at once": (at_once(*LOYAL, dropout="all"), ["both"], ("4 strategies run together",)),
    "one of two is faster": (at_once(plan("fast", FASTER), LOYAL[0], dropout="bgnbd"), ["fast", "both"], ()),
    "searched": (made(LOYAL[0], SEARCHED, dropout="all"), ["searched"], ("has not been measured",)),
}


@pytest.fixture(scope="module")
def published():
    """The fit of the CDNOW sample that the literature prints."""
    return fit(summarise(load_cdnow(sample=True), until=date(1997, 9, 30)), model="bgnbd")


def test_where_nobody_leaves_faster_orders_bring_as_many_more_as_they_are_faster(published):
    staying = replace(published.params, a=1e-9)
    # Repeat orders are then rate times time; a chance of leaving of 1e-9 moves the tenth by less than 1e-6.
    assert gain_of_faster_orders(staying, 365.25) == pytest.approx(0.10, abs=1e-6)
    assert gain_of_faster_orders(published.params, 365.25) == pytest.approx(0.063, abs=0.0005)


@pytest.mark.parametrize(("scenario", "cautioned", "words"), CAUTIONED.values(), ids=CAUTIONED)
def test_a_reader_is_cautioned_of_what_no_figure_shows(scenario, cautioned, words, published):
    found = check(cautions(scenario, {"bgnbd": published}), CAUTIONS)
    assert found["strategy"].to_list() == cautioned
    assert all(word in text for word in words for text in found["caution"])


def test_the_hash_of_the_sources_is_that_of_the_library_and_of_the_project_together(tmp_path, monkeypatch):
    bundled = file_hash("sources.yaml")
    assert bundled == hashlib.sha256((root() / "params" / "sources.yaml").read_bytes()).hexdigest()
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert file_hash("sources.yaml") == bundled
    (tmp_path / "params" / "sources.yaml").write_text("# ours\n", encoding="utf-8")
    assert file_hash("sources.yaml") != bundled
    assert file_hash("economics/none.yaml") == "missing"
