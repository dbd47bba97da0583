"""A shop in; what its customers met, and when, out: late parcels, tickets, returns, answers, letters, membership."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cxsim.shop import Shop

Kind = Literal["count", "waiting", "state"]
# So many kinds of incidents, the most frequent ones, are looked at.
_KINDS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Exposure:
    """Something that customers meet.

    Attributes
    ----------
    name
        Identifier.
    title
        For readers, such as "Late order".
    opening
        How a finding begins, such as "After a late order".
    kind
        What one unit is: an event of a `count`, a day of `waiting` from `at` to `ended_at`, or being in a `state` from
        `at` to `ended_at`.
    events
        One row each: `customer_id`, `at`, `ended_at`.
    concerns_orders
        Whether it takes an order to meet it, so that orders of the same time are held equal.
    occasions
        What else gives occasion to it and is held equal: `customer_id`, `at`; None for nothing.
    """

    name: str
    title: str
    opening: str
    kind: Kind
    events: pl.LazyFrame
    concerns_orders: bool = True
    occasions: pl.LazyFrame | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sight:
    """What can be seen of what customers meet.

    Attributes
    ----------
    exposures
        In the order in which they are shown.
    unseen
        Why the others cannot be seen, by title.
    """

    exposures: tuple[Exposure, ...]
    unseen: Mapping[str, str]


def exposures_of(shop: Shop) -> Sight:
    """Return what a shop's tables say of what its customers met.

    - Late order and other incidents: at the order; without a column of incidents, an order that was delivered after it
      was promised is late from the moment of the promise.
    - Ticket: at its creation. Waiting for the first answer: from then, in days; tickets of that time are held equal.
    - Ticket not solved at first contact: at the first answer, beside other answered tickets.
    - Return: at the return. Answered survey: when it was sent, beside other surveys. Contact: when it was sent.
    - Membership: at the end of a period.
    """
    seen = [*_incidents(shop), *_tickets(shop), *_others(shop)]
    return Sight(
        exposures=tuple(found for _, found in seen if isinstance(found, Exposure)),
        unseen={title: found for title, found in seen if isinstance(found, str)},
    )


def _incidents(shop: Shop) -> list[tuple[str, Exposure | str]]:
    reason = shop.missing("orders.incident")
    if reason is None:
        orders = shop.table("orders")
        named = orders.filter(pl.col("incident").is_not_null() & (pl.col("incident") != ""))
        kinds = named.group_by("incident").len().sort("len", "incident", descending=[True, False]).collect()
        # Late orders come first, whatever their number.
        first = sorted(kinds["incident"].head(_KINDS).to_list(), key=lambda kind: kind != "late")
        return [_incident(kind, named.filter(pl.col("incident") == kind)) for kind in first]
    for column in ("promised_at", "delivered_at"):
        lack = shop.missing(f"orders.{column}")
        if lack is not None:
            return [("Late order", f"{reason} {lack[0].upper()}{lack[1:]}")]
    late = shop.table("orders").filter(pl.col("delivered_at") > pl.col("promised_at"))
    return [("Late order", _late(_events(late, "promised_at")))]


def _incident(kind: str, orders: pl.LazyFrame) -> tuple[str, Exposure | str]:
    events = _events(orders, "ordered_at")
    if kind == "late":
        return "Late order", _late(events)
    words = kind.replace("_", " ").replace("-", " ")
    title = f"Incident: {words}"
    opening = f"After an order with the incident “{words}”"
    return title, Exposure(name=f"incident_{kind}", title=title, opening=opening, kind="count", events=events)


def _late(events: pl.LazyFrame) -> Exposure:
    return Exposure(name="late_order", title="Late order", opening="After a late order", kind="count", events=events)


def _tickets(shop: Shop) -> list[tuple[str, Exposure | str]]:
    titles = ("Ticket", "Waiting for the first answer", "Ticket not solved at first contact")
    reason = shop.missing("tickets")
    if reason is not None:
        return [(title, reason) for title in titles]
    tickets = shop.table("tickets")
    created = _events(tickets, "created_at", "first_response_at")
    wrote = Exposure(name="ticket", title=titles[0], opening="After a ticket", kind="count", events=created)
    waited = Exposure(
        name="waiting",
        title=f"{titles[1]}, days",
        opening="For each day of waiting for the first answer",
        kind="waiting",
        events=created,
        occasions=created,
    )
    found: list[tuple[str, Exposure | str]] = [(titles[0], wrote), (titles[1], waited)]
    unknown = shop.missing("tickets.solved_at_first")
    if unknown is not None:
        return [*found, (titles[2], unknown)]
    answered = tickets.filter(pl.col("solved_at_first").is_not_null())
    unsolved = Exposure(
        name="unsolved",
        title=titles[2],
        opening="After a ticket that was not solved at first contact",
        kind="count",
        events=_events(answered.filter(~pl.col("solved_at_first")), "first_response_at"),
        occasions=_events(answered, "first_response_at"),
    )
    return [*found, (titles[2], unsolved)]


def _others(shop: Shop) -> list[tuple[str, Exposure | str]]:
    builders = {
        "Return": ("returns", _return),
        "Answered survey": ("surveys", _answer),
        "Contact": ("contacts", _contact),
        "Membership": ("members", _membership),
    }
    found: list[tuple[str, Exposure | str]] = []
    for title, (table, build) in builders.items():
        reason = shop.missing(table)
        found.append((title, build(shop) if reason is None else reason))
    return found


def _return(shop: Shop) -> Exposure | str:
    returns = shop.table("returns")
    if shop.missing("returns.customer_id") is not None:
        reason = shop.missing("orders.order_id")
        if reason is not None:
            return f"the returns have no column 'customer_id', and {reason}"
        buyers = shop.table("orders").select("order_id", "customer_id")
        returns = returns.join(buyers, on="order_id", how="left")
    events = _events(returns, "returned_at")
    return Exposure(name="return", title="Return", opening="After a return", kind="count", events=events)


def _answer(shop: Shop) -> Exposure:
    asked = _events(shop.table("surveys"), "sent_at")
    answers = _events(shop.table("surveys").filter(pl.col("score").is_not_null()), "sent_at")
    title, opening = "Answered survey", "After answering a survey"
    return Exposure(name="answer", title=title, opening=opening, kind="count", events=answers, occasions=asked)


def _contact(shop: Shop) -> Exposure:
    events = _events(shop.table("contacts"), "sent_at")
    title, opening = "Contact", "After a contact from the shop"
    return Exposure(name="contact", title=title, opening=opening, kind="count", events=events, concerns_orders=False)


def _membership(shop: Shop) -> Exposure:
    events = _events(shop.table("members"), "joined_at", "left_at")
    title, opening = "Membership", "As members of a programme"
    return Exposure(name="member", title=title, opening=opening, kind="state", events=events, concerns_orders=False)


def _events(rows: pl.LazyFrame, at: str, ended_at: str | None = None) -> pl.LazyFrame:
    ended = pl.lit(None, dtype=pl.Datetime("us")) if ended_at is None else pl.col(ended_at).cast(pl.Datetime("us"))
    moments = rows.select("customer_id", at=pl.col(at).cast(pl.Datetime("us")), ended_at=ended)
    return moments.filter(pl.col("customer_id").is_not_null() & pl.col("at").is_not_null())
