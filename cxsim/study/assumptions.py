"""A scenario or a valuation in; every number it assumes out, as a register, and a scenario with others put in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

import polars as pl

from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.data.shop import Finding
from cxsim.errors import refuse_unknown
from cxsim.finance.economics import Economics
from cxsim.finance.statement import MONTHS_PER_YEAR
from cxsim.params import DAYS_PER_MONTH, Quantity, Source, quantities, sources, with_quantities
from cxsim.simulation.world import rounded
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.strategy import Strategy
from cxsim.study.scenario import Model, Scenario, Valuation
from cxsim.tables import ASSUMPTIONS, CAUTIONS, table_of
from cxsim.wording import NBSP, figure, joined, percent

# Numbers that a scenario itself assumes, with what they belong to.
_OWN = {"stacking": "Several programmes at once", "budget": "Budget"}


class Assumption(NamedTuple):
    """A number that is assumed: its identifier, the title of what it belongs to, and the number itself."""

    # Folder, file and path therein, such as `strategies/points-programme/effects.dropout_1.ratio`.
    id: str
    belongs_to: str
    quantity: Quantity

    @property
    def uncertain(self) -> bool:
        """Whether it has a range."""
        low, high = self.quantity.range
        return low < high

    @property
    def path(self) -> str:
        """Where it stands in its file."""
        return self.id.split("/", 2)[2]

    @property
    def priced(self) -> bool:
        """Whether it is a price, which changes nothing that customers do."""
        return self.id.startswith("economics/") or self.path.startswith("costs.")

    def at(self, score: float) -> float:
        """Return its value at a standard normal score of its prior."""
        return rounded(self.quantity.quantile(score))

    @property
    def columns(self) -> dict[str, object]:
        """Its columns in tables."""
        low, high = self.quantity.range
        same = {name: getattr(self.quantity, name) for name in ("description", "unit", "value", "evidence")}
        return {"id": self.id, "belongs_to": self.belongs_to, **same, "low": low, "high": high}


def assumptions(case: Scenario | Valuation) -> Iterator[Assumption]:
    """Yield every number that a scenario assumes, of economics, behaviour and strategies too; or a valuation's own."""
    if isinstance(case, Valuation):
        yield from assumed_in("valuations", case, "Customer value")
        return
    for folder, holder in files_in(case):
        yield from assumed_in(folder, holder, holder.title)
    for name, title in _OWN.items():
        own: Quantity | None = getattr(case, name)
        if own is not None:
            yield Assumption(f"scenarios/{case.name}/{name}", title, own)


def files_in(scenario: Scenario) -> list[tuple[str, Economics | Behaviour | Strategy]]:
    """Return what a scenario is made of, each with its folder in params."""
    strategies = [("strategies", one) for one in scenario.strategies]
    return [("economics", scenario.economics), ("behaviour", scenario.behaviour), *strategies]


def assumed_in(folder: str, holder: Economics | Behaviour | Strategy | Valuation, title: str) -> Iterator[Assumption]:
    """Yield the numbers of one file in params."""
    for identifier, quantity in quantities(holder, f"{folder}/{holder.name}/"):
        yield Assumption(identifier, title, quantity)


def drawn_assumptions(scenario: Scenario) -> list[Assumption]:
    """Return the numbers that are drawn: all but those of strategies that are only searched."""
    # These are never simulated as they are written, and must keep the range of their search.
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    return [one for one in assumptions(scenario) if not one.id.startswith(searched)]


def assumed_values(scenario: Scenario) -> dict[str, float]:
    """Return the value of every number that a scenario assumes."""
    return {one.id: one.quantity.value for one in assumptions(scenario)}


def with_assumptions(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return the scenario with some of its assumptions known."""
    known = {one.id: one.quantity for one in assumptions(scenario)}
    for identifier in values:
        refuse_unknown(identifier, known, f"no assumption '{identifier}'")
    return with_quantities_in(scenario, {name: known[name].at(value) for name, value in values.items()})


def with_quantities_in(scenario: Scenario, others: Mapping[str, Quantity]) -> Scenario:
    """Return the scenario with other quantities."""
    economics, behaviour, *strategies = (
        with_quantities(holder, others, f"{folder}/{holder.name}/") for folder, holder in files_in(scenario)
    )
    own = {name: others.get(f"scenarios/{scenario.name}/{name}", getattr(scenario, name)) for name in _OWN}
    parts: dict[str, Any] = {"economics": economics, "behaviour": behaviour, "strategies": tuple(strategies), **own}
    return replace(scenario, **parts)


def register(case: Scenario | Valuation) -> pl.DataFrame:
    """Return every assumption of a scenario or a valuation, with its source in words."""
    known = sources()
    rows = [one.columns | {"source": _in_words(one.quantity.source, known)} for one in assumptions(case)]
    return table_of(rows, ASSUMPTIONS)


def source_table(case: Scenario | Valuation) -> pl.DataFrame:
    """Return the sources that the numbers of a scenario or a valuation cite."""
    known = sources()
    cited = sorted(known.keys() & {one.quantity.source for one in assumptions(case)})
    rows = [{"id": name} | asdict(known[name]) for name in cited]
    columns = ("id", *(field.name for field in fields(Source)))
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String) | {"year": pl.Int64})


def strategy_table(scenario: Scenario, strategies: Sequence[Strategy]) -> pl.DataFrame:
    """Return one row per strategy, and per combination of them: strategy, title, description and harms."""
    names = ("strategy", "title", "description", "harms")
    rows = [(one.name, one.title, one.description, one.harms) for one in strategies]
    for one in scenario.combinations:
        if {*one.strategies} <= {strategy.name for strategy in strategies}:
            together = " and ".join(scenario.titles[name] for name in one.strategies)
            rows.append((one.name, one.title, f"At the same time: {together}.", "As for its parts."))
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _in_words(source: str | None, known: Mapping[str, Source]) -> str | None:
    entry = known.get(source or "")
    return source if entry is None else f"{entry.authors} ({entry.year}), {entry.where}; grade {entry.grade}"


# Effects of programmes were measured one at a time; of more together, less and less is known.
_MANY = 3
# Effects by which customers order more often while they stay.
_FASTER = ("purchase_rate", "contacts", "points", "status", "markdown")
_FASTER_BY = 0.10
# In these models customers leave after an order, not by the calendar.
_LEAVING_BY_ORDERS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD"}


def cautions(
    scenario: Scenario, purchases: Mapping[Model, PurchaseFit], orders: Iterable[Finding] = ()
) -> pl.DataFrame:
    """Return what to be careful about, of the orders first, of which notes are left out."""
    titles = scenario.titles
    rows = [("orders", "The orders", f"{one.sentence} {one.advice}") for one in orders if one.severity != "note"]
    rows += [
        (name, titles[name], text)
        for name, together in scenario.with_prior
        for text in _of_arm(scenario, together, purchases)
    ]
    rows += [(one.name, one.title, _SEARCHED) for one in scenario.searched]
    if scenario.after_horizon == "included":
        rows.append(("horizon", "The years after the horizon", _INCLUDED))
    return table_of(rows, CAUTIONS)


_INCLUDED = (
    "In this scenario every NPV and the decision include the value after the horizon of customers still active at its "
    "end, as one amount in the last month. It is a forecast of the fitted models and cannot be checked within the "
    "horizon. Payback may depend on it, and the discount rates of sliders and workbook do not change it."
)


def gain_of_faster_orders(slower: PurchaseParams, days: float) -> float:
    """Return the share by which repeat orders of a new customer rise within some days who orders faster by a tenth."""
    faster = replace(slower, alpha=slower.alpha / (1.0 + _FASTER_BY))
    before, after = (float(Outlook(params).expected_purchases(days)) for params in (slower, faster))
    return after / before - 1.0


_SEARCHED = (
    "The effect of this strategy has not been measured. The study states no return, only the effect size at which it "
    "breaks even; a test must show whether that size is reached."
)


def _of_arm(
    scenario: Scenario, together: tuple[Strategy, ...], purchases: Mapping[Model, PurchaseFit]
) -> Iterator[str]:
    faster = any(effect.kind in _FASTER for one in together for effect in one.effects)
    if scenario.dropout in _LEAVING_BY_ORDERS and faster:
        (fitted,) = (purchases[model] for model in scenario.structures)
        spans = sorted({MONTHS_PER_YEAR, scenario.horizon_months})
        gains = [100.0 * gain_of_faster_orders(fitted.params, months * DAYS_PER_MONTH) for months in spans]
        more = [f"{figure(gain, '.1f')}{NBSP}% in {months} months" for gain, months in zip(gains, spans, strict=True)]
        yield (
            f"It raises the purchase rate. In {_LEAVING_BY_ORDERS[scenario.dropout]}, the only dropout model used "
            "here, customers may drop out after each order, so faster orders also mean earlier dropout: as fitted to "
            f"this shop, a {percent(_FASTER_BY)} higher rate gives {joined(more)} more repeat orders of new customers. "
            f"In Pareto/NBD it gives {percent(_FASTER_BY)}. With `dropout: all` the report shows both."
        )
    if len(together) > _MANY:
        yield (
            f"{len(together)} strategies run together. Their effects were measured one at a time. Where several act on "
            "the same behaviour, the strongest counts in full and the others in part, which is an assumption."
        )
