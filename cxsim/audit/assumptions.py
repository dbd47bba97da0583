"""The tables of two reports in; the assumptions that were added, removed and changed, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cxsim.audit.rows import Row, keyed_rows
from cxsim.report.twins import Twin, Value

# The register is the longer one: it knows owners as well. Only what both reports carry can be compared.
_TABLES = ("register", "assumptions")
FIELDS = ("value", "low", "high", "unit", "distribution", "evidence", "grade", "source", "owner", "reviewed_on")

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssumptionMove:
    """One field of an assumption that is not the same in two reports.

    Attributes
    ----------
    how
        `added`: only the second has the assumption; `removed`: only the first; `changed`: both.
    id, belongs_to, description, unit
        Of the assumption.
    field
        What changed, such as `value`, `low`, `evidence`; `value` of one that was added or removed.
    before, after
        None where there is nothing.
    """

    how: How
    id: str
    belongs_to: str
    description: str
    unit: str
    field: str
    before: Value
    after: Value


def moved_assumptions(before: Mapping[str, Twin], after: Mapping[str, Twin]) -> Iterator[AssumptionMove]:
    """Yield the assumptions that are not the same: changed ones in their order, then removed, then added ones."""
    name = next((name for name in _TABLES if name in before and name in after), None)
    if name is None:
        return
    old, new = keyed_rows(before[name], ("id",)), keyed_rows(after[name], ("id",))
    for key, row in old.items():
        if key in new:
            for field in FIELDS:
                if field in row and field in new[key] and row[field] != new[key][field]:
                    yield _move("changed", new[key], field, (row[field], new[key][field]))
    for key, row in old.items():
        if key not in new:
            yield _move("removed", row, "value", (row.get("value"), None))
    for key, row in new.items():
        if key not in old:
            yield _move("added", row, "value", (None, row.get("value")))


def _move(how: How, row: Row, field: str, values: tuple[Value, Value]) -> AssumptionMove:
    told = {name: str(row.get(name) or "") for name in ("id", "belongs_to", "description", "unit")}
    return AssumptionMove(how=how, field=field, before=values[0], after=values[1], **told)
