"""An export and the names that a format gives its columns go in; the export under these names comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cxsim.shop.format import Export


def headed(export: Export, columns: Sequence[str], also: Mapping[str, str] | None = None) -> Export:
    """Return an export whose columns are spelt as the format spells them; others keep their names."""
    spelt = {folded(other): name for other, name in (also or {}).items()} | {folded(name): name for name in columns}
    names = export.rows.collect_schema().names()
    wanted: dict[str, str] = {}
    for name in names:
        ours = spelt.get(folded(name))
        if ours is not None and ours not in wanted.values():
            wanted[name] = ours
    # A column that already has the name of another's new one gives way.
    kept = [name for name in names if name in wanted or name not in wanted.values()]
    return Export(file=export.file, rows=export.rows.select(kept).rename(wanted))


def found(export: Export, columns: Sequence[str]) -> tuple[int, int]:
    """Return how many of a format's columns a headed export has, and how many there are."""
    names = set(export.rows.collect_schema().names())
    return sum(name in names for name in columns), len(columns)


def folded(name: str) -> str:
    """Return the name of a column without regard to case and outer blanks.

    >>> folded(" Created At ")
    'created at'
    """
    return name.strip().lstrip("\ufeff").casefold()


def names_in(header: str) -> tuple[str, ...]:
    """Return the names of a header that is written as one text, separated by bars.

    >>> names_in("Name|Paid at")
    ('Name', 'Paid at')
    """
    return tuple(header.split("|"))
