"""Two fits and the customers they were made from in; as many draws of both models' parameters out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation import GammaGammaFit, PurchaseFit, posterior
from cxsim.models import GammaGammaParams, PurchaseParams


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """Equally likely parameters.

    Attributes
    ----------
    purchases, spends
        As many draws of each model.
    remarks
        What a reader must know of them, one sentence each.
    """

    purchases: tuple[PurchaseParams, ...]
    spends: tuple[GammaGammaParams, ...]
    remarks: tuple[str, ...] = ()


def drawn_params(rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit, *, draws: int, seed: int) -> Drawn:
    """Return draws of the parameters of orders and of spend from their posteriors.

    Draws in which mean spend is infinite (q of 1 or less) are replaced by others, as a shop's mean order is a number.
    """
    of_orders = posterior(purchases, rfm, draws=draws, seed=seed)
    of_spend = posterior(spend, rfm, draws=draws, seed=seed)
    found = [of_spend.params(number) for number in range(draws)]
    finite = [params for params in found if params.q > 1.0]
    endless = draws - len(finite)
    if 2 * endless > draws:
        raise EstimationError(
            f"Gamma-Gamma: mean spend is infinite in {endless:,} of {draws:,} draws of its parameters (q of 1 or less; "
            f"estimated {spend.params.q:.3g}). A few very large orders do this: look at the largest monetary values, "
            "and leave out what is not retail."
        )
    remarks = [f"{one.title}: {one.verdict}" for one in (of_orders, of_spend) if not one.reliable]
    if endless:
        remarks.append(
            f"Gamma-Gamma: {endless:,} of {draws:,} draws had an infinite mean spend and were replaced; the values of "
            "the dearest customers are less sure than their intervals say."
        )
    return Drawn(
        purchases=tuple(of_orders.params(number) for number in range(draws)),
        spends=tuple(finite[number % len(finite)] for number in range(draws)),
        remarks=tuple(remarks),
    )
