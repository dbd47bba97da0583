"""A shop in; what its customers do by when they came, what they said and what they met, or why none can say, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from cxsim.cohorts import cohort_table, ltv_by_nps, selection_panel
from cxsim.drivers import DOSES_OF, associations, dose_curve, person_periods
from cxsim.errors import CxsimError, DataError
from cxsim.measured import ASSOCIATIONS, CLV_STEPS, COHORTS, DASHBOARD, DOSES, SELECTION, SERIES, WORTH_BY_NPS
from cxsim.metrics import CATALOGUE, Dashboard, dashboard
from cxsim.overview.predictive_clv import predictive_clv
from cxsim.shop import Every, Shop, complete_periods
from cxsim.tables import Contract, check, empty
from cxsim.units import CENTS

_ORDERS = ("orders.customer_id",)
_ANSWERS = (*_ORDERS, "surveys.customer_id")
# Enough to see what can be acted on, and few enough not to keep a reader waiting; drawn by identifier.
_MOST_CUSTOMERS = 10_000
# Effective per year; the shop's own choice, which the table names.
_DISCOUNT_RATE = 0.10


class Part(NamedTuple):
    """One table of an overview.

    Attributes
    ----------
    contract
        What it keeps.
    needs
        Without which it cannot be made, by table or table.column.
    make
        Makes it of a shop.
    nobody
        What is said where it has no rows.
    """

    contract: Contract
    needs: tuple[str, ...]
    make: Callable[[Shop], pl.DataFrame]
    nobody: str


def dashboard_of(shop: Shop, every: Every) -> tuple[Dashboard, str | None]:
    """Return the dashboard of a shop; where no period is complete, one without values, and why."""
    if complete_periods(shop.since, shop.until, every):
        return dashboard(shop, every=every), None
    seen = f"{shop.since:%Y-%m-%d %H:%M} to before {shop.until:%Y-%m-%d %H:%M}"
    reason = f"no {every} is complete: it was observed from {seen}."
    rows = [
        {
            "metric": metric.name,
            "title": metric.title,
            "family": metric.family,
            "unit": metric.unit,
            "direction": metric.direction,
            "period_start": shop.since,
            "period_end": shop.until,
            "method": "",
            "caution": "",
            "missing": reason,
        }
        for metric in CATALOGUE
    ]
    table = pl.DataFrame(rows, schema=empty(DASHBOARD).schema)
    return Dashboard(table=check(table, DASHBOARD), series=empty(SERIES)), reason


def part_of(shop: Shop, part: Part) -> tuple[pl.DataFrame, str | None]:
    """Return a table of a shop; or an empty one, and why it is empty."""
    reason = next((why for need in part.needs if (why := shop.missing(need)) is not None), None)
    if reason is not None:
        return empty(part.contract), reason
    try:
        table = part.make(shop)
    except CxsimError as error:
        return empty(part.contract), str(error)
    return table, part.nobody if table.is_empty() else None


def _worth(shop: Shop) -> pl.DataFrame:
    return ltv_by_nps(shop.table("orders"), shop.table("surveys"))


def _selection(shop: Shop) -> pl.DataFrame:
    return selection_panel(shop.table("orders"), shop.table("surveys"), until=shop.until)


def _cohorts(shop: Shop) -> pl.DataFrame:
    return _valued(cohort_table(shop))


def _associations(shop: Shop) -> pl.DataFrame:
    return associations(person_periods(shop, most_customers=_MOST_CUSTOMERS), cross_check="none").table


def _doses(shop: Shop) -> pl.DataFrame:
    seen = [name for name, dose in DOSES_OF.items() if all(shop.missing(need) is None for need in dose.needs)]
    if not seen:
        raise DataError(f"the tables show none of {', '.join(DOSES_OF)}.")
    return _valued(pl.concat(dose_curve(shop, name) for name in seen))


def _clv(shop: Shop) -> pl.DataFrame:
    return predictive_clv(shop, annual_discount_rate=_DISCOUNT_RATE, margin=_margin(shop)).steps


def _margin(shop: Shop) -> float:
    """Return the share of revenue that is left after the cost of orders; all of it where no cost is known."""
    if shop.missing("orders.cost") is not None:
        return 1.0
    costed = shop.table("orders").filter(pl.col("cost").is_not_null())
    revenue, cost = costed.select(_cents("amount"), _cents("cost")).collect(engine="streaming").row(0)
    return 1.0 - cost / revenue if revenue > cost else 1.0


def _cents(name: str) -> pl.Expr:
    return (pl.col(name) * CENTS).round().cast(pl.Int64).sum()


def _valued(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table as it is; without rows where none has a value."""
    return table if table["value"].count() else table.clear()


PARTS = {
    "clv": Part(CLV_STEPS, _ORDERS, _clv, "no customer has orders."),
    "cohorts": Part(COHORTS, _ORDERS, _cohorts, "too few customers of any month were watched long enough."),
    "worth_by_nps": Part(WORTH_BY_NPS, _ANSWERS, _worth, "too few customers ordered and answered."),
    "selection": Part(SELECTION, _ANSWERS, _selection, "too few customers ordered and answered."),
    "associations": Part(ASSOCIATIONS, _ORDERS, _associations, "too few customers met anything that is recorded."),
    "doses": Part(DOSES, _ORDERS, _doses, "too few customers met any of it."),
}
