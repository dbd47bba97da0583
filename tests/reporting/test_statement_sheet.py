"""A statement's sheet calculates: what its formulas give is what it shows, and what the report says."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from cxsim.errors import ReportError
from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import LADDER, OUTLAY
from cxsim.finance.statement import Flows, periods
from cxsim.params import Unit
from cxsim.reporting.tables import machine_readable
from cxsim.reporting.workbook import Twin, statements_in, workbook
from cxsim.study.business.case import statements
from cxsim.study.run import run
from tests.reporting.spreadsheet import calculated, letters, sheets
from tests.simulated import assumed
from tests.study.conftest import small

CENT = 0.005


RATE = "B4"


def _twin(table, name="periods"):
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
    return _twin(periods(flows, weights, starts, days=days, titles=titles))


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
        # 5 subtotals in two blocks and all 28 lines of the difference, of 14 months; their 84 totals; factors,
        # 3 rows below with 2 totals, net present value and return.
        assert len(formulas) == (2 * 5 + 28) * 14 + 84 + 14 + 3 * 14 + 2 + 2
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
    assert compared == 15 * 28 * 3


def test_two_months_by_hand(two_months):
    cells = _sheet(two_months)
    # Cash 50 and 100; a year at 21 % makes a unit 1/1.21: 50 + 82.6446 = 132.6446, of 50 spent 2.6529.
    assert calculated(cells, _place(cells, "Net present value")) == pytest.approx(50 + 100 / 1.21, abs=1e-9)
    assert calculated(cells, _place(cells, "Return on outlay")) == pytest.approx((50 + 100 / 1.21) / 50, abs=1e-9)
    assert [calculated(cells, _place(cells, "Cumulative cash", column)) for column in "BC"] == [50.0, 150.0]
    assert [cells[f"{column}7"].value for column in "BC"] == [0.0, 365.25]


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
    spent = {str(account) for account in OUTLAY}
    outlay = -sum(row["incremental"] for row in mine if row["line"] in spent)
    expected = cash.sum() / outlay if outlay > 0 else "none"
    assert calculated(cells, _place(cells, "Return on outlay"), {RATE: 0.0}) == pytest.approx(expected)


def test_another_amount_is_carried_to_the_end(two_months):
    cells = _sheet(two_months)
    sales = _place(cells, "gross sales", "C")
    # The first row of this name is without the strategy: 21 more there makes 79 of 100, worth 21 / 1.21 less.
    found = calculated(cells, _place(cells, "Net present value"), {sales: 21.0})
    assert found == pytest.approx(50 + 79 / 1.21, abs=1e-9)


def test_without_an_outlay_there_is_no_return_on_it(two_months):
    cells = _sheet(two_months)
    cost = _place(cells, "set-up cost", block=1)
    assert cells[cost].value == -50.0
    assert calculated(cells, _place(cells, "Return on outlay"), {cost: 0.0}) == "none"


def test_the_net_present_value_is_that_of_the_report_where_the_rate_is_known(study):
    book = sheets(workbook("T", [_twin(statements(study).periods)], study.manifest))
    for row in study.returns.iter_rows(named=True):
        cells = book[f"Statement {row['strategy']}"[:31]]
        assert calculated(cells, _place(cells, "Net present value")) == pytest.approx(row["incremental_npv"], abs=CENT)
        assert cells["A1"].value == row["title"]
        assert cells[RATE].value == 0.13


def test_a_strategy_in_two_tables_has_one_statement(two_months):
    again = dataclasses.replace(two_months, id="periods-win-back")
    found = statements_in([two_months, again], {"annual_discount_rate": 0.1})
    assert [(one.strategy, one.title) for one in found] == [("win_back", "Win-back coupon")]


def test_without_a_rate_or_without_months_there_is_no_statement(two_months):
    assert statements_in([two_months], {"currency": "EUR"}) == []
    total = dataclasses.replace(two_months, rows=tuple(row for row in two_months.rows if row[1] != "month"))
    other = Twin(id="periods", title="", columns=("strategy", "grain"), rows=(("a", "month"),))
    assert statements_in([total, other], {"annual_discount_rate": 0.1}) == []


def test_a_month_without_its_day_is_refused(two_months):
    day = two_months.columns.index("day")
    rows = tuple((*row[:day], None, *row[day + 1 :]) for row in two_months.rows)
    with pytest.raises(ReportError, match="a statement by month has None where a number is needed"):
        statements_in([dataclasses.replace(two_months, rows=rows)], {"annual_discount_rate": 0.1})
