"""Settings for all tests: hypothesis looks for counterexamples in the same places every time; code is compiled once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# A test that fails once in a hundred runs teaches people to run it again; nor may a busy machine decide a verdict.
settings.register_profile("cxsim", derandomize=True, deadline=None)
settings.load_profile("cxsim")

COMPILING = pytest.StashKey[subprocess.Popen]()
_COMPILE = """
import dataclasses
import cxsim
cxsim.run(dataclasses.replace(cxsim.load_scenario("cdnow-quick"), draws=2))
"""


def pytest_configure(config):
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        # A process for each core: the threads of libraries would only take turns with the other processes.
        os.environ.update(OPENBLAS_NUM_THREADS="1", POLARS_MAX_THREADS="1")
        # While tests are collected: else each process compiles the same functions, half a minute of each.
        config.stash[COMPILING] = subprocess.Popen([sys.executable, "-c", _COMPILE], cwd=config.rootpath)


def pytest_unconfigure(config):
    # Where tests could not even be collected, nobody waited for it.
    if COMPILING in config.stash:
        config.stash[COMPILING].kill()
        config.stash[COMPILING].wait()


class ByRuns(LoadFileScheduling):
    """Shares out files, and as one the folders whose tests look at the same fits and runs, which are then made once."""

    def schedule(self):
        assert self.config.stash[COMPILING].wait() == 0, "cdnow-quick cannot be run"
        super().schedule()

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        folder = path.removeprefix("tests/").partition("/")[0]
        return folder if folder in ("clv", "finance", "study") else path


def pytest_xdist_make_scheduler(config, log):
    return ByRuns(config, log)
