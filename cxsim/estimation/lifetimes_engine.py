"""Patterns in, estimates by the lifetimes library out; the only door to lifetimes and pandas."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import scipy.optimize
import scipy.special  # noqa: F401  both here, so that the filters they set on import outlive the block below
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.patterns import PurchasePatterns, SpendPatterns
from cxsim.models import BgNbdParams, GammaGammaParams

FloatArray = NDArray[np.float64]

# Deprecations of pandas and invalid escapes in its source: of no use to our users, who cannot mend an archived library.
_KNOWN = (DeprecationWarning, FutureWarning, PendingDeprecationWarning, SyntaxWarning, RuntimeWarning)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence lifetimes, and undo its edits of the global warning filters."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        for category in _KNOWN:
            warnings.simplefilter("ignore", category)
        yield


with _quiet():
    _chained_assignment = pd.get_option("mode.chained_assignment")
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import ConvergenceError

    pd.set_option("mode.chained_assignment", _chained_assignment)

# Without a penalty first; then with ever stronger pulls towards small parameters, only to find a place to start from.
_PENALTIES = (0.0, 0.001, 0.01, 0.1)


def bgnbd_start(patterns: PurchasePatterns) -> BgNbdParams:
    """Return the BG/NBD parameters that lifetimes' BetaGeoFitter finds, alpha in days.

    Raises
    ------
    EstimationError
        If it converges from no start.
    """

    def attempt(penalty: float) -> dict[str, float]:
        fitter = BetaGeoFitter(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.recency_days, patterns.age_days, weights=patterns.weight)
        return dict(fitter.params_)

    return BgNbdParams(**_first_success("BG/NBD", attempt, patterns.weight))


def gamma_gamma_start(patterns: SpendPatterns) -> GammaGammaParams:
    """Return the Gamma-Gamma parameters that lifetimes' GammaGammaFitter finds.

    Raises
    ------
    EstimationError
        If it converges from no start.
    """
    # In units of the mean amount, so that its start suits every currency.
    unit = float((patterns.weight * patterns.monetary_value).sum() / patterns.weight.sum())

    def attempt(penalty: float) -> dict[str, float]:
        fitter = GammaGammaFitter(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.monetary_value / unit, weights=patterns.weight)
        return dict(fitter.params_)

    found = _first_success("Gamma-Gamma", attempt, patterns.weight)
    return GammaGammaParams(p=found["p"], q=found["q"], v=found["v"] * unit)


def _first_success(model: str, attempt: Callable[[float], dict[str, float]], weight: FloatArray) -> dict[str, float]:
    """Return the first finite estimates on the ladder of penalties."""
    for penalty in _PENALTIES:
        try:
            with _quiet():
                found = {str(name): float(value) for name, value in attempt(penalty).items()}
        except (ConvergenceError, np.linalg.LinAlgError):
            continue
        if all(np.isfinite(value) and value > 0.0 for value in found.values()):
            return found
    raise EstimationError(
        f"{model}: lifetimes did not converge on {weight.sum():.0f} customers in {weight.size} patterns, with none of "
        f"the penalties {', '.join(map(str, _PENALTIES))}. Use a longer period or more customers, and look for "
        "customers who are no persons (tills, resellers, test accounts)."
    )
