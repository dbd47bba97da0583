"""Programmes in, records out: what the compiled kernel reads instead of effects."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.behaviour import MAX_INCIDENTS
from cxsim.effects import (
    ALWAYS,
    MAX_STEPS,
    Acquisition,
    Course,
    Points,
    Programme,
    Reach,
    decay_steps,
    refuse_contradictions,
    steps_of,
)
from cxsim.errors import ParamError, SimulationError
from cxsim.simulation.calendar import Calendar
from cxsim.simulation.plan_rows import COURSED, NEUTRAL, effect_row, incident_ratios
from cxsim.simulation.portable import rounded
from cxsim.tallies import width

MAX_REACHES = 16
_NO_ORDER = 1 << 40

# One arm for the kernel, one record per reach; times are days of the scenario. A later mechanism adds its fields in
# plan_rows and its branch in the kernel; nothing else changes. (A record array and not one array per field, because
# handing dozens of arrays from function to function costs the kernel ten times its own work.)
REACH_RECORD = np.dtype(
    [
        ("luck", np.uint64),
        ("uptake", np.float64),
        ("ramp_days", np.float64),
        ("from_day", np.float64),
        ("until_day", np.float64),
        ("from_order", np.int64),
        ("until_order", np.int64),
        ("idle_days", np.float64),  # negative: does not wait for an idle spell
        ("every_days", np.float64),  # negative: does not come again
        ("for_days", np.float64),
        *((name, np.int64 if name in {"points_threshold", "reward_cents"} else np.float64) for name in NEUTRAL),
    ]
)
# A step of a course: the day since its beginning on which it ends, and the strength until then.
STEP_RECORD = np.dtype([("ends", np.float64), ("strength", np.float64)])


class Plan(NamedTuple):
    """One arm as arrays.

    reaches (programmes,); courses (programmes * 4, steps): of purchase rate, dropout and basket, and what a reward
    stirs, each row padded with steps that end never; incidents (programmes, 6): ratio on each incident's chance;
    stacking: share that counts of all but the strongest of several gains.
    """

    reaches: npt.NDArray[np.void]
    courses: npt.NDArray[np.void]
    incidents: npt.NDArray[np.float64]
    stacking: float


def compile_plan(
    programmes: Sequence[Programme], calendar: Calendar, *, incidents: Sequence[str] = (), stacking: float = 1.0
) -> Plan:
    """Return the records of one arm; no reaches for an empty list, which is the baseline."""
    if len(programmes) > MAX_REACHES:
        raise SimulationError(f"an arm has {len(programmes)} programmes; at most {MAX_REACHES} are possible.")
    if not 0.0 <= stacking <= 1.0:
        raise SimulationError(f"stacking must be a share from 0 to 1; found {stacking:g}.")
    rows = [_row(programme, calendar) for programme in programmes]
    steps = [course for programme in programmes for course in _courses(programme)]
    courses = np.zeros((len(steps), MAX_STEPS), STEP_RECORD)
    courses["ends"] = np.inf
    for place, (ends, strengths) in enumerate(steps):
        courses["ends"][place, : len(ends)] = [rounded(end) for end in ends]
        courses["strength"][place, : len(strengths)] = [rounded(strength) for strength in strengths]
    return Plan(
        reaches=np.array([tuple(row[name] for name in REACH_RECORD.names or ()) for row in rows], dtype=REACH_RECORD),
        courses=courses,
        incidents=np.array([incident_ratios(one, incidents) for one in programmes]).reshape(
            len(programmes), MAX_INCIDENTS
        ),
        stacking=rounded(stacking),
    )


def tallies_of(plan: Plan) -> int:
    """Return how many tallies an arm with this plan has."""
    return width(len(plan.reaches))


def arrivals_of(
    programmes: Sequence[Programme], arrivals: Sequence[int], calendar: Calendar, *, stacking: float = 1.0
) -> tuple[int, ...]:
    """Return how many customers arrive in each month of an arm."""
    counts = []
    for month, number in enumerate(arrivals):
        logs = [math.log(_conversion(programme, month, calendar)) for programme in programmes]
        gains = [log for log in logs if log > 0.0]
        most = max(gains, default=0.0)
        total = most + stacking * (sum(gains) - most) + sum(log for log in logs if log < 0.0)
        counts.append(round(number * math.exp(rounded(total))))
    return tuple(counts)


def _conversion(programme: Programme, month: int, calendar: Calendar) -> float:
    """Return the ratio on arrivals in a month: the uptake is reached, more and more in the ramp."""
    reach, ratio = programme.reach, 1.0
    until = calendar.months if reach.until_month is None else reach.until_month
    for effect in programme.effects:
        if isinstance(effect, Acquisition) and reach.from_month <= month < until:
            middle = 0.5 * float(calendar.month_starts[month] + calendar.month_starts[month + 1])
            since, ramp = middle - float(calendar.month_starts[reach.from_month]), reach.ramp_days.value
            begun = 1.0 if ramp <= 0.0 else min(since / ramp, 1.0)
            ratio *= 1.0 + (effect.ratio.value - 1.0) * reach.uptake.value * begun
    return ratio


def _row(programme: Programme, calendar: Calendar) -> dict[str, float]:
    _refuse_contradictions(programme)
    row = _reach_row(programme.reach, calendar) | NEUTRAL
    for effect in programme.effects:
        row |= effect_row(effect)
    whole = {"luck": _luck(programme.name), "from_order": row["from_order"], "until_order": row["until_order"]}
    return {name: rounded(number) for name, number in row.items()} | whole


def _refuse_contradictions(programme: Programme) -> None:
    """Refuse what would be played in part only: of two effects of one kind, a record can hold one."""
    reach = programme.reach
    waits = next((name for name in ("after_idle_days", "every_days") if getattr(reach, name) is not None), None)
    try:
        refuse_contradictions(programme.effects, waits=waits)
    except ParamError as cause:
        raise SimulationError(f"programme '{programme.name}': {cause}") from cause


def _luck(name: str) -> int:
    """Return the number of a programme in a customer's luck; Python's own hash() differs from run to run."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _reach_row(reach: Reach, calendar: Calendar) -> dict[str, float]:
    if reach.from_month >= calendar.months:
        raise SimulationError(
            f"from_month is {reach.from_month}, but the horizon ends after {calendar.months} months; "
            f"possible: 0 to {calendar.months - 1}."
        )
    until = calendar.months if reach.until_month is None else min(reach.until_month, calendar.months)
    return {
        "uptake": reach.uptake.value,
        "ramp_days": reach.ramp_days.value,
        "from_day": float(calendar.month_starts[reach.from_month]),
        "until_day": float(calendar.month_starts[until]),
        "from_order": 0 if reach.from_order is None else reach.from_order,
        "until_order": _NO_ORDER if reach.until_order is None else reach.until_order,
        "idle_days": -1.0 if reach.after_idle_days is None else reach.after_idle_days.value,
        "every_days": -1.0 if reach.every_days is None else reach.every_days.value,
        "for_days": math.inf if reach.for_days is None else reach.for_days.value,
    }


def _courses(programme: Programme) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    courses: dict[str, Course | None] = dict.fromkeys(COURSED)
    stirred = ALWAYS
    for effect in programme.effects:
        if effect.kind in COURSED:
            courses[effect.kind] = getattr(effect, "course", None)
        if isinstance(effect, Points) and effect.rewarded is not None and effect.rewarded_half_life_days is not None:
            ends, heights = decay_steps(effect.rewarded_half_life_days.value)
            stirred = ends, tuple(math.log1p(effect.rewarded.value * height) for height in heights)
    return [*(steps_of(course) for course in courses.values()), stirred]
