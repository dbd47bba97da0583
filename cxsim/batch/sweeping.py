"""A scenario and a grid in; a study of every point, one table of all returns and a page about them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cxsim.batch.grid import Point, grid
from cxsim.batch.inputs import report_inputs, study_inputs
from cxsim.batch.making import Again, Outcome, make_all
from cxsim.batch.planning import notebook_of, page_name
from cxsim.batch.study_files import RETURNS_FILE
from cxsim.batch.sweep_page import sweep_page
from cxsim.batch.sweep_table import PointReturns, sweep_csv
from cxsim.batch.task import ReportWork, StudyWork, Task
from cxsim.batch.workers import Watch
from cxsim.batch.writing import INDEX, write_text
from cxsim.params import root
from cxsim.valuation import read_returns

Wanted = Literal["returns", "reports"]
TABLE_FILE = "sweep.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What a sweep found.

    Attributes
    ----------
    outcomes
        What became of each point, in the order of the grid.
    returns
        The returns of the points that there are, in the same order.
    table
        The file with one row per point and strategy.
    index
        The page about all points.
    """

    outcomes: tuple[Outcome, ...]
    returns: tuple[PointReturns, ...]
    table: Path
    index: Path


def sweep(
    given: str,
    over: Sequence[str],
    *,
    out: Path | None = None,
    wanted: Wanted = "returns",
    jobs: int | None = None,
    again: Again = "changed",
    watch: Watch | None = None,
) -> Sweep:
    """Play out a scenario for every combination of some of its numbers.

    May be stopped at any moment; the next call makes what is missing.
    """
    points = grid(given, over)
    scenario = points[0].scenario
    folder = (root() / "reports" / "sweeps" / scenario.name if out is None else out).absolute()
    tasks = [_task(given, point, folder, wanted) for point in points]
    outcomes = make_all(tasks, jobs=jobs, again=again, watch=watch)
    returns = tuple(
        PointReturns(
            values=point.values,
            returns=read_returns(task.folder / RETURNS_FILE),
            page=task.page.name if wanted == "reports" else None,
            folder=task.folder.name,
        )
        for point, task, outcome in zip(points, tasks, outcomes, strict=True)
        if outcome.state != "failed"
    )
    table, index = folder / TABLE_FILE, folder / INDEX
    keys = [key for key, _ in points[0].values]
    write_text(table, sweep_csv(keys, returns))
    missing = len(points) - len(returns)
    write_text(
        index, sweep_page(scenario.title, scenario.economics.currency, keys=keys, points=returns, missing=missing)
    )
    return Sweep(outcomes=outcomes, returns=returns, table=table, index=index)


def _task(given: str, point: Point, folder: Path, wanted: Wanted) -> Task:
    place = str(Path(given).resolve()) if given.endswith((".yaml", ".yml")) else given
    notebook = root() / "notebooks" / notebook_of(point.scenario)
    page = folder / page_name("", point.changes)
    as_report = report_inputs(point.scenario, given, notebook=notebook, code="hidden")
    name = page.with_suffix("").name
    if wanted == "reports":
        report = ReportWork(
            notebook=notebook,
            parameters={"scenario": place, "changes": point.changes},
            title=f"{point.scenario.title} ({point.changes})",
        )
        return Task(name=name, page=page, inputs=as_report, work=report)
    study = StudyWork(scenario=place, changes=point.changes)
    return Task(name=name, page=page, inputs=study_inputs(point.scenario, given), also=(as_report,), work=study)
