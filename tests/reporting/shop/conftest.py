"""Made-up results of a shop, small enough to check by eye, and exhibits as text that a snapshot can hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from html import unescape

import altair as alt
import numpy as np
import polars as pl
import pytest

from cxsim.data.shop import Receipt, ReceiptLine
from cxsim.metrics.cohorts import COHORTS
from cxsim.metrics.dashboard import DASHBOARD, SERIES
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.tables import Prose, Table
from cxsim.reporting.theme import Figure, enable
from cxsim.tables import empty

_ENDS = (("</tr>", "\n"), ("</thead>", "\n"), ("</td>", " | "), ("</th>", " | "))
_MOST_ROWS = 6


def _table_text(table: Table) -> str:
    markup = re.sub(r"<style>.*?</style>", "", table.html(), flags=re.DOTALL).replace("\n", " ")
    for end, sign in _ENDS:
        markup = markup.replace(end, sign)
    lines = (" ".join(unescape(re.sub(r"<[^>]*>", "", line)).split()) for line in markup.split("\n"))
    twin = ", ".join(f"{name}: {kind}" for name, kind in table.twin.schema.items())
    return "\n".join([f"{table.id}, {table.fold}", *(line for line in lines if line), f"twin: {twin}"])


def _figure_text(figure: Figure) -> str:
    spec = figure.to_dict()
    datasets = spec.pop("datasets")
    head = {name: spec.pop(name) for name in ("title", "description")}
    layers = [layer for part in (spec, spec.get("spec", {})) for layer in part.pop("layer", [])]
    rows = [row for key in sorted(datasets, key=lambda key: str(datasets[key])) for row in datasets[key][:_MOST_ROWS]]
    for layer in layers:
        layer.pop("data", None)
    for name in ("$schema", "data", "config", "usermeta"):
        spec.pop(name, None)
    parts = [*head["title"]["text"], *head["title"]["subtitle"], head["description"]]
    return "\n".join([*parts, *(json.dumps(part, ensure_ascii=False) for part in (spec, *layers, *rows))])


@pytest.fixture(scope="session")
def as_text() -> Callable[[Figure | Table | Prose], str]:
    """What a reader sees of an exhibit, and what a chart is drawn from, a line each."""

    def written(shown: Figure | Table | Prose) -> str:
        if isinstance(shown, Table):
            return _table_text(shown)
        return shown.text if isinstance(shown, Prose) else _figure_text(shown)

    return written


@pytest.fixture(scope="session")
def finding() -> Callable[[Figure], str]:
    """The title of a figure."""
    return lambda figure: " ".join(figure.to_dict()["title"]["text"])


@pytest.fixture
def enabled() -> Iterator[None]:
    """The theme and the renderer of cxsim, switched on for one test."""
    theme, renderer = alt.theme.active, alt.renderers.active
    enable()
    yield
    alt.theme.enable(theme)
    alt.renderers.enable(renderer)


def days(count: int) -> list[date]:
    return [date(1997, 1, 1) + timedelta(days=day) for day in range(count)]


@pytest.fixture(scope="session")
def tracking_days() -> pl.DataFrame:
    """Ten orders a day observed throughout; nine a day expected after the first hundred days."""
    day = np.arange(200)
    expected = np.where(day < 100, 10.0 * (day + 1), 1_000.0 + 9.0 * (day - 99))
    return pl.DataFrame({"day": days(200), "observed": (10 * (day + 1)).astype(np.int64), "expected": expected})


@pytest.fixture(scope="session")
def forecast_days() -> pl.DataFrame:
    """Ten orders a day for 200 days; after the first hundred, one model expects nine a day and one 8.5."""
    day = np.arange(200)
    tables = []
    for model, rate, low, high in (("BG/NBD", 9.0, 8.0, 10.1), ("MBG/NBD", 8.5, 8.0, 9.0)):
        ahead = {
            name: np.where(day < 100, np.nan, 1_000.0 + end * (day - 99))
            for name, end in (("low", low), ("high", high))
        }
        expected = np.where(day < 100, 10.5 * (day + 1), 1_000.0 + rate * (day - 99))
        tables.append(
            pl.DataFrame(
                {"model": [model] * 200, "day": days(200), "observed": 10.0 * (day + 1), "expected": expected} | ahead
            ).with_columns(pl.col("low", "high").fill_nan(None))
        )
    return pl.concat(tables)


@pytest.fixture(scope="session")
def frequencies() -> pl.DataFrame:
    """Of 1,000 customers, 20 are in another class than the model says."""
    observed, expected = [600, 200, 120, 80], [610.0, 190.0, 130.0, 70.0]
    return pl.DataFrame({"frequency": ["0", "1", "2", "3+"], "observed": observed, "expected": expected})


@pytest.fixture(scope="session")
def holdout() -> pl.DataFrame:
    """The model is inside the interval of the first two classes and below that of the third."""
    return pl.DataFrame(
        [("0", 600, 0.2, 0.17, 0.23, 0.21), ("1", 200, 0.7, 0.6, 0.8, 0.65), ("2+", 200, 2.2, 2.0, 2.4, 1.8)],
        schema=["frequency", "customers", "observed", "low", "high", "expected"],
        orient="row",
    )


@pytest.fixture(scope="session")
def calibration_classes() -> pl.DataFrame:
    """One model is inside both classes, the other expects a quarter too few of one-time buyers."""
    return pl.DataFrame(
        [
            ("BG/NBD", "0", 600, 0.2, 0.17, 0.23, 0.21),
            ("BG/NBD", "1+", 400, 1.5, 1.3, 1.7, 1.4),
            ("MBG/NBD", "0", 600, 0.2, 0.17, 0.23, 0.15),
            ("MBG/NBD", "1+", 400, 1.5, 1.3, 1.7, 1.45),
        ],
        schema=["model", "frequency", "customers", "observed", "low", "high", "expected"],
        orient="row",
    )


@pytest.fixture(scope="session")
def tenths() -> pl.DataFrame:
    """Two groups of customers; the first brought less than its interval says, and the second is inside."""
    return pl.DataFrame(
        [(1, 1_010, 75_000.0, 65_000.0, 85_000.0, 60_000.0), (2, 10, 25_000.0, 20_000.0, 41_000.0, 40_000.0)],
        schema=["decile", "customers", "expected", "low", "high", "realised"],
        orient="row",
    )


@pytest.fixture(scope="session")
def captures() -> pl.DataFrame:
    """A model that catches three fifths of the value with a fifth of the customers, and a rule of thumb."""
    return pl.DataFrame(
        {
            "model": ["BG/NBD"] * 3 + ["spend so far"] * 3,
            "customers": [0.0, 0.2, 1.0] * 2,
            "value": [0.0, 0.6, 1.0, 0.0, 0.5, 1.0],
        }
    )


@pytest.fixture(scope="session")
def biases() -> pl.DataFrame:
    """Two models with intervals and a rule of thumb."""
    return pl.DataFrame(
        [
            ("BG/NBD", -0.16, -0.2, -0.1),
            ("MBG/NBD", -0.12, -0.17, -0.05),
            ("Each customer's own rate", 0.557, None, None),
        ],
        schema=["model", "bias", "low", "high"],
        orient="row",
    )


@pytest.fixture(scope="session")
def alive() -> pl.DataFrame:
    """Two models that disagree on one-time buyers and little else."""
    return pl.DataFrame(
        {
            "model": ["BG/NBD", "MBG/NBD"] * 2,
            "group": ["one-time buyers"] * 2 + ["repeat buyers"] * 2,
            "alive": [1.0, 0.4, 0.6, 0.55],
            "low": [1.0, 0.3, 0.58, 0.5],
            "high": [1.0, 0.5, 0.62, 0.6],
        }
    )


@pytest.fixture(scope="session")
def rfm() -> pl.DataFrame:
    """Customers whose spend per order rises a little with frequency; every fifth never came back."""
    frequency = np.arange(500) % 10
    spend = 30.0 + 0.4 * frequency + np.random.default_rng(7).normal(0.0, 12.0, 500)
    return pl.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(500)],
            "frequency": frequency,
            "recency_days": frequency * 20,
            "age_days": np.full(500, 300),
            "monetary_value": [s if f else None for s, f in zip(spend.tolist(), frequency.tolist(), strict=True)],
        }
    )


@pytest.fixture(scope="session")
def cohorts() -> pl.DataFrame:
    """Two cohorts at two ages: one that all customers have reached, one that a part of the second has not."""
    rows = [
        ("2024-01", "retention", 0, 400, 400, 0.3, 0.26, 0.34, True),
        ("2024-01", "retention", 1, 400, 400, 0.2, 0.16, 0.24, True),
        ("2024-02", "retention", 0, 600, 600, 0.25, 0.22, 0.29, True),
        ("2024-02", "retention", 1, 600, 90, 0.1, 0.05, 0.18, False),
        ("2024-02", "retention", 2, 600, 12, None, None, None, False),
        ("2024-01", "cumulative_revenue", 0, 400, 400, 40.0, 38.0, 42.0, True),
        ("2024-01", "cumulative_revenue", 1, 400, 400, 52.6667, 50.0, 55.0, True),
        ("2024-02", "cumulative_revenue", 0, 600, 600, 44.0, 42.0, 46.0, True),
        ("2024-02", "cumulative_revenue", 1, 600, 90, 50.0, 46.0, 54.0, False),
    ]
    return pl.DataFrame([(*row, "") for row in rows], schema=empty(COHORTS).schema, orient="row")


@pytest.fixture(scope="session")
def series() -> pl.DataFrame:
    """A share that leaves its range in the last of four weeks, money that does not, and a score nobody gave."""
    values = {
        ("reopened", "Tickets opened again", "share"): [0.10, 0.11, 0.1194567, 0.15],
        ("aov", "Average order", "money"): [50.0, 51.0, None, 52.34],
        ("nps", "Net Promoter Score", "score"): [None, None, None, None],
    }
    rows = []
    for names, own in values.items():
        low, high = (None, None) if own[0] is None else (0.8 * own[0], 1.2 * own[0])
        for week, value in enumerate(own):
            start = datetime.fromisoformat("2024-01-01") + timedelta(days=7 * week)
            ends = (None, None) if value is None else (0.9 * value, 1.1 * value)
            alert = "above" if value and high and value > high else None
            rows.append((*names, start, start + timedelta(days=7), value, *ends, low, high, alert))
    names = ["metric", "title", "unit", "period_start", "period_end", "value", "low", "high"]
    schema = empty(SERIES).schema
    made = pl.DataFrame(rows, schema=[*names, "usual_low", "usual_high", "alert"], orient="row")
    return made.select(list(schema)).cast(dict(schema))


def metric(**known) -> dict:
    """One metric in the week of 4 March 2024, with what is `known` of it and nothing else."""
    return dict.fromkeys(DASHBOARD.columns) | {
        "metric": "m", "title": "M", "family": "Orders", "unit": "share", "direction": "neither",
        "period_start": datetime.fromisoformat("2024-03-04"), "period_end": datetime.fromisoformat("2024-03-11"),
        "method": "Wilson", "caution": "",
    } | known  # fmt: skip


@pytest.fixture(scope="session")
def dashboard() -> pl.DataFrame:
    """Six metrics in all units that matter; one alert, one caution with markup, two that are not measured."""
    rows = [
        metric(
            metric="aov", title="Average order <b>", unit="money", direction="higher",
            value=52.345, low=49.9, high=54.72, previous=50.0, change=2.345, change_low=0.51, change_high=4.18,
            units=410,
        ),
        metric(
            metric="nps", title="Net Promoter Score", family="Satisfaction", unit="score", direction="higher",
            value=-12.34, low=-30.0, high=5.0, previous=1.0, change=-13.34, change_low=-25.0, change_high=-1.7,
            caution="fewer than 30 answers <i>", alert="below",
        ),
        metric(
            metric="csat", title="Satisfied", family="Satisfaction", direction="higher",
            value=0.8121, low=0.7005, high=0.9, previous=0.8, change=0.0121, change_low=-0.1, change_high=0.125,
            caution="fewer than 30 answers <i>",
        ),
        metric(
            metric="first_response", title="First answer", family="Support", unit="hours", direction="lower",
            value=4.0, low=1.0, previous=2.04, change=1.96,
        ),
        metric(metric="cvr", title="Conversion", family="Visits & more", missing="there is no table of <sessions>."),
        metric(metric="cac", title="Cost", family="Acquisition", unit="money", missing="there is no marketing."),
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=empty(DASHBOARD).schema)


def association(name, outcome, ratio, before, *, clear=True, model="Poisson") -> tuple:
    """Return a row whose intervals are as wide as two standard errors, of 0.03, of the logarithm on each side."""
    ends = [ratio * math.exp(-1.96 * 0.03), ratio * math.exp(1.96 * 0.03)]
    past = [None] * 3 if before is None else [before, before * 0.9, before * 1.1]
    return (name, outcome, name.capitalize(), model, ratio, *ends, *past, 1_400, clear, "association", f"{name} <b>.")


def associated(*rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=empty(ASSOCIATIONS).schema, orient="row")


@pytest.fixture(scope="session")
def found() -> pl.DataFrame:
    """A late order that harms, a contact that went along before it came, and a ticket of nothing."""
    return associated(
        association("late order", "orders", 0.8, 1.0),
        association("late order", "spend", 0.8, 1.0),
        association("late order", "orders", 0.5, None, model="Cox"),
        association("contact", "orders", 1.5, 1.5),
        association("ticket", "orders", 1.01, None, clear=False),
    )


@pytest.fixture(scope="session")
def doses() -> pl.DataFrame:
    """Three classes of deliveries, one of them too small for a share, the last without an upper end; one of returns."""
    outcome = "ordered again within 90 days"
    rows = [
        ("delivery days", "days", 0.0, 2.0, 1.14, outcome, 0.4, 0.38, 0.42, 1_900),
        ("delivery days", "days", 2.0, 5.0, 3.2, outcome, None, None, None, 12),
        ("delivery days", "days", 5.0, math.inf, 7.0, outcome, 0.3, 0.27, 0.33, 500),
        ("returns so far", "count", 0.0, 1.0, 0.0, outcome, 0.5, 0.45, 0.55, 600),
    ]
    return pl.DataFrame(rows, schema=empty(DOSES).schema, orient="row")


@pytest.fixture(scope="session")
def readings() -> pl.DataFrame:
    """Money, a ratio and a score; a title and a finding hold markup."""
    return pl.DataFrame(
        [
            ("members", "Members <b>", 10.327, 3.771, 16.883, 2.4498, "money", "More & <more>."),
            ("before_after", "Before and after joining", -2.3, -2.7, -2.0, 0.117, "money per month", "Less."),
            ("promoters", "Promoters", 1.958, 1.743, 2.174, 1.0, "ratio", "Twice."),
            ("nps", "Score", -27.04, -28.8, -25.1, -28.1, "score", "A score of 27.0."),
        ],
        schema=["method", "title", "reading", "low", "high", "truth", "unit", "finding"],
        orient="row",
    )


@pytest.fixture(scope="session")
def worth_by_nps() -> pl.DataFrame:
    """Promoters spend twice as much as detractors, and one and a half times and once and a tenth at one count."""
    rows = [
        ("all", "promoters", 40, 200.0), ("all", "passives", 30, 150.0), ("all", "detractors", 30, 100.0),
        ("1", "promoters", 10, 45.0), ("1", "detractors", 10, 30.0),
        ("2", "promoters", 20, 66.0), ("2", "detractors", 10, 60.0),
        ("9+", "promoters", 10, 900.0), ("9+", "detractors", 10, 500.0),
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=["orders", "group", "customers", "mean"], orient="row")
    return table.with_columns(low=0.9 * pl.col("mean"), high=1.1 * pl.col("mean"))


@pytest.fixture(scope="session")
def panel() -> pl.DataFrame:
    """A naive method far from 1, what lies before the answer, and a careful method around 1; markup in words."""
    rows = [
        ("naive", "All <b>", 2.3141234, 2.2, 2.42, 9_000, "association", "Twice & more."),
        ("before", "Spend before", 1.87, 1.7, 2.05, 800, "association", "Selection."),
        ("own_past", "Own past", 1.01, 0.9, 1.13, 800, "association", "Nothing."),
    ]
    return pl.DataFrame(rows, schema=empty(SELECTION).schema, orient="row")


@pytest.fixture(scope="session")
def scores():
    """A model with a likelihood, and a rule of thumb without, which held something impossible that came."""
    return pl.DataFrame(
        {
            "model": ["MBG/NBD", "Own <rate>"],
            "log_likelihood": [-14_363.2, None],
            "aic_gap": [0.0, None],
            "weight": [0.57, None],
            "orders_bias": [-0.162, 0.557],
            "mae": [0.765, 1.024],
            "rmse": [1.607, 2.212],
            "log_score": [0.982, math.inf],
            "coverage_80": [0.9245, 0.814],
            "coverage_95": [0.975, 0.875],
            "gini": [0.637, 0.671],
            "top_decile_capture": [None, None],
        },
        schema_overrides={"top_decile_capture": pl.Float64},
    )


@pytest.fixture(scope="session")
def overdue():
    """One customer who has been silent for longer than is usual."""
    row = {
        "customer_id": "<b>ann", "orders": 7, "silent_days": 190, "usual_days": 119.6,
        "prob_alive": 0.41, "prob_alive_then": 0.94, "value": 56.1, "value_low": 0.0, "value_high": 187.2,
    }  # fmt: skip
    return pl.DataFrame([row])


@pytest.fixture(scope="session")
def steps():
    """From a product of averages to a model; a reason holds markup."""
    return pl.DataFrame(
        [
            ("product of averages", 6.8, None, None, "Three averages multiplied."),
            ("mean of products", 16.62, None, None, "Customer by customer."),
            ("after costs", 6.648, None, None, "A margin is left."),
            ("model", 13.6, 12.5, 14.75, "What is <b>expected</b>."),
        ],
        schema={"step": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "why": pl.String},
        orient="row",
    )


@pytest.fixture(scope="session")
def receipts():
    """Twelve lines of ten orders, two of which are set aside; a clean file of tickets whose name holds markup."""
    return (
        Receipt(
            file="orders.csv",
            table="orders",
            recognised="Shopify orders",
            columns=(79, 79),
            rows_read=1_012,
            lines=(
                ReceiptLine(reason="further lines of an order", action="merged", rows=1_002),
                ReceiptLine(reason="test order", action="dropped", rows=1),
                ReceiptLine(reason="cancelled", action="dropped", rows=1),
                ReceiptLine(reason="no e-mail", action="kept", rows=2),
                ReceiptLine(reason="twice", action="dropped", rows=0),
            ),
            facts=(("currency", "<USD>"),),
        ),
        Receipt(file="<b>.csv", table="tickets", recognised="Tickets", columns=(4, 9), rows_read=3),
    )
