"""Fixtures of all tests, the examples in docstrings among them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cxsim.library import PROJECT


@pytest.fixture(autouse=True)
def _own_folder() -> Iterator[None]:
    """Let no test work in the project that another one made."""
    os.environ.pop(PROJECT, None)
    yield
    os.environ.pop(PROJECT, None)
