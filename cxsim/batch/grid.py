"""A scenario and values for some of its numbers in; every combination of them, as changes, out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.scenario import Scenario, canonical, changed, load_scenario

# Each is a study of its own; more of them are a slip of the finger.
_MOST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One combination of a grid.

    Attributes
    ----------
    values
        The swept keys and their values as text, in the order of the grid's keys.
    changes
        The same as `canonical` writes them.
    scenario
        The scenario with these numbers.
    """

    values: tuple[tuple[str, str], ...]
    changes: str
    scenario: Scenario


def grid(given: str, over: Sequence[str]) -> tuple[Point, ...]:
    """Return all combinations of the values of several numbers; the last number changes fastest."""
    axes = [_axis(text) for text in over]
    keys = [key for key, _ in axes]
    if not axes:
        raise ParamError("a sweep needs at least one number and its values, such as economics.gross_margin=0.3,0.4.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ParamError(f"swept twice: {', '.join(twice)}; write all values of a number behind each other.")
    number = math.prod(len(values) for _, values in axes)
    if number > _MOST:
        raise ParamError(f"{number:,} combinations are too many; at most {_MOST:,} are possible.")
    scenario = load_scenario(given)
    points = []
    for chosen in itertools.product(*(values for _, values in axes)):
        changes = canonical("; ".join(chosen))
        values = tuple((key, value.partition("=")[2]) for key, value in zip(keys, chosen, strict=True))
        points.append(Point(values=values, changes=changes, scenario=changed(scenario, changes)))
    if not scenario.believed:
        raise ParamError(
            f"the effects of {scenario.name} are searched, not believed (mode: break-even), so there are no returns to "
            "sweep; use `cxsim break-even`."
        )
    return tuple(points)


def _axis(text: str) -> tuple[str, list[str]]:
    key, sign, listed = (piece.strip() for piece in text.partition("="))
    values = [value.strip() for value in listed.split(",")]
    if not (key and sign) or not all(values):
        raise ParamError(f"'{text}': it must be KEY=VALUE,VALUE,..., such as economics.gross_margin=0.3,0.4.")
    spelt = [canonical(f"{key}={value}") for value in values]
    if len(set(spelt)) < len(spelt):
        raise ParamError(f"'{text}': a value is named twice; name each once.")
    return key, spelt
