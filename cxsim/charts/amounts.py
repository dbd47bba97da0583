"""Numbers as a figure prints them: amounts in few characters, and values of assumptions in their unit, told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from cxsim.number_style import minor_digits, priced, turned
from cxsim.units import Unit
from cxsim.wording import MINUS, NBSP

_SCALES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
# Units that a printed number carries; a number in any other unit stands bare, and what it counts stands beside it.
_SUFFIXES = {
    Unit.SHARE: f"{NBSP}%",
    Unit.SHARE_PER_YEAR: f"{NBSP}% a year",
    Unit.DAYS: f"{NBSP}days",
    Unit.HOURS: f"{NBSP}hours",
    Unit.PER_YEAR: f"{NBSP}a year",
    Unit.PER_MONTH: f"{NBSP}a month",
    Unit.POINTS: f"{NBSP}points",
}
_PERCENT = (Unit.SHARE, Unit.SHARE_PER_YEAR)
_SEPARATORS = (". ", "; ", ": ", ", ")


def short(amount: float) -> str:
    """Return an amount in at most five characters and its sign, to two or three significant digits.

    >>> short(12_340.0), short(-3_210.0), short(1_250_000.0), short(-0.2), short(87.3)
    ('12k', '−3.2k', '1.2M', '0', '87')
    """
    size = abs(amount)
    # The next scale begins where rounding would reach it: 999.6 is 1k.
    divisor, letter = next(((d, letter) for d, letter in _SCALES if size >= 0.9995 * d), (1.0, ""))
    scaled = size / divisor
    decimals = 1 if letter and scaled < 9.95 else 0
    text = turned(f"{scaled:.{decimals}f}".removesuffix(".0"))
    return f"{MINUS if amount < 0.0 and text != '0' else ''}{text}{letter}"


def told_apart(values: Sequence[float], unit: str, currency: str) -> list[str]:
    r"""Return values of one assumption with as many decimals as it takes to tell the nearest two clearly apart."""
    scale = 100.0 if unit in _PERCENT else 1.0
    scaled = sorted({scale * value for value in values})
    gap = min((b - a for a, b in itertools.pairwise(scaled)), default=abs(scaled[0]))
    decimals = _decimals(gap, max(abs(scaled[0]), abs(scaled[-1])))
    while decimals > 0 and all(round(value, decimals) == round(value, decimals - 1) for value in scaled):
        decimals -= 1
    return [_written(scale * value, decimals, unit, currency) for value in values]


def in_brief(text: str, characters: int) -> str:
    """Return as many whole clauses of a description as fit; of a clause that is too long by itself, its first words.

    >>> in_brief("Order rate, against before; searched, not believed.", 30)
    'Order rate, against before'
    """
    whole = text.strip().removesuffix(".")
    if len(whole) <= characters:
        return whole
    ends = [place for sign in _SEPARATORS for place in _places(whole, sign) if place <= characters]
    if ends:
        return whole[: max(ends)]
    return f"{whole[:characters].rsplit(' ', 1)[0]}…"


def _decimals(gap: float, largest: float) -> int:
    """Return decimals that make the gap four units of the last digit, and leave three digits of the largest."""
    if gap <= 0.0:
        return 0
    whole = min(0, 2 - math.floor(math.log10(largest)))
    return max(math.ceil(math.log10(4.0 / gap)), whole)


def _written(value: float, decimals: int, unit: str, currency: str) -> str:
    money = unit.startswith("money")
    # A bill that has decimals at all has all those of its currency.
    if money and 0 < decimals < minor_digits(currency):
        decimals = minor_digits(currency)
    figure = turned(f"{round(value, decimals) + 0.0:,.{max(decimals, 0)}f}".replace("-", MINUS))
    if money:
        return priced(figure, currency)
    return f"{figure}{_SUFFIXES.get(Unit(unit), '')}"


def _places(text: str, sign: str) -> list[int]:
    return [place for place in range(len(text)) if text.startswith(sign, place)]
