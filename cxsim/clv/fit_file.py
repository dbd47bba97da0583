"""A fit in, a JSON text or file out, and back without the loss of a bit; no pickle."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from cxsim.clv.likelihood import KINDS
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.optimum import Matrix
from cxsim.clv.purchase_fit import Basis, PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import CxsimError, EstimationError, choices

Fit = PurchaseFit | GammaGammaFit
Record = Mapping[str, object]

FORMAT = "cxsim fit"
VERSION = 2
_PARAMS = {name: kind.names for name, kind in KINDS.items()} | {"gamma_gamma": ("p", "q", "v")}


def to_json(fit: Fit) -> str:
    """Return `fit` as JSON; floats are written so that they come back exactly."""
    kind = fit.model if isinstance(fit, PurchaseFit) else "gamma_gamma"
    record: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "kind": kind,
        "params": {name: getattr(fit.params, name) for name in _PARAMS[kind]},
        "log_covariance": [list(row) for row in fit.log_covariance],
        "log_likelihood": fit.log_likelihood,
        "n_customers": fit.n_customers,
        "n_patterns": fit.n_patterns,
        "max_abs_gradient": fit.max_abs_gradient,
        "basis": fit.basis,
        "loose": list(fit.loose),
        "engine": fit.engine,
        "observed_until": None if fit.observed_until is None else fit.observed_until.isoformat(),
    }
    if isinstance(fit, GammaGammaFit):
        record["n_left_out"] = fit.n_left_out
    else:
        record["k"] = fit.params.k
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> Fit:
    """Return the fit that `to_json` wrote."""
    record = _record(text)
    return _gamma_gamma(record) if record["kind"] == "gamma_gamma" else _purchases(record)


def save_fit(fit: Fit, path: str | os.PathLike[str]) -> None:
    """Write `fit` to `path`; a file that is there stays whole until the new one is complete."""
    target = Path(path)
    # The process in the name keeps two writers apart; the last one wins.
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.write_text(to_json(fit), encoding="utf-8", newline="\n")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def load_fit(path: str | os.PathLike[str]) -> Fit:
    """Return the fit that `save_fit` wrote to `path`."""
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        beside = sorted(file.name for file in source.parent.glob("*.json"))
        raise EstimationError(f"no file '{source}'; {choices(source.name, beside)}") from error
    except UnicodeDecodeError as error:
        raise EstimationError(f"{source}: this is no text; a fit is a JSON file written by save_fit.") from error
    try:
        return from_json(text)
    except CxsimError as error:
        raise EstimationError(f"{source}: {error}") from error


def _purchases(record: Record) -> PurchaseFit:
    kind = KINDS[str(record["kind"])]
    return PurchaseFit(
        model=kind.name,
        params=kind.params(list(_params(record).values()), _count(record, "k")),
        log_covariance=_matrix(record, "log_covariance"),
        log_likelihood=_number(record, "log_likelihood"),
        n_customers=_count(record, "n_customers"),
        n_patterns=_count(record, "n_patterns"),
        max_abs_gradient=_number(record, "max_abs_gradient"),
        basis=_basis(record),
        loose=_loose(record),
        engine=str(_field(record, "engine")),
        observed_until=_day(record, "observed_until"),
    )


def _gamma_gamma(record: Record) -> GammaGammaFit:
    params = _params(record)
    return GammaGammaFit(
        params=GammaGammaParams(p=params["p"], q=params["q"], v=params["v"]),
        log_covariance=_matrix(record, "log_covariance"),
        log_likelihood=_number(record, "log_likelihood"),
        n_customers=_count(record, "n_customers"),
        n_left_out=_count(record, "n_left_out"),
        n_patterns=_count(record, "n_patterns"),
        max_abs_gradient=_number(record, "max_abs_gradient"),
        basis=_basis(record),
        loose=_loose(record),
        engine=str(_field(record, "engine")),
        observed_until=_day(record, "observed_until"),
    )


def _record(text: str) -> Record:
    """Return the fields of a fit of this version and a known kind."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise EstimationError(f"this is no JSON ({error}); a fit is a JSON file written by save_fit.") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise EstimationError(f"this JSON holds no fit; its field 'format' must be '{FORMAT}'.")
    if record.get("version") != VERSION:
        raise EstimationError(
            f"this fit has version {record.get('version')!r}; this cxsim reads version {VERSION}. Fit the model again."
        )
    if record.get("kind") not in _PARAMS:
        kind = str(record.get("kind"))
        raise EstimationError(f"no kind of fit '{kind}'; {choices(kind, _PARAMS)}")
    return record


def _field(record: Record, name: str) -> object:
    if name not in record:
        raise EstimationError(f"a fit needs the field '{name}'; {choices(name, record)}")
    return record[name]


def _number(record: Record, name: str) -> float:
    value = _field(record, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise EstimationError(f"'{name}' must be a finite number; found {value!r}.")
    return float(value)


def _count(record: Record, name: str) -> int:
    value = _field(record, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise EstimationError(f"'{name}' must be a whole number, not negative; found {value!r}.")
    return value


def _basis(record: Record) -> Basis:
    match _field(record, "basis"):
        case "likelihood":
            return "likelihood"
        case "prior":
            return "prior"
        case other:
            raise EstimationError(f"'basis' must be 'likelihood' or 'prior'; found {other!r}.")


def _loose(record: Record) -> tuple[str, ...]:
    names = _field(record, "loose")
    if not isinstance(names, list):
        raise EstimationError(f"'loose' must be a list of parameters; found {names!r}.")
    return tuple(str(name) for name in names)


def _params(record: Record) -> dict[str, float]:
    params = _field(record, "params")
    if not isinstance(params, dict):
        raise EstimationError(f"'params' must be an object; found {params!r}.")
    return {name: _number(params, name) for name in _PARAMS[str(record["kind"])]}


def _matrix(record: Record, name: str) -> Matrix:
    rows = _field(record, name)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise EstimationError(f"'{name}' must be a list of lists of numbers; found {rows!r}.")
    return tuple(tuple(_number({name: cell}, name) for cell in row) for row in rows)


def _day(record: Record, name: str) -> date | None:
    value = _field(record, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise EstimationError(f"'{name}' must be a day like 1997-09-30, or null; found {value!r}.") from error
