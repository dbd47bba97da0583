"""Whether the fit holds afterwards: daily orders, observed and expected, go in; the tracking figure comes out."""

from __future__ import annotations

from datetime import date

import altair as alt
import polars as pl

from cxsim.charts.frame import Figure, day_in_words, framed, rounded
from cxsim.charts.palette import INK, QUIET, STRATEGIES
from cxsim.errors import TableError
from cxsim.number_style import turned
from cxsim.tables import Contract, check
from cxsim.wording import NBSP

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
        f"After the fit, customers placed {turned(f'{came:,.0f}')} repeat orders; "
        f"the model expected {turned(f'{foreseen:,.0f}')}{_gap(came, foreseen)}"
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
