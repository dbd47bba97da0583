"""Two folders of tables in; the files, rows, columns and entries in which they differ out."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from cxsim.audit.difference import Difference, few, first_difference
from cxsim.audit.grids import grid_differences, grid_of_csv
from cxsim.audit.json_places import json_differences
from cxsim.audit.pages import odd_byte
from cxsim.audit.workbooks import workbook_differences

_RECORD, _DIGESTS = "manifest.json", "files"
_CONTEXT = 20


def folder_differences(said: Path, made: Path, page: str) -> Iterator[Difference]:
    """Yield in what the folder beside a report and the same folder made again differ."""
    mine, others = _files(said), _files(made)
    for name in sorted(mine.keys() | others.keys()):
        where = f"file {said.name}/{name}"
        if name not in others:
            yield Difference(where=f"{where}: made again, there is no such file", said=None, made=None)
        elif name not in mine:
            yield Difference(where=f"{where}: it is missing", said=None, made=None)
        else:
            one, other = mine[name].read_bytes(), others[name].read_bytes()
            if one != other:
                told = {page, *_truly_hashed(one, mine)} if name == _RECORD else set[str]()
                found = _of_record(one, other, where, told) if name == _RECORD else _inside(one, other, where)
                yield from few(found, where)


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _inside(said: bytes, made: bytes, where: str) -> Iterator[Difference]:
    """Yield the places in a file: by its kind where that can be read, else the first byte."""
    found = list(workbook_differences(said, made, where)) if where.endswith(".xlsx") else []
    if found:
        yield from found
        return
    try:
        one, other = said.decode(), made.decode()
        found = list(_by_kind(one, other, where))
    except (ValueError, csv.Error):
        place = first_difference(said, made)
        pieces = (content[max(0, place - _CONTEXT) : place + _CONTEXT].hex(" ") for content in (said, made))
        yield Difference(where=f"byte {place + 1:,} of {where}", said=next(pieces), made=next(pieces))
        return
    yield from found or [odd_byte(one, other, where)]


def _by_kind(said: str, made: str, where: str) -> Iterator[Difference]:
    if where.endswith(".csv"):
        yield from grid_differences(grid_of_csv(said), grid_of_csv(made), where)
    elif where.endswith(".json"):
        yield from json_differences(json.loads(said), json.loads(made), where)
    else:
        for number, (line, again) in enumerate(zip_longest(said.split("\n"), made.split("\n")), start=1):
            if line != again:
                yield Difference(where=f"{where}, line {number}", said=line, made=again)


def _truly_hashed(record: bytes, files: Mapping[str, Path]) -> Iterator[str]:
    """Yield the files whose hashes in `manifest.json` are theirs: where those differ, the files themselves tell why."""
    try:
        digests = json.loads(record)[_DIGESTS].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for name, digest in digests:
        if name in files and hashlib.sha256(files[name].read_bytes()).hexdigest() == digest:
            yield name


def _of_record(said: bytes, made: bytes, where: str, told: Collection[str]) -> Iterator[Difference]:
    """Yield the entries that differ; further ones belong to whoever made the report, such as a sweep."""
    try:
        record, again = json.loads(said), json.loads(made)
        kept = {name: value for name, value in record.items() if name in again}
        digests = kept.get(_DIGESTS)
        if isinstance(digests, dict):
            kept[_DIGESTS] = digests | {name: again[_DIGESTS][name] for name in told if name in again[_DIGESTS]}
    except (ValueError, AttributeError):
        yield from _inside(said, made, where)
        return
    yield from json_differences(kept, again, where)
