"""A scenario, its fits and the number of a draw in; everything that this draw needs, out."""

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
from cxsim.clv.models.purchases import PurchaseParams, prob_alive
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.data.cdnow import named_orders
from cxsim.data.orders import Transactions
from cxsim.data.rfm import summarise
from cxsim.errors import ParamError
from cxsim.finance.economics import Economics, Schedule, fixed_costs, tariff
from cxsim.params import Quantity, root
from cxsim.simulation.engine import Counts, Executor, Inputs, simulate
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One draw of everything that is not known.

    Attributes
    ----------
    number
        Number of the draw, from 0; the same luck and the same assumptions under every structure of leaving.
    world
        Number of the world, from 0: draws of the first structure, then of the next.
    structure
        Model of orders and leaving.
    scenario
        The scenario with every assumption at its drawn value.
    purchases, spend
        Drawn parameters of the models; time in days.
    """

    number: int
    world: int
    structure: Model
    scenario: Scenario
    purchases: PurchaseParams
    spend: GammaGammaParams

    def tariffs(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what one of each tally adds to each account: shape (accounts, tallies)."""
        return tuple(tariff(self.scenario.economics, schedules) for schedules in self._schedules(arms))

    def fixed(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what programmes cost each month whatever customers do: shape (accounts, months)."""
        return tuple(fixed_costs(schedules, self.scenario.horizon_months) for schedules in self._schedules(arms))

    @property
    def economics(self) -> Economics:
        """Unit economics of this draw."""
        return self.scenario.economics

    def _schedules(self, arms: Arms | None) -> list[list[Schedule]]:
        played = arms_of(self.scenario) if arms is None else arms
        return [[schedule(strategy) for strategy in strategies] for strategies in played]


def draw_all(
    scenario: Scenario,
    structure: Model,
    purchases: Posterior[PurchaseParams],
    spend: Posterior[GammaGammaParams],
) -> list[Draw]:
    """Return all draws of a scenario under one structure.

    An assumption's draws are named after the assumption, so adding a strategy moves nobody else's numbers. Draw number
    n takes the n-th parameters from each posterior, of which there must be as many as draws.
    """
    # A strategy that is only searched is never played as it is written, and must keep the range of its search.
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    known = [one for one in assumptions(scenario) if not one[0].startswith(searched)]
    first = scenario.structures.index(structure) * scenario.draws
    return [
        Draw(
            number=number,
            world=first + number,
            structure=structure,
            scenario=_drawn(scenario, known, number),
            purchases=purchases.params(number),
            spend=spend.params(number),
        )
        for number in range(scenario.draws)
    ]


def with_room(population: Population, draws: Sequence[Draw], arms: Sequence[Arms] | None = None) -> Population:
    """Return the population with room for all customers whom any programme attracts in any draw.

    `arms` says for each draw what is played; the arms of its scenario when None.
    """
    most = population.arrivals
    played = [arms_of(draw.scenario) for draw in draws] if arms is None else arms
    for draw, strategies in zip(draws, played, strict=True):
        for months in _arrivals(draw.scenario, population, strategies):
            most = tuple(max(one, other) for one, other in zip(most, months, strict=True))
    return dataclasses.replace(population, most_arrivals=most)


def reached_in(population: Population, arms: Arms) -> tuple[npt.NDArray[np.bool_], ...]:
    """Return, per arm, who meets the condition of which reach; no draw changes it."""
    return tuple(
        reached_by(population, [strategy.programme().reach.who for strategy in strategies]) for strategies in arms
    )


def inputs_of(
    draw: Draw,
    population: Population,
    past: Sequence[npt.NDArray[np.float64]],
    reached: tuple[npt.NDArray[np.bool_], ...],
    *,
    arms: Arms | None = None,
) -> Inputs:
    """Return what the simulator needs for a draw."""
    scenario = draw.scenario
    played = arms_of(scenario) if arms is None else arms
    programmes = [[strategy.programme() for strategy in strategies] for strategies in played]
    plans = [
        compile_plan(arm, population.calendar, incidents=scenario.behaviour.incidents, stacking=_stacking(scenario))
        for arm in programmes
    ]
    return Inputs(
        draw=draw.number,
        latents=_latents(draw.purchases, draw.spend),
        prob_alive=prob_alive(draw.purchases, *past),
        world=compile_world(scenario.behaviour, population.calendar),
        plans=tuple(plans),
        arrivals=_arrivals(scenario, population, played),
        reached=reached,
        worths=tuple(worth.sum(axis=0) for worth in draw.tariffs(played)),
    )


def arms_of(scenario: Scenario) -> list[tuple[Strategy, ...]]:
    """Return the strategies that run in each arm: none in the baseline."""
    return [(), *(together for _, together in scenario.with_prior)]


def schedule(strategy: Strategy) -> Schedule:
    """Return a strategy's costs with the months in which it runs, and what its effects say of how they are counted."""
    monthly, charge = None, 0.0
    for effect in strategy.effects:
        match effect:
            case Contacts():
                monthly = effect.per_month.value
            case Acquisition():
                charge = effect.charge.value
            case _:
                pass
    return Schedule(
        costs=strategy.costs,
        from_month=strategy.reach.from_month,
        until_month=strategy.reach.until_month,
        contacts_per_month=monthly,
        acquisition_charge=charge,
    )


def _arrivals(scenario: Scenario, population: Population, arms: Arms) -> tuple[tuple[int, ...], ...]:
    """Return, per arm, how many customers arrive in each month, with the season and the programmes of a draw."""
    usual = usual_arrivals(scenario)
    return tuple(
        arrivals_of(
            [strategy.programme() for strategy in strategies],
            usual,
            population.calendar,
            stacking=_stacking(scenario),
        )
        for strategies in arms
    )


def usual_arrivals(scenario: Scenario) -> tuple[int, ...]:
    """Return how many customers arrive in each month without any programme."""
    arriving = scenario.new_customers
    if arriving is None:
        return ()
    levels = season_levels(scenario.behaviour.arrival_season, scenario.calendar)
    return tuple(round(arriving.per_month * float(levels[month])) for month in range(arriving.months))


def _stacking(scenario: Scenario) -> float:
    """Return the share that counts of weaker gains; nothing is weaker where no strategies run together."""
    return 1.0 if scenario.stacking is None else scenario.stacking.value


def _drawn(scenario: Scenario, known: Sequence[tuple[str, str, Quantity]], number: int) -> Scenario:
    luck = partial(rng.stream, scenario.seed, number)
    values = {
        identifier: rounded(quantity.quantile(float(luck(f"assumption {identifier}").standard_normal())))
        for identifier, _, quantity in known
    }
    return with_assumptions(scenario, values)


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


# Parameters drawn from each posterior; a scenario uses the first of them, so that more draws keep those it had.
POSTERIOR_DRAWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """What a scenario's orders say.

    Attributes
    ----------
    rfm
        Customers under RFM.
    purchases
        The fitted model of orders and leaving of each structure.
    spend
        The fitted model of spend.
    """

    rfm: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: GammaGammaFit


def fitted(scenario: Scenario) -> Shop:
    """Return the customers of a scenario's orders and the models fitted to them."""
    rfm = summarise(orders(scenario), until=scenario.observed_until)
    shop = Shop(
        rfm=rfm,
        purchases={structure: fit(rfm, model=structure) for structure in scenario.structures},
        spend=fit_spend(rfm),
    )
    _refuse_full_cards(scenario, shop.spend)
    return shop


def with_prior(
    scenario: Scenario, rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit
) -> tuple[Posterior[PurchaseParams], Posterior[GammaGammaParams]]:
    """Return what is believed of the parameters of orders and of spend, given the customers in `rfm`, under RFM."""
    pool = max(scenario.draws, POSTERIOR_DRAWS)
    return (
        posterior(purchases, rfm, draws=pool, seed=scenario.seed),
        posterior(spend, rfm, draws=pool, seed=scenario.seed),
    )


def orders(scenario: Scenario) -> Transactions:
    """Return the orders that a scenario names: the CDNOW log, its sample, or a file."""
    columns = dataclasses.asdict(scenario.columns)
    return named_orders(scenario.orders, columns=columns, until=scenario.observed_until, folder=root())


def population_of(scenario: Scenario, rfm: pl.DataFrame) -> Population:
    """Return who is simulated: the customers of `rfm`, under RFM, if wanted, and the new ones."""
    return Population(
        base=existing_customers(rfm) if scenario.existing_customers == "all" else empty_base(),
        arrivals=usual_arrivals(scenario),
        calendar=scenario.calendar,
    )


def past_of(population: Population) -> list[npt.NDArray[np.float64]]:
    """Return frequency, recency and age in days of the existing customers."""
    return [population.base[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency_days", "age_days")]


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


Progress = Callable[[int, int], None]


def drawn(scenario: Scenario, shop: Shop) -> list[Draw]:
    """Return all draws of a scenario, those of one structure after those of the other."""
    return [
        draw
        for structure in scenario.structures
        for draw in draw_all(
            scenario, structure, *with_prior(scenario, shop.rfm, shop.purchases[structure], shop.spend)
        )
    ]


def play(
    scenario: Scenario,
    draws: Sequence[Draw],
    population: Population,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Return what happens in every arm of each draw."""
    played = [arms_of(draw.scenario) for draw in draws]
    return play_arms(scenario, draws, population, arms=played, executor=executor, progress=progress)


def play_arms(
    scenario: Scenario,
    draws: Sequence[Draw],
    population: Population,
    *,
    arms: Sequence[Arms],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Return what happens in other arms than a scenario's own: for each draw its arms, the first of them the baseline.

    The arms of all draws are the same but for their numbers: whom a programme reaches is worked out once.
    """
    reached = reached_in(population, arms[0])
    past = past_of(population)
    inputs = [
        partial(inputs_of, draw, population, past, reached, arms=played)
        for draw, played in zip(draws, arms, strict=True)
    ]
    return simulate(population, inputs, seed=scenario.seed, executor=executor, progress=progress)


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
            sentence = f"{task}: {done} of {total}"
            bar = f'<progress value="{done}" max="{total}"></progress> {sentence}'
            handle.update({"text/html": bar, "text/plain": sentence}, raw=True)

    return show


def _in_kernel() -> bool:
    """Return whether this is a Jupyter kernel; IPython is looked for, not loaded, as a script has no use for it."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel") and "IPython.display" in sys.modules
