"""The full input of a study: a scenario's file in, one frozen object with everything resolved out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cxsim.data.shop import Policy
from cxsim.display import facts_html
from cxsim.errors import ParamError, refuse_unknown
from cxsim.finance.economics import Economics, load_economics, refuse_no_code
from cxsim.finance.returns import Rule
from cxsim.finance.statement import MONTHS_PER_YEAR
from cxsim.library import Kind, named
from cxsim.params import Quantity, Unit, read
from cxsim.simulation.world import Calendar
from cxsim.strategies.behaviour import PLAIN, Behaviour
from cxsim.strategies.effects import EXPERIENCED, Markdown
from cxsim.strategies.levers import refuse_unmeasured
from cxsim.strategies.mechanisms import Incidents, Referral
from cxsim.strategies.strategy import Strategy
from cxsim.strategies.units import Checked, PerYear, Ratio
from cxsim.wording import MODELS as MODEL_NAMES

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """Strategies that run together; their joint effect on each customer is simulated, not added up.

    Attributes
    ----------
    name
        Small letters, digits and single hyphens.
    title
        Name for readers.
    strategies
        Names of at least two strategies of the scenario.
    """

    name: str
    title: str
    strategies: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ParamError(
                f"combination: '{self.name}' is not a valid name; use lower-case letters, digits and single hyphens."
            )
        if len(self.strategies) < 2 or len(set(self.strategies)) < len(self.strategies):
            raise ParamError(
                f"combination '{self.name}' must name at least two strategies, each once; found "
                f"{', '.join(self.strategies) or 'none'}."
            )


Model = Literal["bgnbd", "mbgnbd", "paretonbd"]
Structure = Literal["bgnbd", "mbgnbd", "paretonbd", "all"]
MODELS: tuple[Model, ...] = get_args(Model)
_MOST_NEW_CUSTOMERS = 100_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCustomers:
    """New customers who come with or without a programme.

    Attributes
    ----------
    per_month
        New customers in each month, at least 1.
    months
        Number of months from the start, at least 1.
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
class SimulatedShop(Checked):
    """A simulated shop in params/shops: its orders are simulated from the central values of its numbers.

    Attributes
    ----------
    name, title, description
        Name of the file; name of the shop, which states that it is simulated; type of shop.
    currency
        Three-letter code.
    opens_on
        First day; there are no earlier orders.
    new_customers
        New customers; the shop is observed for the months in which they come.
    seed
        Seed of all random numbers, 0 to 2**63 - 1.
    orders_per_year, orders_between
        Mean purchase rate of active customers, and its coefficient of variation between customers.
    leaving, leaving_between
        Share of customers who have dropped out a year after their first order, and coefficient of variation of the
        dropout rate between customers.
    order_value, order_value_between, order_value_within
        Mean order value, and its coefficients of variation between customers and between one customer's orders.
    """

    name: str
    title: str
    description: str
    currency: str
    opens_on: date
    new_customers: NewCustomers
    seed: int
    orders_per_year: PerYear
    orders_between: Ratio
    leaving: Annotated[Quantity, Unit.SHARE_PER_YEAR]
    leaving_between: Ratio
    order_value: Annotated[Quantity, Unit.MONEY_PER_ORDER]
    order_value_between: Ratio
    order_value_within: Ratio

    def _refuse(self) -> None:
        refuse_no_code(self.currency)
        if not 0.0 < self.leaving.value < 1.0:
            raise ParamError(f"leaving must be above 0 and below 1; found {self.leaving.value:g}.")

    @property
    def calendar(self) -> Calendar:
        """Days and months for which the shop is observed."""
        return Calendar(starts_on=self.opens_on, months=self.new_customers.months)


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Names of the columns in an order file that is not recognised.

    Attributes
    ----------
    customer_id, ordered_at, amount
        Its names for these columns.
    order_id, units, line_price, line_markdown, line_amount, status, product, category
        Its names for further columns; with order_id, its rows are order lines.
    """

    customer_id: str = ""
    ordered_at: str = ""
    amount: str = ""
    order_id: str = ""
    units: str = ""
    line_price: str = ""
    line_markdown: str = ""
    line_amount: str = ""
    status: str = ""
    product: str = ""
    category: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSettings:
    """What a scenario and a valuation have in common."""

    name: str
    title: str
    description: str
    orders: str
    observed_until: date
    seed: int
    columns: Columns = Columns()
    policy: Policy | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioSettings(CaseSettings):
    """Keys that a scenario and its file share."""

    horizon_months: int
    existing_customers: Literal["all", "none"] = "all"
    new_customers: NewCustomers | None = None
    dropout: Structure = "all"
    dropout_reason: str = ""
    combinations: tuple[Combination, ...] = ()
    stacking: Quantity | None = None
    draws: int = 200
    budget: Quantity | None = None
    after_horizon: Literal["excluded", "included"] = "excluded"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioFile(ScenarioSettings):
    """A scenario file in params/scenarios, with names of other files in place of their contents.

    Attributes
    ----------
    name, title, description
        Name of the file; name and question for readers.
    orders
        `cdnow`, `cdnow-sample`, the name of a simulated shop or of a scenario, or the path of a shop's exports,
        relative to the project.
    policy
        How the orders are read; by default as in the shop.yaml in the same folder.
    columns
        Column names in that file.
    observed_until
        Last day of observation; the scenario starts on the day after.
    economics, strategies
        Names under params/economics and params/strategies.
    horizon_months
        Months simulated, 1 to 600.
    existing_customers
        `all` customers seen in the orders, or `none`.
    new_customers
        New customers; none if omitted.
    dropout
        Purchase and dropout model: `all` for three models, or the name of one.
    dropout_reason
        Reason for using a single model, for readers; required if returns are reported.
    behaviour
        Name under params/behaviour; if omitted, only purchases, dropout and spend are simulated.
    combinations
        Strategies that run together, each combination as a separate arm.
    stacking
        Required with combinations. If several strategies raise the purchase rate or order value, or lower the dropout
        probability, of the same customer, the strongest counts in full and this share of the others (in logarithms).
    draws
        Draws of parameters, effects, economics and random numbers, 2 to 10,000; per model with `dropout: all`.
    seed
        Seed of all random numbers, 0 to 2**63 - 1.
    budget
        Maximum present value of the investment in all strategies; no limit if omitted.
    after_horizon
        Whether NPV and decision include the value after the horizon of customers still active at its end: `excluded`
        (shown separately) or `included`.
    """

    economics: str
    strategies: tuple[str, ...]
    behaviour: str | None = None


def _refuse_misfits(scenario: Scenario) -> None:
    """Refuse parts of a scenario that do not fit together."""
    _of_behaviour(scenario.strategies, scenario.behaviour)
    _of_costs(scenario.behaviour, scenario.economics)
    known = {strategy.name: strategy for strategy in scenario.strategies}
    arms = [[strategy] for strategy in scenario.strategies]
    for combination in scenario.combinations:
        together = _together(combination, known)
        _of_prices(together, combination.name, scenario.horizon_months)
        arms.append(together)
    for arm in arms:
        _of_referrals(arm, scenario.horizon_months)


def _of_behaviour(strategies: Sequence[Strategy], behaviour: Behaviour) -> None:
    for strategy in strategies:
        kinds: set[str] = {effect.kind for effect in strategy.effects}
        needs: list[str] = sorted(kinds.intersection(EXPERIENCED))
        if any(cost.kind == "per_ticket" for cost in strategy.costs):
            needs.append("the cost per_ticket")
        if needs and behaviour.experience is None:
            raise ParamError(
                f"strategy '{strategy.name}' has {', '.join(needs)}, which change the customer experience of an "
                f"order; the behaviour '{behaviour.name}' has no part experience. Name one that has it, "
                "such as behaviour: online-shop."
            )
        if "returns" in kinds and behaviour.returns is None:
            raise ParamError(
                f"strategy '{strategy.name}' changes returns; the behaviour '{behaviour.name}' has none. Name one that "
                "has the part returns, such as behaviour: online-shop."
            )
        for effect in strategy.effects:
            if isinstance(effect, Incidents) and effect.incident is not None:
                problem = f"strategy '{strategy.name}': the behaviour '{behaviour.name}' has no incident"
                refuse_unknown(effect.incident, behaviour.incidents, f"{problem} '{effect.incident}'")


def _of_costs(behaviour: Behaviour, economics: Economics) -> None:
    if behaviour.experience is not None and economics.support_per_ticket is None:
        raise ParamError(
            f"the behaviour '{behaviour.name}' has tickets, but the economics '{economics.name}' do not say what one "
            "costs; write support_per_ticket there."
        )
    if behaviour.returns is not None and economics.handling_per_return is None:
        raise ParamError(
            f"the behaviour '{behaviour.name}' has returns, but the economics '{economics.name}' do not say what they "
            "cost; write handling_per_return and resaleable there."
        )


def _together(combination: Combination, known: Mapping[str, Strategy]) -> list[Strategy]:
    for name in combination.strategies:
        refuse_unknown(name, known, f"combination '{combination.name}': no strategy '{name}'")
        if known[name].mode == "break-even":
            raise ParamError(
                f"combination '{combination.name}': the effect of '{name}' has no prior (mode: "
                "break-even), so it cannot be part of a combination; leave it out."
            )
    return [known[name] for name in combination.strategies]


def _of_prices(strategies: Sequence[Strategy], name: str, months: int) -> None:
    marked = [one for one in strategies if any(isinstance(effect, Markdown) for effect in one.effects)]
    for one, other in combinations(marked, 2):
        begins = max(one.reach.from_month, other.reach.from_month)
        if begins < min(months if some.reach.until_month is None else some.reach.until_month for some in (one, other)):
            raise ParamError(
                f"combination '{name}': the markdowns of '{one.name}' and '{other.name}' run in the same months, "
                f"from month {begins}, and which price holds is undefined; let one begin (from_month) when the "
                "other has ended (until_month)."
            )


def _of_referrals(strategies: Iterable[Strategy], months: int) -> None:
    """Refuse a reproduction number that could reach one: every customer would bring one and more within the horizon."""
    referring = [(one.name, effect) for one in strategies for effect in one.effects if isinstance(effect, Referral)]
    most = sum(effect.most_per_year * months / MONTHS_PER_YEAR for _, effect in referring)
    if most >= 1.0:
        names = " and ".join(repr(name) for name, _ in referring)
        raise ParamError(
            f"strategy {names}: at the far ends of per_year, success and anyway, an active customer refers "
            f"{most:.2f} new ones within {months} months, and these refer others: referrals would grow without bound. "
            "Below 1 is possible; lower one of the ranges or the horizon."
        )


BASELINE = "baseline"
# Wide enough for every study, and narrow enough for a slip of the finger not to fill the memory.
_LIMITS = {"horizon_months": (1, 600), "horizon_days": (1, 36_525), "seed": (0, 2**63 - 1)}
_YEARS = range(1900, 2201)


def _refuse_beyond_limits(case: Scenario | Valuation, fewest_draws: int) -> None:
    for name, (least, most) in (_LIMITS | {"draws": (fewest_draws, 10_000)}).items():
        number = getattr(case, name, least)
        if not least <= number <= most:
            raise ParamError(f"{name} must be {least:,} to {most:,}; found {number:,}.")
    until = case.observed_until
    if until.year not in _YEARS:
        raise ParamError(f"observed_until must be in {_YEARS[0]} to {_YEARS[-1]}; found {until.isoformat()}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario(ScenarioSettings):
    """Everything that determines a study.

    Attributes
    ----------
    name, title, description, orders, observed_until, horizon_months, seed
        As in `ScenarioFile`.
    columns, policy, existing_customers, new_customers, dropout, dropout_reason, combinations, stacking, draws
        As in `ScenarioFile`.
    budget, after_horizon
        As in `ScenarioFile`.
    economics, strategies, behaviour
        Contents of the files named.

    Raises
    ------
    ParamError
        For a horizon, a number of draws or a population of nothing, strategies that are not apart, or parts that do not
        fit together.
    """

    economics: Economics
    strategies: tuple[Strategy, ...]
    behaviour: Behaviour = PLAIN

    def __post_init__(self) -> None:
        _refuse_beyond_limits(self, 2)
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
        _refuse_misfits(self)

    def _refuse_strategies(self) -> None:
        # A list would pass, but the numbers of its strategies would be neither drawn nor listed.
        if not isinstance(getattr(self, "strategies"), tuple):  # noqa: B009 - mypy trusts the annotation
            raise ParamError(f"strategies must be a tuple; found {type(self.strategies).__name__}.")
        names = [*(one.name for one in self.strategies), *(one.name for one in self.combinations)]
        if not self.strategies:
            raise ParamError("strategies: there are none; name at least one to compare with the baseline.")
        if len(set(names)) < len(names) or BASELINE in names:
            raise ParamError(
                f"strategies and combinations must have different names, and none may be '{BASELINE}'; found "
                f"{', '.join(names)}."
            )
        if self.combinations and self.stacking is None:
            raise ParamError(
                "combinations need the number stacking: the share of weaker gains that counts in addition to "
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
        """Names of the arms: the baseline, the strategies with a prior, in their order, and the combinations."""
        return (BASELINE, *(name for name, _ in self.with_prior))

    @property
    def with_prior(self) -> tuple[tuple[str, tuple[Strategy, ...]], ...]:
        """Name and strategies of each arm but the baseline; those that are only searched for break-even have none."""
        known = {strategy.name: strategy for strategy in self.strategies}
        alone = [(one.name, (one,)) for one in self.prior_strategies]
        together = [(one.name, tuple(known[name] for name in one.strategies)) for one in self.combinations]
        return (*alone, *together)

    @property
    def searched(self) -> tuple[Strategy, ...]:
        """Strategies whose effects are only searched for the size from which they pay."""
        return tuple(strategy for strategy in self.strategies if strategy.mode == "break-even")

    @property
    def prior_strategies(self) -> list[Strategy]:
        """Strategies whose effects have a prior, one by one; the others are only searched."""
        return [strategy for strategy in self.strategies if strategy.mode == "prior"]

    @property
    def rule(self) -> Rule:
        """How the shop decides."""
        return Rule(fund=self.economics.fund_probability.value)

    @property
    def most(self) -> float:
        """The budget; infinity for none."""
        return math.inf if self.budget is None else self.budget.value

    @property
    def titles(self) -> dict[str, str]:
        """Name for readers of each strategy and combination."""
        alone = {one.name: one.title for one in self.strategies}
        return alone | {one.name: one.title for one in self.combinations}

    @property
    def structures(self) -> tuple[Model, ...]:
        """Models of orders and leaving that are simulated."""
        return MODELS if self.dropout == "all" else (self.dropout,)

    def _repr_html_(self) -> str:
        facts = {
            "name": self.name,
            "orders": f"{self.orders}, observed until {self.observed_until}",
            "horizon": f"{self.horizon_months} months, {self.draws} draws, seed {self.seed}",
            "models": ", ".join(MODEL_NAMES[one] for one in self.structures),
            "economics": f"{self.economics.title}, {self.economics.currency}",
        }
        rows: list[tuple[str, str, str]] = [(one.name, one.title, one.mode) for one in self.strategies]
        rows += [(one.name, one.title, " + ".join(one.strategies)) for one in self.combinations]
        return facts_html(self.title, facts, ("strategy", "title", "mode"), rows)


def resolved(written: ScenarioFile, place: str) -> Scenario:
    """Return a scenario with its economics and strategies loaded; `place` is the name of its file in messages."""
    files = files_of(written, place)
    strategies = tuple(read(file, Strategy) for file in files["strategies"])
    parts: dict[str, Any] = {one.name: getattr(written, one.name) for one in fields(written)} | {
        "economics": load_economics(str(files["economics"][0])),
        "strategies": strategies,
        "behaviour": next((read(file, Behaviour) for file in files["behaviour"]), PLAIN),
    }
    refuse_unmeasured(strategies)
    try:
        scenario = Scenario(**parts)
    except ParamError as cause:
        raise ParamError(f"{place}: {cause}") from cause
    if scenario.with_prior and scenario.dropout != "all" and not scenario.dropout_reason.strip():
        raise ParamError(
            f"{place}: dropout_reason: missing; dropout names {scenario.dropout} alone, and a decision may depend on "
            "the model. Write why this one, or dropout: all, which shows three beside each other."
        )
    return scenario


def files_of(written: ScenarioFile, place: str) -> dict[Kind, list[Path]]:
    """Return the files that a scenario names, by their kinds; `place` as in `resolved`."""
    wanted: dict[Kind, Sequence[str]] = {"economics": [written.economics], "strategies": written.strategies}
    wanted["behaviour"] = [] if written.behaviour is None else [written.behaviour]
    found: dict[Kind, list[Path]] = {kind: [] for kind in wanted}
    problems = []
    for kind, names in wanted.items():
        for number, name in enumerate(names):
            try:
                found[kind].append(named(kind, name))
            except ParamError as cause:
                key = f"strategies.{number}" if kind == "strategies" else kind
                problems.append(f"{place}: {key}: {cause}")
    if problems:
        raise ParamError("\n".join(problems))
    return found


PurchaseModel = Literal["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Valuation(CaseSettings):
    """Everything that determines the value of a shop's customers.

    Attributes
    ----------
    name, title, description
        Name of the file; name and question for readers.
    orders
        `cdnow`, `cdnow-sample`, the name of a simulated shop or of a scenario, or the path of a shop's exports,
        relative to the project.
    policy
        How the orders are read; by default as in the shop.yaml in the same folder.
    columns
        Column names in that file.
    currency
        Three-letter code.
    observed_until
        Last day of observation; customers are valued at its end.
    calibration_end
        Last day of the calibration period; forecasts of models fitted to it are tested on later orders.
    models
        Purchase and dropout models to compare, at least one.
    horizon_days
        Days over which customers are valued, 1 to 36,525.
    annual_discount_rate
        Time value of money, effective per year; the shop chooses it, so its range is a single value.
    margin
        Share of revenue left after the cost of orders.
    draws
        Draws of parameters and random numbers, 20 to 10,000.
    seed
        Seed of all random numbers, 0 to 2**63 - 1.

    Raises
    ------
    ParamError
        For days, numbers or units that are not possible, or models that are not apart.
    """

    currency: str
    calibration_end: date
    horizon_days: int
    annual_discount_rate: Quantity
    margin: Quantity
    models: tuple[PurchaseModel, ...] = ("bgnbd", "mbgnbd", "paretonbd")
    draws: int = 400

    def __post_init__(self) -> None:
        refuse_no_code(self.currency)
        _refuse_beyond_limits(self, 20)
        self.annual_discount_rate.require(Unit.SHARE_PER_YEAR, "annual_discount_rate")
        self.margin.require(Unit.SHARE, "margin")
        low, high = self.annual_discount_rate.range
        if low < high:
            raise ParamError(
                f"annual_discount_rate: a choice has no spread; make its range a single value, not [{low:g}, {high:g}]."
            )
        if self.margin.range[0] <= 0.0:
            raise ParamError("margin: its range must lie above 0; without a margin customers have no value.")
        if self.calibration_end >= self.observed_until:
            raise ParamError(
                f"calibration_end must be before observed_until, or nothing is left to test the models; "
                f"found {self.calibration_end.isoformat()} and {self.observed_until.isoformat()}."
            )
        if not self.models or len(set(self.models)) < len(self.models):
            found = ", ".join(self.models) or "none"
            raise ParamError(f"models must be at least one, each named once; found {found}.")

    @property
    def holdout_days(self) -> int:
        """Days from the end of calibration to the end of observation."""
        return (self.observed_until - self.calibration_end) // timedelta(days=1)
