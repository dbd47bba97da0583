"""What to do: tables under DECISION, KPIS and BASE_CASE in; sentences that a board reads first, and a table, out."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence

import polars as pl

from cxsim.errors import TableError
from cxsim.finance.returns import BEYOND
from cxsim.params import Unit
from cxsim.reporting.business.break_even import Card, break_even_cards, in_cards, plausible
from cxsim.reporting.tables import (
    CENTRAL,
    ERROR,
    MEAN,
    QUANTILES,
    SHARE,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    capitalised,
    chance_of_positive_npv,
    found,
    headed,
    in_unit,
    machine_readable,
    share_to,
    span,
)
from cxsim.reporting.theme import distinct, in_order, require_known, with_texts
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.study.business.base_case import BASE_CASE
from cxsim.study.business.decision import DECISION
from cxsim.study.business.kpis import KPIS
from cxsim.study.business.pathways import QUALITIES, SUMMARY
from cxsim.tables import WHOLE_HORIZON, check
from cxsim.wording import (
    BADGES,
    INTERVAL,
    NBSP,
    between,
    chance,
    compared,
    counted,
    figure,
    figure_against,
    first_sentence,
    in_html,
    joined,
    labelled,
    lowered,
    measured,
    measured_span,
    money,
    months,
    number,
    percent,
    precision,
    priced,
    unlabelled,
)

_CENTRAL_ERROR = "simulation-error-of-base-case"
# The row of DECISION that tells of the best set of strategies.
_PORTFOLIO = "portfolio"
# How the check of the models on the shop's own orders ended, in a word.
MODEL_CHECK = {"fits": "passed", "caution": "caution", "stop": "failed"}
_BETTER = {"up": "higher", "down": "lower", "none": "neither"}
_LEADING = "orders_per_customer"
# So many strategies are named in a title.
_NAMED = 3
# The most decimals of means of money and of ratios; other units have their own.
_DECIMALS = {"money": 2, "ratio": 4}


def decision_box(decision: pl.DataFrame, currency: str, break_even: pl.DataFrame | None = None) -> Prose:
    """Say what to do about each strategy and the best set of them, on what ground, and what would change that.

    Parameters
    ----------
    decision
        Table under `DECISION`, in the order of the scenario; `decision` is fund, pilot or reject, and the row of the
        best set is named `portfolio`.
    currency
        Code of the currency, as "USD".
    break_even
        Table under `BREAK_EVEN`: the strategies whose effect nobody has measured, each of which gets a card too.

    Returns
    -------
    Prose
        A lead sentence, one card per row, and one line on how to read them; its twin has one row of each card with a
        return.

    Raises
    ------
    TableError
        For a table that is not under its contract, has no strategy, or holds a decision of another name.
    """
    rows = check(decision, DECISION).rows(named=True)
    arms = [row for row in rows if row["strategy"] != _PORTFOLIO]
    if not arms:
        raise TableError("DECISION: no strategy; a decision needs at least one row beside the best set.")
    for row in rows:
        require_known(DECISION, "decision", row["decision"], BADGES)
    searched = [] if break_even is None else break_even_cards(break_even, currency)
    alone = [row for row in arms if row["kind"] == "strategy"]
    # Of one strategy there are no sets to choose from.
    sets = [row for row in rows if row["strategy"] == _PORTFOLIO and len(alone) > 1]
    verdicts = [(row["title"], row["decision"]) for row in alone]
    failed = [stood for _, stood in _model_check(arms[0]) if stood.startswith(MODEL_CHECK["stop"])]
    warning = [f"On this shop's own orders the models {stood}." for stood in failed]
    opening = " ".join([lead(verdicts, [card.title for card in searched]), *warning])
    cards = [*(_card(row, currency) for row in arms), *searched, *(_card(row, currency) for row in sets)]
    twin = machine_readable("decision", "What to do, on what ground, and what would change it", decision)
    return in_cards(opening, cards, _aid(arms[0], sets, currency), twin, basis=_basis(arms[0], currency))


def summary_table(summary: pl.DataFrame, qualities: pl.DataFrame, decision: pl.DataFrame, currency: str) -> Table:
    """Lay out benefits by source and investment by account, year by year, with what no line holds below.

    Parameters
    ----------
    summary
        Table under `SUMMARY`, strategies in the order of the scenario.
    qualities
        Table under `QUALITIES`.
    decision
        Table under `DECISION`, for interval, chance and payback.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One group per strategy; one column per year and one for the whole horizon, present values. Below stand risk,
        benefits that are not quantified and what can be stopped.
    """
    check(decision, DECISION)
    periods = distinct(check(summary, SUMMARY), "period")
    said = _qualities_notes(check(qualities, QUALITIES), decision, currency)
    columns = headed({period: labelled(period, "year") for period in periods})
    # Words that hold names of strategies are computed, so that nothing in them is taken for a place of our own.
    spec = dataclasses.replace(_SUMMARY, columns=columns, notes=lambda _: said)
    return spec.render(summary, currency)


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
    """Say what the base case is, the NPV of each strategy in it, and how far the mean over all draws is from that.

    Parameters
    ----------
    base_case
        Table under `BASE_CASE`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Prose
        A sentence, one more per strategy, and the reason why the two differ; the twin holds the table.

    Raises
    ------
    TableError
        For a table that is not under `BASE_CASE`, or is empty.
    """
    rows = check(base_case, BASE_CASE).rows(named=True)
    if not rows:
        raise TableError("BASE_CASE: no strategy; a base case needs at least one row.")
    worlds = labelled(counted(rows[0]["worlds"]), "worlds")
    opening = (
        "The base case keeps every assumption at its central value and every model at its estimate, in "
        f"{worlds} simulation runs. Sensitivities start from it; decisions rest on the mean over all draws."
    )
    closing = (
        "The two differ because some ranges are skewed and because NPV does not change in proportion to every "
        "assumption. ±: simulation error, one standard error of a mean over runs."
    )
    sentences = [_base_sentence(row, currency) for row in rows]
    items = "".join(f"<li>{in_html(sentence)}</li>" for sentence in sentences)
    markup = f'<div class="cx-base"><p>{in_html(opening)}</p><ul>{items}</ul><p>{in_html(closing)}</p></div>'
    twin = machine_readable("base-case", "NPV of each programme in the base case", base_case)
    return Prose(markup=markup, text=unlabelled("\n".join([opening, *sentences, closing])), twin=twin)


def _model_check(row: Row) -> list[tuple[str, str]]:
    """Return how the models stood the check on the shop's own orders, and why they failed it."""
    if "model_check" not in row:
        return []
    why = labelled(f": {row['model_check_finding']}", "model_check", estimator="backtest")
    return [("Model check", f"{MODEL_CHECK[row['model_check']]}{why if row['model_check'] == 'stop' else ''}")]


def _basis(row: Row, currency: str) -> str:
    """Return what every decision is made in."""
    horizon, rate = months(row["horizon_months"]), f"{figure(100.0 * row['annual_discount_rate'], '.4g')}{NBSP}%"
    revenue, new = money(row["revenue"], currency), labelled(figure(row["new_customers"]), "new_customers")
    current = labelled(figure(row["customers"] - row["new_customers"]), "current_customers")
    orders = labelled(figure(found(row["orders_per_year"])), "orders_per_year", "", MEAN)
    first = labelled(months(row["new_customer_months"]), "new_customer_months")
    arrived = f" in the first {first}" if row["new_customer_months"] < row["horizon_months"] else ""
    included = row.get("after_horizon_rule") == "included"
    after = " Benefits and NPV include customers retained after the horizon." if included else ""
    return (
        f"Horizon {labelled(horizon, 'horizon')}; discount rate {labelled(rate, 'discount_rate')} a year. Without any "
        f"programme: net revenue of {labelled(revenue, 'revenue', '', MEAN)} over the horizon, not discounted, from "
        f"{current} current customers and {new} new ones{arrived}, with {orders} orders a year on average.{after}"
    )


def _card(row: Row, currency: str) -> Card:
    facts, rule, name = _facts(row, currency), _rule(row), row["strategy"]
    if name != _PORTFOLIO:
        kind = "Together: " if row["kind"] == "combination" else ""
        learn = labelled(row["learn"], "test", name, "test-plan")
        change, ceiling = _what_would_change(row, currency), _ceiling(row, currency)
        closing = " ".join(filter(None, (learn, _added(row, currency), change, _pays_from(row), ceiling)))
        return Card(row["decision"], BADGES[row["decision"]], f"{kind}{row['title']}", rule, facts, closing)
    # No programme costs nothing and changes nothing in any draw; whatever else breaks even has a spread.
    if row["investment"] == 0.0 and row["low"] == 0.0 == row["high"]:
        return Card("reject", "Fund none", "Best set: no programme", rule, width="wide")
    return Card(row["decision"], BADGES[row["decision"]], f"Best set: {row['title']}", rule, facts, width="wide")


def _rule(row: Row) -> str:
    """Return the reason of the decision; its numbers are a budget, the chance of a positive NPV and its limit."""
    own = chance(row["prob_npv_positive"])
    before, found, after = row["rule"].partition(f"{own} chance")
    reached = labelled(own, "prob_npv_positive", row["strategy"], SHARE) + " chance" if found else ""
    return labelled(before, "budget") + reached + labelled(after, "fund_probability")


def _facts(row: Row, currency: str) -> list[tuple[str, str]]:
    def said(text: str, quantity: str, estimator: str = MEAN) -> str:
        return labelled(text, quantity, row["strategy"], estimator)

    npv = f"{said(number(row['npv']), 'npv')} ± {said(number(row['npv_mc_error']), 'npv_error', ERROR)}"
    invested, payback = row["investment"], row["payback_months"]
    return [
        ("Investment", said(money(invested, currency), "investment") if invested != 0.0 else "none"),
        ("Benefits", said(money(row["benefits"], currency), "benefits")),
        ("Expected NPV", priced(npv, currency)),
        (INTERVAL, priced(said(between(row["low"], row["high"]), "npv_interval", QUANTILES), currency)),
        ("Chance of a positive NPV", chance_of_positive_npv(row)),
        ("Return on investment", "–" if row["roi"] is None else said(share_to(0)(row["roi"]), "roi")),
        ("Median payback", "beyond the horizon" if payback is None else said(months(payback), "payback", "median")),
        *_after_horizon(row, currency),
        *_model_check(row),
    ]


def _after_horizon(row: Row, currency: str) -> list[tuple[str, str]]:
    """Return what customers are worth who are retained after the horizon, and whether the figures above have it."""
    if row.get("after_horizon") is None:
        return []
    where = {"included": "in NPV", "excluded": "not in NPV"}[row["after_horizon_rule"]]
    amount = labelled(money(row["after_horizon"], currency), "after_horizon", row["strategy"], MEAN)
    return [(f"After the horizon ({where})", amount)]


def _what_would_change(row: Row, currency: str) -> str:
    """Return the one assumption that would change the decision most easily, or that none does."""
    if row["changer_break_even"] is None:
        other = "negative" if row["npv"] > 0.0 else "positive"
        return f"No single assumption within its plausible range makes NPV {other}."
    unit, low, limit = row["changer_unit"], row["changer_low"], row["changer_break_even"]

    def said(text: str, quantity: str, estimator: str = "given") -> str:
        return labelled(text, quantity, row["strategy"], estimator)

    spread = "" if low is None else said(span(low, row["changer_high"], unit, currency=currency), "assumption_range")
    ends, turns, side = spread and f" (plausible 90{NBSP}% range: {spread})", "NPV breaks even", "at"
    if row["base_npv"] is not None:
        # The sensitivities start from the base case, whose NPV may have another sign than the expected one.
        sign = "negative" if row["base_npv"] > 0.0 else "positive"
        npv, error = said(number(row["base_npv"]), "npv", CENTRAL), row.get("base_npv_mc_error")
        around = "" if error is None else f" ± {said(number(error), 'npv_error', _CENTRAL_ERROR)}"
        unclear = " (no clear sign)" if abs(row["base_npv"]) <= BEYOND * (error or 0.0) else ""
        turns = f"the base-case NPV, {priced(f'{npv}{around}', currency)}{unclear}, turns {sign}"
        side = "below" if limit < row["changer_value"] else "above"
    at = said(in_unit(found(limit, 4), unit, currency), "assumption", "break-even")
    return (
        f"Assumption nearest to its break-even: {said(lowered(first_sentence(row['changer'])), 'assumption')}. "
        f"Central value: {said(in_unit(row['changer_value'], unit, currency), 'assumption')}{ends}; {turns} {side} "
        f"about {at}, all else at central values. That is "
        f"{said(plausible(row['changer_score']), 'break_even_chance', 'prior')}."
    )


def _pays_from(row: Row) -> str:
    """Return from which size of the shop on fixed costs are earned back."""
    needed, orders = row["orders_to_pay"], row["orders_per_year"]
    if needed is None:
        costly = "expected costs that grow with orders exceed expected benefits"
        why = costly if row["benefits"] > 0.0 else "expected benefits are negative"
        return f"Expected NPV is negative at any number of orders: {why}."
    if needed == 0.0:
        return "It has no fixed cost, so its expected NPV is positive at any number of orders."
    size, least = figure(found(orders)), figure(found(needed))
    baseline = labelled(size, "orders_per_year", "", MEAN)
    if least == size:
        return f"Expected NPV breaks even at about the {baseline} orders a year of the baseline."
    return (
        f"Expected NPV breaks even at {labelled(least, 'orders_to_pay', row['strategy'], MEAN)} orders a year; the "
        f"baseline has {baseline}{_near(row['npv'], row['npv_mc_error'])}."
    )


def _near(difference: float, error: float) -> str:
    """Return that a difference is not clear, where it is within its simulation error."""
    return " (no clear difference)" if abs(difference) <= BEYOND * error else ""


def _added(row: Row, currency: str) -> str:
    """Return what it changes to fund a strategy beside the best set, where that was simulated."""
    if row.get("added_npv") is None:
        return ""
    amount, error = row["added_npv"], row["added_npv_mc_error"]
    around = labelled(number(error), "added_npv_error", row["strategy"], ERROR)
    change = priced(f"{labelled(number(amount), 'added_npv', row['strategy'], MEAN)} ± {around}", currency)
    return f"Added to the best set, {row['added_to']}, it changes expected NPV by {change}{_near(amount, error)}."


def _ceiling(row: Row, currency: str) -> str:
    if row["ceiling"] is None:
        return ""
    avoided = labelled(percent(1.0 - Unit.RATIO.low), "incidents_avoided", row["strategy"])
    npv = labelled(money(row["ceiling"], currency), "npv", row["strategy"], "ceiling")
    return f"Ceiling: if {avoided} of all incidents were avoided at no cost, NPV would be {npv}."


def _aid(arm: Row, sets: Sequence[Row], currency: str) -> str:
    draws, *fewer = (labelled(figure(row["draws"]), "draws") for row in (arm, *sets[:1]))
    of_sets = f" (sets: {fewer[0]})" if fewer and fewer[0] != draws else ""
    models, limit = arm["models"], labelled(percent(arm["fund_probability"]), "fund_probability")
    each = labelled(counted(arm["draws"] // models), "draws_per_model")
    of_models = f": {each} sets of values, each under all {counted(models)} dropout models" if models > 1 else ""
    return (
        f"Each programme is compared with a no-programme baseline on the same simulated customers, in {draws} "
        f"draws of all uncertain inputs and model parameters{of_models}{of_sets}. Amounts are expected present "
        f"values in {currency} unless stated otherwise. Investment: all that the programme spends over the "
        "horizon, including rewards, discounts and outstanding points. Benefits: NPV plus investment. Return on "
        "investment: NPV over investment. The interval contains nine draws in ten. ±: one simulation error "
        "(standard error of the simulation); clearly: by more than two; pp: percentage points. Chances of a "
        "positive NPV are rounded down. Payback is not discounted. Rule: fund if expected NPV is clearly positive "
        f"and the chance of a positive NPV is clearly at least {limit}; do not fund if expected NPV is clearly "
        "negative and no test is worth running; otherwise pilot."
    )


def _kpis_finding(kpis: pl.DataFrame) -> str:
    orders = kpis.filter(kpi=_LEADING)
    clear = orders.filter((pl.col("low") > 0.0) | (pl.col("high") < 0.0))
    changes = clear.select("title", change=100.0 * pl.col("difference") / pl.col("baseline"))
    if changes.is_empty():
        return "For no programme does the interval of the change in orders per customer exclude zero"
    ranked = changes.sort(pl.col("change").abs(), descending=True, maintain_order=True).rows()
    named = [f"{figure(change, '+.1f')}{NBSP}% with {title}" for title, change in ranked[:_NAMED]]
    more = f", and with {counted(len(ranked) - _NAMED)} more" if len(ranked) > _NAMED else ""
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
        "baseline": Column("No programme", _written("baseline")),
        "treated": Column("With the programme", _written("treated")),
        "difference": Column("Difference", _written("difference")),
        "interval": Column(f"{INTERVAL.capitalize()} of it", _interval),
        "words": Column(
            "Assessment", lambda row: compared(row["low"], row["high"], _BETTER[row["direction"]]), align="text"
        ),
    },
    notes=(
        "Simulated, not measured: these figures explain where the cash comes from and are not targets.",
        "pp: percentage points. Higher or lower: the interval of the difference excludes zero.",
        "Ratios are of sums over all customers and months, so customers who order often weigh more.",
    ),
    empty="There are no figures to compare: no strategy here has a measured or assumed effect.",
)


def _base_sentence(row: Row, currency: str) -> str:
    def said(amount: float, quantity: str, estimator: str) -> str:
        return labelled(number(amount), quantity, row["strategy"], estimator)

    error = said(row["mc_error"], "npv_error", _CENTRAL_ERROR)
    npv = priced(f"{said(row['npv'], 'npv', CENTRAL)} ± {error}", currency)
    mean = priced(said(row["mean"], "npv", MEAN), currency)
    near = _near(row["mean"] - row["npv"], math.hypot(row["mc_error"], row["mean_mc_error"]))
    return f"{row['title']}: NPV of {npv} in the base case, against an expected NPV of {mean}{near}."


def _summary_rows(summary: pl.DataFrame) -> Sequence[Row]:
    """Return one row per strategy and line, with one column per period."""

    def amount(row: Row) -> str:
        quantity = _TOTALS.get(row["section"]) or re.sub("[^a-z]+", "-", row["label"].lower())
        when = "" if row["period"] == WHOLE_HORIZON else f"-{row['period'].replace(' ', '-').lower()}"
        return labelled(number(row["amount"]), quantity, row["strategy"], f"{MEAN}{when}")

    lines = ["strategy", "title", "section", "label"]
    texts = with_texts(summary, {"amount": amount}).pivot("period", index=lines, values="amount")
    return texts.rename({"title": "name"}).rows(named=True)


def _summary_finding(summary: pl.DataFrame) -> str:
    """Return which share of the investment comes back as benefits."""
    whole = summary.filter(period=WHOLE_HORIZON)
    benefits, spent = (
        whole.filter(section=section)["strategy", "title", "amount"].rows()
        for section in ("benefits total", "investment total")
    )
    parts = [
        f"{labelled(figure_against(gross / invested, 1.0, 2), 'benefits_per_investment', name, MEAN)} for {title}"
        for (name, title, gross), (_, _, invested) in zip(benefits, spent, strict=True)
        if invested > 0.0
    ]
    return f"Benefits per unit of investment: {joined(parts)}" if parts else "No programme needs an investment"


def _qualities_notes(qualities: pl.DataFrame, decision: pl.DataFrame, currency: str) -> list[str]:
    known = {row["strategy"]: row for row in decision.iter_rows(named=True)}
    notes = [
        "Amounts have three significant digits, so sums may differ in the last one.",
        "Risk-adjusted NPV: benefits cut and costs raised, by the shop's own rule.",
        "Peak funding need: the lowest cumulative cash at a month's end, not discounted.",
        f"After the horizon: value of retained customers in up to {counted(YEARS_AFTER)} further years.",
    ]
    for row in qualities.iter_rows(named=True):
        name, one = row["strategy"], known[row["strategy"]]
        interval = priced(labelled(between(one["low"], one["high"]), "npv_interval", name, QUANTILES), currency)
        points = one["investment"] - row["sunk"] - row["avoidable"]
        amounts = row | one | {"owed": points}
        parts = [part for part in ("sunk", "avoidable", "owed", *_RISKS) if amounts.get(part) is not None]
        said = {part: labelled(money(amounts[part], currency), part, name, MEAN) for part in parts}
        risks = "".join(f"{words} {said[part]}; " for part, words in _RISKS.items() if part in said)
        owed = f"; {said['owed']} is owed for outstanding points" if points > 0.005 else ""
        missing = joined([lowered(words) for words in row["unquantified"].split("; ") if words]) or "none"
        notes.append(
            f"{row['title']}. Risk: NPV {interval} ({INTERVAL}); {risks}"
            f"{labelled(lowered(first_sentence(row['harms'])), 'risk', name)}. Benefits not quantified: {missing}. "
            f"Flexibility: {said['sunk']} is spent up front; {said['avoidable']} is spent only while the programme "
            f"runs{owed}." + "".join(f" {words}: {amount}." for words, amount in _after_horizon(one, currency))
        )
    return notes


_RISKS = {"risk_adjusted_npv": "risk-adjusted NPV", "peak_funding": "peak funding need"}
_TOTALS = {"benefits total": "benefits", "investment total": "investment", "npv": "npv"}
_SUMMARY = TableSpec(
    id="summary",
    contract=SUMMARY,
    title=_summary_finding,
    subtitle="Present values, {currency}, against the baseline; above the adjustment: base case; elsewhere: expected",
    columns={},
    rows=_summary_rows,
    group="name",
    line=lambda row: capitalised(row["label"]),
    bold=lambda row: row["section"] in ("benefits total", "investment total", "npv"),
)


_VERDICTS = {
    "fund": ("Fund", "and", ""),
    "pilot": ("Pilot", "and", " first"),
    "reject": ("Do not fund", "or", ""),
}


def lead(verdicts: Sequence[tuple[str, str]], searched: Sequence[str] = ()) -> str:
    """Return the sentence that a reader in a hurry takes away."""
    parts = []
    for decision, (before, last, after) in _VERDICTS.items():
        if titles := [title for title, other in verdicts if other == decision]:
            parts.append(f"{before} {joined(titles, last)}{after}.")
    if searched:
        parts.append(f"No evidence on {joined(searched)}: only what each would need is known.")
    return " ".join(parts)
