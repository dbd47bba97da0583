"""A workbook holds all tables, and its model is the base case of the report, which moves as the package's own does."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from datetime import date
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

from checks.source import ROOT
from cxsim.errors import ReportError
from cxsim.finance.returns import payback_months
from cxsim.params import Unit
from cxsim.reporting.tables import machine_readable
from cxsim.reporting.twins import Twin
from cxsim.reporting.workbook import sheet_name, workbook
from cxsim.study.assumptions import assumptions, register, with_assumptions
from cxsim.study.business.base_case import base_case, base_case_table, prices, volumes
from cxsim.study.business.case import statements
from cxsim.study.run import run
from tests.reporting.spreadsheet import LIBREOFFICE, Calculator, names, parts, recalculated, sheets, with_cells
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import everything

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
    return workbook(f"Title {HOSTILE}", [TWIN], {"currency": "EUR"})


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


def test_a_report_without_tables_has_contents_alone():
    assert list(sheets(workbook("T", [], {}))) == ["Contents"]


CENT = 0.005
MANIFEST = {"currency": "USD"}
CASE = ("Inputs", "B7")


def _twins(study, base):
    """Return the tables from which the model of a report is made."""
    tables = {
        "model-volumes": volumes(base),
        "model-prices": prices(base),
        "base-case": base_case_table(base, study.returns),
        "register": register(study.scenario),
        "periods": statements(study)["periods"],
    }
    found = {name: machine_readable(name, name, table) for name, table in tables.items()}
    return [
        Twin(id=name, title=name, columns=tuple(one["columns"]), rows=tuple(map(tuple, one["rows"])))
        for name, one in found.items()
    ]


class Made:
    """A study with ranges for everything, its base case and its workbook."""

    def __init__(self, scenario):
        spread = assumed(0.10, Unit.SHARE_PER_YEAR, range=(0.06, 0.15))
        economics = dataclasses.replace(scenario.economics, annual_discount_rate=spread)
        self.study = run(dataclasses.replace(scenario, economics=economics))
        self.base = base_case(self.study)
        self.twins = _twins(self.study, self.base)
        self.book = workbook("T", self.twins, MANIFEST)
        moved = {*prices(self.base)["factor"].drop_nulls(), *prices(self.base)["times"].drop_nulls()}
        self.ids = {one.removeprefix("1-") for one in moved} | {f"economics/{economics.name}/annual_discount_rate"}
        self.numbers = {one.id: one.quantity for one in assumptions(self.study.scenario) if one.id in self.ids}
        cells = sheets(self.book)["Inputs"]
        # In the order of the register, as the inputs are.
        self.rows = {name: 10 + place for place, name in enumerate(self.numbers)}
        self.cells = {name: cells[f"J{row}"].value for name, row in self.rows.items()}

    def npvs(self, values):
        """Return the NPVs that the package books for the same customers with some numbers moved."""
        other = self.base.under(with_assumptions(self.study.scenario, values))
        arms = dict(other.scenario.with_prior)
        return {
            name: float(other.npv(outcome._replace(strategies=arms[name])).mean())
            for name, outcome in self.base.outcomes.items()
        }

    def at(self, end):
        """Return the value of every number at one end of its range."""
        return {name: one.range[0 if end == "low" else 1] for name, one in self.numbers.items()}


def _cells_of_npvs(made):
    return {arm: names(made.book)[f"npv_{arm.replace('-', '_')}"] for arm in made.base.outcomes}


def _npvs(calculator, made):
    return {arm: calculator(*cell) for arm, cell in _cells_of_npvs(made).items()}


@pytest.fixture(scope="module")
def plain():
    return Made(small(draws=2))


@pytest.fixture(scope="module")
def busy():
    """A year of new customers in which everything happens: tickets, returns, fees, referrals, all kinds of costs."""
    return Made(dataclasses.replace(everything(), existing_customers="none", horizon_months=12))


@pytest.fixture(params=["plain", "busy"])
def made(request):
    return request.getfixturevalue(request.param)


def test_every_formula_gives_the_value_that_is_stored_beside_it(made):
    calculator, formulas = Calculator(made.book), 0
    for sheet, cells in calculator.cells.items():
        for place, cell in cells.items():
            if cell.formula is not None:
                formulas += 1
                # The tables of a report keep ten digits.
                expected = cell.value if isinstance(cell.value, str) else pytest.approx(cell.value, abs=1e-6, rel=1e-9)
                assert calculator(sheet, place) == expected, (sheet, place, cell.formula)
    assert formulas > 1_000


def test_as_it_is_opened_the_model_is_the_base_case_of_the_report_to_the_cent(made):
    found = _npvs(Calculator(made.book), made)
    for row in base_case_table(made.base, made.study.returns).iter_rows(named=True):
        assert found[row["strategy"]] == pytest.approx(row["npv"], abs=CENT)
    assert Calculator(made.book)("Results", "B8") == "yes"


@pytest.mark.parametrize("end", ["low", "high"])
def test_at_the_other_case_it_is_what_the_package_books_for_the_same_customers_there(made, end):
    found = _npvs(Calculator(made.book, {CASE: end}), made)
    assert found == pytest.approx(made.npvs(made.at(end)), abs=CENT)
    assert Calculator(made.book, {CASE: end})("Results", "B8") == "no"


def test_each_input_moves_alone_as_in_the_package(busy):
    for name, quantity in busy.numbers.items():
        found = _npvs(Calculator(busy.book, {("Inputs", f"G{busy.rows[name]}"): "high"}), busy)
        assert found == pytest.approx(busy.npvs({name: quantity.range[1]}), abs=CENT), name


def test_a_number_typed_over_the_base_moves_what_is_in_use(plain):
    margin = next(name for name in plain.numbers if name.endswith("gross_margin"))
    found = _npvs(Calculator(plain.book, {("Inputs", f"E{plain.rows[margin]}"): 0.55}), plain)
    assert found == pytest.approx(plain.npvs({margin: 0.55}), abs=CENT)


def test_results_are_those_of_the_package_and_stand_beside_the_mean_that_the_decision_rests_on(made):
    calculator, weights = Calculator(made.book), made.base.worlds.present_values()[0]
    for row, (name, outcome) in enumerate(made.base.outcomes.items(), start=11):
        flows = made.base.flows(outcome)
        cash, spent = flows.cash(1).mean(axis=0), flows.investment(1).mean(axis=0)
        found = [calculator("Results", f"{column}{row}") for column in "BCDEFG"]
        npv, investment, benefits, roi, payback, funding = found
        assert investment == pytest.approx(spent @ weights, abs=CENT)
        assert benefits == pytest.approx(cash @ weights + spent @ weights, abs=CENT)
        assert roi == pytest.approx(npv / investment)
        months = float(payback_months(cash[None])[0])
        assert payback == (pytest.approx(months, abs=1e-6) if np.isfinite(months) else "beyond the horizon")
        assert funding == pytest.approx(max(0.0, -cash.cumsum().min()), abs=CENT)
        mean = made.study.returns.filter(strategy=name)["incremental_npv"][0]
        assert calculator("Results", f"J{row}") == pytest.approx(mean, abs=CENT)
        assert calculator("Results", f"K{row}") == pytest.approx(mean - npv, abs=2 * CENT)


def test_a_strategy_pays_back_within_the_month_in_which_its_cash_is_back_at_zero(plain):
    # With hardly a cost and a margin of nine tenths, the strategy comes back before the horizon ends.
    costs = {name: row for name, row in plain.rows.items() if "/costs." in name}
    changed = {("Inputs", f"E{row}"): 0.0 for row in costs.values()}
    changed |= {("Inputs", f"E{row}"): 0.9 for name, row in plain.rows.items() if name.endswith("gross_margin")}
    changed["Inputs", f"E{costs['strategies/faster-delivery/costs.one_off_1.amount']}"] = 30.0
    calculator = Calculator(plain.book, changed)
    sheet = "Model faster-delivery"
    lines = {cell.value: place[1:] for place, cell in calculator.cells[sheet].items() if place[0] == "A"}
    cash = [calculator(sheet, f"{column}{lines['Cumulative cash']}") for column in "CDEFGHIJKLMN"]
    flows = np.diff([0.0, *cash])
    expected = float(payback_months(flows[None])[0])
    assert 0.0 < expected < 12.0
    assert calculator(sheet, f"C{lines['Payback, months']}") == pytest.approx(expected, abs=1e-4)


needs_libreoffice = pytest.mark.skipif(
    LIBREOFFICE is None and os.environ.get("CI") != "true", reason="LibreOffice is not installed."
)


@needs_libreoffice
def test_libreoffice_calculates_the_same_as_it_is_opened_and_at_another_case_with_another_number(busy, tmp_path):
    assert LIBREOFFICE, "CI must have LibreOffice: without it nobody knows that the workbook calculates."
    rate = next(name for name in busy.numbers if name.endswith("annual_discount_rate"))
    typed = {("Inputs", f"G{busy.rows[rate]}"): "base", ("Inputs", f"E{busy.rows[rate]}"): 0.2}
    given = {"opened": ({}, {}), "changed": ({CASE: "high"} | typed, busy.at("high") | {rate: 0.2})}
    for name, (changed, values) in given.items():
        book = with_cells(busy.book, changed)
        (tmp_path / name).mkdir()
        found, calculator = recalculated(book, tmp_path / name), Calculator(book)
        npvs = {arm: found[sheet][place].value for arm, (sheet, place) in _cells_of_npvs(busy).items()}
        assert npvs == pytest.approx(busy.npvs(values), abs=CENT)
        for sheet, cells in calculator.cells.items():
            for place, cell in cells.items():
                if cell.formula is not None:
                    value = calculator(sheet, place)
                    expected = value if isinstance(value, str) else pytest.approx(value, abs=1e-6, rel=1e-9)
                    assert found[sheet][place].value == expected, (name, sheet, place)


def test_inputs_have_names_units_and_the_bounds_that_the_package_has(plain):
    cells = sheets(plain.book)["Inputs"]
    assert list(plain.cells.values())[:3] == ["gross_margin", "payment_share", "payment_per_order"]
    named = names(plain.book)
    assert {"Case", "annual_discount_rate", "points_programme_monthly", "npv_win_back_coupon"} <= named.keys()
    for name, row in plain.rows.items():
        quantity = plain.numbers[name]
        low, high = quantity.range
        assert [cells[f"{column}{row}"].value for column in "DEF"] == [low, quantity.value, high]
        assert named[plain.cells[name]] == ("Inputs", f"I{row}")
        assert cells[f"C{row}"].value == quantity.unit.replace("money", "USD")
    tree = ET.fromstring(_file_of(plain.book, "Inputs"))  # noqa: S314 - the project wrote it itself
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    allowed = {one.get("sqref"): [part.text for part in one] for one in tree.iterfind(".//m:dataValidation", space)}
    assert allowed["B7"] == ['"low,base,high"']
    margin = plain.rows[next(name for name in plain.rows if name.endswith("gross_margin"))]
    assert [float(bound) for bound in allowed[f"D{margin}:F{margin}"]] == [Unit.SHARE.low, Unit.SHARE.high]


def _file_of(book, sheet):
    return parts(book)[f"xl/worksheets/sheet{list(sheets(book)).index(sheet) + 1}.xml"]


def test_months_are_dates(plain):
    # Spreadsheets count days from 30 December 1899.
    calendar, cells = plain.study.scenario.calendar, sheets(plain.book)["Model faster-delivery"]
    for month, column in enumerate("CDEFGHIJKLMN"):
        assert cells[f"{column}4"].value == (calendar.starts_of(month) - date(1899, 12, 30)).days


def test_volumes_of_both_arms_and_their_difference_stand_by_month(plain):
    calculator, first = Calculator(plain.book), "Model points-programme"
    rows = [place[1:] for place, cell in calculator.cells[first].items() if place[0] == "A" and cell.value == "Orders"]
    other = [
        place[1:]
        for place, cell in calculator.cells["Model baseline"].items()
        if place[0] == "A" and cell.value == "Orders"
    ]
    table = volumes(plain.base).filter(volume="Orders").with_columns(mean=pl.col("total") / pl.col("worlds"))
    for month, column in enumerate("CDEFGHIJKLMN"):
        mine, baseline = (table.filter(arm=arm, month=month)["mean"][0] for arm in ("points-programme", "baseline"))
        assert calculator(first, f"{column}{rows[0]}") == mine
        assert calculator("Model baseline", f"{column}{other[0]}") == baseline
        assert calculator(first, f"{column}{rows[1]}") == mine - baseline


def _with(twins, name, column, change):
    """Return the tables with other values in one column of one."""
    return [
        dataclasses.replace(
            one,
            rows=tuple(
                tuple(change(value) if head == column else value for head, value in zip(one.columns, row, strict=True))
                for row in one.rows
            ),
        )
        if one.id == name
        else one
        for one in twins
    ]


def test_titles_and_descriptions_that_look_like_formulas_stay_text(plain):
    twins = _with(plain.twins, "base-case", "title", lambda title: f"=HYPERLINK({title})")
    twins = _with(twins, "register", "description", lambda text: f"=1+{text}")
    twins = _with(twins, "register", "belongs_to", lambda text: f"@{text}")
    book = workbook("T", twins, MANIFEST)
    cells = sheets(book)
    assert cells["Model faster-delivery"]["A1"].value == "=HYPERLINK(Faster delivery)"
    assert cells["Inputs"]["A10"].value.startswith("=1+")
    formulas = [cell.formula for one in cells.values() for cell in one.values() if cell.formula]
    assert not [one for one in formulas if "HYPERLINK" in one or "@" in one]


def _renamed(made, old, new):
    """Return the names of cells where some identifiers are others."""
    twins = _with(made.twins, "register", "id", lambda name: name.replace(old, new))
    twins = _with(twins, "model-prices", "factor", lambda name: name and name.replace(old, new))
    return names(workbook("T", twins, MANIFEST))


def test_two_numbers_that_would_have_one_name_have_two_and_no_name_begins_with_a_digit(plain):
    assert {"points_programme_one_off", "points_programme_one_off_2"} <= _renamed(
        plain, "monthly_2", "one_off_2"
    ).keys()
    assert "_2_for_1_monthly" in _renamed(plain, "points-programme", "2-for-1")


def test_without_one_of_its_tables_a_report_has_no_model(plain):
    for one in plain.twins:
        found = sheets(workbook("T", [twin for twin in plain.twins if twin is not one], MANIFEST))
        assert "Inputs" not in found


def test_a_month_without_its_day_is_refused(plain):
    with pytest.raises(ReportError, match="a table of the model has None where a number is needed"):
        workbook("T", _with(plain.twins, "periods", "day", lambda _: None), MANIFEST)


def test_the_same_tables_give_the_same_bytes(plain):
    assert workbook("T", plain.twins, MANIFEST) == plain.book
