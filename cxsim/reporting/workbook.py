"""Tables as they were computed in; CSV, JSON, what a page carries of them, and a workbook that calculates, out."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import xlsxwriter
from nbformat import NotebookNode
from xlsxwriter.format import Format
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
# What a comparison of two reports reads, in the order in which it would be missed.
_FIRST_CARRIED = (
    *("returns", "decision", "portfolio", "register", "assumptions"),
    *("information", "break-evens", "break-even", "totals", "statement"),
)
_MOST_VALUES, _MOST_BYTES = 1_500, 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The values of a table as they were computed."""

    id: str  # also the name of its file: lower-case letters, digits, - and _
    title: str
    columns: tuple[str, ...]  # at least one
    rows: tuple[tuple[Value, ...], ...]  # None where a value is missing

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ReportError(f"table id {self.id!r}: possible are up to 64 of a-z, 0-9, - and _.")
        if not self.columns:
            raise ReportError(f"table {self.id}: it has no column.")
        for number, row in enumerate(self.rows, start=1):
            where = f"table {self.id}: row {number}"
            if len(row) != len(self.columns):
                raise ReportError(f"{where} has {len(row)} values for {len(self.columns)} columns.")
            cells: Mapping[str, object] = dict(zip(self.columns, row, strict=True))
            for column, value in cells.items():
                if not isinstance(value, (str, int, float, bool, NoneType)):
                    kind = type(value).__name__
                    raise ReportError(f"{where}, {column} is a {kind}; possible: text, number, true/false, none.")
                if isinstance(value, float) and not math.isfinite(value):
                    raise ReportError(f"{where}, {column} is {value}; a missing value is none.")


def harvest(notebook: NotebookNode) -> tuple[Twin, ...]:
    """Return the twins of all tables in a notebook, in the order of their first appearance."""
    found: dict[str, Twin] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            twin = twin_of(output)
            if twin is not None and found.setdefault(twin.id, twin) != twin:
                raise ReportError(f"table {twin.id}: two different tables carry this id; an id names one table.")
    return tuple(found.values())


def twin_of(output: NotebookNode) -> Twin | None:
    """Return the twin that an output carries, if it carries one."""
    content = output.get("data", {}).get(TABLE)
    return None if content is None else twin_from(content)


def twin_from(content: object) -> Twin:
    """Return the twin that an output of kind TABLE holds."""
    if not isinstance(content, Mapping) or set(content) != {"id", "title", "columns", "rows"}:
        raise ReportError("a table's twin must have exactly the entries id, title, columns and rows.")
    if not all(isinstance(part, (list, tuple)) for part in (content["columns"], content["rows"], *content["rows"])):
        raise ReportError(f"table {content['id']!r}: columns, rows and each row must be lists.")
    return Twin(
        id=str(content["id"]),
        title=str(content["title"]),
        columns=tuple(map(str, content["columns"])),
        rows=tuple(map(tuple, content["rows"])),
    )


def csv_text(twin: Twin) -> str:
    """Return a twin as CSV: numbers to their last digit, a missing value as an empty field."""
    lines = [twin.columns, *twin.rows]
    return "".join(",".join(map(_field, line)) + "\n" for line in lines)


def tables_json(twins: Sequence[Twin]) -> str:
    """Return all twins as one JSON text, column by column."""
    lines = [
        _json(
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
    tables = json.loads(text)["tables"]
    return {
        one["id"]: _from_columns(one["id"], one["title"], [(part["name"], part["values"]) for part in one["columns"]])
        for one in tables
    }


def embedded(twins: Sequence[Twin]) -> str:
    """Return the tables of a page as JSON that may stand inside a script element, of at most 60 kB."""
    rank = {name: number for number, name in enumerate(_FIRST_CARRIED)}
    sizes = {twin.id: len(twin.columns) * len(twin.rows) for twin in twins}
    wanted = [twin for twin in twins if twin.id in rank or sizes[twin.id] <= _MOST_VALUES]
    text, chosen = "", list[Twin]()
    for twin in sorted(wanted, key=lambda twin: (rank.get(twin.id, len(rank)), sizes[twin.id], twin.id)):
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


def _json(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _by_column(twin: Twin) -> dict[str, list[Value]]:
    return {name: [row[place] for row in twin.rows] for place, name in enumerate(twin.columns)}


def _from_columns(name: str, title: str, columns: Sequence[tuple[str, Sequence[Value]]]) -> Twin:
    heads, values = zip(*columns, strict=True)
    return Twin(id=name, title=title, columns=heads, rows=tuple(zip(*values, strict=True)))


def _field(value: Value) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    field = _FORMULA.sub(r"\g<0>'", value)
    # The csv module lets a lone carriage return through.
    return '"' + field.replace('"', '""') + '"' if _SEPARATOR.search(field) else field


def _carried(twins: Sequence[Twin]) -> str:
    """Return tables as JSON in which a column of texts holds their places in one list of all texts."""
    places: dict[str, int] = {}

    def column(values: list[Value]) -> object:
        texts = [value for value in values if isinstance(value, str)]
        if not texts or len(texts) + values.count(None) < len(values):
            return values
        return {
            "texts": [places.setdefault(value, len(places)) if isinstance(value, str) else None for value in values]
        }

    tables = {
        twin.id: {
            "columns": twin.columns,
            "title": twin.title,
            "values": [column([row[place] for row in twin.rows]) for place in range(len(twin.columns))],
        }
        for twin in twins
    }
    return _json({"tables": tables, "texts": list(places)}).replace("<", "\\u003c")


def _read_carried(name: str, table: Mapping[str, Any], texts: Sequence[str]) -> Twin:
    values = [
        [None if place is None else texts[place] for place in column["texts"]] if isinstance(column, dict) else column
        for column in table["values"]
    ]
    return _from_columns(name, str(table["title"]), list(zip(table["columns"], values, strict=True)))


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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Statement:
    """One strategy's statement by month, with the central discount rate per year."""

    strategy: str
    title: str
    currency: str
    rate: float
    starts: Sequence[str]
    days: Amounts  # from the start, on which the cash of a month flows
    amounts: Mapping[str, Amounts]  # of baseline, treated and difference, shape (lines of the ladder, months)

    def factors(self) -> Amounts:
        """Return the present value of one unit of money in each month."""
        found: Amounts = (1.0 + self.rate) ** (-self.days / DAYS_PER_YEAR)
        return found


def statements_in(twins: Sequence[Twin], manifest: Mapping[str, object]) -> list[Statement]:
    """Return the statements by month in a report's tables, of each strategy once."""
    rate, currency = manifest.get("annual_discount_rate"), str(manifest.get("currency", ""))
    found: dict[str, Statement] = {}
    for twin in twins if isinstance(rate, (int, float)) else ():
        if set(PERIODS.columns) <= set(twin.columns):
            rows = [dict(zip(twin.columns, row, strict=True)) for row in twin.rows]
            months = [row for row in rows if row["grain"] == "month"]
            for name in dict.fromkeys(str(row["strategy"]) for row in months):
                mine = [row for row in months if row["strategy"] == name]
                found.setdefault(name, _statement(mine, _real(rate), currency))
    return list(found.values())


def _statement(rows: Sequence[Mapping[str, Value]], rate: float, currency: str) -> Statement:
    months = {row["period"]: row for row in rows}
    place = {period: number for number, period in enumerate(months)}
    amounts = {side: np.zeros((len(_LINES), len(months))) for side in ("baseline", "treated")}
    accounts = [line not in _SUBTOTALS for line in _LINES]
    for side, table in amounts.items():
        for row in rows:
            if row["line"] in _LINES and row["line"] not in _SUBTOTALS:
                table[_LINES.index(str(row["line"])), place[row["period"]]] = _real(row[side])
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


def _real(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise ReportError(f"a statement by month has {value!r} where a number is needed.")
    return float(value)


def _write_statement(sheet: Worksheet, looks: Looks, statement: Statement) -> None:
    """Write a statement: the two blocks that are given, their difference, and what follows from it."""
    last = _MONTH + len(statement.starts)
    _write_heads(sheet, looks, statement)
    for side, head in _SIDES.items():
        sheet.write_string(_row(side) - 1, 0, head, looks["label"])
        for line, amounts in zip(_LINES, statement.amounts[side], strict=True):
            row, subtotal = _row(side, line), line in _SUBTOTALS
            sheet.write_string(row, 0, line, looks["label"] if subtotal else None)
            look = looks["total" if subtotal else "formula"]
            for column, amount in enumerate(map(float, amounts), _MONTH):
                if subtotal:
                    sheet.write_formula(row, column, _subtotal(side, line, column), look, amount)
                elif side == "difference":
                    pair = (_cell(_row(one, line), column) for one in ("treated", "baseline"))
                    sheet.write_formula(row, column, f"={'-'.join(pair)}", look, amount)
                else:
                    sheet.write_number(row, column, amount, looks["given"])
            sheet.write_formula(row, last, _total(row, last), look, float(amounts.sum()))
    _write_value(sheet, looks, statement, last)
    sheet.set_column(0, 0, 30)
    sheet.set_column(_MONTH, last, 13)
    sheet.freeze_panes(_HEADS + 1, _MONTH)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_heads(sheet: Worksheet, looks: Looks, statement: Statement) -> None:
    sheet.write_string(0, 0, statement.title, looks["title"])
    sheet.write_string(1, 0, f"{statement.currency}; means over all draws; costs are negative".strip("; "))
    sheet.write_string(_RATE, 0, "Discount rate, effective per year")
    sheet.write_number(_RATE, _MONTH, statement.rate, looks["rate"])
    for row, name in ((_HEADS, "Month from"), (_DAYS, "Cash flows on day"), (_FACTORS, "Discount factor")):
        sheet.write_string(row, 0, name, looks["label"])
    rate = xl_rowcol_to_cell(_RATE, _MONTH, row_abs=True, col_abs=True)
    months = zip(statement.starts, statement.days, statement.factors(), strict=True)
    for column, (start, day, factor) in enumerate(months, _MONTH):
        sheet.write_string(_HEADS, column, start, looks["head"])
        sheet.write_number(_DAYS, column, float(day))
        formula = f"=(1+{rate})^(-{_cell(_DAYS, column)}/{DAYS_PER_YEAR})"
        sheet.write_formula(_FACTORS, column, formula, looks["factor"], float(factor))
    sheet.write_string(_HEADS, _MONTH + len(statement.starts), "Total", looks["head"])


def _write_value(sheet: Worksheet, looks: Looks, statement: Statement, last: int) -> None:
    """Write what follows from the difference: cumulative cash, present values, outlay and return."""
    difference, factors = statement.amounts["difference"], statement.factors()
    value = difference[-1] * factors
    spent = -difference[[_LINES.index(line) for line in _SPENT]].sum(axis=0) * factors
    for row, name, amounts in (
        (_CUMULATIVE, "Cumulative cash", difference[-1].cumsum()),
        (_PRESENT, "Present value", value),
        (_OUTLAY, "Outlay, present value", spent),
    ):
        sheet.write_string(row, 0, name, looks["label"])
        for column, amount in enumerate(map(float, amounts), _MONTH):
            sheet.write_formula(row, column, _below(row, column), looks["formula"], amount)
    npv, outlay = float(value.sum()), float(spent.sum())
    for row, total in ((_PRESENT, npv), (_OUTLAY, outlay)):
        sheet.write_formula(row, last, _total(row, last), looks["total"], total)
    numerator, denominator = _cell(_PRESENT, last), _cell(_OUTLAY, last)
    sheet.write_string(_NPV, 0, "Net present value", looks["label"])
    sheet.write_formula(_NPV, _MONTH, f"={numerator}", looks["total"], npv)
    sheet.write_string(_RETURN, 0, "Return on outlay", looks["label"])
    # Without an outlay there is no return on it, which is another thing than a return of nothing.
    formula = f'=IF({denominator}<=0,"none",{numerator}/{denominator})'
    sheet.write_formula(_RETURN, _MONTH, formula, looks["ratio"], npv / outlay if outlay > 0.0 else "none")
    sheet.write_string(_NOTE, 0, _CENTRAL)


def _row(side: str, line: str = _LINES[0]) -> int:
    """Return the row of a line in a block, below the block's head."""
    return _FIRST + list(_SIDES).index(side) * _BLOCK + 1 + _LINES.index(line)


def _cell(row: int, column: int) -> str:
    return str(xl_rowcol_to_cell(row, column))


def _total(row: int, last: int) -> str:
    return f"=SUM({_cell(row, _MONTH)}:{_cell(row, last - 1)})"


def _subtotal(side: str, line: str, column: int) -> str:
    """Return the formula of a subtotal: the one above it, and the accounts between them."""
    number = _SUBTOTALS.index(line)
    first = str(LADDER[number][1][0])
    between = f"SUM({_cell(_row(side, first), column)}:{_cell(_row(side, line) - 1, column)})"
    return f"={_cell(_row(side, _SUBTOTALS[number - 1]), column)}+{between}" if number else f"={between}"


def _below(row: int, column: int) -> str:
    cash, factor = _cell(_row("difference", _LINES[-1]), column), _cell(_FACTORS, column)
    if row == _CUMULATIVE:
        return f"={cash}" if column == _MONTH else f"={_cell(row, column - 1)}+{cash}"
    if row == _PRESENT:
        return f"={cash}*{factor}"
    return f"=-({'+'.join(_cell(_row('difference', line), column) for line in _SPENT)})*{factor}"


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
    sheet.write_string(0, 0, _text(title), looks["title"])
    sheet.write_string(1, 0, "Sheets of statements calculate: change a number in blue, and what is in black follows.")
    sheet.write_string(2, 0, "All other sheets hold the report's tables as they were computed, to ten digits.")
    for row, (name, described) in enumerate(listed, start=4):
        if name:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        sheet.write_string(row, 1, _text(described))


def _values(sheet: Worksheet, twin: Twin, looks: Looks) -> None:
    for column, name in enumerate(twin.columns):
        sheet.write_string(0, column, _text(name), looks["head"])
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
