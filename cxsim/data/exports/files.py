"""A path goes in: a file, a folder or a zip archive; the exports in it, opened and nothing guessed, come out."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from cxsim.data.exports.formats import Export
from cxsim.data.orders import refuse_start, scanned, schema_of, unreadable
from cxsim.errors import DataError

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".zip")
# More than this is not unpacked: a shop of that size has its files unpacked by someone who looks at them.
LARGEST_ARCHIVE = 4_000_000_000

_SEPARATORS = (",", ";", "\t")
# What begins so was put there by a system or an office program.
_NOT_OF_USERS = (".", "~$")
_HEADER_BYTES = 1_000_000
# What other files begin with, whatever their names end with.
_NO_TEXT = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "an archive or a workbook",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\x1f\x8b": "compressed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What lies at a path: its tables, by name of the file; and the names of what is no table, each with the reason."""

    exports: tuple[Export, ...]
    others: tuple[tuple[str, str], ...] = ()


_Found = Export | tuple[str, str]


def open_exports(path: Path, *, separator: str = "") -> Opened:
    """Open a file, all files of a folder (not of folders in it), or all of a zip archive; "" to find the separator."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    if not path.is_dir() and path.suffix.lower() not in ENDINGS:
        raise DataError(
            f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(ENDINGS)}, or a folder."
        )
    found = list(_in_folder(path) if path.is_dir() else _in_file(path, separator))
    return Opened(
        exports=tuple(one for one in found if isinstance(one, Export)),
        others=tuple(one for one in found if not isinstance(one, Export)),
    )


def _in_folder(folder: Path) -> Iterator[_Found]:
    for place in sorted(folder.iterdir()):
        if place.name.startswith(_NOT_OF_USERS):
            continue
        if place.is_dir():
            yield place.name, "a folder, not looked into"
        elif place.suffix.lower() not in ENDINGS:
            yield place.name, f"file ending '{place.suffix}' is not that of a table"
        else:
            yield from _in_file(place, "")


def _in_file(path: Path, separator: str) -> Iterator[_Found]:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    refuse_start(start, path.name)
    ending = path.suffix.lower()
    if ending == ".zip":
        yield from _in_archive(path)
        return
    mark = "," if ending == ".parquet" else separator or _separator(start, path.name)
    rows = scanned(path, mark)
    schema_of(rows, path.name)
    if ending != ".parquet":
        _refuse_wide_rows(rows, path, mark, path.name)
    yield Export(file=path.name, rows=rows)


def _in_archive(path: Path) -> Iterator[_Found]:
    """Read the tables of an archive into memory; nothing is unpacked onto the disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_unsafe(members, path.name)
            for member in members:
                name = PurePosixPath(member.filename).name
                if name.startswith(_NOT_OF_USERS) or member.filename.startswith("__MACOSX/"):
                    continue
                if not name.lower().endswith(TEXT_ENDINGS):
                    yield f"{path.name}/{name}", "not a text table"
                    continue
                # Not more than the archive announced, whatever is packed there.
                with archive.open(member) as file:
                    content = file.read(member.file_size)
                refuse_start(content, name)
                mark = _separator(content[:_HEADER_BYTES], name)
                rows = pl.scan_csv(content, infer_schema=False, separator=mark, raise_if_empty=False)
                schema_of(rows, name)
                _refuse_wide_rows(rows, content, mark, name)
                yield Export(file=name, rows=rows)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path.name}: the archive cannot be read ({str(error).rstrip('.')}).") from error


def _refuse_unsafe(members: list[zipfile.ZipInfo], archive: str) -> None:
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in member.filename:
            raise DataError(f"{archive}: the archive names a place outside of itself, {member.filename!r}; unpack it.")
        if member.flag_bits & 1:
            raise DataError(f"{archive}: {member.filename} is encrypted; unpack it with its password.")
    size = sum(member.file_size for member in members)
    if size > LARGEST_ARCHIVE:
        raise DataError(
            f"{archive}: unpacked it would hold {size:,} bytes, more than the {LARGEST_ARCHIVE:,} that are read from "
            "an archive; unpack it into a folder and read that."
        )


def _separator(start: bytes, name: str) -> str:
    """Return what separates most names in the header line."""
    for mark, kind in _NO_TEXT.items():
        if start.startswith(mark):
            raise DataError(
                f"{name}: by its first bytes it is {kind}, not a text table; export the table itself as CSV."
            )
    line = start.decode("utf-8-sig", errors="replace").splitlines()[:1]
    return max(_SEPARATORS, key=lambda mark: len(next(csv.reader(line, delimiter=mark), [])))


def _refuse_wide_rows(rows: pl.LazyFrame, source: Path | bytes, separator: str, file: str) -> None:
    """Refuse a text table of which a row is wider than the header.

    Polars counts the cells of a row only where it reads all of them: whoever selects columns gets those of a shifted
    row as if nothing had happened. A row with too few cells looks like one that ends with blanks.
    """
    try:
        rows.select(pl.all().count()).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        if "more fields" not in str(error):
            raise unreadable(file, error) from error
        content = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace", newline="") as lines:
            reader = csv.reader(lines, delimiter=separator)
            names = len(next(reader, []))
            wide = next((len(row) for row in reader if len(row) > names), 0)
        place = f"line {reader.line_num:,} has {wide} cells and the header {names} names"
        if not wide:
            place = "a row has more cells than the header has names"
        raise DataError(
            f"{file}: {place}, so that its columns are shifted, as by a comma without quotes; export the file again "
            "and do not save it with a spreadsheet."
        ) from error
