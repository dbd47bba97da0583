"""What tables say of a behaviour is what made them; what they cannot say stays, with a reason."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.shop import Shop
from cxsim.errors import DataError, ParamError
from cxsim.metrics.calibrate import CALIBRATION, calibrate
from cxsim.params import quantities, with_values
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.shop_tables import shop_tables
from cxsim.tables import check
from tests.overview.worlds import LIKE, OTHERWISE, exactly, new_customers

TRUTH = exactly(**OTHERWISE)
MEASURED = 28
SINCE, UNTIL = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2024-07-01")


@pytest.fixture(scope="module")
def shop():
    scenario = new_customers(TRUTH)
    return shop_tables(scenario).shop(scenario)


@pytest.fixture(scope="module")
def found(shop):
    return calibrate(shop, like=LIKE, name="mine")


def truths(behaviour):
    """Return the values of a behaviour by the names of the table."""
    return {named(path): quantity.value for path, quantity in quantities(behaviour)}


def named(path):
    for place, incident in enumerate(LIKE.incidents, start=1):
        path = path.replace(f"incidents.item_{place}.", f"{incident}.")
    return path


def scores(table, behaviour):
    """Return, by number, how many standard errors what was measured lies from the truth."""
    true = truths(behaviour)
    found = {}
    for number, value, error in table.select("number", "measured", "error").drop_nulls().iter_rows():
        slack = error
        if number == "returns.part":
            # Refunds are whole cents: the mean over 4,000 of them, of 15 and more, is off by less than this.
            slack = max(error, 0.005 / 15.0)
        elif number == "returns.days":
            # Moments are whole seconds.
            slack = max(error, 1.0 / 86_400)
        found[number] = (value - true[number]) / slack
    return found


def test_every_number_that_tables_can_say_is_recovered_within_4_standard_errors(found):
    sentence = scores(found.table, TRUTH)
    assert len(sentence) == MEASURED
    assert all(abs(score) < 4.0 for score in sentence.values()), sentence


def test_most_truths_lie_in_their_90_percent_intervals(found):
    # Of 26 numbers with luck in them 23.4 on average; fewer than 18 have a chance of 1 in 500.
    true, inside = truths(TRUTH), 0
    for row in found.table.drop_nulls("measured").iter_rows(named=True):
        inside += row["low"] <= true[row["number"]] <= row["high"]
    assert inside >= 18, inside


def test_a_measured_number_is_a_quantity_with_its_interval_as_range_and_the_tables_as_source(found):
    hours = found.behaviour.experience.response_hours
    row = found.table.row(by_predicate=pl.col("number") == "experience.response_hours", named=True)
    assert (hours.evidence, hours.source) == ("measured", "mine-tables")
    assert hours.range == (float(f"{row['low']:.6g}"), float(f"{row['high']:.6g}"))
    assert hours.description == LIKE.experience.response_hours.description
    assert found.source_name == "mine-tables"
    assert found.source.grade == "C"
    assert found.source.year == 1999


def test_what_tables_never_say_stays_as_it_was(found):
    before, after = dict(quantities(LIKE)), dict(quantities(found.behaviour))
    kept = {path for path, quantity in after.items() if quantity == before[path]}
    assert {"experience.memory", "experience.negativity", "surveys.extremity", "traits.spend"} <= kept
    assert "experience.purchase_rate_per_deviation" in kept
    assert len(after) - len(kept) == MEASURED
    assert found.behaviour.order_season == LIKE.order_season


def test_the_table_keeps_its_contract_and_lists_each_number_once(found):
    table = check(found.table, CALIBRATION)
    assert table["number"].is_duplicated().sum() == 0
    assert table["before"].to_list() == [truths(LIKE)[number] for number in table["number"]]


def test_a_world_with_the_calibrated_behaviour_measures_the_same(found):
    values = {path: quantity.value for path, quantity in quantities(found.behaviour)}
    unmoved = dict(quantities(TRUTH))
    same = {path: unmoved[path].value for path in values if path.endswith("_per_deviation") and "experience" in path}
    again = dataclasses.replace(with_values(found.behaviour, values | same), traits=None)
    scenario = new_customers(again, seed=12)
    second = calibrate(shop_tables(scenario).shop(scenario), like=LIKE, name="again")
    sentence = scores(second.table, again)
    assert len(sentence) == MEASURED
    assert all(abs(score) < 4.0 for score in sentence.values()), sentence


def test_a_shop_without_tickets_keeps_what_was_assumed_and_says_so(shop):
    found = calibrate(dataclasses.replace(shop, tickets=None), like=LIKE, name="mine")
    missing = dict(found.table.select("number", "missing").drop_nulls().iter_rows())
    for number in (
        "experience.contact",
        "experience.first_contact",
        "experience.response_hours",
        "surveys.after_ticket",
    ):
        assert missing[number] == "there is no table of tickets."
    assert found.behaviour.experience.contact == LIKE.experience.contact
    assert found.behaviour.experience.incidents[0].chance.evidence == "measured"


@pytest.mark.parametrize(
    ("table", "number"),
    [("surveys", "surveys.nps.centre"), ("returns", "returns.part"), ("sessions", "sessions.conversion")],
)
def test_a_table_that_is_not_there_is_named(shop, table, number):
    found = calibrate(dataclasses.replace(shop, **{table: None}), like=LIKE, name="mine")
    missing = dict(found.table.select("number", "missing").drop_nulls().iter_rows())
    assert missing[number] == f"there is no table of {table}."


def test_answers_alone_do_not_say_who_was_asked_but_say_the_scales(shop):
    answers = shop.surveys.filter(pl.col("score").is_not_null())
    found = calibrate(dataclasses.replace(shop, surveys=answers), like=LIKE, name="mine")
    missing = dict(found.table.select("number", "missing").drop_nulls().iter_rows())
    reason = "the surveys hold answers alone, so how many were asked is not known."
    for number in ("surveys.after_order", "surveys.after_ticket", "surveys.response"):
        assert missing[number] == reason
    assert found.behaviour.surveys.nps.centre.evidence == "measured"


def test_where_hardly_anybody_answers_twice_the_spread_is_not_parted(shop):
    first = shop.surveys.sort("sent_at", "survey_id").unique(["customer_id", "instrument"], keep="first")
    found = calibrate(dataclasses.replace(shop, surveys=first), like=LIKE, name="mine")
    missing = dict(found.table.select("number", "missing").drop_nulls().iter_rows())
    # sqrt(1.3^2 + 1.4^2) = 1.910 was assumed; sqrt(1.6^2 + 1.4^2) = 2.126 is true.
    assert missing["surveys.nps.noise"].startswith(
        "0 customers answered twice, too few to part satisfaction from noise"
    )
    assert missing["surveys.nps.noise"].endswith("against 1.91.")
    spread = float(missing["surveys.nps.noise"].split("together they are ")[1].split(" ")[0])
    assert spread == pytest.approx(2.126, abs=0.08)
    assert found.behaviour.surveys.nps.noise == LIKE.surveys.nps.noise
    score = scores(found.table, TRUTH)["surveys.nps.centre"]
    assert abs(score) < 4.0, score


def test_an_incident_that_no_order_names_is_not_taken_for_impossible(shop):
    orders = shop.orders.with_columns(pl.col("incident").replace("early", None))
    found = calibrate(dataclasses.replace(shop, orders=orders), like=LIKE, name="mine")
    missing = dict(found.table.select("number", "missing").drop_nulls().iter_rows())
    assert missing["experience.early.chance"] == "no order says 'early': it did not happen, or is not recorded."
    assert found.behaviour.experience.incidents[3] == LIKE.experience.incidents[3]


def test_late_tickets_and_returns_of_young_orders_do_not_pull_their_share_down(shop, found):
    # 25 days from order to refund: of the orders of the last 25 days none can have come back, and 365 - 25 are old.
    orders = shop.orders.collect()
    young = orders.filter(pl.col("ordered_at") > shop.until - timedelta(days=25)).height
    assert young > 500
    row = found.table.row(by_predicate=pl.col("number") == "returns.chance", named=True)
    assert row["method"] == "share of orders at least 25 days old, delta over customers"


def orders_of(*rows):
    names = ("order_id", "customer_id", "ordered_at", "amount", "promised_at", "delivered_at")
    days = {name: pl.Datetime("us") for name in names[2:] if name.endswith("_at")}
    schema = {name: days.get(name, pl.String) for name in names} | {"amount": pl.Float64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def test_days_of_delivery_tell_late_and_early_orders():
    def order(number, promised, came):
        moments = [None if day is None else SINCE + timedelta(days=day) for day in (promised, came)]
        return (f"o{number}", f"c{number}", SINCE, 10.0, *moments)

    # Late: came on day 6 of 5, and not at all by day 5. Early: day 4 of 5. On time: 5 of 5. Promised for after the end:
    # not judged. So 2 of 4 are late and 1 of 4 is early, 50 times over.
    days = [(5, 6), (5, None), (5, 4), (5, 5), (400, None)]
    rows = [order(number, *days[number % 5]) for number in range(250)]
    shop = Shop(name="Tiny", currency="EUR", since=SINCE, until=UNTIL, orders=orders_of(*rows))
    table = calibrate(shop, like=LIKE, name="mine").table
    sentence = dict(table.select("number", "measured").iter_rows())
    assert (sentence["experience.late.chance"], sentence["experience.early.chance"]) == (0.5, 0.25)
    missing = dict(table.select("number", "missing").iter_rows())
    assert missing["experience.defect.chance"] == "no order says 'defect': it did not happen, or is not recorded."


def test_orders_that_say_nothing_of_what_happened_leave_it_as_assumed():
    orders = orders_of(("o1", "c1", SINCE, 10.0, None, None)).drop("promised_at", "delivered_at")
    shop = Shop(name="Tiny", currency="EUR", since=SINCE, until=UNTIL, orders=orders)
    table = calibrate(shop, like=LIKE, name="mine").table
    missing = dict(table.select("number", "missing").iter_rows())
    assert missing["experience.late.chance"] == "the orders have no column 'incident'."
    assert table["measured"].null_count() == table.height


def test_a_few_customers_are_too_few():
    rows = [(f"o{number}", f"c{number}", SINCE, 10.0, SINCE, SINCE) for number in range(29)]
    shop = Shop(name="Tiny", currency="EUR", since=SINCE, until=UNTIL, orders=orders_of(*rows))
    missing = dict(calibrate(shop, like=LIKE, name="mine").table.select("number", "missing").iter_rows())
    assert missing["experience.late.chance"] == "there are orders of 29 customers only; 30 are needed."


def test_chances_that_cannot_be_together_are_refused():
    # Half of 30 orders late and half early: up to 0.65 each, which no world can have.
    late, early = SINCE + timedelta(days=2), SINCE
    rows = [
        (f"o{number}", f"c{number}", SINCE, 10.0, SINCE + timedelta(days=1), late if number % 2 else early)
        for number in range(30)
    ]
    shop = Shop(name="Tiny", currency="EUR", since=SINCE, until=UNTIL, orders=orders_of(*rows))
    with pytest.raises(ParamError, match="at the far ends of their ranges the chances add up to"):
        calibrate(shop, like=LIKE, name="mine")


def test_a_behaviour_without_parts_has_nothing_to_measure(shop):
    plain = Behaviour(name="plain", title="Plain", description="d")
    assert calibrate(shop, like=plain, name="mine").table.is_empty()


@pytest.mark.parametrize("name", ["My shop", "", "a--b", "../x"])
def test_a_name_that_is_none_is_refused(shop, name):
    with pytest.raises(ParamError, match="is no name for a behaviour; use at most 80 small letters"):
        calibrate(shop, like=LIKE, name=name)


def test_a_shop_without_orders_is_refused():
    shop = Shop(name="Empty", currency="EUR", since=SINCE, until=UNTIL)
    with pytest.raises(DataError, match=r"Empty: there is no table of orders\."):
        calibrate(shop, like=LIKE, name="mine")


def test_it_does_not_depend_on_the_order_of_rows(shop, found):
    shuffled = {
        name: getattr(shop, name).collect().sample(fraction=1.0, shuffle=True, seed=3).lazy()
        for name in ("orders", "tickets", "surveys", "returns", "sessions")
    }
    again = calibrate(dataclasses.replace(shop, **shuffled), like=LIKE, name="mine")
    assert again.behaviour == found.behaviour
