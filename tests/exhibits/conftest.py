"""Made-up results of a study, small enough to check by eye; the tables keep the contracts of `cxsim.tables`."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.ladder import CHANGES


@pytest.fixture
def returns() -> pl.DataFrame:
    """A clear gain, an open case and a clear loss; one title holds markup."""
    return pl.DataFrame(
        {
            "strategy": ["free_delivery", "points_programme", "win_back_coupon"],
            "title": ["Free delivery", "Points <b>& more</b>", "Win-back coupon"],
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
            "break_even_scale": [1.34, 1.095, 0.49],
            "customers": [20_000, 20_000, 20_000],
            "draws": [400, 400, 400],
        }
    )


@pytest.fixture
def statement() -> pl.DataFrame:
    """Two strategies over fourteen months, each month alike; support and acquisition have no entry."""
    rows = [
        {
            "strategy": strategy,
            "month": month,
            "starts_on": date(2025 + month // 12, month % 12 + 1, 1),
            "line": line,
            "baseline": 10.0 * change,
            "treated": 11.0 * change,
            "incremental": change,
            "low": change - 100.0,
            "high": change + 100.0,
        }
        for strategy in ("free_delivery", "points_programme")
        for month in range(14)
        for line, change in CHANGES.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"month": pl.Int32})


@pytest.fixture
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


@pytest.fixture
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
