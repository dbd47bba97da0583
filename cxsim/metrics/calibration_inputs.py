"""A shop's tables in; what they say of each number of its behaviour, or why they do not say it, out."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from scipy import stats

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError
from cxsim.metrics.calibration_fits import (
    FEWEST,
    Measurement,
    NotMeasured,
    Outcome,
    Responding,
    fit_lognormal,
    fit_scale,
    on_own_scale,
    response_at_mean,
    share_of,
)
from cxsim.params import CENTS, Z95
from cxsim.strategies.behaviour import Behaviour, Experience, Scale, Surveys

CUSTOMER = "customer_id"
_LEVEL = 0.9
_RETURNS = ("returns.chance", "returns.part", "returns.days")
_CONVERSION = "sessions.conversion"
# The least that a behaviour allows.
_LEAST_CONVERSION = 0.001
_PROMISES = frozenset({"late", "early"})
_CONTACT, _FIRST = "experience.contact", "experience.first_contact"
_HOURS = ("experience.response_hours", "experience.response_spread")
_ENDS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_AFTER_TICKET = ("csat", "ces")
_ASKED = {"surveys.after_order": ("nps",), "surveys.after_ticket": _AFTER_TICKET}
_RESPONSE = "surveys.response"
_FIELDS = ("centre", "per_deviation", "noise")
_NOT_ASKED = "the surveys hold answers alone, so how many were asked is not known."
# Customers who answer twice, from whom the parts of a scale can be estimated.
_FEWEST_TWICE = 100
_SECONDS_PER_HOUR = 3_600.0
# An order is old enough when so many of all delays are over, and a matter when so many of all resolutions have come.
_DELAYS_OVER, _RESOLUTIONS_OVER = 0.99, 0.995


def not_measured(paths: tuple[str, ...], reason: str) -> list[Outcome]:
    """Return the same reason for several numbers."""
    return [NotMeasured(path=path, reason=reason) for path in paths]


def incidents(shop: Shop, experience: Experience) -> list[Outcome]:
    """Return the chance of each incident."""
    paths = {_incident_path(place, "chance"): one.name for place, one in enumerate(experience.incidents)}
    recorded = _orders_with_incidents(shop)
    if isinstance(recorded, str):
        return not_measured(tuple(paths), recorded)
    orders, names = recorded
    outcomes: list[Outcome] = []
    for path, name in paths.items():
        if name in names:
            happened = (pl.col("incident") == name).fill_null(value=False)
            outcomes.append(share_of(path, _counted(orders, happened), of="orders"))
        else:
            reason = f"no order says '{name}': it did not happen, or is not recorded."
            outcomes.append(NotMeasured(path=path, reason=reason))
    return outcomes


def returns(shop: Shop) -> list[Outcome]:
    """Return how often, how much and when orders are sent back."""
    reason = shop.missing("orders") or shop.missing("returns")
    if reason is not None:
        return not_measured(_RETURNS, reason)
    back = shop.table("returns").group_by("order_id").agg(pl.col("returned_at").min(), refund=_cents("refund").sum())
    orders = shop.table("orders").select("order_id", CUSTOMER, "ordered_at", "amount")
    old, wait = _observed_long_enough(orders, back, "returned_at", until=shop.until)
    known = old.join(back, on="order_id", how="left").collect(engine="streaming")
    sent = known.drop_nulls("returned_at")
    if sent.is_empty():
        reason = f"no return belongs to one of the {known.height:,} orders that are old enough."
        return not_measured(_RETURNS, reason)
    of = f"orders at least {wait / timedelta(days=1):.0f} days old"
    parts = sent.lazy().select(CUSTOMER, counted="refund", among=_cents("amount"))
    return [
        share_of(_RETURNS[0], _counted(known.lazy(), pl.col("returned_at").is_not_null()), of=of),
        share_of(_RETURNS[1], parts, of="what was paid for orders that came back"),
        _days(sent.select(days=(pl.col("returned_at") - pl.col("ordered_at")).dt.total_seconds() / 86_400)["days"]),
    ]


def conversion(shop: Shop) -> list[Outcome]:
    """Return the share of the visits of known customers that end in an order."""
    reason = shop.missing("sessions")
    if reason is not None:
        return not_measured((_CONVERSION,), reason)
    visits = shop.table("sessions").filter(pl.col(CUSTOMER).is_not_null())
    found = share_of(_CONVERSION, _counted(visits, pl.col("order_id").is_not_null()), of="visits of known customers")
    if isinstance(found, Measurement) and found.low < _LEAST_CONVERSION:
        reason = f"measured as {found.value:.2g}, below the {_LEAST_CONVERSION:g} that a behaviour allows."
        return not_measured((_CONVERSION,), reason)
    return [found]


def surveys(shop: Shop, behaviour: Behaviour) -> list[Outcome]:
    """Return who is asked, who answers, and the scales; what needs more than surveys is taken from `behaviour`."""
    model, experience = behaviour.surveys, behaviour.experience
    if model is None or experience is None:
        return []
    scales = tuple(f"surveys.{name}.{field}" for name in _ENDS for field in _FIELDS)
    reason = shop.missing("surveys")
    if reason is not None:
        return not_measured((*_ASKED, _RESPONSE, *scales), reason)
    rows = shop.table("surveys").filter(pl.col("instrument").is_in(list(_ENDS)))
    silent = rows.group_by("instrument").agg(pl.col("score").null_count()).collect()
    listed = frozenset(silent.filter(pl.col("score") > 0)["instrument"])
    outcomes = [_asked(shop, rows, path, [name for name in names if name in listed]) for path, names in _ASKED.items()]
    response = _response(rows, model, listed)
    outcomes.append(response)
    at_mean = response.value if isinstance(response, Measurement) and response.value < 1.0 else None
    for name in _ENDS:
        responding = Responding(
            odds=at_mean / (1.0 - at_mean) if at_mean is not None and name in listed else None,
            extremity=model.extremity.value,
            shift=satisfaction_of_writers(experience) if name in _AFTER_TICKET else 0.0,
        )
        outcomes += _scale(rows.filter(pl.col("instrument") == name), name, getattr(model, name), responding)
    return outcomes


def tickets(shop: Shop, experience: Experience) -> list[Outcome]:
    """Return who writes to support, how soon the first answer comes, and how often it settles the matter."""
    writing = (_CONTACT, *(_incident_path(place, "ticket") for place in range(len(experience.incidents))))
    reason = shop.missing("tickets")
    if reason is not None:
        return not_measured((*writing, _FIRST, *_HOURS), reason)
    rows = shop.table("tickets").filter(pl.col("created_at") < shop.until)
    return [*_writing(shop, experience, writing), _first_contact(shop, rows), *_response_hours(rows, shop.until)]


def _incident_path(place: int, field: str) -> str:
    """Return the path of a number of the incident at a place, from 0."""
    return f"experience.incidents.item_{place + 1}.{field}"


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * CENTS).round().cast(pl.Int64)


def _counted(rows: pl.LazyFrame, condition: pl.Expr) -> pl.LazyFrame:
    return rows.select(CUSTOMER, counted=condition.cast(pl.Int64), among=pl.lit(1, dtype=pl.Int64))


def _orders_with_incidents(shop: Shop) -> tuple[pl.LazyFrame, frozenset[str]] | str:
    """Return the orders with what happened to them in `incident`, and the names that can occur; or why not.

    Where the orders name no incidents, promised and actual days of delivery show `late` and `early`.
    """
    reason = shop.missing("orders.incident")
    orders = shop.table("orders")
    if reason is None:
        names = orders.select(pl.col("incident").unique().sort()).collect()["incident"].drop_nulls()
        return (orders, frozenset(names)) if len(names) else "no order says that anything happened to it."
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


def _days(delays: pl.Series) -> Outcome:
    """Return the median with order statistics as ends (Thompson 1936)."""
    ends = stats.quantile_test(delays.to_numpy(), p=0.5).confidence_interval(_LEVEL)
    low, high = float(ends.low), float(ends.high)
    if len(delays) < FEWEST or math.isnan(low + high):
        return NotMeasured(path=_RETURNS[2], reason=f"{len(delays)} returns are known; {FEWEST} are needed.")
    return Measurement(
        path=_RETURNS[2],
        value=float(np.median(delays.to_numpy())),
        error=(high - low) / (2.0 * Z95),
        low=low,
        high=high,
        units=len(delays),
        method="median, order statistics",
    )


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


def _asked(shop: Shop, rows: pl.LazyFrame, path: str, names: list[str]) -> Outcome:
    """Return the share of orders or tickets after which customers are asked."""
    if not names:
        return NotMeasured(path=path, reason=_NOT_ASKED)
    table, when = ("orders", "ordered_at") if path.endswith("order") else ("tickets", "created_at")
    reason = shop.missing(table)
    if reason is not None:
        return NotMeasured(path=path, reason=reason)
    asked = rows.filter(pl.col("instrument").is_in(names))
    begins = asked.select(pl.col("sent_at").min()).collect().item()
    one, none, each = (pl.lit(number, dtype=pl.Int64) for number in (1, 0, len(names)))
    # The first survey shows from when on they were asked, and is therefore itself left out.
    events = shop.table(table).filter(pl.col(when) > begins).select(CUSTOMER, counted=none, among=each)
    sent = asked.filter(pl.col("sent_at") > begins).select(CUSTOMER, counted=one, among=none)
    return share_of(path, pl.concat([events, sent]), of=table)


def _response(rows: pl.LazyFrame, model: Surveys, listed: frozenset[str]) -> Outcome:
    """Return the share that answers at mean satisfaction; from surveys after orders if it can be."""
    names = ["nps"] if "nps" in listed else sorted(listed)
    if not names:
        return NotMeasured(path=_RESPONSE, reason=_NOT_ASKED)
    asked = _counted(rows.filter(pl.col("instrument").is_in(names)), pl.col("score").is_not_null())
    found = share_of(_RESPONSE, asked, of="surveys")
    if isinstance(found, NotMeasured) or found.error == 0.0:
        return found
    extremity = model.extremity.value
    value, low, high = (response_at_mean(one, extremity) for one in (found.value, found.low, found.high))
    error = (high - low) / (2.0 * Z95)
    method = f"{found.method}; less what an extremity of {extremity:g} adds"
    return Measurement(path=_RESPONSE, value=value, error=error, low=low, high=high, units=found.units, method=method)


def _scale(rows: pl.LazyFrame, name: str, model: Scale, responding: Responding) -> list[Outcome]:
    centre, *parts = (f"surveys.{name}.{field}" for field in _FIELDS)
    patterns = _patterns(rows)
    customers = int(patterns["customers"].sum())
    twice = int(patterns.filter(pl.col("second").is_not_null())["customers"].sum())
    if customers < FEWEST:
        return not_measured((centre, *parts), f"{customers} customers answered; {FEWEST} are needed.")
    if twice >= _FEWEST_TWICE:
        try:
            found = fit_scale(patterns, _ENDS[name], responding, satisfaction_share=None)
        except EstimationError:
            pass
        else:
            deviation, noise = found.per_deviation_error, found.noise_error
            if deviation is not None and noise is not None and found.noise > Z95 * noise:
                method = f"ordered answers, {twice:,} customers twice"
                numbers = ((found.centre, found.centre_error), (found.per_deviation, deviation), (found.noise, noise))
                return [
                    on_own_scale(path, value, error, units=customers, method=method)
                    for path, (value, error) in zip((centre, *parts), numbers, strict=True)
                ]
    variance = model.per_deviation.value**2 + model.noise.value**2
    satisfied = model.per_deviation.value**2 / variance if variance else 0.0
    try:
        found = fit_scale(patterns, _ENDS[name], responding, satisfaction_share=satisfied)
    except EstimationError as cause:
        return not_measured((centre, *parts), str(cause))
    reason = (
        f"{twice:,} customers answered twice, too few to part satisfaction from noise; together they are "
        f"{found.spread:.3g} against {variance**0.5:.3g}."
    )
    method = "ordered answers, their spread parted as before"
    return [
        on_own_scale(centre, found.centre, found.centre_error, units=customers, method=method),
        *not_measured(tuple(parts), reason),
    ]


def _patterns(rows: pl.LazyFrame) -> pl.DataFrame:
    """Return how many customers were asked and answered so often with these first two scores."""
    who = pl.coalesce(CUSTOMER, pl.format("survey {}", "survey_id")).alias("who")
    keys = ("asked", "answered", "first", "second")
    asked = rows.group_by(who).agg(asked=pl.len().cast(pl.Int64))
    # Sorted once and not customer by customer, which takes many times as long; second answers are few.
    answers = (
        rows.filter(pl.col("score").is_not_null())
        .select(who, "sent_at", "survey_id", "score")
        .sort("sent_at", "survey_id")
        .with_columns(number=pl.int_range(pl.len()).over("who"))
    )
    first = answers.filter(pl.col("number") == 0).select("who", first="score")
    second = answers.filter(pl.col("number") == 1).select("who", second="score")
    return (
        answers.group_by("who")
        .agg(answered=pl.len().cast(pl.Int64))
        .join(first, on="who")
        .join(second, on="who", how="left")
        .join(asked, on="who")
        .group_by(keys)
        .agg(customers=pl.len().cast(pl.Int64))
        .collect()
        .sort(keys)
    )


def _writing(shop: Shop, experience: Experience, paths: tuple[str, ...]) -> list[Outcome]:
    reason = shop.missing("tickets.order_id")
    if reason is not None:
        return not_measured(paths, f"{reason} Which orders are written about is not known.")
    recorded = _orders_with_incidents(shop)
    if isinstance(recorded, str):
        return not_measured(paths, f"{recorded} What was written about is not known.")
    orders, names = recorded
    written = shop.table("tickets").drop_nulls("order_id").group_by("order_id").agg(pl.col("created_at").min())
    events = orders.select("order_id", CUSTOMER, "ordered_at", "incident")
    old, _ = _observed_long_enough(events, written, "created_at", until=shop.until)
    known = old.join(written, on="order_id", how="left").collect(engine="streaming").lazy()
    wrote = pl.col("created_at").is_not_null()
    outcomes: list[Outcome] = []
    if shop.missing("orders.incident") is None:
        quiet = _counted(known.filter(pl.col("incident").is_null()), wrote)
        outcomes.append(share_of(paths[0], quiet, of="orders to which nothing happened"))
    else:
        reason = "days of delivery do not tell to which orders nothing happened."
        outcomes.append(NotMeasured(path=paths[0], reason=reason))
    for path, one in zip(paths[1:], experience.incidents, strict=True):
        if one.name in names:
            hit = _counted(known.filter(pl.col("incident") == one.name), wrote)
            outcomes.append(share_of(path, hit, of=f"orders with '{one.name}'"))
        else:
            outcomes.append(NotMeasured(path=path, reason=f"no order says '{one.name}'."))
    return outcomes


def _first_contact(shop: Shop, rows: pl.LazyFrame) -> Outcome:
    """Return the share of matters that the first answer settles, among those old enough to be settled."""
    if shop.missing("tickets.solved_at_first") is None:
        at_first = pl.col("solved_at_first")
    elif shop.missing("tickets.replies") is None and shop.missing("tickets.reopens") is None:
        at_first = (pl.col("replies") == 1) & (pl.col("reopens") == 0)
    else:
        reason = "the tickets say neither that nor how many answers and reopenings there were."
        return NotMeasured(path=_FIRST, reason=reason)
    took = (pl.col("resolved_at") - pl.col("created_at")).quantile(_RESOLUTIONS_OVER, "higher")
    wait = rows.select(took).collect().item()
    if wait is None:
        return NotMeasured(path=_FIRST, reason="no ticket is resolved.")
    old = rows.filter(pl.col("created_at") <= shop.until - wait)
    # A matter that is open after so long was not settled by the first answer.
    settled = pl.when(pl.col("resolved_at").is_null()).then(statement=False).otherwise(at_first)
    of = f"tickets at least {wait / timedelta(days=1):.0f} days old"
    return share_of(_FIRST, _counted(old, settled).drop_nulls("counted"), of=of)


def _response_hours(rows: pl.LazyFrame, until: datetime) -> list[Outcome]:
    # An answer that was still to come at the end was not known then, whatever the table says.
    over = (pl.col("first_response_at") < until).fill_null(value=False)
    ends = pl.when(over).then("first_response_at").otherwise(pl.lit(until))
    # Times are whole seconds, so that an answer within the first one took half of it.
    seconds = (ends - pl.col("created_at")).dt.total_seconds() + 0.5
    waits = (
        rows.select(hours=seconds / _SECONDS_PER_HOUR, over=over)
        .filter(pl.col("hours") > 0.0)
        .collect(engine="streaming")
        .sort("over", "hours")
    )
    answered, waiting = (waits.filter(pl.col("over") == which)["hours"].to_numpy() for which in (True, False))
    if len(answered) < FEWEST:
        return not_measured(_HOURS, f"{len(answered)} tickets are answered; {FEWEST} are needed.")
    try:
        found = fit_lognormal(answered, waiting)
    except DataError as cause:
        return not_measured(_HOURS, str(cause))
    method = f"lognormal, {len(waiting):,} open tickets right-censored"
    half = math.exp(Z95 * found.log_error)
    median = Measurement(
        path=_HOURS[0],
        value=found.median,
        error=found.median * found.log_error,
        low=found.median / half,
        high=found.median * half,
        units=waits.height,
        method=method,
    )
    return [median, on_own_scale(_HOURS[1], found.spread, found.spread_error, units=waits.height, method=method)]
