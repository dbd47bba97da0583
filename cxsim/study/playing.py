"""A scenario in, a study out: read, fit, draw, simulate every arm under the same luck, book, and sum up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import numpy as np
import polars as pl

from cxsim.data import Transactions, named_orders, summarise
from cxsim.estimation import GammaGammaFit, Posterior, PurchaseFit, fit, fit_spend, posterior
from cxsim.models import GammaGammaParams, PurchaseParams
from cxsim.params import root
from cxsim.scenario import Scenario, register, source_table
from cxsim.simulation import Counts, Executor, Population, empty_base, existing_customers, simulate
from cxsim.study.draws import Draw, draw_all, inputs_of, reached_in
from cxsim.study.manifest import manifest
from cxsim.study.notebook_bar import notebook_bar
from cxsim.study.result import Study
from cxsim.tallies import Tally, place
from cxsim.units import MICROS
from cxsim.valuation import Books, Rule, book, cash, flows, npv_by_draw, returns, statement, totals, weights

Progress = Callable[[int, int], None]
# Parameters drawn from each posterior; a scenario uses the first of them, so that more draws keep those it had.
POSTERIOR_DRAWS = 1000


def run(scenario: Scenario, *, executor: Executor | None = None, progress: Progress | None = None) -> Study:
    """Play out a scenario.

    Parameters
    ----------
    scenario
        From `load_scenario`, or made by hand.
    executor
        Anything with `submit`, such as the executors of concurrent.futures; threads, one per processor, when None.
        The results do not depend on it.
    progress
        Called with the number of tasks done and their total. When None, Jupyter shows a bar, and a script nothing.

    Returns
    -------
    Study
        Returns, statement, ledger and manifest.

    Raises
    ------
    DataError, EstimationError, ParamError, SimulationError
        When orders, models, assumptions or plans cannot be used; the message says what is possible.
    """
    rfm = summarise(orders(scenario), until=scenario.observed_until)
    purchases, spend = fit(rfm, model=scenario.model), fit_spend(rfm)
    population = population_of(scenario, rfm)
    draws = draw_all(scenario, *believed(scenario, rfm, purchases, spend))
    past = [population.base[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency_days", "age_days")]
    reached = reached_in(scenario, population)
    inputs = [partial(inputs_of, draw, population, past, reached) for draw in draws]
    bar = progress or notebook_bar("Simulating")
    counts = simulate(population, inputs, seed=scenario.seed, executor=executor, progress=bar)
    return _summed_up(scenario, rfm, (purchases, spend), population, draws, counts)


def believed(
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
    arriving = scenario.new_customers
    return Population(
        base=existing_customers(rfm) if scenario.existing_customers == "all" else empty_base(),
        arrivals=() if arriving is None else (arriving.per_month,) * arriving.months,
        calendar=scenario.calendar,
    )


def ledger_of(
    scenario: Scenario, population: Population, draws: Sequence[Draw], counts: Sequence[Counts]
) -> pl.DataFrame:
    """Return the ledger of all draws, under LEDGER; a cohort of new customers is named after its first month."""
    calendar = scenario.calendar
    cohorts = ("existing", *(f"{calendar.starts_of(month):%Y-%m}" for month in range(len(population.arrivals))))
    books = Books(arms=scenario.arms, cohorts=cohorts)
    return pl.concat(
        book(books, draw.number, counted.by_arm, tariffs=draw.tariffs(), fixed=draw.fixed())
        for draw, counted in zip(draws, counts, strict=True)
    )


def _summed_up(
    scenario: Scenario,
    rfm: pl.DataFrame,
    fits: tuple[PurchaseFit, GammaGammaFit],
    population: Population,
    draws: Sequence[Draw],
    counts: Sequence[Counts],
) -> Study:
    calendar = scenario.calendar
    ledger = ledger_of(scenario, population, draws, counts)
    monthly = flows(ledger, scenario.arms, draws=len(draws), months=calendar.months)
    rates = np.array([draw.economics.annual_discount_rate.value for draw in draws])
    present = weights(calendar.month_starts, scenario.economics.timing, rates)
    rule = Rule(fund=scenario.economics.fund_probability.value, reject=scenario.economics.reject_probability.value)
    titles = {strategy.name: strategy.title for strategy in scenario.strategies}
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    return Study(
        scenario=scenario,
        returns=returns(monthly, present, rule, titles=titles, customers=population.size),
        statement=_titled(statement(monthly, starts[:-1]), titles),
        totals=_titled(totals(monthly), titles),
        cash=_titled(cash(monthly, [start - timedelta(days=1) for start in starts[1:]]), titles),
        npv=_titled(npv_by_draw(monthly, present), titles),
        ledger=ledger,
        points=_points(scenario, counts),
        luck=_luck(scenario, counts),
        assumptions=register(scenario),
        sources=source_table(scenario),
        purchases=fits[0],
        spend=fits[1],
        manifest=manifest(scenario, rfm, ledger),
    )


def _titled(table: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return a table with the names of its strategies for readers."""
    return table.with_columns(title=pl.col("strategy").replace_strict(titles, return_dtype=pl.String))


def _points(scenario: Scenario, counts: Sequence[Counts]) -> pl.DataFrame:
    tallies = (Tally.POINTS_ISSUED, Tally.POINTS_REDEEMED, Tally.POINTS_EXPIRED, Tally.POINTS_OUTSTANDING)
    rows = []
    for arm, name in enumerate(scenario.arms[1:], start=1):
        totals = [sum(int(counted.by_arm[arm][:, :, place(tally)].sum()) for counted in counts) for tally in tallies]
        means = {tally.name.lower(): total / len(counts) for tally, total in zip(tallies, totals, strict=True)}
        rows.append({"strategy": name} | means)
    return pl.DataFrame(rows)


def _luck(scenario: Scenario, counts: Sequence[Counts]) -> pl.DataFrame:
    rows = []
    for arm, name in enumerate(scenario.arms[1:], start=1):
        size = counts[0].customers
        sums = np.array([counted.paired[arm] for counted in counts]) / (MICROS, MICROS**2)
        means = sums[:, 0] / size
        errors = np.sqrt(np.maximum(sums[:, 1] / size - means**2, 0.0) / size)
        rows.append(
            {"strategy": name, "gain_per_customer": float(means.mean()), "paired_std_error": float(errors.mean())}
        )
    return pl.DataFrame(rows)
