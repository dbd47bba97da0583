"""A study in; what a reader of an economic evaluation should find, whether it is there, and where, out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cxsim.behaviour import Behaviour
from cxsim.business.reporting import Item, Section, grounds
from cxsim.business.reporting_methods import methods
from cxsim.business_tables import CHECKLIST
from cxsim.quantity import quantities
from cxsim.scenario import Scenario, assumptions
from cxsim.strategies import Strategy
from cxsim.study import Study
from cxsim.tables import check, empty
from cxsim.valuation import Economics
from cxsim.wording import counted, joined

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
    told = scenario.description.strip()
    yield Item(
        "Introduction",
        "Why the question is asked, and for which decision",
        "partly" if told else "no",
        f"{told} Why the shop asks now is not recorded.".strip(),
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
    told = f", and {counted(cautions)} caution{'' if cautions == 1 else 's'} of the method" if cautions else ""
    yield Item(
        "Discussion",
        "Limits, and whether it holds elsewhere",
        "partly",
        f"What can go wrong with each strategy{told}. Other shops are compared only where a source is named.",
        Section.ELSE,
    )
    yield Item("Other", "Who paid for the analysis", "no", "Not recorded.", Section.NOWHERE)
    yield Item("Other", "Who could gain from its result", "no", "Not recorded.", Section.NOWHERE)


def _owners(scenario: Scenario) -> list[str | None]:
    """Return who answers for each file that holds numbers."""
    files: list[Economics | Behaviour | Strategy] = [scenario.economics, scenario.behaviour, *scenario.strategies]
    return [one.owner for one in files if next(quantities(one), None) is not None]
