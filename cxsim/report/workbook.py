"""The twins of a report's tables in, one workbook out: values as they are, and statements that calculate."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from cxsim.report.statement_sheet import Formats, statements_in, write_statement
from cxsim.report.twins import Twin, Value

# A spreadsheet's own limits: characters of a sheet's name, rows and columns of a sheet, characters of a cell, and the
# largest whole number that keeps all its digits there.
_LONGEST_NAME, _MOST_ROWS, _MOST_COLUMNS, _LONGEST_TEXT, _LARGEST = 31, 1_048_576, 16_384, 32_767, 10**15
_FORBIDDEN = re.compile(r"[\[\]:*?/\\'\x00-\x1f\x7f]")
# Neither the day nor the machine may change the bytes.
_LONG_AGO = datetime(1980, 1, 1)  # noqa: DTZ001 - the format knows no zone
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_WIDEST = 60
_CUT = " … (cut: a cell holds no more)"


def workbook(title: str, twins: Sequence[Twin], manifest: Mapping[str, object]) -> bytes:
    """Return a workbook of all tables, with a sheet for each strategy's statement whose sums are live formulas.

    In the format of Excel 2007 and later; the same for the same tables. Text is stored as text, so nothing that looks
    like a formula is one, but for those that this function writes. A table that is too large for a sheet is named in
    the contents alone.
    """
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, _OPTIONS)
    book.set_properties({"title": title, "created": _LONG_AGO})
    formats, statements = Formats.of(book), statements_in(twins, manifest)
    taken = {"history"}  # a name that Excel keeps for itself
    contents = book.add_worksheet(sheet_name("Contents", taken))
    listed = list[tuple[str, str]]()
    for statement in statements:
        name = sheet_name(f"Statement {statement.strategy}", taken)
        write_statement(book.add_worksheet(name), formats, statement)
        listed.append((name, f"{statement.title}: statement by month, which calculates"))
    for twin in twins:
        name = ""
        if len(twin.rows) < _MOST_ROWS and len(twin.columns) <= _MOST_COLUMNS:
            name = sheet_name(twin.id, taken)
            _values(book.add_worksheet(name), twin, formats)
        listed.append((name, twin.title if name else f"{twin.title}: too large for a sheet; see {twin.id}.csv"))
    _contents(contents, title, listed, formats)
    book.close()
    return file.getvalue()


def sheet_name(wanted: str, taken: set[str]) -> str:
    """Return a name that a sheet may have and no other has; they differ by more than capitals."""
    plain = _FORBIDDEN.sub(" ", wanted).strip()[:_LONGEST_NAME].strip() or "Table"
    name, number = plain, 2
    while name.lower() in taken:
        end = f" {number}"
        name, number = plain[: _LONGEST_NAME - len(end)].strip() + end, number + 1
    taken.add(name.lower())
    return name


def _contents(sheet: Worksheet, title: str, listed: Sequence[tuple[str, str]], formats: Formats) -> None:
    sheet.set_column(0, 0, 32)
    sheet.write_string(0, 0, _text(title), formats.title)
    sheet.write_string(1, 0, "Sheets of statements calculate: change a number in blue, and what is in black follows.")
    sheet.write_string(2, 0, "All other sheets hold the report's tables as they were computed, to ten digits.")
    for row, (name, told) in enumerate(listed, start=4):
        if name:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        sheet.write_string(row, 1, _text(told))


def _values(sheet: Worksheet, twin: Twin, formats: Formats) -> None:
    for column, name in enumerate(twin.columns):
        sheet.write_string(0, column, _text(name), formats.head)
        texts = [len(str(row[column])) for row in twin.rows[:200]]
        sheet.set_column(column, column, min(max([len(name), *texts]) + 1, _WIDEST))
    for place, row in enumerate(twin.rows, start=1):
        for column, value in enumerate(row):
            _write(sheet, place, column, value)
    sheet.freeze_panes(1, 0)


def _write(sheet: Worksheet, row: int, column: int, value: Value) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, str):
        sheet.write_string(row, column, _text(value))
    elif isinstance(value, int) and abs(value) > _LARGEST:
        sheet.write_string(row, column, str(value))
    else:
        sheet.write_number(row, column, value)


def _text(value: str) -> str:
    """Return a text that a cell can hold; the other twins of a table have all of it."""
    return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - len(_CUT)] + _CUT
