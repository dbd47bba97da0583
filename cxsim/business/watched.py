"""A study in; what each customer would bring within some days of being a customer, were nothing done, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.simulation import EVENTS, events
from cxsim.study import Study
from cxsim.study.draws import Draw, arms_of, inputs_of, reached_in
from cxsim.study.shop_log import SECONDS_PER_DAY
from cxsim.study.shops import past_of
from cxsim.study.summing import present_values
from cxsim.tallies import Tally, place
from cxsim.units import MICROS

Numbers = npt.NDArray[np.float64]
# What an event counts: for each tally the column of the log that holds how much of it, or one.
_COUNTED: Mapping[str, Mapping[Tally, str | None]] = {
    "ORDER": {Tally.ORDERS: None, Tally.LIST: "a", Tally.MARKDOWN: "b", Tally.REWARD: "c"},
    "RETURN": {Tally.RETURNS: None, Tally.REFUNDED: "a", Tally.SENT_BACK: "b"},
    "TICKET": {Tally.TICKETS: None, Tally.COMPENSATION: "d"},
}
# Customers whom others bring have numbers from here on; no test can draw lots for them beforehand.
_REFERRED = 1 << 40


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Watched:
    """Customers of one world without any strategy.

    Attributes
    ----------
    existing
        Shape (customers,): whether they were there at the start.
    entered
        Shape (customers,): day of the scenario on which they came; 0 for those who were there.
    within
        By number of days: what each brings within so many days of entering, in units of the currency; not a number
        where the scenario ends before.
    worth
        Shape (customers,): present value of all that each brings within the horizon.
    reached
        Shape (customers, strategies): who meets the condition of which strategy.
    """

    existing: npt.NDArray[np.bool_]
    entered: Numbers
    within: Mapping[int, Numbers]
    worth: Numbers
    reached: npt.NDArray[np.bool_]


def watched(study: Study, days: Sequence[int]) -> Watched:
    """Return what each customer brings within some days in the baseline, every number at its central value.

    Contribution is what the ledger books for orders, returns and tickets; winning the customer is not part of it.
    """
    draw = _central(study)
    population = study.replay.population
    reached = reached_in(population, arms_of(study.scenario))
    ready = inputs_of(draw, population, past_of(population), reached)
    log = events(population, ready, seed=study.scenario.seed).filter(pl.col("customer") < _REFERRED)
    came = log.filter(pl.col("kind") == EVENTS.index("ARRIVED")).select("customer", entered="second").sort("customer")
    there = population.base.height
    people = pl.concat(
        [
            pl.DataFrame({"customer": np.arange(there), "entered": np.zeros(there, np.int64)}),
            came,
        ]
    )
    brought = _brought(log, people, draw)
    end = study.scenario.calendar.days * SECONDS_PER_DAY
    entered = people["entered"].to_numpy()
    return Watched(
        existing=people["customer"].to_numpy() < there,
        entered=entered / SECONDS_PER_DAY,
        within={one: _within(brought, one, entered, end) for one in days},
        worth=_worth(brought, study, len(entered)),
        reached=_reached(reached, study, people["customer"].to_numpy()),
    )


def _central(study: Study) -> Draw:
    structure = study.scenario.structures[0]
    return dataclasses.replace(
        study.replay.draws[0],
        scenario=study.scenario,
        purchases=study.purchases[structure].params,
        spend=study.spend.params,
    )


def _brought(log: pl.DataFrame, people: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return what each event adds: place of the customer among the people, second, seconds since entry, millionths."""
    worth = draw.tariffs()[0].sum(axis=0)
    amount = pl.lit(0, pl.Int64)
    for kind, tallies in _COUNTED.items():
        each = pl.sum_horizontal(
            (pl.lit(1) if column is None else pl.col(column)) * int(worth[place(tally)])
            for tally, column in tallies.items()
        )
        amount = pl.when(pl.col("kind") == EVENTS.index(kind)).then(each).otherwise(amount)
    numbered = people.with_row_index("place")
    return (
        log.filter(pl.col("kind").is_in([EVENTS.index(kind) for kind in _COUNTED]))
        .select("customer", "second", amount=amount)
        .join(numbered, on="customer", how="left", maintain_order="left")
        .select("place", "second", "amount", since=pl.col("second") - pl.col("entered"))
    )


def _within(brought: pl.DataFrame, days: int, entered: npt.NDArray[np.int64], end: int) -> Numbers:
    seconds = days * SECONDS_PER_DAY
    early = brought.filter(pl.col("since") < seconds)
    total = _by_place(early["place"].to_numpy(), early["amount"].to_numpy(), len(entered))
    return np.where(entered + seconds <= end, total / MICROS, np.nan)


def _worth(brought: pl.DataFrame, study: Study, people: int) -> Numbers:
    present = present_values(study.scenario, study.replay.draws).mean(axis=0)
    calendar = study.scenario.calendar
    month = calendar.month_of_day[brought["second"].to_numpy() // SECONDS_PER_DAY]
    discounted = brought["amount"].to_numpy() * present[month] / MICROS
    return np.bincount(brought["place"].to_numpy(), discounted, minlength=people).astype(np.float64)


def _by_place(places: npt.NDArray[np.int64], amounts: npt.NDArray[np.int64], people: int) -> Numbers:
    # Whole millionths below 2**53 are exact as floats, so that no order of the sum matters.
    return np.bincount(places, amounts.astype(np.float64), minlength=people).astype(np.float64)


def _reached(
    by_arm: Sequence[npt.NDArray[np.bool_]], study: Study, customers: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return who is reached by each strategy that is believed: shape (customers, strategies)."""
    strategies = [one.name for one in study.scenario.strategies if one.mode == "prior"]
    newcomers = len(by_arm[0]) - 1
    rows = np.minimum(customers, newcomers)
    return np.column_stack([by_arm[study.scenario.arms.index(name)][rows, 0] for name in strategies])
