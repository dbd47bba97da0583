"""The plain root of a covariance against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.clv.purchase_fit import root
from cxsim.errors import EstimationError

COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, -0.3], [0.0, -0.3, 0.5]])


def test_the_root_of_a_covariance_is_that_of_cholesky():
    assert np.allclose(root(tuple(map(tuple, COVARIANCE))), np.linalg.cholesky(COVARIANCE), rtol=1e-12, atol=0)


def test_a_covariance_that_is_none_is_refused():
    with pytest.raises(EstimationError, match="not positive definite"):
        root(((1.0, 2.0), (2.0, 1.0)))
