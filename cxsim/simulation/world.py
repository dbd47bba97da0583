"""A shop's behaviour in; records that the compiled kernel reads instead of it, out."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.strategies.behaviour import PLAIN, Behaviour, Experience, Season, Surveys
from cxsim.tables import CUSTOMERS, check, empty

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """Days and months of a scenario, counted from its first day.

    Attributes
    ----------
    starts_on
        First day of the scenario.
    months
        Number of months; a month runs from that day of the month to the day before it in the next.
    """

    starts_on: date
    months: int

    @property
    def month_starts(self) -> npt.NDArray[np.int64]:
        """First day of each month and of the one after the last, as days from the start: shape (months + 1,)."""
        starts = [(self.starts_of(month) - self.starts_on).days for month in range(self.months + 1)]
        return np.array(starts, dtype=np.int64)

    @property
    def days(self) -> int:
        """Length of the scenario in days."""
        return (self.starts_of(self.months) - self.starts_on).days

    @property
    def month_of_day(self) -> npt.NDArray[np.int64]:
        """Month of each day: shape (days,)."""
        lengths = np.diff(self.month_starts)
        return np.repeat(np.arange(self.months, dtype=np.int64), lengths)

    def starts_of(self, month: int) -> date:
        """Return the first day of a month, counted from 0; the last day of a shorter month where there is no such day.

        >>> Calendar(starts_on=date(1998, 7, 1), months=12).starts_of(7)
        datetime.date(1999, 2, 1)
        """
        year, index = divmod(self.starts_on.month - 1 + month, 12)
        year += self.starts_on.year
        return date(year, index + 1, min(self.starts_on.day, monthrange(year, index + 1)[1]))


# Doubles from different math libraries agree to about 15 digits; what enters the kernel is cut to 12, so that the
# kernel starts from the same bits everywhere.
_DIGITS = 12


def rounded(number: float) -> float:
    """Return `number` cut to 12 significant digits, to which all math libraries agree."""
    return float(f"{number:.{_DIGITS}g}")


def fields(names: str, value: T) -> list[tuple[str, T]]:
    """Return names with the kind, or the value, that they have in common."""
    return [(name, value) for name in names.split()]


# For each field of a record the number of a holder that it comes from, and how.
Made = Mapping[str, tuple[str, Callable[[float], float]]]


def same(names: str) -> Made:
    """Return fields that are the numbers of the same names, as they are."""
    return {name: (name, float) for name in names.split()}


def made_of(holder: object, table: Made) -> dict[str, float]:
    """Return the fields of a record that come from numbers of `holder`, without those that are left out."""
    found = [(field, getattr(holder, name, None), make) for field, (name, make) in table.items()]
    return {field: make(quantity.value) for field, quantity, make in found if quantity is not None}


def records(rows: Sequence[Mapping[str, float]], kind: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """Return rows as an array of records."""
    return np.array([tuple(row[name] for name in kind.names or ()) for row in rows], dtype=kind)


# plain: nothing beside orders, leaving and spend: the short loop can be taken
# drift_rate_log: per day of later arrival
# usual: mean shock of an order when the shop changes nothing; satisfaction is counted from it
WORLD_RECORD = np.dtype(
    [
        *fields("plain seasonal experienced", np.bool_),
        *fields(
            "drift_rate_log drift_drop_log trait_rate trait_stay trait_spend trait_own memory negativity usual "
            "contact unresolved_share unresolved response_days response_spread rate_log drop_log basket_log "
            "rate_centre drop_centre basket_centre survey_order survey_ticket answer_odds extremity return_chance "
            "return_part return_days",
            np.float64,
        ),
    ],
)
INCIDENT_RECORD = np.dtype([("chance", np.float64), ("shock", np.float64), ("ticket", np.float64)])
SCALE_RECORD = np.dtype(
    [
        *fields("centre per_deviation noise low high", np.float64),
    ],
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
    for part, table in _FACTS.items():
        facts |= made_of(getattr(behaviour, part), table)
    if behaviour.experience is not None:
        facts |= _experience(behaviour.experience) | _traits(behaviour)
    return World(
        facts=records([{name: _cut(number) for name, number in facts.items()}], WORLD_RECORD),
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


def _yearly(ratio: float) -> float:
    return math.log(ratio) / 365.25


def _centre(ratio: float) -> float:
    # The fitted rates are means over customers of every satisfaction, which is standard normal between them: the mean
    # of exp(b S) is exp(b b / 2), and is taken out again.
    return -0.5 * math.log(ratio) * math.log(ratio)


# By part of a behaviour: for each fact the number that it comes from, and how.
_FACTS: Mapping[str, Made] = {
    "drift": {"drift_rate_log": ("purchase_rate", _yearly), "drift_drop_log": ("dropout", _yearly)},
    "returns": {
        "return_chance": ("chance", float),
        "return_part": ("part", float),
        "return_days": ("days", float),
    },
    "experience": {
        **same("memory negativity contact response_spread"),
        "unresolved_share": ("first_contact", lambda share: 1.0 - share),
        "response_days": ("response_hours", lambda hours: hours / 24.0),
        "rate_log": ("purchase_rate_per_deviation", math.log),
        "drop_log": ("dropout_per_deviation", math.log),
        "basket_log": ("basket_per_deviation", math.log),
        "rate_centre": ("purchase_rate_per_deviation", _centre),
        "drop_centre": ("dropout_per_deviation", _centre),
        "basket_centre": ("basket_per_deviation", _centre),
    },
    "surveys": {
        **same("extremity"),
        "survey_order": ("after_order", float),
        "survey_ticket": ("after_ticket", float),
        "answer_odds": ("response", lambda share: share / (1.0 - share) if share < 1.0 else 1e12),
    },
}


def _experience(experience: Experience) -> dict[str, float]:
    unresolved = _counted(experience.unresolved.value, experience)
    return {"experienced": True, "usual": _usual_shock(experience), "unresolved": unresolved}


def usual_tickets(experience: Experience | None) -> float:
    """Return how many tickets come with an order on average when the shop changes nothing."""
    if experience is None:
        return 0.0
    quiet = 1.0 - sum(incident.chance.value for incident in experience.incidents)
    asked = sum(incident.chance.value * incident.ticket.value for incident in experience.incidents)
    return quiet * experience.contact.value + asked


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


def _incidents(experience: Experience | None) -> npt.NDArray[np.void]:
    rows = (
        []
        if experience is None
        else [
            (rounded(row.chance.value), rounded(_counted(row.shock.value, experience)), rounded(row.ticket.value))
            for row in experience.incidents
        ]
    )
    return np.array(rows, dtype=INCIDENT_RECORD)


def _scales(surveys: Surveys | None) -> npt.NDArray[np.void]:
    if surveys is None:
        return np.zeros(len(_SCALE_ENDS), SCALE_RECORD)
    rows = [
        (*(rounded(number.value) for number in (scale.centre, scale.per_deviation, scale.noise)), *ends)
        for scale, ends in zip((surveys.nps, surveys.csat, surveys.ces), _SCALE_ENDS, strict=True)
    ]
    return np.array(rows, dtype=SCALE_RECORD)


def _cut(number: float) -> float:
    return number if isinstance(number, bool) else rounded(number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Existing customers and the number of new ones per month.

    Attributes
    ----------
    base
        Existing customers at the start, under CUSTOMERS; may be empty.
    arrivals
        New customers in each month from the first; at most as many months as the calendar has.
    calendar
        Days and months of the scenario.
    most_arrivals
        The most that arrive in each month in any arm, those whom programmes attract among them; as `arrivals` when left
        out.
    """

    base: pl.DataFrame
    arrivals: tuple[int, ...]
    calendar: Calendar
    most_arrivals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.most_arrivals:
            object.__setattr__(self, "most_arrivals", self.arrivals)
        check(self.base, CUSTOMERS)
        if self.size == 0:
            raise SimulationError("there are no customers: neither an existing base nor new ones.")

    @property
    def size(self) -> int:
        """Number of customers, existing and new, whom no programme brought."""
        return self.base.height + sum(self.arrivals)

    @property
    def cohorts(self) -> int:
        """Number of cohorts: the existing base, one for each month of arrivals, and one of referred customers."""
        return 2 + len(self.arrivals)


def empty_base() -> pl.DataFrame:
    """Return a base without customers, for a shop that only starts."""
    return empty(CUSTOMERS)


def existing_customers(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the customers of a summary of orders, as they stand when the scenario starts."""
    return rfm.select(
        origin=pl.lit("existing"),
        frequency="frequency",
        recency_days="recency_days",
        age_days="age_days",
        idle_days=pl.col("age_days") - pl.col("recency_days"),
        monetary_value="monetary_value",
    )


def reached_by(population: Population, conditions: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which customers meet which condition.

    Shape (existing customers + 1, conditions): the last row stands for every new customer. Where a condition needs a
    mean order value that a customer does not have, the customer is not reached.
    """
    base = population.base.select(list(CUSTOMERS.columns))
    newcomer = pl.DataFrame([("new", 0, 0, 0, 0, None)], schema=base.schema, orient="row")
    everyone = pl.concat([base, newcomer])
    met = np.empty((everyone.height, len(conditions)), np.bool_)
    for place, condition in enumerate(conditions):
        found = everyone.select(met=pl.sql_expr(condition))["met"]
        if len(found) == 1:
            found = found.new_from_index(0, everyone.height)
        met[:, place] = found.fill_null(value=False).to_numpy()
    return met
