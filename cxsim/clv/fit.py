"""A table of customers (RFM) in, a fitted model of their orders or of their spend out; to a file and back."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import itertools
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast, get_args

import numpy as np
import polars as pl

from cxsim.clv.estimates import COVARIANCE_DIGITS, PARAMETER_DIGITS, Basis, rounded, significant
from cxsim.clv.inputs import arrays, is_count, log_gap_sum, one_price, purchase_patterns, spend_patterns, spenders_of
from cxsim.clv.likelihood import ALL_KINDS, ONE_PRICE, SPEND, Kind, Model, derivatives, kind_of, thinned
from cxsim.clv.models.bgnbd import MOST_STAGES
from cxsim.clv.models.gamma_gamma import OnePriceParams
from cxsim.clv.models.special import FloatArray
from cxsim.clv.optimum import REACH, Optimum, Problem, log_prior, maximise, newton, purchase_problem, spend_problem
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit, OnePriceFit, SpendFit
from cxsim.errors import CxsimError, EstimationError, choices
from cxsim.params import written_whole

Engine = Literal["native", "lifetimes"]
LOG_LIKELIHOOD = "log-likelihood"
# What a file of a fit says of itself.
FORMAT, VERSION = "cxsim fit", 2

# Starts from which Newton's method is run, the best of all.
_BEST_STARTS = 2
# Customers on whom the neighbourhood of the maximum is found where there are more.
_SCOUTS = 20_000
# The search for k ends when so many more stages in a row were no better.
_PATIENCE = 2
# A parameter so many e-folds from its ordinary size, where the likelihood has no maximum, has run away.
_AWAY = 6.0
# Share of a flat direction from which on a parameter belongs to it.
_PART = 0.3


def fit(
    rfm: pl.DataFrame,
    *,
    model: Model = "bgnbd",
    k: int | None = None,
    engine: Engine = "native",
    observed_until: date | None = None,
) -> PurchaseFit:
    """Fit a model of repeat orders and dropout to customers by maximum likelihood.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, one row each, times in days.
    model
        `bgnbd` (dropout after a repeat order), `mbgnbd` (also after the first), `paretonbd` (dropout on the calendar),
        and for customers who order more regularly than by chance `bgcnbd` and `mbgcnbd`.
    k
        Stages between orders for the last two, 1 to 60; None chooses it by likelihood, for which `rfm` needs its
        column log_gaps. Without that column, the likelihood of a given k above 1 leaves out what the gaps add, and
        says nothing beside that of another k. The other models have 1.
    engine
        `native`, or `lifetimes` for the archived library's own optimum of the first three models.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    PurchaseFit
        Estimates with covariance and log-likelihood, times in days. Where the likelihood has no maximum (nobody seems
        to leave, all buy at one rate), the estimates are those of a posterior with weak priors, and `basis` says so.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an unknown model or engine, a k that the model does not have, impossible pasts, or too few (repeat)
        customers.

    Notes
    -----
    Newton's steps with analytic gradient and Hessian in the logarithms of the parameters, from several starts, over
    distinct pasts. The covariance is the inverse of minus the Hessian at the maximum.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24, 275-284. Schmittlein,
    Morrison & Colombo (1987), Management Science 33, 1-24. Batislam, Denizel & Filiztekin (2007), International
    Journal of Research in Marketing 24, 201-209. Platzer & Reutterer (2016), Marketing Science 35, 779-799.

    Examples
    --------
    >>> from cxsim.data import load_cdnow, summarise
    >>> fit(summarise(load_cdnow(sample=True)), model="mbgnbd")
    PurchaseFit(MBG/NBD: r=0.6178, alpha=60.6, a=0.5515, b=1.009; 2357 customers)
    """
    kind, patterns = kind_of(model), purchase_patterns(rfm)
    _require(kind, k, engine)
    open_k = kind.regular and k is None
    log_gaps = log_gap_sum(rfm) if open_k or ((k or 1) > 1 and "log_gaps" in rfm.columns) else 0.0

    @functools.cache
    def optimum_of(stages: int) -> Optimum:
        return _optimum(purchase_problem(kind, stages, patterns, log_gaps=log_gaps), kind, patterns, engine)

    best = stages = k or 1
    while open_k and stages <= min(best + _PATIENCE, MOST_STAGES):
        best = max(best, stages, key=lambda number: optimum_of(number).value)
        stages += 1
    return PurchaseFit(
        model=model, engine=engine, observed_until=observed_until, **_found(kind, patterns, optimum_of(best), best)
    )


def fit_spend(rfm: pl.DataFrame, *, engine: Engine = "native", observed_until: date | None = None) -> SpendFit:
    """Fit a model of spend per order to repeat customers: Gamma-Gamma by maximum likelihood, or one price for all.

    Parameters
    ----------
    rfm
        Customers under the RFM contract. Those without repeat order or positive monetary value are left out and
        counted.
    engine
        `native`, or `lifetimes` for the archived library's own optimum.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    GammaGammaFit or OnePriceFit
        Estimates with covariance and log-likelihood, v in the currency of the orders; `basis` as in `fit`. Where the
        monetary values of all repeat customers are the same, as of a subscription, there is no spread to fit: spend is
        that price, for everyone and without uncertainty.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an unknown engine, impossible pasts, or too few repeat customers.

    References
    ----------
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025.

    Examples
    --------
    >>> from cxsim.data import load_cdnow, summarise
    >>> fit_spend(summarise(load_cdnow(sample=True)))
    GammaGammaFit(Gamma-Gamma: p=4.683, q=4.19, v=24.39; 1139 customers)
    """
    _require(SPEND, None, engine)
    price = one_price(rfm)
    if price is not None:
        payers = spenders_of(rfm).height
        params = OnePriceParams(price=price)
        return OnePriceFit(
            params=params, n_customers=payers, n_left_out=rfm.height - payers, observed_until=observed_until
        )
    patterns = spend_patterns(rfm)
    found = _found(SPEND, patterns, _optimum(spend_problem(patterns), SPEND, patterns, engine), 1)
    left_out = rfm.height - found["n_customers"]
    return GammaGammaFit(n_left_out=left_out, engine=engine, observed_until=observed_until, **found)


def by_engine(rfm: pl.DataFrame, fits: Sequence[PurchaseFit | SpendFit]) -> pl.DataFrame:
    """Return what each engine finds for the models of some fits to the same customers.

    model, parameter (the last of each model is the log-likelihood), native, lifetimes, and their difference, without a
    sign, as a share of native. An engine that lacks the model or finds no maximum has nulls; a price that is read off
    the orders has no row.
    """
    rows = []
    for fitted in fits:
        if isinstance(fitted, OnePriceFit):
            continue
        both = [_by(engine, rfm, fitted) for engine in get_args(Engine)]
        for place, name in enumerate((*fitted.names, LOG_LIKELIHOOD)):
            rows.append((fitted.title, name, *(None if found is None else found[place] for found in both)))
    schema = {"model": pl.String, "parameter": pl.String, **dict.fromkeys(get_args(Engine), pl.Float64)}
    native, theirs = map(pl.col, get_args(Engine))
    return pl.DataFrame(rows, schema, orient="row").with_columns(difference=((theirs - native) / native).abs())


def _by(engine: Engine, rfm: pl.DataFrame, fitted: PurchaseFit | GammaGammaFit) -> list[float] | None:
    """Return the estimates of an engine for a fitted model, and their log-likelihood."""
    found = fitted
    try:
        if engine != fitted.engine and isinstance(fitted, PurchaseFit):
            found = fit(rfm, model=cast("Model", fitted.model), k=fitted.params.k, engine=engine)
        elif engine != fitted.engine:
            found = cast("GammaGammaFit", fit_spend(rfm, engine=engine))
    except EstimationError:
        return None
    return [*found.values.tolist(), found.log_likelihood]


def model_and_engine(model: str, engine: str) -> tuple[Model, Engine]:
    """Return the names of a model and of an engine that has it; refuse others, and say what is possible."""
    kind = kind_of(model)
    _require(kind, None, engine)
    return cast("Model", kind.name), cast("Engine", engine)


def _found(kind: Kind, patterns: pl.DataFrame, optimum: Optimum, k: int) -> dict[str, Any]:
    """Return what fits of orders and fits of spend have in common."""
    return {
        "params": kind.params([significant(math.exp(x), PARAMETER_DIGITS) for x in optimum.log_params], k),
        "log_covariance": tuple(map(tuple, rounded(optimum.covariance, COVARIANCE_DIGITS).tolist())),
        "log_likelihood": optimum.value,
        "n_customers": int(patterns["weight"].sum()),
        "n_patterns": patterns.height,
        "max_abs_gradient": float(np.abs(optimum.gradient).max()),
        "basis": optimum.basis,
        "loose": optimum.loose,
    }


def _require(kind: Kind, k: int | None, engine: str) -> None:
    if engine not in get_args(Engine):
        raise EstimationError(f"no engine '{engine}'; {choices(str(engine), get_args(Engine))}")
    if engine == "lifetimes" and kind.name not in _FITTERS:
        raise EstimationError(
            f"{kind.title}: lifetimes does not have it; use engine 'native', or a model that it has: "
            f"{choices(kind.name, [name for name in _FITTERS if name != SPEND.name])}"
        )
    most = MOST_STAGES if kind.regular else 1
    if k is not None and not (is_count(k, least=1) and k <= most):
        possible = f"a whole number from 1 to {MOST_STAGES}, or None to choose it" if kind.regular else "1 or None"
        raise EstimationError(f"{kind.title}: k is {k!r}; it must be {possible}.")


def _optimum(problem: Problem, kind: Kind, patterns: pl.DataFrame, engine: Engine) -> Optimum:
    """Return the maximum of the likelihood, or if it has none that of the posterior under a weak prior.

    Of lifetimes, the place that it found, with our likelihood and derivatives there.
    """
    if engine == "lifetimes":
        log_params = np.log(_lifetimes(kind, patterns))
        return Optimum(log_params, *problem.log_likelihood(log_params), converged=True)
    few = functools.partial(derivatives, thinned(problem.likelihood, _SCOUTS))
    starts = sorted(problem.starts, key=lambda start: -few(start)[0])[:_BEST_STARTS]
    near = found = maximise(few, starts, problem.centre)
    if few.args[0] is not problem.likelihood:
        found = newton(problem.log_likelihood, near.log_params, problem.centre)
        if not (near.converged and found.converged):
            found = maximise(problem.log_likelihood, starts, problem.centre)
    if found.converged:
        return found
    middle = problem.prior
    held = maximise(problem.log_posterior, [*starts, middle], middle, far=REACH)
    if not held.converged:
        runaway = zip(kind.names, held.log_params, strict=True)
        raise EstimationError(
            f"{kind.title}: neither the likelihood nor a posterior with weak priors has a maximum; it "
            f"ran to {', '.join(f'{name} = {math.exp(min(x, 700.0)):.4g}' for name, x in runaway)}. Check for "
            "accounts that are not individual customers (tills, resellers, test accounts)."
        )
    value = held.value - float(log_prior(held.log_params, middle))
    # Loose are the parameters that ran away, or those that can move together without the likelihood's noticing.
    loose = np.abs(found.log_params - problem.centre) > _AWAY
    if not loose.any():
        loose = np.abs(np.linalg.eigh(-found.hessian)[1][:, 0]) > _PART
    return held._replace(value=value, basis="prior", loose=tuple(itertools.compress(kind.names, loose)))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence lifetimes, whose warnings no user can mend, and undo its edits of the global warning filters."""
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        yield


_FITTERS = {
    "bgnbd": "BetaGeoFitter",
    "mbgnbd": "ModifiedBetaGeoFitter",
    "paretonbd": "ParetoNBDFitter",
    "gamma_gamma": "GammaGammaFitter",
}
# Without a penalty first; then with ever stronger pulls towards small parameters, only to find a place to start from.
_PENALTIES = (0.0, 0.001, 0.01, 0.1)


def _lifetimes(kind: Kind, patterns: pl.DataFrame) -> list[float]:
    """Return the parameters that lifetimes finds, times in days."""
    *columns, weight = arrays(patterns)
    unit = 1.0
    if kind == SPEND:
        # In units of the mean amount, so that its start suits every currency.
        unit = (weight * columns[1]).sum() / weight.sum()
        columns[1] = columns[1] / unit
    found = _first_success(kind.title, _FITTERS[kind.name], columns, weight)
    return [found[name] * unit if name == "v" else found[name] for name in kind.names]


def _first_success(model: str, fitter: str, columns: Sequence[FloatArray], weight: FloatArray) -> dict[str, float]:
    """Return the first finite estimates on the ladder of penalties."""
    library = _library()
    # Of this one alone the library's own start is random.
    start = {"initial_params": np.ones(4)} if fitter == _FITTERS["paretonbd"] else {}
    for penalty in _PENALTIES:
        try:
            with _quiet():
                fitted = getattr(library, fitter)(penalizer_coef=penalty).fit(*columns, weights=weight, **start)
        except (library.utils.ConvergenceError, np.linalg.LinAlgError):
            continue
        found = dict(fitted.params_)
        if all(0.0 < value < np.inf for value in found.values()):
            return found
    raise EstimationError(
        f"{model}: lifetimes did not converge on {weight.sum():.0f} customers in {weight.size} patterns, with none of "
        f"the penalties {', '.join(map(str, _PENALTIES))}. Use a longer period or more customers, and check for "
        "accounts that are not individual customers (tills, resellers, test accounts)."
    )


def _library() -> ModuleType:
    """Return lifetimes, imported without its edits of pandas' options."""
    with _quiet():
        pandas = importlib.import_module("pandas")
        before = pandas.get_option("mode.chained_assignment")
        library = importlib.import_module("lifetimes")
        pandas.set_option("mode.chained_assignment", before)
    return library


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
        return _restored(json.loads(source.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        beside = sorted(file.name for file in source.parent.glob("*.json"))
        raise EstimationError(f"no file '{source}'; {choices(source.name, beside)}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EstimationError(f"{source}: this is not JSON; a fit is a JSON file written by save_fit.") from error
    except KeyError as error:
        raise EstimationError(f"{source}: a fit needs the field {error}.") from error
    except (CxsimError, TypeError, ValueError) as error:
        raise EstimationError(f"{source}: {error}") from error


def _restored(record: Any) -> PurchaseFit | SpendFit:
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
