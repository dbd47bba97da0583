"""Programmes in, records out: what the compiled kernel reads instead of effects."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cxsim.effects import Basket, Coupon, Dropout, Effect, Markdown, Points, Programme, PurchaseRate, Reach
from cxsim.errors import SimulationError
from cxsim.simulation.calendar import Calendar
from cxsim.tallies import width
from cxsim.units import CENTS

MAX_REACHES = 16
# Doubles from different math libraries agree to about 15 digits; what enters the kernel is cut to 12, so that the
# kernel starts from the same bits everywhere.
_DIGITS = 12


# One arm for the kernel, one record per reach; times are days of the scenario. A later mechanism adds its fields here
# and its branch in the kernel; nothing else changes. (A record array and not one array per field, because handing
# seventeen arrays from function to function costs the kernel ten times its own work.)
REACH_RECORD = np.dtype(
    [
        ("uptake", np.float64),
        ("ramp_days", np.float64),
        ("from_day", np.float64),
        ("until_day", np.float64),
        ("idle_days", np.float64),  # negative: does not wait for an idle spell
        ("for_days", np.float64),
        ("rate_ratio", np.float64),
        ("dropout_ratio", np.float64),
        ("basket_ratio", np.float64),
        ("depth", np.float64),
        ("face_cents", np.float64),
        ("redemption", np.float64),
        ("points_per_cent", np.float64),
        ("points_threshold", np.int64),  # 0: gives no points
        ("reward_cents", np.int64),
        ("points_redemption", np.float64),
        ("points_expiry_days", np.float64),
    ]
)
Plan = npt.NDArray[np.void]


def compile_plan(programmes: Sequence[Programme], calendar: Calendar) -> Plan:
    """Return the records of one arm, shape (programmes,); none for an empty list, which is the baseline.

    Parameters
    ----------
    programmes
        What runs in this arm; at most 16.
    calendar
        Months of the scenario.

    Raises
    ------
    SimulationError
        For more than 16 programmes, a start after the horizon, or two price effects in one programme.
    """
    if len(programmes) > MAX_REACHES:
        raise SimulationError(f"an arm has {len(programmes)} programmes; at most {MAX_REACHES} are possible.")
    rows = [_row(programme, calendar) for programme in programmes]
    return np.array([tuple(row[name] for name in REACH_RECORD.names or ()) for row in rows], dtype=REACH_RECORD)


def tallies_of(plan: Plan) -> int:
    """Return how many tallies an arm with this plan has.

    Parameters
    ----------
    plan
        From `compile_plan`.
    """
    return width(len(plan))


def rounded(number: float) -> float:
    """Return `number` cut to 12 significant digits, to which all math libraries agree.

    Parameters
    ----------
    number
        Any finite number.

    Examples
    --------
    >>> rounded(0.1 + 0.2)
    0.3
    """
    return float(f"{number:.{_DIGITS}g}")


_NEUTRAL: dict[str, float] = {
    "rate_ratio": 1.0,
    "dropout_ratio": 1.0,
    "basket_ratio": 1.0,
    "depth": 0.0,
    "face_cents": 0.0,
    "redemption": 0.0,
    "points_per_cent": 0.0,
    "points_threshold": 0.0,
    "reward_cents": 0.0,
    "points_redemption": 0.0,
    "points_expiry_days": math.inf,
}


def _row(programme: Programme, calendar: Calendar) -> dict[str, float]:
    priced = [effect.kind for effect in programme.effects if isinstance(effect, Markdown | Coupon)]
    pointed = [effect.kind for effect in programme.effects if isinstance(effect, Points)]
    if len(priced) > 1 or len(pointed) > 1:
        raise SimulationError(
            f"one programme has the effects {priced + pointed}; at most one price effect and one of points are "
            "possible in a programme; use two strategies instead."
        )
    row = _reach_row(programme.reach, calendar) | _NEUTRAL
    for effect in programme.effects:
        for name, number in _effect_row(effect).items():
            row[name] = row[name] * number if name.endswith("_ratio") else number
    return {name: rounded(number) for name, number in row.items()}


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
        "idle_days": -1.0 if reach.after_idle_days is None else reach.after_idle_days.value,
        "for_days": math.inf if reach.for_days is None else reach.for_days.value,
    }


def _effect_row(effect: Effect) -> dict[str, float]:
    match effect:
        case PurchaseRate():
            return {"rate_ratio": effect.ratio.value}
        case Dropout():
            return {"dropout_ratio": effect.ratio.value}
        case Basket():
            return {"basket_ratio": effect.ratio.value}
        case Markdown():
            price = 1.0 - effect.depth.value * effect.redemption.value
            return {
                "rate_ratio": price**effect.elasticity.value,
                "depth": effect.depth.value,
                "redemption": effect.redemption.value,
            }
        case Coupon():
            return {"face_cents": round(effect.face_value.value * CENTS), "redemption": effect.redemption.value}
        case Points():
            return {
                "points_per_cent": effect.earn.value / CENTS,
                "points_threshold": round(effect.threshold.value),
                "reward_cents": round(effect.reward.value * CENTS),
                "points_redemption": effect.redemption.value,
                "points_expiry_days": effect.expiry_days.value,
            }
