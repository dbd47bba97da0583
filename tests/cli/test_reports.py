"""`cxsim report`, `sweep`, `verify` and `compare`."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import chdir

import nbformat
import polars as pl
import pytest

from cxsim.reporting.page import make
from cxsim.reporting.twins import tables_in
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from tests.cli.conftest import TINY, Project
from tests.reporting.conftest import CASE_SETUP, SECTIONS, write_notebook
from tests.reporting.test_comparison import ASSUMED, FEE, MARGIN, POINTS, RETURNS, _report, _twin

_BESIDE = ("assumptions.csv", "manifest.json", "report.md", "returns.csv", "tables.json", "workbook.xlsx")


WRITTEN = ["reports/index.html", "reports/tiny.html", *(f"reports/tiny/{name}" for name in _BESIDE)]


# A study of two draws with a figure and two tables.
CELL = """
import cxsim
from cxsim import reporting
from cxsim.reporting.tables import Prose, machine_readable
reporting.enable()
study = cxsim.run(cxsim.load_scenario(scenario, changes))
display(reporting.npv_distribution(study.npv, study.currency))
display(Prose(markup="<p>Returns</p>", text="Returns", twin=machine_readable("returns", "Returns", study.returns)))
display(reporting.assumptions_table(study.assumptions, study.currency))
reporting.audit_trail(study.manifest)
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


def _reports(shop):
    return {name: content for name, content in shop.files().items() if name.startswith("reports/")}


def test_many_reports_are_made_a_broken_one_is_named_and_one_alone_has_the_same_bytes(shop):
    shop.scenario("broken", TINY.replace("draws: 2", "draws: 1"))
    done = shop("report", "--all", "--jobs", "1")
    assert done.code == 1
    words = " ".join(done.out.replace("│", " ").split())
    assert "params/scenarios/broken.yaml: draws must be 2 to 10,000; found 1." in words
    assert "tiny made" in words
    assert f"Written: {shop.folder / 'reports' / 'index.html'}" in done.out
    assert done.err == "Error: 1 of 2 could not be built: broken.\n"
    before = _reports(shop)
    assert sorted(before) == WRITTEN
    assert len(json.loads(before["reports/tiny/manifest.json"])["inputs_sha256"]) == 64
    assert b"inputs_sha256" not in before["reports/tiny.html"]
    # By itself, in this very process, it has the same bytes, and is then skipped by the batch.
    assert shop("report", "tiny").code == 0
    assert _reports(shop) == before
    (shop.folder / "params" / "scenarios" / "broken.yaml").unlink()
    done = shop("report", "--all")
    assert (done.code, done.err) == (0, "")
    assert "skipped: nothing has changed" in done.out
    # Made again it agrees to the byte, and its page carries its tables in few bytes.
    done = shop("verify", "reports/tiny.html")
    assert (done.code, done.err) == (0, "")
    agreed = r"tiny\.html and \d+ accompanying files: rebuilt; all numbers and bytes agree\.\n"
    assert re.fullmatch(agreed, done.out)
    page = before["reports/tiny.html"].decode()
    script, carried = re.search(r'<script id="tables" type="application/json">(.*?)</script>', page).group(0, 1)
    assert tables_in(carried).keys() == {"returns", "assumptions"}
    assert len(script.encode()) < 61_000


def test_numbers_set_by_hand_are_listed_in_the_name_the_manifest_and_the_command(shop):
    done = shop("report", "tiny", "--set", "economics.gross_margin=0.50", "--set", "draws=3")
    assert (done.code, done.err) == (0, "")
    stem = "tiny,draws=3,economics.gross_margin=0.5"
    manifest = json.loads((shop.folder / "reports" / stem / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report tiny --set draws=3 --set economics.gross_margin=0.5"
    assert (manifest["changes"], manifest["draws"]) == ("draws=3; economics.gross_margin=0.5", 3)
    assert "parameters_sha256" in manifest
    assert (shop.folder / "reports" / f"{stem}.html").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report"], "name at least one scenario or valuation, or use --all; not both"),
        (["report", "tiny", "--all"], "name at least one scenario or valuation, or use --all; not both"),
        (["report", "tiny", "--jobs", "2"], "--jobs and --force apply to several reports"),
        (["report", "tiny", "--force"], "--jobs and --force apply to several reports"),
        (["report", "--all", "--set", "draws=3"], "--set applies to one report"),
        (["sweep", "tiny"], "Missing option '--over'"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(shared, words, said):
    done = shared(*words)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "tiny", "--set", "draws=x"], "change 'draws': must be a whole number"),
        (["report", "tiny", "--set", "drws=3"], "did you mean 'draws'?"),
        (["report", "tiny", "tinny"], "no 'tinny' in the library or in"),
        (["report", "--all", "--out", "a.html"], "several reports need a folder, not a file"),
        (["report", "tiny", "--out", "folder"], "a report's name must end with .html"),
        (["report", "tiny", "tiny"], "tiny: two reports would be written to"),
        (["sweep", "tiny", "--over", "draws=2,1"], "tiny with draws=1: draws must be 2 to 10,000; found 1"),
        (["sweep", "tiny", "--over", "drws=2"], "did you mean 'draws'?"),
        (["lab"], "there are no notebooks; `cxsim start FOLDER` makes"),
        (["sweep", "tiny", "--over", "draws"], "'draws': it must be KEY=VALUE,VALUE,..., such as"),
    ],
)
def test_mistakes_are_refused_before_anything_is_made(project, words, said):
    before = project.files()
    assert said in project(*words).error
    assert project.files() == before
    assert not (project.folder / "reports").exists()


def test_every_combination_is_simulated_once_and_only_what_changed_again(project):
    words = ("sweep", "tiny", "--over", "economics.gross_margin=0.3,0.5", "--jobs", "1")
    done = project(*words)
    assert (done.code, done.err) == (0, "")
    folder = project.folder / "reports" / "sweeps" / "tiny"
    assert f"Written: sweep.csv and index.html in {folder}" in done.out
    table = pl.read_csv(folder / "sweep.csv")
    assert table["economics.gross_margin"].to_list() == [0.3, 0.3, 0.5, 0.5]
    assert table["strategy"].to_list() == ["points-programme", "win-back-coupon"] * 2
    # What is written to ten digits is what the study by itself finds.
    alone = run(load_scenario("tiny", "economics.gross_margin=0.5")).returns
    found = table.filter(pl.col("economics.gross_margin") == 0.5)
    assert found["incremental_npv"].to_list() == pytest.approx(alone["incremental_npv"].to_list(), rel=1e-9)
    manifest = json.loads((folder / "economics.gross_margin=0.5" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "cxsim report tiny --set economics.gross_margin=0.5"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "2 combinations of economics.gross_margin" in page
    assert "Points programme" in page
    before = project.files()
    again = project(*words)
    assert again.out.count("skipped: nothing has changed") == 2
    assert project.files() == before


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A project with a report that was made by a notebook of its own."""
    made = Project(tmp_path_factory.mktemp("reported") / "shop")
    (made.folder / "notebooks").mkdir()
    notebook = write_notebook(made.folder / "notebooks" / "case.ipynb", CASE_SETUP, *SECTIONS)
    given = str(made.folder / "params" / "scenarios" / "tiny.yaml")
    with chdir(made.folder):
        make(notebook, parameters={"scenario": given}, title="Tiny", out=made.folder / "case.html")
    return made


@pytest.fixture
def altered(reported, monkeypatch, tmp_path):
    """Verify a copy of the report after texts in its page were altered, without running its notebook again."""

    def copy_to(page):
        shutil.copy(reported.folder / "case.html", page)
        shutil.copytree(reported.folder / "case", page.with_suffix(""), dirs_exist_ok=True)

    def run(*options, changes=(), more=0):
        page = tmp_path / "case.html"
        copy_to(page)
        text = page.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        page.write_text(text, encoding="utf-8", newline="\n")
        for number in range(more):
            (tmp_path / "case" / f"more-{number}.csv").write_text("a\n", encoding="utf-8")
        return reported("verify", *options, page)

    monkeypatch.setattr("cxsim.reporting.verify.make", lambda _, *, out, **_more: copy_to(out))
    return run


def test_the_exit_code_tells_whether_bytes_numbers_or_neither_agree(reported, altered):
    before = reported.files()
    done = altered()
    assert (done.code, done.err) == (0, "")
    files = len(list((reported.folder / "case").iterdir()))
    assert done.out.startswith(
        f"case.html and {files} accompanying files: rebuilt; all numbers and bytes agree.\n"
        "Its inputs differ here:\n- version of polars: the report has ‘0.0.1’; here ‘"
    )
    assert reported.files() == before
    commit = ("1234567890abcdef", "fedcba0987654321")
    done = altered(changes=[commit])
    assert done.code == 1
    assert "all numbers agree; the commit or package versions differ." in done.out
    assert altered("--numbers", changes=[commit]).code == 0
    done = altered("--numbers", changes=[commit, ("1,234.5", "1,284.5")])
    assert done.code == 1
    assert "rebuilt; not identical; 3 places differ." in done.out
    assert re.search(r"- section ‘Returns’, line [\d,]+: the report has ‘.*1,284.5", done.out)


def test_no_more_than_twenty_places_are_listed(altered):
    done = altered(more=30)
    assert done.code == 1
    assert "30 places differ." in done.out
    listed = done.out.partition("Differences:\n")[2].splitlines()
    assert (len(listed), listed[-1]) == (21, "- and 10 more.")


def test_a_report_whose_notebook_fails_here_says_what_is_otherwise_here(reported):
    notebook = reported.folder / "notebooks" / "case.ipynb"
    sound = notebook.read_bytes()
    write_notebook(notebook, "1 / 0")
    done = reported("verify", "case.html")
    notebook.write_bytes(sound)
    assert (done.code, done.out) == (1, "")
    assert "it cannot be reproduced here: case.ipynb: cell 2 of 2 failed with ZeroDivisionError" in done.err
    assert "Its inputs differ here:\nnotebook notebooks/case.ipynb: the report has" in done.err


@pytest.fixture
def pair(project):
    moved = ("points", "Points", "fund", 108.0, 3.0, 0.625, 0.0625, 40)
    one = _report(project.folder / "a.html", _twin("returns", RETURNS, POINTS), _twin("assumptions", ASSUMED, MARGIN))
    other = _report(
        project.folder / "b.html",
        _twin("returns", RETURNS, moved),
        _twin("assumptions", ASSUMED, (*MARGIN[:4], 0.45, *MARGIN[5:]), FEE),
        _twin("worth", ("who",), ("a",)),
        seed=8,
    )
    return one, other


def test_what_moved_is_listed_table_by_table_and_as_json_with_all_digits(project, pair, snapshot):
    done = project("compare", *pair)
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot
    assert json.loads(project("compare", "--json", *pair).out.replace(str(project.folder), "PROJECT")) == snapshot


def test_the_exit_code_tells_whether_anything_moved_only_when_asked(project, pair):
    assert project("compare", "--exit-code", *pair).code == 1
    done = project("compare", "--exit-code", pair[0], pair[0])
    assert (done.code, done.out) == (0, "a.html and a.html are identical.\n")
    same = _report(project.folder / "c.html", _twin("returns", RETURNS, POINTS), seed=9)
    again = _report(project.folder / "d.html", _twin("returns", RETURNS, POINTS), seed=8)
    done = project("compare", "--exit-code", same, again)
    assert done.code == 0
    assert done.out.endswith("No assumption, result or table changed.\n")


def test_what_is_no_report_is_refused_in_one_message(project, pair):
    page = project.folder / "other.html"
    page.write_text("<html></html>", encoding="utf-8")
    assert "other.html: this is not a cxsim report" in project("compare", pair[0], page).error
    assert "this is not a cxsim report" in project("verify", page).error
    assert "none.html: it cannot be read as a report" in project("verify", "none.html").error
