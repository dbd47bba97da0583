"""A twin holds exactly what was computed, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import nbformat
import pytest

from cxsim.errors import ReportError
from cxsim.mimes import TABLE
from cxsim.report.twins import Twin, csv_text, harvest


def _notebook(*contents):
    cell = nbformat.v4.new_code_cell()
    cell.outputs = [nbformat.v4.new_output("display_data", data={TABLE: content}) for content in contents]
    return nbformat.v4.new_notebook(cells=[cell])


def _content(**changes):
    return {"id": "t", "title": "T", "columns": ["a"], "rows": [[1]], **changes}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(start):
    text = csv_text(Twin(id="t", title="", columns=(f"{start}a",), rows=((f"{start}1+1",), (-1,))))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[f"'{start}a"], [f"'{start}1+1"], ["-1"]]


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
