"""What a study promises whatever is in it: no effect, no difference; every amount accounted for; one luck for all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise
from cxsim.finance.economics import Account
from cxsim.params import MICROS, Unit, micros
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import customer_values, simulate
from cxsim.strategies.effects import Basket, Coupon, Dropout, Markdown, PurchaseRate, Reach
from cxsim.strategies.mechanisms import Points
from cxsim.strategies.strategy import Strategy
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE, NewCustomers
from cxsim.study.worlds import Fits, draw_worlds
from tests.simulated import assumed
from tests.study.everything import TOGETHER, everything, with_prior

ONE, NONE, ALL = assumed(1.0, Unit.RATIO), assumed(0.0, Unit.SHARE), assumed(1.0, Unit.SHARE)
NOTHING = (
    PurchaseRate(ratio=ONE),
    Dropout(ratio=ONE),
    Basket(ratio=ONE),
    Coupon(face_value=assumed(10.0, Unit.MONEY), redemption=NONE),
)
NO_MARKDOWN = Markdown(depth=NONE, redemption=ALL, elasticity=assumed(-2.0, Unit.ELASTICITY))
# A card that is filled but rewards nothing: points are counted, and worth nothing.
EMPTY_CARD = Points(
    earn=assumed(1.0, Unit.POINTS_PER_MONEY),
    threshold=assumed(50.0, Unit.POINTS),
    reward=assumed(0.0, Unit.MONEY),
    redemption=ALL,
    expiry_days=assumed(90.0, Unit.DAYS),
)


def days(value):
    return assumed(value, Unit.DAYS)


def reaching(*, uptake=1.0, ramp_days=0.0, **when):
    return Reach(who="true", uptake=assumed(uptake, Unit.SHARE), ramp_days=days(ramp_days), **when)


REACHES = {
    "permanent": reaching(),
    "windowed": reaching(from_month=2, until_month=9),
    "ramped": reaching(uptake=0.5, ramp_days=200.0),
    "idle-triggered": reaching(after_idle_days=days(40.0), for_days=days(30.0)),
}


def strategy(name, reach, *effects):
    return Strategy(name=name, title=name, description="Made for a test.", reach=reach, effects=effects)


@pytest.fixture(scope="module")
def scenario():
    """The sample's 2,357 customers and 150 new ones over a year, the bundled scenario's programmes, three draws."""
    return replace(
        load_scenario("cdnow-quick"),
        orders="cdnow-sample",
        new_customers=NewCustomers(per_month=50, months=3),
        horizon_months=12,
        draws=3,
    )


@pytest.fixture(scope="module")
def study(scenario):
    return run(scenario)


@pytest.fixture(scope="module")
def neutral(scenario):
    idle = [strategy(name, reach, *NOTHING) for name, reach in REACHES.items()]
    others = [
        strategy("no markdown", REACHES["permanent"], NO_MARKDOWN),
        strategy("empty card", REACHES["ramped"], EMPTY_CARD),
    ]
    return run(replace(scenario, strategies=(*idle, *others)))


def entries(study, arm):
    """Return an arm's entries but for cohorts that have none."""
    return study.ledger.filter(arm=arm).select("draw", "month", pl.col("cohort", "account").cast(pl.String), "amount")


@pytest.mark.parametrize("name", [*REACHES, "no markdown", "empty card"])
def test_a_strategy_without_effect_and_cost_changes_not_one_entry(neutral, name):
    assert entries(neutral, BASELINE).height > 0
    assert entries(neutral, name).equals(entries(neutral, BASELINE))


def test_a_strategy_without_effect_and_cost_is_worth_exactly_nothing(neutral):
    assert neutral.returns["incremental_npv"].to_list() == [0.0] * 6
    assert neutral.npv["npv"].to_list() == [0.0] * 18
    assert neutral.paired["paired_std_error"].to_list() == [0.0] * 6
    card = neutral.points.row(-1, named=True)
    assert card["points_issued"] > 0, "nobody had a card, so nothing was shown"


@pytest.fixture(scope="module")
def played(scenario, study):
    """The draws of the study again: population, inputs, draws and counts."""
    rfm = summarise(load_cdnow(sample=True), until=scenario.observed_until)
    worlds = draw_worlds(scenario, Fits(rfm=rfm, purchases=study.purchases, spend=study.spend))
    inputs = [worlds.inputs(draw) for draw in worlds.draws]
    counts = simulate(worlds.population, [lambda one=one: one for one in inputs], seed=scenario.seed)
    return worlds.population, inputs, worlds.draws, counts


def test_the_cohorts_of_the_ledger_add_up_to_the_whole(study, played):
    _, _, draws, counts = played
    for number, (draw, counted) in enumerate(zip(draws, counts, strict=True)):
        tariffs, fixed = draw.prices(draw.arms)
        for arm, name in enumerate(study.scenario.arms):
            cohorts = study.ledger.filter(draw=number, arm=name).group_by("cohort").agg(pl.col("amount").sum())
            by_cohort = dict(cohorts.iter_rows())
            expected = (counted.by_arm[arm] @ tariffs[arm].T).sum(axis=(1, 2)).tolist()
            found = [by_cohort.get(cohort, 0) for cohort in ("existing", "1998-07", "1998-08", "1998-09", "referred")]
            assert found == expected
            assert by_cohort.get("shared", 0) == fixed[arm].sum()


def test_the_number_of_threads_moves_no_entry(scenario, study):
    with ThreadPoolExecutor(1) as one:
        assert run(scenario, executor=one).ledger.equals(study.ledger)


def test_more_draws_change_none_of_those_already_made(scenario, study):
    more = run(replace(scenario, draws=4))
    assert more.ledger.filter(pl.col("draw") < 3).equals(study.ledger)


@pytest.mark.parametrize("arm", [1, 3])
def test_the_error_that_is_printed_is_a_tenth_of_that_with_independent_draws_or_less(scenario, study, played, arm):
    population, inputs, _, _ = played
    spreads = [
        [customer_values(population, ready, seed=scenario.seed + of, arm=of).std() for of in (0, arm)]
        for ready in inputs
    ]
    separate = np.hypot(*np.transpose(spreads)).mean() / MICROS / np.sqrt(population.size)
    found = separate / study.paired["paired_std_error"][arm - 1]
    assert found >= 10, f"{found:.1f} times"


# With every mechanism at once, customers, counts, ledger and statement still hold the same money.

ARMS = everything().arms


@pytest.fixture(scope="module")
def again(busy):
    """Inputs and counts of the study's worlds, simulated again."""
    worlds = busy.worlds
    inputs = [worlds.inputs(draw) for draw in worlds.draws]
    return inputs, simulate(worlds.population, [lambda one=one: one for one in inputs], seed=busy.scenario.seed)


def booked(study, arm, account=None):
    """Return what stands in the ledger in each draw, in millionths."""
    rows = study.ledger.filter(arm=arm)
    if account is not None:
        rows = rows.filter(account=account)
    sums = dict(rows.group_by("draw").agg(pl.col("amount").sum()).iter_rows())
    return [sums.get(draw, 0) for draw in range(len(study.worlds.draws))]


def counted_in(counts, arm, count_kind, reach=0):
    return [int(counted.by_arm[arm][:, :, place(count_kind, reach)].sum()) for counted in counts]


@pytest.mark.parametrize("arm", [0, len(ARMS) // 2, len(ARMS) - 1])
def test_customers_counts_and_ledger_hold_the_same_money_to_the_millionth(busy, again, arm):
    inputs, counts = again
    for number, (ready, counted, draw) in enumerate(zip(inputs, counts, busy.worlds.draws, strict=True)):
        customers = int(customer_values(busy.worlds.population, ready, seed=busy.scenario.seed, arm=arm).sum())
        worth = int((counted.by_arm[arm] @ ready.unit_values[arm]).sum())
        assert customers == worth == booked(busy, ARMS[arm])[number] - int(draw.prices(draw.arms)[1][arm].sum())


@pytest.mark.parametrize("arm", ARMS[1:])
def test_the_statement_holds_the_money_of_the_ledger(busy, arm):
    last = busy.statement.filter(strategy=arm, line="cash contribution")
    for column, name in (("baseline", BASELINE), ("treated", arm)):
        # Means of two draws; doubles hold some hundred thousand units of money to far less than a millionth.
        assert last[column].sum() == pytest.approx(np.mean(booked(busy, name)) / MICROS, abs=1e-6)


def test_all_programmes_together_move_every_account_but_working_capital(busy):
    moved = {account for account in Account if booked(busy, TOGETHER, account) != booked(busy, BASELINE, account)}
    # No bundled strategy among them ties up capital, or gives a ticket or an order's revenue a price.
    assert set(Account) - moved <= {
        Account.WORKING_CAPITAL, Account.TICKET_EXTRAS, Account.REVENUE_SHARE, Account.RETAINED,
    }  # fmt: skip


def _place(busy, arm, name):
    together = busy.worlds.draws[0].arms[ARMS.index(arm)]
    return ARMS.index(arm), [strategy.name for strategy in together].index(name)


# A cadence of e-mails, coupons that wait for an idle spell, and both with all other programmes.
@pytest.mark.parametrize("arm", ["e-mail-cadence", "win-back-reactivation", TOGETHER])
def test_contacts_cost_their_number_in_the_shops_own_table_times_the_price_month_by_month(busy, arm):
    for world, draw in enumerate(busy.worlds.draws):
        prices = {
            one.name: micros(line.amount.value)
            for one in draw.scenario.strategies
            for line in one.costs
            if line.kind == "per_contact"
        }
        sent = busy.tables(arm, draw=world).contacts.with_columns(
            month=pl.col("sent_at").dt.strftime("%Y-%m"),
            cost=pl.col("programme").replace_strict(prices, default=0, return_dtype=pl.Int64),
        )
        paid = dict(sent.group_by("month").agg(pl.col("cost").sum()).filter(pl.col("cost") > 0).iter_rows())
        booked = busy.ledger.filter(draw=world).filter(pl.col("arm") == arm, pl.col("account") == Account.CONTACTS)
        starts = busy.scenario.calendar.starts_of
        by_month = booked.group_by("month").agg(pl.col("amount").sum())
        assert paid == {f"{starts(month):%Y-%m}": -amount for month, amount in by_month.iter_rows()}
        assert sum(paid.values()) > 0


def test_attracted_customers_cost_their_charge_and_referred_ones_their_reward(busy, again):
    usual = booked(busy, BASELINE, Account.ACQUISITION)
    arm, reach = _place(busy, "first-order-discount", "first-order-discount")
    attracted = counted_in(again[1], arm, ReachCountKind.ATTRACTED, reach)
    for number, draw in enumerate(busy.worlds.draws):
        price = draw.scenario.economics.acquisition_per_customer.value
        charge = draw.scenario.strategies[7].effects[0].charge.value
        more = booked(busy, "first-order-discount", Account.ACQUISITION)[number] - usual[number]
        assert more == -micros(price * charge) * attracted[number]
    assert sum(attracted) > 0
    assert booked(busy, "referral-programme", Account.ACQUISITION) == usual
    assert sum(counted_in(again[1], ARMS.index("referral-programme"), CountKind.REFERRED)) > 0
    assert all(amount < 0 for amount in booked(busy, "referral-programme", Account.REFERRALS))


def test_fees_refunds_returns_and_compensation_are_what_was_counted(busy, again):
    arm = ARMS.index(TOGETHER)
    for account, count_kind, sign in [
        (Account.FEES, CountKind.FEES, 1),
        (Account.REFUNDS, CountKind.REFUNDED, -1),
        (Account.COMPENSATION, CountKind.COMPENSATION, -1),
        (Account.REWARDS, CountKind.REWARD, -1),
        (Account.DISCOUNTS, CountKind.MARKDOWN, -1),
    ]:
        counted = [sign * cents * MICROS // 100 for cents in counted_in(again[1], arm, count_kind)]
        assert booked(busy, TOGETHER, account) == counted
        assert all(counted)
    handled = zip(counted_in(again[1], arm, CountKind.RETURNS), busy.worlds.draws, strict=True)
    assert booked(busy, TOGETHER, Account.RETURNS) == [
        -count * micros(draw.scenario.economics.handling_per_return.value) for count, draw in handled
    ]


def test_the_order_of_strategies_in_the_file_moves_no_entry(busy):
    scenario = everything()
    reordered = run(replace(scenario, strategies=scenario.strategies[::-1]))
    assert reordered.scenario.arms != busy.scenario.arms
    for arm in busy.scenario.arms:
        assert entries(reordered, arm).equals(entries(busy, arm))


def test_no_strategy_moves_an_entry_of_another_arm_though_it_attracts_or_refers_or_is_only_searched(busy):
    scenario = everything()
    without = {"first-order-discount", "referral-programme", "vip-tiers"}
    others = tuple(one for one in scenario.strategies if one.name not in without)
    searched = replace(with_prior("vip-tiers"), mode="break-even", searches="effects.status_1.dropout")
    found = run(replace(scenario, strategies=(*others, searched), combinations=(), stacking=None))
    for arm in found.scenario.arms:
        assert entries(found, arm).equals(entries(busy, arm))
    assert found.break_even["strategy"].to_list() == ["vip-tiers"]
