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
from cxsim.library import SOURCES_FILE, shown
from cxsim.metrics.calibration_fits import Measurement, Outcomes
from cxsim.metrics.calibration_inputs import conversion, incidents, returns, surveys, tickets
from cxsim.params import (
    Plain,
    Quantity,
    Source,
    quantities,
    text_of,
    with_quantities,
    written_whole,
)
from cxsim.strategies.behaviour import Behaviour
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of

# One row per number of the behaviour. number: its place, incidents by name; before: the
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
_NO_CAUSE = "tables do not tell what causes what from what only goes together; an experiment measures it."
# By what the paths of numbers contain that no table says.
_NEVER = {
    r"^traits\.|^experience\..*(shock|negativity|memory|unresolved|_per_deviation)$": _NO_CAUSE,
    r"^surveys\.extremity$": "customers who do not answer do not say how satisfied they are.",
    r"_season\.|^drift\.": "seasons and trends are not read from the tables; compare them with the orders by month.",
}
# A new file begins with it.
_SOURCES_HEADER = "# Where the shop's own numbers come from.\n"


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
        found |= incidents(shop, like.experience)
        counted = with_quantities(like, _measured(like, found, source_name)).experience
        found |= tickets(shop, counted or like.experience)
    # How surveys are answered is measured under the service that was measured.
    found |= surveys(shop, with_quantities(like, _measured(like, found, source_name)))
    if like.returns is not None:
        found |= returns(shop, like.returns)
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
        one = found[path] if path in found else _never(path)
        number = re.sub(r"incidents\.item_(\d+)", lambda item: like.incidents[int(item[1]) - 1], path)
        says = (*[None] * len(Measurement._fields), one) if isinstance(one, str) else (*one, None)
        rows.append((number, quantity.description, str(quantity.unit), quantity.value, *says))
    return table_of(rows, CALIBRATION)


def _never(path: str) -> str:
    """Return why no shop's tables say a number."""
    return next(reason for place, reason in _NEVER.items() if re.search(place, path))


def behaviour_yaml(behaviour: Behaviour) -> str:
    """Return the text of a behaviour's file; read again, it is an equal behaviour."""
    return text_of({key: value for key, value in _plain(behaviour).items() if key != "name"})


def source_yaml(calibration: Calibration) -> str:
    """Return the text that a project's sources.yaml takes on with a calibration."""
    return text_of({calibration.source_name: _plain(calibration.source)})


def require_new_behaviour(name: str, folder: Path) -> Path:
    """Return the file that a behaviour of this name would have in a folder of parameters."""
    file, sources = folder / "behaviour" / f"{name}.yaml", folder / SOURCES_FILE
    if file.exists():
        raise ParamError(f"{shown(file)}: this behaviour already exists; choose another name, or remove the file.")
    if _entry(f"{name}-tables").search(_text(sources)):
        raise ParamError(
            f"{shown(sources)}: the source '{name}-tables' already exists; choose another name, or remove the entry."
        )
    return file


def write_behaviour(calibration: Calibration, folder: Path) -> tuple[Path, Path]:
    """Write a calibrated behaviour and its source into a folder of parameters, each file as a whole or not at all.

    All else in sources.yaml stays as it is.
    """
    file = require_new_behaviour(calibration.behaviour.name, folder)
    sources = folder / SOURCES_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # The source first: a source that nothing cites does no harm, a citation of nothing is refused.
        _replace(
            sources, with_entry(_text(sources) or _SOURCES_HEADER, calibration.source_name, source_yaml(calibration))
        )
        _replace(file, behaviour_yaml(calibration.behaviour))
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return file, sources


def _text(file: Path) -> str:
    """Return the text of a file with its line ends as they are; none where there is no file."""
    try:
        return file.read_bytes().decode() if file.exists() else ""
    except UnicodeDecodeError as cause:
        raise ParamError(f"{shown(file)}: not UTF-8; save the file as UTF-8.") from cause


def _entry(key: str) -> re.Pattern[str]:
    """Match the entry of a key in a file of entries: its line, and the indented ones below."""
    return re.compile(rf"^{re.escape(key)}:[^\n]*\n?(?:[ \t]+[^\n]*\n?|\r?\n(?=[ \t]))*", re.MULTILINE)


def with_entry(text: str, key: str, entry: str) -> str:
    """Return the text of a file of entries with an entry in the place of the earlier one, otherwise at the end."""
    if found := _entry(key).search(text):
        return text[: found.start()] + entry + text[found.end() :]
    return text + ("" if not text or text.endswith("\n") else "\n") + entry


def _replace(file: Path, content: str) -> None:
    with written_whole(file) as half:
        half.write_bytes(content.encode())


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
