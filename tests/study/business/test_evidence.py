"""A shop's models are held against its own past; growth and seasons are told in the decision, a sound model passes."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import polars as pl
import pytest

from cxsim.data.shop import Finding
from cxsim.params import Unit
from cxsim.reporting.business.decision import decision_box
from cxsim.study.business.case import business_case
from cxsim.study.business.decision import DECISION
from cxsim.study.business.evidence import evidence
from cxsim.study.run import run
from cxsim.tables import check
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.own_orders import growing, scenario, seasonal, shop

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The study of a shop that is what BG/NBD takes it for."""
    path = shop(tmp_path_factory.mktemp("sound") / "orders.csv")
    return run(scenario(path, dropout="bgnbd"))


def _limits(study, caution, stop):
    ends = {"forecast_caution": caution, "forecast_stop": stop}
    limits = {name: None if share is None else assumed(share, Unit.SHARE) for name, share in ends.items()}
    return replace(study, scenario=replace(study.scenario, economics=replace(study.scenario.economics, **limits)))


@pytest.mark.parametrize(("level", "bound"), [(growing, "a lower bound"), (seasonal, "an order of magnitude")])
def test_the_first_screen_says_so_where_no_model_fits_the_shop(tmp_path, level, bound):
    case = business_case(run(scenario(shop(tmp_path / "orders.csv", level), dropout="bgnbd")))
    assert case.evidence.verdict == "stop"
    assert f"treat the forecast orders as {bound} and test before you fund" in case.evidence.sentence
    first, *cards = decision_box(case.decision, "USD").text.splitlines()
    assert f"On this shop's own orders the models failed: {case.evidence.finding}." in first
    strategies = case.study.returns.height
    assert sum("Model check: failed: " in card for card in cards) >= strategies
    # The decision itself is the rule's.
    alone = case.decision.filter(pl.col("strategy") != "portfolio")
    assert alone["decision"].to_list() == case.study.returns["decision"].to_list()


def test_a_growing_shop_orders_more_than_the_models_expect_in_every_forecast(tmp_path):
    found = evidence(run(scenario(shop(tmp_path / "orders.csv", growing), dropout="all")))
    assert found.backtest.height == 3 * (4 + 1)
    assert (found.backtest["error"] < -0.2).all()
    assert set(found.backtest["result"]) == {"far off"}
    finding = r"forecasts of all four quarters at once were \d+ % too low on average"
    assert re.fullmatch(finding, found.finding.replace(NBSP, " "))


def test_a_sound_model_keeps_all_intervals_as_often_as_they_claim(tmp_path):
    """Without any tolerance, all five intervals of a shop hold together with a probability of 90 %."""
    shops = 10
    kept = 0
    for seed in range(shops):
        study = run(scenario(shop(tmp_path / f"{seed}.csv", customers=400, seed=seed), dropout="bgnbd"))
        found = evidence(_limits(study, 0.0, 0.0)).backtest
        assert found.height == 5
        kept += bool(found["result"].eq("held").all())
    # Binomial, four standard errors.
    assert kept >= shops * 0.9 - 4.0 * math.sqrt(shops * 0.9 * 0.1)


def test_each_forecast_is_of_the_customers_known_by_its_origin_and_of_all_that_came(sound):
    found = evidence(sound)
    orders = sound.orders.table.collect().with_columns(day=pl.col("ordered_at").cast(pl.Date))
    firsts = orders.group_by("customer_id").agg(pl.col("day").min())
    for row in found.backtest.iter_rows(named=True):
        known = firsts.filter(pl.col("day") <= row["origin"])
        later = orders.filter(pl.col("day") > row["origin"], pl.col("day") <= row["until"])
        later = later.join(known, on="customer_id", how="semi")
        assert row["customers"] == known.height
        # Orders of one day count once.
        assert row["actual"] == later.select("customer_id", "day").n_unique()
        assert row["actual_revenue"] == pytest.approx(later["amount"].sum(), abs=0.005)
        assert row["low"] < row["expected"] < row["high"]
        assert row["error"] == pytest.approx(row["expected"] / row["actual"] - 1.0, rel=1e-12)
    spans = found.backtest.select("window", days=(pl.col("until") - pl.col("origin")).dt.total_days()).rows()
    assert spans == [("quarter", 91)] * 4 + [("whole", 364)]


def test_the_same_study_gives_the_same_evidence(sound):
    one, other = evidence(sound), evidence(sound)
    assert one.backtest.equals(other.backtest)
    assert (one.sentence, one.finding, one.verdict) == (other.sentence, other.finding, other.verdict)


def test_a_sound_shop_passes_and_a_narrow_limit_alone_does_not_change_that(sound):
    for limits in ((0.1, 0.2), (0.0, 0.0), (None, None)):
        found = evidence(_limits(sound, *limits))
        assert found.verdict == "fits"
        assert found.sentence.endswith("The model passes the check on this shop's own orders.")


def test_limits_decide_between_caution_and_stop(tmp_path):
    study = run(scenario(shop(tmp_path / "orders.csv", growing), dropout="bgnbd"))
    verdicts = {
        limits: evidence(_limits(study, *limits)).verdict
        for limits in ((0.1, 0.2), (0.1, 0.9), (0.9, 0.9), (None, None))
    }
    # Without limits nothing is far off, and what lies outside its interval is a caution.
    assert verdicts == {(0.1, 0.2): "stop", (0.1, 0.9): "caution", (0.9, 0.9): "fits", (None, None): "caution"}


def test_what_forbids_the_use_of_the_orders_stops_whatever_the_forecasts(sound):
    stop = Finding("dates", "stop", 0.4, "Two in five days are swapped: see the dates.", "Say which comes first.")
    note = Finding("names", "note", 1.0, "One customer has no name.", "Nothing.")
    found = evidence(replace(sound, orders=replace(sound.orders, findings=(note, stop))))
    assert found.verdict == "stop"
    assert found.finding.startswith("The orders: Two in five days are swapped; ")
    assert found.findings.row(0, named=True)["about"] == "The orders"
    assert "One customer has no name." not in found.findings["sentence"].to_list()
    assert found.sentence.endswith("The models fail on this shop's own orders: test before you fund.")


@pytest.mark.parametrize(
    ("until", "rows"),
    # 12 weeks of first orders from 1 January 1997; 182 + 91 days end on 30 September, and a quarter more makes two.
    [("1997-09-29", 0), ("1997-09-30", 1), ("1997-12-30", 2 + 1)],
)
def test_a_shop_is_tested_on_as_many_quarters_as_it_has(until, rows):
    found = evidence(run(small(dropout="mbgnbd", draws=2, observed_until=pl.Series([until]).str.to_date()[0])))
    assert found.backtest.height == rows
    if not rows:
        assert found.verdict == "caution"
        assert found.sentence == (
            "The models cannot be tested on this shop's own past: its orders span 272 days, 1997-01-01 to 1997-09-29, "
            "and a test needs 273: 182 to fit a model and 91 to compare its forecast. Test before you fund."
        )


def test_customers_without_dated_orders_say_why_nothing_is_tested(sound):
    found = evidence(replace(sound, orders=None))
    assert (found.verdict, found.finding) == ("caution", "not tested on this shop's own past")
    assert "known only by their totals, without the dates of their orders" in found.sentence


def test_a_case_carries_its_evidence_into_every_row_of_the_decision(case):
    assert case.evidence.backtest.height == 5 * len(case.study.scenario.structures)
    checked = check(case.decision, DECISION)
    assert set(checked["model_check"]) == {case.evidence.verdict}
    assert set(checked["model_check_finding"]) == {case.evidence.finding}
