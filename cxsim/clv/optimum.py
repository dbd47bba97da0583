"""A log-likelihood with derivatives and starts in, its top out, or word that it has none."""

from __future__ import annotations

import contextlib
import html
import importlib
import io
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.likelihood import CALENDAR_LEAVING, Kind, PurchasePatterns, SpendPatterns, require_level
from cxsim.errors import EstimationError, choices

FloatArray = NDArray[np.float64]
Surface = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

_STEPS = 80
# A step this small in log-parameters changes no printed digit; the gradient is then at its rounding noise.
_STILL = 1e-11
# Of many orders the gradient's noise is larger, and where a direction is nearly flat it moves a parameter by more than
# that: steps this small that no longer shrink are noise.
_FINE = 1e-6
# A log-likelihood of n customers is summed to about n times the last bit: no smaller rise can be seen.
_NOISE = 1e-13
_LONGEST_STEP = 1.0
# A parameter that is so many e-folds away from its scale has run away, where nothing holds it.
_FAR = 12.0
# Condition number of the Hessian from which on a direction is no longer determined by the data.
_FLAT = 1e10
# A start whose top lies so little higher than another's found the same top.
_HIGHER = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Top:
    """Where a climb ended.

    Attributes
    ----------
    log_params
        Logarithms of the parameters there, shape (n_params,).
    value, gradient, hessian
        The surface there.
    settled
        Whether this is a top: no step goes higher, and every direction goes down. Otherwise a parameter ran away.
    """

    log_params: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    settled: bool

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the log-parameters, the inverse of minus the Hessian; of a settled top."""
        inverse = np.linalg.inv(-self.hessian)
        return np.asarray(0.5 * (inverse + inverse.T))


def highest(surface: Surface, starts: Sequence[FloatArray], centre: FloatArray, *, far: float = _FAR) -> Top:
    """Return the highest end of the climbs from several starts."""
    tops = [climb(surface, start, centre, far=far) for start in starts]
    best = max(top.value for top in tops)
    high = [top for top in tops if top.value >= best - _HIGHER * max(1.0, abs(best) * _HIGHER)]
    return next((top for top in high if top.settled), high[0])


def climb(surface: Surface, start: FloatArray, centre: FloatArray, *, far: float = _FAR) -> Top:
    """Return where Newton's steps from `start` end; they are halved until they rise, and turned uphill."""
    here, before = start, np.inf
    value, gradient, hessian = surface(here)
    for _ in range(_STEPS):
        step = _uphill(gradient, hessian)
        rise = float(gradient @ step)
        while True:
            there = here + step
            new = surface(there)
            if new[0] >= value + 1e-4 * rise - _NOISE * abs(value):
                break
            step, rise = 0.5 * step, 0.5 * rise
            if np.abs(step).max() < _STILL:
                there, new = here, (value, gradient, hessian)
                break
        here, (value, gradient, hessian) = there, new
        away = bool(np.abs(here - centre).max() > far)
        length = float(np.abs(step).max())
        still = length < _STILL or before <= length < _FINE
        before = length
        if away or still:
            settled = not away and _determined(hessian)
            return Top(log_params=here, value=value, gradient=gradient, hessian=hessian, settled=settled)
    return Top(log_params=here, value=value, gradient=gradient, hessian=hessian, settled=False)


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return Newton's step, turned uphill where the surface is not concave, and not too long."""
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    step = axes @ ((axes.T @ gradient) / np.maximum(size, size.max() * 1e-12))
    return np.asarray(step * min(1.0, _LONGEST_STEP / np.abs(step).max()) if step.any() else step)


def _determined(hessian: FloatArray) -> bool:
    """Return whether the surface bends down in every direction by more than rounding."""
    curvature = np.linalg.eigvalsh(-hessian)
    return bool(curvature[0] > curvature[-1] / _FLAT)


# Shapes of the rates, and of the chances of leaving or the calendar's hazard (as a multiple of the mean age).
_SHAPES = (0.3, 1.0, 3.0)
_CHANCES = ((0.5, 2.0), (1.0, 6.0), (1.0, 40.0))
_HAZARDS = ((0.5, 0.3), (1.0, 1.0), (1.5, 8.0))
_SPENDS = ((1.5, 3.0), (6.0, 4.0), (3.0, 10.0))


def purchase_centre(kind: Kind, k: int, patterns: PurchasePatterns) -> FloatArray:
    """Return log-parameters of ordinary size for a model of orders: shapes of 1, times of the order of the ages."""
    mean_age = float(np.average(patterns.age_days, weights=patterns.weight))
    sizes = {"alpha": max(mean_age, 1.0) / k, "beta": max(mean_age, 1.0)}
    return np.log([sizes.get(name, 1.0) for name in kind.names])


def purchase_starts(kind: Kind, k: int, patterns: PurchasePatterns) -> list[FloatArray]:
    """Return places to start from, whose purchase rates bring about as many orders as were seen."""
    mean_age = float(np.average(patterns.age_days, weights=patterns.weight))
    orders = float((patterns.weight * patterns.frequency).sum())
    # Half of the time that customers were observed for, they had left.
    gap = 0.5 * float((patterns.weight * patterns.age_days).sum()) / orders
    starts = []
    for shape, (third, fourth) in itertools.product(_SHAPES, _HAZARDS if kind.names == CALENDAR_LEAVING else _CHANCES):
        scale = mean_age if kind.names == CALENDAR_LEAVING else 1.0
        starts.append(np.log([shape, shape * gap / k, third, fourth * scale]))
    return starts


def spend_centre(patterns: SpendPatterns) -> FloatArray:
    """Return log-parameters of ordinary size for Gamma-Gamma: shapes of 1, v of the order of the mean amount."""
    return np.array([0.0, 0.0, math.log(_mean_amount(patterns))])


def spend_starts(patterns: SpendPatterns) -> list[FloatArray]:
    """Return places to start from, whose mean spend is the one that was seen."""
    mean = _mean_amount(patterns)
    return [np.log([p, q, mean * (q - 1.0) / p]) for p, q in _SPENDS]


def _mean_amount(patterns: SpendPatterns) -> float:
    return float(np.average(patterns.monetary_value, weights=patterns.weight))


# Deprecations of pandas and invalid escapes in its source: of no use to our users, who cannot mend an archived library.
_KNOWN = (DeprecationWarning, FutureWarning, PendingDeprecationWarning, SyntaxWarning, RuntimeWarning)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence lifetimes, and undo its edits of the global warning filters."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        for category in _KNOWN:
            warnings.simplefilter("ignore", category)
        yield


_FITTERS = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "paretonbd": "ParetoNBDFitter"}
# Without a penalty first; then with ever stronger pulls towards small parameters, only to find a place to start from.
_PENALTIES = (0.0, 0.001, 0.01, 0.1)


def purchases(kind: Kind, patterns: PurchasePatterns) -> tuple[float, ...]:
    """Return the parameters that lifetimes finds for a model of orders, times in days."""
    if kind.name not in _FITTERS:
        raise EstimationError(
            f"{kind.title}: lifetimes does not have it; use engine 'native', or a model that it has: "
            f"{choices(kind.name, list(_FITTERS))}"
        )
    library = _library()

    def attempt(penalty: float) -> dict[str, float]:
        fitter = getattr(library, _FITTERS[kind.name])(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.recency_days, patterns.age_days, weights=patterns.weight)
        return dict(fitter.params_)

    found = _first_success(kind.title, attempt, patterns.weight)
    return tuple(found[name] for name in kind.names)


def gamma_gamma(patterns: SpendPatterns) -> tuple[float, ...]:
    """Return the Gamma-Gamma parameters p, q, v that lifetimes' GammaGammaFitter finds."""
    # In units of the mean amount, so that its start suits every currency.
    unit = float((patterns.weight * patterns.monetary_value).sum() / patterns.weight.sum())
    library = _library()

    def attempt(penalty: float) -> dict[str, float]:
        fitter = library.GammaGammaFitter(penalizer_coef=penalty)
        fitter.fit(patterns.frequency, patterns.monetary_value / unit, weights=patterns.weight)
        return dict(fitter.params_)

    found = _first_success("Gamma-Gamma", attempt, patterns.weight)
    return (found["p"], found["q"], found["v"] * unit)


def _library() -> ModuleType:
    """Return lifetimes, imported without its edits of pandas' options."""
    with _quiet():
        pandas = importlib.import_module("pandas")
        before = pandas.get_option("mode.chained_assignment")
        library = importlib.import_module("lifetimes")
        pandas.set_option("mode.chained_assignment", before)
    return library


def _first_success(model: str, attempt: Callable[[float], dict[str, float]], weight: FloatArray) -> dict[str, float]:
    """Return the first finite estimates on the ladder of penalties."""
    for penalty in _PENALTIES:
        try:
            with _quiet():
                found = {str(name): float(value) for name, value in attempt(penalty).items()}
        except (_library().utils.ConvergenceError, np.linalg.LinAlgError):
            continue
        if all(np.isfinite(value) and value > 0.0 for value in found.values()):
            return found
    raise EstimationError(
        f"{model}: lifetimes did not converge on {weight.sum():.0f} customers in {weight.size} patterns, with none of "
        f"the penalties {', '.join(map(str, _PENALTIES))}. Use a longer period or more customers, and look for "
        "customers who are no persons (tills, resellers, test accounts)."
    )


Matrix = tuple[tuple[float, ...], ...]

# A maximum is found to about twelve digits, an inverse Hessian to eleven, and the last of these differ between
# processors. What is kept is what they agree on, so that everything that follows from a fit is the same everywhere.
PARAMETER_DIGITS = 10
COVARIANCE_DIGITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimates:
    """Parameters as a list, with what is known of their errors.

    Attributes
    ----------
    names, values
        The parameters in the order of the model.
    log_covariance
        Covariance of their natural logarithms.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    log_covariance: Matrix

    def __post_init__(self) -> None:
        size = len(self.names)
        square = len(self.log_covariance) == size and all(len(row) == size for row in self.log_covariance)
        matrix = np.array(self.log_covariance) if square else np.zeros((0, 0))
        if not square or not np.isfinite(matrix).all() or (matrix != matrix.T).any() or (np.diag(matrix) <= 0.0).any():
            raise EstimationError(
                f"log_covariance must be a symmetric {size} by {size} matrix of finite numbers with a positive "
                f"diagonal, for {', '.join(self.names)}; found {self.log_covariance}."
            )

    def covariance(self) -> NDArray[np.float64]:
        """Return the covariance on the natural scale, by the delta method."""
        theta = np.array(self.values)
        return np.asarray(theta[:, None] * np.array(self.log_covariance) * theta[None, :])

    def std_errors(self) -> dict[str, float]:
        """Return the standard error of each parameter on the natural scale, by the delta method."""
        pairs = enumerate(zip(self.names, self.values, strict=True))
        return {name: value * math.sqrt(self.log_covariance[i][i]) for i, (name, value) in pairs}

    def table(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        return pl.DataFrame(
            {
                "parameter": list(self.names),
                "estimate": list(self.values),
                "std_error": list(self.std_errors().values()),
            }
        )

    def intervals(self, level: float) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, high; normal on the logarithm, as none is below zero."""
        require_level(level)
        reach = NormalDist().inv_cdf(0.5 + 0.5 * level)
        spread = [math.exp(min(reach * math.sqrt(row[i]), 700.0)) for i, row in enumerate(self.log_covariance)]
        return pl.DataFrame(
            {
                "parameter": list(self.names),
                "low": [value / factor for value, factor in zip(self.values, spread, strict=True)],
                "high": [value * factor for value, factor in zip(self.values, spread, strict=True)],
            }
        )

    def line(self) -> str:
        """Return the estimates on one line, four digits each."""
        return ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self.values, strict=True))

    def page(self, title: str, notes: list[str]) -> str:
        """Return an HTML table of the estimates under `title`, with `notes` below it."""
        errors = self.std_errors()
        rows = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th><td>{value:.4g}</td><td>{errors[name]:.2g}</td></tr>'
            for name, value in zip(self.names, self.values, strict=True)
        )
        head = '<tr><th scope="col">parameter</th><th scope="col">estimate</th><th scope="col">std. error</th></tr>'
        below = "<br>".join(html.escape(note) for note in notes)
        caption = f"<caption>{html.escape(title)}</caption>"
        return f"<table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table><p>{below}</p>"


def as_matrix(array: NDArray[np.float64]) -> Matrix:
    """Return a two-dimensional array as a tuple of rows, to as many digits as all processors agree on."""
    return tuple(tuple(significant(float(x), COVARIANCE_DIGITS) for x in row) for row in array)


def significant(value: float, digits: int) -> float:
    """Return `value` to so many significant digits.

    >>> significant(30.895214132345, 10)
    30.89521413
    """
    return float(f"{value:.{digits - 1}e}")


# Two standard deviations are a factor of 150 up or down. Fifty customers of a typical shop tell the logarithms of r and
# alpha to about 0.5 and those of a and b to 1.6 and 2: the prior is weaker than they are.
WEAK = 2.5
# Eight standard deviations, a factor of half a billion; the prior holds 1e-15 beyond.
REACH = 8.0 * WEAK
# Where each prior has its middle, as a multiple of the scale for times and money. A shape of 1 is neutral: exponential
# rates, chances of leaving that are equally likely all over. Amounts vary less than that, within customers and between.
MIDDLES = {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0, "s": 1.0, "beta": 1.0, "p": 2.0, "q": 2.0, "v": 1.0}
# The parameters that carry a unit, of time or of money.
SCALED = frozenset({"alpha", "beta", "v"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LogNormalPrior:
    """Independent normal distributions of the logarithms of parameters.

    Attributes
    ----------
    names
        The parameters in the order of the model.
    means, sds
        Mean and standard deviation of the natural logarithm of each.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.names), len(self.means), len(self.sds)}
        usable = all(math.isfinite(x) for x in self.means) and all(math.isfinite(x) and x > 0.0 for x in self.sds)
        if len(lengths) != 1 or not usable:
            raise EstimationError(
                f"a prior needs a finite mean and a positive, finite sd for each of {', '.join(self.names)}; found "
                f"means {self.means} and sds {self.sds}."
            )

    def log_density(self, log_params: FloatArray) -> FloatArray:
        """Return the log density of the log-parameters, normalised.

        Shape (...).
        """
        scores = self._scores(log_params)
        constant = sum(math.log(sd) for sd in self.sds) + 0.5 * len(self.sds) * math.log(2.0 * math.pi)
        return np.asarray(-0.5 * (scores * scores).sum(axis=-1) - constant)

    def gradient(self, log_params: FloatArray) -> FloatArray:
        """Return the gradient of the log density, shape (..., d), for log-parameters of that shape."""
        return np.asarray(-self._scores(log_params) / np.array(self.sds))

    def hessian(self, log_params: FloatArray) -> FloatArray:
        """Return the Hessian of the log density, shape (..., d, d), for log-parameters of shape (..., d)."""
        place = np.shape(log_params)[:-1]
        curvature = np.diag(-1.0 / np.array(self.sds) ** 2)
        return np.array(np.broadcast_to(curvature, (*place, *curvature.shape)))

    def _scores(self, log_params: FloatArray) -> FloatArray:
        here = np.asarray(log_params, dtype=np.float64)
        if here.ndim == 0 or here.shape[-1] != len(self.names):
            raise EstimationError(
                f"the prior is of {len(self.names)} log-parameters, {', '.join(self.names)}; found shape {here.shape}."
            )
        return np.asarray((here - np.array(self.means)) / np.array(self.sds))


def weak_prior(names: tuple[str, ...], *, scale: float) -> LogNormalPrior:
    """Return the weak prior of a model's parameters.

    It says less than fifty customers do and moves the estimates of a few thousand by a small part of their standard
    errors. It is proper: where the likelihood runs off to infinity (nobody ever leaves, all buy at the same rate),
    the posterior still has a top, a mean and a spread.
    """
    unknown = [name for name in names if name not in MIDDLES]
    if unknown:
        raise EstimationError(f"no prior for the parameter '{unknown[0]}'; {choices(unknown[0], MIDDLES)}")
    if not (math.isfinite(scale) and scale > 0.0):
        raise EstimationError(f"the scale of a prior must be positive and finite; found {scale}.")
    middles = (MIDDLES[name] * (scale if name in SCALED else 1.0) for name in names)
    means = tuple(significant(math.log(middle), PARAMETER_DIGITS) for middle in middles)
    return LogNormalPrior(names=names, means=means, sds=(WEAK,) * len(names))


def purchase_prior(names: tuple[str, ...], patterns: PurchasePatterns) -> LogNormalPrior:
    """Return the weak prior of a model of orders, with times measured in the mean age of these customers."""
    mean_age = float(patterns.weight @ patterns.age_days / patterns.weight.sum())
    return weak_prior(names, scale=max(mean_age, 1.0))


def spend_prior(patterns: SpendPatterns) -> LogNormalPrior:
    """Return the weak prior of Gamma-Gamma, with money measured in the mean value of these customers' repeat orders."""
    orders = patterns.weight * patterns.frequency
    return weak_prior(("p", "q", "v"), scale=float(orders @ patterns.monetary_value / orders.sum()))


Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Summary:
    """A page on one fit.

    Attributes
    ----------
    title
        Name of the model.
    facts
        What is said of the fit as a whole: a label and a text each.
    estimates
        parameter, estimate, std_error, low and high.
    notes
        Sentences below the tables.
    """

    title: str
    facts: Facts
    estimates: pl.DataFrame
    notes: Sequence[str]

    def as_text(self) -> str:
        """Return the page for a terminal."""
        return str(self._page(self.facts, self.notes).as_text())

    def _page(self, facts: Facts, notes: Sequence[str]) -> Any:
        table_of = importlib.import_module("statsmodels.iolib.table").SimpleTable
        look = importlib.import_module("statsmodels.iolib.tableformatting")
        half = (len(facts) + 1) // 2
        left, right = facts[:half], [*facts[half:], ("", "")][:half]
        top = table_of(
            [[text] for _, text in left],
            stubs=[f"{label}:" for label, _ in left],
            title=self.title,
            txt_fmt=look.fmt_2cols,
        )
        top.extend_right(
            table_of(
                [[text] for _, text in right],
                stubs=[f" {label}:" if label else "" for label, _ in right],
                txt_fmt=look.fmt_2cols,
            )
        )
        rows = [[f"{number:.5g}" for number in row[1:]] for row in self.estimates.iter_rows()]
        table = table_of(
            rows,
            headers=["coef", "std err", "[0.025", "0.975]"],
            stubs=list(self.estimates["parameter"]),
            txt_fmt={**look.fmt_params, "data_fmts": ["%s"] * 4},
        )
        page = importlib.import_module("statsmodels.iolib.summary").Summary()
        page.tables = [top, table]
        page.add_extra_txt(list(notes))
        return page

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        facts = [(html.escape(label), html.escape(text)) for label, text in self.facts]
        return str(self._page(facts, [html.escape(note) for note in self.notes]).as_html())
