"""A scenario in; how large the effects that nobody has measured must be for their strategies to pay, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy

from cxsim.display import facts_html, notebook_bar
from cxsim.errors import ParamError, refuse_unknown
from cxsim.finance.returns import net_present_value, standard_error
from cxsim.finance.statement import HIGH, LOW, flows
from cxsim.params import quantities, with_values
from cxsim.simulation.engine import Executor, Progress
from cxsim.simulation.world import rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import register, source_table, strategy_table
from cxsim.study.provenance import manifest
from cxsim.study.scenario import Scenario
from cxsim.study.sources import fit_scenario
from cxsim.study.worlds import Arms, Draw, Fits, Worlds, draw_worlds
from cxsim.tables import BREAK_EVEN, CURVE, empty, table_of

Numbers = npt.NDArray[np.float64]
# With the same random numbers at every size the NPV is a smooth curve of it, so few draws find its root; the error of
# the NPV at the root is stated.
DRAWS = 24
# Sizes of the curve, both ends included; the root is then looked for between two of them, to a two-hundredth of the
# range, which takes two or three steps more.
_SIZES = 5
_STEPS = 200.0
_MOST_STEPS = 20
_TOTAL = _SIZES + 4


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
        return strategy_table(self.scenario, self.scenario.searched)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{row['strategy']}: {_size(row)}" for row in self.break_even.iter_rows(named=True))
        return f"Search({self.scenario.name}; {sizes})"

    def _repr_html_(self) -> str:
        rows = ((row["title"], _size(row)) for row in self.break_even.iter_rows(named=True))
        return facts_html(self.scenario.title, {}, ("strategy", "pays from"), rows)


def search(scenario: Scenario, *, executor: Executor | None = None, progress: Progress | None = None) -> Search:
    """Return how large each effect must be that nobody has measured, for its strategy to pay on average.

    Parameters
    ----------
    scenario
        From `load_scenario`; its strategies with `mode: break-even` are searched, the others left out.
    executor
        As in `run`.
    progress
        Called with the number of sizes evaluated and how many they usually are. When None, Jupyter shows a bar.

    Returns
    -------
    Search
        Break-even, curve, assumptions and manifest.

    Raises
    ------
    ParamError
        For a scenario without a strategy of that mode.
    """
    if not scenario.searched:
        raise ParamError(
            f"scenario '{scenario.name}' has no strategy with mode: break-even, so there is no break-even to find. "
            "Name a strategy and the number to solve for, such as effects.dropout_1.ratio (--strategy and --searches), "
            "or build its report."
        )
    fits = fit_scenario(scenario)
    rows, curve = _searched(scenario, fits, executor, progress or notebook_bar("Searching"))
    return Search(
        scenario=scenario,
        break_even=rows,
        curve=curve,
        assumptions=register(scenario),
        sources=source_table(scenario),
        manifest=manifest(scenario, fits.rfm, curve, reading=fits.reading, named="curve")
        | {"draws_searched": min(scenario.draws, DRAWS)},
    )


def search_all(scenario: Scenario, fits: Fits, *, executor: Executor | None = None) -> pl.DataFrame:
    """Return the break-even of every strategy whose mode is `break-even`, under BREAK_EVEN; no rows for none."""
    return _searched(scenario, fits, executor, None)[0]


def break_even(
    scenario: Scenario,
    strategy: str,
    *,
    searches: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return how large one effect of a strategy must be for it to pay on average, under BREAK_EVEN."""
    known = {one.name: one for one in scenario.strategies}
    refuse_unknown(strategy, known, f"no strategy '{strategy}' in scenario '{scenario.name}'")
    return _curve(scenario, known[strategy], searches, None, executor, progress)[0]


def _searched(
    scenario: Scenario, fits: Fits, executor: Executor | None, progress: Progress | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return break-even and curve of every strategy that is searched."""
    parts = [(empty(BREAK_EVEN), empty(CURVE))]
    for place, one in enumerate(scenario.searched):
        part = progress and partial(_part, progress, place, len(scenario.searched))
        parts.append(_curve(scenario, one, None, fits, executor, part))
    rows, curves = zip(*parts, strict=True)
    return pl.concat(rows), pl.concat(curves)


def _part(progress: Progress, place: int, number: int, done: int, _: int) -> None:
    """Report the progress of one strategy of several as a part of the whole."""
    progress(place * _TOTAL + done, number * _TOTAL)


def _curve(
    scenario: Scenario,
    strategy: Strategy,
    searches: str | None,
    fits: Fits | None,
    executor: Executor | None,
    progress: Progress | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the break-even of a strategy alone, one row, and its NPV at a few sizes and the break-even itself.

    The number is `searches`, or what the strategy's file names when None.
    """
    spread = {path: one for path, one in quantities(strategy) if one.range[0] < one.range[1]}
    path = str(searches or strategy.searches)
    refuse_unknown(path, spread, f"strategy '{strategy.name}': '{path}' is not a number with a range")
    with_prior = with_values(replace(strategy, mode="prior", searches=None), {path: spread[path].value})
    alone = replace(
        scenario, strategies=(with_prior,), combinations=(), stacking=None, draws=min(scenario.draws, DRAWS)
    )
    worlds = draw_worlds(alone, fits or fit_scenario(scenario))
    # NPV of every draw, by size, shape (structures, draws)
    npvs: dict[float, Numbers] = {}

    def mean(size: float) -> float:
        if size not in npvs:
            (npvs[size],) = _npvs(worlds, path, [size], executor, None)
            if progress is not None:
                progress(min(len(npvs), _TOTAL - 1), _TOTAL)
        return float(npvs[size].mean())

    low, high = spread[path].range
    sizes: list[float] = np.linspace(low, high, _SIZES).tolist()
    npvs |= zip(sizes, _npvs(worlds, path, sizes, executor, progress), strict=True)
    means = [mean(size) for size in sizes]
    root = _root(mean, sizes, means)
    if progress is not None:
        progress(_TOTAL, _TOTAL)
    number = (strategy.name, strategy.title, path, spread[path].description, spread[path].unit)
    at_root = npvs[low if root is None else root].mean(axis=0)
    row = (*number, low, high, means[0], means[-1], root, standard_error(at_root), at_root.size)
    shown = sorted({size for size in npvs if size == root or size in sizes})
    rows = ((*number, size, npvs[size].mean(), *np.quantile(npvs[size], (LOW, HIGH))) for size in shown)
    return table_of([row], BREAK_EVEN), table_of(rows, CURVE)


def _root(mean: Callable[[float], float], sizes: list[float], means: list[float]) -> float | None:
    """Return the size at which the mean NPV is zero; None where it has the same sign at both ends."""
    changed = [place for place in range(1, _SIZES) if (means[place] > 0.0) != (means[0] > 0.0)]
    if (means[0] > 0.0) == (means[-1] > 0.0):
        return None
    ends = sizes[changed[0] - 1], sizes[changed[0]]
    root = float(scipy.optimize.brentq(mean, *ends, xtol=(sizes[-1] - sizes[0]) / _STEPS, maxiter=_MOST_STEPS))
    mean(root)
    return root


def _npvs(
    worlds: Worlds, path: str, sizes: Sequence[float], executor: Executor | None, progress: Progress | None
) -> list[Numbers]:
    """Return the NPV of a strategy against doing nothing in every world, for each size of a number: one arm each."""
    scenario = worlds.scenario
    by_size = [replace(worlds, draws=tuple(_sized(draw, path, size) for draw in worlds.draws)) for size in sizes]
    arms: list[Arms] = [
        [(), *(draw.arms[1] for draw in same)] for same in zip(*(one.draws for one in by_size), strict=True)
    ]
    counts = worlds.simulate(arms, executor=executor, progress=progress and partial(_first_sizes, progress))
    npvs = []
    for place, sized in enumerate(by_size, start=1):
        alone = [
            replace(one, by_arm=(one.by_arm[0], one.by_arm[place]), paired=one.paired[[0, place]]) for one in counts
        ]
        monthly = flows(sized.ledger(alone), scenario.arms, draws=len(worlds.draws), months=scenario.horizon_months)
        npv = net_present_value(monthly.cash(1), sized.present_values())
        npvs.append(npv.reshape(len(scenario.structures), -1))
    return npvs


def _sized(draw: Draw, path: str, size: float) -> Draw:
    sized = tuple(with_values(one, {path: rounded(size)}) for one in draw.scenario.strategies)
    return replace(draw, scenario=replace(draw.scenario, strategies=sized))


def _first_sizes(progress: Progress, done: int, tasks: int) -> None:
    progress(done * _SIZES // tasks, _TOTAL)


def _size(row: Mapping[str, float | None]) -> str:
    return "none found" if row["break_even"] is None else f"{row['break_even']:.3g}"
