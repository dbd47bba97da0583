"""Exports written by a test, and what reading them gives."""

from __future__ import annotations

import pytest

from cxsim.data.exports.read_shop import read_shop
from cxsim.data.shop import Policy
from tests.data.samples import COLUMNS, write


@pytest.fixture
def shopify(tmp_path):
    """Write rows of a Shopify orders export and read them."""

    def read(rows, *, columns=COLUMNS, policy=None, name="orders.csv", **asked):
        return read_shop(write(tmp_path / name, rows, columns), policy=policy or Policy(), **asked)

    return read


@pytest.fixture
def text_file(tmp_path):
    """Write a text as a file and return its path."""

    def put(text: str, name: str = "file.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding, newline="")
        return path

    return put
