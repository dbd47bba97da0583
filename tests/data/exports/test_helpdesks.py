"""Help desks: tickets and ratings of Zendesk and Freshdesk, and each of their quirks."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import json
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.exports.formats import recognised
from cxsim.data.exports.read_shop import read_shop
from cxsim.errors import DataError
from tests.data.samples import EXPORTS, freshdesk, read_as, zendesk

EXPECTED = json.loads((EXPORTS / "expected.json").read_text(encoding="utf-8"))["zendesk"]
REPLY, RESOLUTION = "First reply time in minutes", "Full resolution time in minutes"


def read(*rows):
    return read_as("Zendesk tickets", pl.LazyFrame(list(rows)), "view.csv")


def tickets(readout):
    return readout.tables["tickets"].collect()


def line(readout, table, reason):
    (receipt,) = (one for one in readout.receipts if one.table == table)
    return sum(one.rows for one in receipt.lines if reason in one.reason)


@pytest.fixture(scope="module")
def example():
    return read_shop(EXPORTS / "zendesk_tickets.csv")


def test_the_example_has_its_tickets_answers_and_reopenings_and_those_that_wait_are_as_old_as_expected(example):
    found = example.tickets.sort("ticket_id").collect()
    waiting = found.filter(pl.col("first_response_at").is_null())
    as_of = datetime.fromisoformat(EXPECTED["as_of"])
    assert found.height == EXPECTED["tickets"]
    assert found["first_response_at"].count() == EXPECTED["replied"]
    hours = sorted((as_of - created) / timedelta(hours=1) for created in waiting["created_at"])
    assert hours == EXPECTED["open_unreplied_ages_hours"]
    waits = (found["first_response_at"] - found["created_at"]).dt.total_minutes().drop_nulls().to_list()
    assert waits == [60, 120, 120, 240, 360]
    assert (found["reopens"] > 0).sum() == EXPECTED["reopened_tickets"]
    assert found["solved_at_first"].sum() == EXPECTED["one_reply_solved"]


def test_the_ratings_of_the_example_are_two_good_of_three_and_one_unanswered(example):
    found = example.surveys.collect()
    assert found["instrument"].unique().to_list() == ["csat_good"]
    assert f"{found['score'].sum()}/{found['score'].count()}" == EXPECTED["csat_good_over_good_plus_bad"]
    assert found["score"].null_count() == 1


def test_a_ticket_is_answered_and_resolved_after_its_minutes_on_the_calendar():
    (row,) = tickets(read(zendesk())).iter_rows(named=True)
    # 9:00 and 60 minutes is 10:00; 600 minutes is 19:00.
    assert row["first_response_at"] == datetime(2024, 3, 1, 10)
    assert row["resolved_at"] == datetime(2024, 3, 1, 19)


def test_an_explore_table_says_the_same_under_other_names():
    rows = pl.LazyFrame(
        {
            "Ticket ID": ["7"], "Requester ID": ["10300000000001"], "Ticket status": ["Solved"],
            "Ticket created - Timestamp": ["2024-03-01T09:00:00"], "First reply time (min)": ["60"],
            "Full resolution time (min)": ["600"],
        }
    )  # fmt: skip
    readout = read_as("Zendesk Explore tickets", rows)
    assert tickets(readout)["first_response_at"][0] == datetime(2024, 3, 1, 10)
    assert readout.receipts[0].recognised == "Zendesk Explore tickets"


ROUNDED = {"Requester_id": "1.03E+13"}


@pytest.mark.parametrize(
    ("rows", "customers"),
    [
        ([zendesk("1"), zendesk("2", Requester_email="")], ["ana@example.com", "10300000000001"]),
        ([zendesk(n, Requester_email="", **ROUNDED) for n in "12"], [None, None]),
        ([zendesk("1", **ROUNDED), zendesk("2", Requester_email="")], ["ana@example.com", None]),
    ],
)
def test_a_customer_is_the_email_in_small_letters_or_else_a_number_that_no_spreadsheet_rounded(rows, customers):
    readout = read(*rows)
    assert tickets(readout)["customer_id"].to_list() == customers
    if customers == [None, None]:
        assert (
            "2 of 2 requester ids were rounded by a spreadsheet, such as 1.03E+13"
            in readout.lacks["tickets.customer_id"]
        )
    elif None in customers:
        assert "by e-mail only" in dict(readout.receipts[0].facts)["customers"]


def test_blank_minutes_and_hyphens_mean_that_a_ticket_waits():
    found = tickets(read(zendesk("1", Status="Open", **{REPLY: "", RESOLUTION: "-"})))
    assert found.select("first_response_at", "resolved_at").row(0) == (None, None)


def test_a_ticket_that_was_solved_and_is_open_again_is_open():
    readout = read(zendesk(Status="Open", Reopens="1"))
    assert tickets(readout)["resolved_at"].to_list() == [None]
    assert line(readout, "tickets", "solved and reopened") == 1


@pytest.mark.parametrize(
    ("cells", "at_first"),
    [({"Replies": "2"}, False), ({"Reopens": "1"}, False), ({}, True), ({"Status": "Pending", RESOLUTION: ""}, None)],
)
def test_solved_at_first_takes_one_answer_and_no_reopening_and_is_not_known_of_who_waits(cells, at_first):
    assert tickets(read(zendesk(**cells)))["solved_at_first"].to_list() == [at_first]


def test_a_count_that_some_rows_do_not_have_is_left_out_and_said():
    readout = read(zendesk("1"), zendesk("2", Replies=""))
    assert "replies" not in tickets(readout).columns
    assert readout.lacks["tickets.replies"] == "the export has it for 1 of 2 tickets."


def test_a_ticket_that_stands_twice_is_counted_once_as_it_was_updated_last():
    readout = read(
        zendesk("1", Via="Chat", Updated_at="2024-03-05 09:00"), zendesk("1", Via="Mail"), zendesk("2"), zendesk("2")
    )
    found = tickets(readout).sort("ticket_id")
    assert found["channel"].to_list() == ["Chat", "Mail"]
    assert line(readout, "tickets", "earlier version of a ticket") == 1
    assert line(readout, "tickets", "duplicate row of a ticket") == 1
    assert readout.receipts[0].rows_kept == 2


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Status": "Deleted"}, "ticket deleted"),
        ({"Status": "spam"}, "ticket spam"),
        ({"Status": "Closed", "Tags": "vip closed_by_merge"}, "merged into another"),
        ({"Created_at": ""}, "no creation time"),
        ({REPLY: "-5"}, "before it was created"),
    ],
)
def test_what_is_no_ticket_is_dropped_and_counted(cells, reason):
    readout = read(zendesk("1", **cells), zendesk("2"))
    assert tickets(readout)["ticket_id"].to_list() == ["2"]
    assert line(readout, "tickets", reason) == 1


def test_a_moment_of_creation_that_cannot_be_read_is_refused_and_others_in_one_of_a_hundred_cells_are_counted():
    with pytest.raises(DataError, match=r"'Created at': 1 of 2 cells cannot be read as a timestamp: row 1: 'soon' \("):
        read(zendesk("1", Created_at="soon"), zendesk("2"))
    rows = [zendesk(str(n), Updated_at="soon" if n == 7 else "2024-03-02 09:00") for n in range(100)]
    assert line(read(*rows), "tickets", "cells of 'Updated at' that cannot be read, treated as missing") == 1
    with pytest.raises(DataError, match=r"'Updated at': 1 of 99 cells cannot be read as a timestamp: row 8: 'soon' \("):
        read(*rows[:99])


def test_a_status_that_the_shop_made_up_is_kept():
    assert tickets(read(zendesk(Status="Waiting for parts"))).height == 1


def test_the_newest_moment_is_shown_even_if_it_is_of_a_ticket_that_is_dropped():
    readout = read(zendesk("1", Status="Deleted", Updated_at="2024-03-09 12:00"), zendesk("2"))
    assert ("newest moment", "2024-03-09 12:00") in readout.receipts[0].facts


@pytest.mark.parametrize(
    ("rating", "scored"),
    [
        ("Good", ("csat_good", 1)),
        ("Bad with comment", ("csat_good", 0)),
        ("Offered", ("csat_good", None)),
        ("5", ("csat", 5)),
    ],
)
def test_a_rating_is_a_survey(rating, scored):
    survey = read(zendesk(Satisfaction_Score=rating)).tables["surveys"].collect()
    assert survey.select("instrument", "score").row(0) == scored
    assert survey["ticket_id"].to_list() == ["1"]


def test_who_did_not_answer_belongs_to_the_stars_where_the_others_gave_stars():
    readout = read(zendesk("1", Satisfaction_Score="4"), zendesk("2", Satisfaction_Score="Offered"))
    assert readout.tables["surveys"].collect()["instrument"].to_list() == ["csat", "csat"]


def test_ratings_that_were_not_asked_for_or_are_not_known_are_counted():
    scores = ["Good", "Not Offered", "", "Great"]
    readout = read(*(zendesk(str(n), Satisfaction_Score=score) for n, score in enumerate(scores)))
    assert readout.tables["surveys"].collect().height == 1
    assert line(readout, "surveys", "no rating requested") == 2
    assert line(readout, "surveys", "unknown rating: 'great'") == 1
    assert read(zendesk()).lacks["surveys"] == "view.csv has no ratings of customers."


def test_a_cell_that_is_no_number_and_a_comma_without_quotes_are_refused_with_their_rows(text_file):
    with pytest.raises(DataError, match=r"row 2 below the header has 'Good' under 'First reply time in minutes'"):
        read(zendesk("1"), zendesk("2", **{REPLY: "Good"}))
    lines = (EXPORTS / "zendesk_tickets.csv").read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace("Closed", "Internal,Closed")
    with pytest.raises(DataError, match="line 4 has 43 cells, but the header has 42 names"):
        read_shop(text_file("\n".join(lines)))


def read_freshdesk(*rows):
    return read_as("Freshdesk tickets", pl.LazyFrame(list(rows)))


def test_times_come_from_the_moments_and_not_from_business_hours():
    readout = read_freshdesk(freshdesk())
    (row,) = readout.tables["tickets"].collect().iter_rows(named=True)
    # An hour on the calendar; a quarter of one in business hours.
    assert row["first_response_at"] == datetime(2024, 3, 1, 10)
    assert row["resolved_at"] == datetime(2024, 3, 1, 19)
    assert any("(in hrs) count business hours and are not used" in text for _, text in readout.receipts[0].facts)


def test_the_case_of_the_header_does_not_matter():
    rows = [{name.title(): cell for name, cell in freshdesk().items()}]
    assert recognised(list(rows[0])).title == "Freshdesk tickets"
    assert read_freshdesk(*rows).tables["tickets"].collect()["customer_id"].to_list() == ["ana@example.com"]


@pytest.mark.parametrize(
    ("cells", "answered", "resolved"),
    [
        ({"Status": "Open", "Resolved_time": "", "Initial_response_time": ""}, None, None),
        # Closed without being resolved, it ended then.
        ({"Resolved_time": "", "Closed_time": "2024-03-01 20:00:00"}, 10, 20),
    ],
)
def test_blank_moments_mean_that_a_ticket_waits_or_ended_when_it_was_closed(cells, answered, resolved):
    found = read_freshdesk(freshdesk(**cells), freshdesk("2")).tables["tickets"].collect()
    hours = found.select(pl.col("first_response_at", "resolved_at").dt.hour()).row(0)
    assert hours == (answered, resolved)


@pytest.mark.parametrize(("words", "score"), [("Extremely Happy", 1), ("Neutral", 0), ("unhappy", 0)])
def test_ratings_in_words_are_good_or_not_and_reopenings_are_lacking(words, score):
    readout = read_freshdesk(freshdesk(Survey_results=words))
    assert readout.tables["surveys"].collect().select("instrument", "score").row(0) == ("csat_good", score)
    assert "solved_at_first" not in readout.tables["tickets"].collect_schema()
    assert "how often a ticket was opened again" in readout.lacks["tickets.solved_at_first"]


def test_tickets_without_the_fields_of_the_contact_name_nobody():
    row = freshdesk()
    del row["Email"]
    readout = read_freshdesk(row)
    assert readout.tables["tickets"].collect()["customer_id"].null_count() == 1
    assert "neither e-mail nor number" in readout.lacks["tickets.customer_id"]


def test_the_receipts_add_up():
    readout = read_freshdesk(
        freshdesk("1", Survey_results="Happy"), freshdesk("1"), freshdesk("2", Status="Spam"), freshdesk("3")
    )
    kept = {receipt.table: receipt.rows_kept for receipt in readout.receipts}
    # Of four rows one is spam and one a further row of ticket 1, which is the one of the two that was written later.
    assert kept == {"tickets": 2} | {name: readout.tables[name].collect().height for name in kept if name != "tickets"}
