"""Whether models know who comes back: classes of repeat buyers go in, observed against several models comes out."""

from __future__ import annotations

from datetime import date

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.theme import INK, QUIET, Figure, day_in_words, framed, model_colours, rounded
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, MINUS, NBSP, joined, localise, percent

CALIBRATION = Contract(
    name="CALIBRATION",
    columns={
        "model": (pl.String,),
        "frequency": (pl.String,),
        "customers": (pl.Int64,),
        "observed": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "expected": (pl.Float64,),
    },
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
    models = table["model"].unique(maintain_order=True).to_list()
    shown = (
        "Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
        f"{INTERVAL} of the mean; dashes: expected by a model."
    )
    order = table["frequency"].unique(maintain_order=True).to_list()
    axis = alt.X("frequency:O", sort=order, title="Repeat orders in the fitted period", axis=alt.Axis(labelAngle=0))
    drawings = alt.layer(_expected(table, models, axis), *_observed(table.filter(pl.col("model") == models[0]), axis))
    return framed(drawings, finding=_finding(table, models), shown=shown, alt_text=_alt_text(table))


def _expected(table: pl.DataFrame, models: list[str], axis: alt.X) -> alt.Chart:
    legend = alt.Legend(title=None, orient="top-left", symbolSize=400, labelLimit=240, rowPadding=4)
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5, strokeDash=[7, 4])
        .encode(
            x=axis,
            y=alt.Y("expected:Q", title="Orders per customer after the fit"),
            color=alt.Color("model:N", scale=alt.Scale(domain=models, range=model_colours(models)), legend=legend),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("frequency:O", title="Repeat orders"),
                alt.Tooltip("expected:Q", title="Expected orders per customer", format=",.3~r"),
            ],
        )
    )
    return drawn


def _observed(table: pl.DataFrame, axis: alt.X) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(table).encode(
        x=axis,
        tooltip=[
            alt.Tooltip("frequency:O", title="Repeat orders"),
            alt.Tooltip("customers:Q", title="Customers", format=",d"),
            alt.Tooltip("observed:Q", title="Observed orders per customer", format=",.3~r"),
            alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=",.3~r"),
            alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=",.3~r"),
        ],
    )
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(y="low:Q", y2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y="observed:Q")
    return interval, point


def _finding(table: pl.DataFrame, models: list[str]) -> str:
    hit = pl.col("expected").is_between("low", "high")
    hits = table.group_by("model", maintain_order=True).agg(hits=hit.sum(), classes=pl.len())
    first, *others = hits.select("model", "hits").iter_rows()
    alt_text = [
        f"{first[0]} in {first[1]} of {hits['classes'][0]} classes",
        *(f"{model} in {n}" for model, n in others),
    ]
    inside = f"Inside the interval of what happened: {joined(alt_text)}"
    never = table.filter(pl.col("frequency") == "0")
    if never.is_empty():
        return inside
    share = (pl.col("expected") / pl.col("observed") - 1.0).alias("gap")
    gaps = never.filter(pl.col("observed") > 0.0).select("model", share)
    if gaps.is_empty():
        return inside
    worst = gaps.sort(pl.col("gap").abs(), descending=True).row(0)
    size = f"{100 * abs(worst[1]):.0f}{NBSP}% too {'many' if worst[1] > 0.0 else 'few'}"
    return f"{inside}. Of one-time buyers {'it' if len(models) == 1 else worst[0]} expected {size}"


def _alt_text(table: pl.DataFrame) -> str:
    written = [localise(figure) for figure in table["expected"].round_sig_figs(3).cast(pl.String)]
    expected = pl.format("{} {}", "model", pl.Series(written, dtype=pl.String))
    classes = table.with_columns(expected=expected).group_by("frequency", maintain_order=True)
    rows = classes.agg(pl.col("observed").first(), "expected")
    alt_text = "; ".join(
        f"{label}: {localise(f'{came:,.3g}')} observed, {joined(expected)}"
        for label, came, expected in rows.select("frequency", "observed", "expected").iter_rows()
    )
    return f"By number of repeat orders, orders per customer: {alt_text}."


FORECASTS = Contract(
    name="FORECASTS",
    columns={
        "model": (pl.String,),
        "day": (pl.Date,),
        "observed": (pl.Float64, pl.Int64),
        "expected": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
    },
    nullable=frozenset({"low", "high"}),
)
_OBSERVED = "observed"
_POINTS = 30
# A model that is off by less is not told as too low or too high.
_CLOSE = 0.005


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
    shown = (
        f"Repeat orders since {day_in_words(orders['day'][0])}, cumulative. The models were fitted to orders up to "
        f"{day_in_words(calibration_end)} only. Band: {INTERVAL} of what each model held possible from there."
    )
    models = orders["model"].unique(maintain_order=True).to_list()
    thin = rounded(_thinned(orders, calibration_end))
    drawn = alt.layer(*_end_of_fit(calibration_end), *_curves(thin, models))
    return framed(drawn, finding=_forecasts_finding(gaps), shown=shown, alt_text=_forecasts_alt_text(gaps))


def _gaps(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return for each model the orders after the fit: that came, that were expected, and the interval."""
    before = pl.col("day") <= calibration_end
    start = pl.col("observed").filter(before).last()
    came = pl.col("observed").last() - start
    return (
        orders.group_by("model", maintain_order=True)
        .agg(
            came=came,
            expected=pl.col("expected").last() - start,
            low=pl.col("low").last() - start,
            high=pl.col("high").last() - start,
        )
        .with_columns(gap=pl.col("expected") / pl.col("came") - 1.0)
    )


def _forecasts_finding(gaps: pl.DataFrame) -> str:
    came = float(gaps["came"][0])
    if came <= 0.0:
        return "After the fit, customers placed no repeat order at all"
    names, low, high = gaps["model"].to_list(), *gaps.select(low=pl.col("gap").min(), high=pl.col("gap").max()).row(0)
    subject = f"{names[0]} expected" if len(names) == 1 else f"All {len(names)} models expected"
    if low > -_CLOSE and high < _CLOSE:
        gap = "as many"
    elif high < 0.0 or low > 0.0:
        gap = f"{_span(low, high)} {'fewer' if high < 0.0 else 'more'}"
    else:
        subject, gap = subject.replace("All", "The"), f"from {_signed(low)} to {_signed(high)}"
    link = "as" if gap == "as many" else "than"
    held = gaps.filter(pl.lit(came).is_between("low", "high"))["model"].to_list()
    total = localise(f"{came:,.0f}")
    return f"{subject} {gap} repeat orders after the fit {link} the {total} that came; {_held(held, names)}"


def _span(low: float, high: float) -> str:
    """Return the sizes of the smallest and the largest gap, which lie on one side of zero."""
    least, most = sorted((round(100 * abs(low)), round(100 * abs(high))))
    return f"{most}{NBSP}%" if least == most else f"{least} to {most}{NBSP}%"


def _signed(gap: float) -> str:
    return f"{100 * abs(gap):.0f}{NBSP}% {'more' if gap > 0.0 else 'fewer'}"


def _held(held: list[str], names: list[str]) -> str:
    if len(names) == 1:
        return "its interval holds them" if held else "its interval does not hold them"
    if not held:
        return "no interval holds them"
    return f"the interval{'' if len(held) == 1 else 's'} of {joined(held)} {'holds' if len(held) == 1 else 'hold'} them"


def _forecasts_alt_text(gaps: pl.DataFrame) -> str:
    rows = gaps.select("model", "expected", "low", "high").iter_rows()
    alt_text = [
        (model, localise(f"{expected:,.0f} ({low:,.0f} to {high:,.0f})")) for model, expected, low, high in rows
    ]
    return "Expected after the fit: " + "; ".join(f"{model} {totals}" for model, totals in alt_text)


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
            x=alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", labelFlush=False, tickCount=8)),
            y=alt.Y("orders:Q", title="Repeat orders since the start", axis=alt.Axis(format=",d")),
            color=colour,
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title="Series"),
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("orders:Q", title="Repeat orders", format=",.0f"),
            ],
        ),
    )


def _end_of_fit(calibration_end: date) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(pl.DataFrame({"day": [calibration_end], "label": ["end of the fit"]})).encode(x="day:T")
    rule = drawn.mark_rule(color=QUIET, strokeDash=[2, 3])
    label = drawn.mark_text(align="right", dx=-6, color=QUIET).encode(y=alt.value(8), text="label:N")
    return rule, label


BIASES = Contract(
    name="BIASES",
    columns={"model": (pl.String,), "bias": (pl.Float64,), "low": (pl.Float64,), "high": (pl.Float64,)},
    nullable=frozenset({"low", "high"}),
)
ALIVE = Contract(
    name="ALIVE",
    columns={
        "model": (pl.String,),
        "group": (pl.String,),
        "alive": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
    },
)
_BAND = 44
_ALIVE = "Still customers"
_PERCENT = "(datum.value == 0 ? '0' : format(100 * datum.value, '+~g')) + ' %'"
_SHARE = "format(100 * datum.value, '~g') + ' %'"


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
    alt_text = "; ".join(
        f"{model} {_model_scores_signed(bias)}"
        + ("" if low is None else f" ({_model_scores_signed(low)} to {_model_scores_signed(high)})")
        for model, bias, low, high in table.select("model", "bias", "low", "high").iter_rows()
    )
    shown = (
        f"Orders expected after the fit over orders that came, less one. Line: {INTERVAL} of what the model held "
        "possible; a rule of thumb has none. Zero: just right."
    )
    names = table["model"].to_list()
    rows = alt.Y("model:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, labelColor=INK, labelFontSize=13))
    drawn = alt.Chart(table).encode(y=rows, tooltip=_bias_tooltip())
    axis = alt.Axis(title="Orders expected too many or too few", labelExpr=_PERCENT, tickCount=6)
    line = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=90, opacity=1).encode(x=alt.X("bias:Q", axis=axis))
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x="zero:Q")
    layers = alt.layer(zero, line.transform_filter("isValid(datum.low)"), point)
    best = table.sort(pl.col("bias").abs(), maintain_order=True).row(0, named=True)
    finding = f"{best['model']} misses the orders that came by least: {_model_scores_signed(best['bias'])}"
    return framed(layers, finding=finding, shown=shown, alt_text=f"{alt_text}.", height=_BAND * table.height)


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
    shown = (
        "Share of the customers of a group that has not left, as each model expects it. "
        f"Line: {INTERVAL} by the model's parameters. Nobody can observe who has left."
    )
    alt_text = "; ".join(
        f"{group}, {model}: {percent(share)}"
        for group, model, share in table.select("group", "model", "alive").iter_rows()
    )
    shares = alt.X("alive:Q", title=_ALIVE, axis=alt.Axis(labelExpr=_SHARE), scale=alt.Scale(domain=[0.0, 1.0]))
    drawn = alt.Chart(table).encode(
        y=alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(labelLimit=260, labelColor=INK, labelFontSize=13)),
        yOffset=alt.YOffset("model:N", sort=models),
        color=alt.Color(
            "model:N",
            scale=alt.Scale(domain=models, range=model_colours(models)),
            legend=alt.Legend(title=None, orient="top", symbolSize=120),
        ),
        tooltip=[
            alt.Tooltip("group:N", title="Customers"),
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("alive:Q", title="Still customers", format=".1%"),
            alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=".1%"),
            alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=".1%"),
        ],
    )
    line = drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", title=_ALIVE), x2="high:Q")
    point = drawn.mark_point(filled=True, size=90, opacity=1).encode(x=shares)
    height = len(groups) * max(60, 26 * len(models))
    return framed(
        alt.layer(line, point), finding=_disagreement(table), shown=shown, alt_text=f"{alt_text}.", height=height
    )


def _disagreement(table: pl.DataFrame) -> str:
    spans = table.group_by("group", maintain_order=True).agg(
        least=pl.col("alive").min(), most=pl.col("alive").max(), models=pl.len()
    )
    if spans["models"][0] == 1:
        return joined([f"{percent(least)} of {group} are still customers" for group, least, *_ in spans.iter_rows()])
    alt_text = [
        f"{percent(least)} to {percent(most)} of {group}"
        if round(100 * least) != round(100 * most)
        else f"{percent(least)} of {group}"
        for group, least, most, _ in spans.iter_rows()
    ]
    return f"Depending on the model, {joined(alt_text)} are still customers"


def _bias_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("bias:Q", title="Too many or too few", format="+.1%"),
        alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format="+.1%"),
        alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format="+.1%"),
    ]


def _model_scores_signed(share: float) -> str:
    return f"{100 * share:+.0f}{NBSP}%".replace("-", MINUS)
