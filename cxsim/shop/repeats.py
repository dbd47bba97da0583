"""What several files add to a table goes in; the same without repeats, every row under a name of its own, comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.copies import hashes, named_by
from cxsim.shop.joining import Part, newest
from cxsim.shop.known import WHEN
from cxsim.shop.own_tables import IDS
from cxsim.shop.receipt import ReceiptLine


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Taken:
    """Names in a file that another system has given to something else."""

    file: str
    column: str
    names: pl.Series
    system: str


def without_repeats(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, each without the rows that a newer file of the same system has too.

    Of a row that stands in several files the one in the file with the newest rows is kept: it was exported last. Every
    system counts from 1, so that one number in the files of two systems stands for two things: the later system, by the
    sequence of files, has its name put before such numbers, in all the tables that come from the file.
    """
    kept = list(parts)
    taken: list[_Taken] = []
    for table in dict.fromkeys(part.table for part in parts if part.table in IDS):
        systems: dict[str, list[int]] = {}
        for place, part in enumerate(kept):
            if part.table == table:
                systems.setdefault(_system(part), []).append(place)
        for places in systems.values():
            if len(places) > 1:
                for place, part in zip(places, _newest_first([kept[one] for one in places]), strict=True):
                    kept[place] = part
        if len(systems) > 1:
            taken += _taken([[kept[place] for place in places] for places in systems.values()])
    return [_told_apart(part, taken) for part in kept]


def _system(part: Part) -> str:
    """Return which system numbered the rows: `Zendesk` for all that Zendesk exports, `shop.yaml` for what it maps."""
    words = part.receipt.recognised.split()
    return words[-1] if words[1:2] == ["by"] else words[0]


def _newest_first(parts: Sequence[Part]) -> list[Part]:
    """Take from each part the rows that a newer one has."""
    moment = {id(part): newest(part) or datetime.min for part in parts}  # noqa: DTZ901 (shops' clocks have no zone)
    ranked = sorted(parts, key=lambda part: (moment[id(part)], part.receipt.file), reverse=True)
    seen = pl.Series(dtype=pl.UInt64)
    kept: dict[int, Part] = {}
    for part in ranked:
        name = IDS[part.table]
        keys = hashes(part.rows, name)
        again = keys.filter(keys.is_in(seen.implode())).unique()
        kept[id(part)] = _less(part, ranked[: len(kept)], again) if again.len() else part
        seen = pl.concat([seen, keys]).unique()
    return [kept[id(part)] for part in parts]


def _less(part: Part, newer: Sequence[Part], keys: pl.Series) -> Part:
    """Take the rows from a part whose names newer ones have; by the names, because hashes can meet by chance."""
    name = IDS[part.table]
    both = _found_elsewhere(part, newer, keys)[name]
    line = ReceiptLine(reason="also in a newer file", action="merged", rows=both.len())
    return part.without(part.rows.filter(~pl.col(name).is_in(both.implode())), line)


def _found_elsewhere(part: Part, others: Sequence[Part], keys: pl.Series) -> pl.DataFrame:
    """Return the names of a part that others have, with its moments and whether others have them at the same one."""
    name, when = IDS[part.table], WHEN[part.table]
    theirs = pl.concat([other.rows.filter(named_by(name, keys)).select(name, when) for other in others])
    mine = part.rows.filter(named_by(name, keys)).select(name, when)
    found = mine.join(theirs.select(name).unique(), on=name, how="semi").join(
        theirs.unique().with_columns(same=True), on=[name, when], how="left", maintain_order="left"
    )
    return found.with_columns(pl.col("same").fill_null(value=False)).collect(engine="streaming")


def _taken(systems: Sequence[Sequence[Part]]) -> list[_Taken]:
    """Return the names that an earlier system has too."""
    found = []
    earlier: list[Part] = []
    seen = pl.Series(dtype=pl.UInt64)
    for alike in systems:
        new = [hashes(part.rows, IDS[part.table]) for part in alike]
        for part, keys in zip(alike, new, strict=True):
            again = keys.filter(keys.is_in(seen.implode())).unique()
            common = _found_elsewhere(part, earlier, again) if again.len() else pl.DataFrame()
            if common.height:
                _refuse_the_same(part, earlier, common)
                name = IDS[part.table]
                found.append(
                    _Taken(file=part.receipt.file, column=name, names=common[name].sort(), system=_system(part))
                )
        seen = pl.concat([seen, *new]).unique()
        earlier += alike
    return found


def _refuse_the_same(part: Part, earlier: Sequence[Part], common: pl.DataFrame) -> None:
    same = int(common["same"].sum())
    if 2 * same > common.height:
        files = ", ".join(other.receipt.file for other in earlier)
        raise DataError(
            f"{part.receipt.file}: {same:,} of its {part.table} have the number and the moment of one in {files}, of "
            "another system: the same seems to be exported twice; keep one of the files."
        )


def _told_apart(part: Part, taken: Sequence[_Taken]) -> Part:
    """Put the name of the system before the numbers that another one has."""
    for one in taken:
        if one.file != part.receipt.file or one.column not in part.rows.collect_schema():
            continue
        number = pl.col(one.column)
        apart = pl.when(number.is_in(one.names.implode())).then(pl.format("{} {}", pl.lit(one.system), number))
        part = replace(part, rows=part.rows.with_columns(apart.otherwise(number).alias(one.column)))
        if one.column == IDS[part.table]:
            reason = f"its number is that of another system's too: told apart as in '{one.system} {one.names[0]}'"
            line = ReceiptLine(reason=reason, action="kept", rows=one.names.len())
            part = replace(part, receipt=replace(part.receipt, lines=(*part.receipt.lines, line)))
    return part
