"""A workbook holds what was computed, opens, is the same everywhere, and runs nothing from the data."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from xml.etree import ElementTree as ET

import pytest

from checks.source import ROOT
from cxsim.reporting.workbook import Twin, sheet_name, workbook
from tests.report.spreadsheet import parts, sheets

HOSTILE = "<script>alert(1)</script>"
ROWS = ((HOSTILE, 0.1, True), ("=1+1", -5, False), ("+A1", None, None), ("-5", 10**17, None), ("@SUM(1)", 1e-7, None))
TWIN = Twin(id="customers", title="=cmd()", columns=("customer", "=amount", "kept"), rows=ROWS)
# Makes the same workbook in another process, and prints its hash.
ELSEWHERE = """
import hashlib
from tests.report.test_workbook import TWIN, built
print(hashlib.sha256(built()).hexdigest())
"""


def built():
    return workbook(f"Title {HOSTILE}", [TWIN], {"currency": "EUR", "annual_discount_rate": 0.1})


@pytest.fixture(scope="module")
def book():
    return built()


def test_the_archive_is_sound_and_all_of_its_files_are_xml(book):
    files = parts(book)
    assert {"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet2.xml"} <= set(files)
    for content in files.values():
        assert ET.fromstring(content) is not None  # noqa: S314 - the project wrote it itself


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_another_time_zone_locale_and_order_of_hashes_give_the_same_bytes(book, zone):
    assert built() == book
    there = {**os.environ, "TZ": zone, "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=there, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(book).hexdigest()


def test_no_clock_is_in_the_file(book):
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert parts(book)["docProps/core.xml"].count(b">1980-01-01T00:00:00Z<") == 2


def test_text_that_looks_like_a_formula_stays_text(book):
    cells = sheets(book)["customers"]
    found = [cells[f"A{row}"] for row in range(2, 7)]
    assert [(cell.kind, cell.formula, cell.value) for cell in found] == [("s", None, row[0]) for row in ROWS]
    assert (cells["B1"].kind, cells["B1"].value) == ("s", "=amount")
    assert b"<f>" not in b"".join(parts(book).values())


def test_markup_in_the_data_is_escaped(book):
    text = parts(book)["xl/sharedStrings.xml"].decode()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_values_keep_their_kind_and_missing_ones_stay_empty(book):
    cells = sheets(book)["customers"]
    assert (cells["B2"].kind, cells["B2"].value, cells["B3"].value, cells["B6"].value) == ("n", 0.1, -5.0, 1e-7)
    assert [(cells[place].kind, cells[place].value) for place in ("C2", "C3")] == [("b", True), ("b", False)]
    assert "B4" not in cells
    # A spreadsheet has 15 digits; a longer whole number would be another one.
    assert (cells["B5"].kind, cells["B5"].value) == ("s", "100000000000000000")


def test_the_contents_name_every_sheet_and_lead_to_it(book):
    cells = sheets(book)["Contents"]
    assert cells["A1"].value == f"Title {HOSTILE}"
    assert (cells["A5"].value, cells["B5"].value, cells["B5"].kind) == ("customers", "=cmd()", "s")
    assert b"location=\"'customers'!A1\"" in parts(book)["xl/worksheets/sheet1.xml"]


def test_a_text_longer_than_a_cell_is_cut_and_says_so():
    twin = Twin(id="t", title="", columns=("text",), rows=(("x" * 40_000,), ("y" * 32_767,)))
    cells = sheets(workbook("T", [twin], {}))["t"]
    assert len(cells["A2"].value) == 32_767
    assert cells["A2"].value.endswith("x … (cut: a cell holds no more)")
    assert cells["A3"].value == "y" * 32_767


def test_a_table_too_wide_for_a_sheet_is_named_in_the_contents_alone():
    wide = Twin(id="wide", title="Wide", columns=tuple(f"c{place}" for place in range(16_385)), rows=())
    found = sheets(workbook("T", [wide, TWIN], {}))
    assert list(found) == ["Contents", "customers"]
    assert found["Contents"]["B5"].value == "Wide: too large for a sheet; see wide.csv"


def test_a_report_without_tables_has_its_contents():
    assert list(sheets(workbook("T", [], {}))) == ["Contents"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("a[b]c:d*e?f/g\\h'i", "a b c d e f g h i"),
        ("'quoted'", "quoted"),
        ("x" * 40, "x" * 31),
        ("x" * 30 + " y", "x" * 30),
        ("line\nend", "line end"),
        ("", "Table"),
        ("***", "Table"),
    ],
)
def test_a_sheets_name_is_one_that_a_spreadsheet_allows(wanted, name):
    assert sheet_name(wanted, set()) == name


def test_names_that_differ_by_capitals_alone_are_alt_text_apart():
    taken = set()
    assert [sheet_name(name, taken) for name in ("Cash", "cash", "CASH")] == ["Cash", "cash 2", "CASH 3"]
    assert sheet_name("x" * 35, taken) == "x" * 31
    assert sheet_name("X" * 35, taken) == "X" * 29 + " 2"


def test_two_tables_whose_long_names_begin_alike_have_their_own_sheets():
    twins = [Twin(id="a" * 40 + end, title="", columns=("c",), rows=((end,),)) for end in "xy"]
    history = Twin(id="history", title="", columns=("c",), rows=())
    found = sheets(workbook("T", [*twins, history], {}))
    assert list(found) == ["Contents", "a" * 31, "a" * 29 + " 2", "history 2"]
    assert [found[name]["A2"].value for name in list(found)[1:3]] == ["x", "y"]
