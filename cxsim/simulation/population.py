"""A table of customers and numbers of new ones in; who is simulated, and who meets which condition, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.exceptions import PolarsError

from cxsim.errors import SimulationError
from cxsim.simulation.calendar import Calendar
from cxsim.tables import CUSTOMERS, check


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Existing customers and the number of new ones per month.

    Attributes
    ----------
    base
        Existing customers at the start, under CUSTOMERS; may be empty.
    arrivals
        New customers in each month from the first; at most as many months as the calendar has.
    calendar
        Days and months of the scenario.
    most_arrivals
        The most that arrive in each month in any arm, those whom programmes attract among them; as `arrivals` when left
        out.
    """

    base: pl.DataFrame
    arrivals: tuple[int, ...]
    calendar: Calendar
    most_arrivals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.most_arrivals:
            object.__setattr__(self, "most_arrivals", self.arrivals)
        _refuse_impossible(check(self.base, CUSTOMERS))
        if min(self.arrivals, default=0) < 0:
            raise SimulationError(f"a cohort cannot have fewer than 0 customers; found {min(self.arrivals)}.")
        if self.size == 0:
            raise SimulationError("there are no customers: neither an existing base nor new ones.")
        if len(self.arrivals) > self.calendar.months:
            raise SimulationError(
                f"new customers arrive for {len(self.arrivals)} months, but the horizon is {self.calendar.months}."
            )
        if len(self.most_arrivals) != len(self.arrivals) or any(
            most < usual for most, usual in zip(self.most_arrivals, self.arrivals, strict=False)
        ):
            raise SimulationError(
                f"most_arrivals must be at least the usual arrivals of every month, {self.arrivals}; found "
                f"{self.most_arrivals}."
            )

    @property
    def size(self) -> int:
        """Number of customers, existing and new, whom no programme brought."""
        return self.base.height + sum(self.arrivals)

    @property
    def cohorts(self) -> int:
        """Number of cohorts: the existing base, one for each month of arrivals, and one of referred customers."""
        return 2 + len(self.arrivals)


def empty_base() -> pl.DataFrame:
    """Return a base without customers, for a shop that only starts."""
    return pl.DataFrame(schema={name: kinds[0] for name, kinds in CUSTOMERS.columns.items()})


def existing_customers(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the customers of a summary of orders, as they stand when the scenario starts."""
    return rfm.select(
        origin=pl.lit("existing"),
        frequency="frequency",
        recency_days="recency_days",
        age_days="age_days",
        idle_days=pl.col("age_days") - pl.col("recency_days"),
        monetary_value="monetary_value",
    )


def reached_by(population: Population, conditions: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which customers meet which condition.

    Shape (existing customers + 1, conditions): the last row stands for every new customer. Where a condition needs a
    mean order value that a customer does not have, the customer is not reached.
    """
    base = population.base.select(list(CUSTOMERS.columns))
    newcomer = pl.DataFrame(
        {
            "origin": ["new"],
            "frequency": [0],
            "recency_days": [0],
            "age_days": [0],
            "idle_days": [0],
            "monetary_value": [None],
        },
        schema=base.schema,
    )
    everyone = pl.concat([base, newcomer])
    met = np.empty((everyone.height, len(conditions)), np.bool_)
    for place, condition in enumerate(conditions):
        met[:, place] = _meets(everyone, condition)
    return met


def _meets(customers: pl.DataFrame, condition: str) -> npt.NDArray[np.bool_]:
    try:
        met = customers.select(met=pl.sql_expr(condition))["met"]
    except PolarsError as cause:
        raise SimulationError(
            f"who: '{condition}' is no condition over customers ({cause}); "
            f"possible columns: {', '.join(customers.columns)}."
        ) from cause
    if met.dtype != pl.Boolean:
        raise SimulationError(f"who: '{condition}' gives {met.dtype}, not true or false.")
    if len(met) == 1:
        met = met.new_from_index(0, customers.height)
    return met.fill_null(value=False).to_numpy()


def _refuse_impossible(base: pl.DataFrame) -> None:
    value = pl.col("monetary_value")
    impossible = base.filter(
        (pl.min_horizontal("frequency", "recency_days", "age_days", "idle_days") < 0)
        | (value.is_null() & (pl.col("frequency") > 0))
        | (~value.is_finite() | (value < 0.0)).fill_null(value=False)
    )
    if impossible.height:
        raise SimulationError(
            f"{impossible.height} of {base.height} customers have an impossible past, "
            f"first {impossible.row(0, named=True)}; counts and days must be 0 or more, "
            "and who has repeat orders needs a monetary_value of 0 or more."
        )
