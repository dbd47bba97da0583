"""A file, a folder, the bundled log or a scenario becomes a shop by its name, as it was known on some day."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from cxsim.data.cdnow import load_cdnow
from cxsim.data.orders import transactions_of
from cxsim.data.shop import Policy
from cxsim.errors import DataError, ParamError
from cxsim.study.scenario import Columns
from cxsim.study.sources import fit_scenario, load_shop, orders_of, seen_until
from tests.small_shop import exports_of_three, small_scenario
from tests.study.conftest import small


@pytest.fixture
def folder(tmp_path):
    return exports_of_three(tmp_path)


@pytest.fixture
def scenario(tmp_path):
    return small_scenario(tmp_path)


def test_a_folder_of_exports_becomes_a_shop_with_a_receipt_for_each_file(folder):
    shop = load_shop(str(folder))
    assert shop.name == "my-shop"
    assert [(receipt.table, receipt.rows_kept) for receipt in shop.receipts] == [("orders", 5), ("tickets", 2)]


def test_observation_ends_with_the_last_day_that_is_named(folder):
    shop = load_shop(str(folder), until=date(2024, 1, 10), currency="EUR")
    assert shop.until == datetime(2024, 1, 11)
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
        ParamError, match=r"until: 2001-01-01 is outside the observation period, 1998-07-01 to 1998-09-30"
    ):
        load_shop(str(scenario), until=date(2001, 1, 1))


def test_a_name_that_leads_nowhere_is_answered_with_the_nearest_scenario_or_file(folder):
    with pytest.raises(
        ParamError, match="'cdnow-servise' is neither a folder or file of exports nor a scenario; did you mean"
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
    longer = small_scenario(scenario.parent, horizon_months="14")
    assert load_shop(str(longer), until=date(1998, 8, 30)).missing("sessions") is None
    assert load_shop(str(longer), until=date(1998, 9, 30)).missing("sessions") is not None


@pytest.mark.parametrize(("name", "sample"), [("cdnow", False), ("cdnow-sample", True)])
def test_a_bundled_log_is_known_by_its_name(name, sample):
    shop = load_shop(name)
    assert transactions_of(shop).table.collect().equals(load_cdnow(sample=sample).table.collect())
    assert (shop.currency, shop.until) == ("USD", datetime(1998, 7, 1))
    # Its last day is the end; no later one was observed.
    assert load_shop(name, until=date(1998, 6, 30)).until == load_shop(name, until=date(1999, 1, 1)).until == shop.until


def test_a_bundled_log_up_to_a_day_accounts_for_the_orders_after_it():
    found = transactions_of(load_shop("cdnow-sample", until=date(1997, 9, 30)))
    height = found.table.collect().height
    assert (found.until, found.totals.orders) == (date(1997, 9, 30), height)
    assert found.hygiene.rows_kept == height
    gone = {line.reason: line.rows for line in found.hygiene.lines if line.rows and line.action == "dropped"}
    assert gone == {"after the end of observation": 6_919 - height}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"columns": {"amount": "total"}},
            "cdnow is a built-in data set with a fixed format; leave out the names for amount",
        ),
        ({"policy": {"zero": "drop"}}, "cdnow is a built-in data set with a fixed format; leave out the policy"),
    ],
)
def test_what_would_be_passed_over_for_a_bundled_log_is_refused(asked, message):
    with pytest.raises(DataError, match=message):
        load_shop("cdnow", **asked)
    assert load_shop("cdnow-sample", columns={"amount": "amount"}, policy=Policy()).currency == "USD"


def test_a_relative_path_begins_in_the_folder_and_an_absolute_one_does_not(tmp_path):
    (tmp_path / "orders.csv").write_text("who,day,euros\n7,2024-01-01,10\n7,2024-03-01,0\n", encoding="utf-8")
    asked = {"columns": {"customer_id": "who", "ordered_at": "day", "amount": "euros"}, "policy": {"zero": "keep"}}
    relative = load_shop("orders.csv", **asked, until=date(2024, 2, 1), folder=tmp_path)
    absolute = load_shop(str(tmp_path / "orders.csv"), **asked, folder=Path("/elsewhere"))
    assert (relative.until, absolute.until) == (datetime(2024, 2, 2), datetime(2024, 3, 1, 0, 0, 0, 1))
    assert relative.orders.collect().equals(absolute.orders.collect().head(1))


def test_a_scenario_names_its_orders_their_columns_policy_and_end_and_their_currency_must_be_its_own(tmp_path):
    rows = ["a,2024-01-02,5,USD", "a,2024-01-09,0,USD", "b,2024-02-01,7,USD"]
    (tmp_path / "orders.csv").write_text("\n".join(["who,day,sum,code", *rows]), encoding="utf-8")
    columns = {"customer_id": "who", "ordered_at": "day", "amount": "sum"}
    case = small(orders=str(tmp_path / "orders.csv"), columns=Columns(**columns), observed_until=date(2024, 1, 31))
    found = orders_of(case, "USD")
    assert (found.totals.orders, found.until, found.currency) == (1, date(2024, 1, 31), "")
    kept = orders_of(replace(case, policy=Policy(zero="keep")), "USD")
    assert kept.totals.orders == 2
    with pytest.raises(ParamError, match=r"its orders are in USD, and its money is in EUR"):
        orders_of(small(), "EUR")


def test_a_scenario_is_fitted_to_the_customers_of_its_orders():
    fits = fit_scenario(small())
    assert fits.rfm.height == fits.purchases["bgnbd"].n_customers == 2_357
    assert fits.spend.n_customers == fits.rfm.filter(pl.col("monetary_value") > 0).height
