"""What Jupyter shows of an object: a title, a few facts and a small table, every text of a file as text."""

from __future__ import annotations

from dataclasses import replace

import nbformat
import polars as pl
import pytest

import cxsim
from cxsim.display import facts_html
from cxsim.reporting.execute import execute

QUICK = cxsim.load_scenario("cdnow-quick")
ORDERS = pl.DataFrame({"customer_id": ["a", "b"], "ordered_at": ["2024-03-01", "2024-03-02"], "amount": ["9.90", "5"]})


def test_every_text_is_escaped_and_what_is_empty_is_left_out():
    page = facts_html("<b>", {"a&b": "<i>", "none": None, "empty": ""}, ("<h>",), [("<td>",)])
    assert page == (
        "<p><strong>&lt;b&gt;</strong><br>a&amp;b: &lt;i&gt;</p>"
        "<table><thead><tr><th>&lt;h&gt;</th></tr></thead><tbody><tr><td>&lt;td&gt;</td></tr></tbody></table>"
    )


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (QUICK, ("cdnow-quick", "36 months", "BG/NBD", "Points programme", "USD")),
        (QUICK.strategies[0], ("Points programme", "everyone", "reach.uptake", "0.25 to 0.55", "assumed")),
        (QUICK.strategies[0].effects[0], ("Dropout", "ratio", "published")),
        (QUICK.economics, ("Online music shop", "gross_margin")),
        (cxsim.read_shop(ORDERS), ("orders", "2024-03-01 to 2024-03-02", "the frame")),
    ],
)
def test_it_shows_what_it_is_in_the_colours_of_the_theme(thing, words):
    page = thing._repr_html_()
    assert [word for word in words if word not in page] == []
    assert not any(mark in page for mark in ("style=", "color", "<script"))


def test_a_title_from_a_file_is_text_and_not_markup():
    evil = replace(QUICK, title="<script>alert(1)</script>")
    assert "<script" not in evil._repr_html_()


READING = """
from IPython.display import DisplayHandle
said, usual = [], DisplayHandle.update
DisplayHandle.update = lambda self, bundle, **how: said.append(bundle["text/plain"])
import cxsim
shop = cxsim.read_shop(folder)
DisplayHandle.update = usual
print(said)
"""


@pytest.mark.parametrize(("size", "said"), [(5_000_000, "['Reading the exports: mine, 5 MB', '']"), (10, "[]")])
def test_in_a_notebook_large_exports_are_said_to_be_read_until_they_are(tmp_path, size, said):
    folder = tmp_path / "mine"
    folder.mkdir()
    ORDERS.write_csv(folder / "orders.csv")
    (folder / "filler.pdf").write_bytes(b"%PDF-" + b" " * size)
    source = f"folder = {str(folder)!r}{READING}"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), tmp_path / "reading.ipynb")
    outputs = execute(tmp_path / "reading.ipynb", {}).cells[0].outputs
    assert outputs[-1].text.strip() == said
    assert len(outputs) == (2 if size > 10 else 1)
