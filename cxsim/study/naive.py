"""A study in; what common comparisons would report of one of its worlds, beside what is true there, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import NamedTuple

import polars as pl

from cxsim.behaviour import Behaviour
from cxsim.cohorts.by_nps import (
    can_compare,
    net_promoter_score,
    overall_ratio,
    ratio_at_equal_count,
    worth_of_answerers,
)
from cxsim.cohorts.reading import Reading, paid
from cxsim.errors import ParamError, choices
from cxsim.exports import NAIVE
from cxsim.number_style import written_as
from cxsim.scenario import BASELINE
from cxsim.study.by_membership import Membership
from cxsim.study.result import Study
from cxsim.study.shop_tables import ShopTables, tables_of
from cxsim.tables import check
from cxsim.units import Unit
from cxsim.wording import MINUS, money

Change = Callable[[Behaviour], Behaviour]


class _Row(NamedTuple):
    method: str
    title: str
    reading: Reading
    truth: float
    unit: Unit
    finding: str


@written_as("en")  # a table is the same in every locale; who shows it writes its numbers anew
def naive_readings(study: Study, strategy: str, *, draw: int = 0) -> pl.DataFrame:
    """Return what common comparisons say of a strategy and of satisfaction in one world, beside the truth.

    The readings use nothing but the shop's tables with the strategy, as its analyst would; spend is what was paid.

    - members: members against those who never join, spend per customer after joining, over the same calendar days.
    - redeemers: members who used a reward against the other members, spend per customer after joining.
    - before_after: the same members a month after and before joining, for equally long on both sides.
    - promoters: spend of promoters (9 or 10 at their last answer) over that of detractors (6 or less), per customer.
    - promoters_equal_count: the same at an equal number of orders, averaged over these numbers.
    - nps: Net Promoter Score of those who answered.

    The truth of the first three is what the same customers spend beyond what they spend without the strategy, with the
    same luck. Of the ratios it is by how much the ratio shrinks when the same customers, with the same luck, live in a
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
        Under NAIVE of `cxsim.exports`; methods for which the world has too few customers, or no surveys, are left out.
        Intervals are by which customers there are, from standard errors (ratios: delta method).

    Raises
    ------
    ParamError
        For an unknown strategy or draw.
    """
    possible = [arm for arm in study.scenario.arms if arm != BASELINE]
    if strategy not in possible:
        raise ParamError(f"no strategy '{strategy}' in scenario '{study.scenario.name}'; {choices(strategy, possible)}")
    treated, baseline = study.tables(strategy, draw=draw), study.tables(draw=draw)
    rows = [*_of_members(study, treated, baseline), *_of_answers(study, treated, strategy, draw)]
    cells = [
        (row.method, row.title, row.reading.value, row.reading.low, row.reading.high, row.truth, row.unit, row.finding)
        for row in rows
    ]
    schema = {name: kinds[0] for name, kinds in NAIVE.columns.items()}
    return check(pl.DataFrame(cells, schema=schema, orient="row"), NAIVE)


def _of_members(study: Study, treated: ShopTables, baseline: ShopTables) -> Iterator[_Row]:
    calendar = study.scenario.calendar
    start, end = (datetime.combine(day, time()) for day in (calendar.starts_on, calendar.starts_of(calendar.months)))
    seen = Membership.of(treated, baseline)
    titles = {
        "members": ("Members against the others", Unit.MONEY, seen.against_others()),
        "redeemers": ("Members who used a reward against the other members", Unit.MONEY, seen.redeemers()),
        "before_after": ("Members before and after joining", Unit.MONEY_PER_MONTH, seen.before_and_after(start, end)),
    }
    for method, (title, unit, found) in titles.items():
        if found is not None:
            reading, truth = found
            amounts = [money(amount, study.currency) for amount in (abs(reading.value), truth)]
            told = _MEMBERS[method].format(*amounts, more="less" if reading.value < 0.0 else "more")
            yield _Row(method, title, reading, truth, unit, told)


def _of_answers(study: Study, treated: ShopTables, strategy: str, draw: int) -> Iterator[_Row]:
    said = worth_of_answerers(treated.orders, treated.surveys)
    if not can_compare(said):
        return
    unmoved = _retold(study, strategy, draw, _unmoved).orders.group_by("customer_id").agg(spend=paid())
    same = said.drop("spend").join(unmoved, on="customer_id", how="left").with_columns(pl.col("spend").fill_null(0.0))
    truth = overall_ratio(said).value / overall_ratio(same.sort("customer_id")).value
    titles = {
        "promoters": ("Promoters against detractors", overall_ratio(said)),
        "promoters_equal_count": ("Promoters against detractors with as many orders", ratio_at_equal_count(said)),
    }
    for method, (title, reading) in titles.items():
        told = _ANSWERS[method].format(f"{reading.value:.2f}", f"{truth:.2f}")
        yield _Row(method, title, reading, truth, Unit.RATIO, told)
    score = net_promoter_score(treated.surveys)
    everyone = net_promoter_score(_retold(study, strategy, draw, _answering).surveys).value
    told = _ANSWERS["nps"].format(_whole(score.value), _whole(everyone))
    yield _Row("nps", "Net Promoter Score of those who answer", score, everyone, Unit.SCORE, told)


def _retold(study: Study, strategy: str, draw: int, change: Change) -> ShopTables:
    """Return the tables of the same world, with the same luck, under a changed behaviour."""
    replay = study.replay
    draws = list(replay.draws)
    scenario = draws[draw].scenario
    changed = dataclasses.replace(scenario, behaviour=change(scenario.behaviour))
    draws[draw] = dataclasses.replace(draws[draw], scenario=changed)
    return tables_of(study.scenario, draws, replay.population, replay.rfm, arm=strategy, draw=draw)


def _unmoved(behaviour: Behaviour) -> Behaviour:
    """Return the behaviour without any effect of satisfaction."""
    experience = behaviour.experience
    if experience is None:
        return behaviour
    none = {name: getattr(experience, name).at(1.0) for name in _MOVED}
    return dataclasses.replace(behaviour, experience=dataclasses.replace(experience, **none))


def _answering(behaviour: Behaviour) -> Behaviour:
    """Return the behaviour with an answer from everybody who is asked."""
    surveys = behaviour.surveys
    if surveys is None:
        return behaviour
    return dataclasses.replace(behaviour, surveys=dataclasses.replace(surveys, response=surveys.response.at(1.0)))


def _whole(score: float) -> str:
    return f"{score:.1f}".replace("-", MINUS)


_MOVED = ("purchase_rate_per_deviation", "dropout_per_deviation", "basket_per_deviation")
_MEMBERS = {
    "members": "Members spend {} {more} after joining than the others over the same days; the programme causes {}.",
    "redeemers": "Members who used a reward spend {} {more} than the other members; the programme causes {} there.",
    "before_after": "Members spend {} a month {more} after joining than before; the programme causes {} a month.",
}
_ANSWERS = {
    "promoters": "Promoters spend {} times as much as detractors; satisfaction causes {} times.",
    "promoters_equal_count": (
        "With equally many orders, promoters spend {} times as much as detractors; satisfaction causes {} times."
    ),
    "nps": "Those who answer give a score of {}; all who are asked would give {}.",
}
