"""Order lines: what is read how, refused with which message, and that every row is accounted for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.data import orders as orders_module
from cxsim.data.orders import HygienePolicy, HygieneReport, read_transactions
from cxsim.data.rfm import summarise
from cxsim.data.shop import ReceiptLine
from cxsim.errors import DataError

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


def moments(orders, *written: str) -> list[datetime]:
    """Moments of a CSV file, in its order."""
    rows = "".join(f"{place},{moment},1\n" for place, moment in enumerate(written))
    return read_transactions(orders(f"customer_id,ordered_at,amount\n{rows}")).table.collect()["ordered_at"].to_list()


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
        ("007", datetime(2024, 1, 5), 10.0)  # noqa: DTZ001 - the shop's clock has no zone
    ]


def test_days_and_moments_are_read_in_every_iso_form(orders):
    written = [
        "2024-03-01", "20240301", "2024-03-01 00:00", "2024-03-01 00:00:00", "2024-03-01 00:00:00.000",
        "2024-03-01T00:00", "2024-03-01T00:00:00", "2024-03-01T00:00:00Z", " 2024-03-01 ",
    ]  # fmt: skip
    assert moments(orders, *written) == [datetime(2024, 3, 1)] * len(written)  # noqa: DTZ001 - the shop's clock
    assert moments(orders, "2024-03-01 09:30:15.25")[0].microsecond == 250_000


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+02:00", "-1100", "+14:00"])
def test_an_offset_keeps_the_day_as_it_is_written(orders, offset):
    found = moments(orders, f"2024-03-01T00:30:00{offset}", f"2024-03-01T23:30:00{offset}")
    assert [moment.date() for moment in found] == [date(2024, 3, 1)] * 2


def test_a_frame_in_a_time_zone_keeps_the_wall_clock():
    zoned = pl.Series([datetime(2024, 3, 1, 23, 30, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    frame = pl.DataFrame({"customer_id": ["a"], "ordered_at": zoned, "amount": [1.0]})
    found = read_transactions(frame)
    assert found.until == date(2024, 3, 2)
    assert found.table.collect()["ordered_at"].to_list() == [datetime(2024, 3, 2, 8, 30)]  # noqa: DTZ001 - the shop's clock


def test_timestamps_and_days_give_the_same_summary(orders):
    stamped = CSV.replace(",2024-01-05,", ",2024-01-05T23:59:59-05:00,").replace(",2024-02-01,", ",2024-02-01 00:00,")
    days = summarise(read_transactions(orders(CSV, name="days.csv")))
    assert summarise(read_transactions(orders(stamped))).equals(days)


@pytest.mark.parametrize(
    ("written", "read"), [("12.5", 12.5), ("+12.5", 12.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), (" 7 ", 7.0)]
)
def test_a_plain_number_is_an_amount(orders, written, read):
    text = f"customer_id,ordered_at,amount\na,2024-01-05,{written}\n"
    assert read_transactions(orders(text)).table.collect()["amount"].to_list() == [read]


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
        (pl.Int64, pl.Int64),
        (pl.UInt32, pl.UInt32),
        (pl.UInt8, pl.Int64),
        (pl.Int16, pl.Int64),
        (pl.Categorical, pl.String),
        (pl.Enum(["7", "8"]), pl.String),
    ],
)
def test_customers_that_are_whole_numbers_stay_so_and_categories_become_text(kind, kept):
    frame = FRAME.with_columns(pl.Series("customer_id", ["7", "8", "7"]).cast(kind))
    found = read_transactions(frame).table.collect()["customer_id"]
    assert found.equals(pl.Series("customer_id", ["7", "8", "7"]).cast(kept), check_dtypes=True)


def test_observation_ends_with_the_last_order_unless_said_otherwise():
    assert read_transactions(FRAME).until == date(2024, 2, 1)
    assert read_transactions(FRAME, until=date(2024, 3, 31)).until == date(2024, 3, 31)


def test_an_order_that_is_dropped_does_not_prolong_observation():
    late = FRAME.with_columns(amount=pl.Series([10.0, 20.5, -5.0]))
    assert read_transactions(late).until == date(2024, 1, 6)


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
    ("written", "message"),
    [
        ({"name": "orders.xlsx"}, r"file ending '\.xlsx' is not known; possible: \.csv, \.parquet"),
        ({"text": ""}, r"the file is empty; it must have a header line and rows"),
        ({"text": CSV.splitlines()[0] + "\n"}, r"orders\.csv: there are no rows"),
        (
            {"text": CSV.replace("amount", "amout")},
            r"no column 'amount'; did you mean 'amout'\? Possible: customer_id, ",
        ),
        ({"text": CSV.replace(",", ";")}, r"no column 'customer_id'.*Columns must be separated by commas"),
        ({"text": CSV.replace("007", "Zoé"), "encoding": "latin-1"}, r"not UTF-8.*save (it|the file) as UTF-8"),
        ({"text": CSV.replace("amount", "amount,größe"), "encoding": "latin-1"}, r"not UTF-8.*save (it|the file)"),
        ({"encoding": "utf-16"}, r"the file is UTF-16, not UTF-8; save it as UTF-8"),
        ({"text": CSV + "7,2024-01-06,20,50\n"}, r"orders\.csv: the rows cannot be read \(found more fields"),
        ({"name": "orders.parquet"}, r"orders\.parquet: the rows cannot be read \(.*[Pp]arquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(orders, written, message):
    with pytest.raises(DataError, match=message):
        read_transactions(orders(**{"text": CSV} | written))


def test_what_is_no_file_is_refused(tmp_path):
    for path, message in ((tmp_path / "none.csv", "no such file"), (tmp_path, "not a file; possible: one CSV")):
        with pytest.raises(DataError, match=message):
            read_transactions(path)


@pytest.mark.parametrize(
    ("source", "asked", "message"),
    [
        (FRAME.clear(), {}, r"the frame: there are no rows"),
        (FRAME, {"columns": {"amount": "totl"}}, r"no column 'totl' \(for amount\); possible: customer_id, ordered_at"),
        (FRAME, {"columns": {"customer": "client"}}, r"we have no 'customer'; did you mean 'customer_id'\?"),
        (
            FRAME,
            {"columns": {"customer_id": "amount"}},
            r"must name three different columns of the source; found .*'amou",
        ),
        (FRAME, {"until": "2024-01-31"}, r"until must be a day such as date\(1998, 6, 30\); found '2024-01-31'"),
        ({"customer_id": ["a"]}, {}, r"a path, a polars DataFrame or a LazyFrame; found dict"),
        (
            FRAME.with_columns(customer_id=1.0),
            {},
            r"customer_id \('customer_id'\) is Float64; it must be text or whole",
        ),
        (FRAME.with_columns(ordered_at=1), {}, r"'ordered_at'\) is Int32; it must be Date, Datetime or text"),
        (FRAME.with_columns(amount=True), {}, r"amount \('amount'\) is Boolean; it must be numbers or text"),
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


NO_DAY = (None, "", "05/01/2024", "2024-1-5", "2024-02-30", "2024-01-05 25:00", "yesterday")
NO_AMOUNT = (None, "", "1,50", "1,234.50", "$5", "5 EUR", "nan", "inf", "1e400", "20000000000")
FREE, LATE = ("b", "2024-01-05", "0.00"), ("a", "2024-02-01", "1")


@pytest.mark.parametrize(
    ("rows", "asked", "dropped", "kept"),
    [
        *([[(customer, *GOOD[1:])], {}, {"missing customer id": 1}, {}] for customer in (None, "", "  ")),
        *([[("b", day, "1")], {}, {"unparseable date": 1}, {}] for day in NO_DAY),
        *([[("b", "2024-01-05", amount)], {}, {"unparseable amount": 1}, {}] for amount in NO_AMOUNT),
        ([FREE], {}, {"zero amount": 1}, {}),
        ([FREE], {"policy": HygienePolicy(zero_amount="keep")}, {}, {"zero amount": 1}),
        ([("a", "2024-01-05", "-10.00")], {}, {"credit note or negative line": 1}, {}),
        ([GOOD, GOOD, ("b", *GOOD[1:])], {}, {"exact duplicate": 2}, {}),
        (
            [GOOD, GOOD, ("b", *GOOD[1:])],
            {"policy": HygienePolicy(exact_duplicate="keep")},
            {},
            {"exact duplicate": 2, "further line of the same order day": 2},
        ),
        (
            [("a", "2024-01-06", "1"), ("a", "2024-01-07 00:00", "1")],
            {"until": date(2024, 1, 6)},
            {"after the end of observation": 1},
            {},
        ),
        ([LATE, LATE], {"until": date(2024, 1, 31)}, {"exact duplicate": 1, "after the end of observation": 1}, {}),
        ([("b", "2024-01-05", "9.995")], {}, {}, {"amount finer than a cent": 1}),
        (
            [("a", "2024-01-05 18:00", "2"), ("a", "2024-01-05", "3"), ("a", "2024-01-06", "3")],
            {},
            {},
            {"further line of the same order day": 2},
        ),
        (
            [(None, "never", "free"), ("a", "never", "free")],
            {},
            {"missing customer id": 1, "unparseable date": 1},
            {},
        ),
    ],
)
def test_every_row_is_counted_under_the_first_reason_that_holds(rows, asked, dropped, kept):
    found = read_transactions(lines(GOOD, *rows), **asked)
    assert (gone(found.hygiene), stayed(found.hygiene)) == (dropped, kept)
    assert found.table.collect().height == 1 + len(rows) - sum(dropped.values())


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), None])
def test_a_number_that_is_none_is_an_amount_that_cannot_be_read(amount):
    frame = lines(GOOD, GOOD).with_columns(amount=pl.Series([10.0, amount]))
    assert gone(read_transactions(frame).hygiene) == {"unparseable amount": 1}


def test_lines_that_differ_in_a_column_we_do_not_use_are_no_duplicates():
    rows = lines(GOOD, GOOD, GOOD).with_columns(sku=pl.Series(["x", "y", "y"]))
    assert gone(read_transactions(rows).hygiene) == {"exact duplicate": 1}


@settings(max_examples=5)
@given(st.lists(st.integers(1, 10**12), min_size=30, max_size=30))
def test_an_amount_of_whole_cents_is_never_finer_than_a_cent(amounts):
    rows = [(str(cents), "2024-01-05", f"{cents // 100}.{cents % 100:02d}") for cents in set(amounts)]
    assert stayed(read_transactions(lines(*rows)).hygiene) == {}


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), policies, ends)
def test_rows_read_are_order_days_their_further_lines_and_rows_gone(rows, policy, until):
    found = read_transactions(lines(GOOD, *rows), policy=policy, until=until)
    report, rfm = found.hygiene, summarise(found)
    assert report.rows_read == 1 + len(rows) == report.rows_kept + sum(gone(report).values())
    order_days = rfm["frequency"].sum() + rfm.height
    assert report.rows_kept == order_days + stayed(report).get("further line of the same order day", 0)
    assert report.rows_kept == found.table.collect().height
    assert [line.reason for line in report.lines] == REASONS


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), st.randoms(use_true_random=False))
def test_the_report_does_not_depend_on_the_order_of_the_rows(rows, shuffle):
    every = [GOOD, *rows]
    assert (
        read_transactions(lines(*shuffle.sample(every, len(every)))).hygiene == read_transactions(lines(*every)).hygiene
    )


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), ends)
def test_a_file_exported_twice_gives_the_customers_of_one(rows, until):
    once, twice = lines(GOOD, *rows), lines(GOOD, *rows, GOOD, *rows)
    expected = summarise(read_transactions(once, until=until))
    assert summarise(read_transactions(twice, until=until)).equals(expected)


@settings(max_examples=30)
@given(st.lists(texts, max_size=30), policies, ends)
def test_copies_are_the_same_however_they_are_looked_for(rows, policy, until):
    # All rows compared; days sought and rows held; days sought and all rows compared in the end.
    found = []
    for share, held in ((-1.0, 0), (2.0, 100), (2.0, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(orders_module, "_LARGEST_SHARED", share)
            patch.setattr(orders_module, "_HELD_DAYS", held)
            read = read_transactions(lines(GOOD, *rows), policy=policy, until=until)
            found.append((read.hygiene, read.table.collect().rows()))
    assert found[0] == found[1] == found[2]


def test_days_that_share_a_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(orders_module, "_LARGEST_SHARED", 2.0)
    rows = lines(GOOD, GOOD, *[(name, f"2024-01-{day:02d}", "1") for name in "abc" for day in range(1, 20)])
    expected = read_transactions(rows)
    one_hash = pl.lit(7, dtype=pl.UInt64).alias("day_key")
    monkeypatch.setattr(orders_module, "_keyed", lambda table: table.with_columns(one_hash))
    found = read_transactions(rows)
    assert found.hygiene == expected.hygiene
    assert found.table.collect().equals(expected.table.collect())


@pytest.mark.parametrize("copied", [[slice(None)], [slice(500, 510), slice(0, 3)]])
def test_clean_rows_keep_the_order_of_the_file_whether_all_or_a_few_are_copied(orders, copied):
    # Many rows, because a few are kept in order by chance.
    rows = [f"{place},2024-01-05,{place % 7}.50" for place in range(20_000)]
    further = [row for part in copied for row in rows[part]]
    found = read_transactions(orders("\n".join(["customer_id,ordered_at,amount", *rows, *further])))
    assert gone(found.hygiene) == {"exact duplicate": len(further)}
    assert found.table.collect()["customer_id"].to_list() == [str(place) for place in range(20_000)]


def test_no_usable_row_is_refused_with_the_counts():
    rows = lines((None, "2024-01-05", "1"), ("a", "never", "1"), ("a", "2024-01-05", "-1"))
    with pytest.raises(DataError, match=r"(?s)no usable row\.\n3 rows read, 0 kept.*missing customer id +dropped +1\n"):
        read_transactions(rows)


@pytest.mark.parametrize("field", ["zero_amount", "exact_duplicate"])
def test_a_policy_that_is_neither_drop_nor_keep_is_refused(field):
    with pytest.raises(DataError, match=rf"{field} is 'merge'; possible: drop, keep"):
        HygienePolicy(**{field: "merge"})


def test_the_report_is_a_table_a_text_and_in_notebooks_html():
    report = read_transactions(lines(GOOD, GOOD, ("b", "2024-01-05", "0"))).hygiene
    assert report.table.schema == {"reason": pl.String, "action": pl.String, "rows": pl.Int64}
    assert report.table["reason"].to_list() == REASONS
    assert report.table["rows"].to_list() == [0, 0, 0, 1, 0, 1, 0, 0, 0]
    listed = str(report).splitlines()
    assert listed[0] == "3 rows read, 1 kept"
    assert listed[4].split() == ["zero", "amount", "dropped", "1"]
    strange = HygieneReport(rows_read=1, lines=(ReceiptLine(reason="<b>&", action="dropped", rows=1),))
    assert "&lt;b&gt;&amp;" in strange._repr_html_()
    assert "further line of the same order day" in report._repr_html_()
