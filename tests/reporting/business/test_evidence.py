"""The check of the models stands under the decision: verdict, ground and every forecast; nothing of another shop."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.library import root
from cxsim.reporting.business.decision import decision_box
from cxsim.reporting.business.returns import backtest_table, evidence_box
from cxsim.reporting.tables import TABLE
from cxsim.study.business.decision import DECISION
from cxsim.study.business.evidence import BACKTEST, MODEL_FINDINGS, Evidence
from cxsim.tables import empty, table_of

NBSP = "\N{NO-BREAK SPACE}"


def _forecast(model, window, back, expected, actual, result):
    end = date(2024, 12, 31)
    return {
        "model": model,
        "window": window,
        "origin": end - timedelta(days=91 * back),
        "until": end - timedelta(days=91 * (back - 1)) if window == "quarter" else end,
        "customers": 900,
        "expected": expected,
        "low": 0.9 * expected,
        "high": 1.1 * expected,
        "actual": actual,
        "error": expected / actual - 1.0 if actual else None,
        "result": result,
        "expected_revenue": None,
        "actual_revenue": 30.0 * actual,
        "revenue_error": None,
    }


def _evidence(verdict="stop", rows=(), findings=()):
    return Evidence(
        verdict=verdict,
        inputs="Two of three inputs are assumed, without evidence.",
        finding=f"23{NBSP}% too few repeat orders expected in the last two quarters",
        sentence="In this shop's last two quarters, the model expected 1,240 repeat orders, and 1,613 came.",
        backtest=table_of(rows, BACKTEST),
        findings=table_of(findings, MODEL_FINDINGS),
    )


ROWS = (
    _forecast("BG/NBD", "quarter", 2, 640.0, 810, "far off"),
    _forecast("BG/NBD", "quarter", 1, 600.4, 803, "held"),
    _forecast("BG/NBD", "whole", 2, 1100.0, 0, "far off"),
)
STOP = ("BG/NBD", "stop", "Nobody <leaves>.", "Observe for longer.", 0.1)
NOTE = ("BG/NBD", "note", "Two parameters go together.", "Read neither by itself.", 0.99)


@pytest.mark.parametrize(("verdict", "word"), [("fits", "passed"), ("caution", "caution"), ("stop", "failed")])
def test_the_box_opens_with_the_verdict_and_its_ground(verdict, word):
    box = evidence_box(_evidence(verdict))
    first = box.text.splitlines()[0].replace(NBSP, " ")
    assert first == f"Model check: {word}. 23 % too few repeat orders expected in the last two quarters."
    assert f'data-verdict="{verdict}"' in box.markup


def test_what_was_found_is_listed_but_notes_stand_in_the_file_alone():
    box = evidence_box(_evidence(findings=(STOP, NOTE)))
    assert "Stop, BG/NBD: Nobody <leaves>. Observe for longer." in box.text
    assert "Nobody &lt;leaves&gt;." in box.markup
    assert "Two parameters" not in box.text
    assert [row[2] for row in box.twin["rows"]] == [STOP[2], NOTE[2]]


def test_every_forecast_is_a_row_and_the_title_counts_those_that_held():
    table = backtest_table(_evidence(rows=ROWS))
    assert table.title == "0 of 3 forecasts of this shop's past were within their interval, 1 more within the tolerance"
    page = table.html().replace(NBSP, " ")
    for words in (
        "Quarter by quarter",
        "All quarters in one forecast",
        "2024-07-02",
        "576 to 704",
        "−21.0 %",
        "far off",
    ):
        assert words in page
    assert len(table._repr_mimebundle_()[TABLE]["rows"]) == len(ROWS)


_PLAIN = {pl.String: "ratio", pl.Float64: 0.5, pl.Int64: 10}


def _cards(**checked):
    row = (
        {name: _PLAIN[kind] for name, kind in empty(DECISION).schema.items()}
        | {"decision": "pilot", "kind": "strategy"}
        | checked
    )
    return decision_box(pl.DataFrame([row]), "USD").text.replace(NBSP, " ")


def test_a_card_shows_how_the_models_stood_and_the_lead_says_where_they_failed():
    ground = "23 % too few repeat orders expected"
    failed = _cards(model_check="stop", model_check_finding=ground)
    assert f"On this shop's own orders the models failed: {ground}." in failed.splitlines()[0]
    assert f"Model check: failed: {ground}." in failed
    with_care = _cards(model_check="caution", model_check_finding=ground)
    assert "failed" not in with_care
    assert "Model check: caution." in with_care
    assert "Model check" not in _cards()


def test_no_notebook_that_makes_a_report_quotes_the_figures_of_another_shop():
    for path in sorted((root() / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert "CDNOW" not in prose
