"""Made-up results of a study, small enough to check by eye; the tables keep the contracts of `cxsim.tables`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import altair as alt
import numpy as np
import polars as pl
import pytest

from cxsim.metrics.cohorts import COHORTS
from cxsim.metrics.dashboard import SERIES
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.business.break_even import npv_by_size
from cxsim.reporting.business.information import value_of_information, variance_split
from cxsim.reporting.business.investment import cash_fan
from cxsim.reporting.business.portfolio import efficient_frontier
from cxsim.reporting.business.returns import npv_by_strategy, npv_by_structure, npv_distribution
from cxsim.reporting.business.statement import benefit_waterfall
from cxsim.reporting.business.tornado import heat_map, tornado
from cxsim.reporting.business.what_if import what_if as what_if_what_if
from cxsim.reporting.shop.clv_fit import frequency_histogram, holdout_by_frequency, tracking
from cxsim.reporting.shop.clv_validation import alive_by_model, calibration, forecast_bias, forecasts
from cxsim.reporting.shop.clv_value import spend_by_frequency, value_by_decile, value_captured
from cxsim.reporting.shop.cohorts import cohort_heatmap
from cxsim.reporting.shop.dashboard import weekly
from cxsim.reporting.shop.drivers import associations, dose_curve
from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth, selection
from cxsim.reporting.theme import enable
from cxsim.tables import BREAK_EVEN, empty
from tests.charts.cases import fan, heat, information, pathways, portfolio, split, tornado as cases_tornado
from tests.grids import by_hand, centre

STRATEGIES = ("free_delivery", "points_programme", "win_back_coupon")
TITLES = ("Free delivery above USD 40", "Points programme", "Win-back coupon")


@pytest.fixture
def returns() -> pl.DataFrame:
    """A clear gain, an open case and a clear loss."""
    return pl.DataFrame(
        {
            "strategy": STRATEGIES,
            "title": TITLES,
            "decision": ["fund", "pilot", "reject"],
            "outlay": [121_340.0, 64_210.0, 18_750.0],
            "incremental_npv": [41_234.5, 6_120.0, -9_480.0],
            "npv_low": [8_111.0, -21_400.0, -15_020.0],
            "npv_high": [92_412.0, 35_300.0, -2_950.0],
            "npv_mc_error": [1_210.0, 880.0, 190.0],
            "prob_npv_positive": [0.97, 0.62, 0.0],
            "prob_mc_error": [0.01, 0.03, 0.0],
            "roi": [0.34, 0.095, -0.51],
            "roi_low": [0.07, -0.33, -0.8],
            "roi_high": [0.76, 0.55, -0.16],
            "roi_mc_error": [0.01, 0.014, 0.01],
            "prob_payback": [0.95, 0.55, 0.02],
            "payback_months": [13.6, 28.2, None],
            "payback_months_late": [30.9, None, None],
            "payback_mc_error": [0.4, 1.1, None],
            "break_even_scale": [0.62, 0.91, None],
            "customers": [20_000, 20_000, 20_000],
            "draws": [400, 400, 400],
        }
    )


@pytest.fixture
def npv() -> pl.DataFrame:
    """Net present values of 400 draws per strategy, normal around the means of `returns`."""
    rng = np.random.default_rng(20240501)
    centres = zip(STRATEGIES, (41_000, 6_000, -9_500), (22_000, 17_000, 3_500), strict=True)
    return pl.concat(
        pl.DataFrame({"strategy": [name] * 400, "draw": np.arange(400), "npv": rng.normal(mean, spread, 400)})
        for name, mean, spread in centres
    )


@pytest.fixture
def tracking_days() -> pl.DataFrame:
    """Ten orders a day observed throughout; nine a day expected after the first hundred days."""
    day = np.arange(200)
    return pl.DataFrame(
        {
            "day": [date.fromordinal(date(1997, 1, 1).toordinal() + d) for d in day.tolist()],
            "observed": (10 * (day + 1)).astype(np.int64),
            "expected": np.where(day < 100, 10.0 * (day + 1), 1_000.0 + 9.0 * (day - 99)),
        }
    )


@pytest.fixture
def frequencies() -> pl.DataFrame:
    """Of 1,000 customers, 20 are in another class than the model says."""
    return pl.DataFrame(
        {
            "frequency": ["0", "1", "2", "3+"],
            "observed": [600, 200, 120, 80],
            "expected": [610.0, 190.0, 130.0, 70.0],
        }
    )


@pytest.fixture
def holdout() -> pl.DataFrame:
    """The model is inside the interval of the first two classes and below that of the third."""
    return pl.DataFrame(
        {
            "frequency": ["0", "1", "2+"],
            "customers": [600, 200, 200],
            "observed": [0.2, 0.7, 2.2],
            "low": [0.17, 0.6, 2.0],
            "high": [0.23, 0.8, 2.4],
            "expected": [0.21, 0.65, 1.8],
        }
    )


@pytest.fixture
def forecast_days() -> pl.DataFrame:
    """Ten orders a day for 200 days; after the first hundred, one model expects nine a day and one 8.5."""
    day = np.arange(200)
    later = day - 99
    tables = []
    for model, rate, low, high in (("BG/NBD", 9.0, 8.0, 10.1), ("MBG/NBD", 8.5, 8.0, 9.0)):
        ends = {
            name: np.where(day < 100, np.nan, 1_000.0 + end * later)
            for name, end in (("expected", rate), ("low", low), ("high", high))
        }
        fitted = 10.5 * (day + 1)
        tables.append(
            pl.DataFrame(
                {
                    "model": [model] * 200,
                    "day": [date.fromordinal(date(1997, 1, 1).toordinal() + d) for d in day.tolist()],
                    "observed": 10.0 * (day + 1),
                    "expected": np.where(day < 100, fitted, ends["expected"]),
                    "low": ends["low"],
                    "high": ends["high"],
                }
            ).with_columns(pl.col("low", "high").fill_nan(None))
        )
    return pl.concat(tables)


@pytest.fixture
def calibration_classes() -> pl.DataFrame:
    """One model is inside both classes, the other expects a quarter too few of one-time buyers."""
    return pl.DataFrame(
        {
            "model": ["BG/NBD", "BG/NBD", "MBG/NBD", "MBG/NBD"],
            "frequency": ["0", "1+", "0", "1+"],
            "customers": [600, 400, 600, 400],
            "observed": [0.2, 1.5, 0.2, 1.5],
            "low": [0.17, 1.3, 0.17, 1.3],
            "high": [0.23, 1.7, 0.23, 1.7],
            "expected": [0.21, 1.4, 0.15, 1.45],
        }
    )


@pytest.fixture
def tenths() -> pl.DataFrame:
    """Two groups of customers; the first brought less than its interval says, and the second is inside."""
    return pl.DataFrame(
        {
            "decile": [1, 2],
            "customers": [10, 10],
            "expected": [75_000.0, 25_000.0],
            "low": [65_000.0, 20_000.0],
            "high": [85_000.0, 41_000.0],
            "realised": [60_000.0, 40_000.0],
        }
    )


@pytest.fixture
def captures() -> pl.DataFrame:
    """A model that catches three fifths of the value with a fifth of the customers, and a rule of thumb."""
    return pl.DataFrame(
        {
            "model": ["BG/NBD"] * 3 + ["spend so far"] * 3,
            "customers": [0.0, 0.2, 1.0] * 2,
            "value": [0.0, 0.6, 1.0, 0.0, 0.5, 1.0],
        }
    )


@pytest.fixture
def biases() -> pl.DataFrame:
    """Two models with intervals and a rule of thumb."""
    return pl.DataFrame(
        {
            "model": ["BG/NBD", "MBG/NBD", "Own rate goes on"],
            "bias": [-0.16, -0.12, 0.557],
            "low": [-0.2, -0.17, None],
            "high": [-0.1, -0.05, None],
        }
    )


@pytest.fixture
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


@pytest.fixture
def rfm() -> pl.DataFrame:
    """Customers whose spend per order rises a little with frequency; every fifth never came back."""
    rng = np.random.default_rng(7)
    frequency = np.arange(500) % 10
    spend = 30.0 + 0.4 * frequency + rng.normal(0.0, 12.0, 500)
    return pl.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(500)],
            "frequency": frequency,
            "recency_days": frequency * 20,
            "age_days": np.full(500, 300),
            "monetary_value": [s if f else None for s, f in zip(spend.tolist(), frequency.tolist(), strict=True)],
        }
    )


@pytest.fixture
def structures(returns) -> pl.DataFrame:
    """The same returns under three models of leaving."""
    return pl.concat(
        returns.with_columns(structure=pl.lit(name), incremental_npv=pl.col("incremental_npv") + more)
        for name, more in (("bgnbd", 0.0), ("mbgnbd", 500.0), ("paretonbd", -500.0))
    )


@pytest.fixture
def search() -> pl.DataFrame:
    """One effect that pays at a ratio of 0.72 or less."""
    row = {
        "strategy": "tiers",
        "title": "Gold status",
        "effect": "effects.dropout_1.ratio",
        "description": "Chance of leaving, against before; searched, not believed. The interval says where to look.",
        "unit": "ratio",
        "searched_low": 0.5,
        "searched_high": 1.0,
        "npv_low": 27_000.0,
        "npv_high": -26_000.0,
        "break_even": 0.72,
        "npv_mc_error": 1_400.0,
        "draws": 24,
    }
    return pl.DataFrame([row], schema=empty(BREAK_EVEN).schema)


@pytest.fixture
def curve(search) -> pl.DataFrame:
    """Its NPV at four sizes."""
    sizes = pl.DataFrame({"size": [0.5, 0.72, 0.75, 1.0], "npv": [27_000.0, 0.0, -3_000.0, -26_000.0]})
    alt_text = search.select("strategy", "title", "effect", "description", "unit")
    return alt_text.join(sizes, how="cross").with_columns(low=pl.col("npv") - 12_000.0, high=pl.col("npv") + 12_000.0)


@pytest.fixture
def value_figures(
    structures, curve, search, forecast_days, calibration_classes, tenths, captures, biases, alive
) -> dict[str, alt.Chart]:
    """The figures of customer value, of models of leaving and of searches."""
    return {
        "forecasts": forecasts(forecast_days, date(1997, 4, 10)),
        "calibration": calibration(calibration_classes),
        "value_by_decile": value_by_decile(tenths, "USD"),
        "value_captured": value_captured(captures),
        "forecast_bias": forecast_bias(biases),
        "alive_by_model": alive_by_model(alive),
        "npv_by_structure": npv_by_structure(structures, "USD"),
        "npv_by_size": npv_by_size(curve, search, "USD"),
    }


@pytest.fixture
def readings() -> pl.DataFrame:
    """Three readings in three units: one far from the truth, one with the wrong sign, one that holds it."""
    return pl.DataFrame(
        {
            "method": ["members", "before_after", "nps"],
            "title": ["Members against the others", "Before and after joining", "Score of those who answer"],
            "reading": [10.4567891, -2.3, 27.0],
            "low": [3.8, -2.7, 25.1],
            "high": [16.9, -2.0, 28.8],
            "truth": [2.45, 0.117, 28.1],
            "unit": ["money", "money per month", "score"],
            "finding": ["Members spend more.", "Members spend less.", "They give a score of 27.0."],
        }
    )


@pytest.fixture
def worth_by_nps() -> pl.DataFrame:
    """Promoters are worth twice as much as detractors, and one and a half times and once and a tenth at one count."""
    rows = [
        ("all", "promoters", 40, 200.0), ("all", "passives", 30, 150.0), ("all", "detractors", 30, 100.0),
        ("1", "promoters", 10, 45.0), ("1", "detractors", 10, 30.0),
        ("2", "promoters", 20, 66.0), ("2", "detractors", 10, 60.0),
        ("9+", "promoters", 10, 900.0), ("9+", "detractors", 10, 500.0),
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=["orders", "group", "customers", "mean"], orient="row")
    return table.with_columns(low=0.9 * pl.col("mean"), high=1.1 * pl.col("mean"))


@pytest.fixture
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


@pytest.fixture
def series() -> pl.DataFrame:
    """Revenue over four weeks, of which the last lies above its usual range."""
    begins = [datetime.fromisoformat("2024-01-01") + timedelta(days=7 * week) for week in range(4)]
    return pl.DataFrame(
        {
            "metric": "revenue",
            "title": "Revenue",
            "unit": "money",
            "period_start": begins,
            "period_end": [begin + timedelta(days=7) for begin in begins],
            "value": [1_000.0, 1_100.0 / 3.0, 1_050.0, 1_900.0],
            "low": [900.0, 300.0, 950.0, 1_700.0],
            "high": [1_100.0, 420.0, 1_150.0, 2_100.0],
            "usual_low": 300.0,
            "usual_high": 1_400.0,
            "alert": [None, None, None, "above"],
        },
        schema_overrides=empty(SERIES).schema,
    )


@pytest.fixture
def panel() -> pl.DataFrame:
    """Promoters far above detractors by a naive table, and not at all against their own past."""
    rows = [
        ("naive", "All spend so far", 2.3123456, 2.2, 2.42, 9_000, "association", "Twice."),
        ("own_past", "Own past", 1.01, 0.9, 1.13, 800, "association", "Nothing."),
    ]
    return pl.DataFrame(rows, schema=empty(SELECTION).schema, orient="row")


@pytest.fixture
def met() -> pl.DataFrame:
    """An experience that goes with fewer orders, and did not before; and one of nothing."""
    rows = [
        (
            "late",
            "orders",
            "Late order",
            "Poisson",
            0.8123456,
            0.75,
            0.88,
            1.0,
            0.9,
            1.1,
            400,
            True,
            "association",
            "-",
        ),
        ("ticket", "orders", "Ticket", "Poisson", 1.0, 0.9, 1.1, None, None, None, 90, False, "association", "-"),
    ]
    return pl.DataFrame(rows, schema=empty(ASSOCIATIONS).schema, orient="row")


@pytest.fixture
def doses() -> pl.DataFrame:
    """Two classes of deliveries, the second without an upper end."""
    rows = [
        ("delivery days", "days", 0.0, 2.0, 1.1, "ordered again within 90 days", 0.4, 0.38, 0.42, 900),
        ("delivery days", "days", 2.0, math.inf, 7.0, "ordered again within 90 days", 1.0 / 3.0, 0.27, 0.36, 500),
    ]
    return pl.DataFrame(rows, schema=empty(DOSES).schema, orient="row")


@pytest.fixture
def measured_figures(series, panel, met, doses, cohorts) -> dict[str, alt.Chart]:
    """The figures of what a shop measures."""
    return {
        "weekly": weekly(series, metrics=["revenue"], currency="USD"),
        "selection": selection(panel),
        "associations": associations(met),
        "dose_curve": dose_curve(doses),
        "cohort_heatmap": cohort_heatmap(cohorts, "retention", "USD"),
    }


@pytest.fixture
def case_figures() -> dict[str, alt.Chart]:
    """The figures of a business case."""
    return {
        "cash_fan": cash_fan(fan(), "USD"),
        "tornado": tornado(cases_tornado(), "USD"),
        "heat_map": heat_map(heat(), "USD"),
        "benefit_waterfall": benefit_waterfall(pathways(), "USD"),
        "efficient_frontier": efficient_frontier(portfolio(), "USD"),
        "worth_of_knowing": value_of_information(information(), "USD"),
        "variance_split": variance_split(split()),
    }


@pytest.fixture
def what_if() -> alt.Chart:
    """A figure with sliders."""
    (figure,) = what_if_what_if(by_hand(), centre(x=2.0, gross_margin=0.5, horizon_months=2), "USD")
    return figure


@pytest.fixture
def figures(
    readings,
    worth_by_nps,
    returns,
    npv,
    tracking_days,
    frequencies,
    holdout,
    rfm,
    value_figures,
    measured_figures,
    case_figures,
    what_if,
) -> dict[str, alt.Chart]:
    """Every figure of the room, drawn from the tables above."""
    return (
        value_figures
        | measured_figures
        | case_figures
        | {
            "what_if": what_if,
            "npv_by_strategy": npv_by_strategy(returns, "USD"),
            "npv_distribution": npv_distribution(npv, "USD"),
            "tracking": tracking(tracking_days, date(1997, 4, 10)),
            "frequency_histogram": frequency_histogram(frequencies),
            "holdout_by_frequency": holdout_by_frequency(holdout),
            "spend_by_frequency": spend_by_frequency(rfm, "USD"),
            "naive_against_truth": naive_against_truth(readings, "USD"),
            "ltv_by_nps": ltv_by_nps(worth_by_nps, "USD"),
        }
    )


@pytest.fixture
def enabled() -> Iterator[None]:
    """The theme and the renderer of cxsim, switched on for one test."""
    theme, renderer = alt.theme.active, alt.renderers.active
    enable()
    yield
    alt.theme.enable(theme)
    alt.renderers.enable(renderer)
