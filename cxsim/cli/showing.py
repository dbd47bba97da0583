"""Results in; tables for a terminal, or JSON, out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from cxsim.cli.fitting import Fitted

_TOP = 10
_COLOURS = {"fund": "green", "pilot": "yellow", "reject": "red"}


def print_returns(returns: pl.DataFrame, currency: str, title: str) -> None:
    """Print the headline: one row per strategy."""
    table = Table(title=title, title_justify="left", caption=f"Amounts in {currency}; 90 % intervals over draws; ± Monte Carlo error.")
    for name in ("strategy", "decision", "outlay", "incremental NPV", "90 % interval", "P(NPV > 0)", "ROI", "pays back after"):
        table.add_column(name, justify="left" if name in {"strategy", "decision"} else "right")
    for row in returns.iter_rows(named=True):
        colour = _COLOURS.get(str(row["decision"]), "white")
        table.add_row(
            _plain(row["title"]),
            f"[{colour}]{_plain(row['decision'])}[/]",
            f"{row['outlay']:,.0f}",
            f"{row['incremental_npv']:,.0f} ± {row['npv_mc_error']:,.0f}",
            f"{row['npv_low']:,.0f} to {row['npv_high']:,.0f}",
            f"{row['prob_npv_positive']:.0%} ± {row['prob_mc_error']:.0%}",
            "–" if row["roi"] is None else f"{row['roi']:.0%}",
            "not within the horizon" if row["payback_months"] is None else f"{row['payback_months']:.0f} months",
        )
    Console(highlight=False).print(table)


def print_fit(found: Fitted) -> None:
    """Print hygiene, summary, parameters and the most valuable customers."""
    console = Console(highlight=False)
    console.print(str(found.hygiene), markup=False)
    console.print()
    console.print(_table("Customers", found.summary))
    console.print(_table("Orders and leaving: BG/NBD, time in days", _parameters(found.purchases.summary())))
    console.print(f"Log-likelihood {found.purchases.log_likelihood:,.3f}, {found.purchases.n_customers:,} customers")
    console.print(_table("Spend per order: Gamma-Gamma", _parameters(found.spend.summary())))
    console.print(f"Log-likelihood {found.spend.log_likelihood:,.3f}, {found.spend.n_customers:,} customers")
    top = found.value.head(_TOP).with_columns(pl.col(pl.Float64).round(3))
    console.print(_table(f"Most valuable in the next {found.horizon_days} days (discounted revenue)", top))


def print_json(found: Fitted) -> None:
    """Print the same as JSON, with all digits."""
    content = {
        "observed_until": found.until.isoformat(),
        "hygiene": found.hygiene.table.to_dicts(),
        "purchases": {"model": "bgnbd", "time_unit": "day", "parameters": found.purchases.summary().to_dicts(),
                      "log_likelihood": found.purchases.log_likelihood, "n_customers": found.purchases.n_customers},
        "spend": {"model": "gamma-gamma", "parameters": found.spend.summary().to_dicts(),
                  "log_likelihood": found.spend.log_likelihood, "n_customers": found.spend.n_customers},
        "value": {"horizon_days": found.horizon_days, "customers": found.value.head(_TOP).to_dicts()},
    }
    print(json.dumps(content, indent=1))  # noqa: T201 - the command's result


def _parameters(summary: pl.DataFrame) -> pl.DataFrame:
    return summary.with_columns(pl.col(pl.Float64).round(6))


def _table(title: str, content: pl.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    for name in content.columns:
        table.add_column(name.replace("_", " "), justify="right" if content.schema[name].is_numeric() else "left")
    for row in content.iter_rows():
        table.add_row(*("–" if cell is None else _plain(cell) for cell in row))
    return table


def _plain(cell: object) -> str:
    """Return a cell as text in which rich reads no markup and a terminal no control characters."""
    text = f"{cell:,}" if isinstance(cell, float) else str(cell)
    return "".join(letter if letter.isprintable() else "?" for letter in text).replace("[", r"\[")
