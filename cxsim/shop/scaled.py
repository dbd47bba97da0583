"""Surveys as somebody named their scores go in; those on the scale of their instrument come out, the others counted."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cxsim.shop.format import Readout
from cxsim.shop.receipt import ReceiptLine
from cxsim.shop.scales import SCALES, checked_instrument


def within_scale(readout: Readout) -> Readout:
    """Return a readout without surveys whose score is outside of its scale; they are dropped and counted, not clipped."""
    if "surveys" not in readout.tables:
        return readout
    surveys = readout.tables["surveys"]
    (receipt,) = (one for one in readout.receipts if one.table == "surveys")
    for name in surveys.select(pl.col("instrument").unique().sort()).collect(engine="streaming")["instrument"]:
        checked_instrument(name, receipt.file)
    low, high = (
        pl.col("instrument").replace_strict({name: ends[end] for name, ends in SCALES.items()}, return_dtype=pl.Int64)
        for end in (0, 1)
    )
    stray = (~pl.col("score").is_between(low, high)).fill_null(value=False)
    count = int(surveys.select(stray.sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason="a score outside of the scale", action="dropped", rows=count)
    noticed = replace(receipt, lines=(*receipt.lines, line))
    return replace(
        readout,
        tables={**readout.tables, "surveys": surveys.filter(~stray)},
        receipts=tuple(noticed if one is receipt else one for one in readout.receipts),
    )
