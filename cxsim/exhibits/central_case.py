"""The base case of each strategy in; sentences that say what it is, and why the mean over draws differs, out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import polars as pl

from cxsim.business_tables import BASE_CASE
from cxsim.errors import TableError
from cxsim.exhibits.showing import Prose
from cxsim.number_style import priced
from cxsim.tables import check
from cxsim.wording import counted, money, number, precision

_APART = 2.0


def base_case_sentence(base_case: pl.DataFrame, currency: str) -> Prose:
    """Say what the base case is, what each strategy is worth in it, and how far the mean over all draws is from that.

    Parameters
    ----------
    base_case
        Table under `BASE_CASE`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A sentence, one more per strategy, and the reason why the two differ.

    Raises
    ------
    TableError
        For a table that is not under `BASE_CASE`, or is empty.
    """
    rows = check(base_case, BASE_CASE).rows(named=True)
    if not rows:
        raise TableError("BASE_CASE: no strategy; a base case needs at least one row.")
    opening = (
        "The base case holds every number at its central value and every model at its estimate, in "
        f"{counted(rows[0]['worlds'])} worlds that differ by luck alone. What moves one number at a time starts from "
        "it; the decision rests on the mean over all draws instead."
    )
    told = [_sentence(row, currency) for row in rows]
    closing = (
        "The two differ because ranges are wider on one side than on the other, and because what a strategy brings is "
        "not a straight line in its numbers: the mean of what comes out is not what comes out of the mean. ±: error "
        "of luck, the standard error of a mean over worlds."
    )
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in told)
    markup = f'<div class="cx-base"><p>{escape(opening)}</p><ul>{items}</ul><p>{escape(closing)}</p></div>'
    return Prose(markup=markup, text="\n".join([opening, *told, closing]))


def _sentence(row: Mapping[str, Any], currency: str) -> str:
    together = precision([row["npv"], row["mean"]])
    npv = priced(f"{together.text(row['npv'])} ± {number(row['mc_error'])}", currency)
    opening = (
        f"{row['title']}: {npv} in the base case, "
        f"{priced(together.text(row['mean']), currency)} on average over all draws"
    )
    apart = row["mean"] - row["npv"]
    if abs(apart) <= _APART * row["mc_error"]:
        return f"{opening}, a difference that luck alone may explain."
    return f"{opening}, {money(abs(apart), currency)} {'more' if apart > 0.0 else 'less'}."
