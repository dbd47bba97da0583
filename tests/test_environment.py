"""The files that say what cxsim needs, is checked by and is called say the same."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from checks import resolve
from checks.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
RUNTIME = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]["databases"]
DEV = PROJECT["dependency-groups"]["dev"]
# Where conda has another name for a package than pip.
PIP_NAMES = {"python-duckdb": "duckdb"}


def _ranges(requirements):
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, requirements)}


def _conda_ranges():
    # conda writes a space before the range, which Requirement reads as well.
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    ranges = _ranges(plain)
    # conda's own: the interpreter is compared on its own, and pip is there for the last line.
    return {PIP_NAMES.get(name, name): ranges[name] for name in ranges if name not in {"python", "pip"}}


def _text(*parts):
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def test_conda_and_pip_install_the_same_packages_in_the_same_ranges():
    assert _conda_ranges() == _ranges(RUNTIME + DEV)


def test_conda_and_pip_allow_the_same_pythons():
    pythons = [entry for entry in CONDA["dependencies"] if isinstance(entry, str) and entry.startswith("python ")]
    assert [Requirement(entry).specifier for entry in pythons] == [SpecifierSet(PROJECT["project"]["requires-python"])]


def test_conda_is_asked_for_great_tables_by_its_conda_name():
    # conda does not treat - and _ alike, so the name that pip normalises away matters here.
    assert any(isinstance(entry, str) and entry.startswith("great_tables ") for entry in CONDA["dependencies"])


def test_the_makefile_looks_for_the_pythons_that_the_project_allows():
    low, high = re.findall(r"3\.(\d+)", PROJECT["project"]["requires-python"])
    makefile = _text("Makefile")
    assert f"(3, {low}) <= sys.version_info < (3, {high})" in makefile
    newest_first = " ".join(f"python{python}" for python in reversed(resolve.pythons()))
    assert f"PYTHONS := {newest_first}\n" in makefile
    assert f"needs Python 3.{low} to 3.{int(high) - 1} with" in makefile


def test_what_people_and_indexes_read_names_the_pythons_that_the_project_allows():
    first, *_, last = resolve.pythons()
    assert f"with Python {first} to {last}, make" in " ".join(_text("README.md").split())
    named = "Programming Language :: Python :: "
    assert PROJECT["project"]["classifiers"] == [named + python for python in resolve.pythons()]


@pytest.mark.parametrize("python", resolve.pythons())
def test_every_package_is_pinned_once_inside_its_range_on_each_python(python):
    pins = resolve.pins(python)  # refuses a package with two pins
    for wanted in map(Requirement, RUNTIME + EXTRAS + DEV):
        [pin] = pins[canonicalize_name(wanted.name)].specifier
        assert pin.operator == "=="
        assert pin.version in wanted.specifier, wanted


def test_constraints_name_no_place_to_download_from():
    assert not re.search(r"://| @ |^-", PINS, flags=re.MULTILINE)


def test_hooks_before_a_commit_are_the_commands_of_make_check():
    check = _text("Makefile").partition("\ncheck:")[2].partition("\n\n")[0]
    # What follows 2> only keeps a command quiet that has no option for it.
    commands = dict(re.findall(r"@echo '(\w+)';.*?\$\(bin\)/(.*?)(?: 2>.*)?$", check, flags=re.MULTILINE))
    [local] = yaml.safe_load(_text(".pre-commit-config.yaml"))["repos"]
    assert {hook["id"]: hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]} == commands
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in local["hooks"])


def test_the_hosted_pipeline_runs_what_is_asked_for_here_on_each_python_that_the_project_allows():
    [job] = yaml.safe_load(_text(".github", "workflows", "ci.yml"))["jobs"].values()
    assert job["strategy"]["matrix"] == {"python": resolve.pythons()}
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert job["steps"][-1]["with"]["path"] == "reports/"


def test_the_citation_names_this_version():
    citation = yaml.safe_load(_text("CITATION.cff"))
    said = [citation[key] for key in ("title", "version", "abstract", "license", "keywords")]
    assert said == [PROJECT["project"][key] for key in ("name", "version", "description", "license", "keywords")]
    assert [author["name"] for author in citation["authors"]] == [one["name"] for one in PROJECT["project"]["authors"]]
