"""A scenario in; its fitted models, its draws and who is simulated, ready to simulate any arms of them, out."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim import rng
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.posterior import posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.data.cdnow import named_orders
from cxsim.data.orders import Transactions
from cxsim.data.rfm import summarise
from cxsim.errors import ParamError
from cxsim.finance.economics import Schedule, book, fixed_costs, tariff
from cxsim.finance.statement import weights
from cxsim.params import root
from cxsim.simulation.engine import Counts, Executor, Inputs, Progress, simulate
from cxsim.simulation.plan import arrivals_of, compile_plan
from cxsim.simulation.state import Latents
from cxsim.simulation.world import (
    Population,
    compile_world,
    empty_base,
    existing_customers,
    reached_by,
    rounded,
    season_levels,
)
from cxsim.strategies.mechanisms import Acquisition, Contacts, Points
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumptions, with_assumptions
from cxsim.study.scenario import Model, Scenario

# The strategies that run in each arm, at their drawn values; the first arm is the baseline and has none.
Arms = Sequence[tuple[Strategy, ...]]
Reached = tuple[npt.NDArray[np.bool_], ...]
# Parameters drawn from each posterior; a scenario uses the first of them, so that more draws keep those it had.
POSTERIOR_DRAWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Fits:
    """The customers of a scenario's orders, under RFM, and the models fitted to them: one of orders per structure."""

    rfm: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: GammaGammaFit


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One draw of everything that is not known."""

    number: int  # from 0; the same random numbers and the same assumptions under every structure of leaving
    world: int  # from 0: draws of the first structure, then of the next
    structure: Model
    scenario: Scenario  # with every assumption at its drawn value
    purchases: PurchaseParams  # time in days
    spend: GammaGammaParams

    @property
    def arms(self) -> list[tuple[Strategy, ...]]:
        """The scenario's own arms, at this draw's values."""
        return arms_of(self.scenario)

    def tariffs(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what one of each count adds to each account: shape (accounts, counts)."""
        economics = self.scenario.economics
        return tuple(tariff(economics, [schedule(one) for one in some]) for some in arms or self.arms)

    def fixed(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what programmes cost each month whatever customers do: shape (accounts, months)."""
        months = self.scenario.horizon_months
        return tuple(fixed_costs([schedule(one) for one in some], months) for some in arms or self.arms)


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
        inputs = [
            partial(_inputs, draw, people, reached, some) for draw, some in zip(self.draws, simulated, strict=True)
        ]
        return simulate(people, inputs, seed=self.scenario.seed, executor=executor, progress=progress)

    def inputs(self, draw: Draw) -> Inputs:
        """Return what the simulator needs for one draw and the scenario's own arms."""
        return _inputs(draw, self.population, _reached(self.population, draw.arms), draw.arms)

    def ledger(self, counts: Sequence[Counts]) -> pl.DataFrame:
        """Return the ledger of all worlds, under LEDGER; a cohort of new customers is named after its first month."""
        starts = [self.scenario.calendar.starts_of(month) for month in range(len(self.population.arrivals))]
        cohorts = ("existing", *(f"{start:%Y-%m}" for start in starts), "referred")
        return pl.concat(
            book(
                draw.world,
                counted.by_arm,
                arms=self.scenario.arms,
                cohorts=cohorts,
                tariffs=draw.tariffs(),
                fixed=draw.fixed(),
            )
            for draw, counted in zip(self.draws, counts, strict=True)
        )

    def present_values(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the present value of one unit of money in each month of each world: shape (worlds, months)."""
        rates = np.array([draw.scenario.economics.annual_discount_rate.value for draw in self.draws])
        return weights(self.scenario.calendar.month_starts, self.scenario.economics.timing, rates)


def fit_scenario(scenario: Scenario) -> Fits:
    """Return the customers of a scenario's orders and the models fitted to them."""
    rfm = summarise(orders(scenario), until=scenario.observed_until)
    purchases = {structure: fit(rfm, model=structure) for structure in scenario.structures}
    fits = Fits(rfm=rfm, purchases=purchases, spend=fit_spend(rfm))
    _refuse_full_cards(scenario, fits.spend)
    return fits


def draw_worlds(scenario: Scenario, fits: Fits) -> Worlds:
    """Return all worlds of a scenario, those of one structure after those of the other.

    An assumption's draws are named after the assumption, so adding a strategy moves nobody else's numbers. Draw number
    n takes the n-th parameters from each posterior.
    """
    pool = max(scenario.draws, POSTERIOR_DRAWS)
    spend = posterior(fits.spend, fits.rfm, draws=pool, seed=scenario.seed)
    # A strategy that is only searched is never simulated as it is written, and must keep the range of its search.
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    uncertain = {
        identifier: quantity for identifier, _, quantity in assumptions(scenario) if not identifier.startswith(searched)
    }
    drawn = []
    for number in range(scenario.draws):
        stream = partial(rng.stream, scenario.seed, number)
        scores = {name: float(stream(f"assumption {name}").standard_normal()) for name in uncertain}
        values = {name: rounded(quantity.quantile(scores[name])) for name, quantity in uncertain.items()}
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


def orders(scenario: Scenario) -> Transactions:
    """Return the orders that a scenario names: the CDNOW log, its sample, or a file."""
    columns = dataclasses.asdict(scenario.columns)
    return named_orders(scenario.orders, columns=columns, until=scenario.observed_until, folder=root())


def arms_of(scenario: Scenario) -> list[tuple[Strategy, ...]]:
    """Return the strategies that run in each arm: none in the baseline."""
    return [(), *(together for _, together in scenario.with_prior)]


def schedule(strategy: Strategy) -> Schedule:
    """Return a strategy's costs with the months in which it runs, and how its effects are counted."""
    contacts = [one.per_month.value for one in strategy.effects if isinstance(one, Contacts)]
    charges = [one.charge.value for one in strategy.effects if isinstance(one, Acquisition)]
    return Schedule(
        costs=strategy.costs,
        from_month=strategy.reach.from_month,
        until_month=strategy.reach.until_month,
        contacts_per_month=contacts[-1] if contacts else None,
        acquisition_charge=charges[-1] if charges else 0.0,
    )


def _with_room(population: Population, draws: Sequence[Draw], arms: Sequence[Arms]) -> Population:
    """Return the population with room for all customers whom any programme attracts in any draw."""
    months = [
        some
        for draw, simulated in zip(draws, arms, strict=True)
        for some in _arrivals(draw.scenario, population, simulated)
    ]
    most = tuple(max(numbers) for numbers in zip(population.arrivals, *months, strict=True))
    return dataclasses.replace(population, most_arrivals=most)


def _reached(population: Population, arms: Arms) -> Reached:
    """Return, per arm, who meets the condition of which reach; no draw changes it."""
    return tuple(
        reached_by(population, [strategy.programme().reach.who for strategy in strategies]) for strategies in arms
    )


def _inputs(draw: Draw, population: Population, reached: Reached, arms: Arms) -> Inputs:
    """Return what the simulator needs for a draw."""
    scenario, calendar = draw.scenario, population.calendar
    plan = partial(compile_plan, incidents=scenario.behaviour.incidents, stacking=_stacking(scenario))
    past = (population.base[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency_days", "age_days"))
    return Inputs(
        draw=draw.number,
        latents=_latents(draw.purchases, draw.spend),
        prob_alive=Outlook(draw.purchases, *past).prob_alive(),
        world=compile_world(scenario.behaviour, calendar),
        plans=tuple(plan([strategy.programme() for strategy in strategies], calendar) for strategies in arms),
        arrivals=_arrivals(scenario, population, arms),
        reached=reached,
        unit_values=tuple(amounts.sum(axis=0) for amounts in draw.tariffs(arms)),
    )


def _arrivals(scenario: Scenario, population: Population, arms: Arms) -> tuple[tuple[int, ...], ...]:
    """Return, per arm, how many customers arrive in each month, with the season and the programmes of a draw."""
    usual = _usual_arrivals(scenario)
    return tuple(
        arrivals_of(
            [strategy.programme() for strategy in strategies],
            usual,
            population.calendar,
            stacking=_stacking(scenario),
        )
        for strategies in arms
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


def _latents(purchases: PurchaseParams, spend: GammaGammaParams) -> Latents:
    if isinstance(purchases, BetaGeometricParams):
        leaving = {"a": purchases.a, "b": purchases.b, "s": 0.0, "beta": 1.0}
    else:
        leaving = {"a": 0.0, "b": 1.0, "s": purchases.s, "beta": purchases.beta}
    return Latents(
        r=purchases.r,
        alpha=purchases.alpha,
        drop_after_first=int(getattr(purchases, "leaves_after_first", False)),
        p=spend.p,
        q=spend.q,
        v=spend.v,
        **leaving,
    )


def _refuse_full_cards(scenario: Scenario, spend: GammaGammaFit) -> None:
    params = spend.params
    mean = params.p * params.v / (params.q - 1.0) if params.q > 1.0 else math.inf
    for strategy in scenario.strategies:
        for effect in strategy.effects:
            if isinstance(effect, Points) and effect.threshold.value <= effect.earn.value * mean:
                raise ParamError(
                    f"strategy '{strategy.name}': {effect.threshold.value:g} points fill a card, and an order of this "
                    f"shop, {mean:.2f} on average, already gives {effect.earn.value * mean:.0f}: every order would "
                    "earn a reward, which is a price cut and no programme. Raise points.threshold or lower points.earn."
                )


_EMPTY = {"text/html": "", "text/plain": ""}
# So many steps a bar has; more would only be sent and not be seen.
_STEPS = 50


def notebook_bar(task: str) -> Callable[[int, int], None] | None:
    """Return a function of done and total that draws a bar; None where no Jupyter kernel runs."""
    if not _in_kernel():
        return None
    handle: Any = sys.modules["IPython.display"].DisplayHandle()
    handle.display(_EMPTY, raw=True)
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        step = done * _STEPS // total
        if done == total:
            handle.update(_EMPTY, raw=True)
        elif step > shown:
            shown = step
            text = f"{task}: {done} of {total}"
            bar = f'<progress value="{done}" max="{total}"></progress> {text}'
            handle.update({"text/html": bar, "text/plain": text}, raw=True)

    return show


def _in_kernel() -> bool:
    """Return whether this is a Jupyter kernel; IPython is looked for, not loaded, as a script has no use for it."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel") and "IPython.display" in sys.modules
