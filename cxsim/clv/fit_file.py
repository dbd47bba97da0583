"""A fit in, a JSON file out, and back without the loss of a bit; no pickle."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any, get_args

from cxsim.clv.estimates import Basis
from cxsim.clv.likelihood import ALL_KINDS, ONE_PRICE, SPEND
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit, OnePriceFit, SpendFit
from cxsim.errors import CxsimError, EstimationError, choices
from cxsim.params import written_whole

FORMAT, VERSION = "cxsim fit", 2


def save_fit(fit: PurchaseFit | SpendFit, path: str | os.PathLike[str]) -> None:
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
    stored = asdict(fit)
    del stored["params"]
    record = {
        "format": FORMAT,
        "version": VERSION,
        "kind": stored.pop("model"),
        "params": dict(zip(fit.names, fit.values.tolist(), strict=True)),
        **stored,
        **({"k": fit.params.k} if isinstance(fit, PurchaseFit) else {}),
    }
    with written_whole(Path(path)) as half:
        text = json.dumps(record, indent=2, allow_nan=False, default=date.isoformat)
        half.write_text(text + "\n", encoding="utf-8", newline="\n")


def load_fit(path: str | os.PathLike[str]) -> PurchaseFit | SpendFit:
    """Read a fit from the JSON file that `save_fit` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    PurchaseFit, GammaGammaFit or OnePriceFit
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
        raise EstimationError(f"{source}: this is not JSON; a fit is a JSON file written by save_fit.") from error
    except KeyError as error:
        raise EstimationError(f"{source}: a fit needs the field {error}.") from error
    except (CxsimError, TypeError, ValueError) as error:
        raise EstimationError(f"{source}: {error}") from error


def _fit(record: Any) -> PurchaseFit | SpendFit:
    """Return the fit of a record of this version; a field that makes no sense is a TypeError or ValueError."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise EstimationError(f"this JSON is not a fit; its field 'format' must be '{FORMAT}'.")
    if record.get("version") != VERSION:
        raise EstimationError(
            f"this fit has version {record.get('version')!r}; this cxsim reads version {VERSION}. Fit the model again."
        )
    name = str(record.get("kind"))
    if name not in ALL_KINDS:
        raise EstimationError(f"no kind of fit '{name}'; {choices(name, ALL_KINDS)}")
    kind = ALL_KINDS[name]
    params = kind.params([_number(record["params"][one]) for one in kind.names], record.get("k", 1))
    shape: Any = {SPEND: GammaGammaFit, ONE_PRICE: OnePriceFit}.get(kind, PurchaseFit)
    found: PurchaseFit | SpendFit = shape(
        model=name, params=params, **{one.name: _field(one.name, record) for one in fields(shape)[2:]}
    )
    return found


def _field(name: str, record: Mapping[str, Any]) -> Any:
    try:
        return _READ[name](record[name])
    except (TypeError, ValueError) as error:
        raise EstimationError(f"'{name}': {error}") from error


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise ValueError(f"it must be a finite number; found {value!r}.")
    return float(value)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"it must be a whole number, not negative; found {value!r}.")
    return value


def _basis(value: Any) -> str:
    if value not in get_args(Basis):
        raise ValueError(f"it must be 'likelihood' or 'prior'; found {value!r}.")
    return str(value)


_READ: dict[str, Callable[[Any], Any]] = {
    "log_covariance": lambda rows: tuple(tuple(map(_number, row)) for row in rows),
    **dict.fromkeys(("log_likelihood", "max_abs_gradient"), _number),
    **dict.fromkeys(("n_customers", "n_patterns", "n_left_out"), _count),
    "basis": _basis,
    "loose": lambda names: tuple(map(str, names)),
    "engine": str,
    "observed_until": lambda day: None if day is None else date.fromisoformat(day),
}
