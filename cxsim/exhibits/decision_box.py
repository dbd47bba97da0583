"""What to do: a table under DECISION goes in, a lead sentence and a card per strategy come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cxsim.business_tables import DECISION
from cxsim.errors import TableError, choices
from cxsim.exhibits.cards import BADGES, Card, in_cards
from cxsim.exhibits.in_units import first_sentence, found, in_unit, lowered, span
from cxsim.exhibits.leads import lead
from cxsim.exhibits.plausible import plausible
from cxsim.exhibits.showing import Prose, machine_readable
from cxsim.number_style import priced, retold, turned
from cxsim.tables import check
from cxsim.wording import INTERVAL, MINUS, NBSP, Precision, money, months, number, percent, precision

# The row of DECISION that tells of the best set of strategies.
_PORTFOLIO = "portfolio"
_UNCHANGED = "No single number, moved within what is believed of it, would change the sign of net present value."


def decision_box(decision: pl.DataFrame, currency: str) -> Prose:
    """Say what to do about each strategy and the best set of them, on what ground, and what would change that.

    Parameters
    ----------
    decision
        Table under `DECISION`, in the order of the scenario; `decision` is fund, pilot or reject, and the row of the
        best set is named `portfolio`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A lead sentence, one card per row, and one line on how to read them; its twin has one row per card.

    Raises
    ------
    TableError
        For a table that is not under `DECISION`, has no strategy, or holds a decision of another name.
    """
    rows = check(decision, DECISION).rows(named=True)
    alone = [row for row in rows if row["strategy"] != _PORTFOLIO]
    if not alone:
        raise TableError("DECISION: no strategy; a decision needs at least one row beside the best set.")
    for row in rows:
        if row["decision"] not in BADGES:
            raise TableError(f"DECISION: no decision '{row['decision']}'; {choices(row['decision'], BADGES)}")
    opening = " ".join(
        [
            lead([(row["title"], row["decision"]) for row in alone]),
            *(_together(row, currency) for row in rows if row["strategy"] == _PORTFOLIO and len(alone) > 1),
        ]
    )
    twin = machine_readable("decision", "What to do, on what ground, and what would change it", decision)
    return in_cards(opening, [_card(row, currency) for row in rows], _aid(rows, currency), twin)


def _together(row: Mapping[str, Any], currency: str) -> str:
    """Return what is said of the best set beside the strategies by themselves."""
    if _is_nothing(row):
        return "No set of them is expected to bring more than doing nothing."
    together = precision([row[name] for name in ("npv", "low", "high")])
    return (
        f"Of all sets of them, {row['title']} is expected to bring most: net present value "
        f"{priced(together.text(row['npv']), currency)} ({INTERVAL} {_between(together, row['low'], row['high'])})."
    )


def _card(row: Mapping[str, Any], currency: str) -> Card:
    if row["strategy"] != _PORTFOLIO:
        return Card(
            row["decision"],
            BADGES[row["decision"]],
            row["title"],
            retold(row["rule"]),
            _facts(row, currency),
            _changer(row, currency),
        )
    title = f"Best set: {row['title']}"
    if _is_nothing(row):
        return Card("reject", "Fund none", title, retold(row["rule"]), width="wide")
    closing = "What would change it is told of each of its parts."
    return Card(
        row["decision"], BADGES[row["decision"]], title, retold(row["rule"]), _facts(row, currency), closing, "wide"
    )


def _is_nothing(row: Mapping[str, Any]) -> bool:
    # Doing nothing costs nothing and brings nothing in every draw; whatever else breaks even has a spread.
    return bool(row["outlay"] == 0.0 and row["low"] == 0.0 == row["high"])


def _facts(row: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    together = precision([row[name] for name in ("npv", "low", "high", "low_80", "high_80")])
    gain, error = percent(row["prob_npv_positive"]), 100.0 * row["prob_mc_error"]
    return [
        ("Spend", money(row["outlay"], currency) if row["outlay"] > 0.0 else "nothing"),
        ("Net present value", priced(f"{together.text(row['npv'])} ± {number(row['npv_mc_error'])}", currency)),
        *(
            (f"{level}{NBSP}% interval", priced(_between(together, low, high), currency))
            for level, low, high in ((80, row["low_80"], row["high_80"]), (90, row["low"], row["high"]))
        ),
        ("Chance of a gain", f"{gain} ± {turned(f'{error:.1f}')}{NBSP}pp" if error >= 0.05 else gain),
        ("Return on spend", _return(row["roi"])),
        ("Payback in half of the draws", _paid_back(row["payback_months"])),
        ("Payback in nine of ten", _paid_back(row["payback_months_late"])),
    ]


def _between(together: Precision, low: float, high: float) -> str:
    return f"{together.bare(low)} to {together.text(high)}"


def _return(roi: float | None) -> str:
    return "none, as nothing is spent" if roi is None else turned(f"{100 * roi:,.0f}{NBSP}%".replace("-", MINUS))


def _paid_back(duration: float | None) -> str:
    return "beyond the horizon" if duration is None else months(duration)


def _changer(row: Mapping[str, Any], currency: str) -> str:
    """Return the one number that would change the decision most easily, or that none does."""
    if row["changer_break_even"] is None:
        return _UNCHANGED
    unit, value = row["changer_unit"], row["changer_value"]
    limit = in_unit(found(row["changer_break_even"]), unit, currency)
    plan = in_unit(value, unit, currency)
    believed = ""
    if row["changer_low"] is not None and row["changer_high"] is not None:
        believed = f" (90{NBSP}% range {span(row['changer_low'], row['changer_high'], unit, currency=currency)})"
    return (
        f"What would change it most easily: {lowered(first_sentence(row['changer']))}. The plan says "
        f"{plan}{believed}; {_side(row, limit)}, all else at its central value. That is "
        f"{plausible(row['changer_score'])}."
    )


def _side(row: Mapping[str, Any], limit: str) -> str:
    """Return on which side of the limit the strategy pays, as far as the base case is known."""
    if row["base_npv"] is None:
        return f"it just breaks even at {limit}"
    side = "less" if row["changer_break_even"] < row["changer_value"] else "more"
    pays = "it would no longer pay at" if row["base_npv"] > 0.0 else "it would pay at"
    return f"{pays} {limit} or {side}"


def _aid(rows: Sequence[Mapping[str, Any]], currency: str) -> str:
    alone = next(row for row in rows if row["strategy"] != _PORTFOLIO)
    sets = [row["draws"] for row in rows if row["strategy"] == _PORTFOLIO and row["draws"] != alone["draws"]]
    customers, draws = (turned(f"{alone[name]:,}") for name in ("customers", "draws"))
    fewer = f" (sets of strategies {turned(f'{sets[0]:,}')} times)" if sets else ""
    return (
        f"How to read this: each is compared with doing nothing, for the same {customers} customers and "
        f"under the same luck. Draws: the whole was played {draws} times{fewer}, each time with other values of all "
        "that is uncertain. Spend and net present value are means over draws, also called expected, in today's "
        f"{currency}; return on spend is the second over the first. An 80{NBSP}% interval holds eight draws of ten, a "
        f"90{NBSP}% one nine. ±: simulation error, the standard error that the limited number of draws leaves; pp: "
        "percentage points. Payback counts cash as it flows, not discounted."
    )
