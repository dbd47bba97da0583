"""Orders that a model can be fitted to: what is read how, refused with which message, and every row accounted for."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.data.orders import HygieneReport, OrderTotals
from cxsim.data.rfm import summarise
from cxsim.data.shop import Policy, ReceiptLine
from cxsim.errors import DataError, ParamError

CSV = """customer_id,ordered_at,amount
007,2024-01-05,10.00
7,2024-01-06,20.50
007,2024-02-01,5
"""
DAYS = [date(2024, 1, 5), date(2024, 1, 6), date(2024, 2, 1)]
FRAME = pl.DataFrame({"customer_id": ["007", "7", "007"], "ordered_at": DAYS, "amount": [10.0, 20.5, 5.0]})


@pytest.fixture
def orders(text_file):
    """Write a CSV file and return its path."""
    return lambda text, name="orders.csv", encoding="utf-8": text_file(text, name, encoding)


def test_customers_that_look_like_numbers_keep_their_leading_zeros(orders):
    assert summarise(read_transactions(orders(CSV)))["customer_id"].to_list() == ["007", "7"]


def test_csv_parquet_and_frames_give_the_same_summary(orders, tmp_path):
    FRAME.write_parquet(tmp_path / "orders.parquet")
    expected = summarise(FRAME)
    for source in (orders(CSV), str(orders(CSV)), tmp_path / "orders.parquet", FRAME, FRAME.lazy()):
        assert summarise(read_transactions(source)).equals(expected)


def test_columns_may_have_other_names(orders):
    text = "note,client,when,total\nx,007,2024-01-05,10.00\n"
    columns = {"customer_id": "client", "ordered_at": "when", "amount": "total"}
    assert read_transactions(orders(text), columns=columns).table.collect().rows() == [
        ("007", datetime(2024, 1, 5), 10.0)
    ]


def test_a_frame_in_a_time_zone_keeps_the_wall_clock():
    zoned = pl.Series([datetime(2024, 3, 1, 23, 30, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    frame = pl.DataFrame({"customer_id": ["a"], "ordered_at": zoned, "amount": [1.0]})
    found = read_transactions(frame)
    assert found.until == date(2024, 3, 2)
    assert found.table.collect()["ordered_at"].to_list() == [datetime(2024, 3, 2, 8, 30)]


def test_timestamps_and_days_give_the_same_summary(orders):
    stamped = CSV.replace(",2024-01-05,", ",2024-01-05T23:59:59-05:00,").replace(",2024-02-01,", ",2024-02-01 00:00,")
    days = summarise(read_transactions(orders(CSV, name="days.csv")))
    assert summarise(read_transactions(orders(stamped))).equals(days)


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int64, pl.UInt16, pl.UInt64, pl.Float32, pl.Decimal(12, 2)])
def test_numbers_of_any_type_are_amounts(kind):
    frame = FRAME.with_columns(amount=pl.Series([1, 2, 3]).cast(kind))
    assert read_transactions(frame).table.collect()["amount"].to_list() == [1.0, 2.0, 3.0]
    # A decimal becomes the number nearest to it.
    frame = FRAME.with_columns(amount=pl.Series([Decimal("0.29"), Decimal("1.10"), Decimal("1234.56")]))
    assert read_transactions(frame).table.collect()["amount"].to_list() == [0.29, 1.1, 1234.56]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (pl.Int64, pl.Int64), (pl.UInt32, pl.UInt32), (pl.UInt8, pl.Int64), (pl.Int16, pl.Int64),
        (pl.Categorical, pl.String), (pl.Enum(["7", "8"]), pl.String),
    ],
)  # fmt: skip
def test_customers_that_are_whole_numbers_stay_so_and_categories_become_text(kind, kept):
    frame = FRAME.with_columns(pl.Series("customer_id", ["7", "8", "7"]).cast(kind))
    found = read_transactions(frame).table.collect()["customer_id"]
    assert found.equals(pl.Series("customer_id", ["7", "8", "7"]).cast(kept), check_dtypes=True)


def test_observation_ends_with_the_last_order_unless_said_otherwise():
    assert read_transactions(FRAME).until == date(2024, 2, 1)
    assert read_transactions(FRAME, until=date(2024, 3, 31)).until == date(2024, 3, 31)


def test_an_order_that_is_dropped_does_not_prolong_observation():
    for last in (0.0, -5.0):
        late = FRAME.with_columns(amount=pl.Series([10.0, 20.5, last]))
        assert read_transactions(late).until == date(2024, 1, 6)


def test_a_shop_that_was_read_gives_the_same_orders_and_is_not_read_in_another_way():
    found, expected = read_transactions(read_shop(FRAME)), read_transactions(FRAME)
    assert found.table.collect().equals(expected.table.collect())
    assert (found.hygiene, found.totals, found.until) == (expected.hygiene, expected.totals, expected.until)
    assert found.totals == OrderTotals(customers=2, orders=3, revenue=35.5)
    with pytest.raises(DataError, match="this shop has already been read"):
        read_transactions(read_shop(FRAME), until=date(2024, 1, 31))


@pytest.mark.parametrize(
    "written",
    [
        {"text": CSV.replace("\n", "\r\n"), "encoding": "utf-8-sig"},  # a byte order mark and Windows' line ends
        {"text": CSV, "name": "orders[1]*.CSV"},  # a bracket in the name of a file is part of the name
    ],
)
def test_a_file_is_read_whoever_wrote_it_and_whatever_its_name(orders, written):
    assert read_transactions(orders(**written)).hygiene.rows_kept == 3


def test_a_file_is_found_again_from_another_folder(orders, tmp_path, monkeypatch):
    orders(CSV)
    monkeypatch.chdir(tmp_path)
    found = read_transactions("orders.csv")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert found.table.collect().height == 3


def test_transactions_show_what_they_hold():
    found = read_transactions(FRAME.with_columns(amount=pl.Series([0.0, 1.0, 2.0])))
    assert repr(found) == "Transactions(2 of 3 rows kept, until 2024-02-01)"
    assert found._repr_html_().startswith("<p>Transactions(2 of 3 rows kept, until 2024-02-01)</p><p>3 rows read, ")


@pytest.mark.parametrize(
    ("source", "asked", "message"),
    [
        (FRAME.clear(), {}, r"the frame: no usable row\."),
        (FRAME, {"columns": {"amount": "totl"}}, r"no column 'totl' \(for amount\); possible: customer_id, ordered_at"),
        (FRAME, {"columns": {"customer": "client"}}, r"we have no 'customer'; did you mean 'customer_id'\?"),
        (
            FRAME,
            {"columns": {"customer_id": "amount", "ordered_at": "ordered_at", "amount": "amount"}},
            r"'amount' is given for two columns; each needs its own",
        ),
        (FRAME, {"until": "2024-01-31"}, r"until must be a day such as date\(1998, 6, 30\); found '2024-01-31'"),
        ({"customer_id": ["a"]}, {}, r"a path, a frame of polars, pandas or pyarrow, or a shop; found dict"),
        (FRAME.with_columns(customer_id=pl.Series([7.2, 7.9, 8.0])), {}, r"customer_id.*whole numbers"),
        (FRAME.with_columns(customer_id=True), {}, r"customer_id is Boolean; it must be text or whole numbers"),
        (FRAME.with_columns(ordered_at=1), {}, r"'ordered_at' is Int32; it must be text, a date or a datetime"),
        (FRAME.with_columns(amount=True), {}, r"'amount' is Boolean; it must be numbers or text"),
        (
            FRAME.with_columns(pl.Series("basket", [object()] * 3, dtype=pl.Object)),
            {},
            r"column 'basket' holds Python objects, .*; leave it out",
        ),
    ],
)
def test_a_frame_that_holds_no_orders_is_refused_with_the_reason(source, asked, message):
    with pytest.raises(DataError, match=message):
        read_transactions(source, **asked)


GOOD = ("a", "2024-01-05", "10.00")
REASONS = [
    "order_id is missing", "ordered_at is missing", "amount is missing", "identical to an earlier row",
    "free orders", "after the end of observation", "orders without a customer",
]  # fmt: skip
CREDITED = "credit notes and negative lines, offset against purchases where possible"
TAKEN_BACK = "orders fully reversed by a credit note"

texts = st.tuples(
    st.sampled_from(["a", "b", "007", "guest", "", None]),
    st.sampled_from(["2024-01-05", "2024-01-06 10:00", "20240301", "2024-02-30", "", None]),
    st.sampled_from(["10.00", "3.999", "0", "-4", "-10", "x", None]),
)
policies = st.builds(
    Policy, zero=st.sampled_from(["drop", "keep"]), duplicates=st.sampled_from(["drop", "keep"]),
    credits=st.sampled_from(["net", "drop"]), nobody=st.sampled_from(["missing", "keep"]),
    unreadable=st.just("missing"),
)  # fmt: skip
LENIENT = Policy(unreadable="missing")
REPEATED = [("c", "2024-01-04", "10.00"), ("c", "2024-01-05 09:00", "7.00")]
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


def unread(column: str, rows: int = 1) -> dict[str, int]:
    return {f"cells of '{column}' that cannot be read, treated as missing": rows}


NO_DAY = ("2024-02-30", "2024-01-05 25:00", "yesterday")
NO_AMOUNT = ("x", "nan", "inf", "1e400", "20000000000")
FREE, LATE = ("b", "2024-01-05", "0.00"), ("a", "2024-02-01", "1")


@pytest.mark.parametrize(
    ("rows", "asked", "dropped", "kept"),
    [
        *([[(customer, *GOOD[1:])], {}, {"orders without a customer": 1}, {}] for customer in (None, "", "  ")),
        *([[("b", day, "1")], {}, {"ordered_at is missing": 1}, {}] for day in (None, "")),
        *([[("b", "2024-01-05", amount)], {}, {"amount is missing": 1}, {}] for amount in (None, "")),
        ([("b", "yesterday", "1")], {"policy": LENIENT}, {"ordered_at is missing": 1}, unread("ordered_at")),
        ([("b", "2024-01-05", "x")], {"policy": LENIENT}, {"amount is missing": 1}, unread("amount")),
        ([("Guest", "2024-01-05", "1")], {}, {"orders without a customer": 1}, {}),
        ([("Guest", "2024-01-05", "1")], {"policy": {"nobody": "keep"}}, {}, {}),
        ([FREE], {}, {"free orders": 1}, {}),
        ([FREE], {"policy": {"zero": "keep"}}, {}, {"free orders": 1}),
        ([("a", "2024-01-05", "-4.00")], {}, {CREDITED: 1}, {}),
        ([("a", "2024-01-05", "-4.00")], {"policy": {"credits": "drop"}}, {"credit notes": 1}, {}),
        ([("b", "2024-01-05", "1"), ("b", "2024-01-06", "-1")], {}, {CREDITED: 1, TAKEN_BACK: 1}, {}),
        ([GOOD, GOOD, ("b", *GOOD[1:])], {}, {"identical to an earlier row": 2}, {}),
        ([GOOD, GOOD, ("b", *GOOD[1:])], {"policy": {"duplicates": "keep"}}, {}, {}),
        (
            [("a", "2024-01-06", "1"), ("a", "2024-01-07 00:00", "1")],
            {"until": date(2024, 1, 6)},
            {"after the end of observation": 1},
            {},
        ),
        (
            [LATE, LATE],
            {"until": date(2024, 1, 31)},
            {"identical to an earlier row": 1, "after the end of observation": 1},
            {},
        ),
        (
            [(None, "never", "free"), ("a", "never", "free")],
            {"policy": LENIENT},
            {"ordered_at is missing": 2},
            unread("ordered_at", 2) | unread("amount", 2),
        ),
    ],
)
def test_every_row_is_counted_under_the_first_reason_that_holds(rows, asked, dropped, kept):
    found = read_transactions(lines(GOOD, *rows), **asked)
    assert (gone(found.hygiene), stayed(found.hygiene)) == (dropped, kept)
    assert found.table.collect().height == 1 + len(rows) - sum(dropped.values())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        *(
            (("b", day, "1"), rf"'ordered_at': 1 of 2 cells cannot be read as a timestamp: row 2: '{day}' \(rows below")
            for day in NO_DAY
        ),
        *(
            (("b", "2024-01-05", amount), rf"'amount': 1 of 2 cells cannot be read as an amount: row 2: '{amount}' \(")
            for amount in NO_AMOUNT
        ),
        (("b", "2024-01-05", "1,50"), r"a decimal point, such as '10\.00', and some a decimal comma, such as '1,50'"),
        (("b", "05/01/2024", "1"), r"'05/01/2024' can be read as 5 January 2024 or 1 May 2024, and no cell shows"),
        (("1.03E+13", "2024-01-05", "1"), r"a customer such as '1\.03E\+13', a number rounded by a spreadsheet"),
    ],
)
def test_a_cell_that_cannot_be_read_stops_the_file_and_is_named(row, message):
    with pytest.raises(DataError, match=message):
        read_transactions(lines(GOOD, row))


@pytest.mark.parametrize("amount", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_an_amount_that_cannot_be_read_and_one_that_is_not_there_is_missing(amount):
    frame = lines(GOOD, GOOD).with_columns(amount=pl.Series([10.0, amount]))
    with pytest.raises(DataError, match=rf"'amount': 1 of 2 cells cannot be read as an amount: row 2: {amount} \("):
        read_transactions(frame)
    assert stayed(read_transactions(frame, policy=LENIENT).hygiene) == unread("amount")
    missing = frame.with_columns(amount=pl.Series([10.0, None]))
    assert gone(read_transactions(missing).hygiene) == {"amount is missing": 1}


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        # Off the last purchase of the same amount before it; those of the same moment are before it.
        ([("a", 1, 4.0), ("a", 2, 4.0), ("a", 3, 5.0), ("a", 3, -4.0)], [("a", 1, 4.0), ("a", 3, 5.0)]),
        # Else off the last ones before it, one after the other.
        ([("a", 1, 4.0), ("a", 2, 5.0), ("a", 3, -7.0)], [("a", 1, 2.0)]),
        # Not off what comes later, nor off what others bought.
        ([("a", 1, 4.0), ("b", 1, 3.0), ("a", 2, -3.0), ("a", 3, 3.0)], [("a", 1, 1.0), ("b", 1, 3.0), ("a", 3, 3.0)]),
    ],
)
def test_a_credit_note_is_taken_off_what_it_takes_back(rows, left):
    frame = pl.DataFrame(
        [(customer, datetime(2024, 1, day), amount) for customer, day, amount in rows],
        schema=["customer_id", "ordered_at", "amount"],
        orient="row",
    )
    found = read_transactions(frame).table.collect().rows()
    assert [(customer, moment.day, amount) for customer, moment, amount in found] == left


def test_what_no_purchase_can_be_reduced_by_is_said():
    found = read_transactions(
        lines(GOOD, ("b", "2024-01-05", "3"), ("b", "2024-01-06", "-5"), ("", "2024-01-06", "-2"))
    )
    said = {finding.topic: (finding.severity, finding.figure) for finding in found.findings}
    assert said == {
        "credit notes": ("note", 3.0),
        "credit notes: unmatched": ("caution", 2.0),
        "credit notes: without a customer": ("note", 2.0),
    }


def test_words_for_nobody_and_customers_under_two_spellings_are_said():
    rows = [("guest", *GOOD[1:]), ("7", *GOOD[1:]), ("7.0", "2024-01-06", "1"), ("007", "2024-01-07", "1")]
    found = read_transactions(lines(*rows))
    assert [finding.topic for finding in found.findings] == [
        "customers: placeholders",
        "customers: decimals",
        "customers: alike",
        "customers: missing",
    ]
    assert found.table.collect()["customer_id"].to_list() == ["7", "7", "007"]


def test_lines_that_differ_in_a_column_we_do_not_use_are_no_duplicates():
    rows = lines(GOOD, GOOD, GOOD).with_columns(sku=pl.Series(["x", "y", "y"]))
    assert gone(read_transactions(rows).hygiene) == {"identical to an earlier row": 1}


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), policies, ends)
def test_rows_read_are_rows_kept_and_rows_gone(rows, policy, until):
    found = read_transactions(lines(*REPEATED, *rows), policy=policy, until=until)
    report, table = found.hygiene, found.table.collect()
    assert report.rows_read == 2 + len(rows) == report.rows_kept + sum(gone(report).values())
    assert report.rows_kept == table.height == found.totals.orders
    assert found.totals.customers == table["customer_id"].n_unique() == summarise(found).height
    assert table["amount"].min() >= 0


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_neither_report_nor_summary_nor_findings(rows, policy, shuffle):
    every = [*REPEATED, *rows]
    one, other = (read_transactions(lines(*some), policy=policy) for some in (every, shuffle.sample(every, len(every))))
    assert (one.hygiene, one.totals, one.findings) == (other.hygiene, other.totals, other.findings)
    assert summarise(one).equals(summarise(other))


def test_of_two_credit_notes_of_one_moment_it_does_not_matter_which_stands_first():
    bought = [("a", "2024-01-05", "10"), ("a", "2024-01-06", "10")]
    back = [("a", "2024-01-07", "-10"), ("a", "2024-01-07", "-5")]
    one, other = (read_transactions(lines(*bought, *rows)).table.collect() for rows in (back, back[::-1]))
    assert one.equals(other)


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), ends)
def test_a_file_exported_twice_gives_the_customers_of_one(rows, until):
    every = [*REPEATED, *rows]
    once, twice = (read_transactions(lines(*some), policy=LENIENT, until=until) for some in (every, [*every, *every]))
    assert summarise(twice).equals(summarise(once))


@pytest.mark.parametrize("copied", [[slice(None)], [slice(500, 510), slice(0, 3)]])
def test_clean_rows_keep_the_order_of_the_file_whether_all_or_a_few_are_copied(orders, copied):
    # Many rows, because a few are kept in order by chance.
    rows = [f"{place},2024-01-05,{place % 7 + 1}.50" for place in range(20_000)]
    further = [row for part in copied for row in rows[part]]
    found = read_transactions(orders("\n".join(["customer_id,ordered_at,amount", *rows, *further])))
    assert gone(found.hygiene) == {"identical to an earlier row": len(further)}
    assert found.table.collect()["customer_id"].to_list() == [str(place) for place in range(20_000)]


def test_the_number_of_threads_changes_no_byte(orders):
    rows = [
        f"{place % 997},2024-01-{place % 28 + 1:02d},{place * 7919 % 10_007 / 100 - 20:.2f}" for place in range(9_000)
    ]
    path = orders("\n".join(["customer_id,ordered_at,amount", *rows]))
    program = (
        "import sys; from cxsim.data import read_transactions; found = read_transactions(sys.argv[1]); "
        "print(found.table.collect().write_csv(), found.hygiene, found.totals, found.findings)"
    )
    one, two = (
        subprocess.run(
            [sys.executable, "-c", program, path],
            capture_output=True,
            check=True,
            env={**os.environ, "POLARS_MAX_THREADS": threads},
        ).stdout
        for threads in ("1", "3")
    )
    assert one == two
    assert one.count(b"\n") > 5_000


def test_no_order_of_a_known_customer_is_refused_with_the_counts():
    rows = lines((None, "2024-01-05", "1"), ("guest", "2024-01-05", "1"), ("a", "2024-01-05", "0"))
    with pytest.raises(DataError) as refused:
        read_transactions(rows)
    assert str(refused.value).splitlines() == [
        "the frame: no order of a known customer.",
        "3 rows read, 0 kept",
        "  dropped 1: free orders",
        "  dropped 2: orders without a customer",
    ]


@pytest.mark.parametrize("field", ["zero", "duplicates", "credits", "nobody", "unreadable"])
def test_a_policy_that_there_is_not_is_refused(field):
    with pytest.raises(DataError, match=rf"policy {field}: 'merge' is not possible; possible: \w+, \w+\."):
        read_transactions(FRAME, policy={field: "merge"})
    with pytest.raises(ParamError, match=rf"policy: no '{field}s'; did you mean '{field}'"):
        read_transactions(FRAME, policy={f"{field}s": "keep"})


def test_the_report_is_a_table_a_text_and_in_notebooks_html():
    report = read_transactions(lines(GOOD, GOOD, ("b", "2024-01-05", "0"))).hygiene
    assert report.table.schema == {"reason": pl.String, "action": pl.String, "rows": pl.Int64}
    assert report.table["reason"].to_list() == REASONS
    assert report.table["rows"].to_list() == [0, 0, 0, 1, 1, 0, 0]
    assert str(report).splitlines() == [
        "3 rows read, 1 kept",
        "  merged 1: identical to an earlier row",
        "  dropped 1: free orders",
    ]
    strange = HygieneReport(rows_read=1, lines=(ReceiptLine(reason="<b>&", action="dropped", rows=1),))
    assert "&lt;b&gt;&amp;" in strange._repr_html_()
    assert "orders without a customer" in report._repr_html_()
