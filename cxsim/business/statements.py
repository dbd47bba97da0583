"""A study in; its investment figures, statements by period and by cohort, and the spread of its cash, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from cxsim.quantity import Quantity
from cxsim.study import Study
from cxsim.study.summing import present_values
from cxsim.tallies import Tally, place
from cxsim.valuation import cash_days, cohort_money, fan, flows, investment, periods


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Statements:
    """The money of a study.

    Attributes
    ----------
    investment, periods, cohorts, fan
        Under INVESTMENT, PERIODS, COHORT_MONEY and FAN.
    """

    investment: pl.DataFrame
    periods: pl.DataFrame
    cohorts: pl.DataFrame
    fan: pl.DataFrame


def statements(study: Study) -> Statements:
    """Return the money of a study."""
    scenario, worlds = study.scenario, len(study.replay.draws)
    calendar, economics = scenario.calendar, scenario.economics
    monthly = flows(study.ledger, scenario.arms, draws=worlds, months=calendar.months)
    present = present_values(scenario, study.replay.draws)
    days = cash_days(calendar.month_starts, economics.timing)
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    return Statements(
        investment=investment(
            monthly,
            present,
            titles=scenario.titles,
            customers=study.replay.population.size,
            days=days,
            hurdle=_or_nothing(economics.roi_hurdle),
            benefit_haircut=_or_nothing(economics.benefit_haircut),
            cost_uplift=_or_nothing(economics.cost_uplift),
            structures=len(scenario.structures),
            annual_discount_rate=economics.annual_discount_rate.value,
        ),
        periods=periods(monthly, present, starts[:-1], days=days, titles=scenario.titles),
        cohorts=cohort_money(
            study.ledger,
            scenario.arms,
            draws=worlds,
            months=calendar.months,
            customers=_customers(study),
            titles=scenario.titles,
        ),
        fan=fan(monthly, [start - timedelta(days=1) for start in starts[1:]], scenario.titles),
    )


def _or_nothing(quantity: Quantity | None) -> float:
    return 0.0 if quantity is None else quantity.value


def _customers(study: Study) -> Mapping[str, float]:
    """Return how many customers each cohort of the baseline has, means over worlds."""
    replay, calendar = study.replay, study.scenario.calendar
    counted = replay.counts[0].mean(axis=0)
    existing = {"existing": float(replay.population.base.height)}
    arrived = {
        f"{calendar.starts_of(month):%Y-%m}": float(counted[month, place(Tally.ARRIVALS)])
        for month in range(len(replay.population.arrivals))
    }
    return existing | arrived | {"referred": float(counted[:, place(Tally.REFERRED)].sum())}
