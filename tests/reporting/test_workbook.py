"""Tables keep all their digits in every format, and the formulas of the workbook give what it shows."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import date
from xml.etree import ElementTree as ET

import nbformat
import numpy as np
import pytest

from checks.source import ROOT
from cxsim.errors import ReportError
from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import INVESTMENT_ACCOUNTS, LADDER
from cxsim.finance.statement import Flows, periods
from cxsim.params import Unit
from cxsim.reporting.tables import TABLE, machine_readable
from cxsim.reporting.workbook import (
    Twin,
    csv_text,
    embedded,
    harvest,
    sheet_name,
    statements_in,
    tables_in,
    tables_json,
    workbook,
)
from cxsim.study.business.case import statements
from cxsim.study.run import run
from tests.reporting.spreadsheet import calculated, letters, parts, sheets
from tests.simulated import assumed
from tests.study.conftest import small


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


def test_a_report_without_tables_has_an_empty_list_of_them_a_page_that_carries_nothing_and_contents():
    assert json.loads(tables_json([])) == {"tables": []}
    assert embedded([]) == ""
    assert list(sheets(workbook("T", [], {}))) == ["Contents"]


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


HOSTILE = "<script>alert(1)</script>"
ROWS = ((HOSTILE, 0.1, True), ("=1+1", -5, False), ("+A1", None, None), ("-5", 10**17, None), ("@SUM(1)", 1e-7, None))
TWIN = Twin(id="customers", title="=cmd()", columns=("customer", "=amount", "kept"), rows=ROWS)
# Makes the same workbook in another process, and prints its hash.
ELSEWHERE = """
import hashlib
from tests.reporting.test_workbook import TWIN, built
print(hashlib.sha256(built()).hexdigest())
"""


def built():
    return workbook(f"Title {HOSTILE}", [TWIN], {"currency": "EUR", "annual_discount_rate": 0.1})


@pytest.fixture(scope="module")
def book():
    return built()


def test_another_time_zone_locale_and_order_of_hashes_give_the_same_bytes(book):
    assert built() == book
    there = {
        **os.environ,
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=there, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(book).hexdigest()


def test_no_clock_is_in_the_file_and_all_of_its_files_are_xml(book):
    files = parts(book)
    assert {"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet2.xml"} <= set(files)
    for content in files.values():
        assert ET.fromstring(content) is not None  # noqa: S314 - the project wrote it itself
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert parts(book)["docProps/core.xml"].count(b">1980-01-01T00:00:00Z<") == 2


def test_text_that_looks_like_a_formula_stays_text(book):
    cells = sheets(book)["customers"]
    found = [cells[f"A{row}"] for row in range(2, 7)]
    assert [(cell.kind, cell.formula, cell.value) for cell in found] == [("s", None, row[0]) for row in ROWS]
    assert (cells["B1"].kind, cells["B1"].value) == ("s", "=amount")
    assert b"<f>" not in b"".join(parts(book).values())
    # Nor is markup any.
    assert b"<script" not in parts(book)["xl/sharedStrings.xml"]


def test_values_keep_their_kind_missing_ones_stay_empty_and_the_contents_lead_to_every_sheet(book):
    cells = sheets(book)["customers"]
    assert (cells["B2"].kind, cells["B2"].value, cells["B3"].value, cells["B6"].value) == ("n", 0.1, -5.0, 1e-7)
    assert [(cells[place].kind, cells[place].value) for place in ("C2", "C3")] == [("b", True), ("b", False)]
    assert "B4" not in cells
    # A spreadsheet has 15 digits; a longer whole number would be another one.
    assert (cells["B5"].kind, cells["B5"].value) == ("s", "100000000000000000")
    cells = sheets(book)["Contents"]
    assert cells["A1"].value == f"Title {HOSTILE}"
    assert (cells["A5"].value, cells["B5"].value, cells["B5"].kind) == ("customers", "=cmd()", "s")
    assert b"location=\"'customers'!A1\"" in parts(book)["xl/worksheets/sheet1.xml"]


def test_a_text_longer_than_a_cell_is_cut_and_says_so_and_a_table_too_wide_is_named_in_the_contents_alone():
    twin = Twin(id="t", title="", columns=("text",), rows=(("x" * 40_000,), ("y" * 32_767,)))
    cells = sheets(workbook("T", [twin], {}))["t"]
    assert len(cells["A2"].value) == 32_767
    assert cells["A2"].value.endswith("x … (cut: a cell holds no more)")
    assert cells["A3"].value == "y" * 32_767
    wide = Twin(id="wide", title="Wide", columns=tuple(f"c{place}" for place in range(16_385)), rows=())
    found = sheets(workbook("T", [wide, TWIN], {}))
    assert list(found) == ["Contents", "customers"]
    assert found["Contents"]["B5"].value == "Wide: too large for a sheet; see wide.csv"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("a[b]c:d*e?f/g\\h'i", "a b c d e f g h i"), ("'quoted'", "quoted"), ("x" * 40, "x" * 31),
        ("x" * 30 + " y", "x" * 30), ("line\nend", "line end"), ("", "Table"), ("***", "Table"),
    ],
)  # fmt: skip
def test_a_sheets_name_is_one_that_a_spreadsheet_allows(wanted, name):
    assert sheet_name(wanted, set()) == name


def test_names_that_differ_by_capitals_alone_or_begin_alike_are_listed_apart():
    taken = set()
    assert [sheet_name(name, taken) for name in ("Cash", "cash", "CASH")] == ["Cash", "cash 2", "CASH 3"]
    assert sheet_name("x" * 35, taken) == "x" * 31
    assert sheet_name("X" * 35, taken) == "X" * 29 + " 2"
    twins = [Twin(id="a" * 40 + end, title="", columns=("c",), rows=((end,),)) for end in "xy"]
    history = Twin(id="history", title="", columns=("c",), rows=())
    found = sheets(workbook("T", [*twins, history], {}))
    assert list(found) == ["Contents", "a" * 31, "a" * 29 + " 2", "history 2"]
    assert [found[name]["A2"].value for name in list(found)[1:3]] == ["x", "y"]


CENT = 0.005
RATE = "B4"


def _periods_twin(table, name="periods"):
    found = machine_readable(name, "Statement", table)
    rows = tuple(map(tuple, found["rows"]))
    return Twin(id=name, title="Statement", columns=tuple(found["columns"]), rows=rows)


def _made(amounts, days, rate=0.21):
    """Return the twin of flows; `amounts` has shape (draws, arms, months, accounts)."""
    draws, arms, months, _ = amounts.shape
    flows = Flows(arms=("baseline", "win_back", "points")[:arms], amounts=amounts)
    weights = np.tile((1.0 + rate) ** (-days / 365.25), (draws, 1))
    starts = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(months)]
    titles = {"win_back": "Win-back coupon", "points": "Points"}
    return _periods_twin(periods(flows, weights, starts, days=days, titles=titles))


def _sheet(twin, name="Statement win_back", rate=0.21):
    return sheets(workbook("T", [twin], {"annual_discount_rate": rate, "currency": "EUR"}))[name]


def _place(cells, label, column="B", *, block=0):
    """Return the place in the row that is called so; in the block of this number, if each has one."""
    found = [place for place, cell in cells.items() if place[0] == "A" and place[1:].isdigit() and cell.value == label]
    return f"{column}{found[block][1:]}"


@pytest.fixture(scope="module")
def random_twin():
    luck = np.random.default_rng(11)
    amounts = luck.integers(-(10**7), 10**7, (3, 3, 14, len(ACCOUNTS))) / 100
    return _made(amounts, 30.4375 * np.arange(14) + 15.0)


@pytest.fixture(scope="module")
def two_months():
    """Nothing without the strategy; with it 100 of sales a month, and 50 for the start in the first."""
    amounts = np.zeros((1, 2, 2, len(ACCOUNTS)))
    names = [str(account) for account in ACCOUNTS]
    amounts[0, 1, :, names.index("gross sales")] = 100.0
    amounts[0, 1, 0, names.index("set-up cost")] = -50.0
    return _made(amounts, np.array([0.0, 365.25]))


@pytest.fixture(scope="module")
def study():
    """A study in which the discount rate is known."""
    scenario = small(draws=4)
    economics = dataclasses.replace(scenario.economics, annual_discount_rate=assumed(0.13, Unit.SHARE_PER_YEAR))
    return run(dataclasses.replace(scenario, economics=economics))


def test_every_formula_gives_the_value_that_is_stored_beside_it(random_twin):
    for name in ("Statement win_back", "Statement points"):
        cells, known = _sheet(random_twin, name), {}
        formulas = [place for place, cell in cells.items() if cell.formula is not None]
        # 5 subtotals in two blocks and all 29 lines of the difference, of 14 months; their 87 totals; factors,
        # 3 rows below with 2 totals, net present value and return.
        assert len(formulas) == (2 * 5 + 29) * 14 + 87 + 14 + 3 * 14 + 2 + 2
        for place in formulas:
            stored = cells[place].value
            expected = stored if isinstance(stored, str) else pytest.approx(stored, abs=1e-6, rel=1e-9)
            assert calculated(cells, place, known=known) == expected


def test_the_sheet_says_what_the_table_says_to_the_cent(random_twin):
    cells, known = _sheet(random_twin), {}
    blocks = ["Without the strategy", "With the strategy", "Difference"]
    tops = [int(_place(cells, head)[1:]) for head in blocks]
    first = dict(zip(("baseline", "treated", "incremental"), tops, strict=True))
    lines = [line for subtotal, accounts in LADDER for line in (*map(str, accounts), subtotal)]
    rows = [dict(zip(random_twin.columns, row, strict=True)) for row in random_twin.rows]
    compared = 0
    for row in rows:
        if row["strategy"] == "win_back" and row["grain"] in ("month", "total"):
            column = letters(2 + (row["period"] if row["grain"] == "month" else 14))
            for side, top in first.items():
                place = f"{column}{top + 1 + lines.index(row['line'])}"
                assert calculated(cells, place, known=known) == pytest.approx(row[side], abs=CENT)
                compared += 1
    assert compared == 15 * 29 * 3


def test_two_months_by_hand_with_another_amount_and_without_an_investment(two_months):
    cells = _sheet(two_months)
    # Cash 50 and 100; a year at 21 % makes a unit 1/1.21: 50 + 82.6446 = 132.6446, of 50 spent 2.6529.
    assert calculated(cells, _place(cells, "Net present value")) == pytest.approx(50 + 100 / 1.21, abs=1e-9)
    assert calculated(cells, _place(cells, "Return on investment")) == pytest.approx((50 + 100 / 1.21) / 50, abs=1e-9)
    assert [calculated(cells, _place(cells, "Cumulative cash", column)) for column in "BC"] == [50.0, 150.0]
    assert [cells[f"{column}7"].value for column in "BC"] == [0.0, 365.25]
    sales = _place(cells, "gross sales", "C")
    # The first row of this name is without the strategy: 21 more there makes 79 of 100, worth 21 / 1.21 less.
    found = calculated(cells, _place(cells, "Net present value"), {sales: 21.0})
    assert found == pytest.approx(50 + 79 / 1.21, abs=1e-9)
    cost = _place(cells, "set-up cost", block=1)
    assert cells[cost].value == -50.0
    assert calculated(cells, _place(cells, "Return on investment"), {cost: 0.0}) == "none"


def test_another_rate_gives_another_present_value(random_twin):
    cells = _sheet(random_twin)
    rows = [dict(zip(random_twin.columns, row, strict=True)) for row in random_twin.rows]
    mine = [row for row in rows if (row["strategy"], row["grain"]) == ("win_back", "month")]
    cash = np.array([row["incremental"] for row in mine if row["line"] == LADDER[-1][0]])
    days = np.array([row["day"] for row in mine if row["line"] == LADDER[-1][0]])
    for rate in (0.0, 0.08, 0.5):
        expected = (cash * (1.0 + rate) ** (-days / 365.25)).sum()
        found = calculated(cells, _place(cells, "Net present value"), {RATE: rate})
        assert found == pytest.approx(expected, abs=CENT)
    spent = {str(account) for account in INVESTMENT_ACCOUNTS}
    investment = -sum(row["incremental"] for row in mine if row["line"] in spent)
    expected = cash.sum() / investment if investment > 0 else "none"
    assert calculated(cells, _place(cells, "Return on investment"), {RATE: 0.0}) == pytest.approx(expected)


def test_the_net_present_value_is_that_of_the_report_where_the_rate_is_known(study):
    book = sheets(workbook("T", [_periods_twin(statements(study)["periods"])], study.manifest))
    for row in study.returns.iter_rows(named=True):
        cells = book[f"Statement {row['strategy']}"[:31]]
        assert calculated(cells, _place(cells, "Net present value")) == pytest.approx(row["incremental_npv"], abs=CENT)
        assert cells["A1"].value == row["title"]
        assert cells[RATE].value == 0.13


def test_a_strategy_in_two_tables_has_one_statement_and_without_a_rate_or_months_it_has_none(two_months):
    again = dataclasses.replace(two_months, id="periods-win-back")
    found = statements_in([two_months, again], {"annual_discount_rate": 0.1})
    assert [(one.strategy, one.title) for one in found] == [("win_back", "Win-back coupon")]
    assert statements_in([two_months], {"currency": "EUR"}) == []
    total = dataclasses.replace(two_months, rows=tuple(row for row in two_months.rows if row[1] != "month"))
    other = Twin(id="periods", title="", columns=("strategy", "grain"), rows=(("a", "month"),))
    assert statements_in([total, other], {"annual_discount_rate": 0.1}) == []


def test_a_month_without_its_day_is_refused(two_months):
    day = two_months.columns.index("day")
    rows = tuple((*row[:day], None, *row[day + 1 :]) for row in two_months.rows)
    with pytest.raises(ReportError, match="a statement by month has None where a number is needed"):
        statements_in([dataclasses.replace(two_months, rows=rows)], {"annual_discount_rate": 0.1})
