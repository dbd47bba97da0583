"""What strategies bring, and by which models: returns, draws and the models' own check in; figures and tables out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from cxsim.reporting.business.decision import MODEL_CHECK
from cxsim.reporting.tables import (
    BADGES,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    capitalised,
    headed,
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
    rounded_together,
    strategy_colour,
    subject,
    tooltips,
    with_texts,
)
from cxsim.study.business.evidence import BACKTEST, QUARTER_DAYS, Evidence
from cxsim.tables import REAL, STRUCTURES, TEXT, Contract, check
from cxsim.wording import INTERVAL, MODELS, NBSP, counted, figure, in_html, in_words, joined, number, percent

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
    """Draw the net present value of each strategy under each model of leaving, with its interval.

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
        f"Net present value over doing nothing, {currency}, under each model of leaving by itself. Point: mean of all "
        f"draws; line: {INTERVAL}; upright stroke: zero."
    )
    names = names_of(means)
    heads = pl.DataFrame({"_name": names, "_row": [f"{name}{_BREAK}" for name in names]})
    rows = [row for name in names for row in (f"{name}{_BREAK}", *means.filter(name=name)["_row"])]
    axis = alt.Axis(title=None, labelExpr=f"split(datum.label, '{_BREAK}')[1]", labelColor=QUIET)
    y = alt.Y("_row:N", sort=rows, axis=axis, scale=alt.Scale(domain=rows, paddingInner=0, paddingOuter=0))
    head = alt.Chart(heads).mark_text(align="left", dy=4, fontWeight="bold", limit=WIDTH)
    tips = {"name:N": "Strategy", "model:N": "Model of leaving", "value:N": _MEAN}
    layers = alt.layer(
        head.encode(y=y, x=alt.value(0), text="_name:N"),
        *_intervals(means, y, currency, tips, tick=_STRUCTURE_BAND - 4, point=90),
    )
    alt_text = read_out(means, "{name}, {model}: {value}.")
    finding = _structures_signs(means)
    return framed(layers, finding=finding, shown=shown, alt_text=alt_text, height=_STRUCTURE_BAND * len(rows))


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
    gains = draws.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).mean(), draws=pl.len())
    shown = (
        f"Net present value over doing nothing, {currency}, in {figure(gains['draws'][0])} draws of all that is "
        "uncertain. Full bars: a gain; pale bars: a loss."
    )
    return framed(_histograms(rounded(_bars(draws)), names_of(draws), currency), finding=_chances(gains), shown=shown)


def structures_table(structures: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the net present value of each strategy under each model of leaving by itself.

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
    used = f"Only one model of leaving was used here, {MODELS.get(models[0], models[0])}. " if models else ""
    return remark(
        f"{used}Other models take other customers for gone, and a decision may depend on that. Whoever writes the "
        "scenario can ask for three of them (dropout: all), each of which is then shown beside the others."
    )


def evidence_box(evidence: Evidence) -> Prose:
    """Say how the models fit this shop's own orders and forecast those of its past, and whether to rely on them.

    Parameters
    ----------
    evidence
        As in a business case: the verdict and its ground, and the tables under `BACKTEST` and `MODEL_FINDINGS`.

    Returns
    -------
    Prose
        The verdict with what was found of stop and caution.
    """
    title = f"Model check: {MODEL_CHECK[evidence.verdict]}. {capitalised(evidence.finding)}"
    grave = evidence.findings.filter(pl.col("severity") != "note").select("severity", "about", "sentence", "advice")
    found = [
        f"{severity.capitalize()}, {about}: {sentence} {advice}" for severity, about, sentence, advice in grave.rows()
    ]
    items = "".join(f"<li>{in_html(one)}</li>" for one in found)
    markup = (
        f'<section class="cx-evidence" data-verdict="{evidence.verdict}"><style>{_EVIDENCE_SHEET}</style>'
        f"<h3>{in_html(title)}</h3><p>{in_html(evidence.sentence)}</p>{f'<ul>{items}</ul>' if items else ''}"
        f"<p>{in_html(_NO_INTERVAL)}</p></section>"
    )
    twin = machine_readable("model-findings", "What the orders cannot say of the models", evidence.findings)
    return Prose(markup=markup, text="\n".join([f"{title}.", evidence.sentence, *found, _NO_INTERVAL]), twin=twin)


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
    means = table.select(pl.col("^structure$"), name="title", **ends)
    texts = {"value": lambda row: in_words(row["mean"], row["low"], row["high"], currency=currency)}
    return rounded(with_texts(means, texts))


def _differing(table: pl.DataFrame, by: Sequence[str], between: pl.Expr) -> list[str]:
    """Return the names of those between whose rows something differs."""
    return table.group_by(by, maintain_order=True).agg(n=between.n_unique()).filter(pl.col("n") > 1)[by[-1]].to_list()


def _structures_signs(means: pl.DataFrame) -> str:
    both = _differing(means, ["name"], pl.col("mean") > 0.0)
    if not both:
        return "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    names = joined(both) if len(both) <= _NAMED_BY_MODEL else f"{counted(len(both))} of {means['name'].n_unique()}"
    return f"On average a gain or a loss, depending on the model of leaving: {names}"


def _intervals(
    means: pl.DataFrame, y: alt.Y, currency: str, tips: Mapping[str, str], *, tick: int, point: int, **offset: Any
) -> tuple[alt.Chart, ...]:
    """Return a tick at zero, and a line for the interval and a point for the mean of each row."""
    axis = money_axis(f"Net present value, {currency}", largest=largest(means, ("low", "high")), grid="none")
    drawn = alt.Chart(means).encode(y=y, color=strategy_colour(names_of(means)), tooltip=tooltips(tips))
    zero = alt.Chart(means).mark_tick(color=INK, thickness=1, size=tick, opacity=1, **offset)
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round", **offset)
    dot = drawn.mark_point(filled=True, size=point, opacity=1, **offset)
    return (
        zero.encode(y=y, x=alt.datum(0)),
        line.encode(x=alt.X("low:Q", axis=axis), x2="high:Q"),
        dot.encode(x=alt.X("mean:Q", axis=axis)),
    )


def _chances(gains: pl.DataFrame) -> str:
    few = gains.height <= _NAMED
    rows = gains.rows() if few else least_and_most(gains, "gain")
    chances = [f"{name} {percent(gain)}" for name, gain, _ in rows]
    return f"Chance of a gain: {joined(chances) if few else 'from {} to {}'.format(*chances)}"


def _histograms(bars: pl.DataFrame, names: list[str], currency: str) -> Figure:
    axis = money_axis(f"Net present value, {currency}", largest=largest(bars, ("start", "end")), grid="none")
    tips = {
        "name:N": "Strategy",
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


_ENDS = ["incremental_npv", "npv_low", "npv_high"]


def _structures_finding(structures: pl.DataFrame) -> str:
    depends = _differing(structures, ["strategy", "title"], pl.col("decision"))
    if not depends:
        return "No decision depends on the model of leaving"
    if len(depends) <= _NAMED_BY_MODEL:
        decisions = f"The decision{'s' if len(depends) > 1 else ''} on"
        return f"{decisions} {subject(depends, 'depends', 'depend')} on the model of leaving"
    of = counted(structures["strategy"].n_unique())
    return f"{counted(len(depends)).capitalize()} of {of} decisions depend on the model of leaving"


def _by_model(structures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of each strategy, rounded together, and below them the largest difference of their means."""
    rows = []
    for part in structures.partition_by("strategy", maintain_order=True):
        together, means = rounded_together(part, _ENDS), part["incremental_npv"]
        for row in part.rows(named=True):
            npv, *interval = (row[name] for name in _ENDS)
            chance = percent(row["prob_npv_positive"])
            rows.append(row | {"npv": together.text(npv), "interval": together.span(*interval), "chance": chance})
        verdict = "depends on the model" if part["decision"].n_unique() > 1 else "the same"
        last = {"title": part["title"][0], "structure": "Largest difference", "decision": verdict}
        rows.append({"interval": "", "chance": "", **last, "npv": number(max(means) - min(means))})
    return rows


_STRUCTURES = TableSpec(
    id="structures",
    title=_structures_finding,
    subtitle="Against doing nothing, in today's {currency}, under each model by itself",
    rows=_by_model,
    group="title",
    line=lambda row: MODELS.get(row["structure"], row["structure"]),
    columns={
        "decision": Column("Decision", write=lambda decision: BADGES.get(decision, decision), align="text"),
        **headed({"npv": "Net present value, {currency}", "interval": INTERVAL, "chance": "Chance of a gain"}),
    },
    notes=(
        (
            "What differs: in BG/NBD a customer can leave only after a repeat order, so that whoever ordered once "
            "still counts as a customer; in MBG/NBD a customer may leave after the first order too; in Pareto/NBD "
            "customers leave as time passes, whether they order or not."
        ),
        (
            "Nobody can observe who has left, so no order log says for certain which of them is right. In all other "
            "sections each counts the same."
        ),
    ),
)


_NO_INTERVAL = (
    "The intervals of the results hold what is not known of the parameters of a model, and of the choice among the "
    "models that were used. They cannot hold that none of these fits; that is what this check is for."
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
_SPANS = {"quarter": "Quarter by quarter", "whole": "All of them in one forecast"}


def _held(backtest: pl.DataFrame) -> str:
    held = backtest.filter(result="held").height
    return f"{figure(held)} of {figure(backtest.height)} forecasts of this shop's own past held what came"


def _off(name: str) -> Column:
    """Return the column of an error, with its sign."""
    heads = {"error": "Expected too many (+) or too few", "revenue_error": "The same of revenue"}
    return Column(heads[name], write=lambda error: f"{figure(100.0 * error, '+.0f')}{NBSP}%")


def _ends(row: Row) -> str:
    return f"{figure(row['low'])} to {figure(row['high'])}"


_BACKTEST = TableSpec(
    id="backtest",
    contract=BACKTEST,
    title=_held,
    subtitle="Repeat orders of the customers known by a day, as a model expected them that knew no later order",
    group=lambda row: _SPANS[row["window"]],
    line="model",
    columns={
        "origin": Column("Known up to", write=str, align="text"),
        "until": Column("Forecast up to", write=str, align="text"),
        "expected": Column("Expected", write=figure),
        "interval": Column("Interval", _ends),
        "actual": Column("Came", write=figure),
        "error": _off("error"),
        "result": Column("Result", align="badge"),
        "revenue_error": _off("revenue_error"),
    },
    notes=(
        (
            f"Interval: all of a model's intervals together are a 90{NBSP}% interval if the model is right. Quarters "
            f"have {figure(QUARTER_DAYS)} days."
        ),
        (
            "Held: what came lies in the interval, or is missed by no more than the shop's economics allow "
            "(forecast_caution). Far off: missed by more than forecast_stop."
        ),
        "A model fails where it is far off in at least half of the quarters, or in the forecast of all at once.",
    ),
    fold="folded",
    empty="This shop's orders are too short, so no forecast of its past was possible.",
)
