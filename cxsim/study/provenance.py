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
from cxsim.study.scenario import Scenario, Valuation, load_valuation


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
    record = {
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
    }
    try:
        changes = changes_between(load_scenario(scenario.name), scenario)
    except ParamError:
        changes = None
    if changes is None:
        return record
    names = [f"economics/{scenario.economics.name}", "sources"]
    names += [f"behaviour/{scenario.behaviour.name}"] if scenario.behaviour != PLAIN else []
    names += [f"strategies/{strategy.name}" for strategy in scenario.strategies]
    options = "".join(f" --set {key}={value}" for key, value in parsed_changes(changes).items())
    return (
        record
        | _file_hashes([*names, f"scenarios/{scenario.name}"])
        | ({"changes": changes} if changes else {})
        | {"command": f"cxsim report {scenario.name}{options}"}
    )


def valuation_manifest(valuation: Valuation, rfm: pl.DataFrame, values: pl.DataFrame) -> dict[str, object]:
    """Return the manifest of a valuation of customers, as plain values for JSON."""
    record = {
        "valuation": valuation.name,
        "title": valuation.title,
        "seed": valuation.seed,
        "draws": valuation.draws,
        "orders": valuation.orders,
        "calibration_end": valuation.calibration_end.isoformat(),
        "observed_until": valuation.observed_until.isoformat(),
        "valuation_sha256": scenario_hash(valuation),
        "customers_sha256": table_hash(rfm),
        "values_sha256": table_hash(values),
        "versions": versions([name for name in PACKAGES if name != "lifetimes"]),
        "commit": commit(),
    }
    try:
        if load_valuation(valuation.name) != valuation:
            return record
    except ParamError:
        return record
    files = _file_hashes(["sources", f"valuations/{valuation.name}"])
    return record | files | {"command": f"cxsim report {valuation.name}"}


def scenario_hash(case: Scenario | Valuation) -> str:
    """Return the hash of everything in a scenario or a valuation, down to the last assumption."""
    content = json.dumps(dataclasses.asdict(case), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _file_hashes(names: Sequence[str]) -> dict[str, object]:
    """Return the hashes of files under params, which are enough to make a result again."""
    contents = {f"{name}.yaml": (root() / "params" / f"{name}.yaml").read_bytes() for name in names}
    return {"parameters_sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}}
