"""An estimate in; what it says in a plain sentence out."""

from __future__ import annotations

from typing import Literal

from cxsim.drivers.exposures import Exposure
from cxsim.drivers.models import Fitted
from cxsim.wording import counted

Clear = Literal["clear", "unclear"]
Label = Literal["association", "effect"]

_DONE = {
    "next order": ("a next order comes {} times as fast", "it came {} times as fast"),
    "orders": ("customers order {} times as often", "the same customers ordered {} times as often"),
    "spend": ("customers spend {} times as much", "the same customers spent {} times as much"),
}


def finding(
    exposure: Exposure,
    outcome: str,
    *,
    now: Fitted,
    before: Fitted | None,
    every_days: int,
    clear: Clear,
    label: Label,
) -> str:
    """Return what an association says, in two or three sentences."""
    after, earlier = _DONE[outcome]
    told = f"{exposure.opening}, {after.format(_number(now.ratio))} in the next {_span(every_days)} {_ends(now)}"
    if before is not None:
        told += f"; {earlier.format(_number(before.ratio))} before it {_ends(before)}"
    doubts = "" if clear == "clear" else " Among so many comparisons, chance alone could bring this."
    return f"{told}.{doubts}{_selection(now, before, label)} {_KINDS[label]}"


def _selection(now: Fitted, before: Fitted | None, label: Label) -> str:
    if before is None or label == "effect":
        return ""
    low, high = before.interval
    if low <= 1.0 <= high:
        return ""
    same_way = (before.log_ratio < 0.0) == (now.log_ratio < 0.0)
    if same_way:
        return " Those who meet it were different before it happened, so at least part of this is selection."
    return " Those who meet it were different before it happened, the other way round, so this may be too small."


_KINDS = {
    "association": "An association, not an effect.",
    "effect": "Chance decided who met it, so this is an effect.",
}


def _span(days: int) -> str:
    weeks, rest = divmod(days, 7)
    if rest:
        return f"{counted(days)} days" if days > 1 else "day"
    return f"{counted(weeks)} weeks" if weeks > 1 else "week"


def _ends(fit: Fitted) -> str:
    low, high = fit.interval
    return f"({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:,.2f}"
