"""The catalogue is a file: it is whole, mistakes in it are named, and a metric is added in it alone."""

from __future__ import annotations

import shutil

import pytest

from cxsim.data.shop import complete_periods
from cxsim.errors import ParamError
from cxsim.library import METRICS_FILE, root
from cxsim.metrics.catalogue import load_metrics, metric_named
from cxsim.metrics.views import VIEWS, views_of
from cxsim.reporting.shop_page import definitions
from cxsim.study.loading import check_params
from cxsim.study.sources import shop_tables
from tests.metrics.toys import measured, noon, orders, shop_of
from tests.metrics.worlds import OTHERWISE, exactly, new_customers

LARGE_ORDERS = """
large_orders:
  title: Large orders
  family: Orders
  definition: Share of orders of more than 100.
  numerator: Orders of more than 100
  denominator: Orders
  unit: share
  direction: higher
  window: Orders placed in the period.
  scale: 0 to 100 %
  pitfalls: Moves with prices.
  variant: Of 100 and more.
  kind: share
  view: orders
  over: revenue > 10000
  per: orders
  needs: [orders]
"""


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """The file of a project's own metrics."""
    shutil.copytree(root() / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params" / METRICS_FILE


def test_a_metric_is_added_in_one_file_and_measured_explained_and_checked(catalogue):
    catalogue.write_text(catalogue.read_text(encoding="utf-8") + LARGE_ORDERS, encoding="utf-8")
    spent = [150.0, 20.0, 100.0, 100.01, 99.0]
    bought = orders(*((f"c{n}", noon("2024-03-10"), amount) for n, amount in enumerate(spent)))
    row = measured(shop_of(orders=bought))["large_orders"]
    assert (row["value"], row["units"], row["method"]) == (2 / 5, 20, "Wilson")
    assert definitions().filter(name="large_orders")["definition"].to_list() == ["Share of orders of more than 100."]
    assert check_params([catalogue]) == []


def test_a_project_without_the_file_has_the_bundled_metrics(catalogue):
    bundled = load_metrics()
    catalogue.unlink()
    assert load_metrics() == bundled


def test_an_unknown_metric_is_refused_with_the_nearest_name():
    with pytest.raises(ParamError, match="no metric 'aov_nett'; did you mean 'aov_net'"):
        metric_named("aov_nett")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: share", "kind: guess", "kind: 'guess' is not possible; possible: share, ratio, mean, score, total"),
        ("view: orders", "view: order", "view: no 'order'; did you mean 'orders'"),
        ("over: revenue >", "over: revenu >", "over: the view 'orders' has no column 'revenu'; did you mean 'revenue'"),
        ("over: revenue > 10000", "over: revenue >", "'revenue >' is not an expression over columns"),
        ("over: revenue > 10000", "over: 1 > 0", "'1 > 0' names no column of the view"),
        ("needs: [orders]", "needs: [order]", "needs: no table 'order'; did you mean 'orders'"),
        ("pitfalls: Moves with prices.", 'pitfalls: ""', "pitfalls: empty; write it."),
        ("kind: share", "kind: cost", "a metric of kind 'cost' has view '', no over and no per"),
        ("title: Large", "name: mine\n  title: Large", "large_orders.name: unknown key; the name is the entry's own"),
    ],
)
def test_a_mistake_in_the_catalogue_names_file_entry_and_what_is_possible(catalogue, old, new, message):
    catalogue.write_text(LARGE_ORDERS.replace(old, new), encoding="utf-8")
    (problem,) = check_params([catalogue])
    assert problem.startswith("params/metrics.yaml: large_orders")
    assert message in problem


def test_views_have_no_other_columns_than_the_register_names():
    scenario = new_customers(exactly(**OTHERWISE), per_month=60)
    shop = shop_tables(scenario).shop(scenario)
    found = dict(views_of(shop, complete_periods(shop.since, shop.until, "month"), lambda _: None))
    assert set(found) >= {"orders", "after_365", "active", "matured", "visitors", "nps", "supported", "service"}
    for name, view in found.items():
        assert set(view.collect_schema()) - {"period", "customer"} <= set(VIEWS[name]), name
