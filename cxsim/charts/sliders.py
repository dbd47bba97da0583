"""A number and the values it may take go in, a slider for it and how its value is written come out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

_FIRST_CLAUSE = re.compile(r"[;:] |\. |\.$")
# A share is moved by half a percentage point.
SHARE_STEP = 0.005
# So many steps lie between two nodes of a grid.
_BETWEEN = 10
# Significant digits that keep the ends and steps of a slider free of the noise of binary fractions.
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Slider:
    """A number that a reader moves.

    Attributes
    ----------
    name
        Of the parameter in the chart's expressions.
    label
        What the number means.
    value
        Where it starts.
    low, high
        Its ends.
    step
        By how much one press of an arrow key moves it; `value` is reached from `low` in whole steps.
    unit
        What its value is written with; "%" is a share, written times 100.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    step: float
    unit: str

    @property
    def parameter(self) -> alt.Parameter:
        """The chart's parameter, bound to a plain range input."""
        bind = alt.binding_range(min=self.low, max=self.high, step=self.step, name=self.label)
        return alt.param(name=self.name, value=self.value, bind=bind)

    @property
    def writing(self) -> dict[str, object]:
        """How a page writes its value: times `scale`, to `decimals`, with `unit`."""
        scale = 100 if self.unit.startswith("%") else 1
        # The noise of binary fractions must not cost a decimal.
        decimals = max(0, math.ceil(-math.log10(scale * self.step) - 1e-9))
        return {"scale": scale, "decimals": decimals, "unit": self.unit}


def within(name: str, label: str, unit: str, *, value: float, ends: tuple[float, float], step: float) -> Slider:
    """Return a slider whose ends are as many whole steps from its start as fit."""
    low, high = (value + step * math.trunc((end - value) / step + math.copysign(1e-9, end - value)) for end in ends)
    return Slider(
        name=name, label=label, value=_clean(value), low=_clean(low), high=_clean(high), step=_clean(step), unit=unit
    )


def over_nodes(name: str, label: str, unit: str, *, value: float, nodes: Sequence[float]) -> Slider:
    """Return a slider that goes from the first to the last of evenly spaced values and stops at each of them."""
    step = (nodes[-1] - nodes[0]) / (len(nodes) - 1) / _BETWEEN
    return within(name, label, unit, value=value, ends=(nodes[0], nodes[-1]), step=step)


def in_short(description: str) -> str:
    """Return what a number means without what is said of it.

    >>> in_short("Chance of leaving, against before; searched, not believed. The interval says where to look.")
    'Chance of leaving, against before'
    """
    return _FIRST_CLAUSE.split(description, maxsplit=1)[0]


def unit_in_words(unit: str, currency: str) -> str:
    """Return what a value is written with.

    >>> unit_in_words("share per year", "USD"), unit_in_words("ratio", "USD"), unit_in_words("money per order", "USD")
    ('% per year', 'times', 'USD per order')
    """
    if unit.startswith("share"):
        return unit.replace("share", "%", 1)
    if unit.startswith("money"):
        return unit.replace("money", currency, 1)
    return "times" if unit == "ratio" else unit


def _clean(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
