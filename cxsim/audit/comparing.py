"""Two reports in; which assumptions, results and ingredients are not the same in both, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cxsim.audit.assumptions import AssumptionMove, moved_assumptions
from cxsim.audit.difference import About, Difference
from cxsim.audit.finished import Finished, read_report
from cxsim.audit.json_places import json_differences
from cxsim.audit.results import ResultMove, moved_results
from cxsim.audit.tables import TableMove, moved_tables
from cxsim.errors import ReportError
from cxsim.report.twins import Twin

# Hashes of results and of tables: what moved in them is told by the tables themselves.
_TOLD_BY_TABLES = frozenset({"tables_sha256", "ledger_sha256", "values_sha256", "series_sha256", "curve_sha256"})

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
    pair = ({name: entry for name, entry in one.items() if name not in _TOLD_BY_TABLES} for one in (said, made))
    for place in json_differences(next(pair), next(pair), ""):
        where = place.where.removeprefix(", ")
        if where.startswith(_OF_THE_FILE):
            continue
        about: About = "program" if where.startswith(("commit", "versions")) else "content"
        yield Difference(where=where, said=place.said, made=place.made, about=about)
