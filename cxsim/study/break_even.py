"""A scenario in; how large the effects that nobody has measured must be for their strategies to pay, out."""

from __future__ import annotations

import polars as pl

from cxsim.errors import ParamError, choices
from cxsim.scenario import Scenario
from cxsim.simulation import Executor
from cxsim.study.finding import found
from cxsim.study.playing import Progress
from cxsim.study.shops import Shop, fitted
from cxsim.study.trying import sought, trial
from cxsim.tables import BREAK_EVEN, check, empty


def break_even(
    scenario: Scenario,
    strategy: str,
    *,
    searches: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return how large one effect of a strategy must be for it to pay on average."""
    known = {one.name: one for one in scenario.strategies}
    if strategy not in known:
        raise ParamError(f"no strategy '{strategy}' in scenario '{scenario.name}'; {choices(strategy, known)}")
    wanted = sought(known[strategy], searches)
    return found(trial(scenario, fitted(scenario), wanted, executor=executor), progress=progress).break_even


def search_all(
    scenario: Scenario, shop: Shop, *, executor: Executor | None = None, progress: Progress | None = None
) -> pl.DataFrame:
    """Return the break-even of every strategy whose mode is `break-even`, under BREAK_EVEN; no rows for none."""
    tables = [
        found(trial(scenario, shop, sought(one, None), executor=executor), progress=progress).break_even
        for one in scenario.searched
    ]
    return check(pl.concat([empty(BREAK_EVEN), *tables]), BREAK_EVEN)
