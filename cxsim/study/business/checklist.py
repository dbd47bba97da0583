"""A study in; the register of its assumptions, and the CHEERS checklist of an economic evaluation answered, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import polars as pl

from cxsim.finance.economics import RULES, Economics
from cxsim.params import BOUNDS, Quantity, Scale, quantities
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumptions
from cxsim.study.business.information import on_scale
from cxsim.study.result import Study
from cxsim.tables import COUNT, DAY, REAL, TEXT, Contract, check, table_of
from cxsim.wording import MODELS, counted, figure, joined, percent

State = Literal["yes", "partly", "no"]
_File = Economics | Behaviour | Strategy

# ASSUMPTIONS with who answers for each number, since when, and how much depends on it: rank 1 moves the NPV most.
# The most that perfect information on it is worth for any single decision.
REGISTER = Contract(
    "REGISTER",
    TEXT("id", "belongs_to", "description", "unit"),
    REAL("value", "low", "high"),
    TEXT("distribution", "owner", "evidence", "grade", "source"),
    DAY("reviewed_on"),
    REAL("swing"),
    COUNT("rank"),
    REAL("worth"),
    nullable=("source", "grade", "owner", "reviewed_on", "swing", "rank", "worth"),
)
# What a reader of an economic evaluation should find, and where it is here. state: `yes`, `partly`, `no`.
CHECKLIST = Contract("CHECKLIST", COUNT("number"), TEXT("topic", "item", "state", "answer", "where"))
# Sections of the report.
_DECISION = "Which strategies are worth their money?"
_WORTH = "What the strategies are worth"
_MONEY = "Profit and loss, and when the money comes back"
_CHANGE = "What could change it, and what to test first"
_ELSE = "What else to know"
_ASSUMED = "What is assumed, and where it comes from"
_TRAIL = "Audit trail"
_NOWHERE = "Nowhere"
# By topic, what a reader should find, and where it stands. The items are those of CHEERS 2022, put in words of a shop:
# Husereau et al. (2022), "Consolidated Health Economic Evaluation Reporting Standards 2022 (CHEERS 2022) statement",
# BMJ 376, e067975.
_ITEMS: Mapping[str, Sequence[tuple[str, str]]] = {
    "Title": (("What is evaluated, against what", _DECISION),),
    "Summary": (("The answer in brief, with how sure it is", _DECISION),),
    "Introduction": (("Why the question is asked, and for which decision", _DECISION),),
    "Methods": (
        ("A plan of the analysis, and where to find it", _TRAIL),
        ("Whose behaviour is followed", _ELSE),
        ("Shop, market and time", _ASSUMED),
        ("What is compared, and why these", _WORTH),
        ("Whose money counts", _MONEY),
        ("Over how long, and why so long", _CHANGE),
        ("The discount rate, and why this one", _CHANGE),
        ("Which results are counted", _WORTH),
        ("How effects were measured", _ASSUMED),
        ("How results are valued", _ASSUMED),
        ("How costs were estimated", _ASSUMED),
        ("Currency, and date of prices", _ASSUMED),
        ("The model, and why this one", _ELSE),
        ("How results were computed, and what was taken for granted", _ASSUMED),
        ("How results differ between customers", _MONEY),
        ("Who gains and who loses", _NOWHERE),
        ("How uncertainty was treated", _CHANGE),
        ("Who of those affected was asked", _NOWHERE),
    ),
    "Results": (
        ("All numbers that went in, with range, source and owner", _ASSUMED),
        ("Main results, as totals and as differences", _MONEY),
        ("What uncertainty does to them", _CHANGE),
        ("What asking those affected changed", _NOWHERE),
    ),
    "Discussion": (("Limits, and whether it holds elsewhere", _ELSE),),
    "Other": (("Who paid for the analysis", _NOWHERE), ("Who could gain from its result", _NOWHERE)),
}
# Prices and orders that are farther apart are not of one time.
_SAME_TIME_DAYS = 730
_TIMING = {"start": "start", "mid": "middle", "end": "end"}
# Of fewer draws, an end of a 90 % interval lies among the five outermost.
_FEW_DRAWS = 100
_SCALES: Mapping[Scale, str] = {"log": "log-normal", "logit": "logit-normal", "linear": "normal"}
# Halves whose widths differ by less than this share are called equal: they do, as ranges are written in round numbers.
_EQUAL = 0.05
# The grade of a range without a source.
_NO_SOURCE = "E"
_SEARCHED = "searched, no prior"


class Answer(NamedTuple):
    """Whether an item is there, and what this study gives on it, or what it leaves out."""

    state: State
    text: str


def checklist(study: Study) -> pl.DataFrame:
    """Return the 28 items that a reader of an economic evaluation should find, each with this study's own answer.

    `state` is judged from the study where it can be; what a study does not record is not there.
    """
    items = [(topic, *item) for topic, some in _ITEMS.items() for item in some]
    answers = [*_opening(study), *_methods(study), *_valued(study), *_modelled(study), *_found(study), *_closing(study)]
    rows = [
        {"number": number, "topic": topic, "item": item, "state": state, "answer": answer, "where": where}
        for number, ((topic, item, where), (state, answer)) in enumerate(zip(items, answers, strict=True), start=1)
    ]
    return table_of(rows, CHECKLIST)


def _opening(study: Study) -> list[Answer]:
    scenario = study.scenario
    names = joined([scenario.titles[name] for name in scenario.arms[1:]])
    why = scenario.description.strip()
    return [
        Answer("yes", f"{scenario.title} – {names}, against doing nothing."),
        Answer(
            "yes",
            "For each strategy the decision and its rule, spend, net present value with intervals, chance of a gain, "
            "payback and what would change it.",
        ),
        Answer("partly" if why else "no", f"{why} Why the shop asks now is not recorded.".strip()),
    ]


def _methods(study: Study) -> list[Answer]:
    scenario, economics, stored = study.scenario, study.scenario.economics, "command" in study.manifest
    start, rate = scenario.calendar.starts_on.isoformat(), economics.annual_discount_rate
    sourced = rate.evidence != "assumed"
    return [
        Answer(
            "partly" if stored else "no",
            f"{'The files under params/ fix' if stored else 'A scenario made by hand fixes'} every input; the audit "
            "trail names the commit. Nothing shows that they were written before results were seen.",
        ),
        Answer("yes", _population(study)),
        Answer(
            "partly",
            f"{economics.title}; orders {scenario.orders}, seen until {scenario.observed_until.isoformat()}. "
            "Country, competitors and channel are not described.",
        ),
        Answer(
            "partly",
            f"Doing nothing, which is to go on as before, against {counted(len(scenario.arms) - 1)} others. Why these "
            "and no others is not recorded.",
        ),
        Answer(
            "yes", "The shop's own cash, before taxes. What customers, staff or others gain or lose is not counted."
        ),
        Answer(
            "partly",
            f"{scenario.horizon_months} months from {start}; shorter horizons are shown. Why not longer is not "
            "recorded.",
        ),
        Answer(
            "yes" if sourced else "partly",
            f"{percent(rate.value)} per year, effective; cash of a month flows at its {_TIMING[economics.timing]}. "
            f"{'Its source is named' if sourced else 'It is assumed'}; other rates are shown.",
        ),
    ]


def _population(study: Study) -> str:
    scenario = study.scenario
    existing = study.worlds.rfm.height if scenario.existing_customers == "all" else 0
    parts = [f"{figure(existing)} who have ordered already"] if existing else []
    if scenario.new_customers is not None:
        parts.append(
            f"{figure(scenario.new_customers.per_month)} new ones in each of {scenario.new_customers.months} months"
        )
    return f"Customers of the shop: {joined(parts)}."


def _valued(study: Study) -> list[Answer]:
    scenario = study.scenario
    effects = [one for strategy in scenario.strategies for _, one in quantities(strategy.effects)]
    costs = [one for strategy in scenario.strategies for _, one in quantities(strategy.costs)]
    prices = [one for path, one in quantities(scenario.economics) if path not in RULES]
    return [
        Answer(
            "yes",
            "Incremental cash by month; from it net present value, return on spend, payback and the chance of a gain.",
        ),
        Answer(_evidence(effects, otherwise="no"), f"Effects of the strategies: {_grounds(effects)}."),
        Answer(
            _evidence(prices, otherwise="partly"),
            f"Orders at what the shop earns on them. Prices and margins: {_grounds(prices)}.",
        ),
        Answer(_evidence(costs, otherwise="partly"), f"Costs of the strategies: {_grounds(costs)}.")
        if costs
        else Answer("yes", "No strategy costs anything beside what it gives."),
        _dated_prices(study),
    ]


def _grounds(numbers: Sequence[Quantity]) -> str:
    """Return how many of some numbers are measured, published and assumed."""
    where = {"measured": "measured in this shop", "published": "published elsewhere", "assumed": "assumed"}
    return joined([f"{sum(one.evidence == word for one in numbers)} {text}" for word, text in where.items()])


def _evidence(numbers: Sequence[Quantity], *, otherwise: State) -> State:
    """Return whether evidence stands behind all of some numbers, some of them, or none."""
    bare = sum(one.evidence == "assumed" for one in numbers)
    if bare == len(numbers):
        return otherwise
    return "partly" if bare else "yes"


def _dated_prices(study: Study) -> Answer:
    economics, until = study.scenario.economics, study.scenario.observed_until
    reviewed = economics.reviewed_on
    if reviewed is None:
        return Answer("partly", f"{economics.currency}; the year of the prices is not stated.")
    dated = f"{economics.currency}; prices were last looked at on {reviewed.isoformat()}."
    if abs((reviewed - until).days) <= _SAME_TIME_DAYS:
        return Answer("yes", dated)
    return Answer(
        "partly",
        f"{dated} The orders end on {until.isoformat()}; nothing is converted for what prices did meanwhile.",
    )


def _modelled(study: Study) -> list[Answer]:
    scenario = study.scenario
    models = [MODELS[one] for one in scenario.structures]
    several = len(models) > 1
    why = (
        "all are simulated, since no order log shows who has left"
        if several
        else "why this one of the models of leaving is not recorded"
    )
    leaving = (
        f"{counted(len(models))} models of leaving count equally" if several else f"one model of leaving, {models[0]}"
    )
    stacking = "" if scenario.stacking is None else " Gains on the same thing do not add up in full."
    return [
        Answer(
            "yes" if several else "partly",
            f"Orders and leaving by {joined(models)}, order values by Gamma-Gamma, fitted to the shop's customers; "
            f"every customer is then simulated order by order. How well they fit is shown; {why}.",
        ),
        Answer(
            "yes",
            f"{figure(scenario.draws)} draws of every uncertain number, from seed {scenario.seed}; both sides of a "
            f"comparison have the same customers and random numbers.{stacking}",
        ),
        Answer(
            "partly",
            "Customers differ in how often they order, how soon they leave and what they spend. Results are shown by "
            "the time they joined, not by segment.",
        ),
        Answer("no", "Which customers pay for what others receive is not followed."),
        Answer(
            "yes" if several else "partly",
            f"Drawn: parameters of the models, effects, prices and costs, and random numbers; {leaving}.",
        ),
        Answer("no", "No record that customers or staff were."),
    ]


def _found(study: Study) -> list[Answer]:
    scenario = study.scenario
    numbers = [one for _, _, one in assumptions(scenario)]
    files: list[_File] = [scenario.economics, scenario.behaviour, *scenario.strategies]
    owners = [one.owner for one in files if next(quantities(one), None) is not None]
    answered = all(owner is not None and not owner.lower().startswith("nobody") for owner in owners)
    measured = any(one.evidence == "measured" for one in numbers)
    few = scenario.draws < _FEW_DRAWS
    return [
        Answer(
            "yes" if answered and measured else "partly",
            f"{len(numbers)} numbers: {_grounds(numbers)}. "
            f"{'Each has' if answered else 'Not each has'} somebody who answers for it.",
        ),
        Answer(
            "yes",
            "Each strategy and doing nothing side by side, by month, quarter and year, cumulative and discounted.",
        ),
        Answer(
            "partly" if few else "yes",
            "Intervals, chances, each number moved alone, break-even values and simulation errors"
            + (f"; with {scenario.draws} draws the ends of intervals are rough." if few else "."),
        ),
        Answer("no", "Nobody was asked, as far as is recorded."),
    ]


def _closing(study: Study) -> list[Answer]:
    cautions = study.cautions.height
    method = f", and {counted(cautions)} caution{'' if cautions == 1 else 's'} of the method" if cautions else ""
    return [
        Answer(
            "partly",
            f"What can go wrong with each strategy{method}. Other shops are compared only where a source is named.",
        ),
        Answer("no", "Not recorded."),
        Answer("no", "Not recorded."),
    ]


def case_register(study: Study, tornado: pl.DataFrame, information: pl.DataFrame) -> pl.DataFrame:
    """Return every number that a study assumes, who answers for it, how good it is, and how much depends on it."""
    scenario = study.scenario
    grades = dict(study.sources.select("id", "grade").iter_rows())
    holders: list[tuple[str, _File]] = [("economics", scenario.economics), ("behaviour", scenario.behaviour)]
    holders += [("strategies", strategy) for strategy in scenario.strategies]
    files = {f"{folder}/{one.name}": (one.owner, one.reviewed_on) for folder, one in holders}
    searched = {f"strategies/{one.name}/{one.searches}" for one in scenario.searched}
    rows = []
    for name, _, quantity in assumptions(scenario):
        # The kind and the name of the file in which the number stands, such as economics/cdnow.
        owner, reviewed_on = files.get("/".join(name.split("/")[:2]), (None, None))
        ungraded = None if quantity.range[0] == quantity.range[1] else _NO_SOURCE
        grade = ungraded if quantity.evidence == "assumed" else grades.get(quantity.source)
        rows.append((name, _SEARCHED if name in searched else in_words(quantity), grade, owner, reviewed_on))
    columns = ("id", "distribution", "grade", "owner", "reviewed_on")
    described = pl.DataFrame(rows, schema={name: REGISTER.columns[name][0] for name in columns}, orient="row")
    ranked = (
        tornado.group_by("id")
        .agg(pl.col("swing").max())
        .sort(["swing", "id"], descending=[True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    )
    values = information.group_by("id").agg(pl.col("worth").max())
    table = study.assumptions
    for part in (described, ranked, values):
        table = table.join(part, on="id", how="left", maintain_order="left")
    return check(table.select(list(REGISTER.columns)), REGISTER)


def in_words(quantity: Quantity) -> str:
    """Return the prior of a quantity as the name of a distribution.

    Each is two half normals on the scale of the unit (logarithm, logit or linear), which meet at the value; where they
    are not equally wide, the wider side is named.
    """
    low, high = quantity.range
    if low == high:
        return "fixed"
    scale = BOUNDS[quantity.unit].scale
    below, above = (abs(on_scale(end, scale) - on_scale(quantity.value, scale)) for end in (low, high))
    if min(below, above) == 0.0:
        return f"{_SCALES[scale]}, {'above' if above else 'below'} only"
    if abs(above - below) <= _EQUAL * max(above, below):
        return _SCALES[scale]
    return f"{_SCALES[scale]}, wider {'above' if above > below else 'below'}"
