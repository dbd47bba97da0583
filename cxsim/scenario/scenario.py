"""The full input of a study: a scenario's file in, one frozen object with everything resolved out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from cxsim.errors import ParamError
from cxsim.params import Kind, locate, named, read, shown
from cxsim.simulation import Calendar
from cxsim.strategies import Strategy, load_strategy
from cxsim.valuation import Economics, load_economics

BASELINE = "baseline"
# Wide enough for every study, and narrow enough for a slip of the finger not to fill the memory.
_LIMITS = {"horizon_months": (1, 600), "draws": (2, 10_000), "seed": (0, 2**63 - 1)}
_MOST_NEW_CUSTOMERS = 100_000_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCustomers:
    """New customers that arrive whatever the shop decides.

    Attributes
    ----------
    per_month
        How many arrive in each month, at least 1.
    months
        For how many months from the start, at least 1.

    Raises
    ------
    ParamError
        For none of either, or more than a hundred million customers together.
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
    model
        Model of orders and dropout.
    draws
        Draws of parameters, effects, economics and luck, 2 to 10,000.
    seed
        Seed of all luck, 0 to 2**63 - 1.
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
    model: Literal["bgnbd", "mbgnbd", "paretonbd"] = "bgnbd"
    draws: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Everything that determines a study.

    Attributes
    ----------
    name, title, description, orders, observed_until, horizon_months, seed
        As in `ScenarioFile`.
    columns, existing_customers, new_customers, model, draws
        As in `ScenarioFile`.
    economics, strategies
        What the names in the file stand for.

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
    model: Literal["bgnbd", "mbgnbd", "paretonbd"] = "bgnbd"
    draws: int = 200

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            number = getattr(self, name)
            if not least <= number <= most:
                raise ParamError(f"{name} must be {least:,} to {most:,}; found {number:,}.")
        until = self.observed_until
        if not _FIRST_YEAR <= until.year <= _LAST_YEAR:
            raise ParamError(f"observed_until must be in {_FIRST_YEAR} to {_LAST_YEAR}; found {until.isoformat()}.")
        if self.existing_customers == "none" and self.new_customers is None:
            raise ParamError("there are no customers: existing_customers is none and new_customers is left out.")
        months = 0 if self.new_customers is None else self.new_customers.months
        if months > self.horizon_months:
            raise ParamError(f"new_customers.months ({months}) is beyond the horizon ({self.horizon_months} months).")
        self._refuse_strategies()

    def _refuse_strategies(self) -> None:
        # A list would pass, but the numbers of its strategies would be neither drawn nor listed.
        if not isinstance(getattr(self, "strategies"), tuple):  # noqa: B009 - mypy believes the annotation
            raise ParamError(f"strategies must be a tuple; found {type(self.strategies).__name__}.")
        names = [strategy.name for strategy in self.strategies]
        if not names:
            raise ParamError("strategies: there are none; name at least one to compare with doing nothing.")
        if len(set(names)) < len(names) or BASELINE in names:
            raise ParamError(
                f"strategies must have different names, and none may be '{BASELINE}'; found {', '.join(names)}."
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
        For an unknown name, with the choices, or mistakes in any of its files: one line each, with file and key.

    Examples
    --------
    >>> load_scenario("cdnow-quick").arms
    ('baseline', 'points-programme', 'win-back-coupon', 'faster-delivery')
    """
    path = locate("scenarios", name)
    return resolved(read(path, ScenarioFile), shown(path))


def resolved(written: ScenarioFile, place: str) -> Scenario:
    """Return a scenario with its economics and strategies loaded; `place` is the name of its file in messages."""
    economics_file, *strategy_files = files_of(written, place)
    economics = load_economics(str(economics_file))
    strategies = tuple(load_strategy(str(file)) for file in strategy_files)
    try:
        return Scenario(
            name=written.name,
            title=written.title,
            description=written.description,
            orders=written.orders,
            observed_until=written.observed_until,
            economics=economics,
            strategies=strategies,
            horizon_months=written.horizon_months,
            seed=written.seed,
            columns=written.columns,
            existing_customers=written.existing_customers,
            new_customers=written.new_customers,
            model=written.model,
            draws=written.draws,
        )
    except ParamError as cause:
        raise ParamError(f"{place}: {cause}") from cause


def files_of(written: ScenarioFile, place: str) -> list[Path]:
    """Return the files that a scenario names: its economics, then its strategies; `place` as in `resolved`.

    Raises
    ------
    ParamError
        One line for each file that does not exist.
    """
    wanted: list[tuple[str, Kind, str]] = [("economics", "economics", written.economics)]
    wanted += [(f"strategies.{number}", "strategies", name) for number, name in enumerate(written.strategies)]
    found, problems = [], []
    for key, kind, name in wanted:
        try:
            found.append(named(kind, name))
        except ParamError as cause:
            problems.append(f"{place}: {key}: {cause}")
    if problems:
        raise ParamError("\n".join(problems))
    return found
