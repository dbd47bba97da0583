"""F3 and F4: what CDNOW's customers did, and how well the models that are fitted to a half of it follow."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.validation.holdout import tracking
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import cumulative_repeat_orders, holdout, summarise

CALIBRATION, END = date(1997, 9, 30), date(1998, 6, 30)


@pytest.fixture(scope="module")
def calibration():
    return summarise(load_cdnow(sample=True), until=CALIBRATION)


def test_f3_of_2357_customers_59_9_percent_have_no_repeat_order_by_week_39(calibration):
    assert calibration.height == 2357
    assert round(100 * (calibration["frequency"] == 0).mean(), 1) == 59.9


def test_f3_51_7_percent_are_one_time_buyers_at_78_weeks():
    whole = summarise(load_cdnow(sample=True), until=END)
    assert round(100 * (whole["frequency"] == 0).mean(), 1) == 51.7


def test_f3_2457_repeat_orders_by_week_39_and_1882_after_it(calibration):
    later = holdout(load_cdnow(sample=True), after=CALIBRATION, until=END)
    assert (calibration["frequency"].sum(), later["holdout_orders"].sum()) == (2457, 1882)


def test_f3_bg_nbd_follows_the_cumulative_orders_within_5_percent_from_week_20_on(calibration):
    counts = cumulative_repeat_orders(load_cdnow(sample=True), until=END)
    tracked = tracking(counts, fit(calibration))
    error = (tracked["expected"] / tracked["observed"] - 1).to_numpy()
    assert np.abs(error[20 * 7 :]).max() < 0.05
    # As measured, and not within the target of 5 %: 14 % low in week 13, when the last of the customers had come. At
    # the end the 12 % that are missed of the 1,882 later orders are 4 % of all 4,339.
    assert error[13 * 7 - 1] == pytest.approx(-0.144, abs=0.0005)
    assert error[-1] == pytest.approx(-0.041, abs=0.0005)


def test_f4_the_mean_repeat_order_is_35_08_and_the_models_is_35_17(calibration):
    repeaters = calibration.drop_nulls("monetary_value")
    assert repeaters["monetary_value"].mean() == pytest.approx(35.08, abs=0.005)
    spend = fit_spend(calibration).params
    mean = spend.p * spend.v / (spend.q - 1)
    assert mean == pytest.approx(35.17, abs=0.005)
    assert mean == pytest.approx(repeaters["monetary_value"].mean(), rel=0.02)


def test_f4_how_much_and_how_often_correlate_with_0_11(calibration):
    repeaters = calibration.drop_nulls("monetary_value").select("frequency", "monetary_value").to_numpy().T
    assert np.corrcoef(repeaters)[0, 1] == pytest.approx(0.11, abs=0.005)
