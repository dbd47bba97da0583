"""A path or a frame goes in; the exports in it, opened and nothing guessed, come out.

A path leads to a file, a folder or a zip archive; a frame is one of polars, pandas or pyarrow.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import fastexcel
import polars as pl

from cxsim.data.exports.formats import ROW_KEY, Export
from cxsim.data.orders import collected, first_line, refuse_start, repeated, scanned, schema_of, unreadable
from cxsim.errors import DataError

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT_ENDINGS, ".xlsx", ".parquet", ".zip")
# More than this is not unpacked: a shop of that size has its files unpacked by someone who looks at them.
LARGEST_ARCHIVE = 4_000_000_000

FRAME = "the frame"
_SEED = 1
_SEPARATORS = (",", ";", "\t", "|")
# So far down a header is looked for, and so many of its cells may be without a name.
_HEAD_LINES = 20
_NAMELESS = 0.3
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


def open_frame(frame: Any) -> Export | None:
    """Open a frame of polars, pandas or pyarrow; None if it is none."""
    package = type(frame).__module__.partition(".")[0]
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        rows = frame.lazy()
    elif package == "pandas":
        rows = _of_pandas(frame).lazy()
    elif package == "pyarrow":
        rows = pl.DataFrame(frame).lazy()
    else:
        return None
    for name, kind in schema_of(rows, FRAME).items():
        if kind == pl.Object:
            raise DataError(f"{FRAME}: column '{name}' holds Python objects, which cannot be compared; leave it out.")
    return Export(file=FRAME, rows=rows)


def _of_pandas(frame: Any) -> pl.DataFrame:
    """Return a frame of pandas, column by column, so that no other package is needed for it."""
    names = [str(name) for name in frame.columns]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{FRAME}: {len(twice)} names are used for several columns, such as '{twice[0]}'; rename one.")
    return pl.DataFrame([_column(name, frame.iloc[:, place]) for place, name in enumerate(names)])


def _column(name: str, cells: Any) -> pl.Series:
    kind = getattr(cells.dtype, "kind", "O")
    if kind == "M":
        zone = getattr(cells.dtype, "tz", None)
        moments = pl.Series(name, (cells.dt.tz_convert("UTC").dt.tz_localize(None) if zone else cells).to_numpy())
        wide = moments.cast(pl.Datetime("us"))
        return wide.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone)) if zone else wide
    if kind in "iufb" and type(cells.dtype).__module__.startswith("numpy"):
        return pl.Series(name, cells.to_numpy(), nan_to_null=True)
    values = [None if missing else value for value, missing in zip(cells.tolist(), cells.isna().tolist(), strict=True)]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 or kinds - {str, int, float, bool, date}:
        # What is of several kinds is read as it is printed, as it would be in a file.
        values = [None if value is None else str(value) for value in values]
    return pl.Series(name, values, dtype=None if kinds else pl.String)


def _in_folder(folder: Path) -> Iterator[_Found]:
    for place in sorted(folder.iterdir()):
        if place.name.startswith(_NOT_OF_USERS):
            continue
        if place.is_dir():
            yield place.name, "a folder; subfolders are not read"
        elif place.suffix.lower() not in ENDINGS:
            yield place.name, f"file ending '{place.suffix}' is not a table format"
        else:
            yield from _in_file(place, "")


def _in_file(path: Path, separator: str) -> Iterator[_Found]:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    refuse_start(start, path.name)
    ending = path.suffix.lower()
    if ending == ".zip":
        yield from _in_archive(path)
    elif ending == ".xlsx":
        yield from _in_workbook(path)
    elif ending == ".parquet":
        rows = scanned(path, ",")
        schema_of(rows, path.name)
        yield Export(file=path.name, rows=rows)
    else:
        yield _in_text(path, path.name, start, separator)


def _in_text(source: Path | bytes, name: str, start: bytes, separator: str = "") -> Export:
    """Open a text table, from its header on."""
    for signature, kind in _NO_TEXT.items():
        if start.startswith(signature):
            raise DataError(
                f"{name}: by its first bytes it is {kind}, not a text table; export the table itself as CSV."
            )
    lines = start.decode("utf-8-sig", errors="replace").splitlines()
    mark = separator or _separator(lines[: _HEAD_LINES + 1])
    head = _head([next(csv.reader([line], delimiter=mark), []) for line in lines[: _HEAD_LINES + 1]], name)
    if isinstance(source, Path):
        rows = scanned(source, mark, head.before)
    else:
        rows = pl.scan_csv(source, infer_schema=False, separator=mark, skip_lines=head.before, raise_if_empty=False)
    schema_of(rows, name)
    return Export(
        file=name,
        rows=rows,
        twice=head.twice,
        facts=head.facts,
        source=source,
        separator=mark,
        before=head.before,
    )


def _in_workbook(path: Path) -> Iterator[_Found]:
    """Read the sheets of a workbook as text, as if each were a file."""
    try:
        book = fastexcel.read_excel(path)
        sheets = {
            name: book.load_sheet(name, header_row=None, dtypes="string").to_polars() for name in book.sheet_names
        }
    except fastexcel.FastExcelError as error:
        raise DataError(f"{path.name}: the workbook cannot be read ({first_line(error)}).") from error
    for name, sheet in sheets.items():
        place = f"{path.name}/{name}"
        if sheet.is_empty():
            yield place, "an empty sheet"
            continue
        lines = [[cell or "" for cell in row] for row in sheet.head(_HEAD_LINES + 1).iter_rows()]
        head = _head(lines, place)
        names = [cell or f"column {number}" for number, cell in enumerate(lines[head.before], 1)]
        unique = [f"{name}_duplicated_{i}" if name in names[:i] else name for i, name in enumerate(names)]
        rows = sheet.slice(head.before + 1).rename(dict(zip(sheet.columns, unique, strict=True)))
        yield Export(file=place, rows=rows.lazy(), twice=head.twice, facts=head.facts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """Where the header of a table stands: so many lines are before it; and the names that it has twice."""

    before: int
    twice: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def _head(lines: Sequence[Sequence[str]], name: str) -> _Head:
    """Find the header: the first line that is no mark of a spreadsheet, no comment, no title and not empty."""
    widest = max((_filled(cells) for cells in lines), default=0)
    before = 0
    while before < min(len(lines) - 1, _HEAD_LINES) and _before_header(lines[before], widest):
        before += 1
    names = [cell.strip() for cell in lines[before]] if lines else []
    nameless = sum(not one for one in names)
    below = lines[before + 1] if len(lines) > before + 1 else []
    if nameless > _NAMELESS * len(names) and _filled(below) > _filled(names):
        raise DataError(
            f"{name}: its header has {nameless} cells without a name; cells may be merged over several columns "
            f"({', '.join(filter(None, names[:4]))}). Use one header line with a name for each column and export again."
        )
    said = (
        f"{before} {'line' if before == 1 else 'lines'}, such as {' '.join(filter(None, lines[0]))[:60]!r}"
        if before
        else ""
    )
    return _Head(
        before=before,
        twice=tuple(sorted(one for one, count in Counter(names).items() if one and count > 1)),
        facts=(("passed over before the header", said),) if before else (),
    )


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _before_header(cells: Sequence[str], widest: int) -> bool:
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    return not first or first.startswith(("#", "sep=")) or (widest > 2 and _filled(cells) == 1)


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
                yield _in_text(content, name, content[:_HEADER_BYTES])
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path.name}: the archive cannot be read ({str(error).rstrip('.')}).") from error


def _refuse_unsafe(members: list[zipfile.ZipInfo], archive: str) -> None:
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in member.filename:
            raise DataError(f"{archive}: the archive contains a path outside itself, {member.filename!r}; unpack it.")
        if member.flag_bits & 1:
            raise DataError(f"{archive}: {member.filename} is encrypted; unpack it with its password.")
    size = sum(member.file_size for member in members)
    if size > LARGEST_ARCHIVE:
        raise DataError(
            f"{archive}: unpacked it has {size:,} bytes, more than the limit of {LARGEST_ARCHIVE:,} for an archive; "
            "unpack it into a folder and read that."
        )


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that a spreadsheet has written down, or the one by which most lines have equally many."""
    first = lines[0].rstrip("\r\n") if lines else ""
    if first.startswith("sep=") and len(first) == len("sep=,"):
        return first[-1]
    rows = [line for line in lines if line.strip() and not line.startswith("#")][: _HEAD_LINES + 1]

    def agreeing(mark: str) -> tuple[int, int]:
        counts = Counter(len(row) for row in csv.reader(rows, delimiter=mark))
        cells, number = max(counts.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        return (number, cells) if cells > 1 else (0, 0)

    return max(_SEPARATORS, key=agreeing)


def refuse_wide_rows(export: Export) -> None:
    """Refuse a text table of which a row is wider than the header.

    Polars counts the cells of a row only where it reads all of them: whoever selects columns gets those of a shifted
    row as if nothing had happened. A row with too few cells looks like one that ends with blanks.
    """
    if export.source is not None:
        all_of(export, export.rows.select(pl.all().count()))


def later_copies(export: Export) -> pl.Series:
    """Return the places of rows that equal an earlier one in every column; and refuse rows wider than the header.

    Eight bytes a row are held, and the rows that are there several times.
    """
    key = pl.struct(pl.all()).hash(_SEED)
    again = repeated(all_of(export, export.rows.select(key)).to_series()).unique()
    if again.is_empty():
        return pl.Series("place", dtype=pl.UInt32)
    several = pl.struct(export.rows.collect_schema().names()).hash(_SEED).is_in(again.implode())
    held = collected(export.rows.with_row_index(ROW_KEY).filter(several), export.file)
    once = held.unique(pl.exclude(ROW_KEY), keep="first", maintain_order=True)
    return held[ROW_KEY].filter(~held[ROW_KEY].is_in(once[ROW_KEY].implode())).rename("place")


def all_of(export: Export, rows: pl.LazyFrame) -> pl.DataFrame:
    """Return rows made of all cells of an export, or say which row is wider than the header."""
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        if export.source is None or "more fields" not in str(error):
            raise unreadable(export.file, error) from error
        raise _too_wide(export) from error


def _too_wide(export: Export) -> DataError:
    source = export.source
    content = io.BytesIO(source if isinstance(source, bytes) else Path(str(source)).read_bytes())
    with io.TextIOWrapper(content, encoding="utf-8-sig", errors="replace", newline="") as lines:
        for _ in range(export.before):
            next(lines)
        reader = csv.reader(lines, delimiter=export.separator)
        names = len(next(reader, []))
        wide = next((len(row) for row in reader if len(row) > names), 0)
    place = f"line {export.before + reader.line_num:,} has {wide} cells, but the header has {names} names"
    if not wide:
        place = "a row has more cells than the header has names"
    return DataError(
        f"{export.file}: {place}, so its columns are shifted, for example by a comma without quotes; export the file "
        "again without saving it in a spreadsheet."
    )
