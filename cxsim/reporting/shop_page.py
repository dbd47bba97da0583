"""A shop's exports, or a scenario, in; what its tables say of its customers, and figures and tables of it, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

import polars as pl

from cxsim.data.shop import Every, Shop, complete_periods, findings_table, policy_changes
from cxsim.errors import CxsimError, DataError, ParamError
from cxsim.metrics.catalogue import Metric, load_metrics
from cxsim.metrics.cohorts import COHORTS, Measure, cohort_table
from cxsim.metrics.dashboard import DASHBOARD, SERIES, Dashboard, dashboard
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES, DOSES_OF, associations, dose_curve
from cxsim.metrics.person_periods import person_periods
from cxsim.metrics.promoters import LTV_BY_NPS, ltv_by_nps
from cxsim.metrics.selection import SELECTION, selection_panel
from cxsim.params import CENTS
from cxsim.reporting.shop import drivers, promoters
from cxsim.reporting.shop.clv_value import clv_table
from cxsim.reporting.shop.cohorts import cohort_heatmap
from cxsim.reporting.shop.dashboard import METRICS, weekly
from cxsim.reporting.tables import Prose, Table, remark
from cxsim.reporting.theme import Figure
from cxsim.study.business.naive import CLV_STEPS, predictive_clv
from cxsim.study.loading import parsed_changes
from cxsim.study.provenance import commit, table_hash, versions
from cxsim.study.sources import load_shop
from cxsim.tables import Contract, empty

_ORDERS = ("orders.customer_id",)
_ANSWERS = (*_ORDERS, "surveys.customer_id")
# Enough to see what can be acted on, and few enough not to keep a reader waiting; drawn by identifier.
_MOST_CUSTOMERS = 10_000
# Effective per year; the shop's own choice, which the table names.
_DISCOUNT_RATE = 0.10
_PACKAGES = ("altair", "cxsim", "great-tables", "numpy", "polars", "scipy", "statsmodels")
# One of each kind that readers ask for first; those that a shop does not measure leave room for the next.
_FIRST = (
    "revenue",
    "aov_net",
    "retention_90",
    "nps",
    "first_response_median",
    "conversion_visitors",
    "repeat_90",
    "csat_top2",
    "tickets_per_order",
    "return_rate_orders",
    "orders",
    "new_customers",
)
_PANELS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Overview:
    """What a shop's tables say of its customers.

    Attributes
    ----------
    shop
        Its tables and receipts.
    findings
        about, severity, sentence, advice: what was found in its orders.
    dashboard, series
        Under DASHBOARD and SERIES: every metric in the last complete period, and over time.
    cohorts
        Under COHORTS: what customers do by the month of their first order.
    clv
        Under CLV_STEPS: the value of a customer over the next year, from a product of averages to a model.
    worth_by_nps, selection
        Under LTV_BY_NPS and SELECTION: what customers spend by what they answered, and how much of it is selection.
    associations, doses
        Under ASSOCIATIONS and DOSES: what customers do after what they met, and after how much of it.
    definitions
        How each metric is defined.
    lacks
        Why a table is empty, by its name here; of the dashboard and the series, why they have no values.
    manifest
        What is needed to make this again, as plain values.
    """

    shop: Shop
    findings: pl.DataFrame
    dashboard: pl.DataFrame
    series: pl.DataFrame
    cohorts: pl.DataFrame
    clv: pl.DataFrame
    worth_by_nps: pl.DataFrame
    selection: pl.DataFrame
    associations: pl.DataFrame
    doses: pl.DataFrame
    definitions: pl.DataFrame
    lacks: Mapping[str, str]
    manifest: Mapping[str, object]

    def __repr__(self) -> str:
        return f"Overview of {self.shop!r}"


def overview(
    name: str, *, every: Every = "week", until: str = "", currency: str = "", policy: str = "", columns: str = ""
) -> Overview:
    """Measure a shop's exports, or one world of a scenario, and say what goes with what.

    Parameters
    ----------
    name
        As in `load_shop`.
    every
        Length of a period of the dashboard: `week` (from Monday) or `month`.
    until
        Last day of observation, as 2024-12-31; "" as in `load_shop`.
    currency
        Code of the currency whose orders are kept.
    policy
        What is otherwise read than by default, such as `unreadable=missing; cancelled=Avbruten`.
    columns
        Columns of a file of orders that is not recognised, such as `customer_id=Kunde; amount=Betrag`.

    Returns
    -------
    Overview
        Where a shop's tables do not support something, its table is empty and `lacks` says why.

    Raises
    ------
    ParamError
        For a name that leads nowhere, or a day that is none.
    DataError
        When the exports cannot be used.
    """
    shop = load_shop(
        name,
        columns=parsed_changes(columns),
        policy=policy_changes(part for part in policy.split(";") if part.strip()),
        until=_day(until),
        currency=currency,
    )
    measured, unmeasured = _dashboard_of(shop, every)
    made = {part: part_of(shop, how) for part, how in PARTS.items()}
    reasons = {"dashboard": unmeasured} | {part: reason for part, (_, reason) in made.items()}
    return Overview(
        shop=shop,
        findings=findings_table(shop.findings).select("severity", "sentence", "advice", about="topic"),
        dashboard=measured.table,
        series=measured.series,
        definitions=definitions(),
        lacks={part: reason for part, reason in reasons.items() if reason is not None},
        manifest=_manifest(shop, name, every, measured.series),
        **{part: table for part, (table, _) in made.items()},
    )


def definitions(metrics: Sequence[Metric] = ()) -> pl.DataFrame:
    """Return how metrics are defined, under METRICS; a total is over nothing."""
    rows = [
        {name: getattr(metric, name) for name in METRICS.columns}
        | ({"denominator": ""} if metric.kind == "total" else {})
        for metric in metrics or load_metrics().values()
    ]
    return pl.DataFrame(rows, schema=empty(METRICS).schema)


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


class Part(NamedTuple):
    """A table of an overview: its contract, the tables and columns it needs, and what is written if it has no rows."""

    contract: Contract
    needs: tuple[str, ...]
    make: Callable[[Shop], pl.DataFrame]
    nobody: str


def _doses(shop: Shop) -> pl.DataFrame:
    seen = [name for name, dose in DOSES_OF.items() if all(shop.missing(need) is None for need in dose.needs)]
    if not seen:
        raise DataError(f"the tables show none of {', '.join(DOSES_OF)}.")
    return _valued(pl.concat(dose_curve(shop, name) for name in seen))


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
    "clv": Part(
        CLV_STEPS,
        _ORDERS,
        lambda shop: predictive_clv(shop, annual_discount_rate=_DISCOUNT_RATE, margin=_margin(shop)),
        "no customer has orders.",
    ),
    "cohorts": Part(
        COHORTS,
        _ORDERS,
        lambda shop: _valued(cohort_table(shop)),
        "no monthly cohort has enough customers with a long enough history.",
    ),
    "worth_by_nps": Part(
        LTV_BY_NPS,
        _ANSWERS,
        lambda shop: ltv_by_nps(shop.table("orders"), shop.table("surveys")),
        "too few customers both ordered and answered a survey.",
    ),
    "selection": Part(
        SELECTION,
        _ANSWERS,
        lambda shop: selection_panel(shop.table("orders"), shop.table("surveys"), until=shop.until),
        "too few customers both ordered and answered a survey.",
    ),
    "associations": Part(
        ASSOCIATIONS,
        _ORDERS,
        lambda shop: associations(person_periods(shop, most_customers=_MOST_CUSTOMERS)).table,
        "too few customers have a recorded experience.",
    ),
    "doses": Part(DOSES, _ORDERS, _doses, "too few customers have a recorded exposure."),
}
_SUBJECTS = {
    "clv": "Customer value",
    "dashboard": "The trend of the metrics",
    "cohorts": "The cohort analysis",
    "worth_by_nps": "Spend by NPS group",
    "selection": "The comparison of promoters and detractors",
    "associations": "The analysis of later orders",
    "doses": "The analysis by level of exposure",
}


def weekly_figure(found: Overview) -> Figure | Prose:
    """Draw up to six metrics over time.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where no metric has a value in any period.
    """
    valued = found.series.drop_nulls("value")["metric"].unique().to_list()
    metrics = [name for name in _FIRST if name in valued][:_PANELS]
    nothing = _no(found, "dashboard") or remark("No chart over time: none of these metrics has a value in any period.")
    return weekly(found.series, metrics=metrics, currency=found.shop.currency) if metrics else nothing


def cohort_figure(found: Overview, measure: Measure) -> Figure | Prose:
    """Draw one measure of every cohort at every age.

    Parameters
    ----------
    found
        What was found of a shop.
    measure
        As in `cohort_table`.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where no cohort was observed long enough.
    """
    return _no(found, "cohorts") or cohort_heatmap(found.cohorts, measure, found.shop.currency)


def shop_figure(found: Overview, part: Literal["worth_by_nps", "selection", "associations", "doses"]) -> Figure | Prose:
    """Draw a part of what was found.

    Parameters
    ----------
    found
        What was found of a shop.
    part
        What promoters, passives and detractors spend; promoters against detractors by several methods; what goes with
        later orders; or whether customers order again, by the dose with the most classes.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where there is nothing.
    """
    if (nothing := _no(found, part)) is not None:
        return nothing
    if part == "worth_by_nps":
        return promoters.ltv_by_nps(found.worth_by_nps, found.shop.currency)
    if part == "selection":
        return promoters.selection(found.selection)
    if part == "associations":
        return drivers.associations(found.associations)
    valued = found.doses.drop_nulls("value").group_by("exposure", maintain_order=True).len()
    best = valued.sort("len", descending=True, maintain_order=True)["exposure"].head(1)
    return drivers.dose_curve(found.doses.filter(pl.col("exposure").is_in(best.implode())))


def shop_details(found: Overview, part: Literal["selection", "clv", "associations", "doses"]) -> Table | Prose:
    """Lay out all that was found of a part.

    Parameters
    ----------
    found
        What was found of a shop.
    part
        Promoters against detractors, what a customer is worth, what goes with later orders, or by level of exposure.

    Returns
    -------
    Table or Prose
        A table; a sentence where there is nothing.
    """
    if (nothing := _no(found, part)) is not None:
        return nothing
    if part == "selection":
        return promoters.selection_table(found.selection)
    if part == "clv":
        return clv_table(found.clv, found.shop.currency)
    later = part == "associations"
    table = drivers.associations_table(found.associations) if later else drivers.doses_table(found.doses)
    return dataclasses.replace(table, fold="folded")


def _no(found: Overview, part: str) -> Prose | None:
    reason = found.lacks.get(part)
    return None if reason is None else remark(f"{_SUBJECTS[part]} cannot be shown: {reason}")


def _dashboard_of(shop: Shop, every: Every) -> tuple[Dashboard, str | None]:
    """Return the dashboard of a shop; where no period is complete, one without values, and why."""
    if complete_periods(shop.since, shop.until, every):
        return dashboard(shop, every=every), None
    seen = f"{shop.since:%Y-%m-%d %H:%M} to before {shop.until:%Y-%m-%d %H:%M}"
    reason = f"no {every} is complete: it was observed from {seen}."
    shared = {"period_start": shop.since, "period_end": shop.until, "method": "", "caution": "", "missing": reason}
    rows = [dataclasses.asdict(one) | {"metric": one.name, **shared} for one in load_metrics().values()]
    table = pl.DataFrame(rows, schema=empty(DASHBOARD).schema)
    return Dashboard(table=table, series=empty(SERIES)), reason


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise ParamError(f"until: '{written}' is not a date; write it as 2024-12-31.") from None


def _manifest(shop: Shop, name: str, every: Every, series: pl.DataFrame) -> dict[str, object]:
    return {
        "shop": shop.name,
        # A path is of one machine; the file's own name says what was read.
        "read": {receipt.file: f"{receipt.rows_read:,} rows" for receipt in shop.receipts} or name,
        "observed_since": shop.since.isoformat(),
        "observed_until": shop.until.isoformat(),
        "every": every,
        "policy": shop.policy.sentence(),
        "series_sha256": table_hash(series),
        "versions": versions(_PACKAGES),
        "commit": commit(),
    }
