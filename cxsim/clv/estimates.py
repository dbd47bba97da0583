"""Estimates with the covariance of their logarithms in; standard errors, intervals and a page on the fit out."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import polars as pl
from scipy.special import ndtri

from cxsim.clv.inputs import require
from cxsim.clv.likelihood import ALL_KINDS, ONE_PRICE, Kind
from cxsim.clv.models.gamma_gamma import SpendParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.models.special import FloatArray
from cxsim.errors import EstimationError

Basis = Literal["likelihood", "prior"]
Params = TypeVar("Params", bound=PurchaseParams | SpendParams)
# Of objects that give parameters and take none: fits of one model or another are fits of either.
Params_co = TypeVar("Params_co", bound=PurchaseParams | SpendParams, covariant=True)
Matrix = tuple[tuple[float, ...], ...]

# A maximum is found to about twelve digits, an inverse Hessian to eleven, and the last of these differ between
# processors. What is kept is what they agree on, so that everything that follows from a fit is the same everywhere.
PARAMETER_DIGITS = 10
COVARIANCE_DIGITS = 8


def significant(value: float, digits: int) -> float:
    """Return `value` to so many significant digits.

    >>> significant(30.895214132345, 10)
    30.89521413
    """
    return float(f"{value:.{digits - 1}e}")


def rounded(array: FloatArray, digits: int) -> FloatArray:
    """Return every number of an array to so many significant digits."""
    return np.array([significant(x, digits) for x in array.ravel().tolist()]).reshape(array.shape)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class FittedModel(Generic[Params_co]):
    """What fits of orders and fits of spend have in common: the one place where a class has heirs.

    `PurchaseFit`, `GammaGammaFit` and `OnePriceFit` say what the fields mean.
    """

    model: str
    params: Params_co
    log_covariance: Matrix
    log_likelihood: float
    n_customers: int
    n_patterns: int
    max_abs_gradient: float
    basis: Basis = "likelihood"
    loose: tuple[str, ...] = ()
    engine: str = "native"
    observed_until: date | None = None

    def __post_init__(self) -> None:
        size = len(self.names)
        square = [len(row) for row in self.log_covariance] == [size] * size
        matrix = np.array(self.log_covariance if square else [[np.nan]])
        if self.kind == ONE_PRICE and not matrix.any():
            return  # A price is read off the orders, and nothing of it is uncertain.
        if not np.isfinite(matrix).all() or (matrix != matrix.T).any() or (np.diag(matrix) <= 0.0).any():
            raise EstimationError(
                f"log_covariance must be a symmetric {size} by {size} matrix of finite numbers with a positive "
                f"diagonal, for {', '.join(self.names)}; found {self.log_covariance}."
            )

    @property
    def kind(self) -> Kind:
        """The model in the register of models."""
        return ALL_KINDS[self.model]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return self.kind.names

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return self.kind.titled(self.params.k)

    @property
    def values(self) -> FloatArray:
        """Estimates in the order of `names`."""
        return np.array([getattr(self.params, name) for name in self.names], dtype=np.float64)

    @property
    def std_errors(self) -> dict[str, float]:
        """Standard error of each parameter on the natural scale, by the delta method."""
        return dict(self.estimates().select("parameter", "std_error").rows())

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the parameters on the natural scale, by the delta method."""
        return np.asarray(self.values[:, None] * np.array(self.log_covariance) * self.values[None, :])

    @property
    def n_params(self) -> int:
        """Number of estimated parameters; a chosen k counts as one."""
        return len(self.names) + self.kind.regular

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better. A chosen k counts as a parameter."""
        return 2.0 * self.n_params - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz' criterion; smaller is better. A chosen k counts as a parameter."""
        return math.log(self.n_customers) * self.n_params - 2.0 * self.log_likelihood

    def estimates(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        errors = self.values * self._log_errors()
        return pl.DataFrame({"parameter": self.names, "estimate": self.values, "std_error": errors})

    def conf_int(self, level: float = 0.95) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, high; normal on the logarithm, as none is below zero.

        Raises
        ------
        EstimationError
            If `level` is not between 0 and 1.
        """
        require({"level": level})
        factor = np.exp(np.minimum(ndtri(0.5 + 0.5 * level) * self._log_errors(), 700.0))
        return pl.DataFrame({"parameter": self.names, "low": self.values / factor, "high": self.values * factor})

    def summary(self) -> Any:
        """Return statsmodels' page on the fit: text in a terminal, a table in a notebook."""
        # Imported when asked for: statsmodels takes half a second.
        library = importlib.import_module("statsmodels.iolib.summary")
        page = library.Summary()
        facts = [(f"{label}:", [text]) for label, text in self.facts().items()]
        half = (len(facts) + 1) // 2
        page.add_table_2cols(
            None, title=f"{self.title} Results", gleft=facts[:half], gright=facts[half:], yname="", xname=[]
        )
        table = self.estimates().join(self.conf_int(), on="parameter", maintain_order="left")
        page.tables.append(
            library.SimpleTable(
                [[f"{number:.5g}" for number in row[1:]] for row in table.iter_rows()],
                headers=["coef", "std err", "[0.025", "0.975]"],
                stubs=list(self.names),
                txt_fmt={**library.fmt_params, "data_fmts": ["%s"] * 4},
            )
        )
        gradient = f"Largest |gradient| in a log-parameter: {self.max_abs_gradient:.1e}."
        page.add_extra_txt([gradient, "Intervals are normal on the logarithm of the parameter."])
        return page

    def facts(self) -> Mapping[str, str]:
        """Return what is written of the fit as a whole: a text for each label."""
        return {
            "Model": self.title,
            "Method": "Maximum likelihood" if self.basis == "likelihood" else "Posterior mode, weak priors",
            "Engine": self.engine,
            "Time unit": "day",
            "Observed until": str(self.observed_until or "unknown"),
            "No. Customers": f"{self.n_customers:,}",
            "No. Patterns": f"{self.n_patterns:,}",
            "Log-Likelihood": f"{self.log_likelihood:,.3f}",
            "AIC": f"{self.aic:,.1f}",
            "BIC": f"{self.bic:,.1f}",
        }

    def _log_errors(self) -> FloatArray:
        return np.sqrt(np.diag(self.log_covariance))

    def __repr__(self) -> str:
        line = ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self.values, strict=True))
        return f"{type(self).__name__}({self.title}: {line}; {self.n_customers} customers)"

    def _repr_html_(self) -> str:
        return str(self.summary().as_html())
