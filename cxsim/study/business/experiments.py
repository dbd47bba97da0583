"""A study in; for each strategy the randomised test of whether it pays, with its size and length, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import Account
from cxsim.finance.information import ALPHA, POWER, predict, sample_information, sample_size, smallest_difference
from cxsim.params import DAYS_PER_YEAR, MICROS
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import KINDS
from cxsim.study.business.base_case import central_draw
from cxsim.study.business.information import RESPONSES, DrawnInputs, responses_to
from cxsim.study.result import Study
from cxsim.study.shop_tables import FIRST_REFERRED, SECONDS_PER_DAY
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, table_of
from cxsim.wording import figure, money, percent

Numbers = npt.NDArray[np.float64]

# The randomised test of whether a strategy pays: customers of both groups whose contribution is followed for
# `follow_up_days`, so that a true gain per customer of `difference` is detected. available: customers whom the strategy
# may reach within the horizon's first year, reached: within all of it; weeks: from the first customer to the decision;
# null where too few come. worth: EVPPI of what the test measures. value: expected value of the sample information, for
# what is left of the horizon after the test; cost: set-up in full, and the rest of the investment for the treated group
# during the test, whatever it brings; net_benefit: value less cost; all three null where too few come. One row for each
# length of follow-up; chosen: the highest net benefit, or where none is feasible the test that needs the fewest
# customers.
TEST_PLAN = Contract(
    "TEST_PLAN",
    TEXT("strategy", "title", "id", "description", "outcome"),
    COUNT("follow_up_days"),
    REAL("mean", "sd", "difference", "alpha", "power"),
    COUNT("per_group", "available", "reached"),
    REAL("weeks", "worth", "value", "cost", "net_benefit"),
    TEXT("verdict"),
    FLAG("chosen"),
    nullable=("weeks", "value", "cost", "net_benefit"),
)
# A quarter, half a year and a year, in whole weeks.
DAYS = (91, 182, 364)
# What an event counts: for each count the column of the log that holds how much of it, or one.
_ONE, _A, _B, _C, _D = pl.lit(1), *map(pl.col, "abcd")
_COUNTED: Mapping[str, Mapping[CountKind, pl.Expr]] = {
    "ORDER": {CountKind.ORDERS: _ONE, CountKind.LIST: _A, CountKind.MARKDOWN: _B, CountKind.REWARD: _C},
    "RETURN": {CountKind.RETURNS: _ONE, CountKind.REFUNDED: _A, CountKind.SENT_BACK: _B},
    "TICKET": {CountKind.TICKETS: _ONE, CountKind.COMPENSATION: _D},
}


class FollowUp(NamedTuple):
    """Contributions of the customers of one world without any strategy, in units of the currency."""

    # Shape (customers,): day of the scenario on which they came; 0 for those who were there.
    entered: Numbers
    # By number of days: contribution of each within so many days of entering; NaN where the scenario ends before.
    within: Mapping[int, Numbers]
    # Shape (customers,): present value of all contributions within the horizon.
    present_value: Numbers
    # Shape (customers, strategies): who meets the condition of which strategy.
    reached: npt.NDArray[np.bool_]


def planned_tests(study: Study, drawn: DrawnInputs, information: pl.DataFrame) -> pl.DataFrame:
    """Return for each strategy the randomised tests of whether it pays, with what they are worth and cost.

    All customers who meet the strategy's condition take part, half of them without it, assigned at random; those who
    are there at once, others as they come. What must be detected is the gain with which the strategy just pays: the
    share by which all contributions of these customers within the horizon would have to rise for the present value of
    the rise to equal that of the investment, of the mean contribution during follow-up. Since the investment is spread
    over all of them and not over those who join, it is diluted as the gain is. For a strategy that spends nothing, the
    gain that is expected takes the investment's place. Contributions vary as they do without the strategy, in one world
    with every number at its central value.
    """
    customers, titles = follow_up(study, DAYS), study.scenario.titles
    rows: list[dict[str, object]] = []
    for column, strategy in enumerate(study.scenario.prior_strategies):
        name, group = strategy.name, responses_to(strategy.name)
        # The present value that the strategy must bring.
        investment, npv = study.returns.filter(strategy=name).select("investment", "incremental_npv").row(0)
        required = investment if investment > 0.0 else abs(npv)
        plans = [_valued(study, drawn, plan, column, required) for plan in _plans(customers, column, required)]
        best = min(plans, key=_preference, default=None)
        rows += [
            {
                "strategy": name,
                "title": titles[name],
                "id": group,
                "description": f"{titles[name]}: {RESPONSES}",
                "outcome": f"Contribution per customer within {plan.follow_up_days} days",
                **plan._asdict(),
                "alpha": ALPHA,
                "power": POWER,
                "worth": information.filter(decision=name, id=group)["worth"].sum(),
                "verdict": _verdict(plan, study.currency),
                "chosen": plan is best,
            }
            for plan in plans
        ]
    return table_of(rows, TEST_PLAN)


def net_benefits(test_plan: pl.DataFrame) -> dict[str, float]:
    """Return the expected net benefit of the best planned test of each strategy that has a feasible one."""
    return dict(test_plan.filter("chosen").drop_nulls("net_benefit").select("strategy", "net_benefit").iter_rows())


class _Plan(NamedTuple):
    """A test of one strategy, in columns of TEST_PLAN."""

    reached: int
    follow_up_days: int
    mean: float
    sd: float
    difference: float
    per_group: int
    available: int
    weeks: float | None
    value: float | None = None
    cost: float | None = None
    net_benefit: float | None = None


def _preference(plan: _Plan) -> tuple[bool, float]:
    """Return what is smaller for a better plan."""
    return (True, plan.per_group) if plan.net_benefit is None else (False, -plan.net_benefit)


def _valued(study: Study, drawn: DrawnInputs, plan: _Plan, column: int, required: float) -> _Plan:
    """Return a plan with the expected value of its sample information, and what the test costs."""
    if plan.weeks is None:
        return plan
    scenario, strategy = study.scenario, study.scenario.prior_strategies[column]
    arm = scenario.arms.index(strategy.name)
    mine = drawn.fitted.of([arm - 1])
    places = [at for at, one in enumerate(drawn.inputs) if (one.kind, one.strategy) == ("responses", strategy.name)]
    # The error of the measured gain, on the scale of the NPV: a gain of `difference` is worth `required`.
    noise = plan.sd * math.sqrt(2.0 / plan.per_group) * required / plan.difference
    signal = float(predict(mine, places, seed=scenario.seed)[0].std()) if places else 0.0
    learnt = sample_information(mine, places, signal=signal, noise=noise, seed=scenario.seed).value if places else 0.0
    running = min(plan.weeks * 7.0 / scenario.calendar.days, 1.0)
    set_up = -study.present_value(strategy.name, [Account.SET_UP])
    investment = study.returns["investment"][arm - 1]
    cost = set_up + max(investment - set_up, 0.0) * plan.per_group / plan.reached * running
    value = learnt * (1.0 - running)
    return plan._replace(value=value, cost=cost, net_benefit=value - cost)


def _plans(customers: FollowUp, column: int, required: float) -> Iterator[_Plan]:
    reached = customers.reached[:, column]
    if required == 0.0 or not reached.any():
        return
    value = float(customers.present_value[reached].sum())
    entered = np.sort(customers.entered[reached])
    available = int((entered < DAYS_PER_YEAR).sum())
    for days, contributions in customers.within.items():
        complete = contributions[reached & np.isfinite(contributions)]
        if len(complete) < 2:
            continue
        mean, sd = float(complete.mean()), float(complete.std(ddof=1))
        # Customers who bring nothing have no share that could rise; then all must come back during follow-up.
        difference = required / value * mean if min(value, mean) > 0.0 else required / int(reached.sum())
        per_group = sample_size(sd, difference)
        fits = 2 * per_group <= available
        yield _Plan(
            reached=int(reached.sum()),
            follow_up_days=days,
            mean=mean,
            sd=sd,
            difference=difference,
            per_group=per_group,
            available=available,
            weeks=float(entered[2 * per_group - 1] + days) / 7.0 if fits else None,
        )


def _verdict(plan: _Plan, currency: str) -> str:
    if plan.weeks is not None:
        return f"Feasible: {figure(plan.per_group)} customers per group, with results after {figure(plan.weeks)} weeks."
    needed = (
        f"Not feasible: each group needs {figure(plan.per_group)} customers, and {figure(plan.available)} in total "
        "can take part within a year"
    )
    half = plan.available // 2
    if half < 1:
        return f"{needed}."
    least = smallest_difference(plan.sd, half)
    share = f" ({percent(least / plan.mean)} of a customer's mean contribution)" if plan.mean > 0.0 else ""
    return (
        f"{needed}. With these, the smallest detectable gain is {money(least, currency)} per customer{share}; the "
        f"programme breaks even at {money(plan.difference, currency)}."
    )


def follow_up(study: Study, days: Sequence[int]) -> FollowUp:
    """Return the contribution of each customer within some days in the baseline, every number at its central value.

    Contribution is what the ledger books for orders, returns and tickets; winning the customer is not part of it.
    """
    scenario, population = study.scenario, study.worlds.population
    draw = central_draw(study, scenario.structures[0])
    ready = study.worlds.inputs(draw)
    log = events(population, ready, seed=scenario.seed).filter(pl.col("customer") < FIRST_REFERRED)
    came = log.filter(pl.col("kind") == KINDS.index("ARRIVED")).select("customer", entered="second").sort("customer")
    there = np.arange(population.base.height)
    people = pl.concat([pl.DataFrame({"customer": there, "entered": 0 * there}), came])
    amounts = _amounts(log, people, draw.prices([()])[0][0].sum(axis=0))
    entered, end = people["entered"].to_numpy(), scenario.calendar.days * SECONDS_PER_DAY
    month = scenario.calendar.month_of_day[amounts["second"].to_numpy() // SECONDS_PER_DAY]
    present = study.worlds.present_values().mean(axis=0)
    within = {}
    for length in days:
        seconds = length * SECONDS_PER_DAY
        early = amounts.filter(pl.col("since") < seconds)
        # Whole millionths below 2**53 are exact as floats, so that no order of the sum matters.
        total = _by_customer(early, early["amount"].to_numpy().astype(np.float64), people.height) / MICROS
        within[length] = np.where(entered + seconds <= end, total, np.nan)
    # The last row stands for all newcomers.
    rows = np.minimum(people["customer"].to_numpy(), len(ready.reached[0]) - 1)
    arms = [scenario.arms.index(one.name) for one in scenario.prior_strategies]
    return FollowUp(
        entered=entered / SECONDS_PER_DAY,
        within=within,
        present_value=_by_customer(amounts, amounts["amount"].to_numpy() * present[month] / MICROS, people.height),
        reached=np.column_stack([ready.reached[arm][rows, 0] for arm in arms]),
    )


def _amounts(log: pl.DataFrame, people: pl.DataFrame, prices: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Return what each event adds: place of the customer among the people, second, seconds since entry, millionths."""
    amount = pl.lit(0, pl.Int64)
    for kind, count_kinds in _COUNTED.items():
        each = pl.sum_horizontal(count * int(prices[place(count_kind)]) for count_kind, count in count_kinds.items())
        amount = pl.when(pl.col("kind") == KINDS.index(kind)).then(each).otherwise(amount)
    return (
        log.filter(pl.col("kind").is_in([KINDS.index(kind) for kind in _COUNTED]))
        .select("customer", "second", amount=amount)
        .join(people.with_row_index("place"), on="customer", how="left", maintain_order="left")
        .select("place", "second", "amount", since=pl.col("second") - pl.col("entered"))
    )


def _by_customer(amounts: pl.DataFrame, values: Numbers, people: int) -> Numbers:
    return np.bincount(amounts["place"].to_numpy(), values, minlength=people).astype(np.float64)
