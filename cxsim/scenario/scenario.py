"""The full input of a study: a scenario's file in, one frozen object with everything resolved out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from cxsim.behaviour import PLAIN, Behaviour
from cxsim.errors import ParamError
from cxsim.params import Kind, named, read
from cxsim.quantity import Quantity
from cxsim.scenario.combination import Combination
from cxsim.scenario.fitting import refuse_misfits
from cxsim.scenario.written import MODELS, Columns, Model, NewCustomers, ScenarioFile, Structure
from cxsim.simulation import Calendar
from cxsim.strategies import Strategy, load_strategy, refuse_unmeasured
from cxsim.units import Unit
from cxsim.valuation import Economics, load_economics

BASELINE = "baseline"
# Wide enough for every study, and narrow enough for a slip of the finger not to fill the memory.
_LIMITS = {"horizon_months": (1, 600), "draws": (2, 10_000), "seed": (0, 2**63 - 1)}
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Everything that determines a study.

    Attributes
    ----------
    name, title, description, orders, observed_until, horizon_months, seed
        As in `ScenarioFile`.
    columns, existing_customers, new_customers, dropout, combinations, stacking, draws, budget
        As in `ScenarioFile`.
    economics, strategies, behaviour
        What the names in the file stand for.

    Raises
    ------
    ParamError
        For a horizon, a number of draws or a population of nothing, strategies that are not apart, or parts that do not
        fit together.
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
    columns: Columns = field(default_factory=Columns)
    existing_customers: Literal["all", "none"] = "all"
    new_customers: NewCustomers | None = None
    dropout: Structure = "bgnbd"
    behaviour: Behaviour = PLAIN
    combinations: tuple[Combination, ...] = ()
    stacking: Quantity | None = None
    draws: int = 200
    budget: Quantity | None = None

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
        if self.stacking is not None:
            self.stacking.require(Unit.SHARE, "stacking")
        if self.budget is not None:
            self.budget.require(Unit.MONEY, "budget")
        refuse_misfits(
            self.strategies,
            self.combinations,
            behaviour=self.behaviour,
            economics=self.economics,
            months=self.horizon_months,
        )

    def _refuse_strategies(self) -> None:
        # A list would pass, but the numbers of its strategies would be neither drawn nor listed.
        if not isinstance(getattr(self, "strategies"), tuple):  # noqa: B009 - mypy believes the annotation
            raise ParamError(f"strategies must be a tuple; found {type(self.strategies).__name__}.")
        names = [*(one.name for one in self.strategies), *(one.name for one in self.combinations)]
        if not self.strategies:
            raise ParamError("strategies: there are none; name at least one to compare with doing nothing.")
        if len(set(names)) < len(names) or BASELINE in names:
            raise ParamError(
                f"strategies and combinations must have different names, and none may be '{BASELINE}'; found "
                f"{', '.join(names)}."
            )
        if self.combinations and self.stacking is None:
            raise ParamError(
                "combinations need the number stacking: the share that counts of the weaker of several gains, beside "
                "the strongest."
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
        """Names of the arms: the baseline, the strategies that are believed, in their order, and the combinations."""
        return (BASELINE, *(name for name, _ in self.believed))

    @property
    def believed(self) -> tuple[tuple[str, tuple[Strategy, ...]], ...]:
        """Name and strategies of each arm but the baseline; those that are only searched for break-even have none."""
        known = {strategy.name: strategy for strategy in self.strategies}
        alone = [(name, (one,)) for name, one in known.items() if one.mode == "prior"]
        together = [(one.name, tuple(known[name] for name in one.strategies)) for one in self.combinations]
        return (*alone, *together)

    @property
    def searched(self) -> tuple[Strategy, ...]:
        """Strategies whose effects are only searched for the size from which they pay."""
        return tuple(strategy for strategy in self.strategies if strategy.mode == "break-even")

    @property
    def titles(self) -> dict[str, str]:
        """Name for readers of each strategy and combination."""
        alone = {one.name: one.title for one in self.strategies}
        return alone | {one.name: one.title for one in self.combinations}

    @property
    def structures(self) -> tuple[Model, ...]:
        """Models of orders and leaving that are played."""
        return MODELS if self.dropout == "all" else (self.dropout,)


def resolved(written: ScenarioFile, place: str) -> Scenario:
    """Return a scenario with its economics and strategies loaded; `place` is the name of its file in messages."""
    files = files_of(written, place)
    economics = load_economics(str(files.economics))
    strategies = tuple(load_strategy(str(file)) for file in files.strategies)
    behaviour = PLAIN if files.behaviour is None else read(files.behaviour, Behaviour)
    refuse_unmeasured(strategies)
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
            dropout=written.dropout,
            behaviour=behaviour,
            combinations=written.combinations,
            stacking=written.stacking,
            draws=written.draws,
            budget=written.budget,
        )
    except ParamError as cause:
        raise ParamError(f"{place}: {cause}") from cause


class Files(NamedTuple):
    """Files that a scenario names; no behaviour where it names none."""

    economics: Path
    strategies: tuple[Path, ...]
    behaviour: Path | None


def files_of(written: ScenarioFile, place: str) -> Files:
    """Return the files that a scenario names; `place` as in `resolved`."""
    wanted: list[tuple[str, Kind, str]] = [("economics", "economics", written.economics)]
    wanted += [(f"strategies.{number}", "strategies", name) for number, name in enumerate(written.strategies)]
    if written.behaviour is not None:
        wanted.append(("behaviour", "behaviour", written.behaviour))
    found, problems = [], []
    for key, kind, name in wanted:
        try:
            found.append(named(kind, name))
        except ParamError as cause:
            problems.append(f"{place}: {key}: {cause}")
    if problems:
        raise ParamError("\n".join(problems))
    last = len(written.strategies) + 1
    return Files(
        economics=found[0],
        strategies=tuple(found[1:last]),
        behaviour=None if written.behaviour is None else found[last],
    )
