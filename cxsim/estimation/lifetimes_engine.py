"""Patterns in, estimates by the lifetimes library out; the only door to lifetimes, which is loaded when it is asked."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import scipy.optimize
import scipy.special  # noqa: F401  both here, so that the filters they set on import outlive the block below
from numpy.typing import NDArray

from cxsim.errors import EstimationError, choices
from cxsim.estimation.kinds import Kind
from cxsim.estimation.patterns import PurchasePatterns, SpendPatterns

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


_FITTERS = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "paretonbd": "ParetoNBDFitter"}
# Without a penalty first; then with ever stronger pulls towards small parameters, only to find a place to start from.
_PENALTIES = (0.0, 0.001, 0.01, 0.1)


def purchases(kind: Kind, patterns: PurchasePatterns) -> tuple[float, ...]:
    """Return the parameters that lifetimes finds for a model of orders, times in days."""
    if kind.name not in _FITTERS:
        raise EstimationError(
            f"{kind.title}: lifetimes does not have it; use engine 'native', or a model that it has: "
            f"{choices(kind.name, list(_FITTERS))}"
        )
    library = _library()

    def attempt(penalty: float) -> dict[str, float]:
        fitter = getattr(library, _FITTERS[kind.name])(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.recency_days, patterns.age_days, weights=patterns.weight)
        return dict(fitter.params_)

    found = _first_success(kind.title, attempt, patterns.weight)
    return tuple(found[name] for name in kind.names)


def gamma_gamma(patterns: SpendPatterns) -> tuple[float, ...]:
    """Return the Gamma-Gamma parameters p, q, v that lifetimes' GammaGammaFitter finds."""
    # In units of the mean amount, so that its start suits every currency.
    unit = float((patterns.weight * patterns.monetary_value).sum() / patterns.weight.sum())
    library = _library()

    def attempt(penalty: float) -> dict[str, float]:
        fitter = library.GammaGammaFitter(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.monetary_value / unit, weights=patterns.weight)
        return dict(fitter.params_)

    found = _first_success("Gamma-Gamma", attempt, patterns.weight)
    return (found["p"], found["q"], found["v"] * unit)


def _library() -> ModuleType:
    """Return lifetimes, imported without its edits of pandas' options."""
    with _quiet():
        pandas = importlib.import_module("pandas")
        before = pandas.get_option("mode.chained_assignment")
        library = importlib.import_module("lifetimes")
        pandas.set_option("mode.chained_assignment", before)
    return library


def _first_success(model: str, attempt: Callable[[float], dict[str, float]], weight: FloatArray) -> dict[str, float]:
    """Return the first finite estimates on the ladder of penalties."""
    for penalty in _PENALTIES:
        try:
            with _quiet():
                found = {str(name): float(value) for name, value in attempt(penalty).items()}
        except (_library().utils.ConvergenceError, np.linalg.LinAlgError):
            continue
        if all(np.isfinite(value) and value > 0.0 for value in found.values()):
            return found
    raise EstimationError(
        f"{model}: lifetimes did not converge on {weight.sum():.0f} customers in {weight.size} patterns, with none of "
        f"the penalties {', '.join(map(str, _PENALTIES))}. Use a longer period or more customers, and look for "
        "customers who are no persons (tills, resellers, test accounts)."
    )
