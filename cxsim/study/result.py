"""What a study found: one frozen object of tables, and how it shows itself."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.estimation import GammaGammaFit, PurchaseFit
from cxsim.scenario import Scenario


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Study:
    """A scenario played out: every strategy against doing nothing, on the same customers with the same luck.

    Attributes
    ----------
    scenario
        What was asked.
    returns
        One row per strategy, under RETURNS: NPV, ROI, payback, P(NPV > 0), intervals and Monte Carlo errors.
    statement
        Incremental profit and loss by month, under STATEMENT.
    totals
        The same by year and over the horizon, with the intervals of the sums, under TOTALS.
    cash
        Cumulative incremental cash by month, under CASH.
    npv
        NPV, outlay and payback of every strategy in every draw.
    ledger
        Every amount by draw, arm, cohort, month and account, in millionths of the currency unit, under LEDGER.
    points
        Points issued, redeemed, expired and still outstanding, per strategy; means over draws.
    luck
        Per strategy the gain per customer and its standard error with the same luck in both arms, means over draws.
    assumptions
        Every number that was assumed, under ASSUMPTIONS.
    sources
        The sources that those numbers cite.
    purchases, spend
        The fitted models.
    manifest
        What is needed to make the study again: versions, seed, and the hashes of inputs and results.
    """

    scenario: Scenario
    returns: pl.DataFrame
    statement: pl.DataFrame
    totals: pl.DataFrame
    cash: pl.DataFrame
    npv: pl.DataFrame
    ledger: pl.DataFrame
    points: pl.DataFrame
    luck: pl.DataFrame
    assumptions: pl.DataFrame
    sources: pl.DataFrame
    purchases: PurchaseFit
    spend: GammaGammaFit
    manifest: Mapping[str, object]

    @property
    def currency(self) -> str:
        """Code of the currency."""
        return self.scenario.economics.currency

    @property
    def strategies(self) -> pl.DataFrame:
        """One row per strategy: strategy, title, description, and harms, what can go wrong."""
        names = ("strategy", "title", "description", "harms")
        rows = [(one.name, one.title, one.description, one.harms) for one in self.scenario.strategies]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def __repr__(self) -> str:
        found = ", ".join(f"{row['strategy']}: {row['decision']}" for row in self.returns.iter_rows(named=True))
        return f"Study({self.scenario.name}; {self.scenario.draws} draws; {found})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(row['title'])}</td><td>{row['decision']}</td><td>{round(row['incremental_npv']):,}</td>"
            f"<td>{round(row['npv_low']):,} to {round(row['npv_high']):,}</td></tr>"
            for row in self.returns.iter_rows(named=True)
        )
        return (
            f"<table><caption>{html.escape(self.scenario.title)}: {self.scenario.draws} draws</caption><tr>"
            f"<th>strategy</th><th>decision</th><th>incremental NPV, {self.currency}</th><th>90 % interval</th></tr>"
            f"{rows}</table>"
        )
