"""Two reports in; which assumptions, results, tables and ingredients are not the same in both, out."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cxsim.errors import ReportError, naming
from cxsim.reporting.twins import Twin, Value, tables_in

Row = Mapping[str, Value]
Tables = Mapping[str, Twin]
About = Literal["content", "program"]
How = Literal["changed", "removed", "added"]
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
# Beginnings of entries of the provenance that speak of the program, not of what it was given or what it found.
_PROGRAM = ("commit", "version")
# Hashes of results and of tables: what moved in them is shown by the tables themselves.
_SHOWN_BY_TABLES = ("tables_sha256", "ledger_sha256", "values_sha256", "series_sha256", "curve_sha256")
# Where a report lies, and whether its ingredients do so as well.
_OF_THE_FILE = ("report.page", "report.paths_")
_LONGEST, _BEFORE = 90, 40
# Stands where one of two contents has nothing.
ABSENT = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A place at which two reports differ, or a report and its second making."""

    where: str  # as a reader finds it
    before: str | None  # None where nothing stands there
    after: str | None
    about: About = "content"  # `program` for a commit or a version that the report was made with

    def sentence(self, now: str = "the rebuilt report has") -> str:
        """Return the difference in words; `now` leads to what stands there instead."""
        if self.before is None and self.after is None:
            return f"{self.where}."
        if self.after is None:
            return f"{self.where}: only in the report: {_quoted(self.before or '')}."
        if self.before is None:
            return f"{self.where}: missing from the report; {now} {_quoted(self.after)}."
        start = length_in_common(self.before, self.after) - _BEFORE
        return f"{self.where}: the report has {_quoted(self.before, start)}; {now} {_quoted(self.after, start)}."


def length_in_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many letters, or lines, are the same before the first that is not."""
    differing = (place for place, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs)
    return next(differing, min(len(one), len(other)))


def _quoted(text: str, start: int = 0) -> str:
    """Return a text in quotation marks; of a long one, what begins at a letter."""
    start = max(start, 0) if len(text) > _LONGEST else 0
    end = start + _LONGEST
    shown = f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
    return f"‘{shown}’".replace("\n", "↵").replace("\r", "␍") if text else "empty"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssumptionMove:
    """One field of an assumption that is not the same in two reports."""

    how: How  # whether the first, the second or both have the assumption
    id: str
    belongs_to: str
    description: str
    unit: str
    field: str  # what changed, such as `low`; `value` of one that was added or removed
    before: Value  # None where nothing stands there
    after: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultMove:
    """One figure of a strategy, or of a set of strategies, that is not the same in two reports."""

    table: str  # returns, decision or portfolio
    strategy: str
    title: str
    figure: str  # such as `roi`; `strategy` where only one report has it at all
    before: Value  # money in units of the currency, shares 0 to 1; None where nothing stands there
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

    before: Path
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


class Finished(NamedTuple):
    """A report as it was read."""

    path: Path
    text: str
    provenance: Mapping[str, Any]  # how it was made
    tables: Tables | None  # those that the page carries, by their ids; None where it carries none


def compare(before: Path, after: Path) -> Comparison:
    """Compare two reports by what they carry; nothing is made again, and no folder of tables is needed."""
    one, other = reports = read_report(before), read_report(after)
    old, new = map(_tables, reports)
    return Comparison(
        before=before,
        after=after,
        identical=one.text == other.text,
        ingredients=tuple(_ingredients(reports)),
        assumptions=tuple(_moved_assumptions(old, new)),
        results=tuple(_moved_results(old, new)),
        tables=tuple(_moved_tables(old, new, *(texts_in(one.provenance, "tables_sha256") for one in reports))),
    )


def read_report(path: Path) -> Finished:
    """Read a report."""
    with naming(path, "it cannot be read as a report"):
        text = path.read_bytes().decode(errors="surrogateescape")
    # The meta elements stand before the style sheet.
    if '<meta name="generator" content="cxsim' not in text[:4_000]:
        raise ReportError(f"{path}: this is not a cxsim report; name an HTML file written by `cxsim report`.")
    found, tables = (embedded_in(text, name) for name in ("provenance", "tables"))
    with of_report(path):
        if found is None:
            raise ReportError("the report has no provenance record, so it cannot be reproduced or compared.")
        carried = None if tables is None else tables_in(tables)
        try:
            provenance = dict(json.loads(found))
        except (ValueError, TypeError) as error:
            raise ReportError(f"its provenance is not a JSON object of names and values: {error}.") from error
    return Finished(path=path, text=text, provenance=provenance, tables=carried)


@contextlib.contextmanager
def of_report(path: Path, problem: str = "") -> Iterator[None]:
    """Say of which report a message is."""
    try:
        yield
    except ReportError as error:
        raise ReportError(f"{path}: {problem}{error}") from error


def embedded_in(page: str, name: str) -> str | None:
    """Return what a page carries in its script element of this id; None where there is none."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.DOTALL)
    return found[1] if found else None


def texts_in(provenance: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the texts of a group of entries, such as hashes of files; none where there is no such group."""
    found = provenance.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def moves(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield where two contents differ: the names that lead there, and what stands there, which may be ABSENT."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from moves(one.get(key, ABSENT), other.get(key, ABSENT), (*path, key))
    elif type(one) is not type(other) or one != other:
        yield path, one, other


def differences(pair: Iterable[object], where: str = "", sign: str = ".") -> Iterator[Difference]:
    """Yield where the two contents of a pair differ, as text; a place is called such as `versions.polars`."""
    one, other = pair
    for path, *found in moves(one, other):
        before, after = map(_text, found)
        about: About = "program" if path[0].startswith(_PROGRAM) else "content"
        yield Difference(where=where + sign.join(path), before=before, after=after, about=about)


def table_differences(one: Twin, other: Twin, where: str) -> Iterator[Difference]:
    """Yield where two tables differ: heads of columns, then cells row by row, numbers to their last digit."""
    return differences(_laid_side_by_side(one, other), where, ", ")


def _laid_side_by_side(one: Twin, other: Twin) -> Iterator[Mapping[str, object]]:
    """Yield the contents of two tables by the names of rows and of columns that both have."""
    labels = [_labels(one), _labels(other)]
    # Rows of tables of one length stand for each other, whatever they are called.
    if len(labels[0]) == len(labels[1]) and one.id not in _ASSUMPTIONS:
        labels[1] = labels[0]
    shared = [column for column in one.columns if column in other.columns]
    for twin, names in zip((one, other), labels, strict=True):
        rows = [{f"column {column}": row[column] for column in shared} for row in twin.records()]
        yield {"columns": ", ".join(twin.columns)} | dict(zip([f"row {name}" for name in names], rows, strict=True))


def _labels(twin: Twin) -> list[str]:
    """Call each row by as few of its first cells, at most four, as tell it from all others, else by its number too."""
    for words in range(1, 5):
        labels = [", ".join(str(_text(cell)) for cell in row[:words]) for row in twin.rows]
        if len(set(labels)) == len(labels):
            return labels
    return [f"{number} ({_text(row[0])})" for number, row in enumerate(twin.rows, start=1)]


def _text(content: object) -> str | None:
    if content is ABSENT:
        return None
    return (
        content if isinstance(content, str) else "none" if content is None else json.dumps(content, ensure_ascii=False)
    )


def _tables(report: Finished) -> Tables:
    if report.tables is None:
        raise ReportError(
            f"{report.path}: the page carries no tables, so there is nothing to compare; rebuild it with "
            f"{report.provenance.get('command', '`cxsim report`')}."
        )
    return report.tables


def _ingredients(reports: Sequence[Finished]) -> Iterator[Difference]:
    entries = ({**report.provenance, **dict.fromkeys(_SHOWN_BY_TABLES)} for report in reports)
    return (place for place in differences(entries) if not place.where.startswith(_OF_THE_FILE))


def _moved_rows(old: Twin, new: Twin, key: str, whole: str) -> Iterator[tuple[str, str, list[Value], list[Row | None]]]:
    """Yield the row, the column, both values and both rows of what is not the same.

    Of a row that only one table has, that is what stands in the column `whole`, without the name of a column.
    """
    before, after = ({str(row[key]): row for row in twin.records()} for twin in (old, new))
    for (name, *column), *found in moves(before, after):
        rows: list[Row | None] = [before.get(name), after.get(name)]
        if not column:
            yield name, "", [row[whole] if row else None for row in rows], rows
        elif ABSENT not in found:
            yield name, column[0], found, rows


def _moved_assumptions(old: Tables, new: Tables) -> Iterator[AssumptionMove]:
    """Yield the fields of assumptions that are not the same; of one that only one report has, its value."""
    for table in [name for name in _ASSUMPTIONS if name in old and name in new][:1]:
        for _, field, values, rows in _moved_rows(old[table], new[table], "id", "value"):
            row = rows[1] or rows[0] or {}
            if field in ("", *FIELDS):
                texts = {name: str(row.get(name) or "") for name in ("id", "belongs_to", "description", "unit")}
                how: How = "changed" if field else "removed" if rows[0] else "added"
                yield AssumptionMove(how=how, field=field or "value", before=values[0], after=values[1], **texts)


def _moved_results(old: Tables, new: Tables) -> Iterator[ResultMove]:
    """Yield the results that are not the same; what stands in two tables once, by the first, unless they disagree."""
    shown = set[tuple[Value, ...]]()
    for table, key in _RESULTS.items():
        if table in old and table in new:
            for name, figure, values, rows in _moved_rows(old[table], new[table], key, key):
                same = (name, *values)
                if figure != "title" and not figure.endswith("mc_error") and (table == "returns" or same not in shown):
                    yield _result_move(table, name, figure or "strategy", values, [row for row in rows if row])
                shown.add(same)


def _result_move(table: str, name: str, figure: str, values: Sequence[Value], rows: Sequence[Row]) -> ResultMove:
    numbers = [*values, *(row.get(_ERRORS.get(figure, "")) for row in rows)]
    known = [number for number in numbers if isinstance(number, (int, float))]
    errors = sum(known[2:]) if len(known) == 4 else None
    against: Against = "no error known"
    if errors is not None:
        against = "beyond error" if abs(known[1] - known[0]) > errors else "within error"
    return ResultMove(
        table=table,
        strategy=name,
        title=str(rows[-1].get("title") or name),
        figure=figure,
        before=values[0],
        after=values[1],
        errors=errors,
        against=against,
    )


def _moved_tables(
    old: Tables, new: Tables, hashes: Mapping[str, str], others: Mapping[str, str]
) -> Iterator[TableMove]:
    """Yield the further tables that are not the same, by their ids."""
    named = (name.removesuffix(".csv") for name in hashes.keys() | others.keys())
    for name in sorted({*named, *old, *new}):
        one, other, file = old.get(name), new.get(name), f"{name}.csv"
        what = first = ""
        if one and other:
            what, first = ("", "") if name in _RESULTS else _moved_cells(one, other)
        elif not one and file not in hashes:
            what = "only in the second report"
        elif not other and file not in others:
            what = "only in the first report"
        elif hashes.get(file) != others.get(file):
            what = "differs; not embedded in both pages"
        if what:
            yield TableMove(
                id=name, title=next((twin.title for twin in (other, one) if twin), ""), what=what, first=first
            )


def _moved_cells(one: Twin, other: Twin) -> tuple[str, str]:
    """Return how much of two tables differs and where first; of assumptions, what they do not say by themselves."""
    rows, others = _laid_side_by_side(one, other)
    found = [path for path, *_ in moves(rows, others)]
    if one.id in _ASSUMPTIONS:
        found = [path for path in found if len(path) == 2 and path[1].removeprefix("column ") not in FIELDS]
    whole = sum(path[0] != "columns" and len(path) == 1 for path in found)
    counts = ((len(found) - whole, "cell", ""), (whole, "row", " in one report only"))
    parts = [f"{count:,} {noun if count == 1 else f'{noun}s'}{end}" for count, noun, end in counts if count]
    return ", ".join(parts), ", ".join([one.id, *found[0]]) if found else ""
