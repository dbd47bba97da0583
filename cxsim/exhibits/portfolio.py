"""Sets of strategies in; a table that says which one brings most, and whether it is told apart from the next, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cxsim.business_tables import PORTFOLIO
from cxsim.errors import TableError
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.tables import check
from cxsim.wording import INTERVAL, money, number, percent, precision

# So many simulation errors apart, two sets are told apart: by luck alone that happens once in twenty times.
_APART = 2.0


def portfolio_table(portfolio: pl.DataFrame, currency: str, budget: float | None = None) -> Table:
    """Lay out what sets of strategies bring together, beside doing nothing, and say how sure the choice is.

    Parameters
    ----------
    portfolio
        Table under `PORTFOLIO`, in the order in which it is read; one set is chosen.
    currency
        Code of the currency, as "USD".
    budget
        The most that may be spent, as a present value in `currency`, for the reader; which sets are beyond it the
        table says itself.

    Returns
    -------
    Table
        One row per set. Two sets are told apart when their difference in the same draws is larger than two simulation
        errors.

    Raises
    ------
    TableError
        For a table that is not under `PORTFOLIO`, or in which not exactly one set is chosen.
    """
    rows = check(portfolio, PORTFOLIO).rows(named=True)
    chosen = [row for row in rows if row["chosen"]]
    if len(chosen) != 1:
        raise TableError(f"PORTFOLIO: {len(chosen)} of {len(rows)} sets are chosen; it must be one.")
    heads = {
        "outlay": f"Spend, {currency}",
        "npv": f"Net present value, {currency}",
        "interval": INTERVAL,
        "worst": "Mean of the worst tenth",
        "chance": "Chance of a gain",
        "interaction": "More than its parts alone",
        "gap": "Less than the best, same draws",
        "remark": "Remark",
    }
    title = _finding(chosen[0], rows, budget is not None or not all(row["affordable"] for row in rows))
    layout = laid_out(
        pl.DataFrame([_cells(row) for row in rows], schema=dict.fromkeys(["line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=_subtitle(currency, budget),
        heads=heads,
        text=("remark",),
        notes=_notes(int(chosen[0]["draws"])),
    )
    return Table(id="portfolio", title=title, layout=layout, twin=portfolio)


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["title"],
        number(row["outlay"]),
        *(_figures(row) if row["members"] else ["0", "", "", ""]),
        number(row["interaction"]) if "," in row["members"] else "",
        "" if row["chosen"] else f"{number(row['gap'])} ± {number(row['gap_mc_error'])}",
        "; ".join(_remarks(row)),
    ]


def _figures(row: Mapping[str, Any]) -> list[str]:
    together = precision([row[name] for name in ("npv", "low", "high", "cvar")])
    return [
        f"{together.text(row['npv'])} ± {number(row['npv_mc_error'])}",
        f"{together.bare(row['low'])} to {together.text(row['high'])}",
        together.text(row["cvar"]),
        percent(row["prob_npv_positive"]),
    ]


def _remarks(row: Mapping[str, Any]) -> list[str]:
    remarks = ["best"] if row["chosen"] else []
    if not row["affordable"]:
        remarks.append("over budget")
    elif not row["chosen"] and not _apart(row):
        remarks.append("not told apart")
    if row["efficient"]:
        remarks.append("efficient")
    return remarks


def _apart(row: Mapping[str, Any]) -> bool:
    return float(row["gap"]) > _APART * float(row["gap_mc_error"])


def _finding(best: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], limited: bool) -> str:  # noqa: FBT001 - a fact
    within = " within the budget" if limited else ""
    others = [row for row in rows if row["affordable"] and not row["chosen"]]
    opening = f"{best['title']} {'brings' if best['members'] else 'is expected to bring'} most{within}"
    if not others:
        return f"{opening}; there is no other set to compare it with"
    following = min(others, key=lambda row: (float(row["gap"]), str(row["name"])))
    if _apart(following):
        return f"{opening}, more than two simulation errors ahead of the next, {following['title']}"
    near = sum(not _apart(row) for row in others)
    if near == 1:
        return f"{opening}, but the draws do not tell it apart from {following['title']}"
    return f"{opening}, but the draws do not tell it apart from {near} other sets"


def _subtitle(currency: str, budget: float | None) -> str:
    limit = "" if budget is None else f"; budget {money(budget, currency)}, as a present value"
    return f"Each set played together, against doing nothing; in today's {currency}{limit}"


def _notes(draws: int) -> tuple[str, ...]:
    return (
        (
            f"All sets are compared in the same {turned(f'{draws:,}')} draws, so that the luck they share does not "
            "count; ±: simulation error of a mean or of a difference of means. A difference of more than two of its "
            "errors tells sets apart."
        ),
        (
            "Mean of the worst tenth: what a set brings on average in the tenth of draws in which it brings least. "
            "Efficient: no other set both brings more and does better in its worst tenth."
        ),
        (
            "More than its parts alone: net present value of the set less the sum of those of its parts; below zero, "
            "they work on the same customers or the same orders. A set counts as over budget by its mean spend."
        ),
    )
