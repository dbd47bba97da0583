"""`cxsim break-even` says how large an effect must be; `cxsim simulate` and `cxsim report` say what is not known."""

from __future__ import annotations

import json
import shutil

import pytest

from cxsim.params import root

# Taken before a test moves into a project of its own.
_NOTEBOOKS = root() / "notebooks"
SEARCHED = """\
title: How large must it be?
description: Forty new customers of a record shop over three months.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow
strategies: [packaging-gift]
dropout: all
existing_customers: none
new_customers:
  per_month: 20
  months: 2
horizon_months: 3
draws: 2
seed: 7
"""


@pytest.fixture
def searched(project):
    """A project with the scenario `searched`, whose only strategy nobody has measured."""
    (project.folder / "params" / "scenarios" / "searched.yaml").write_text(SEARCHED, encoding="utf-8")
    return project


def test_what_is_searched_and_both_ends_are_printed(searched):
    sentence = searched("break-even", "searched")
    assert (sentence.code, sentence.err) == (0, "")
    for words in ("How large must it be?", "Small gift in every parcel", "0.70 to 1.05", "Nobody has measured"):
        assert words in sentence.out
    assert "searched, not believed" not in sentence.out


def test_json_is_one_row_for_each_strategy(searched):
    (row,) = json.loads(searched("break-even", "searched", "--json").out)
    assert row["effect"] == "effects.dropout_1.ratio"
    assert row["npv_low"] > row["npv_high"]
    assert row["draws"] == 2


def test_another_number_of_a_believed_strategy_can_be_searched(project):
    words = ("--strategy", "win-back-coupon", "--searches", "effects.coupon_2.redemption", "--json")
    (row,) = json.loads(project("break-even", "tiny", *words).out)
    assert (row["strategy"], row["effect"]) == ("win-back-coupon", "effects.coupon_2.redemption")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tiny"], "no strategy with mode: break-even"),
        (["tiny", "--strategy", "win-back-cupon"], "did you mean 'win-back-coupon'?"),
        (["tiny", "--strategy", "win-back-coupon"], "'None' is no number with a range to search"),
        (
            ["tiny", "--strategy", "win-back-coupon", "--searches", "effects.coupon_2.redemtion"],
            "did you mean 'effects.coupon_2.redemption'?",
        ),
        (["tini"], "did you mean 'tiny'?"),
    ],
)
def test_a_mistake_names_what_is_possible(project, words, message):
    assert message in project("break-even", *words).error


@pytest.mark.parametrize("words", [["tiny", "--searches", "effects.coupon_2.redemption"], [], ["tiny", "--draws", "3"]])
def test_usage_errors_have_a_code_of_their_own(project, words):
    sentence = project("break-even", *words)
    assert (sentence.code, sentence.out) == (2, "")


def test_simulate_shows_models_searches_and_cautions(searched):
    searched.edit("scenarios/searched.yaml", "[packaging-gift]", "[points-programme, packaging-gift]")
    sentence = searched("simulate", "searched", "--out", "tables")
    assert (sentence.code, sentence.err) == (0, "")
    for words in ("Under each model of leaving by itself", "MBG/NBD", "Pareto/NBD", "Small gift in every parcel"):
        assert words in sentence.out
    assert "Caution, Small gift in every parcel: Nobody has measured" in sentence.out


def test_simulate_with_one_model_shows_the_caution_and_no_models(project):
    out = project("simulate", "tiny", "--out", "tables").out
    assert "Caution, Points programme:" in out
    assert "by itself" not in out
    assert "What must be true" not in out


def test_a_scenario_that_only_searches_becomes_one_report_of_its_own(searched):
    shutil.copytree(_NOTEBOOKS, searched.folder / "notebooks")
    sentence = searched("report", searched.folder / "params" / "scenarios" / "searched.yaml", "--out", "searched.html")
    assert sentence.code == 0, sentence.err
    page = (searched.folder / "searched.html").read_text(encoding="utf-8")
    assert "How large must the effect be?" in page
    assert "Curve sha256" in page
    assert (searched.folder / "searched" / "break-even.csv").is_file()
    assert "Small gift in every parcel" in sentence.out
