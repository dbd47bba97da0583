"""How an effect comes and goes: a course in, its strength at so many days since the reach began, in steps, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit

# A ramp climbs in so many steps of equal length, a decay falls in so many steps of equal height and then a tail.
RAMP_STEPS = 8
DECAY_STEPS = 8
# The longest course: a delay, a ramp, a decay with its tail, and nothing after its end.
MAX_STEPS = 1 + RAMP_STEPS + DECAY_STEPS + 2
_TAIL_HALF_LIVES = 8.0

Steps = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """Strength of an effect over the days since the reach switched on for a customer; 1 is the full effect.

    Nothing until `delay_days`; then a straight climb over `ramp_days`; then full, or fading with `half_life_days`; and
    nothing from `lasts_days` on. A part that is left out takes no time, and without `half_life_days` nothing fades. An
    effect with ratio e and strength w multiplies by e ** w.

    Attributes
    ----------
    delay_days
        Days before anything happens. Gross profit of loyalty programmes lags by two quarters: Chaudhuri et al. (2019).
    ramp_days
        Days of the climb.
    half_life_days
        Days in which the effect halves: w = 2 ** (-t / half_life). Four months for welcome programmes: Samaha et al.
        (2019).
    lasts_days
        Days after which it is over, counted from the beginning.
    """

    delay_days: Quantity | None = None
    ramp_days: Quantity | None = None
    half_life_days: Quantity | None = None
    lasts_days: Quantity | None = None

    def __post_init__(self) -> None:
        parts = ("delay_days", "ramp_days", "half_life_days", "lasts_days")
        require_units(self, dict.fromkeys(parts, Unit.DAYS), "course")
        if all(getattr(self, part) is None for part in parts):
            raise ParamError(f"course: there is nothing in it; write one of {', '.join(parts)}, or leave it out.")
        if self.half_life_days is not None and self.half_life_days.range[0] <= 0.0:
            raise ParamError("course.half_life_days must be above 0; an effect that is gone at once is none.")
        if self.lasts_days is not None and self.delay_days is not None:
            late, over = self.delay_days.range[1], self.lasts_days.range[0]
            if late >= over:
                raise ParamError(
                    f"course: it may begin only after {late:g} days (delay_days) and be over after {over:g} "
                    "(lasts_days): nothing is left; lasts_days is counted from the beginning."
                )

    def steps(self) -> Steps:
        """Return the ends of the steps in days, the last one infinite, and the strength in each.

        Each step has the mean strength of the stretch that it stands for, so the effect's whole amount is kept.

        >>> from cxsim.quantity import assumed
        >>> Course(delay_days=assumed(30.0, Unit.DAYS), lasts_days=assumed(90.0, Unit.DAYS)).steps()
        ((30.0, 90.0, inf), (0.0, 1.0, 0.0))
        """
        ends: list[float] = []
        strengths: list[float] = []
        now = 0.0
        if self.delay_days is not None and self.delay_days.value > 0.0:
            now = self.delay_days.value
            ends.append(now)
            strengths.append(0.0)
        if self.ramp_days is not None and self.ramp_days.value > 0.0:
            for step in range(RAMP_STEPS):
                ends.append(now + self.ramp_days.value * (step + 1) / RAMP_STEPS)
                strengths.append((step + 0.5) / RAMP_STEPS)
            now = ends[-1]
        if self.half_life_days is None:
            ends.append(math.inf)
            strengths.append(1.0)
        else:
            fading, heights = decay_steps(self.half_life_days.value)
            ends += [now + end for end in fading]
            strengths += heights
        return self._cut(ends, strengths)

    def _cut(self, ends: list[float], strengths: list[float]) -> Steps:
        """Return the steps up to the end; the one that it cuts has the mean strength of what is left of it."""
        over = math.inf if self.lasts_days is None else self.lasts_days.value
        kept = [(end, strength) for end, strength in zip(ends, strengths, strict=True) if end < over]
        if math.isinf(over) or len(kept) == len(ends):
            return tuple(ends), tuple(strengths)
        begins = kept[-1][0] if kept else 0.0
        running = strengths[len(kept)]
        if over < ends[len(kept)] and over > begins and running > 0.0:
            running = (self._amount(over) - self._amount(begins)) / (over - begins)
        return (*(end for end, _ in kept), over, math.inf), (*(strength for _, strength in kept), running, 0.0)

    def _amount(self, day: float) -> float:
        """Return the strength added up to a day, in days at full strength."""
        delay, ramp, half_life = (_days(part) for part in (self.delay_days, self.ramp_days, self.half_life_days))
        climbing = min(max(day - delay, 0.0), ramp)
        going = max(day - delay - ramp, 0.0)
        if half_life > 0.0:
            whole = half_life / math.log(2.0)
            going = -whole * math.expm1(-going / whole)
        return (0.5 * climbing**2 / ramp if ramp > 0.0 else 0.0) + going


ALWAYS: Steps = ((math.inf,), (1.0,))


def steps_of(course: Course | None) -> Steps:
    """Return the steps of a course, or of an effect that is always full."""
    return ALWAYS if course is None else course.steps()


def decay_steps(half_life_days: float) -> Steps:
    """Return a decay from 1 with a half-life in steps: ends in days and mean strengths."""
    edges = [half_life_days * math.log2(DECAY_STEPS / (DECAY_STEPS - step)) for step in range(DECAY_STEPS)]
    edges.append(half_life_days * _TAIL_HALF_LIVES)
    whole = half_life_days / math.log(2.0)
    left = [whole * 2.0 ** (-edge / half_life_days) for edge in edges]
    left[-1] = 0.0  # what lies beyond the tail is counted in it
    heights = [(left[step] - left[step + 1]) / (edges[step + 1] - edges[step]) for step in range(DECAY_STEPS)]
    return (*edges[1:], math.inf), (*heights, 0.0)


def _days(part: Quantity | None) -> float:
    return 0.0 if part is None else part.value
