"""A study and what moves it in; every assumption with its owner, grade, distribution and rank, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from cxsim.business_tables import REGISTER
from cxsim.quantity import Quantity
from cxsim.scenario import Scenario, assumptions
from cxsim.study import Study
from cxsim.tables import check, empty
from cxsim.units import BOUNDS, Scale

Reviewed = tuple[str | None, date | None]
_SCALES: Mapping[Scale, str] = {"log": "log-normal", "logit": "logit-normal", "linear": "normal"}
# Halves whose widths differ by less than this share are called alike: they do, as ranges are written in round numbers.
_ALIKE = 0.05
_UNFOUND = "E"
_SEARCHED = "searched, not believed"


def case_register(study: Study, tornado: pl.DataFrame, information: pl.DataFrame) -> pl.DataFrame:
    """Return every number that a study assumes, who answers for it, how good it is, and how much depends on it."""
    grades = {str(name): str(grade) for name, grade in study.sources.select("id", "grade").iter_rows()}
    owners = dict(_owners(study.scenario))
    moved = (
        tornado.group_by("id")
        .agg(pl.col("swing").max())
        .sort(["swing", "id"], descending=[True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    )
    rows = [
        {"id": identifier, **_believed(quantity, grades), **_reviewed(owners.get(_file(identifier), (None, None)))}
        for identifier, _, quantity in assumptions(study.scenario)
    ]
    searched = [f"strategies/{one.name}/{one.searches}" for one in study.scenario.searched]
    schema = {name: kind for name, kind in empty(REGISTER).schema.items() if name in rows[0]}
    table = (
        study.assumptions.join(pl.DataFrame(rows, schema=schema), on="id", how="left", maintain_order="left")
        .join(moved, on="id", how="left", maintain_order="left")
        .join(information.group_by("id").agg(pl.col("worth").max()), on="id", how="left", maintain_order="left")
        .with_columns(
            distribution=pl.when(pl.col("id").is_in(searched)).then(pl.lit(_SEARCHED)).otherwise("distribution")
        )
    )
    return check(table.select(list(REGISTER.columns)), REGISTER)


def in_words(quantity: Quantity) -> str:
    """Return what is believed of a quantity, as the name of a distribution.

    Each is two half normals on the scale of the unit (logarithm, logit or linear), which meet at the value; where they
    are not equally wide, the wider side is named.
    """
    low, high = quantity.range
    if low == high:
        return "fixed"
    scale = BOUNDS[quantity.unit].scale
    below, above = (abs(_on(scale, end) - _on(scale, quantity.value)) for end in (low, high))
    if min(below, above) == 0.0:
        return f"{_SCALES[scale]}, {'above' if above else 'below'} only"
    if abs(above - below) <= _ALIKE * max(above, below):
        return _SCALES[scale]
    return f"{_SCALES[scale]}, wider {'above' if above > below else 'below'}"


def _on(scale: Scale, value: float) -> float:
    match scale:
        case "log":
            return math.log(value)
        case "logit":
            return math.log(value) - math.log1p(-value)
        case "linear":
            return value


def _believed(quantity: Quantity, grades: Mapping[str, str]) -> dict[str, str | None]:
    fixed = quantity.range[0] == quantity.range[1]
    unfound = None if fixed else _UNFOUND
    grade = unfound if quantity.evidence == "assumed" else grades.get(quantity.source or "")
    return {"distribution": in_words(quantity), "grade": grade}


def _reviewed(answered: Reviewed) -> dict[str, object]:
    return {"owner": answered[0], "reviewed_on": answered[1]}


def _file(identifier: str) -> str:
    """Return the kind and the name of the file in which a number stands, such as economics/cdnow."""
    return "/".join(identifier.split("/")[:2])


def _owners(scenario: Scenario) -> Iterator[tuple[str, Reviewed]]:
    economics, behaviour = scenario.economics, scenario.behaviour
    yield f"economics/{economics.name}", (economics.owner, economics.reviewed_on)
    yield f"behaviour/{behaviour.name}", (behaviour.owner, behaviour.reviewed_on)
    for strategy in scenario.strategies:
        yield f"strategies/{strategy.name}", (strategy.owner, strategy.reviewed_on)
