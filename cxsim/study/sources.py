"""The name of files, a bundled shop or a scenario in; that shop, its orders and the models fitted to them, out."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import polars as pl

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.inputs import one_price, purchase_patterns, spend_patterns
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.spend_fit import SpendFit
from cxsim.data.cdnow import cdnow_shop
from cxsim.data.contracts import WHEN
from cxsim.data.exports.read_shop import read_transactions, shop_of
from cxsim.data.orders import Transactions, transactions_of
from cxsim.data.rfm import summarise
from cxsim.data.shop import TABLES, Policy, Receipt, Shop, known_at, noticed
from cxsim.errors import CxsimError, DataError, ParamError, choices
from cxsim.library import named, names, root, shown
from cxsim.params import CENTS, DAYS_PER_YEAR, read
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.simulation.engine import Inputs, events
from cxsim.simulation.plan import compile_plan, count_kinds_of
from cxsim.simulation.state import ORDER, Latents
from cxsim.simulation.world import Population, compile_world, empty_base, reached_by, rounded
from cxsim.strategies.behaviour import PLAIN
from cxsim.strategies.mechanisms import Points
from cxsim.study.loading import CASES, load_scenario, load_valuation
from cxsim.study.scenario import BASELINE, CaseSettings, Scenario, SimulatedShop, Valuation
from cxsim.study.shop_tables import ShopTables, require_world, tables_of
from cxsim.study.worlds import Fits, draw_worlds

_CDNOW = ("cdnow", "cdnow-sample")
_WRITTEN = (".yaml", ".yml")
_OFFERED = 3
# Visits are simulated up to the order that they lead to, so that near the horizon those to later orders are missing.
_FORESEEN = timedelta(days=365)
_UNFORESEEN = (
    "in the last year of a scenario, visits that lead to orders after its end are not simulated; look at an earlier "
    "day (until)."
)


def load_shop(
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    until: date | None = None,
    currency: str = "",
    folder: Path = Path(),
    tables: Literal["all", "orders"] = "all",
) -> Shop:
    """Return the shop whose exports lie somewhere, a bundled one, or one world of a scenario as a shop that saw it.

    `columns`, `policy`, `currency`: as in `read_shop`; `folder`: from which a path starts; `tables`: as in
    `shop_of`.
    """
    path = folder / name
    written = path.suffix.lower() in _WRITTEN
    if path.exists() and not written:
        return shop_of(path, columns=columns, policy=policy, until=until, currency=currency or None, tables=tables)
    bundled = name in (*_CDNOW, *names("shops"))
    if not bundled and not written and name not in names("scenarios"):
        raise ParamError(
            f"'{name}' is neither a folder or file of exports nor a bundled shop or scenario; "
            f"{choices(name, _possible(path), all_in='params/scenarios/ and params/shops/')} Or any path to exports."
        )
    end = None if until is None else datetime.combine(until, time()) + timedelta(days=1)
    renamed = [ours for ours, theirs in (columns or {}).items() if ours != theirs]
    if renamed or policy not in (None, {}, Policy()):
        said = f"the names for {', '.join(renamed)}" if renamed else "the policy"
        raise DataError(f"{name} is a built-in data set with a fixed format; leave out {said}.")
    if bundled:
        shop = cdnow_shop(cast("Literal['cdnow', 'cdnow-sample']", name)) if name in _CDNOW else simulated_shop(name)
        return shop if end is None or end >= shop.until else seen_until(shop, end)
    scenario = load_scenario(name)
    whole = shop_tables(scenario).shop(scenario, name=scenario.title, currency=currency)
    shop = whole if end is None else seen_until(whole, end)
    if shop.sessions is None or shop.until <= whole.until - _FORESEEN:
        return shop
    return replace(shop, sessions=None, lacks={**shop.lacks, "sessions": _UNFORESEEN})


def simulated_shop(name: str) -> Shop:
    """Return a shop of params/shops with the orders that its customers are simulated to have placed."""
    shop = read(named("shops", name), SimulatedShop)
    calendar, arrivals = shop.calendar, (shop.new_customers.per_month,) * shop.new_customers.months
    people = Population(base=empty_base(), arrivals=arrivals, calendar=calendar)
    plan = compile_plan([], calendar)
    inputs = Inputs(
        draw=0,
        latents=_latents(shop),
        prob_alive=np.empty(0),
        world=compile_world(PLAIN, calendar),
        plans=(plan,),
        arrivals=(arrivals,),
        reached=(reached_by(people, []),),
        unit_values=(np.zeros(count_kinds_of(plan), np.int64),),
        later=np.zeros((YEARS_AFTER, 2), np.int64),
    )
    moment = pl.lit(datetime.combine(shop.opens_on, time())) + pl.duration(seconds="second")
    purchases = (
        events(people, inputs, seed=shop.seed)
        .filter(pl.col("kind") == ORDER)
        .select(customer_id=pl.col("customer") + 1, ordered_at=moment, amount=pl.col("a") / CENTS)
    )
    seen = shop_of(purchases, until=datetime.combine(calendar.starts_of(calendar.months), time()))
    receipts = (replace(one, file=f"{name}.yaml", recognised="simulated orders") for one in seen.receipts)
    return replace(seen, name=shop.title, currency=shop.currency, opening=True, receipts=tuple(receipts))


def _latents(shop: SimulatedShop) -> Latents:
    """Return the distributions of Pareto/NBD and Gamma-Gamma that have the means and spreads of a shop."""
    r, leaving = shop.orders_between.value**-2, shop.leaving_between.value**-2
    p, q = shop.order_value_within.value**-2, shop.order_value_between.value**-2 + 2.0
    # Of those who came a year ago (beta / (beta + year)) ** s are still there.
    there = (1.0 - shop.leaving.value) ** (1.0 / leaving)
    found = Latents(
        r=r,
        alpha=r * DAYS_PER_YEAR / shop.orders_per_year.value,
        a=0.0,
        b=1.0,
        s=leaving,
        beta=DAYS_PER_YEAR * there / (1.0 - there),
        drop_after_first=0,
        p=p,
        q=q,
        v=shop.order_value.value * (q - 1.0) / p,
    )
    return Latents._make(map(rounded, found))


def orders_of(case: CaseSettings, currency: str) -> Transactions:
    """Return the orders that a scenario or a valuation in a currency names, up to its end of observation.

    Where returns are simulated, amounts are before refunds, which would else be taken off twice.
    """
    columns = {ours: theirs for ours, theirs in asdict(case.columns).items() if theirs}
    returning = isinstance(case, Scenario) and case.behaviour.returns is not None
    orders = transactions_of(
        load_shop(
            case.orders,
            columns=columns,
            policy=case.policy,
            until=case.observed_until,
            folder=root(),
            tables="orders",
        ),
        refunds="kept" if returning else "deducted",
    )
    if orders.currency not in ("", currency):
        raise ParamError(
            f"{case.name}: its orders are in {orders.currency}, and its money is in {currency}; write the currency of "
            "the orders in its file or in that of its economics."
        )
    return orders


def any_orders(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    until: date | None = None,
) -> Transactions:
    """Return the orders of a path, a name of `load_shop`, a frame, a shop, or orders that have been read."""
    if isinstance(source, str | os.PathLike):
        place = os.fspath(source)
        return transactions_of(load_shop(str(place), columns=columns, policy=policy, until=until, tables="orders"))
    return read_transactions(source, columns=columns, policy=policy, until=until)


def check_orders(files: Sequence[Path]) -> list[str]:
    """Return what a run would refuse of the orders that scenarios and valuations name, one line for each file."""
    problems, seen = [], dict[str, str]()
    for file in files:
        kind = file.parent.name
        if kind not in CASES:
            continue
        case: Scenario | Valuation = load_scenario(str(file)) if kind == "scenarios" else load_valuation(str(file))
        currency = case.economics.currency if isinstance(case, Scenario) else case.currency
        asked = repr((case.orders, case.columns, case.policy, case.observed_until, currency))
        if asked not in seen:
            try:
                rfm = summarise(orders_of(case, currency), until=case.observed_until)
                purchase_patterns(rfm)
                if one_price(rfm) is None:
                    spend_patterns(rfm)
                seen[asked] = ""
            except CxsimError as error:
                seen[asked] = str(error)
        problems += [f"{shown(file)}: orders: {seen[asked]}"] if seen[asked] else []
    return problems


def seen_until(shop: Shop, end: datetime) -> Shop:
    """Return a shop as it was known at a moment: later rows are gone, and what came later has not happened."""
    if not shop.since < end <= shop.until:
        raise ParamError(
            f"until: {end - timedelta(days=1):%Y-%m-%d} is outside the observation period, {shop.since:%Y-%m-%d} to "
            f"{shop.until - timedelta(days=1):%Y-%m-%d}."
        )
    tables: dict[str, Any] = {name: getattr(shop, name) for name in TABLES}
    known: dict[str, Any] = {name: known_at(table, name, end) for name, table in tables.items() if table is not None}
    return replace(shop, until=end, receipts=tuple(_cut(shop, receipt, end) for receipt in shop.receipts), **known)


def _cut(shop: Shop, receipt: Receipt, end: datetime) -> Receipt:
    """Return the receipt of the one file of a table with what came after the end of observation."""
    after = (pl.col(WHEN[receipt.table]) >= end).sum()
    gone = int(shop.table(receipt.table).select(after).collect(engine="streaming").item())
    return replace(receipt, lines=receipt.lines + noticed("dropped", {"after the end of observation": gone}))


def _possible(path: Path) -> list[str]:
    """Return what could have been meant: every scenario and bundled shop, and what lies there under a similar name."""
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, sorted(beside), n=_OFFERED)
    return [*names("scenarios"), *_CDNOW, *names("shops"), *(str(path.with_name(one)) for one in near)]


def shop_tables(scenario: Scenario, arm: str = BASELINE, *, draw: int = 0) -> ShopTables:
    """Return what `run(scenario).tables(arm, draw=draw)` returns, without simulating any other world."""
    require_world(scenario, arm, draw)
    return tables_of(draw_worlds(scenario, fit_scenario(scenario)), arm, draw)


def fit_scenario(scenario: Scenario) -> Fits:
    """Return the customers of a scenario's orders and the models fitted to them."""
    orders = orders_of(scenario, scenario.economics.currency)
    rfm = summarise(orders, until=scenario.observed_until)
    purchases = {structure: fit(rfm, model=structure) for structure in scenario.structures}
    spend = fit_spend(rfm)
    _refuse_full_cards(scenario, spend)
    return Fits(
        rfm=rfm, purchases=purchases, spend=spend, findings=orders.findings, reading=orders.record, orders=orders
    )


def _refuse_full_cards(scenario: Scenario, spend: SpendFit) -> None:
    mean = population_mean(spend.params) if spend.params.has_mean else math.inf
    for strategy in scenario.strategies:
        for effect in strategy.effects:
            if isinstance(effect, Points) and effect.threshold.value <= effect.earn.value * mean:
                raise ParamError(
                    f"strategy '{strategy.name}': {effect.threshold.value:g} points fill a card, and an order of this "
                    f"shop, {mean:.2f} on average, already gives {effect.earn.value * mean:.0f}: every order would "
                    "earn a reward, which is a price cut, not a programme. Raise points.threshold or lower points.earn."
                )
