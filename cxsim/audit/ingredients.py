"""What a report says of its ingredients in; those that are otherwise here, before anything is made again, out."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator, Mapping

from cxsim.audit.difference import Difference
from cxsim.params import root
from cxsim.report.recipe import Recipe, notebook_hash, place_in_project
from cxsim.scenario import commit

_SHOWN = 12


def differing_ingredients(provenance: Mapping[str, object], recipe: Recipe) -> Iterator[Difference]:
    """Yield what a report was made from and is otherwise here: notebook, files of parameters, versions, commit."""
    here = notebook_hash(place_in_project(recipe.notebook))
    yield from _differing({recipe.notebook: recipe.notebook_sha256}, {recipe.notebook: here}, "notebook")
    files = _mapping(provenance, "parameters_sha256")
    yield from _differing(files, {name: _file_hash(name) for name in files}, "file")
    versions = _mapping(provenance, "versions")
    yield from _differing(versions, {name: _version(name) for name in versions}, "version of")
    if "commit" in provenance:
        said = provenance["commit"]
        yield from _differing({"commit": str(said or "not recorded")}, {"commit": commit() or "not recorded"}, "")


def differing_data(said: Mapping[str, object], made: Mapping[str, object]) -> Iterator[Difference]:
    """Yield what only making again could tell: other customers, hence other orders behind them."""
    customers = "customers_sha256"
    if customers in said:
        pair = ({"customers": str(entries.get(customers))} for entries in (said, made))
        yield from _differing(next(pair), next(pair), "orders of the")


def _differing(said: Mapping[str, str], here: Mapping[str, str | None], what: str) -> Iterator[Difference]:
    for name, entry in said.items():
        if entry != here[name]:
            program = what == "version of" or name == "commit"
            yield Difference(
                where=f"{what} {'params/' if what == 'file' else ''}{name}".strip(),
                said=_short(entry),
                made=_short(here[name]),
                about="program" if program else "content",
            )


def _short(entry: str | None) -> str:
    if entry is None:
        return "not there"
    return f"{entry[:_SHOWN]}…" if len(entry) == 64 else entry


def _mapping(provenance: Mapping[str, object], name: str) -> dict[str, str]:
    found = provenance.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _file_hash(name: str) -> str | None:
    path = root() / "params" / name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
