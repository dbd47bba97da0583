"""The base case in; each strategy's NPV by pathway of response, Shapley values that add up to it, out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import combinations, product

import numpy as np
import polars as pl

from cxsim.finance.economics import ACCOUNTS, INVESTMENT_ACCOUNTS, Account, later_counts
from cxsim.finance.statement import LINES, MONTHS_PER_YEAR
from cxsim.params import MICROS
from cxsim.simulation.counts import N_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.strategies.effects import Effect
from cxsim.strategies.levers import load_levers
from cxsim.strategies.strategy import Strategy
from cxsim.study.business.base_case import BaseCase, Counts, Numbers, Outcome
from cxsim.study.result import Study
from cxsim.tables import COUNT, REAL, TEXT, WHOLE_HORIZON, Contract, table_of

Set = frozenset[str]
# Pathways, each with those that it must come after.
After = Mapping[str, Collection[str]]

# As in `cxsim.tables`: money in units of the currency.
# The base case's NPV by pathway, present values that add up: kind is `gives` or `takes` (a pathway's or an account's
# part), `base` (their sum), `uncertainty` (the mean over all draws less the base case) or `mean` (the sum of both).
PATHWAYS = Contract(
    "PATHWAYS", TEXT("strategy", "title"), COUNT("step"), TEXT("pathway", "label", "kind"), REAL("amount", "mc_error")
)
# What a finance director reads on one page: mean present values by period, which is a year or `whole horizon`. section:
# `benefits` by source, `investment` by account, each with its total, and `npv`. Sources are shares of the base case;
# the line of benefits that leads from there to the mean over all draws is one of them.
SUMMARY = Contract("SUMMARY", TEXT("strategy", "title", "section", "label", "period"), REAL("amount"))
# What of a strategy stands in no line: possible benefits of its lever that it does not model, separated by semicolons;
# what of its investment is spent at the start, and what stops with it; and what can go wrong.
QUALITIES = Contract("QUALITIES", TEXT("strategy", "title", "unquantified"), REAL("sunk", "avoidable"), TEXT("harms"))
_INVESTED = frozenset(str(account) for account in INVESTMENT_ACCOUNTS)
_BENEFITS = frozenset(str(account) for account in ACCOUNTS) - _INVESTED
LABELS: Mapping[str, str] = {
    "frequency": "More frequent orders",
    "retention": "Customers stay longer",
    "basket": "Larger baskets",
    "price": "More orders at lower prices",
    "reference_price": "Lower price expectations",
    "forward_buying": "Orders brought forward",
    "conversion": "More new customers",
    "referral": "Referred customers",
    "reactivation": "Reactivated customers",
    "failures": "Fewer service failures",
    "service": "Lower support workload",
    "recovery": "Service recovery",
    "satisfaction": "More satisfied customers",
    "returns": "Changes in returns",
}
# By pathway of a lever, the pathways of responses in which it would show; `margin` is a cost and shows in none.
_OF_LEVERS: Mapping[str, tuple[str, ...]] = {
    "acquisition": ("conversion",),
    "basket": ("basket",),
    "dropout": ("retention", "reactivation"),
    "purchase_rate": ("frequency", "price"),
    "referral": ("referral",),
    "returns": ("returns",),
    "satisfaction": ("satisfaction", "failures", "recovery", "service"),
    "service": ("service",),
}
# By kind of effect, the pathways by which customers respond to it, each with the fields of the response and their
# values without it: 1 for a ratio, 0 for a gain, None where the field is absent. What an effect changes without anybody
# responding, such as rewards on orders that come anyway, is not listed.
RESPONSES: Mapping[str, Mapping[str, Mapping[str, float | None]]] = {
    "purchase_rate": {"frequency": {"ratio": 1.0}},
    "dropout": {"retention": {"ratio": 1.0}},
    "basket": {"basket": {"ratio": 1.0}},
    "markdown": {
        "price": {"elasticity": 0.0},
        "reference_price": {"reference_half_life_days": None, "loss_aversion": None},
        "forward_buying": {"forward_buying": None, "dip_depth": None},
    },
    "coupon": {},
    "points": {"frequency": dict.fromkeys(("pull", "steepness", "rewarded", "rewarded_half_life_days"))},
    "status": {
        "frequency": {"purchase_rate": 1.0, "pull": None, "steepness": None},
        "retention": {"dropout": 1.0, "demotion": 1.0},
    },
    "membership": {},
    "incidents": {"failures": {"ratio": 1.0}},
    "tickets": {"service": {"ratio": 1.0}},
    "resolution": {"service": {"unresolved": 1.0, "hours": 1.0}},
    "recovery": {"recovery": {"repair": 0.0, "delight": 0.0}},
    "satisfaction": {"satisfaction": {"shift": 0.0}},
    "returns": {"returns": {"ratio": 1.0}},
    "contacts": {"frequency": {"response": 0.0, "fatigue": 0.0}},
    "reactivation": {"reactivation": {"share": 0.0}},
    "acquisition": {"conversion": {"ratio": 1.0}},
    "referral": {"referral": {"per_year": 0.0}},
}
# What is borrowed from the future must first have been gained.
_AFTER = {"reference_price": ("price",), "forward_buying": ("price",)}
# Of more pathways, the number of sets to be simulated would explode.
_MOST = 6
# Below this share of the benefits, a difference is one of rounding.
_ROUNDING = 1e-9
# Parts of the base case that are investment.
_SPENT = ("subsidy", "rewards", "programme")
_GIVEN = (CountKind.MARKDOWN, CountKind.REWARD, CountKind.COMPENSATION)
_SENT_BACK = (CountKind.RETURNS, CountKind.REFUNDED, CountKind.SENT_BACK)


def pathways(base: BaseCase, returns: pl.DataFrame, periods: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return by which pathways each strategy's NPV comes about, and its benefits and investment by source and year.

    Every set of pathways is simulated with the same random numbers; a pathway's part is what it adds on average over
    all orders in which the pathways can be switched on (Shapley). What the strategy gives away when nobody responds
    goes to customers who would have ordered anyway.
    """
    means = dict(returns.select("strategy", "incremental_npv").iter_rows())
    rows: list[tuple[object, ...]] = []
    summary: list[tuple[object, ...]] = []
    for name, strategies in base.scenario.with_prior:
        after = pathways_of(strategies)
        if len(after) > _MOST:
            # Too many to simulate every set: each comes after the last.
            after = {pathway: tuple(after)[:step] for step, pathway in enumerate(after)}
        sets = feasible_sets(after)
        # The last set holds every pathway, and is simulated already.
        variants = [tuple(without(one, after.keys() - held) for one in strategies) for held in sets[:-1]]
        outcomes = dict(zip(sets, [*base.simulate(variants), base.outcomes[name]], strict=True))
        parts = [*_steps({held: _values(base, outcome) for held, outcome in outcomes.items()}, after)]
        npv, mean = base.npv(base.outcomes[name]), means[name]
        steps = [
            *((*step, years.sum(axis=1).mean(), base.error(years.sum(axis=1))) for *step, years in parts),
            ("base", "Base case", "base", npv.mean(), base.error(npv)),
            ("uncertainty", "Adjustment from base case to expected NPV", "uncertainty", mean - npv.mean(), 0.0),
            ("mean", "Net present value", "mean", mean, 0.0),
        ]
        title = base.scenario.titles[name]
        rows += [(name, title, number, *step) for number, step in enumerate(steps, start=1)]
        sources = {label: years.mean(axis=0) for kind, label, _, years in parts if kind not in _SPENT}
        own, total = periods.filter(strategy=name), _benefits(base, base.outcomes[name]).mean(axis=0)
        summary += [(name, title, *line) for line in _summary(sources, total, own)]
    return table_of(rows, PATHWAYS), table_of(summary, SUMMARY)


def _summary(
    sources: Mapping[str, Numbers], total: Numbers, periods: pl.DataFrame
) -> Iterator[tuple[str, str, str, float]]:
    """Yield section, label, period and present value of benefits by source and of investment by account.

    `sources` and their `total` are those of the base case, by year.
    """
    years = periods.filter(grain="year")["label"].unique(maintain_order=True).to_list()
    expected = _by_year(periods, [line for line in LINES if line in _BENEFITS])
    known, rest = dict(sources), total - sum(sources.values(), np.zeros(len(years)))
    # What a markdown or reward saves in fees on the amount paid, and what is left of sums in another order.
    if np.any(np.abs(rest) > _ROUNDING * np.abs(total).max()):
        known["Fees not due on rewards and discounts; joint effects"] = rest
    known["Adjustment from base case to expected benefits"] = expected - total
    spent = {line: -_by_year(periods, [line]) for line in LINES if line in _INVESTED}
    shown = {("benefits", label): amounts for label, amounts in known.items()} | {
        ("benefits total", "Benefits"): expected
    }
    shown |= {("investment", line): amounts for line, amounts in spent.items() if np.any(amounts != 0.0)}
    invested = sum(spent.values(), np.zeros(len(years)))
    shown |= {("investment total", "Investment"): invested, ("npv", "Net present value"): expected - invested}
    for (section, label), amounts in shown.items():
        for period, amount in zip([*years, WHOLE_HORIZON], [*amounts, amounts.sum()], strict=True):
            yield section, label, period, float(amount)


def _by_year(periods: pl.DataFrame, lines: Collection[str]) -> Numbers:
    """Return the sum of some lines' mean present values, by year."""
    some = periods.filter(pl.col("grain") == "year", pl.col("line").is_in([*lines]))
    years = periods.filter(grain="year")["label"].unique(maintain_order=True)
    sums = dict(some.group_by("label", maintain_order=True).agg(pl.col("discounted").sum()).iter_rows())
    return np.array([sums.get(year, 0.0) for year in years])


def _benefits(base: BaseCase, outcome: Outcome) -> Numbers:
    """Return the present value of an outcome less the baseline, without what is invested: shape (worlds, years)."""
    benefits = [place for place, account in enumerate(ACCOUNTS) if account not in INVESTMENT_ACCOUNTS]
    money = base.flows(outcome).incremental(1)[:, :, benefits].sum(axis=2) * base.worlds.present_values()
    return _by_years(money)


def qualities(study: Study) -> pl.DataFrame:
    """Return of each strategy which benefits are not quantified, what can be stopped, and what can go wrong."""
    levers, invested = load_levers(), dict(study.returns.select("strategy", "investment").iter_rows())
    rows = []
    for strategy in study.scenario.prior_strategies:
        modelled = pathways_of([strategy])
        lever = levers.get(strategy.lever or "")
        gains = [name for name, found in lever.pathways.items() if found == "gain"] if lever else []
        missing = [LABELS[of[0]] for name, of in _OF_LEVERS.items() if name in gains and modelled.keys().isdisjoint(of)]
        sunk, owed = (-study.present_value(strategy.name, [one]) for one in (Account.SET_UP, Account.POINTS_LIABILITY))
        # Points that customers hold are owed to them, whenever the programme stops.
        avoidable = invested[strategy.name] - sunk - owed
        rows.append((strategy.name, strategy.title, "; ".join(missing), sunk, avoidable, strategy.harms))
    return table_of(rows, QUALITIES)


def pathways_of(strategies: Collection[Strategy]) -> dict[str, tuple[str, ...]]:
    """Return the pathways by which customers respond to some strategies, each with those it must come after."""
    found = {
        pathway
        for strategy in strategies
        for effect in strategy.effects
        for pathway, fields in RESPONSES[effect.kind].items()
        for field, neutral in fields.items()
        if (given := getattr(effect, field)) is not None and (neutral is None or given.value != neutral)
    }
    return {pathway: _AFTER.get(pathway, ()) for pathway in LABELS if pathway in found}


def responding(strategy: Strategy) -> frozenset[str]:
    """Return the paths of a strategy's numbers by which customers respond, such as `effects.dropout_1.ratio`."""
    return frozenset(
        f"effects.{effect.kind}_{number}.{field}"
        for number, effect in enumerate(strategy.effects, start=1)
        for fields in RESPONSES[effect.kind].values()
        for field in fields
    )


def without(strategy: Strategy, pathways: Collection[str]) -> Strategy:
    """Return a strategy to which customers do not respond by some pathways; all that is given away stays."""
    return replace(strategy, effects=tuple(_without(effect, pathways) for effect in strategy.effects))


def _without(effect: Effect, pathways: Collection[str]) -> Effect:
    fields = {
        field: None if neutral is None else getattr(effect, field).at(neutral)
        for pathway, neutrals in RESPONSES[effect.kind].items()
        for field, neutral in neutrals.items()
        if pathway in pathways and getattr(effect, field) is not None
    }
    return replace(effect, **fields)  # type: ignore[arg-type]  # the fields are this effect's own


def _steps(values: Mapping[Set, Mapping[str, Numbers]], after: After) -> Iterator[tuple[str, str, str, Numbers]]:
    """Yield pathway, label, kind and present values by world and year of each part of the base case."""
    nobody, everybody = values[frozenset()], values[frozenset(after)]
    trade, back = (
        shapley({held: value[part] for held, value in values.items()}, after) for part in ("trade", "sent_back")
    )
    if "returns" in trade:
        trade["returns"] = trade["returns"] + back.pop("returns")
    for pathway, label, amount in (
        *((pathway, LABELS[pathway], amount) for pathway, amount in trade.items()),
        ("fees", "Membership fees", everybody["fees"]),
        (
            "subsidy",
            "Rewards and discounts on orders that would have come anyway",
            nobody["given"] + nobody["trade"] + nobody["sent_back"],
        ),
        ("rewards", "Rewards and discounts on additional orders", everybody["given"] - nobody["given"]),
        ("extra_returns", "Returns of additional orders", sum(back.values(), np.zeros_like(everybody["fees"]))),
        ("programme", "Set-up, running and other costs", everybody["programme"]),
    ):
        if np.any(amount != 0.0):
            yield pathway, label, "gives" if amount.sum() >= 0.0 else "takes", amount


def _values(base: BaseCase, outcome: Outcome) -> dict[str, Numbers]:
    """Return the present values of an outcome less the baseline by world and year, by what is counted."""
    present = base.worlds.present_values() / MICROS
    draw, arms = base.worlds.draws[0], [(), outcome.strategies]
    (usual, tariff), (_, fixed) = draw.prices(arms)
    values = _by_count(outcome.treated, tariff, present)
    values[:, :, :N_COUNT_KINDS] -= _by_count(outcome.baseline, usual, present)
    few = later_counts(outcome.treated) - later_counts(outcome.baseline)
    later = (few * draw.later_prices[: few.shape[1]]).sum(axis=1) * present[:, -1:]
    after = [place(CountKind.LATER_ORDERS), place(CountKind.LATER_LIST)]
    values[:, :, after] = 0.0
    values[:, -1, after] = later
    reaches, everything = range(len(outcome.strategies)), {*range(values.shape[2])}
    groups = {
        "given": {*map(place, _GIVEN)} | {place(ReachCountKind.POINTS_VALUE, reach) for reach in reaches},
        "sent_back": {*map(place, _SENT_BACK)},
        "fees": {place(CountKind.FEES)},
    }
    groups["programme"] = everything - {*range(N_COUNT_KINDS)} - groups["given"]
    groups["trade"] = everything.difference(*groups.values())
    sums = {name: values[:, :, sorted(group)].sum(axis=2) for name, group in groups.items()}
    sums["programme"] += _by_years(fixed.sum(axis=0)[None, :] * present)
    return sums


def _by_count(counts: Counts, tariff: Counts, present: Numbers) -> Numbers:
    """Return the present value of each count in each world and year: shape (worlds, years, counts)."""
    discounted: Numbers = _by_years(counts * present[:, :, None]) * tariff.sum(axis=0)
    return discounted


def _by_years(months: Numbers) -> Numbers:
    """Return sums over the months of each year, along the second axis."""
    sums: Numbers = np.add.reduceat(months, range(0, months.shape[1], MONTHS_PER_YEAR), axis=1)
    return sums


def feasible_sets(after: After) -> list[Set]:
    """Return all sets that hold with each player those that it must come after, the smallest first."""
    players = sorted(after)
    sets = (frozenset(some) for size in range(len(players) + 1) for some in combinations(players, size))
    return [held for held in sets if all(held >= after.keys() & after[player] for player in held)]


def shapley(values: Mapping[Set, Numbers], after: After) -> dict[str, Numbers]:
    """Return each player's part: the mean of what it adds over all orders in which the players can come.

    Shapley (1953); where some must come after others, only the orders that respect it count, each as much as the
    other (Faigle & Kern 1992).
    """
    everybody = frozenset(after)

    @cache
    def orders_from(held: Set) -> int:
        """Count the orders in which the others can still come."""
        larger = (held | {player} for player in everybody - held)
        return 1 if held == everybody else sum(orders_from(one) for one in larger if one in values)

    @cache
    def orders_to(held: Set) -> int:
        """Count the orders in which these can have come."""
        smaller = (held - {player} for player in held)
        return sum(orders_to(one) for one in smaller if one in values) if held else 1

    total = orders_from(frozenset())
    parts = {player: np.zeros_like(values[everybody], dtype=np.float64) for player in after}
    for held, player in product(values, after):
        larger = held | {player}
        if player not in held and larger in values:
            share = orders_to(held) * orders_from(larger) / total
            parts[player] = parts[player] + share * (values[larger] - values[held])
    return parts
