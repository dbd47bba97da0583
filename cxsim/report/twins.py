"""An executed notebook goes in, the machine-readable twin of every table comes out, to be stored as CSV or JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from cxsim.errors import ReportError
from cxsim.mimes import TABLE

Value = str | int | float | bool | None

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# A spreadsheet runs a cell as a formula that begins with one of = + - @, in any width, or with a blank that it skips
# (OWASP, "CSV Injection"). A text can begin a cell of its own where a program cuts at semicolons, tabs or line ends.
_FORMULA = re.compile(
    r"^(?=[\t\r\n])|(^|[;\t\r\n])"
    r"(?=[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])"
)
_SEPARATOR = re.compile(r'[",\r\n]')


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The values of a table as they were computed.

    Attributes
    ----------
    id
        Name of the table, and of its file; lower-case letters, digits, - and _.
    title
        What a reader calls the table.
    columns
        Names of the columns, at least one.
    rows
        For each row one value per column; None where a value is missing.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ReportError(f"table id {self.id!r}: possible are up to 64 of a-z, 0-9, - and _.")
        if not self.columns:
            raise ReportError(f"table {self.id}: it has no column.")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ReportError(
                    f"table {self.id}: row {number} has {len(row)} values for {len(self.columns)} columns."
                )
            for column, value in zip(self.columns, row, strict=True):
                _require_plain(self.id, number, column, value)


def harvest(notebook: NotebookNode) -> tuple[Twin, ...]:
    """Return the twins of all tables in a notebook, in the order of their first appearance."""
    found: dict[str, Twin] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            twin = twin_of(output)
            if twin is None:
                continue
            if found.setdefault(twin.id, twin) != twin:
                raise ReportError(f"table {twin.id}: two different tables carry this id; an id names one table.")
    return tuple(found.values())


def twin_of(output: NotebookNode) -> Twin | None:
    """Return the twin that an output carries, if it carries one."""
    content = output.get("data", {}).get(TABLE)
    if content is None:
        return None
    if not isinstance(content, Mapping) or set(content) != {"id", "title", "columns", "rows"}:
        raise ReportError("a table's twin must have exactly the entries id, title, columns and rows.")
    if not all(_is_list(part) for part in (content["columns"], content["rows"], *content["rows"])):
        raise ReportError(f"table {content['id']!r}: columns, rows and each row must be lists.")
    return Twin(
        id=str(content["id"]),
        title=str(content["title"]),
        columns=tuple(str(column) for column in content["columns"]),
        rows=tuple(tuple(row) for row in content["rows"]),
    )


def csv_text(twin: Twin) -> str:
    r"""Return a twin as CSV: numbers to their last digit, a missing value as an empty field."""
    lines = [twin.columns, *twin.rows]
    return "".join(",".join(_quoted(_field(value)) for value in line) + "\n" for line in lines)


def tables_json(twins: Sequence[Twin]) -> str:
    """Return all twins as one JSON text, column by column."""
    lines = [
        json.dumps(_by_column(twin), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        for twin in sorted(twins, key=lambda twin: twin.id)
    ]
    return '{"tables":[\n' + ",\n".join(lines) + "\n]}\n"


def _by_column(twin: Twin) -> dict[str, object]:
    columns = [{"name": name, "values": [row[place] for row in twin.rows]} for place, name in enumerate(twin.columns)]
    return {"id": twin.id, "title": twin.title, "rows": len(twin.rows), "columns": columns}


def _quoted(field: str) -> str:
    """Quote a field that holds a separator; the csv module lets a lone carriage return through."""
    return '"' + field.replace('"', '""') + '"' if _SEPARATOR.search(field) else field


def _field(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _FORMULA.sub(r"\g<0>'", value)
    return repr(value)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _require_plain(table: str, number: int, column: str, value: object) -> None:
    if value is not None and not isinstance(value, (str, int, float, bool)):
        kind = type(value).__name__
        raise ReportError(
            f"table {table}: row {number}, {column} is a {kind}; possible: text, number, true/false, none."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ReportError(f"table {table}: row {number}, {column} is {value}; a missing value is none.")
