"""A valuation, its customers and what they are worth in; the manifest by which it can be made again, out."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import polars as pl

from cxsim.errors import ParamError
from cxsim.params import root
from cxsim.scenario import Valuation, commit, load_valuation, table_hash, versions

PACKAGES = ("altair", "cxsim", "great-tables", "nbconvert", "numba", "numpy", "papermill", "polars", "scipy")


def record(valuation: Valuation, rfm: pl.DataFrame, values: pl.DataFrame) -> dict[str, object]:
    """Return the manifest of an appraisal, as plain values for JSON."""
    content = json.dumps(dataclasses.asdict(valuation), sort_keys=True, default=str)
    return {
        "valuation": valuation.name,
        "title": valuation.title,
        "seed": valuation.seed,
        "draws": valuation.draws,
        "orders": valuation.orders,
        "calibration_end": valuation.calibration_end.isoformat(),
        "observed_until": valuation.observed_until.isoformat(),
        "valuation_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "customers_sha256": table_hash(rfm),
        "values_sha256": table_hash(values),
        "versions": versions((*PACKAGES, "statsmodels", "vl-convert-python")),
        "commit": commit(),
    } | _stored(valuation)


def _stored(valuation: Valuation) -> dict[str, object]:
    """Return file hashes and command where the valuation's name is enough to make it again."""
    try:
        if load_valuation(valuation.name) != valuation:
            return {}
    except ParamError:
        return {}
    folder = root() / "params"
    files = [folder / "sources.yaml", folder / "valuations" / f"{valuation.name}.yaml"]
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"parameters_sha256": hashes, "command": f"cxsim report {valuation.name}"}
