"""Customers of simulated shops go in; how fast and in how much memory they are valued comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import polars as pl

from benchmarks.archived import bgnbd, spend, value
from benchmarks.measuring import Case, speed, within
from benchmarks.peaks import measured
from benchmarks.shop import order_log
from benchmarks.sizes import LARGEST, SIZES, customers, linear, titled
from benchmarks.terms import HORIZON_DAYS, RATE
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit

_ROUNDS = 3
_TARGET = 10.0
# The summary is what customers are in; the work on them should take no more memory than making it.
_FLAT = 0.9
_WHOLE_SECONDS, _WHOLE_GIGABYTES = 120.0, 6.0


def values() -> Iterator[Case]:
    """Yield the table of P(alive), expected orders and value in a year."""
    for size in SIZES:
        rfm = customers(size)
        theirs, their_spend = bgnbd(rfm), spend(rfm)
        yield speed(
            f"value table, {titled(size)}",
            _prepared(size),
            size,
            partial(value, rfm, theirs, their_spend),
            size,
            rival_name="lifetimes, raw rows",
            target=_TARGET if size == SIZES[-1] else None,
            unit="customers per second",
            rounds=_ROUNDS,
        )
    yield linear("value table", _prepared)


def memory() -> Iterator[Case]:
    """Yield the peak after the fits and after the value table against that after the summary."""
    for size in (SIZES[-1], LARGEST):
        order_log(size)
        after = measured("value_memory", size)
        for step in ("fit", "value"):
            yield Case(
                name=f"peak memory after the {step}, {titled(size)}",
                ours=after[step],
                rival=after["summary"],
                rival_name="after the summary",
                ratio=after["summary"] / after[step],
                target=_FLAT,
                unit="MB",
            )


def whole() -> Iterator[Case]:
    """Yield time and memory of the command `cxsim value`, from a Parquet file of orders to one of customers."""
    order_log(LARGEST)
    used = measured("command", LARGEST)
    name = f"cxsim value, {titled(LARGEST)}"
    yield within(name, used["seconds"], _WHOLE_SECONDS, unit="seconds")
    yield within(f"{name}, memory", used["gigabytes"], _WHOLE_GIGABYTES, unit="GB")


def _prepared(size: int) -> Callable[[], object]:
    rfm = customers(size)
    return partial(_valued, rfm, fit(rfm), fit_spend(rfm))


def _valued(rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit) -> None:
    purchases.prob_alive(rfm)
    purchases.expected_purchases(rfm, HORIZON_DAYS)
    purchases.clv(rfm, spend, annual_discount_rate=RATE, horizon_days=HORIZON_DAYS)
