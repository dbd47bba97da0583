"""What was found of a shop in; figures of it, or a sentence that says why there is none, out."""

from __future__ import annotations

import dataclasses

import polars as pl

from cxsim import charts
from cxsim.charts.frame import Figure
from cxsim.cohorts import Measure
from cxsim.exhibits import Prose, Table, associations_table, clv_table, doses_table, selection_table
from cxsim.exhibits.showing import remark
from cxsim.overview.overview import Overview

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
    reason = _no(found, "dashboard")
    if reason is not None:
        return reason
    valued = found.series.filter(pl.col("value").is_not_null())["metric"].unique().to_list()
    metrics = [name for name in _FIRST if name in valued][:_PANELS]
    if not metrics:
        return remark("There is nothing to draw over time: no metric of these has a value in any period.")
    return charts.weekly(found.series, metrics=metrics, currency=found.shop.currency)


def worth_figure(found: Overview) -> Figure | Prose:
    """Draw what promoters, passives and detractors spend.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where nobody was asked.
    """
    return _no(found, "worth_by_nps") or charts.ltv_by_nps(found.worth_by_nps, found.shop.currency)


def selection_figure(found: Overview) -> Figure | Prose:
    """Draw promoters against detractors by several methods.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where nobody was asked.
    """
    return _no(found, "selection") or charts.selection(found.selection)


def selection_details(found: Overview) -> Table | Prose:
    """Lay the same out with what each method found.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    Table or Prose
        A table; a sentence where nobody was asked.
    """
    return _no(found, "selection") or selection_table(found.selection)


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
        A figure; a sentence where no cohort was watched long enough.
    """
    return _no(found, "cohorts") or charts.cohort_heatmap(found.cohorts, measure, found.shop.currency)


def clv_details(found: Overview) -> Table | Prose:
    """Lay out what a customer is worth by a product of averages and by a model.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    Table or Prose
        A table; a sentence where no model can be fitted.
    """
    return _no(found, "clv") or clv_table(found.clv, found.shop.currency)


def associations_figure(found: Overview) -> Figure | Prose:
    """Draw what goes with later orders.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where nothing that is recorded was met by enough customers.
    """
    return _no(found, "associations") or charts.associations(found.associations)


def associations_details(found: Overview) -> Table | Prose:
    """Lay the same out with what each model found.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    Table or Prose
        A table; a sentence where there is nothing.
    """
    return _no(found, "associations") or _folded(associations_table(found.associations))


def dose_figure(found: Overview) -> Figure | Prose:
    """Draw whether customers order again, by the dose with the most classes.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    alt.LayerChart, alt.FacetChart or Prose
        A figure; a sentence where there is none.
    """
    reason = _no(found, "doses")
    if reason is not None:
        return reason
    valued = found.doses.drop_nulls("value").group_by("exposure", maintain_order=True).len()
    best = valued.sort("len", descending=True, maintain_order=True)["exposure"].item(0)
    return charts.dose_curve(found.doses.filter(pl.col("exposure") == best))


def doses_details(found: Overview) -> Table | Prose:
    """Lay out all doses.

    Parameters
    ----------
    found
        What was found of a shop.

    Returns
    -------
    Table or Prose
        A table; a sentence where there is nothing.
    """
    return _no(found, "doses") or _folded(doses_table(found.doses))


def _folded(table: Table) -> Table:
    """Return a long table, to be opened by its title."""
    return dataclasses.replace(table, fold="folded")


def _no(found: Overview, part: str) -> Prose | None:
    reason = found.lacks.get(part)
    return None if reason is None else remark(f"Nothing can be said of {_SUBJECTS[part]}: {reason}")


_SUBJECTS = {
    "clv": "what a customer is worth",
    "dashboard": "this shop over time",
    "cohorts": "when customers come back",
    "worth_by_nps": "what promoters spend",
    "selection": "how promoters and detractors differ",
    "associations": "what goes with what",
    "doses": "how much of something goes with what",
}
