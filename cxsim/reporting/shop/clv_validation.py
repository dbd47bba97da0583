"""How far models can be relied on: what they expected and what came in; figures, tables and a verdict out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

import altair as alt
import polars as pl

from cxsim.reporting.shop.clv_fit import (
    CLOSE,
    by_frequency,
    cumulative_orders,
    days_after,
    frequencies_in_words,
    frequency_axis,
    missed_by,
    thinned,
)
from cxsim.reporting.tables import Column, Prose, Table, TableSpec
from cxsim.reporting.theme import (
    ABOVE,
    INK,
    QUIET,
    STRATEGIES,
    TOP_LEFT,
    Figure,
    coloured,
    detailed,
    distinct,
    ends,
    framed,
    listed,
    marked_day,
    model_colours,
    point_and_interval,
    rounded,
)
from cxsim.tables import COUNT, DAY, NUMBER, REAL, TEXT, Contract, check
from cxsim.wording import INTERVAL, MISSING, NBSP, counted, day_in_words, figure, in_html, joined, percent

ENDS = REAL("low", "high")
HOLDOUT = Contract("HOLDOUT", TEXT("frequency"), COUNT("customers"), REAL("observed"), ENDS, REAL("expected"))
CALIBRATION = Contract("CALIBRATION", TEXT("model"), HOLDOUT.columns)
FORECASTS = Contract("FORECASTS", TEXT("model"), DAY("day"), NUMBER("observed"), REAL("expected"), ENDS, nullable=ENDS)
BIASES = Contract("BIASES", TEXT("model"), REAL("bias"), ENDS, nullable=ENDS)
ALIVE = Contract("ALIVE", TEXT("model", "group"), REAL("alive"), ENDS)
FINDINGS = Contract("FINDINGS", TEXT("about", "severity", "sentence", "advice"))

_POINTS = 30
_BAND = 44
_DASHES: dict[str, Any] = {"strokeWidth": 2.5, "strokeDash": [7, 4]}
_AFTER = "Holdout orders per customer"
_SIGNED_LABELS = "(datum.value == 0 ? '0' : format(100 * datum.value, '+~g')) + ' %'"
SHARE_LABELS = "format(100 * datum.value, '~g') + ' %'"
_INSIDE = pl.col("expected").is_between("low", "high")
_SHEET = (
    ".cx-verdict{max-width:46rem;color:#1f2933;font-size:15px;line-height:1.55}"
    ".cx-verdict p{font-weight:600;margin:.4rem 0 .6rem}"
    ".cx-verdict ul{margin:.2rem 0 1rem;padding-left:1.2rem}"
    ".cx-verdict li{margin:.25rem 0}"
)


def holdout_by_frequency(holdout: pl.DataFrame) -> Figure:
    """Draw orders after the fit by how often a customer had come back before.

    Parameters
    ----------
    holdout
        One row per class, ascending: `frequency` as its label ("0", "1", ... "7+"), `customers`, mean orders per
        customer after the fit `observed` with its 90 % interval `low` and `high`, and `expected`.

    Returns
    -------
    alt.LayerChart
        Points with intervals for what was observed, a dashed line for what the model expects.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(holdout, HOLDOUT))
    hit = table.filter(_INSIDE).height
    drawn = by_frequency(table, "orders per customer", ",.3~r")
    return framed(
        _beside_observed(drawn.mark_line(color=STRATEGIES[0], **_DASHES), drawn),
        finding=f"The forecast is within the observed interval in {hit} of {table.height} customer classes",
        shown=(
            f"Mean holdout orders per customer, by repeat orders in the calibration period. Point and line: observed "
            f"mean with its {INTERVAL}. Blue dashes: forecast."
        ),
        alt_text=frequencies_in_words(table, "orders per customer"),
    )


def calibration(classes: pl.DataFrame) -> Figure:
    """Draw orders after the fit by how often a customer had come back before, beside what several models expected.

    Parameters
    ----------
    classes
        One row per model and class, the classes ascending: `model` as readers know it, `frequency` as its label
        ("0", "1", ... "7+"), `customers`, mean orders per customer after the fit `observed` with the 90 % interval
        `low` to `high` of that mean, and `expected`.

    Returns
    -------
    alt.LayerChart
        Points with intervals for what was observed, one dashed line per model.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(classes, CALIBRATION))
    models = distinct(table, "model")
    repeat = {"frequency:O": "Repeat orders"}
    drawn = detailed(
        {"model:N": "Model", **repeat, "expected:Q ,.3~r": "Expected orders per customer"},
        table,
        [frequency_axis(table)],
    )
    first = table.filter(model=models[0])
    came = detailed(
        repeat
        | {"customers:Q ,d": "Customers", "observed:Q ,.3~r": "Observed orders per customer"}
        | ends(INTERVAL, ",.3~r"),
        first,
        [frequency_axis(first)],
    )
    lines = drawn.mark_line(**_DASHES).encode(color=coloured("model:N", models, model_colours(models), TOP_LEFT))
    return framed(
        _beside_observed(lines, came),
        finding=_calibration_finding(table, models),
        shown=(
            "Mean holdout orders per customer, by repeat orders in the calibration period. Point and line: observed "
            f"mean with its {INTERVAL}. Dashes: forecast of each model."
        ),
        alt_text=_calibration_text(table),
    )


def forecasts(orders: pl.DataFrame, calibration_end: date) -> Figure:
    """Draw cumulative repeat orders, as observed and as several models expected them at the end of their fit.

    Parameters
    ----------
    orders
        One row per model and day, ascending within a model: `model` as readers know it, `day`, and the repeat orders
        since the first day, `observed` and `expected`. After the end of the fit, `expected` is what was observed by
        then and what the model expected from there, with the interval `low` to `high`; before, these two are null.
    calibration_end
        Last day that the models were fitted to; later days test them.

    Returns
    -------
    alt.LayerChart
        One line per model with a band for the 90 % interval, the observed line, and a rule at the end of the fit.

    Raises
    ------
    TableError
        If a column is missing, or no day lies before or after the end of the fit.
    """
    days_after(orders, calibration_end, FORECASTS)
    gaps = _gaps(orders, calibration_end)
    totals = listed(
        gaps.select("model", "expected", *ENDS),
        lambda model, expected, low, high: f"{model} {figure(expected)} ({figure(low)} to {figure(high)})",
    )
    kept = rounded(
        thinned(
            orders,
            ["model", pl.col("day") <= calibration_end],
            lambda size: (size + _POINTS - 1) // _POINTS,
        )
    )
    return framed(
        alt.layer(
            *marked_day(calibration_end, "end of calibration", align="right"),
            *_curves(kept),
        ),
        finding=_forecasts_finding(gaps),
        shown=(
            f"Cumulative repeat orders since {day_in_words(orders['day'][0])}. The models are fitted only to orders up "
            f"to {day_in_words(calibration_end)}. Band: {INTERVAL} of each forecast."
        ),
        alt_text=f"Forecast for the holdout period: {totals.removesuffix('.')}",
    )


def forecast_bias(biases: pl.DataFrame) -> Figure:
    """Draw by how much each model, and each rule of thumb, missed the orders that came after its fit.

    Parameters
    ----------
    biases
        One row per model, in the order in which they are shown: `model` as readers know it, `bias` of the total as a
        share of what came (-0.1: ten per cent too few), and its 90 % interval `low` to `high`; null for a rule of
        thumb, which gives none.

    Returns
    -------
    alt.LayerChart
        One point and one line for the interval per model, and a rule at zero.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(biases, BIASES))
    drawn = _by_names(
        table,
        "model",
        {"model:N": "Model", "bias:Q +.1%": "Forecast error", **ends(INTERVAL, "+.1%")},
    )
    axis = {"labelExpr": _SIGNED_LABELS, "tickCount": 6, "title": "Forecast error, share of observed orders"}
    low, bias = (alt.X(f"{name}:Q", axis=axis) for name in ("low", "bias"))
    line, dots = point_and_interval(drawn, low, bias, INK, size=90)
    best = table.sort(pl.col("bias").abs(), maintain_order=True).row(0, named=True)
    return framed(
        alt.layer(
            alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x="zero:Q"),
            line.transform_filter("isValid(datum.low)"),
            dots,
        ),
        finding=f"{best['model']} has the smallest forecast error: {_signed(best['bias'])}",
        shown=(
            f"Forecast over observed holdout orders, less one. Line: {INTERVAL} of the forecast; rules of thumb have "
            "none. Zero: no error."
        ),
        alt_text=listed(
            table.select("model", "bias", *ENDS),
            lambda model, bias, low, high: (
                f"{model} {_signed(bias)}" + ("" if low is None else f" ({_signed(low)} to {_signed(high)})")
            ),
        ),
        height=_BAND * table.height,
    )


def alive_by_model(alive: pl.DataFrame) -> Figure:
    """Draw which share of one-time buyers and of repeat buyers each model takes for still being customers.

    Parameters
    ----------
    alive
        One row per group and model: `model` as readers know it, `group` of customers in words, the share `alive` that
        the model expects of it, and the 90 % interval `low` to `high` of that share by its parameters.

    Returns
    -------
    alt.LayerChart
        One point with its interval per group and model.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(alive, ALIVE))
    models, title = distinct(table, "model"), "Still active"
    drawn = _by_names(
        table,
        "group",
        {"group:N": "Customers", "model:N": "Model", "alive:Q .1%": title, **ends(INTERVAL, ".1%")},
    ).encode(
        yOffset=alt.YOffset("model:N", sort=models),
        color=coloured("model:N", models, model_colours(models), ABOVE),
    )
    share = alt.X("alive:Q", title=title, axis={"labelExpr": SHARE_LABELS}, scale={"domain": [0.0, 1.0]})
    return framed(
        alt.layer(*point_and_interval(drawn, alt.X("low:Q", title=title), share, size=90)),
        finding=_disagreement(table),
        shown=(
            "Share of each customer group that each model expects to be still active. "
            f"Line: {INTERVAL} from parameter uncertainty. Dropout cannot be observed."
        ),
        alt_text=listed(
            table.select("group", "model", "alive"), lambda group, model, share: f"{group}, {model}: {percent(share)}"
        ),
        height=table["group"].n_unique() * max(60, 26 * len(models)),
    )


def model_table(scores: pl.DataFrame) -> Table:
    """Lay out how well models describe the fitted period and how well they forecast the one after it.

    Parameters
    ----------
    scores
        One row per model: `model` as readers know it; in the fitted period `log_likelihood`, `aic_gap` to the best
        and `weight` by AIC (0 to 1); afterwards `orders_bias` of the total as a share of what came, `mae` and `rmse` of
        orders per customer, mean `log_score`, shares of customers inside their intervals `coverage_80` and
        `coverage_95`, normalised `gini` and `top_decile_capture` of value. Null where a figure does not exist, such
        as a likelihood of a rule of thumb; a column without any number is left out.

    Returns
    -------
    Table
        One row per model.
    """
    table = check(scores, SCORES).select(list(SCORES.columns))
    return replace(
        _MODELS, columns={name: column for name, column in _SCORES.items() if table[name].null_count() < table.height}
    ).render(table)


def findings_table(findings: pl.DataFrame, of: Literal["fits", "orders"] = "fits") -> Table:
    """Lay out what an examination of the fits, or of the orders, found, the gravest first, with what to do about it.

    Parameters
    ----------
    findings
        `about` (a model, or the orders), `severity` (stop, caution or note), `sentence` with its figure, and `advice`;
        in the order in which they are shown.
    of
        What was examined.

    Returns
    -------
    Table
        One row per finding; without any, one row that says so.
    """
    spec = {"fits": _FINDINGS, "orders": replace(_FINDINGS, id="orders-findings", title=_of_orders, subtitle=_READ)}
    return spec[of].render(findings)


def verdict(sentence: str, findings: Sequence[str]) -> Prose:
    """Say which model to use and what the comparison has to be read with.

    Parameters
    ----------
    sentence
        What the comparison says.
    findings
        What else was found, a sentence each.

    Returns
    -------
    Prose
        A paragraph and a list.
    """
    items = "".join(f"<li>{in_html(found)}</li>" for found in findings)
    listed = f"<ul>{items}</ul>" if items else ""
    markup = f'<section class="cx-verdict"><style>{_SHEET}</style><p>{in_html(sentence)}</p>{listed}</section>'
    return Prose(markup=markup, text="\n".join([sentence, *findings]))


def _score(spec: str) -> Callable[[float], str]:
    """Return how a score is written: by a format of Python's, or with a sign of per cent behind one."""
    if spec.endswith("%"):
        return lambda share: f"{figure(100 * share, f'{spec[:-1]}f')}{NBSP}%"
    return lambda value: "∞" if math.isinf(value) else figure(value, spec)


_signed = _score("+.0%")


_SCORES = {
    name: Column(head, write=_score(spec))
    for name, (head, spec) in {
        "log_likelihood": ("Log-likelihood", ",.1f"),
        "aic_gap": ("AIC difference", ",.1f"),
        "weight": ("AIC weight", ".2f"),
        "orders_bias": ("Forecast error", "+.1%"),
        "mae": ("Mean absolute error", ".3f"),
        "rmse": ("Root mean square error", ".3f"),
        "log_score": ("Log score", ".3f"),
        "coverage_80": (f"Within the 80{NBSP}% interval", ".1%"),
        "coverage_95": (f"Within the 95{NBSP}% interval", ".1%"),
        "gini": ("Ranking by value (Gini)", ".2f"),
        "top_decile_capture": ("Value captured by the top decile", ".1%"),
    }.items()
}
SCORES = Contract("SCORES", TEXT("model"), REAL(*_SCORES), nullable=_SCORES)
_MODELS = TableSpec(
    id="models",
    title="Models and rules of thumb compared",
    subtitle="Fit in the calibration period and forecasts for the later holdout period",
    line="model",
    columns=_SCORES,
    notes=(
        "AIC difference to the best model: below about two, there is no clear difference between two models.",
        (
            "Log score: mean negative logarithm of the probability forecast for the observed orders; lower is better, "
            "and infinite if a model rules out the observed orders."
        ),
        "Gini: 1 for a perfect ranking of customers by realised value, 0 for a random ranking.",
    ),
)


_READ = "Data issues to know before using the numbers"


def _of_orders(table: pl.DataFrame) -> str:
    cautions = table.filter(severity="caution").height
    if table.is_empty():
        return "No issues found in the orders"
    if cautions == 0:
        return "No issue found in the orders affects a number"
    return f"{counted(cautions).capitalize()} caution{' applies' if cautions == 1 else 's apply'} to the orders"


def _gravest(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "No issues found in the fits"
    if "stop" in table["severity"]:
        return "At least one result must not be used"
    cautions = table.filter(severity="caution").height
    if cautions == 0:
        return "The fits can be used without cautions"
    return f"The fits can be used with {counted(cautions)} caution{'' if cautions == 1 else 's'}"


_NONE = {"about": MISSING, "severity": MISSING, "sentence": "No issues found.", "advice": MISSING}
_FINDINGS = TableSpec(
    id="findings",
    contract=FINDINGS,
    title=_gravest,
    subtitle="Limits of the data and of model fit",
    line="about",
    rows=lambda table: table.rows(named=True) or [_NONE],
    columns={
        "severity": Column("Severity", align="badge"),
        "sentence": Column("Finding", align="text"),
        "advice": Column("Action", align="text"),
    },
    notes=("Stop: do not use the result. Caution: use the result and state the caution. Note: for information.",),
)


def _beside_observed(expected: alt.Chart, came: alt.Chart) -> Figure:
    """Return what was expected of each class as lines, and what was observed as points with their intervals."""
    return alt.layer(
        expected.encode(y=alt.Y("expected:Q", title=_AFTER)),
        *point_and_interval(came, alt.Y("low:Q"), alt.Y("observed:Q"), INK),
    )


def _by_names(table: pl.DataFrame, field: str, titles: Mapping[str, str]) -> alt.Chart:
    """Return rows below each other by their names, with what appears beside them."""
    return detailed(
        titles,
        table,
        [
            alt.Y(
                f"{field}:N",
                sort=distinct(table, field),
                title=None,
                axis={"labelColor": INK, "labelFontSize": 13, "labelLimit": 260},
            )
        ],
    )


def _calibration_finding(table: pl.DataFrame, models: list[str]) -> str:
    (model, hit, classes), *others = (
        table.group_by("model", maintain_order=True).agg(_INSIDE.sum(), pl.len()).iter_rows()
    )
    each = [f"{model} in {hit} of {classes} classes", *(f"{model} in {hit}" for model, hit, _ in others)]
    inside = f"Forecasts within the observed interval: {joined(each)}"
    gaps = table.filter(pl.col("observed") > 0.0, frequency="0").select(
        "model", gap=pl.col("expected") / pl.col("observed") - 1.0
    )
    if gaps.is_empty():
        return inside
    model, gap = gaps.sort(pl.col("gap").abs(), descending=True).row(0)
    return f"{inside}. For one-time buyers {'it' if len(models) == 1 else model} forecast {missed_by(gap)} orders"


def _calibration_text(table: pl.DataFrame) -> str:
    classes = (
        table.with_columns(pl.col("expected").round_sig_figs(3))
        .group_by("frequency", maintain_order=True)
        .agg(pl.col("observed").first(), "model", "expected")
    )

    def words(label: str, came: float, models: list[str], means: list[float]) -> str:
        expected = [f"{model} {figure(mean, '')}" for model, mean in zip(models, means, strict=True)]
        return f"{label}: {figure(came, ',.3g')} observed, {joined(expected)}"

    return f"By number of repeat orders, orders per customer: {listed(classes, words)}"


def _gaps(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return for each model the orders after the fit: that came, that were expected, and the interval."""
    start = pl.col("observed").filter(pl.col("day") <= calibration_end).last()
    return (
        orders.group_by("model", maintain_order=True)
        .agg(
            came=pl.col("observed").last() - start,
            **{name: pl.col(name).last() - start for name in ("expected", "low", "high")},
        )
        .with_columns(gap=pl.col("expected") / pl.col("came") - 1.0)
    )


def _forecasts_finding(gaps: pl.DataFrame) -> str:
    came = float(gaps["came"][0])
    if came <= 0.0:
        return "Customers placed no repeat orders in the holdout period"
    names, sizes = gaps["model"].to_list(), sorted(gaps["gap"])
    low, high = sizes[0], sizes[-1]
    all_models = "Both" if len(names) == 2 else f"All {counted(len(names))}"
    subject = f"{names[0]} forecast" if len(names) == 1 else f"{all_models} models forecast"
    than = "than"
    if low > -CLOSE and high < CLOSE:
        gap, than = "as many", "as"
    elif high < 0.0 or low > 0.0:
        least, most = sorted((round(100 * abs(low)), round(100 * abs(high))))
        gap = f"{most if least == most else f'{least} to {most}'}{NBSP}% {'fewer' if high < 0.0 else 'more'}"
    else:
        fewer, more = (missed_by(end, more="more", fewer="fewer") for end in (low, high))
        subject, gap = subject.replace(all_models, f"The {counted(len(names))}"), f"from {fewer} to {more}"
    held = gaps.filter(pl.lit(came).is_between("low", "high"))["model"].to_list()
    return f"{subject} {gap} repeat orders {than} the {figure(came)} observed; {_held(held, names)}"


def _held(held: list[str], names: list[str]) -> str:
    if len(names) == 1:
        return "its interval includes that total" if held else "its interval excludes that total"
    if not held:
        return "all intervals exclude that total"
    verb = "includes" if len(held) == 1 else "include"
    return f"the interval{'' if len(held) == 1 else 's'} of {joined(held)} {verb} that total"


def _curves(orders: pl.DataFrame) -> tuple[alt.Chart, alt.Chart]:
    models = distinct(orders, "model")
    long = pl.concat(
        [
            orders.filter(model=models[0]).select(
                "day", series=pl.lit("observed"), orders=pl.col("observed").cast(pl.Float64)
            ),
            orders.select("day", series="model", orders="expected"),
        ]
    )
    # Bands and lines share one scale and one legend, or the legend would lose its colours.
    colour = coloured(
        "series:N",
        ["observed", *models],
        [INK, *model_colours(models)],
        {"orient": "top-left", "symbolType": "stroke", "symbolOpacity": 1.0, "symbolSize": 400, "rowPadding": 4},
    )
    return (
        alt.Chart(orders.drop_nulls(list(ENDS)).select("day", *ENDS, series="model"))
        .mark_area(opacity=0.16)
        .encode(x="day:T", y="low:Q", y2="high:Q", color=colour),
        cumulative_orders(alt.Chart(long), colour),
    )


def _disagreement(table: pl.DataFrame) -> str:
    alive = pl.col("alive")
    spans = table.group_by("group", maintain_order=True).agg(alive.min(), most=alive.max(), models=pl.len())
    if spans["models"][0] == 1:
        return joined([f"{percent(share)} of {group} are still active" for group, share, *_ in spans.iter_rows()])
    shares = [
        f"{percent(least)}{'' if round(100 * least) == round(100 * most) else f' to {percent(most)}'} of {group}"
        for group, least, most, _ in spans.iter_rows()
    ]
    return f"Depending on the model, {joined(shares)} are still active"
