"""A scenario or a valuation in; every number it assumes out, as a register, and a scenario with others put in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import polars as pl

from cxsim.errors import ParamError, choices
from cxsim.params import Quantity, Source, quantities, sources, with_quantities
from cxsim.strategies.strategy import Strategy
from cxsim.study.scenario import MANY, Scenario, Valuation
from cxsim.tables import ASSUMPTIONS, CAUTIONS, check, empty

# Numbers that a scenario itself assumes, with what they belong to.
_OWN = {"stacking": "Several strategies at once", "budget": "What may be spent"}


def assumptions(case: Scenario | Valuation) -> Iterator[tuple[str, str, Quantity]]:
    """Yield every number that a scenario assumes, of economics, behaviour and strategies too; or a valuation's own."""
    if isinstance(case, Valuation):
        holders: list[tuple[str, str, object]] = [(f"valuations/{case.name}", "Value of customers", case)]
    else:
        holders = [
            (f"economics/{case.economics.name}", case.economics.title, case.economics),
            (f"behaviour/{case.behaviour.name}", case.behaviour.title, case.behaviour),
            *((f"strategies/{one.name}", one.title, one) for one in case.strategies),
        ]
    for prefix, title, holder in holders:
        for path, quantity in quantities(holder):
            yield f"{prefix}/{path}", title, quantity
    if isinstance(case, Scenario):
        for name, title in _OWN.items():
            own: Quantity | None = getattr(case, name)
            if own is not None:
                yield f"scenarios/{case.name}/{name}", title, own


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
    economics, behaviour = scenario.economics, scenario.behaviour
    return dataclasses.replace(
        scenario,
        economics=with_quantities(economics, _under(others, f"economics/{economics.name}/")),
        behaviour=with_quantities(behaviour, _under(others, f"behaviour/{behaviour.name}/")),
        strategies=tuple(
            with_quantities(one, _under(others, f"strategies/{one.name}/")) for one in scenario.strategies
        ),
        **{name: others.get(f"scenarios/{scenario.name}/{name}", getattr(scenario, name)) for name in _OWN},
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
    return check(pl.DataFrame(rows, schema=empty(ASSUMPTIONS).schema), ASSUMPTIONS)


def source_table(case: Scenario | Valuation) -> pl.DataFrame:
    """Return the sources that the numbers of a scenario or a valuation cite."""
    known = sources()
    cited = sorted({quantity.source for _, _, quantity in assumptions(case) if quantity.source in known})
    rows = [{"id": name} | dataclasses.asdict(known[name]) for name in cited]
    names = ("id", "authors", "year", "title", "where", "measured", "grade")
    return pl.DataFrame(rows, schema={name: pl.Int64 if name == "year" else pl.String for name in names})


def _in_words(source: str | None, known: Mapping[str, Source]) -> str | None:
    entry = known.get(source or "")
    return source if entry is None else f"{entry.authors} ({entry.year}), {entry.where}; grade {entry.grade}"


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
    return check(pl.DataFrame(rows, schema=empty(CAUTIONS).schema, orient="row"), CAUTIONS)


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
