"""Tables and the project's folder in; hashes, versions and the commit, by which a result can be made again, out."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Sequence

import polars as pl

from cxsim.errors import ParamError
from cxsim.params import root
from cxsim.strategies.behaviour import PLAIN
from cxsim.study.loading import changes_between, load_scenario, parsed_changes
from cxsim.study.scenario import Scenario


def table_hash(table: pl.DataFrame) -> str:
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


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: importlib.metadata.version(name) for name in packages}


def commit() -> str | None:
    """Return the commit of the project, with a mark when files differ from it; None outside of git."""
    try:
        found = _git("rev-parse", "HEAD")
        return f"{found} with changes" if _git("status", "--porcelain", "--untracked-files=no") else found
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root(), capture_output=True, text=True, check=True)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()


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


def manifest(
    scenario: Scenario, rfm: pl.DataFrame, result: pl.DataFrame, *, named: str = "ledger"
) -> dict[str, object]:
    """Return the manifest of a study or a search, as plain values for JSON."""
    changes = _changes(scenario)
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scenario.seed,
        "draws": scenario.draws,
        "orders": scenario.orders,
        "observed_until": scenario.observed_until.isoformat(),
        "horizon_months": scenario.horizon_months,
        "currency": scenario.economics.currency,
        "annual_discount_rate": scenario.economics.annual_discount_rate.value,
        "timing": scenario.economics.timing,
        "scenario_sha256": scenario_hash(scenario),
        "customers_sha256": table_hash(rfm),
        f"{named}_sha256": table_hash(result),
        "versions": versions(PACKAGES),
        "commit": commit(),
    } | ({} if changes is None else _stored(scenario, changes))


def scenario_hash(scenario: Scenario) -> str:
    """Return the hash of everything in a scenario, down to the last assumption."""
    content = json.dumps(dataclasses.asdict(scenario), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _changes(scenario: Scenario) -> str | None:
    """Return what must be changed of the file of this name to make it again; None where that is not enough."""
    try:
        return changes_between(load_scenario(scenario.name), scenario)
    except ParamError:
        return None


def _stored(scenario: Scenario, changes: str) -> dict[str, object]:
    folder = root() / "params"
    named = [folder / "economics" / f"{scenario.economics.name}.yaml", folder / "sources.yaml"]
    if scenario.behaviour != PLAIN:
        named += [folder / "behaviour" / f"{scenario.behaviour.name}.yaml"]
    named += [folder / "strategies" / f"{strategy.name}.yaml" for strategy in scenario.strategies]
    named += [folder / "scenarios" / f"{scenario.name}.yaml"]
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in named}
    options = "".join(f" --set {key}={value}" for key, value in parsed_changes(changes).items())
    sentence = {"changes": changes} if changes else {}
    return {"parameters_sha256": hashes, **sentence, "command": f"cxsim report {scenario.name}{options}"}
