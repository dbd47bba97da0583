"""What Jupyter stores of a chart is small, valid and the same on every run."""

from __future__ import annotations

import json
import subprocess
import sys

import nbformat
import pytest
import vl_convert

from cxsim.reporting.business.returns import npv_by_strategy
from cxsim.reporting.tables import CHART


def _stored(chart):
    bundle, _ = chart._repr_mimebundle_()
    return bundle


def test_importing_the_charts_changes_no_setting_of_altair():
    program = (
        "import altair as alt; before = alt.theme.active, alt.renderers.active; import cxsim.reporting; "
        "raise SystemExit(before != (alt.theme.active, alt.renderers.active))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.usefixtures("enabled")
def test_a_chart_is_stored_as_one_specification_and_one_line_of_text(figures):
    for figure in figures.values():
        assert set(_stored(figure)) == {CHART, "text/plain"}


@pytest.mark.usefixtures("enabled")
def test_the_line_of_text_is_the_title(figures):
    assert _stored(figures["frequency_histogram"])["text/plain"] == (
        "<chart: Model and observation agree on how often 98\N{NO-BREAK SPACE}% of customers come back>"
    )


@pytest.mark.usefixtures("enabled")
def test_a_stored_chart_names_no_address(figures):
    for figure in figures.values():
        assert "http" not in json.dumps(_stored(figure))


@pytest.mark.usefixtures("enabled")
def test_the_same_table_is_stored_the_same_way_twice(returns):
    once, again = (_stored(npv_by_strategy(returns, "USD")) for _ in range(2))
    assert json.dumps(once) == json.dumps(again)


@pytest.mark.usefixtures("enabled")
def test_a_stored_chart_is_valid_in_a_notebook(figures):
    cell = nbformat.v4.new_code_cell(
        outputs=[nbformat.v4.new_output("display_data", data=_stored(figure)) for figure in figures.values()]
    )
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    assert len(cell.outputs) == len(figures)


# 6.4 draws the report; 5.8 is the oldest at hand, nearest to the 5.6 with which JupyterLab 4 draws a notebook.
@pytest.mark.parametrize("version", ["5.8", "6.4"])
@pytest.mark.usefixtures("enabled")
def test_every_figure_is_drawn_by_the_report_and_by_jupyterlab(figures, version):
    for figure in figures.values():
        drawn = vl_convert.vegalite_to_svg(json.dumps(_stored(figure)[CHART]), vl_version=version)
        assert drawn.count("<path") > 5
        assert "NaN" not in drawn
        assert "undefined" not in drawn
