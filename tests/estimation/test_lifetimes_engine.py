"""The door to lifetimes leaves no trace, and says what was tried when nothing converges."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cxsim.clv.optimum import _first_success, _library
from cxsim.errors import EstimationError

PROGRAM = """
import sys, warnings
import pandas, polars, scipy.optimize, scipy.special, scipy.sparse
def option():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pandas.get_option("mode.chained_assignment")
filters, before = list(warnings.filters), option()
warnings.simplefilter("error")
strict = list(warnings.filters)
from cxsim.clv import lifetimes_engine
assert not [name for name in sys.modules if name.startswith("lifetimes")]
lifetimes_engine._library()
assert warnings.filters == strict, set(warnings.filters) ^ set(strict)
assert option() == before == "warn", option()
assert "lifetimes" in sys.modules
"""


def test_loading_lifetimes_leaves_warnings_and_pandas_as_they_were():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_start_that_fails_is_followed_by_a_penalised_one(capsys):
    tried = []

    def attempt(penalty):
        tried.append(penalty)
        sys.stdout.write("lifetimes talks when it fails")
        if penalty == 0.0:
            raise _library().utils.ConvergenceError
        return {"r": 1.0}

    assert _first_success("BG/NBD", attempt, np.ones(3)) == {"r": 1.0}
    assert tried == [0.0, 0.001]
    assert capsys.readouterr().out == ""


def test_when_no_start_converges_the_message_says_what_was_tried():
    def attempt(_penalty):
        raise _library().utils.ConvergenceError

    expected = r"BG/NBD: lifetimes did not converge on 6 customers in 3 patterns, with none of the penalties 0.0, 0.001"
    with pytest.raises(EstimationError, match=expected):
        _first_success("BG/NBD", attempt, np.array([1.0, 2.0, 3.0]))
