"""Identifiers of customers in; a number for each by which the same some of them are drawn on every machine out."""

from __future__ import annotations

import polars as pl

# The multiplier and the shifts of the finaliser of MurmurHash3 (Appleby 2011), which moves every bit of what goes in.
_MIX = 0xFF51AFD7ED558CCD
_HALF = 2**32
_WORD = 8
_RANGE = 2**64


def lot(customer: str, width: int, seed: int) -> pl.Expr:
    """Return a number from 0 to 2**64 - 1 for each customer, as good as drawn by chance.

    The hash of polars differs from release to release; this one is fixed by what is written here.
    """
    words = max(1, -(-width // _WORD))
    padded = pl.col(customer).str.pad_end(words * _WORD, "\x00").cast(pl.Binary)
    mixed: pl.Expr = pl.lit((seed * 2 + 1) % _RANGE, dtype=pl.UInt64)
    for place in range(words):
        word = padded.bin.slice(place * _WORD, _WORD).bin.reinterpret(dtype=pl.UInt64, endianness="little")
        mixed = _stirred(_stirred(mixed ^ word))
    return mixed


def drawn(customers: pl.LazyFrame, *, most: int, seed: int) -> pl.DataFrame:
    """Return at most about `most` of the customers, with their number `lot`; by identifier."""
    everyone = customers.collect()
    width = everyone["customer_id"].str.len_bytes().max()
    lots = everyone.with_columns(lot=lot("customer_id", width if isinstance(width, int) else 1, seed))
    if everyone.height > most:
        lots = lots.filter(pl.col("lot") < _RANGE * most // everyone.height)
    return lots.sort("customer_id")


def _stirred(number: pl.Expr) -> pl.Expr:
    mixed = number * pl.lit(_MIX, dtype=pl.UInt64)
    return mixed ^ (mixed // pl.lit(_HALF, dtype=pl.UInt64))
