"""The events of one world in; messages, visits and memberships out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cxsim.effects import Contacts
from cxsim.exports import CONTACTS, MEMBERS, SESSIONS
from cxsim.scenario import Scenario
from cxsim.simulation import visits
from cxsim.study.draws import Draw, arms_of
from cxsim.study.shop_log import SECONDS_PER_DAY, moment, of_kind
from cxsim.tables import check
from cxsim.units import DAYS_PER_MONTH


def cadences(scenario: Scenario, place: int) -> Iterator[tuple[int, float]]:
    """Yield reach and contacts a month of programmes that write to their members again and again."""
    for reach, strategy in enumerate(arms_of(scenario)[place]):
        for effect in strategy.effects:
            if isinstance(effect, Contacts) and effect.per_month.value > 0.0:
                yield reach, effect.per_month.value


def contacts_table(told: pl.DataFrame, names: pl.Series, monthly: dict[int, float]) -> pl.DataFrame:
    """Return the messages sent to customers, under CONTACTS."""
    single = of_kind(told, "CONTACT").select("customer_id", sent_at="at", reach="a")
    parts = [single]
    for reach, number in monthly.items():
        apart = DAYS_PER_MONTH * SECONDS_PER_DAY / number
        parts.append(
            of_kind(told, "MEMBER")
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


def members_table(told: pl.DataFrame, names: pl.Series, scenario: Scenario) -> pl.DataFrame:
    """Return who was a member of which programme, under MEMBERS."""
    end = scenario.calendar.days * SECONDS_PER_DAY
    left = moment(scenario, pl.col("b"))
    members = of_kind(told, "MEMBER").select(
        "customer_id",
        programme=programme_name(pl.col("a"), names),
        joined_at="at",
        left_at=pl.when(pl.col("b") < end).then(left),
    )
    return check(members.sort("joined_at", "customer_id", "programme"), MEMBERS)
