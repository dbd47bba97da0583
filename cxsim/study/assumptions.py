"""A scenario or a valuation in; every number it assumes out, as a register, and a scenario with others put in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import polars as pl

from cxsim.errors import ParamError, choices
from cxsim.params import Quantity, Source, quantities, sources, with_quantities
from cxsim.strategies.strategy import Strategy
from cxsim.study.scenario import MANY, Scenario, Valuation
from cxsim.tables import ASSUMPTIONS, CAUTIONS, check


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


# Effects by which customers order more often while they stay.
_FASTER = ("purchase_rate", "contacts", "points", "status", "markdown")
# In these models customers leave after an order, not by the calendar.
_LEAVING_BY_ORDERS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD"}


def cautions(scenario: Scenario) -> pl.DataFrame:
    """Return what to be careful about."""
    titles = scenario.titles
    rows = [
        (name, titles[name], text) for name, together in scenario.with_prior for text in _of_arm(scenario, together)
    ]
    rows += [(one.name, one.title, _SEARCHED) for one in scenario.searched]
    schema = {name: kinds[0] for name, kinds in CAUTIONS.columns.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), CAUTIONS)


_SEARCHED = (
    "Nobody has measured what this brings. No return is stated; the study says how large the effect must be for it to "
    "pay, and only a test can say whether it is."
)


def _of_arm(scenario: Scenario, together: tuple[Strategy, ...]) -> Iterator[str]:
    faster = any(effect.kind in _FASTER for one in together for effect in one.effects)
    if scenario.dropout in _LEAVING_BY_ORDERS and faster:
        yield (
            f"It makes customers order faster, and in {_LEAVING_BY_ORDERS[scenario.dropout]}, the only model of "
            "leaving used here, who orders faster also comes sooner to the order after which they leave: 10 % more "
            "orders a day bring 6.3 % more orders in a year and 4.3 % in ten (BG/NBD, CDNOW). In Pareto/NBD they bring "
            "10 %. With `dropout: all` the report shows both."
        )
    if len(together) > MANY:
        yield (
            f"{len(together)} strategies run together. Their effects were measured one at a time; where several work "
            "on the same thing, the strongest counts in full and only a share of the others, which is an assumption."
        )
