"""Where satisfaction does nothing the careful methods find nothing; where it does, they see that.

Twenty worlds of 60,000 customers, seeds 1 to 20, none left out; the first four are those of tests/study/test_facts_nps.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

from cxsim.errors import DataError, TableError
from cxsim.metrics.contracts import SELECTION
from cxsim.metrics.promoters import COVARIATES, Windows, followed_answerers, selection_panel
from cxsim.tables import check
from tests.cohorts.answering import UNTIL, tables

METHODS = ["naive", "equal_count", "before", "after", "regression", "doubly_robust", "own_past"]
CAREFUL = ["regression", "doubly_robust", "own_past"]
END = datetime.combine(date(2024, 1, 1), time.min)
SHORT = Windows(history_days=100, answering_days=30, outcome_days=20)


@pytest.fixture(scope="module")
def worlds():
    """The panel of each world without an effect, and its seed."""
    panels = [selection_panel(*tables(seed, 60_000), until=UNTIL).with_columns(seed=seed) for seed in range(1, 21)]
    return pl.concat(panels).with_columns(log=pl.col("ratio").log())


def _mean(worlds, method):
    logs = worlds.filter(method=method)["log"].to_numpy()
    return math.exp(logs.mean()), logs.std(ddof=1) / math.sqrt(len(logs))


def test_the_panel_goes_from_the_most_naive_method_to_the_most_careful(worlds):
    panel = worlds.filter(seed=1).drop("seed", "log")
    assert check(panel, SELECTION)["method"].to_list() == METHODS
    assert set(panel["label"]) == {"association"}


def test_naive_tables_make_a_lead_of_two_and_a_third_out_of_nothing(worlds):
    # The field's figures, which tests/study/test_facts_nps holds to 0.05 over 78 weeks from each first order.
    assert _mean(worlds, "naive")[0] == pytest.approx(2.31, abs=0.05)
    assert 1.27 - 0.05 < _mean(worlds, "equal_count")[0] < 1.30 + 0.05 + 4 * 0.003


def test_promoters_had_spent_as_much_more_before_they_answered_as_they_spend_after(worlds):
    # Found 1.87 and 1.88, where nothing that an answer stands for moves an order.
    assert _mean(worlds, "before")[0] > 1.7
    assert _mean(worlds, "after")[0] > 1.7


@pytest.mark.parametrize("method", CAREFUL)
def test_the_careful_intervals_cover_one_where_satisfaction_causes_nothing(worlds, method):
    some = worlds.filter(method=method)
    covered = some.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    # Found 20, 19 and 20. Of twenty intervals that each cover with 95 %, fewer than 16 do once in 400 times.
    assert covered >= 16
    value, error = _mean(worlds, method)
    assert abs(math.log(value)) < 4 * error


def test_no_naive_interval_covers_one_there(worlds):
    some = worlds.filter(pl.col("method").is_in(["naive", "equal_count", "before", "after"]))
    assert some["low"].min() > 1.0


@pytest.mark.parametrize("method", CAREFUL)
def test_the_intervals_are_as_wide_as_the_worlds_differ(worlds, method):
    some = worlds.filter(method=method)
    sentence = (some["high"] / some["low"]).log().mean() / (2 * 1.959964)
    # The deviation of twenty worlds is known to 16 %, so four errors are two thirds.
    assert sentence == pytest.approx(some["log"].std(), rel=0.65)


def test_what_a_bad_order_changes_is_seen_against_the_own_past():
    # The same customers, traits and mishaps; in one shop they move orders, stay and baskets, in the other nothing.
    moved = selection_panel(*tables(1, 100_000, news=True, buying=1.2, leaving=1 / 1.2, basket=1.05), until=UNTIL)
    still = selection_panel(*tables(1, 100_000, news=True), until=UNTIL)
    for method in CAREFUL:
        with_effect, without = (
            panel.row(by_predicate=pl.col("method") == method, named=True) for panel in (moved, still)
        )
        assert with_effect["low"] > 1.0
        assert without["low"] <= 1.0 <= without["high"]
        assert with_effect["ratio"] > without["ratio"]


def _rows(kind, rows):
    names = {"orders": ["customer_id", "ordered_at", "amount"], "answers": ["customer_id", "sent_at", "score"]}[kind]
    table = pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"amount": pl.Float64})
    if kind == "orders":
        return table.with_columns(order_id=pl.lit("o"))
    return table.with_columns(survey_id=pl.lit("s"), instrument=pl.lit("nps"))


def _before(days):
    return END - timedelta(days=days)


@pytest.fixture
def shop():
    """The season runs from 50 to 20 days before the end; the history from 150 days before."""
    orders = [
        ("old", _before(200), 10.0), ("old", _before(100), 20.0), ("old", _before(45), 40.0),
        ("old", _before(30), 80.0), ("old", _before(24), 160.0), ("old", _before(10), 320.0),
        ("new", _before(140), 10.0), ("new", _before(40), 10.0),
        ("late", _before(200), 10.0), ("late", _before(19), 10.0),
        (None, _before(40), 10.0),
    ]  # fmt: skip
    answers = [
        ("old", _before(100), 3), ("old", _before(45), 9), ("old", _before(30), 2),
        ("new", _before(40), 9), ("late", _before(19), 9), (None, _before(40), 9),
    ]  # fmt: skip
    return _rows("orders", orders), _rows("answers", answers)


def test_the_first_answer_of_the_season_parts_before_from_after(shop):
    found = followed_answerers(*shop, until=END, windows=SHORT)
    row = found.customers.row(0, named=True)
    assert (found.customers.height, row["customer_id"], row["group"]) == (1, "old", "promoters")
    # Before: the order of day -100, in the 100 days to day -50. After: from day -45 to -25, so not the one of day -24;
    # the order of the answer itself lies in neither.
    assert (row["spend_before"], row["spend_after"]) == (20.0, 80.0)
    # The season opened 50 days after the last order but that one, and the answer came 5 days into it.
    assert row["log_idle"] == pytest.approx(math.log(51.0))
    assert row["log_wait"] == pytest.approx(math.log(6.0))
    assert row["log_known"] == pytest.approx(math.log(156.0))
    assert row["log_earlier_answers"] == pytest.approx(math.log(2.0))
    assert set(COVARIATES) < set(row)


def test_who_is_too_new_or_answers_too_late_is_counted(shop):
    found = followed_answerers(*shop, until=END, windows=SHORT)
    assert (found.too_new, found.too_late) == (1, 1)


def test_what_happens_after_the_answer_changes_no_covariate(shop):
    orders, answers = shop
    known = followed_answerers(orders, answers, until=END, windows=SHORT).customers
    later = pl.col("ordered_at") > _before(45)
    other = orders.with_columns(amount=pl.when(later).then(7.0).otherwise("amount"))
    changed = followed_answerers(other, answers, until=END, windows=SHORT).customers
    assert changed.drop("spend_after").equals(known.drop("spend_after"))


def test_lazy_tables_give_the_same_panel():
    orders, answers = tables(3, 20_000)
    eager = selection_panel(orders, answers, until=UNTIL)
    assert selection_panel(orders.lazy(), answers.sample(fraction=1.0, shuffle=True, seed=1).lazy(), until=UNTIL)[
        "ratio"
    ].to_list() == pytest.approx(eager["ratio"].to_list(), rel=1e-9)


def test_too_few_customers_leave_an_empty_panel(shop):
    assert check(selection_panel(*shop, until=END), SELECTION).is_empty()


def test_tables_and_times_that_cannot_be_used_are_refused(shop):
    orders, answers = shop
    with pytest.raises(TableError, match="SURVEYS: no column 'score'"):
        selection_panel(orders, answers.drop("score"), until=END)
    with pytest.raises(TableError, match="ORDERS: no column 'amount'"):
        selection_panel(orders.lazy().drop("amount"), answers, until=END)
    with pytest.raises(DataError, match="Windows: outcome_days is 0; possible: from 1"):
        Windows(outcome_days=0)
