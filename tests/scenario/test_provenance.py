"""A table's hash hangs on what it says alone."""

from __future__ import annotations

from datetime import date

import polars as pl

from cxsim.study.provenance import table_hash, versions

TABLE = pl.DataFrame({"name": ["b", "a", None], "amount": [1.5, None, 0.0], "day": [date(2024, 1, 1)] * 3})


def test_the_same_table_has_the_same_hash_however_it_is_stored():
    halves = pl.concat([TABLE.head(1), TABLE.tail(2)], rechunk=False)
    assert table_hash(halves) == table_hash(TABLE)


def test_another_value_name_order_or_gap_has_another_hash():
    others = [
        TABLE.with_columns(amount=pl.Series([1.5, 0.0, 0.0])),
        TABLE.with_columns(amount=pl.Series([1.5, None, 1.0])),
        TABLE.rename({"amount": "value"}),
        TABLE.reverse(),
    ]
    assert len({table_hash(other) for other in [TABLE, *others]}) == 5


def test_versions_are_those_that_are_installed():
    assert versions(["polars"]) == {"polars": pl.__version__}
