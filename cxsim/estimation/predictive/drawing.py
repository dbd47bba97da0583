"""Customers (RFM), or how many new ones, and one set of parameters in; a table of their hidden rates, drawn, out."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count
from cxsim.estimation.predictive.admission import admitted_customers, admitted_seed
from cxsim.estimation.predictive.foretelling import customer_block
from cxsim.estimation.predictive.kernel import CUSTOMER_RECORD, Block
from cxsim.estimation.predictive.latents import LATENTS, draw_latents
from cxsim.estimation.predictive.parameters import thetas
from cxsim.models import GammaGammaParams, PurchaseParams


def draw_customers(
    rfm: pl.DataFrame,
    purchases: PurchaseParams,
    spend: GammaGammaParams | None = None,
    *,
    seed: int = 0,
    draw: int = 0,
) -> pl.DataFrame:
    """Return one draw of what is hidden of each customer, from its exact distribution given their past.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases
        Parameters of the model of orders, time in days.
    spend
        Parameters of spend; None for orders alone.
    seed, draw
        Seed of all luck and number of the draw, 0 or larger. A customer's luck hangs on these and customer_id alone.

    Returns
    -------
    polars.DataFrame
        Rows as in `rfm`: customer_id; alive, whether they may still order; purchase_rate, orders per day while alive;
        dropout_prob, the chance of leaving after an order, or for Pareto/NBD dropout_rate, that of leaving per day;
        phase, how many of the k stages of the next gap are behind them, null for those who have left; with `spend`
        mean_spend, their own mean amount of an order. Who has left has the rates that they had.

    Raises
    ------
    TableError, EstimationError
        As in `predict`.

    Examples
    --------
    >>> from cxsim.models import BetaGeometricParams
    >>> shop = BetaGeometricParams(r=0.24, alpha=30.9, a=0.79, b=2.43)
    >>> ann = {"customer_id": "ann", "frequency": 9, "recency_days": 210, "age_days": 217, "monetary_value": 35.0}
    >>> draw_customers(pl.DataFrame([ann]), shop).columns
    ['customer_id', 'alive', 'purchase_rate', 'dropout_prob', 'phase']
    """
    block = customer_block(admitted_customers(rfm).with_columns(group=pl.lit(0, pl.Int64)))
    return _drawn(rfm["customer_id"], block, purchases, spend, seed=seed, draw=draw)


def draw_new_customers(
    number: int,
    purchases: PurchaseParams,
    spend: GammaGammaParams | None = None,
    *,
    seed: int = 0,
    draw: int = 0,
) -> pl.DataFrame:
    """Return one draw of what is hidden of new customers, right after their first order.

    Parameters
    ----------
    number
        How many, >= 0; more of them leave the first ones as they are.
    purchases, spend, seed, draw
        As in `draw_customers`.

    Returns
    -------
    polars.DataFrame
        As `draw_customers` returns it, with customer, a number from 0, in place of customer_id.

    Raises
    ------
    EstimationError
        For a negative number, or a seed out of range.
    """
    if not is_count(number, least=0):
        raise EstimationError(f"the number of new customers must be whole and not negative; found {number}.")
    block = np.zeros(number, CUSTOMER_RECORD)
    block["number"] = np.arange(number)
    return _drawn(pl.Series("customer", np.arange(number)), block, purchases, spend, seed=seed, draw=draw)


def _drawn(
    names: pl.Series,
    block: Block,
    purchases: PurchaseParams,
    spend: GammaGammaParams | None,
    *,
    seed: int,
    draw: int,
) -> pl.DataFrame:
    if not is_count(draw, least=0):
        raise EstimationError(f"the number of the draw must be whole and not negative; found {draw}.")
    records, family = thetas([purchases], None if spend is None else [spend])
    latents = np.zeros((len(block), len(LATENTS)))
    draw_latents(block, records, family, admitted_seed(seed), draw, latents)
    drawn = pl.DataFrame([names, *(pl.Series(name, latents[:, i]) for i, name in enumerate(LATENTS))])
    alive = pl.col("alive") > 0.0
    return drawn.select(
        names.name,
        alive,
        "purchase_rate",
        pl.col("leaving").alias("dropout_rate" if family.calendar else "dropout_prob"),
        pl.when(alive).then(pl.col("phase").cast(pl.Int64)).alias("phase"),
        *([] if spend is None else ["mean_spend"]),
    )
