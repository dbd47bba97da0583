"""Words beside points: points in pixels and their words go in, places at which no words cover anything come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Sizes in pixels of the bold words of a figure.
_LETTER, _LINE = 7.2, 14.0
_POINT = 9.0
# Directions that are tried, the most readable first, and how far out.
_WAYS = ((1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1))
_STEPS = (12.0, 20.0, 30.0, 44.0)

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """A point with its words.

    Attributes
    ----------
    x, y
        In pixels from the left and from the top.
    reach
        How far its error bar reaches up and down, in pixels.
    label
        Words in one line.
    """

    x: float
    y: float
    reach: float
    label: str


def beside(
    dots: Sequence[Dot], *, width: float, height: float, lines: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the middle of the words of each dot, chosen one after the other."""
    upright, level = lines
    crossing = [(upright - 1.0, 0.0, upright + 1.0, height), (0.0, level - 1.0, width, level + 1.0)]
    taken = [*crossing, *map(_around, dots)]
    places: list[tuple[float, float]] = []
    for dot in dots:
        tried = [_box(dot, way, step) for step in _STEPS for way in _WAYS]
        least = min(tried, key=lambda box: sum(_shared(box, other) for other in taken) + _outside(box, width, height))
        taken.append(least)
        places.append(((least[0] + least[2]) / 2.0, (least[1] + least[3]) / 2.0))
    return places


def _around(dot: Dot) -> _Box:
    reach = max(dot.reach, _POINT)
    return dot.x - _POINT, dot.y - reach, dot.x + _POINT, dot.y + reach


def _box(dot: Dot, way: tuple[int, int], step: float) -> _Box:
    half, (across, down) = _LETTER * len(dot.label) / 2.0, way
    x = dot.x + across * (step + half)
    y = dot.y + down * (step + (_LINE / 2.0 if not across else 0.0))
    return x - half, y - _LINE / 2.0, x + half, y + _LINE / 2.0


def _shared(one: _Box, other: _Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0.0 and down > 0.0 else 0.0


def _outside(box: _Box, width: float, height: float) -> float:
    inside = _shared(box, (0.0, 0.0, width, height))
    return (box[2] - box[0]) * (box[3] - box[1]) - inside
