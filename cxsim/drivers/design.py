"""Customers through time, and one exposure, in; the columns of a model and which rows share them out.

By the models of repeat buying, how often customers ordered, when last, and since when says all that their past says of
what they will order (Fader, Hardie & Lee 2005, "Counting your customers the easy way"); spend adds the amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.drivers.exposures import Exposure
from cxsim.errors import EstimationError

Reals = NDArray[np.float64]
Places = NDArray[np.int64]
Timing = Literal["before", "later"]
Adjusting = Literal["history", "nothing"]

# Fewer customers, or periods with an order, on either side of a comparison are not compared.
FEWEST_CUSTOMERS = 30
FEWEST_EVENTS = 10
# Steps of the natural logarithm to which history is rounded, so that rows with the same history are counted together.
_STEPS = {"orders_so_far": 0.25, "idle_days": 0.5, "age_days": 0.5, "spend": 1.0}
_TOP = 4
# Of amounts and of history both: all steps are whole numbers of it.
_FINEST = 0.05
# Codes of patterns are numbered anew before their product could overflow.
_MOST_CLASSES = 2**40
_DEPENDENT = 1e-8
_BLOCK = 64


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Design:
    """Rows of a model, those that are alike counted together.

    Attributes
    ----------
    matrix
        Columns of the model, the exposure last, shape (patterns, columns).
    pattern
        For each row its place in `matrix`, shape (rows,).
    customer
        For each row its customer, shape (rows,), counted from 0.
    outcomes
        `next order` (0 or 1), `orders` and `spend` of each row.
    customers
        How many customers there are.
    exposed
        How many of them met the exposure.
    """

    matrix: Reals
    pattern: Places
    customer: Places
    outcomes: dict[str, Reals]
    customers: int
    exposed: int


def design_of(table: pl.DataFrame, exposure: Exposure, *, timing: Timing, adjust: Adjusting) -> Design:
    """Return the rows and columns of the model of one exposure."""
    met = exposure.name if timing == "before" else f"{exposure.name}.later"
    rows = table.filter(pl.col(met).is_not_null())
    amount = rows[met].round(1).to_numpy()
    exposed = _refuse_few(rows, amount)
    keys = [*(_controls(rows, exposure, timing) if adjust == "history" else []), (exposure.name, amount)]
    pattern, first = _patterns([values for _, values in keys])
    distinct = {name: values[first] for name, values in keys}
    outcomes = {
        "next order": (rows["orders"] > 0).cast(pl.Float64).to_numpy(),
        "orders": rows["orders"].cast(pl.Float64).to_numpy(),
        "spend": rows["spend"].to_numpy(),
    }
    count = np.bincount(pattern).astype(np.float64)
    events: Reals = np.bincount(pattern, weights=outcomes["next order"]).astype(np.float64)
    columns: list[Reals] = _columns(distinct, count, events) if adjust == "history" else [np.ones(first.size)]
    matrix = _independent([*columns, distinct[exposure.name]], count)
    customer = rows["customer"].rle_id().cast(pl.Int64).to_numpy()
    return Design(
        matrix=matrix,
        pattern=pattern,
        customer=customer,
        outcomes=outcomes,
        customers=int(customer.max()) + 1,
        exposed=exposed,
    )


def weighted_gram(matrix: Reals, weights: Reals) -> Reals:
    """Return the sums of products of all pairs of columns, weighted; to the last bit the same on any number of threads."""
    rows, columns = matrix.shape
    blocks = -(-rows // _BLOCK)
    padded = np.zeros((blocks * _BLOCK, columns))
    padded[:rows] = matrix
    left = padded.copy()
    left[:rows] *= weights[:, None]
    # Products of so few rows are never shared out to threads, which would also wait for each other.
    products = np.matmul(
        left.reshape(blocks, _BLOCK, columns).transpose(0, 2, 1), padded.reshape(blocks, _BLOCK, columns)
    )
    gram: Reals = products.sum(axis=0)
    return gram


def _refuse_few(rows: pl.DataFrame, amount: Reals) -> int:
    """Return how many customers met the exposure; refuse a comparison of too few."""
    ordered = rows["orders"].to_numpy() > 0
    met = amount != 0.0
    for side, words in ((met, "met it"), (~met, "did not")):
        customers = rows["customer"].filter(pl.Series(side)).n_unique()
        if customers < FEWEST_CUSTOMERS:
            raise EstimationError(f"{customers} customers {words}; at least {FEWEST_CUSTOMERS} are needed.")
        for happened, what in ((ordered, "an order"), (~ordered, "no order")):
            periods = int((side & happened).sum())
            if periods < FEWEST_EVENTS:
                raise EstimationError(
                    f"of the customers who {words}, {periods} periods have {what}; at least {FEWEST_EVENTS} are needed."
                )
    return rows["customer"].filter(pl.Series(met)).n_unique()


def _controls(rows: pl.DataFrame, exposure: Exposure, timing: Timing) -> list[tuple[str, Reals]]:
    """Return what is held equal, rounded."""
    so_far = rows["orders_so_far"].to_numpy().astype(np.float64)
    spend = np.maximum(rows["spend_so_far"].to_numpy(), 0.0) / so_far
    found = [
        ("period", rows["period"].to_numpy().astype(np.float64)),
        ("orders", _rounded(np.log(so_far), _STEPS["orders_so_far"])),
        ("idle", _rounded(np.log1p(rows["idle_days"].to_numpy() / 7.0), _STEPS["idle_days"])),
        ("age", _rounded(np.log1p(rows["age_days"].to_numpy() / 7.0), _STEPS["age_days"])),
        ("spend", _rounded(np.log1p(spend), _STEPS["spend"])),
        ("recent", np.minimum(rows["recent"].to_numpy(), _TOP)),
    ]
    if exposure.occasions is not None:
        suffix = "" if timing == "before" else ".later"
        found.append(("occasions", np.minimum(rows[f"{exposure.name}.occasions{suffix}"].to_numpy(), _TOP)))
    if timing == "later":
        found.append(("met", rows[exposure.name].round(1).to_numpy()))
        if exposure.concerns_orders:
            found += [(name, np.minimum(rows[name].to_numpy(), _TOP)) for name in ("recent.between", "recent.later")]
    return found


def _columns(held: dict[str, Reals], count: Reals, events: Reals) -> list[Reals]:
    """Return the columns that hold history equal: the period and small counts as they are, the rest as curves."""
    columns = [np.ones(count.size)]
    for name in ("period", "recent", "occasions", "recent.between", "recent.later"):
        if name in held:
            columns += _indicators(held[name], count, events)
    curves = {name: held[name] - float(np.average(held[name], weights=count)) for name in ("orders", "idle", "age")}
    columns += [*curves.values(), *(values**2 for values in curves.values())]
    columns += [curves["orders"] * curves["idle"], curves["orders"] * curves["age"], curves["idle"] * curves["age"]]
    columns += [held["spend"] - float(np.average(held["spend"], weights=count))]
    return columns + ([held["met"]] if "met" in held else [])


def _indicators(values: Reals, count: Reals, events: Reals) -> list[Reals]:
    """Return a column for each value but the first; too rare ones stay with the first."""
    found = []
    for value in np.unique(values)[1:]:
        here = values == value
        ordered = float(events[here].sum())
        if min(ordered, float(count[here].sum()) - ordered) >= FEWEST_EVENTS:
            found.append(here.astype(np.float64))
    return found


def _independent(columns: list[Reals], weights: Reals) -> Reals:
    """Return the columns as a matrix without those that the ones before them determine; the last one must stay."""
    matrix = np.column_stack(columns)
    gram = weighted_gram(matrix, weights)
    scale = np.sqrt(np.diag(gram))
    scale[scale == 0.0] = 1.0
    rest = gram / np.outer(scale, scale)
    kept = []
    for place in range(matrix.shape[1]):
        if rest[place, place] > _DEPENDENT:
            kept.append(place)
            rest = rest - np.outer(rest[:, place], rest[place]) / rest[place, place]
    if kept[-1] != matrix.shape[1] - 1:
        raise EstimationError("it goes along with what is held equal, so that the two cannot be told apart.")
    return np.ascontiguousarray(matrix[:, kept])


def _patterns(keys: list[Reals]) -> tuple[Places, Places]:
    """Return for each row the number of its pattern, and for each pattern the first of its rows."""
    code, classes = np.zeros(keys[0].size, dtype=np.int64), 1
    for values in keys:
        # Every key is a whole number of the finest step.
        steps = np.rint(values / _FINEST).astype(np.int64)
        steps -= steps.min()
        place = np.cumsum(np.bincount(steps) > 0) - 1
        if classes > _MOST_CLASSES:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
            classes = int(code.max()) + 1
        code = code * (int(place[-1]) + 1) + place[steps]
        classes *= int(place[-1]) + 1
    _, first, pattern = np.unique(code, return_index=True, return_inverse=True)
    return pattern.astype(np.int64), first.astype(np.int64)


def _rounded(values: Reals, step: float) -> Reals:
    return np.round(values / step) * step
