"""A model and the distinct pasts of customers in; their log-likelihood, with derivatives, at any parameters out.

Pasts are cut into pieces of a fixed size, which are summed on all processors and added up in their order: the result
depends neither on the number of threads nor on who was first.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.models.bgnbd import BetaGeometricParams, value
from cxsim.clv.models.bgnbd import sums as surface_sums
from cxsim.clv.models.gamma_gamma import sums as surface_sums_2
from cxsim.clv.models.gamma_gamma import value as surface_value_2
from cxsim.clv.models.pareto_integrals import sums
from cxsim.clv.models.pareto_integrals import value as surface_value
from cxsim.clv.models.pareto_nbd import ParetoNbdParams, value_by_day
from cxsim.clv.models.purchases import PurchaseParams, model_of, purchase_probability_new
from cxsim.errors import EstimationError, TableError, choices
from cxsim.tables import RFM, check

FloatArray = NDArray[np.float64]

_LARGEST = 1 << 63


@dataclass(frozen=True, kw_only=True, slots=True)
class PastKeys:
    """Keys of pasts, in the order of frequency, then recency_days, then age_days.

    Attributes
    ----------
    keys
        One for each customer, Int64.
    recencies, ages
        Numbers of different days that recency_days and age_days can take.
    """

    keys: pl.Series
    recencies: int
    ages: int

    def columns(self, keys: pl.Series) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return frequency, recency_days and age_days of such keys."""
        rest, age = keys // self.ages, keys % self.ages
        parts = (rest // self.recencies, rest % self.recencies, age)
        frequency, recency_days, age_days = (part.cast(pl.Float64).to_numpy() for part in parts)
        return frequency, recency_days, age_days


def past_keys(rfm: pl.DataFrame) -> PastKeys:
    """Return the keys of the customers of `rfm`, which has columns of whole numbers >= 0."""
    highest = rfm.select(pl.col("frequency", "recency_days", "age_days").max().fill_null(0)).row(0)
    recencies, ages = highest[1] + 1, highest[2] + 1
    if (highest[0] + 1) * recencies * ages >= _LARGEST:
        raise EstimationError(
            f"RFM: frequency up to {highest[0]:,}, recency_days up to {highest[1]:,} and age_days up to "
            f"{highest[2]:,} are beyond any shop's; look for times in other units than days."
        )
    key = (pl.col("frequency") * recencies + pl.col("recency_days")) * ages + pl.col("age_days")
    return PastKeys(keys=rfm.select(key=key)["key"], recencies=recencies, ages=ages)


PAST = ["frequency", "recency_days", "age_days"]

# Fewer customers than this say next to nothing of four parameters.
MIN_CUSTOMERS = 20
# Chances of leaving are seen only after repeat orders; as many customers as parameters is the least.
MIN_REPEATERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchasePatterns:
    """Distinct pasts of customers, sorted, so that the order of the customers plays no part.

    Attributes
    ----------
    frequency, recency_days, age_days
        Repeat orders; age at the last order; age now. Shape (n_patterns,).
    weight
        Number of customers with this past.
    """

    frequency: FloatArray
    recency_days: FloatArray
    age_days: FloatArray
    weight: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendPatterns:
    """Distinct pairs of repeat orders and their mean amount, sorted.

    Attributes
    ----------
    frequency, monetary_value
        Repeat orders, >= 1; mean amount of them, > 0. Shape (n_patterns,).
    weight
        Number of customers with this pair.
    n_left_out
        Customers without repeat order or without a positive mean amount, of whom Gamma-Gamma says nothing.
    """

    frequency: FloatArray
    monetary_value: FloatArray
    weight: FloatArray
    n_left_out: int


def pasts(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return `rfm` if it keeps the RFM contract and every past is possible."""
    if not isinstance(rfm, pl.DataFrame):
        raise TableError(
            f"RFM: found a {type(rfm).__name__}; it must be a polars DataFrame: collect() a lazy one, and "
            "polars.from_pandas() takes one of pandas."
        )
    frequency, last, age = (pl.col(name) for name in PAST)
    impossible = check(rfm, RFM).filter((frequency < 0) | (last < 0) | (last > age) | ((frequency == 0) != (last == 0)))
    if impossible.height:
        first = impossible.row(0, named=True)
        raise EstimationError(
            f"RFM: {impossible.height} of {rfm.height} customers have an impossible past; the first is "
            f"{first['customer_id']!r} with frequency {first['frequency']}, recency_days {first['recency_days']}, "
            f"age_days {first['age_days']}. It must be 0 <= recency_days <= age_days, and recency_days is 0 if and "
            "only if frequency is 0."
        )
    return rfm


def amounts(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return `rfm` if every past is possible and every monetary value is a number or missing."""
    odd = pasts(rfm).filter(pl.col("monetary_value").is_not_null() & ~pl.col("monetary_value").is_finite())
    if odd.height:
        raise EstimationError(
            f"RFM: {odd.height} of {rfm.height} monetary values are NaN or infinite, the first that of customer "
            f"{odd['customer_id'][0]!r}; leave them null."
        )
    return rfm


def log_gap_sum(rfm: pl.DataFrame) -> float:
    """Return the sum of ln(gap in days) over all gaps between order days, which tells regular buyers from others."""
    if "log_gaps" not in rfm.columns:
        raise EstimationError(
            "RFM: no column 'log_gaps', without which k cannot be chosen; summarise() adds it, or give k yourself."
        )
    # Added up in whole billionths, so that neither the order of the customers nor the number of threads matters.
    gaps = rfm.select(billionths=(pl.col("log_gaps") * 1e9).round())["billionths"]
    if gaps.null_count() or not gaps.is_finite().all() or (gaps < 0).any():
        raise EstimationError("RFM: log_gaps must be finite and not negative; gaps are whole days, at least 1.")
    return float(gaps.cast(pl.Int64).sum()) / 1e9


def purchase_patterns(rfm: pl.DataFrame) -> PurchasePatterns:
    """Return the distinct pasts in `rfm` with the number of customers of each."""
    repeaters = pasts(rfm).filter(pl.col("frequency") > 0).height
    if rfm.height < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise EstimationError(
            f"found {rfm.height} customers, {repeaters} of them with a repeat order; a model of orders needs "
            f"at least {MIN_CUSTOMERS} and {MIN_REPEATERS}. Chances of leaving show only after repeat orders: use a "
            "longer period or more customers."
        )
    known = past_keys(rfm)
    runs = known.keys.sort().rle().struct
    frequency, recency_days, age_days = known.columns(runs.field("value"))
    weight = runs.field("len").cast(pl.Float64).to_numpy()
    return PurchasePatterns(frequency=frequency, recency_days=recency_days, age_days=age_days, weight=weight)


def spend_patterns(rfm: pl.DataFrame) -> SpendPatterns:
    """Return the distinct pairs of repeat orders and mean amount in `rfm`, with the number of customers of each."""
    pair = ["frequency", "monetary_value"]
    spenders = amounts(rfm).filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))
    if spenders.height < MIN_CUSTOMERS:
        raise EstimationError(
            f"Gamma-Gamma: found {spenders.height} customers with a repeat order and a positive monetary value among "
            f"{rfm.height}; it needs at least {MIN_CUSTOMERS}. Use a longer period or more customers."
        )
    if spenders["monetary_value"].n_unique() == 1:
        raise EstimationError(
            f"Gamma-Gamma: all {spenders.height} repeat customers have the same monetary value, "
            f"{spenders['monetary_value'][0]:g}, so there is no spread to fit. Check the amounts, or take this value "
            "as the spend of everyone."
        )
    distinct = spenders.group_by(pair).agg(weight=pl.len()).sort(pair).cast(pl.Float64)
    return SpendPatterns(
        frequency=distinct["frequency"].to_numpy(),
        monetary_value=distinct["monetary_value"].to_numpy(),
        weight=distinct["weight"].to_numpy(),
        n_left_out=rfm.height - spenders.height,
    )


Model = Literal["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]
ORDER_LEAVING = ("r", "alpha", "a", "b")
CALENDAR_LEAVING = ("r", "alpha", "s", "beta")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A model of orders and leaving.

    Attributes
    ----------
    name, title
        As in `fit(model=...)`, and for readers.
    names
        Parameters in their order; `alpha` and `beta` are times.
    leaves_after_first
        Whether customers may leave after their first order.
    regular
        Whether orders may come more regularly than by chance, in k stages.
    reference
        Where the model comes from.
    """

    name: str
    title: str
    names: tuple[str, ...]
    leaves_after_first: bool = False
    regular: bool = False
    reference: str

    def titled(self, k: int) -> str:
        """Return the title with its number of stages."""
        return self.title.replace("-k", f"-{k}") if self.regular else self.title

    def params(self, values: Sequence[float], k: int) -> PurchaseParams:
        """Return checked parameters from their values in order."""
        r, alpha, third, fourth = values
        if self.names == CALENDAR_LEAVING:
            return ParetoNbdParams(r=r, alpha=alpha, s=third, beta=fourth)
        return BetaGeometricParams(r=r, alpha=alpha, a=third, b=fourth, k=k, leaves_after_first=self.leaves_after_first)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="bgnbd", title="BG/NBD", names=ORDER_LEAVING, reference="Fader, Hardie & Lee (2005)"),
        Kind(
            name="mbgnbd",
            title="MBG/NBD",
            names=ORDER_LEAVING,
            leaves_after_first=True,
            reference="Batislam, Denizel & Filiztekin (2007)",
        ),
        Kind(
            name="paretonbd",
            title="Pareto/NBD",
            names=CALENDAR_LEAVING,
            reference="Schmittlein, Morrison & Colombo (1987)",
        ),
        Kind(
            name="bgcnbd",
            title="BG/CNBD-k",
            names=ORDER_LEAVING,
            regular=True,
            reference="Platzer & Reutterer (2016)",
        ),
        Kind(
            name="mbgcnbd",
            title="MBG/CNBD-k",
            names=ORDER_LEAVING,
            leaves_after_first=True,
            regular=True,
            reference="Platzer & Reutterer (2016)",
        ),
    )
}


def kind_of(model: str) -> Kind:
    """Return the model of that name."""
    if model not in KINDS:
        raise EstimationError(f"no model '{model}'; {choices(str(model), list(KINDS))}")
    return KINDS[model]


Derivatives = tuple[float, FloatArray, FloatArray]
Item = TypeVar("Item")

# Pasts summed at once: a few milliseconds, and what is rounded within a piece is the same on every machine.
_PIECE = 1 << 14
# Parameter vectors handled at once where there are many.
_VECTORS = 32
_PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Likelihood:
    """The log-likelihood of one model, given its data.

    Attributes
    ----------
    title, names
        The model for messages, and its parameters.
    columns
        What is known of each distinct past, and the number of customers with it; arrays of shape (n,).
    options
        Whole numbers which tell the members of a family apart.
    compiled_value, compiled_sums
        Compiled functions of log-parameters, columns and options; the second also writes derivatives.
    constant
        What the data add whatever the parameters.
    """

    title: str
    names: tuple[str, ...]
    columns: tuple[FloatArray, ...]
    options: tuple[int, ...]
    compiled_value: Callable[..., float]
    compiled_sums: Callable[..., None]
    constant: float = 0.0

    def pieces(self) -> list[tuple[FloatArray, ...]]:
        """Return the columns in pieces."""
        size = self.columns[0].size
        return [tuple(column[i : i + _PIECE] for column in self.columns) for i in range(0, size, _PIECE)]


def thinned(likelihood: Likelihood, customers: int) -> Likelihood:
    """Return the likelihood of about so many customers, evenly spaced in the order of their pasts, each for several.

    It is that of all customers but for noise, and finds the neighbourhood of the top for next to nothing.
    """
    *pasts, weight = likelihood.columns
    total = float(weight.sum())
    if total <= customers:
        return likelihood
    places = (np.arange(customers) + 0.5) * (total / customers)
    chosen, counts = np.unique(np.searchsorted(np.cumsum(weight), places), return_counts=True)
    columns = (*(past[chosen] for past in pasts), counts.astype(np.float64) * (total / customers))
    return replace(likelihood, columns=columns)


def purchase_likelihood(kind: Kind, k: int, patterns: PurchasePatterns, *, log_gaps: float = 0.0) -> Likelihood:
    """Return the likelihood of a model of orders."""
    calendar = kind.names == CALENDAR_LEAVING
    return Likelihood(
        title=kind.titled(k),
        names=kind.names,
        columns=(patterns.frequency, patterns.recency_days, patterns.age_days, patterns.weight),
        options=() if calendar else (k, int(kind.leaves_after_first)),
        compiled_value=_pareto_value(patterns) if calendar else value,
        compiled_sums=sums if calendar else surface_sums,
        constant=(k - 1) * log_gaps,
    )


def _pareto_value(patterns: PurchasePatterns) -> Callable[..., float]:
    """Return the faster of two ways to the log-likelihood alone: times of customers are whole days, as a rule."""
    whole = not ((patterns.age_days % 1.0).any() or (patterns.recency_days % 1.0).any())
    return value_by_day if whole else surface_value


def spend_likelihood(patterns: SpendPatterns) -> Likelihood:
    """Return the likelihood of the Gamma-Gamma model of spend."""
    return Likelihood(
        title="Gamma-Gamma",
        names=("p", "q", "v"),
        columns=(patterns.frequency, patterns.monetary_value, patterns.weight),
        options=(),
        compiled_value=surface_value_2,
        compiled_sums=surface_sums_2,
    )


def derivatives(likelihood: Likelihood, log_params: FloatArray) -> Derivatives:
    """Return the log-likelihood, its gradient and its Hessian in the log-parameters.

    A number, an array of shape (d,), a symmetric array of shape (d, d).
    """
    size = log_params.size
    place = np.triu_indices(size)

    def one(piece: tuple[FloatArray, ...]) -> FloatArray:
        out = np.empty(1 + size + place[0].size)
        likelihood.compiled_sums(log_params, *piece, *likelihood.options, out)
        return out

    total = _added(_mapped(one, likelihood.pieces()))
    hessian = np.zeros((size, size))
    hessian[place] = total[1 + size :]
    return float(total[0]) + likelihood.constant, total[1 : 1 + size], hessian + np.triu(hessian, 1).T


def log_likelihoods(likelihood: Likelihood, log_params: FloatArray) -> FloatArray:
    """Return the log-likelihood at each of many vectors of log-parameters.

    Shape (m,).
    """
    pieces = likelihood.pieces()

    def some(vectors: FloatArray) -> FloatArray:
        value = partial(_value, likelihood, pieces)
        return np.array([value(vector) for vector in vectors])

    groups = [log_params[i : i + _VECTORS] for i in range(0, len(log_params), _VECTORS)]
    return np.concatenate([*_mapped(some, groups), np.empty(0)])


def _value(likelihood: Likelihood, pieces: Sequence[tuple[FloatArray, ...]], vector: FloatArray) -> float:
    values = [likelihood.compiled_value(vector, *piece, *likelihood.options) for piece in pieces]
    return float(_added([np.array([value]) for value in values])[0]) + likelihood.constant


def _mapped(function: Callable[[Item], FloatArray], items: Sequence[Item]) -> list[FloatArray]:
    """Return the results in the order of the items, computed on all processors."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(max_workers=_PROCESSORS) as threads:
        return list(threads.map(function, items))


def _added(parts: list[FloatArray]) -> FloatArray:
    """Return the sum, added up pairwise, so that rounding grows with the logarithm of the number of parts."""
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else []
        parts = [first + second for first, second in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0]


Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pasts:
    """The distinct pasts of customers.

    Attributes
    ----------
    frequency, last_order, age
        Each past once, sorted; shape (n,).
    past_of
        Which past each customer has; shape (customers,).
    pair_frequency, pair_age
        Distinct pairs of frequency and age; shape (pairs,).
    pair_of
        Which pair each past has; shape (n,).
    """

    frequency: FloatArray
    last_order: FloatArray
    age: FloatArray
    past_of: Places
    pair_frequency: FloatArray
    pair_age: FloatArray
    pair_of: Places

    def now(self, params: PurchaseParams) -> FloatArray:
        """Return the probability of being alive in each phase; shape (n, k)."""
        return model_of(params).phase_probs(params, self.frequency, self.last_order, self.age)

    def ahead(self, by_pair: Callable[[FloatArray, FloatArray], FloatArray]) -> FloatArray:
        """Return what comes, given that the customer is alive in each phase; shape (n, k)."""
        return np.asarray(by_pair(self.pair_frequency, self.pair_age)[self.pair_of])


def pasts_of(rfm: pl.DataFrame) -> Pasts:
    """Return the distinct pasts in `rfm`."""
    known = past_keys(pasts(rfm))
    distinct, past_of = _ranked(known.keys)
    frequency, last_order, age = known.columns(distinct)
    days = int(age.max(initial=0.0)) + 1
    pairs, pair_of = _ranked(pl.Series(frequency.astype(np.int64) * days + age.astype(np.int64)))
    return Pasts(
        frequency=frequency,
        last_order=last_order,
        age=age,
        past_of=past_of,
        pair_frequency=(pairs // days).cast(pl.Float64).to_numpy(),
        pair_age=(pairs % days).cast(pl.Float64).to_numpy(),
        pair_of=pair_of,
    )


def joined(rfm: pl.DataFrame, known: Pasts, columns: Mapping[str, FloatArray]) -> pl.DataFrame:
    """Return customer_id and `columns`, which hold a number for each of the distinct pasts; rows as in `rfm`."""
    return rfm.select("customer_id").with_columns(
        pl.Series(name, values[known.past_of], dtype=pl.Float64) for name, values in columns.items()
    )


def together(now: FloatArray, ahead: FloatArray) -> FloatArray:
    """Return the mean over phases: shape (n,) from two arrays of shape (n, k)."""
    return np.asarray(np.einsum("ij,ij->i", now, ahead))


def _ranked(keys: pl.Series) -> tuple[pl.Series, Places]:
    """Return the distinct keys, sorted, and the place of each key among them."""
    places = keys.rank("dense").cast(pl.Int64) - 1
    return keys.unique().sort(), places.to_numpy()


def require_days(name: str, days: float) -> None:
    """Refuse a number of days that is negative or not finite."""
    if not (math.isfinite(days) and days >= 0.0):
        raise EstimationError(f"{name} must be finite and not negative; found {days}.")


def require_level(level: float) -> None:
    """Refuse the level of an interval that is no share between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise EstimationError(f"level must be above 0 and below 1; found {level}.")


def require_margin(margin: float) -> None:
    """Refuse a contribution margin that is no share of revenue."""
    if not 0.0 <= margin <= 1.0:
        raise EstimationError(f"margin must be a share from 0 to 1; found {margin}.")


def is_count(number: float, *, least: int) -> bool:
    """Return whether a number is a whole one of at least `least`, and no truth value."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool) and number >= least


def count_distribution(
    params: PurchaseParams, rfm: pl.DataFrame | None, *, start: float, end: float, most: int
) -> pl.DataFrame:
    """Return the chance of every number of orders between two times from now."""
    if not (math.isfinite(end) and end >= start >= 0.0):
        raise EstimationError(f"it must be 0 <= from_days <= days, and finite; found from_days {start}, days {end}.")
    if not is_count(most, least=1):
        raise EstimationError(f"most must be a whole number, at least 1; found {most}.")
    counts = np.arange(most, dtype=np.float64)
    if rfm is None:
        exact = purchase_probability_new(params, start=start, end=end, counts=counts)
        return _long(exact[None, :], most)
    known, model = pasts_of(rfm), model_of(params)
    ahead = known.ahead(
        lambda x, age: model.count_probs_ahead(params, x[:, None], age[:, None], start=start, end=end, counts=counts)
    )
    now = known.now(params)
    exact = np.einsum("ik,ijk->ij", now, ahead)
    exact[:, 0] += np.maximum(1.0 - now.sum(axis=-1), 0.0)
    table = _long(exact[known.past_of], most)
    return table.select(rfm["customer_id"].gather(np.repeat(np.arange(rfm.height), most + 1)), "orders", "probability")


def _long(exact: FloatArray, most: int) -> pl.DataFrame:
    """Return a row for each chance, the last of each customer that of `most` or more."""
    chances = np.column_stack([exact, np.clip(1.0 - exact.sum(axis=1), 0.0, 1.0)])
    return pl.DataFrame({"orders": np.tile(np.arange(most + 1), len(chances)), "probability": chances.ravel()})
