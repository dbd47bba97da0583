"""What is needed to make a study again: versions, seed, commit, and hashes of everything that went in and came out."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import subprocess

import polars as pl

from cxsim.errors import ParamError
from cxsim.params import root
from cxsim.scenario import Scenario, load_scenario

PACKAGES = (
    "altair",
    "cxsim",
    "great-tables",
    "lifetimes",
    "nbconvert",
    "numba",
    "numpy",
    "papermill",
    "polars",
    "scipy",
    "statsmodels",
    "vl-convert-python",
)


def manifest(scenario: Scenario, rfm: pl.DataFrame, ledger: pl.DataFrame) -> dict[str, object]:
    """Return the manifest of a study, as plain values for JSON.

    Parameters
    ----------
    scenario
        The input.
    rfm
        The customers that the models were fitted to.
    ledger
        The result, of which everything else is a sum.

    Returns
    -------
    dict
        Its `command` and `parameters_sha256` are left out where no file under params/ gives this scenario, because it
        was made or changed by hand, or lies elsewhere.
    """
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scenario.seed,
        "draws": scenario.draws,
        "orders": scenario.orders,
        "observed_until": scenario.observed_until.isoformat(),
        "scenario_sha256": scenario_hash(scenario),
        "customers_sha256": _table_hash(rfm),
        "ledger_sha256": _table_hash(ledger),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
    } | (_stored(scenario) if _is_stored(scenario) else {})


def scenario_hash(scenario: Scenario) -> str:
    """Return the hash of everything in a scenario, down to the last assumption.

    Parameters
    ----------
    scenario
        The scenario.
    """
    content = json.dumps(dataclasses.asdict(scenario), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _table_hash(table: pl.DataFrame) -> str:
    """Return a hash of names and values, column by column, which knows nothing of how polars stores them."""
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(name.encode())
        if column.dtype.is_numeric():
            digest.update(column.is_null().to_numpy().tobytes())
            digest.update(column.fill_null(0).to_numpy().tobytes())
        else:
            # Texts by their place among the distinct ones in order, so that millions of rows cost no more than numbers.
            texts = column.cast(pl.String)
            distinct = texts.unique().sort()
            digest.update(json.dumps(distinct.to_list()).encode())
            digest.update(distinct.search_sorted(texts).to_numpy().astype("int64").tobytes())
    return digest.hexdigest()


def _is_stored(scenario: Scenario) -> bool:
    """Whether the scenario's name is enough to make it again."""
    try:
        return load_scenario(scenario.name) == scenario
    except ParamError:
        return False


def _stored(scenario: Scenario) -> dict[str, object]:
    folder = root() / "params"
    named = [folder / "economics" / f"{scenario.economics.name}.yaml", folder / "sources.yaml"]
    named += [folder / "strategies" / f"{strategy.name}.yaml" for strategy in scenario.strategies]
    named += [folder / "scenarios" / f"{scenario.name}.yaml"]
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in named}
    return {"parameters_sha256": hashes, "command": f"cxsim report {scenario.name}"}


def _commit() -> str | None:
    """Return the commit of the project, with a mark when files differ from it; None outside of git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit} with changes" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root(), capture_output=True, text=True, check=True)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()
