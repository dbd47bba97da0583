"""Tables of a report in; a workbook of all of them, and of a business case its base case as a model, out."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_range
from xlsxwriter.worksheet import Worksheet

from cxsim.errors import ReportError
from cxsim.finance.economics import INVESTMENT_ACCOUNTS, LADDER
from cxsim.finance.returns import payback_months
from cxsim.params import CENTS, DAYS_PER_YEAR, Unit
from cxsim.reporting.tables import capitalised, unit_in_words
from cxsim.reporting.twins import Twin, Twins, Value
from cxsim.study.business.base_case import MONEY
from cxsim.study.scenario import BASELINE
from cxsim.wording import first_sentence

Amounts = npt.NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
_SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
_INVESTED = {str(account) for account in INVESTMENT_ACCOUNTS}
# The tables that the model is made of.
_NEEDED = ("model-volumes", "model-prices", "base-case", "register", "periods")
# How cells look: what somebody may change is blue on yellow, as finance people expect.
_AMOUNT, _FINE = "#,##0.00;[Red]-#,##0.00;–", "#,##0.00####"
_INPUT: Mapping[str, object] = {"font_color": "#0000FF", "bg_color": "#FFF9DB", "border": 1, "border_color": "#D9D9D9"}
_HEAD: Mapping[str, object] = {"bold": True, "bottom": 1, "valign": "top", "text_wrap": True, "bg_color": "#E9EEF4"}
_LOOKS: Mapping[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "note": {"font_color": "#52606D"},
    "head": {**_HEAD, "align": "right"},
    "words": {**_HEAD, "align": "left"},
    "bold": {"bold": True},
    "month": {**_HEAD, "align": "right", "num_format": "mmm yyyy"},
    "label": {"bold": True, "bg_color": "#E9EEF4"},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "count": {"num_format": "0"},
    "day": {"num_format": "0.0"},
    "factor": {"num_format": "0.000000"},
    "given": {"num_format": _AMOUNT, "font_color": "#0000FF"},
    "amount": {"num_format": _AMOUNT},
    "result": {"num_format": _AMOUNT, "bold": True},
    "total": {"num_format": _AMOUNT, "bold": True, "top": 1},
    "ratio": {"num_format": "0.0%", "align": "right"},
    "months": {"num_format": "0.0", "align": "right"},
    "price": {"num_format": "#,##0.00####;[Red]-#,##0.00####"},
    "choice": {**_INPUT, "align": "center"},
    "case": {"align": "center"},
    "name": {"font_color": "#52606D", "indent": 1},
    "input": {**_INPUT, "num_format": _FINE},
    "share input": {**_INPUT, "num_format": "0.00##%"},
    "used": {"num_format": _FINE, "bold": True},
    "share used": {"num_format": "0.00##%", "bold": True},
}
Looks = Mapping[str, Format]
_CASES = ["low", "base", "high"]
_SAYS = (
    "The base case as a model: every input is at its central value, and money is volume times unit price.",
    (
        "Volumes come from the simulation and do not change here: another case or input changes prices and costs only, "
        "not customer behaviour or value after the horizon. To simulate again, change the scenario and rebuild the "
        "report."
    ),
    (
        "Low and high are the ends of each input's plausible range, not bad and good. Shares and money are rounded as "
        "in the report."
    ),
)
_OF_MEAN = (
    "The decision rests on the mean over all draws, in which every input varies within its range. It differs from the "
    "base case because ranges are asymmetric and NPV is not linear in the inputs."
)


class Model(NamedTuple):
    """The base case of a report as volumes and prices."""

    currency: str
    starts: Sequence[date]
    days: Amounts  # from the start, on which the cash of a month flows
    inputs: Mapping[str, Mapping[str, Any]]  # rows of the register, by the names of the cells in use
    prices: Rows  # with the names of cells as factors
    arms: Mapping[str, Mapping[str, Amounts]]  # each volume by month, mean over worlds; the baseline is first
    units: Mapping[str, str]  # of volumes
    results: Mapping[str, str]  # name of the cell with the net present value of each strategy
    titles: Mapping[str, str]
    base: Rows  # what the report says of the base case
    sheets: Mapping[str, str]  # names of the sheets of arms, and of what they have in common

    @property
    def factors(self) -> Amounts:
        """The present value of one unit of money in each month."""
        factors: Amounts = (1.0 + self.inputs[_RATE]["value"]) ** (-self.days / DAYS_PER_YEAR)
        return factors

    def prices_of(self, arm: str, account: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Return the prices by which an account has money in an arm, each with its place."""
        return [
            (place, row)
            for place, row in enumerate(self.prices)
            if row["account"] == account and row["volume"] in self.arms[arm]
        ]

    def money(self, arm: str) -> dict[str, Amounts]:
        """Return the statement of an arm by month, without accounts that have no prices."""
        lines, so_far = dict[str, Amounts](), np.zeros(len(self.starts))
        for subtotal, accounts in LADDER:
            for account in map(str, accounts):
                parts = [
                    row["sign"] * row["amount"] * self.arms[arm][row["volume"]]
                    for _, row in self.prices_of(arm, account)
                ]
                if parts:
                    lines[account] = np.sum(parts, axis=0)
                    so_far = so_far + lines[account]
            lines[subtotal] = so_far
        return lines


_RATE, _RESULTS, _INPUTS, _PRICES = "annual_discount_rate", "Results", "Inputs", "Prices"


def model_in(twins: Twins, manifest: Mapping[str, object], taken: set[str]) -> Model | None:
    """Return the model in a report's tables, if it has one; the names of its sheets are then taken."""
    tables: dict[str, Rows] = {twin.id: twin.records() for twin in twins if twin.id in _NEEDED}
    if len(tables) < len(_NEEDED):
        return None
    volumes, prices, base, register, periods = (tables[name] for name in _NEEDED)
    ids = {str(row[name]).removeprefix("1-") for row in prices for name in ("factor", "times")}
    used = [row for row in register if row["id"] in ids or row["id"].endswith(f"/{_RATE}")]
    npvs = {row["strategy"]: f"results/npv/{row['strategy']}" for row in base}
    cells = _cell_names([*(row["id"] for row in used), *npvs.values()])
    months = {row["period"]: row for row in periods if row["grain"] == "month"}
    arms = dict[str, dict[str, list[float]]]()
    for row in volumes:
        share = row["worlds"] * (CENTS if row["unit"] == MONEY else 1)
        arms.setdefault(row["arm"], {}).setdefault(row["volume"], []).append(row["total"] / share)
    titles = {BASELINE: "No programme"} | {row["strategy"]: row["title"] for row in base}
    wanted = {name: name for name in (_RESULTS, _INPUTS, _PRICES)} | {name: f"Model {name}" for name in titles}
    return Model(
        currency=str(manifest.get("currency", "")),
        starts=[date.fromisoformat(row["starts_on"]) for row in months.values()],
        days=_numbers(row["day"] for row in months.values()),
        inputs={cells[row["id"]]: row for row in used},
        prices=[dict(row) | {name: _with_cell(row[name], cells) for name in ("factor", "times")} for row in prices],
        arms={arm: {name: _numbers(found) for name, found in arms[arm].items()} for arm in titles},
        units={row["volume"]: row["unit"] for row in volumes},
        results={name: cells[npv] for name, npv in npvs.items()},
        titles=titles,
        base=base,
        sheets={name: sheet_name(text, taken) for name, text in wanted.items()},
    )


def _cell_names(ids: Iterable[str]) -> dict[str, str]:
    """Return a name for the cell of each number, such as gross_margin or points_programme_monthly."""
    found, taken = dict[str, str](), {"case"}
    for identifier in ids:
        folder, holder, path = identifier.split("/", 2)
        path = re.sub(r"^costs\.|^effects\.|_\d+(?=\.)|\.amount$", "", path)
        plain = re.sub(r"\W+", "_", path if folder == "economics" else f"{holder}_{path}")
        name, number = f"{'_' * plain[0].isdigit()}{plain}", 2
        while name.lower() in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.lower())
        found[identifier] = name
    return found


def _with_cell(factor: str | None, cells: Mapping[str, str]) -> str | None:
    return None if factor is None else f"{'1-' * factor.startswith('1-')}{cells[factor.removeprefix('1-')]}"


def _numbers(values: Iterable[Any]) -> Amounts:
    found = list(values)
    if None in found:
        raise ReportError("a table of the model has None where a number is needed.")
    return np.array(found, dtype=np.float64)


def _write_model(book: xlsxwriter.Workbook, looks: Looks, model: Model) -> list[tuple[str, str]]:
    """Write the sheets of a model; return their names and what they show."""
    sheets = {name: book.add_worksheet(sheet) for name, sheet in model.sheets.items()}
    _write_inputs(book, sheets[_INPUTS], looks, model)
    _write_prices(sheets[_PRICES], looks, model)
    layouts = {arm: _layout(model, arm) for arm in model.arms}
    for arm, own in layouts.items():
        _write_arm(sheets[arm], looks, model, arm, layouts)
        if arm != BASELINE:
            _write_value(sheets[arm], looks, model, own)
            book.define_name(model.results[arm], f"='{own.sheet}'!$C${own.end + 7}")
    _write_results(sheets[_RESULTS], looks, model, layouts)
    for sheet in sheets.values():
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    shown = {
        _RESULTS: "NPV and other results of each programme",
        _INPUTS: "what can be changed",
        _PRICES: "what each volume adds to an account",
    }
    return [(sheet, f"The model: {shown.get(name) or model.titles[name]}") for name, sheet in model.sheets.items()]


def _unit(model: Model, unit: str) -> str:
    return model.currency if unit == MONEY else unit


def _write_heads(sheet: Worksheet, looks: Looks, row: int, heads: Mapping[str, tuple[str, float]]) -> None:
    """Write the heads of columns, each with the look and the width of its column."""
    for column, (head, (look, width)) in enumerate(heads.items()):
        sheet.write(row, column, head, looks[look])
        sheet.set_column(column, column, width)
    sheet.set_row(row, _TWO_LINES)


_CASE_ROW, _INPUTS_ROW, _TWO_LINES = 6, 8, 32


def _write_inputs(book: xlsxwriter.Workbook, sheet: Worksheet, looks: Looks, model: Model) -> None:
    """Write every number that prices depend on: its range, and which end of it is in use."""
    sheet.write(0, 0, "Inputs", looks["title"])
    sheet.write_column(1, 0, [*_SAYS, "Edit the blue cells on yellow; the black cells are calculated."], looks["note"])
    sheet.write(_CASE_ROW, 0, "Case of all inputs: low, base or high", looks["bold"])
    sheet.write(_CASE_ROW, 1, "base", looks["choice"])
    sheet.data_validation(_CASE_ROW, 1, _CASE_ROW, 1, {"validate": "list", "source": _CASES})
    place = f"'{model.sheets[_INPUTS]}'!$"
    book.define_name("Case", f"={place}B${_CASE_ROW + 1}")
    heads = {"Input": ("words", 68), "Belongs to": ("words", 26), "Unit": ("words", 20)}
    heads |= dict.fromkeys(("Low", "Base", "High", "Own case", "Case in use", "In use"), ("head", 11))
    heads |= {"Name of the cell in use": ("words", 38), "Programme": ("words", 32), "NPV": ("head", 16)}
    _write_heads(sheet, looks, _INPUTS_ROW, heads)
    for row, (name, one) in enumerate(model.inputs.items(), start=_INPUTS_ROW + 1):
        unit, share = Unit(one["unit"]), "share " * (one["unit"] in (Unit.SHARE, Unit.SHARE_PER_YEAR))
        words = [first_sentence(one["description"]), one["belongs_to"], unit_in_words(unit, model.currency)]
        sheet.write_row(row, 0, words, looks["wrapped"])
        sheet.write_row(row, 3, [one[end] for end in ("low", "value", "high")], looks[f"{share}input"])
        sheet.data_validation(row, 3, row, 5, _possible(unit))
        sheet.write_blank(row, 6, None, looks["choice"])
        sheet.data_validation(row, 6, row, 6, {"validate": "list", "source": _CASES})
        at = row + 1
        sheet.write_formula(row, 7, f'=IF(G{at}="",Case,G{at})', looks["case"], "base")
        used = f'=IF(H{at}="low",D{at},IF(H{at}="high",F{at},E{at}))'
        sheet.write_formula(row, 8, used, looks[f"{share}used"], one["value"])
        sheet.write(row, 9, name, looks["name"])
        book.define_name(name, f"={place}I${at}")
    for row, one in enumerate(model.base, start=_INPUTS_ROW + 1):
        sheet.write(row, 10, one["title"])
        sheet.write_formula(row, 11, f"={model.results[one['strategy']]}", looks["amount"], one["npv"])
    sheet.freeze_panes(_INPUTS_ROW + 1, 1)


def _possible(unit: Unit) -> dict[str, object]:
    bounds = f"{unit.low:g} to {unit.high:g}"
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": unit.low,
        "maximum": unit.high,
        "input_title": str(unit),
        "input_message": f"Allowed: {bounds}.",
        "error_title": "Not allowed",
        "error_message": f"A number of the unit '{unit}' must be {bounds}.",
    }


_PRICES_ROW = 4


def _write_prices(sheet: Worksheet, looks: Looks, model: Model) -> None:
    """Write what one of each volume adds to an account, worked out from the inputs."""
    sheet.write(0, 0, "Unit prices: what each volume adds to an account", looks["title"])
    sheet.write(
        1,
        0,
        f"{model.currency}; costs are negative. For a volume in {model.currency}, the price is per {model.currency}.",
    )
    sheet.write(2, 0, "Without an input, the volume is itself the amount.", looks["note"])
    heads = {"Account": ("words", 28), "Volume": ("words", 58), "Unit": ("words", 12), "Calculated from": ("words", 64)}
    _write_heads(sheet, looks, _PRICES_ROW, heads | {"Price": ("head", 14)})
    for row, one in enumerate(model.prices, start=_PRICES_ROW + 1):
        factors = [one[name] for name in ("factor", "times") if one[name]]
        words = " × ".join(f"(1 - {name[2:]})" if name.startswith("1-") else name for name in factors)
        sheet.write_row(row, 0, [capitalised(one["account"]), one["volume"], _unit(model, one["unit"]), words])
        price = one["sign"] * one["amount"]
        # As the ledger holds it: a share to a hundredth of a percent, money to a millionth.
        digits = 4 if one["unit"] == MONEY else 6
        product = "*".join(f"(1-ROUND({name[2:]},4))" if name.startswith("1-") else name for name in factors)
        if factors:
            sign = "-" if one["sign"] < 0 else ""
            sheet.write_formula(row, 4, f"={sign}ROUND({product},{digits})", looks["price"], price)
        else:
            sheet.write_number(row, 4, price, looks["price"])
    sheet.freeze_panes(_PRICES_ROW + 1, 2)


# Where things stand on the sheet of an arm, counted from 0: heads of months, their numbers, days and factors, the first
# block of lines; months stand side by side from the third column on.
_HEADS, _MONTHS, _DAYS, _FACTORS, _FIRST, _MONTH = 3, 4, 5, 6, 8, 2
_BLOCKS = {
    "volumes": "Volumes",
    "more volumes": "Volumes: difference from the baseline",
    "money": "Money: volumes times prices",
    "more money": "Money: difference from the baseline",
}


class Layout(NamedTuple):
    """The lines of an arm by block, and where they stand on its sheet."""

    sheet: str
    blocks: Mapping[str, Mapping[str, Amounts]]
    rows: Mapping[tuple[str, str], int]

    def at(self, block: str, line: str) -> str:
        """Return the place of a line, in which # stands for the month's column."""
        return f"#{self.rows[block, line] + 1}"

    @property
    def end(self) -> int:
        """The row below the last block."""
        return max(self.rows.values()) + 2

    @property
    def flows(self) -> tuple[Amounts, Amounts]:
        """Cash and investment by month, as differences from the baseline."""
        money = self.blocks["more money"]
        cash = money[_SUBTOTALS[-1]]
        return cash, 0.0 - np.sum([np.zeros_like(cash), *(money[line] for line in money if line in _INVESTED)], axis=0)


def _layout(model: Model, arm: str) -> Layout:
    blocks: dict[str, dict[str, Amounts]] = {"volumes": dict(model.arms[arm]), "money": model.money(arm)}
    if arm != BASELINE:
        before = {"volumes": model.arms[BASELINE], "money": model.money(BASELINE)}
        for kind, lines in list(blocks.items()):
            blocks[f"more {kind}"] = {line: amounts - before[kind].get(line, 0.0) for line, amounts in lines.items()}
    rows, row = dict[tuple[str, str], int](), _FIRST
    for block in filter(blocks.__contains__, _BLOCKS):
        rows |= {(block, line): row + down for down, line in enumerate(blocks[block], start=1)}
        row += len(blocks[block]) + 2
    return Layout(model.sheets[arm], blocks, rows)


def _write_arm(sheet: Worksheet, looks: Looks, model: Model, arm: str, layouts: Mapping[str, Layout]) -> None:
    """Write the volumes of an arm and its statement, and how both differ from the baseline."""
    own, last = layouts[arm], _MONTH + len(model.starts)
    sheet.write(0, 0, model.titles[arm], looks["title"])
    sheet.write(
        1, 0, "Not discounted unless stated. Costs are negative. Blue: means over simulation runs.", looks["note"]
    )
    sheet.write_row(_HEADS, 0, ["Month from", "Unit"], looks["words"])
    for column, day in enumerate(model.starts, _MONTH):
        sheet.write_datetime(_HEADS, column, datetime(day.year, day.month, day.day), looks["month"])  # noqa: DTZ001
    sheet.write(_HEADS, last, "Total", looks["head"])
    write = partial(_write_line, sheet, looks)
    write(_MONTHS, ("Month", ""), np.arange(1.0, len(model.starts) + 1.0), "", "count")
    write(_DAYS, ("Day of the cash flow, from the start", ""), model.days, "", "day")
    factor = f"=(1+{_RATE})^(-#{_DAYS + 1}/{DAYS_PER_YEAR})"
    write(_FACTORS, ("Discount factor", ""), model.factors, factor, "factor")
    for block in filter(own.blocks.__contains__, _BLOCKS):
        top = own.rows[block, next(iter(own.blocks[block]))] - 1
        for column in range(last + 1):
            sheet.write(top, column, _BLOCKS[block] if column == 0 else None, looks["label"])
        for line, amounts in own.blocks[block].items():
            unit = model.units.get(line, MONEY) if "volumes" in block else MONEY
            formula = _formula(model, arm, layouts, block, line)
            look = "total" if line in _SUBTOTALS else "amount" if formula else "given"
            write(own.rows[block, line], (capitalised(line), _unit(model, unit)), amounts, formula, look)
            total = f"=SUM({xl_range(own.rows[block, line], _MONTH, own.rows[block, line], last - 1)})"
            sheet.write_formula(own.rows[block, line], last, total, looks[look], float(amounts.sum()))
    sheet.set_column(0, 0, 50)
    sheet.set_column(1, 1, 9)
    sheet.set_column(_MONTH, last, 13)
    sheet.freeze_panes(_HEADS + 1, _MONTH)
    sheet.repeat_columns(0, 1)


def _formula(model: Model, arm: str, layouts: Mapping[str, Layout], block: str, line: str) -> str:
    """Return the formula of a line in a block, in which # stands for the month's column; none for what is given."""
    own, baseline, kind = layouts[arm], layouts[BASELINE], block.removeprefix("more ")
    if kind != block:
        before = f"-'{baseline.sheet}'!{baseline.at(kind, line)}" if line in baseline.blocks[kind] else ""
        return f"={own.at(kind, line)}{before}"
    if block == "volumes":
        return ""
    if line not in _SUBTOTALS:
        prices, places = f"'{model.sheets[_PRICES]}'!$E$", model.prices_of(arm, line)
        return "=" + "+".join(
            f"{prices}{_PRICES_ROW + 2 + place}*{own.at('volumes', row['volume'])}" for place, row in places
        )
    number = _SUBTOTALS.index(line)
    accounts = [own.at(block, one) for one in map(str, LADDER[number][1]) if one in own.blocks[block]]
    above = [own.at(block, _SUBTOTALS[number - 1])] if number else []
    return f"={'+'.join([*above, *accounts]) or '0'}"


def _write_line(
    sheet: Worksheet, looks: Looks, row: int, words: tuple[str, str], amounts: Amounts, formula: str, look: str
) -> None:
    """Write a name, a unit and an amount for each month; in a formula, # stands for the month's column."""
    sheet.write_row(row, 0, words, looks["bold"] if look == "total" else None)
    for column, amount in enumerate(map(float, amounts), _MONTH):
        if formula:
            sheet.write_formula(row, column, formula.replace("#", xl_col_to_name(column)), looks[look], amount)
        else:
            sheet.write_number(row, column, amount, looks[look])


# Results of a strategy, with how they look.
_SHOWN = ("NPV", "Investment", "Benefits", "Return on investment", "Payback, months", "Peak funding need")
_NPV, _SPENT, _BENEFITS, _ROI, _PAYBACK, _FUNDING = _SHOWN
_SHOWN_AS = {_NPV: "result", _ROI: "ratio", _PAYBACK: "months"}
_LATE = "beyond the horizon"


def _write_value(sheet: Worksheet, looks: Looks, model: Model, own: Layout) -> None:
    """Write what follows from the difference from the baseline, and the results below it."""
    (flow, invested), months, cash = own.flows, len(model.starts), own.at("more money", _SUBTOTALS[-1])
    spent = "+".join(own.at("more money", line) for line in own.blocks["more money"] if line in _INVESTED)
    cumulative, factor = flow.cumsum().round(6), f"#${_FACTORS + 1}"
    spans = [xl_range(own.end + down, _MONTH, own.end + down, _MONTH + months - 1) for down in range(1, 5)]
    lines = {
        "Cumulative cash": (cumulative, f"=ROUND(SUM(${cash.replace('#', 'C')}:{cash}),6)", "amount"),
        "Month number while cumulative cash is negative": (
            np.arange(1.0, months + 1.0) * (cumulative < 0.0),
            f"=IF(#{own.end + 2}<0,#{_MONTHS + 1},0)",
            "count",
        ),
        "Cash, present value": (flow * model.factors, f"={cash}*{factor}", "amount"),
        "Investment, present value": (invested * model.factors, f"=-({spent or '0'})*{factor}", "amount"),
    }
    sheet.write_row(own.end, 0, ["Value", *[""] * (months + 2)], looks["label"])
    for row, (name, (amounts, formula, look)) in enumerate(lines.items(), start=own.end + 1):
        unit = "" if look == "count" else model.currency
        _write_line(sheet, looks, row, (name, unit), amounts, formula, look)
    row = own.rows["more money", _SUBTOTALS[-1]]
    formulas = _result_formulas(own.end + 6, spans, xl_range(row, _MONTH, row, _MONTH + months - 1), months)
    for row, (name, value) in enumerate(_results(flow, invested, model.factors).items(), start=own.end + 6):
        sheet.write_row(row, 0, [name, "" if name in (_ROI, _PAYBACK) else model.currency], looks["bold"])
        sheet.write_formula(row, _MONTH, formulas[name], looks[_SHOWN_AS.get(name, "amount")], value)


def _result_formulas(row: int, spans: Sequence[str], flow: str, months: int) -> dict[str, str]:
    """Return the formula of each result, from the spans of the lines above it and that of cash."""
    cumulative, below, present, invested = spans
    npv, spent = (f"C{row + 1 + down}" for down in (0, 1))
    last = f"MAX({below})"
    paid = f"{last}-INDEX({cumulative},1,{last})/INDEX({flow},1,{last}+1)"
    return {
        _NPV: f"=SUM({present})",
        _SPENT: f"=SUM({invested})",
        _BENEFITS: f"={npv}+{spent}",
        # Without an investment there is no return on it, which is another thing than a return of nothing.
        _ROI: f'=IF({spent}<=0,"none",{npv}/{spent})',
        _PAYBACK: f'=IF({last}=0,0,IF({last}={months},"{_LATE}",{paid}))',
        _FUNDING: f"=MAX(0,-MIN({cumulative}))",
    }


def _results(cash: Amounts, invested: Amounts, factors: Amounts) -> dict[str, float | str]:
    npv, spent, payback = float(cash @ factors), float(invested @ factors), float(payback_months(cash[None, :])[0])
    return {
        _NPV: npv,
        _SPENT: spent,
        _BENEFITS: npv + spent,
        _ROI: npv / spent if spent > 0.0 else "none",
        _PAYBACK: payback if np.isfinite(payback) else _LATE,
        _FUNDING: max(0.0, -float(cash.cumsum().round(6).min())),
    }


_RESULTS_ROW = 9
# What stands beside the results.
_COMPARED = ("Base-case NPV in the report", "Change by inputs", "Mean NPV over all draws", "Mean less base case")


def _write_results(sheet: Worksheet, looks: Looks, model: Model, layouts: Mapping[str, Layout]) -> None:
    """Write the results of each strategy with the inputs in use, beside what the report says."""
    first, last = _RESULTS_ROW + 2, _RESULTS_ROW + 1 + len(model.base)
    sheet.write(0, 0, "Results", looks["title"])
    sheet.write_column(1, 0, [*_SAYS, _OF_MEAN], looks["note"])
    sheet.write_column(
        6, 0, ["Case of all inputs", "Does each NPV match the base case of the report, to the cent?"], looks["bold"]
    )
    sheet.write_formula(6, 1, "=Case", looks["case"], "base")
    sheet.write_formula(
        7, 1, f'=IF(MAX(MAX(I{first}:I{last}),-MIN(I{first}:I{last}))<0.005,"yes","no")', looks["case"], "yes"
    )
    heads = {f"Programme ({model.currency} unless noted)": ("words", 54), **dict.fromkeys(_SHOWN, ("head", 18))}
    heads |= dict.fromkeys(_COMPARED, ("head", 16))
    _write_heads(sheet, looks, _RESULTS_ROW, heads)
    for row, one in enumerate(model.base, start=_RESULTS_ROW + 1):
        arm, at = one["strategy"], row + 1
        own = layouts[arm]
        sheet.write(row, 0, model.titles[arm])
        values = _results(*own.flows, model.factors)
        for column, (name, value) in enumerate(values.items(), start=1):
            place = f"'{own.sheet}'!$C${own.end + 6 + column}"
            sheet.write_formula(row, column, f"={place}", looks[_SHOWN_AS.get(name, "amount")], value)
        npv = float(values[_NPV])
        sheet.write_number(row, 7, one["npv"], looks["amount"])
        sheet.write_formula(row, 8, f"=B{at}-H{at}", looks["amount"], npv - one["npv"])
        sheet.write_number(row, 9, one["mean"], looks["amount"])
        sheet.write_formula(row, 10, f"=J{at}-H{at}", looks["amount"], one["mean"] - one["npv"])
    sheet.freeze_panes(_RESULTS_ROW + 1, 1)


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
    """Return a workbook of all tables, and of a business case its base case as a model of live formulas.

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
    if (model := model_in(twins, manifest, taken)) is not None:
        listed += _write_model(book, looks, model)
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
    sheet.set_column(1, 1, 120)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write(0, 0, _fitting(title), looks["title"])
    sheet.write(1, 0, "The sheets of the model calculate: edit the blue cells on yellow.")
    sheet.write(2, 0, "All other sheets hold the tables of the report, to ten digits.")
    for row, (name, described) in enumerate(listed, start=4):
        if name:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
        sheet.write(row, 1, _fitting(described))


def _values(sheet: Worksheet, twin: Twin, looks: Looks) -> None:
    sheet.write_row(0, 0, map(_fitting, twin.columns), looks["head"])
    for column, (name, values) in enumerate(twin.by_column().items()):
        widths = [len(str(value)) for value in (name, *values[:200])]
        sheet.set_column(column, column, min(max(widths) + 1, _WIDEST))
        sheet.write_column(1, column, map(_fitting, values))
    sheet.freeze_panes(1, 0)


def _fitting(value: Value) -> Value:
    """Return a value that a cell can hold; the other twins of a table have all of it."""
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return value[: _LONGEST_TEXT - len(_CUT)] + _CUT
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value
