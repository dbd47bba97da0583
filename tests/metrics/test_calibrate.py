"""What tables say of a behaviour is what made them, and its file reads again; what they cannot say stays."""

from __future__ import annotations

import dataclasses
import math
import shutil
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError, ParamError
from cxsim.library import root
from cxsim.metrics.calibrate import CALIBRATION, behaviour_yaml, calibrate, source_yaml, with_entry, write_behaviour
from cxsim.metrics.calibration_fits import Responding, fit_lognormal, fit_scale, response_at_mean
from cxsim.params import quantities, read, sources, with_values
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.loading import check_params
from cxsim.study.sources import shop_tables
from cxsim.tables import check
from tests.metrics.worlds import LIKE, OTHERWISE, exactly, new_customers

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


def calibrated(shop, **tables):
    """Return the calibration of a shop with other tables, and why numbers were not measured."""
    found = calibrate(dataclasses.replace(shop, **tables), like=LIKE, name="mine")
    return found, dict(found.table.select("number", "missing").drop_nulls().iter_rows())


# Refunds are whole cents: the mean over 4,000 of them, of 15 and more, is off by less than this; moments whole seconds.
SLACK = {"returns.part": 0.005 / 15.0, "returns.days": 1.0 / 86_400}


def scores(table, behaviour):
    """Return, by number, how many standard errors what was measured lies from the truth."""
    rows = table.select("number", "measured", "error").drop_nulls().iter_rows()
    true = truths(behaviour)
    return {number: (value - true[number]) / max(error, SLACK.get(number, 0.0)) for number, value, error in rows}


def test_every_number_that_tables_can_say_is_recovered_within_4_standard_errors(found):
    distances = scores(found.table, TRUTH)
    assert len(distances) == MEASURED
    assert all(abs(score) < 4.0 for score in distances.values()), distances


def test_most_truths_lie_in_their_90_percent_intervals(found):
    # Of 26 numbers with chance in them 23.4 on average; fewer than 18 have a chance of 1 in 500.
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


def test_what_tables_never_say_stays_as_it_was_and_the_table_lists_each_number_once(found):
    table = check(found.table, CALIBRATION)
    assert table["number"].is_duplicated().sum() == 0
    assert table["before"].to_list() == [truths(LIKE)[number] for number in table["number"]]
    before, after = dict(quantities(LIKE)), dict(quantities(found.behaviour))
    kept = {path for path, quantity in after.items() if quantity == before[path]}
    assert {"experience.memory", "experience.negativity", "surveys.extremity", "traits.spend"} <= kept
    assert "experience.purchase_rate_per_deviation" in kept
    assert len(after) - len(kept) == MEASURED
    assert found.behaviour.order_season == LIKE.order_season


def test_a_world_with_the_calibrated_behaviour_measures_the_same(found):
    values = {path: quantity.value for path, quantity in quantities(found.behaviour)}
    unmoved = dict(quantities(TRUTH))
    same = {path: unmoved[path].value for path in values if path.endswith("_per_deviation") and "experience" in path}
    again = dataclasses.replace(with_values(found.behaviour, values | same), traits=None)
    scenario = new_customers(again, seed=12)
    second = calibrate(shop_tables(scenario).shop(scenario), like=LIKE, name="again")
    distances = scores(second.table, again)
    assert len(distances) == MEASURED
    assert all(abs(score) < 4.0 for score in distances.values()), distances


TICKETS = ["experience.contact", "experience.first_contact", "experience.response_hours", "surveys.after_ticket"]


@pytest.mark.parametrize(
    ("table", "numbers"),
    [
        ("tickets", TICKETS),
        ("surveys", ["surveys.nps.centre"]),
        ("returns", ["returns.part"]),
        ("sessions", ["sessions.conversion"]),
    ],
)
def test_where_a_table_is_not_there_what_was_assumed_stays_and_the_table_is_named(shop, table, numbers):
    found, missing = calibrated(shop, **{table: None})
    before, after = dict(quantities(LIKE)), dict(quantities(found.behaviour))
    for number in numbers:
        assert missing[number].startswith(f"there is no table of {table}. ")
        assert missing[number].endswith("measurable.")
        assert after[number] == before[number]
    assert found.behaviour.experience.incidents[0].chance.evidence == "measured"


def test_answers_alone_do_not_say_who_was_asked_but_say_the_scales(shop):
    found, missing = calibrated(shop, surveys=shop.surveys.filter(pl.col("score").is_not_null()))
    for number in ("surveys.after_order", "surveys.after_ticket", "surveys.response"):
        assert missing[number].startswith("the surveys hold only answers, so the number of surveys sent is not known;")
    assert found.behaviour.surveys.nps.centre.evidence == "measured"


def rated(shop, score, *, instrument="csat_good"):
    """Return the shop's surveys after tickets as a desk has them: linked to tickets, on another scale."""
    csat = shop.surveys.filter(pl.col("instrument") == "csat")
    return csat.with_columns(
        instrument=pl.lit(instrument), score=score, ticket_id=pl.concat_str(pl.lit("t-"), "order_id")
    )


def test_good_and_bad_ratings_say_who_is_asked_and_who_answers_but_not_the_scale(shop):
    good = (pl.col("score") >= 4).cast(pl.Int64)
    found, missing = calibrated(shop, surveys=rated(shop, good))
    distances = scores(found.table, TRUTH)
    # Those who wrote are less satisfied than all, which moves how many answer by less than these errors.
    assert abs(distances["surveys.after_ticket"]) < 4.0
    assert abs(distances["surveys.response"]) < 4.0
    answers = rated(shop, good).collect()["score"].drop_nulls()
    for field in ("centre", "per_deviation", "noise"):
        reason = missing[f"surveys.csat.{field}"]
        assert reason.startswith(f"{len(answers):,} answers are only good or bad, {100 * answers.mean():.1f} % of them")
        assert reason.endswith("a question on satisfaction with support, from 1 to 5, makes it measurable.")
    assert missing["surveys.after_order"] == "no survey asks for recommending."


def test_effort_counts_for_who_answers_and_is_not_taken_for_ease(shop):
    found, missing = calibrated(shop, surveys=rated(shop, pl.col("score"), instrument="effort"))
    assert found.behaviour.surveys.response.evidence == "measured"
    assert "answers are on effort, from 1 to 5, which cannot be converted" in missing["surveys.ces.centre"]


def test_tickets_that_are_still_open_are_not_counted_among_those_that_could_be_rated(shop):
    half = pl.col("ticket_id").str.extract(r"(\d+)$").cast(pl.Int64) % 2 == 0
    tickets = shop.tickets.with_columns(resolved_at=pl.when(half).then("resolved_at"))
    asked = rated(shop, pl.col("score")).filter(half)
    found, _ = calibrated(shop, tickets=tickets, surveys=asked.with_columns(instrument=pl.lit("csat_good"), score=None))
    assert abs(scores(found.table, TRUTH)["surveys.after_ticket"]) < 4.0


def test_who_writes_without_an_incident_is_measured_from_tickets_that_name_only_customers(shop):
    tables = {"tickets": shop.tickets.drop("order_id"), "orders": shop.orders.drop("incident")}
    like = with_values(LIKE, {path: one.value for path, one in quantities(TRUTH) if "incidents" in path})
    found = calibrate(dataclasses.replace(shop, **tables), like=like, name="mine")
    row = found.table.row(by_predicate=pl.col("number") == "experience.contact", named=True)
    assert abs(row["measured"] - truths(TRUTH)["experience.contact"]) < 4.0 * row["error"]
    assert row["method"].endswith("less tickets after incidents, as assumed")
    # Where incidents explain most tickets, the rest is no measurement.
    late = with_values(like, {"experience.incidents.item_1.ticket": 1.0, "experience.incidents.item_2.ticket": 1.0})
    late = with_values(late, {"experience.incidents.item_1.chance": 0.15})
    again = calibrate(dataclasses.replace(shop, **tables), like=late, name="mine").table
    assert "too much for a difference" in again.filter(number="experience.contact")["missing"][0]


def test_every_number_is_measured_or_has_a_reason(found):
    table = found.table
    assert table["number"].to_list() == [named(path) for path, _ in quantities(LIKE)]
    assert (table["missing"].is_null() == table["measured"].is_not_null()).all()
    assert (table["units"].is_null() == table["measured"].is_null()).all()


def test_where_hardly_anybody_answers_twice_the_spread_is_not_parted(shop):
    first = shop.surveys.sort("sent_at", "survey_id").unique(["customer_id", "instrument"], keep="first")
    found, missing = calibrated(shop, surveys=first)
    # sqrt(1.3^2 + 1.4^2) = 1.910 was assumed; sqrt(1.6^2 + 1.4^2) = 2.126 is true.
    assert missing["surveys.nps.noise"].startswith(
        "0 customers answered twice, too few to separate satisfaction from noise"
    )
    assert missing["surveys.nps.noise"].endswith("against 1.91.")
    spread = float(missing["surveys.nps.noise"].split("together they are ")[1].split(" ")[0])
    assert spread == pytest.approx(2.126, abs=0.08)
    assert found.behaviour.surveys.nps.noise == LIKE.surveys.nps.noise
    score = scores(found.table, TRUTH)["surveys.nps.centre"]
    assert abs(score) < 4.0, score


def test_an_incident_that_no_order_names_is_not_taken_for_impossible(shop):
    orders = shop.orders.with_columns(pl.col("incident").replace("early", None))
    found, missing = calibrated(shop, orders=orders)
    assert missing["experience.early.chance"] == "no order has 'early': it did not happen or is not recorded."
    assert found.behaviour.experience.incidents[3] == LIKE.experience.incidents[3]


def test_late_tickets_and_returns_of_young_orders_do_not_pull_their_share_down(shop, found):
    # 25 days from order to refund: of the orders of the last 25 days none can have come back, and 365 - 25 are old.
    orders = shop.orders.collect()
    young = orders.filter(pl.col("ordered_at") > shop.until - timedelta(days=25)).height
    assert young > 500
    row = found.table.row(by_predicate=pl.col("number") == "returns.chance", named=True)
    assert row["method"] == "share of orders at least 25 days old, delta over customers"


def test_refunds_without_a_day_say_how_often_and_how_much_but_not_when(shop):
    # What the table of returns says, as a platform's orders say it: paid back to date.
    back = shop.returns.group_by("order_id").agg(refunded=pl.col("refund").sum())
    orders = shop.orders.join(back, on="order_id", how="left").with_columns(pl.col("refunded").fill_null(0.0))
    found, missing = calibrated(shop, orders=orders, returns=None)
    distances = scores(found.table, TRUTH)
    assert all(abs(distances[number]) < 4.0 for number in ("returns.chance", "returns.part")), distances
    assert missing["returns.days"].startswith("the orders say how much was refunded, not when.")
    assert found.behaviour.returns.days == LIKE.returns.days
    row = found.table.row(by_predicate=pl.col("number") == "returns.chance", named=True)
    days = math.ceil(LIKE.returns.days.range[1])
    assert row["method"].startswith(f"refunds in the place of returns: share of orders at least {days} days old")
    none, missing = calibrated(shop, orders=orders.with_columns(refunded=0.0), returns=None)
    assert missing["returns.chance"].startswith("there is no case among")
    assert none.behaviour.returns == LIKE.returns


def tiny(*moments):
    """Return a shop of an order of each customer, promised for and delivered so many days after it."""
    rows = [
        (f"o{n}", f"c{n}", SINCE, 10.0, *(None if day is None else SINCE + timedelta(days=day) for day in days))
        for n, days in enumerate(moments)
    ]
    names = ("order_id", "customer_id", "ordered_at", "amount", "promised_at", "delivered_at")
    kinds = (pl.String, pl.String, pl.Datetime("us"), pl.Float64, pl.Datetime("us"), pl.Datetime("us"))
    orders = pl.LazyFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
    return Shop(name="Tiny", currency="EUR", since=SINCE, until=UNTIL, orders=orders)


def test_days_of_delivery_tell_late_and_early_orders():
    # Late: came on day 6 of 5, and not at all by day 5. Early: day 4 of 5. On time: 5 of 5. Promised for after the end:
    # not judged. So 2 of 4 are late and 1 of 4 is early, 50 times over.
    found, missing = calibrated(tiny(*[(5, 6), (5, None), (5, 4), (5, 5), (400, None)] * 50))
    measured = dict(found.table.select("number", "measured").iter_rows())
    assert (measured["experience.late.chance"], measured["experience.early.chance"]) == (0.5, 0.25)
    assert missing["experience.defect.chance"] == "no order has 'defect': it did not happen or is not recorded."


def test_orders_that_say_nothing_of_what_happened_leave_it_as_assumed():
    shop = tiny((None, None))
    found, missing = calibrated(shop, orders=shop.orders.drop("promised_at", "delivered_at"))
    assert missing["experience.late.chance"].startswith("the orders have no column 'incident'. ")
    assert found.table["measured"].null_count() == found.table.height


def test_chances_that_cannot_be_together_are_refused():
    # Half of 30 orders late and half early: up to 0.65 each, which no world can have.
    with pytest.raises(ParamError, match="at the far ends of their ranges the chances add up to"):
        calibrated(tiny(*[(1, 2), (1, 0)] * 15))


def test_a_behaviour_without_parts_has_nothing_to_measure(shop):
    plain = Behaviour(name="plain", title="Plain", description="d")
    assert calibrate(shop, like=plain, name="mine").table.is_empty()


@pytest.mark.parametrize("name", ["My shop", "", "a--b", "../x"])
def test_a_name_that_is_none_is_refused(shop, name):
    with pytest.raises(ParamError, match="is not a valid behaviour name; use at most 80 lower-case letters"):
        calibrate(shop, like=LIKE, name=name)


def test_a_shop_without_orders_is_refused():
    shop = Shop(name="Empty", currency="EUR", since=SINCE, until=UNTIL)
    with pytest.raises(DataError, match=r"Empty: there is no table of orders\."):
        calibrate(shop, like=LIKE, name="mine")


def test_it_does_not_depend_on_the_order_of_rows(shop, found):
    tables = {name: getattr(shop, name).collect() for name in ("orders", "tickets", "surveys", "returns", "sessions")}
    mixed = {name: table.sample(fraction=1.0, shuffle=True, seed=3).lazy() for name, table in tables.items()}
    assert calibrated(shop, **mixed)[0].behaviour == found.behaviour


BUNDLED = sorted((root() / "params" / "behaviour").glob("*.yaml"))


@pytest.fixture(scope="module")
def small():
    scenario = new_customers(exactly(**OTHERWISE), per_month=500)
    return calibrate(shop_tables(scenario).shop(scenario, name="Crème & Söhne: shop #1"), like=LIKE, name="mine")


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(root() / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params"


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_behaviour_reads_again_as_it_was(path, tmp_path):
    behaviour = read(path, Behaviour)
    copy = tmp_path / path.name
    copy.write_text(behaviour_yaml(behaviour), encoding="utf-8")
    assert read(copy, Behaviour) == behaviour
    assert behaviour_yaml(read(copy, Behaviour)) == behaviour_yaml(behaviour)


def test_a_calibrated_behaviour_and_its_source_are_written_and_sound(small, project):
    before = (project / "sources.yaml").read_text(encoding="utf-8")
    file, added_to = write_behaviour(small, project)
    assert (file, added_to) == (project / "behaviour" / "mine.yaml", project / "sources.yaml")
    assert read(file, Behaviour) == small.behaviour
    assert sources()["mine-tables"] == small.source
    # What stood there stands there still, letter by letter.
    assert added_to.read_text(encoding="utf-8") == before + source_yaml(small)
    assert check_params([]) == []
    assert not list(project.rglob("*half-written*"))
    assert source_yaml(small).startswith("mine-tables:\n  authors: 'Crème & Söhne: shop #1'\n  year: 1999\n")
    # 500 a month from July to October, at 0.96, 0.97, 0.99 and 1.02 of the year's mean.
    assert "orders of 1,970 customers" in small.source.measured


OWN = "# Ours.\nother-2024:\n  authors: Us  # checked\n  year: 2024\n\n# Below.\nlast-2023:\n  year: 2023\n"


def test_a_folder_without_sources_gets_a_file_of_its_own_and_no_other_is_touched(small, project, tmp_path):
    before = {path: path.read_bytes() for path in project.rglob("*.yaml")}
    own = tmp_path / "mine" / "params"
    file, added_to = write_behaviour(small, own)
    assert (file, added_to) == (own / "behaviour" / "mine.yaml", own / "sources.yaml")
    assert added_to.read_text(encoding="utf-8").startswith("# Where the shop's own numbers come from")
    assert sources(added_to) == {"mine-tables": small.source}
    assert {path: path.read_bytes() for path in project.rglob("*.yaml")} == before


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_entry_takes_the_place_of_the_earlier_one_and_nothing_else_changes(small, ends, place):
    earlier = source_yaml(small).replace("grade: C", "grade: D\n\n  # a note inside").replace("\n", ends)
    text = OWN.replace("\n", ends)
    cuts = (0, text.index("# Below."), len(text))
    before = text[: cuts[place]] + earlier + text[cuts[place] :]
    expected = text[: cuts[place]] + source_yaml(small) + text[cuts[place] :]
    assert with_entry(before, small.source_name, source_yaml(small)) == expected


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ("behaviour", r"params/behaviour/mine\.yaml: this behaviour already exists"),
        ("source", r"params/sources\.yaml: the source 'mine-tables' already exists"),
    ],
)
def test_a_behaviour_or_a_source_that_is_there_is_not_written_over(small, project, there, message):
    file, _ = write_behaviour(small, project)
    if there == "source":
        file.unlink()
    before = {path: path.read_bytes() for path in project.rglob("*.yaml")}
    with pytest.raises(ParamError, match=message):
        write_behaviour(small, project)
    assert {path: path.read_bytes() for path in project.rglob("*.yaml")} == before


def test_where_the_disk_refuses_nothing_half_written_stays(small, project):
    shutil.rmtree(project / "behaviour")
    (project / "behaviour").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ParamError, match=r"params/behaviour/mine\.yaml: cannot be written"):
        write_behaviour(small, project)
    assert not list(project.rglob("*half-written*"))


EVERYBODY = Responding(odds=1e9, extremity=0.0)


def patterns(satisfied, centre, per_deviation, noise, *, generator, ends=(0, 10)):
    """Return two answers of each customer, all of whom were asked twice."""
    answers = centre + per_deviation * satisfied[:, None] + noise * generator.standard_normal((len(satisfied), 2))
    scores = np.clip(np.floor(answers + 0.5), *ends).astype(int)
    table = pl.DataFrame({"asked": 2, "answered": 2, "first": scores[:, 0], "second": scores[:, 1]})
    keys = table.columns
    return table.group_by(keys).agg(customers=pl.len().cast(pl.Int64)).sort(keys)


@pytest.mark.parametrize("centre", [8.0, 9.8])
def test_the_scale_is_found_again_though_most_answer_with_the_highest_score(centre):
    generator = np.random.Generator(np.random.PCG64(4))
    answers = patterns(generator.standard_normal(3_000), centre, 1.3, 1.4, generator=generator)
    found = fit_scale(answers, (0, 10), EVERYBODY, satisfaction_share=None)
    errors = (found.centre_error, found.per_deviation_error, found.noise_error)
    z = [(one - true) / error for one, true, error in zip(found[:3], (centre, 1.3, 1.4), errors, strict=True)]
    assert max(map(abs, z)) < 4.0, z
    assert found.spread == pytest.approx(np.hypot(found.per_deviation, found.noise), rel=1e-12)


def test_those_who_are_asked_may_be_less_satisfied_than_all():
    generator = np.random.Generator(np.random.PCG64(5))
    answers = patterns(generator.standard_normal(4_000) - 0.5, 8.0, 1.3, 1.4, generator=generator)
    found = fit_scale(answers, (0, 10), Responding(odds=1e9, extremity=0.0, shift=-0.5), satisfaction_share=None)
    assert abs(found.centre - 8.0) < 4.0 * found.centre_error
    # Taken for all customers, they would answer 0.65 less.
    plain = fit_scale(answers, (0, 10), EVERYBODY, satisfaction_share=None)
    assert plain.centre == pytest.approx(8.0 - 0.5 * 1.3, abs=4.0 * plain.centre_error)


def test_answers_that_are_all_the_same_say_no_scale():
    answers = pl.DataFrame({"asked": [2], "answered": [2], "first": [10], "second": [10], "customers": [50]})
    with pytest.raises(EstimationError, match="the answers do not determine it"):
        fit_scale(answers, (0, 10), EVERYBODY, satisfaction_share=0.5)


@pytest.mark.parametrize("share", [0.01, 0.12, 0.5, 0.95])
def test_without_extremity_all_answer_as_often_as_at_mean_satisfaction(share):
    assert response_at_mean(share, 0.0) == pytest.approx(share, rel=1e-9)


def test_where_extremes_answer_more_often_the_mean_answers_less_often():
    # By simulation: at an extremity of 0.6 and odds of 0.25 (a share of 0.2) at the mean.
    generator = np.random.Generator(np.random.PCG64(7))
    odds = 0.25 * np.exp(0.6 * np.abs(generator.standard_normal(2_000_000)))
    share = (odds / (1.0 + odds)).mean()
    assert share > 0.27
    # The mean of two million chances, of deviation 0.07, is known to 5e-5; its slope is about 1.
    assert response_at_mean(share, 0.6) == pytest.approx(0.2, abs=2e-4)


NOBODY = np.array([])


def waits(count, *, median, spread, seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    return median * np.exp(spread * generator.standard_normal(count))


def test_without_anybody_waiting_it_is_mean_and_deviation_of_the_logs():
    # Logs 0, ln 2, ln 4: mean ln 2; variance 2/3 (ln 2)^2; errors s / sqrt(3) of the mean and s / sqrt(6) of s.
    found = fit_lognormal(np.array([1.0, 2.0, 4.0]), NOBODY)
    spread = np.sqrt(2.0 / 3.0) * np.log(2.0)
    assert found.median == pytest.approx(2.0, rel=1e-9)
    assert found.spread == pytest.approx(spread, rel=1e-9)
    # The curvature is a difference over 1e-4, so that six digits hold.
    assert found.log_error == pytest.approx(spread / np.sqrt(3.0), rel=1e-6)
    assert found.spread_error == pytest.approx(spread / np.sqrt(6.0), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_open_tickets_are_counted_for_what_they_have_waited(seed):
    # Each is followed for 8 hours of a median of 10: more than half are open, and the truth is still found.
    true = waits(4_000, median=10.0, spread=1.2, seed=seed)
    over, waiting = true[true < 8.0], np.full((true >= 8.0).sum(), 8.0)
    assert len(waiting) > len(over)
    found = fit_lognormal(over, waiting)
    z = ((found.median - 10.0) / (found.median * found.log_error), (found.spread - 1.2) / found.spread_error)
    assert max(map(abs, z)) < 4.0, z
    # Who leaves the open ones out reads a median of less than half.
    assert np.median(over) < 5.0


def test_the_median_is_near_that_of_kaplan_and_meier_whatever_was_censored():
    true = waits(20_000, median=10.0, spread=1.0, seed=9)
    limits = waits(20_000, median=30.0, spread=1.0, seed=10)
    over, waiting = true[true <= limits], limits[true > limits]
    found = fit_lognormal(over, waiting)
    times = np.sort(np.concatenate([over, waiting]))
    ended = np.isin(times, over)
    staying = np.cumprod(1.0 - ended / (len(times) - np.arange(len(times))))
    product_limit = times[np.argmax(staying <= 0.5)]
    # Its standard error is about 1.25 times that of a mean of logs: 4 of them.
    assert product_limit == pytest.approx(found.median, abs=4 * 1.6 * (found.median * found.log_error))


@pytest.mark.parametrize("over", [NOBODY, np.array([3.0]), np.array([3.0, 3.0])])
def test_too_few_times_are_refused(over):
    with pytest.raises(DataError, match=f"needs two waiting times that differ; found {len(over)}"):
        fit_lognormal(over, np.array([5.0]))
