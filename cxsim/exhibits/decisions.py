"""What to do: a table under RETURNS goes in, one plain sentence per finding and a recommendation come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.errors import TableError, choices
from cxsim.exhibits.cards import BADGES, Card, in_cards
from cxsim.exhibits.leads import lead
from cxsim.exhibits.showing import Prose
from cxsim.number_style import priced, turned
from cxsim.tables import RETURNS, check
from cxsim.wording import INTERVAL, NBSP, money, months, number, percent, precision

# A share below this counts as none, and so does a distance from breaking even.
_NONE = 0.005


def decisions(returns: pl.DataFrame, currency: str) -> Prose:
    """Say in words what each strategy is worth, how sure that is, and what follows.

    Parameters
    ----------
    returns
        Table under `RETURNS`, in the order of the scenario; `decision` is fund, pilot or reject, `payback_months` is
        the median over draws and `payback_months_late` the 90 % quantile, null if not within the horizon;
        `break_even_scale` is the multiple of the outlay at which net present value is zero, null without outlay.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A lead sentence, one paragraph with a badge per strategy, and one line on how to read them.

    Raises
    ------
    TableError
        For a table that is not under `RETURNS`, is empty, or holds a decision of another name.
    """
    rows = check(returns, RETURNS).rows(named=True)
    if not rows:
        raise TableError("RETURNS: no strategy; a decision needs at least one row.")
    for row in rows:
        if row["decision"] not in BADGES:
            raise TableError(f"RETURNS: no decision '{row['decision']}'; {choices(row['decision'], BADGES)}")
    opening = lead([(row["title"], row["decision"]) for row in rows])
    cards = [Card(row["decision"], BADGES[row["decision"]], row["title"], _sentences(row, currency)) for row in rows]
    return in_cards(opening, cards, _aid(rows[0]["customers"], rows[0]["draws"], currency))


def _sentences(row: Mapping[str, Any], currency: str) -> str:
    return " ".join(filter(None, [_worth(row, currency), _chance(row), _payback(row), _break_even(row)]))


def _worth(row: Mapping[str, Any], currency: str) -> str:
    mean, low, high = row["incremental_npv"], row["npv_low"], row["npv_high"]
    together = precision([mean, low, high])
    spent = f"For an outlay of {money(row['outlay'], currency)}" if row["outlay"] > 0.0 else "Without any outlay"
    doubt = (
        f"({INTERVAL} {priced(f'{together.bare(low)} to {together.text(high)}', currency)}; "
        f"simulation error {money(row['npv_mc_error'], currency)})"
    )
    if together.is_nothing(mean):
        return f"{spent}, net present value does not change {doubt}."
    change = "rises" if mean > 0.0 else "falls"
    return f"{spent}, net present value {change} by {priced(together.text(abs(mean)), currency)} {doubt}."


def _chance(row: Mapping[str, Any]) -> str:
    points = round(100 * row["prob_mc_error"])
    doubt = f" (simulation error {points}{NBSP}percentage point{'' if points == 1 else 's'})" if points else ""
    return f"It gains in {percent(row['prob_npv_positive'])} of draws{doubt}."


def _payback(row: Mapping[str, Any]) -> str:
    median, late = row["payback_months"], row["payback_months_late"]
    share = row["prob_payback"]
    if median is None:
        if share <= _NONE:
            return "The money does not come back within the horizon."
        return f"The money comes back within the horizon in {percent(share)} of draws only."
    half = f"The money is back after {months(median)} in half of the draws"
    if late is None:
        return f"{half}, and not within the horizon in the slowest tenth."
    return f"{half} and after {months(late)} in nine of ten."


def _break_even(row: Mapping[str, Any]) -> str:
    scale = row["break_even_scale"]
    if scale is None:
        return ""
    if scale <= 0.0:
        return "It would lose money even if the outlay were nothing."
    if abs(scale - 1.0) < _NONE:
        return "It just breaks even."
    if scale > 1.0:
        return f"It would still break even if the outlay were {number(scale)} times as large."
    share = f"{100 * scale:.0f}{NBSP}%" if scale >= 0.01 else f"less than 1{NBSP}%"
    return f"It would break even only if the same gain cost {share} of that outlay."


def _aid(customers: int, draws: int, currency: str) -> str:
    return (
        "How to read this: each strategy is compared with doing nothing, for the same "
        f"{turned(f'{customers:,}')} customers and under the same luck, in {turned(f'{draws:,}')} draws of all that is "
        f"uncertain. Amounts are in today's {currency}; a {INTERVAL} holds nine draws of ten."
    )
