"""The twin of a statement by month in, one sheet for each strategy that calculates its sums and present values, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from cxsim.business_tables import PERIODS
from cxsim.errors import ReportError
from cxsim.ledger import LADDER, OUTLAY
from cxsim.report.twins import Twin, Value
from cxsim.units import DAYS_PER_YEAR

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
        told, look = self.statement, self.formats
        self.sheet.write_string(0, 0, told.title, look.title)
        self.sheet.write_string(1, 0, f"{told.currency}; means over all draws; costs are negative".strip("; "))
        self.sheet.write_string(_RATE, 0, "Discount rate, effective per year")
        self.sheet.write_number(_RATE, _MONTH, told.rate, look.rate)
        for row, name in ((_HEADS, "Month from"), (_DAYS, "Cash flows on day"), (_FACTORS, "Discount factor")):
            self.sheet.write_string(row, 0, name, look.label)
        rate = xl_rowcol_to_cell(_RATE, _MONTH, row_abs=True, col_abs=True)
        for column, (start, day, factor) in enumerate(zip(told.starts, told.days, told.factors(), strict=True), _MONTH):
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
