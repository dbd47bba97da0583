"""A report is the same when it is made again; whatever was altered in it is named with its place."""

from __future__ import annotations

import json
import re

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.comparison import Difference
from cxsim.reporting.page import make
from cxsim.reporting.verify import verify

GENERATOR = '<meta name="generator" content="cxsim">'


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
    mailed.write_bytes(project.html.read_bytes().replace(b"1,234.5", b"1,284.5"))
    verdict = verify(mailed)
    assert (verdict.agreement, verdict.files) == ("neither", 0)
    (place,) = verdict.places
    assert place.sentence() == (
        "section ‘Returns’, table ‘What it returns’, row Points, column Worth, EUR: "
        "the report says ‘1,284.5’; made again it is ‘1,234.5’."
    )


def test_a_digit_altered_in_a_sentence_is_named_with_its_section(altered):
    verdict = altered("<strong>70 EUR</strong>", "<strong>7 EUR</strong>")
    assert verdict.places == (
        Difference(
            where="section ‘Returns’",
            said="The coupon loses 7 EUR in 4 years.",
            made="The coupon loses 70 EUR in 4 years.",
        ),
    )


def test_a_digit_altered_in_a_heading_is_named(altered):
    assert _where(altered(">Cash</h2>", ">Cash 2</h2>")) == ["section ‘Does it pay?’, heading"]


def test_a_digit_altered_in_the_data_of_a_chart_is_named_with_its_path(altered):
    verdict = altered('{"cash":22.0,"month":4}', '{"cash":32.0,"month":4}')
    (place,) = verdict.places
    assert (place.where, place.said, place.made) == (
        "section ‘Cash’, figure ‘Cash by month’, data.values[4].cash", "32.0", "22.0",
    )  # fmt: skip


def test_a_word_altered_in_a_drawing_is_named(altered, project):
    (word,) = set(re.findall(r">(Cash, EUR)</text>", project.page))
    (place,) = altered(f">{word}</text>", ">Cash, USD</text>").places
    assert (place.said, place.made) == ("Cash, USD", "Cash, EUR")
    assert re.fullmatch(r".* figure ‘Cash by month’, word \d+ of the drawing", place.where)


def test_a_bar_that_was_drawn_shorter_is_named_by_its_byte(altered):
    (place,) = altered("h18v18h-18Z", "h18v17h-18Z").places
    assert re.fullmatch(r"byte [\d,]+ of section ‘Cash’, figure ‘Cash by month’", place.where)


def test_a_digit_altered_in_the_tables_inside_the_page_is_named_with_row_and_column(altered):
    (place,) = altered("[40.25,3.5]", "[40.25,3.6]").places
    assert place.sentence() == (
        "table returns inside the page, row coupon, column npv_mc_error: the report says ‘3.6’; made again it is ‘3.5’."
    )


def test_a_text_altered_in_the_tables_inside_the_page_is_named(altered):
    (place,) = altered('"fund"', '"pilot"').places
    assert (place.where, place.said, place.made) == (
        "table returns inside the page, row points, column decision", "pilot", "fund",
    )  # fmt: skip


def test_a_digit_altered_in_the_provenance_is_named_with_its_entry(altered):
    assert [place.sentence() for place in altered('"seed":7', '"seed":8').places] == [
        "provenance, seed: the report says ‘8’; made again it is ‘7’."
    ]


def test_a_digit_altered_in_the_style_or_in_a_script_is_named_by_its_byte(altered):
    (place,) = altered(".catch(function", ".katch(function").places
    assert re.fullmatch(r"byte [\d,]+ of script ‘\d+’", place.where)


def test_a_digit_altered_in_a_file_is_named_with_file_row_and_column(altered):
    (place,) = altered("-70.0", "-71.0", file="returns.csv").places
    assert place.sentence() == (
        "file tiny case/returns.csv, row coupon, column incremental_npv: the report says ‘-71.0’; "
        "made again it is ‘-70.0’."
    )


def test_other_ends_of_lines_in_a_file_are_a_difference_as_well(altered):
    (place,) = altered("npv_mc_error\n", "npv_mc_error\r\n", file="returns.csv").places
    # The heads and their commas have 8 + 5 + 8 + 15 + 12 + 4 = 52 letters.
    assert place.where == "byte 53 of file tiny case/returns.csv"
    assert "npv_mc_error␍↵points" in place.sentence()


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
    assert _where(verify(html)) == [
        "file tiny case/more.csv: made again, there is no such file", "file tiny case/returns.csv: it is missing",
    ]  # fmt: skip


def test_another_commit_alone_leaves_the_numbers_in_agreement(altered):
    verdict = altered("1234567890abcdef", "fedcba0987654321")
    assert verdict.agreement == "numbers"
    assert _where(verdict) == ["section ‘Audit trail’", "provenance, commit"]


def test_another_commit_excuses_no_other_digit(altered):
    verdict = altered("1234567890abcdef", "fedcba0987654321")
    assert verdict.agreement == "numbers"
    page = verdict.report.read_text(encoding="utf-8")
    verdict.report.write_text(page.replace("1,234.5", "1,284.5"), encoding="utf-8")
    assert verify(verdict.report).agreement == "neither"


def test_an_entry_of_the_audit_trail_is_sentence_after_its_term(altered):
    (place,) = altered("<dd>7</dd>", "<dd>8</dd>").places
    assert (place.where, place.said, place.made) == ("section ‘Audit trail’", "Seed: 8", "Seed: 7")


def test_an_unseen_difference_is_reported_by_its_byte(altered, project):
    verdict = altered("<!DOCTYPE html>", "<!doctype html>")
    # "<!" is before it.
    assert _where(verdict) == ["byte 3 of top of the page"]
    assert "doctype" not in project.page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html></html>", "this is no report of cxsim"),
        (GENERATOR, "has no provenance"),
        (
            f'{GENERATOR}<script id="provenance" type="application/json">{{</script>',
            "its provenance is not JSON",
        ),
        (
            f'{GENERATOR}<script id="provenance" type="application/json">7</script>',
            "its provenance is no mapping",
        ),
        (
            f'{GENERATOR}<script id="provenance" type="application/json">{{"command":"x"}}</script>',
            "does not say by which notebook it was made; make it anew with: x",
        ),
    ],
)
def test_what_is_no_report_or_does_not_say_how_it_was_made_is_refused(tmp_path, text, message):
    path = tmp_path / "r.html"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=message):
        verify(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ReportError, match="there is no such file"):
        verify(tmp_path / "r.html")
    with pytest.raises(ReportError, match="this is a folder"):
        verify(tmp_path)
    (tmp_path / "r.html").write_bytes(b"\xff")
    with pytest.raises(ReportError, match="not written in UTF-8"):
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
        ({"page": "../case.html"}, "has an entry of another kind"),
        ({"code": "maybe"}, "has an entry of another kind"),
        ({"parameters": {"scenario": [1]}}, "has an entry of another kind"),
        ({"more": 1}, "must have exactly the entries page, title, code"),
        ({"paths_outside": ["scenario"]}, r"outside of the project, .* params/scenarios/tiny.yaml \(scenario\)"),
        ({"parameters": {"cat": 1}, "paths_in_project": []}, "cannot be made again here: .* has no parameter 'cat'"),
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
    with pytest.raises(ReportError, match=r"files outside of the project, .*: my-exports \(scenario\)\. Put them into"):
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
