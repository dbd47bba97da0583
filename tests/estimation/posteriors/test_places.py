"""Places to propose around, on surfaces whose ridges are known."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.clv.posterior import along_ridge, places_of

COVARIANCE = np.array([[1.0, 0.5, 0.0, 0.0], [0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.2, 0.0], [0.0, 0.0, 0.0, 0.1]])
PRECISION = np.linalg.inv(COVARIANCE)


def normal(here):
    return float(-0.5 * here @ PRECISION @ here), -PRECISION @ here, -PRECISION


def banana(here):
    """Return a normal surface in (x, y - x^2 / 10), value, gradient and Hessian; x has a standard deviation of 5."""
    x, y = here
    off = y - 0.1 * x * x
    gradient = np.array([-x / 25.0 + 0.2 * x * off / 0.01, -off / 0.01])
    hessian = np.array([[-0.04 + 20.0 * off - 4.0 * x * x, 20.0 * x], [20.0 * x, -100.0]])
    return -0.5 * (x * x / 25.0 + off * off / 0.01), gradient, hessian


def test_the_ridge_of_a_normal_surface_is_its_longest_axis():
    places = along_ridge(normal, np.zeros(4), COVARIANCE)
    assert (places[0].centre == 0.0).all()
    for place in places[1:]:
        # The longest axis is (1, 1, 0, 0), of variance 1.5.
        assert place.centre == pytest.approx(np.array([1.0, 1.0, 0.0, 0.0]) * place.centre[0], abs=1e-9)
        assert place.centre[0] ** 2 / 1.5 < 9.0
        assert place.spread[2:, 2:] == pytest.approx(COVARIANCE[2:, 2:], rel=1e-9)
    assert {np.sign(place.centre[0]) for place in places} == {-1.0, 0.0, 1.0}


def test_a_bent_ridge_is_followed():
    places = along_ridge(banana, np.zeros(2), np.diag([25.0, 0.01]))
    assert len(places) >= 5
    for place in places:
        x, y = place.centre
        # On the ridge to a few of its widths of 0.1; three standard deviations out, it has climbed to 22.
        assert y == pytest.approx(0.1 * x * x, abs=0.3)
    assert max(place.centre[0] for place in places) > 10.0
    assert min(place.centre[0] for place in places) < -10.0


def test_what_is_known_well_is_proposed_about_its_top_alone():
    precision = 1e4 * np.eye(4)

    def sharp(here):
        return float(-0.5 * here @ precision @ here), -precision @ here, -precision

    (place,) = places_of(sharp, np.full(4, 0.3), np.zeros(4))
    assert place.centre == pytest.approx(np.zeros(4), abs=1e-12)
    assert place.spread == pytest.approx(1e-4 * np.eye(4), abs=1e-15)


def test_a_surface_without_a_top_has_no_places():
    def slope(here):
        return float(here.sum()), np.ones(4), -1e-9 * np.eye(4)

    assert places_of(slope, np.zeros(4), np.zeros(4)) == []
