"""The wording of a question and its answers go in; the instrument whose scale they are on, or a refusal, comes out.

A scale must be certain from both: a score from 1 to 10 is no NPS unless the question says so, and a question of
satisfaction may be asked on five steps or on seven. What lies outside of the scale is never clipped to it.
"""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

from cxsim.errors import DataError, choices

Instrument = Literal["nps", "csat", "csat_good", "ces", "effort"]
# Lowest and highest score of each instrument; see SURVEYS.
SCALES: dict[str, tuple[int, int]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "csat_good": (0, 1),
    "ces": (1, 7),
    "effort": (1, 5),
}
_NPS = re.compile(r"recommend|\bnps\b|nps_|_nps|net promoter|promoter score")
_CSAT = re.compile(r"\bcsat\b|csat_|_csat|satisf|^rating$|^stars$")
_EASE = re.compile(r"\bces\b|ces_|_ces|\beasy\b|\bease\b|easier")
_EFFORT = re.compile(r"effort")
# With that many answers, a scale whose upper end nobody uses is another scale; so is one that a twentieth leave.
_ENOUGH = 20
_STRAY = 0.05
_WRITE = "write the instrument in shop.yaml: nps, csat, csat_good, ces or effort"


def asks(question: str) -> bool:
    """Tell whether the name of a column, or the text of a question, says what it measures.

    >>> asks("How likely are you to recommend us to a friend?"), asks("Comment")
    (True, False)
    """
    text = question.strip().casefold()
    return any(words.search(text) for words in (_NPS, _CSAT, _EASE, _EFFORT))


def instrument_of(question: str, scores: pl.Series, file: str) -> Instrument:
    """Return the instrument by which a question was asked."""
    answered = scores.drop_nulls()
    text = question.strip().casefold()
    candidates = [name for name in _meant(text) if _fits(answered, name)]
    if len(candidates) != 1:
        raise DataError(_uncertain(question, answered, file))
    return candidates[0]


def checked_instrument(name: str, place: str) -> Instrument:
    """Return an instrument that somebody wrote down."""
    for known in ("nps", "csat", "csat_good", "ces", "effort"):
        if name == known:
            return known
    raise DataError(f"{place}: no instrument '{name}'; {choices(name, SCALES)}")


def _meant(text: str) -> tuple[Instrument, ...]:
    """Return the instruments that the words allow."""
    if _NPS.search(text):
        return ("nps",)
    if _EASE.search(text):
        # Who asks for ease on five steps may count them either way.
        return ("ces",)
    if _EFFORT.search(text):
        return ("effort",)
    if _CSAT.search(text):
        return ("csat", "csat_good")
    return ()


def _fits(answered: pl.Series, name: Instrument) -> bool:
    low, high = SCALES[name]
    inside = answered.filter(answered.is_between(low, high))
    # Words that mean NPS are certain by themselves; a few answers beside it say nothing against them.
    stray = _STRAY if answered.len() >= _ENOUGH or name != "nps" else 0.5
    if not answered.len() or answered.len() - inside.len() > stray * answered.len():
        return False
    if name == "csat_good":
        return inside.n_unique() == 2
    if name == "csat" and inside.max() == 1:
        return False
    # The upper half of a scale: 6 of 10, 4 of 5, 6 of 7. With few answers nothing can be said against it.
    upper = {"nps": 6, "csat": 4, "ces": 6, "effort": 4}[name]
    reached = inside.filter(inside >= upper).len() > 0
    # A scale of five steps is not one of seven, of which only seven or six are proof.
    return reached if name == "ces" else reached or answered.len() < _ENOUGH


def _uncertain(question: str, answered: pl.Series, file: str) -> str:
    if not answered.len():
        return f"{file}: nobody answered '{question}', so that its scale cannot be told; {_WRITE}."
    ordered = answered.sort()
    return (
        f"{file}: the scale of '{question}' is not certain from its words and its {answered.len():,} answers, which go "
        f"from {ordered[0]} to {ordered[-1]}; {_WRITE}."
    )
