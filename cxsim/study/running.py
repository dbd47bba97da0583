"""A scenario in, a study out: read, fit, draw, simulate every arm under the same luck, book, and sum up."""

from __future__ import annotations

from cxsim.errors import ParamError
from cxsim.scenario import Scenario
from cxsim.simulation import Executor
from cxsim.study.break_even import search_all
from cxsim.study.draws import with_room
from cxsim.study.notebook_bar import notebook_bar
from cxsim.study.playing import Progress, drawn, play
from cxsim.study.result import Study
from cxsim.study.shops import fitted, population_of
from cxsim.study.summing import summed_up


def run(scenario: Scenario, *, executor: Executor | None = None, progress: Progress | None = None) -> Study:
    """Play out a scenario.

    Parameters
    ----------
    scenario
        From `load_scenario`, or made by hand.
    executor
        Anything with `submit`, such as the executors of concurrent.futures; threads, one per processor, when None.
        The results do not depend on it.
    progress
        Called with the number of tasks done and their total. When None, Jupyter shows a bar, and a script nothing.

    Returns
    -------
    Study
        Returns, statement, ledger and manifest.

    Raises
    ------
    DataError, EstimationError, ParamError, SimulationError
        When orders, models, assumptions or plans cannot be used; the message says what is possible.
    """
    if not scenario.believed:
        names = ", ".join(one.name for one in scenario.searched)
        raise ParamError(
            f"the effects of {names} are searched, not believed (mode: break-even), so there are no returns to state; "
            "use break_even(scenario), `cxsim break-even`, or add a strategy whose effect somebody has measured."
        )
    shop = fitted(scenario)
    draws = drawn(scenario, shop)
    population = with_room(population_of(scenario, shop.rfm), draws)
    bar = progress or notebook_bar("Simulating")
    counts = play(scenario, draws, population, executor=executor, progress=bar)
    searched = search_all(scenario, shop, executor=executor)
    return summed_up(scenario, shop, population, draws, counts=counts, searched=searched)
