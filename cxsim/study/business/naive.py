"""A study or a shop in; what common comparisons and formulas say of its customers, beside the truth or a model, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from cxsim.clv.customer_value import CustomerValues, ValuationTerms, customer_values, draws_for
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.likelihood import Model
from cxsim.data.contracts import NAIVE
from cxsim.data.rfm import summarise
from cxsim.data.shop import Shop
from cxsim.errors import DataError, refuse_unknown
from cxsim.metrics.promoters import (
    PointEstimate,
    can_compare,
    difference,
    mean,
    net_promoter_score,
    overall_ratio,
    paid,
    ratio_at_equal_count,
    ratio_of_sums,
    spend_of_answerers,
    total,
)
from cxsim.params import CENTS, DAYS_PER_MONTH, DAYS_PER_YEAR, Unit, with_values
from cxsim.study.result import Study
from cxsim.study.shop_tables import ShopTables, tables_of
from cxsim.tables import REAL, TEXT, Contract, table_of
from cxsim.wording import figure, money, percent, written_as

# A mean of fewer customers says too little.
_FEWEST = 10
# Customers of before the start have no day of arrival.
_BEFORE = datetime(1, 1, 1)  # noqa: DTZ001 - the shop's own time has no zone


Found = tuple[PointEstimate, float]


class Membership(NamedTuple):
    """The same world with a programme and without it, and who joined.

    Each comparison returns its reading and the truth: what the same members spend beyond what they spend without the
    programme. None where either side has fewer than ten customers.

    Attributes
    ----------
    treated, baseline
        Tables with the programme and without it.
    """

    treated: ShopTables
    baseline: ShopTables

    @property
    def joined(self) -> pl.DataFrame:
        """Members of any programme of the arm, with customer_id and joined_at, the first where several; by customer."""
        return self.treated.members.group_by("customer_id").agg(pl.col("joined_at").min()).sort("customer_id")

    def against_others(self) -> Found | None:
        """Return by how much more members spend after joining than those who never join, per customer.

        The others are followed over the same calendar days: the mean, over the days on which members joined, of what
        those who were customers by then spent from the next day on.
        """
        # Of the share g of members who joined on a day when n others were customers, each of these counts g / n. An
        # order counts for all days of joining from the day on which the customer came to the one before the order.
        others = self.treated.lives.join(self.joined, on="customer_id", how="anti").select(
            "customer_id", came=pl.col("arrived_at").fill_null(_BEFORE).dt.truncate("1d")
        )
        if min(others.height, self.joined.height) < _FEWEST:
            return None
        weights = _weights(self.joined, others)
        numbered = others.sort("customer_id").with_row_index("number")
        bought = self.treated.orders.join(numbered, on="customer_id", maintain_order="left")
        came, ordered = (_until(bought[column].dt.truncate("1d"), weights) for column in ("came", "ordered_at"))
        counted = (bought["amount"] * (ordered - came)).to_numpy()
        parts = np.bincount(bought["number"].to_numpy(), counted, minlength=others.height).astype(np.float64)
        return difference(mean(self._since_joining(self.joined)), total(parts)), self._gain(self.joined)

    def redeemers(self) -> Found | None:
        """Return by how much more members who used a reward spend after joining than the other members, each."""
        used = self.treated.orders.filter(pl.col("reward") > 0.0).select("customer_id").unique()
        redeemers = self.joined.join(used, on="customer_id", how="semi")
        rest = self.joined.join(used, on="customer_id", how="anti")
        if min(redeemers.height, rest.height) < _FEWEST:
            return None
        return difference(*(mean(self._since_joining(some)) for some in (redeemers, rest))), self._gain(redeemers)

    def before_and_after(self, start: datetime, end: datetime) -> Found | None:
        """Return by how much more members spend a month after joining than before.

        Each member is looked at for as long after joining as before it: back to the start or to their arrival, but not
        beyond the end. Members with less than a month on each side take no part.
        """
        came = pl.col("arrived_at").fill_null(start)
        span = pl.min_horizontal(pl.col("joined_at") - came, end - pl.col("joined_at"))
        lives = self.treated.lives.select("customer_id", "arrived_at")
        known = self.joined.join(lives, on="customer_id", how="left").with_columns(span=span)
        known = known.filter(pl.col("span") >= timedelta(days=DAYS_PER_MONTH)).sort("customer_id")
        if known.height < _FEWEST:
            return None
        months = known["span"].dt.total_seconds() / (timedelta(days=DAYS_PER_MONTH).total_seconds())
        since = pl.col("ordered_at") - pl.col("joined_at")
        after = (since > timedelta()) & (since <= pl.col("span"))
        before = (since < timedelta()) & (since >= -pl.col("span"))
        late, early = (_spent(self.treated, known, when) for when in (after, before))
        gain = late - _spent(self.baseline, known, after)
        return ratio_of_sums(late - early, months), _sum(gain) / _sum(months)

    def _since_joining(self, some: pl.DataFrame) -> pl.Series:
        return _spent(self.treated, some, _SINCE)

    def _gain(self, some: pl.DataFrame) -> float:
        return _sum(self._since_joining(some) - _spent(self.baseline, some, _SINCE)) / some.height


# The order at which somebody joins is not one after it.
_SINCE = pl.col("ordered_at") > pl.col("joined_at")


def _spent(tables: ShopTables, some: pl.DataFrame, when: pl.Expr) -> pl.Series:
    """Return what each of some members spends on the orders of a condition, by customer; 0 where there is none."""
    orders = tables.orders.join(some, on="customer_id").filter(when)
    spent = orders.group_by("customer_id").agg(paid())
    return some.select("customer_id").join(spent, on="customer_id", how="left").sort("customer_id")["paid"].fill_null(0)


def _sum(amounts: pl.Series) -> float:
    return float(amounts.to_numpy().sum())


def _weights(joined: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return, per day of joining, the sum to that day of the share of members over the number of others by then."""
    days = joined.group_by(day=pl.col("joined_at").dt.truncate("1d")).agg(members=pl.len()).sort("day")
    present = days.with_columns(others=others["came"].sort().search_sorted(days["day"], side="right"))
    share = pl.col("members") / pl.col("members").sum() / pl.col("others")
    return present.filter(pl.col("others") > 0).select("day", until=share.cum_sum())


def _until(days: pl.Series, weights: pl.DataFrame) -> pl.Series:
    """Return the sum of the weights of all days before each of some days."""
    sums = pl.concat([pl.Series("until", [0.0]), weights["until"]])
    return sums.gather(weights["day"].search_sorted(days, side="left"))


Row = tuple[str, str, float, float, float, float, Unit, str]


def naive_readings(study: Study, strategy: str, *, draw: int = 0) -> pl.DataFrame:
    """Return what common comparisons report of a strategy and of satisfaction in one world, beside the truth.

    The readings use nothing but the shop's tables with the strategy, as its analyst would; spend is what was paid.

    - members: members against those who never join, spend per customer after joining, over the same calendar days.
    - redeemers: members who used a reward against the other members, spend per customer after joining.
    - before_after: the same members a month after and before joining, for equally long on both sides.
    - promoters: spend of promoters (9 or 10 at their last answer) over that of detractors (6 or less), per customer.
    - promoters_equal_count: the same at an equal number of orders, averaged over these numbers.
    - nps: Net Promoter Score of those who answered.

    The truth of the first three is what the same customers spend beyond what they spend without the strategy, with the
    same random numbers. Of the ratios it is by how much the ratio shrinks when the same customers live in a
    world in which satisfaction moves nothing: exactly 1 where it moves nothing anyway. Whoever holds the number of
    orders equal holds back a way in which satisfaction works, so the truth is the same for both. Of the score it is the
    score that all would have given who were asked.

    Parameters
    ----------
    study
        The study.
    strategy
        A strategy of the study, or a combination.
    draw
        Number of the world, from 0.

    Returns
    -------
    polars.DataFrame
        Under NAIVE of `cxsim.data.contracts`; methods with too few customers, or without surveys, are left out.
        Intervals are by which customers there are, from standard errors (ratios: delta method).

    Raises
    ------
    ParamError
        For an unknown strategy or draw.
    """
    _, *possible = study.scenario.arms
    refuse_unknown(strategy, possible, f"no strategy '{strategy}' in scenario '{study.scenario.name}'")
    treated, baseline = study.tables(strategy, draw=draw), study.tables(draw=draw)
    # By the shop's own locale, whatever the session's is, so that the same study gives the same sentences.
    with written_as(study.scenario.economics.locale):
        rows = [*_of_members(study, treated, baseline), *_of_answers(study, treated, strategy, draw)]
    return table_of(rows, NAIVE)


def _of_members(study: Study, treated: ShopTables, baseline: ShopTables) -> Iterator[Row]:
    calendar = study.scenario.calendar
    start, end = (datetime.combine(day, time()) for day in (calendar.starts_on, calendar.starts_of(calendar.months)))
    seen = Membership(treated=treated, baseline=baseline)
    readings = (seen.against_others(), seen.redeemers(), seen.before_and_after(start, end))
    for method, found in zip(("members", "redeemers", "before_after"), readings, strict=True):
        if found is not None:
            reading, truth = found
            amounts = [money(amount, study.currency) for amount in (abs(reading.value), truth)]
            yield _row(method, reading, truth, [*amounts, "less" if reading.value < 0.0 else "more"])


def _of_answers(study: Study, treated: ShopTables, strategy: str, draw: int) -> Iterator[Row]:
    answerers = spend_of_answerers(treated.orders, treated.surveys)
    if not can_compare(answerers):
        return
    unmoved = _tables_under(study, strategy, draw, _UNMOVED).orders.group_by("customer_id").agg(spend=paid())
    same = answerers.drop("spend").join(unmoved, on="customer_id", how="left").sort("customer_id")
    overall, equal = overall_ratio(answerers), ratio_at_equal_count(answerers)
    truth = overall.value / overall_ratio(same.with_columns(pl.col("spend").fill_null(0.0))).value
    everyone = net_promoter_score(_tables_under(study, strategy, draw, _ANSWERING).surveys).value
    for method, reading, true, form in (
        ("promoters", overall, truth, ".2f"),
        ("promoters_equal_count", equal, truth, ".2f"),
        ("nps", net_promoter_score(treated.surveys), everyone, ".1f"),
    ):
        yield _row(method, reading, true, [figure(number, form) for number in (reading.value, true)])


def _row(method: str, reading: PointEstimate, truth: float, numbers: Sequence[str]) -> Row:
    title, unit, finding = _METHODS[method]
    return method, title, reading.value, reading.low, reading.high, truth, unit, finding.format(*numbers)


def _tables_under(study: Study, strategy: str, draw: int, values: Mapping[str, float]) -> ShopTables:
    """Return the tables of the same world, with the same random numbers, under other numbers of the behaviour."""
    draws = list(study.worlds.draws)
    scenario = draws[draw].scenario
    changed = replace(scenario, behaviour=with_values(scenario.behaviour, values))
    draws[draw] = replace(draws[draw], scenario=changed)
    return tables_of(replace(study.worlds, draws=tuple(draws)), strategy, draw)


# Satisfaction without any effect; an answer from everybody who is asked.
_UNMOVED = dict.fromkeys(
    (
        "experience.purchase_rate_per_deviation",
        "experience.dropout_per_deviation",
        "experience.basket_per_deviation",
    ),
    1.0,
)
_ANSWERING = {"surveys.response": 1.0}
# By method its title, the unit of its reading, and what is said of it.
_METHODS = {
    "members": (
        "Members versus non-members",
        Unit.MONEY,
        "Members spend {0} {2} after joining than non-members over the same days; the programme causes {1}.",
    ),
    "redeemers": (
        "Members who redeemed a reward versus other members",
        Unit.MONEY,
        "Members who redeemed a reward spend {0} {2} than other members; the programme causes {1} among them.",
    ),
    "before_after": (
        "Members before and after joining",
        Unit.MONEY_PER_MONTH,
        "Members spend {0} a month {2} after joining than before; the programme causes {1} a month.",
    ),
    "promoters": (
        "Promoters versus detractors",
        Unit.RATIO,
        "Promoters spend {} times as much as detractors; satisfaction causes {} times.",
    ),
    "promoters_equal_count": (
        "Promoters versus detractors with the same number of orders",
        Unit.RATIO,
        "With the same number of orders, promoters spend {} times as much as detractors; satisfaction causes {} times.",
    ),
    "nps": (
        "Net Promoter Score of respondents",
        Unit.SCORE,
        "Respondents give a score of {}; all customers surveyed would give {}.",
    ),
}


# What a customer is worth, step by step from the product of averages to the model. low, high: 90 % interval of the
# model's mean, by the uncertainty of its parameters and by chance; null where a step has none.
CLV_STEPS = Contract("CLV_STEPS", TEXT("step"), REAL("value", "low", "high"), TEXT("why"), nullable=("low", "high"))
# Years of 365 days, for a shop that plans by them.
_HORIZON_DAYS = 365
_MODEL: Model = "mbgnbd"


def predictive_clv(shop: Shop, *, annual_discount_rate: float, margin: float) -> pl.DataFrame:
    """Return the value of a customer by a model beside the product of averages often used for it, under CLV_STEPS.

    Fader & Hardie (2012), "Reconciling and clarifying CLV formulas", on what formulas of averages leave out.
    """
    lines = _first_seen(shop)
    until = (shop.until - timedelta(microseconds=1)).date()
    rfm = summarise(lines, until=until)
    terms = ValuationTerms(
        horizon_days=_HORIZON_DAYS,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        draws=draws_for(rfm.height, 0.9),
        seed=0,
    )
    if margin == 0.0:
        raise DataError("margin must be above 0; without a margin there is no value to compare.")
    purchases, spend = fit(rfm, model=_MODEL, observed_until=until), fit_spend(rfm, observed_until=until)
    values = customer_values(rfm, purchases, spend, terms)
    return _clv_steps(_averages(lines, shop, until), values, terms, shop.currency)


def _first_seen(shop: Shop) -> pl.DataFrame:
    """Return the orders of customers whose first order was seen."""
    reason = shop.missing("orders") or shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason} Customer value needs orders by customer.")
    orders = shop.table("orders").filter(pl.col("customer_id").is_not_null() & (pl.col("ordered_at") < shop.until))
    wanted = ["customer_id", "ordered_at", "amount"]
    if shop.missing("orders.order_number") is not None:
        lines, unseen = orders.select(wanted).collect(engine="streaming"), 0
    else:
        old = orders.group_by("customer_id").agg(pl.col("order_number").min()).filter(pl.col("order_number") > 1)
        new = orders.join(old, on="customer_id", how="anti").select(wanted)
        lines, counted = pl.collect_all([new, old.select(pl.len())], engine="streaming")
        unseen = counted.item()
    if lines.is_empty():
        raise DataError(
            f"{shop.name}: no orders of customers whose first order is in the data; {unseen:,} customers are older."
        )
    return lines


def _averages(lines: pl.DataFrame, shop: Shop, until: date) -> tuple[float, float, float, float]:
    """Return means: of an order; of a customer's orders in a year; of years from first to last; of their product."""
    years = ((until - shop.since.date()).days + 1) / DAYS_PER_YEAR
    each = (
        lines.group_by("customer_id")
        .agg(
            orders=pl.len(),
            cents=(pl.col("amount") * CENTS).round().cast(pl.Int64).sum(),
            days=(pl.col("ordered_at").max() - pl.col("ordered_at").min()).dt.total_seconds(),
        )
        .sort("customer_id")
    )
    paid, spans = each["cents"].to_numpy() / CENTS, each["days"].to_numpy() / 86_400 / DAYS_PER_YEAR
    orders = int(each["orders"].sum())
    # A customer's mean order times orders a year is what they paid a year.
    by_customer = float(np.mean(paid / years * spans))
    return float(paid.sum()) / orders, orders / each.height / years, float(spans.mean()), by_customer


def _clv_steps(
    averages: tuple[float, float, float, float], values: CustomerValues, terms: ValuationTerms, currency: str
) -> pl.DataFrame:
    value, per_year, lifespan_years, mean_of_products = averages
    total = values.totals.filter(quantity="value").select("mean", "low", "high") / values.table.height
    alive = float(values.table["prob_alive"].to_numpy().mean())
    order = money(value, currency) if currency else figure(value, ",.2f")
    multiplied = (
        f"{order} per order, times {figure(per_year, '.2f')} orders a year, times "
        f"{figure(lifespan_years, '.2f')} years from first to last order."
    )
    by_customer = (
        "The same three factors multiplied per customer and then averaged: customers with longer lifespans also order "
        "more, which a product of averages ignores."
    )
    after_costs = f"Revenue times a margin of {percent(terms.margin)}."
    expected = (
        f"Expected margin of the next {figure(terms.horizon_days)} days, discounted at "
        f"{percent(terms.annual_discount_rate)} a year. Observed lifespans cover the past only, and {percent(alive)} "
        "of customers are expected to be still active."
    )
    rows = [
        ("product of averages", value * per_year * lifespan_years, None, None, multiplied),
        ("mean of products", mean_of_products, None, None, by_customer),
        ("after costs", mean_of_products * terms.margin, None, None, after_costs),
        ("model", *total.row(0), expected),
    ]
    return table_of(rows, CLV_STEPS)
