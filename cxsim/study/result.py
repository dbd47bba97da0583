"""What a study found: one frozen object of tables, and how it shows itself."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.data.shop import Shop
from cxsim.finance.economics import book
from cxsim.finance.returns import Rule, npv_by_draw, returns
from cxsim.finance.statement import Flows, cash, flows, statement, totals, weights
from cxsim.params import MICROS
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Counts
from cxsim.simulation.world import Population
from cxsim.study.assumptions import cautions, register, source_table
from cxsim.study.play import Draw
from cxsim.study.play import Shop as ShopsShop
from cxsim.study.provenance import manifest
from cxsim.study.scenario import BASELINE, Model, Scenario
from cxsim.study.shop_tables import ShopTables, tables_of


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Replay:
    """What is needed to play a world of a study again.

    Attributes
    ----------
    rfm
        The shop's customers, under RFM.
    population
        Who is simulated.
    draws
        All draws, one for each world.
    counts
        Per arm what was counted in each world, summed over cohorts: shape (worlds, months, tallies).
    """

    rfm: pl.DataFrame
    population: Population
    draws: tuple[Draw, ...]
    counts: tuple[npt.NDArray[np.int64], ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Study:
    """A scenario played out: every strategy against doing nothing, on the same customers with the same luck.

    Attributes
    ----------
    scenario
        What was asked.
    returns
        One row per strategy, under RETURNS: NPV, ROI, payback, P(NPV > 0), intervals and Monte Carlo errors.
    statement
        Incremental profit and loss by month, under STATEMENT.
    totals
        The same by year and over the horizon, with the intervals of the sums, under TOTALS.
    cash
        Cumulative incremental cash by month, under CASH.
    structures
        Returns under each structure of leaving by itself: the columns of RETURNS behind `structure`.
    break_even
        How large the effects that are only searched must be, under BREAK_EVEN.
    cautions
        What to know before believing a strategy's results, under CAUTIONS.
    npv
        NPV, outlay and payback of every strategy in every draw.
    ledger
        Every amount by draw, arm, cohort, month and account, in millionths of the currency unit, under LEDGER.
    points
        Points issued, redeemed, expired and still outstanding, per strategy; means over draws.
    luck
        Per strategy the gain per customer and its standard error with the same luck in both arms, means over draws.
    assumptions
        Every number that was assumed, under ASSUMPTIONS.
    sources
        The sources that those numbers cite.
    purchases, spend
        The fitted models; of orders and leaving one for each structure.
    manifest
        What is needed to make the study again: versions, seed, and the hashes of inputs and results.
    replay
        What is needed to play single worlds again, for `tables`.
    """

    scenario: Scenario
    returns: pl.DataFrame
    structures: pl.DataFrame
    break_even: pl.DataFrame
    cautions: pl.DataFrame
    statement: pl.DataFrame
    totals: pl.DataFrame
    cash: pl.DataFrame
    npv: pl.DataFrame
    ledger: pl.DataFrame
    points: pl.DataFrame
    luck: pl.DataFrame
    assumptions: pl.DataFrame
    sources: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: GammaGammaFit
    manifest: Mapping[str, object]
    replay: Replay

    @property
    def currency(self) -> str:
        """Code of the currency."""
        return self.scenario.economics.currency

    @property
    def strategies(self) -> pl.DataFrame:
        """One row per strategy: strategy, title, description, and harms, what can go wrong."""
        names = ("strategy", "title", "description", "harms")
        rows = [(one.name, one.title, one.description, one.harms) for one in self.scenario.strategies]
        for one in self.scenario.combinations:
            together = " and ".join(self.scenario.titles[name] for name in one.strategies)
            rows.append((one.name, one.title, f"At the same time: {together}.", "As of its parts."))
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def tables(self, arm: str = BASELINE, *, draw: int = 0) -> ShopTables:
        """Return what one world would look like in a shop's own tables: orders, tickets, surveys and so on.

        Parameters
        ----------
        arm
            The baseline, a strategy or a combination.
        draw
            Number of the world, from 0.

        Returns
        -------
        ShopTables
            ORDERS, TICKETS, SURVEYS, RETURNS, CONTACTS, SESSIONS and more, under their contracts.

        Raises
        ------
        ParamError
            For an unknown arm or draw.
        """
        replay = self.replay
        return tables_of(self.scenario, replay.draws, replay.population, replay.rfm, arm=arm, draw=draw)

    def shop(self, arm: str = BASELINE, *, draw: int = 0) -> Shop:
        """Return one world as a shop that observed it: its tables, with costs and marketing as this world has them.

        Parameters
        ----------
        arm
            The baseline, a strategy or a combination.
        draw
            Number of the world, from 0.

        Returns
        -------
        Shop
            From the first day of the scenario to the end of its horizon. Existing customers have ordered before;
            `order_number` is 1 at the first order ever, so that nobody is taken for new who is not.

        Raises
        ------
        ParamError
            For an unknown arm or draw.
        """
        return self.tables(arm, draw=draw).shop(self.replay.draws[draw].scenario, name=self.scenario.title)

    def __repr__(self) -> str:
        found = ", ".join(f"{row['strategy']}: {row['decision']}" for row in self.returns.iter_rows(named=True))
        return f"Study({self.scenario.name}; {self.scenario.draws} draws; {found})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(row['title'])}</td><td>{row['decision']}</td><td>{round(row['incremental_npv']):,}</td>"
            f"<td>{round(row['npv_low']):,} to {round(row['npv_high']):,}</td></tr>"
            for row in self.returns.iter_rows(named=True)
        )
        return (
            f"<table><caption>{html.escape(self.scenario.title)}: {self.scenario.draws} draws</caption><tr>"
            f"<th>strategy</th><th>decision</th><th>incremental NPV, {self.currency}</th><th>90 % interval</th></tr>"
            f"{rows}</table>"
        )


REFERRED = "referred"


def summed_up(
    scenario: Scenario,
    shop: ShopsShop,
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
    cohorts = ("existing", *months, REFERRED)
    return pl.concat(
        book(
            draw.world,
            counted.by_arm,
            arms=scenario.arms,
            cohorts=cohorts,
            tariffs=draw.tariffs(),
            fixed=draw.fixed(),
        )
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
    count_kinds = (
        CountKind.POINTS_ISSUED,
        CountKind.POINTS_REDEEMED,
        CountKind.POINTS_EXPIRED,
        CountKind.POINTS_OUTSTANDING,
    )
    rows = []
    for arm, name in enumerate(scenario.arms[1:], start=1):
        sums = [
            sum(int(counted.by_arm[arm][:, :, place(count_kind)].sum()) for counted in counts)
            for count_kind in count_kinds
        ]
        means = {
            count_kind.name.lower(): total / len(counts) for count_kind, total in zip(count_kinds, sums, strict=True)
        }
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
