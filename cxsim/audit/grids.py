"""Two tables of texts in; the rows and columns in which they differ out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from cxsim.audit.difference import Difference
from cxsim.report.twins import Twin

_MOST_WORDS_OF_A_LABEL = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table as it can be read anywhere.

    Attributes
    ----------
    columns
        Heads of the columns.
    rows
        Texts of the cells; a row may be shorter than the heads.
    labels
        What each row is called.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]


def grid_of_csv(text: str) -> Grid:
    """Return a table from CSV."""
    lines = [tuple(line) for line in csv.reader(io.StringIO(text, newline=""))]
    return _labelled(lines[0] if lines else (), tuple(lines[1:]))


def grid_of_twin(twin: Twin) -> Grid:
    """Return the twin of a table as texts, numbers to their last digit."""
    cells = tuple(tuple("" if value is None else str(value) for value in row) for row in twin.rows)
    return _labelled(twin.columns, cells)


def grid_differences(said: Grid, made: Grid, where: str) -> Iterator[Difference]:
    """Yield where two tables differ: heads first, then cells, row by row."""
    for number, (mine, other) in enumerate(zip_longest(said.columns, made.columns), start=1):
        if mine != other:
            yield Difference(where=f"{where}, head of column {number}", said=mine, made=other)
    if len(said.rows) == len(made.rows):
        for place in range(len(said.rows)):
            yield from _cells(said, made, (place, place), where)
        return
    matcher = SequenceMatcher(None, said.labels, made.labels, autojunk=False)
    for word, begin, end, start, stop in matcher.get_opcodes():
        if word == "equal":
            for step in range(end - begin):
                yield from _cells(said, made, (begin + step, start + step), where)
            continue
        for place in range(begin, end):
            row = ", ".join(said.rows[place])
            yield Difference(where=f"{where}, row {said.labels[place]}", said=row, made=None)
        for place in range(start, stop):
            row = ", ".join(made.rows[place])
            yield Difference(where=f"{where}, row {made.labels[place]}", said=None, made=row)


def _cells(said: Grid, made: Grid, places: tuple[int, int], where: str) -> Iterator[Difference]:
    mine, other = said.rows[places[0]], made.rows[places[1]]
    if mine == other:
        return
    for number, (cell, again) in enumerate(zip_longest(mine, other)):
        if cell != again:
            heads = said.columns if number < len(said.columns) else made.columns
            head = heads[number] if number < len(heads) and heads[number] else str(number + 1)
            place = f"{where}, row {said.labels[places[0]]}, column {head}"
            yield Difference(where=place, said=cell, made=again)


def _labelled(columns: Sequence[str], rows: tuple[tuple[str, ...], ...]) -> Grid:
    """Call each row by as few of its first cells as tell it from all others, else by its number too."""
    for words in range(1, min(len(columns), _MOST_WORDS_OF_A_LABEL) + 1):
        labels = [", ".join(row[:words]) for row in rows]
        if len(set(labels)) == len(labels):
            return Grid(columns=tuple(columns), rows=rows, labels=tuple(labels))
    labels = [f"{number} ({row[0]})" if row else str(number) for number, row in enumerate(rows, start=1)]
    return Grid(columns=tuple(columns), rows=rows, labels=tuple(labels))
