"""Named groups of customers: a name or a condition in, a condition over CUSTOMERS out."""

from __future__ import annotations

from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from cxsim.errors import ParamError, choices
from cxsim.tables import CUSTOMERS

SEGMENTS: dict[str, str] = {
    "everyone": "true",
    "existing": "origin = 'existing'",
    "new": "origin = 'new'",
    "one_time_buyers": "origin = 'existing' AND frequency = 0",
    "repeat_buyers": "frequency >= 1",
}


# A strategy is made anew in every draw; its condition is judged once.
@cache
def condition(who: str) -> str:
    """Return the condition of a named segment, or `who` itself where it is a condition already."""
    if who in SEGMENTS:
        return SEGMENTS[who]
    if who.isidentifier() and who != "true":
        raise ParamError(
            f"who: no segment '{who}'; {choices(who, SEGMENTS)} A condition such as 'frequency >= 2' is possible too."
        )
    if ";" in who:
        # Some versions of polars read up to it and leave out the rest without a word.
        raise ParamError(f"who: '{who}' is no condition over customers: it has a semicolon; write one condition.")
    nobody = pl.DataFrame(schema={name: kinds[0] for name, kinds in CUSTOMERS.columns.items()})
    try:
        kind = nobody.select(met=pl.sql_expr(who)).schema["met"]
    except PolarsError as cause:
        reason = str(cause).partition("; valid columns")[0].partition("\n")[0]
        raise ParamError(
            f"who: '{who}' is no condition over customers ({reason}); possible columns: {', '.join(CUSTOMERS.columns)}."
        ) from cause
    if kind != pl.Boolean:
        raise ParamError(f"who: '{who}' gives {kind}, not true or false; write a condition such as 'frequency >= 2'.")
    return who
