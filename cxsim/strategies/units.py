"""Quantities whose type names their unit, for fields of strategies and behaviour; one of another unit is refused."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from cxsim.params import Quantity, Unit

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


def require_units(holder: object, kind: str) -> None:
    """Refuse a field of `holder` whose quantity has another unit than its type names; None is left alone."""
    shape: Any = type(holder)
    for name, unit in _units_of(shape).items():
        quantity: Quantity | None = getattr(holder, name)
        if quantity is not None:
            quantity.require(unit, f"{kind}.{name}")


@cache
def _units_of(shape: Any) -> dict[str, Unit]:
    # An optional field is a union of what is annotated and None.
    hints = get_type_hints(shape, include_extras=True)
    parts = [(name, part) for name, hint in hints.items() for part in (hint, *get_args(hint))]
    return {name: part.__metadata__[0] for name, part in parts if getattr(part, "__origin__", None) is Quantity}
