"""What a project has of its own goes before what the library has, and nothing is written there."""

from __future__ import annotations

import pytest

from checks.source import ROOT
from cxsim.errors import ParamError
from cxsim.library import at, layers, library, locate, named, names, own_names, root, shown
from cxsim.metrics.catalogue import load_metrics
from cxsim.params import source_names, sources
from cxsim.study.loading import check_params


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    return tmp_path


def _own(project, place, text):
    file = project / "params" / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_the_checkout_is_library_and_project():
    assert root() == library() == ROOT
    assert layers("params/sources.yaml") == [ROOT / "params" / "sources.yaml"]


def test_any_folder_is_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert root() == tmp_path
    assert own_names("scenarios") == []
    assert "cdnow-quick" in names("scenarios")


def test_the_nearest_folder_with_scenarios_is_the_project(project):
    assert root() == project


def test_a_file_of_the_project_goes_before_one_of_the_library(project):
    own = _own(project, "strategies/faster-delivery.yaml", "")
    assert named("strategies", "faster-delivery") == own
    assert named("strategies", "points-programme") == ROOT / "params" / "strategies" / "points-programme.yaml"
    assert names("strategies").count("faster-delivery") == 1


def test_a_file_that_is_nowhere_would_be_the_projects(project):
    assert at("params/scenarios/mine.yaml") == project / "params" / "scenarios" / "mine.yaml"


def test_entries_of_the_project_stand_beside_those_of_the_library_and_replace_them(project):
    entry = "{authors: Us, year: 2026, title: %s, where: here, measured: our orders, grade: D}"
    bundled = source_names()
    _own(project, "sources.yaml", f"{bundled[0]}: {entry % 'Ours'}\nour-accounts: {entry % 'Accounts'}\n")
    assert source_names() == [*bundled, "our-accounts"]
    assert sources()[bundled[0]].title == "Ours"
    assert sources()[bundled[1]].authors != "Us"


def test_a_metric_of_the_project_stands_beside_those_of_the_library(project):
    text = (ROOT / "params" / "metrics.yaml").read_text(encoding="utf-8")
    begin = text.index("aov_net:")
    _own(project, "metrics.yaml", text[begin : text.index("\n\n", begin) if "\n\n" in text[begin:] else None])
    assert set(load_metrics()) >= {"aov_net", "nps"}


def test_only_the_projects_own_files_are_checked(project):
    _own(project, "strategies/broken.yaml", "title: no\n")
    assert all("broken" in problem for problem in check_params([]))
    assert check_params([])


def test_a_file_of_the_library_is_shown_as_such(project):
    own = _own(project, "scenarios/mine.yaml", "")
    assert shown(own) == "params/scenarios/mine.yaml"
    assert shown(named("scenarios", "cdnow-quick")) == "params/scenarios/cdnow-quick.yaml (library)"


def test_a_path_is_taken_as_it_is(tmp_path):
    (tmp_path / "mine.yaml").write_text("", encoding="utf-8")
    assert locate("scenarios", str(tmp_path / "mine.yaml")) == tmp_path / "mine.yaml"


def test_names_stay_inside_their_folder():
    with pytest.raises(ParamError, match="params/scenarios: no "):
        locate("scenarios", "../economics/cdnow")
