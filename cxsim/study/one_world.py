"""A scenario, an arm and the number of a draw in; the tables that a shop would have of this one world, out."""

from __future__ import annotations

from cxsim.scenario import BASELINE, Scenario
from cxsim.study.draws import with_room
from cxsim.study.playing import drawn
from cxsim.study.shop_tables import ShopTables, require_world, tables_of
from cxsim.study.shops import fitted, population_of


def shop_tables(scenario: Scenario, arm: str = BASELINE, *, draw: int = 0) -> ShopTables:
    """Return what `run(scenario).tables(arm, draw=draw)` returns, without playing any other world."""
    require_world(scenario, arm, draw)
    shop = fitted(scenario)
    draws = drawn(scenario, shop)
    population = with_room(population_of(scenario, shop.rfm), draws)
    return tables_of(scenario, draws, population, shop.rfm, arm=arm, draw=draw)
