"""A report in; the same report made again from what it names, and every place at which the two differ, out.

Hashes say whether a file is the same; where it is not, tables say which cell, the manifest which entry, a text which
line.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import takewhile
from pathlib import Path
from typing import Literal

from cxsim.errors import CxsimError, ReportError
from cxsim.params import root
from cxsim.reporting.comparison import (
    PROGRAM,
    About,
    Difference,
    Finished,
    embedded_in,
    json_differences,
    read_report,
    table_differences,
)
from cxsim.reporting.execute import Parameter
from cxsim.reporting.page import Recipe, make, notebook_hash, place_in_project, recipe_in
from cxsim.reporting.workbook import Twin, tables_in_json
from cxsim.study.provenance import commit

# What a part of a report is called, and the places in it that differ.
Part = tuple[str, Sequence[Difference]]
Agreement = Literal["bytes", "numbers", "neither"]

_MOST_IN_ONE_PLACE = 5
_SHOWN = 12
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a report can be made again."""

    report: Path
    agreement: Agreement  # `numbers`: only commit or versions of packages differ, and the places that name them
    ingredients: tuple[Difference, ...]  # what the report was made from and is otherwise here
    places: tuple[Difference, ...]  # in the order of the page, then of the files beside it
    files: int  # how many beside the page were compared


def verify(report: Path, *, progress: Callable[[str], None] | None = None) -> Verdict:
    """Make a report again, from the notebook and the parameters that it names, and compare."""
    finished = read_report(report)
    recipe = _recipe(finished)
    notebook, parameters = _found(finished, recipe)
    ingredients = [*_differing_ingredients(finished.provenance, recipe)]
    beside = _beside(report, recipe)
    with tempfile.TemporaryDirectory(prefix="cxsim-verify-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / recipe.page
        try:
            make(notebook, parameters=parameters, title=recipe.title, out=out, code=recipe.code, progress=progress)
        except CxsimError as error:
            raise ReportError(_failure(report, error, ingredients)) from error
        again = read_report(out)
        parts = [*_page_parts(finished, again)]
        if beside is not None:
            parts += _folder_parts(beside, out.with_suffix(""), out.name)
    customers = (str(one.provenance.get("customers_sha256", "none")) for one in (finished, again))
    ingredients += _differing("orders of the customers", *customers)
    program = _program(finished.provenance, again.provenance)
    places = tuple(place for where, found in parts for place in _few(where, [_marked(one, program) for one in found]))
    return Verdict(
        report=report,
        agreement="bytes" if not places else "numbers" if all(one.about == "program" for one in places) else "neither",
        ingredients=tuple(ingredients),
        places=places,
        files=0 if beside is None else len(_files(beside)),
    )


def _recipe(finished: Finished) -> Recipe:
    try:
        recipe = recipe_in(finished.provenance)
    except ReportError as error:
        raise ReportError(f"{finished.path}: {error}") from error
    if recipe is None:
        command = finished.provenance.get("command")
        advice = f"make it anew with: {command}" if command else "make it anew with `cxsim report`"
        raise ReportError(f"{finished.path}: the report does not say by which notebook it was made; {advice}")
    return recipe


def _found(finished: Finished, recipe: Recipe) -> tuple[Path, dict[str, Parameter]]:
    """Return notebook and parameters with paths of this machine."""
    if recipe.paths_outside:
        missing = ", ".join(f"{recipe.parameters.get(name, recipe.notebook)} ({name})" for name in recipe.paths_outside)
        raise ReportError(
            f"{finished.path}: made from files outside of the project, which a report does not carry: {missing}. "
            "Put them into the project, make the report from there, and it can be verified."
        )
    try:
        notebook = place_in_project(recipe.notebook)
        paths = {name: str(place_in_project(str(recipe.parameters.get(name, "")))) for name in recipe.paths_in_project}
    except ReportError as error:
        raise ReportError(f"{finished.path}: it cannot be made again here: {error}") from error
    return notebook, {**recipe.parameters, **paths}


def _failure(report: Path, error: CxsimError, ingredients: list[Difference]) -> str:
    lines = [f"{report}: it cannot be made again here: {error}"]
    if ingredients:
        lines += ["What it was made from is otherwise here:", *(one.sentence("here it is") for one in ingredients)]
    return "\n".join(lines)


def _beside(report: Path, recipe: Recipe) -> Path | None:
    """Return the report's folder of tables: of the file's name, or of its name when it was made."""
    folders = (report.with_name(name).with_suffix("") for name in (report.name, recipe.page))
    return next((folder for folder in folders if folder.is_dir()), None)


def _differing_ingredients(provenance: Mapping[str, object], recipe: Recipe) -> Iterator[Difference]:
    """Yield what a report was made from and is otherwise here: notebook, files of parameters, versions, commit."""
    here = notebook_hash(place_in_project(recipe.notebook))
    yield from _differing(f"notebook {recipe.notebook}", recipe.notebook_sha256, here)
    for name, digest in _mapping(provenance, "parameters_sha256").items():
        path = root() / "params" / name
        yield from _differing(f"file params/{name}", digest, _digest(path.read_bytes()) if path.is_file() else None)
    for name, version in _mapping(provenance, "versions").items():
        installed: str | None = None
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed = importlib.metadata.version(name)
        yield from _differing(f"version of {name}", version, installed)
    if "commit" in provenance:
        yield from _differing("commit", str(provenance["commit"] or "not recorded"), commit() or "not recorded")


def _differing(where: str, named: str, here: str | None) -> Iterator[Difference]:
    if named != here:
        program = where.startswith(("version of", "commit"))
        texts = [f"{text[:_SHOWN]}…" if len(text) == 64 else text for text in (named, here or "not there")]
        yield Difference(where=where, before=texts[0], after=texts[1], about="program" if program else "content")


def _mapping(provenance: Mapping[str, object], name: str) -> dict[str, str]:
    found = provenance.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _page_parts(report: Finished, again: Finished) -> Iterator[Part]:
    """Yield where two pages differ: in what can be read, in the provenance, in the tables that they carry."""
    if report.text == again.text:
        return
    read = _text_differences(_readable(report.text), _readable(again.text), "the page")
    entries = json_differences(report.provenance, again.provenance)
    named = [replace(place, where=f"provenance, {place.where}") for place in entries]
    tables = _tables_differences(report.tables or {}, again.tables or {}, "inside the page")
    yield from (("the page", read), ("provenance", named), ("tables inside the page", tables))
    if not (read or named or tables):
        yield "the page", _text_differences(report.text, again.text, "the page")


def _readable(page: str) -> str:
    """Return a page without provenance and tables, which are compared by their entries."""
    for name in ("provenance", "tables"):
        page = page.replace(f">{embedded_in(page, name)}</script>", "></script>")
    return page


def _tables_differences(report: Mapping[str, Twin], again: Mapping[str, Twin], where: str) -> list[Difference]:
    places = []
    for name in dict.fromkeys([*report, *again]):
        one, other = report.get(name), again.get(name)
        titles = one.title if one else None, other.title if other else None
        if titles[0] != titles[1]:
            places.append(Difference(where=f"table {name} {where}, title", before=titles[0], after=titles[1]))
        if one is not None and other is not None:
            found = table_differences(one, other)
            places += [replace(place, where=place.where.replace(name, f"table {name} {where}", 1)) for place in found]
    return places


def _folder_parts(report: Path, again: Path, page: str) -> Iterator[Part]:
    """Yield in what the folder beside a report and the same folder made again differ."""
    mine, others = _files(report), _files(again)
    for name in sorted(mine.keys() | others.keys()):
        where = f"file {report.name}/{name}"
        if name not in others:
            yield where, [Difference(where=f"{where}: made again, there is no such file", before=None, after=None)]
        elif name not in mine:
            yield where, [Difference(where=f"{where}: it is missing", before=None, after=None)]
        elif mine[name] != others[name]:
            yield where, _file_differences(mine, others, name, where, page)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _file_differences(
    mine: Mapping[str, bytes], others: Mapping[str, bytes], name: str, where: str, page: str
) -> list[Difference]:
    """Return the places in a file: cells of tables, entries of the manifest, lines of other text; else its hashes."""
    try:
        text, again = mine[name].decode(), others[name].decode()
        if name == "manifest.json":
            found = _record_differences(mine, text, again, page)
            return [replace(place, where=f"{where}, {place.where}") for place in found]
        found = []
        if name == "tables.json":
            found = _tables_differences(tables_in_json(text), tables_in_json(again), f"in {name}")
        return found or _text_differences(text, again, where)
    except (ValueError, AttributeError, TypeError, ReportError):
        return [*_differing(where, _digest(mine[name]), _digest(others[name]))]


def _record_differences(files: Mapping[str, bytes], text: str, again: str, page: str) -> list[Difference]:
    """Return the entries of a manifest that differ, but for those that somebody added, such as a sweep.

    A hash that differs because its file does says nothing of its own.
    """
    record, remade = json.loads(text), json.loads(again)
    kept = {name: value for name, value in record.items() if name in remade}
    true = {name for name, digest in _mapping(record, "files").items() if _digest(files.get(name, b"")) == digest}
    if isinstance(kept.get("files"), dict):
        kept["files"] |= {name: digest for name, digest in remade["files"].items() if name in true or name == page}
    return [*json_differences(kept, remade)]


def _text_differences(text: str, again: str, where: str) -> list[Difference]:
    """Return the lines in which two texts differ; of a page, below which heading they are."""
    one, other = text.splitlines(keepends=True), again.splitlines(keepends=True)
    first = _alike(one, other)
    last = _alike(one[first:][::-1], other[first:][::-1])
    mine, theirs = one[first : len(one) - last], other[first : len(other) - last]
    if len(mine) != len(theirs):
        mine, theirs = ["".join(mine)], ["".join(theirs)]
    section = next((heading for line in reversed(one[:first]) for heading in _HEADING.findall(line)), "")
    places = []
    for number, (line, made) in enumerate(zip(mine, theirs, strict=True), start=first + 1):
        if line != made:
            place = f"section ‘{_bare(section)}’" if section else where
            shown = (_bare(line), _bare(made)) if _bare(line) != _bare(made) else (line, made)
            places.append(Difference(where=f"{place}, line {number:,}", before=shown[0], after=shown[1]))
        section = next(iter(_HEADING.findall(line)), section)
    return places


def _alike(one: list[str], other: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _bare(markup: str) -> str:
    """Return the text in a piece of markup, with single spaces."""
    return " ".join(unescape(_TAG.sub(" ", markup)).split())


def _few(where: str, found: Sequence[Difference]) -> Iterator[Difference]:
    """Yield the first differences of one part of a report, then how many more it has."""
    yield from found[:_MOST_IN_ONE_PLACE]
    if more := len(found) - len(found[:_MOST_IN_ONE_PLACE]):
        content = any(one.about == "content" for one in found)
        about: About = "content" if content else "program"
        yield Difference(where=f"{where}: {more:,} more differ", before=None, after=None, about=about)


def _program(report: Mapping[str, object], again: Mapping[str, object]) -> dict[str, str]:
    """Return the commits and versions that one provenance names, each with what the other names instead."""
    one, other = ({name: entries.get(name) for name in PROGRAM} for entries in (report, again))
    found = json_differences(one, other)
    return {place.before: place.after for place in found if place.before is not None and place.after is not None}


def _marked(place: Difference, program: Mapping[str, str]) -> Difference:
    """Return a difference with the mark of the program, where another commit or version explains all of it."""
    before, after = place.before or "", place.after or ""
    explained = any(one in before and before.replace(one, other) == after for one, other in program.items())
    return replace(place, about="program") if explained else place


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
