"""Counts of all draws in; the study's tables out: everything is booked in the ledger and summed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.scenario import Scenario, cautions, register, source_table
from cxsim.simulation import Counts, Population
from cxsim.study.draws import Draw
from cxsim.study.manifest import manifest
from cxsim.study.result import Replay, Study
from cxsim.study.shops import Shop
from cxsim.tallies import Tally, place
from cxsim.units import MICROS
from cxsim.valuation import Books, Flows, Rule, book, cash, flows, npv_by_draw, returns, statement, totals, weights

REFERRED = "referred"


def summed_up(
    scenario: Scenario,
    shop: Shop,
    population: Population,
    draws: Sequence[Draw],
    *,
    counts: Sequence[Counts],
    searched: pl.DataFrame,
) -> Study:
    """Return the study of a scenario; `searched` is under BREAK_EVEN."""
    calendar = scenario.calendar
    ledger = ledger_of(scenario, population, draws, counts)
    monthly = flows(ledger, scenario.arms, draws=len(draws), months=calendar.months)
    present = present_values(scenario, draws)
    titles = scenario.titles
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    return Study(
        scenario=scenario,
        returns=_returns(scenario, monthly, present, population),
        structures=_by_structure(scenario, monthly, present, population),
        break_even=searched,
        cautions=cautions(scenario),
        statement=_titled(statement(monthly, starts[:-1]), titles),
        totals=_titled(totals(monthly), titles),
        cash=_titled(cash(monthly, [start - timedelta(days=1) for start in starts[1:]]), titles),
        npv=_titled(npv_by_draw(monthly, present), titles),
        ledger=ledger,
        points=_points(scenario, counts),
        luck=_luck(scenario, counts, population),
        assumptions=register(scenario),
        sources=source_table(scenario),
        purchases=shop.purchases,
        spend=shop.spend,
        manifest=manifest(scenario, shop.rfm, ledger),
        replay=Replay(rfm=shop.rfm, population=population, draws=tuple(draws), counts=_counted(counts)),
    )


def ledger_of(
    scenario: Scenario, population: Population, draws: Sequence[Draw], counts: Sequence[Counts]
) -> pl.DataFrame:
    """Return the ledger of all draws, under LEDGER; a cohort of new customers is named after its first month."""
    calendar = scenario.calendar
    months = (f"{calendar.starts_of(month):%Y-%m}" for month in range(len(population.arrivals)))
    books = Books(arms=scenario.arms, cohorts=("existing", *months, REFERRED))
    return pl.concat(
        book(books, draw.world, counted.by_arm, tariffs=draw.tariffs(), fixed=draw.fixed())
        for draw, counted in zip(draws, counts, strict=True)
    )


def present_values(scenario: Scenario, draws: Sequence[Draw]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the present value of one unit of money in each month of each draw: shape (draws, months)."""
    rates = np.array([draw.economics.annual_discount_rate.value for draw in draws])
    return weights(scenario.calendar.month_starts, scenario.economics.timing, rates)


def _counted(counts: Sequence[Counts]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return per arm the counts of all worlds, summed over cohorts."""
    return tuple(
        np.stack([counted.by_arm[arm].sum(axis=0) for counted in counts]) for arm in range(len(counts[0].by_arm))
    )


def rule_of(scenario: Scenario) -> Rule:
    """Return how the shop of a scenario decides."""
    economics = scenario.economics
    return Rule(fund=economics.fund_probability.value, reject=economics.reject_probability.value)


def _returns(
    scenario: Scenario, monthly: Flows, present: np.ndarray[tuple[int, int], np.dtype[np.float64]], people: Population
) -> pl.DataFrame:
    return returns(
        monthly,
        present,
        rule_of(scenario),
        titles=scenario.titles,
        customers=people.size,
        structures=len(present) // scenario.draws,
    )


def _by_structure(
    scenario: Scenario, monthly: Flows, present: np.ndarray[tuple[int, int], np.dtype[np.float64]], people: Population
) -> pl.DataFrame:
    """Return the returns under each structure of leaving by itself, with the name of the structure in front."""
    parts = []
    for number, structure in enumerate(scenario.structures):
        worlds = slice(number * scenario.draws, (number + 1) * scenario.draws)
        alone = Flows(arms=monthly.arms, amounts=monthly.amounts[worlds])
        table = _returns(scenario, alone, present[worlds], people)
        parts.append(table.select(pl.lit(structure).alias("structure"), pl.all()))
    return pl.concat(parts)


def _titled(table: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return a table with the names of its strategies for readers."""
    return table.with_columns(title=pl.col("strategy").replace_strict(titles, return_dtype=pl.String))


def _points(scenario: Scenario, counts: Sequence[Counts]) -> pl.DataFrame:
    tallies = (Tally.POINTS_ISSUED, Tally.POINTS_REDEEMED, Tally.POINTS_EXPIRED, Tally.POINTS_OUTSTANDING)
    rows = []
    for arm, name in enumerate(scenario.arms[1:], start=1):
        sums = [sum(int(counted.by_arm[arm][:, :, place(tally)].sum()) for counted in counts) for tally in tallies]
        means = {tally.name.lower(): total / len(counts) for tally, total in zip(tallies, sums, strict=True)}
        rows.append({"strategy": name} | means)
    return pl.DataFrame(rows)


def _luck(scenario: Scenario, counts: Sequence[Counts], population: Population) -> pl.DataFrame:
    rows = []
    for arm, name in enumerate(scenario.arms[1:], start=1):
        sums = np.array([counted.paired[arm] for counted in counts]) / (MICROS, MICROS**2)
        means = sums[:, 0] / population.size
        errors = np.sqrt(np.maximum(sums[:, 1] / population.size - means**2, 0.0) / population.size)
        rows.append(
            {"strategy": name, "gain_per_customer": float(means.mean()), "paired_std_error": float(errors.mean())}
        )
    return pl.DataFrame(rows)
