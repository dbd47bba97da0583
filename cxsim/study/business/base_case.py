"""A study in; its base case, every assumption at its central value, ready to be simulated in other variants, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import (
    ACCOUNTS,
    Account,
    Economics,
    Posting,
    booked as booked_amounts,
    later_counts,
    occurrences,
    own_postings,
    shop_postings,
)
from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import Flows
from cxsim.params import MICROS, MICROS_PER_CENT, quantities
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import Executor
from cxsim.strategies.strategy import Strategy
from cxsim.study.result import Study
from cxsim.study.scenario import BASELINE, Model, Scenario
from cxsim.study.worlds import Arms, Draw, Worlds, counts_by_arm, schedule
from cxsim.tables import COUNT, INDEX, REAL, TEXT, Contract, table_of

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Strategies = tuple[Strategy, ...]
# Worlds altogether that differ in nothing but random numbers, shared out among the models of leaving, at least two for
# each.
WORLDS = 4
# Arms that are simulated at once: enough to make the baseline cheap, few enough to bound memory.
_ARMS_AT_ONCE = 24

# The base case: every assumption at its central value, the models at their estimates, in a few worlds that differ in
# nothing but random numbers (worlds). mean: the mean over all draws, which the decision rests on, with its error.
BASE_CASE = Contract(
    "BASE_CASE", TEXT("strategy", "title"), REAL("npv", "mc_error", "mean", "mean_mc_error"), COUNT("worlds")
)
# What happens in each arm of the base case in each month, as far as money depends on it. total: sum over all worlds, in
# cents where `unit` is money. An account has total / worlds, in units of money, times what one of it adds.
VOLUMES = Contract("VOLUMES", TEXT("arm", "volume", "unit"), INDEX("month"), COUNT("total", "worlds"))
# What one of a volume, or one unit of money of it, adds to an account: sign * amount. factor, times: identifiers of the
# numbers whose product the amount is, with `1-` before one that counts as what it leaves of 1; both null where the
# volume is itself the amount.
PRICES = Contract(
    "PRICES",
    TEXT("account", "volume", "unit"),
    COUNT("sign"),
    REAL("amount"),
    TEXT("factor", "times"),
    nullable=("factor", "times"),
)
MONEY, NUMBER = "money", "number"


class Outcome(NamedTuple):
    """Counts of the base case's worlds without and with some strategies: shape (worlds, months, counts)."""

    strategies: Strategies
    baseline: Counts
    treated: Counts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BaseCase:
    """The base case of a study."""

    # Assumptions at their central values, models at their estimates; worlds of one model of leaving after the other's.
    worlds: Worlds
    executor: Executor | None
    # The outcome of each arm but the baseline, by name.
    outcomes: Mapping[str, Outcome]

    @property
    def scenario(self) -> Scenario:
        """The study's own, or one with other assumptions."""
        return self.worlds.scenario

    def under(self, scenario: Scenario) -> BaseCase:
        """Return the base case with other assumptions; its outcomes, not simulated again, have their prices."""
        draws = tuple(replace(draw, scenario=scenario) for draw in self.worlds.draws)
        return replace(self, worlds=replace(self.worlds, scenario=scenario, draws=draws))

    def simulate(self, variants: Sequence[Strategies]) -> list[Outcome]:
        """Return the outcome of each set of strategies, with the same random numbers."""
        outcomes = []
        for first in range(0, len(variants), _ARMS_AT_ONCE):
            some = variants[first : first + _ARMS_AT_ONCE]
            arms: list[Arms] = [[(), *some]] * len(self.worlds.draws)
            baseline, *treated = counts_by_arm(self.worlds.simulate(arms, executor=self.executor))
            outcomes += [
                Outcome(strategies, baseline, counts) for strategies, counts in zip(some, treated, strict=True)
            ]
        return outcomes

    def flows(self, outcome: Outcome) -> Flows:
        """Return the money of an outcome, booked with the prices of its strategies and of these assumptions."""
        draws, arms = self.worlds.draws, [(), outcome.strategies]
        return booked(draws, [arms] * len(draws), (outcome.baseline, outcome.treated))

    def npv(self, outcome: Outcome) -> Numbers:
        """Return the incremental NPV of an outcome in every world."""
        return net_present_value(self.flows(outcome).cash(1), self.worlds.present_values())

    def error(self, by_world: Numbers) -> float:
        """Return the standard error of a mean over worlds: sampling alone, since models differ for a reason."""
        within = by_world.reshape(len(self.scenario.structures), -1)
        return float(np.sqrt(within.var(axis=1, ddof=1).mean()) / np.sqrt(within.size))


def base_case(study: Study, *, executor: Executor | None = None) -> BaseCase:
    """Return the base case of a study, its arms simulated."""
    scenario = study.scenario
    replications = max(2, WORLDS // len(scenario.structures))
    draws = tuple(
        replace(central_draw(study, structure), number=number, world=place * replications + number)
        for place, structure in enumerate(scenario.structures)
        for number in range(replications)
    )
    worlds = replace(study.worlds, scenario=scenario, draws=draws)
    bare, arms = BaseCase(worlds=worlds, executor=executor, outcomes={}), dict(scenario.with_prior)
    return replace(bare, outcomes=dict(zip(arms, bare.simulate(list(arms.values())), strict=True)))


def central_draw(study: Study, structure: Model) -> Draw:
    """Return the draw with every assumption at its central value and the models at their estimates."""
    return Draw(
        number=0,
        world=0,
        structure=structure,
        scenario=study.scenario,
        purchases=study.purchases[structure].params,
        spend=study.spend.params,
    )


def base_case_table(base: BaseCase, returns: pl.DataFrame) -> pl.DataFrame:
    """Return the NPV of each arm in the base case beside its mean over all draws."""
    npvs = {name: base.npv(outcome) for name, outcome in base.outcomes.items()}
    return table_of(
        (
            (name, title, npvs[name].mean(), base.error(npvs[name]), *mean, len(npvs[name]))
            for name, title, *mean in returns.select("strategy", "title", "incremental_npv", "npv_mc_error").iter_rows()
        ),
        BASE_CASE,
    )


def volumes(base: BaseCase) -> pl.DataFrame:
    """Return what happens in each arm and month, the baseline first; what happens in no arm is left out."""
    worlds, first = len(base.worlds.draws), next(iter(base.outcomes.values()))
    arms = {BASELINE: Outcome((), first.baseline, first.baseline)} | dict(base.outcomes)
    rows = (
        (arm, *volume, month, int(total), worlds)
        for arm, outcome in arms.items()
        for volume, by_month in _totals(base, outcome).items()
        for month, total in enumerate(by_month)
    )
    return table_of(rows, VOLUMES).filter((pl.col("total") != 0).any().over("volume"))


def _totals(base: BaseCase, outcome: Outcome) -> dict[tuple[str, str], Counts]:
    """Return the sum over worlds of each volume with a strategy, by name and unit: shape (months,)."""
    economics, months = base.scenario.economics, base.scenario.horizon_months
    totals, worlds = outcome.treated.sum(axis=0), len(base.worlds.draws)
    found = {}
    for reach, strategy in enumerate((None, *outcome.strategies), start=-1):
        times = {} if strategy is None else occurrences(schedule(strategy), months)
        for one in _postings(economics, strategy):
            found[_volume(base.scenario, one, strategy)] = (
                times[one.counted] * worlds if isinstance(one.counted, str) else totals[:, place(one.counted, reach)]
            )
    if base.scenario.after_horizon == "included":
        found[_AFTER_HORIZON] = _after_horizon(base, outcome)
    return found


def _after_horizon(base: BaseCase, outcome: Outcome) -> Counts:
    """Return the value of customers after the horizon, summed over worlds, which is booked in the last month."""
    worth = [
        int((later_counts(counts) * draw.later_prices[: later_counts(counts).shape[-2]]).sum())
        for counts, draw in zip(outcome.treated, base.worlds.draws, strict=True)
    ]
    months = np.zeros(base.scenario.horizon_months, np.int64)
    months[-1] = round(sum(worth) / MICROS_PER_CENT)
    return months


def prices(base: BaseCase) -> pl.DataFrame:
    """Return what one of each volume of the base case adds to which account, in the order of the accounts."""
    scenario, known = base.scenario, dict[str, str]()
    strategies = {one.name: one for outcome in base.outcomes.values() for one in outcome.strategies}
    rows = list[tuple[Any, ...]]()
    for strategy in (None, *strategies.values()):
        folder, holder = ("economics", scenario.economics) if strategy is None else ("strategies", strategy)
        for path, _ in quantities(holder):
            known[_OF_SCHEDULE.get(_NUMBERED.sub("", path), path)] = f"{folder}/{holder.name}/{path}"
        postings = _postings(scenario.economics, strategy)
        rows += [_price(one, _volume(scenario, one, strategy), known) for one in postings]
    if scenario.after_horizon == "included":
        rows.append((str(Account.RETAINED), *_AFTER_HORIZON, 1, 1.0, None, None))
    rows.sort(key=lambda row: ACCOUNTS.index(row[0]))
    return table_of(rows, PRICES).join(volumes(base), on="volume", how="semi", maintain_order="left")


def _postings(economics: Economics, strategy: Strategy | None) -> Iterable[Posting]:
    return shop_postings(economics) if strategy is None else own_postings(economics, schedule(strategy))


def _price(one: Posting, volume: tuple[str, str], known: Mapping[str, str]) -> tuple[Any, ...]:
    whole = MICROS_PER_CENT if volume[1] == MONEY else MICROS
    factors = [f"{'1-' * path.startswith('1-')}{known.get(path.removeprefix('1-'))}" for path in one.factors]
    return (str(one.account), *volume, one.sign, one.size / whole, *factors, *[None] * (2 - len(factors)))


def _volume(scenario: Scenario, one: Posting, strategy: Strategy | None) -> tuple[str, str]:
    """Return the name of what is counted, which no other volume has, and its unit."""
    of_kind: Mapping[object, tuple[str, str]] = _VOLUMES[type(one.counted).__name__]
    name, unit = of_kind[one.counted]
    if strategy is None:
        return name, unit
    alone = [other.title for other in scenario.strategies].count(strategy.title) == 1
    return f"{name}: {strategy.title}{'' if alone else f' ({strategy.name})'}", unit


# It does not follow from the other volumes, nor from any price of the model.
_AFTER_HORIZON = ("Value of customers after the horizon", MONEY)
# Numbers of a schedule, by the number of an effect that each is.
_OF_SCHEDULE = {"effects.points.breakage": "breakage", "effects.acquisition.charge": "acquisition_charge"}
_NUMBERED = re.compile(r"_\d+(?=\.)")
# Names and units of what is counted, by the type of its kind: places of counts of two types can be equal.
_VOLUMES: Mapping[str, Mapping[Any, tuple[str, str]]] = {
    "CountKind": {
        CountKind.ORDERS: ("Orders", NUMBER),
        CountKind.LIST: ("Sales at list price", MONEY),
        CountKind.MARKDOWN: ("Discounts", MONEY),
        CountKind.REWARD: ("Rewards redeemed", MONEY),
        CountKind.ARRIVALS: ("New customers", NUMBER),
        CountKind.FEES: ("Membership fees", MONEY),
        CountKind.RETURNS: ("Returns", NUMBER),
        CountKind.REFUNDED: ("Refunds", MONEY),
        CountKind.SENT_BACK: ("Returned goods, at list price", MONEY),
        CountKind.TICKETS: ("Tickets", NUMBER),
        CountKind.COMPENSATION: ("Compensation", MONEY),
    },
    "ReachCountKind": {
        ReachCountKind.ORDERS: ("Orders of customers reached", NUMBER),
        ReachCountKind.PAID: ("Revenue from customers reached", MONEY),
        ReachCountKind.MEMBER_MONTHS: ("Member months", NUMBER),
        ReachCountKind.CONTACTS: ("Contacts", NUMBER),
        ReachCountKind.POINTS_VALUE: ("Outstanding points, at face value", MONEY),
        ReachCountKind.REDEMPTIONS: ("Redemptions", NUMBER),
        ReachCountKind.TICKETS: ("Tickets of customers reached", NUMBER),
        ReachCountKind.REFERRALS: ("Customers referred", NUMBER),
        ReachCountKind.ATTRACTED: ("Customers attracted", NUMBER),
    },
    "str": {
        "one_off": ("Launch", NUMBER),
        "monthly": ("Months in operation", NUMBER),
        "working_capital": ("Change in working capital", NUMBER),
    },
}


def npv_table(study: Study) -> pl.DataFrame:
    """Return the NPV of each arm but the baseline, one column each, in every world."""
    return study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw").select(study.scenario.arms[1:])


def booked(draws: Sequence[Draw], arms: Sequence[Arms], counts: Sequence[Counts]) -> Flows:
    """Return the money of every arm in every world."""
    amounts = [
        [
            booked_amounts(counted[world], prices, draw.later_prices) + costs.T
            for counted, prices, costs in zip(counts, *draw.prices(some), strict=True)
        ]
        for world, (draw, some) in enumerate(zip(draws, arms, strict=True))
    ]
    return Flows(arms=tuple(map(str, range(len(counts)))), amounts=np.array(amounts) / MICROS)


# Standard normal scores of the 10 % and the 90 % quantile, and of the 1 % and the 99 %.
Z90 = 1.2815515655446004
Z99 = 2.3263478740408408
