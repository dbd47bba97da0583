"""One world of a study in; the tables that a shop would have of it, under their contracts, out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from cxsim.data.contracts import CONTACTS, LIVES, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.data.shop import TABLES, Shop, known_at
from cxsim.errors import ParamError, refuse_unknown
from cxsim.finance.economics import ACCOUNTS, Account, Economics, tariff
from cxsim.params import CENTS, MICROS, micros
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.kernel import visits
from cxsim.simulation.state import KINDS
from cxsim.study.provenance import save_files
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Draw, Worlds, schedule
from cxsim.tables import Contract, check, empty

SECONDS_PER_DAY = 86_400
_INSTRUMENTS = ("nps", "csat", "ces")
# Customers whom others bring have numbers from here on; no test can assign them beforehand.
FIRST_REFERRED = 1 << 40
# When an event is, and what the simulator notes of it, by its kind.
_AT, _A, _B, _C, _D = map(pl.col, ("at", "a", "b", "c", "d"))
_NONE = pl.DataFrame()


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopTables:
    """What a shop can see of one world, and what it cannot.

    Attributes
    ----------
    orders, tickets, surveys, returns, contacts, sessions, members
        Under ORDERS, TICKETS, SURVEYS, RETURNS, CONTACTS, SESSIONS and MEMBERS of `cxsim.data.contracts`; by time.
    lives
        What no shop can see, under LIVES; by customer.
    """

    orders: pl.DataFrame
    tickets: pl.DataFrame
    surveys: pl.DataFrame
    returns: pl.DataFrame
    contacts: pl.DataFrame
    sessions: pl.DataFrame
    members: pl.DataFrame
    lives: pl.DataFrame

    def shop(self, scenario: Scenario, *, name: str = "", currency: str = "") -> Shop:
        """Return these tables as a shop that observed this world, as `Study.shop` does.

        Parameters
        ----------
        scenario
            The scenario of the world, for its days and economics.
        name, currency
            Of the shop; those of the scenario when left out.

        Returns
        -------
        Shop
            Without what no shop can see; tables without rows are absent.
        """
        since, until = _ends(scenario)
        tables = {one: table for one in TABLES if not (table := getattr(self, one, _NONE)).is_empty()}
        if "orders" in tables:
            tables["orders"] = check(self.orders.with_columns(cost=_cost(scenario.economics)), ORDERS)
        if "tickets" in tables:
            tables["tickets"] = known_at(self.tickets.lazy(), "tickets", until).collect()
        if scenario.new_customers is not None:
            tables["marketing"] = _marketing(self.lives, scenario)
        lazy: dict[str, Any] = {one: table.lazy() for one, table in tables.items()}
        return Shop(
            name=name or scenario.title,
            currency=currency or scenario.economics.currency,
            since=since,
            until=until,
            opening=scenario.existing_customers == "none",
            **lazy,
        )

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write every table into a folder as Parquet, all of them or none.

        Parameters
        ----------
        folder
            Made if need be; files of these names are replaced.

        Returns
        -------
        tuple of pathlib.Path
            What was written: orders.parquet and so on.

        Raises
        ------
        ReportError
            When something cannot be written.
        """
        tables = (getattr(self, field.name) for field in fields(self))
        return save_files(folder, dict(zip(SHOP_FILES, tables, strict=True)))


SHOP_FILES = tuple(f"{field.name}.parquet" for field in fields(ShopTables))


def tables_of(worlds: Worlds, arm: str, draw: int) -> ShopTables:
    """Return the tables of one world and arm."""
    scenario = worlds.scenario
    require_world(scenario, arm, draw)
    world, number = worlds.draws[draw], scenario.arms.index(arm)
    log = events(worlds.population, worlds.inputs(world), seed=scenario.seed, arm=number)
    customer = _customer_name(pl.col("customer"), worlds)
    log = log.with_columns(
        customer_id=customer,
        order_id=pl.format("{}-{}", customer, pl.col("order") + 1),
        at=_moment(scenario, pl.col("second")),
    )
    strategies = world.arms[number]
    names = pl.Series([one.name for one in strategies], dtype=pl.String)
    orders = _orders(log, worlds)
    return ShopTables(
        orders=_under(ORDERS, orders.sort("ordered_at", "order_id")),
        contacts=_contacts(log, names),
        sessions=_sessions(orders, world, scenario),
        members=_members(log, names, scenario),
        lives=_lives(log, names, worlds),
        **_after_orders(log),
    )


def _after_orders(log: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return what happened to orders: tickets, surveys and returns."""
    instrument = _A.replace_strict(dict(enumerate(_INSTRUMENTS)), return_dtype=pl.String)
    return {
        "tickets": _of_orders(
            _of_kind(log, "TICKET"),
            TICKETS,
            ticket_id=pl.format("t-{}", "order_id"),
            created_at=_AT,
            first_response_at=_AT + pl.duration(seconds=_A),
            resolved_at=_AT + pl.duration(seconds=_B),
            solved_at_first=_C.eq(1),
            compensation=_D / CENTS,
        ),
        "surveys": _of_orders(
            _of_kind(log, "SURVEY"),
            SURVEYS,
            survey_id=pl.format("{}-{}", instrument, "order_id"),
            sent_at=_AT,
            instrument=instrument,
            score=pl.when(_B >= 0).then(_B),
        ),
        "returns": _of_orders(
            _of_kind(log, "RETURN"),
            SENT_BACK,
            return_id=pl.format("r-{}", "order_id"),
            returned_at=_AT,
            refund=_A / CENTS,
            list_amount=_B / CENTS,
        ),
    }


def _of_orders(events: pl.DataFrame, contract: Contract, **columns: pl.Expr) -> pl.DataFrame:
    """Return what happened to orders, by time; the first two columns are the key and the time."""
    key, when, *_ = columns
    return _under(contract, events.select("order_id", "customer_id", **columns).sort(when, key))


def require_world(scenario: Scenario, arm: str, draw: int) -> None:
    """Refuse an arm or a draw that the scenario has not."""
    refuse_unknown(arm, scenario.arms, f"no arm '{arm}' in scenario '{scenario.name}'")
    worlds = len(scenario.structures) * scenario.draws
    if not 0 <= draw < worlds:
        raise ParamError(f"no draw {draw}; possible: 0 to {worlds - 1}.")


def _moment(scenario: Scenario, second: pl.Expr) -> pl.Expr:
    """Return the time of a second of the scenario."""
    return (pl.lit(_ends(scenario)[0]).cast(pl.Datetime("us")) + pl.duration(seconds=second)).cast(pl.Datetime("us"))


def _customer_name(number: pl.Expr, worlds: Worlds) -> pl.Expr:
    """Return the name of a customer by the simulator's number; existing customers have theirs of the order file.

    New customers are named after month and place within it, so that one whom a programme attracts renames nobody.
    """
    population, calendar = worlds.population, worlds.scenario.calendar
    names = [worlds.rfm["customer_id"].cast(pl.String).head(population.base.height)]
    for month, customers in enumerate(population.most_arrivals):
        place = pl.int_range(1, customers + 1)
        names.append(pl.select(pl.format(f"new-{calendar.starts_of(month):%Y-%m}-{{}}", place)).to_series())
    there = pl.lit(pl.concat(names)).gather(number.clip(0, sum(map(len, names)) - 1))
    return pl.when(number >= FIRST_REFERRED).then(pl.format("referred-{}", number)).otherwise(there)


def _programme_name(reach: pl.Expr, names: pl.Series) -> pl.Expr:
    """Return the name of a programme by the place of its reach; null where there is none."""
    return reach.replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)


def _of_kind(log: pl.DataFrame, kind: str) -> pl.DataFrame:
    return log.filter(pl.col("kind") == KINDS.index(kind))


def _under(contract: Contract, table: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of a table that its contract has, in the contract's order."""
    known = [name for name in (*contract.columns, *contract.optional) if name in table.columns]
    return check(table.select(known), contract)


def _orders(log: pl.DataFrame, worlds: Worlds) -> pl.DataFrame:
    before = pl.DataFrame({"customer": range(worlds.rfm.height), "earlier": worlds.rfm["frequency"] + 1})
    if worlds.scenario.existing_customers == "none":
        before = before.clear()
    incidents = dict(enumerate(worlds.scenario.behaviour.incidents, start=1))
    return (
        _of_kind(log, "ORDER")
        .join(before.cast(pl.Int64), on="customer", how="left")
        .select(
            "customer",
            "order",
            "second",
            "order_id",
            "customer_id",
            ordered_at="at",
            order_number=pl.col("order") + 1 + pl.col("earlier").fill_null(0),
            list_amount=_A / CENTS,
            markdown=_B / CENTS,
            reward=_C / CENTS,
            amount=(_A - _B - _C) / CENTS,
            incident=_D.replace_strict(incidents, default=None, return_dtype=pl.String),
        )
    )


def _contacts(log: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """Return the messages sent to customers: single ones, and those that members receive again and again."""
    contacts = _of_kind(log, "CONTACT").select("customer_id", sent_at="at", reach="a")
    contacts = contacts.sort("sent_at", "customer_id", "reach").with_row_index("number", offset=1)
    programme = _programme_name(pl.col("reach"), names)
    return _under(CONTACTS, contacts.with_columns(programme=programme, contact_id=pl.format("c-{}", "number")))


def _sessions(orders: pl.DataFrame, world: Draw, scenario: Scenario) -> pl.DataFrame:
    """Return the visits to the shop; none where the behaviour has none."""
    model = world.scenario.behaviour.sessions
    if model is None:
        return empty(SESSIONS)
    ordered = orders.sort("customer", "order")
    before = pl.col("second").shift(1).over("customer").fill_null(pl.col("second"))
    asked = ordered.select("customer", "order", before=before, at="second").to_numpy()
    row, _, second, bought = visits(asked, seed=scenario.seed, draw=world.number, conversion=model.conversion.value).T
    sessions = (
        pl.DataFrame({"row": row, "second": second, "bought": bought})
        .with_columns(
            customer_id=pl.lit(ordered["customer_id"]).gather(pl.col("row")),
            order_id=pl.when(pl.col("bought") == 1).then(pl.lit(ordered["order_id"]).gather(pl.col("row"))),
            started_at=_moment(scenario, pl.col("second")),
        )
        .sort("started_at", "row", "bought")
        .with_row_index("number", offset=1)
        .with_columns(session_id=pl.format("v-{}", "number"))
    )
    return _under(SESSIONS, sessions)


def _members(log: pl.DataFrame, names: pl.Series, scenario: Scenario) -> pl.DataFrame:
    end = scenario.calendar.days * SECONDS_PER_DAY
    members = _of_kind(log, "MEMBER").select(
        "customer_id",
        programme=_programme_name(_A, names),
        joined_at="at",
        left_at=pl.when(end > _B).then(_moment(scenario, _B)),
    )
    return check(members.sort("joined_at", "customer_id", "programme"), MEMBERS)


def _lives(log: pl.DataFrame, names: pl.Series, worlds: Worlds) -> pl.DataFrame:
    arrived = _of_kind(log, "ARRIVED").select(
        "customer_id",
        arrived_at="at",
        referred_by=pl.when(_A >= 0).then(_customer_name(_A, worlds)),
        attracted_by=_programme_name(_B, names),
    )
    left, back = (_of_kind(log, kind).group_by("customer_id").agg(_AT.max()) for kind in ("LEFT", "REVIVED"))
    lives = log.select("customer_id")
    if worlds.scenario.existing_customers == "all":
        lives = pl.concat([lives, worlds.rfm.select(pl.col("customer_id").cast(pl.String))])
    lives = lives.unique()
    for part in (arrived, left.rename({"at": "left_at"}), back.rename({"at": "back_at"})):
        lives = lives.join(part, on="customer_id", how="left")
    stays = pl.col("back_at").is_null() | (pl.col("left_at") > pl.col("back_at"))
    return _under(LIVES, lives.with_columns(left_at=pl.when(stays).then("left_at")).sort("customer_id"))


def _ends(scenario: Scenario) -> tuple[datetime, datetime]:
    """Return the first moment of a scenario and the first after it."""
    calendar = scenario.calendar
    return (
        datetime.combine(calendar.starts_on, time()),
        datetime.combine(calendar.starts_of(calendar.months), time()),
    )


def _cost(economics: Economics) -> pl.Expr:
    """Return what goods and fulfilment of an order cost, as the ledger books them: whole millionths."""
    amounts = tariff(economics, ())
    goods, fulfilment = (
        -int(amounts[ACCOUNTS.index(account), place(count_kind)])
        for account, count_kind in ((Account.COST_OF_GOODS, CountKind.LIST), (Account.FULFILMENT, CountKind.ORDERS))
    )
    cents = (pl.col("list_amount") * CENTS).round().cast(pl.Int64)
    return (cents * goods + fulfilment) / MICROS


def _marketing(lives: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """Return what winning customers cost on each day of the scenario: nothing for those whom others referred."""
    first, end = _ends(scenario)
    usual = scenario.economics.acquisition_per_customer.value
    charges = {one.name: micros(usual * schedule(one).acquisition_charge) for one in scenario.strategies}
    by = pl.col("attracted_by")
    charge = by.replace_strict(charges, default=None, return_dtype=pl.Int64)
    each = pl.when(by.is_null()).then(micros(usual)).otherwise(charge)
    days = pl.datetime_range(first, end, "1d", closed="left", time_unit="us", eager=True).alias("spent_at").to_frame()
    spent = (
        lives.filter(pl.col("arrived_at").is_not_null() & pl.col("referred_by").is_null())
        .group_by(spent_at=pl.col("arrived_at").dt.truncate("1d"))
        .agg(amount=each.sum())
    )
    table = days.join(spent, on="spent_at", how="left", maintain_order="left")
    table = table.with_columns(amount=pl.col("amount").fill_null(0) / MICROS)
    return check(table, MARKETING)
