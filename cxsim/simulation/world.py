"""A shop's behaviour in; records that the compiled kernel reads instead of it, out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.behaviour import PLAIN, Behaviour, Experience, Scale, Season, Surveys
from cxsim.simulation.calendar import Calendar
from cxsim.simulation.portable import rounded

WORLD_RECORD = np.dtype(
    [
        ("plain", np.bool_),  # nothing beside orders, leaving and spend: the short loop can be taken
        ("seasonal", np.bool_),
        ("drift_rate_log", np.float64),  # per day of later arrival
        ("drift_drop_log", np.float64),
        ("experienced", np.bool_),
        ("trait_rate", np.float64),
        ("trait_stay", np.float64),
        ("trait_spend", np.float64),
        ("trait_own", np.float64),
        ("memory", np.float64),
        ("negativity", np.float64),
        ("usual", np.float64),  # mean shock of an order when the shop changes nothing; satisfaction is counted from it
        ("contact", np.float64),
        ("unresolved_share", np.float64),
        ("unresolved", np.float64),
        ("response_days", np.float64),
        ("response_spread", np.float64),
        ("rate_log", np.float64),
        ("drop_log", np.float64),
        ("basket_log", np.float64),
        ("rate_centre", np.float64),
        ("drop_centre", np.float64),
        ("basket_centre", np.float64),
        ("survey_order", np.float64),
        ("survey_ticket", np.float64),
        ("answer_odds", np.float64),
        ("extremity", np.float64),
        ("return_chance", np.float64),
        ("return_part", np.float64),
        ("return_days", np.float64),
    ]
)
INCIDENT_RECORD = np.dtype([("chance", np.float64), ("shock", np.float64), ("ticket", np.float64)])
SCALE_RECORD = np.dtype(
    [
        ("centre", np.float64),
        ("per_deviation", np.float64),
        ("noise", np.float64),
        ("low", np.float64),
        ("high", np.float64),
    ]
)
# Where a month begins, in days and in seasonal days, and how many seasonal days a day of it has.
MONTH_RECORD = np.dtype([("begins", np.float64), ("season", np.float64), ("level", np.float64)])
_SCALE_ENDS = ((0.0, 10.0), (1.0, 5.0), (1.0, 7.0))


class World(NamedTuple):
    """A behaviour as arrays.

    facts (1,); incidents (number of incidents,); scales (3,): NPS, CSAT, CES; months (months + 1,), the last one being
    the end of the scenario.
    """

    facts: npt.NDArray[np.void]
    incidents: npt.NDArray[np.void]
    scales: npt.NDArray[np.void]
    months: npt.NDArray[np.void]


def compile_world(behaviour: Behaviour, calendar: Calendar) -> World:
    """Return the records of a behaviour; with `PLAIN` nothing happens beside orders, leaving and spend."""
    levels = season_levels(behaviour.order_season, calendar)
    # A season that is none is not counted in: seasonal time and back would cost the last bit of an order's moment.
    facts = _PLAIN | {"plain": behaviour == PLAIN, "seasonal": bool((levels != 1.0).any())}
    if behaviour.drift is not None:
        facts["drift_rate_log"] = math.log(behaviour.drift.purchase_rate.value) / 365.25
        facts["drift_drop_log"] = math.log(behaviour.drift.dropout.value) / 365.25
    if behaviour.returns is not None:
        facts["return_chance"] = behaviour.returns.chance.value
        facts["return_part"] = behaviour.returns.part.value
        facts["return_days"] = behaviour.returns.days.value
    if behaviour.experience is not None:
        facts |= _experience(behaviour.experience) | _traits(behaviour)
    if behaviour.surveys is not None:
        facts |= _surveys(behaviour.surveys)
    return World(
        facts=np.array([tuple(_cut(facts[name]) for name in WORLD_RECORD.names or ())], dtype=WORLD_RECORD),
        incidents=_incidents(behaviour.experience),
        scales=_scales(behaviour.surveys),
        months=_months(behaviour, calendar),
    )


def season_levels(season: Season | None, calendar: Calendar) -> npt.NDArray[np.float64]:
    """Return the level of each month of a scenario; 1 without a season.

    A month of the scenario takes the level of the calendar month in which it begins.
    """
    if season is None:
        return np.ones(calendar.months)
    levels = season.levels()
    return np.array([rounded(levels[calendar.starts_of(month).month - 1]) for month in range(calendar.months)])


def _months(behaviour: Behaviour, calendar: Calendar) -> npt.NDArray[np.void]:
    months = np.zeros(calendar.months + 1, MONTH_RECORD)
    months["begins"] = calendar.month_starts
    months["level"][:-1] = season_levels(behaviour.order_season, calendar)
    months["level"][-1] = 1.0
    months["season"][1:] = np.cumsum(np.diff(months["begins"]) * months["level"][:-1])
    return months


_PLAIN: dict[str, float] = dict.fromkeys(WORLD_RECORD.names or (), 0.0)


def _experience(experience: Experience) -> dict[str, float]:
    ratios = {
        "rate": experience.purchase_rate_per_deviation.value,
        "drop": experience.dropout_per_deviation.value,
        "basket": experience.basket_per_deviation.value,
    }
    logs = {name: math.log(ratio) for name, ratio in ratios.items()}
    return {
        "experienced": True,
        "memory": experience.memory.value,
        "negativity": experience.negativity.value,
        "usual": _usual_shock(experience),
        "contact": experience.contact.value,
        "unresolved_share": 1.0 - experience.first_contact.value,
        "unresolved": _counted(experience.unresolved.value, experience),
        "response_days": experience.response_hours.value / 24.0,
        "response_spread": experience.response_spread.value,
        **{f"{name}_log": log for name, log in logs.items()},
        # The fitted rates are means over customers of every satisfaction, which is standard normal between them: the
        # mean of exp(b S) is exp(b b / 2), and is taken out again.
        **{f"{name}_centre": -0.5 * log * log for name, log in logs.items()},
    }


def _usual_shock(experience: Experience) -> float:
    quiet = 1.0 - sum(incident.chance.value for incident in experience.incidents)
    asking = quiet * experience.contact.value
    total = 0.0
    for incident in experience.incidents:
        total += incident.chance.value * _counted(incident.shock.value, experience)
        asking += incident.chance.value * incident.ticket.value
    return total + asking * (1.0 - experience.first_contact.value) * _counted(experience.unresolved.value, experience)


def _counted(shock: float, experience: Experience) -> float:
    return shock * experience.negativity.value if shock < 0.0 else shock


def _traits(behaviour: Behaviour) -> dict[str, float]:
    traits = behaviour.traits
    if traits is None:
        return {"trait_own": 1.0}
    shares = [quantity.value for quantity in (traits.purchase_rate, traits.staying, traits.spend)]
    own = math.sqrt(1.0 - sum(share * share for share in shares))
    return dict(zip(("trait_rate", "trait_stay", "trait_spend", "trait_own"), (*shares, own), strict=True))


def _surveys(surveys: Surveys) -> dict[str, float]:
    response = surveys.response.value
    return {
        "survey_order": surveys.after_order.value,
        "survey_ticket": surveys.after_ticket.value,
        "answer_odds": response / (1.0 - response) if response < 1.0 else 1e12,
        "extremity": surveys.extremity.value,
    }


def _incidents(experience: Experience | None) -> npt.NDArray[np.void]:
    rows = () if experience is None else experience.incidents
    cut = [
        (rounded(row.chance.value), rounded(_counted(row.shock.value, experience)), rounded(row.ticket.value))
        for row in rows
        if experience is not None
    ]
    return np.array(cut, dtype=INCIDENT_RECORD)


def _scales(surveys: Surveys | None) -> npt.NDArray[np.void]:
    if surveys is None:
        return np.zeros(len(_SCALE_ENDS), SCALE_RECORD)
    rows = zip((surveys.nps, surveys.csat, surveys.ces), _SCALE_ENDS, strict=True)
    return np.array([_scale(scale, *ends) for scale, ends in rows], dtype=SCALE_RECORD)


def _scale(scale: Scale, low: float, high: float) -> tuple[float, ...]:
    return (rounded(scale.centre.value), rounded(scale.per_deviation.value), rounded(scale.noise.value), low, high)


def _cut(number: float) -> float:
    return number if isinstance(number, bool) else rounded(number)
