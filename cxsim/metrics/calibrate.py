"""A shop's tables and the behaviour that was assumed in; the same behaviour with what the tables say in it, out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path

import polars as pl

from cxsim.data.shop import Shop
from cxsim.errors import ParamError
from cxsim.metrics.calibration_fits import Measurement, NotMeasured, Outcome
from cxsim.metrics.calibration_inputs import conversion, incidents, returns, surveys, tickets
from cxsim.params import (
    SOURCES_FILE,
    Plain,
    Quantity,
    Source,
    quantities,
    root,
    shown,
    source_names,
    text_of,
    with_quantities,
)
from cxsim.strategies.behaviour import Behaviour
from cxsim.tables import COUNT, REAL, TEXT, Contract, check

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Calibration:
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
            f"'{name}' is no name for a behaviour; use at most 80 small letters, digits and single hyphens, such as "
            "my-shop."
        )
    shop.table("orders")
    source_name = f"{name}-tables"
    found: list[Outcome] = []
    if like.experience is not None:
        found += [*incidents(shop, like.experience), *tickets(shop, like.experience)]
    # How surveys are answered is measured under the service that was measured.
    found += surveys(shop, with_quantities(like, _measured(like, found, source_name)))
    if like.returns is not None:
        found += returns(shop)
    if like.sessions is not None:
        found += conversion(shop)
    changed = with_quantities(like, _measured(like, found, source_name))
    return Calibration(
        behaviour=dataclasses.replace(
            changed,
            name=name,
            title=f"{shop.name}, measured",
            description=_description(shop, like),
            # Whoever answers for the example does not answer for this shop.
            owner=None,
            reviewed_on=None,
        ),
        source_name=source_name,
        source=_source(shop),
        table=_table(like, found),
    )


def _measured(like: Behaviour, found: list[Outcome], source: str) -> dict[str, Quantity]:
    """Return the quantities that were measured, rounded as they are written, within what their unit allows."""
    known = dict(quantities(like))
    measured = {}
    for one in found:
        if isinstance(one, Measurement):
            bounds = known[one.path].unit
            low, value, high = (
                _rounded(min(max(number, bounds.low), bounds.high)) for number in (one.low, one.value, one.high)
            )
            measured[one.path] = dataclasses.replace(
                known[one.path], value=value, range=(low, high), evidence="measured", source=source
            )
    return measured


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _description(shop: Shop, like: Behaviour) -> str:
    return (
        f"Measured from tables of {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}; what they do not say stays as in "
        f"'{like.name}'. {like.description}"
    )


def _source(shop: Shop) -> Source:
    counted = shop.table("orders").select(pl.len(), pl.col("customer_id").n_unique())
    orders, customers = counted.collect(engine="streaming").row(0)
    return Source(
        authors=shop.name,
        year=shop.until.year,
        title=f"Tables of {shop.name}, {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}",
        where="The shop's own exports",
        measured=f"{orders:,} orders of {customers:,} customers, and the tables that belong to them.",
        grade="C",
    )


def _table(like: Behaviour, found: list[Outcome]) -> pl.DataFrame:
    known = dict(quantities(like))
    names = {f"experience.incidents.item_{place}.": one for place, one in enumerate(like.incidents, start=1)}
    rows: list[tuple[object, ...]] = []
    for one in sorted(found, key=lambda one: list(known).index(one.path)):
        quantity, number = known[one.path], one.path
        for start, incident in names.items():
            number = number.replace(start, f"experience.{incident}.")
        head = (number, quantity.description, str(quantity.unit), quantity.value)
        if isinstance(one, NotMeasured):
            rows.append((*head, None, None, None, None, None, None, one.reason))
        else:
            rows.append((*head, one.value, one.low, one.high, one.error, one.units, one.method, None))
    schema = {name: kinds[0] for name, kinds in CALIBRATION.columns.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), CALIBRATION)


def behaviour_yaml(behaviour: Behaviour) -> str:
    """Return the text of a behaviour's file; read again, it is an equal behaviour."""
    content = _plain(behaviour)
    return text_of({key: value for key, value in content.items() if key != "name"})


def source_yaml(calibration: Calibration) -> str:
    """Return the text that params/sources.yaml takes on with a calibration."""
    return text_of({calibration.source_name: dict(_plain(calibration.source))})


def require_new_behaviour(name: str) -> Path:
    """Return the file that a behaviour of this name would have."""
    file = root() / "params" / "behaviour" / f"{name}.yaml"
    if file.exists():
        raise ParamError(f"{shown(file)}: there is such a behaviour already; choose another name, or remove the file.")
    if f"{name}-tables" in source_names():
        raise ParamError(
            f"params/{SOURCES_FILE}: there is a source '{name}-tables' already; choose another name, or "
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
    half = file.with_name(f".{file.name}.half-written")
    try:
        half.write_bytes(content)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)


def _plain(holder: Behaviour | Source) -> Mapping[str, Plain]:
    found = _content(holder)
    if not isinstance(found, dict):
        raise TypeError(type(holder).__name__)
    return found


def _content(value: object) -> Plain:
    """Return a dataclass as a mapping of what it has, without parts that are None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _content(part) for name, part in parts.items() if part is not None}
    if isinstance(value, tuple):
        return [_content(part) for part in value]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str | int | float | date):
        return value
    raise TypeError(type(value).__name__)
