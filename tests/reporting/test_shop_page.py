"""The overview of a shop holds what its tables say, or why they say nothing."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import pytest

from cxsim.errors import DataError, ParamError
from cxsim.metrics.catalogue import load_metrics
from cxsim.metrics.dashboard import DASHBOARD, SERIES
from cxsim.metrics.promoters import LTV_BY_NPS
from cxsim.metrics.selection import SELECTION
from cxsim.reporting import shop_page
from cxsim.reporting.business.register import audit_trail
from cxsim.reporting.shop.dashboard import dashboard_table, metric_register, not_measured_table, receipts_table
from cxsim.reporting.tables import Prose, Table
from cxsim.tables import check
from tests.small_shop import exports_of_three, small_scenario

EXPORTS = Path(__file__).parents[1] / "data" / "exports"


def _figure(part):
    return lambda found: shop_page.shop_figure(found, part)


def _details(part):
    return lambda found: shop_page.shop_details(found, part)


DRAWN = {
    "dashboard": (shop_page.weekly_figure,),
    "cohorts": (
        lambda found: shop_page.cohort_figure(found, "retention"),
        lambda found: shop_page.cohort_figure(found, "cumulative_revenue"),
    ),
    "worth_by_nps": (_figure("worth_by_nps"),),
    "selection": (_figure("selection"), _details("selection")),
    "associations": (_figure("associations"), _details("associations")),
    "doses": (_figure("doses"), _details("doses")),
    "clv": (_details("clv"),),
}
SHOWABLE = (alt.LayerChart, alt.FacetChart, Table, Prose)
NO_SURVEYS = "there is no table of surveys."
NO_ORDERS = "there is no table of orders."


@pytest.fixture
def folder(tmp_path):
    return exports_of_three(tmp_path)


@pytest.fixture
def scenario(tmp_path):
    return small_scenario(tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An overview of three customers up to Sunday 14 January."""
    return shop_page.overview(
        str(exports_of_three(tmp_path_factory.mktemp("shops"))), until="2024-01-14", currency="EUR"
    )


def test_the_dashboard_is_of_the_last_complete_week(small):
    # Observed from Tuesday 2 to Monday 22 January: the weeks of the 8th and the 15th are complete; nobody ordered in
    # the latter. Up to the 14th, the week of the 8th is the last: orders 3 and 4, 30 and 60.
    values = dict(small.dashboard.select("metric", "value").iter_rows())
    assert (values["orders"], values["revenue"]) == (2.0, 90.0)
    assert check(small.series, SERIES)["metric"].n_unique() > 1
    assert check(small.dashboard, DASHBOARD).height == len(load_metrics())


def test_what_was_never_asked_is_said_to_be_so_and_drawn_as_a_sentence(small):
    assert small.lacks["worth_by_nps"] == small.lacks["selection"] == "there is no table of surveys."
    assert check(small.worth_by_nps, LTV_BY_NPS).is_empty()
    assert check(small.selection, SELECTION).is_empty()
    assert (
        str(shop_page.shop_figure(small, "worth_by_nps"))
        == "Spend by NPS group cannot be shown: there is no table of surveys."
    )
    for shown in (shop_page.shop_figure(small, "selection"), shop_page.shop_details(small, "selection")):
        assert str(shown) == (
            "The comparison of promoters and detractors cannot be shown: there is no table of surveys."
        )


def test_the_figure_shows_metrics_that_have_values_and_what_was_read_is_named_without_its_folder(small, folder):
    figure = shop_page.weekly_figure(small)
    assert isinstance(figure, alt.FacetChart)
    assert figure.to_dict()["facet"]["sort"][0] == "Revenue, EUR"
    assert small.manifest["read"] == {"orders.csv": "5 rows", "tickets.csv": "2 rows"}
    assert str(small.shop.name) == "my-shop"
    assert "/my-shop" not in str(small.manifest)
    again = shop_page.overview(str(folder), until="2024-01-14", currency="EUR")
    assert again.dashboard.equals(small.dashboard)
    assert again.manifest == small.manifest


def test_a_day_that_is_none_is_refused(folder):
    with pytest.raises(ParamError, match=r"until: '14\.1\.24' is not a date; write it as 2024-12-31"):
        shop_page.overview(str(folder), until="14.1.24")


def test_without_a_complete_month_every_metric_is_missing_and_says_why(folder):
    found = shop_page.overview(str(folder), every="month", until="2024-01-14")
    reason = "no month is complete: it was observed from 2024-01-02 00:00 to before 2024-01-15 00:00."
    assert found.lacks["dashboard"] == reason
    assert check(found.dashboard, DASHBOARD)["missing"].to_list() == [reason] * len(load_metrics())
    assert check(found.series, SERIES).is_empty()
    assert str(shop_page.weekly_figure(found)) == f"The trend of the metrics cannot be shown: {reason}"
    assert isinstance(dashboard_table(found.dashboard, ""), Prose)
    assert not_measured_table(found.dashboard).twin.height == len(load_metrics())


def test_every_metric_of_the_catalogue_is_defined_and_a_total_is_over_nothing():
    table = shop_page.definitions()
    assert metric_register(table).twin.height == len(load_metrics())
    assert dict(table.select("name", "denominator").iter_rows())["revenue"] == ""
    assert dict(table.select("name", "denominator").iter_rows())["aov_net"] == "Orders"


def test_a_part_is_kept_where_it_has_rows_and_empty_with_a_reason_where_it_has_none(small):
    nobody = shop_page.PARTS["doses"]._replace(make=lambda _: small.selection)
    assert shop_page.part_of(small.shop, nobody)[1] == "too few customers have a recorded exposure."
    some = shop_page.PARTS["doses"]._replace(make=lambda _: small.dashboard)
    table, reason = shop_page.part_of(small.shop, some)
    assert (table.height, reason) == (len(load_metrics()), None)


def shown(found: shop_page.Overview) -> dict[str, str]:
    """Draw and lay out everything as the notebook does, and return the sentences in place of what is empty."""
    said = {}
    for part, draws in DRAWN.items():
        for draw in draws:
            made = draw(found)
            assert isinstance(made, SHOWABLE), part
            if isinstance(made, Prose):
                said[part] = str(made)
            elif isinstance(made, Table):
                made.html()
            else:
                made.to_dict()
    assert isinstance(receipts_table(found.shop.receipts, found.shop.policy), SHOWABLE)
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
    ("file", "until", "every"),
    [
        ("shopify_orders.csv", "", "week"),
        ("amazon_all_orders.txt", "", "week"),
        ("amazon_all_orders.txt", "2024-03-31", "month"),
        ("woo_advanced_order_export.csv", "", "month"),
        ("woo_advanced_order_export.csv", "2024-03-31", "week"),
        ("zendesk_tickets.csv", "", "week"),
        ("zendesk_tickets.csv", "2024-03-31", "month"),
    ],
)
def test_an_export_of_a_few_rows_has_an_overview_and_reasons(file, until, every):
    found = shop_page.overview(str(EXPORTS / file), every=every, until=until)
    assert found.dashboard.height == len(load_metrics())
    said = shown(found)
    # A dozen rows are below ten customers and thirty at risk, so only the series can have something to draw.
    assert set(DRAWN) - set(said) <= {"dashboard"}


def test_a_scenario_of_forty_customers_has_an_overview_too_and_too_few_answers_are_a_reason(scenario):
    # Cohorts of twenty are below thirty at risk, and nothing is met by enough.
    found = shop_page.overview(str(scenario), every="month")
    assert found.lacks["worth_by_nps"] == "too few customers both ordered and answered a survey."
    assert shown(found).keys() >= found.lacks.keys()


def test_orders_alone_say_what_is_missing_for_answers():
    found = shop_page.overview(str(EXPORTS / "shopify_orders.csv"))
    assert (found.lacks["worth_by_nps"], found.lacks["selection"]) == (NO_SURVEYS, NO_SURVEYS)
    assert "dashboard" not in found.lacks


def test_amazon_hides_its_customers_and_every_part_that_follows_them_says_so():
    found = shop_page.overview(str(EXPORTS / "amazon_all_orders.txt"), until="2024-03-31")
    for part in ("cohorts", "worth_by_nps", "selection", "associations", "doses"):
        assert found.lacks[part].startswith("Amazon's report of all orders holds nothing that identifies a customer")
    # All orders came on Thursday 1 February, whose week is not seen as a whole; from the 5th on, eight weeks without.
    assert found.series.filter(metric="orders")["value"].to_list() == [0.0] * 8


def test_tickets_alone_are_measured_and_nobody_can_be_followed():
    found = shop_page.overview(str(EXPORTS / "zendesk_tickets.csv"), until="2024-03-31")
    for part in ("cohorts", "worth_by_nps", "selection", "associations", "doses"):
        assert found.lacks[part] == NO_ORDERS
    assert found.series.filter(metric="tickets_per_order")["value"].is_null().all()


def test_a_list_of_customers_without_a_moment_in_it_is_refused_with_what_to_export():
    with pytest.raises(DataError, match=r"(?s)nothing in it can be measured.*export the orders instead"):
        shop_page.overview(str(EXPORTS / "shopify_customers.csv"))
