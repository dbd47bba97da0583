"""`cxsim levers` lists and finds the levers, shows one in full, and writes the page of the docs."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from cxsim.cli.levers import page
from cxsim.library import root
from cxsim.params import sources
from cxsim.strategies.levers import load_levers

_DOCS = root() / "docs" / "levers.md"


def test_all_levers_are_listed_with_what_they_move_grade_and_prior(shared):
    done = shared("levers")
    assert (done.code, done.err) == (0, "")
    assert all(f"L{number:02d}" in done.out for number in range(1, 39))
    for words in ("→ points-programme", "− margin", "dropout ×0.85 (0.7 to 1)", "break-even only", "levers show L01"):
        assert words in done.out


@pytest.mark.parametrize(
    "words",
    [
        "--search|FREE shipping", "--pathway|forward_buying", "--search|xyzzy", "--search|xyzzy|--pathway|margin",
        "show|L18", "show|L34", "show|L19", "show|l31",
        "--search|xyzzy|--json", "--search|points|--json", "show|L32|--json",
    ],
)  # fmt: skip
def test_a_search_finds_words_in_any_case_and_a_lever_is_shown_with_evidence_and_use(shared, words, snapshot):
    done = shared("levers", *words.split("|"))
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot


def test_the_list_reads_in_eighty_columns(project, monkeypatch):
    narrow = Console(width=80, highlight=False)
    for place in ("cxsim.cli.levers.console", "cxsim.cli.printing.console"):
        monkeypatch.setattr(place, lambda _="": narrow)
    long = project.folder / "params" / "strategies" / "points-for-everything-and-everybody.yaml"
    long.write_bytes((long.parent / "points-programme.yaml").read_bytes())
    project.edit("levers.yaml", "[points-programme", f"[{long.stem}, points-programme")
    shown = project("levers").out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "…" not in shown
    assert all(whole in shown for whole in ("reference price │", "→ points-programme", "→ points-for- "))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pathway", "dropuot"], "no pathway 'dropuot'; did you mean 'dropout'? Possible: acquisition, purchase"),
        (["show", "L39"], "no lever 'L39'; did you mean 'L38'? All 38: `cxsim levers`."),
        (["show", "L7"], "no lever 'L7'; did you mean 'L37'? All 38: `cxsim levers`."),
        (["show", "l-18"], "no lever 'l-18'; did you mean 'L18'? All 38: `cxsim levers`."),
    ],
)
def test_an_unknown_pathway_or_lever_is_answered_with_the_nearest(shared, words, said):
    assert shared("levers", *words).error.startswith(said)


def test_the_yaml_that_is_shown_is_sound(project):
    shown = project("levers", "show", "L18").out.splitlines()[-3:]
    project.edit("scenarios/tiny.yaml", "economics: cdnow\nstrategies: [points-programme, win-back-coupon]\n", "")
    file = project.folder / "params" / "scenarios" / "tiny.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n".join(shown) + "\n", encoding="utf-8")
    assert project("check", "params/scenarios/tiny.yaml").out == "1 file checked; no problems found.\n"


def test_a_lever_without_a_ready_strategy_says_where_to_begin(project):
    file = project.folder / "params" / "levers.yaml"
    file.write_text(re.sub(r"strategies: \[.*\]", "strategies: []", file.read_text(encoding="utf-8")), encoding="utf-8")
    out = project("levers", "show", "L28").out
    assert "No ready strategy uses it yet. Copy the closest one under params/strategies" in out


def test_options_of_the_list_are_not_lost_before_another_word(shared):
    done = shared("levers", "--pathway", "dropout", "show", "L18")
    assert (done.code, done.out) == (2, "")


def test_mistakes_in_the_catalogue_stop_the_command_and_are_listed_by_check(project):
    project.edit("levers.yaml", "[points-programme", "[points-program")
    project.edit("levers.yaml", "[browne-2017, miller-2020, ", "[browne-2017, miler-2020, ")
    lines = project("check", "params/levers.yaml").error.splitlines()
    assert lines[0] == "2 mistakes in 1 file."
    assert lines[1].startswith("params/levers.yaml: L01.evidence: no source 'miler-2020'; did you mean 'miller-2020'?")
    assert lines[2].startswith("params/levers.yaml: L18.strategies: no strategy 'points-program'; did you mean")
    project.edit("levers.yaml", "grade: C", "grade: E")
    assert "params/levers.yaml: L02: grade E with a prior for acquisition" in project("levers").error


def test_the_page_of_the_docs_is_what_the_catalogue_says_and_is_written_into_the_project(project):
    written = _DOCS.read_text(encoding="utf-8")
    assert written == page(load_levers(), sources()), "rebuild it with `cxsim levers --write-docs`"
    assert project("levers", "--write-docs").out == "Written: docs/levers.md\n"
    assert (project.folder / "docs" / "levers.md").read_bytes() == _DOCS.read_bytes()


def test_every_link_of_the_page_has_a_place():
    text = _DOCS.read_text(encoding="utf-8")
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert links
    assert links == {part.split('"')[0] for part in text.split('<a id="')[1:]}
