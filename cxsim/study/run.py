"""A scenario in, a study out: fit, draw, simulate every arm with the same random numbers, book, sum up; and save it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.display import notebook_bar
from cxsim.errors import ParamError, require_kind
from cxsim.finance.returns import npv_by_draw, returns
from cxsim.finance.statement import Flows, cash, flows, statement, totals
from cxsim.params import MICROS
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Counts, Executor, Progress
from cxsim.study.assumptions import cautions, register, source_table
from cxsim.study.break_even import search_all
from cxsim.study.business.experiments import TEST_PLAN, net_benefits, planned_tests
from cxsim.study.business.information import INFORMATION, drawn_inputs, information
from cxsim.study.provenance import manifest, save_files
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.study.sources import fit_scenario
from cxsim.study.worlds import Worlds, counts_by_arm, draw_worlds
from cxsim.tables import empty


def run(scenario: Scenario, *, executor: Executor | None = None, progress: Progress | None = None) -> Study:
    """Simulate a scenario: every strategy against doing nothing.

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
    require_kind(scenario, Scenario, "a scenario, such as cxsim.scenario('cdnow-quick')")
    if not scenario.with_prior:
        names = ", ".join(one.name for one in scenario.searched)
        raise ParamError(
            f"the effects of {names} have no prior (mode: break-even), so there are no returns to report; "
            "use break_even(scenario), `cxsim break-even`, or add a strategy with a measured effect."
        )
    fits = fit_scenario(scenario)
    worlds = draw_worlds(scenario, fits)
    counts = worlds.simulate(executor=executor, progress=progress or notebook_bar("Simulating"))
    ledger, by_arm, calendar, titles = worlds.ledger(counts), counts_by_arm(counts), scenario.calendar, scenario.titles
    monthly = flows(ledger, scenario.arms, draws=len(worlds.draws), months=calendar.months)
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    undecided = Study(
        scenario=scenario,
        returns=_returns(worlds, monthly),
        structures=_by_structure(worlds, monthly),
        break_even=search_all(scenario, fits, executor=executor),
        cautions=cautions(scenario, fits.purchases, fits.findings),
        statement=_titled(statement(monthly, starts[:-1]), titles),
        totals=_titled(totals(monthly), titles),
        cash=_titled(cash(monthly, [start - timedelta(days=1) for start in starts[1:]]), titles),
        npv=_titled(npv_by_draw(monthly, worlds.present_values()), titles),
        ledger=ledger,
        points=_points(scenario, by_arm),
        paired=_paired(worlds, counts),
        assumptions=register(scenario),
        sources=source_table(scenario),
        purchases=fits.purchases,
        spend=fits.spend,
        orders=fits.orders,
        manifest=manifest(scenario, fits.rfm, ledger, reading=fits.reading),
        worlds=worlds,
        counts=by_arm,
        information=empty(INFORMATION),
        test_plan=empty(TEST_PLAN),
    )
    return _decided(undecided)


def _decided(study: Study) -> Study:
    """Return a study with what it is worth to learn before deciding, and the decisions that follow from it."""
    rule, drawn = study.scenario.rule, drawn_inputs(study)
    known = information(study, drawn)
    plans = planned_tests(study, drawn, known)
    tests = net_benefits(plans)
    structures = rule.decided(study.structures, tests)
    return replace(
        study, returns=rule.decided(study.returns, tests), structures=structures, information=known, test_plan=plans
    )


STUDY_FILES = ("returns.parquet", "statement.parquet", "manifest.json")


def save_study(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write returns.parquet, statement.parquet and manifest.json into a folder."""
    manifest = json.dumps(dict(study.manifest), indent=1, sort_keys=True, allow_nan=False) + "\n"
    return save_files(folder, dict(zip(STUDY_FILES, (study.returns, study.statement, manifest), strict=True)))


def _returns(worlds: Worlds, monthly: Flows) -> pl.DataFrame:
    scenario = worlds.scenario
    return returns(
        monthly,
        worlds.present_values(),
        scenario.rule,
        titles=scenario.titles,
        customers=worlds.population.size,
        structures=len(worlds.draws) // scenario.draws,
    )


def _by_structure(worlds: Worlds, monthly: Flows) -> pl.DataFrame:
    """Return the returns under each structure of leaving by itself, with the name of the structure in front."""
    parts = []
    for number, structure in enumerate(worlds.scenario.structures):
        some = slice(number * worlds.scenario.draws, (number + 1) * worlds.scenario.draws)
        alone = replace(worlds, draws=worlds.draws[some])
        table = _returns(alone, Flows(arms=monthly.arms, amounts=monthly.amounts[some]))
        parts.append(table.select(pl.lit(structure).alias("structure"), pl.all()))
    return pl.concat(parts)


def _titled(table: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return a table with the names of its strategies for readers."""
    return table.with_columns(title=pl.col("strategy").replace_strict(titles, return_dtype=pl.String))


def _points(scenario: Scenario, counts: Sequence[npt.NDArray[np.int64]]) -> pl.DataFrame:
    """Return per strategy what became of its points, means over draws."""
    means = {
        kind.name.lower(): [counted[:, :, place(kind)].sum() / len(counted) for counted in counts[1:]]
        for kind in CountKind
        if kind.name.startswith("POINTS_")
    }
    return pl.DataFrame({"strategy": scenario.arms[1:], **means})


def _paired(worlds: Worlds, counts: Sequence[Counts]) -> pl.DataFrame:
    """Return per strategy the gain per customer and its standard error, with the same random numbers in both arms."""
    customers = worlds.population.size
    arms = range(1, len(worlds.scenario.arms))
    sums = np.array([[one.paired[arm] for one in counts] for arm in arms]) / (MICROS, MICROS**2)
    means = sums[:, :, 0] / customers
    errors = np.sqrt(np.maximum(sums[:, :, 1] / customers - means**2, 0.0) / customers)
    columns = {"strategy": worlds.scenario.arms[1:], "gain_per_customer": means.mean(axis=1)}
    return pl.DataFrame(columns | {"paired_std_error": errors.mean(axis=1)})
