"""A shop's orders and the terms of a valuation in; what each customer is worth out, for the command `cxsim value`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from cxsim.appraisal import CustomerValues, Terms, customer_values, draws_for
from cxsim.data import Transactions, summarise
from cxsim.estimation import Model, fit, fit_spend
from cxsim.estimation.diagnosis import Diagnosis, diagnose


@dataclass(frozen=True, kw_only=True, slots=True)
class Valued:
    """What `cxsim value` writes and shows.

    Attributes
    ----------
    values
        One row per customer, and totals.
    diagnosis
        What the orders cannot say of the fits.
    title
        Name of the model of orders for readers.
    until
        Last day of observation.
    customers
        How many there are.
    """

    values: CustomerValues
    diagnosis: Diagnosis
    title: str
    until: date
    customers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How customers are to be valued, as it was typed.

    Attributes
    ----------
    model
        Model of orders and leaving.
    horizon_days, annual_discount_rate, margin, level, seed
        As in `Terms`.
    draws
        None for as many as the number of customers allows.
    """

    model: Model
    horizon_days: int
    annual_discount_rate: float
    margin: float
    level: float
    draws: int | None
    seed: int

    def terms(self, customers: int) -> Terms:
        """Return the terms for so many customers."""
        return Terms(
            horizon_days=self.horizon_days,
            annual_discount_rate=self.annual_discount_rate,
            margin=self.margin,
            level=self.level,
            draws=self.draws or draws_for(customers, self.level),
            seed=self.seed,
        )


def valued(transactions: Transactions, until: date | None, wanted: Wanted, *, say: Callable[[str], None]) -> Valued:
    """Return what each customer is worth."""
    end = until or transactions.until
    say("one row per customer")
    rfm = summarise(transactions, until=end)
    terms = wanted.terms(rfm.height)
    say(f"fitting the models to {rfm.height:,} customers")
    purchases, spend = fit(rfm, model=wanted.model, observed_until=end), fit_spend(rfm, observed_until=end)
    say("examining the fits")
    diagnosis = diagnose(rfm, purchases, spend)
    say(f"what comes, in {terms.draws:,} draws")
    return Valued(
        values=customer_values(rfm, purchases, spend, terms),
        diagnosis=diagnosis,
        title=purchases.title,
        until=end,
        customers=rfm.height,
    )
