"""Columns: how moments and amounts are written is read from all cells together, and nothing is passed over."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cxsim.data.exports.columns import read_columns
from cxsim.data.exports.formats import Export, Format
from cxsim.data.shop import Policy
from cxsim.errors import DataError
from tests.data.samples import read_as


def read(columns, clock="shop", form="iso", numbers=(), **policy):
    form = Format(name="x", title="x", table="orders", columns={name: name for name in columns}, moments=form)
    export = Export(file="file.csv", rows=pl.LazyFrame(columns, schema_overrides=dict.fromkeys(numbers, pl.String)))
    times = [name for name in columns if name not in numbers]
    read = read_columns(export, form, Policy(clock=clock, **policy), times, numbers=numbers)
    return read.rows.collect(), dict(read.facts)


def read_cells(cells, **asked):
    return read({"ordered_at": cells}, **asked)[0]["ordered_at"].to_list()


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-01 09:05", "2024-03-01 09:05:00", " 2024-03-01T09:05:00.000 ", "2024-03-01 09:05:00 -0500",
        "2024-03-01T09:05:00Z", "2024-03-01T09:05:00+05:30", "2024/03/01 9:05:00 AM GMT+1", "Mar 1, 2024 09:05:00 AM",
        "Mar 1, 2024, 9:05 am", "1 Mar 2024 09:05", "01-Mar-2024 09:05", "Fri, 01 Mar 2024 09:05:00 +0000",
    ],
)  # fmt: skip
def test_a_moment_is_read_as_the_clock_on_the_wall_shows_it(cell):
    assert read_cells([cell]) == [datetime(2024, 3, 1, 9, 5)]


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        *((day, 0) for day in ("2024-03-13", "20240313", "13 Mar 2024")),
        ("3/13/2024 12:00 AM", 0),
        ("3/13/2024 12:00 PM", 12),
        ("3/13/2024 1:30:00 PM", 13),
    ],
)
def test_a_day_without_a_time_is_its_midnight_and_a_clock_may_have_twelve_hours(cell, hour):
    found = read_cells([cell])[0]
    assert found.replace(minute=0) == datetime(2024, 3, 13, hour)


def test_one_day_above_the_twelfth_tells_the_order_for_all_columns_of_the_file():
    assert read_cells(["08-04-2023 20:52", "17-04-2023 09:05"])[0] == datetime(2023, 4, 8, 20, 52)
    assert read_cells(["08/04/2023 20:52", "04/17/2023 09:05"])[0] == datetime(2023, 8, 4, 20, 52)
    found, _ = read({"created": ["08.04.2023 20:52"], "solved": ["17.04.2023 09:05"]})
    assert found["created"].item() == datetime(2023, 4, 8, 20, 52)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["01/02/2024 09:05", "11/12/2024 09:05"],
            "'01/02/2024 09:05' can be read as 1 February 2024 or 2 January 2024, .*, as moments: in shop.yaml",
        ),
        (
            ["13/02/2024", "02/13/2024"],
            "start with the day, such as '13/02/2024', .* the month, such as '02/13/2024'",
        ),
    ],
)
def test_days_and_months_that_cannot_be_told_apart_are_refused(cells, message):
    with pytest.raises(DataError, match=message):
        read_cells(cells)
    # Days that are the same in both orders need no telling.
    assert read_cells(["05/05/2024"]) == [datetime(2024, 5, 5)]


def test_a_form_that_somebody_wrote_down_is_kept_to():
    asked = {"form": "%d/%m/%Y", "unreadable": "missing"}
    assert read_cells(["01/02/2024", "2024-01-01"], **asked) == [datetime(2024, 2, 1), None]
    with pytest.raises(DataError, match=r"row 2: '2024-01-01' \(rows below the header\); they are read as %d/%m/%Y\."):
        read_cells(["01/02/2024", "2024-01-01"], form="%d/%m/%Y")


@pytest.mark.parametrize("cell", ["", "  ", None, "2024-02-30 09:00", "2024-03-01 25:00", "1 foo 2024", "soon"])
def test_what_is_no_moment_is_refused_unless_it_is_empty_or_counts_as_missing(cell):
    found = [None, datetime(2024, 3, 1, 9)]
    assert read_cells([cell, "2024-03-01 09:00"], unreadable="missing") == found
    if (cell or "").strip():
        with pytest.raises(
            DataError, match=rf"'ordered_at': 1 of 2 cells cannot be read as a timestamp: row 1: '{cell}' "
        ):
            read_cells([cell, "2024-03-01 09:00"])
    else:
        assert read_cells([cell, "2024-03-01 09:00"]) == found


@pytest.mark.parametrize(
    "cell",
    [
        "1. März 2024", "1 mars 2024", "1 de marzo de 2024", "1 maart 2024", "March 1st, 2024", "1 mar. 2024",
        "1 mar. 2024 à 9:05", "viernes, 1 de marzo de 2024", "1-Mar-24", "1709283900", "1709283900000",
    ],
)  # fmt: skip
def test_months_have_names_in_many_languages_and_systems_count_seconds(cell):
    # 2024-03-01 09:05 is 1,709,283,900 seconds after 1970 in universal time.
    assert [moment.date() for moment in read_cells([cell])] == [date(2024, 3, 1)]


def test_universal_time_is_reckoned_from_the_offset_and_refused_where_a_cell_has_none():
    # 09:05 five hours behind is 14:05; 09:05 five and a half hours ahead is 03:35.
    cells = ["2024-03-01 09:05:00 -0500", "2024-03-01T09:05:00+05:30", "2024-03-01T09:05:00Z"]
    assert [moment.strftime("%H:%M") for moment in read_cells(cells, clock="utc")] == ["14:05", "03:35", "09:05"]
    with pytest.raises(DataError, match="'ordered_at': some cells have no UTC offset"):
        read_cells([*cells, "2024-03-01 09:05"], clock="utc")


def test_the_offsets_of_a_file_are_shown_and_the_end_of_a_day_is_none():
    _, facts = read({"ordered_at": ["2024-03-01 09:05:00 -0500", "2024-03-20 09:05:00 -0400"]})
    assert facts["offsets"] == "-0400, -0500; the time is kept as written"
    # -2024 looks like an offset of 20 hours and 24 minutes.
    assert "offsets" not in read({"ordered_at": ["13-03-2024", "01-03-2024"]})[1]


def test_columns_that_are_moments_already_are_taken_as_they_are():
    assert read_cells([date(2024, 3, 1)]) == [datetime(2024, 3, 1)]
    assert read_cells([datetime(2024, 3, 1, 9)]) == [datetime(2024, 3, 1, 9)]
    assert read_cells([datetime(2024, 3, 1, 9, tzinfo=UTC)], clock="utc") == [datetime(2024, 3, 1, 9)]
    with pytest.raises(DataError, match="'ordered_at': some cells have no UTC offset"):
        read_cells([datetime(2024, 3, 1, 9)], clock="utc")
    numbers = pl.LazyFrame({"order_id": ["1"], "customer_id": ["a"], "ordered_at": [20240301], "amount": [1.0]})
    with pytest.raises(DataError, match="'ordered_at' is Int64; it must be text, a date or a datetime"):
        read_as("cxsim orders", numbers)


def test_one_moment_below_many_that_cannot_be_read_is_enough():
    # Only the first 1,000 are tried before the whole column is.
    cells = ["soon"] * 1_200 + ["1.3.2024 09:05", "13.3.2024 09:05"]
    assert read_cells(cells, unreadable="missing")[-2:] == [datetime(2024, 3, 1, 9, 5), datetime(2024, 3, 13, 9, 5)]
    with pytest.raises(DataError, match=r"'ordered_at': 1,200 of 1,202 cells .* row 3: 'soon' and 1,197 more "):
        read_cells(cells)


# How amounts are written.


def read_amounts(cells, **policy):
    found, facts = read({"amount": cells}, numbers=("amount",), **policy)
    return found["amount"].to_list(), facts.get("amounts", "")


@pytest.mark.parametrize(
    ("cells", "found", "said"),
    [
        (["12.5", "-3", "1e3", "+2", ".5", "5.", " 7 ", ""], [12.5, -3.0, 1000.0, 2.0, 0.5, 5.0, 7.0, None], ""),
        # Another cell says how 1,400 is meant.
        (["1,400", "1,5"], [1.4, 1.5], "decimal comma"),
        (["1,400", "1.5"], [1400.0, 1.5], "decimal point"),
        (["1.400", "12,50 €"], [1400.0, 12.5], "decimal comma, €"),
        (["(12.50)", "12.50-", "\N{MINUS SIGN}4", "$-6", "+2"], [-12.5, -12.5, -4.0, -6.0, 2.0], "$, decimal point"),
        (["USD 5", "$7"], [5.0, 7.0], "$, USD, decimal point"),
        (["1,23,456.50", "1,234,567"], [123456.5, 1234567.0], "decimal point"),
    ],
)
def test_amounts_are_read_as_all_cells_together_are_written(cells, found, said):
    assert read_amounts(cells) == (found, said)
    # The same where only a later cell says so.
    assert read_amounts(["7"] * 1_200 + cells)[0][1_200:] == found


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,400"], r"'1,400' can be read as 1,400\.00 or 1\.40, and no cell of the column shows which"),
        (["1.234"] * 3, r"'1\.234' can be read as 1\.23 or 1,234\.00, and no cell"),
        (["12.50", "12,50"], r"a decimal point, such as '12\.50', and some a decimal comma, such as '12,50'"),
        (["$5", "€7"], r"amounts are in \$ and €\. Amounts in different currencies cannot be added"),
        (["12.50", "n/a"], r"1 of 2 cells cannot be read as an amount: row 2: 'n/a' "),
        (["1,2345.00"], r"1 of 1 cells cannot be read as an amount: row 1: '1,2345\.00' "),
    ],
)
def test_amounts_that_can_be_read_in_two_ways_or_in_none_are_refused(cells, message):
    with pytest.raises(DataError, match=rf"file\.csv: 'amount': .*{message}"):
        read_amounts(cells)


def test_somebody_may_say_which_mark_is_the_decimal_one_and_that_other_cells_are_missing():
    assert read_amounts(["1,400"], decimal=",")[0] == [1.4]
    assert read_amounts(["1,400"], decimal=".")[0] == [1400.0]
    assert read_amounts(["1.50", "2,50", "x"], decimal=",", unreadable="missing")[0] == [None, 2.5, None]
