"""Tables as they were computed in; CSV, JSON and what a page carries of them out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from nbformat import NotebookNode

from cxsim.errors import ReportError
from cxsim.params import sound
from cxsim.reporting.tables import TABLE
from cxsim.wording import in_csv, in_script

Value = str | int | float | bool | None

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SEPARATOR = re.compile(r'[",\r\n]')
# What a comparison of two reports reads, in the order in which it would be missed.
_FIRST_CARRIED = (
    *("returns", "decision", "portfolio", "register", "assumptions"),
    *("information", "break-evens", "break-even", "totals", "statement"),
)
_RANKS = {name: rank for rank, name in enumerate(_FIRST_CARRIED)}
_MOST_VALUES, _MOST_BYTES = 1_500, 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The values of a table as they were computed."""

    id: str  # also the name of its file
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]  # None where a value is missing

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id {self.id!r}: possible are up to 64 of a-z, 0-9, - and _")
        if not self.columns or {len(row) for row in self.rows} - {len(self.columns)}:
            raise ValueError(f"{self.id}: it must have columns, and each row a value for each of them")

    def records(self) -> list[dict[str, Value]]:
        """Return the rows as mappings of columns to values."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def by_column(self) -> dict[str, list[Value]]:
        """Return the values of each column."""
        return {name: [row[place] for row in self.rows] for place, name in enumerate(self.columns)}


Twins = Sequence[Twin]


def harvest(notebook: NotebookNode) -> tuple[Twin, ...]:
    """Return the twins of all tables in a notebook, in the order of their first appearance."""
    found: dict[str, Twin] = {}
    for twin in map(twin_of, outputs_of(notebook)):
        if twin is not None and found.setdefault(twin.id, twin) != twin:
            raise ReportError(f"table {twin.id}: two different tables carry this id; an id names one table.")
    return tuple(found.values())


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of all cells of a notebook."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def twin_of(output: NotebookNode) -> Twin | None:
    """Return the twin that an output carries, if it carries one."""
    content = output.get("data", {}).get(TABLE)
    return None if content is None else twin_from(content)


def twin_from(content: object) -> Twin:
    """Return the twin that an output of kind TABLE holds."""
    return sound(Twin, content, "a table of an output")


def csv_text(twin: Twin) -> str:
    """Return a twin as CSV: numbers to their last digit, a missing value as an empty field."""
    lines = [twin.columns, *twin.rows]
    return "".join(",".join(map(_field, line)) + "\n" for line in lines)


def tables_json(twins: Twins) -> str:
    """Return all twins as one JSON text, column by column."""
    lines = [
        json_text(
            {
                "id": twin.id,
                "title": twin.title,
                "rows": len(twin.rows),
                "columns": [{"name": name, "values": values} for name, values in twin.by_column().items()],
            }
        )
        for twin in sorted(twins, key=lambda twin: twin.id)
    ]
    return '{"tables":[\n' + ",\n".join(lines) + "\n]}\n"


def tables_in_json(text: str) -> dict[str, Twin]:
    """Return the twins that `tables_json` has written, by their ids."""
    return {
        one["id"]: _from_columns(one["id"], one["title"], {part["name"]: part["values"] for part in one["columns"]})
        for one in json.loads(text)["tables"]
    }


def embedded(twins: Twins) -> str:
    """Return the tables of a page as JSON that may stand inside a script element, of at most 60 kB."""

    def rank(twin: Twin) -> tuple[int, int, str]:
        return _RANKS.get(twin.id, len(_RANKS)), len(twin.columns) * len(twin.rows), twin.id

    text, chosen = "", list[Twin]()
    for twin in sorted(twins, key=rank):
        if twin.id in _RANKS or rank(twin)[1] <= _MOST_VALUES:
            longer = _carried([*chosen, twin])
            if len(longer.encode()) <= _MOST_BYTES:
                text, chosen = longer, [*chosen, twin]
    return text


def tables_in(text: str) -> dict[str, Twin]:
    """Return the tables that a page carries, by their ids."""
    try:
        content = json.loads(text)
        texts = content["texts"]
        return {name: _read_carried(name, table, texts) for name, table in content["tables"].items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ReportError("the tables inside the page are not what `cxsim report` writes.") from error


def json_text(content: object, indent: int | None = None) -> str:
    """Return content as JSON with sorted keys."""
    signs = (",", ":" if indent is None else ": ")
    try:
        return json.dumps(content, sort_keys=True, indent=indent, separators=signs, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ReportError(f"this cannot be written as JSON: {error}.") from error


def digest(content: str | bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _from_columns(name: str, title: str, columns: Mapping[str, Sequence[Value]]) -> Twin:
    return Twin(id=name, title=title, columns=tuple(columns), rows=tuple(zip(*columns.values(), strict=True)))


def _field(value: Value) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    field = in_csv(value)
    # The csv module lets a lone carriage return through.
    return '"' + field.replace('"', '""') + '"' if _SEPARATOR.search(field) else field


def _carried(twins: Twins) -> str:
    """Return tables as JSON in which a column of texts holds their places in one list of all texts."""
    places: dict[str, int] = {}

    def column(values: list[Value]) -> object:
        if {type(value) for value in values} - {NoneType} != {str}:
            return values
        return {"texts": [None if value is None else places.setdefault(str(value), len(places)) for value in values]}

    tables = {
        twin.id: {
            "columns": twin.columns,
            "title": twin.title,
            "values": [column(values) for values in twin.by_column().values()],
        }
        for twin in twins
    }
    return in_script(json_text({"tables": tables, "texts": list(places)}))


def _read_carried(name: str, table: Mapping[str, Any], texts: Sequence[str]) -> Twin:
    values = [
        [None if place is None else texts[place] for place in column["texts"]] if isinstance(column, dict) else column
        for column in table["values"]
    ]
    return _from_columns(name, table["title"], dict(zip(table["columns"], values, strict=True)))
