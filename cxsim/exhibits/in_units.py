"""Numbers of assumptions with their units in; the same as they are written on a bill or in a plan, out."""

from __future__ import annotations

import math

from cxsim.number_style import minor_digits, priced, turned
from cxsim.units import Unit
from cxsim.wording import MINUS, NBSP

_WHOLE = 1_000.0
_SHARES = (Unit.SHARE, Unit.SHARE_PER_YEAR)
# Units that say nothing beside a number in running text: what it compares is told by its description.
_BARE = (Unit.RATIO, Unit.ELASTICITY, Unit.CORRELATION, Unit.EXPONENT, Unit.SCORE)


def as_written(value: float, unit: str, *, currency: str = "") -> str:
    r"""Return a number as it was put in, to four significant digits, without its unit; a share as a percentage."""
    if unit in _SHARES:
        text = f"{100 * value:.4g}{NBSP}%"
    else:
        whole = f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"
        text = _amount(value, minor_digits(currency)) if unit.startswith("money") else whole
    return turned(text.replace("-", MINUS))


def in_unit(value: float, unit: str, currency: str) -> str:
    r"""Return a number with its unit, for running text."""
    written = as_written(value, unit, currency=currency)
    if unit in _SHARES:
        return f"{written}{unit.removeprefix('share')}"
    if unit.startswith("money"):
        return f"{priced(written, currency)}{unit.removeprefix('money')}"
    if unit in _BARE:
        return written
    return f"{written}{NBSP}{unit.replace('unit of money', currency)}"


def span(low: float, high: float, unit: str, *, currency: str = "") -> str:
    r"""Return two ends as a range without its unit, but for the sign of a percentage."""
    first, last = (as_written(end, unit, currency=currency) for end in (low, high))
    return f"{first.removesuffix(f'{NBSP}%')} to {last}"


def found(value: float) -> float:
    """Return what a search found, to the three significant digits that it can claim."""
    return 0.0 if value == 0.0 else round(value, 2 - math.floor(math.log10(abs(value))))


def first_sentence(description: str) -> str:
    """Return what a number means, without what its file says further on."""
    return description.split(". ", maxsplit=1)[0].removesuffix(".")


def lowered(words: str) -> str:
    """Return words that go on a sentence: a small first letter, but where the first word is a name of capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _amount(value: float, digits: int) -> str:
    """Return money as it is written on a bill: whole, or with cents, or with what is finer than a cent."""
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{digits}f}" if round(value, digits) == value else f"{value:.4g}"
