from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

import cxsim
from cxsim.errors import DataError, EstimationError
from cxsim.params import MICROS, Unit
from cxsim.strategies.effects import PurchaseRate, Reach
from cxsim.study.assumptions import register
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from cxsim.tables import ASSUMPTIONS, CASH, LEDGER, RETURNS, STATEMENT, check
from tests.simulated import assumed
from tests.study.conftest import small


def test_every_table_keeps_its_contract(study):
    for table, contract in [
        (study.returns, RETURNS), (study.statement, STATEMENT), (study.cash, CASH), (study.ledger, LEDGER),
        (study.assumptions, ASSUMPTIONS),
    ]:  # fmt: skip
        assert check(table, contract).height


def test_statement_and_ledger_hold_the_same_money(study):
    last = study.statement.filter(line="cash contribution").group_by("strategy").agg(pl.col("treated").sum())
    booked = study.ledger.group_by(pl.col("arm").cast(pl.String).alias("strategy")).agg(pl.col("amount").sum())
    for row in last.join(booked, on="strategy").iter_rows(named=True):
        # Means of four draws of exact sums; a float holds amounts of this size to a millionth of a cent.
        assert row["treated"] == pytest.approx(row["amount"] / MICROS / 4, abs=1e-6)


def test_the_net_present_value_discounts_the_ledger(study):
    calendar = study.scenario.calendar
    middles = calendar.month_starts[:-1] + np.diff(calendar.month_starts) / 2
    present = 1.10 ** (-middles / 365.25)  # the bundled shop's rate, which has no spread
    for row in study.returns.iter_rows(named=True):
        lines = study.statement.filter(strategy=row["strategy"], line="cash contribution").sort("month")
        assert row["incremental_npv"] == pytest.approx((lines["incremental"].to_numpy() * present).sum(), abs=1e-6)


def test_any_executor_gives_the_same_study(study, scenario):
    with ThreadPoolExecutor(max_workers=1) as one:
        other = cxsim.run(scenario, executor=one)
    assert other.ledger.equals(study.ledger)
    assert other.manifest == study.manifest


def test_progress_grows_by_one_up_to_the_total(scenario):
    sentence = []
    cxsim.run(scenario, progress=lambda done, total: sentence.append((done, total)))
    assert sentence == [(done, 4) for done in range(1, 5)]


def test_a_scenario_made_by_hand_runs(scenario):
    plan = cxsim.Strategy(
        name="plan",
        title="A plan",
        description="Nothing happens and nothing is paid.",
        reach=Reach(who="true", uptake=assumed(1.0, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS)),
        effects=(PurchaseRate(ratio=assumed(1.0, Unit.RATIO)),),
    )
    found = cxsim.run(dataclasses.replace(scenario, name="by-hand", strategies=(plan,)))
    row = found.returns.row(0, named=True)
    assert (row["incremental_npv"], row["outlay"], row["roi"]) == (0.0, 0.0, None)
    assert found.assumptions.filter(belongs_to="A plan")["evidence"].unique().to_list() == ["assumed"]


def test_adding_a_strategy_moves_no_number_of_the_others(study, scenario):
    coupon = scenario.strategies[1]
    alone = cxsim.run(dataclasses.replace(scenario, strategies=(coupon,)))
    name = coupon.name
    assert alone.returns.equals(study.returns.filter(strategy=name))
    assert alone.npv.equals(study.npv.filter(strategy=name))


def test_the_order_of_the_strategies_moves_no_number(study, scenario):
    other = cxsim.run(dataclasses.replace(scenario, strategies=scenario.strategies[::-1]))
    assert other.returns.equals(study.returns.reverse())


def test_the_assumptions_are_those_of_the_scenario(study, scenario):
    assert study.assumptions.equals(register(scenario))


def test_a_seed_of_its_own_gives_other_luck(study, scenario):
    other = cxsim.run(dataclasses.replace(scenario, seed=scenario.seed + 1))
    assert not other.ledger.equals(study.ledger)


def test_the_largest_seed_is_one(scenario):
    assert cxsim.run(dataclasses.replace(scenario, seed=2**63 - 1, draws=2)).ledger.height


def test_existing_customers_are_simulated_too(scenario):
    found = cxsim.run(dataclasses.replace(scenario, existing_customers="all", new_customers=None, draws=2))
    assert found.returns["customers"].to_list() == [2357] * 3
    assert found.ledger["cohort"].cast(pl.String).unique().sort().to_list() == ["existing", "shared"]


def test_cohorts_are_named_after_the_month_in_which_they_arrive(study):
    assert study.ledger["cohort"].cast(pl.String).unique().sort().to_list() == [
        "1998-07",
        "1998-08",
        "1998-09",
        "shared",
    ]


def test_orders_of_ones_own_are_read_by_the_scenarios_columns(scenario, tmp_path):
    path = tmp_path / "orders.parquet"
    lines = cxsim.load_cdnow(sample=True).table.collect().rename({"customer_id": "client"})
    lines.write_parquet(path)
    mine = dataclasses.replace(
        scenario, orders=str(path), columns=dataclasses.replace(scenario.columns, customer_id="client"), draws=2
    )
    assert cxsim.run(mine).purchases["bgnbd"].n_customers > 2000


def test_orders_that_are_not_there_are_refused(scenario):
    with pytest.raises(DataError, match="no such file"):
        cxsim.run(dataclasses.replace(scenario, orders="no-such.csv"))


def test_a_shop_without_repeat_customers_is_refused(scenario, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,ordered_at,amount\n" + "".join(f"{n},1998-01-{n % 28 + 1:02d},5.00\n" for n in range(99))
    )
    with pytest.raises(EstimationError, match="repeat"):
        cxsim.run(dataclasses.replace(scenario, orders=str(path)))


def test_luck_is_the_smaller_error_of_the_same_customers(study):
    assert study.paired["strategy"].to_list() == list(study.scenario.arms[1:])
    assert (study.paired["paired_std_error"] > 0).all()


def test_points_are_issued_by_the_points_programme_alone(study):
    issued = dict(study.points.select("strategy", "points_issued").iter_rows())
    assert issued.pop("points-programme") > 0
    assert set(issued.values()) == {0.0}


def test_more_customers_do_not_move_the_luck_of_the_first(study, scenario):
    more = cxsim.run(dataclasses.replace(scenario, new_customers=NewCustomers(per_month=50, months=4)))
    first = pl.col("cohort").cast(pl.String) == "1998-07"
    columns = [pl.col("draw"), pl.col("arm", "account").cast(pl.String), pl.col("month"), pl.col("amount")]
    assert more.ledger.filter(first).select(columns).equals(study.ledger.filter(first).select(columns))


@pytest.mark.parametrize("model", ["mbgnbd", "paretonbd"])
def test_a_scenario_runs_under_other_models_of_leaving(model):
    played = run(small(dropout=model, existing_customers="all"))
    assert {structure: fit.model for structure, fit in played.purchases.items()} == {model: model}
    assert played.returns["incremental_npv"].is_finite().all()
