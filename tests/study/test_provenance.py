"""A table's hash hangs on what it says alone."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from datetime import date

import polars as pl
import pytest

from cxsim.study.loading import load_scenario
from cxsim.study.provenance import manifest, scenario_hash, table_hash
from cxsim.study.run import run

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
    again = run(scenario)
    assert json.dumps(dict(again.manifest), sort_keys=True) == json.dumps(dict(study.manifest), sort_keys=True)


def test_one_digit_of_one_assumption_is_another_scenario(scenario):
    points, *others = scenario.strategies
    changed = dataclasses.replace(points, reach=dataclasses.replace(points.reach, uptake=points.reach.uptake.at(0.41)))
    assert scenario_hash(dataclasses.replace(scenario, strategies=(changed, *others))) != scenario_hash(scenario)
    assert scenario_hash(dataclasses.replace(scenario)) == scenario_hash(scenario)


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
