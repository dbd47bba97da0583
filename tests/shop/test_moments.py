"""Moments as text: read by the form of the whole file, or refused."""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cxsim.data.exports.moments import moments
from cxsim.errors import DataError


def read(cells, **asked):
    rows = pl.LazyFrame({"when": cells})
    return rows.select(moments(rows, ["when"], file="file.csv", **asked).columns["when"]).collect()["when"].to_list()


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-01 09:05",
        "2024-03-01 09:05:00",
        " 2024-03-01T09:05:00.000 ",
        "2024-03-01 09:05:00 -0500",
        "2024-03-01T09:05:00Z",
        "2024-03-01T09:05:00+05:30",
        "2024/03/01 9:05:00 AM GMT+1",
        "Mar 1, 2024 09:05:00 AM",
        "Mar 1, 2024, 9:05 am",
        "1 Mar 2024 09:05",
        "01-Mar-2024 09:05",
        "Fri, 01 Mar 2024 09:05:00 +0000",
    ],
)
def test_a_moment_is_read_as_the_clock_on_the_wall_shows_it(cell):
    assert read([cell]) == [datetime(2024, 3, 1, 9, 5)]


@pytest.mark.parametrize("cell", ["2024-03-01", "20240301", "1 Mar 2024"])
def test_a_day_without_a_time_is_its_midnight(cell):
    assert read([cell]) == [datetime(2024, 3, 1)]


@pytest.mark.parametrize(
    ("cell", "hour"), [("3/13/2024 12:00 AM", 0), ("3/13/2024 12:00 PM", 12), ("3/13/2024 1:30:00 PM", 13)]
)
def test_noon_and_midnight_are_sentence_apart_on_a_clock_of_twelve_hours(cell, hour):
    assert read([cell])[0].hour == hour


def test_one_day_above_the_twelfth_tells_the_order_for_the_whole_file():
    assert read(["08-04-2023 20:52", "17-04-2023 09:05"])[0] == datetime(2023, 4, 8, 20, 52)
    assert read(["08/04/2023 20:52", "04/17/2023 09:05"])[0] == datetime(2023, 8, 4, 20, 52)


def test_another_column_of_the_file_tells_the_order_too():
    rows = pl.LazyFrame({"created": ["08.04.2023 20:52"], "solved": ["17.04.2023 09:05"]})
    sentence = moments(rows, ["created", "solved"], file="file.csv").columns["created"]
    assert rows.select(sentence).collect().item() == datetime(2023, 4, 8, 20, 52)


def test_days_and_months_that_cannot_be_sentence_apart_are_refused():
    with pytest.raises(DataError, match=r"in none of 2 cells is a number above 12.*write how its moments .* shop.yaml"):
        read(["01/02/2024 09:05", "11/12/2024 09:05"])


def test_days_and_months_in_both_orders_are_refused():
    with pytest.raises(DataError, match=r"above 12 in 1 of 2 cells and the second in 1, so that neither"):
        read(["13/02/2024 09:05", "02/13/2024 09:05"])


def test_a_form_that_somebody_wrote_down_is_kept_to():
    assert read(["01/02/2024", "2024-01-01"], form="%d/%m/%Y") == [datetime(2024, 2, 1), None]


@pytest.mark.parametrize("cell", ["", "  ", None, "2024-02-30 09:00", "2024-03-01 25:00", "soon"])
def test_what_is_no_moment_is_null(cell):
    assert read([cell, "2024-03-01 09:00"]) == [None, datetime(2024, 3, 1, 9)]


def test_a_column_without_one_readable_moment_is_refused():
    with pytest.raises(DataError, match="none of the 2 cells of 'when' can be read as a moment, such as 'soon'"):
        read(["soon", "later"])


def test_universal_time_is_reckoned_from_the_offset():
    # 09:05 five hours behind is 14:05; 09:05 five and a half hours ahead is 03:35.
    cells = ["2024-03-01 09:05:00 -0500", "2024-03-01T09:05:00+05:30", "2024-03-01T09:05:00Z"]
    assert [moment.strftime("%H:%M") for moment in read(cells, clock="utc")] == ["14:05", "03:35", "09:05"]


def test_the_end_of_a_day_is_no_offset():
    # -2024 looks like an offset of 20 hours and 24 minutes.
    rows = pl.LazyFrame({"when": ["13-03-2024", "01-03-2024"]})
    assert moments(rows, ["when"], file="file.csv").offsets == ()


def test_universal_time_is_refused_where_a_cell_has_no_offset():
    with pytest.raises(DataError, match="1 cells of 'when' are written without an offset"):
        read(["2024-03-01 09:05", "2024-03-01 09:05:00Z"], clock="utc")


def test_columns_that_are_moments_already_are_taken_as_they_are():
    assert read([date(2024, 3, 1)]) == [datetime(2024, 3, 1)]
    assert read([datetime(2024, 3, 1, 9)]) == [datetime(2024, 3, 1, 9)]
    assert read([datetime(2024, 3, 1, 9, tzinfo=UTC)], clock="utc") == [datetime(2024, 3, 1, 9)]


def test_columns_without_a_zone_have_no_universal_time():
    with pytest.raises(DataError, match="'when' has no time zone"):
        read([datetime(2024, 3, 1, 9)], clock="utc")


def test_a_column_of_numbers_is_no_column_of_moments():
    with pytest.raises(DataError, match="'when' is Int64; it must be text, a date or a datetime"):
        read([20240301])


def test_the_offsets_of_a_file_are_sentence():
    rows = pl.LazyFrame({"when": ["2024-03-01 09:05:00 -0500", "2024-03-20 09:05:00 -0400"]})
    sentence = moments(rows, ["when"], file="file.csv")
    assert sentence.offsets == ("-0400", "-0500")
    assert ("offsets", "-0400, -0500; the time is kept as written") in sentence.facts


def test_one_moment_below_many_that_cannot_be_read_is_enough():
    # Only the first 1,000 are tried before the whole column is.
    assert read(["soon"] * 1_200 + ["2024-03-01 09:05"])[-1] == datetime(2024, 3, 1, 9, 5)
    with pytest.raises(DataError, match="none of the 1,200 cells of 'when' can be read"):
        read(["soon"] * 1_200)
