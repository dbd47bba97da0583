"""Whether spend and frequency go together: a table under RFM goes in, the figure of their independence comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import Figure, framed, money_axis, rounded
from cxsim.charts.palette import BASELINE, INK
from cxsim.errors import TableError
from cxsim.number_style import turned
from cxsim.quantity import Z95
from cxsim.tables import RFM, check
from cxsim.wording import INTERVAL, MINUS, number

_LAST_CLASS = 7
# Usual bounds of a correlation in words (Cohen 1988, Statistical Power Analysis, p. 79).
_STRENGTHS = ((0.1, "hardly related"), (0.3, "weakly related"), (0.5, "moderately related"), (1.1, "strongly related"))


def spend_by_frequency(rfm: pl.DataFrame, currency: str) -> Figure:
    """Draw whether customers who come back more often spend more per order; the spend model assumes they do not.

    Parameters
    ----------
    rfm
        Table under `RFM`; customers without a repeat order take no part.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        Mean spend per order with its 90 % interval by number of repeat orders, and the mean of all as a rule.

    Raises
    ------
    TableError
        If the table is not under `RFM`, or its customers do not allow a correlation.
    """
    buyers = check(rfm, RFM).filter(pl.col("frequency") > 0)
    correlation = _correlation(buyers)
    told = turned(f"{correlation:.2f}".replace("-", MINUS))
    finding = f"How often customers order and how much they spend are {_strength(correlation)} (correlation {told})"
    shown = (
        f"Mean spend per order, {currency}, by number of repeat orders, with the {INTERVAL} of the mean. "
        "Grey rule: mean of all customers who came back. The spend model assumes that all lie on it."
    )
    classes = _classes(buyers)
    rows = classes.select("frequency", "mean").iter_rows()
    numbers = "; ".join(f"{label} repeat orders: {number(mean)}" for label, mean in rows)
    overall = buyers.select(mean=pl.col("monetary_value").mean())
    drawn = _layers(rounded(classes), rounded(overall), currency)
    return framed(drawn, finding=finding, shown=shown, told=f"{numbers}.")


def _correlation(buyers: pl.DataFrame) -> float:
    if buyers.height < 3 or buyers["frequency"].n_unique() < 2 or buyers["monetary_value"].n_unique() < 2:
        raise TableError(
            "RFM: a correlation needs at least three customers with repeat orders who differ in frequency and in "
            f"monetary_value; found {buyers.height} customers, {buyers['frequency'].n_unique()} frequencies and "
            f"{buyers['monetary_value'].n_unique()} monetary values."
        )
    return float(buyers.select(pl.corr("frequency", "monetary_value")).item())


def _strength(correlation: float) -> str:
    return next(words for bound, words in _STRENGTHS if abs(correlation) < bound)


def _classes(buyers: pl.DataFrame) -> pl.DataFrame:
    """Return mean spend and its interval by frequency; a class of one customer has a mean but no interval."""
    capped = pl.min_horizontal(pl.col("frequency"), pl.lit(_LAST_CLASS))
    label = pl.when(pl.col("class") == _LAST_CLASS).then(pl.format("{}+", "class")).otherwise(pl.format("{}", "class"))
    half = Z95 * pl.col("spread") / pl.col("customers").sqrt()
    return (
        buyers.group_by(capped.alias("class"))
        .agg(customers=pl.len(), mean=pl.col("monetary_value").mean(), spread=pl.col("monetary_value").std())
        .sort("class")
        .select("customers", "mean", frequency=label, low=pl.col("mean") - half, high=pl.col("mean") + half)
    )


def _layers(classes: pl.DataFrame, overall: pl.DataFrame, currency: str) -> Figure:
    order = classes["frequency"].to_list()
    x = alt.X("frequency:O", sort=order, title="Repeat orders", axis=alt.Axis(labelAngle=0))
    amounts = money_axis(f"Spend per order, {currency}", largest=float(classes["mean"].max()))  # type: ignore[arg-type]
    tooltip = [
        alt.Tooltip("frequency:O", title="Repeat orders"),
        alt.Tooltip("customers:Q", title="Customers", format=","),
        alt.Tooltip("mean:Q", title=f"Mean spend, {currency}", format=",.3~r"),
        alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=",.3~r"),
        alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=",.3~r"),
    ]
    drawn = alt.Chart(classes).encode(x=x, tooltip=tooltip)
    rule = alt.Chart(overall).mark_rule(color=BASELINE, strokeWidth=2).encode(y="mean:Q")
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45)
    spread = interval.encode(y=alt.Y("low:Q", axis=amounts), y2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y=alt.Y("mean:Q", axis=amounts))
    return alt.layer(rule, spread, point)
