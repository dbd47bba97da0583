"""A scenario in; what a reader must know before believing its results, strategy by strategy, out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cxsim.scenario.combination import MANY
from cxsim.scenario.scenario import Scenario
from cxsim.strategies import Strategy
from cxsim.tables import CAUTIONS, check

# Effects by which customers order more often while they stay.
_FASTER = ("purchase_rate", "contacts", "points", "status", "markdown")
# In these models customers leave after an order, not by the calendar.
_LEAVING_BY_ORDERS = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD"}


def cautions(scenario: Scenario) -> pl.DataFrame:
    """Return what to be careful about."""
    titles = scenario.titles
    rows = [(name, titles[name], text) for name, together in scenario.believed for text in _of_arm(scenario, together)]
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
