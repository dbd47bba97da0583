"""In 1,200 shops whose truth is known, the intervals of the metrics hold it in 93 to 97 % of them.

The shops are parts of one simulated population: customers are independent of each other, so its parts are shops with
one truth, which is the metric of all of them together. The population is parted into 300 shops, four times at random:
two shops of different partings share one customer in 300, so all are as good as independent. The truth is known 17
times as well as from one shop, so its own error takes less than 0.1 points from the coverage. The score is held against
what follows from latent satisfaction too.

A coverage of 95 % in 1,200 shops has a standard error of 0.63 points, so the band of 2 points is three of them; of 300
shops alone it would be 1.6, and one metric in nine would leave it by chance. A shop has about 200 buyers in the month.
"""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from cxsim.data.shop import Period, Shop
from cxsim.metrics.catalogue import metric_named
from cxsim.metrics.dashboard import measured_metrics
from cxsim.metrics.estimators import (
    NO_SUMS,
    estimated,
    sums_over_customers,
    suppressed,
    survival_by_period,
    waiting_estimate,
)
from cxsim.metrics.views import WAITS, views_of
from cxsim.study.sources import shop_tables
from tests.metrics.worlds import OTHERWISE, exactly, new_customers

SHOPS, PARTINGS, CUSTOMERS = 300, 4, 1_500
WORLDS = SHOPS * PARTINGS
# Everybody is asked and answers; no incident moves satisfaction, which is then the customer's own.
ASKED = {
    "surveys.after_order": 1.0,
    "surveys.after_ticket": 1.0,
    "surveys.response": 1.0,
    "surveys.extremity": 0.0,
    "experience.memory": 0.0,
    "sessions.conversion": 0.4,
}
SINCE, UNTIL = datetime.fromisoformat("1998-07-01"), datetime.fromisoformat("1999-01-01")
DECEMBER = Period(datetime.fromisoformat("1998-12-01"), UNTIL)
TABLES = ("orders", "tickets", "surveys", "returns", "sessions")
COVERED = (
    "orders", "revenue", "aov_net", "incident_share", "retention_90", "churn_90", "repeat_90", "ltv_30", "ltv_90",
    "nps", "csat_mean", "csat_top2", "ces_ease", "ces_easy", "tickets", "tickets_per_order", "first_response_median",
    "answered_24h", "resolution_median", "first_contact", "post_support_conversion", "return_rate_orders",
    "return_rate_value", "conversion_sessions", "revenue_per_session",
)  # fmt: skip


def _waits(tickets: pl.DataFrame, column: str) -> pl.LazyFrame:
    """Return how long the tickets of December waited, each part as a period of its own."""
    over = (pl.col(column) < UNTIL).fill_null(value=False)
    until = pl.when(over).then(pl.col(column)).otherwise(pl.lit(UNTIL))
    rows = tickets.filter(pl.col("created_at") >= DECEMBER.start).select(
        period="part", ended=over, seconds=(until - pl.col("created_at")).dt.total_seconds()
    )
    return rows.group_by("period", "seconds", "ended").agg(tickets=pl.len()).lazy()


def _parts(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the shops of each customer, one of each parting."""
    people = pl.concat(table["customer_id"] for table in tables.values()).unique().sort()
    draws = np.random.Generator(np.random.PCG64(1))
    return pl.concat(
        pl.DataFrame({"customer_id": people, "part": draws.permutation(people.len()) % SHOPS + SHOPS * number})
        for number in range(PARTINGS)
    ).with_columns(pl.col("part").cast(pl.Int32))


@pytest.fixture(scope="module")
def found():
    """Return by metric the truth, and the intervals of the parts; each part is summed like a period of its own."""
    behaviour = exactly(**(OTHERWISE | ASKED))
    scenario = new_customers(behaviour, per_month=SHOPS * CUSTOMERS // 5, months=5, horizon_months=6)
    everything = shop_tables(scenario)
    tables = {name: getattr(everything, name) for name in TABLES}
    lazy = {name: table.lazy() for name, table in tables.items()}
    shop = Shop(name="all", currency="USD", since=SINCE, until=UNTIL, **lazy)
    truth = {one.metric.name: one.estimates for one in measured_metrics(shop, [DECEMBER])}
    parts, metrics = _parts(tables), [metric_named(name) for name in COVERED]
    estimates = {}
    for name, view in views_of(shop, [DECEMBER], lambda _: None):
        here = [metric for metric in metrics if metric.view == name]
        if here:
            rows = view.drop("period").join(parts.lazy(), left_on="customer", right_on="customer_id")
            split = sums_over_customers(rows.rename({"part": "period"}), here, periods=WORLDS)
            for metric in here:
                sums = split[metric.name].by_period
                estimates[metric.name] = [
                    suppressed(metric, estimated(metric, sums.get(place, NO_SUMS))) for place in range(WORLDS)
                ]
    tickets = tables["tickets"].join(parts, on="customer_id")
    for view, column in WAITS.items():
        curves = survival_by_period(_waits(tickets, column))
        for metric in metrics:
            if metric.view == view:
                estimates[metric.name] = [waiting_estimate(metric, curves.get(place)) for place in range(WORLDS)]
    return {name: (truth[name][0].value, estimates[name]) for name in COVERED}


def _truth(name: str, value: float) -> float:
    # A total of all parts is that of 300 shops.
    return value / SHOPS if name in {"orders", "revenue", "tickets"} else value


@pytest.mark.parametrize("name", COVERED)
def test_between_93_and_97_of_100_intervals_hold_the_truth(found, name):
    value, estimates = found[name]
    held = sum(one.low <= _truth(name, value) <= (math.inf if one.high is None else one.high) for one in estimates)
    assert 0.93 <= held / WORLDS <= 0.97, f"{name}: {held / WORLDS:.3f}"


def test_the_score_of_all_shops_is_that_of_latent_satisfaction(found):
    # An answer is 7.5 + 1.6 S + 1.4 e, rounded, with S and e standard normal: promoters lie above 8.5 and detractors
    # below 6.5, equally far from 7.5, so the score is 0. Its standard error follows from the intervals of the parts.
    value, estimates = found["nps"]
    error = sum(one.high - one.low for one in estimates) / len(estimates) / 3.92 / math.sqrt(SHOPS)
    assert abs(value) < 4 * error
