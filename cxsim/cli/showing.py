"""Results in; tables for a terminal, or JSON, out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
from rich.table import Table
from rich.text import Text

from cxsim.cli.terminal import console, plain

if TYPE_CHECKING:
    from cxsim.cli.fitting import Fitted
    from cxsim.cli.valuing import Valued
    from cxsim.data import Transactions

_TOP = 10
_COLOURS = {"fund": "green", "pilot": "yellow", "reject": "red"}
_SEVERITIES = {"stop": "bold red", "caution": "yellow", "note": "dim"}
_TEXTS = frozenset({"strategy", "decision"})


def print_returns(returns: pl.DataFrame, currency: str, title: str) -> None:
    """Print the headline: one row per strategy."""
    table = Table()
    for name in ("strategy", "decision", "outlay", "incremental NPV", "90 % interval", "P(NPV > 0)", "ROI", "payback"):
        table.add_column(name, justify="left" if name in _TEXTS else "right")
    for row in returns.iter_rows(named=True):
        table.add_row(
            plain(row["title"]),
            plain(row["decision"], style=_COLOURS[row["decision"]]),
            _whole(row["outlay"]),
            f"{_whole(row['incremental_npv'])} ± {_whole(row['npv_mc_error'])}",
            f"{_whole(row['npv_low'])} to {_whole(row['npv_high'])}",
            f"{row['prob_npv_positive']:.1%} ± {row['prob_mc_error']:.1%}",
            "–" if row["roi"] is None else f"{_whole(100 * row['roi'])} %",
            "not within the horizon" if row["payback_months"] is None else f"{row['payback_months']:.0f} months",
        )
    out = console()
    out.print(plain(title))
    out.print(table)
    out.print(plain(f"Amounts in {currency}; 90 % intervals over draws; ± Monte Carlo error."))


def print_hygiene(transactions: Transactions) -> None:
    """Print what became of every row."""
    console().print(plain(transactions.hygiene))


def print_fit(found: Fitted) -> None:
    """Print summary, parameters and the most valuable customers."""
    out = console()
    _print_table("Customers", found.summary)
    for title, model in (
        (f"Orders and leaving: {found.purchases.title}, time in days", found.purchases),
        ("Spend per order: Gamma-Gamma", found.spend),
    ):
        _print_table(title, model.estimates().with_columns(pl.col(pl.Float64).round(6)))
        out.print(f"Log-likelihood {model.log_likelihood:,.3f}, {model.n_customers:,} customers")
    print_findings(found.diagnosis.table)
    top = found.value.head(_TOP).with_columns(pl.col(pl.Float64).round(3))
    _print_table(f"Most valuable in the next {found.horizon_days} days (discounted revenue)", top)


def print_json(found: Fitted) -> None:
    """Print the same as JSON, with all digits."""
    content = {
        "observed_until": found.until.isoformat(),
        "hygiene": found.hygiene.table.to_dicts(),
        "purchases": {
            "model": found.purchases.model,
            "k": found.purchases.params.k,
            "time_unit": "day",
            "parameters": found.purchases.estimates().to_dicts(),
            "log_likelihood": found.purchases.log_likelihood,
            "n_customers": found.purchases.n_customers,
        },
        "spend": {
            "model": "gamma-gamma",
            "parameters": found.spend.estimates().to_dicts(),
            "log_likelihood": found.spend.log_likelihood,
            "n_customers": found.spend.n_customers,
        },
        "findings": found.diagnosis.table.to_dicts(),
        "value": {"horizon_days": found.horizon_days, "customers": found.value.head(_TOP).to_dicts()},
    }
    print(json.dumps(content, indent=1, allow_nan=False))  # noqa: T201 - the command's result


def print_findings(findings: pl.DataFrame) -> None:
    """Print what the orders cannot say of the fits: severity, sentence and advice, the gravest first."""
    out = console()
    out.print()
    for severity, sentence, advice in findings.select("severity", "sentence", "advice").iter_rows():
        out.print(plain(f"{severity.capitalize()}:", style=_SEVERITIES[severity]), plain(f"{sentence} {advice}"))
    if findings.is_empty():
        out.print("The examination of the fits found nothing to report.")


def print_values(valued: Valued) -> None:
    """Print what all customers together are worth, and what must be said beside it."""
    terms = valued.values.terms
    span = f"next {terms.horizon_days:,.0f} days"
    rows = {
        f"orders in the {span}": "orders",
        f"customers who order in the {span}": "buyers",
        f"value in the {span}, today": "value",
    }
    totals = {row["quantity"]: row for row in valued.values.totals.iter_rows(named=True)}
    interval = f"{100 * terms.level:g} % interval"
    alive = valued.values.table["prob_alive"].sum()
    lines = [("customers", f"{valued.customers:,}", ""), ("of these still customers, expected", f"{alive:,.0f}", "")]
    for words, quantity in rows.items():
        found = totals[quantity]
        lines.append((words, f"{found['mean']:,.0f}", f"{found['low']:,.0f} to {found['high']:,.0f}"))
    title = f"Customers until {valued.until.isoformat()}, by {valued.title}"
    _print_table(title, pl.DataFrame(lines, schema=["quantity", "expected", interval], orient="row"))
    for remark in valued.values.remarks:
        console().print(plain(remark))
    print_findings(valued.diagnosis.table)


def _whole(number: float) -> str:
    """Return a rounded number, without the minus sign that a small negative one would leave before its zero."""
    return f"{round(number):,}"


def _print_table(title: str, content: pl.DataFrame) -> None:
    table = Table()
    for name in content.columns:
        table.add_column(name.replace("_", " "), justify="right" if content.schema[name].is_numeric() else "left")
    for row in content.iter_rows():
        table.add_row(*(_cell(cell) for cell in row))
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)


def _cell(cell: object) -> str | Text:
    if cell is None:
        return "–"
    return plain(f"{cell:,}" if isinstance(cell, float) else cell)
