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
_NOWHERE = "Not reported"
# What a reader should find, by topic; where it stands; whether it is there, or by which fact that is judged; and what
# this study gives on it, or leaves out. The items are those of CHEERS 2022, put in words of a shop: Husereau et al.
# (2022), "Consolidated Health Economic Evaluation Reporting Standards 2022 (CHEERS 2022) statement", BMJ 376, e067975.
_ITEMS = (
    ("Title", "Options compared", _DECISION, "yes", "{title} – {arms}, against the no-programme baseline."),
    (
        "Summary",
        "Summary with uncertainty",
        _DECISION,
        "yes",
        (
            "For each programme: recommendation and rule, investment, NPV with interval, chance of a positive NPV, "
            "payback and what would change the decision."
        ),
    ),
    (
        "Introduction",
        "Background and decision",
        _DECISION,
        "described",
        "{question}The reason for the timing is not recorded.",
    ),
    (
        "Methods",
        "Analysis plan",
        _TRAIL,
        "stored",
        (
            "{files} every input; the audit trail names the commit. There is no proof that inputs were set before "
            "results were seen."
        ),
    ),
    ("Methods", "Study population", _ELSE, "yes", "Customers of the shop: {customers}."),
    (
        "Methods",
        "Setting and time",
        _ASSUMED,
        "partly",
        "{shop}; orders {orders}, observed until {until}. Country, competitors and channel are not described.",
    ),
    (
        "Methods",
        "Alternatives and their choice",
        _WORTH,
        "partly",
        "No programme (business as usual) against {others} alternatives, whose choice is not explained.",
    ),
    (
        "Methods",
        "Perspective",
        _MONEY,
        "yes",
        "The shop's own cash before tax. Gains and losses of customers, staff and others are not counted.",
    ),
    (
        "Methods",
        "Time horizon",
        _CHANGE,
        "partly",
        "{months} months from {start}; shorter horizons are shown. The choice is not explained.",
    ),
    (
        "Methods",
        "Discount rate",
        _CHANGE,
        "rated",
        "{rate} per year, effective; cash flows at the {timing} of each month. {rate_source}; other rates are shown.",
    ),
    (
        "Methods",
        "Outcomes",
        _WORTH,
        "yes",
        "Incremental cash by month; from it NPV, return on investment, payback and the chance of a positive NPV.",
    ),
    ("Methods", "Measurement of effects", _ASSUMED, "measured", "Effects of the programmes: {effects}."),
    (
        "Methods",
        "Valuation of outcomes",
        _ASSUMED,
        "valued",
        "Orders are valued at the shop's margin. Prices and margins: {prices}.",
    ),
    ("Methods", "Measurement of costs", _ASSUMED, "estimated", "{costs}."),
    ("Methods", "Currency and date of prices", _ASSUMED, "dated", "{currency}"),
    (
        "Methods",
        "Model and its choice",
        _ELSE,
        "modelled",
        (
            "Orders and dropout by {models}, order values by {spend}, fitted to the shop's customers; every customer "
            "is simulated order by order. The fit is shown; {why}."
        ),
    ),
    (
        "Methods",
        "Analysis and assumptions",
        _ASSUMED,
        "yes",
        (
            "{draws} draws of all uncertain inputs, seed {seed}; both sides of a comparison have the same customers "
            "and random numbers.{stacking}"
        ),
    ),
    (
        "Methods",
        "Differences between customers",
        _MONEY,
        "partly",
        (
            "Customers differ in order frequency, dropout and spend. Results are shown by time of joining, not by "
            "segment."
        ),
    ),
    ("Methods", "Distribution of gains", _NOWHERE, "no", "Transfers between customers are not analysed."),
    (
        "Methods",
        "Treatment of uncertainty",
        _CHANGE,
        "modelled",
        "Drawn: model parameters, effects, prices, costs and random numbers; {leaving}.",
    ),
    ("Methods", "Consultation of those affected", _NOWHERE, "no", "No record that customers or staff were consulted."),
    (
        "Results",
        "Inputs with range, source and owner",
        _ASSUMED,
        "owned",
        "{count} inputs: {numbers}. {owners} an owner.",
    ),
    (
        "Results",
        "Main results",
        _MONEY,
        "yes",
        "Each programme and the baseline side by side, by month, quarter and year, cumulative and discounted.",
    ),
    (
        "Results",
        "Effect of uncertainty",
        _CHANGE,
        "sampled",
        "Intervals, chances, one-way sensitivity, break-even values and simulation errors{rough}.",
    ),
    ("Results", "Effect of consultation", _NOWHERE, "no", "No record that anybody was consulted."),
    (
        "Discussion",
        "Limitations and generalisability",
        _ELSE,
        "partly",
        "Risks of each programme{cautions}. Other shops are compared only where a source is named.",
    ),
    ("Other", "Funding of the analysis", _NOWHERE, "no", "Not recorded."),
    ("Other", "Conflicts of interest", _NOWHERE, "no", "Not recorded."),
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
_NO_COSTS = "The programmes have no costs besides rewards"


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
    customers = [f"{figure(existing)} existing"] if scenario.existing_customers == "all" else []
    if arriving is not None:
        customers.append(f"{figure(arriving.per_month)} new a month for {arriving.months} months")
    return {
        "title": scenario.title,
        "arms": joined([scenario.titles[name] for name in scenario.arms[1:]]),
        "described": "partly" if why else "no",
        "question": f"{why} " if why else "",
        "stored": "partly" if stored else "no",
        "files": "The files under params/ define" if stored else "A scenario written by hand defines",
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
        "rate_source": "The rate is assumed" if rate.evidence == "assumed" else "Its source is given",
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
        dated = f"{economics.currency}; prices were last reviewed on {reviewed.isoformat()}."
        later = f" The orders end on {until.isoformat()}; prices are not adjusted for the time between."
        dated += "" if same_time else later
    return {
        "measured": _state(effects, otherwise="no"),
        "effects": _grounds(effects),
        "valued": _state(prices, otherwise="partly"),
        "prices": _grounds(prices),
        "estimated": _state(costs, otherwise="partly") if costs else "yes",
        "costs": f"Costs of the programmes: {_grounds(costs)}" if costs else _NO_COSTS,
        "dated": "yes" if same_time else "partly",
        "currency": dated,
        "owned": "yes" if answered and any(one.evidence == "measured" for one in numbers) else "partly",
        "count": len(numbers),
        "numbers": _grounds(numbers),
        "owners": "All have" if answered else "Not all have",
    }


def _modelled(study: Study) -> dict[str, object]:
    """Return how it was computed, and what is uncertain."""
    scenario, cautions = study.scenario, study.cautions.height
    models = [MODELS[one] for one in scenario.structures]
    leaving, why = f"one dropout model, {models[0]}", "the choice of the dropout model is not explained"
    if len(models) > 1:
        leaving = f"{counted(len(models))} dropout models with equal weight"
        why = "all are used, because orders do not show who has dropped out"
    elif scenario.dropout_reason:
        why = f"reason for the dropout model: {scenario.dropout_reason.strip().removesuffix('.')}"
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
        "stacking": "" if scenario.stacking is None else " Overlapping gains do not add up in full.",
        "sampled": "partly" if few else "yes",
        "rough": f"; with {scenario.draws} draws, the ends of intervals are imprecise" if few else "",
        "cautions": f", and {counted(cautions)} caution{plural} about the method" if cautions else "",
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
