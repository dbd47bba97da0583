"""The full input of a study: a scenario's file in, one frozen object with everything resolved out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cxsim.errors import ParamError
from cxsim.params import locate, read
from cxsim.simulation import Calendar
from cxsim.strategies import Strategy, load_strategy
from cxsim.valuation import Economics, load_economics

BASELINE = "baseline"


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
                raise ParamError(f"new_customers.{name} must be 1 or more; found {number}. Leave new_customers out for none.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """What the order file calls our columns."""

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
        Months simulated, at least 1.
    existing_customers
        `all` customers seen in the orders, or `none`.
    new_customers
        Arrivals; none when left out.
    model
        Model of orders and dropout.
    draws
        Draws of parameters, effects, economics and luck, at least 2.
    seed
        Seed of all luck, 0 or larger.
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
    model: Literal["bgnbd"] = "bgnbd"
    draws: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Everything that determines a study; attributes as in `ScenarioFile`, with economics and strategies resolved.

    Raises
    ------
    ParamError
        For a horizon, a number of draws or a population of nothing, or strategies that are not apart.
    """

    name: str
    title: str
    description: str
    orders: str
    observed_until: date
    economics: Economics
    strategies: tuple[Strategy, ...]
    horizon_months: int
    seed: int
    columns: Columns = Columns()
    existing_customers: Literal["all", "none"] = "all"
    new_customers: NewCustomers | None = None
    model: Literal["bgnbd"] = "bgnbd"
    draws: int = 200

    def __post_init__(self) -> None:
        for name, number, least in (("horizon_months", self.horizon_months, 1), ("draws", self.draws, 2), ("seed", self.seed, 0)):
            if number < least:
                raise ParamError(f"{name} must be {least} or more; found {number}.")
        names = [strategy.name for strategy in self.strategies]
        if not names:
            raise ParamError("strategies: there are none; name at least one to compare with doing nothing.")
        if len(set(names)) < len(names) or BASELINE in names:
            raise ParamError(f"strategies must have different names, and none may be '{BASELINE}'; found {', '.join(names)}.")
        if self.existing_customers == "none" and self.new_customers is None:
            raise ParamError("there are no customers: existing_customers is none and new_customers is left out.")
        if self.new_customers is not None and self.new_customers.months > self.horizon_months:
            raise ParamError(
                f"new_customers.months ({self.new_customers.months}) is beyond the horizon ({self.horizon_months} months)."
            )
        late = [strategy.name for strategy in self.strategies if strategy.reach.from_month >= self.horizon_months]
        if late:
            raise ParamError(f"strategies {', '.join(late)} start after the horizon of {self.horizon_months} months.")

    @property
    def calendar(self) -> Calendar:
        """Days and months from the day after the end of observation."""
        return Calendar(starts_on=self.observed_until + timedelta(days=1), months=self.horizon_months)

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms: the baseline, then the strategies in their order."""
        return (BASELINE, *(strategy.name for strategy in self.strategies))


def load_scenario(name: str) -> Scenario:
    """Return a scenario of params/scenarios by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow-programmes`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or a mistake in any of its files, with file and key.

    Examples
    --------
    >>> load_scenario("cdnow-quick").arms
    ('baseline', 'points-programme', 'win-back-coupon', 'faster-delivery')
    """
    path = locate("scenarios", name)
    written = read(path, ScenarioFile)
    try:
        return resolved(written)
    except ParamError as cause:
        raise ParamError(f"{path.name}: {cause}") from cause


def resolved(written: ScenarioFile) -> Scenario:
    """Return a scenario with its economics and strategies loaded."""
    return Scenario(
        name=written.name,
        title=written.title,
        description=written.description,
        orders=written.orders,
        observed_until=written.observed_until,
        economics=load_economics(written.economics),
        strategies=tuple(load_strategy(strategy) for strategy in written.strategies),
        horizon_months=written.horizon_months,
        seed=written.seed,
        columns=written.columns,
        existing_customers=written.existing_customers,
        new_customers=written.new_customers,
        model=written.model,
        draws=written.draws,
    )
