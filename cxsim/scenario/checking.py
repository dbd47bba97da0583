"""Files under params/ in; everything that is wrong with them, in words, out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cxsim.errors import ParamError, choices
from cxsim.params import SOURCES_FILE, read, root, schema, shown, sources
from cxsim.quantity import quantities
from cxsim.scenario.scenario import ScenarioFile, resolved
from cxsim.strategies import Strategy
from cxsim.valuation import Economics

SHAPES: dict[str, type[Any]] = {"scenarios": ScenarioFile, "strategies": Strategy, "economics": Economics}
SCHEMA_FILE = "schema.json"


def check_params(paths: Sequence[Path]) -> list[str]:
    """Return what is wrong with the files, one message per mistake; an empty list when all is well.

    Parameters
    ----------
    paths
        Files or folders; everything under params/ when empty.

    Raises
    ------
    ParamError
        When a path does not exist or is none of the kinds that are checked.
    """
    problems = []
    for path in params_files(paths):
        try:
            problems += list(_problems(path))
        except ParamError as error:
            problems += [line if line.startswith(shown(path)) else f"{shown(path)}: {line}" for line in str(error).splitlines()]
    return problems


def params_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to check, sorted; those of all folders under params/ when `paths` is empty."""
    wanted = list(paths) or [root() / "params"]
    found: list[Path] = []
    for path in wanted:
        if not path.exists():
            raise ParamError(f"no file or folder {path}.")
        found += sorted([*path.rglob("*.yaml"), *path.rglob("*.yml"), *path.rglob(SCHEMA_FILE)]) if path.is_dir() else [path]
    return found


def schemas() -> str:
    """Return the JSON schemas of all kinds of files, as the text of params/schema.json."""
    content = {kind: schema(shape) for kind, shape in SHAPES.items()}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _problems(path: Path) -> Iterator[str]:
    if path.name == SCHEMA_FILE:
        if path.read_text(encoding="utf-8") != schemas():
            yield f"{shown(path)}: differs from what the code reads; write it anew with `cxsim check --write-schema`."
    elif path.name == SOURCES_FILE:
        sources()
    elif path.parent.name in SHAPES:
        yield from _of_kind(path)
    else:
        yield f"{shown(path)}: lies in '{path.parent.name}'; {choices(path.parent.name, SHAPES)}"


def _of_kind(path: Path) -> Iterator[str]:
    content = read(path, SHAPES[path.parent.name])
    if isinstance(content, ScenarioFile):
        resolved(content)
    known = sources()
    for key, quantity in quantities(content):
        if quantity.source is not None and quantity.source not in known:
            yield f"{shown(path)}: {key}.source: no '{quantity.source}' in {SOURCES_FILE}; {choices(quantity.source, known)}"
        if not quantity.description.strip():
            yield f"{shown(path)}: {key}.description: empty; say what the number means."
