"""`cxsim levers` lists and finds the levers, shows one in full, and writes the page of the docs."""

from __future__ import annotations

import json
import re

import pytest
from rich.console import Console

from cxsim.cli import levers
from cxsim.cli.levers import page
from cxsim.params import root, sources
from cxsim.strategies.levers import load_levers

_DOCS = root() / "docs" / "levers.md"


def test_all_levers_are_listed_with_what_they_move_grade_and_prior(project):
    done = project("levers")
    assert (done.code, done.err) == (0, "")
    assert all(f"L{number:02d}" in done.out for number in range(1, 39))
    for words in ("Points programme", "→ points-programme", "+ dropout", "− margin", "dropout ×0.85 (0.7 to 1)"):
        assert words in done.out
    assert "break-even only" in done.out
    assert "One in full: cxsim levers show L01" in done.out


def test_the_list_reads_in_eighty_columns(project, monkeypatch):
    narrow = Console(width=80, highlight=False)
    monkeypatch.setattr(levers, "console", lambda: narrow)
    long = project.folder / "params" / "strategies" / "points-for-everything-and-everybody.yaml"
    long.write_bytes((long.parent / "points-programme.yaml").read_bytes())
    project.edit("levers.yaml", "[points-programme", f"[{long.stem}, points-programme")
    lines = project("levers").out.splitlines()
    assert max(len(line) for line in lines) <= 80
    shown = "\n".join(lines)
    assert "…" not in shown
    assert all(whole in shown for whole in ("reference price │", "→ points-programme", "→ points-for- "))


def test_a_search_finds_words_in_any_case(project):
    done = project("levers", "--search", "FREE shipping")
    assert "L17" in done.out
    assert "L18" not in done.out
    assert "One in full: cxsim levers show L17" in done.out


def test_a_pathway_narrows_the_list(project):
    out = project("levers", "--pathway", "forward_buying").out
    assert "L12" in out
    assert "L01" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--search", "xyzzy"], "No lever has 'xyzzy'.\n"),
        (["--search", "xyzzy", "--pathway", "margin"], "No lever has 'xyzzy' and the pathway 'margin'.\n"),
    ],
)
def test_a_search_without_result_says_so_and_is_no_mistake(project, words, said):
    done = project("levers", *words)
    assert (done.code, done.out, done.err) == (0, said, "")


def test_an_unknown_pathway_is_answered_with_the_nearest(project):
    assert project("levers", "--pathway", "dropuot").error.startswith(
        "no pathway 'dropuot'; did you mean 'dropout'? Possible: acquisition, purchase_rate, dropout"
    )


@pytest.mark.parametrize(("given", "near"), [("L39", "L38"), ("L7", "L37"), ("l-18", "L18")])
def test_an_unknown_lever_is_answered_with_the_nearest(project, given, near):
    assert project("levers", "show", given).error.startswith(
        f"no lever '{given}'; did you mean '{near}'? Possible: L01,"
    )


def test_a_lever_is_shown_with_sources_prior_harms_and_use(project):
    done = project("levers", "show", "L18")
    assert (done.code, done.err) == (0, "")
    text = " ".join(done.out.split())
    for words in (
        "L18 Points programme",
        "Evidence, grade A",
        "gopalakrishnan-2021: Gopalakrishnan, Jiang, Nevskaya and Thomadsen (2021).",
        "Marketing Science 40(3). Grade B.",
        "dropout: ratio 0.85, 90 % range 0.7 to 1, no effect is within it; published (gopalakrishnan-2021).",
        "points outstanding are a debt",
        "Used by params/strategies/points-programme.yaml",
    ):
        assert words in text
    assert done.out.endswith("economics: cdnow\nstrategies:\n  - points-programme\n")


def test_a_lever_on_what_customers_go_through_names_the_behaviour_that_it_needs(project):
    done = project("levers", "show", "L34").out
    assert "economics: cdnow-service" in done
    assert done.endswith("behaviour: online-shop\nstrategies:\n  - free-returns\n")


def test_a_lever_that_nobody_measured_says_that_its_strategy_states_no_return(project):
    assert "says how large the effect must be" in project("levers", "show", "L19").out


def test_the_yaml_that_is_shown_plays_the_lever(project):
    shown = project("levers", "show", "L18").out.splitlines()[-3:]
    project.edit("scenarios/tiny.yaml", "economics: cdnow\nstrategies: [points-programme, win-back-coupon]\n", "")
    file = project.folder / "params" / "scenarios" / "tiny.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n".join(shown) + "\n", encoding="utf-8")
    assert project("check", "params/scenarios/tiny.yaml").out == "1 file checked; all is well.\n"


def test_a_lever_without_evidence_says_that_no_number_can_be_defended(project):
    out = project("levers", "show", "l31").out
    assert "L31 Brand, story and style" in out
    assert "none found" in out
    assert "break-even only: no number can be defended." in out


def test_a_lever_without_a_ready_strategy_says_where_to_begin(project):
    file = project.folder / "params" / "levers.yaml"
    file.write_text(re.sub(r"strategies: \[.*\]", "strategies: []", file.read_text(encoding="utf-8")), encoding="utf-8")
    out = project("levers", "show", "L28").out
    assert "No ready strategy uses it yet. Copy the nearest one under params/strategies" in out


def test_json_of_the_list_holds_every_field(project):
    found = json.loads(project("levers", "--search", "loyalty", "--json").out)
    assert [lever["id"] for lever in found] == [f"L{number}" for number in range(18, 24)]
    assert list(found[0]) == [
        "id",
        "name",
        "description",
        "also",
        "pathways",
        "cost_shape",
        "guides",
        "evidence",
        "grade",
        "verdict",
        "prior",
        "harms",
        "strategies",
    ]
    assert found[0]["prior"][0]["range"] == [0.7, 1.0]
    assert found[1]["prior"] == "break-even only"


def test_json_of_nothing_is_an_empty_list(project):
    assert json.loads(project("levers", "--search", "xyzzy", "--json").out) == []


def test_json_of_one_lever_writes_its_sources_out(project):
    first, again = (project("levers", "show", "L32", "--json").out for _ in range(2))
    assert first == again
    lever = json.loads(first)
    assert [source["id"] for source in lever["evidence"]] == ["fisher-2019", "cui-2024", "gallino-2014"]
    assert lever["evidence"][0]["where"] == "Journal of Marketing Research 56(5)"
    assert "faster-delivery" in lever["strategies"]


def test_options_of_the_list_are_not_lost_before_another_word(project):
    done = project("levers", "--json", "show", "L18")
    assert done.code == 2
    assert done.out == ""


def test_a_mistake_in_the_catalogue_stops_the_command(project):
    project.edit("levers.yaml", "grade: C", "grade: E")
    assert "params/levers.yaml: L02: grade E with a prior for acquisition" in project("levers").error


def test_check_tells_the_mistakes_of_the_catalogue(project):
    project.edit("levers.yaml", "[points-programme", "[points-program")
    project.edit("levers.yaml", "[browne-2017, miller-2020, ", "[browne-2017, miler-2020, ")
    lines = project("check", "params/levers.yaml").error.splitlines()
    assert lines[0] == "2 mistakes in 1 file."
    assert lines[1].startswith("params/levers.yaml: L01.evidence: no source 'miler-2020'; did you mean 'miller-2020'?")
    assert lines[2].startswith("params/levers.yaml: L18.strategies: no strategy 'points-program'; did you mean")


def test_the_page_of_the_docs_is_what_the_catalogue_says():
    written = _DOCS.read_text(encoding="utf-8")
    assert written == page(load_levers(), sources()), "write it anew with `cxsim levers --write-docs`"


def test_the_page_is_written_into_the_project(project):
    assert project("levers", "--write-docs").out == "Written: docs/levers.md\n"
    assert (project.folder / "docs" / "levers.md").read_bytes() == _DOCS.read_bytes()


def test_every_link_of_the_page_has_a_place():
    text = _DOCS.read_text(encoding="utf-8")
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    places = {part.split('"')[0] for part in text.split('<a id="')[1:]}
    assert links
    assert links == places
