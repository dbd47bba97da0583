"""A behaviour's file reads again as the same behaviour, and nothing is written over."""

from __future__ import annotations

import shutil

import pytest

from cxsim.errors import ParamError
from cxsim.metrics.calibrate import behaviour_yaml, calibrate, require_new_behaviour, source_yaml, write_behaviour
from cxsim.params import read, root, sources
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.loading import check_params
from cxsim.study.shop_tables import shop_tables
from tests.overview.worlds import LIKE, OTHERWISE, exactly, new_customers

BUNDLED = sorted((root() / "params" / "behaviour").glob("*.yaml"))


@pytest.fixture(scope="module")
def found():
    scenario = new_customers(exactly(**OTHERWISE), per_month=500)
    return calibrate(shop_tables(scenario).shop(scenario, name="Crème & Söhne: shop #1"), like=LIKE, name="mine")


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(root() / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params"


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_behaviour_reads_again_as_it_was(path, tmp_path):
    behaviour = read(path, Behaviour)
    copy = tmp_path / path.name
    copy.write_text(behaviour_yaml(behaviour), encoding="utf-8")
    assert read(copy, Behaviour) == behaviour
    assert behaviour_yaml(read(copy, Behaviour)) == behaviour_yaml(behaviour)


def test_a_calibrated_behaviour_and_its_source_are_written_and_sound(found, project):
    before = (project / "sources.yaml").read_text(encoding="utf-8")
    file, added_to = write_behaviour(found)
    assert (file, added_to) == (project / "behaviour" / "mine.yaml", project / "sources.yaml")
    assert read(file, Behaviour) == found.behaviour
    assert sources()["mine-tables"] == found.source
    # What stood there stands there still, letter by letter.
    assert added_to.read_text(encoding="utf-8") == before + source_yaml(found)
    assert check_params([]) == []
    assert not list(project.rglob("*half-written*"))


def test_the_source_says_what_was_measured_on_whom(found):
    assert source_yaml(found).startswith("mine-tables:\n  authors: 'Crème & Söhne: shop #1'\n  year: 1999\n")
    # 500 a month from July to October, at 0.96, 0.97, 0.99 and 1.02 of the year's mean.
    assert "orders of 1,970 customers" in found.source.measured


def test_a_behaviour_that_is_there_is_not_written_over(found, project):
    (project / "behaviour" / "mine.yaml").write_text("mine", encoding="utf-8")
    before = (project / "sources.yaml").read_bytes()
    with pytest.raises(ParamError, match=r"params/behaviour/mine\.yaml: there is such a behaviour already"):
        write_behaviour(found)
    assert (project / "behaviour" / "mine.yaml").read_text(encoding="utf-8") == "mine"
    assert (project / "sources.yaml").read_bytes() == before


def test_a_source_that_is_there_is_not_written_twice(found, project):
    file, _ = write_behaviour(found)
    file.unlink()
    before = (project / "sources.yaml").read_bytes()
    with pytest.raises(ParamError, match=r"params/sources\.yaml: there is a source 'mine-tables' already"):
        require_new_behaviour("mine")
    assert (project / "sources.yaml").read_bytes() == before


def test_where_the_disk_refuses_nothing_half_written_stays(found, project):
    shutil.rmtree(project / "behaviour")
    (project / "behaviour").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ParamError, match=r"params/behaviour/mine\.yaml: cannot be written"):
        write_behaviour(found)
    assert not list(project.rglob("*half-written*"))
