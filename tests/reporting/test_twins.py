"""Tables keep all their digits as CSV, as JSON and inside a page; no spreadsheet runs a text of theirs."""

from __future__ import annotations

import csv
import io
import json

import nbformat
import pytest

from cxsim.errors import ReportError
from cxsim.reporting.tables import TABLE
from cxsim.reporting.twins import Twin, csv_text, embedded, harvest, tables_in, tables_json


def _notebook(*contents):
    cell = nbformat.v4.new_code_cell()
    cell.outputs = [nbformat.v4.new_output("display_data", data={TABLE: content}) for content in contents]
    return nbformat.v4.new_notebook(cells=[cell])


def _content(**changes):
    return {"id": "t", "title": "T", "columns": ["a"], "rows": [[1]], **changes}


# In the order of OWASP's list, full-width signs last, then those behind a blank that a spreadsheet skips.
@pytest.mark.parametrize("start", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", " =", "\u00a0=", "\ufeff=", "\u200b+"])
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(start):
    text = csv_text(Twin(id="t", title="", columns=(f"{start}a",), rows=((f"{start}1+1",), (-1,))))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[f"'{start}a"], [f"'{start}1+1"], ["-1"]]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("-5", "'-5"), ("+49 30 123", "'+49 30 123"), ("-", "'-"), ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("a;=1+1", "a;'=1+1"), ("a;b; -1", "a;b;' -1"), ("a\n@x", "a\n'@x"), ("a\t=x", "a\t'=x"), ('a",=1', 'a",=1'),
        ("a-5; b=c@d", "a-5; b=c@d"), ("\u22125", "\u22125"), ("'=1", "'=1"), ("", ""),
    ],
)  # fmt: skip
def test_a_text_is_neutralised_wherever_a_cell_could_begin(text, field):
    written = csv_text(Twin(id="t", title="", columns=("a", "b"), rows=((text, -5),)))
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == [field, "-5"]


def test_all_tables_in_one_file_are_by_column_and_sorted():
    second = Twin(id="b", title="Zwei <é>", columns=("who", "npv", "paid"), rows=(("=A1", 0.1, True), (None, -2, None)))
    first = Twin(id="a", title="One", columns=("x",), rows=())
    text = tables_json([second, first])
    assert tables_json([first, second]) == text
    assert json.loads(text) == {
        "tables": [
            {"id": "a", "title": "One", "rows": 0, "columns": [{"name": "x", "values": []}]},
            {
                "id": "b",
                "title": "Zwei <é>",
                "rows": 2,
                "columns": [
                    {"name": "who", "values": ["=A1", None]},
                    {"name": "npv", "values": [0.1, -2]},
                    {"name": "paid", "values": [True, None]},
                ],
            },
        ]
    }
    assert len(text.splitlines()) == 4


def test_a_report_without_tables_has_an_empty_list_of_them_and_a_page_that_carries_nothing():
    assert json.loads(tables_json([])) == {"tables": []}
    assert embedded([]) == ""


def test_numbers_keep_every_digit_and_missing_values_stay_empty():
    row = (0.1 + 0.2, 1e-300, -5, None, True, "")
    text = csv_text(Twin(id="t", title="", columns=tuple("abcdef"), rows=(row,)))
    assert text == "a,b,c,d,e,f\n0.30000000000000004,1e-300,-5,,true,\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "../x"}, r"id '\.\./x': possible are up to 64 of a-z"),
        ({"id": "Big"}, "possible are"),
        ({"columns": []}, "it must have columns"),
        ({"rows": [[1, 2]]}, "t: it must have columns, and each row a value for each of them"),
        ({"rows": [[[1]]]}, r"rows.0.0.*found \[1\]"),
        ({"rows": [[float("nan")]]}, "Out of range float"),
        ({"rows": ["x"]}, "rows.0: .*found 'x'"),
        ({"note": 1}, "note: unknown key; possible: id, title, columns, rows"),
    ],
)
def test_a_malformed_twin_is_refused(changes, said):
    with pytest.raises(ReportError, match=said):
        harvest(_notebook(_content(**changes)))


def test_a_table_shown_twice_has_one_twin_and_two_different_ones_under_one_id_are_refused():
    assert [twin.id for twin in harvest(_notebook(_content(), _content()))] == ["t"]
    with pytest.raises(ReportError, match="two different tables"):
        harvest(_notebook(_content(), _content(rows=[[2]])))


RETURNS = Twin(
    id="returns",
    title="Returns </script>",
    columns=("strategy", "npv", "paid", "why"),
    rows=(("points", 0.1, True, None), ("points", None, False, None), ("</script>", -2, True, None)),
)


def _twin(name, rows, value=1):
    return Twin(id=name, title=name, columns=("a", "b"), rows=((value, value),) * rows)


def test_tables_come_back_as_they_were_from_a_text_for_a_script_element_that_says_each_text_once():
    other = Twin(id="mixed", title="M", columns=("a",), rows=(("x",), (1,), (None,)))
    empty = Twin(id="empty", title="", columns=("a", "b"), rows=())
    assert tables_in(embedded([RETURNS, other, empty])) == {"returns": RETURNS, "mixed": other, "empty": empty}
    text = embedded([RETURNS, Twin(id="more", title="", columns=("a",), rows=(("points",),))])
    assert "<" not in text
    assert json.loads(text)["texts"] == ["points", "</script>"]


def test_a_table_of_more_than_1500_values_stays_outside_unless_a_comparison_reads_it():
    # Two columns: 750 rows are 1,500 values.
    tables = [_twin("small", 750), _twin("large", 751), _twin("assumptions", 751)]
    assert sorted(tables_in(embedded(tables))) == ["assumptions", "small"]
    assert embedded(tables) == embedded(tables[::-1])


def test_where_room_is_short_the_tables_of_a_comparison_come_first():
    # A row of two numbers of 18 letters and two commas takes 38 bytes: 1,000 rows 38 kB, 700 rows 27 kB.
    number = 123456789012345.25
    tables = [_twin("a", 700, number), _twin("statement", 700, number), _twin("returns", 1_000, number)]
    text = embedded(tables)
    assert sorted(tables_in(text)) == ["returns"]
    assert len(text.encode()) <= 60_000


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"tables":{},"more":1}', '{"tables":{"a":{"columns":["a"],"title":"","values":[]}},"texts":[]}',
        '{"tables":{"a":{"columns":["a"],"title":"","values":[{"texts":[3]}]}},"texts":[]}',
        '{"tables":{"a":{"columns":["a","b"],"title":"","values":[[1],[]]}},"texts":[]}',
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ReportError, match="inside the page"):
        tables_in(text)
