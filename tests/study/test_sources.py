"""A file, a folder, the bundled log or a scenario becomes a shop by its name, as it was known on some day."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

import cxsim
from cxsim.clv.fit import fit_spend
from cxsim.data.cdnow import load_cdnow
from cxsim.data.orders import transactions_of
from cxsim.data.rfm import summarise
from cxsim.data.shop import Policy
from cxsim.errors import DataError, ParamError
from cxsim.library import named
from cxsim.params import Unit, read
from cxsim.strategies.behaviour import PLAIN, Behaviour
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import Columns, SimulatedShop
from cxsim.study.sources import fit_scenario, load_shop, orders_of, seen_until
from tests.simulated import assumed
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
        ParamError,
        match="'cdnow-servise' is neither a folder or file of exports nor a bundled shop or scenario; did you mean",
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


@pytest.fixture(scope="module")
def simulated():
    return load_shop("skin-care")


def test_a_simulated_shop_says_so_and_is_the_same_every_time(simulated):
    assert simulated.name == "A simulated shop with a high margin"
    assert [(one.recognised, one.file) for one in simulated.receipts] == [("simulated orders", "skin-care.yaml")]
    assert (simulated.currency, simulated.opening) == ("EUR", True)
    again = load_shop("skin-care")
    assert simulated.table("orders").collect().equals(again.table("orders").collect())
    assert load_shop("skin-care", until=date(2024, 3, 31)).until == datetime(2024, 4, 1)


def test_the_orders_of_a_simulated_shop_have_the_means_and_spreads_of_its_file(simulated):
    file = read(named("shops", "skin-care"), SimulatedShop)
    rfm = summarise(transactions_of(simulated))
    assert rfm.height == file.new_customers.per_month * file.new_customers.months
    # Repeat orders of Pareto/NBD up to each age: r beta / (alpha (s - 1)) (1 - (beta / (beta + T)) ** (s - 1));
    # Schmittlein, Morrison & Colombo (1987). Of those who came a year ago (beta / (beta + 1)) ** s are still there.
    s = file.leaving_between.value**-2
    there = (1.0 - file.leaving.value) ** (1.0 / s)
    beta = there / (1.0 - there)
    years = (rfm["age_days"] + 0.5) / 365.25  # of an age in whole days half a day is cut off on average
    expected = file.orders_per_year.value * beta / (s - 1.0) * (1.0 - (beta / (beta + years)) ** (s - 1.0))
    error = rfm["frequency"].std() / math.sqrt(rfm.height)
    # Two orders of a day count as one under RFM, which takes about one in a hundred.
    assert rfm["frequency"].mean() == pytest.approx(expected.mean(), abs=4.0 * error + 0.01 * expected.mean())
    # Spend is independent of the rest, so the mean over customers' means is that of the file.
    means = simulated.table("orders").collect().group_by("customer_id").agg(pl.col("amount").mean())["amount"]
    assert means.mean() == pytest.approx(file.order_value.value, abs=4.0 * means.std() / math.sqrt(len(means)))
    spend = fit_spend(rfm)
    between, within = (spend.params.q - 2.0) ** -0.5, spend.params.p**-0.5
    # Thousands of customers with two orders and more: the estimates' own errors are 2 % to 3 %.
    assert (between, within) == pytest.approx(
        (file.order_value_between.value, file.order_value_within.value), rel=4 * 0.03
    )


def test_in_the_simulated_shop_one_programme_pays_one_does_not_and_one_is_open():
    scenario = replace(load_scenario("skin-care-programmes"), draws=40)
    found = {row["strategy"]: row for row in cxsim.run(scenario).returns.iter_rows(named=True)}
    pays, unclear, loses = (found[name] for name in ("faster-delivery", "points-programme", "targeted-discount"))
    assert pays["incremental_npv"] > 4.0 * pays["npv_mc_error"]
    assert loses["incremental_npv"] < -4.0 * loses["npv_mc_error"]
    assert unclear["npv_low"] < 0.0 < unclear["npv_high"]
    chances = [row["prob_npv_positive"] for row in (loses, unclear, pays)]
    # Between the shop's own limits lies what is piloted, 0.25 to 0.90; with 40 draws the error is 0.08 at most.
    assert chances[0] == 0.0
    assert 0.33 < chances[1] < 0.82
    assert chances[2] > 0.90


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"currency": "euro"}, "currency must be a code of three capitals, such as USD; found 'euro'"),
        ({"leaving": assumed(1.0, Unit.SHARE_PER_YEAR)}, "leaving must be above 0 and below 1; found 1"),
        ({"order_value": assumed(80.0, Unit.MONEY)}, "order_value: wrong unit 'money'; it must be 'money per order'"),
    ],
)
def test_a_simulated_shop_is_refused_for(changes, words):
    with pytest.raises(ParamError, match=words):
        replace(read(named("shops", "skin-care"), SimulatedShop), **changes)


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


def test_refunds_are_not_taken_off_twice_where_returns_are_simulated(tmp_path):
    # Every fourth order was paid back in part, every eighth in full; then the same orders, of which nobody knows it.
    case = small(economics=load_scenario("cdnow-service").economics)
    seen = (pl.col("amount") > 0) & (pl.col("ordered_at").dt.date() <= case.observed_until)
    lines = load_cdnow(sample=True).table.collect().filter(seen).with_row_index("n")
    shares = pl.when(pl.col("n") % 8 == 0).then(1.0).when(pl.col("n") % 4 == 0).then(0.5).otherwise(0.0)
    known = lines.with_columns(order_id=pl.format("o{}", "n"), refunded=(pl.col("amount") * shares).round(2)).drop("n")
    known.write_csv(tmp_path / "known.csv")
    known.drop("refunded").write_csv(tmp_path / "unknown.csv")
    returning = read(named("behaviour", "online-shop"), Behaviour)
    assert returning.returns is not None
    fits = {
        (name, behaviour.name): fit_scenario(replace(case, orders=str(tmp_path / f"{name}.csv"), behaviour=behaviour))
        for name in ("known", "unknown")
        for behaviour in (PLAIN, returning)
    }
    before, after = fits["known", "online-shop"], fits["known", PLAIN.name]
    assert before.spend == fits["unknown", "online-shop"].spend == fits["unknown", PLAIN.name].spend
    assert before.purchases == fits["unknown", "online-shop"].purchases
    gone = known["refunded"].sum()
    assert gone > 0.15 * known["amount"].sum()
    assert before.orders.totals.revenue == pytest.approx(known["amount"].sum(), abs=0.005)
    assert after.orders.totals.revenue == pytest.approx(known["amount"].sum() - gone, abs=0.005 * known.height)
    assert before.orders.totals.orders - after.orders.totals.orders == (known["refunded"] == known["amount"]).sum()


def test_a_scenario_is_fitted_to_the_customers_of_its_orders():
    fits = fit_scenario(small())
    assert fits.rfm.height == fits.purchases["bgnbd"].n_customers == 2_357
    assert fits.spend.n_customers == fits.rfm.filter(pl.col("monetary_value") > 0).height
