"""`cxsim new` copies a sound scenario, or leaves nothing."""

from __future__ import annotations

import pytest

from cxsim.params import root

# Taken before a test moves into a project of its own.
_PARAMS = root() / "params"


def test_a_copy_is_a_sound_scenario_of_another_name(project):
    sentence = project("new", "spring-plans", "--from", "tiny")
    assert sentence.code == 0
    assert "spring-plans.yaml" in sentence.out
    scenarios = project.folder / "params" / "scenarios"
    assert (scenarios / "spring-plans.yaml").read_bytes() == (scenarios / "tiny.yaml").read_bytes()
    assert project("check", "params/scenarios").out == "2 files checked; all is well.\n"


def test_a_copy_of_a_file_elsewhere_is_possible(project, tmp_path):
    text = (project.folder / "params" / "scenarios" / "tiny.yaml").read_text(encoding="utf-8")
    (tmp_path / "elsewhere.yaml").write_text(text, encoding="utf-8")
    assert project("new", "mine", "--from", tmp_path / "elsewhere.yaml").code == 0
    assert "params/scenarios/mine.yaml" in project.files()


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("tiny", "tiny", "there is a scenario 'tiny' already"),
        ("Spring", "tiny", "'Spring' is no name for a scenario; use at most 80 small letters"),
        ("../spring", "tiny", "is no name for a scenario"),
        ("spring.yaml", "tiny", "is no name for a scenario"),
        ("spring\n", "tiny", "is no name for a scenario"),
        ("", "tiny", "is no name for a scenario"),
        ("spring", "tinny", "no 'tinny'; did you mean 'tiny'?"),
        ("spring", "elsewhere.yaml", "no file elsewhere.yaml"),
        ("spring" * 50, "tiny", "at most 80 small letters"),
    ],
)
def test_nothing_is_left_half_written_for(project, name, source, words):
    before = project.files()
    assert words in project("new", name, "--from", source).error
    assert project.files() == before


def test_a_scenario_that_is_not_sound_is_not_copied(project):
    project.edit("scenarios/tiny.yaml", "seed: 7", "seed: -7")
    before = project.files()
    assert "seed must be" in project("new", "spring", "--from", "tiny").error
    assert project.files() == before


def test_a_valuation_is_copied_to_the_valuations_under_a_name_that_no_scenario_has(project):
    folder = project.folder / "params" / "valuations"
    source = _PARAMS / "valuations" / "cdnow-value.yaml"
    (folder / "worth.yaml").write_bytes(source.read_bytes())
    assert "there is a scenario 'tiny' already" in project("new", "tiny", "--from", "worth").error
    assert project("new", "worth-2", "--from", "worth").code == 0
    assert (folder / "worth-2.yaml").read_bytes() == source.read_bytes()
