"""A shop's orders, returns and visits in; incidents, returns and conversion, as the tables say them, out."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError
from cxsim.metrics.calibration_readings import (
    AMONG,
    COUNTED,
    CUSTOMER,
    FEWEST,
    Answering,
    Found,
    Gap,
    Reading,
    fit_lognormal,
    fit_scale,
    gaps,
    linear,
    response_at_mean,
    ripe,
    share,
)
from cxsim.metrics.intervals import median_of
from cxsim.params import CENTS, Z95
from cxsim.strategies.behaviour import Behaviour, Experience, Scale, Surveys

_LEVEL = 0.9
_RETURNS = ("returns.chance", "returns.part", "returns.days")
_CONVERSION = "sessions.conversion"
# The least that a behaviour allows.
_LEAST_CONVERSION = 0.001
_PROMISES = {"late": 1, "early": -1}


def incident_path(place: int, field: str) -> str:
    """Return the path of a number of the incident at a place, from 0."""
    return f"experience.incidents.item_{place + 1}.{field}"


def told_orders(shop: Shop) -> tuple[pl.LazyFrame, frozenset[str]] | str:
    """Return the orders with what happened to them in `incident`, and the names that they can tell; or why not.

    Where the orders name no incidents, promised and actual days of delivery tell `late` and `early`.
    """
    reason = shop.missing("orders.incident")
    orders = shop.table("orders")
    if reason is None:
        names = orders.select(pl.col("incident").unique().sort()).collect()["incident"].drop_nulls()
        return (orders, frozenset(names)) if len(names) else "no order says that anything happened to it."
    if any(shop.missing(f"orders.{name}") for name in ("promised_at", "delivered_at")):
        return reason
    return _by_promise(orders, shop.until), frozenset(_PROMISES)


def incidents(shop: Shop, experience: Experience) -> list[Found]:
    """Return the chance of each incident."""
    paths = {incident_path(place, "chance"): one.name for place, one in enumerate(experience.incidents)}
    sentence = told_orders(shop)
    if isinstance(sentence, str):
        return gaps(tuple(paths), sentence)
    orders, names = sentence
    found: list[Found] = []
    for path, name in paths.items():
        if name in names:
            happened = (pl.col("incident") == name).fill_null(value=False)
            found.append(share(path, _counted(orders, happened), of="orders"))
        else:
            found.append(Gap(path=path, reason=f"no order says '{name}': it did not happen, or is not recorded."))
    return found


def returns(shop: Shop) -> list[Found]:
    """Return how often, how much and when orders are sent back."""
    reason = shop.missing("orders") or shop.missing("returns")
    if reason is not None:
        return gaps(_RETURNS, reason)
    back = (
        shop.table("returns")
        .group_by("order_id")
        .agg(pl.col("returned_at").min(), refund=(pl.col("refund") * CENTS).round().cast(pl.Int64).sum())
    )
    orders = shop.table("orders").select("order_id", CUSTOMER, "ordered_at", "amount")
    old, wait = ripe(orders, back, "returned_at", until=shop.until)
    known = old.join(back, on="order_id", how="left").collect(engine="streaming")
    sent = known.drop_nulls("returned_at")
    if sent.is_empty():
        return gaps(_RETURNS, f"no return belongs to one of the {known.height:,} orders that are old enough.")
    paid = (pl.col("amount") * CENTS).round().cast(pl.Int64)
    of = f"orders at least {wait / timedelta(days=1):.0f} days old"
    parts = sent.lazy().select(CUSTOMER, pl.col("refund").alias(COUNTED), paid.alias(AMONG))
    return [
        share(_RETURNS[0], _counted(known.lazy(), pl.col("returned_at").is_not_null()), of=of),
        share(_RETURNS[1], parts, of="what was paid for orders that came back"),
        _days(sent.select(days=(pl.col("returned_at") - pl.col("ordered_at")).dt.total_seconds() / 86_400)["days"]),
    ]


def conversion(shop: Shop) -> list[Found]:
    """Return the share of the visits of known customers that end in an order."""
    reason = shop.missing("sessions")
    if reason is not None:
        return gaps((_CONVERSION,), reason)
    visits = shop.table("sessions").filter(pl.col(CUSTOMER).is_not_null())
    found = share(_CONVERSION, _counted(visits, pl.col("order_id").is_not_null()), of="visits of known customers")
    if isinstance(found, Reading) and found.low < _LEAST_CONVERSION:
        reason = f"measured as {found.value:.2g}, below the {_LEAST_CONVERSION:g} that a behaviour allows."
        return gaps((_CONVERSION,), reason)
    return [found]


def _counted(rows: pl.LazyFrame, yes: pl.Expr) -> pl.LazyFrame:
    return rows.select(CUSTOMER, yes.cast(pl.Int64).alias(COUNTED), pl.lit(1, dtype=pl.Int64).alias(AMONG))


def _by_promise(orders: pl.LazyFrame, until: datetime) -> pl.LazyFrame:
    """Return the orders whose promised day is over; one that has not come by then is late."""
    promised, came = pl.col("promised_at").dt.date(), pl.col("delivered_at").dt.date()
    late = (came > promised).fill_null(value=True)
    return orders.filter(promised < until.date()).with_columns(
        incident=pl.when(late).then(pl.lit("late")).when(came < promised).then(pl.lit("early"))
    )


def _days(delays: pl.Series) -> Found:
    found = median_of(delays.to_numpy(), level=_LEVEL)
    if found.value is None or found.low is None or found.high is None or found.units < FEWEST:
        return Gap(path=_RETURNS[2], reason=f"{len(delays)} returns are known; {FEWEST} are needed.")
    error = (found.high - found.low) / (2.0 * Z95)
    method = "median, order statistics"
    ends = {"low": found.low, "high": found.high}
    return Reading(path=_RETURNS[2], value=found.value, error=error, units=found.units, method=method, **ends)


_ENDS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_AFTER_TICKET = ("csat", "ces")
_ASKED = {"surveys.after_order": ("nps",), "surveys.after_ticket": _AFTER_TICKET}
_RESPONSE, _EXTREMITY = "surveys.response", "surveys.extremity"
_FIELDS = ("centre", "per_deviation", "noise")
# Customers who answer twice, from whom the parts of a scale can be told.
_FEWEST_TWICE = 100
_NOT_ASKED = "the surveys hold answers alone, so how many were asked is not known."


def surveys(shop: Shop, behaviour: Behaviour) -> list[Found]:
    """Return who is asked, who answers, and the scales; what needs more than surveys is taken from `behaviour`."""
    model, experience = behaviour.surveys, behaviour.experience
    if model is None or experience is None:
        return []
    scales = tuple(f"surveys.{name}.{field}" for name in _ENDS for field in _FIELDS)
    reason = shop.missing("surveys")
    if reason is not None:
        return gaps((*_ASKED, _RESPONSE, *scales), reason)
    rows = shop.table("surveys").filter(pl.col("instrument").is_in(list(_ENDS)))
    silent = rows.group_by("instrument").agg(pl.col("score").null_count()).collect()
    listed = frozenset(silent.filter(pl.col("score") > 0)["instrument"])
    found: list[Found] = []
    for path, names in _ASKED.items():
        found.append(_asked(shop, rows, path, tuple(name for name in names if name in listed)))
    response = _response(rows, model, listed)
    found.append(response)
    at_mean = response.value if isinstance(response, Reading) else None
    for name in _ENDS:
        known = at_mean is not None and at_mean < 1.0 and name in listed
        odds = at_mean / (1.0 - at_mean) if known and at_mean is not None else None
        shift = satisfaction_of_writers(experience) if name in _AFTER_TICKET else 0.0
        answering = Answering(odds=odds, extremity=model.extremity.value, shift=shift)
        found += _scale(rows.filter(pl.col("instrument") == name), name, getattr(model, name), answering)
    return found


def satisfaction_of_writers(experience: Experience) -> float:
    """Return by how much the mean satisfaction of those who have just written lies above that of all customers."""
    open_share = 1.0 - experience.first_contact.value
    unresolved = open_share * _measured_surveys_counted(experience.unresolved.value, experience)
    quiet = 1.0 - sum(one.chance.value for one in experience.incidents)
    writing, shocks, usual = quiet * experience.contact.value, 0.0, 0.0
    for one in experience.incidents:
        shock = _measured_surveys_counted(one.shock.value, experience)
        writing += one.chance.value * one.ticket.value
        shocks += one.chance.value * one.ticket.value * shock
        usual += one.chance.value * shock
    if writing <= 0.0:
        return 0.0
    return experience.memory.value * (shocks / writing + unresolved - usual - writing * unresolved)


def _measured_surveys_counted(shock: float, experience: Experience) -> float:
    return shock * experience.negativity.value if shock < 0.0 else shock


def _asked(shop: Shop, rows: pl.LazyFrame, path: str, names: tuple[str, ...]) -> Found:
    """Return the share of orders or tickets after which customers are asked."""
    if not names:
        return Gap(path=path, reason=_NOT_ASKED)
    table, when = ("orders", "ordered_at") if path.endswith("order") else ("tickets", "created_at")
    reason = shop.missing(table)
    if reason is not None:
        return Gap(path=path, reason=reason)
    asked = rows.filter(pl.col("instrument").is_in(list(names)))
    begins = asked.select(pl.col("sent_at").min()).collect().item()
    one = pl.lit(1, dtype=pl.Int64)
    each = pl.lit(len(names), dtype=pl.Int64)
    # The first survey says from when on they were asked, and is therefore itself left out.
    events = (
        shop.table(table).filter(pl.col(when) > begins).select(CUSTOMER, one.mul(0).alias(COUNTED), each.alias(AMONG))
    )
    sent = asked.filter(pl.col("sent_at") > begins).select(CUSTOMER, one.alias(COUNTED), one.mul(0).alias(AMONG))
    return share(path, pl.concat([events, sent]), of=table)


def _response(rows: pl.LazyFrame, model: Surveys, listed: frozenset[str]) -> Found:
    """Return the share that answers at mean satisfaction; from surveys after orders if it can be."""
    names = ["nps"] if "nps" in listed else sorted(listed)
    if not names:
        return Gap(path=_RESPONSE, reason=_NOT_ASKED)
    asked = rows.filter(pl.col("instrument").is_in(names)).select(
        CUSTOMER, pl.col("score").is_not_null().cast(pl.Int64).alias(COUNTED), pl.lit(1, dtype=pl.Int64).alias(AMONG)
    )
    found = share(_RESPONSE, asked, of="surveys")
    if isinstance(found, Gap) or found.error == 0.0:
        return found
    extremity = model.extremity.value
    value, low, high = (response_at_mean(one, extremity) for one in (found.value, found.low, found.high))
    error = (high - low) / (2.0 * Z95)
    method = f"{found.method}; less what an extremity of {extremity:g} adds"
    return Reading(path=_RESPONSE, value=value, error=error, low=low, high=high, units=found.units, method=method)


def _scale(rows: pl.LazyFrame, name: str, model: Scale, answering: Answering) -> list[Found]:
    centre, *parts = (f"surveys.{name}.{field}" for field in _FIELDS)
    patterns = _patterns(rows)
    customers = int(patterns["customers"].sum())
    twice = int(patterns.filter(pl.col("second").is_not_null())["customers"].sum())
    if customers < FEWEST:
        return gaps((centre, *parts), f"{customers} customers answered; {FEWEST} are needed.")
    ends = _ENDS[name]
    if twice >= _FEWEST_TWICE:
        try:
            found = fit_scale(patterns, ends, answering, satisfaction_share=None)
        except EstimationError:
            pass
        else:
            deviation, noise = found.per_deviation_error, found.noise_error
            if deviation is not None and noise is not None and found.noise > Z95 * noise:
                method = f"ordered answers, {twice:,} customers twice"
                numbers = ((found.centre, found.centre_error), (found.per_deviation, deviation), (found.noise, noise))
                return [
                    linear(path, value, error, units=customers, method=method)
                    for path, (value, error) in zip((centre, *parts), numbers, strict=True)
                ]
    variance = model.per_deviation.value**2 + model.noise.value**2
    satisfied = model.per_deviation.value**2 / variance if variance else 0.0
    try:
        found = fit_scale(patterns, ends, answering, satisfaction_share=satisfied)
    except EstimationError as cause:
        return gaps((centre, *parts), str(cause))
    reason = (
        f"{twice:,} customers answered twice, too few to part satisfaction from noise; together they are "
        f"{found.spread:.3g} against {variance**0.5:.3g}."
    )
    method = "ordered answers, their spread parted as before"
    return [
        linear(centre, found.centre, found.centre_error, units=customers, method=method),
        *gaps(tuple(parts), reason),
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


_CONTACT, _FIRST = "experience.contact", "experience.first_contact"
_HOURS = ("experience.response_hours", "experience.response_spread")
_SECONDS_PER_HOUR = 3_600.0
# A matter is old enough to be judged when so many of all resolutions have come by that age.
_OVER = 0.995


def tickets(shop: Shop, experience: Experience) -> list[Found]:
    """Return who writes to support, how soon the first answer comes, and how often it settles the matter."""
    writing = (_CONTACT, *(incident_path(place, "ticket") for place in range(len(experience.incidents))))
    reason = shop.missing("tickets")
    if reason is not None:
        return gaps((*writing, _FIRST, *_HOURS), reason)
    rows = shop.table("tickets").filter(pl.col("created_at") < shop.until)
    return [
        *_writing(shop, experience, writing),
        _first_contact(shop, rows),
        *_measured_tickets_response(rows, shop.until),
    ]


def _writing(shop: Shop, experience: Experience, paths: tuple[str, ...]) -> list[Found]:
    reason = shop.missing("tickets.order_id")
    if reason is not None:
        return gaps(paths, f"{reason} Which orders are written about is not known.")
    sentence = told_orders(shop)
    if isinstance(sentence, str):
        return gaps(paths, f"{sentence} What was written about is not known.")
    orders, names = sentence
    written = shop.table("tickets").drop_nulls("order_id").group_by("order_id").agg(pl.col("created_at").min())
    old, _ = ripe(
        orders.select("order_id", CUSTOMER, "ordered_at", "incident"), written, "created_at", until=shop.until
    )
    known = old.join(written, on="order_id", how="left").collect(engine="streaming").lazy()
    wrote = pl.col("created_at").is_not_null().cast(pl.Int64).alias(COUNTED)

    def among(which: pl.Expr) -> pl.LazyFrame:
        return known.filter(which).select(CUSTOMER, wrote, pl.lit(1, dtype=pl.Int64).alias(AMONG))

    found: list[Found] = []
    if shop.missing("orders.incident") is None:
        found.append(share(paths[0], among(pl.col("incident").is_null()), of="orders to which nothing happened"))
    else:
        reason = "days of delivery do not tell to which orders nothing happened."
        found.append(Gap(path=paths[0], reason=reason))
    for path, one in zip(paths[1:], experience.incidents, strict=True):
        if one.name in names:
            found.append(share(path, among(pl.col("incident") == one.name), of=f"orders with '{one.name}'"))
        else:
            found.append(Gap(path=path, reason=f"no order says '{one.name}'."))
    return found


def _first_contact(shop: Shop, rows: pl.LazyFrame) -> Found:
    """Return the share of matters that the first answer settles, among those old enough to be settled."""
    at_first = _solved_at_first(shop)
    if at_first is None:
        return Gap(path=_FIRST, reason="the tickets say neither that nor how many answers and reopenings there were.")
    took = (pl.col("resolved_at") - pl.col("created_at")).quantile(_OVER, "higher")
    wait = rows.select(took).collect().item()
    if wait is None:
        return Gap(path=_FIRST, reason="no ticket is resolved.")
    old = rows.filter(pl.col("created_at") <= shop.until - wait)
    # A matter that is open after so long was not settled by the first answer.
    settled = pl.when(pl.col("resolved_at").is_null()).then(statement=False).otherwise(at_first)
    judged = old.select(CUSTOMER, settled.cast(pl.Int64).alias(COUNTED), pl.lit(1, dtype=pl.Int64).alias(AMONG))
    of = f"tickets at least {wait / timedelta(days=1):.0f} days old"
    return share(_FIRST, judged.drop_nulls(COUNTED), of=of)


def _solved_at_first(shop: Shop) -> pl.Expr | None:
    if shop.missing("tickets.solved_at_first") is None:
        return pl.col("solved_at_first")
    if shop.missing("tickets.replies") is None and shop.missing("tickets.reopens") is None:
        return (pl.col("replies") == 1) & (pl.col("reopens") == 0)
    return None


def _measured_tickets_response(rows: pl.LazyFrame, until: datetime) -> list[Found]:
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
    answered = waits.filter("over")["hours"].to_numpy()
    waiting = waits.filter(~pl.col("over"))["hours"].to_numpy()
    if len(answered) < FEWEST:
        return gaps(_HOURS, f"{len(answered)} tickets are answered; {FEWEST} are needed.")
    try:
        found = fit_lognormal(answered, waiting)
    except DataError as cause:
        return gaps(_HOURS, str(cause))
    method = f"lognormal, {len(waiting):,} open tickets right-censored"
    half = math.exp(Z95 * found.log_error)
    return [
        Reading(
            path=_HOURS[0],
            value=found.median,
            error=found.median_error,
            low=found.median / half,
            high=found.median * half,
            units=waits.height,
            method=method,
        ),
        linear(_HOURS[1], found.spread, found.spread_error, units=waits.height, method=method),
    ]
