"""Incidents, tickets, answers, recoveries and returns: shares, hours and money as stated."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import ORDER, RETURN, TICKET
from cxsim.strategies.mechanisms import Incidents, Recovery, Resolution, Returns, Tickets
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars
from tests.simulation.shops import DEFECT, EARLY, LATE, experience, returns, shop
from tests.simulation.worlds import LOYAL, inputs, play, points, programme, total

CROWD = regulars(10_000, months=3)
SERVED = shop(experience=experience(LATE, DEFECT, EARLY, contact=0.05, first_contact=0.7, hours=8.0, spread=0.0))


def journal(*effects, behaviour=SERVED):
    arm = [programme(*effects)] if effects else []
    return events(CROWD, inputs(CROWD, arm, latents=LOYAL, behaviour=behaviour), seed=4)


def orders_of(log):
    return log.filter(pl.col("kind") == ORDER)


def assert_share(found, of, chance):
    assert abs(found - of * chance) < 4 * np.sqrt(of * chance * (1 - chance)), f"{found} of {of}"


def test_incidents_happen_to_the_share_of_orders_that_was_said():
    orders = orders_of(journal())
    for kind, one in enumerate((LATE, DEFECT, EARLY), start=1):
        assert_share(orders.filter(pl.col("d") == kind).height, orders.height, one.chance.value)


@pytest.mark.parametrize(("name", "ratio"), [("late", 0.4), ("defect", 3.0), ("early", 2.0)])
def test_a_programme_changes_the_chance_of_one_incident_by_its_ratio(name, ratio):
    orders = orders_of(journal(made(Incidents, ratio=ratio, incident=name)))
    for kind, one in enumerate((LATE, DEFECT, EARLY), start=1):
        chance = one.chance.value * (ratio if one.name == name else 1.0)
        assert_share(orders.filter(pl.col("d") == kind).height, orders.height, chance)


def test_chances_beyond_one_together_are_certain():
    orders = orders_of(journal(made(Incidents, ratio=50.0)))
    assert (orders["d"] > 0).all()


def test_tickets_are_written_about_incidents_and_about_nothing_as_often_as_was_said():
    log = journal()
    asked = log.filter(pl.col("kind") == TICKET).select("customer", "order", asked=pl.lit(value=True))
    orders = orders_of(log).join(asked, on=["customer", "order"], how="left")
    for kind, chance in enumerate((0.05, LATE.ticket.value, DEFECT.ticket.value, EARLY.ticket.value)):
        among = orders.filter(pl.col("d") == kind)
        assert_share(among["asked"].count(), among.height, chance)


def test_tickets_are_fewer_by_the_ratio_and_a_chance_beyond_one_is_certain():
    fewer, every = (journal(made(Tickets, ratio=ratio)) for ratio in (0.5, 100.0))
    tickets, orders = (log.filter(pl.col("kind") == kind) for log, kind in ((fewer, TICKET), (fewer, ORDER)))
    quiet = 1.0 - 0.1 - 0.03 - 0.1
    chance = 0.5 * (quiet * 0.05 + 0.1 * 0.3 + 0.03 * 0.7 + 0.1 * 0.02)
    assert_share(tickets.height, orders.height, chance)
    assert every.filter(pl.col("kind") == TICKET).height == orders_of(every).height


def test_answers_solve_the_share_of_tickets_that_was_said_and_take_the_hours_that_were():
    plain, better = journal(), journal(made(Resolution, unresolved=0.5, hours=0.25))
    for log, unresolved, hours in ((plain, 0.3, 8.0), (better, 0.15, 2.0)):
        tickets = log.filter(pl.col("kind") == TICKET)
        assert_share(tickets.filter(pl.col("c") == 0).height, tickets.height, unresolved)
        assert (tickets["a"] - hours * 3600).abs().max() <= 1
        whole = pl.when(pl.col("c") == 1).then(2.0).otherwise(6.0) * hours * 3600
        assert tickets.filter((pl.col("b") - whole).abs() > 6).height == 0


def test_hours_are_lognormal_around_their_median():
    spread = dataclasses.replace(
        SERVED, experience=experience(LATE, DEFECT, EARLY, contact=0.05, hours=8.0, spread=0.6)
    )
    logs = journal(behaviour=spread).filter(pl.col("kind") == TICKET)["a"].log().to_numpy()
    size = len(logs)
    assert abs(logs.mean() - np.log(8 * 3600)) < 4 * 0.6 / np.sqrt(size)
    assert abs(logs.std() - 0.6) < 4 * 0.6 / np.sqrt(2 * size)


def test_a_share_of_the_tickets_about_what_went_wrong_is_made_up_for_with_money():
    log = journal(made(Recovery, share=0.4, compensation=7.5, repair=0.5))
    wrong = orders_of(log).filter(pl.col("d").is_in([1, 2])).select("customer", "order")
    tickets = log.filter(pl.col("kind") == TICKET)
    about = tickets.join(wrong, on=["customer", "order"])
    assert set(tickets["d"].to_list()) == {0, 750}
    assert_share(about.filter(pl.col("d") > 0).height, about.height, 0.4)
    assert about.filter(pl.col("d") > 0).height == tickets.filter(pl.col("d") > 0).height, "nothing else is paid for"


def test_a_share_of_the_orders_is_sent_back_and_the_part_of_the_money_refunded_after_the_days():
    log = journal(behaviour=shop(returns=returns(chance=0.2, part=0.6, after_days=14.0)))
    orders, back = orders_of(log), log.filter(pl.col("kind") == RETURN)
    assert_share(back.height, orders.height, 0.2)
    both = back.join(orders, on=["customer", "order"], suffix="_order")
    assert (both["a"] == (0.6 * both["a_order"]).round()).all()
    horizon = CROWD.calendar.days * DAY
    due = both["second_order"] + 14 * DAY
    inside = due < horizon - DAY
    assert (both["second"].filter(inside) - due.filter(inside)).abs().max() <= 1
    assert both["second"].max() < horizon, "no refund comes after the horizon"


@pytest.mark.parametrize(("ratio", "chance"), [(0.5, 0.1), (2.0, 0.4), (100.0, 1.0)])
def test_returns_change_by_the_ratio_up_to_certainty(ratio, chance):
    behaviour = shop(returns=returns(chance=0.2))
    counts = play(CROWD, [programme(made(Returns, ratio=ratio))], latents=LOYAL, behaviour=behaviour)
    sent, orders = (total(counts, 0, place(count_kind)) for count_kind in (CountKind.RETURNS, CountKind.ORDERS))
    assert abs(sent - orders * chance) <= 4 * np.sqrt(orders * chance * (1 - chance))


def test_no_points_are_given_on_what_is_sent_back():
    behaviour = shop(returns=returns(chance=1.0, part=1.0))
    counts = play(CROWD, [programme(points())], latents=LOYAL, behaviour=behaviour)
    assert total(counts, 0, place(CountKind.POINTS_ISSUED)) == 0
    assert total(counts, 0, place(CountKind.REFUNDED)) == total(counts, 0, place(CountKind.LIST))
