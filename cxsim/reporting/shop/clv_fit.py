"""What the orders say: fitted parameters, hygiene counts and customers' values go in, tables to read come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.params import Z95
from cxsim.reporting.tables import Prose, Table, laid_out
from cxsim.reporting.theme import INK, QUIET, STRATEGIES, WIDTH, Figure, day_in_words, framed, rounded
from cxsim.tables import RFM, Contract, check
from cxsim.wording import INTERVAL, MINUS, MISSING, NBSP, counted, localise, number, percent

FIT = Contract(
    name="FIT",
    columns={"parameter": (pl.String,), "estimate": (pl.Float64,), "std_error": (pl.Float64,)},
    nullable=frozenset({"std_error"}),
)
HYGIENE = Contract(name="HYGIENE", columns={"reason": (pl.String,), "action": (pl.String,), "rows": (pl.Int64,)})
VALUES = Contract(
    name="VALUES",
    columns={
        # As in RFM: whatever the shop counts its customers with.
        "customer_id": RFM.columns["customer_id"],
        "prob_alive": (pl.Float64,),
        "expected_orders": (pl.Float64,),
        "expected_spend": (pl.Float64,),
        "expected_value": (pl.Float64,),
    },
)
_MEANINGS = {
    "r": "Order rates: how alike customers are (shape)",
    "alpha": "Order rates: scale, in days; the mean rate is r / alpha",
    "a": "Leaving after an order: first shape; the mean chance is a / (a + b)",
    "b": "Leaving after an order: second shape",
    "s": "Leaving on the calendar: how alike customers are (shape)",
    "beta": "Leaving on the calendar: scale, in days; the mean hazard is s / beta",
    "p": "Spend: how alike the orders of one customer are (shape)",
    "q": "Spend: how alike customers are (shape)",
    "v": "Spend: scale, in units of the currency",
}


def fit_table(parameters: pl.DataFrame, title: str) -> Table:
    """Lay out fitted parameters with their meaning, standard error and interval.

    Parameters
    ----------
    parameters
        `parameter`, `estimate` (positive) and `std_error` (null where the data do not determine it).
    title
        Name of the model and of what it was fitted to.

    Returns
    -------
    Table
        One row per parameter.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(parameters, FIT)
    cells = pl.DataFrame(
        [
            (name, _MEANINGS.get(name, MISSING), localise(f"{estimate:.4g}"), *_doubt(estimate, error))
            for name, estimate, error in table.select(list(FIT.columns)).iter_rows()
        ],
        schema=dict.fromkeys(["line", "meaning", "estimate", "std_error", "range"], pl.String),
        orient="row",
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle="Fitted by maximum likelihood; time in days",
        heads={"meaning": "Meaning", "estimate": "Estimate", "std_error": "Standard error", "range": INTERVAL},
        text=("meaning",),
        notes=("The interval is normal on the logarithm, as no parameter can be below zero.",),
    )
    return Table(id=_slug(title), title=title, layout=layout, twin=table)


def hygiene_table(report: pl.DataFrame) -> Table:
    """Lay out which rows of the orders were set aside or merged, and why.

    Parameters
    ----------
    report
        `reason`, `action` and the number of `rows`.

    Returns
    -------
    Table
        One row per reason.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(report, HYGIENE)
    title = "What was done to the orders"
    layout = laid_out(
        table.select(line="reason", action="action", rows=_texts(table, "rows")),
        title=title,
        subtitle="Rows of the orders that were handed in; nothing is repaired",
        heads={"action": "Action", "rows": "Rows"},
        text=("action",),
    )
    return Table(id="hygiene", title=title, layout=layout, twin=table)


def value_table(customers: pl.DataFrame, currency: str) -> Table:
    """Lay out customers with what the model expects of each.

    Parameters
    ----------
    customers
        `customer_id`, `prob_alive`, `expected_orders`, `expected_spend` per order and `expected_value`; in the order
        and the number in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per customer.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(customers, VALUES)
    heads = {
        "prob_alive": "Chance of still being a customer",
        "expected_orders": "Expected orders",
        "expected_spend": f"Expected spend per order, {currency}",
        "expected_value": f"Expected value, {currency}",
    }
    cells = table.select(
        pl.col("customer_id").cast(pl.String).alias("line"),
        pl.Series("prob_alive", [percent(chance) for chance in table["prob_alive"]], dtype=pl.String),
        *(_texts(table, name) for name in ("expected_orders", "expected_spend", "expected_value")),
    )
    title = "Customers by expected value"
    subtitle = "Means of what the model expects of a customer with such a past; value is revenue in today's money"
    layout = laid_out(cells, title=title, subtitle=subtitle, heads=heads)
    return Table(id="customers", title=title, layout=layout, twin=table)


def _doubt(estimate: float, error: float | None) -> tuple[str, str]:
    if error is None:
        return MISSING, MISSING
    spread = math.exp(Z95 * error / estimate)
    return localise(f"{error:.2g}"), localise(f"{estimate / spread:.4g} to {estimate * spread:.4g}")


def _texts(table: pl.DataFrame, column: str) -> pl.Series:
    whole = table.schema[column].is_integer()
    return pl.Series(column, [localise(f"{n:,}") if whole else number(n) for n in table[column]], dtype=pl.String)


def _slug(title: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(["fit", *words])


FREQUENCIES = Contract(
    name="FREQUENCIES",
    columns={"frequency": (pl.String,), "observed": (pl.Int64, pl.Float64), "expected": (pl.Float64,)},
)
HOLDOUT = Contract(
    name="HOLDOUT",
    columns={
        "frequency": (pl.String,),
        "customers": (pl.Int64,),
        "observed": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "expected": (pl.Float64,),
    },
)
_PALE = "#CBD2D9"


def frequency_histogram(frequencies: pl.DataFrame) -> Figure:
    """Draw how many customers came back how often in the fitted period.

    Parameters
    ----------
    frequencies
        One row per class, ascending: `frequency` as its label ("0", "1", ... "7+"), `observed` and `expected`
        customers.

    Returns
    -------
    alt.LayerChart
        Bars for what was observed, ticks for what the model expects.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(frequencies, FREQUENCIES))
    apart = (pl.col("observed") - pl.col("expected")).abs().sum() / 2
    misplaced = float(table.select(apart / pl.col("observed").sum()).item())
    finding = f"Model and observation agree on how often {percent(1.0 - misplaced)} of customers come back"
    shown = "Customers by repeat orders in the fitted period. Bar: observed; blue tick: expected by the model."
    drawn = alt.Chart(table).encode(x=_classes(table), tooltip=_tooltip("customers", ",.0f"))
    bars = drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("observed:Q", title="Customers"))
    # In pixels: the Vega-Lite in JupyterLab does not know ticks that are a share of their band.
    size = round(0.86 * WIDTH / table.height)
    ticks = drawn.mark_tick(color=STRATEGIES[0], thickness=3, opacity=1, size=size).encode(y="expected:Q")
    label = (
        drawn.transform_calculate(top="max(datum.observed, datum.expected)")
        .mark_text(dy=-10, color=QUIET)
        .encode(y="top:Q", text=alt.Text("observed:Q", format=",.0f"))
    )
    return framed(alt.layer(bars, ticks, label), finding=finding, shown=shown, alt_text=_alt_text(table, "customers"))


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
    finding = f"The model is inside the interval of what happened in {hit} of {table.height} classes of customers"
    shown = (
        f"Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
        f"{INTERVAL} of the mean; blue dashes: expected by the model."
    )
    drawn = alt.Chart(table).encode(x=_classes(table), tooltip=_tooltip("orders per customer", ",.3~r"))
    expected = drawn.mark_line(color=STRATEGIES[0], strokeWidth=2.5, strokeDash=[7, 4]).encode(
        y=alt.Y("expected:Q", title="Orders per customer after the fit")
    )
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(y="low:Q", y2="high:Q")
    observed = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y="observed:Q")
    drawings = alt.layer(expected, interval, observed)
    return framed(drawings, finding=finding, shown=shown, alt_text=_alt_text(table, "orders per customer"))


def _classes(table: pl.DataFrame) -> alt.X:
    order = table["frequency"].to_list()
    return alt.X("frequency:O", sort=order, title="Repeat orders in the fitted period", axis=alt.Axis(labelAngle=0))


def _tooltip(unit: str, pattern: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("frequency:O", title="Repeat orders"),
        alt.Tooltip("observed:Q", title=f"Observed {unit}", format=pattern),
        alt.Tooltip("expected:Q", title=f"Expected {unit}", format=pattern),
    ]


def _alt_text(table: pl.DataFrame, unit: str) -> str:
    rows = [
        (label, localise(f"{came:,.3g}"), localise(f"{foreseen:,.3g}"))
        for label, came, foreseen in table.select("frequency", "observed", "expected").iter_rows()
    ]
    alt_text = "; ".join(f"{label}: {came} observed, {foreseen} expected" for label, came, foreseen in rows)
    return f"By number of repeat orders, {unit}: {alt_text}."


TRACKING = Contract(
    name="TRACKING", columns={"day": (pl.Date,), "observed": (pl.Float64, pl.Int64), "expected": (pl.Float64,)}
)
_POINTS = 60
_SERIES = ["observed", "expected"]
_LABELS = "datum.label == 'expected' ? 'expected by the model' : datum.label"
# A model that is off by less is not told as too low or too high.
_CLOSE = 0.005


def tracking(orders: pl.DataFrame, calibration_end: date) -> Figure:
    """Draw cumulative repeat orders, as observed and as the model expects them.

    Parameters
    ----------
    orders
        One row per day, ascending: `day`, and the repeat orders since the first day, `observed` and `expected`.
    calibration_end
        Last day that the model was fitted to; later days test it.

    Returns
    -------
    alt.LayerChart
        Two lines and a rule at the end of the fit.

    Raises
    ------
    TableError
        If a column is missing, or no day lies before or after the end of the fit.
    """
    fitted, tested = _split(check(orders, TRACKING), calibration_end)
    came, foreseen = (float(tested[name][-1] - fitted[name][-1]) for name in ("observed", "expected"))
    finding = (
        f"After the fit, customers placed {localise(f'{came:,.0f}')} repeat orders; "
        f"the model expected {localise(f'{foreseen:,.0f}')}{_gap(came, foreseen)}"
    )
    shown = (
        f"Repeat orders since {day_in_words(orders['day'][0])}, cumulative. The model was fitted to orders up to "
        f"{day_in_words(calibration_end)} only. There is one observed history, hence no interval."
    )
    lines = _lines(rounded(pl.concat([_thinned(fitted), _thinned(tested)])))
    return framed(alt.layer(*_end_of_fit(calibration_end), lines), finding=finding, shown=shown)


def _split(orders: pl.DataFrame, calibration_end: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    fitted = orders.filter(pl.col("day") <= calibration_end)
    tested = orders.filter(pl.col("day") > calibration_end)
    if fitted.is_empty() or tested.is_empty():
        raise TableError(
            f"TRACKING: the end of the fit, {calibration_end}, must lie inside the days of the table; "
            f"found {orders['day'][0]} to {orders['day'][-1]}."
        )
    return fitted, tested


def _thinned(orders: pl.DataFrame) -> pl.DataFrame:
    """Keep so many days that the line looks the same, and always the last one."""
    every = max(1, orders.height // _POINTS)
    place = pl.int_range(pl.len())
    return orders.filter((place % every == 0) | (place == pl.len() - 1))


def _gap(came: float, foreseen: float) -> str:
    if came <= 0.0 or abs(foreseen / came - 1.0) < _CLOSE:
        return ""
    gap = foreseen / came - 1.0
    return f" ({100 * abs(gap):.0f}{NBSP}% too {'many' if gap > 0.0 else 'few'})"


def _lines(orders: pl.DataFrame) -> alt.Chart:
    legend = alt.Legend(title=None, labelExpr=_LABELS, orient="top-left", symbolSize=400, labelLimit=240, rowPadding=4)
    dashes = alt.Scale(domain=_SERIES, range=[[1, 0], [7, 4]])
    drawn: alt.Chart = (
        alt.Chart(orders)
        .transform_fold(list(_SERIES), as_=["series", "orders"])
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", labelFlush=False, tickCount=8)),
            y=alt.Y("orders:Q", title="Repeat orders since the start", axis=alt.Axis(format=",d")),
            color=alt.Color("series:N", scale=alt.Scale(domain=_SERIES, range=[INK, STRATEGIES[0]]), legend=legend),
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title="Series"),
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("orders:Q", title="Repeat orders", format=",.0f"),
            ],
        )
    )
    return drawn


def _end_of_fit(calibration_end: date) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(pl.DataFrame({"day": [calibration_end], "label": ["end of the fit"]})).encode(x="day:T")
    rule = drawn.mark_rule(color=QUIET, strokeDash=[2, 3])
    label = drawn.mark_text(align="left", dx=6, color=QUIET).encode(y=alt.value(8), text="label:N")
    return rule, label


_REAL = (pl.Float64,)
_SCORES = (
    "log_likelihood",
    "aic_gap",
    "weight",
    "orders_bias",
    "mae",
    "rmse",
    "log_score",
    "coverage_80",
    "coverage_95",
)
SCORES = Contract(
    name="SCORES",
    columns={"model": (pl.String,)} | dict.fromkeys((*_SCORES, "gini", "top_decile_capture"), _REAL),
    nullable=frozenset((*_SCORES, "gini", "top_decile_capture")),
)
FINDINGS = Contract(
    name="FINDINGS",
    columns={"about": (pl.String,), "severity": (pl.String,), "sentence": (pl.String,), "advice": (pl.String,)},
)
# Heads of the columns and how their numbers are written.
_HEADS = {
    "log_likelihood": "Log-likelihood",
    "aic_gap": "AIC above the best",
    "weight": "Weight by AIC",
    "orders_bias": "Total missed by",
    "mae": "Mean absolute error",
    "rmse": "Root mean square error",
    "log_score": "Log score",
    "coverage_80": f"Inside the 80{NBSP}% interval",
    "coverage_95": f"Inside the 95{NBSP}% interval",
    "gini": "Order by value (Gini)",
    "top_decile_capture": "Value caught by the first tenth",
}


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
    items = "".join(f"<li>{escape(finding)}</li>" for finding in findings)
    listed = f"<ul>{items}</ul>" if items else ""
    markup = f'<section class="cx-verdict"><style>{_SHEET}</style><p>{escape(sentence)}</p>{listed}</section>'
    return Prose(markup=markup, text="\n".join([sentence, *findings]))


def model_table(scores: pl.DataFrame) -> Table:
    """Lay out how well models describe the fitted period and how well they foretold the one after it.

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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(scores, SCORES).select(list(SCORES.columns))
    title = "Models and rules of thumb side by side"
    shown = {name: head for name, head in _HEADS.items() if table[name].null_count() < table.height}
    cells = table.select(
        pl.col("model").alias("line"),
        *(pl.Series(name, [_written(name, value) for value in table[name]], dtype=pl.String) for name in shown),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle="In the fitted period, and in the one after it, which no model had seen",
        heads=shown,
        notes=(
            "AIC above the best: below about two, the orders cannot tell two models apart.",
            (
                "Log score: mean logarithm of one over the chance given to what came; smaller is better, and infinite "
                "where something came that was held impossible."
            ),
            "Gini: 1 when customers are put in the order of the value that they brought, 0 for an order by chance.",
        ),
    )
    return Table(id="models", title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(findings, FINDINGS)
    title = _title(table)
    nothing = {"line": MISSING, "severity": MISSING, "sentence": "Nothing was found.", "advice": MISSING}
    cells = table.select("severity", "sentence", "advice", line="about") if table.height else pl.DataFrame([nothing])
    layout = laid_out(
        cells.select("line", "severity", "sentence", "advice"),
        title=title,
        subtitle="What the orders cannot say, and where a model does not fit",
        heads={"severity": "Weight", "sentence": "Finding", "advice": "What to do"},
        text=("sentence", "advice"),
        badges=("severity",),
        notes=("Stop: do not use what hangs on it. Caution: use it, and say this beside it. Note: good to know.",),
    )
    return Table(id="findings", title=title, layout=layout, twin=table)


def _title(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "The examination of the fits found nothing"
    if "stop" in table["severity"]:
        return "Something found forbids the use of what hangs on it"
    cautions = table.filter(pl.col("severity") == "caution").height
    if cautions == 0:
        return "Nothing found forbids the use of these fits"
    what = "thing" if cautions == 1 else "things"
    return f"The fits can be used; {counted(cautions)} {what} must be said beside them"


def _written(name: str, value: float | None) -> str:
    if value is None:
        return MISSING
    if math.isinf(value):
        return "∞"
    return localise(_WRITERS[name](value).replace("-", MINUS)) if name in _WRITERS else number(value)


def _share(value: float) -> str:
    return f"{100 * value:.1f}{NBSP}%"


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "log_likelihood": "{:,.1f}".format,
    "aic_gap": "{:,.1f}".format,
    "weight": "{:.2f}".format,
    "orders_bias": lambda value: f"{100 * value:+.1f}{NBSP}%",
    "mae": "{:.3f}".format,
    "rmse": "{:.3f}".format,
    "log_score": "{:.3f}".format,
    "coverage_80": _share,
    "coverage_95": _share,
    "gini": "{:.2f}".format,
    "top_decile_capture": _share,
}

_SHEET = (
    ".cx-verdict{max-width:46rem;color:#1f2933;font-size:15px;line-height:1.55}"
    ".cx-verdict p{font-weight:600;margin:.4rem 0 .6rem}"
    ".cx-verdict ul{margin:.2rem 0 1rem;padding-left:1.2rem}"
    ".cx-verdict li{margin:.25rem 0}"
)
