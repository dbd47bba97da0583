"""The page carries the tables that a comparison needs, and no more than 60 kB of them."""

from __future__ import annotations

import json

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.drawings import embedded, tables_in
from cxsim.reporting.workbook import Twin

RETURNS = Twin(
    id="returns",
    title="Returns </script>",
    columns=("strategy", "npv", "paid", "why"),
    rows=(("points", 0.1, True, None), ("points", None, False, None), ("</script>", -2, True, None)),
)


def _twin(name, rows, value=1):
    return Twin(id=name, title=name, columns=("a", "b"), rows=((value, value),) * rows)


def test_tables_come_back_as_they_were():
    other = Twin(id="mixed", title="M", columns=("a",), rows=(("x",), (1,), (None,)))
    empty = Twin(id="empty", title="", columns=("a", "b"), rows=())
    assert tables_in(embedded([RETURNS, other, empty])) == {"returns": RETURNS, "mixed": other, "empty": empty}


def test_the_text_may_stand_inside_a_script_element_and_says_each_text_once():
    text = embedded([RETURNS, Twin(id="more", title="", columns=("a",), rows=(("points",),))])
    assert "<" not in text
    assert json.loads(text)["texts"] == ["points", "</script>"]


def test_the_same_tables_give_the_same_text_in_any_order():
    tables = [_twin("b", 2), RETURNS, _twin("a", 2)]
    assert embedded(tables) == embedded(tables[::-1])


def test_a_table_of_more_than_1500_values_stays_outside_unless_a_comparison_reads_it():
    # Two columns: 750 rows are 1,500 values.
    tables = [_twin("small", 750), _twin("large", 751), _twin("assumptions", 751)]
    assert sorted(tables_in(embedded(tables))) == ["assumptions", "small"]


def test_where_room_is_short_the_tables_of_a_comparison_come_first():
    # A row of two numbers of 18 letters and two commas takes 38 bytes: 1,000 rows 38 kB, 700 rows 27 kB.
    number = 123456789012345.25
    tables = [_twin("a", 700, number), _twin("statement", 700, number), _twin("returns", 1_000, number)]
    text = embedded(tables)
    assert sorted(tables_in(text)) == ["returns"]
    assert len(text.encode()) <= 60_000


def test_a_page_without_tables_carries_nothing():
    assert embedded([]) == ""


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
