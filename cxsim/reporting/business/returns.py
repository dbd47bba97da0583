"""NPV of strategies by draw and by model, and the check of the models: tables in; figures, a box and tables out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from cxsim.finance.returns import BEYOND
from cxsim.reporting.business.decision import MODEL_CHECK
from cxsim.reporting.tables import (
    SHARE,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    capitalised,
    interval,
    machine_readable,
    remark,
)
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    distinct,
    either,
    framed,
    in_order,
    largest,
    least_and_most,
    money_axis,
    named,
    names_of,
    read_out,
    rounded,
    strategy_colour,
    subject,
    tooltips,
    with_texts,
)
from cxsim.study.business.evidence import BACKTEST, QUARTER_DAYS, Evidence
from cxsim.tables import REAL, STRUCTURES, TEXT, Contract, check
from cxsim.wording import (
    BADGES,
    INTERVAL,
    MODELS,
    NBSP,
    chance,
    counted,
    figure,
    in_html,
    in_words,
    joined,
    labelled,
    unlabelled,
)

NPV = Contract("NPV", TEXT("strategy"), REAL("npv"))
_BAND, _STRUCTURE_BAND = 64, 26
_BINS = 40
_ROW = 84
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
# So many strategies are named one by one in a title; of more, their number is.
_NAMED = 4
_NAMED_BY_MODEL = 3
# A row is named after its strategy and its model, of which the axis shows the model; the strategy heads its rows.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_MEAN = f"Mean ({INTERVAL})"


def npv_by_structure(structures: pl.DataFrame, currency: str) -> Figure | Prose:
    """Draw the net present value of each strategy under each dropout model, with its interval.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`; strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart or Prose
        One point and one line for the 90 % interval per strategy and model, and a tick at zero; one sentence where
        there is one model only.
    """
    if check(structures, STRUCTURES)["structure"].n_unique() < 2:
        return remark("One dropout model is used here, so there is no comparison of models.")
    models = structures.with_columns(pl.col("structure").replace(MODELS))
    means = in_order(_means(models, currency).rename({"structure": "model"}), "name").with_columns(
        _row=pl.format(f"{{}}{_BREAK}{{}}", "name", "model")
    )
    shown = (
        f"NPV against the no-programme baseline, {currency}, under each dropout model alone. Point: mean of its draws; "
        f"line: {INTERVAL}; vertical stroke: zero."
    )
    names = names_of(means)
    heads = pl.DataFrame({"_name": names, "_row": [f"{name}{_BREAK}" for name in names]})
    rows = [row for name in names for row in (f"{name}{_BREAK}", *means.filter(name=name)["_row"])]
    axis = alt.Axis(title=None, labelExpr=f"split(datum.label, '{_BREAK}')[1]", labelColor=QUIET)
    y = alt.Y("_row:N", sort=rows, axis=axis, scale=alt.Scale(domain=rows, paddingInner=0, paddingOuter=0))
    head = alt.Chart(heads).mark_text(align="left", dy=4, fontWeight="bold", limit=WIDTH)
    tips = {"name:N": "Programme", "model:N": "Dropout model", "value:N": _MEAN}
    layers = alt.layer(
        head.encode(y=y, x=alt.value(0), text="_name:N"),
        *_intervals(means, y, currency, tips, tick=_STRUCTURE_BAND - 4, point=90),
    )
    alt_text = read_out(means, "{name}, {model}: {value}.")
    finding = _structures_signs(means)
    height, measures = _STRUCTURE_BAND * len(rows), ("npv", "mean-under-each-model")
    return framed(layers, finding=finding, shown=shown, alt_text=alt_text, height=height, measures=measures)


def npv_distribution(npv: pl.DataFrame, currency: str) -> Figure:
    """Draw how the net present value of each strategy spreads over the draws.

    Parameters
    ----------
    npv
        One row per strategy and draw, with columns `strategy` and `npv`; strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One histogram per strategy on a common axis; no bar crosses zero.
    """
    draws = named(check(npv, NPV))
    chances = draws.group_by("strategy", "name", maintain_order=True).agg(
        chance=(pl.col("npv") > 0.0).mean(), draws=pl.len()
    )
    shown = (
        f"NPV against the no-programme baseline, {currency}, in {labelled(figure(chances['draws'][0]), 'draws')} draws "
        "of all uncertain inputs and model parameters. Full bars: positive; pale bars: negative."
    )
    drawn = _histograms(rounded(_bars(draws)), names_of(draws), currency)
    return framed(drawn, finding=_chances(chances), shown=shown, measures=("npv", SHARE))


def structures_table(structures: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the net present value of each strategy under each dropout model alone.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per strategy and model, and their difference; the title says which decisions depend on the model. One
        sentence where there is one model only.
    """
    models = distinct(check(structures, STRUCTURES), "structure")
    if len(models) > 1:
        return _STRUCTURES.render(structures, currency)
    used = f"Only one dropout model was used here, {MODELS.get(models[0], models[0])}. " if models else ""
    return remark(f"{used}A decision may depend on the model. A scenario with `dropout: all` compares three of them.")


def evidence_box(evidence: Evidence) -> Prose:
    """Say how the models fit this shop's own orders and forecast those of its past, and whether to rely on them.

    Parameters
    ----------
    evidence
        As in a business case: the verdict and its ground, and the tables under `BACKTEST` and `MODEL_FINDINGS`.

    Returns
    -------
    Prose
        The verdict with what was found of stop and caution, and how many inputs are assumed.
    """
    found_first = labelled(capitalised(evidence.finding), "model_check", estimator="backtest")
    title = f"Model check: {MODEL_CHECK[evidence.verdict]}. {found_first}"
    sentence = labelled(evidence.sentence, "model_check", estimator="backtest")
    grave = evidence.findings.filter(pl.col("severity") != "note").select("severity", "about", "sentence", "advice")
    found = [
        f"{severity.capitalize()}, {about}: {labelled(f'{words} {advice}', 'model_check', estimator='fit')}"
        for severity, about, words, advice in grave.rows()
    ]
    items = "".join(f"<li>{in_html(one)}</li>" for one in found)
    limits = f"{_NO_INTERVAL} {labelled(evidence.inputs, 'inputs', estimator='counted')}"
    markup = (
        f'<section class="cx-evidence" data-verdict="{evidence.verdict}"><style>{_EVIDENCE_SHEET}</style>'
        f"<h3>{in_html(title)}</h3><p>{in_html(sentence)}</p>{f'<ul>{items}</ul>' if items else ''}"
        f"<p>{in_html(limits)}</p></section>"
    )
    twin = machine_readable("model-findings", "Findings on the fitted models", evidence.findings)
    return Prose(markup=markup, text=unlabelled("\n".join([f"{title}.", sentence, *found, limits])), twin=twin)


def backtest_table(evidence: Evidence) -> Table | Prose:
    """List how each model forecast the shop's own orders from several days in its past.

    Parameters
    ----------
    evidence
        As in a business case, with a table under `BACKTEST`.

    Returns
    -------
    Table or Prose
        One row per model and forecast; one sentence where the orders are too short for any.
    """
    return _BACKTEST.render_or_remark(evidence.backtest)


def _means(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    ends = {"mean": "incremental_npv", "low": "npv_low", "high": "npv_high"}
    means = table.select(pl.col("^structure$"), name="title", _error="npv_mc_error", **ends)
    texts = {"value": lambda row: in_words(row["mean"], row["low"], row["high"], currency=currency)}
    return rounded(with_texts(means, texts))


def _structures_signs(means: pl.DataFrame) -> str:
    """Return for whom the sign of the expected NPV depends on the model, or is not clear under all or some of them."""
    clear = pl.when(pl.col("mean").abs() > BEYOND * pl.col("_error")).then(pl.col("mean").sign())
    signs = means.group_by("name", maintain_order=True).agg(
        signs=clear.drop_nulls().n_unique(), open=clear.null_count()
    )
    states = {
        "depends on the dropout model": pl.col("signs") == 2,
        "is not clear under any dropout model": pl.col("signs") == 0,
        "is clear only under some dropout models": (pl.col("signs") == 1) & (pl.col("open") > 0),
    }
    parts = []
    for words, state in states.items():
        own = signs.filter(state)["name"].to_list()
        names = joined(own) if len(own) <= _NAMED_BY_MODEL else f"{counted(len(own))} of {signs.height}"
        parts += [f"{words} for {names}"] if own else []
    return f"The sign of the expected NPV {'; it '.join(parts) or 'is clear and the same under every dropout model'}"


def _intervals(
    means: pl.DataFrame, y: alt.Y, currency: str, tips: Mapping[str, str], *, tick: int, point: int, **offset: Any
) -> tuple[alt.Chart, ...]:
    """Return a tick at zero, and a line for the interval and a point for the mean of each row."""
    axis = money_axis(f"NPV, {currency}", largest=largest(means, ("low", "high")), grid="none")
    drawn = alt.Chart(means).encode(y=y, color=strategy_colour(names_of(means)), tooltip=tooltips(tips))
    zero = alt.Chart(means).mark_tick(color=INK, thickness=1, size=tick, opacity=1, **offset)
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round", **offset)
    dot = drawn.mark_point(filled=True, size=point, opacity=1, **offset)
    return (
        zero.encode(y=y, x=alt.datum(0)),
        line.encode(x=alt.X("low:Q", axis=axis), x2="high:Q"),
        dot.encode(x=alt.X("mean:Q", axis=axis)),
    )


def _chances(chances: pl.DataFrame) -> str:
    few = chances.height <= _NAMED
    rows = chances.rows() if few else least_and_most(chances, "chance")
    said = [f"{name} {labelled(chance(one), 'prob_npv_positive', strategy, SHARE)}" for strategy, name, one, _ in rows]
    return f"Chance of a positive NPV: {joined(said) if few else 'from {} to {}'.format(*said)}"


def _histograms(bars: pl.DataFrame, names: list[str], currency: str) -> Figure:
    axis = money_axis(f"NPV, {currency}", largest=largest(bars, ("start", "end")), grid="none")
    tips = {
        "name:N": "Programme",
        "start:Q": f"From, {currency}",
        "end:Q": f"To, {currency}",
        "share:P": "Share of draws",
    }
    drawn = alt.Chart().mark_bar(binSpacing=1).properties(width=WIDTH, height=_ROW)
    drawn = drawn.encode(
        x=alt.X("start:Q", axis=axis, bin="binned"),
        x2="end:Q",
        y=alt.Y("share:Q", title="Share of draws", axis=alt.Axis(labelExpr=_PERCENT, tickCount=3)),
        color=strategy_colour(names),
        opacity=either("datum.start >= 0", 1.0, 0.4),
        tooltip=tooltips(tips),
    )
    zero = alt.Chart().mark_rule(color=INK).encode(x=alt.datum(0))
    header = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4)
    rows = alt.Row("name:N", sort=names, title=None, header=header)
    facets: Figure = alt.layer(drawn, zero, data=bars).facet(row=rows, spacing=14).resolve_scale(y="independent")
    return facets


def _bars(draws: pl.DataFrame) -> pl.DataFrame:
    """Return the share of each strategy's draws in bins of one round width, one of which starts at zero."""
    width = _round_width(float(draws["npv"].max()) - float(draws["npv"].min()))  # type: ignore[arg-type]
    return (
        draws.with_columns(start=(pl.col("npv") / width).floor() * width)
        .group_by("name", "start", maintain_order=True)
        .agg(count=pl.len())
        .with_columns(share=pl.col("count") / pl.col("count").sum().over("name"), end=pl.col("start") + width)
        .sort("start")
        .select("name", "start", "end", "share")
    )


def _round_width(span: float) -> float:
    if span <= 0.0:
        return 1.0
    raw = span / _BINS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= raw)


def _structures_finding(structures: pl.DataFrame) -> str:
    decisions = structures.group_by("strategy", "title", maintain_order=True).agg(n=pl.col("decision").n_unique())
    depends = decisions.filter(pl.col("n") > 1)["title"].to_list()
    if not depends:
        return "No decision depends on the dropout model"
    if len(depends) <= _NAMED_BY_MODEL:
        opening = f"The decision{'s' if len(depends) > 1 else ''} on"
        return f"{opening} {subject(depends, 'depends', 'depend')} on the dropout model"
    of = counted(structures["strategy"].n_unique())
    return f"{counted(len(depends)).capitalize()} of {of} decisions depend on the dropout model"


_STRUCTURES = TableSpec(
    id="structures",
    title=_structures_finding,
    subtitle="Against the no-programme baseline, present values in {currency}, under each model alone",
    group="title",
    line=lambda row: MODELS.get(row["structure"], row["structure"]),
    columns={
        "decision": Column("Decision", write=lambda decision: BADGES.get(decision, decision), align="text"),
        "npv": Column("NPV, {currency}", "incremental_npv", error="npv_mc_error"),
        "npv_interval": Column(INTERVAL, interval("npv_low", "npv_high")),
        "prob_npv_positive": Column("Chance of a positive NPV", write=chance),
    },
    notes=(
        (
            "BG/NBD: a customer can drop out only after a repeat order, so one-time buyers count as alive. MBG/NBD: "
            "also after the first order. Pareto/NBD: at any time. Dropout is never observed, so all three have equal "
            "weight."
        ),
    ),
)


_NO_INTERVAL = (
    "The intervals allow for uncertain model parameters, but not for a model that does not fit; this check tests "
    "the fit."
)
_EVIDENCE_SHEET = (
    ".cx-evidence{max-width:60rem;color:#1f2933;font-size:15px;line-height:1.55;border:1px solid #e4e7eb;"
    "border-left:4px solid #00684a;border-radius:6px;padding:.7rem 1rem;margin:1rem 0;break-inside:avoid}"
    ".cx-evidence[data-verdict=caution]{border-left-color:#b45f06}"
    ".cx-evidence[data-verdict=stop]{border-left-color:#9b1c1c}"
    ".cx-evidence h3{font-size:1.05rem;font-weight:600;line-height:1.5;margin:0;padding:0;border:0}"
    ".cx-evidence p{margin:.4rem 0 0;max-width:46rem}"
    ".cx-evidence ul{margin:.4rem 0 0;padding-left:1.2rem;max-width:46rem}"
)
_RESULTS = {"held": "within", "missed": "outside", "far off": "far off"}
_SPANS = {"quarter": "Quarter by quarter", "whole": "All quarters in one forecast"}


def _held(backtest: pl.DataFrame) -> str:
    inside = backtest.filter(pl.col("actual").is_between("low", "high"))
    near = backtest.filter(result="held").height - inside.height
    more = f", {figure(near)} more within the tolerance" if near else ""
    within, of = figure(inside.height), figure(backtest.height)
    return f"{within} of {of} forecasts of this shop's past were within their interval{more}"


def _off(name: str) -> Column:
    """Return the column of an error, with its sign."""
    heads = {"error": "Forecast error, orders", "revenue_error": "Forecast error, revenue"}
    return Column(heads[name], write=lambda error: f"{figure(100.0 * error, '+.1f')}{NBSP}%")


def _ends(row: Row) -> str:
    return f"{figure(row['low'])} to {figure(row['high'])}"


_BACKTEST = TableSpec(
    id="backtest",
    contract=BACKTEST,
    title=_held,
    subtitle="Repeat orders of customers acquired by a date, forecast from the orders up to that date",
    group=lambda row: _SPANS[row["window"]],
    line="model",
    columns={
        "origin": Column("Known up to", write=str, align="text"),
        "until": Column("Forecast up to", write=str, align="text"),
        "expected": Column("Forecast", write=figure),
        "interval": Column("Interval", _ends),
        "actual": Column("Observed", write=figure),
        "error": _off("error"),
        "result": Column("Result", write=_RESULTS.__getitem__, align="badge"),
        "revenue_error": _off("revenue_error"),
    },
    notes=(
        (
            f"The intervals of a model are jointly a {INTERVAL}. Quarters have {figure(QUARTER_DAYS)} days. "
            "Within: in the interval, or off by no more than the shop's limit for a caution. Far off: by more than "
            "its limit for a failure. A model fails where it is far off in at least half of the quarters, or over all "
            "of them in one forecast."
        ),
    ),
    fold="folded",
    empty="This shop's orders cover too short a time for a forecast of its own past.",
)
