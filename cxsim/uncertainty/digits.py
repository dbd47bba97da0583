"""A number in, the same number cut to the digits that no machine's linear algebra changes, out."""

from __future__ import annotations

# Sums inside matrix products come in another order with another number of threads, which moves the last of 16 digits,
# and a fit of many steps some more; nine are far more than any error leaves.
_DIGITS = 9


def steady(number: float) -> float:
    """Return a number cut to nine significant digits."""
    return float(f"{number:.{_DIGITS}g}")
