"""The wheel carries the library as it stands in the checkout, and nothing that is nowhere else."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from checks.source import ROOT

FOLDERS = ("params", "notebooks")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out], cwd=ROOT, check=True)
    [file] = out.iterdir()
    return file


def test_the_library_is_packed_from_the_folders_of_the_checkout(wheel):
    listed = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(wheel) as packed:
        inside = {
            name.removeprefix("cxsim/library/"): packed.read(name)
            for name in packed.namelist()
            if name.startswith("cxsim/library/")
        }
    assert inside == {name: (ROOT / name).read_bytes() for name in listed.stdout.split()}


def test_the_wheel_is_a_small_download(wheel):
    # Code and library alone, about a megabyte.
    assert wheel.stat().st_size < 3_000_000
