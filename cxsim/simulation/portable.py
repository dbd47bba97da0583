"""A number in, the same number cut to the digits on which all math libraries agree, out."""

from __future__ import annotations

# Doubles from different math libraries agree to about 15 digits; what enters the kernel is cut to 12, so that the
# kernel starts from the same bits everywhere.
_DIGITS = 12


def rounded(number: float) -> float:
    """Return `number` cut to 12 significant digits, to which all math libraries agree."""
    return float(f"{number:.{_DIGITS}g}")
