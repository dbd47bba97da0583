"""One world of a study in; the tables that a shop would have of it, under their contracts, out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from cxsim.errors import ParamError, ReportError, choices
from cxsim.exports import LIVES, ORDERS, SENT_BACK, SURVEYS, TICKETS
from cxsim.scenario import Scenario
from cxsim.shop import Shop
from cxsim.simulation import Population, events
from cxsim.study.as_shop import as_shop
from cxsim.study.draws import Draw, arms_of, inputs_of, reached_in
from cxsim.study.shop_contacts import cadences, contacts_table, members_table, programme_name, sessions_table
from cxsim.study.shop_log import customer_name, named_events, of_kind
from cxsim.study.shops import past_of
from cxsim.tables import Contract, check
from cxsim.units import CENTS

_INSTRUMENTS = ("nps", "csat", "ces")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopTables:
    """What a shop knows of one world, and what it does not.

    Attributes
    ----------
    orders, tickets, surveys, returns, contacts, sessions, members
        Under ORDERS, TICKETS, SURVEYS, RETURNS, CONTACTS, SESSIONS and MEMBERS of `cxsim.exports`; by time.
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
    told = named_events(log, scenario, rfm, population)
    programmes = arms_of(world.scenario)[place]
    names = pl.Series([one.name for one in programmes], dtype=pl.String)
    orders = _orders(told, scenario, rfm)
    return ShopTables(
        orders=_under(ORDERS, orders.sort("ordered_at", "order_id")),
        tickets=_tickets(told),
        surveys=_surveys(told),
        returns=_sent_back(told),
        contacts=contacts_table(told, names, dict(cadences(world.scenario, place))),
        sessions=sessions_table(orders, world, scenario),
        members=members_table(told, names, scenario),
        lives=_lives(told, names, scenario, rfm, population),
    )


def require_world(scenario: Scenario, arm: str, draw: int) -> None:
    """Refuse an unknown arm or draw."""
    if arm not in scenario.arms:
        raise ParamError(f"no arm '{arm}' in scenario '{scenario.name}'; {choices(arm, scenario.arms)}")
    worlds = len(scenario.structures) * scenario.draws
    if not 0 <= draw < worlds:
        raise ParamError(f"no draw {draw}; possible: 0 to {worlds - 1}.")


def _orders(told: pl.DataFrame, scenario: Scenario, rfm: pl.DataFrame) -> pl.DataFrame:
    before = pl.DataFrame({"customer": range(rfm.height), "earlier": rfm["frequency"] + 1})
    if scenario.existing_customers == "none":
        before = before.clear()
    incidents = dict(enumerate(scenario.behaviour.incidents, start=1))
    amounts = [(pl.col(name) / CENTS) for name in ("a", "b", "c")]
    return (
        of_kind(told, "ORDER")
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


def _tickets(told: pl.DataFrame) -> pl.DataFrame:
    tickets = of_kind(told, "TICKET").select(
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


def _surveys(told: pl.DataFrame) -> pl.DataFrame:
    names = dict(enumerate(_INSTRUMENTS))
    instrument = pl.col("a").replace_strict(names, return_dtype=pl.String)
    surveys = of_kind(told, "SURVEY").select(
        "order_id",
        "customer_id",
        survey_id=pl.format("{}-{}", instrument, pl.col("order_id")),
        sent_at="at",
        instrument=instrument,
        score=pl.when(pl.col("b") >= 0).then("b"),
    )
    return _under(SURVEYS, surveys.sort("sent_at", "survey_id"))


def _sent_back(told: pl.DataFrame) -> pl.DataFrame:
    returns = of_kind(told, "RETURN").select(
        "order_id",
        "customer_id",
        return_id=pl.format("r-{}", pl.col("order_id")),
        returned_at="at",
        refund=pl.col("a") / CENTS,
        list_amount=pl.col("b") / CENTS,
    )
    return _under(SENT_BACK, returns.sort("returned_at", "return_id"))


def _lives(
    told: pl.DataFrame, names: pl.Series, scenario: Scenario, rfm: pl.DataFrame, population: Population
) -> pl.DataFrame:
    arrived = of_kind(told, "ARRIVED").select(
        "customer_id",
        arrived_at="at",
        referred_by=pl.when(pl.col("a") >= 0).then(customer_name(pl.col("a"), scenario, rfm, population)),
        attracted_by=programme_name(pl.col("b"), names),
    )
    left = of_kind(told, "LEFT").group_by("customer_id").agg(left_at=pl.col("at").max())
    back = of_kind(told, "REVIVED").group_by("customer_id").agg(back_at=pl.col("at").max())
    everyone = [told.select(pl.col("customer_id").unique())]
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
