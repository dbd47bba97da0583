"""Quantities whose type names their unit, for fields of strategies and behaviour; one of another unit is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

from cxsim.display import facts_html
from cxsim.errors import ParamError
from cxsim.params import Quantity, Unit, quantities, require_together
from cxsim.wording import INTERVAL

Correlation = Annotated[Quantity, Unit.CORRELATION]
Days = Annotated[Quantity, Unit.DAYS]
Deviations = Annotated[Quantity, Unit.DEVIATIONS]
Elasticity = Annotated[Quantity, Unit.ELASTICITY]
Exponent = Annotated[Quantity, Unit.EXPONENT]
Hours = Annotated[Quantity, Unit.HOURS]
Money = Annotated[Quantity, Unit.MONEY]
MoneyPerYear = Annotated[Quantity, Unit.MONEY_PER_YEAR]
PerMonth = Annotated[Quantity, Unit.PER_MONTH]
PerYear = Annotated[Quantity, Unit.PER_YEAR]
PointCount = Annotated[Quantity, Unit.POINTS]
PointsPerMoney = Annotated[Quantity, Unit.POINTS_PER_MONEY]
Ratio = Annotated[Quantity, Unit.RATIO]
Score = Annotated[Quantity, Unit.SCORE]
Share = Annotated[Quantity, Unit.SHARE]
# With the smallest possible value.
HalfLife = Annotated[Quantity, Unit.DAYS, 1.0]
Noise = Annotated[Quantity, Unit.SCORE, 0.0]
Period = Annotated[Quantity, Unit.DAYS, 28.0]
Conversion = Annotated[Quantity, Unit.SHARE, 0.001]


class Checked:
    """Numbers that belong together: those of another unit than their types name are refused, and contradictions."""

    __slots__ = ()
    # Fields of which either all are written or none.
    together: tuple[tuple[str, ...], ...] = ()
    # Keys of earlier versions, each with what has taken its place.
    retired: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        kind = getattr(self, "kind", type(self).__name__.lower())
        require_units(self, kind)
        for names in self.together:
            require_together(self, names, kind)
        self._refuse()

    def _refuse(self) -> None:
        """Refuse numbers that contradict each other; of most kinds none do."""

    def _repr_html_(self) -> str:
        kind = getattr(self, "kind", type(self).__name__).replace("_", " ").capitalize()
        return numbers_html(getattr(self, "title", kind), {}, self)


def numbers_html(title: str, facts: Mapping[str, object], holder: object) -> str:
    """Return facts and every number of a holder for a notebook, each with its range and its evidence."""
    rows = (
        (path, f"{one.value:g}", f"{one.range[0]:g} to {one.range[1]:g}", one.unit, one.evidence)
        for path, one in quantities(holder)
    )
    return facts_html(title, facts, ("number", "value", INTERVAL, "unit", "evidence"), rows)


def value_of(quantity: Quantity | None, otherwise: float = 0.0) -> float:
    """Return the value of a number that may be left out."""
    return otherwise if quantity is None else quantity.value


def require_units(holder: object, kind: str) -> None:
    """Refuse a field of `holder` whose quantity has another unit than its type names, or is too small."""
    shape: Any = type(holder)
    for name, (unit, *least) in _units_of(shape).items():
        quantity: Quantity | None = getattr(holder, name)
        if quantity is not None:
            quantity.require(unit, f"{kind}.{name}")
            if least and quantity.range[0] < least[0]:
                raise ParamError(f"{kind}.{name} must be at least {least[0]:g}; found {quantity.range[0]:g}.")


@cache
def _units_of(shape: Any) -> dict[str, tuple[Any, ...]]:
    # An optional field is a union of what is annotated and None.
    hints = get_type_hints(shape, include_extras=True)
    parts = [(name, part) for name, hint in hints.items() for part in (hint, *get_args(hint))]
    return {name: part.__metadata__ for name, part in parts if getattr(part, "__origin__", None) is Quantity}
