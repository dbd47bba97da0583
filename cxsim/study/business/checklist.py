"""A study in; what a reader of an economic evaluation should find, whether it is there, and where, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple

import polars as pl

from cxsim.finance.economics import Economics
from cxsim.params import BOUNDS, Quantity, Scale, quantities
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumptions
from cxsim.study.business.contracts import CHECKLIST, REGISTER
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.tables import check, empty
from cxsim.wording import MODELS, counted, figure, joined, percent

State = Literal["yes", "partly", "no"]


class Section(StrEnum):
    """Where in the report something stands."""

    DECISION = "Which strategies are worth their money?"
    WORTH = "What the strategies are worth"
    MONEY = "Profit and loss, and when the money comes back"
    CHANGE = "What could change it, and what to test first"
    ELSE = "What else to know"
    ASSUMED = "What is assumed, and where it comes from"
    TRAIL = "Audit trail"
    NOWHERE = "Nowhere"


class Item(NamedTuple):
    """One item.

    Attributes
    ----------
    topic, item
        Head under which it stands, and what a reader should find.
    state
        Whether it is there.
    answer
        What this study says on it, or what it leaves out.
    where
        Section of the report.
    """

    topic: str
    item: str
    state: State
    answer: str
    where: Section


def grounds(numbers: Sequence[Quantity]) -> str:
    """Return how many of some numbers are measured, published and assumed."""
    counts = {word: sum(one.evidence == word for one in numbers) for word in ("measured", "published", "assumed")}
    where = {"measured": "measured in this shop", "published": "published elsewhere", "assumed": "assumed"}
    return joined([f"{count} {where[word]}" for word, count in counts.items()])


def evidenced(numbers: Sequence[Quantity], *, otherwise: State) -> State:
    """Return whether evidence stands behind all of some numbers, some of them, or none."""
    bare = sum(one.evidence == "assumed" for one in numbers)
    if bare == len(numbers):
        return otherwise
    return "partly" if bare else "yes"


# Prices and orders that are farther apart are not of one time.
_SAME_TIME_DAYS = 730
_TIMING: Mapping[str, str] = {"start": "start", "mid": "middle", "end": "end"}
# The shop's own rules of decision, which need no evidence.
_RULES = ("fund_probability", "reject_probability", "roi_hurdle", "benefit_haircut", "cost_uplift")


def methods(study: Study) -> Iterator[Item]:
    """Yield the items 4 to 21, on how a study was made."""
    yield from _scope(study)
    yield from _counted(study)
    yield from _modelled(study)


def _scope(study: Study) -> Iterator[Item]:
    scenario, stored = study.scenario, "command" in study.manifest
    yield Item(
        "Methods",
        "A plan of the analysis, and where to find it",
        "partly" if stored else "no",
        f"{'The files under params/ fix' if stored else 'A scenario made by hand fixes'} every input; the audit trail "
        "names the commit. "
        "Nothing shows that they were written before results were seen.",
        Section.TRAIL,
    )
    yield Item("Methods", "Whose behaviour is followed", "yes", _population(study), Section.ELSE)
    yield Item(
        "Methods",
        "Shop, market and time",
        "partly",
        f"{scenario.economics.title}; orders {scenario.orders}, seen until {scenario.observed_until.isoformat()}. "
        "Country, competitors and channel are not described.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "What is compared, and why these",
        "partly",
        f"Doing nothing, which is to go on as before, against {counted(len(scenario.arms) - 1)} others. Why these and "
        "no others is not recorded.",
        Section.WORTH,
    )
    yield from _bounds(study)


def _bounds(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    yield Item(
        "Methods",
        "Whose money counts",
        "yes",
        "The shop's own cash, before taxes. What customers, staff or others gain or lose is not counted.",
        Section.MONEY,
    )
    start = scenario.calendar.starts_on.isoformat()
    yield Item(
        "Methods",
        "Over how long, and why so long",
        "partly",
        f"{scenario.horizon_months} months from {start}; shorter horizons are shown. Why not longer is not recorded.",
        Section.CHANGE,
    )
    yield _discounting(study)


def _discounting(study: Study) -> Item:
    economics = study.scenario.economics
    rate = economics.annual_discount_rate
    sourced = rate.evidence != "assumed"
    return Item(
        "Methods",
        "The discount rate, and why this one",
        "yes" if sourced else "partly",
        f"{percent(rate.value)} per year, effective; cash of a month flows at its {_TIMING[economics.timing]}. "
        f"{'Its source is named' if sourced else 'It is assumed'}; other rates are shown.",
        Section.CHANGE,
    )


def _counted(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    effects = [one for strategy in scenario.strategies for _, one in quantities(strategy.effects)]
    costs = [one for strategy in scenario.strategies for _, one in quantities(strategy.costs)]
    prices = [one for path, one in quantities(scenario.economics) if path not in _RULES]
    yield Item(
        "Methods",
        "Which results are counted",
        "yes",
        "Incremental cash by month; from it net present value, return on spend, payback and the chance of a gain.",
        Section.WORTH,
    )
    yield Item(
        "Methods",
        "How effects were measured",
        evidenced(effects, otherwise="no"),
        f"Effects of the strategies: {grounds(effects)}.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "How results are valued",
        evidenced(prices, otherwise="partly"),
        f"Orders at what the shop earns on them. Prices and margins: {grounds(prices)}.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "How costs were estimated",
        evidenced(costs, otherwise="partly") if costs else "yes",
        f"Costs of the strategies: {grounds(costs)}." if costs else "No strategy costs anything beside what it gives.",
        Section.ASSUMED,
    )
    yield _prices(study)


def _prices(study: Study) -> Item:
    economics, until = study.scenario.economics, study.scenario.observed_until
    reviewed, item = economics.reviewed_on, "Currency, and date of prices"
    if reviewed is None:
        return Item(
            "Methods", item, "partly", f"{economics.currency}; of which year prices are, is not said.", Section.ASSUMED
        )
    near = abs((reviewed - until).days) <= _SAME_TIME_DAYS
    mixed = (
        "" if near else f" The orders end on {until.isoformat()}; nothing is converted for what prices did meanwhile."
    )
    sentence = f"{economics.currency}; prices were last looked at on {reviewed.isoformat()}.{mixed}"
    return Item("Methods", item, "yes" if near else "partly", sentence, Section.ASSUMED)


def _modelled(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    models = [MODELS[one] for one in scenario.structures]
    yield Item(
        "Methods",
        "The model, and why this one",
        "yes" if len(models) > 1 else "partly",
        f"Orders and leaving by {joined(models)}, order values by Gamma-Gamma, fitted to the shop's customers; every "
        f"customer is then simulated order by order. How well they fit is shown; {_why(len(models))}.",
        Section.ELSE,
    )
    stacking = "" if scenario.stacking is None else " Gains on the same thing do not add up in full."
    yield Item(
        "Methods",
        "How results were computed, and what was taken for granted",
        "yes",
        f"{figure(scenario.draws)} draws of every uncertain number, from seed {scenario.seed}; both sides of a "
        f"comparison have the same customers and luck.{stacking}",
        Section.ASSUMED,
    )
    yield from _spread(study)


def _why(models: int) -> str:
    if models > 1:
        return "all are played, since no order log says who has left"
    return "why this one of the models of leaving is not recorded"


def _spread(study: Study) -> Iterator[Item]:
    models = [MODELS[one] for one in study.scenario.structures]
    several = len(models) > 1
    yield Item(
        "Methods",
        "How results differ between customers",
        "partly",
        "Customers differ in how often they order, how soon they leave and what they spend. Results are shown by the "
        "time they joined, not by segment.",
        Section.MONEY,
    )
    yield Item(
        "Methods",
        "Who gains and who loses",
        "no",
        "Which customers pay for what others receive is not followed.",
        Section.NOWHERE,
    )
    yield Item(
        "Methods",
        "How uncertainty was treated",
        "yes" if several else "partly",
        "Drawn: parameters of the models, effects, prices and costs, and luck"
        + (
            f"; {counted(len(models))} models of leaving count alike."
            if several
            else f"; one model of leaving, {models[0]}."
        ),
        Section.CHANGE,
    )
    yield Item(
        "Methods", "Who of those affected was asked", "no", "No record that customers or staff were.", Section.NOWHERE
    )


def _population(study: Study) -> str:
    scenario = study.scenario
    existing = study.replay.rfm.height if scenario.existing_customers == "all" else 0
    sentence = [f"{figure(existing)} who have ordered already"] if existing else []
    if scenario.new_customers is not None:
        sentence.append(
            f"{figure(scenario.new_customers.per_month)} new ones in each of {scenario.new_customers.months} months"
        )
    return f"Customers of the shop: {joined(sentence)}."


# Of fewer draws, an end of a 90 % interval lies among the five outermost.
_FEW_DRAWS = 100


def checklist(study: Study) -> pl.DataFrame:
    """Return the 28 items that a reader of an economic evaluation should find, each with this study's own answer.

    Under CHECKLIST. The items are those of CHEERS 2022, put in words of a shop: Husereau et al. (2022), "Consolidated
    Health Economic Evaluation Reporting Standards 2022 (CHEERS 2022) statement", BMJ 376, e067975. `state` is judged
    from the study where it can be; what a study does not record is not there.
    """
    items = [*_opening(study), *methods(study), *_found(study), *_closing(study)]
    rows = [
        {"number": number, **item._asdict(), "where": str(item.where)} for number, item in enumerate(items, start=1)
    ]
    return check(pl.DataFrame(rows, schema=empty(CHECKLIST).schema), CHECKLIST)


def _opening(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    names = joined([scenario.titles[name] for name in scenario.arms[1:]])
    yield Item(
        "Title",
        "What is evaluated, against what",
        "yes",
        f"{scenario.title} – {names}, against doing nothing.",
        Section.DECISION,
    )
    yield Item(
        "Summary",
        "The answer in brief, with how sure it is",
        "yes",
        "For each strategy the decision and its rule, spend, net present value with intervals, chance of a gain, "
        "payback and what would change it.",
        Section.DECISION,
    )
    sentence = scenario.description.strip()
    yield Item(
        "Introduction",
        "Why the question is asked, and for which decision",
        "partly" if sentence else "no",
        f"{sentence} Why the shop asks now is not recorded.".strip(),
        Section.DECISION,
    )


def _found(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    numbers = [one for _, _, one in assumptions(scenario)]
    answered = all(owner is not None and not owner.lower().startswith("nobody") for owner in _owners(scenario))
    measured = any(one.evidence == "measured" for one in numbers)
    yield Item(
        "Results",
        "All numbers that went in, with range, source and owner",
        "yes" if answered and measured else "partly",
        f"{len(numbers)} numbers: {grounds(numbers)}. "
        f"{'Each has' if answered else 'Not each has'} somebody who answers for it.",
        Section.ASSUMED,
    )
    yield Item(
        "Results",
        "Main results, as totals and as differences",
        "yes",
        "Each strategy and doing nothing side by side, by month, quarter and year, cumulative and discounted.",
        Section.MONEY,
    )
    few = scenario.draws < _FEW_DRAWS
    yield Item(
        "Results",
        "What uncertainty does to them",
        "partly" if few else "yes",
        "Intervals, chances, each number moved alone, break-even values and simulation errors"
        + (f"; with {scenario.draws} draws the ends of intervals are rough." if few else "."),
        Section.CHANGE,
    )
    yield Item(
        "Results",
        "What asking those affected changed",
        "no",
        "Nobody was asked, as far as is recorded.",
        Section.NOWHERE,
    )


def _closing(study: Study) -> Iterator[Item]:
    cautions = study.cautions.height
    sentence = f", and {counted(cautions)} caution{'' if cautions == 1 else 's'} of the method" if cautions else ""
    yield Item(
        "Discussion",
        "Limits, and whether it holds elsewhere",
        "partly",
        f"What can go wrong with each strategy{sentence}. Other shops are compared only where a source is named.",
        Section.ELSE,
    )
    yield Item("Other", "Who paid for the analysis", "no", "Not recorded.", Section.NOWHERE)
    yield Item("Other", "Who could gain from its result", "no", "Not recorded.", Section.NOWHERE)


def _owners(scenario: Scenario) -> list[str | None]:
    """Return who answers for each file that holds numbers."""
    files: list[Economics | Behaviour | Strategy] = [scenario.economics, scenario.behaviour, *scenario.strategies]
    return [one.owner for one in files if next(quantities(one), None) is not None]


Reviewed = tuple[str | None, date | None]
_SCALES: Mapping[Scale, str] = {"log": "log-normal", "logit": "logit-normal", "linear": "normal"}
# Halves whose widths differ by less than this share are called alike: they do, as ranges are written in round numbers.
_ALIKE = 0.05
_UNFOUND = "E"
_SEARCHED = "searched, not believed"


def case_register(study: Study, tornado: pl.DataFrame, information: pl.DataFrame) -> pl.DataFrame:
    """Return every number that a study assumes, who answers for it, how good it is, and how much depends on it."""
    grades = {str(name): str(grade) for name, grade in study.sources.select("id", "grade").iter_rows()}
    owners = dict(_register_owners(study.scenario))
    moved = (
        tornado.group_by("id")
        .agg(pl.col("swing").max())
        .sort(["swing", "id"], descending=[True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    )
    rows = [
        {"id": identifier, **_with_prior(quantity, grades), **_reviewed(owners.get(_file(identifier), (None, None)))}
        for identifier, _, quantity in assumptions(study.scenario)
    ]
    searched = [f"strategies/{one.name}/{one.searches}" for one in study.scenario.searched]
    schema = {name: kind for name, kind in empty(REGISTER).schema.items() if name in rows[0]}
    table = (
        study.assumptions.join(pl.DataFrame(rows, schema=schema), on="id", how="left", maintain_order="left")
        .join(moved, on="id", how="left", maintain_order="left")
        .join(information.group_by("id").agg(pl.col("worth").max()), on="id", how="left", maintain_order="left")
        .with_columns(
            distribution=pl.when(pl.col("id").is_in(searched)).then(pl.lit(_SEARCHED)).otherwise("distribution")
        )
    )
    return check(table.select(list(REGISTER.columns)), REGISTER)


def in_words(quantity: Quantity) -> str:
    """Return what is believed of a quantity, as the name of a distribution.

    Each is two half normals on the scale of the unit (logarithm, logit or linear), which meet at the value; where they
    are not equally wide, the wider side is named.
    """
    low, high = quantity.range
    if low == high:
        return "fixed"
    scale = BOUNDS[quantity.unit].scale
    below, above = (abs(_on(scale, end) - _on(scale, quantity.value)) for end in (low, high))
    if min(below, above) == 0.0:
        return f"{_SCALES[scale]}, {'above' if above else 'below'} only"
    if abs(above - below) <= _ALIKE * max(above, below):
        return _SCALES[scale]
    return f"{_SCALES[scale]}, wider {'above' if above > below else 'below'}"


def _on(scale: Scale, value: float) -> float:
    match scale:
        case "log":
            return math.log(value)
        case "logit":
            return math.log(value) - math.log1p(-value)
        case "linear":
            return value


def _with_prior(quantity: Quantity, grades: Mapping[str, str]) -> dict[str, str | None]:
    fixed = quantity.range[0] == quantity.range[1]
    unfound = None if fixed else _UNFOUND
    grade = unfound if quantity.evidence == "assumed" else grades.get(quantity.source or "")
    return {"distribution": in_words(quantity), "grade": grade}


def _reviewed(answered: Reviewed) -> dict[str, object]:
    return {"owner": answered[0], "reviewed_on": answered[1]}


def _file(identifier: str) -> str:
    """Return the kind and the name of the file in which a number stands, such as economics/cdnow."""
    return "/".join(identifier.split("/")[:2])


def _register_owners(scenario: Scenario) -> Iterator[tuple[str, Reviewed]]:
    economics, behaviour = scenario.economics, scenario.behaviour
    yield f"economics/{economics.name}", (economics.owner, economics.reviewed_on)
    yield f"behaviour/{behaviour.name}", (behaviour.owner, behaviour.reviewed_on)
    for strategy in scenario.strategies:
        yield f"strategies/{strategy.name}", (strategy.owner, strategy.reviewed_on)
