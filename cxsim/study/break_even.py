"""A scenario in; how large the effects that nobody has measured must be for their strategies to pay, out."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq

from cxsim.errors import ParamError, choices
from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import flows
from cxsim.params import Quantity, quantities, with_values
from cxsim.simulation.engine import Executor
from cxsim.simulation.world import Population, rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import register, source_table
from cxsim.study.play import Draw, Progress, Shop, drawn, fitted, notebook_bar, play, population_of, with_room
from cxsim.study.provenance import manifest
from cxsim.study.result import ledger_of, present_values
from cxsim.study.scenario import Scenario
from cxsim.tables import BREAK_EVEN, CURVE, check, empty

# With the same luck at every size the NPV is a smooth curve of it, so few draws find its root; the error of the NPV at
# the root is stated.
DRAWS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """A number of a strategy that is searched.

    Attributes
    ----------
    strategy
        The strategy, with the range of the number as it is written.
    path
        The number, such as `effects.dropout_1.ratio`.
    quantity
        Its range is the interval of the search.
    """

    strategy: Strategy
    path: str
    quantity: Quantity


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A strategy alone against doing nothing, ready to be played at any size of the number that is searched.

    Attributes
    ----------
    scenario
        With this strategy alone, its searched number known, and few draws.
    sought
        What is searched.
    draws
        All else that is not known, the same at every size.
    population
        Who is simulated.
    executor
        As in `run`.
    """

    scenario: Scenario
    sought: Sought
    draws: tuple[Draw, ...]
    population: Population
    executor: Executor | None

    def gains(self, size: float) -> npt.NDArray[np.float64]:
        """Return the incremental NPV at a size: shape (structures, draws)."""
        draws = [self._at(draw, size) for draw in self.draws]
        population = with_room(self.population, draws)
        counts = play(self.scenario, draws, population, executor=self.executor)
        ledger = ledger_of(self.scenario, population, draws, counts)
        monthly = flows(ledger, self.scenario.arms, draws=len(draws), months=self.scenario.horizon_months)
        worth = net_present_value(monthly.cash(1), present_values(self.scenario, draws))
        return worth.reshape(len(self.scenario.structures), -1)

    def _at(self, draw: Draw, size: float) -> Draw:
        (strategy,) = draw.scenario.strategies
        tried = with_values(strategy, {self.sought.path: rounded(size)})
        return dataclasses.replace(draw, scenario=dataclasses.replace(draw.scenario, strategies=(tried,)))


def sought(strategy: Strategy, searches: str | None) -> Sought:
    """Return what is searched of a strategy: `searches`, or what its file says when None."""
    spread = {path: one for path, one in quantities(strategy) if one.range[0] < one.range[1]}
    path = searches or strategy.searches
    if path is None or path not in spread:
        raise ParamError(
            f"strategy '{strategy.name}': '{path}' is no number with a range to search; {choices(str(path), spread)}"
        )
    return Sought(strategy=strategy, path=path, quantity=spread[path])


def trial(scenario: Scenario, shop: Shop, wanted: Sought, *, executor: Executor | None = None) -> Trial:
    """Return a strategy of a scenario ready to be tried at different sizes, with the draws of all else made."""
    with_prior = dataclasses.replace(wanted.strategy, mode="prior", searches=None)
    alone = dataclasses.replace(
        scenario,
        strategies=(with_values(with_prior, {wanted.path: wanted.quantity.value}),),
        combinations=(),
        stacking=None,
        draws=draws_used(scenario),
    )
    return Trial(
        scenario=alone,
        sought=wanted,
        draws=tuple(drawn(alone, shop)),
        population=population_of(alone, shop.rfm),
        executor=executor,
    )


def draws_used(scenario: Scenario) -> int:
    """Return how many of a scenario's draws a search makes, for each structure."""
    return min(scenario.draws, DRAWS)


def sizes(wanted: Sought, number: int) -> Sequence[float]:
    """Return so many sizes, evenly from one end of the search to the other."""
    low, high = wanted.quantity.range
    return [float(size) for size in np.linspace(low, high, number)]


# Sizes of the curve, both ends included; the break-even is then looked for between two of them, to a two-hundredth of
# the range, which takes two or three tries more.
SIZES = 5
_STEPS = 200.0
_MOST_TRIES = 20
TRIES = SIZES + 4
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a search found.

    Attributes
    ----------
    break_even
        One row, under BREAK_EVEN.
    curve
        One row for each of a few sizes and the break-even itself, under CURVE.
    """

    break_even: pl.DataFrame
    curve: pl.DataFrame


def found(trial: Trial, *, progress: Progress | None = None) -> Found:
    """Return the break-even of a strategy, and its NPV at a few sizes."""
    tries = _Tries(trial=trial, progress=progress)
    grid = sizes(trial.sought, SIZES)
    means = [tries.mean(size) for size in grid]
    low, high = trial.sought.quantity.range
    root = None
    if (means[0] > 0.0) != (means[-1] > 0.0):
        place = next(place for place in range(1, SIZES) if (means[place] > 0.0) != (means[0] > 0.0))
        ends = grid[place - 1], grid[place]
        root = float(brentq(tries.mean, *ends, xtol=(high - low) / _STEPS, maxiter=_MOST_TRIES))
        tries.mean(root)
    if progress is not None:
        progress(TRIES, TRIES)
    sentence = _sentence(trial.sought)
    at_root = tries.done[low if root is None else root].mean(axis=0)
    row = sentence | {
        "searched_low": low,
        "searched_high": high,
        "npv_low": means[0],
        "npv_high": means[-1],
        "break_even": root,
        "npv_mc_error": float(at_root.std(ddof=1) / np.sqrt(at_root.size)),
        "draws": at_root.size,
    }
    shown = sorted(grid if root is None else {*grid, root})
    rows = [sentence | {"size": size} | _spread(tries.done[size]) for size in shown]
    return Found(
        break_even=check(pl.DataFrame([row], schema=empty(BREAK_EVEN).schema), BREAK_EVEN),
        curve=check(pl.DataFrame(rows, schema=empty(CURVE).schema), CURVE),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tries:
    """Sizes that were tried already, with the NPV of every draw."""

    trial: Trial
    progress: Progress | None
    done: dict[float, npt.NDArray[np.float64]] = field(default_factory=dict)

    def mean(self, size: float) -> float:
        if size not in self.done:
            self.done[size] = self.trial.gains(size)
            if self.progress is not None:
                self.progress(min(len(self.done), TRIES - 1), TRIES)
        return float(self.done[size].mean())


def _sentence(wanted: Sought) -> dict[str, object]:
    return {
        "strategy": wanted.strategy.name,
        "title": wanted.strategy.title,
        "effect": wanted.path,
        "description": wanted.quantity.description,
        "unit": str(wanted.quantity.unit),
    }


def _spread(gains: npt.NDArray[np.float64]) -> dict[str, float]:
    low, high = np.quantile(gains, _INTERVAL)
    return {"npv": float(gains.mean()), "low": float(low), "high": float(high)}


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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Search:
    """What must be true for strategies to pay whose effects nobody has measured.

    Attributes
    ----------
    scenario
        What was asked.
    break_even
        One row for each of these strategies, under BREAK_EVEN.
    curve
        Their NPV at some sizes of the effect, under CURVE.
    assumptions
        Every number that was assumed, under ASSUMPTIONS.
    sources
        The sources that those numbers cite.
    manifest
        What is needed to make the search again.
    """

    scenario: Scenario
    break_even: pl.DataFrame
    curve: pl.DataFrame
    assumptions: pl.DataFrame
    sources: pl.DataFrame
    manifest: Mapping[str, object]

    @property
    def currency(self) -> str:
        """Code of the currency."""
        return self.scenario.economics.currency

    @property
    def strategies(self) -> pl.DataFrame:
        """One row per strategy: strategy, title, description, and harms, what can go wrong."""
        names = ("strategy", "title", "description", "harms")
        rows = [(one.name, one.title, one.description, one.harms) for one in self.scenario.searched]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def __repr__(self) -> str:
        found_sizes = ", ".join(f"{name}: {_size(size)}" for name, size in self._sizes("strategy"))
        return f"Search({self.scenario.name}; {found_sizes})"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(title)}</td><td>{_size(size)}</td></tr>" for title, size in self._sizes())
        return (
            f"<table><caption>{html.escape(self.scenario.title)}</caption>"
            f"<tr><th>strategy</th><th>pays from</th></tr>{rows}</table>"
        )

    def _sizes(self, name: str = "title") -> list[tuple[str, float | None]]:
        return list(self.break_even.select(name, "break_even").iter_rows())


def search(scenario: Scenario, *, executor: Executor | None = None, progress: Progress | None = None) -> Search:
    """Return how large each effect must be that nobody has measured, for its strategy to pay on average.

    Parameters
    ----------
    scenario
        From `load_scenario`; its strategies with `mode: break-even` are searched, the others left out.
    executor
        As in `run`.
    progress
        Called with the number of sizes tried and how many they usually are. When None, Jupyter shows a bar.

    Returns
    -------
    Search
        Break-even, curve, assumptions and manifest.

    Raises
    ------
    ParamError
        For a scenario without a strategy of that mode.
    """
    searched = scenario.searched
    if not searched:
        raise ParamError(
            f"scenario '{scenario.name}' has no strategy with mode: break-even, so there is nothing to search; use "
            "run(scenario) for its returns, or break_even(scenario, strategy, searches=...) for one number."
        )
    shop = fitted(scenario)
    bar = progress or notebook_bar("Searching")
    results = []
    for place, one in enumerate(searched):
        tried = trial(scenario, shop, sought(one, None), executor=executor)
        results.append(found(tried, progress=_from(bar, place, len(searched))))
    curve = pl.concat(one.curve for one in results)
    return Search(
        scenario=scenario,
        break_even=pl.concat(one.break_even for one in results),
        curve=curve,
        assumptions=register(scenario),
        sources=source_table(scenario),
        manifest=manifest(scenario, shop.rfm, curve, named="curve") | {"draws_searched": draws_used(scenario)},
    )


def _from(progress: Progress | None, place: int, number: int) -> Progress | None:
    """Return the progress of one strategy of several as a part of the whole."""
    if progress is None:
        return None
    return lambda done, _: progress(place * TRIES + done, number * TRIES)


def _size(size: float | None) -> str:
    return "none found" if size is None else f"{size:.3g}"
