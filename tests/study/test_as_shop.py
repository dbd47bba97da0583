"""A world as a shop that observed it: the ledger's costs, nothing of later days, and nobody taken for new."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.contracts import CONTACTS, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.data.shop import TABLES
from cxsim.errors import ParamError
from cxsim.params import MICROS
from cxsim.study.scenario import BASELINE
from cxsim.tables import check
from tests.study.everything import TOGETHER

CONTRACTS = {
    "orders": ORDERS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "returns": SENT_BACK,
    "contacts": CONTACTS,
    "sessions": SESSIONS,
    "members": MEMBERS,
    "marketing": MARKETING,
}


@pytest.fixture(scope="module")
def shops(busy):
    return {arm: busy.shop(arm) for arm in (BASELINE, TOGETHER)}


def micros(column):
    """Return the sum of money in whole millionths; each amount must be a whole number of them."""
    scaled = column * MICROS
    assert (scaled - scaled.round()).abs().max() < 1e-4
    return int(scaled.round().cast(pl.Int64).sum())


def in_ledger(study, arm, account):
    return -study.ledger.filter(arm=arm, account=account, draw=0)["amount"].sum()


def test_all_tables_are_there_lazily_and_keep_their_contracts(shops):
    for name in TABLES:
        check(shops[TOGETHER].table(name).collect(), CONTRACTS[name])
    assert shops[BASELINE].missing("members") == "there is no table of members."


def test_days_name_and_currency_are_those_of_the_scenario(shops, busy):
    shop, calendar = shops[BASELINE], busy.scenario.calendar
    # 24 months from the day after 30 June 1998.
    assert (shop.since, shop.until) == (datetime.fromisoformat("1998-07-01"), datetime.fromisoformat("2000-07-01"))
    assert shop.since.date() == calendar.starts_on
    assert (shop.name, shop.currency) == (busy.scenario.title, "USD")


def test_name_and_currency_can_be_given(shop_tables, busy):
    shop = shop_tables[BASELINE].shop(busy.scenario, name="Mine", currency="EUR")
    assert (shop.name, shop.currency) == ("Mine", "EUR")


def test_with_existing_customers_the_shop_was_open_before_and_the_first_order_is_sentence_by_its_number(shops):
    shop = shops[BASELINE]
    assert not shop.opening
    first = shop.table("orders").group_by("customer_id").agg(pl.col("order_number").min()).collect()
    assert set(first["order_number"]) > {1}


def test_without_existing_customers_the_shop_opens_with_the_scenario(study):
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
    expected = in_ledger(busy, arm, "cost of goods") + recovered + in_ledger(busy, arm, "pick, pack and ship")
    assert micros(shops[arm].table("orders").collect()["cost"]) == expected


@pytest.mark.parametrize("arm", [BASELINE, "first-order-discount", TOGETHER])
def test_marketing_is_what_the_ledger_books_for_winning_customers(busy, arm):
    marketing = busy.shop(arm).table("marketing").collect()
    assert marketing.height == 731  # two years of days, one of them leap
    assert marketing["spent_at"].to_list()[:2] == [
        datetime.fromisoformat("1998-07-01"),
        datetime.fromisoformat("1998-07-02"),
    ]
    assert micros(marketing["amount"]) == in_ledger(busy, arm, "acquisition") > 0
    by_month = busy.ledger.filter(arm=arm, account="acquisition", draw=0).group_by("month").agg(pl.col("amount").sum())
    booked = dict(by_month.iter_rows())
    spent = marketing.group_by(pl.col("spent_at").dt.truncate("1mo")).agg(pl.col("amount").sum()).sort("spent_at")
    assert [-booked.get(month, 0) for month in range(24)] == [round(one * MICROS) for one in spent["amount"]]


def test_nothing_is_sentence_that_was_not_known_on_the_last_day(shops, busy):
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
    scenario = dataclasses.replace(busy.scenario, new_customers=None)
    assert shop_tables[BASELINE].shop(scenario).marketing is None


def test_a_world_that_is_not_there_is_refused(busy):
    with pytest.raises(ParamError, match="no draw -1; possible: 0 to 1"):
        busy.shop(draw=-1)
