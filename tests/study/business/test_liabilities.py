"""What is owed to customers rolls forward without a gap, and its revenue by both views ends in the same money."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose

from cxsim.errors import SimulationError
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.strategies.strategy import load_strategy
from cxsim.study.business.liabilities import (
    LIABILITIES,
    allocate,
    by_period,
    liabilities,
    recognised,
    stand_alone_price,
    straight_line,
)
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.tables import check
from tests.study.conftest import small
from tests.study.everything import TOGETHER, combined

POINTS = "points-programme"


@pytest.fixture(scope="module")
def quick():
    """Points for three years, in four worlds."""
    return run(replace(load_scenario("cdnow-quick"), draws=4))


@pytest.fixture(scope="module")
def two_points():
    """Two programmes whose points have the values 0.04 and 0.08, alone and together."""
    points = load_strategy(POINTS)
    richer = replace(
        points,
        name="double-points",
        effects=tuple(
            replace(one, reward=one.reward.at(8.0)) if one.kind == "points" else one for one in points.effects
        ),
    )
    return run(combined(small(strategies=(points, richer), draws=2, horizon_months=18)))


def in_world(study, world):
    """Return the study as if there were this world alone."""
    alone = tuple(counts[world : world + 1] for counts in study.counts)
    worlds = replace(study.worlds, draws=(study.worlds.draws[world],))
    return replace(study, worlds=worlds, counts=alone)


def counted(study, arm, happenings):
    """Return the study with one world in which only this happens in an arm: count, month and how many."""
    first = in_world(study, 0)
    counts = [np.zeros_like(one) for one in first.counts]
    for count_kind, month, number in happenings:
        counts[study.scenario.arms.index(arm)][0, month, place(count_kind)] = number
    return replace(first, counts=tuple(counts))


def column(table, name, **where):
    return table.filter(**where)[name].to_list()


def test_in_every_world_each_point_is_redeemed_lapsed_or_held(quick):
    for world, counts in enumerate(quick.counts[quick.scenario.arms.index(POINTS)]):
        total = liabilities(in_world(quick, world)).filter(period="Total").row(0, named=True)
        held = counts[:, place(CountKind.POINTS_OUTSTANDING)].sum()
        assert held > 0
        assert total["points_outstanding"] == held
        assert total["points_issued"] == total["points_redeemed"] + total["points_expired"] + held


@pytest.mark.parametrize("which", ["quick", "busy", "two_points"])
def test_balances_roll_forward_and_both_views_of_revenue_differ_by_what_is_still_owed(which, request):
    table = liabilities(request.getfixturevalue(which))
    for row in table.rows(named=True):
        assert row["closing"] == pytest.approx(
            row["opening"] + row["issued"] - row["redeemed"] - row["expired"], abs=0.005
        )
        deferred = row["contract_opening"] + row["contract_deferred"] - row["contract_recognised"]
        assert row["contract_closing"] == pytest.approx(deferred, abs=0.005)
        if row["period"] == "Total":
            assert row["cash_revenue"] - row["accrual_revenue"] == pytest.approx(row["contract_closing"], abs=0.005)
    # Each year closes where the next one opens.
    for _, years in table.filter(pl.col("period") != "Total").group_by("strategy", "kind", maintain_order=True):
        for opening, closing in (("opening", "closing"), ("contract_opening", "contract_closing")):
            assert years[opening].to_list() == [0.0, *years[closing].to_list()[:-1]]


def test_what_is_redeemed_is_what_was_taken_off_and_the_last_balance_is_that_of_the_ledger(quick):
    found = liabilities(quick).filter(period="Total").row(0, named=True)
    booked = quick.ledger.filter(arm=POINTS).group_by("account").agg(pl.col("amount").sum() / 1e6 / 4)
    amounts = dict(booked.with_columns(pl.col("account").cast(pl.String)).rows())
    assert found["redeemed"] == pytest.approx(-amounts["rewards"], abs=0.005)
    # 4 for 100 points is 4 cents a point, whole cents for each customer: nothing to round.
    assert found["closing"] == pytest.approx(-amounts["points still outstanding"], abs=0.005)


def test_points_by_hand(quick):
    # The value of a point is 0.04. Year 1: 1,000.00 paid by members, 1,000 points given, 400 redeemed (16.00 off).
    # Year 2: 200 redeemed, 200 lapsed. Of 800 points that met their end 600 were redeemed: 75 %.
    study = counted(
        quick,
        POINTS,
        [
            (CountKind.LIST, 0, 100_000), (ReachCountKind.PAID, 0, 100_000), (CountKind.POINTS_ISSUED, 0, 1_000),
            (CountKind.LIST, 11, 1_600), (CountKind.REWARD, 11, 1_600), (CountKind.POINTS_REDEEMED, 11, 400),
            (CountKind.LIST, 12, 800), (CountKind.REWARD, 12, 800), (CountKind.POINTS_REDEEMED, 12, 200),
            (CountKind.POINTS_EXPIRED, 23, 200), (CountKind.POINTS_OUTSTANDING, 35, 200),
        ],
    )  # fmt: skip
    table = liabilities(study)
    assert table["period"].to_list() == ["Year 1", "Year 2", "Year 3", "Total"]
    assert_allclose(table["closing"], [24.00, 8.00, 8.00, 8.00], rtol=1e-12)
    # Points alone cost 1,000 * 0.04 * 0.75 = 30; deferred 1,000 * 30 / 1,030 = 29.126214.
    assert_allclose(table["contract_deferred"], [29.126214, 0.0, 0.0, 29.126214], atol=5e-7)
    # End of year 1: 400 of 400 + 0.75 * 600 = 850 expected, 29.126214 * 400 / 850 = 13.706453.
    # End of year 2: 600 of 600 + 0.75 * 200 = 750 expected, 29.126214 * 600 / 750 = 23.300971, 9.594518 more.
    assert_allclose(table["contract_recognised"], [13.706453, 9.594518, 0.0, 23.300971], atol=5e-7)
    assert_allclose(table["contract_closing"], [15.419760, 5.825243, 5.825243, 5.825243], atol=5e-7)
    # 1,000 - 29.126214 + 13.706453 = 984.580240.
    assert_allclose(table["cash_revenue"], [1_000.0, 0.0, 0.0, 1_000.0], rtol=1e-12)
    assert_allclose(table["accrual_revenue"], [984.580240, 9.594518, 0.0, 994.174757], atol=5e-7)


def test_where_no_point_has_met_its_end_all_are_expected_to_be_redeemed(quick):
    study = counted(
        quick,
        POINTS,
        [
            (CountKind.LIST, 0, 100_000), (ReachCountKind.PAID, 0, 100_000),
            (CountKind.POINTS_ISSUED, 0, 1_000), (CountKind.POINTS_OUTSTANDING, 35, 1_000),
        ],
    )  # fmt: skip
    # 1,000 * 0.04 = 40 alone; 1,000 * 40 / 1,040 = 38.461538, and none of it is revenue.
    total = liabilities(study).filter(period="Total").row(0, named=True)
    assert total["contract_closing"] == pytest.approx(38.461538, abs=5e-7)
    assert total["contract_recognised"] == 0.0


def test_members_bear_their_share_of_refunds(quick):
    # A tenth of 1,000.00 was paid back, so of the 500.00 that members paid 450.00 are left.
    study = counted(
        quick, POINTS, [(CountKind.LIST, 0, 100_000), (ReachCountKind.PAID, 0, 50_000), (CountKind.REFUNDED, 5, 10_000)]
    )
    assert column(liabilities(study), "cash_revenue", period="Year 1") == [450.0]


def test_fees_by_hand(busy):
    # 36.50 for 365 days, paid on average on day 15.5: by day 365 of them 349.5 are over, 36.50 * 349.5 / 365 = 34.95.
    table = liabilities(counted(busy, "paid-membership", [(CountKind.FEES, 0, 3_650)])).filter(kind="fees")
    mine = table.filter(strategy="paid-membership")
    assert mine["period"].to_list() == ["Year 1", "Year 2", "Total"]
    assert_allclose(mine["cash_revenue"], [36.50, 0.0, 36.50], rtol=1e-12)
    assert_allclose(mine["accrual_revenue"], [34.95, 1.55, 36.50], rtol=1e-12)
    assert_allclose(mine["contract_closing"], [1.55, 0.0, 0.0], rtol=1e-12, atol=1e-12)
    assert mine["points_issued"].null_count() == 3


def test_points_of_different_value_have_that_of_what_was_redeemed_and_is_held(two_points):
    counts = two_points.counts[two_points.scenario.arms.index(TOGETHER)]
    values = [place(ReachCountKind.POINTS_VALUE, reach) for reach in (0, 1)]
    cents = counts[:, :, place(CountKind.REWARD)].sum() + counts[:, :, values].sum()
    total = liabilities(two_points).filter(strategy=TOGETHER, period="Total").row(0, named=True)
    assert total["redeemed"] + total["closing"] == pytest.approx(cents / 100 / len(counts), rel=1e-12)
    value = total["redeemed"] / total["points_redeemed"]
    assert 0.04 < value < 0.08


def test_without_points_and_fees_the_table_is_empty_and_keeps_its_contract(quick):
    alone = run(small(strategies=(load_strategy("faster-delivery"),), draws=2))
    table = liabilities(alone)
    assert table.is_empty()
    assert check(table, LIABILITIES).columns == liabilities(quick).columns


def test_counts_that_do_not_close_are_refused(quick):
    study = counted(quick, POINTS, [(CountKind.POINTS_ISSUED, 0, 1_500), (CountKind.POINTS_OUTSTANDING, 35, 1_400)])
    with pytest.raises(SimulationError) as refused:
        liabilities(study)
    assert str(refused.value) == (
        "points-programme: in world 0 1,500 points are neither redeemed nor lapsed, but 1,400 are held at the end; "
        "both must be the same."
    )


def test_a_ticket_with_points_is_taken_apart_by_relative_stand_alone_prices():
    # 2,000 points at 0.012, of which 80 % are redeemed: 2,000 * 0.012 * 0.80 = 19.20.
    points = stand_alone_price(2_000, 0.012, 0.80)
    assert_allclose(points, 19.20, rtol=1e-12)
    # 800 * 800 / 819.20 = 781.25, 800 * 19.20 / 819.20 = 18.75, both exactly.
    assert_allclose(allocate(800.0, goods=800.0, points=points), 18.75, rtol=1e-12)


def test_goods_of_two_thousand_with_points_of_one_hundred_and_seventy():
    # 2,000 * 2,000 / 2,170 = 1,843.32 and 2,000 * 170 / 2,170 = 156.68; printed in whole units.
    deferred = allocate(2_000.0, goods=2_000.0, points=170.0)
    assert round(float(deferred)) == 157
    assert_allclose([2_000.0 - deferred, deferred], [1_843.3180, 156.6820], atol=5e-5)


@pytest.mark.parametrize(("expected", "printed"), [(9_900, 3_552), (9_200, 4_140)], ids=["higher", "lower"])
def test_another_estimate_of_redemption_is_caught_up_in_the_year_in_which_it_is_made(expected, printed):
    # KPMG, Revenue: IFRS 15 handbook, examples 10A and 10B. Year 2: 9,000 * 4,500 / 9,700 = 4,175.26.
    # Year 3 of 10A: 9,000 * (4,500 + 4,000) / 9,900 = 7,727.27, less 4,175.26 is 3,552.02. Of 10B: 9,000 * 8,500 /
    # 9,200 = 8,315.22, less 4,175.26 is 4,139.96. Printed in whole units.
    years = by_period(recognised(9_000.0, [4_500, 8_500], [9_700, expected]))
    assert [round(float(year)) for year in years] == [4_175, printed]


def test_the_example_of_the_standard_itself():
    # IFRS 15, illustrative example 52: goods of 100,000 with 10,000 points at 1, of which 95 % are expected to be
    # redeemed. 100,000 * 100,000 / 109,500 = 91,324 and 100,000 * 9,500 / 109,500 = 8,676.
    deferred = allocate(100_000.0, goods=100_000.0, points=stand_alone_price(10_000, 1.0, 0.95))
    assert (round(float(100_000.0 - deferred)), round(float(deferred))) == (91_324, 8_676)
    # 8,676 * 4,500 / 9,500 = 4,110; then 8,676 * 8,500 / 9,700 - 4,110 = 3,493. The liability left is 1,073.
    years = by_period(recognised(deferred, [4_500, 8_500], [9_500, 9_700]))
    assert [round(float(year)) for year in years] == [4_110, 3_493]
    assert round(float(deferred - years.sum())) == 1_073


def test_nothing_is_deferred_without_points_and_nothing_owed_that_nobody_will_redeem():
    assert float(allocate(80.0, goods=80.0, points=stand_alone_price(0, 0.04, 0.9))) == 0.0
    assert float(allocate(0.0, goods=0.0, points=0.0)) == 0.0
    assert recognised(18.75, 0, 1_600).item() == 0.0  # nothing is redeemed yet
    assert recognised(18.75, 0, 0).item() == 18.75  # and nothing ever will be


def test_a_fee_is_earned_day_by_day_and_never_more_than_once():
    # 36.50 for 365 days is 0.10 a day.
    earned = straight_line(36.50, elapsed_days=[-10, 0, 1, 100, 365, 500], period_days=365)
    assert_allclose(earned, [0.0, 0.0, 0.10, 10.0, 36.50, 36.50], rtol=1e-12)


_AMOUNTS = st.floats(min_value=0.0, max_value=1e9)


@given(price=_AMOUNTS, goods=_AMOUNTS, points=_AMOUNTS)
def test_no_more_than_the_price_is_deferred(price, goods, points):
    assert 0.0 <= float(allocate(price, goods=goods, points=points)) <= price * (1.0 + 1e-15)


@given(
    issued=st.integers(1, 10_000),
    first=st.floats(0.0, 1.0),
    shares=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
)
def test_whatever_the_estimates_on_the_way_all_of_the_price_is_revenue_in_the_end(issued, first, shares):
    redeemed = np.cumsum([first, *shares])
    redeemed *= issued / max(redeemed[-1], 1e-12)
    expected = np.maximum(redeemed, first * issued)
    expected[-1] = redeemed[-1]
    assert_allclose(by_period(recognised(100.0, redeemed, expected)).sum(), 100.0, rtol=1e-12)
