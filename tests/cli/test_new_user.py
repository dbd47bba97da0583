"""The way of a new user: copy a scenario, change three lines, check it, simulate it."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.params import root
from cxsim.study.loading import load_scenario

_PARAMS = root() / "params"


@pytest.fixture
def bundled(project):
    """Put the bundled service scenario, with fewer customers and draws, into the project."""
    text = (_PARAMS / "scenarios" / "cdnow-service.yaml").read_text(encoding="utf-8")
    for old, new in [("orders: cdnow\n", "orders: cdnow-sample\n"), ("per_month: 2000", "per_month: 20")]:
        assert old in text
        text = text.replace(old, new)
    (project.folder / "params" / "scenarios" / "cdnow-service.yaml").write_text(text, encoding="utf-8")
    return project


def test_a_new_user_copies_edits_three_lines_checks_and_simulates(bundled):
    assert bundled("new", "my-plans", "--from", "cdnow-service").code == 0
    place = "scenarios/my-plans.yaml"
    bundled.edit(place, "horizon_months: 36", "horizon_months: 18")
    bundled.edit(place, "draws: 40", "draws: 2")
    bundled.edit(place, "[free-returns, service-recovery, ", "[referral-programme, e-mail-cadence, ")
    assert bundled("check", f"params/{place}").out == "1 file checked; all is well.\n"
    sentence = bundled("simulate", "my-plans", "--out", "tables")
    assert (sentence.code, sentence.err) == (0, "")
    returns = pl.read_parquet(bundled.folder / "tables" / "returns.parquet")
    assert returns["strategy"].to_list() == [
        "referral-programme", "e-mail-cadence", "self-service", "points-programme", "self-service-and-points",
    ]  # fmt: skip
    manifest = json.loads((bundled.folder / "tables" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report my-plans"
    assert "behaviour/online-shop.yaml" in manifest["parameters_sha256"]
    for title in returns["title"]:
        assert title in sentence.out


def test_a_slip_in_one_of_the_three_lines_is_sentence_with_file_and_key(bundled):
    bundled("new", "my-plans", "--from", "cdnow-service")
    bundled.edit("scenarios/my-plans.yaml", "dropout: all", "dropout: al")
    message = bundled("check").error
    assert "params/scenarios/my-plans.yaml: dropout: 'al' is not possible; did you mean 'all'?" in message


def test_the_bundled_scenarios_are_what_the_user_starts_from():
    service = load_scenario("cdnow-service")
    assert service.structures == ("bgnbd", "mbgnbd", "paretonbd")
    assert service.behaviour.name == "online-shop"
    assert [one.name for one in service.combinations] == ["self-service-and-points"]
