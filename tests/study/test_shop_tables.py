"""The tables that a shop would have of a world: sound, whole, and the same money as in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

import cxsim
from cxsim.data.contracts import CONTACTS, LIVES, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.data.shop import TABLES
from cxsim.errors import ParamError
from cxsim.params import CENTS, MICROS
from cxsim.study.scenario import BASELINE
from cxsim.tables import RFM, TRANSACTIONS, check
from tests.study.everything import TOGETHER

CONTRACTS = {
    "orders": ORDERS, "tickets": TICKETS, "surveys": SURVEYS, "returns": SENT_BACK, "contacts": CONTACTS,
    "sessions": SESSIONS, "members": MEMBERS, "lives": LIVES,
}  # fmt: skip
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
        "discounts": (tables.orders, "ordered_at", "markdown", -1),
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


def test_tables_come_back_from_parquet_as_they_were(tables, tmp_path):
    written = tables.save(tmp_path / "deep" / "tables")
    assert [path.name for path in written] == [f"{name}.parquet" for name in CONTRACTS]
    for path in written:
        table = check(pl.read_parquet(path), CONTRACTS[path.stem])
        assert table.equals(getattr(tables, path.stem))
    assert sorted(path.name for path in (tmp_path / "deep" / "tables").iterdir()) == sorted(
        path.name for path in written
    )


@pytest.mark.parametrize(
    ("arm", "draw", "words"),
    [
        ("free-return", 0, "no arm 'free-return' in scenario 'cdnow-service'; did you mean 'free-returns'"),
        (BASELINE, -1, "no draw -1; possible: 0 to 1"),
        (BASELINE, 2, "no draw 2; possible: 0 to 1"),
    ],
)
def test_a_world_that_is_not_there_is_answered_with_those_that_are(busy, arm, draw, words):
    with pytest.raises(ParamError, match=words):
        busy.tables(arm, draw=draw)


def test_a_shop_without_visits_and_experience_has_orders_and_empty_tables(study):
    tables = study.tables("points-programme")
    assert tables.orders.height > 0
    assert tables.members.height > 0
    for name in ("tickets", "surveys", "returns", "sessions"):
        assert check(getattr(tables, name), CONTRACTS[name]).is_empty()


# A world as a shop that observed it: the ledger's costs, nothing of later days, and nobody taken for new.


@pytest.fixture(scope="module")
def shops(busy):
    return {arm: busy.shop(arm) for arm in (BASELINE, TOGETHER)}


def micros(column):
    """Return the sum of money in whole millionths; each amount must be a whole number of them."""
    scaled = column * MICROS
    assert (scaled - scaled.round()).abs().max() < 1e-4
    return int(scaled.round().cast(pl.Int64).sum())


def in_ledger_as_shop(study, arm, account):
    return -study.ledger.filter(arm=arm, account=account, draw=0)["amount"].sum()


def test_all_tables_are_there_lazily_and_keep_their_contracts(shops):
    for name in TABLES:
        check(shops[TOGETHER].table(name).collect(), (CONTRACTS | {"marketing": MARKETING})[name])
    assert shops[BASELINE].missing("members") == "there is no table of members."


def test_the_shop_has_days_name_and_currency_of_the_scenario_and_was_open_before(shops, busy, study):
    shop = shops[BASELINE]
    # 24 months from the day after 30 June 1998.
    assert (shop.since, shop.until) == (datetime.fromisoformat("1998-07-01"), datetime.fromisoformat("2000-07-01"))
    assert (shop.name, shop.currency) == (busy.scenario.title, "USD")
    # Existing customers ordered before, as the number of their orders shows; without them the shop opens then.
    assert not shop.opening
    first = shop.table("orders").group_by("customer_id").agg(pl.col("order_number").min()).collect()
    assert set(first["order_number"]) > {1}
    assert study.shop().opening


@pytest.mark.parametrize("arm", [BASELINE, TOGETHER])
def test_costs_of_orders_are_those_of_the_ledger_to_the_millionth(busy, shops, arm):
    resold = busy.tables(arm).returns["list_amount"]
    economics = busy.worlds.draws[0].scenario.economics
    # The ledger takes off the cost of goods what was sent back and can be sold again: a share of the goods of each
    # cent of list price, in whole millionths.
    goods = 10_000 - round(economics.gross_margin.value * 10_000)
    per_cent = round(goods * economics.resaleable.value)
    recovered = round((resold * 100).sum()) * per_cent
    assert goods > 0.5
    expected = (
        in_ledger_as_shop(busy, arm, "cost of goods") + recovered + in_ledger_as_shop(busy, arm, "pick, pack and ship")
    )
    assert micros(shops[arm].table("orders").collect()["cost"]) == expected


@pytest.mark.parametrize("arm", [BASELINE, "first-order-discount", TOGETHER])
def test_marketing_is_what_the_ledger_books_for_winning_customers(busy, arm):
    marketing = busy.shop(arm).table("marketing").collect()
    assert marketing.height == 731  # two years of days, one of them leap
    assert marketing["spent_at"].to_list()[:2] == [
        datetime.fromisoformat("1998-07-01"),
        datetime.fromisoformat("1998-07-02"),
    ]
    assert micros(marketing["amount"]) == in_ledger_as_shop(busy, arm, "acquisition") > 0
    by_month = busy.ledger.filter(arm=arm, account="acquisition", draw=0).group_by("month").agg(pl.col("amount").sum())
    booked = dict(by_month.iter_rows())
    spent = marketing.group_by(pl.col("spent_at").dt.truncate("1mo")).agg(pl.col("amount").sum()).sort("spent_at")
    assert [-booked.get(month, 0) for month in range(24)] == [round(one * MICROS) for one in spent["amount"]]


def test_nothing_is_stated_that_was_not_known_on_the_last_day(shops, busy):
    tickets = shops[BASELINE].table("tickets").collect()
    until = shops[BASELINE].until
    assert (tickets["first_response_at"].drop_nulls() < until).all()
    assert (tickets["resolved_at"].drop_nulls() < until).all()
    whole = busy.tables().tickets
    late = whole.filter(pl.col("resolved_at") >= until)["ticket_id"]
    waiting = tickets.filter(pl.col("resolved_at").is_null())
    assert set(waiting["ticket_id"]) == set(late)
    assert waiting["solved_at_first"].null_count() == waiting.height
    # The median answer takes hours; more than a few tickets of the last week would be a mistake in the cut.
    assert (until - tickets["created_at"].max()) < timedelta(days=60)


def test_without_new_customers_nothing_is_spent_on_winning_them(shop_tables, busy):
    scenario = replace(busy.scenario, new_customers=None)
    assert shop_tables[BASELINE].shop(scenario).marketing is None
