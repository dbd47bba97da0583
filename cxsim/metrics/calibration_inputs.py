"""A shop's tables in; what they say of each number of its behaviour, or why they do not say it, out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import scipy

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError
from cxsim.metrics.calibration_fits import (
    FEWEST,
    Measurement,
    Outcome,
    Outcomes,
    Responding,
    fit_lognormal,
    fit_scale,
    on_own_scale,
    response_at_mean,
    share_of,
)
from cxsim.params import CENTS, Z95
from cxsim.strategies.behaviour import Behaviour, Experience, Returning, Scale, Surveys

CUSTOMER = "customer_id"
_CREATED, _SCORE, _INCIDENT = pl.col("created_at"), pl.col("score"), pl.col("incident")
_LEVEL = 0.9
_RETURNS = ("returns.chance", "returns.part", "returns.days")
_CONVERSION = "sessions.conversion"
# The least that a behaviour allows.
_LEAST_CONVERSION = 0.001
_PROMISES = frozenset({"late", "early"})
_CONTACT, _FIRST = "experience.contact", "experience.first_contact"
_HOURS = ("experience.response_hours", "experience.response_spread")
_ENDS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_SCORES_OF = {
    "nps": "recommending, from 0 to 10",
    "csat": "satisfaction with support, from 1 to 5",
    "ces": "ease, from 1 to 7 (easiest)",
}
# The same matter on a scale that a behaviour does not have: who was asked and who answered counts, the score does not.
_OTHERWISE = {"csat": "csat_good", "ces": "effort"}
_AFTER_TICKET = (*_OTHERWISE, *_OTHERWISE.values())
_ASKED = {"surveys.after_order": ("nps",), "surveys.after_ticket": _AFTER_TICKET}
_RESPONSE = "surveys.response"
_NOT_ASKED = (
    "the surveys hold only answers, so the number of surveys sent is not known; export those without an answer too."
)
_MAKES_MEASURABLE = {
    "orders.incident": (
        "Promised and actual days of delivery (promised_at, delivered_at) make late and early measurable; for others "
        "each order needs its incident."
    ),
    "tickets": "A help desk's tickets make it measurable.",
    "surveys": "Surveys with a row for everybody who was asked make it measurable.",
    "returns": "Returns with order, day and refund make it measurable.",
    "sessions": "Visits with customer and order make it measurable.",
}
# A ticket later than this after an order is taken for one about something else.
_CONTACT_WITHIN = timedelta(days=30)
# Customers who answer twice, from whom the parts of a scale can be estimated.
_FEWEST_TWICE = 100
_SECONDS_PER_HOUR = 3_600.0
# An order is old enough when so many of all delays are over, and a matter when so many of all resolutions have come.
_DELAYS_OVER, _RESOLUTIONS_OVER = 0.99, 0.995


def incidents(shop: Shop, experience: Experience) -> Outcomes:
    """Return the chance of each incident."""
    recorded = _orders_with_incidents(shop)
    found: Outcomes = {}
    for place, one in enumerate(experience.incidents):
        path = _incident_path(place, "chance")
        if isinstance(recorded, str):
            found[path] = recorded
        elif one.name in recorded[1]:
            happened = _INCIDENT.eq(one.name).fill_null(value=False)
            found[path] = share_of(_counted(recorded[0], happened), of="orders")
        else:
            found[path] = f"no order has '{one.name}': it did not happen or is not recorded."
    return found


def returns(shop: Shop, like: Returning) -> Outcomes:
    """Return how often, how much and when orders are sent back."""
    if (reason := shop.missing("orders")) is not None:
        return dict.fromkeys(_RETURNS, reason)
    if (reason := _missing(shop, "returns")) is not None:
        known = shop.missing("orders.refunded") is None
        return _refunds(shop, like) if known else dict.fromkeys(_RETURNS, reason)
    back = shop.table("returns").group_by("order_id").agg(pl.col("returned_at").min(), refund=_cents("refund").sum())
    orders = shop.table("orders").select("order_id", CUSTOMER, "ordered_at", "amount")
    old, wait = _observed_long_enough(orders, back, "returned_at", until=shop.until)
    aged = old.join(back, on="order_id", how="left").collect(engine="streaming")
    sent = aged.drop_nulls("returned_at")
    if sent.is_empty():
        return dict.fromkeys(_RETURNS, f"none of the {aged.height:,} orders that are old enough has a return.")
    returned = _counted(aged.lazy(), pl.col("returned_at").is_not_null())
    parts = sent.lazy().select(CUSTOMER, counted="refund", among=_cents("amount"))
    found = (
        share_of(returned, of=f"orders at least {wait / timedelta(days=1):.0f} days old"),
        share_of(parts, of="the value of returned orders"),
        _median((sent["returned_at"] - sent["ordered_at"]).dt.total_seconds() / 86_400),
    )
    return dict(zip(_RETURNS, found, strict=True))


def _refunds(shop: Shop, like: Returning) -> Outcomes:
    """Return how often and how much was paid back of orders for which a return, as assumed, has had its time."""
    columns, wait = shop.table("orders").collect_schema(), math.ceil(like.days.range[1])
    old = shop.table("orders").filter(pl.col("ordered_at") <= shop.until - timedelta(days=wait), pl.col("amount") > 0)
    back, charged = _cents("refunded").fill_null(0), _cents("charged" if "charged" in columns else "amount")
    paid = old.select(CUSTOMER, counted=pl.min_horizontal(back, charged), among=charged)
    shares = (
        share_of(_counted(old, back > 0), of=f"orders at least {wait} days old"),
        share_of(paid.filter(pl.col("counted") > 0), of="what was charged for refunded orders"),
    )
    said = [
        one._replace(method=f"refunds in the place of returns: {one.method}") if isinstance(one, Measurement) else one
        for one in shares
    ]
    no_day = "the orders say how much was refunded, not when. Returns with order, day and refund make it measurable."
    return dict(zip(_RETURNS, [*said, no_day], strict=True))


def conversion(shop: Shop) -> Outcomes:
    """Return the share of the visits of known customers that end in an order."""
    reason = _missing(shop, "sessions")
    if reason is not None:
        return {_CONVERSION: reason}
    visits = shop.table("sessions").filter(pl.col(CUSTOMER).is_not_null())
    found = share_of(_counted(visits, pl.col("order_id").is_not_null()), of="visits of known customers")
    if isinstance(found, Measurement) and found.low < _LEAST_CONVERSION:
        found = f"measured as {found.value:.2g}, below the {_LEAST_CONVERSION:g} that a behaviour allows."
    return {_CONVERSION: found}


def surveys(shop: Shop, behaviour: Behaviour) -> Outcomes:
    """Return who is asked, who answers, and the scales; what needs more than surveys is taken from `behaviour`."""
    model, experience = behaviour.surveys, behaviour.experience
    if model is None or experience is None:
        return {}
    reason = _missing(shop, "surveys")
    if reason is not None:
        return dict.fromkeys((*_ASKED, _RESPONSE, *(path for name in _ENDS for path in _scale_paths(name))), reason)
    rows = shop.table("surveys").filter(pl.col("instrument").is_in(["nps", *_AFTER_TICKET]))
    asked = {path: _sent(shop, rows, names) for path, names in _ASKED.items()}
    found = {path: one if isinstance(one, str) else _asked(shop, one, path) for path, one in asked.items()}
    response = _response(asked, model)
    listed = _listed(rows)
    at_mean = response.value if isinstance(response, Measurement) and response.value < 1.0 else None
    for name in _ENDS:
        responding = Responding(
            odds=at_mean / (1.0 - at_mean) if at_mean is not None and name in listed else None,
            extremity=model.extremity.value,
            shift=satisfaction_of_writers(experience) if name in _AFTER_TICKET else 0.0,
        )
        scale = _scale(rows.filter(pl.col("instrument") == name), name, getattr(model, name), responding)
        if isinstance(scale[0], str) and name in _OTHERWISE:
            scale = [_on_another_scale(rows, name) or one for one in scale]
        found |= dict(zip(_scale_paths(name), scale, strict=True))
    return found | {_RESPONSE: response}


def tickets(shop: Shop, experience: Experience) -> Outcomes:
    """Return who writes to support, how soon the first answer comes, and how often it settles the matter."""
    writing = (_CONTACT, *(_incident_path(place, "ticket") for place in range(len(experience.incidents))))
    reason = _missing(shop, "tickets")
    if reason is not None:
        return dict.fromkeys((*writing, _FIRST, *_HOURS), reason)
    rows = shop.table("tickets").filter(_CREATED.lt(shop.until))
    return {
        **dict(zip(writing, _writing(shop, experience), strict=True)),
        _FIRST: _first_contact(shop, rows),
        **dict(zip(_HOURS, _response_hours(rows, shop.until), strict=True)),
    }


def _missing(shop: Shop, need: str) -> str | None:
    """Return why a table or column is not there, and what would do; None if it is."""
    reason = shop.missing(need)
    return reason and f"{reason} {_MAKES_MEASURABLE.get(need, '')}".rstrip()


def _incident_path(place: int, field: str) -> str:
    """Return the path of a number of the incident at a place, from 0."""
    return f"experience.incidents.item_{place + 1}.{field}"


def _scale_paths(name: str) -> list[str]:
    return [f"surveys.{name}.{field}" for field in ("centre", "per_deviation", "noise")]


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * CENTS).round().cast(pl.Int64)


def _counted(rows: pl.LazyFrame, condition: pl.Expr) -> pl.LazyFrame:
    return rows.select(CUSTOMER, counted=condition.cast(pl.Int64), among=pl.lit(1, dtype=pl.Int64))


def _orders_with_incidents(shop: Shop) -> tuple[pl.LazyFrame, frozenset[str]] | str:
    """Return the orders with what happened to them in `incident`, and the names that can occur; or why not.

    Where the orders name no incidents, promised and actual days of delivery show `late` and `early`.
    """
    reason = _missing(shop, "orders.incident")
    orders = shop.table("orders")
    if reason is None:
        names = orders.select(_INCIDENT.unique().sort()).collect()["incident"].drop_nulls()
        return (orders, frozenset(names)) if len(names) else "no order has an incident."
    if any(shop.missing(f"orders.{name}") for name in ("promised_at", "delivered_at")):
        return reason
    promised, came = pl.col("promised_at").dt.date(), pl.col("delivered_at").dt.date()
    # Of orders whose promised day is over; one that has not come by then is late.
    late = (came > promised).fill_null(value=True)
    incident = pl.when(late).then(pl.lit("late")).when(came < promised).then(pl.lit("early"))
    return orders.filter(promised < shop.until.date()).with_columns(incident=incident), _PROMISES


def _observed_long_enough(
    orders: pl.LazyFrame, events: pl.LazyFrame, when: str, *, until: datetime
) -> tuple[pl.LazyFrame, timedelta]:
    """Return the orders after which an event would have been recorded, and how long that takes."""
    delays = (
        events.select("order_id", when)
        .drop_nulls()
        .join(orders.select("order_id", "ordered_at"), on="order_id")
        .select(delay=pl.col(when) - pl.col("ordered_at"))
        .filter(pl.col("delay") >= timedelta())
        .select(pl.col("delay").quantile(_DELAYS_OVER, "higher"))
    )
    first, delay = pl.collect_all([events.select(pl.col(when).min()), delays])
    wait, begins = delay.item() or timedelta(), first.item()
    recorded = orders if begins is None else orders.filter(pl.col("ordered_at") > begins)
    return recorded.filter(pl.col("ordered_at") <= until - wait), wait


def _median(days: pl.Series) -> Outcome:
    """Return the median with order statistics as ends (Thompson 1936)."""
    delays = days.to_numpy()
    ends = scipy.stats.quantile_test(delays, p=0.5).confidence_interval(_LEVEL)
    low, high = float(ends.low), float(ends.high)
    if len(delays) < FEWEST or math.isnan(low + high):
        return f"{len(delays)} returns are known; {FEWEST} are needed."
    error = (high - low) / (2.0 * Z95)
    return Measurement(float(np.median(delays)), low, high, error, len(delays), "median, order statistics")


def satisfaction_of_writers(experience: Experience) -> float:
    """Return by how much the mean satisfaction of those who have just written lies above that of all customers."""

    def weighted(shock: float) -> float:
        return shock * experience.negativity.value if shock < 0.0 else shock

    unresolved = (1.0 - experience.first_contact.value) * weighted(experience.unresolved.value)
    quiet = 1.0 - sum(one.chance.value for one in experience.incidents)
    writing, shocks, usual = quiet * experience.contact.value, 0.0, 0.0
    for one in experience.incidents:
        shock = weighted(one.shock.value)
        writing += one.chance.value * one.ticket.value
        shocks += one.chance.value * one.ticket.value * shock
        usual += one.chance.value * shock
    if writing <= 0.0:
        return 0.0
    return experience.memory.value * (shocks / writing + unresolved - usual - writing * unresolved)


def _listed(rows: pl.LazyFrame) -> list[str]:
    """Return the instruments whose surveys without an answer are recorded, so that it is known how many were asked."""
    silent = rows.group_by("instrument").agg(_SCORE.null_count()).filter(_SCORE > 0)
    return sorted(silent.collect()["instrument"])


def _sent(shop: Shop, rows: pl.LazyFrame, names: tuple[str, ...]) -> pl.LazyFrame | str:
    """Return the surveys of some instruments, with those that nobody answered; or why these are not known."""
    ours = rows.filter(pl.col("instrument").is_in(names))
    listed = _listed(ours)
    if not listed:
        nobody = ours.select(pl.len()).collect().item() == 0
        return f"no survey asks for {_SCORES_OF[names[0]].partition(',')[0]}." if nobody else _NOT_ASKED
    # A desk that changed its scale asks by one list, whatever it asks for.
    linked = pl.col("ticket_id").is_not_null() if shop.missing("surveys.ticket_id") is None else pl.lit(value=False)
    return ours.filter(pl.col("instrument").is_in(listed) | linked)


def _asked(shop: Shop, sent: pl.LazyFrame, path: str) -> Outcome:
    """Return the share of orders or tickets after which customers are asked."""
    table, when = ("orders", "ordered_at") if path.endswith("order") else ("tickets", "created_at")
    reason = _missing(shop, table)
    if reason is not None:
        return reason
    begins = sent.select(pl.col("sent_at").min()).collect().item()
    # The first survey shows from when on they were asked, and is therefore itself left out.
    if table == "tickets" and _linked(shop, sent):
        tickets = shop.table(table).filter(pl.col("resolved_at").is_between(begins, shop.until, closed="right"))
        surveyed = sent.select("ticket_id", sent=pl.lit(value=True)).unique("ticket_id")
        asked = tickets.join(surveyed, on="ticket_id", how="left")
        return share_of(_counted(asked, pl.col("sent").is_not_null()), of="resolved tickets")
    kinds = sent.select(pl.col("instrument").n_unique()).collect().item()
    one, none, each = (pl.lit(number, dtype=pl.Int64) for number in (1, 0, kinds))
    events = shop.table(table).filter(pl.col(when) > begins).select(CUSTOMER, counted=none, among=each)
    sent = sent.filter(pl.col("sent_at") > begins).select(CUSTOMER, counted=one, among=none)
    return share_of(pl.concat([events, sent]), of=table)


def _linked(shop: Shop, sent: pl.LazyFrame) -> bool:
    """Return whether each survey names its ticket, and tickets say when they were resolved."""
    if shop.missing("surveys.ticket_id") or shop.missing("tickets.resolved_at"):
        return False
    return bool(sent.select(pl.col("ticket_id").is_not_null().all()).collect().item())


def _on_another_scale(rows: pl.LazyFrame, name: str) -> str | None:
    """Return why answers on another scale do not say this one, with what they say; None where there are none."""
    answers = rows.filter(pl.col("instrument") == _OTHERWISE[name]).drop_nulls("score")
    count, mean = answers.select(pl.len(), _SCORE.mean()).collect().row(0)
    if not count:
        return None
    if name == "ces":
        return (
            f"{count:,} answers are on effort, from 1 to 5, which cannot be converted; a question on "
            f"{_SCORES_OF[name]}, makes it measurable."
        )
    share = share_of(answers.select(CUSTOMER, counted=_SCORE, among=pl.lit(1, dtype=pl.Int64)), of="answers")
    said = (
        f" (90 % interval {100.0 * share.low:.1f} to {100.0 * share.high:.1f} %)"
        if isinstance(share, Measurement)
        else ""
    )
    return (
        f"{count:,} answers are only good or bad, {100.0 * mean:.1f} % of them good{said}. This one share does not "
        "determine centre and spread of the scale, nor from which score on an answer is good; a question on "
        f"{_SCORES_OF[name]}, makes it measurable."
    )


def _response(asked: Mapping[str, pl.LazyFrame | str], model: Surveys) -> Outcome:
    """Return the share that answers at mean satisfaction; from surveys after orders if it can be."""
    path, sent = next(((path, one) for path, one in asked.items() if not isinstance(one, str)), ("", None))
    if sent is None:
        return _NOT_ASKED if _NOT_ASKED in asked.values() else "no survey of a behaviour is in the tables."
    found = share_of(_counted(sent, _SCORE.is_not_null()), of=f"surveys {path[len('surveys.') :].replace('_', ' ')}s")
    if isinstance(found, str) or found.error == 0.0:
        return found
    extremity = model.extremity.value
    value, low, high = (response_at_mean(one, extremity) for one in found[:3])
    method = f"{found.method}; less the contribution of an extremity of {extremity:g}"
    return Measurement(value, low, high, (high - low) / (2.0 * Z95), found.units, method)


def _scale(rows: pl.LazyFrame, name: str, model: Scale, responding: Responding) -> list[Outcome]:
    """Return centre, satisfaction and noise of a scale."""
    patterns = _patterns(rows)
    customers = int(patterns["customers"].sum())
    twice = int(patterns.drop_nulls("second")["customers"].sum())
    if customers < FEWEST:
        return [f"{customers} customers answered a question on {_SCORES_OF[name]}; {FEWEST} are needed."] * 3
    if twice >= _FEWEST_TWICE:
        with contextlib.suppress(EstimationError):
            found = fit_scale(patterns, _ENDS[name], responding, satisfaction_share=None)
            deviation, noise = found.per_deviation_error, found.noise_error
            if deviation is not None and noise is not None and found.noise > Z95 * noise:
                method = f"ordered answers, {twice:,} customers twice"
                errors = (found.centre_error, deviation, noise)
                return [on_own_scale(*one, customers, method) for one in zip(found[:3], errors, strict=True)]
    variance = model.per_deviation.value**2 + model.noise.value**2
    satisfied = model.per_deviation.value**2 / variance if variance else 0.0
    try:
        found = fit_scale(patterns, _ENDS[name], responding, satisfaction_share=satisfied)
    except EstimationError as cause:
        return [str(cause)] * 3
    reason = (
        f"{twice:,} customers answered twice, too few to separate satisfaction from noise; together they are "
        f"{found.spread:.3g} against {variance**0.5:.3g}."
    )
    method = "ordered answers, spread split as before"
    return [on_own_scale(found.centre, found.centre_error, customers, method), reason, reason]


def _patterns(rows: pl.LazyFrame) -> pl.DataFrame:
    """Return how many customers were asked and answered so often with these first two scores."""
    who = pl.coalesce(CUSTOMER, pl.concat_str(pl.lit("survey "), "survey_id")).alias("who")
    keys = ("asked", "answered", "first", "second")
    asked = rows.group_by(who).agg(asked=pl.len().cast(pl.Int64), answered=_SCORE.count().cast(pl.Int64))
    # Sorted once and not customer by customer, which takes many times as long; second answers are few.
    answers = (
        rows.drop_nulls("score")
        .select(who, "sent_at", "survey_id", "score")
        .sort("sent_at", "survey_id")
        .with_columns(number=pl.int_range(pl.len()).over("who"))
    )
    first, second = (
        answers.filter(pl.col("number") == number).select("who", _SCORE.alias(name))
        for number, name in enumerate(keys[2:])
    )
    return (
        first.join(second, on="who", how="left")
        .join(asked, on="who")
        .group_by(keys)
        .agg(customers=pl.len().cast(pl.Int64))
        .collect()
        .sort(keys)
    )


def _writing(shop: Shop, experience: Experience) -> list[Outcome]:
    """Return after which share of orders customers write: of those to which nothing happened, and by incident."""
    reason, recorded = shop.missing("tickets.order_id"), _orders_with_incidents(shop)
    kinds = [one.name for one in experience.incidents]
    if reason is not None:
        unknown = f"{reason} The orders behind the tickets are not known; export tickets with their order's number."
        return [_contact_of_customers(shop, experience) or unknown, *[unknown] * len(kinds)]
    if isinstance(recorded, str):
        return [f"{recorded} The subject of the tickets is not known."] * (1 + len(kinds))
    written = shop.table("tickets").drop_nulls("order_id").group_by("order_id").agg(_CREATED.min())
    events = recorded[0].select("order_id", CUSTOMER, "ordered_at", "incident")
    old, _ = _observed_long_enough(events, written, "created_at", until=shop.until)
    known = old.join(written, on="order_id", how="left").collect(engine="streaming").lazy()

    def share(condition: pl.Expr, of: str) -> Outcome:
        return share_of(_counted(known.filter(condition), _CREATED.is_not_null()), of=of)

    found = {kind: share(_INCIDENT.eq(kind), f"orders with '{kind}'") for kind in kinds if kind in recorded[1]}
    quiet: Outcome = "delivery dates do not show which orders had no incident."
    if shop.missing("orders.incident") is None:
        quiet = share(_INCIDENT.is_null(), "orders without an incident")
    return [quiet, *(found.get(kind, f"no order has '{kind}'.") for kind in kinds)]


def _contact_of_customers(shop: Shop, experience: Experience) -> Outcome | None:
    """Return who writes without an incident, where tickets name customers only; None where they do not.

    Of the share of all orders that are followed by a ticket of their customer, the share of tickets after incidents, as
    assumed, is taken off.
    """
    if shop.missing("tickets.customer_id") is not None:
        return None
    known = pl.col(CUSTOMER).is_not_null()
    orders = shop.table("orders").filter(known).select(CUSTOMER, "order_id", "ordered_at").sort("ordered_at")
    written = (
        shop.table("tickets")
        .filter(known, _CREATED.lt(shop.until))
        .sort("created_at")
        .join_asof(
            orders,
            left_on="created_at",
            right_on="ordered_at",
            by=CUSTOMER,
            tolerance=_CONTACT_WITHIN,
            check_sortedness=False,
        )
        .drop_nulls("order_id")
        .group_by("order_id")
        .agg(_CREATED.min())
    )
    begins = shop.table("tickets").select(_CREATED.min()).collect().item()
    old = orders.filter(pl.col("ordered_at").is_between(begins, shop.until - _CONTACT_WITHIN, closed="right"))
    asked = old.join(written, on="order_id", how="left")
    days = _CONTACT_WITHIN.days
    found = share_of(_counted(asked, _CREATED.is_not_null()), of=f"orders with a ticket within {days} days")
    if isinstance(found, str):
        return found
    incidents = sum(one.chance.value * one.ticket.value for one in experience.incidents)
    quiet = 1.0 - sum(one.chance.value for one in experience.incidents)
    if incidents > 0.5 * found.low:
        return (
            f"{100.0 * found.value:.1f} % of orders are followed by a ticket, of which incidents as assumed explain "
            f"{100.0 * incidents:.1f} %, too much for a difference; export tickets with their order's number."
        )
    value, low, high = ((share - incidents) / quiet for share in found[:3])
    method = f"{found.method}; less tickets after incidents, as assumed"
    return Measurement(value, low, high, found.error / quiet, found.units, method)


def _first_contact(shop: Shop, rows: pl.LazyFrame) -> Outcome:
    """Return the share of matters that the first answer settles, among those old enough to be settled."""
    if shop.missing("tickets.solved_at_first") is None:
        at_first = pl.col("solved_at_first")
    elif shop.missing("tickets.replies") is None and shop.missing("tickets.reopens") is None:
        at_first = (pl.col("replies") == 1) & (pl.col("reopens") == 0)
    else:
        return "the tickets record neither this nor the number of answers and reopenings."
    took = (pl.col("resolved_at") - _CREATED).quantile(_RESOLUTIONS_OVER, "higher")
    wait = rows.select(took).collect().item()
    if wait is None:
        return "no ticket is resolved."
    old = rows.filter(_CREATED.le(shop.until - wait))
    # A matter that is open after so long was not settled by the first answer.
    settled = pl.when(pl.col("resolved_at").is_null()).then(statement=False).otherwise(at_first)
    of = f"tickets at least {wait / timedelta(days=1):.0f} days old"
    return share_of(_counted(old, settled).drop_nulls("counted"), of=of)


def _response_hours(rows: pl.LazyFrame, until: datetime) -> list[Outcome]:
    """Return median and spread of the hours to the first answer."""
    # An answer that was still to come at the end was not known then, whatever the table says.
    over = (pl.col("first_response_at") < until).fill_null(value=False)
    ends = pl.when(over).then("first_response_at").otherwise(pl.lit(until))
    # Times are whole seconds, so that an answer within the first one took half of it.
    seconds = (ends - _CREATED).dt.total_seconds() + 0.5
    waits = (
        rows.select(hours=seconds / _SECONDS_PER_HOUR, over=over)
        .filter(pl.col("hours") > 0.0)
        .collect(engine="streaming")
        .sort("over", "hours")
    )
    answered, waiting = (waits.filter(over=which)["hours"].to_numpy() for which in (True, False))
    if len(answered) < FEWEST:
        return [f"{len(answered)} tickets are answered; {FEWEST} are needed."] * 2
    try:
        found = fit_lognormal(answered, waiting)
    except DataError as cause:
        return [str(cause)] * 2
    method = f"lognormal, {len(waiting):,} open tickets right-censored"
    median, half = found.median, math.exp(Z95 * found.log_error)
    return [
        Measurement(median, median / half, median * half, median * found.log_error, waits.height, method),
        on_own_scale(found.spread, found.spread_error, waits.height, method),
    ]
