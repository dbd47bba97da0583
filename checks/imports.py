"""Modules in; imports of private names, of the lazy root or in a circle, and package files that hold code, out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from checks.source import Module, modules


def problems(root: Path) -> list[str]:
    """Return the faults of `__init__` files and of the imports between files."""
    found = []
    package = list(modules(root, "cxsim"))
    names = {module.name for module in package}
    for module in package:
        faults = list(_import_faults(module, names))
        if module.is_package:
            faults += _package_faults(module)
        found += [f"{module.place}:{line}: {fault}" for line, fault in faults]
    return found + [f"import in a circle: {' > '.join(circle)}." for circle in circles(imported(package))]


def imported(package: list[Module]) -> dict[str, set[str]]:
    """Return which modules each module imports from, those of its functions included."""
    names = {module.name for module in package}
    edges: dict[str, set[str]] = {}
    for module in package:
        edges[module.name] = set()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                edges[module.name] |= (inside & names) | ({node.module} if inside - names else set())
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return one circle of imports for each module that reaches itself."""
    found: list[list[str]] = []
    for start in sorted(edges):
        paths = [[start]]
        seen: set[str] = set()
        while paths:
            path = paths.pop()
            for step in sorted(edges.get(path[-1], ())):
                if step == start and not any(set(path) == set(circle) for circle in found):
                    found.append([*path, start][:-1])
                    paths.clear()
                    break
                if step not in seen:
                    seen.add(step)
                    paths.append([*path, step])
    return found


def _import_faults(module: Module, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield imports of the lazy root, which would hide a layer from import-linter, and of another file's _names."""
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
            yield node.lineno, f"imports {', '.join(roots)} from the root; import it from its file."
        for name in private:
            yield node.lineno, f"imports {name}, which belongs to another file alone."


def _package_faults(module: Module) -> Iterator[tuple[int, str]]:
    if ast.get_docstring(module.tree) is None:
        yield 1, "a package begins with a docstring."
    shown: set[str] = set()
    listed: set[str] | None = None
    body = (inner for outer in module.tree.body for inner in (outer.body if isinstance(outer, ast.If) else [outer]))
    for node in body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.ImportFrom(module="__future__" | "typing"):
                pass
            # Imports may stand under TYPE_CHECKING and be made when their names are used.
            case (
                ast.ImportFrom(names=[ast.alias(name="waiting_imports")])
                | ast.Assign(targets=[ast.Name(id="__getattr__")])
                | ast.FunctionDef(name="__dir__")
            ):
                pass
            case ast.ImportFrom():
                shown |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple()):
                listed = set(ast.literal_eval(node.value))
            case _:
                yield node.lineno, "`__init__` holds a docstring and re-exports, nothing else."
    if listed is None and shown:
        yield 1, "a package lists what it shows in __all__."
    elif listed is not None and listed != shown:
        yield 1, f"__all__ and the imports differ in {', '.join(sorted(listed ^ shown))}."
