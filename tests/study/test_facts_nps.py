"""What tables of worth by score say where satisfaction causes nothing, and where it does: fact F19 of the field.

New customers as fitted to CDNOW (Pareto/NBD and Gamma-Gamma). The field's figures come without horizon and without the
noise of an answer, so both are taken from where they are written down anyway: the 78 weeks of CDNOW, here from each
customer's first order, which counts too, and the answers of params/behaviour, given after every order, of which the
last decides. An equal number of orders: one to eight, averaged by how many promoters and detractors placed it.

With this one design all six figures come out within 0.05, two of them at the edge; found, with Monte Carlo errors, and
sought: 2.307 (0.011) and 2.31, 1.344 (0.003) and 1.27 to 1.30; 1.754 (0.008) and 1.71, 1.217 (0.003) and 1.17 to 1.20;
1.209 (0.006) and 1.20, 1.048 (0.003) and 1.03 to 1.04. The choice was made after a look at 52, 78 and 104 weeks with
seven scales of answers, most of which miss; another that holds all six is two years with answers of 8.0, 1.2 for one
deviation and 1.5 of chance: 2.273 and 1.312, 1.746 and 1.197, 1.198 and 1.044.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import polars as pl
import pytest

from cxsim.data.contracts import ORDERS, SURVEYS
from cxsim.metrics.promoters import overall_ratio, ratio_at_equal_count, spend_of_answerers
from cxsim.simulation.engine import events
from cxsim.simulation.state import KINDS
from tests.simulation.shops import experience, scale, shop, surveys, traits
from tests.simulation.worlds import PARETO, inputs, newcomers

# Four shops of so many customers: the standard errors of the ratios overall are then about 0.01.
SEEDS, CUSTOMERS = (1, 2, 3, 4), 250_000
DAYS, MONTHS = 546, 20
ANSWER = scale(8.0, 1.3, 1.4)
# The field's figures are held to this.
CLOSE = 0.05


class Found(NamedTuple):
    overall: float
    overall_error: float
    equal: float
    equal_error: float


def read(*, latent=0.0, buying=1.0, leaving=1.0, basket=1.0) -> Found:
    """Return the ratios of promoters to detractors in a world without programmes."""
    asking = dataclasses.replace(surveys(after_order=1.0, after_ticket=0.0, response=1.0, extremity=0.0), nps=ANSWER)
    going = experience(contact=0.0, buying=buying, leaving=leaving, basket=basket)
    behaviour = shop(traits=traits(latent, latent, latent), experience=going, surveys=asking)
    population = newcomers(CUSTOMERS, months=MONTHS)
    ready = inputs(population, [], latents=PARETO, behaviour=behaviour)
    customers = pl.concat(_customers(events(population, ready, seed=seed)) for seed in SEEDS)
    overall, equal = overall_ratio(customers), ratio_at_equal_count(customers)
    return Found(overall.value, overall.error, equal.value, equal.error)


def _customers(log):
    second, when = pl.col("second"), pl.from_epoch("second").cast(pl.Datetime("us"))
    known = log.filter(second - second.min().over("customer") < DAYS * 86_400)
    named = {"customer_id": pl.col("customer").cast(pl.String), "order_id": pl.lit("")}
    none = dict.fromkeys(("list_amount", "markdown", "reward"), pl.lit(0.0))
    orders = known.filter(pl.col("kind") == KINDS.index("ORDER")).select(
        **named, **none, ordered_at=when, order_number="order", amount=pl.col("a") / 100, incident=pl.lit("")
    )
    answers = known.filter(pl.col("kind") == KINDS.index("SURVEY")).select(
        **named, survey_id=pl.lit(""), sent_at=when, instrument=pl.lit("nps"), score="b"
    )
    return spend_of_answerers(orders.select(list(ORDERS.columns)), answers.select(list(SURVEYS.columns)))


@pytest.fixture(scope="module")
def confounded():
    return read(latent=0.3)


def test_promoters_are_worth_2_31_times_as_much_where_satisfaction_causes_nothing_f19(confounded):
    assert confounded.overall == pytest.approx(2.31, abs=CLOSE)


def test_an_equal_number_of_orders_leaves_a_third_of_a_lead_that_nothing_causes_f19(confounded):
    assert 1.27 - CLOSE < confounded.equal < 1.30 + CLOSE


def test_a_weaker_bond_with_satisfaction_makes_a_smaller_lead_out_of_nothing_f19():
    found = read(latent=0.2)
    assert found.overall == pytest.approx(1.71, abs=CLOSE)
    assert 1.17 - CLOSE < found.equal < 1.20 + CLOSE


def test_a_real_effect_of_satisfaction_shows_less_and_nearly_nothing_at_an_equal_number_of_orders_f19():
    # Ten per cent more orders, as much less of a chance to leave, three per cent larger baskets for one deviation.
    found = read(buying=1.1, leaving=1 / 1.1, basket=1.03)
    assert found.overall == pytest.approx(1.20, abs=CLOSE)
    assert 1.03 - CLOSE < found.equal < 1.04 + CLOSE
    assert found.overall - found.equal > 4 * (found.overall_error + found.equal_error)
