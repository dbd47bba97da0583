"""F9: for a long-lived base, value moves most with retention, then with margin, least with the cost of acquisition.

Gupta, Lehmann and Stuart (2004), Valuing Customers, Journal of Marketing Research 41: 1 % more retention raises the
value of five firms' customers by 3 to 7 %, 1 % more margin by 1 %, and 1 % less cost of acquisition by 0.02 to 0.3 %.
"""

from __future__ import annotations

import dataclasses
import math

import polars as pl
import pytest

from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
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
from tests.scenario.plans import plan
from tests.simulated import assumed

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
    scenario = dataclasses.replace(
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
