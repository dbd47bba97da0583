"""Two reports in; which assumptions, results and ingredients are not the same in both, out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from cxsim.errors import ReportError
from cxsim.reporting.drawings import tables_in
from cxsim.reporting.workbook import Twin, Value

Row = Mapping[str, Value]


def keyed_rows(twin: Twin | None, keys: tuple[str, ...]) -> dict[tuple[Value, ...], Row]:
    """Return the rows of a table by their keys, in their order."""
    if twin is None or not set(keys) <= set(twin.columns):
        return {}
    found: dict[tuple[Value, ...], Row] = {}
    for values in twin.rows:
        row = dict(zip(twin.columns, values, strict=True))
        found.setdefault(tuple(row[key] for key in keys), row)
    return found


# The register is the longer one: it knows owners as well. Only what both reports carry can be compared.
_TABLES = ("register", "assumptions")
FIELDS = ("value", "low", "high", "unit", "distribution", "evidence", "grade", "source", "owner", "reviewed_on")

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssumptionMove:
    """One field of an assumption that is not the same in two reports.

    Attributes
    ----------
    how
        `added`: only the second has the assumption; `removed`: only the first; `changed`: both.
    id, belongs_to, description, unit
        Of the assumption.
    field
        What changed, such as `value`, `low`, `evidence`; `value` of one that was added or removed.
    before, after
        None where there is nothing.
    """

    how: How
    id: str
    belongs_to: str
    description: str
    unit: str
    field: str
    before: Value
    after: Value


def moved_assumptions(before: Mapping[str, Twin], after: Mapping[str, Twin]) -> Iterator[AssumptionMove]:
    """Yield the assumptions that are not the same: changed ones in their order, then removed, then added ones."""
    name = next((name for name in _TABLES if name in before and name in after), None)
    if name is None:
        return
    old, new = keyed_rows(before[name], ("id",)), keyed_rows(after[name], ("id",))
    for key, row in old.items():
        if key in new:
            for field in FIELDS:
                if field in row and field in new[key] and row[field] != new[key][field]:
                    yield _move("changed", new[key], field, (row[field], new[key][field]))
    for key, row in old.items():
        if key not in new:
            yield _move("removed", row, "value", (row.get("value"), None))
    for key, row in new.items():
        if key not in old:
            yield _move("added", row, "value", (None, row.get("value")))


def _move(how: How, row: Row, field: str, values: tuple[Value, Value]) -> AssumptionMove:
    alt_text = {name: str(row.get(name) or "") for name in ("id", "belongs_to", "description", "unit")}
    return AssumptionMove(how=how, field=field, before=values[0], after=values[1], **alt_text)


_OURS = re.compile(r'<meta name="generator" content="cxsim[^"]*">')
_SCRIPT = r'<script id="{}" type="application/json">(.*?)</script>'
# The meta elements stand before the style sheet.
_HEAD = 4_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A report as it was read.

    Attributes
    ----------
    path
        The HTML file.
    text
        All of it.
    provenance
        What it says of its making.
    tables
        Those of its tables that the page carries, by their ids; None where it carries none.
    """

    path: Path
    text: str
    provenance: Mapping[str, object]
    tables: Mapping[str, Twin] | None


def read_report(path: Path) -> Finished:
    """Read a report."""
    text = _text(path)
    if not _OURS.search(text[:_HEAD]):
        raise ReportError(f"{path}: this is no report of cxsim; name an HTML file that `cxsim report` has written.")
    found = embedded_text(text, "provenance")
    if found is None:
        raise ReportError(f"{path}: the report has no provenance, by which it could be made again or compared.")
    try:
        provenance = json.loads(found)
    except ValueError as error:
        raise ReportError(f"{path}: its provenance is not JSON: {error}.") from error
    if not isinstance(provenance, dict):
        raise ReportError(f"{path}: its provenance is no mapping of names to values.")
    tables = embedded_text(text, "tables")
    try:
        return Finished(
            path=path, text=text, provenance=provenance, tables=None if tables is None else tables_in(tables)
        )
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def embedded_text(page: str, name: str) -> str | None:
    """Return what a page carries in its script element of this id; None where there is none."""
    found = re.search(_SCRIPT.format(name), page, re.DOTALL)
    return found[1] if found else None


def _text(path: Path) -> str:
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; name the HTML file of a report.")
    try:
        return path.read_bytes().decode()
    except FileNotFoundError as error:
        raise ReportError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise ReportError(f"{path}: the report cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: this is no report of cxsim: it is not written in UTF-8.") from error


About = Literal["content", "program"]

_LONGEST = 90
_BEFORE = 40
_MOST_IN_ONE_PLACE = 5
_ENDS_OF_LINES = {ord("\n"): "↵", ord("\r"): "␍"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A place at which a report and its second making differ.

    Attributes
    ----------
    where
        The place, as a reader finds it.
    said
        What the report says there; None where it says nothing.
    made
        What was made; None where nothing was.
    about
        `program` for a commit or a version that the report was made with, `content` for all else.
    """

    where: str
    said: str | None
    made: str | None
    about: About = "content"

    def sentence(self, now: str = "made again it is") -> str:
        """Return the difference in words; `now` leads to what stands there instead."""
        if self.said is None and self.made is None:
            return f"{self.where}."
        if self.made is None:
            return f"{self.where}: only the report has it: {_quoted(self.said)}."
        if self.said is None:
            return f"{self.where}: the report lacks it; {now} {_quoted(self.made)}."
        said, made = parted(self.said, self.made)
        return f"{self.where}: the report says {_quoted(said)}; {now} {_quoted(made)}."


def parted(said: str, made: str) -> tuple[str, str]:
    """Return two texts, cut to the surroundings of the first letter in which they differ."""
    start = max(0, first_difference(said, made) - _BEFORE)
    return _window(said, start), _window(made, start)


def first_difference(said: str | bytes, made: str | bytes) -> int:
    """Return the place of the first letter or byte in which two texts differ, from 0."""
    shorter = min(len(said), len(made))
    return next((place for place in range(shorter) if said[place] != made[place]), shorter)


def few(found: Iterable[Difference], where: str) -> Iterator[Difference]:
    """Yield the first differences of one part of a report, then how many more it has."""
    listed = list(found)
    yield from listed[:_MOST_IN_ONE_PLACE]
    if len(listed) > _MOST_IN_ONE_PLACE:
        about: About = "program" if all(one.about == "program" for one in listed) else "content"
        where = f"{where}: {len(listed) - _MOST_IN_ONE_PLACE:,} more differ"
        yield Difference(where=where, said=None, made=None, about=about)


def marked(place: Difference, program: Mapping[str, str]) -> Difference:
    """Return a difference with the mark of the program, where another commit or version explains all of it."""
    said, made = place.said or "", place.made or ""
    if any(one in said and said.replace(one, other) == made for one, other in program.items()):
        return replace(place, about="program")
    return place


def _window(text: str, start: int) -> str:
    if len(text) <= _LONGEST:
        return text
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _quoted(text: str | None) -> str:
    shown = (text or "").translate(_ENDS_OF_LINES)
    shown = shown if len(shown) <= 2 * _LONGEST else f"{shown[: 2 * _LONGEST]}…"
    return f"‘{shown}’" if shown else "empty"


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


# Told already, row by row.
_ALT_TEXT = frozenset({"returns", "decision", "portfolio"})
_ASSUMPTIONS = frozenset({"register", "assumptions"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TableMove:
    """A table that is not the same in two reports.

    Attributes
    ----------
    id, title
        Of the table; the title is empty where neither page carries it.
    what
        In words: how many cells and rows differ, or which report lacks it.
    first
        Place of the first difference; empty where the page does not carry the table.
    """

    id: str
    title: str
    what: str
    first: str


def moved_tables(before: Finished, after: Finished) -> Iterator[TableMove]:
    """Yield the further tables that are not the same, by their ids."""
    hashes, others = _hashes(before), _hashes(after)
    old, new = before.tables or {}, after.tables or {}
    for name in sorted((hashes.keys() | others.keys() | old.keys() | new.keys()) - _carried_by_both(old, new)):
        one, other = old.get(name), new.get(name)
        title = (other or one).title if (other or one) else ""  # type: ignore[union-attr]  # one of them is there
        if name not in others and other is None:
            yield TableMove(id=name, title=title, what="only in the first report", first="")
        elif name not in hashes and one is None:
            yield TableMove(id=name, title=title, what="only in the second report", first="")
        elif one is not None and other is not None:
            pair = _untold(one, other) if name in _ASSUMPTIONS else (one, other)
            yield from _inside(name, *pair)
        elif hashes.get(name) != others.get(name):
            yield TableMove(id=name, title=title, what="it differs; the pages do not both carry it", first="")


def _carried_by_both(old: Mapping[str, Twin], new: Mapping[str, Twin]) -> frozenset[str]:
    return frozenset(name for name in _ALT_TEXT if name in old and name in new)


def _untold(one: Twin, other: Twin) -> tuple[Twin, Twin]:
    """Return what two registers say beside the assumptions themselves, such as how much depends on each."""
    ids = [{row["id"] for row in keyed_rows(twin, ("id",)).values()} for twin in (one, other)]
    return _restricted(one, ids[0] & ids[1]), _restricted(other, ids[0] & ids[1])


def _restricted(twin: Twin, ids: set[Value]) -> Twin:
    columns = tuple(column for column in twin.columns if column == "id" or column not in FIELDS)
    found = [row for key, row in keyed_rows(twin, ("id",)).items() if key[0] in ids]
    rows = tuple(tuple(row[column] for column in columns) for row in found)
    return Twin(id=twin.id, title=twin.title, columns=columns, rows=rows)


def _inside(name: str, one: Twin, other: Twin) -> Iterator[TableMove]:
    found = list(grid_differences(grid_of_twin(one), grid_of_twin(other), name))
    if found:
        rows = sum(place.said is None or place.made is None for place in found)
        cells = len(found) - rows
        parts = [f"{cells:,} {'cell' if cells == 1 else 'cells'}"] if cells else []
        parts += [f"{rows:,} {'row' if rows == 1 else 'rows'} only in one of them"] if rows else []
        yield TableMove(id=name, title=other.title, what=", ".join(parts), first=found[0].where)


def _hashes(report: Finished) -> dict[str, str]:
    found = report.provenance.get("tables_sha256")
    entries = found.items() if isinstance(found, Mapping) else ()
    return {str(name).removesuffix(".csv"): str(value) for name, value in entries if str(name).endswith(".csv")}


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
_RESULTS_TABLES = {"returns": "strategy", "decision": "strategy", "portfolio": "name"}


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
    alt_text = set[tuple[str, Value, Value]]()
    for move in _all(before, after):
        # What stands in two tables is told once, by the first, unless they do not say the same.
        same = (move.strategy, move.before, move.after)
        if move.table == "returns" or same not in alt_text:
            yield move
        alt_text.add(same)


def _all(before: Mapping[str, Twin], after: Mapping[str, Twin]) -> Iterator[ResultMove]:
    for table, key in _RESULTS_TABLES.items():
        if table not in before or table not in after:
            continue
        old, new = keyed_rows(before[table], (key,)), keyed_rows(after[table], (key,))
        for name in dict.fromkeys([*old, *new]):
            yield from _of_row((table, str(name[0])), old.get(name), new.get(name))


def _of_row(place: tuple[str, str], one: Row | None, other: Row | None) -> Iterator[ResultMove]:
    if one is None or other is None:
        has = (place[1] if one else None, place[1] if other else None)
        yield _results_move(place, one or other or {}, "strategy", has, None)
        return
    for figure in other:
        if figure in one and figure != "title" and not figure.endswith("mc_error") and one[figure] != other[figure]:
            pair = (one[figure], other[figure])
            yield _results_move(place, other, figure, pair, _errors(one, other, _ERRORS.get(figure)))


def _errors(one: Row, other: Row, error: str | None) -> float | None:
    found = [] if error is None else [row.get(error) for row in (one, other)]
    numbers = [value for value in found if isinstance(value, (int, float))]
    return sum(numbers) if len(numbers) == 2 else None


def _results_move(
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


_ABSENT = object()


def json_differences(said: object, made: object, where: str, path: str = "") -> Iterator[Difference]:
    """Yield where two JSON contents differ, in the order of the first one."""
    if isinstance(said, Mapping) and isinstance(made, Mapping):
        for key in dict.fromkeys([*said, *made]):
            inner = f"{path}.{key}" if path else str(key)
            yield from json_differences(said.get(key, _ABSENT), made.get(key, _ABSENT), where, inner)
    elif isinstance(said, list) and isinstance(made, list):
        for place in range(max(len(said), len(made))):
            one, other = (content[place] if place < len(content) else _ABSENT for content in (said, made))
            yield from json_differences(one, other, where, f"{path}[{place}]")
    elif type(said) is not type(made) or said != made:
        yield Difference(
            where=f"{where}, {path}" if path else where, said=_json_places_text(said), made=_json_places_text(made)
        )


def _json_places_text(content: object) -> str | None:
    if content is _ABSENT:
        return None
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, sort_keys=True)


# Hashes of results and of tables: what moved in them is told by the tables themselves.
_ALT_TEXT_BY_TABLES = frozenset({"tables_sha256", "ledger_sha256", "values_sha256", "series_sha256", "curve_sha256"})

# Where a report lies, and whether its ingredients do so as well.
_OF_THE_FILE = ("report.page", "report.paths_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What is not the same in two reports.

    Attributes
    ----------
    before, after
        The HTML files.
    identical
        Whether they are the same to the byte.
    ingredients
        What they were made from and differs: scenario, seed, draws, orders, files, notebook, versions, commit. `said`
        is of the first, `made` of the second.
    assumptions
        What was added, removed and changed.
    results
        What moved, strategy by strategy.
    tables
        Further tables that are not the same, and those that are only in one.
    """

    before: Path
    after: Path
    identical: bool
    ingredients: tuple[Difference, ...]
    assumptions: tuple[AssumptionMove, ...]
    results: tuple[ResultMove, ...]
    tables: tuple[TableMove, ...]

    @property
    def moved(self) -> bool:
        """Whether any assumption, result or table is another; a commit or a version alone moves nothing."""
        return bool(self.assumptions or self.results or self.tables)


def compare(before: Path, after: Path) -> Comparison:
    """Compare two reports by what they carry; nothing is made again, and no folder of tables is needed."""
    one, other = read_report(before), read_report(after)
    said, made = _tables(one), _tables(other)
    return Comparison(
        before=before,
        after=after,
        identical=one.text == other.text,
        ingredients=tuple(_ingredients(one.provenance, other.provenance)),
        assumptions=tuple(moved_assumptions(said, made)),
        results=tuple(moved_results(said, made)),
        tables=tuple(moved_tables(one, other)),
    )


def _tables(report: Finished) -> Mapping[str, Twin]:
    if report.tables is None:
        raise ReportError(
            f"{report.path}: the page carries no tables, so there is nothing to compare; make it anew with "
            f"{report.provenance.get('command', '`cxsim report`')}."
        )
    return report.tables


def _ingredients(said: Mapping[str, object], made: Mapping[str, object]) -> Iterator[Difference]:
    pair = ({name: entry for name, entry in one.items() if name not in _ALT_TEXT_BY_TABLES} for one in (said, made))
    for place in json_differences(next(pair), next(pair), ""):
        where = place.where.removeprefix(", ")
        if where.startswith(_OF_THE_FILE):
            continue
        about: About = "program" if where.startswith(("commit", "versions")) else "content"
        yield Difference(where=where, said=place.said, made=place.made, about=about)
