"""The type of a column goes in; the expression that reads customer, moment or amount from it comes out.

Nothing is guessed and nothing is repaired: what cannot be read becomes null, and hygiene counts it.
"""

from __future__ import annotations

import polars as pl

from cxsim.errors import DataError
from cxsim.units import CENTS

_IDS_AS_THEY_ARE = (pl.String, pl.Int64, pl.Int32, pl.UInt32, pl.UInt64)
_SHORT_INTEGERS = (pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)
_NAMED = (pl.Categorical, pl.Enum)
_NUMBERS = (*_IDS_AS_THEY_ARE[1:], *_SHORT_INTEGERS, pl.Float64, pl.Float32, pl.Decimal)

_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_MOMENT = (
    r"^(?:\d{8}|\d{4}-\d{2}-\d{2}"
    r"(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)$"
)
_MOMENT_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y%m%d")
_AMOUNT = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"

# Whole cents of any sum must fit an Int64: nine million lines of this size do.
LARGEST_AMOUNT = 1e10
# A hundred times a Float64 of that size is off by less than this, in cents.
_CENT_TOLERANCE = 1e-3


def customer_id(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the customer of a line as it is written; null where there is none.

    Text stays text, so that leading zeros survive; whole numbers stay whole numbers.
    """
    column = pl.col(name)
    if kind in _NAMED:
        column = column.cast(pl.String)
    elif kind in _SHORT_INTEGERS:
        return column.cast(pl.Int64)
    elif kind not in _IDS_AS_THEY_ARE:
        raise DataError(f"{label}: customer_id ('{name}') is {kind}; it must be text or whole numbers.")
    if kind.is_integer():
        return column
    return pl.when(column.str.strip_chars() != "").then(column)


def ordered_at(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the moment of a line by the shop's clock; null where it cannot be read.

    A time zone or an offset is set aside and the wall clock kept as it is written, so that an order at
    `2024-03-01T00:30:00+02:00` belongs to 1 March wherever it is read.
    """
    column = pl.col(name)
    if kind == pl.Date:
        return column
    if kind == pl.Datetime:
        return column.dt.replace_time_zone(None)
    if kind != pl.String:
        raise DataError(f"{label}: ordered_at ('{name}') is {kind}; it must be Date, Datetime or text.")
    text = column.str.strip_chars()
    local = text.str.replace(_OFFSET, "").str.replace("T", " ", literal=True)
    read = [local.str.to_datetime(form, time_unit="us", strict=False) for form in _MOMENT_FORMATS]
    return pl.when(text.str.contains(_MOMENT)).then(pl.coalesce(read))


def amount(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the amount of a line in units of the currency; null where it cannot be read.

    Text must be a plain number with a decimal point: `1,234.50` and `$5` cannot be read. Nor can a number that is not
    finite or larger than `LARGEST_AMOUNT` in size.
    """
    column = pl.col(name)
    if kind == pl.String:
        text = column.str.strip_chars()
        plain = pl.when(text.str.contains(_AMOUNT)).then(text.str.strip_prefix("+"))
        number = plain.cast(pl.Float64, strict=False)
    elif kind in _NUMBERS:
        number = column.cast(pl.Float64)
    else:
        raise DataError(f"{label}: amount ('{name}') is {kind}; it must be numbers or text.")
    return pl.when(number.is_finite() & (number.abs() <= LARGEST_AMOUNT)).then(number)


def whole_cents(amount: pl.Expr) -> pl.Expr:
    """Return an amount as whole cents, the half cent upwards; null where it is not finite.

    >>> pl.select(whole_cents(pl.lit(19.99))).item()
    1999
    """
    return (amount * CENTS + 0.5).floor().cast(pl.Int64, strict=False)


def money(cents: pl.Expr) -> pl.Expr:
    """Return whole cents as units of the currency, the Float64 nearest to them.

    >>> pl.select(money(pl.lit(1999))).item()
    19.99
    """
    # Without the rounding, polars multiplies by the reciprocal of 100, and the last bit can differ.
    return (cents / CENTS).round(2)


def finer_than_a_cent(amount: pl.Expr) -> pl.Expr:
    """Whether an amount is more than a thousandth of a cent away from a whole number of cents.

    >>> pl.select(finer_than_a_cent(pl.lit(0.125)), tiny=finer_than_a_cent(pl.lit(0.1) + pl.lit(0.2))).row(0)
    (True, False)
    """
    return (amount * CENTS - whole_cents(amount)).abs() > _CENT_TOLERANCE
