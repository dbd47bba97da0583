"""Customers (RFM) and draws of the parameters in; outcomes of all customers and sums over them, block by block, out.

Blocks bound the memory and are the unit of work for threads. Customers' outcomes depend on themselves alone and sums
are of whole numbers, so neither blocks nor threads nor the order of the customers changes a bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.patterns import PAST
from cxsim.estimation.predictive.identity import customer_numbers
from cxsim.estimation.predictive.kernel import (
    COUNTERS,
    CUSTOMER_RECORD,
    OUTCOMES,
    PART_BITS,
    PARTS,
    UNITS,
    Block,
    Question,
    Scratch,
    foretell,
)
from cxsim.estimation.predictive.parameters import Family, Thetas

# The sums of one block of this size, and of no larger one, stay in the range of whole numbers.
BLOCK_SIZE = 4096
_MOST_UNITS = 1 << 62


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What the blocks have in common.

    Attributes
    ----------
    thetas, family
        Draws of the parameters and their model.
    question
        What is asked of every customer.
    groups
        Number of groups for which is added up.
    """

    thetas: Thetas
    family: Family
    question: Question
    groups: int


def foretell_all(
    customers: pl.DataFrame,
    work: Work,
    *,
    block_size: int = BLOCK_SIZE,
    threads: int | None = None,
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Return what is known of every customer, and the sums of each group in each draw.

    One array for each of OUTCOMES, rows as in `customers`; whole numbers of shape (groups, draws, 4).
    """
    outcomes = {name: np.empty(customers.height) for name in OUTCOMES}
    counts = np.zeros((work.groups, len(work.thetas), COUNTERS), np.int64)
    starts = range(0, customers.height, block_size)
    with ThreadPoolExecutor(max_workers=threads or cpu_count()) as pool:
        parts = pool.map(partial(_one, work), (customers.slice(start, block_size) for start in starts))
        for start, (found, counted) in zip(starts, parts, strict=True):
            for place, name in enumerate(OUTCOMES):
                outcomes[name][start : start + len(found)] = found[:, place]
            _add(counts, counted)
    return outcomes, counts


def customer_block(customers: pl.DataFrame) -> Block:
    """Return customers, under RFM and with a column `group`, as records for the kernel."""
    paid = pl.when(pl.col("monetary_value").is_not_null()).then("frequency").otherwise(0).cast(pl.Float64)
    columns = customers.select(
        *(pl.col(name).cast(pl.Float64) for name in PAST),
        paid=paid,
        total=paid * pl.col("monetary_value").fill_null(0.0),
        group="group",
    )
    block = np.empty(customers.height, CUSTOMER_RECORD)
    block["number"] = customer_numbers(customers["customer_id"])
    for field, column in zip(("frequency", "last", "age", "paid", "total", "group"), columns, strict=True):
        block[field] = column.to_numpy()
    return block


def _one(work: Work, customers: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the outcomes and counts of one block."""
    block, draws = customer_block(customers), len(work.thetas)
    outcomes = np.empty((len(block), len(OUTCOMES)))
    counts = np.zeros((work.groups, draws, COUNTERS), np.int64)
    equal_together = np.lexsort((block["age"], block["last"], block["frequency"]))
    scratch = Scratch(np.empty(draws), np.empty(draws), np.empty(draws))
    too_large = foretell(block, equal_together, work.thetas, work.family, work.question, scratch, outcomes, counts)
    if too_large:
        _refuse()
    return outcomes, counts


def _add(total: NDArray[np.int64], part: NDArray[np.int64]) -> None:
    """Add a block's counts, and carry what the parts of units make in whole units."""
    total += part
    total[..., UNITS] += total[..., PARTS] >> PART_BITS
    total[..., PARTS] &= (1 << PART_BITS) - 1
    if total[..., UNITS].max() >= _MOST_UNITS:
        _refuse()


def _refuse() -> None:
    raise EstimationError(
        "the value of a customer exceeds 5e14, or that of all of them 4e18, in some draw: look at the largest monetary "
        "values, or count money in a larger unit."
    )
