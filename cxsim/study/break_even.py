"""A scenario in; how large the effects that nobody has measured must be for their strategies to pay, out."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq

from cxsim.errors import ParamError, choices
from cxsim.finance.returns import net_present_value, standard_error
from cxsim.finance.statement import HIGH, LOW, flows
from cxsim.params import Quantity, quantities, with_values
from cxsim.simulation.engine import Executor, Progress
from cxsim.simulation.world import rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import register, source_table, strategy_table
from cxsim.study.provenance import manifest
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Draw, Fits, Worlds, draw_worlds, fit_scenario, notebook_bar
from cxsim.tables import BREAK_EVEN, CURVE, empty, table_of

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
        rows = "".join(
            f"<tr><td>{html.escape(row['title'])}</td><td>{_size(row)}</td></tr>"
            for row in self.break_even.iter_rows(named=True)
        )
        return (
            f"<table><caption>{html.escape(self.scenario.title)}</caption>"
            f"<tr><th>strategy</th><th>pays from</th></tr>{rows}</table>"
        )


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
            f"scenario '{scenario.name}' has no strategy with mode: break-even, so there is nothing to search; use "
            "run(scenario) for its returns, or break_even(scenario, strategy, searches=...) for one number."
        )
    fits = fit_scenario(scenario)
    rows, curve = _searched(scenario, fits, executor, progress or notebook_bar("Searching"))
    return Search(
        scenario=scenario,
        break_even=rows,
        curve=curve,
        assumptions=register(scenario),
        sources=source_table(scenario),
        manifest=manifest(scenario, fits.rfm, curve, named="curve") | {"draws_searched": min(scenario.draws, DRAWS)},
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
    if strategy not in known:
        raise ParamError(f"no strategy '{strategy}' in scenario '{scenario.name}'; {choices(strategy, known)}")
    return _curve(scenario, known[strategy], searches, None, executor, progress).tables()[0]


def _searched(
    scenario: Scenario, fits: Fits, executor: Executor | None, progress: Progress | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return break-even and curve of every strategy that is searched."""
    parts = [(empty(BREAK_EVEN), empty(CURVE))]
    for place, one in enumerate(scenario.searched):
        part = progress and partial(_part, progress, place, len(scenario.searched))
        parts.append(_curve(scenario, one, None, fits, executor, part).tables())
    rows, curves = zip(*parts, strict=True)
    return pl.concat(rows), pl.concat(curves)


def _part(progress: Progress, place: int, number: int, done: int, _: int) -> None:
    """Report the progress of one strategy of several as a part of the whole."""
    progress(place * _TOTAL + done, number * _TOTAL)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Curve:
    """The NPV of a strategy alone against doing nothing, by the size of one of its numbers."""

    path: str  # the number, such as effects.dropout_1.ratio
    quantity: Quantity  # its range is the interval of the search
    worlds: Worlds  # few, the same at every size
    executor: Executor | None
    progress: Progress | None
    # NPV of every draw, by size, shape (structures, draws)
    npvs: dict[float, npt.NDArray[np.float64]] = field(default_factory=dict)

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the break-even, one row, and the NPV at a few sizes and the break-even itself."""
        low, high = self.quantity.range
        sizes = [float(size) for size in np.linspace(low, high, _SIZES)]
        means = [self._mean(size) for size in sizes]
        root = None
        if (means[0] > 0.0) != (means[-1] > 0.0):
            place = next(place for place in range(1, _SIZES) if (means[place] > 0.0) != (means[0] > 0.0))
            ends = sizes[place - 1], sizes[place]
            root = float(brentq(self._mean, *ends, xtol=(high - low) / _STEPS, maxiter=_MOST_STEPS))
            self._mean(root)
        if self.progress is not None:
            self.progress(_TOTAL, _TOTAL)
        (strategy,) = self.worlds.scenario.strategies
        number = {
            "strategy": strategy.name,
            "title": strategy.title,
            "effect": self.path,
            "description": self.quantity.description,
            "unit": self.quantity.unit,
        }
        at_root = self.npvs[low if root is None else root].mean(axis=0)
        row = number | {
            "searched_low": low,
            "searched_high": high,
            "npv_low": means[0],
            "npv_high": means[-1],
            "break_even": root,
            "npv_mc_error": standard_error(at_root),
            "draws": at_root.size,
        }
        rows = [
            number
            | {"size": size, "npv": npv.mean()}
            | dict(zip(("low", "high"), np.quantile(npv, (LOW, HIGH)), strict=True))
            for size, npv in sorted(self.npvs.items())
            if size == root or size in sizes
        ]
        return table_of([row], BREAK_EVEN), table_of(rows, CURVE)

    def _mean(self, size: float) -> float:
        if size not in self.npvs:
            self.npvs[size] = self._npv(size)
            if self.progress is not None:
                self.progress(min(len(self.npvs), _TOTAL - 1), _TOTAL)
        return float(self.npvs[size].mean())

    def _npv(self, size: float) -> npt.NDArray[np.float64]:
        worlds = dataclasses.replace(self.worlds, draws=tuple(self._at(draw, size) for draw in self.worlds.draws))
        scenario = worlds.scenario
        ledger = worlds.ledger(worlds.simulate(executor=self.executor))
        monthly = flows(ledger, scenario.arms, draws=len(worlds.draws), months=scenario.horizon_months)
        npv = net_present_value(monthly.cash(1), worlds.present_values())
        return npv.reshape(len(scenario.structures), -1)

    def _at(self, draw: Draw, size: float) -> Draw:
        sized = tuple(with_values(one, {self.path: rounded(size)}) for one in draw.scenario.strategies)
        return dataclasses.replace(draw, scenario=dataclasses.replace(draw.scenario, strategies=sized))


def _curve(
    scenario: Scenario,
    strategy: Strategy,
    searches: str | None,
    fits: Fits | None,
    executor: Executor | None,
    progress: Progress | None,
) -> _Curve:
    """Return the curve of a strategy over a number: `searches`, or what its file names when None."""
    spread = {path: one for path, one in quantities(strategy) if one.range[0] < one.range[1]}
    path = searches or strategy.searches
    if path is None or path not in spread:
        raise ParamError(
            f"strategy '{strategy.name}': '{path}' is no number with a range to search; {choices(str(path), spread)}"
        )
    with_prior = dataclasses.replace(strategy, mode="prior", searches=None)
    alone = dataclasses.replace(
        scenario,
        strategies=(with_values(with_prior, {path: spread[path].value}),),
        combinations=(),
        stacking=None,
        draws=min(scenario.draws, DRAWS),
    )
    return _Curve(
        path=path,
        quantity=spread[path],
        worlds=draw_worlds(alone, fits or fit_scenario(scenario)),
        executor=executor,
        progress=progress,
    )


def _size(row: Mapping[str, float | None]) -> str:
    return "none found" if row["break_even"] is None else f"{row['break_even']:.3g}"
