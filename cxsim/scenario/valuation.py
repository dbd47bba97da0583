"""The full input of an appraisal of customers: a file under params/valuations in, one frozen object out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from cxsim.errors import ParamError
from cxsim.params import locate, read
from cxsim.quantity import Quantity
from cxsim.scenario.written import Columns
from cxsim.units import Unit

PurchaseModel = Literal["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]
_UNITS = {"annual_discount_rate": Unit.SHARE_PER_YEAR, "margin": Unit.SHARE}
# Wide enough for every shop, and narrow enough for a slip of the finger not to fill the memory.
_LIMITS = {"horizon_days": (1, 36_525), "draws": (20, 10_000), "seed": (0, 2**63 - 1)}
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


@dataclass(frozen=True, kw_only=True, slots=True)
class Valuation:
    """Everything that determines what a shop's customers are said to be worth.

    Attributes
    ----------
    name, title, description
        Name of the file; name and question for readers.
    orders
        `cdnow`, `cdnow-sample`, or the path of a CSV or Parquet file, relative to the project.
    columns
        What that file calls our columns.
    currency
        Code of the currency, three capitals.
    observed_until
        Last day of observation; customers are valued at its end.
    calibration_end
        Last day of the orders that the models are fitted to when they are put to the test on what came after.
    models
        Models of orders and leaving that are compared, at least one.
    horizon_days
        Days over which customers are valued, 1 to 36,525.
    annual_discount_rate
        Time value of money, effective per year. The shop's own choice, so its range is a single value.
    margin
        Share of what customers pay that is left after the costs of their orders.
    draws
        Draws of parameters and luck, 20 to 10,000.
    seed
        Seed of all luck, 0 to 2**63 - 1.

    Raises
    ------
    ParamError
        For days, numbers or units that are not possible, or models that are not apart.
    """

    name: str
    title: str
    description: str
    orders: str
    currency: str
    observed_until: date
    calibration_end: date
    horizon_days: int
    annual_discount_rate: Quantity
    margin: Quantity
    seed: int
    models: tuple[PurchaseModel, ...] = ("bgnbd", "mbgnbd", "paretonbd")
    columns: Columns = field(default_factory=Columns)
    draws: int = 400

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ParamError(f"currency must be a code of three capitals, such as USD; found '{self.currency}'.")
        for name, (least, most) in _LIMITS.items():
            number = getattr(self, name)
            if not least <= number <= most:
                raise ParamError(f"{name} must be {least:,} to {most:,}; found {number:,}.")
        for name, unit in _UNITS.items():
            quantity: Quantity = getattr(self, name)
            quantity.require(unit, name)
        low, high = self.annual_discount_rate.range
        if low < high:
            raise ParamError(
                f"annual_discount_rate: a choice has no spread; make its range a single value, not [{low:g}, {high:g}]."
            )
        if self.margin.range[0] <= 0.0:
            raise ParamError("margin: its range must lie above 0; customers of whom nothing is left have no value.")
        self._refuse_days()
        if not self.models or len(set(self.models)) < len(self.models):
            found = ", ".join(self.models) or "none"
            raise ParamError(f"models must be at least one, each named once; found {found}.")

    @property
    def holdout_days(self) -> int:
        """Days from the end of calibration to the end of observation."""
        return (self.observed_until - self.calibration_end) // timedelta(days=1)

    def _refuse_days(self) -> None:
        until = self.observed_until
        if not _FIRST_YEAR <= until.year <= _LAST_YEAR:
            raise ParamError(f"observed_until must be in {_FIRST_YEAR} to {_LAST_YEAR}; found {until.isoformat()}.")
        if self.calibration_end >= until:
            raise ParamError(
                f"calibration_end must be before observed_until, or nothing is left to test the models; "
                f"found {self.calibration_end.isoformat()} and {until.isoformat()}."
            )


def load_valuation(name: str) -> Valuation:
    """Return a valuation of params/valuations by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow-value`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or mistakes in its file: one line each, with file and key.

    Examples
    --------
    >>> load_valuation("cdnow-value").holdout_days
    273
    """
    return read(locate("valuations", name), Valuation)
