"""Draws of the parameters of two models in; the same as one array of records, and the models' kind, out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count
from cxsim.models import GammaGammaParams, ParetoNbdParams, PurchaseParams

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)

# One draw of all parameters for the kernel: those of a model that is not asked for stay 0.
_FIELDS = ("r", "alpha", "a", "b", "s", "beta", "p", "q", "v")
_RECORD = np.dtype([(name, np.float64) for name in _FIELDS])
Thetas = NDArray[np.void]


class Drawn(Protocol[P_co]):
    """What is asked of draws of parameters, beside a plain sequence of them: a posterior has it."""

    def __len__(self) -> int:
        """Return the number of draws."""

    def params(self, number: int) -> P_co:
        """Return the parameters of one draw."""


class Family(NamedTuple):
    """What all draws have in common; compiled code takes 1 for yes and 0 for no.

    k: stages between two orders. first: 1 if customers may leave after the first order. calendar: 1 if they leave at
    any time (Pareto/NBD), 0 if after an order. spends: 1 if there is a model of spend.
    """

    k: int
    first: int
    calendar: int
    spends: int


def chosen(source: Sequence[P] | Drawn[P], draws: int | None) -> list[P]:
    """Return some draws of the parameters."""
    there = len(source)
    wanted = there if draws is None else draws
    if not (is_count(wanted, least=1) and wanted <= there):
        raise EstimationError(f"found {there} draws of the parameters; asked for {wanted}, possible: 1 to {there}.")
    numbers = [i * there // wanted for i in range(wanted)]
    return [source[i] if isinstance(source, Sequence) else source.params(i) for i in numbers]


def thetas(
    purchases: Sequence[PurchaseParams], spend: Sequence[GammaGammaParams] | None = None
) -> tuple[Thetas, Family]:
    """Return the draws as records, with what they have in common."""
    families = {_family(params, spends=int(spend is not None)) for params in purchases}
    if len(families) != 1:
        raise EstimationError(
            f"the draws of the parameters must all be of one model of orders; found {len(families)} models."
        )
    if spend is not None and len(spend) != len(purchases):
        raise EstimationError(
            f"found {len(purchases)} draws of the parameters of orders and {len(spend)} of those of spend; each draw "
            "needs both, so there must be as many."
        )
    endless = [params.q for params in spend or () if params.q <= 1.0]
    if endless:
        raise EstimationError(
            f"Gamma-Gamma: in {len(endless)} of {len(spend or ())} draws of the parameters mean spend is infinite; it "
            f"needs q > 1, and the smallest q is {min(endless):g}. A few very large orders do this: look at the "
            "largest monetary values, and leave out what is not retail."
        )
    records = np.zeros(len(purchases), _RECORD)
    for i, params in enumerate(purchases):
        _write(records, i, params)
    for i, money in enumerate(spend or ()):
        _write(records, i, money)
    return records, families.pop()


def _family(params: PurchaseParams, *, spends: int) -> Family:
    if isinstance(params, ParetoNbdParams):
        return Family(k=1, first=0, calendar=1, spends=spends)
    return Family(k=params.k, first=int(params.leaves_after_first), calendar=0, spends=spends)


def _write(records: Thetas, i: int, params: PurchaseParams | GammaGammaParams) -> None:
    for name in _FIELDS:
        if hasattr(params, name):
            records[name][i] = getattr(params, name)
