"""What to do: a table under DECISION goes in, a lead sentence and a card per strategy come out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Literal

import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.business.break_even import plausible
from cxsim.reporting.tables import (
    BADGES,
    Card,
    Prose,
    Table,
    first_sentence,
    found,
    in_cards,
    in_unit,
    laid_out,
    lead,
    lowered,
    machine_readable,
    remark,
    span,
)
from cxsim.study.business.contracts import BASE_CASE, DECISION, KPIS
from cxsim.tables import check
from cxsim.wording import (
    INTERVAL,
    MINUS,
    NBSP,
    Precision,
    compared,
    counted,
    figure,
    joined,
    localise,
    measured,
    measured_span,
    money,
    months,
    number,
    percent,
    precision,
    priced,
)

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
            row["rule"],
            _facts(row, currency),
            _changer(row, currency),
        )
    title = f"Best set: {row['title']}"
    if _is_nothing(row):
        return Card("reject", "Fund none", title, row["rule"], width="wide")
    closing = "What would change it is told of each of its parts."
    return Card(
        row["decision"],
        BADGES[row["decision"]],
        title,
        row["rule"],
        _facts(row, currency),
        closing,
        "wide",
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
        ("Chance of a gain", f"{gain} ± {localise(f'{error:.1f}')}{NBSP}pp" if error >= 0.05 else gain),
        ("Return on spend", _return(row["roi"])),
        ("Payback in half of the draws", _paid_back(row["payback_months"])),
        ("Payback in nine of ten", _paid_back(row["payback_months_late"])),
    ]


def _between(together: Precision, low: float, high: float) -> str:
    return f"{together.bare(low)} to {together.text(high)}"


def _return(roi: float | None) -> str:
    return "none, as nothing is spent" if roi is None else localise(f"{100 * roi:,.0f}{NBSP}%".replace("-", MINUS))


def _paid_back(duration: float | None) -> str:
    return "beyond the horizon" if duration is None else months(duration)


def _changer(row: Mapping[str, Any], currency: str) -> str:
    """Return the one number that would change the decision most easily, or that none does."""
    if row["changer_break_even"] is None:
        return _UNCHANGED
    unit, value = row["changer_unit"], row["changer_value"]
    limit = in_unit(found(row["changer_break_even"]), unit, currency)
    plan = in_unit(value, unit, currency)
    with_prior = ""
    if row["changer_low"] is not None and row["changer_high"] is not None:
        with_prior = f" (90{NBSP}% range {span(row['changer_low'], row['changer_high'], unit, currency=currency)})"
    return (
        f"What would change it most easily: {lowered(first_sentence(row['changer']))}. The plan says "
        f"{plan}{with_prior}; {_side(row, limit)}, all else at its central value. That is "
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
    customers, draws = (localise(f"{alone[name]:,}") for name in ("customers", "draws"))
    fewer = f" (sets of strategies {localise(f'{sets[0]:,}')} times)" if sets else ""
    return (
        f"How to read this: each is compared with doing nothing, for the same {customers} customers and "
        f"under the same luck. Draws: the whole was played {draws} times{fewer}, each time with other values of all "
        "that is uncertain. Spend and net present value are means over draws, also called expected, in today's "
        f"{currency}; return on spend is the second over the first. An 80{NBSP}% interval holds eight draws of ten, a "
        f"90{NBSP}% one nine. ±: simulation error, the standard error that the limited number of draws leaves; pp: "
        "percentage points. Payback counts cash as it flows, not discounted."
    )


_BETTER = {"up": "higher", "down": "lower", "none": "neither"}
_LEADING = "orders_per_customer"
# So many strategies are named in a title.
_ALT_TEXT = 3
# The most decimals of means of money and of ratios; other units have their own.
_DECIMALS = {"money": 2, "ratio": 4}


def kpis_table(kpis: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out each figure without a strategy and with it, and the difference.

    Parameters
    ----------
    kpis
        Table under `KPIS`; figures and strategies in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One group per figure, headed by its name and definition, and in it one row per strategy. The title says which
        strategies clearly change how often customers order, and by how much. One sentence where there is no figure.

    Raises
    ------
    TableError
        For a table that is not under `KPIS`.
    """
    table = check(kpis, KPIS)
    if table.is_empty():
        return remark(
            "There are no figures to compare: no strategy here is believed, so none was played against doing nothing."
        )
    heads = {
        "baseline": "Doing nothing",
        "treated": "With the strategy",
        "difference": "Difference",
        "interval": f"Its {INTERVAL}",
        "words": "In words",
    }
    parts = table.partition_by("kpi", maintain_order=True)
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame([_cells(row, currency) for part in parts for row in part.rows(named=True)]),
        title=title,
        subtitle="Over the whole horizon; means over all draws",
        heads=heads,
        text=("words",),
        notes=(
            (
                "Follows from the simulation: it shows by which way the money comes, and is no forecast of scores. A "
                "figure can move without any money moving, and the other way round."
            ),
            "pp: percentage points. Clearly: the interval of the difference does not hold zero.",
            "Ratios are of sums over all customers and months, so customers who order often weigh more.",
        ),
    )
    return Table(id="kpis", title=title, layout=layout, twin=table)


def _finding(table: pl.DataFrame) -> str:
    orders = table.filter(pl.col("kpi") == _LEADING)
    clear = orders.filter((pl.col("low") > 0.0) | (pl.col("high") < 0.0)).with_columns(
        change=100.0 * pl.col("difference") / pl.col("baseline")
    )
    if clear.is_empty():
        return "No strategy clearly changes how often customers order"
    ranked = clear.sort(pl.col("change").abs(), descending=True, maintain_order=True).rows(named=True)
    changes = [f"{figure(row['change'], '+.1f')}{NBSP}%" for row in ranked[:_ALT_TEXT]]
    alt_text = [f"{change} with {row['title']}" for change, row in zip(changes, ranked, strict=False)]
    rest = len(ranked) - len(alt_text)
    more = f", and clearly with {counted(rest)} more" if rest else ""
    return f"Orders per customer change by {joined(alt_text)}{more}"


def _cells(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    unit, ends = row["unit"], (row["low"], row["high"])
    levels, changes = (row["baseline"], row["treated"]), (row["difference"], *ends)
    if unit in _DECIMALS:
        before, after = _written(levels, unit)
        difference, low, high = _written(changes, unit, sign="always")
        if unit == "money":
            before, after, difference = (priced(text, currency) for text in (before, after, difference))
        interval = f"{low} to {high}"
    else:
        before, after = (measured(level, unit, currency) for level in levels)
        difference = measured(row["difference"], unit, currency, of="change")
        interval = measured_span(*ends, unit, of="change")
    return {
        "group": f"{row['label']}: {row['definition'][:1].lower()}{row['definition'][1:]}",
        "line": row["title"],
        "baseline": before,
        "treated": after,
        "difference": difference,
        "interval": interval,
        "words": compared(*ends, _BETTER[row["direction"]]),
    }


def _written(values: Sequence[float], unit: str, *, sign: Literal["always", "below zero"] = "below zero") -> list[str]:
    """Return values rounded together, to as many decimals as mean anything in their unit."""
    together = precision(values)
    together = dataclasses.replace(together, decimals=min(together.decimals, _DECIMALS[unit]))
    plus = ["+" if sign == "always" and value > 0.0 and not together.is_nothing(value) else "" for value in values]
    return [f"{mark}{together.text(value)}" for mark, value in zip(plus, values, strict=True)]


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
    alt_text = [_sentence(row, currency) for row in rows]
    closing = (
        "The two differ because ranges are wider on one side than on the other, and because what a strategy brings is "
        "not a straight line in its numbers: the mean of what comes out is not what comes out of the mean. ±: error "
        "of luck, the standard error of a mean over worlds."
    )
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in alt_text)
    markup = f'<div class="cx-base"><p>{escape(opening)}</p><ul>{items}</ul><p>{escape(closing)}</p></div>'
    return Prose(markup=markup, text="\n".join([opening, *alt_text, closing]))


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
