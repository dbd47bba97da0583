"""A report in; the same report made again from what it names, and every place at which the two differ, out.

Hashes say whether a file is the same; where it is not, tables say which cell, the manifest which entry, a text which
line.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cxsim.errors import CxsimError, ReportError
from cxsim.reporting.comparison import (
    About,
    Difference,
    Finished,
    Tables,
    differences,
    embedded_in,
    length_in_common,
    of_report,
    read_report,
    table_differences,
    texts_in,
)
from cxsim.reporting.execute import Parameter, Say
from cxsim.reporting.page import Recipe, make, notebook_hash, place_in_project, recipe_in
from cxsim.reporting.twins import digest, tables_in_json
from cxsim.study.provenance import commit, file_hash

# What a part of a report is called, and the places in it that differ.
Part = tuple[str, Sequence[Difference]]
Files = Mapping[str, bytes]
Agreement = Literal["bytes", "numbers", "neither"]

_MOST_IN_ONE_PLACE = 5
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>")
_TAG = re.compile(r"<[^>]*>")


class Verdict(NamedTuple):
    """Whether a report can be made again."""

    report: Path
    agreement: Agreement  # `numbers`: only commit or versions of packages differ, and the places that name them
    ingredients: tuple[Difference, ...]  # what the report was made from and is otherwise here
    places: tuple[Difference, ...]  # in the order of the page, then of the files beside it
    files: int  # how many beside the page were compared


def verify(report: Path, *, progress: Say | None = None) -> Verdict:
    """Make a report again, from the notebook and the parameters that it names, and compare."""
    finished = read_report(report)
    with of_report(report):
        recipe = recipe_in(finished.provenance)
    with of_report(report, "it cannot be reproduced here: "):
        notebook, parameters = _found(recipe)
    ingredients = [*_ingredients(finished.provenance, recipe, notebook)]
    beside = _beside(report, recipe)
    with tempfile.TemporaryDirectory(prefix="cxsim-verify-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / recipe.page
        try:
            make(notebook, parameters=parameters, title=recipe.title, out=out, code=recipe.code, progress=progress)
        except CxsimError as error:
            here = ["Its inputs differ here:", *(one.sentence("here") for one in ingredients)]
            reason = f"{report}: it cannot be reproduced here: {error}"
            raise ReportError("\n".join([reason, *here] if ingredients else [reason])) from error
        again = read_report(out)
        parts = [*_page_parts(finished, again), *_folder_parts(beside, out)]
    reports = (finished, again)
    ingredients += differences({"orders of the customers": one.provenance.get("customers_sha256")} for one in reports)
    entries = differences(one.provenance for one in reports)
    program = {one.before: one.after for one in entries if one.about == "program" and one.before and one.after}
    places = tuple(place for where, found in parts for place in _few(where, _marked(found, program)))
    return Verdict(
        report=report,
        agreement="bytes" if not places else "numbers" if all(one.about == "program" for one in places) else "neither",
        ingredients=tuple(ingredients),
        places=places,
        files=len(_files(beside)),
    )


def _found(recipe: Recipe) -> tuple[Path, dict[str, Parameter]]:
    """Return notebook and parameters with paths of this machine."""
    if recipe.paths_outside:
        missing = ", ".join(f"{recipe.parameters.get(name, recipe.notebook)} ({name})" for name in recipe.paths_outside)
        raise ReportError(
            f"it uses files outside the project, which a report does not carry: {missing}. "
            "Move them into the project and rebuild the report, so that it can be verified."
        )
    paths = {name: str(place_in_project(str(recipe.parameters.get(name, "")))) for name in recipe.paths_in_project}
    return place_in_project(recipe.notebook), {**recipe.parameters, **paths}


def _beside(report: Path, recipe: Recipe) -> Path:
    """Return the report's folder of tables: of the file's name, or of its name when it was made."""
    folders = [report.with_name(name).with_suffix("") for name in (report.name, recipe.page)]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _ingredients(provenance: Mapping[str, Any], recipe: Recipe, notebook: Path) -> Iterator[Difference]:
    """Yield what a report was made from and is otherwise here: notebook, files of parameters, versions, commit."""
    stored = texts_in(provenance, "parameters_sha256")
    used = texts_in(provenance, "versions")
    named = {
        f"notebook {recipe.notebook}": recipe.notebook_sha256,
        **{f"file params/{name}": found for name, found in stored.items()},
        **{f"version of {name}": version for name, version in used.items()},
        "commit": provenance.get("commit"),
    }
    here = [
        notebook_hash(notebook),
        *map(file_hash, stored),
        *map(_version, used),
        commit() if "commit" in provenance else None,
    ]
    return differences((named, dict(zip(named, here, strict=True))))


def _version(package: str) -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "missing"


def _page_parts(report: Finished, again: Finished) -> Iterator[Part]:
    """Yield where two pages differ: in what can be read, in the provenance, in the tables that they carry."""
    if report.text == again.text:
        return
    parts = {
        "the page": _text_differences(_readable(report.text), _readable(again.text), "the page"),
        "provenance": [*differences((report.provenance, again.provenance), "provenance, ")],
        "tables inside the page": [*_tables_differences((report.tables, again.tables), "inside the page")],
    }
    yield from parts.items()
    if not any(parts.values()):
        yield "the page", _text_differences(report.text, again.text, "the page")


def _readable(page: str) -> str:
    """Return a page without provenance and tables, which are compared by their entries."""
    for name in ("provenance", "tables"):
        page = page.replace(f">{embedded_in(page, name)}</script>", "></script>")
    return page


def _tables_differences(pair: Iterable[Tables | None], where: str) -> Iterator[Difference]:
    """Yield in which titles and cells the tables of two reports differ."""
    report, again = (tables or {} for tables in pair)
    for name in dict.fromkeys([*report, *again]):
        titles = ({"title": tables[name].title} if name in tables else {} for tables in (report, again))
        yield from differences(titles, f"table {name} {where}, ")
        if name in report and name in again:
            yield from table_differences(report[name], again[name], f"table {name} {where}, ")


def _folder_parts(beside: Path, out: Path) -> Iterator[Part]:
    """Yield in what the folder beside a report and the one beside the same report made again differ."""
    mine, others = _files(beside), _files(out.with_suffix(""))
    for name in sorted(mine.keys() | others.keys()) if mine else ():
        where = f"file {beside.name}/{name}"
        if mine.get(name) != others.get(name):
            yield where, [*_file_differences(mine, others, name, where, out.name)]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _file_differences(mine: Files, others: Files, name: str, where: str, page: str) -> Sequence[Difference]:
    """Return the places in a file: cells of tables, entries of the manifest, lines of other text; else its hashes."""
    try:
        text, again = mine[name].decode(), others[name].decode()
        if name == "manifest.json":
            return [*differences((_record(mine, text, again, page), json.loads(again)), f"{where}, ")]
        tables = map(tables_in_json, (text, again)) if name == "tables.json" else (None, None)
        return [*_tables_differences(tables, f"in {name}")] or _text_differences(text, again, where)
    except (ValueError, AttributeError, TypeError, KeyError):
        return [*differences({where: digest(files[name])} if name in files else {} for files in (mine, others))]


def _record(files: Files, text: str, again: str, page: str) -> dict[str, Any]:
    """Return the entries of a manifest to compare, without those that somebody added, such as a sweep.

    A hash that differs because its file does says nothing of its own.
    """
    record, remade = json.loads(text), json.loads(again)
    true = {name for name, named in texts_in(record, "files").items() if digest(files.get(name, b"")) == named}
    if isinstance(record.get("files"), dict):
        record["files"] |= {name: made for name, made in remade["files"].items() if name in {*true, page}}
    return {name: value for name, value in record.items() if name in remade}


def _text_differences(text: str, again: str, where: str) -> list[Difference]:
    """Return the lines in which two texts differ; of a page, below which heading they are."""
    mine, theirs = text.splitlines(keepends=True), again.splitlines(keepends=True)
    if len(mine) != len(theirs):
        mine, theirs = _with_one_difference(mine, theirs), _with_one_difference(theirs, mine)
    places = []
    for number, (line, made) in enumerate(zip(mine, theirs, strict=True), start=1):
        if line != made:
            shown = (_bare(line), _bare(made)) if _bare(line) != _bare(made) else (line, made)
            places.append(Difference(where=f"{where}, line {number:,}", before=shown[0], after=shown[1]))
        for heading in _HEADING.findall(line):
            where = f"section ‘{_bare(heading)}’"
    return places


def _with_one_difference(lines: list[str], others: list[str]) -> list[str]:
    """Return lines with all that differs from others as one line."""
    first = length_in_common(lines, others)
    end = len(lines) - length_in_common(lines[first:][::-1], others[first:][::-1])
    return [*lines[:first], "".join(lines[first:end]), *lines[end:]]


def _bare(markup: str) -> str:
    """Return the text in a piece of markup, with single spaces."""
    return " ".join(unescape(_TAG.sub(" ", markup)).split())


def _few(where: str, found: Sequence[Difference]) -> Iterator[Difference]:
    """Yield the first differences of one part of a report, then how many more it has."""
    yield from found[:_MOST_IN_ONE_PLACE]
    if more := len(found[_MOST_IN_ONE_PLACE:]):
        about: About = "content" if any(one.about == "content" for one in found) else "program"
        yield Difference(where=f"{where}: {more:,} more differ", before=None, after=None, about=about)


def _marked(found: Sequence[Difference], program: Mapping[str, str]) -> list[Difference]:
    """Return differences with the mark of the program, where another commit or version explains all of it."""

    def explained(one: Difference) -> bool:
        before, after = one.before or "", one.after or ""
        return any(named in before and before.replace(named, here) == after for named, here in program.items())

    return [replace(one, about="program") if explained(one) else one for one in found]
