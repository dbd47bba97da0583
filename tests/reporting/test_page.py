"""A report is written whole or not at all; its charts are drawn without a network, with their data as tables."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import altair as alt
import nbformat
import pytest
import vl_convert
from bs4 import BeautifulSoup, Tag

from cxsim.errors import ReportError
from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.drawings import VEGA_LITE, chart_label, draw, slim
from cxsim.reporting.page import make, notebook_hash, place_in_project, publish, recipe_in, recipe_of, staging
from cxsim.reporting.twins import tables_in
from tests.grids import centre, lively
from tests.reporting.conftest import HOSTILE, MANIFEST, write_notebook
from tests.reporting.spreadsheet import sheets


def _make(notebook, out, **changes):
    return make(notebook, **{"parameters": {}, "title": "T", "out": out, **changes})


def _everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_outputs_give_the_same_bytes(made):
    before = _everything(made.page.parent)
    title = f"Business case {HOSTILE}"
    _make(made.notebook, made.page, parameters={"scenario": "first_year"}, title=title)
    assert _everything(made.page.parent) == before


def test_the_tables_lie_beside_the_page_with_a_manifest_of_all_files(made):
    assert made.tables == ("returns.csv",)
    table = made.page.with_suffix("") / "returns.csv"
    assert table.read_bytes() == b"strategy,npv\n'=HYPERLINK(1),0.1\ncoupon,\n"
    record = json.loads((table.parent / "manifest.json").read_text(encoding="utf-8"))
    files = {path.name: path for path in (made.page, *table.parent.iterdir()) if path.name != "manifest.json"}
    assert files.keys() == {"first year.html", "returns.csv", "tables.json", "workbook.xlsx", "report.md"}
    assert record.pop("files") == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert record.pop("tables_sha256") == {table.name: hashlib.sha256(table.read_bytes()).hexdigest()}
    assert record.pop("report")["parameters"] == {"scenario": "first_year"}
    assert record == MANIFEST


def test_the_page_carries_its_tables_and_how_it_was_made(made):
    soup = BeautifulSoup(made.html, "html.parser")
    (table,) = tables_in(soup.find(id="tables").string).values()
    assert (table.title, table.rows) == ("Returns & more", (("=HYPERLINK(1)", 0.1), ("coupon", None)))
    assert json.loads(soup.find(id="provenance").string)["report"] == {
        "page": "first year.html",
        "title": f"Business case {HOSTILE}",
        "code": "hidden",
        "notebook": "business case.ipynb",
        "notebook_sha256": notebook_hash(made.notebook),
        "parameters": {"scenario": "first_year"},
        "paths_in_project": [],
        "paths_outside": ["notebook"],
    }


def test_the_tables_are_the_same_in_one_file_and_in_the_workbook(made):
    tables, book = (made.page.with_suffix("") / name for name in ("tables.json", "workbook.xlsx"))
    columns = json.loads(tables.read_text(encoding="utf-8"))["tables"][0]["columns"]
    assert [column["values"] for column in columns] == [["=HYPERLINK(1)", "coupon"], [0.1, None]]
    cells = sheets(book.read_bytes())["returns"]
    assert [cells[place].value for place in ("A2", "B2", "A3")] == ["=HYPERLINK(1)", 0.1, "coupon"]
    assert cells["A2"].kind == "s"


def test_the_page_links_to_its_tables_and_its_markdown_and_progress_named_each_cell_and_then_the_page(made):
    links = BeautifulSoup(made.html, "html.parser").select(".cx-twins a")
    assert [link["href"] for link in links] == [
        "./first%20year/workbook.xlsx", "./first%20year/tables.json", "./first%20year/report.md",
    ]  # fmt: skip
    assert all((made.page.parent / unquote(link["href"])).is_file() for link in links)
    assert made.said[0] == "cell 1 of 8"
    assert made.said[-2:] == ("cell 8 of 8", "tables and charts")


@pytest.mark.parametrize("source", ["1 / 0", 'display({"application/x-unknown": 1}, raw=True)'])
def test_a_failure_leaves_the_older_report_and_nothing_else(tmp_path, source):
    out = tmp_path / "reports" / "r.html"
    _make(write_notebook(tmp_path / "n.ipynb", "print(1)"), out)
    before = _everything(out.parent)
    bad = write_notebook(tmp_path / "bad.ipynb", source)
    with pytest.raises(ReportError, match="cell 2"):
        _make(bad, out)
    assert _everything(out.parent) == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["r", "r.html"]
    with pytest.raises(ReportError):
        _make(bad, tmp_path / "other" / "deep" / "r.html")
    assert not (tmp_path / "other").exists()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    folder = tmp_path / "shop"
    (folder / "params" / "scenarios").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def _recipe(notebook, **parameters):
    return recipe_of(notebook, parameters, title="T", out=notebook.parent / "out" / "r.html", code="hidden")


def test_places_inside_the_project_are_relative_to_it_and_others_only_names(shop):
    write_notebook(shop / "n.ipynb", "1")
    recipe = _recipe(shop / "n.ipynb", mine=str(shop / "params" / "a.yaml"), theirs=str(shop.parent / "x.csv"), years=3)
    assert (recipe.notebook, recipe.page) == ("n.ipynb", "r.html")
    assert recipe.parameters == {"mine": "params/a.yaml", "theirs": "x.csv", "years": 3}
    assert (recipe.paths_in_project, recipe.paths_outside) == (("mine",), ("theirs",))
    assert place_in_project("params") == (shop / "params").resolve()


def test_a_recipe_comes_back_from_the_provenance_with_its_parameters_in_one_order(shop):
    outside = write_notebook(shop.parent / "n.ipynb", "1")
    assert _recipe(outside).paths_outside == ("notebook",)
    recipe = _recipe(write_notebook(shop / "n.ipynb", "1"), years=3, a=2)
    assert list(recipe.parameters) == ["a", "years"]
    assert recipe_in({"report": json.loads(json.dumps(dataclasses.asdict(recipe)))}) == recipe
    with pytest.raises(ReportError, match="does not name the notebook that made it; rebuild it with: cxsim x"):
        recipe_in({"command": "cxsim x"})


def test_the_hash_of_a_notebook_knows_its_cells_but_not_the_outputs_stored_in_it(shop):
    path = write_notebook(shop / "n.ipynb", "print(1)")
    before = notebook_hash(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nbformat.write(notebook, path)
    assert notebook_hash(path) == before
    notebook.cells[-1].source = "print(2)"
    nbformat.write(notebook, path)
    assert notebook_hash(path) != before


@pytest.mark.parametrize("place", ["../other.ipynb", "params/none.yaml"])
def test_a_place_that_leads_out_or_nowhere_is_refused(shop, place):
    (shop.parent / "other.ipynb").write_text("")
    with pytest.raises(ReportError, match=r"leads out of the project|there is no params/none.yaml"):
        place_in_project(place)


def _publish(out, page="new", files=None):
    with staging(out) as folder:
        publish(folder, out, page=page, files=files or {"a.csv": "a\n"}, record={})


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="Permissions do not bind this user.")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReportError, match="Permission denied"), staging(tmp_path / "r.html"):
        pytest.fail("opened")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file/r.html", "cannot be written into"),
        ("folder.html", "this is a folder"),
        ("r.pdf", r"must end with \.html"),
        ("r.html", "this is no folder of tables"),
    ],
)
def test_a_place_where_a_report_cannot_be_is_refused_and_somebody_elses_folder_is_never_replaced(tmp_path, name, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("dear")
    with pytest.raises(ReportError, match=said), staging(tmp_path / name):
        pytest.fail("opened")
    assert (tmp_path / "r" / "thesis.txt").read_text() == "dear"


def test_a_new_report_replaces_the_older_one_with_all_its_tables(tmp_path):
    out = tmp_path / "r.html"
    _publish(out, "old", {"old.csv": "1\n"})
    _publish(out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.csv", "manifest.json", "r", "r.html"]


def test_bytes_are_written_as_they_are_text_with_line_feeds_and_the_report_is_known_as_one_and_replaced(tmp_path):
    _publish(tmp_path / "r.html", "é\n", {"workbook.xlsx": b"PK\x03\r\n", "report.md": "é\n"})
    assert (tmp_path / "r" / "workbook.xlsx").read_bytes() == b"PK\x03\r\n"
    assert (tmp_path / "r" / "report.md").read_bytes() == (tmp_path / "r.html").read_bytes() == b"\xc3\xa9\n"
    _publish(tmp_path / "r.html")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["a.csv", "manifest.json"]


@pytest.mark.parametrize("name", ["notes.md", "budget.xlsx"])
def test_somebody_elses_workbook_or_text_is_never_replaced(tmp_path, name):
    _publish(tmp_path / "r.html", "old")
    (tmp_path / "r" / name).write_text("dear")
    with pytest.raises(ReportError, match="this is no folder of tables"):
        _publish(tmp_path / "r.html")
    assert (tmp_path / "r" / name).read_text() == "dear"


def test_a_disk_that_refuses_the_last_step_leaves_the_older_report(tmp_path, monkeypatch):
    out = tmp_path / "r.html"
    _publish(out, "old", {"old.csv": "1\n"})

    def full(page, target):
        raise OSError(28, "No space left on device", str(page), None, str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match="No space left"):
        _publish(out)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["manifest.json", "old.csv", "r", "r.html"]


@pytest.fixture(scope="module")
def svg() -> str:
    (chart,) = what_if(lively(), centre(), "USD")
    return vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version=VEGA_LITE)


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_SEEN = ("fill", "stroke", "stroke-width", "opacity", "text-anchor", "font-size", "font-weight")
_PLACES = ("d", "transform", "x", "y", "x2", "y2", "width", "height")


def _parts(svg: str) -> list[Tag]:
    """Return what leaves a trace on paper, in the order in which it is drawn."""
    parts = BeautifulSoup(svg, "html.parser").find_all(["path", "line", "rect", "text"])
    return [part for part in parts if part.name == "text" or {"fill", "stroke"} & set(part.attrs)]


def _places(part: Tag) -> list[float]:
    """Return all numbers that say where it is: its own, and those of the groups around it."""
    around = [part, *part.find_parents("g")]
    return [float(number) for one in around for name in _PLACES for number in _NUMBER.findall(one.get(name, ""))]


def test_a_slim_drawing_draws_the_same_things_in_the_same_places(svg):
    before, after = _parts(svg), _parts(slim(svg))
    assert len(before) == len(after) > 40
    for fat, thin in zip(before, after, strict=True):
        assert (fat.name, fat.get_text()) == (thin.name, thin.get_text())
        looks = ({name: part[name] for name in _SEEN if part.get(name, "1") != "1"} for part in (fat, thin))
        assert next(looks) == next(looks)
        # Half of a hundredth of a pixel, and the noise of reading decimals.
        assert _places(thin) == pytest.approx(_places(fat), abs=0.005 + 1e-9)


def test_a_slim_drawing_has_less_than_two_thirds_of_the_text_and_slimmed_twice_it_is_the_same(svg):
    assert len(slim(svg)) < 2 / 3 * len(svg)
    assert slim(slim(svg)) == slim(svg)


@pytest.mark.parametrize(
    ("fat", "thin"),
    [
        # text that looks like attributes, with the sign that ends an element
        ('<text x="1.2345"> role="a" x="1.2345" > </text>', '<text x="1.23"> role="a" x="1.2345" > </text>'),
        (
            '<path d="M-0.001,1e-7L12.999,3" transform="translate(0.5,91.42857)"/>',
            '<path d="M0,0L13,3" transform="translate(0.5,91.43)"/>',
        ),
        ('<path transform="scale(0.0012345)"/>', '<path transform="scale(0.0012345)"/>'),
        ('<g><g class="a"></g><g><g></g></g></g>', ""),
        (
            '<path class="background" aria-hidden="true" d="M0,0h9v9h-9Z" stroke="#ddd"/>',
            '<path d="M0,0h9v9h-9Z" stroke="#ddd"/>',
        ),
        ('<path class="background" aria-hidden="true" d="M0,0h9v9h-9Z" pointer-events="none"/>', ""),
        ('<path class="foreground" aria-hidden="true" d="" pointer-events="none" display="none"/>', ""),
        ('<path opacity="0.125" fill-opacity="1"/>', '<path opacity="0.125"/>'),
    ],
)
def test_what_is_seen_stays_and_what_is_not_goes(fat, thin):
    assert slim(fat) == thin


def test_one_kind_of_letters_is_said_once_and_two_kinds_where_they_stand():
    one = '<g fill="none"><text font-family="A, \'B\'">x</text><text font-family="A, \'B\'">y</text></g>'
    assert slim(one) == '<g fill="none" font-family="A, \'B\'"><text>x</text><text>y</text></g>'
    two = '<g fill="none"><text font-family="A">x</text><text font-family="B">y</text></g>'
    assert slim(two) == two


BARS = {
    "title": "Costs",
    "mark": "bar",
    "data": {"values": [{"month": 1, "cash": 1234.5}, {"month": 2, "cash": None}]},
    "encoding": {"x": {"field": "month"}, "y": {"field": "cash", "title": "Cash, EUR"}},
}


def test_a_chart_drawn_twice_is_the_same_text_by_the_version_of_altair_and_its_inner_ids_belong_to_its_figure():
    svg = draw({**BARS, "mark": {"type": "bar", "clip": True}}, "figure-9").svg
    assert 'id="figure-9-clip' in svg
    assert "url(#figure-9-clip" in svg
    assert alt.SCHEMA_VERSION.startswith(f"v{VEGA_LITE}.")
    assert draw(BARS, "figure-1") == draw(BARS, "figure-1")


def _with_sliders(**more):
    bind = {"input": "range", "min": -1, "max": 1, "name": "Margin "}
    params = [{"name": "margin", "value": -0.125, "bind": bind}, {"name": "plain", "value": 2.5, "bind": bind}]
    writing = {"scale": 100, "decimals": 1, "unit": "%"}
    return draw({**BARS, **more, "params": params, "usermeta": {"sliders": {"margin": writing}}}, "f")


def test_sliders_are_listed_with_the_values_from_which_they_start():
    assert _with_sliders().sliders == ("Margin \N{MINUS SIGN}12.5\N{NO-BREAK SPACE}%", "Margin 2.5")
    assert draw(BARS, "f").sliders == ()


def test_words_beside_a_chart_write_numbers_as_its_axes_do():
    number = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", ""]}
    figure = _with_sliders(config={"locale": {"number": number}})
    assert figure.sliders == ("Margin \N{MINUS SIGN}12,5\N{NO-BREAK SPACE}%", "Margin 2,5")
    assert figure.tables[0].rows == (("1", "1.234,5"), ("2", ""))


def test_the_data_of_a_small_chart_is_a_table_under_its_titles_and_of_a_large_one_left_to_its_twin():
    (table,) = draw(BARS, "f").tables
    assert (table.columns, table.rows) == (("month", "Cash, EUR"), (("1", "1,234.5"), ("2", "")))
    rows = [{"month": month, "cash": month} for month in range(61)]
    assert draw({**BARS, "data": {"values": rows}}, "f").tables == ()


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ({"description": "D", "title": "T"}, "D"),
        ({"title": {"text": ["A", "B"]}}, "A B"),
        ({"hconcat": [{}, {"layer": [{"title": "inner"}]}]}, "inner"),
        ({}, "Chart"),
    ],
)
def test_a_chart_is_called_by_its_description_or_the_first_title_inside(spec, label):
    assert chart_label(spec) == label


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"data": {"url": "https://example.org/a.json"}}, r"'Costs' loads 'https://example.org/a.json'"),
        ({"encoding": {**BARS["encoding"], "href": {"value": "https://example.org"}}}, "links to another page"),
        ({"mark": "pancake", "data": {"values": []}, "encoding": {}}, "chart 'Costs' cannot be drawn"),
    ],
)
def test_a_chart_that_loads_its_data_links_elsewhere_or_cannot_be_drawn_is_refused(spec, said):
    with pytest.raises(ReportError, match=said):
        draw({**BARS, **spec}, "f")
