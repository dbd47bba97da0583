"""An overview holds what a shop's tables say, and the reason wherever they say nothing."""

from __future__ import annotations

import altair as alt
import pytest

from cxsim.errors import ParamError
from cxsim.metrics.catalogue import load_metrics
from cxsim.metrics.dashboard import DASHBOARD, SERIES
from cxsim.metrics.promoters import LTV_BY_NPS
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.shop.dashboard import dashboard_table, metric_register, not_measured_table
from cxsim.reporting.shop_page import (
    PARTS,
    associations_details,
    associations_figure,
    cohort_figure,
    definitions,
    dose_figure,
    doses_details,
    overview,
    part_of,
    selection_details,
    selection_figure,
    weekly_figure,
    worth_figure,
)
from cxsim.reporting.tables import Prose
from cxsim.tables import check


def _value(found, metric):
    return found.dashboard.filter(metric=metric)["value"].item()


def test_the_dashboard_is_of_the_last_complete_week(folder):
    # Observed from Tuesday 2 to Monday 22 January: the weeks of the 8th and the 15th are complete; nobody ordered in
    # the latter. Up to the 14th, the week of the 8th is the last: orders 3 and 4, 30 and 60.
    found = overview(str(folder), until="2024-01-14")
    assert (_value(found, "orders"), _value(found, "revenue")) == (2.0, 90.0)
    assert check(found.series, SERIES)["metric"].n_unique() > 1
    assert check(found.dashboard, DASHBOARD).height == len(load_metrics())


def test_what_was_never_asked_is_said_to_be_so_and_drawn_as_a_sentence(folder):
    found = overview(str(folder), until="2024-01-14")
    assert found.lacks["worth_by_nps"] == found.lacks["selection"] == "there is no table of surveys."
    assert check(found.worth_by_nps, LTV_BY_NPS).is_empty()
    assert check(found.selection, SELECTION).is_empty()
    assert str(worth_figure(found)) == "Nothing can be said of what promoters spend: there is no table of surveys."
    for shown in (selection_figure(found), selection_details(found)):
        assert str(shown) == (
            "Nothing can be said of how promoters and detractors differ: there is no table of surveys."
        )


def test_too_few_answers_are_a_reason_too(scenario):
    found = overview(str(scenario), every="month")
    assert found.lacks["worth_by_nps"] == "too few customers ordered and answered."


def test_the_figure_over_time_shows_metrics_that_have_values(folder):
    figure = weekly_figure(overview(str(folder), until="2024-01-14", currency="EUR"))
    assert isinstance(figure, alt.FacetChart)
    assert figure.to_dict()["facet"]["sort"][0] == "Revenue, EUR"


def test_what_was_read_is_named_without_its_folder(folder):
    found = overview(str(folder), until="2024-01-14")
    assert found.manifest["read"] == {"orders.csv": "5 rows", "tickets.csv": "2 rows"}
    assert str(folder.parent) not in str(found.manifest)


def test_the_same_shop_gives_the_same_overview(folder):
    once, again = (overview(str(folder), until="2024-01-14") for _ in range(2))
    assert once.dashboard.equals(again.dashboard)
    assert once.manifest == again.manifest


def test_a_day_that_is_none_is_refused(folder):
    with pytest.raises(ParamError, match=r"until: '14\.1\.24' is no day; write it as 2024-12-31"):
        overview(str(folder), until="14.1.24")


def test_without_a_complete_month_every_metric_is_missing_and_says_why(folder):
    found = overview(str(folder), every="month", until="2024-01-14")
    reason = "no month is complete: it was observed from 2024-01-02 00:00 to before 2024-01-15 00:00."
    assert found.lacks["dashboard"] == reason
    assert check(found.dashboard, DASHBOARD)["missing"].to_list() == [reason] * len(load_metrics())
    assert check(found.series, SERIES).is_empty()
    assert str(weekly_figure(found)) == f"Nothing can be said of this shop over time: {reason}"
    assert isinstance(dashboard_table(found.dashboard, ""), Prose)
    assert not_measured_table(found.dashboard).twin.height == len(load_metrics())


def test_every_metric_of_the_catalogue_is_defined_and_a_total_is_over_nothing():
    table = definitions()
    assert metric_register(table).twin.height == len(load_metrics())
    assert dict(table.select("name", "denominator").iter_rows())["revenue"] == ""
    assert dict(table.select("name", "denominator").iter_rows())["aov_net"] == "Orders"


def test_figures_and_tables_of_what_there_is_are_drawn(scenario, folder):
    # Forty customers over three months: cohorts of twenty are below thirty at risk, and nothing is met by enough.
    for found in (overview(str(scenario), every="month"), overview(str(folder), until="2024-01-14")):
        for part, draw in (
            ("associations", associations_figure),
            ("associations", associations_details),
            ("doses", dose_figure),
            ("doses", doses_details),
            ("cohorts", lambda found: cohort_figure(found, "retention")),
        ):
            shown = draw(found)
            assert (part in found.lacks) == isinstance(shown, Prose), part
            assert part not in found.lacks or found.lacks[part] in str(shown)


def test_a_part_is_kept_where_it_has_rows_and_empty_with_a_reason_where_it_has_none(folder):
    found = overview(str(folder), until="2024-01-14")
    nobody = PARTS["doses"]._replace(make=lambda _: found.selection)
    assert part_of(found.shop, nobody)[1] == "too few customers met any of it."
    some = PARTS["doses"]._replace(make=lambda _: found.dashboard)
    table, reason = part_of(found.shop, some)
    assert (table.height, reason) == (len(load_metrics()), None)
