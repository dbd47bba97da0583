"""A number with its unit, range, evidence and source; and walks over everything that holds such numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from cxsim.errors import ParamError, choices
from cxsim.units import BOUNDS, Scale, Unit

T = TypeVar("T")
Evidence = Literal["measured", "published", "assumed"]
# The range of a quantity is read as its 5 % and 95 % quantiles; this is the standard normal's 95 % quantile.
Z95 = 1.6448536269514722


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """One sourced number of a strategy or of a shop's economics.

    Attributes
    ----------
    description
        What the number means, in words a reader outside the trade understands.
    unit
        One of the closed vocabulary of `cxsim.units.Unit`.
    value
        The central value: the median of what is believed.
    range
        Low and high: the 5 % and the 95 % quantile of what is believed; low <= value <= high.
    evidence
        `measured` in this shop, `published` elsewhere, or `assumed`.
    source
        Identifier in params/sources.yaml; required unless `assumed`.
    """

    description: str
    unit: Unit
    value: float
    range: tuple[float, float]
    evidence: Evidence
    source: str | None = None

    def __post_init__(self) -> None:
        for name, given, possible in (("unit", self.unit, list(Unit)), ("evidence", self.evidence, get_args(Evidence))):
            if given not in possible:
                raise ParamError(f"{name}: no '{given}'; {choices(str(given), possible)}")
        low, high = self.range
        bounds = BOUNDS[self.unit]
        numbers = (low, self.value, high)
        if not all(math.isfinite(number) for number in numbers):
            raise ParamError(f"value and range must be finite numbers; found {numbers}.")
        if not low <= self.value <= high:
            raise ParamError(f"value {self.value:g} is outside its range [{low:g}, {high:g}].")
        if low < bounds.low or high > bounds.high:
            raise ParamError(
                f"range [{low:g}, {high:g}] is outside what the unit '{self.unit}' allows: "
                f"{bounds.low:g} to {bounds.high:g}."
            )
        if low < high and not _inside(low, high, bounds.scale):
            raise ParamError(
                f"range [{low:g}, {high:g}] touches the edge of the unit '{self.unit}', where no spread can be "
                f"drawn; move the ends inside {bounds.low:g} to {bounds.high:g}, or make the range a single value."
            )
        if self.evidence != "assumed" and not self.source:
            raise ParamError(f"evidence '{self.evidence}' needs a source; write one, or say evidence: assumed.")

    def quantile(self, z: float) -> float:
        """Return the value at standard normal score `z`: median at 0, the range's ends at -1.645 and 1.645.

        Two half normals on the unit's scale (log, logit or linear), which meet at the median, so that an
        asymmetric range is kept as it is written.

        >>> ratio = assumed(1.1, Unit.RATIO, range=(1.0, 1.3))
        >>> [round(ratio.quantile(z), 4) for z in (-Z95, 0.0, Z95)]
        [1.0, 1.1, 1.3]
        """
        end = self.range[0] if z < 0.0 else self.range[1]
        if end == self.value:
            return self.value
        bounds = BOUNDS[self.unit]
        forward, back = _SCALES[bounds.scale]
        middle = forward(self.value)
        drawn = back(middle + abs(z) / Z95 * (forward(end) - middle))
        return min(max(drawn, bounds.low), bounds.high)

    def require(self, unit: Unit, name: str) -> None:
        """Refuse another unit than `unit`; `name` says in the message which number it is."""
        if self.unit != unit:
            raise ParamError(f"{name}: wrong unit '{self.unit}'; it must be '{unit}'.")

    def at(self, value: float) -> Quantity:
        """Return the same quantity, known to be `value`."""
        return dataclasses.replace(self, value=value, range=(value, value))


def require_units(holder: object, units: Mapping[str, Unit], kind: str) -> None:
    """Refuse a field of `holder` whose quantity has another unit than `units` says; None is left alone."""
    for name, unit in units.items():
        quantity: Quantity | None = getattr(holder, name)
        if quantity is not None:
            quantity.require(unit, f"{kind}.{name}")


def require_together(holder: object, names: Sequence[str], kind: str) -> None:
    """Refuse a `holder` that has some of the fields `names` and lacks others."""
    given = [name for name in names if getattr(holder, name) is not None]
    if given and len(given) < len(names):
        absent = [name for name in names if name not in given]
        raise ParamError(
            f"{kind}: {', '.join(names)} belong together; {', '.join(absent)} missing; write all of them or none."
        )


def quantities(holder: Any, path: str = "") -> Iterator[tuple[str, Quantity]]:
    """Yield every quantity inside dataclasses and tuples, with its path, in the order of the fields."""
    for step, child in _children(holder):
        name = f"{path}.{step}" if path else step
        if isinstance(child, Quantity):
            yield name, child
        else:
            yield from quantities(child, name)


def with_values(holder: T, values: Mapping[str, float], path: str = "") -> T:
    """Return `holder` with each quantity whose path is in `values` fixed at that value."""
    fixed = {name: quantity.at(values[name]) for name, quantity in quantities(holder, path) if name in values}
    return with_quantities(holder, fixed, path)


def with_quantities(holder: T, others: Mapping[str, Quantity], path: str = "") -> T:
    """Return `holder` with another quantity at each path that is in `others`."""
    if isinstance(holder, tuple):
        return type(holder)(_replaced(child, others, path, step) for step, child in _children(holder))
    changed = {step: _replaced(child, others, path, step) for step, child in _children(holder)}
    return dataclasses.replace(holder, **changed) if changed else holder  # type: ignore[type-var]


def _replaced(child: Any, others: Mapping[str, Quantity], path: str, step: str) -> Any:
    name = f"{path}.{step}" if path else step
    if isinstance(child, Quantity):
        return others.get(name, child)
    return with_quantities(child, others, name)


def _children(holder: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts that can hold quantities; a tuple's parts are named by their `kind` and place."""
    if isinstance(holder, tuple):
        for place, child in enumerate(holder):
            yield f"{getattr(child, 'kind', 'item')}_{place + 1}", child
    elif dataclasses.is_dataclass(holder) and not isinstance(holder, type):
        for field in dataclasses.fields(holder):
            child = getattr(holder, field.name)
            if isinstance(child, tuple) or dataclasses.is_dataclass(child):
                yield field.name, child


def _inside(low: float, high: float, scale: Scale) -> bool:
    """Whether a range has no end at an edge that lies infinitely far away on the scale."""
    return scale == "linear" or (low > 0.0 and (scale == "log" or high < 1.0))


def _exp(number: float) -> float:
    # 700 is far beyond every unit's bounds, and just inside what a float can hold.
    return math.exp(min(number, 700.0))


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)


def _share(logit: float) -> float:
    return 1.0 / (1.0 + _exp(-logit))


def _same(number: float) -> float:
    return number


_SCALES: dict[Scale, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "log": (math.log, _exp),
    "logit": (_logit, _share),
    "linear": (_same, _same),
}
