"""A fit in, a JSON file out, and back without the loss of a bit; no pickle."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

from cxsim.clv.likelihood import ALL_KINDS, SPEND
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import CxsimError, EstimationError, choices

FORMAT, VERSION = "cxsim fit", 2
_STORED = (
    "log_covariance",
    "log_likelihood",
    "n_customers",
    "n_patterns",
    "max_abs_gradient",
    "basis",
    "loose",
    "engine",
    "observed_until",
)


def save_fit(fit: PurchaseFit | GammaGammaFit, path: str | os.PathLike[str]) -> None:
    """Write a fit to a JSON file, to all its digits.

    Parameters
    ----------
    fit
        A fitted model of orders or of spend.
    path
        The file; one that is there stays whole until the new one is complete.

    See Also
    --------
    load_fit : Reads it back.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import cxsim
    >>> found = cxsim.fit(cxsim.summarise(cxsim.load_cdnow(sample=True)))
    >>> with TemporaryDirectory() as folder:
    ...     cxsim.save_fit(found, Path(folder) / "orders.json")
    ...     cxsim.load_fit(Path(folder) / "orders.json") == found
    True
    """
    own = "n_left_out" if isinstance(fit, GammaGammaFit) else "k"
    record = {
        "format": FORMAT,
        "version": VERSION,
        "kind": fit.model,
        "params": dict(zip(fit.names, fit.values.tolist(), strict=True)),
        **{name: getattr(fit, name) for name in _STORED},
        own: fit.n_left_out if isinstance(fit, GammaGammaFit) else fit.params.k,
    }
    target = Path(path)
    # The process in the name keeps two writers apart; the last one wins.
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        text = json.dumps(record, indent=2, allow_nan=False, default=date.isoformat)
        draft.write_text(text + "\n", encoding="utf-8", newline="\n")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def load_fit(path: str | os.PathLike[str]) -> PurchaseFit | GammaGammaFit:
    """Read a fit from the JSON file that `save_fit` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    PurchaseFit or GammaGammaFit
        The very fit that was written.

    Raises
    ------
    EstimationError
        If there is no such file, it is no fit of this version, or a field of it is missing or makes no sense.

    See Also
    --------
    save_fit : Writes it; with an example.
    """
    source = Path(path)
    try:
        return _fit(json.loads(source.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        beside = sorted(file.name for file in source.parent.glob("*.json"))
        raise EstimationError(f"no file '{source}'; {choices(source.name, beside)}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EstimationError(f"{source}: this is no JSON; a fit is a JSON file written by save_fit.") from error
    except KeyError as error:
        raise EstimationError(f"{source}: a fit needs the field {error}.") from error
    except (CxsimError, TypeError, ValueError) as error:
        raise EstimationError(f"{source}: {error}") from error


def _fit(record: Any) -> PurchaseFit | GammaGammaFit:
    """Return the fit of a record of this version; a field that makes no sense is a TypeError or ValueError."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise EstimationError(f"this JSON holds no fit; its field 'format' must be '{FORMAT}'.")
    if record.get("version") != VERSION:
        raise EstimationError(
            f"this fit has version {record.get('version')!r}; this cxsim reads version {VERSION}. Fit the model again."
        )
    if record.get("kind") not in ALL_KINDS:
        raise EstimationError(f"no kind of fit '{record.get('kind')}'; {choices(str(record.get('kind')), ALL_KINDS)}")
    kind = ALL_KINDS[record["kind"]]
    fields: dict[str, Any] = {name: record[name] for name in _STORED} | {
        "model": kind.name,
        "log_covariance": tuple(
            tuple(_number(cell, "log_covariance") for cell in row) for row in record["log_covariance"]
        ),
        "loose": tuple(map(str, record["loose"])),
        "observed_until": None if record["observed_until"] is None else date.fromisoformat(record["observed_until"]),
        **{name: _number(record[name], name) for name in ("log_likelihood", "max_abs_gradient")},
        **{name: _count(record, name) for name in ("n_customers", "n_patterns")},
    }
    if record["basis"] not in {"likelihood", "prior"}:
        raise EstimationError(f"'basis' must be 'likelihood' or 'prior'; found {record['basis']!r}.")
    values = [_number(record["params"][name], name) for name in kind.names]
    if kind == SPEND:
        return GammaGammaFit(
            **fields, params=cast("GammaGammaParams", kind.params(values, 1)), n_left_out=_count(record, "n_left_out")
        )
    return PurchaseFit(**fields, params=cast("PurchaseParams", kind.params(values, _count(record, "k"))))


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise EstimationError(f"'{name}' must be a finite number; found {value!r}.")
    return float(value)


def _count(record: Mapping[str, Any], name: str) -> int:
    value = record[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise EstimationError(f"'{name}' must be a whole number, not negative; found {value!r}.")
    return value
