"""Customers and the models fitted to them in; what the data cannot say, in sentences, out."""

from __future__ import annotations

import polars as pl

from cxsim.estimation.diagnosis import information, leaving, spending
from cxsim.estimation.diagnosis.finding import Diagnosis, Finding, diagnosis_of
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.purchase_fit import PurchaseFit


def diagnose(rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit | None = None) -> Diagnosis:
    """Return what the data cannot say about customers, and what that means.

    Parameters
    ----------
    rfm
        Customers under RFM that the models were fitted to; with the column log_gaps, regularity is looked at too.
    purchases, spend
        The fitted models.

    Returns
    -------
    Diagnosis
        Findings, the gravest first; none where there is nothing to say.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract or holds an impossible past, or too few customers.
    """
    found: list[Finding | None] = [
        leaving.dropout(rfm, purchases),
        leaving.runaway(purchases),
        leaving.one_time_buyers(rfm, purchases),
        information.short_observation(rfm, purchases),
        information.vague_parameters(purchases),
        information.tied_parameters(purchases),
        # Orders that are lost to days with another would look like regularity.
        information.merged_days(purchases) or information.regularity(rfm, purchases),
        information.unfinished(purchases),
    ]
    if spend is not None:
        found += [
            spending.infinite_moments(spend),
            spending.independence(rfm, spend) if spend.params.q > 1.0 else None,
            spending.held_by_prior(spend),
            information.vague_parameters(spend),
            information.tied_parameters(spend),
            information.unfinished(spend),
        ]
    return diagnosis_of(found)
