"""A scenario in; its fitted models, its draws and who is simulated, ready to simulate any arms of them, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim import rng
from cxsim.clv.models.gamma_gamma import SpendParams
from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.data.orders import Transactions
from cxsim.data.shop import Finding
from cxsim.finance.economics import Schedule, Usual, book, fixed_costs, later_contribution, later_counts, tariff
from cxsim.finance.statement import later_weights, weights
from cxsim.params import MICROS
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.simulation.engine import Counts, Executor, Inputs, Progress, simulate
from cxsim.simulation.plan import arrivals_of, compile_plan
from cxsim.simulation.state import Latents
from cxsim.simulation.world import (
    Population,
    compile_world,
    empty_base,
    existing_customers,
    reached_by,
    season_levels,
    usual_tickets,
)
from cxsim.strategies.effects import Programme
from cxsim.strategies.mechanisms import Acquisition, Points
from cxsim.strategies.strategy import Strategy
from cxsim.strategies.units import value_of
from cxsim.study.assumptions import drawn_assumptions, with_assumptions
from cxsim.study.scenario import Model, Scenario

# The strategies that run in each arm, at their drawn values; the first arm is the baseline and has none.
Arms = Sequence[tuple[Strategy, ...]]
Reached = tuple[npt.NDArray[np.bool_], ...]
Amounts = tuple[npt.NDArray[np.int64], ...]
# Parameters drawn from each posterior; a scenario uses the first of them, so that more draws keep those it had.
POSTERIOR_DRAWS = 1000


class Fits(NamedTuple):
    """The customers of a scenario's orders, under RFM, and the models fitted to them: one of orders per structure.

    `findings`: what was found in the orders; `reading`: how they were read, for the manifest; `orders`: the orders,
    where they were read.
    """

    rfm: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: SpendFit
    findings: tuple[Finding, ...] = ()
    reading: Mapping[str, object] = MappingProxyType({})
    orders: Transactions | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One draw of everything that is not known."""

    number: int  # from 0; the same random numbers and the same assumptions under every structure of leaving
    world: int  # from 0: draws of the first structure, then of the next
    structure: Model
    scenario: Scenario  # with every assumption at its drawn value
    purchases: PurchaseParams  # time in days
    spend: SpendParams

    @property
    def arms(self) -> list[tuple[Strategy, ...]]:
        """The scenario's own arms, at this draw's values: no strategy in the baseline."""
        return [(), *(together for _, together in self.scenario.with_prior)]

    @property
    def later_contribution(self) -> npt.NDArray[np.float64]:
        """What one of LATER_ORDERS and LATER_LIST contributes when it comes, in millionths."""
        behaviour = self.scenario.behaviour
        usual = Usual(tickets=usual_tickets(behaviour.experience))
        if behaviour.returns is not None:
            chance, part = behaviour.returns.chance.value, behaviour.returns.part.value
            usual = replace(usual, return_chance=chance, return_part=part)
        return later_contribution(self.scenario.economics, usual)

    @property
    def later_prices(self) -> npt.NDArray[np.int64]:
        """What one of both in each year after the horizon is worth in its last month: nothing, unless it is included.

        Shape (YEARS_AFTER, 2), in whole millionths, so that customers, counts and ledger hold the same money.
        """
        scenario = self.scenario
        if scenario.after_horizon == "excluded":
            return np.zeros((YEARS_AFTER, 2), np.int64)
        rate, starts = np.array([scenario.economics.annual_discount_rate.value]), scenario.calendar.month_starts
        last = weights(starts, scenario.economics.timing, rate)[0, -1]
        later = later_weights(starts, rate)[0] / last
        prices: npt.NDArray[np.int64] = np.rint(later[:, None] * self.later_contribution).astype(np.int64)
        return prices

    def prices(self, arms: Arms) -> tuple[Amounts, Amounts]:
        """Return per arm what one of each count adds to each account, and what each account costs in each month.

        Shapes (accounts, counts) and (accounts, months).
        """
        months, schedules = self.scenario.horizon_months, [[schedule(one) for one in some] for some in arms]
        return (
            tuple(tariff(self.scenario.economics, some) for some in schedules),
            tuple(fixed_costs(some, months) for some in schedules),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Worlds:
    """All worlds of a scenario: the same customers, with one draw for each world of everything that is not known."""

    scenario: Scenario
    rfm: pl.DataFrame  # the customers of the orders, under RFM
    population: Population  # who is simulated, with room for all whom any programme attracts in any draw
    draws: tuple[Draw, ...]

    def simulate(
        self,
        arms: Sequence[Arms] | None = None,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> list[Counts]:
        """Return what happens in every arm of each world: in the scenario's own, or in other arms for each draw.

        The arms of all draws are the same but for their numbers: whom a programme reaches is worked out once.
        """
        simulated = [draw.arms for draw in self.draws] if arms is None else arms
        people = _with_room(self.population, self.draws, simulated)
        reached = _reached(people, simulated[0])
        inputs = [partial(_inputs, *each, people, reached) for each in zip(self.draws, simulated, strict=True)]
        return simulate(people, inputs, seed=self.scenario.seed, executor=executor, progress=progress)

    def inputs(self, draw: Draw) -> Inputs:
        """Return what the simulator needs for one draw and the scenario's own arms."""
        return _inputs(draw, draw.arms, self.population, _reached(self.population, draw.arms))

    def ledger(self, counts: Sequence[Counts]) -> pl.DataFrame:
        """Return the ledger of all worlds, under LEDGER; a cohort of new customers is named after its first month."""
        scenario = self.scenario
        starts = map(scenario.calendar.starts_of, range(len(self.population.arrivals)))
        booked = partial(
            book, arms=scenario.arms, cohorts=("existing", *(f"{start:%Y-%m}" for start in starts), "referred")
        )
        prices = [draw.prices(draw.arms) for draw in self.draws]
        return pl.concat(
            booked(draw.world, counted.by_arm, tariffs=tariffs, fixed=fixed, later=draw.later_prices)
            for draw, counted, (tariffs, fixed) in zip(self.draws, counts, prices, strict=True)
        )

    def later_money(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what customers who are still there at the horizon bring in each year after it, not discounted.

        From the counts of an arm, shape (worlds, months, counts): shape (worlds, years), in units of the currency.
        """
        prices = np.array([draw.later_contribution for draw in self.draws])
        money: npt.NDArray[np.float64] = (later_counts(counts) * prices[:, None, :]).sum(axis=2) / MICROS
        return money

    def later_values(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the present value of `later_money` in each world."""
        rates = np.array([draw.scenario.economics.annual_discount_rate.value for draw in self.draws])
        money = self.later_money(counts)
        present = later_weights(self.scenario.calendar.month_starts, rates, years=money.shape[1])
        total: npt.NDArray[np.float64] = (money * present).sum(axis=1)
        return total

    def present_values(self) -> npt.NDArray[np.float64]:
        """Return the present value of one unit of money in each month of each world: shape (worlds, months)."""
        rates = np.array([draw.scenario.economics.annual_discount_rate.value for draw in self.draws])
        return weights(self.scenario.calendar.month_starts, self.scenario.economics.timing, rates)


def counts_by_arm(counts: Sequence[Counts]) -> Amounts:
    """Return what is counted in each arm, summed over cohorts: shapes (worlds, months, counts)."""
    return tuple(
        np.stack([each.sum(axis=0) for each in arm]) for arm in zip(*(one.by_arm for one in counts), strict=True)
    )


def draw_worlds(scenario: Scenario, fits: Fits) -> Worlds:
    """Return all worlds of a scenario, those of one structure after those of the other.

    An assumption's draws are named after the assumption, so adding a strategy moves nobody else's numbers. Draw number
    n takes the n-th parameters from each posterior.
    """
    pool = max(scenario.draws, POSTERIOR_DRAWS)
    spend: Posterior[SpendParams] = posterior(fits.spend, fits.rfm, draws=pool, seed=scenario.seed)
    uncertain = drawn_assumptions(scenario)
    drawn = []
    for number in range(scenario.draws):
        stream = partial(rng.stream, scenario.seed, number)
        values = {one.id: one.at(stream(f"assumption {one.id}").standard_normal()) for one in uncertain}
        drawn.append(with_assumptions(scenario, values))
    draws = []
    for place, structure in enumerate(scenario.structures):
        purchases = posterior(fits.purchases[structure], fits.rfm, draws=pool, seed=scenario.seed)
        draws += [
            Draw(
                number=number,
                world=place * scenario.draws + number,
                structure=structure,
                scenario=one,
                purchases=purchases.params(number),
                spend=spend.params(number),
            )
            for number, one in enumerate(drawn)
        ]
    population = Population(
        base=existing_customers(fits.rfm) if scenario.existing_customers == "all" else empty_base(),
        arrivals=_usual_arrivals(scenario),
        calendar=scenario.calendar,
    )
    people = _with_room(population, draws, [draw.arms for draw in draws])
    return Worlds(scenario=scenario, rfm=fits.rfm, population=people, draws=tuple(draws))


def schedule(strategy: Strategy) -> Schedule:
    """Return a strategy's costs with the months in which it runs, and what whom it attracts costs."""
    charges = [one.charge.value for one in strategy.effects if isinstance(one, Acquisition)]
    return Schedule(
        costs=strategy.costs,
        from_month=strategy.reach.from_month,
        until_month=strategy.reach.until_month,
        acquisition_charge=charges[-1] if charges else 0.0,
        breakage=next((value_of(one.breakage) for one in strategy.effects if isinstance(one, Points)), 0.0),
    )


def _with_room(population: Population, draws: Sequence[Draw], arms: Sequence[Arms]) -> Population:
    """Return the population with room for all customers whom any programme attracts in any draw."""
    months = chain.from_iterable(
        _arrivals(draw.scenario, population, simulated) for draw, simulated in zip(draws, arms, strict=True)
    )
    most = tuple(map(max, zip(population.arrivals, *months, strict=True)))
    return replace(population, most_arrivals=most)


def _reached(population: Population, arms: Arms) -> Reached:
    """Return, per arm, who meets the condition of which reach; no draw changes it."""
    return tuple(reached_by(population, [one.reach.who for one in programmes]) for programmes in _programmes(arms))


def _inputs(draw: Draw, arms: Arms, population: Population, reached: Reached) -> Inputs:
    """Return what the simulator needs for a draw."""
    scenario, calendar = draw.scenario, population.calendar
    plan = partial(compile_plan, incidents=scenario.behaviour.incidents, stacking=_stacking(scenario))
    past = (population.base[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency_days", "age_days"))
    return Inputs(
        draw=draw.number,
        latents=_latents(draw.purchases, draw.spend),
        prob_alive=Outlook(draw.purchases, *past).prob_alive(),
        world=compile_world(scenario.behaviour, calendar),
        plans=tuple(plan(programmes, calendar) for programmes in _programmes(arms)),
        arrivals=_arrivals(scenario, population, arms),
        reached=reached,
        later=draw.later_prices,
        unit_values=tuple(amounts.sum(axis=0) for amounts in draw.prices(arms)[0]),
    )


def _programmes(arms: Arms) -> list[list[Programme]]:
    return [[strategy.programme() for strategy in strategies] for strategies in arms]


def _arrivals(scenario: Scenario, population: Population, arms: Arms) -> tuple[tuple[int, ...], ...]:
    """Return, per arm, how many customers arrive in each month, with the season and the programmes of a draw."""
    usual, stacking = _usual_arrivals(scenario), _stacking(scenario)
    return tuple(
        arrivals_of(programmes, usual, population.calendar, stacking=stacking) for programmes in _programmes(arms)
    )


def _usual_arrivals(scenario: Scenario) -> tuple[int, ...]:
    """Return how many customers arrive in each month without any programme."""
    arriving = scenario.new_customers
    if arriving is None:
        return ()
    levels = season_levels(scenario.behaviour.arrival_season, scenario.calendar)
    return tuple(round(arriving.per_month * float(levels[month])) for month in range(arriving.months))


def _stacking(scenario: Scenario) -> float:
    """Return the share that counts of weaker gains; nothing is weaker where no strategies run together."""
    return 1.0 if scenario.stacking is None else scenario.stacking.value


def _latents(purchases: PurchaseParams, spend: SpendParams) -> Latents:
    # What a model of leaving does not have: no chance to leave after an order, no hazard; and a model of spend: a price
    # for all, or where there is one any spread.
    none = {
        "a": 0.0,
        "b": 1.0,
        "s": 0.0,
        "beta": 1.0,
        **dict.fromkeys(("p", "q", "v"), 1.0),
        "price": 0.0,
        "drop_after_first": int(getattr(purchases, "leaves_after_first", 0)),
    }
    numbers = none | asdict(purchases) | asdict(spend)
    return Latents._make(numbers[name] for name in Latents._fields)
