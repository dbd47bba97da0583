"""Made-up results of a study, small enough to check by eye; the tables keep their contracts."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import polars as pl
import pytest

from cxsim.reporting.business.information import value_of_information, variance_split
from cxsim.reporting.business.investment import cash_fan
from cxsim.reporting.business.portfolio import efficient_frontier
from cxsim.reporting.business.statement import benefit_waterfall
from cxsim.reporting.business.tornado import heat_map, tornado
from cxsim.tables import BREAK_EVEN, empty
from tests.grids import CHANGES
from tests.reporting.business.cases import fan, heat, information, pathways, portfolio, split, tornado as cases_tornado
from tests.reporting.shop.conftest import as_text, enabled, finding  # noqa: F401

STRATEGIES = ("free_delivery", "points_programme", "win_back_coupon")


@pytest.fixture(scope="session")
def returns() -> pl.DataFrame:
    """A clear gain, an open case and a clear loss; one title holds markup."""
    return pl.DataFrame(
        {
            "strategy": STRATEGIES,
            "title": ["Free delivery", "Points <b>& more</b>", "Win-back coupon"],
            "decision": ["fund", "pilot", "reject"],
            "investment": [121_340.0, 64_210.0, 18_750.0],
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
            "profitability_index": [1.34, 1.095, 0.49],
            "customers": [20_000, 20_000, 20_000],
            "draws": [400, 400, 400],
        }
    )


@pytest.fixture(scope="session")
def totals() -> pl.DataFrame:
    """Two strategies, a year and two months; support and acquisition have no entry."""
    rows = [
        {
            "strategy": strategy,
            "period": period,
            "line": line,
            "baseline": 10.0 * months * change,
            "treated": 11.0 * months * change,
            "incremental": months * change,
            "low": months * change - 1_000.0,
            "high": months * change + 1_000.0,
        }
        for strategy in ("free_delivery", "points_programme")
        for line, change in CHANGES.items()
        for period, months in (("Year 1", 12), ("Year 2 (2 months)", 2), ("Total", 14))
    ]
    return pl.DataFrame(rows)


@pytest.fixture(scope="session")
def assumptions() -> pl.DataFrame:
    """One assumption of each grade; the last has no source and holds markup."""
    return pl.DataFrame(
        {
            "id": ["economics.cost_of_goods", "points.purchase_rate", "points.programme_cost"],
            "belongs_to": ["Economics", "Points programme", "Points programme"],
            "description": ["Cost of goods over revenue.", "Order rate with points over without.", "Running <cost>."],
            "unit": ["share", "ratio", "money per month"],
            "value": [0.55, 1.06, 1_500.0],
            "low": [0.55, 0.98, 1_000.0],
            "high": [0.55, 1.15, 2_200.0],
            "evidence": ["measured", "published", "assumed"],
            "source": ["Accounts of 2024", "Taylor & Neslin (2005)", None],
        }
    )


TITLES = ("Free delivery above USD 40", "Points programme", "Win-back coupon")


@pytest.fixture(scope="session")
def drawn_returns(returns) -> pl.DataFrame:
    """The same with titles as figures show them."""
    return returns.with_columns(title=pl.Series(TITLES))


@pytest.fixture(scope="session")
def npv() -> pl.DataFrame:
    """Net present values of 400 draws per strategy, normal around the means of `returns`."""
    rng = np.random.default_rng(20240501)
    centres = zip(STRATEGIES, (41_000, 6_000, -9_500), (22_000, 17_000, 3_500), strict=True)
    return pl.concat(
        pl.DataFrame({"strategy": [name] * 400, "draw": np.arange(400), "npv": rng.normal(mean, spread, 400)})
        for name, mean, spread in centres
    )


@pytest.fixture(scope="session")
def drawn_structures(drawn_returns) -> pl.DataFrame:
    """The same returns under three models of leaving."""
    return pl.concat(
        drawn_returns.with_columns(structure=pl.lit(name), incremental_npv=pl.col("incremental_npv") + more)
        for name, more in (("bgnbd", 0.0), ("mbgnbd", 500.0), ("paretonbd", -500.0))
    )


@pytest.fixture(scope="session")
def drawn_search() -> pl.DataFrame:
    """One effect that pays at a ratio of 0.72 or less."""
    row = {
        "strategy": "tiers",
        "title": "Gold status",
        "effect": "effects.dropout_1.ratio",
        "description": "Chance of leaving, against before; searched, not assumed. The interval says where to look.",
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


@pytest.fixture(scope="session")
def curve(drawn_search) -> pl.DataFrame:
    """Its NPV at four sizes."""
    sizes = pl.DataFrame({"size": [0.5, 0.72, 0.75, 1.0], "npv": [27_000.0, 0.0, -3_000.0, -26_000.0]})
    alt_text = drawn_search.select("strategy", "title", "effect", "description", "unit")
    return alt_text.join(sizes, how="cross").with_columns(low=pl.col("npv") - 12_000.0, high=pl.col("npv") + 12_000.0)


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def specs(case_figures) -> dict[str, dict[str, Any]]:
    """The same as they are stored."""
    return {name: figure.to_dict() for name, figure in case_figures.items()}
