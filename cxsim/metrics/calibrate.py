"""A shop's tables and the behaviour that was assumed in; the same behaviour with what the tables say in it, out."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import ParamError
from cxsim.library import SOURCES_FILE, root, shown
from cxsim.metrics.calibration_fits import Measurement, Outcomes
from cxsim.metrics.calibration_inputs import conversion, incidents, returns, surveys, tickets
from cxsim.params import (
    Plain,
    Quantity,
    Source,
    quantities,
    source_names,
    text_of,
    with_quantities,
    written_whole,
)
from cxsim.strategies.behaviour import Behaviour
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of

# One row per number of the behaviour that a shop's tables could say. number: its place, incidents by name; before: the
# value that was assumed; measured, low, high: what the tables say, with its 90 % interval; missing: why they do not.
CALIBRATION = Contract(
    "CALIBRATION",
    TEXT("number", "description", "unit"),
    REAL("before", "measured", "low", "high", "error"),
    COUNT("units"),
    TEXT("method", "missing"),
    nullable=("measured", "low", "high", "error", "units", "method", "missing"),
)
# As of scenarios: file systems allow 255 bytes.
_NAME = re.compile(r"(?=.{1,80}$)[a-z0-9]+(-[a-z0-9]+)*")
_DIGITS = 6


class Calibration(NamedTuple):
    """A behaviour in which what a shop's tables say stands in the place of what was assumed.

    Attributes
    ----------
    behaviour
        As it was, with measured quantities, whose range is their 90 % interval and whose source is `source_name`.
    source_name, source
        Entry for params/sources.yaml that says what the numbers were measured from.
    table
        What became of each number, under CALIBRATION.
    """

    behaviour: Behaviour
    source_name: str
    source: Source
    table: pl.DataFrame


def calibrate(shop: Shop, *, like: Behaviour, name: str) -> Calibration:
    """Return a behaviour with the numbers that a shop's tables can say; all others stay as they are in `like`.

    Chances of incidents, who writes to support, how soon and how well the shop answers, what is sent back, who is
    asked, who answers and on which scale, and the share of visits that end in an order. Nothing is read of how
    satisfaction moves customers: tables show what goes together, not what causes what.

    The scales of the answers are read under `extremity`, and those after tickets also under memory, shocks and
    negativity, as they are assumed. Where satisfied customers order more, those who are asked are more satisfied than
    all customers, and so is the measured centre.
    """
    if not _NAME.fullmatch(name):
        raise ParamError(
            f"'{name}' is not a valid behaviour name; use at most 80 lower-case letters, digits and single "
            "hyphens, such as my-shop."
        )
    shop.table("orders")
    source_name = f"{name}-tables"
    found: Outcomes = {}
    if like.experience is not None:
        found |= incidents(shop, like.experience) | tickets(shop, like.experience)
    # How surveys are answered is measured under the service that was measured.
    found |= surveys(shop, with_quantities(like, _measured(like, found, source_name)))
    if like.returns is not None:
        found |= returns(shop)
    if like.sessions is not None:
        found |= conversion(shop)
    changed = with_quantities(like, _measured(like, found, source_name))
    return Calibration(
        behaviour=dataclasses.replace(
            changed,
            name=name,
            title=f"{shop.name}, measured",
            description=(
                f"Measured from tables of {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}; other numbers are "
                f"as in '{like.name}'. {like.description}"
            ),
            # Whoever answers for the example does not answer for this shop.
            owner=None,
            reviewed_on=None,
        ),
        source_name=source_name,
        source=_source(shop),
        table=_table(like, found),
    )


def _measured(like: Behaviour, found: Outcomes, source: str) -> dict[str, Quantity]:
    """Return the quantities that were measured, rounded as they are written, within what their unit allows."""
    measured = {}
    for path, quantity in quantities(like):
        one = found.get(path)
        if isinstance(one, Measurement):
            bounds = quantity.unit
            value, low, high = (float(f"{min(max(number, bounds.low), bounds.high):.{_DIGITS}g}") for number in one[:3])
            measured[path] = dataclasses.replace(
                quantity, value=value, range=(low, high), evidence="measured", source=source
            )
    return measured


def _source(shop: Shop) -> Source:
    counted = shop.table("orders").select(pl.len(), pl.col("customer_id").n_unique())
    orders, customers = counted.collect(engine="streaming").row(0)
    return Source(
        authors=shop.name,
        year=shop.until.year,
        title=f"Tables of {shop.name}, {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}",
        where="The shop's own exports",
        measured=f"{orders:,} orders of {customers:,} customers, with related tables.",
        grade="C",
    )


def _table(like: Behaviour, found: Outcomes) -> pl.DataFrame:
    rows: list[tuple[object, ...]] = []
    for path, quantity in quantities(like):
        if path in found:
            one = found[path]
            number = re.sub(r"incidents\.item_(\d+)", lambda item: like.incidents[int(item[1]) - 1], path)
            says = (*[None] * len(Measurement._fields), one) if isinstance(one, str) else (*one, None)
            rows.append((number, quantity.description, str(quantity.unit), quantity.value, *says))
    return table_of(rows, CALIBRATION)


def behaviour_yaml(behaviour: Behaviour) -> str:
    """Return the text of a behaviour's file; read again, it is an equal behaviour."""
    return text_of({key: value for key, value in _plain(behaviour).items() if key != "name"})


def source_yaml(calibration: Calibration) -> str:
    """Return the text that params/sources.yaml takes on with a calibration."""
    return text_of({calibration.source_name: _plain(calibration.source)})


def require_new_behaviour(name: str) -> Path:
    """Return the file that a behaviour of this name would have."""
    file = root() / "params" / "behaviour" / f"{name}.yaml"
    if file.exists():
        raise ParamError(f"{shown(file)}: this behaviour already exists; choose another name, or remove the file.")
    if f"{name}-tables" in source_names():
        raise ParamError(
            f"params/{SOURCES_FILE}: the source '{name}-tables' already exists; choose another name, or "
            "remove the entry."
        )
    return file


def write_behaviour(calibration: Calibration) -> tuple[Path, Path]:
    """Write a calibrated behaviour and add its source, each file as a whole or not at all."""
    file = require_new_behaviour(calibration.behaviour.name)
    sources = root() / "params" / SOURCES_FILE
    try:
        before = sources.read_bytes()
        line = b"" if before.endswith(b"\n") else b"\n"
        # The source first: a source that nothing cites does no harm, a citation of nothing is refused.
        _replace(sources, before + line + source_yaml(calibration).encode())
        _replace(file, behaviour_yaml(calibration.behaviour).encode())
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return file, sources


def _replace(file: Path, content: bytes) -> None:
    with written_whole(file) as half:
        half.write_bytes(content)


def _plain(holder: Any) -> dict[str, Plain]:
    """Return a dataclass as a mapping of what it has, without parts that are None."""
    parts = {field.name: getattr(holder, field.name) for field in dataclasses.fields(holder)}
    return {name: _content(part) for name, part in parts.items() if part is not None}


def _content(value: Any) -> Plain:
    if dataclasses.is_dataclass(value):
        return _plain(value)
    if isinstance(value, tuple):
        return [_content(part) for part in value]
    return str(value.value) if isinstance(value, Enum) else value
