"""Incidents, tickets, answers, recoveries and returns: shares, hours and money as stated."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import ORDER, RETURN, SURVEY, TICKET
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars
from tests.simulation.shops import DEFECT, EARLY, LATE, experience, incident, returns, scale, shop, surveys
from tests.simulation.worlds import LOYAL, inputs, newcomers, play, points, programme, total

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
    orders = orders_of(journal(made("incidents", ratio=ratio, incident=name)))
    for kind, one in enumerate((LATE, DEFECT, EARLY), start=1):
        chance = one.chance.value * (ratio if one.name == name else 1.0)
        assert_share(orders.filter(pl.col("d") == kind).height, orders.height, chance)


def test_tickets_are_written_about_incidents_and_about_nothing_as_often_as_was_said():
    log = journal()
    asked = log.filter(pl.col("kind") == TICKET).select("customer", "order", asked=pl.lit(value=True))
    orders = orders_of(log).join(asked, on=["customer", "order"], how="left")
    for kind, chance in enumerate((0.05, LATE.ticket.value, DEFECT.ticket.value, EARLY.ticket.value)):
        among = orders.filter(pl.col("d") == kind)
        assert_share(among["asked"].count(), among.height, chance)


def test_tickets_are_fewer_by_the_ratio_and_a_chance_beyond_one_is_certain():
    fewer, every = (journal(made("tickets", ratio=ratio)) for ratio in (0.5, 100.0))
    tickets, orders = (log.filter(pl.col("kind") == kind) for log, kind in ((fewer, TICKET), (fewer, ORDER)))
    quiet = 1.0 - 0.1 - 0.03 - 0.1
    chance = 0.5 * (quiet * 0.05 + 0.1 * 0.3 + 0.03 * 0.7 + 0.1 * 0.02)
    assert_share(tickets.height, orders.height, chance)
    assert every.filter(pl.col("kind") == TICKET).height == orders_of(every).height


def test_answers_solve_the_share_of_tickets_that_was_said_and_take_the_hours_that_were():
    plain, better = journal(), journal(made("resolution", unresolved=0.5, hours=0.25))
    for log, unresolved, hours in ((plain, 0.3, 8.0), (better, 0.15, 2.0)):
        tickets = log.filter(pl.col("kind") == TICKET)
        assert_share(tickets.filter(pl.col("c") == 0).height, tickets.height, unresolved)
        assert (tickets["a"] - hours * 3600).abs().max() <= 1
        whole = pl.when(pl.col("c") == 1).then(2.0).otherwise(6.0) * hours * 3600
        assert tickets.filter((pl.col("b") - whole).abs() > 6).height == 0


def test_a_share_of_the_tickets_about_what_went_wrong_is_made_up_for_with_money():
    log = journal(made("recovery", share=0.4, compensation=7.5, repair=0.5))
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
    counts = play(CROWD, [programme(made("returns", ratio=ratio))], latents=LOYAL, behaviour=behaviour)
    sent, orders = (total(counts, 0, place(count_kind)) for count_kind in (CountKind.RETURNS, CountKind.ORDERS))
    assert abs(sent - orders * chance) <= 4 * np.sqrt(orders * chance * (1 - chance))


def test_no_points_are_given_on_what_is_sent_back():
    behaviour = shop(returns=returns(chance=1.0, part=1.0))
    counts = play(CROWD, [programme(points())], latents=LOYAL, behaviour=behaviour)
    assert total(counts, 0, place(CountKind.POINTS_ISSUED)) == 0
    assert total(counts, 0, place(CountKind.REFUNDED)) == total(counts, 0, place(CountKind.LIST))


# What customers say: only those who answer are heard, and who is moved answers more often.

NPS, CSAT, CES = 0, 1, 2
CROWD_SURVEYS = regulars(20_000, months=2)


def journal_surveys(asking, **going):
    behaviour = shop(experience=experience(LATE, **going), surveys=asking)
    return events(CROWD_SURVEYS, inputs(CROWD_SURVEYS, [], latents=LOYAL, behaviour=behaviour), seed=6)


def asked_of(log, instrument):
    return log.filter((pl.col("kind") == SURVEY) & (pl.col("a") == instrument))


def test_the_odds_of_an_answer_rise_with_how_far_satisfaction_is_from_the_middle():
    response, extremity = 0.3, 0.8
    log = journal_surveys(surveys(after_order=1.0, response=response, extremity=extremity))
    asked = asked_of(log, NPS)
    felt, answered = asked["d"].to_numpy() / 1000.0, (asked["b"] >= 0).to_numpy()
    odds = response / (1.0 - response) * np.exp(extremity * np.abs(felt))
    chance = odds / (1.0 + odds)
    for low, high in ((0.0, 0.2), (0.2, 1.0), (1.0, 5.0)):
        among = (np.abs(felt) >= low) & (np.abs(felt) < high)
        error = np.sqrt((chance * (1 - chance))[among].sum())
        assert abs(answered[among].sum() - chance[among].sum()) < 4 * error
        assert among.sum() > 1_000


def test_customers_are_asked_after_the_share_of_orders_and_of_tickets_that_was_said():
    log = journal_surveys(surveys(after_order=0.4, after_ticket=0.7))
    for kind, instruments, chance in ((ORDER, [NPS], 0.4), (TICKET, [CSAT, CES], 0.7)):
        cases = log.filter(pl.col("kind") == kind).height
        for instrument in instruments:
            asked = asked_of(log, instrument).height
            assert abs(asked - chance * cases) < 4 * np.sqrt(chance * (1 - chance) * cases)


def test_a_score_without_noise_is_the_nearest_whole_number_within_the_ends():
    scales = {"nps": scale(7.5, 2.0, 0.0), "csat": scale(4.0, 1.0, 0.0), "ces": scale(5.0, 1.0, 0.0)}
    log = journal_surveys(surveys(after_order=1.0, after_ticket=1.0, response=0.5, extremity=0.0, **scales))
    cases = ((NPS, 7.5, 2.0, (0, 10)), (CSAT, 4.0, 1.0, (1, 5)), (CES, 5.0, 1.0, (1, 7)))
    for instrument, centre, slope, ends in cases:
        heard = asked_of(log, instrument).filter(pl.col("b") >= 0)
        said = centre + slope * heard["d"].to_numpy() / 1000.0
        expected = np.clip(np.floor(said + 0.5), *ends)
        # Satisfaction is noted in thousandths, so next to a half either number can be right.
        sure = np.abs(said + 0.5 - np.round(said + 0.5)) > 0.002 * slope
        np.testing.assert_array_equal(heard["b"].to_numpy()[sure], expected[sure])
        assert heard["b"].min() >= ends[0]
        assert heard["b"].max() == ends[1]


def test_being_asked_moves_nothing():
    behaviour = shop(experience=experience(LATE, buying=1.3, leaving=0.8))
    silent = events(CROWD_SURVEYS, inputs(CROWD_SURVEYS, [], latents=LOYAL, behaviour=behaviour), seed=6)
    asked = journal_surveys(surveys(after_order=1.0), buying=1.3, leaving=0.8)
    assert asked.filter(pl.col("kind") != SURVEY).equals(silent)


def test_satisfaction_is_that_of_customers_as_they_are_when_the_shop_changes_nothing():
    # It is counted from the shop's usual level: neither late parcels nor unsolved tickets lower its mean over time.
    log = journal_surveys(surveys(after_order=1.0), negativity=2.0, memory=0.5)
    last = asked_of(log, NPS).group_by("customer").agg(felt=pl.col("d").last())["felt"].to_numpy() / 1000.0
    assert abs(last.mean()) < 4 * last.std() / np.sqrt(len(last))


# What customers go through, and what they do then: facts F22, F23 and F24 of the field.

ASKING = surveys(after_order=1.0, response=1.0, extremity=0.0)


def test_a_late_parcel_delays_the_next_order_more_than_an_early_one_hastens_it_f22():
    # Quick-commerce study of the field's sources: the two are of the same size in hours, and count two to one.
    behaviour = shop(experience=experience(LATE, EARLY, negativity=2.0, contact=0.0, first_contact=1.0, buying=1.5))
    population = regulars(150_000, months=3)
    log = events(population, inputs(population, [], latents=LOYAL, behaviour=behaviour), seed=20240501)
    orders = log.filter(pl.col("kind") == ORDER).with_columns(next=pl.col("second").shift(-1).over("customer"))
    first = orders.filter(pl.col("order") == 0).drop_nulls()
    # Customers' own satisfaction is what it is; so the means over them of the log of the gap are compared.
    gap = first.with_columns(gap=(pl.col("next") - pl.col("second") + 0.5).log())
    by_kind = gap.group_by("d").agg(pl.col("gap").mean(), error=pl.col("gap").std() / pl.len().sqrt()).sort("d")
    nothing, late, early = by_kind["gap"]
    error = by_kind["error"].to_numpy()
    longer, shorter = late - nothing, nothing - early
    assert longer > 4 * np.hypot(error[0], error[1])
    assert longer - shorter > 4 * np.sqrt(4 * error[0] ** 2 + error[1] ** 2 + error[2] ** 2)
    # Memory 0.3, shocks of 0.6 and twice as much, 1.5 times as many orders for one deviation.
    step = 0.3 * 0.6 * np.log(1.5)
    assert abs(longer - 2 * step) < 4 * np.hypot(error[0], error[1])
    assert abs(shorter - step) < 4 * np.hypot(error[0], error[2])


def test_a_late_parcel_changes_the_same_gap_by_twice_as_much_as_an_early_one_f22():
    # The same order of the same customer, in a shop where it was late, and in one where it was early.
    gaps = []
    for shock in (-0.6, 0.0, 0.6):
        happened = incident("something", 0.5, shock, 0.0)
        going = experience(happened, negativity=2.0, contact=0.0, buying=1.5)
        population = regulars(2_000, months=3)
        ready = inputs(population, [], latents=LOYAL, behaviour=shop(experience=going))
        log = events(population, ready, seed=20240501).filter(pl.col("kind") == ORDER)
        first = log.filter(pl.col("order") <= 1).pivot("order", index="customer", values=["second", "d"])
        affected = first.drop_nulls().filter(pl.col("d_0") == 1)
        # Satisfaction is counted from the shop's usual level, which half of the orders lower or raise: taken out again.
        centre = 0.5 * shock * (2.0 if shock < 0.0 else 1.0)
        level = np.exp(np.log(1.5) * 0.3 * -centre)
        gaps.append(affected.select("customer", gap=(pl.col("second_1") - pl.col("second_0")) * level))
    both = gaps[0].join(gaps[1], on="customer", suffix="_usual").join(gaps[2], on="customer", suffix="_early")
    late, early = both["gap"].log() - both["gap_usual"].log(), both["gap_usual"].log() - both["gap_early"].log()
    sure = both["gap_usual"] > 86_400  # seconds are cut off: for gaps of a day and more, 2e-5 of them
    np.testing.assert_allclose(late.filter(sure), 2 * 0.3 * 0.6 * np.log(1.5), atol=5e-5)
    np.testing.assert_allclose(early.filter(sure), 0.3 * 0.6 * np.log(1.5), atol=5e-5)


def test_a_recovered_failure_can_please_more_than_none_but_never_sells_more_f23():
    # De Matos, Henrique & Rossi (2007): a recovery paradox in satisfaction, none in repurchase.
    failing = dataclasses.replace(
        shop(experience=experience(incident("late", 0.5, -1.0, 1.0), contact=0.0, first_contact=1.0, buying=1.5)),
        surveys=ASKING,
    )
    population = regulars(5_000, months=3)
    amends = programme(made("recovery", share=1.0, compensation=5.0, repair=0.8, delight=1.0))
    none = programme(made("incidents", ratio=0.01))
    ready = inputs(population, [none], [amends], latents=LOYAL, behaviour=failing)
    spared, recovered = (events(population, ready, seed=20240501, arm=arm) for arm in (0, 1))
    made_up = recovered.filter((pl.col("kind") == TICKET) & (pl.col("order") == 0) & (pl.col("d") > 0))["customer"]

    def of_first_order(log):
        mine = log.filter(pl.col("customer").is_in(made_up.implode()))
        said = mine.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0))
        times = mine.filter((pl.col("kind") == ORDER) & (pl.col("order") <= 1))
        gap = times.group_by("customer").agg(gap=pl.col("second").max() - pl.col("second").min(), n=pl.len())
        incident_at_first = times.filter(pl.col("order") == 0).select("customer", incident="d")
        return said.select("customer", felt="d").join(gap, on="customer").join(incident_at_first, on="customer")

    both = (
        of_first_order(spared)
        .filter(pl.col("incident") == 0)
        .join(of_first_order(recovered), on="customer", suffix="_recovered")
    )
    both = both.filter((pl.col("n") == 2) & (pl.col("n_recovered") == 2))
    assert both.height > 1_500
    assert (both["felt_recovered"] > both["felt"]).all(), "they say that they are more satisfied"
    assert (both["gap_recovered"] >= both["gap"] - 1).all(), "and come back no sooner"
    assert both["gap_recovered"].sum() > both["gap"].sum()


def test_revenue_rises_with_satisfaction_faster_and_faster_f24():
    # Ho, Park & Zhou (2006): increasing and convex.
    behaviour = shop(experience=experience(memory=1.0, contact=0.0, buying=1.4, leaving=0.8, basket=1.05))
    arms = [[programme(made("satisfaction", shift=shift))] for shift in (-1.0, 0.0, 1.0)]
    counts = play(newcomers(50_000, months=24), *arms, behaviour=behaviour)
    low, middle, high = (int(arm[:, :, place(CountKind.LIST)].sum()) for arm in counts.by_arm)
    assert low < middle < high
    assert high - middle > middle - low


def test_who_reckons_with_the_mean_satisfaction_expects_too_few_orders_f24():
    # Ho, Park & Zhou (2006): a mixture of customers buys more than as many customers of its mean satisfaction.
    behaviour = dataclasses.replace(shop(experience=experience(memory=0.0, contact=0.0, buying=1.6)), surveys=ASKING)
    population = regulars(40_000, months=6)
    log = events(population, inputs(population, [], latents=LOYAL, behaviour=behaviour), seed=20240501)
    placed = log.filter(pl.col("kind") == ORDER).group_by("customer").len()
    said = (
        log.filter((pl.col("kind") == SURVEY) & (pl.col("a") == 0)).group_by("customer").agg(felt=pl.col("d").first())
    )
    both = placed.join(said, on="customer")
    everyone = both["len"].to_numpy()
    middling = both.filter(pl.col("felt").abs() < 100)["len"].to_numpy()
    error = np.hypot(everyone.std() / np.sqrt(len(everyone)), middling.std() / np.sqrt(len(middling)))
    assert everyone.mean() - middling.mean() > 4 * error
    # In closed form: exp(b S) has the mean exp(b b / 2), and is 1 for mean satisfaction.
    b = np.log(1.6)
    ratio = everyone.mean() / middling.mean()
    assert abs(ratio - np.exp(b * b / 2)) < 4 * error / middling.mean() * ratio
