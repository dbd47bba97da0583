"""The tables of two reports in; decisions and figures that moved, and whether by more than simulation error, out.

Both reports know their figures only up to a simulation error. A figure that moved by no more than the two errors
together may be the same; one that moved by more is told apart by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cxsim.audit.rows import Row, keyed_rows
from cxsim.report.twins import Twin, Value

Against = Literal["beyond error", "within error", "no error known"]

# The standard error of a figure's simulation, where the table has one; every other column is a figure or a word.
_ERRORS = {
    "incremental_npv": "npv_mc_error",
    "npv": "npv_mc_error",
    "prob_npv_positive": "prob_mc_error",
    "roi": "roi_mc_error",
    "payback_months": "payback_mc_error",
    "cvar": "cvar_mc_error",
    "gap": "gap_mc_error",
}
# Tables of results, with the column that tells their rows apart.
_TABLES = {"returns": "strategy", "decision": "strategy", "portfolio": "name"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultMove:
    """One figure of a strategy that is not the same in two reports.

    Attributes
    ----------
    table
        Where it stands: `returns`, `decision` or `portfolio`.
    strategy, title
        Of the strategy, or of a set of strategies.
    figure
        Such as `decision`, `incremental_npv`, `roi`; `strategy` where only one report has it at all.
    before, after
        Money in units of the currency, shares 0 to 1; None where there is nothing.
    errors
        The two simulation errors together; None where no error is known.
    against
        Whether it moved by more than that.
    """

    table: str
    strategy: str
    title: str
    figure: str
    before: Value
    after: Value
    errors: float | None
    against: Against


def moved_results(before: Mapping[str, Twin], after: Mapping[str, Twin]) -> Iterator[ResultMove]:
    """Yield the results that are not the same, strategy by strategy in their order."""
    told = set[tuple[str, Value, Value]]()
    for move in _all(before, after):
        # What stands in two tables is told once, by the first, unless they do not say the same.
        same = (move.strategy, move.before, move.after)
        if move.table == "returns" or same not in told:
            yield move
        told.add(same)


def _all(before: Mapping[str, Twin], after: Mapping[str, Twin]) -> Iterator[ResultMove]:
    for table, key in _TABLES.items():
        if table not in before or table not in after:
            continue
        old, new = keyed_rows(before[table], (key,)), keyed_rows(after[table], (key,))
        for name in dict.fromkeys([*old, *new]):
            yield from _of_row((table, str(name[0])), old.get(name), new.get(name))


def _of_row(place: tuple[str, str], one: Row | None, other: Row | None) -> Iterator[ResultMove]:
    if one is None or other is None:
        has = (place[1] if one else None, place[1] if other else None)
        yield _move(place, one or other or {}, "strategy", has, None)
        return
    for figure in other:
        if figure in one and figure != "title" and not figure.endswith("mc_error") and one[figure] != other[figure]:
            pair = (one[figure], other[figure])
            yield _move(place, other, figure, pair, _errors(one, other, _ERRORS.get(figure)))


def _errors(one: Row, other: Row, error: str | None) -> float | None:
    found = [] if error is None else [row.get(error) for row in (one, other)]
    numbers = [value for value in found if isinstance(value, (int, float))]
    return sum(numbers) if len(numbers) == 2 else None


def _move(
    place: tuple[str, str], row: Row, figure: str, values: tuple[Value, Value], errors: float | None
) -> ResultMove:
    before, after = values
    against: Against = "no error known"
    if errors is not None and isinstance(before, (int, float)) and isinstance(after, (int, float)):
        against = "beyond error" if abs(after - before) > errors else "within error"
    return ResultMove(
        table=place[0],
        strategy=place[1],
        title=str(row.get("title") or place[1]),
        figure=figure,
        before=before,
        after=after,
        errors=errors,
        against=against,
    )
