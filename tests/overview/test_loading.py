"""A shop is loaded from what lies at a path, or else simulated from the scenario of that name."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from cxsim.errors import ParamError
from cxsim.reporting.shop_page import load_shop, seen_until


def test_a_folder_of_exports_becomes_a_shop_with_a_receipt_for_each_file(folder):
    shop = load_shop(str(folder))
    assert shop.name == "my-shop"
    assert [(receipt.table, receipt.rows_kept) for receipt in shop.receipts] == [("orders", 5), ("tickets", 2)]


def test_observation_ends_with_the_last_day_that_is_named(folder):
    shop = load_shop(str(folder), until=date(2024, 1, 10), currency="EUR")
    assert shop.until == datetime.fromisoformat("2024-01-11")
    assert shop.currency == "EUR"
    assert shop.table("orders").collect().height == 4
    # The ticket of 3 January was resolved on the 20th, which nobody knew on the 10th.
    assert shop.table("tickets").collect()["resolved_at"].to_list() == [None, None]


def test_a_scenario_is_simulated_and_no_file_is_read(scenario):
    shop = load_shop(str(scenario))
    assert (shop.name, shop.receipts, shop.currency) == ("A small shop", (), "USD")
    assert shop.since == datetime.fromisoformat("1998-07-01")
    assert shop.table("orders").collect().height >= 40  # every new customer begins with an order


def test_a_scenario_can_be_looked_at_before_its_horizon_ends(scenario):
    whole, seen = load_shop(str(scenario)), load_shop(str(scenario), until=date(1998, 7, 31))
    end = datetime.fromisoformat("1998-08-01")
    assert seen.until == end
    orders = whole.table("orders").filter(pl.col("ordered_at") < end).collect()
    assert seen.table("orders").collect().equals(orders)
    assert 0 < orders.height < whole.table("orders").collect().height


def test_what_came_later_has_not_happened_yet(folder):
    # t1 was answered on the 3rd and resolved on the 20th; what it took shows only then.
    shop = load_shop(str(folder))
    tickets = shop.table("tickets").with_columns(solved_at_first=pl.lit(value=True))
    seen = seen_until(
        shop.__class__(name="s", currency="", since=shop.since, until=shop.until, tickets=tickets),
        datetime.fromisoformat("2024-01-08"),
    )
    (row,) = seen.table("tickets").collect().rows(named=True)
    assert row["first_response_at"] == datetime.fromisoformat("2024-01-03T12:00")
    assert (row["resolved_at"], row["solved_at_first"]) == (None, None)


def test_a_day_outside_of_the_horizon_is_refused(scenario):
    with pytest.raises(
        ParamError, match=r"until: 2001-01-01 lies outside of what was observed, 1998-07-01 to 1998-09-30"
    ):
        load_shop(str(scenario), until=date(2001, 1, 1))


def test_a_name_that_leads_nowhere_is_answered_with_the_nearest_scenario_or_file(folder):
    with pytest.raises(
        ParamError, match="'cdnow-servise' is no folder or file of exports, and no scenario; did you mean"
    ):
        load_shop("cdnow-servise")
    with pytest.raises(
        ParamError, match=r"did you mean '.*my-shop'\? Possible: cdnow-experience, .*my-shop\. Or any path"
    ):
        load_shop(str(folder.with_name("my-shp")))


def test_what_lies_there_wins_over_a_scenario_of_the_same_name(folder, monkeypatch):
    folder.rename(folder.with_name("cdnow-quick"))
    monkeypatch.chdir(folder.parent)
    assert len(load_shop("cdnow-quick").receipts) == 2


def test_the_last_year_of_a_scenario_has_no_visits_because_those_to_later_orders_are_missing(scenario):
    assert "look at an earlier day" in load_shop(str(scenario)).missing("sessions")


def test_visits_a_year_before_the_horizon_are_there():
    assert load_shop("cdnow-experience", until=date(2000, 6, 25)).missing("sessions") is None
    assert load_shop("cdnow-experience", until=date(2000, 7, 25)).missing("sessions") is not None
