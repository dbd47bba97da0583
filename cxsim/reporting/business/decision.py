"""What to do: tables under DECISION, KPIS and BASE_CASE in; sentences that a board reads first, and a table, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.business.break_even import Card, in_cards, plausible
from cxsim.reporting.tables import (
    BADGES,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    first_sentence,
    found,
    in_unit,
    lowered,
    machine_readable,
    share_to,
    span,
)
from cxsim.reporting.theme import in_order, require_known
from cxsim.study.business.base_case import BASE_CASE
from cxsim.study.business.decision import DECISION
from cxsim.study.business.kpis import KPIS
from cxsim.tables import check
from cxsim.wording import (
    INTERVAL,
    NBSP,
    compared,
    counted,
    figure,
    in_html,
    joined,
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
_BETTER = {"up": "higher", "down": "lower", "none": "neither"}
_LEADING = "orders_per_customer"
# So many strategies are named in a title.
_NAMED = 3
# The most decimals of means of money and of ratios; other units have their own.
_DECIMALS = {"money": 2, "ratio": 4}
# Fewer errors apart than this, two means may be the same.
_APART = 2.0


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
        require_known(DECISION, "decision", row["decision"], BADGES)
    sets = [row for row in rows if row["strategy"] == _PORTFOLIO]
    together = [_together(row, currency) for row in sets if len(alone) > 1]
    opening = " ".join([lead([(row["title"], row["decision"]) for row in alone]), *together])
    twin = machine_readable("decision", "What to do, on what ground, and what would change it", decision)
    return in_cards(opening, [_card(row, currency) for row in rows], _aid(alone[0], sets, currency), twin)


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
    """
    return _KPIS.render_or_remark(kpis, currency)


def base_case_sentence(base_case: pl.DataFrame, currency: str) -> Prose:
    """Say what the base case is, what each strategy brings in it, and how far the mean over all draws is from that.

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
        f"{counted(rows[0]['worlds'])} worlds that differ by chance alone. What moves one number at a time starts from "
        "it; the decision rests on the mean over all draws instead."
    )
    closing = (
        "The two differ because ranges are wider on one side than on the other, and because what a strategy brings is "
        "not a straight line in its numbers: the mean of what comes out is not what comes out of the mean. ±: "
        "simulation error, the standard error of a mean over worlds."
    )
    sentences = [_base_sentence(row, currency) for row in rows]
    items = "".join(f"<li>{in_html(sentence)}</li>" for sentence in sentences)
    markup = f'<div class="cx-base"><p>{in_html(opening)}</p><ul>{items}</ul><p>{in_html(closing)}</p></div>'
    return Prose(markup=markup, text="\n".join([opening, *sentences, closing]))


def _is_nothing(row: Row) -> bool:
    # Doing nothing costs nothing and brings nothing in every draw; whatever else breaks even has a spread.
    return bool(row["investment"] == 0.0 and row["low"] == 0.0 == row["high"])


def _together(row: Row, currency: str) -> str:
    """Return what is said of the best set beside the strategies by themselves."""
    if _is_nothing(row):
        return "No set of them is expected to bring more than doing nothing."
    together = precision([row[name] for name in ("npv", "low", "high")])
    return (
        f"Of all sets of them, {row['title']} is expected to bring most: net present value "
        f"{priced(together.text(row['npv']), currency)} ({INTERVAL} {together.span(row['low'], row['high'])})."
    )


def _card(row: Row, currency: str) -> Card:
    facts, rule = _facts(row, currency), row["rule"]
    if row["strategy"] != _PORTFOLIO:
        closing = _what_would_change(row, currency)
        return Card(row["decision"], BADGES[row["decision"]], row["title"], rule, facts, closing)
    if _is_nothing(row):
        return Card("reject", "Fund none", f"Best set: {row['title']}", rule, width="wide")
    closing = "What would change it stands with each of its parts."
    return Card(row["decision"], BADGES[row["decision"]], f"Best set: {row['title']}", rule, facts, closing, "wide")


def _facts(row: Row, currency: str) -> list[tuple[str, str]]:
    together = precision([row[name] for name in ("npv", "low", "high", "low_80", "high_80")])
    gain, error = percent(row["prob_npv_positive"]), 100.0 * row["prob_mc_error"]
    half, late = (
        "beyond the horizon" if row[name] is None else months(row[name])
        for name in ("payback_months", "payback_months_late")
    )
    return [
        ("Investment", money(row["investment"], currency) if row["investment"] > 0.0 else "nothing"),
        ("Net present value", priced(f"{together.text(row['npv'])} ± {number(row['npv_mc_error'])}", currency)),
        (f"80{NBSP}% interval", priced(together.span(row["low_80"], row["high_80"]), currency)),
        (INTERVAL, priced(together.span(row["low"], row["high"]), currency)),
        ("Chance of a gain", f"{gain} ± {figure(error, '.1f')}{NBSP}pp" if error >= 0.05 else gain),
        ("Return on investment", "none, as nothing is spent" if row["roi"] is None else share_to(0)(row["roi"])),
        ("Payback in half of the draws", half),
        ("Payback in nine of ten", late),
    ]


def _what_would_change(row: Row, currency: str) -> str:
    """Return the one number that would change the decision most easily, or that none does."""
    if row["changer_break_even"] is None:
        return "No single number, moved within its plausible range, would change the sign of net present value."
    unit, low, limit = row["changer_unit"], row["changer_low"], row["changer_break_even"]
    ends = "" if low is None else f" (90{NBSP}% range {span(low, row['changer_high'], unit, currency=currency)})"
    pays = "it just breaks even"
    if row["base_npv"] is not None:
        pays = f"it would {'no longer pay' if row['base_npv'] > 0.0 else 'pay'}"
    side = "" if row["base_npv"] is None else " or less" if limit < row["changer_value"] else " or more"
    return (
        f"What would change it most easily: {lowered(first_sentence(row['changer']))}. The plan says "
        f"{in_unit(row['changer_value'], unit, currency)}{ends}; {pays} at {in_unit(found(limit), unit, currency)}"
        f"{side}, all else at its central value. That is {plausible(row['changer_score'])}."
    )


def _aid(alone: Row, sets: Sequence[Row], currency: str) -> str:
    fewer = [f" (sets of strategies {figure(row['draws'])} times)" for row in sets if row["draws"] != alone["draws"]]
    return (
        f"How to read this: each is compared with doing nothing, for the same {figure(alone['customers'])} customers "
        f"and with the same random numbers. Draws: the whole was simulated {figure(alone['draws'])} "
        f"times{''.join(fewer[:1])}, each time with other values of all that is uncertain. Investment and net present "
        f"value are means over draws, also called expected, in today's {currency}; return on investment is the second "
        f"over the first. An 80{NBSP}% interval holds eight draws of ten, a 90{NBSP}% one nine. ±: simulation error, "
        "the standard error that the limited number of draws leaves; pp: percentage points. Payback counts cash as it "
        "flows, not discounted."
    )


def _kpis_finding(kpis: pl.DataFrame) -> str:
    orders = kpis.filter(kpi=_LEADING)
    clear = orders.filter((pl.col("low") > 0.0) | (pl.col("high") < 0.0))
    changes = clear.select("title", change=100.0 * pl.col("difference") / pl.col("baseline"))
    if changes.is_empty():
        return "No strategy clearly changes how often customers order"
    ranked = changes.sort(pl.col("change").abs(), descending=True, maintain_order=True).rows()
    named = [f"{figure(change, '+.1f')}{NBSP}% with {title}" for title, change in ranked[:_NAMED]]
    more = f", and clearly with {counted(len(ranked) - _NAMED)} more" if len(ranked) > _NAMED else ""
    return f"Orders per customer change by {joined(named)}{more}"


def _rounded(row: Row, name: str) -> str:
    """Return a level, or a change with its sign, rounded with those beside it to decimals that mean anything."""
    change = name not in _LEVELS
    together = precision([row[each] for each in (("difference", "low", "high") if change else _LEVELS)])
    together = dataclasses.replace(together, decimals=min(together.decimals, _DECIMALS[row["unit"]]))
    sign = "+" if change and row[name] > 0.0 and not together.is_nothing(row[name]) else ""
    return f"{sign}{together.text(row[name])}"


def _written(name: str) -> Callable[[Row], str]:
    """Return how the figure without a strategy or with it is written, or their difference."""

    def written(row: Row) -> str:
        if row["unit"] not in _DECIMALS:
            return measured(row[name], row["unit"], row["currency"], of="value" if name in _LEVELS else "change")
        text = _rounded(row, name)
        return priced(text, row["currency"]) if row["unit"] == "money" else text

    return written


def _interval(row: Row) -> str:
    if row["unit"] not in _DECIMALS:
        return measured_span(row["low"], row["high"], row["unit"], of="change")
    return f"{_rounded(row, 'low')} to {_rounded(row, 'high')}"


_LEVELS = ("baseline", "treated")
_KPIS = TableSpec(
    id="kpis",
    contract=KPIS,
    title=_kpis_finding,
    subtitle="Over the whole horizon; means over all draws",
    rows=lambda kpis: in_order(kpis, "kpi").rows(named=True),
    group=lambda row: f"{row['label']}: {lowered(row['definition'])}",
    line="title",
    columns={
        "baseline": Column("Doing nothing", _written("baseline")),
        "treated": Column("With the strategy", _written("treated")),
        "difference": Column("Difference", _written("difference")),
        "interval": Column(f"Its {INTERVAL}", _interval),
        "words": Column(
            "In words", lambda row: compared(row["low"], row["high"], _BETTER[row["direction"]]), align="text"
        ),
    },
    notes=(
        (
            "Follows from the simulation: it shows by which way the money comes, and is no forecast of scores. A "
            "figure can move without any money moving, and the other way round."
        ),
        "pp: percentage points. Clearly: the interval of the difference does not hold zero.",
        "Ratios are of sums over all customers and months, so customers who order often weigh more.",
    ),
    empty=(
        "There are no figures to compare: no strategy here has a plausible size, so none was compared with doing "
        "nothing."
    ),
)


def _base_sentence(row: Row, currency: str) -> str:
    together = precision([row["npv"], row["mean"]])
    npv = priced(f"{together.text(row['npv'])} ± {number(row['mc_error'])}", currency)
    mean = priced(together.text(row["mean"]), currency)
    apart = row["mean"] - row["npv"]
    size = f"{money(abs(apart), currency)} {'more' if apart > 0.0 else 'less'}"
    if abs(apart) <= _APART * row["mc_error"]:
        size = "a difference that chance alone may explain"
    return f"{row['title']}: {npv} in the base case, {mean} on average over all draws, {size}."


_VERDICTS: Mapping[str, str] = {
    "fund": "worth funding now",
    "pilot": "worth a pilot first",
    "reject": "not worth funding",
}


def lead(verdicts: Sequence[tuple[str, str]]) -> str:
    """Return the sentence that a reader in a hurry takes away."""
    groups = {words: [title for title, other in verdicts if other == decision] for decision, words in _VERDICTS.items()}
    (words, titles), *others = parts = [(words, titles) for words, titles in groups.items() if titles]
    count = counted(len(verdicts))
    if others:
        phrases = [
            f"{counted(len(own))} {'is' if len(own) == 1 else 'are'} {verdict} ({joined(own)})"
            for verdict, own in parts
        ]
        return f"Of {count} strategies, {joined(phrases)}."
    if len(titles) == 1:
        return f"{titles[0]} is {words}."
    if words == _VERDICTS["reject"]:
        return f"{'Neither strategy' if len(titles) == 2 else f'None of the {count} strategies'} is worth funding."
    return f"{'Both' if len(titles) == 2 else f'All {count}'} strategies are {words}."
