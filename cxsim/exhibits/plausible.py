"""How far a value lies from what is believed most, as a normal score, in; how plausible it is, in words, out."""

from __future__ import annotations

import math

from cxsim.wording import percent

# The ends of a 90 % range, and of the 98 % range within which break-evens are searched.
_WITHIN, _EDGE = 1.6448536269514722, 2.3263478740408408


def plausible(score: float | None) -> str:
    r"""Return how plausible a value is, with the chance that the truth lies there or farther out."""
    if score is None:
        return "nowhere within what is believed"
    chance = percent(0.5 * math.erfc(abs(score) / math.sqrt(2.0)))
    if abs(score) <= _WITHIN:
        return f"within what is believed ({chance} chance)"
    where = "at the edge of what is believed" if abs(score) <= _EDGE else "beyond what is believed"
    return f"{where} ({chance} chance)"
