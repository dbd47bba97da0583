"""Modules in; faces that hold code, and imports that go round a face or behind one, out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from checks.source import Module, modules


def problems(root: Path) -> list[str]:
    """Return the faults of the rooms' faces and of the imports between files."""
    found = []
    package = list(modules(root, "cxsim"))
    names = {module.name for module in package}
    for module in package:
        faults = list(_import_faults(module, names))
        if module.is_package and module.name != "cxsim":
            faults += _face_faults(module)
        found += [f"{module.place}:{line}: {fault}" for line, fault in faults]
    return found


def _import_faults(module: Module, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield imports of the lazy root, which would hide a floor from import-linter, and of another file's _names."""
    for node in ast.walk(module.tree):
        roots: list[str] = []
        private: list[str] = []
        match node:
            case ast.Import():
                roots = [alias.name for alias in node.names if alias.name == "cxsim"]
            case ast.ImportFrom(module="cxsim"):
                roots = [alias.name for alias in node.names if f"cxsim.{alias.name}" not in names]
            case ast.ImportFrom(module=str(source)) if source.startswith("cxsim."):
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
            case _:
                continue
        if roots and not f"{module.name}.".startswith("cxsim.cli."):
            yield node.lineno, f"imports {', '.join(roots)} from the root; import it from its room."
        for name in private:
            yield node.lineno, f"imports {name}, which belongs to another file alone."


def _face_faults(module: Module) -> Iterator[tuple[int, str]]:
    if ast.get_docstring(module.tree) is None:
        yield 1, "a room's face begins with a docstring."
    shown: set[str] = set()
    listed: set[str] | None = None
    for node in module.tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.ImportFrom(module="__future__"):
                pass
            case ast.ImportFrom():
                shown |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple()):
                listed = set(ast.literal_eval(node.value))
            case _:
                yield node.lineno, "a room's face holds a docstring and re-exports, nothing else."
    if listed is None:
        yield 1, "a room's face lists what it shows in __all__."
    elif listed != shown:
        yield 1, f"__all__ and the imports differ in {', '.join(sorted(listed ^ shown))}."
