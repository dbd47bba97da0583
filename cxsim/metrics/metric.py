"""What a metric is: its definition, what it counts, and what to know before believing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError

Family = Literal[
    "Orders",
    "Keeping customers",
    "Value of a customer",
    "Satisfaction",
    "Support",
    "Returns",
    "Visits",
    "Winning customers",
]
Unit = Literal["share", "money", "score", "hours", "days", "ratio", "months", "count"]
Direction = Literal["higher", "lower", "neither"]
Kind = Literal[
    "share", "ratio", "mean", "score", "total", "median wait", "answered in time", "cost", "efficiency", "payback"
]

INTERVALS: dict[Kind, str] = {
    "share": "Wilson; with the effective number of customers where one counts several times",
    "ratio": "delta method over customers, Student's t",
    "mean": "Student's t over customers",
    "score": "adjusted Wald; by the delta method over customers where one customer answers several times",
    "total": "Garwood's limits of a count; compound Poisson where one customer counts several times",
    "median wait": "Kaplan-Meier with log-log limits, read at one half (Brookmeyer and Crowley)",
    "answered in time": "Kaplan-Meier with log-log limits",
    "cost": "Garwood's limits of the number of new customers",
    "efficiency": "compound Poisson over customers",
    "payback": "the ends of the intervals of cost and of margins",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric of the catalogue.

    Attributes
    ----------
    name, title
        Identifier; name for readers.
    family
        The heading under which it stands.
    definition
        What it says, in one sentence.
    numerator, denominator
        What is counted or added up, over what.
    unit
        Of the value.
    direction
        Which way is better, if either is.
    window
        Which moments belong to a period.
    scale
        Lowest and highest possible value, and where lines are drawn between.
    pitfalls
        What it does not say, and where it misleads.
    variant
        Another formula of the same name that is in use, and what is wrong with it or different.
    kind
        How the value and its interval come from the sums.
    view, over, per
        The view that holds its rows, and the columns of it that are added up: `over` above, `per` below the line.
    factor
        What the ratio of the two is multiplied by; 0.01 where cents become money.
    needs
        What a shop must have, by table or table.column.
    """

    name: str
    title: str
    family: Family
    definition: str
    numerator: str
    denominator: str
    unit: Unit
    direction: Direction
    window: str
    scale: str
    pitfalls: str
    variant: str
    kind: Kind
    view: str
    over: str
    per: str
    factor: float = 1.0
    needs: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in INTERVALS:
            raise ParamError(f"metric {self.name}: no kind '{self.kind}'; possible: {', '.join(INTERVALS)}.")

    @property
    def interval(self) -> str:
        """How its interval is made."""
        return INTERVALS[self.kind]
