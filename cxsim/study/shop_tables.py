"""One world of a study in; the tables that a shop would have of it, under their contracts, out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from cxsim.data.contracts import CONTACTS, LIVES, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.data.shop import TABLES, Shop, known_at
from cxsim.errors import ParamError, ReportError, choices
from cxsim.finance.economics import ACCOUNTS, Economics, tariff
from cxsim.finance.ledger import Account
from cxsim.params import CENTS, DAYS_PER_MONTH, MICROS, micros
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.kernel import visits
from cxsim.simulation.state import KINDS
from cxsim.simulation.world import Population
from cxsim.strategies.mechanisms import Contacts
from cxsim.study.play import (
    Draw,
    arms_of,
    drawn,
    fitted,
    inputs_of,
    past_of,
    population_of,
    reached_in,
    schedule,
    with_room,
)
from cxsim.study.scenario import BASELINE, Scenario
from cxsim.tables import Contract, check


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
    goods = -int(worth[ACCOUNTS.index(Account.COST_OF_GOODS), place(CountKind.LIST)])
    fulfilment = -int(worth[ACCOUNTS.index(Account.FULFILMENT), place(CountKind.ORDERS)])
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


SECONDS_PER_DAY = 86_400


def start_of(scenario: Scenario) -> pl.Expr:
    """Return the first moment of a scenario."""
    return pl.lit(datetime.combine(scenario.calendar.starts_on, time())).cast(pl.Datetime("us"))


def moment(scenario: Scenario, second: pl.Expr) -> pl.Expr:
    """Return the time of a second of the scenario."""
    return (start_of(scenario) + pl.duration(seconds=second)).cast(pl.Datetime("us"))


def named_events(log: pl.DataFrame, scenario: Scenario, rfm: pl.DataFrame, population: Population) -> pl.DataFrame:
    """Add when events happened, and the names of customers and orders; whoever was there has the name in the orders."""
    customer = customer_name(pl.col("customer"), scenario, rfm, population)
    return log.with_columns(
        customer_id=customer,
        order_id=pl.format("{}-{}", customer, pl.col("order") + 1),
        at=moment(scenario, pl.col("second")),
    )


def customer_name(number: pl.Expr, scenario: Scenario, rfm: pl.DataFrame, population: Population) -> pl.Expr:
    """Return the name of a customer by the simulator's number.

    New customers are named after month and place within it, so that one whom a programme attracts renames nobody.
    """
    known = rfm["customer_id"].cast(pl.String).head(population.base.height)
    name: Any = pl.when(number >= 1 << 40).then(pl.format("referred-{}", number))
    first = len(known)
    for month, customers in enumerate(population.most_arrivals):
        label = f"new-{scenario.calendar.starts_of(month):%Y-%m}"
        name = name.when(number.is_between(first, first + customers - 1)).then(
            pl.format("{}-{}", pl.lit(label), number - first + 1)
        )
        first += customers
    there = pl.lit(known).gather(number.clip(0, len(known) - 1)) if len(known) else pl.lit(None)
    named: pl.Expr = name.otherwise(there)
    return named


def of_kind(sentence: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the events of one kind."""
    return sentence.filter(pl.col("kind") == KINDS.index(kind))


def cadences(scenario: Scenario, place: int) -> Iterator[tuple[int, float]]:
    """Yield reach and contacts a month of programmes that write to their members again and again."""
    for reach, strategy in enumerate(arms_of(scenario)[place]):
        for effect in strategy.effects:
            if isinstance(effect, Contacts) and effect.per_month.value > 0.0:
                yield reach, effect.per_month.value


def contacts_table(sentence: pl.DataFrame, names: pl.Series, monthly: dict[int, float]) -> pl.DataFrame:
    """Return the messages sent to customers, under CONTACTS."""
    single = of_kind(sentence, "CONTACT").select("customer_id", sent_at="at", reach="a")
    parts = [single]
    for reach, number in monthly.items():
        apart = DAYS_PER_MONTH * SECONDS_PER_DAY / number
        parts.append(
            of_kind(sentence, "MEMBER")
            .filter(pl.col("a") == reach)
            .with_columns(count=((pl.col("b") - pl.col("second")) / apart).floor().cast(pl.Int64))
            .select("customer_id", "at", reach="a", number=pl.int_ranges(0, pl.col("count")))
            .explode("number")
            .drop_nulls("number")
            .select(
                "customer_id",
                sent_at=pl.col("at") + pl.duration(seconds=((pl.col("number") + 0.5) * apart).cast(pl.Int64)),
                reach="reach",
            )
        )
    contacts = (
        pl.concat(parts)
        .sort("sent_at", "customer_id", "reach")
        .with_columns(programme=programme_name(pl.col("reach"), names))
        .with_row_index("number", offset=1)
        .with_columns(contact_id=pl.format("c-{}", pl.col("number")))
    )
    return check(contacts.select(list(CONTACTS.columns)), CONTACTS)


def programme_name(reach: pl.Expr, names: pl.Series) -> pl.Expr:
    """Return the name of a programme by the place of its reach; null where there is none."""
    return reach.replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)


def sessions_table(orders: pl.DataFrame, world: Draw, scenario: Scenario) -> pl.DataFrame:
    """Return the visits to the shop, under SESSIONS; none where the behaviour has none."""
    model = world.scenario.behaviour.sessions
    if model is None:
        return pl.DataFrame(schema={name: kinds[0] for name, kinds in SESSIONS.columns.items()}).cast(
            {"started_at": pl.Datetime("us")}
        )
    ordered = orders.sort("customer", "order")
    before = pl.col("second").shift(1).over("customer").fill_null(pl.col("second"))
    asked = ordered.select("customer", "order", before=before, at="second").to_numpy()
    row, _, second, bought = visits(asked, seed=scenario.seed, draw=world.number, conversion=model.conversion.value).T
    sessions = (
        pl.DataFrame({"row": row, "second": second, "bought": bought})
        .with_columns(
            customer_id=pl.lit(ordered["customer_id"]).gather(pl.col("row")),
            order_id=pl.when(pl.col("bought") == 1).then(pl.lit(ordered["order_id"]).gather(pl.col("row"))),
            started_at=moment(scenario, pl.col("second")),
        )
        .sort("started_at", "row", "bought")
        .with_row_index("number", offset=1)
        .with_columns(session_id=pl.format("v-{}", pl.col("number")))
    )
    return check(sessions.select(list(SESSIONS.columns)), SESSIONS)


def members_table(sentence: pl.DataFrame, names: pl.Series, scenario: Scenario) -> pl.DataFrame:
    """Return who was a member of which programme, under MEMBERS."""
    end = scenario.calendar.days * SECONDS_PER_DAY
    left = moment(scenario, pl.col("b"))
    members = of_kind(sentence, "MEMBER").select(
        "customer_id",
        programme=programme_name(pl.col("a"), names),
        joined_at="at",
        left_at=pl.when(pl.col("b") < end).then(left),
    )
    return check(members.sort("joined_at", "customer_id", "programme"), MEMBERS)


_INSTRUMENTS = ("nps", "csat", "ces")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopTables:
    """What a shop knows of one world, and what it does not.

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
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        return as_shop(tables, self.lives, scenario, name=name, currency=currency)

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
        for name in SHOP_FILES:
            # Putting the files in their places would fail here only after some were.
            if (folder / name).is_dir():
                raise ReportError(f"{folder / name}: this is a folder, not a file; choose another folder.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".cxsim-", dir=folder) as staging:
                for field in fields(self):
                    getattr(self, field.name).write_parquet(Path(staging) / f"{field.name}.parquet")
                return tuple((Path(staging) / name).replace(folder / name) for name in SHOP_FILES)
        except OSError as cause:
            raise ReportError(f"{folder}: cannot be written to ({cause.strerror}); choose another folder.") from cause


SHOP_FILES = tuple(f"{field.name}.parquet" for field in fields(ShopTables))


def tables_of(
    scenario: Scenario,
    draws: Sequence[Draw],
    population: Population,
    rfm: pl.DataFrame,
    *,
    arm: str,
    draw: int,
) -> ShopTables:
    """Return the tables of one world and arm."""
    require_world(scenario, arm, draw)
    place, world = scenario.arms.index(arm), draws[draw]
    ready = inputs_of(world, population, past_of(population), reached_in(population, arms_of(scenario)))
    log = events(population, ready, seed=scenario.seed, arm=place)
    sentence = named_events(log, scenario, rfm, population)
    programmes = arms_of(world.scenario)[place]
    names = pl.Series([one.name for one in programmes], dtype=pl.String)
    orders = _orders(sentence, scenario, rfm)
    return ShopTables(
        orders=_under(ORDERS, orders.sort("ordered_at", "order_id")),
        tickets=_tickets(sentence),
        surveys=_surveys(sentence),
        returns=_sent_back(sentence),
        contacts=contacts_table(sentence, names, dict(cadences(world.scenario, place))),
        sessions=sessions_table(orders, world, scenario),
        members=members_table(sentence, names, scenario),
        lives=_lives(sentence, names, scenario, rfm, population),
    )


def require_world(scenario: Scenario, arm: str, draw: int) -> None:
    """Refuse an unknown arm or draw."""
    if arm not in scenario.arms:
        raise ParamError(f"no arm '{arm}' in scenario '{scenario.name}'; {choices(arm, scenario.arms)}")
    worlds = len(scenario.structures) * scenario.draws
    if not 0 <= draw < worlds:
        raise ParamError(f"no draw {draw}; possible: 0 to {worlds - 1}.")


def _orders(sentence: pl.DataFrame, scenario: Scenario, rfm: pl.DataFrame) -> pl.DataFrame:
    before = pl.DataFrame({"customer": range(rfm.height), "earlier": rfm["frequency"] + 1})
    if scenario.existing_customers == "none":
        before = before.clear()
    incidents = dict(enumerate(scenario.behaviour.incidents, start=1))
    amounts = [(pl.col(name) / CENTS) for name in ("a", "b", "c")]
    return (
        of_kind(sentence, "ORDER")
        .join(before.cast(pl.Int64), on="customer", how="left")
        .select(
            "customer",
            "order",
            "second",
            "order_id",
            "customer_id",
            ordered_at="at",
            order_number=pl.col("order") + 1 + pl.col("earlier").fill_null(0),
            list_amount=amounts[0],
            markdown=amounts[1],
            reward=amounts[2],
            amount=(pl.col("a") - pl.col("b") - pl.col("c")) / CENTS,
            incident=pl.col("d").replace_strict(incidents, default=None, return_dtype=pl.String),
        )
    )


def _tickets(sentence: pl.DataFrame) -> pl.DataFrame:
    tickets = of_kind(sentence, "TICKET").select(
        "order_id",
        "customer_id",
        ticket_id=pl.format("t-{}", pl.col("order_id")),
        created_at="at",
        first_response_at=pl.col("at") + pl.duration(seconds=pl.col("a")),
        resolved_at=pl.col("at") + pl.duration(seconds=pl.col("b")),
        solved_at_first=pl.col("c") == 1,
        compensation=pl.col("d") / CENTS,
    )
    return _under(TICKETS, tickets.sort("created_at", "ticket_id"))


def _surveys(sentence: pl.DataFrame) -> pl.DataFrame:
    names = dict(enumerate(_INSTRUMENTS))
    instrument = pl.col("a").replace_strict(names, return_dtype=pl.String)
    surveys = of_kind(sentence, "SURVEY").select(
        "order_id",
        "customer_id",
        survey_id=pl.format("{}-{}", instrument, pl.col("order_id")),
        sent_at="at",
        instrument=instrument,
        score=pl.when(pl.col("b") >= 0).then("b"),
    )
    return _under(SURVEYS, surveys.sort("sent_at", "survey_id"))


def _sent_back(sentence: pl.DataFrame) -> pl.DataFrame:
    returns = of_kind(sentence, "RETURN").select(
        "order_id",
        "customer_id",
        return_id=pl.format("r-{}", pl.col("order_id")),
        returned_at="at",
        refund=pl.col("a") / CENTS,
        list_amount=pl.col("b") / CENTS,
    )
    return _under(SENT_BACK, returns.sort("returned_at", "return_id"))


def _lives(
    sentence: pl.DataFrame, names: pl.Series, scenario: Scenario, rfm: pl.DataFrame, population: Population
) -> pl.DataFrame:
    arrived = of_kind(sentence, "ARRIVED").select(
        "customer_id",
        arrived_at="at",
        referred_by=pl.when(pl.col("a") >= 0).then(customer_name(pl.col("a"), scenario, rfm, population)),
        attracted_by=programme_name(pl.col("b"), names),
    )
    left = of_kind(sentence, "LEFT").group_by("customer_id").agg(left_at=pl.col("at").max())
    back = of_kind(sentence, "REVIVED").group_by("customer_id").agg(back_at=pl.col("at").max())
    everyone = [sentence.select(pl.col("customer_id").unique())]
    if scenario.existing_customers == "all":
        everyone.append(rfm.select(pl.col("customer_id").cast(pl.String)))
    lives = (
        pl.concat(everyone)
        .unique()
        .join(arrived, on="customer_id", how="left")
        .join(left, on="customer_id", how="left")
        .join(back, on="customer_id", how="left")
        .with_columns(
            left_at=pl.when(pl.col("back_at").is_null() | (pl.col("left_at") > pl.col("back_at"))).then("left_at")
        )
    )
    return check(lives.select(list(LIVES.columns)).sort("customer_id"), LIVES)


def _under(contract: Contract, table: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of a table that its contract knows, in the contract's order."""
    known = [name for name in (*contract.columns, *contract.optional) if name in table.columns]
    return check(table.select(known), contract)


def shop_tables(scenario: Scenario, arm: str = BASELINE, *, draw: int = 0) -> ShopTables:
    """Return what `run(scenario).tables(arm, draw=draw)` returns, without playing any other world."""
    require_world(scenario, arm, draw)
    shop = fitted(scenario)
    draws = drawn(scenario, shop)
    population = with_room(population_of(scenario, shop.rfm), draws)
    return tables_of(scenario, draws, population, shop.rfm, arm=arm, draw=draw)
