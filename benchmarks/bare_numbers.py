"""What the bare rival gets of the full arm: plain numbers, which its compiler takes as constants."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
from scipy import special

from benchmarks.world import ALPHA_DAYS, A, B, Q, R, V, everything

_PEOPLE, _READY = everything(1_000)
_INPUTS = _READY()
_PLAN, WORLD = _INPUTS.plans[0], _INPUTS.world


def _numbers(record: Any) -> Any:
    names = record.dtype.names
    return namedtuple("Numbers", names)(*(float(record[name]) for name in names))  # noqa: PYI024 - names from the record


FACTS = _numbers(WORLD.facts[0])
WELCOME, SALES, CLUB, PAID, LETTERS, BACK, SERVICE, FRIENDS = (_numbers(reach) for reach in _PLAN.reaches)
STACKING = _PLAN.stacking
# Courses: the fading of the first programme's rate, the climb of its dropout, what a reward stirs.
_ENDS, _STRENGTHS = (np.ascontiguousarray(_PLAN.courses[name]) for name in ("ends", "strength"))
FADING_ENDS, FADING = _ENDS[0], _STRENGTHS[0]
RAMP_ENDS, RAMP = _ENDS[1], _STRENGTHS[1]
STIRRED_ENDS, STIRRED = _ENDS[4 * 2 + 3], _STRENGTHS[4 * 2 + 3]
CHANCES, SHOCKS, TICKETS = (np.array(WORLD.incidents[name]) for name in ("chance", "shock", "ticket"))
RATIOS = np.array(_PLAN.incidents[6])
SCALES = np.array([tuple(scale) for scale in WORLD.scales])
ATTRACTED_SHARE = _PEOPLE.most_arrivals[0] / _PEOPLE.arrivals[0]

# Normal scores of rates, for satisfaction that goes together with them: on a grid of the logarithm or of log odds.
_PLACES = (1e-6, 1.0 - 1e-6)
_KNOTS = 257


def _gamma_scores(shape: float, rate: float) -> np.ndarray[Any, Any]:
    first, last = (
        np.log(special.gammaincinv(shape, _PLACES))
        if shape > 1.0
        else (
            (np.log(_PLACES[0]) + special.gammaln(shape + 1.0)) / shape,
            np.log(special.gammaincinv(shape, _PLACES[1])),
        )
    )
    logs = np.linspace(first, last, _KNOTS)
    return _scores(logs - np.log(rate), special.gammainc(shape, np.exp(logs)))


def _scores(knots: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([knots, special.ndtri(np.clip(places, *_PLACES))])


RATE_SCORES, SPEND_SCORES = _gamma_scores(R, ALPHA_DAYS), _gamma_scores(Q, V)
_ODDS = np.linspace(*special.logit(special.betaincinv(A, B, _PLACES)), _KNOTS)
CHANCE_SCORES = _scores(_ODDS, special.betainc(A, B, special.expit(_ODDS)))
