"""On paper a table's notes stand once and no head stands alone; on a narrow screen they end where the screen ends."""

from __future__ import annotations

import os

import nbformat
import polars as pl
import pytest

from cxsim.reporting.render import render
from cxsim.reporting.tables import Table, laid_out
from tests.report.browser import CHROMIUM, browser

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows how the report prints.", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")

_NOTE = "A note that is much longer than a telephone is wide, so that it must be broken into several lines there."
_ENDS = """Array.from(document.querySelectorAll('.gt_title, .gt_subtitle, .gt_sourcenote')).map(cell => {
  const words = document.createRange(); words.selectNodeContents(cell); return words.getBoundingClientRect().right;
})"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of one table: ten columns wide, two hundred rows long, in groups of ten, with a note."""
    heads = {f"c{place}": f"Column {place}" for place in range(10)}
    rows = [[f"Group {row // 10}", f"Row {row}", *["1,234,567"] * 10] for row in range(200)]
    cells = pl.DataFrame(rows, schema=["group", "line", *heads], orient="row")
    layout = laid_out(cells, title=f"Title. {_NOTE}", subtitle=_NOTE, heads=heads, notes=[_NOTE])
    table = Table(id="long", title="Long", layout=layout, twin=cells)
    cell = nbformat.v4.new_code_cell("")
    cell.outputs = [nbformat.v4.new_output("display_data", data=table._repr_mimebundle_())]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title\n\nText."), cell])
    out = tmp_path_factory.mktemp("paper") / "page.html"
    out.write_text(render(notebook, title="Paper", manifest={}, tables="tables"), encoding="utf-8")
    return out


@pytest.mark.parametrize("width", [390, 768])
def test_title_and_notes_of_a_table_that_is_wider_than_the_screen_are_not(tab, page, width):
    tab.open(page, width=width)
    assert tab.evaluate("document.querySelector('.cx-scroll').scrollWidth") > width
    assert max(tab.evaluate(_ENDS)) <= width


def test_on_paper_heads_come_again_and_notes_do_not(tab, page):
    tab.open(page)
    tab.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = [tab.evaluate(f"getComputedStyle(document.querySelector('{part}')).display") for part in
                 ("thead", "tfoot")]  # fmt: skip
        kept = tab.evaluate("getComputedStyle(document.querySelector('tr:has(> .gt_group_heading)')).breakAfter")
    finally:
        tab.call("Emulation.setEmulatedMedia", media="")
    assert shown == ["table-header-group", "table-row-group"]
    assert kept == "avoid"
