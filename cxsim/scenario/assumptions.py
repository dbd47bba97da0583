"""A scenario or a valuation in; every number it assumes out, as a register, and a scenario with others put in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import polars as pl

from cxsim.errors import ParamError, choices
from cxsim.params import Source, sources
from cxsim.quantity import Quantity, quantities, with_quantities
from cxsim.scenario.scenario import Scenario
from cxsim.scenario.valuation import Valuation
from cxsim.tables import ASSUMPTIONS, check


def assumptions(case: Scenario | Valuation) -> Iterator[tuple[str, str, Quantity]]:
    """Yield every number that a scenario assumes, of economics, behaviour and strategies too; or a valuation's own."""
    if isinstance(case, Valuation):
        for path, quantity in quantities(case):
            yield f"valuations/{case.name}/{path}", "Value of customers", quantity
        return
    economics = case.economics
    for path, quantity in quantities(economics):
        yield f"economics/{economics.name}/{path}", economics.title, quantity
    behaviour = case.behaviour
    for path, quantity in quantities(behaviour):
        yield f"behaviour/{behaviour.name}/{path}", behaviour.title, quantity
    for strategy in case.strategies:
        for path, quantity in quantities(strategy):
            yield f"strategies/{strategy.name}/{path}", strategy.title, quantity
    if case.stacking is not None:
        yield f"scenarios/{case.name}/stacking", "Several strategies at once", case.stacking
    if case.budget is not None:
        yield f"scenarios/{case.name}/budget", "What may be spent", case.budget


def with_assumptions(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return the scenario with some of its assumptions known."""
    known = {identifier: quantity for identifier, _, quantity in assumptions(scenario)}
    for identifier in values:
        if identifier not in known:
            raise ParamError(f"no assumption '{identifier}'; {choices(identifier, known)}")
    return with_quantities_in(
        scenario, {identifier: known[identifier].at(value) for identifier, value in values.items()}
    )


def with_quantities_in(scenario: Scenario, others: Mapping[str, Quantity]) -> Scenario:
    """Return the scenario with other quantities."""
    economics, behaviour, stacking, budget = scenario.economics, scenario.behaviour, scenario.stacking, scenario.budget
    together, most = (f"scenarios/{scenario.name}/{name}" for name in ("stacking", "budget"))
    return dataclasses.replace(
        scenario,
        economics=with_quantities(economics, _under(others, f"economics/{economics.name}/")),
        behaviour=with_quantities(behaviour, _under(others, f"behaviour/{behaviour.name}/")),
        stacking=others.get(together, stacking),
        budget=others.get(most, budget),
        strategies=tuple(
            with_quantities(strategy, _under(others, f"strategies/{strategy.name}/"))
            for strategy in scenario.strategies
        ),
    )


def register(case: Scenario | Valuation) -> pl.DataFrame:
    """Return every assumption of a scenario or a valuation, with its source in words."""
    known = sources()
    rows = [
        {
            "id": identifier,
            "belongs_to": title,
            "description": quantity.description,
            "unit": str(quantity.unit),
            "value": quantity.value,
            "low": quantity.range[0],
            "high": quantity.range[1],
            "evidence": quantity.evidence,
            "source": _in_words(quantity.source, known),
        }
        for identifier, title, quantity in assumptions(case)
    ]
    schema = {name: kinds[0] for name, kinds in ASSUMPTIONS.columns.items()}
    return check(pl.DataFrame(rows, schema=schema), ASSUMPTIONS)


def source_table(case: Scenario | Valuation) -> pl.DataFrame:
    """Return the sources that the numbers of a scenario or a valuation cite."""
    known = sources()
    cited = sorted({quantity.source for _, _, quantity in assumptions(case) if quantity.source in known})
    rows = [{"id": name} | dataclasses.asdict(known[name]) for name in cited]
    names = ("id", "authors", "year", "title", "where", "measured", "grade")
    return pl.DataFrame(rows, schema={name: pl.Int64 if name == "year" else pl.String for name in names})


def _in_words(source: str | None, known: Mapping[str, Source]) -> str | None:
    if source is None or source not in known:
        return source
    entry = known[source]
    return f"{entry.authors} ({entry.year}), {entry.where}; grade {entry.grade}"


def _under(others: Mapping[str, Quantity], prefix: str) -> dict[str, Quantity]:
    return {name.removeprefix(prefix): one for name, one in others.items() if name.startswith(prefix)}
