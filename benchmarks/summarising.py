"""Order lines go in; how fast they are read and summarised, beside lifetimes, comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import polars as pl

from benchmarks.archived import as_pandas, summary
from benchmarks.measuring import Case, speed
from benchmarks.shop import LAST_DAY, order_log
from benchmarks.sizes import SIZES, linear, titled
from cxsim.data import read_transactions
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise

_ROUNDS = 3


def summaries() -> Iterator[Case]:
    """Yield the summary of lines in memory, and reading, hygiene and summary of a file."""
    transactions = load_cdnow()
    logs = {"the CDNOW log": (transactions.table.collect(), transactions.until)}
    logs |= {titled(size): (pl.read_parquet(order_log(size)), LAST_DAY) for size in SIZES}
    for title, (lines, until) in logs.items():
        yield speed(
            f"RFM summary, {title}",
            partial(summarise, lines, until=until),
            lines.height,
            partial(summary, as_pandas(lines)),
            lines.height,
            rival_name="lifetimes' summary",
            target=None,
            unit="order lines per second",
            rounds=_ROUNDS,
        )
    yield linear("reading, hygiene and summary of a Parquet file", _from_file)


def _from_file(size: int) -> Callable[[], object]:
    path = order_log(size)
    return lambda: summarise(read_transactions(path))
