"""What a run leaves: one frozen object of tables, which shows itself and hands out single worlds as a shop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.data.orders import Transactions
from cxsim.data.shop import Shop
from cxsim.display import facts_html
from cxsim.params import MICROS
from cxsim.study.assumptions import strategy_table
from cxsim.study.scenario import BASELINE, Model, Scenario
from cxsim.study.shop_tables import ShopTables, tables_of
from cxsim.study.worlds import Worlds
from cxsim.wording import BADGES, INTERVAL, between, number


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Study:
    """A simulated scenario: every strategy against doing nothing, on the same customers with the same random numbers.

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
    structures
        Returns under each structure of leaving by itself: the columns of RETURNS behind `structure`.
    break_even
        How large the effects that are only searched must be, under BREAK_EVEN.
    cautions
        What to know before relying on a strategy's results, under CAUTIONS.
    npv
        NPV, investment and payback of every strategy in every draw.
    ledger
        Every amount by draw, arm, cohort, month and account, in millionths of the currency unit, under LEDGER.
    points
        Points issued, redeemed, expired and still outstanding, per strategy; means over draws.
    paired
        Per strategy the gain per customer and its standard error with the same random numbers in both arms, means over
        draws.
    assumptions
        Every number that was assumed, under ASSUMPTIONS.
    sources
        The sources that those numbers cite.
    purchases, spend
        The fitted models; of orders and leaving one for each structure.
    orders
        The orders that they were fitted to; None where customers were made by hand.
    manifest
        What is needed to make the study again: versions, seed, and the hashes of inputs and results.
    worlds
        Customers and draws, to simulate single worlds again.
    counts
        Per arm what was counted in each world, summed over cohorts: shape (worlds, months, counts).
    information, test_plan
        What it is worth to know more before deciding, and the randomised test of each strategy, under INFORMATION and
        TEST_PLAN.
    """

    scenario: Scenario
    returns: pl.DataFrame
    structures: pl.DataFrame
    break_even: pl.DataFrame
    cautions: pl.DataFrame
    statement: pl.DataFrame
    totals: pl.DataFrame
    cash: pl.DataFrame
    npv: pl.DataFrame
    ledger: pl.DataFrame
    points: pl.DataFrame
    paired: pl.DataFrame
    assumptions: pl.DataFrame
    sources: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: SpendFit
    orders: Transactions | None
    manifest: Mapping[str, object]
    worlds: Worlds
    counts: tuple[npt.NDArray[np.int64], ...]
    information: pl.DataFrame
    test_plan: pl.DataFrame

    @property
    def currency(self) -> str:
        """Code of the currency."""
        return self.scenario.economics.currency

    @property
    def strategies(self) -> pl.DataFrame:
        """One row per strategy: strategy, title, description, and harms, what can go wrong."""
        return strategy_table(self.scenario, self.scenario.strategies)

    def present_value(self, arm: str, accounts: Collection[str]) -> float:
        """Return the mean present value of some accounts of an arm, in units of the currency.

        Parameters
        ----------
        arm
            The baseline, a strategy or a combination.
        accounts
            Names of accounts, such as "set-up cost".

        Returns
        -------
        float
            Costs are negative; 0 where the arm has no entry in these accounts.
        """
        entries = self.ledger.filter(pl.col("arm") == arm, pl.col("account").is_in([*accounts]))
        weights = self.worlds.present_values()
        amounts = entries["amount"].to_numpy() * weights[entries["draw"].to_numpy(), entries["month"].to_numpy()]
        return float(amounts.sum()) / MICROS / len(weights)

    def tables(self, arm: str = BASELINE, *, draw: int = 0) -> ShopTables:
        """Return what one world would look like in a shop's own tables: orders, tickets, surveys and so on.

        Parameters
        ----------
        arm
            The baseline, a strategy or a combination.
        draw
            Number of the world, from 0.

        Returns
        -------
        ShopTables
            ORDERS, TICKETS, SURVEYS, RETURNS, CONTACTS, SESSIONS and more, under their contracts.

        Raises
        ------
        ParamError
            For an unknown arm or draw.
        """
        return tables_of(self.worlds, arm, draw)

    def shop(self, arm: str = BASELINE, *, draw: int = 0) -> Shop:
        """Return one world as a shop that observed it: its tables, with costs and marketing as this world has them.

        Parameters
        ----------
        arm
            The baseline, a strategy or a combination.
        draw
            Number of the world, from 0.

        Returns
        -------
        Shop
            From the first day of the scenario to the end of its horizon. Existing customers have ordered before;
            `order_number` is 1 at the first order ever, so that nobody is taken for new who is not.

        Raises
        ------
        ParamError
            For an unknown arm or draw.
        """
        return self.tables(arm, draw=draw).shop(self.worlds.draws[draw].scenario, name=self.scenario.title)

    def __repr__(self) -> str:
        found = ", ".join(f"{row['strategy']}: {row['decision']}" for row in self.returns.iter_rows(named=True))
        return f"Study({self.scenario.name}; {self.scenario.draws} draws; {found})"

    def _repr_html_(self) -> str:
        heads = ("programme", "recommendation", f"expected NPV, {self.currency}", INTERVAL)
        rows = (
            (
                row["title"],
                BADGES[row["decision"]],
                number(row["incremental_npv"]),
                between(row["npv_low"], row["npv_high"]),
            )
            for row in self.returns.iter_rows(named=True)
        )
        return facts_html(f"{self.scenario.title}: {self.scenario.draws} draws", {}, heads, rows)
