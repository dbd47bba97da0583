"""Which file counts, where a project may lie, and that nothing half-written stays behind."""

from __future__ import annotations

import os

import pytest

from checks.source import ROOT
from cxsim.errors import ParamError
from cxsim.library import PROJECT, root
from cxsim.params import content_of
from cxsim.study.project import ANSWERS, scenario, where, working_in, write_project

ECONOMICS = (ROOT / "params" / "economics" / "cdnow.yaml").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_a_file_of_the_library_counts_where_a_project_has_none():
    [found] = where("faster-delivery")
    assert found["kind"] == "strategies"
    assert found["file"] == str(ROOT / "params" / "strategies" / "faster-delivery.yaml")
    assert (found["from"], found["instead_of"]) == ("library", "")


def test_a_file_of_the_project_counts_instead_of_that_of_the_library(project):
    own = project / "params" / "economics" / "cdnow.yaml"
    own.parent.mkdir()
    own.write_text(ECONOMICS, encoding="utf-8")
    [found] = where("cdnow")
    assert found["file"] == str(own)
    assert (found["from"], found["instead_of"]) == ("project", str(ROOT / "params" / "economics" / "cdnow.yaml"))


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("L18", "entry of levers.yaml", "params/levers.yaml"),
        ("nps", "entry of metrics.yaml", "params/metrics.yaml"),
        ("nastasoiu-2021", "entry of sources.yaml", "params/sources.yaml"),
        ("05-cx-dashboard", "notebook", "notebooks/05-cx-dashboard.ipynb"),
        ("shopify-orders", "formats", "params/formats/shopify-orders.yaml"),
        ("metrics.yaml", "file", "params/metrics.yaml"),
    ],
)
@pytest.mark.usefixtures("project")
def test_entries_notebooks_and_files_have_a_place_too(name, kind, place):
    [found] = where(name)
    assert (found["kind"], found["file"]) == (kind, str(ROOT / place))


def test_an_entry_counts_where_it_stands(project):
    (project / "params" / "sources.yaml").write_text(
        "ours: {authors: Us, year: 2026, title: T, where: here, measured: orders, grade: D}\n", encoding="utf-8"
    )
    assert where("ours")[0]["from"] == "project"
    assert where("nastasoiu-2021")[0]["from"] == "library"


@pytest.mark.usefixtures("project")
def test_a_name_of_several_kinds_is_found_in_each():
    assert [one["kind"] for one in where("online-shop")] == ["economics", "behaviour"]


@pytest.mark.usefixtures("project")
def test_a_name_that_is_nowhere_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match="no file or entry 'faster-deliver' in the project or the library"):
        where("faster-deliver")


def test_a_project_is_left_as_it_was_entered(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    with working_in(project):
        with working_in(other):
            assert root() == other
        assert root() == project
    assert PROJECT not in os.environ


def test_a_scenario_of_the_library_has_a_name_alone():
    assert scenario("cdnow-quick", "draws=3").draws == 3


def test_a_file_counts_as_ones_own_from_the_first_edit_on(project):
    folder, place = project / "mine", "params/economics/mine.yaml"
    assert write_project(folder, {place: ECONOMICS}, {}) == ((place,), ())
    assert write_project(folder, {place: ECONOMICS.replace("0.40", "0.41")}, {}) == ((place,), ())
    (folder / place).write_text(ECONOMICS + "# ours\n", encoding="utf-8")
    assert write_project(folder, {place: ECONOMICS}, {}) == ((), (place,))


def test_whoever_is_stopped_between_two_files_can_start_again(project, monkeypatch):
    folder = project / "mine"
    files = {f"params/economics/{name}.yaml": ECONOMICS for name in ("one", "two")}
    write_project(folder, files, {})
    newer = {name: text.replace("0.40", "0.41") for name, text in files.items()}

    class Stop(BaseException):
        """Whoever pulls the plug."""

    replace = type(folder).replace

    def stopped(self, target):
        if target.name == "two.yaml" and target.is_relative_to(folder):
            raise Stop
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(type(folder), "replace", stopped)
        with pytest.raises(Stop):
            write_project(folder, newer, {})
    assert sorted(path.name for path in project.iterdir()) == ["mine", "params"]
    assert sorted(path.name for path in (folder / "params" / "economics").iterdir()) == ["one.yaml", "two.yaml"]
    assert write_project(folder, newer, {}) == (tuple(files), ())


def test_the_record_says_which_files_were_written(project):
    write_project(project / "mine", {"params/economics/ours.yaml": ECONOMICS}, {"answers": {}})
    record = content_of((project / "mine" / ANSWERS).read_text(encoding="utf-8"))
    assert list(record["files"]) == ["params/economics/ours.yaml"]


def test_an_unreadable_record_is_named(project):
    (project / "mine").mkdir()
    (project / "mine" / ANSWERS).write_text("answers: [", encoding="utf-8")
    with pytest.raises(ParamError, match=r"answers\.yaml: cannot be read"):
        write_project(project / "mine", {}, {})
