"""The metrics of satisfaction against the worked numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl
import pytest

from cxsim.metrics.intervals import wilson
from tests.by_unit import mean
from tests.metrics.toys import measured, noon, shop_of


def _surveys(instrument: str, scores: Sequence[int | None], *, customers: int | None = None) -> pl.DataFrame:
    number = len(scores)
    return pl.DataFrame(
        {
            "survey_id": [f"s{n}" for n in range(number)],
            "customer_id": [f"c{n % (customers or number)}" for n in range(number)],
            "sent_at": [noon("2024-03-10")] * number,
            "instrument": [instrument] * number,
            "score": pl.Series(scores, dtype=pl.Int64),
        }
    )


def test_the_score_of_25_promoters_15_passives_and_10_detractors_is_30():
    found = measured(shop_of(surveys=_surveys("nps", [9] * 12 + [10] * 13 + [7] * 8 + [8] * 7 + [0] * 4 + [6] * 6)))
    ends = tuple(found["nps"][name] for name in ("value", "low", "high"))
    assert ends == pytest.approx((30.0, 7.2995, 49.3043), abs=5e-5)  # adjusted Wald, as published to four decimals


def test_who_answers_twice_is_one_customer():
    scores = [9] * 25 + [7] * 15 + [0] * 10
    once = measured(shop_of(surveys=_surveys("nps", scores)))["nps"]
    twice = measured(shop_of(surveys=_surveys("nps", scores + scores, customers=50)))["nps"]
    assert (twice["value"], twice["units"]) == (pytest.approx(once["value"]), 50)
    # The second answers say nothing new, so the interval is that of 50 customers: SE 11.1575 with n - 1, t(49) 2.0096.
    assert twice["high"] - twice["low"] == pytest.approx(2 * 2.00958 * 11.1575, rel=1e-4)


@pytest.mark.parametrize(
    ("instrument", "scores", "metric", "value"),
    [
        ("csat", [5, 5, 4, 4, 3, 3, 2, 1, 5, 4], "csat_mean", 3.6),
        ("csat", [5, 5, 4, 4, 3, 3, 2, 1, 5, 4], "csat_top2", 0.6),
        ("csat_good", [1, 1, 1, 0, 1, 1, 1, 0, 1, 1], "csat_good", 0.8),
        ("ces", [7, 6, 7, 5, 3, 4, 1, 2, 5, 5], "ces_ease", 4.5),
        ("ces", [7, 6, 7, 5, 3, 4, 1, 2, 5, 5], "ces_easy", 0.6),
        ("effort", [1, 1, 2, 3, 5, 1, 1, 2, 1, 1], "ces_effort", 1.8),
    ],
)
def test_a_metric_of_answers_is_the_number_reckoned_by_hand(instrument, scores, metric, value):
    assert measured(shop_of(surveys=_surveys(instrument, scores)))[metric]["value"] == pytest.approx(value)


def test_mean_and_share_of_satisfaction_have_intervals_of_their_own():
    scores = [5, 5, 4, 4, 3, 3, 2, 1, 5, 4]
    found = measured(shop_of(surveys=_surveys("csat", scores)))
    by_t, by_wilson = mean(scores), wilson(6, 10)
    assert (found["csat_mean"]["low"], found["csat_mean"]["high"]) == pytest.approx((by_t.low, by_t.high))
    assert (found["csat_top2"]["low"], found["csat_top2"]["high"]) == pytest.approx((by_wilson.low, by_wilson.high))


def test_the_response_rate_counts_surveys_of_every_kind():
    sent = pl.concat([_surveys("nps", [9, None, None] * 4), _surveys("csat", [None, 4, None] * 4)])
    assert measured(shop_of(surveys=sent))["response_rate"]["value"] == pytest.approx(8 / 24)


def test_directions_of_ease_and_effort_are_opposite():
    found = measured(shop_of(surveys=_surveys("ces", [5] * 10)))
    assert (found["ces_ease"]["direction"], found["ces_effort"]["direction"]) == ("higher", "lower")


def test_fewer_than_ten_answers_are_counted_but_no_score_is_said():
    found = measured(shop_of(surveys=_surveys("nps", [9] * 9)))["nps"]
    assert (found["value"], found["units"], found["caution"]) == (None, 9, "too few to say: 9 of 10")


def test_where_answers_alone_are_known_the_response_rate_is_not_measured():
    shop = shop_of(surveys=_surveys("nps", [9] * 12))
    alone = dataclasses.replace(shop, lacks={"surveys.sent_at": "the file holds answers alone."})
    found = measured(alone)
    assert found["response_rate"]["missing"] == "the file holds answers alone."
    assert found["nps"]["value"] == 100.0
