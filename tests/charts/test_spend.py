"""The figure of spend says whether it depends on frequency."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_value import spend_by_frequency


def _customers(frequency, spend):
    return pl.DataFrame(
        {
            "customer_id": list(range(len(frequency))),
            "frequency": frequency,
            "recency_days": frequency,
            "age_days": frequency,
            "monetary_value": spend,
        },
        schema_overrides={"monetary_value": pl.Float64},
    )


def test_a_perfect_correlation_is_alt_text_with_its_sign():
    figure = spend_by_frequency(_customers([1, 2, 3, 4], [40.0, 30.0, 20.0, 10.0]), "USD")
    assert "strongly related (correlation −1.00)" in " ".join(figure.to_dict()["title"]["text"])


def test_customers_who_never_came_back_take_no_part():
    with_others = _customers([0, 1, 2, 3], [None, 30.0, 31.0, 29.0])
    assert (
        spend_by_frequency(with_others, "USD").to_dict()["title"]
        == (spend_by_frequency(with_others.filter(pl.col("frequency") > 0), "USD").to_dict()["title"])
    )


def test_frequent_customers_share_a_class(rfm):
    datasets = spend_by_frequency(rfm, "USD").to_dict()["datasets"]
    classes = next([row["frequency"] for row in rows] for rows in datasets.values() if "frequency" in rows[0])
    assert classes == ["1", "2", "3", "4", "5", "6", "7+"]


def test_too_few_customers_for_a_correlation_are_refused():
    with pytest.raises(TableError, match="found 2 customers"):
        spend_by_frequency(_customers([1, 2], [10.0, 20.0]), "USD")
