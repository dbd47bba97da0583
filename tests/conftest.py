"""Settings for all tests: hypothesis looks for counterexamples in the same places every time; code is compiled once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import settings

import cxsim

# A test that fails once in a hundred runs teaches people to run it again; nor may a busy machine decide a verdict.
settings.register_profile("cxsim", derandomize=True, deadline=None)
settings.load_profile("cxsim")


def pytest_configure(config):
    # Before the tests are shared out: else each process compiles the same functions, half a minute of each.
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        cxsim.run(dataclasses.replace(cxsim.load_scenario("cdnow-quick"), draws=2))


# Folders whose tests look at the same fits and runs: one process makes these for all. Elsewhere files stay together.
TOGETHER = ("clv", "finance", "study")


def pytest_collection_modifyitems(items):
    tests = Path(__file__).parent
    for item in items:
        folder, *_ = item.path.relative_to(tests).parts if item.path.is_relative_to(tests) else ("",)
        item.add_marker(pytest.mark.xdist_group(folder if folder in TOGETHER else item.path.stem))
