"""Naive readings stand beside the truth, which they miss where they must: fact F18 of the field among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.contracts import NAIVE, ORDERS, SURVEYS
from cxsim.errors import ParamError
from cxsim.metrics.promoters import (
    LTV_BY_NPS,
    ltv_by_nps,
    net_promoter_score,
    overall_ratio,
    ratio_at_equal_count,
    spend_of_answerers,
)
from cxsim.params import Unit
from cxsim.simulation.engine import events
from cxsim.simulation.state import KINDS
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.effects import PurchaseRate, Reach
from cxsim.strategies.strategy import Strategy
from cxsim.study.business.naive import Membership, naive_readings
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from cxsim.study.shop_tables import ShopTables
from cxsim.study.sources import shop_tables
from cxsim.tables import check
from cxsim.wording import written_as
from tests.simulated import assumed
from tests.simulation.shops import experience, scale, shop, surveys, traits
from tests.simulation.worlds import PARETO, inputs, newcomers

START = datetime(2026, 1, 1)  # noqa: DTZ001 - the shop's own time has no zone


def small(**changes):
    """Return the scenario of naive readings with fewer customers."""
    written = {
        "orders": "cdnow-sample",
        "new_customers": NewCustomers(per_month=300, months=6),
        "horizon_months": 24,
        "draws": 2,
    }
    return replace(load_scenario("cdnow-naive"), **written | changes)


def club(name: str, ratio: float, *, who: str, uptake: float) -> Strategy:
    return Strategy(
        name=name,
        title=name.capitalize(),
        description="Members order more often, or just as often.",
        reach=Reach(who=who, uptake=assumed(uptake, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS)),
        effects=(PurchaseRate(ratio=assumed(ratio, Unit.RATIO)),),
    )


@pytest.fixture(scope="module")
def study():
    keen = club("keen", 1.1, who="frequency >= 2", uptake=1.0)
    lot = club("lot", 1.1, who="origin = 'existing'", uptake=0.5)
    idle = club("idle", 1.0, who="true", uptake=0.5)
    strategies = (*small().strategies, keen, lot, idle)
    return run(small(orders="cdnow", strategies=strategies))


@pytest.fixture(scope="module")
def readings(study):
    return naive_readings(study, "points-programme")


def row(readings, method):
    return readings.row(by_predicate=pl.col("method") == method, named=True)


def test_readings_keep_their_contract_and_come_in_the_order_of_the_methods(readings):
    assert check(readings, NAIVE)["method"].to_list() == [
        "members", "redeemers", "before_after", "promoters", "promoters_equal_count", "nps",
    ]  # fmt: skip
    assert (readings["low"] < readings["reading"]).all()
    assert (readings["reading"] < readings["high"]).all()


def test_the_same_study_has_the_same_readings_in_every_locale(study, readings):
    with written_as("de"):
        assert naive_readings(study, "points-programme").equals(readings)
    assert any("," in finding or "." in finding.removesuffix(".") for finding in readings["finding"])


def test_members_seem_to_gain_more_than_they_do_where_keen_customers_join_f18(study):
    found = row(naive_readings(study, "keen"), "members")
    assert found["low"] > found["truth"] > 0.0


def test_members_who_joined_by_lot_are_read_without_bias_f18(study):
    # All who may join join on the first day, so that nothing but chance tells them from the others who were there.
    tables, baseline = study.tables("lot"), study.tables()
    old = tables.lives.filter(pl.col("arrived_at").is_null())["customer_id"].implode()
    among = replace(
        tables,
        lives=tables.lives.filter(pl.col("customer_id").is_in(old)),
        orders=tables.orders.filter(pl.col("customer_id").is_in(old)),
    )
    reading, truth = Membership(treated=among, baseline=baseline).against_others()
    assert abs(reading.value - truth) < 4 * reading.error
    assert truth > 0.0


def test_redeemers_are_read_as_hundreds_of_times_what_they_gain(readings):
    found = row(readings, "redeemers")
    assert found["low"] > 10 * max(found["truth"], 1.0)


def test_members_fade_whatever_the_programme_does_so_before_and_after_has_the_wrong_sign(readings):
    found = row(readings, "before_after")
    assert found["high"] < 0.0
    assert found["truth"] > found["high"]


def test_a_programme_without_effect_has_a_truth_of_exactly_nothing(study):
    found = naive_readings(study, "idle")
    assert row(found, "members")["truth"] == 0.0
    # Nobody had a reward to use, and nobody was a customer of this scenario before joining.
    assert not {"redeemers", "before_after"} & set(found["method"])


def test_promoters_are_worth_more_and_satisfaction_causes_none_of_it(readings):
    for method in ("promoters", "promoters_equal_count"):
        found = row(readings, method)
        assert found["truth"] == 1.0
        assert found["low"] > 1.0


def test_where_satisfaction_causes_everything_the_truth_is_above_one(study):
    scenario = study.scenario
    going = replace(
        scenario.behaviour.experience,
        purchase_rate_per_deviation=assumed(1.5, Unit.RATIO),
        basket_per_deviation=assumed(1.2, Unit.RATIO),
    )
    moved = replace(scenario.behaviour, traits=None, experience=going)
    idle = scenario.strategies[-1:]
    found = naive_readings(run(replace(scenario, behaviour=moved, strategies=idle)), "idle")
    overall, equal = row(found, "promoters"), row(found, "promoters_equal_count")
    # Who orders enough to be asked although they are not satisfied would order much anyway, which hides some of it.
    assert overall["truth"] > overall["reading"] > 1.5
    assert equal["high"] < equal["truth"], "an equal number of orders hides most of what satisfaction does"


def test_the_true_score_is_what_all_who_were_asked_would_have_said(study, readings):
    surveys = replace(study.scenario.behaviour.surveys, response=assumed(1.0, Unit.SHARE))
    talkative = replace(study.scenario.behaviour, surveys=surveys)
    everyone = shop_tables(replace(study.scenario, behaviour=talkative), "points-programme")
    nps = everyone.surveys.filter(instrument="nps")
    assert nps["score"].null_count() == 0
    assert row(readings, "nps")["truth"] == net_promoter_score(nps).value


def test_a_shop_without_surveys_and_members_has_nothing_to_read():
    nobody = club("nobody", 1.1, who="frequency < 0", uptake=1.0)
    scenario = small(strategies=(nobody,), behaviour=Behaviour(name="plain", title="Plain", description=""))
    assert naive_readings(run(scenario), "nobody").is_empty()


@pytest.mark.parametrize(
    ("strategy", "draw", "words"),
    [("baseline", 0, "no strategy 'baseline' in scenario 'cdnow-naive'"), ("idle", 7, "no draw 7")],
)
def test_what_is_not_there_cannot_be_read(study, strategy, draw, words):
    with pytest.raises(ParamError, match=words):
        naive_readings(study, strategy, draw=draw)


def test_the_panel_by_score_holds_every_customer_who_answered_once(study):
    tables = study.tables()
    panel = check(ltv_by_nps(tables.orders, tables.surveys), LTV_BY_NPS)
    answered = tables.surveys.filter((pl.col("instrument") == "nps") & pl.col("score").is_not_null())
    overall = panel.filter(orders="all")
    assert overall["customers"].sum() == answered["customer_id"].n_unique()
    assert overall["group"].to_list() == ["promoters", "passives", "detractors"]


def test_the_others_are_followed_over_the_days_on_which_members_joined():
    # A member joins on day 10 and one on day 20; of the others one was there before, and one comes on day 15.
    days = {"m1": 10, "m2": 20}
    members = pl.DataFrame(
        {
            "customer_id": [*days, *(f"{name}{n}" for name in days for n in range(5))],
            "joined_at": [START + timedelta(days=day) for day in (10, 20, *[10] * 5, *[20] * 5)],
        }
    )
    came = [None] * 5 + [START + timedelta(days=15)] * 5
    others = [f"o{n}" for n in range(10)]
    bought = [("o0", 5, 7.0), ("o0", 12, 11.0), ("o1", 25, 13.0), ("o5", 15, 17.0), ("o5", 30, 19.0), ("m1", 11, 23.0)]
    orders = pl.DataFrame(
        {
            "customer_id": [who for who, _, _ in bought],
            "ordered_at": [START + timedelta(days=day) for _, day, _ in bought],
            "amount": [amount for _, _, amount in bought],
            "reward": 0.0,
        }
    )
    lives = pl.DataFrame(
        {
            "customer_id": [*members["customer_id"], *others],
            "arrived_at": pl.Series([None] * members.height + came, dtype=pl.Datetime("us")),
        }
    )
    empty = pl.DataFrame()
    tables = ShopTables(
        orders=orders, tickets=empty, surveys=empty, returns=empty, contacts=empty, sessions=empty,
        members=members, lives=lives,
    )  # fmt: skip
    reading, truth = Membership(treated=tables, baseline=tables).against_others()
    # Half of the members joined on day 10, when five others were customers, half on day 20, when ten were. Members have
    # spent 23 after joining, of twelve.
    expected = 0.5 * (11.0 + 13.0) / 5 + 0.5 * (13.0 + 19.0) / 10
    assert reading.value == pytest.approx(23.0 / 12 - expected, abs=1e-12)
    assert truth == 0.0


# What tables of worth by score say where satisfaction causes nothing, and where it does: fact F19 of the field.
#
# New customers as fitted to CDNOW (Pareto/NBD, Gamma-Gamma). The field's figures come without horizon and without the
# noise of an answer, so both are taken from where they are written down anyway: the 78 weeks of CDNOW, here from each
# customer's first order, which counts too, and the answers of params/behaviour, given after every order, of which the
# last decides. An equal number of orders: one to eight, averaged by how many promoters and detractors placed it.
#
# With this one design all six figures come out within 0.05, two of them at the edge; found, with Monte Carlo errors,
# and published: 2.307 (0.011) and 2.31, 1.344 (0.003) and 1.27 to 1.30; 1.754 (0.008) and 1.71, 1.217 (0.003) and
# 1.17 to 1.20; 1.209 (0.006) and 1.20, 1.048 (0.003) and 1.03 to 1.04. The choice was made after a look at 52, 78
# and 104 weeks with seven scales of answers, most of which miss; another that holds all six is two years with
# answers of 8.0, 1.2 for one deviation and 1.5 of chance: 2.273 and 1.312, 1.746 and 1.197, 1.198 and 1.044.

# Four shops of so many customers: the standard errors of the ratios overall are then about 0.01.
SEEDS, CUSTOMERS = (1, 2, 3, 4), 250_000
DAYS, MONTHS = 546, 20
ANSWER = scale(8.0, 1.3, 1.4)
# The field's figures are held to this.
CLOSE = 0.05


def read(*, latent=0.0, buying=1.0, leaving=1.0, basket=1.0):
    """Return the ratios of promoters to detractors, overall and at an equal count, in a world without programmes."""
    asking = replace(surveys(after_order=1.0, after_ticket=0.0, response=1.0, extremity=0.0), nps=ANSWER)
    going = experience(contact=0.0, buying=buying, leaving=leaving, basket=basket)
    behaviour = shop(traits=traits(latent, latent, latent), experience=going, surveys=asking)
    population = newcomers(CUSTOMERS, months=MONTHS)
    ready = inputs(population, [], latents=PARETO, behaviour=behaviour)
    customers = pl.concat(_customers(events(population, ready, seed=seed)) for seed in SEEDS)
    return overall_ratio(customers), ratio_at_equal_count(customers)


def _customers(log):
    second, when = pl.col("second"), pl.from_epoch("second").cast(pl.Datetime("us"))
    known = log.filter(second - second.min().over("customer") < DAYS * 86_400)
    named = {"customer_id": pl.col("customer").cast(pl.String), "order_id": pl.lit("")}
    none = dict.fromkeys(("list_amount", "markdown", "reward"), pl.lit(0.0))
    orders = known.filter(pl.col("kind") == KINDS.index("ORDER")).select(
        **named, **none, ordered_at=when, order_number="order", amount=pl.col("a") / 100, incident=pl.lit("")
    )
    answers = known.filter(pl.col("kind") == KINDS.index("SURVEY")).select(
        **named, survey_id=pl.lit(""), sent_at=when, instrument=pl.lit("nps"), score="b"
    )
    return spend_of_answerers(orders.select(list(ORDERS.columns)), answers.select(list(SURVEYS.columns)))


@pytest.mark.parametrize(
    ("world", "published", "low", "high"),
    [
        ({"latent": 0.3}, 2.31, 1.27, 1.30),
        ({"latent": 0.2}, 1.71, 1.17, 1.20),
        # Ten per cent more orders, as much less of a chance to leave, three per cent larger baskets for one deviation.
        ({"buying": 1.1, "leaving": 1 / 1.1, "basket": 1.03}, 1.20, 1.03, 1.04),
    ],
    ids=["nothing is caused", "nothing is caused, and the bond is weaker", "a real effect"],
)
def test_promoters_lead_overall_and_far_less_at_an_equal_number_of_orders_f19(world, published, low, high):
    overall, equal = read(**world)
    assert overall.value == pytest.approx(published, abs=CLOSE)
    assert low - CLOSE < equal.value < high + CLOSE
    assert overall.value - equal.value > 4 * (overall.error + equal.error)
