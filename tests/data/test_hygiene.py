"""Every row is accounted for: one test per reason, and the sums that must hold."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.data import orders
from cxsim.data.orders import HygieneLine, HygienePolicy, HygieneReport, read_transactions
from cxsim.data.rfm import summarise
from cxsim.errors import DataError

GOOD = ("a", "2024-01-05", "10.00")
KEEP_ALL = HygienePolicy(zero_amount="keep", exact_duplicate="keep")
REASONS = [
    "missing customer id",
    "unparseable date",
    "unparseable amount",
    "zero amount",
    "credit note or negative line",
    "exact duplicate",
    "after the end of observation",
    "amount finer than a cent",
    "further line of the same order day",
]

texts = st.tuples(
    st.sampled_from(["a", "b", "007", "", None]),
    st.sampled_from(["2024-01-05", "2024-01-06 10:00", "20240301", "5.1.2024", "", None]),
    st.sampled_from(["10.00", "3.999", "0", "-4", "1,50", None]),
)
policies = st.builds(
    HygienePolicy, zero_amount=st.sampled_from(["drop", "keep"]), exact_duplicate=st.sampled_from(["drop", "keep"])
)
ends = st.sampled_from([None, date(2024, 1, 31), date(2024, 1, 5)])


def lines(*rows) -> pl.DataFrame:
    """Rows of customer, moment and amount as text."""
    return pl.DataFrame(rows, schema=dict.fromkeys(("customer_id", "ordered_at", "amount"), pl.String), orient="row")


def gone(report: HygieneReport) -> dict[str, int]:
    """Reasons for which rows were dropped or merged."""
    return {line.reason: line.rows for line in report.lines if line.action != "kept" and line.rows}


def stayed(report: HygieneReport) -> dict[str, int]:
    """What is said of rows that stay."""
    return {line.reason: line.rows for line in report.lines if line.action == "kept" and line.rows}


@pytest.mark.parametrize("customer", [None, "", "  "])
def test_a_row_without_customer_is_counted_not_repaired(customer):
    assert gone(read_transactions(lines(GOOD, (customer, *GOOD[1:]))).hygiene) == {"missing customer id": 1}


@pytest.mark.parametrize("moment", [None, "", "05/01/2024", "2024-1-5", "2024-02-30", "2024-01-05 25:00", "yesterday"])
def test_a_row_whose_date_cannot_be_read_is_counted(moment):
    assert gone(read_transactions(lines(GOOD, ("b", moment, "1"))).hygiene) == {"unparseable date": 1}


@pytest.mark.parametrize("amount", [None, "", "1,50", "1,234.50", "$5", "5 EUR", "nan", "inf", "1e400", "20000000000"])
def test_a_row_whose_amount_cannot_be_read_is_counted(amount):
    assert gone(read_transactions(lines(GOOD, ("b", "2024-01-05", amount))).hygiene) == {"unparseable amount": 1}


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), None])
def test_a_number_that_is_none_is_an_amount_that_cannot_be_read(amount):
    frame = lines(GOOD, GOOD).with_columns(amount=pl.Series([10.0, amount]))
    assert gone(read_transactions(frame).hygiene) == {"unparseable amount": 1}


def test_a_zero_amount_is_dropped_unless_the_policy_keeps_it():
    rows = lines(GOOD, ("b", "2024-01-05", "0.00"))
    assert gone(read_transactions(rows).hygiene) == {"zero amount": 1}
    keeping = read_transactions(rows, policy=HygienePolicy(zero_amount="keep")).hygiene
    assert (gone(keeping), stayed(keeping)) == ({}, {"zero amount": 1})


def test_a_credit_note_is_dropped():
    hygiene = read_transactions(lines(GOOD, ("a", "2024-01-05", "-10.00"))).hygiene
    assert gone(hygiene) == {"credit note or negative line": 1}


def test_exact_duplicates_are_merged_unless_the_policy_keeps_them():
    rows = lines(GOOD, GOOD, GOOD, ("b", "2024-01-05", "10.00"))
    merging = read_transactions(rows)
    assert (gone(merging.hygiene), merging.table.collect().height) == ({"exact duplicate": 2}, 2)
    keeping = read_transactions(rows, policy=HygienePolicy(exact_duplicate="keep"))
    assert (gone(keeping.hygiene), keeping.table.collect().height) == ({}, 4)
    assert stayed(keeping.hygiene) == {"exact duplicate": 2, "further line of the same order day": 2}


def test_lines_that_differ_in_a_column_we_do_not_use_are_no_duplicates():
    rows = lines(GOOD, GOOD, GOOD).with_columns(sku=pl.Series(["x", "y", "y"]))
    assert gone(read_transactions(rows).hygiene) == {"exact duplicate": 1}


def test_lines_at_different_hours_are_no_duplicates():
    rows = lines(("a", "2024-01-05 09:00", "1"), ("a", "2024-01-05 09:01", "1"))
    assert gone(read_transactions(rows).hygiene) == {}


def test_a_row_after_the_end_of_observation_is_dropped():
    rows = lines(GOOD, ("a", "2024-01-06", "1"), ("a", "2024-01-07 00:00", "1"))
    found = read_transactions(rows, until=date(2024, 1, 6))
    assert gone(found.hygiene) == {"after the end of observation": 1}


def test_a_moment_late_on_the_last_day_is_not_after_the_end():
    found = read_transactions(lines(("a", "2024-01-06 23:59:59", "1")), until=date(2024, 1, 6))
    assert gone(found.hygiene) == {}


def test_an_amount_finer_than_a_cent_is_counted_and_kept():
    hygiene = read_transactions(lines(GOOD, ("b", "2024-01-05", "9.995"))).hygiene
    assert (gone(hygiene), stayed(hygiene)) == ({}, {"amount finer than a cent": 1})


@given(st.integers(1, 10**12))
def test_an_amount_of_whole_cents_is_never_finer_than_a_cent(cents):
    written = f"{cents // 100}.{cents % 100:02d}"
    assert stayed(read_transactions(lines(("a", "2024-01-05", written))).hygiene) == {}


def test_further_lines_of_an_order_day_are_counted_and_kept():
    rows = lines(GOOD, ("a", "2024-01-05 18:00", "2"), ("a", "2024-01-05", "3"), ("a", "2024-01-06", "3"))
    hygiene = read_transactions(rows).hygiene
    assert (gone(hygiene), stayed(hygiene)) == ({}, {"further line of the same order day": 2})


def test_a_row_with_two_faults_is_counted_once_under_the_first():
    hygiene = read_transactions(lines(GOOD, (None, "never", "free"), ("a", "never", "free"))).hygiene
    assert gone(hygiene) == {"missing customer id": 1, "unparseable date": 1}


def test_a_duplicate_after_the_end_is_counted_once():
    late = ("a", "2024-02-01", "1")
    hygiene = read_transactions(lines(GOOD, late, late), until=date(2024, 1, 31)).hygiene
    assert gone(hygiene) == {"exact duplicate": 1, "after the end of observation": 1}


@given(st.lists(texts, max_size=30), policies, ends)
def test_rows_read_are_rows_kept_and_rows_gone(rows, policy, until):
    found = read_transactions(lines(GOOD, *rows), policy=policy, until=until)
    assert found.hygiene.rows_read == 1 + len(rows)
    assert found.hygiene.rows_kept + sum(gone(found.hygiene).values()) == found.hygiene.rows_read
    assert found.hygiene.rows_kept == found.table.collect().height
    assert [line.reason for line in found.hygiene.lines] == REASONS


@given(st.lists(texts, max_size=30), policies, ends)
def test_rows_kept_are_order_days_and_their_further_lines(rows, policy, until):
    found = read_transactions(lines(GOOD, *rows), policy=policy, until=until)
    rfm = summarise(found)
    order_days = rfm["frequency"].sum() + rfm.height
    assert found.hygiene.rows_kept == order_days + stayed(found.hygiene).get("further line of the same order day", 0)


@given(st.lists(texts, max_size=30), st.randoms(use_true_random=False))
def test_the_report_does_not_depend_on_the_order_of_the_rows(rows, luck):
    every = [GOOD, *rows]
    assert read_transactions(lines(*luck.sample(every, len(every)))).hygiene == read_transactions(lines(*every)).hygiene


@given(st.lists(texts, max_size=30), ends)
def test_a_file_exported_twice_gives_the_customers_of_one(rows, until):
    once, twice = lines(GOOD, *rows), lines(GOOD, *rows, GOOD, *rows)
    expected = summarise(read_transactions(once, until=until))
    assert summarise(read_transactions(twice, until=until)).equals(expected)


@given(st.lists(texts, max_size=30), policies, ends)
def test_copies_are_the_same_however_they_are_looked_for(rows, policy, until):
    # All rows compared; days sought and rows held; days sought and all rows compared in the end.
    found = []
    for worth, held in ((-1.0, 0), (2.0, 100), (2.0, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(orders, "_WORTH_THE_SEARCH", worth)
            patch.setattr(orders, "_HELD_DAYS", held)
            read = read_transactions(lines(GOOD, *rows), policy=policy, until=until)
            found.append((read.hygiene, read.table.collect().rows()))
    assert found[0] == found[1] == found[2]


def test_days_that_share_a_hash_are_sentence_apart(monkeypatch):
    monkeypatch.setattr(orders, "_WORTH_THE_SEARCH", 2.0)
    rows = lines(GOOD, GOOD, *[(name, f"2024-01-{day:02d}", "1") for name in "abc" for day in range(1, 20)])
    expected = read_transactions(rows)
    one_hash = pl.lit(7, dtype=pl.UInt64).alias("day_key")
    monkeypatch.setattr(orders, "keyed", lambda table: table.with_columns(one_hash))
    found = read_transactions(rows)
    assert found.hygiene == expected.hygiene
    assert found.table.collect().equals(expected.table.collect())


def test_a_few_copies_in_a_long_log_leave_its_order_as_it_is():
    places = range(20_000)
    long = lines(*[(str(place), "2024-01-05", "1.00") for place in places])
    found = read_transactions(pl.concat([long, long[500:510], long[:3]]))
    assert gone(found.hygiene) == {"exact duplicate": 13}
    assert found.table.collect()["customer_id"].to_list() == [str(place) for place in places]


def test_no_usable_row_is_refused_with_the_counts():
    rows = lines((None, "2024-01-05", "1"), ("a", "never", "1"), ("a", "2024-01-05", "-1"))
    with pytest.raises(DataError, match=r"(?s)no usable row\.\n3 rows read, 0 kept.*missing customer id +dropped +1\n"):
        read_transactions(rows)


@pytest.mark.parametrize("field", ["zero_amount", "exact_duplicate"])
def test_a_policy_that_is_neither_drop_nor_keep_is_refused(field):
    with pytest.raises(DataError, match=rf"{field} is 'merge'; possible: drop, keep"):
        HygienePolicy(**{field: "merge"})


def test_the_report_is_a_table_in_a_fixed_order():
    table = read_transactions(lines(GOOD, GOOD, ("b", "2024-01-05", "0"))).hygiene.table
    assert table.schema == {"reason": pl.String, "action": pl.String, "rows": pl.Int64}
    assert table["reason"].to_list() == REASONS
    assert table["rows"].to_list() == [0, 0, 0, 1, 0, 1, 0, 0, 0]


def test_the_report_reads_as_text():
    report = read_transactions(lines(GOOD, ("b", "2024-01-05", "0")), policy=KEEP_ALL).hygiene
    listed = str(report).splitlines()
    assert listed[0] == "2 rows read, 2 kept"
    assert listed[4].split() == ["zero", "amount", "kept", "1"]


def test_the_report_is_escaped_in_a_notebook():
    report = HygieneReport(rows_read=1, lines=(HygieneLine(reason="<b>&", action="dropped", rows=1),))
    assert "<td>&lt;b&gt;&amp;</td><td>dropped</td><td>1</td>" in report._repr_html_()
