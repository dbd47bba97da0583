"""A shop in; which experiences go with later orders, and whether they did before they happened, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import polars as pl

from cxsim.drivers.cox import MODEL as COX
from cxsim.drivers.cox import cox
from cxsim.drivers.design import Adjusting, Design, design_of
from cxsim.drivers.exposures import Exposure
from cxsim.drivers.findings import finding
from cxsim.drivers.models import MODELS, Fitted, fitted
from cxsim.drivers.person_periods import PersonPeriods
from cxsim.errors import DataError, EstimationError, choices
from cxsim.intervals import discoveries
from cxsim.measured import ASSOCIATIONS
from cxsim.tables import check, empty


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Associations:
    """What goes with what.

    Attributes
    ----------
    table
        Under ASSOCIATIONS; `customers` are those who met the exposure, and `clear` is by Benjamini and Hochberg (1995).
    left_out
        Why an exposure, or an outcome of one, is not in the table, by title.
    customers, of_customers
        How many customers were looked at, of how many who ordered and are known.
    comparisons
        How many comparisons were made; `clear` and `finding` take their number into account.
    """

    table: pl.DataFrame
    left_out: Mapping[str, str]
    customers: int
    of_customers: int
    comparisons: int


class _Row(NamedTuple):
    exposure: Exposure
    outcome: str
    model: str
    now: Fitted
    before: Fitted | None


def associations(
    periods: PersonPeriods,
    *,
    adjust: Adjusting = "history",
    cross_check: Literal["cox", "none"] = "cox",
    randomised: Sequence[str] = (),
    rate: float = 0.05,
) -> Associations:
    """Return how what customers met goes with what they ordered in the period after.

    Three outcomes: whether an order follows (complementary log-log model, so that the ratio is one of rates), how many
    (Poisson), and how much is spent (quasi-Poisson). Every model holds equal the calendar period, orders so far, time
    since the last and the first, spend per order, the orders of the periods in which the exposure was met, and what
    gives occasion to it. Other experiences are not held equal: a ticket after a late parcel is part of what goes with
    the late parcel. Intervals are over customers.

    `before` is the coefficient of what was met a period after the next, beside what was met before: it has not happened
    yet, so that it cannot be a cause, and a ratio far from 1 tells that other customers meet it.
    """
    known = [exposure.name for exposure in periods.exposures]
    for name in randomised:
        if name not in known:
            raise DataError(f"no exposure '{name}' to have been decided by chance; {choices(name, known)}")
    if not 0.0 < rate < 1.0:
        raise DataError(f"rate must be between 0 and 1; found {rate:g}.")
    left_out, rows = dict(periods.unseen), list[_Row]()
    for exposure in periods.exposures:
        rows += _of_exposure(periods, exposure, adjust, left_out)
        if cross_check == "cox" and adjust == "history":
            rows += _cross_checked(periods, exposure, left_out)
    return Associations(
        table=_told(rows, periods.every_days, frozenset(randomised), rate),
        left_out=left_out,
        customers=periods.customers,
        of_customers=periods.of_customers,
        comparisons=len(rows),
    )


def _of_exposure(
    periods: PersonPeriods, exposure: Exposure, adjust: Adjusting, left_out: dict[str, str]
) -> Iterator[_Row]:
    try:
        now = design_of(periods.table, exposure, timing="before", adjust=adjust)
    except EstimationError as reason:
        left_out[exposure.title] = str(reason)
        return
    later = _design_later(periods, exposure, adjust)
    for outcome, model in MODELS.items():
        try:
            found = fitted(now, outcome)
        except EstimationError as reason:
            left_out[f"{exposure.title}: {outcome}"] = str(reason)
            continue
        yield _Row(exposure, outcome, model, found, _fitted_later(later, outcome))


def _cross_checked(periods: PersonPeriods, exposure: Exposure, left_out: dict[str, str]) -> Iterator[_Row]:
    if exposure.title in left_out:
        return
    try:
        found = cox(periods.table, exposure, every_days=periods.every_days)
    except EstimationError as reason:
        left_out[f"{exposure.title}: next order, Cox"] = str(reason)
        return
    yield _Row(exposure, "next order", COX, found, None)


def _design_later(periods: PersonPeriods, exposure: Exposure, adjust: Adjusting) -> Design | None:
    """Return the model of what had not happened yet, or None where too few met it."""
    try:
        return design_of(periods.table, exposure, timing="later", adjust=adjust)
    except EstimationError:
        return None


def _fitted_later(design: Design | None, outcome: str) -> Fitted | None:
    if design is None:
        return None
    try:
        return fitted(design, outcome)
    except EstimationError:
        return None


def _told(rows: list[_Row], every_days: int, randomised: frozenset[str], rate: float) -> pl.DataFrame:
    if not rows:
        return empty(ASSOCIATIONS)
    clear = discoveries([row.now.p_value for row in rows], rate).tolist()
    cells = []
    for row, found in zip(rows, clear, strict=True):
        before = (None, None, None) if row.before is None else (row.before.ratio, *row.before.interval)
        label: Literal["association", "effect"] = "effect" if row.exposure.name in randomised else "association"
        sentence = finding(
            row.exposure,
            row.outcome,
            now=row.now,
            before=row.before,
            every_days=every_days,
            clear="clear" if found else "unclear",
            label=label,
        )
        numbers = (row.now.ratio, *row.now.interval, *before, row.now.exposed, found)
        cells.append((row.exposure.name, row.outcome, row.exposure.title, row.model, *numbers, label, sentence))
    schema = empty(ASSOCIATIONS).schema
    return check(pl.DataFrame(cells, schema=schema, orient="row"), ASSOCIATIONS)
