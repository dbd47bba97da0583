"""Parameters, customers (RFM) and a time in; who is still a customer, and how many orders to expect, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cxsim.estimation.admission import require_days
from cxsim.estimation.by_past import joined, pasts_of, together
from cxsim.models import PurchaseParams, purchases


def alive_after(params: PurchaseParams, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
    """Return customer_id and prob_alive, the chance of not having left `days` from now; rows as in `rfm`."""
    require_days("days", days)
    known, model = pasts_of(rfm), purchases.model_of(params)
    now = known.now(params)
    if days > 0.0:
        ahead = known.ahead(lambda x, age: model.survival_ahead(params, x, age, time=days))
        return joined(rfm, known, {"prob_alive": together(now, ahead)})
    return joined(rfm, known, {"prob_alive": np.minimum(now.sum(axis=-1), 1.0)})


def orders_within(params: PurchaseParams, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
    """Return customer_id and expected_purchases, the orders expected in the next `days`; rows as in `rfm`."""
    require_days("days", days)
    known, model = pasts_of(rfm), purchases.model_of(params)
    ahead = known.ahead(lambda x, age: model.orders_ahead(params, x, age, time=days))
    return joined(rfm, known, {"expected_purchases": together(known.now(params), ahead)})


def orders_of_new_within(params: PurchaseParams, days: float | Sequence[float]) -> pl.DataFrame:
    """Return days and expected_purchases, the repeat orders of a new customer so long after the first order."""
    times = np.atleast_1d(np.asarray(days, dtype=np.float64))
    for time in times:
        require_days("days", float(time))
    return pl.DataFrame({"days": times, "expected_purchases": purchases.expected_purchases_new(params, times)})
