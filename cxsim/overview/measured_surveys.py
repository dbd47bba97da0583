"""A shop's surveys in; who is asked, who answers, and the scales of the answers, as the tables say them, out."""

from __future__ import annotations

import polars as pl

from cxsim.behaviour import Behaviour, Experience, Scale, Surveys
from cxsim.errors import EstimationError
from cxsim.overview.answers import Answering, fit_scale, response_at_mean
from cxsim.overview.found import AMONG, COUNTED, CUSTOMER, FEWEST, Found, Gap, Reading, gaps, linear, share
from cxsim.quantity import Z95
from cxsim.shop import Shop

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
    unresolved = open_share * _counted(experience.unresolved.value, experience)
    quiet = 1.0 - sum(one.chance.value for one in experience.incidents)
    writing, shocks, usual = quiet * experience.contact.value, 0.0, 0.0
    for one in experience.incidents:
        shock = _counted(one.shock.value, experience)
        writing += one.chance.value * one.ticket.value
        shocks += one.chance.value * one.ticket.value * shock
        usual += one.chance.value * shock
    if writing <= 0.0:
        return 0.0
    return experience.memory.value * (shocks / writing + unresolved - usual - writing * unresolved)


def _counted(shock: float, experience: Experience) -> float:
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
