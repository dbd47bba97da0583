"""Two reports in; which assumptions, results, tables and ingredients are not the same in both, out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from cxsim.errors import ReportError
from cxsim.reporting.workbook import Twin, Value, tables_in

Row = Mapping[str, Value]
About = Literal["content", "program"]
How = Literal["added", "removed", "changed"]
Against = Literal["beyond error", "within error", "no error known"]

# The register is the longer one: it knows owners as well. Only what both reports carry can be compared.
_ASSUMPTIONS = ("register", "assumptions")
FIELDS = ("value", "low", "high", "unit", "distribution", "evidence", "grade", "source", "owner", "reviewed_on")
# Tables of results, with the column that tells their rows apart.
_RESULTS = {"returns": "strategy", "decision": "strategy", "portfolio": "name"}
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
# Entries of the provenance that speak of the program, not of what it was given or what it found.
PROGRAM = ("commit", "versions")
# Hashes of results and of tables: what moved in them is shown by the tables themselves.
_SHOWN_BY_TABLES = frozenset({"tables_sha256", "ledger_sha256", "values_sha256", "series_sha256", "curve_sha256"})
# Where a report lies, and whether its ingredients do so as well.
_OF_THE_FILE = ("report.page", "report.paths_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A place at which two reports differ, or a report and its second making."""

    where: str  # as a reader finds it
    before: str | None  # None where nothing stands there
    after: str | None
    about: About = "content"  # `program` for a commit or a version that the report was made with

    def sentence(self, now: str = "made again it is") -> str:
        """Return the difference in words; `now` leads to what stands there instead."""
        if self.before is None and self.after is None:
            return f"{self.where}."
        if self.after is None:
            return f"{self.where}: only the report has it: {_quoted(self.before or '')}."
        if self.before is None:
            return f"{self.where}: the report lacks it; {now} {_quoted(self.after)}."
        differing = (place for place, pair in enumerate(zip_longest(self.before, self.after)) if pair[0] != pair[1])
        start = max(0, next(differing, 0) - _BEFORE)
        first, second = (_quoted(_window(text, start)) for text in (self.before, self.after))
        return f"{self.where}: the report says {first}; {now} {second}."


_LONGEST, _BEFORE = 90, 40


def _window(text: str, start: int) -> str:
    """Return a text cut to the surroundings of the first letter in which it differs from another."""
    if len(text) <= _LONGEST:
        return text
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _quoted(text: str) -> str:
    shown = text.replace("\n", "↵").replace("\r", "␍")
    shown = shown if len(shown) <= 2 * _LONGEST else f"{shown[: 2 * _LONGEST]}…"
    return f"‘{shown}’" if shown else "empty"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssumptionMove:
    """One field of an assumption that is not the same in two reports."""

    how: How  # whether the first, the second or both have the assumption
    id: str
    belongs_to: str
    description: str
    unit: str
    field: str  # what changed, such as `low`; `value` of one that was added or removed
    before: Value  # None where there is nothing  # None where nothing stands there
    after: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultMove:
    """One figure of a strategy, or of a set of strategies, that is not the same in two reports."""

    table: str  # returns, decision or portfolio
    strategy: str
    title: str
    figure: str  # such as `roi`; `strategy` where only one report has it at all
    # None where nothing stands there.
    before: Value  # None where there is nothing  # money in units of the currency, shares 0 to 1
    after: Value
    errors: float | None  # the two simulation errors together; None where no error is known
    against: Against


@dataclass(frozen=True, kw_only=True, slots=True)
class TableMove:
    """A table that is not the same in two reports."""

    id: str
    title: str  # empty where neither page carries it
    what: str  # how many cells and rows differ, or which report lacks it
    first: str  # place of the first difference; empty where the page does not carry the table


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What is not the same in two reports."""

    # None where nothing stands there.
    before: Path  # None where there is nothing  # money in units of the currency, shares 0 to 1
    after: Path
    identical: bool  # to the byte
    ingredients: tuple[Difference, ...]  # scenario, seed, draws, orders, files, notebook, versions, commit
    assumptions: tuple[AssumptionMove, ...]
    results: tuple[ResultMove, ...]
    tables: tuple[TableMove, ...]  # further ones that are not the same, and those that are only in one

    @property
    def moved(self) -> bool:
        """Whether any assumption, result or table is another; a commit or a version alone moves nothing."""
        return bool(self.assumptions or self.results or self.tables)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A report as it was read."""

    path: Path
    text: str
    provenance: Mapping[str, object]  # how it was made
    # Those that the page carries, by their ids; None where it carries none.
    tables: Mapping[str, Twin] | None  # further ones that are not the same, and those that are only in one


def compare(before: Path, after: Path) -> Comparison:
    """Compare two reports by what they carry; nothing is made again, and no folder of tables is needed."""
    one, other = read_report(before), read_report(after)
    old, new = _tables(one), _tables(other)
    return Comparison(
        before=before,
        after=after,
        identical=one.text == other.text,
        ingredients=tuple(_ingredients(one.provenance, other.provenance)),
        assumptions=tuple(_moved_assumptions(old, new)),
        results=tuple(_moved_results(old, new)),
        tables=tuple(_moved_tables(one, other)),
    )


def read_report(path: Path) -> Finished:
    """Read a report."""
    text = _text(path)
    # The meta elements stand before the style sheet.
    if '<meta name="generator" content="cxsim' not in text[:4_000]:
        raise ReportError(f"{path}: this is no report of cxsim; name an HTML file that `cxsim report` has written.")
    found = embedded_in(text, "provenance")
    if found is None:
        raise ReportError(f"{path}: the report has no provenance, by which it could be made again or compared.")
    try:
        provenance = json.loads(found)
    except ValueError as error:
        raise ReportError(f"{path}: its provenance is not JSON: {error}.") from error
    if not isinstance(provenance, dict):
        raise ReportError(f"{path}: its provenance is no mapping of names to values.")
    tables = embedded_in(text, "tables")
    try:
        carried = None if tables is None else tables_in(tables)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error
    return Finished(path=path, text=text, provenance=provenance, tables=carried)


def embedded_in(page: str, name: str) -> str | None:
    """Return what a page carries in its script element of this id; None where there is none."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.DOTALL)
    return found[1] if found else None


def json_differences(one: object, other: object, path: str = "") -> Iterator[Difference]:
    """Yield where two JSON contents differ, in the order of the first one, by path such as `versions.polars`."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            inner = f"{path}.{key}" if path else str(key)
            yield from json_differences(one.get(key, _ABSENT), other.get(key, _ABSENT), inner)
    elif isinstance(one, list) and isinstance(other, list):
        for place, (mine, theirs) in enumerate(zip_longest(one, other, fillvalue=_ABSENT)):
            yield from json_differences(mine, theirs, f"{path}[{place}]")
    elif type(one) is not type(other) or one != other:
        # `program` for a commit or a version that the report was made with.
        about: About = "program" if path.startswith(PROGRAM) else "content"
        yield Difference(where=path, before=_json_text(one), after=_json_text(other), about=about)


def table_differences(one: Twin, other: Twin) -> Iterator[Difference]:
    """Yield where two tables differ: heads of columns, then cells row by row, numbers to their last digit."""
    heads = ", ".join(one.columns), ", ".join(other.columns)
    if heads[0] != heads[1]:
        yield Difference(where=f"{one.id}, columns", before=heads[0], after=heads[1])
    old, new = _labels(one), _labels(other)
    # Rows of tables of one length stand for each other, whatever they are called.
    blocks: Sequence[tuple[str, int, int, int, int]] = [("equal", 0, len(old), 0, len(new))]
    if len(old) != len(new):
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for word, begin, end, start, stop in blocks:
        if word == "equal":
            for label, row, again in zip(old[begin:end], one.rows[begin:end], other.rows[start:stop], strict=True):
                yield from _cells(f"{one.id}, row {label}", _named(one, row), _named(other, again))
            continue
        for label, row in zip(old[begin:end], one.rows[begin:end], strict=True):
            yield Difference(where=f"{one.id}, row {label}", before=", ".join(map(_cell, row)), after=None)
        for label, row in zip(new[start:stop], other.rows[start:stop], strict=True):
            yield Difference(where=f"{one.id}, row {label}", before=None, after=", ".join(map(_cell, row)))


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


_ABSENT = object()


def _json_text(content: object) -> str | None:
    if content is _ABSENT:
        return None
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, sort_keys=True)


def _labels(twin: Twin) -> list[str]:
    """Call each row by as few of its first cells, at most four, as tell it from all others, else by its number too."""
    for words in range(1, min(len(twin.columns), 4) + 1):
        labels = [", ".join(map(_cell, row[:words])) for row in twin.rows]
        if len(set(labels)) == len(labels):
            return labels
    return [f"{number} ({_cell(row[0])})" for number, row in enumerate(twin.rows, start=1)]


def _named(twin: Twin, row: Sequence[Value]) -> Row:
    return dict(zip(twin.columns, row, strict=True))


def _cells(where: str, row: Row, again: Row) -> Iterator[Difference]:
    for column, cell in row.items():
        if column in again and cell != again[column]:
            yield Difference(where=f"{where}, column {column}", before=_cell(cell), after=_cell(again[column]))


def _cell(value: Value) -> str:
    return "" if value is None else str(value)


def _tables(report: Finished) -> Mapping[str, Twin]:
    if report.tables is None:
        raise ReportError(
            f"{report.path}: the page carries no tables, so there is nothing to compare; make it anew with "
            f"{report.provenance.get('command', '`cxsim report`')}."
        )
    return report.tables


def _ingredients(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Difference]:
    old, new = ({name: entry for name, entry in one.items() if name not in _SHOWN_BY_TABLES} for one in (before, after))
    return (place for place in json_differences(old, new) if not place.where.startswith(_OF_THE_FILE))


def _keyed_rows(twin: Twin, key: str) -> dict[Value, Row]:
    """Return the rows of a table by their keys, in their order; of a key that comes twice, the first."""
    rows = [_named(twin, row) for row in twin.rows]
    if key not in twin.columns:
        return {}
    first = {row[key]: row for row in reversed(rows)}
    return {row[key]: first[row[key]] for row in rows}


def _moved_assumptions(old: Mapping[str, Twin], new: Mapping[str, Twin]) -> Iterator[AssumptionMove]:
    """Yield the assumptions that are not the same: changed ones in their order, then removed, then added ones."""
    name = next((name for name in _ASSUMPTIONS if name in old and name in new), None)
    if name is None:
        return
    before, after = (_keyed_rows(tables[name], "id") for tables in (old, new))
    for key, row in before.items():
        for field in FIELDS if key in after else ():
            values = (row.get(field), after[key].get(field))
            if field in row and field in after[key] and values[0] != values[1]:
                yield _assumption_move("changed", after[key], field, values)
    for key, row in before.items():
        if key not in after:
            yield _assumption_move("removed", row, "value", (row.get("value"), None))
    for key, row in after.items():
        if key not in before:
            yield _assumption_move("added", row, "value", (None, row.get("value")))


def _assumption_move(how: How, row: Row, field: str, values: tuple[Value, Value]) -> AssumptionMove:
    texts = {name: str(row.get(name) or "") for name in ("id", "belongs_to", "description", "unit")}
    return AssumptionMove(how=how, field=field, before=values[0], after=values[1], **texts)


def _moved_results(old: Mapping[str, Twin], new: Mapping[str, Twin]) -> Iterator[ResultMove]:
    """Yield the results that are not the same; what stands in two tables once, by the first, unless they disagree."""
    shown = set[tuple[str, Value, Value]]()
    for table, key in _RESULTS.items():
        if table not in old or table not in new:
            continue
        before, after = _keyed_rows(old[table], key), _keyed_rows(new[table], key)
        for name in dict.fromkeys([*before, *after]):
            for move in _moved_figures(table, str(name), before.get(name), after.get(name)):
                same = (move.strategy, move.before, move.after)
                if table == "returns" or same not in shown:
                    yield move
                shown.add(same)


def _moved_figures(table: str, name: str, one: Row | None, other: Row | None) -> Iterator[ResultMove]:
    if one is None or other is None:
        figures: dict[str, tuple[Value, Value]] = {"strategy": (name if one else None, name if other else None)}
    else:
        figures = {
            figure: (one[figure], value)  # such as `roi`; `strategy` where only one report has it at all
            for figure, value in other.items()
            if figure in one and figure != "title" and not figure.endswith("mc_error") and one[figure] != value
        }
    rows = [row for row in (one, other) if row is not None]
    for figure, (before, after) in figures.items():
        errors = [row.get(_ERRORS.get(figure, "")) for row in rows]
        known = [error for error in errors if isinstance(error, (int, float))]
        total = sum(known) if len(known) == 2 else None
        against: Against = "no error known"
        if total is not None and isinstance(before, (int, float)) and isinstance(after, (int, float)):
            against = "beyond error" if abs(after - before) > total else "within error"
        yield ResultMove(
            table=table,
            strategy=name,
            title=str(rows[-1].get("title") or name),
            figure=figure,
            before=before,
            after=after,
            errors=total,
            against=against,
        )


def _moved_tables(before: Finished, after: Finished) -> Iterator[TableMove]:
    """Yield the further tables that are not the same, by their ids."""
    hashes, others = _hashes(before), _hashes(after)
    old, new = before.tables or {}, after.tables or {}
    for name in sorted(hashes.keys() | others.keys() | old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        title = other.title if other else one.title if one else ""
        if one is not None and other is not None:
            if name not in _RESULTS:
                yield from _moved_table(*(_beside_assumptions(one, other) if name in _ASSUMPTIONS else (one, other)))
        elif one is None and name not in hashes:
            yield TableMove(id=name, title=title, what="only in the second report", first="")
        elif other is None and name not in others:
            yield TableMove(id=name, title=title, what="only in the first report", first="")
        elif hashes.get(name) != others.get(name):
            yield TableMove(id=name, title=title, what="it differs; the pages do not both carry it", first="")


def _moved_table(one: Twin, other: Twin) -> Iterator[TableMove]:
    found = list(table_differences(one, other))
    if found:
        rows = sum(place.before is None or place.after is None for place in found)
        cells = len(found) - rows
        parts = [f"{cells:,} {'cell' if cells == 1 else 'cells'}"] if cells else []
        parts += [f"{rows:,} {'row' if rows == 1 else 'rows'} only in one of them"] if rows else []
        yield TableMove(id=one.id, title=other.title, what=", ".join(parts), first=found[0].where)


def _beside_assumptions(one: Twin, other: Twin) -> tuple[Twin, Twin]:
    """Return what two registers hold beside the assumptions themselves, such as how much depends on each."""
    old, new = _keyed_rows(one, "id"), _keyed_rows(other, "id")

    def kept(twin: Twin, mine: Mapping[Value, Row], theirs: Mapping[Value, Row]) -> Twin:
        columns = tuple(column for column in twin.columns if column == "id" or column not in FIELDS)
        rows = tuple(tuple(row[column] for column in columns) for key, row in mine.items() if key in theirs)
        return Twin(id=twin.id, title=twin.title, columns=columns, rows=rows)

    return kept(one, old, new), kept(other, new, old)


def _hashes(report: Finished) -> dict[str, str]:
    found = report.provenance.get("tables_sha256")
    entries = found.items() if isinstance(found, Mapping) else ()
    return {str(name).removesuffix(".csv"): str(value) for name, value in entries if str(name).endswith(".csv")}
