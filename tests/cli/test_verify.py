"""`cxsim verify` says in one line that a report can be made again, or names what differs and exits with 1."""

from __future__ import annotations

import re
import shutil

import pytest

from cxsim.reporting.drawings import tables_in
from cxsim.reporting.page import make
from cxsim.reporting.verify import page_differences
from tests.audit.conftest import SECTIONS, SETUP, write_notebook

STUDY = (
    "import cxsim\nfrom cxsim import charts, exhibits\ncharts.enable()",
    "study = cxsim.run(cxsim.load_scenario(scenario))",
    "charts.npv_by_strategy(study.returns, study.currency)",
    "exhibits.returns_table(study.returns, study.currency)",
    "exhibits.assumptions_table(study.assumptions, study.currency)",
    "exhibits.audit_trail(study.manifest)",
)


@pytest.fixture
def report(project):
    """Make a report in the project by a notebook of its own."""
    (project.folder / "notebooks").mkdir()
    notebook = write_notebook(project.folder / "notebooks" / "case.ipynb", SETUP, *SECTIONS)
    given = str(project.folder / "params" / "scenarios" / "tiny.yaml")
    return make(notebook, parameters={"scenario": given}, title="Tiny", out=project.folder / "case.html").html


def _alter(report, old, new):
    text = report.read_text(encoding="utf-8")
    assert old in text
    report.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def test_an_unaltered_report_agrees_to_the_byte(project, report):
    before = project.files()
    sentence = project("verify", report)
    assert (sentence.code, sentence.err) == (0, "")
    files = len(list(report.with_suffix("").iterdir()))
    assert sentence.out.startswith(
        f"case.html and {files} files beside it: made again, every number and every byte agrees.\n"
        "It was made from what is otherwise here:\n- version of polars: the report says ‘0.0.1’; here it is ‘"
    )
    assert project.files() == before


def test_an_altered_digit_is_named_and_the_exit_code_is_1(project, report):
    _alter(report, "1,234.5", "1,284.5")
    sentence = project("verify", report)
    assert sentence.code == 1
    assert "made again, it is not the same; 1 place differs." in sentence.out
    assert (
        "- section ‘Returns’, table ‘What it returns’, row Points, column Worth, EUR: "
        "the report says ‘1,284.5’; made again it is ‘1,234.5’.\n"
    ) in sentence.out


def test_another_commit_fails_unless_only_the_numbers_are_asked_for(project, report):
    _alter(report, "1234567890abcdef", "fedcba0987654321")
    sentence = project("verify", report)
    assert sentence.code == 1
    assert "every number agrees; the commit or versions of packages do not." in sentence.out
    assert project("verify", "--numbers", report).code == 0
    _alter(report, "1,234.5", "1,284.5")
    assert project("verify", "--numbers", report).code == 1


def test_no_more_than_twenty_places_are_listed(project, report):
    shutil.rmtree(report.with_suffix(""))
    text = report.read_text(encoding="utf-8")
    sections = "".join(f"<h2>More {number}</h2><p>Nothing.</p>" for number in range(15))
    report.write_text(text.replace("</main>", f"{sections}</main>"), encoding="utf-8")
    sentence = project("verify", report)
    assert sentence.code == 1
    # A heading and a sentence each, and the end of the page, which is now below another heading.
    assert "31 places differ." in sentence.out
    listed = sentence.out.partition("Where it differs:\n")[2].splitlines()
    assert (len(listed), listed[-1]) == (21, "- and 11 more.")


def test_what_is_no_report_is_refused_in_one_message(project):
    page = project.folder / "other.html"
    page.write_text("<html></html>", encoding="utf-8")
    assert "this is no report of cxsim" in project("verify", page).error
    assert "there is no such file" in project("verify", "none.html").error


def test_a_report_whose_notebook_fails_here_says_what_is_otherwise_here(project, report):
    write_notebook(project.folder / "notebooks" / "case.ipynb", "1 / 0")
    sentence = project("verify", report)
    assert (sentence.code, sentence.out) == (1, "")
    assert "it cannot be made again here: case.ipynb: cell 2 of 2 failed with ZeroDivisionError" in sentence.err
    assert "What it was made from is otherwise here:\nnotebook notebooks/case.ipynb: the report says" in sentence.err


def test_a_study_is_reported_again_to_the_byte_and_a_digit_too_many_is_found(project):
    (project.folder / "notebooks").mkdir()
    notebook = write_notebook(project.folder / "notebooks" / "study.ipynb", *STUDY)
    report = project.folder / "tiny.html"
    make(notebook, parameters={"scenario": "tiny"}, title="Tiny", out=report)
    sentence = project("verify", report)
    assert (sentence.code, sentence.err) == (0, "")
    assert re.fullmatch(
        r"tiny\.html and \d+ files beside it: made again, every number and every byte agrees\.\n", sentence.out
    )
    page = report.read_text(encoding="utf-8")
    carried = tables_in(re.search(r'<script id="tables" type="application/json">(.*?)</script>', page)[1])
    assert carried.keys() == {"returns", "assumptions"}
    assert len(re.search(r'<script id="tables".*?</script>', page)[0].encode()) < 61_000
    cell = re.search(r"<td[^>]*>[^<]*\d[^<]*</td>", page)[0]
    (place,) = page_differences(page.replace(cell, cell.replace("</td>", "1</td>"), 1), page, {})
    assert (place.said, "row" in place.where) == (f"{place.made}1", True)
