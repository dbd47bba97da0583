"""The name of a shop in; everything that is said of it, or why it cannot be said, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from cxsim.errors import ParamError
from cxsim.overview.definitions import definitions
from cxsim.overview.loading import load_shop
from cxsim.overview.parts import PARTS, dashboard_of, part_of
from cxsim.scenario import commit, table_hash, versions
from cxsim.shop import Every, Shop

_PACKAGES = ("altair", "cxsim", "great-tables", "numpy", "polars", "scipy", "statsmodels")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Overview:
    """What a shop's tables say of its customers.

    Attributes
    ----------
    shop
        Its tables and receipts.
    dashboard, series
        Under DASHBOARD and SERIES: every metric in the last complete period, and over time.
    cohorts
        Under COHORTS: what customers do by the month of their first order.
    clv
        Under CLV_STEPS: what the next year of a customer is worth, from a product of averages to a model.
    worth_by_nps, selection
        Under WORTH_BY_NPS and SELECTION: what customers spend by what they answered, and how much of it is selection.
    associations, doses
        Under ASSOCIATIONS and DOSES: what customers do after what they met, and after how much of it.
    definitions
        How each metric is defined.
    lacks
        Why a table is empty, by its name here; of the dashboard and the series, why they have no values.
    manifest
        What is needed to make this again, as plain values.
    """

    shop: Shop
    dashboard: pl.DataFrame
    series: pl.DataFrame
    cohorts: pl.DataFrame
    clv: pl.DataFrame
    worth_by_nps: pl.DataFrame
    selection: pl.DataFrame
    associations: pl.DataFrame
    doses: pl.DataFrame
    definitions: pl.DataFrame
    lacks: Mapping[str, str]
    manifest: Mapping[str, object]

    def __repr__(self) -> str:
        return f"Overview of {self.shop!r}"


def overview(name: str, *, every: Every = "week", until: str = "", currency: str = "") -> Overview:
    """Measure a shop's exports, or one world of a scenario, and say what goes with what.

    Parameters
    ----------
    name
        As in `load_shop`.
    every
        Length of a period of the dashboard: `week` (from Monday) or `month`.
    until
        Last day of observation, as 2024-12-31; "" as in `load_shop`.
    currency
        As in `load_shop`.

    Returns
    -------
    Overview
        Where a shop's tables do not support something, its table is empty and `lacks` says why.

    Raises
    ------
    ParamError
        For a name that leads nowhere, or a day that is none.
    DataError
        When the exports cannot be used.
    """
    shop = load_shop(name, until=_day(until), currency=currency)
    measured, unmeasured = dashboard_of(shop, every)
    made = {part: part_of(shop, how) for part, how in PARTS.items()}
    reasons = {"dashboard": unmeasured} | {part: reason for part, (_, reason) in made.items()}
    return Overview(
        shop=shop,
        dashboard=measured.table,
        series=measured.series,
        cohorts=made["cohorts"][0],
        clv=made["clv"][0],
        worth_by_nps=made["worth_by_nps"][0],
        selection=made["selection"][0],
        associations=made["associations"][0],
        doses=made["doses"][0],
        definitions=definitions(),
        lacks={part: reason for part, reason in reasons.items() if reason is not None},
        manifest=_manifest(shop, name, every, measured.series),
    )


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise ParamError(f"until: '{written}' is no day; write it as 2024-12-31.") from None


def _manifest(shop: Shop, name: str, every: Every, series: pl.DataFrame) -> dict[str, object]:
    return {
        "shop": shop.name,
        # A path is of one machine; the file's own name tells what was read.
        "read": {receipt.file: f"{receipt.rows_read:,} rows" for receipt in shop.receipts} or name,
        "observed_since": shop.since.isoformat(),
        "observed_until": shop.until.isoformat(),
        "every": every,
        "policy": shop.policy.sentence(),
        "series_sha256": table_hash(series),
        "versions": versions(_PACKAGES),
        "commit": commit(),
    }
