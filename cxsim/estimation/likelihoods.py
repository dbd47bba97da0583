"""A model and the distinct pasts of customers in; their log-likelihood, with derivatives, at any parameters out.

Pasts are cut into pieces of a fixed size, which are summed on all processors and added up in their order: the result
depends neither on the number of threads nor on who was first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cxsim.estimation.kinds import CALENDAR_LEAVING, Kind
from cxsim.estimation.patterns import PurchasePatterns, SpendPatterns
from cxsim.models import gamma_gamma
from cxsim.models.beta_geometric import surface as beta_geometric
from cxsim.models.pareto_nbd import surface as pareto_nbd
from cxsim.models.pareto_nbd.by_day import value_by_day

FloatArray = NDArray[np.float64]
Derivatives = tuple[float, FloatArray, FloatArray]
Item = TypeVar("Item")

# Pasts summed at once: a few milliseconds, and what is rounded within a piece is the same on every machine.
_PIECE = 1 << 14
# Parameter vectors handled at once where there are many.
_VECTORS = 32
_PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Likelihood:
    """The log-likelihood of one model, given its data.

    Attributes
    ----------
    title, names
        The model for messages, and its parameters.
    columns
        What is known of each distinct past, and the number of customers with it; arrays of shape (n,).
    options
        Whole numbers which tell the members of a family apart.
    compiled_value, compiled_sums
        Compiled functions of log-parameters, columns and options; the second also writes derivatives.
    constant
        What the data add whatever the parameters.
    """

    title: str
    names: tuple[str, ...]
    columns: tuple[FloatArray, ...]
    options: tuple[int, ...]
    compiled_value: Callable[..., float]
    compiled_sums: Callable[..., None]
    constant: float = 0.0

    def pieces(self) -> list[tuple[FloatArray, ...]]:
        """Return the columns in pieces."""
        size = self.columns[0].size
        return [tuple(column[i : i + _PIECE] for column in self.columns) for i in range(0, size, _PIECE)]


def thinned(likelihood: Likelihood, customers: int) -> Likelihood:
    """Return the likelihood of about so many customers, evenly spaced in the order of their pasts, each for several.

    It is that of all customers but for noise, and finds the neighbourhood of the top for next to nothing.
    """
    *pasts, weight = likelihood.columns
    total = float(weight.sum())
    if total <= customers:
        return likelihood
    places = (np.arange(customers) + 0.5) * (total / customers)
    chosen, counts = np.unique(np.searchsorted(np.cumsum(weight), places), return_counts=True)
    columns = (*(past[chosen] for past in pasts), counts.astype(np.float64) * (total / customers))
    return replace(likelihood, columns=columns)


def purchase_likelihood(kind: Kind, k: int, patterns: PurchasePatterns, *, log_gaps: float = 0.0) -> Likelihood:
    """Return the likelihood of a model of orders."""
    calendar = kind.names == CALENDAR_LEAVING
    return Likelihood(
        title=kind.titled(k),
        names=kind.names,
        columns=(patterns.frequency, patterns.recency_days, patterns.age_days, patterns.weight),
        options=() if calendar else (k, int(kind.leaves_after_first)),
        compiled_value=_pareto_value(patterns) if calendar else beta_geometric.value,
        compiled_sums=pareto_nbd.sums if calendar else beta_geometric.sums,
        constant=(k - 1) * log_gaps,
    )


def _pareto_value(patterns: PurchasePatterns) -> Callable[..., float]:
    """Return the faster of two ways to the log-likelihood alone: times of customers are whole days, as a rule."""
    whole = not ((patterns.age_days % 1.0).any() or (patterns.recency_days % 1.0).any())
    return value_by_day if whole else pareto_nbd.value


def spend_likelihood(patterns: SpendPatterns) -> Likelihood:
    """Return the likelihood of the Gamma-Gamma model of spend."""
    return Likelihood(
        title="Gamma-Gamma",
        names=("p", "q", "v"),
        columns=(patterns.frequency, patterns.monetary_value, patterns.weight),
        options=(),
        compiled_value=gamma_gamma.value,
        compiled_sums=gamma_gamma.sums,
    )


def derivatives(likelihood: Likelihood, log_params: FloatArray) -> Derivatives:
    """Return the log-likelihood, its gradient and its Hessian in the log-parameters.

    A number, an array of shape (d,), a symmetric array of shape (d, d).
    """
    size = log_params.size
    place = np.triu_indices(size)

    def one(piece: tuple[FloatArray, ...]) -> FloatArray:
        out = np.empty(1 + size + place[0].size)
        likelihood.compiled_sums(log_params, *piece, *likelihood.options, out)
        return out

    total = _added(_mapped(one, likelihood.pieces()))
    hessian = np.zeros((size, size))
    hessian[place] = total[1 + size :]
    return float(total[0]) + likelihood.constant, total[1 : 1 + size], hessian + np.triu(hessian, 1).T


def log_likelihoods(likelihood: Likelihood, log_params: FloatArray) -> FloatArray:
    """Return the log-likelihood at each of many vectors of log-parameters.

    Shape (m,).
    """
    pieces = likelihood.pieces()

    def some(vectors: FloatArray) -> FloatArray:
        value = partial(_value, likelihood, pieces)
        return np.array([value(vector) for vector in vectors])

    groups = [log_params[i : i + _VECTORS] for i in range(0, len(log_params), _VECTORS)]
    return np.concatenate([*_mapped(some, groups), np.empty(0)])


def _value(likelihood: Likelihood, pieces: Sequence[tuple[FloatArray, ...]], vector: FloatArray) -> float:
    values = [likelihood.compiled_value(vector, *piece, *likelihood.options) for piece in pieces]
    return float(_added([np.array([value]) for value in values])[0]) + likelihood.constant


def _mapped(function: Callable[[Item], FloatArray], items: Sequence[Item]) -> list[FloatArray]:
    """Return the results in the order of the items, computed on all processors."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=_PROCESSORS) as threads:
        return list(threads.map(function, items))


def _added(parts: list[FloatArray]) -> FloatArray:
    """Return the sum, added up pairwise, so that rounding grows with the logarithm of the number of parts."""
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else []
        parts = [first + second for first, second in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0]
