"""Customers of simulated shops and of CDNOW go in; how fast they are fitted, beside lifetimes, comes out."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl

from benchmarks.archived import bgnbd, paretonbd, spend
from benchmarks.measuring import Case, seconds, speed, within
from benchmarks.sizes import SIZES, customers, linear, titled
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.posterior import posterior
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise

_DRAWS, _DRAWS_SECONDS, _ROUNDS = 1000, 1.0, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A model, how each of us fits it, how many rounds the rival's speed allows, and the ratio that is wanted."""

    title: str
    ours: Callable[[pl.DataFrame], object]
    rival: Callable[[pl.DataFrame], object]
    rounds: int
    target: float | None


MODELS = (
    Model(
        title="BG/NBD",
        ours=lambda rfm: fit(rfm).std_errors,
        rival=bgnbd,
        rounds=_ROUNDS,
        target=15.0,
    ),
    Model(
        title="Pareto/NBD",
        ours=lambda rfm: fit(rfm, model="paretonbd").std_errors,
        rival=paretonbd,
        rounds=1,
        target=20.0,
    ),
    Model(
        title="Gamma-Gamma",
        ours=lambda rfm: fit_spend(rfm).std_errors,
        rival=spend,
        rounds=_ROUNDS,
        target=None,
    ),
)


def fits() -> Iterator[Case]:
    """Yield the fit of each model to raw rows, with standard errors."""
    for model in MODELS:
        for size in SIZES:
            rfm = customers(size)
            yield speed(
                f"{model.title} fit with standard errors, {titled(size)}",
                partial(model.ours, rfm),
                size,
                partial(model.rival, rfm),
                size,
                rival_name="lifetimes, raw rows",
                # Fewer customers are measured for the trend; what is wanted is wanted of a million.
                target=model.target if size == SIZES[-1] else None,
                unit="customers per second",
                rounds=model.rounds,
            )
        yield linear(f"{model.title} fit with standard errors", partial(_prepared, model))


def posteriors() -> Iterator[Case]:
    """Yield how long parameter draws for CDNOW take, of each model."""
    for sample in (True, False):
        rfm = summarise(load_cdnow(sample=sample))
        fitted = {
            "BG/NBD": fit(rfm),
            "Pareto/NBD": fit(rfm, model="paretonbd"),
            "Gamma-Gamma": fit_spend(rfm),
        }
        for title, found in fitted.items():
            work = partial(posterior, found, rfm, draws=_DRAWS)
            work()
            yield within(
                f"{_DRAWS} posterior draws of {title}, {rfm.height:,} customers of CDNOW",
                statistics.median(seconds(work) for _ in range(_ROUNDS)),
                _DRAWS_SECONDS,
                unit="seconds",
            )


def _prepared(model: Model, size: int) -> Callable[[], object]:
    return partial(model.ours, customers(size))
