"""Twins of tables in, the text that a page carries of them out, and back.

So a page that was mailed without its folder can still be compared.
The text is JSON: columns are lists, and a column of texts is a list of places in one list of all texts, because ids,
titles and descriptions stand in several tables and in many rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cxsim.errors import ReportError
from cxsim.report.twins import Twin, Value

# What a comparison of two reports reads, in the order in which it would be missed.
_FIRST = (
    "returns",
    "decision",
    "portfolio",
    "register",
    "assumptions",
    "information",
    "break-evens",
    "break-even",
    "totals",
    "statement",
)
_MOST_VALUES = 1_500
_MOST_BYTES = 60_000


def embedded(twins: Sequence[Twin]) -> str:
    """Return the tables of a page as JSON that may stand inside a script element, of at most 60 kB."""
    rank = {name: number for number, name in enumerate(_FIRST)}
    wanted = [twin for twin in twins if twin.id in rank or _size(twin) <= _MOST_VALUES]
    text, chosen = "", list[Twin]()
    for twin in sorted(wanted, key=lambda twin: (rank.get(twin.id, len(rank)), _size(twin), twin.id)):
        longer = _text([*chosen, twin])
        if len(longer.encode()) <= _MOST_BYTES:
            text, chosen = longer, [*chosen, twin]
    return text


def tables_in(text: str) -> dict[str, Twin]:
    """Return the tables that a page carries, by their ids."""
    try:
        content = json.loads(text)
        tables, texts = content["tables"], content["texts"]
        return {name: _twin(name, table, texts) for name, table in tables.items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ReportError("the tables inside the page are not what `cxsim report` writes.") from error


def _size(twin: Twin) -> int:
    return len(twin.columns) * len(twin.rows)


def _text(twins: Sequence[Twin]) -> str:
    places: dict[str, int] = {}
    tables = {twin.id: _table(twin, places) for twin in twins}
    content = {"tables": tables, "texts": list(places)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _table(twin: Twin, places: dict[str, int]) -> dict[str, object]:
    columns = list(zip(*twin.rows, strict=True)) if twin.rows else [()] * len(twin.columns)
    return {
        "columns": list(twin.columns),
        "title": twin.title,
        "values": [_column(values, places) for values in columns],
    }


def _column(values: Sequence[Value], places: dict[str, int]) -> object:
    texts = [value for value in values if isinstance(value, str)]
    if not texts or any(not isinstance(value, str) and value is not None for value in values):
        return list(values)
    return {"texts": [places.setdefault(value, len(places)) if isinstance(value, str) else None for value in values]}


def _twin(name: str, table: Mapping[str, object], texts: Sequence[str]) -> Twin:
    columns, values = table["columns"], table["values"]
    if not isinstance(columns, list) or not isinstance(values, list) or len(columns) != len(values):
        raise ReportError(f"table {name} inside the page has not one list of values for each column.")
    read = [
        [None if place is None else texts[place] for place in column["texts"]] if isinstance(column, dict) else column
        for column in values
    ]
    return Twin(id=name, title=str(table["title"]), columns=tuple(columns), rows=tuple(zip(*read, strict=True)))
