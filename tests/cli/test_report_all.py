"""`cxsim report` makes one report with numbers set by hand, or many side by side, and says what became of each."""

from __future__ import annotations

import json

import nbformat
import pytest

from tests.cli.conftest import TINY

_BESIDE = ("manifest.json", "report.md", "returns.csv", "tables.json", "workbook.xlsx")
WRITTEN = ["reports/index.html", "reports/tiny.html", *(f"reports/tiny/{name}" for name in _BESIDE)]
# A study of two draws, and neither charts nor tables but one.
CELL = """
import cxsim
from cxsim import exhibits
from cxsim.reporting import audit_trail
study = cxsim.run(cxsim.load_scenario(scenario, changes))
display(exhibits.returns_table(study.returns, study.currency))
audit_trail(study.manifest)
"""


@pytest.fixture
def shop(project):
    """The project with a short notebook in the place of the long one."""
    (project.folder / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_code_cell('scenario = "tiny"\nchanges = ""', metadata={"tags": ["parameters"]}, id="a"),
        nbformat.v4.new_code_cell(CELL, id="b"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), project.folder / "notebooks" / "02-compare-strategies.ipynb")
    return project


def test_many_reports_are_made_a_broken_one_is_sentence_and_one_alone_has_the_same_bytes(shop):
    (shop.folder / "params" / "scenarios" / "broken.yaml").write_text(TINY.replace("draws: 2", "draws: 1"))
    sentence = shop("report", "--all", "--jobs", "1")
    assert sentence.code == 1
    words = " ".join(sentence.out.replace("│", " ").split())
    assert "params/scenarios/broken.yaml: draws must be 2 to 10,000; found 1." in words
    assert "tiny made" in words
    assert f"Written: {shop.folder / 'reports' / 'index.html'}" in sentence.out
    assert sentence.err == "Error: 1 of 2 could not be made: broken.\n"
    before = {name: content for name, content in shop.files().items() if name.startswith("reports/")}
    assert sorted(before) == WRITTEN
    assert len(json.loads(before["reports/tiny/manifest.json"])["inputs_sha256"]) == 64
    assert b"inputs_sha256" not in before["reports/tiny.html"]
    # By itself, in this very process, it has the same bytes, and is then skipped by the batch.
    assert shop("report", "tiny").code == 0
    assert {name: content for name, content in shop.files().items() if name.startswith("reports/")} == before
    (shop.folder / "params" / "scenarios" / "broken.yaml").unlink()
    sentence = shop("report", "--all")
    assert (sentence.code, sentence.err) == (0, "")
    assert "skipped: nothing has changed" in sentence.out


def test_numbers_set_by_hand_are_sentence_in_the_name_the_manifest_and_the_command(shop):
    sentence = shop("report", "tiny", "--set", "economics.gross_margin=0.50", "--set", "draws=3")
    assert (sentence.code, sentence.err) == (0, "")
    stem = "tiny,draws=3,economics.gross_margin=0.5"
    manifest = json.loads((shop.folder / "reports" / stem / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report tiny --set draws=3 --set economics.gross_margin=0.5"
    assert (manifest["changes"], manifest["draws"]) == ("draws=3; economics.gross_margin=0.5", 3)
    assert "parameters_sha256" in manifest
    assert (shop.folder / "reports" / f"{stem}.html").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name at least one scenario or valuation, or say --all; not both"),
        (["tiny", "--all"], "name at least one scenario or valuation, or say --all; not both"),
        (["tiny", "--jobs", "2"], "--jobs and --force belong to several reports"),
        (["tiny", "--force"], "--jobs and --force belong to several reports"),
        (["--all", "--set", "draws=3"], "--set belongs to one report"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(project, words, said):
    sentence = project("report", *words)
    assert sentence.code == 2
    assert said in " ".join(sentence.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tiny", "--set", "draws=x"], "change 'draws': must be a whole number"),
        (["tiny", "--set", "drws=3"], "did you mean 'draws'?"),
        (["tiny", "tinny"], "no 'tinny'; did you mean 'tiny'?"),
        (["--all", "--out", "a.html"], "several reports go to a folder, not to one file"),
        (["tiny", "--out", "folder"], "a report's name must end with .html"),
        (["tiny", "tiny"], "tiny: two reports would be written to"),
    ],
)
def test_mistakes_are_sentence_before_anything_is_made(project, words, said):
    before = project.files()
    assert said in project("report", *words).error
    assert project.files() == before
    assert not (project.folder / "reports").exists()
