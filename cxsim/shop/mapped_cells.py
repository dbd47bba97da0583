"""Cells as a foreign file writes them go in; moments on the shop's clock and numbers with a point come out, as text."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.moments import Clock, moments, text_of


def in_shop_time(
    rows: pl.LazyFrame,
    times: Sequence[str],
    *,
    file: str,
    form: str | None = None,
    written: str = "",
    zone: str = "",
    clock: Clock = "shop",
) -> pl.LazyFrame:
    """Return a file whose moments are written as ISO 8601, by the clock of the shop or in universal time."""
    for name in (written, zone):
        _refuse_unknown(name, file)
    if not times:
        return rows
    target = "UTC" if clock == "utc" else zone
    told = moments(rows, times, file=file, form=form)
    source = written or zone
    if told.offsets or any(_zoned(rows, name) for name in times):
        source = ""
        if target:
            told, source = moments(rows, times, file=file, form=form, clock="utc"), "UTC"
    elif written and not target:
        raise DataError(f"{file}: its moments are written in {written}; write the zone of the shop too.")
    elif clock == "utc" and not source:
        raise DataError(f"{file}: clock: utc needs the zone in which its moments are written.")
    mark = "+00:00" if clock == "utc" else ""
    return rows.with_columns(_text(told.columns[name], source, target, mark).alias(name) for name in times)


def plain_number(name: str, decimal: str) -> pl.Expr:
    """Return a column of text whose numbers have a point before their decimals and nothing between thousands.

    Only thousands that are set apart throughout are joined: with a decimal comma, `1.234,50` is 1234.50 and `1.23,4`
    stays what it is, which is no number.

    >>> cells = pl.DataFrame({"price": ["1.234,50", "12,5", "1.23,4"]})
    >>> cells.select(plain_number("price", ","))["price"].to_list()
    ['1234.50', '12.5', '1.23,4']
    """
    text = text_of(name)
    apart = "." if decimal == "," else ","
    grouped = text.str.contains(rf"^[+-]?\d{{1,3}}(?:\{apart}\d{{3}})+(?:\{decimal}\d+)?$")
    plain = text.str.contains(rf"^[+-]?\d*\{decimal}?\d+$")
    joined = text.str.replace_all(apart, "", literal=True).str.replace(decimal, ".", literal=True)
    return pl.when(grouped | plain).then(joined).otherwise(_strange(text, decimal)).alias(name)


def _strange(text: pl.Expr, decimal: str) -> pl.Expr:
    """Keep what is no number from being read as one: with a decimal comma, a point is not one."""
    marked = text.str.replace(".", "?", literal=True) if decimal == "," else text
    return pl.when(text.str.contains(",", literal=True)).then(text).otherwise(marked)


def _refuse_unknown(zone: str, file: str) -> None:
    if zone:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as cause:
            raise DataError(f"{file}: no time zone '{zone}'; write one such as Europe/Berlin or UTC.") from cause


def _zoned(rows: pl.LazyFrame, name: str) -> bool:
    kind = rows.collect_schema()[name]
    return isinstance(kind, pl.Datetime) and kind.time_zone is not None


def _text(moment: pl.Expr, source: str, target: str, mark: str) -> pl.Expr:
    if source and target and source != target:
        # An hour that happens twice when clocks are put back is taken for its first: the file does not tell them apart.
        there = moment.dt.replace_time_zone(source, ambiguous="earliest", non_existent="null")
        moment = there.dt.convert_time_zone(target).dt.replace_time_zone(None)
    return moment.dt.to_string("%Y-%m-%d %H:%M:%S%.6f") + mark
