"""One world's tables and its scenario in; the same as a shop that observed it, with costs, out.

What a shop could not know on its last day is not told: an answer or an end that comes later is null. Refunds are booked
within the horizon, as in the ledger: those that would come after it stand in its last day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

import polars as pl

from cxsim.exports import MARKETING, ORDERS
from cxsim.ledger import Account
from cxsim.scenario import Scenario
from cxsim.shop import TABLES, Shop
from cxsim.shop.known import known_at
from cxsim.study.draws import schedule
from cxsim.tables import check
from cxsim.tallies import Tally, place
from cxsim.units import CENTS, MICROS, micros
from cxsim.valuation import ACCOUNTS, Economics, tariff


def as_shop(
    tables: Mapping[str, pl.DataFrame], lives: pl.DataFrame, scenario: Scenario, *, name: str = "", currency: str = ""
) -> Shop:
    """Return the tables of a world as a shop."""
    since, until = (datetime.combine(day, time()) for day in _ends(scenario))
    found = {one: tables[one] for one in TABLES if one in tables and not tables[one].is_empty()}
    if "orders" in found:
        found["orders"] = check(found["orders"].with_columns(cost=_cost(scenario.economics)), ORDERS)
    if "tickets" in found:
        found["tickets"] = known_at(found["tickets"].lazy(), "tickets", until).collect()
    if scenario.new_customers is not None:
        found["marketing"] = _marketing(lives, scenario)
    lazy = {one: table.lazy() for one, table in found.items()}
    return Shop(
        name=name or scenario.title,
        currency=currency or scenario.economics.currency,
        since=since,
        until=until,
        opening=scenario.existing_customers == "none",
        orders=lazy.get("orders"),
        tickets=lazy.get("tickets"),
        surveys=lazy.get("surveys"),
        returns=lazy.get("returns"),
        contacts=lazy.get("contacts"),
        sessions=lazy.get("sessions"),
        members=lazy.get("members"),
        marketing=lazy.get("marketing"),
    )


def _ends(scenario: Scenario) -> tuple[date, date]:
    calendar = scenario.calendar
    return calendar.starts_on, calendar.starts_of(calendar.months)


def _cost(economics: Economics) -> pl.Expr:
    """Return what goods and fulfilment of an order cost, as the ledger books them: whole millionths."""
    worth = tariff(economics, ())
    goods = -int(worth[ACCOUNTS.index(Account.COST_OF_GOODS), place(Tally.LIST)])
    fulfilment = -int(worth[ACCOUNTS.index(Account.FULFILMENT), place(Tally.ORDERS)])
    cents = (pl.col("list_amount") * CENTS).round().cast(pl.Int64)
    return (cents * goods + fulfilment) / MICROS


def _marketing(lives: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """Return what winning customers cost on each day of the scenario: nothing for those whom others referred."""
    first, end = _ends(scenario)
    usual = scenario.economics.acquisition_per_customer.value
    charges = {one.name: micros(usual * schedule(one).acquisition_charge) for one in scenario.strategies}
    by = pl.col("attracted_by")
    each = (
        pl.when(by.is_null())
        .then(micros(usual))
        .otherwise(by.replace_strict(charges, default=None, return_dtype=pl.Int64))
    )
    days = pl.DataFrame({"spent_at": pl.datetime_range(first, end, "1d", closed="left", time_unit="us", eager=True)})
    spent = (
        lives.filter(pl.col("arrived_at").is_not_null() & pl.col("referred_by").is_null())
        .group_by(spent_at=pl.col("arrived_at").dt.truncate("1d"))
        .agg(amount=each.sum())
    )
    table = days.join(spent, on="spent_at", how="left", maintain_order="left").with_columns(
        amount=pl.col("amount").fill_null(0) / MICROS
    )
    return check(table, MARKETING)
