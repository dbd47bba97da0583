"""Forecasts made at several days of CDNOW's past, held against what came."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.validation.compare import backtest, compare
from cxsim.clv.validation.scoring import FORECAST_SCORES, pooled
from cxsim.data.rfm import holdout, summarise
from cxsim.errors import DataError, EstimationError
from cxsim.tables import check

MODELS = ["bgnbd", "mbgnbd", "paretonbd"]
NAIVE = ["own_rate", "shop_rate", "recent_past"]


def test_origins_step_back_by_half_of_a_quarter_of_the_span(looking_back):
    assert looking_back.horizon_days == 136
    assert looking_back.origins == (date(1997, 12, 8), date(1998, 2, 14))


def test_models_stand_beside_naive_rules(looking_back):
    assert check(looking_back.table, FORECAST_SCORES)["name"].to_list() == MODELS + NAIVE
    assert looking_back.by_origin["origin"].unique().sort().to_list() == list(looking_back.origins)
    assert looking_back.by_origin.height == 2 * len(MODELS + NAIVE)


def test_totals_over_origins_are_their_sums(looking_back):
    totals = looking_back.by_origin.group_by("name", maintain_order=True).agg(
        pl.col("observed_orders", "expected_orders").sum()
    )
    assert_allclose(looking_back.table["expected_orders"], totals["expected_orders"])
    bias = totals["expected_orders"] / totals["observed_orders"] - 1.0
    assert_allclose(looking_back.table["orders_bias"], bias, atol=1e-12)


def test_scores_of_one_origin_are_those_of_a_comparison_at_that_day(orders):
    found = backtest(orders, origins=1, models=("mbgnbd",), draws=60)
    origin = found.origins[0]
    rfm, later = summarise(orders, until=origin), holdout(orders, after=origin, until=date(1998, 6, 30))
    compared = compare(rfm, later, days=136, models=("mbgnbd",), draws=60)
    shared = [name for name in FORECAST_SCORES.columns if name != "rmse"]
    assert found.by_origin.select(shared).row(0) == compared.table.select(shared).row(0)
    # A root and its square.
    assert found.table["rmse"][0] == pytest.approx(compared.table["rmse"][0], rel=1e-12)


def test_scores_of_several_origins_are_means_over_their_customers(looking_back):
    rows = looking_back.by_origin.filter(pl.col("name") == "mbgnbd")
    weight = rows["customers"].to_numpy() / rows["customers"].sum()
    found = looking_back.table.row(1, named=True)
    assert found["mae"] == pytest.approx((rows["mae"].to_numpy() * weight).sum(), rel=1e-12)
    assert found["rmse"] == pytest.approx(np.sqrt((rows["rmse"].to_numpy() ** 2 * weight).sum()), rel=1e-12)
    assert found["gini"] == pytest.approx(rows["gini"].mean(), rel=1e-12)


def test_every_model_beats_every_naive_rule_by_the_log_score_on_cdnow(looking_back):
    scores = dict(looking_back.table.select("name", "log_score").iter_rows())
    assert max(scores[name] for name in MODELS) < min(scores[name] for name in NAIVE)


def test_the_recent_past_repeats_the_repeat_orders_of_as_many_days_as_are_forecast(orders, looking_back):
    origin = looking_back.origins[-1]
    now, before = (summarise(orders, until=day) for day in (origin, origin - timedelta(days=136)))
    found = looking_back.by_origin.filter((pl.col("name") == "recent_past") & (pl.col("origin") == origin))
    # All customers of the sample were known by then.
    assert found["expected_orders"][0] == now["frequency"].sum() - before["frequency"].sum()


def test_counts_lie_evenly_in_the_distributions_of_models_and_not_in_those_of_naive_rules(looking_back):
    share = {
        name: looking_back.places.filter(pl.col("name") == name)["share"].to_numpy() for name in [*MODELS, "own_rate"]
    }
    for found in share.values():
        assert found.sum() == pytest.approx(1.0, abs=1e-12)
    farthest = {name: abs(found - 0.1).max() for name, found in share.items()}
    # Some 4,700 places: 4 standard errors of a share of a tenth, and no more as long again for what models miss.
    error = 4 * np.sqrt(0.09 / 4700)
    assert all(farthest[name] < 2 * error for name in MODELS)
    assert farthest["own_rate"] > 2 * error


def test_deciles_hold_all_the_spend_and_fall_from_the_first(looking_back):
    for name in MODELS:
        table = looking_back.deciles.filter(pl.col("name") == name)
        observed = looking_back.table.filter(pl.col("name") == name)["observed_spend"][0]
        assert table["realised"].sum() == pytest.approx(observed, rel=1e-12)
        assert table["captured"][-1] == pytest.approx(1.0, abs=1e-12)
        assert table["predicted"].is_sorted(descending=True)


def test_the_sentence_says_how_far_off_models_were_and_which_to_use(looking_back):
    assert looking_back.sentence.startswith("1,811 orders came in the 136 days after each of two days of the past")
    assert "90\N{NO-BREAK SPACE}% interval" in looking_back.sentence
    assert f"Use {dict(zip(MODELS, ('BG/NBD', 'MBG/NBD', 'Pareto/NBD'), strict=True))[looking_back.choice]}" in (
        looking_back.sentence
    )
    assert looking_back.sentence in looking_back._repr_html_().replace("&#x27;", "'")


def test_a_backtest_is_the_same_for_any_order_of_rows_and_tells_its_progress(orders, looking_back):
    sentence = []
    frame = orders.table.collect().sample(fraction=1.0, shuffle=True, seed=3)
    found = backtest(frame, origins=2, draws=60, progress=lambda done, total: sentence.append((done, total)))
    for name in ("table", "by_origin", "calibration", "deciles", "places"):
        assert getattr(found, name).equals(getattr(looking_back, name)), name
    assert sentence == [(done, 6) for done in range(1, 7)]


def test_a_missing_interval_of_spend_stays_missing_when_origins_are_taken_together(looking_back):
    gone = pl.col("origin") == looking_back.origins[0]
    holes = looking_back.by_origin.with_columns(
        spend_bias_low=pl.when(~gone).then("spend_bias_low"), gini=pl.when(~gone).then("gini")
    )
    found = pooled(holes)
    assert found["spend_bias_low"].null_count() == found.height
    assert found["gini"].null_count() == 0


def test_a_horizon_longer_than_the_data_is_refused(orders):
    with pytest.raises(DataError, match=r"orders span 545 days.*horizon_days up to 181"):
        backtest(orders, horizon_days=300)


def test_an_unknown_model_is_refused_with_the_nearest(orders):
    with pytest.raises(EstimationError, match="no model 'paretonb'; did you mean 'paretonbd'"):
        backtest(orders, models=("paretonb",))


def test_a_time_in_which_nobody_came_back_is_refused(orders):
    start = date(1997, 1, 1)
    frame = orders.table.filter(pl.col("ordered_at") <= start + timedelta(days=200)).collect()
    with pytest.raises(DataError, match="there is nothing to hold forecasts against"):
        backtest(frame, origins=1, horizon_days=150, observed_until=start + timedelta(days=400))
