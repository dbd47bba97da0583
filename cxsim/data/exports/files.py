"""A path goes in: a file, a folder or a zip archive; the exports in it, opened and nothing guessed, come out."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from cxsim.data.exports.formats import Export
from cxsim.data.orders import schema_of, unreadable
from cxsim.errors import DataError

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".zip")
# More than this is not unpacked: a shop of that size has its files unpacked by someone who looks at them.
LARGEST_ARCHIVE = 4_000_000_000

_SEPARATORS = (",", ";", "\t")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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


def open_exports(path: Path, *, separator: str = "") -> Opened:
    """Open a file, all files of a folder (not of folders in it), or all of a zip archive; "" to find the separator."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    if path.is_dir():
        return _in_folder(path)
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(ENDINGS)}, or a folder."
        )
    return _in_file(path, separator)


def _in_folder(folder: Path) -> Opened:
    exports: list[Export] = []
    others: list[tuple[str, str]] = []
    for place in sorted(folder.iterdir()):
        # What begins with a dot or ~$ was put there by a system or an office program.
        if place.name.startswith((".", "~$")):
            continue
        if place.is_dir():
            others.append((place.name, "a folder, not looked into"))
        elif place.suffix.lower() not in ENDINGS:
            others.append((place.name, f"file ending '{place.suffix}' is not that of a table"))
        else:
            found = _in_file(place, "")
            exports += found.exports
            others += found.others
    return Opened(exports=tuple(exports), others=tuple(others))


def _in_file(path: Path, separator: str) -> Opened:
    ending = path.suffix.lower()
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty; it must have a header line and rows.")
    if ending == ".zip":
        return _in_archive(path)
    # Resolved, because a lazy table is read later, perhaps from another working directory; `glob` is off, because a
    # bracket in a file's name is part of the name.
    place = path.resolve()
    if ending == ".parquet":
        rows = pl.scan_parquet(place, glob=False)
    else:
        with place.open("rb") as file:
            start = file.read(_HEADER_BYTES)
        rows = _text(place, start, separator, path.name)
    schema_of(rows, path.name)
    return Opened(exports=(Export(file=path.name, rows=rows),))


def _in_archive(path: Path) -> Opened:
    """Read the tables of an archive into memory; nothing is unpacked onto the disk."""
    exports: list[Export] = []
    others: list[tuple[str, str]] = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_unsafe(members, path.name)
            for member in members:
                name = PurePosixPath(member.filename).name
                if name.startswith((".", "~$")) or member.filename.startswith("__MACOSX/"):
                    continue
                if not name.lower().endswith(TEXT_ENDINGS):
                    others.append((f"{path.name}/{name}", "not a text table"))
                    continue
                # Not more than the archive announced, whatever is packed there.
                with archive.open(member) as file:
                    content = file.read(member.file_size + 1)[: member.file_size]
                if not content.strip():
                    raise DataError(f"{name}: the file is empty; it must have a header line and rows.")
                rows = _text(content, content[:_HEADER_BYTES], "", name)
                schema_of(rows, name)
                exports.append(Export(file=name, rows=rows))
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path.name}: the archive cannot be read ({str(error).rstrip('.')}).") from error
    return Opened(exports=tuple(exports), others=tuple(others))


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


def _text(source: Path | bytes, start: bytes, separator: str, name: str) -> pl.LazyFrame:
    mark = separator or _separator(start, name)
    rows = pl.scan_csv(source, infer_schema=False, separator=mark, glob=False, raise_if_empty=False)
    _refuse_wide_rows(rows, source, mark, name)
    return rows


def _separator(start: bytes, name: str) -> str:
    """Return what separates most names in the header line."""
    if start.startswith(_UTF16):
        raise DataError(f"{name}: the file is UTF-16, not UTF-8; save it as UTF-8.")
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
        if isinstance(source, bytes):
            place = _first_wide(io.StringIO(source.decode("utf-8-sig", errors="replace"), newline=""), separator)
        else:
            with source.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                place = _first_wide(lines, separator)
        raise DataError(
            f"{file}: {place}, so that its columns are shifted, as by a comma without quotes; export the file again "
            "and do not save it with a spreadsheet."
        ) from error


def _first_wide(lines: Iterable[str], separator: str) -> str:
    reader = csv.reader(lines, delimiter=separator)
    names = len(next(reader, []))
    for row in reader:
        if len(row) > names:
            return f"line {reader.line_num:,} has {len(row)} cells and the header {names} names"
    return "a row has more cells than the header has names"
