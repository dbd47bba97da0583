"""A twin holds exactly what was computed, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import json

import nbformat
import pytest

from cxsim.errors import ReportError
from cxsim.reporting.tables import TABLE
from cxsim.reporting.workbook import Twin, csv_text, harvest, tables_json


def _notebook(*contents):
    cell = nbformat.v4.new_code_cell()
    cell.outputs = [nbformat.v4.new_output("display_data", data={TABLE: content}) for content in contents]
    return nbformat.v4.new_notebook(cells=[cell])


def _content(**changes):
    return {"id": "t", "title": "T", "columns": ["a"], "rows": [[1]], **changes}


# In the order of OWASP's list, full-width signs last, then those behind a blank that a spreadsheet skips.
@pytest.mark.parametrize(
    "start",
    [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "\uff1d",
        "\uff0b",
        "\uff0d",
        "\uff20",
        " =",
        "\u00a0=",
        "\ufeff=",
        "\u200b+",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(start):
    text = csv_text(Twin(id="t", title="", columns=(f"{start}a",), rows=((f"{start}1+1",), (-1,))))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[f"'{start}a"], [f"'{start}1+1"], ["-1"]]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("-5", "'-5"),
        ("+49 30 123", "'+49 30 123"),
        ("-", "'-"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("a;=1+1", "a;'=1+1"),
        ("a;b; -1", "a;b;' -1"),
        ("a\n@x", "a\n'@x"),
        ("a\t=x", "a\t'=x"),
        ('a",=1', 'a",=1'),
        ("a-5; b=c@d", "a-5; b=c@d"),
        ("\u22125", "\u22125"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
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


def test_a_report_without_tables_has_an_empty_list_of_them():
    assert json.loads(tables_json([])) == {"tables": []}


def test_numbers_keep_every_digit_and_missing_values_stay_empty():
    row = (0.1 + 0.2, 1e-300, -5, None, True, "")
    text = csv_text(Twin(id="t", title="", columns=tuple("abcdef"), rows=(row,)))
    assert text == "a,b,c,d,e,f\n0.30000000000000004,1e-300,-5,,true,\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "../x"}, "possible are"),
        ({"id": "Big"}, "possible are"),
        ({"columns": []}, "no column"),
        ({"rows": [[1, 2]]}, "row 1 has 2 values for 1 columns"),
        ({"rows": [[[1]]]}, "row 1, a is a list"),
        ({"rows": [[float("nan")]]}, "row 1, a is nan"),
        ({"rows": ["x"]}, "must be lists"),
        ({"note": 1}, "exactly the entries"),
    ],
)
def test_a_malformed_twin_is_refused(changes, said):
    with pytest.raises(ReportError, match=said):
        harvest(_notebook(_content(**changes)))


def test_a_table_shown_twice_has_one_twin():
    assert [twin.id for twin in harvest(_notebook(_content(), _content()))] == ["t"]


def test_two_different_tables_under_one_id_are_refused():
    with pytest.raises(ReportError, match="two different tables"):
        harvest(_notebook(_content(), _content(rows=[[2]])))
