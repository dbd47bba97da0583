"""Settings for all tests: hypothesis looks for counterexamples in the same places every time."""

from __future__ import annotations

from hypothesis import settings

# A test that fails once in a hundred runs teaches people to run it again; nor may a busy machine decide a verdict.
settings.register_profile("cxsim", derandomize=True, deadline=None)
settings.load_profile("cxsim")
