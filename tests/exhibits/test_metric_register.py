"""The register of metrics says how each is defined, and what else goes by the same name."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.dashboard import metric_register


@pytest.fixture
def metrics():
    """A ratio whose pitfalls hold markup, and a total, which is over nothing."""
    shared = {"family": "Orders", "unit": "money", "window": "by order", "scale": "from 0", "interval": "delta method"}
    mean_order = {
        "name": "aov",
        "title": "AOV",
        "definition": "Per order.",
        "numerator": "revenue",
        "denominator": "orders",
    }
    revenue = {"name": "rev", "title": "Revenue", "definition": "All.", "numerator": "revenue", "denominator": ""}
    return pl.DataFrame(
        [
            mean_order | shared | {"direction": "higher", "pitfalls": "A <few> orders.", "variant": "With tax."},
            revenue | shared | {"direction": "neither", "pitfalls": "None.", "variant": ""},
        ]
    )


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", line)


def test_a_metric_is_listed_with_formula_window_direction_scale_interval_pitfalls_and_variant(metrics):
    assert _row(metric_register(metrics).html(), "AOV") == [
        "Per order.", "revenue ÷ orders", "by order", "from 0; higher is better", "delta method",
        "A &lt;few&gt; orders.", "With tax.",
    ]  # fmt: skip


def test_a_total_has_no_denominator_and_no_better(metrics):
    row = _row(metric_register(metrics).html(), "Revenue")
    assert (row[1], row[3]) == ("revenue", "from 0")


def test_the_register_is_folded_unless_it_is_asked_for_open(metrics):
    assert metric_register(metrics).title == "How two metrics are defined"
    assert metric_register(metrics).fold == "folded"
    assert metric_register(metrics, fold="open").fold == "open"


def test_metrics_without_a_definition_are_refused(metrics):
    with pytest.raises(TableError, match="METRICS: no column 'definition'"):
        metric_register(metrics.drop("definition"))
