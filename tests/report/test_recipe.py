"""How a report was made is told without a path of this machine."""

from __future__ import annotations

import nbformat
import pytest

from cxsim.errors import ReportError
from cxsim.reporting.page import notebook_hash, place_in_project, recipe_in, recipe_of
from tests.report.conftest import write_notebook


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


def test_a_notebook_outside_of_the_project_is_said_to_be_there(shop):
    outside = write_notebook(shop.parent / "n.ipynb", "1")
    assert _recipe(outside).paths_outside == ("notebook",)


def test_parameters_are_alt_text_in_one_order_however_they_were_given(shop):
    notebook = write_notebook(shop / "n.ipynb", "1")
    assert list(_recipe(notebook, b=1, a=2).parameters) == list(_recipe(notebook, a=2, b=1).parameters) == ["a", "b"]


def test_a_recipe_comes_back_from_the_provenance(shop):
    recipe = _recipe(write_notebook(shop / "n.ipynb", "1"), years=3)
    assert recipe_in({"report": recipe.entries()}) == recipe
    assert recipe_in({"seed": 7}) is None


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
