"""A model and the distinct pasts of customers in; their log-likelihood, with derivatives, at any parameters out.

Pasts are cut into pieces of a fixed size, which are summed on all processors and added up in their order: the result
depends neither on the number of threads nor on who was first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import polars as pl

from cxsim.clv.inputs import arrays
from cxsim.clv.models import bgnbd, gamma_gamma, pareto_integrals
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, OnePriceParams, SpendParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams, likelihood_sum_by_day
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.models.special import FloatArray, in_threads
from cxsim.errors import EstimationError, choices

Model = Literal["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]
_AFTER_ORDERS = ("r", "alpha", "a", "b")
_ON_THE_CALENDAR = ("r", "alpha", "s", "beta")


class Kind(NamedTuple):
    """A model of orders and dropout: its name as in `fit(model=...)` and for readers, and its parameters in order."""

    name: str
    title: str
    names: tuple[str, ...]
    leaves_after_first: bool = False  # whether customers may drop out after their first order already
    regular: bool = False  # whether orders may come more regularly than by chance, in k stages

    @property
    def calendar(self) -> bool:
        """Whether dropout comes at any time, and not with an order."""
        return self.names == _ON_THE_CALENDAR

    def titled(self, k: int) -> str:
        """Return the title with its number of stages."""
        return self.title.replace("-k", f"-{k}") if self.regular else self.title

    def params(self, values: Sequence[float], k: int) -> PurchaseParams | SpendParams:
        """Return checked parameters from their values in order."""
        named = dict(zip(self.names, values, strict=True))
        if self == SPEND:
            return GammaGammaParams(**named)
        if self == ONE_PRICE:
            return OnePriceParams(**named)
        if self.calendar:
            return ParetoNbdParams(**named)
        return BetaGeometricParams(**named, k=k, leaves_after_first=self.leaves_after_first)


_ROWS = (
    ("bgnbd", "BG/NBD", _AFTER_ORDERS, False, False),  # Fader, Hardie & Lee (2005)
    ("mbgnbd", "MBG/NBD", _AFTER_ORDERS, True, False),  # Batislam, Denizel & Filiztekin (2007)
    ("paretonbd", "Pareto/NBD", _ON_THE_CALENDAR, False, False),  # Schmittlein, Morrison & Colombo (1987)
    ("bgcnbd", "BG/CNBD-k", _AFTER_ORDERS, False, True),  # Platzer & Reutterer (2016)
    ("mbgcnbd", "MBG/CNBD-k", _AFTER_ORDERS, True, True),  # the same
)
KINDS = {row[0]: Kind(*row) for row in _ROWS}
SPEND = Kind("gamma_gamma", "Gamma-Gamma", ("p", "q", "v"))  # Fader & Hardie (2013)
ONE_PRICE = Kind("one_price", "one price", ("price",))  # where no order costs more than another
# Everything that can be fitted.
ALL_KINDS = {**KINDS, SPEND.name: SPEND, ONE_PRICE.name: ONE_PRICE}


def kind_of(model: str) -> Kind:
    """Return the model of that name."""
    if model not in KINDS:
        raise EstimationError(f"no model '{model}'; {choices(str(model), list(KINDS))}")
    return KINDS[model]


Derivatives = tuple[float, FloatArray, FloatArray]
Added = TypeVar("Added", float, FloatArray)

# Pasts summed at once: a few milliseconds, and what is rounded within a piece is the same on every machine.
_PIECE = 1 << 14
# Parameter vectors handled at once where there are many.
_VECTORS = 32


class Likelihood(NamedTuple):
    """The log-likelihood of one model, given its data.

    `columns` hold what is known of each distinct past, and the number of customers with it; `options` are whole numbers
    which tell the members of a family apart; `constant` is what the data add whatever the parameters.
    """

    columns: tuple[FloatArray, ...]
    compiled_sum: Callable[..., float]  # of log-parameters, columns and options
    compiled_derivatives: Callable[..., None]
    options: tuple[int, ...] = ()
    constant: float = 0.0

    def pieces(self) -> list[tuple[FloatArray, ...]]:
        """Return the columns in pieces."""
        size = self.columns[0].size
        return [tuple(column[i : i + _PIECE] for column in self.columns) for i in range(0, size, _PIECE)]


def purchase_likelihood(kind: Kind, k: int, patterns: pl.DataFrame, *, log_gaps: float = 0.0) -> Likelihood:
    """Return the likelihood of a model of orders."""
    columns = arrays(patterns)
    family = pareto_integrals if kind.calendar else bgnbd
    # Times of customers are whole days, as a rule, for which there is a faster sum.
    by_day = kind.calendar and not any((days % 1.0).any() for days in columns[1:3])
    return Likelihood(
        columns=columns,
        options=() if kind.calendar else (k, int(kind.leaves_after_first)),
        compiled_sum=likelihood_sum_by_day if by_day else family.likelihood_sum,
        compiled_derivatives=family.likelihood_derivatives,
        constant=(k - 1) * log_gaps,
    )


def spend_likelihood(patterns: pl.DataFrame) -> Likelihood:
    """Return the likelihood of the Gamma-Gamma model of spend."""
    return Likelihood(
        columns=arrays(patterns),
        compiled_sum=gamma_gamma.likelihood_sum,
        compiled_derivatives=gamma_gamma.likelihood_derivatives,
    )


def thinned(likelihood: Likelihood, customers: int) -> Likelihood:
    """Return the likelihood of about so many customers, evenly spaced in the order of their pasts, each for several.

    It is that of all customers but for noise, and finds the neighbourhood of the maximum for next to nothing.
    """
    *pasts, weight = likelihood.columns
    total = float(weight.sum())
    if total <= customers:
        return likelihood
    places = (np.arange(customers) + 0.5) * (total / customers)
    chosen, counts = np.unique(np.searchsorted(np.cumsum(weight), places), return_counts=True)
    columns = (*(past[chosen] for past in pasts), counts.astype(np.float64) * (total / customers))
    return likelihood._replace(columns=columns)


def derivatives(likelihood: Likelihood, log_params: FloatArray) -> Derivatives:
    """Return the log-likelihood, its gradient and its Hessian in the log-parameters.

    A number, an array of shape (d,), a symmetric array of shape (d, d).
    """
    size = log_params.size
    place = np.triu_indices(size)

    def one(piece: tuple[FloatArray, ...]) -> FloatArray:
        out = np.empty(1 + size + place[0].size)
        likelihood.compiled_derivatives(log_params, *piece, *likelihood.options, out)
        return out

    total = _added(in_threads(one, likelihood.pieces()))
    hessian = np.zeros((size, size))
    hessian[place] = total[1 + size :]
    return float(total[0]) + likelihood.constant, total[1 : 1 + size], hessian + np.triu(hessian, 1).T


def log_likelihoods(likelihood: Likelihood, log_params: FloatArray) -> FloatArray:
    """Return the log-likelihood at each of many vectors of log-parameters.

    Shape (m,).
    """
    pieces = likelihood.pieces()

    def some(vectors: FloatArray) -> FloatArray:
        return np.array([_value(likelihood, pieces, vector) for vector in vectors])

    groups = [log_params[i : i + _VECTORS] for i in range(0, len(log_params), _VECTORS)]
    return np.concatenate([*in_threads(some, groups), np.empty(0)])


def _value(likelihood: Likelihood, pieces: Sequence[tuple[FloatArray, ...]], vector: FloatArray) -> float:
    values = [likelihood.compiled_sum(vector, *piece, *likelihood.options) for piece in pieces]
    return _added(values) + likelihood.constant


def _added(parts: list[Added]) -> Added:
    """Return the sum, added up pairwise, so that rounding grows with the logarithm of the number of parts."""
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else []
        parts = [first + second for first, second in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0]
