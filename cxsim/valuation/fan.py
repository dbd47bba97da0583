"""Flows in; how far cumulative cash spreads over draws, month by month, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from cxsim.business_tables import FAN
from cxsim.tables import check
from cxsim.valuation.flows import Flows

_LEVELS = {"q05": 0.05, "q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90, "q95": 0.95}


def fan(flows: Flows, ends_on: Sequence[date], titles: Mapping[str, str]) -> pl.DataFrame:
    """Return quantiles over draws of the cumulative incremental cash of every strategy, undiscounted.

    A quantile of one month and that of the next need not be the same draw.
    """
    parts = []
    for arm, strategy in enumerate(flows.arms[1:], start=1):
        cumulative = flows.cash(arm).cumsum(axis=1)
        levels = np.quantile(cumulative, list(_LEVELS.values()), axis=0)
        parts.append(
            pl.DataFrame(
                {
                    "strategy": [strategy] * len(ends_on),
                    "title": [titles[strategy]] * len(ends_on),
                    "month": np.arange(len(ends_on), dtype=np.int32),
                    "ends_on": list(ends_on),
                    "mean": cumulative.mean(axis=0),
                    **dict(zip(_LEVELS, levels, strict=True)),
                }
            )
        )
    return check(pl.concat(parts), FAN)
