"""Numbers and a table of covariates in; a fitted Poisson or logistic model, out: the door to statsmodels.

statsmodels brings pandas with it, a second of loading, so it waits until somebody asks for a fit.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.errors import EstimationError

Array = npt.NDArray[np.float64]
# Of a column's length, what is left beyond the columns to its left if it is their sum.
_NOTHING = 1e-7


class Fit(NamedTuple):
    """Coefficients of a model, their covariance from what was observed of each customer, and the fitted means."""

    coefficients: Array
    covariance: Array
    fitted: Array


def fitted_model(
    outcome: Array, design: Array, *, family: Literal["poisson", "logistic"], clusters: npt.NDArray[np.int64]
) -> Fit:
    """Fit a generalised linear model whose intervals do not lean on its family.

    A Poisson model with logarithmic link is right about means whatever the distribution of the outcome, zeros and
    money included; the covariance is the sandwich of the clusters, so it is right too. Logistic: an outcome of 0 or 1.

    Gourieroux, Monfort & Trognon (1984), "Pseudo maximum likelihood methods: applications to Poisson models"; Santos
    Silva & Tenreyro (2006), "The log of gravity"; Liang & Zeger (1986) for the covariance.
    """
    # Not at the top: see the head of this file.
    families = importlib.import_module("statsmodels.genmod.families")
    model = importlib.import_module("statsmodels.genmod.generalized_linear_model").GLM
    distribution = families.Poisson() if family == "poisson" else families.Binomial()
    with warnings.catch_warnings():
        # Groups that covariates tell apart perfectly are seen in the fitted chances, and refused by who asked for them.
        warnings.simplefilter("ignore")
        kept = _independent(design)
        told = model(outcome, design[:, kept], family=distribution)
        found = told.fit(cov_type="cluster", cov_kwds={"groups": clusters})
    if not np.isfinite(found.params).all() or not (found.converged or family == "logistic"):
        raise EstimationError(
            f"The {family} model of {len(outcome)} rows and {design.shape[1]} columns does not come to rest; "
            "possible: fewer covariates, or more customers."
        )
    columns = design.shape[1]
    coefficients, covariance = np.zeros(columns), np.zeros((columns, columns))
    coefficients[kept], covariance[np.ix_(kept, kept)] = found.params, found.cov_params()
    return Fit(coefficients, covariance, found.fittedvalues)


def _independent(design: Array) -> npt.NDArray[np.int64]:
    """Return the columns that are no sum of those to their left."""
    beyond = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    kept: npt.NDArray[np.int64] = np.flatnonzero(beyond > _NOTHING * np.linalg.norm(design, axis=0))
    return kept
