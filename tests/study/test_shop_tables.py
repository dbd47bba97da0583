"""The tables that a shop would have of a world: sound, whole, and the same money as in the ledger."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import cxsim
from cxsim.data.contracts import CONTACTS, LIVES, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.errors import ParamError, ReportError
from cxsim.params import CENTS, MICROS
from cxsim.study.scenario import BASELINE
from cxsim.tables import RFM, TRANSACTIONS, check
from tests.study.everything import TOGETHER

CONTRACTS = {
    "orders": ORDERS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "returns": SENT_BACK,
    "contacts": CONTACTS,
    "sessions": SESSIONS,
    "members": MEMBERS,
    "lives": LIVES,
}
KEYS = {
    "orders": "order_id", "tickets": "ticket_id", "surveys": "survey_id", "returns": "return_id",
    "contacts": "contact_id", "sessions": "session_id", "lives": "customer_id",
}  # fmt: skip
ARMS = (BASELINE, TOGETHER)


@pytest.fixture(params=ARMS)
def arm(request):
    return request.param


@pytest.fixture
def tables(shop_tables, arm):
    return shop_tables[arm]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_table_keeps_its_contract_and_has_no_other_column(tables, name):
    contract = CONTRACTS[name]
    found = check(getattr(tables, name), contract).columns
    assert found == [column for column in (*contract.columns, *contract.optional) if column in found]


@pytest.mark.parametrize("name", CONTRACTS)
def test_where_every_mechanism_is_at_work_no_table_is_empty(shop_tables, name):
    assert getattr(shop_tables[TOGETHER], name).height > 0


def test_in_the_baseline_nobody_is_written_to_or_a_member(shop_tables):
    assert shop_tables[BASELINE].contacts.is_empty()
    assert shop_tables[BASELINE].members.is_empty()


@pytest.mark.parametrize(("name", "key"), KEYS.items())
def test_every_key_stands_once(tables, name, key):
    assert getattr(tables, name)[key].is_duplicated().sum() == 0


@pytest.mark.parametrize("name", ["tickets", "surveys", "returns", "sessions"])
def test_every_order_that_is_named_is_there_and_of_the_same_customer(tables, name):
    child = getattr(tables, name).drop_nulls("order_id").select("order_id", "customer_id")
    assert child.join(tables.orders, on=["order_id", "customer_id"], how="anti").is_empty()


@pytest.mark.parametrize("name", [name for name in CONTRACTS if name != "lives"])
def test_every_customer_that_is_named_has_a_life(tables, name):
    assert getattr(tables, name).join(tables.lives, on="customer_id", how="anti").is_empty()


def test_who_referred_or_attracted_whom_is_known(shop_tables, busy):
    lives = shop_tables[TOGETHER].lives
    referred = lives.drop_nulls("referred_by")
    assert referred.height > 0
    assert referred.filter(~pl.col("referred_by").is_in(lives["customer_id"].implode())).is_empty()
    attracting = {
        one.name for one in busy.scenario.strategies if any(effect.kind == "acquisition" for effect in one.effects)
    }
    assert {"first-order-discount"} <= set(lives["attracted_by"].drop_nulls()) <= attracting
    names = [one.name for one in busy.scenario.strategies]
    for programme in ("members", "contacts"):
        assert set(getattr(shop_tables[TOGETHER], programme)["programme"]) <= set(names)


def test_nothing_happens_before_its_time(tables, busy):
    calendar = busy.scenario.calendar
    starts, ends = calendar.starts_on, calendar.starts_of(calendar.months)
    for name, when in [("orders", "ordered_at"), ("contacts", "sent_at"), ("sessions", "started_at")]:
        days = getattr(tables, name)[when].dt.date()
        assert days.is_empty() or (days.min() >= starts and days.max() < ends)
    tickets = tables.tickets.join(tables.orders, on="order_id")
    assert (tickets["ordered_at"] <= tickets["created_at"]).all()
    assert (tickets["created_at"] <= tickets["first_response_at"]).all()
    assert (tickets["first_response_at"] <= tickets["resolved_at"]).all()
    returned = tables.returns.join(tables.orders, on="order_id")
    assert (returned["ordered_at"] <= returned["returned_at"]).all()


def test_orders_are_transactions_and_can_be_summarised_and_fitted(tables):
    orders = check(tables.orders, TRANSACTIONS)
    rfm = check(cxsim.summarise(orders), RFM)
    assert rfm.height == orders["customer_id"].n_unique()
    # Repeat orders are counted by the day.
    days = orders.select("customer_id", pl.col("ordered_at").dt.date()).unique().height
    assert rfm["frequency"].sum() == days - rfm.height


def cents(column):
    """Return the sum of a column of money in whole cents; every amount must be whole cents."""
    scaled = column.to_numpy() * CENTS
    assert np.abs(scaled - scaled.round()).max(initial=0.0) < 1e-6
    return int(scaled.round().sum())


def in_ledger(study, arm, account, draw):
    amount = study.ledger.filter(arm=arm, account=account, draw=draw)["amount"].sum()
    assert amount * CENTS % MICROS == 0
    return amount * CENTS // MICROS


@pytest.mark.parametrize("draw", [0, 1])
@pytest.mark.parametrize("name", [BASELINE, "points-programme", "first-order-discount", TOGETHER])
def test_the_money_of_orders_and_returns_is_that_of_the_ledger_to_the_cent(busy, name, draw):
    tables = busy.tables(name, draw=draw)
    orders = tables.orders
    assert cents(orders["list_amount"]) == in_ledger(busy, name, "gross sales", draw)
    assert -cents(orders["markdown"]) == in_ledger(busy, name, "markdown", draw)
    assert -cents(orders["reward"]) == in_ledger(busy, name, "rewards", draw)
    assert cents(orders["amount"]) == cents(orders["list_amount"]) - cents(orders["markdown"]) - cents(orders["reward"])
    assert -cents(tables.returns["refund"]) == in_ledger(busy, name, "refunds", draw)
    assert -cents(tables.tickets["compensation"]) == in_ledger(busy, name, "compensation", draw)


def daily(table, when, column):
    """Return whole cents by day."""
    amounts = table.select(day=pl.col(when).dt.date(), cents=(pl.col(column) * CENTS).round().cast(pl.Int64))
    return amounts.group_by("day").agg(pl.col("cents").sum())


@pytest.mark.parametrize("name", [BASELINE, TOGETHER])
def test_money_adds_up_day_by_day_and_to_the_ledger_whenever_a_month_is_over(busy, name):
    tables, calendar = busy.tables(name, draw=0), busy.scenario.calendar
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    days = pl.DataFrame({"day": pl.date_range(starts[0], starts[-1], closed="left", eager=True)})
    accounts = {
        "gross sales": (tables.orders, "ordered_at", "list_amount", 1),
        "markdown": (tables.orders, "ordered_at", "markdown", -1),
        "rewards": (tables.orders, "ordered_at", "reward", -1),
        "refunds": (tables.returns, "returned_at", "refund", -1),
        "compensation": (tables.tickets, "created_at", "compensation", -1),
    }
    net = days
    for account, (table, when, column, sign) in accounts.items():
        booked = days.join(daily(table, when, column), on="day", how="left").with_columns(pl.col("cents").fill_null(0))
        assert booked["cents"].sum() == daily(table, when, column)["cents"].sum(), "nothing outside of the scenario"
        running = booked.select("day", (sign * pl.col("cents")).cum_sum().alias(account))
        net = net.join(running, on="day")
        entries = busy.ledger.filter(arm=name, account=account, draw=0)
        for month, over in enumerate(starts[1:]):
            known = entries.filter(pl.col("month") <= month)["amount"].sum() * CENTS // MICROS
            assert running.filter(pl.col("day") < over)[account].last() == known
    # On no day has more been given away or paid back than was sold until then.
    assert (net.select(pl.sum_horizontal(*accounts))["gross sales"] >= 0).all()


def test_tickets_and_returns_are_at_most_one_of_an_order_and_no_more_comes_back_than_was_paid(tables):
    assert tables.tickets["order_id"].is_duplicated().sum() == 0
    returned = tables.returns.join(tables.orders, on="order_id", suffix="_ordered")
    assert returned.height == tables.returns.height
    assert (returned["refund"] <= returned["amount"] + 1e-9).all()
    assert (returned["list_amount"] <= returned["list_amount_ordered"] + 1e-9).all()


def test_orders_of_a_customer_are_numbered_over_their_whole_life(tables, busy):
    numbers = tables.orders.sort("customer_id", "ordered_at").group_by("customer_id", maintain_order=True)
    spread = numbers.agg(
        first=pl.col("order_number").first(), steps=pl.col("order_number").diff().drop_nulls().unique()
    )
    assert spread["steps"].explode().drop_nulls().unique().to_list() == [1]
    rfm = busy.worlds.rfm.select(pl.col("customer_id").cast(pl.String), before=pl.col("frequency") + 1)
    first = spread.join(rfm, on="customer_id", how="left").with_columns(pl.col("before").fill_null(0))
    assert (first["first"] == first["before"] + 1).all()


def test_the_same_customer_has_the_same_name_and_the_same_first_order_in_both_arms(shop_tables):
    def arrived(arm):
        orders = shop_tables[arm].orders.filter(order_number=1)
        return orders.select("customer_id", "order_id", "ordered_at", "list_amount").sort("customer_id")

    usual, treated = arrived(BASELINE), arrived(TOGETHER)
    assert usual.height == shop_tables[BASELINE].lives["arrived_at"].count() > 200
    assert treated.filter(pl.col("customer_id").is_in(usual["customer_id"].implode())).equals(usual)
    # Who comes on top has a name that nobody has in the baseline.
    more = shop_tables[TOGETHER].lives.filter(
        pl.col("attracted_by").is_not_null() | pl.col("referred_by").is_not_null()
    )
    assert more.join(shop_tables[BASELINE].lives, on="customer_id", how="semi").is_empty()
    assert treated.height == usual.height + more.height > usual.height


def test_existing_customers_have_the_names_of_the_order_file(shop_tables, busy):
    names = busy.worlds.rfm["customer_id"].cast(pl.String)
    for tables in shop_tables.values():
        found = tables.lives.filter(pl.col("arrived_at").is_null())["customer_id"]
        assert set(found) == set(names)


def test_visits_end_in_an_order_in_the_stated_share(shop_tables, busy, arm):
    sessions = shop_tables[arm].sessions
    conversion = busy.worlds.draws[0].scenario.behaviour.sessions.conversion.value
    bought = sessions["order_id"].is_not_null()
    assert bought.sum() == shop_tables[arm].orders.height
    # Visits before an order are geometric: of n orders' visits the mean is known to its deviation over the root of n.
    visits_per_order = sessions.height / bought.sum()
    error = np.sqrt(1 - conversion) / conversion / np.sqrt(bought.sum())
    assert visits_per_order == pytest.approx(1 / conversion, abs=4 * error)


def test_visits_before_the_same_order_are_the_same_in_every_arm(shop_tables):
    def bought(arm):
        orders = shop_tables[arm].orders.filter(order_number=1).select("customer_id", "order_id")
        visits = shop_tables[arm].sessions.join(orders, on=["customer_id", "order_id"])
        return visits.select("customer_id", "started_at").sort("customer_id")

    usual = bought(BASELINE)
    treated = bought(TOGETHER).filter(pl.col("customer_id").is_in(usual["customer_id"].implode()))
    assert treated.equals(usual)


def test_the_same_world_has_the_same_tables_twice(busy, shop_tables, arm):
    again = busy.tables(arm)
    for name in CONTRACTS:
        assert getattr(again, name).equals(getattr(shop_tables[arm], name))


def test_tables_come_back_from_parquet_as_they_were(tables, tmp_path):
    written = tables.save(tmp_path / "deep" / "tables")
    assert [path.name for path in written] == [f"{name}.parquet" for name in CONTRACTS]
    for path in written:
        table = check(pl.read_parquet(path), CONTRACTS[path.stem])
        assert table.equals(getattr(tables, path.stem))
    assert sorted(path.name for path in (tmp_path / "deep" / "tables").iterdir()) == sorted(
        path.name for path in written
    )


def test_a_file_in_the_way_is_refused_and_left_alone(tables, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ReportError, match="cannot be written to"):
        tables.save(tmp_path / "taken" / "tables")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "mine"


def test_where_one_table_cannot_be_written_none_is(tables, tmp_path):
    (tmp_path / "orders.parquet").write_text("old")
    (tmp_path / "tickets.parquet").mkdir()
    with pytest.raises(ReportError, match=r"tickets\.parquet: this is a folder, not a file"):
        tables.save(tmp_path)
    assert (tmp_path / "orders.parquet").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.parquet", "tickets.parquet"]


def test_an_arm_that_is_not_there_is_answered_with_the_nearest(busy):
    with pytest.raises(
        ParamError, match="no arm 'free-return' in scenario 'cdnow-service'; did you mean 'free-returns'"
    ):
        busy.tables("free-return")


@pytest.mark.parametrize("draw", [-1, 2])
def test_a_world_that_is_not_there_is_answered_with_those_that_are(busy, draw):
    with pytest.raises(ParamError, match=f"no draw {draw}; possible: 0 to 1"):
        busy.tables(draw=draw)


def test_a_shop_without_visits_and_experience_has_orders_and_empty_tables(study):
    tables = study.tables("points-programme")
    assert tables.orders.height > 0
    assert tables.members.height > 0
    for name in ("tickets", "surveys", "returns", "sessions"):
        assert check(getattr(tables, name), CONTRACTS[name]).is_empty()
    assert dataclasses.is_dataclass(tables)
