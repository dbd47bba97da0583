"""Modules in; files, functions and folders that have grown too large, and file names used for two ideas, out."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from checks.source import Module, modules

LINES_IN_A_FILE = 600
LINES_IN_A_FUNCTION = 40
FILES_IN_A_FOLDER = 15
NAMES_AT_THE_TOP = 18
# The same idea at another layer: what is computed in one package and shown or called in another.
SAME_IDEA = frozenset(
    {"break_even", "dashboard", "drivers", "information", "levers", "portfolio", "returns"}
    | {"cohorts", "decision", "promoters", "statement", "tables"}
)


def problems(root: Path) -> list[str]:
    """Return what has grown too large."""
    package = list(modules(root, "cxsim"))
    found = [*_folders(package), *_names_used_twice(package)]
    for module in [*package, *modules(root, "checks")]:
        lines = len(module.text.splitlines())
        if lines > LINES_IN_A_FILE:
            found.append(f"{module.place}: {lines} lines; a file has at most {LINES_IN_A_FILE}.")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _lines(node)
                if lines >= LINES_IN_A_FUNCTION:
                    found.append(
                        f"{module.place}:{node.lineno}: {node.name} has {lines} lines without its docstring; "
                        f"a function has fewer than {LINES_IN_A_FUNCTION}."
                    )
    return found


def _folders(package: list[Module]) -> Iterator[str]:
    files = Counter(module.place.rpartition("/")[0] for module in package)
    for folder, count in files.items():
        if count > FILES_IN_A_FOLDER and folder != "cxsim":
            yield f"{folder}: {count} files; a folder has at most {FILES_IN_A_FOLDER}."
    top = {module.place.split("/")[1] for module in package}
    if len(top) > NAMES_AT_THE_TOP:
        yield f"cxsim: {len(top)} names at the top; at most {NAMES_AT_THE_TOP}."


def _names_used_twice(package: list[Module]) -> Iterator[str]:
    places = defaultdict(list)
    for module in package:
        places[Path(module.place).stem].append(module.place)
    for name, found in places.items():
        if len(found) > 1 and name not in SAME_IDEA and name != "__init__":
            yield f"{', '.join(found)}: one name for two ideas; tell them apart."


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count from `def` to the end, without the docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return whole - (docstring.count("\n") + 1 if docstring is not None else 0)
