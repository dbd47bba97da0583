"""A scenario as it is written in params/scenarios: names, dates and numbers, not yet what the names stand for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from cxsim.errors import ParamError
from cxsim.quantity import Quantity
from cxsim.scenario.combination import Combination

Model = Literal["bgnbd", "mbgnbd", "paretonbd"]
Structure = Literal["bgnbd", "mbgnbd", "paretonbd", "all"]
MODELS: tuple[Model, ...] = ("bgnbd", "mbgnbd", "paretonbd")
_MOST_NEW_CUSTOMERS = 100_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCustomers:
    """New customers that arrive whatever the shop decides.

    Attributes
    ----------
    per_month
        How many arrive in each month, at least 1.
    months
        For how many months from the start, at least 1.
    """

    per_month: int
    months: int

    def __post_init__(self) -> None:
        for name, number in (("per_month", self.per_month), ("months", self.months)):
            if number < 1:
                raise ParamError(f"{name} must be 1 or more; found {number}. Leave new_customers out for none.")
        if self.per_month * self.months > _MOST_NEW_CUSTOMERS:
            raise ParamError(
                f"{self.per_month:,} new customers in each of {self.months:,} months are too many; "
                f"at most {_MOST_NEW_CUSTOMERS:,} together are possible."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """What the order file calls our columns.

    Attributes
    ----------
    customer_id, ordered_at, amount
        Its names for these.
    """

    customer_id: str = "customer_id"
    ordered_at: str = "ordered_at"
    amount: str = "amount"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioFile:
    """A scenario as it is written in params/scenarios, with names instead of what they stand for.

    Attributes
    ----------
    name, title, description
        Name of the file; name and question for readers.
    orders
        `cdnow`, `cdnow-sample`, or the path of a CSV or Parquet file, relative to the project.
    columns
        What that file calls our columns.
    observed_until
        Last day of observation; the scenario starts on the day after.
    economics, strategies
        Names under params/economics and params/strategies.
    horizon_months
        Months simulated, 1 to 600.
    existing_customers
        `all` customers seen in the orders, or `none`.
    new_customers
        Arrivals; none when left out.
    dropout
        Structure of orders and leaving: one of three models, or `all` of them beside each other.
    behaviour
        Name under params/behaviour; nothing happens beside orders, leaving and spend when left out.
    combinations
        Strategies that run together, each an arm of its own.
    stacking
        Needed with combinations. Where several strategies raise order rate or basket, or lower the chance of leaving,
        of the same customer, the strongest counts in full and this share of the others (of the logarithms).
    draws
        Draws of parameters, effects, economics and luck, 2 to 10,000; with `dropout: all`, for each structure.
    seed
        Seed of all luck, 0 to 2**63 - 1.
    budget
        The most that all strategies together may cost over the horizon, as a present value; no limit when left out.
    """

    name: str
    title: str
    description: str
    orders: str
    observed_until: date
    economics: str
    strategies: tuple[str, ...]
    horizon_months: int
    seed: int
    columns: Columns = Columns()
    existing_customers: Literal["all", "none"] = "all"
    new_customers: NewCustomers | None = None
    dropout: Structure = "bgnbd"
    behaviour: str | None = None
    combinations: tuple[Combination, ...] = ()
    stacking: Quantity | None = None
    draws: int = 200
    budget: Quantity | None = None
