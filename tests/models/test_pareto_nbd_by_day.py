"""Day by day, the likelihood of Pareto/NBD is that of the integral past by past, to what a weight of a draw needs."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.clv.models.pareto_integrals import value
from cxsim.clv.models.pareto_nbd import value_by_day

PLACES = {
    "CDNOW": (0.55, 74.0, 0.61, 82.0),
    "short scales": (0.3, 3.1, 0.2, 3.1),
    "scales below three days": (0.3, 0.5, 0.2, 90.0),
    "all alike": (200.0, 9000.0, 50.0, 40000.0),
    "few leave": (1.2, 30.0, 0.01, 5000.0),
    "equal scales": (0.8, 60.0, 1.0, 60.0),
}


def pasts():
    """Return pasts of every frequency up to an order a day, with idle times from none to nearly all."""
    luck = np.random.default_rng(4)
    rows = {(0, 0, age) for age in (0, 1, 7, 200, 365)}
    for frequency in (1, 2, 3, 8, 30, 120, 300):
        for _ in range(40):
            age = int(luck.integers(frequency, 366))
            rows.add((frequency, int(luck.integers(frequency, age + 1)), age))
    rows |= {(365, 365, 365), (364, 364, 365), (1, 365, 365), (1, 1, 365)}
    table = np.array(sorted(rows), dtype=np.float64)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


@pytest.mark.parametrize("place", PLACES)
def test_every_past_has_its_log_likelihood_to_a_millionth(place):
    here, (frequency, last, age) = np.log(PLACES[place]), pasts()
    # Alone, a past is not worth a table: all are asked, and one counts.
    for one in np.eye(frequency.size):
        past = frequency, last, age, one
        # Three nodes a day where the integrand falls by no more than a factor of e a day: 1e-6 at worst.
        assert value_by_day(here, *past) == pytest.approx(value(here, *past), abs=1.01e-6)


def test_a_past_alone_is_asked_as_it_stands():
    here, past = np.log(PLACES["CDNOW"]), (np.array([3.0]), np.array([100.0]), np.array([300.0]), np.ones(1))
    assert value_by_day(here, *past) == pytest.approx(value(here, *past), rel=1e-14)


@pytest.mark.parametrize("place", PLACES)
def test_customers_together_have_the_sum(place):
    here, (frequency, last, age) = np.log(PLACES[place]), pasts()
    weight = 1.0 + np.arange(frequency.size) % 7
    found = value_by_day(here, frequency, last, age, weight)
    assert found == pytest.approx(value(here, frequency, last, age, weight), abs=1.01e-6 * weight.sum())
