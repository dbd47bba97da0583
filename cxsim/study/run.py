"""A scenario in, a study out: read, fit, draw, simulate every arm under the same luck, book, and sum up."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cxsim.errors import ParamError, ReportError
from cxsim.simulation.engine import Executor
from cxsim.study.break_even import search_all
from cxsim.study.play import Progress, drawn, fitted, notebook_bar, play, population_of, with_room
from cxsim.study.result import Study, summed_up
from cxsim.study.scenario import Scenario


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
    if not scenario.with_prior:
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


STUDY_FILES = ("returns.parquet", "statement.parquet", "manifest.json")


def require_writable(folder: Path, names: Sequence[str] = STUDY_FILES) -> None:
    """Refuse a folder that files could not be saved in, before anything is simulated; leave nothing behind."""
    for name in names:
        if (folder / name).is_dir():
            raise ReportError(f"{folder / name}: this is a folder, not a file; choose another folder with --out.")
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as cause:
        raise _refusal(folder, cause) from cause


def save_study(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write returns.parquet, statement.parquet and manifest.json into a folder."""
    require_writable(folder)
    manifest = json.dumps(dict(study.manifest), indent=1, sort_keys=True, allow_nan=False) + "\n"
    contents = (_parquet(study.returns), _parquet(study.statement), manifest.encode())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cxsim-", dir=folder) as staging:
            for name, content in zip(STUDY_FILES, contents, strict=True):
                (Path(staging) / name).write_bytes(content)
            for name in STUDY_FILES:
                (Path(staging) / name).replace(folder / name)
    except OSError as cause:
        raise _refusal(folder, cause) from cause
    return tuple(folder / name for name in STUDY_FILES)


def _parquet(table: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()


def _refusal(folder: Path, cause: OSError) -> ReportError:
    return ReportError(f"{folder}: cannot be written to ({cause.strerror}); choose another folder with --out.")
