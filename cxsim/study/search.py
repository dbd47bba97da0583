"""A scenario in; how large effects must be that nobody has measured, with all that a report says of it, out."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.errors import ParamError
from cxsim.scenario import Scenario, register, source_table
from cxsim.simulation import Executor
from cxsim.study.finding import TRIES, found
from cxsim.study.manifest import manifest
from cxsim.study.notebook_bar import notebook_bar
from cxsim.study.playing import Progress
from cxsim.study.shops import fitted
from cxsim.study.trying import draws_used, sought, trial


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
