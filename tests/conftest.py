"""Settings for all tests: hypothesis looks for counterexamples in the same places every time; code is compiled once."""

from __future__ import annotations

import dataclasses

from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

import cxsim

# A test that fails once in a hundred runs teaches people to run it again; nor may a busy machine decide a verdict.
settings.register_profile("cxsim", derandomize=True, deadline=None)
settings.load_profile("cxsim")


def pytest_configure(config):
    # Before the tests are shared out: else each process compiles the same functions, half a minute of each.
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        cxsim.run(dataclasses.replace(cxsim.load_scenario("cdnow-quick"), draws=2))


class ByRuns(LoadFileScheduling):
    """Shares out files, and as one the folders whose tests look at the same fits and runs, which are then made once."""

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        folder = path.removeprefix("tests/").partition("/")[0]
        return folder if folder in ("clv", "finance", "study") else path


def pytest_xdist_make_scheduler(config, log):
    return ByRuns(config, log)
