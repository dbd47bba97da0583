"""The twin of a table in; its rows by the values of their keys, out."""

from __future__ import annotations

from collections.abc import Mapping

from cxsim.report.twins import Twin, Value

Row = Mapping[str, Value]


def keyed_rows(twin: Twin | None, keys: tuple[str, ...]) -> dict[tuple[Value, ...], Row]:
    """Return the rows of a table by their keys, in their order."""
    if twin is None or not set(keys) <= set(twin.columns):
        return {}
    found: dict[tuple[Value, ...], Row] = {}
    for values in twin.rows:
        row = dict(zip(twin.columns, values, strict=True))
        found.setdefault(tuple(row[key] for key in keys), row)
    return found
