"""`cxsim report`, `sweep`, `verify` and `compare`."""

from __future__ import annotations

import json
import re
import shutil

import nbformat
import polars as pl
import pytest

from cxsim.reporting.page import make
from cxsim.reporting.workbook import tables_in
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from tests.cli.conftest import TINY
from tests.reporting.conftest import CASE_SETUP, SECTIONS, write_notebook
from tests.reporting.test_comparison import ASSUMED, FEE, MARGIN, POINTS, RETURNS, _report, _twin

_BESIDE = ("manifest.json", "report.md", "returns.csv", "tables.json", "workbook.xlsx")


WRITTEN = ["reports/index.html", "reports/tiny.html", *(f"reports/tiny/{name}" for name in _BESIDE)]


# A study of two draws, and neither charts nor tables but one.
CELL = """
import cxsim
from cxsim.reporting import audit_trail
from cxsim.reporting.tables import Prose, machine_readable
study = cxsim.run(cxsim.load_scenario(scenario, changes))
display(Prose(markup="<p>Returns</p>", text="Returns", twin=machine_readable("returns", "Returns", study.returns)))
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


def test_many_reports_are_made_a_broken_one_is_named_and_one_alone_has_the_same_bytes(shop):
    (shop.folder / "params" / "scenarios" / "broken.yaml").write_text(TINY.replace("draws: 2", "draws: 1"))
    done = shop("report", "--all", "--jobs", "1")
    assert done.code == 1
    words = " ".join(done.out.replace("│", " ").split())
    assert "params/scenarios/broken.yaml: draws must be 2 to 10,000; found 1." in words
    assert "tiny made" in words
    assert f"Written: {shop.folder / 'reports' / 'index.html'}" in done.out
    assert done.err == "Error: 1 of 2 could not be made: broken.\n"
    before = {name: content for name, content in shop.files().items() if name.startswith("reports/")}
    assert sorted(before) == WRITTEN
    assert len(json.loads(before["reports/tiny/manifest.json"])["inputs_sha256"]) == 64
    assert b"inputs_sha256" not in before["reports/tiny.html"]
    # By itself, in this very process, it has the same bytes, and is then skipped by the batch.
    assert shop("report", "tiny").code == 0
    assert {name: content for name, content in shop.files().items() if name.startswith("reports/")} == before
    (shop.folder / "params" / "scenarios" / "broken.yaml").unlink()
    done = shop("report", "--all")
    assert (done.code, done.err) == (0, "")
    assert "skipped: nothing has changed" in done.out


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
        ([], "name at least one scenario or valuation, or say --all; not both"),
        (["tiny", "--all"], "name at least one scenario or valuation, or say --all; not both"),
        (["tiny", "--jobs", "2"], "--jobs and --force belong to several reports"),
        (["tiny", "--force"], "--jobs and --force belong to several reports"),
        (["--all", "--set", "draws=3"], "--set belongs to one report"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(project, words, said):
    done = project("report", *words)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


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
def test_mistakes_are_refused_before_anything_is_made(project, words, said):
    before = project.files()
    assert said in project("report", *words).error
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
    # A point that is gone is made again, to the byte.
    (folder / "economics.gross_margin=0.3" / "returns.csv").unlink()
    once = project(*words)
    assert (once.out.count("skipped"), once.out.count("made")) == (1, 1)
    assert project.files() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "draws=2,1"], "tiny with draws=1: draws must be 2 to 10,000; found 1"),
        (["--over", "drws=2"], "did you mean 'draws'?"),
        (["--over", "draws"], "'draws': it must be KEY=VALUE,VALUE,..., such as"),
    ],
)
def test_mistakes_of_a_grid_are_refused_before_anything_is_simulated(project, words, said):
    assert said in project("sweep", "tiny", *words).error
    assert not (project.folder / "reports").exists()


def test_a_sweep_over_nothing_is_a_mistake_of_usage(project):
    assert project("sweep", "tiny").code == 2


STUDY = (
    "import cxsim\nfrom cxsim import reporting\nreporting.enable()",
    "study = cxsim.run(cxsim.load_scenario(scenario))",
    "reporting.npv_by_strategy(study.returns, study.currency)",
    "from cxsim.reporting.tables import Prose, machine_readable",
    "twin = machine_readable('returns', 'Returns', study.returns)",
    "Prose(markup='<p>Returns</p>', text='Returns', twin=twin)",
    "reporting.assumptions_table(study.assumptions, study.currency)",
    "reporting.audit_trail(study.manifest)",
)


@pytest.fixture
def report(project):
    """Make a report in the project by a notebook of its own."""
    (project.folder / "notebooks").mkdir()
    notebook = write_notebook(project.folder / "notebooks" / "case.ipynb", CASE_SETUP, *SECTIONS)
    given = str(project.folder / "params" / "scenarios" / "tiny.yaml")
    make(notebook, parameters={"scenario": given}, title="Tiny", out=project.folder / "case.html")
    return project.folder / "case.html"


@pytest.fixture
def altered(project, report, monkeypatch, tmp_path):
    """Verify the report after texts in its page were altered, without running its notebook again."""
    shutil.copy(report, tmp_path / "kept.html")
    shutil.copytree(report.with_suffix(""), tmp_path / "kept")

    def make_again(_, *, out, **_more):
        shutil.copy(tmp_path / "kept.html", out)
        shutil.copytree(tmp_path / "kept", out.with_suffix(""))

    def run(*options, **changes):
        text = report.read_text(encoding="utf-8")
        for old, new in changes.get("changes", ()):
            assert old in text
            text = text.replace(old, new)
        report.write_text(text, encoding="utf-8", newline="\n")
        monkeypatch.setattr("cxsim.reporting.verify.make", make_again)
        return project("verify", *options, report)

    return run


def test_the_exit_code_tells_whether_bytes_numbers_or_neither_agree(project, report, altered):
    before = project.files()
    done = altered()
    assert (done.code, done.err) == (0, "")
    files = len(list(report.with_suffix("").iterdir()))
    assert done.out.startswith(
        f"case.html and {files} files beside it: made again, every number and every byte agrees.\n"
        "It was made from what is otherwise here:\n- version of polars: the report says ‘0.0.1’; here it is ‘"
    )
    assert project.files() == before
    done = altered(changes=[("1234567890abcdef", "fedcba0987654321")])
    assert done.code == 1
    assert "every number agrees; the commit or versions of packages do not." in done.out
    assert altered("--numbers").code == 0
    done = altered("--numbers", changes=[("1,234.5", "1,284.5")])
    assert done.code == 1
    assert "made again, it is not the same; 3 places differ." in done.out
    assert re.search(r"- section ‘Returns’, line [\d,]+: the report says ‘.*1,284.5", done.out)


def test_no_more_than_twenty_places_are_listed(altered, report):
    for number in range(30):
        (report.with_suffix("") / f"more-{number}.csv").write_text("a\n", encoding="utf-8")
    done = altered()
    assert done.code == 1
    assert "30 places differ." in done.out
    listed = done.out.partition("Where it differs:\n")[2].splitlines()
    assert (len(listed), listed[-1]) == (21, "- and 10 more.")


def test_what_is_no_report_is_refused_in_one_message(project):
    page = project.folder / "other.html"
    page.write_text("<html></html>", encoding="utf-8")
    assert "this is no report of cxsim" in project("verify", page).error
    assert "none.html: no report can be read there" in project("verify", "none.html").error


def test_a_report_whose_notebook_fails_here_says_what_is_otherwise_here(project, report):
    write_notebook(project.folder / "notebooks" / "case.ipynb", "1 / 0")
    done = project("verify", report)
    assert (done.code, done.out) == (1, "")
    assert "it cannot be made again here: case.ipynb: cell 2 of 2 failed with ZeroDivisionError" in done.err
    assert "What it was made from is otherwise here:\nnotebook notebooks/case.ipynb: the report says" in done.err


def test_a_study_is_reported_again_to_the_byte_and_a_digit_too_many_is_found(project):
    (project.folder / "notebooks").mkdir()
    notebook = write_notebook(project.folder / "notebooks" / "study.ipynb", *STUDY)
    report = project.folder / "tiny.html"
    make(notebook, parameters={"scenario": "tiny"}, title="Tiny", out=report)
    done = project("verify", report)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"tiny\.html and \d+ files beside it: made again, every number and every byte agrees\.\n", done.out
    )
    page = report.read_text(encoding="utf-8")
    carried = tables_in(re.search(r'<script id="tables" type="application/json">(.*?)</script>', page)[1])
    assert carried.keys() == {"returns", "assumptions"}
    assert len(re.search(r'<script id="tables".*?</script>', page)[0].encode()) < 61_000


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


def test_identical_reports_are_said_to_be_so(project, pair):
    done = project("compare", "--exit-code", pair[0], pair[0])
    assert (done.code, done.out) == (0, "a.html and a.html are the same, to the byte.\n")


def test_what_moved_is_listed_table_by_table(project, pair):
    done = project("compare", *pair)
    assert (done.code, done.err) == (0, "")
    lines = [" ".join(line.replace("│", " ").split()) for line in done.out.splitlines()]
    assert "a.html → b.html" in lines
    assert "seed 7 8" in lines
    assert "Shop Margin value 0.4 0.45 share" in lines
    assert "Shop Fee added – 2 money" in lines
    assert "Points decision reject fund –" in lines
    assert "Points incremental npv 100 108 7 yes" in lines
    assert "Points roi 0.5 0.625 0.125 no" in lines
    assert "worth only in the second report" in lines


def test_the_exit_code_tells_whether_anything_moved_only_when_asked(project, pair):
    assert project("compare", "--exit-code", *pair).code == 1
    same = _report(project.folder / "c.html", _twin("returns", RETURNS, POINTS), seed=9)
    again = _report(project.folder / "d.html", _twin("returns", RETURNS, POINTS), seed=8)
    done = project("compare", "--exit-code", same, again)
    assert done.code == 0
    assert done.out.endswith("No assumption, no result and no table moved.\n")


def test_json_holds_everything_with_all_digits(project, pair):
    done = project("compare", "--json", *pair)
    content = json.loads(done.out)
    assert (content["identical"], content["moved"]) == (False, True)
    assert content["ingredients"] == [{"what": "seed", "before": "7", "after": "8", "about": "content"}]
    assert content["results"][1] == {
        "table": "returns",
        "strategy": "points",
        "title": "Points",
        "figure": "incremental_npv",
        "before": 100.0,
        "after": 108.0,
        "errors": 7.0,
        "against": "beyond error",
    }
    assert [one["how"] for one in content["assumptions"]] == ["changed", "added"]


def test_what_is_no_report_is_refused(project, pair):
    page = project.folder / "other.html"
    page.write_text("<html></html>", encoding="utf-8")
    assert "other.html: this is no report of cxsim" in project("compare", pair[0], page).error
