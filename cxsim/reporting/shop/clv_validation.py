"""How far models can be relied on: what they expected and what came in; figures, tables and a verdict out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from datetime import date
from html import escape

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import (
    by_frequency,
    cumulative_orders,
    frequency_axis,
    frequency_tooltip,
)
from cxsim.reporting.tables import Column, Prose, Table, TableSpec
from cxsim.reporting.theme import (
    INK,
    QUIET,
    STRATEGIES,
    Figure,
    coloured,
    day_in_words,
    distinct,
    ends,
    error_bar,
    framed,
    marked_day,
    model_colours,
    points,
    rounded,
    tooltip,
)
from cxsim.tables import COUNT, DAY, NUMBER, REAL, TEXT, Contract, check
from cxsim.wording import INTERVAL, MISSING, NBSP, counted, figure, joined, percent

_ENDS = REAL("low", "high")
HOLDOUT = Contract("HOLDOUT", TEXT("frequency"), COUNT("customers"), REAL("observed"), _ENDS, REAL("expected"))
CALIBRATION = Contract("CALIBRATION", TEXT("model"), HOLDOUT.columns)
FORECASTS = Contract(
    "FORECASTS", TEXT("model"), DAY("day"), NUMBER("observed"), REAL("expected"), _ENDS, nullable=_ENDS
)
BIASES = Contract("BIASES", TEXT("model"), REAL("bias"), _ENDS, nullable=_ENDS)
ALIVE = Contract("ALIVE", TEXT("model", "group"), REAL("alive"), _ENDS)
FINDINGS = Contract("FINDINGS", TEXT("about", "severity", "sentence", "advice"))

_OBSERVED = "observed"
_POINTS = 30
# A model that is off by less is not called too low or too high.
_CLOSE = 0.005
_BAND = 44
_TOP_LEFT = {"orient": "top-left", "symbolSize": 400, "labelLimit": 240, "rowPadding": 4}
_AFTER = "Orders per customer after the fit"
_SIGNED_LABELS = "(datum.value == 0 ? '0' : format(100 * datum.value, '+~g')) + ' %'"
_SHARE_LABELS = "format(100 * datum.value, '~g') + ' %'"
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
    hit = table.filter(pl.col("expected").is_between("low", "high")).height
    drawn = alt.Chart(table).encode(x=frequency_axis(table), tooltip=frequency_tooltip("orders per customer", ",.3~r"))
    expected = drawn.mark_line(color=STRATEGIES[0], strokeWidth=2.5, strokeDash=[7, 4]).encode(
        y=alt.Y("expected:Q", title=_AFTER)
    )
    return framed(
        alt.layer(expected, *_observed(drawn)),
        finding=f"The model is inside the interval of what happened in {hit} of {table.height} classes of customers",
        shown=(
            f"Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
            f"{INTERVAL} of the mean; blue dashes: expected by the model."
        ),
        alt_text=by_frequency(table, "orders per customer"),
    )


_EXPECTED = (
    ("model:N", "Model"),
    ("frequency:O", "Repeat orders"),
    ("expected:Q", "Expected orders per customer", ",.3~r"),
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
    axis = frequency_axis(table)
    expected = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5, strokeDash=[7, 4])
        .encode(
            x=axis,
            y=alt.Y("expected:Q", title=_AFTER),
            color=coloured("model:N", models, model_colours(models), _TOP_LEFT),
            tooltip=tooltip(_EXPECTED),
        )
    )
    came = alt.Chart(table.filter(pl.col("model") == models[0])).encode(
        x=axis,
        tooltip=tooltip(
            [
                ("frequency:O", "Repeat orders"),
                ("customers:Q", "Customers", ",d"),
                ("observed:Q", "Observed orders per customer", ",.3~r"),
                *ends(INTERVAL, ",.3~r"),
            ]
        ),
    )
    return framed(
        alt.layer(expected, *_observed(came)),
        finding=_calibration_finding(table, models),
        shown=(
            "Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
            f"{INTERVAL} of the mean; dashes: expected by a model."
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
    later = check(orders, FORECASTS).filter(pl.col("day") > calibration_end)
    if later.is_empty() or later.height == orders.height:
        raise TableError(
            f"FORECASTS: the end of the fit, {calibration_end}, must lie inside the days of the table; "
            f"found {orders['day'][0]} to {orders['day'][-1]}."
        )
    gaps = _gaps(orders, calibration_end)
    models = distinct(orders, "model")
    curves = _curves(rounded(_thinned(orders, calibration_end)), models)
    totals = "; ".join(
        f"{model} {figure(expected)} ({figure(low)} to {figure(high)})"
        for model, expected, low, high in gaps.select("model", "expected", "low", "high").iter_rows()
    )
    return framed(
        alt.layer(*marked_day(calibration_end, "end of the fit", align="right"), *curves),
        finding=_forecasts_finding(gaps),
        shown=(
            f"Repeat orders since {day_in_words(orders['day'][0])}, cumulative. The models were fitted to orders up "
            f"to {day_in_words(calibration_end)} only. Band: {INTERVAL} of what each model held possible from there."
        ),
        alt_text=f"Expected after the fit: {totals}",
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
    missed = "; ".join(
        f"{model} {_signed(bias)}" + ("" if low is None else f" ({_signed(low)} to {_signed(high)})")
        for model, bias, low, high in table.select("model", "bias", "low", "high").iter_rows()
    )
    drawn = alt.Chart(table).encode(
        y=_names("model", table["model"].to_list()),
        tooltip=tooltip([("model:N", "Model"), ("bias:Q", "Too many or too few", "+.1%"), *ends(INTERVAL, "+.1%")]),
    )
    axis = alt.Axis(title="Orders expected too many or too few", labelExpr=_SIGNED_LABELS, tickCount=6)
    line = error_bar(drawn, INK, opacity=0.45).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x="zero:Q")
    best = table.sort(pl.col("bias").abs(), maintain_order=True).row(0, named=True)
    return framed(
        alt.layer(
            zero,
            line.transform_filter("isValid(datum.low)"),
            points(drawn, INK, size=90).encode(x=alt.X("bias:Q", axis=axis)),
        ),
        finding=f"{best['model']} misses the orders that came by least: {_signed(best['bias'])}",
        shown=(
            f"Orders expected after the fit over orders that came, less one. Line: {INTERVAL} of what the model held "
            "possible; a rule of thumb has none. Zero: just right."
        ),
        alt_text=f"{missed}.",
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
    models, groups = (table[name].unique(maintain_order=True).to_list() for name in ("model", "group"))
    shares = "; ".join(
        f"{group}, {model}: {percent(share)}"
        for group, model, share in table.select("group", "model", "alive").iter_rows()
    )
    drawn = alt.Chart(table).encode(
        y=_names("group", groups),
        yOffset=alt.YOffset("model:N", sort=models),
        color=coloured("model:N", models, model_colours(models), {"orient": "top", "symbolSize": 120}),
        tooltip=tooltip(
            [
                ("group:N", "Customers"),
                ("model:N", "Model"),
                ("alive:Q", "Still customers", ".1%"),
                *ends(INTERVAL, ".1%"),
            ]
        ),
    )
    axis, title = alt.Axis(labelExpr=_SHARE_LABELS), "Still customers"
    share = alt.X("alive:Q", title=title, axis=axis, scale=alt.Scale(domain=[0.0, 1.0]))
    return framed(
        alt.layer(
            error_bar(drawn).encode(x=alt.X("low:Q", title=title), x2="high:Q"), points(drawn, size=90).encode(x=share)
        ),
        finding=_disagreement(table),
        shown=(
            "Share of the customers of a group that has not left, as each model expects it. "
            f"Line: {INTERVAL} by the model's parameters. Nobody can observe who has left."
        ),
        alt_text=f"{shares}.",
        height=len(groups) * max(60, 26 * len(models)),
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
    columns = {name: column for name, column in _SCORES.items() if table[name].null_count() < table.height}
    return dataclasses.replace(_MODELS, columns=columns).render(table)


def findings_table(findings: pl.DataFrame) -> Table:
    """Lay out what an examination of the fits found, the gravest first, with what to do about it.

    Parameters
    ----------
    findings
        `about` (a model, or the orders), `severity` (stop, caution or note), `sentence` with its figure, and `advice`;
        in the order in which they are shown.

    Returns
    -------
    Table
        One row per finding; without any, one row that says so.
    """
    return _FINDINGS.render(findings)


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
    items = "".join(f"<li>{escape(found)}</li>" for found in findings)
    listed = f"<ul>{items}</ul>" if items else ""
    markup = f'<section class="cx-verdict"><style>{_SHEET}</style><p>{escape(sentence)}</p>{listed}</section>'
    return Prose(markup=markup, text="\n".join([sentence, *findings]))


def _score(spec: str, *, scale: float = 1.0, unit: str = "") -> Callable[[float], str]:
    return lambda value: "∞" if math.isinf(value) else f"{figure(scale * value, spec)}{unit}"


_SHARE, _SIGNED = (_score(spec, scale=100.0, unit=f"{NBSP}%") for spec in (".1f", "+.1f"))
_SCORES = {
    "log_likelihood": Column("Log-likelihood", write=_score(",.1f")),
    "aic_gap": Column("AIC above the best", write=_score(",.1f")),
    "weight": Column("Weight by AIC", write=_score(".2f")),
    "orders_bias": Column("Total missed by", write=_SIGNED),
    "mae": Column("Mean absolute error", write=_score(".3f")),
    "rmse": Column("Root mean square error", write=_score(".3f")),
    "log_score": Column("Log score", write=_score(".3f")),
    "coverage_80": Column(f"Inside the 80{NBSP}% interval", write=_SHARE),
    "coverage_95": Column(f"Inside the 95{NBSP}% interval", write=_SHARE),
    "gini": Column("Order by value (Gini)", write=_score(".2f")),
    "top_decile_capture": Column("Value caught by the first tenth", write=_SHARE),
}
SCORES = Contract("SCORES", TEXT("model"), REAL(*_SCORES), nullable=_SCORES)
_MODELS = TableSpec(
    id="models",
    title="Models and rules of thumb side by side",
    subtitle="In the fitted period, and in the one after it, which no model had seen",
    line="model",
    columns=_SCORES,
    notes=(
        "AIC above the best: below about two, the orders cannot tell two models apart.",
        (
            "Log score: mean logarithm of one over the chance given to what came; smaller is better, and infinite "
            "where something came that was held impossible."
        ),
        "Gini: 1 when customers are put in the order of the value that they brought, 0 for an order by chance.",
    ),
)


def _gravest(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "The examination of the fits found nothing"
    if "stop" in table["severity"]:
        return "Something found forbids the use of what hangs on it"
    cautions = table.filter(severity="caution").height
    if cautions == 0:
        return "Nothing found forbids the use of these fits"
    return f"The fits can be used; {counted(cautions)} thing{'' if cautions == 1 else 's'} must be said beside them"


_NONE = {"about": MISSING, "severity": MISSING, "sentence": "Nothing was found.", "advice": MISSING}
_FINDINGS = TableSpec(
    id="findings",
    contract=FINDINGS,
    title=_gravest,
    subtitle="What the orders cannot say, and where a model does not fit",
    line="about",
    rows=lambda table: table.rows(named=True) or [_NONE],
    columns={
        "severity": Column("Weight", align="badge"),
        "sentence": Column("Finding", align="text"),
        "advice": Column("What to do", align="text"),
    },
    notes=("Stop: do not use what hangs on it. Caution: use it, and say this beside it. Note: good to know.",),
)


def _observed(drawn: alt.Chart) -> tuple[alt.Chart, alt.Chart]:
    bar = error_bar(drawn, INK, opacity=0.45).encode(y="low:Q", y2="high:Q")
    return bar, points(drawn, INK).encode(y="observed:Q")


def _names(field: str, names: list[str]) -> alt.Y:
    return alt.Y(f"{field}:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, labelColor=INK, labelFontSize=13))


def _calibration_finding(table: pl.DataFrame, models: list[str]) -> str:
    hit = pl.col("expected").is_between("low", "high")
    hits = table.group_by("model", maintain_order=True).agg(hits=hit.sum(), classes=pl.len())
    first, *others = hits.select("model", "hits").iter_rows()
    classes = f"{first[0]} in {first[1]} of {hits['classes'][0]} classes"
    inside = f"Inside the interval of what happened: {joined([classes, *(f'{model} in {n}' for model, n in others)])}"
    gaps = table.filter((pl.col("frequency") == "0") & (pl.col("observed") > 0.0)).select(
        "model", gap=pl.col("expected") / pl.col("observed") - 1.0
    )
    if gaps.is_empty():
        return inside
    model, gap = gaps.sort(pl.col("gap").abs(), descending=True).row(0)
    size = f"{figure(100 * abs(gap))}{NBSP}% too {'many' if gap > 0.0 else 'few'}"
    return f"{inside}. Of one-time buyers {'it' if len(models) == 1 else model} expected {size}"


def _calibration_text(table: pl.DataFrame) -> str:
    short = table.with_columns(pl.col("expected").round_sig_figs(3))
    classes = short.group_by("frequency", maintain_order=True).agg(pl.col("observed").first(), "model", "expected")
    parts = [
        f"{label}: {figure(came, ',.3g')} observed, "
        + joined([f"{model} {figure(mean, '')}" for model, mean in zip(models, means, strict=True)])
        for label, came, models, means in classes.iter_rows()
    ]
    return f"By number of repeat orders, orders per customer: {'; '.join(parts)}."


def _gaps(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return for each model the orders after the fit: that came, that were expected, and the interval."""
    start = pl.col("observed").filter(pl.col("day") <= calibration_end).last()
    ahead = {name: pl.col(name).last() - start for name in ("expected", "low", "high")}
    return (
        orders.group_by("model", maintain_order=True)
        .agg(came=pl.col("observed").last() - start, **ahead)
        .with_columns(gap=pl.col("expected") / pl.col("came") - 1.0)
    )


def _forecasts_finding(gaps: pl.DataFrame) -> str:
    came = float(gaps["came"][0])
    if came <= 0.0:
        return "After the fit, customers placed no repeat order at all"
    names, sizes = gaps["model"].to_list(), gaps["gap"].sort()
    low, high = float(sizes[0]), float(sizes[-1])
    subject = f"{names[0]} expected" if len(names) == 1 else f"All {len(names)} models expected"
    if low > -_CLOSE and high < _CLOSE:
        gap = "as many"
    elif high < 0.0 or low > 0.0:
        least, most = sorted((round(100 * abs(low)), round(100 * abs(high))))
        gap = f"{most if least == most else f'{least} to {most}'}{NBSP}% {'fewer' if high < 0.0 else 'more'}"
    else:
        either = [f"{figure(100 * abs(end))}{NBSP}% {'more' if end > 0.0 else 'fewer'}" for end in (low, high)]
        subject, gap = subject.replace("All", "The"), f"from {either[0]} to {either[1]}"
    held = gaps.filter(pl.lit(came).is_between("low", "high"))["model"].to_list()
    return (
        f"{subject} {gap} repeat orders after the fit {'as' if gap == 'as many' else 'than'} the {figure(came)} that "
        f"came; {_held(held, names)}"
    )


def _held(held: list[str], names: list[str]) -> str:
    if len(names) == 1:
        return "its interval holds them" if held else "its interval does not hold them"
    if not held:
        return "no interval holds them"
    return f"the interval{'' if len(held) == 1 else 's'} of {joined(held)} {'holds' if len(held) == 1 else 'hold'} them"


def _thinned(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Keep so many days on each side of the fit's end that the lines look the same, and always the last one."""
    part = ["model", (pl.col("day") <= calibration_end).alias("fitted")]
    place, size = pl.int_range(pl.len()).over(part), pl.len().over(part)
    every = (size + _POINTS - 1) // _POINTS
    return orders.filter((place % every == 0) | (place == size - 1))


def _curves(orders: pl.DataFrame, models: list[str]) -> tuple[alt.Chart, alt.Chart]:
    first = orders.filter(pl.col("model") == models[0])
    long = pl.concat(
        [
            first.select("day", series=pl.lit(_OBSERVED), orders=pl.col("observed").cast(pl.Float64)),
            orders.select("day", series="model", orders="expected"),
        ]
    )
    names = [_OBSERVED, *models]
    legend = alt.Legend(
        title=None, orient="top-left", symbolType="stroke", symbolOpacity=1.0, symbolSize=400, rowPadding=4
    )
    # Bands and lines share one scale and one legend, or the legend would lose its colours.
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=[INK, *model_colours(models)]), legend=legend)
    dashes = alt.Scale(domain=names, range=[[1, 0], *([[7, 4]] * len(models))])
    bands = alt.Chart(orders.drop_nulls(["low", "high"]).select("day", "low", "high", series="model"))
    lines = alt.Chart(long).mark_line(strokeWidth=2.5)
    return (
        bands.mark_area(opacity=0.16).encode(x="day:T", y="low:Q", y2="high:Q", color=colour),
        lines.encode(
            **cumulative_orders(), color=colour, strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend)
        ),
    )


def _disagreement(table: pl.DataFrame) -> str:
    spans = table.group_by("group", maintain_order=True).agg(
        least=pl.col("alive").min(), most=pl.col("alive").max(), models=pl.len()
    )
    if spans["models"][0] == 1:
        return joined([f"{percent(least)} of {group} are still customers" for group, least, *_ in spans.iter_rows()])
    shares = [
        f"{percent(least)}{'' if round(100 * least) == round(100 * most) else f' to {percent(most)}'} of {group}"
        for group, least, most, _ in spans.iter_rows()
    ]
    return f"Depending on the model, {joined(shares)} are still customers"


def _signed(share: float) -> str:
    return f"{figure(100 * share, '+.0f')}{NBSP}%"
