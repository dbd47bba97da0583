"""Columns of moments as text go in; the expressions that read them, and how they were written, come out.

Whether the day or the month stands first is read from the whole file, never from a cell, and refused where nothing
shows it. What cannot be read becomes null, and whoever reads the file counts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cxsim.errors import DataError

Clock = Literal["shop", "utc"]

# An offset is one only behind a time: 01-03-2024 ends like one.
_BEHIND_A_TIME = r":\d{2}(?:\.\d{1,9})?(?: ?[APap][Mm])?"
_OFFSET = r"(?:Z|UTC|GMT(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2})"
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?" + _OFFSET + r")?)?$"
_ISO_FORMS = {"9-9": "%Y-%m-%d", "9:9": "%Y-%m-%d %H:%M", "9:9:9": "%Y-%m-%d %H:%M:%S%.f"}
# The shapes of days, four digits as Y, one or two as 9, and a name as a; then those of times, behind a blank.
_DAYS = {
    "Y-9-9": "%Y-%m-%d",
    "Y/9/9": "%Y/%m/%d",
    "YY": "%Y%m%d",
    "a 9, Y": "%b %d, %Y",
    "9 a Y": "%d %b %Y",
    "9-a-Y": "%d-%b-%Y",
    "a, 9 a Y": "%a, %d %b %Y",
}
_EITHER_ORDER = ("9/9/Y", "9.9.Y", "9-9-Y")
_TIMES = {"": "", " 9:9": " %H:%M", " 9:9:9": " %H:%M:%S%.f", " 9:9 M": " %I:%M %p", " 9:9:9 M": " %I:%M:%S %p"}
_WRITE_FORM = "write how its moments are written in shop.yaml, such as moments: '%d.%m.%Y %H:%M'"
_FIRST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """How the moments of one file are read.

    Attributes
    ----------
    columns
        By name of the column: the expression of its moments, a Datetime without a zone; null where there is none or
        where it cannot be read.
    offsets
        The offsets from universal time that are written in the file, sorted; empty where none is.
    facts
        What a receipt should say of them, as pairs of name and text.
    """

    columns: Mapping[str, pl.Expr]
    offsets: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def moments(
    rows: pl.LazyFrame,
    names: Sequence[str],
    *,
    file: str,
    clock: Clock = "shop",
    form: str | None = None,
    shown: Mapping[str, str] | None = None,
) -> Moments:
    """Return how the moments in some columns of a file are read; `shown`: the file's own names of them."""
    schema = rows.collect_schema()
    titles = {name: (shown or {}).get(name, name) for name in names}
    texts = [name for name in names if schema[name] == pl.String]
    typed = {
        name: _typed(name, schema[name], clock, f"{file}: '{titles[name]}'") for name in names if name not in texts
    }
    seen = {name: _seen(rows, name) for name in texts}
    offsets = tuple(sorted({offset for found in seen.values() for offset in found["offset"] if offset is not None}))
    forms = {name: (form,) if form else _forms(rows, name, texts, file) for name in texts}
    for name in texts:
        bare = seen[name].filter(pl.col("offset").is_null())["cells"].sum()
        if clock == "utc" and bare:
            raise DataError(
                f"{file}: {bare:,} cells of '{titles[name]}' are written without an offset from universal time, so "
                "that clock: utc cannot be kept; read the shop with clock: shop."
            )
    columns = typed | {name: _read(name, forms[name], clock).alias(name) for name in texts}
    for name in texts:
        _refuse_unread(rows, columns[name], file=file, name=name, title=titles[name])
    written = dict.fromkeys(one for name in texts for one in forms[name])
    facts = [("moments", ", ".join(written))] if written else []
    if offsets:
        kept = {"shop": "the time is kept as written", "utc": "converted to universal time"}[clock]
        facts.append(("offsets", f"{', '.join(offsets)}; {kept}"))
    return Moments(columns=columns, offsets=offsets, facts=tuple(facts))


def text_of(name: str) -> pl.Expr:
    """Return a column of text without outer blanks; null where nothing is written."""
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text)


def _seen(rows: pl.LazyFrame, name: str) -> pl.DataFrame:
    """Return the offsets of a column with the number of their cells; a null offset for those without."""
    offset = text_of(name).str.extract(_BEHIND_A_TIME + " ?(" + _OFFSET + ")$")
    cells = rows.filter(text_of(name).is_not_null()).select(offset=offset)
    return cells.group_by("offset").len("cells").collect(engine="streaming")


def _typed(name: str, kind: pl.DataType, clock: Clock, place: str) -> pl.Expr:
    column = pl.col(name)
    if kind == pl.Date:
        return column.cast(pl.Datetime("us"))
    if not isinstance(kind, pl.Datetime):
        raise DataError(f"{place} is {kind}; it must be text, a date or a datetime.")
    if clock == "utc":
        if kind.time_zone is None:
            raise DataError(f"{place} has no time zone, so that clock: utc cannot be kept; use clock: shop.")
        column = column.dt.convert_time_zone("UTC")
    return column.dt.replace_time_zone(None).dt.cast_time_unit("us")


def _forms(rows: pl.LazyFrame, name: str, names: Sequence[str], file: str) -> tuple[str, ...]:
    """Return the forms in which a column is written; ISO 8601, by far the most common, is looked for first."""
    text = text_of(name)
    counted = rows.select(
        iso=text.str.contains(_ISO),
        shape=pl.when(text.str.contains(_ISO)).then(_iso_shape(text)).otherwise(_shape(text)),
    ).drop_nulls()
    found = counted.group_by("iso", "shape").len().sort("shape").collect(engine="streaming")
    forms = [_ISO_FORMS[shape] for shape in found.filter("iso")["shape"]]
    for shape in found.filter(~pl.col("iso"))["shape"]:
        day, time = _parted(shape)
        if day in _EITHER_ORDER and time in _TIMES:
            forms.append(_ordered(rows, names, day, file) + _TIMES[time])
        elif day in _DAYS and time in _TIMES:
            forms.append(_DAYS[day] + _TIMES[time])
    return tuple(dict.fromkeys(forms))


def _iso_shape(text: pl.Expr) -> pl.Expr:
    times = _local(text).str.count_matches(":", literal=True)
    return pl.when(times == 0).then(pl.lit("9-9")).when(times == 1).then(pl.lit("9:9")).otherwise(pl.lit("9:9:9"))


def _shape(text: pl.Expr) -> pl.Expr:
    without = _local(text).str.replace(r"\.\d{1,9}$", "")
    half = without.str.replace(r" ?[APap][Mm]$", " #")
    digits = half.str.replace_all(r"\d{4}", "Y").str.replace_all(r"\d{1,2}", "9")
    return digits.str.replace_all(r"[A-XZa-z]+", "a").str.replace("#", "M", literal=True)


def _parted(shape: str) -> tuple[str, str]:
    """Split the shape of a moment where its time begins."""
    for time in sorted(_TIMES, key=len, reverse=True):
        if time and shape.endswith(time):
            return shape.removesuffix(time).rstrip(","), time
    return shape, ""


def _local(text: pl.Expr) -> pl.Expr:
    """Return a moment as text without its offset, its parts separated as the forms have them."""
    bare = text.str.replace("(" + _BEHIND_A_TIME + ") ?" + _OFFSET + "$", "${1}")
    spaced = bare.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ").str.replace(r", (\d{1,2}:)", " ${1}")
    return spaced.str.replace(r"(\d) ?([APap][Mm])$", "${1} ${2}")


def _ordered(rows: pl.LazyFrame, names: Sequence[str], day: str, file: str) -> str:
    """Return the order of day and month that the whole file shows."""
    mark = day[1]
    parts = pl.concat_list(
        [text_of(name).str.extract_groups(rf"^(\d{{1,2}})\{mark}(\d{{1,2}})\{mark}\d{{4}}") for name in names]
    )
    cells = rows.select(cell=parts).explode("cell").unnest("cell").select(pl.all().cast(pl.Int64)).drop_nulls()
    first, second, both = (
        cells.select((pl.col("1") > 12).sum(), (pl.col("2") > 12).sum(), pl.len()).collect(engine="streaming").row(0)
    )
    shown = day.replace("9", "01").replace("Y", "2024")
    if first and second:
        raise DataError(
            f"{file}: moments like {shown}: the first number is above 12 in {first:,} of {both:,} cells and the second "
            f"in {second:,}, so that neither can be the month; save the file with one form of date, or {_WRITE_FORM}."
        )
    if not first and not second:
        raise DataError(
            f"{file}: moments like {shown}: in none of {both:,} cells is a number above 12, so that day and month "
            f"cannot be distinguished; {_WRITE_FORM}."
        )
    return f"%d{mark}%m{mark}%Y" if first else f"%m{mark}%d{mark}%Y"


def _read(name: str, forms: Sequence[str], clock: Clock) -> pl.Expr:
    local = _local(text_of(name))
    read = [local.str.to_datetime(form, time_unit="us", strict=False) for form in forms]
    wall = pl.coalesce(read) if read else pl.lit(None, dtype=pl.Datetime("us"))
    return wall if clock == "shop" else wall - _ahead(text_of(name))


def _ahead(text: pl.Expr) -> pl.Expr:
    """Return by how much the clock of a cell is ahead of universal time."""
    found = text.str.extract(_BEHIND_A_TIME + " ?(" + _OFFSET + ")$").str.strip_prefix("GMT")
    sign = pl.when(found.str.starts_with("-")).then(-1).otherwise(1)
    hours = found.str.extract(r"^[+-](\d{1,2})").cast(pl.Int64).fill_null(0)
    minutes = found.str.extract(r"^[+-]\d{1,2}:?(\d{2})$").cast(pl.Int64).fill_null(0)
    return pl.duration(minutes=sign * (60 * hours + minutes))


def _refuse_unread(rows: pl.LazyFrame, read: pl.Expr, *, file: str, name: str, title: str) -> None:
    text = text_of(name)
    # One that can be read is enough, and is most often among the first: then the column is not gone through.
    first = rows.filter(text.is_not_null()).select(name).head(_FIRST)
    if first.select(read.count()).collect(engine="streaming").item():
        return
    cells, able, example = (
        rows.select(text.count(), read.count().alias("able"), text.drop_nulls().first().alias("example"))
        .collect(engine="streaming")
        .row(0)
    )
    if cells and not able:
        raise DataError(
            f"{file}: none of the {cells:,} cells of '{title}' can be read as a moment, such as {example!r}; "
            f"{_WRITE_FORM}."
        )
