"""A study in; the register of its assumptions, and the CHEERS checklist of an economic evaluation answered, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from cxsim.finance.economics import RULES
from cxsim.params import Quantity, Scale, quantities
from cxsim.study.assumptions import assumptions, files_in
from cxsim.study.result import Study
from cxsim.tables import COUNT, DAY, REAL, TEXT, Contract, check, table_of
from cxsim.wording import MODELS, counted, figure, joined, percent

State = Literal["yes", "partly", "no"]

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
_DECISION = "Which programmes should we fund?"
_WORTH = "Value, risk and cash"
_MONEY = "The case on one page"
_CHANGE = "What could change the decision, and what to test first"
_ELSE = "Appendix: figures in full"
_ASSUMED = "Appendix: method, assumptions and sources"
_TRAIL = "Appendix: audit trail"
_NOWHERE = "Nowhere"
# What a reader should find, by topic; where it stands; whether it is there, or by which fact that is judged; and what
# this study gives on it, or leaves out. The items are those of CHEERS 2022, put in words of a shop: Husereau et al.
# (2022), "Consolidated Health Economic Evaluation Reporting Standards 2022 (CHEERS 2022) statement", BMJ 376, e067975.
_ITEMS = (
    ("Title", "What is evaluated, against what", _DECISION, "yes", "{title} – {arms}, against doing nothing."),
    (
        "Summary",
        "The answer in brief, with how sure it is",
        _DECISION,
        "yes",
        (
            "For each strategy the decision and its rule, investment, net present value with intervals, chance of a "
            "gain, payback and what would change it."
        ),
    ),
    (
        "Introduction",
        "Why the question is asked, and for which decision",
        _DECISION,
        "described",
        "{question}Why the shop asks now is not recorded.",
    ),
    (
        "Methods",
        "A plan of the analysis, and where to find it",
        _TRAIL,
        "stored",
        (
            "{files} every input; the audit trail names the commit. Nothing shows that they were written before "
            "results were seen."
        ),
    ),
    ("Methods", "Whose behaviour is followed", _ELSE, "yes", "Customers of the shop: {customers}."),
    (
        "Methods",
        "Shop, market and time",
        _ASSUMED,
        "partly",
        "{shop}; orders {orders}, seen until {until}. Country, competitors and channel are not described.",
    ),
    (
        "Methods",
        "What is compared, and why these",
        _WORTH,
        "partly",
        "Doing nothing, which is to go on as before, against {others} others. Why these and no others is not recorded.",
    ),
    (
        "Methods",
        "Whose money counts",
        _MONEY,
        "yes",
        "The shop's own cash, before taxes. What customers, staff or others gain or lose is not counted.",
    ),
    (
        "Methods",
        "Over how long, and why so long",
        _CHANGE,
        "partly",
        "{months} months from {start}; shorter horizons are shown. Why not longer is not recorded.",
    ),
    (
        "Methods",
        "The discount rate, and why this one",
        _CHANGE,
        "rated",
        "{rate} per year, effective; cash of a month flows at its {timing}. {rate_source}; other rates are shown.",
    ),
    (
        "Methods",
        "Which results are counted",
        _WORTH,
        "yes",
        "Incremental cash by month; from it net present value, return on investment, payback and the chance of a gain.",
    ),
    ("Methods", "How effects were measured", _ASSUMED, "measured", "Effects of the strategies: {effects}."),
    (
        "Methods",
        "How results are valued",
        _ASSUMED,
        "valued",
        "Orders at what the shop earns on them. Prices and margins: {prices}.",
    ),
    ("Methods", "How costs were estimated", _ASSUMED, "estimated", "{costs}."),
    ("Methods", "Currency, and date of prices", _ASSUMED, "dated", "{currency}"),
    (
        "Methods",
        "The model, and why this one",
        _ELSE,
        "modelled",
        (
            "Orders and leaving by {models}, order values by {spend}, fitted to the shop's customers; every "
            "customer is then simulated order by order. How well they fit is shown; {why}."
        ),
    ),
    (
        "Methods",
        "How results were computed, and what was taken for granted",
        _ASSUMED,
        "yes",
        (
            "{draws} draws of every uncertain number, from seed {seed}; both sides of a comparison have the same "
            "customers and random numbers.{stacking}"
        ),
    ),
    (
        "Methods",
        "How results differ between customers",
        _MONEY,
        "partly",
        (
            "Customers differ in how often they order, how soon they leave and what they spend. Results are shown by "
            "the time they joined, not by segment."
        ),
    ),
    (
        "Methods",
        "Who gains and who loses",
        _NOWHERE,
        "no",
        "Which customers pay for what others receive is not followed.",
    ),
    (
        "Methods",
        "How uncertainty was treated",
        _CHANGE,
        "modelled",
        "Drawn: parameters of the models, effects, prices and costs, and random numbers; {leaving}.",
    ),
    ("Methods", "Who of those affected was asked", _NOWHERE, "no", "No record that customers or staff were."),
    (
        "Results",
        "All numbers that went in, with range, source and owner",
        _ASSUMED,
        "owned",
        "{count} numbers: {numbers}. {owners} somebody who answers for it.",
    ),
    (
        "Results",
        "Main results, as totals and as differences",
        _MONEY,
        "yes",
        "Each strategy and doing nothing side by side, by month, quarter and year, cumulative and discounted.",
    ),
    (
        "Results",
        "What uncertainty does to them",
        _CHANGE,
        "sampled",
        "Intervals, chances, each number moved alone, break-even values and simulation errors{rough}.",
    ),
    ("Results", "What asking those affected changed", _NOWHERE, "no", "Nobody was asked, as far as is recorded."),
    (
        "Discussion",
        "Limits, and whether it holds elsewhere",
        _ELSE,
        "partly",
        "What can go wrong with each strategy{cautions}. Other shops are compared only where a source is named.",
    ),
    ("Other", "Who paid for the analysis", _NOWHERE, "no", "Not recorded."),
    ("Other", "Who could gain from its result", _NOWHERE, "no", "Not recorded."),
)
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
_NO_COSTS = "No strategy costs anything beside what it gives"


def checklist(study: Study) -> pl.DataFrame:
    """Return the 28 items that a reader of an economic evaluation should find, each with this study's own answer.

    `state` is judged from the study where it can be; what a study does not record is not there.
    """
    facts = _scope(study) | _evidence(study) | _modelled(study)
    return table_of(
        (
            (number, topic, item, facts.get(state, state), answer.format(**facts), where)
            for number, (topic, item, where, state, answer) in enumerate(_ITEMS, start=1)
        ),
        CHECKLIST,
    )


def _scope(study: Study) -> dict[str, object]:
    """Return what is asked, of whom and over how long."""
    scenario, economics = study.scenario, study.scenario.economics
    why, rate, stored = scenario.description.strip(), economics.annual_discount_rate, "command" in study.manifest
    existing, arriving = study.worlds.rfm.height, scenario.new_customers
    customers = [f"{figure(existing)} who have ordered already"] if scenario.existing_customers == "all" else []
    if arriving is not None:
        customers.append(f"{figure(arriving.per_month)} new ones in each of {arriving.months} months")
    return {
        "title": scenario.title,
        "arms": joined([scenario.titles[name] for name in scenario.arms[1:]]),
        "described": "partly" if why else "no",
        "question": f"{why} " if why else "",
        "stored": "partly" if stored else "no",
        "files": "The files under params/ fix" if stored else "A scenario made by hand fixes",
        "customers": joined(customers),
        "shop": economics.title,
        "orders": scenario.orders,
        "until": scenario.observed_until.isoformat(),
        "others": counted(len(scenario.arms) - 1),
        "months": scenario.horizon_months,
        "start": scenario.calendar.starts_on.isoformat(),
        "rated": _state([rate], otherwise="partly"),
        "rate": percent(rate.value),
        "timing": _TIMING[economics.timing],
        "rate_source": "It is assumed" if rate.evidence == "assumed" else "Its source is named",
    }


def _evidence(study: Study) -> dict[str, object]:
    """Return what stands behind effects, prices, costs and all numbers."""
    scenario, economics = study.scenario, study.scenario.economics
    effects, costs = (
        [one for strategy in scenario.strategies for _, one in quantities(getattr(strategy, part))]
        for part in ("effects", "costs")
    )
    prices = [one for path, one in quantities(economics) if path not in RULES]
    numbers = [one.quantity for one in assumptions(scenario)]
    owners = [one.owner for _, one in files_in(scenario) if any(quantities(one))]
    answered = all(owner is not None and not owner.lower().startswith(("nobody", "not assigned")) for owner in owners)
    until, reviewed = scenario.observed_until, economics.reviewed_on
    dated = f"{economics.currency}; the year of the prices is not stated."
    same_time = reviewed is not None and abs((reviewed - until).days) <= _SAME_TIME_DAYS
    if reviewed is not None:
        dated = f"{economics.currency}; prices were last looked at on {reviewed.isoformat()}."
        later = f" The orders end on {until.isoformat()}; nothing is converted for what prices did meanwhile."
        dated += "" if same_time else later
    return {
        "measured": _state(effects, otherwise="no"),
        "effects": _grounds(effects),
        "valued": _state(prices, otherwise="partly"),
        "prices": _grounds(prices),
        "estimated": _state(costs, otherwise="partly") if costs else "yes",
        "costs": f"Costs of the strategies: {_grounds(costs)}" if costs else _NO_COSTS,
        "dated": "yes" if same_time else "partly",
        "currency": dated,
        "owned": "yes" if answered and any(one.evidence == "measured" for one in numbers) else "partly",
        "count": len(numbers),
        "numbers": _grounds(numbers),
        "owners": "Each has" if answered else "Not each has",
    }


def _modelled(study: Study) -> dict[str, object]:
    """Return how it was computed, and what is uncertain."""
    scenario, cautions = study.scenario, study.cautions.height
    models = [MODELS[one] for one in scenario.structures]
    leaving, why = f"one model of leaving, {models[0]}", "why this one of the models of leaving is not recorded"
    if len(models) > 1:
        leaving = f"{counted(len(models))} models of leaving count equally"
        why = "all are simulated, since no order log shows who has left"
    elif scenario.dropout_reason:
        why = f"why this one of the models of leaving: {scenario.dropout_reason.strip().removesuffix('.')}"
    few = scenario.draws < _FEW_DRAWS
    plural = "" if cautions == 1 else "s"
    return {
        "modelled": "yes" if len(models) > 1 else "partly",
        "models": joined(models),
        "spend": study.spend.title,
        "why": why,
        "leaving": leaving,
        "draws": figure(scenario.draws),
        "seed": scenario.seed,
        "stacking": "" if scenario.stacking is None else " Gains on the same thing do not add up in full.",
        "sampled": "partly" if few else "yes",
        "rough": f"; with {scenario.draws} draws the ends of intervals are rough" if few else "",
        "cautions": f", and {counted(cautions)} caution{plural} of the method" if cautions else "",
    }


def _grounds(numbers: Sequence[Quantity]) -> str:
    """Return how many of some numbers are measured, published and assumed."""
    where = {"measured": "measured in this shop", "published": "published elsewhere", "assumed": "assumed"}
    return joined([f"{sum(one.evidence == word for one in numbers)} {text}" for word, text in where.items()])


def _state(numbers: Sequence[Quantity], *, otherwise: State) -> State:
    """Return whether evidence stands behind all of some numbers, some of them, or none."""
    bare = sum(one.evidence == "assumed" for one in numbers)
    if bare == len(numbers):
        return otherwise
    return "partly" if bare else "yes"


def case_register(study: Study, tornado: pl.DataFrame, information: pl.DataFrame) -> pl.DataFrame:
    """Return every number that a study assumes, who answers for it, how good it is, and how much depends on it."""
    scenario = study.scenario
    grades = dict(study.sources.select("id", "grade").iter_rows())
    files = {f"{folder}/{one.name}": (one.owner, one.reviewed_on) for folder, one in files_in(scenario)}
    searched = {f"strategies/{one.name}/{one.searches}" for one in scenario.searched}
    rows = []
    for one in assumptions(scenario):
        file, _, _ = one.id.rpartition("/")
        grade = grades.get(one.quantity.source)
        if one.quantity.evidence == "assumed":
            grade = _NO_SOURCE if one.uncertain else None
        words = _SEARCHED if one.id in searched else in_words(one.quantity)
        rows.append((one.id, words, grade, *files.get(file, (None, None))))
    columns = ("id", "distribution", "grade", "owner", "reviewed_on")
    described = pl.DataFrame(rows, schema={name: REGISTER.columns[name][0] for name in columns}, orient="row")
    ranked = tornado.group_by("id").agg(pl.col("swing").max()).sort(["swing", "id"], descending=[True, False])
    ranked = ranked.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
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
    unit = quantity.unit
    below, above = (abs(unit.on_scale(end) - unit.on_scale(quantity.value)) for end in (low, high))
    if min(below, above) == 0.0:
        return f"{_SCALES[unit.scale]}, {'above' if above else 'below'} only"
    if abs(above - below) <= _EQUAL * max(above, below):
        return _SCALES[unit.scale]
    return f"{_SCALES[unit.scale]}, wider {'above' if above > below else 'below'}"
