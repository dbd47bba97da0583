"""A report is the same when it is made again; whatever was altered in it is named with its place."""

from __future__ import annotations

import json
import re

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.page import make
from cxsim.reporting.verify import verify

GENERATOR = '<meta name="generator" content="cxsim">'
PROVENANCE = '<script id="provenance" type="application/json">'


def _where(verdict):
    return [place.where for place in verdict.places]


def test_a_report_that_nobody_altered_is_the_same_to_the_byte_when_it_is_made_again(project):
    said = []
    verdict = verify(project.html, progress=said.append)
    files = len(list(project.html.with_suffix("").iterdir()))
    assert (verdict.agreement, verdict.places, verdict.files) == ("bytes", (), files)
    # The notebook names a commit and a version that are not those of here; the report is the same all the same.
    assert [one.where for one in verdict.ingredients] == ["version of polars", "commit"]
    assert said[0] == "cell 1 of 6"


def test_a_report_that_came_alone_and_under_another_name_is_verified_by_its_page(project, tmp_path):
    mailed = tmp_path / "mailed (1).html"
    mailed.write_bytes(
        project.html.read_bytes().replace(b"1,234.5", b"1,284.5").replace(b"[40.25,3.5]", b"[40.25,3.6]")
    )
    verdict = verify(mailed)
    assert (verdict.agreement, verdict.files) == ("neither", 0)
    shown, carried = verdict.places
    assert re.fullmatch(r"section ‘Returns’, line [\d,]+", shown.where)
    assert ("1,284.5" in shown.before, "1,234.5" in shown.after) == (True, True)
    assert carried.sentence() == (
        "table returns inside the page, row coupon, column npv_mc_error: the report has ‘3.6’; the rebuilt report has "
        "‘3.5’."
    )


@pytest.mark.parametrize(
    ("old", "new", "where", "before", "after"),
    [
        ("<strong>70 EUR</strong>", "<strong>7 EUR</strong>", "section ‘Returns’, line", "loses 7 EUR", "loses 70 EUR"),
        (">Cash</h2>", ">Cash 2</h2>", "section ‘Does it pay?’, line", "Cash 2", "Cash"),
        ('{"cash":22.0,"month":4}', '{"cash":32.0,"month":4}', "section ‘Cash’, line", '"cash":32.0', '"cash":22.0'),
        (">Cash, EUR</text>", ">Cash, USD</text>", "section ‘Cash’, line", "Cash, USD", "Cash, EUR"),
        ("h18v18h-18Z", "h18v17h-18Z", "section ‘Cash’, line", "h18v17h-18Z", "h18v18h-18Z"),
        (".catch(function", ".katch(function", "section ‘Appendix: audit trail’, line", ".katch(", ".catch("),
        ("<dd>7</dd>", "<dd>8</dd>", "section ‘Appendix: audit trail’, line", "8", "7"),
        ("<!DOCTYPE html>", "<!doctype html>", "the page, line 1", "<!doctype html>", "<!DOCTYPE html>"),
        ('"fund"', '"pilot"', "table returns inside the page, row points, column decision", "pilot", "fund"),
        ('"seed":7', '"seed":8', "provenance, seed", "8", "7"),
    ],
)
def test_whatever_is_altered_in_the_page_is_named_with_its_place(altered, old, new, where, before, after):
    (place,) = altered(old, new).places
    assert place.where.startswith(where)
    assert (before in place.before, after in place.after) == (True, True)


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "before", "after"),
    [
        ("tables.json", "-70.0", "-71.0", "table returns in tables.json, row coupon, column incr", "-71.0", "-70.0"),
        ("returns.csv", "-70.0", "-71.0", "file tiny case/returns.csv, line 3", "-71.0", "-70.0"),
        ("returns.csv", "error\n", "error\r\n", "file tiny case/returns.csv, line 1", "error\r\n", "error\n"),
        ("report.md", "70 EUR", "7 EUR", "file tiny case/report.md, line", "7 EUR", "70 EUR"),
    ],
)
def test_what_is_altered_in_a_file_is_named_with_its_cell_or_line(altered, file, old, new, where, before, after):
    (place,) = altered(old, new, file=file).places
    assert place.where.startswith(where)
    assert (before in place.before, after in place.after) == (True, True)


def test_another_workbook_is_named_by_its_hash(altered, project):
    html = altered("seed", "seed").report
    html.with_suffix("").joinpath("workbook.xlsx").write_bytes(b"PK\xff")
    (place,) = verify(html).places
    assert place.where == "file tiny case/workbook.xlsx"
    record = json.loads((project.html.with_suffix("") / "manifest.json").read_text(encoding="utf-8"))
    assert place.after == record["files"]["workbook.xlsx"]


def test_a_hash_altered_in_the_manifest_beside_the_page_is_named(altered, project):
    record = json.loads((project.html.with_suffix("") / "manifest.json").read_text(encoding="utf-8"))
    digest = record["files"]["returns.csv"]
    places = altered(digest, "0" * 64, file="manifest.json").places
    assert [place.where for place in places] == [
        "file tiny case/manifest.json, files.returns.csv", "file tiny case/manifest.json, tables_sha256.returns.csv",
    ]  # fmt: skip


def test_entries_that_a_sweep_added_to_the_manifest_are_none_of_the_reports(altered):
    assert altered('{\n  "command"', '{\n  "stamp": "x",\n  "command"', file="manifest.json").agreement == "bytes"


def test_a_missing_and_a_further_file_are_named(project, tmp_path):
    html = project.copy(tmp_path)
    folder = html.with_suffix("")
    (folder / "returns.csv").rename(folder / "more.csv")
    more, lost = verify(html).places
    assert (more.where, more.after) == ("file tiny case/more.csv", None)
    assert (lost.where, lost.before) == ("file tiny case/returns.csv", None)


def test_another_commit_alone_leaves_the_numbers_in_agreement_and_excuses_no_other_digit(altered):
    verdict = altered("1234567890abcdef", "fedcba0987654321")
    assert verdict.agreement == "numbers"
    line, entry = _where(verdict)
    assert (line.startswith("section ‘Appendix: audit trail’, line "), entry) == (True, "provenance, commit")
    page = verdict.report.read_text(encoding="utf-8")
    verdict.report.write_text(page.replace("1,234.5", "1,284.5"), encoding="utf-8")
    assert verify(verdict.report).agreement == "neither"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html></html>", "this is not a cxsim report"),
        (GENERATOR, "has no provenance"),
        (f"{GENERATOR}{PROVENANCE}{{</script>", "its provenance is not a JSON object of names and values"),
        (f"{GENERATOR}{PROVENANCE}7</script>", "its provenance is not a JSON object of names and values"),
        (f'{GENERATOR}{PROVENANCE}{{"command":"x"}}</script>', "name the notebook that made it; rebuild it with: x"),
    ],
)
def test_what_is_no_report_or_does_not_say_how_it_was_made_is_refused(tmp_path, text, message):
    path = tmp_path / "r.html"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=message):
        verify(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path / "r.html", tmp_path):
        with pytest.raises(ReportError, match=f"{path.name}: it cannot be read as a report: "):
            verify(path)
    (tmp_path / "r.html").write_bytes(b"\xff")
    with pytest.raises(ReportError, match="this is not a cxsim report"):
        verify(tmp_path / "r.html")


def _with_recipe(project, folder, **changes):
    page = project.page
    found = re.search(r'<script id="provenance" type="application/json">(.*?)</script>', page)[1]
    provenance = json.loads(found)
    provenance["report"].update(changes)
    path = folder / project.html.name
    path.write_text(page.replace(found, json.dumps(provenance).replace("<", "\\u003c")), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"notebook": "notebooks/gone.ipynb"}, "there is no notebooks/gone.ipynb in this project"),
        ({"notebook": "../gone.ipynb"}, "leads out of the project"),
        ({"page": "../case.html"}, "its record of how it was made is not one written by `cxsim report`: "),
        ({"code": "maybe"}, "its record of how it was made is not one written by `cxsim report`: "),
        ({"parameters": {"scenario": [1]}}, "its record of how it was made is not one written by `cxsim report`: "),
        ({"more": 1}, "written by `cxsim report`: more: unknown key; possible: page, title, code"),
        ({"paths_outside": ["scenario"]}, r"outside the project, .* params/scenarios/tiny.yaml \(scenario\)"),
        ({"parameters": {"cat": 1}, "paths_in_project": []}, "cannot be reproduced here: .* has no parameter 'cat'"),
    ],
)
def test_a_recipe_that_leads_nowhere_is_refused(project, tmp_path, changes, message):
    path = _with_recipe(project, tmp_path, **changes)
    with pytest.raises(ReportError, match=message):
        verify(path)


def test_a_report_of_a_shop_outside_of_the_project_says_what_is_missing(project, tmp_path):
    out, shop = tmp_path / "r.html", tmp_path / "my-exports"
    make(project.notebook, parameters={"scenario": str(shop)}, title="T", out=out)
    assert str(tmp_path) not in out.read_text(encoding="utf-8")
    with pytest.raises(ReportError, match=r"files outside the project, .*: my-exports \(scenario\)\. Move them into"):
        verify(out)


def test_a_file_of_parameters_that_changed_since_is_named_before_the_places(project, tmp_path):
    html = project.copy(tmp_path)
    file = project.folder / "params" / "scenarios" / "tiny.yaml"
    old = file.read_bytes()
    try:
        file.write_bytes(b"draws: 3\n")
        verdict = verify(html)
    finally:
        file.write_bytes(old)
    assert next(one.where for one in verdict.ingredients) == "file params/scenarios/tiny.yaml"
    assert "provenance, parameters_sha256.scenarios/tiny.yaml" in _where(verdict)
