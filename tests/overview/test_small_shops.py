"""Shops that lack tables, customers or time: each gets an overview, and a reason wherever it says nothing."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import pytest

from cxsim.errors import DataError
from cxsim.metrics.catalogue import load_metrics
from cxsim.reporting.register import audit_trail
from cxsim.reporting.shop.dashboard import dashboard_table, metric_register, not_measured_table, receipts_table
from cxsim.reporting.shop_page import (
    Overview,
    associations_details,
    associations_figure,
    clv_details,
    cohort_figure,
    dose_figure,
    doses_details,
    overview,
    selection_details,
    selection_figure,
    weekly_figure,
    worth_figure,
)
from cxsim.reporting.tables import Prose, Table

EXPORTS = Path(__file__).parents[1] / "shop" / "exports"
PARTS = {
    "dashboard": (weekly_figure,),
    "cohorts": (
        lambda found: cohort_figure(found, "retention"),
        lambda found: cohort_figure(found, "cumulative_revenue"),
    ),
    "worth_by_nps": (worth_figure,),
    "selection": (selection_figure, selection_details),
    "associations": (associations_figure, associations_details),
    "doses": (dose_figure, doses_details),
    "clv": (clv_details,),
}
SHOWABLE = (alt.LayerChart, alt.FacetChart, Table, Prose)
NO_SURVEYS = "there is no table of surveys."
NO_ORDERS = "there is no table of orders."


def shown(found: Overview) -> dict[str, str]:
    """Draw and lay out everything as the notebook does, and return the sentences in place of what is empty."""
    said = {}
    for part, draws in PARTS.items():
        for draw in draws:
            made = draw(found)
            assert isinstance(made, SHOWABLE), part
            if isinstance(made, Prose):
                said[part] = str(made)
            elif isinstance(made, Table):
                made.html()
            else:
                made.to_dict()
    receipts_table(found.shop.receipts, found.shop.policy).html()
    metric_register(found.definitions).html()
    audit_trail(found.manifest)
    assert isinstance(dashboard_table(found.dashboard, found.shop.currency), SHOWABLE)
    assert not_measured_table(found.dashboard).twin.height > 0
    # What is told in place of a figure holds the reason, and nothing lacks one.
    for part, reason in found.lacks.items():
        assert reason, part
        assert reason in said[part], part
    return said


@pytest.mark.parametrize(
    ("file", "until"),
    [
        ("shopify_orders.csv", ""),
        ("amazon_all_orders.txt", ""),
        ("amazon_all_orders.txt", "2024-03-31"),
        ("woo_advanced_order_export.csv", ""),
        ("woo_advanced_order_export.csv", "2024-03-31"),
        ("zendesk_tickets.csv", ""),
        ("zendesk_tickets.csv", "2024-03-31"),
    ],
)
@pytest.mark.parametrize("every", ["week", "month"])
def test_an_export_of_a_few_rows_has_an_overview_and_reasons(file, until, every):
    found = overview(str(EXPORTS / file), every=every, until=until)
    assert found.dashboard.height == len(load_metrics())
    said = shown(found)
    # A dozen rows are below ten customers and thirty at risk, so only the series can have something to draw.
    assert set(PARTS) - set(said) <= {"dashboard"}


def test_orders_alone_say_what_is_missing_for_answers():
    found = overview(str(EXPORTS / "shopify_orders.csv"))
    assert (found.lacks["worth_by_nps"], found.lacks["selection"]) == (NO_SURVEYS, NO_SURVEYS)
    assert "dashboard" not in found.lacks


def test_amazon_hides_its_customers_and_every_part_that_follows_them_says_so():
    found = overview(str(EXPORTS / "amazon_all_orders.txt"), until="2024-03-31")
    for part in ("cohorts", "worth_by_nps", "selection", "associations", "doses"):
        assert found.lacks[part].startswith("Amazon's report of all orders holds nothing that identifies a customer")
    # All orders came on Thursday 1 February, whose week is not seen as a whole; from the 5th on, eight weeks without.
    assert found.series.filter(metric="orders")["value"].to_list() == [0.0] * 8


def test_tickets_alone_are_measured_and_nobody_can_be_followed():
    found = overview(str(EXPORTS / "zendesk_tickets.csv"), until="2024-03-31")
    for part in ("cohorts", "worth_by_nps", "selection", "associations", "doses"):
        assert found.lacks[part] == NO_ORDERS
    assert found.series.filter(metric="tickets_per_order")["value"].is_null().all()


def test_a_list_of_customers_without_a_moment_in_it_is_refused_with_what_to_export():
    with pytest.raises(DataError, match=r"(?s)nothing in it can be measured.*export the orders instead"):
        overview(str(EXPORTS / "shopify_customers.csv"))
