"""F3 and F4: what CDNOW's customers did, and how well the models that are fitted to a half of it follow."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.validation.holdout import tracking
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import cumulative_repeat_orders, holdout, summarise
from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import flows
from cxsim.params import DAYS_PER_YEAR, Unit
from cxsim.simulation.world import Population, empty_base
from cxsim.strategies.effects import Dropout
from cxsim.study.assumptions import with_assumptions
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.worlds import Draw, Worlds
from cxsim.tables import RFM
from tests.simulated import assumed
from tests.study.plans import plan

CALIBRATION, END = date(1997, 9, 30), date(1998, 6, 30)


@pytest.fixture(scope="module")
def calibration():
    return summarise(load_cdnow(sample=True), until=CALIBRATION)


def test_f3_59_9_percent_of_2357_customers_have_no_repeat_order_by_week_39_and_51_7_at_78_weeks(calibration):
    whole = summarise(load_cdnow(sample=True), until=END)
    assert calibration.height == whole.height == 2357
    assert [round(100 * (rfm["frequency"] == 0).mean(), 1) for rfm in (calibration, whole)] == [59.9, 51.7]
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


# F9: for a long-lived base, value moves most with retention, then with margin, least with the cost of acquisition.
#
# Gupta, Lehmann and Stuart (2004), Valuing Customers, Journal of Marketing Research 41: 1 % more retention raises the
# value of five firms' customers by 3 to 7 %, 1 % more margin by 1 %, and 1 % less cost of acquisition by 0.02 to 0.3 %.

# Customers much alike who order once a month and of whom four in five stay for another year; 40 years see all of them
# leave.
RETENTION, RATE = 0.80, 0.10
HAZARD = -math.log(RETENTION) / DAYS_PER_YEAR
BUYING = ParetoNbdParams(r=50.0, alpha=50.0 * 30.0, s=400.0, beta=400.0 / HAZARD)
SPENDING = GammaGammaParams(p=6.0, q=4.0, v=16.0)
NOBODY = pl.DataFrame(schema={name: kinds[0] for name, kinds in RFM.columns.items()})
# A percent more retention, as a ratio on the hazard of leaving.
STAYING = plan("staying", Dropout(ratio=assumed(math.log(RETENTION * 1.01) / math.log(RETENTION), Unit.RATIO)))
MARGIN, ACQUISITION = 0.40, 60.0
PLAIN = {"payment_share": 0.0, "payment_per_order": 0.0, "fulfilment_per_order": 0.0, "support_per_order": 0.0}


def values(margin=MARGIN, acquisition=ACQUISITION):
    """Return what 2,000 new customers are worth, less what winning them costs: as they are, and with more retention."""
    scenario = replace(
        load_scenario("cdnow-quick"),
        strategies=(STAYING,),
        existing_customers="none",
        new_customers=NewCustomers(per_month=2000, months=1),
        horizon_months=480,
        dropout="paretonbd",
        draws=2,
    )
    known = {**PLAIN, "gross_margin": margin, "acquisition_per_customer": acquisition}
    scenario = with_assumptions(scenario, {f"economics/cdnow/{name}": amount for name, amount in known.items()})
    draw = Draw(number=0, world=0, structure="paretonbd", scenario=scenario, purchases=BUYING, spend=SPENDING)
    people = Population(base=empty_base(), arrivals=(2000,), calendar=scenario.calendar)
    worlds = Worlds(scenario=scenario, rfm=NOBODY, population=people, draws=(draw,))
    ledger = worlds.ledger(worlds.simulate())
    amounts = flows(ledger, scenario.arms, draws=1, months=scenario.horizon_months).amounts.sum(axis=3)
    return [net_present_value(amounts[:, arm], worlds.present_values()).item() for arm in (0, 1)]


@pytest.fixture(scope="module")
def elasticities():
    """Change of value in percent for one percent of each."""
    value, longer = values()
    return {
        "retention": 100 * (longer / value - 1),
        "margin": 100 * (values(margin=MARGIN * 1.01)[0] / value - 1),
        "acquisition": 100 * (values(acquisition=ACQUISITION * 0.99)[0] / value - 1),
    }


def test_f9_retention_moves_value_more_than_margin_and_margin_more_than_the_cost_of_acquisition(elasticities):
    assert elasticities["retention"] > 2.5 * elasticities["margin"]
    assert elasticities["margin"] > 5 * elasticities["acquisition"] > 0


def test_f9_the_elasticities_are_those_that_the_paper_found(elasticities):
    assert 3.0 < elasticities["retention"] < 7.0
    assert elasticities["margin"] == pytest.approx(1.0, abs=0.3)
    assert 0.02 < elasticities["acquisition"] < 0.3


def test_f9_the_elasticity_of_retention_is_that_of_a_constant_hazard(elasticities):
    # Value of the repeat orders ~ 1 / (hazard + discount rate), both per year; the first order and the cost of
    # acquisition do not move with retention, and add to the other two what they take here.
    hazard, waiting = -math.log(RETENTION), math.log(1 + RATE)
    after = -math.log(RETENTION * 1.01)
    expected = 100 * ((hazard + waiting) / (after + waiting) - 1)
    # First orders and acquisition are each about a tenth of the value; luck is the same in both arms.
    assert elasticities["retention"] == pytest.approx(expected, rel=0.15)


# F10: "5 % more retention, 25 to 95 % more profit" needs loyal customers and costs that profit is levered on.
#
# Reichheld and Sasser (1990), Zero Defections, Harvard Business Review 68(5), is where the saying comes from; Sharp
# calls it a thought experiment. The arithmetic of it: customers stay from year to year with a chance r, money is worth
# 10 % a year, and five points are added to r.

DISCOUNT, POINTS = 0.10, 0.05


def later(retention):
    """Value of all years after the first, for one unit of money a year."""
    return retention / (1 + DISCOUNT - retention)


def whole(retention):
    """Value with the first year."""
    return 1 + later(retention)


def rise(value, retention, more=POINTS):
    return value(retention + more) / value(retention) - 1


def levered_rise(retention):
    """Rise of the value less a cost of acquisition of half of it."""
    cost = whole(retention) / 2
    return rise(lambda r: whole(r) - cost, retention)


# From where half of the customers stay: below, five points are a large part of a retention that is worth little.
TENTHS = [number / 10 for number in range(5, 10)]
HUNDREDTHS = [number / 100 for number in range(50, 96)]
# Retention; percent more of later value, of the whole, and of the whole less acquisition.
TABLE = [(0.5, 20, 9, 18), (0.7, 22, 14, 29), (0.8, 28, 20, 40), (0.9, 41, 33, 67)]


@pytest.mark.parametrize(("retention", "of_later", "of_whole", "levered"), TABLE)
def test_f10_the_table_of_the_notes_comes_out_to_the_percent(retention, of_later, of_whole, levered):
    found = (rise(later, retention), rise(whole, retention), levered_rise(retention))
    # To the whole percent that the notes print; 27.5 % is on the edge between two of them.
    assert [100 * share for share in found] == pytest.approx([of_later, of_whole, levered], abs=0.5 + 1e-9)


def test_f10_five_percent_of_a_retention_of_a_half_are_four_percent_of_value():
    assert round(100 * rise(whole, 0.5, more=0.5 * 0.05)) == 4


def test_f10_without_leverage_a_quarter_more_needs_four_in_five_who_stay():
    assert [retention for retention in TENTHS if rise(later, retention) >= 0.25] == [0.8, 0.9]
    assert [retention for retention in TENTHS if rise(whole, retention) >= 0.25] == [0.9]


def test_f10_ninety_five_percent_more_is_out_of_reach_without_leverage_and_needs_nearly_everyone_to_stay_with_it():
    # Retention of 95 % and five points more is nobody who ever leaves: 1 / 0.95 * 0.15 / 0.10.
    assert max(rise(later, retention) for retention in HUNDREDTHS) == pytest.approx(0.579, abs=0.0005)
    assert [retention for retention in HUNDREDTHS if levered_rise(retention) >= 0.95] == [0.95]


def test_f10_leverage_doubles_the_rise_and_does_not_make_it():
    # With acquisition at half of the value a quarter more is reached from 65 %, so leverage alone is not enough.
    assert min(retention for retention in HUNDREDTHS if levered_rise(retention) >= 0.25 - 1e-12) == 0.65
    assert all(levered_rise(retention) == pytest.approx(2 * rise(whole, retention)) for retention in HUNDREDTHS)
