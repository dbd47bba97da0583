"""Two reports in; how far their further tables differ, out, even where only the hashes of these tables are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cxsim.audit.assumptions import FIELDS
from cxsim.audit.finished import Finished
from cxsim.audit.grids import grid_differences, grid_of_twin
from cxsim.audit.rows import keyed_rows
from cxsim.report.twins import Twin, Value

# Told already, row by row.
_TOLD = frozenset({"returns", "decision", "portfolio"})
_ASSUMPTIONS = frozenset({"register", "assumptions"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TableMove:
    """A table that is not the same in two reports.

    Attributes
    ----------
    id, title
        Of the table; the title is empty where neither page carries it.
    what
        In words: how many cells and rows differ, or which report lacks it.
    first
        Place of the first difference; empty where the page does not carry the table.
    """

    id: str
    title: str
    what: str
    first: str


def moved_tables(before: Finished, after: Finished) -> Iterator[TableMove]:
    """Yield the further tables that are not the same, by their ids."""
    hashes, others = _hashes(before), _hashes(after)
    old, new = before.tables or {}, after.tables or {}
    for name in sorted((hashes.keys() | others.keys() | old.keys() | new.keys()) - _carried_by_both(old, new)):
        one, other = old.get(name), new.get(name)
        title = (other or one).title if (other or one) else ""  # type: ignore[union-attr]  # one of them is there
        if name not in others and other is None:
            yield TableMove(id=name, title=title, what="only in the first report", first="")
        elif name not in hashes and one is None:
            yield TableMove(id=name, title=title, what="only in the second report", first="")
        elif one is not None and other is not None:
            pair = _untold(one, other) if name in _ASSUMPTIONS else (one, other)
            yield from _inside(name, *pair)
        elif hashes.get(name) != others.get(name):
            yield TableMove(id=name, title=title, what="it differs; the pages do not both carry it", first="")


def _carried_by_both(old: Mapping[str, Twin], new: Mapping[str, Twin]) -> frozenset[str]:
    return frozenset(name for name in _TOLD if name in old and name in new)


def _untold(one: Twin, other: Twin) -> tuple[Twin, Twin]:
    """Return what two registers say beside the assumptions themselves, such as how much depends on each."""
    ids = [{row["id"] for row in keyed_rows(twin, ("id",)).values()} for twin in (one, other)]
    return _restricted(one, ids[0] & ids[1]), _restricted(other, ids[0] & ids[1])


def _restricted(twin: Twin, ids: set[Value]) -> Twin:
    columns = tuple(column for column in twin.columns if column == "id" or column not in FIELDS)
    found = [row for key, row in keyed_rows(twin, ("id",)).items() if key[0] in ids]
    rows = tuple(tuple(row[column] for column in columns) for row in found)
    return Twin(id=twin.id, title=twin.title, columns=columns, rows=rows)


def _inside(name: str, one: Twin, other: Twin) -> Iterator[TableMove]:
    found = list(grid_differences(grid_of_twin(one), grid_of_twin(other), name))
    if found:
        rows = sum(place.said is None or place.made is None for place in found)
        cells = len(found) - rows
        parts = [f"{cells:,} {'cell' if cells == 1 else 'cells'}"] if cells else []
        parts += [f"{rows:,} {'row' if rows == 1 else 'rows'} only in one of them"] if rows else []
        yield TableMove(id=name, title=other.title, what=", ".join(parts), first=found[0].where)


def _hashes(report: Finished) -> dict[str, str]:
    found = report.provenance.get("tables_sha256")
    entries = found.items() if isinstance(found, Mapping) else ()
    return {str(name).removesuffix(".csv"): str(value) for name, value in entries if str(name).endswith(".csv")}
