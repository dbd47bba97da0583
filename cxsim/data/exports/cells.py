"""Text cells of a column in; the one way in which they are all written, and how they are read, out.

How a moment or an amount is written is decided from all cells together, never from one. Where two readings are possible
both are shown and asked for; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from cxsim.errors import DataError

Decimal = Literal["", ".", ","]
# Which cells of a column are looked at, and what happens to those that cannot be read.
Seen = Literal["first", "all"]
Unreadable = Literal["refuse", "missing"]

# What stands for money before or behind a number: a sign, a code, or one of the short words of some countries.
_MONEY = r"(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3}|(?i:kr|zł|kč|ft|lei|лв|руб|fr|rs|sfr)\.?)"
_SPACES = r"[\s\u{a0}\u{202f}\u{2009}\u{2007}]+"
_DECIMALS = {
    ".": r"(?:[1-9]\d{0,2}(?:(?:[, ']\d{3})+|(?:,\d{2})*,\d{3})|\d+)?(?:\.\d*)?",
    ",": r"(?:[1-9]\d{0,2}(?:[. ']\d{3})+|\d+)?(?:,\d*)?",
}
_CODES = {"€": "EUR", "£": "GBP", "US$": "USD", "C$": "CAD", "A$": "AUD", "R$": "BRL"}
_PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
# Whole cents of any sum must fit an Int64: nine million lines of this size do.
LARGEST_AMOUNT = 1e10
AMOUNT_FORMS = "1234.50, 1,234.50, 1.234,50, 1 234,50, 1'234.50, $1,234.50, 1.234,50 €, EUR 12.50, (12.50), -12.50"
MOMENT_FORMS = (
    "2024-03-01, 20240301, 2024-03-01 09:30[:15], 2024-03-01T09:30:15+01:00, 1/3/2024 9:30, 3/1/24 9:30 PM, 1.3.2024, "
    "Mar 1, 2024, 1 mars 2024, Fri, 01 Mar 2024 09:30:00 +0000, seconds since 1970"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """How the amounts of a column are written: `decimal` is the mark before the decimals; `plain`, nothing else is.

    `certain`: whether the cells show that mark.
    """

    decimal: Decimal
    plain: bool = False
    certain: bool = False
    marks: tuple[str, ...] = ()

    def read(self, text: pl.Expr) -> pl.Expr:
        """Return amounts of text without outer blanks; null where it is not written so."""
        if self.plain:
            number = text.cast(pl.Float64, strict=False)
        else:
            body, negative = _unsigned(text)
            grouped = body.str.contains(f"^{_DECIMALS[self.decimal or '.']}$") & body.str.contains(r"\d")
            apart = r"[, ']" if self.decimal != "," else r"[. ']"
            joined = body.str.replace_all(apart, "").str.replace(",", ".", literal=True)
            size = pl.when(grouped).then(joined).cast(pl.Float64, strict=False)
            machine = pl.when(text.str.contains(_PLAIN)).then(text).cast(pl.Float64, strict=False)
            number = pl.when(negative).then(-size).otherwise(size)
            number = number if self.decimal == "," else pl.coalesce(number, machine)
        # What is no number is larger than any.
        return pl.when(number.abs() <= LARGEST_AMOUNT).then(number)


def _differ(marks: Iterable[str]) -> bool:
    """Whether signs and codes of money stand for different currencies, as far as they say which."""
    codes = {_CODES.get(one, one.strip(".").upper()) for one in marks}
    dollars = {one for one in codes if one.endswith("D")}
    return len(codes - ({"$"} if len(dollars) == 1 else set())) > 1


def _unsigned(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a number's digits and marks without sign, money and outer blanks, and whether it is below nothing."""
    spaced = (
        text.str.replace_all(_SPACES, " ")
        .str.replace_all("[\u2212\u2013\u2014]", "-")
        .str.replace_all("[\u2019`]", "'")
    )
    # Twelve and nothing may be written 12,- or 12.--.
    spaced = spaced.str.replace(r"(\d)[.,]--?( ?\D*)$", "${1}${2}")
    inside = spaced.str.extract(r"^\((.*)\)$")
    bare = pl.coalesce(inside, spaced)
    signed = bare.str.strip_suffix("-").str.strip_prefix("-")
    without = signed.str.replace(rf"^{_MONEY} ?", "").str.replace(rf" ?{_MONEY}$", "").str.strip_chars(" ")
    digits = without.str.strip_prefix("-").str.strip_prefix("+")
    negative = inside.is_not_null() | (bare.str.contains("-", literal=True) & (bare != digits))
    return digits, negative


def amounts_of(
    cells: pl.Series, place: str, seen: Seen, *, decimal: Decimal = "", unreadable: Unreadable = "refuse"
) -> Amounts | None:
    """Return how a column of amounts is written; None where the first cells do not show it.

    A cell such as `1,400` can be read in two ways; others of the column say which. `decimal`: what is known already.
    """
    text = cells.drop_nulls().unique().alias("text")
    if text.is_empty():
        return Amounts(decimal=decimal, plain=True) if seen == "all" else None
    body, _ = _unsigned(pl.col("text"))
    plain, marked = pl.col("text").str.contains(_PLAIN), body.str.contains("[.,]")
    point, comma = (body.str.contains(f"^{_DECIMALS[one]}$") for one in (".", ","))
    mark = pl.col("text").str.extract(f"({_MONEY})")
    shapes = text.to_frame().select("text", plain=plain, point=point | plain, comma=comma, marked=marked, mark=mark)
    marks = tuple(shapes["mark"].drop_nulls().unique().sort())
    if _differ(marks):
        raise DataError(
            f"{place}: amounts are in {' and '.join(marks)}. Amounts in different currencies cannot be added; "
            "keep those of one currency, or name a column with amounts in one currency."
        )
    certain = [shapes.filter("point", "marked", ~pl.col("comma")), shapes.filter("comma", "marked", ~pl.col("point"))]
    either = shapes.filter("point", "comma", "marked")["text"]
    shown = decimal or _shown_decimal([one["text"] for one in certain], place, unreadable)
    if not shown and either.len():
        if seen == "first":
            return None
        _ask_decimal(str(either.sort()[0]), place)
    return Amounts(
        decimal=shown or ".",
        plain=shown != "," and bool(shapes["plain"].all()),
        certain=any(one.height for one in certain),
        marks=marks,
    )


def _shown_decimal(certain: Sequence[pl.Series], place: str, unreadable: Unreadable) -> Decimal:
    """Return the mark before the decimals that cells show which can be read with it alone; "" where none does."""
    point, comma = certain
    if point.len() and comma.len() and unreadable == "refuse":
        raise DataError(
            f"{place}: some amounts have a decimal point, such as {point.sort()[0]!r}, and some a decimal comma, such "
            f"as {comma.sort()[0]!r}; use one notation, or choose one, as decimal: '.' or ',' in shop.yaml "
            "or with --policy decimal=,: cells in the other notation are then unreadable."
        )
    if not (point.len() or comma.len()):
        return ""
    return "." if point.len() >= comma.len() else ","


def _ask_decimal(cell: str, place: str) -> None:
    one = pl.DataFrame({"text": [cell]})
    marks: tuple[Decimal, ...] = (".", ",")
    readings = " or ".join(f"{one.select(Amounts(decimal=mark).read(pl.col('text'))).item():,.2f}" for mark in marks)
    raise DataError(
        f"{place}: {cell!r} can be read as {readings}, and no cell of the column shows which; choose the decimal "
        "mark, as decimal: '.' or ',' in shop.yaml or with --policy decimal=, (or decimal=.)."
    )


# -----------------------------------------------------------------------------------------------------------------
# Moments. An offset is one only behind a time: 01-03-2024 ends like one.
_BEHIND_A_TIME = r":\d{2}(?:[.,]\d{1,9})?(?: ?[APap]\.?[Mm]\.?)?"
_ZONES = {
    "UTC": 0,
    "GMT": 0,
    "CET": 1,
    "CEST": 2,
    "EST": -5,
    "EDT": -4,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "EET": 2,
    "EEST": 3,
    "WET": 0,
    "WEST": 1,
}
_OFFSET = rf"(?:Z|(?:UTC|GMT)[+-]\d{{1,2}}(?::?\d{{2}})?|{'|'.join(_ZONES)}|[+-]\d{{2}}:?\d{{2}})"
# The shapes of days, four digits as Y, one or two as 9, and a name as a; then those of times, behind a blank.
_DAYS = {
    "Y-9-9": "%Y-%m-%d",
    "Y/9/9": "%Y/%m/%d",
    "Y.9.9": "%Y.%m.%d",
    "YY": "%Y%m%d",
    "a 9, Y": "%b %d, %Y",
    "a 9 Y": "%b %d %Y",
    "9 a Y": "%d %b %Y",
    "9-a-Y": "%d-%b-%Y",
    "9-a-9": "%d-%b-%y",
    "9 a 9": "%d %b %y",
    "a 9, 9": "%b %d, %y",
    "a-9-9": "%b-%d-%y",
    "a-9-Y": "%b-%d-%Y",
}
_MARKS = ("/", ".", "-")
_ORDERS = {"Y": ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y"), "9": ("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")}
# Nobody writes a short year first with points.
_EITHER_ORDER = {
    f"9{mark}9{mark}{year}": [one.format(mark) for one in _ORDERS[year][: 2 if mark == "." else 3]]
    for mark in _MARKS
    for year in "Y9"
}
_TIMES = {"": "", " 9:9": " %H:%M", " 9:9:9": " %H:%M:%S%.f", " 9:9 M": " %I:%M %p", " 9:9:9 M": " %I:%M:%S%.f %p"}
_PARTS = r"^(?<day>.*?)(?<time> 9:9(?::9)?(?: M)?)?$"
_EPOCH = {"epoch seconds": r"^[1-9]\d{8,9}(?:\.\d+)?$", "epoch milliseconds": r"^[1-9]\d{11,12}$"}
_PER_SECOND = {"epoch seconds": 1_000_000, "epoch milliseconds": 1_000}
# Names of months in the languages in which shops' systems are used, twelve a line, as in the Common Locale Data
# Repository (CLDR), short forms without full stops.
_MONTH_NAMES = """
january february march april may june july august september october november december
jan feb mar apr may jun jul aug sep oct nov dec
januar februar märz april mai juni juli august september oktober november dezember
jänner febr mär apr mai jun jul aug sept okt nov dez
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
janv févr mars avr mai juin juil août sept oct nov déc
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
ene feb mar abr may jun jul ago sept oct nov dic
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
gen feb mar apr mag giu lug ago set ott nov dic
januari februari maart april mei juni juli augustus september oktober november december
jan feb mrt apr mei jun jul aug sep okt nov dec
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
jan fev mar abr mai jun jul ago set out nov dez
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
jan feb mars apr mai jun jul aug sep okt nov des
tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
sty lut mar kwi maj cze lip sie wrz paź lis gru
ledna února března dubna května června července srpna září října listopadu prosince
led úno bře dub kvě čvn čvc srp zář říj lis pro
"""  # noqa: E501 (twelve names a line)
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = dict(zip(_MONTH_NAMES.split(), _ENGLISH * (len(_MONTH_NAMES.split()) // 12), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """How the moments of a file are written: `forms` as of strptime; `plain`, nothing of a cell must be changed."""

    forms: tuple[str, ...]
    plain: bool = False
    offsets: tuple[str, ...] = ()

    def read(self, text: pl.Expr) -> pl.Expr:
        """Return moments of text without outer blanks, by the clock that is written; null where they are not so."""
        local = text if self.plain else _local(text)
        read = [_parsed(local, text, form) for form in self.forms]
        return pl.coalesce(*read, pl.lit(None, pl.Datetime("us")))


def declared(form: str, offsets: tuple[str, ...]) -> Moments:
    """Return the reading of cells that are written exactly so."""
    return Moments(forms=(form,), plain=True, offsets=offsets)


def _parsed(local: pl.Expr, text: pl.Expr, form: str) -> pl.Expr:
    if form in _EPOCH:
        seconds = pl.when(text.str.contains(_EPOCH[form])).then(text).cast(pl.Float64, strict=False)
        return pl.from_epoch((seconds * _PER_SECOND[form]).round().cast(pl.Int64), time_unit="us")
    if form.endswith("%z"):
        # The offset is set aside, for the clock on the wall is what counts.
        local, form = local.str.replace(rf"\s*{_OFFSET}$", ""), form.removesuffix("%z").rstrip()
    return local.str.to_datetime(form, time_unit="us", strict=False)


def moments_of(cells: pl.Series, place: str, seen: Seen, unreadable: Unreadable = "refuse") -> Moments | None:
    """Return how the moments of a file are written; None where the first cells do not show it.

    Whether the day or the month stands first is what all cells together show.
    """
    text = pl.DataFrame({"text": cells.drop_nulls().unique()})
    if text.is_empty() and seen == "first":
        return None
    local = text.select("text", local=_local(pl.col("text")), offset=offset_of(pl.col("text")))
    shaped = local.with_columns(_shape(pl.col("local")).str.extract_groups(_PARTS).alias("shape")).unnest("shape")
    offsets = tuple(shaped["offset"].drop_nulls().unique().sort())
    forms: dict[str, None] = {
        name: None for name, digits in _EPOCH.items() if text.select(pl.col("text").str.contains(digits).any()).item()
    }
    shapes = shaped.select("day", pl.col("time").fill_null("")).unique().sort("day", "time")
    order = 0
    if shapes["day"].is_in(list(_EITHER_ORDER)).any():
        found = _order(shaped.filter(pl.col("day").is_in(list(_EITHER_ORDER))), place, seen, unreadable)
        if found is None:
            return None
        order = found
    for day, time in shapes.iter_rows():
        known = _EITHER_ORDER[day][order] if day in _EITHER_ORDER else _DAYS.get(day)
        if known is not None:
            forms[known + _TIMES[time]] = None
    plain = bool((local["text"] == local["local"]).all()) and not offsets
    return Moments(forms=tuple(forms), plain=plain, offsets=offsets)


def _order(cells: pl.DataFrame, place: str, seen: Seen, unreadable: Unreadable) -> int | None:
    """Return which order of day, month and year all cells keep to, by its place in `_ORDERS`; None if not yet shown."""
    orders = max(len(_EITHER_ORDER[day]) for day in cells["day"].unique())
    read = cells.with_columns(
        pl.coalesce(
            pl.when(pl.col("day") == day).then(
                pl.col("local")
                .str.replace(r" \d{1,2}:.*$", "")
                .str.to_datetime(forms[at], time_unit="us", strict=False)
            )
            for day, forms in _EITHER_ORDER.items()
            if at < len(forms)
        ).alias(f"order {at}")
        for at in range(orders)
    )
    names = [name for name in read.columns if name.startswith("order ")]
    lost = read.select(pl.col(names).null_count()).row(0)
    possible = [name for name, count in zip(names, lost, strict=True) if count == 0]
    if cells["day"].str.contains("/").any() and len(possible) > 1:
        # A short year stands first in no such date that can be read otherwise.
        possible = [name for name in possible if name != "order 2"]
    if not possible and unreadable == "refuse":
        first, second = (read.drop_nulls(name)["text"].min() for name in names[:2])
        raise DataError(
            f"{place}: some cells start with the day, such as {first!r}, and some with the month, such as "
            f"{second!r}; save the file with one date format, such as 2024-03-01."
        )
    if len(possible) < 2:
        return names.index(possible[0] if possible else min(zip(lost, names, strict=True))[1])
    if seen == "first":
        return None
    differing = read.filter(pl.any_horizontal(pl.col(possible[0]) != pl.col(name) for name in possible[1:]))
    if differing.is_empty():
        return names.index(possible[0])
    raise _ambiguous(differing.sort("text").row(0, named=True), [names.index(name) for name in possible], place)


def _ambiguous(cell: Mapping[str, Any], orders: Sequence[int], place: str) -> DataError:
    readings = " or ".join(f"{cell[f'order {at}']:%-d %B %Y}" for at in orders)
    time = _TIMES[cell["time"] or ""]
    forms = " or ".join(f"'{_EITHER_ORDER[cell['day']][at]}{time}'" for at in orders)
    return DataError(
        f"{place}: {cell['text']!r} can be read as {readings}, and no cell shows which number is the day; give the "
        f"format of timestamps, as moments: in shop.yaml or with --policy moments={forms}."
    )


def _shape(local: pl.Expr) -> pl.Expr:
    bare = local.str.replace(r"(:\d{1,2})[.,]\d{1,9}( [AP]M)?$", "${1}${2}").str.replace(" [AP]M$", " #")
    digits = bare.str.replace_all(r"\d{4}", "Y").str.replace_all(r"\d{1,2}", "9")
    return digits.str.replace_all(r"[A-XZa-z]+", "a").str.replace("#", "M", literal=True)


def offset_of(text: pl.Expr) -> pl.Expr:
    """Return how far the clock of a cell is from universal time, as it is written; null where nothing says it."""
    behind = text.str.extract(f"{_BEHIND_A_TIME} ?\\(?({_OFFSET})\\)?$")
    epoch = pl.any_horizontal(text.str.contains(digits) for digits in _EPOCH.values())
    return pl.coalesce(behind, pl.when(epoch).then(pl.lit("UTC")))


def ahead(text: pl.Expr) -> pl.Expr:
    """Return by how much the clock of a cell is ahead of universal time."""
    offset = offset_of(text)
    named = offset.replace_strict(_ZONES, default=None, return_dtype=pl.Int64)
    bare = offset.str.strip_prefix("GMT").str.strip_prefix("UTC")
    sign = pl.when(bare.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (
        bare.str.extract(digits).cast(pl.Int64).fill_null(0)
        for digits in (r"^[+-](\d{1,2})", r"^[+-]\d{1,2}:?(\d{2})$")
    )
    return pl.duration(minutes=pl.coalesce(60 * named, sign * (60 * hours + minutes)))


def _local(text: pl.Expr) -> pl.Expr:
    """Return a moment as text without its offset, its parts separated and its month named as the forms have them."""
    bare = text.str.replace_all(_SPACES, " ").str.replace(f"({_BEHIND_A_TIME}) ?\\(?{_OFFSET}\\)?$", "${1}")
    spaced = bare.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ").str.replace(
        r",? (?:at|um|à|kl\.?|o|alle)? ?(\d{1,2}:)", " ${1}"
    )
    halves = (
        spaced.str.replace(r"(\d) ?([APap])\.?[Mm]\.?$", "${1} ${2}M")
        .str.replace(r" aM$", " AM")
        .str.replace(r" pM$", " PM")
    )
    return _english(halves)


def _english(text: pl.Expr) -> pl.Expr:
    """Return a moment with a month of any language in English and without the day of the week."""
    named = text.str.extract(r"(\p{L}{3,})")
    word = r"(?i)\b(\p{L}{3,})\b"
    without_weekday = (
        text.str.replace(r"^\p{L}+\.?, ?(\d)", "${1}")
        .str.replace(r"^(?:\p{L}+)\.?,? (\p{L}+\.? \d)", "${1}")
        .str.replace(r"(?i)(\d)\.? (?:de |of |di |d')", "${1} ")
        .str.replace(r"(?i)(\p{L}) (?:de |del |of )", "${1} ")
        .str.replace(r"^\p{L}+\.? (\d{1,2}(?:er|\.)? \p{L})", "${1}")
        .str.replace(r"^(\d{1,2})(?:\.|st|nd|rd|th|er) ", "${1} ")
        .str.replace(r"(\p{L})\. ?", "${1} ")
        .str.replace(r"(\d)(?:st|nd|rd|th)\b", "${1}")
    )
    month = (
        without_weekday.str.extract(word)
        .str.to_lowercase()
        .replace_strict(_MONTHS, default=None, return_dtype=pl.String)
    )
    head = without_weekday.str.extract(r"^(.*?)\p{L}{3,}")
    tail = without_weekday.str.extract(r"^.*?\p{L}{3,}(.*)$")
    # A name that is no month stays, so that nobody takes the cell for something else.
    english = pl.when(month.is_not_null()).then(pl.concat_str(head, month, tail)).otherwise(without_weekday)
    return pl.when(named.is_not_null()).then(english).otherwise(text)
