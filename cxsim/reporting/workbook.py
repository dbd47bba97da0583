"""Tables as they were computed in; CSV, JSON, what a page carries of them, and a workbook that calculates, out."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xlsxwriter
from nbformat import NotebookNode
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_range, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from cxsim.errors import ReportError
from cxsim.finance.ledger import INVESTMENT_ACCOUNTS, LADDER
from cxsim.finance.statement import PERIODS
from cxsim.params import DAYS_PER_YEAR, sound
from cxsim.reporting.tables import TABLE
from cxsim.wording import in_csv, in_script

Value = str | int | float | bool | None

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SEPARATOR = re.compile(r'[",\r\n]')
# What a comparison of two reports reads, in the order in which it would be missed.
_FIRST_CARRIED = (
    *("returns", "decision", "portfolio", "register", "assumptions"),
    *("information", "break-evens", "break-even", "totals", "statement"),
)
_RANKS = {name: rank for rank, name in enumerate(_FIRST_CARRIED)}
_MOST_VALUES, _MOST_BYTES = 1_500, 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The values of a table as they were computed."""

    id: str  # also the name of its file
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]  # None where a value is missing

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id {self.id!r}: possible are up to 64 of a-z, 0-9, - and _")
        if not self.columns or {len(row) for row in self.rows} - {len(self.columns)}:
            raise ValueError(f"{self.id}: it must have columns, and each row a value for each of them")

    def records(self) -> list[dict[str, Value]]:
        """Return the rows as mappings of columns to values."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


Twins = Sequence[Twin]


def harvest(notebook: NotebookNode) -> tuple[Twin, ...]:
    """Return the twins of all tables in a notebook, in the order of their first appearance."""
    found: dict[str, Twin] = {}
    for twin in map(twin_of, outputs_of(notebook)):
        if twin is not None and found.setdefault(twin.id, twin) != twin:
            raise ReportError(f"table {twin.id}: two different tables carry this id; an id names one table.")
    return tuple(found.values())


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of all cells of a notebook."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def twin_of(output: NotebookNode) -> Twin | None:
    """Return the twin that an output carries, if it carries one."""
    content = output.get("data", {}).get(TABLE)
    return None if content is None else twin_from(content)


def twin_from(content: object) -> Twin:
    """Return the twin that an output of kind TABLE holds."""
    return sound(Twin, content, "a table of an output")


def csv_text(twin: Twin) -> str:
    """Return a twin as CSV: numbers to their last digit, a missing value as an empty field."""
    lines = [twin.columns, *twin.rows]
    return "".join(",".join(map(_field, line)) + "\n" for line in lines)


def tables_json(twins: Twins) -> str:
    """Return all twins as one JSON text, column by column."""
    lines = [
        json_text(
            {
                "id": twin.id,
                "title": twin.title,
                "rows": len(twin.rows),
                "columns": [{"name": name, "values": values} for name, values in _by_column(twin).items()],
            }
        )
        for twin in sorted(twins, key=lambda twin: twin.id)
    ]
    return '{"tables":[\n' + ",\n".join(lines) + "\n]}\n"


def tables_in_json(text: str) -> dict[str, Twin]:
    """Return the twins that `tables_json` has written, by their ids."""
    return {
        one["id"]: _from_columns(one["id"], one["title"], {part["name"]: part["values"] for part in one["columns"]})
        for one in json.loads(text)["tables"]
    }


def embedded(twins: Twins) -> str:
    """Return the tables of a page as JSON that may stand inside a script element, of at most 60 kB."""

    def rank(twin: Twin) -> tuple[int, int, str]:
        return _RANKS.get(twin.id, len(_RANKS)), len(twin.columns) * len(twin.rows), twin.id

    text, chosen = "", list[Twin]()
    for twin in sorted(twins, key=rank):
        if twin.id in _RANKS or rank(twin)[1] <= _MOST_VALUES:
            longer = _carried([*chosen, twin])
            if len(longer.encode()) <= _MOST_BYTES:
                text, chosen = longer, [*chosen, twin]
    return text


def tables_in(text: str) -> dict[str, Twin]:
    """Return the tables that a page carries, by their ids."""
    try:
        content = json.loads(text)
        texts = content["texts"]
        return {name: _read_carried(name, table, texts) for name, table in content["tables"].items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ReportError("the tables inside the page are not what `cxsim report` writes.") from error


def json_text(content: object, indent: int | None = None) -> str:
    """Return content as JSON with sorted keys."""
    signs = (",", ":" if indent is None else ": ")
    try:
        return json.dumps(content, sort_keys=True, indent=indent, separators=signs, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ReportError(f"this cannot be written as JSON: {error}.") from error


def digest(content: str | bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _by_column(twin: Twin) -> dict[str, list[Value]]:
    return {name: [row[place] for row in twin.rows] for place, name in enumerate(twin.columns)}


def _from_columns(name: str, title: str, columns: Mapping[str, Sequence[Value]]) -> Twin:
    return Twin(id=name, title=title, columns=tuple(columns), rows=tuple(zip(*columns.values(), strict=True)))


def _field(value: Value) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    field = in_csv(value)
    # The csv module lets a lone carriage return through.
    return '"' + field.replace('"', '""') + '"' if _SEPARATOR.search(field) else field


def _carried(twins: Twins) -> str:
    """Return tables as JSON in which a column of texts holds their places in one list of all texts."""
    places: dict[str, int] = {}

    def column(values: list[Value]) -> object:
        if {type(value) for value in values} - {NoneType} != {str}:
            return values
        return {"texts": [None if value is None else places.setdefault(str(value), len(places)) for value in values]}

    tables = {
        twin.id: {
            "columns": twin.columns,
            "title": twin.title,
            "values": [column(values) for values in _by_column(twin).values()],
        }
        for twin in twins
    }
    return in_script(json_text({"tables": tables, "texts": list(places)}))


def _read_carried(name: str, table: Mapping[str, Any], texts: Sequence[str]) -> Twin:
    values = [
        [None if place is None else texts[place] for place in column["texts"]] if isinstance(column, dict) else column
        for column in table["values"]
    ]
    return _from_columns(name, table["title"], dict(zip(table["columns"], values, strict=True)))


Amounts = npt.NDArray[np.float64]
_SIDES = {"baseline": "Without the strategy", "treated": "With the strategy", "difference": "Difference"}
_SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
_LINES = tuple(line for subtotal, accounts in LADDER for line in (*map(str, accounts), subtotal))
_ACCOUNTS = tuple(line for line in _LINES if line not in _SUBTOTALS)
_SPENT = tuple(line for line in _LINES if line in {str(account) for account in INVESTMENT_ACCOUNTS})
# Which accounts make up a line: itself, or all those above.
_SUMS = np.array(
    [
        [account == line or (line in _SUBTOTALS and account in _LINES[:place]) for account in _ACCOUNTS]
        for place, line in enumerate(_LINES)
    ]
)
# Where things stand, counted from 0: the rate, the heads of months, their days and factors, the first block of lines,
# and what follows from the blocks. Months stand side by side from the second column on.
_RATE, _HEADS, _DAYS, _FACTORS, _FIRST = 3, 5, 6, 7, 9
_BLOCK = len(_LINES) + 2
_CUMULATIVE = _FIRST + len(_SIDES) * _BLOCK
_PRESENT, _INVESTED, _NPV, _RETURN, _NOTE = (_CUMULATIVE + down for down in (1, 2, 4, 5, 7))
_MONTH = 1
_CENTRAL = (
    "At one discount rate, the central one. The report's net present value is a mean over draws, which can have rates "
    "of their own."
)


# How cells look: what somebody may change is blue, as finance people expect.
_AMOUNT, _BLUE = "#,##0.00;[Red]-#,##0.00", "#0B5394"
_LOOKS: Mapping[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bottom": 1, "align": "right"},
    "label": {"bold": True},
    "given": {"num_format": _AMOUNT, "font_color": _BLUE},
    "formula": {"num_format": _AMOUNT},
    "total": {"num_format": _AMOUNT, "bold": True, "top": 1},
    "rate": {"num_format": "0.00%", "font_color": _BLUE},
    "ratio": {"num_format": "0.0%", "bold": True, "align": "right"},
    "factor": {"num_format": "0.000000"},
}
Looks = Mapping[str, Format]


class Statement(NamedTuple):
    """One strategy's statement by month, with the central discount rate per year."""

    strategy: str
    title: str
    currency: str
    rate: float
    starts: Sequence[str]
    days: Amounts  # from the start, on which the cash of a month flows
    factors: Amounts  # the present value of one unit of money in each month
    amounts: Mapping[str, Amounts]  # of baseline, treated and difference, shape (lines of the ladder, months)


def statements_in(twins: Twins, manifest: Mapping[str, object]) -> list[Statement]:
    """Return the statements by month in a report's tables, of each strategy once."""
    rate, currency = manifest.get("annual_discount_rate"), str(manifest.get("currency", ""))
    if not isinstance(rate, (int, float)):
        return []
    monthly = [twin for twin in twins if set(PERIODS.columns) <= set(twin.columns)]
    months = [row for twin in monthly for row in twin.records() if row["grain"] == "month"]
    return [
        _statement([row for row in months if row["strategy"] == name], rate, currency)
        for name in dict.fromkeys(row["strategy"] for row in months)
    ]


def _statement(rows: Sequence[Mapping[str, Any]], rate: float, currency: str) -> Statement:
    months = {row["period"]: row for row in rows}
    cells = {(row["line"], row["period"]): row for row in rows}
    days = _numbers(row["day"] for row in months.values())
    amounts = dict[str, Amounts]()
    for side in ("baseline", "treated"):
        values = _numbers(cells[line, month][side] for line in _ACCOUNTS for month in months).reshape(-1, len(months))
        amounts[side] = np.array([values[summed].sum(axis=0) for summed in _SUMS])
    return Statement(
        strategy=rows[0]["strategy"],
        title=rows[0]["title"],
        currency=currency,
        rate=rate,
        starts=[row["starts_on"] for row in months.values()],
        days=days,
        factors=(1.0 + rate) ** (-days / DAYS_PER_YEAR),
        amounts=amounts | {"difference": amounts["treated"] - amounts["baseline"]},
    )


def _numbers(values: Iterable[Any]) -> Amounts:
    found = list(values)
    if None in found:
        raise ReportError("a statement by month has None where a number is needed.")
    return np.array(found, dtype=np.float64)


def _write_statement(sheet: Worksheet, looks: Looks, statement: Statement) -> None:
    """Write a statement: the two blocks that are given, their difference, and what follows from it."""
    sheet.write(0, 0, statement.title, looks["title"])
    sheet.write(1, 0, f"{statement.currency}; means over all draws; costs are negative".strip("; "))
    sheet.write(_RATE, 0, "Discount rate, effective per year")
    sheet.write(_RATE, _MONTH, statement.rate, looks["rate"])
    sheet.write_column(_HEADS, 0, ["Month from", "Cash flows on day"], looks["label"])
    sheet.write_row(_HEADS, _MONTH, [*statement.starts, "Total"], looks["head"])
    sheet.write_row(_DAYS, _MONTH, statement.days)
    write = partial(_write_line, sheet, looks)
    write(
        _FACTORS, "Discount factor", statement.factors, f"=(1+$B${_RATE + 1})^(-#{_DAYS + 1}/{DAYS_PER_YEAR})", "factor"
    )
    for side, head in _SIDES.items():
        sheet.write(_row(side) - 1, 0, head, looks["label"])
        for line, amounts in zip(_LINES, statement.amounts[side], strict=True):
            if line in _SUBTOTALS:
                write(_row(side, line), line, amounts, _subtotal(side, line), "total", "total")
            else:
                formula = f"={_at('treated', line)}-{_at('baseline', line)}" if side == "difference" else ""
                write(_row(side, line), line, amounts, formula, "formula" if formula else "given", "formula")
    _write_value(sheet, looks, statement)
    sheet.set_column(0, 0, 30)
    sheet.set_column(_MONTH, _MONTH + len(statement.starts), 13)
    sheet.freeze_panes(_HEADS + 1, _MONTH)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_line(
    sheet: Worksheet, looks: Looks, row: int, name: str, amounts: Amounts, formula: str, look: str, total: str = ""
) -> None:
    """Write a name, an amount for each month, and their total; in a formula, # stands for the month's column."""
    sheet.write(row, 0, name, None if name in _ACCOUNTS else looks["label"])
    for column, amount in enumerate(map(float, amounts), _MONTH):
        if formula:
            sheet.write_formula(row, column, formula.replace("#", xl_col_to_name(column)), looks[look], amount)
        else:
            sheet.write_number(row, column, amount, looks[look])
    if total:
        months = xl_range(row, _MONTH, row, _MONTH + len(amounts) - 1)
        sheet.write_formula(row, _MONTH + len(amounts), f"=SUM({months})", looks[total], float(amounts.sum()))


def _write_value(sheet: Worksheet, looks: Looks, statement: Statement) -> None:
    """Write what follows from the difference: cumulative cash, present values, investment and return."""
    difference, factors, last = statement.amounts["difference"], statement.factors, _MONTH + len(statement.starts)
    value = difference[-1] * factors
    spent = -difference[[_LINES.index(line) for line in _SPENT]].sum(axis=0) * factors
    cash, factor = _at("difference", _LINES[-1]), f"#{_FACTORS + 1}"
    investments = "+".join(_at("difference", line) for line in _SPENT)
    write = partial(_write_line, sheet, looks)
    write(_CUMULATIVE, "Cumulative cash", difference[-1].cumsum(), f"=SUM({cash.replace('#', 'B')}:{cash})", "formula")
    write(_PRESENT, "Present value", value, f"={cash}*{factor}", "formula", "total")
    write(_INVESTED, "Investment, present value", spent, f"=-({investments})*{factor}", "formula", "total")
    npv, investment = float(value.sum()), float(spent.sum())
    numerator, denominator = (xl_rowcol_to_cell(row, last) for row in (_PRESENT, _INVESTED))
    sheet.write_column(_NPV, 0, ["Net present value", "Return on investment"], looks["label"])
    sheet.write_formula(_NPV, _MONTH, f"={numerator}", looks["total"], npv)
    # Without an investment there is no return on it, which is another thing than a return of nothing.
    formula = f'=IF({denominator}<=0,"none",{numerator}/{denominator})'
    sheet.write_formula(_RETURN, _MONTH, formula, looks["ratio"], npv / investment if investment > 0.0 else "none")
    sheet.write(_NOTE, 0, _CENTRAL)


def _row(side: str, line: str = _LINES[0]) -> int:
    """Return the row of a line in a block, below the block's head."""
    return _FIRST + list(_SIDES).index(side) * _BLOCK + 1 + _LINES.index(line)


def _at(side: str, line: str) -> str:
    return f"#{_row(side, line) + 1}"


def _subtotal(side: str, line: str) -> str:
    """Return the formula of a subtotal: the one above it, and the accounts between them."""
    number = _SUBTOTALS.index(line)
    before = f"{_at(side, _SUBTOTALS[number - 1])}+" if number else ""
    return f"={before}SUM({_at(side, str(LADDER[number][1][0]))}:#{_row(side, line)})"


# A spreadsheet's own limits: characters of a sheet's name, rows and columns of a sheet, characters of a cell, and the
# largest whole number that keeps all its digits there.
_LONGEST_NAME, _MOST_ROWS, _MOST_COLUMNS, _LONGEST_TEXT, _LARGEST = 31, 1_048_576, 16_384, 32_767, 10**15
_FORBIDDEN = re.compile(r"[\[\]:*?/\\'\x00-\x1f\x7f]")
# Neither the day nor the machine may change the bytes.
_LONG_AGO = datetime(1980, 1, 1)  # noqa: DTZ001 - the format knows no zone
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_WIDEST = 60
_CUT = " … (cut: a cell holds no more)"


def workbook(title: str, twins: Twins, manifest: Mapping[str, object]) -> bytes:
    """Return a workbook of all tables, with a sheet for each strategy's statement whose sums are live formulas.

    In the format of Excel 2007 and later; the same for the same tables. Text is stored as text, so nothing that looks
    like a formula is one, but for those that this function writes. A table that is too large for a sheet is named in
    the contents alone.
    """
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, _OPTIONS)
    book.set_properties({"title": title, "created": _LONG_AGO})
    looks = {name: book.add_format(look) for name, look in _LOOKS.items()}
    taken = {"history"}  # a name that Excel keeps for itself
    contents = book.add_worksheet(sheet_name("Contents", taken))
    listed = list[tuple[str, str]]()
    for statement in statements_in(twins, manifest):
        name = sheet_name(f"Statement {statement.strategy}", taken)
        _write_statement(book.add_worksheet(name), looks, statement)
        listed.append((name, f"{statement.title}: statement by month, which calculates"))
    for twin in twins:
        name = ""
        if len(twin.rows) < _MOST_ROWS and len(twin.columns) <= _MOST_COLUMNS:
            name = sheet_name(twin.id, taken)
            _values(book.add_worksheet(name), twin, looks)
        listed.append((name, twin.title if name else f"{twin.title}: too large for a sheet; see {twin.id}.csv"))
    _contents(contents, title, listed, looks)
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


def _contents(sheet: Worksheet, title: str, listed: Sequence[tuple[str, str]], looks: Looks) -> None:
    sheet.set_column(0, 0, 32)
    sheet.write(0, 0, _fitting(title), looks["title"])
    sheet.write(1, 0, "Sheets of statements calculate: change a number in blue, and what is in black follows.")
    sheet.write(2, 0, "All other sheets hold the report's tables as they were computed, to ten digits.")
    for row, (name, described) in enumerate(listed, start=4):
        if name:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        sheet.write(row, 1, _fitting(described))


def _values(sheet: Worksheet, twin: Twin, looks: Looks) -> None:
    sheet.write_row(0, 0, map(_fitting, twin.columns), looks["head"])
    for column, (name, values) in enumerate(_by_column(twin).items()):
        widths = [len(str(value)) for value in (name, *values[:200])]
        sheet.set_column(column, column, min(max(widths) + 1, _WIDEST))
        sheet.write_column(1, column, map(_fitting, values))
    sheet.freeze_panes(1, 0)


def _fitting(value: Value) -> Value:
    """Return a value that a cell can hold; the other twins of a table have all of it."""
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return value[: _LONGEST_TEXT - len(_CUT)] + _CUT
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value
