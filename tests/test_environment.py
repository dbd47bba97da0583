"""pyproject.toml, environment.yml and constraints.txt say the same about packages."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from checks.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
RUNTIME = PROJECT["project"]["dependencies"]
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


def _pins():
    lines = [line for line in PINS.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lines)}


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
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"(3, {low}) <= sys.version_info < (3, {high})" in makefile


@pytest.mark.parametrize("requirement", RUNTIME + DEV)
def test_every_package_is_pinned_inside_its_range(requirement):
    wanted = Requirement(requirement)
    assert _pins()[canonicalize_name(wanted.name)] in wanted.specifier


def test_constraints_name_no_place_to_download_from():
    assert not re.search(r"://| @ |^-", PINS, flags=re.MULTILINE)
