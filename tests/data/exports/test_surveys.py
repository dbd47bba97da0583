"""Answers to surveys: the scale is certain or refused, and no answer is lost or bent in silence."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from cxsim.data.exports.formats import Export
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.exports.surveys import answers_format, instrument_of, refuse_unknown_instrument
from cxsim.data.shop import Policy
from cxsim.errors import DataError
from tests.data.samples import read_as

WHEN = "2024-03-01 10:00"


def read(columns, title="survey answers", policy=None):
    longest = max(len(cells) for cells in columns.values() if not isinstance(cells, str))
    rows = {name: [cells] * longest if isinstance(cells, str) else cells for name, cells in columns.items()}
    return read_as(title, pl.LazyFrame(rows), "answers.csv", policy)


def scores(readout):
    return readout.tables["surveys"].collect().select("instrument", "score").rows()


def line(readout, reason):
    return sum(one.rows for one in readout.receipts[0].lines if reason in one.reason)


@pytest.mark.parametrize(
    ("question", "answers", "instrument"),
    [
        ("NPS", [10, 9, 0], "nps"), ("nps_score", [10, 9, 1], "nps"),
        ("How likely are you to recommend us to a friend?", [1, 10], "nps"), ("csat", [5, 4, 1], "csat"),
        ("How satisfied were you?", [4, 2], "csat"), ("rating", [5, 3], "csat"), ("CSAT", [1, 0, 1], "csat_good"),
        ("ces", [7, 6, 1], "ces"), ("How easy was it to return the goods?", [6, 2], "ces"),
        ("How much effort did it take?", [5, 1], "effort"),
    ],
)  # fmt: skip
def test_words_and_answers_tell_the_instrument(question, answers, instrument):
    assert instrument_of(question, pl.Series(answers), "answers.csv") == instrument


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("score", [10, 0]),  # ten steps without a word of recommending
        ("nps", [1, 2, 3, 4, 5] * 4),  # twenty answers and none above 5: five steps
        ("nps", [55, 80, 100]),  # out of a hundred
        ("csat", [1, 7, 6]),  # seven steps
        ("csat", [1, 1, 1]),  # the worst of five, or good
        ("csat", [1, 2, 3] * 7),  # three steps
        ("ces", [1, 5, 4]),  # five steps, easy at one end or at the other
        ("effort", [7, 1]),  # seven steps
    ],
)
def test_a_scale_that_is_not_certain_is_refused(question, answers):
    with pytest.raises(DataError, match=rf"scale of '{question}' is unclear .* write the instrument in shop.yaml"):
        instrument_of(question, pl.Series(answers), "answers.csv")


def test_a_question_that_nobody_answered_has_no_scale_and_an_instrument_that_there_is_not_is_refused():
    with pytest.raises(DataError, match="nobody answered 'nps'"):
        instrument_of("nps", pl.Series([None], dtype=pl.Int64), "answers.csv")
    with pytest.raises(DataError, match="no instrument 'npss'; did you mean 'nps'"):
        refuse_unknown_instrument("npss", "shop.yaml")


@pytest.mark.parametrize(
    "header", [["email", "total"], ["email", "sent_at", "score"], ["nps"], ["date", "NPS comment"]]
)
def test_other_tables_are_no_answers(header):
    assert answers_format(Export(file="x.csv", rows=pl.LazyFrame(schema=dict.fromkeys(header, pl.String)))) is None


def test_a_table_of_nps_answers_is_read_without_being_named(text_file):
    shop = read_shop(text_file("Email,sent_at,nps\nAna@Example.com,2024-03-01,9\n,2024-03-02,\n"))
    rows = shop.surveys.collect().select("customer_id", "sent_at", "instrument", "score").rows()
    assert rows == [("ana@example.com", datetime(2024, 3, 1), "nps", 9), (None, datetime(2024, 3, 2), "nps", None)]


@pytest.mark.parametrize(
    ("columns", "found", "counts"),
    [
        # Never clipped.
        ({"nps": ["10", "0", "11"]}, [10, 0], {"outside the scale": 1}),
        ({"email": ["", "a@b.c"], "nps": ["9", ""]}, [9, None], {"no customer": 1, "not answered": 1}),
        ({"sent_at": [WHEN, ""], "nps": ["9", "8"]}, [9], {"no timestamp": 1}),
        ({"response id": ["7", "7"], "nps": ["9", "9"]}, [9], {"duplicate row of an answer": 1}),
    ],
)
def test_no_answer_is_lost_or_bent_in_silence(columns, found, counts):
    readout = read({"email": "a@b.c", "sent_at": WHEN, **columns})
    assert scores(readout) == [("nps", score) for score in found]
    assert {reason: line(readout, reason) for reason in counts} == counts


def test_answers_that_are_no_score_are_refused_unless_they_count_as_missing_or_are_one_in_a_hundred():
    columns = {"email": "a@b.c", "sent_at": WHEN, "nps": ["9", "very"]}
    with pytest.raises(
        DataError, match=r"answers\.csv: 'nps': 1 of 2 answers are not scores, such as 'very'\. Possible: "
    ):
        read(columns)
    readout = read(columns, policy=Policy(unreadable="missing"))
    assert (scores(readout), line(readout, "not a whole number")) == ([("nps", 9)], 1)
    many = read(columns | {"nps": ["very", *["9"] * 99]})
    assert (len(scores(many)), line(many, "not a whole number")) == (99, 1)


@pytest.mark.parametrize(("cell", "score"), [("10 - Extremely likely", 10), ("9 (likely)", 9), ("Likely (8)", 8)])
def test_a_score_may_stand_with_the_words_of_its_end_of_the_scale(cell, score):
    assert scores(read({"email": "a@b.c", "sent_at": WHEN, "nps": ["6", cell]})) == [("nps", 6), ("nps", score)]


def test_the_moment_of_sending_goes_before_that_of_answering_and_a_table_without_customers_says_so():
    readout = read({"sent_at": [WHEN, ""], "answered_at": "2024-03-05 10:00", "nps": ["9", "8"]})
    assert readout.tables["surveys"].collect()["sent_at"].dt.day().to_list() == [1, 5]
    assert readout.lacks["surveys.customer_id"] == "answers.csv has no column of e-mail addresses or customer numbers."


def test_a_column_that_says_the_instrument_names_that_of_each_row():
    columns = {"person email": "a@b.c", "created_at": WHEN, "score": ["10", "5"]}
    assert scores(read(columns | {"survey_type": ["NPS", "csat"]})) == [("nps", 10), ("csat", 5)]
    with pytest.raises(DataError, match="'survey_type': no instrument 'stars'"):
        read(columns | {"survey_type": "stars"})


TYPEFORM = {
    "#": ["a", "b"],
    "Start Date (UTC)": "2024-03-01 09:00:00",
    "Submit Date (UTC)": "2024-03-01 09:05:00",
    "Network ID": "x",
}


def test_typeform_drops_answers_that_were_begun_and_not_completed():
    columns = {
        "How likely are you to recommend us?": ["9", "2"],
        "Email": "Ana@Example.com",
        "Response Type": ["completed", "partial"],
        "Submit Date (UTC)": ["2024-03-01 09:05:00", ""],
    }
    readout = read(TYPEFORM | columns, "Typeform answers")
    assert scores(readout) == [("nps", 9)]
    assert line(readout, "begun and not completed") == 1
    assert readout.tables["surveys"].collect()["sent_at"].to_list() == [datetime(2024, 3, 1, 9, 5)]
    assert "universal time" in dict(readout.receipts[0].facts)["clock"]


def test_several_questions_of_a_row_are_several_surveys_and_the_receipt_adds_up():
    columns = {
        "#": ["a", "b"],
        "Would you recommend us?": ["9", "2"],
        "Are you satisfied?": ["5", "4"],
        "Start Date (UTC)": "2024-03-01 09:00:00",
        "Submit Date (UTC)": "2024-03-01 09:05:00",
        "Network ID": "x",
    }
    readout = read(columns, "Typeform answers")
    surveys = readout.tables["surveys"].collect()
    assert sorted(scores(readout)) == [("csat", 4), ("csat", 5), ("nps", 2), ("nps", 9)]
    assert surveys["survey_id"].n_unique() == 4
    assert readout.receipts[0].rows_kept == surveys.height


def test_two_questions_of_one_instrument_and_none_that_says_what_it_is_about_are_refused():
    with pytest.raises(DataError, match="'nps shop' and 'nps courier' are both nps"):
        read({"date": WHEN, "nps shop": ["9"], "nps courier": ["8"]})
    with pytest.raises(DataError, match="no question names recommendation"):
        read(TYPEFORM | {"How are you?": ["9", "9"]}, "Typeform answers")


def test_surveymonkey_has_a_second_row_of_header_and_dates_with_the_month_first():
    columns = {
        "Respondent ID": ["", "1", "2"],
        "Collector ID": ["", "5", "5"],
        "Start Date": ["", "03/13/2024 10:00:00", "03/01/2024 10:00:00"],
        "End Date": ["", "03/13/2024 10:05:00", "03/01/2024 10:05:00"],
        "Email Address": ["", "Ana@Example.com", ""],
        "How likely is it that you would recommend us?": ["Response", "9", "7"],
    }
    readout = read(columns, "SurveyMonkey answers")
    assert scores(readout) == [("nps", 9), ("nps", 7)]
    assert readout.tables["surveys"].collect()["sent_at"][1] == datetime(2024, 3, 1, 10, 5)
    assert line(readout, "second row of the header") == 1


def test_google_forms_are_read_by_their_timestamp_and_question():
    columns = {
        "Timestamp": ["2024/03/01 9:05:00 AM GMT+1"],
        "Username": ["Ana@Example.com"],
        "How easy was it to order?": ["7"],
    }
    readout = read(columns)
    assert scores(readout) == [("ces", 7)]
    assert readout.tables["surveys"].collect()["customer_id"].to_list() == ["ana@example.com"]


def test_answers_to_different_surveys_under_the_same_number_are_both_kept(tmp_path):
    (tmp_path / "one.csv").write_text(f"id,date,nps\n1,{WHEN},9\n", encoding="utf-8")
    (tmp_path / "two.csv").write_text(f"id,date,csat\n1,{WHEN},5\n", encoding="utf-8")
    assert read_shop(tmp_path).surveys.collect().height == 2
