"""What is worth testing first: a table under INFORMATION goes in, the worth of knowing each number comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import INFORMATION
from cxsim.charts.amounts import in_brief
from cxsim.charts.frame import WIDTH, Figure, balanced, framed, money_axis, rounded
from cxsim.charts.palette import INK, colours
from cxsim.charts.panels import lines_beside, rimmed
from cxsim.errors import TableError, choices
from cxsim.tables import check
from cxsim.wording import money, precision, searched

EVERYTHING = "everything"
PORTFOLIO = "portfolio"
_COLUMN = 232
_CHARACTERS = 40
_ROW = 38
# Room for the amount beside a bar, in pixels.
_ENDS = 100
_READ = 5
# So many groups of numbers are drawn below the numbers, those most worth knowing.
_GROUPS = 5


def worth_of_knowing(information: pl.DataFrame, currency: str, decision: str = PORTFOLIO, *, most: int = 10) -> Figure:
    """Draw what it would be worth to know a number, or a group of them, before deciding.

    Parameters
    ----------
    information
        Table under `INFORMATION`, with all strategies of the scenario in their order.
    currency
        Code of the currency, as "USD".
    decision
        A strategy, for funding it or not, or `portfolio`, for choosing among all of them.
    most
        How many bars are drawn, at least 1; those of the highest rank.

    Returns
    -------
    alt.LayerChart
        One bar per number with two simulation errors to both sides, and a line at the worth of knowing everything.

    Raises
    ------
    TableError
        If the table is not under `INFORMATION`, lacks the decision, its row `everything`, or any other row of it.
    """
    table = check(information, INFORMATION)
    known = table["decision"].unique(maintain_order=True).to_list()
    if decision not in known:
        raise TableError(f"INFORMATION: no decision '{decision}'; {choices(decision, known)}")
    own = table.filter(decision=decision)
    whole = own.filter(id=EVERYTHING)
    learnt = own.filter(pl.col("id") != EVERYTHING)
    if whole.height != 1 or learnt.is_empty():
        raise TableError(
            f"INFORMATION: decision '{decision}' has {whole.height} rows '{EVERYTHING}' and {learnt.height} others; "
            "it needs one, and one other at least."
        )
    everything = float(whole["worth"][0])
    numbers = learnt.filter(pl.col("rank") > 0).sort("rank")
    groups = learnt.filter(rank=0).sort("worth", "id", descending=[True, False]).head(_GROUPS)
    bars = rounded(_bars(pl.concat([numbers.head(most), groups]), everything))
    fewer = f" The first {most} of {numbers.height} numbers." if numbers.height > most else ""
    hollow = " Hollow: all numbers of a group together." if groups.height else ""
    what = "choosing one of the strategies, or none" if decision == PORTFOLIO else f"funding {own['title'][0]} or not"
    shown = (
        f"Expected gain, {currency}, of knowing a number exactly before {what}: the most that a test of it may cost. "
        f"Lines at the ends: two standard errors of the simulation; such a mean has no other interval.{hollow}{fewer}"
    )
    colour = _colour(decision, [name for name in known if name != PORTFOLIO])
    drawn = alt.layer(*_layers(bars, everything, currency, colour))
    return framed(
        drawn,
        finding=_finding(numbers, everything, currency),
        shown=shown,
        told=_told(bars, everything, currency),
        width=WIDTH - _COLUMN,
        height=_ROW * bars.height,
    )


def _colour(decision: str, strategies: list[str]) -> str:
    return INK if decision == PORTFOLIO else str(colours(strategies)["range"][strategies.index(decision)])


def _bars(learnt: pl.DataFrame, everything: float) -> pl.DataFrame:
    words = _told_apart(learnt)
    return learnt.select(
        pl.int_range(1, pl.len() + 1).alias("place"),
        pl.when(pl.col("rank") == 0).then(pl.lit("group")).otherwise(pl.lit("number")).alias("kind"),
        pl.Series("description", words, dtype=pl.String),
        "worth",
        pl.Series("error", 2.0 * learnt["mc_error"], dtype=pl.Float64),
        pl.Series("_label", ["\n".join(balanced(in_brief(text, 2 * _CHARACTERS), _CHARACTERS + 3)) for text in words]),
        pl.Series("_value", _with_errors(learnt, everything)),
        _low=pl.col("worth") - 2.0 * pl.col("mc_error"),
        _high=pl.col("worth") + 2.0 * pl.col("mc_error"),
    )


def _told_apart(learnt: pl.DataFrame) -> list[str]:
    """Return descriptions; where two are the same, each with what its number belongs to, as its identifier says."""
    words = [searched(description) for description in learnt["description"]]
    owners = [identifier.split("/")[1].replace("-", " ") if "/" in identifier else "" for identifier in learnt["id"]]
    return [
        f"{owner[:1].upper()}{owner[1:]}: {text[:1].lower()}{text[1:]}" if words.count(text) > 1 and owner else text
        for text, owner in zip(words, owners, strict=True)
    ]


def _with_errors(learnt: pl.DataFrame, everything: float) -> list[str]:
    """Return worth and error of each number, all rounded alike, for they are read against each other."""
    together = precision([everything, *learnt["worth"]])
    return [
        f"{together.bare(worth)} ± {together.text(2.0 * error)}"
        for worth, error in learnt.select("worth", "mc_error").iter_rows()
    ]


def _layers(bars: pl.DataFrame, everything: float, currency: str, colour: str) -> list[alt.Chart]:
    title = f"Worth of knowing, {currency}"
    largest = max(float(bars["_high"].to_numpy().max()), everything)
    room = (WIDTH - _COLUMN) / (WIDTH - _COLUMN - _ENDS)
    domain = [min(0.0, float(bars["_low"].to_numpy().min())), room * (largest or 1.0)]
    x = alt.X("worth:Q", axis=money_axis(title, largest=largest), scale=alt.Scale(domain=domain, nice=False))
    drawn = alt.Chart(bars).encode(y=alt.Y("place:O", axis=None))
    tooltip = [
        alt.Tooltip("place:Q", title="Place"),
        alt.Tooltip("kind:N", title="Kind"),
        alt.Tooltip("description:N", title="Number"),
        alt.Tooltip("worth:Q", title=title, format=",.3~r"),
        alt.Tooltip("error:Q", title="Two standard errors", format=",.3~r"),
    ]
    beside = drawn.encode(x=alt.X("_high:Q", title=title), text="_value:N")
    hollow = alt.condition("datum.kind === 'group'", alt.value(0.0), alt.value(0.5))
    bar = drawn.mark_bar(height=16, color=colour, stroke=colour, aria=False).encode(x=x, tooltip=tooltip)
    return [
        bar.encode(fillOpacity=hollow),
        *_reference(everything, currency),
        drawn.mark_rule(color=INK, strokeWidth=1.5, aria=False).encode(x=alt.X("_low:Q", title=title), x2="_high:Q"),
        *rimmed(beside, align="left", gap=6),
        lines_beside(drawn, indent=_COLUMN),
    ]


def _reference(everything: float, currency: str) -> list[alt.Chart]:
    at = alt.Chart(pl.DataFrame({"_worth": [everything], "_label": [f"Everything: {money(everything, currency)}"]}))
    rule = at.mark_rule(color=INK, strokeDash=[4, 3], strokeWidth=1.4, aria=False).encode(x="_worth:Q")
    words = at.mark_text(align="center", baseline="bottom", fontWeight="bold", dy=-6, aria=False)
    return [rule, words.encode(x="_worth:Q", y=alt.value(0), text="_label:N")]


def _finding(numbers: pl.DataFrame, everything: float, currency: str) -> str:
    first, error = next(numbers.select("worth", "mc_error").iter_rows(), (0.0, 0.0))
    if first <= 2.0 * error:
        whole = "" if everything > 0.0 else ", nor would knowing everything"
        return f"Knowing any one number better would not clearly change the decision{whole}"
    words = in_brief(searched(numbers["description"][0]), 2 * _CHARACTERS)
    return f"Test first: “{words}”; to know it is worth up to {money(first, currency)}"


def _told(bars: pl.DataFrame, everything: float, currency: str) -> str:
    rows = bars.head(_READ).select("description", "_value").iter_rows()
    parts = "; ".join(f"{description}: {value}" for description, value in rows)
    return f"Knowing everything: {money(everything, currency)}. {parts}."
