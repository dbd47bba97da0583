"""Named groups of customers: a name or a condition in, a condition over CUSTOMERS out."""

from __future__ import annotations

from cxsim.errors import ParamError, choices

SEGMENTS: dict[str, str] = {
    "everyone": "true",
    "existing": "origin = 'existing'",
    "new": "origin = 'new'",
    "one_time_buyers": "origin = 'existing' AND frequency = 0",
    "repeat_buyers": "frequency >= 1",
}


def condition(who: str) -> str:
    """Return the condition of a named segment, or `who` itself where it is a condition already.

    Raises
    ------
    ParamError
        For a single word that names no segment.

    Examples
    --------
    >>> condition("repeat_buyers")
    'frequency >= 1'
    >>> condition("idle_days > 90")
    'idle_days > 90'
    """
    if who in SEGMENTS:
        return SEGMENTS[who]
    if who.isidentifier():
        raise ParamError(f"who: no segment '{who}'; {choices(who, SEGMENTS)} A condition such as 'frequency >= 2' is possible too.")
    return who
