"""What is worth testing first: a table under INFORMATION goes in, the worth of knowing each number comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.tables import Prose, Table, first_sentence, laid_out, lowered, remark
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    balanced,
    colours,
    framed,
    headings,
    in_brief,
    lines_beside,
    money_axis,
    names_of,
    panels,
    rimmed,
    rounded,
)
from cxsim.study.business.contracts import INFORMATION, SPLIT, TEST_PLAN
from cxsim.tables import check
from cxsim.wording import (
    MISSING,
    NBSP,
    figure,
    joined,
    localise,
    money,
    number,
    percent,
    precision,
    searched,
)

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


def value_of_information(
    information: pl.DataFrame, currency: str, decision: str = PORTFOLIO, *, most: int = 10
) -> Figure:
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
        alt_text=_alt_text(bars, everything, currency),
        width=WIDTH - _COLUMN,
        height=_ROW * bars.height,
    )


def _colour(decision: str, strategies: list[str]) -> str:
    return INK if decision == PORTFOLIO else str(colours(strategies)["range"][strategies.index(decision)])


def _bars(learnt: pl.DataFrame, everything: float) -> pl.DataFrame:
    words = _distinguishable(learnt)
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


def _distinguishable(learnt: pl.DataFrame) -> list[str]:
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


def _alt_text(bars: pl.DataFrame, everything: float, currency: str) -> str:
    rows = bars.head(_READ).select("description", "_value").iter_rows()
    parts = "; ".join(f"{description}: {value}" for description, value in rows)
    return f"Knowing everything: {money(everything, currency)}. {parts}."


# Parts in words, in two lines each, in the order in which they are drawn; how full their colour is, so that
# neighbours differ.
_PARTS = {
    "effects": ("What the strategy", "does and costs", 1.0),
    "economics": ("The shop's prices", "and costs", 0.38),
    "models": ("What the fitted", "models leave open", 0.74),
    "structure": ("Which model", "of leaving", 0.2),
    "luck": ("Luck of who the", "customers are", 0.56),
    "together": ("Only several", "of these together", 0.1),
}
_BAR, _DROP, _HEIGHT = 30, 58, 108
# Shares are estimates that add up by construction, and may be rounded.
_ROUNDING = 0.005
_FIRST = "datum._place === 0"
# So many strategies are told one by one in a title; of more, the one with the least and the most are.
_ALT_TEXT = 3


def variance_split(split: pl.DataFrame) -> Figure:
    """Draw how much of the spread of each strategy's result is the work of which ignorance.

    Parameters
    ----------
    split
        Table under `SPLIT`, strategies in the order of the scenario; the shares of a strategy add up to 1. A share may
        be below zero by chance of simulation, and is then drawn to the left of zero.

    Returns
    -------
    alt.FacetChart
        One bar per strategy; below it each part with its share and its name, and a line to its place in the bar.

    Raises
    ------
    TableError
        For a table that is not under `SPLIT`, an unknown part, a part that stands twice, or shares that do not add up
        to 1.
    """
    table = check(split, SPLIT).rename({"title": "name"})
    owns = [_placed(table.filter(name=name)) for name in names_of(table)]
    bars = rounded(_drawn(pl.concat(owns)))
    below = " Left of zero: below zero by chance of simulation." if bars["share"].to_numpy().min() < 0.0 else ""
    shown = (
        "What makes net present value differ between draws: shares of its variance, 100\N{NO-BREAK SPACE}% per "
        "strategy. The simulation error of a share, two standard errors, is in its tooltip; the width of the interval "
        f"itself stands with the results.{below}"
    )
    drawn = panels(_split_layers(bars), bars, width=WIDTH, height=_HEIGHT)
    return framed(drawn, finding=_split_finding(bars), shown=shown, alt_text=_split_alt_text(bars))


def _placed(own: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of one strategy in their order, with their ends in the bar and the column of their words."""
    name, order = own["name"][0], list(_PARTS)
    for part in own["part"]:
        if part not in _PARTS:
            raise TableError(f"SPLIT: no part '{part}'; {choices(part, order)}")
    if own["part"].n_unique() < own.height:
        raise TableError(f"SPLIT: a part of '{name}' stands twice; found {', '.join(own['part'])}.")
    total = float(own["share"].sum())
    if abs(total - 1.0) > _ROUNDING:
        raise TableError(f"SPLIT: the shares of '{name}' add up to {total:.4f}; they must add up to 1.")
    parts = own.sort(pl.col("part").cast(pl.Enum(order)))
    below = pl.when(pl.col("share") < 0.0).then("share").otherwise(0.0)
    above = pl.col("share") - below
    end = pl.when(pl.col("share") < 0.0).then(below.cum_sum()).otherwise(above.cum_sum())
    words = [_PARTS[part][:2] for part in parts["part"]]
    column = WIDTH / len(order)
    return parts.select(
        "name",
        "share",
        pl.col("mc_error").alias("error") * 2.0,
        pl.Series("part", [" ".join(pair) for pair in words], dtype=pl.String),
        pl.Series("_lines", [f"{a}\n{b}" for a, b in words], dtype=pl.String),
        pl.Series("_percent", [_written(share) for share in parts["share"]], dtype=pl.String),
        pl.Series("_full", [_PARTS[part][2] for part in parts["part"]], dtype=pl.Float64),
        pl.Series("_at", [column * order.index(part) for part in parts["part"]], dtype=pl.Float64),
        _start=end - pl.col("share"),
        _end=end,
        _place=pl.int_range(pl.len()),
        _note=pl.lit(""),
    )


def _drawn(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the parts with their ends in pixels: lines lead from the bar to words that have no place on its scale."""
    ends = parts.select(low=pl.min_horizontal("_start", "_end").min(), high=pl.max_horizontal("_start", "_end").max())
    low, high = ends.row(0)
    pixel = WIDTH / (max(high, 1.0) - low)
    return parts.with_columns(((pl.col("_start", "_end") - low) * pixel).round(1)).with_columns(
        _middle=((pl.col("_start") + pl.col("_end")) / 2.0).round(1), _foot=pl.col("_at") + 12.0
    )


def _split_layers(bars: pl.DataFrame) -> list[alt.Chart]:
    colour = alt.Color("name:N", scale=colours(names_of(bars)), legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("part:N", title="Part"),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
        alt.Tooltip("error:Q", title="Two standard errors", format=".1%"),
    ]
    drawn = alt.Chart()
    bar = drawn.mark_bar(height=_BAR, stroke="#FFFFFF", strokeWidth=1.5, aria=False).encode(
        x=alt.X("_start:Q", scale=None),
        x2="_end:Q",
        y=alt.value(_BAR / 2),
        color=colour,
        opacity=alt.Opacity("_full:Q", scale=None),
        tooltip=tooltip,
    )
    return [bar, _leads(drawn), *_words(drawn), *headings(_FIRST, colour, indent=0)]


def _leads(drawn: alt.Chart) -> alt.Chart:
    """Return a line from the middle of each part down to its words; a part of nothing has none."""
    seen = alt.condition("datum.share > 0.0005", alt.value(1.0), alt.value(0.0))
    lead = drawn.mark_rule(color=QUIET, strokeWidth=1, aria=False)
    down = {"y": alt.value(_BAR + 2), "y2": alt.value(_DROP)}
    encoded: alt.Chart = lead.encode(x=alt.X("_middle:Q", scale=None), x2="_foot:Q", opacity=seen, **down)
    return encoded


def _words(drawn: alt.Chart) -> list[alt.Chart]:
    at = alt.X("_at:Q", scale=None)
    text = {
        "_percent": drawn.mark_text(align="left", baseline="top", fontWeight="bold", fontSize=13, aria=False),
        "_lines": drawn.mark_text(
            align="left", baseline="top", fontSize=11.5, color=QUIET, lineBreak="\n", lineHeight=13, dy=17, aria=False
        ),
    }
    return [mark.encode(x=at, y=alt.value(_DROP + 4), text=f"{field}:N") for field, mark in text.items()]


def _written(share: float) -> str:
    return percent(share) if share > 0.0 else f"0{NBSP}%" if share == 0.0 else f"\N{MINUS SIGN}{percent(-share)}"


def _split_finding(bars: pl.DataFrame) -> str:
    """Return the largest part of each strategy, told together where it is the same."""
    largest = bars.sort("share", descending=True, maintain_order=True).unique("name", keep="first", maintain_order=True)
    order = names_of(bars)
    largest = largest.sort(pl.col("name").cast(pl.Enum(order)))
    parts = largest["part"].unique(maintain_order=True).to_list()
    alt_text = []
    for part in parts:
        own = largest.filter(part=part)
        shares = sorted(own["share"].to_list())
        least, most = _written(shares[0]), _written(shares[-1])
        span = most if least == most else f"{least.removesuffix(f'{NBSP}%')} to {most}"
        who = joined(own["name"].to_list()) if own.height <= _ALT_TEXT else f"{own.height} strategies"
        alt_text.append(f"{part.lower()} for {who} ({span})")
    return f"Largest source of doubt: {'; '.join(alt_text)}"


def _split_alt_text(bars: pl.DataFrame) -> str:
    alt_text = []
    for name, own in bars.group_by("name", maintain_order=True):
        parts = "; ".join(f"{part.lower()} {share}" for part, share in own.select("part", "_percent").iter_rows())
        alt_text.append(f"{name[0]}: {parts}.")
    return " ".join(alt_text)


# Single numbers that are shown of each decision, the most worthwhile first; the twin has them all.
_SHOWN = 3
_EVERYTHING = "everything"
# A worth below so many of its errors is not told apart from nothing.
_APART = 2.0


def information_table(information: pl.DataFrame, currency: str) -> Table | Prose:
    """List what it would be worth to know before deciding, most first.

    Parameters
    ----------
    information
        Table under `INFORMATION`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        Of each decision everything, and the groups and the few single numbers that are worth anything; its twin has all
        of them. One sentence where nothing was asked.

    Raises
    ------
    TableError
        For a table that is not under `INFORMATION`.
    """
    table = check(information, INFORMATION)
    if table.is_empty():
        return remark("Nothing here is uncertain, so there is nothing that would be worth knowing before deciding.")
    heads = {"kind": "What it is", "worth": f"Worth at most, {currency}", "share": "Of the worth of knowing everything"}
    title = _information_finding(table, currency)
    parts = table.partition_by("decision", maintain_order=True)
    rows = [row for part in parts for row in _sorted(part.filter(_shown())).rows(named=True)]
    layout = laid_out(
        pl.DataFrame(
            [_cells(row) for row in rows], schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"
        ),
        title=title,
        subtitle=f"By how much the decision would be better on average if the answer were known first; {currency}",
        heads=heads,
        text=("kind",),
        notes=(
            (
                "A perfect answer is worth what it saves: the money lost by funding what does not pay, or missed by "
                "not funding what does, weighted by how likely that is. It is the most that a test, a survey or a "
                "study should cost; a real test answers less than perfectly and is worth less."
            ),
            "An answer that would not change the decision is worth nothing, however uncertain the number is.",
            (
                f"±: simulation error. Shown are groups and at most {_SHOWN} single numbers of each decision, where "
                "they are worth anything; the CSV file lists all. The worths of single answers do not add up to that "
                "of everything."
            ),
        ),
    )
    return Table(id="information", title=title, layout=layout, twin=table)


def _shown() -> pl.Expr:
    return (pl.col("id") == _EVERYTHING) | ((pl.col("rank") <= _SHOWN) & (pl.col("worth") > 0.0))


def _sorted(part: pl.DataFrame) -> pl.DataFrame:
    """Return everything, then groups, then single numbers, each with the most worthwhile first."""
    return part.sort(pl.col("id") != _EVERYTHING, pl.col("rank") > 0, -pl.col("worth"), "rank", "id")


def _kind(row: Mapping[str, Any]) -> str:
    if row["id"] == _EVERYTHING:
        return "all"
    return f"one{NBSP}number" if row["rank"] > 0 else "a group"


def _cells(row: Mapping[str, Any]) -> list[str]:
    share = row["share_of_everything"]
    return [
        row["title"],
        first_sentence(row["description"]),
        _kind(row),
        f"{_amount(row['worth'])} ± {_amount(row['mc_error'])}",
        MISSING if share is None or row["id"] == _EVERYTHING else percent(share),
    ]


def _amount(amount: float) -> str:
    return number(amount) if amount > 0.0 else "0"


def _information_finding(table: pl.DataFrame, currency: str) -> str:
    single = table.filter(pl.col("rank") > 0).sort(["worth", "decision", "id"], descending=[True, False, False])
    known = single.filter(pl.col("worth") > _APART * pl.col("mc_error"))
    if known.is_empty():
        most = table.filter(pl.col("id") == _EVERYTHING)["worth"].max()
        bound = "" if most is None else f"; even knowing everything is worth at most {money(float(most), currency)}"  # type: ignore[arg-type]
        return f"No single answer is worth paying for before deciding{bound}"
    best = known.row(0, named=True)
    what = first_sentence(best["description"])
    return f"Worth knowing first, at most {money(best['worth'], currency)}: {what} ({best['title']})"


_NOTES = (
    (
        "Usual ± spread: mean and standard deviation of the outcome between customers, per customer. Gain to "
        "be seen: the true difference per customer that the test finds with the chance above."
    ),
    (
        "There are: customers whom the strategy may reach within the first year. Weeks: from the first "
        "customer in the test until the last has been watched. A dash: too few customers come."
    ),
    (
        "Worth at most: what it would be worth to have the answer before deciding, if the test gave it without "
        "error; cost of the test not taken off."
    ),
)


def test_plan_table(test_plan: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the test of each strategy: customers, duration, the gain it must show and what its answer is worth.

    Parameters
    ----------
    test_plan
        Table under `TEST_PLAN`.
    currency
        Code of the currency, as "USD"; that of the outcome, of the difference and of the worth.

    Returns
    -------
    Table or Prose
        One row per length of watching, under the strategy; one sentence where no test is planned.

    Raises
    ------
    TableError
        For a table that is not under `TEST_PLAN`.
    """
    table = check(test_plan, TEST_PLAN)
    if table.is_empty():
        return remark("No test is planned here: there is no number whose answer could change a decision.")
    heads = {
        "usual": f"Usual ± spread, {currency}",
        "difference": f"Gain to be seen, {currency}",
        "per_group": "Customers in each group",
        "available": "There are",
        "weeks": "Weeks to the decision",
        "worth": f"Worth at most, {currency}",
        "remark": "Remark",
    }
    title = _plan_of_tests_finding(table, currency)
    layout = laid_out(
        pl.DataFrame(
            [_plan_of_tests_cells(row) for row in table.rows(named=True)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle=f"The strategy for one half of those it may reach, nothing for the other, by lot; {_chances(table)}",
        heads=heads,
        text=("remark",),
        notes=(*_verdicts(table), *_NOTES),
    )
    return Table(id="test-plan", title=title, layout=layout, twin=table)


def _verdicts(table: pl.DataFrame) -> list[str]:
    chosen = table.filter("chosen").select("title", "verdict").rows()
    return [f"{title}: {lowered(verdict)}" for title, verdict in chosen]


def _plan_of_tests_cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["description"],
        row["outcome"],
        f"{number(row['mean'])} ± {number(row['sd'])}",
        number(row["difference"]),
        localise(f"{row['per_group']:,}"),
        localise(f"{row['available']:,}"),
        _weeks(row),
        number(row["worth"]) if row["chosen"] else "",
        "best of these" if row["chosen"] else "",
    ]


def _weeks(row: Mapping[str, Any]) -> str:
    return MISSING if row["weeks"] is None else localise(f"{row['weeks']:,.0f}")


def _chances(table: pl.DataFrame) -> str:
    """Return the chances of a false alarm and of seeing a true gain, as the tests have them."""
    pairs = table.select("alpha", "power").unique().sort("alpha", "power").rows()
    alt_text = [
        f"{percent(alpha)} chance of a false alarm, {percent(power)} of seeing a true gain" for alpha, power in pairs
    ]
    return joined(alt_text)


def _plan_of_tests_finding(table: pl.DataFrame, currency: str) -> str:
    possible = table.filter(pl.col("chosen") & pl.col("weeks").is_not_null() & (pl.col("worth") > 0.0))
    if possible.is_empty():
        return "No test is both possible with these customers and worth anything"
    first = possible.sort(["worth", "strategy"], descending=[True, False]).row(0, named=True)
    return (
        f"Test {first['title']} first: {figure(2 * first['per_group'])} customers and {figure(first['weeks'])} weeks "
        f"for an answer worth at most {money(first['worth'], currency)}"
    )
