"""The twin of a statement by month in, one sheet for each strategy that calculates its sums and present values, out."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import xlsxwriter
from nbformat import NotebookNode
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from cxsim.errors import ReportError
from cxsim.finance.ledger import LADDER, OUTLAY
from cxsim.finance.statement import PERIODS
from cxsim.params import DAYS_PER_YEAR
from cxsim.reporting.tables import TABLE

Value = str | int | float | bool | None

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# A spreadsheet runs a cell as a formula that begins with one of = + - @, in any width, or with a blank that it skips
# (OWASP, "CSV Injection"). A text can begin a cell of its own where a program cuts at semicolons, tabs or line ends.
_FORMULA = re.compile(
    r"^(?=[\t\r\n])|(^|[;\t\r\n])"
    r"(?=[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])"
)
_SEPARATOR = re.compile(r'[",\r\n]')


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The values of a table as they were computed.

    Attributes
    ----------
    id
        Name of the table, and of its file; lower-case letters, digits, - and _.
    title
        What a reader calls the table.
    columns
        Names of the columns, at least one.
    rows
        For each row one value per column; None where a value is missing.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ReportError(f"table id {self.id!r}: possible are up to 64 of a-z, 0-9, - and _.")
        if not self.columns:
            raise ReportError(f"table {self.id}: it has no column.")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ReportError(
                    f"table {self.id}: row {number} has {len(row)} values for {len(self.columns)} columns."
                )
            for column, value in zip(self.columns, row, strict=True):
                _require_plain(self.id, number, column, value)


def harvest(notebook: NotebookNode) -> tuple[Twin, ...]:
    """Return the twins of all tables in a notebook, in the order of their first appearance."""
    found: dict[str, Twin] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            twin = twin_of(output)
            if twin is None:
                continue
            if found.setdefault(twin.id, twin) != twin:
                raise ReportError(f"table {twin.id}: two different tables carry this id; an id names one table.")
    return tuple(found.values())


def twin_of(output: NotebookNode) -> Twin | None:
    """Return the twin that an output carries, if it carries one."""
    content = output.get("data", {}).get(TABLE)
    if content is None:
        return None
    if not isinstance(content, Mapping) or set(content) != {"id", "title", "columns", "rows"}:
        raise ReportError("a table's twin must have exactly the entries id, title, columns and rows.")
    if not all(_is_list(part) for part in (content["columns"], content["rows"], *content["rows"])):
        raise ReportError(f"table {content['id']!r}: columns, rows and each row must be lists.")
    return Twin(
        id=str(content["id"]),
        title=str(content["title"]),
        columns=tuple(str(column) for column in content["columns"]),
        rows=tuple(tuple(row) for row in content["rows"]),
    )


def csv_text(twin: Twin) -> str:
    r"""Return a twin as CSV: numbers to their last digit, a missing value as an empty field."""
    lines = [twin.columns, *twin.rows]
    return "".join(",".join(_quoted(_field(value)) for value in line) + "\n" for line in lines)


def tables_json(twins: Sequence[Twin]) -> str:
    """Return all twins as one JSON text, column by column."""
    lines = [
        json.dumps(_by_column(twin), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        for twin in sorted(twins, key=lambda twin: twin.id)
    ]
    return '{"tables":[\n' + ",\n".join(lines) + "\n]}\n"


def _by_column(twin: Twin) -> dict[str, object]:
    columns = [{"name": name, "values": [row[place] for row in twin.rows]} for place, name in enumerate(twin.columns)]
    return {"id": twin.id, "title": twin.title, "rows": len(twin.rows), "columns": columns}


def _quoted(field: str) -> str:
    """Quote a field that holds a separator; the csv module lets a lone carriage return through."""
    return '"' + field.replace('"', '""') + '"' if _SEPARATOR.search(field) else field


def _field(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _FORMULA.sub(r"\g<0>'", value)
    return repr(value)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _require_plain(table: str, number: int, column: str, value: object) -> None:
    if value is not None and not isinstance(value, (str, int, float, bool)):
        kind = type(value).__name__
        raise ReportError(
            f"table {table}: row {number}, {column} is a {kind}; possible: text, number, true/false, none."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ReportError(f"table {table}: row {number}, {column} is {value}; a missing value is none.")


Amounts = npt.NDArray[np.float64]
_SIDES = {"baseline": "Without the strategy", "treated": "With the strategy", "difference": "Difference"}
_SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
_LINES = tuple(line for subtotal, accounts in LADDER for line in (*map(str, accounts), subtotal))
_SPENT = tuple(line for line in _LINES if line in {str(account) for account in OUTLAY})
# Where things stand, counted from 0: the rate, the heads of months, their days and factors, the first block of lines,
# and what follows from the blocks. Months stand side by side from the second column on.
_RATE, _HEADS, _DAYS, _FACTORS, _FIRST = 3, 5, 6, 7, 9
_BLOCK = len(_LINES) + 2
_CUMULATIVE = _FIRST + len(_SIDES) * _BLOCK
_PRESENT, _OUTLAY, _NPV, _RETURN, _NOTE = (_CUMULATIVE + down for down in (1, 2, 4, 5, 7))
_MONTH = 1
_CENTRAL = (
    "At one discount rate, the central one. The report's net present value is a mean over draws, which can have rates "
    "of their own."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Formats:
    """How cells look: what somebody may change is blue, as finance people expect.

    Attributes
    ----------
    title, head, label, given, worked, total, rate, ratio, factor
        Of titles, heads, names of lines, given and calculated amounts, subtotals, the discount rate, the return on
        outlay, and factors.
    """

    title: Any
    head: Any
    label: Any
    given: Any
    worked: Any
    total: Any
    rate: Any
    ratio: Any
    factor: Any

    @classmethod
    def of(cls, book: xlsxwriter.Workbook) -> Formats:
        """Return the formats of a workbook."""
        amount, blue = "#,##0.00;[Red]-#,##0.00", "#0B5394"
        return cls(
            title=book.add_format({"bold": True, "font_size": 14}),
            head=book.add_format({"bold": True, "bottom": 1, "align": "right"}),
            label=book.add_format({"bold": True}),
            given=book.add_format({"num_format": amount, "font_color": blue}),
            worked=book.add_format({"num_format": amount}),
            total=book.add_format({"num_format": amount, "bold": True, "top": 1}),
            rate=book.add_format({"num_format": "0.00%", "font_color": blue}),
            ratio=book.add_format({"num_format": "0.0%", "bold": True, "align": "right"}),
            factor=book.add_format({"num_format": "0.000000"}),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Statement:
    """One strategy's statement by month.

    Attributes
    ----------
    strategy, title
        Its identifier, and its name for readers.
    currency, rate
        Currency, and central discount rate per year.
    starts, days
        First day of each month, as text, and the day from the start on which its cash flows.
    amounts
        Of `baseline`, `treated` and `difference`, shape (lines of the ladder, months).
    """

    strategy: str
    title: str
    currency: str
    rate: float
    starts: Sequence[str]
    days: Amounts
    amounts: Mapping[str, Amounts]

    def factors(self) -> Amounts:
        """Return the present value of one unit of money in each month."""
        found: Amounts = (1.0 + self.rate) ** (-self.days / DAYS_PER_YEAR)
        return found


def statements_in(twins: Sequence[Twin], manifest: Mapping[str, object]) -> list[Statement]:
    """Return the statements by month in a report's tables, of each strategy once."""
    rate, currency = manifest.get("annual_discount_rate"), str(manifest.get("currency", ""))
    found: dict[str, Statement] = {}
    if isinstance(rate, (int, float)):
        for twin in twins:
            if set(PERIODS.columns) <= set(twin.columns):
                rows = [dict(zip(twin.columns, row, strict=True)) for row in twin.rows]
                months = [row for row in rows if row["grain"] == "month"]
                for name in dict.fromkeys(str(row["strategy"]) for row in months):
                    mine = [row for row in months if row["strategy"] == name]
                    found.setdefault(name, _statement(mine, float(rate), currency))
    return list(found.values())


def write_statement(sheet: Worksheet, formats: Formats, statement: Statement) -> None:
    """Write a statement: the two blocks that are given, their difference, and what follows from it."""
    page = _Page(sheet=sheet, formats=formats, statement=statement)
    page.top()
    for side, head in _SIDES.items():
        page.block(side, head)
    page.below()
    sheet.set_column(0, 0, 30)
    sheet.set_column(_MONTH, page.last, 13)
    sheet.freeze_panes(_HEADS + 1, _MONTH)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _statement(rows: Sequence[Mapping[str, Value]], rate: float, currency: str) -> Statement:
    months = {row["period"]: row for row in rows}
    place = {period: number for number, period in enumerate(months)}
    amounts = {side: np.zeros((len(_LINES), len(months))) for side in ("baseline", "treated")}
    for row in rows:
        if row["line"] in _LINES and row["line"] not in _SUBTOTALS:
            for side, table in amounts.items():
                table[_LINES.index(str(row["line"])), place[row["period"]]] = _real(row[side])
    for table in amounts.values():
        accounts = [line not in _SUBTOTALS for line in _LINES]
        for number, line in enumerate(_LINES):
            if line in _SUBTOTALS:
                table[number] = table[:number][accounts[:number]].sum(axis=0)
    return Statement(
        strategy=str(rows[0]["strategy"]),
        title=str(rows[0]["title"]),
        currency=currency,
        rate=rate,
        starts=[str(row["starts_on"]) for row in months.values()],
        days=np.array([_real(row["day"]) for row in months.values()]),
        amounts=amounts | {"difference": amounts["treated"] - amounts["baseline"]},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """A sheet that is being written."""

    sheet: Worksheet
    formats: Formats
    statement: Statement

    @property
    def last(self) -> int:
        """Return the column of totals."""
        return _MONTH + len(self.statement.starts)

    def top(self) -> None:
        alt_text, look = self.statement, self.formats
        self.sheet.write_string(0, 0, alt_text.title, look.title)
        self.sheet.write_string(1, 0, f"{alt_text.currency}; means over all draws; costs are negative".strip("; "))
        self.sheet.write_string(_RATE, 0, "Discount rate, effective per year")
        self.sheet.write_number(_RATE, _MONTH, alt_text.rate, look.rate)
        for row, name in ((_HEADS, "Month from"), (_DAYS, "Cash flows on day"), (_FACTORS, "Discount factor")):
            self.sheet.write_string(row, 0, name, look.label)
        rate = xl_rowcol_to_cell(_RATE, _MONTH, row_abs=True, col_abs=True)
        for column, (start, day, factor) in enumerate(
            zip(alt_text.starts, alt_text.days, alt_text.factors(), strict=True), _MONTH
        ):
            self.sheet.write_string(_HEADS, column, start, look.head)
            self.sheet.write_number(_DAYS, column, float(day))
            formula = f"=(1+{rate})^(-{_cell(_DAYS, column)}/{DAYS_PER_YEAR})"
            self.sheet.write_formula(_FACTORS, column, formula, look.factor, float(factor))
        self.sheet.write_string(_HEADS, self.last, "Total", look.head)

    def block(self, side: str, head: str) -> None:
        self.sheet.write_string(_row(side) - 1, 0, head, self.formats.label)
        for line, amounts in zip(_LINES, self.statement.amounts[side], strict=True):
            row, subtotal = _row(side, line), line in _SUBTOTALS
            self.sheet.write_string(row, 0, line, self.formats.label if subtotal else None)
            worked = self.formats.total if subtotal else self.formats.worked
            for column, amount in enumerate(map(float, amounts), _MONTH):
                if subtotal:
                    self.sheet.write_formula(row, column, _subtotal(side, line, column), worked, amount)
                elif side == "difference":
                    pair = (_cell(_row(one, line), column) for one in ("treated", "baseline"))
                    self.sheet.write_formula(row, column, f"={'-'.join(pair)}", worked, amount)
                else:
                    self.sheet.write_number(row, column, amount, self.formats.given)
            self.total(row, worked, amounts)

    def total(self, row: int, look: Any, amounts: Amounts) -> None:
        formula = f"=SUM({_cell(row, _MONTH)}:{_cell(row, self.last - 1)})"
        self.sheet.write_formula(row, self.last, formula, look, float(amounts.sum()))

    def below(self) -> None:
        """Write what follows from the difference: cumulative cash, present values, outlay and return."""
        difference, factors = self.statement.amounts["difference"], self.statement.factors()
        cash = difference[-1]
        worth = cash * factors
        spent = -difference[[_LINES.index(line) for line in _SPENT]].sum(axis=0) * factors
        for row, name, amounts in (
            (_CUMULATIVE, "Cumulative cash", cash.cumsum()),
            (_PRESENT, "Present value", worth),
            (_OUTLAY, "Outlay, present value", spent),
        ):
            self.sheet.write_string(row, 0, name, self.formats.label)
            for column, amount in enumerate(map(float, amounts), _MONTH):
                self.sheet.write_formula(row, column, _below(row, column), self.formats.worked, amount)
        self.total(_PRESENT, self.formats.total, worth)
        self.total(_OUTLAY, self.formats.total, spent)
        self.result(float(worth.sum()), float(spent.sum()))

    def result(self, npv: float, outlay: float) -> None:
        worth, spent = _cell(_PRESENT, self.last), _cell(_OUTLAY, self.last)
        self.sheet.write_string(_NPV, 0, "Net present value", self.formats.label)
        self.sheet.write_formula(_NPV, _MONTH, f"={worth}", self.formats.total, npv)
        self.sheet.write_string(_RETURN, 0, "Return on outlay", self.formats.label)
        # Without an outlay there is no return on it, which is another thing than a return of nothing.
        ratio = npv / outlay if outlay > 0.0 else "none"
        formula = f'=IF({spent}<=0,"none",{worth}/{spent})'
        self.sheet.write_formula(_RETURN, _MONTH, formula, self.formats.ratio, ratio)
        self.sheet.write_string(_NOTE, 0, _CENTRAL)


def _row(side: str, line: str = _LINES[0]) -> int:
    """Return the row of a line in a block, below the block's head."""
    return _FIRST + list(_SIDES).index(side) * _BLOCK + 1 + _LINES.index(line)


def _cell(row: int, column: int) -> str:
    return str(xl_rowcol_to_cell(row, column))


def _subtotal(side: str, line: str, column: int) -> str:
    """Return the formula of a subtotal: the one above it, and the accounts between them."""
    number = _SUBTOTALS.index(line)
    accounts = LADDER[number][1]
    between = f"SUM({_cell(_row(side, str(accounts[0])), column)}:{_cell(_row(side, line) - 1, column)})"
    return f"={_cell(_row(side, _SUBTOTALS[number - 1]), column)}+{between}" if number else f"={between}"


def _below(row: int, column: int) -> str:
    cash, factor = _cell(_row("difference", _LINES[-1]), column), _cell(_FACTORS, column)
    if row == _CUMULATIVE:
        return f"={cash}" if column == _MONTH else f"={_cell(row, column - 1)}+{cash}"
    if row == _PRESENT:
        return f"={cash}*{factor}"
    return f"=-({'+'.join(_cell(_row('difference', line), column) for line in _SPENT)})*{factor}"


def _real(value: Value) -> float:
    if not isinstance(value, (int, float)):
        raise ReportError(f"a statement by month has {value!r} where a number is needed.")
    return float(value)


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
    for row, (name, alt_text) in enumerate(listed, start=4):
        if name:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        sheet.write_string(row, 1, _text(alt_text))


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
