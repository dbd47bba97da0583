"""The hash of a report's inputs changes with each of them, and with nothing else."""

from __future__ import annotations

import pytest

from cxsim.reporting.build import report_task
from tests.cli.conftest import ORDERS


def _inputs(name="one", **how):
    return report_task(name, **how).inputs


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("params/scenarios/one.yaml", "draws: 2", "draws: 3"),
        ("params/scenarios/one.yaml", "title:", "# a remark, whose hash the audit trail shows\ntitle:"),
        ("params/economics/cdnow.yaml", "value: 0.40", "value: 0.41"),
        ("params/strategies/points-programme.yaml", "value: 0.85", "value: 0.86"),
        ("params/sources.yaml", "grade: B", "grade: C"),
        ("notebooks/02-compare-strategies.ipynb", "spoilt", "marred"),
    ],
)
def test_each_file_is_an_input(shop, place, old, new):
    before = _inputs()
    file = shop.folder / place
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert _inputs() != before


@pytest.mark.parametrize("place", ["params/scenarios/two.yaml", "params/strategies/free-returns.yaml"])
def test_files_that_the_scenario_does_not_name_are_none(shop, place):
    before = _inputs()
    file = shop.folder / place
    file.write_text(file.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    assert _inputs() == before


def test_orders_changes_and_shown_code_are_inputs(shop):
    shop.edit("scenarios/one.yaml", "orders: cdnow-sample", "orders: orders.csv")
    found = [_inputs(), _inputs(changes="draws=3"), _inputs(code="shown")]
    (shop.folder / "orders.csv").write_text(f"{ORDERS}a,1998-01-01,5\n")
    found.append(_inputs())
    (shop.folder / "orders.csv").write_text(f"{ORDERS}a,1998-01-01,6\n")
    found.append(_inputs())
    assert len(set(found)) == len(found)


@pytest.mark.usefixtures("shop")
def test_the_spelling_of_a_change_is_none():
    assert _inputs(changes="draws=03") == _inputs(changes=" draws=3;")
