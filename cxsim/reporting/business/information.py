"""What is worth testing first: tables under INFORMATION, SPLIT and TEST_PLAN in; figures and tables of value out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.finance.returns import BEYOND
from cxsim.reporting.tables import CURRENCY, Column, Prose, Row, Table, TableSpec, capitalised
from cxsim.reporting.theme import (
    COLUMN,
    GROUND,
    INK,
    QUIET,
    WIDTH,
    Figure,
    colours,
    distinct,
    either,
    framed,
    in_column,
    in_order,
    lines_beside,
    money_axis,
    names_of,
    read_out,
    read_out_by_name,
    require_known,
    rimmed,
    rounded,
    rows_of,
    shortened,
    strategy_colour,
    strategy_panels,
    tooltips,
    with_texts,
)
from cxsim.study.business.experiments import TEST_PLAN
from cxsim.study.business.information import INFORMATION, SPLIT
from cxsim.tables import check
from cxsim.wording import (
    MINUS,
    NBSP,
    figure,
    first_sentence,
    joined,
    labelled,
    lowered,
    money,
    number,
    percent,
    precision,
    searched,
)

EVERYTHING = "everything"
# How the numbers of a planned test are found.
_PLAN = "test-plan"
PORTFOLIO = "portfolio"
_ROW = 38
# Width for the amount beside a bar, in pixels.
_ENDS = 100
# So many numbers are drawn, those of the highest rank, and so many read out.
_MOST, _READ = 10, 5
# So many groups of numbers are drawn below the numbers, those of the highest value.
_GROUPS = 5
# Parts in words, in two lines each, in the order in which they are drawn; how full their colour is, so that
# neighbours differ; and where their words stand, in pixels.
_PARTS = pl.DataFrame(
    [
        ("effects", "Effects and costs\nof the programme", 1.0),
        ("economics", "Prices and costs\nof the shop", 0.38),
        ("models", "Parameters of\nfitted models", 0.74),
        ("structure", "Choice of\ndropout model", 0.2),
        ("sampling", "Sampling\nvariation", 0.56),
        ("together", "Interactions\nof these", 0.1),
    ],
    schema=["part", "_lines", "_full"],
    orient="row",
).with_columns(_at=pl.int_range(pl.len()) * (WIDTH / pl.len()))
_BAR, _DROP, _HEIGHT = 30, 58, 108
# Shares are estimates that add up by construction, and may be rounded.
_ROUNDING = 0.005
# So many strategies are named one by one in a title.
_NAMED = 3
# Single numbers that are shown of each decision, the most valuable first; the twin has them all.
_SHOWN = 3


def value_of_information(information: pl.DataFrame, currency: str, decision: str = PORTFOLIO) -> Figure:
    """Draw what it would be worth to know a number, or a group of them, before deciding.

    Parameters
    ----------
    information
        Table under `INFORMATION`, with all strategies of the scenario in their order.
    currency
        Code of the currency, as "USD".
    decision
        A strategy, for funding it or not, or `portfolio`, for choosing among all of them.

    Returns
    -------
    alt.LayerChart
        One bar per number, ten at most, with two simulation errors to both sides, and a line at the value of perfect
        information.

    Raises
    ------
    TableError
        If the table is not under `INFORMATION`, lacks the decision, its row `everything`, or any other row of it.
    """
    own = rows_of(check(information, INFORMATION), INFORMATION, decision, by="decision")
    whole, learnt = own.filter(id=EVERYTHING), own.filter(pl.col("id") != EVERYTHING)
    if whole.height != 1 or learnt.is_empty():
        raise TableError(
            f"INFORMATION: decision '{decision}' has {whole.height} rows '{EVERYTHING}' and {learnt.height} others; "
            "it needs one, and one other at least."
        )
    everything = float(whole["worth"][0])
    numbers = learnt.filter(pl.col("rank") > 0).sort("rank")
    groups = learnt.filter(rank=0).sort("worth", "id", descending=[True, False]).head(_GROUPS)
    bars = rounded(_bars(pl.concat([numbers.head(_MOST), groups]), everything))
    fewer = f" The first {_MOST} of {numbers.height} assumptions." if numbers.height > _MOST else ""
    hollow = " Hollow: all assumptions of a group." if groups.height else ""
    what = lowered(own["title"][0]) if decision == PORTFOLIO else f"decision on {own['title'][0]} alone"
    shown = (
        f"Expected value, {currency}, of perfect information on an assumption before the {what}: the most that a "
        f"test of it may cost. ±: simulation error; lines: ± two simulation errors.{hollow}{fewer}"
    )
    strategies = distinct(information.filter(pl.col("decision") != PORTFOLIO), "decision")
    shades = dict(zip(strategies, colours(strategies)["range"], strict=True))
    return framed(
        alt.layer(*_layers(bars, everything, currency, shades.get(decision, INK))),
        finding=_finding(numbers, everything, currency),
        shown=shown,
        alt_text=(
            f"Perfect information: {money(everything, currency)}. "
            f"{read_out(bars.head(_READ), '{description}: {_value}', '; ')}."
        ),
        width=WIDTH - COLUMN,
        height=_ROW * bars.height,
        measures=("value_of_information", "perfect-information"),
    )


def variance_split(split: pl.DataFrame) -> Figure:
    """Draw how much of the spread of each strategy's result comes from which uncertainty.

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
    bars = rounded(_in_pixels(pl.concat(map(_placed, table.partition_by("name", maintain_order=True)))))
    below = " Left of zero: negative within simulation error." if (bars["share"] < 0.0).any() else ""
    shown = (
        f"Sources of the variance of NPV between draws; 100{NBSP}% per programme. The simulation error of a share, two "
        f"standard errors, is in its tooltip.{below}"
    )
    drawn = strategy_panels(_split_layers(bars), bars, indent=0, height=_HEIGHT)
    parts = bars.with_columns(pl.col("part").str.to_lowercase())
    alt_text = read_out_by_name(parts, "{part} {_percent}")
    return framed(drawn, finding=_split_finding(bars), shown=shown, alt_text=alt_text)


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
    """
    return _INFORMATION.render_or_remark(information, currency)


def test_plan_table(test_plan: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the test of each strategy: customers, duration, the gain it must show and the value of its answer.

    Parameters
    ----------
    test_plan
        Table under `TEST_PLAN`.
    currency
        Code of the currency, as "USD"; that of the outcome, of the difference and of the value.

    Returns
    -------
    Table or Prose
        One row per length of follow-up, under the strategy; one sentence where no test is planned.
    """
    return _TEST_PLAN.render_or_remark(test_plan, currency)


def _bars(learnt: pl.DataFrame, everything: float) -> pl.DataFrame:
    words = [searched(description) for description in learnt["description"]]
    together = precision([everything, *learnt["worth"]])

    def description(row: Row) -> str:
        """Return what a number means; where two mean the same, with what it belongs to, as its identifier says."""
        text = searched(row["description"])
        owner = f"{row['id']}/".split("/")[1].replace("-", " ")
        return f"{capitalised(owner)}: {lowered(text)}" if owner and words.count(text) > 1 else text

    bars = with_texts(
        learnt,
        {
            "description": description,
            "_label": lambda row: in_column(description(row)),
            "_value": lambda row: f"{together.bare(row['worth'])} ± {together.text(row['mc_error'])}",
        },
    )
    worth, error = pl.col("worth"), BEYOND * pl.col("mc_error")
    return bars.select(
        pl.int_range(1, pl.len() + 1).alias("place"),
        pl.when(rank=0).then(pl.lit("group")).otherwise(pl.lit("number")).alias("kind"),
        *("description", "worth"),
        error.alias("error"),
        *("_label", "_value"),
        _low=worth - error,
        _high=worth + error,
    )


def _layers(bars: pl.DataFrame, everything: float, currency: str, colour: str) -> list[alt.Chart]:
    title = f"Value of information, {currency}"
    largest = max(everything, *bars["_high"])
    beside = (WIDTH - COLUMN) / (WIDTH - COLUMN - _ENDS)
    scale = alt.Scale(domain=[min(0.0, *bars["_low"]), beside * (largest or 1.0)], nice=False)
    x = alt.X("worth:Q", axis=money_axis(title, largest=largest), scale=scale)
    tips = {"place:I": "Place", "kind:N": "Kind", "description:N": "Number", "worth:Q": title}
    drawn = alt.Chart(bars).encode(y=alt.Y("place:O", axis=None))
    bar = drawn.mark_bar(height=16, color=colour, stroke=colour, aria=False)
    hollow = either("datum.kind === 'group'", 0.0, 0.5)
    line = drawn.mark_rule(color=INK, strokeWidth=1.5, aria=False)
    amounts = drawn.encode(x=alt.X("_high:Q", title=title), text="_value:N")
    words = {"_worth": [everything], "_label": [f"Perfect information: {money(everything, currency)}"]}
    whole = alt.Chart(pl.DataFrame(words)).encode(x="_worth:Q")
    named = whole.mark_text(align="center", baseline="bottom", fontWeight="bold", dy=-6, aria=False)
    return [
        bar.encode(x=x, tooltip=tooltips(tips | {"error:Q": "Two standard errors"}), fillOpacity=hollow),
        whole.mark_rule(color=INK, strokeDash=[4, 3], strokeWidth=1.4, aria=False),
        named.encode(y=alt.value(0), text="_label:N"),
        line.encode(x=alt.X("_low:Q", title=title), x2="_high:Q"),
        *rimmed(amounts, align="left", gap=6),
        lines_beside(drawn, indent=COLUMN),
    ]


def _finding(numbers: pl.DataFrame, everything: float, currency: str) -> str:
    first, error = next(numbers.select("worth", "mc_error").iter_rows(), (0.0, 0.0))
    if first <= BEYOND * error:
        whole = "" if everything > 0.0 else ", nor would perfect information"
        return f"Better information on any one assumption would not clearly change the decision{whole}"
    words = shortened(searched(numbers["description"][0]), 80)
    amount = labelled(money(first, currency), "value_of_information", "each", "perfect-information")
    next_worth, next_error = next(numbers[1:].select("worth", "mc_error").iter_rows(), (0.0, 0.0))
    near = first - next_worth <= BEYOND * math.hypot(error, next_error) and next_worth > 0.0
    close = "; no clear difference from the next" if near else ""
    return f"Highest value of perfect information on a single assumption: “{words}”, {amount}{close}"


def _placed(own: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of one strategy in their order, with their ends in the bar and the column of their words."""
    name, total = own["name"][0], float(own["share"].sum())
    for part in own["part"]:
        require_known(SPLIT, "part", part, _PARTS["part"])
    if own["part"].n_unique() < own.height:
        raise TableError(f"SPLIT: a part of '{name}' stands twice; found {', '.join(own['part'])}.")
    if abs(total - 1.0) > _ROUNDING:
        raise TableError(f"SPLIT: the shares of '{name}' add up to {total:.4f}; they must add up to 1.")
    share = pl.col("share")
    below, above = share.clip(upper_bound=0.0).cum_sum(), share.clip(0.0).cum_sum()
    end = pl.when(share < 0.0).then(below).otherwise(above)
    parts = _PARTS.join(own, on="part", maintain_order="left")
    return with_texts(parts, {"_percent": lambda row: _written(row["share"])}).select(
        *("name", "share", "_lines", "_percent", "_full", "_at"),
        error=BEYOND * pl.col("mc_error"),
        part=pl.col("_lines").str.replace("\n", " "),
        _start=end - share,
        _end=end,
        _note=pl.lit(""),
    )


def _in_pixels(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the parts with their ends in pixels: lines lead from the bar to words that have no place on its scale."""
    ends = [*parts["_start"], *parts["_end"]]
    pixel = WIDTH / (max(1.0, *ends) - min(ends))
    placed = parts.with_columns(((pl.col("_start", "_end") - min(ends)) * pixel).round(1))
    return placed.with_columns(_middle=pl.mean_horizontal("_start", "_end").round(1), _foot=pl.col("_at") + 12.0)


def _split_layers(bars: pl.DataFrame) -> list[alt.Chart]:
    tips = {"name:N": "Programme", "part:N": "Part", "share:P": "Share", "error:P": "Two standard errors"}
    drawn = alt.Chart()
    bar = drawn.mark_bar(height=_BAR, stroke=GROUND, strokeWidth=1.5, aria=False).encode(
        x=alt.X("_start:Q", scale=None),
        x2="_end:Q",
        y=alt.value(_BAR / 2),
        color=strategy_colour(names_of(bars)),
        opacity=alt.Opacity("_full:Q", scale=None),
        tooltip=tooltips(tips),
    )
    # A line from the middle of each part down to its words; a part of nothing has none.
    seen = either("datum.share > 0.0005", 1.0, 0.0)
    line = drawn.mark_rule(color=QUIET, strokeWidth=1, aria=False)
    down = line.encode(x=alt.X("_middle:Q", scale=None), x2="_foot:Q", y=alt.value(_BAR + 2), y2=alt.value(_DROP))
    text = drawn.encode(x=alt.X("_at:Q", scale=None), y=alt.value(_DROP + 4))
    share = text.mark_text(align="left", baseline="top", fontWeight="bold", fontSize=13, aria=False)
    name = text.mark_text(
        align="left", baseline="top", fontSize=11.5, color=QUIET, lineBreak="\n", lineHeight=13, dy=17, aria=False
    )
    return [
        bar,
        down.encode(opacity=seen),
        share.encode(text="_percent:N"),
        name.encode(text="_lines:N"),
    ]


def _written(share: float) -> str:
    """Return a share, which is nothing where it is negative by less than is ever stated."""
    if share > 0.0:
        return percent(share)
    return f"{MINUS}{percent(-share)}" if share < -0.005 else f"0{NBSP}%"


def _split_finding(bars: pl.DataFrame) -> str:
    """Return the largest part of each strategy, together where it is the same."""
    largest = bars.group_by("name", maintain_order=True).agg(pl.col("part", "share").get(pl.col("share").arg_max()))
    parts = []
    for (part,), own in largest.group_by("part", maintain_order=True):
        shares = own["share"].sort()
        least, most = _written(shares[0]), _written(shares[-1])
        span = most if least == most else f"{least.removesuffix(f'{NBSP}%')} to {most}"
        who = joined(own["name"].to_list()) if own.height <= _NAMED else f"{own.height} strategies"
        parts.append(f"{str(part).lower()} for {who} ({span})")
    return f"Largest source of uncertainty: {'; '.join(parts)}"


def _information_finding(information: pl.DataFrame) -> str:
    single = information.filter(pl.col("rank") > 0, pl.col("worth") > BEYOND * pl.col("mc_error"))
    if single.is_empty():
        most = information.filter(id=EVERYTHING)["worth"].sort(descending=True).to_list()
        bound = f"; even perfect information is worth at most {money(most[0], CURRENCY)}" if most else ""
        return f"No single measurement is worth paying for before deciding{bound}"
    best = single.sort(["worth", "decision", "id"], descending=[True, False, False]).row(0, named=True)
    what = first_sentence(best["description"])
    alone = "" if best["decision"] == PORTFOLIO else f"If {best['title']} is decided on alone, "
    return capitalised(f"{alone}perfect information on “{what}” is worth {money(best['worth'], CURRENCY)}")


def _of_each_decision(information: pl.DataFrame) -> Sequence[Row]:
    """Return everything, then groups, then the first single numbers of each decision, the most valuable first."""
    shown = information.filter((pl.col("id") == EVERYTHING) | ((pl.col("rank") <= _SHOWN) & (pl.col("worth") > 0.0)))
    order = (pl.col("id") != EVERYTHING, pl.col("rank") > 0, -pl.col("worth"), "rank", "id")
    return in_order(shown, "decision", order).rows(named=True)


_INFORMATION = TableSpec(
    id="information",
    contract=INFORMATION,
    title=_information_finding,
    subtitle="Expected improvement of the decision if the true value were known first; {currency}",
    rows=_of_each_decision,
    group="title",
    line=lambda row: first_sentence(row["description"]),
    columns={
        "kind": Column(
            "Scope",
            lambda row: "all" if row["id"] == EVERYTHING else "assumption" if row["rank"] > 0 else "group",
            align="text",
        ),
        "worth": Column("Worth up to, {currency}", error="mc_error"),
        "share": Column(
            "Share of perfect information",
            lambda row: None if row["id"] == EVERYTHING else row["share_of_everything"],
            percent,
        ),
    },
    notes=(
        (
            "Perfect information is worth what it saves: money lost on programmes that do not pay, or missed on those "
            "that do, weighted by their chances. A real test is worth less."
        ),
        f"±: simulation error. Shown are groups and at most {_SHOWN} assumptions of each decision; the CSV has all.",
    ),
    fold="linked",
    empty="Nothing here is uncertain, so nothing is worth measuring before deciding.",
)


def _test_plan_finding(test_plan: pl.DataFrame) -> str:
    worth_it = test_plan.filter(pl.col("chosen"), pl.col("net_benefit") > 0.0)
    if test_plan.filter("chosen")["weeks"].is_null().all():
        return "No test on contribution alone is feasible: too few customers are available"
    if worth_it.is_empty():
        return "No feasible test is worth its cost"
    first = worth_it.sort(["net_benefit", "strategy"], descending=[True, False]).row(0, named=True)

    def said(text: str, quantity: str) -> str:
        return labelled(text, quantity, first["strategy"], _PLAN)

    return (
        f"Test {first['title']} first: {said(figure(2 * first['per_group']), 'customers_in_test')} customers and "
        f"{said(figure(first['weeks']), 'weeks')} weeks for an expected net benefit of "
        f"{said(money(first['net_benefit'], CURRENCY), 'net_benefit')}"
    )


def _chances(test_plan: pl.DataFrame) -> str:
    """Return the chances of a false alarm and of seeing a true gain, as the tests have them."""
    pairs = test_plan.select("alpha", "power").unique().sort("alpha", "power").rows()
    words = [
        f"{labelled(percent(alarm), 'significance')} significance level, {labelled(percent(gain), 'power')} power"
        for alarm, gain in pairs
    ]
    return f"Customers are assigned at random to two equal groups, with and without the programme; {joined(words)}"


def _or_dash(name: str) -> Callable[[Row], str | None]:
    """Return how an amount is written that only a feasible test has."""
    return lambda row: None if row[name] is None else number(row[name])


def _test_plan_notes(test_plan: pl.DataFrame) -> list[str]:
    chosen = test_plan.filter("chosen")
    feasible = chosen.drop_nulls("weeks")["strategy", "title", "verdict"].rows()
    few = chosen.filter(pl.col("weeks").is_null())["title"].to_list()
    return [
        *(f"{title}: {labelled(lowered(verdict), 'test', name, _PLAN)}" for name, title, verdict in feasible),
        *([f"Not feasible for {joined(few)}: fewer customers are available than two groups need."] if few else []),
        (
            "Contribution: before all that the programme spends. Break-even difference: extra contribution per "
            "customer that just covers the expected investment; the test is sized to detect it. Available: customers "
            "in the first year whom the programme may reach. Days: from entering the test. Weeks: from the first "
            "customer in the test to the end of the last follow-up."
        ),
        (
            "Value: expected increase in NPV from deciding on this programme after the test. Cost: set-up, and the "
            "investment for the treated group while the test runs. Upper bound: value of a test without error, if this "
            "programme is decided on alone. A dash: too few customers."
        ),
    ]


_TEST_PLAN = TableSpec(
    id="test-plan",
    contract=TEST_PLAN,
    title=_test_plan_finding,
    subtitle=_chances,
    rows=lambda test_plan: test_plan.filter("chosen").rows(named=True),
    line=lambda row: f"{row['title']}: {labelled(lowered(row['outcome']), 'outcome', row['strategy'], _PLAN)}",
    estimator=_PLAN,
    columns={
        "usual": Column("Mean ± standard deviation, {currency}", "mean", error="sd"),
        "difference": Column("Break-even difference, {currency}"),
        "per_group": Column("Customers in each group"),
        "available": Column("Available"),
        "weeks": Column("Weeks to the decision", write=figure),
        "value": Column("Value, {currency}", _or_dash("value")),
        "cost": Column("Cost, {currency}", _or_dash("cost")),
        "net_benefit": Column("Net benefit, {currency}", _or_dash("net_benefit")),
        "worth": Column("Upper bound, {currency}", lambda row: number(row["worth"])),
    },
    notes=_test_plan_notes,
    empty="No test is planned here: there is no number whose answer could change a decision.",
)
