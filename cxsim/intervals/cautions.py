"""How much was observed in; what a reader must know before leaning on the number out.

The one place that says when a sample is small.
"""

from __future__ import annotations

from collections.abc import Iterable

from cxsim.intervals.estimate import Estimate

# Below these, rates move by tens of percentage points from one sample to the next.
FEW_UNITS = 30
FEW_SUCCESSES = 5
NOBODY = "nobody"


def caution_for(units: int, successes: int | None = None, *, noun: str = "unit") -> str:
    """Say whether the sample is too small to lean on."""
    nouns = noun if units == 1 else f"{noun}s"
    if units == 0:
        return NOBODY
    if units < FEW_UNITS:
        return f"indicative: {units} {nouns}"
    if successes is not None and successes < FEW_SUCCESSES:
        return f"indicative: {successes} of {units} {nouns}"
    return ""


def nobody(method: str, level: float) -> Estimate:
    """Return the estimate of a sample without units: neither value nor ends."""
    return Estimate(value=None, low=None, high=None, units=0, method=method, level=level, caution=NOBODY)


def joined(cautions: Iterable[str]) -> str:
    """Return several cautions as one, each said once and empty ones left out."""
    return "; ".join(dict.fromkeys(caution for caution in cautions if caution))


def clipped(low: float, high: float, scale: tuple[float, float] | None) -> tuple[float, float, str]:
    """Cut an interval where the scale ends, and say so."""
    if scale is None:
        return low, high, ""
    cut = [f"{end:g}" for end, beyond in zip(scale, (low < scale[0], high > scale[1]), strict=True) if beyond]
    note = f"clipped at {' and '.join(cut)}" if cut else ""
    return max(low, float(scale[0])), min(high, float(scale[1])), note
