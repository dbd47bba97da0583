"""What is needed to make a study again: versions, seed, commit, and hashes of everything that went in and came out."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import polars as pl

from cxsim.behaviour import PLAIN
from cxsim.errors import ParamError
from cxsim.params import root
from cxsim.scenario import Scenario, changes_between, commit, load_scenario, parsed_changes, table_hash, versions

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
    told = {"changes": changes} if changes else {}
    return {"parameters_sha256": hashes, **told, "command": f"cxsim report {scenario.name}{options}"}
