"""Words of a figure's title: numbers and names go in, text that a finance reader understands comes out."""

from __future__ import annotations

import math
from collections.abc import Sequence

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
INTERVAL = f"90{NBSP}% interval"


def joined(names: Sequence[str]) -> str:
    """Return the names as a list in prose.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def money(amount: float, currency: str) -> str:
    r"""Return an amount with its currency, to three significant digits.

    >>> money(-41234.5, "USD"), money(0.0, "USD"), money(1_234_567.0, "USD")
    ('USD\xa0−41,200', 'USD\xa00', 'USD\xa01.23\xa0million')
    """
    return f"{currency}{NBSP}{number(amount)}"


def number(amount: float) -> str:
    """Return an amount to three significant digits, with thousands separators.

    >>> number(27_049.0), number(0.0314)
    ('27,000', '0.0314')
    """
    if abs(amount) >= 999_500:
        return f"{_three_digits(amount / 1e6)}{NBSP}million"
    return _three_digits(amount)


def percent(share: float) -> str:
    r"""Return a share as a percentage that never claims certainty.

    >>> percent(0.123), percent(1.0), percent(0.0)
    ('12\xa0%', 'over\xa099.5\xa0%', 'under\xa00.5\xa0%')
    """
    if share >= 0.995:
        return f"over{NBSP}99.5{NBSP}%"
    if share <= 0.005:
        return f"under{NBSP}0.5{NBSP}%"
    return f"{100 * share:.0f}{NBSP}%"


def _three_digits(amount: float) -> str:
    if amount == 0.0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(amount)))
    text = f"{round(amount, decimals):,.{max(decimals, 0)}f}"
    return text.replace("-", MINUS)
